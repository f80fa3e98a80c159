"""What a member of the Seerr family keeps: people, titles, requests, servers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from .arr import ArrDouble
from .faults import Json
from .service import HOST

ADMIN, MANAGE_REQUESTS, REQUEST, AUTO_APPROVE, REQUEST_VIEW = 2, 16, 32, 128, 16384


class Decision(IntEnum):
    """The status of a request."""

    PENDING = 1
    APPROVED = 2
    DECLINED = 3
    FAILED = 4
    COMPLETED = 5


class Presence(IntEnum):
    """The status of a title or a season."""

    UNKNOWN = 1
    PENDING = 2
    PROCESSING = 3
    PARTIALLY_AVAILABLE = 4
    AVAILABLE = 5
    BLOCKED = 6
    DELETED = 7


@dataclass(slots=True, kw_only=True)
class User:
    """A person known to Seerr."""

    id: int
    name: str
    permissions: int = REQUEST
    movie_quota: int = 0
    tv_quota: int = 0

    def may(self, permission: int) -> bool:
        """Say whether the person has a right; administrators have every one."""
        return bool(self.permissions & (permission | ADMIN))


@dataclass(slots=True, kw_only=True)
class Copy:
    """What Seerr knows about one quality of a title."""

    status: Presence = Presence.UNKNOWN
    seasons: dict[int, Presence] = field(default_factory=dict)
    server: int | None = None
    external_id: int | None = None
    slug: str | None = None
    downloads: list[Json] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Media:
    """A title in Seerr."""

    id: int
    kind: str
    tmdb_id: int
    tvdb_id: int | None
    created: datetime
    updated: datetime
    hd: Copy = field(default_factory=Copy)
    uhd: Copy = field(default_factory=Copy)

    def copy(self, *, is4k: bool) -> Copy:
        """Return the copy in one quality."""
        return self.uhd if is4k else self.hd


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """A request in Seerr."""

    id: int
    media: Media
    status: Decision
    is4k: bool
    by: User
    created: datetime
    updated: datetime
    seasons: list[int] = field(default_factory=list)
    modified_by: User | None = None
    server: int | None = None
    profile: int | None = None
    root_folder: str | None = None

    @property
    def copy(self) -> Copy:
        """The copy that is asked for."""
        return self.media.copy(is4k=self.is4k)


@dataclass(slots=True, kw_only=True)
class Server:
    """A Radarr or Sonarr as set up in Seerr."""

    id: int
    double: ArrDouble
    is4k: bool
    default: bool

    def settings(self) -> Json:
        """Describe the server as the settings show it to an administrator."""
        arr = self.double
        return {
            "id": self.id,
            "name": arr.name,
            "hostname": HOST,
            "port": arr.port,
            "apiKey": arr.api_key,
            "useSsl": False,
            "baseUrl": arr.url_base,
            "activeProfileId": 5 if self.is4k else 4,
            "activeProfileName": "Ultra-HD" if self.is4k else "HD-1080p",
            "activeDirectory": arr.root_folder,
            "is4k": self.is4k,
            "isDefault": self.default,
            "externalUrl": "",
            "syncEnabled": True,
            "preventSearch": False,
            "tags": [],
            **(
                {"minimumAvailability": "released"}
                if arr.kind == "radarr"
                else {"enableSeasonFolders": True, "activeLanguageProfileId": 1}
            ),
        }


class ServiceError(Exception):
    """A Radarr or Sonarr did not answer, or refused."""
