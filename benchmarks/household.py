"""What Radarr, Sonarr and Seerr say of a large library, as reports with invented titles."""

import random
from dataclasses import dataclass, replace
from typing import Final, TypedDict

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Decision,
    DownloadReport,
    DownloadState,
    EpisodesReport,
    ExternalIds,
    FileReport,
    HeldReport,
    MediaType,
    Origin,
    PartRef,
    PartState,
    Person,
    PlayableReport,
    RequestReport,
    Role,
    Service,
    Tier,
    TitleRef,
    Via,
)

RADARR: Final = Service(
    id="bench_radarr", kind="radarr", role=Role.DOWNLOADS, tier=Tier.HD, media_type=MediaType.MOVIE
)
SONARR: Final = Service(
    id="bench_sonarr", kind="sonarr", role=Role.DOWNLOADS, tier=Tier.HD, media_type=MediaType.SERIES
)
SEERR: Final = Service(id="bench_seerr", kind="seerr", role=Role.REQUESTS)
SERVICES: Final = (RADARR, SONARR, SEERR)
PLEX: Final = Service(id="bench_plex", kind="plex", role=Role.PLAYBACK)
JELLYFIN: Final = Service(id="bench_jellyfin", kind="jellyfin", role=Role.PLAYBACK)
EMBY: Final = Service(id="bench_emby", kind="emby", role=Role.PLAYBACK)
TAUTULLI: Final = Service(id="bench_tautulli", kind="tautulli", role=Role.WATCHING)

DAY: Final = 86_400.0
FIRST_FILM: Final = 2_000_000
"""Ids of films begin here, those of series below: a simulated library's are other ones."""
FIRST_SERIES: Final = 1_500_000
EPISODES: Final = 10
OVERVIEW: Final = 300
"""Characters."""

_WORDS: Final = """
    amber anchor archive balloon bakery bridge cartographer clockmaker copper corridor distant
    ferry gilded harbour hollow juror lantern lighthouse locksmith meridian midnight mirror
    observatory orchard paper passenger quarry quiet railway regatta salt season silver
    sparrow stowaway tailor telegram tide velvet voyage weather winter witness wooden
"""


@dataclass(frozen=True, slots=True)
class Told:
    """Texts about a title."""

    name: str
    overview: str
    poster: str


def texts(number: int) -> Told:
    """Invent the texts of a title, the same for the same number, each a string of its own."""
    rng, words = random.Random(number), _WORDS.split()
    name = " ".join(word.capitalize() for word in rng.sample(words, 3))
    overview = f"{name}: " + " ".join(rng.choices(words, k=60))
    poster = "".join(rng.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=27))
    return Told(
        name=name,
        overview=overview[: OVERVIEW - 1] + ".",
        poster=f"https://image.tmdb.org/t/p/original/{poster}.jpg",
    )


def film(number: int) -> TitleRef:
    """Return the film with this number."""
    told = texts(number)
    return TitleRef(
        media_type=MediaType.MOVIE,
        ids=ExternalIds(tmdb=FIRST_FILM + number, imdb=f"tt{FIRST_FILM + number:08d}"),
        own_id=FIRST_FILM + number,
        name=told.name,
        year=1950 + number % 75,
        overview=told.overview,
        poster=told.poster,
    )


def series(number: int) -> TitleRef:
    """Return the series with this number."""
    told = texts(-number - 1)
    return TitleRef(
        media_type=MediaType.SERIES,
        ids=ExternalIds(tmdb=FIRST_SERIES + number, tvdb=FIRST_SERIES + number),
        own_id=FIRST_SERIES + number,
        name=told.name,
        year=1970 + number % 55,
        overview=told.overview,
        poster=told.poster,
    )


def _by_ids(title: TitleRef) -> TitleRef:
    """Return a title as Seerr names it, which has no number of its own for it."""
    return replace(title, own_id=None)


class _Dated(TypedDict):
    at: float
    happened_at: float


def _dated(at: float) -> _Dated:
    """Date a report as a delivery is: both dates are the moment at which it came."""
    return {"at": at, "happened_at": at}


def _origin(service: Service) -> Origin:
    return Origin(service=service.id, kind=service.kind, role=service.role, via=Via.WEBHOOK)


