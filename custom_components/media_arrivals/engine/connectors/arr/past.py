"""Reading the history by API: from a cursor on, and for one download."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Final

from .. import payload
from ..base import BadAnswerError, Cursor, Json
from ..http import JsonClient, Params
from ..payload import Object
from .history import row_date
from .reading import API, LONG, records

_FAR: Final = 7 * 86_400.0
"""`history/since` has no pages: what is older than this is read page by page."""
_PAGE: Final = 250
_MAX_PAGES: Final = 100
_HEAD: Final = 50
_UNDATED: Final = 3600.0
_SETTLED: Final = 10.0
"""Seconds after which no more rows with a date appear."""
_NEWEST_FIRST: Final[Params] = {"sortKey": "date", "sortDirection": "descending"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far the history was read."""

    since: float
    """Second of the newest row that was read, by the service's clock."""
    seen: frozenset[int] = frozenset()
    """Rows from then on that were read: the service answers them once more."""
    at: float = 0.0
    """When the newest row was read."""

    @classmethod
    def of(cls, cursor: Cursor) -> Place | None:
        """Read a cursor; ``None``: there is none yet."""
        since = payload.number(cursor.get("since"))
        if since is None:
            return None
        seen = frozenset(payload.identifiers(cursor.get("seen")))
        return cls(since=since, seen=seen, at=payload.number(cursor.get("at")) or 0.0)

    def cursor(self) -> Cursor:
        """Return what has to be stored."""
        return {"since": self.since, "seen": sorted(self.seen), "at": self.at}

    def after(
        self, rows: Iterable[Object], now: float, offset: float
    ) -> tuple[Place, list[Object]]:
        """Return the place after reading rows, and which of them are news."""
        dated = [(date, row) for row in rows if (date := row_date(row)) is not None]
        news = [row for date, row in dated if date >= self.since and _id(row) not in self.seen]
        place = self
        if news:
            since = max(self.since, floor(max(date for date, _ in dated)))
            seen = frozenset(_id(row) for date, row in dated if date >= since)
            place = Place(since=since, seen=seen, at=now)
        # Later polls need not be told the same rows again: either clock says that the
        # second is over.
        over = now + offset - place.since, now - place.at
        if place.seen and max(over) >= _SETTLED:
            place = Place(since=place.since + 1, at=now)
        return place, news


class Past:
    """The history of one service."""

    def __init__(self, http: JsonClient, extras: Params, titles: Params) -> None:
        """Read by this client; ``extras`` is what each row carries along.

        With ``titles`` it carries its whole title, which is most of it: a pack has a row for each
        episode.
        """
        self._http = http
        self._extras = extras
        self._titles = titles

    async def head(self, now: float) -> Place:
        """Return the place behind everything that has happened."""
        rows = await self._page(1, {"pageSize": _HEAD})
        offset = self._http.clock_offset
        dates = [date for row in rows if (date := row_date(row)) is not None]
        if not dates:
            return Place(since=floor(now + offset - _UNDATED), at=now)
        place, _ = Place(since=floor(max(dates)), at=now).after(rows, now, offset)
        return place

    async def since(self, place: Place, now: float, *, titles: bool) -> tuple[Place, list[Object]]:
        """Return what happened since, and the place behind it."""
        extras = {**self._extras, **(self._titles if titles else {})}
        if now + self._http.clock_offset - place.since > _FAR:
            rows = await self._pages(extras, place.since)
        else:
            date = datetime.fromtimestamp(place.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            body = await self._http.get(f"{API}/history/since", {"date": date, **extras}, wait=LONG)
            rows = _rows(body)
        return place.after(rows, now, self._http.clock_offset)

    async def of_download(self, spellings: Iterable[str]) -> list[Object]:
        """Return all rows of a download; the service minds how its id is spelt."""
        for spelling in dict.fromkeys(spellings):
            rows = await self._pages({"downloadId": spelling, **self._extras})
            if rows:
                return rows
        return []

    async def _pages(self, params: Params, since: float | None = None) -> list[Object]:
        """Read page by page, the newest first, until ``since`` or the end."""
        found: dict[int, Object] = {}
        for page in range(1, _MAX_PAGES + 1):
            rows = await self._page(page, {"pageSize": _PAGE, **params})
            # Rows that are written meanwhile push others to the next page.
            found |= {_id(row): row for row in rows}
            dates = [date for row in rows if (date := row_date(row)) is not None]
            if len(rows) < _PAGE or (since is not None and min(dates, default=since) < since):
                break
        return list(found.values())

    async def _page(self, page: int, params: Params) -> list[Object]:
        body = await self._http.get(
            f"{API}/history", {"page": page, **_NEWEST_FIRST, **params}, wait=LONG
        )
        return _rows(body)


def _rows(body: Json) -> list[Object]:
    rows = records(body)
    if rows is None:
        raise BadAnswerError("no history")
    return list(rows)


def _id(row: Object) -> int:
    return payload.identifier(row.get("id")) or 0
