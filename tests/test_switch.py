"""The switch of the scheduled sync only changes the option, and reloads nothing."""

import asyncio
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import ATTR_ENTITY_ID, STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.media_arrivals.const import CONF_POLLING_ONLY, CONF_SCHEDULE_ENABLED
from tests.entity_helpers import set_up_home

SCHEDULE = "switch.radarr_scheduled_sync"


async def switch(hass: HomeAssistant, to: str) -> None:
    """Have somebody use the switch."""
    await hass.services.async_call(
        "switch", f"turn_{to}", {ATTR_ENTITY_ID: SCHEDULE}, blocking=True
    )
    await hass.async_block_till_done()


async def test_it_is_off_and_disabled_at_first(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    assert hass.states.get(SCHEDULE) is None
    assert CONF_SCHEDULE_ENABLED not in home.entries["radarr"].options


async def test_it_sets_the_option_and_nothing_else(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, all_entities=True)
    entry = home.entries["radarr"]
    coordinator = entry.runtime_data.coordinator
    assert home.state(SCHEDULE) == STATE_OFF
    assert home.state("sensor.radarr_next_sync") == STATE_UNKNOWN

    await switch(hass, "on")
    assert home.state(SCHEDULE) == STATE_ON
    assert entry.options == {CONF_POLLING_ONLY: True, CONF_SCHEDULE_ENABLED: True}
    assert home.state("switch.sonarr_scheduled_sync") == STATE_OFF
    # The schedule follows at once, and the entry was not reloaded for it.
    expected = dt_util.utcnow() + timedelta(hours=24)
    shown = dt_util.parse_datetime(home.state("sensor.radarr_next_sync"))
    assert shown is not None
    assert abs(shown - expected) < timedelta(minutes=1)
    assert entry.runtime_data.coordinator is coordinator

    await switch(hass, "off")
    assert home.state(SCHEDULE) == STATE_OFF
    assert entry.options[CONF_SCHEDULE_ENABLED] is False
    assert home.state("sensor.radarr_next_sync") == STATE_UNKNOWN


async def test_a_scheduled_sync_happens(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    home = await set_up_home(hass, all_entities=True)
    await switch(hass, "on")
    assert home.state("sensor.radarr_last_sync") == STATE_UNKNOWN
    freezer.tick(timedelta(hours=24, minutes=1))
    async_fire_time_changed(hass)
    # Time stands still here: nothing can be waited for by the clock.
    for _ in range(20_000):
        if home.state("sensor.radarr_last_sync") != STATE_UNKNOWN:
            break
        await asyncio.sleep(0)
    await hass.async_block_till_done()
    assert home.state("sensor.radarr_last_sync") != STATE_UNKNOWN
    assert home.runtime.records["radarr"].sync_count == 1
