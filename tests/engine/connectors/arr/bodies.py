"""What Radarr and Sonarr send and answer, with invented titles."""

import json
from typing import Any

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    PartRef,
    Role,
    Service,
    Tier,
    TitleRef,
)
from custom_components.media_arrivals.engine.connectors.base import Decoded, Delivery
from custom_components.media_arrivals.engine.connectors.registry import decoder

type Doc = dict[str, Any]

NOW = 1_790_000_000.0
HASH = "A1B2C3D4E5F60718293A4B5C6D7E8F9001122334"

RADARR = Service(id="radarr-1", kind="radarr", role=Role.DOWNLOADS, tier=Tier.HD)
SONARR = Service(id="sonarr-1", kind="sonarr", role=Role.DOWNLOADS, tier=Tier.HD)
MIXED_RADARR = Service(id="radarr-2", kind="radarr", role=Role.DOWNLOADS)
MIXED_SONARR = Service(id="sonarr-2", kind="sonarr", role=Role.DOWNLOADS)

FERRY = TitleRef(
    media_type=MediaType.MOVIE,
    ids=ExternalIds(tmdb=880010, imdb="tt8800100"),
    own_id=41,
    name="Silver Ferry",
    year=2024,
    overview="A ferry, a fog, and nobody at the wheel.",
    poster="https://image.tmdb.org/t/p/original/ferry.jpg",
)
MILL = TitleRef(
    media_type=MediaType.SERIES,
    ids=ExternalIds(tvdb=770020, tmdb=660020, imdb="tt7700200"),
    own_id=17,
    name="The Paper Mill",
    year=2019,
    poster="https://artworks.thetvdb.com/mill.jpg",
)

SECRETS = (
    "/films",
    "/downloads",
    "/series",
    "C:\\",
    "Silver Ferry.mkv",
    "192.168.",
    "anna@example.org",
    "apikey",
    "ha.example",
    "MediaCover",
    "private-tag",
)
"""What no journal may keep."""


def images(poster: str | None) -> list[Doc]:
    covers = [("fanart", "https://example.org/fanart.jpg"), ("poster", poster)]
    return [
        {
            "coverType": cover,
            "url": f"/MediaCover/1/{cover}.jpg?lastWrite=638",
            **({"remoteUrl": url} if url else {}),
        }
        for cover, url in covers
    ]


def without(document: Doc, *keys: str) -> Doc:
    return {key: value for key, value in document.items() if key not in keys}


# --- Radarr --------------------------------------------------------------------------------


def movie(**changes: Any) -> Doc:
    return {
        "id": 41,
        "title": "Silver Ferry",
        "year": 2024,
        "releaseDate": "2024-08-01",
        "folderPath": "/films/Silver Ferry (2024)",
        "tmdbId": 880010,
        "imdbId": "tt8800100",
        "overview": "A ferry, a fog, and nobody at the wheel.",
        "genres": ["Mystery"],
        "images": images(FERRY.poster),
        "tags": ["private-tag"],
        "originalLanguage": {"id": 1, "name": "English"},
        **changes,
    }


def file(quality: Any = "WEBDL-1080p", **changes: Any) -> Doc:
    return {
        "id": 9,
        "relativePath": "Silver Ferry.mkv",
        "path": "/films/Silver Ferry (2024)/Silver Ferry.mkv",
        "quality": quality,
        "qualityVersion": 1,
        "size": 5_000_000_000,
        "dateAdded": "2026-09-20T10:00:00.1234567Z",
        "sourcePath": "/downloads/Silver.Ferry/ferry.mkv",
        "mediaInfo": {"audioChannels": 5.1, "videoCodec": "x265"},
        **changes,
    }


def release(quality: str = "WEBDL-1080p", **changes: Any) -> Doc:
    return {
        "quality": quality,
        "qualityVersion": 1,
        "releaseGroup": "GRP",
        "releaseTitle": "Silver.Ferry.2024.1080p.WEB",
        "indexer": "Harbour (Prowlarr)",
        "size": 5_000_000_000,
        "customFormatScore": 0,
        "customFormats": [],
        "languages": [{"id": 1, "name": "English"}],
        "indexerFlags": [],
        **changes,
    }


