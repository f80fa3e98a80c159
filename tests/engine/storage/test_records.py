"""What is remembered of each service."""

import sqlite3
from pathlib import Path

from custom_components.media_arrivals.engine.storage.models import (
    Commit,
    Document,
    ScheduleRow,
)
from custom_components.media_arrivals.engine.storage.storage import Storage

from .household import NOON, RADARR, SEERR, SONARR, arrival, request, step, title


async def test_documents_come_back(storage: Storage, path: Path) -> None:
    cursor: Document = {"history": "2026-11-22T10:00:00Z", "pages": [1, 2], "deep": {"a": None}}
    await storage.cursors.save(RADARR, {"history": None})
    await storage.cursors.save(RADARR, cursor)
    await storage.records.save(RADARR, {"received": 3})
    await storage.commit(Commit(cursors={SEERR: {"seen": 5}}, records={SONARR: {"missed": 1}}))
    await storage.close()
    again = await Storage.open(path)
    assert await again.cursors.load() == {RADARR: cursor, SEERR: {"seen": 5}}
    assert await again.records.load() == {RADARR: {"received": 3}, SONARR: {"missed": 1}}
    await again.close()


async def test_a_spoilt_document_loses_no_other(storage: Storage, path: Path) -> None:
    for service in (RADARR, SONARR, SEERR):
        await storage.records.save(service, {"received": 3})
    await storage.close()
    connection = sqlite3.connect(path)
    with connection:
        for service, text in ((RADARR, "{"), (SONARR, "[]")):
            connection.execute(
                "UPDATE service_records SET document = ? WHERE service = ?", (text, service)
            )
    connection.close()
    again = await Storage.open(path)
    assert await again.records.load() == {SEERR: {"received": 3}}
    await again.close()


async def test_runs_come_back(storage: Storage) -> None:
    first = ScheduleRow(service=RADARR, enabled=False, interval_hours=24)
    second = ScheduleRow(
        service=RADARR,
        enabled=True,
        interval_hours=6,
        last_run_at=NOON,
        next_run_at=NOON + 6 * 3600,
        run_count=4,
        last_status="failed",
        last_error="cannot_connect",
    )
    await storage.schedule.save(first)
    assert await storage.schedule.load() == {RADARR: first}
    await storage.schedule.save(second)
    assert await storage.schedule.load() == {RADARR: second}


async def test_the_schedule_has_the_columns_that_were_agreed(storage: Storage, path: Path) -> None:
    await storage.close()
    connection = sqlite3.connect(path)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(sync_schedule)")}
    connection.close()
    assert columns == {
        "id",
        "service",
        "enabled",
        "interval_hours",
        "last_run_at",
        "next_run_at",
        "run_count",
        "last_status",
        "last_error",
    }


async def test_a_removed_service_leaves_its_arrivals(storage: Storage) -> None:
    await storage.commit(
        Commit(
            titles=[title(1)],
            arrivals=[arrival(1)],
            requests=[request(1)],
            timeline=[step(1)],
            cursors={RADARR: {"a": 1}, SEERR: {"b": 1}},
            records={RADARR: {"a": 1}, SEERR: {"b": 1}},
        )
    )
    for service in (RADARR, SEERR):
        await storage.schedule.save(ScheduleRow(service=service, enabled=True, interval_hours=6))
        for number in range(250):
            await storage.journal.append(service, "kind", "Grab", f"{number}", NOON)
    before = await storage.title(title(1).media_type, title(1).ids)

    await storage.forget_service(RADARR)

    assert {count.service for count in await storage.journal.counts()} == {SEERR}
    assert (await storage.journal.recent()).total == 250
    assert set(await storage.cursors.load()) == {SEERR}
    assert set(await storage.records.load()) == {SEERR}
    assert set(await storage.schedule.load()) == {SEERR}
    assert before is not None
    assert await storage.title(title(1).media_type, title(1).ids) == before
    assert await storage.timeline("arrival-1") == (step(1),)
