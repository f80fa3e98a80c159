"""What a Radarr sends: bodies as large and as deep as real ones, with invented titles."""

import json
from dataclasses import dataclass
from typing import Final

from .household import FIRST_FILM, texts


@dataclass(frozen=True, slots=True)
class Film:
    """A film that Radarr speaks of."""

    number: int
    own_id: int
    tmdb_id: int

    @classmethod
    def known(cls, number: int) -> Film:
        """Return one that is on a seeded board."""
        return cls(number, FIRST_FILM + number, FIRST_FILM + number)

    @property
    def is_known(self) -> bool:
        """Tell whether it is on a seeded board."""
        return self.own_id >= FIRST_FILM

    @classmethod
    def of_library(cls, number: int) -> Film:
        """Return one that the simulated Radarr has and the board has not; it has no file."""
        # Every tenth film of the simulator's library is missing; the first three are coming.
        place = number * 10 + 39
        return cls(-number - 1, place + 1, 100_001 + place)


LIBRARY_FILMS: Final = 297
"""So many of these there are."""


def grab(film: Film) -> bytes:
    """Return the body that tells that a release of a film was chosen."""
    release = {
        "quality": "WEBDL-1080p",
        "qualityVersion": 1,
        "releaseGroup": "BENCH",
        "releaseTitle": _release(film),
        "indexer": "Harbour Index",
        "size": 6_000_000_000,
        "customFormatScore": 120,
        "customFormats": ["1080p", "x265"],
        "languages": [{"id": 1, "name": "English"}],
        "indexerFlags": ["G_Freeleech"],
    }
    return _body("Grab", film, release=release)


def imported(film: Film) -> bytes:
    """Return the body that tells that a film was imported."""
    name = _release(film)
    file = {
        "id": film.own_id,
        "relativePath": f"{name}.mkv",
        "path": f"{_folder(film)}/{name}.mkv",
        "quality": "WEBDL-1080p",
        "qualityVersion": 1,
        "releaseGroup": "BENCH",
        "sceneName": name,
        "indexerFlags": "0",
        "size": 6_000_000_000,
        "dateAdded": "2026-11-20T18:04:05.1234567Z",
        "languages": [{"id": 1, "name": "English"}, {"id": 4, "name": "German"}],
        "mediaInfo": {
            "audioChannels": 5.1,
            "audioCodec": "EAC3",
            "audioLanguages": ["eng", "ger"],
            "height": 804,
            "width": 1920,
            "subtitles": ["eng", "ger", "dan"],
            "videoCodec": "x265",
            "videoDynamicRange": "HDR",
            "videoDynamicRangeType": "HDR10",
        },
        "sourcePath": f"/downloads/complete/{name}/{name}.mkv",
    }
    release = {
        "releaseTitle": name,
        "indexer": "Harbour Index",
        "size": 6_000_000_000,
        "indexerFlags": [],
    }
    return _body("Download", film, movieFile=file, isUpgrade=False, release=release)


def _year(film: Film) -> int:
    return 1950 + film.number % 75


def _release(film: Film) -> str:
    name = texts(film.number).name.replace(" ", ".")
    return f"{name}.{_year(film)}.1080p.WEB.x265-BENCH"


def _folder(film: Film) -> str:
    return f"/media/films/{texts(film.number).name} ({_year(film)})"


def _body(event: str, film: Film, **special: object) -> bytes:
    told = texts(film.number)
    same = {"tmdbId": film.tmdb_id, "title": told.name, "year": _year(film)}
    covers = f"/MediaCover/{film.own_id}"
    document = {
        "movie": {
            "id": film.own_id,
            **same,
            "releaseDate": f"{_year(film)}-03-14",
            "folderPath": _folder(film),
            "overview": told.overview,
            "genres": ["Drama", "Mystery"],
            "images": [
                {
                    "coverType": "poster",
                    "url": f"{covers}/poster.jpg?lastWrite=639065794429856486",
                    "remoteUrl": told.poster,
                },
                {
                    "coverType": "fanart",
                    "url": f"{covers}/fanart.jpg?lastWrite=639065794430576461",
                    "remoteUrl": told.poster.replace(".jpg", "F.jpg"),
                },
            ],
            "tags": ["family"],
            "originalLanguage": {"id": 1, "name": "English"},
        },
        "remoteMovie": same,
        **special,
        "downloadClient": "qBittorrent (films)",
        "downloadClientType": "qBittorrent",
        "downloadId": f"{film.tmdb_id:040X}",
        "customFormatInfo": {
            "customFormats": [{"id": 13, "name": "1080p"}, {"id": 32, "name": "x265"}],
            "customFormatScore": 120,
        },
        "eventType": event,
        "instanceName": "Radarr",
        "applicationUrl": "",
    }
    return json.dumps(document).encode()
