"""Binary sensors: whether a service's webhook works."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import ServiceEntity
from .records import ServiceRecord, WebhookHealth
from .runtime import BOARD_KEY, ServiceConfigEntry

PARALLEL_UPDATES = 0

WORKS: Final = {WebhookHealth.WORKING: True, WebhookHealth.FAILED: False}
"""What is unproven, or not wanted, is neither."""


def _works(record: ServiceRecord) -> bool | None:
    """Tell whether deliveries can be counted on."""
    works = WORKS.get(record.webhook)
    return works and not record.muted and record.silent_since is None


@dataclass(frozen=True, kw_only=True)
class RecordBinarySensorDescription(BinarySensorEntityDescription):
    """A yes or no that is known of a service."""

    value_fn: Callable[[ServiceRecord], bool | None]


BINARY_SENSORS: Final = (
    RecordBinarySensorDescription(
        key="webhook",
        translation_key="webhook",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_works,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ServiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of a service."""
    runtime = hass.data[BOARD_KEY]
    async_add_entities(
        RecordBinarySensor(runtime, entry, description) for description in BINARY_SENSORS
    )


class RecordBinarySensor(ServiceEntity, BinarySensorEntity):
    """A binary sensor of a service."""

    entity_description: RecordBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what is known."""
        return self.entity_description.value_fn(self.record)
