"""A Plex with its house to talk to, and a client that talks to it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from aiohttp import ClientSession

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    IndexEntry,
    MediaType,
    Service,
)
from custom_components.media_arrivals.engine.connectors.base import Connection
from custom_components.media_arrivals.engine.connectors.plex.client import PlexClient
from simulator import PlexDouble, Stack

from .bodies import SERVICE


class MemoryIndex:
    """An index of a library as the storage keeps it."""

    def __init__(self) -> None:
        self.entries: dict[str, IndexEntry] = {}

    async def find(self, media_type: MediaType, ids: ExternalIds) -> tuple[str, ...]:
        wanted = set(ids.items())
        return tuple(
            item
            for item, entry in self.entries.items()
            if entry.media_type is media_type and wanted & set(entry.ids.items())
        )

    async def ids_of(self, item: str) -> IndexEntry | None:
        return self.entries.get(item)

    async def put(self, entries: Sequence[IndexEntry]) -> None:
        self.entries |= {entry.item: entry for entry in entries}

    async def drop(self, items: Sequence[str]) -> None:
        for item in items:
            self.entries.pop(item, None)


@pytest.fixture
async def stack(socket_enabled: None) -> AsyncIterator[Stack]:
    house = Stack()
    house.add_radarr()
    house.add_radarr("radarr_4k", is4k=True)
    house.add_sonarr()
    house.add_plex()
    async with house:
        yield house


@pytest.fixture
def plex(stack: Stack) -> PlexDouble:
    return stack.plex


@pytest.fixture
def service(plex: PlexDouble) -> Service:
    owner = str(plex.plex_tv.owner.id)
    return replace(SERVICE, server_id=plex.machine_id, owner_id=owner)


@pytest.fixture
def index() -> MemoryIndex:
    return MemoryIndex()


@pytest.fixture
def client(plex: PlexDouble, session: ClientSession, index: MemoryIndex) -> PlexClient:
    """Return a client whose index is complete."""
    connection = Connection(url=plex.url, api_key=plex.api_key)
    made = PlexClient(session, connection, client_id="home", plex_tv=plex.plex_tv.url)
    made.index, made.index_complete = index, True
    return made
