"""Older files become newer ones, or stay what they were."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from custom_components.media_arrivals.engine.storage import database, migrations
from custom_components.media_arrivals.engine.storage.models import (
    DatabaseUnavailableError,
    StorageError,
)
from custom_components.media_arrivals.engine.storage.schema import SCHEMA_VERSION
from custom_components.media_arrivals.engine.storage.storage import Storage

from .household import NOON, RADARR

NEXT = SCHEMA_VERSION + 1

type Step = Callable[[sqlite3.Connection], None]


def add_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE webhook_log ADD COLUMN colour TEXT")


def fill_column(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE webhook_log SET colour = 'blue'")


def stumble(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE webhook_log SET flavour = 'sweet'")


def dangle(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO title_ids (media_type, space, value, title_id) VALUES ('', '', '', 'gone')"
    )


@pytest.fixture
async def older(storage: Storage) -> Path:
    """Return a file of the present version with one delivery in it."""
    await storage.journal.append(RADARR, "radarr", "Grab", "{}", NOON)
    await storage.close()
    return storage.path


def grow(monkeypatch: pytest.MonkeyPatch, *steps: Step) -> int:
    """Make the code newer by some steps."""
    target = SCHEMA_VERSION + len(steps)
    monkeypatch.setattr(migrations, "STEPS", dict(enumerate(steps, NEXT)))
    monkeypatch.setattr(database, "SCHEMA_VERSION", target)
    return target


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(query).fetchall()
    connection.close()
    return rows


async def test_an_older_file_is_copied_and_migrated(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outdated = older.with_name("media_arrivals.db.before-v1")
    outdated.write_bytes(b"an older copy")
    target = grow(monkeypatch, add_column, fill_column)

    opened = await Storage.open(older)
    assert len(await opened.journal.pending()) == 1
    await opened.close()

    assert ask(older, "PRAGMA user_version") == [(target,)]
    assert ask(older, "SELECT colour FROM webhook_log") == [("blue",)]
    copy = older.with_name(f"media_arrivals.db.before-v{target}")
    assert sorted(older.parent.iterdir()) == [older, copy]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert ask(copy, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert ask(copy, "SELECT count(*) FROM webhook_log") == [(1,)]

    # The second time there is nothing to be done, and nothing is copied.
    copy.unlink()
    opened = await Storage.open(older)
    await opened.close()
    assert sorted(older.parent.iterdir()) == [older]


@pytest.mark.parametrize("fault", [stumble, dangle])
async def test_a_migration_that_fails_changes_nothing(
    older: Path, monkeypatch: pytest.MonkeyPatch, fault: Step
) -> None:
    before = ask(older, "SELECT sql FROM sqlite_master ORDER BY name")
    with monkeypatch.context() as newer:
        grow(newer, add_column, fault)
        with pytest.raises(StorageError):
            await Storage.open(older)
    assert ask(older, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert ask(older, "SELECT sql FROM sqlite_master ORDER BY name") == before
    opened = await Storage.open(older)
    assert opened.set_aside is None
    assert len(await opened.journal.pending()) == 1
    await opened.close()


async def test_without_a_copy_there_is_no_migration(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older.with_name(f"media_arrivals.db.before-v{NEXT}").mkdir()
    grow(monkeypatch, add_column)
    with pytest.raises(DatabaseUnavailableError):
        await Storage.open(older)
    assert ask(older, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


async def test_tables_that_cannot_be_made_are_not_made_by_half(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE timeline (somebody_elses TEXT)")
    connection.close()
    with pytest.raises(DatabaseUnavailableError):
        await Storage.open(path)
    assert ask(path, "SELECT name FROM sqlite_master") == [("timeline",)]
