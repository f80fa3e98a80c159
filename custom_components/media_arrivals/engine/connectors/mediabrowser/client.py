"""The API of Jellyfin and Emby: what is new, what is there, and who watched it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Final, override

from ...board.models import (
    AnyReport,
    ExternalIds,
    IndexEntry,
    MediaType,
    Question,
    QuestionKind,
    Service,
    TitleRef,
    Via,
    WatchReport,
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
    KnownUser,
    KnowsUsers,
    Library,
    NotFoundError,
    NotReadyError,
    Poll,
    PollView,
    RemoteWebhook,
    ScansFolders,
    Sighting,
    WebhookTarget,
    WrongServiceError,
)
from ..http import JsonClient, Params, Session
from .decode import ADDED, playing
from .items import (
    DAY,
    EPISODE,
    FILM,
    SERIES,
    Item,
    Reading,
    User,
    item_id,
    origin_of,
    read_items,
    read_users,
)
from .webhook import Webhooks

LONG: Final = 60.0
"""Seconds for what makes the server work."""
FIRST_PAGE: Final = 20
"""Rows of a first look: of 600 bytes each, they stay under 20 kB."""
PAGE: Final = 200
MAX_PAGES: Final = 10
AT_ONCE: Final = 50
"""Items or titles that one call asks for."""
OVERLAP: Final = 30.0
"""Seconds that looks overlap: what is being saved has its date before it can be seen."""
MANY: Final = 100
"""More questions than that are left to the next sync: a library is being added."""
FEW: Final = 25
"""Known items that changed are asked for if they are no more: else metadata are refreshed."""
KEPT: Final = 2000
"""Series whose ids are remembered."""
SETTLES: Final = 900.0
"""Seconds after which an episode without a number is believed to have none."""
NOT_READY: Final = 60.0
HISTORY: Final = 7 * DAY
MAX_HISTORY_PAGES: Final = 20

_TYPES: Final[Mapping[str, MediaType | None]] = {
    "movies": MediaType.MOVIE,
    "tvshows": MediaType.SERIES,
    "mixed": None,
    "": None,
}
_NEWEST_FIRST: Final[Params] = {"SortBy": "DateCreated", "SortOrder": "Descending"}
_BARE: Final[Params] = {"EnableImages": False, "EnableUserData": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """One page of items."""

    items: tuple[Item, ...]
    rows: int
    """Rows on it; some may be of no use."""
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What there is of a title: versions of a film, or series by their ids on the server."""

    films: Sequence[Item] = ()
    shows: Sequence[str] = ()


_NOTHING: Final = _Found()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the last look ended, by the server's clock."""

    since: float | None = None
    watched: float | None = None
    start: int = 0
    """Rows that were read of all that was saved since; 0: all of them were."""
    begun: float | None = None
    """Where the look after that begins, once all of them are read."""

    @classmethod
    def of(cls, cursor: Cursor) -> _Place:
        """Read a cursor."""
        return cls(
            since=payload.number(cursor.get("since")),
            watched=payload.number(cursor.get("watched")),
            start=payload.counting(cursor.get("start")) or 0,
            begun=payload.number(cursor.get("begun")),
        )

    def cursor(self) -> dict[str, Json]:
        """Write the cursor."""
        return {
            "since": self.since,
            "watched": self.watched,
            "start": self.start,
            "begun": self.begun,
        }


