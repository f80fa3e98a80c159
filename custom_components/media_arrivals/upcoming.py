"""What comes: the calendars of the services, kept for a while and put together."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .engine.board.board import Board
from .engine.board.models import Arrival, MediaType, PartRef, TitleRef
from .engine.connectors.base import ServiceError
from .engine.connectors.releases import KnowsReleases, Release, ReleaseKind
from .runtime import BOARD_KEY, ServiceConfigEntry, service_entries
from .targets import client_of

KEPT: Final = 25 * 60.0
"""Seconds for which a month is not asked for again."""
PAUSE: Final = 5 * 60.0
"""Seconds for which a service that gave no answer is left alone."""
LONGEST: Final = timedelta(days=400)
"""More than this is never shown at once."""
LOOKS_BACK: Final = timedelta(days=31)
"""What is shown of the past where more is asked for than may be shown."""
_MONTHS: Final = 24
"""Months that are kept of each service."""
_DAY: Final = timedelta(days=1)
_MINUTES: Final = 30
_MOST_MINUTES: Final = 600
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)

type Month = int
"""Months since the year 0: they are counted with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A film that comes out on a day, or the episodes of a season that air on one."""

    key: str
    """The same whichever service tells it."""
    title: TitleRef
    kind: ReleaseKind
    start: date | datetime
    end: date | datetime
    season: int | None = None
    episodes: tuple[PartRef, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    """What the board has of it."""

    @property
    def begins(self) -> datetime:
        """Return when it begins where we live."""
        return _moment(self.start)

    @property
    def ends(self) -> datetime:
        """Return when it is over."""
        return _moment(self.end)


@dataclass(frozen=True, slots=True)
class _Page:
    """A month of a service's calendar."""

    releases: tuple[Release, ...]
    read_at: float


@dataclass(slots=True)
class _Shelf:
    """What is kept of a service's calendar."""

    pages: dict[Month, _Page] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rests_until: float = 0.0

    def stale(self, months: range, now: float) -> list[Month]:
        """Return the months that are not known, or not any more."""
        return [
            month
            for month in months
            if (page := self.pages.get(month)) is None or not 0 <= now - page.read_at < KEPT
        ]

    def fill(self, months: range, releases: Iterable[Release], now: float) -> None:
        """Keep what was read of some months, and let the oldest go."""
        found: dict[Month, list[Release]] = {month: [] for month in months}
        for release in releases:
            if (rows := found.get(_month(date.fromisoformat(release.day)))) is not None:
                rows.append(release)
        for month, rows in found.items():
            self.pages.pop(month, None)
            self.pages[month] = _Page(tuple(rows), now)
        for month in list(self.pages)[:-_MONTHS]:
            del self.pages[month]

    def expire(self) -> None:
        """Trust nothing any more, and keep it until there is better."""
        self.pages = {month: replace(page, read_at=0.0) for month, page in self.pages.items()}


