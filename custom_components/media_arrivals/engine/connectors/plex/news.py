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
_MAX_PAGES: Final = 6
"""Pages of news that a poll reads; what else a huge scan brought, the index finds."""
_FIRST_PAGES: Final = 2
"""Pages of a first look, for which nothing is news yet."""
_MAX_MARKS: Final = 500
_DEEP: Final = 2
"""Pages beyond the first in which something known is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a look has to know of the one before."""

    marks: Collection[str] = ()
    newest: float = float("inf")
    """The newest second of which there was something; infinite: nothing was looked at yet."""
    crowded: bool = False
    """More of that second was there than is marked: no more of it is news."""

    @property
    def fresh(self) -> bool:
        """Tell whether nothing was looked at yet."""
        return self.newest == float("inf")

    def may_be_news(self, row: Object) -> bool:
        """Tell whether a row is as new as news are."""
        at = reading.added(row)
        return at > self.newest or (at == self.newest and not self.crowded)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was added since the last look, and what the next one has to know."""

    rows: tuple[Object, ...]
    known: Known
    beyond: bool
    """More was added than was read: only the whole library tells what."""


async def read_news(api: PlexApi, known: Known) -> News:
    """Read the newest additions, as far as they were not there at the last look.

    A season that got one more episode is listed anew with its old date, and items of one
    second come in any order: so what was seen is remembered, not only its time. Of a library
    that was added within a second, that is too much.
    """
    found: list[Object] = []
    listed: list[Object] = []
    met = False
    latest = 0.0
    more = full = True
    pages = _FIRST_PAGES if known.fresh else _MAX_PAGES
    start, size = 0, _PEEK
    for number in range(pages):
        page = await api.rows(RECENT, BARE | GUIDS | window(start, size))
        for row in page:
            if mark(row) in known.marks:
                met = True
            elif not met or known.may_be_news(row):
                found.append(row)
        listed += page
        latest = max((reading.added(row) for row in listed), default=0.0)
        full = len(page) == size
        if not full:
            more = False
            break
        last = page[-1]
        # Old seasons with new episodes may fill a page: then what is known is further down.
        deeper = bool(known.marks) and not met and number < _DEEP
        # Of the newest second, all is to be marked.
        of_latest = reading.added(last) >= latest and not (known.crowded and latest <= known.newest)
        more = deeper or of_latest or known.may_be_news(last)
        if not more:
            break
        start, size = start + size, PAGE
    if not met:
        found = [row for row in found if known.may_be_news(row)]
    marks = [mark(row) for row in listed if reading.added(row) >= latest]
    return News(
        rows=tuple(row for row in found if payload.word(row.get("type")) in reading.MEDIA_TYPES),
        known=Known(
            marks=tuple(dict.fromkeys([*map(mark, listed[:_PEEK]), *marks[:_MAX_MARKS]])),
            newest=latest,
            crowded=full and reading.added(listed[-1]) >= latest,
        ),
        beyond=more and known.may_be_news(listed[-1]),
    )


def mark(row: Object) -> str:
    """Name a row of the additions so that another episode makes another mark."""
    leaves = payload.integer(row.get("leafCount"))
    counted = "" if leaves is None else str(leaves)
    return f"{reading.key_of(row)}:{int(reading.added(row))}:{counted}"