class MediaBrowserClient(Client, InstallsWebhook, KnowsUsers, ScansFolders, ABC):
    """The API half of both connectors."""

    kind: ClassVar[str]
    product: ClassVar[str]
    facts: ClassVar[str]
    """Fields of an item beyond those that always come."""
    sessions: ClassVar[Params]

    def __init__(
        self,
        session: Session,
        connection: Connection,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Talk to one server."""
        self._http = JsonClient(
            session, connection, headers=self.headers(connection.api_key), clock=clock
        )
        self._webhooks = self.webhooks(self._http)
        self._clock = clock
        self._reader: str | None = None
        """The user whose view of the libraries is read: a key has none."""

    # --- what differs ----------------------------------------------------------------------------

    @abstractmethod
    def headers(self, key: str) -> Mapping[str, str]:
        """Return how to show the key."""

    @abstractmethod
    def webhooks(self, http: JsonClient) -> Webhooks:
        """Return our webhook there."""

    @abstractmethod
    def listing(self, user: str) -> tuple[str, Params]:
        """Return where a user's items are listed."""

    @property
    @abstractmethod
    def sure(self) -> bool:
        """Tell whether what is not found is not there."""

    @abstractmethod
    async def known(self, item: str) -> IndexEntry | None:
        """Return what is remembered of a film or series."""

    @abstractmethod
    async def is_new(self, item: Item) -> bool:
        """Tell whether a film or series is not remembered, although all of them should be."""

    @abstractmethod
    async def remember(self, items: Sequence[Item]) -> None:
        """Remember films and series."""

    @abstractmethod
    async def forget(self, items: Sequence[str]) -> None:
        """Forget films and series that are gone."""

    @abstractmethod
    def note_look(self, until: float, rest: int) -> None:
        """Note until when everything new was read; with ``rest``, that there is more of it."""

    @abstractmethod
    async def films(self, titles: Sequence[TitleRef]) -> Mapping[TitleRef, Sequence[Item]]:
        """Read the films that have any of a title's ids, with their versions."""

    @abstractmethod
    async def shows(self, titles: Sequence[TitleRef]) -> Mapping[TitleRef, Sequence[str]]:
        """Return the series that have any of a title's ids."""

    # --- who it is -------------------------------------------------------------------------------

    @property
    @override
    def clock_offset(self) -> float:
        """Seconds that the server's clock is ahead of ours."""
        return self._http.clock_offset

    @override
    async def identify(self) -> Identity:
        """Say who answers; only a call that needs a key proves it."""
        try:
            public = payload.mapping(await self._http.get("/System/Info/Public"))
        except (BadAnswerError, NotFoundError, AuthError, ForbiddenError) as err:
            raise WrongServiceError from err
        product = _product(public)
        server_id = item_id(public.get("Id"))
        if product != self.product or server_id is None:
            raise WrongServiceError(product)
        await self._http.get("/System/Info")
        return Identity(
            kind=self.kind,
            product=product,
            name=payload.text(public.get("ServerName"), 64) or product,
            version=payload.text(public.get("Version"), 32) or "",
            server_id=server_id,
        )

    async def users(self) -> tuple[User, ...]:
        """Read the people who may sign in."""
        users = read_users(await self._http.get("/Users"))
        if not users:
            raise BadAnswerError("no users")
        return users

    @override
    async def known_users(self) -> tuple[KnownUser, ...]:
        """Return the users who are not locked."""
        return tuple(KnownUser(id=user.id, name=user.name) for user in await self.users())

    async def reader(self) -> str:
        """Return the user who sees most: an administrator of all libraries, if there is one."""
        if self._reader is None:
            best = max(await self.users(), key=lambda user: (user.sees_all, user.administrator))
            self._reader = best.id
        return self._reader

    # --- items -----------------------------------------------------------------------------------

    async def page(self, params: Params, *, user: str | None = None, wait: float = LONG) -> _Page:
        """Read a page of items."""
        path, scope = self.listing(user or await self.reader())
        try:
            body = await self._http.get(path, {"Recursive": True, **scope, **params}, wait=wait)
        except NotFoundError:
            # The user is gone.
            self._reader = None
            raise
        return _page(body)

    async def read(self, items: Iterable[str], *, versions: bool = False) -> tuple[Item, ...]:
        """Read items by their ids; what is not there is not in the answer."""
        wanted = list(dict.fromkeys(items))
        found: list[Item] = []
        for first in range(0, len(wanted), AT_ONCE):
            some = wanted[first : first + AT_ONCE]
            page = await self.page(
                {"Ids": ",".join(some), "Fields": self.fields(versions), **_BARE}
            )
            found += [item for item in page.items if item.id in some]
        await self.remember(found)
        gone = set(wanted).difference(item.id for item in found)
        if gone:
            await self.forget(sorted(gone))
        return tuple(found)

    def fields(self, versions: bool) -> str:
        """Return which fields of items are wanted."""
        return f"{self.facts},MediaSources" if versions else self.facts

    async def saved_since(self, since: float, start: int = 0) -> tuple[tuple[Item, ...], int]:
        """Read what was added or changed since a time of the server's clock.

        Not by the date of adding, which may be that of the file. The second value is how
        many rows were read, if there are more; else 0.
        """
        found: list[Item] = []
        size = PAGE if start else FIRST_PAGE
        for _ in range(MAX_PAGES):
            page = await self.page(
                {
                    "MinDateLastSaved": _iso(since),
                    "IncludeItemTypes": "Movie,Series,Episode",
                    "Fields": self.facts,
                    "StartIndex": start,
                    "Limit": size,
                    **_NEWEST_FIRST,
                    **_BARE,
                }
            )
            found += page.items
            start += page.rows
            if page.rows < size or page.total == start:
                return tuple(found), 0
            size = PAGE
        return tuple(found), start

    async def _episodes(self, series: str, seasons: Sequence[int]) -> tuple[Item, ...]:
        """Read the episodes of a series that there are, with their versions."""
        params: Params = {
            "UserId": await self.reader(),
            "Season": seasons[0] if len(seasons) == 1 else None,
            "Fields": self.fields(versions=True),
            "Limit": PAGE,
            **_BARE,
        }
        path = f"/Shows/{series}/Episodes"
        found: dict[str, Item] = {}
        start = 0
        while True:
            page = _page(await self._http.get(path, {**params, "StartIndex": start}, wait=LONG))
            known = len(found)
            found.update({item.id: item for item in page.items if item.kind == EPISODE})
            start += page.rows
            if page.rows < PAGE or len(found) == known or start >= payload.MAX_ITEMS:
                return tuple(found.values())

    # --- polling ---------------------------------------------------------------------------------

    @override
    async def baseline(self, service: Service, now: float, *, finished_days: int) -> Poll:
        """Begin at now: what is there already is found by the ids of what is open."""
        count = await self._playing()
        at = now + self.clock_offset
        return Poll(cursor=_Place(since=at, watched=at).cursor(), playing=count)

    @override
    async def poll(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Read what was saved since the last look, and count what is being played."""
        place = _Place.of(cursor)
        if place.since is None:
            begun = await self.baseline(service, now, finished_days=0)
            return replace(begun, cursor={**begun.cursor, "watched": place.watched})
        since = min(place.since, now + self.clock_offset)
        found, rest = await self.saved_since(since, place.start)
        fresh, changed = await self._sorted_out(found, since)
        await self.remember(found)
        until = self._here(now) if place.begun is None else place.begun
        self.note_look(until, rest)
        questions = _questions(service, fresh)[:MANY]
        more = _questions(service, changed)
        if len(more) <= FEW:
            questions += [one for one in more if one not in questions]
        after = (
            replace(place, start=rest, begun=until)
            if rest
            else _Place(since=until, watched=place.watched)
        )
        return Poll(
            questions=tuple(questions),
            sightings=() if place.start else tuple(self._sightings(fresh, since)),
            cursor=after.cursor(),
            playing=await self._playing(),
            checked=len(found),
        )

    def _here(self, now: float) -> float:
        """Return from when on the next look reads, by the server's clock."""
        return now + self.clock_offset - OVERLAP

    async def _playing(self) -> int:
        return playing(await self._http.get("/Sessions", self.sessions))

    async def _sorted_out(
        self, found: Sequence[Item], since: float
    ) -> tuple[list[Item], list[Item]]:
        """Tell what is new from what changed, apart from what cannot be told by ids yet.

        When its ids come, it is saved again.
        """
        nameless = {item.id for item in found if item.kind == SERIES and not item.ids}
        whole: set[str] = set()
        fresh: list[Item] = []
        changed: list[Item] = []
        for item in found:
            if item.kind == EPISODE:
                wanted = bool(item.tiers) and item.series not in nameless
            else:
                # Episodes of a known series are saved by themselves.
                wanted = bool(item.ids) and (item.kind == FILM or await self.known(item.id) is None)
            if not wanted:
                continue
            new = item.added_at is not None and item.added_at >= since
            if new or await self.is_new(item):
                fresh.append(item)
                whole |= {item.id} if item.kind == SERIES else set()
            else:
                changed.append(item)
        # A new series is asked for as a whole, another one by the seasons that changed.
        told = {item.series for item in (*fresh, *changed)}
        return (
            [item for item in fresh if item.series not in whole],
            [item for item in changed if item.series not in whole and item.id not in told],
        )

    def _sightings(self, items: Iterable[Item], since: float) -> Iterable[Sighting]:
        """Say what our webhook should have told."""
        for item in items:
            if item.kind != SERIES and item.added_at is not None and item.added_at >= since:
                yield Sighting(event=ADDED, key=item.id, at=item.added_at - self.clock_offset)

    # --- sync ------------------------------------------------------------------------------------

    @override
    async def sync(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Do the light poll, look at every open title, and at what was watched since."""
        poll = await self.poll(service, cursor, view, now)
        reports: list[AnyReport] = []
        found = await self._there(view.open_titles)
        for title in view.open_titles:
            there, played = found.get(title, _NOTHING), view.played_seasons.get(title, ())
            reports += await self._reports(service, title, there, (), now, played=played)
        since = max(_Place.of(cursor).watched or 0.0, now + self.clock_offset - HISTORY)
        reports += await self._history(service, since, now)
        return replace(
            poll,
            reports=(*poll.reports, *reports),
            cursor={**poll.cursor, "watched": self._here(now)},
            checked=poll.checked + len(view.open_titles),
        )

    async def _there(self, titles: Sequence[TitleRef]) -> Mapping[TitleRef, _Found]:
        """Find titles: films with their versions, series by their ids on the server."""
        named = [title for title in titles if title.ids]
        films = [title for title in named if title.media_type is MediaType.MOVIE]
        shows = [title for title in named if title.media_type is MediaType.SERIES]
        found: dict[TitleRef, _Found] = {}
        if films:
            there = await self.films(films)
            found.update({title: _Found(films=items) for title, items in there.items()})
        if shows:
            known = await self.shows(shows)
            found.update({title: _Found(shows=items) for title, items in known.items()})
        return found

    async def _history(self, service: Service, since: float, now: float) -> list[WatchReport]:
        """Read what every user watched since; an item says when it was watched last."""
        seen = [
            (user.id, item)
            for user in await self.users()
            for item in await self._watched(user.id, since)
        ]
        wanted = {item.series for _, item in seen if item.kind == EPISODE and item.series}
        titles = await self._titles(sorted(wanted))
        reports = []
        for user, item in seen:
            title = item.title if item.kind == FILM else titles.get(item.series or "")
            parts = item.numbers.parts if item.kind == EPISODE else ()
            if title is None or not title.ids or (item.kind == EPISODE and not parts):
                continue
            moment = (item.watched_at or now) - self.clock_offset
            reports.append(
                WatchReport(
                    origin=origin_of(service, Via.POLL),
                    at=now,
                    happened_at=min(moment, now),
                    title=title,
                    confirmed=True,
                    viewer=f"{item_id(service.server_id)}:{user}",
                    watched=True,
                    parts=parts,
                )
            )
        return reports

    async def _watched(self, user: str, since: float) -> list[Item]:
        """Read what one user watched since, the newest first."""
        found: list[Item] = []
        start, size = 0, FIRST_PAGE
        for _ in range(MAX_HISTORY_PAGES):
            page = await self.page(
                {
                    "IsPlayed": True,
                    "IncludeItemTypes": "Movie,Episode",
                    "SortBy": "DatePlayed",
                    "SortOrder": "Descending",
                    "Fields": self.facts,
                    "EnableImages": False,
                    "EnableUserData": True,
                    "StartIndex": start,
                    "Limit": size,
                },
                user=user,
            )
            news = [item for item in page.items if (item.watched_at or 0.0) >= since]
            found += news
            if page.rows < size or len(news) < len(page.items):
                break
            start += page.rows
            size = PAGE
        return found

    async def _titles(self, series: Sequence[str]) -> dict[str, TitleRef]:
        """Return series by their ids on the server; unknown ones are read together."""
        found: dict[str, TitleRef] = {}
        unknown: list[str] = []
        for one in series:
            entry = await self.known(one)
            if entry is None:
                unknown.append(one)
            else:
                found[one] = TitleRef(media_type=entry.media_type, ids=entry.ids)
        for item in await self.read(unknown):
            found[item.id] = item.title
        return found

    # --- questions -------------------------------------------------------------------------------

    @override
    async def answer(
        self, service: Service, question: Question, now: float
    ) -> tuple[AnyReport, ...]:
        """Read what is there under one of the server's ids, or of a title."""
        match question.kind:
            case QuestionKind.ITEM if (item := item_id(question.item)) is not None:
                return await self._answer_item(service, question, item, now)
            case QuestionKind.AVAILABILITY if question.title is not None:
                return await self._answer_title(service, question.title, question.seasons, now)
            case _:
                return ()

    async def _answer_item(
        self, service: Service, question: Question, item: str, now: float
    ) -> tuple[AnyReport, ...]:
        about, seasons = question.about, question.seasons
        parts = () if about is None else about.parts
        entry = await self.known(item)
        if entry is not None:
            title = TitleRef(media_type=entry.media_type, ids=entry.ids)
        else:
            found = next(iter(await self.read((item,))), None)
            if found is None:
                return ()
            title = found.title
            if found.kind not in {FILM, SERIES}:
                parts = parts or found.numbers.parts
                if not seasons and found.numbers.season is not None:
                    seasons = (found.numbers.season,)
                titles = await self._titles([found.series] if found.series else [])
                title = titles.get(found.series or "", title)
            if not title.ids:
                raise NotReadyError("no ids", retry_after=NOT_READY)
        if about is None:
            return await self._answer_title(
                service, title, seasons, now, item=item if entry else None
            )
        series = title.media_type is MediaType.SERIES
        if series and not parts:
            raise NotReadyError("no number", retry_after=NOT_READY)
        told = replace(
            about,
            title=replace(title, name=title.name or about.title.name),
            parts=parts if series else (),
        )
        # Reading a whole season for each of its episodes would be a burden.
        there = () if series else await self._answer_title(service, title, (), now)
        return (told, *there)

    async def _answer_title(
        self,
        service: Service,
        title: TitleRef,
        seasons: Sequence[int],
        now: float,
        *,
        item: str | None = None,
    ) -> tuple[AnyReport, ...]:
        """Say what there is of a title; ``item`` should be among it."""
        found = (await self._there((title,))).get(title, _NOTHING)
        if item is not None and item not in {*found.shows, *(film.id for film in found.films)}:
            await self.forget((item,))
        return await self._reports(service, title, found, seasons, now, settled=now - SETTLES)

    async def _reports(
        self,
        service: Service,
        title: TitleRef,
        found: _Found,
        seasons: Sequence[int],
        now: float,
        *,
        settled: float | None = None,
        played: Sequence[int] = (),
    ) -> tuple[AnyReport, ...]:
        """Say what of a title can be played, and what of it could be ``played`` and is gone.

        An episode that was added after ``settled`` may get its number yet.
        """
        reading = Reading(
            origin=origin_of(service, Via.POLL), title=title, now=now, ahead=self.clock_offset
        )
        if found.films:
            return reading.film(found.films)
        episodes: list[Item] = []
        there = False
        for one in found.shows:
            try:
                episodes += await self._episodes(one, seasons)
            except NotFoundError:
                await self.forget((one,))
            else:
                there = True
        if not there:
            return reading.absent(seasons) if self.sure and title.ids else ()
        if settled is not None and any(
            episode.tiers
            and not episode.numbers.parts
            and (episode.added_at or 0.0) - self.clock_offset > settled
            for episode in episodes
        ):
            raise NotReadyError("no number", retry_after=NOT_READY)
        return reading.series(episodes, seasons, played=played if self.sure else ())

    # --- folders ---------------------------------------------------------------------------------

    @override
    async def libraries(self) -> tuple[Library, ...]:
        """Return the libraries of films and series."""
        return tuple(
            library for row in await self.folders() if (library := _library(row)) is not None
        )

    async def folders(self) -> tuple[payload.Object, ...]:
        """Read the libraries with where their files are."""
        body = await self._http.get("/Library/VirtualFolders")
        return payload.rows(body)

    @override
    async def scan(self, library: Library, folder: str | None) -> None:
        """Have a folder looked into, or a whole library."""
        if folder is None:
            await self._http.send(
                "POST",
                f"/Items/{library.id}/Refresh",
                params={
                    "Recursive": True,
                    "MetadataRefreshMode": "Default",
                    "ImageRefreshMode": "Default",
                },
            )
            return
        await self._http.send(
            "POST",
            "/Library/Media/Updated",
            body={"Updates": [{"Path": folder, "UpdateType": "Created"}]},
        )

    # --- the webhook -----------------------------------------------------------------------------

    @override
    async def read_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Read our webhook back."""
        return await self._webhooks.read(target)

    @override
    async def install_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Make the server hold our webhook as wanted."""
        return await self._webhooks.install(target)

    @override
    async def test_webhook(self, target: WebhookTarget) -> None:
        """Have the server send its test, if it has one."""
        await self._webhooks.test(target)

    @override
    async def remove_webhook(self, target: WebhookTarget) -> None:
        """Remove our webhook."""
        await self._webhooks.remove(target)


def _page(body: Json) -> _Page:
    found = payload.mapping(body)
    if "Items" not in found:
        raise BadAnswerError("no list of items")
    return _Page(
        items=read_items(found),
        rows=len(payload.items(found["Items"])),
        total=payload.counting(found.get("TotalRecordCount")) or 0,
    )


def _product(public: payload.Object) -> str:
    """Tell the two apart: Jellyfin says what it is."""
    said = payload.text(public.get("ProductName"), 32) or ""
    if "jellyfin" in said.casefold():
        return "Jellyfin"
    return said or ("Emby" if "ServerName" in public else "")


def _library(row: payload.Object) -> Library | None:
    kind = payload.word(row.get("CollectionType"))
    found = item_id(row.get("ItemId"))
    if kind not in _TYPES or found is None:
        return None
    return Library(
        id=found,
        name=payload.text(row.get("Name"), 64) or found,
        media_type=_TYPES[kind],
        folders=tuple(
            folder
            for one in payload.items(row.get("Locations"))
            if (folder := payload.text(one, payload.MAX_TEXT)) is not None
        ),
    )


def _questions(service: Service, items: Iterable[Item]) -> list[Question]:
    """Ask for films and series by their ids, for episodes by their seasons, each once."""
    asked = {
        (item.series, item.numbers.season) if item.kind == EPISODE else (item.id, None): None
        for item in items
        if item.kind != EPISODE or item.series is not None
    }
    return [
        Question(
            service=service.id,
            kind=QuestionKind.ITEM,
            item=item,
            seasons=() if season is None else (season,),
        )
        for item, season in asked
    ]


def entry_of(item: Item) -> IndexEntry | None:
    """Return what is remembered of a film or a series with ids."""
    if item.kind not in {FILM, SERIES} or not item.ids:
        return None
    return IndexEntry(item=item.id, media_type=item.media_type, ids=item.ids)


def share_ids(one: ExternalIds, other: ExternalIds) -> bool:
    """Tell whether two titles of one kind have an id in common."""
    return not set(one.items()).isdisjoint(other.items())


def _iso(moment: float) -> str:
    """Write a moment as .NET reads it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
