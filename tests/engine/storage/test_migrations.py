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
from custom_components.media_arrivals.engine.storage.schema import SCHEMA_VERSION, create
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


def second_version(path: Path, *documents: str) -> None:
    """Make a file as the second version did, with titles."""
    connection = sqlite3.connect(path)
    create(connection)
    connection.execute("ALTER TABLE titles DROP COLUMN overview")
    connection.executemany(
        "INSERT INTO titles (id, media_type, held, document) VALUES (?, 'movie', '|', ?)",
        [(f"title-{number}", text) for number, text in enumerate(documents, 1)],
    )
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()


async def test_overviews_leave_the_documents(path: Path) -> None:
    spoilt = "{"
    second_version(
        path,
        '{"ids":{"tmdb":1},"about":"A keeper, and the sea \\ud83d"}',
        '{"ids":{"tmdb":2},"poster":"/p.jpg"}',
        spoilt,
        *(f'{{"ids":{{"tmdb":{number}}},"about":"{number}"}}' for number in range(4, 1204)),
    )
    opened = await Storage.open(path)
    assert await opened.overview("title-1") == "A keeper, and the sea ?"
    assert await opened.overview("title-2") is None
    assert await opened.overview("title-1203") == "1203"
    await opened.close()
    assert ask(path, "SELECT document FROM titles ORDER BY rowid LIMIT 3") == [
        ('{"ids":{"tmdb":1}}',),
        ('{"ids":{"tmdb":2},"poster":"/p.jpg"}',),
        (spoilt,),
    ]


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
