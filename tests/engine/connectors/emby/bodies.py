"""What Emby sends, with invented titles and people."""

import json
from typing import Any

from custom_components.media_arrivals.engine.board.models import Role, Service
from custom_components.media_arrivals.engine.connectors.base import Decoded, Delivery
from custom_components.media_arrivals.engine.connectors.emby.decode import EmbyDecoder

SERVER = "eb" * 16
USER = "cd" * 16
FILM = "240270"
SHOW = "56"
SEASON = "95"
EPISODE = "57"
NOW = 1_790_000_000.0
WHEN = "2026-09-21T14:10:00.1234567Z"
WHEN_AT = 1_789_999_800.123456

EMBY = Service(id="entry-emby", kind="emby", role=Role.PLAYBACK, server_id=SERVER)
DECODER = EmbyDecoder()

_FILM = {
    "Name": "Silver Ferry",
    "ServerId": SERVER,
    "Id": FILM,
    "Type": "Movie",
    "Path": "/data/media/movies/Silver Ferry (2024)/ferry.mkv",
    "ProductionYear": 2024,
    "PremiereDate": "2024-05-01T22:00:00.0000000Z",
    "ProviderIds": {"IMDB": "tt9900010", "tmdb": "880010", "Official Website": "https://x.test/"},
    "Width": 1920,
    "Height": 800,
}
_EPISODE = {
    "Name": "The Locksmith",
    "ServerId": SERVER,
    "Id": EPISODE,
    "Type": "Episode",
    "Path": "D:\\shows\\Tide House\\S01E03.mkv",
    "ProductionYear": 2021,
    "PremiereDate": "2021-04-10T16:00:00.0000000Z",
    "SeriesName": "Tide House",
    "SeriesId": SHOW,
    "SeasonId": SEASON,
    "ParentIndexNumber": 1,
    "IndexNumber": 3,
    "ProviderIds": {"Tvdb": "990003"},
}
_SESSION = {
    "RemoteEndPoint": "192.168.1.77",
    "Client": "Emby Web",
    "DeviceName": "Anna's phone",
    "DeviceId": "e3503c2b-72aa",
}


def body(event: str, **changes: Any) -> dict[str, Any]:
    """Return an event without an item."""
    server = {"Name": "Cellar", "Id": SERVER, "Version": "4.9.1.90"}
    known = {"Title": "Neu: Irgendwas", "Date": WHEN, "Event": event, "Server": server}
    return {**known, **changes}


def film(event: str, **changes: Any) -> dict[str, Any]:
    """Return an event about a film."""
    return body(event, Item={**_FILM, **changes})


def episode(event: str, **changes: Any) -> dict[str, Any]:
    """Return an event about an episode."""
    return body(event, Item={**_EPISODE, **changes})


def by_anna(found: dict[str, Any], **playback: Any) -> dict[str, Any]:
    """Return an event that a user made."""
    return {
        **found,
        "User": {"Name": "Anna", "Id": USER},
        "Session": _SESSION,
        "PlaybackInfo": {"PositionTicks": 0, **playback},
    }


def delivery(found: Any, content_type: str = "application/json") -> Delivery:
    """Return a delivery."""
    data = found if isinstance(found, bytes) else json.dumps(found).encode()
    return Delivery(body=data, received_at=NOW, content_type=content_type)


def form(found: dict[str, Any]) -> Delivery:
    """Return a delivery as versions up to 4.8 send it."""
    text = json.dumps(found, ensure_ascii=False)
    data = (
        "--0f1d6b52\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Disposition: form-data; name=data\r\n\r\n{text}\r\n--0f1d6b52--\r\n"
    )
    return delivery(data.encode(), 'multipart/form-data; boundary="0f1d6b52"')


def decoded(found: Any, service: Service = EMBY) -> Decoded:
    """Decode a body."""
    return DECODER.decode(service, found if isinstance(found, Delivery) else delivery(found))
