"""A simulated Overseerr, Jellyseerr or Seerr as its clients see it."""

from collections.abc import Iterable
from typing import Any, override

from aiohttp import web

from . import templates
from .arr import int_or
from .clock import js_date
from .delivery import DeliveryError
from .faults import Json
from .seerr_data import (
    ADMIN,
    MANAGE_REQUESTS,
    REQUEST,
    REQUEST_VIEW,
    Decision,
    Media,
    Presence,
    Request,
    Server,
    ServiceError,
    User,
)
from .seerr_work import SeerrWork
from .service import PAGE, json_answer, read_json

USER = web.RequestKey("user", User)


class SeerrDouble(SeerrWork):
    """A simulated member of the Seerr family."""

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
        request[USER] = user = self.users[actor]
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
        yield web.put(f"{api}/request/{{id}}", self._put_request)
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

    async def _get_status(self, _request: web.Request) -> web.Response:
        return json_answer(
            {
                "version": self.version,
                "commitTag": "local",
                "updateAvailable": False,
                "commitsBehind": 0,
                "restartRequired": False,
            }
        )

    async def _get_public(self, _request: web.Request) -> web.Response:
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
        return json_answer(self._user(request[USER]))

    async def _get_users(self, request: web.Request) -> web.Response:
        if not request[USER].may(ADMIN):
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
        user: User = request[USER]
        rows = list(self.requests.values())
        if not user.may(MANAGE_REQUESTS | REQUEST_VIEW):
            rows = [item for item in rows if item.by is user]
        if by := request.query.get("requestedBy"):
            rows = [item for item in rows if item.by.id == int_or(by, -1)]
        kind = request.query.get("mediaType", "all")
        wanted = request.query.get("filter") or "all"
        rows = [
            item for item in rows if kind in {"all", item.media.kind} and self._passes(item, wanted)
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
        approved, completed = Decision.APPROVED, Decision.COMPLETED
        done = completed if self.flavour.completes else approved
        tests = {
            "pending": item.status == Decision.PENDING,
            "approved": item.status == approved,
            "failed": item.status == Decision.FAILED,
            "processing": item.status == approved and not there,
            "unavailable": item.status in {Decision.PENDING, approved} and not there,
            "available": item.status == done and there,
            "completed": item.status == completed,
            "deleted": item.status == completed and item.copy.status == Presence.DELETED,
            "all": not self.flavour.completes or item.copy.status != Presence.BLOCKED,
        }
        return tests[wanted]

    async def _ask_services(self) -> Json:
        errors: dict[str, list[Json]] = {"radarr": [], "sonarr": []}
        for server in self.servers:
            try:
                await self._call(server, "GET", "/qualityprofile")
            except ServiceError:
                errors[server.double.kind].append({"id": server.id, "name": server.double.name})
        return errors

    async def _get_count(self, _request: web.Request) -> web.Response:
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
        user: User = request[USER]
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

    async def _put_request(self, request: web.Request) -> web.Response:
        item = self._visible(request)
        if isinstance(item, web.Response):
            return item
        body = await read_json(request)
        if not isinstance(body, dict) or body.get("mediaType") != item.media.kind:
            return _message(400, "request.body should have required property 'mediaType'")
        item.server = body.get("serverId", item.server)
        if item.media.kind == "tv" and isinstance(body.get("seasons"), list):
            item.seasons = [int(number) for number in body["seasons"]]
            self._set_pending(item)
        self._save(item, item.status, request[USER])
        # Saving an approved request tells of it once more.
        if item.status == Decision.APPROVED:
            self.approve(item, by=request[USER])
        return json_answer(self.request_document(item, full=True))

    async def _delete_request(self, request: web.Request) -> web.Response:
        item = self._visible(request)
        if isinstance(item, web.Response):
            return item
        user: User = request[USER]
        pending = item.status == Decision.PENDING and item.by is user
        if not pending and not user.may(MANAGE_REQUESTS):
            return _message(401, "You do not have permission to delete this request.")
        self.delete(item)
        return web.Response(status=204)

    async def _post_decision(self, request: web.Request) -> web.Response:
        if not request[USER].may(MANAGE_REQUESTS):
            return _no_access()
        item = self._visible(request)
        if isinstance(item, web.Response):
            return item
        match request.match_info["verb"]:
            case "approve":
                self.approve(item, by=request[USER])
            case "decline":
                self.decline(item, by=request[USER])
            case _:
                self.retry(item, by=request[USER])
        return json_answer(self.request_document(item, full=True))

    async def _post_request(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        body = body if isinstance(body, dict) else {}
        kind, tmdb_id = body.get("mediaType"), body.get("mediaId")
        if kind not in {"movie", "tv"} or not isinstance(tmdb_id, int):
            text = "request.body should have required property 'mediaType'"
            return json_answer({"message": text, "errors": [{"path": ".body.mediaType"}]}, 400)
        user: User = request[USER]
        if (other := body.get("userId")) is not None and other != user.id:
            if not user.may(MANAGE_REQUESTS):
                return _message(403, "You do not have permission to modify the request user.")
            user = self.users.get(other, user)
        is4k, seasons = bool(body.get("is4k", False)), body.get("seasons")
        if (reason := self._forbidden(user, kind, tmdb_id, is4k=is4k)) is not None:
            return _message(403, reason)
        about = self.about(kind, tmdb_id)
        if about is None:
            return _message(500, "[TMDB] Failed to fetch details: 404")
        if kind == "tv" and seasons is None:
            return _message(500, "Cannot read properties of undefined (reading 'filter')")
        item = self.ask(about, by=user, seasons=seasons, is4k=is4k, server=body.get("serverId"))
        if item is not None:
            return json_answer(self.request_document(item, full=True), 201)
        if kind == "movie":
            return _message(409, "Request for this media already exists.")
        return _message(202, "No seasons available to request")

    def _forbidden(self, user: User, kind: str, tmdb_id: int, *, is4k: bool) -> str | None:
        limit = user.movie_quota if kind == "movie" else user.tv_quota
        known = self._by_tmdb.get((kind, tmdb_id))
        if not user.may(REQUEST):
            return "You do not have permission to make requests."
        if limit and self._used(user, kind) >= limit:
            return f"{kind.capitalize()} Quota exceeded."
        if known is not None and known.copy(is4k=is4k).status == Presence.BLOCKED:
            return "This media is blocklisted."
        return None

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
        for server in self.servers:
            kind = "movie" if media.kind == "movie" else "series"
            copy = media.copy(is4k=server.is4k)
            same_kind = (server.double.kind == "radarr") == (media.kind == "movie")
            if same_kind and copy.slug is not None and copy.server == server.id:
                name = "serviceUrl4k" if server.is4k else "serviceUrl"
                document[name] = f"{server.double.url}/{kind}/{copy.slug}"
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
        if not request[USER].may(MANAGE_REQUESTS):
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
                **self._media_info("movie", film.tmdb_id),
            }
        )

    async def _get_tv(self, request: web.Request) -> web.Response:
        show = self.catalogue.shows_by_tmdb.get(int_or(request.match_info["id"], -1))
        if show is None:
            return _message(500, "Unable to retrieve series.")
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
                **self._media_info("tv", show.tmdb_id),
            }
        )

    def _media_info(self, kind: str, tmdb_id: int) -> Json:
        media = self._by_tmdb.get((kind, tmdb_id))
        return {} if media is None else {"mediaInfo": self._with_requests(media)}

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
                **self._media_info("movie", film.tmdb_id),
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
                **self._media_info("tv", show.tmdb_id),
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

    async def _get_webhook(self, _request: web.Request) -> web.Response:
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

    async def _get_jobs(self, _request: web.Request) -> web.Response:
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
        everything = name == "availability-sync" or name.endswith("full-scan")
        self.spawn(
            self.download_sync() if name == "download-sync" else self.scan(everything=everything)
        )
        return json_answer({"id": name, "name": name, "type": "process", "running": True})


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
