"""A simulated Radarr: films, their files, and everything Radarr tells about them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, override

from aiohttp import web

from .arr import (
    ENGLISH,
    GIB,
    QUALITIES,
    TORRENT,
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
from .clock import NEVER, net_date, parse_date, to_the_second
from .connections import ConnectionFeatures
from .faults import Json
from .library import Film, release_name
from .service import error_list, flag, json_answer, query, read_json
from .shelf import ShelfFile


@dataclass(slots=True, kw_only=True)
class FilmFile:
    """The file of a film."""

    id: int
    name: str
    quality: str
    size: int
    added: datetime
    group: str | None = None
    scene_name: str | None = None
    source: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Movie:
    """A film in Radarr's library."""

    id: int
    film: Film
    added: datetime
    monitored: bool = True
    minimum_availability: str = "released"
    profile: int = 4
    tags: list[int] = field(default_factory=list)
    file: FilmFile | None = None


class RadarrDouble(ArrDouble):
    """A simulated Radarr."""

    kind = "radarr"
    app_name = "Radarr"
    usual_root = "/movies"
    event_numbers: ClassVar[dict[str, int]] = {
        "grabbed": 1,
        "downloadFolderImported": 3,
        "downloadFailed": 4,
        "movieFileDeleted": 6,
        "movieFolderImported": 7,
        "movieFileRenamed": 8,
        "downloadIgnored": 9,
    }

    @override
    def _clear(self) -> None:
        super()._clear()
        self.movies: dict[int, Movie] = {}
        self._by_tmdb: dict[int, Movie] = {}

    @override
    def features(self) -> ConnectionFeatures:
        flags = ["onGrab", "onDownload", "onUpgrade", "onRename"]
        if self.at_least(4, 2):
            flags.append("onMovieAdded")
        flags += ["onMovieDelete", "onMovieFileDelete", "onMovieFileDeleteForUpgrade"]
        flags.append("onHealthIssue")
        if self.at_least(4, 5):
            flags.append("onHealthRestored")
        flags.append("onApplicationUpdate")
        if self.at_least(4, 5):
            flags.append("onManualInteractionRequired")
        return ConnectionFeatures(
            flags=tuple(flags),
            headers=self.at_least(5, 16),
            backoff=self.at_least(5),
            masks_password=self.at_least(5),
            tests_only_changes=self.at_least(5, 7),
        )

    # --- HTTP ---------------------------------------------------------------------------

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        yield from super().routes()
        api = "/api/v3"
        yield web.get(f"{api}/movie", self._get_movies)
        yield web.post(f"{api}/movie", self._post_movie)
        yield web.get(f"{api}/movie/lookup", self._get_lookup)
        yield web.get(f"{api}/movie/lookup/tmdb", self._get_lookup_tmdb)
        yield web.get(f"{api}/movie/{{id}}", self._get_movie)
        yield web.put(f"{api}/movie/{{id}}", self._put_movie)
        yield web.delete(f"{api}/movie/{{id}}", self._delete_movie)
        yield web.get(f"{api}/history/movie", self._get_history_movie)
        yield web.get(f"{api}/calendar", self._get_calendar)

    async def _get_movies(self, request: web.Request) -> web.Response:
        wanted = query(request, "tmdbId")
        if wanted is not None:
            movie = self._by_tmdb.get(int_or(wanted, -1))
            return json_answer([] if movie is None else [self.movie_document(movie)])
        return json_answer([self.movie_document(movie) for movie in self.movies.values()])

    async def _get_movie(self, request: web.Request) -> web.Response:
        movie = self.movies.get(int_or(request.match_info["id"], -1))
        return not_found() if movie is None else json_answer(self.movie_document(movie))

    async def _get_lookup(self, request: web.Request) -> web.Response:
        term = (query(request, "term") or "").lower()
        kind, _, number = term.partition(":")
        if kind in {"tmdb", "tmdbid"}:
            film = self.catalogue.films.get(int_or(number, -1))
            return json_answer([] if film is None else [self._lookup_document(film)])
        found = [film for film in self.catalogue.films.values() if term in film.title.lower()]
        return json_answer([self._lookup_document(film) for film in found[:20]])

    async def _get_lookup_tmdb(self, request: web.Request) -> web.Response:
        film = self.catalogue.films.get(int_or(query(request, "tmdbId") or "", -1))
        return not_found() if film is None else json_answer(self._lookup_document(film))

    def _lookup_document(self, film: Film) -> Json:
        known = self._by_tmdb.get(film.tmdb_id)
        return self.movie_document(known or Movie(id=0, film=film, added=NEVER))

    async def _post_movie(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        body = body if isinstance(body, dict) else {}
        tmdb_id = body.get("tmdbId") or 0
        errors = []
        if not tmdb_id:
            errors.append(error_list("TmdbId", "'Tmdb Id' must not be empty.", tmdb_id))
        if not body.get("rootFolderPath") and not body.get("path"):
            errors.append(error_list("Path", "'Path' must not be empty."))
        if body.get("qualityProfileId") not in self.profiles:
            errors.append(
                error_list(
                    "QualityProfileId",
                    "Quality Profile does not exist",
                    body.get("qualityProfileId"),
                )
            )
        film = self.catalogue.films.get(tmdb_id)
        if tmdb_id and film is None:
            errors.append(
                error_list(
                    "TmdbId",
                    "A movie with this ID was not found",
                    tmdb_id,
                    "MovieNotFoundValidator",
                )
            )
        if tmdb_id in self._by_tmdb:
            errors.append(
                error_list(
                    "TmdbId",
                    "This movie has already been added",
                    tmdb_id,
                    "MovieExistsValidator",
                )
            )
        if errors or film is None:
            return json_answer(errors, 400)
        options = body.get("addOptions")
        movie = await self.add_movie(
            film,
            monitored=bool(body.get("monitored", False)),
            tags=list(body.get("tags") or []),
            profile=body["qualityProfileId"],
            minimum_availability=str(body.get("minimumAvailability") or "released"),
            # Without add options the application cannot say how the film came in, and the
            # event dies inside the connection, which counts as its failure.
            method=None if options is None else str(options.get("addMethod") or "manual"),
        )
        return json_answer(self.movie_document(movie), 201)

    async def _put_movie(self, request: web.Request) -> web.Response:
        movie = self.movies.get(int_or(request.match_info["id"], -1))
        if movie is None:
            return not_found()
        body = await read_json(request)
        movie.monitored = bool(body.get("monitored", movie.monitored))
        movie.tags = list(body.get("tags") or [])
        movie.profile = body.get("qualityProfileId", movie.profile)
        return json_answer(self.movie_document(movie), 202)

    async def _delete_movie(self, request: web.Request) -> web.Response:
        movie = self.movies.get(int_or(request.match_info["id"], -1))
        if movie is None:
            return not_found()
        await self.delete_movie(movie, files=flag(request, "deleteFiles"))
        return json_answer({})

    async def _get_history_movie(self, request: web.Request) -> web.Response:
        text = query(request, "movieId")
        if text is None:
            return bad_value("movieId", text)
        event = query(request, "eventType")
        rows = [
            row
            for row in self.history
            if row.movie_id == int_or(text, -1)
            and (event is None or row.event.lower() == event.lower())
        ]
        rows.sort(key=lambda row: (row.date, row.id), reverse=True)
        return json_answer([self.history_document(row, request) for row in rows])

    async def _get_calendar(self, request: web.Request) -> web.Response:
        start, end = calendar_window(request, self.clock.now())
        unmonitored = flag(request, "unmonitored")
        return json_answer(
            [
                self.movie_document(movie)
                for movie in self.movies.values()
                if (movie.monitored or unmonitored)
                and any(
                    day is not None and start.date() <= day <= end.date()
                    for day in (
                        movie.film.release_date,
                        movie.film.in_cinemas,
                        movie.film.on_disc,
                    )
                )
            ]
        )

    # --- documents ----------------------------------------------------------------------

    def movie_document(self, movie: Movie) -> Json:
        """Describe a film as the API shows it."""
        film = movie.film
        released = film.release_date <= self.clock.now().date()
        folder = self.folder_of(movie)
        document: Json = {
            "title": film.title,
            "originalTitle": film.title,
            "originalLanguage": ENGLISH,
            "alternateTitles": [],
            "secondaryYearSourceId": 0,
            "sortTitle": film.title.lower(),
            "sizeOnDisk": movie.file.size if movie.file else 0,
            "status": "released" if released else "announced",
            "overview": film.overview,
            "inCinemas": _midnight(film.in_cinemas),
            "digitalRelease": _midnight(film.release_date),
            "physicalRelease": _midnight(film.on_disc),
            "images": images("movie", movie.id, film.poster, self.url_base),
            "website": "",
            "year": film.year,
            "youTubeTrailerId": "",
            "studio": "Simulated Pictures",
            "path": folder if movie.id else None,
            "qualityProfileId": movie.profile if movie.id else 0,
            "hasFile": movie.file is not None,
            "movieFileId": movie.file.id if movie.file else 0,
            "monitored": movie.monitored,
            "minimumAvailability": movie.minimum_availability,
            "isAvailable": released,
            "folderName": folder if movie.id else "",
            "runtime": film.runtime,
            "cleanTitle": "".join(filter(str.isalnum, film.title.lower())),
            "imdbId": film.imdb_id,
            "tmdbId": film.tmdb_id,
            "titleSlug": str(film.tmdb_id),
            "rootFolderPath": f"{self.root_folder}/",
            "certification": "PG",
            "genres": list(film.genres),
            "tags": movie.tags,
            "added": net_date(movie.added) if movie.id else "0001-01-01T00:00:00Z",
            "ratings": {"tmdb": {"votes": 49, "value": 7.051, "type": "user"}},
            "popularity": 12.908,
            "statistics": {
                "movieFileCount": 1 if movie.file else 0,
                "sizeOnDisk": movie.file.size if movie.file else 0,
                "releaseGroups": [movie.file.group] if movie.file and movie.file.group else [],
            },
        }
        if movie.file is not None:
            document["movieFile"] = self._file_resource(movie, movie.file)
        if movie.id:
            document["id"] = movie.id
        return without_null(document)

    def _file_resource(self, movie: Movie, file: FilmFile) -> Json:
        return without_null(
            {
                "movieId": movie.id,
                "relativePath": file.name,
                "path": self.path_of(movie, file),
                "size": file.size,
                "dateAdded": net_date(to_the_second(file.added)),
                "sceneName": file.scene_name,
                "releaseGroup": file.group,
                "edition": "",
                "languages": [ENGLISH],
                "quality": quality_document(file.quality, modifier=True),
                "customFormats": [],
                "customFormatScore": 0,
                "indexerFlags": 0,
                "mediaInfo": {
                    "audioBitrate": 0,
                    "audioChannels": 5.1,
                    "audioCodec": "EAC3",
                    "resolution": resolution_text(file.quality),
                    "videoCodec": "x265",
                },
                "qualityCutoffNotMet": False,
                "id": file.id,
            }
        )

    @override
    def queue_rows(self, download: Download, request: web.Request | None) -> list[Json]:
        row = self._queue_row(download, download.number)
        if download.movie_id is not None:
            row = {"movieId": download.movie_id, **row}
            if request is not None and flag(request, "includeMovie"):
                row["movie"] = self.movie_document(self.movies[download.movie_id])
        return [row]

    @override
    def history_document(self, row: HistoryRow, request: web.Request) -> Json:
        document = {"movieId": row.movie_id, **self._history_row(row)}
        if flag(request, "includeMovie") and row.movie_id in self.movies:
            document["movie"] = self.movie_document(self.movies[row.movie_id])
        return document

    def _movie(self, movie: Movie) -> Json:
        film = movie.film
        payload: Json = {
            "id": movie.id,
            "title": film.title,
            "year": film.year,
            "releaseDate": film.release_date.isoformat() if film.year else "9999-12-31",
            "folderPath": self.folder_of(movie),
            "tmdbId": film.tmdb_id,
            "imdbId": film.imdb_id,
        }
        if self.at_least(4, 4, 3):
            payload["overview"] = film.overview
        if self.at_least(5, 8, 1):
            payload["genres"] = list(film.genres)
            payload["images"] = images("movie", movie.id, film.poster, self.url_base)
        if self.at_least(5, 3, 4):
            payload["tags"] = [self.tags[tag] for tag in movie.tags if tag in self.tags]
        if self.at_least(5, 16, 1):
            payload["originalLanguage"] = ENGLISH
        return without_null(payload)

    def _remote_movie(self, movie: Movie) -> Json:
        film = movie.film
        return without_null(
            {
                "tmdbId": film.tmdb_id,
                "imdbId": film.imdb_id,
                "title": film.title,
                "year": film.year,
            }
        )

    def _file(self, movie: Movie, file: FilmFile, *, imported: bool = False) -> Json:
        in_library = self.at_least(5, 10, 1) or not imported
        payload: Json = {
            "id": file.id,
            "relativePath": file.name,
            "path": self.path_of(movie, file) if in_library else file.source,
            "quality": file.quality,
            "qualityVersion": 1,
            "releaseGroup": file.group,
            "sceneName": file.scene_name,
            "indexerFlags": "0",
            "size": file.size,
            "dateAdded": net_date(file.added),
            "languages": [ENGLISH] if self.at_least(5, 16, 1) else None,
            "mediaInfo": media_info(file.quality),
        }
        if imported and self.at_least(5, 15, 1):
            payload["sourcePath"] = file.source
        return without_null(payload)

    def _release(self, download: Download | None) -> Json:
        payload: Json = {}
        if download is not None:
            payload |= {"releaseTitle": download.title, "indexer": download.indexer}
        payload["size"] = download.size if download else 0
        if self.at_least(5, 22, 1):
            payload["indexerFlags"] = []
        return payload

    @override
    def test_payload(self) -> Json:
        movie: Json = {
            "id": 1,
            "title": "Test Title",
            "year": 1970,
            "releaseDate": "1970-01-01",
            "folderPath": "C:\\testpath",
            "tmdbId": 0,
        }
        if self.at_least(5, 3, 4):
            movie["tags"] = ["test-tag"]
        return {
            "movie": movie,
            "remoteMovie": {
                "tmdbId": 1234,
                "imdbId": "5678",
                "title": "Test title",
                "year": 1970,
            },
            "release": {
                "quality": "Test Quality",
                "qualityVersion": 1,
                "releaseGroup": "Test Group",
                "releaseTitle": "Test Title",
                "indexer": "Test Indexer",
                "size": 9999999,
                "customFormatScore": 0,
            },
            **self.base_keys("Test"),
        }

    # --- what happens -------------------------------------------------------------------

    def find(self, tmdb_id: int) -> Movie | None:
        """Return the film with this id, if Radarr has it."""
        return self._by_tmdb.get(tmdb_id)

    def put_movie(
        self,
        film: Film,
        *,
        added: datetime | None = None,
        quality: str | None = None,
        **values: Any,
    ) -> Movie:
        """Put a film into the library without telling anybody; a quality gives it a file."""
        movie = Movie(
            id=self.next_id("movie"),
            film=film,
            added=to_the_second(added or self.clock.now()),
            **values,
        )
        if quality is not None:
            movie.file = self._new_file(movie, quality, 6 * GIB, added=movie.added)
            self._shelve(movie, movie.file)
        self.movies[movie.id] = movie
        self._by_tmdb[film.tmdb_id] = movie
        return movie

    def folder_of(self, movie: Movie) -> str:
        """Return the folder of a film."""
        return f"{self.root_folder}/{movie.film.title} ({movie.film.year})"

    def path_of(self, movie: Movie, file: FilmFile) -> str:
        """Return where a file of a film is on the disk."""
        return f"{self.folder_of(movie)}/{file.name}"

    def _shelve(self, movie: Movie, file: FilmFile) -> None:
        film = movie.film
        self.shelf.put(
            ShelfFile(
                path=self.path_of(movie, file),
                media_type="movie",
                title=film.title,
                year=film.year,
                tmdb_id=film.tmdb_id,
                imdb_id=film.imdb_id,
                height=QUALITIES[file.quality][2],
                added_at=file.added,
            )
        )

    async def add_movie(self, film: Film, *, method: str | None = "manual", **values: Any) -> Movie:
        """Add a film and say so."""
        movie = self.put_movie(film, **values)
        if self.at_least(4, 2):
            payload = {
                "movie": self._movie(movie),
                "addMethod": method or "",
                **self.base_keys("MovieAdded"),
            }
            if method is None:
                self.connections.break_event(("onMovieAdded",))
            else:
                await self.publish("MovieAdded", ["onMovieAdded"], payload, tags=movie.tags)
        return movie

    async def grab(
        self,
        movie: Movie,
        *,
        quality: str = "WEBDL-1080p",
        size: int = 5 * GIB,
        client: Client = TORRENT,
    ) -> Download:
        """Choose a release and send it to the download client."""
        suffix = f"{movie.film.year}.{QUALITIES[quality][2]}p.WEB.H265"
        download = self.make_download(
            release_name(movie.film.title, suffix), quality, size=size, client=client
        )
        download.movie_id = movie.id
        await self._grabbed(movie, download)
        return download

    def delay(self, movie: Movie, *, quality: str = "WEBDL-1080p", size: int = 5 * GIB) -> Download:
        """Choose a release that a delay profile keeps waiting: it has no download id yet."""
        suffix = f"{movie.film.year}.{QUALITIES[quality][2]}p.WEB.H265"
        download = self.make_download(
            release_name(movie.film.title, suffix), quality, size=size, client=TORRENT
        )
        download.movie_id, download.download_id, download.status = movie.id, None, "delay"
        return download

    async def _grabbed(self, movie: Movie, download: Download) -> None:
        self.remember("grabbed", download, movie_id=movie.id, data=self.grab_data(download))
        release: Json = {
            "quality": download.quality,
            "qualityVersion": 1,
            "releaseGroup": download.group,
            "releaseTitle": download.title,
            "indexer": download.indexer,
            "size": download.size,
            "customFormatScore": 0,
            "customFormats": [],
            "languages": [ENGLISH],
            "indexerFlags": [],
        }
        formats = self.custom_formats() if self.at_least(4, 3, 1) else {}
        payload = {
            "movie": self._movie(movie),
            "remoteMovie": self._remote_movie(movie),
            "release": release,
            **self.release_keys(download),
            **formats,
            **self.base_keys("Grab"),
        }
        await self.publish("Grab", ["onGrab"], payload, tags=movie.tags)

    def _new_file(self, movie: Movie, quality: str, size: int, *, added: datetime) -> FilmFile:
        number = self.next_id("file")
        name = f"{movie.film.title} ({movie.film.year}) [{quality}] {number}.mkv"
        return FilmFile(id=number, name=name, quality=quality, size=size, added=added)

    async def import_file(self, download: Download, *, traced: bool = True) -> FilmFile:
        """Import a finished download, replacing the file that is there.

        Not traced: as a manual import, whose event does not name the download.
        """
        movie = self.movies[download.movie_id or 0]
        old = movie.file
        if old is not None:
            await self._file_deleted(movie, old, "upgrade")
        new = self._new_file(
            movie, download.quality, download.size - 4_100_000, added=self.clock.now()
        )
        new.group, new.scene_name = download.group, download.title
        new.source = f"/downloads/complete/{download.title}/{download.title}.mkv"
        movie.file = new
        self._shelve(movie, new)
        self.drop(download)
        self.remember(
            "downloadFolderImported",
            download,
            movie_id=movie.id,
            data={
                "fileId": str(new.id),
                "droppedPath": new.source,
                "importedPath": self.path_of(movie, new),
                "downloadClient": download.client.type,
                "downloadClientName": download.client.name,
                "releaseGroup": new.group,
                "size": str(new.size),
            },
        )
        payload: Json = {
            "movie": self._movie(movie),
            "remoteMovie": self._remote_movie(movie),
            "movieFile": self._file(movie, new, imported=True),
            "isUpgrade": old is not None,
            **self.release_keys(download if traced else None),
        }
        if old is not None:
            payload["deletedFiles"] = [self._file(movie, old)]
        if self.at_least(4, 3, 1):
            payload |= self.custom_formats()
        if self.at_least(4, 5, 1):
            payload["release"] = self._release(download if traced else None)
        payload |= self.base_keys("Download")
        flags = ["onDownload", "onUpgrade"] if old is not None else ["onDownload"]
        await self.publish("Download", flags, payload, tags=movie.tags)
        return new

    async def block_import(self, download: Download, message: str) -> None:
        """Leave a finished download for a person to look at."""
        self.progress(download, 1)
        modern = self.at_least(5, 8)
        download.state = "importBlocked" if modern else "importPending"
        download.health = "warning"
        download.messages = [{"title": download.title, "messages": [message]}]
        if download.interaction_told or not self.at_least(4, 5):
            return
        download.interaction_told = True
        movie = self.movies.get(download.movie_id or 0)
        payload: Json = {} if movie is None else {"movie": self._movie(movie)}
        payload |= {
            "downloadInfo": {
                "quality": download.quality,
                "qualityVersion": 1,
                "title": download.title,
                "size": download.size,
            },
            **self.release_keys(download),
        }
        if self.at_least(5, 4, 5):
            payload["downloadStatus"] = "Warning"
            payload["downloadStatusMessages"] = download.messages
        payload |= {**self.custom_formats(), "release": self._release(download)}
        payload |= self.base_keys("ManualInteractionRequired")
        tags = None if movie is None else movie.tags
        await self.publish(
            "ManualInteractionRequired", ["onManualInteractionRequired"], payload, tags=tags
        )

    def fail(self, download: Download, message: str = "Aborted, cannot be completed") -> None:
        """Give a download up; no webhook tells."""
        self.drop(download)
        self.remember(
            "downloadFailed",
            download,
            movie_id=download.movie_id,
            data={"message": message, "downloadClient": download.client.type},
        )

    def ignore(self, download: Download) -> None:
        """Stop watching a download; no webhook tells."""
        self.drop(download)
        self.remember(
            "downloadIgnored",
            download,
            movie_id=download.movie_id,
            data={"message": "Manually ignored"},
        )

    def scan_file(self, movie: Movie, *, quality: str = "WEBDL-1080p") -> FilmFile:
        """Find a file on the disk; neither webhook nor history tells."""
        movie.file = self._new_file(movie, quality, 6 * GIB, added=self.clock.now())
        self._shelve(movie, movie.file)
        return movie.file

    async def _file_deleted(self, movie: Movie, file: FilmFile, reason: str) -> None:
        self.shelf.remove(self.path_of(movie, file))
        self.remember(
            "movieFileDeleted",
            None,
            movie_id=movie.id,
            title=file.name,
            quality=file.quality,
            data={"reason": reason[0].upper() + reason[1:], "size": str(file.size)},
        )
        payload = {
            "movie": self._movie(movie),
            "movieFile": self._file(movie, file),
            "deleteReason": reason,
            **self.base_keys("MovieFileDelete"),
        }
        flags = ["onMovieFileDelete"]
        if reason == "upgrade":
            flags.append("onMovieFileDeleteForUpgrade")
        await self.publish("MovieFileDelete", flags, payload, tags=movie.tags)

    async def delete_file(self, movie: Movie, reason: str = "manual") -> None:
        """Delete the file of a film, or notice that it is missing."""
        file, movie.file = movie.file, None
        if file is not None:
            await self._file_deleted(movie, file, reason)

    async def rename_file(self, movie: Movie) -> None:
        """Rename the file of a film."""
        file = movie.file
        if file is None:
            return
        self.shelf.remove(self.path_of(movie, file))
        old, file.name = file.name, f"{movie.film.title} {{tmdb-{movie.film.tmdb_id}}}.mkv"
        self._shelve(movie, file)
        self.remember(
            "movieFileRenamed", None, movie_id=movie.id, title=old, data={"path": file.name}
        )
        folder = self.folder_of(movie)
        renamed = self._file(movie, file) | {
            "previousRelativePath": old,
            "previousPath": f"{folder}/{old}",
        }
        payload = {
            "movie": self._movie(movie),
            "renamedMovieFiles": [renamed],
            **self.base_keys("Rename"),
        }
        await self.publish("Rename", ["onRename"], payload, tags=movie.tags)

    async def delete_movie(self, movie: Movie, *, files: bool = True) -> None:
        """Remove a film; its history goes with it."""
        del self.movies[movie.id]
        self._by_tmdb.pop(movie.film.tmdb_id, None)
        self.history = [row for row in self.history if row.movie_id != movie.id]
        for download in self.downloads:
            if download.movie_id == movie.id:
                download.movie_id = None
        size = movie.file.size if movie.file is not None and files else 0
        if movie.file is not None and files:
            self.shelf.remove(self.path_of(movie, movie.file))
        payload = {
            "movie": self._movie(movie),
            "deletedFiles": files,
            "movieFolderSize": size,
            **self.base_keys("MovieDelete"),
        }
        await self.publish("MovieDelete", ["onMovieDelete"], payload, tags=movie.tags)


def _midnight(day: date | None) -> str | None:
    """Write a day as the API does."""
    return None if day is None else f"{day.isoformat()}T00:00:00Z"


def calendar_window(request: web.Request, now: datetime) -> tuple[datetime, datetime]:
    """Read the window of a calendar request: from today for two days unless given."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = query(request, "start"), query(request, "end")
    return (
        parse_date(start) if start else today,
        parse_date(end) if end else today + timedelta(days=2),
    )


def resolution_text(quality: str) -> str:
    """Return the picture's size as text."""
    return "3840x2160" if QUALITIES[quality][2] == 2160 else "1920x1080"


def media_info(quality: str) -> Json:
    """Describe the streams of a file in a delivery."""
    large = QUALITIES[quality][2] == 2160
    return {
        "audioChannels": 5.1,
        "audioCodec": "EAC3",
        "audioLanguages": ["eng"],
        "height": 2160 if large else 1080,
        "width": 3840 if large else 1920,
        "subtitles": ["eng"],
        "videoCodec": "x265",
        "videoDynamicRange": "HDR" if large else "",
        "videoDynamicRangeType": "HDR10" if large else "",
    }
