"""The index of a media server: built page by page, gone on with after a restart."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock

import pytest

from custom_components.media_arrivals import coordinator, indexing
from custom_components.media_arrivals.engine.connectors.jellyfin import client as jellyfin
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account, library
from custom_components.media_arrivals.engine.storage.library import StoredLibrary
from custom_components.media_arrivals.engine.storage.models import StorageError
from simulator import Stack
from tests.house import House

FILMS = 30


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "PAUSES", (0.01,))
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))
    monkeypatch.setattr(library, "_INDEX_PAGE", 10)


def client_of(house: House) -> Any:
    return house.runtime.coordinators["plex_entry"].client


async def indexed(house: House) -> None:
    await house.until(lambda: client_of(house).index_complete, what="an index")


async def test_progress_is_noted_page_by_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stack.plex.fill(FILMS)
    house.add_board()
    entry = house.add_service(house.stack.plex)
    noted: list[tuple[int, int]] = []
    take = StoredLibrary.take_page

    async def take_page(self: StoredLibrary, entries: Any, state: Any) -> None:
        noted.append((state.done, state.total))
        await take(self, entries, state)

    monkeypatch.setattr(StoredLibrary, "take_page", take_page)
    await house.start()
    await indexed(house)

    assert noted[:3] == [(10, 30), (20, 30), (30, 30)]
    record = house.record(entry)
    assert (record.indexed, record.to_index) == (FILMS, FILMS)
    assert await house.storage.library(entry.entry_id).count() == FILMS


async def test_a_reload_reads_no_page_twice(house: House) -> None:
    house.stack.plex.fill(FILMS)
    house.add_board()
    entry = house.add_service(house.stack.plex)
    await house.start()
    await indexed(house)
    house.stack.reset_counts()

    await house.hass.config_entries.async_reload(entry.entry_id)
    await indexed(house)

    assert not [call for call in house.stack.plex.calls if "sort=addedAt" in call.path]


@pytest.mark.parametrize("fault", ["500", "html", "invalid_json", "401"])
async def test_a_server_that_fails_is_asked_for_the_same_page_again(
    house: House, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    plex = house.stack.plex
    plex.fill(FILMS)
    house.add_board()
    entry = house.add_service(plex)
    asked = 0
    take = StoredLibrary.take_page

    async def take_page(self: StoredLibrary, entries: Any, state: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            plex.misbehave(fault)
        await take(self, entries, state)

    monkeypatch.setattr(StoredLibrary, "take_page", take_page)
    await house.start()
    await house.until(lambda: house.record(entry).indexed == 10, what="a page")
    assert not client_of(house).index_complete

    plex.behave()
    await indexed(house)

    assert await house.storage.library(entry.entry_id).count() == FILMS


async def test_a_database_that_fails_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stack.plex.fill(FILMS)
    house.add_board()
    house.add_service(house.stack.plex)
    failures = iter([True, True])
    read = StoredLibrary.state

    async def state(self: StoredLibrary) -> Any:
        if next(failures, False):
            raise StorageError("full")
        return await read(self)

    monkeypatch.setattr(StoredLibrary, "state", state)
    await house.start()
    await indexed(house)


async def test_without_a_database_there_is_no_index(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: Any) -> None:
        raise StorageError("read only")

    monkeypatch.setattr("custom_components.media_arrivals.runtime.Storage.open", fail)
    house.add_board()
    house.add_service(house.stack.plex)
    await house.start()

    assert client_of(house).index is None


@pytest.mark.parametrize("kind", ["plex", "jellyfin"])
async def test_a_library_without_an_end_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    monkeypatch.setattr(jellyfin, "INDEX_PAGE", 15)
    double: Any = house.stack.services[kind]
    double.fill(FILMS)
    pages: list[Any] = []

    def again(_: str, document: Any) -> Any:
        """Answer the first page always, and that there are more."""
        held = document.get("MediaContainer", document)
        if len(held.get("Metadata", held.get("Items", ()))) >= 10:
            pages.append(document)
            held["totalSize"] = held["TotalRecordCount"] = 10**9
        return pages[0] if held.get("totalSize") == 10**9 else document

    double.misbehave("rewrite", rewrite=again, path="/library/sections/1/all|^/Items$")
    house.add_board()
    entry = house.add_service(double)
    await house.start()
    await house.until(lambda: "without an end" in caplog.text, what="the end of it")

    read = len(pages)
    await house.poll(entry)
    assert 2 <= read <= 4
    assert caplog.text.count("without an end") == 1
    # Nothing is said to be absent.
    client: Any = house.runtime.coordinators[entry.entry_id].client
    assert not client.index_complete
    assert house.record(entry).last_status == "ok"


async def test_a_library_that_grows_for_ever_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(indexing, "MAX_ITEMS", 15)
    house.stack.plex.fill(FILMS)
    house.add_board()
    house.add_service(house.stack.plex)
    await house.start()

    await house.until(lambda: "without an end" in caplog.text, what="the end of it")

    assert not client_of(house).index_complete


async def test_an_index_that_cannot_be_begun_anew_stays_incomplete(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stack.plex.fill(FILMS)
    house.add_board()
    house.add_service(house.stack.plex)
    await house.start()
    await indexed(house)
    one = house.runtime.coordinators["plex_entry"]
    client = client_of(house)

    with monkeypatch.context() as full:
        full.setattr(StoredLibrary, "take_page", AsyncMock(side_effect=StorageError("full")))
        await indexing.async_read_anew(one, client)
    # What is not found is unknown until the whole library is read again.
    assert not client.index_complete

    client.index_complete = True
    with monkeypatch.context() as without:
        without.setattr(house.runtime, "storage", None)
        await indexing.async_read_anew(one, client)
    assert client.index_complete
