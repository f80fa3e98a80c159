"""A Jellyfin or an Emby, and a client of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession, web

from custom_components.media_arrivals.engine.connectors.base import Connection
from custom_components.media_arrivals.engine.connectors.emby.client import EmbyClient
from custom_components.media_arrivals.engine.connectors.jellyfin.client import JellyfinClient
from simulator import Clock, Stack
from tests.engine.connectors.mediabrowser.house import House, MemoryIndex, Receiver

BEGIN = datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.fixture(params=["jellyfin", "emby"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def options() -> dict[str, Any]:
    """Return how the server is."""
    return {}


@pytest.fixture
async def house(
    socket_enabled: None, session: ClientSession, kind: str, options: dict[str, Any]
) -> AsyncIterator[House]:
    clock = Clock(lambda: BEGIN)
    stack = Stack(clock=clock)
    server = (stack.add_jellyfin if kind == "jellyfin" else stack.add_emby)(**options)
    async with stack:
        connection = Connection(url=server.url, api_key=server.api_key)
        client: JellyfinClient | EmbyClient
        if kind == "jellyfin":
            client = JellyfinClient(session, connection, clock=lambda: clock.now().timestamp())
            client.index = MemoryIndex()
        else:
            client = EmbyClient(session, connection, clock=lambda: clock.now().timestamp())
        yield House(stack, server, client)


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
