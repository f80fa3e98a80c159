"""What is alive while the integration is loaded: board, storage, queue, worker."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Context, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ulid import ulid_now

from .const import (
    BOARD_UNIQUE_ID,
    CONF_FINISHED_DAYS,
    CONF_JOURNAL_DAYS,
    CONF_JOURNAL_ROWS,
    CONF_KIND,
    CONF_TIER,
    CONF_TIMELINE_DAYS,
    DEFAULT_FINISHED_DAYS,
    DEFAULT_JOURNAL_DAYS,
    DEFAULT_JOURNAL_ROWS,
    DEFAULT_TIMELINE_DAYS,
    DOMAIN,
    KIND_BOARD,
)
from .engine.board.board import Board
from .engine.board.models import (
    AnyReport,
    Applied,
    Arrival,
    Change,
    DownloadReport,
    MediaType,
    Origin,
    Outcome,
    Question,
    Reason,
    Role,
    Service,
    Tier,
    Via,
)
from .engine.connectors.base import Cursor, Decoded, Delivery, Sighting
from .engine.connectors.registry import decoder
from .engine.storage.models import (
    Commit,
    DatabaseDamagedError,
    DatabaseNewerError,
    JournalMark,
    ScheduleRow,
    StorageError,
)
from .engine.storage.storage import Storage
from .faults import fault, log_fault
from .missed import MissedLedger
from .publishing import Breather, Publisher
from .questions import Pending, QuestionDesk, Ticket
from .records import RecordBook, ServiceRecord, WebhookHealth

if TYPE_CHECKING:
    from .coordinator import ServiceCoordinator
    from .engine.connectors.base import Client
    from .registration import Registration

__all__ = [
    "BOARD_KEY",
    "AuthFailures",
    "BoardConfigEntry",
    "BoardEntryRuntime",
    "BoardRuntime",
    "ServiceConfigEntry",
    "ServiceRecord",
    "ServiceRuntime",
    "WebhookHealth",
    "board_entry",
    "service_entries",
    "service_of",
]

_LOGGER = logging.getLogger(__name__)

DATABASE_FILE: Final = f"{DOMAIN}.db"
TOLD_FILE: Final = f"{DOMAIN}.told"

MAX_BATCH: Final = 64
"""Deliveries that are worked off together, with one transaction."""
MAX_UNSAVED: Final = 5_000
SAVE_AFTER: Final = 30.0
"""Seconds after which a changed record is stored, if nothing else is before."""
START_BOUND: Final = 60.0
"""Seconds after Home Assistant's start in which first polls are waited for."""
DRAIN_BOUND: Final = 30.0
HOUSEKEEPING_FIRST: Final = timedelta(minutes=10)
HOUSEKEEPING_EVERY: Final = timedelta(days=1)
RETIRE_BATCH: Final = 200
LOAD_BATCH: Final = 100

_TIERS: Final = {tier.value: tier for tier in (Tier.HD, Tier.UHD)}
_MEDIA_TYPES: Final = {"radarr": MediaType.MOVIE, "sonarr": MediaType.SERIES}
_DATABASE_ISSUES: Final = ("database_unavailable", "database_damaged", "database_newer")


@dataclass(slots=True, kw_only=True)
class ServiceRuntime:
    """What a loaded service has."""

    client: Client
    coordinator: ServiceCoordinator
    registration: Registration


@dataclass(slots=True, kw_only=True)
class BoardEntryRuntime:
    """What the loaded board entry has: nothing of its own, the board is domain data."""


type ServiceConfigEntry = ConfigEntry[ServiceRuntime]
type BoardConfigEntry = ConfigEntry[BoardEntryRuntime]


