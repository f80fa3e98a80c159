"""A home that has existed for years: a large library, its history, and old requests."""

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .arr import GIB, TORRENT, USENET
from .clock import to_the_second
from .radarr import Movie
from .seerr_data import Decision, Presence
from .sonarr import Episode

if TYPE_CHECKING:
    from .stack import Stack


def fill(stack: Stack, *, films: int = 3000, shows: int = 200, requests: int = 300) -> None:
    """Fill Radarr, Sonarr and Seerr with what was there before, without telling anybody.

    A tenth of the films is still missing, three films and one season are being downloaded.
    """
    rng = random.Random(films * 7 + shows)
    now = stack.clock.now()
    movies = [_film(stack, now, rng, number) for number in range(films)]
    series = [_show(stack, now, rng, number) for number in range(shows)]
    stack.radarr.history.sort(key=lambda row: row.date)
    stack.sonarr.history.sort(key=lambda row: row.date)
    missing = [movie for movie in movies if movie.file is None]
    for movie, part in zip(missing[:3], (0.1, 0.5, 0.85), strict=False):
        download = stack.radarr.make_download(
            f"{movie.film.title.replace(' ', '.')}.1080p.WEB-SIMUL",
            "WEBDL-1080p",
            size=6 * GIB,
            client=TORRENT,
        )
        download.movie_id = movie.id
        stack.radarr.progress(download, part)
        stack.radarr.remember(
            "grabbed", download, movie_id=movie.id, data=stack.radarr.grab_data(download)
        )
    if series:
        _running_pack(stack, series[-1])
    _requests(stack, now, rng, movies, requests)


def _film(stack: Stack, now: datetime, rng: random.Random, number: int) -> Movie:
    film = stack.catalogue.film(tmdb_id=100_001 + number)
    added = to_the_second(now - timedelta(days=rng.uniform(1, 900)))
    have = number % 10 != 9
    movie = stack.radarr.put_movie(film, added=added, quality="Bluray-1080p" if have else None)
    if have:
        for event, minutes in (("grabbed", 1), ("downloadFolderImported", 40)):
            row = stack.radarr.remember(event, None, movie_id=movie.id, title=film.title)
            row.date = to_the_second(added + timedelta(minutes=minutes))
            row.download_id = f"SABnzbd_nzo_{number:08d}"
    return movie


def _show(stack: Stack, now: datetime, rng: random.Random, number: int) -> list[Episode]:
    seasons = rng.randint(1, 4)
    show = stack.catalogue.show(
        tvdb_id=120_001 + number,
        tmdb_id=100_001 + number,
        seasons=dict.fromkeys(range(1, seasons + 1), rng.choice((6, 8, 10))),
        first_aired=datetime(2019 + number % 6, 2, 5, 20, tzinfo=UTC),
        ended=True,
    )
    added = to_the_second(now - timedelta(days=rng.uniform(1, 900)))
    quality = "WEBDL-1080p" if number % 10 != 9 else None
    series = stack.sonarr.put_series(show, added=added, quality=quality)
    if quality is not None:
        for episode in series.episodes:
            for event, minutes in (("grabbed", 1), ("downloadFolderImported", 40)):
                row = stack.sonarr.remember(
                    event,
                    None,
                    series_id=series.id,
                    episode_id=episode.id,
                    season=episode.about.season,
                    title=show.title,
                )
                row.date = to_the_second(added + timedelta(minutes=minutes))
                row.download_id = f"SABnzbd_nzo_{series.id:04d}{episode.about.season:04d}"
    return series.episodes


def _running_pack(stack: Stack, episodes: list[Episode]) -> None:
    sonarr = stack.sonarr
    pack = [episode for episode in episodes if episode.about.season == 1]
    series = sonarr.series[pack[0].series_id]
    for episode in pack:
        if episode.file is not None:
            sonarr.shelf.remove(sonarr.path_of(series, episode.file))
        episode.file = None
    download = sonarr.make_download(
        f"{series.show.title.replace(' ', '.')}.S01.1080p.WEB-SIMUL",
        "WEBDL-1080p",
        size=len(pack) * 2 * GIB,
        client=USENET,
    )
    download.series_id = series.id
    download.episode_ids = [episode.id for episode in pack]
    sonarr.progress(download, 0.3)
    for episode in pack:
        sonarr.remember(
            "grabbed",
            download,
            series_id=series.id,
            episode_id=episode.id,
            season=1,
            data=sonarr.grab_data(download),
        )


def _requests(
    stack: Stack, now: datetime, rng: random.Random, movies: list[Movie], count: int
) -> None:
    seerr = stack.seerr
    there = iter([movie for movie in movies if movie.file is not None])
    missing = iter([movie for movie in movies if movie.file is None])
    people = list(seerr.users.values())
    for number in range(count):
        created = now - timedelta(days=(count - number) * 900 / count)
        turn = number % 20
        if turn == 7:
            status, movie = Decision.PENDING, None
        elif turn == 13:
            status, movie = Decision.DECLINED, None
        elif turn in {3, 17} and (movie := next(missing, None)) is not None:
            status = Decision.APPROVED
        elif (movie := next(there, None)) is not None:
            status = Decision.COMPLETED if seerr.flavour.completes else Decision.APPROVED
        else:
            status = Decision.PENDING
        film = movie.film if movie is not None else stack.catalogue.film()
        presence = Presence.UNKNOWN
        if status == Decision.PENDING:
            presence = Presence.PENDING
        elif movie is not None:
            presence = Presence.AVAILABLE if movie.file is not None else Presence.PROCESSING
        seerr.put_request(
            film,
            by=rng.choice(people),
            status=status,
            presence=presence,
            created=created,
            external_id=None if movie is None else movie.id,
        )
