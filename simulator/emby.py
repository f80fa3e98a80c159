"""A simulated Emby with its webhooks."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any, override

from aiohttp import web

from .clock import Clock, net_date
from .faults import Json
from .mediabrowser import MediaBrowserDouble, MediaItem, MediaSession, MediaUser, as_json
from .service import json_answer, query, read_json
from .shelf import Shelf, mounted

CONFIGURED = "/Notifications/Services/Configured"


class EmbyDouble(MediaBrowserDouble):
    """One Emby."""

    kind = "emby"
    product = "Emby"

    def __init__(
        self,
        name: str,
        clock: Clock,
        shelf: Shelf,
        *,
        version: str = "4.9.1.90",
        **options: Any,
    ) -> None:
        """Prepare an Emby with Premiere."""
        super().__init__(name, clock, shelf, version=version, **options)
        self.notifications: dict[str, list[Json]] = {self.users[0].id: []}
        """User -> what is to be told."""
        self.lists_folders = True
        """Versions after 4.9 describe only the paged list of libraries."""

    @override
    def new_id(self) -> str:
        """Count."""
        self._last += 1
        return str(self._last)

    @override
    def new_user_id(self, name: str) -> str:
        """Give out 32 hex digits."""
        found = f"{self.name}user{name}".encode()
        return hashlib.md5(found, usedforsecurity=False).hexdigest()

    @override
    def key_of(self, request: web.Request) -> str | None:
        """Read the header, or the parameter."""
        return request.headers.get("X-Emby-Token") or query(request, "api_key")

    @property
    def knows_notifications(self) -> bool:
        """Whether other programs can enter webhooks."""
        return tuple(int(part) for part in self.version.split(".")[:2]) >= (4, 9)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        """Answer what Emby answers beyond Jellyfin."""
        yield from super().routes()
        yield web.get("/Library/VirtualFolders/Query", self._get_folders_query)
        yield web.get(CONFIGURED, self._get_configured)
        yield web.post(CONFIGURED, self._post_configured)
        yield web.delete(CONFIGURED, self._delete_configured)
        yield web.post("/Notifications/Services/Test", self._post_test)

    @override
    def wanted(self, request: web.Request) -> list[MediaItem]:
        """Filter by external ids, too."""
        found = super().wanted(request)
        if (ids := query(request, "AnyProviderIdEquals")) is not None:
            pairs = {one.lower() for one in ids.split(",")}
            found = [
                item
                for item in found
                if any(
                    f"{name}.{value}".lower() in pairs
                    for name, value in self.shown_ids(item).items()
                )
            ]
        return found

    @override
    def shown_season(self, item: MediaItem) -> int | None:
        """Numbers come with the metadata."""
        return item.season if item.known_at <= self.now() else None

    @override
    def describe_item(self, item: MediaItem) -> Json:
        """Describe an item; before its metadata are there, it has only a name."""
        row = super().describe_item(item)
        if item.known_at > self.now():
            for key in ("IndexNumber", "IndexNumberEnd", "ProductionYear", "PremiereDate"):
                row.pop(key, None)
        return row

    @override
    async def _get_folders(self, request: web.Request) -> web.Response:
        if not self.lists_folders:
            return web.Response(status=404)
        return await super()._get_folders(request)

    async def _get_folders_query(self, _request: web.Request) -> web.Response:
        rows = [self.describe_library(library) for library in self.libraries]
        return json_answer({"Items": rows, "TotalRecordCount": len(rows)})

    # --- notifications ------------------------------------------------------------------------

    async def _get_configured(self, request: web.Request) -> web.Response:
        if not self.knows_notifications:
            return web.Response(status=404)
        user = query(request, "UserId")
        if user is None:
            return web.Response(status=500, text="Value cannot be null. (Parameter 'user')")
        return json_answer(self.notifications.get(user, []))

    async def _post_configured(self, request: web.Request) -> web.Response:
        if not self.knows_notifications:
            return web.Response(status=404)
        entry = await read_json(request)
        entry["Options"] = {
            key: str(value).lower() if isinstance(value, bool) else value
            for key, value in entry["Options"].items()
        }
        user = query(request, "UserId")
        if user is not None:
            entry["Id"] = uuid.uuid4().hex
            self.notifications.setdefault(user, []).append(entry)
            return web.Response(status=204)
        for entries in self.notifications.values():
            for index, known in enumerate(entries):
                if known["Id"] == entry.get("Id"):
                    entries[index] = entry
        return web.Response(status=204)

    async def _delete_configured(self, request: web.Request) -> web.Response:
        entries = self.notifications.get(query(request, "UserId") or "", [])
        entries[:] = [entry for entry in entries if entry["Id"] != query(request, "Id")]
        return web.Response(status=204)

    async def _post_test(self, request: web.Request) -> web.Response:
        entry = await read_json(request)
        await self._post_entry(entry, self.body("system.notificationtest"))
        return web.Response(status=204)

    # --- webhooks ---------------------------------------------------------------------------

    def body(self, event: str, item: MediaItem | None = None) -> Json:
        """Return an event; its texts are in the server's language."""
        found: Json = {
            "Title": f"Neu: {item.name if item else event}",
            "Date": net_date(self.now()),
            "Event": event,
            "Server": {"Name": self.name, "Id": self.server_id, "Version": self.version},
        }
        if item is not None:
            found["Item"] = {
                **self.describe_item(item),
                "DateCreated": net_date(item.created),
                "ProviderIds": self.shown_ids(item),
                "Path": mounted(next(iter(item.files), "")),
            }
        return found

    @override
    async def tell(self, event: str, item: MediaItem, **details: Any) -> None:
        """Tell everybody who wants to know."""
        user: MediaUser | None = details.get("user")
        match event:
            case "added":
                await self._send(self.body("library.new", item), None)
            case "deleted":
                await self._send(self.body("library.deleted", item), None)
            case "start":
                await self._send(self.body("playback.start", item) | _player(details), user)
            case "stop":
                playback = {"PositionTicks": 0, "PlayedToCompletion": details["completed"]}
                found = self.body("playback.stop", item) | _player(details)
                await self._send(found | {"PlaybackInfo": playback}, user)
            case _:
                name = "item.markplayed" if details["played"] else "item.markunplayed"
                await self._send(self.body(name, item), user)

    async def _send(self, body: Json, user: MediaUser | None) -> None:
        for entries in self.notifications.values():
            for entry in entries:
                if not entry["Enabled"] or body["Event"] not in entry["EventIds"]:
                    continue
                if user is None or not entry["UserIds"]:
                    # With no user named, what users do is told without the user.
                    await self._post_entry(entry, body)
                elif user.id in entry["UserIds"]:
                    named = {"User": {"Name": user.name, "Id": user.id}}
                    await self._post_entry(entry, {**body, **named})

    async def _post_entry(self, entry: Json, body: Json) -> None:
        data, kind = as_json(body), "application/json"
        if str(entry["Options"].get("EnableMultipartFormData")).lower() == "true":
            boundary = uuid.uuid4().hex
            data = (
                f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                f"Content-Disposition: form-data; name=data\r\n\r\n".encode()
                + data
                + f"\r\n--{boundary}--\r\n".encode()
            )
            kind = f'multipart/form-data; boundary="{boundary}"'
        headers = {"User-Agent": f"Emby Server/{self.version}", "Content-Type": kind}
        await self.post(body["Event"], entry["Options"]["Url"], body, headers, data)


def _player(details: Json) -> Json:
    session: MediaSession = details["session"]
    return {
        "Session": {
            "RemoteEndPoint": "192.0.2.14",
            "Client": "Emby Web",
            "DeviceName": "Television",
            "DeviceId": "television",
            "Id": session.id,
        },
        "PlaybackInfo": {"PositionTicks": session.position},
    }