@dataclass(slots=True, kw_only=True)
class AuthFailures:
    """Refusals of a service's key in a row; they outlive retries of the set-up."""

    count: int = 0
    since: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A delivery that is in the journal and waits for the worker."""

    service: Service
    row: int
    decoded: Decoded


@dataclass(slots=True, kw_only=True)
class _Step:
    """What is taken, stored and published together."""

    now: float
    answers: list[Applied] = field(default_factory=list)
    marks: list[JournalMark] = field(default_factory=list)
    awakened: set[str] = field(default_factory=set)
    """Services with new questions."""

    @property
    def changes(self) -> list[Change]:
        """Return all changes in their order."""
        return [change for answer in self.answers for change in answer.changes]


def service_of(entry: ConfigEntry[Any]) -> Service:
    """Return a service as the board knows it."""
    kind: str = entry.data[CONF_KIND]
    return Service(
        id=entry.entry_id,
        kind=kind,
        role=decoder(kind).role,
        tier=_TIERS.get(entry.data.get(CONF_TIER, "")),
        media_type=_MEDIA_TYPES.get(kind),
    )


def service_entries(hass: HomeAssistant) -> list[ServiceConfigEntry]:
    """Return the entries of all services, disabled ones, too."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.data[CONF_KIND] != KIND_BOARD
    ]


def board_entry(hass: HomeAssistant) -> BoardConfigEntry | None:
    """Return the board's own entry."""
    return hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, BOARD_UNIQUE_ID)


