"""Actions: read the board and the journal, look at services and webhooks, dismiss an arrival."""

from asyncio import gather
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import probatio
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import (
    Context,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.helpers.translation import async_get_translations

from .acting import async_setup_acting
from .const import (
    CONF_KIND,
    DOMAIN,
    EVENT_ACTION,
)
from .doctor import async_examine_all
from .engine.board.models import (
    Arrival,
    MediaType,
    Outcome,
    Question,
    Role,
    Stage,
)
from .engine.storage.models import StorageError
from .finder import NotFound
from .lookup import (
    Search,
    find_arrivals,
    read_arrival,
    read_overview,
    read_timeline,
    read_title,
)
from .people import person_id
from .posters import poster_path
from .presenter import (
    Audience,
    Document,
    present_arrival,
    present_arrival_details,
    present_delivery,
)
from .privacy import NAMED, Requesters, Watching
from .recipients import async_setup_recipients
from .runtime import (
    BOARD_KEY,
    AnyConfigEntry,
    ServiceConfigEntry,
    board_entry,
    service_entries,
)
from .screening import Whom, async_forget
from .stuck import hold_text
from .targets import (
    ARRIVAL,
    ATTR_ARRIVAL_ID,
    ATTR_SERVICE,
    ATTR_TYPE,
    NAMES_ARRIVAL,
    arrival_not_found,
    ids_of,
    service_entry,
    the_only,
)

ACTION_GET_ARRIVALS: Final = "get_arrivals"
ACTION_GET_ARRIVAL: Final = "get_arrival"
ACTION_GET_WEBHOOK_LOG: Final = "get_webhook_log"
ACTION_CHECK_WEBHOOKS: Final = "check_webhooks"
ACTION_SYNC: Final = "sync"
ACTION_DISMISS_ARRIVAL: Final = "dismiss_arrival"
ACTION_FORGET_PERSON: Final = "forget_person"
ACTION_TEST_WEBHOOK: Final = "test_webhook"
"""Only a button; named in the event that the logbook describes."""

ATTR_EVENT_TYPE: Final = "event_type"
ATTR_LIMIT: Final = "limit"
ATTR_NAME: Final = "name"
ATTR_OFFSET: Final = "offset"
ATTR_OUTCOME: Final = "outcome"
ATTR_PERSON: Final = "person"
ATTR_REQUESTER: Final = "requester"
ATTR_STAGE: Final = "stage"
ATTR_TEST: Final = "test"
ATTR_TEXT: Final = "text"
ATTR_VIEWER: Final = "viewer"

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
MAX_OFFSET: Final = 1_000_000_000
"""SQLite counts no further than 64 bits; nobody has so many arrivals."""
MAX_TEXT: Final = 255
"""No title and no name is longer, and SQLite refuses to look for much longer ones."""

NOT_LOADED: Final = "not_loaded"

_PAGE: Final = {
    probatio.Optional(ATTR_LIMIT, default=DEFAULT_LIMIT): probatio.All(
        probatio.Coerce(int), probatio.Range(min=1, max=MAX_LIMIT)
    ),
    probatio.Optional(ATTR_OFFSET, default=0): probatio.All(
        cv.positive_int, probatio.Range(max=MAX_OFFSET)
    ),
}
_TEXT: Final = probatio.All(cv.string, probatio.Length(max=MAX_TEXT))

GET_ARRIVALS_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(ATTR_STAGE): probatio.All(cv.ensure_list, [probatio.Coerce(Stage)]),
        probatio.Optional(ATTR_TYPE): probatio.Coerce(MediaType),
        probatio.Optional(ATTR_REQUESTER): _TEXT,
        probatio.Optional(ATTR_SERVICE): cv.string,
        probatio.Optional(ATTR_TEXT): _TEXT,
        **_PAGE,
    }
)

GET_ARRIVAL_SCHEMA: Final = probatio.Schema(probatio.All({**ARRIVAL}, NAMES_ARRIVAL))

