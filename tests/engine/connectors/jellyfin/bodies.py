"""What Jellyfin's plugin sends, with invented titles and people."""

import json
from typing import Any

from custom_components.media_arrivals.engine.board.models import Role, Service
from custom_components.media_arrivals.engine.connectors.base import Decoded, Delivery
from custom_components.media_arrivals.engine.connectors.jellyfin.decode import JellyfinDecoder

SERVER = "c0ffee00c0ffee00c0ffee00c0ffee00"
USER = "ab" * 16
FILM = "f1" * 16
SHOW = "5e" * 16
SEASON = "5a" * 16
EPISODE = "e1" * 16
NOW = 1_790_000_000.0
WHEN = "2026-09-21T14:10:00.1234567Z"
WHEN_AT = 1_789_999_800.123456

JELLYFIN = Service(id="entry-jellyfin", kind="jellyfin", role=Role.PLAYBACK, server_id=SERVER)
DECODER = JellyfinDecoder()

_SERVER = {
    "ServerId": SERVER,
    "ServerName": "Attic",
    "ServerVersion": "10.11.8",
    "ServerUrl": "https://attic.example.com/",
    "Timestamp": "2026-09-21T16:10:00.1234567+02:00",
    "UtcTimestamp": WHEN,
}
_FILM = {
    "Name": "Silver Ferry",
    "Overview": "A ferry, a fog, and nobody at the wheel.",
    "ItemId": FILM,
    "ItemType": "Movie",
    "RunTimeTicks": 68_000_000_000,
    "Year": 2024,
    "PremiereDate": "2024-05-02",
    "Provider_tmdb": "880010",
    "Provider_imdb": "tt9900010",
    "Provider_tvdb": "4711",
    "Video_0_Height": 800,
    "Video_0_Width": 1920,
}
_EPISODE = {
    "Name": "The Locksmith",
    "ItemId": EPISODE,
    "ItemType": "Episode",
    "Year": 2021,
    "PremiereDate": "2021-04-11",
    "SeriesName": "Tide House",
    "SeriesId": SHOW,
    "SeasonId": SEASON,
    "SeasonNumber": 1,
    "SeasonNumber00": "01",
    "EpisodeNumber": 3,
    "EpisodeNumber00": "03",
    "Provider_tvdb": "990003",
}
_USER = {"NotificationUsername": "Anna", "UserId": USER}
_PLAYER = {
    "PlaybackPositionTicks": 4_000_000_000,
    "DeviceId": "ZGV2aWNl",
    "DeviceName": "Anna's phone",
    "ClientName": "Jellyfin Web",
    "RemoteEndPoint": "192.168.1.34",
    **_USER,
}


def film(event: str, **changes: Any) -> dict[str, Any]:
    """Return an event about a film."""
    return {**_SERVER, "NotificationType": event, **_FILM, **changes}


def episode(event: str, **changes: Any) -> dict[str, Any]:
    """Return an event about an episode."""
    return {**_SERVER, "NotificationType": event, **_EPISODE, **changes}


def stopped(found: dict[str, Any], *, completed: bool) -> dict[str, Any]:
    """Return a playback that ended."""
    return {**found, **_PLAYER, "PlayedToCompletion": completed}


def saved(found: dict[str, Any], reason: str, *, played: bool, **changes: Any) -> dict[str, Any]:
    """Return an event about a user's data."""
    data = {"Played": played, "PlayCount": 1, "Favorite": False, "SaveReason": reason}
    return {**found, **_USER, **data, **changes}


def delivery(found: Any) -> Delivery:
    """Return a delivery as the plugin labels it unless it is told otherwise."""
    data = found if isinstance(found, bytes) else json.dumps(found).encode()
    return Delivery(body=data, received_at=NOW, content_type="text/plain; charset=utf-8")


def decoded(found: Any, service: Service = JELLYFIN) -> Decoded:
    """Decode a body."""
    return DECODER.decode(service, delivery(found))