class BoardRuntime:
    """What the domain has, from `async_setup` until Home Assistant's final write.

    Whatever changes the board is a step: taken alone, stored in one transaction, published.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.board = Board(ulid_now)
        self.storage: Storage | None = None
        """``None``: not open yet, closed, or cannot be opened; see :meth:`opened_storage`."""
        self.cursors: dict[str, Cursor] = {}
        """Entry id -> where its last poll got to."""
        self.schedules: dict[str, ScheduleRow] = {}
        self.auth_failures: dict[str, AuthFailures] = {}
        self.coordinators: dict[str, ServiceCoordinator] = {}
        """Entry id -> coordinator, while the entry is loaded."""
        self.questions = QuestionDesk()
        self.missed = MissedLedger()
        self.started_at = time.time()
        self._book = RecordBook(hass, self._save_soon)
        self._publisher = Publisher(hass)
        self._lock = asyncio.Lock()
        self._opened = asyncio.Event()
        self._replayed = asyncio.Event()
        self._queue: asyncio.Queue[Delivered] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False
        self._tests: dict[str, set[asyncio.Future[None]]] = {}
        self._polls: dict[str, deque[Ticket]] = {}
        self._unsaved: list[Applied] = []
        self._unsaved_marks: list[JournalMark] = []
        self._unsaved_cursors: dict[str, Cursor] = {}
        self._save_timer: asyncio.TimerHandle | None = None
        self._missed_timer: asyncio.TimerHandle | None = None
        self._start_timer: asyncio.TimerHandle | None = None
        self._life = asyncio.Lock()
        self._awaited = {
            entry.entry_id
            for entry in hass.config_entries.async_entries(DOMAIN)
            if not entry.disabled_by
        }

    @property
    def records(self) -> Mapping[str, ServiceRecord]:
        """Return what is remembered of each service, by entry id."""
        return self._book.records

    def option(self, name: str, default: Any) -> Any:
        """Return an option of the board's entry."""
        entry = board_entry(self.hass)
        return default if entry is None else entry.options.get(name, default)

    # --- life ---------------------------------------------------------------------------------

    async def async_open(self) -> None:
        """Open the storage, load the board, start the worker; without a database do without."""
        self._closed = False
        folder = Path(self.hass.config.config_dir)
        rows: Sequence[Any] = ()
        try:
            storage = await Storage.open(folder / DATABASE_FILE)
        except StorageError as err:
            self._report_database(err)
        else:
            self._report_set_aside(storage)
            await self._publisher.open(folder / TOLD_FILE)
            rows = await storage.journal.pending()
            self.storage = storage
        self._opened.set()
        for entry in service_entries(self.hass):
            self.board.configure(service_of(entry), now=time.time())
        if self.storage is not None:
            await self._load(self.storage)
        for entry in service_entries(self.hass):
            self._book.ensure(entry.entry_id)
        self._worker = self.hass.async_create_background_task(
            self._work(rows), f"{DOMAIN} worker", eager_start=False
        )

    async def _load(self, storage: Storage) -> None:
        """Take what was stored, a little at a time."""
        documents = await storage.records.load()
        outbox = documents.pop(BOARD_UNIQUE_ID, None)
        self.cursors = await storage.cursors.load()
        self.schedules = await storage.schedule.load()
        known = {entry.entry_id for entry in service_entries(self.hass)}
        gone = documents.keys() - known
        for service_id in gone:
            await storage.forget_service(service_id)
        self._book.load({key: value for key, value in documents.items() if key in known})
        live = await storage.load_live()
        breather = Breather()
        for first in range(0, len(live.titles), LOAD_BATCH):
            self.board.load(live.titles[first : first + LOAD_BATCH], (), ())
            await breather.breathe()
        for first in range(0, len(live.arrivals), LOAD_BATCH):
            self.board.load((), live.arrivals[first : first + LOAD_BATCH], ())
            await breather.breathe()
        for first in range(0, len(live.requests), LOAD_BATCH):
            self.board.load((), (), live.requests[first : first + LOAD_BATCH])
            await breather.breathe()
        if outbox:
            self._publisher.restore(outbox, self.board)

    async def async_ensure_open(self) -> None:
        """Begin anew after everything was erased with the last service."""
        async with self._life:
            if self._closed:
                await self.async_open()

    async def opened_storage(self) -> Storage | None:
        """Wait until the storage is open; ``None`` if there is none."""
        await self._opened.wait()
        return self.storage

    @callback
    def async_follow_home_assistant(self) -> None:
        """Tell nothing before Home Assistant has started, tidy up daily, close at the end."""
        async_at_started(self.hass, self._async_started)

        async def tidy(_: datetime) -> None:
            await self.async_tidy()

        async def close(_: Event) -> None:
            await self.async_close()

        job = HassJob(tidy, f"{DOMAIN} housekeeping", cancel_on_shutdown=True)
        async_call_later(self.hass, HOUSEKEEPING_FIRST, job)
        async_track_time_interval(self.hass, tidy, HOUSEKEEPING_EVERY, cancel_on_shutdown=True)
        self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, close)

    @callback
    def _async_started(self, _: HomeAssistant) -> None:
        """Wait for first polls a little longer, then tell."""
        if self._awaited:
            self._start_timer = self.hass.loop.call_later(START_BOUND, self._let_go)
        else:
            self._let_go()

    @callback
    def async_is_up(self, entry_id: str) -> None:
        """Note that an entry's first poll is through, well or not."""
        self._awaited.discard(entry_id)
        if not self._awaited and self._start_timer is not None:
            self._start_timer.cancel()
            self._let_go()

    @callback
    def _let_go(self) -> None:
        """Tell what was held back."""
        self._start_timer = None
        _ = self.hass.async_create_task(self._release(), f"{DOMAIN} release")

    async def _release(self) -> None:
        """Tell what was held back, once the journal is replayed."""
        await self._replayed.wait()
        async with self._lock:
            if not self._publisher.holding:
                return
            changes = self._publisher.let_go(self.board)
            await self._store(changes)
            await self._publisher.publish(changes)

    async def async_close(self) -> None:
        """Work off what waits, store what is not stored, close."""
        self._replayed.set()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])
            self._worker = None
        try:
            async with asyncio.timeout(DRAIN_BOUND):
                await self._drain()
        except TimeoutError:
            _LOGGER.debug("%s deliveries are left for the next start", self._queue.qsize())
        for timer in (self._save_timer, self._missed_timer, self._start_timer):
            if timer is not None:
                timer.cancel()
        self._save_timer = self._missed_timer = self._start_timer = None
        self._book.close()
        async with self._lock:
            await self._store(())
            storage, self.storage = self.storage, None
            if storage is not None:
                await storage.close()
            await self._publisher.close()
            self._closed = True

    async def async_erase(self) -> None:
        """Forget everything: the last service was removed."""
        async with self._life:
            await self._erase()

    async def _erase(self) -> None:
        """Close, delete, begin with nothing."""
        path = self.storage.path if self.storage is not None else None
        await self.async_close()
        self._opened.clear()
        self._replayed.clear()
        self.board = Board(ulid_now)
        self.questions = QuestionDesk()
        self.missed = MissedLedger()
        self.cursors, self.schedules = {}, {}
        self._polls.clear()
        self._unsaved, self._unsaved_marks, self._unsaved_cursors = [], [], {}
        if path is not None:
            await self.hass.async_add_executor_job(_delete, path)
        for issue in _DATABASE_ISSUES:
            ir.async_delete_issue(self.hass, DOMAIN, issue)

    async def async_tidy(self) -> None:
        """Let finished arrivals leave the live board, old deliveries and timelines go."""
        now = time.time()
        days = self.option(CONF_FINISHED_DAYS, DEFAULT_FINISHED_DAYS)
        ids = self.board.retirable(now, finished_days=days)
        try:
            for first in range(0, len(ids), RETIRE_BATCH):
                batch = ids[first : first + RETIRE_BATCH]
                async with self._lock:
                    # A report may have brought one of them to life again meanwhile.
                    still = set(self.board.retirable(now, finished_days=days))
                    retired = [arrival_id for arrival_id in batch if arrival_id in still]
                    if self.storage is not None:
                        await self.storage.retire(retired)
                    self.board.unload(retired)
            if (storage := self.storage) is not None:
                await storage.journal.trim(
                    now,
                    days=self.option(CONF_JOURNAL_DAYS, DEFAULT_JOURNAL_DAYS),
                    rows=int(self.option(CONF_JOURNAL_ROWS, DEFAULT_JOURNAL_ROWS)),
                )
                await storage.purge(now, self.option(CONF_TIMELINE_DAYS, DEFAULT_TIMELINE_DAYS))
        except StorageError as err:
            self._report_database(err)

    # --- services -----------------------------------------------------------------------------

    async def async_configure(self, entry: ServiceConfigEntry) -> None:
        """Make a service known to the board, or what changed about it."""
        self._book.ensure(entry.entry_id)
        await self._alone(self._configure(service_of(entry)))

    async def _configure(self, service: Service) -> None:
        """Have the board take the service."""
        async with self._lock:
            step = _Step(now=time.time())
            step.answers.append(self.board.configure(service, now=step.now))
            await self._finish(step)

    async def async_remove_service(self, entry_id: str) -> None:
        """Forget a service's words, journal, record and questions; no arrival."""
        await self._alone(self._remove_service(entry_id))

    async def _remove_service(self, entry_id: str) -> None:
        """Have board and storage forget the service."""
        async with self._lock:
            step = _Step(now=time.time())
            for ticket in self.questions.forget(entry_id):
                if not ticket.waiting and ticket.service != entry_id:
                    self._conclude(step, ticket)
            self.missed.forget(entry_id)
            step.answers.append(self.board.remove_service(entry_id, now=step.now))
            await self._finish(step)
            self._book.forget(entry_id)
            for known in (self.cursors, self.schedules, self.auth_failures, self._polls):
                known.pop(entry_id, None)
            if self.storage is not None:
                try:
                    await self.storage.forget_service(entry_id)
                except StorageError as err:
                    self._report_database(err)

    def note(self, entry_id: str, **changes: Any) -> None:
        """Change fields of a service's record."""
        self._book.note(entry_id, **changes)

    def count(self, entry_id: str, **more: int) -> None:
        """Add to counters of a service's record."""
        self._book.count(entry_id, **more)

    async def async_save_schedule(self, row: ScheduleRow) -> None:
        """Keep the run record of a service's sync."""
        self.schedules[row.service] = row
        if self.storage is not None:
            try:
                await self.storage.schedule.save(row)
            except StorageError as err:
                self._report_database(err)

    # --- tests of webhooks ----------------------------------------------------------------------

    @callback
    def async_expect_test(self, entry_id: str) -> asyncio.Future[None]:
        """Return a future that is done when a test delivery arrives at the service's webhook."""
        future: asyncio.Future[None] = self.hass.loop.create_future()
        waiting = self._tests.setdefault(entry_id, set())
        waiting.add(future)
        future.add_done_callback(waiting.discard)
        return future

    async def wait_for_test(self, entry_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - what is waited for comes from outside
        """Tell whether a test delivery arrives in time."""
        future = self.async_expect_test(entry_id)
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            return False
        return True

    @callback
    def async_tested(self, entry_id: str) -> None:
        """Tell whoever waits for it that a test delivery arrived; else it is looked into."""
        if waiting := [one for one in self._tests.get(entry_id, ()) if not one.done()]:
            for future in waiting:
                future.set_result(None)
            return
        self._book.signal(entry_id)
        coordinator = self.coordinators.get(entry_id)
        works = self.records[entry_id].webhook in {
            WebhookHealth.WORKING,
            WebhookHealth.POLLING_ONLY,
        }
        if coordinator is not None and not works:
            coordinator.async_webhook_tested()

    # --- deliveries ---------------------------------------------------------------------------

    @callback
    def deliver(self, delivered: Delivered) -> None:
        """Put a delivery that is in the journal on the queue."""
        service_id = delivered.service.id
        if service_id not in self.records:
            return
        now = time.time()
        self.count(service_id, received=1)
        self.note(service_id, last_webhook_at=now)
        for sighting in delivered.decoded.sightings:
            if self.missed.told(service_id, sighting, now):
                self.count(service_id, missed=-1)
        if delivered.decoded.test:
            self.async_tested(service_id)
        self._queue.put_nowait(delivered)

    async def _work(self, rows: Sequence[Any]) -> None:
        """Take deliveries in order, those of the last run first."""
        await self._replay(rows)
        self._replayed.set()
        while True:
            await self._take_safely(await self._next_batch())

    async def _next_batch(self) -> list[Delivered]:
        """Wait for a delivery; return it with those that wait behind it."""
        batch = [await self._queue.get()]
        while len(batch) < MAX_BATCH and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        return batch

    async def _replay(self, rows: Sequence[Any]) -> None:
        """Take the deliveries that were written down and not worked off."""
        batch: list[Delivered] = []
        breather = Breather()
        for row in rows:
            if (service := self.board.services.get(row.service)) is not None:
                body = (row.payload or "").encode()
                delivery = Delivery(body=body, received_at=row.received_at, id=row.id)
                decoded = decoder(service.kind).decode(service, delivery)
                batch.append(Delivered(service=service, row=row.id, decoded=decoded))
            await breather.breathe()
            if len(batch) >= MAX_BATCH:
                await self._take_safely(batch)
                batch = []
        await self._take_safely(batch)

    async def _drain(self) -> None:
        """Work off what is on the queue."""
        while not self._queue.empty():
            await self._take_safely(await self._next_batch())
        async with self._lock:
            pass

    async def _take_safely(self, batch: Sequence[Delivered]) -> None:
        """Take deliveries; whatever goes wrong, the worker goes on."""
        try:
            await self._alone(self._take_deliveries(batch))
        except Exception as err:  # noqa: BLE001 - their rows are worked off at the next start
            log_fault(_LOGGER, f"working off {len(batch)} deliveries", err)

    async def _alone[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Do something that must not be left half done, even if whoever asked for it is gone."""
        return await asyncio.shield(self.hass.async_create_task(work, f"{DOMAIN} step"))

    async def _take_deliveries(self, batch: Sequence[Delivered]) -> None:
        """Take deliveries; a fault in one of them is its own."""
        async with self._lock:
            step = _Step(now=time.time())
            breather = Breather()
            for delivered in batch:
                await self._take_delivery(step, delivered)
                await breather.breathe()
            await self._finish(step)

    async def _take_delivery(self, step: _Step, delivered: Delivered) -> None:
        """Apply what a delivery says, ask what it leaves open."""
        service, decoded = delivered.service, delivered.decoded
        ticket = Ticket(
            service=service.id,
            row=delivered.row,
            event_type=decoded.event_type,
            reason=decoded.ignored,
            detail=decoded.detail,
            outcome=Outcome.FAILED if decoded.ignored is Reason.ERROR else Outcome.IGNORED,
        )
        if _LOGGER.isEnabledFor(logging.DEBUG):
            ticket.subject = _subject(decoded)
        if self.records.get(service.id) is None:
            return
        try:
            for report in decoded.reports:
                await self._apply(step, report, (ticket,))
            for question in decoded.questions:
                self._ask(step, question, (ticket,))
        except Exception as err:  # noqa: BLE001 - the next delivery is not to blame
            ticket.outcome, ticket.reason = Outcome.FAILED, Reason.ERROR
            ticket.detail = fault(err)
            log_fault(_LOGGER, f"working off a delivery of {service.kind}", err)
        if decoded.hint or any(isinstance(report, DownloadReport) for report in decoded.reports):
            self._hint(service.id, urgent=decoded.hint)
        if not ticket.waiting:
            self._conclude(step, ticket)

    def _hint(self, service_id: str, *, urgent: bool) -> None:
        """Have the service polled early, if that tells more than is known."""
        coordinator = self.coordinators.get(service_id)
        if coordinator is not None and (urgent or not self.records[service_id].downloading):
            coordinator.async_hint()

    # --- steps --------------------------------------------------------------------------------

    async def apply(
        self,
        reports: Sequence[AnyReport],
        *,
        silent: bool = False,
        service: str | None = None,
        questions: Sequence[Question] = (),
        cursor: Cursor | None = None,
    ) -> tuple[Change, ...]:
        """Apply reports, store what came of them in one transaction, publish.

        The cursor is stored with them, or once everything that they leave open is answered.
        """
        await self._replayed.wait()
        return await self._alone(self._take_reports(reports, silent, service, questions, cursor))

    async def _take_reports(
        self,
        reports: Sequence[AnyReport],
        silent: bool,
        service: str | None,
        questions: Sequence[Question],
        cursor: Cursor | None,
    ) -> tuple[Change, ...]:
        """Apply what a poll or an action says."""
        async with self._lock:
            step = _Step(now=time.time())
            ticket = Ticket(service=service or "", silent=silent, cursor=cursor)
            breather = Breather()
            for report in reports:
                try:
                    await self._apply(step, report, (ticket,), silent=silent)
                except Exception as err:  # noqa: BLE001 - the next report is not to blame
                    log_fault(_LOGGER, f"applying a report of {report.origin.kind}", err)
                await breather.breathe()
            for question in questions:
                self._ask(step, question, (ticket,))
            if service is not None and cursor is not None:
                self.cursors[service] = cursor
                self._polls.setdefault(service, deque()).append(ticket)
                self._settle_polls(service)
            await self._finish(step)
            return tuple(step.changes)

    async def dismiss(self, arrival_id: str, context: Context) -> Arrival | None:
        """Silence an arrival until something new is said; ``None`` if it is not live."""
        return await self._alone(self._dismiss(arrival_id, context))

    async def _dismiss(self, arrival_id: str, context: Context) -> Arrival | None:
        """Have the board dismiss it."""
        async with self._lock:
            if self.board.get(arrival_id) is None:
                return None
            step = _Step(now=time.time())
            origin = Origin(
                service=BOARD_UNIQUE_ID,
                kind=KIND_BOARD,
                role=Role.REQUESTS,
                via=Via.ACTION,
                context_id=context.id,
                user_id=context.user_id,
            )
            step.answers.append(self.board.dismiss(arrival_id, now=step.now, origin=origin))
            await self._finish(step)
            return self.board.get(arrival_id)

    async def answered(self, pending: Pending, reports: Sequence[AnyReport]) -> None:
        """Take a service's answer to a question."""
        await self._alone(self._take_answer(pending, reports))

    async def _take_answer(self, pending: Pending, reports: Sequence[AnyReport]) -> None:
        """Apply the answer, and what waited for it."""
        async with self._lock:
            step = _Step(now=time.time())
            tickets = self.questions.settle(pending)
            asked = pending.question.key
            try:
                if pending.openings and not pending.silent:
                    for opening in pending.openings:
                        applied = self.board.open(opening, reports, now=step.now)
                        self._take(step, applied, tickets, asked=asked)
                else:
                    for report in (*reports, *pending.openings):
                        await self._apply(step, report, tickets, silent=pending.silent, asked=asked)
            except Exception as err:  # noqa: BLE001 - the next answer is not to blame
                log_fault(_LOGGER, "taking a service's answer", err)
                for ticket in tickets:
                    ticket.outcome, ticket.reason = Outcome.FAILED, Reason.ERROR
            self._conclude_all(step, tickets)
            await self._finish(step)

    async def gave_up(self, pending: Pending, why: str) -> None:
        """Let go of a question that the service did not answer."""
        await self._alone(self._take_silence(pending, why))

    async def _take_silence(self, pending: Pending, why: str) -> None:
        """Conclude what waited for it."""
        async with self._lock:
            step = _Step(now=time.time())
            tickets = self.questions.settle(pending)
            for ticket in tickets:
                ticket.give_up(why)
            self._conclude_all(step, tickets)
            await self._finish(step)

    async def _apply(
        self,
        step: _Step,
        report: AnyReport,
        tickets: Sequence[Ticket],
        *,
        silent: bool = False,
        asked: tuple[str, ...] | None = None,
    ) -> None:
        """Apply one report; what is stored of a title that left the live board comes back."""
        title, service_id = report.title, report.origin.service
        if self.storage is not None and not self.board.knows(title, service_id):
            own = (service_id, title.own_id) if title.own_id is not None else None
            stored = await self.storage.recall(title.media_type, title.ids, own)
            if stored is not None:
                self.board.load(stored.titles, stored.arrivals, stored.requests)
        self._take(
            step, self.board.apply(report, now=step.now, silent=silent), tickets, asked=asked
        )

    def _take(
        self,
        step: _Step,
        applied: Applied,
        tickets: Sequence[Ticket],
        *,
        asked: tuple[str, ...] | None = None,
    ) -> None:
        """Take the board's answer. A question that was just answered is not asked again."""
        step.answers.append(applied)
        for ticket in tickets:
            ticket.note(applied)
        for question in applied.questions:
            if question.key != asked:
                self._ask(step, question, tickets)

    def _ask(self, step: _Step, question: Question, tickets: Sequence[Ticket]) -> None:
        """Put a question to its service."""
        if question.service in self.records:
            self.questions.add(question, tickets)
            step.awakened.add(question.service)

    def _conclude_all(self, step: _Step, tickets: Sequence[Ticket]) -> None:
        """Conclude what waits for nothing any more."""
        for ticket in tickets:
            if ticket.waiting:
                continue
            if ticket.row is not None:
                self._conclude(step, ticket)
            else:
                self._settle_polls(ticket.service)

    def _conclude(self, step: _Step, ticket: Ticket) -> None:
        """Note what became of a delivery."""
        if ticket.row is None:
            return
        message = ticket.detail
        if ticket.outcome is Outcome.FAILED and message is None and ticket.reason is not None:
            message = ticket.reason.value
        step.marks.append(
            JournalMark(
                id=ticket.row,
                outcome=ticket.outcome,
                at=step.now,
                reason=ticket.reason,
                error_message=message,
            )
        )
        self.count(ticket.service, **{ticket.outcome.value: 1})
        if ticket.outcome is Outcome.FAILED and ticket.reason is Reason.ERROR:
            self.note(ticket.service, healthy_since=step.now)
        _LOGGER.debug(
            "Delivery %s of %s: %s %s -> %s (%s)",
            ticket.row,
            ticket.service,
            ticket.event_type,
            ticket.subject,
            ticket.outcome,
            ticket.reason,
        )

    def _settle_polls(self, service_id: str) -> None:
        """Let the stored cursor follow as far as everything before it is answered."""
        polls = self._polls.get(service_id, deque())
        while polls and not polls[0].waiting:
            cursor = polls.popleft().cursor
            if cursor is not None:
                self._unsaved_cursors[service_id] = cursor

    async def _finish(self, step: _Step) -> None:
        """Store a step, publish it, and have its questions asked."""
        self._unsaved += step.answers
        self._unsaved_marks += step.marks
        changes = step.changes
        await self._store(changes)
        await self._publisher.publish(changes)
        for service_id in step.awakened:
            if coordinator := self.coordinators.get(service_id):
                coordinator.async_wake()

    async def _store(self, changes: Sequence[Change]) -> None:
        """Write everything that is not stored yet; what fails waits for the next time."""
        documents: dict[str, Any] = dict(self._book.take_unsaved())
        if (outbox := self._publisher.outbox(changes)) is not None:
            documents[BOARD_UNIQUE_ID] = outbox
        if self._save_timer is not None:
            self._save_timer.cancel()
            self._save_timer = None
        if self.storage is None:
            self._unsaved.clear()
            self._unsaved_marks.clear()
            self._unsaved_cursors.clear()
            return
        if not (self._unsaved or self._unsaved_marks or self._unsaved_cursors or documents):
            return
        commit = Commit.of(
            self._unsaved,
            marks=self._unsaved_marks,
            cursors=self._unsaved_cursors,
            records=documents,
        )
        try:
            await self.storage.commit(commit)
        except StorageError as err:
            del self._unsaved[:-MAX_UNSAVED]
            del self._unsaved_marks[:-MAX_UNSAVED]
            self._book.give_back(documents.keys() - {BOARD_UNIQUE_ID})
            self._report_database(err)
        else:
            self._unsaved.clear()
            self._unsaved_marks.clear()
            self._unsaved_cursors.clear()
            ir.async_delete_issue(self.hass, DOMAIN, "database_unavailable")

    @callback
    def _save_soon(self) -> None:
        """Have changed records stored, at the latest in a while."""
        if self._save_timer is None and not self._closed:
            self._save_timer = self.hass.loop.call_later(SAVE_AFTER, self._save_now)

    @callback
    def _save_now(self) -> None:
        """Store changed records."""
        self._save_timer = None
        _ = self.hass.async_create_task(self._save(), f"{DOMAIN} save")

    async def _save(self) -> None:
        """Store what is not stored yet."""
        async with self._lock:
            await self._store(())

    # --- missed webhooks ------------------------------------------------------------------------

    def look_for_missed(
        self, service_id: str, sightings: Sequence[Sighting], events: frozenset[str]
    ) -> None:
        """Compare what a poll shows with what our webhook, subscribed to ``events``, told."""
        record = self.records[service_id]
        if record.webhook is not WebhookHealth.WORKING or record.proven_at is None:
            return
        since = max(record.proven_at, self.started_at)
        now = time.time()
        for sighting in sightings:
            if sighting.event in events and sighting.at >= since:
                self.missed.shown(service_id, sighting, now)
        self._watch_missed(now)

    def _watch_missed(self, now: float) -> None:
        """Come back when the patience with the next one is over."""
        if self._missed_timer is None and (deadline := self.missed.deadline) is not None:
            self._missed_timer = self.hass.loop.call_later(
                max(0.0, deadline - now) + 1, self._count_missed
            )

    @callback
    def _count_missed(self) -> None:
        """Count what no delivery told in time."""
        self._missed_timer = None
        now = time.time()
        for service_id, number in self.missed.missed(now).items():
            self.count(service_id, missed=number)
            self.note(service_id, healthy_since=now)
        self._watch_missed(now)

    # --- the database's troubles ------------------------------------------------------------------

    def _report_set_aside(self, storage: Storage) -> None:
        """Raise a repair if the file was damaged."""
        if storage.set_aside is not None:
            self._raise_issue("database_damaged", file=storage.set_aside.name)

    def _report_database(self, err: StorageError) -> None:
        """Raise a repair that says why nothing is kept."""
        if isinstance(err, DatabaseNewerError):
            self._raise_issue("database_newer", found=str(err.found), known=str(err.known))
        elif isinstance(err, DatabaseDamagedError):
            self._raise_issue("database_damaged", file=DATABASE_FILE)
        else:
            self._raise_issue("database_unavailable", file=DATABASE_FILE, error=str(err))

    def _raise_issue(self, key: str, **placeholders: str) -> None:
        """Raise a repair."""
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            key,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING
            if key == "database_damaged"
            else ir.IssueSeverity.ERROR,
            translation_key=key,
            translation_placeholders=placeholders,
        )


def _delete(path: Path) -> None:
    """Delete the database with its companions and copies, and the note of what was told."""
    for file in (*path.parent.glob(f"{path.name}*"), path.with_name(TOLD_FILE)):
        file.unlink(missing_ok=True)


def _subject(decoded: Decoded) -> str:
    """Name the titles that a delivery is about by their external ids."""
    ids = {
        f"{space}:{value}"
        for thing in (*decoded.reports, *decoded.questions)
        if thing.title is not None
        for space, value in thing.title.ids.items()
    }
    return " ".join(sorted(ids)) or "-"


BOARD_KEY: Final[HassKey[BoardRuntime]] = HassKey(DOMAIN)
