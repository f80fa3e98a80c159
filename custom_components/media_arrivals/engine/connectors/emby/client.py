"""Emby's API: it can be asked by external id."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, override

from ...board.models import IndexEntry, TitleRef
from .. import payload
from ..base import Connection, NotFoundError
from ..http import JsonClient, Params, Session
from ..mediabrowser.client import AT_ONCE, KEPT, PAGE, MediaBrowserClient, entry_of, share_ids
from ..mediabrowser.items import Item
from .webhook import EmbyWebhooks


class EmbyClient(MediaBrowserClient):
    """The API half of the Emby connector."""

    kind = "emby"
    product = "Emby"
    facts = "ProviderIds,DateCreated,PremiereDate,ProductionYear"
    sessions: ClassVar[Params] = {}

    def __init__(
        self,
        session: Session,
        connection: Connection,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Talk to one server."""
        super().__init__(session, connection, clock=clock)
        self._entries: dict[str, IndexEntry] = {}
        """The films and series that were read last, by their ids on the server."""

    @override
    def headers(self, key: str) -> Mapping[str, str]:
        return {"X-Emby-Token": key}

    @override
    def webhooks(self, http: JsonClient) -> EmbyWebhooks:
        return EmbyWebhooks(http, self.users)

    @override
    def listing(self, user: str) -> tuple[str, Params]:
        return f"/Users/{user}/Items", {}

    @property
    @override
    def sure(self) -> bool:
        return True

    @override
    async def known(self, item: str) -> IndexEntry | None:
        return self._entries.get(item)

    @override
    async def is_new(self, item: Item) -> bool:
        # Nothing is kept of what there is: dates must do.
        return False

    @override
    async def remember(self, items: Sequence[Item]) -> None:
        for item in items:
            self._entries.pop(item.id, None)
            if (entry := entry_of(item)) is not None:
                self._entries[item.id] = entry
        while len(self._entries) > KEPT:
            del self._entries[next(iter(self._entries))]

    @override
    async def forget(self, items: Sequence[str]) -> None:
        for item in items:
            self._entries.pop(item, None)

    @override
    def note_look(self, until: float, rest: int) -> None:
        """Nothing is missed by it: what is open is asked for by its ids."""

    @override
    async def films(self, titles: Sequence[TitleRef]) -> Mapping[TitleRef, Sequence[Item]]:
        return await self._search("Movie", titles, versions=True)

    @override
    async def shows(self, titles: Sequence[TitleRef]) -> Mapping[TitleRef, Sequence[str]]:
        found = await self._search("Series", titles, versions=False)
        return {title: [item.id for item in items] for title, items in found.items()}

    async def _search(
        self, kind: str, titles: Sequence[TitleRef], *, versions: bool
    ) -> dict[TitleRef, list[Item]]:
        """Ask by ids; the kind must be said, because films and series have numbers in common."""
        there: dict[str, Item] = {}
        for first in range(0, len(titles), AT_ONCE):
            some = titles[first : first + AT_ONCE]
            wanted = [f"{space}.{value}" for title in some for space, value in title.ids.items()]
            page = await self.page(
                {
                    "AnyProviderIdEquals": ",".join(wanted),
                    "IncludeItemTypes": kind,
                    "Fields": self.fields(versions),
                    "Limit": PAGE,
                    "EnableImages": False,
                    "EnableUserData": False,
                }
            )
            there.update({item.id: item for item in page.items})
        await self.remember(tuple(there.values()))
        return {
            title: [item for item in there.values() if share_ids(item.ids, title.ids)]
            for title in titles
        }

    @override
    async def folders(self) -> tuple[payload.Object, ...]:
        try:
            return await super().folders()
        except NotFoundError:
            # Newer versions describe only this one.
            body = await self._http.get("/Library/VirtualFolders/Query")
            return payload.rows(payload.mapping(body).get("Items"))
