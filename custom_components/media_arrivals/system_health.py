"""System health: the database, the board and the webhooks at a glance."""

import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .engine.storage.models import StorageError
from .engine.storage.storage import Storage
from .records import WebhookHealth
from .runtime import BOARD_KEY

MEBIBYTE: Final = 1024**2


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what is shown."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what is shown."""
    runtime = hass.data[BOARD_KEY]
    now = time.time()
    webhooks = Counter(record.webhook for record in runtime.records.values())
    return {
        **await _database_info(hass, runtime.storage),
        "arrivals_live": sum(runtime.board.counts.values()),
        "services": len(runtime.board.services),
        "webhooks_working": webhooks[WebhookHealth.WORKING],
        "webhooks_unproven": webhooks[WebhookHealth.UNPROVEN],
        "webhooks_failed": webhooks[WebhookHealth.FAILED],
        "polling_only": webhooks[WebhookHealth.POLLING_ONLY],
        "webhooks_missed": sum(
            len(record.recent_misses(now)) for record in runtime.records.values()
        ),
    }


async def _database_info(hass: HomeAssistant, storage: Storage | None) -> dict[str, Any]:
    """Return what is shown of the database."""
    unavailable = {"database": {"type": "failed", "error": "unavailable"}}
    if storage is None:
        return unavailable
    try:
        deliveries = sum(count.count for count in await storage.journal.counts())
        stored = (await storage.search(limit=0)).total
    except StorageError:
        return unavailable
    size = await hass.async_add_executor_job(_size, storage.path)
    return {
        "database": storage.path.name,
        "journal_mode": storage.journal_mode,
        "size": f"{size / MEBIBYTE:.1f} MiB",
        "deliveries": deliveries,
        "arrivals_stored": stored,
    }


def _size(path: Path) -> int:
    """Return how many bytes the database takes, with what is not in its main file yet."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
