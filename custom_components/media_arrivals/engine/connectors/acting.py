"""What services can be made to do: ask for titles, decide on requests, fetch, look again.

Nothing is done until it was read back: every call that changes something answers with the
reports of what the service says afterwards.
"""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ..board.models import AnyReport, MediaType, Service, Tier, TitleRef


class RefusalError(Exception):
    """The service answered, and did not do it. ``key`` names the translated text.

    Calls raise this, or a :class:`~.base.ServiceError` where there was no answer to speak of.
    """

    key = "not_done"

    def __init__(self, detail: str = "") -> None:
        """Keep the service's own words, as far as they are safe to show."""
        super().__init__(detail)
        self.detail = detail.rstrip(" .")


class AlreadyRequestedError(RefusalError):
    """It was asked for before, or is there already."""

    key = "already_requested"


class NothingLeftError(RefusalError):
    """202: all seasons that were asked for are there or asked for; nothing was created."""

    key = "nothing_left"


class QuotaError(RefusalError):
    """Who asks has asked for as much as is allowed."""

    key = "quota_exceeded"


class BlockedError(RefusalError):
    """The title is on the service's blocklist."""

    key = "blocked"


class NotPermittedError(RefusalError):
    """The user in whose name it was to be done may not do that in the service."""

    key = "not_permitted"


class NotDoneError(RefusalError):
    """The service took the call, and what was read back does not show it."""

    key = "not_done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A film or a series that a search found."""

    title: TitleRef
    requested: bool = False
    """The service holds a request for it, or has handed it over, in any tier."""
    playable: bool = False
    """The service says that it can be played, in any tier; of a series: all of it."""


@runtime_checkable
class SearchesMedia(Protocol):
    """A client whose service finds titles that nobody has yet."""

    async def search(self, text: str, media_type: MediaType | None) -> tuple[Hit, ...]:
        """Find titles by words, best first; at most a page."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of a request service."""

    id: int
    name: str
    names: frozenset[str] = field(default=frozenset(), repr=False)
    """Under which other names the media servers know it, case-folded."""
    manages: bool = False
    """May approve, decline, delete, and ask for others."""
    requests: frozenset[tuple[MediaType, Tier]] = frozenset()
    """What it may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be asked for. ``seasons``: ``None`` is all of a series, or a film."""

    title: TitleRef
    """By its TMDB id."""
    tier: Tier = Tier.HD
    seasons: tuple[int, ...] | None = None


@runtime_checkable
class TakesRequests(Protocol):
    """A client whose service takes requests and decisions.

    ``account`` is in whose name it is done, with that account's rights and quota; ``None``:
    in the name of the key's owner.
    """

    async def accounts(self) -> tuple[Account, ...]:
        """Return all users."""
        ...

    async def request(
        self, service: Service, wish: Wish, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Ask for a title. What is reported is the request that was created."""
        ...

    async def approve(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Approve a request, which has it handed over; that may fail, and is reported then."""
        ...

    async def decline(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Decline a request."""
        ...

    async def retry(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Have a failed request handed over again."""
        ...

    async def delete(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Delete a request; what it was for stays in the other services."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A quality profile of a Radarr or Sonarr."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFolder:
    """A folder under which a Radarr or Sonarr keeps titles."""

    path: str
    accessible: bool
    free: float | None
    """Bytes."""


@runtime_checkable
class TakesTitles(Protocol):
    """A client whose service fetches titles."""

    async def profiles(self) -> tuple[Profile, ...]:
        """Return the quality profiles."""
        ...

    async def root_folders(self) -> tuple[RootFolder, ...]:
        """Return the root folders."""
        ...

    async def add(
        self,
        service: Service,
        wish: Wish,
        now: float,
        *,
        profile: int,
        folder: str,
    ) -> tuple[AnyReport, ...]:
        """Have a title monitored and searched; one that is there already as well."""
        ...

    async def search_release(self, title: TitleRef, seasons: tuple[int, ...] = ()) -> None:
        """Have the service look for releases again; no seasons: all of a series."""
        ...
