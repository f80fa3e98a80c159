"""What the simulated Jellyfin and Emby share: libraries, items, users, playing, scans."""

import asyncio
import json
import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.utils import format_datetime
from typing import Any, override

from aiohttp import web

from .clock import NEVER, Clock, net_date, parse_date, to_the_second
from .delivery import DeliveryError
from .faults import Delivery, Json
from .library import invented_title
from .service import Handler, HttpDouble, flag, json_answer, query, read_json
from .shelf import Shelf, ShelfFile, mounted, unmounted

KINDS = ("Movie", "Series", "Season", "Episode", "Audio")
TICKS = 10_000_000
LENGTH = 52 * 60 * TICKS


@dataclass(slots=True, kw_only=True)
class MediaLibrary:
    """One library, and where on the shelf its files are."""

    id: str
    name: str
    kind: str | None
    """``movies``, ``tvshows``, ``music`` or ``None`` for mixed ones."""
    root: str


@dataclass(slots=True, kw_only=True, eq=False)
class MediaItem:
    """A film, a series, a season, an episode or a song."""

    id: str
    kind: str
    name: str
    library: MediaLibrary
    created: datetime
    saved: datetime
    known_at: datetime
    """When its metadata are there."""
    year: int | None = None
    providers: dict[str, str] = field(default_factory=dict)
    series: MediaItem | None = None
    season: int | None = None
    number: int | None = None
    number_end: int | None = None
    air_date: date | None = None
    files: dict[str, ShelfFile] = field(default_factory=dict)
    """Its versions by path; a missing episode has none."""

    @property
    def is_folder(self) -> bool:
        """Whether it holds other items."""
        return self.kind in {"Series", "Season"}


@dataclass(slots=True, kw_only=True)
class MediaUser:
    """Somebody who may sign in."""

    id: str
    name: str
    administrator: bool = False
    disabled: bool = False
    all_folders: bool = True
    played: dict[str, datetime] = field(default_factory=dict)
    """Item id -> when it was watched last."""


@dataclass(slots=True, kw_only=True, eq=False)
class MediaSession:
    """Somebody playing something."""

    id: str
    user: MediaUser
    item: MediaItem
    active: datetime
    position: int = 0
    paused: bool = False


