"""What is remembered of each service: documents, and the runs of its sync."""

# ruff: noqa: S608 - names of columns are put together here, values are bound

import json
import sqlite3
from typing import Final

from .codec import clean, dumps
from .database import Database
from .models import Document, ScheduleRow

SAVE_DOCUMENT: Final = """
    INSERT INTO service_records (service, name, document) VALUES (?, ?, ?)
    ON CONFLICT (service, name) DO UPDATE SET document = excluded.document
"""
_SCHEDULE_COLUMNS: Final = (
    "service, enabled, interval_hours, last_run_at, next_run_at, run_count, last_status, last_error"
)
_SAVE_SCHEDULE: Final = f"""
    INSERT INTO sync_schedule ({_SCHEDULE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (service) DO UPDATE SET
        enabled = excluded.enabled, interval_hours = excluded.interval_hours,
        last_run_at = excluded.last_run_at, next_run_at = excluded.next_run_at,
        run_count = excluded.run_count, last_status = excluded.last_status,
        last_error = excluded.last_error
"""


class Documents:
    """One JSON document of a kind per service."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    async def load(self) -> dict[str, Document]:
        """Read every service's document; one that is no JSON object is left out."""
        return await self._database.read(self._load)

    async def save(self, service: str, document: Document) -> None:
        """Write a service's document."""
        await self._database.write(self._save, (service, document))

    async def forget(self, service: str) -> None:
        """Delete a service's document."""
        await self._database.write(self._forget, service)

    def _load(self, connection: sqlite3.Connection) -> dict[str, Document]:
        rows = connection.execute(
            "SELECT service, document FROM service_records WHERE name = ?", (self._name,)
        )
        documents: dict[str, Document] = {}
        for service, text in rows:
            try:
                document = json.loads(text)
            except ValueError:
                continue
            if isinstance(document, dict):
                documents[service] = document
        return documents

    def _save(
        self, connection: sqlite3.Connection, items: list[tuple[str, Document]]
    ) -> list[None]:
        connection.executemany(
            SAVE_DOCUMENT, [(service, self._name, dumps(document)) for service, document in items]
        )
        return [None] * len(items)

    def _forget(self, connection: sqlite3.Connection, services: list[str]) -> list[None]:
        connection.executemany(
            "DELETE FROM service_records WHERE service = ? AND name = ?",
            [(service, self._name) for service in services],
        )
        return [None] * len(services)


class Schedule:
    """The run records of the syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> dict[str, ScheduleRow]:
        """Read every service's row."""
        return await self._database.read(_load_schedule)

    async def save(self, row: ScheduleRow) -> None:
        """Write a service's row."""
        await self._database.write(_save_schedule, row)

    async def forget(self, service: str) -> None:
        """Delete a service's row."""
        await self._database.write(_forget_schedule, service)


def _load_schedule(connection: sqlite3.Connection) -> dict[str, ScheduleRow]:
    rows = connection.execute(f"SELECT {_SCHEDULE_COLUMNS} FROM sync_schedule")
    return {
        row[0]: ScheduleRow(
            service=row[0],
            enabled=bool(row[1]),
            interval_hours=row[2],
            last_run_at=row[3],
            next_run_at=row[4],
            run_count=row[5],
            last_status=row[6],
            last_error=row[7],
        )
        for row in rows
    }


def _save_schedule(connection: sqlite3.Connection, rows: list[ScheduleRow]) -> list[None]:
    connection.executemany(
        _SAVE_SCHEDULE,
        [
            (
                row.service,
                row.enabled,
                row.interval_hours,
                row.last_run_at,
                row.next_run_at,
                row.run_count,
                clean(row.last_status),
                clean(row.last_error),
            )
            for row in rows
        ],
    )
    return [None] * len(rows)


def _forget_schedule(connection: sqlite3.Connection, services: list[str]) -> list[None]:
    connection.executemany(
        "DELETE FROM sync_schedule WHERE service = ?", [(service,) for service in services]
    )
    return [None] * len(services)
