"""Triggers: what arrivals, requests and webhooks came to, each to be found by its name."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, cast, override

import probatio
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.trigger import (
    NotTriggeredInfo,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType

from .const import CONF_KIND, SIGNAL_CHANGE, SIGNAL_REQUEST, SIGNAL_STUCK, SIGNAL_WEBHOOK
from .engine.board.models import Arrival, Change, ChangeKind, Request, Stage, Title
from .filters import (
    A_NAME,
    A_PERSON,
    A_TIER,
    A_TYPE,
    Filter,
    check_options,
    one_of,
    why_private,
)
from .notifying import concerned, concerned_by, recipients
from .posters import poster_path
from .presenter import Audience, Document, iso_time, present_arrival, present_request
from .privacy import NAMED, Requesters
from .request_watch import RequestTurn
from .runtime import BOARD_KEY, service_entries
from .services import ATTR_PERSON, ATTR_REQUESTER
from .stories import LONGEST, QUIET, Each, Stories, Told, present_story
from .stuck import StuckTurn, hold_text
from .targets import ATTR_SERVICE, ATTR_TIER, ATTR_TYPE
from .telling import context_of
from .webhook_watch import WebhookTurn

ATTR_EACH: Final = "each"
ATTR_LATE: Final = "late"
ATTR_LONGEST: Final = "longest"
ATTR_NEW_EPISODES: Final = "new_episodes"
ATTR_QUIET: Final = "quiet"

REASON_LATE: Final = "late"
REASON_PRIVATE: Final = "private"

type Options = Mapping[probatio.Marker, Any]

_COMMON: Final[Options] = {
    probatio.Optional(ATTR_SERVICE): cv.string,
    probatio.Optional(ATTR_LATE, default=False): cv.boolean,
}
_OF_ANY_TYPE: Final[Options] = {probatio.Optional(ATTR_TYPE): A_TYPE}
_BY_A_PERSON: Final[Options] = {probatio.Optional(ATTR_PERSON): A_PERSON}
_ASKED_FOR: Final[Options] = {
    probatio.Optional(ATTR_TIER): A_TIER,
    probatio.Optional(ATTR_REQUESTER): A_NAME,
    **_BY_A_PERSON,
}


_GATHERED: Final[Options] = {
    probatio.Optional(ATTR_EACH, default=Each.SEASON.value): one_of(Each),
    probatio.Optional(ATTR_NEW_EPISODES, default=False): cv.boolean,
    probatio.Optional(ATTR_QUIET, default=QUIET): cv.positive_time_period,
    probatio.Optional(ATTR_LONGEST, default=LONGEST): cv.positive_time_period,
}


class SignalTrigger(Trigger):
    """Listens to a signal of the domain, whether entries are loaded or not."""

    options: ClassVar[Options]
    watching: ClassVar[bool] = False
    """Whether people are those who watched, and not those who asked."""

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Refuse options that cannot be meant."""
        schema = probatio.Schema({probatio.Required(CONF_OPTIONS, default=dict): dict(cls.options)})
        config = cast("ConfigType", schema(config))
        check_options(hass, config[CONF_OPTIONS], watching=cls.watching)
        return config

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        self._options = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Listen until the automation is switched off."""
        return self.async_listen(run_action, did_not_trigger)

    @abstractmethod
    def async_listen(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None
    ) -> CALLBACK_TYPE:
        """Listen to the signal."""


class ChangeTrigger(SignalTrigger):
    """Fires for changes of one kind, as far as the options let them through."""

    kind: ClassVar[ChangeKind]
    stage: ClassVar[Stage | None]
    said: ClassVar[str]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        self._filter = Filter.of(hass, self._options)

    @override
    def async_listen(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None
    ) -> CALLBACK_TYPE:
        """Listen to what changes."""

        @callback
        def changed(change: Change) -> None:
            if not self._is_mine(change):
                return
            if (reason := self._reason_against(change)) is None:
                description = f"{_name(change)} {self.said}"
                _ = run_action(variables(self._hass, change), description, context_of(change))
            elif did_not_trigger is not None:
                did_not_trigger(NotTriggeredInfo(reason), context_of(change))

        return async_dispatcher_connect(self._hass, SIGNAL_CHANGE, changed)

    def _is_mine(self, change: Change) -> bool:
        """Tell whether a change is what the automation waits for."""
        return (
            change.told
            and change.kind is self.kind
            and self.stage in (None, change.stage)
            and (change.watch is None or change.watch.watched)
            and self._filter.lets_through(self._hass.data[BOARD_KEY].board, change)
        )

    def _reason_against(self, change: Change) -> str | None:
        """Say why the automation does not run although it is what it waits for."""
        if change.late and not self._options[ATTR_LATE]:
            return REASON_LATE
        private = why_private(self._hass, self._options, watching=self.watching)
        return REASON_PRIVATE if private else None


class WebhookTrigger(SignalTrigger):
    """Fires when the webhook of a service stops working, or works again."""

    options: ClassVar[Options] = {probatio.Optional(ATTR_SERVICE): cv.string}
    works: ClassVar[bool]
    said: ClassVar[str]

    @override
    def async_listen(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None
    ) -> CALLBACK_TYPE:
        """Listen to what is known of webhooks."""

        @callback
        def turned(turn: WebhookTurn) -> None:
            if turn.works is not self.works:
                return
            if self._options.get(ATTR_SERVICE) in (None, turn.entry_id):
                service = _service(self._hass, turn.entry_id)
                cause = None if turn.cause is None else turn.cause.value
                _ = run_action(
                    {**service, "state": turn.state.value, "cause": cause},
                    f"the webhook of {service['service_name']} {self.said}",
                )

        return async_dispatcher_connect(self._hass, SIGNAL_WEBHOOK, turned)


class StuckTrigger(SignalTrigger):
    """Fires when an arrival gets stuck."""

    options: ClassVar[Options] = {
        **_OF_ANY_TYPE,
        **_ASKED_FOR,
        probatio.Optional(ATTR_SERVICE): cv.string,
    }

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        super().__init__(hass, config)
        self._filter = Filter.of(hass, self._options)

    @override
    def async_listen(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None
    ) -> CALLBACK_TYPE:
        """Listen to what gets stuck."""

        @callback
        def turned(turn: StuckTurn) -> None:
            board = self._hass.data[BOARD_KEY].board
            if not turn.stuck or not self._filter.covers(board, turn.arrival):
                return
            if not why_private(self._hass, self._options):
                description = f"{_title_name(turn.title, turn.arrival)} got stuck"
                _ = run_action(stuck_variables(self._hass, turn), description)
            elif did_not_trigger is not None:
                did_not_trigger(NotTriggeredInfo(REASON_PRIVATE))

        return async_dispatcher_connect(self._hass, SIGNAL_STUCK, turned)


class StoryTrigger(ChangeTrigger):
    """Fires once for what became available together."""

    options: ClassVar[Options] = {**_OF_ANY_TYPE, **_ASKED_FOR, **_GATHERED, **_COMMON}

    @override
    def async_listen(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None
    ) -> CALLBACK_TYPE:
        """Listen to what becomes available."""

        @callback
        def tell(told: Told) -> None:
            description = f"{told.last.title.name or 'A title'} became available"
            variables = story_variables(self._hass, told)
            _ = run_action(variables, description, context_of(told.last))

        stories = Stories(
            self._hass,
            tell,
            quiet=self._options[ATTR_QUIET],
            longest=self._options[ATTR_LONGEST],
            each=self._options[ATTR_EACH],
            episodes=self._options[ATTR_NEW_EPISODES],
        )

        @callback
        def changed(change: Change) -> None:
            board = self._hass.data[BOARD_KEY].board
            if not stories.is_part(change) or not self._filter.lets_through(board, change):
                return
            if (reason := self._reason_against(change)) is None:
                stories.add(change)
            elif did_not_trigger is not None:
                did_not_trigger(NotTriggeredInfo(reason), context_of(change))

        unlisten = async_dispatcher_connect(self._hass, SIGNAL_CHANGE, changed)

        @callback
        def stop() -> None:
            unlisten()
            stories.stop()

        return stop


class RequestTrigger(ChangeTrigger):
    """Fires when a request waits for a decision, or when that was made."""

    options: ClassVar[Options] = {
        **_OF_ANY_TYPE,
        **_ASKED_FOR,
        probatio.Optional(ATTR_SERVICE): cv.string,
    }
    waits: ClassVar[bool]

    @override
    def async_listen(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None
    ) -> CALLBACK_TYPE:
        """Listen to what is known of requests."""

        @callback
        def turned(turn: RequestTurn) -> None:
            change = replace(turn.change, request=turn.request)
            board = self._hass.data[BOARD_KEY].board
            if turn.waits is not self.waits or not self._filter.lets_through(board, change):
                return
            if why_private(self._hass, self._options) is None:
                description = f"the request for {change.title.name or 'a title'} {self.said}"
                _ = run_action(variables(self._hass, change), description, context_of(change))
            elif did_not_trigger is not None:
                did_not_trigger(NotTriggeredInfo(REASON_PRIVATE), context_of(change))

        return async_dispatcher_connect(self._hass, SIGNAL_REQUEST, turned)


def _request(said_of_it: str, *, waiting: bool) -> type[RequestTrigger]:
    """Return the trigger for a request that turns."""

    class Turned(RequestTrigger):
        waits, said = waiting, said_of_it

    return Turned


def _when(
    kind_told: ChangeKind, said_of_it: str, *takes: Options, at: Stage | None = None
) -> type[ChangeTrigger]:
    """Return the trigger for changes of a kind."""

    class Told(ChangeTrigger):
        options: ClassVar[Options] = {
            marker: one for taken in (*takes, _COMMON) for marker, one in taken.items()
        }
        kind, stage, said = kind_told, at, said_of_it
        watching = kind_told is ChangeKind.WATCHED

    return Told


def _reached(stage: Stage, said: str) -> type[ChangeTrigger]:
    """Return the trigger for arrivals that reach a stage."""
    return _when(ChangeKind.STAGE, said, _OF_ANY_TYPE, _ASKED_FOR, at=stage)


def _webhook(said_of_it: str, *, to: bool) -> type[WebhookTrigger]:
    """Return the trigger for a webhook that turns."""

    class Turned(WebhookTrigger):
        works, said = to, said_of_it

    return Turned


TRIGGERS: Final[dict[str, type[Trigger]]] = {
    "arrival_requested": _reached(Stage.REQUESTED, "was requested"),
    "arrival_approved": _reached(Stage.APPROVED, "was approved"),
    "arrival_declined": _reached(Stage.DECLINED, "was declined"),
    "arrival_started_downloading": _reached(Stage.DOWNLOADING, "started downloading"),
    "arrival_downloaded": _reached(Stage.DOWNLOADED, "was downloaded"),
    "arrival_became_available": _reached(Stage.AVAILABLE, "became available"),
    "arrival_failed": _reached(Stage.FAILED, "failed"),
    "request_became_available": _when(
        ChangeKind.REQUEST, "became available as requested", _OF_ANY_TYPE, _ASKED_FOR
    ),
    "request_waits_for_decision": _request("waits for a decision", waiting=True),
    "request_was_decided": _request("was decided", waiting=False),
    "story_became_available": StoryTrigger,
    "new_episode_became_available": _when(
        ChangeKind.PART, "became available", _ASKED_FOR, at=Stage.AVAILABLE
    ),
    # Watched is watched, in whichever quality.
    "arrival_watched": _when(ChangeKind.WATCHED, "was watched", _OF_ANY_TYPE, _BY_A_PERSON),
    "arrival_got_stuck": StuckTrigger,
    "webhook_stopped_working": _webhook("stopped working", to=False),
    "webhook_works_again": _webhook("works again", to=True),
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS


def variables(hass: HomeAssistant, change: Change) -> Document:
    """Return what the automation gets to know; people's names only if the board shows them."""
    runtime, arrival, request = hass.data[BOARD_KEY], change.arrival, change.request
    privacy, audience = runtime.privacy, _audience(hass)
    requests = runtime.board.requests_of(arrival)
    document: Document = {
        "arrival": present_arrival(
            arrival,
            change.title,
            requests,
            audience,
            poster=poster_path(hass, arrival.id, change.title.poster),
        ),
        "stage": change.stage.value,
        "previous_stage": None if change.previous is None else change.previous.value,
        "parts": f"{arrival.available} of {arrival.wanted}" if arrival.wanted else None,
        **_service(hass, change.origin.service),
        "via": change.origin.via.value,
        "user_id": change.origin.user_id,
        "user_name": _user_name(hass, change.origin.user_id),
        "late": change.late,
        "happened_at": iso_time(change.happened_at),
        **recipients(hass, concerned_by(hass, change)),
    }
    if privacy.requesters in NAMED:
        document["requester"] = _askers(hass, requests if request is None else (request,))
    if change.watch is not None:
        document["watched_by"] = privacy.watched_by(hass, change.watch.viewer)
    if request is not None:
        document["request"] = present_request(request, audience)
    if episodes := [part for key in _part_keys(change) if (part := arrival.parts.get(key))]:
        document["episodes"] = [
            {"number": part.number, "air_date": part.air_date, "name": part.name}
            for part in episodes
        ]
    return document


