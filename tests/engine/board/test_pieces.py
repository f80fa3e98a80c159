"""What changes all of the board comes in pieces; whatever is cut short can be done again."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

import pytest

from custom_components.media_arrivals.engine.board.board import Board
from custom_components.media_arrivals.engine.board.models import (
    Applied,
    Arrival,
    Decision,
    ExternalIds,
    Request,
    RequestKey,
    Service,
    Stage,
    Tier,
    Title,
    TitleRef,
)
from custom_components.media_arrivals.engine.board.register import DAY
from custom_components.media_arrivals.engine.storage.models import Commit, LoadedBoard

from .household import (
    ANNA,
    FILM,
    NOON,
    PLEX,
    RADARR,
    SEERR,
    SHOW,
    SONARR,
    House,
    download,
    episode,
    episodes,
    file,
    held,
    origin,
    playable,
    request,
    watched,
)

NOW = NOON + 1000


def film(number: int) -> TitleRef:
    return replace(FILM, ids=ExternalIds(tmdb=100 + number), own_id=100 + number)


class Stored:
    """What storage keeps of the board's answers."""

    def __init__(self, answers: Iterable[Applied]) -> None:
        self._titles: dict[str, Title] = {}
        self._arrivals: dict[str, Arrival] = {}
        self._requests: dict[RequestKey, Request] = {}
        self.keep(answers)

    def keep(self, answers: Iterable[Applied]) -> None:
        """Write what came of something, in one transaction."""
        commit = Commit.of(answers)
        self._titles |= {one.id: one for one in commit.titles}
        self._arrivals |= {one.id: one for one in commit.arrivals}
        for key in commit.dropped_requests:
            self._requests.pop(key, None)
        self._requests |= {one.key: one for one in commit.requests}

    @property
    def kept(self) -> LoadedBoard:
        """Return it all."""
        return LoadedBoard(
            titles=tuple(self._titles.values()),
            arrivals=tuple(self._arrivals.values()),
            requests=tuple(self._requests.values()),
        )

    def board(self, *services: Service) -> Board:
        """Start anew."""
        kept = self.kept
        board = Board()
        board.know(services)
        board.load(kept.titles, kept.arrivals, kept.requests)
        return board


def full_house(*services: Service) -> House:
    """Have films and seasons at all stages."""
    house = House(services)
    for number in range(4):
        house.hear(
            request(film(number), 0, Decision.APPROVED, number=number),
            held(RADARR, film(number), 1, opens=True),
            silent=True,
        )
    house.hear(
        download(RADARR, film(1), 2),
        file(RADARR, film(2), 3),
        file(RADARR, film(3), 3),
        playable(SEERR, film(3), 4),
        request(SHOW, 0, Decision.APPROVED, number=9, seasons=(1, 2)),
        held(SONARR, SHOW, 1, seasons=(1, 2)),
        episodes(2, 3),
        file(SONARR, SHOW, 3, parts=(episode(1), episode(2))),
        playable(SEERR, SHOW, 4, parts=(episode(1),)),
        silent=True,
    )
    if PLEX in services:
        house.hear(
            playable(PLEX, film(3), 5), watched(film(3), 6), playable(PLEX, film(2), 5), silent=True
        )
    return house


type Doing = Callable[[Board], Iterator[Applied]]


def removal(service: Service) -> Doing:
    return lambda board: board.removing(service.id, now=NOW)


def state(board: Board) -> tuple[object, ...]:
    """Return all that can be seen of a board, whatever it was stored as."""
    return (
        {one.id: one for one in board.arrivals()},
        {one.key: one for one in board.requests()},
        {one.title_id: board.title(one.title_id) for one in board.arrivals()},
        {stage: count for stage, count in board.counts.items() if count},
        board.pending,
        [sorted(board.active_downloads(one.id)) for one in (RADARR, SONARR)],
        board.open_requests(SEERR.id),
        dict(board.services),
    )


@pytest.mark.parametrize("gone", [RADARR, SONARR, SEERR, PLEX], ids=lambda one: one.id)
def test_a_removal_that_was_cut_short_goes_on(gone: Service) -> None:
    """Whichever pieces were stored before the end, the next start comes to the same."""
    services = (SEERR, RADARR, SONARR, PLEX)
    left = [one for one in services if one is not gone]
    whole = full_house(*services)
    pieces = len(list(whole.board.removing(gone.id, now=NOW)))
    assert pieces == 5
    for done in range(pieces + 1):
        house = full_house(*services)
        stored = Stored(house.answers)
        stored.keep(islice(house.board.removing(gone.id, now=NOW), done))
        again = stored.board(*left)
        answers = list(again.removing(gone.id, now=NOW))
        stored.keep(answers)
        assert not any(change.told for answer in answers for change in answer.changes)
        assert state(again) == state(whole.board)
        assert state(stored.board(*left)) == state(whole.board)


