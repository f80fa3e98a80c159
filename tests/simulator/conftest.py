"""A stack, a receiver for its webhooks, and a client, all on loopback."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, TCPConnector, ThreadedResolver

from simulator import Stack
from tests.simulator.helpers import Client, Receiver


@pytest.fixture
async def stack(socket_enabled: None) -> AsyncIterator[Stack]:
    async with Stack.default() as running:
        yield running


@pytest.fixture
async def receiver(socket_enabled: None) -> AsyncIterator[Receiver]:
    server = Receiver()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(socket_enabled: None) -> AsyncIterator[Client]:
    async with ClientSession(connector=TCPConnector(resolver=ThreadedResolver())) as session:
        yield Client(session)
