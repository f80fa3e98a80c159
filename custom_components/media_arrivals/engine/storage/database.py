"""The SQLite file and the one thread that touches it."""

import asyncio
import contextlib
import itertools
import os
import sqlite3
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, Concatenate, Final, NamedTuple, Self

from . import migrations
from .models import (
    DatabaseDamagedError,
    DatabaseNewerError,
    DatabaseUnavailableError,
    StorageClosedError,
    StorageError,
)
from .schema import SCHEMA_VERSION
from .transaction import transaction

GROUP_LIMIT: Final = 64
"""Calls that share one transaction at most."""
_BUSY_SECONDS: Final = 5.0
_AUTO_CHECKPOINT_PAGES: Final = 1000
_WAL_BYTES_KEPT: Final = 4 * 1024 * 1024
_DAMAGED_CODES: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY_CODES: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_COMPANIONS: Final = ("-wal", "-shm", "-journal")

type Writer[T, R] = Callable[[sqlite3.Connection, list[T]], Sequence[R]]
"""Writes several things of a kind inside a transaction; one result for each."""


class _Waiting(NamedTuple):
    """A call that waits for its transaction."""

    writer: Writer[Any, Any]
    item: Any
    alone: bool
    """The writer is a single statement, so it needs no transaction around it."""
    done: Callable[[Any], None]
    """Takes the result or the exception, on the loop's side."""