def test_nothing_that_a_removed_service_said_is_stored() -> None:
    house = full_house(SEERR, RADARR, SONARR, PLEX)
    stored = Stored(house.answers)
    for service in (SEERR, RADARR, SONARR, PLEX):
        stored.keep(house.board.removing(service.id, now=NOW))
    kept = stored.kept
    assert not kept.requests
    assert {one.holdings for one in kept.titles} == {()}
    assert all(not one.own_ids for one in kept.titles)
    parts = [part for one in kept.arrivals for part in (one.whole, *one.parts.values())]
    assert {claims.service for part in parts for claims in part.claims} == {""}
    assert not any(part.watches for part in parts)
    assert not any(one.requests for one in kept.arrivals)


def test_a_new_service_that_was_cut_short_is_taken_again() -> None:
    """What is available stays so with the first media server, whenever the end came."""
    pieces = len(list(full_house(RADARR, SONARR).board.configuring(PLEX, now=NOW)))
    assert pieces == 6
    for done in range(pieces + 1):
        house = full_house(RADARR, SONARR)
        assert house.stage(film(2)) is house.stage(film(3)) is Stage.AVAILABLE
        stored = Stored(house.answers)
        stored.keep(islice(house.board.configuring(PLEX, now=NOW), done))
        again = stored.board(RADARR, SONARR)
        stored.keep(again.configuring(PLEX, now=NOW))
        later = stored.board(RADARR, SONARR, PLEX)
        assert PLEX.id in again.services
        for board in (again, later):
            # A better file has the stage worked out anew.
            board.apply(file(RADARR, film(2), 50), now=NOW)
            title = board.find(FILM.media_type, film(2).ids)
            assert title is not None
            assert [one.stage for one in board.arrivals_of(title.id)] == [Stage.AVAILABLE]


def test_a_service_is_known_once_all_is_taken() -> None:
    """Whoever stops in between has changed nothing that matters: the stages are the same."""
    house = full_house(RADARR, SONARR)
    pieces = house.board.configuring(PLEX, now=NOW)
    next(pieces)
    assert PLEX.id not in house.board.services
    assert not any(change.told for piece in pieces for change in piece.changes)
    assert PLEX.id in house.board.services


def test_what_changes_no_say_changes_no_arrival() -> None:
    """A second media server, another tier, the same again."""
    house = full_house(SEERR, RADARR, SONARR, PLEX)
    before = state(house.board)
    for service in (PLEX, replace(PLEX, id="other"), replace(RADARR, tier=Tier.UHD)):
        assert list(house.board.configuring(service, now=NOW)) == []
    assert state(house.board)[:-1] == before[:-1]
    assert house.board.services["radarr"].tier is Tier.UHD


def test_what_is_settled_already_is_not_written_again() -> None:
    house = full_house(SEERR, RADARR, SONARR, PLEX)
    list(house.board.removing(PLEX.id, now=NOW))
    again = [
        one.id for piece in house.board.removing("other", now=NOW + 5) for one in piece.arrivals
    ]
    assert again == []


def test_forgetting_comes_in_pieces_and_tells_of_what_is_shown_once() -> None:
    house = full_house(SEERR, RADARR, SONARR, PLEX)
    again = request(film(0), 5, Decision.APPROVED, number=77)
    house.hear(again, silent=True)
    by = origin(SEERR)
    pieces = list(
        house.board.screening_viewers(lambda one: None if one == ANNA else one, now=NOW, origin=by)
    )
    assert len(pieces) == len(list(house.board.arrivals())) == 6
    assert [len(piece.arrivals) for piece in pieces if piece.arrivals] == [1]
    pieces = list(
        house.board.forgetting_requesters(lambda _, who: who.name == "Mia", now=NOW, origin=by)
    )
    assert [len(piece.requests) for piece in pieces] == [1] * 6
    # Two requests cover the first film, one covers two seasons.
    assert [len(piece.changes) for piece in pieces] == [1, 1, 1, 1, 2, 0]


def test_what_is_said_of_many_films_is_kept_once() -> None:
    """Who watches much, and a request for all that there is of a title."""
    house = full_house(SEERR, RADARR, SONARR, PLEX)
    who = 33
    for number in (2, 3):
        house.hear(watched(film(number), 50, f"plex:{who}"), silent=True)
    first, second = (house.arrival(film(number)).whole.watches[-1] for number in (2, 3))
    assert first.viewer is second.viewer
    board = house.board
    series = house.board.request((SEERR.id, 9))
    assert series is not None
    assert series.arrivals is board._of_title[series.title_id]  # noqa: SLF001
    assert series.arrivals == tuple(house.arrival(SHOW, season).id for season in (1, 2))


def test_a_request_that_covers_nothing_yet_keeps_its_title() -> None:
    """Its title's finished arrivals leave the live board; it can still be removed."""
    house = House((SEERR, RADARR))
    house.hear(
        held(RADARR, FILM, 0, opens=True),
        request(FILM, 1, number=5, tier=Tier.UNKNOWN),
        silent=True,
    )
    house.board.unload([house.arrival().id])
    kept = house.board.request((SEERR.id, 5))
    assert kept is not None
    assert house.board.title(kept.title_id).ids == FILM.ids
    dropped = [
        key
        for piece in house.board.removing(SEERR.id, now=NOW + DAY)
        for key in piece.dropped_requests
    ]
    assert dropped == [(SEERR.id, 5)]
