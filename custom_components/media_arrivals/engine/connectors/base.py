"""The contract between a kind of service and the rest.

A connector has a pure half (:class:`Decoder`: deliveries and API answers in, reports and
questions out) and an API half (:class:`Client`). Nothing here does I/O.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..board.models import (
    AnyReport,
    Decision,
    ExternalIds,
    IndexEntry,
    MediaType,
    Question,
    Reason,
    Role,
    Service,
    Tier,
    TitleRef,
)

if TYPE_CHECKING:
    from .pace import Pace

type Json = str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None
"""Foreign JSON."""

type Cursor = Mapping[str, Json]
"""What a client wants back at its next poll; stored as JSON, opaque to everybody else."""


# --- decoding ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One HTTP call that a service made to our webhook, as it arrived."""

    body: bytes
    received_at: float
    content_type: str = "application/json"
    id: int | None = None
    """Row in the journal."""
    document: Json = None
    """The body as JSON, where it was read before."""
    user_agent: str = ""
    """Tells Plex from a Jellyfin that imitates it; proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Something that a webhook tells and a poll can show, so that lost ones are noticed.

    The webhook's and the poll's sighting of one thing have the same event and key.
    """

    event: str
    key: str
    at: float
    dated: bool = True
    """``at`` is the service's own time, and no estimate; of what a poll shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNote:
    """A service's word about its own health."""

    check: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a delivery or an API answer says."""

    event_type: str
    """The service's own event name, shortened to 64 printable characters."""
    reports: tuple[AnyReport, ...] = ()
    questions: tuple[Question, ...] = ()
    ignored: Reason | None = None
    """Why nothing follows from it, if nothing does."""
    detail: str | None = None
    """More on ``ignored``, safe to show: no personal data, no payload."""
    test: bool = False
    sightings: tuple[Sighting, ...] = ()
    health: tuple[HealthNote, ...] = ()
    hint: bool = False
    """Worth an early poll (an event that carries too little to match)."""
    history: bool = False
    """With ``hint``: worth reading, too, who watched what."""
    peer: str | None = None
    """Id of the media server that another service speaks of: that one is worth an early poll."""


class Decoder(Protocol):
    """The pure half of a connector. Never raises on foreign data."""

    kind: str
    role: Role
    people_at: tuple[tuple[str, ...], ...] = ()
    """Where in what is kept of a delivery people are named."""

    def decode(self, service: Service, delivery: Delivery) -> Decoded:
        """Say what a delivery tells."""
        ...

    def decode_poll(self, service: Service, resource: str, body: Json, now: float) -> Decoded:
        """Say what an API answer tells; ``resource`` as in :attr:`poll_resources`."""
        ...

    @property
    def poll_resources(self) -> tuple[str, ...]:
        """Return the names that :meth:`decode_poll` knows."""
        ...

    def sanitise(self, delivery: Delivery) -> str:
        """Return the body for the journal: JSON text that decodes to the same reports.

        It has no tokens, e-mail and IP addresses, player ids, avatars and file paths.
        What is not JSON becomes a short note of its size and type.
        """
        ...

    def keep(self, _: Delivery, /) -> Mapping[str, Json] | None:
        """Return as a document what :meth:`sanitise` returns as text.

        ``None``: it is none, or this kind of service has no such way.
        """
        return None

    def told(self, _: Mapping[str, Json], /) -> str | None:
        """Return the event's name if reports or questions are sure to follow from what was kept.

        Who waits for an answer need not wait for the decoding then. ``None``: decoding tells.
        """
        return None

    def viewer(self, _service: Service, _user: Json, /) -> str | None:
        """Name one of the service's users as `WatchReport.viewer` does.

        ``None``: this kind of service knows nothing of watching, or of that user.
        """
        return None

    def of_watching(self, _event: str, /) -> bool:
        """Tell whether an event says what somebody plays, watched or thinks of it."""
        return False


# --- the API -------------------------------------------------------------------------------


class ServiceError(Exception):
    """A call to a service failed. ``key`` names the translated text; no secrets inside."""

    key = "cannot_connect"

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        """Keep a short detail that is safe to show, without a full stop: texts go on after it."""
        super().__init__(detail)
        self.detail = detail.rstrip(" .")
        self.retry_after = retry_after


class NameNotFoundError(ServiceError):
    """The host name has no address."""

    key = "name_not_found"


class RefusedError(ServiceError):
    """Nothing listens there."""

    key = "connection_refused"


class TimedOutError(ServiceError):
    """No answer in time."""

    key = "timed_out"


class CertificateError(ServiceError):
    """The certificate is not trusted."""

    key = "invalid_certificate"


class NoTlsError(ServiceError):
    """The address says https, and nobody speaks it there."""

    key = "no_tls"


class NeedsTlsError(ServiceError):
    """The address says http, and https is spoken there."""

    key = "needs_tls"


class AuthError(ServiceError):
    """The key is wrong."""

    key = "invalid_auth"


class ForbiddenError(ServiceError):
    """The key is right and may not do this."""

    key = "forbidden"


