"""What Jellyfin and Emby say about items: ids, numbers, versions -> reports. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ...board.models import (
    ExternalIds,
    MediaType,
    Origin,
    PartRef,
    PlayableReport,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import Json

DAY: Final = 86_400.0
FILM: Final = "movie"
EPISODE: Final = "episode"
SEASON: Final = "season"
SERIES: Final = "series"
MEDIA_TYPES: Final[Mapping[str, MediaType]] = {
    FILM: MediaType.MOVIE,
    EPISODE: MediaType.SERIES,
    SEASON: MediaType.SERIES,
    SERIES: MediaType.SERIES,
}

_ID: Final = re.compile(r"[0-9a-z]{1,64}")
_ESCAPED_QUOTE: Final = re.compile(r'\\+"')
_MAX_IN_ONE_FILE: Final = 50
"""Episodes that a single file is believed to hold."""
_WIDE: Final = 3000
_TALL: Final = 2000
"""Films are cut to their shape, so 2160p has as little as 1600 lines, and old ones few columns."""
_TOLD_LATE: Final = 7 * DAY
"""A date of adding may be the date of the file, which says nothing if it is old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Where an episode stands in its series, as far as that is known."""

    season: int | None = None
    first: int | None = None
    last: int | None = None
    """Of a file with several episodes."""
    air_date: str | None = None

    @property
    def parts(self) -> tuple[PartRef, ...]:
        """The episodes; an air date stands in for a missing number."""
        if self.season is None:
            return ()
        if self.first is None:
            if self.air_date is None:
                return ()
            return (PartRef(season=self.season, air_date=self.air_date),)
        last = self.first if self.last is None else self.last
        if not 0 <= last - self.first < _MAX_IN_ONE_FILE:
            last = self.first
        return tuple(
            PartRef(season=self.season, number=number) for number in range(self.first, last + 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A film, a series, a season or an episode of a media server."""

    id: str
    kind: str
    ids: ExternalIds
    """Its own: those of an episode are not those of its series."""
    name: str | None
    year: int | None
    series: str | None
    series_name: str | None
    numbers: Numbers
    added_at: float | None
    """By the server's clock; perhaps the date of the file."""
    tiers: frozenset[Tier]
    """One for each version that there is a file of."""
    watched_at: float | None

    @property
    def media_type(self) -> MediaType:
        """What its title is."""
        return MEDIA_TYPES[self.kind]

    @property
    def title(self) -> TitleRef:
        """The film or the series; an episode's and a season's ids are not those of the series."""
        if self.kind in {FILM, SERIES}:
            return TitleRef(
                media_type=self.media_type, ids=self.ids, name=self.name, year=self.year
            )
        return TitleRef(media_type=MediaType.SERIES, name=self.series_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in."""

    id: str
    name: str
    administrator: bool
    sees_all: bool
    """No library is hidden."""


# --- plain values --------------------------------------------------------------------------


def item_id(value: Json) -> str | None:
    """Read an id of an item, a user or a server: dashes and case do not count."""
    found = (payload.opaque_id(value) or "").replace("-", "").casefold()
    return found if _ID.fullmatch(found) and found.strip("0") else None


def kind_of(value: Json) -> str:
    """Read what an item is."""
    return payload.word(value)


def title_text(value: Json) -> str | None:
    """Read a name; Jellyfin escapes quotes in names before it writes JSON, which escapes again."""
    if not isinstance(value, str):
        return None
    return payload.prose(_ESCAPED_QUOTE.sub('"', value[: payload.MAX_TEXT]))


def date_text(value: Json) -> str | None:
    """Keep a date and time as it is written, if it is one."""
    return None if payload.moment(value) is None else payload.text(value, 40)


def provider_ids(media_type: MediaType, value: Json) -> ExternalIds:
    """Read external ids, whose names come in any case."""
    named = {key.casefold(): one for key, one in payload.mapping(value).items()}
    # TheTVDB's numbers of films are another space than those of series.
    tvdb = named.get("tvdb") if media_type is MediaType.SERIES else None
    return payload.external_ids(tmdb=named.get("tmdb"), tvdb=tvdb, imdb=named.get("imdb"))


def air_date(value: Json) -> str | None:
    """Read a day that is written as the moment in UTC at which it began at the server's place."""
    found = payload.moment(value)
    if found is None:
        return None
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=found, hours=12)
    return moment.date().isoformat()


def origin_of(service: Service, via: Via) -> Origin:
    """Return who says what a service says."""
    return Origin(service=service.id, kind=service.kind, role=service.role, via=via)


# --- items -----------------------------------------------------------------------------------


def read_items(body: Json) -> tuple[Item, ...]:
    """Read the films, series, seasons and episodes of a list, or of a page of one."""
    page = payload.mapping(body)
    rows = payload.rows(page.get("Items") if "Items" in page else body)
    return tuple(item for row in rows if (item := read_item(row)) is not None)


