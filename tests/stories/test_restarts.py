"""Home Assistant stops, or is killed, in the middle of something: it goes on where it was."""

import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from freezegun.api import TickingDateTimeFactory
from homeassistant import loader
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_test_home_assistant
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import coordinator, finder, indexing
from custom_components.media_arrivals.engine.board.models import Stage
from custom_components.media_arrivals.engine.connectors.jellyfin import client as jellyfin
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account, library
from custom_components.media_arrivals.engine.storage.library import StoredLibrary
from custom_components.media_arrivals.troubles import DATABASE_FILE
from simulator import Stack
from tests.house import House
from tests.stories.family import Family
from tests.stories.media_family import MediaFamily
from tests.stories.watched import Watched

type Yesterday = Callable[..., Any]


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(finder, "PAUSES", (0.01,))
    monkeypatch.setattr(indexing, "PAUSES", (0.01,))
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))
    monkeypatch.setattr(library, "_INDEX_PAGE", 20)
    monkeypatch.setattr(jellyfin, "INDEX_PAGE", 20)


@pytest.fixture
def today(family: Family, house: House, clock: TickingDateTimeFactory) -> MediaFamily:
    return MediaFamily(house, clock)


@pytest.fixture
def yesterday(
    stack: Stack,
    clock: TickingDateTimeFactory,
    aiohttp_client: ClientSessionGenerator,
    tmp_path: Path,
    hass_config_dir: str,
) -> Yesterday:
    """Return a home whose Home Assistant ends: what it wrote is there for the next one.

    What a killed one leaves is what lies on the disk at that moment.
    """

    @asynccontextmanager
    async def home(*, killed: bool = False) -> AsyncGenerator[MediaFamily]:
        folder = tmp_path / "yesterday"
        folder.mkdir()

        def leave() -> None:
            for file in folder.glob(f"{DATABASE_FILE}*"):
                shutil.copy(file, hass_config_dir)

        async with async_test_home_assistant(config_dir=str(folder)) as earlier:
            earlier.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            assert await async_setup_component(earlier, "http", {})
            earlier.http.app._router.freeze = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
            client: TestClient[Any, Any] = await aiohttp_client(earlier.http.app)
            earlier.config.internal_url = str(client.make_url("")).rstrip("/")
            yield MediaFamily(House(earlier, stack, client), clock)
            if killed:
                leave()
            for entry in earlier.config_entries.async_entries():
                await earlier.config_entries.async_unload(entry.entry_id)
            await earlier.async_stop(force=True)
            await client.close()
        if not killed:
            leave()

    return home


async def start(today: MediaFamily, *names: str) -> None:
    """Start the next Home Assistant with the same services."""
    today.house.add_board()
    for name in names:
        today.add(name)
    await today.house.start()


# --- an index that is being built --------------------------------------------------------------


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("kind", ["plex", "jellyfin"])
async def test_an_index_is_built_on(
    today: MediaFamily,
    yesterday: Yesterday,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kind: str,
    killed: bool,
) -> None:
    films = 90
    double: Any = stack.services[kind]
    double.fill(films)
    taken: list[int] = []
    take = StoredLibrary.take_page

    async def take_page(self: StoredLibrary, entries: Any, state: Any) -> None:
        taken.append(state.done)
        if len(taken) == 2:
            double.misbehave("500")
        await take(self, entries, state)

    monkeypatch.setattr(StoredLibrary, "take_page", take_page)
    async with yesterday(killed=killed) as before:
        before.house.add_board()
        entry = before.add(kind)
        await before.house.start()
        await before.house.until(lambda: len(taken) == 2, what="two pages")
        await before.house.settle()
        assert 0 < before.house.record(entry).indexed < films
    double.behave()

    await start(today, kind)
    await today.joined(kind)

    record = today.house.record(today.entries[kind])
    assert record.indexed == record.to_index >= films
    assert await today.house.storage.library(f"{kind}_entry").count() == films
    assert today.events == []
    # It goes on where it was, and reads no page twice.
    assert taken == sorted(taken)
    assert sum(number == taken[0] for number in taken) == 1


# --- what is looked for ------------------------------------------------------------------------


