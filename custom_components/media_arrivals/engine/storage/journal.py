"""The journal: every delivery, durable before it is answered, and what became of it."""

# ruff: noqa: S608 - names of columns are put together here, values are bound

import functools
import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Final

from ..board.models import Outcome, Reason
from .codec import Row, clean, clean_text, known
from .database import Database
from .models import JournalCount, JournalMark, JournalPage, JournalRow

PAYLOAD_KEPT: Final = 64 * 1024
"""Characters of a processed delivery's payload that are kept."""
EVENT_TYPE_KEPT: Final = 64
MAX_ID: Final = 2**63 - 1
_MESSAGE_KEPT: Final = 1000
_BATCH: Final = 200
"""Rows that are deleted in one transaction."""

_COLUMNS: Final = (
    "id, service, source, event_type, received_at, processed, processed_at, outcome, reason,"
    " error_message, payload_length"
)
_MARK: Final = """
    UPDATE webhook_log SET
        processed = 1, outcome = ?, processed_at = ?, reason = ?, error_message = ?,
        service = coalesce(?, service),
        payload = CASE WHEN payload_length > ? THEN substr(payload, 1, ?) ELSE payload END
    WHERE id = ?
"""
_TRIM_BY_AGE: Final = """
    DELETE FROM webhook_log WHERE id IN (
        SELECT id FROM webhook_log WHERE processed = 1 AND received_at < ? ORDER BY id LIMIT ?
    )
"""
_TRIM_BY_NUMBER: Final = """
    DELETE FROM webhook_log WHERE id IN (
        SELECT id FROM webhook_log WHERE processed = 1 ORDER BY id LIMIT ?
    )
"""
_TRIM_LESSER: Final = """
    DELETE FROM webhook_log WHERE id IN (
        SELECT id FROM webhook_log WHERE processed = 1
        AND source IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?
    )
"""
_FORGET: Final = """
    DELETE FROM webhook_log WHERE id IN (
        SELECT id FROM webhook_log WHERE service = ? ORDER BY id LIMIT ?
    )
"""

_SCREENED: Final = """
    UPDATE webhook_log SET payload = ?, payload_length = min(payload_length, ?) WHERE id = ?
"""

type New = tuple[str, str, str, float, str]
"""A delivery: service, source, event type, time of receipt, payload."""


