"""The board in the database: titles, arrivals with parts and claims, requests, timelines."""

# ruff: noqa: S608 - names of columns and tables are put together here, values are bound

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any, Final

from ..board.claims import screened
from ..board.models import (
    Arrival,
    ExternalIds,
    MediaType,
    Person,
    Request,
    RequestKey,
    Stage,
    Title,
    Via,
)
from ..board.register import DAY
from . import journal
from .codec import (
    ARRIVAL_COLUMNS,
    REQUEST_COLUMNS,
    TITLE_COLUMNS,
    UNREADABLE,
    Reader,
    Row,
    arrival_document,
    clean,
    clean_text,
    dumps,
    folded,
    known,
    listed,
    request_document,
    services_of,
    title_document,
)
from .database import Database, Writer
from .models import Commit, Found, LoadedBoard, TimelineEntry
from .records import SAVE_DOCUMENT
from .transaction import transaction

_BATCH: Final = 250
"""Rows that are read or changed at a time, so that deliveries get in between."""

_AMONG: Final = "(SELECT value FROM json_each(?))"

_ARRIVAL_COLUMNS_OF_A: Final = ", ".join(
    f"a.{column.strip()}" for column in ARRIVAL_COLUMNS.split(",")
)

_SAVE_TITLE: Final = """
    INSERT INTO titles (id, media_type, name, name_folded, year, held, document)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, name_folded = excluded.name_folded, year = excluded.year,
        held = excluded.held, document = excluded.document
"""
_SAVE_OVERVIEW: Final = "UPDATE titles SET overview = coalesce(overview, ?) WHERE id = ?"
_SAVE_ARRIVAL: Final = """
    INSERT INTO arrivals (
        id, title_id, season, tier, stage, live, journey, opened_at, stage_at, known_at,
        available_at, services, document
    ) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        title_id = excluded.title_id, season = excluded.season, tier = excluded.tier,
        stage = excluded.stage, live = 1, journey = excluded.journey,
        opened_at = excluded.opened_at, stage_at = excluded.stage_at,
        known_at = excluded.known_at, available_at = excluded.available_at,
        services = excluded.services, document = excluded.document
"""
_SAVE_REQUEST: Final = """
    INSERT INTO requests (
        service, request_id, title_id, tier, stage, live, requester, requester_folded,
        created_at, arrivals, document
    ) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)
    ON CONFLICT (service, request_id) DO UPDATE SET
        title_id = excluded.title_id, tier = excluded.tier, stage = excluded.stage, live = 1,
        requester = excluded.requester, requester_folded = excluded.requester_folded,
        created_at = excluded.created_at, arrivals = excluded.arrivals,
        document = excluded.document
"""
_TIMELINE_COLUMNS: Final = (
    "arrival_id, journey, stage, previous, happened_at, known_at, late, silent, service, kind,"
    " via, part, parts, context_id, user_id"
)
_ADD_STEP: Final = f"""
    INSERT INTO timeline ({_TIMELINE_COLUMNS})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# "+live" keeps SQLite from walking through everything that is live.
_RETIRE_REQUESTS: Final = f"""
    UPDATE requests SET live = 0
    WHERE rowid IN (
        SELECT r.rowid FROM arrivals AS a CROSS JOIN requests AS r ON r.title_id = a.title_id
        WHERE a.id IN {_AMONG} AND +r.live = 1
            AND r.arrivals != '[]'
            AND NOT EXISTS (
                SELECT 1 FROM arrivals AS other
                WHERE +other.live = 1 AND other.id IN (SELECT value FROM json_each(r.arrivals))
            )
    )
"""
_REQUESTED_BY: Final = """
    EXISTS (
        SELECT 1 FROM requests AS r
        WHERE r.title_id = a.title_id AND r.requester_folded = ?
            AND a.id IN (SELECT value FROM json_each(r.arrivals))
    )
"""
_PURGE: Final = f"""
    DELETE FROM timeline
    WHERE id IN {_AMONG}
        AND EXISTS (
            SELECT 1 FROM arrivals
            WHERE arrivals.id = timeline.arrival_id AND live = 0 AND known_at < ?
        )
"""


# Of the live ones the board knows, and commits, what it forgot.
_REQUESTERS: Final = """
    SELECT rowid, service, requester,
        CASE WHEN json_valid(document) THEN json_extract(document, '$.person') END
    FROM requests
    WHERE live = 0 AND requester IS NOT NULL AND rowid > ? AND rowid <= ?
