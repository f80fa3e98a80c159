"""Whether a service's webhook works, also while the service is down."""

from datetime import timedelta

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.media_arrivals.engine.connectors.base import RefusedError
from custom_components.media_arrivals.records import WebhookHealth
from tests.entity_helpers import set_up_home

WEBHOOK = "binary_sensor.radarr_webhook"


@pytest.mark.parametrize(
    ("health", "state"),
    [
        (WebhookHealth.WORKING, STATE_ON),
        (WebhookHealth.FAILED, STATE_OFF),
        (WebhookHealth.UNPROVEN, STATE_UNKNOWN),
        (WebhookHealth.POLLING_ONLY, STATE_UNKNOWN),
    ],
)
async def test_a_webhook_works_or_not_or_is_not_known(
    hass: HomeAssistant, health: WebhookHealth, state: str
) -> None:
    home = await set_up_home(hass)
    await home.note("radarr", webhook=health)
    assert home.state(WEBHOOK) == state


@pytest.mark.parametrize("against", [{"muted": True}, {"silent_since": 1.0}])
async def test_what_speaks_against_a_webhook_that_was_proven(
    hass: HomeAssistant, against: dict[str, object]
) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k")
    for entry_id in home.entries:
        await home.note(entry_id, webhook=WebhookHealth.WORKING)
    await home.note("radarr", **against)
    assert home.state(WEBHOOK) == STATE_OFF
    assert home.state("binary_sensor.radarr_4k_webhook") == STATE_ON


async def test_only_the_service_that_is_meant_changes(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k")
    await home.note("radarr4k", webhook=WebhookHealth.FAILED)
    assert home.state("binary_sensor.radarr_4k_webhook") == STATE_OFF
    assert home.state(WEBHOOK) == STATE_UNKNOWN


async def test_it_is_readable_while_the_service_is_down(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    home = await set_up_home(hass)
    await home.note("radarr", webhook=WebhookHealth.WORKING)
    home.clients["radarr"].error = RefusedError()
    freezer.tick(timedelta(minutes=16))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert home.runtime.records["radarr"].last_status == "connection_refused"
    assert home.state(WEBHOOK) == STATE_ON
