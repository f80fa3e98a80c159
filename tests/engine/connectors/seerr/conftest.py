"""A Seerr to talk to, and a client that talks to it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from custom_components.media_arrivals.engine.connectors.base import Connection
from custom_components.media_arrivals.engine.connectors.seerr.client import SeerrClient
from simulator import Film, Show, Stack
from simulator.radarr import Movie
from simulator.seerr_data import Request
from simulator.sonarr import Series


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


def ask(stack: Stack, about: Film | Show, *, by: str, **options: Any) -> Request:
    """Make a request."""
    item = stack.seerr.ask(about, by=by, **options)
    assert item is not None
    return item


def movie_of(stack: Stack, film: Film) -> Movie:
    """Return a film in Radarr."""
    movie = stack.radarr.find(film.tmdb_id)
    assert movie is not None
    return movie


def series_of(stack: Stack, show: Show) -> Series:
    """Return a series in Sonarr."""
    series = stack.sonarr.find(show.tvdb_id)
    assert series is not None
    return series
