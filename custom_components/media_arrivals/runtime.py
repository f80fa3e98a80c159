"""What is alive while the integration is loaded: board, storage, queue, worker."""

import asyncio
import time
from collections.abc import Mapping, Sequence, Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import SOURCE_SYSTEM, ConfigEntry, UnknownEntry
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Context, Event, HassJob, HomeAssistant, callback
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
    CONF_OWNER_ID,
    CONF_SCHEDULE_ENABLED,
    CONF_SERVER_ID,
    CONF_TIER,
    CONF_TIMELINE_DAYS,
    DEFAULT_FINISHED_DAYS,
    DEFAULT_JOURNAL_DAYS,
    DEFAULT_JOURNAL_ROWS,
    DEFAULT_TIMELINE_DAYS,
    DOMAIN,
    KIND_BOARD,
    SCHEDULED_BY_DEFAULT,
)
from .deliveries import UNPROVEN, Delivered
from .engine.board.absence import AbsenceWatch
from .engine.board.board import Board
from .engine.board.models import (
    AnyReport,
    Arrival,
    Change,
    MediaType,
    Question,
    Reason,
    Service,
    Tier,
)
from .engine.connectors.base import Cursor, Decoded, Sighting
from .engine.connectors.registry import decoder
from .engine.storage.models import LoadedBoard, ScheduleRow, StorageError
from .engine.storage.storage import Storage
from .finder import Finder
from .missed import MissedLedger, mark_of, stays_silent
from .people import People
from .posters import POSTERS_KEY, Posters
from .privacy import Privacy
from .publishing import Breather
from .questions import QuestionDesk, Ticket
from .records import RecordBook, ServiceRecord, WebhookHealth
from .screening import DOCUMENT, Screening
from .stuck import StuckWatch
from .troubles import (
    DAMAGED,
    DATABASE_FILE,
    NEWER,
    UNAVAILABLE,
    async_report_set_aside,
    async_report_trouble,
    async_silence_is_over,
    async_trouble_is_over,
)
from .worker import Worker

if TYPE_CHECKING:
    from .coordinator import ServiceCoordinator
    from .engine.connectors.base import Client
    from .registration import Registration

__all__ = [
    "BOARD_KEY",
    "AnyConfigEntry",
    "AuthFailures",
    "BoardConfigEntry",
    "BoardEntryRuntime",
    "BoardRuntime",
    "ServiceConfigEntry",
    "ServiceRecord",
    "ServiceRuntime",
    "WebhookHealth",
    "async_remove_board_entry",
    "async_restore_board_entry",
    "board_entry",
    "schedule_enabled",
    "service_entries",
    "service_of",
]

TOLD_FILE: Final = f"{DOMAIN}.told"

START_BOUND: Final = 60.0
"""Seconds after Home Assistant's start in which first polls are waited for."""
HOUSEKEEPING_FIRST: Final = timedelta(minutes=10)
HOUSEKEEPING_EVERY: Final = timedelta(days=1)
LOAD_BATCH: Final = 100
BUSY_SECONDS: Final = 10.0
"""Seconds after which it is looked again whether everything is worked off."""

_UNHEARD: Final = frozenset({Reason.TEST, Reason.FOREIGN_SERVER, Reason.UNREADABLE})
"""Why a delivery may be ignored and says nothing about whether the service delivers its news."""
_TIERS: Final = {tier.value: tier for tier in (Tier.HD, Tier.UHD)}
_MEDIA_TYPES: Final = {"radarr": MediaType.MOVIE, "sonarr": MediaType.SERIES}


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
type AnyConfigEntry = BoardConfigEntry | ServiceConfigEntry


@dataclass(slots=True, kw_only=True)
class AuthFailures:
    """Refusals of a service's key in a row; they outlive retries of the set-up."""

    count: int = 0
    since: float = 0.0


def service_of(entry: ConfigEntry[Any]) -> Service:
    """Return a service as the board knows it."""
    kind: str = entry.data[CONF_KIND]
    return Service(
        id=entry.entry_id,
        kind=kind,
        role=decoder(kind).role,
        tier=_TIERS.get(entry.data.get(CONF_TIER, "")),
        media_type=_MEDIA_TYPES.get(kind),
        server_id=entry.data.get(CONF_SERVER_ID),
        owner_id=entry.data.get(CONF_OWNER_ID),
    )


