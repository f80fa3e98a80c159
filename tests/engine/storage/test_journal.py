"""Deliveries are written down before they are answered."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from custom_components.media_arrivals.engine.board.models import Outcome, Reason
from custom_components.media_arrivals.engine.storage.journal import PAYLOAD_KEPT
from custom_components.media_arrivals.engine.storage.models import (
    Commit,
    JournalCount,
    JournalMark,
    JournalRow,
    StorageError,
)
from custom_components.media_arrivals.engine.storage.storage import Storage

from .household import DAY, NOON, RADARR, SEERR, SONARR, arrival, busy


async def deliver(
    storage: Storage,
    number: int = 1,
    service: str = RADARR,
    at: float = NOON,
    source: str = "radarr",
) -> int:
    """Append a delivery."""
    return await storage.journal.append(service, source, "Grab", f'{{"movie":{number}}}', at)


async def test_a_delivery_is_there_after_reopening(storage: Storage, path: Path) -> None:
    row_id = await storage.journal.append(RADARR, "radarr", "Grab", '{"movie":1}', NOON)
    await storage.close()
    again = await Storage.open(path)
    assert await again.journal.pending() == (
        JournalRow(
            id=row_id,
            service=RADARR,
            source="radarr",
            event_type="Grab",
            received_at=NOON,
            payload_length=11,
            payload='{"movie":1}',
        ),
    )
    assert await deliver(again) == row_id + 1
    await again.close()


async def test_what_waits_together_shares_a_commit_and_keeps_its_order(
    storage: Storage, statements: list[str]
) -> None:
    async with busy(storage):
        calls = [asyncio.create_task(deliver(storage, number)) for number in range(200)]
    ids = await asyncio.gather(*calls)
    assert ids == list(range(1, 201))
    pending = await storage.journal.pending()
    assert [row.payload for row in pending] == [f'{{"movie":{n}}}' for n in range(200)]
    inserts = [one for one in statements if one.startswith("INSERT INTO webhook_log")]
    assert len(inserts) == 4
    # One statement is a transaction of its own.
    assert not any(one.startswith("BEGIN") for one in statements)


async def test_a_call_that_fails_harms_no_other(storage: Storage) -> None:
    async with busy(storage):
        calls = [
            asyncio.create_task(call)
            for call in (
                deliver(storage, 1),
                storage.journal.append(RADARR, "radarr", "Grab", "{}", None),  # type: ignore[arg-type]
                storage.commit(Commit(records={RADARR: {"received": 1}})),
                storage.commit(Commit(arrivals=[arrival(1)])),
                storage.records.save(RADARR, {"no": object()}),  # type: ignore[dict-item]
                deliver(storage, 2),
            )
        ]
    good, bad, record, homeless, fault, other = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(bad, StorageError)
    assert isinstance(bad.__cause__, sqlite3.IntegrityError)
    assert record is None
    assert isinstance(homeless, StorageError)
    # A fault of ours stays what it is.
    assert isinstance(fault, TypeError)
    assert [row.id for row in await storage.journal.pending()] == [good, other]
    assert await storage.records.load() == {RADARR: {"received": 1}}


async def test_a_handler_that_was_cancelled_harms_no_other(storage: Storage) -> None:
    first, second = (
        asyncio.ensure_future(deliver(storage, 1)),
        asyncio.ensure_future(deliver(storage, 2)),
    )
    await asyncio.sleep(0)
    first.cancel()
    row_id = await second
    assert row_id in [row.id for row in await storage.journal.pending()]


async def test_outcomes_are_noted(storage: Storage) -> None:
    processed, ignored, failed, waiting = [await deliver(storage, n) for n in range(4)]
    await storage.commit(
        Commit(marks=[JournalMark(id=processed, outcome=Outcome.PROCESSED, at=NOON + 1)])
    )
    await storage.journal.mark(
        JournalMark(id=ignored, outcome=Outcome.IGNORED, reason=Reason.UPGRADE, at=NOON + 2),
        JournalMark(
            id=failed,
            outcome=Outcome.FAILED,
            reason=Reason.GIVEN_UP,
            error_message="No answer \ud83d" + "!" * 2000,
            at=NOON + 3,
            service=SONARR,
        ),
    )
    assert [row.id for row in await storage.journal.pending()] == [waiting]
    page = await storage.journal.recent()
    assert page.total == 4
    assert [row.id for row in page.rows] == [waiting, failed, ignored, processed]
    assert [row.outcome for row in page.rows] == [
        None,
        Outcome.FAILED,
        Outcome.IGNORED,
        Outcome.PROCESSED,
    ]
    assert [row.processed for row in page.rows] == [False, True, True, True]
    assert [row.processed_at for row in page.rows] == [None, NOON + 3, NOON + 2, NOON + 1]
    given_up = page.rows[1]
    assert (given_up.reason, given_up.service) == (Reason.GIVEN_UP, SONARR)
    assert given_up.error_message is not None
    assert given_up.error_message.startswith("No answer ?!!!")
    assert len(given_up.error_message) == 1000
    assert all(row.payload is None for row in page.rows)


async def test_a_payload_is_whole_until_it_is_processed(storage: Storage) -> None:
    payload = '{"overview":"' + "ä" * PAYLOAD_KEPT + '"}'
    row_id = await storage.journal.append(RADARR, "radarr", "Grab", payload, NOON)
    assert [row.payload for row in await storage.journal.pending()] == [payload]
    await storage.journal.mark(JournalMark(id=row_id, outcome=Outcome.PROCESSED, at=NOON))
    (row,) = (await storage.journal.recent(with_payload=True)).rows
    assert row.payload == payload[:PAYLOAD_KEPT]
    assert row.payload_length == len(payload)


async def test_odd_texts_are_written_down(storage: Storage) -> None:
    await storage.journal.append(RADARR, "radarr", "Gr\ud800b" * 50, '"\ud800"', NOON)
    (row,) = await storage.journal.pending()
    assert row.payload == '"?"'
    assert row.event_type == ("Gr?b" * 50)[:64]


async def test_the_journal_is_filtered_and_paged(storage: Storage) -> None:
    for number in range(6):
        await deliver(storage, number)
    row_id = await deliver(storage, service=SEERR, source="seerr")
    await storage.journal.append(SEERR, "seerr", "MEDIA_PENDING", "{}", NOON)
    await storage.journal.mark(JournalMark(id=row_id, outcome=Outcome.FAILED, at=NOON))

    async def ids(**filters: object) -> tuple[int, list[int]]:
        page = await storage.journal.recent(**filters)  # type: ignore[arg-type]
        return page.total, [row.id for row in page.rows]

    assert await ids(service=RADARR, limit=2, offset=1) == (6, [5, 4])
    assert await ids(source="seerr") == (2, [8, 7])
    assert await ids(event_type="MEDIA_PENDING") == (1, [8])
    assert await ids(outcome=Outcome.FAILED) == (1, [7])
    assert await ids(processed=False, source="seerr") == (1, [8])
    assert await ids(service="gone") == (0, [])
    assert await ids(limit=-1, offset=-1) == (8, [])


async def test_deliveries_are_counted(storage: Storage) -> None:
    for _ in range(3):
        await deliver(storage)
    row_id = await deliver(storage, service=SEERR, source="seerr")
    await storage.journal.mark(JournalMark(id=row_id, outcome=Outcome.IGNORED, at=NOON))
    assert await storage.journal.counts() == (
        JournalCount(service=RADARR, source="radarr", outcome=None, count=3),
        JournalCount(service=SEERR, source="seerr", outcome=Outcome.IGNORED, count=1),
    )


async def test_only_processed_deliveries_are_trimmed_by_age(storage: Storage) -> None:
    old = [await deliver(storage, at=NOON - 15 * DAY) for _ in range(450)]
    young = await deliver(storage, at=NOON - 13 * DAY)
    marked = [*old[:-1], young]
    await storage.journal.mark(
        *(JournalMark(id=one, outcome=Outcome.PROCESSED, at=NOON) for one in marked)
    )
    assert await storage.journal.trim(NOON, days=14, rows=10_000) == 449
    page = await storage.journal.recent()
    assert [row.id for row in page.rows] == [young, old[-1]]


async def test_only_processed_deliveries_are_trimmed_by_number(storage: Storage) -> None:
    ids = await asyncio.gather(*(deliver(storage, number) for number in range(500)))
    waiting, processed = ids[:10], ids[10:]
    await storage.journal.mark(
        *(JournalMark(id=one, outcome=Outcome.PROCESSED, at=NOON) for one in processed)
    )
    assert await storage.journal.trim(NOON, days=14, rows=100) == 400
    page = await storage.journal.recent(limit=1000)
    assert [row.id for row in page.rows] == [*reversed(ids[-90:]), *reversed(waiting)]
    assert await storage.journal.trim(NOON, days=14, rows=5) == 90
    assert [row.id for row in await storage.journal.pending()] == waiting


async def test_the_table_has_the_columns_that_were_agreed(storage: Storage, path: Path) -> None:
    await storage.close()
    connection = sqlite3.connect(path)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(webhook_log)")}
    connection.close()
    assert columns >= {
        "id",
        "source",
        "event_type",
        "payload",
        "received_at",
        "processed",
        "processed_at",
        "error_message",
        "service",
        "outcome",
    }


async def test_the_words_of_a_later_version_are_passed_over(storage: Storage) -> None:
    row_id = await deliver(storage)
    await storage.journal.mark(JournalMark(id=row_id, outcome=Outcome.IGNORED, at=NOON))
    await storage.close()
    connection = sqlite3.connect(storage.path)
    with connection:
        connection.execute("UPDATE webhook_log SET outcome = 'framed', reason = 'taste'")
    connection.close()
    again = await Storage.open(storage.path)
    (row,) = (await again.journal.recent()).rows
    assert (row.processed, row.outcome, row.reason) == (True, None, None)
    await again.close()


@pytest.mark.parametrize("number", [1, 63, 64, 65, 200])
async def test_any_number_may_wait_together(storage: Storage, number: int) -> None:
    ids = await asyncio.gather(*(deliver(storage, one) for one in range(number)))
    assert ids == list(range(1, number + 1))


async def test_what_waits_is_read_a_piece_at_a_time(storage: Storage) -> None:
    assert await storage.journal.last_pending() == 0
    ids = [await deliver(storage, number) for number in range(5)]
    await storage.journal.mark(JournalMark(id=ids[2], outcome=Outcome.PROCESSED, at=NOON))

    async def read(**bounds: int) -> list[int]:
        return [row.id for row in await storage.journal.pending(**bounds)]

    assert await storage.journal.last_pending() == ids[4]
    assert await read() == [ids[0], ids[1], ids[3], ids[4]]
    assert await read(limit=2) == [ids[0], ids[1]]
    assert await read(after=ids[1], limit=2) == [ids[3], ids[4]]
    assert await read(after=ids[1], upto=ids[3]) == [ids[3]]


async def test_what_anybody_may_send_drives_out_itself_first(storage: Storage) -> None:
    async def kept() -> dict[str, int]:
        return {one.source: one.count for one in await storage.journal.counts()}

    async def put(source: str, number: int) -> None:
        for _ in range(number):
            row = await storage.journal.append("service", source, "Grab", "{}", NOON)
            await storage.journal.mark(JournalMark(id=row, outcome=Outcome.IGNORED, at=NOON))

    await put("radarr", 80)
    await put("refused", 150)
    await put("generic", 150)
    lesser = {"generic", "refused"}
    assert await storage.journal.trim_by_number(100, lesser) == 280
    # What remains of them is the newest; the others give way only to one another.
    assert await kept() == {"radarr": 50, "generic": 50}
    await put("radarr", 80)
    assert await storage.journal.trim_by_number(100, lesser) == 80
    assert await kept() == {"radarr": 80, "generic": 20}
    assert await storage.journal.trim_by_number(100, lesser) == 0


async def test_it_is_known_how_much_was_written_down_since_the_last_trim(
    storage: Storage,
) -> None:
    ids = [await deliver(storage, number) for number in range(450)]
    assert storage.journal.grown == 450
    await storage.journal.mark(
        *(JournalMark(id=one, outcome=Outcome.PROCESSED, at=NOON) for one in ids[1:])
    )

    # More than goes at once; what is not processed stays.
    assert await storage.journal.trim_by_number(10) == 440
    assert storage.journal.grown == 0
    page = await storage.journal.recent(limit=20)
    assert [row.id for row in page.rows] == [*reversed(ids[-9:]), ids[0]]
    assert await storage.journal.trim_by_number(10) == 0
    assert await storage.journal.trim_by_number(0) == 9
