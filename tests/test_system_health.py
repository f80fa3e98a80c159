"""System health tells how database, board and webhooks are."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info

from custom_components.media_arrivals.const import DOMAIN
from custom_components.media_arrivals.engine.storage.database import Database
from custom_components.media_arrivals.engine.storage.models import DatabaseDamagedError
from custom_components.media_arrivals.records import WebhookHealth
from tests.engine.board.household import FILM, request
from tests.entity_helpers import set_up_home


async def health(hass: HomeAssistant) -> dict[str, Any]:
    """Return what system health shows."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info: dict[str, Any] = await get_system_health_info(hass, DOMAIN)
    return {
        key: await value if asyncio.iscoroutine(value) else value for key, value in info.items()
    }


async def test_it_tells_how_everything_is(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    await home.hear(request(FILM, 1))
    await home.note("radarr", webhook=WebhookHealth.WORKING)
    await home.note("sonarr", webhook=WebhookHealth.FAILED)
    await home.note("seerr", webhook=WebhookHealth.UNPROVEN)
    info = await health(hass)
    assert info.pop("size").endswith(" MiB")
    assert info == {
        "database": "media_arrivals.db",
        "journal_mode": "wal",
        "deliveries": 0,
        "arrivals_live": 1,
        "arrivals_stored": 1,
        "services": 3,
        "webhooks_working": 1,
        "webhooks_unproven": 1,
        "webhooks_failed": 1,
        "polling_only": 0,
        "webhooks_missed": 0,
    }
    # The file's place says who owns the machine.
    assert hass.config.config_dir not in str(info)


async def test_it_says_when_there_is_no_database(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await set_up_home(hass, "radarr")
    unavailable = {"type": "failed", "error": "unavailable"}
    with monkeypatch.context() as damaged:
        damaged.setattr(Database, "read", AsyncMock(side_effect=DatabaseDamagedError))
        info = await health(hass)
    assert info["database"] == unavailable
    assert info["services"] == 1
    storage, home.runtime.storage = home.runtime.storage, None
    info = await health(hass)
    home.runtime.storage = storage
    assert info["database"] == unavailable
