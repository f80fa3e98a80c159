"""Fixtures for tests that need Home Assistant."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

import custom_components.media_arrivals  # noqa: F401 - found only if imported at collection
from simulator import Stack
from tests.house import House


@pytest.fixture(autouse=True)
def custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant see what is in custom_components."""


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give each test a database of its own."""
    return hass_tmp_config_dir


@pytest.fixture
async def stack(socket_enabled: None) -> AsyncIterator[Stack]:
    """Run a Seerr, a Radarr, a Radarr for 4K and a Sonarr."""
    async with Stack.default() as running:
        yield running


@pytest.fixture
async def house(
    hass: HomeAssistant, stack: Stack, hass_client_no_auth: ClientSessionGenerator
) -> House:
    """Return a Home Assistant with HTTP, beside a media stack."""
    assert await async_setup_component(hass, "http", {})
    # As Home Assistant's own server does: endpoints may be registered while it runs.
    hass.http.app._router.freeze = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
    client: TestClient[Any, Any] = await hass_client_no_auth()
    hass.config.internal_url = str(client.make_url("")).rstrip("/")
    return House(hass, stack, client)
