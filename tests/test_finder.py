"""The search after an import: what goes wrong in it, and what it goes on with."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from custom_components.media_arrivals import coordinator, finder
from custom_components.media_arrivals.engine.board.models import Arrival, Stage
from custom_components.media_arrivals.engine.connectors.pace import Pace
from simulator import Stack
from simulator.emby import EmbyDouble
from tests.house import House
from tests.payloads import FILM, radarr_grab, radarr_import


@pytest.fixture
async def stack(socket_enabled: None) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(finder, "PAUSES", (0.01,))
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))


async def move_in(house: House) -> Any:
    """Have a Radarr, and an Emby that cannot see the disk yet."""
    house.add_board()
    radarr = house.add_service(house.stack.radarr)
    house.add_service(emby_of(house))
    house.stack.radarr.put_movie(FILM)
    await house.start()
    return radarr


def emby_of(house: House) -> EmbyDouble:
    double = house.stack.services["emby"]
    assert isinstance(double, EmbyDouble)
    return double


async def bring(house: House, radarr: Any) -> None:
    await house.post(radarr, radarr_grab())
    await house.settle()
    await house.post(radarr, radarr_import())
    await house.settle()


async def over(house: House) -> None:
    searches = house.runtime.finder._searches  # noqa: SLF001
    await house.until(lambda: not searches, what="the end of the search")


def arrival(house: House) -> Arrival:
    (found,) = house.runtime.board.arrivals()
    return found


async def test_without_a_media_server_nothing_is_looked_for(house: House) -> None:
    house.add_board()
    radarr = house.add_service(house.stack.radarr)
    await house.start()

    await bring(house, radarr)

    assert house.runtime.finder._searches == {}  # noqa: SLF001


async def test_a_folder_outside_of_all_libraries_is_named(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stack.radarr.root_folder = "/elsewhere"
    monkeypatch.setattr(finder, "LIBRARIES_KEPT", 0.0)
    monkeypatch.setattr(finder, "GIVE_UP_AFTER", 0.2)
    radarr = await move_in(house)

    await bring(house, radarr)
    await over(house)

    assert arrival(house).stage is Stage.DOWNLOADED
    assert house.runtime.finder.not_found(arrival(house)) == (
        finder.NotFound(service="emby_entry", library=None),
    )
    libraries = [call for call in emby_of(house).calls if "VirtualFolders" in call.path]
    assert len(libraries) > 1


async def test_a_radarr_that_is_down_stops_no_search(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "GIVE_UP_AFTER", 0.2)
    radarr = await move_in(house)
    await house.post(radarr, radarr_grab())
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
    house.stack.radarr.misbehave("500")

    await house.post(radarr, radarr_import())
    await over(house)

    assert len(house.runtime.finder.not_found(arrival(house))) == 1


async def test_a_fault_ends_one_search_only(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    radarr = await move_in(house)

    def fail(*_args: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(finder, "match_folder", fail)
        await bring(house, radarr)
        await over(house)
    assert "looking for an imported title" in caplog.text

    house.runtime.finder.async_resume()
    assert len(house.runtime.finder._searches) == 1  # noqa: SLF001


async def test_a_start_goes_on_looking(house: House) -> None:
    radarr = await move_in(house)
    await bring(house, radarr)
    await house.runtime.finder.async_stop()
    await house.runtime._start()  # noqa: SLF001

    assert len(house.runtime.finder._searches) == 1  # noqa: SLF001


async def test_a_removed_server_is_not_asked(house: House) -> None:
    radarr = await move_in(house)
    await bring(house, radarr)
    await house.until(lambda: house.runtime.finder._libraries, what="libraries")  # noqa: SLF001

    await house.hass.config_entries.async_remove("emby_entry")

    assert house.runtime.finder._libraries == {}  # noqa: SLF001


async def test_a_title_that_is_gone_ends_the_search(house: House) -> None:
    await move_in(house)

    house.runtime.finder.async_imported("nowhere", "radarr_entry", time.time())
    await over(house)

    assert not tuple(house.runtime.board.arrivals())


async def test_a_source_that_is_gone_has_no_folder_and_the_servers_are_asked_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "GIVE_UP_AFTER", 0.1)
    radarr = await move_in(house)
    await bring(house, radarr)
    await over(house)
    asked = len([call for call in emby_of(house).calls if "/Items" in call.path])

    house.runtime.finder.async_imported(arrival(house).title_id, "nobody", time.time())
    await over(house)

    assert len([call for call in emby_of(house).calls if "/Items" in call.path]) > asked


async def test_what_is_there_was_never_looked_for_in_vain(house: House) -> None:
    radarr = await move_in(house)
    await house.post(radarr, radarr_grab())
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")

    assert arrival(house).stage is not Stage.DOWNLOADED
    assert house.runtime.finder.not_found(arrival(house)) == ()
