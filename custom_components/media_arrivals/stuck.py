"""Watches arrivals that do not move, and tells once of each that got stuck."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_get_translations,
)

from .const import (
    CONF_STUCK_FOUND,
    CONF_STUCK_GRAB,
    CONF_STUCK_HAND_OVER,
    CONF_STUCK_IMPORT,
    CONF_STUCK_PROGRESS,
    DOMAIN,
    EVENT_STUCK,
    SIGNAL_CHANGE,
    SIGNAL_STUCK,
)
from .engine.board.board import Board
from .engine.board.lifecycle import FINISHED, Household
from .engine.board.models import (
    Arrival,
    Change,
    Hold,
    MediaType,
    Question,
    QuestionKind,
    Role,
    Stage,
    Title,
    TitleRef,
)
from .engine.board.stuck import Complaint, Judge, Limits
from .faults import log_fault
from .publishing import Breather

if TYPE_CHECKING:
    from .runtime import BoardRuntime

_LOGGER = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(minutes=1)
STORED_TOGETHER: Final = 50
"""Arrivals that are entered in one go: others have their turn between."""
ASKED_TOGETHER: Final = 5
"""Films whose release date is asked for in one minute."""
READ_AGAIN: Final = 24 * 3600.0
"""Seconds after which a release date is asked for once more."""
MAX_TITLE: Final = 200

MINUTE: Final = 60
HOUR: Final = 3600
OPTIONS: Final[Mapping[str, tuple[str, int]]] = {
    CONF_STUCK_HAND_OVER: ("hand_over", MINUTE),
    CONF_STUCK_GRAB: ("grab", HOUR),
    CONF_STUCK_PROGRESS: ("progress", MINUTE),
    CONF_STUCK_IMPORT: ("imported", MINUTE),
    CONF_STUCK_FOUND: ("found", MINUTE),
}
"""The board's options, what each limits, and how many seconds its unit has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckTurn:
    """An arrival got stuck, or no longer is."""

    title: Title
    arrival: Arrival
    hold: Hold
    """Why it is, or was."""
    stuck: bool


def default_of(option: str) -> int:
    """Return what an option is unless somebody changed it, in its own unit."""
    name, unit = OPTIONS[option]
    return int(getattr(Limits(), name)) // unit


def is_counted(arrival: Arrival) -> bool:
    """Tell whether an arrival counts as stuck; one that was dismissed does not."""
    return arrival.hold is not None and arrival.hold.stuck and not arrival.dismissed


@callback
def hold_text(hass: HomeAssistant, hold: Hold, service_name: str | None) -> str | None:
    """Say in the language of the house what keeps an arrival."""
    texts = async_get_cached_translations(hass, hass.config.language, "common", DOMAIN)
    text = texts.get(f"component.{DOMAIN}.common.hold_{hold.reason.value}")
    return None if text is None else text.format(service=service_name or "-")


