"""The board comes back as it was, and what is finished can be found again."""

import asyncio
import gc
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    Applied,
    Arrival,
    Change,
    ChangeKind,
    Claims,
    ExternalIds,
    Flag,
    Holding,
    MediaType,
    Origin,
    Outcome,
    Person,
    Role,
    Stage,
    Tier,
    Via,
    Watch,
)
from custom_components.media_arrivals.engine.storage import board_store
from custom_components.media_arrivals.engine.storage.models import (
    Commit,
    JournalMark,
    LoadedBoard,
    StorageError,
    TimelineEntry,
)
from custom_components.media_arrivals.engine.storage.storage import Storage

from .household import (
    DAY,
    NOON,
    RADARR,
    SEERR,
    SONARR,
    arrival,
    busy,
    claims,
    part,
    request,
    step,
    title,
)

MOVIE = MediaType.MOVIE
SERIES = MediaType.SERIES


async def store(storage: Storage, *numbers: int) -> None:
    """Store films with an arrival, a request and two steps each."""
    await storage.commit(
        Commit(
            titles=[title(number) for number in numbers],
            arrivals=[arrival(number) for number in numbers],
            requests=[request(number) for number in numbers],
            timeline=[
                step(number, stage)
                for number in numbers
                for stage in (Stage.SENT, Stage.DOWNLOADED)
            ],
        )
    )


def ids_of(board: LoadedBoard | None) -> tuple[list[str], list[str], list[int]]:
    assert board is not None
    return (
        sorted(one.id for one in board.titles),
        sorted(one.id for one in board.arrivals),
        sorted(one.request_id for one in board.requests),
    )


async def reopened(storage: Storage) -> Storage:
    await storage.close()
    return await Storage.open(storage.path)


