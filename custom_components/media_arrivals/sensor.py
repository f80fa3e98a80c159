"""Sensors: the board's numbers, and what is known of each service."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .const import CONF_KIND, SIGNAL_BOARD, SIGNAL_CHANGE
from .engine.board.models import Change, Role
from .engine.connectors.registry import DECODERS
from .engine.storage.models import StorageError
from .entity import BoardEntity, ServiceEntity, is_board
from .figures import Figures
from .presenter import iso_time
from .privacy import Watching
from .records import ServiceRecord
from .runtime import BOARD_KEY, BoardConfigEntry, BoardRuntime, ServiceConfigEntry
from .troubles import async_report_trouble

PARALLEL_UPDATES = 0

MAX_STATE_LENGTH: Final = 255
DAYS: Final = 7
"""Days that the board looks back on, today counted in."""

OTHER_STATUS: Final = "error"
LAST_STATUSES: Final = (
    "ok",
    "cannot_connect",
    "name_not_found",
    "connection_refused",
    "timed_out",
    "invalid_certificate",
    "no_tls",
    "needs_tls",
    "invalid_auth",
    "forbidden",
    "wrong_service",
    "too_old",
    "bad_answer",
    "server_fault",
    "not_found",
    "not_ready",
    OTHER_STATUS,
)


@dataclass(frozen=True, kw_only=True)
class BoardSensorDescription(SensorEntityDescription):
    """What is shown of the board."""

    value_fn: Callable[[Figures], str | int | None]
    attributes_fn: Callable[[Figures], dict[str, Any]] = lambda _: {}


@dataclass(frozen=True, kw_only=True)
class RecordSensorDescription(SensorEntityDescription):
    """What is known of a service."""

    value_fn: Callable[[ServiceRecord], StateType | datetime]
    available_fn: Callable[[ServiceRecord], bool] = lambda _: True
    roles: frozenset[Role] = frozenset(Role)
    of_watching: bool = False
    """Shown only while the board keeps watch data."""


def _days_start(days: int) -> float:
    """Return when the last days began, today counted in."""
    return (dt_util.start_of_local_day() - timedelta(days=days - 1)).timestamp()


def _moment(time: float | None) -> datetime | None:
    """Return a time as Home Assistant shows it."""
    return None if time is None else dt_util.utc_from_timestamp(time)


def _known_status(status: str | None) -> str | None:
    """Return a status that is among the sensor's options."""
    return status if status is None or status in LAST_STATUSES else OTHER_STATUS


def _latest_name(figures: Figures) -> str | None:
    """Return the latest arrival's title, no longer than a state may be."""
    if figures.latest is None or (name := figures.latest.title.name) is None:
        return None
    return name if len(name) <= MAX_STATE_LENGTH else f"{name[: MAX_STATE_LENGTH - 1]}…"


def _latest_facts(figures: Figures) -> dict[str, Any]:
    """Return the few facts that tell the latest arrival from others of the same title."""
    if figures.latest is None:
        return {}
    title, arrival = figures.latest
    return {
        "year": title.year,
        "type": title.media_type.value,
        "season": arrival.season,
        "tier": arrival.tier.value,
        "arrived_at": iso_time(arrival.available_at),
    }


BOARD_SENSORS: Final = (
    BoardSensorDescription(
        key="waiting_for_approval",
        translation_key="waiting_for_approval",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.waiting,
    ),
    BoardSensorDescription(
        key="on_the_way",
        translation_key="on_the_way",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.on_the_way,
    ),
    BoardSensorDescription(
        key="downloading",
        translation_key="downloading",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.downloading,
    ),
    BoardSensorDescription(
        key="download_progress",
        translation_key="download_progress",
        native_unit_of_measurement=PERCENTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.progress,
    ),
    BoardSensorDescription(
        key="arrived_today",
        translation_key="arrived_today",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.arrived_since(_days_start(1)),
    ),
    BoardSensorDescription(
        key="arrived_in_7_days",
        translation_key="arrived_in_7_days",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.arrived_since(_days_start(DAYS)),
    ),
    BoardSensorDescription(
        key="failed",
        translation_key="failed",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.failed,
    ),
    BoardSensorDescription(
        key="stuck",
        translation_key="stuck",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda figures: figures.stuck,
    ),
    BoardSensorDescription(
        key="latest_arrival",
        translation_key="latest_arrival",
        value_fn=_latest_name,
        attributes_fn=_latest_facts,
    ),
)