"""
_FORGET_REQUESTER: Final = """
    UPDATE requests
    SET requester = NULL, requester_folded = NULL,
        document = CASE
            WHEN json_valid(document) THEN json_remove(document, '$.person') ELSE document
        END
    WHERE rowid = ?
"""
_SCREEN_VIEWERS: Final = "UPDATE arrivals SET services = ?, document = ? WHERE id = ?"
_FORGET_USER: Final = """
    UPDATE timeline SET user_id = NULL, context_id = NULL
    WHERE user_id = ? AND id > ? AND id <= ?
"""


type Viewer = Callable[[str], str | None]
type Theirs = Callable[[str, Person], bool]


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    titles: dict[str, Title] = field(default_factory=dict)
    arrivals: dict[str, Arrival] = field(default_factory=dict)
    requests: dict[RequestKey, Request] = field(default_factory=dict)
    unreadable: int = 0
    _reader: Reader = field(default_factory=Reader)

    def take_arrivals(self, rows: Iterable[Row]) -> list[Arrival]:
        """Read rows of arrivals."""
        arrivals = self.read(rows, self._reader.arrival)
        self.arrivals |= {one.id: one for one in arrivals}
        return arrivals

    def take_requests(self, rows: Iterable[Row]) -> list[Request]:
        """Read rows of requests."""
        requests = self.read(rows, self._reader.request)
        self.requests |= {one.key: one for one in requests}
        return requests

    def read[T](self, rows: Iterable[Row], reader: Callable[[Row], T]) -> list[T]:
        """Read rows, leaving out what cannot be understood."""
        self._reader.begin()
        things: list[T] = []
        for row in rows:
            try:
                things.append(reader(row))
            except UNREADABLE:
                self.unreadable += 1
        return things

    def take_titles(self, connection: sqlite3.Connection, ids: Collection[str]) -> None:
        """Read titles that were not read yet."""
        missing = [title_id for title_id in dict.fromkeys(ids) if title_id not in self.titles]
        if missing:
            rows = connection.execute(
                f"SELECT {TITLE_COLUMNS} FROM titles WHERE id IN {_AMONG}", (dumps(missing),)
            )
            self.titles |= {one.id: one for one in self.read(rows, self._reader.title)}

    def board(self) -> LoadedBoard:
        """Return it all, less what hangs on a title that cannot be understood."""
        arrivals = tuple(one for one in self.arrivals.values() if one.title_id in self.titles)
        requests = tuple(one for one in self.requests.values() if one.title_id in self.titles)
        return LoadedBoard(
            titles=tuple(self.titles.values()),
            arrivals=arrivals,
            requests=requests,
            unreadable=self.unreadable
            + len(self.arrivals)
            - len(arrivals)
            + len(self.requests)
            - len(requests),
        )


class BoardStore:
    """The board's tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(self, commit: Commit) -> None:
        """Write everything of it in one transaction."""
        await self._database.write(_commit_all, commit)

    async def load_live(self) -> LoadedBoard:
        """Read the live board, a batch at a time."""
        reading = _Reading()
        last = 0
        while (rowid := await self._database.read(_live_arrivals, reading, last)) is not None:
            last = rowid
        last = 0
        while (rowid := await self._database.read(_live_requests, reading, last)) is not None:
            last = rowid
        return reading.board()

    async def recall(
        self, media_type: MediaType, ids: ExternalIds, own: tuple[str, int] | None
    ) -> LoadedBoard | None:
        """Bring back what is stored of a title and not live."""
        return await self._database.read(_recall, media_type, ids, own)

    async def title(self, media_type: MediaType, ids: ExternalIds) -> LoadedBoard | None:
        """Read a title with all its arrivals and requests."""
        return await self._database.read(_title, media_type, ids)

    async def arrival(self, arrival_id: str) -> LoadedBoard | None:
        """Read one arrival with its title and requests."""
        return await self._database.read(_arrival, arrival_id)

    async def search(
        self,
        *,
        stages: Collection[Stage] | None,
        media_type: MediaType | None,
        requester: str | None,
        service: str | None,
        text: str | None,
        limit: int,
        offset: int,
    ) -> Found:
        """Find arrivals."""
        where: list[str] = []
        values: list[Any] = []
        if stages is not None:
            where.append(f"a.stage IN {_AMONG}")
            values.append(dumps(sorted(stages)))
        if media_type is not None:
            where.append("t.media_type = ?")
            values.append(media_type)
        if text:
            where.append("t.name_folded LIKE ? ESCAPE '\\'")
            values.append(_containing(text))
        if requester is not None:
            where.append(_REQUESTED_BY)
            values.append(folded(requester))
        if service is not None:
            where.append(
                "(instr(a.services, ?) OR instr(t.held, ?) OR instr(t.held, ? || a.tier || '|'))"
            )
            values += [f"|{service}|", f"|{service}:unknown|", f"|{service}:"]
        return await self._database.read(
            _search, " AND ".join(where) or "1", values, max(0, limit), max(0, offset)
        )

    async def retired_since(self, start: float) -> tuple[tuple[str, float], ...]:
        """Read what became available since then and is not live."""
        return await self._database.read(_retired_since, start)

    async def overview(self, title_id: str) -> str | None:
        """Read what a title is about."""
        return await self._database.read(_overview, title_id)

    async def timeline(self, arrival_id: str) -> tuple[TimelineEntry, ...]:
        """Read the steps of an arrival."""
        return await self._database.read(_timeline, arrival_id)

    async def retire(self, ids: Iterable[str]) -> None:
        """Note that arrivals left the live board, and requests that cover no others."""
        for some in batched(ids, _BATCH, strict=False):
            await self._database.write(_retire, some)

    async def purge(self, now: float, timeline_days: float) -> int:
        """Delete the steps of arrivals that are not live and moved last before that."""
        before = now - timeline_days * DAY
        deleted, last = 0, 0
        # Steps are numbered as they became known: the first batch of newer ones is the end.
        while steps := await self._database.read(_steps_after, last, before):
            last = steps[-1]
            deleted += await self._database.write(_purge, (steps, before))
        return deleted

    async def sizes(self) -> tuple[int, int]:
        """Count arrivals and requests."""
        return await self._database.read(_sizes)

    async def screen_viewers(
        self, viewer: Viewer, done: Callable[[int], None] = lambda _: None
    ) -> int:
        """Call those otherwise who watched what is not live, or forget them (``None``)."""
        return await self._forget("arrivals", _screen_viewers, viewer, done)

    async def forget_requesters(
        self, theirs: Theirs, done: Callable[[int], None] = lambda _: None
    ) -> int:
        """Forget who made the requests of some people that are not live."""
        return await self._forget("requests", _forget_requesters, theirs, done)

    async def forget_follower(self, person: str) -> int:
        """Forget what a person follows of what is not live; return of how many arrivals."""
        return await self._forget("arrivals", _forget_follower, person, lambda _: None)

    async def forget_user(self, user_id: str) -> int:
        """Forget which steps a user of Home Assistant caused; return how many."""
        return await self._forget("timeline", _forget_user, user_id, lambda _: None)

    async def _forget[T](
        self,
        table: str,
        writer: Writer[tuple[T, int, int], int],
        who: T,
        done: Callable[[int], None],
    ) -> int:
        """Have a table gone through, a batch at a time; return how many rows changed."""
        changed, last = 0, 0
        while (upto := await self._database.read(_batch_end, table, last)) is not None:
            changed += await self._database.write(writer, (who, last, upto))
            last = upto
            done(_BATCH)
        return changed