@dataclass(frozen=True, slots=True)
class FilmStory:
    """What is said of a film, from the request until it can be played."""

    number: int
    title: TitleRef
    began: float

    @classmethod
    def of(cls, number: int, began: float) -> FilmStory:
        """Invent it."""
        return cls(number, film(number), began)

    def asked(self) -> tuple[AnyReport, ...]:
        """Say that it was requested, approved and handed over."""
        return (
            self._request(0, Decision.PENDING),
            self._request(60, Decision.APPROVED),
            self.held(61),
        )

    def held(self, at: float = 0) -> HeldReport:
        """Say that it was added to Radarr."""
        return HeldReport(
            origin=_origin(RADARR),
            **_dated(self.began + at),
            title=self.title,
            tier=Tier.HD,
            held=True,
            opens=True,
        )

    def come(self) -> tuple[AnyReport, ...]:
        """Say that it was grabbed, half loaded, loaded, imported, and can be played."""
        file = FileReport(
            origin=_origin(RADARR),
            **_dated(self.began + 1900),
            title=self.title,
            tier=Tier.HD,
            present=True,
            download_id=self._download_id,
            opens=True,
        )
        playable = PlayableReport(
            origin=_origin(SEERR),
            **_dated(self.began + 2000),
            title=_by_ids(self.title),
            tier=Tier.HD,
            playable=True,
        )
        return (
            self._download(100, DownloadState.DOWNLOADING, 0.0),
            self._download(900, DownloadState.DOWNLOADING, 0.5),
            self._download(1800, DownloadState.COMPLETE, 1.0),
            file,
            self._download(1900, DownloadState.IMPORTED, 1.0),
            playable,
        )

    @property
    def _download_id(self) -> str:
        return f"{self.number:040X}"

    def _request(self, at: float, decision: Decision) -> RequestReport:
        return RequestReport(
            origin=_origin(SEERR),
            **_dated(self.began + at),
            title=_by_ids(self.title),
            tier=Tier.HD,
            request_id=FIRST_FILM + self.number,
            decision=decision,
            initial=decision is Decision.PENDING,
            requester=Person(name=f"Guest {self.number % 12}", id=self.number % 12),
            created_at=self.began,
        )

    def _download(self, at: float, state: DownloadState, progress: float) -> DownloadReport:
        return DownloadReport(
            origin=_origin(RADARR),
            **_dated(self.began + at),
            title=self.title,
            tier=Tier.HD,
            state=state,
            download_id=self._download_id,
            progress=progress,
            opens=state is DownloadState.DOWNLOADING,
        )


@dataclass(frozen=True, slots=True)
class SeasonStory:
    """What is said of a season that comes as one pack."""

    number: int
    """Of the series."""
    season: int
    title: TitleRef
    began: float

    @classmethod
    def of(cls, number: int, season: int, began: float) -> SeasonStory:
        """Invent it."""
        return cls(number, season, series(number), began)

    @property
    def _parts(self) -> tuple[PartRef, ...]:
        first = (FIRST_SERIES + self.number) * 1000 + self.season * 100
        return tuple(
            PartRef(
                season=self.season,
                number=number,
                own_id=first + number,
                name=f"Chapter {number}",
            )
            for number in range(1, EPISODES + 1)
        )

    def asked(self) -> tuple[AnyReport, ...]:
        """Say that Sonarr was told to have it, and which episodes it has."""
        held = HeldReport(
            origin=_origin(SONARR),
            **_dated(self.began),
            title=self.title,
            tier=Tier.HD,
            held=True,
            seasons=(self.season,),
            opens=True,
        )
        episodes = EpisodesReport(
            origin=_origin(SONARR),
            **_dated(self.began + 1),
            title=self.title,
            tier=Tier.HD,
            confirmed=True,
            season=self.season,
            parts=tuple(
                PartState(ref=part, wanted=True, aired_at=self.began - 400 * DAY, has_file=False)
                for part in self._parts
            ),
        )
        return (held, episodes)

    def come(self) -> tuple[AnyReport, ...]:
        """Say that the pack was grabbed and imported, and the season can be played."""
        download_id = f"{self.number:030X}{self.season:010X}"
        grab = DownloadReport(
            origin=_origin(SONARR),
            **_dated(self.began + 100),
            title=self.title,
            tier=Tier.HD,
            state=DownloadState.DOWNLOADING,
            parts=self._parts,
            download_id=download_id,
            opens=True,
        )
        files = FileReport(
            origin=_origin(SONARR),
            **_dated(self.began + 1900),
            title=self.title,
            tier=Tier.HD,
            present=True,
            parts=self._parts,
            download_id=download_id,
        )
        playable = PlayableReport(
            origin=_origin(SEERR),
            **_dated(self.began + 2000),
            title=_by_ids(self.title),
            tier=Tier.HD,
            playable=True,
            seasons=(self.season,),
        )
        ended = replace(
            grab, at=files.at, happened_at=files.at, state=DownloadState.IMPORTED, opens=False
        )
        return (grab, files, ended, playable)


type Story = FilmStory | SeasonStory


def story(number: int, began: float) -> Story:
    """Invent one of a library's stories: of five four are films, one is a season of a series."""
    if number % 5 == 4:
        season = number // 5
        return SeasonStory.of(season // 4, season % 4 + 1, began)
    return FilmStory.of(number, began)
