"""The index of a media server's library: in the file, not in memory."""

# ruff: noqa: SLF001 - what is spoilt is spoilt behind the storage's back

import asyncio
import sqlite3
from pathlib import Path

import pytest

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    IndexEntry,
    MediaType,
)
from custom_components.media_arrivals.engine.storage import schema
from custom_components.media_arrivals.engine.storage.library import CHUNK, LibraryState
from custom_components.media_arrivals.engine.storage.models import StorageError
from custom_components.media_arrivals.engine.storage.storage import Storage

from .household import NOON

PLEX = "01PLEX"
JELLYFIN = "01JELLYFIN"


def entry(item: str, media_type: MediaType = MediaType.MOVIE, **ids: int | str) -> IndexEntry:
    return IndexEntry(item=item, media_type=media_type, ids=ExternalIds(**ids))  # type: ignore[arg-type]


FILM = entry("12", tmdb=7, imdb="tt0000007")
SERIES = entry("34", MediaType.SERIES, tmdb=7, tvdb=70)


async def test_items_are_found_by_any_of_their_ids(storage: Storage) -> None:
    library = storage.library(PLEX)
    await library.put([FILM, SERIES])
    assert await library.find(MediaType.MOVIE, ExternalIds(tmdb=7)) == ("12",)
    assert await library.find(MediaType.MOVIE, ExternalIds(tmdb=9, imdb="tt0000007")) == ("12",)
    assert await library.find(MediaType.SERIES, ExternalIds(tmdb=7)) == ("34",)
    assert await library.find(MediaType.SERIES, ExternalIds(tvdb=70)) == ("34",)
    assert await library.find(MediaType.MOVIE, ExternalIds(tvdb=70)) == ()
    assert await library.find(MediaType.MOVIE, ExternalIds()) == ()
    assert await library.ids_of("34") == SERIES
    assert await library.ids_of("99") is None
    assert await library.count() == 2


async def test_an_hd_and_a_4k_item_are_found_once_each(storage: Storage) -> None:
    library = storage.library(PLEX)
    await library.put([entry("8", tmdb=7), FILM])
    found = await library.find(MediaType.MOVIE, ExternalIds(tmdb=7, imdb="tt0000007"))
    assert found == ("12", "8")


async def test_what_is_known_of_an_item_is_replaced(storage: Storage) -> None:
    library = storage.library(PLEX)
    await library.put([FILM])
    await library.put([entry("12", tmdb=8)])
    assert await library.find(MediaType.MOVIE, ExternalIds(tmdb=7)) == ()
    assert await library.find(MediaType.MOVIE, ExternalIds(imdb="tt0000007")) == ()
    assert await library.find(MediaType.MOVIE, ExternalIds(tmdb=8)) == ("12",)


async def test_what_is_gone_is_forgotten(storage: Storage) -> None:
    library = storage.library(PLEX)
    await library.put([FILM, SERIES])
    await library.drop(["12", "never there"])
    assert await library.find(MediaType.MOVIE, ExternalIds(tmdb=7)) == ()
    assert await library.count() == 1


async def test_two_servers_have_an_index_each(storage: Storage) -> None:
    plex, jellyfin = storage.library(PLEX), storage.library(JELLYFIN)
    await plex.put([FILM])
    await plex.take_page([], LibraryState(done=1, total=1, complete=True))
    await jellyfin.put([entry("12", MediaType.SERIES, tvdb=5)])
    assert await plex.ids_of("12") == FILM
    assert await jellyfin.find(MediaType.MOVIE, ExternalIds(tmdb=7)) == ()
    assert await jellyfin.state() == LibraryState()
    await storage.forget_service(PLEX)
    assert await plex.count() == 0
    assert await plex.state() == LibraryState()
    assert await jellyfin.count() == 1


