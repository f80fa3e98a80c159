"""What is remembered of each service; readable when the service is down."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import Any, Final, NamedTuple

from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import SIGNAL_RECORD
from .engine.connectors.base import WebhookCause, WebhookState

DAY: Final = 24 * 3600.0
MAX_MISSES: Final = 200
"""Misses of a day that are remembered one by one."""
MAX_DELAYS: Final = 50
MAX_SPANS: Final = 40
"""Times in which a service could be reached that are remembered one by one."""
LONGEST_REST: Final = 40 * 60.0
"""Seconds between two answers after which nobody knows whether it could be reached meanwhile."""
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
        "misses",
        "heard_at",
        "webhook_delays",
        "poll_delays",
        "last_webhook_at",
        "last_poll_at",
        "reachable",
    }
)


class Miss(NamedTuple):
    """Something that no delivery told in time."""

    counted_at: float
    """By our clock."""
    at: float
    """When it happened, by the service's."""
    mark: str
    """Names it without saying what it is: who watched what is nobody's business."""


class Span(NamedTuple):
    """A time from one answer to another, with nothing but answers between."""

    start: float
    end: float


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
    misses: tuple[Miss, ...] = ()
    """The newest of them, for a day."""
    webhook_delays: tuple[float, ...] = ()
    """Seconds until the newest events were known that a webhook told first."""
    poll_delays: tuple[float, ...] = ()
    """The same of those that a poll showed first."""
    last_webhook_at: float | None = None
    heard_at: float | None = None
    """When a delivery that was no test came last, or the webhook was entered anew."""
    silent_since: float | None = None
    """When it was found that deliveries stay away although events are missed."""
    muted: bool = False
    """The service says that it skips our webhook, or that it is switched off there."""
    remote: WebhookState | None = None
    """Our webhook as read back from the service last; ``None``: was not, or cannot be."""
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
    tested: bool = False
    """It was proven by the service's own test, which we can have sent."""
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
    reachable: tuple[Span, ...] = ()
    """When it answered all polls of one run of Home Assistant, oldest first."""
    version: str | None = None
    queue: int = 0
    downloading: bool = False
    playing: int = 0
    """What a media server plays now."""
    not_found: dict[str, str | None] = field(default_factory=dict)
    """What a media server was asked for in vain: arrival -> library that it should be in."""
    absent: list[dict[str, Any]] = field(default_factory=list)
    """What a media server does not list any more, until its second look."""
    indexed: int = 0
    to_index: int = 0
    """How far the index of a media server's library is built; both 0: it needs none."""

    def recent_misses(self, now: float, since: float | None = None) -> tuple[Miss, ...]:
        """Return what was missed in the last 24 hours, and after a moment."""
        begin = max(now - DAY, since or 0.0)
        return tuple(miss for miss in self.misses if miss.counted_at > begin)

    def reached(self, since: float) -> float:
        """Return for how many seconds it could be reached since a moment, all in all."""
        return sum(max(0.0, span.end - max(span.start, since)) for span in self.reachable)

    @property
    def webhook_delay(self) -> float | None:
        """Return the median of what it takes a webhook to tell us."""
        return median(self.webhook_delays) if self.webhook_delays else None

    @property
    def poll_delay(self) -> float | None:
        """Return the median of what it takes a poll to show us."""
        return median(self.poll_delays) if self.poll_delays else None


_FIELDS: Final = tuple(one.name for one in dataclasses.fields(ServiceRecord))
"""Nothing in them changes: a document may hold the very same values."""


def _from_document(document: Mapping[str, Any]) -> ServiceRecord:
    """Return a record as it was stored; what another version stored is left out."""
    record = ServiceRecord()
    for name in _FIELDS:
        if name in document:
            setattr(record, name, document[name])
    try:
        record.webhook = WebhookHealth(record.webhook)
        record.webhook_cause = record.webhook_cause and WebhookCause(record.webhook_cause)
        record.events = tuple(record.events)
        record.remote = record.remote and WebhookState(record.remote)
        record.misses = tuple(
            Miss(float(counted_at), float(at), str(mark)) for counted_at, at, mark in record.misses
        )
        record.webhook_delays = tuple(map(float, record.webhook_delays))
        record.poll_delays = tuple(map(float, record.poll_delays))
        record.reachable = tuple(Span(float(start), float(end)) for start, end in record.reachable)
    except TypeError, ValueError:
        record.webhook, record.webhook_cause = WebhookHealth.UNPROVEN, None
        record.events, record.proven_since = (), None
        record.remote, record.silent_since = None, None
        record.misses, record.webhook_delays, record.poll_delays = (), (), ()
        record.reachable = ()
    return record


