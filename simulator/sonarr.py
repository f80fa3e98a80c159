"""A simulated Sonarr: series, seasons, episodes, and everything Sonarr tells about them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, override
from zlib import crc32

from aiohttp import web

from .arr import (
    ENGLISH,
    GIB,
    QUALITIES,
    USENET,
    ArrDouble,
    Client,
    Download,
    HistoryRow,
    bad_value,
    images,
    int_or,
    not_found,
    quality_document,
    without_null,
)
from .clock import NEVER, net_date, to_the_second
from .connections import ConnectionFeatures
from .faults import Json
from .library import Show, ShowEpisode, release_name
from .radarr import calendar_window, media_info
from .service import error_list, flag, json_answer, query, query_all, read_json, slug
from .shelf import ShelfFile


@dataclass(slots=True, kw_only=True, eq=False)
class EpisodeFile:
    """The file of one or several episodes."""

    id: int
    name: str
    season: int
    quality: str
    size: int
    added: datetime
    group: str | None = None
    scene_name: str | None = None
    source: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Episode:
    """An episode in Sonarr's library."""

    id: int
    series_id: int
    about: ShowEpisode
    monitored: bool = True
    file: EpisodeFile | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Series:
    """A series in Sonarr's library."""

    id: int
    show: Show
    added: datetime
    monitored: bool = True
    profile: int = 4
    tags: list[int] = field(default_factory=list)
    seasons: dict[int, bool] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)

    def season(self, number: int) -> list[Episode]:
        """Return the episodes of one season."""
        return [episode for episode in self.episodes if episode.about.season == number]


