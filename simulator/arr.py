"""What the simulated Radarr and Sonarr share: status, queue, history, commands, health."""

import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, ClassVar, override
from urllib.parse import unquote

from aiohttp import web

from .clock import Clock, net_date, net_span, parse_date, to_the_second
from .connections import ConnectionFeatures, Connections
from .faults import Json
from .library import Catalogue, hex_id
from .service import HttpDouble, flag, json_answer, query, query_all, read_json
from .shelf import Shelf

ENGLISH = {"id": 1, "name": "English"}
GIB = 1024**3

QUALITIES: dict[str, tuple[int, str, int]] = {
    "SDTV": (1, "television", 480),
    "HDTV-1080p": (9, "television", 1080),
    "WEBDL-720p": (5, "webdl", 720),
    "WEBDL-1080p": (3, "webdl", 1080),
    "WEBDL-2160p": (18, "webdl", 2160),
    "Bluray-1080p": (7, "bluray", 1080),
    "Bluray-2160p": (19, "bluray", 2160),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A download client as the user set it up."""

    name: str
    type: str
    protocol: str
    prefix: str = ""


TORRENT = Client(name="qBittorrent (home)", type="qBittorrent", protocol="torrent")
USENET = Client(name="SABnzbd", type="SABnzbd", protocol="usenet", prefix="SABnzbd_nzo_")


@dataclass(slots=True, kw_only=True, eq=False)
class Download:
    """One item in a download client, for a film or for episodes."""

    number: int
    title: str
    quality: str
    size: int
    left: float
    client: Client
    indexer: str
    group: str
    added: datetime
    download_id: str | None
    movie_id: int | None = None
    series_id: int | None = None
    episode_ids: list[int] = field(default_factory=list)
    status: str = "downloading"
    state: str | None = "downloading"
    health: str | None = "ok"
    messages: list[Json] = field(default_factory=list)
    error: str | None = None
    interaction_told: bool = False
    speed: float = 40_000_000.0


@dataclass(slots=True, kw_only=True)
class HistoryRow:
    """One line of the history."""

    id: int
    event: str
    date: datetime
    title: str
    quality: str
    data: dict[str, str | None]
    download_id: str | None = None
    movie_id: int | None = None
    series_id: int | None = None
    episode_id: int | None = None
    season: int | None = None


class HealthLevel(Enum):
    """How bad a health check's result is."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class HealthIssue:
    """One failing health check."""

    level: HealthLevel
    check: str
    message: str


def version_tuple(text: str) -> tuple[int, ...]:
    """Read a four-part version."""
    return tuple(int(part) for part in text.split("."))


def quality_document(name: str, *, modifier: bool) -> Json:
    """Describe a quality as queue and history rows do."""
    number, source, resolution = QUALITIES.get(name, (0, "unknown", 0))
    quality: Json = {"id": number, "name": name, "source": source, "resolution": resolution}
    if modifier:
        quality["modifier"] = "none"
    return {"quality": quality, "revision": {"version": 1, "real": 0, "isRepack": False}}


def without_null(document: Json) -> Json:
    """Leave out null values, as the services' serializer does; zero and false stay."""
    return {key: value for key, value in document.items() if value is not None}


def images(kind: str, number: int, poster: str | None, base: str) -> list[Json]:
    """Describe the pictures of a title."""
    if poster is None:
        return []
    host = (
        "https://image.tmdb.org/t/p/original" if kind == "movie" else "https://artworks.thetvdb.com"
    )
    return [
        {
            "coverType": cover,
            "url": f"{base}/MediaCover/{number}/{cover}.jpg?lastWrite=638636501033462740",
            "remoteUrl": f"{host}{poster}",
        }
        for cover in ("poster", "fanart")
    ]


class ArrDouble(HttpDouble):
    """A Radarr or a Sonarr."""

    app_name = "Arr"
    event_numbers: ClassVar[dict[str, int]] = {}
    flags: tuple[str, ...] = ()
    usual_root = "/media"

    def __init__(
        self,
        name: str,
        clock: Clock,
        catalogue: Catalogue,
        *,
        version: str,
        api_key: str | None = None,
        instance_name: str | None = None,
        port: int = 0,
        url_base: str = "",
        seed: int = 1,
        shelf: Shelf | None = None,
        root_folder: str | None = None,
    ) -> None:
        """Prepare a freshly installed application."""
        super().__init__(name, clock, port=port, url_base=url_base)
        self.catalogue = catalogue
        self.version = version
        self.random = random.Random(f"{name}{seed}")
        self.api_key = api_key or f"{self.random.getrandbits(128):032x}"
        self.instance_name = self.app_name if instance_name is None else instance_name
        # Applications at home have been up for a while; ``restart`` begins the first quarter hour.
        self.started = clock.now() - timedelta(hours=26)
        self.tags: dict[int, str] = {}
        self.root_folder = root_folder or self.usual_root
        self.shelf = Shelf() if shelf is None else shelf
        self.profiles = {1: "Any", 4: "HD-1080p", 5: "Ultra-HD"}
        self.issues: list[HealthIssue] = []
        self.connections = Connections(self, self.features())
        self._clear()

    def _clear(self) -> None:
        self.downloads: list[Download] = []
        self.history: list[HistoryRow] = []
        self.commands: dict[int, Json] = {}
        self._numbers: dict[str, int] = {}

    def test_payload(self) -> Json:
        """Return what a test delivers."""
        raise NotImplementedError

    def features(self) -> ConnectionFeatures:
        """Return what this version's connections can do."""
        raise NotImplementedError

    def next_id(self, space: str) -> int:
        """Number the next row of a table."""
        self._numbers[space] = self._numbers.get(space, 0) + 1
        return self._numbers[space]

    def at_least(self, *version: int) -> bool:
        """Say whether this version is that one or a later one."""
        return version_tuple(self.version) >= version

    @property
    def user_agent(self) -> str:
        """What a delivery of this application calls itself."""
        return f"{self.app_name}/{self.version} (debian 12)"

    def restart(self) -> None:
        """Begin the first quarter of an hour, in which muting is mild and health is silent."""
        self.started = self.clock.now()
        for download in self.downloads:
            download.interaction_told = False

    def reinstall(self) -> None:
        """Lose the database: every id is given out again, keys and address stay."""
        self._clear()
        self.issues.clear()
        self.tags.clear()
        self.connections.clear()
        self.started = self.clock.now()

    # --- HTTP ---------------------------------------------------------------------------

    @override
    def refuse(self, request: web.Request) -> web.StreamResponse | None:
        """Ask for the key by header, query or bearer token; /ping is open to all."""
        if request.path == f"{self.url_base}/ping":
            return None
        bearer = request.headers.get("Authorization", "")
        given = (
            request.headers.get("X-Api-Key"),
            query(request, "apikey"),
            bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else None,
        )
        return None if self.api_key in given else web.Response(status=401)

    @override
    def failure(self, status: int) -> web.StreamResponse:
        """Fail with an empty body for a wrong key, else with the usual object."""
        if status == 401:
            return web.Response(status=401)
        return json_answer(
            {"message": "Simulated failure", "description": "System.Exception: Simulated"}, status
        )

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        """Answer what both applications answer."""
        api = "/api/v3"
        yield web.get("/ping", self._get_ping)
        yield web.get("/api", self._get_api)
        yield web.get(f"{api}/system/status", self._get_status)
        yield web.get(f"{api}/health", self._get_health)
        yield web.get(f"{api}/queue", self._get_queue)
        yield web.get(f"{api}/queue/details", self._get_queue_details)
        yield web.get(f"{api}/queue/status", self._get_queue_status)
        yield web.delete(f"{api}/queue/{{id}}", self._delete_queue)
        yield web.get(f"{api}/history", self._get_history)
        yield web.get(f"{api}/history/since", self._get_history_since)
        yield web.get(f"{api}/rootfolder", self._get_root_folder)
        yield web.get(f"{api}/diskspace", self._get_disk_space)
        yield web.get(f"{api}/qualityprofile", self._get_profiles)
        yield web.get(f"{api}/tag", self._get_tags)
        yield web.post(f"{api}/tag", self._post_tag)
        yield web.get(f"{api}/command", self._get_commands)
        yield web.post(f"{api}/command", self._post_command)
        yield web.get(f"{api}/command/{{id}}", self._get_command)
        yield from self.connections_routes(f"{api}/notification")

    def connections_routes(self, path: str) -> Iterable[web.RouteDef]:
        """Answer the connections' paths, which survive a reinstallation."""
        yield web.get(path, self.connections.get_all)
        yield web.post(path, self.connections.post)
        yield web.get(f"{path}/schema", self.connections.get_schema)
        yield web.post(f"{path}/test", self.connections.post_test)
        yield web.post(f"{path}/testall", self.connections.post_test_all)
        yield web.get(f"{path}/{{id}}", self.connections.get_one)
        yield web.put(f"{path}/{{id}}", self.connections.put)
        yield web.delete(f"{path}/{{id}}", self.connections.delete)

    async def _get_ping(self, _request: web.Request) -> web.Response:
        return json_answer({"status": "OK"})

    async def _get_api(self, _request: web.Request) -> web.Response:
        return json_answer({"current": "v3", "deprecated": []})

    async def _get_status(self, _request: web.Request) -> web.Response:
        document = {
            "appName": self.app_name,
            "instanceName": self.instance_name,
            "version": self.version,
            "buildTime": "2025-11-02T11:20:04Z",
            "isDebug": False,
            "isProduction": True,
            "isAdmin": False,
            "isUserInteractive": False,
            "startupPath": f"/app/{self.app_name.lower()}/bin",
            "appData": "/config",
            "osName": "debian",
            "osVersion": "12",
            "isNetCore": True,
            "isLinux": True,
            "isOsx": False,
            "isWindows": False,
            "isDocker": True,
            "mode": "console",
            "branch": "main" if self.app_name == "Sonarr" else "master",
            "databaseType": "sqLite",
            "databaseVersion": "3.48.0",
            "authentication": "forms",
            "migrationVersion": 240,
            "urlBase": self.url_base,
            "runtimeVersion": "8.0.21",
            "runtimeName": "netcore",
            "startTime": net_date(to_the_second(self.started)),
            "packageUpdateMechanism": "docker",
        }
        if self.app_name == "Sonarr" and not self.at_least(4):
            del document["instanceName"]
        return json_answer(document)

    async def _get_health(self, _request: web.Request) -> web.Response:
        found = [
            {
                "source": issue.check,
                "type": issue.level.value,
                "message": issue.message,
                "wikiUrl": f"https://wiki.servarr.com/{self.app_name.lower()}/system",
            }
            for issue in self.issues
        ]
        if muted := self.connections.muted_names():
            found.append(
                {
                    "source": "NotificationStatusCheck",
                    "type": "warning",
                    "message": f"Notifications unavailable due to failures: {', '.join(muted)}",
                    "wikiUrl": f"https://wiki.servarr.com/{self.app_name.lower()}/system",
                }
            )
        return json_answer(found)

    def files_of(self, tmdb_id: int, tvdb_id: int | None) -> list[str]:
        """Return where on the shelf the files of a title are."""
        return [
            file.path
            for file in self.shelf.under(self.root_folder)
            if file.tmdb_id == tmdb_id or (tvdb_id is not None and file.tvdb_id == tvdb_id)
        ]

    async def _get_root_folder(self, _request: web.Request) -> web.Response:
        return json_answer(
            [
                {
                    "id": 1,
                    "path": self.root_folder,
                    "accessible": True,
                    "freeSpace": 2_412_000_509_952,
                    "unmappedFolders": [],
                }
            ]
        )

    async def _get_disk_space(self, _request: web.Request) -> web.Response:
        return json_answer(
            [
                {
                    "path": self.root_folder,
                    "label": "",
                    "freeSpace": 2_412_000_509_952,
                    "totalSpace": 7_937_000_734_720,
                }
            ]
        )

    async def _get_profiles(self, _request: web.Request) -> web.Response:
        return json_answer(
            [
                {"id": number, "name": name, "upgradeAllowed": True, "cutoff": 7, "items": []}
                for number, name in self.profiles.items()
            ]
        )

    async def _get_tags(self, _request: web.Request) -> web.Response:
        return json_answer([{"id": number, "label": label} for number, label in self.tags.items()])

    async def _post_tag(self, request: web.Request) -> web.Response:
        label = str((await read_json(request) or {}).get("label", "")).lower()
        return json_answer({"id": self.tag(label), "label": label}, 201)

    def tag(self, label: str) -> int:
        """Return the id of a label, which is made if need be."""
        for number, known in self.tags.items():
            if known == label:
                return number
        number = self.next_id("tag")
        self.tags[number] = label
        return number

    # --- commands -----------------------------------------------------------------------

    async def _get_commands(self, _request: web.Request) -> web.Response:
        return json_answer([self._command_document(item) for item in self.commands.values()])

    async def _get_command(self, request: web.Request) -> web.Response:
        command = self.commands.get(int_or(request.match_info["id"], 0))
        return not_found() if command is None else json_answer(self._command_document(command))

    async def _post_command(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        name = str(body.get("name", "")) if isinstance(body, dict) else ""
        if not name:
            return json_answer({"message": "The command name is required"}, 400)
        number = self.next_id("command")
        command = {"id": number, "name": name, "body": body, "queued": self.clock.now()}
        self.commands[number] = command
        return json_answer(self._command_document(command, fresh=True), 201)

    def _command_document(self, command: Json, *, fresh: bool = False) -> Json:
        queued: datetime = command["queued"]
        age = (self.clock.now() - queued).total_seconds()
        status = "queued" if fresh else "started" if age < 0.5 else "completed"
        document = {
            "name": command["name"],
            "commandName": command["name"],
            "body": {**command["body"], "trigger": "manual"},
            "priority": "normal",
            "status": status,
            "result": "successful" if status == "completed" else "unknown",
            "queued": net_date(to_the_second(queued)),
            "trigger": "manual",
            "stateChangeTime": net_date(to_the_second(queued)),
            "sendUpdatesToClient": True,
            "updateScheduledTask": True,
            "id": command["id"],
        }
        if status == "completed":
            document["ended"] = net_date(to_the_second(queued + timedelta(seconds=1)))
        return document

    # --- queue --------------------------------------------------------------------------

    def queue_rows(self, download: Download, request: web.Request | None) -> list[Json]:
        """Describe a download as rows of the queue."""
        raise NotImplementedError

    def _queue_row(self, download: Download, number: int) -> Json:
        left = download.left
        waiting = download.status in {"delay", "fallback", "downloadClientUnavailable"}
        seconds = left / download.speed if left else 0.0
        running = download.status == "downloading"
        return without_null(
            {
                "languages": [ENGLISH],
                "quality": quality_document(download.quality, modifier=self.app_name == "Radarr"),
                "customFormats": [],
                "customFormatScore": 0,
                "size": download.size,
                "title": download.title,
                "sizeleft": round(left, 3) if left % 1 else int(left),
                "timeleft": net_span(seconds) if running else None,
                "estimatedCompletionTime": net_date(
                    to_the_second(self.clock.now() + timedelta(seconds=seconds))
                ),
                "added": net_date(to_the_second(download.added)),
                "status": download.status,
                "trackedDownloadStatus": None if waiting else download.health,
                "trackedDownloadState": None if waiting else download.state,
                "statusMessages": download.messages,
                "errorMessage": download.error or ("" if download.status == "completed" else None),
                "downloadId": download.download_id,
                "protocol": download.client.protocol,
                "downloadClient": None if waiting else download.client.name,
                "downloadClientHasPostImportCategory": False,
                "indexer": download.indexer,
                "outputPath": None if waiting else f"/downloads/complete/{download.title}",
                "id": number,
            }
        )

    def _known(self, download: Download) -> bool:
        return download.movie_id is not None or download.series_id is not None

    async def _get_queue(self, request: web.Request) -> web.Response:
        unknown = flag(
            request,
            "includeUnknownMovieItems"
            if self.app_name == "Radarr"
            else "includeUnknownSeriesItems",
        )
        statuses = {text.lower() for text in query_all(request, "status")}
        protocol = (query(request, "protocol") or "").lower()
        owners = {int_or(text, 0) for text in query_all(request, "movieIds")}
        owners |= {int_or(text, 0) for text in query_all(request, "seriesIds")}
        rows = [
            row
            for download in self.downloads
            if (unknown or self._known(download))
            and (not statuses or download.status.lower() in statuses)
            and (not protocol or download.client.protocol == protocol)
            and (not owners or (download.movie_id or download.series_id) in owners)
            for row in self.queue_rows(download, request)
        ]
        return json_answer(paged(request, rows, "timeleft", "ascending"))

    async def _get_queue_details(self, request: web.Request) -> web.Response:
        owner = query(request, "movieId" if self.app_name == "Radarr" else "seriesId")
        episodes = {int_or(text, 0) for text in query_all(request, "episodeIds")}
        rows = []
        for download in self.downloads:
            if owner and (download.movie_id or download.series_id) != int_or(owner, 0):
                continue
            rows += [
                row
                for row in self.queue_rows(download, request)
                if not episodes or row.get("episodeId") in episodes
            ]
        return json_answer(rows)

    async def _get_queue_status(self, _request: web.Request) -> web.Response:
        known = [
            row
            for download in self.downloads
            if self._known(download)
            for row in self.queue_rows(download, None)
        ]
        unknown = [item for item in self.downloads if not self._known(item)]
        healths = [item.health for item in self.downloads if self._known(item)]
        return json_answer(
            {
                "totalCount": len(known) + len(unknown),
                "count": len(known),
                "unknownCount": len(unknown),
                "errors": "error" in healths,
                "warnings": "warning" in healths,
                "unknownErrors": any(item.health == "error" for item in unknown),
                "unknownWarnings": any(item.health == "warning" for item in unknown),
            }
        )

    async def _delete_queue(self, request: web.Request) -> web.Response:
        number = int_or(request.match_info["id"], 0)
        for download in self.downloads:
            if any(row["id"] == number for row in self.queue_rows(download, None)):
                self.downloads.remove(download)
                return json_answer({})
        return not_found()

    # --- history ------------------------------------------------------------------------

    def history_document(self, row: HistoryRow, request: web.Request) -> Json:
        """Describe a line of the history."""
        raise NotImplementedError

    def _history_row(self, row: HistoryRow) -> Json:
        return without_null(
            {
                "sourceTitle": row.title,
                "languages": [ENGLISH],
                "quality": quality_document(row.quality, modifier=self.app_name == "Radarr"),
                "customFormats": [],
                "customFormatScore": 0,
                "qualityCutoffNotMet": False,
                "date": net_date(row.date),
                "downloadId": row.download_id,
                "eventType": row.event,
                "data": row.data,
                "id": row.id,
            }
        )

    async def _get_history_since(self, request: web.Request) -> web.Response:
        try:
            since = parse_date(query(request, "date") or "0001-01-01")
        except ValueError:
            return bad_value("date", query(request, "date"))
        event = query(request, "eventType")
        names = {name.lower(): name for name in self.event_numbers}
        if event is not None and not event.isdigit() and event.lower() not in names:
            return bad_value("eventType", event)
        numbers = {str(number): name for name, number in self.event_numbers.items()}
        wanted = names.get((event or "").lower()) or numbers.get(event or "")
        rows = [
            row
            for row in self.history
            if row.date >= since and (event is None or row.event == wanted)
        ]
        rows.sort(key=lambda row: (row.date, row.id))
        return json_answer([self.history_document(row, request) for row in rows])

    async def _get_history(self, request: web.Request) -> web.Response:
        download = (query(request, "downloadId") or "").lower()
        events: set[int] = set()
        for text in query_all(request, "eventType"):
            if not text.isdigit():
                return bad_value("eventType", text)
            events.add(int(text))
        rows = [
            row
            for row in self.history
            if (not download or (row.download_id or "").lower() == download)
            and (not events or self.event_numbers[row.event] in events)
        ]
        rows.sort(key=lambda row: (row.date, row.id), reverse=True)
        envelope = paged(request, rows, "date", "descending")
        envelope["records"] = [self.history_document(row, request) for row in envelope["records"]]
        return json_answer(envelope)

    def remember(self, event: str, download: Download | None, **values: Any) -> HistoryRow:
        """Write a line of the history."""
        row = HistoryRow(
            id=self.next_id("history"),
            event=event,
            date=to_the_second(self.clock.now()),
            title=values.pop("title", download.title if download else ""),
            quality=values.pop("quality", download.quality if download else "WEBDL-1080p"),
            data=values.pop("data", {}),
            download_id=download.download_id if download else None,
            **values,
        )
        self.history.append(row)
        return row

    def grab_data(self, download: Download) -> dict[str, str | None]:
        """Describe a grab in the history, with the indexer's ids and address as they really are."""
        return {
            "indexer": download.indexer,
            "nzbInfoUrl": "http://indexer.invalid/details/1",
            "releaseGroup": download.group,
            "age": "3",
            "publishedDate": net_date(to_the_second(self.clock.now() - timedelta(days=3))),
            "downloadClient": download.client.type,
            "downloadClientName": download.client.name,
            "size": str(download.size),
            "downloadUrl": "http://prowlarr.invalid/6/download?apikey=not-a-real-key&link=abc",
            "guid": "http://indexer.invalid/details/1",
            "tmdbId" if self.app_name == "Radarr" else "tvdbId": "0",
            "protocol": "1" if download.client.protocol == "usenet" else "2",
            "indexerFlags": "0",
            "releaseSource": "Rss",
            **({} if self.app_name == "Radarr" else {"tvRageId": "0", "imdbId": None}),
        }

    # --- what happens -------------------------------------------------------------------

    def new_download_id(self, client: Client) -> str:
        """Make the id that a client gives to an item."""
        if client.prefix:
            alphabet = "abcdefghijklmnopqrstuvwxyz0123456789_"
            return client.prefix + "".join(self.random.choices(alphabet, k=8))
        return hex_id(self.random)

    def progress(self, download: Download, part: float) -> None:
        """Move a download on: 0 is the start, 1 has everything in the client."""
        done = min(max(part, 0.0), 1.0)
        download.left = download.size * (1 - done)
        if done >= 1:
            download.left = 0
            download.status, download.state = "completed", "importPending"
        else:
            download.status, download.state = "downloading", "downloading"

    def unmatched(self, title: str, *, size: int = 2 * GIB, part: float = 0.4) -> Download:
        """Put a download in the queue that the application cannot match to a title."""
        download = self.make_download(title, "WEBDL-1080p", size=size, client=TORRENT)
        self.progress(download, part)
        return download

    def make_download(
        self, title: str, quality: str, *, size: int, client: Client, **owner: Any
    ) -> Download:
        """Put an item in the client and in the queue."""
        download = Download(
            number=self.random.randrange(10**8, 2**31),
            title=title,
            quality=quality,
            size=size,
            left=size,
            client=client,
            indexer="Harbour (Prowlarr)",
            group="SIMUL",
            added=self.clock.now(),
            download_id=self.new_download_id(client),
            **owner,
        )
        self.downloads.append(download)
        return download

    def drop(self, download: Download) -> None:
        """Take a download out of the queue; the history says nothing about it."""
        if download in self.downloads:
            self.downloads.remove(download)

    @asynccontextmanager
    async def client_away(self) -> AsyncIterator[None]:
        """Let every row vanish, as happens while the download client is unreachable."""
        away, self.downloads = self.downloads, []
        try:
            yield
        finally:
            self.downloads = away + self.downloads

    def base_keys(self, event: str, *, address: bool = True) -> Json:
        """Return what every delivery ends with."""
        if self.app_name == "Sonarr" and not self.at_least(4):
            return {"eventType": event}
        keys: Json = {"eventType": event, "instanceName": self.instance_name}
        if address:
            keys["applicationUrl"] = ""
        return keys

    def release_keys(self, download: Download | None) -> Json:
        """Say which download an event belongs to; what is not known is left out."""
        if download is None:
            return {}
        return without_null(
            {
                "downloadClient": download.client.name,
                "downloadClientType": download.client.type,
                "downloadId": download.download_id,
            }
        )

    def custom_formats(self) -> Json:
        """Return the scores of a release, which nobody set."""
        return {"customFormatInfo": {"customFormats": [], "customFormatScore": 0}}

    async def publish(
        self, event: str, flags: Iterable[str], payload: Json, *, tags: Iterable[int] | None = ()
    ) -> None:
        """Send an event to every connection that has all these flags, and wait for the answers."""
        await self.connections.publish(event, tuple(flags), payload, tags)

    async def health(self, level: str, check: str, message: str) -> None:
        """Let a health check fail."""
        issue = HealthIssue(HealthLevel(level), check, message)
        self.issues.append(issue)
        await self._tell_health(issue, restored=False)

    async def health_restored(self, check: str) -> None:
        """Let a health check pass again."""
        for issue in [issue for issue in self.issues if issue.check == check]:
            self.issues.remove(issue)
            await self._tell_health(issue, restored=True)

    async def _tell_health(self, issue: HealthIssue, *, restored: bool) -> None:
        if issue.level is HealthLevel.NOTICE:
            return
        if self.clock.now() - self.started < timedelta(minutes=15):
            return
        wanted = ["onHealthRestored" if restored else "onHealthIssue"]
        if issue.level is HealthLevel.WARNING:
            wanted.append("includeHealthWarnings")
        event = "HealthRestored" if restored else "Health"
        address = self.app_name == "Radarr" and not restored
        payload = {
            "level": issue.level.value,
            "message": issue.message,
            "type": issue.check,
            "wikiUrl": f"https://wiki.servarr.com/{self.app_name.lower()}/system",
            **self.base_keys(event, address=address),
        }
        await self.publish(event, wanted, payload, tags=None)

    async def update_application(self, version: str) -> None:
        """Install another version."""
        previous, self.version = self.version, version
        self.connections.features = self.features()
        payload = {
            "message": f"{self.app_name} updated from {previous} to {version}",
            "previousVersion": previous,
            "newVersion": version,
            **self.base_keys("ApplicationUpdate", address=self.app_name == "Radarr"),
        }
        await self.publish("ApplicationUpdate", ["onApplicationUpdate"], payload, tags=None)


def int_or(text: str, default: int) -> int:
    """Read a whole number, or take the default."""
    try:
        return int(text)
    except ValueError:
        return default


def not_found() -> web.Response:
    """Answer that there is no such row."""
    return json_answer({"message": "NotFound"}, 404)


def bad_value(name: str, value: str | None) -> web.Response:
    """Answer that a query parameter cannot be read."""
    return json_answer(
        {
            "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
            "title": "One or more validation errors occurred.",
            "status": 400,
            "errors": {name: [f"The value '{unquote(value or '')}' is not valid."]},
        },
        400,
    )


def paged(request: web.Request, rows: list[Any], key: str, direction: str) -> Json:
    """Cut one page out of the rows; a page has ten unless asked otherwise."""
    page = max(int_or(query(request, "page") or "1", 1), 1)
    size = max(int_or(query(request, "pageSize") or "10", 10), 1)
    wanted = query(request, "sortDirection") or direction
    if wanted.lower() != direction and key == (query(request, "sortKey") or key):
        rows = [*reversed(rows)]
    return {
        "page": page,
        "pageSize": size,
        "sortKey": query(request, "sortKey") or key,
        "sortDirection": wanted,
        "totalRecords": len(rows),
        "records": rows[(page - 1) * size : page * size],
    }
