"""A simulated Overseerr, Jellyseerr or Seerr, which hands requests to the simulated services."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
import json
from typing import Any, override

import aiohttp
from aiohttp import web

from . import templates
from .arr import ArrDouble, int_or
from .clock import Clock, js_date
from .delivery import DeliveryError
from .faults import Delivery, Json
from .flavours import FLAVOURS, default_template
from .library import Catalogue, Film, Show
from .service import HOST, INTERNAL_HEADER, PAGE, HttpDouble, json_answer, read_json, slug

ADMIN, MANAGE_REQUESTS, REQUEST, AUTO_APPROVE, REQUEST_VIEW = 2, 16, 32, 128, 16384
TYPES = {
    "MEDIA_PENDING": 2,
    "MEDIA_APPROVED": 4,
    "MEDIA_AVAILABLE": 8,
    "MEDIA_FAILED": 16,
    "TEST_NOTIFICATION": 32,
    "MEDIA_DECLINED": 64,
    "MEDIA_AUTO_APPROVED": 128,
    "ISSUE_CREATED": 256,
    "ISSUE_COMMENT": 512,
    "ISSUE_RESOLVED": 1024,
    "ISSUE_REOPENED": 2048,
}
SENTENCES = {
    "MEDIA_PENDING": "New {}Request",
    "MEDIA_APPROVED": "{}Request Approved",
    "MEDIA_AVAILABLE": "{}Request Now Available",
    "MEDIA_FAILED": "{}Request Failed",
    "MEDIA_DECLINED": "{}Request Declined",
    "MEDIA_AUTO_APPROVED": "{}Request Automatically Approved",
}
POSTER = "https://image.tmdb.org/t/p/w600_and_h900_bestv2"


class Decision(IntEnum):
    """The status of a request."""

    PENDING = 1
    APPROVED = 2
    DECLINED = 3
    FAILED = 4
    COMPLETED = 5


class Presence(IntEnum):
    """The status of a title or a season."""

    UNKNOWN = 1
    PENDING = 2
    PROCESSING = 3
    PARTIALLY_AVAILABLE = 4
    AVAILABLE = 5
    BLOCKED = 6
    DELETED = 7


@dataclass(slots=True, kw_only=True)
class User:
    """A person known to Seerr."""

    id: int
    name: str
    permissions: int = REQUEST
    movie_quota: int = 0
    tv_quota: int = 0

    def may(self, permission: int) -> bool:
        """Say whether the person has a right; administrators have every one."""
        return bool(self.permissions & (permission | ADMIN))


@dataclass(slots=True, kw_only=True)
class Copy:
    """What Seerr knows about one quality of a title."""

    status: Presence = Presence.UNKNOWN
    seasons: dict[int, Presence] = field(default_factory=dict)
    server: int | None = None
    external_id: int | None = None
    slug: str | None = None
    downloads: list[Json] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Media:
    """A title in Seerr."""

    id: int
    kind: str
    tmdb_id: int
    tvdb_id: int | None
    created: datetime
    updated: datetime
    hd: Copy = field(default_factory=Copy)
    uhd: Copy = field(default_factory=Copy)

    def copy(self, *, is4k: bool) -> Copy:
        """Return the copy in one quality."""
        return self.uhd if is4k else self.hd


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """A request in Seerr."""

    id: int
    media: Media
    status: Decision
    is4k: bool
    by: User
    created: datetime
    updated: datetime
    seasons: list[int] = field(default_factory=list)
    modified_by: User | None = None
    server: int | None = None
    profile: int | None = None
    root_folder: str | None = None

    @property
    def copy(self) -> Copy:
        """The copy that is asked for."""
        return self.media.copy(is4k=self.is4k)


@dataclass(slots=True, kw_only=True)
class Server:
    """A Radarr or Sonarr as set up in Seerr."""

    id: int
    double: ArrDouble
    is4k: bool
    default: bool

    def settings(self) -> Json:
        """Describe the server as the settings show it to an administrator."""
        arr = self.double
        return {
            "id": self.id,
            "name": arr.name,
            "hostname": HOST,
            "port": arr.port,
            "apiKey": arr.api_key,
            "useSsl": False,
            "baseUrl": arr.url_base,
            "activeProfileId": 5 if self.is4k else 4,
            "activeProfileName": "Ultra-HD" if self.is4k else "HD-1080p",
            "activeDirectory": arr.root_folder,
            "is4k": self.is4k,
            "isDefault": self.default,
            "externalUrl": "",
            "syncEnabled": True,
            "preventSearch": False,
            "tags": [],
            **(
                {"minimumAvailability": "released"}
                if arr.kind == "radarr"
                else {"enableSeasonFolders": True, "activeLanguageProfileId": 1}
            ),
        }


class ServiceError(Exception):
    """A Radarr or Sonarr did not answer, or refused."""


class SeerrDouble(HttpDouble):
    """A simulated member of the Seerr family."""

    kind = "seerr"

    def __init__(
        self,
        name: str,
        clock: Clock,
        catalogue: Catalogue,
        *,
        flavour: str = "seerr-3.3",
        api_key: str | None = None,
        port: int = 0,
        url_base: str = "",
    ) -> None:
        """Prepare a server that has an owner and two people."""
        super().__init__(name, clock, port=port, url_base=url_base)
        self.catalogue = catalogue
        self.flavour = FLAVOURS[flavour]
        self.version = self.flavour.version
        self.api_key = api_key or f"c2ltdWxhdGVkLWtleS1vZi0{slug(name).replace('-', '')}"
        self.key_user = 1
        self.csrf_protection = False
        self.arr_timeout = 10.0
        self.write_delay = 0.02
        self.servers: list[Server] = []
        self.users: dict[int, User] = {}
        for person, rights in (
            ("Olga", ADMIN),
            ("Anna", REQUEST | REQUEST_VIEW),
            ("Ben", REQUEST),
            ("Carla", REQUEST | AUTO_APPROVE),
        ):
            self.user(person, rights)
        self._session: aiohttp.ClientSession | None = None
        self.webhook: Json = {}
        self._clear()

    def _clear(self) -> None:
        self.media: dict[int, Media] = {}
        self._by_tmdb: dict[tuple[str, int], Media] = {}
        self.requests: dict[int, Request] = {}
        self._last_request = 0
        self.webhook = {
            "enabled": False,
            "types": 0,
            "options": {
                "webhookUrl": "",
                "jsonPayload": templates.store(
                    json.dumps(default_template(self.flavour)), literal=True
                ),
            },
        }
        if self.flavour.embeds_poster:
            self.webhook["embedPoster"] = True

    def reinstall(self) -> None:
        """Lose the database: every id is given out again, keys and address stay."""
        self._clear()

    def user(self, name: str, permissions: int = REQUEST) -> User:
        """Let a person in."""
        user = User(id=len(self.users) + 1, name=name, permissions=permissions)
        self.users[user.id] = user
        return user

    def connect(self, arr: ArrDouble, *, is4k: bool = False, default: bool = True) -> Server:
        """Enter a Radarr or Sonarr in the settings."""
        number = sum(server.double.kind == arr.kind for server in self.servers)
        server = Server(id=number, double=arr, is4k=is4k, default=default)
        self.servers.append(server)
        return server

    @override
    async def start(self) -> None:
        await super().start()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self.sender.resolver, force_close=True, use_dns_cache=False
            )
        )

    @override
    async def stop(self) -> None:
        await super().stop()
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- HTTP: who may ask ---------------------------------------------------------------

    @override
    def refuse(self, request: web.Request) -> web.StreamResponse | None:
        path = request.path.removeprefix(self.url_base)
        if path in {"/api/v1/status", "/api/v1/settings/public"}:
            return None
        key = request.headers.get("X-Api-Key")
        if key is None:
            return json_answer(
                {"status": 401, "error": "You must be logged in to access this endpoint"}, 401
            )
        actor = int_or(request.headers.get("X-API-User", str(self.key_user)), -1)
        if key != self.api_key or actor not in self.users:
            return _no_access()
        if self.csrf_protection and request.method not in {"GET", "HEAD", "OPTIONS"}:
            return json_answer({"message": "invalid csrf token"}, 403)
        request["user"] = user = self.users[actor]
        if path.startswith("/api/v1/settings") and not user.may(ADMIN):
            return _no_access()
        return None

    @override
    def misrouted(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(f"{self.url_base}/api/v1"):
            return json_answer({"message": "not found", "errors": []}, 404)
        status = 404 if request.path.startswith("/api") else 200
        return web.Response(text=PAGE.format("Seerr"), content_type="text/html", status=status)

    @override
    def failure(self, status: int) -> web.StreamResponse:
        if status in {401, 403}:
            return json_answer({"status": status, "error": "Simulated refusal"}, status)
        return json_answer({"message": "Simulated failure"}, status)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        api = "/api/v1"
        yield web.get(f"{api}/status", self._get_status)
        yield web.get(f"{api}/settings/public", self._get_public)
        yield web.get(f"{api}/auth/me", self._get_me)
        yield web.get(f"{api}/request", self._get_requests)
        yield web.post(f"{api}/request", self._post_request)
        yield web.get(f"{api}/request/count", self._get_count)
        yield web.get(f"{api}/request/{{id}}", self._get_request)
        yield web.delete(f"{api}/request/{{id}}", self._delete_request)
        yield web.post(f"{api}/request/{{id}}/{{verb:approve|decline|retry}}", self._post_decision)
        yield web.get(f"{api}/media", self._get_media)
        yield web.delete(f"{api}/media/{{id}}", self._delete_media)
        yield web.get(f"{api}/movie/{{id}}", self._get_movie)
        yield web.get(f"{api}/tv/{{id}}", self._get_tv)
        yield web.get(f"{api}/search", self._get_search)
        yield web.get(f"{api}/user", self._get_users)
        yield web.get(f"{api}/user/{{id}}", self._get_user)
        yield web.get(f"{api}/user/{{id}}/quota", self._get_quota)
        yield web.get(f"{api}/service/{{kind:radarr|sonarr}}", self._get_service)
        yield web.get(f"{api}/service/{{kind:radarr|sonarr}}/{{id}}", self._get_one_service)
        yield web.get(f"{api}/settings/{{kind:radarr|sonarr}}", self._get_servers)
        hook = f"{api}/settings/notifications/webhook"
        yield web.get(hook, self._get_webhook)
        yield web.post(hook, self._post_webhook)
        yield web.post(f"{hook}/test", self._post_webhook_test)
        yield web.get(f"{api}/settings/jobs", self._get_jobs)
        yield web.post(f"{api}/settings/jobs/{{id}}/run", self._post_job)

    # --- HTTP: status and people ---------------------------------------------------------

    async def _get_status(self, request: web.Request) -> web.Response:
        return json_answer(
            {
                "version": self.version,
                "commitTag": "local",
                "updateAvailable": False,
                "commitsBehind": 0,
                "restartRequired": False,
            }
        )

    async def _get_public(self, request: web.Request) -> web.Response:
        document: Json = {
            "initialized": True,
            "applicationTitle": self.flavour.product.capitalize(),
            "applicationUrl": "",
            "hideAvailable": False,
            "localLogin": True,
            "movie4kEnabled": any(s.is4k and s.double.kind == "radarr" for s in self.servers),
            "series4kEnabled": any(s.is4k and s.double.kind == "sonarr" for s in self.servers),
            "originalLanguage": "",
            "partialRequestsEnabled": True,
            "enableSpecialEpisodes": False,
            "cacheImages": False,
            "vapidPublic": "",
            "emailEnabled": False,
            "newPlexLogin": True,
        }
        match self.flavour.product:
            case "overseerr":
                document["region"] = ""
            case "jellyseerr":
                document["mediaServerType"] = self.flavour.media_server
            case _:
                document |= {
                    "mediaServerType": self.flavour.media_server,
                    "hideBlocklisted": False,
                }
        return json_answer(document)

    async def _get_me(self, request: web.Request) -> web.Response:
        return json_answer(self._user(request["user"]))

    async def _get_users(self, request: web.Request) -> web.Response:
        if not request["user"].may(ADMIN):
            return _no_access()
        take = int_or(request.query.get("take", "10"), 10)
        skip = int_or(request.query.get("skip", "0"), 0)
        users = list(self.users.values())
        return json_answer(
            {
                "pageInfo": _page_info(len(users), take, skip),
                "results": [self._user(user) for user in users[skip : skip + take]],
            }
        )

    async def _get_user(self, request: web.Request) -> web.Response:
        user = self.users.get(int_or(request.match_info["id"], -1))
        return _message(404, "User not found.") if user is None else json_answer(self._user(user))

    async def _get_quota(self, request: web.Request) -> web.Response:
        user = self.users.get(int_or(request.match_info["id"], -1))
        if user is None:
            return _message(404, "User not found.")
        answer: Json = {}
        for kind, limit in (("movie", user.movie_quota), ("tv", user.tv_quota)):
            used = self._used(user, kind)
            answer[kind] = {"limit": limit, "days": 7, "used": used}
            if limit:
                answer[kind]["remaining"] = max(limit - used, 0)
            answer[kind]["restricted"] = bool(limit) and used >= limit
        return json_answer(answer)

    def _used(self, user: User, kind: str) -> int:
        return sum(
            item.by is user and item.media.kind == kind and item.status != Decision.DECLINED
            for item in self.requests.values()
        )

    def _user(self, user: User) -> Json:
        return {
            "permissions": user.permissions,
            "id": user.id,
            "email": f"{user.name.lower()}@example.com",
            "plexUsername": user.name,
            **({} if self.flavour.product == "overseerr" else {"jellyfinUsername": None}),
            "username": None,
            "recoveryLinkExpirationDate": None,
            "userType": 1,
            "plexId": 1000 + user.id,
            "avatar": f"/avatarproxy/{user.id:032x}",
            "movieQuotaLimit": user.movie_quota or None,
            "movieQuotaDays": None,
            "tvQuotaLimit": user.tv_quota or None,
            "tvQuotaDays": None,
            "createdAt": "2024-12-16T21:13:58.000Z",
            "updatedAt": "2024-12-16T23:59:03.000Z",
            "requestCount": sum(item.by is user for item in self.requests.values()),
            "displayName": user.name,
        }

    # --- HTTP: requests ------------------------------------------------------------------

    async def _get_requests(self, request: web.Request) -> web.Response:
        if (refusal := self._check_query(request)) is not None:
            return refusal
        user: User = request["user"]
        rows = list(self.requests.values())
        if not user.may(MANAGE_REQUESTS | REQUEST_VIEW):
            rows = [item for item in rows if item.by is user]
        if by := request.query.get("requestedBy"):
            rows = [item for item in rows if item.by.id == int_or(by, -1)]
        kind = request.query.get("mediaType", "all")
        wanted = request.query.get("filter") or "all"
        rows = [
            item
            for item in rows
            if kind in {"all", item.media.kind} and self._passes(item, wanted)
        ]
        modified = request.query.get("sort") == "modified"
        rows.sort(key=lambda item: (item.updated if modified else item.created, item.id))
        if request.query.get("sortDirection") != "asc":
            rows.reverse()
        take = int_or(request.query.get("take", "10"), 10)
        skip = int_or(request.query.get("skip", "0"), 0)
        page = rows[skip : skip + take]
        answer: Json = {
            "pageInfo": _page_info(len(rows), take, skip),
            "results": [self.request_document(item, full=False) for item in page],
        }
        if self.flavour.asks_services:
            answer["serviceErrors"] = await self._ask_services()
        return json_answer(answer)

    def _check_query(self, request: web.Request) -> web.Response | None:
        filters = ["all", "approved", "available", "pending", "processing", "unavailable", "failed"]
        if self.flavour.completes:
            filters += ["deleted", "completed"]
        known: dict[str, list[str] | None] = {
            "take": None,
            "skip": None,
            "filter": filters,
            "sort": ["added", "modified"],
            "requestedBy": None,
        }
        if self.flavour.sorts:
            known["sortDirection"] = ["asc", "desc"]
        if self.flavour.filters_type:
            known["mediaType"] = ["movie", "tv", "all"]
        return _check_query(request, known)

    def _passes(self, item: Request, wanted: str) -> bool:
        there = item.copy.status == Presence.AVAILABLE
        completes = self.flavour.completes
        match wanted:
            case "pending":
                return item.status == Decision.PENDING
            case "approved":
                return item.status == Decision.APPROVED
            case "failed":
                return item.status == Decision.FAILED
            case "processing":
                return item.status == Decision.APPROVED and not there
            case "unavailable":
                return item.status in {Decision.PENDING, Decision.APPROVED} and not there
            case "available":
                done = Decision.COMPLETED if completes else Decision.APPROVED
                return item.status == done and there
            case "completed":
                return item.status == Decision.COMPLETED
            case "deleted":
                return (
                    item.status == Decision.COMPLETED and item.copy.status == Presence.DELETED
                )
        return not completes or item.copy.status != Presence.BLOCKED

    async def _ask_services(self) -> Json:
        errors: dict[str, list[Json]] = {"radarr": [], "sonarr": []}
        for server in self.servers:
            try:
                await self._call(server, "GET", "/qualityprofile")
            except ServiceError:
                errors[server.double.kind].append({"id": server.id, "name": server.double.name})
        return errors

    async def _get_count(self, request: web.Request) -> web.Response:
        rows = list(self.requests.values())
        approved = [item for item in rows if item.status == Decision.APPROVED]
        there = sum(item.copy.status == Presence.AVAILABLE for item in approved)
        answer = {
            "total": len(rows),
            "movie": sum(item.media.kind == "movie" for item in rows),
            "tv": sum(item.media.kind == "tv" for item in rows),
            "pending": sum(item.status == Decision.PENDING for item in rows),
            "approved": len(approved),
            "declined": sum(item.status == Decision.DECLINED for item in rows),
            "processing": len(approved) - there,
            "available": there,
        }
        if self.flavour.counts_completed:
            answer["completed"] = sum(item.status == Decision.COMPLETED for item in rows)
        return json_answer(answer)

    def _visible(self, request: web.Request) -> Request | web.Response:
        item = self.requests.get(int_or(request.match_info["id"], -1))
        user: User = request["user"]
        if item is None:
            return _message(404, "Request not found.")
        if item.by is not user and not user.may(MANAGE_REQUESTS | REQUEST_VIEW):
            return _message(403, "You do not have permission to view this request.")
        return item

    async def _get_request(self, request: web.Request) -> web.Response:
        item = self._visible(request)
        if isinstance(item, web.Response):
            return item
        return json_answer(self.request_document(item, full=True))

    async def _delete_request(self, request: web.Request) -> web.Response:
        item = self._visible(request)
        if isinstance(item, web.Response):
            return item
        user: User = request["user"]
        pending = item.status == Decision.PENDING and item.by is user
        if not pending and not user.may(MANAGE_REQUESTS):
            return _message(401, "You do not have permission to delete this request.")
        self.delete(item)
        return web.Response(status=204)

    async def _post_decision(self, request: web.Request) -> web.Response:
        if not request["user"].may(MANAGE_REQUESTS):
            return _no_access()
        item = self._visible(request)
        if isinstance(item, web.Response):
            return item
        match request.match_info["verb"]:
            case "approve":
                self.approve(item, by=request["user"])
            case "decline":
                self.decline(item, by=request["user"])
            case _:
                self.retry(item, by=request["user"])
        return json_answer(self.request_document(item, full=True))

    async def _post_request(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        body = body if isinstance(body, dict) else {}
        kind, tmdb_id = body.get("mediaType"), body.get("mediaId")
        if kind not in {"movie", "tv"} or not isinstance(tmdb_id, int):
            return json_answer(
                {
                    "message": "request.body should have required property 'mediaType'",
                    "errors": [{"path": ".body.mediaType", "errorCode": "required.openapi"}],
                },
                400,
            )
        user: User = request["user"]
        if (other := body.get("userId")) is not None and other != user.id:
            if not user.may(MANAGE_REQUESTS):
                return _message(403, "You do not have permission to modify the request user.")
            user = self.users.get(other, user)
        if not user.may(REQUEST):
            return _message(403, "You do not have permission to make requests.")
        limit = user.movie_quota if kind == "movie" else user.tv_quota
        if limit and self._used(user, kind) >= limit:
            return _message(403, f"{kind.capitalize()} Quota exceeded.")
        about = self._about(kind, tmdb_id)
        if about is None:
            return _message(500, "[TMDB] Failed to fetch details: 404")
        is4k = bool(body.get("is4k", False))
        seasons = body.get("seasons")
        if kind == "tv" and seasons is None:
            return _message(500, "Cannot read properties of undefined (reading 'filter')")
        known = self._by_tmdb.get((kind, tmdb_id))
        if known is not None and known.copy(is4k=is4k).status == Presence.BLOCKED:
            return _message(403, "This media is blocklisted.")
        item = self.ask(about, by=user, seasons=seasons, is4k=is4k, server=body.get("serverId"))
        if item is None:
            if kind == "movie":
                return _message(409, "Request for this media already exists.")
            return _message(202, "No seasons available to request")
        return json_answer(self.request_document(item, full=True), 201)

    def _about(self, kind: str, tmdb_id: int) -> Film | Show | None:
        if kind == "movie":
            return self.catalogue.films.get(tmdb_id)
        return self.catalogue.shows_by_tmdb.get(tmdb_id)

    def request_document(self, item: Request, *, full: bool) -> Json:
        """Describe a request; only a single one shows the seasons of its title."""
        document: Json = {
            "id": item.id,
            "status": int(item.status),
            "createdAt": js_date(item.created),
            "updatedAt": js_date(item.updated),
            "type": item.media.kind,
            "is4k": item.is4k,
            "serverId": item.server,
            "profileId": item.profile,
            "rootFolder": item.root_folder,
            "languageProfileId": None,
            "tags": [],
            "isAutoRequest": False,
            "media": self.media_document(item.media, seasons=full),
            "seasons": [
                {
                    "id": item.id * 100 + number,
                    "seasonNumber": number,
                    "status": int(self._season_status(item, number)),
                    "createdAt": js_date(item.created),
                    "updatedAt": js_date(item.updated),
                }
                for number in item.seasons
            ],
            "modifiedBy": None if item.modified_by is None else self._user(item.modified_by),
            "requestedBy": self._user(item.by),
            "seasonCount": len(item.seasons),
        }
        if not full and self.flavour.asks_services:
            document["profileName"] = "Ultra-HD" if item.is4k else "HD-1080p"
            document["canRemove"] = item.copy.external_id is not None
        return document

    def _season_status(self, item: Request, number: int) -> Decision:
        there = item.copy.seasons.get(number) == Presence.AVAILABLE
        if there and self.flavour.completes:
            return Decision.COMPLETED
        return item.status

    # --- HTTP: titles --------------------------------------------------------------------

    def media_document(self, media: Media, *, seasons: bool) -> Json:
        """Describe a title as Seerr keeps it."""
        document: Json = {
            "downloadStatus": media.hd.downloads,
            "downloadStatus4k": media.uhd.downloads,
            "id": media.id,
            "mediaType": media.kind,
            "tmdbId": media.tmdb_id,
            "tvdbId": media.tvdb_id,
            "imdbId": None,
            "status": int(media.hd.status),
            "status4k": int(media.uhd.status),
            "createdAt": js_date(media.created),
            "updatedAt": js_date(media.updated),
            "lastSeasonChange": js_date(media.created),
            "mediaAddedAt": js_date(media.created) if self.flavour.completes else None,
            "serviceId": media.hd.server,
            "serviceId4k": media.uhd.server,
            "externalServiceId": media.hd.external_id,
            "externalServiceId4k": media.uhd.external_id,
            "externalServiceSlug": media.hd.slug,
            "externalServiceSlug4k": media.uhd.slug,
            "ratingKey": None,
            "ratingKey4k": None,
        }
        if self.flavour.product != "overseerr":
            document |= {"jellyfinMediaId": None, "jellyfinMediaId4k": None}
        if seasons:
            document["seasons"] = [
                {
                    "id": media.id * 100 + number,
                    "seasonNumber": number,
                    "status": int(media.hd.seasons.get(number, Presence.UNKNOWN)),
                    "status4k": int(media.uhd.seasons.get(number, Presence.UNKNOWN)),
                    "createdAt": js_date(media.created),
                    "updatedAt": js_date(media.updated),
                }
                for number in sorted(set(media.hd.seasons) | set(media.uhd.seasons))
            ]
        return document

    def _with_requests(self, media: Media) -> Json:
        return self.media_document(media, seasons=True) | {
            "requests": [
                self.request_document(item, full=False)
                for item in self.requests.values()
                if item.media is media
            ]
        }

    async def _get_media(self, request: web.Request) -> web.Response:
        refusal = _check_query(
            request,
            {
                "take": None,
                "skip": None,
                "filter": [
                    "all",
                    "available",
                    "partial",
                    "allavailable",
                    "processing",
                    "pending",
                    *(["deleted"] if self.flavour.completes else []),
                ],
                "sort": ["added", "modified", "mediaAdded"],
            },
        )
        if refusal is not None:
            return refusal
        wanted = {
            "available": {Presence.AVAILABLE},
            "partial": {Presence.PARTIALLY_AVAILABLE},
            "allavailable": {Presence.AVAILABLE, Presence.PARTIALLY_AVAILABLE},
            "processing": {Presence.PROCESSING},
            "pending": {Presence.PENDING},
            "deleted": {Presence.DELETED},
        }.get(request.query.get("filter", "all"))
        rows = [
            media for media in self.media.values() if wanted is None or media.hd.status in wanted
        ]
        rows.sort(key=lambda media: media.id, reverse=True)
        take = int_or(request.query.get("take", "20"), 20)
        skip = int_or(request.query.get("skip", "0"), 0)
        return json_answer(
            {
                "pageInfo": _page_info(len(rows), take, skip),
                "results": [
                    self.media_document(media, seasons=False) for media in rows[skip : skip + take]
                ],
            }
        )

    async def _delete_media(self, request: web.Request) -> web.Response:
        if not request["user"].may(MANAGE_REQUESTS):
            return _no_access()
        media = self.media.get(int_or(request.match_info["id"], -1))
        if media is None:
            return _message(404, "Media not found")
        self.forget(media)
        return web.Response(status=204)

    async def _get_movie(self, request: web.Request) -> web.Response:
        film = self.catalogue.films.get(int_or(request.match_info["id"], -1))
        if film is None:
            return _message(500, "Unable to retrieve movie.")
        media = self._by_tmdb.get(("movie", film.tmdb_id))
        return json_answer(
            {
                "id": film.tmdb_id,
                "adult": False,
                "budget": 0,
                "genres": [{"id": 18, "name": name} for name in film.genres],
                "originalLanguage": "en",
                "originalTitle": film.title,
                "overview": film.overview or "",
                "posterPath": film.poster,
                "backdropPath": None,
                "releaseDate": film.release_date.isoformat() if film.year else "",
                "runtime": film.runtime,
                "status": "Released",
                "title": film.title,
                "externalIds": {"imdbId": film.imdb_id},
                **({} if media is None else {"mediaInfo": self._with_requests(media)}),
            }
        )

    async def _get_tv(self, request: web.Request) -> web.Response:
        show = self.catalogue.shows_by_tmdb.get(int_or(request.match_info["id"], -1))
        if show is None:
            return _message(500, "Unable to retrieve series.")
        media = self._by_tmdb.get(("tv", show.tmdb_id))
        aired = [item.aired for item in show.episodes if item.aired and item.season]
        return json_answer(
            {
                "id": show.tmdb_id,
                "name": show.title,
                "originalName": show.title,
                "overview": show.overview or "",
                "posterPath": show.poster,
                "backdropPath": None,
                "firstAirDate": min(aired).date().isoformat() if aired else "",
                "genres": [{"id": 18, "name": name} for name in show.genres],
                "numberOfSeasons": len([number for number in show.seasons if number]),
                "numberOfEpisodes": len(show.episodes),
                "seasons": [
                    {
                        "id": show.tmdb_id * 100 + number,
                        "seasonNumber": number,
                        "name": f"Season {number}" if number else "Specials",
                        "episodeCount": sum(item.season == number for item in show.episodes),
                        "airDate": None,
                        "overview": "",
                        "posterPath": None,
                    }
                    for number in show.seasons
                ],
                "status": "Ended" if show.ended else "Returning Series",
                "externalIds": {"imdbId": show.imdb_id, "tvdbId": show.tvdb_id},
                **({} if media is None else {"mediaInfo": self._with_requests(media)}),
            }
        )

    async def _get_search(self, request: web.Request) -> web.Response:
        if "+" in request.rel_url.raw_query_string:
            return _message(400, "Parameter 'query' must be url encoded.")
        text = request.query.get("query", "").lower()
        results: list[Json] = [
            {
                "id": film.tmdb_id,
                "mediaType": "movie",
                "title": film.title,
                "releaseDate": film.release_date.isoformat(),
                "posterPath": film.poster,
                "overview": film.overview or "",
            }
            for film in self.catalogue.films.values()
            if text in film.title.lower()
        ]
        results += [
            {
                "id": show.tmdb_id,
                "mediaType": "tv",
                "name": show.title,
                "firstAirDate": f"{show.year}-01-01",
                "posterPath": show.poster,
                "overview": show.overview or "",
            }
            for show in self.catalogue.shows.values()
            if text in show.title.lower() and show.tmdb_id
        ]
        page = max(int_or(request.query.get("page", "1"), 1), 1)
        return json_answer(
            {
                "page": page,
                "totalPages": max(-(-len(results) // 20), 1),
                "totalResults": len(results),
                "results": results[(page - 1) * 20 : page * 20],
            }
        )

    # --- HTTP: services and settings -----------------------------------------------------

    def _servers(self, request: web.Request) -> list[Server]:
        return [s for s in self.servers if s.double.kind == request.match_info["kind"]]

    def _service(self, server: Server) -> Json:
        hidden = {"hostname", "port", "apiKey", "useSsl", "baseUrl", "externalUrl"}
        hidden |= {"syncEnabled", "preventSearch", "tags", "minimumAvailability"}
        hidden |= {"enableSeasonFolders", "activeProfileName"}
        return {key: value for key, value in server.settings().items() if key not in hidden} | {
            "activeTags": []
        }

    async def _get_service(self, request: web.Request) -> web.Response:
        return json_answer([self._service(server) for server in self._servers(request)])

    async def _get_one_service(self, request: web.Request) -> web.Response:
        number = int_or(request.match_info["id"], -1)
        for server in self._servers(request):
            if server.id != number:
                continue
            try:
                profiles = await self._call(server, "GET", "/qualityprofile")
                folders = await self._call(server, "GET", "/rootfolder")
            except ServiceError as err:
                return _message(500, str(err))
            return json_answer(
                {
                    "server": self._service(server),
                    "profiles": profiles,
                    "rootFolders": folders,
                    "tags": [],
                }
            )
        return _message(404, "Server with provided ID does not exist.")

    async def _get_servers(self, request: web.Request) -> web.Response:
        return json_answer([server.settings() for server in self._servers(request)])

    async def _get_webhook(self, request: web.Request) -> web.Response:
        options = dict(self.webhook["options"])
        try:
            options["jsonPayload"] = templates.load_once(options["jsonPayload"])
        except templates.TemplateError as err:
            return _message(500, str(err))
        return json_answer({**self.webhook, "options": options})

    def _read_webhook(self, body: Any) -> Json:
        data = body if isinstance(body, dict) else {}
        given = data.get("options") or {}
        options: Json = {
            "webhookUrl": given.get("webhookUrl", ""),
            "jsonPayload": templates.store(
                given.get("jsonPayload"), literal=self.flavour.literal_template
            ),
        }
        names = ["authHeader"]
        names += ["supportVariables"] if self.flavour.url_variables else []
        names += ["customHeaders"] if self.flavour.custom_headers else []
        options |= {name: given[name] for name in names if name in given}
        settings: Json = {
            "enabled": bool(data.get("enabled", False)),
            "types": int(data.get("types") or 0),
            "options": options,
        }
        if self.flavour.embeds_poster and "embedPoster" in data:
            settings["embedPoster"] = data["embedPoster"]
        return settings

    async def _post_webhook(self, request: web.Request) -> web.Response:
        self.webhook = self._read_webhook(await read_json(request))
        return json_answer(self.webhook)

    async def _post_webhook_test(self, request: web.Request) -> web.Response:
        settings = self._read_webhook(await read_json(request))
        variables = dict.fromkeys(self._names(), "") | {
            "notification_type": "TEST_NOTIFICATION",
            "subject": "Test Notification",
            "message": "Check check, 1, 2, 3. Are we coming in clear?",
        }
        try:
            delivery = self._delivery(settings, "TEST_NOTIFICATION", variables, frozenset(), [])
        except templates.TemplateError as err:
            return _message(500, str(err))
        try:
            status = await self.sender.send(delivery)
        except DeliveryError:
            status = 599
        if 200 <= status < 300:
            return web.Response(status=204)
        return _message(500, "Failed to send webhook notification.")

    async def _get_jobs(self, request: web.Request) -> web.Response:
        return json_answer(
            [
                {"id": name, "name": name, "type": "process", "interval": "minutes"}
                for name in self._jobs()
            ]
        )

    def _jobs(self) -> list[str]:
        media = "plex" if self.flavour.media_server in {0, 1} else "jellyfin"
        return [
            f"{media}-recently-added-scan",
            f"{media}-full-scan",
            "radarr-scan",
            "sonarr-scan",
            "availability-sync",
            "download-sync",
        ]

    async def _post_job(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self._jobs():
            return _message(404, "Job not found.")
        self.spawn(self.download_sync() if name == "download-sync" else self.scan())
        return json_answer({"id": name, "name": name, "type": "process", "running": True})

    # --- what people do ------------------------------------------------------------------

    def ask(
        self,
        about: Film | Show,
        *,
        by: User | str | None = None,
        seasons: list[int] | str | None = None,
        is4k: bool = False,
        server: int | None = None,
    ) -> Request | None:
        """Make a request; None if there is nothing left to ask for."""
        user = self._person(by)
        kind = "movie" if isinstance(about, Film) else "tv"
        media = self._by_tmdb.get((kind, about.tmdb_id)) or self._new_media(kind, about)
        wanted: list[int] = []
        done = {Decision.DECLINED, Decision.COMPLETED}
        earlier = [
            item
            for item in self.requests.values()
            if item.media is media and item.is4k == is4k and item.status not in done
        ]
        if isinstance(about, Show):
            every = [number for number in about.seasons if number > 0]
            whole = seasons is None or isinstance(seasons, str)
            wanted = every if whole else [int(number) for number in seasons or []]
            taken = {number for item in earlier for number in item.seasons}
            taken |= {
                number
                for number, status in media.copy(is4k=is4k).seasons.items()
                if status in {Presence.AVAILABLE, Presence.PARTIALLY_AVAILABLE}
            }
            wanted = [number for number in wanted if number not in taken]
            if not wanted:
                return None
        elif earlier:
            return None
        approved = user.may(MANAGE_REQUESTS | AUTO_APPROVE)
        now = self.clock.now()
        self._last_request += 1
        item = Request(
            id=self._last_request,
            media=media,
            status=Decision.APPROVED if approved else Decision.PENDING,
            is4k=is4k,
            by=user,
            created=now,
            updated=now,
            seasons=wanted,
            modified_by=user if approved else None,
            server=server,
        )
        self.requests[item.id] = item
        self._set_pending(item)
        self._tell("MEDIA_AUTO_APPROVED" if approved else "MEDIA_PENDING", item)
        if approved:
            self.spawn(self._hand_over(item))
        return item

    def _set_pending(self, item: Request) -> None:
        copy = item.copy
        if copy.status in {Presence.UNKNOWN, Presence.DELETED}:
            copy.status = Presence.PENDING
        for number in item.seasons:
            if copy.seasons.get(number, Presence.UNKNOWN) in {Presence.UNKNOWN, Presence.DELETED}:
                copy.seasons[number] = Presence.PENDING

    def _person(self, by: User | str | None) -> User:
        if isinstance(by, User):
            return by
        for user in self.users.values():
            if user.name == by:
                return user
        return self.users[1]

    def _new_media(self, kind: str, about: Film | Show) -> Media:
        now = self.clock.now()
        media = Media(
            id=len(self.media) + 1,
            kind=kind,
            tmdb_id=about.tmdb_id,
            tvdb_id=about.tvdb_id if isinstance(about, Show) else None,
            created=now,
            updated=now,
        )
        self.media[media.id] = media
        self._by_tmdb[kind, about.tmdb_id] = media
        return media

    def _save(self, item: Request, status: Decision, by: User | None = None) -> None:
        item.status = status
        if by is not None:
            item.modified_by = by
        if self.flavour.updated_at != "never":
            item.updated = self.clock.now()

    def _touch(self, media: Media) -> None:
        if self.flavour.updated_at != "never":
            media.updated = self.clock.now()

    def approve(self, item: Request, *, by: User | None = None) -> None:
        """Approve a request; handing it over goes on by itself."""
        self._save(item, Decision.APPROVED, by or self.users[1])
        if item.copy.status != Presence.AVAILABLE:
            self._tell("MEDIA_APPROVED", item)
        self.spawn(self._hand_over(item))

    def decline(self, item: Request, *, by: User | None = None) -> None:
        """Decline a request."""
        self._save(item, Decision.DECLINED, by or self.users[1])
        self._tell("MEDIA_DECLINED", item)
        self._withdraw(item)

    def retry(self, item: Request, *, by: User | None = None) -> None:
        """Hand a failed request over once more."""
        self._set_pending(item)
        self.approve(item, by=by)

    def delete(self, item: Request) -> None:
        """Delete a request; nobody is told."""
        self.requests.pop(item.id, None)
        self._withdraw(item)

    def forget(self, media: Media) -> None:
        """Delete a title and its requests; nobody is told."""
        self.media.pop(media.id, None)
        self._by_tmdb.pop((media.kind, media.tmdb_id), None)
        for item in list(self.requests.values()):
            if item.media is media:
                del self.requests[item.id]

    def _withdraw(self, item: Request) -> None:
        copy = item.copy
        open_ = {Decision.PENDING, Decision.APPROVED}
        others = [
            other
            for other in self.requests.values()
            if other is not item
            and other.media is item.media
            and other.is4k == item.is4k
            and other.status in open_
        ]
        asked = {number for other in others for number in other.seasons}
        for number in item.seasons:
            if number not in asked and copy.seasons.get(number) == Presence.PENDING:
                copy.seasons[number] = Presence.UNKNOWN
        if not others and copy.status == Presence.PENDING:
            copy.status = Presence.UNKNOWN
        self._touch(item.media)

    def block(self, about: Film | Show, *, is4k: bool = False) -> None:
        """Put a title on the list of what may not be asked for."""
        kind = "movie" if isinstance(about, Film) else "tv"
        media = self._by_tmdb.get((kind, about.tmdb_id)) or self._new_media(kind, about)
        media.copy(is4k=is4k).status = Presence.BLOCKED

    # --- what Seerr does with Radarr and Sonarr -----------------------------------------

    async def _call(self, server: Server, method: str, path: str, body: Any = None) -> Any:
        assert self._session is not None, "the service is not started"
        headers = {"X-Api-Key": server.double.api_key, INTERNAL_HEADER: self.name}
        try:
            async with self._session.request(
                method,
                f"{server.double.url}/api/v3{path}",
                json=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self.arr_timeout),
            ) as answer:
                if answer.status == 404:
                    return None
                if answer.status >= 400:
                    msg = f"{server.double.name} answered {answer.status}"
                    raise ServiceError(msg)
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            msg = f"{server.double.name}: {type(err).__name__}"
            raise ServiceError(msg) from err

    def _server_for(self, item: Request) -> Server | None:
        kind = "radarr" if item.media.kind == "movie" else "sonarr"
        servers = [server for server in self.servers if server.double.kind == kind]
        for server in servers:
            if item.server is not None and server.id == item.server:
                return server
        for server in servers:
            if server.default and server.is4k == item.is4k:
                return server
        return None

    async def _hand_over(self, item: Request) -> None:
        server = self._server_for(item)
        if server is None or item.copy.status == Presence.AVAILABLE:
            return
        item.server = server.id
        item.profile = 5 if server.is4k else 4
        item.root_folder = server.double.root_folder
        copy = item.copy
        try:
            if item.media.kind == "movie":
                added = await self._send_film(server, item)
            else:
                added = await self._send_series(server, item)
        except ServiceError:
            if item.status == Decision.APPROVED:
                self._tell("MEDIA_FAILED", item)
                self._save(item, Decision.FAILED)
                copy.status = Presence.UNKNOWN
                for number in item.seasons:
                    copy.seasons[number] = Presence.UNKNOWN
            return
        copy.server, copy.external_id = server.id, int(added["id"])
        copy.slug = added.get("titleSlug")
        if copy.status in {Presence.PENDING, Presence.UNKNOWN}:
            copy.status = Presence.PROCESSING
        for number in item.seasons:
            if copy.seasons.get(number, Presence.UNKNOWN) in {Presence.PENDING, Presence.UNKNOWN}:
                copy.seasons[number] = Presence.PROCESSING
        self._touch(item.media)

    async def _send_film(self, server: Server, item: Request) -> Json:
        found = await self._call(server, "GET", f"/movie/lookup?term=tmdb:{item.media.tmdb_id}")
        if not found:
            msg = "Movie not found"
            raise ServiceError(msg)
        film: Json = found[0]
        if film.get("id"):
            if not film.get("monitored"):
                film = await self._call(
                    server, "PUT", f"/movie/{film['id']}", {**film, "monitored": True}
                )
            return film
        settings = server.settings()
        body = {
            "title": film["title"],
            "qualityProfileId": settings["activeProfileId"],
            "minimumAvailability": "released",
            "tmdbId": item.media.tmdb_id,
            "year": film["year"],
            "rootFolderPath": settings["activeDirectory"],
            "monitored": True,
            "tags": [],
            "addOptions": {"searchForMovie": True},
        }
        added: Json = await self._call(server, "POST", "/movie", body)
        return added

    async def _send_series(self, server: Server, item: Request) -> Json:
        found = await self._call(server, "GET", f"/series/lookup?term=tvdb:{item.media.tvdb_id}")
        if not found:
            msg = "Series not found"
            raise ServiceError(msg)
        series: Json = found[0]
        settings = server.settings()
        if series.get("id"):
            for season in series["seasons"]:
                season["monitored"] = season["monitored"] or season["seasonNumber"] in item.seasons
            updated: Json = await self._call(
                server, "PUT", "/series", {**series, "monitored": True}
            )
            return updated
        body = {
            "tvdbId": item.media.tvdb_id,
            "title": series["title"],
            "qualityProfileId": settings["activeProfileId"],
            "languageProfileId": 1,
            "seasons": [
                {
                    "seasonNumber": season["seasonNumber"],
                    "monitored": season["seasonNumber"] in item.seasons,
                }
                for season in series["seasons"]
            ],
            "tags": [],
            "seasonFolder": True,
            "monitored": True,
            "rootFolderPath": settings["activeDirectory"],
            "seriesType": "standard",
            "addOptions": {"ignoreEpisodesWithFiles": True, "searchForMissingEpisodes": True},
        }
        added: Json = await self._call(server, "POST", "/series", body)
        return added

    async def download_sync(self) -> None:
        """Read the services' queues, as Seerr does every minute."""
        fresh: dict[tuple[str, int, bool], list[Json]] = {}
        for server in self.servers:
            try:
                answer = await self._call(
                    server, "GET", "/queue?pageSize=1000&includeEpisode=true"
                )
            except ServiceError:
                continue
            for row in (answer or {}).get("records", []):
                owner = row.get("movieId") or row.get("seriesId") or 0
                fresh.setdefault((server.double.kind, owner, server.is4k), []).append(
                    self._queue_entry(row)
                )
        for media in self.media.values():
            kind = "radarr" if media.kind == "movie" else "sonarr"
            for is4k in (False, True):
                copy = media.copy(is4k=is4k)
                copy.downloads = fresh.get((kind, copy.external_id or -1, is4k), [])

    def _queue_entry(self, row: Json) -> Json:
        entry: Json = {
            "externalId": row.get("movieId") or row.get("seriesId"),
            "estimatedCompletionTime": row.get("estimatedCompletionTime"),
            "mediaType": "movie" if "movieId" in row else "tv",
            "size": row["size"],
            "sizeLeft": row["sizeleft"],
            "status": row["status"],
            "title": row["title"],
        }
        if "timeleft" in row:
            entry["timeLeft"] = row["timeleft"]
        if self.flavour.tells_download_id and "downloadId" in row:
            entry["downloadId"] = row["downloadId"]
        if "episode" in row:
            entry["episode"] = row["episode"]
        return entry

    async def scan(self) -> None:
        """Look what has become available, as the scans of the media server do."""
        for media in list(self.media.values()):
            for is4k in (False, True):
                copy = media.copy(is4k=is4k)
                if copy.external_id is None:
                    continue
                server = self._server_of(media, copy, is4k=is4k)
                if server is None:
                    continue
                try:
                    await self._scan_one(server, media, copy, is4k=is4k)
                except ServiceError:
                    continue

    def _server_of(self, media: Media, copy: Copy, *, is4k: bool) -> Server | None:
        kind = "radarr" if media.kind == "movie" else "sonarr"
        for server in self.servers:
            if server.double.kind == kind and server.id == copy.server and server.is4k == is4k:
                return server
        return None

    async def _scan_one(self, server: Server, media: Media, copy: Copy, *, is4k: bool) -> None:
        seasons: dict[int, Presence] = {}
        if media.kind == "movie":
            film = await self._call(server, "GET", f"/movie/{copy.external_id}")
            gone = film is None
            found = Presence.AVAILABLE if film and film["hasFile"] else Presence.PROCESSING
        else:
            series = await self._call(server, "GET", f"/series/{copy.external_id}")
            gone = series is None
            for season in (series or {}).get("seasons", []):
                numbers = season["statistics"]
                have, total = numbers["episodeFileCount"], numbers["totalEpisodeCount"]
                if have:
                    complete = have >= total
                    seasons[season["seasonNumber"]] = (
                        Presence.AVAILABLE if complete else Presence.PARTIALLY_AVAILABLE
                    )
            normal = [s for s in (series or {}).get("seasons", []) if s["seasonNumber"]]
            done = [s for s in normal if seasons.get(s["seasonNumber"]) == Presence.AVAILABLE]
            if normal and len(done) == len(normal):
                found = Presence.AVAILABLE
            elif seasons:
                found = Presence.PARTIALLY_AVAILABLE
            else:
                found = Presence.PROCESSING
        had = {Presence.AVAILABLE, Presence.PARTIALLY_AVAILABLE}
        if gone or (found == Presence.PROCESSING and copy.status in had):
            if copy.status in had:
                lost = Presence.DELETED if self.flavour.completes else Presence.UNKNOWN
                copy.status = lost
                copy.seasons = dict.fromkeys(copy.seasons, lost)
                self._touch(media)
            if gone:
                copy.external_id = copy.server = copy.slug = None
            return
        changed = found != copy.status or any(
            copy.seasons.get(number) != status for number, status in seasons.items()
        )
        if not changed:
            return
        before = dict(copy.seasons)
        ready = self._now_available(media, is4k, found, before | seasons)
        if self.flavour.tells_before_write and ready:
            # These versions tell first and write afterwards: who asks at once sees the old state.
            for item in ready:
                self._tell("MEDIA_AVAILABLE", item, presence=found)
            await asyncio.sleep(self.write_delay)
        copy.status = found
        copy.seasons |= seasons
        self._touch(media)
        if not self.flavour.tells_before_write:
            for item in ready:
                self._save(item, Decision.COMPLETED)
                self._tell("MEDIA_AVAILABLE", item)

    def _now_available(
        self, media: Media, is4k: bool, found: Presence, seasons: dict[int, Presence]
    ) -> list[Request]:
        copy = media.copy(is4k=is4k)
        # A handed-over request that was reported as failed ends available all the same.
        waiting = {Decision.APPROVED, Decision.FAILED}
        ready = []
        for item in self.requests.values():
            if item.media is not media or item.is4k != is4k or item.status not in waiting:
                continue
            if media.kind == "movie":
                done = found == Presence.AVAILABLE
                before = copy.status == Presence.AVAILABLE
            else:
                done = all(seasons.get(n) == Presence.AVAILABLE for n in item.seasons)
                before = all(copy.seasons.get(n) == Presence.AVAILABLE for n in item.seasons)
            if done and not before:
                ready.append(item)
        return ready

    # --- telling -------------------------------------------------------------------------

    def _names(self) -> list[str]:
        people = ["requestedBy", "reportedBy", "commentedBy", "notifyuser"]
        names = ["notification_type", "event", "subject", "message", "image"]
        names += ["media_type", "media_tmdbid", "media_tvdbid", "media_status", "media_status4k"]
        names += ["request_id", "issue_id", "issue_type", "issue_status", "comment_message"]
        if self.flavour.knows_imdb:
            names += ["media_imdbid", "media_jellyfinMediaId"]
        for person in people:
            names += [f"{person}_username", f"{person}_email", f"{person}_avatar"]
            if self.flavour.discord:
                names += [
                    f"{person}_settings_{self.flavour.discord}",
                    f"{person}_settings_telegramChatId",
                ]
        return names

    def _word(self, status: Presence) -> str:
        return self.flavour.blocked_word if status == Presence.BLOCKED else status.name

    def _tell(self, event: str, item: Request, *, presence: Presence | None = None) -> None:
        """Send a notification beside whatever goes on; nobody waits for it."""
        media, film = item.media, self._about(item.media.kind, item.media.tmdb_id)
        assert film is not None
        copies = {"media_status": media.hd.status, "media_status4k": media.uhd.status}
        if presence is not None:
            copies["media_status4k" if item.is4k else "media_status"] = presence
        if event in {"MEDIA_APPROVED", "MEDIA_FAILED", "MEDIA_DECLINED", "MEDIA_AUTO_APPROVED"}:
            key = "media_status4k" if item.is4k else "media_status"
            if copies[key] in {Presence.UNKNOWN, Presence.PROCESSING}:
                copies[key] = Presence.PENDING
        what = f"{'4K ' if item.is4k else ''}{'Movie' if media.kind == 'movie' else 'Series'} "
        message = film.overview or ""
        if len(message) > 500:
            message = f"{message[:499].rstrip()}…"
        variables = dict.fromkeys(self._names(), "") | {
            "notification_type": event,
            "event": SENTENCES[event].format(what),
            "subject": f"{film.title} ({film.year})" if film.year else film.title,
            "message": message,
            "image": f"{POSTER}{film.poster or 'null'}",
            "media_type": media.kind,
            "media_tmdbid": str(media.tmdb_id),
            "media_tvdbid": str(media.tvdb_id or ""),
            "request_id": str(item.id),
            **{name: self._word(status) for name, status in copies.items()},
            **self._person_variables("requestedBy", item.by),
        }
        if event in {"MEDIA_APPROVED", "MEDIA_DECLINED", "MEDIA_AVAILABLE"}:
            variables |= self._person_variables("notifyuser", item.by)
        extra: list[Json] = []
        if item.seasons:
            numbers = ", ".join(str(number) for number in item.seasons)
            extra = [{"name": "Requested Seasons", "value": numbers}]
        self.send(event, variables, frozenset({"media", "request"}), extra)

    def _person_variables(self, prefix: str, user: User) -> dict[str, str]:
        return {
            f"{prefix}_username": user.name,
            f"{prefix}_email": f"{user.name.lower()}@example.com",
            f"{prefix}_avatar": f"/avatarproxy/{user.id:032x}",
        }

    def send(
        self, event: str, variables: dict[str, str], present: frozenset[str], extra: list[Json]
    ) -> None:
        """Deliver an event if the slot wants it; a failure is logged and forgotten."""
        settings = self.webhook
        if not settings["enabled"] or not settings["options"]["webhookUrl"]:
            return
        if not settings["types"] & TYPES[event]:
            return
        try:
            delivery = self._delivery(settings, event, variables, present, extra)
        except templates.TemplateError:
            return
        self.spawn(self._deliver(delivery))

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            await self.sender.send(delivery)
        except DeliveryError:
            return

    def _delivery(
        self,
        settings: Json,
        event: str,
        variables: dict[str, str],
        present: frozenset[str],
        extra: list[Json],
    ) -> Delivery:
        options = settings["options"]
        template = templates.load(options["jsonPayload"], ascii_only=self.flavour.ascii_template)
        payload = templates.render(template, variables, present, extra)
        url = str(options["webhookUrl"])
        if options.get("supportVariables"):
            url = templates.fill_url(url, variables, testing=event == "TEST_NOTIFICATION")
        headers = [
            ("Accept", "application/json, text/plain, */*"),
            ("Content-Type", "application/json"),
            ("User-Agent", self.flavour.user_agent),
        ]
        custom = {
            str(item.get("key")): str(item.get("value"))
            for item in options.get("customHeaders") or []
        }
        if options.get("authHeader"):
            custom = {k: v for k, v in custom.items() if k.lower() != "authorization"}
            custom["Authorization"] = str(options["authHeader"])
        headers += custom.items()
        if self.flavour.user_agent == "node":
            headers = [(key.lower(), value) for key, value in headers]
        return Delivery(
            service=self.name,
            event=event,
            url=url,
            method="POST",
            headers=tuple(headers),
            body=json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(),
            payload=payload if isinstance(payload, dict) else {},
        )


def _message(status: int, text: str) -> web.Response:
    return json_answer({"message": text}, status)


def _no_access() -> web.Response:
    return json_answer(
        {"status": 403, "error": "You do not have permission to access this endpoint"}, 403
    )


def _page_info(total: int, take: int, skip: int) -> Json:
    size = max(take, 1)
    return {
        "pages": -(-total // size),
        "pageSize": take,
        "results": total,
        "page": skip // size + 1,
    }


def _check_query(request: web.Request, known: dict[str, list[str] | None]) -> web.Response | None:
    for name, value in request.query.items():
        if name not in known:
            text = f"Unknown query parameter '{name}'"
        elif (allowed := known[name]) is not None and value not in allowed:
            text = f"request.query.{name} should be equal to one of the allowed values"
        elif allowed is None and not value.isdigit():
            text = f"request.query.{name} should be number"
        else:
            continue
        return json_answer(
            {"message": text, "errors": [{"path": f".query.{name}", "message": text}]}, 400
        )
    return None
