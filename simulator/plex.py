"""A simulated Plex Media Server: libraries that are scanned, players, history, and its events."""

import asyncio
import heapq
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import override
from zlib import crc32

from aiohttp import WSCloseCode, web

from .clock import Clock
from .delivery import DeliveryError
from .faults import Delivery, Json
from .plex_tv import Account, PlexTvDouble
from .service import HttpDouble, flag, json_answer, query
from .shelf import Shelf, ShelfFile, mounted, unmounted

VERSION = "1.42.2.10156-f737b826c"
_TYPES = {"movie": 1, "show": 2, "season": 3, "episode": 4}
_UNAUTHORIZED = "<html><head><title>Unauthorized</title></head><body></body></html>"
_JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\r\n--\x00\xff\xd9"
_POSTERS = frozenset({"media.play", "media.rate", "media.scrobble", "library.new"})


@dataclass(slots=True, kw_only=True, eq=False)
class Section:
    """A library."""

    key: str
    title: str
    type: str
    folders: list[str]


@dataclass(slots=True, kw_only=True, eq=False)
class Item:
    """A film, a series, a season or an episode."""

    key: str
    type: str
    section: Section
    title: str
    added: int
    updated: int
    year: int | None = None
    ids: dict[str, str] = field(default_factory=dict)
    guid: str = ""
    parent: Item | None = None
    index: int | None = None
    air_date: str | None = None
    versions: dict[str, int] = field(default_factory=dict)
    """Height of the picture, by path."""
    children: list[Item] = field(default_factory=list)
    views: dict[int, int] = field(default_factory=dict)
    """How often somebody watched it."""
    matched: bool = True

    @property
    def leaves(self) -> list[Item]:
        """What is at the end of the tree."""
        if not self.children:
            return [self]
        return [leaf for child in self.children for leaf in child.leaves]


