"""Radarr's API."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, override

from ...board.models import AnyReport, DownloadReport, FileReport, Service, TitleRef
from ..arr.client import ArrClient
from ..arr.webhook import Events
from ..http import Params
from ..payload import Object
from .decode import RadarrDecoder


class RadarrClient(ArrClient):
    """The API half of the Radarr connector."""

    decoder: RadarrDecoder = RadarrDecoder()
    product = "Radarr"
    queue_extras: ClassVar[Params] = {}
    history_extras: ClassVar[Params] = {}
    history_titles: ClassVar[Params] = {"includeMovie": True}
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
