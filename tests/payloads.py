"""Deliveries as the services send them, with the fields that matter."""

from typing import Any

from simulator import Film

FILM = Film(tmdb_id=9001, title="The Drowned Almanac", year=2024, imdb_id="tt9900001")


def radarr_grab(film: Film = FILM, *, movie_id: int = 1, download: str = "AA11") -> dict[str, Any]:
    movie = {"id": movie_id, "title": film.title, "year": film.year, "tmdbId": film.tmdb_id}
    if film.imdb_id is not None:
        movie["imdbId"] = film.imdb_id
    return {
        "eventType": "Grab",
        "instanceName": "Radarr",
        "movie": movie,
        "remoteMovie": {"tmdbId": film.tmdb_id, "title": film.title, "year": film.year},
        "release": {"quality": "WEBDL-1080p", "releaseTitle": "x", "size": 5_000_000},
        "downloadClient": "qBittorrent",
        "downloadClientType": "qBittorrent",
        "downloadId": download,
    }


def radarr_import(
    film: Film = FILM, *, movie_id: int = 1, download: str = "AA11"
) -> dict[str, Any]:
    return radarr_grab(film, movie_id=movie_id, download=download) | {
        "eventType": "Download",
        "isUpgrade": False,
        "movieFile": {"id": 1, "relativePath": "x.mkv", "quality": "WEBDL-1080p", "size": 5},
    }


def radarr_rename() -> dict[str, Any]:
    return {
        "eventType": "Rename",
        "instanceName": "Radarr",
        "movie": {"id": 1, "title": "x", "year": 2024, "tmdbId": 9001},
        "renamedMovieFiles": [],
    }


def radarr_test() -> dict[str, Any]:
    return {
        "eventType": "Test",
        "instanceName": "Radarr",
        "movie": {"id": 1, "title": "Test Title", "year": 1970, "tmdbId": 0},
        "remoteMovie": {"tmdbId": 1234, "imdbId": "5678", "title": "Test Title", "year": 1970},
        "release": {"quality": "Test Quality", "releaseTitle": "Test Title", "size": 9999999},
    }
