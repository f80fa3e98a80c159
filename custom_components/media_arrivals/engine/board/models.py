"""The board's words: ids, tiers, stages, reports, claims, arrivals, requests, changes.

All times are POSIX seconds (float, UTC). A report has two of them: ``at`` orders the
words of one service, ``happened_at`` is what people are shown. They differ for a state
that was read now and has been true for longer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SOMEBODY: Final = "somebody"
"""Stands in a viewer's name for the user where nobody keeps who it was."""
LATE_AFTER: Final = 15 * 60.0
"""Seconds between happening and knowing after which a change counts as late."""


class MediaType(StrEnum):
    """What a title is."""

    MOVIE = "movie"
    SERIES = "series"


class Tier(StrEnum):
    """The quality that an arrival was asked for in."""

    HD = "hd"
    UHD = "4k"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """Which part of the story a kind of service has the say in."""

    REQUESTS = "requests"
    DOWNLOADS = "downloads"
    PLAYBACK = "playback"
    WATCHING = "watching"
    """Knows who watched; what it says of a media server counts where none is asked itself."""


class Via(StrEnum):
    """How a report reached us."""

    WEBHOOK = "webhook"
    POLL = "poll"
    ACTION = "action"


class Stage(StrEnum):
    """Where an arrival, a part or a request stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SENT = "sent"
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    AVAILABLE = "available"
    DECLINED = "declined"
    FAILED = "failed"
    REMOVED = "removed"


class Decision(StrEnum):
    """What a request service says about a request."""

    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"
    COMPLETED = "completed"
    REMOVED = "removed"


class DownloadState(StrEnum):
    """What a service says about a download."""

    WAITING = "waiting"
    """Release chosen, not yet with the download client (delayed, client unreachable)."""
    DOWNLOADING = "downloading"
    COMPLETE = "complete"
    """The client has all of it; the import is pending or running."""
    BLOCKED = "blocked"
    """The client has all of it; the import needs a person."""
    IMPORTED = "imported"
    FAILED = "failed"
    GONE = "gone"
    """Ignored or removed by hand: no download any more, and no failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as the board knows it. ``id`` is its config entry's id."""

    id: str
    kind: str
    role: Role
    tier: Tier | None = None
    """Tier of everything in it; ``None``: mixed (the file decides), or not a downloader."""
    media_type: MediaType | None = None
    """What it can hold; ``None``: films and series."""
    server_id: str | None = None
    """The media server's own id; for Tautulli that of its Plex. ``None``: has none."""
    owner_id: str | None = None
    """Plex: the owner's id at plex.tv, which the server itself calls 1."""


class HoldReason(StrEnum):
    """What an arrival waits for, or what keeps it."""

    WAITING_FOR_RELEASE = "waiting_for_release"
    DELAYED = "delayed"
    """A release is there, and the service waits for a better one on purpose."""
    QUEUED = "queued"
    """It waits for its turn in the download client."""
    NOT_HANDED_OVER = "not_handed_over"
    HAND_OVER_FAILED = "hand_over_failed"
    NOT_MONITORED = "not_monitored"
    NO_RELEASE_FOUND = "no_release_found"
    INDEXERS_UNREACHABLE = "indexers_unreachable"
    DOWNLOAD_CLIENT_UNREACHABLE = "download_client_unreachable"
    STALLED = "stalled"
    PAUSED = "paused"
    DOWNLOAD_FAILED = "download_failed"
    NOT_IMPORTED = "not_imported"
    IMPORT_BLOCKED = "import_blocked"
    QUALITY_NOT_MET = "quality_not_met"
    FILES_NOT_ACCESSIBLE = "files_not_accessible"
    DISK_FULL = "disk_full"
    NOT_FOUND = "not_found_by_media_server"


class Remedy(StrEnum):
    """What to do about an arrival that is stuck; all but the last are names of actions."""

    RETRY_REQUEST = "retry_request"
    SEND_TO_SERVICE = "send_to_service"
    SEARCH_RELEASE = "search_release"
    SCAN_LIBRARY = "scan_library"
    LOOK_AT_SERVICE = "look_at_service"