def schedule_enabled(entry: ConfigEntry[Any]) -> bool:
    """Tell whether a service is synced on a schedule."""
    default = entry.data[CONF_KIND] in SCHEDULED_BY_DEFAULT
    return bool(entry.options.get(CONF_SCHEDULE_ENABLED, default))


def service_entries(hass: HomeAssistant) -> list[ServiceConfigEntry]:
    """Return the entries of all services, disabled ones, too."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_KIND] != KIND_BOARD
    ]


def board_entry(hass: HomeAssistant) -> BoardConfigEntry | None:
    """Return the board's own entry."""
    return hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, BOARD_UNIQUE_ID)


@callback
def async_restore_board_entry(hass: HomeAssistant) -> None:
    """Make the board's entry if there are services and it is missing."""
    if service_entries(hass) and board_entry(hass) is None:
        # In the set-up of the domain, awaiting the flow would wait for that very set-up.
        flow = hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_SYSTEM})
        _ = hass.async_create_task(flow, f"{DOMAIN} board entry")


@callback
def async_remove_board_entry(hass: HomeAssistant) -> None:
    """Remove the board's entry; of two services that went together both may ask for it."""

    async def remove() -> None:
        if (board := board_entry(hass)) is not None:
            with suppress(UnknownEntry):
                await hass.config_entries.async_remove(board.entry_id)

    # In the removal of another entry, awaiting this one would lengthen that.
    _ = hass.async_create_task(remove(), f"{DOMAIN} removal of the board")


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
        self.absences = AbsenceWatch()
        self.finder = Finder(hass, self)
        self.posters = hass.data[POSTERS_KEY] = Posters(hass)
        self.stuck = StuckWatch(hass, self)
        self.screening = Screening(hass, self)
        self.started_at = time.time()
        self.worker = Worker(hass, self)
        self.book = RecordBook(hass, self._save_soon)
        self._opened = asyncio.Event()
        self._tests: dict[str, set[asyncio.Future[None]]] = {}
        self._missed_timer: asyncio.TimerHandle | None = None
        self._start_timer: asyncio.TimerHandle | None = None
        self._life = asyncio.Lock()
        self._privacy = Privacy()
        self._privacy_of: tuple[object, object, object] = (None, None, None)
        """What the rule was made of, to see whether that changed."""
        self._awaited = {
            entry.entry_id
            for entry in hass.config_entries.async_entries(
                DOMAIN, include_ignore=False, include_disabled=False
            )
        }

    @property
    def records(self) -> Mapping[str, ServiceRecord]:
        """Return what is remembered of each service, by entry id."""
        return self.book.records

    def option(self, name: str, default: Any) -> Any:
        """Return an option of the board's entry."""
        entry = board_entry(self.hass)
        return default if entry is None else entry.options.get(name, default)

    @property
    def privacy(self) -> Privacy:
        """Return what may be kept and told of people, as the board's entry says now."""
        entry, services = board_entry(self.hass), self.board.services
        # A subentry is changed where it is: that it was, only this tells.
        source = (entry, None if entry is None else entry.modified_at, services)
        # It is asked for with each delivery, and made anew only after a change.
        if any(new is not old for new, old in zip(source, self._privacy_of, strict=True)):
            options = {} if entry is None else entry.options
            self._privacy = Privacy.of(options, People.of(entry, services))
            self._privacy_of = source
        return self._privacy

    @property
    def people(self) -> People:
        """Return who is who."""
        return self.privacy.people

    @property
    def journal_rows(self) -> int:
        """Return how many deliveries the journal keeps."""
        return int(self.option(CONF_JOURNAL_ROWS, DEFAULT_JOURNAL_ROWS))

    # --- life ---------------------------------------------------------------------------------

    async def async_open(self) -> None:
        """Open the storage, load the board, start the worker; without a database do without."""
        folder = Path(self.hass.config.config_dir)
        entries = service_entries(self.hass)
        left = 0
        storage: Storage | None = None
        outbox: Mapping[str, Any] | None = None
        known: AbstractSet[str] = frozenset()
        live = LoadedBoard()
        self.book.open()
        await self.posters.async_ensure_loaded()
        try:
            storage = await Storage.open(folder / DATABASE_FILE)
            left = await storage.journal.last_pending()
            known, outbox = await self._load_records(storage)
            live = await storage.load_live()
        except StorageError as err:
            async_report_trouble(self.hass, err)
            if storage is not None:
                await storage.close()
                storage = None
            # An empty board is filled by baselines, silently.
            self.cursors, self.schedules, outbox, left = {}, {}, None, 0
        for entry in entries:
            self.book.ensure(entry.entry_id)
        self.board.know(service_of(entry) for entry in entries if entry.entry_id in known)
        self.worker.resume(left)
        self.storage = storage
        self._opened.set()
        if storage is not None:
            if storage.set_aside is not None:
                async_report_set_aside(self.hass, storage.set_aside.name)
            await self.worker.publisher.open(folder / TOLD_FILE)
            await self._load_board(live)
        if outbox is not None:
            self.worker.publisher.restore(outbox, self.board)
        await self._follow_entries(known)
        self.worker.async_start()
        if not self.worker.publisher.holding:
            self.stuck.async_start()

    async def _load_records(
        self, storage: Storage
    ) -> tuple[AbstractSet[str], Mapping[str, Any] | None]:
        """Read what is remembered; return for which services, and the outbox."""
        documents = await storage.records.load()
        outbox = documents.pop(BOARD_UNIQUE_ID, None)
        self.screening.restore(documents.pop(DOCUMENT, None))
        entries = {entry.entry_id for entry in service_entries(self.hass)}
        self.book.load({key: value for key, value in documents.items() if key in entries})
        for service_id, record in self.book.records.items():
            self.absences.restore(service_id, record.absent)
        self.cursors = await storage.cursors.load()
        self.schedules = await storage.schedule.load()
        return documents.keys(), outbox

    async def _follow_entries(self, known: AbstractSet[str]) -> None:
        """Have the board take services that came, and forget those that went, since the last run.

        Either was cut short by its end.
        """
        entries = service_entries(self.hass)
        for entry in entries:
            if entry.entry_id not in known:
                await self.worker.async_configure(service_of(entry))
        for service_id in known - {entry.entry_id for entry in entries}:
            await self.async_remove_service(service_id)

    async def _load_board(self, live: LoadedBoard) -> None:
        """Take the live board as it was stored, a little at a time."""
        breather = Breather()
        for titles in batched(live.titles, LOAD_BATCH, strict=False):
            self.board.load(titles, (), ())
            await breather.breathe()
        for arrivals in batched(live.arrivals, LOAD_BATCH, strict=False):
            self.board.load((), arrivals, ())
            await breather.breathe()
        for requests in batched(live.requests, LOAD_BATCH, strict=False):
            self.board.load((), (), requests)
            await breather.breathe()

    async def async_ensure_open(self) -> None:
        """Begin anew after everything was erased with the last service."""
        async with self._life:
            if not self._opened.is_set():
                await self.async_open()

    async def opened_storage(self) -> Storage | None:
        """Wait until the storage is open; ``None`` if there is none."""
        await self._opened.wait()
        return self.storage

    @callback
    def async_follow_home_assistant(self) -> None:
        """Tell nothing before Home Assistant has started, tidy up daily, close at the end."""
        async_at_started(self.hass, self._async_started)
        self.screening.async_follow()

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
        """Tell what was held back, and look for what was not found before."""
        self._start_timer = None
        _ = self.hass.async_create_task(self._start(), f"{DOMAIN} start")

    async def _start(self) -> None:
        """Go on where the last run ended."""
        await self.worker.async_tell_held()
        self.finder.async_resume()
        self.stuck.async_start()
        self.screening.async_look()

    async def async_close(self) -> None:
        """Work off what waits, store what is not stored, close."""
        self.stuck.async_stop()
        await self.finder.async_stop()
        await self.screening.async_stop()
        await self.worker.async_stop()
        for timer in (self._missed_timer, self._start_timer):
            if timer is not None:
                timer.cancel()
        self._missed_timer = self._start_timer = None
        self.book.close()
        storage, self.storage = self.storage, None
        if storage is not None:
            await storage.close()
        await self.worker.publisher.close()

    async def async_erase(self) -> None:
        """Forget everything: the last service was removed.

        A database that could not be opened stays where it is: it is of a newer version, or
        perhaps only out of reach.
        """
        async with self._life:
            path = self.storage.path if self.storage is not None else None
            await self.async_close()
            await self.posters.async_erase()
            self._opened.clear()
            self.board = Board(ulid_now)
            self.questions = QuestionDesk()
            self.missed = MissedLedger()
            self.absences = AbsenceWatch()
            self.screening.restore(None)
            self.cursors, self.schedules = {}, {}
            self.worker = Worker(self.hass, self)
            self.worker.publisher.holding = False
            if path is not None:
                await self.hass.async_add_executor_job(_delete, path)
            async_trouble_is_over(self.hass, UNAVAILABLE, DAMAGED, NEWER)

    async def async_tidy(self) -> None:
        """Let finished arrivals leave the live board, old deliveries and timelines go."""
        now = time.time()
        try:
            await self.worker.async_retire(self.option(CONF_FINISHED_DAYS, DEFAULT_FINISHED_DAYS))
            if (storage := self.storage) is not None:
                await storage.journal.trim(
                    now,
                    days=self.option(CONF_JOURNAL_DAYS, DEFAULT_JOURNAL_DAYS),
                    rows=self.journal_rows,
                    lesser=UNPROVEN,
                )
                await storage.purge(now, self.option(CONF_TIMELINE_DAYS, DEFAULT_TIMELINE_DAYS))
        except StorageError as err:
            async_report_trouble(self.hass, err)
        self.screening.async_look()

    # --- the board ----------------------------------------------------------------------------

    async def apply(
        self,
        reports: Sequence[AnyReport],
        *,
        service: str,
        silent: bool = False,
        questions: Sequence[Question] = (),
        ticket: Ticket | None = None,
    ) -> tuple[Change, ...]:
        """Apply a service's reports, store what came of them in one transaction, publish.

        A ticket follows what becomes of what they leave open, and carries the poll's cursor.
        """
        ticket = ticket or Ticket(service=service, silent=silent)
        if service not in self.records:
            # It was removed while it was read: its words are nobody's any more.
            ticket.settled.set()
            return ()
        return await self.worker.async_apply(reports, questions, ticket)

    async def dismiss(self, arrival_id: str, context: Context) -> Arrival | None:
        """Silence an arrival until something new is said; ``None`` if it is not live."""
        return await self.worker.async_dismiss(arrival_id, context)

    async def async_settle(self) -> None:
        """Wait until everything that was delivered so far is worked off."""
        await self.worker.async_settle()

    # --- services -----------------------------------------------------------------------------

    async def async_configure(self, entry: ServiceConfigEntry) -> None:
        """Make a service known, or what changed about it."""
        self.book.ensure(entry.entry_id)
        await self.worker.async_configure(service_of(entry))
        self.screening.async_look()

    async def async_remove_service(self, entry_id: str) -> None:
        """Forget a service's words, journal, record and questions; no arrival."""
        self.missed.forget(entry_id)
        self.absences.forget(entry_id)
        self.finder.async_forget(entry_id)
        # First: what is still on its way from a service without a record is not taken.
        self.book.forget(entry_id)
        await self.worker.async_remove_service(entry_id)
        for known in (self.cursors, self.schedules, self.auth_failures):
            known.pop(entry_id, None)
        if self.storage is not None:
            try:
                await self.storage.forget_service(entry_id)
            except StorageError as err:
                async_report_trouble(self.hass, err)

    def note(self, entry_id: str, **changes: Any) -> None:
        """Change fields of a service's record."""
        self.book.note(entry_id, **changes)

    def count(self, entry_id: str, **more: int) -> None:
        """Add to counters of a service's record."""
        self.book.count(entry_id, **more)

    def _save_soon(self) -> None:
        """Have changed records stored; the worker of the moment knows when."""
        self.worker.async_save_soon()

    async def async_save_schedule(self, row: ScheduleRow) -> None:
        """Keep the run record of a service's sync."""
        if self.storage is not None:
            try:
                await self.storage.schedule.save(row)
            except StorageError as err:
                async_report_trouble(self.hass, err)
        self.schedules[row.service] = row

    # --- tests of webhooks ----------------------------------------------------------------------

    @callback
    def async_expect_test(self, entry_id: str) -> asyncio.Future[None]:
        """Return a future that is done when a test delivery arrives at the service's webhook."""
        future: asyncio.Future[None] = self.hass.loop.create_future()
        waiting = self._tests.setdefault(entry_id, set())
        waiting.add(future)
        future.add_done_callback(waiting.discard)
        return future

    @callback
    def async_tested(self, entry_id: str) -> None:
        """Tell whoever waits for it that a test delivery arrived; else it is looked into."""
        if waiting := [one for one in self._tests.get(entry_id, ()) if not one.done()]:
            for future in waiting:
                future.set_result(None)
            return
        if (record := self.records.get(entry_id)) is None:
            return
        if record.muted:
            self.note(entry_id, muted=False)
        self.book.signal(entry_id)
        works = record.webhook in {WebhookHealth.WORKING, WebhookHealth.POLLING_ONLY}
        if (coordinator := self.coordinators.get(entry_id)) is not None and not works:
            coordinator.async_look_at_webhook()

    @callback
    def deliver(self, delivered: Delivered) -> None:
        """Take a delivery that is in the journal: count it, and have it worked off."""
        service_id, decoded = delivered.service.id, delivered.decoded
        self.book.arrived(service_id, time.time())
        if decoded is not None and decoded.test:
            self.async_tested(service_id)
        self.worker.async_deliver(delivered)

    # --- missed webhooks ------------------------------------------------------------------------

    def heard(self, service_id: str, decoded: Decoded, at: float) -> None:
        """Take what a delivery told, also if it was missed before."""
        if decoded.ignored not in _UNHEARD and self.book.heard(service_id, at):
            async_silence_is_over(self.hass, service_id)
        record = self.records.get(service_id)
        for sighting in decoded.sightings:
            again = self.missed.told(service_id, sighting, at)
            if record is None or not (again or record.misses):
                continue
            # After a restart, only the record knows of it.
            if not self.book.take_back(service_id, mark_of(sighting)) and again:
                self.count(service_id, missed=-1)

    def look_for_missed(self, service_id: str, sightings: Sequence[Sighting]) -> None:
        """Compare what a poll shows with what our webhook told.

        Its door is open while the entry is reloaded or its set-up is retried, too. What happened
        before Home Assistant started says nothing of either way: nobody was there to be told.
        """
        record = self.records.get(service_id)
        if record is None:
            return
        now = time.time()
        delays: dict[str, list[float]] = {}
        for sighting in sightings:
            if sighting.at < self.started_at:
                continue
            expected = (
                record.proven_since is not None
                and sighting.event in record.events
                and sighting.at >= record.proven_since
            )
            delay = self.missed.shown(service_id, sighting, now, expected=expected)
            if delay is not None and sighting.dated:
                delays.setdefault(delay.way, []).append(delay.seconds)
        if delays:
            self.book.delayed(service_id, delays)
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
        if self.worker.busy:
            # What is missing may be among what is not worked off yet.
            self._missed_timer = self.hass.loop.call_later(BUSY_SECONDS, self._count_missed)
            return
        for service_id, misses in self.missed.missed(now).items():
            self.book.missed(service_id, misses, now)
            record = self.records.get(service_id)
            if record is not None and record.silent_since is None and stays_silent(record, now):
                self.note(service_id, silent_since=now)
        self._watch_missed(now)


def _delete(path: Path) -> None:
    """Delete the database with its companions and copies, and the note of what was told."""
    for file in (*path.parent.glob(f"{path.name}*"), path.with_name(TOLD_FILE)):
        file.unlink(missing_ok=True)


BOARD_KEY: Final[HassKey[BoardRuntime]] = HassKey(DOMAIN)