# --- writing --------------------------------------------------------------------------


def _commit_all(connection: sqlite3.Connection, commits: list[Commit]) -> list[None]:
    for commit in commits:
        _commit(connection, commit)
    return [None] * len(commits)


def _commit(connection: sqlite3.Connection, commit: Commit) -> None:
    """Write it in an order in which no reference dangles."""
    gone_titles = set(commit.dropped_titles)
    gone_arrivals = set(commit.dropped_arrivals)
    titles = [title for title in commit.titles if title.id not in gone_titles]
    arrivals = [arrival for arrival in commit.arrivals if arrival.id not in gone_arrivals]
    for title in titles:
        _save_title(connection, title)
    for arrival in arrivals:
        _save_arrival(connection, arrival)
    heirs = {alias: arrival.id for arrival in arrivals for alias in arrival.aliases}
    for arrival_id in commit.dropped_arrivals:
        _drop_arrival(connection, arrival_id, heirs.get(arrival_id))
    title_heirs = {alias: title.id for title in titles for alias in title.aliases}
    for title_id in commit.dropped_titles:
        _drop_title(connection, title_id, title_heirs.get(title_id))
    for title_id, overview in commit.overviews.items():
        connection.execute(_SAVE_OVERVIEW, (clean(overview), title_heirs.get(title_id, title_id)))
    for key in commit.dropped_requests:
        connection.execute("DELETE FROM requests WHERE service = ? AND request_id = ?", key)
    for request in commit.requests:
        _save_request(connection, request)
    for step in commit.timeline:
        if (owner := heirs.get(step.arrival_id, step.arrival_id)) not in gone_arrivals:
            _add_step(connection, step, owner)
    journal.mark(connection, commit.marks)
    for name, documents in (("cursor", commit.cursors), ("record", commit.records)):
        for service, document in documents.items():
            connection.execute(SAVE_DOCUMENT, (service, name, dumps(document)))