PATIENT: Final = frozenset({HoldReason.WAITING_FOR_RELEASE, HoldReason.DELAYED, HoldReason.QUEUED})
"""Reasons that are as they should be: shown, and not counted as stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why an arrival does not move."""

    reason: HoldReason
    since: float
    """When it moved last, or could have begun to."""
    service: str | None = None
    """Which service it is about."""
    message: str | None = None
    """That service's own words."""
    remedy: Remedy | None = None
    until: float | None = None
    """When it is expected to go on, if a date is known."""
    told: bool = False
    """People were told that it is stuck; they are told once."""

    @property
    def stuck(self) -> bool:
        """Tell whether it should have moved by now."""
        return self.reason not in PATIENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Premiere:
    """When a film comes out, as a Radarr sees it, and whether it looks for it at all."""

    at: float
    """When it was read."""
    due_at: float | None = None
    """From when there can be a release; ``None``: no date is known."""
    out: bool | None = None
    """Whether the service thinks that it is out; ``None``: it did not say."""
    monitored: bool | None = None

    def same_as(self, other: Premiere) -> bool:
        """Tell whether both say the same, whenever they were read."""
        return (self.due_at, self.out, self.monitored) == (
            other.due_at,
            other.out,
            other.monitored,
        )

    def begins(self, now: float) -> float | None:
        """Return from when the service can find it; ``None``: not yet, or nobody knows."""
        due = self.due_at
        if due is not None and due > now:
            return None
        if self.out is False and (due is None or due <= self.at):
            # It was not out although its date was past: the service waits longer.
            return None
        if due is None:
            return float("-inf") if self.out else None
        return due


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who said a thing, and how it reached us."""

    service: str
    kind: str
    role: Role
    via: Via
    context_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIds:
    """Ids that several services share. Film and series ids are separate spaces."""

    tmdb: int | None = None
    tvdb: int | None = None
    imdb: str | None = None

    def items(self) -> Iterator[tuple[str, int | str]]:
        """Yield the known ids as (space, value)."""
        if self.tmdb is not None:
            yield "tmdb", self.tmdb
        if self.tvdb is not None:
            yield "tvdb", self.tvdb
        if self.imdb is not None:
            yield "imdb", self.imdb

    def __bool__(self) -> bool:
        """Tell whether any id is known."""
        return self.tmdb is not None or self.tvdb is not None or self.imdb is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """A film or a series of a media server, by the ids that services share."""

    item: str
    media_type: MediaType
    ids: ExternalIds


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleRef:
    """How a report names a title: external ids, the service's own id, what it knows."""

    media_type: MediaType
    ids: ExternalIds = field(default_factory=ExternalIds)
    own_id: int | None = None
    """Id inside the service (Radarr movie id, Sonarr series id); not for Seerr."""
    name: str | None = None
    year: int | None = None
    overview: str | None = None
    poster: str | None = None
    """Public image address or path as the service gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRef:
    """How a report names an episode. A film's single part is never named."""

    season: int
    number: int | None = None
    air_date: str | None = None
    """ISO date; stands in for a missing number."""
    own_id: int | None = None
    """Sonarr's episode id."""
    tvdb: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """One line of a season's episode list."""

    ref: PartRef
    wanted: bool
    """Monitored, or has a file."""
    aired_at: float | None
    """When it airs or aired; ``None``: not known, counts as not aired."""
    has_file: bool
    file_at: float | None = None
    """When the file was imported, if the service says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asked. ``id`` is the service's own user id when known; never an address."""

    name: str
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One normalised statement of a service about a title."""

    origin: Origin
    at: float
    """When the statement was valid; orders the words of one service."""
    happened_at: float
    """When it happened, as the service dates it."""
    title: TitleRef
    tier: Tier = Tier.UNKNOWN
    confirmed: bool = False
    """Read from the service's state, so it may move a part back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReport(Report):
    """The title is in the service, or no longer is."""

    held: bool
    seasons: tuple[int, ...] | None = None
    """Seasons that the service wants; ``None``: a film, or not known yet."""
    opens: bool = False
    """An addition: opens an arrival (of each wanted season) that does not exist yet."""
    files_deleted: bool = False
    """With ``held=False``: the files went, too."""
    premiere: Premiere | None = None
    """Of a film: when it comes out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodesReport(Report):
    """The whole episode list of one season."""

    season: int
    parts: tuple[PartState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReport(Report):
    """What happens to a download. It belongs to parts, perhaps of several seasons."""

    state: DownloadState
    parts: tuple[PartRef, ...] = ()
    """Empty: the film; or, with ``seasons``, whole seasons."""
    seasons: tuple[int, ...] = ()
    """Only where the episodes are not known (Seerr)."""
    download_id: str | None = None
    progress: float | None = None
    """0 to 1; ``None``: unknown."""
    eta: float | None = None
    problem: str | None = None
    """The service's own words."""
    word: str | None = None
    """The service's own word for the state of the download."""
    opens: bool = False
    """A grab: opens an arrival that does not exist yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport(Report):
    """A file was imported, is there, or is gone. Deletions for an upgrade are none."""

    present: bool
    parts: tuple[PartRef, ...] = ()
    download_id: str | None = None
    opens: bool = False
    """A first import (no upgrade): opens an arrival that does not exist yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayableReport(Report):
    """A media server (or Seerr on its behalf) can play it, or lists it as absent."""

    playable: bool
    parts: tuple[PartRef, ...] = ()
    """Empty: the film; or, with ``seasons``, whole seasons."""
    seasons: tuple[int, ...] = ()
    complete: bool = False
    """A media server's whole answer: ``parts`` is all that it has of ``seasons`` in this tier,
    so what is not named is absent. ``playable`` says whether it has anything of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport(Report):
    """Somebody watched it to the end, or took that back. No stage: who watched is beside it."""

    viewer: str
    """``plex:<account id>``, also from Tautulli, else ``<server id>:<user id>``; never a name.

    The user may be :data:`SOMEBODY`.
    """
    watched: bool
    parts: tuple[PartRef, ...] = ()
    """Empty: the film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReport(Report):
    """What a request service says about a request."""

    request_id: int
    decision: Decision
    seasons: tuple[int, ...] | None = None
    """``None``: a film, or not known yet."""
    initial: bool = False
    """Said when the request was made, so never newer than another decision."""
    requester: Person | None = None
    created_at: float | None = None