class Journal:
    """The deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_id: int | None = None
        self.grown = 0
        """Deliveries that were written down since the last trim."""

    async def append(
        self, service: str, source: str, event_type: str, payload: str, received_at: float
    ) -> int:
        """Write a delivery down and return its id; durable when this returns.

        The payload is kept as a whole until the delivery is processed, so that it can be
        processed after a crash.
        """
        self.grown += 1
        return await self._database.write(
            self._insert, (service, source, event_type, received_at, payload), alone=True
        )

    def put(self, delivery: New, done: Callable[[int | Exception], None]) -> None:
        """Do the same for somebody who cannot wait: ``done`` takes the id, or the error.

        It is called even if whoever wanted it is gone, and must not raise.
        """
        self.grown += 1
        self._database.put(self._insert, delivery, done, alone=True)

    async def mark(self, *marks: JournalMark) -> None:
        """Note what became of deliveries."""
        await self._database.write(_mark_all, marks)

    async def pending(
        self, *, after: int = 0, upto: int = MAX_ID, limit: int = -1
    ) -> tuple[JournalRow, ...]:
        """Read what was not processed yet, with payload, in the order of arrival."""
        return await self._database.read(_pending, after, upto, limit)

    async def last_pending(self) -> int:
        """Return the id of the newest delivery that was not processed yet; 0: there is none."""
        return await self._database.read(_last_pending)

    async def recent(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        service: str | None = None,
        source: str | None = None,
        event_type: str | None = None,
        outcome: Outcome | None = None,
        processed: bool | None = None,
        with_payload: bool = False,
    ) -> JournalPage:
        """Read the newest deliveries, newest first; ``processed=False``: those that wait."""
        wanted = {
            "service": service,
            "source": source,
            "event_type": event_type,
            "outcome": outcome,
            "processed": processed,
        }
        return await self._database.read(
            _recent,
            {column: value for column, value in wanted.items() if value is not None},
            max(0, limit),
            max(0, offset),
            with_payload,
        )

    async def counts(self) -> tuple[JournalCount, ...]:
        """Count the deliveries that are in the journal."""
        return await self._database.read(_counts)

    async def size(self) -> int:
        """Return how many deliveries are in the journal."""
        return await self._database.read(_count)

    async def trim(
        self, now: float, *, days: float, rows: int, lesser: Collection[str] = ()
    ) -> int:
        """Delete processed deliveries that are too old or too many; return how many."""
        by_age = await self._delete(_TRIM_BY_AGE, (now - days * 86_400, _BATCH))
        return by_age + await self.trim_by_number(rows, lesser)

    async def trim_by_number(self, rows: int, lesser: Collection[str] = ()) -> int:
        """Delete processed deliveries that are too many; return how many.

        Those of lesser sources go first, as long as they are more than half of what is kept; no
        others go in place of those that still wait.
        """
        self.grown = 0
        excess = await self._database.read(_count) - rows
        deleted = theirs = 0
        if excess > 0 and lesser:
            among = json.dumps([*lesser])
            over = await self._database.read(_count_of, among) - rows // 2
            theirs = max(0, min(excess, over))
            deleted = await self._delete_first(_TRIM_LESSER, (among,), theirs)
        return deleted + await self._delete_first(_TRIM_BY_NUMBER, (), excess - theirs)

    async def _delete_first(self, statement: str, values: tuple[object, ...], number: int) -> int:
        """Delete so many, the oldest first, so that deliveries get in between."""
        deleted = 0
        while deleted < number:
            few = (*values, min(_BATCH, number - deleted))
            if not (batch := await self._database.write(_delete_batch, (statement, few))):
                break
            deleted += batch
        return deleted

    async def screen(
        self,
        services: Collection[str],
        payload: Callable[[str, str, str], str],
        done: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Change what is kept of processed deliveries of services; return of how many.

        ``payload`` takes the service, the event's name and the payload, in the storage's thread.
        """
        among, changed, last = json.dumps([*services]), 0, 0
        while (batch := await self._database.write(_screen, (payload, among, last)))[0]:
            last = batch[0]
            changed += batch[1]
            done(_BATCH)
        return changed

    async def forget(self, service: str) -> int:
        """Delete all deliveries of a service, waiting ones, too; return how many."""
        return await self._delete(_FORGET, (service, _BATCH))

    async def _delete(self, statement: str, values: tuple[object, ...]) -> int:
        """Repeat a deletion, so that deliveries get in between, until there is nothing left."""
        deleted = 0
        while batch := await self._database.write(_delete_batch, (statement, values)):
            deleted += batch
        return deleted

    def _insert(self, connection: sqlite3.Connection, rows: list[New]) -> list[int]:
        """Insert all rows with one statement: a busy event loop delays each statement."""
        if self._next_id is None:
            newest = connection.execute("SELECT max(id) FROM webhook_log").fetchone()[0]
            self._next_id = (newest or 0) + 1
        ids = list(range(self._next_id, self._next_id + len(rows)))
        self._next_id += len(rows)
        values: list[object] = []
        for row_id, (service, source, event_type, received_at, payload) in zip(
            ids, rows, strict=True
        ):
            text = clean_text(payload)
            event = clean_text(event_type)[:EVENT_TYPE_KEPT]
            values += (row_id, service, source, event, received_at, len(text), text)
        connection.execute(_insert_statement(len(rows)), values)
        return ids


@functools.cache
def _insert_statement(rows: int) -> str:
    """Return the statement for so many rows."""
    return (
        "INSERT INTO webhook_log"
        " (id, service, source, event_type, received_at, payload_length, payload) VALUES "
        + ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * rows)
    )