class SonarrDouble(ArrDouble):
    """A simulated Sonarr."""

    kind = "sonarr"
    app_name = "Sonarr"
    usual_root = "/tv"
    event_numbers: ClassVar[dict[str, int]] = {
        "grabbed": 1,
        "seriesFolderImported": 2,
        "downloadFolderImported": 3,
        "downloadFailed": 4,
        "episodeFileDeleted": 5,
        "episodeFileRenamed": 6,
        "downloadIgnored": 7,
    }

    @override
    def _clear(self) -> None:
        super()._clear()
        self.series: dict[int, Series] = {}
        self.episodes: dict[int, Episode] = {}
        self._by_tvdb: dict[int, Series] = {}

    @override
    def features(self) -> ConnectionFeatures:
        modern = self.at_least(4)
        flags = ["onGrab", "onDownload", "onUpgrade"]
        if self.at_least(4, 0, 6, 1847):
            flags.append("onImportComplete")
        flags.append("onRename")
        if modern:
            flags.append("onSeriesAdd")
        flags += ["onSeriesDelete", "onEpisodeFileDelete", "onEpisodeFileDeleteForUpgrade"]
        flags.append("onHealthIssue")
        if modern:
            flags.append("onHealthRestored")
        flags.append("onApplicationUpdate")
        if modern:
            flags.append("onManualInteractionRequired")
        return ConnectionFeatures(
            flags=tuple(flags),
            headers=self.at_least(4, 0, 10, 2656),
            backoff=modern,
            masks_password=modern,
            tests_only_changes=self.at_least(4, 0, 4),
        )

    # --- HTTP ---------------------------------------------------------------------------

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        yield from super().routes()
        api = "/api/v3"
        yield web.get(f"{api}/series", self._get_all)
        yield web.post(f"{api}/series", self._post_series)
        yield web.get(f"{api}/series/lookup", self._get_lookup)
        yield web.get(f"{api}/series/{{id}}", self._get_series)
        yield web.put(f"{api}/series", self._put_series)
        yield web.put(f"{api}/series/{{id}}", self._put_series)
        yield web.delete(f"{api}/series/{{id}}", self._delete_series)
        yield web.get(f"{api}/episode", self._get_episodes)
        yield web.put(f"{api}/episode/monitor", self._put_monitor)
        yield web.get(f"{api}/episode/{{id}}", self._get_episode)
        yield web.get(f"{api}/history/series", self._get_history_series)
        yield web.get(f"{api}/calendar", self._get_calendar)
        if not self.at_least(4):
            yield web.get(f"{api}/languageprofile", self._get_language_profiles)

    async def _get_language_profiles(self, _request: web.Request) -> web.Response:
        return json_answer([{"id": 1, "name": "English"}])

    async def _get_all(self, request: web.Request) -> web.Response:
        wanted = query(request, "tvdbId")
        if wanted is not None:
            found = self._by_tvdb.get(int_or(wanted, -1))
            return json_answer([] if found is None else [self.series_document(found)])
        return json_answer([self.series_document(series) for series in self.series.values()])

    def _requested(self, request: web.Request) -> Series | None:
        return self.series.get(int_or(request.match_info.get("id", ""), -1))

    async def _get_series(self, request: web.Request) -> web.Response:
        series = self._requested(request)
        return not_found() if series is None else json_answer(self.series_document(series))

    async def _get_lookup(self, request: web.Request) -> web.Response:
        term = (query(request, "term") or "").lower()
        kind, _, number = term.partition(":")
        if kind in {"tvdb", "tvdbid"}:
            show = self.catalogue.shows.get(int_or(number, -1))
            return json_answer([] if show is None else [self._lookup_document(show)])
        found = [show for show in self.catalogue.shows.values() if term in show.title.lower()]
        return json_answer([self._lookup_document(show) for show in found[:20]])

    def _lookup_document(self, show: Show) -> Json:
        known = self._by_tvdb.get(show.tvdb_id)
        if known is None:
            known = Series(id=0, show=show, added=NEVER)
            known.seasons = dict.fromkeys(show.seasons, True)
        return self.series_document(known)

    async def _post_series(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        body = body if isinstance(body, dict) else {}
        tvdb_id = body.get("tvdbId") or 0
        errors = []
        if tvdb_id <= 0:
            errors.append(error_list("TvdbId", "'Tvdb Id' must be greater than '0'.", tvdb_id))
        if not body.get("title"):
            errors.append(error_list("Title", "'Title' must not be empty."))
        if not body.get("rootFolderPath") and not body.get("path"):
            errors.append(error_list("Path", "'Path' must not be empty."))
        if body.get("qualityProfileId") not in self.profiles:
            errors.append(error_list("QualityProfileId", "Quality Profile does not exist"))
        if not self.at_least(4) and not body.get("languageProfileId"):
            errors.append(error_list("LanguageProfileId", "Language Profile does not exist"))
        show = self.catalogue.shows.get(tvdb_id)
        if tvdb_id > 0 and show is None:
            errors.append(
                error_list(
                    "TvdbId",
                    "A series with this ID was not found",
                    tvdb_id,
                    "SeriesNotFoundValidator",
                )
            )
        if tvdb_id in self._by_tvdb:
            errors.append(
                error_list(
                    "TvdbId",
                    "This series has already been added",
                    tvdb_id,
                    "SeriesExistsValidator",
                )
            )
        if errors or show is None:
            return json_answer(errors, 400)
        wanted = {
            int(item["seasonNumber"]): bool(item.get("monitored", True))
            for item in body.get("seasons") or []
        }
        options = body.get("addOptions") or {}
        if options.get("monitor") == "none":
            wanted = {}
        elif not wanted:
            wanted = {number: number > 0 for number in show.seasons}
        series = self.put_series(
            show,
            monitored=bool(body.get("monitored", False)),
            tags=list(body.get("tags") or []),
            profile=body["qualityProfileId"],
            seasons=[number for number, on in wanted.items() if on],
        )
        # The event follows the first refresh and scan, which go on after the answer.
        self.spawn(self.tell_series_added(series))
        return json_answer(self.series_document(series), 201)

    async def _put_series(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        number = int_or(request.match_info.get("id", ""), -1)
        series = self.series.get(number if number > 0 else body.get("id", -1))
        if series is None:
            return not_found()
        series.monitored = bool(body.get("monitored", series.monitored))
        for item in body.get("seasons") or []:
            self.monitor(series, int(item["seasonNumber"]), on=bool(item.get("monitored")))
        return json_answer(self.series_document(series), 202)

    async def _delete_series(self, request: web.Request) -> web.Response:
        series = self._requested(request)
        if series is None:
            return not_found()
        await self.delete_series(series, files=flag(request, "deleteFiles"))
        return json_answer({})

    async def _get_episodes(self, request: web.Request) -> web.Response:
        series_id, season = query(request, "seriesId"), query(request, "seasonNumber")
        numbers = {int_or(text, -1) for text in query_all(request, "episodeIds")}
        if series_id is None and not numbers:
            return json_answer(
                {"message": "seriesId or episodeIds must be provided", "description": ""}, 400
            )
        if series_id is not None:
            series = self.series.get(int_or(series_id, -1))
            found = [] if series is None else series.episodes
            if season is not None:
                found = [item for item in found if item.about.season == int_or(season, -1)]
        else:
            found = [self.episodes[number] for number in numbers if number in self.episodes]
        files = flag(request, "includeEpisodeFile")
        return json_answer([self.episode_document(item, files=files) for item in found])

    async def _get_episode(self, request: web.Request) -> web.Response:
        episode = self.episodes.get(int_or(request.match_info["id"], -1))
        if episode is None:
            return not_found()
        return json_answer(self.episode_document(episode, files=True))

    async def _put_monitor(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        for number in body.get("episodeIds") or []:
            if number in self.episodes:
                self.episodes[number].monitored = bool(body.get("monitored"))
        return json_answer([], 202)

    async def _get_history_series(self, request: web.Request) -> web.Response:
        text, season = query(request, "seriesId"), query(request, "seasonNumber")
        if text is None:
            return bad_value("seriesId", text)
        event = query(request, "eventType")
        rows = [
            row
            for row in self.history
            if row.series_id == int_or(text, -1)
            and (season is None or row.season == int_or(season, -1))
            and (event is None or row.event.lower() == event.lower())
        ]
        rows.sort(key=lambda row: (row.date, row.id), reverse=True)
        return json_answer([self.history_document(row, request) for row in rows])

    async def _get_calendar(self, request: web.Request) -> web.Response:
        start, end = calendar_window(request, self.clock.now())
        unmonitored, with_series = flag(request, "unmonitored"), flag(request, "includeSeries")
        documents = []
        for episode in self.episodes.values():
            aired = episode.about.aired
            if aired is None or not start <= aired <= end:
                continue
            series = self.series[episode.series_id]
            if not unmonitored and not (series.monitored and episode.monitored):
                continue
            document = self.episode_document(episode)
            if with_series:
                document["series"] = self.series_document(series)
            documents.append((aired, document))
        documents.sort(key=lambda item: item[0])
        return json_answer([document for _, document in documents])

    # --- documents ----------------------------------------------------------------------

    def _has_aired(self, episode: Episode) -> bool:
        return episode.about.aired is not None and episode.about.aired <= self.clock.now()

    def _statistics(self, episodes: Sequence[Episode]) -> Json:
        files = {item.file.id: item.file for item in episodes if item.file is not None}
        with_file = sum(item.file is not None for item in episodes)
        counted = sum(
            item.file is not None or (item.monitored and self._has_aired(item)) for item in episodes
        )
        upcoming = [
            item.about.aired
            for item in episodes
            if item.monitored and item.about.aired is not None and not self._has_aired(item)
        ]
        past = [
            item.about.aired
            for item in episodes
            if item.about.aired is not None and self._has_aired(item)
        ]
        return without_null(
            {
                "nextAiring": net_date(min(upcoming)) if upcoming else None,
                "previousAiring": net_date(max(past)) if past else None,
                "episodeFileCount": with_file,
                "episodeCount": counted,
                "totalEpisodeCount": len(episodes),
                "sizeOnDisk": sum(file.size for file in files.values()),
                "releaseGroups": sorted({file.group for file in files.values() if file.group}),
                "percentOfEpisodes": with_file * 100 / counted if counted else 0,
            }
        )

    def series_document(self, series: Series) -> Json:
        """Describe a series as the API shows it."""
        show = series.show
        statistics = self._statistics(series.episodes)
        seasons = []
        for number in sorted(set(series.seasons) | set(show.seasons)):
            season: Json = {
                "seasonNumber": number,
                "monitored": series.seasons.get(number, False),
            }
            if series.id:
                season["statistics"] = self._statistics(series.season(number))
            seasons.append(season)
        next_airing = statistics.pop("nextAiring", None)
        previous = statistics.pop("previousAiring", None)
        document: Json = {
            "title": show.title,
            "alternateTitles": [],
            "sortTitle": show.title.lower(),
            "status": "ended" if show.ended else "continuing",
            "ended": show.ended,
            "overview": show.overview,
            "nextAiring": next_airing,
            "previousAiring": previous,
            "network": show.network,
            "airTime": "20:00",
            "images": images("series", series.id, show.poster, self.url_base),
            "originalLanguage": ENGLISH,
            "seasons": seasons,
            "year": show.year,
            "path": self.folder_of(series) if series.id else None,
            "qualityProfileId": series.profile if series.id else 0,
            "seasonFolder": True,
            "monitored": series.monitored,
            "monitorNewItems": "all",
            "useSceneNumbering": False,
            "runtime": show.runtime,
            "tvdbId": show.tvdb_id,
            "tvRageId": 0,
            "tvMazeId": show.tvmaze_id,
            "firstAired": f"{show.year}-01-01T00:00:00Z",
            "seriesType": show.type,
            "cleanTitle": "".join(filter(str.isalnum, show.title.lower())),
            "imdbId": show.imdb_id,
            "titleSlug": slug(show.title),
            "rootFolderPath": f"{self.root_folder}/",
            "genres": list(show.genres),
            "tags": series.tags,
            "added": net_date(series.added) if series.id else "0001-01-01T00:00:00Z",
            "ratings": {"votes": 0, "value": 0.0},
            "statistics": {"seasonCount": len([n for n in show.seasons if n]), **statistics},
            "languageProfileId": 1,
        }
        if self.at_least(4, 0, 5, 1760):
            document["tmdbId"] = show.tmdb_id
        if series.id:
            document["id"] = series.id
        return without_null(document)

    def episode_document(self, episode: Episode, *, files: bool = False) -> Json:
        """Describe an episode as the API shows it."""
        about = episode.about
        document: Json = {
            "seriesId": episode.series_id,
            "tvdbId": about.tvdb_id,
            "episodeFileId": episode.file.id if episode.file else 0,
            "seasonNumber": about.season,
            "episodeNumber": about.number,
            "title": about.title,
            "airDate": about.aired.date().isoformat() if about.aired else None,
            "airDateUtc": net_date(about.aired) if about.aired else None,
            "runtime": 47,
            "overview": f"{about.title} is opened.",
            "hasFile": episode.file is not None,
            "monitored": episode.monitored,
            "unverifiedSceneNumbering": False,
            "id": episode.id,
        }
        if files and episode.file is not None:
            file = episode.file
            document["episodeFile"] = {
                "seriesId": episode.series_id,
                "seasonNumber": file.season,
                "relativePath": file.name,
                "size": file.size,
                "dateAdded": net_date(to_the_second(file.added)),
                "languages": [ENGLISH],
                "quality": quality_document(file.quality, modifier=False),
                "id": file.id,
            }
        return without_null(document)

    @override
    def queue_rows(self, download: Download, request: web.Request | None) -> list[Json]:
        if download.series_id is None:
            return [self._queue_row(download, download.number)]
        rows = []
        for number in download.episode_ids:
            episode = self.episodes[number]
            row: Json = {
                "seriesId": download.series_id,
                "episodeId": number,
                "seasonNumber": episode.about.season,
                **self._queue_row(download, crc32(f"{download.number}-{number}".encode())),
            }
            row["episodeHasFile"] = episode.file is not None
            if request is not None and flag(request, "includeSeries"):
                row["series"] = self.series_document(self.series[download.series_id])
            if request is not None and flag(request, "includeEpisode"):
                row["episode"] = self.episode_document(episode)
            rows.append(row)
        return rows

    @override
    def history_document(self, row: HistoryRow, request: web.Request) -> Json:
        document = {
            "episodeId": row.episode_id,
            "seriesId": row.series_id,
            **self._history_row(row),
        }
        if flag(request, "includeSeries") and row.series_id in self.series:
            document["series"] = self.series_document(self.series[row.series_id])
        if flag(request, "includeEpisode") and row.episode_id in self.episodes:
            document["episode"] = self.episode_document(self.episodes[row.episode_id])
        return document

    def _series(self, series: Series) -> Json:
        show = series.show
        payload: Json = {"id": series.id, "title": show.title}
        modern = self.at_least(4)
        if modern:
            payload["titleSlug"] = slug(show.title)
        payload |= {
            "path": self.folder_of(series),
            "tvdbId": show.tvdb_id,
            "tvMazeId": show.tvmaze_id,
        }
        if self.at_least(4, 0, 5, 1760):
            payload["tmdbId"] = show.tmdb_id
        payload |= {"imdbId": show.imdb_id, "type": show.type}
        if modern:
            payload["year"] = show.year
        if self.at_least(4, 0, 5, 1719):
            payload["genres"] = list(show.genres)
            payload["images"] = images("series", series.id, show.poster, self.url_base)
        if self.at_least(4, 0, 4, 1650):
            payload["tags"] = [self.tags[tag] for tag in series.tags if tag in self.tags]
        if self.at_least(4, 0, 11, 2724):
            payload["originalLanguage"] = ENGLISH
        return without_null(payload)

    def _episode(self, episode: Episode) -> Json:
        about = episode.about
        payload: Json = {
            "id": episode.id,
            "episodeNumber": about.number,
            "seasonNumber": about.season,
            "title": about.title,
            "airDate": about.aired.date().isoformat() if about.aired else None,
            "airDateUtc": net_date(about.aired) if about.aired else None,
        }
        if self.at_least(4):
            payload |= {
                "overview": f"{about.title} is opened.",
                "seriesId": episode.series_id,
                "tvdbId": about.tvdb_id,
            }
        return without_null(payload)

    def _file(self, series: Series, file: EpisodeFile, *, imported: bool = False) -> Json:
        in_library = self.at_least(4, 0, 9, 2257) or not imported
        payload: Json = {
            "id": file.id,
            "relativePath": file.name,
            "path": f"{self.folder_of(series)}/{file.name}" if in_library else file.source,
            "quality": file.quality,
            "qualityVersion": 1,
            "releaseGroup": file.group,
            "sceneName": file.scene_name,
            "size": file.size,
        }
        if self.at_least(4):
            payload["dateAdded"] = net_date(file.added)
            payload["mediaInfo"] = media_info(file.quality)
        if self.at_least(4, 0, 11):
            payload["languages"] = [ENGLISH]
        if imported and self.at_least(4, 0, 10, 2624):
            payload["sourcePath"] = file.source
        return without_null(payload)

    def _deleted_file(self, series: Series, file: EpisodeFile) -> Json:
        if self.at_least(4):
            return self._file(series, file)
        # The old version sends its internal record, with an object where others have a name.
        return {
            "seriesId": series.id,
            "seasonNumber": file.season,
            "relativePath": file.name,
            "size": file.size,
            "dateAdded": net_date(file.added),
            "quality": quality_document(file.quality, modifier=False),
            "series": {"value": self.series_document(series), "isLoaded": True},
            "language": ENGLISH,
            "id": file.id,
        }

    def _release(self, download: Download | None) -> Json:
        if download is None:
            return {"releaseType": "unknown"}
        return {
            "releaseTitle": download.title,
            "indexer": download.indexer,
            "size": download.size,
            "releaseType": self._release_type(download),
        }

    def _release_type(self, download: Download) -> str:
        if re.search(r"\.S\d+\.", download.title):
            return "seasonPack"
        return "multiEpisode" if len(download.episode_ids) > 1 else "singleEpisode"

    @override
    def test_payload(self) -> Json:
        series: Json = {
            "id": 1,
            "title": "Test Title",
            "path": "C:\\testpath",
            "tvdbId": 1234,
        }
        episode: Json = {
            "id": 123,
            "episodeNumber": 1,
            "seasonNumber": 1,
            "title": "Test title",
        }
        if self.at_least(4):
            series |= {"tvMazeId": 0, "tmdbId": 0, "type": "standard", "year": 0}
            episode |= {"seriesId": 0, "tvdbId": 0}
        if self.at_least(4, 0, 4):
            series["tags"] = ["test-tag"]
        return {"series": series, "episodes": [episode], **self.base_keys("Test")}

    # --- what happens -------------------------------------------------------------------

    def find(self, tvdb_id: int) -> Series | None:
        """Return the series with this id, if Sonarr has it."""
        return self._by_tvdb.get(tvdb_id)

    def put_series(
        self,
        show: Show,
        *,
        seasons: Iterable[int] | None = None,
        added: datetime | None = None,
        quality: str | None = None,
        **values: Any,
    ) -> Series:
        """Put a series into the library without telling anybody; a quality gives it its files."""
        wanted = set(show.seasons if seasons is None else seasons)
        series = Series(
            id=self.next_id("series"),
            show=show,
            added=to_the_second(added or self.clock.now()),
            seasons={number: number in wanted for number in show.seasons},
            **values,
        )
        self.series[series.id] = series
        self._by_tvdb[show.tvdb_id] = series
        self.refresh(series)
        if quality is not None:
            for episode in series.episodes:
                if episode.monitored and self._has_aired(episode):
                    episode.file = self._new_file(
                        series, episode, quality, 2 * GIB, added=series.added
                    )
                    self._shelve(series, episode, episode.file)
        return series

    def refresh(self, series: Series) -> None:
        """Take over the episodes that the metadata service knows by now."""
        known = {item.about.tvdb_id: item for item in series.episodes}
        for about in series.show.episodes:
            if (episode := known.get(about.tvdb_id)) is not None:
                episode.about = about
                continue
            series.seasons.setdefault(about.season, about.season > 0)
            episode = Episode(
                id=self.next_id("episode"),
                series_id=series.id,
                about=about,
                monitored=series.seasons[about.season],
            )
            series.episodes.append(episode)
            self.episodes[episode.id] = episode

    def monitor(self, series: Series, season: int, *, on: bool = True) -> None:
        """Watch a season or stop watching it."""
        if series.seasons.get(season) == on:
            return
        series.seasons[season] = on
        for episode in series.season(season):
            episode.monitored = on

    async def add_series(self, show: Show, **values: Any) -> Series:
        """Add a series and say so."""
        series = self.put_series(show, **values)
        await self.tell_series_added(series)
        return series

    async def tell_series_added(self, series: Series) -> None:
        """Send the event that follows the first refresh."""
        if self.at_least(4):
            payload = {"series": self._series(series), **self.base_keys("SeriesAdd")}
            await self.publish("SeriesAdd", ["onSeriesAdd"], payload, tags=series.tags)

    async def grab(
        self,
        episodes: Sequence[Episode],
        *,
        quality: str = "WEBDL-1080p",
        size: int | None = None,
        client: Client = USENET,
    ) -> Download:
        """Choose a release for one episode or, as a pack, for several."""
        series = self.series[episodes[0].series_id]
        first = episodes[0].about
        part = (
            f"S{first.season:02d}"
            if len(episodes) > 1
            else f"S{first.season:02d}E{first.number:02d}"
        )
        download = self.make_download(
            release_name(series.show.title, f"{part}.{QUALITIES[quality][2]}p.WEB.H265"),
            quality,
            size=len(episodes) * 2 * GIB if size is None else size,
            client=client,
        )
        download.series_id = series.id
        download.episode_ids = [episode.id for episode in episodes]
        for episode in episodes:
            self._row("grabbed", download, episode, self.grab_data(download))
        release: Json = {
            "quality": quality,
            "qualityVersion": 1,
            "releaseGroup": download.group,
            "releaseTitle": download.title,
            "indexer": download.indexer,
            "size": download.size,
        }
        if self.at_least(4):
            release |= {"customFormatScore": 0, "customFormats": [], "languages": [ENGLISH]}
        payload = {
            "series": self._series(series),
            "episodes": [self._episode(episode) for episode in episodes],
            "release": release,
            **self.release_keys(download),
            **(self.custom_formats() if self.at_least(4) else {}),
            **self.base_keys("Grab"),
        }
        await self.publish("Grab", ["onGrab"], payload, tags=series.tags)
        return download

    def _row(
        self,
        event: str,
        download: Download | None,
        episode: Episode,
        data: dict[str, str | None],
        **more: Any,
    ) -> None:
        self.remember(
            event,
            download,
            series_id=episode.series_id,
            episode_id=episode.id,
            season=episode.about.season,
            data=data,
            **more,
        )

    def _new_file(
        self, series: Series, episode: Episode, quality: str, size: int, *, added: datetime
    ) -> EpisodeFile:
        number = self.next_id("file")
        about = episode.about
        name = (
            f"Season {about.season}/{series.show.title} - "
            f"S{about.season:02d}E{about.number:02d} - {about.title} [{quality}].mkv"
        )
        return EpisodeFile(
            id=number, name=name, season=about.season, quality=quality, size=size, added=added
        )

    def folder_of(self, series: Series) -> str:
        """Return the folder of a series."""
        return f"{self.root_folder}/{series.show.title}"

    def path_of(self, series: Series, file: EpisodeFile) -> str:
        """Return where a file of a series is on the disk."""
        return f"{self.folder_of(series)}/{file.name}"

    def _shelve(self, series: Series, episode: Episode, file: EpisodeFile) -> None:
        show, about = series.show, episode.about
        self.shelf.put(
            ShelfFile(
                path=self.path_of(series, file),
                media_type="series",
                title=show.title,
                year=show.year,
                tmdb_id=show.tmdb_id or None,
                tvdb_id=show.tvdb_id,
                imdb_id=show.imdb_id,
                season=about.season,
                episode=about.number,
                episode_title=about.title,
                air_date=None if about.aired is None else about.aired.date().isoformat(),
                height=QUALITIES[file.quality][2],
                added_at=file.added,
            )
        )

    async def import_files(
        self, download: Download, episodes: Sequence[Episode] | None = None
    ) -> list[EpisodeFile]:
        """Import a finished download, or the given episodes of it, one file each."""
        series = self.series[download.series_id or 0]
        todo = [self.episodes[number] for number in download.episode_ids]
        chosen = todo if episodes is None else list(episodes)
        files = [await self._import_one(series, episode, download) for episode in chosen]
        download.episode_ids = [item.id for item in todo if item not in chosen]
        if download.episode_ids:
            download.state, download.health = "importPending", "warning"
            return files
        self.drop(download)
        download.episode_ids = [item.id for item in todo]
        if self.at_least(4, 0, 6, 1847):
            await self._tell_complete(series, todo, files, download)
        return files

    async def _import_one(
        self, series: Series, episode: Episode, download: Download
    ) -> EpisodeFile:
        old = episode.file
        if old is not None:
            await self._file_deleted(series, [episode], old, "upgrade")
        count = max(len(download.episode_ids), 1)
        new = self._new_file(
            series, episode, download.quality, download.size // count, added=self.clock.now()
        )
        new.group, new.scene_name = download.group, download.title
        new.source = f"/downloads/complete/{download.title}/{new.name.split('/')[-1]}"
        episode.file = new
        self._shelve(series, episode, new)
        data: dict[str, str | None] = {
            "fileId": str(new.id),
            "droppedPath": new.source,
            "importedPath": self.path_of(series, new),
            "downloadClient": download.client.type,
            "downloadClientName": download.client.name,
            "releaseGroup": new.group,
            "size": str(new.size),
            "releaseType": self._release_type(download)[0].upper()
            + self._release_type(download)[1:],
        }
        self._row("downloadFolderImported", download, episode, data)
        payload: Json = {
            "series": self._series(series),
            "episodes": [self._episode(episode)],
            "episodeFile": self._file(series, new, imported=True),
            "isUpgrade": old is not None,
            **self.release_keys(download),
        }
        if old is not None:
            payload["deletedFiles"] = [self._file(series, old)]
        if self.at_least(4):
            payload |= {**self.custom_formats(), "release": self._release(download)}
        payload |= self.base_keys("Download")
        flags = ["onDownload", "onUpgrade"] if old is not None else ["onDownload"]
        await self.publish("Download", flags, payload, tags=series.tags)
        return new

    async def _tell_complete(
        self,
        series: Series,
        episodes: Sequence[Episode],
        files: Sequence[EpisodeFile],
        download: Download,
    ) -> None:
        payload: Json = {
            "series": self._series(series),
            "episodes": [self._episode(episode) for episode in episodes],
            "episodeFiles": [self._file(series, file, imported=True) for file in files],
            **self.release_keys(download),
            "release": self._release(download),
            "fileCount": len(files),
            "sourcePath": f"/downloads/complete/{download.title}",
            "destinationPath": f"{self.folder_of(series)}/Season {episodes[0].about.season}",
            **self.base_keys("Download"),
        }
        await self.publish("Download", ["onImportComplete"], payload, tags=series.tags)

    async def block_import(self, download: Download, message: str) -> None:
        """Leave a finished download for a person to look at."""
        self.progress(download, 1)
        download.state = "importBlocked" if self.at_least(4, 0, 5, 1778) else "importPending"
        download.health = "warning"
        download.messages = [{"title": download.title, "messages": [message]}]
        if download.interaction_told or not self.at_least(4):
            return
        download.interaction_told = True
        series = self.series.get(download.series_id or 0)
        payload: Json = {} if series is None else {"series": self._series(series)}
        payload |= {
            "episodes": [self._episode(self.episodes[number]) for number in download.episode_ids],
            "downloadInfo": {
                "quality": download.quality,
                "qualityVersion": 1,
                "title": download.title,
                "size": download.size,
            },
            **self.release_keys(download),
        }
        if self.at_least(4, 0, 2, 1408):
            payload["downloadStatus"] = "Warning"
            payload["downloadStatusMessages"] = download.messages
        payload |= {**self.custom_formats(), "release": self._release(download)}
        payload |= self.base_keys("ManualInteractionRequired")
        tags = None if series is None else series.tags
        await self.publish(
            "ManualInteractionRequired", ["onManualInteractionRequired"], payload, tags=tags
        )

    def fail(self, download: Download, message: str = "Aborted, cannot be completed") -> None:
        """Give a download up: a row per episode, and no webhook tells."""
        self.drop(download)
        for number in download.episode_ids:
            self._row("downloadFailed", download, self.episodes[number], {"message": message})

    def ignore(self, download: Download) -> None:
        """Stop watching a download; no webhook tells."""
        self.drop(download)
        for number in download.episode_ids:
            self._row(
                "downloadIgnored", download, self.episodes[number], {"message": "Manually ignored"}
            )

    def scan_file(self, episode: Episode, *, quality: str = "WEBDL-1080p") -> EpisodeFile:
        """Find a file on the disk; neither webhook nor history tells."""
        series = self.series[episode.series_id]
        episode.file = self._new_file(series, episode, quality, 2 * GIB, added=self.clock.now())
        self._shelve(series, episode, episode.file)
        return episode.file

    async def _file_deleted(
        self, series: Series, episodes: Sequence[Episode], file: EpisodeFile, reason: str
    ) -> None:
        self.shelf.remove(self.path_of(series, file))
        for episode in episodes:
            self._row(
                "episodeFileDeleted",
                None,
                episode,
                {"reason": reason[0].upper() + reason[1:]},
                title=file.name,
                quality=file.quality,
            )
        payload = {
            "series": self._series(series),
            "episodes": [self._episode(episode) for episode in episodes],
            "episodeFile": self._deleted_file(series, file),
            "deleteReason": reason,
            **self.base_keys("EpisodeFileDelete"),
        }
        flags = ["onEpisodeFileDelete"]
        if reason == "upgrade":
            flags.append("onEpisodeFileDeleteForUpgrade")
        await self.publish("EpisodeFileDelete", flags, payload, tags=series.tags)

    async def delete_file(self, episode: Episode, reason: str = "manual") -> None:
        """Delete the file of an episode, or notice that it is missing."""
        file, episode.file = episode.file, None
        if file is not None:
            await self._file_deleted(self.series[episode.series_id], [episode], file, reason)

    async def rename_files(self, series: Series) -> None:
        """Rename every file of a series."""
        renamed = []
        for episode in series.episodes:
            file = episode.file
            if file is None:
                continue
            self.shelf.remove(self.path_of(series, file))
            old, file.name = file.name, f"{file.name.removesuffix('.mkv')} renamed.mkv"
            self._shelve(series, episode, file)
            self._row("episodeFileRenamed", None, episode, {"path": file.name}, title=old)
            renamed.append(
                self._file(series, file)
                | {
                    "previousRelativePath": old,
                    "previousPath": f"{self.folder_of(series)}/{old}",
                }
            )
        payload = {
            "series": self._series(series),
            "renamedEpisodeFiles": renamed,
            **self.base_keys("Rename"),
        }
        await self.publish("Rename", ["onRename"], payload, tags=series.tags)

    async def delete_series(self, series: Series, *, files: bool = True) -> None:
        """Remove a series; its history goes with it."""
        del self.series[series.id]
        self._by_tvdb.pop(series.show.tvdb_id, None)
        for episode in series.episodes:
            self.episodes.pop(episode.id, None)
            if files and episode.file is not None:
                self.shelf.remove(self.path_of(series, episode.file))
        self.history = [row for row in self.history if row.series_id != series.id]
        for download in self.downloads:
            if download.series_id == series.id:
                download.series_id, download.episode_ids = None, []
        payload = {
            "series": self._series(series),
            "deletedFiles": files,
            **self.base_keys("SeriesDelete"),
        }
        await self.publish("SeriesDelete", ["onSeriesDelete"], payload, tags=series.tags)