type AnyReport = (
    HeldReport
    | EpisodesReport
    | DownloadReport
    | FileReport
    | PlayableReport
    | RequestReport
    | WatchReport
)


class QuestionKind(StrEnum):
    """What must be read from a service."""

    TITLE = "title"
    """What it holds of a title: in the service, episode lists, files."""
    REQUEST = "request"
    """One request with tier, seasons, requester and decision."""
    DOWNLOAD = "download"
    """How a download that left the queue ended."""
    AVAILABILITY = "availability"
    """Whether a title can be played: nobody requested it there, or a media server has it."""
    ITEM = "item"
    """What a media server has under one of its own ids."""
    FACTS = "facts"
    """Name, year, overview and poster of a title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is left open and must be read from ``service``."""

    service: str
    kind: QuestionKind
    title: TitleRef | None = None
    seasons: tuple[int, ...] = ()
    """Seasons whose episode lists are wanted; one that is not there is answered empty."""
    request_id: int | None = None
    download_id: str | None = None
    item: str | None = None
    """A media server's id of a film, a season's or an episode's series, or an episode."""
    about: WatchReport | None = field(default=None, compare=False)
    """A report that lacks the title's ids: the answer to ``ITEM`` holds it completed."""
    opening: AnyReport | None = field(default=None, compare=False)
    """The report that waits: applied after what the service holds was entered silently."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal questions have equal keys; they are asked once."""
        subject = ""
        if self.request_id is not None:
            subject = str(self.request_id)
        elif self.download_id is not None:
            subject = self.download_id.casefold()
        elif self.item is not None:
            seasons = ",".join(map(str, self.seasons))
            subject = f"{self.item}:{seasons}"
            if self.about is not None:
                # Each episode of a season that is marked as watched is a question of its own.
                parts = ",".join(f"{p.season}x{p.number or p.air_date}" for p in self.about.parts)
                subject += f":{self.about.viewer}:{self.about.watched}:{parts}"
        elif self.title is not None:
            ids = [f"{space}:{value}" for space, value in self.title.ids.items()]
            # External ids overrule the service's own id, so it names only in their absence.
            subject = (
                self.title.media_type + ":" + (",".join(ids) if ids else f"own:{self.title.own_id}")
            )
        return (self.service, self.kind, subject)


