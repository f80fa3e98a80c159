"""The API of Radarr and Sonarr: what is asked, when, and what follows from it."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final, override

from ...board.models import (
    AnyReport,
    DownloadReport,
    DownloadState,
    ExternalIds,
    Question,
    QuestionKind,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import (
    BadAnswerError,
    Client,
    Connection,
    Cursor,
    HealthNote,
    Identity,
    InstallsWebhook,
    Json,
    KnowsFolder,
    NotFoundError,
    Poll,
    PollView,
    RemoteWebhook,
    ServiceError,
    TooOldError,
    WebhookTarget,
    WrongServiceError,
)
from ..http import JsonClient, Params, Session
from ..payload import Object
from ..releases import KnowsReleases, Release
from .about import read_status, seerr_name
from .acting import ArrActions
from .decode import TITLE, ArrDecoder
from .history import gone, read_ending, read_history
from .past import Past, Place
from .queue import Queue, read_queue
from .reading import API, LONG, Statement, complaints, origin_of, records
from .webhook import Events, Webhooks

_NAMING: Final = 5.0
"""Seconds for each question who else it may be."""
_MAX_PATH: Final = 4096
_AT_ONCE: Final = 2
"""Calls at a time: the service runs on a small machine, and has other things to do."""
_FEW: Final = 2
"""More titles than this that are not known come with the rows instead of one by one."""
_FOLDERS: Final = 200
"""Folders that are remembered: an import is asked about just after its download was."""
_FOLDER_SECONDS: Final = 600.0
_MANY: Final = 250
"""More rows than this are read in a thread."""
_HEALTH_EVERY: Final = 1800.0
"""Seconds between looks at the service's health, where alone it says that it mutes us."""
_GRACE: Final = 15 * 60.0
"""Seconds for which a download may be missing without a word on how it ended: all rows of
a download client vanish while it cannot be reached."""


