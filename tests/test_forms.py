"""Every form can be sent from Home Assistant's front end, and shows there what is stored."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import coordinator
from custom_components.media_arrivals.const import (
    CONF_ALLOWED_ADDRESSES,
    CONF_INTERVAL_HOURS,
    CONF_LOCAL_ONLY,
    CONF_SCHEDULE_ENABLED,
    DOMAIN,
)
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from scripts.develop_home.adding import filled
from scripts.develop_home.words import Failure
from simulator import Stack
from tests.flow_helpers import FLOW, OPTIONS, Flow
from tests.house import House


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))
        yield running


@pytest.fixture
async def front_end(
    hass: HomeAssistant, house: House, hass_client: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Return what the front end talks to."""
    assert await async_setup_component(hass, "config", {})
    return await hass_client()


KINDS = ("radarr", "sonarr", "seerr", "plex", "jellyfin", "emby", "tautulli")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_is_added_from_the_front_end(
    house: House, front_end: TestClient[Any, Any], kind: str
) -> None:
    double = house.stack.services[kind]
    flow = await Flow.begin(front_end, FLOW, handler=DOMAIN)
    await flow.send({"next_step_id": kind})
    if kind == "plex":
        await flow.send({"next_step_id": "plex_token"})
    typed = {"url": double.url, "api_key": double.api_key}

    data = filled(flow.last["data_schema"], typed)

    assert data["tls"] == {"verify_ssl": True}
    await flow.send(data)
    assert flow.last["type"] == ("form" if kind == "seerr" else "create_entry")
    if kind == "seerr":
        await flow.send(filled(flow.last["data_schema"], {}))
        assert flow.last["type"] == "create_entry"
    await house.hass.async_block_till_done()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_typed_wrong_is_not_lost(
    house: House, front_end: TestClient[Any, Any], kind: str
) -> None:
    double = house.stack.services[kind]
    flow = await Flow.begin(front_end, FLOW, handler=DOMAIN)
    await flow.send({"next_step_id": kind})
    if kind == "plex":
        await flow.send({"next_step_id": "plex_token"})

    await flow.send(filled(flow.last["data_schema"], {"url": double.url, "api_key": "wrong"}))

    wrong = "invalid_token" if kind == "plex" else "invalid_auth"
    assert flow.last["errors"] == {"api_key": wrong}
    # What is shown again can be sent again: only the key is missing.
    data = filled(flow.last["data_schema"], {"api_key": double.api_key})
    assert (data["url"], data["tls"]) == (double.url, {"verify_ssl": True})
    await flow.send(data)
    assert flow.last["type"] == ("form" if kind == "seerr" else "create_entry")
    await house.hass.async_block_till_done()


@pytest.mark.parametrize("kind", KINDS)
async def test_forms_of_every_service_show_what_is_stored(
    house: House, front_end: TestClient[Any, Any], kind: str
) -> None:
    double: Any = house.stack.services[kind]
    schedule = {CONF_SCHEDULE_ENABLED: False, CONF_INTERVAL_HOURS: 9}
    house.add_board()
    entry = house.add_service(double, options=schedule, data={"verify_ssl": False})
    await house.start()

    again = await Flow.begin(front_end, FLOW, handler=DOMAIN, entry_id=entry.entry_id)
    shown = filled(again.last["data_schema"], {"api_key": double.api_key})
    assert (shown["url"], shown["tls"]) == (double.url, {"verify_ssl": False})
    await again.send(shown)
    if again.last["type"] == "form":
        await again.send(filled(again.last["data_schema"], {}))
    assert again.last["reason"] == "reconfigure_successful"
    assert entry.data["verify_ssl"] is False
    await house.hass.async_block_till_done()

    options = await Flow.begin(front_end, OPTIONS, handler=entry.entry_id)
    await options.send(filled(options.last["data_schema"], {}))
    assert options.last["type"] == "create_entry"
    assert {key: entry.options[key] for key in schedule} == schedule
    await house.hass.async_block_till_done()


async def test_forms_of_what_exists_show_what_is_stored(
    house: House, front_end: TestClient[Any, Any]
) -> None:
    stored = {
        CONF_LOCAL_ONLY: True,
        CONF_ALLOWED_ADDRESSES: ["127.0.0.1/32"],
        CONF_SCHEDULE_ENABLED: True,
        CONF_INTERVAL_HOURS: 7,
    }
    board = house.add_board()
    entry = house.add_service(house.stack.radarr, options=stored, data={"verify_ssl": False})
    await house.start()

    again = await Flow.begin(front_end, FLOW, handler=DOMAIN, entry_id=entry.entry_id)
    assert filled(again.last["data_schema"], {})["tls"] == {"verify_ssl": False}

    options = await Flow.begin(front_end, OPTIONS, handler=entry.entry_id)
    await options.send(filled(options.last["data_schema"], {}))
    assert options.last["type"] == "create_entry"
    assert {key: entry.options[key] for key in stored} == stored

    options = await Flow.begin(front_end, OPTIONS, handler=board.entry_id)
    await options.send(filled(options.last["data_schema"], {}))
    assert options.last["type"] == "create_entry"
    await house.hass.async_block_till_done()


def test_a_section_with_a_default_of_its_own_cannot_be_sent() -> None:
    inside = [{"name": "verify_ssl", "required": True, "default": True}]
    section = {"name": "tls", "type": "expandable", "schema": inside}
    assert filled([section], {}) == {"tls": {"verify_ssl": True}}
    with pytest.raises(Failure, match="wants verify_ssl"):
        filled([section | {"default": {}}], {})
