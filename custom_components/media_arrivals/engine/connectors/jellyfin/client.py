"""Jellyfin's API: it cannot be asked by external id, so the ids of its items are indexed."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, override
from urllib.parse import quote

from ...board.models import IndexEntry, TitleRef
from .. import payload
from ..base import IndexPage, Json, LibraryIndex, NeedsIndex
from ..http import JsonClient, Params
from ..mediabrowser.client import MediaBrowserClient, entry_of, share_ids
from ..mediabrowser.items import Item
from .webhook import JellyfinWebhooks

INDEX_PAGE: Final = 500
_SHIFT: Final = 10
"""Rows that pages of the index overlap: what is deleted meanwhile moves the others up."""
_CATCH_UP: Final = 10.0
"""Seconds in which a look at what is new is not repeated."""
_LOOK_BACK: Final = 3600.0


class JellyfinClient(MediaBrowserClient, NeedsIndex):
    """The API half of the Jellyfin connector."""

    kind = "jellyfin"
    product = "Jellyfin"
    facts = "ProviderIds,DateCreated"
    # Who plays says so every few seconds; devices that only sleep are left out.
    sessions: ClassVar[Params] = {"ActiveWithinSeconds": 300}

    index: LibraryIndex | None = None
    index_complete: bool = False
    _behind = False
    """More was added than could be taken in at once."""
    _caught_up = 0.0
    """Until when everything new was taken in, by the server's clock."""

    @override
    def headers(self, key: str) -> Mapping[str, str]:
        # The other ways of showing a key are switched off in version 12.
        return {
            "Authorization": 'MediaBrowser Client="Media Arrivals", Device="Home Assistant",'
            f' DeviceId="media_arrivals", Version="1", Token="{quote(key, safe="")}"'
        }

    @override
    def webhooks(self, http: JsonClient) -> JellyfinWebhooks:
        return JellyfinWebhooks(http)

    @override
    def listing(self, user: str) -> tuple[str, Params]:
        return "/Items", {"UserId": user}

    @property
    @override
    def sure(self) -> bool:
        return self.index is not None and self.index_complete and not self._behind

    # --- the index --------------------------------------------------------------------------

    @override
    async def index_page(self, resume: Json) -> IndexPage:
        """Read one page of all films and series."""
        start = payload.counting(resume) or 0
        page = await self.page(
            {
                "IncludeItemTypes": "Movie,Series",
                "Fields": "ProviderIds",
                "SortBy": "DateCreated",
                "SortOrder": "Ascending",
                "StartIndex": start,
                "Limit": INDEX_PAGE,
                "EnableImages": False,
                "EnableUserData": False,
            }
        )
        done = start + page.rows
        more = page.rows == INDEX_PAGE and done != page.total
        return IndexPage(
            entries=tuple(entry for item in page.items if (entry := entry_of(item)) is not None),
            resume=done - _SHIFT if more else None,
            done=done,
            total=max(page.total, done),
        )

    @override
    async def known(self, item: str) -> IndexEntry | None:
        return None if self.index is None else await self.index.ids_of(item)

    @override
    async def is_new(self, item: Item) -> bool:
        return self.sure and await self.known(item.id) is None

    @override
    async def remember(self, items: Sequence[Item]) -> None:
        entries = [entry for item in items if (entry := entry_of(item)) is not None]
        if self.index is not None and entries:
            await self.index.put(entries)

    @override
    async def forget(self, items: Sequence[str]) -> None:
        if self.index is not None:
            await self.index.drop(items)

    @override
    def note_look(self, until: float, rest: int) -> None:
        self._behind = rest > 0
        if not rest:
            self._caught_up = max(self._caught_up, until)

    async def _catch_up(self) -> None:
        """Take in what was added since the last look, for many questions at once."""
        here = self._clock() + self.clock_offset
        if 0 <= here - self._caught_up < _CATCH_UP:
            return
        since = self._caught_up if 0 <= here - self._caught_up < _LOOK_BACK else here - _LOOK_BACK
        found, rest = await self.saved_since(since)
        await self.remember(found)
        if rest:
            # The next polls take it in.
            self._behind = True
        else:
            self._caught_up = here

    async def _found(self, titles: Sequence[TitleRef]) -> dict[TitleRef, tuple[str, ...]]:
        await self._catch_up()
        if self.index is None:
            return {}
        return {title: await self.index.find(title.media_type, title.ids) for title in titles}

    @override
    async def films(self, titles: Sequence[TitleRef]) -> Mapping[TitleRef, Sequence[Item]]:
        found = await self._found(titles)
        wanted = [item for items in found.values() for item in items]
        there = {item.id: item for item in await self.read(wanted, versions=True)}
        return {
            title: [
                there[one]
                for one in items
                # It may have been another film when it was entered.
                if one in there and share_ids(there[one].ids, title.ids)
            ]
            for title, items in found.items()
        }

    @override
    async def shows(self, titles: Sequence[TitleRef]) -> Mapping[TitleRef, Sequence[str]]:
        return await self._found(titles)
