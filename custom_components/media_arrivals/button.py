"""Buttons: look at the services now, and test their webhooks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import BoardEntity, ServiceEntity, is_board
from .runtime import BOARD_KEY, BoardConfigEntry, ServiceConfigEntry
from .services import async_sync_all, async_sync_or_raise, async_test_webhook

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class ServiceButtonDescription(ButtonEntityDescription):
    """Something that a service can be made to do."""

    press_fn: Callable[[HomeAssistant, ServiceConfigEntry, Context | None], Awaitable[None]]


CHECK_NOW: Final = ButtonEntityDescription(key="check_now", translation_key="check_now")

SERVICE_BUTTONS: Final = (
    ServiceButtonDescription(
        key="sync",
        translation_key="sync",
        # The board's button and the action do the same; without it seven services stay few.
        entity_registry_enabled_default=False,
        press_fn=lambda hass, entry, context: async_sync_or_raise(hass, [entry], context),
    ),
    ServiceButtonDescription(
        key="test_webhook",
        translation_key="test_webhook",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        press_fn=async_test_webhook,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: BoardConfigEntry | ServiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of the board or of a service."""
    if is_board(entry):
        async_add_entities([CheckNowButton(entry, CHECK_NOW)])
        return
    runtime = hass.data[BOARD_KEY]
    async_add_entities(
        ServiceButton(runtime, entry, description) for description in SERVICE_BUTTONS
    )


class CheckNowButton(BoardEntity, ButtonEntity):
    """Looks at every service."""

    @override
    async def async_press(self) -> None:
        """Sync all services; fail with the names of those that could not be."""
        await async_sync_all(self.hass, self._context)


class ServiceButton(ServiceEntity, ButtonEntity):
    """Makes a service do something."""

    entity_description: ServiceButtonDescription

    @override
    async def async_press(self) -> None:
        """Do it."""
        await self.entity_description.press_fn(self.hass, self.entry, self._context)
