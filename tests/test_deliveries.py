"""Deliveries that wait: in their order, each once, and few of them in memory."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.media_arrivals.deliveries import (
    LARGE_BODY,
    MAX_KEPT,
    Backlog,
    Delivered,
    read_json,
    read_out,
)
from custom_components.media_arrivals.engine.board.models import (
    MediaType,
    Outcome,
    Reason,
    Role,
    Service,
)
from custom_components.media_arrivals.engine.connectors.base import Delivery
from custom_components.media_arrivals.engine.connectors.registry import decoder
from custom_components.media_arrivals.engine.storage.journal import Journal
from custom_components.media_arrivals.engine.storage.models import JournalMark
from custom_components.media_arrivals.engine.storage.storage import Storage
from custom_components.media_arrivals.privacy import Privacy
from tests.payloads import radarr_grab, radarr_rename, radarr_test

RADARR = Service(id="radarr", kind="radarr", role=Role.DOWNLOADS, media_type=MediaType.MOVIE)


async def written(journal: Journal, payload: str = "{}") -> Delivered:
    """Write a delivery down."""
    row = await journal.append(RADARR.id, RADARR.kind, "Grab", payload, 1.0)
    return Delivered(
        service=RADARR,
        source=RADARR.kind,
        received_at=1.0,
        event_type="Grab",
        payload=payload,
        row=row,
    )


async def taken(backlog: Backlog, journal: Journal, limit: int) -> list[int]:
    """Take as the worker does; return the rows."""
    rows = [one.row for one in backlog.take(limit)]
    return rows or [row.id for row in await backlog.read(journal, limit)]


def nothing_waits(backlog: Backlog) -> bool:
    """Ask anew each time: a type checker believes that an answer lasts."""
    return backlog.empty


# --- waiting ------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.integers(1, MAX_KEPT), min_size=1, max_size=8),
    limit=st.sampled_from([1, 7, MAX_KEPT]),
    left=st.integers(0, 9),
)
async def test_each_is_taken_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], limit: int, left: int
) -> None:
    storage = await Storage.open(tmp_path_factory.mktemp("backlog") / "media_arrivals.db")
    backlog = Backlog()
    for _ in range(left):
        await written(storage.journal)
    backlog.resume(await storage.journal.last_pending())
    assert backlog.behind(left) is bool(left)
    found: list[int] = []
    number = left
    for coming in steps:
        for _ in range(coming):
            backlog.put(await written(storage.journal))
        number += coming
        for _ in range(3):
            if not backlog.empty:
                found += await taken(backlog, storage.journal, limit)
    while not backlog.empty:
        found += await taken(backlog, storage.journal, limit)
    await storage.close()

    assert found == list(range(1, number + 1))
    assert not backlog.behind(left)


async def test_few_are_kept_in_memory(tmp_path: Path) -> None:
    storage = await Storage.open(tmp_path / "media_arrivals.db")
    backlog = Backlog()
    waiting = [await written(storage.journal) for _ in range(MAX_KEPT + 3)]
    for one in waiting:
        backlog.put(one)

    assert backlog.take(1_000) == waiting[:MAX_KEPT]
    assert not nothing_waits(backlog)
    # As long as one is only in the journal, those after it are, too.
    backlog.put(await written(storage.journal))
    assert backlog.take(1_000) == []
    assert len(await backlog.read(storage.journal, 3)) == 3
    assert not nothing_waits(backlog)
    assert len(await backlog.read(storage.journal, 3)) == 1
    assert nothing_waits(backlog)

    # A large one waits on the disk as well.
    backlog.put(await written(storage.journal, "x" * (LARGE_BODY + 1)))
    assert backlog.take(1) == []
    assert len(await backlog.read(storage.journal, 3)) == 1
    last = await written(storage.journal)
    backlog.put(last)
    assert backlog.take(1) == [last]
    await storage.close()


async def test_what_vanished_or_was_worked_off_holds_nobody_up(tmp_path: Path) -> None:
    storage = await Storage.open(tmp_path / "media_arrivals.db")
    backlog = Backlog()
    rows = [await written(storage.journal) for _ in range(4)]
    backlog.resume(rows[-1].row)
    await storage.journal.mark(JournalMark(id=2, outcome=Outcome.PROCESSED, at=1.0))
    assert [row.id for row in await backlog.read(storage.journal, 2)] == [1, 3]
    await storage.forget_service(RADARR.id)

    assert await backlog.read(storage.journal, 2) == ()
    assert nothing_waits(backlog)
    await storage.close()


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [radarr_grab(), radarr_rename(), radarr_test(), [1], {}])
def test_what_is_read_before_the_answer_says_the_same_as_the_whole(body: object) -> None:
    sent = json.dumps(body).encode()
    whole = decoder("radarr").decode(RADARR, Delivery(body=sent, received_at=1.0))

    delivery = Delivery(body=sent, received_at=1.0, document=read_json(sent))
    told = read_out(RADARR, delivery, Privacy())

    assert told.event_type == whole.event_type
    assert (told.decoded is None) is (whole.event_type == "Grab")
    assert told.decoded in {None, whole}
    if whole.ignored is not Reason.UNREADABLE:
        assert told.read() == whole
    # What is in the journal says it, too.
    told.document = None
    assert told.read().reports == whole.reports
    assert told.read().ignored == whole.ignored