class WrongServiceError(ServiceError):
    """Something else answers there; ``detail`` is what it says it is."""

    key = "wrong_service"


class TooOldError(ServiceError):
    """The version is older than what we support; ``detail`` is the version."""

    key = "too_old"


class BadAnswerError(ServiceError):
    """An answer that cannot be understood (HTML, broken JSON, another shape)."""

    key = "bad_answer"


class ServerFaultError(ServiceError):
    """The service answered 5xx, or 4xx where none is expected; ``detail`` is the status."""

    key = "server_fault"


class NotFoundError(ServiceError):
    """404: the thing asked for is not there."""

    key = "not_found"


class NotReadyError(ServiceError):
    """The service has the thing and does not know all of it yet: ask again in a while."""

    key = "not_ready"


class WebhookCause(StrEnum):
    """Why a webhook could not be installed or proven."""

    NAME_NOT_FOUND = "name_not_found"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    CERTIFICATE = "certificate"
    REDIRECT = "redirect"
    UNTRUSTED_PROXY = "untrusted_proxy"
    """Home Assistant answered 400: a reverse proxy that it was not told to trust."""
    TAKEN_BY_HOME_ASSISTANT = "taken_by_home_assistant"
    """The one slot holds a webhook of Home Assistant's own Seerr integration."""
    TAKEN = "taken"
    """The one slot is somebody else's, or another Media Arrivals'."""
    CSRF = "csrf"
    """Seerr's CSRF protection refuses every change by API key."""
    PLUGIN_MISSING = "plugin_missing"
    """Jellyfin's webhook plugin is not installed, or not running."""
    NEEDS_PLEX_PASS = "needs_plex_pass"  # noqa: S105 - what a Plex account has, no secret
    """Plex sends webhooks only for accounts with a Plex Pass."""
    NOT_TESTABLE = "not_testable"
    """It is entered, and the sender has no test: the first delivery of any kind proves it."""
    BY_HAND = "by_hand"
    """This version of the service has no way to enter it but by hand."""
    NOT_ALLOWED = "not_allowed"
    NOT_RECEIVED = "not_received"
    """The service says that it sent the test; it never reached us."""
    NO_ADDRESS = "no_address"
    """Home Assistant has no address that could be tried."""
    OTHER = "other"


class WebhookError(ServiceError):
    """Our webhook could not be installed; ``detail`` is the sender's own answer."""

    def __init__(self, cause: WebhookCause, detail: str = "") -> None:
        """Keep the cause."""
        super().__init__(detail)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach a service. ``url`` is normalised: scheme, host, port, base path."""

    url: str
    api_key: str = field(repr=False)
    verify_tls: bool = True
    pace: Pace | None = field(default=None, repr=False, compare=False)
    """Bounds how often the service is called; ``None``: somebody waits for the answer."""
    client_id: str = field(default="", repr=False)
    """A lasting id of this Home Assistant, which Plex wants to know us by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who answers at an address."""

    kind: str
    product: str
    """"Radarr", "Sonarr", "Overseerr", "Jellyseerr" or "Seerr"."""
    name: str
    """The instance name that the user gave it, else the product."""
    version: str
    own_only: bool = False
    """The key sees only its own user's requests."""
    server_id: str | None = None
    """A media server's own id; Tautulli's: that of its Plex."""
    owner_id: str | None = None
    """Plex: the owner's id at plex.tv, if it could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownService:
    """A service that another one knows (Seerr knows its Radarrs and Sonarrs)."""

    kind: str
    name: str
    url: str
    api_key: str = field(repr=False)
    tier: Tier
    number: int
    """Index of the server inside Seerr."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollView:
    """What the board has of a service, so that a poll asks for no more than it must."""

    active_downloads: frozenset[str] = frozenset()
    """Download ids (case-folded) that the board believes to be active there."""
    open_requests: Mapping[int, Decision] = field(default_factory=dict)
    open_titles: tuple[TitleRef, ...] = ()
    """Titles with unfinished arrivals that this service holds or may hold."""
    played_seasons: Mapping[TitleRef, tuple[int, ...]] = field(default_factory=dict)
    """Which seasons of them a media server could play something of so far: one that a complete
    answer does not name is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """A complete answer. The cursor is stored with the reports, or not at all."""

    reports: tuple[AnyReport, ...] = ()
    questions: tuple[Question, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    cursor: Cursor = field(default_factory=dict)
    queue: int = 0
    """Downloads in the queue (Radarr, Sonarr), or open requests (Seerr)."""
    downloading: bool = False
    playing: int | None = None
    """What is being played now; ``None``: does not know."""
    checked: int = 0
    """Things looked at; what the sync action answers."""
    health: tuple[HealthNote, ...] | None = None
    """The standing health complaints, when asked."""
    muted: bool = False
    """The service says that it skips our webhook after failures."""
    beyond: bool = False
    """More was added to a media server than was read: its index must be read anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """The webhook as we want it in the service."""

    url: str = field(repr=False)
    webhook_id: str = field(repr=False)
    username: str
    secret: str = field(repr=False)
    instance_id: str
    """Home Assistant's instance id, to know our own mark."""
    former: tuple[str, ...] = field(default=(), repr=False)
    """Addresses that were ours and do not show it: those of Home Assistant's cloud."""
    take_over: bool = False
    """The user agreed to replace what is in the slot."""

    @property
    def authorization(self) -> str:
        """What senders of any header send as ``Authorization``, word for word: basic auth."""
        return "Basic " + b64encode(f"{self.username}:{self.secret}".encode()).decode()


