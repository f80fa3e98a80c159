"""A household in words: short ways to say what its services report."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from custom_components.media_arrivals.engine.board.board import Board
from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Applied,
    Arrival,
    Change,
    ChangeKind,
    Decision,
    DownloadReport,
    DownloadState,
    EpisodesReport,
    ExternalIds,
    FileReport,
    HeldReport,
    MediaType,
    Origin,
    Outcome,
    PartRef,
    PartState,
    Person,
    PlayableReport,
    RequestReport,
    Role,
    Service,
    Stage,
    Tier,
    TitleRef,
    Via,
    WatchReport,
)

DAY = 86_400.0
NOON = 1_780_000_000.0
"""A fixed moment; tests count from here."""

RADARR = Service(
    id="radarr", kind="radarr", role=Role.DOWNLOADS, tier=Tier.HD, media_type=MediaType.MOVIE
)
RADARR_4K = Service(
    id="radarr4k", kind="radarr", role=Role.DOWNLOADS, tier=Tier.UHD, media_type=MediaType.MOVIE
)
SONARR = Service(
    id="sonarr", kind="sonarr", role=Role.DOWNLOADS, tier=Tier.HD, media_type=MediaType.SERIES
)
SEERR = Service(id="seerr", kind="seerr", role=Role.REQUESTS)
PLEX = Service(id="plex", kind="plex", role=Role.PLAYBACK)

ANNA = "plex:11"
BEN = "plex:22"
"""Who watches."""

FILM = TitleRef(
    media_type=MediaType.MOVIE,
    ids=ExternalIds(tmdb=9001, imdb="tt0009001"),
    own_id=7,
    name="The Glass Harbour",
    year=2024,
)
SHOW = TitleRef(
    media_type=MediaType.SERIES,
    ids=ExternalIds(tmdb=4002, tvdb=70_002),
    own_id=3,
    name="Lanterns",
    year=2023,
)


def origin(service: Service, via: Via = Via.WEBHOOK) -> Origin:
    """Return who says a thing."""
    return Origin(service=service.id, kind=service.kind, role=service.role, via=via)


def held(
    service: Service,
    title: TitleRef,
    at: float,
    *,
    yes: bool = True,
    seasons: tuple[int, ...] | None = None,
    opens: bool = False,
    confirmed: bool = True,
    tier: Tier | None = None,
) -> HeldReport:
    """Say that a title is in a service, or is not."""
    return HeldReport(
        origin=origin(service),
        at=NOON + at,
        happened_at=NOON + at,
        title=title,
        tier=tier or service.tier or Tier.UNKNOWN,
        held=yes,
        seasons=seasons,
        opens=opens,
        confirmed=confirmed,
    )


def download(
    service: Service,
    title: TitleRef,
    at: float,
    state: DownloadState = DownloadState.DOWNLOADING,
    *,
    parts: tuple[PartRef, ...] = (),
    seasons: tuple[int, ...] = (),
    download_id: str | None = "ABC",
    progress: float | None = None,
    problem: str | None = None,
    opens: bool | None = None,
    tier: Tier | None = None,
) -> DownloadReport:
    """Say what happens to a download."""
    return DownloadReport(
        origin=origin(service),
        at=NOON + at,
        happened_at=NOON + at,
        title=title,
        tier=tier or service.tier or Tier.UNKNOWN,
        state=state,
        parts=parts,
        seasons=seasons,
        download_id=download_id,
        progress=progress,
        problem=problem,
        opens=state is DownloadState.DOWNLOADING if opens is None else opens,
    )


def file(
    service: Service,
    title: TitleRef,
    at: float,
    *,
    present: bool = True,
    parts: tuple[PartRef, ...] = (),
    opens: bool | None = None,
    confirmed: bool = False,
) -> FileReport:
    """Say that a file was imported, or is gone."""
    return FileReport(
        origin=origin(service),
        at=NOON + at,
        happened_at=NOON + at,
        title=title,
        tier=service.tier or Tier.UNKNOWN,
        present=present,
        parts=parts,
        opens=present if opens is None else opens,
        confirmed=confirmed,
    )


def playable(
    service: Service,
    title: TitleRef,
    at: float,
    *,
    yes: bool = True,
    parts: tuple[PartRef, ...] = (),
    seasons: tuple[int, ...] = (),
    tier: Tier = Tier.HD,
) -> PlayableReport:
    """Say that something can be played."""
    return PlayableReport(
        origin=origin(service),
        at=NOON + at,
        happened_at=NOON + at,
        title=title,
        tier=tier,
        playable=yes,
        parts=parts,
        seasons=seasons,
        confirmed=True,
    )


def request(
    title: TitleRef,
    at: float,
    decision: Decision = Decision.PENDING,
    *,
    number: int = 1,
    seasons: tuple[int, ...] | None = None,
    tier: Tier = Tier.HD,
    initial: bool = False,
    confirmed: bool = True,
    who: str = "Mia",
    service: Service = SEERR,
) -> RequestReport:
    """Say what Seerr says of a request."""
    return RequestReport(
        origin=origin(service),
        at=NOON + at,
        happened_at=NOON + at,
        title=title,
        tier=tier,
        request_id=number,
        decision=decision,
        seasons=seasons,
        initial=initial,
        requester=Person(name=who),
        created_at=NOON,
        confirmed=confirmed,
    )


def watched(
    title: TitleRef, at: float, viewer: str = ANNA, *numbers: int, yes: bool = True
) -> WatchReport:
    """Say who watched what."""
    return WatchReport(
        origin=origin(PLEX),
        at=NOON + at,
        happened_at=NOON + at,
        title=replace(title, own_id=None),
        viewer=viewer,
        watched=yes,
        parts=tuple(PartRef(season=1, number=number) for number in numbers),
    )


def episode(number: int, season: int = 1) -> PartRef:
    """Name an episode."""
    return PartRef(season=season, number=number, own_id=season * 100 + number)


def episodes(
    at: float,
    total: int,
    *,
    season: int = 1,
    aired: int | None = None,
    files: frozenset[int] = frozenset(),
    wanted: frozenset[int] | None = None,
    title: TitleRef = SHOW,
    weekly_from: float = -100 * DAY,
    service: Service = SONARR,
) -> EpisodesReport:
    """List a season: `aired` episodes long ago, the rest later."""
    lines = tuple(
        PartState(
            ref=episode(number, season),
            wanted=wanted is None or number in wanted,
            aired_at=NOON + weekly_from + number
            if aired is None or number <= aired
            else NOON + 7 * DAY * (number - aired),
            has_file=number in files,
        )
        for number in range(1, total + 1)
    )
    return EpisodesReport(
        origin=origin(service, Via.POLL),
        at=NOON + at,
        happened_at=NOON + at,
        title=title,
        tier=service.tier or Tier.UNKNOWN,
        confirmed=True,
        season=season,
        parts=lines,
    )


def in_one(pieces: Iterable[Applied]) -> Applied:
    """Take all that the board does a piece at a time, and return it as one answer."""
    answers = list(pieces)
    return Applied(
        outcome=Outcome.PROCESSED,
        changes=tuple(one for answer in answers for one in answer.changes),
        titles=tuple(one for answer in answers for one in answer.titles),
        arrivals=tuple(one for answer in answers for one in answer.arrivals),
        requests=tuple(one for answer in answers for one in answer.requests),
        dropped_requests=tuple(one for answer in answers for one in answer.dropped_requests),
    )


@dataclass
class House:
    """A board with services, that remembers what it told."""

    services: tuple[Service, ...]
    now: float = NOON + 1000
    board: Board = field(init=False)
    told: list[Change] = field(default_factory=list)
    answers: list[Applied] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the board."""
        numbers = count(1)
        self.board = Board(lambda: f"id{next(numbers)}")
        self.board.know(self.services)

    def hear(self, *reports: AnyReport, silent: bool = False) -> Applied:
        """Apply reports; return the answer to the last one."""
        for report in reports:
            applied = self.board.apply(report, now=self.now, silent=silent)
            self._keep(applied)
        return self.answers[-1]

    def open(self, opening: AnyReport, *answers: AnyReport) -> Applied:
        """Answer a question that a report waits for."""
        self._keep(self.board.open(opening, answers, now=self.now))
        return self.answers[-1]

    def _keep(self, applied: Applied) -> None:
        self.answers.append(applied)
        self.told.extend(change for change in applied.changes if change.told)

    @property
    def stages(self) -> list[Stage]:
        """Return the stages told, in order."""
        return [change.stage for change in self.told if change.kind is ChangeKind.STAGE]

    def arrival(
        self, title: TitleRef = FILM, season: int | None = None, tier: Tier = Tier.HD
    ) -> Arrival:
        """Return the arrival of a title."""
        found = self.board.find(title.media_type, title.ids)
        assert found is not None
        (arrival,) = [
            one
            for one in self.board.arrivals_of(found.id)
            if one.season == season and one.tier is tier
        ]
        return arrival

    def stage(
        self, title: TitleRef = FILM, season: int | None = None, tier: Tier = Tier.HD
    ) -> Stage:
        """Return the stage of a title's arrival."""
        return self.arrival(title, season, tier).stage