# --- claims -------------------------------------------------------------------------


def _least(a: float | None, b: float | None) -> float | None:
    """Return the smaller of two numbers that may be unknown."""
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


def _most(a: float | None, b: float | None) -> float | None:
    """Return the larger of two numbers that may be unknown."""
    if a is None or b is None:
        return b if a is None else a
    return max(a, b)


@dataclass(frozen=True, slots=True)
class Flag:
    """A service's word on yes or no, with its dates; any order of words gives the same."""

    first_yes: float | None = None
    last_yes: float | None = None
    last_no: float | None = None
    happened_at: float | None = None
    """When the newest yes happened, as the service dates it."""

    @property
    def silent(self) -> bool:
        """Tell whether neither was ever said."""
        return self.first_yes is None and self.last_no is None

    @property
    def yes(self) -> bool:
        """Tell whether yes stands."""
        if self.last_yes is None:
            return False
        return self.last_no is None or self.last_yes > self.last_no

    @property
    def no(self) -> bool:
        """Tell whether no stands: said, and not taken back."""
        return self.last_no is not None and not self.yes

    @property
    def lost(self) -> bool:
        """Tell whether it was yes once and is no now."""
        return self.first_yes is not None and not self.yes

    @property
    def since(self) -> float | None:
        """Return when the standing yes was first said; losses in between do not count."""
        return self.first_yes if self.yes else None

    @property
    def turned(self) -> float:
        """Return the earliest time at which no can have turned into the standing yes."""
        if self.last_no is None:
            return float("-inf")
        return max(self.last_no, self.first_yes or self.last_no)

    def joined(self, other: Flag) -> Flag:
        """Return what both flags say together, in whichever order they were told."""
        newest = (
            other if (other.last_yes or float("-inf")) > (self.last_yes or float("-inf")) else self
        )
        return Flag(
            _least(self.first_yes, other.first_yes),
            newest.last_yes,
            _most(self.last_no, other.last_no),
            newest.happened_at,
        )

    def with_word(self, *, yes: bool, at: float, happened_at: float) -> Flag:
        """Return the flag with one more word of the same service."""
        if not yes:
            if self.last_no is not None and at <= self.last_no:
                return self
            return Flag(self.first_yes, self.last_yes, at, self.happened_at)
        first = at if self.first_yes is None or at < self.first_yes else self.first_yes
        if self.last_yes is not None and at <= self.last_yes:
            if first == self.first_yes:
                return self
            return Flag(first, self.last_yes, self.last_no, self.happened_at)
        return Flag(first, at, self.last_no, happened_at)


@dataclass(frozen=True, slots=True)
class DownloadClaim:
    """A service's newest word about the download of a part."""

    at: float
    happened_at: float
    state: DownloadState
    download_id: str | None = None
    progress: float | None = None
    eta: float | None = None
    problem: str | None = None
    word: str | None = None
    """The service's own word for the state."""
    moved_at: float | None = None
    """When progress or state changed last."""


SILENT: Final = Flag()
"""Nothing was said."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What one service says about a part: its newest word of each kind."""

    service: str
    own_id: int | None = None
    """Sonarr's episode id."""
    wanted: Flag = SILENT
    file: Flag = SILENT
    playable: Flag = SILENT
    download: DownloadClaim | None = None
    premiere: Premiere | None = None
    """Of a film: when it comes out."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The newest word on whether somebody watched a part to its end."""

    viewer: str
    watched: bool
    at: float
    service: str
    """Who said it first."""


