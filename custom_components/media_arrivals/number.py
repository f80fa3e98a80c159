"""Numbers: how often a service is synced on a schedule."""

from typing import Final, override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import (
    CONF_INTERVAL_HOURS,
    CONF_KIND,
    DEFAULT_INTERVAL_HOURS,
    MAX_INTERVAL_HOURS,
    MIN_INTERVAL_HOURS,
)
from .entity import ServiceEntity, async_change_schedule
from .runtime import BOARD_KEY, ServiceConfigEntry

PARALLEL_UPDATES = 1

INTERVAL: Final = NumberEntityDescription(
    key="interval",
    translation_key="interval",
    entity_category=EntityCategory.CONFIG,
    entity_registry_enabled_default=False,
    device_class=NumberDeviceClass.DURATION,
    native_unit_of_measurement=UnitOfTime.HOURS,
    native_min_value=MIN_INTERVAL_HOURS,
    native_max_value=MAX_INTERVAL_HOURS,
    native_step=1,
    mode=NumberMode.BOX,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ServiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the number of a service."""
    async_add_entities([IntervalNumber(hass.data[BOARD_KEY], entry, INTERVAL)])


class IntervalNumber(ServiceEntity, NumberEntity):
    """The option that says how many hours lie between two scheduled syncs."""

    @property
    @override
    def native_value(self) -> float:
        """Return the option."""
        default = DEFAULT_INTERVAL_HOURS[self.entry.data[CONF_KIND]]
        return float(self.entry.options.get(CONF_INTERVAL_HOURS, default))

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the option."""
        async_change_schedule(self.hass, self.entry, CONF_INTERVAL_HOURS, int(value))
        self.async_write_ha_state()
