"""Tautulli's words, at its webhook and in its answers -> what they say of a title. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ...board.models import (
    ExternalIds,
    MediaType,
    Origin,
    PartRef,
    PlayableReport,
    Question,
    QuestionKind,
    Service,
    TitleRef,
    Via,
    WatchReport,
)
from .. import payload
from ..base import Json
from ..payload import Object
from ..plex.ids import item_ids

MEDIA_TYPES: Final[Mapping[str, MediaType]] = {
    "movie": MediaType.MOVIE,
    "show": MediaType.SERIES,
    "season": MediaType.SERIES,
    "episode": MediaType.SERIES,
}
MAX_EPISODES: Final = 1000
_RANGES: Final = re.compile(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*")
# Where a row has what belongs to the film or series itself.
_OWNER: Final[Mapping[str, str]] = {
    "movie": "",
    "show": "",
    "season": "parent_",
    "episode": "grandparent_",
}


def origin_of(service: Service, via: Via) -> Origin:
    """Say who says it."""
    return Origin(service=service.id, kind=service.kind, role=service.role, via=via)


def viewer_of(service: Service, user: Json) -> str | None:
    """Name who watched: by the id at plex.tv, as Plex's own events do."""
    number = payload.opaque_id(user)
    if number is None:
        return None
    return f"plex:{service.owner_id if number == '1' and service.owner_id else number}"


def numbers(value: Json) -> tuple[int, ...]:
    """Read numbers and ranges of them (``1-4,6``); what is not all clear says nothing."""
    written = str(value) if isinstance(value, int) else payload.text(value, 4000)
    written = (written or "").replace(" ", "")
    if not _RANGES.fullmatch(written):
        return ()
    found: set[int] = set()
    for piece in written.split(","):
        first, _, last = piece.partition("-")
        low, high = int(first), int(last or first)
        if not 0 <= high - low < MAX_EPISODES:
            return ()
        found.update(range(low, high + 1))
        if len(found) > MAX_EPISODES:
            return ()
    return tuple(sorted(found))


# --- API answers ------------------------------------------------------------------------------


def data_of(body: Json) -> Json:
    """Take an answer out of its envelope; ``None``: it is an error, or no answer."""
    response = payload.mapping(payload.mapping(body).get("response"))
    return response.get("data") if payload.word(response.get("result")) == "success" else None


def is_live(row: Object) -> bool:
    """Tell whether it is live television, which comes as a film or an episode."""
    return payload.integer(row.get("live")) == 1


def owner_key(row: Object) -> str | None:
    """Return Plex's key of the film or series that a row belongs to."""
    return payload.opaque_id(row.get(f"{_OWNER.get(_kind(row), '')}rating_key"))


def title_of(row: Object) -> TitleRef | None:
    """Read the film or series that a row belongs to; ``None``: it is neither."""
    media_type = MEDIA_TYPES.get(_kind(row))
    if media_type is None or is_live(row):
        return None
    owner = _OWNER[_kind(row)]
    guids = [{"id": guid} for guid in payload.items(row.get(f"{owner}guids"))]
    ids = item_ids({"Guid": guids, "guid": row.get("guid")}, media_type)
    return TitleRef(
        media_type=media_type,
        ids=ids,
        name=payload.text(row.get(f"{owner}title")),
        # An episode has a year of its own.
        year=payload.year(row.get("year")) if not owner else None,
    )


def part_of(row: Object) -> PartRef | None:
    """Read which episode a row is."""
    season = payload.counting(row.get("parent_media_index"))
    number = payload.identifier(row.get("media_index"))
    air_date = payload.day(row.get("originally_available_at"))
    if season is None or (number is None and air_date is None):
        return None
    return PartRef(
        season=season, number=number, air_date=air_date, name=payload.text(row.get("title"))
    )


def watch_of(service: Service, row: Object, offset: float) -> Question | None:
    """Read who watched what from a row of the history, which has no ids of the title."""
    kind = _kind(row)
    item, viewer = owner_key(row), viewer_of(service, row.get("user_id"))
    stopped = payload.number(row.get("stopped")) or payload.number(row.get("date"))
    part = part_of(row)
    if (
        kind not in {"movie", "episode"}
        or is_live(row)
        or payload.number(row.get("watched_status")) != 1
        or item is None
        or viewer is None
        or stopped is None
        or (kind == "episode" and part is None)
    ):
        return None
    at = stopped - offset
    return Question(
        service=service.id,
        kind=QuestionKind.ITEM,
        item=item,
        about=WatchReport(
            origin=origin_of(service, Via.POLL),
            at=at,
            happened_at=at,
            title=TitleRef(media_type=MEDIA_TYPES[kind]),
            viewer=viewer,
            watched=True,
            parts=() if part is None or kind == "movie" else (part,),
        ),
    )


def playable_of(
    service: Service, row: Object, now: float, offset: float
) -> PlayableReport | Question | None:
    """Read what can be played now from a row: a report, or what is to be asked for that."""
    title, item, kind = title_of(row), payload.opaque_id(row.get("rating_key")), _kind(row)
    if title is None or item is None:
        return None
    part = part_of(row) if kind == "episode" else None
    if title.ids and (kind == "movie" or part is not None):
        parts = () if part is None else (part,)
        return playable(service, title, row, parts, now=now, offset=offset)
    return Question(service=service.id, kind=QuestionKind.ITEM, item=item)


def playable(
    service: Service,
    title: TitleRef,
    row: Object,
    parts: Iterable[PartRef],
    *,
    now: float,
    offset: float,
) -> PlayableReport:
    """Say that something can be played; Tautulli does not tell in which quality."""
    added = payload.number(row.get("added_at"))
    return PlayableReport(
        origin=origin_of(service, Via.POLL),
        at=now,
        happened_at=now if added is None else min(added - offset, now),
        title=title,
        playable=True,
        parts=tuple(parts),
    )


def ids_told(told: Object, media_type: MediaType) -> ExternalIds:
    """Read the ids of a film or a series from a delivery."""
    return payload.external_ids(
        tmdb=told.get("themoviedb_id"),
        # No other service speaks of films by TVDB's numbers.
        tvdb=told.get("thetvdb_id") if media_type is MediaType.SERIES else None,
        imdb=told.get("imdb_id"),
    )


def _kind(row: Object) -> str:
    return payload.word(row.get("media_type"))
