"""Buttons look at services now, and say it when that fails."""

from unittest.mock import PropertyMock, patch

import pytest
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events

from custom_components.media_arrivals.const import EVENT_ACTION
from custom_components.media_arrivals.engine.connectors.base import Poll, TimedOutError
from custom_components.media_arrivals.records import WebhookHealth
from tests.engine.board.household import FILM, request
from tests.entity_helpers import set_up_home
from tests.house import House


async def press(hass: HomeAssistant, button: str, context: Context | None = None) -> None:
    """Have somebody press a button."""
    await hass.services.async_call(
        "button", "press", {ATTR_ENTITY_ID: f"button.{button}"}, blocking=True, context=context
    )
    await hass.async_block_till_done()


async def test_check_now_looks_at_every_service(
    hass: HomeAssistant, hass_admin_user: MockUser
) -> None:
    home = await set_up_home(hass)
    home.clients["seerr"].answer_poll = Poll(reports=(request(FILM, 0),))
    told = async_capture_events(hass, EVENT_ACTION)
    context = Context(user_id=hass_admin_user.id)
    await press(hass, "media_arrivals_check_now", context)
    assert home.value("waiting_for_approval") == "1"
    for entry_id in ("radarr", "sonarr", "seerr"):
        assert home.runtime.records[entry_id].sync_count == 1
    (event,) = told
    assert event.data == {
        "action": "sync",
        "services": ["Radarr", "Sonarr", "Seerr"],
        "changed": 1,
        "failed": {},
    }
    assert event.context.user_id == hass_admin_user.id


async def test_check_now_names_the_services_that_could_not_be_reached(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    home.clients["sonarr"].error = TimedOutError()
    with pytest.raises(HomeAssistantError, match=r"Sonarr \(timed out\)") as failed:
        await press(hass, "media_arrivals_check_now")
    assert failed.value.translation_key == "sync_failed"
    assert home.runtime.records["radarr"].sync_count == 1


async def test_sync_now_looks_at_one_service(
    hass: HomeAssistant, entity_registry: er.EntityRegistry
) -> None:
    home = await set_up_home(hass, all_entities=True)
    await press(hass, "radarr_sync_now")
    assert home.runtime.records["radarr"].sync_count == 1
    assert home.runtime.records["sonarr"].sync_count == 0
    home.clients["radarr"].error = TimedOutError()
    with pytest.raises(HomeAssistantError, match=r"Radarr \(timed out\)"):
        await press(hass, "radarr_sync_now")


async def test_a_webhook_that_cannot_be_tested_says_why(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, all_entities=True)
    told = async_capture_events(hass, EVENT_ACTION)
    with pytest.raises(HomeAssistantError) as failed:
        await press(hass, "radarr_test_webhook")
    assert failed.value.translation_domain == "media_arrivals"
    assert failed.value.translation_key is not None
    (event,) = told
    assert event.data["action"] == "test_webhook"
    assert event.data["service"] == "Radarr"
    assert event.data["error"] == str(failed.value)
    assert home.runtime.records["radarr"].received == 0


async def test_a_webhook_is_tested_through_the_service(house: House) -> None:
    """The service is told to send its test, and it arrives at the door."""
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={})
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        PropertyMock(return_value=True),
    ):
        await house.start()
    record = house.record(entry)
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="a proven webhook")
    received = record.received
    (button,) = (
        state.entity_id
        for state in house.hass.states.async_all("button")
        if state.entity_id.endswith("test_webhook")
    )
    await press(house.hass, button.removeprefix("button."))
    await house.settle()
    assert record.received == received + 1