class Database:
    """One connection in one thread of its own; writes that wait together share a commit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set_aside: Path | None = None
        self.journal_mode = ""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="media_arrivals_storage")
        self._connection: sqlite3.Connection
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._writing = False
        self._reading = 0
        self._closing = False
        self._closed = False
        self._close_lock = asyncio.Lock()
        self._held_still = False
        self._wiping = False

    # --- the loop's side --------------------------------------------------------------

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, or make it; raise if it is newer, or cannot be opened."""
        database = cls(path)
        try:
            await database._in_thread(database._open)
        except BaseException:
            database._closing = database._closed = True
            await asyncio.to_thread(database._executor.shutdown)
            raise
        return database

    async def read[**P, R](
        self,
        reader: Callable[Concatenate[sqlite3.Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call ``reader`` with the connection, in the thread.

        It returns no cursor: freed in another thread, that would reset its statement while the
        next one runs, and hide that one's error.
        """
        self._refuse_if_closed()
        return await self._in_thread(lambda: reader(self._connection, *args, **kwargs))

    async def write[T, R](self, writer: Writer[T, R], item: T, *, alone: bool = False) -> R:
        """Have ``item`` written; it is on the disk when this returns."""
        self._refuse_if_closed()
        return await self._written(writer, item, alone=alone)

    def put[T, R](
        self, writer: Writer[T, R], item: T, done: Callable[[R | Exception], None], *, alone: bool
    ) -> None:
        """Have ``item`` written, and ``done`` called once it is on the disk, or with the error.

        It is called whoever waits for it or no longer does, and must not raise.
        """
        self._refuse_if_closed()
        self._enqueue(_Waiting(writer, item, alone, done))

    async def close(self) -> None:
        """Write what waits, close the file and end the thread; again does nothing."""
        self._closing = True
        async with self._close_lock:
            if self._closed:
                return
            await self._written(_nothing, None)
            await self._in_thread(self._close)
            await asyncio.to_thread(self._executor.shutdown)
            self._closed = True

    async def prepare_backup(self) -> bool:
        """Stop checkpoints, so that the main file does not change while it is copied."""
        try:
            return await self.read(self._hold_still)
        except StorageError:
            return False

    async def finish_backup(self) -> bool:
        """Let checkpoints happen again."""
        try:
            return await self.read(self._let_go)
        except StorageError:
            return False

    async def wipe(self) -> None:
        """Write the file anew without what was deleted, and empty what is kept beside it."""
        await self.read(self._wipe)

    async def _in_thread[R](self, job: Callable[[], R]) -> R:
        """Call ``job`` in the thread, and speak of errors in the storage's own words."""

        def run() -> R:
            try:
                return job()
            except (sqlite3.Error, OSError) as err:
                _free_cursors(err)
                raise _translated(err) from err
            except Exception as err:
                _free_cursors(err)
                raise

        self._reading += 1
        try:
            return await self._loop.run_in_executor(self._executor, run)
        finally:
            self._reading -= 1

    def _refuse_if_closed(self) -> None:
        """Raise if nothing may be asked any more."""
        if self._closing:
            raise StorageClosedError("The storage is closed")

    def _written[T, R](
        self, writer: Writer[T, R], item: T, *, alone: bool = False
    ) -> asyncio.Future[R]:
        """Put a call on the queue, and return what will be its result."""
        future: asyncio.Future[R] = self._loop.create_future()
        self._enqueue(_Waiting(writer, item, alone, partial(_settle, future)))
        return future

    def _enqueue(self, call: _Waiting) -> None:
        """Put a call on the queue, and wake the thread unless it is at it."""
        with self._lock:
            self._waiting.append(call)
            idle, self._writing = not self._writing, True
        if idle:
            self._executor.submit(self._drain)

    # --- the thread's side ------------------------------------------------------------

    def _drain(self) -> None:
        """Write what waits, as often as something does, but let readers have their turn.

        The next group is begun at once: the loop answers those of the last one meanwhile.
        """
        while group := self._next_group():
            answers = self._write(group)
            # The loop may be gone in a crash; then nobody waits for the answers either.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_hand_over, group, answers)
            if self._reading:
                self._executor.submit(self._drain)
                return

    def _next_group(self) -> list[_Waiting]:
        """Take what waits now; if there is nothing, note that the thread is idle."""
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_LIMIT))]
            self._writing = bool(group)
        return group

    def _write(self, group: list[_Waiting]) -> list[Any]:
        """Return a result or an exception for each; one that fails is left out alone."""
        try:
            return self._write_together(group)
        except Exception as err:  # noqa: BLE001 - whoever waits for it gets it
            _free_cursors(err)
            if len(group) > 1:
                return [answer for one in group for answer in self._write([one])]
            return [_translated(err)]

    def _write_together(self, group: list[_Waiting]) -> list[Any]:
        """Write everything in one transaction."""
        connection = self._connection
        kinds = [
            (writer, list(calls))
            for writer, calls in itertools.groupby(group, attrgetter("writer"))
        ]
        if len(kinds) == 1 and group[0].alone:
            writer, calls = kinds[0]
            return list(writer(connection, [call.item for call in calls]))
        with transaction(connection):
            return [
                answer
                for writer, calls in kinds
                for answer in writer(connection, [call.item for call in calls])
            ]

    def _open(self) -> None:
        """Open the file; set a damaged one aside and make a fresh one."""
        try:
            self._connect()
        except sqlite3.DatabaseError as err:
            if not _is_damage(err):
                raise
            self.set_aside = _set_aside(self.path)
            self._connect()

    def _connect(self) -> None:
        """Connect, choose the journal mode, check the file, bring its tables up."""
        _refuse_newer(self.path)
        _make_private(self.path)
        connection, self.journal_mode = _connection_with_mode(self.path)
        try:
            for pragma in (
                "synchronous = FULL",
                "foreign_keys = ON",
                f"wal_autocheckpoint = {_AUTO_CHECKPOINT_PAGES}",
                f"journal_size_limit = {_WAL_BYTES_KEPT}",
            ):
                connection.execute(f"PRAGMA {pragma}")
            _check(connection)
            migrations.bring_up(
                connection, self.path, steps=migrations.STEPS, target=SCHEMA_VERSION
            )
        except BaseException:
            connection.close()
            raise
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, False)
        self._connection = connection

    def _close(self) -> None:
        """Bring everything into the main file, unless that is being copied, and close."""
        if self._held_still:
            self._connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        # What cannot be brought over now stays safe in the companion file.
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _wipe(self, connection: sqlite3.Connection) -> None:
        """Leave nothing of what was deleted; while the file is copied, it stays as it is."""
        connection.execute("VACUUM")
        self._wiping = self._held_still
        if not self._held_still:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        for copy in self.path.parent.glob(f"{self.path.name}.before-v*"):
            copy.unlink()

    def _hold_still(self, connection: sqlite3.Connection) -> bool:
        """Empty the companion file once, and leave what comes in it from now on."""
        if self.journal_mode != "wal":
            return False
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._held_still = True
        busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def _let_go(self, connection: sqlite3.Connection) -> bool:
        """Checkpoint as usual again, beginning now."""
        if not self._held_still:
            return True
        connection.execute(f"PRAGMA wal_autocheckpoint = {_AUTO_CHECKPOINT_PAGES}")
        self._held_still = False
        how, self._wiping = "TRUNCATE" if self._wiping else "PASSIVE", False
        busy: int = connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()[0]
        return not busy