@dataclass(slots=True, kw_only=True, eq=False)
class PlexSession:
    """Somebody plays something."""

    key: int
    user: int
    item: Item
    position: int = 0
    state: str = "playing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """A row of the history."""

    number: int
    user: int
    item: Item
    at: int


type Watcher = Callable[[str, int, Item], None]
"""Is told what somebody does: ``play``, ``stop``, ``watched``, or ``created`` by nobody (0)."""


class PlexDouble(HttpDouble):
    """A simulated Plex Media Server."""

    kind = "plex"

    def __init__(
        self,
        name: str,
        clock: Clock,
        plex_tv: PlexTvDouble,
        shelf: Shelf | None = None,
        *,
        version: str = VERSION,
        port: int = 0,
        url_base: str = "",
        one_film_library: bool = False,
        finds_after: float | None = None,
    ) -> None:
        """Prepare a server with empty libraries.

        ``one_film_library``: HD and 4K are versions of one film. ``finds_after``: seconds after
        which it finds files by itself; ``None``: only when it is asked to scan.
        """
        super().__init__(name, clock, port=port, url_base=url_base)
        self.version = version
        self.random = random.Random(name)
        self.plex_tv = plex_tv
        plex_tv.servers.append(self)
        self.shelf = Shelf() if shelf is None else shelf
        self.shelf.listeners.append(self._file_changed)
        self.machine_id = f"{self.random.getrandbits(160):040x}"
        self.api_key = plex_tv.owner.token
        self.server_token = f"{self.random.getrandbits(80):020x}"
        """Works here and not at plex.tv."""
        self.users: dict[int, str] = {1: plex_tv.owner.name}
        self.knows_owner_as_one = True
        self.finds_after = finds_after
        self.matches = True
        self.scans: list[tuple[str, str | None]] = []
        """Every scan that was asked for: library and folder."""
        self.watchers: list[Watcher] = []
        hd, uhd = mounted("/movies"), mounted("/movies-4k")
        films = [Section(key="1", title="Films", type="movie", folders=[hd])]
        if one_film_library:
            films[0].folders.append(uhd)
        else:
            films.append(Section(key="3", title="Films 4K", type="movie", folders=[uhd]))
        series = Section(key="2", title="Series", type="show", folders=[mounted("/tv")])
        self.sections = {section.key: section for section in (*films, series)}
        self.items: dict[str, Item] = {}
        self.sessions: dict[int, PlexSession] = {}
        self.history: list[Viewing] = []
        self._found: dict[tuple[object, ...], Item] = {}
        self._paths: dict[str, Item] = {}
        self._latest: dict[str, int] = {}
        """Films and seasons, and when the newest of them came."""
        self._sockets: set[web.WebSocketResponse] = set()
        self._number = 1000
        self._sessions_begun = 0

    # --- who may ------------------------------------------------------------------------

    @override
    def refuse(self, request: web.Request) -> web.StreamResponse | None:
        """Ask for a token of the server or of its owner; who it is, it tells everybody."""
        if request.path == f"{self.url_base}/identity":
            return None
        given = request.headers.get("X-Plex-Token") or query(request, "X-Plex-Token")
        return None if given in {self.api_key, self.server_token} else self.failure(401)

    @override
    def failure(self, status: int) -> web.StreamResponse:
        """Fail with a web page, as it does."""
        page = _UNAUTHORIZED if status == 401 else f"<html><body><h1>{status}</h1></body></html>"
        return web.Response(text=page, status=status, content_type="text/html")

    @override
    def misrouted(self, request: web.Request) -> web.StreamResponse:
        return self.failure(404)

    def lets_in(self, account: Account) -> bool:
        """Say whether an account may use this server."""
        return account is self.plex_tv.owner or account.id in self.users

    def resource(self, account: Account) -> Json:
        """Describe this server as plex.tv does."""
        owned = account is self.plex_tv.owner
        return {
            "name": self.name,
            "product": "Plex Media Server",
            "productVersion": self.version,
            "clientIdentifier": self.machine_id,
            "provides": "server",
            "ownerId": None if owned else self.plex_tv.owner.id,
            "owned": owned,
            "accessToken": self.api_key if owned else self.server_token,
            "httpsRequired": False,
            "connections": [
                {
                    "protocol": "https",
                    "address": "198.51.100.7",
                    "port": 8443,
                    "uri": "https://198-51-100-7.relay.plex.direct:8443",
                    "local": False,
                    "relay": True,
                },
                {
                    "protocol": "http",
                    "address": "127.0.0.1",
                    "port": self.port,
                    "uri": self.url,
                    "local": True,
                    "relay": False,
                },
            ],
        }

    # --- HTTP ---------------------------------------------------------------------------

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        yield web.get("/", self._get_root)
        yield web.get("/identity", self._get_identity)
        yield web.get("/accounts", self._get_accounts)
        yield web.get("/library/sections", self._get_sections)
        yield web.get("/library/sections/{key}/all", self._get_section_all)
        yield web.get("/library/sections/{key}/refresh", self._get_refresh)
        yield web.get("/library/recentlyAdded", self._get_recently_added)
        yield web.get("/library/metadata/{keys}", self._get_metadata)
        yield web.get("/library/metadata/{key}/children", self._get_children)
        yield web.get("/library/metadata/{key}/allLeaves", self._get_leaves)
        yield web.get("/status/sessions", self._get_sessions)
        yield web.get("/status/sessions/history/all", self._get_history)
        yield web.get("/:/scrobble", self._get_scrobble)
        yield web.get("/:/unscrobble", self._get_scrobble)
        yield web.get("/:/websockets/notifications", self._get_socket)

    def _answer_rows(
        self, request: web.Request, rows: Sequence[Json], **more: object
    ) -> web.Response:
        start = int(query(request, "X-Plex-Container-Start") or 0)
        size = int(query(request, "X-Plex-Container-Size") or len(rows))
        page = [_without(row, request) for row in rows[start : start + size]]
        container: Json = {"size": len(page), "totalSize": len(rows), "offset": start, **more}
        if page:
            container["Metadata"] = page
        return self._wrap(request, container)

    def _wrap(self, request: web.Request, container: Json) -> web.Response:
        if "application/json" not in request.headers.get("Accept", ""):
            size = container.get("size", 0)
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n<MediaContainer size="{size}"/>'
            return web.Response(text=text, content_type="text/xml")
        return json_answer({"MediaContainer": container})

    async def _get_identity(self, request: web.Request) -> web.Response:
        return self._wrap(
            request,
            {
                "size": 0,
                "claimed": True,
                "machineIdentifier": self.machine_id,
                "version": self.version,
            },
        )

    async def _get_root(self, request: web.Request) -> web.Response:
        return self._wrap(
            request,
            {
                "size": 20,
                "friendlyName": self.name,
                "machineIdentifier": self.machine_id,
                "myPlex": True,
                "myPlexUsername": "ada@example.com",
                "platform": "Linux",
                "version": self.version,
            },
        )

    async def _get_accounts(self, request: web.Request) -> web.Response:
        listed = [{"id": number, "name": name} for number, name in self.users.items()]
        return self._wrap(request, {"size": len(listed), "Account": listed})

    async def _get_sections(self, request: web.Request) -> web.Response:
        listed = [
            {
                "key": section.key,
                "type": section.type,
                "title": section.title,
                "agent": f"tv.plex.agents.{'movie' if section.type == 'movie' else 'series'}",
                "uuid": f"00000000-0000-4000-8000-{int(section.key):012d}",
                "Location": [
                    {"id": number + 1, "path": path} for number, path in enumerate(section.folders)
                ],
            }
            for section in self.sections.values()
        ]
        listed.append({"key": "9", "type": "artist", "title": "Music", "Location": []})
        return self._wrap(request, {"size": len(listed), "Directory": listed})

    async def _get_section_all(self, request: web.Request) -> web.Response:
        section = self.sections.get(request.match_info["key"])
        if section is None:
            return self._missing()
        number = int(query(request, "type") or _TYPES[section.type])
        found = [
            item
            for item in self.items.values()
            if item.section is section and _TYPES[item.type] == number
        ]
        by, _, direction = (query(request, "sort") or "titleSort").partition(":")
        if by == "addedAt":
            found.sort(key=lambda item: (item.added, int(item.key)), reverse=direction == "desc")
        since = query(request, "addedAt>")
        found = [item for item in found if since is None or item.added >= int(since)]
        start = int(query(request, "X-Plex-Container-Start") or 0)
        size = int(query(request, "X-Plex-Container-Size") or len(found))
        rows = [_without(self._row(item, request), request) for item in found[start : start + size]]
        container: Json = {
            "size": len(rows),
            "totalSize": len(found),
            "offset": start,
            "librarySectionID": int(section.key),
            "librarySectionTitle": section.title,
            "viewGroup": section.type,
        }
        if rows:
            container["Metadata"] = rows
        return self._wrap(request, container)

    async def _get_refresh(self, request: web.Request) -> web.StreamResponse:
        section = self.sections.get(request.match_info["key"])
        if section is None:
            return self._missing()
        folder = query(request, "path")
        self.scans.append((section.key, folder))
        self.spawn(self._scan_soon(section, folder))
        return web.Response(text="", content_type="text/html")

    async def _scan_soon(self, section: Section, folder: str | None) -> None:
        await self.scan(section=section, folder=folder)

    async def _get_recently_added(self, request: web.Request) -> web.Response:
        start = int(query(request, "X-Plex-Container-Start") or 0)
        size = int(query(request, "X-Plex-Container-Size") or 50)
        newest = heapq.nlargest(
            start + size, self._latest, key=lambda key: (self._latest[key], int(key))
        )
        rows = [_without(self._row(self.items[key], request), request) for key in newest[start:]]
        container: Json = {"size": len(rows), "totalSize": len(self._latest), "offset": start}
        if rows:
            container["Metadata"] = rows
        return self._wrap(request, container)

    def _missing(self) -> web.Response:
        return web.Response(text="<html><h1>404 Not Found</h1></html>", status=404)

    async def _get_metadata(self, request: web.Request) -> web.Response:
        keys = request.match_info["keys"].split(",")
        found = [self.items[key] for key in keys if key in self.items]
        if not found:
            return self._missing()
        return self._answer_rows(request, [self._row(item, request) for item in found])

    async def _get_children(self, request: web.Request) -> web.Response:
        item = self.items.get(request.match_info["key"])
        if item is None:
            return self._missing()
        return self._answer_rows(request, [self._row(child, request) for child in item.children])

    async def _get_leaves(self, request: web.Request) -> web.Response:
        item = self.items.get(request.match_info["key"])
        if item is None:
            return self._missing()
        rows = [self._row(leaf, request) for leaf in item.leaves if leaf.type == "episode"]
        return self._answer_rows(request, rows)

    async def _get_sessions(self, request: web.Request) -> web.Response:
        rows = [
            self._row(session.item, request)
            | {
                "sessionKey": str(session.key),
                "viewOffset": session.position,
                "User": {"id": str(session.user), "title": self.users[session.user]},
                "Player": self._player() | {"state": session.state},
                "Session": {"id": f"session{session.key}", "bandwidth": 8000, "location": "lan"},
            }
            for session in self.sessions.values()
        ]
        return self._answer_rows(request, rows)

    async def _get_history(self, request: web.Request) -> web.Response:
        since = int(query(request, "viewedAt>") or 0)
        found = [row for row in self.history if row.at >= since]
        if (query(request, "sort") or "") == "viewedAt:desc":
            found.sort(key=lambda row: (row.at, row.number), reverse=True)
        return self._answer_rows(request, [self._history_row(row) for row in found])

    def _history_row(self, row: Viewing) -> Json:
        item = row.item
        document: Json = {
            "historyKey": f"/status/sessions/history/{row.number}",
            "key": f"/library/metadata/{item.key}",
            "ratingKey": item.key,
            "librarySectionID": item.section.key,
            "title": item.title,
            "type": item.type,
            "viewedAt": row.at,
            "accountID": row.user,
            "deviceID": 3,
        }
        if item.key not in self.items:
            # What was deleted is remembered without its key.
            del document["ratingKey"], document["key"]
        if item.parent is not None and item.parent.parent is not None:
            show = item.parent.parent
            document |= {
                "parentKey": f"/library/metadata/{item.parent.key}",
                "grandparentKey": f"/library/metadata/{show.key}",
                "grandparentTitle": show.title,
                "index": item.index,
                "parentIndex": item.parent.index,
            }
        if item.air_date is not None:
            document["originallyAvailableAt"] = item.air_date
        return document

    async def _get_scrobble(self, request: web.Request) -> web.Response:
        item = self.items.get(query(request, "key") or "")
        if item is None:
            return self._missing()
        # Marking by hand leaves neither a row in the history nor an event.
        item.views[1] = 0 if request.path.endswith("unscrobble") else item.views.get(1, 0) + 1
        return web.Response(text="")

    # --- rows ---------------------------------------------------------------------------

    def _row(self, item: Item, request: web.Request | None = None) -> Json:
        """Describe an item as answers and webhooks do."""
        row: Json = {
            "ratingKey": item.key,
            "key": f"/library/metadata/{item.key}"
            + ("/children" if item.type in {"show", "season"} else ""),
            "guid": item.guid if item.matched else f"local://{item.key}",
            "type": item.type,
            "title": item.title,
            "librarySectionTitle": item.section.title,
            "librarySectionID": int(item.section.key),
            "librarySectionKey": f"/library/sections/{item.section.key}",
            "summary": "A long summary of what happens to whom, and why. " * 6,
            "thumb": f"/library/metadata/{item.key}/thumb/{item.updated}",
            "addedAt": item.added,
            "updatedAt": item.updated,
        }
        if item.year:
            row["year"] = item.year
        if item.air_date is not None:
            row["originallyAvailableAt"] = item.air_date
        if item.index is not None:
            row["index"] = item.index
        if item.children:
            row |= {"leafCount": len(item.leaves), "childCount": len(item.children)}
        if item.views.get(1):
            row |= {"viewCount": item.views[1], "lastViewedAt": item.updated}
        for prefix, above in _above(item):
            row |= {
                f"{prefix}RatingKey": above.key,
                f"{prefix}Key": f"/library/metadata/{above.key}",
                f"{prefix}Title": above.title,
                f"{prefix}Guid": above.guid,
            }
            if prefix == "parent" and above.index is not None:
                row["parentIndex"] = above.index
        if item.versions:
            row["Media"] = [_media(path, height) for path, height in item.versions.items()]
        if item.type in {"movie", "episode"}:
            row["Role"] = [{"tag": f"Somebody {n}", "role": f"Part {n}"} for n in range(3)]
            row["Genre"] = [{"tag": "Drama"}]
        if item.matched and item.ids and (request is None or flag(request, "includeGuids")):
            row["Guid"] = [{"id": f"{space}://{value}"} for space, value in item.ids.items()]
        return row

    # --- the libraries --------------------------------------------------------------------

    def now(self) -> int:
        """Return the server's time in seconds."""
        return int(self.clock.now().timestamp())

    def _file_changed(self, path: str, _file: ShelfFile | None) -> None:
        if self.finds_after is not None and self.is_up:
            self.spawn(self._find_later(mounted(path).rpartition("/")[0]))

    async def _find_later(self, folder: str) -> None:
        await asyncio.sleep(self.finds_after or 0)
        await self.scan(folder=folder)

    async def scan(self, *, section: Section | None = None, folder: str | None = None) -> None:
        """Look for files in libraries, enter what is new, drop what is gone, and tell."""
        found: list[tuple[Section, ShelfFile]] = []
        gone: list[str] = []
        for one in self.sections.values() if section is None else (section,):
            for root in one.folders:
                if folder is not None and not f"{folder}/".startswith(f"{root.rstrip('/')}/"):
                    continue
                inside = unmounted(folder or root) or "/nowhere"
                there = {file.path: file for file in self.shelf.under(inside)}
                gone += [
                    path
                    for path in self._paths
                    if path.startswith(f"{inside}/") and path not in there
                ]
                found += [(one, there[path]) for path in there if path not in self._paths]
        # New files first: an upgraded film keeps its item.
        new = [item for one, file in found if (item := self._enter(one, file)) is not None]
        await self._drop(gone)
        upgraded = {self._paths[file.path].key for _, file in found} - {item.key for item in new}
        for key in sorted(upgraded):
            await self.notify("timeline", _timeline(self.items[key], 5, mediaState="analyzing"))
            await self.notify("timeline", _timeline(self.items[key], 5))
        await self._tell_new(new)

    def _enter(self, section: Section, file: ShelfFile) -> Item | None:
        """Enter a file; return the film or episode if that is new."""
        top_type = "movie" if file.media_type == "movie" else "show"
        ids = {
            space: str(value)
            for space, value in (
                ("imdb", file.imdb_id),
                ("tmdb", file.tmdb_id),
                ("tvdb", file.tvdb_id),
            )
            if value
        }
        top_key = (section.key, file.tmdb_id or file.tvdb_id or file.title)
        top = self._item(section, top_type, top_key, file.title, year=file.year, ids=ids)
        leaf = top
        if file.season is not None and file.episode is not None:
            name = f"Season {file.season}" if file.season else "Specials"
            season = self._item(
                section, "season", (*top_key, file.season), name, parent=top, index=file.season
            )
            leaf = self._item(
                section,
                "episode",
                (*top_key, file.season, file.episode),
                file.episode_title or f"Episode {file.episode}",
                parent=season,
                index=file.episode,
                ids={"tvdb": str(9_000_000 + int(season.key) * 100 + file.episode)},
            )
            leaf.air_date = file.air_date
            self._latest[season.key] = self.now()
        else:
            self._latest[leaf.key] = self._latest.get(leaf.key, self.now())
        is_new = not leaf.versions
        leaf.versions[file.path] = file.height
        leaf.updated = self.now()
        self._paths[file.path] = leaf
        return leaf if is_new else None

    def _item(
        self,
        section: Section,
        kind: str,
        known_by: tuple[object, ...],
        title: str,
        *,
        parent: Item | None = None,
        year: int | None = None,
        index: int | None = None,
        ids: dict[str, str] | None = None,
    ) -> Item:
        if (item := self._found.get(known_by)) is not None:
            return item
        self._number += 1
        item = Item(
            key=str(self._number),
            type=kind,
            section=section,
            title=title,
            added=self.now(),
            updated=self.now(),
            year=year,
            ids=ids or {},
            guid=f"plex://{kind}/{self._number:024x}",
            parent=parent,
            index=index,
            matched=self.matches,
        )
        if parent is not None:
            parent.children.append(item)
        self.items[item.key] = self._found[known_by] = item
        return item

    async def _drop(self, paths: Iterable[str]) -> None:
        for path in paths:
            item: Item | None = self._paths.pop(path)
            if item is None:
                continue
            del item.versions[path]
            while item is not None and not item.versions and not item.children:
                await self.notify("timeline", _timeline(item, 9, metadataState="deleted"))
                item = self._forget(item)

    def _forget(self, item: Item) -> Item | None:
        del self.items[item.key]
        self._latest.pop(item.key, None)
        self._found = {key: known for key, known in self._found.items() if known is not item}
        if item.parent is not None:
            item.parent.children.remove(item)
        return item.parent

    async def _tell_new(self, new: Sequence[Item]) -> None:
        """Tell what is new: of several episodes at once only their season."""
        for item in new:
            await self.notify("timeline", _timeline(item, 0, metadataState="created"))
        groups: dict[str, list[Item]] = {}
        for item in new:
            above = item.parent or item
            groups.setdefault(above.key, []).append(item)
        for group in groups.values():
            told = group[0] if len(group) == 1 else group[0].parent or group[0]
            await self.hook("library.new", 1, told)
            for watcher in self.watchers:
                watcher("created", 0, told)
        for item in new:
            await self.notify("timeline", _timeline(item, 5))

    async def match(self) -> None:
        """Let every item get its ids."""
        self.matches = True
        for item in self.items.values():
            item.matched = True

    def date_by_files(self) -> None:
        """Let things have come when their files did, not when they were found."""
        for path, item in self._paths.items():
            item.added = int(self.shelf.files[path].added_at.timestamp())
            above = item if item.parent is None else item.parent
            self._latest[above.key] = max(leaf.added for leaf in above.leaves)

    def shows(self, path: str) -> bool:
        """Tell whether a file of the shelf is in a library."""
        return path in self._paths

    def fill(self, films: int = 30_000, *, at_once: bool = False) -> None:
        """Let the library have existed for years, or just be scanned; nobody is told."""
        section, now = self.sections["1"], self.now()
        for number in range(films):
            item = self._item(
                section,
                "movie",
                (section.key, 5_000_000 + number),
                f"An old film {number}",
                year=1950 + number % 70,
                ids={"imdb": f"tt{50_000_000 + number}", "tmdb": str(5_000_000 + number)},
            )
            item.versions[f"/movies-of-old/{number}.mkv"] = 1080
            age = 0 if at_once else 86_400 + (films - number) * 60
            item.added = item.updated = now - age
            self._latest[item.key] = item.added

    def find(self, *, season: int | None = None, episode: int | None = None, **ids: int) -> Item:
        """Return the film or series with an external id, or an episode of the series."""
        for item in self.items.values():
            if item.parent is None and all(
                item.ids.get(space) == str(value) for space, value in ids.items()
            ):
                break
        else:
            raise LookupError(f"nothing known by {ids}")
        if season is None:
            return item
        part = next(child for child in item.children if child.index == season)
        return next(leaf for leaf in part.children if leaf.index == episode) if episode else part

    # --- people ---------------------------------------------------------------------------

    def add_user(self, name: str, number: int) -> int:
        """Share the server with somebody."""
        self.users[number] = name
        return number

    async def play_session(self, item: Item, user: int = 1) -> PlexSession:
        """Let somebody begin to play something."""
        self._sessions_begun += 1
        session = PlexSession(key=self._sessions_begun, user=user, item=item)
        self.sessions[session.key] = session
        await self._state(session, "playing")
        await self.hook("media.play", user, item)
        if user != 1:
            await self.hook("playback.started", 1, item)
        self._watch("play", user, item)
        return session

    async def progress(self, session: PlexSession, position: int) -> None:
        """Go on playing: the websocket repeats the state, no webhook tells."""
        session.position = position
        await self._state(session, session.state)

    async def pause(self, session: PlexSession) -> None:
        """Pause, or go on."""
        paused = session.state != "paused"
        await self._state(session, "paused" if paused else "playing")
        await self.hook("media.pause" if paused else "media.resume", session.user, session.item)

    async def stop_session(self, session: PlexSession) -> None:
        """Let somebody stop playing."""
        await self._state(session, "stopped")
        del self.sessions[session.key]
        await self.hook("media.stop", session.user, session.item, viewOffset=session.position)
        self._watch("stop", session.user, session.item)

    async def watch(self, item: Item, user: int = 1) -> None:
        """Let somebody watch something to the end."""
        session = await self.play_session(item, user)
        await self.finish(session)
        await self.stop_session(session)

    async def finish(self, session: PlexSession) -> None:
        """Cross the threshold from which on it counts as watched, and go on playing."""
        item, user = session.item, session.user
        at = self.now()
        item.views[user] = item.views.get(user, 0) + 1
        self.history.append(Viewing(number=len(self.history) + 1, user=user, item=item, at=at))
        await self.hook("media.scrobble", user, item, viewCount=item.views[user], lastViewedAt=at)
        self._watch("watched", user, item)

    def _watch(self, what: str, user: int, item: Item) -> None:
        for watcher in self.watchers:
            watcher(what, user, item)

    async def _state(self, session: PlexSession, state: str) -> None:
        session.state = state
        await self.notify(
            "playing",
            {
                "PlaySessionStateNotification": [
                    {
                        "sessionKey": str(session.key),
                        "ratingKey": session.item.key,
                        "key": f"/library/metadata/{session.item.key}",
                        "viewOffset": session.position,
                        "state": state,
                    }
                ]
            },
        )

    # --- telling --------------------------------------------------------------------------

    def _player(self) -> Json:
        return {
            "local": True,
            "publicAddress": "203.0.113.9",
            "title": "Television in the bedroom",
            "uuid": "player-uuid-0123456789",
        }

    def payload(self, event: str, user: int, item: Item | None, **metadata: object) -> Json:
        """Return what a webhook carries."""
        account = user
        if user == 1 and not self.knows_owner_as_one:
            account = self.plex_tv.owner.id
        document: Json = {
            "event": event,
            "user": user == 1,
            "owner": True,
            "Account": {
                "id": account,
                "thumb": "https://plex.tv/users/0123456789abcdef/avatar?c=1",
                "title": self.users[user],
            },
            "Server": {"title": self.name, "uuid": self.machine_id},
        }
        if not event.startswith("library"):
            document["Player"] = self._player()
        if item is not None:
            kind = item.section.type
            document["Metadata"] = {"librarySectionType": kind, **self._row(item), **metadata}
            # Files and versions are in answers only.
            document["Metadata"].pop("Media", None)
        return document

    async def hook(self, event: str, user: int, item: Item | None, **metadata: object) -> None:
        """Send an event to the webhooks of the owner's account, if it may have them."""
        await self.send(self.payload(event, user, item, **metadata))

    async def send(self, payload: Json) -> None:
        """Send a body to the webhooks of the owner's account. Nothing is tried again."""
        if not self.plex_tv.owner.plex_pass:
            return
        boundary = f"------------------------{self.random.getrandbits(64):016x}"
        body = multipart(payload, boundary, thumb=payload["event"] in _POSTERS)
        for url in tuple(self.plex_tv.owner.webhooks):
            delivery = Delivery(
                service=self.name,
                event=payload["event"],
                url=url,
                method="POST",
                headers=(
                    ("User-Agent", f"PlexMediaServer/{self.version}"),
                    ("Content-Type", f"multipart/form-data; boundary={boundary}"),
                ),
                body=body,
                payload=payload,
            )
            try:
                await self.sender.send(delivery)
            except DeliveryError:
                continue

    async def _get_socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            async for _ in socket:
                continue
        finally:
            self._sockets.discard(socket)
        return socket

    @property
    def listeners(self) -> int:
        """How many listen to the notifications."""
        return len(self._sockets)

    async def notify(self, kind: str, content: Json) -> None:
        """Push a notification to everybody who listens."""
        text = json.dumps({"NotificationContainer": {"type": kind, "size": 1, **content}})
        await self.push(text)

    async def push(self, text: str) -> None:
        """Push any text."""
        for socket in tuple(self._sockets):
            if not socket.closed:
                await socket.send_str(text)

    async def hang_up(self) -> None:
        """Close every websocket."""
        for socket in tuple(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    @override
    async def go_down(self) -> None:
        await self.hang_up()
        await super().go_down()

    async def update_application(self, version: str) -> None:
        """Install another version: it is away for a moment, and players are cut off."""
        await self.go_down()
        self.sessions.clear()
        self.version = version
        await self.go_up()


def multipart(payload: Json, boundary: str, *, thumb: bool) -> bytes:
    """Wrap an event as the server does: a part of JSON, and a picture with some events."""
    text = json.dumps(payload, ensure_ascii=False).encode()
    head = b'Content-Disposition: form-data; name="payload"\r\nContent-Type: application/json'
    parts = [head + b"\r\n\r\n" + text]
    if thumb:
        head = (
            b'Content-Disposition: form-data; name="thumb"; filename="thumb.jpg"\r\n'
            b"Content-Type: image/jpeg"
        )
        parts.append(head + b"\r\n\r\n" + _JPEG)
    line = f"--{boundary}".encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def _above(item: Item) -> list[tuple[str, Item]]:
    """Return what an item belongs to, by the name that its keys begin with."""
    if item.parent is None:
        return []
    above = [("parent", item.parent)]
    if item.parent.parent is not None:
        above.append(("grandparent", item.parent.parent))
    return above


def _media(path: str, height: int) -> Json:
    resolution = "4k" if height >= 2160 else str(height) if height > 576 else "sd"
    return {
        "id": crc32(path.encode()),
        "duration": 6_240_000,
        "bitrate": 8000,
        "width": height * 16 // 9,
        "height": height,
        "videoCodec": "hevc",
        "videoResolution": resolution,
        "container": "mkv",
        "Part": [{"id": crc32(path.encode()), "file": mounted(path), "container": "mkv"}],
    }


def _timeline(item: Item, state: int, **more: object) -> Json:
    above = dict(_above(item))
    entry: Json = {
        "identifier": "com.plexapp.plugins.library",
        "sectionID": item.section.key,
        "itemID": item.key,
        "type": _TYPES[item.type],
        "title": item.title,
        "state": state,
        "updatedAt": item.updated,
        **more,
    }
    if "parent" in above:
        entry["parentItemID"] = above["parent"].key
    if "grandparent" in above:
        entry["rootItemID"] = above["grandparent"].key
    return {"TimelineEntry": [entry]}


def _without(row: Json, request: web.Request) -> Json:
    """Leave out what the caller does not want to read."""
    text = f"{query(request, 'excludeElements') or ''},{query(request, 'excludeFields') or ''}"
    unwanted = frozenset(text.split(","))
    return {key: value for key, value in row.items() if key not in unwanted}
