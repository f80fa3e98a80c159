"""What a simulated Seerr does: decide, hand over, notice, and tell."""

import asyncio
import json
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol, override

import aiohttp

from . import templates
from .arr import ArrDouble
from .clock import Clock
from .delivery import DeliveryError
from .faults import Delivery, Json
from .flavours import FLAVOURS, default_template
from .library import Catalogue, Film, Show
from .seerr_data import (
    ADMIN,
    AUTO_APPROVE,
    MANAGE_REQUESTS,
    REQUEST,
    REQUEST_VIEW,
    Copy,
    Decision,
    Media,
    Presence,
    Request,
    Server,
    ServiceError,
    User,
)
from .service import INTERNAL_HEADER, HttpDouble, slug

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


class MediaServer(Protocol):
    """What a Seerr asks whether something can be played."""

    def shows(self, path: str) -> bool:
        """Tell whether a file of the shelf is in a library."""
        ...


class SeerrWork(HttpDouble):
    """The inner life of a simulated Seerr."""

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
        self.media_server: MediaServer | None = None
        """Where it looks whether something can be played; without one, files are enough."""
        self._session: aiohttp.ClientSession | None = None
        self._scanning = asyncio.Lock()
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

    def put_request(
        self,
        about: Film | Show,
        *,
        by: User,
        status: Decision,
        presence: Presence,
        created: datetime,
        external_id: int | None = None,
        seasons: list[int] | None = None,
        is4k: bool = False,
    ) -> Request:
        """Enter a request of former days without telling anybody."""
        kind = "movie" if isinstance(about, Film) else "tv"
        media = self._by_tmdb.get((kind, about.tmdb_id)) or self._new_media(kind, about)
        media.created = media.updated = created
        copy = media.copy(is4k=is4k)
        copy.status, copy.external_id = presence, external_id
        copy.server = 0 if external_id is not None else None
        wanted = seasons or (about.seasons if isinstance(about, Show) else [])
        copy.seasons |= dict.fromkeys(wanted, presence)
        self._last_request += 1
        item = Request(
            id=self._last_request,
            media=media,
            status=status,
            is4k=is4k,
            by=by,
            created=created,
            updated=created,
            seasons=list(wanted),
            modified_by=None if status == Decision.PENDING else self.users[1],
            server=copy.server,
        )
        self.requests[item.id] = item
        return item

    def _set_pending(self, item: Request) -> None:
        copy = item.copy
        if copy.status in {Presence.UNKNOWN, Presence.DELETED}:
            copy.status = Presence.PENDING
        for number in item.seasons:
            if copy.seasons.get(number, Presence.UNKNOWN) in {Presence.UNKNOWN, Presence.DELETED}:
                copy.seasons[number] = Presence.PENDING

    def about(self, kind: str, tmdb_id: int) -> Film | Show | None:
        """Return what the metadata service knows."""
        if kind == "movie":
            return self.catalogue.films.get(tmdb_id)
        return self.catalogue.shows_by_tmdb.get(tmdb_id)

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
        if self._session is None:
            raise RuntimeError("The service is not started")
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
                answer = await self._call(server, "GET", "/queue?pageSize=1000&includeEpisode=true")
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

    async def scan(self, *, everything: bool = False) -> None:
        """Look what has become available; everything: also what has been lost."""
        async with self._scanning:
            await self._scan(everything=everything)

    async def _scan(self, *, everything: bool) -> None:
        for item in list(self.requests.values()):
            if item.status == Decision.FAILED:
                with suppress(ServiceError):
                    await self._find_again(item)
        for media in list(self.media.values()):
            for is4k in (False, True):
                copy = media.copy(is4k=is4k)
                if copy.external_id is None:
                    continue
                if copy.status == Presence.AVAILABLE and not everything:
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
        kind = "movie" if media.kind == "movie" else "series"
        document = await self._call(server, "GET", f"/{kind}/{copy.external_id}")
        seasons = _seasons_found(document or {})
        found = _found(document or {}, seasons)
        if document is None or found == Presence.PROCESSING:
            self._lost(media, copy)
            if document is None:
                copy.external_id = copy.server = copy.slug = None
            return
        if found == copy.status and all(copy.seasons.get(n) == seasons[n] for n in seasons):
            return
        if self.media_server is not None and not all(
            map(self.media_server.shows, server.double.files_of(media.tmdb_id, media.tvdb_id))
        ):
            return
        ready = self._now_available(media, is4k, found, copy.seasons | seasons)
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

    def _lost(self, media: Media, copy: Copy) -> None:
        if copy.status not in {Presence.AVAILABLE, Presence.PARTIALLY_AVAILABLE}:
            return
        copy.status = Presence.DELETED if self.flavour.completes else Presence.UNKNOWN
        copy.seasons = dict.fromkeys(copy.seasons, copy.status)
        self._touch(media)

    async def _find_again(self, item: Request) -> None:
        """Find a title that arrived although handing it over timed out."""
        server = self._server_for(item)
        if server is None or item.copy.external_id is not None:
            return
        media = item.media
        path = (
            f"/movie?tmdbId={media.tmdb_id}"
            if media.kind == "movie"
            else f"/series?tvdbId={media.tvdb_id}"
        )
        if found := await self._call(server, "GET", path):
            item.copy.server, item.copy.external_id = server.id, int(found[0]["id"])

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
        media, film = item.media, self.about(item.media.kind, item.media.tmdb_id)
        if film is None:
            raise LookupError(f"Nobody knows {media.kind} {media.tmdb_id}")
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

    def tell_issue(
        self, event: str, about: Film | Show, *, message: str, comment: str = "", by: str = "Anna"
    ) -> None:
        """Tell of an issue with a title: ISSUE_CREATED, _COMMENT, _RESOLVED or _REOPENED."""
        kind, user = "movie" if isinstance(about, Film) else "tv", self._person(by)
        media = self._by_tmdb.get((kind, about.tmdb_id)) or self._new_media(kind, about)
        variables = dict.fromkeys(self._names(), "") | {
            "notification_type": event,
            "event": "New Video Issue Reported" if event == "ISSUE_CREATED" else "Video Issue",
            "subject": f"{about.title} ({about.year})",
            "message": message,
            "image": f"{POSTER}{about.poster or 'null'}",
            "media_type": kind,
            "media_tmdbid": str(media.tmdb_id),
            "media_tvdbid": str(media.tvdb_id or ""),
            "media_status": self._word(media.hd.status),
            "media_status4k": self._word(media.uhd.status),
            "issue_id": "1",
            "issue_type": "VIDEO",
            "issue_status": "RESOLVED" if event == "ISSUE_RESOLVED" else "OPEN",
            "comment_message": comment,
            **self._person_variables("reportedBy", user),
        }
        present = {"media", "issue"}
        if comment:
            present.add("comment")
            variables |= self._person_variables("commentedBy", user)
        self.send(event, variables, frozenset(present), [])

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


def _seasons_found(series: Json) -> dict[int, Presence]:
    found = {}
    for season in series.get("seasons", []):
        have = season["statistics"]["episodeFileCount"]
        if have:
            complete = have >= season["statistics"]["totalEpisodeCount"]
            found[int(season["seasonNumber"])] = (
                Presence.AVAILABLE if complete else Presence.PARTIALLY_AVAILABLE
            )
    return found


def _found(document: Json, seasons: dict[int, Presence]) -> Presence:
    normal = [item["seasonNumber"] for item in document.get("seasons", []) if item["seasonNumber"]]
    whole = normal and all(seasons.get(number) == Presence.AVAILABLE for number in normal)
    if document.get("hasFile") or whole:
        return Presence.AVAILABLE
    return Presence.PARTIALLY_AVAILABLE if seasons else Presence.PROCESSING
