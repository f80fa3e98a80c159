"""Plex's rows -> what they say: what can be played, in which tier, and which question to ask."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ...board.models import (
    ExternalIds,
    IndexEntry,
    MediaType,
    Origin,
    PartRef,
    PlayableReport,
    Question,
    QuestionKind,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import BadAnswerError, Json
from ..payload import Object
from . import ids

MEDIA_TYPES: Final[Mapping[str, MediaType]] = {
    "movie": MediaType.MOVIE,
    "show": MediaType.SERIES,
    "season": MediaType.SERIES,
    "episode": MediaType.SERIES,
}
_UHD_WIDTH: Final = 3000
_UHD_HEIGHT: Final = 1600
"""Wide films lose height to their black bars, so either is enough."""


def container(body: Json) -> Object:
    """Return what every answer is wrapped in."""
    found = payload.mapping(body).get("MediaContainer")
    if not isinstance(found, Mapping):
        raise BadAnswerError("no MediaContainer")
    return found


def rows(found: Object) -> tuple[Object, ...]:
    """Return the rows of an answer."""
    return payload.rows(found.get("Metadata"))


def origin_of(service: Service, via: Via) -> Origin:
    """Say who says it."""
    return Origin(service=service.id, kind=service.kind, role=service.role, via=via)


def key_of(row: Object, name: str = "ratingKey") -> str | None:
    """Read the id of a row, or of what it belongs to: it becomes part of an address."""
    found = payload.opaque_id(row.get(name))
    return found if found is not None and found.isascii() and found.isalnum() else None


def added(row: Object) -> float:
    """Read when an item was added, by the server's clock."""
    return payload.number(row.get("addedAt")) or 0.0


def index_entry(row: Object) -> IndexEntry | None:
    """Read the ids of a film or a series; those of seasons and episodes are not the title's."""
    item, kind = key_of(row), payload.word(row.get("type"))
    if item is None or kind not in {"movie", "show"}:
        return None
    media_type = MEDIA_TYPES[kind]
    found = ids.item_ids(row, media_type)
    return IndexEntry(item=item, media_type=media_type, ids=found) if found else None


def is_live(row: Object) -> bool:
    """Tell whether it is live television, which comes as a film or an episode."""
    return str(row.get("live")).casefold() in {"1", "true"}


def viewer_of(service: Service, account: Json) -> str | None:
    """Name who watched: by the id at plex.tv where it is known."""
    number = payload.opaque_id(account)
    if number is None:
        return None
    return f"plex:{service.owner_id if number == '1' and service.owner_id else number}"


def part_of(row: Object) -> PartRef | None:
    """Read which episode a row is."""
    season = payload.counting(row.get("parentIndex"))
    number = payload.identifier(row.get("index"))
    air_date = payload.day(row.get("originallyAvailableAt"))
    if season is None or (number is None and air_date is None):
        return None
    return PartRef(
        season=season, number=number, air_date=air_date, name=payload.text(row.get("title"))
    )


def item_question(service: Service, row: Object) -> Question | None:
    """Ask what there is of something that came or went: a film, or a season by its series."""
    season = None
    match payload.word(row.get("type")):
        case "episode":
            item, season = key_of(row, "grandparentRatingKey"), row.get("parentIndex")
        case "season":
            item, season = key_of(row, "parentRatingKey"), row.get("index")
        case _:
            item = key_of(row)
    number = None if item is None else payload.counting(season)
    item = item or key_of(row)
    if item is None:
        return None
    return Question(
        service=service.id,
        kind=QuestionKind.ITEM,
        item=item,
        seasons=() if number is None else (number,),
    )


def title_of(row: Object, media_type: MediaType, known: ExternalIds) -> TitleRef:
    """Name the title that a row is."""
    return TitleRef(
        media_type=media_type,
        ids=known,
        name=payload.text(row.get("title")),
        year=payload.year(row.get("year")),
    )


# --- what can be played ------------------------------------------------------------------------


