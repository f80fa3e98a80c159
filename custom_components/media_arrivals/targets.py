"""What an action is about: an arrival, a request, a service."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import probatio
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr

from .const import DOMAIN
from .engine.board.models import (
    Arrival,
    ExternalIds,
    MediaType,
    Request,
    Service,
    Stage,
    Tier,
)
from .engine.connectors.base import Client
from .runtime import BOARD_KEY, ServiceConfigEntry, service_entries, service_of

ATTR_ARRIVAL_ID: Final = "arrival_id"
ATTR_IMDB_ID: Final = "imdb_id"
ATTR_REQUEST_ID: Final = "request_id"
ATTR_SEASON: Final = "season"
ATTR_SERVICE: Final = "service"
ATTR_TIER: Final = "tier"
ATTR_TMDB_ID: Final = "tmdb_id"
ATTR_TVDB_ID: Final = "tvdb_id"
ATTR_TYPE: Final = "type"

IDS: Final[Mapping[probatio.Marker, Any]] = {
    probatio.Exclusive(ATTR_TMDB_ID, "id"): cv.positive_int,
    probatio.Exclusive(ATTR_TVDB_ID, "id"): cv.positive_int,
    probatio.Exclusive(ATTR_IMDB_ID, "id"): cv.string,
}
ARRIVAL: Final[Mapping[probatio.Marker, Any]] = {
    probatio.Exclusive(ATTR_ARRIVAL_ID, "id"): cv.string,
    **IDS,
    probatio.Optional(ATTR_TYPE, default=MediaType.MOVIE): probatio.Coerce(MediaType),
    probatio.Optional(ATTR_SEASON): cv.positive_int,
    probatio.Optional(ATTR_TIER): probatio.Coerce(Tier),
}
NAMES_TITLE: Final = cv.has_at_least_one_key(ATTR_TMDB_ID, ATTR_TVDB_ID, ATTR_IMDB_ID)
NAMES_ARRIVAL: Final = cv.has_at_least_one_key(
    ATTR_ARRIVAL_ID, ATTR_TMDB_ID, ATTR_TVDB_ID, ATTR_IMDB_ID
)
SERVICE: Final[Mapping[probatio.Marker, Any]] = {probatio.Optional(ATTR_SERVICE): cv.string}


def ids_of(call: ServiceCall) -> ExternalIds:
    """Return the external id that the caller named."""
    return ExternalIds(
        tmdb=call.data.get(ATTR_TMDB_ID),
        tvdb=call.data.get(ATTR_TVDB_ID),
        imdb=call.data.get(ATTR_IMDB_ID),
    )


def the_only(call: ServiceCall, found: Iterable[Arrival]) -> Arrival:
    """Return the one arrival that the caller means."""
    arrivals = [
        arrival
        for arrival in found
        if call.data.get(ATTR_SEASON) in (None, arrival.season)
        and call.data.get(ATTR_TIER) in (None, arrival.tier)
    ]
    if not arrivals:
        raise arrival_not_found()
    if len(arrivals) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="several_arrivals",
            translation_placeholders={"number": str(len(arrivals))},
        )
    return arrivals[0]


def live_arrival(call: ServiceCall) -> Arrival:
    """Return the live arrival that the caller means, by its id or an exact external id."""
    board = call.hass.data[BOARD_KEY].board
    if ATTR_ARRIVAL_ID in call.data:
        arrival = board.get(call.data[ATTR_ARRIVAL_ID])
        if arrival is None:
            raise arrival_not_found()
        return arrival
    title = board.find(call.data[ATTR_TYPE], ids_of(call))
    return the_only(call, () if title is None else board.arrivals_of(title.id))


def names_arrival(call: ServiceCall) -> bool:
    """Tell whether the caller means an arrival."""
    return not {ATTR_ARRIVAL_ID, ATTR_TMDB_ID, ATTR_TVDB_ID, ATTR_IMDB_ID}.isdisjoint(call.data)


def the_request(call: ServiceCall, stages: Iterable[Stage] | None = None) -> Request:
    """Return the request that the caller means: by its number, or an arrival's only one.

    Of an arrival's requests, those count that are in one of the stages.
    """
    board = call.hass.data[BOARD_KEY].board
    if ATTR_REQUEST_ID in call.data:
        entry = service_entry(call)
        number: int = call.data[ATTR_REQUEST_ID]
        found = [
            request
            for request in board.requests()
            if request.key[1] == number and (entry is None or request.key[0] == entry.entry_id)
        ]
    else:
        requests = board.requests_of(live_arrival(call))
        found = [one for one in requests if stages is None or one.stage in stages]
    if not found:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_request")
    if len(found) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="several_requests",
            translation_placeholders={
                "numbers": ", ".join(str(request.key[1]) for request in found)
            },
        )
    return found[0]


def service_entry(call: ServiceCall) -> ServiceConfigEntry | None:
    """Return the entry of the service that the caller named, if one is named.

    It is named by its config entry or by its device.
    """
    if (named := call.data.get(ATTR_SERVICE)) is None:
        return None
    device = dr.async_get(call.hass).async_get(named)
    entry_ids = {named} if device is None else device.config_entries
    for entry in service_entries(call.hass):
        if entry.entry_id in entry_ids:
            return entry
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="service_not_found",
        translation_placeholders={"service": named},
    )


def client_of(entry: ServiceConfigEntry) -> Client | None:
    """Return a service's client; ``None``: it cannot be asked now."""
    loaded = entry.state is ConfigEntryState.LOADED
    return entry.runtime_data.coordinator.client if loaded else None


def the_service[T](
    call: ServiceCall,
    able: Callable[[Client], T | None],
    *,
    fits: Callable[[Service], bool] = lambda _: True,
) -> tuple[ServiceConfigEntry, T]:
    """Return the service that the caller named, or the only one that is able to do it."""
    named = service_entry(call)
    found = [
        (entry, client)
        for entry in ([named] if named else service_entries(call.hass))
        if (loaded := client_of(entry)) is not None
        and (client := able(loaded)) is not None
        and fits(service_of(entry))
    ]
    if len(found) == 1:
        return found[0]
    if named is not None:
        key = "service_not_loaded" if client_of(named) is None else "service_not_able"
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={"service": named.title},
        )
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="several_services" if found else "no_service",
        translation_placeholders={"services": ", ".join(entry.title for entry, _ in found)},
    )


def arrival_not_found() -> ServiceValidationError:
    """Return the error for an arrival that nobody knows."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key="arrival_not_found")