GET_WEBHOOK_LOG_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(ATTR_SERVICE): cv.string,
        probatio.Optional(ATTR_EVENT_TYPE): cv.string,
        probatio.Optional(ATTR_OUTCOME): probatio.Coerce(Outcome),
        **_PAGE,
    }
)

CHECK_WEBHOOKS_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(ATTR_SERVICE): cv.string,
        probatio.Optional(ATTR_TEST, default=False): cv.boolean,
    }
)

SYNC_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(ATTR_SERVICE): cv.string,
        probatio.Optional(ATTR_ARRIVAL_ID): cv.string,
    }
)

DISMISS_ARRIVAL_SCHEMA: Final = probatio.Schema({probatio.Required(ATTR_ARRIVAL_ID): cv.string})

_PERSON: Final = probatio.All(_TEXT, probatio.Length(min=1))
FORGET_PERSON_SCHEMA: Final = probatio.Schema(
    probatio.All(
        {
            probatio.Optional(ATTR_PERSON): cv.entity_domain(ATTR_PERSON),
            probatio.Optional(ATTR_VIEWER): _PERSON,
            probatio.Optional(ATTR_NAME): _PERSON,
        },
        cv.has_at_least_one_key(ATTR_PERSON, ATTR_VIEWER, ATTR_NAME),
    )
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    async_setup_acting(hass)
    hass.services.async_register(
        DOMAIN,
        ACTION_GET_ARRIVALS,
        _async_get_arrivals,
        GET_ARRIVALS_SCHEMA,
        SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN, ACTION_GET_ARRIVAL, _async_get_arrival, GET_ARRIVAL_SCHEMA, SupportsResponse.ONLY
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        ACTION_GET_WEBHOOK_LOG,
        _async_get_webhook_log,
        GET_WEBHOOK_LOG_SCHEMA,
        SupportsResponse.ONLY,
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        ACTION_CHECK_WEBHOOKS,
        _async_check_webhooks,
        CHECK_WEBHOOKS_SCHEMA,
        SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN, ACTION_SYNC, _async_sync, SYNC_SCHEMA, SupportsResponse.OPTIONAL
    )
    hass.services.async_register(
        DOMAIN, ACTION_DISMISS_ARRIVAL, _async_dismiss_arrival, DISMISS_ARRIVAL_SCHEMA
    )
    async_register_admin_service(
        hass,
        DOMAIN,
        ACTION_FORGET_PERSON,
        _async_forget_person,
        FORGET_PERSON_SCHEMA,
        SupportsResponse.OPTIONAL,
    )
    async_setup_recipients(hass)


async def _async_get_arrivals(call: ServiceCall) -> ServiceResponse:
    """Return a page of arrivals, live and finished, the one that moved last first."""
    audience = await _async_audience(call)
    requester = call.data.get(ATTR_REQUESTER)
    if requester is not None and not audience.names:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="requester_names_private"
        )
    service = service_entry(call)
    runtime = call.hass.data[BOARD_KEY]
    search = Search(
        stages=call.data.get(ATTR_STAGE),
        media_type=call.data.get(ATTR_TYPE),
        requester=requester,
        service=service.entry_id if service else None,
        text=call.data.get(ATTR_TEXT),
    )
    try:
        found = await find_arrivals(
            runtime.storage,
            runtime.board,
            search,
            limit=call.data[ATTR_LIMIT],
            offset=call.data[ATTR_OFFSET],
        )
    except StorageError as err:
        raise _storage_unavailable() from err
    return {
        "total": found.total,
        "limit": call.data[ATTR_LIMIT],
        "offset": call.data[ATTR_OFFSET],
        "arrivals": [
            present_arrival(
                arrival,
                found.titles[arrival.title_id],
                [found.requests[key] for key in arrival.requests if key in found.requests],
                audience,
                not_found=await _async_problem(
                    call.hass, runtime.finder.not_found(arrival), audience
                ),
                held=await _async_held(call.hass, arrival, audience),
                poster=poster_path(call.hass, arrival.id, found.titles[arrival.title_id].poster),
            )
            for arrival in found.arrivals
        ],
    }


