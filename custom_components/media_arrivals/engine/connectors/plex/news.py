"""What was added to a Plex Media Server since the last look."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from .. import payload
from ..payload import Object
from . import reading
from .api import BARE, GUIDS, PlexApi, window

RECENT: Final = "/library/recentlyAdded"
PAGE: Final = 50
_PEEK: Final = 8
"""Newest items that a light poll looks at: a row is a kilobyte or two."""
_MAX_PAGES: Final = 20
"""Pages of news that a poll reads; what else a huge scan brought, the next sync finds."""
_MAX_MARKS: Final = 500
_DEEP: Final = 2
"""Pages beyond the first in which something known is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was added since the last poll, and what the next one has to know."""

    rows: tuple[Object, ...]
    marks: tuple[str, ...]
    newest: float


async def read_news(api: PlexApi, known: Collection[str], newest: float) -> News:
    """Read the newest additions, as far as they were not there at the last poll.

    A season that got one more episode is listed anew with its old date, and items of one
    second come in any order: so what was seen is remembered, not only its time.
    """
    found: list[Object] = []
    listed: list[Object] = []
    met = False
    latest = 0.0
    start, size = 0, _PEEK
    for number in range(_MAX_PAGES):
        page = await api.rows(RECENT, BARE | GUIDS | window(start, size))
        for row in page:
            if mark(row) in known:
                met = True
            elif not met or reading.added(row) >= newest:
                found.append(row)
        listed += page
        latest = max((reading.added(row) for row in listed), default=0.0)
        # Old seasons with new episodes may fill a page: then what is known is further down.
        deeper = bool(known) and not met and number < _DEEP
        more = deeper or (bool(page) and reading.added(page[-1]) >= min(newest, latest))
        if len(page) < size or not more:
            break
        start, size = start + size, PAGE
    if not met:
        found = [row for row in found if reading.added(row) >= newest]
    marks = [mark(row) for row in listed if reading.added(row) >= latest]
    return News(
        rows=tuple(row for row in found if payload.word(row.get("type")) in reading.MEDIA_TYPES),
        marks=tuple(dict.fromkeys([*map(mark, listed[:_PEEK]), *marks[:_MAX_MARKS]])),
        newest=latest,
    )


def mark(row: Object) -> str:
    """Name a row of the additions so that another episode makes another mark."""
    leaves = payload.integer(row.get("leafCount"))
    counted = "" if leaves is None else str(leaves)
    return f"{reading.key_of(row)}:{int(reading.added(row))}:{counted}"
