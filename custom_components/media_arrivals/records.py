"""What is remembered of each service; readable when the service is down."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import SIGNAL_RECORD
from .engine.connectors.base import WebhookCause

COUNTER_PAUSE: Final = 30.0
"""Seconds between two signals if nothing but counters changed."""
_COUNTERS: Final = frozenset(
    {
        "received",
        "processed",
        "ignored",
        "failed",
        "refused",
        "missed",
        "last_webhook_at",
        "last_poll_at",
    }
)


class WebhookHealth(StrEnum):
    """What we know of a service's webhook."""

    WORKING = "working"
    """A test delivery of ours arrived, and nothing speaks against it since."""
    UNPROVEN = "unproven"
    """Being installed, or installed and no test delivery arrived yet."""
    FAILED = "failed"
    """Could not be installed or proven: see the cause."""
    POLLING_ONLY = "polling_only"
    """The user chose to do without."""


@dataclass(slots=True, kw_only=True)
class ServiceRecord:
    """What is remembered of a service; readable when the service is down."""

    received: int = 0
    processed: int = 0
    ignored: int = 0
    failed: int = 0
    refused: int = 0
    """Calls that were answered 4xx."""
    missed: int = 0
    """Events that a poll found and no delivery told."""
    last_webhook_at: float | None = None
    webhook: WebhookHealth = WebhookHealth.UNPROVEN
    webhook_cause: WebhookCause | None = None
    webhook_detail: str | None = None
    """The sender's own answer; no secrets inside."""
    webhook_address: str | None = None
    """Base address of Home Assistant that was tried last or proven; without the id."""
    events: tuple[str, ...] = ()
    """Sighting events that the webhook tells, as read back from the service."""
    proven_at: float | None = None
    """When a test delivery arrived last."""
    proven_since: float | None = None
    """Since when it has been working without a break."""
    healthy_since: float | None = None
    """Since when the webhook works without a miss or a failed delivery."""
    last_poll_at: float | None = None
    last_status: str | None = None
    """ "ok", or the key of the error."""
    last_error: str | None = None
    last_sync_at: float | None = None
    """When a sync came to its end last; a failed one is told by the status."""
    next_sync_at: float | None = None
    sync_count: int = 0
    version: str | None = None
    queue: int = 0
    downloading: bool = False
    playing: int = 0
    """What a media server plays now."""
    indexed: int = 0
    to_index: int = 0
    """How far the index of a media server's library is built; both 0: it needs none."""


def _from_document(document: Mapping[str, Any]) -> ServiceRecord:
    """Return a record as it was stored; what another version stored is left out."""
    record = ServiceRecord()
    for field in dataclasses.fields(ServiceRecord):
        if field.name in document:
            setattr(record, field.name, document[field.name])
    try:
        record.webhook = WebhookHealth(record.webhook)
        record.webhook_cause = record.webhook_cause and WebhookCause(record.webhook_cause)
        record.events = tuple(record.events)
    except TypeError, ValueError:
        record.webhook, record.webhook_cause = WebhookHealth.UNPROVEN, None
        record.events, record.proven_since = (), None
    return record


class RecordBook:
    """The records of all services, their signals, and which of them are not stored yet."""

    def __init__(self, hass: HomeAssistant, save_soon: Callable[[], None]) -> None:
        self.hass = hass
        self.records: dict[str, ServiceRecord] = {}
        self._save_soon = save_soon
        self._unsaved: set[str] = set()
        self._closed = False
        self._signalled: dict[str, float] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def open(self) -> None:
        """Signal again."""
        self._closed = False

    def load(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Take what was stored."""
        for entry_id, document in documents.items():
            self.records[entry_id] = _from_document(document)

    def ensure(self, entry_id: str) -> ServiceRecord:
        """Return a service's record; a fresh one, to be stored, if there is none."""
        if entry_id not in self.records:
            self.records[entry_id] = ServiceRecord()
            self._unsaved.add(entry_id)
        return self.records[entry_id]

    def note(self, entry_id: str, **changes: Any) -> None:
        """Change fields of a record. Whoever shows them hears of it, of counters now and then."""
        if (record := self.records.get(entry_id)) is None:
            return
        if (webhook := changes.get("webhook", record.webhook)) is not record.webhook:
            since = time.time() if webhook is WebhookHealth.WORKING else None
            changes = {"healthy_since": since, "proven_since": since, **changes}
        changed = {name for name, value in changes.items() if getattr(record, name) != value}
        if not changed:
            return
        for name in changed:
            setattr(record, name, changes[name])
        self._unsaved.add(entry_id)
        self._save_soon()
        if changed <= _COUNTERS:
            self._signal_counters(entry_id)
        else:
            self.signal(entry_id)

    def count(self, entry_id: str, **more: int) -> None:
        """Add to counters."""
        if (record := self.records.get(entry_id)) is not None:
            self.note(entry_id, **{name: getattr(record, name) + n for name, n in more.items()})

    def arrived(self, entry_id: str, now: float) -> None:
        """Count a delivery: what :meth:`note` does, without looking at what else there is."""
        if (record := self.records.get(entry_id)) is not None:
            record.received += 1
            record.last_webhook_at = now
            self._unsaved.add(entry_id)
            self._save_soon()
            self._signal_counters(entry_id)

    def take_unsaved(self, known: AbstractSet[str]) -> dict[str, dict[str, Any]]:
        """Return the documents of the records that changed, of services the board knows."""
        taken = self._unsaved & known
        self._unsaved -= taken
        return {
            entry_id: dataclasses.asdict(record)
            for entry_id in taken
            if (record := self.records.get(entry_id)) is not None
        }

    def give_back(self, entry_ids: Iterable[str]) -> None:
        """Note that records could not be stored."""
        self._unsaved.update(entry_ids)

    def forget(self, entry_id: str) -> None:
        """Drop the record of a service that was removed."""
        self.records.pop(entry_id, None)
        self._unsaved.discard(entry_id)
        self._signalled.pop(entry_id, None)
        if timer := self._timers.pop(entry_id, None):
            timer.cancel()

    def close(self) -> None:
        """Leave no signal for later."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _signal_counters(self, entry_id: str) -> None:
        """Signal now if the last signal is long ago, else later."""
        if entry_id in self._timers or self._closed:
            return
        wait = self._signalled.get(entry_id, 0.0) + COUNTER_PAUSE - time.monotonic()
        if wait <= 0:
            self.signal(entry_id)
        else:
            self._timers[entry_id] = self.hass.loop.call_later(wait, self.signal, entry_id)

    def signal(self, entry_id: str) -> None:
        """Tell whoever shows the record."""
        if timer := self._timers.pop(entry_id, None):
            timer.cancel()
        self._signalled[entry_id] = time.monotonic()
        async_dispatcher_send(self.hass, SIGNAL_RECORD.format(entry_id))