class ArrClient(ArrActions, Client, InstallsWebhook, KnowsFolder, KnowsReleases, ABC):
    """The API half of the Radarr and Sonarr connectors."""

    decoder: ArrDecoder
    product: ClassVar[str]
    events: ClassVar[Events]
    queue_extras: ClassVar[Params]
    """What the rows of the queue carry along."""
    history_extras: ClassVar[Params]
    """What the rows of the history carry along."""
    history_titles: ClassVar[Params]
    """What has them carry their titles, too."""
    calendar_extras: ClassVar[Params]
    """What has the calendar's rows carry their titles."""

    def __init__(
        self,
        session: Session,
        connection: Connection,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Talk to one service."""
        self._http = JsonClient(
            session, connection, headers={"X-Api-Key": connection.api_key}, clock=clock
        )
        self._past = Past(self._http, self.history_extras, self.history_titles)
        self._clock = clock
        self._caught_up = False
        self._webhooks = Webhooks(self._http, self.events)
        self._titles: dict[int, Object] = {}
        """Titles of the rows of the last poll, by own id: each is read once."""
        self._folders: dict[int, tuple[TitleRef, str, float]] = {}
        """Own id -> title, its folder, and when that was read."""
        self._missing: dict[str, float] = {}
        """Downloads that left the queue without a word -> since when."""
        self._spelt: dict[str, str] = {}
        """Download ids as the service spells them, by their case-folded form."""

    @override
    @abstractmethod
    async def find(self, title: TitleRef) -> Object | None:
        """Return the title as the service holds it, empty if it does not.

        ``None``: it cannot be asked about this title.
        """

    @abstractmethod
    async def read_found(
        self, service: Service, found: Object, seasons: tuple[int, ...], now: float
    ) -> tuple[AnyReport, ...]:
        """Read what the service holds of a title that it has."""

    @abstractmethod
    def opened(
        self, report: DownloadReport, held: Sequence[AnyReport]
    ) -> tuple[DownloadReport, ...]:
        """Return a standing download, opening what it brings that is not there already."""

    @property
    @override
    def clock_offset(self) -> float:
        """Seconds that the service's clock is ahead of ours."""
        return self._http.clock_offset

    @override
    async def identify(self) -> Identity:
        """Say who answers, after checking the key."""
        try:
            status = read_status(await self._http.get(f"{API}/system/status"))
        except NotFoundError as err:
            raise await self._somebody_else() from err
        if not status.is_a(self.product):
            raise WrongServiceError(status.product)
        if status.too_old:
            raise TooOldError(status.version)
        return Identity(
            kind=self.decoder.kind,
            product=self.product,
            name=status.name,
            version=status.version,
        )

    async def _somebody_else(self) -> ServiceError:
        """Say who answers where this API is not: an older version, a relative, a Seerr."""
        for base in ("/api", "/api/v1"):
            with suppress(ServiceError):
                found = read_status(await self._http.get(f"{base}/system/status", wait=_NAMING))
                if found.is_a(self.product) and found.too_old:
                    return TooOldError(found.version)
                if found.product:
                    return WrongServiceError(found.product)
        with suppress(ServiceError):
            public = await self._http.get("/api/v1/settings/public", wait=_NAMING)
            return WrongServiceError(seerr_name(public))
        return WrongServiceError()

    # --- polling --------------------------------------------------------------------------

    @override
    async def baseline(self, service: Service, now: float, *, finished_days: int) -> Poll:
        """Read the open downloads, and what the service holds of their titles."""
        place = await self._past.head(now)
        rows = await self._with_titles(await self._queue_rows(), keep=True)
        queue = await self._read_queue(service, rows, now)
        by_title: dict[TitleRef, list[DownloadReport]] = {}
        for report in queue.reports:
            by_title.setdefault(report.title, []).append(report)
        reports: list[AnyReport] = []
        found = await self._each(by_title, partial(self._read_title, service, now))
        for title, held in found:
            for report in by_title[title]:
                reports.extend(self.opened(report, held))
            reports.extend(held)
        return Poll(
            reports=tuple(reports),
            cursor={
                **place.cursor(),
                "downloads": self._spellings(rows),
                "empty": queue.count == 0,
                "health_at": now,
            },
            queue=queue.count,
            downloading=queue.downloading,
            checked=len(found),
        )

    @override
    async def poll(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Read the queue and what happened since: two calls while nothing goes on.

        Now and then the health is read; in place of the queue, if that was empty.
        """
        return await self._look(service, cursor, view, now, everything=False)

    async def _look(
        self, service: Service, cursor: Cursor, view: PollView, now: float, *, everything: bool
    ) -> Poll:
        self._spell(cursor.get("downloads"))
        health_at = payload.number(cursor.get("health_at")) or 0.0
        health = None
        if everything or not 0 <= now - health_at < _HEALTH_EVERY:
            health, health_at = await self._health(), now
        # What came into an empty queue is in the history, too, until the next poll.
        empty = cursor.get("empty") is True and not view.active_downloads
        skipped = health is not None and empty and not everything
        # The queue first: what leaves it after that is in the history.
        rows = [] if skipped else await self._queue_rows()
        place, news = Place.of(cursor), list[Object]()
        if place is None:
            place = await self._past.head(now)
        else:
            # After an absence, many titles may have news.
            since = place
            place, news = await self._past.since(since, now, titles=not self._caught_up)
            if len(self._unknown([*rows, *news])) > _FEW:
                place, news = await self._past.since(since, now, titles=True)
        self._caught_up = True
        titled = await self._with_titles([*rows, *news], keep=True)
        rows, news = titled[: len(rows)], titled[len(rows) :]
        queue = await self._read_queue(service, rows, now)
        history = await self._off_loop(
            len(news), read_history, self.decoder, service, news, self.clock_offset
        )
        missing = view.active_downloads - queue.downloads - history.ended
        self._missing = {key: self._missing.get(key, now) for key in sorted(missing)}
        return Poll(
            reports=(*history.reports, *queue.reports),
            questions=(
                *history.questions,
                *(
                    Question(service=service.id, kind=QuestionKind.DOWNLOAD, download_id=key)
                    for key in self._missing
                ),
            ),
            sightings=history.sightings,
            cursor={
                **place.cursor(),
                "downloads": self._spellings(rows),
                "empty": queue.count == 0,
                "health_at": health_at,
            },
            queue=queue.count,
            downloading=queue.downloading,
            checked=queue.count,
            health=health,
            muted=self._webhooks.is_muted_by(health or ()),
        )

    @override
    async def sync(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Do the light poll, look at every open title, and at the service's health."""
        poll = await self._look(service, cursor, view, now, everything=True)
        found = await self._each(view.open_titles, partial(self._read_title, service, now))
        return replace(
            poll,
            reports=(*poll.reports, *(report for _, held in found for report in held)),
            checked=poll.checked + len(found),
        )

    @override
    async def answer(
        self, service: Service, question: Question, now: float
    ) -> tuple[AnyReport, ...]:
        """Read what a delivery or the board left open."""
        if question.kind is QuestionKind.DOWNLOAD and question.download_id is not None:
            return await self._read_ending(service, question, question.download_id, now)
        if question.title is None:
            return ()
        if question.kind is QuestionKind.TITLE:
            return await self._read_title(service, now, question.title, question.seasons)
        if question.kind is QuestionKind.FACTS and (found := await self.find(question.title)):
            return self.decoder.read_title(service, found, now, self.clock_offset)
        return ()

    # --- titles ---------------------------------------------------------------------------

    @override
    async def folder(self, title: TitleRef) -> str | None:
        """Return the title's folder as the service sees it."""
        if title.own_id is not None and title.own_id in self._folders:
            known, folder, read_at = self._folders[title.own_id]
            if 0 <= self._clock() - read_at < _FOLDER_SECONDS and _agree(known.ids, title.ids):
                return folder
        found = await self.find(title)
        return None if found is None else self._note_folder(found)

    def _note_folder(self, found: Object) -> str | None:
        """Remember the folder of a title that was read."""
        folder = payload.text(found.get("path"), _MAX_PATH)
        known, own_id = self.decoder.title_of(found), payload.identifier(found.get("id"))
        if folder is not None and known is not None and own_id is not None:
            self._folders.pop(own_id, None)
            self._folders[own_id] = (known, folder, self._clock())
            while len(self._folders) > _FOLDERS:
                del self._folders[next(iter(self._folders))]
        return folder

    @override
    async def _read_title(
        self, service: Service, now: float, title: TitleRef, seasons: tuple[int, ...] = ()
    ) -> tuple[AnyReport, ...]:
        """Read what the service holds of a title."""
        found = await self.find(title)
        if found is None:
            return ()
        if found:
            self._note_folder(found)
            return await self.read_found(service, found, seasons, now)
        # Its own id may be another title's by now.
        named = replace(title, own_id=None) if title.ids else title
        return (self.decoder.title_statement(service, named, now).held(held=False),)

    async def find_by(self, title: TitleRef, space: str, value: int | None) -> Object | None:
        """Find a title by the id that the service can be asked for, else by its own."""
        path = f"{API}/{self.decoder.title_key}"
        if value is not None:
            rows = records(await self._http.get(path, {space: value}, wait=LONG))
            if rows is None:
                raise BadAnswerError(f"no {self.decoder.title_key}")
            matching = (row for row in rows if payload.identifier(row.get(space)) == value)
            return next(matching, {})
        if title.own_id is None:
            return None
        found = await self._by_own_id(title.own_id)
        if not found:
            return {}
        known = self.decoder.title_of(found)
        return found if known is not None and _agree(known.ids, title.ids) else {}

    async def _by_own_id(self, own_id: int) -> Object:
        """Read a title by the service's own id; empty: there is none."""
        try:
            found = await self._http.get(f"{API}/{self.decoder.title_key}/{own_id}")
        except NotFoundError:
            return {}
        if payload.identifier(payload.mapping(found).get("id")) != own_id:
            raise BadAnswerError(f"no {self.decoder.title_key}")
        return payload.mapping(found)

    # --- the calendar -----------------------------------------------------------------------

    @override
    async def releases(self, start: float, end: float) -> tuple[Release, ...]:
        """Read the calendar between two moments, in one call."""
        window: Params = {"start": _iso(start), "end": _iso(end), "unmonitored": True}
        body = await self._http.get(f"{API}/calendar", {**window, **self.calendar_extras})
        rows = records(body)
        if rows is None:
            raise BadAnswerError("no calendar")
        return await self._off_loop(len(rows), self._read_releases, rows)

    def _read_releases(self, rows: Sequence[Object]) -> tuple[Release, ...]:
        return tuple(
            release
            for row in rows[: payload.MAX_ITEMS]
            for release in self.decoder.read_releases(row)
        )

    # --- the queue ------------------------------------------------------------------------

    async def _queue_rows(self) -> list[Object]:
        """Read the whole queue."""
        rows = await self._details(self.queue_extras)
        if len(self._unknown(rows)) > _FEW:
            rows = await self._details({**self.queue_extras, **self.history_titles})
        return list(rows)

    async def _details(self, extras: Params) -> Sequence[Object]:
        rows = records(await self._http.get(f"{API}/queue/details", extras, wait=LONG))
        if rows is None:
            raise BadAnswerError("no queue")
        return rows

    def _unknown(self, rows: Sequence[Object]) -> set[int]:
        """Return the titles of rows that would have to be read one by one."""
        key = self.decoder.title_key
        own_ids = {payload.identifier(row.get(f"{key}Id")) for row in rows if key not in row}
        return {own_id for own_id in own_ids if own_id is not None} - self._titles.keys()

    async def _with_titles(self, rows: Sequence[Object], *, keep: bool = False) -> list[Object]:
        """Have rows carry their titles: each is read once, and kept for the next poll."""
        key = self.decoder.title_key
        own_ids = [None if key in row else payload.identifier(row.get(f"{key}Id")) for row in rows]
        wanted = {own_id for own_id in own_ids if own_id is not None}
        known = {own_id: self._titles[own_id] for own_id in wanted & self._titles.keys()}
        for own_id, found in await self._each(wanted - known.keys(), self._by_own_id):
            known[own_id] = payload.mapping(payload.pick(found, TITLE))
        if keep:
            carried = {
                own: payload.mapping(payload.pick(row[key], TITLE))
                for row in rows
                if key in row and (own := payload.identifier(row.get(f"{key}Id"))) is not None
            }
            self._titles = carried | known
        return [
            {key: known[own_id], **row} if own_id is not None else row
            for own_id, row in zip(own_ids, rows, strict=True)
        ]

    async def _read_queue(self, service: Service, rows: Sequence[Object], now: float) -> Queue:
        return await self._off_loop(
            len(rows), read_queue, self.decoder, service, rows, now, self.clock_offset
        )

    def _spellings(self, rows: Sequence[Object]) -> list[str]:
        """Return how the downloads that are awaited are spelt."""
        awaited = self._missing.keys() | self._spell([row.get("downloadId") for row in rows])
        self._spelt = {key: one for key, one in self._spelt.items() if key in awaited}
        return sorted(self._spelt.values())

    def _spell(self, downloads: Json) -> set[str]:
        """Remember how downloads are spelt; return their case-folded ids."""
        found = [payload.opaque_id(one) for one in payload.items(downloads)]
        spelt = {one.casefold(): one for one in found if one is not None}
        self._spelt |= spelt
        return set(spelt)

    async def _read_ending(
        self, service: Service, question: Question, download_id: str, now: float
    ) -> tuple[AnyReport, ...]:
        """Read how a download that left the queue ended."""
        folded = download_id.casefold()
        spellings = (self._spelt.get(folded, download_id), download_id, download_id.upper())
        rows = await self._with_titles(await self._past.of_download(spellings))
        ending = read_ending(self.decoder, service, rows, now, self.clock_offset)
        if rows and not ending.pending:
            return ending.reports
        since = self._missing.get(folded)
        if since is None or now - since < _GRACE or await self._client_is_away():
            return ending.reports
        if ending.pending:
            lost = tuple(gone(service, entry, now) for entry in ending.pending)
            return (*ending.reports, *lost)
        # Not a word of it is left: it is known by its id alone.
        statement = Statement(
            origin=origin_of(service, Via.POLL),
            title=question.title or TitleRef(media_type=self.decoder.media_type),
            at=now,
            happened_at=now,
            tier=service.tier or Tier.UNKNOWN,
            confirmed=True,
        )
        return (statement.download(DownloadState.GONE, parts=(), download_id=download_id),)

    # --- health ---------------------------------------------------------------------------

    async def _health(self) -> tuple[HealthNote, ...]:
        found = complaints(await self._http.get(f"{API}/health"))
        if found is None:
            raise BadAnswerError("no health")
        return found

    async def _client_is_away(self) -> bool:
        """Tell whether the service complains about a download client."""
        return any(note.check.startswith("DownloadClient") for note in await self._health())

    # --- the webhook ----------------------------------------------------------------------

    @override
    async def read_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Read our webhook back."""
        return await self._webhooks.read(target)

    @override
    async def install_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Make the service hold our webhook as wanted."""
        return await self._webhooks.install(target)

    @override
    async def test_webhook(self, target: WebhookTarget) -> None:
        """Have the service send its test event."""
        await self._webhooks.test(target)

    @override
    async def remove_webhook(self, target: WebhookTarget) -> None:
        """Remove our webhook if it is still ours."""
        await self._webhooks.remove(target)

    # --- doing several things -------------------------------------------------------------

    async def _off_loop[**P, R](
        self, rows: int, read: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Read few rows at once, many in a thread."""
        if rows <= _MANY:
            return read(*args, **kwargs)
        return await asyncio.to_thread(read, *args, **kwargs)

    async def _each[T, R](
        self, things: Iterable[T], call: Callable[[T], Awaitable[R]]
    ) -> list[tuple[T, R]]:
        """Call for each thing, a few at a time; the first error ends it."""
        waiting = list(things)
        done: dict[int, R] = {}
        places = iter(range(len(waiting)))

        async def work() -> None:
            for place in places:
                done[place] = await call(waiting[place])

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_AT_ONCE, len(waiting))):
                    group.create_task(work())
        except* ServiceError as errors:
            failed = errors.exceptions
        else:
            failed = ()
        if failed:
            raise failed[0]
        return [(waiting[place], done[place]) for place in sorted(done)]


def _iso(at: float) -> str:
    """Write a moment as .NET reads it, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _agree(one: ExternalIds, other: ExternalIds) -> bool:
    """Tell whether no id of one kind differs."""
    theirs = dict(other.items())
    return all(theirs.get(space, value) == value for space, value in one.items())