def read_item(row: payload.Object) -> Item | None:
    """Read an item; music, photos and the like are none of ours."""
    kind = kind_of(row.get("Type"))
    found = item_id(row.get("Id"))
    if found is None or kind not in MEDIA_TYPES:
        return None
    season = row.get("IndexNumber") if kind == SEASON else row.get("ParentIndexNumber")
    episode = kind == EPISODE
    user_data = payload.mapping(row.get("UserData"))
    watched = payload.boolean(user_data.get("Played")) is True
    return Item(
        id=found,
        kind=kind,
        ids=provider_ids(MEDIA_TYPES[kind], row.get("ProviderIds")),
        name=title_text(row.get("Name")),
        year=payload.year(row.get("ProductionYear")),
        series=item_id(row.get("SeriesId")),
        series_name=title_text(row.get("SeriesName")),
        numbers=Numbers(
            season=payload.counting(season),
            first=payload.counting(row.get("IndexNumber")) if episode else None,
            last=payload.counting(row.get("IndexNumberEnd")) if episode else None,
            air_date=air_date(row.get("PremiereDate")),
        ),
        added_at=payload.moment(row.get("DateCreated")),
        tiers=_tiers(row),
        watched_at=payload.moment(user_data.get("LastPlayedDate")) if watched else None,
    )


def read_users(body: Json) -> tuple[User, ...]:
    """Read the users who are not locked."""
    policies = [
        (item_id(row.get("Id")), row, payload.mapping(row.get("Policy")))
        for row in payload.rows(body)
    ]
    return tuple(
        User(
            id=number,
            name=payload.text(row.get("Name"), 64) or number,
            administrator=payload.boolean(policy.get("IsAdministrator")) is True,
            sees_all=payload.boolean(policy.get("EnableAllFolders")) is True,
        )
        for number, row, policy in policies
        if number is not None and payload.boolean(policy.get("IsDisabled")) is not True
    )


def _tiers(row: payload.Object) -> frozenset[Tier]:
    """Say in which tiers there is a file; a missing episode is an item without one."""
    if payload.word(row.get("LocationType")) == "virtual":
        return frozenset()
    versions = [_tier(_video(source)) for source in payload.rows(row.get("MediaSources"))]
    return frozenset(versions or [_tier(row)])


def _video(source: payload.Object) -> payload.Object:
    """Return the stream with the picture of a version."""
    streams = payload.rows(source.get("MediaStreams"))
    return next((row for row in streams if payload.word(row.get("Type")) == "video"), {})


def _tier(row: payload.Object) -> Tier:
    width = payload.identifier(row.get("Width")) or 0
    height = payload.identifier(row.get("Height")) or 0
    if not width and not height:
        return Tier.UNKNOWN
    return Tier.UHD if width >= _WIDE or height >= _TALL else Tier.HD


# --- reports -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Turns what was read of one title into reports."""

    origin: Origin
    title: TitleRef
    now: float
    ahead: float
    """Seconds that the server's clock is ahead of ours."""

    def film(self, items: Sequence[Item]) -> tuple[PlayableReport, ...]:
        """Say in which tiers a film can be played, all of its versions together."""
        return self._tiers(items, ())

    def series(
        self, episodes: Iterable[Item], seasons: Sequence[int], *, played: Sequence[int] = ()
    ) -> tuple[PlayableReport, ...]:
        """Say which episodes can be played.

        Without ``seasons``: of all that are there, and of those that could be ``played`` and
        are not there.
        """
        by_season: dict[int, list[Item]] = {}
        for episode in episodes:
            if episode.numbers.parts and episode.tiers:
                by_season.setdefault(episode.numbers.parts[0].season, []).append(episode)
        numbers = seasons or sorted({*by_season, *played})[: payload.MAX_SEASONS]
        return tuple(
            report
            for number in numbers
            for report in self._tiers(by_season.get(number, ()), (number,))
        )

    def absent(self, seasons: Sequence[int]) -> tuple[PlayableReport, ...]:
        """Say that the server has nothing of a title; of a series, of the seasons asked for."""
        return self.series((), seasons) if seasons else self._tiers((), ())

    def _tiers(self, items: Sequence[Item], seasons: tuple[int, ...]) -> tuple[PlayableReport, ...]:
        """Report each tier; where a version's is not known, none of the two is ruled out."""
        clear = not any(Tier.UNKNOWN in item.tiers for item in items)
        found = {
            tier: [item for item in items if tier in item.tiers]
            for tier in (Tier.HD, Tier.UHD, Tier.UNKNOWN)
        }
        if seasons == () and (found[Tier.HD] or found[Tier.UHD]):
            # A film's other version says nothing that counts.
            del found[Tier.UNKNOWN]
        return tuple(
            PlayableReport(
                origin=self.origin,
                at=self.now,
                happened_at=self._since(there),
                title=self.title,
                tier=tier,
                confirmed=True,
                playable=bool(there),
                parts=tuple(
                    dict.fromkeys(part for item in there for part in item.numbers.parts if seasons)
                ),
                seasons=seasons,
                complete=clear and tier is not Tier.UNKNOWN,
            )
            for tier, there in found.items()
            if there or (clear and tier is not Tier.UNKNOWN)
        )

    def _since(self, items: Iterable[Item]) -> float:
        """Return when the newest of some items was added, as far as that is known."""
        dates = [item.added_at - self.ahead for item in items if item.added_at is not None]
        newest = max(dates, default=self.now)
        return newest if self.now - _TOLD_LATE <= newest <= self.now else self.now