async def _async_get_arrival(call: ServiceCall) -> ServiceResponse:
    """Return all that is known of one arrival."""
    audience = await _async_audience(call)
    runtime = call.hass.data[BOARD_KEY]
    storage, board = runtime.storage, runtime.board
    try:
        if ATTR_ARRIVAL_ID in call.data:
            found = await read_arrival(storage, board, call.data[ATTR_ARRIVAL_ID])
        else:
            found = await read_title(storage, board, call.data[ATTR_TYPE], ids_of(call))
        arrival = the_only(call, found.arrivals)
        overview = await read_overview(storage, arrival.title_id)
        timeline = await read_timeline(storage, arrival.id)
    except StorageError as err:
        raise _storage_unavailable() from err
    title = next(title for title in found.titles if title.id == arrival.title_id)
    requests = [request for request in found.requests if request.key in arrival.requests]
    not_found = runtime.finder.not_found(arrival)
    return present_arrival_details(
        arrival,
        title,
        requests,
        timeline,
        audience,
        overview=overview,
        not_found=not_found,
        problem=await _async_problem(call.hass, not_found, audience),
        held=await _async_held(call.hass, arrival, audience),
        poster=poster_path(call.hass, arrival.id, title.poster),
    )


async def _async_get_webhook_log(call: ServiceCall) -> ServiceResponse:
    """Return a page of the deliveries, newest first; those of nobody are the board's."""
    audience = await _async_audience(call)
    board = board_entry(call.hass)
    service: AnyConfigEntry | None = board
    if board is None or call.data.get(ATTR_SERVICE) != board.entry_id:
        service = service_entry(call)
    if board is not None:
        audience = replace(audience, services={**audience.services, board.entry_id: board.title})
    storage = call.hass.data[BOARD_KEY].storage
    if storage is None:
        raise _storage_unavailable()
    try:
        page = await storage.journal.recent(
            service=service.entry_id if service else None,
            event_type=call.data.get(ATTR_EVENT_TYPE),
            outcome=call.data.get(ATTR_OUTCOME),
            limit=call.data[ATTR_LIMIT],
            offset=call.data[ATTR_OFFSET],
        )
    except StorageError as err:
        raise _storage_unavailable() from err
    return {
        "total": page.total,
        "limit": call.data[ATTR_LIMIT],
        "offset": call.data[ATTR_OFFSET],
        "deliveries": [present_delivery(row, audience) for row in page.rows],
    }


async def _async_check_webhooks(call: ServiceCall) -> ServiceResponse:
    """Say how the webhook of one service is, or of all of them; with a test if that is wanted."""
    service = service_entry(call)
    entries = [service] if service else service_entries(call.hass)
    return {"services": [*await async_examine_all(call.hass, entries, test=call.data[ATTR_TEST])]}


async def _async_sync(call: ServiceCall) -> ServiceResponse:
    """Look at one service or at all of them now, at one arrival or at all; answer for each."""
    service = service_entry(call)
    entries = [service] if service else _enabled(call.hass)
    arrival: Arrival | None = None
    if ATTR_ARRIVAL_ID in call.data:
        arrival = call.hass.data[BOARD_KEY].board.get(call.data[ATTR_ARRIVAL_ID])
        if arrival is None:
            raise arrival_not_found()
    if not call.return_response:
        await async_sync_or_raise(call.hass, entries, call.context, arrival)
        return None
    return {"services": [*await _async_sync_entries(call.hass, entries, call.context, arrival)]}


