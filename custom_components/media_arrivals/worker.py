"""Changes the board, one step after the other: taken alone, stored at once, published."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import Context, HomeAssistant, callback

from .const import BOARD_UNIQUE_ID, DOMAIN, KIND_BOARD
from .deliveries import GENERIC, LARGE_BODY, REFUSED, UNPROVEN, Backlog, Delivered
from .engine.board.models import (
    AnyReport,
    Applied,
    Arrival,
    Change,
    DownloadReport,
    FileReport,
    HeldReport,
    Hold,
    Origin,
    Outcome,
    Person,
    PlayableReport,
    Question,
    Reason,
    RequestReport,
    Role,
    Service,
    TitleRef,
    Via,
    WatchReport,
)
from .engine.connectors.base import Cursor, Decoded
from .engine.storage.models import Commit, JournalMark, StorageClosedError, StorageError
from .faults import fault, log_fault
from .finder import LOOK_BACK
from .generic import Allowance
from .privacy import Privacy, Requesters
from .publishing import Breather, Publisher
from .questions import Pending, QuestionKey, Ticket
from .troubles import UNAVAILABLE, async_report_trouble, async_trouble_is_over

if TYPE_CHECKING:
    from .runtime import BoardRuntime

_LOGGER = logging.getLogger(__name__)

MAX_BATCH: Final = 64
"""Deliveries that are worked off together, with one transaction."""
PACE: Final = 100.0
"""Deliveries that are worked off in a second, once a burst is longer than a batch: whoever waits
for an answer goes first, and those who listen, like the recorder, are not flooded."""
CROWD: Final = 4
"""So many deliveries at the door at a time are a crowd: it goes first, too, for a while."""
PATIENCE: Final = 1.0
"""Seconds for which a crowd is let go first, not longer: on a slow disk there is always one."""
TRIM_EVERY: Final = 1_000
"""Deliveries after which the journal is looked at: a flood fills it long before the night."""
RETRY_SECONDS: Final = 30.0
"""Seconds after which a journal that could not be read is read again."""
MAX_UNSAVED: Final = 5_000
"""Answers of the board that are kept while nothing can be stored."""
HINTS_AT_ONCE: Final = 10
HINT_EVERY: Final = 30.0
"""Seconds for each further question that a delivery of an unproven sender may raise."""
SAVE_AFTER: Final = 30.0
"""Seconds after which a changed record is stored, if nothing else is before."""
_PORTION: Final = 16
"""Deliveries that are worked off at a time where there is a pace to keep to."""
_LOOK_SECONDS: Final = 0.01
PIECES: Final = 100
"""Pieces of a long change of the board that are stored together."""
DRAIN_SECONDS: Final = 30.0
RETIRE_BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """How many arrivals and requests were changed."""

    arrivals: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doing:
    """Something that somebody has a service do at this moment.

    Its webhook may tell of it before its answer does.
    """

    service: str
    context: Context
    request_id: int | None = None
    title: TitleRef | None = None

    def concerns(self, report: AnyReport) -> bool:
        """Tell whether a report says what came of it."""
        if report.origin.service != self.service:
            return False
        if self.request_id is not None:
            return isinstance(report, RequestReport) and report.request_id == self.request_id
        if self.title is None or not isinstance(report, RequestReport | HeldReport):
            return False
        ids = dict(self.title.ids.items())
        return self.title.media_type is report.title.media_type and any(
            ids.get(space) == value for space, value in report.title.ids.items()
        )


@dataclass(slots=True, kw_only=True)
class _Step:
    """What is taken, stored and published together."""

    now: float = field(default_factory=time.time)
    answers: list[Applied] = field(default_factory=list)
    marks: list[JournalMark] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    """Services that questions were put to."""
    listed: set[str] = field(default_factory=set)
    """Media servers that said all that they have of something."""

    @property
    def changes(self) -> list[Change]:
        """Return all changes in their order."""
        return [change for answer in self.answers for change in answer.changes]


class _Pace:
    """Says how many deliveries may be worked off now."""

    def __init__(self) -> None:
        self._spare = float(MAX_BATCH)
        self._since = time.monotonic()

    async def spare(self) -> int:
        """Wait until there is a portion, unless there is a beginning."""
        if self._grown() < 1:
            await asyncio.sleep((_PORTION - self._spare) / PACE)
        return max(1, int(self._grown()))

    def note(self, taken: int) -> None:
        """Note how many were."""
        self._spare -= taken

    def _grown(self) -> float:
        now = time.monotonic()
        self._spare = min(MAX_BATCH, self._spare + (now - self._since) * PACE)
        self._since = now
        return self._spare


class Worker:
    """The only one that changes the board."""

    def __init__(self, hass: HomeAssistant, runtime: BoardRuntime) -> None:
        self.hass = hass
        self.publisher = Publisher(hass)
        self._runtime = runtime
        self._lock = asyncio.Lock()
        self._replayed = asyncio.Event()
        self._backlog = Backlog()
        self._left = 0
        """Newest row that the last run left."""
        self.doings: list[Doing] = []
        """What somebody has services do now."""
        self.at_door = 0
        """Deliveries that wait for their answer."""
        self._task: asyncio.Task[None] | None = None
        self._polls: dict[str, deque[Ticket]] = {}
        """Polls whose cursor is not stored yet, because they left something open."""
        self._unsaved: list[Applied] = []
        self._unsaved_marks: list[JournalMark] = []
        self._unsaved_cursors: dict[str, Cursor] = {}
        self._save_timer: asyncio.TimerHandle | None = None
        self._hints = Allowance(HINTS_AT_ONCE, HINT_EVERY)

    # --- life ---------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Tell whether deliveries wait to be worked off."""
        return not self._backlog.empty

    def resume(self, left: int) -> None:
        """Have what the last run left, up to this row, come before everything else."""
        self._left = left
        self._backlog.resume(left)

    @callback
    def async_start(self) -> None:
        """Work off what the last run left, then what comes."""
        self._task = self.hass.async_create_background_task(
            self._work(), f"{DOMAIN} worker", eager_start=False
        )

    async def async_stop(self) -> None:
        """Work off what waits, and store what is not stored."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._replayed.set()
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while self.busy:
                    await self._take_next()
        except TimeoutError, StorageError:
            _LOGGER.debug("Deliveries are left for the next start")
        async with self._lock:
            await self._store(())
        # Only now: storing is what sets it.
        self._cancel_save()

    async def async_settle(self) -> None:
        """Wait until everything that was delivered so far is worked off."""
        await self._replayed.wait()
        await self._backlog.join()
        async with self._lock:
            pass

    async def async_tell_held(self) -> None:
        """Tell what was held back while Home Assistant started, once the journal is replayed."""
        await self._replayed.wait()
        async with self._lock:
            if self.publisher.holding:
                changes = self.publisher.let_go(self._runtime.board)
                await self._store(changes)
                await self.publisher.publish(changes)

    # --- deliveries ---------------------------------------------------------------------------

    @callback
    def async_deliver(self, delivered: Delivered) -> None:
        """Have a delivery that is in the journal worked off."""
        self._backlog.put(delivered)

    async def _work(self) -> None:
        """Take deliveries in their order, for ever."""
        pace = _Pace()
        while True:
            limit = MAX_BATCH
            if not self._backlog.behind(self._left):
                self._replayed.set()
                await self._backlog.wait()
                await self._let_a_crowd_go_first()
                limit = await pace.spare()
            try:
                pace.note(await self._take_next(limit))
            except StorageError as err:
                async_report_trouble(self.hass, err)
                # Whoever waits for what the last run left must not wait for ever.
                self._replayed.set()
                await asyncio.sleep(RETRY_SECONDS)
            await self._trim()

    async def _let_a_crowd_go_first(self) -> None:
        """Let those at the door have their answers, if they are many."""
        ends = time.monotonic() + PATIENCE
        # To look now and then costs the door nothing.
        while self.at_door >= CROWD and time.monotonic() < ends:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    async def _take_next(self, limit: int = MAX_BATCH) -> int:
        """Take deliveries that wait, and return how many."""
        batch: Sequence[Delivered] = self._backlog.take(limit)
        taken = len(batch)
        if not taken:
            if (storage := self._runtime.storage) is None:
                raise StorageClosedError("The journal is closed")
            rows = await self._backlog.read(storage.journal, limit)
            taken, services = len(rows), self._runtime.board.services
            batch = [
                delivered
                for row in rows
                if (delivered := Delivered.of_row(services, row)) is not None
            ]
        try:
            await self._take_safely(batch)
        finally:
            self._backlog.taken()
        return taken

    async def _trim(self) -> None:
        """Keep the journal to its size, also between two nights."""
        storage = self._runtime.storage
        if storage is None or storage.journal.grown < TRIM_EVERY:
            return
        try:
            await storage.journal.trim_by_number(self._runtime.journal_rows, UNPROVEN)
        except StorageError as err:
            async_report_trouble(self.hass, err)

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
        """Take deliveries in one step."""
        async with self._lock:
            step = _Step()
            breather = Breather()
            for delivered in batch:
                if delivered.source == REFUSED or delivered.service.id in self._runtime.records:
                    await self._take_delivery(step, delivered)
                await breather.breathe()
            await self._finish(step)

    async def _take_delivery(self, step: _Step, delivered: Delivered) -> None:
        """Apply what a delivery says, ask what it leaves open; a fault in it is its own."""
        service, decoded = delivered.service, delivered.decoded
        if decoded is None:
            # As at the door: a large one would hold up everybody.
            decoded = (
                delivered.read()
                if len(delivered.payload) <= LARGE_BODY
                else await self.hass.async_add_executor_job(delivered.read)
            )
        ticket = Ticket(
            service=service.id,
            row=delivered.row,
            hint=delivered.source == GENERIC,
            refused=delivered.source == REFUSED,
            event_type=decoded.event_type,
            reason=decoded.ignored,
            detail=decoded.detail,
            outcome=Outcome.FAILED if decoded.ignored is Reason.ERROR else Outcome.IGNORED,
        )
        if _LOGGER.isEnabledFor(logging.DEBUG):
            ticket.subject = _subject(decoded)
        try:
            for report in decoded.reports:
                await self._apply(step, report, (ticket,))
            for question in decoded.questions:
                if ticket.hint:
                    self._ask_for_hint(step, question, ticket)
                else:
                    self._ask(step, question, (ticket,))
        except Exception as err:  # noqa: BLE001 - the next delivery is not to blame
            ticket.fail(fault(err))
            log_fault(_LOGGER, f"working off a delivery of {service.kind}", err)
        if ticket.hint:
            self.async_hint(service.id, decoded)
        elif not ticket.refused:
            self._runtime.heard(service.id, decoded, delivered.received_at)
            self._hint(service.id, decoded)
        self._conclude(step, (ticket,))

    def _ask_for_hint(self, step: _Step, question: Question, ticket: Ticket) -> None:
        """Ask what an unproven sender points at, now and then; its own words go no further."""
        if (title := question.title) is not None:
            # Ids that it names together could make two titles one.
            if (known := self._runtime.board.title_of(title, question.service)) is None:
                return
            title = TitleRef(
                media_type=known.media_type, ids=known.ids, name=known.name, year=known.year
            )
            question = replace(question, title=title)
        if self._hints.take(question.service):
            self._ask(step, question, (ticket,))

    @callback
    def async_hint(self, service_id: str, decoded: Decoded) -> None:
        """Have a service polled because of an unproven sender, but not for each of its calls."""
        coordinator = self._runtime.coordinators.get(service_id)
        if coordinator is not None and decoded.hint:
            coordinator.async_hint_unproven(history=decoded.history)

    def _hint(self, service_id: str, decoded: Decoded) -> None:
        """Have the service polled early, if that tells more than is known."""
        coordinator = self._runtime.coordinators.get(service_id)
        if coordinator is None:
            return
        begun = not self._runtime.records[service_id].downloading and any(
            isinstance(report, DownloadReport) for report in decoded.reports
        )
        if decoded.hint or begun:
            coordinator.async_hint(history=decoded.history)
        if decoded.peer is not None:
            for other in tuple(self._runtime.coordinators.values()):
                if other is not coordinator and other.service.server_id == decoded.peer:
                    other.async_hint()

    # --- polls, answers, actions ----------------------------------------------------------------

    async def async_apply(
        self, reports: Sequence[AnyReport], questions: Sequence[Question], ticket: Ticket
    ) -> tuple[Change, ...]:
        """Take what a poll says, after what the last run left.

        The ticket's cursor is stored with it, or once everything that it leaves open is answered.
        """
        await self._replayed.wait()
        return await self._alone(self._take_reports(reports, questions, ticket))

    async def _take_reports(
        self, reports: Sequence[AnyReport], questions: Sequence[Question], ticket: Ticket
    ) -> tuple[Change, ...]:
        """Apply reports; a fault in one is its own."""
        async with self._lock:
            step = _Step()
            breather = Breather()
            for report in reports:
                try:
                    await self._apply(step, report, (ticket,))
                except Exception as err:  # noqa: BLE001 - the next report is not to blame
                    log_fault(_LOGGER, f"applying a report of {report.origin.kind}", err)
                await breather.breathe()
            for question in questions:
                self._ask(step, question, (ticket,))
            if ticket.cursor is not None:
                self._runtime.cursors[ticket.service] = ticket.cursor
                self._polls.setdefault(ticket.service, deque()).append(ticket)
            self._conclude(step, (ticket,))
            await self._finish(step)
            return tuple(step.changes)

    async def async_answered(self, pending: Pending, reports: Sequence[AnyReport]) -> None:
        """Take a service's answer to a question."""
        await self._alone(self._take_answer(pending, reports))

    async def _take_answer(self, pending: Pending, reports: Sequence[AnyReport]) -> None:
        """Apply the answer, and what waited for it."""
        async with self._lock:
            step = _Step()
            breather = Breather()
            tickets = self._runtime.questions.settle(pending)
            asked = pending.question.key
            try:
                if pending.openings and not pending.silent:
                    for opening in pending.openings:
                        applied = self._runtime.board.open(opening, reports, now=step.now)
                        self._take(step, applied, tickets, asked=asked)
                        self._search(opening, step.now)
                        await breather.breathe()
                else:
                    for report in (*reports, *pending.openings):
                        await self._apply(step, report, tickets, asked=asked)
                        await breather.breathe()
            except Exception as err:  # noqa: BLE001 - the next answer is not to blame
                log_fault(_LOGGER, "taking a service's answer", err)
                for ticket in tickets:
                    ticket.fail(fault(err))
            self._conclude(step, tickets)
            await self._finish(step)

    async def async_gave_up(self, pending: Pending, why: str) -> None:
        """Let go of a question that its service does not answer."""
        await self._alone(self._take_silence(pending, why))

    async def _take_silence(self, pending: Pending, why: str) -> None:
        """Conclude what waited for the answer."""
        async with self._lock:
            step = _Step()
            tickets = self._runtime.questions.settle(pending)
            for ticket in tickets:
                ticket.give_up(why)
            self._conclude(step, tickets)
            await self._finish(step)

    async def async_dismiss(self, arrival_id: str, context: Context) -> Arrival | None:
        """Silence an arrival until something new is said; ``None`` if it is not live."""
        return await self._alone(self._dismiss(arrival_id, context))

    async def _dismiss(self, arrival_id: str, context: Context) -> Arrival | None:
        """Have the board dismiss an arrival."""
        board = self._runtime.board
        async with self._lock:
            if board.get(arrival_id) is None:
                return None
            step = _Step()
            step.answers.append(board.dismiss(arrival_id, now=step.now, origin=_origin(context)))
            await self._finish(step)
            return board.get(arrival_id)

    async def async_follow(
        self, arrival_id: str, person: str, context: Context, *, follows: bool
    ) -> Arrival | None:
        """Note that a person follows an arrival, or no longer; ``None``: it is not live."""
        return await self._alone(self._follow(arrival_id, person, context, follows=follows))

    async def _follow(
        self, arrival_id: str, person: str, context: Context, *, follows: bool
    ) -> Arrival | None:
        """Have the board note a follower."""
        board = self._runtime.board
        async with self._lock:
            step = _Step()
            step.answers.append(
                board.follow(
                    arrival_id, person, follows=follows, now=step.now, origin=_origin(context)
                )
            )
            await self._finish(step)
            return board.get(arrival_id)

    async def async_hold(self, holds: Mapping[str, Hold | None]) -> None:
        """Enter what keeps arrivals."""
        await self._alone(self._hold(holds))

    async def _hold(self, holds: Mapping[str, Hold | None]) -> None:
        """Have the board enter it."""
        async with self._lock:
            step = _Step()
            await self._take_pieces(step, self._runtime.board.holding(holds, now=step.now))

    # --- people -------------------------------------------------------------------------------

    async def async_screen_viewers(
        self, viewer: Callable[[str], str | None], context: Context | None = None
    ) -> int:
        """Call those otherwise who watched what is live, or forget them (``None``).

        Returns of how many arrivals. What is still to be told is seen to first.
        """
        await self._alone(self._screen_told(viewer))
        return await self._alone(self._screen_viewers(viewer, context))

    async def _screen_told(self, viewer: Callable[[str], str | None]) -> None:
        """Store anew what is still to be told."""
        async with self._lock:
            self.publisher.screen(viewer)
            await self._store(())

    async def _screen_viewers(
        self, viewer: Callable[[str], str | None], context: Context | None
    ) -> int:
        """Have the board see to its arrivals."""
        async with self._lock:
            step = _Step()
            pieces = self._runtime.board.screening_viewers(
                viewer, now=step.now, origin=_origin(context)
            )
            return (await self._take_pieces(step, pieces)).arrivals

    async def async_forget_requesters(
        self, theirs: Callable[[str, Person], bool], context: Context | None = None
    ) -> int:
        """Forget who made live requests; return how many."""
        return await self._alone(self._forget_requesters(theirs, context))

    async def _forget_requesters(
        self, theirs: Callable[[str, Person], bool], context: Context | None
    ) -> int:
        """Have the board forget."""
        async with self._lock:
            step = _Step()
            pieces = self._runtime.board.forgetting_requesters(
                theirs, now=step.now, origin=_origin(context)
            )
            return (await self._take_pieces(step, pieces)).requests

    async def async_forget_follower(self, person: str, context: Context) -> int:
        """Forget what a person follows on the live board; return how many arrivals."""
        return await self._alone(self._forget_follower(person, context))

    async def _forget_follower(self, person: str, context: Context) -> int:
        """Have the board forget."""
        async with self._lock:
            step = _Step()
            pieces = self._runtime.board.forgetting_follower(
                person, now=step.now, origin=_origin(context)
            )
            return (await self._take_pieces(step, pieces)).arrivals

    # --- services -----------------------------------------------------------------------------

    async def async_configure(self, service: Service) -> None:
        """Have the board know a service, or what changed about it."""
        await self._alone(self._configure(service))

    async def _configure(self, service: Service) -> None:
        """Have the board take a service.

        Its record is stored once that is done: at a start, what has none is taken again.
        """
        async with self._lock:
            step = _Step()
            await self._take_pieces(step, self._runtime.board.configuring(service, now=step.now))

    async def async_remove_service(self, service_id: str) -> None:
        """Have the board forget a service's words, and nobody wait for it."""
        await self._alone(self._remove_service(service_id))

    async def _remove_service(self, service_id: str) -> None:
        """Have the board forget a service.

        Until its record is deleted, each start goes on with it. Should Home Assistant still
        have the service then, it is read anew, since its cursor goes first.
        """
        async with self._lock:
            step = _Step()
            tickets = self._runtime.questions.forget(service_id)
            self._conclude(step, [one for one in tickets if one.service != service_id])
            self._polls.pop(service_id, None)
            self._unsaved_cursors.pop(service_id, None)
            if (storage := self._runtime.storage) is not None:
                try:
                    await storage.cursors.forget(service_id)
                except StorageError as err:
                    async_report_trouble(self.hass, err)
            await self._take_pieces(step, self._runtime.board.removing(service_id, now=step.now))

    async def _take_pieces(self, step: _Step, pieces: Iterable[Applied]) -> _Changed:
        """Take what changes all of the board a piece at a time, and let others have their turn.

        Who wants to change the board, too, waits until all is taken. Return what it came to.
        """
        breather = Breather()
        arrivals = requests = 0
        for piece in pieces:
            step.answers.append(piece)
            arrivals += len(piece.arrivals)
            requests += len(piece.requests)
            if len(step.answers) >= PIECES:
                await self._finish(step)
                step = _Step(now=step.now)
            await breather.breathe()
        await self._finish(step)
        return _Changed(arrivals=arrivals, requests=requests)

    async def async_retire(self, finished_days: float) -> None:
        """Let arrivals that finished long ago leave the live board. Raises `StorageError`."""
        board, now = self._runtime.board, time.time()
        while ids := board.retirable(now, finished_days=finished_days)[:RETIRE_BATCH]:
            async with self._lock:
                # A report may have brought one of them to life again meanwhile.
                ids = board.retirable(now, finished_days=finished_days)[:RETIRE_BATCH]
                if (storage := self._runtime.storage) is not None:
                    await storage.retire(ids)
                board.unload(ids)

    # --- steps --------------------------------------------------------------------------------

    async def _apply(
        self,
        step: _Step,
        report: AnyReport,
        tickets: Sequence[Ticket],
        *,
        asked: QuestionKey | None = None,
    ) -> None:
        """Apply one report; what is stored of a title that left the live board comes back."""
        report = _attributed(report, tickets, self.doings)
        board, title, service_id = self._runtime.board, report.title, report.origin.service
        if self._runtime.storage is not None and not board.knows(title, service_id):
            own = (service_id, title.own_id) if title.own_id is not None else None
            stored = await self._runtime.storage.recall(title.media_type, title.ids, own)
            if stored is not None:
                board.load(stored.titles, stored.arrivals, stored.requests)
        silent = all(ticket.silent for ticket in tickets)
        if (counted := self._counted(report, step)) is None:
            for ticket in tickets:
                ticket.note(Applied(outcome=Outcome.IGNORED, reason=_why_not(report)))
            return
        applied = board.apply(counted, now=step.now, silent=silent)
        self._take(step, applied, tickets, asked=asked)
        if not silent:
            self._search(report, step.now)

    def _counted(self, report: AnyReport, step: _Step) -> AnyReport | None:
        """Return what of a report counts: who watches may be nobody's business (rule 9, too)."""
        if isinstance(report, WatchReport):
            return _screened(report, self._runtime.privacy)
        if isinstance(report, RequestReport):
            names = self._runtime.privacy.requesters is not Requesters.OFF
            return report if names else replace(report, requester=None)
        if isinstance(report, PlayableReport) and report.origin.role is Role.WATCHING:
            # What Tautulli says of a media server that is here, that one is asked itself.
            server_id = self._runtime.board.services[report.origin.service].server_id
            return None if self._has_server(server_id) else report
        if isinstance(report, PlayableReport) and report.complete:
            losses = self._runtime.board.losses(report)
            step.listed.add(report.origin.service)
            return self._runtime.absences.screen(report, losses=losses, now=step.now)
        return report

    def _has_server(self, server_id: str | None) -> bool:
        """Tell whether a media server is one of our services."""
        return server_id is not None and any(
            service.role is Role.PLAYBACK and service.server_id == server_id
            for service in self._runtime.board.services.values()
        )

    def _search(self, report: AnyReport, now: float) -> None:
        """Have media servers look for what was imported just now.

        It may be known already: the board may have asked, and was answered first.
        """
        if not isinstance(report, FileReport) or not report.present:
            return
        if now - report.happened_at < LOOK_BACK:
            service = report.origin.service
            title = self._runtime.board.title_of(report.title, service)
            if title is not None and self._runtime.board.arrivals_of(title.id):
                self._runtime.finder.async_imported(title.id, service, report.happened_at)

    def _take(
        self,
        step: _Step,
        applied: Applied,
        tickets: Sequence[Ticket],
        *,
        asked: QuestionKey | None = None,
    ) -> None:
        """Take the board's answer. A question that was just answered is not asked again."""
        step.answers.append(applied)
        for ticket in tickets:
            ticket.note(applied)
        for question in applied.questions:
            if question.key != asked:
                self._ask(step, question, tickets)

    def _ask(self, step: _Step, question: Question, tickets: Sequence[Ticket]) -> None:
        """Put a question to its service, unless its answer would be nobody's business."""
        if question.about is not None:
            about = _screened(question.about, self._runtime.privacy)
            if about is None:
                for ticket in tickets:
                    ticket.note(Applied(outcome=Outcome.IGNORED, reason=Reason.PRIVATE))
                return
            question = replace(question, about=about)
        if question.service in self._runtime.records:
            self._runtime.questions.add(question, tickets)
            step.asked.add(question.service)

    def _conclude(self, step: _Step, tickets: Iterable[Ticket]) -> None:
        """Note what became of that which waits for nothing any more."""
        for ticket in tickets:
            if ticket.waiting:
                continue
            ticket.settled.set()
            if ticket.row is not None:
                self._conclude_delivery(step, ticket, ticket.row)
            # The stored cursor follows as far as everything before it is answered.
            polls = self._polls.get(ticket.service, deque())
            while polls and not polls[0].waiting:
                if (cursor := polls.popleft().cursor) is not None:
                    self._unsaved_cursors[ticket.service] = cursor

    def _conclude_delivery(self, step: _Step, ticket: Ticket, row: int) -> None:
        """Mark a delivery, count it, and say so in the log."""
        step.marks.append(
            JournalMark(
                id=row,
                outcome=ticket.outcome,
                at=step.now,
                reason=ticket.reason,
                error_message=ticket.message,
            )
        )
        if not ticket.refused:
            self._runtime.count(ticket.service, **{ticket.outcome.value: 1})
        if ticket.reason is Reason.ERROR:
            self._runtime.note(ticket.service, healthy_since=step.now)
        _LOGGER.debug(
            "Delivery %s to %s: %s about %s: %s (%s)",
            row,
            ticket.service,
            ticket.event_type,
            ticket.subject,
            ticket.outcome,
            ticket.reason or "-",
        )

    async def _finish(self, step: _Step) -> None:
        """Store a step, publish it, and have its questions asked."""
        for service_id in step.listed:
            self._runtime.note(service_id, absent=self._runtime.absences.kept(service_id))
        self._unsaved += step.answers
        self._unsaved_marks += step.marks
        changes = step.changes
        await self._store(changes)
        await self.publisher.publish(changes)
        for service_id in step.asked:
            if coordinator := self._runtime.coordinators.get(service_id):
                coordinator.async_wake()

    async def _store(self, changes: Sequence[Change]) -> None:
        """Write everything that is not stored yet; what fails waits for the next time."""
        self._cancel_save()
        documents: dict[str, Any] = dict(
            self._runtime.book.take_unsaved(self._runtime.board.services.keys())
        )
        named = self._runtime.privacy.named
        if (outbox := self.publisher.outbox(changes, named)) is not None:
            documents[BOARD_UNIQUE_ID] = outbox
        storage = self._runtime.storage
        if storage is not None and (
            self._unsaved or self._unsaved_marks or self._unsaved_cursors or documents
        ):
            commit = Commit.of(
                self._unsaved,
                marks=self._unsaved_marks,
                cursors=self._unsaved_cursors,
                records=documents,
            )
            try:
                await storage.commit(commit)
            except StorageError as err:
                del self._unsaved[:-MAX_UNSAVED]
                del self._unsaved_marks[:-MAX_UNSAVED]
                self._runtime.book.give_back(documents.keys() - {BOARD_UNIQUE_ID})
                async_report_trouble(self.hass, err)
                return
            async_trouble_is_over(self.hass, UNAVAILABLE)
        self._unsaved.clear()
        self._unsaved_marks.clear()
        self._unsaved_cursors.clear()

    # --- records --------------------------------------------------------------------------------

    @callback
    def async_save_soon(self) -> None:
        """Have changed records stored, at the latest in a while."""
        if self._save_timer is None and self._task is not None:
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

    def _cancel_save(self) -> None:
        """Forget the timer: it is done now."""
        if self._save_timer is not None:
            self._save_timer.cancel()
            self._save_timer = None


