"""Plex's webhooks, written after its documented fields, with invented titles."""

import json
from typing import Any

from custom_components.media_arrivals.engine.board.models import Role, Service
from custom_components.media_arrivals.engine.connectors.base import Delivery

MACHINE = "0f1e2d3c4b5a69788796a5b4c3d2e1f000112233"
SERVICE = Service(id="plex1", kind="plex", role=Role.PLAYBACK, server_id=MACHINE, owner_id="2048")
NOW = 1_760_000_000.0
BOUNDARY = "------------------------ab12cd34ef56ab78"

FILM: dict[str, Any] = {
    "librarySectionType": "movie",
    "ratingKey": "1501",
    "key": "/library/metadata/1501",
    "guid": "plex://movie/000000000000000000001501",
    "type": "movie",
    "title": "The Paper Regatta",
    "librarySectionID": 1,
    "year": 2024,
    "originallyAvailableAt": "2024-05-03",
    "addedAt": 1_759_990_000,
    "thumb": "/library/metadata/1501/thumb/1759990000",
    "Guid": [{"id": "imdb://tt20290001"}, {"id": "tmdb://290001"}, {"id": "tvdb://77001"}],
    "Role": [{"tag": "Somebody Famous"}],
}
EPISODE: dict[str, Any] = {
    "librarySectionType": "show",
    "ratingKey": "1712",
    "parentRatingKey": "1711",
    "grandparentRatingKey": "1710",
    "guid": "plex://episode/000000000000000000001712",
    "grandparentGuid": "plex://show/000000000000000000001710",
    "type": "episode",
    "title": "The Ledger",
    "grandparentTitle": "The Quiet Mill",
    "parentTitle": "Season 2",
    "index": 4,
    "parentIndex": 2,
    "year": 2025,
    "originallyAvailableAt": "2025-02-05",
    "Guid": [{"id": "tvdb://9900123"}, {"id": "imdb://tt9900123"}],
}
SEASON: dict[str, Any] = {
    "type": "season",
    "ratingKey": "1711",
    "parentRatingKey": "1710",
    "title": "Season 2",
    "parentTitle": "The Quiet Mill",
    "index": 2,
}
SHOW: dict[str, Any] = {
    "type": "show",
    "ratingKey": "1710",
    "guid": "plex://show/000000000000000000001710",
    "title": "The Quiet Mill",
}


def event(name: str, row: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Say that something happened."""
    account = more.pop("account", 1)
    told: dict[str, Any] = {
        "event": name,
        "user": True,
        "owner": True,
        "Account": {"id": account, "title": "Ada Example", "thumb": "https://plex.tv/users/a/b"},
        "Server": {"title": "Attic", "uuid": more.pop("server", MACHINE)},
        "Player": {"local": True, "publicAddress": "203.0.113.4", "title": "TV", "uuid": "pl-77"},
    }
    if row is not None:
        told["Metadata"] = {**row, **more}
    return told


def delivery(told: Any, *, agent: str = "PlexMediaServer/1.42.2") -> Delivery:
    """Wrap an event as the server does, with a picture."""
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="payload"\r\n'
        "Content-Type: application/json\r\n\r\n"
    ).encode()
    body += text + f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="thumb"; '.encode()
    body += b'filename="thumb.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0\r\n'
    body += f"--{BOUNDARY}--\r\n".encode()
    return Delivery(
        body=body,
        received_at=NOW,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        user_agent=agent,
    )
