"""A Seerr to talk to, and a client that talks to it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from custom_components.media_arrivals.engine.connectors.base import Connection
from custom_components.media_arrivals.engine.connectors.seerr.client import SeerrClient
from simulator import Stack


async def no_pause(_seconds: float) -> None:
    """Wait for nothing."""


@pytest.fixture(autouse=True)
def loopback(socket_enabled: None) -> None:
    """Let the tests talk to servers on this machine."""


@pytest.fixture
async def session(loopback: None) -> AsyncIterator[aiohttp.ClientSession]:
    resolver = aiohttp.ThreadedResolver()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=resolver)) as opened:
        yield opened


@pytest.fixture
def flavour() -> str:
    return "seerr-3.3"


@pytest.fixture
async def stack(loopback: None, flavour: str) -> AsyncIterator[Stack]:
    async with Stack.default(seerr=flavour) as started:
        yield started


@pytest.fixture
def client(stack: Stack, session: aiohttp.ClientSession) -> SeerrClient:
    connection = Connection(url=stack.seerr.url, api_key=stack.seerr.api_key)
    return SeerrClient(session, connection, pause=no_pause)
