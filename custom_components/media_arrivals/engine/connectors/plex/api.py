"""How a Plex Media Server is asked: wrapped answers, pages, many items with one call."""

from collections.abc import Iterable
from typing import Final

from ..base import NotFoundError
from ..http import DEFAULT_TIMEOUT, JsonClient, Value
from ..payload import Object
from . import reading

type Query = dict[str, Value | tuple[Value, ...] | None]

LONG: Final = 60.0
GUIDS: Final[Query] = {"includeGuids": 1}
_ELEMENTS: Final = (
    "Collection,Country,Director,Genre,Image,Mood,Part,Producer,Rating,Role,Similar,Style,"
    "UltraBlurColors,Writer"
)
PLAIN: Final[Query] = {"excludeElements": _ELEMENTS, "excludeFields": "summary,tagline"}
BARE: Final[Query] = PLAIN | {"excludeElements": f"Media,{_ELEMENTS}"}
_MAX_PAGES: Final = 20
_BATCH: Final = 40
"""Items that are read with one call: their ids stand in its address."""


def window(start: int, size: int) -> Query:
    """Ask for a page."""
    return {"X-Plex-Container-Start": start, "X-Plex-Container-Size": size}


class PlexApi:
    """Asks one server."""

    def __init__(self, http: JsonClient) -> None:
        """Ask by this client."""
        self.http = http

    @property
    def clock_offset(self) -> float:
        """Seconds that the server's clock is ahead of ours."""
        return self.http.clock_offset

    async def container(
        self, path: str, params: Query | None = None, *, wait: float = DEFAULT_TIMEOUT
    ) -> Object:
        """Read an answer."""
        return reading.container(await self.http.get(path, params, wait=wait))

    async def rows(self, path: str, params: Query) -> tuple[Object, ...]:
        """Read the rows of an answer."""
        return reading.rows(await self.container(path, params))

    async def all(self, path: str, params: Query, size: int) -> list[Object]:
        """Read all pages of a list, bounded."""
        found: list[Object] = []
        for _ in range(_MAX_PAGES):
            answer = await self.container(path, params | window(len(found), size), wait=LONG)
            page = reading.rows(answer)
            found += page
            if len(page) < size:
                break
        return found

    async def items(self, wanted: Iterable[str]) -> dict[str, Object]:
        """Read items; those that are gone are left out."""
        keys = sorted(set(wanted))
        found: dict[str, Object] = {}
        for start in range(0, len(keys), _BATCH):
            listed = ",".join(keys[start : start + _BATCH])
            try:
                page = await self.rows(f"/library/metadata/{listed}", PLAIN | GUIDS)
            except NotFoundError:
                continue
            found |= {key: row for row in page if (key := reading.key_of(row)) is not None}
        return found

    async def leaves(self, item: str) -> list[Object]:
        """Read all episodes of a series."""
        try:
            return await self.all(f"/library/metadata/{item}/allLeaves", PLAIN, 500)
        except NotFoundError:
            return []