class RecordBook:
    """The records of all services, their signals, and which of them are not stored yet."""

    def __init__(self, hass: HomeAssistant, save_soon: Callable[[], None]) -> None:
        self.hass = hass
        self.records: dict[str, ServiceRecord] = {}
        self._save_soon = save_soon
        self._unsaved: set[str] = set()
        self._closed = False
        self.awake: set[str] = set()
        """Services that answered in this run of Home Assistant."""
        self._answering: set[str] = set()
        """Those that have answered every poll since."""
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
            if since is None:
                # What speaks against it now is told as such.
                changes = {"silent_since": None, **changes}
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

    def answered(self, entry_id: str, now: float) -> tuple[Span, ...]:
        """Note that a service answered; return when it could be reached."""
        spans = self.records[entry_id].reachable if entry_id in self.records else ()
        last = spans[-1] if spans else None
        going_on = entry_id in self._answering
        self.awake.add(entry_id)
        self._answering.add(entry_id)
        if going_on and last is not None and 0 <= now - last.end < LONGEST_REST:
            return (*spans[:-1], Span(last.start, now))
        if len(spans) >= MAX_SPANS:
            # The two oldest become one of their length: how much it was matters most.
            first, second, *rest = spans
            spans = (Span(first.start, first.end + second.end - second.start), *rest)
        return (*spans, Span(now, now))

    def fell_silent(self, entry_id: str) -> None:
        """Note that a service did not answer."""
        self._answering.discard(entry_id)

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

    def heard(self, entry_id: str, at: float) -> bool:
        """Note a delivery that is no test; tell whether that ends a silence."""
        if (record := self.records.get(entry_id)) is None:
            return False
        record.heard_at = max(at, record.heard_at or 0.0)
        self._unsaved.add(entry_id)
        if record.silent_since is None and not record.muted:
            return False
        ends = record.silent_since is not None
        self.note(entry_id, silent_since=None, muted=False)
        return ends

    def missed(self, entry_id: str, misses: Iterable[Miss], now: float) -> None:
        """Count what no delivery told in time."""
        if (record := self.records.get(entry_id)) is not None:
            new = tuple(misses)
            self.note(
                entry_id,
                missed=record.missed + len(new),
                misses=(*record.recent_misses(now), *new)[-MAX_MISSES:],
                healthy_since=now,
            )

    def take_back(self, entry_id: str, mark: str) -> bool:
        """Count a miss no more, if it is one of those of the last day; tell whether it was."""
        record = self.records.get(entry_id)
        if record is None or not any(miss.mark == mark for miss in record.misses):
            return False
        left = tuple(miss for miss in record.misses if miss.mark != mark)
        self.note(entry_id, misses=left, missed=max(0, record.missed - 1))
        return True

    def delayed(self, entry_id: str, ways: Mapping[str, Iterable[float]]) -> None:
        """Remember how long it took until events were known; ways are fields of the record."""
        if (record := self.records.get(entry_id)) is not None:
            self.note(
                entry_id,
                **{
                    way: (*getattr(record, way), *(round(max(0.0, one), 1) for one in delays))[
                        -MAX_DELAYS:
                    ]
                    for way, delays in ways.items()
                },
            )

    def take_unsaved(self, known: AbstractSet[str]) -> dict[str, dict[str, Any]]:
        """Return the documents of the records that changed, of services the board knows."""
        taken = self._unsaved & known
        self._unsaved -= taken
        return {
            entry_id: {name: getattr(record, name) for name in _FIELDS}
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
        self.awake.discard(entry_id)
        self.fell_silent(entry_id)
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