def _save_title(connection: sqlite3.Connection, title: Title) -> None:
    held = listed(f"{holding.service}:{holding.tier}" for holding in title.holdings)
    connection.execute(
        _SAVE_TITLE,
        (
            title.id,
            title.media_type,
            clean(title.name),
            folded(title.name),
            title.year,
            held,
            title_document(title),
        ),
    )
    _save_keys(
        connection,
        "title_ids",
        "space, value",
        title,
        {(space, str(value)) for space, value in title.ids.items()},
    )
    _save_keys(connection, "title_own_ids", "service, own_id", title, set(title.own_ids.items()))


def _save_keys(
    connection: sqlite3.Connection,
    table: str,
    columns: str,
    title: Title,
    keys: set[tuple[str, str]] | set[tuple[str, int]],
) -> None:
    """Write by what a title is found, where it differs; a key has one title, the newest."""
    stored = set(
        connection.execute(f"SELECT {columns} FROM {table} WHERE title_id = ?", (title.id,))
    )
    if stored == keys:
        return
    connection.execute(f"DELETE FROM {table} WHERE title_id = ?", (title.id,))
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} (media_type, {columns}, title_id) VALUES (?, ?, ?, ?)",
        [(title.media_type, *key, title.id) for key in keys],
    )


def _save_arrival(connection: sqlite3.Connection, arrival: Arrival) -> None:
    connection.execute(
        _SAVE_ARRIVAL,
        (
            arrival.id,
            arrival.title_id,
            arrival.season,
            arrival.tier,
            arrival.stage,
            arrival.journey,
            arrival.opened_at,
            arrival.stage_at,
            arrival.known_at,
            arrival.available_at,
            listed(services_of(arrival)),
            arrival_document(arrival),
        ),
    )
    if arrival.aliases:
        connection.executemany(
            "INSERT OR REPLACE INTO arrival_aliases (alias, arrival_id) VALUES (?, ?)",
            [(alias, arrival.id) for alias in arrival.aliases],
        )


def _drop_arrival(connection: sqlite3.Connection, arrival_id: str, heir: str | None) -> None:
    """Delete an arrival; what happened to it happened to the one it was merged into."""
    if heir is not None:
        for table in ("timeline", "arrival_aliases"):
            connection.execute(
                f"UPDATE {table} SET arrival_id = ? WHERE arrival_id = ?", (heir, arrival_id)
            )
    connection.execute("DELETE FROM arrivals WHERE id = ?", (arrival_id,))


def _drop_title(connection: sqlite3.Connection, title_id: str, heir: str | None) -> None:
    """Delete a title; what was stored of it belongs to the one it was merged into."""
    if heir is not None:
        for table in ("arrivals", "requests"):
            connection.execute(
                f"UPDATE {table} SET title_id = ? WHERE title_id = ?", (heir, title_id)
            )
        overview = _overview(connection, title_id)
        connection.execute(_SAVE_OVERVIEW, (overview, heir))
    connection.execute("DELETE FROM titles WHERE id = ?", (title_id,))


def _save_request(connection: sqlite3.Connection, request: Request) -> None:
    name = request.requester.name if request.requester is not None else None
    connection.execute(
        _SAVE_REQUEST,
        (
            request.service,
            request.request_id,
            request.title_id,
            request.tier,
            request.stage,
            clean(name),
            folded(name),
            request.created_at,
            dumps(request.arrivals),
            request_document(request),
        ),
    )