class MediaBrowserDouble(HttpDouble):
    """A Jellyfin or an Emby that sees the disk of the house."""

    product = ""
    filters_sessions = False

    def __init__(
        self,
        name: str,
        clock: Clock,
        shelf: Shelf,
        *,
        version: str,
        port: int = 0,
        url_base: str = "",
        finds_after: float | None = None,
        ids_after: float = 0.0,
        file_dates: bool = False,
    ) -> None:
        """Prepare a server with two libraries of films, two of series, and one of music.

        ``finds_after``: seconds until it notices a file by itself, or after it was told to
        look; ``None``: only when told, and at once. ``ids_after``: seconds until an item that
        was found has its ids. ``file_dates``: things were added when their file was made.
        """
        super().__init__(name, clock, port=port, url_base=url_base)
        self.version = version
        self.shelf = shelf
        self.finds_after = finds_after
        self.ids_after = ids_after
        self.file_dates = file_dates
        self.ahead = 0.0
        """Seconds that the server's clock is ahead."""
        self._last = 0
        self.server_id = self.new_user_id("server")
        self.api_key = self.new_user_id("key")
        self.libraries = [
            MediaLibrary(id=self.new_id(), name=label, kind=kind, root=root)
            for label, kind, root in (
                ("Films", "movies", "/movies"),
                ("Films 4K", "movies", "/movies-4k"),
                ("Series", "tvshows", "/tv"),
                ("Series 4K", "tvshows", "/tv-4k"),
                ("Music", "music", "/music"),
            )
        ]
        self.items: dict[str, MediaItem] = {}
        self._paths: dict[str, MediaItem] = {}
        """What each file belongs to."""
        self._folders: dict[tuple[str, str], MediaItem] = {}
        """Library and folder -> the film or series that is in it."""
        self.users: list[MediaUser] = []
        self.add_user("Anna", administrator=True)
        self.add_user("Ben")
        self.playing: list[MediaSession] = []
        shelf.listeners.append(self._file_changed)

    def now(self) -> datetime:
        """Return the time by the server's own clock."""
        return self.clock.now() + timedelta(seconds=self.ahead)

    @override
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await super()._answer(request, handler)
        answer.headers["Date"] = format_datetime(self.now(), usegmt=True)
        return answer

    # --- what differs -------------------------------------------------------------------

    def new_id(self) -> str:
        """Give out an id for an item."""
        raise NotImplementedError

    def new_user_id(self, name: str) -> str:
        """Give out an id for a user or the server."""
        raise NotImplementedError

    def key_of(self, request: web.Request) -> str | None:
        """Return the key that a caller shows."""
        raise NotImplementedError

    async def tell(self, event: str, item: MediaItem, **details: Any) -> None:
        """Tell webhooks of an event about an item."""
        raise NotImplementedError

    # --- people -------------------------------------------------------------------------

    def add_user(self, name: str, **options: Any) -> MediaUser:
        """Let somebody sign in."""
        user = MediaUser(id=self.new_user_id(name), name=name, **options)
        self.users.append(user)
        return user

    def user(self, name: str) -> MediaUser:
        """Return a user by name."""
        return next(user for user in self.users if user.name == name)

    # --- the disk -------------------------------------------------------------------------

    def _file_changed(self, path: str, _file: ShelfFile | None) -> None:
        if self.finds_after is not None and self.started_once:
            self.spawn(self._scan_later(posixpath.dirname(path)))

    async def _scan_later(self, folder: str) -> None:
        await asyncio.sleep(self.finds_after or 0.0)
        await self.scan(folder)

    async def scan(self, folder: str | None = None) -> None:
        """Look what is in a folder of the shelf, or in all libraries, and tell what changed."""
        if folder is not None:
            folder = unmounted(folder) or folder
        new: list[MediaItem] = []
        gone: list[MediaItem] = []
        for library in self.libraries:
            if folder is not None and not f"{folder}/".startswith(f"{library.root}/"):
                continue
            top = folder or library.root
            there = {file.path: file for file in self.shelf.under(top)}
            gone += self._drop_missing(library, top, there)
            for file in there.values():
                new += self._enter(library, file)
        for item in new:
            await self._tell_added(item)
        for item in gone:
            await self.tell("deleted", item)

    async def _tell_added(self, item: MediaItem) -> None:
        await self.tell("added", item)

    def _drop_missing(
        self, library: MediaLibrary, top: str, there: dict[str, ShelfFile]
    ) -> list[MediaItem]:
        gone = []
        for path, item in list(self._paths.items()):
            if item.library is library and path not in there and f"{path}/".startswith(f"{top}/"):
                del self._paths[path]
                del item.files[path]
                item.saved = self.now()
                if not item.files:
                    gone += self._remove(item)
        return gone

    def _remove(self, item: MediaItem) -> list[MediaItem]:
        """Remove an item, and what has become empty by it."""
        gone = [item]
        if item.series is not None:
            rest = [
                one for one in self.items.values() if one.series is item.series and one is not item
            ]
            episodes = [one for one in rest if one.kind == "Episode"]
            if not any(one.season == item.season for one in episodes):
                gone += [one for one in rest if one.kind == "Season" and one.season == item.season]
            if not episodes:
                gone.append(item.series)
        for one in gone:
            del self.items[one.id]
            for path in one.files:
                self._paths.pop(path, None)
        self._folders = {key: one for key, one in self._folders.items() if one not in gone}
        return gone

    def _enter(self, library: MediaLibrary, file: ShelfFile) -> list[MediaItem]:
        """Enter a file; return the items that are new by it."""
        known = self._paths.get(file.path)
        if known is not None:
            if known.files[file.path] != file:
                self._put(known, file)
            return []
        folder = file.path.removeprefix(library.root).strip("/").partition("/")[0]
        place = (library.id, folder)
        kind = "Movie" if file.media_type == "movie" else "Series"
        new = []
        top = self._folders.get(place)
        if top is None:
            top = self._folders[place] = self._item(library, kind, file, name=file.title)
            new.append(top)
        if kind == "Movie":
            # Several files in one folder are versions of one film.
            self._put(top, file)
            return new
        return [*new, *self._enter_episode(top, file)]

    def _put(self, item: MediaItem, file: ShelfFile) -> None:
        item.files[file.path] = file
        item.saved = self.now()
        self._paths[file.path] = item

    def _enter_episode(self, series: MediaItem, file: ShelfFile) -> list[MediaItem]:
        new = []
        rest = [one for one in self.items.values() if one.series is series]
        if not any(one.kind == "Season" and one.season == file.season for one in rest):
            season = self._item(series.library, "Season", file, name=f"Season {file.season}")
            season.series, season.season, season.providers = series, file.season, {}
            new.append(season)
        place = (file.season, file.episode, _day(file.air_date) if file.episode is None else None)
        for one in rest:
            aired = one.air_date if one.number is None else None
            if one.kind == "Episode" and (one.season, one.number, aired) == place:
                self._put(one, file)
                return new
        episode = self._item(series.library, "Episode", file, name=file.episode_title or "Episode")
        episode.series, episode.season, episode.number = series, file.season, file.episode
        episode.air_date = _day(file.air_date)
        # Ids of an episode are not those of its series.
        episode.providers = {"Tvdb": str(8_000_000 + len(self.items))}
        self._put(episode, file)
        series.saved = self.now()
        return [*new, episode]

    def _item(self, library: MediaLibrary, kind: str, file: ShelfFile, *, name: str) -> MediaItem:
        now = self.now()
        ids = {"Tmdb": file.tmdb_id, "Tvdb": file.tvdb_id, "Imdb": file.imdb_id}
        item = MediaItem(
            id=self.new_id(),
            kind=kind,
            name=name,
            library=library,
            created=file.added_at if self.file_dates else now,
            saved=now,
            known_at=now + timedelta(seconds=self.ids_after),
            year=file.year,
            providers={key: str(value) for key, value in ids.items() if value},
        )
        self.items[item.id] = item
        return item

    def find(
        self,
        kind: str,
        title: str | None = None,
        *,
        season: int | None = None,
        number: int | None = None,
    ) -> MediaItem:
        """Return an item by what it is."""
        return next(
            item
            for item in self.items.values()
            if item.kind == kind
            and title in {None, item.name, item.series.name if item.series else None}
            and season in {None, item.season}
            and number in {None, item.number}
        )

    def shows(self, path: str) -> bool:
        """Tell whether a file of the shelf is in a library."""
        return path in self._paths

    def fill(self, films: int = 30_000) -> None:
        """Let there have been many films for a long time; nobody is told."""
        library = self.libraries[0]
        now = self.now()
        for number in range(films):
            added = to_the_second(now - timedelta(days=30, minutes=number))
            title = invented_title(number)
            item = MediaItem(
                id=self.new_id(),
                kind="Movie",
                name=title,
                library=library,
                created=added,
                saved=added,
                known_at=added,
                year=1990 + number % 35,
                providers={"Tmdb": str(2_000_000 + number), "Imdb": f"tt{50_000_000 + number}"},
            )
            path = f"/movies/{title} {number}/film.mkv"
            item.files[path] = ShelfFile(
                path=path,
                media_type="movie",
                title=title,
                year=1990 + number % 35,
                added_at=added,
            )
            # Their files are on no disk, so that no scan misses them.
            self.items[item.id] = item

    def add_missing_episode(self, series: MediaItem, season: int, number: int) -> MediaItem:
        """Have an episode listed that there is no file of."""
        item = MediaItem(
            id=self.new_id(),
            kind="Episode",
            name="Not yet here",
            library=series.library,
            created=self.now(),
            saved=self.now(),
            known_at=self.now(),
            series=series,
            season=season,
            number=number,
        )
        self.items[item.id] = item
        return item

    async def delete(self, item: MediaItem) -> None:
        """Remove an item by hand, files and all."""
        for path in list(item.files):
            self.shelf.remove(path)
        for gone in self._remove(item):
            await self.tell("deleted", gone)

    # --- playing ----------------------------------------------------------------------------

    async def play_session(self, user: MediaUser, item: MediaItem) -> MediaSession:
        """Start playing something."""
        session = MediaSession(
            id=self.new_user_id(f"session{len(self.playing)}"),
            user=user,
            item=item,
            active=self.now(),
        )
        self.playing.append(session)
        await self.tell("start", item, user=user, session=session)
        return session

    async def stop_session(self, session: MediaSession, *, completed: bool = False) -> None:
        """Stop playing, at the end or before it."""
        self.playing.remove(session)
        if completed:
            session.user.played[session.item.id] = self.now()
        await self.tell(
            "stop", session.item, user=session.user, session=session, completed=completed
        )

    async def watch(self, user: MediaUser, item: MediaItem) -> None:
        """Watch something to its end."""
        session = await self.play_session(user, item)
        await self.stop_session(session, completed=True)

    async def mark(self, user: MediaUser, item: MediaItem, *, played: bool) -> None:
        """Mark something by hand."""
        if played:
            user.played[item.id] = self.now()
        else:
            user.played.pop(item.id, None)
        await self.tell("mark", item, user=user, played=played)

    # --- webhooks -----------------------------------------------------------------------------

    async def post(
        self, event: str, url: str, payload: Json, headers: dict[str, str], body: bytes
    ) -> None:
        """Call a webhook once; what fails is lost."""
        delivery = Delivery(
            service=self.name,
            event=event,
            url=url,
            method="POST",
            headers=tuple(headers.items()),
            body=body,
            payload=payload,
        )
        try:
            await self.sender.send(delivery)
        except DeliveryError:
            return

    # --- HTTP -----------------------------------------------------------------------------------

    @override
    def refuse(self, request: web.Request) -> web.StreamResponse | None:
        """Ask for the key, except where anybody may look."""
        if request.path == f"{self.url_base}/System/Info/Public":
            return None
        return None if self.key_of(request) == self.api_key else web.Response(status=401)

    @override
    def failure(self, status: int) -> web.StreamResponse:
        """Fail without a body, as both do."""
        return web.Response(status=status, text="Error processing request.")

    @override
    def misrouted(self, request: web.Request) -> web.StreamResponse:
        """Answer a path that the server does not know."""
        return web.Response(status=404)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        """Answer what both answer."""
        yield web.get("/System/Info/Public", self._get_public)
        yield web.get("/System/Info", self._get_info)
        yield web.get("/Users", self._get_users)
        yield web.get("/Users/{user}/Items", self._get_items)
        yield web.get("/Shows/{series}/Episodes", self._get_episodes)
        yield web.get("/Sessions", self._get_sessions)
        yield web.get("/Library/VirtualFolders", self._get_folders)
        yield web.post("/Library/Media/Updated", self._post_updated)
        yield web.post("/Items/{id}/Refresh", self._post_refresh)

    def public(self) -> Json:
        """Describe the server to anybody."""
        return {
            "LocalAddress": self.url,
            "ServerName": self.name,
            "Version": self.version,
            "Id": self.server_id,
        }

    async def _get_public(self, _request: web.Request) -> web.Response:
        return json_answer(self.public())

    async def _get_info(self, _request: web.Request) -> web.Response:
        return json_answer({**self.public(), "HasPendingRestart": False, "CanSelfRestart": True})

    async def _get_users(self, _request: web.Request) -> web.Response:
        return json_answer(
            [
                {
                    "Name": user.name,
                    "ServerId": self.server_id,
                    "Id": user.id,
                    "HasPassword": True,
                    "Policy": {
                        "IsAdministrator": user.administrator,
                        "IsDisabled": user.disabled,
                        "EnableAllFolders": user.all_folders,
                        "EnabledFolders": [],
                    },
                }
                for user in self.users
            ]
        )

    def wanted(self, request: web.Request) -> list[MediaItem]:
        """Return the items that a query is about."""
        found = list(self.items.values())
        if (ids := query(request, "Ids")) is not None:
            among = {one.replace("-", "").lower() for one in ids.split(",")}
            found = [item for item in found if item.id in among]
        if (kinds := query(request, "IncludeItemTypes")) is not None:
            found = [item for item in found if item.kind in kinds.split(",")]
        if (since := query(request, "MinDateLastSaved")) is not None:
            moment = parse_date(since)
            found = [item for item in found if self._saved(item) >= moment]
        return found

    def _saved(self, item: MediaItem) -> datetime:
        """Return when an item was written last: its metadata come in a second step."""
        if item.saved < item.known_at <= self.now():
            return item.known_at
        return item.saved

    async def _get_items(self, request: web.Request) -> web.Response:
        user = self._viewer(request)
        if user is None:
            return web.Response(status=404)
        found = self.wanted(request)
        if flag(request, "IsPlayed"):
            found = [item for item in found if item.id in user.played]
        match query(request, "SortBy"):
            case "DatePlayed":
                found.sort(key=lambda item: user.played.get(item.id, NEVER))
            case "DateCreated":
                found.sort(key=lambda item: item.created)
            case _:
                found.sort(key=lambda item: item.name)
        if query(request, "SortOrder") == "Descending":
            found.reverse()
        return self._paged(request, found, user)

    def _viewer(self, request: web.Request) -> MediaUser | None:
        wanted = request.match_info.get("user") or query(request, "UserId") or ""
        return next((one for one in self.users if one.id == wanted.replace("-", "").lower()), None)

    async def _get_episodes(self, request: web.Request) -> web.Response:
        user = self._viewer(request)
        series = self.items.get(request.match_info["series"])
        if user is None or series is None or series.kind != "Series":
            return web.Response(status=404)
        season = query(request, "Season")
        found = [
            item
            for item in self.items.values()
            if item.kind == "Episode"
            and item.series is series
            and (season is None or self.shown_season(item) == int(season))
        ]
        found.sort(key=lambda item: (item.season or 0, item.number or 0, item.name))
        return self._paged(request, found, user)

    def shown_season(self, item: MediaItem) -> int | None:
        """Return the number of an episode's season, as far as the server knows it."""
        return item.season

    def _paged(
        self, request: web.Request, found: Sequence[MediaItem], user: MediaUser
    ) -> web.Response:
        start = int(query(request, "StartIndex") or 0)
        limit = int(query(request, "Limit") or len(found))
        rows = [self.document(item, request, user) for item in found[start : start + limit]]
        return json_answer({"Items": rows, "TotalRecordCount": len(found), "StartIndex": start})

    def document(self, item: MediaItem, request: web.Request, user: MediaUser) -> Json:
        """Describe an item as the API does."""
        fields = (query(request, "Fields") or "").split(",")
        row = self.describe_item(item)
        if "ProviderIds" in fields:
            row["ProviderIds"] = self.shown_ids(item)
        if "DateCreated" in fields:
            row["DateCreated"] = net_date(item.created)
        if "MediaSources" in fields and not item.is_folder:
            row["MediaSources"] = [_source(file) for file in item.files.values()]
        if flag(request, "EnableUserData", default=True):
            played = user.played.get(item.id)
            row["UserData"] = {
                "PlaybackPositionTicks": 0,
                "PlayCount": int(played is not None),
                "IsFavorite": False,
                "Played": played is not None,
                "Key": item.id,
                **({"LastPlayedDate": net_date(played)} if played is not None else {}),
            }
        if flag(request, "EnableImages", default=True):
            row["ImageTags"] = {"Primary": f"{item.id[:8]}e1c4b1"}
            row["BackdropImageTags"] = []
        return row

    def shown_ids(self, item: MediaItem) -> dict[str, str]:
        """Return the ids of an item, as far as the server knows them."""
        return item.providers if item.known_at <= self.now() else {}

    def describe_item(self, item: MediaItem) -> Json:
        """Describe an item without what has to be asked for."""
        row: Json = {
            "Name": item.name,
            "ServerId": self.server_id,
            "Id": item.id,
            "IsFolder": item.is_folder,
            "Type": item.kind,
            "LocationType": "FileSystem" if item.files or item.is_folder else "Virtual",
        }
        if item.year is not None:
            row["ProductionYear"] = item.year
        if item.air_date is not None:
            row["PremiereDate"] = f"{item.air_date.isoformat()}T00:00:00.0000000Z"
        if not item.is_folder:
            row |= {"RunTimeTicks": LENGTH, "MediaType": "Video", "Container": "mkv"}
        if item.series is not None:
            row |= {"SeriesName": item.series.name, "SeriesId": item.series.id}
        if item.kind == "Season":
            row["IndexNumber"] = item.season
        if item.kind == "Episode":
            numbers = {
                "IndexNumber": item.number,
                "IndexNumberEnd": item.number_end,
                "ParentIndexNumber": self.shown_season(item),
            }
            row |= {key: value for key, value in numbers.items() if value is not None}
        return row

    def sessions(self, within: str | None) -> list[MediaSession]:
        """Return who plays something, and was heard of within some seconds."""
        if within is None or not self.filters_sessions:
            return self.playing
        since = self.now() - timedelta(seconds=int(within))
        return [session for session in self.playing if session.active >= since]

    async def _get_sessions(self, request: web.Request) -> web.Response:
        return json_answer(
            [
                {
                    "PlayState": {"PositionTicks": session.position, "IsPaused": session.paused},
                    "RemoteEndPoint": "192.0.2.14",
                    "Id": session.id,
                    "UserId": session.user.id,
                    "UserName": session.user.name,
                    "Client": f"{self.product} Web",
                    "LastActivityDate": net_date(session.active),
                    "DeviceName": "Television",
                    "DeviceId": "television",
                    "NowPlayingItem": self.describe_item(session.item),
                }
                for session in self.sessions(query(request, "ActiveWithinSeconds"))
            ]
        )

    async def _get_folders(self, _request: web.Request) -> web.Response:
        return json_answer([self.describe_library(library) for library in self.libraries])

    def describe_library(self, library: MediaLibrary) -> Json:
        """Describe a library."""
        row: Json = {
            "Name": library.name,
            "Locations": [mounted(library.root)],
            "ItemId": library.id,
            "RefreshStatus": "Idle",
        }
        if library.kind is not None:
            row["CollectionType"] = library.kind
        return row

    async def _post_updated(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        for row in body["Updates"]:
            self.spawn(self._scan_later(row["Path"]))
        return web.Response(status=204)

    async def _post_refresh(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        library = next((one for one in self.libraries if one.id == wanted), None)
        if library is None:
            return web.Response(status=404)
        if flag(request, "Recursive"):
            self.spawn(self._scan_later(library.root))
        return web.Response(status=204)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _source(file: ShelfFile) -> Json:
    """Describe a version with its streams; wide films have fewer lines than their name says."""
    width = {2160: 3840, 1080: 1920, 720: 1280}.get(file.height, file.height * 16 // 9)
    return {
        "Protocol": "File",
        "Id": f"{abs(hash(file.path)):032x}"[:32],
        "Path": mounted(file.path),
        "Type": "Default",
        "Container": "mkv",
        "Size": 4_000_000_000,
        "Name": posixpath.basename(file.path),
        "RunTimeTicks": LENGTH,
        "MediaStreams": [
            {
                "Codec": "hevc",
                "Type": "Video",
                "Index": 0,
                "Width": width,
                "Height": file.height * 10 // 13,
                "IsDefault": True,
            },
            {"Codec": "eac3", "Language": "eng", "Type": "Audio", "Index": 1, "Channels": 6},
            {"Codec": "subrip", "Language": "ger", "Type": "Subtitle", "Index": 2},
        ],
    }


def as_json(payload: Json) -> bytes:
    """Write a body as .NET does."""
    return json.dumps(payload, ensure_ascii=False).encode()