def _origin(context: Context | None) -> Origin:
    """Say that it is done on the board itself, and for whom."""
    return Origin(
        service=BOARD_UNIQUE_ID,
        kind=KIND_BOARD,
        role=Role.REQUESTS,
        via=Via.ACTION,
        context_id=None if context is None else context.id,
        user_id=None if context is None else context.user_id,
    )


def _attributed(
    report: AnyReport, tickets: Sequence[Ticket], doings: Collection[Doing]
) -> AnyReport:
    """Return a report in the name of whoever had the service looked at, or do something.

    What is read because a delivery left it open was told by that delivery.
    """
    context = next(
        (
            context
            for context in (
                *(ticket.context for ticket in tickets),
                *(doing.context for doing in doings if doing.concerns(report)),
            )
            if context is not None
        ),
        None,
    )
    told = any(ticket.row is not None and not ticket.hint for ticket in tickets)
    if context is None and not told:
        return report
    origin = report.origin
    if told:
        origin = replace(origin, via=Via.WEBHOOK)
    if context is not None:
        origin = replace(origin, context_id=context.id, user_id=context.user_id)
    return replace(report, origin=origin)


def _screened(report: WatchReport, privacy: Privacy) -> WatchReport | None:
    """Return what may be kept of a report on who watches."""
    viewer = privacy.viewer(report.viewer)
    return None if viewer is None else replace(report, viewer=viewer)


def _why_not(report: AnyReport) -> Reason:
    """Say why a report does not count."""
    if isinstance(report, WatchReport):
        return Reason.PRIVATE
    return Reason.ASKED if report.origin.role is Role.WATCHING else Reason.SECOND_LOOK


def _subject(decoded: Decoded) -> str:
    """Name the titles that a delivery is about by their external ids."""
    ids = {
        f"{space}:{value}"
        for thing in (*decoded.reports, *decoded.questions)
        if thing.title is not None
        for space, value in thing.title.ids.items()
    }
    return " ".join(sorted(ids)) or "-"