def stuck_variables(hass: HomeAssistant, turn: StuckTurn) -> Document:
    """Return what the automation gets to know of an arrival that got stuck."""
    runtime, arrival, hold = hass.data[BOARD_KEY], turn.arrival, turn.hold
    audience = _audience(hass)
    requests = runtime.board.requests_of(arrival)
    text = hold_text(hass, hold, audience.services.get(hold.service or ""))
    document: Document = {
        "arrival": present_arrival(
            arrival,
            turn.title,
            requests,
            audience,
            held=text,
            poster=poster_path(hass, arrival.id, turn.title.poster),
        ),
        "stage": arrival.stage.value,
        "parts": f"{arrival.available} of {arrival.wanted}" if arrival.wanted else None,
        "reason": hold.reason.value,
        "text": text,
        "message": hold.message,
        "remedy": None if hold.remedy is None else hold.remedy.value,
        "since": iso_time(hold.since),
        "service": None,
        "service_name": None,
        "service_kind": None,
        **recipients(hass, concerned(hass, arrival, arrival.stage)),
    }
    if hold.service is not None:
        document |= _service(hass, hold.service)
    if runtime.privacy.requesters in NAMED:
        document["requester"] = _askers(hass, requests)
    return document


def _audience(hass: HomeAssistant) -> Audience:
    """Return for whom automations are told: everybody."""
    privacy = hass.data[BOARD_KEY].privacy
    return Audience(
        names=privacy.requesters is Requesters.EVERYBODY,
        people=privacy.people,
        askers=privacy.people.names(hass) if privacy.requesters in NAMED else {},
        services={entry.entry_id: entry.title for entry in service_entries(hass)},
    )