class StuckWatch:
    """Looks at all open arrivals each minute."""

    def __init__(self, hass: HomeAssistant, runtime: BoardRuntime) -> None:
        """Begin without having looked."""
        self.hass = hass
        self._runtime = runtime
        self._stuck: dict[str, Hold] = {}
        """Arrivals that are stuck."""
        self._asked: dict[tuple[str, str], float] = {}
        """Arrival and service -> when the service was asked for its release date."""
        self._busy = False
        self._undo: list[CALLBACK_TYPE] = []

    @callback
    def async_start(self) -> None:
        """Look from now on. What was stuck before Home Assistant's restart was told then."""
        self.async_stop()
        self._stuck = {
            one.id: one.hold
            for one in self._runtime.board.arrivals()
            if one.hold is not None and one.hold.stuck
        }
        self._undo = [
            async_dispatcher_connect(self.hass, SIGNAL_CHANGE, self._async_changed),
            async_track_time_interval(
                self.hass, self._look_at_all, LOOK_EVERY, cancel_on_shutdown=True
            ),
        ]

    @callback
    def async_stop(self) -> None:
        """Look no more."""
        for undo in self._undo:
            undo()
        self._undo.clear()

    @callback
    def _async_changed(self, change: Change) -> None:
        """Tell that an arrival moves again; a new stage ends what kept the last one."""
        arrival = change.arrival
        hold = arrival.hold
        former = self._stuck.get(arrival.id)
        if hold is not None and hold.stuck:
            self._stuck[arrival.id] = hold
            if former is None and hold.told:
                self._tell(change.title, arrival, hold, stuck=True)
        elif former is not None:
            del self._stuck[arrival.id]
            if former.told:
                self._tell(change.title, arrival, former, stuck=False)

    def _tell(self, title: Title, arrival: Arrival, hold: Hold, *, stuck: bool) -> None:
        """Tell whoever listens."""
        turn = StuckTurn(title=title, arrival=arrival, hold=hold, stuck=stuck)
        async_dispatcher_send(self.hass, SIGNAL_STUCK, turn)
        if stuck:
            self.hass.bus.async_fire(EVENT_STUCK, _event_data(self.hass, turn))

    # --- looking --------------------------------------------------------------------------

    async def _look_at_all(self, _: datetime) -> None:
        """Look, unless the last look is not through; a fault ends one look only."""
        if self._busy:
            return
        self._busy = True
        try:
            await self.async_look()
        except Exception as err:  # noqa: BLE001 - the next look is not to blame
            log_fault(_LOGGER, "looking for what is stuck", err)
        finally:
            self._busy = False

    async def async_look(self) -> None:
        """Look at every open arrival, and enter what keeps it."""
        runtime, board = self._runtime, self._runtime.board
        # Their texts are needed where nobody can wait for them.
        await async_get_translations(self.hass, self.hass.config.language, "common", [DOMAIN])
        breather = Breather()
        judge = self._judge(time.time())
        found: dict[str, Hold | None] = {}
        unknown: list[tuple[str, Question]] = []
        for arrival_id in await _ids(board, breather):
            arrival = board.get(arrival_id)
            if arrival is None or (arrival.hold is None and _is_through(arrival)):
                continue
            title = board.title(arrival.title_id)
            hold = self._held(judge, arrival, title)
            if hold != arrival.hold:
                found[arrival.id] = hold
            if arrival.season is None and len(unknown) < ASKED_TOGETHER:
                unknown += self._unknown(board, arrival, title, judge.now)
            await breather.breathe()
        for some in batched(found.items(), STORED_TOGETHER, strict=False):
            await runtime.worker.async_hold(dict(some))
        await self._ask(unknown[:ASKED_TOGETHER], judge.now)

    def _held(self, judge: Judge, arrival: Arrival, title: Title) -> Hold | None:
        """Return what keeps an arrival, and whether that is told."""
        before = arrival.hold
        hold = judge.hold(arrival, title, self._runtime.board.requests_of(arrival))
        if hold is not None and hold.stuck:
            known = before is not None and before.stuck
            told = before.told if before is not None and known else _is_told(arrival)
            return replace(hold, told=told)
        if before is not None and before.stuck and not self._is_awake(before.service):
            # Whether it still is, only that service can tell.
            return before
        return hold

    def _judge(self, now: float) -> Judge:
        """Return who judges by what is known now."""
        runtime = self._runtime
        seconds = {
            name: float(runtime.option(option, default_of(option)) * unit)
            for option, (name, unit) in OPTIONS.items()
        }
        return Judge(
            house=Household.of(runtime.board.services),
            limits=Limits(**seconds),
            reached=self._reached,
            complaints={
                service_id: [Complaint(note.check, note.message) for note in coordinator.health]
                for service_id, coordinator in runtime.coordinators.items()
                if coordinator.health
            },
            now=now,
        )

    def _is_awake(self, service_id: str | None) -> bool:
        """Tell whether a service has answered since Home Assistant started."""
        return service_id is None or service_id in self._runtime.book.awake

    def _reached(self, service_id: str, since: float) -> float:
        """Return for how long a service could be reached since a moment."""
        record = self._runtime.records.get(service_id)
        if record is None or not self._is_awake(service_id):
            return 0.0
        return record.reached(since)

    # --- release dates ----------------------------------------------------------------------

    def _unknown(
        self, board: Board, arrival: Arrival, title: Title, now: float
    ) -> Iterable[tuple[str, Question]]:
        """Yield what is to be asked about a film that nobody has found yet."""
        if arrival.stage not in {Stage.SENT, Stage.FAILED}:
            return
        for holding in title.holdings:
            service = board.services.get(holding.service)
            if (
                not holding.flag.yes
                or service is None
                or service.role is not Role.DOWNLOADS
                or service.id not in self._runtime.coordinators
            ):
                continue
            premiere = arrival.whole.claims_of(service.id).premiere
            if premiere is not None and premiere.begins(now) is not None:
                continue
            read_at = self._asked.get(
                (arrival.id, service.id), 0.0 if premiere is None else premiere.at
            )
            if now - read_at >= READ_AGAIN:
                yield (
                    arrival.id,
                    Question(
                        service=service.id,
                        kind=QuestionKind.TITLE,
                        title=TitleRef(
                            media_type=MediaType.MOVIE,
                            ids=title.ids,
                            own_id=title.own_ids.get(service.id),
                            name=title.name,
                            year=title.year,
                        ),
                    ),
                )

    async def _ask(self, unknown: Sequence[tuple[str, Question]], now: float) -> None:
        """Have services say when films come out."""
        self._asked = {key: at for key, at in self._asked.items() if now - at < READ_AGAIN}
        for arrival_id, question in unknown:
            self._asked[arrival_id, question.service] = now
            await self._runtime.apply((), service=question.service, questions=(question,))


async def _ids(board: Board, breather: Breather) -> list[str]:
    """Return the arrivals that may be stuck, or were."""
    ids: list[str] = []
    for arrival in tuple(board.arrivals()):
        if arrival.hold is not None or not _is_through(arrival):
            ids.append(arrival.id)
        await breather.breathe()
    return ids


def _is_through(arrival: Arrival) -> bool:
    """Tell whether nobody waits for an arrival, or for more of it."""
    return arrival.stage in FINISHED and not arrival.coming


def _is_told(arrival: Arrival) -> bool:
    """Tell whether people are told that it is stuck; not of what was so when it was entered."""
    return not arrival.dismissed and not arrival.quiet


def _event_data(hass: HomeAssistant, turn: StuckTurn) -> dict[str, Any]:
    """Describe what is stuck in less than 2 kB."""
    hold = turn.hold
    entry = None if hold.service is None else hass.config_entries.async_get_entry(hold.service)
    service_name = None if entry is None else entry.title
    return {
        "arrival_id": turn.arrival.id,
        "title": None if turn.title.name is None else turn.title.name[:MAX_TITLE],
        "season": turn.arrival.season,
        "tier": turn.arrival.tier.value,
        "stage": turn.arrival.stage.value,
        "reason": hold.reason.value,
        "text": hold_text(hass, hold, service_name),
        "message": hold.message,
        "remedy": None if hold.remedy is None else hold.remedy.value,
        "service": service_name,
    }
