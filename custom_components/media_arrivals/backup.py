"""Backups: the database keeps still while Home Assistant copies it, and goes on beside it."""

from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .engine.storage.storage import Storage
from .runtime import BOARD_KEY

RESTORE_AFTER: Final = timedelta(hours=2)
"""A backup that never says that it is done does not leave the database as it is for ever."""

_TIMER_KEY: Final[HassKey[CALLBACK_TYPE]] = HassKey(f"{DOMAIN}_backup")


async def async_pre_backup(hass: HomeAssistant) -> None:
    """Bring everything into the main file and let it alone. Never raises."""
    if (storage := _storage(hass)) is None:
        return

    async def restore(_: datetime) -> None:
        await async_post_backup(hass)

    _cancel(hass)
    hass.data[_TIMER_KEY] = async_call_later(
        hass, RESTORE_AFTER, HassJob(restore, f"{DOMAIN} backup", cancel_on_shutdown=True)
    )
    await storage.prepare_backup()


async def async_post_backup(hass: HomeAssistant) -> None:
    """Go on as usual. Never raises."""
    _cancel(hass)
    if (storage := _storage(hass)) is not None:
        await storage.finish_backup()


def _storage(hass: HomeAssistant) -> Storage | None:
    """Return the storage, if there is one at this moment."""
    runtime = hass.data.get(BOARD_KEY)
    return runtime.storage if runtime is not None else None


def _cancel(hass: HomeAssistant) -> None:
    """Forget the timer."""
    if (cancel := hass.data.pop(_TIMER_KEY, None)) is not None:
        cancel()