def tiers_of(row: Object) -> frozenset[Tier]:
    """Return the tiers of the versions of a film or an episode; files that are gone are none."""
    if row.get("deletedAt"):
        return frozenset()
    versions = payload.rows(row.get("Media"))
    return frozenset(_tier(version) for version in versions if not version.get("deletedAt"))


def _tier(version: Object) -> Tier:
    named = payload.word(version.get("videoResolution"))
    width, height = payload.integer(version.get("width")), payload.integer(version.get("height"))
    if named == "4k" or (width or 0) > _UHD_WIDTH or (height or 0) > _UHD_HEIGHT:
        return Tier.UHD
    return Tier.HD if named or width or height else Tier.UNKNOWN


def added_at(row: Object) -> float | None:
    """Return when the newest version of a film or an episode came, by the server's clock."""
    several = len(payload.rows(row.get("Media"))) > 1
    dates = [payload.number(row.get(key)) for key in ("addedAt", "updatedAt")[: 1 + several]]
    return max((date for date in dates if date is not None), default=None)


class Stock:
    """Says what a server has of a title, in all of its items together."""

    def __init__(
        self, service: Service, title: TitleRef, now: float, offset: float, *, complete: bool
    ) -> None:
        """Keep what every report needs; not complete: absence is not told."""
        self._origin = origin_of(service, Via.POLL)
        self._title = title
        self._now = now
        self._offset = offset
        self._complete = complete

    def film(self, items: Sequence[Object]) -> tuple[PlayableReport, ...]:
        """Say in which tiers a film can be played."""
        return tuple(self._reports(_by_tier(items), ()))

    def series(
        self, episodes: Sequence[Object], seasons: Sequence[int], *, played: Sequence[int] = ()
    ) -> tuple[PlayableReport, ...]:
        """Say which episodes can be played, season by season.

        None asked: of all there are, and of those that could be ``played`` and are not there.
        """
        by_season: dict[int, list[Object]] = {season: [] for season in seasons}
        for row in episodes:
            part = part_of(row)
            if part is not None and tiers_of(row) and (part.season in by_season or not seasons):
                by_season.setdefault(part.season, []).append(row)
        if by_season and not seasons:
            by_season = {season: [] for season in played} | by_season
        told = [
            report
            for season, held in sorted(by_season.items())
            for report in self._reports(_by_tier(held), (season,))
        ]
        return tuple(told) or self.absent(seasons)

    def absent(self, seasons: Sequence[int]) -> tuple[PlayableReport, ...]:
        """Say that there is nothing of it; of a series as a whole if no season was asked."""
        series = self._title.media_type is MediaType.SERIES
        each = [(season,) for season in seasons] if series and seasons else [()]
        return tuple(report for one in each for report in self._reports({}, one))

    def _reports(
        self, found: Mapping[Tier, Sequence[Object]], seasons: tuple[int, ...]
    ) -> Iterator[PlayableReport]:
        """Speak of every tier; what has no known tier may be in either."""
        known = Tier.UNKNOWN not in found
        complete = self._complete and (known or len(found) == 1)
        for tier in Tier:
            held = found.get(tier, ())
            if not held and (tier is Tier.UNKNOWN or not (known and complete)):
                continue
            parts = {part.number or part.air_date: part for part in map(part_of, held) if part}
            dates = [at - self._offset for row in held if (at := added_at(row)) is not None]
            yield PlayableReport(
                origin=self._origin,
                at=self._now,
                happened_at=min(max(dates, default=self._now), self._now),
                title=self._title,
                tier=tier,
                confirmed=True,
                playable=bool(held),
                # Without the word that this is all, a season would mean every episode of it.
                seasons=seasons if complete else (),
                parts=tuple(parts.values()) if seasons else (),
                complete=complete,
            )


def _by_tier(items: Sequence[Object]) -> dict[Tier, list[Object]]:
    found = {tier: [row for row in items if tier in tiers_of(row)] for tier in Tier}
    return {tier: held for tier, held in found.items() if held}
