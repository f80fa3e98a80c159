"""The number of hours between two syncs only changes the option, and reloads nothing."""

import pytest
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er

from custom_components.media_arrivals.const import CONF_INTERVAL_HOURS, CONF_POLLING_ONLY
from tests.entity_helpers import set_up_home

INTERVAL = "number.radarr_scheduled_sync_interval"


async def set_hours(hass: HomeAssistant, hours: float) -> None:
    """Have somebody set the number."""
    await hass.services.async_call(
        "number", "set_value", {ATTR_ENTITY_ID: INTERVAL, "value": hours}, blocking=True
    )
    await hass.async_block_till_done()


async def test_each_kind_has_its_default(
    hass: HomeAssistant, entity_registry: er.EntityRegistry
) -> None:
    home = await set_up_home(hass, all_entities=True)
    assert home.state(INTERVAL) == "24.0"
    assert home.state("number.sonarr_scheduled_sync_interval") == "24.0"
    assert home.state("number.seerr_scheduled_sync_interval") == "6.0"
    entry = entity_registry.async_get(INTERVAL)
    assert entry is not None
    assert entry.unique_id == "radarr_interval"
    assert entry.entity_category == "config"


async def test_it_sets_the_option_and_nothing_else(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, all_entities=True)
    entry = home.entries["radarr"]
    coordinator = entry.runtime_data.coordinator
    await set_hours(hass, 168)
    assert home.state(INTERVAL) == "168.0"
    assert entry.options == {CONF_POLLING_ONLY: True, CONF_INTERVAL_HOURS: 168}
    assert isinstance(entry.options[CONF_INTERVAL_HOURS], int)
    assert entry.runtime_data.coordinator is coordinator
    # The table mirrors it.
    assert home.runtime.storage is not None
    stored = await home.runtime.storage.schedule.load()
    for _ in range(500):
        if stored["radarr"].interval_hours == 168:
            break
        stored = await home.runtime.storage.schedule.load()
    assert stored["radarr"].interval_hours == 168


@pytest.mark.parametrize("hours", [0, 169])
async def test_it_keeps_to_its_bounds(hass: HomeAssistant, hours: float) -> None:
    home = await set_up_home(hass, all_entities=True)
    with pytest.raises(ServiceValidationError):
        await set_hours(hass, hours)
    assert home.state(INTERVAL) == "24.0"
