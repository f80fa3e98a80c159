"""The file, its thread, and what can be wrong with them."""

# ruff: noqa: ASYNC240 - the files are small, and nothing else runs
# ruff: noqa: SLF001 - the thread and its connection belong to nobody else

import asyncio
import os
import re
import shutil
import sqlite3
import threading
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import ExternalIds, MediaType, Outcome
from custom_components.media_arrivals.engine.storage import database
from custom_components.media_arrivals.engine.storage.database import Database
from custom_components.media_arrivals.engine.storage.models import (
    Commit,
    DatabaseDamagedError,
    DatabaseNewerError,
    DatabaseUnavailableError,
    JournalMark,
    ScheduleRow,
    StorageClosedError,
    StorageError,
)
from custom_components.media_arrivals.engine.storage.schema import SCHEMA_VERSION
from custom_components.media_arrivals.engine.storage.storage import Storage

from .household import NOON, RADARR, arrival, busy, request, step, title

COMPANIONS = ("-wal", "-shm")


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


async def use(storage: Storage) -> None:
    """Call everything once."""
    row_id = await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    await storage.commit(
        Commit(
            titles=[title(1)],
            arrivals=[arrival(1)],
            requests=[request(1)],
            timeline=[step(1)],
            marks=[JournalMark(id=row_id, outcome=Outcome.PROCESSED, at=NOON)],
            cursors={RADARR: {}},
        )
    )
    await storage.load_live()
    await storage.retire(["arrival-1"])
    await storage.recall(MediaType.MOVIE, ExternalIds(tmdb=1))
    await storage.title(MediaType.MOVIE, ExternalIds(tmdb=1))
    await storage.arrival("arrival-1")
    await storage.search(text="light")
    await storage.timeline("arrival-1")
    await storage.purge(NOON, 365)
    await storage.journal.recent()
    await storage.journal.counts()
    await storage.journal.trim(NOON, days=14, rows=100)
    await storage.schedule.save(ScheduleRow(service=RADARR, enabled=True, interval_hours=6))
    await storage.schedule.load()
    await storage.records.save(RADARR, {})
    await storage.records.load()
    await storage.prepare_backup()
    await storage.finish_backup()
    await storage.forget_service(RADARR)


# --- the thread ---------------------------------------------------------------------------


