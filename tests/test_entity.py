"""The devices of the board and of the services, whichever is set up first."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType

from custom_components.media_arrivals.const import DOMAIN
from tests.entity_helpers import add_entries, board_entry, set_up_home


def device(registry: dr.DeviceRegistry, entry_id: str) -> dr.DeviceEntry:
    """Return an entry's device."""
    found = registry.async_get_device_by_identifier((DOMAIN, entry_id), entry_id)
    assert found is not None
    return found


async def test_a_service_is_a_device_behind_the_board(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry
) -> None:
    await set_up_home(hass)
    board = device(device_registry, "the-board")
    assert (board.name, board.manufacturer) == ("Media Arrivals", "Media Arrivals")
    assert board.model == "Arrivals board"
    assert board.entry_type is DeviceEntryType.SERVICE
    assert board.via_device_id is None
    radarr = device(device_registry, "radarr")
    assert (radarr.name, radarr.manufacturer, radarr.model) == ("Radarr", "Servarr", "Radarr")
    assert radarr.entry_type is DeviceEntryType.SERVICE
    assert radarr.sw_version == "6.1.0"
    assert radarr.configuration_url == "http://radarr.home.example:7878/base"
    for entry_id in ("radarr", "sonarr", "seerr"):
        assert device(device_registry, entry_id).via_device_id == board.id


async def test_services_that_come_before_the_board_are_linked_when_it_comes(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry
) -> None:
    home = await set_up_home(hass)
    first = device(device_registry, "the-board").id
    assert await hass.config_entries.async_remove(home.board_entry.entry_id)
    device_registry.async_update_device(device(device_registry, "radarr").id, via_device_id=None)
    await add_entries(home, board := board_entry())
    await hass.config_entries.async_setup(board.entry_id)
    await hass.async_block_till_done()
    second = device(device_registry, "the-board").id
    assert first is not None
    for entry_id in ("radarr", "sonarr", "seerr"):
        assert device(device_registry, entry_id).via_device_id == second


async def test_a_service_makes_the_boards_device_if_it_is_first(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry
) -> None:
    """The board's entry is there, but not set up yet."""
    home = await set_up_home(hass)
    await hass.config_entries.async_unload(home.board_entry.entry_id)
    device_registry.async_remove_device(device(device_registry, "the-board").id)
    assert device(device_registry, "radarr").via_device_id is None
    with home.answering():
        await hass.config_entries.async_reload("radarr")
    board = device(device_registry, "the-board")
    assert device(device_registry, "radarr").via_device_id == board.id
    assert board.name == "Media Arrivals"


async def test_the_device_shows_a_new_version(
    hass: HomeAssistant, device_registry: dr.DeviceRegistry
) -> None:
    home = await set_up_home(hass)
    await home.note("radarr", version="6.2.0")
    assert device(device_registry, "radarr").sw_version == "6.2.0"
    assert device(device_registry, "sonarr").sw_version == "6.1.0"