class Upcoming:
    """The calendars of all services as one."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._shelves: dict[str, _Shelf] = {}

    async def async_read(self, start: datetime, end: datetime) -> None:
        """Read from every service what is not known yet; one that is down leaves the others."""
        months = _months(*_bounded(start, end))
        entries = [entry for entry in service_entries(self._hass) if not entry.disabled_by]
        known = {entry.entry_id for entry in entries}
        self._shelves = {key: shelf for key, shelf in self._shelves.items() if key in known}
        await asyncio.gather(*(self._async_read(entry, months) for entry in entries))

    async def _async_read(self, entry: ServiceConfigEntry, months: range) -> None:
        """Read what is not known of a service, in one call."""
        client = client_of(entry)
        if client is None or not isinstance(client, KnowsReleases):
            return
        coordinator = entry.runtime_data.coordinator
        shelf = self._shelves.setdefault(entry.entry_id, _Shelf())
        # Whoever asks for the same meanwhile finds the answer.
        async with shelf.lock:
            now = time.time()
            stale = shelf.stale(months, now)
            resting = now < shelf.rests_until or coordinator.resting
            if not stale or resting:
                return
            asked = range(stale[0], stale[-1] + 1)
            try:
                # Days are told by midnight somewhere.
                found = await client.releases(
                    (_begin(asked.start) - _DAY).timestamp(),
                    (_begin(asked.stop) + _DAY).timestamp(),
                )
            except ServiceError as err:
                # Its coordinator speaks of it; what was read before is still the best word.
                shelf.rests_until = now + max(PAUSE, err.retry_after or 0.0)
                return
            shelf.fill(asked, found, now)

    def expire(self) -> None:
        """Have everything read anew when somebody looks next: a title came."""
        for shelf in self._shelves.values():
            shelf.expire()

    def between(self, start: datetime, end: datetime) -> list[Happening]:
        """Return what happens between two moments, as far as it was read."""
        start, end = _bounded(start, end)
        months = _months(start, end)
        releases = (
            (service, release)
            for service, shelf in self._shelves.items()
            for month in months
            if (page := shelf.pages.get(month)) is not None
            for release in page.releases
        )
        found = _happenings(self._hass.data[BOARD_KEY].board, releases)
        return sorted(
            (one for one in found if one.begins < end and one.ends > start),
            key=lambda one: (one.begins, one.key),
        )


def _happenings(board: Board, releases: Iterable[tuple[str, Release]]) -> Iterator[Happening]:
    """Put together what is one thing, and leave out what nobody waits for."""
    groups: dict[str, list[Release]] = {}
    for service, release in releases:
        groups.setdefault(_key(service, release), []).append(release)
    for key, group in groups.items():
        first = group[0]
        season = None if first.part is None else first.part.season
        arrivals = _arrivals(board, first.title, season)
        if not any(arrival.requests for arrival in arrivals):
            group = [release for release in group if release.monitored]  # noqa: PLW2901
        if not group:
            continue
        start, end = _span(group)
        yield Happening(
            key=key,
            title=first.title,
            kind=first.kind,
            start=start,
            end=end,
            season=season,
            episodes=_episodes(group),
            arrivals=arrivals,
        )


def _key(service: str, release: Release) -> str:
    """Name what a release is part of, whichever service tells it."""
    title = release.title
    ids: Mapping[str, int | str] = dict(title.ids.items())
    spaces = ("tmdb", "imdb") if title.media_type is MediaType.MOVIE else ("tvdb", "tmdb", "imdb")
    name = next(
        (f"{space}-{ids[space]}" for space in spaces if space in ids), f"{service}-{title.own_id}"
    )
    if release.part is None:
        return f"{name}-{release.kind}"
    return f"{name}-{release.part.season}-{_local_day(release)}"


def _arrivals(board: Board, title: TitleRef, season: int | None) -> tuple[Arrival, ...]:
    """Return what the board has of a film or a season."""
    known = board.find(title.media_type, title.ids)
    if known is None:
        return ()
    return tuple(one for one in board.arrivals_of(known.id) if one.season == season)


def _span(group: list[Release]) -> tuple[date, date]:
    """Return when a group begins and ends: moments, or whole days."""
    moments = [
        (dt_util.utc_from_timestamp(one.at), min(one.minutes or _MINUTES, _MOST_MINUTES))
        for one in group
        if one.at is not None
    ]
    if not moments:
        day = date.fromisoformat(group[0].day)
        return day, day + _DAY
    return (
        dt_util.as_local(min(at for at, _ in moments)),
        dt_util.as_local(max(at + timedelta(minutes=minutes) for at, minutes in moments)),
    )


def _episodes(group: Iterable[Release]) -> tuple[PartRef, ...]:
    """Return the episodes of a group in their order, each once."""
    parts: dict[int | str, PartRef] = {}
    for release in group:
        if (part := release.part) is not None:
            name = part.number if part.number is not None else part.air_date or f"own-{part.own_id}"
            parts.setdefault(name, part)
    return tuple(sorted(parts.values(), key=lambda part: (part.number is None, part.number or 0)))


def _local_day(release: Release) -> date:
    """Return the day of an episode where we live."""
    if release.at is None:
        return date.fromisoformat(release.day)
    return dt_util.as_local(dt_util.utc_from_timestamp(release.at)).date()


def _moment(value: date) -> datetime:
    """Return when a day begins, or the moment itself."""
    return value if isinstance(value, datetime) else dt_util.start_of_local_day(value)


def _bounded(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return as much of a span as is shown: around now, if that is in it."""
    start, end = max(start, _FIRST), min(end, _LAST)
    if end - start > LONGEST:
        start = max(start, min(dt_util.utcnow() - LOOKS_BACK, end - LONGEST))
        end = start + LONGEST
    return start, end


def _months(start: datetime, end: datetime) -> range:
    """Return the months of a span, with those that it reaches in other time zones."""
    first, last = (start - _DAY).astimezone(UTC), (end + _DAY).astimezone(UTC)
    return range(_month(first), _month(last) + 1)


def _month(day: date) -> Month:
    return day.year * 12 + day.month - 1


def _begin(month: Month) -> datetime:
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
