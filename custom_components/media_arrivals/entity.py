"""Bases of the entities, and the devices that they hang on."""

from typing import Final, TypeIs, override

from homeassistant.const import CONF_URL, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription

from .const import (
    BOARD_UNIQUE_ID,
    CONF_KIND,
    DOMAIN,
    KIND_BOARD,
    NAME,
    SIGNAL_RECORD,
)
from .records import ServiceRecord
from .runtime import (
    BOARD_KEY,
    BoardConfigEntry,
    BoardRuntime,
    ServiceConfigEntry,
    service_entries,
)

BOARD_PLATFORMS: Final = (
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.SENSOR,
)
SERVICE_PLATFORMS: Final = (
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.NUMBER,
    Platform.SENSOR,
    Platform.SWITCH,
)

PRODUCTS: Final = {
    "radarr": ("Servarr", "Radarr"),
    "sonarr": ("Servarr", "Sonarr"),
    "seerr": ("Seerr", "Seerr"),
    "plex": ("Plex", "Plex Media Server"),
    "jellyfin": ("Jellyfin", "Jellyfin"),
    "emby": ("Emby", "Emby Server"),
    "tautulli": ("Tautulli", "Tautulli"),
}
"""Kind of service -> manufacturer and model of its device."""


def is_board(entry: BoardConfigEntry | ServiceConfigEntry) -> TypeIs[BoardConfigEntry]:
    """Tell the board's own entry from a service's."""
    return bool(entry.data[CONF_KIND] == KIND_BOARD)


@callback
def async_set_up_device(hass: HomeAssistant, entry: BoardConfigEntry | ServiceConfigEntry) -> None:
    """Register the entry's device and link services to the board, whichever comes first."""
    if is_board(entry):
        board_device_id = _async_board_device(hass, entry.entry_id).id
        _async_link_services(hass, board_device_id)
        return
    manufacturer, model = PRODUCTS[entry.data[CONF_KIND]]
    record = hass.data[BOARD_KEY].records[entry.entry_id]
    board = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, BOARD_UNIQUE_ID)
    registry = dr.async_get(hass)
    device = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=DeviceEntryType.SERVICE,
        name=entry.title,
        manufacturer=manufacturer,
        model=model,
        sw_version=record.version,
        configuration_url=entry.data[CONF_URL],
        via_device_id=_async_board_device(hass, board.entry_id).id if board else None,
    )

    @callback
    def follow_version() -> None:
        """Show the version that the service has after an update."""
        registry.async_update_device(device.id, sw_version=record.version)

    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_RECORD.format(entry.entry_id), follow_version)
    )


@callback
def _async_board_device(hass: HomeAssistant, entry_id: str) -> dr.DeviceEntry:
    """Return the board's device, which also a service may be the first to need."""
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=entry_id,
        identifiers={(DOMAIN, entry_id)},
        entry_type=DeviceEntryType.SERVICE,
        name=NAME,
        manufacturer=NAME,
        model="Arrivals board",
    )


@callback
def _async_link_services(hass: HomeAssistant, board_device_id: str) -> None:
    """Link services whose devices were made before there was a board entry."""
    registry = dr.async_get(hass)
    for entry in service_entries(hass):
        device = registry.async_get_device_by_identifier((DOMAIN, entry.entry_id), entry.entry_id)
        if device is not None:
            registry.async_update_device(device.id, via_device_id=board_device_id)


class BoardEntity(Entity):
    """An entity of the board."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, entry: BoardConfigEntry, description: EntityDescription) -> None:
        """Hang the entity on the board's device."""
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})


class ServiceEntity(Entity):
    """An entity of a service. What it shows is readable when the service is down."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self, runtime: BoardRuntime, entry: ServiceConfigEntry, description: EntityDescription
    ) -> None:
        """Hang the entity on the service's device."""
        self.entity_description = description
        self.entry = entry
        self.runtime = runtime
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, entry.entry_id)})

    @property
    def record(self) -> ServiceRecord:
        """Return what is remembered of the service."""
        return self.runtime.records[self.entry.entry_id]

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what is remembered of the service."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass, SIGNAL_RECORD.format(self.entry.entry_id), self.async_write_ha_state
            )
        )


@callback
def async_change_schedule(
    hass: HomeAssistant, entry: ServiceConfigEntry, option: str, value: float | bool
) -> None:
    """Change an option of a service's schedule, which works at once and needs no reload."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, option: value})
    entry.runtime_data.coordinator.async_reschedule()