def spoil(path: Path, *statements: str) -> None:
    """Change a closed file behind the storage's back."""
    connection = sqlite3.connect(path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


# --- what is written in one go ---------------------------------------------------------


async def test_the_live_board_comes_back(storage: Storage) -> None:
    series = title(2, media_type=SERIES, ids=ExternalIds(tvdb=5), aliases=("title-0",))
    season = arrival(2, season=1, parts={"e1": part(1), "e2": part(2)}, aliases=("arrival-0",))
    asked = request(2, seasons=(1,), requester=None)
    await store(storage, 1)
    await storage.commit(Commit(titles=[series], arrivals=[season], requests=[asked]))
    again = await reopened(storage)
    assert await again.load_live() == LoadedBoard(
        titles=(title(1), series), arrivals=(arrival(1), season), requests=(request(1), asked)
    )
    await again.close()


async def test_a_commit_is_all_or_nothing(storage: Storage) -> None:
    row_id = await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    with pytest.raises(StorageError):
        await storage.commit(
            Commit(
                titles=[title(1)],
                arrivals=[arrival(1), arrival(2, title_id="nowhere")],
                marks=[JournalMark(id=row_id, outcome=Outcome.PROCESSED, at=NOON)],
                cursors={RADARR: {"a": 1}},
            )
        )
    assert await storage.load_live() == LoadedBoard()
    assert [row.id for row in await storage.journal.pending()] == [row_id]
    assert await storage.cursors.load() == {}


async def test_commits_that_wait_together_are_written_in_order(
    storage: Storage, statements: list[str]
) -> None:
    async with busy(storage):
        commits = [
            asyncio.create_task(
                storage.commit(Commit(titles=[title(1)], arrivals=[arrival(1, journey=journey)]))
            )
            for journey in range(1, 6)
        ]
    await asyncio.gather(*commits)
    assert statements.count("COMMIT") == 1
    assert [one.journey for one in (await storage.load_live()).arrivals] == [5]


async def test_the_newest_word_replaces_the_older(storage: Storage) -> None:
    await store(storage, 1)
    moved = arrival(1, stage=Stage.AVAILABLE, available_at=NOON + 9, requests=((SEERR, 1),))
    renamed = title(1, "The Lightkeeper", ids=ExternalIds(tmdb=99), own_ids={RADARR: 98})
    done = request(1, stage=Stage.AVAILABLE, told=True, requester=Person(name="Ben"))
    await storage.commit(Commit(titles=[renamed], arrivals=[moved], requests=[done]))
    assert await storage.load_live() == LoadedBoard(
        titles=(renamed,), arrivals=(moved,), requests=(done,)
    )
    assert await storage.title(MOVIE, ExternalIds(tmdb=1)) is None
    assert ids_of(await storage.title(MOVIE, ExternalIds(tmdb=99)))[0] == ["title-1"]


async def test_what_was_merged_lives_on_in_the_other(storage: Storage) -> None:
    await store(storage, 1, 2, 3)
    await storage.commit(
        Commit(
            titles=[title(1, aliases=("title-2",), ids=ExternalIds(tmdb=1, tvdb=2))],
            arrivals=[arrival(1, aliases=("arrival-2",))],
            dropped_titles=["title-2"],
            dropped_arrivals=["arrival-2"],
            timeline=[step(2, Stage.AVAILABLE)],
        )
    )
    board = await storage.load_live()
    assert ids_of(board) == (["title-1", "title-3"], ["arrival-1", "arrival-3"], [1, 2, 3])
    # What the board did not have in hand belongs to the survivor, too.
    assert {one.request_id: one.title_id for one in board.requests} == {
        1: "title-1",
        2: "title-1",
        3: "title-3",
    }
    steps = await storage.timeline("arrival-1")
    assert [one.stage for one in steps] == [
        Stage.SENT,
        Stage.DOWNLOADED,
        Stage.SENT,
        Stage.DOWNLOADED,
        Stage.AVAILABLE,
    ]
    assert await storage.timeline("arrival-2") == steps
    found = await storage.arrival("arrival-2")
    assert found is not None
    assert [one.id for one in found.arrivals] == ["arrival-1"]

    await storage.commit(
        Commit(
            arrivals=[arrival(3, aliases=("arrival-1", "arrival-2"))],
            dropped_arrivals=["arrival-1"],
        )
    )
    assert len(await storage.timeline("arrival-2")) == 7


async def test_an_overview_is_kept_beside_the_title(storage: Storage) -> None:
    await store(storage, 1, 2, 3)
    assert await storage.overview("title-1") is None
    assert await storage.overview("title-9") is None
    await storage.commit(Commit(overviews={"title-1": "A keeper \ud83d", "title-2": "The sea."}))
    assert await storage.overview("title-1") == "A keeper ?"
    # The title itself says only that there is one, and being stored anew it keeps it.
    await storage.commit(Commit(titles=[title(1)], overviews={"title-1": "In other words."}))
    assert await storage.overview("title-1") == "A keeper ?"
    board = await storage.load_live()
    assert [one.described for one in board.titles] == [True, True, False]

    merge = Commit(
        titles=[title(1, aliases=("title-2",)), title(3, aliases=("title-4",))],
        overviews={"title-4": "Told just before."},
        dropped_titles=["title-2", "title-4"],
    )
    await storage.commit(merge)
    assert await storage.overview("title-1") == "A keeper ?"
    assert await storage.overview("title-3") == "Told just before."
    await storage.commit(
        Commit(titles=[title(5, aliases=("title-3",))], dropped_titles=["title-3"])
    )
    assert await storage.overview("title-5") == "Told just before."


async def test_what_is_equal_is_read_once(storage: Storage) -> None:
    await store(storage, 1)
    await storage.commit(
        Commit(arrivals=[arrival(1, requests=((SEERR, 1),)), arrival(2, "title-1", season=2)])
    )
    board = await storage.load_live()
    (film,), (asked,) = board.titles, board.requests
    first, second = board.arrivals
    assert first.title_id is second.title_id is asked.title_id is film.id
    assert asked.arrivals[0] is first.id
    assert first.requests[0] is asked.key
    (said,) = first.whole.claims
    assert first.stage_at is first.opened_at is said.file.first_yes is said.file.last_yes


async def test_what_was_dropped_is_gone_with_all_of_it(storage: Storage) -> None:
    await store(storage, 1, 2)
    await storage.commit(
        Commit(
            titles=[title(1)],
            arrivals=[arrival(1)],
            dropped_titles=["title-1"],
            dropped_arrivals=["arrival-1"],
            dropped_requests=[(SEERR, 2)],
            timeline=[step(1, Stage.AVAILABLE)],
        )
    )
    assert ids_of(await storage.load_live()) == (["title-2"], ["arrival-2"], [])
    assert await storage.timeline("arrival-1") == ()
    assert await storage.arrival("arrival-1") is None


async def test_a_request_number_may_come_back_as_another_request(storage: Storage) -> None:
    await store(storage, 1, 2)
    await storage.commit(
        Commit(dropped_requests=[(SEERR, 1)], requests=[request(1, title_id="title-2")])
    )
    assert (await storage.load_live()).requests == (
        request(2),
        request(1, title_id="title-2"),
    )


async def test_an_id_belongs_to_the_title_that_had_it_last(storage: Storage) -> None:
    await store(storage, 1)
    await storage.retire(["arrival-1"])
    newer = title(2, own_ids={RADARR: 1})
    await storage.commit(Commit(titles=[newer], arrivals=[arrival(2)]))
    await storage.retire(["arrival-2"])
    assert ids_of(await storage.recall(MOVIE, ExternalIds(), (RADARR, 1)))[0] == ["title-2"]


async def test_the_boards_answers_are_joined(storage: Storage) -> None:
    origin = Origin(
        service=RADARR,
        kind="radarr",
        role=Role.DOWNLOADS,
        via=Via.ACTION,
        context_id="context",
        user_id="anna",
    )

    def change(kind: ChangeKind, one: Arrival, **fields: Any) -> Change:
        return Change(
            kind=kind,
            title=title(1),
            arrival=one,
            stage=one.stage,
            previous=Stage.SENT,
            origin=origin,
            happened_at=NOON,
            known_at=NOON + 3600,
            **fields,
        )

    first, last = arrival(1), arrival(1, stage=Stage.AVAILABLE)
    commit = Commit.of(
        [
            Applied(
                outcome=Outcome.PROCESSED,
                titles=(title(1), title(2)),
                arrivals=(first, arrival(2)),
                requests=(request(1), request(2)),
                changes=(
                    change(ChangeKind.STAGE, first),
                    change(ChangeKind.DETAIL, first),
                ),
            ),
            Applied(
                outcome=Outcome.PROCESSED,
                arrivals=(last,),
                requests=(request(1, title_id="title-1", told=True),),
                dropped_titles=("title-2",),
                dropped_arrivals=("arrival-2",),
                dropped_requests=((SEERR, 1), (SEERR, 2)),
                changes=(
                    change(ChangeKind.PART, last, part="e7", parts=("e7", "e8"), silent=True),
                    change(ChangeKind.REQUEST, last),
                ),
            ),
        ],
        cursors={RADARR: {"a": 1}},
    )
    assert commit == Commit(
        titles=(title(1),),
        arrivals=(last,),
        requests=(request(1, told=True),),
        dropped_titles=("title-2",),
        dropped_arrivals=("arrival-2",),
        dropped_requests=((SEERR, 2),),
        timeline=(
            TimelineEntry(
                arrival_id="arrival-1",
                journey=1,
                stage=Stage.DOWNLOADED,
                previous=Stage.SENT,
                happened_at=NOON,
                known_at=NOON + 3600,
                late=True,
                silent=False,
                service=RADARR,
                kind="radarr",
                via=Via.ACTION,
                context_id="context",
                user_id="anna",
            ),
            TimelineEntry(
                arrival_id="arrival-1",
                journey=1,
                stage=Stage.AVAILABLE,
                previous=Stage.SENT,
                happened_at=NOON,
                known_at=NOON + 3600,
                late=True,
                silent=True,
                service=RADARR,
                kind="radarr",
                via=Via.ACTION,
                part="e7",
                parts=("e7", "e8"),
                context_id="context",
                user_id="anna",
            ),
        ),
        cursors={RADARR: {"a": 1}},
    )
    await storage.commit(commit)
    assert await storage.timeline("arrival-1") == tuple(commit.timeline)


# --- leaving the live board, and coming back --------------------------------------------


async def test_what_is_retired_is_not_loaded_but_found(storage: Storage) -> None:
    await store(storage, 1, 2)
    await storage.retire(["arrival-1"])
    again = await reopened(storage)
    assert ids_of(await again.load_live()) == (["title-2"], ["arrival-2"], [2])
    found = await again.arrival("arrival-1")
    assert found == LoadedBoard(titles=(title(1),), arrivals=(arrival(1),), requests=(request(1),))
    assert len(await again.timeline("arrival-1")) == 2
    await again.close()


@pytest.mark.parametrize(
    ("ids", "own"),
    [
        (ExternalIds(tmdb=1), None),
        (ExternalIds(tmdb=77, imdb="tt0000001"), None),
        (ExternalIds(), (RADARR, 1)),
        (ExternalIds(tvdb=5), (RADARR, 1)),
    ],
)
async def test_a_report_brings_a_title_back(
    storage: Storage, ids: ExternalIds, own: tuple[str, int] | None
) -> None:
    await store(storage, 1, 2)
    await storage.retire(["arrival-1", "arrival-2"])
    assert ids_of(await storage.recall(MOVIE, ids, own)) == (["title-1"], ["arrival-1"], [1])
    # From then on it is live, also after a restart, and there is nothing more to bring.
    assert await storage.recall(MOVIE, ids, own) is None
    assert ids_of(await storage.load_live()) == (["title-1"], ["arrival-1"], [1])


@pytest.mark.parametrize(
    ("media_type", "ids", "own"),
    [
        (SERIES, ExternalIds(tmdb=1), None),
        (MOVIE, ExternalIds(tmdb=5), None),
        (MOVIE, ExternalIds(), None),
        (MOVIE, ExternalIds(), (SONARR, 1)),
        (MOVIE, ExternalIds(), (RADARR, 5)),
        # The service uses the number for another film now.
        (MOVIE, ExternalIds(tmdb=5), (RADARR, 1)),
    ],
)
async def test_a_report_on_something_else_brings_nothing_back(
    storage: Storage, media_type: MediaType, ids: ExternalIds, own: tuple[str, int] | None
) -> None:
    await store(storage, 1)
    await storage.retire(["arrival-1"])
    assert await storage.recall(media_type, ids, own) is None


async def test_ids_of_two_titles_bring_both_back(storage: Storage) -> None:
    await store(storage, 1, 2)
    await storage.retire(["arrival-1", "arrival-2"])
    board = await storage.recall(MOVIE, ExternalIds(tmdb=1, imdb="tt0000002"))
    assert ids_of(board)[1] == ["arrival-1", "arrival-2"]


async def test_the_finished_rest_of_a_live_title_comes_back(storage: Storage) -> None:
    await store(storage, 1)
    await storage.commit(Commit(arrivals=[arrival(5, title_id="title-1", tier=Tier.UHD)]))
    await storage.retire(["arrival-1"])
    board = await storage.recall(MOVIE, ExternalIds(tmdb=1))
    assert ids_of(board) == (["title-1"], ["arrival-1"], [1])


async def test_a_title_without_arrivals_comes_back(storage: Storage) -> None:
    await storage.commit(Commit(titles=[title(1)]))
    assert await storage.recall(MOVIE, ExternalIds(tmdb=1)) == LoadedBoard(titles=(title(1),))


async def test_a_request_stays_live_as_long_as_one_of_its_arrivals(storage: Storage) -> None:
    await storage.commit(
        Commit(
            titles=[title(1)],
            arrivals=[arrival(1), arrival(2, title_id="title-1")],
            requests=[
                request(1, arrivals=("arrival-1", "arrival-2")),
                request(2, title_id="title-1", arrivals=("arrival-1",)),
                request(3, title_id="title-1", arrivals=()),
            ],
        )
    )
    await storage.retire(["arrival-1"])
    assert ids_of(await storage.load_live())[2] == [1, 3]
    await storage.retire(["arrival-2"])
    assert ids_of(await storage.load_live()) == (["title-1"], [], [3])


async def test_what_arrived_lately_and_is_not_live_any_more(storage: Storage) -> None:
    numbers = range(1, 6)
    arrived = {1: NOON, 2: NOON + 5, 3: NOON + 5, 4: NOON + 9, 5: None}
    await storage.commit(
        Commit(
            titles=[title(number) for number in numbers],
            arrivals=[
                # A service's clock may be ahead of ours.
                arrival(number, available_at=arrived[number], known_at=NOON + 9 - DAY / 2)
                for number in numbers
            ],
        )
    )
    await storage.retire(["arrival-1", "arrival-2", "arrival-4", "arrival-5"])
    assert await storage.retired_since(NOON + 5) == (
        ("arrival-2", NOON + 5),
        ("arrival-4", NOON + 9),
    )
    assert await storage.retired_since(NOON + 10) == ()


async def test_many_can_be_retired(storage: Storage) -> None:
    await store(storage, *range(600))
    await storage.retire(f"arrival-{number}" for number in range(599))
    assert ids_of(await storage.load_live()) == (["title-599"], ["arrival-599"], [599])


async def test_what_is_loaded_gives_the_garbage_collector_little_to_look_through(
    storage: Storage,
) -> None:
    """Were it more, a large board would have all of Home Assistant looked through at its start."""
    await store(storage, *range(600))
    gc.collect()
    before = len(gc.get_objects())
    board = await storage.load_live()
    gc.collect()
    assert (len(gc.get_objects()) - before) / len(board.arrivals) < 14


async def test_what_is_spoilt_loses_nothing_else(storage: Storage) -> None:
    await store(storage, 1, 2, 3, 4)
    await storage.close()
    spoil(
        storage.path,
        "UPDATE titles SET document = '[]' WHERE id = 'title-1'",
        "UPDATE arrivals SET document = '{' WHERE id = 'arrival-2'",
        "UPDATE requests SET stage = 'beamed' WHERE request_id = 3",
        "UPDATE timeline SET via = 'pigeon' WHERE id = 7",
    )
    again = await Storage.open(storage.path)
    board = await again.load_live()
    assert ids_of(board) == (
        ["title-2", "title-3", "title-4"],
        ["arrival-3", "arrival-4"],
        [2, 4],
    )
    # The title (met twice), what hangs on it, an arrival and a request.
    assert board.unreadable == 6
    assert await again.arrival("arrival-1") is None
    assert len(await again.timeline("arrival-4")) == 1
    await again.close()


# --- finding ----------------------------------------------------------------------------


@pytest.fixture
async def shelf(storage: Storage) -> Storage:
    """Store four titles; the first is no longer live."""
    await storage.commit(
        Commit(
            titles=[
                title(1, "Über den Wolken"),
                title(2, "100% Cotton_Wool"),
                title(3, "The Clouds", media_type=SERIES, own_ids={SONARR: 3}, holdings=()),
                title(4, None, holdings=(Holding("01OTHER", Tier.UHD, Flag(1.0)),)),
            ],
            arrivals=[
                arrival(1, stage=Stage.AVAILABLE),
                arrival(2, requests=((SEERR, 2),)),
                arrival(
                    3,
                    season=1,
                    whole=part(claims=(claims(download=None), Claims(SONARR, own_id=3))),
                    parts={"e1": part(1)},
                ),
                arrival(4, whole=part(claims=())),
                arrival(
                    5,
                    title_id="title-4",
                    tier=Tier.UHD,
                    whole=part(claims=()),
                ),
            ],
            requests=[
                request(1),
                request(2, requester=Person(name="Ben"), arrivals=("arrival-2",)),
                request(4, requester=Person(name="ÄNNE"), arrivals=("arrival-4",)),
            ],
        )
    )
    await storage.retire(["arrival-1"])
    return storage


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"stages": [Stage.AVAILABLE, Stage.FAILED]}, [1]),
        ({"stages": []}, []),
        ({"media_type": SERIES}, [3]),
        ({"text": "cloud"}, [3]),
        ({"text": "ÜBER"}, [1]),
        ({"text": "100% c"}, [2]),
        ({"text": "%"}, [2]),
        ({"text": "n_w"}, [2]),
        ({"text": "n\\"}, []),
        ({"text": ""}, [5, 4, 3, 2, 1]),
        ({"requester": "anna"}, [1]),
        ({"requester": "änne"}, [4]),
        ({"requester": "Ann"}, []),
        ({"service": SONARR}, [3]),
        ({"service": SEERR}, [2]),
        ({"service": RADARR}, [3, 2, 1]),
        ({"service": "01OTHER"}, [5]),
        ({"service": "01OTHER", "text": "lighthouse", "media_type": MOVIE}, [5]),
        ({"limit": 2, "offset": 1}, [4, 3]),
        ({"limit": 0}, []),
    ],
)
async def test_arrivals_are_found(
    shelf: Storage, filters: dict[str, object], numbers: list[int]
) -> None:
    found = await shelf.search(**filters)  # type: ignore[arg-type]
    assert [one.id for one in found.arrivals] == [f"arrival-{number}" for number in numbers]
    assert found.total == (5 if "limit" in filters else len(numbers))
    assert {one.title_id for one in found.arrivals} == set(found.titles)
    assert {number for _, number in found.requests} == {1, 2, 4} & set(numbers)


