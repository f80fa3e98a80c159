"""Polls one service, has its questions answered, and syncs it on a schedule."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, override

from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import CALLBACK_TYPE, Context, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import instance_id
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from .const import (
    CONF_FINISHED_DAYS,
    CONF_INTERVAL_HOURS,
    CONF_KIND,
    CONF_MANUAL_WEBHOOK,
    DEFAULT_FINISHED_DAYS,
    DEFAULT_INTERVAL_HOURS,
    DOMAIN,
)
from .engine.board.models import AnyReport, Question, QuestionKind, Role, Service
from .engine.connectors.base import (
    AuthError,
    Client,
    Connection,
    Cursor,
    HealthNote,
    NeedsIndex,
    NotFoundError,
    NotReadyError,
    Poll,
    PollView,
    ServiceError,
    WebhookCause,
    WrongServiceError,
)
from .engine.connectors.clients import make_client
from .engine.connectors.pace import Pace, Turn, lenient_pace, turn_of
from .engine.storage.models import ScheduleRow
from .faults import log_fault
from .indexing import async_ask_for_all, async_keep_index, async_read_anew
from .questions import Pending, Ticket
from .runtime import (
    AuthFailures,
    BoardRuntime,
    ServiceConfigEntry,
    ServiceRecord,
    WebhookHealth,
    schedule_enabled,
    service_of,
)
from .troubles import async_report_vanished, async_vanished_is_over

_LOGGER = logging.getLogger(__name__)

POLL: Final = timedelta(minutes=5)
POLL_DOWNLOADING: Final = timedelta(seconds=30)
POLL_HEALTHY: Final = timedelta(minutes=15)
POLL_TAKEN: Final = timedelta(minutes=1)
"""While Home Assistant's own Seerr integration has the one webhook that there is."""
POLL_AT_START: Final = tuple(timedelta(seconds=pause) for pause in (10, 20, 40, 80, 160))
"""Pauses until a first poll is answered: after a power cut all machines start at once."""
HEALTHY_AFTER: Final = 24 * 3600.0
LOOK_CLOSER: Final = 3600.0
"""Seconds between looks at all open arrivals while there is no working webhook."""
HINT_PAUSE: Final = 5.0
"""Seconds in which hints are gathered into one poll."""
UNPROVEN_PAUSE: Final = 30.0
"""Seconds between polls that are the doing of a sender that can prove nothing."""
AUTH_FAILURES: Final = 3
AUTH_SECONDS: Final = 300.0
IDENTIFY_EVERY: Final = 12 * 3600.0
"""Seconds after which a service is asked again which version it is: it may have been updated
between two polls."""
ANSWERS_SECONDS: Final = 20.0
"""How long a sync waits for what it left open."""
MAX_REST: Final = 3600.0
"""Longest time for which a service is left alone because it wants to be."""
_SCHEDULING: Final = 1.0
"""Seconds by which Home Assistant may poll too early."""
SYNC_SOON: Final = 60.0
"""Seconds until a sync that is overdue."""
OK: Final = "ok"
_PACED: Final = frozenset({Role.PLAYBACK, Role.WATCHING})


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What became of a sync."""

    reachable: bool
    checked: int = 0
    changed: int = 0
    error: str | None = None
    """The key of the error."""


async def async_make_client(
    hass: HomeAssistant, entry: ServiceConfigEntry, *, hurry: bool = False
) -> Client:
    """Make the client of a service as its entry says; in a ``hurry``, calls wait for nothing."""
    verify: bool = entry.data[CONF_VERIFY_SSL]
    pace = None
    if not hurry:
        pace = Pace() if service_of(entry).role in _PACED else lenient_pace()
    connection = Connection(
        url=entry.data[CONF_URL],
        api_key=entry.data[CONF_API_KEY],
        verify_tls=verify,
        pace=pace,
        client_id=await instance_id.async_get(hass),
    )
    return make_client(entry.data[CONF_KIND], async_get_clientsession(hass, verify), connection)


async def async_webhook_client(coordinator: ServiceCoordinator) -> Client:
    """Return a client for the service's webhook: one that does not wait for its turn.

    Behind what is asked for many titles it would look as if the service did not answer.
    """
    if coordinator.service.role not in _PACED:
        return coordinator.client
    return await async_make_client(coordinator.hass, coordinator.config_entry, hurry=True)


class ServiceCoordinator(DataUpdateCoordinator[ServiceRecord]):
    """The fallback of a service's webhook: what it did not tell is read from the service."""

    config_entry: ServiceConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: ServiceConfigEntry, runtime: BoardRuntime, client: Client
    ) -> None:
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=POLL,
            # In the background: a poll that waits its turn would hold up Home Assistant's end.
            request_refresh_debouncer=Debouncer(
                hass, _LOGGER, cooldown=HINT_PAUSE, immediate=False, background=True
            ),
        )
        self.runtime = runtime
        self.client = client
        self.service: Service = service_of(entry)
        self.record: ServiceRecord = runtime.book.ensure(entry.entry_id)
        """Kept here, too: a sync that somebody waits for may outlive the service."""
        self.health: tuple[HealthNote, ...] = ()
        """The service's standing complaints, as of the last poll that asked."""
        self._unproven = Debouncer(
            hass,
            _LOGGER,
            cooldown=UNPROVEN_PAUSE,
            immediate=True,
            function=self.async_request_refresh,
        )
        self._history = False
        """Somebody may have watched something: the next poll reads that, too."""
        self._looked_at = time.time()
        self._identified_at = 0.0
        """When it was asked last who it is; 0: it went away since."""
        self._answered = False
        self._tries = 0
        self._rests_until = 0.0
        """The service wants to be left alone until then."""
        self._reading = asyncio.Lock()
        self._wake = asyncio.Event()
        self._asker: asyncio.Task[None] | None = None
        self._indexer: asyncio.Task[None] | None = None
        self._unsub_sync: CALLBACK_TYPE | None = None

    # --- life -----------------------------------------------------------------------------

    @callback
    def async_start(self) -> None:
        """Ask what waits to be asked, poll, and sync on schedule, until the entry is unloaded."""
        entry, hass = self.config_entry, self.hass
        self.runtime.coordinators[entry.entry_id] = self
        entry.async_on_unload(self._async_stop)
        entry.async_on_unload(self._unproven.async_shutdown)
        # Without a listener a coordinator does not poll, and all entities may be disabled.
        entry.async_on_unload(self.async_add_listener(lambda: None))
        # First: a server without its index knows nothing to answer.
        if isinstance(self.client, NeedsIndex) and self._indexer is None:
            self._keep_index(self.client, silent=True)
        self._asker = entry.async_create_background_task(
            hass, self._ask(), f"{DOMAIN} questions to {entry.entry_id}"
        )
        self.async_reschedule()

    @callback
    def _keep_index(self, client: NeedsIndex, *, silent: bool) -> None:
        """Have the index of the media server built, in the background."""
        self._indexer = self.config_entry.async_create_background_task(
            self.hass,
            async_keep_index(self, client, silent=silent),
            f"{DOMAIN} index of {self.service.id}",
        )

    async def _read_index_anew(self, client: NeedsIndex) -> None:
        """Begin the index anew: more was added than a poll can take in."""
        if self._indexer is not None:
            self._indexer.cancel()
            await asyncio.wait([self._indexer])
        await async_read_anew(self, client)
        self._keep_index(client, silent=False)

    @callback
    def _async_stop(self) -> None:
        """Take no questions and start no sync any more."""
        self.runtime.coordinators.pop(self.config_entry.entry_id, None)
        self._cancel_sync()

    # --- polls ------------------------------------------------------------------------------

    async def async_begin(self) -> None:
        """Poll for the first time.

        A service that never answered fails its set-up. One that did is set up with what is known
        of it, because its health is to be seen when it is down.
        """
        if self.service.id not in self.runtime.cursors:
            await self.async_config_entry_first_refresh()
            return
        await self.async_refresh()
        if isinstance(self.last_exception, ConfigEntryAuthFailed):
            raise self.last_exception

    @override
    async def _async_update_data(self) -> ServiceRecord:
        """Do the light poll; the very first one is a baseline."""
        async with self._reading:
            if (rest := self._rest(time.time())) > _SCHEDULING:
                return self._leave_alone(rest)
            closer = self._looks_closer(time.time())
            await self._guarded(self._poll(self.client.sync if closer else self._light))
        return self.record

    def _turn(self, read: Callable[..., Coroutine[Any, Any, Poll]]) -> Turn:
        """Return which turn the calls of a poll take.

        Whoever sets a service up waits for its first poll, and what looks at many titles is not
        to take minutes. Only what is called takes it: what follows from it has its own.
        """
        if not self._answered:
            return Turn.APART
        many = read == self.client.sync and self.service.role not in _PACED
        return Turn.APART if many else Turn.LATER

    @property
    def resting(self) -> bool:
        """Tell whether the service wants to be left alone."""
        return self._rest(time.time()) > 0

    def _rest(self, now: float) -> float:
        """Return for how many seconds the service is to be left alone."""
        return self._rests_until - now

    def _leave_alone(self, rest: float) -> ServiceRecord:
        """Poll later; whether that is a failure, the last call told."""
        if isinstance(self.last_exception, UpdateFailed) and not self.last_update_success:
            self.last_exception.retry_after = rest
            raise self.last_exception
        return self.record

    async def _light(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Do the light poll; a sync that looks at no title also reads who watched what."""
        history, self._history = self._history, False
        if not history:
            return await self.client.poll(service, cursor, view, now)
        try:
            return await self.client.sync(service, cursor, replace(view, open_titles=()), now)
        except ServiceError:
            self._history = True
            raise

    def _looks_closer(self, now: float) -> bool:
        """Tell whether to look at the open arrivals, too.

        No history tells that a title was deleted. Without a working webhook nobody else does.
        """
        record = self.runtime.records[self.service.id]
        if record.webhook is WebhookHealth.WORKING or now - self._looked_at < LOOK_CLOSER:
            return False
        self._looked_at = now
        return True

    async def _poll(
        self, read: Callable[..., Coroutine[Any, Any, Poll]], context: Context | None = None
    ) -> tuple[Poll, Ticket]:
        """Read from the service and apply what it says."""
        runtime, service = self.runtime, self.service
        cursor = runtime.cursors.get(service.id)
        with turn_of(self._turn(read)):
            if not self._answered:
                await self._identify()
            now = time.time()
            if cursor is None:
                days = int(runtime.option(CONF_FINISHED_DAYS, DEFAULT_FINISHED_DAYS))
                poll = await self.client.baseline(service, now, finished_days=days)
            else:
                poll = await read(service, cursor, self._view(read), now)
            if not 0 <= now - self._identified_at < IDENTIFY_EVERY:
                # Only now: why it cannot be read says more.
                await self._identify()
        if poll.beyond and isinstance(self.client, NeedsIndex):
            # Before the cursor: it stands behind what was not read.
            await self._read_index_anew(self.client)
        ticket = Ticket(
            service=service.id, silent=cursor is None, cursor=poll.cursor, context=context
        )
        await runtime.apply(
            poll.reports, service=service.id, questions=poll.questions, ticket=ticket
        )
        self._answered = True
        if cursor is not None:
            runtime.look_for_missed(service.id, poll.sightings)
        elif service.role is Role.PLAYBACK and not isinstance(self.client, NeedsIndex):
            await async_ask_for_all(self)
        if poll.health is not None:
            self.health = poll.health
        if poll.muted:
            # Its test lifts the mute.
            runtime.note(service.id, muted=True, healthy_since=now)
            self.async_look_at_webhook()
        elif poll.health is not None:
            runtime.note(service.id, muted=False)
        runtime.note(service.id, queue=poll.queue, downloading=poll.downloading)
        if poll.playing is not None:
            runtime.note(service.id, playing=poll.playing)
        await self._look_again(now)
        if not self.last_update_success:
            self._is_back()
        self.update_interval = self._pace(now)
        return poll, ticket

    async def _identify(self) -> None:
        """See that it is the service that it was, and which version it is now."""
        identity = await self.client.identify()
        if self.service.server_id is not None and identity.server_id != self.service.server_id:
            raise WrongServiceError(identity.name)
        self._identified_at = time.time()
        self.runtime.note(self.service.id, version=identity.version)

    def _is_back(self) -> None:
        """Ask at once what could not be asked while the service was away."""
        self.runtime.questions.hasten(self.service.id)
        self.async_wake()
        self.runtime.finder.async_is_back(self.service.id)

    @property
    def _knows(self) -> bool:
        """Tell whether the service can say of a title that it is not there."""
        return not isinstance(self.client, NeedsIndex) or self.client.index_complete

    async def _look_again(self, now: float) -> None:
        """Have a media server asked once more for what it did not list half an hour ago."""
        runtime, service = self.runtime, self.service
        questions = [
            Question(
                service=service.id, kind=QuestionKind.AVAILABILITY, title=title, seasons=seasons
            )
            for title, seasons in (runtime.absences.due(service.id, now) if self._knows else ())
        ]
        if questions:
            await runtime.apply((), service=service.id, questions=questions)
        if runtime.absences.suspect(service.id):
            async_report_vanished(self.hass, self.config_entry)
        else:
            async_vanished_is_over(self.hass, self.config_entry)

    def _view(self, read: Callable[..., Coroutine[Any, Any, Poll]]) -> PollView:
        """Return what the board has of the service, as far as it is looked at."""
        board, service = self.runtime.board, self.service
        # Gathering the titles costs more the more are open; only a Seerr's light poll looks
        # at them.
        light = read != self.client.sync and service.role is not Role.REQUESTS
        return PollView(
            active_downloads=board.active_downloads(service.id),
            open_requests=board.open_requests(service.id),
            open_titles=() if light else board.open_titles(service.id),
            played_seasons={} if light else board.played_seasons(service.id),
        )

    def _pace(self, now: float) -> timedelta:
        """Return how long to wait: progress has no webhook, and an idle home costs nothing."""
        if self.record.downloading:
            return POLL_DOWNLOADING
        if self.record.webhook_cause is WebhookCause.TAKEN_BY_HOME_ASSISTANT:
            return POLL_TAKEN
        if (
            self.record.webhook is WebhookHealth.WORKING
            and self.record.healthy_since is not None
            and now - self.record.healthy_since >= HEALTHY_AFTER
        ):
            return POLL_HEALTHY
        return POLL

    async def _guarded[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Note how a reading went, and speak of failures in Home Assistant's words."""
        try:
            result = await work
        except ServiceError as err:
            self._note_failure(err)
            if isinstance(err, AuthError) and self._lasts(err):
                raise ConfigEntryAuthFailed(
                    translation_domain=DOMAIN,
                    translation_key=err.key,
                    translation_placeholders=self._placeholders(err),
                ) from err
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=err.key,
                translation_placeholders=self._placeholders(err),
                retry_after=err.retry_after and min(err.retry_after, MAX_REST),
            ) from err
        self._rests_until = 0.0
        self.runtime.auth_failures.pop(self.service.id, None)
        now = time.time()
        self.runtime.note(
            self.service.id,
            last_poll_at=now,
            last_status=OK,
            last_error=None,
            reachable=self.runtime.book.answered(self.service.id, now),
        )
        return result

    def _placeholders(self, err: ServiceError) -> dict[str, str]:
        """Return what the error's text may mention."""
        return {"service": self.config_entry.title, "detail": err.detail or "-"}

    def _note_failure(self, err: ServiceError) -> None:
        """Remember what went wrong."""
        self._heed(err)
        self.runtime.book.fell_silent(self.service.id)
        self._identified_at = 0.0
        if not self._answered:
            pauses = (*POLL_AT_START, POLL)
            self.update_interval = pauses[min(self._tries, len(pauses) - 1)]
            self._tries += 1
        self.runtime.note(
            self.service.id,
            last_poll_at=time.time(),
            last_status=err.key,
            last_error=err.detail or None,
        )

    def _heed(self, err: ServiceError) -> None:
        """Leave a service alone that wants it; one without an answer yet means that question."""
        if err.retry_after is not None and not isinstance(err, NotReadyError):
            self._rests_until = time.time() + min(err.retry_after, MAX_REST)

    def _lasts(self, _: AuthError) -> bool:
        """Tell whether the key is refused for good: services refuse it while they start, too."""
        now = time.time()
        failures = self.runtime.auth_failures.setdefault(self.service.id, AuthFailures(since=now))
        failures.count += 1
        return failures.count >= AUTH_FAILURES and now - failures.since >= AUTH_SECONDS

    # --- questions ----------------------------------------------------------------------------

    @callback
    def async_hint(self, *, history: bool = False) -> None:
        """Poll early; with ``history``, read who watched, too."""
        self._history |= history
        _ = self.config_entry.async_create_background_task(
            self.hass, self.async_request_refresh(), f"{DOMAIN} hint"
        )

    @callback
    def async_hint_unproven(self, *, history: bool) -> None:
        """Do the same, however many ask for it."""
        self._history |= history
        self._unproven.async_schedule_call()

    @callback
    def async_wake(self) -> None:
        """Look at the questions again."""
        self._wake.set()

    @callback
    def async_look_at_webhook(self) -> None:
        """Have the webhook put right: it is muted, or a test came that nobody waited for."""
        loaded = getattr(self.config_entry, "runtime_data", None)
        if loaded is not None and not self.config_entry.options.get(CONF_MANUAL_WEBHOOK):
            loaded.registration.async_address_changed()

    async def _ask(self) -> None:
        """Ask one question after the other, as long as the entry is loaded."""
        while True:
            pending = self.runtime.questions.next(self.service.id)
            pause = None
            if pending is not None:
                pause = max(pending.due_at, self._rests_until) - time.time()
            if pending is None or (pause is not None and pause > 0):
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                continue
            await self._ask_one(pending)

    async def _ask_one(self, pending: Pending) -> None:
        """Ask a question; later again if there is no answer."""
        if not self.last_update_success:
            # How long a service is away does not count against the question.
            pending.asked_at = None
        try:
            with turn_of(self._turn_of(pending)):
                reports = await self.client.answer(self.service, pending.question, time.time())
        except NotFoundError:
            reports = ()
        except ServiceError as err:
            self._heed(err)
            await self._postpone(pending, err.key, min(err.retry_after or 0.0, MAX_REST))
            return
        except Exception as err:  # noqa: BLE001 - the next question is not to blame
            log_fault(_LOGGER, f"asking {self.service.kind} for {pending.question.kind}", err)
            await self._postpone(pending, "error")
            return
        await self.runtime.worker.async_answered(pending, reports)

    def _turn_of(self, pending: Pending) -> Turn:
        """Return which turn a question takes."""
        if self.service.role in _PACED and pending.silent:
            return Turn.LATER
        # A baseline may have many.
        return self._question_turn if pending.silent else Turn.SOON

    @property
    def _question_turn(self) -> Turn:
        """Return the turn of a question that somebody waits for."""
        return Turn.SOON if self.service.role in _PACED else Turn.AT_ONCE

    async def _postpone(self, pending: Pending, why: str, wait: float = 0.0) -> None:
        """Ask again later, or give up."""
        if not self.runtime.questions.postpone(pending, time.time(), wait):
            await self.runtime.worker.async_gave_up(pending, why)

    # --- sync ---------------------------------------------------------------------------------

    async def async_sync(self, context: Context | None = None) -> SyncResult:
        """Look at every open arrival now; say what came of it."""
        async with self._reading:
            try:
                poll, ticket = await self._guarded(self._poll(self.client.sync, context))
            except (UpdateFailed, ConfigEntryAuthFailed) as err:
                if isinstance(err, ConfigEntryAuthFailed):
                    self.config_entry.async_start_reauth(self.hass)
                result = SyncResult(reachable=False, error=err.translation_key)
                self.async_set_update_error(err)
            else:
                await self._settle(ticket)
                result = SyncResult(reachable=True, checked=poll.checked, changed=ticket.changed)
                if not self.last_update_success:
                    # Home Assistant says so for polls only.
                    _LOGGER.info("Fetching %s data recovered", self.name)
                self.async_set_updated_data(self.record)
        await self._note_sync(result)
        return result

    async def async_look_at(
        self, questions: Sequence[Question], context: Context | None = None
    ) -> SyncResult:
        """Have questions about one arrival answered now; say what came of it."""
        try:
            reports = await self._guarded(self._answers(questions))
        except (UpdateFailed, ConfigEntryAuthFailed) as err:
            return SyncResult(reachable=False, error=err.translation_key)
        changed = await self.async_take(reports, context)
        return SyncResult(reachable=True, checked=len(questions), changed=changed)

    async def async_take(self, reports: Sequence[AnyReport], context: Context | None) -> int:
        """Have what was read from the service applied; return how many changes came of it."""
        ticket = Ticket(service=self.service.id, context=context)
        await self.runtime.apply(reports, service=self.service.id, ticket=ticket)
        await self._settle(ticket)
        return ticket.changed

    async def _answers(self, questions: Sequence[Question]) -> list[AnyReport]:
        """Ask questions one after the other; what is not there is no failure."""
        reports: list[AnyReport] = []
        for question in questions:
            with suppress(NotFoundError), turn_of(self._question_turn):
                reports += await self.client.answer(self.service, question, time.time())
        return reports

    async def _settle(self, ticket: Ticket) -> None:
        """Wait for what was left open: it belongs to the answer, if it comes soon."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWERS_SECONDS):
                await ticket.settled.wait()

    @property
    def _interval_hours(self) -> int:
        """Return how many hours lie between two scheduled syncs."""
        default = DEFAULT_INTERVAL_HOURS[self.config_entry.data[CONF_KIND]]
        return int(self.config_entry.options.get(CONF_INTERVAL_HOURS, default))

    @property
    def _scheduled(self) -> bool:
        """Tell whether syncs are scheduled."""
        return schedule_enabled(self.config_entry)

    @callback
    def async_reschedule(self) -> None:
        """Follow the options: they say whether and how often to sync."""
        row = self.runtime.schedules.get(self.service.id)
        self._plan(row.last_run_at if row else None)
        _ = self.config_entry.async_create_background_task(
            self.hass, self._save_schedule(), f"{DOMAIN} schedule"
        )

    def _plan(self, last_run_at: float | None) -> None:
        """Set the timer for the next sync."""
        self._cancel_sync()
        next_run_at: float | None = None
        if self._scheduled:
            now = time.time()
            interval = self._interval_hours * 3600.0
            next_run_at = max(now + SYNC_SOON, (last_run_at or now) + interval)
            self._unsub_sync = async_call_later(
                self.hass,
                next_run_at - now,
                HassJob(self._run_sync, f"{DOMAIN} sync", cancel_on_shutdown=True),
            )
        self.runtime.note(self.service.id, next_sync_at=next_run_at)

    def _cancel_sync(self) -> None:
        """Forget the timer."""
        if self._unsub_sync is not None:
            self._unsub_sync()
            self._unsub_sync = None

    @callback
    def _run_sync(self, _now: datetime) -> None:
        """Sync because it is time."""
        self._unsub_sync = None
        _ = self.config_entry.async_create_background_task(
            self.hass, self.async_sync(), f"{DOMAIN} scheduled sync"
        )

    async def _note_sync(self, result: SyncResult) -> None:
        """Keep the run, and plan the next one."""
        now = time.time()
        if self.service.id not in self.runtime.records:
            return
        self.runtime.count(self.service.id, sync_count=1)
        if result.reachable:
            self.runtime.note(self.service.id, last_sync_at=now)
        if self.runtime.coordinators.get(self.service.id) is self:
            self._plan(now)
        await self._save_schedule(result, now)

    async def _save_schedule(
        self, result: SyncResult | None = None, run_at: float | None = None
    ) -> None:
        """Store the schedule and, after a run, what became of it."""
        record = self.record
        row = self.runtime.schedules.get(self.service.id)
        status, error = (row.last_status, row.last_error) if row else (None, None)
        if result is not None:
            status, error = (OK if result.reachable else "error"), result.error
        elif row is not None:
            run_at = row.last_run_at
        await self.runtime.async_save_schedule(
            ScheduleRow(
                service=self.service.id,
                enabled=self._scheduled,
                interval_hours=self._interval_hours,
                last_run_at=run_at,
                next_run_at=record.next_sync_at,
                run_count=record.sync_count,
                last_status=status,
                last_error=error,
            )
        )
