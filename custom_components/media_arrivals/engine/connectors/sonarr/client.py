"""Sonarr's API."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final, override

from ...board.models import (
    AnyReport,
    DownloadReport,
    EpisodesReport,
    MediaType,
    PartRef,
    Service,
    TitleRef,
)
from .. import payload
from ..acting import Wish
from ..arr.client import ArrClient
from ..arr.reading import API, LONG, records
from ..arr.webhook import Events
from ..base import BadAnswerError, Json
from ..http import Params
from ..payload import Object
from .decode import SonarrDecoder

_FEW_SEASONS: Final = 3
"""More seasons than this are read with the whole series, in one call."""


class SonarrClient(ArrClient):
    """The API half of the Sonarr connector."""

    decoder: SonarrDecoder = SonarrDecoder()
    product = SonarrDecoder.product
    media_type = MediaType.SERIES
    queue_extras: ClassVar[Params] = {"includeEpisode": True}
    history_extras: ClassVar[Params] = {"includeEpisode": True}
    history_titles: ClassVar[Params] = {"includeSeries": True}
    calendar_extras: ClassVar[Params] = {"includeSeries": True}
    events = Events(
        sightings={
            "grab": ("onGrab",),
            "import": ("onDownload", "onUpgrade"),
            "added": ("onSeriesAdd",),
        },
        others=(
            "onSeriesDelete",
            "onEpisodeFileDelete",
            "onHealthIssue",
            "onHealthRestored",
            "onManualInteractionRequired",
        ),
        unwanted=(
            "onImportComplete",
            "onRename",
            "onEpisodeFileDeleteForUpgrade",
            "onApplicationUpdate",
            "includeHealthWarnings",
        ),
    )

    @override
    async def find(self, title: TitleRef) -> Object | None:
        return await self.find_by(title, "tvdbId", title.ids.tvdb)

    @override
    def term(self, title: TitleRef) -> str | None:
        return None if title.ids.tvdb is None else f"tvdb:{title.ids.tvdb}"

    @override
    def new(self, found: Object, wish: Wish) -> dict[str, Json]:
        return {
            "tvdbId": wish.title.ids.tvdb,
            "title": payload.text(found.get("title")),
            "seriesType": payload.text(found.get("seriesType"), 32) or "standard",
            "seasonFolder": True,
            "monitorNewItems": "all" if wish.seasons is None else "none",
            "seasons": _monitored(found, wish, keep=False),
            "addOptions": {
                "searchForMissingEpisodes": True,
                "searchForCutoffUnmetEpisodes": False,
            },
        }

    @override
    def wanted(self, held: Object, wish: Wish) -> dict[str, Json]:
        return {**held, "monitored": True, "seasons": _monitored(held, wish, keep=True)}

    @override
    def commands(self, own_id: int, seasons: tuple[int, ...]) -> tuple[dict[str, Json], ...]:
        return tuple(
            {"name": "SeasonSearch", "seriesId": own_id, "seasonNumber": season}
            for season in seasons
        ) or ({"name": "SeriesSearch", "seriesId": own_id},)

    @override
    async def read_found(
        self, service: Service, found: Object, seasons: tuple[int, ...], now: float
    ) -> tuple[AnyReport, ...]:
        title = self.decoder.title_of(found)
        own_id = payload.identifier(found.get("id"))
        if title is None or own_id is None:
            raise BadAnswerError("a series without an id")
        rows: list[Object] = []
        for season in seasons if 0 < len(seasons) <= _FEW_SEASONS else (None,):
            rows.extend(await self._episodes(own_id, season))
        there = {payload.counting(row.get("seasonNumber")) for row in rows}
        there |= {
            payload.counting(row.get("seasonNumber")) for row in payload.rows(found.get("seasons"))
        }
        # A series that was just added has no seasons yet, which is not the same as this one.
        absent = [season for season in seasons if there and season not in there]
        return (
            *self.decoder.read_title(service, found, now, self.clock_offset),
            *self.decoder.episodes(
                service,
                title,
                rows,
                now,
                monitored=payload.boolean(found.get("monitored")) is not False,
                absent=absent,
                offset=self.clock_offset,
            ),
        )

    async def _episodes(self, series: int, season: int | None) -> Sequence[Object]:
        params = {"seriesId": series, "seasonNumber": season, "includeEpisodeFile": True}
        rows = records(await self._http.get(f"{API}/episode", params, wait=LONG))
        if rows is None:
            raise BadAnswerError("no episodes")
        return rows

    @override
    def opened(
        self, report: DownloadReport, held: Sequence[AnyReport]
    ) -> tuple[DownloadReport, ...]:
        there = {
            one
            for listed in held
            if isinstance(listed, EpisodesReport)
            for part in listed.parts
            if part.has_file
            for one in _names(part.ref)
        }
        opening = {part.season for part in report.parts if there.isdisjoint(_names(part))}
        split: dict[bool, list[PartRef]] = {True: [], False: []}
        for part in report.parts:
            split[part.season in opening].append(part)
        return tuple(
            replace(report, parts=tuple(parts), opens=opens)
            for opens, parts in split.items()
            if parts
        )


def _monitored(found: Object, wish: Wish, *, keep: bool) -> list[Json]:
    """Return the seasons with those monitored that are wanted: all of them has no specials."""
    seasons: list[Json] = []
    for row in payload.rows(found.get("seasons")):
        number = payload.counting(row.get("seasonNumber"))
        wanted = bool(number) if wish.seasons is None else number in wish.seasons
        before = keep and payload.boolean(row.get("monitored")) is True
        seasons.append({**row, "monitored": wanted or before})
    return seasons


def _names(part: PartRef) -> set[object]:
    """Return what an episode is known by: Sonarr's own id, its number."""
    names: set[object] = {(part.season, part.number)} if part.number is not None else set()
    return names if part.own_id is None else names | {part.own_id}