async def test_a_title_is_looked_at_without_bringing_it_back(shelf: Storage) -> None:
    board = await shelf.title(MOVIE, ExternalIds(tmdb=4))
    assert ids_of(board) == (["title-4"], ["arrival-4", "arrival-5"], [4])
    assert ids_of(await shelf.title(MOVIE, ExternalIds(tmdb=1)))[1] == ["arrival-1"]
    assert "arrival-1" not in ids_of(await shelf.load_live())[1]
    assert await shelf.title(SERIES, ExternalIds(tmdb=1)) is None


# --- the end ----------------------------------------------------------------------------


async def test_old_timelines_go_and_arrivals_stay(storage: Storage) -> None:
    count = 200
    now = NOON + 400 * DAY
    old = [replace(arrival(number), known_at=NOON) for number in range(count)]
    young = arrival(900, title_id="title-0", known_at=now - 10 * DAY)
    await storage.commit(
        Commit(
            titles=[title(number) for number in range(count)],
            arrivals=[*old, young],
            timeline=[
                *(step(number) for number in range(count) for _ in range(3)),
                step(900),
                step(900, known_at=now - 10 * DAY),
            ],
        )
    )
    # The first is still on the board, the last ended only now.
    await storage.retire([*(one.id for one in old[1:]), young.id])
    assert await storage.purge(now, 365) == (count - 1) * 3
    assert len(await storage.timeline("arrival-0")) == 3
    assert len(await storage.timeline("arrival-900")) == 2
    assert await storage.timeline("arrival-7") == ()
    assert await storage.arrival("arrival-7") is not None
    assert await storage.purge(now, 365) == 0


