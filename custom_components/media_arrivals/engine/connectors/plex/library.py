"""The films and series of a Plex Media Server: which there are, and what can be played.

Plex cannot be asked by external ids, so an index is kept outside, built once page by page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...board.models import (
    AnyReport,
    ExternalIds,
    MediaType,
    Question,
    Service,
    TitleRef,
)
from .. import payload
from ..base import IndexPage, Json, Library, LibraryIndex, NeedsIndex, NotFoundError, NotReadyError
from ..payload import Object
from . import decode, history, reading
from .api import BARE, GUIDS, LONG, PlexApi, Query, window
from .news import PAGE, RECENT

_INDEX_PAGE: Final = 500
_NEW_FOR: Final = 3600.0
"""Seconds after its addition for which an item may still get its ids."""
_RETRY: Final = 60.0
_NUMBERS: Final[Mapping[str, int]] = {"movie": 1, "show": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for. No ``seasons``: all of a series."""

    title: TitleRef
    seasons: tuple[int, ...] = ()
    played: tuple[int, ...] = ()
    """Seasons of which something could be played so far."""


class Titles:
    """Finds films and series, and says what can be played of them."""

    def __init__(self, api: PlexApi, holder: NeedsIndex) -> None:
        """Ask one server; the holder is given the index later, or never."""
        self._api = api
        self._holder = holder

    @property
    def index(self) -> LibraryIndex | None:
        """Which item has which external ids."""
        return self._holder.index

    async def take_in(self, found: Iterable[Object]) -> None:
        """Enter films and series in the index as far as their rows tell their ids."""
        entries = [entry for row in found if (entry := reading.index_entry(row)) is not None]
        if self.index is not None and entries:
            await self.index.put(entries)

    async def take_in_news(self) -> None:
        """Enter what was added lately, whose series have to be read for their ids."""
        found = await self._api.rows(RECENT, BARE | GUIDS | window(0, PAGE))
        await self.take_in(found)
        names = {"season": "parentRatingKey", "episode": "grandparentRatingKey"}
        above = [
            key
            for row in found
            if (name := names.get(payload.word(row.get("type")))) is not None
            and (key := reading.key_of(row, name)) is not None
        ]
        unknown = [
            key
            for key in dict.fromkeys(above)
            if self.index is not None and await self.index.ids_of(key) is None
        ]
        await self._items(unknown)

    async def ids_of(self, items: Iterable[str]) -> dict[str, ExternalIds]:
        """Return the ids of films and series, from the index or else from the server."""
        known: dict[str, ExternalIds] = {}
        unknown: list[str] = []
        for item in items:
            entry = None if self.index is None else await self.index.ids_of(item)
            if entry is None:
                unknown.append(item)
            else:
                known[item] = entry.ids
        for item, row in (await self._items(unknown)).items():
            if (entry := reading.index_entry(row)) is not None:
                known[item] = entry.ids
        return known

    async def item(
        self,
        service: Service,
        question: Question,
        item: str,
        seasons: tuple[int, ...],
        now: float,
    ) -> tuple[AnyReport, ...]:
        """Say what there is of the title that an item is, or is a part of."""
        row = (await self._items([item])).get(item)
        if row is None:
            return await self._gone(service, question, item, seasons, now)
        kind = payload.word(row.get("type"))
        if kind in {"season", "episode"}:
            above = reading.item_question(service, row)
            if above is None or above.item is None or above.item == item:
                return ()
            about = question.about and history.numbered(question.about, row)
            question = replace(question, about=about)
            return await self.item(service, question, above.item, seasons or above.seasons, now)
        media_type = reading.MEDIA_TYPES.get(kind)
        if media_type is None:
            return ()
        entry = reading.index_entry(row)
        if entry is None:
            age = now + self._api.clock_offset - reading.added(row)
            if age < _NEW_FOR:
                raise NotReadyError("it has no ids yet", retry_after=_RETRY)
            return ()
        title = reading.title_of(row, media_type, entry.ids)
        items = [item]
        if self.index is not None:
            found = await self.index.find(media_type, entry.ids)
            items = list(dict.fromkeys([item, *found]))
        held = {item: row, **await self._items([one for one in items if one != item])}
        wanted = Wanted(title=title, seasons=seasons)
        reports = await self._stock(service, wanted, list(held.values()), now)
        return (*history.answered(question, entry.ids), *reports)

    async def _gone(
        self,
        service: Service,
        question: Question,
        item: str,
        seasons: tuple[int, ...],
        now: float,
    ) -> tuple[AnyReport, ...]:
        """Say what is left of a title of which an item is gone."""
        if self.index is None or (entry := await self.index.ids_of(item)) is None:
            return ()
        await self.index.drop([item])
        title = TitleRef(media_type=entry.media_type, ids=entry.ids)
        reports = await self.look(service, [Wanted(title=title, seasons=seasons)], now)
        return (*history.answered(question, entry.ids), *reports)

    async def look(
        self, service: Service, wanted: Sequence[Wanted], now: float
    ) -> tuple[AnyReport, ...]:
        """Say of titles whether they can be played; nothing of those that it cannot know."""
        if self.index is None:
            return ()
        titles = {one.title for one in wanted if one.title.ids}
        held = await self._held(titles)
        if lacking := {title for title in titles if not held[title]}:
            await self.take_in_news()
            held |= await self._held(lacking)
        reports: list[AnyReport] = []
        for one in wanted:
            if one.title in titles:
                reports += await self._stock(service, one, held[one.title], now)
        return tuple(reports)

    async def _held(self, titles: Iterable[TitleRef]) -> dict[TitleRef, list[Object]]:
        """Return the items of titles, as the server has them now."""
        found = {title: await self._find(title) for title in titles}
        wanted = {item for items in found.values() for item in items}
        rows = await self._items(wanted)
        if self.index is not None and (gone := sorted(wanted - rows.keys())):
            await self.index.drop(gone)
        return {
            title: [rows[item] for item in items if item in rows and _is_title(rows[item], title)]
            for title, items in found.items()
        }

    async def _find(self, title: TitleRef) -> tuple[str, ...]:
        if self.index is None:
            return ()
        return await self.index.find(title.media_type, title.ids)

    async def _stock(
        self, service: Service, wanted: Wanted, items: Sequence[Object], now: float
    ) -> tuple[AnyReport, ...]:
        """Say what can be played of a title, in all of its items together."""
        title = wanted.title
        # Another item of it may not be in the index yet: then nothing is said to be absent.
        complete = self.index is not None and self._holder.index_complete
        stock = reading.Stock(service, title, now, self._api.clock_offset, complete=complete)
        if title.media_type is MediaType.MOVIE:
            return stock.film(items)
        episodes: list[Object] = []
        for row in items:
            episodes += await self._api.leaves(reading.key_of(row) or "")
        return stock.series(episodes, wanted.seasons, played=wanted.played)

    async def index_page(self, resume: Json) -> IndexPage:
        """Read one page of all films and series; ``None`` begins."""
        place = payload.mapping(resume)
        todo = [(key, kind) for key, kind in map(_section, payload.items(place.get("todo"))) if key]
        done, total = payload.counting(place.get("done")), payload.counting(place.get("total"))
        start = payload.counting(place.get("start")) or 0
        if done is None or total is None:
            todo, done, start = await self._sections(), 0, 0
            total = sum([await self._count(key, kind) for key, kind in todo])
        page: tuple[Object, ...] = ()
        if todo:
            # The newest come last, so that an addition moves no page.
            query: Query = {"type": _NUMBERS[todo[0][1]], "sort": "addedAt:asc"}
            page = await self._page(todo[0][0], query | BARE | GUIDS | window(start, _INDEX_PAGE))
        done, start = done + len(page), start + len(page)
        if len(page) < _INDEX_PAGE:
            todo, start = todo[1:], 0
        total = max(total, done)
        after: Json = {
            "todo": [list(one) for one in todo],
            "start": start,
            "done": done,
            "total": total,
        }
        return IndexPage(
            entries=tuple(one for row in page if (one := reading.index_entry(row)) is not None),
            resume=after if todo else None,
            done=done,
            total=total,
        )

    async def _sections(self) -> list[tuple[str, str]]:
        """Return the libraries of films and series: key and kind."""
        found = decode.sections(await self._api.http.get("/library/sections"))
        keyed = ((reading.key_of(row, "key"), payload.word(row.get("type"))) for row in found)
        return [(key, kind) for key, kind in keyed if key is not None]

    async def _count(self, section: str, kind: str) -> int:
        path = f"/library/sections/{section}/all"
        query: Query = {"type": _NUMBERS[kind]}
        found = await self._api.container(path, query | BARE | window(0, 0))
        return payload.counting(found.get("totalSize")) or 0

    async def _page(self, section: str, query: Query) -> tuple[Object, ...]:
        """Read a page of a library; one that was deleted meanwhile is empty."""
        path = f"/library/sections/{section}/all"
        try:
            return reading.rows(await self._api.container(path, query, wait=LONG))
        except NotFoundError:
            return ()

    async def libraries(self) -> tuple[Library, ...]:
        """Return the libraries of films and series, with their folders."""
        found = decode.sections(await self._api.http.get("/library/sections"))
        return tuple(
            Library(
                id=key,
                name=payload.text(row.get("title")) or key,
                media_type=reading.MEDIA_TYPES[payload.word(row.get("type"))],
                folders=tuple(
                    path
                    for one in payload.rows(row.get("Location"))
                    if (path := payload.text(one.get("path"), payload.MAX_TEXT)) is not None
                ),
            )
            for row in found
            if (key := reading.key_of(row, "key")) is not None
        )

    async def _items(self, wanted: Iterable[str]) -> dict[str, Object]:
        """Read items, and enter what they tell."""
        found = await self._api.items(wanted)
        await self.take_in(found.values())
        return found


def _section(value: Json) -> tuple[str, str]:
    """Read a library that is still to be read; no key: none."""
    key, kind = (*payload.items(value), None, None)[:2]
    known = payload.word(kind) in _NUMBERS
    return (payload.opaque_id(key) or "" if known else "", payload.word(kind))


def _is_title(row: Object, title: TitleRef) -> bool:
    """Tell whether an item is still that title: it may have been matched anew."""
    entry = reading.index_entry(row)
    return entry is not None and bool(set(entry.ids.items()) & set(title.ids.items()))
