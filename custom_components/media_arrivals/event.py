"""The event entity: one event per arrival and stage."""

from typing import Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import SIGNAL_CHANGE
from .engine.board.models import Change, ChangeKind, Stage
from .entity import BoardEntity
from .runtime import BoardConfigEntry
from .telling import change_data, context_of

PARALLEL_UPDATES = 0

REQUEST_AVAILABLE: Final = "request_available"
WATCHED: Final = "watched"
UNWATCHED: Final = "unwatched"
EPISODE_STAGES: Final = (Stage.DOWNLOADING, Stage.DOWNLOADED, Stage.AVAILABLE)
"""Stages that are told of an episode that came after its season was available."""

ARRIVALS: Final = EventEntityDescription(
    key="arrivals",
    translation_key="arrivals",
    event_types=[
        *(stage.value for stage in Stage),
        *(f"episode_{stage.value}" for stage in EPISODE_STAGES),
        REQUEST_AVAILABLE,
        WATCHED,
        UNWATCHED,
    ],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: BoardConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event entity of the board."""
    async_add_entities([ArrivalsEvent(entry, ARRIVALS)])


class ArrivalsEvent(BoardEntity, EventEntity):
    """Fires once per arrival and stage, and once per request that became available."""

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the changes."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_CHANGE, self._async_changed)
        )

    @callback
    def _async_changed(self, change: Change) -> None:
        """Fire what is told. Each is written at once: the entity keeps only the last."""
        if not change.told:
            return
        # Each has a context: that of one event must not colour the next.
        self.async_set_context(context_of(change))
        self._trigger_event(event_type(change), change_data(self.hass, change))
        self.async_write_ha_state()


def event_type(change: Change) -> str:
    """Return the type of event that a change is."""
    if change.kind is ChangeKind.REQUEST:
        return REQUEST_AVAILABLE
    if change.watch is not None:
        return WATCHED if change.watch.watched else UNWATCHED
    if change.kind is ChangeKind.PART:
        return f"episode_{change.stage.value}"
    return change.stage.value