def mark(connection: sqlite3.Connection, marks: Sequence[JournalMark]) -> None:
    """Note what became of deliveries, and shorten what is kept of them."""
    for one in marks:
        message = clean(one.error_message)
        connection.execute(
            _MARK,
            (
                one.outcome,
                one.at,
                one.reason,
                message[:_MESSAGE_KEPT] if message is not None else None,
                one.service,
                PAYLOAD_KEPT,
                PAYLOAD_KEPT,
                one.id,
            ),
        )


def _mark_all(connection: sqlite3.Connection, items: list[tuple[JournalMark, ...]]) -> list[None]:
    for marks in items:
        mark(connection, marks)
    return [None] * len(items)


def _delete_batch(
    connection: sqlite3.Connection, items: list[tuple[str, tuple[object, ...]]]
) -> list[int]:
    return [connection.execute(statement, values).rowcount for statement, values in items]


type Screening = tuple[Callable[[str, str, str], str], str, int]


def _screen(connection: sqlite3.Connection, items: list[Screening]) -> list[tuple[int, int]]:
    """Change a batch of payloads; return the last row, 0 at the end, and how many it changed."""
    answers = []
    for payload, among, after in items:
        rows = connection.execute(
            "SELECT id, service, event_type, payload FROM webhook_log"
            " WHERE processed = 1 AND id > ? AND service IN (SELECT value FROM json_each(?))"
            " ORDER BY id LIMIT ?",
            (after, among, _BATCH),
        ).fetchall()
        changed = [
            (new, len(new), number)
            for number, service, event, old in rows
            if (new := payload(service, event, old)) != old
        ]
        connection.executemany(_SCREENED, changed)
        answers.append((rows[-1][0] if rows else 0, len(changed)))
    return answers


def _count(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM webhook_log").fetchone()[0]
    return found


def _count_of(connection: sqlite3.Connection, among: str) -> int:
    found: int = connection.execute(
        "SELECT count(*) FROM webhook_log WHERE source IN (SELECT value FROM json_each(?))",
        (among,),
    ).fetchone()[0]
    return found


def _pending(
    connection: sqlite3.Connection, after: int, upto: int, limit: int
) -> tuple[JournalRow, ...]:
    rows = connection.execute(
        f"SELECT {_COLUMNS}, payload FROM webhook_log"
        " WHERE processed = 0 AND id > ? AND id <= ? ORDER BY id LIMIT ?",
        (after, upto, limit),
    )
    return tuple(map(_row, rows))


def _last_pending(connection: sqlite3.Connection) -> int:
    found: int | None = connection.execute(
        "SELECT max(id) FROM webhook_log WHERE processed = 0"
    ).fetchone()[0]
    return found or 0


def _recent(
    connection: sqlite3.Connection,
    wanted: dict[str, object],
    limit: int,
    offset: int,
    with_payload: bool,
) -> JournalPage:
    where = " AND ".join(f"{column} = ?" for column in wanted) or "1"
    values = tuple(wanted.values())
    total: int = connection.execute(
        f"SELECT count(*) FROM webhook_log WHERE {where}", values
    ).fetchone()[0]
    payload = "payload" if with_payload else "NULL"
    rows = connection.execute(
        f"SELECT {_COLUMNS}, {payload} FROM webhook_log WHERE {where}"
        " ORDER BY id DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return JournalPage(total=total, rows=tuple(map(_row, rows)))


def _counts(connection: sqlite3.Connection) -> tuple[JournalCount, ...]:
    rows = connection.execute(
        "SELECT service, source, outcome, count(*) FROM webhook_log"
        " GROUP BY service, source, outcome ORDER BY service, source, outcome"
    )
    return tuple(
        JournalCount(service=service, source=source, outcome=known(Outcome, outcome), count=count)
        for service, source, outcome, count in rows
    )


def _row(row: Row) -> JournalRow:
    return JournalRow(
        id=row[0],
        service=row[1],
        source=row[2],
        event_type=row[3],
        received_at=row[4],
        processed=bool(row[5]),
        processed_at=row[6],
        outcome=known(Outcome, row[7]),
        reason=known(Reason, row[8]),
        error_message=row[9],
        payload_length=row[10],
        payload=row[11],
    )