@dataclass(frozen=True, slots=True)
class DecisionClaim:
    """A request service's newest word about a request."""

    at: float
    happened_at: float
    decision: Decision
    initial: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """A service's word that a title is in it; Seerr has one for each tier."""

    service: str
    tier: Tier
    flag: Flag = Flag()
    seasons: tuple[int, ...] | None = None
    """Seasons that the service wants; ``None``: a film, or not known."""
    seasons_at: float = 0.0


# --- what the board holds --------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A film or a series, with all that is said about it as a whole."""

    id: str
    media_type: MediaType
    ids: ExternalIds
    own_ids: Mapping[str, int]
    """Service id -> id inside that service."""
    holdings: tuple[Holding, ...] = ()
    """The words of services that the title is in them, one for each service and tier."""
    name: str | None = None
    year: int | None = None
    poster: str | None = None
    described: bool = False
    """An overview is known. It is long, nothing depends on it: only storage keeps it."""
    aliases: tuple[str, ...] = ()
    """Ids of titles that were merged into this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One episode of a season's arrival; or a film, or a season as a whole."""

    number: int | None = None
    air_date: str | None = None
    name: str | None = None
    aired_at: float | None = None
    claims: tuple[Claims, ...] = ()
    """One for each service that spoke, ordered by service."""
    stage: Stage | None = None
    watches: tuple[Watch, ...] = ()
    """One for each viewer."""

    def claims_of(self, service: str) -> Claims:
        """Return what a service says about the part."""
        for claims in self.claims:
            if claims.service == service:
                return claims
        return Claims(service)

    @property
    def key(self) -> str:
        """Name the part inside its arrival: ``e5``, ``d2026-05-01``, or ``*``."""
        if self.number is not None:
            return f"e{self.number}"
        return f"d{self.air_date}" if self.air_date is not None else "*"


