"""Media Arrivals: an arrivals board for your media."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import ServiceCoordinator, async_make_client, async_webhook_client
from .entity import BOARD_PLATFORMS, SERVICE_PLATFORMS, async_set_up_device, is_board
from .registration import Registration, async_follow_disabling
from .runtime import (
    BOARD_KEY,
    AnyConfigEntry,
    BoardEntryRuntime,
    BoardRuntime,
    ServiceConfigEntry,
    ServiceRuntime,
    async_remove_board_entry,
    async_restore_board_entry,
    service_entries,
)
from .services import async_setup_services
from .shipping import async_ship, async_take_away
from .telling import async_tell
from .views import async_setup_views
from .webhook import DOORS_KEY, async_open_doors

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Open the doors, then everything that outlives entries."""
    runtime = hass.data[BOARD_KEY] = BoardRuntime(hass)
    async_open_doors(hass)
    await runtime.async_open()
    async_setup_services(hass)
    async_setup_views(hass)
    async_tell(hass)
    async_follow_disabling(hass)
    runtime.async_follow_home_assistant()
    async_restore_board_entry(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: AnyConfigEntry) -> bool:
    """Set up the board's entry or a service."""
    runtime = hass.data[BOARD_KEY]
    await runtime.async_ensure_open()
    try:
        if is_board(entry):
            entry.runtime_data = BoardEntryRuntime()
            async_set_up_device(hass, entry)
            async_ship(hass, entry)
            await hass.config_entries.async_forward_entry_setups(entry, BOARD_PLATFORMS)
        else:
            await _async_setup_service(hass, runtime, entry)
    finally:
        runtime.async_is_up(entry.entry_id)
    return True


async def _async_setup_service(
    hass: HomeAssistant, runtime: BoardRuntime, entry: ServiceConfigEntry
) -> None:
    """Open the door if it is not, reach the service, poll it, then show it."""
    hass.data[DOORS_KEY].async_open(entry)
    await runtime.async_configure(entry)
    coordinator = ServiceCoordinator(hass, entry, runtime, await async_make_client(hass, entry))
    await coordinator.async_begin()
    registration = Registration(hass, entry, await async_webhook_client(coordinator))
    entry.runtime_data = ServiceRuntime(
        client=coordinator.client, coordinator=coordinator, registration=registration
    )
    coordinator.async_start()
    async_set_up_device(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, SERVICE_PLATFORMS)
    registration.async_start()


async def async_unload_entry(hass: HomeAssistant, entry: AnyConfigEntry) -> bool:
    """Unload an entry. Its webhook stays open: deliveries wait in the journal."""
    platforms = BOARD_PLATFORMS if is_board(entry) else SERVICE_PLATFORMS
    return await hass.config_entries.async_unload_platforms(entry, platforms)


async def async_remove_entry(hass: HomeAssistant, entry: AnyConfigEntry) -> None:
    """Leave nothing of a service behind; with the last one the board goes, and its database."""
    runtime = hass.data[BOARD_KEY]
    if is_board(entry):
        await async_take_away(hass, entry)
        if not service_entries(hass):
            await runtime.async_erase()
        return
    hass.data[DOORS_KEY].async_close(entry.entry_id)
    await Registration(hass, entry, await async_make_client(hass, entry, hurry=True)).async_remove()
    await runtime.async_remove_service(entry.entry_id)
    # Only now: while the service was asked to forget us, another may have been added.
    if not service_entries(hass):
        async_remove_board_entry(hass)
