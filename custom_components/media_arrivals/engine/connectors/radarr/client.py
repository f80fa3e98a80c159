"""Radarr's API."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, override

from ...board.models import AnyReport, DownloadReport, FileReport, MediaType, Service, TitleRef
from .. import payload
from ..acting import Wish
from ..arr.client import ArrClient
from ..arr.webhook import Events
from ..base import Json
from ..http import Params
from ..payload import Object
from .decode import RadarrDecoder


class RadarrClient(ArrClient):
    """The API half of the Radarr connector."""

    decoder: RadarrDecoder = RadarrDecoder()
    product = RadarrDecoder.product
    media_type = MediaType.MOVIE
    queue_extras: ClassVar[Params] = {}
    history_extras: ClassVar[Params] = {}
    history_titles: ClassVar[Params] = {"includeMovie": True}
    calendar_extras: ClassVar[Params] = {}
    events = Events(
        sightings={
            "grab": ("onGrab",),
            "import": ("onDownload", "onUpgrade"),
            "added": ("onMovieAdded",),
        },
        others=(
            "onMovieDelete",
            "onMovieFileDelete",
            "onHealthIssue",
            "onHealthRestored",
            "onManualInteractionRequired",
        ),
        unwanted=(
            "onRename",
            "onMovieFileDeleteForUpgrade",
            "onApplicationUpdate",
            "includeHealthWarnings",
        ),
    )

    @override
    async def find(self, title: TitleRef) -> Object | None:
        return await self.find_by(title, "tmdbId", title.ids.tmdb)

    @override
    def term(self, title: TitleRef) -> str | None:
        return None if title.ids.tmdb is None else f"tmdb:{title.ids.tmdb}"

    @override
    def new(self, found: Object, wish: Wish) -> dict[str, Json]:
        return {
            "tmdbId": wish.title.ids.tmdb,
            "title": payload.text(found.get("title")),
            "minimumAvailability": "released",
            # Without the method Radarr cannot tell anybody that it was added.
            "addOptions": {
                "searchForMovie": True,
                "monitor": "movieOnly",
                "addMethod": "manual",
            },
        }

    @override
    def wanted(self, held: Object, wish: Wish) -> dict[str, Json]:
        return {**held, "monitored": True}

    @override
    def commands(self, own_id: int, seasons: tuple[int, ...]) -> tuple[dict[str, Json], ...]:
        return ({"name": "MoviesSearch", "movieIds": [own_id]},)

    @override
    async def read_found(
        self, service: Service, found: Object, seasons: tuple[int, ...], now: float
    ) -> tuple[AnyReport, ...]:
        return self.decoder.read_title(service, found, now, self.clock_offset)

    @override
    def opened(
        self, report: DownloadReport, held: Sequence[AnyReport]
    ) -> tuple[DownloadReport, ...]:
        upgrade = any(isinstance(one, FileReport) and one.present for one in held)
        return (replace(report, opens=not upgrade),)
