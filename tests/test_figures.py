"""The board's figures, without Home Assistant around them."""

from dataclasses import replace

from custom_components.media_arrivals.engine.board.models import AnyReport, Decision, ExternalIds
from custom_components.media_arrivals.figures import Figures
from tests.engine.board.household import (
    DAY,
    FILM,
    NOON,
    RADARR,
    SEERR,
    SHOW,
    SONARR,
    House,
    download,
    episode,
    held,
    playable,
    request,
)

FILMS = tuple(
    replace(FILM, ids=ExternalIds(tmdb=9100 + number), own_id=number, name=f"Film {number}")
    for number in range(5)
)


def house_with_figures() -> tuple[House, Figures]:
    """Return a household, and figures that were taken when it was empty."""
    house = House((SEERR, RADARR, SONARR))
    return house, Figures(house.board)


def hear(house: House, figures: Figures, *reports: AnyReport) -> None:
    """Have services report, and the figures follow."""
    for report in reports:
        for change in house.hear(report).changes:
            figures.note(change)


def test_what_arrived_long_ago_is_not_kept_but_for_the_latest() -> None:
    house, figures = house_with_figures()
    house.now = NOON + len(FILMS) * DAY
    for number, film in enumerate(FILMS):
        at = number * DAY
        hear(
            house,
            figures,
            request(film, at, Decision.APPROVED, number=number),
            playable(SEERR, film, at + 1),
        )
    assert figures.arrived_since(0) == 5
    figures.drop_arrived_before(NOON + 2 * DAY)
    assert figures.arrived_since(0) == 3
    figures.drop_arrived_before(NOON + 100 * DAY)
    assert figures.arrived_since(0) == 1
    assert figures.latest is not None
    assert figures.latest.title.name == "Film 4"
    # What is let go can come back, and go again.
    hear(house, figures, playable(SEERR, FILMS[0], DAY, yes=False))
    assert figures.arrived_since(0) == 1


def test_nothing_arrived_is_nothing_to_let_go() -> None:
    _, figures = house_with_figures()
    figures.drop_arrived_before(NOON)
    assert figures.arrived_since(0) == 0
    assert figures.latest is None


def test_figures_followed_and_figures_taken_anew_are_the_same() -> None:
    house, figures = house_with_figures()
    hear(
        house,
        figures,
        request(FILM, 0, Decision.APPROVED),
        held(RADARR, FILM, 1),
        download(RADARR, FILM, 2, progress=0.4),
        request(SHOW, 3, seasons=(1, 2), number=2),
        request(FILMS[1], 4, Decision.APPROVED, number=3),
        playable(SEERR, FILMS[1], 5),
    )
    house.board.dismiss(house.arrival(FILM).id, now=house.now, origin=request(FILM, 6).origin)
    anew = Figures(house.board)
    for change in house.hear(download(RADARR, FILM, 7, progress=0.6)).changes:
        figures.note(change)
        anew.note(change)
    for one in (figures, anew):
        assert one.waiting == 1
        assert one.progress == 60
        assert one.arrived_since(NOON) == 1
        assert one.on_the_way == one.downloading == 1


def test_a_download_of_two_seasons_is_one_however_it_is_spelled() -> None:
    house, figures = house_with_figures()
    hear(
        house,
        figures,
        request(SHOW, 0, Decision.APPROVED, seasons=(1, 2)),
        held(SONARR, SHOW, 1, seasons=(1, 2)),
        download(SONARR, SHOW, 2, parts=(episode(1, 1),), download_id="both", progress=0.5),
        download(SONARR, SHOW, 3, parts=(episode(1, 2),), download_id="BOTH", progress=0.5),
        request(FILM, 0, Decision.APPROVED, number=2),
        held(RADARR, FILM, 1),
        download(RADARR, FILM, 2, progress=0.1),
    )
    assert figures.progress == 30


def test_a_dismissed_failure_that_left_the_board_is_not_taken_off_twice() -> None:
    house, figures = house_with_figures()
    for number, film in enumerate(FILMS[:2]):
        hear(
            house,
            figures,
            request(film, 0, Decision.APPROVED, number=number),
            request(film, 1, Decision.FAILED, number=number),
        )
    assert figures.failed == 2
    dismissed = house.arrival(FILMS[0])
    for change in house.board.dismiss(
        dismissed.id, now=house.now, origin=request(FILM, 2).origin
    ).changes:
        figures.note(change)
    assert figures.failed == 1
    house.board.unload([dismissed.id])
    assert figures.failed == 1