class WebhookState(StrEnum):
    """What a service says about our webhook."""

    REGISTERED = "registered"
    DIFFERENT = "different"
    """Ours, with another address, secret or set of events than wanted."""
    ABSENT = "absent"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWebhook:
    """Our webhook as read back from the service."""

    state: WebhookState
    events: frozenset[str] = frozenset()
    """Sighting events that it subscribes to."""
    muted: bool = False
    """The service skips it after failures, or it is switched off there."""
    taken_by: WebhookCause | None = None


@runtime_checkable
class Client(Protocol):
    """The API half of a connector. Raises :class:`ServiceError` and nothing else."""

    async def identify(self) -> Identity:
        """Say who answers, after checking the key."""
        ...

    async def baseline(self, service: Service, now: float, *, finished_days: int) -> Poll:
        """Read what is open (and requests that finished in the last days)."""
        ...

    async def poll(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Read what changed since the cursor: the light poll. Idle: two calls at most."""
        ...

    async def sync(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Do the light poll and look at every open arrival."""
        ...

    async def answer(
        self, service: Service, question: Question, now: float
    ) -> tuple[AnyReport, ...]:
        """Read what a delivery or the board left open. Empty: the service knows nothing."""
        ...

    @property
    def clock_offset(self) -> float:
        """Seconds that the service's clock is ahead of ours, from its Date header; else 0."""
        ...


@runtime_checkable
class InstallsWebhook(Protocol):
    """A client that can put our webhook into its service."""

    async def read_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Read our webhook back."""
        ...

    async def install_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Make the service hold our webhook as wanted: read, compare, write on difference.

        Does not prove anything. Raises :class:`WebhookError` with a cause.
        """
        ...

    async def test_webhook(self, target: WebhookTarget) -> None:
        """Have the service send its test event, which also lifts a mute.

        Raises :class:`WebhookError` with the sender's answer told apart.
        """
        ...

    async def remove_webhook(self, target: WebhookTarget) -> None:
        """Remove our webhook if it is still ours; never another's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUser:
    """Somebody who has an account with a service."""

    id: str
    name: str


@runtime_checkable
class KnowsUsers(Protocol):
    """A client whose service says who has an account with it."""

    async def known_users(self) -> tuple[KnownUser, ...]:
        """Return the users, by the ids that the service's own events and answers name."""
        ...


@runtime_checkable
class KnowsServices(Protocol):
    """A client whose service knows other services."""

    async def known_services(self) -> tuple[KnownService, ...]:
        """Return the services that this one knows, with what is needed to reach them."""
        ...


# --- media servers ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library of films or series, and where its files are as the media server sees them."""

    id: str
    name: str
    media_type: MediaType | None
    """``None``: films and series."""
    folders: tuple[str, ...]


@runtime_checkable
class ScansFolders(Protocol):
    """A client whose media server can be asked to look into a folder."""

    async def libraries(self) -> tuple[Library, ...]:
        """Return the libraries of films and series."""
        ...

    async def scan(self, library: Library, folder: str | None) -> None:
        """Have a folder looked into, as the media server names it; ``None``: the library."""
        ...


@runtime_checkable
class KnowsFolder(Protocol):
    """A client whose service knows where a title's files are."""

    async def folder(self, title: TitleRef) -> str | None:
        """Return the title's folder as the service sees it."""
        ...


class LibraryIndex(Protocol):
    """Which item of one media server has which external ids. Kept outside of memory."""

    async def find(self, media_type: MediaType, ids: ExternalIds) -> tuple[str, ...]:
        """Return the items that have any of the ids: several for HD and 4K libraries."""
        ...

    async def ids_of(self, item: str) -> IndexEntry | None:
        """Return what is known of an item."""
        ...

    async def put(self, entries: Sequence[IndexEntry]) -> None:
        """Enter items; what was known of them before is replaced."""
        ...

    async def drop(self, items: Sequence[str]) -> None:
        """Forget items that are gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """One page of a media server's films and series."""

    entries: tuple[IndexEntry, ...]
    resume: Json
    """What to ask the next page with; ``None``: that was the last one."""
    done: int
    """Items read so far, this page included."""
    total: int


@runtime_checkable
class NeedsIndex(Protocol):
    """A client whose media server cannot be asked by external id."""

    index: LibraryIndex | None
    """Set before anything is asked. ``None`` or not complete: what is not found is unknown."""
    index_complete: bool

    async def index_page(self, resume: Json) -> IndexPage:
        """Read one page of all films and series; ``None`` begins."""
        ...
