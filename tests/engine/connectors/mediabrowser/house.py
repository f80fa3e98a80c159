"""A media server, its disk, and a client that talks to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    ExternalIds,
    IndexEntry,
    MediaType,
    PartRef,
    PlayableReport,
    Question,
    QuestionKind,
    Role,
    Service,
    Tier,
    TitleRef,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import (
    Cursor,
    Delivery,
    Poll,
    PollView,
    WebhookTarget,
)
from custom_components.media_arrivals.engine.connectors.emby.client import EmbyClient
from custom_components.media_arrivals.engine.connectors.jellyfin.client import JellyfinClient
from simulator import Stack
from simulator.emby import EmbyDouble
from simulator.jellyfin import JellyfinDouble
from simulator.shelf import ShelfFile

FILM = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=880010, imdb="tt9900010"))
SHOW = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=470021))
# The number of a film, and of another series.
NAMESAKE = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tmdb=880010))


@dataclass
class MemoryIndex:
    """Which item has which ids."""

    entries: dict[str, IndexEntry] = field(default_factory=dict)

    async def find(self, media_type: MediaType, ids: ExternalIds) -> tuple[str, ...]:
        return tuple(
            entry.item
            for entry in self.entries.values()
            if entry.media_type is media_type and set(entry.ids.items()) & set(ids.items())
        )

    async def ids_of(self, item: str) -> IndexEntry | None:
        return self.entries.get(item)

    async def put(self, entries: Sequence[IndexEntry]) -> None:
        self.entries.update((entry.item, entry) for entry in entries)

    async def drop(self, items: Sequence[str]) -> None:
        for item in items:
            self.entries.pop(item, None)


@dataclass
class Receiver:
    """Takes what is sent to our webhook."""

    base: str = ""
    received: list[tuple[dict[str, str], Delivery]] = field(default_factory=list)
    """Headers and delivery of each call."""

    async def take(self, request: web.Request) -> web.Response:
        delivery = Delivery(
            body=await request.read(),
            received_at=2_000_000_000.0,
            content_type=request.headers.get("Content-Type", ""),
            user_agent=request.headers.get("User-Agent", ""),
        )
        self.received.append((dict(request.headers), delivery))
        return web.Response()

    def target(self, **changes: Any) -> WebhookTarget:
        """Return our webhook as we want it."""
        webhook_id = changes.pop("webhook_id", "c0ffee")
        values: dict[str, Any] = {
            "url": f"{self.base}/api/webhook/{webhook_id}",
            "webhook_id": webhook_id,
            "username": "media_arrivals",
            "secret": "s3cret",
            "instance_id": "0123456789abcdef",
        }
        return WebhookTarget(**{**values, **changes})


@dataclass
class House:
    """One media server and what we know of it."""

    stack: Stack
    server: JellyfinDouble | EmbyDouble
    client: JellyfinClient | EmbyClient
    cursor: Cursor = field(default_factory=dict)

    @property
    def service(self) -> Service:
        return Service(
            id=f"entry-{self.server.kind}",
            kind=self.server.kind,
            role=Role.PLAYBACK,
            server_id=self.server.server_id,
        )

    @property
    def now(self) -> float:
        return self.stack.clock.now().timestamp()

    def viewer(self, name: str) -> str:
        return f"{self.server.server_id}:{self.server.user(name).id}"

    def calls(self) -> int:
        return len(self.server.calls)

    # --- the disk ---------------------------------------------------------------------------

    def put(self, path: str, **known: Any) -> ShelfFile:
        file = ShelfFile(path=path, **{"added_at": self.stack.clock.now(), "year": 2024, **known})
        self.stack.shelf.put(file)
        return file

    def put_film(self, height: int = 1080, *, root: str = "/movies", **changes: Any) -> ShelfFile:
        known: dict[str, Any] = {
            "media_type": "movie",
            "title": "Silver Ferry",
            "tmdb_id": 880010,
            "imdb_id": "tt9900010",
            "height": height,
        }
        path = f"{root}/Silver Ferry (2024)/ferry-{height}.mkv"
        return self.put(path, **{**known, **changes})

    def put_episodes(
        self, season: int, *numbers: int, height: int = 1080, root: str = "/tv", **changes: Any
    ) -> None:
        for number in numbers:
            known: dict[str, Any] = {
                "media_type": "series",
                "title": "Tide House",
                "tvdb_id": 470021,
                "tmdb_id": 55,
                "season": season,
                "episode": number,
                "height": height,
            }
            path = f"{root}/Tide House/S{season:02d}E{number:02d}.mkv"
            self.put(path, **{**known, **changes})

    # --- asking -------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Enter all that there is, and begin at now."""
        self.stack.clock.advance(60)
        if isinstance(self.client, JellyfinClient):
            await self.enter_all(self.client)
        baseline = await self.client.baseline(self.service, self.now, finished_days=30)
        self.cursor = baseline.cursor
        self.stack.clock.advance(60)
        self.server.reset_counts()

    async def enter_all(self, client: JellyfinClient) -> None:
        index = client.index
        assert index is not None
        resume = None
        while True:
            page = await client.index_page(resume)
            await index.put(page.entries)
            resume = page.resume
            if resume is None:
                break
        client.index_complete = True

    async def poll(self) -> Poll:
        found = await self.client.poll(self.service, self.cursor, PollView(), self.now)
        self.cursor = found.cursor
        return found

    async def sync(self, *titles: TitleRef) -> Poll:
        view = PollView(open_titles=titles)
        found = await self.client.sync(self.service, self.cursor, view, self.now)
        self.cursor = found.cursor
        return found

    async def ask(self, question: Question) -> tuple[AnyReport, ...]:
        return await self.client.answer(self.service, question, self.now)

    async def ask_item(
        self, item: str, *seasons: int, about: WatchReport | None = None
    ) -> tuple[AnyReport, ...]:
        return await self.ask(self.question(item, *seasons, about=about))

    def question(self, item: str, *seasons: int, about: WatchReport | None = None) -> Question:
        return Question(
            service=self.service.id,
            kind=QuestionKind.ITEM,
            item=item,
            seasons=seasons,
            about=about,
        )

    async def ask_title(self, title: TitleRef, *seasons: int) -> tuple[AnyReport, ...]:
        return await self.ask(
            Question(
                service=self.service.id,
                kind=QuestionKind.AVAILABILITY,
                title=title,
                seasons=seasons,
            )
        )


def playable(reports: Sequence[AnyReport]) -> dict[tuple[int | None, Tier], list[int | str] | bool]:
    """Sum up which parts, or whether a film, can be played; every report must be a whole answer."""
    found: dict[tuple[int | None, Tier], list[int | str] | bool] = {}
    for report in reports:
        assert isinstance(report, PlayableReport)
        assert report.complete
        assert report.confirmed
        if report.title.media_type is MediaType.MOVIE:
            assert not report.seasons
            assert not report.parts
            found[None, report.tier] = report.playable
        else:
            (season,) = report.seasons
            assert report.playable is bool(report.parts)
            assert {part.season for part in report.parts} <= {season}
            found[season, report.tier] = [
                part.number if part.number is not None else str(part.air_date)
                for part in report.parts
            ]
    return found


def parts(season: int, *numbers: int) -> tuple[PartRef, ...]:
    return tuple(PartRef(season=season, number=number) for number in numbers)


def without_name(report: WatchReport) -> WatchReport:
    """Return a report whose title has ids only."""
    title = TitleRef(media_type=report.title.media_type, ids=report.title.ids)
    return replace(report, title=title)
