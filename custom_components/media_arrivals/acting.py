"""Actions that have services do something: search, ask, decide, fetch, look again.

Nothing is said to be done that the service did not show afterwards.
"""

import time
from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import probatio
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
from homeassistant.util.json import JsonValueType

from .const import DOMAIN, EVENT_ACTION
from .engine.board.lifecycle import same_tier
from .engine.board.models import (
    AnyReport,
    Arrival,
    ExternalIds,
    MediaType,
    Request,
    RequestReport,
    Service,
    Stage,
    Tier,
    Title,
    TitleRef,
)
from .engine.connectors.acting import (
    Hit,
    Profile,
    RefusalError,
    RootFolder,
    SearchesMedia,
    TakesRequests,
    TakesTitles,
    Wish,
)
from .engine.connectors.base import Client, ScansFolders, ServiceError
from .presenter import Document, present_ids
from .rights import (
    asking_context,
    async_asking_account,
    async_deciding_account,
    async_person,
    async_require_manager,
    caller,
)
from .runtime import BOARD_KEY, ServiceConfigEntry, service_entries, service_of
from .targets import (
    ARRIVAL,
    ATTR_SERVICE,
    ATTR_TIER,
    ATTR_TYPE,
    IDS,
    NAMES_ARRIVAL,
    NAMES_TITLE,
    SERVICE,
    client_of,
    ids_of,
    live_arrival,
    names_arrival,
    service_entry,
    the_request,
    the_service,
)
from .worker import Doing

ACTION_SEARCH_MEDIA: Final = "search_media"
ACTION_REQUEST_MEDIA: Final = "request_media"
ACTION_APPROVE_REQUEST: Final = "approve_request"
ACTION_DECLINE_REQUEST: Final = "decline_request"
ACTION_RETRY_REQUEST: Final = "retry_request"
ACTION_DELETE_REQUEST: Final = "delete_request"
ACTION_SEND_TO_SERVICE: Final = "send_to_service"
ACTION_SEARCH_RELEASE: Final = "search_release"
ACTION_SCAN_LIBRARY: Final = "scan_library"
ACTION_FOLLOW: Final = "follow"
ACTION_UNFOLLOW: Final = "unfollow"

ATTR_LIMIT: Final = "limit"
ATTR_PERSON: Final = "person"
ATTR_QUALITY_PROFILE: Final = "quality_profile"
ATTR_REQUEST_ID: Final = "request_id"
ATTR_ROOT_FOLDER: Final = "root_folder"
ATTR_SEASONS: Final = "seasons"
ATTR_TEXT: Final = "text"

DEFAULT_HITS: Final = 10
MAX_HITS: Final = 20
MAX_TEXT: Final = 255
MAX_SEASONS: Final = 200

_SEASONS: Final[Mapping[probatio.Marker, Any]] = {
    probatio.Optional(ATTR_SEASONS): probatio.All(
        cv.ensure_list, [cv.positive_int], probatio.Length(min=1, max=MAX_SEASONS)
    )
}

SEARCH_MEDIA_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(ATTR_TEXT): probatio.All(cv.string, probatio.Length(min=1, max=MAX_TEXT)),
        probatio.Optional(ATTR_TYPE): probatio.Coerce(MediaType),
        probatio.Optional(ATTR_LIMIT, default=DEFAULT_HITS): probatio.All(
            probatio.Coerce(int), probatio.Range(min=1, max=MAX_HITS)
        ),
        **SERVICE,
    }
)
REQUEST_MEDIA_SCHEMA: Final = probatio.Schema(
    probatio.All(
        {
            probatio.Required(ATTR_TYPE): probatio.Coerce(MediaType),
            **IDS,
            **_SEASONS,
            probatio.Optional(ATTR_TIER, default=Tier.HD): probatio.All(
                probatio.Coerce(Tier), probatio.In([Tier.HD, Tier.UHD])
            ),
            probatio.Optional(ATTR_PERSON): cv.entity_domain(ATTR_PERSON),
            **SERVICE,
        },
        NAMES_TITLE,
    )
)
_REQUEST: Final[Mapping[probatio.Marker, Any]] = {
    probatio.Exclusive(ATTR_REQUEST_ID, "id"): cv.positive_int
}
REQUEST_SCHEMA: Final = probatio.Schema(
    probatio.All(
        {**_REQUEST, **ARRIVAL, **SERVICE},
        cv.has_at_least_one_key(ATTR_REQUEST_ID, "arrival_id", "tmdb_id", "tvdb_id", "imdb_id"),
    )
)
SEND_TO_SERVICE_SCHEMA: Final = probatio.Schema(
    probatio.All(
        {
            **ARRIVAL,
            **_SEASONS,
            **SERVICE,
            probatio.Optional(ATTR_QUALITY_PROFILE): cv.string,
            probatio.Optional(ATTR_ROOT_FOLDER): cv.string,
        },
        NAMES_ARRIVAL,
    )
)
SEARCH_RELEASE_SCHEMA: Final = probatio.Schema(probatio.All({**ARRIVAL, **SERVICE}, NAMES_ARRIVAL))
SCAN_LIBRARY_SCHEMA: Final = probatio.Schema({**ARRIVAL, **SERVICE})