def _askers(hass: HomeAssistant, requests: Iterable[Request]) -> str | None:
    """Name who asked, as far as that is told."""
    privacy = hass.data[BOARD_KEY].privacy
    told = (privacy.asked_by(hass, one.service, one.requester) for one in requests if one.requester)
    return ", ".join(dict.fromkeys(filter(None, told))) or None


def story_variables(hass: HomeAssistant, told: Told) -> Document:
    """Return what the automation gets to know of a story: of its last step, and of all of it."""
    persons = [
        person
        for one in (*told.arrivals, *(arrival for arrival, _ in told.episodes))
        for person in concerned(hass, one, one.stage)
    ]
    return {
        **variables(hass, told.last),
        **recipients(hass, persons),
        "story": present_story(told),
    }


def _part_keys(change: Change) -> tuple[str, ...]:
    """Return the keys of the episodes that a change is about."""
    return change.parts or (() if change.part is None else (change.part,))


def _service(hass: HomeAssistant, entry_id: str) -> Document:
    """Name a service; one that was removed has only its id left."""
    entry = hass.config_entries.async_get_entry(entry_id)
    return {
        "service": entry_id,
        "service_name": None if entry is None else entry.title,
        "service_kind": None if entry is None else entry.data[CONF_KIND],
    }


def _user_name(hass: HomeAssistant, user_id: str | None) -> str | None:
    """Return the name of the person that a user of Home Assistant is."""
    if user_id is None:
        return None
    people = hass.states.async_all("person")
    return next((one.name for one in people if one.attributes.get("user_id") == user_id), None)


def _title_name(title: Title, arrival: Arrival) -> str:
    """Name the film or the season."""
    name = title.name or "A title"
    return name if arrival.season is None else f"{name}, season {arrival.season}"


def _name(change: Change) -> str:
    """Name the film, the season, or the episodes of it."""
    words = [_title_name(change.title, change.arrival)]
    numbers = [
        str(part.number)
        for key in _part_keys(change)
        if (part := change.arrival.parts.get(key)) and part.number is not None
    ]
    if numbers:
        words.append(f"episode{'s'[: len(numbers) != 1]} {', '.join(numbers)}")
    return ", ".join(words)
