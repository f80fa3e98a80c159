"""A household in Home Assistant: the board and services whose APIs say what tests want."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from unittest.mock import PropertyMock, patch

from aiohttp import encode_basic_auth
from aiohttp.hdrs import AUTHORIZATION
from aiohttp.test_utils import TestClient
from homeassistant.config_entries import SOURCE_SYSTEM
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals.const import (
    BOARD_UNIQUE_ID,
    CONF_KIND,
    CONF_POLLING_ONLY,
    CONF_SERVER_ID,
    CONF_TIER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    KIND_BOARD,
    WEBHOOK_USERNAME,
)
from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Change,
    Question,
    Service,
)
from custom_components.media_arrivals.engine.connectors import clients
from custom_components.media_arrivals.engine.connectors.base import (
    Connection,
    Cursor,
    Identity,
    Poll,
    PollView,
    ServiceError,
)
from custom_components.media_arrivals.runtime import BOARD_KEY, BoardRuntime
from tests.engine.board.household import NOON

NOW = NOON + 1000
"""The moment at which tests of entities take place, if time is frozen."""

SERVICES = {
    "radarr": ("radarr", "Radarr", "hd"),
    "radarr4k": ("radarr", "Radarr 4K", "4k"),
    "sonarr": ("sonarr", "Sonarr", "hd"),
    "seerr": ("seerr", "Seerr", None),
    "seerr-guests": ("seerr", "Seerr for guests", None),
    "radarr-kids": ("radarr", "Radarr for kids", "mixed"),
    "sonarr4k": ("sonarr", "Sonarr 4K", "4k"),
    "sonarr-anime": ("sonarr", "Sonarr for anime", "mixed"),
    "plex": ("plex", "Plex", None),
    "plex-attic": ("plex", "Plex in the attic", None),
    "tautulli": ("tautulli", "Tautulli", None),
    "jellyfin": ("jellyfin", "Jellyfin", None),
    "emby": ("emby", "Emby", None),
}
"""Entry id -> kind, title and tier. The ids are those of the board's household in words."""
PLEX_ID = "0f1e2d3c4b5a69788796a5b4c3d2e1f000112233"
"""The Plex server's own id; the one in the attic has its entry's."""
SERVER_IDS = {
    "plex": PLEX_ID,
    "tautulli": PLEX_ID,
    "jellyfin": "jellyfin0server",
    "emby": "emby0server",
}
"""Kind of a media server -> its own id."""


