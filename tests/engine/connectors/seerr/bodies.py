"""Bodies and answers of the Seerr family with invented titles and people."""

import copy
import json
from typing import Any

from custom_components.media_arrivals.engine.board.models import Role, Service
from custom_components.media_arrivals.engine.connectors.base import Decoded, Delivery
from custom_components.media_arrivals.engine.connectors.seerr.decode import SeerrDecoder

SEERR = Service(id="entry-seerr", kind="seerr", role=Role.REQUESTS)
NOW = 1_790_000_000.0
CREATED = "2026-09-20T10:00:00.000Z"
CREATED_AT = 1_789_898_400.0

DECODER = SeerrDecoder()

EVENTS = (
    "MEDIA_PENDING",
    "MEDIA_APPROVED",
    "MEDIA_AVAILABLE",
    "MEDIA_FAILED",
    "MEDIA_DECLINED",
    "MEDIA_AUTO_APPROVED",
)


def body(kind: str, /, *, series: bool = False, **changes: Any) -> dict[str, Any]:
    """Return a body of the default template of Overseerr 1.34 and Jellyseerr 2."""
    known: dict[str, Any] = {
        "notification_type": kind,
        "event": "Series Request Something" if series else "Movie Request Something",
        "subject": "Tide House (2021)" if series else "Silver Ferry (2024)",
        "message": "A ferry, a fog, and nobody at the wheel.",
        "image": "https://image.tmdb.org/t/p/w600_and_h900_bestv2/ferry.jpg",
        "media": {
            "media_type": "tv" if series else "movie",
            "tmdbId": "880021" if series else "880010",
            "tvdbId": "470021" if series else "",
            "status": "PENDING",
            "status4k": "UNKNOWN",
        },
        "request": {
            "request_id": "41",
            "requestedBy_email": "ben@example.com",
            "requestedBy_username": "Ben",
            "requestedBy_avatar": "/avatarproxy/5af1?v=1",
            "requestedBy_settings_discordId": "998877665544332211",
            "requestedBy_settings_telegramChatId": "123456",
        },
        "issue": None,
        "comment": None,
        "extra": [{"name": "Requested Seasons", "value": "1, 2"}] if series else [],
    }
    return known | changes


def with_media(found: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a body with other media fields."""
    return {**found, "media": {**found["media"], **changes}}


def snake(found: dict[str, Any]) -> dict[str, Any]:
    """Return a body as the template of Home Assistant's own integration writes it."""
    request, media = found["request"], found["media"]
    return {
        **found,
        "media": {
            "media_type": media["media_type"],
            "imdb_id": "tt9912345",
            "tmdb_id": media["tmdbId"],
            "tvdb_id": media["tvdbId"],
            "jellyfin_media_id": "",
            "status": media["status"],
            "status4k": media["status4k"],
        },
        "request": {
            "request_id": request["request_id"],
            "requested_by_email": request["requestedBy_email"],
            "requested_by_username": request["requestedBy_username"],
            "requested_by_avatar": request["requestedBy_avatar"],
            "requested_by_jellyfin_user_id": "77aa77aa77aa77aa77aa77aa77aa77aa",
            "requested_by_settings_discord_id": "{{requestedBy_settings_discordIds}}",
            "requested_by_settings_telegram_chat_id": "",
        },
    }


def delivery(found: Any) -> Delivery:
    """Return a delivery of a body."""
    data = found if isinstance(found, bytes) else json.dumps(found).encode()
    return Delivery(body=data, received_at=NOW)


def decoded(found: Any) -> Decoded:
    """Decode a body."""
    return DECODER.decode(SEERR, delivery(found))


USER = {
    "permissions": 32,
    "id": 4,
    "email": "ben@example.com",
    "plexUsername": "ben",
    "jellyfinUsername": None,
    "username": None,
    "recoveryLinkExpirationDate": None,
    "userType": 1,
    "plexId": 4711,
    "avatar": "https://plex.tv/users/5af1/avatar?c=1",
    "movieQuotaLimit": None,
    "movieQuotaDays": None,
    "tvQuotaLimit": None,
    "tvQuotaDays": None,
    "createdAt": "2024-12-16T22:31:08.000Z",
    "updatedAt": "2024-12-16T22:31:08.000Z",
    "requestCount": 2,
    "displayName": "Ben",
}


def request(
    number: int = 41,
    *,
    status: int = 2,
    is4k: bool | None = False,
    seasons: tuple[int, ...] = (),
    media: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return a request object; with seasons it is for a series."""
    series = bool(seasons)
    found: dict[str, Any] = {
        "id": number,
        "status": status,
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "type": "tv" if series else "movie",
        "is4k": is4k,
        "serverId": 0,
        "profileId": 4,
        "rootFolder": "/media/movies",
        "languageProfileId": None,
        "tags": [],
        "isAutoRequest": False,
        "media": {
            "downloadStatus": [],
            "downloadStatus4k": [],
            "id": 600,
            "mediaType": "tv" if series else "movie",
            "tmdbId": 880021 if series else 880010,
            "tvdbId": 470021 if series else None,
            "imdbId": None,
            "status": 3,
            "status4k": 1,
            "createdAt": CREATED,
            "updatedAt": CREATED,
            "lastSeasonChange": CREATED,
            "mediaAddedAt": None,
            "serviceId": None,
            "serviceId4k": None,
            "externalServiceId": None,
            "externalServiceId4k": None,
            "externalServiceSlug": None,
            "externalServiceSlug4k": None,
            "ratingKey": None,
            "ratingKey4k": None,
            **(media or {}),
        },
        "seasons": [
            {
                "id": 70 + season,
                "seasonNumber": season,
                "status": status,
                "createdAt": CREATED,
                "updatedAt": CREATED,
            }
            for season in seasons
        ],
        "modifiedBy": None,
        "requestedBy": copy.deepcopy(USER),
        "seasonCount": len(seasons),
    }
    return found | changes


def page(*requests: dict[str, Any]) -> dict[str, Any]:
    """Return a page of requests."""
    return {
        "pageInfo": {"pages": 1, "pageSize": 10, "results": len(requests), "page": 1},
        "results": list(requests),
    }


def entry(
    *,
    size: float = 8000.0,
    left: float = 6000.0,
    key: str | None = "AB12CD",
    episode: tuple[int, int] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return an entry of ``downloadStatus``; Overseerr's have no ``downloadId``."""
    found: dict[str, Any] = {
        "externalId": 51,
        "estimatedCompletionTime": "2026-09-21T12:00:00.000Z",
        "mediaType": "movie" if episode is None else "tv",
        "size": size,
        "sizeLeft": left,
        "status": "downloading",
        "timeLeft": "00:12:30",
        "title": "Silver.Ferry.2024.1080p.WEB-SIMUL",
    }
    if key is not None:
        found["downloadId"] = key
    if episode is not None:
        found["episode"] = {"seasonNumber": episode[0], "episodeNumber": episode[1], "id": 9}
    return found | changes