type RequestKey = tuple[str, int]
"""Service id and request id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One journey: a film, or one season of a series, in one tier."""

    id: str
    title_id: str
    season: int | None
    tier: Tier
    opened_at: float
    journey: int = 1
    """Grows when `removed` or `declined` is left: the journey begins anew."""
    stage: Stage
    stage_at: float
    """When the stage was reached, as the service that told it dates it."""
    known_at: float
    whole: Part
    """The film itself, or what was said about the season as a whole."""
    parts: Mapping[str, Part]
    """Episodes by key; empty for a film."""
    listed_at: float | None = None
    """When the season's episode list was read; ``None``: it is not known."""
    misfit: bool = False
    """The service that holds the series has no such season: numbering differs (rule 10)."""
    requests: tuple[RequestKey, ...] = ()
    available: int = 0
    wanted: int = 0
    total: int = 0
    available_at: float | None = None
    coming: bool = False
    """The season is available, and one more episode is on the way."""
    problem: str | None = None
    """What a person has to look at, in the service's own words."""
    progress: float | None = None
    dismissed: bool = False
    """Silenced by the user until a new stage is reached."""
    followers: tuple[str, ...] = ()
    """Persons of the household who want to be told, beside who requested it."""
    hold: Hold | None = None
    """What it waits for, or what keeps it."""
    quiet: bool = False
    """It was entered silently, and has not moved since: nobody is told that it does not."""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asked for what, when, and the decision."""

    key: RequestKey
    title_id: str
    tier: Tier
    seasons: tuple[int, ...] | None
    decision: DecisionClaim
    requester: Person | None = None
    created_at: float | None = None
    arrivals: tuple[str, ...] = ()
    stage: Stage = Stage.REQUESTED
    told: bool = False
    """Told as available; it is told once."""

    @property
    def service(self) -> str:
        """Return the service in which it was made."""
        return self.key[0]

    @property
    def request_id(self) -> int:
        """Return its id inside that service."""
        return self.key[1]


# --- what the board answers -------------------------------------------------------------


class ChangeKind(StrEnum):
    """What a change is about."""

    STAGE = "stage"
    """An arrival reached another stage."""
    PART = "part"
    """An episode that came after its season was available reached another stage."""
    REQUEST = "request"
    """All that a request covers became available."""
    WATCHED = "watched"
    """Somebody watched a part to its end, or took that back."""
    DETAIL = "detail"
    """Anything else that is shown: progress, counts, names, problems, requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What applying a report changed."""

    kind: ChangeKind
    title: Title
    arrival: Arrival
    stage: Stage
    previous: Stage | None
    origin: Origin
    happened_at: float
    known_at: float
    silent: bool = False
    """A baseline, a merge or a rebuild: stored and shown, never told."""
    part: str | None = None
    """Key of the part, for :attr:`ChangeKind.PART`; of the first, if there are several."""
    parts: tuple[str, ...] = ()
    """Keys of all the parts that changed alike, for :attr:`ChangeKind.PART`."""
    request: Request | None = None
    watch: Watch | None = None
    """Who watched, for :attr:`ChangeKind.WATCHED`; ``part`` is ``None`` for a film."""

    @property
    def late(self) -> bool:
        """Tell whether we learnt of it long after it happened."""
        return self.known_at - self.happened_at > LATE_AFTER

    @property
    def told(self) -> bool:
        """Tell whether events and triggers speak of it."""
        return not self.silent and self.kind is not ChangeKind.DETAIL


class Outcome(StrEnum):
    """What became of a report or a delivery."""

    PROCESSED = "processed"
    IGNORED = "ignored"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a report or a delivery was ignored, or failed."""

    TEST = "test"
    FOREIGN_SERVER = "foreign_server"
    """Of another media server than the one that is set up: never applied."""
    UNKNOWN_SENDER = "unknown_sender"
    """At the address for all services: nothing that any of them sends."""
    NOT_SET_UP = "not_set_up"
    """At the address for all services: from a kind of service of which none is set up."""
    NO_SERVER_ID = "no_server_id"
    """At the address for all services: does not say which media server it is about."""
    UNAUTHORIZED = "unauthorized"
    """At the address for all services: without the secret of the service that it seems to be."""
    NOT_ALLOWED = "address_not_allowed"
    TOO_LARGE = "too_large"
    HINT = "hint"
    """Its sender can prove nothing: not believed, the service itself is asked."""
    OTHER_MEDIA = "other_media"
    """Music, photos, live television: neither a film nor a series."""
    SECOND_LOOK = "second_look"
    """A media server no longer lists it: that counts if it is still so half an hour later."""
    PRIVATE = "private"
    """The board is told to keep no watch data, or none of this user."""
    UNREADABLE = "unreadable"
    """Not what this service sends: no JSON, no object, no event name."""
    UNUSED_EVENT = "unused_event"
    """An event that says nothing about a journey (rename, health, issue ...)."""
    NO_IDS = "no_ids"
    NOT_TRACKED = "not_tracked"
    """A title that is not on the board, and a report that opens no arrival."""
    UPGRADE = "upgrade"
    """A better file of something that was there already."""
    NOT_HELD = "not_held"
    """Asked for the title that it spoke of, the service says that it does not hold it."""
    STALE = "stale"
    """Older than, or the same as, what the service said before."""
    UNKNOWN_TIER = "unknown_tier"
    """Touches no arrival until the tier was read from the service."""
    CONFLICT = "conflict"
    """The ids contradict each other: never guessed."""
    ASKED = "asked"
    """To be read from the service before it counts."""
    DUPLICATE = "duplicate"
    GIVEN_UP = "given_up"
    """The service did not answer the open question."""
    ERROR = "error"
    """A fault of ours; a poll will say the same again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The board's answer to a report. Titles, arrivals and requests are what to store."""

    outcome: Outcome
    reason: Reason | None = None
    """Why it was ignored or failed, or ``ASKED`` if all of it waits for a question."""
    changes: tuple[Change, ...] = ()
    questions: tuple[Question, ...] = ()
    titles: tuple[Title, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    requests: tuple[Request, ...] = ()
    overviews: Mapping[str, str] = field(default_factory=dict)
    """Title id -> overview, of titles that had none."""
    dropped_titles: tuple[str, ...] = ()
    """Ids that were merged into another title."""
    dropped_arrivals: tuple[str, ...] = ()
    dropped_requests: tuple[RequestKey, ...] = ()
