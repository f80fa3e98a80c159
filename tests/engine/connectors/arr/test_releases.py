"""What the calendars of Radarr and Sonarr say."""

from typing import Any

import pytest

from custom_components.media_arrivals.engine.connectors.radarr.decode import RadarrDecoder
from custom_components.media_arrivals.engine.connectors.releases import ReleaseKind
from custom_components.media_arrivals.engine.connectors.sonarr.decode import SonarrDecoder

FILM: dict[str, Any] = {
    "id": 3,
    "title": "The Paper Ferry",
    "tmdbId": 9101,
    "overview": "A ferry.",
    "monitored": True,
    "inCinemas": "2026-04-02T00:00:00Z",
    "digitalRelease": "2026-05-12T00:00:00Z",
    "physicalRelease": "0001-01-01T00:00:00Z",
}
EPISODE: dict[str, Any] = {
    "id": 40,
    "seriesId": 4,
    "seasonNumber": 2,
    "episodeNumber": 5,
    "title": "The Lock",
    "airDate": "2026-05-14",
    "airDateUtc": "2026-05-15T03:00:00Z",
    "runtime": 47,
    "monitored": True,
    "series": {"title": "The Glass Mill", "tvdbId": 8101, "monitored": True, "runtime": 50},
}


def film(**changes: Any) -> list[tuple[ReleaseKind, str, bool]]:
    found = RadarrDecoder().read_releases({**FILM, **changes})
    return [(one.kind, one.day, one.monitored) for one in found]


def test_a_film_has_the_dates_that_are_set() -> None:
    assert film() == [
        (ReleaseKind.CINEMA, "2026-04-02", True),
        (ReleaseKind.DIGITAL, "2026-05-12", True),
    ]
    [first, _] = RadarrDecoder().read_releases(FILM)
    assert (first.title.name, first.title.ids.tmdb, first.title.overview) == (
        "The Paper Ferry",
        9101,
        None,
    )


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"inCinemas": None}, ["2026-05-12"]),
        ({"inCinemas": "soon", "digitalRelease": 7}, []),
        ({"inCinemas": "2026-13-45", "digitalRelease": {}}, []),
        ({"title": None}, []),
        ({"title": " ", "monitored": "odd"}, []),
        ({"tmdbId": 0, "id": 0}, []),
    ],
)
def test_odd_films(changes: dict[str, Any], days: list[str]) -> None:
    assert [day for _, day, _ in film(**changes)] == days


def test_a_film_that_is_not_waited_for_says_so() -> None:
    assert [waits for _, _, waits in film(monitored=False)] == [False, False]


def test_an_episode() -> None:
    [found] = SonarrDecoder().read_releases(EPISODE)
    assert found.kind is ReleaseKind.EPISODE
    assert (found.day, found.at, found.minutes) == ("2026-05-15", 1778814000.0, 47)
    assert found.part is not None
    assert (found.part.season, found.part.number, found.part.name) == (2, 5, "The Lock")
    assert (found.title.name, found.title.ids.tvdb, found.title.own_id) == (
        "The Glass Mill",
        8101,
        4,
    )
    assert found.monitored


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"airDateUtc": None}, ("2026-05-14", None, 47, True)),
        ({"runtime": 0}, ("2026-05-15", 1778814000.0, 50, True)),
        (
            {"runtime": 0, "series": {"title": "X", "tvdbId": 1}},
            ("2026-05-15", 1778814000.0, None, True),
        ),
        ({"monitored": False}, ("2026-05-15", 1778814000.0, 47, False)),
        (
            {"series": {"title": "X", "tvdbId": 1, "monitored": False}},
            ("2026-05-15", 1778814000.0, 47, False),
        ),
        ({"airDateUtc": None, "airDate": None}, None),
        ({"series": None}, None),
        ({"seasonNumber": "two"}, None),
    ],
)
def test_odd_episodes(changes: dict[str, Any], expected: Any) -> None:
    found = SonarrDecoder().read_releases({**EPISODE, **changes})
    shown = [(one.day, one.at, one.minutes, one.monitored) for one in found]
    assert shown == ([] if expected is None else [expected])
