"""Backups copy a database that keeps still, and nothing stays still for ever."""

from datetime import timedelta
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.media_arrivals.backup import (
    RESTORE_AFTER,
    async_post_backup,
    async_pre_backup,
)
from custom_components.media_arrivals.engine.storage.storage import Storage
from tests.house import House
from tests.payloads import radarr_grab


async def copied(house: House, folder: Path) -> int:
    """Copy the main file alone, as a backup does; return how many deliveries are in the copy."""
    copy = folder / "copy.db"
    await house.hass.async_add_executor_job(
        lambda: copy.write_bytes(house.storage.path.read_bytes())
    )
    storage = await Storage.open(copy)
    total = (await storage.journal.recent()).total
    await storage.close()
    return total


async def test_a_backup_has_everything_from_before(house: House, tmp_path: Path) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    await house.post(entry, radarr_grab())
    await house.settle()
    assert await copied(house, tmp_path) == 0

    await async_pre_backup(house.hass)
    await house.post(entry, radarr_grab(download="BB22"))
    await house.settle()

    assert await copied(house, tmp_path) == 1
    await async_post_backup(house.hass)
    assert await copied(house, tmp_path) == 2


async def test_a_backup_that_never_ends_is_ended(
    house: House, hass: HomeAssistant, tmp_path: Path
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    await async_pre_backup(hass)
    await async_pre_backup(hass)
    await house.post(entry, radarr_grab())
    await house.settle()
    assert await copied(house, tmp_path) == 0

    async_fire_time_changed(hass, dt_util.utcnow() + RESTORE_AFTER + timedelta(seconds=1))
    await hass.async_block_till_done()

    assert await copied(house, tmp_path) == 1


async def test_without_a_database_there_is_nothing_to_do(house: House, hass: HomeAssistant) -> None:
    house.add_service(house.stack.radarr)
    await house.start()
    await house.runtime.async_close()

    await async_pre_backup(hass)
    await async_post_backup(hass)

    assert house.runtime.storage is None
