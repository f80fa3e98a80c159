"""How a change is told: the same words on the bus and by the event entity."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.ulid import bytes_to_ulid

from .const import EVENT_STAGE_CHANGED, EVENT_WATCHED, SIGNAL_CHANGE
from .engine.board.models import Change, ChangeKind
from .posters import poster_path
from .request_watch import async_watch_requests
from .runtime import BOARD_KEY
from .webhook_watch import async_watch_webhooks

MAX_TITLE: Final = 200
MAX_NAME: Final = 60
MAX_NAMES: Final = 5


@callback
def async_tell(hass: HomeAssistant) -> None:
    """Tell whoever listens, whether entries are loaded or not."""
    async_tell_on_bus(hass)
    async_watch_requests(hass)
    async_watch_webhooks(hass)


@callback
def async_tell_on_bus(hass: HomeAssistant) -> None:
    """Fire an event for each stage that an arrival or a late episode reaches, or if watched."""

    @callback
    def fire(change: Change) -> None:
        """Fire what is told. A request's availability is its last arrival's, told already."""
        if change.told and change.kind is not ChangeKind.REQUEST:
            event = EVENT_WATCHED if change.watch is not None else EVENT_STAGE_CHANGED
            hass.bus.async_fire(event, change_data(hass, change), context=context_of(change))

    async_dispatcher_connect(hass, SIGNAL_CHANGE, fire)


def context_of(change: Change) -> Context:
    """Return the context of whoever caused the change; one of its own if it was a service.

    All that tells of the change has the same one: by it, the logbook knows the title of an
    event entity's event.
    """
    own = blake2b(f"{change.arrival.id} {change.known_at}".encode(), digest_size=16)
    return Context(
        id=change.origin.context_id or bytes_to_ulid(own.digest()), user_id=change.origin.user_id
    )


def change_data(hass: HomeAssistant, change: Change) -> dict[str, Any]:
    """Describe a change as events do; people are named only if the board's options say so."""
    runtime = hass.data[BOARD_KEY]
    privacy = runtime.privacy
    entry = hass.config_entries.async_get_entry(change.origin.service)
    requests = (
        (change.request,)
        if change.request is not None
        else runtime.board.requests_of(change.arrival)
    )
    requesters = [
        name
        for request in requests
        if request.requester is not None
        and (name := privacy.asked_by(hass, request.service, request.requester)) is not None
    ]
    watch = change.watch
    return describe(
        change,
        service_name=entry.title if entry is not None else None,
        requesters=requesters,
        viewer=None if watch is None else privacy.watched_by(hass, watch.viewer),
        poster=poster_path(hass, change.arrival.id, change.title.poster),
    )


def describe(
    change: Change,
    *,
    service_name: str | None,
    requesters: Sequence[str] = (),
    viewer: str | None = None,
    poster: str | None = None,
) -> dict[str, Any]:
    """Describe a change in less than 2 kB. Nobody is named but those who are given."""
    title, arrival, origin = change.title, change.arrival, change.origin
    part = arrival.parts.get(change.part) if change.part is not None else None
    data: dict[str, Any] = {
        "kind": change.kind.value,
        "arrival_id": arrival.id,
        "stage": change.stage.value,
        "previous_stage": change.previous.value if change.previous is not None else None,
        "title": _cut(title.name, MAX_TITLE),
        "year": title.year,
        "type": title.media_type.value,
        "ids": dict(title.ids.items()),
        "season": arrival.season,
        "parts": {
            "available": arrival.available,
            "wanted": arrival.wanted,
            "total": arrival.total,
        },
        "tier": arrival.tier.value,
        "poster": poster,
        "requester": ", ".join(_cut(name, MAX_NAME) or "" for name in requesters[:MAX_NAMES])
        or None,
        "service": _cut(service_name, MAX_NAME),
        "service_kind": origin.kind,
        "via": origin.via.value,
        "origin": {"context_id": origin.context_id, "user_id": origin.user_id},
        "late": change.late,
        "happened_at": _iso(change.happened_at),
        "known_at": _iso(change.known_at),
    }
    if change.part is not None:
        data["episode"] = {
            "number": part.number if part else None,
            "air_date": part.air_date if part else None,
            "name": _cut(part.name, MAX_TITLE) if part else None,
        }
    if change.watch is not None:
        data["watched"] = change.watch.watched
        data["watched_by"] = _cut(viewer, MAX_NAME)
    if change.request is not None:
        data["request_id"] = change.request.request_id
        data["seasons"] = list(change.request.seasons or ())[:50] or None
    return data


def _cut(text: str | None, length: int) -> str | None:
    """Return a text that is not longer than this."""
    if text is None or len(text) <= length:
        return text
    return text[: length - 1].rstrip() + "…"


def _iso(at: float) -> str:
    """Return a time as people and templates read it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
