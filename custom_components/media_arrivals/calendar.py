"""The calendar: what the household waits for, and when it comes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, override

from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN, SIGNAL_BOARD, SIGNAL_CHANGE
from .engine.board.models import Change, ChangeKind, PartRef, Stage, Tier
from .engine.connectors.releases import ReleaseKind
from .entity import BoardEntity
from .runtime import BoardConfigEntry
from .upcoming import Happening, Upcoming

PARALLEL_UPDATES = 1
SCAN_INTERVAL = timedelta(minutes=30)

AHEAD: Final = timedelta(days=31)
"""How far the next event is looked for."""
EPISODES: Final = 12
"""Episodes that are named in an event."""

UPCOMING: Final = CalendarEntityDescription(key="upcoming", translation_key="upcoming")

_COMMON: Final = f"component.{DOMAIN}.common"
_STAGES: Final = (
    f"component.{DOMAIN}.entity.event.arrivals.state_attributes.event_type.state"  # as in its event
)
_NEW: Final = frozenset({Stage.REQUESTED, Stage.APPROVED, Stage.SENT})
_TIERS: Final = {Tier.HD: "HD", Tier.UHD: "4K"}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: BoardConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the calendar of the board."""
    async_add_entities([UpcomingCalendar(hass, entry, UPCOMING)])


class UpcomingCalendar(BoardEntity, CalendarEntity):
    """What comes out and airs of what is asked for or monitored.

    It is read when somebody looks, and now and then for the next event.
    """

    _attr_should_poll = True

    def __init__(
        self, hass: HomeAssistant, entry: BoardConfigEntry, description: CalendarEntityDescription
    ) -> None:
        """Begin with nothing read."""
        super().__init__(entry, description)
        self._entry = entry
        self._upcoming = Upcoming(hass)
        self._next: list[CalendarEvent] = []
        self._texts: Mapping[str, str] = {}

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return what is on, or comes next."""
        now = dt_util.now()
        return next((event for event in self._next if event.end_datetime_local > now), None)

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return what comes out and airs between two moments."""
        await self._upcoming.async_read(start_date, end_date)
        await self._async_read_texts()
        return [self._shown(one) for one in self._upcoming.between(start_date, end_date)]

    async def async_update(self) -> None:
        """Read what comes next, unless it was read lately."""
        now = dt_util.utcnow()
        await self._upcoming.async_read(now, now + AHEAD)
        await self._async_read_texts()
        self._async_take()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the board, and the services that come."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_CHANGE, self._async_changed)
        )
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_BOARD, self._async_board_changed)
        )
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed
            )
        )
        self.async_on_remove(async_at_started(self.hass, self._async_read_soon))

    @callback
    def _async_read_soon(self, hass: HomeAssistant) -> None:
        """Read what comes next; nobody waits for it."""
        _ = self._entry.async_create_background_task(
            hass, self.async_update_ha_state(force_refresh=True), f"{DOMAIN} calendar"
        )

    @callback
    def _async_entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Look at the calendar of a service that is there now."""
        loaded = entry.domain == DOMAIN and entry.state is ConfigEntryState.LOADED
        if loaded and change is ConfigEntryChange.UPDATED and self.hass.is_running:
            self._async_read_soon(self.hass)

    @callback
    def _async_changed(self, change: Change) -> None:
        """Trust no calendar that was read before a title came."""
        if change.kind is ChangeKind.STAGE and change.stage in _NEW:
            self._upcoming.expire()

    @callback
    def _async_board_changed(self) -> None:
        """Show another stage."""
        before = self.event
        self._async_take()
        if self.event != before:
            self.async_write_ha_state()

    @callback
    def _async_take(self) -> None:
        """Take what comes next from what was read."""
        now = dt_util.utcnow()
        self._next = [self._shown(one) for one in self._upcoming.between(now, now + AHEAD)]

    async def _async_read_texts(self) -> None:
        """Read our words, in the language of the house."""
        texts: dict[str, str] = {}
        for category in ("common", "entity"):
            texts |= await async_get_translations(
                self.hass, self.hass.config.language, category, [DOMAIN]
            )
        self._texts = texts

    def _shown(self, one: Happening) -> CalendarEvent:
        """Write an event."""
        return CalendarEvent(
            start=one.start,
            end=one.end,
            summary=self._summary(one),
            description="\n".join((*self._stages(one), *self._names(one))) or None,
            uid=one.key,
        )

    def _summary(self, one: Happening) -> str:
        """Say what happens."""
        name = one.title.name or ""
        if one.kind is ReleaseKind.EPISODE:
            return f"{name} S{one.season:02}{numbers(one.episodes)}"
        text = self._texts.get(f"{_COMMON}.upcoming_{one.kind.value}", "{title}")
        return text.format(title=name)

    def _stages(self, one: Happening) -> list[str]:
        """Say where it stands on the board; in which tier, if there are several."""
        words = [
            (_TIERS.get(arrival.tier), self._texts.get(f"{_STAGES}.{arrival.stage.value}", ""))
            for arrival in sorted(one.arrivals, key=lambda arrival: arrival.tier)
        ]
        several = len(words) > 1
        return [f"{tier}: {word}" if several and tier else word for tier, word in words]

    def _names(self, one: Happening) -> list[str]:
        """Name the episodes, but not a hundred of them."""
        named = [part for part in one.episodes if part.name is not None]
        return [
            part.name or "" if part.number is None else f"E{part.number:02} {part.name}"
            for part in named[:EPISODES]
        ]


def numbers(episodes: Iterable[PartRef]) -> str:
    """Write the numbers of episodes: one after the other as a span."""
    known = sorted({part.number for part in episodes if part.number is not None})
    if not known:
        return ""
    if len(known) > 1 and all(after == before + 1 for before, after in pairwise(known)):
        return f"E{known[0]:02}-E{known[-1]:02}"
    shown = "".join(f"E{number:02}" for number in known[:EPISODES])
    return shown if len(known) <= EPISODES else f"{shown}…"
