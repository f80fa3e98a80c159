"""Says which kind of service made a delivery, for the one address that takes them all. Pure.

What is told here authenticates nobody: it names a service that may be set up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from . import multipart, payload
from .base import Delivery, Json
from .payload import Object
from .tautulli import body as tautulli

_AGENTS: Final = (
    ("plexmediaserver/", "plex"),
    ("jellyfin-server/", "jellyfin"),
    ("emby server/", "emby"),
    ("radarr/", "radarr"),
    ("sonarr/", "sonarr"),
    ("tautulli", "tautulli"),
    ("python-requests/", "tautulli"),
)
_JELLYFIN_ID: Final = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_PLEX_EVENT: Final = re.compile(r"(?:media|library|playback|admin|device)\.[a-z.]{2,40}")
_EVENT_TYPE: Final = "eventType"
_ARR_KEYS: Final = {
    "radarr": ("movie", "remoteMovie", "movieFile"),
    "sonarr": ("series", "episodes", "episodeFile"),
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who seems to have made a delivery."""

    kind: str
    server_id: str | None = None
    """The media server that it names, as the service itself spells its id."""


def recognise(delivery: Delivery) -> Sender | None:
    """Name the sender of a delivery; ``None``: it is nobody that we know."""
    agent = _by_agent(delivery.user_agent)
    found = _multipart(delivery, agent)
    if found is not None:
        return found
    document = payload.load_object(delivery.body)
    if document is not None:
        return _by_shape(document, agent)
    form = tautulli.document(delivery)
    if form is not None and tautulli.is_ours(form):
        return Sender("tautulli", _plex_id(form.get("server_machine_id")))
    # A body that says nothing: an empty test, or an agent without a template.
    return Sender(agent) if agent is not None and not delivery.body.strip() else None


def _multipart(delivery: Delivery, agent: str | None) -> Sender | None:
    """Recognise the two that send forms with parts."""
    part = multipart.field(delivery.body, delivery.content_type, "payload")
    document = payload.load_object(part) if part is not None else None
    if document is not None and ("Metadata" in document or _is_plex_event(document)):
        return _plex(document, agent)
    part = multipart.field(delivery.body, delivery.content_type, "data")
    document = payload.load_object(part) if part is not None else None
    return _emby(document) if document is not None else None


def _by_shape(document: Object, agent: str | None) -> Sender | None:
    """Recognise a document by its keys: headers are often missing, or a proxy's."""
    if payload.event_name(document.get("NotificationType")) is not None:
        return Sender("jellyfin", _media_id(document.get("ServerId")))
    if (emby := _emby(document)) is not None:
        return emby
    # Seerr's template bears the same mark as Tautulli's.
    if payload.event_name(document.get("notification_type")) is not None:
        return Sender("seerr")
    if tautulli.is_ours(document):
        told = tautulli.told_of(document)
        return Sender("tautulli", _plex_id(told.get("server_machine_id")))
    if payload.event_name(document.get(_EVENT_TYPE)) is not None:
        return _arr(document, agent)
    if _is_plex_event(document) and agent != "tautulli":
        server = payload.mapping(document.get("Server"))
        return _plex(document, agent) if "uuid" in server or agent == "plex" else None
    # Another program's template in a Tautulli: its decoder says what to do.
    return Sender("tautulli") if agent == "tautulli" else None


def _by_agent(user_agent: str) -> str | None:
    name = user_agent[:255].strip().casefold()
    return next((kind for prefix, kind in _AGENTS if name.startswith(prefix)), None)


def _plex(document: Object, agent: str | None) -> Sender:
    """Tell Plex from a Jellyfin whose plugin imitates it."""
    server = payload.opaque_id(payload.mapping(document.get("Server")).get("uuid"))
    key = payload.text(payload.mapping(document.get("Metadata")).get("ratingKey")) or ""
    if agent == "jellyfin" or _JELLYFIN_ID.fullmatch(key.replace("-", "")):
        return Sender("jellyfin", _media_id(server))
    return Sender("plex", _plex_id(server))


def _emby(document: Object) -> Sender | None:
    """Recognise Emby by an event and the server that it names."""
    server = document.get("Server")
    if payload.event_name(document.get("Event")) is None or not isinstance(server, Mapping):
        return None
    return Sender("emby", _media_id(server.get("Id")))


def _arr(document: Object, agent: str | None) -> Sender | None:
    """Tell Radarr from Sonarr: by what an event is about, else by what they call themselves."""
    for kind, keys in _ARR_KEYS.items():
        if any(key in document for key in keys):
            return Sender(kind)
    if agent in _ARR_KEYS:
        return Sender(agent)
    name = payload.word(document.get("instanceName"))
    return next((Sender(kind) for kind in _ARR_KEYS if kind in name), None)


def _is_plex_event(document: Object) -> bool:
    event = document.get("event")
    return isinstance(event, str) and _PLEX_EVENT.fullmatch(event[:64]) is not None


def _media_id(value: Json) -> str | None:
    """Read the id of a Jellyfin or an Emby: dashes and case do not count."""
    found = tautulli.known(value)
    text = payload.opaque_id(found)
    return text.replace("-", "").lower() or None if text is not None else None


def _plex_id(value: Json) -> str | None:
    """Read the id of a Plex."""
    return payload.opaque_id(tautulli.known(value))
