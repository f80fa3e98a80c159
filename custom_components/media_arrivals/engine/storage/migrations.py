"""Older files become what the schema is now: after a copy, all steps or none."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .schema import LIBRARY_INDEX, SCHEMA_VERSION, create
from .transaction import transaction

type Step = Callable[[sqlite3.Connection], None]


def _add_library_index(connection: sqlite3.Connection) -> None:
    """Make the tables in which media servers' items are found by external ids."""
    for statement in LIBRARY_INDEX:
        connection.execute(statement)


STEPS: Final[Mapping[int, Step]] = {2: _add_library_index}
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
