"""What is alive while the integration is loaded: board, storage, queue, worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

if TYPE_CHECKING:
    from .coordinator import ServiceCoordinator
    from .engine.board.board import Board
    from .engine.connectors.base import Client, WebhookCause
    from .engine.storage.storage import Storage
    from .registration import Registration


class WebhookHealth(StrEnum):
    """What we know of a service's webhook."""

    WORKING = "working"
    """A test delivery of ours arrived, and nothing speaks against it since."""
    UNPROVEN = "unproven"
    """Being installed, or installed and no test delivery arrived yet."""
    FAILED = "failed"
    """Could not be installed or proven: see the cause."""
    POLLING_ONLY = "polling_only"
    """The user chose to do without."""


@dataclass(slots=True, kw_only=True)
class ServiceRecord:
    """What is remembered of a service; readable when the service is down."""

    received: int = 0
    processed: int = 0
    ignored: int = 0
    failed: int = 0
    refused: int = 0
    """Calls that were answered 4xx."""
    missed: int = 0
    """Events that a poll found and no delivery told."""
    last_webhook_at: float | None = None
    webhook: WebhookHealth = WebhookHealth.UNPROVEN
    webhook_cause: WebhookCause | None = None
    webhook_detail: str | None = None
    """The sender's own answer; no secrets inside."""
    webhook_address: str | None = None
    """Base address of Home Assistant that was tried last or proven; without the id."""
    proven_at: float | None = None
    healthy_since: float | None = None
    """Since when the webhook works without a miss or a failed delivery."""
    last_poll_at: float | None = None
    last_status: str | None = None
    """ "ok", or the key of the error."""
    last_error: str | None = None
    last_sync_at: float | None = None
    next_sync_at: float | None = None
    sync_count: int = 0
    version: str | None = None
    queue: int = 0
    downloading: bool = False


@dataclass(slots=True, kw_only=True)
class ServiceRuntime:
    """What a loaded service has."""

    client: Client
    coordinator: ServiceCoordinator
    registration: Registration


@dataclass(slots=True, kw_only=True)
class BoardEntryRuntime:
    """What the loaded board entry has: nothing of its own, the board is domain data."""


type ServiceConfigEntry = ConfigEntry[ServiceRuntime]
type BoardConfigEntry = ConfigEntry[BoardEntryRuntime]


@dataclass(slots=True, kw_only=True)
class BoardRuntime:
    """What the domain has, from `async_setup` until Home Assistant's final write."""

    board: Board
    storage: Storage
    records: dict[str, ServiceRecord] = field(default_factory=dict)
    """Entry id -> what is remembered of the service."""


BOARD_KEY: Final[HassKey[BoardRuntime]] = HassKey(DOMAIN)