DOWNLOAD = {
    "downloadClient": "qBittorrent (home)",
    "downloadClientType": "qBittorrent",
    "downloadId": HASH,
}
STATUS = {
    "downloadInfo": {"quality": "WEBDL-1080p", "qualityVersion": 1, "title": "x", "size": 5},
    "downloadStatus": "Warning",
    "downloadStatusMessages": [
        {"title": "Found matching movie via grab history, but release title doesn't match"},
        {
            "title": "silver.ferry.mkv",
            "messages": ["No files found in /downloads/Silver Ferry/a.mkv", "Sample"],
        },
    ],
}


def base(event: str) -> Doc:
    return {
        "eventType": event,
        "instanceName": "Radarr",
        "applicationUrl": "http://192.168.1.5:7878?apikey=abc",
    }


REMOTE = {"tmdbId": 880010, "imdbId": "tt8800100", "title": "Silver Ferry", "year": 2024}


def radarr(event: str, **changes: Any) -> Doc:
    """Return a delivery of a current Radarr."""
    bodies: dict[str, Doc] = {
        "Grab": {"movie": movie(), "remoteMovie": REMOTE, "release": release(), **DOWNLOAD},
        "Download": {
            "movie": movie(),
            "remoteMovie": REMOTE,
            "movieFile": file(),
            "isUpgrade": False,
            **DOWNLOAD,
            "release": without(release(), "quality"),
        },
        "Rename": {"movie": movie(), "renamedMovieFiles": [file(previousPath="/films/old.mkv")]},
        "MovieAdded": {"movie": movie(), "addMethod": "manual"},
        "MovieDelete": {"movie": movie(), "deletedFiles": True, "movieFolderSize": 5},
        "MovieFileDelete": {"movie": movie(), "movieFile": file(), "deleteReason": "manual"},
        "ManualInteractionRequired": {"movie": movie(), **STATUS, **DOWNLOAD},
        "ApplicationUpdate": {
            "message": "Radarr updated",
            "previousVersion": "6.0.2.1",
            "newVersion": "6.0.3.1",
        },
        **HEALTH,
    }
    return {**bodies.get(event, {}), **base(event), **changes}


HEALTH: dict[str, Doc] = {
    name: {
        "level": "error",
        "message": "Indexers unavailable due to failures: Harbour at http://192.168.1.5:9696/1",
        "type": "IndexerStatusCheck",
        "wikiUrl": "https://wiki.example/x",
    }
    for name in ("Health", "HealthRestored")
}


# --- Sonarr --------------------------------------------------------------------------------


def series(**changes: Any) -> Doc:
    return {
        "id": 17,
        "title": "The Paper Mill",
        "titleSlug": "the-paper-mill",
        "path": "/series/The Paper Mill",
        "tvdbId": 770020,
        "tvMazeId": 0,
        "tmdbId": 660020,
        "imdbId": "tt7700200",
        "type": "standard",
        "year": 2019,
        "genres": ["Drama"],
        "images": images(MILL.poster),
        "tags": ["private-tag"],
        **changes,
    }


def episode(number: int, season: int = 2, **changes: Any) -> Doc:
    return {
        "id": season * 100 + number,
        "episodeNumber": number,
        "seasonNumber": season,
        "title": f"Part {number}",
        "overview": "Something happens.",
        "airDate": f"2026-03-{number:02d}",
        "airDateUtc": f"2026-03-{number:02d}T20:00:00Z",
        "seriesId": 17,
        "tvdbId": 500_000 + season * 100 + number,
        **changes,
    }


def part(number: int, season: int = 2) -> PartRef:
    return PartRef(
        season=season,
        number=number,
        air_date=f"2026-03-{number:02d}",
        own_id=season * 100 + number,
        tvdb=500_000 + season * 100 + number,
        name=f"Part {number}",
    )