async def import_unseen(before: MediaFamily, kind: str) -> None:
    """Have a film imported that the media server does not find."""
    await before.move_in(["radarr", kind])
    double: Any = before.stack.services[kind]

    async def see_nothing(*_args: Any, **_options: Any) -> None:
        return

    double.scan, double.look = see_nothing, double.scan
    await before.film()
    assert before.stage() == "downloaded"


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby"])
@pytest.mark.parametrize("minutes", [10, 40], ids=["soon", "late"])
async def test_what_is_there_by_now_is_found(
    today: MediaFamily, yesterday: Yesterday, stack: Stack, kind: str, minutes: int
) -> None:
    async with yesterday() as before:
        await import_unseen(before, kind)
    double: Any = stack.services[kind]
    today.clock.tick(minutes * 60)
    double.scan = double.look
    double.sender.faults.lose_if = lambda _: True
    # It sees the disk, and nobody polls it but for its first poll.
    await double.scan()

    await start(today, "radarr", kind)
    await today.found()

    assert today.stage() == "available"
    assert today.told() == {("Amber Ferry", "hd"): ["available"]}


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby"])
@pytest.mark.parametrize("concluded", [False, True], ids=["cut short", "concluded"])
async def test_why_it_is_not_available_is_known_after_a_restart(
    today: MediaFamily, yesterday: Yesterday, stack: Stack, *, kind: str, concluded: bool
) -> None:
    async with yesterday() as before:
        await import_unseen(before, kind)
        if concluded:
            before.clock.tick(finder.GIVE_UP_AFTER + 1)
            await before.found()
    today.clock.tick(40 * 60)
    stack.reset_counts()

    await start(today, "radarr", kind)
    await today.found()

    (arrival,) = today.house.runtime.board.arrivals()
    assert arrival.stage is Stage.DOWNLOADED
    assert today.house.runtime.finder.not_found(arrival) == (
        finder.NotFound(service=f"{kind}_entry", library="Films"),
    )
    # It is looked for once, not at each start.
    asked = [call for call in stack.radarr.calls if "tmdbId=" in call.path]
    assert bool(asked) is not concluded


# --- what has vanished -------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby"])
async def test_a_loss_that_waits_for_its_second_look_is_looked_at(
    today: MediaFamily, yesterday: Yesterday, stack: Stack, *, kind: str, killed: bool
) -> None:
    double: Any = stack.services[kind]
    async with yesterday(killed=killed) as before:
        await before.move_in(["radarr", kind])
        await before.film()
        await before.found()
        for path in list(stack.shelf.files):
            stack.shelf.remove(path)
        await double.scan()
        await before.sync(kind)
        assert before.stage() == "available"
    today.clock.tick(31 * 60)

    await start(today, "radarr", kind)
    await today.house.poll(today.entries[kind])
    await today.settle()

    assert today.stage() == "downloaded"


# --- what is stuck -----------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
async def test_what_was_told_as_stuck_is_kept_and_not_told_again(
    today: MediaFamily, yesterday: Yesterday, stack: Stack, *, killed: bool
) -> None:
    radarr = stack.radarr
    async with yesterday(killed=killed) as house:
        before = Watched(house.house, house.clock)
        await before.move_in(["radarr"])
        download = await radarr.grab(await radarr.add_movie(stack.catalogue.film("Amber Ferry")))
        radarr.progress(download, 0.3)
        await before.poll()
        await before.wait(40 * 60)
        assert before.turns == [("stalled", True)]
    await radarr.go_down()

    after = Watched(today.house, today.clock)
    await start(after, "radarr")
    await after.wait(3600)
    # Nobody could say more about it yet.
    assert after.counted() == "1"
    await radarr.go_up()
    await after.wait(3600)
    assert after.counted() == "1"
    assert after.turns == []

    radarr.progress(download, 0.8)
    await after.poll()
    await after.look()
    assert after.turns == [("stalled", False)]


async def test_a_day_without_home_assistant_does_not_count(
    today: MediaFamily, yesterday: Yesterday, stack: Stack
) -> None:
    radarr = stack.radarr
    async with yesterday() as house:
        before = Watched(house.house, house.clock)
        await before.move_in(["radarr"])
        download = await radarr.grab(await radarr.add_movie(stack.catalogue.film("Amber Ferry")))
        radarr.progress(download, 0.3)
        await before.poll()
        await before.wait(20 * 60)
        assert before.turns == []
    today.clock.tick(24 * 3600)

    after = Watched(today.house, today.clock)
    await start(after, "radarr")
    await after.look()
    await after.wait(8 * 60)
    assert after.turns == []
    await after.wait(4 * 60)
    assert after.turns == [("stalled", True)]
