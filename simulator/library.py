"""What exists in the simulated world: films and series with ids, dates and episodes."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_WORDS = _words(
    """
    Amber Brass Cedar Copper Crimson Distant Drowned Eastern Emerald Faded Fallow Feral Frozen
    Gentle Gilded Glass Golden Harbour Hidden Hollow Humble Iron Ivory Lantern Lonely Lunar
    Marble Midnight Northern Opal Pale Paper Patient Quiet Restless Rusty Salt Scarlet Second
    Silent Silver Sleeping Solar Southern Stolen Thirsty Tidal Velvet Violet Wandering Western
    Winter Wooden
    """
)
LAST_WORDS = _words(
    """
    Almanac Anchor Apprentice Archive Atlas Bakery Balloon Bridge Cartographer Clockmaker
    Compass Comet Corridor Court Detour Diary Ferry Festival Garden Harvest Horizon Inheritance
    Island Juror Kite Ledger Letter Lighthouse Locksmith Meridian Mill Mirror Observatory
    Orchard Orchestra Passenger Pilgrim Postman Quarry Railway Reef Regatta Season Signal
    Sparrow Station Stowaway Tailor Telegram Tide Tower Understudy Voyage Waltz Weather Witness
    """
)
GENRES = ("Adventure", "Comedy", "Crime", "Drama", "Family", "Mystery", "Science Fiction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One film as the metadata services know it."""

    tmdb_id: int
    title: str
    year: int
    imdb_id: str | None = None
    overview: str | None = None
    poster: str | None = None
    genres: tuple[str, ...] = ("Drama",)
    runtime: int = 104
    released: date | None = None
    in_cinemas: date | None = None
    on_disc: date | None = None
    exists_digitally: bool = True

    @property
    def release_date(self) -> date:
        """The day of the release that Radarr waits for."""
        return self.released or date(self.year or 2000, 3, 14)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowEpisode:
    """One episode as the metadata services know it."""

    tvdb_id: int
    season: int
    number: int
    title: str
    aired: datetime | None


@dataclass(slots=True, kw_only=True)
class Show:
    """One series as the metadata services know it."""

    tvdb_id: int
    title: str
    year: int
    tmdb_id: int = 0
    imdb_id: str | None = None
    tvmaze_id: int = 0
    overview: str | None = None
    poster: str | None = None
    type: str = "standard"
    genres: tuple[str, ...] = ("Drama",)
    network: str = "Harbour TV"
    runtime: int = 47
    ended: bool = False
    episodes: list[ShowEpisode] = field(default_factory=list)

    @property
    def seasons(self) -> list[int]:
        """The numbers of the seasons that have episodes."""
        return sorted({episode.season for episode in self.episodes})


def season_of(
    tvdb_id: int,
    season: int,
    *,
    episodes: int,
    first: datetime,
    every: timedelta = timedelta(days=7),
) -> list[ShowEpisode]:
    """Make one season; a weekly one unless told otherwise."""
    return [
        ShowEpisode(
            tvdb_id=tvdb_id * 1000 + season * 100 + number,
            season=season,
            number=number,
            title=f"{LAST_WORDS[(tvdb_id + season * 7 + number * 3) % len(LAST_WORDS)]}",
            aired=first + every * (number - 1),
        )
        for number in range(1, episodes + 1)
    ]


class Catalogue:
    """The world's metadata, shared by every service of one stack."""

    def __init__(self) -> None:
        """Begin with an empty world."""
        self.films: dict[int, Film] = {}
        self.shows: dict[int, Show] = {}
        self.shows_by_tmdb: dict[int, Show] = {}
        self._next_film = 290_001
        self._next_show = 290_001

    def film(self, title: str | None = None, year: int | None = None, **known: object) -> Film:
        """Add a film; what is not given is invented."""
        number = self._next_film
        self._next_film += 1
        tmdb_id = int(str(known.pop("tmdb_id", number)))
        values: dict[str, object] = {
            "tmdb_id": tmdb_id,
            "title": title or invented_title(tmdb_id),
            "year": 1990 + number % 36 if year is None else year,
            "imdb_id": f"tt{20_000_000 + number}",
            "overview": f"Nobody expected the {LAST_WORDS[number % len(LAST_WORDS)].lower()}.",
            "poster": f"/sim{number:07d}film.jpg",
            "genres": (GENRES[number % len(GENRES)],),
        }
        film = Film(**{**values, **known})  # type: ignore[arg-type]
        self.films[film.tmdb_id] = film
        return film

    def show(
        self,
        title: str | None = None,
        year: int | None = None,
        *,
        seasons: dict[int, int] | None = None,
        first_aired: datetime | None = None,
        every: timedelta = timedelta(days=7),
        **known: object,
    ) -> Show:
        """Add a series with episodes per season; the last season begins at ``first_aired``."""
        number = self._next_show
        self._next_show += 1
        tvdb_id = int(str(known.pop("tvdb_id", 180_000 + number)))
        counts = {1: 10} if seasons is None else seasons
        begun = first_aired or datetime(2000 + number % 25, 9, 3, 20, 0, tzinfo=UTC)
        last = max(counts, default=0)
        episodes = [
            episode
            for season, count in sorted(counts.items())
            for episode in season_of(
                tvdb_id,
                season,
                episodes=count,
                first=begun - timedelta(days=364) * (last - season),
                every=every,
            )
        ]
        values: dict[str, object] = {
            "tvdb_id": tvdb_id,
            # Film ids and series ids are separate spaces, and here they do collide.
            "tmdb_id": number,
            "tvmaze_id": number % 80_000,
            "imdb_id": f"tt{30_000_000 + number}",
            "title": title or f"The {invented_title(tvdb_id + 1531)}",
            "year": (begun - timedelta(days=364) * max(last - 1, 0)).year if year is None else year,
            "overview": f"A {GENRES[number % len(GENRES)].lower()} in several parts.",
            "poster": f"/sim{number:07d}show.jpg",
            "genres": (GENRES[number % len(GENRES)],),
            "episodes": episodes,
        }
        show = Show(**{**values, **known})  # type: ignore[arg-type]
        self.shows[show.tvdb_id] = show
        if show.tmdb_id:
            self.shows_by_tmdb[show.tmdb_id] = show
        return show


def invented_title(number: int) -> str:
    """Make a title that no film carries, the same for the same number."""
    # Strides that share no factor with the lengths: every pair comes before one comes again.
    first = FIRST_WORDS[number * 19 % len(FIRST_WORDS)]
    last = LAST_WORDS[number * 5 % len(LAST_WORDS)]
    return f"{first} {last}"


def release_name(title: str, suffix: str, group: str = "SIMUL") -> str:
    """Name a release as indexers do."""
    words = "".join(letter if letter.isalnum() else " " for letter in title).split()
    return f"{'.'.join(words)}.{suffix}-{group}"


def hex_id(seed: random.Random) -> str:
    """Make a torrent's info-hash, in upper case as the services report it."""
    return f"{seed.getrandbits(160):040X}"
