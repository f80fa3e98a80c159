"""A house with Home Assistant and a simulated media stack, for tests."""

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import ClientResponse, encode_basic_auth
from aiohttp.test_utils import TestClient
from homeassistant.config_entries import SOURCE_SYSTEM
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals.const import (
    BOARD_UNIQUE_ID,
    CONF_KIND,
    CONF_MANUAL_WEBHOOK,
    CONF_OWNER_ID,
    CONF_SERVER_ID,
    CONF_TIER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    KIND_BOARD,
    NAME,
    WEBHOOK_USERNAME,
)
from custom_components.media_arrivals.engine.storage.storage import Storage
from custom_components.media_arrivals.runtime import (
    BOARD_KEY,
    BoardRuntime,
    ServiceRecord,
    WebhookHealth,
)
from simulator import SeerrDouble, Stack
from simulator.arr import ArrDouble
from simulator.mediabrowser import MediaBrowserDouble
from simulator.plex import PlexDouble
from simulator.tautulli import TautulliDouble
from tests.payloads import FILM

_COUNTER = itertools.count(1)

type Double = ArrDouble | SeerrDouble | PlexDouble | MediaBrowserDouble | TautulliDouble
"""A simulated service that can be added."""


def server_data(double: Double) -> dict[str, str]:
    """Return what the dialog learns of a media server beside its address."""
    if isinstance(double, PlexDouble):
        owner = str(double.plex_tv.owner.id)
        return {CONF_SERVER_ID: double.machine_id, CONF_OWNER_ID: owner}
    if isinstance(double, MediaBrowserDouble):
        return {CONF_SERVER_ID: double.server_id}
    if isinstance(double, TautulliDouble):
        return {CONF_SERVER_ID: double.plex.machine_id}
    return {}


class House:
    """Home Assistant, its HTTP server, and the media stack beside it."""

    def __init__(self, hass: HomeAssistant, stack: Stack, client: TestClient[Any, Any]) -> None:
        self.hass = hass
        self.stack = stack
        self.client = client

    film = FILM
    board: MockConfigEntry

    @property
    def storage(self) -> Storage:
        assert self.runtime.storage is not None
        return self.runtime.storage

    @staticmethod
    def path(entry: MockConfigEntry) -> str:
        """Return the path of an entry's webhook."""
        return f"/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"

    @property
    def runtime(self) -> BoardRuntime:
        return self.hass.data[BOARD_KEY]

    def record(self, entry: MockConfigEntry) -> ServiceRecord:
        return self.runtime.records[entry.entry_id]

    def add_board(self, **options: Any) -> MockConfigEntry:
        entry = MockConfigEntry(
            domain=DOMAIN,
            entry_id="board_entry",
            data={CONF_KIND: KIND_BOARD},
            options=options,
            unique_id=BOARD_UNIQUE_ID,
            title=NAME,
            source=SOURCE_SYSTEM,
        )
        entry.add_to_hass(self.hass)
        self.board = entry
        return entry

    def add_service(
        self,
        double: Double,
        *,
        options: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> MockConfigEntry:
        """Add an entry for a simulated service; its webhook is entered by hand."""
        number = next(_COUNTER)
        known = server_data(double)
        stored: dict[str, Any] = {
            CONF_KIND: double.kind,
            CONF_URL: double.url,
            CONF_API_KEY: double.api_key,
            CONF_VERIFY_SSL: True,
            CONF_WEBHOOK_ID: f"{number:064x}",
            CONF_WEBHOOK_SECRET: f"secret-{number}",
            **known,
        }
        if isinstance(double, ArrDouble):
            stored[CONF_TIER] = "hd"
        entry = MockConfigEntry(
            domain=DOMAIN,
            entry_id=f"{double.name}_entry",
            data=stored | dict(data or {}),
            options={CONF_MANUAL_WEBHOOK: True} if options is None else dict(options),
            unique_id=_unique_id(double, known.get(CONF_SERVER_ID)),
            title=double.name,
        )
        entry.add_to_hass(self.hass)
        return entry

    async def start(self) -> None:
        """Set the integration up with all entries that were added."""
        assert await async_setup_component(self.hass, DOMAIN, {})
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything that was delivered is worked off."""
        await self.hass.async_block_till_done()
        await self.runtime.async_settle()
        await self.hass.async_block_till_done()

    async def post(
        self,
        entry: MockConfigEntry,
        body: Any = None,
        *,
        method: str = "POST",
        secret: str | None = None,
        **more: Any,
    ) -> ClientResponse:
        """Call an entry's webhook as its service does."""
        if body is not None:
            more["json"] = body
        return await self.client.request(
            method,
            self.path(entry),
            headers={
                "Authorization": encode_basic_auth(
                    WEBHOOK_USERNAME, secret or entry.data[CONF_WEBHOOK_SECRET]
                )
            },
            **more,
        )

    async def poll(self, entry: MockConfigEntry) -> None:
        """Have a service polled now."""
        await self.runtime.coordinators[entry.entry_id].async_refresh()
        await self.settle()

    async def proven(self, entry: MockConfigEntry) -> None:
        """Wait until our webhook is in the service and works."""
        await self.until(
            lambda: self.record(entry).webhook is WebhookHealth.WORKING, what="a proven webhook"
        )

    async def until(self, true: Callable[[], Any], *, what: str) -> None:
        """Wait until something is so."""
        for _ in range(200):
            await self.settle()
            if true():
                return
            # The loop's own clock may be frozen.
            await asyncio.to_thread(time.sleep, 0.01)
        raise AssertionError(f"It did not come to this: {what}")


def _unique_id(double: Double, server_id: str | None) -> str | None:
    """Return what the dialog knows a service by."""
    return f"tautulli:{server_id}" if isinstance(double, TautulliDouble) else server_id