def _nothing(_: sqlite3.Connection, items: list[None]) -> list[None]:
    """Write nothing: whoever waits for it has waited for everything before."""
    return items


def _hand_over(group: list[_Waiting], answers: list[Any]) -> None:
    """Give everybody the answer."""
    for call, answer in zip(group, answers, strict=True):
        call.done(answer)


def _settle[R](future: asyncio.Future[R], answer: R | Exception) -> None:
    """Give whoever still waits the answer."""
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _free_cursors(err: BaseException) -> None:
    """Free in this thread what a failed call's frames hold, before its error travels."""
    link: BaseException | None = err
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__


def _is_damage(err: BaseException) -> bool:
    """Tell whether SQLite means the file itself."""
    return _code(err) in _DAMAGED_CODES


def _code(err: BaseException) -> int:
    """Return SQLite's primary error code; 0 where the error is none of its own."""
    return getattr(err, "sqlite_errorcode", 0) & 0xFF


def _translated(err: Exception) -> Exception:
    """Return the storage's own error for one of SQLite's or the system's."""
    ours: Exception
    if isinstance(err, OSError):
        # The whole text would name the folder to everybody who reads the repair.
        ours = DatabaseUnavailableError(err.strerror or type(err).__name__)
    elif isinstance(err, sqlite3.OperationalError):
        ours = DatabaseUnavailableError(str(err))
    elif _is_damage(err):
        ours = DatabaseDamagedError(str(err))
    elif isinstance(err, sqlite3.Error):
        ours = StorageError(str(err))
    else:
        return err
    ours.__cause__ = err
    return ours


def _companions(path: Path) -> Iterable[Path]:
    """Return the files that SQLite may keep beside the main one."""
    return (path.with_name(path.name + suffix) for suffix in _COMPANIONS)


def _refuse_newer(path: Path) -> None:
    """Raise if a newer version wrote the file, without changing a byte of it."""
    if not path.exists() or path.stat().st_size == 0:
        return
    wal, index, _ = _companions(path)
    had_index = index.exists()
    # Without changes waiting beside it the file is read as a plain, unchanging one.
    immutable = "" if wal.exists() and wal.stat().st_size > 0 else "&immutable=1"
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True)
    ) as connection:
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        found = migrations.version_of(connection)
    if found > SCHEMA_VERSION:
        if not had_index:
            index.unlink(missing_ok=True)
        raise DatabaseNewerError(found, SCHEMA_VERSION)


def _make_private(path: Path) -> None:
    """Let nobody else read the file; its companions are made with the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    for file in (path, *_companions(path)):
        # A network share may know no modes; that is no reason to go without a database.
        with contextlib.suppress(OSError):
            file.chmod(0o600)


def _connection_with_mode(path: Path) -> tuple[sqlite3.Connection, str]:
    """Connect with a write-ahead log, or without where the file system cannot have one."""
    try:
        connection, mode = _connect(path, "journal_mode = WAL")
        if mode == "wal":
            return connection, mode
        connection.close()
    except sqlite3.OperationalError as err:
        if _code(err) in _BUSY_CODES:
            raise
    # Alone with the file, SQLite needs no shared memory to leave the write-ahead log.
    return _connect(path, "locking_mode = EXCLUSIVE", "journal_mode = TRUNCATE")


def _connect(path: Path, *pragmas: str) -> tuple[sqlite3.Connection, str]:
    """Connect, and return what the last pragma answered.

    Only this thread may use the connection, and transactions are ours to open.
    """
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, cached_statements=256
    )
    try:
        # A file that turns out to be no good stays as it is.
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        answers = [connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas]
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection, str(answers[-1])


def _check(connection: sqlite3.Connection) -> None:
    """Raise if the file is damaged."""
    verdict: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if migrations.version_of(connection) < 0:
        verdict = "a version that never was"
    if verdict != "ok":
        err = sqlite3.DatabaseError(verdict)
        err.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise err


def _set_aside(path: Path) -> Path:
    """Rename a damaged file and its companions, and return the new name."""
    stem = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside = path.with_name(stem)
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{stem}-{number}")
    for suffix in ("", *_COMPANIONS):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside
