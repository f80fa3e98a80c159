"""A simulated Jellyfin with the plugin Webhook."""

import asyncio
import hashlib
import re
from collections.abc import Iterable
from copy import deepcopy
from typing import Any, override

from aiohttp import web

from .clock import Clock, net_date
from .faults import Json
from .mediabrowser import (
    LENGTH,
    MediaBrowserDouble,
    MediaItem,
    MediaSession,
    MediaUser,
    as_json,
)
from .service import json_answer, read_json
from .shelf import Shelf

PLUGIN = "71552a5a5c5c4350a2aeebe451a30173"
OTHERS: Json = {
    "NotificationTypes": ["ItemAdded", "PlaybackStart"],
    "WebhookName": "Someone else's",
    "WebhookUri": "http://192.0.2.50:3000/hook",
    "EnableMovies": True,
    "EnableEpisodes": False,
    "EnableWebhook": True,
    "SendAllProperties": False,
    "Template": "eyJuYW1lIjoie3tOYW1lfX0ifQ==",
    "UserFilter": ["5b2a1c5c4350a2aeebe451a301735c5c"],
    "Headers": [{"Key": "X-Somebody", "Value": "else"}],
    "Fields": [],
    "Later": {"Ratio": 0.1, "Big": 12345678901234567890},
}
_TOKEN = re.compile(r'Token="([^"]*)"')