RECORD_SENSORS: Final = (
    RecordSensorDescription(
        key="last_status",
        translation_key="last_status",
        entity_category=EntityCategory.DIAGNOSTIC,
        device_class=SensorDeviceClass.ENUM,
        options=list(LAST_STATUSES),
        value_fn=lambda record: _known_status(record.last_status),
    ),
    RecordSensorDescription(
        key="queue",
        translation_key="queue",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda record: record.queue,
        available_fn=lambda record: record.last_status == "ok",
        roles=frozenset({Role.DOWNLOADS}),
    ),
    RecordSensorDescription(
        key="queue",
        translation_key="open_requests",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda record: record.queue,
        available_fn=lambda record: record.last_status == "ok",
        roles=frozenset({Role.REQUESTS}),
    ),
    RecordSensorDescription(
        key="playing",
        translation_key="playing",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda record: record.playing,
        available_fn=lambda record: record.last_status == "ok",
        of_watching=True,
        roles=frozenset({Role.PLAYBACK, Role.WATCHING}),
    ),
    RecordSensorDescription(
        key="last_webhook",
        translation_key="last_webhook",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda record: _moment(record.last_webhook_at),
    ),
    RecordSensorDescription(
        key="received",
        translation_key="received",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda record: record.received,
    ),
    RecordSensorDescription(
        key="failed",
        translation_key="failed_deliveries",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda record: record.failed,
    ),
    RecordSensorDescription(
        key="missed",
        translation_key="missed",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        # A miss is taken back when its delivery comes after all.
        state_class=SensorStateClass.TOTAL,
        value_fn=lambda record: record.missed,
    ),
    RecordSensorDescription(
        key="missed_24h",
        translation_key="missed_24h",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda record: len(record.recent_misses(time.time())),
    ),
    RecordSensorDescription(
        key="webhook_delay",
        translation_key="webhook_delay",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value_fn=lambda record: record.webhook_delay,
    ),
    RecordSensorDescription(
        key="poll_delay",
        translation_key="poll_delay",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        value_fn=lambda record: record.poll_delay,
    ),
    RecordSensorDescription(
        key="last_sync",
        translation_key="last_sync",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda record: _moment(record.last_sync_at),
    ),
    RecordSensorDescription(
        key="next_sync",
        translation_key="next_sync",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda record: _moment(record.next_sync_at),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: BoardConfigEntry | ServiceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the board or of a service."""
    runtime = hass.data[BOARD_KEY]
    if is_board(entry):
        figures = _async_follow_board(hass, entry, runtime, await _async_retired(hass, runtime))
        async_add_entities(
            BoardSensor(entry, description, figures) for description in BOARD_SENSORS
        )
        return
    role = DECODERS[entry.data[CONF_KIND]].role
    async_add_entities(
        RecordSensor(runtime, entry, description)
        for description in RECORD_SENSORS
        if role in description.roles
    )


async def _async_retired(hass: HomeAssistant, runtime: BoardRuntime) -> Sequence[tuple[str, float]]:
    """Return what arrived in the days that are shown, and left the board since."""
    try:
        if (storage := await runtime.opened_storage()) is not None:
            return await storage.retired_since(_days_start(DAYS))
    except StorageError as err:
        async_report_trouble(hass, err)
    return ()


@callback
def _async_follow_board(
    hass: HomeAssistant,
    entry: BoardConfigEntry,
    runtime: BoardRuntime,
    retired: Sequence[tuple[str, float]],
) -> Figures:
    """Return figures that follow the board, and let each day begin with new ones."""
    figures = Figures(runtime.board, retired)

    @callback
    def note(change: Change) -> None:
        """Have the figures look at what changed."""
        figures.note(change)

    entry.async_on_unload(async_dispatcher_connect(hass, SIGNAL_CHANGE, note))

    @callback
    def begin_day(_: datetime) -> None:
        """Count the days anew."""
        figures.drop_arrived_before(_days_start(DAYS))
        async_dispatcher_send(hass, SIGNAL_BOARD)

    entry.async_on_unload(async_track_time_change(hass, begin_day, hour=0, minute=0, second=0))
    return figures


class BoardSensor(BoardEntity, SensorEntity):
    """A sensor of the board. It is written only when it shows something new."""

    entity_description: BoardSensorDescription

    def __init__(
        self, entry: BoardConfigEntry, description: BoardSensorDescription, figures: Figures
    ) -> None:
        """Keep the figures that the sensor shows one of."""
        super().__init__(entry, description)
        self.figures = figures
        self._attr_extra_state_attributes = {}

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the board."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, SIGNAL_BOARD, self._async_board_changed)
        )
        self._async_take()

    @callback
    def _async_board_changed(self) -> None:
        """Write the state if it differs."""
        if self._async_take():
            self.async_write_ha_state()

    @callback
    def _async_take(self) -> bool:
        """Take the value from the figures; tell whether it differs."""
        before = self._attr_native_value, self._attr_extra_state_attributes
        self._attr_native_value = self.entity_description.value_fn(self.figures)
        self._attr_extra_state_attributes = self.entity_description.attributes_fn(self.figures)
        return before != (self._attr_native_value, self._attr_extra_state_attributes)


class RecordSensor(ServiceEntity, SensorEntity):
    """A sensor of a service."""

    entity_description: RecordSensorDescription

    @property
    @override
    def available(self) -> bool:
        """Tell whether the value is worth anything."""
        return self.entity_description.available_fn(self.record)

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """Return what is known, unless that is nobody's business."""
        watching = self.runtime.privacy.watching
        if self.entity_description.of_watching and watching is Watching.OFF:
            return None
        return self.entity_description.value_fn(self.record)