def sonarr(event: str, **changes: Any) -> Doc:
    """Return a delivery of a current Sonarr."""
    pack = [episode(1), episode(2), episode(3)]
    bodies: dict[str, Doc] = {
        "Grab": {"series": series(), "episodes": pack, "release": release(), **DOWNLOAD},
        "Download": {
            "series": series(),
            "episodes": [episode(1)],
            "episodeFile": file(),
            "isUpgrade": False,
            **DOWNLOAD,
            "release": {"releaseTitle": "x", "size": 5, "releaseType": "seasonPack"},
        },
        "Rename": {"series": series(), "renamedEpisodeFiles": [file()]},
        "SeriesAdd": {"series": series()},
        "SeriesDelete": {"series": series(), "deletedFiles": False},
        "EpisodeFileDelete": {
            "series": series(),
            "episodes": [episode(1), episode(2)],
            "episodeFile": file(),
            "deleteReason": "missingFromDisk",
        },
        "ManualInteractionRequired": {
            "series": series(),
            "episodes": [episode(1)],
            **STATUS,
            **DOWNLOAD,
        },
        "ApplicationUpdate": {"message": "x", "previousVersion": "4.0.1", "newVersion": "4.0.2"},
        **HEALTH,
    }
    return {**bodies.get(event, {}), **base(event), "instanceName": "Sonarr", **changes}


def complete(**changes: Any) -> Doc:
    """Return what Sonarr sends once every episode of a release is imported."""
    body = sonarr(
        "Download",
        episodes=[episode(1), episode(2), episode(3)],
        episodeFiles=[file(), file(), file()],
        fileCount=3,
        sourcePath="/downloads/mill",
        destinationPath="/series/mill",
    )
    return {**without(body, "episodeFile", "isUpgrade"), **changes}


# --- rows ----------------------------------------------------------------------------------


def quality(resolution: int = 1080, name: str | None = None) -> Doc:
    return {
        "quality": {"id": 3, "name": name or f"WEBDL-{resolution}p", "resolution": resolution},
        "revision": {"version": 1, "real": 0},
    }


def queue_row(**changes: Any) -> Doc:
    """Return a row of Radarr's queue."""
    return {
        "id": 77,
        "movieId": 41,
        "movie": movie(),
        "title": "Silver.Ferry.2024.1080p.WEB",
        "status": "downloading",
        "trackedDownloadStatus": "ok",
        "trackedDownloadState": "downloading",
        "statusMessages": [],
        "downloadId": HASH,
        "size": 5_000_000_000,
        "sizeleft": 1_250_000_000.844,
        "timeleft": "00:20:00",
        "estimatedCompletionTime": "2026-09-21T14:33:20Z",
        "protocol": "torrent",
        "downloadClient": "qBittorrent (home)",
        "quality": quality(),
        **changes,
    }


def pack_row(number: int, **changes: Any) -> Doc:
    """Return a row of Sonarr's queue for one episode of a pack."""
    own = {
        "seriesId": 17,
        "series": series(),
        "episodeId": 200 + number,
        "seasonNumber": 2,
        "episode": episode(number),
    }
    return {**without(queue_row(), "movieId", "movie"), **own, **changes}


def history_row(row_id: int, event: str, date: str, **changes: Any) -> Doc:
    """Return a row of Radarr's history; the indexer's ids in it are of no use."""
    return {
        "id": row_id,
        "movieId": 41,
        "movie": movie(),
        "sourceTitle": "Silver.Ferry.2024.1080p.WEB",
        "quality": quality(),
        "date": date,
        "downloadId": HASH,
        "eventType": event,
        "data": {
            "downloadClient": "qBittorrent",
            "downloadClientName": "qBittorrent (home)",
            "tmdbId": "0",
            "downloadUrl": "http://192.168.1.5:9696/6/download?apikey=abc",
        },
        **changes,
    }


def episode_row(row_id: int, event: str, date: str, number: int, **changes: Any) -> Doc:
    """Return a row of Sonarr's history."""
    own = {
        "seriesId": 17,
        "series": series(),
        "episodeId": 200 + number,
        "episode": episode(number),
    }
    return {**without(history_row(row_id, event, date), "movieId", "movie"), **own, **changes}


def api_episode(number: int, **changes: Any) -> Doc:
    """Return a line of Sonarr's episode list."""
    return {
        **episode(number),
        "hasFile": False,
        "episodeFileId": 0,
        "monitored": True,
        **changes,
    }


# --- decoding ------------------------------------------------------------------------------


def delivery(document: Any) -> Delivery:
    return Delivery(body=json.dumps(document).encode(), received_at=NOW)


def decoded(document: Any, service: Service = RADARR) -> Decoded:
    return decoder(service.kind).decode(service, delivery(document))


def polled(resource: str, body: Any, service: Service = RADARR) -> Decoded:
    return decoder(service.kind).decode_poll(service, resource, body, NOW)
