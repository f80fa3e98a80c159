"""Older files become what the schema is now: after a copy, all steps or none."""

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .codec import UNREADABLE, clean, dumps
from .schema import LIBRARY_INDEX, SCHEMA_VERSION, create
from .transaction import transaction

type Step = Callable[[sqlite3.Connection], None]

_BATCH: Final = 500


def _add_library_index(connection: sqlite3.Connection) -> None:
    """Make the tables in which media servers' items are found by external ids."""
    for statement in LIBRARY_INDEX:
        connection.execute(statement)


def _overviews_apart(connection: sqlite3.Connection) -> None:
    """Move overviews out of the titles' documents: they are read only where one is shown."""
    connection.execute("ALTER TABLE titles ADD COLUMN overview TEXT")
    last = 0
    while rows := connection.execute(
        "SELECT rowid, document FROM titles WHERE rowid > ? ORDER BY rowid LIMIT ?", (last, _BATCH)
    ).fetchall():
        last = rows[-1][0]
        for rowid, text in rows:
            # What cannot be understood is left out when it is read.
            with contextlib.suppress(*UNREADABLE):
                document = json.loads(text)
                if (overview := clean(document.pop("about", None))) is not None:
                    connection.execute(
                        "UPDATE titles SET overview = ?, document = ? WHERE rowid = ?",
                        (overview, dumps(document), rowid),
                    )


STEPS: Final[Mapping[int, Step]] = {2: _add_library_index, 3: _overviews_apart}
"""The version that a step leads to -> the step."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the file's schema version; 0 for an empty one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def bring_up(
    connection: sqlite3.Connection,
    path: Path,
    *,
    steps: Mapping[int, Step] = STEPS,
    target: int = SCHEMA_VERSION,
) -> None:
    """Create or migrate the tables."""
    found = version_of(connection)
    if found == 0:
        create(connection)
    elif found < target:
        copy = _copy(connection, path, target)
        _migrate(connection, [steps[version] for version in range(found + 1, target + 1)], target)
        for old in path.parent.glob(f"{path.name}.before-v*"):
            if old != copy:
                old.unlink()


def _copy(connection: sqlite3.Connection, path: Path, target: int) -> Path:
    """Copy the file as it is, under a name that says before what."""
    copy = path.with_name(f"{path.name}.before-v{target}")
    unfinished = path.with_name(f"{copy.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY, 0o600))
    with contextlib.closing(sqlite3.connect(unfinished)) as destination:
        connection.backup(destination)
    return unfinished.replace(copy)


def _migrate(connection: sqlite3.Connection, steps: list[Step], target: int) -> None:
    """Take all steps in one transaction. SQLite wants references unchecked meanwhile."""
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        with transaction(connection):
            for step in steps:
                step(connection)
            _check_references(connection)
            connection.execute(f"PRAGMA user_version = {target}")
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _check_references(connection: sqlite3.Connection) -> None:
    """Raise if something refers to what is not there."""
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise sqlite3.IntegrityError("The migration would leave dangling references")