FOLLOW_SCHEMA: Final = probatio.Schema(
    probatio.All(
        {**ARRIVAL, probatio.Optional(ATTR_PERSON): cv.entity_domain(ATTR_PERSON)}, NAMES_ARRIVAL
    )
)

type _Verb = Callable[..., Awaitable[tuple[AnyReport, ...]]]

_UNDECIDED: Final = frozenset({Stage.REQUESTED})
_FAILED: Final = frozenset({Stage.FAILED})
_STANDING: Final = frozenset(Stage) - {Stage.DECLINED, Stage.REMOVED}
_EXISTS: Final[Mapping[Stage, str]] = {
    Stage.REQUESTED: "exists_requested",
    Stage.APPROVED: "exists_approved",
    Stage.SENT: "exists_sent",
    Stage.DOWNLOADING: "exists_downloading",
    Stage.DOWNLOADED: "exists_downloaded",
    Stage.AVAILABLE: "exists_available",
}
"""What is said of a title that need not be asked for again, by its stage."""


@callback
def async_setup_acting(hass: HomeAssistant) -> None:
    """Register the actions."""
    optional = SupportsResponse.OPTIONAL
    hass.services.async_register(
        DOMAIN, ACTION_SEARCH_MEDIA, _async_search_media, SEARCH_MEDIA_SCHEMA, SupportsResponse.ONLY
    )
    hass.services.async_register(
        DOMAIN, ACTION_REQUEST_MEDIA, _async_request_media, REQUEST_MEDIA_SCHEMA, optional
    )
    hass.services.async_register(
        DOMAIN, ACTION_APPROVE_REQUEST, _async_approve, REQUEST_SCHEMA, optional
    )
    hass.services.async_register(
        DOMAIN, ACTION_DECLINE_REQUEST, _async_decline, REQUEST_SCHEMA, optional
    )
    hass.services.async_register(
        DOMAIN, ACTION_RETRY_REQUEST, _async_retry, REQUEST_SCHEMA, optional
    )
    hass.services.async_register(
        DOMAIN, ACTION_DELETE_REQUEST, _async_delete, REQUEST_SCHEMA, optional
    )
    hass.services.async_register(
        DOMAIN, ACTION_SEND_TO_SERVICE, _async_send, SEND_TO_SERVICE_SCHEMA, optional
    )
    hass.services.async_register(
        DOMAIN, ACTION_SEARCH_RELEASE, _async_search_release, SEARCH_RELEASE_SCHEMA, optional
    )
    hass.services.async_register(
        DOMAIN, ACTION_SCAN_LIBRARY, _async_scan_library, SCAN_LIBRARY_SCHEMA, optional
    )
    hass.services.async_register(DOMAIN, ACTION_FOLLOW, _async_follow, FOLLOW_SCHEMA)
    hass.services.async_register(DOMAIN, ACTION_UNFOLLOW, _async_unfollow, FOLLOW_SCHEMA)


# --- search ---------------------------------------------------------------------------------


async def _async_search_media(call: ServiceCall) -> ServiceResponse:
    """Find titles, and say of each what the household has of it or asked for."""
    entries = _searching(call)
    hits = await gather(*(_async_hits(call, entry) for entry in entries))
    found = _joined(hit for some in hits for hit in some)
    return {"results": [_present_hit(call, hit) for hit in found[: call.data[ATTR_LIMIT]]]}


def _searching(call: ServiceCall) -> list[ServiceConfigEntry]:
    """Return the services to search in: a Seerr knows more than a Radarr."""
    if ATTR_SERVICE in call.data:
        entry, _ = the_service(call, _searches)
        return [entry]
    able = [
        (entry, client)
        for entry in service_entries(call.hass)
        if (client := client_of(entry)) is not None and isinstance(client, SearchesMedia)
    ]
    if not able:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_service")
    asked = [entry for entry, client in able if isinstance(client, TakesRequests)]
    return asked[:1] or [entry for entry, _ in able]


async def _async_hits(call: ServiceCall, entry: ServiceConfigEntry) -> Sequence[Hit]:
    client = client_of(entry)
    if client is None or not isinstance(client, SearchesMedia):
        return ()
    return await _async_done(
        call, entry, client.search(call.data[ATTR_TEXT], call.data.get(ATTR_TYPE))
    )


def _joined(hits: Any) -> list[Hit]:
    """Return the hits of several services, each title once."""
    found: dict[tuple[MediaType, ExternalIds], Hit] = {}
    for hit in hits:
        key = (hit.title.media_type, hit.title.ids)
        before = found.get(key)
        if before is None:
            found[key] = hit
        else:
            found[key] = Hit(
                title=before.title,
                requested=before.requested or hit.requested,
                playable=before.playable or hit.playable,
            )
    return list(found.values())


def _present_hit(call: ServiceCall, hit: Hit) -> Document:
    title, board = hit.title, call.hass.data[BOARD_KEY].board
    known = board.find(title.media_type, title.ids)
    arrivals = () if known is None else board.arrivals_of(known.id)
    return {
        "title": title.name,
        "year": title.year,
        "type": title.media_type.value,
        "ids": present_ids(title.ids),
        "overview": title.overview,
        "requested": hit.requested,
        "playable": hit.playable,
        "arrivals": [_present_short(arrival) for arrival in arrivals],
    }


# --- requests ---------------------------------------------------------------------------------


async def _async_request_media(call: ServiceCall) -> ServiceResponse:
    """Ask a request service for a title, unless all of it is on its way or there."""
    entry, client = the_service(call, _takes_requests)
    account = await async_asking_account(call, entry, call.data.get(ATTR_PERSON))
    title = TitleRef(media_type=call.data[ATTR_TYPE], ids=ids_of(call))
    film = title.media_type is MediaType.MOVIE
    seasons = None if film or ATTR_SEASONS not in call.data else tuple(call.data[ATTR_SEASONS])
    wish = Wish(title=title, tier=call.data[ATTR_TIER], seasons=seasons)
    _refuse_what_exists(call, wish)
    reports = await _async_do(
        call,
        entry,
        client.request(service_of(entry), wish, time.time(), account=account),
        action=ACTION_REQUEST_MEDIA,
        context=(context := asking_context(call)),
        title=wish.title,
    )
    return _requested(call, ACTION_REQUEST_MEDIA, entry, reports, context)


def _refuse_what_exists(call: ServiceCall, wish: Wish) -> None:
    """Refuse what is on the board already: a film, or each of the seasons."""
    board = call.hass.data[BOARD_KEY].board
    known = board.find(wish.title.media_type, wish.title.ids)
    if known is None:
        return
    standing = {
        arrival.season: arrival.stage
        for arrival in board.arrivals_of(known.id)
        if same_tier(arrival.tier, wish.tier) and arrival.stage in _EXISTS
    }
    film = wish.title.media_type is MediaType.MOVIE
    wanted = (None,) if film else wish.seasons or ()
    if wanted and standing.keys() >= set(wanted):
        stage = min((standing[season] for season in wanted), key=[*_EXISTS].index)
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=_EXISTS[stage],
            translation_placeholders={"title": known.name or "-"},
        )


async def _async_approve(call: ServiceCall) -> ServiceResponse:
    """Approve a request, and say so if it could not be handed over then."""
    response, request = await _async_decide(
        call, ACTION_APPROVE_REQUEST, lambda client: client.approve, _UNDECIDED
    )
    if request is not None and request.stage is Stage.FAILED:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="approved_not_handed_over"
        )
    return response


async def _async_decline(call: ServiceCall) -> ServiceResponse:
    """Decline a request."""
    response, _ = await _async_decide(
        call, ACTION_DECLINE_REQUEST, lambda client: client.decline, _UNDECIDED
    )
    return response


async def _async_retry(call: ServiceCall) -> ServiceResponse:
    """Have a failed request handed over again."""
    response, _ = await _async_decide(
        call, ACTION_RETRY_REQUEST, lambda client: client.retry, _FAILED
    )
    return response


async def _async_delete(call: ServiceCall) -> ServiceResponse:
    """Delete a request."""
    response, _ = await _async_decide(
        call, ACTION_DELETE_REQUEST, lambda client: client.delete, _STANDING
    )
    return response


async def _async_decide(
    call: ServiceCall,
    action: str,
    verb: Callable[[TakesRequests], _Verb],
    stages: frozenset[Stage],
) -> tuple[ServiceResponse, Request | None]:
    """Have a decision made, take what was read back, and answer with it."""
    runtime = call.hass.data[BOARD_KEY]
    wanted = the_request(call, stages)
    service_id, number = wanted.key
    entry = call.hass.config_entries.async_get_known_entry(service_id)
    client = client_of(entry)
    if client is None or not isinstance(client, TakesRequests):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="service_not_loaded",
            translation_placeholders={"service": entry.title},
        )
    account = await async_deciding_account(call, entry)
    context = call.context
    if action == ACTION_DELETE_REQUEST and _is_own(call, wanted):
        # Whoever takes back what they asked for is who asked.
        context = asking_context(call)
    reports = await _async_do(
        call,
        entry,
        verb(client)(service_of(entry), number, time.time(), account=account),
        action=action,
        context=context,
        request_id=number,
    )
    response = _requested(call, action, entry, reports, context)
    return response, runtime.board.request((service_id, number))


def _is_own(call: ServiceCall, request: Request) -> bool:
    """Tell whether it may be who calls that asked; of some requests nobody knows who did."""
    if request.requester is None:
        return True
    people = call.hass.data[BOARD_KEY].people
    person = caller(call)
    return person is not None and people.person_of(request.service, request.requester) == person


def _requested(
    call: ServiceCall,
    action: str,
    entry: ServiceConfigEntry,
    reports: Sequence[AnyReport],
    context: Context,
) -> Document:
    """Tell the logbook, and answer with the request as the board has it now."""
    board = call.hass.data[BOARD_KEY].board
    report = next(one for one in reports if isinstance(one, RequestReport))
    request = board.request((entry.entry_id, report.request_id))
    arrivals = [
        arrival
        for key in (() if request is None else request.arrivals)
        if (arrival := board.get(key)) is not None
    ]
    title = None if request is None else board.title(request.title_id)
    _async_fire(call, action, entry, title, context=context)
    return {
        "service": entry.entry_id,
        "request_id": report.request_id,
        "title": title.name if title is not None else report.title.name,
        "decision": report.decision.value,
        "stage": None if request is None else request.stage.value,
        "arrivals": [_present_short(arrival) for arrival in arrivals],
    }


# --- Radarr and Sonarr --------------------------------------------------------------------------


async def _async_send(call: ServiceCall) -> ServiceResponse:
    """Put a title straight into a Radarr or Sonarr, monitored and searched."""
    await async_require_manager(call)
    runtime = call.hass.data[BOARD_KEY]
    wish = _wish(call)
    entry, client = the_service(call, _takes_titles, fits=lambda service: _fits(service, wish))
    profile, folder = await _async_done(call, entry, _async_place(call, client))
    await _async_do(
        call,
        entry,
        client.add(service_of(entry), wish, time.time(), profile=profile.id, folder=folder.path),
        action=ACTION_SEND_TO_SERVICE,
        title=wish.title,
    )
    title = runtime.board.title_of(wish.title, entry.entry_id)
    arrivals = () if title is None else runtime.board.arrivals_of(title.id)
    _async_fire(call, ACTION_SEND_TO_SERVICE, entry, title)
    return {
        "service": entry.entry_id,
        "title": title.name if title is not None else wish.title.name,
        "quality_profile": profile.name,
        "root_folder": folder.path,
        "arrivals": [_present_short(arrival) for arrival in arrivals],
    }


def _wish(call: ServiceCall) -> Wish:
    """Return what is to be fetched: an arrival, or a title that nobody has yet."""
    board = call.hass.data[BOARD_KEY].board
    named = board.find(call.data[ATTR_TYPE], ids_of(call))
    seasons = call.data.get(ATTR_SEASONS)
    if "arrival_id" not in call.data and named is None:
        return Wish(
            title=TitleRef(media_type=call.data[ATTR_TYPE], ids=ids_of(call)),
            tier=call.data.get(ATTR_TIER, Tier.UNKNOWN),
            seasons=None if seasons is None else tuple(seasons),
        )
    if "arrival_id" not in call.data and seasons is not None and named is not None:
        return Wish(
            title=_reference(named),
            tier=call.data.get(ATTR_TIER, Tier.UNKNOWN),
            seasons=tuple(seasons),
        )
    arrival = live_arrival(call)
    return Wish(
        title=_reference(board.title(arrival.title_id)),
        tier=arrival.tier,
        seasons=None if arrival.season is None else (arrival.season,),
    )


def _fits(service: Service, wish: Wish) -> bool:
    """Tell whether a title of this type and tier belongs into a service."""
    return service.media_type in {None, wish.title.media_type} and (
        service.tier is None or same_tier(service.tier, wish.tier)
    )


async def _async_place(call: ServiceCall, client: TakesTitles) -> tuple[Profile, RootFolder]:
    """Return the quality profile and the root folder that are named, or that stand to reason."""
    profiles, folders = await gather(client.profiles(), client.root_folders())
    named: str | None = call.data.get(ATTR_QUALITY_PROFILE)
    if named is not None:
        profiles = tuple(
            one for one in profiles if named.casefold() in {one.name.casefold(), str(one.id)}
        )
    if len(profiles) != 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="which_profile",
            translation_placeholders={
                "profiles": ", ".join(one.name for one in await client.profiles())
            },
        )
    path: str | None = call.data.get(ATTR_ROOT_FOLDER)
    usable = [
        one
        for one in folders
        if one.accessible and path in {None, one.path, one.path.rstrip("/\\")}
    ]
    if not usable:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="which_folder",
            translation_placeholders={"folders": ", ".join(one.path for one in folders)},
        )
    return profiles[0], max(usable, key=lambda one: one.free or 0.0)


async def _async_search_release(call: ServiceCall) -> ServiceResponse:
    """Have those that hold an arrival look for releases again."""
    await async_require_manager(call)
    arrival = live_arrival(call)
    board = call.hass.data[BOARD_KEY].board
    title = board.title(arrival.title_id)
    held = {holding.service for holding in title.holdings if holding.flag.yes}
    named = service_entry(call)
    asked: list[JsonValueType] = []
    for entry in [named] if named else service_entries(call.hass):
        client = client_of(entry)
        fits = _fits(service_of(entry), Wish(title=_reference(title), tier=arrival.tier))
        if client is None or not isinstance(client, TakesTitles):
            continue
        if entry.entry_id not in held or not fits:
            continue
        seasons = () if arrival.season is None else (arrival.season,)
        await _async_done(
            call,
            entry,
            client.search_release(_reference(title), seasons),
            action=ACTION_SEARCH_RELEASE,
        )
        _async_fire(call, ACTION_SEARCH_RELEASE, entry, title, season=arrival.season)
        asked.append({"service": entry.entry_id, "service_name": entry.title})
    if not asked:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="held_by_nobody")
    return {"services": asked}


# --- media servers --------------------------------------------------------------------------------


async def _async_scan_library(call: ServiceCall) -> ServiceResponse:
    """Have media servers look into an arrival's folder, or into all their libraries."""
    named = service_entry(call)
    able = [
        (entry, client)
        for entry in ([named] if named else service_entries(call.hass))
        if (client := client_of(entry)) is not None and isinstance(client, ScansFolders)
    ]
    if not able:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_media_server")
    answers: list[JsonValueType] = []
    if names_arrival(call):
        arrival = live_arrival(call)
        finder = call.hass.data[BOARD_KEY].finder
        places = await finder.async_scan(arrival, [entry.entry_id for entry, _ in able])
        title = call.hass.data[BOARD_KEY].board.title(arrival.title_id)
        for entry, _ in able:
            place = places[entry.entry_id]
            answers.append(_scanned(entry, [place] if place else []))
            if place:
                _async_fire(call, ACTION_SCAN_LIBRARY, entry, title, season=arrival.season)
        if not any(places.values()):
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="folder_not_found"
            )
        return {"services": answers}
    for entry, client in able:
        scanned = await _async_done(
            call, entry, _async_scan_all(client), action=ACTION_SCAN_LIBRARY
        )
        answers.append(_scanned(entry, scanned))
        _async_fire(call, ACTION_SCAN_LIBRARY, entry, None)
    return {"services": answers}


async def _async_scan_all(client: ScansFolders) -> list[str]:
    libraries = await client.libraries()
    for library in libraries:
        await client.scan(library, None)
    return [library.name for library in libraries]


def _scanned(entry: ServiceConfigEntry, libraries: list[str]) -> Document:
    return {"service": entry.entry_id, "service_name": entry.title, "libraries": libraries}


# --- followers --------------------------------------------------------------------------------


async def _async_follow(call: ServiceCall) -> None:
    """Have a person told of an arrival, beside who asked for it."""
    await _async_note_follower(call, follows=True)


async def _async_unfollow(call: ServiceCall) -> None:
    """Have a person told no more."""
    await _async_note_follower(call, follows=False)


async def _async_note_follower(call: ServiceCall, *, follows: bool) -> None:
    person = await async_person(call, call.data.get(ATTR_PERSON))
    arrival = live_arrival(call)
    worker = call.hass.data[BOARD_KEY].worker
    await worker.async_follow(arrival.id, person, call.context, follows=follows)


# --- all of them ------------------------------------------------------------------------------


def _searches(client: Client) -> SearchesMedia | None:
    return client if isinstance(client, SearchesMedia) else None


def _takes_requests(client: Client) -> TakesRequests | None:
    return client if isinstance(client, TakesRequests) else None


def _takes_titles(client: Client) -> TakesTitles | None:
    return client if isinstance(client, TakesTitles) else None


def _reference(title: Title) -> TitleRef:
    return TitleRef(media_type=title.media_type, ids=title.ids, name=title.name, year=title.year)


def _present_short(arrival: Arrival) -> Document:
    return {
        "id": arrival.id,
        "season": arrival.season,
        "tier": arrival.tier.value,
        "stage": arrival.stage.value,
    }


async def _async_done[T](
    call: ServiceCall,
    entry: ServiceConfigEntry,
    work: Awaitable[T],
    *,
    action: str | None = None,
    context: Context | None = None,
) -> T:
    """Have a service do something, and speak of failures in Home Assistant's words."""
    try:
        return await work
    except ServiceError as err:
        if action is not None:
            _async_fire(call, action, entry, None, context=context, error=err.key)
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=err.key,
            translation_placeholders={"service": entry.title, "detail": err.detail or "-"},
        ) from err
    except RefusalError as err:
        if action is not None:
            _async_fire(call, action, entry, None, context=context, error=err.key)
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=err.key,
            translation_placeholders={"service": entry.title, "detail": err.detail or "-"},
        ) from err


async def _async_do(
    call: ServiceCall,
    entry: ServiceConfigEntry,
    work: Awaitable[tuple[AnyReport, ...]],
    *,
    action: str,
    context: Context | None = None,
    request_id: int | None = None,
    title: TitleRef | None = None,
) -> tuple[AnyReport, ...]:
    """Have a service change something, and the board take what was read back.

    It is told as the doing of whoever calls, also where the service's webhook is quicker, unless
    there is another context.
    """
    context = context or call.context
    doings = call.hass.data[BOARD_KEY].worker.doings
    doing = Doing(service=entry.entry_id, context=context, request_id=request_id, title=title)
    doings.append(doing)
    try:
        reports = await _async_done(call, entry, work, action=action, context=context)
        await entry.runtime_data.coordinator.async_take(reports, context)
    finally:
        doings.remove(doing)
    return reports


@callback
def _async_fire(
    call: ServiceCall,
    action: str,
    entry: ServiceConfigEntry,
    title: Title | None,
    *,
    context: Context | None = None,
    **more: Any,
) -> None:
    """Fire what the logbook describes."""
    data: Mapping[str, Any] = {
        "action": action,
        "service": entry.title,
        "title": None if title is None else title.name,
        "season": None,
        **more,
    }
    call.hass.bus.async_fire(EVENT_ACTION, dict(data), context=context or call.context)
