"""A storage in a folder of its own."""

# ruff: noqa: SLF001 - what SQLite runs is seen only from its own thread

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from custom_components.media_arrivals.engine.storage.storage import Storage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "media_arrivals.db"


@pytest.fixture
async def storage(path: Path) -> AsyncIterator[Storage]:
    opened = await Storage.open(path)
    yield opened
    await opened.close()


@pytest.fixture
async def statements(storage: Storage) -> list[str]:
    """Record the statements that SQLite runs from now on."""
    seen: list[str] = []

    def listen(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(lambda statement: seen.append(statement.strip()))

    await storage._database.read(listen)
    return seen
