"""A receiver for webhooks and a client of the simulated services."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientResponse, ClientSession, web

from simulator import RadarrDouble, SeerrDouble, SonarrDouble

type Arr = RadarrDouble | SonarrDouble


@dataclass
class Received:
    """One call of the receiver."""

    path: str
    method: str
    headers: dict[str, str]
    raw: bytes
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def event(self) -> str:
        return str(self.body.get("eventType") or self.body.get("notification_type") or "")


class Receiver:
    """Takes deliveries and answers as told."""

    def __init__(self) -> None:
        self.calls: list[Received] = []
        self.status = 200
        self.location: str | None = None
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        call = Received(request.path, request.method, dict(request.headers), raw)
        if not request.content_type.startswith("multipart/"):
            call.body = json.loads(raw) if raw else {}
        self.calls.append(call)
        if self.location is not None and not request.path.endswith("/final"):
            return web.Response(status=self.status, headers={"Location": self.location})
        return web.Response(status=self.status if self.location is None else 200)

    def url(self, path: str = "hook") -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def events(self, path: str = "/hook") -> list[str]:
        return [call.event for call in self.calls if call.path == path and call.event != "Test"]

    def last(self) -> dict[str, Any]:
        return self.calls[-1].body


class Client:
    """Calls the simulated services with their keys."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def call(
        self, service: Arr | SeerrDouble, method: str, path: str, body: Any = None, **headers: str
    ) -> ClientResponse:
        base = "/api/v1" if isinstance(service, SeerrDouble) else "/api/v3"
        answer = await self.session.request(
            method,
            f"{service.url}{base}{path}",
            json=body,
            headers={"X-Api-Key": service.api_key, **headers},
            allow_redirects=False,
        )
        await answer.read()
        return answer

    async def get(self, service: Arr | SeerrDouble, path: str, **headers: str) -> Any:
        answer = await self.call(service, "GET", path, **headers)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def connect(
        self, arr: Arr, url: str, *, path: str = "", **changes: Any
    ) -> ClientResponse:
        """Create a connection with every event switched on."""
        return await self.call(arr, "POST", f"/notification{path}", connection(arr, url, **changes))

    async def slot(self, seerr: SeerrDouble, url: str, types: int = 4062) -> None:
        """Take Seerr's webhook slot, in the form that fits the version."""
        hook = "/settings/notifications/webhook"
        settings = await self.get(seerr, hook)
        settings |= {"enabled": True, "types": types}
        settings["options"]["webhookUrl"] = url
        if seerr.flavour.literal_template:
            template = settings["options"]["jsonPayload"]
            settings["options"]["jsonPayload"] = json.dumps(template)
        answer = await self.call(seerr, "POST", hook, settings)
        assert answer.status == 200


def connection(arr: Arr, url: str, **changes: Any) -> dict[str, Any]:
    """Return a connection's resource."""
    fields = {"url": url, "method": 1, "username": "", "password": ""}
    fields |= changes.pop("fields", {})
    return {
        "name": "Home",
        "implementation": "Webhook",
        "configContract": "WebhookSettings",
        "tags": [],
        "somethingUnknown": 7,
        **dict.fromkeys(arr.features().flags, True),
        "fields": [{"name": name, "value": value} for name, value in fields.items()],
        **changes,
    }