class JellyfinDouble(MediaBrowserDouble):
    """One Jellyfin."""

    kind = "jellyfin"
    product = "Jellyfin"
    filters_sessions = True

    def __init__(
        self,
        name: str,
        clock: Clock,
        shelf: Shelf,
        *,
        version: str = "10.11.8",
        **options: Any,
    ) -> None:
        """Prepare a Jellyfin whose plugin serves somebody else already."""
        super().__init__(name, clock, shelf, version=version, **options)
        self.plugins: list[Json] = [
            {"Name": "TMDb", "Id": "b8715ed16c4745289ad3f72deb539cd4", "Status": "Active"},
            {"Name": "Webhook", "Id": PLUGIN, "Status": "Active", "Version": "21.0.0.0"},
        ]
        self.settings: Json = {
            "ServerUrl": "https://films.example.com",
            "DiscordOptions": [{"WebhookUri": "http://192.0.2.50/discord", "MentionType": "None"}],
            "GenericFormOptions": [],
            "GenericOptions": [deepcopy(OTHERS)],
        }

    @override
    def new_id(self) -> str:
        """Give out 32 hex digits."""
        self._last += 1
        return hashlib.md5(f"{self.name}{self._last}".encode(), usedforsecurity=False).hexdigest()

    @override
    def new_user_id(self, name: str) -> str:
        """Give out 32 hex digits."""
        found = f"{self.name}user{name}".encode()
        return hashlib.md5(found, usedforsecurity=False).hexdigest()

    @override
    def key_of(self, request: web.Request) -> str | None:
        """Read the one header that version 12 still takes."""
        found = _TOKEN.search(request.headers.get("Authorization", ""))
        return found[1] if found else None

    @override
    def public(self) -> Json:
        """Describe the server to anybody."""
        return {
            **super().public(),
            "ProductName": "Jellyfin Server",
            "StartupWizardCompleted": True,
        }

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        """Answer what Jellyfin answers beyond Emby."""
        yield from super().routes()
        yield web.get("/Items", self._get_items)
        yield web.get("/Plugins", self._get_plugins)
        yield web.get("/Plugins/{id}/Configuration", self._get_settings)
        yield web.post("/Plugins/{id}/Configuration", self._post_settings)

    async def _get_plugins(self, _request: web.Request) -> web.Response:
        return json_answer(self.plugins)

    def _has(self, request: web.Request) -> bool:
        wanted = request.match_info["id"].replace("-", "").lower()
        return wanted == PLUGIN and any(one["Id"] == PLUGIN for one in self.plugins)

    async def _get_settings(self, request: web.Request) -> web.Response:
        return json_answer(self.settings) if self._has(request) else web.Response(status=404)

    async def _post_settings(self, request: web.Request) -> web.Response:
        if not self._has(request):
            return web.Response(status=404)
        self.settings = await read_json(request)
        return web.Response(status=204)

    # --- webhooks ---------------------------------------------------------------------------

    @override
    async def _tell_added(self, item: MediaItem) -> None:
        """Tell of an item once it has ids: the queue puts it back until then."""
        wait = (item.known_at - self.now()).total_seconds()
        if wait > 0:
            self.spawn(self._tell_later(item, wait))
        else:
            await self.tell("added", item)

    async def _tell_later(self, item: MediaItem, wait: float) -> None:
        await asyncio.sleep(wait)
        await self.tell("added", item)

    @override
    async def tell(self, event: str, item: MediaItem, **details: Any) -> None:
        """Tell every destination that wants to know."""
        user: MediaUser | None = details.get("user")
        body = self.payload(item)
        match event:
            case "added" | "deleted":
                await self._send(f"Item{event.capitalize()}", body, item, None)
            case "start":
                await self._send("PlaybackStart", body | self._player(details), item, user)
            case "stop":
                completed = details["completed"]
                told = body | self._player(details) | {"PlayedToCompletion": completed}
                await self._send("PlaybackStop", told, item, user)
                await self._saved_data(item, details, "PlaybackFinished", played=completed)
            case _:
                await self._saved_data(item, details, "TogglePlayed", played=details["played"])

    async def progress(self, session: MediaSession, *, played: bool = False) -> None:
        """Play on, which is told every few seconds."""
        session.active = self.now()
        details = {"user": session.user, "session": session}
        body = self.payload(session.item) | self._player(details)
        await self._send("PlaybackProgress", body, session.item, session.user)
        await self._saved_data(session.item, details, "PlaybackProgress", played=played)

    async def _saved_data(
        self, item: MediaItem, details: Json, reason: str, *, played: bool
    ) -> None:
        user: MediaUser = details["user"]
        last = user.played.get(item.id)
        body = {
            **self.payload(item),
            "NotificationUsername": user.name,
            "UserId": user.id,
            "SaveReason": reason,
            "Played": played,
            "PlayCount": int(played),
            "Favorite": False,
            "PlaybackPositionTicks": 0,
            **({"LastPlayedDate": net_date(last)} if last else {}),
        }
        await self._send("UserDataSaved", body, item, user)

    def _player(self, details: Json) -> Json:
        user: MediaUser = details["user"]
        session: MediaSession = details["session"]
        return {
            "PlaybackPositionTicks": session.position,
            "PlaybackPosition": "00:00:00",
            "IsPaused": session.paused,
            "DeviceId": "television",
            "DeviceName": "Television",
            "ClientName": "Jellyfin Web",
            "NotificationUsername": user.name,
            "UserId": user.id,
            "RemoteEndPoint": "192.0.2.14",
        }

    def payload(self, item: MediaItem) -> Json:
        """Return what the plugin knows of an item: quotes are escaped before it is JSON."""
        now = net_date(self.now())
        body: Json = {
            "ServerId": self.server_id,
            "ServerName": self.name,
            "ServerVersion": self.version,
            "ServerUrl": self.settings["ServerUrl"],
            "Timestamp": now,
            "UtcTimestamp": now,
            "Name": item.name.replace('"', '\\"'),
            "ItemId": item.id,
            "ItemType": item.kind,
            "RunTimeTicks": LENGTH,
            "Year": item.year,
        }
        if item.series is not None:
            body |= {
                "SeriesName": item.series.name.replace('"', '\\"'),
                "SeriesId": item.series.id,
                "SeasonNumber": item.season,
            }
        if item.kind == "Episode":
            body["EpisodeNumber"] = item.number
            if item.number_end is not None:
                body["EpisodeNumberEnd"] = item.number_end
        if item.air_date is not None:
            body["PremiereDate"] = item.air_date.isoformat()
        for name, value in self.shown_ids(item).items():
            body[f"Provider_{name.lower()}"] = value
        return body

    async def _send(self, event: str, body: Json, item: MediaItem, user: MediaUser | None) -> None:
        kind = {
            "Movie": "EnableMovies",
            "Series": "EnableSeries",
            "Season": "EnableSeasons",
            "Episode": "EnableEpisodes",
            "Audio": "EnableSongs",
        }[item.kind]
        if not any(one["Id"] == PLUGIN and one["Status"] == "Active" for one in self.plugins):
            return
        for entry in self.settings["GenericOptions"]:
            filtered = (
                user is not None
                and entry.get("UserFilter")
                and (user.id not in entry["UserFilter"])
            )
            if (
                not entry.get("EnableWebhook")
                or not entry.get("SendAllProperties")
                or event not in entry["NotificationTypes"]
                or not entry.get(kind)
                or filtered
            ):
                continue
            headers = {
                "User-Agent": f"Jellyfin-Server/{self.version}",
                "Content-Type": "text/plain; charset=utf-8",
                **{one["Key"]: one["Value"] for one in entry["Headers"]},
            }
            told = {**body, "NotificationType": event}
            await self.post(event, entry["WebhookUri"], told, headers, as_json(told))