async def _async_dismiss_arrival(call: ServiceCall) -> None:
    """Silence an arrival until there is new evidence."""
    runtime = call.hass.data[BOARD_KEY]
    arrival = await runtime.dismiss(call.data[ATTR_ARRIVAL_ID], call.context)
    if arrival is None:
        raise arrival_not_found()
    title = runtime.board.title(arrival.title_id)
    _async_fire(
        call.hass,
        call.context,
        action=ACTION_DISMISS_ARRIVAL,
        arrival_id=arrival.id,
        title=title.name,
        season=arrival.season,
    )


async def _async_forget_person(call: ServiceCall) -> ServiceResponse:
    """Forget what somebody watched and asked for, and answer of how much."""
    runtime = call.hass.data[BOARD_KEY]
    person = None
    if (entity_id := call.data.get(ATTR_PERSON)) is not None:
        person = person_id(call.hass, entity_id)
        if person is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="person_not_found",
                translation_placeholders={"person": entity_id},
            )
    whom = Whom.of(
        call.hass,
        runtime.privacy,
        person=person,
        viewer=call.data.get(ATTR_VIEWER),
        name=call.data.get(ATTR_NAME),
    )
    try:
        forgotten = await async_forget(runtime, whom, call.context)
    except StorageError as err:
        raise _storage_unavailable() from err
    # Of whom is not said: the logbook would remember.
    _async_fire(
        call.hass,
        call.context,
        action=ACTION_FORGET_PERSON,
        arrivals=forgotten.arrivals,
        requests=forgotten.requests,
    )
    return {
        "arrivals": forgotten.arrivals,
        "requests": forgotten.requests,
        "deliveries": forgotten.deliveries,
        "timeline_steps": forgotten.steps,
        # Whether they are still in the people map is for the household to decide.
        "still_in_people": person in runtime.people.persons,
    }


async def async_sync_all(hass: HomeAssistant, context: Context | None) -> None:
    """Look at every service now; fail with the names of those that could not be."""
    await async_sync_or_raise(hass, _enabled(hass), context)


async def async_sync_or_raise(
    hass: HomeAssistant,
    entries: Iterable[ServiceConfigEntry],
    context: Context | None,
    arrival: Arrival | None = None,
) -> None:
    """Look at services now; fail with the names of those that could not be."""
    if failed := _failed(await _async_sync_entries(hass, entries, context, arrival)):
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="sync_failed",
            translation_placeholders={"services": service_list(failed)},
        )


async def async_test_webhook(
    hass: HomeAssistant, entry: ServiceConfigEntry, context: Context | None
) -> None:
    """Have the service send its test event; fail with the reason if it does not arrive."""
    try:
        await entry.runtime_data.registration.async_test()
    except HomeAssistantError as err:
        _async_fire(hass, context, action=ACTION_TEST_WEBHOOK, service=entry.title, error=str(err))
        raise


async def _async_sync_entries(
    hass: HomeAssistant,
    entries: Iterable[ServiceConfigEntry],
    context: Context | None,
    arrival: Arrival | None,
) -> list[Document]:
    """Look at services, all at the same time, and tell the logbook."""
    if arrival is None:
        answers = await gather(*(_async_sync_entry(entry, context) for entry in entries))
    else:
        asked = _questions(hass, arrival)
        answers = await gather(
            *(
                _async_sync_entry(entry, context, questions)
                for entry in entries
                if (questions := asked.get(entry.entry_id))
            )
        )
    _async_fire(
        hass,
        context,
        action=ACTION_SYNC,
        services=[answer["service_name"] for answer in answers if not answer["error"]],
        changed=sum(answer["changed"] for answer in answers),
        failed=_failed(answers),
    )
    return answers