def _add_step(connection: sqlite3.Connection, step: TimelineEntry, arrival_id: str) -> None:
    connection.execute(
        _ADD_STEP,
        (
            arrival_id,
            step.journey,
            step.stage,
            step.previous,
            step.happened_at,
            step.known_at,
            step.late,
            step.silent,
            step.service,
            step.kind,
            step.via,
            step.part,
            dumps(step.parts) if step.parts else None,
            step.context_id,
            step.user_id,
        ),
    )


def _retire(connection: sqlite3.Connection, items: list[tuple[str, ...]]) -> list[None]:
    for ids in items:
        among = (dumps(ids),)
        connection.execute(f"UPDATE arrivals SET live = 0 WHERE id IN {_AMONG}", among)
        connection.execute(_RETIRE_REQUESTS, among)
    return [None] * len(items)


def _purge(connection: sqlite3.Connection, items: list[tuple[list[int], float]]) -> list[int]:
    return [connection.execute(_PURGE, (dumps(steps), before)).rowcount for steps, before in items]


def _sizes(connection: sqlite3.Connection) -> tuple[int, int]:
    counted = (
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("arrivals", "requests")
    )
    arrivals, requests = counted
    return arrivals, requests


def _screen_viewers(
    connection: sqlite3.Connection, items: list[tuple[Viewer, int, int]]
) -> list[int]:
    return [_screen_viewers_between(connection, *item) for item in items]


def _screen_viewers_between(
    connection: sqlite3.Connection, viewer: Viewer, after: int, upto: int
) -> int:
    # Looked for as it is written, so that hardly anything else is read.
    rows = connection.execute(
        f"SELECT {ARRIVAL_COLUMNS} FROM arrivals"
        " WHERE live = 0 AND rowid > ? AND rowid <= ? AND instr(document, '\"watched\"')",
        (after, upto),
    ).fetchall()
    found = _Reading().take_arrivals(rows)
    cleaned = [new for one in found if (new := screened(one, viewer)) is not one]
    connection.executemany(
        _SCREEN_VIEWERS,
        [(listed(services_of(one)), arrival_document(one), one.id) for one in cleaned],
    )
    return len(cleaned)


def _forget_requesters(
    connection: sqlite3.Connection, items: list[tuple[Theirs, int, int]]
) -> list[int]:
    counts = []
    for theirs, after, upto in items:
        found = [
            (rowid,)
            for rowid, service, name, number in connection.execute(_REQUESTERS, (after, upto))
            if theirs(service, Person(name=name, id=number))
        ]
        connection.executemany(_FORGET_REQUESTER, found)
        counts.append(len(found))
    return counts


def _forget_follower(
    connection: sqlite3.Connection, items: list[tuple[str, int, int]]
) -> list[int]:
    counts = []
    for person, after, upto in items:
        rows = connection.execute(
            f"SELECT {ARRIVAL_COLUMNS} FROM arrivals"
            " WHERE live = 0 AND rowid > ? AND rowid <= ? AND instr(document, '\"followers\"')",
            (after, upto),
        ).fetchall()
        left = [
            replace(one, followers=tuple(name for name in one.followers if name != person))
            for one in _Reading().take_arrivals(rows)
            if person in one.followers
        ]
        connection.executemany(
            "UPDATE arrivals SET document = ? WHERE id = ?",
            [(arrival_document(one), one.id) for one in left],
        )
        counts.append(len(left))
    return counts


def _forget_user(connection: sqlite3.Connection, items: list[tuple[str, int, int]]) -> list[int]:
    return [connection.execute(_FORGET_USER, item).rowcount for item in items]


# --- reading --------------------------------------------------------------------------


