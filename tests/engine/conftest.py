"""The engine is tested without Home Assistant."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, TCPConnector, ThreadedResolver


@pytest.fixture(autouse=True)
def custom_integrations() -> None:
    """Take the place of the fixture that would start Home Assistant."""


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[ClientSession]:
    """Give clients a session; only loopback can be reached."""
    async with ClientSession(connector=TCPConnector(resolver=ThreadedResolver())) as opened:
        yield opened
