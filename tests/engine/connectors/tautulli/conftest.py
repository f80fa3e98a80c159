"""A simulated Tautulli beside a Plex of lists, and a client of it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web

from custom_components.media_arrivals.engine.board.models import Role, Service
from custom_components.media_arrivals.engine.connectors.base import (
    Connection,
    Delivery,
    Poll,
    PollView,
    WebhookTarget,
)
from custom_components.media_arrivals.engine.connectors.tautulli.client import TautulliClient
from simulator import Stack, TautulliDouble
from simulator.plex_view import PlexItem, PlexList

MACHINE = PlexList.machine_id
TAUTULLI = Service(id="01TAUTULLI", kind="tautulli", role=Role.WATCHING, server_id=MACHINE)


@dataclass
class Receiver:
    """Takes what is sent to our webhook."""

    base: str = ""
    status: int = 200
    deliveries: list[Delivery] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Note a call."""
        body = await request.read()
        self.headers.append(dict(request.headers))
        self.methods.append(request.method)
        self.deliveries.append(
            Delivery(
                body=body,
                received_at=1_800_000_000.0,
                content_type=request.headers.get("Content-Type", ""),
                user_agent=request.headers.get("User-Agent", ""),
            )
        )
        return web.Response(status=self.status)

    def bodies(self) -> list[Any]:
        """Return what came, read."""
        return [json.loads(one.body) for one in self.deliveries]

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
def plex() -> PlexList:
    """Return the Plex that is watched."""
    return PlexList()


@pytest.fixture
async def stack(socket_enabled: None, plex: PlexList) -> AsyncIterator[Stack]:
    """Run a Tautulli."""
    stack = Stack()
    stack.add_tautulli(plex)
    async with stack:
        yield stack


@pytest.fixture
def tautulli(stack: Stack) -> TautulliDouble:
    """Return the Tautulli."""
    double = stack.services["tautulli"]
    assert isinstance(double, TautulliDouble)
    return double


@pytest.fixture
def client(tautulli: TautulliDouble, session: ClientSession) -> TautulliClient:
    """Return a client of it."""
    return TautulliClient(session, Connection(url=tautulli.url, api_key=tautulli.api_key))


class Home:
    """A Tautulli that is polled, and what can happen there."""

    def __init__(self, tautulli: TautulliDouble, plex: PlexList, client: TautulliClient) -> None:
        self.tautulli = tautulli
        self.plex = plex
        self.client = client
        self.cursor: Any = {}

    @property
    def now(self) -> float:
        """Return the time in the simulated home."""
        return self.tautulli.clock.now().timestamp()

    async def begin(self) -> Poll:
        """Look silently for the first time."""
        return self._kept(await self.client.baseline(TAUTULLI, self.now, finished_days=30))

    async def poll(self) -> Poll:
        """Poll."""
        cursor = json.loads(json.dumps(self.cursor))
        return self._kept(await self.client.poll(TAUTULLI, cursor, PollView(), self.now))

    async def sync(self) -> Poll:
        """Sync."""
        cursor = json.loads(json.dumps(self.cursor))
        return self._kept(await self.client.sync(TAUTULLI, cursor, PollView(), self.now))

    def _kept(self, poll: Poll) -> Poll:
        self.cursor = poll.cursor
        return poll

    def film(self, title: str = "Salt Tower", **known: Any) -> PlexItem:
        """Put a film into the library now."""
        return self.plex.put(
            "movie", title, added_at=self.tautulli.clock.now(), **{"year": 2026, **known}
        )

    def show(self, title: str = "Tidal Anchor", **known: Any) -> PlexItem:
        """Put a series into the library now."""
        return self.plex.put("show", title, added_at=self.tautulli.clock.now(), **known)

    def episodes(self, show: PlexItem, season: int, *numbers: int) -> list[PlexItem]:
        """Put episodes into the library now."""
        return self.plex.put_season(show, season, numbers, added_at=self.tautulli.clock.now())

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.tautulli.clock.advance(timedelta(**span).total_seconds())


@pytest.fixture
def home(tautulli: TautulliDouble, plex: PlexList, client: TautulliClient) -> Home:
    """Return all of it."""
    return Home(tautulli, plex, client)
