"""Which item of a media server has which external ids: for servers that cannot be asked by them.

Thousands of rows of each server lie in the file, and none of them in memory.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ..board.models import ExternalIds, IndexEntry, MediaType
from .codec import clean, clean_text, dumps, known
from .database import Database
from .models import Json

CHUNK: Final = 500
"""Items that are written at a time: deliveries wait for the same thread."""

_PUT: Final = """
    INSERT OR REPLACE INTO library_index (service, item, media_type, tmdb, tvdb, imdb)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_FIND: Final = {
    space: f"""
        SELECT item FROM library_index WHERE service = ? AND media_type = ? AND {space} = ?
    """  # noqa: S608 - the names of our own columns
    for space in ("tmdb", "tvdb", "imdb")
}
_SAVE_STATE: Final = """
    INSERT OR REPLACE INTO library_index_state (service, resume, done, total, complete, built_at)
    VALUES (?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryState:
    """How far the index of a media server is built."""

    resume: Json = None
    """What to ask the next page with; ``None``: begin, or all of it is there."""
    done: int = 0
    total: int = 0
    complete: bool = False
    built_at: float | None = None
    """When the last page was entered."""


type _Row = tuple[str, str, str, int | None, int | None, str | None]
type _State = tuple[str, str, int, int, bool, float | None]


@dataclass(frozen=True, slots=True)
class _Page:
    """Items to enter, and how far the index is with them."""

    rows: Sequence[_Row]
    state: _State | None = None


class StoredLibrary:
    """The index of one media server."""

    def __init__(self, database: Database, service: str) -> None:
        self._database = database
        self._service = service

    async def find(self, media_type: MediaType, ids: ExternalIds) -> tuple[str, ...]:
        """Return the items that have any of the ids: several for HD and 4K libraries."""
        return await self._database.read(_find, self._service, media_type, ids)

    async def ids_of(self, item: str) -> IndexEntry | None:
        """Return what is known of an item."""
        return await self._database.read(_ids_of, self._service, clean_text(item))

    async def put(self, entries: Sequence[IndexEntry]) -> None:
        """Enter items; what was known of them before is replaced."""
        for start in range(0, len(entries), CHUNK):
            rows = self._rows(entries[start : start + CHUNK])
            await self._database.write(_put, _Page(rows))

    async def drop(self, items: Sequence[str]) -> None:
        """Forget items that are gone."""
        keys = [(self._service, clean_text(item)) for item in items]
        await self._database.write(_drop, keys)

    async def take_page(self, entries: Sequence[IndexEntry], state: LibraryState) -> None:
        """Enter a page, and with its last items how far the index is now."""
        bound = max(len(entries) - 1, 0) // CHUNK * CHUNK
        await self.put(entries[:bound])
        saved = (
            self._service,
            dumps(state.resume),
            state.done,
            state.total,
            state.complete,
            state.built_at,
        )
        await self._database.write(_put, _Page(self._rows(entries[bound:]), saved))

    async def state(self) -> LibraryState:
        """Return how far the index is built; a fresh one where there is none."""
        return await self._database.read(_state, self._service)

    async def count(self) -> int:
        """Return how many items there are."""
        return await self._database.read(_count, self._service)

    async def clear(self) -> None:
        """Forget everything: the media server was removed, or its index begins anew."""
        await self._database.write(_clear, self._service)

    def _rows(self, entries: Iterable[IndexEntry]) -> list[_Row]:
        return [
            (
                self._service,
                clean_text(entry.item),
                entry.media_type.value,
                entry.ids.tmdb,
                entry.ids.tvdb,
                clean(entry.ids.imdb),
            )
            for entry in entries
        ]


def _find(
    connection: sqlite3.Connection, service: str, media_type: MediaType, ids: ExternalIds
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for space, value in ids.items():
        rows = connection.execute(_FIND[space], (service, media_type.value, value))
        found.update(dict.fromkeys(row[0] for row in rows))
    return tuple(sorted(found))


def _ids_of(connection: sqlite3.Connection, service: str, item: str) -> IndexEntry | None:
    row = connection.execute(
        "SELECT media_type, tmdb, tvdb, imdb FROM library_index WHERE service = ? AND item = ?",
        (service, item),
    ).fetchone()
    media_type = known(MediaType, row[0]) if row is not None else None
    if media_type is None:
        return None
    ids = ExternalIds(tmdb=row[1], tvdb=row[2], imdb=row[3])
    return IndexEntry(item=item, media_type=media_type, ids=ids)


def _put(connection: sqlite3.Connection, pages: list[_Page]) -> list[None]:
    for page in pages:
        connection.executemany(_PUT, page.rows)
        if page.state is not None:
            connection.execute(_SAVE_STATE, page.state)
    return [None] * len(pages)


def _drop(connection: sqlite3.Connection, calls: list[list[tuple[str, str]]]) -> list[None]:
    for keys in calls:
        connection.executemany("DELETE FROM library_index WHERE service = ? AND item = ?", keys)
    return [None] * len(calls)


def _state(connection: sqlite3.Connection, service: str) -> LibraryState:
    row = connection.execute(
        "SELECT resume, done, total, complete, built_at FROM library_index_state WHERE service = ?",
        (service,),
    ).fetchone()
    if row is None:
        return LibraryState()
    try:
        resume: Json = json.loads(row[0])
    except ValueError:
        return LibraryState()
    return LibraryState(
        resume=resume, done=row[1], total=row[2], complete=bool(row[3]), built_at=row[4]
    )


def _count(connection: sqlite3.Connection, service: str) -> int:
    count: int = connection.execute(
        "SELECT count(*) FROM library_index WHERE service = ?", (service,)
    ).fetchone()[0]
    return count


def _clear(connection: sqlite3.Connection, services: list[str]) -> list[None]:
    keys = [(service,) for service in services]
    connection.executemany("DELETE FROM library_index WHERE service = ?", keys)
    connection.executemany("DELETE FROM library_index_state WHERE service = ?", keys)
    return [None] * len(services)
