"""The engine is tested without Home Assistant."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, TCPConnector, ThreadedResolver


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[ClientSession]:
    """Give clients a session; only loopback can be reached."""
    async with ClientSession(connector=TCPConnector(resolver=ThreadedResolver())) as opened:
        yield opened
