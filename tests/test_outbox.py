"""What is still to be told outlives a crash, and becomes one story per arrival."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from homeassistant.core import HomeAssistant

from custom_components.media_arrivals.engine.board.board import Board
from custom_components.media_arrivals.engine.board.models import Change, ChangeKind, Stage
from custom_components.media_arrivals.outbox import Watermark, coalesce, from_outbox, to_outbox
from custom_components.media_arrivals.publishing import Publisher
from tests.engine.board.household import (
    ANNA,
    BEN,
    FILM,
    NOON,
    PLEX,
    RADARR,
    SEERR,
    SHOW,
    SONARR,
    download,
    episodes,
    file,
    held,
    request,
    watched,
)


def board() -> Board:
    found = Board()
    found.know((RADARR, SONARR, SEERR, PLEX))
    return found


def told(found: Board, *reports: object) -> list[Change]:
    changes = [
        change
        for report in reports
        for change in found.apply(report, now=NOON + 100).changes  # type: ignore[arg-type]
    ]
    return [change for change in changes if change.told]


def test_the_number_survives(tmp_path: Path) -> None:
    path = tmp_path / "told"
    first = Watermark.open(path)
    assert first.number == 0
    first.number = 2**40
    # What is in the page is there without being written out.
    assert Watermark.open(path).number == 2**40
    first.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_garbled_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "told"
    path.write_bytes(b"123")
    watermark = Watermark.open(path)
    assert watermark.number == 0
    watermark.close()


def test_a_file_that_cannot_be_mapped_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no mapping here")

    monkeypatch.setattr("custom_components.media_arrivals.outbox.mmap.mmap", refuse)
    with pytest.raises(OSError, match="no mapping here"):
        Watermark.open(tmp_path / "told")


def test_only_what_was_not_told_comes_back() -> None:
    found = board()
    changes = told(found, request(FILM, 0), request(SHOW, 0, number=2, seasons=(1,)))
    assert len(changes) == 2

    restored, last = from_outbox(to_outbox(changes, 8), 8, found)

    assert last == 9
    assert restored == (changes[1],)


def test_a_request_comes_back_with_its_change() -> None:
    found = board()
    asked = told(found, request(FILM, 0))[0]
    available = Change(
        kind=ChangeKind.REQUEST,
        title=asked.title,
        arrival=asked.arrival,
        stage=Stage.AVAILABLE,
        previous=Stage.DOWNLOADED,
        origin=asked.origin,
        happened_at=NOON,
        known_at=NOON + 5,
        request=found.requests_of(asked.arrival)[0],
    )

    restored, _ = from_outbox(to_outbox([available], 1), 0, found)

    assert restored == (available,)


def test_what_is_about_an_arrival_that_is_gone_is_dropped() -> None:
    found = board()
    changes = told(found, request(FILM, 0))

    assert from_outbox(to_outbox(changes, 1), 0, board()) == ((), 1)


def test_many_changes_become_one_with_the_final_stage() -> None:
    found = board()
    changes = told(
        found,
        request(FILM, 0),
        download(RADARR, FILM, 10, opens=True),
        file(RADARR, FILM, 20),
    )
    assert len(changes) > 1

    (final,) = coalesce(changes, found)

    assert final.stage is changes[-1].stage
    assert final.previous is changes[0].previous
    assert final.arrival is found.get(final.arrival.id)


def test_what_ends_where_it_began_is_not_told() -> None:
    found = board()
    (asked,) = told(found, request(FILM, 0))
    (begun,) = told(found, download(RADARR, FILM, 10, opens=True))
    back = Change(
        kind=ChangeKind.STAGE,
        title=asked.title,
        arrival=begun.arrival,
        stage=asked.stage,
        previous=begun.stage,
        origin=asked.origin,
        happened_at=NOON + 20,
        known_at=NOON + 20,
    )

    assert coalesce([begun, back], found) == ()


def test_episodes_are_told_only_where_the_season_did_not_move() -> None:
    found = board()
    (season,) = told(found, request(SHOW, 0, number=2, seasons=(1,)))
    (film,) = told(found, request(FILM, 0))

    def episode(of: Change, stage: Stage, at: float) -> Change:
        return Change(
            kind=ChangeKind.PART,
            title=of.title,
            arrival=of.arrival,
            stage=stage,
            previous=None,
            origin=of.origin,
            happened_at=NOON + at,
            known_at=NOON + at,
            part="e5",
        )

    changes = [
        episode(season, Stage.DOWNLOADING, 10),
        film,
        episode(film, Stage.DOWNLOADING, 11),
        episode(season, Stage.AVAILABLE, 12),
    ]

    result = coalesce(changes, found)

    assert [(one.kind, one.stage) for one in result] == [
        (ChangeKind.STAGE, film.stage),
        (ChangeKind.PART, Stage.AVAILABLE),
    ]


def test_that_a_request_became_available_is_told_once() -> None:
    found = board()
    (asked,) = told(found, request(FILM, 0))
    available = replace(
        asked,
        kind=ChangeKind.REQUEST,
        stage=Stage.AVAILABLE,
        request=found.requests_of(asked.arrival)[0],
    )

    result = coalesce([asked, available, available], found)

    assert [one.kind for one in result] == [ChangeKind.STAGE, ChangeKind.REQUEST]


def test_what_left_the_board_is_told_as_it_was() -> None:
    changes = told(board(), request(FILM, 0))

    assert coalesce(changes, board()) == tuple(changes)


# --- who watched ------------------------------------------------------------------------------


def watches(changes: tuple[Change, ...]) -> list[tuple[str | None, bool]]:
    """Return which part was watched, or no longer."""
    return [(one.part, one.watch.watched) for one in changes if one.watch is not None]


def test_what_was_watched_comes_back_without_who_it_was() -> None:
    found = board()
    told(found, request(FILM, 0))
    changes = told(found, watched(FILM, 5), watched(FILM, 6, BEN), watched(FILM, 7, yes=False))
    document = to_outbox(changes, 1)
    assert "plex:" not in json.dumps(document)

    # As it comes out of the database.
    restored, last = from_outbox(json.loads(json.dumps(document)), 0, found)

    assert last == 3
    assert watches(restored) == [(None, True), (None, True), (None, False)]
    assert {one.kind for one in restored} == {ChangeKind.WATCHED}
    # Who is named when it is told is kept until then, and nobody else.
    named, _ = from_outbox(to_outbox(changes, 1, [ANNA]), 0, found)
    assert [one.watch and one.watch.viewer for one in named] == [ANNA, "2", ANNA]
    # They are still told apart, also after a second time, beside what is new.
    again, _ = from_outbox(to_outbox([*restored, *changes[:1]], 4), 3, found)
    assert watches(coalesce(restored, found)) == [(None, True), (None, False)]
    viewers = [one.watch.viewer for one in again if one.watch is not None]
    assert viewers[0] == viewers[2]
    assert len(set(viewers)) == 3


async def test_watching_that_waits_outlives_a_restart_and_is_told_once(
    hass: HomeAssistant,
) -> None:
    found = board()
    told(found, request(FILM, 0))
    changes = told(
        found,
        watched(FILM, 5),
        watched(FILM, 6, yes=False),
        watched(FILM, 7),
        watched(FILM, 8, BEN),
    )
    stored = json.dumps(Publisher(hass).outbox(changes))
    assert "plex:" not in stored

    again = Publisher(hass)
    again.restore(json.loads(stored), found)

    # Stored once more while it waits, and then let go.
    assert "plex:" not in json.dumps(again.outbox(()))
    assert watches(again.let_go(found)) == [(None, True), (None, True)]
    assert again.let_go(found) == ()


def test_watching_is_told_once_for_each_episode_and_viewer_with_how_it_ended() -> None:
    found = board()
    told(
        found,
        request(SHOW, 0, number=2, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 3),
    )
    changes = told(
        found,
        watched(SHOW, 5, ANNA, 1),
        watched(SHOW, 6, ANNA, 2),
        watched(SHOW, 7, BEN, 1),
        watched(SHOW, 8, ANNA, 1, yes=False),
        watched(SHOW, 9, ANNA, 2, yes=False),
        watched(SHOW, 10, ANNA, 2),
    )
    assert len(changes) == 6

    assert watches(coalesce(changes, found)) == [("e1", True), ("e1", False), ("e2", True)]


def test_watching_stands_beside_the_stage() -> None:
    found = board()
    changes = told(found, request(FILM, 0), file(RADARR, FILM, 4), watched(FILM, 5))

    assert [one.kind for one in coalesce(changes, found)] == [ChangeKind.STAGE, ChangeKind.WATCHED]
