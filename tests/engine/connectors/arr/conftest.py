"""A simulated Radarr and Sonarr, and clients of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web

from custom_components.media_arrivals.engine.connectors.base import Connection, WebhookTarget
from custom_components.media_arrivals.engine.connectors.radarr.client import RadarrClient
from custom_components.media_arrivals.engine.connectors.sonarr.client import SonarrClient
from simulator import Stack


@dataclass
class Receiver:
    """Takes what is sent to our webhook, and answers as told."""

    base: str = ""
    status: int = 200
    location: str | None = None
    received: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Path, method and Authorization header of each call."""

    async def take(self, request: web.Request) -> web.Response:
        """Note a call."""
        await request.read()
        authorization = request.headers.get("Authorization")
        self.received.append((request.path, request.method, authorization))
        if request.method == "GET":
            # As Home Assistant does.
            return web.Response(status=405)
        headers = {"Location": self.location} if self.location else {}
        return web.Response(status=self.status, headers=headers)

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


@pytest.fixture
async def receiver(socket_enabled: None) -> AsyncIterator[Receiver]:
    """Listen where Home Assistant would."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def stack(socket_enabled: None) -> AsyncIterator[Stack]:
    """Run a Radarr and a Sonarr."""
    async with Stack.default() as stack:
        yield stack


@pytest.fixture
def radarr(stack: Stack, session: ClientSession) -> RadarrClient:
    """Return a client of the Radarr."""
    return RadarrClient(session, Connection(url=stack.radarr.url, api_key=stack.radarr.api_key))


@pytest.fixture
def sonarr(stack: Stack, session: ClientSession) -> SonarrClient:
    """Return a client of the Sonarr."""
    return SonarrClient(session, Connection(url=stack.sonarr.url, api_key=stack.sonarr.api_key))
