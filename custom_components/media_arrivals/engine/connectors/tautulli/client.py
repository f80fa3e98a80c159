"""Tautulli's API: what is asked, when, and what follows from it."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, override

from ...board.models import (
    AnyReport,
    PartRef,
    PlayableReport,
    Question,
    QuestionKind,
    Service,
    TitleRef,
)
from .. import payload
from ..base import (
    BadAnswerError,
    Client,
    Connection,
    Cursor,
    Identity,
    InstallsWebhook,
    Json,
    KnownUser,
    KnowsUsers,
    Poll,
    PollView,
    RemoteWebhook,
    Sighting,
    WebhookTarget,
)
from ..http import JsonClient, Session
from ..payload import Object
from . import reading
from .api import Api, PlexAwayError
from .decode import TautulliDecoder, history_sightings
from .webhook import Webhooks

PLEX_TIMEOUT: Final = 30.0
"""Seconds for what Tautulli asks Plex for; with a Plex that hangs, some of it takes a minute."""
HISTORY_SECONDS: Final = 7 * 86_400.0
FEW: Final = 5
"""Rows of a first page: they are long, and usually none of them is new."""
_MANY: Final = 50
_MAX_PAGES: Final = 20
_MAX_SEASONS: Final = 10
"""Seasons of one series that are looked into for one question."""
_KEPT: Final = 200
"""Titles whose ids are remembered: every episode that is watched asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a poll got to."""

    row: int
    """Number of the newest row of the history."""
    row_at: float
    added_at: float
    added: frozenset[str]
    """What was added at that very second."""
    sessions: frozenset[str]
    history_next: bool = True
    """Of history and what was added, one is looked at in each poll."""

    @classmethod
    def of(cls, cursor: Cursor) -> _Place | None:
        """Read it from a cursor; ``None``: there is none yet."""
        row = payload.integer(cursor.get("row"))
        row_at = payload.number(cursor.get("row_at"))
        added_at = payload.number(cursor.get("added_at"))
        if row is None or row_at is None or added_at is None:
            return None
        return cls(
            row=row,
            row_at=row_at,
            added_at=added_at,
            added=_keys(payload.items(cursor.get("added"))),
            sessions=_keys(payload.items(cursor.get("sessions"))),
            history_next=cursor.get("history_next") is not False,
        )

    def cursor(self) -> Cursor:
        """Write it."""
        return {
            "row": self.row,
            "row_at": self.row_at,
            "added_at": self.added_at,
            "added": sorted(self.added),
            "sessions": sorted(self.sessions),
            "history_next": self.history_next,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What one half of a poll brought."""

    place: _Place
    reports: tuple[AnyReport, ...] = ()
    questions: tuple[Question, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    checked: int = 0


class TautulliClient(Client, InstallsWebhook, KnowsUsers):
    """The API half of the Tautulli connector."""

    decoder = TautulliDecoder()

    def __init__(
        self,
        session: Session,
        connection: Connection,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Talk to one service."""
        self._http = JsonClient(session, connection, headers={}, clock=clock)
        self._api = Api(self._http, connection)
        self._webhooks = Webhooks(self._api)
        self._titles: dict[str, TitleRef] = {}
        """Films and series by Plex's key, with their ids."""

    @property
    @override
    def clock_offset(self) -> float:
        """Seconds that the service's clock is ahead of ours."""
        return self._http.clock_offset

    @override
    async def identify(self) -> Identity:
        """Say who answers, after checking the key."""
        plex = await self._api.read("get_server_info")
        own = await self._api.read("get_tautulli_info")
        server_id = payload.opaque_id(plex.get("pms_identifier"))
        if server_id is None:
            raise BadAnswerError("no Plex is set up in it")
        version = payload.text(own.get("tautulli_version"), 32) or ""
        return Identity(
            kind=self.decoder.kind,
            product="Tautulli",
            name="Tautulli",
            version=version.removeprefix("v"),
            server_id=server_id,
        )

    @override
    async def known_users(self) -> tuple[KnownUser, ...]:
        """Return the users of its Plex."""
        rows = payload.rows(await self._api.call("get_users"))
        return tuple(
            KnownUser(
                id=number,
                name=payload.text(row.get("friendly_name"), 64)
                or payload.text(row.get("username"), 64)
                or number,
            )
            for row in rows
            if (number := payload.opaque_id(row.get("user_id"))) is not None
        )

    # --- polling --------------------------------------------------------------------------

    @override
    async def baseline(self, service: Service, now: float, *, finished_days: int) -> Poll:
        """Look where history and additions are now; nothing of them is told."""
        sessions, playing = await self._activity()
        watched = await self._history_page(0, FEW)
        added = await self._added_page(0, FEW)
        nothing = _Place(row=0, row_at=0.0, added_at=0.0, added=frozenset(), sessions=sessions)
        place = _past_added(_past_history(nothing, watched), added)
        return Poll(cursor=place.cursor(), playing=playing)

    @override
    async def poll(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Read what is being played, and either the history or what was added: two calls.

        What ended since is in the history. Without such a sign the two take turns.
        """
        place = _Place.of(cursor)
        if place is None:
            return await self.baseline(service, now, finished_days=0)
        sessions, playing = await self._activity()
        ended = bool(place.sessions - sessions)
        place = replace(place, sessions=sessions)
        if ended or place.history_next:
            news = await self._history(service, place, now)
        else:
            news = await self._added(service, place, now)
        # A row may be written a little after its session has gone: look once more.
        turn = ended or not place.history_next
        return _poll(replace(news, place=replace(news.place, history_next=turn)), playing)

    @override
    async def sync(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Read what is being played, the history, and what was added."""
        place = _Place.of(cursor)
        if place is None:
            return await self.baseline(service, now, finished_days=0)
        sessions, playing = await self._activity()
        watched = await self._history(service, replace(place, sessions=sessions), now)
        added = await self._added(service, watched.place, now)
        joined = replace(
            added,
            questions=(*watched.questions, *added.questions),
            sightings=watched.sightings,
            checked=watched.checked + added.checked,
        )
        return _poll(joined, playing)

    async def _activity(self) -> tuple[frozenset[str], int]:
        """Return the sessions, and how many there are."""
        found = await self._api.read("get_activity", wait=PLEX_TIMEOUT)
        count = payload.counting(found.get("stream_count"))
        if not found:
            raise PlexAwayError
        if count is None:
            raise BadAnswerError("no activity")
        rows = payload.rows(found.get("sessions"))
        return _keys(row.get("session_key") for row in rows), count

    async def _history(self, service: Service, place: _Place, now: float) -> _News:
        """Read what was watched since, at most some days back."""
        fresh: dict[int, Object] = {}
        start, size, after = 0, FEW, place
        for _ in range(_MAX_PAGES):
            rows = await self._history_page(start, size)
            if not start:
                after = _past_history(place, rows)
            new = [
                (number, row)
                for row in rows
                if (number := payload.identifier(row.get("row_id"))) is not None
                and _is_new(number, row, place, after)
                and _ended_at(row) >= now - HISTORY_SECONDS
            ]
            fresh |= dict(new)
            if len(new) < len(rows) or len(rows) < size:
                break
            start, size = start + size, _MANY
        offset = self.clock_offset
        questions: dict[tuple[str, str, str], Question] = {}
        watched: list[Object] = []
        for row in reversed(fresh.values()):
            question = reading.watch_of(service, row, offset)
            if question is not None:
                questions[question.key] = question
                watched.append(row)
        return _News(
            place=after,
            questions=tuple(questions.values()),
            sightings=history_sightings(tuple(watched), offset),
            checked=len(fresh),
        )

    async def _history_page(self, start: int, size: int) -> tuple[Object, ...]:
        """Read rows of the history, the one that ended last first."""
        found = await self._api.read(
            "get_history",
            {
                "grouping": 0,
                "include_activity": 0,
                "order_column": "stopped",
                "order_dir": "desc",
                "start": start,
                "length": size,
            },
        )
        if "data" not in found:
            raise BadAnswerError("no history")
        return payload.rows(found.get("data"))

    async def _added(self, service: Service, place: _Place, now: float) -> _News:
        """Read what was added since."""
        fresh: dict[str, Object] = {}
        start, size, after = 0, FEW, place
        for _ in range(_MAX_PAGES):
            rows = await self._added_page(start, size)
            after = _past_added(after, rows)
            new = [
                (key, row)
                for row in rows
                if (key := payload.opaque_id(row.get("rating_key"))) is not None
                and (_added_at(row), key not in place.added) > (place.added_at, False)
            ]
            fresh |= dict(new)
            if len(new) < len(rows) or len(rows) < size:
                break
            start, size = start + size, _MANY
        offset = self.clock_offset
        found = [reading.playable_of(service, row, now, offset) for row in fresh.values()]
        return _News(
            place=after,
            reports=tuple(one for one in found if isinstance(one, PlayableReport)),
            questions=tuple(one for one in found if isinstance(one, Question)),
            checked=len(fresh),
        )

    async def _added_page(self, start: int, size: int) -> tuple[Object, ...]:
        """Read rows of what was added, the newest first."""
        found = await self._api.read(
            "get_recently_added", {"start": start, "count": size}, wait=PLEX_TIMEOUT
        )
        if not found:
            raise PlexAwayError
        if "recently_added" not in found:
            raise BadAnswerError("nothing that was added")
        return payload.rows(found.get("recently_added"))

    # --- questions ------------------------------------------------------------------------

    @override
    async def answer(
        self, service: Service, question: Question, now: float
    ) -> tuple[AnyReport, ...]:
        """Read what Plex has under one of its keys; by external ids Tautulli finds nothing."""
        item, about = question.item, question.about
        if question.kind is not QuestionKind.ITEM or item is None:
            return ()
        if about is not None:
            title = self._titles.get(item) or await self._identified(await self._metadata(item))
            return () if title is None else (replace(about, title=title),)
        found = await self._metadata(item)
        title = await self._identified(found)
        if title is None:
            return ()
        parts = await self._seasons(item, found, question.seasons)
        offset = self.clock_offset
        return tuple(
            reading.playable(service, title, found, some, now=now, offset=offset) for some in parts
        )

    async def _metadata(self, item: str) -> Object:
        """Read an item; empty: there is none."""
        found = await self._api.read("get_metadata", {"rating_key": item}, wait=PLEX_TIMEOUT)
        if not found:
            # Without its Plex, Tautulli says the same.
            await self._activity()
        return found

    async def _identified(self, found: Object) -> TitleRef | None:
        """Return the film or series of an item with its ids; ``None``: they are not known."""
        title, owner = reading.title_of(found), reading.owner_key(found)
        if title is None:
            return None
        if not title.ids and owner is not None:
            if owner in self._titles:
                return self._titles[owner]
            if owner != payload.opaque_id(found.get("rating_key")):
                title = reading.title_of(await self._metadata(owner)) or title
        if not title.ids:
            return None
        if owner is not None:
            self._titles[owner] = title
            while len(self._titles) > _KEPT:
                del self._titles[next(iter(self._titles))]
        return title

    async def _seasons(
        self, item: str, found: Object, wanted: tuple[int, ...]
    ) -> tuple[tuple[PartRef, ...], ...]:
        """Return the parts that can be played of an item, by season; of a film the one."""
        match payload.word(found.get("media_type")):
            case "movie":
                return ((),)
            case "episode":
                part = reading.part_of(found)
                return () if part is None else ((part,),)
            case "season":
                keys = [item]
            case _:
                keys = [
                    key
                    for row in await self._children(item, "show")
                    if (key := payload.opaque_id(row.get("rating_key"))) is not None
                    and (not wanted or payload.counting(row.get("media_index")) in wanted)
                ]
        seasons = [
            tuple(
                part
                for row in await self._children(key, "season")
                if (part := reading.part_of(row)) is not None
            )
            for key in keys[:_MAX_SEASONS]
        ]
        return tuple(parts for parts in seasons if parts)

    async def _children(self, item: str, media_type: str) -> tuple[Object, ...]:
        """Read the seasons of a series, or the episodes of a season."""
        found = await self._api.read(
            "get_children_metadata",
            {"rating_key": item, "media_type": media_type},
            wait=PLEX_TIMEOUT,
        )
        return payload.rows(found.get("children_list"))

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
        """Have the service send our test."""
        await self._webhooks.test(target)

    @override
    async def remove_webhook(self, target: WebhookTarget) -> None:
        """Remove our webhook if it is still ours."""
        await self._webhooks.remove(target)


def _keys(values: Iterable[Json]) -> frozenset[str]:
    return frozenset(key for value in values if (key := payload.opaque_id(value)) is not None)


def _poll(news: _News, playing: int) -> Poll:
    return Poll(
        reports=news.reports,
        questions=news.questions,
        sightings=news.sightings,
        cursor=news.place.cursor(),
        playing=playing,
        checked=news.checked,
    )


def _ended_at(row: Mapping[str, Json]) -> float:
    return payload.number(row.get("stopped")) or 0.0


def _added_at(row: Mapping[str, Json]) -> float:
    return payload.number(row.get("added_at")) or 0.0


def _past_history(place: _Place, rows: tuple[Object, ...]) -> _Place:
    """Return the place after the newest rows; after a reinstallation it lies further back."""
    numbers = [payload.identifier(row.get("row_id")) or 0 for row in rows]
    newest = max(numbers, default=place.row)
    ended = max(map(_ended_at, rows), default=place.row_at)
    return replace(place, row=newest, row_at=max(ended, place.row_at))


def _is_new(number: int, row: Object, before: _Place, after: _Place) -> bool:
    """Tell whether a row came since; numbers that begin anew are told by their time."""
    if after.row < before.row:
        return _ended_at(row) > before.row_at
    return number > before.row


def _past_added(place: _Place, rows: tuple[Object, ...]) -> _Place:
    """Return the place after rows of what was added."""
    newest = max(map(_added_at, rows), default=place.added_at)
    if newest < place.added_at:
        return place
    same = _keys(row.get("rating_key") for row in rows if _added_at(row) == newest)
    if newest == place.added_at:
        same |= place.added
    return replace(place, added_at=newest, added=same)