def _batch_end(connection: sqlite3.Connection, table: str, after: int) -> int | None:
    """Return the last row of the next batch, ``None`` at the end."""
    row = connection.execute(
        "SELECT max(rowid) FROM"
        f" (SELECT rowid FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?)",
        (after, _BATCH),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def _live_arrivals(connection: sqlite3.Connection, reading: _Reading, after: int) -> int | None:
    """Read a batch with the titles; return the last row's number, ``None`` at the end."""
    rows = connection.execute(
        f"SELECT {ARRIVAL_COLUMNS}, rowid FROM arrivals"
        " WHERE live = 1 AND rowid > ? ORDER BY rowid LIMIT ?",
        (after, _BATCH),
    ).fetchall()
    if not rows:
        return None
    arrivals = reading.take_arrivals(rows)
    reading.take_titles(connection, [arrival.title_id for arrival in arrivals])
    return int(rows[-1][-1])


def _live_requests(connection: sqlite3.Connection, reading: _Reading, after: int) -> int | None:
    """Do the same with requests."""
    rows = connection.execute(
        f"SELECT {REQUEST_COLUMNS}, rowid FROM requests"
        " WHERE live = 1 AND rowid > ? ORDER BY rowid LIMIT ?",
        (after, _BATCH),
    ).fetchall()
    if not rows:
        return None
    requests = reading.take_requests(rows)
    reading.take_titles(connection, [request.title_id for request in requests])
    return int(rows[-1][-1])


def _recall(
    connection: sqlite3.Connection,
    media_type: MediaType,
    ids: ExternalIds,
    own: tuple[str, int] | None,
) -> LoadedBoard | None:
    """Read what is not live of the titles that are meant, and make it live."""
    reading = _Reading()
    for title_id in _titles_meant(connection, media_type, ids, own):
        things = len(reading.arrivals) + len(reading.requests)
        _take_of_title(connection, reading, title_id, "live = 0")
        found = len(reading.arrivals) + len(reading.requests) > things
        if found or not _is_live(connection, title_id):
            reading.take_titles(connection, [title_id])
    if not reading.titles:
        return None
    board = reading.board()
    if board.arrivals or board.requests:
        _revive(connection, board)
    return board


def _title(
    connection: sqlite3.Connection, media_type: MediaType, ids: ExternalIds
) -> LoadedBoard | None:
    reading = _Reading()
    reading.take_titles(connection, _titles_meant(connection, media_type, ids, None))
    for title_id in reading.titles:
        _take_of_title(connection, reading, title_id, "1")
    return reading.board() if reading.titles else None


def _titles_meant(
    connection: sqlite3.Connection,
    media_type: MediaType,
    ids: ExternalIds,
    own: tuple[str, int] | None,
) -> list[str]:
    """Return the titles with one of the ids; else with the service's own, unless ids differ."""
    found: list[str] = []
    for space, value in ids.items():
        found += (
            row[0]
            for row in connection.execute(
                "SELECT title_id FROM title_ids WHERE media_type = ? AND space = ? AND value = ?",
                (media_type, space, str(value)),
            )
        )
    if found or own is None:
        return found
    owned = connection.execute(
        "SELECT title_id FROM title_own_ids WHERE service = ? AND media_type = ? AND own_id = ?",
        (own[0], media_type, own[1]),
    ).fetchone()
    if owned is None:
        return []
    stored: dict[str, str] = dict(
        connection.execute("SELECT space, value FROM title_ids WHERE title_id = ?", owned)
    )
    differ = any(stored.get(space, str(value)) != str(value) for space, value in ids.items())
    return [] if differ else [owned[0]]


def _take_of_title(
    connection: sqlite3.Connection, reading: _Reading, title_id: str, where: str
) -> None:
    """Read arrivals and requests of a title."""
    arrivals = connection.execute(
        f"SELECT {ARRIVAL_COLUMNS} FROM arrivals WHERE title_id = ? AND {where} ORDER BY rowid",
        (title_id,),
    )
    reading.take_arrivals(arrivals)
    requests = connection.execute(
        f"SELECT {REQUEST_COLUMNS} FROM requests WHERE title_id = ? AND {where} ORDER BY rowid",
        (title_id,),
    )
    reading.take_requests(requests)


def _is_live(connection: sqlite3.Connection, title_id: str) -> bool:
    """Tell whether the board has the title already."""
    return any(
        connection.execute(
            f"SELECT 1 FROM {table} WHERE title_id = ? AND +live = 1 LIMIT 1", (title_id,)
        ).fetchone()
        for table in ("arrivals", "requests")
    )


def _revive(connection: sqlite3.Connection, board: LoadedBoard) -> None:
    """Make live what goes back to the board."""
    with transaction(connection):
        connection.execute(
            f"UPDATE arrivals SET live = 1 WHERE id IN {_AMONG}",
            (dumps([arrival.id for arrival in board.arrivals]),),
        )
        connection.executemany(
            "UPDATE requests SET live = 1 WHERE service = ? AND request_id = ?",
            [request.key for request in board.requests],
        )


def _resolved(connection: sqlite3.Connection, arrival_id: str) -> str:
    """Return the id that an arrival has now."""
    row = connection.execute(
        "SELECT arrival_id FROM arrival_aliases WHERE alias = ?", (arrival_id,)
    ).fetchone()
    return arrival_id if row is None else str(row[0])


def _arrival(connection: sqlite3.Connection, arrival_id: str) -> LoadedBoard | None:
    reading = _Reading()
    rows = connection.execute(
        f"SELECT {ARRIVAL_COLUMNS} FROM arrivals WHERE id = ?",
        (_resolved(connection, arrival_id),),
    )
    reading.take_arrivals(rows)
    reading.take_titles(connection, [one.title_id for one in reading.arrivals.values()])
    _take_requests(connection, reading)
    board = reading.board()
    return board if board.arrivals else None


def _take_requests(connection: sqlite3.Connection, reading: _Reading) -> None:
    """Read the requests that cover what was read."""
    rows = connection.execute(
        f"SELECT {REQUEST_COLUMNS} FROM requests WHERE title_id IN {_AMONG}",
        (dumps(list(reading.titles)),),
    )
    named = {key for arrival in reading.arrivals.values() for key in arrival.requests}
    for one in reading.take_requests(rows):
        if one.key not in named and reading.arrivals.keys().isdisjoint(one.arrivals):
            del reading.requests[one.key]


def _search(
    connection: sqlite3.Connection, where: str, values: list[Any], limit: int, offset: int
) -> Found:
    among = f"FROM arrivals AS a JOIN titles AS t ON t.id = a.title_id WHERE {where}"
    total: int = connection.execute(f"SELECT count(*) {among}", values).fetchone()[0]
    reading = _Reading()
    rows = connection.execute(
        f"SELECT {_ARRIVAL_COLUMNS_OF_A} {among} ORDER BY a.known_at DESC, a.id LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    reading.take_arrivals(rows)
    reading.take_titles(connection, [one.title_id for one in reading.arrivals.values()])
    _take_requests(connection, reading)
    board = reading.board()
    return Found(
        total=total,
        arrivals=board.arrivals,
        titles=reading.titles,
        requests=reading.requests,
    )


def _containing(text: str) -> str:
    """Return the pattern for a name that contains the text, taken word for word."""
    escaped = clean_text(text).casefold()
    for special in "\\%_":
        escaped = escaped.replace(special, f"\\{special}")
    return f"%{escaped}%"


def _retired_since(connection: sqlite3.Connection, start: float) -> tuple[tuple[str, float], ...]:
    # Found by when it became known, which is a day before it happened at most.
    rows = connection.execute(
        "SELECT id, available_at FROM arrivals"
        " WHERE known_at >= ? AND +live = 0 AND available_at >= ?",
        (start - DAY, start),
    )
    return tuple(rows)


def _overview(connection: sqlite3.Connection, title_id: str) -> str | None:
    row = connection.execute("SELECT overview FROM titles WHERE id = ?", (title_id,)).fetchone()
    return None if row is None else row[0]


def _timeline(connection: sqlite3.Connection, arrival_id: str) -> tuple[TimelineEntry, ...]:
    reading = _Reading()
    rows = connection.execute(
        f"SELECT {_TIMELINE_COLUMNS} FROM timeline WHERE arrival_id = ? ORDER BY known_at, id",
        (_resolved(connection, arrival_id),),
    )
    return tuple(reading.read(rows, _step))


def _step(row: Row) -> TimelineEntry:
    return TimelineEntry(
        arrival_id=row[0],
        journey=row[1],
        stage=Stage(row[2]),
        previous=known(Stage, row[3]),
        happened_at=row[4],
        known_at=row[5],
        late=bool(row[6]),
        silent=bool(row[7]),
        service=row[8],
        kind=row[9],
        via=Via(row[10]),
        part=row[11],
        parts=() if row[12] is None else tuple(json.loads(row[12])),
        context_id=row[13],
        user_id=row[14],
    )


def _steps_after(connection: sqlite3.Connection, last: int, before: float) -> list[int]:
    """Return the next batch of steps, if any of them is old enough."""
    rows = connection.execute(
        "SELECT id, known_at FROM timeline WHERE id > ? ORDER BY id LIMIT ?", (last, _BATCH)
    ).fetchall()
    return [row[0] for row in rows] if any(row[1] < before for row in rows) else []