# --- people who are forgotten -------------------------------------------------------------


def seen(*viewers: str) -> tuple[Watch, ...]:
    """Return that viewers watched something, as the Plex here told."""
    return tuple(Watch(viewer, watched=True, at=NOON, service="01PLEX") for viewer in viewers)


def stored(storage_path: Path, query: str) -> list[Any]:
    """Return what is in the file."""
    with closing(sqlite3.connect(storage_path)) as connection:
        return connection.execute(query).fetchall()


def without_one(viewer: str) -> str | None:
    """Forget the first."""
    return None if viewer == "plex:1" else viewer


async def test_a_viewer_is_forgotten_of_all_that_left_the_board(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch by batch; somebody else's watching, and what is live, stays."""
    monkeypatch.setattr(board_store, "_BATCH", 2)
    await store(storage, *range(1, 8))
    watched = [
        arrival(1, whole=part(watches=seen("plex:1"))),
        arrival(2, whole=part(watches=seen("plex:1", "plex:11"))),
        arrival(3, whole=part(watches=seen("plex:11"))),
        arrival(6, whole=part(), parts={"e1": part(1, watches=seen("plex:1"))}, season=1),
        arrival(7, whole=part(watches=seen("plex:1"))),
    ]
    await storage.commit(Commit(arrivals=watched))
    await storage.retire([f"arrival-{number}" for number in range(1, 7)])

    looked_at: list[int] = []
    assert await storage.screen_viewers(without_one, looked_at.append) == 3
    assert sum(looked_at) >= 7
    assert await storage.screen_viewers(without_one) == 0

    left = {}
    for number in range(1, 8):
        board = await storage.arrival(f"arrival-{number}")
        assert board is not None
        (one,) = board.arrivals
        left[number] = [
            watch.viewer for part_ in (one.whole, *one.parts.values()) for watch in part_.watches
        ]
        assert replace(one.whole, watches=()) == part()
    # The last one is live: that is the board's to commit.
    assert left == {1: [], 2: ["plex:11"], 3: ["plex:11"], 4: [], 5: [], 6: [], 7: ["plex:1"]}
    # They are not live again, and found only by the services that still say something.
    assert ids_of(await storage.load_live())[1] == ["arrival-7"]
    found = await storage.search(service="01PLEX")
    assert sorted(one.id for one in found.arrivals) == ["arrival-2", "arrival-3", "arrival-7"]


async def test_what_cannot_be_read_keeps_nobody_from_being_forgotten(storage: Storage) -> None:
    await store(storage, 1, 2)
    watched = [arrival(number, whole=part(watches=seen("plex:1"))) for number in (1, 2)]
    await storage.commit(Commit(arrivals=watched))
    await storage.retire(["arrival-1", "arrival-2"])
    with closing(sqlite3.connect(storage.path)) as connection, connection:
        connection.execute("""UPDATE arrivals SET document = '{"plex:1"' WHERE id = 'arrival-1'""")
        connection.execute("""UPDATE requests SET document = '{"pers' WHERE request_id = 1""")
    assert await storage.screen_viewers(without_one) == 1
    assert await storage.forget_requesters(lambda _, who: who.name == "Anna") == 2


async def test_a_follower_is_forgotten_of_all_that_left_the_board(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_store, "_BATCH", 2)
    await store(storage, *range(1, 5))
    followed = {1: ("anna",), 2: ("ben", "anna"), 3: ("ben",), 4: ("anna",)}
    await storage.commit(
        Commit(arrivals=[arrival(number, followers=who) for number, who in followed.items()])
    )
    await storage.retire([f"arrival-{number}" for number in range(1, 4)])

    assert await storage.forget_follower("anna") == 2
    assert await storage.forget_follower("anna") == 0

    left = {}
    for number in followed:
        board = await storage.arrival(f"arrival-{number}")
        assert board is not None
        left[number] = board.arrivals[0].followers
    # The last one is live: that is the board's to commit.
    assert left == {1: (), 2: ("ben",), 3: ("ben",), 4: ("anna",)}


async def test_a_requester_is_forgotten_of_all_that_left_the_board(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_store, "_BATCH", 2)
    await store(storage, *range(1, 8))
    await storage.commit(Commit(requests=[request(2, requester=Person(name="Ben", id=4))]))
    await storage.retire([f"arrival-{number}" for number in range(1, 7)])

    def anna(service: str, who: Person) -> bool:
        asked.append((service, who))
        return who.name == "Anna"

    asked: list[tuple[str, Person]] = []
    assert await storage.forget_requesters(anna) == 5
    assert ("01SEERR", Person(name="Ben", id=4)) in asked
    assert await storage.forget_requesters(anna) == 0

    rows = stored(
        storage.path,
        "SELECT request_id, requester, requester_folded, document LIKE '%person%', live"
        " FROM requests ORDER BY request_id",
    )
    nobody = [(number, None, None, 0, 0) for number in (1, 3, 4, 5, 6)]
    assert rows == sorted([*nobody, (2, "Ben", "ben", 1, 0), (7, "Anna", "anna", 1, 1)])
    board = await storage.arrival("arrival-1")
    assert board is not None
    assert [one.requester for one in board.requests] == [None]
    assert (await storage.search(requester="anna")).total == 1