async def _async_sync_entry(
    entry: ServiceConfigEntry, context: Context | None, questions: Sequence[Question] = ()
) -> Document:
    """Look at a service, or have it asked; one that is not loaded cannot be reached, either."""
    answer: Document = {
        "service": entry.entry_id,
        "service_name": entry.title,
        "kind": entry.data[CONF_KIND],
        "reachable": False,
        "checked": 0,
        "changed": 0,
        "error": NOT_LOADED,
    }
    if entry.state is ConfigEntryState.LOADED:
        coordinator = entry.runtime_data.coordinator
        result = (
            await coordinator.async_look_at(questions, context)
            if questions
            else await coordinator.async_sync(context=context)
        )
        answer |= {
            "reachable": result.reachable,
            "checked": result.checked,
            "changed": result.changed,
            "error": result.error,
        }
    return answer


def _questions(hass: HomeAssistant, arrival: Arrival) -> Mapping[str, Sequence[Question]]:
    """Return what each service is asked about an arrival."""
    asked: dict[str, list[Question]] = {}
    for question in hass.data[BOARD_KEY].board.questions_about(arrival):
        asked.setdefault(question.service, []).append(question)
    return asked


def _enabled(hass: HomeAssistant) -> list[ServiceConfigEntry]:
    """Return the entries of all enabled services."""
    return [entry for entry in service_entries(hass) if not entry.disabled_by]


async def _async_audience(call: ServiceCall) -> Audience:
    """Say for whom the answer is: automations and administrators may know names."""
    user_id, runtime = call.context.user_id, call.hass.data[BOARD_KEY]
    trusted = user_id is None
    if user_id is not None:
        user = await call.hass.auth.async_get_user(user_id)
        trusted = user is not None and user.is_admin
    privacy = runtime.privacy
    names = privacy.people.names(call.hass)
    person = privacy.people.person_for_user_id(call.hass, user_id)
    own = {} if person is None else {person: names[person]}
    told = names if trusted or privacy.watching is Watching.PER_PERSON else own
    return Audience(
        names=trusted or privacy.requesters is Requesters.EVERYBODY,
        people=privacy.people,
        askers=names if trusted or privacy.requesters in NAMED else own,
        user_id=user_id,
        services={entry.entry_id: entry.title for entry in service_entries(call.hass)},
        servers={
            service.id
            for service in runtime.board.services.values()
            if service.role is Role.PLAYBACK
        },
        watched=privacy.watching is not Watching.OFF,
        viewers=told if trusted or told else None,
    )


async def _async_held(hass: HomeAssistant, arrival: Arrival, audience: Audience) -> str | None:
    """Say in the language of the house what keeps an arrival."""
    if (hold := arrival.hold) is None:
        return None
    await async_get_translations(hass, hass.config.language, "common", [DOMAIN])
    return hold_text(hass, hold, audience.services.get(hold.service or ""))


async def _async_problem(
    hass: HomeAssistant, not_found: Iterable[NotFound], audience: Audience
) -> str | None:
    """Say in the language of the house where an imported arrival was not found."""
    texts: Mapping[str, str] = {}
    sentences: list[str] = []
    for one in not_found:
        texts = texts or await async_get_translations(
            hass, hass.config.language, "common", [DOMAIN]
        )
        key = "not_found" if one.library is not None else "not_found_anywhere"
        sentences.append(
            texts[f"component.{DOMAIN}.common.{key}"].format(
                service=audience.services.get(one.service, one.service), library=one.library
            )
        )
    return " ".join(sentences) or None


def _storage_unavailable() -> HomeAssistantError:
    """Return the error for a database that cannot be read."""
    return HomeAssistantError(translation_domain=DOMAIN, translation_key="storage_unavailable")


def _failed(answers: Iterable[Document]) -> dict[str, str]:
    """Return the errors by the service's name."""
    return {answer["service_name"]: answer["error"] for answer in answers if answer["error"]}


def service_list(failed: Mapping[str, str]) -> str:
    """Return services with their errors as people read them."""
    return ", ".join(f"{name} ({error.replace('_', ' ')})" for name, error in failed.items())


@callback
def _async_fire(hass: HomeAssistant, context: Context | None, **data: Any) -> None:
    """Fire what the logbook describes."""
    hass.bus.async_fire(EVENT_ACTION, data, context=context)