async def test_a_page_and_how_far_it_is_are_kept(storage: Storage, path: Path) -> None:
    entries = [entry(str(number), tmdb=number + 1) for number in range(CHUNK * 2)]
    state = LibraryState(resume={"section": "2", "start": 40}, done=40, total=90)
    await storage.library(PLEX).take_page(entries, state)
    await storage.close()
    opened = await Storage.open(path)
    library = opened.library(PLEX)
    assert await library.state() == state
    assert await library.count() == CHUNK * 2
    done = LibraryState(done=90, total=90, complete=True, built_at=NOON)
    await library.take_page([FILM], done)
    assert await library.state() == done
    await opened.close()


async def test_a_page_that_is_not_entered_does_not_count(storage: Storage) -> None:
    library = storage.library(PLEX)
    spoilt = entry("1", tmdb=2**70)
    with pytest.raises((StorageError, OverflowError)):
        await library.take_page([FILM, spoilt], LibraryState(done=2, total=2, complete=True))
    assert await library.count() == 0
    assert await library.state() == LibraryState()


async def test_odd_texts_are_kept_or_passed_over(storage: Storage) -> None:
    library = storage.library(PLEX)
    odd = entry("half \ud800 of it", imdb="tt1\udfff")
    await library.put([odd, FILM])
    assert await library.ids_of(odd.item) is not None

    def spoil(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE library_index SET media_type = 'opera' WHERE item = '12'")
        connection.execute(
            "INSERT INTO library_index_state VALUES (?, '{broken', 1, 1, 1, 1.0)", (PLEX,)
        )

    await storage._database.read(spoil)
    assert await library.ids_of("12") is None
    assert await library.state() == LibraryState()


async def test_deliveries_are_written_between_the_items(storage: Storage) -> None:
    """A large library does not keep the door waiting."""
    library = storage.library(PLEX)
    entries = [entry(str(number), tmdb=number + 1) for number in range(20 * CHUNK)]
    building = asyncio.create_task(library.put(entries))
    await asyncio.sleep(0)
    await storage.journal.append(PLEX, "plex", "library.new", "{}", NOON)
    assert not building.done()
    await building
    assert await library.count() == len(entries)


async def test_no_search_reads_the_whole_table(storage: Storage, statements: list[str]) -> None:
    await storage.library(PLEX).put([FILM, SERIES])
    statements.clear()
    await storage.library(PLEX).find(MediaType.SERIES, ExternalIds(tmdb=7, tvdb=70, imdb="tt7"))
    asked = [one for one in statements if one.startswith("SELECT")]

    def plans(connection: sqlite3.Connection) -> list[str]:
        return [connection.execute(f"EXPLAIN QUERY PLAN {one}").fetchone()[3] for one in asked]

    found = await storage._database.read(plans)
    assert [plan.partition(" (")[0].split()[-1] for plan in found] == [
        "library_index_tmdb",
        "library_index_tvdb",
        "library_index_imdb",
    ]


async def test_an_older_file_gets_the_tables_of_a_fresh_one(path: Path) -> None:
    fresh = await Storage.open(path)
    await fresh.journal.append(PLEX, "plex", "library.new", "{}", NOON)
    await fresh.close()
    connection = sqlite3.connect(path)
    query = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'library%' ORDER BY name"
    wanted = connection.execute(query).fetchall()
    connection.executescript(
        "DROP TABLE library_index; DROP TABLE library_index_state;"
        "ALTER TABLE titles DROP COLUMN overview; PRAGMA user_version = 1"
    )
    connection.close()

    migrated = await Storage.open(path)
    assert len(await migrated.journal.pending()) == 1
    await migrated.library(PLEX).put([FILM])
    assert await migrated.library(PLEX).ids_of("12") == FILM
    await migrated.close()
    connection = sqlite3.connect(path)
    assert connection.execute(query).fetchall() == wanted
    version = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    assert version == (schema.SCHEMA_VERSION,)
    copy = path.with_name(f"{path.name}.before-v{schema.SCHEMA_VERSION}")
    assert copy.exists()