@dataclass
class FakeClient:
    """A service whose API says what a test wants."""

    kind: str
    answer_poll: Poll = field(default_factory=lambda: Poll(queue=0))
    error: ServiceError | None = None
    version: str = "6.1.0"
    server_id: str | None = None
    clock_offset: float = 0.0

    def _answer(self) -> Poll:
        if self.error is not None:
            raise self.error
        return self.answer_poll

    async def identify(self) -> Identity:
        """Say who answers."""
        self._answer()
        product = self.kind.title()
        return Identity(
            kind=self.kind,
            product=product,
            name=product,
            version=self.version,
            server_id=self.server_id,
        )

    async def baseline(self, service: Service, now: float, *, finished_days: int) -> Poll:
        """Answer the first poll."""
        return self._answer()

    async def poll(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Answer a poll."""
        return self._answer()

    async def sync(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Answer a sync."""
        return self._answer()

    async def answer(
        self, service: Service, question: Question, now: float
    ) -> tuple[AnyReport, ...]:
        """Know nothing."""
        return ()


@dataclass
class Home:
    """A household that is set up."""

    hass: HomeAssistant
    board_entry: MockConfigEntry
    entries: dict[str, MockConfigEntry]
    clients: dict[str, FakeClient]

    @property
    def runtime(self) -> BoardRuntime:
        """Return what is alive."""
        return self.hass.data[BOARD_KEY]

    def answering(self) -> AbstractContextManager[object]:
        """Let new clients be those of this household."""

        def client(session: object, connection: Connection) -> FakeClient:
            by_key = {self.entries[key].data[CONF_API_KEY]: key for key in self.entries}
            return self.clients[by_key[connection.api_key]]

        return patch.dict(clients._CLIENTS, dict.fromkeys(clients._CLIENTS, client))  # noqa: SLF001

    async def hear(self, *reports: AnyReport, silent: bool = False) -> tuple[Change, ...]:
        """Have services report."""
        changes: list[Change] = []
        for report in reports:
            service = report.origin.service
            changes += await self.runtime.apply([report], service=service, silent=silent)
        await self.hass.async_block_till_done()
        return tuple(changes)

    def state(self, entity_id: str) -> str:
        """Return an entity's state."""
        state = self.hass.states.get(entity_id)
        assert state is not None, entity_id
        return state.state

    def value(self, key: str) -> str:
        """Return the state of a sensor of the board."""
        return self.state(f"sensor.media_arrivals_{key}")

    async def note(self, entry_id: str, **changes: object) -> None:
        """Change what is remembered of a service."""
        self.runtime.note(entry_id, **changes)
        await self.hass.async_block_till_done()


async def post(client: TestClient[Any, Any], entry_id: str, body: object) -> None:
    """Call a service's webhook as a Radarr or Sonarr does."""
    answer = await client.post(
        f"/api/webhook/webhook-of-{entry_id}",
        json=body,
        headers={AUTHORIZATION: encode_basic_auth(WEBHOOK_USERNAME, f"secret-of-{entry_id}")},
    )
    assert answer.status == HTTPStatus.OK, await answer.text()


def service_entry(entry_id: str, **options: object) -> MockConfigEntry:
    """Make the entry of a service that does without a webhook."""
    kind, title, tier = SERVICES[entry_id]
    server_id = entry_id if entry_id == "plex-attic" else SERVER_IDS.get(kind)
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry_id,
        title=title,
        data={
            CONF_KIND: kind,
            CONF_URL: f"http://{entry_id}.home.example:7878/base",
            CONF_API_KEY: f"key-of-{entry_id}",
            CONF_VERIFY_SSL: True,
            CONF_WEBHOOK_ID: f"webhook-of-{entry_id}",
            CONF_WEBHOOK_SECRET: f"secret-of-{entry_id}",
            **({CONF_TIER: tier} if tier else {}),
            **({CONF_SERVER_ID: server_id} if server_id else {}),
        },
        options={CONF_POLLING_ONLY: True, **options},
    )


def board_entry(**options: object) -> MockConfigEntry:
    """Make the board's own entry."""
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id="the-board",
        title="Media Arrivals",
        source=SOURCE_SYSTEM,
        unique_id=BOARD_UNIQUE_ID,
        data={CONF_KIND: KIND_BOARD},
        options=options,
    )


async def set_up_home(
    hass: HomeAssistant,
    *services: str,
    board: MockConfigEntry | None = None,
    all_entities: bool = False,
    reachable: bool = False,
) -> Home:
    """Set up the board and services, by default one of each kind.

    Media servers do not say who they are, unless they are to be ``reachable``.
    """
    home = Home(hass, board or board_entry(), {}, {})
    for entry_id in services or ("radarr", "sonarr", "seerr"):
        home.entries[entry_id] = service_entry(entry_id)
        kind = SERVICES[entry_id][0]
        server_id = SERVER_IDS.get(kind) if reachable else None
        home.clients[entry_id] = FakeClient(kind, server_id=server_id)
    await add_entries(home, home.board_entry, *home.entries.values(), all_entities=all_entities)
    return home


async def add_entries(home: Home, *entries: MockConfigEntry, all_entities: bool = False) -> None:
    """Add entries and set up what there is."""
    for entry in entries:
        entry.add_to_hass(home.hass)
    with ExitStack() as stack:
        stack.enter_context(home.answering())
        if all_entities:
            stack.enter_context(
                patch(
                    "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
                    PropertyMock(return_value=True),
                )
            )
        assert await async_setup_component(home.hass, DOMAIN, {})
        await home.hass.async_block_till_done()


def moment(at: float) -> datetime:
    """Return a moment as Home Assistant has it."""
    return datetime.fromtimestamp(at, UTC)
