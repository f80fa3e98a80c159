"""Rounds through all open requests, a piece at each poll, so that no poll is large. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Final

from .. import payload
from ..base import Json

ROUND_EVERY: Final = 3600.0
"""Seconds from the beginning of a round to that of the next, by which it has to be through."""
PIECE_BYTES: Final = 18_000
"""What a piece of the list may take; the counts are read with it."""
MOST_ROWS: Final = 25


@dataclass(slots=True, kw_only=True)
class Round:
    """How far a round got: first the pages of the list, then what is read on its own."""

    begun: float
    total: int | None = None
    """Rows in the list; ``None`` before the first page. It changes if anything moves."""
    skip: int = 0
    seen: set[int] = field(default_factory=set)
    alone: list[int] = field(default_factory=list)
    """Requests of which the list does not tell enough."""
    titles: int = 0
    """How many of the imported titles were asked about."""

    @classmethod
    def of(cls, value: Json) -> Round | None:
        """Read the round that is under way from a cursor."""
        row = payload.mapping(value)
        begun = payload.number(row.get("begun"))
        if begun is None:
            return None
        return cls(
            begun=begun,
            total=payload.counting(row.get("total")),
            skip=payload.counting(row.get("skip")) or 0,
            seen=set(payload.identifiers(row.get("seen"))),
            alone=list(payload.identifiers(row.get("alone"))),
            titles=payload.counting(row.get("titles")) or 0,
        )

    def cursor(self) -> Json:
        """Return what has to be stored."""
        return {
            "begun": self.begun,
            "total": self.total,
            "skip": self.skip,
            "seen": sorted(self.seen),
            "alone": list(self.alone),
            "titles": self.titles,
        }

    @property
    def listed(self) -> bool:
        """Tell whether the list was read to its end."""
        return self.total is not None and self.skip >= self.total

    def take(
        self, page: Collection[int], total: int, *, partial: Iterable[int], known: Iterable[int]
    ) -> bool:
        """Take the next page of the list; tell whether nothing moved since the first.

        Of ``partial`` the list does not tell enough. What is ``known`` and was on no page is
        absent at its end, and not before.
        """
        if (self.total is not None and total != self.total) or (not page and self.skip < total):
            return False
        self.total = total
        self.skip += len(page)
        self.seen.update(page)
        self.alone += partial
        if self.listed:
            self.alone += sorted(set(known) - self.seen)
        return True

    def left(self, rows: int, take: int, titles: int) -> int:
        """Return how many pieces are left; ``rows`` stands for a length that is not known yet."""
        listed = max(rows if self.total is None else self.total, 1)
        pages = 0 if self.listed else ceil(max(listed - self.skip, 1) / take)
        return pages + len(self.alone) + max(titles - self.titles, 0)

    def due(self, left: int, now: float, pause: float) -> int:
        """Return how many pieces to take now: as few as bring it through in its time."""
        polls = floor((self.begun + ROUND_EVERY - now) / max(pause, 1.0))
        return ceil(left / max(polls, 1))
