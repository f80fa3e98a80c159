"""Names that several modules share."""

from typing import TYPE_CHECKING, Final

from homeassistant.util.signal_type import SignalType, SignalTypeFormat

if TYPE_CHECKING:
    from .engine.board.models import Change
    from .request_watch import RequestTurn
    from .stuck import StuckTurn
    from .webhook_watch import WebhookTurn

DOMAIN: Final = "media_arrivals"
NAME: Final = "Media Arrivals"

CONF_KIND: Final = "kind"
KIND_BOARD: Final = "board"
"""``entry.data["kind"]`` of the board's own entry; others hold a connector's kind."""
BOARD_UNIQUE_ID: Final = "board"

# entry.data of a service, beside CONF_URL, CONF_API_KEY and CONF_VERIFY_SSL of Home Assistant
CONF_TIER: Final = "tier"
TIER_MIXED: Final = "mixed"
CONF_CLOUDHOOKS: Final = "cloudhooks"
CONF_WEBHOOK_SECRET: Final = "webhook_secret"  # noqa: S105 - a key's name
CONF_SERVER_ID: Final = "server_id"
"""A media server's own id; Tautulli's: that of its Plex."""
CONF_OWNER_ID: Final = "owner_id"
"""The id at plex.tv of whom a Plex server belongs to."""
CONF_SEERR_SERVERS: Final = "seerr_servers"
"""In a Seerr entry: "radarr:<number>" -> entry id of the service that it is."""

WEBHOOK_USERNAME: Final = "media_arrivals"
"""Radarr and Sonarr send the secret as this user's password."""

# entry.options of a service
CONF_CALLBACK_URL: Final = "callback_url"
"""Base address of Home Assistant that the user typed for this service, or absent."""
CONF_ALLOW_CLOUD: Final = "allow_cloud"
CONF_POLLING_ONLY: Final = "polling_only"
CONF_MANUAL_WEBHOOK: Final = "manual_webhook"
"""The user entered the webhook by hand: never installed by us, proven by a test."""
CONF_TAKE_OVER: Final = "take_over"
CONF_LOCAL_ONLY: Final = "local_only"
CONF_ALLOWED_ADDRESSES: Final = "allowed_addresses"
CONF_SCHEDULE_ENABLED: Final = "schedule_enabled"
CONF_INTERVAL_HOURS: Final = "interval_hours"

# entry.options of the board
CONF_REQUESTER_NAMES: Final = "requester_names"
"""What is kept and shown of who asks; see `privacy.Requesters`, also for what was stored once."""
CONF_WATCH_DATA: Final = "watch_data"
"""What is kept and shown of who watches; see `privacy.Watching`."""
CONF_FINISHED_DAYS: Final = "finished_days"
CONF_TIMELINE_DAYS: Final = "timeline_days"
CONF_JOURNAL_DAYS: Final = "journal_days"
CONF_JOURNAL_ROWS: Final = "journal_rows"
CONF_ASSIST: Final = "assist"
"""What assistants may do: one of :data:`ASSIST`."""
ASSIST_OFF: Final = "off"
ASSIST_READ: Final = "read"
ASSIST_REQUEST: Final = "request"
ASSIST: Final = (ASSIST_OFF, ASSIST_READ, ASSIST_REQUEST)
CONF_STUCK_HAND_OVER: Final = "stuck_hand_over"
CONF_STUCK_GRAB: Final = "stuck_grab"
CONF_STUCK_PROGRESS: Final = "stuck_progress"
CONF_STUCK_IMPORT: Final = "stuck_import"
CONF_STUCK_FOUND: Final = "stuck_found"
CONF_GENERIC_WEBHOOK: Final = "generic_webhook"
"""Whether the one address for all services is open; its id is in the data of the entry."""

CONF_BLUEPRINTS: Final = "blueprints"
"""Whether copies of the blueprints are kept where Home Assistant offers them."""
CONF_BLUEPRINTS_WRITTEN: Final = "blueprints_written"
"""In the data of the board's entry: name of each copy -> hash of what was written."""

DEFAULT_FINISHED_DAYS: Final = 30
DEFAULT_TIMELINE_DAYS: Final = 365
DEFAULT_JOURNAL_DAYS: Final = 14
DEFAULT_JOURNAL_ROWS: Final = 10_000
MIN_INTERVAL_HOURS: Final = 1
MAX_INTERVAL_HOURS: Final = 168
DEFAULT_INTERVAL_HOURS: Final = {
    "radarr": 24,
    "sonarr": 24,
    "seerr": 6,
    "plex": 12,
    "jellyfin": 12,
    "emby": 12,
    "tautulli": 6,
}
SCHEDULED_BY_DEFAULT: Final = frozenset({"plex", "jellyfin", "emby", "tautulli"})
"""Media servers tell nothing of what was deleted or unmarked: that is seen by a sync."""

# A subentry of the board: a person of Home Assistant, and who that is in the services
SUBENTRY_PERSON: Final = "person"
CONF_PERSON: Final = "person"
"""The person's own id, which outlives new entity ids."""
CONF_USERS: Final = "users"
"""Entry id of a service -> the person's users there: their names, and ids if they are known."""

CONF_NOTIFY: Final = "notify"
"""Actions and entities of notify that reach the person."""

EVENT_STAGE_CHANGED: Final = f"{DOMAIN}_stage_changed"
EVENT_WATCHED: Final = f"{DOMAIN}_watched"
EVENT_STUCK: Final = f"{DOMAIN}_stuck"
"""An arrival got stuck; the logbook describes it."""
EVENT_ACTION: Final = f"{DOMAIN}_action"
"""What somebody made the integration do, and what failed of it; the logbook describes it."""

SIGNAL_CHANGE: Final[SignalType[Change]] = SignalType(f"{DOMAIN}_change")
"""Sent for every change, silent ones and details included: listeners look at `told`."""
SIGNAL_BOARD: Final[SignalType[()]] = SignalType(f"{DOMAIN}_board")
"""Sent once after a batch of changes: numbers may differ."""
SIGNAL_RECORD: Final[SignalTypeFormat[()]] = SignalTypeFormat(f"{DOMAIN}_record_{{}}")
"""Sent with the entry id when what is remembered of a service changed (bounded rate)."""
SIGNAL_REQUEST: Final[SignalType[RequestTurn]] = SignalType(f"{DOMAIN}_request")
"""Sent when a request waits for a decision, and when that was made."""
SIGNAL_WEBHOOK: Final[SignalType[WebhookTurn]] = SignalType(f"{DOMAIN}_webhook")
"""Sent when a service's webhook stops working, and when it works again."""
SIGNAL_STUCK: Final[SignalType[StuckTurn]] = SignalType(f"{DOMAIN}_stuck")
"""Sent when an arrival gets stuck, and when it no longer is."""
