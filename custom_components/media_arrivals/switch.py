"""Switches: whether a service is synced on a schedule."""

from typing import Any, Final, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_SCHEDULE_ENABLED
from .entity import ServiceEntity, async_change_schedule
from .runtime import BOARD_KEY, ServiceConfigEntry, schedule_enabled

PARALLEL_UPDATES = 1

SCHEDULE: Final = SwitchEntityDescription(
    key="schedule",
    translation_key="schedule",
    entity_category=EntityCategory.CONFIG,
    entity_registry_enabled_default=False,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ServiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switch of a service."""
    async_add_entities([ScheduleSwitch(hass.data[BOARD_KEY], entry, SCHEDULE)])


class ScheduleSwitch(ServiceEntity, SwitchEntity):
    """The option that switches the scheduled sync on."""

    @property
    @override
    def is_on(self) -> bool:
        """Tell whether the option is set."""
        return schedule_enabled(self.entry)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Set the option."""
        async_change_schedule(self.hass, self.entry, CONF_SCHEDULE_ENABLED, True)
        self.async_write_ha_state()

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Unset the option."""
        async_change_schedule(self.hass, self.entry, CONF_SCHEDULE_ENABLED, False)
        self.async_write_ha_state()