async def test_no_sql_runs_on_the_loops_thread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    connect = sqlite3.connect

    def listening(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        threads.add(threading.get_ident())
        # By default a connection refuses to be used in another thread than its own.
        assert "check_same_thread" not in kwargs
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_trace_callback(lambda _: threads.add(threading.get_ident()))
        return connection

    monkeypatch.setattr(sqlite3, "connect", listening)
    storage = await Storage.open(path)
    await use(storage)
    await storage.close()
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_closing_writes_what_waits_and_ends_the_thread(path: Path) -> None:
    def own_threads() -> list[str]:
        return [
            one.name
            for one in threading.enumerate()
            if one.name.startswith("media_arrivals_storage")
        ]

    storage = await Storage.open(path)
    async with busy(storage):
        calls = [
            asyncio.create_task(storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON))
            for _ in range(100)
        ]
        await asyncio.sleep(0)
        closing = [asyncio.create_task(storage.close()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StorageClosedError):
            await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    assert sorted(await asyncio.gather(*calls)) == list(range(1, 101))
    await asyncio.gather(*closing)
    assert own_threads() == []
    # Everything is in the main file.
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    again = await Storage.open(path)
    assert len(await again.journal.pending()) == 100
    await again.close()
    assert own_threads() == []


async def test_a_closed_storage_says_so(storage: Storage) -> None:
    await storage.close()
    await storage.close()
    with pytest.raises(StorageClosedError):
        await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    with pytest.raises(StorageClosedError):
        await storage.commit(Commit())
    with pytest.raises(StorageClosedError):
        await storage.load_live()
    assert await storage.prepare_backup() is False
    assert await storage.finish_backup() is False


# --- the file -----------------------------------------------------------------------------


async def test_the_file_is_durable_and_private(storage: Storage) -> None:
    await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    modes = {one.name: one.stat().st_mode & 0o777 for one in storage.path.parent.iterdir()}
    assert modes == {
        "media_arrivals.db": 0o600,
        "media_arrivals.db-wal": 0o600,
        "media_arrivals.db-shm": 0o600,
    }

    def pragmas(connection: sqlite3.Connection) -> list[object]:
        return [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert await storage._database.read(pragmas) == ["wal", 2, 1, 5000]
    assert storage.journal_mode == "wal"


async def test_a_file_that_others_could_read_is_made_private(storage: Storage, path: Path) -> None:
    await storage.close()
    path.chmod(0o644)
    again = await Storage.open(path)
    assert path.stat().st_mode & 0o777 == 0o600
    await again.close()


@pytest.mark.parametrize("was_wal", [False, True])
async def test_without_shared_memory_there_is_another_journal_mode(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, was_wal: bool
) -> None:
    if was_wal:
        before = await Storage.open(path)
        await before.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
        await before.close()
    connect = sqlite3.connect

    def on_a_share(target: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
        uri = str(target) if kwargs.pop("uri", False) else Path(target).as_uri()
        mark = "&" if "?" in uri else "?"
        connection: sqlite3.Connection = connect(
            f"{uri}{mark}vfs=unix-none", *args, uri=True, **kwargs
        )
        return connection

    monkeypatch.setattr(sqlite3, "connect", on_a_share)
    storage = await Storage.open(path)
    assert storage.journal_mode == "truncate"
    await use(storage)
    assert await storage.prepare_backup() is False
    row_id = await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    await storage.close()
    again = await Storage.open(path)
    assert [row.id for row in await again.journal.pending()] == [row_id]
    assert again.set_aside is None
    await again.close()


async def test_another_journal_mode_is_not_taken_for_a_locked_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE something (a)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnavailableError, match="locked"):
        await Storage.open(path)
    other.execute("ROLLBACK")
    other.close()


async def test_a_locked_file_fails_only_what_is_written_meanwhile(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await storage._database.read(lambda one: one.execute("PRAGMA busy_timeout = 20").fetchall())
    other = sqlite3.connect(storage.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailableError):
        await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    with pytest.raises(DatabaseUnavailableError):
        await storage.commit(Commit(records={RADARR: {}}))
    other.execute("ROLLBACK")
    other.close()
    assert await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    await storage.commit(Commit(records={RADARR: {}}))


@pytest.mark.parametrize("obstacle", ["folder", "no folder", "file as folder"])
async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / "media_arrivals.db"
    if obstacle == "folder":
        path.mkdir()
    elif obstacle == "no folder":
        path = tmp_path / "nowhere" / "media_arrivals.db"
    else:
        path.write_text("")
        path /= "media_arrivals.db"
    with pytest.raises(DatabaseUnavailableError) as raised:
        await Storage.open(path)
    assert str(raised.value)
    assert str(tmp_path) not in str(raised.value)
    assert not any(one.name.startswith("media_arrivals_storage") for one in threading.enumerate())


# --- damage -------------------------------------------------------------------------------


def overwritten(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 500)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribbled_on(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-4096 * 2 :] = b"\xa5" * 4096 * 2
    path.write_bytes(content)


def given_no_version(path: Path) -> None:
    """Spoil nothing but the four bytes of the schema's version."""
    content = bytearray(path.read_bytes())
    content[60:64] = b"\xff\xff\xff\xfa"
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [overwritten, cut_off, scribbled_on, given_no_version])
async def test_a_damaged_file_is_set_aside(storage: Storage, path: Path, damage: Any) -> None:
    for number in range(50):
        await storage.commit(Commit(titles=[title(number)], arrivals=[arrival(number)]))
    await storage.close()
    damage(path)
    damaged = path.read_bytes()
    beside(path, "-wal").write_bytes(b"left over")

    fresh = await Storage.open(path)
    aside = fresh.set_aside
    assert aside is not None
    assert re.fullmatch(r"media_arrivals\.db\.damaged-\d{8}T\d{6}Z", aside.name)
    assert aside.read_bytes() == damaged
    assert beside(aside, "-wal").exists()
    assert (await fresh.load_live()).titles == ()
    await use(fresh)
    await fresh.close()

    again = await Storage.open(path)
    assert again.set_aside is None
    await again.close()


async def test_two_damaged_files_in_one_second_are_both_kept(path: Path) -> None:
    asides = set()
    for _ in range(4):
        overwritten(path)
        storage = await Storage.open(path)
        assert storage.set_aside is not None
        asides.add(storage.set_aside)
        await storage.close()
    assert len(asides) == 4
    assert all(one.exists() for one in asides)


async def test_damage_that_shows_while_in_use_is_told(storage: Storage) -> None:
    for number in range(200):
        await storage.journal.append(RADARR, "radarr", "Grab", "x" * 5000, NOON + number)
    await storage.prepare_backup()
    size = storage.path.stat().st_size
    with storage.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    await storage._database.read(lambda one: one.execute("PRAGMA shrink_memory").fetchall())
    with pytest.raises(DatabaseDamagedError):
        await storage.journal.recent(with_payload=True)


# --- a newer version's file ----------------------------------------------------------------


def make_newer(path: Path, *, left: tuple[str, ...]) -> None:
    """Write the file as a newer version would that was then killed, or closed in peace."""
    folder = path.parent / "killed"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.execute("CREATE TABLE novelty (a)")
    folder.mkdir()
    for suffix in left:
        shutil.copy(beside(path, suffix), folder)
    connection.close()
    for suffix in left:
        shutil.move(folder / beside(path, suffix).name, beside(path, suffix))
    folder.rmdir()


@pytest.mark.parametrize("left", [(), ("", "-wal"), ("", "-wal", "-shm")])
async def test_a_newer_file_is_left_as_it_is(
    storage: Storage, path: Path, left: tuple[str, ...]
) -> None:
    await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    await storage.close()
    make_newer(path, left=left)
    before = contents(path.parent)
    assert set(before) == {path.name + suffix for suffix in left or ("",)}
    with pytest.raises(DatabaseNewerError) as caught:
        await Storage.open(path)
    assert (caught.value.found, caught.value.known) == (SCHEMA_VERSION + 1, SCHEMA_VERSION)
    assert isinstance(caught.value, StorageError)
    after = contents(path.parent)
    assert set(after) == set(before)
    # The index of the write-ahead log is worked out anew by whoever reads.
    assert {name: after[name] for name in after if not name.endswith("-shm")} == {
        name: before[name] for name in before if not name.endswith("-shm")
    }


# --- backups ------------------------------------------------------------------------------


async def test_a_copy_made_while_writing_is_consistent(storage: Storage) -> None:
    stop = asyncio.Event()
    written = 0

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            number = written
            await asyncio.gather(
                storage.journal.append(RADARR, "radarr", "Grab", "x" * 3000, NOON),
                storage.commit(
                    Commit(
                        titles=[title(number)],
                        arrivals=[arrival(number)],
                        timeline=[step(number)],
                    )
                ),
            )
            written += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for attempt in range(12):
            copy = storage.path.with_name(f"copy-{attempt}.db")
            target = written + 8
            while written < target:  # noqa: ASYNC110 - a writer that never stops has no event
                await asyncio.sleep(0.002)
            expected = written
            assert await storage.prepare_backup()
            await copy_slowly(storage.path, copy)
            assert written > target
            assert await storage.finish_backup()
            await asyncio.to_thread(check_copy, copy, expected)
        stop.set()


async def copy_slowly(source: Path, copy: Path) -> None:
    """Copy a piece at a time, as an archiver does, while others write."""
    with source.open("rb") as read, copy.open("wb") as write:
        while piece := await asyncio.to_thread(read.read, 65_536):
            write.write(piece)
            await asyncio.sleep(0.005)


def check_copy(copy: Path, expected: int) -> None:
    connection = sqlite3.connect(copy)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    arrivals, steps, deliveries = (
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        for table in ("arrivals", "timeline", "webhook_log")
    )
    connection.close()
    assert arrivals == steps
    assert arrivals >= expected
    assert deliveries >= expected


async def test_the_main_file_is_still_during_a_backup_only(storage: Storage) -> None:
    async def write() -> None:
        for _ in range(40):
            await storage.journal.append(RADARR, "radarr", "Grab", "x" * 200_000, NOON)

    assert await storage.finish_backup()
    assert await storage.prepare_backup()
    assert await storage.prepare_backup()
    before = storage.path.read_bytes()
    await write()
    assert storage.path.read_bytes() == before
    assert await storage.finish_backup()
    assert len(storage.path.read_bytes()) > len(before) + 40 * 200_000 - 1
    size = storage.path.stat().st_size
    await write()
    assert storage.path.stat().st_size > size


async def test_closing_during_a_backup_leaves_the_main_file_still(
    storage: Storage, path: Path
) -> None:
    assert await storage.prepare_backup()
    row_id = await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    before = path.read_bytes()
    await storage.close()
    assert path.read_bytes() == before
    again = await Storage.open(path)
    assert [row.id for row in await again.journal.pending()] == [row_id]
    await again.close()


async def test_a_backup_never_raises(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broke:
        broke.setattr(storage._database, "_hold_still", broken)
        broke.setattr(storage._database, "_let_go", broken)
        assert await storage.prepare_backup() is False
        assert await storage.finish_backup() is False
    assert await storage.prepare_backup() is True
    assert await storage.finish_backup() is True


async def test_who_cannot_wait_is_called(storage: Storage) -> None:
    answers: list[object] = []
    closed = asyncio.Event()

    def done(answer: object) -> None:
        answers.append(answer)
        if len(answers) == 2:
            closed.set()

    storage.journal.put((RADARR, "radarr", "Grab", NOON, "{}"), done)
    storage.journal.put((RADARR, "radarr", "Grab", None, "{}"), done)  # type: ignore[arg-type]
    await closed.wait()

    written, refused = answers
    assert isinstance(refused, StorageError)
    assert [row.id for row in await storage.journal.pending()] == [written]

    await storage.close()
    with pytest.raises(StorageClosedError):
        storage.journal.put((RADARR, "radarr", "Grab", NOON, "{}"), done)
    assert len(answers) == 2


async def test_readers_have_their_turn_between_writers(storage: Storage) -> None:
    """However much is written, whoever reads waits for one group at most."""
    done = 0
    all_done = asyncio.Event()

    def count(_: object) -> None:
        nonlocal done
        done += 1
        if done <= 400:
            put()
        elif done == 408:
            all_done.set()

    def put() -> None:
        storage.journal.put((RADARR, "radarr", "Grab", NOON, "{}"), count)

    for _ in range(8):
        put()
    await asyncio.sleep(0)
    await storage.journal.last_pending()
    assert done < 100
    await all_done.wait()
    assert await storage.journal.last_pending() == 408


async def test_an_abandoned_loop_does_not_hang_the_thread(path: Path) -> None:
    async def abandon() -> Storage:
        storage = await Storage.open(path)
        nobody_waits = storage._database._written(lambda _, items: items, None)
        assert not nobody_waits.done()
        return storage

    storage = await asyncio.to_thread(partial(asyncio.run, abandon()))
    await asyncio.to_thread(storage._database._executor.shutdown)
    assert len(storage._database._waiting) == 0


def read_half(connection: sqlite3.Connection, freed_in: list[str]) -> None:
    """Leave a statement half read in a local variable."""
    cursor = connection.execute("SELECT id FROM titles UNION ALL VALUES (1), (2)")
    weakref.finalize(cursor, lambda: freed_in.append(threading.current_thread().name))
    cursor.fetchone()
    connection.execute("SELECT * FROM nowhere")


def read_half_and_stumble(connection: sqlite3.Connection, freed_in: list[str]) -> None:
    try:
        read_half(connection, freed_in)
    except sqlite3.Error:
        raise ValueError from None


def write_half(connection: sqlite3.Connection, items: list[list[str]]) -> list[None]:
    for freed_in in items:
        read_half(connection, freed_in)
    return []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda one, freed_in: one.read(read_half, freed_in), DatabaseUnavailableError),
        (lambda one, freed_in: one.read(read_half_and_stumble, freed_in), ValueError),
        (lambda one, freed_in: one.write(write_half, freed_in), DatabaseUnavailableError),
    ],
)
async def test_a_failed_calls_cursor_is_freed_in_the_storages_thread(
    storage: Storage,
    call: Callable[[Database, list[str]], Awaitable[None]],
    error: type[Exception],
) -> None:
    """In another one it would hide the error of what runs meanwhile."""
    freed_in: list[str] = []
    with pytest.raises(error) as caught:
        await call(storage._database, freed_in)
    assert caught.value.__traceback__ is not None
    assert [name.startswith("media_arrivals_storage") for name in freed_in] == [True]
