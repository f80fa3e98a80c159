"""Seerr's API: who it is, what changed, open questions, and its webhook slot."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, override

import aiohttp

from ...board.models import (
    LATE_AFTER,
    AnyReport,
    Decision,
    DownloadReport,
    MediaType,
    Origin,
    Question,
    QuestionKind,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import (
    AuthError,
    BadAnswerError,
    Client,
    Connection,
    Cursor,
    ForbiddenError,
    Identity,
    InstallsWebhook,
    Json,
    KnownService,
    KnownUser,
    KnowsServices,
    KnowsUsers,
    NotFoundError,
    Poll,
    PollView,
    RemoteWebhook,
    ServerFaultError,
    ServiceError,
    Sighting,
    TimedOutError,
    TooOldError,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
    WrongServiceError,
)
from ..http import DEFAULT_TIMEOUT, Answer, JsonClient
from . import answers, slot
from .acting import SeerrActions, said_by
from .answers import SeerrRequest
from .rounds import MOST_ROWS, PIECE_BYTES, ROUND_EVERY, Round

LIST_WAIT: Final = 60.0
"""A list asks every Radarr and Sonarr behind it, 10 s each, and waits for those that hang."""
STATUS_WAIT: Final = 30.0
"""The status asks the internet for the newest version."""
TEST_WAIT: Final = 30.0
"""Seerr has no time-out of its own for the address that it tests."""
SECOND_LOOK: Final = 2.0
"""A new request is told before its row is written: missing is looked at twice."""
NEWEST: Final = 5
"""A request is about 2 kB, more with many seasons: an idle poll stays under 20 kB."""
PAGE: Final = 100
MAX_PAGES: Final = 50
BASELINE_REQUESTS: Final = 1000
SWEEP_DOWNLOADING: Final = 300.0
QUIET: Final = 120.0
"""Seerr forgets its queues at a restart and reads them every minute."""
UNDATED_WINDOW: Final = 1800.0
"""A change without a date is placed between two looks, if they are no further apart."""
TITLES_EVERY: Final = 600.0
"""Doubles with each look that shows nothing new, up to the rounds."""
USUAL_ROW: Final = 2000
FEW_TITLES: Final = 10
MAX_TITLES: Final = 100
FACTS_KEPT: Final = 1000

_APPROVED: Final = frozenset({Decision.APPROVED, Decision.COMPLETED})
_ADMIN: Final = 2
_SEES_ALL: Final = _ADMIN | 16 | 16384
_OLDEST_OVERSEERR: Final = (1, 28)
"""The first whose webhook knows everything that our template asks for."""

_NOT_KEPT: Final = "it keeps other settings than it was given"
_WEBHOOK: Final = "/api/v1/settings/notifications/webhook"


@dataclass(slots=True, kw_only=True)
class _Look:
    """One look at Seerr: what the cursor says of the last one, and what is seen now."""

    origin: Origin
    now: float
    view: PollView
    at: float | None = None
    swept: float = 0.0
    """When the last look at all open requests, or the last round through them, began."""
    round: Round | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    newest: int = 0
    page: str = ""
    titles: str = ""
    titles_at: float = 0.0
    titles_pause: float = TITLES_EVERY
    loading: Mapping[str, float] = field(default_factory=dict)
    told: frozenset[int] = frozenset()
    """Open on the board and available here: their sighting was told."""
    requests: dict[int, SeerrRequest] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    playable: list[AnyReport] = field(default_factory=list)

    @classmethod
    def since(cls, cursor: Cursor, service: Service, view: PollView, now: float) -> _Look:
        """Return a look that begins where the cursor ended."""
        return cls(
            origin=Origin(service=service.id, kind=service.kind, role=service.role, via=Via.POLL),
            now=now,
            view=view,
            at=payload.number(cursor.get("at")),
            swept=payload.number(cursor.get("swept")) or 0.0,
            round=Round.of(cursor.get("round")),
            counts=answers.read_counts(cursor.get("counts")),
            newest=payload.counting(cursor.get("newest")) or 0,
            page=payload.text(cursor.get("page")) or "",
            titles=payload.text(cursor.get("titles")) or "",
            titles_at=payload.number(cursor.get("titles_at")) or 0.0,
            titles_pause=payload.number(cursor.get("titles_pause")) or TITLES_EVERY,
            loading={
                key: moment
                for key, value in payload.mapping(cursor.get("loading")).items()
                if (moment := payload.number(value)) is not None
            },
            told=frozenset(payload.identifiers(cursor.get("told"))),
        )

    def take(self, requests: Iterable[SeerrRequest]) -> None:
        """Take in what was read; what is read later is newer."""
        self.requests.update((request.id, request) for request in requests)

    def is_new(self, request: SeerrRequest) -> bool:
        """Tell whether a request was made since the last look."""
        return self.at is not None and request.id > self.newest

    def sweep_is_due(self, counts: Mapping[str, int]) -> bool:
        """Tell whether all open requests should be looked at, at once.

        Something changed, or is loading, or nobody looked for longer than a round takes.
        """
        pause = self.now - (self.at or 0.0)
        return (
            counts != self.counts
            or not 0 <= pause < ROUND_EVERY
            or (bool(self.loading) and not 0 <= self.now - self.swept < SWEEP_DOWNLOADING)
        )

    def round_is_due(self) -> bool:
        """Tell whether to go on with a round, or to begin one."""
        return self.round is not None or not 0 <= self.now - self.swept < ROUND_EVERY

    def tracks(self, request: SeerrRequest) -> bool:
        """Tell whether the board waits for a request, or has yet to hear of it."""
        return request.id in self.view.open_requests or self.is_new(request)

    def downloads(
        self, requests: Iterable[SeerrRequest], *, swept: bool
    ) -> tuple[dict[str, Json], list[DownloadReport]]:
        """Say what is loading for which request, and which of that ended unseen."""
        loading: dict[str, Json] = {}
        ended: list[DownloadReport] = []
        seen = {str(request.id): request for request in requests}
        for request in seen.values():
            for seasons, _ in request.downloads:
                keys = [f"{request.id}:{season}" for season in seasons] or [str(request.id)]
                loading.update(dict.fromkeys(keys, 0.0))
        for key, quiet_since in self.loading.items():
            number, _, part = key.partition(":")
            season = payload.counting(part)
            known = seen.get(number)
            if key in loading or (known is None and swept):
                continue
            if known is None or known.title is None:
                loading[key] = quiet_since
                continue
            if known.available or season in known.available_seasons:
                continue
            since = quiet_since or self.now
            if self.now - since < QUIET:
                loading[key] = since
                continue
            ended.append(
                answers.ended_download(known.title, known.tier, season, self.origin, self.now)
            )
        return loading, ended

    def sightings(self, requests: Iterable[SeerrRequest]) -> Iterable[Sighting]:
        """Say what should have been told by a webhook since the last look."""
        if self.at is None:
            return
        for request in requests:
            new = self.is_new(request)
            before = self.view.open_requests.get(request.id)
            key = str(request.id)
            if new:
                dated = request.created_at is not None
                at = request.created_at or self.now
                yield Sighting(event="requested", key=key, at=at, dated=dated)
            decided = answers.changed_at(request, self.now, self.at)
            if self._is_placed(decided):
                dated = decided == request.updated_at
                if self._was_approved(request, before):
                    yield Sighting(event="approved", key=key, at=decided, dated=dated)
                if (new or before) and request.decision is Decision.DECLINED:
                    yield Sighting(event="declined", key=key, at=decided, dated=dated)
            if not request.available or request.id in self.told or not (new or before):
                continue
            available = answers.available_at(request, self.now, None if new else self.at)
            if self._is_placed(available):
                dated = available == request.media.updated_at
                yield Sighting(event="available", key=key, at=available, dated=dated)

    def _was_approved(self, request: SeerrRequest, before: Decision | None) -> bool:
        """Tell whether somebody approved it, which an automatic approval is not."""
        if before is Decision.PENDING:
            return request.decision in _APPROVED
        # A row that was saved again while it is approved has told so.
        return self.is_new(request) and request.dated and request.decision is Decision.APPROVED

    def _is_placed(self, moment: float) -> bool:
        """Tell whether a moment is more than the last look, after a long time of not looking."""
        return self.at is None or moment > self.at or self.now - self.at < UNDATED_WINDOW

    def known_since(self, request: SeerrRequest) -> float | None:
        """Return when the request was last seen otherwise; ``None``: its own dates count."""
        return None if self.at is None or self.is_new(request) else self.at


class SeerrClient(SeerrActions, Client, InstallsWebhook, KnowsServices, KnowsUsers):
    """Talks with an Overseerr, Jellyseerr or Seerr."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Keep what every call needs."""
        self._api = JsonClient(session, connection, headers={"X-Api-Key": connection.api_key})
        self._pause = pause
        # Two at a time: a Seerr often lives on the weakest machine of the house.
        self._few = asyncio.Semaphore(2)
        self._row_bytes = USUAL_ROW
        self._facts: dict[tuple[MediaType, int], answers.Facts] = {}
        self._tmdb: dict[int, int] = {}

    @property
    @override
    def clock_offset(self) -> float:
        """Seconds that the service's clock is ahead of ours."""
        return self._api.clock_offset

    # --- who it is -------------------------------------------------------------------------

    @override
    async def identify(self) -> Identity:
        """Say who answers; only a call that needs a key proves it."""
        try:
            public = payload.mapping(await self._api.get("/api/v1/settings/public"))
        except (BadAnswerError, NotFoundError, AuthError, ForbiddenError) as err:
            raise WrongServiceError(await self._arr_name()) from err
        if "initialized" not in public and "applicationTitle" not in public:
            raise WrongServiceError(await self._arr_name())
        version = await self._version()
        product = _product(public, version)
        numbers = slot.version_of(version)
        if product == "Overseerr" and numbers is not None and numbers < _OLDEST_OVERSEERR:
            raise TooOldError(version)
        try:
            me = payload.mapping(await self._api.get("/api/v1/auth/me"))
        except ForbiddenError as err:
            # A wrong key is answered as a missing right.
            raise AuthError(err.detail) from err
        return Identity(
            kind="seerr",
            product=product,
            name=answers.clean(public.get("applicationTitle"), 64) or product,
            version=version,
            own_only=not (payload.integer(me.get("permissions")) or 0) & _SEES_ALL,
        )

    async def _arr_name(self) -> str:
        """Say what else answers, if it is a Radarr or Sonarr that takes the key."""
        try:
            found = payload.mapping(await self._api.get("/api/v3/system/status"))
        except ServiceError:
            return ""
        return payload.text(found.get("appName"), 32) or ""

    async def _version(self) -> str:
        status = await self._api.get("/api/v1/status", wait=STATUS_WAIT)
        return payload.text(payload.mapping(status).get("version"), 64) or ""

    # --- polling ---------------------------------------------------------------------------

    @override
    async def baseline(self, service: Service, now: float, *, finished_days: int) -> Poll:
        """Read all open requests, and those made in the last days that are finished."""
        look = _Look.since({}, service, PollView(), now)
        look.swept = now
        counts = await self._counts()
        newest = await self._newest(PAGE)
        recent = _made_since(now - finished_days * 86400)
        look.take(newest)
        await self._older(look, newest, recent)
        await self._open_list(look)
        await self._complete(look, list(look.requests.values()))
        return self._answer(
            look,
            counts,
            newest,
            swept=True,
            reported=lambda request: request.open or recent(request),
        )

    @override
    async def poll(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Compare the counts and the newest requests; look at all open ones if they differ.

        Every hour all open ones are looked at anyway, a piece in place of the newest at a time.
        """
        return await self._look(_Look.since(cursor, service, view, now), cursor, everything=False)

    @override
    async def sync(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Look at all open requests."""
        return await self._look(_Look.since(cursor, service, view, now), cursor, everything=True)

    async def _look(self, look: _Look, cursor: Cursor, *, everything: bool) -> Poll:
        counts = await self._counts()
        sweep = everything or look.sweep_is_due(counts)
        try:
            if not sweep and look.round_is_due():
                if await self._go_round(look, counts):
                    await self._availability(look, swept=False)
                    return self._answer(look, counts, None)
                sweep = True
            newest = await self._newest(NEWEST)
        except TimedOutError:
            if everything or counts != look.counts:
                raise
            # A hanging Radarr behind it: nothing was missed, and the next poll looks again.
            return Poll(cursor=cursor, queue=_open_number(counts), downloading=bool(look.loading))
        look.take(newest)
        sweep = sweep or _fingerprint(newest) != look.page
        if sweep:
            look.round, look.swept = None, look.now
            if look.newest:
                await self._older(look, newest, look.is_new)
            await self._open_list(look)
            await self._left(look)
            await self._complete(look, filter(look.tracks, look.requests.values()))
        await self._name_new(look)
        await self._availability(look, swept=sweep)
        return self._answer(look, counts, newest, swept=sweep)

    async def _go_round(self, look: _Look, counts: Mapping[str, int]) -> bool:
        """Look at the next piece of what is open; tell whether all of it stands still.

        What is absent counts at the end, when the list was read to it and nothing moved.
        """
        tour = look.round or Round(begun=look.now)
        titles = look.view.open_titles[:MAX_TITLES]
        take = max(1, min(PIECE_BYTES // self._row_bytes, MOST_ROWS))
        left = tour.left(_open_number(counts), take, len(titles))
        for _ in range(tour.due(left, look.now, look.now - (look.at or 0.0))):
            if not tour.listed:
                page, total = await self._list(take, tour.skip, "unavailable")
                partial = [one.id for one in page if one.incomplete and look.tracks(one)]
                known = look.view.open_requests
                stands = tour.take([one.id for one in page], total, partial=partial, known=known)
                if not stands or any(map(look.is_new, page)):
                    return False
                look.take(page)
            elif tour.alone:
                await self._read_into(look, tour.alone.pop(0))
            elif tour.titles < len(titles):
                await self._ask_for(look, [titles[tour.titles]])
                tour.titles += 1
        look.swept = tour.begun
        through = tour.listed and not tour.alone and tour.titles >= len(titles)
        look.round = None if through else tour
        return True

    async def _counts(self) -> Mapping[str, int]:
        try:
            counts = answers.read_counts(await self._api.get("/api/v1/request/count"))
        except ForbiddenError as err:
            raise AuthError(err.detail) from err
        if "total" not in counts:
            raise BadAnswerError("no counts")
        return counts

    async def _newest(self, take: int) -> tuple[SeerrRequest, ...]:
        return (await self._list(take, 0, None))[0]

    async def _list(
        self, take: int, skip: int, only: str | None
    ) -> tuple[tuple[SeerrRequest, ...], int]:
        """Read a page of requests, the newest first; also how many there are in all."""
        # Nothing that old versions refuse: no direction, no type, no newer filter.
        answer = await self._api.send(
            "GET",
            "/api/v1/request",
            params={"take": take, "skip": skip, "sort": "added", "filter": only},
            wait=LIST_WAIT,
        )
        body = payload.mapping(await answer.json())
        if "results" not in body:
            raise BadAnswerError("no list of requests")
        info = payload.mapping(body.get("pageInfo"))
        requests = answers.read_requests(body, self.clock_offset)
        if requests:
            self._row_bytes = -(-len(answer.body) // len(requests))
        return requests, payload.counting(info.get("results")) or 0

    async def _older(
        self,
        look: _Look,
        page: tuple[SeerrRequest, ...],
        wanted: Callable[[SeerrRequest], bool],
    ) -> None:
        """Page on from the newest as long as all of a page is wanted, bounded."""
        skip = len(page)
        while page and wanted(page[-1]) and skip < BASELINE_REQUESTS:
            page, total = await self._list(PAGE, skip, None)
            look.take(page)
            skip += len(page)
            if skip >= total:
                return

    async def _open_list(self, look: _Look) -> None:
        """Read all open requests, to the end.

        Rows may move while we page: doubles fall together, and what was skipped is read
        on its own, because it is tracked and missing.
        """
        skip = 0
        for _ in range(MAX_PAGES):
            page, total = await self._list(PAGE, skip, "unavailable")
            look.take(page)
            skip += len(page)
            if not page or skip >= total:
                return
        raise BadAnswerError("too many open requests")

    async def _left(self, look: _Look) -> None:
        """Read each tracked request that left the list of the open ones."""
        left = sorted(set(look.view.open_requests).difference(look.requests))
        await self._each(left, lambda number: self._read_into(look, number))

    async def _complete(self, look: _Look, requests: Iterable[SeerrRequest]) -> None:
        """Read on their own the requests of which the list does not tell the seasons."""
        partial = [request.id for request in requests if request.incomplete]
        await self._each(partial, lambda number: self._read_into(look, number))

    async def _read_into(self, look: _Look, number: int) -> None:
        """Read one request; a row that cannot be read must not stop the others."""
        try:
            request = await self._request(number)
        except NotFoundError:
            look.missing.append(number)
        except BadAnswerError, ForbiddenError, ServerFaultError:
            return
        else:
            look.take([request])

    @override
    async def _request(self, number: int) -> SeerrRequest:
        body = await self._api.get(f"/api/v1/request/{number}")
        for request in answers.read_requests(body, self.clock_offset):
            return request
        raise BadAnswerError("no request")

    async def _each[T](self, items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Do something for each, two at a time; the first error ends it."""

        async def one(item: T) -> None:
            async with self._few:
                await work(item)

        try:
            async with asyncio.TaskGroup() as group:
                for item in items:
                    group.create_task(one(item))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _name_new(self, look: _Look) -> None:
        """Read what new requests are called: lists have no names, and events want one."""

        async def read(title: TitleRef) -> None:
            # A name is worth no failed poll: it is asked for again.
            with suppress(ServiceError):
                await self._details(title)

        nameless = {
            request.title: None
            for request in look.requests.values()
            if request.title is not None
            and look.at is not None
            and look.is_new(request)
            and self._facts_of(request.title) is answers.NO_FACTS
        }
        await self._each(list(nameless)[:FEW_TITLES], read)

    async def _availability(self, look: _Look, *, swept: bool) -> None:
        """Ask for titles that were imported and that nobody else can say to be playable.

        Those that stay as they are, are asked for ever more rarely, in the end by the rounds.
        """
        titles = _digest(look.view.open_titles)
        if titles != look.titles:
            look.titles_pause = TITLES_EVERY
        elif not swept:
            rarely = look.titles_pause * 2 > ROUND_EVERY
            if rarely or 0 <= look.now - look.titles_at < look.titles_pause:
                return
            look.titles_pause *= 2
        look.titles, look.titles_at = titles, look.now
        await self._ask_for(look, look.view.open_titles[: MAX_TITLES if swept else FEW_TITLES])

    async def _ask_for(self, look: _Look, titles: Iterable[TitleRef]) -> None:
        """Read whether titles can be played."""

        async def read(title: TitleRef) -> None:
            try:
                details = await self._details(title)
            except NotFoundError, ServerFaultError:
                return
            if details is not None:
                look.playable.extend(answers.details_reports(details, look.origin, look.now))

        await self._each(titles, read)

    def _answer(
        self,
        look: _Look,
        counts: Mapping[str, int],
        newest: tuple[SeerrRequest, ...] | None,
        *,
        swept: bool = False,
        reported: Callable[[SeerrRequest], bool] | None = None,
    ) -> Poll:
        """Say what was seen, and where the next look begins."""
        requests = [
            request
            for _, request in sorted(look.requests.items())
            if reported is None or reported(request)
        ]
        reports: list[AnyReport] = []
        for request in requests:
            reports += answers.request_reports(
                request,
                look.origin,
                look.now,
                since=look.known_since(request),
                facts=self._facts_of(request.title),
            )
        for number in look.missing:
            reports.append(answers.removed_request(number, None, look.origin, look.now))
        loading, ended = look.downloads(requests, swept=swept)
        told = {
            request.id
            for request in requests
            if request.available and (look.at is None or look.tracks(request))
        }
        unseen = look.view.open_requests.keys() - look.requests.keys()
        cursor: dict[str, Json] = {
            "at": look.now,
            "swept": look.swept,
            "round": None if look.round is None else look.round.cursor(),
            "counts": dict(counts),
            "newest": look.newest
            if newest is None
            else max((request.id for request in newest), default=0),
            "page": look.page if newest is None else _fingerprint(newest[:NEWEST]),
            "titles": look.titles,
            "titles_at": look.titles_at,
            "titles_pause": look.titles_pause,
            "loading": loading,
            "told": sorted(told | (look.told & unseen)),
        }
        return Poll(
            reports=(*reports, *ended, *look.playable),
            sightings=tuple(look.sightings(requests)),
            cursor=cursor,
            queue=_open_number(counts),
            downloading=bool(loading),
            checked=len(look.requests) + len(look.missing),
        )

    # --- questions ---------------------------------------------------------------------------

    @override
    async def answer(
        self, service: Service, question: Question, now: float
    ) -> tuple[AnyReport, ...]:
        """Read one request, or what is known of one title."""
        origin = Origin(service=service.id, kind=service.kind, role=service.role, via=Via.POLL)
        match question.kind:
            case QuestionKind.REQUEST if question.request_id is not None:
                return await self._answer_request(origin, question.request_id, question.title, now)
            case QuestionKind.FACTS | QuestionKind.AVAILABILITY if question.title is not None:
                async with self._few:
                    try:
                        details = await self._details(question.title)
                    except NotFoundError:
                        return ()
                if details is None:
                    return ()
                if question.kind is QuestionKind.FACTS:
                    return answers.facts_reports(details, origin, now)
                return answers.details_reports(details, origin, now)
            case _:
                return ()

    async def _answer_request(
        self, origin: Origin, number: int, title: TitleRef | None, now: float
    ) -> tuple[AnyReport, ...]:
        try:
            request = await self._looked_twice(number)
        except NotFoundError:
            return (answers.removed_request(number, title, origin, now),)
        except ForbiddenError:
            return ()
        return self._reports(origin, request, now)

    @override
    def _reports(self, origin: Origin, request: SeerrRequest, now: float) -> tuple[AnyReport, ...]:
        """Say what a request that was read just now comes to."""
        # What has no date of its own happened just now.
        settled = request.created_at is not None and now - request.created_at < LATE_AFTER
        return answers.request_reports(
            request,
            origin,
            now,
            since=None if settled or request.dated else now,
            facts=self._facts_of(request.title),
        )

    async def _looked_twice(self, number: int) -> SeerrRequest:
        async with self._few:
            try:
                return await self._request(number)
            except NotFoundError:
                await self._pause(SECOND_LOOK)
                return await self._request(number)

    @override
    async def _details(self, title: TitleRef) -> answers.Details | None:
        """Read a title's own page, and keep what it is called."""
        film = title.media_type is MediaType.MOVIE
        tmdb = title.ids.tmdb
        if tmdb is None and not film and title.ids.tvdb is not None:
            tmdb = await self._tmdb_of(title.ids.tvdb)
        if tmdb is None:
            return None
        body = await self._api.get(f"/api/v1/{'movie' if film else 'tv'}/{tmdb}")
        details = answers.read_details(body, self.clock_offset)
        if details is None or details.media_type is not title.media_type:
            return None
        if len(self._facts) >= FACTS_KEPT:
            del self._facts[next(iter(self._facts))]
        self._facts[title.media_type, tmdb] = details.facts
        return details

    async def _tmdb_of(self, tvdb: int) -> int | None:
        """Find the TMDB id of a series that Sonarr knows by TheTVDB's only."""
        if tvdb not in self._tmdb:
            body = await self._api.get("/api/v1/search", {"query": f"tvdb:{tvdb}"})
            for row in payload.rows(payload.mapping(body).get("results")):
                found = payload.identifier(row.get("id"))
                if found is not None and payload.word(row.get("mediaType")) == "tv":
                    self._tmdb[tvdb] = found
                    break
        return self._tmdb.get(tvdb)

    def _facts_of(self, title: TitleRef | None) -> answers.Facts:
        if title is None or title.ids.tmdb is None:
            return answers.NO_FACTS
        return self._facts.get((title.media_type, title.ids.tmdb), answers.NO_FACTS)

    @override
    async def known_services(self) -> tuple[KnownService, ...]:
        """Return the Radarrs and Sonarrs that Seerr hands requests to; for administrators."""
        known: list[KnownService] = []
        for kind in ("radarr", "sonarr"):
            body = await self._api.get(f"/api/v1/settings/{kind}")
            known += [
                server
                for row in payload.rows(body)
                if (server := _known_service(kind, row)) is not None
            ]
        return tuple(known)

    @override
    async def known_users(self) -> tuple[KnownUser, ...]:
        """Return the users by the names that requests have; only administrators may ask."""
        return tuple(KnownUser(id=str(one.id), name=one.name) for one in await self.accounts())

    # --- the webhook ---------------------------------------------------------------------------

    @override
    async def read_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Read the slot and say whose it is."""
        return slot.read(await self._slot(), target)

    @override
    async def install_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Put our webhook into the slot, in the form of template that the version can use."""
        found = await self._slot()
        state = slot.read(found, target)
        if state.state is WebhookState.REGISTERED:
            return state
        if state.state is WebhookState.TAKEN and not target.take_over:
            raise WebhookError(state.taken_by or WebhookCause.TAKEN)
        forms = slot.encodings(await self._version(), slot.template(target.instance_id))
        form = await self._tested([slot.wanted(found, target, form) for form in forms])
        await self._write(form)
        stored = await self.read_webhook(target)
        if stored.state is not WebhookState.REGISTERED:
            raise WebhookError(WebhookCause.OTHER, _NOT_KEPT)
        return stored

    @override
    async def test_webhook(self, target: WebhookTarget) -> None:
        """Have what is in the slot send its test."""
        found = await self._slot()
        state = slot.read(found, target)
        if state.state is WebhookState.TAKEN:
            raise WebhookError(state.taken_by or WebhookCause.TAKEN)
        if state.state is WebhookState.ABSENT:
            raise WebhookError(WebhookCause.OTHER, "there is no webhook")
        text = found.text or slot.template(target.instance_id)
        forms = slot.encodings(await self._version(), text)
        await self._tested([slot.with_template(found, form) for form in forms])

    @override
    async def remove_webhook(self, target: WebhookTarget) -> None:
        """Empty the slot if it is still ours."""
        found = await self._slot()
        if not slot.is_ours(found, target):
            return
        text = found.text or slot.template(target.instance_id)
        for form in slot.encodings(await self._version(), text):
            await self._write(slot.blanked(found, form))
            left = await self._slot()
            # What it reads back as a text it has understood.
            if left.text == text and not slot.is_ours(left, target):
                return
        raise WebhookError(WebhookCause.OTHER, _NOT_KEPT)

    async def _slot(self) -> slot.Slot:
        try:
            answer = await self._api.send("GET", _WEBHOOK, accept={500})
        except ForbiddenError as err:
            raise WebhookError(WebhookCause.NOT_ALLOWED, err.detail) from err
        if not answer.ok:
            return slot.Slot(settings={}, readable=False)
        return slot.Slot(settings=payload.mapping(await answer.json()))

    async def _tested(self, forms: Iterable[dict[str, Json]]) -> dict[str, Json]:
        """Return the settings with which the service could send its test."""
        said = ""
        for form in forms:
            try:
                answer = await self._post(f"{_WEBHOOK}/test", form, wait=TEST_WAIT)
            except TimedOutError as err:
                raise WebhookError(WebhookCause.TIMEOUT) from err
            if answer.ok:
                return form
            said = said or await said_by(answer)
        # Seerr does not know why: not reached, refused and a broken template look alike.
        raise WebhookError(WebhookCause.OTHER, said)

    async def _write(self, settings: dict[str, Json]) -> None:
        answer = await self._post(_WEBHOOK, settings)
        if not answer.ok:
            raise WebhookError(WebhookCause.OTHER, await said_by(answer))

    async def _post(
        self, path: str, settings: dict[str, Json], *, wait: float = DEFAULT_TIMEOUT
    ) -> Answer:
        """Write settings with a key that may read them, so a refusal is CSRF protection."""
        answer = await self._api.send(
            "POST", path, body=settings, wait=wait, accept={400, 403, 500}
        )
        if answer.status == 403:
            raise WebhookError(WebhookCause.CSRF)
        return answer


def _product(public: payload.Object, version: str) -> str:
    """Tell the members of the family apart."""
    numbers = slot.version_of(version)
    if "hideBlocklisted" in public or (numbers is not None and numbers[0] >= 3):
        return "Seerr"
    return "Jellyseerr" if "mediaServerType" in public else "Overseerr"


def _known_service(kind: str, row: payload.Object) -> KnownService | None:
    host, key = payload.text(row.get("hostname")), payload.text(row.get("apiKey"))
    number = payload.counting(row.get("id"))
    if host is None or key is None or number is None:
        return None
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    scheme = "https" if payload.boolean(row.get("useSsl")) else "http"
    port = payload.identifier(row.get("port"))
    base = (payload.text(row.get("baseUrl")) or "").strip("/")
    return KnownService(
        kind=kind,
        name=payload.text(row.get("name"), 64) or kind.capitalize(),
        url=f"{scheme}://{host}" + (f":{port}" if port else "") + (f"/{base}" if base else ""),
        api_key=key,
        tier=Tier.UHD if payload.boolean(row.get("is4k")) else Tier.HD,
        number=number,
    )


def _made_since(moment: float) -> Callable[[SeerrRequest], bool]:
    return lambda request: request.created_at is not None and request.created_at >= moment


def _open_number(counts: Mapping[str, int]) -> int:
    return counts.get("pending", 0) + counts.get("processing", 0)


def _fingerprint(requests: Iterable[SeerrRequest]) -> str:
    """Sum up what of the newest requests would have all open ones looked at."""
    return _digest(
        (request.id, request.decision, request.copy.status, request.media.season_changed_at)
        for request in requests
    )


def _digest(things: Iterable[object]) -> str:
    return hashlib.blake2s(repr(list(things)).encode(), digest_size=8).hexdigest()
