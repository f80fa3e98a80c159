"""Listens to what a service pushes over a connection of ours, where it has no webhooks for us."""

import asyncio
import logging
from typing import Final

from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .engine.connectors.base import Client, Decoded, ServiceError
from .engine.connectors.plex.client import PlexClient
from .faults import log_fault
from .runtime import BOARD_KEY, ServiceConfigEntry

_LOGGER = logging.getLogger(__name__)

PAUSES: Final = (5.0, 15.0, 60.0, 300.0)
"""Seconds until it is connected to again; the last one repeats."""
STEADY: Final = 60.0
"""A connection that lasted so long was a good one."""


class Listener:
    """Keeps one connection open while the entry is loaded, once it is told to."""

    def __init__(self, hass: HomeAssistant, entry: ServiceConfigEntry, client: Client) -> None:
        """Keep what is needed."""
        self._hass = hass
        self._entry = entry
        self._client = client if isinstance(client, PlexClient) else None
        self._task: asyncio.Task[None] | None = None

    @callback
    def async_start(self) -> None:
        """Begin to listen; end with the entry."""
        if self._client is not None and self._task is None:
            self._task = self._entry.async_create_background_task(
                self._hass, self._run(self._client), f"{DOMAIN} listens to {self._entry.entry_id}"
            )

    @callback
    def async_stop(self) -> None:
        """Listen no more: a webhook tells it all."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, client: PlexClient) -> None:
        """Connect again and again."""
        coordinator, loop = self._entry.runtime_data.coordinator, self._hass.loop
        tries = 0
        while True:
            begun = loop.time()
            try:
                await client.listen(coordinator.service, self._async_take)
            except ServiceError as err:
                _LOGGER.debug("Not listening to %s: %s", self._entry.entry_id, err.key)
            except Exception as err:  # noqa: BLE001 - the next connection is not to blame
                log_fault(_LOGGER, f"listening to {coordinator.service.kind}", err)
            tries = 0 if loop.time() - begun >= STEADY else tries + 1
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            # What happened meanwhile is not pushed again.
            coordinator.async_hint()

    @callback
    def _async_take(self, told: Decoded) -> None:
        """Have asked what is left open, as with a delivery."""
        if told.hint:
            self._entry.runtime_data.coordinator.async_hint()
        if told.questions:
            runtime = self._hass.data[BOARD_KEY]
            _ = self._entry.async_create_background_task(
                self._hass,
                runtime.apply((), service=self._entry.entry_id, questions=told.questions),
                f"{DOMAIN} notice of {self._entry.entry_id}",
            )
