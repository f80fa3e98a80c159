"""The clients of Radarr and Sonarr, against simulated services."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    DownloadReport,
    DownloadState,
    EpisodesReport,
    ExternalIds,
    FileReport,
    HeldReport,
    MediaType,
    Question,
    QuestionKind,
    TitleRef,
)
from custom_components.media_arrivals.engine.connectors.arr.client import ArrClient
from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    Client,
    Connection,
    Cursor,
    HealthNote,
    Identity,
    InstallsWebhook,
    KnowsFolder,
    Poll,
    PollView,
    ServerFaultError,
    ServiceError,
    TooOldError,
    WrongServiceError,
)
from custom_components.media_arrivals.engine.connectors.clients import make_client
from custom_components.media_arrivals.engine.connectors.radarr.client import RadarrClient
from custom_components.media_arrivals.engine.connectors.sonarr.client import SonarrClient
from simulator import FaultMode, Film, RadarrDouble, Show, SonarrDouble, Stack
from tests.engine.connectors.arr.bodies import (
    HASH,
    MIXED_SONARR,
    NOW,
    RADARR,
    SONARR,
    Doc,
    api_episode,
    history_row,
    movie,
    pack_row,
    queue_row,
    series,
)

IDLE = PollView()


def now_of(stack: Stack) -> float:
    return stack.clock.now().timestamp()


def paths(double: RadarrDouble | SonarrDouble) -> list[str]:
    """List what was asked, and forget it."""
    found = [call.path for call in double.calls]
    double.calls.clear()
    return found


def resources(double: RadarrDouble | SonarrDouble) -> list[str]:
    """List what was asked for without how, and forget it."""
    return [path.partition("?")[0] for path in paths(double)]


def downloads(reports: tuple[AnyReport, ...]) -> list[DownloadReport]:
    return [report for report in reports if isinstance(report, DownloadReport)]


def files(reports: tuple[AnyReport, ...]) -> list[FileReport]:
    return [report for report in reports if isinstance(report, FileReport)]


def lists(reports: tuple[AnyReport, ...]) -> list[EpisodesReport]:
    return [report for report in reports if isinstance(report, EpisodesReport)]


def held(reports: tuple[AnyReport, ...]) -> HeldReport:
    (found,) = (report for report in reports if isinstance(report, HeldReport))
    return found


def film_ref(film: Film, **changes: Any) -> TitleRef:
    ids = ExternalIds(tmdb=film.tmdb_id)
    return replace(TitleRef(media_type=MediaType.MOVIE, ids=ids), **changes)


def show_ref(show: Show, **changes: Any) -> TitleRef:
    ids = ExternalIds(tvdb=show.tvdb_id)
    return replace(TitleRef(media_type=MediaType.SERIES, ids=ids), **changes)


def asked(kind: QuestionKind, **about: Any) -> Question:
    return Question(service="any", kind=kind, **about)


class Follower:
    """Polls as a coordinator does: the cursor of one poll is that of the next."""

    def __init__(self, client: ArrClient, stack: Stack) -> None:
        self.client = client
        self.stack = stack
        self.service = RADARR if client.product == "Radarr" else SONARR
        self.cursor: Cursor = {}

    async def begin(self) -> Poll:
        poll = await self.client.baseline(self.service, now_of(self.stack), finished_days=30)
        self.cursor = poll.cursor
        return poll

    async def poll(self, *active: str) -> Poll:
        view = PollView(active_downloads=frozenset(key.casefold() for key in active))
        poll = await self.client.poll(self.service, self.cursor, view, now_of(self.stack))
        self.cursor = poll.cursor
        return poll

    async def ending(self, download_id: str) -> tuple[AnyReport, ...]:
        question = asked(QuestionKind.DOWNLOAD, download_id=download_id.casefold())
        return await self.client.answer(self.service, question, now_of(self.stack))


@pytest.fixture
async def films(stack: Stack, radarr: RadarrClient) -> Follower:
    follower = Follower(radarr, stack)
    await follower.begin()
    stack.radarr.calls.clear()
    return follower


@pytest.fixture
async def shows(stack: Stack, sonarr: SonarrClient) -> Follower:
    follower = Follower(sonarr, stack)
    await follower.begin()
    stack.sonarr.calls.clear()
    return follower


# --- who answers -------------------------------------------------------------------------


async def test_who_answers(radarr: RadarrClient, sonarr: SonarrClient, stack: Stack) -> None:
    stack.radarr.instance_name = "Radarr upstairs"
    assert await radarr.identify() == Identity(
        kind="radarr", product="Radarr", name="Radarr upstairs", version=stack.radarr.version
    )
    assert await sonarr.identify() == Identity(
        kind="sonarr", product="Sonarr", name="Sonarr", version=stack.sonarr.version
    )
    for client in (radarr, sonarr):
        assert isinstance(client, Client)
        assert isinstance(client, InstallsWebhook)


async def test_a_v3_has_no_name_of_its_own(stack: Stack, sonarr: SonarrClient) -> None:
    stack.sonarr.version = "3.0.10.1567"
    assert (await sonarr.identify()).name == "Sonarr"


async def test_a_sonarr_is_no_radarr(stack: Stack, session: ClientSession) -> None:
    connection = Connection(url=stack.sonarr.url, api_key=stack.sonarr.api_key)
    with pytest.raises(WrongServiceError) as caught:
        await make_client("radarr", session, connection).identify()
    assert caught.value.detail == "Sonarr"


async def test_a_wrong_key(stack: Stack, session: ClientSession) -> None:
    connection = Connection(url=stack.radarr.url, api_key="wrong")
    with pytest.raises(AuthError):
        await make_client("radarr", session, connection).identify()


async def test_a_version_that_is_too_old(stack: Stack, radarr: RadarrClient) -> None:
    stack.radarr.version = "2.0.0.1"
    with pytest.raises(TooOldError) as caught:
        await radarr.identify()
    assert caught.value.detail == "2.0.0.1"


async def test_a_base_path_is_found(session: ClientSession) -> None:
    stack = Stack()
    double = stack.add_radarr(url_base="/films")
    async with stack:
        bare = double.url.removesuffix("/films")
        client = make_client("radarr", session, Connection(url=bare, api_key=double.api_key))
        assert (await client.identify()).product == "Radarr"


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (404, "", WrongServiceError),
        (200, "{}", WrongServiceError),
        (200, '["appName"]', WrongServiceError),
        (200, "<html>", BadAnswerError),
        (502, "<html>", ServerFaultError),
    ],
)
async def test_something_else_answers(
    session: ClientSession, status: int, text: str, kind: type[ServiceError]
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        with pytest.raises(kind):
            await client.identify()


@pytest.mark.parametrize(
    ("path", "answer", "error", "detail"),
    [
        (
            "/api/system/status",
            {"version": "0.2.0.1480", "startupPath": "/opt/Radarr"},
            TooOldError,
            "0.2.0.1480",
        ),
        (
            "/api/system/status",
            {"version": "2.0.0.5344", "startupPath": "/opt/NzbDrone"},
            WrongServiceError,
            "Sonarr",
        ),
        ("/api/v1/system/status", {"appName": "Lidarr"}, WrongServiceError, "Lidarr"),
        ("/api/v1/system/status", {"appName": "Prowlarr"}, WrongServiceError, "Prowlarr"),
        (
            "/api/v1/settings/public",
            {"initialized": True, "applicationTitle": "Jellyseerr"},
            WrongServiceError,
            "Jellyseerr",
        ),
        ("/api/v1/settings/public", {"initialized": True}, WrongServiceError, "Seerr"),
        ("/api/v1/settings/public", {"version": "1"}, WrongServiceError, ""),
        ("/api/system/status", {"version": "0.2"}, WrongServiceError, ""),
        ("/nothing", {}, WrongServiceError, ""),
    ],
)
async def test_who_else_answers_is_named(
    session: ClientSession,
    path: str,
    answer: dict[str, Any],
    error: type[ServiceError],
    detail: str,
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path != path:
            return web.Response(status=404, text="404: Not Found")
        return web.json_response(answer)

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        with pytest.raises(error) as caught:
            await client.identify()
    assert caught.value.detail == detail


def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    return TestServer(app)


# --- the light poll ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["radarr", "sonarr"])
async def test_an_idle_poll_costs_two_small_calls_whatever_the_library(
    kind: str, stack: Stack, radarr: RadarrClient, sonarr: SonarrClient
) -> None:
    stack.fill_library(films=3000, shows=200, requests=0)
    double = stack.services[kind]
    assert isinstance(double, RadarrDouble | SonarrDouble)
    double.downloads.clear()
    follower = Follower(radarr if kind == "radarr" else sonarr, stack)
    if kind == "radarr":
        movie_ = await stack.radarr.add_movie(stack.catalogue.film())
        await stack.radarr.import_file(await stack.radarr.grab(movie_))
    else:
        series = await stack.sonarr.add_series(stack.catalogue.show(seasons={1: 24}))
        await stack.sonarr.import_files(await stack.sonarr.grab(series.season(1)))
    stack.clock.advance(60)
    await follower.begin()
    assert sum(call.bytes for call in double.calls) < 100_000
    for _ in range(8):
        stack.clock.advance(300)
        double.calls.clear()
        poll = await follower.poll()
        assert len(double.calls) <= 2
        assert sum(call.bytes for call in double.calls) < 20_000
        assert poll.reports == ()
        assert (poll.queue, poll.downloading, poll.questions) == (0, False, ())
    assert [call.bytes for call in double.calls] == [2, 2]


async def test_the_health_is_read_every_half_hour_and_costs_no_call(
    stack: Stack, films: Follower
) -> None:
    stack.clock.advance(1700)
    assert (await films.poll()).health is None
    assert resources(stack.radarr) == ["/api/v3/queue/details", "/api/v3/history/since"]

    await stack.radarr.health("error", "IndexerStatusCheck", "Indexers are away")
    stack.clock.advance(200)
    note = HealthNote(check="IndexerStatusCheck", ok=False, message="Indexers are away")
    poll = await films.poll()
    assert (poll.health, poll.muted, poll.queue) == ((note,), False, 0)
    assert resources(stack.radarr) == ["/api/v3/health", "/api/v3/history/since"]

    stack.clock.advance(300)
    assert (await films.poll()).health is None
    assert resources(stack.radarr) == ["/api/v3/queue/details", "/api/v3/history/since"]


async def test_what_comes_while_the_queue_is_left_out_is_told_by_the_history(
    stack: Stack, films: Follower
) -> None:
    movie_ = await stack.radarr.add_movie(stack.catalogue.film())
    stack.clock.advance(1900)
    download = await stack.radarr.grab(movie_)
    assert [report.state for report in downloads((await films.poll()).reports)] == [
        DownloadState.DOWNLOADING
    ]
    assert "/api/v3/queue/details" not in resources(stack.radarr)

    poll = await films.poll(download.download_id or "")
    assert (poll.queue, poll.downloading) == (1, True)
    # What is in the queue is never left out.
    stack.clock.advance(1900)
    paths(stack.radarr)
    assert (await films.poll()).queue == 1
    assert {"/api/v3/health", "/api/v3/queue/details"} <= set(resources(stack.radarr))


async def test_a_film_is_followed_from_grab_to_file(stack: Stack, films: Follower) -> None:
    film = stack.catalogue.film()
    found = await stack.radarr.add_movie(film)
    download = await stack.radarr.grab(found)
    stack.radarr.progress(download, 0.25)
    poll = await films.poll()
    grabbed, running = downloads(poll.reports)
    assert grabbed.opens
    assert not running.opens
    assert grabbed.title.ids.tmdb == running.title.ids.tmdb == film.tmdb_id
    assert running.progress == pytest.approx(0.25)
    assert running.at == pytest.approx(now_of(stack), abs=1)
    assert (poll.queue, poll.downloading, poll.checked) == (1, True, 1)
    assert [sighting.event for sighting in poll.sightings] == ["grab"]

    stack.clock.advance(300)
    await stack.radarr.import_file(download)
    poll = await films.poll(download.download_id or "")
    assert [report.present for report in files(poll.reports)] == [True]
    (imported,) = downloads(poll.reports)
    assert imported.state is DownloadState.IMPORTED
    assert poll.questions == ()
    assert (poll.queue, poll.downloading) == (0, False)


async def test_a_pack_costs_little_although_it_has_a_row_for_each_episode(
    stack: Stack, shows: Follower
) -> None:
    await shows.poll()
    series = await stack.sonarr.add_series(stack.catalogue.show(seasons={1: 10, 2: 10}))
    download = await stack.sonarr.grab(series.season(1))
    grabbed = await shows.poll(download.download_id or "")
    assert [report.title.ids.tvdb for report in downloads(grabbed.reports)] == [
        series.show.tvdb_id
    ] * 2
    stack.clock.advance(30)
    await shows.poll(download.download_id or "")
    await stack.sonarr.import_files(download)
    read = resources(stack.sonarr)
    imported = await shows.poll(download.download_id or "")
    assert sum(call.bytes for call in stack.sonarr.calls) < 20_000
    (there,) = files(imported.reports)
    assert (there.title.ids.tvdb, len(there.parts)) == (series.show.tvdb_id, 10)
    # Its title is read once, and not with each row.
    assert (read + resources(stack.sonarr)).count(f"/api/v3/series/{series.id}") == 1


async def test_after_an_absence_rows_bring_their_titles(stack: Stack, films: Follower) -> None:
    for _ in range(5):
        movie_ = await stack.radarr.add_movie(stack.catalogue.film())
        await stack.radarr.import_file(await stack.radarr.grab(movie_))
    stack.clock.advance(3600)
    paths(stack.radarr)
    poll = await films.poll()
    assert len(files(poll.reports)) == 5
    assert not [path for path in resources(stack.radarr) if path.startswith("/api/v3/movie")]


async def test_nothing_is_told_twice(stack: Stack, shows: Follower) -> None:
    series = await stack.sonarr.add_series(stack.catalogue.show(seasons={1: 12}))
    download = await stack.sonarr.grab(series.season(1))
    told = [report for report in downloads((await shows.poll()).reports) if report.opens]
    assert [len(report.parts) for report in told] == [12]
    for seconds in (0, 1, 61, 300):
        stack.clock.advance(seconds)
        poll = await shows.poll()
        assert not any(report.opens for report in downloads(poll.reports))
        assert poll.sightings == ()
    stack.clock.advance(1)
    await stack.sonarr.import_files(download)
    assert len(files((await shows.poll()).reports)[0].parts) == 12


async def test_rows_of_the_same_second_are_not_lost(stack: Stack, shows: Follower) -> None:
    series = await stack.sonarr.add_series(stack.catalogue.show(seasons={1: 3}))
    one, two, three = series.season(1)
    seen: list[str] = []
    for episode in (one, two, three):
        await stack.sonarr.grab([episode])
        poll = await shows.poll()
        seen.extend(sighting.key for sighting in poll.sightings)
    assert len(seen) == len(set(seen)) == 3


async def test_each_title_of_the_queue_is_read_once(stack: Stack, films: Follower) -> None:
    found = await stack.radarr.add_movie(stack.catalogue.film())
    await stack.radarr.grab(found)
    await films.poll()
    assert f"/api/v3/movie/{found.id}" in paths(stack.radarr)
    await films.poll()
    assert [path for path in paths(stack.radarr) if "/movie/" in path] == []


async def test_a_queue_row_whose_film_is_gone_is_still_told(stack: Stack, films: Follower) -> None:
    found = await stack.radarr.add_movie(stack.catalogue.film())
    await stack.radarr.grab(found)
    del stack.radarr.movies[found.id]
    (report,) = downloads((await films.poll()).reports)[-1:]
    assert report.title.own_id == found.id


@pytest.mark.parametrize("path", ["/queue", "/history"])
@pytest.mark.parametrize("mode", [FaultMode.STATUS, FaultMode.INVALID_JSON, FaultMode.HTML])
async def test_half_an_answer_is_none(
    stack: Stack, films: Follower, path: str, mode: FaultMode
) -> None:
    await stack.radarr.grab(await stack.radarr.add_movie(stack.catalogue.film()))
    before = films.cursor
    stack.radarr.misbehave(mode.value if mode is not FaultMode.STATUS else "500", path=path)
    with pytest.raises(ServiceError):
        await films.poll()
    assert films.cursor is before
    stack.radarr.behave()
    assert [report.opens for report in downloads((await films.poll()).reports)] == [True, False]


@pytest.mark.parametrize("answer", ["{}", "7", '{"records": 5}'])
async def test_an_answer_of_another_shape_is_none(session: ClientSession, answer: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=answer)

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        for call in (
            client.poll(RADARR, {"since": NOW, "health_at": NOW}, IDLE, NOW),
            client.poll(RADARR, {"since": NOW}, IDLE, NOW),
            client.baseline(RADARR, NOW, finished_days=1),
            client.answer(RADARR, asked(QuestionKind.DOWNLOAD, download_id="x"), NOW),
            client.answer(
                RADARR,
                asked(
                    QuestionKind.TITLE,
                    title=TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=5)),
                ),
                NOW,
            ),
            client.read_webhook(None),  # type: ignore[arg-type]
        ):
            with pytest.raises(BadAnswerError):
                await call


@pytest.mark.parametrize("odd", ["[]", "{}", '{"id": 9}', "7"])
async def test_an_odd_answer_is_no_absence(session: ClientSession, odd: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=odd)

    film = TitleRef(media_type=MediaType.MOVIE, own_id=7)
    async with serving(handler) as server:
        connection = Connection(url=str(server.make_url("")), api_key="x")
        with pytest.raises(BadAnswerError):
            await RadarrClient(session, connection).answer(
                RADARR, asked(QuestionKind.TITLE, title=film), NOW
            )


@pytest.mark.parametrize(
    ("found", "episodes"), [({"title": "x", "tvdbId": 5}, []), ({"id": 3, "tvdbId": 5}, {})]
)
async def test_a_series_that_cannot_be_read(
    session: ClientSession, found: Doc, episodes: Any
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response([found] if request.path.endswith("/series") else episodes)

    title = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=5))
    async with serving(handler) as server:
        connection = Connection(url=str(server.make_url("")), api_key="x")
        with pytest.raises(BadAnswerError):
            await SonarrClient(session, connection).answer(
                SONARR, asked(QuestionKind.TITLE, title=title), NOW
            )


async def test_health_of_another_shape_is_none(session: ClientSession) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({} if request.path.endswith("/health") else [])

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        with pytest.raises(BadAnswerError):
            await client.sync(RADARR, {"since": NOW}, IDLE, NOW)


async def test_a_daily_pack_is_known_by_the_services_own_ids(session: ClientSession) -> None:
    """Its episodes have no numbers: those with a file open nothing."""
    rows = [pack_row(number, episode=None) for number in (1, 2)]
    listed = [api_episode(1, hasFile=True), api_episode(2, hasFile=True)]

    async def handler(request: web.Request) -> web.Response:
        answers: dict[str, Any] = {
            "details": rows,
            "17": series(seasons=[]),
            "series": [series(seasons=[])],
            "episode": listed,
            "history": {"records": []},
        }
        return web.json_response(answers[request.path.rsplit("/", 1)[-1]])

    async with serving(handler) as server:
        client = SonarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        poll = await client.baseline(SONARR, NOW, finished_days=30)
        assert [report.opens for report in downloads(poll.reports)] == [False]
        listed[1]["hasFile"] = False
        poll = await client.baseline(SONARR, NOW, finished_days=30)
        assert [report.opens for report in downloads(poll.reports)] == [True]


async def test_without_a_cursor_the_past_is_left_alone(stack: Stack, radarr: RadarrClient) -> None:
    await stack.radarr.grab(await stack.radarr.add_movie(stack.catalogue.film()))
    poll = await radarr.poll(RADARR, {}, IDLE, now_of(stack))
    assert [report.opens for report in downloads(poll.reports)] == [False]
    stack.clock.advance(5)
    await stack.radarr.grab(await stack.radarr.add_movie(stack.catalogue.film()))
    poll = await radarr.poll(RADARR, poll.cursor, IDLE, now_of(stack))
    assert sum(report.opens for report in downloads(poll.reports)) == 1


async def test_after_a_week_the_past_is_read_page_by_page(stack: Stack, films: Follower) -> None:
    found = await stack.radarr.add_movie(stack.catalogue.film())
    for number in range(600):
        stack.clock.advance(3600)
        download = stack.radarr.make_download(
            f"r{number}", "WEBDL-1080p", size=1, client=_client(), movie_id=found.id
        )
        stack.radarr.remember("grabbed", download, movie_id=found.id)
        stack.radarr.drop(download)
    stack.radarr.calls.clear()
    poll = await films.poll()
    asked_for = paths(stack.radarr)
    assert not any("/history/since" in path for path in asked_for)
    assert sum("/history?" in path for path in asked_for) == 3
    assert len(poll.sightings) == 600
    times = [report.at for report in poll.reports]
    assert times == sorted(times)
    stack.clock.advance(60)
    assert (await films.poll()).reports == ()
    assert any("/history/since" in path for path in paths(stack.radarr))


async def test_paging_ends_where_it_was_read_to(stack: Stack, films: Follower) -> None:
    found = await stack.radarr.add_movie(stack.catalogue.film())
    for number in range(700):
        row = stack.radarr.remember("movieFileRenamed", None, movie_id=found.id, title="x")
        row.date -= timedelta(days=30, seconds=700 - number)
    stack.clock.advance(8 * 86_400)
    await stack.radarr.grab(found)
    stack.radarr.calls.clear()
    poll = await films.poll()
    assert sum("/history?" in path for path in paths(stack.radarr)) == 1
    assert len(poll.sightings) == 1


def _client() -> Any:
    from simulator.arr import TORRENT  # noqa: PLC0415 - the simulator's own word

    return TORRENT


async def test_many_rows_are_read_beside_the_loop(stack: Stack, films: Follower) -> None:
    found = await stack.radarr.add_movie(stack.catalogue.film())
    for _ in range(400):
        await stack.radarr.grab(found)
    poll = await films.poll()
    assert poll.queue == 400
    assert len(poll.sightings) == 400


# --- downloads that leave the queue ----------------------------------------------------------


async def test_a_download_that_left_the_queue_is_asked_about(stack: Stack, films: Follower) -> None:
    download = await stack.radarr.grab(await stack.radarr.add_movie(stack.catalogue.film()))
    key = (download.download_id or "").casefold()
    await films.poll()
    stack.radarr.drop(download)
    poll = await films.poll(key)
    (question,) = poll.questions
    assert (question.kind, question.download_id) == (QuestionKind.DOWNLOAD, key)
    assert question.service == RADARR.id


async def test_a_failed_download_is_told_by_the_history(stack: Stack, films: Follower) -> None:
    download = await stack.radarr.grab(await stack.radarr.add_movie(stack.catalogue.film()))
    key = download.download_id or ""
    await films.poll()
    stack.clock.advance(30)
    stack.radarr.fail(download, "Unpacking failed")
    poll = await films.poll(key)
    (report,) = downloads(poll.reports)
    assert (report.state, report.problem) == (DownloadState.FAILED, "Unpacking failed")
    assert poll.questions == ()
    (again,) = downloads(await films.ending(key))
    assert (again.state, again.confirmed) == (DownloadState.FAILED, True)


async def test_rows_vanish_while_their_client_is_away_and_that_says_nothing(
    stack: Stack, films: Follower
) -> None:
    download = await stack.radarr.grab(await stack.radarr.add_movie(stack.catalogue.film()))
    key = download.download_id or ""
    await films.poll()
    async with stack.radarr.client_away():
        for _ in range(3):
            poll = await films.poll(key)
            assert len(poll.questions) == 1
            assert poll.reports == ()
            assert await films.ending(key) == ()
            stack.clock.advance(240)
        await stack.radarr.health("error", "DownloadClientStatusCheck", "qBittorrent is away")
        stack.clock.advance(3600)
        await films.poll(key)
        assert await films.ending(key) == ()
    stack.radarr.issues.clear()
    poll = await films.poll(key)
    assert poll.questions == ()
    assert [report.state for report in downloads(poll.reports)] == [DownloadState.DOWNLOADING]


async def test_a_download_removed_by_hand_is_gone_after_a_while(
    stack: Stack, shows: Follower
) -> None:
    series = await stack.sonarr.add_series(stack.catalogue.show(seasons={1: 2}))
    download = await stack.sonarr.grab(series.season(1))
    key = download.download_id or ""
    await shows.poll()
    stack.sonarr.drop(download)
    await shows.poll(key)
    assert await shows.ending(key) == ()
    stack.clock.advance(901)
    await shows.poll(key)
    (report,) = downloads(await shows.ending(key))
    assert (report.state, len(report.parts)) == (DownloadState.GONE, 2)
    assert report.confirmed
    assert report.title.ids.tvdb == series.show.tvdb_id


async def test_a_download_without_any_trace_is_gone_by_its_id(
    stack: Stack, films: Follower
) -> None:
    await films.poll("AB12")
    assert await films.ending("AB12") == ()
    stack.clock.advance(901)
    await films.poll("AB12")
    (report,) = downloads(await films.ending("AB12"))
    assert (report.state, report.download_id) == (DownloadState.GONE, "ab12")
    assert not report.title.ids


async def test_parts_of_a_pack_that_ended_are_told_at_once(stack: Stack, shows: Follower) -> None:
    series = await stack.sonarr.add_series(stack.catalogue.show(seasons={1: 3}))
    first, second, third = series.season(1)
    download = await stack.sonarr.grab([first, second, third])
    await shows.poll()
    for number, episode in enumerate((first, second)):
        row = stack.sonarr.remember(
            "downloadFolderImported" if number == 0 else "downloadFailed",
            download,
            series_id=series.id,
            episode_id=episode.id,
            season=1,
            data={"downloadClientName": "x", "message": "x"},
        )
        row.date += timedelta(seconds=5)
    reports = await shows.ending(download.download_id or "")
    assert [report.state for report in downloads(reports)] == [
        DownloadState.IMPORTED,
        DownloadState.FAILED,
    ]
    assert [len(report.parts) for report in files(reports)] == [1]


async def test_the_service_minds_how_a_download_is_spelt(session: ClientSession) -> None:
    """SQLite compares texts exactly, so the folded id finds nothing."""
    seen: list[str] = []
    queue: list[Doc] = [queue_row(downloadId="MixedCase_nzo_1")]

    async def handler(request: web.Request) -> web.Response:
        if request.path.endswith("/queue/details"):
            return web.json_response(queue)
        if request.path.endswith("/history"):
            spelling = request.query.get("downloadId", "")
            seen.append(spelling)
            known = {"MixedCase_nzo_1", HASH}
            rows = [history_row(1, "downloadFailed", "2026-09-20T10:00:00Z")]
            return web.json_response({"records": rows if spelling in known else []})
        if "/movie/" in request.path:
            return web.json_response(movie())
        return web.json_response([])

    async with serving(handler) as server:
        connection = Connection(url=str(server.make_url("")), api_key="x")
        client = RadarrClient(session, connection)
        poll = await client.poll(RADARR, {"since": NOW}, IDLE, NOW)
        queue.clear()
        view = PollView(active_downloads=frozenset({"mixedcase_nzo_1"}))
        # A restart in between: only the cursor knows the spelling.
        client = RadarrClient(session, connection)
        poll = await client.poll(RADARR, poll.cursor, view, NOW)
        (question,) = poll.questions
        assert len(await client.answer(RADARR, question, NOW)) == 1
        assert seen == ["MixedCase_nzo_1"]
        seen.clear()
        question = asked(QuestionKind.DOWNLOAD, download_id=HASH.casefold())
        assert len(await client.answer(RADARR, question, NOW)) == 1
        assert seen == [HASH.casefold(), HASH]
        # What is not awaited any more is forgotten.
        poll = await client.poll(RADARR, poll.cursor, IDLE, NOW)
        assert poll.cursor["downloads"] == []


# --- baselines and sync ----------------------------------------------------------------------


async def test_a_baseline_is_what_is_open_and_no_library(
    stack: Stack, radarr: RadarrClient
) -> None:
    stack.fill_library(films=500, shows=1, requests=0)
    stack.radarr.downloads.clear()
    wanted = await stack.radarr.add_movie(stack.catalogue.film())
    owned = stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-720p")
    await stack.radarr.grab(wanted)
    await stack.radarr.grab(owned)
    stack.radarr.calls.clear()
    poll = await radarr.baseline(RADARR, now_of(stack), finished_days=30)
    opens = {report.title.ids.tmdb: report.opens for report in downloads(poll.reports)}
    assert opens == {wanted.film.tmdb_id: True, owned.film.tmdb_id: False}
    there = {report.title.ids.tmdb: report.present for report in files(poll.reports)}
    assert there == {wanted.film.tmdb_id: False, owned.film.tmdb_id: True}
    assert (poll.queue, poll.downloading, poll.checked) == (2, True, 2)
    assert poll.sightings == ()
    assert poll.questions == ()
    assert len(stack.radarr.calls) <= 6
    again = await radarr.poll(RADARR, poll.cursor, IDLE, now_of(stack))
    assert not any(report.opens for report in downloads(again.reports))


async def test_a_baseline_opens_what_a_pack_brings(stack: Stack, sonarr: SonarrClient) -> None:
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    series = await stack.sonarr.add_series(show)
    first, second = series.season(1), series.season(2)
    for episode in first:
        stack.sonarr.scan_file(episode)
    stack.sonarr.scan_file(second[0])
    await stack.sonarr.grab([*first, *second])
    poll = await sonarr.baseline(SONARR, now_of(stack), finished_days=30)
    opens = {
        report.opens: {ref.season for ref in report.parts} for report in downloads(poll.reports)
    }
    assert opens == {True: {2}, False: {1}}
    assert [report.season for report in lists(poll.reports)] == [1, 2]
    assert held(poll.reports).seasons == (1, 2)


async def test_a_sync_looks_at_every_open_title_and_at_the_health(
    stack: Stack, films: Follower
) -> None:
    there = await stack.radarr.add_movie(stack.catalogue.film())
    elsewhere = stack.catalogue.film()
    await stack.radarr.health("error", "IndexerStatusCheck", "Indexers are away")
    view = PollView(open_titles=(film_ref(there.film), film_ref(elsewhere)))
    stack.radarr.scan_file(there)
    poll = await films.client.sync(RADARR, films.cursor, view, now_of(stack))
    kept = {
        report.title.ids.tmdb: report.held
        for report in poll.reports
        if isinstance(report, HeldReport)
    }
    assert kept == {there.film.tmdb_id: True, elsewhere.tmdb_id: False}
    # A disk scan gives neither webhook nor history.
    assert [report.present for report in files(poll.reports)] == [True]
    assert all(report.confirmed for report in poll.reports)
    assert poll.checked == 2
    assert poll.health == (
        HealthNote(check="IndexerStatusCheck", ok=False, message="Indexers are away"),
    )


async def test_a_sync_asks_two_things_at_a_time(session: ClientSession) -> None:
    running = most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal running, most
        if request.path.endswith("/movie"):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.005)
            running -= 1
        return web.json_response([])

    titles = tuple(
        TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=number))
        for number in range(1, 20)
    )
    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        poll = await client.sync(RADARR, {"since": NOW}, PollView(open_titles=titles), NOW)
    assert most == 2
    assert [report.title.ids.tmdb for report in poll.reports] == list(range(1, 20))


async def test_the_first_error_ends_a_sync(stack: Stack, films: Follower) -> None:
    titles = tuple(film_ref(stack.catalogue.film()) for _ in range(30))
    stack.radarr.misbehave("500", path="/movie")
    stack.radarr.calls.clear()
    with pytest.raises(ServerFaultError):
        await films.client.sync(RADARR, films.cursor, PollView(open_titles=titles), now_of(stack))
    assert len(stack.radarr.calls) < 8


# --- questions ---------------------------------------------------------------------------


async def test_what_is_held_of_a_film(stack: Stack, radarr: RadarrClient) -> None:
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    question = asked(QuestionKind.TITLE, title=film_ref(film))
    reports = await radarr.answer(RADARR, question, now_of(stack))
    assert held(reports).held
    assert [report.present for report in files(reports)] == [True]
    assert held(reports).title.name == film.title
    assert len(stack.radarr.calls) == 1


async def test_what_is_held_of_a_series(stack: Stack, sonarr: SonarrClient) -> None:
    show = stack.catalogue.show(seasons={0: 2, 1: 3, 2: 4})
    series = await stack.sonarr.add_series(show, seasons=[2])
    stack.sonarr.scan_file(series.season(2)[0])
    question = asked(QuestionKind.TITLE, title=show_ref(show))
    reports = await sonarr.answer(SONARR, question, now_of(stack))
    assert held(reports).seasons == (2,)
    assert [(report.season, len(report.parts)) for report in lists(reports)] == [
        (0, 2),
        (1, 3),
        (2, 4),
    ]
    second = lists(reports)[2].parts
    assert [state.has_file for state in second] == [True, False, False, False]
    assert second[0].file_at == pytest.approx(now_of(stack), abs=2)
    assert not any(state.wanted for state in lists(reports)[1].parts)


async def test_only_the_seasons_that_were_asked_for(stack: Stack, sonarr: SonarrClient) -> None:
    show = stack.catalogue.show(seasons={1: 3, 2: 4, 3: 5})
    await stack.sonarr.add_series(show)
    question = asked(QuestionKind.TITLE, title=show_ref(show), seasons=(2, 9))
    reports = await sonarr.answer(SONARR, question, now_of(stack))
    assert [(report.season, len(report.parts)) for report in lists(reports)] == [(2, 4), (9, 0)]
    assert sum("seasonNumber=" in path for path in paths(stack.sonarr)) == 2
    many = asked(QuestionKind.TITLE, title=show_ref(show), seasons=(1, 2, 3, 4))
    reports = await sonarr.answer(SONARR, many, now_of(stack))
    assert [report.season for report in lists(reports)] == [1, 2, 3, 4]
    assert sum("/episode" in path for path in paths(stack.sonarr)) == 1


async def test_a_series_that_was_just_added_has_no_seasons_yet(
    session: ClientSession,
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path.endswith("/series"):
            return web.json_response([{"id": 3, "title": "x", "tvdbId": 5, "seasons": []}])
        return web.json_response([])

    title = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=5))
    async with serving(handler) as server:
        client = SonarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        question = asked(QuestionKind.TITLE, title=title, seasons=(1,))
        reports = await client.answer(SONARR, question, NOW)
    assert lists(reports) == []
    assert held(reports).held


async def test_a_series_that_is_not_monitored_wants_what_it_has(
    stack: Stack, sonarr: SonarrClient
) -> None:
    show = stack.catalogue.show(seasons={1: 2})
    series = await stack.sonarr.add_series(show, monitored=False)
    stack.sonarr.scan_file(series.season(1)[0])
    question = asked(QuestionKind.TITLE, title=show_ref(show))
    (report,) = lists(await sonarr.answer(SONARR, question, now_of(stack)))
    assert [state.wanted for state in report.parts] == [True, False]


async def test_the_files_of_a_mixed_service_tell_the_tier(
    stack: Stack, sonarr: SonarrClient
) -> None:
    show = stack.catalogue.show(seasons={1: 1})
    series = await stack.sonarr.add_series(show)
    stack.sonarr.scan_file(series.season(1)[0], quality="WEBDL-2160p")
    question = asked(QuestionKind.TITLE, title=show_ref(show))
    (report,) = lists(await sonarr.answer(MIXED_SONARR, question, now_of(stack)))
    assert report.tier == "4k"


async def test_a_title_that_is_not_there(stack: Stack, radarr: RadarrClient) -> None:
    title = film_ref(stack.catalogue.film(), own_id=7)
    question = asked(QuestionKind.TITLE, title=title)
    (report,) = await radarr.answer(RADARR, question, now_of(stack))
    assert isinstance(report, HeldReport)
    assert (report.held, report.confirmed, report.title.own_id) == (False, True, None)
    assert report.title.ids == title.ids


async def test_a_service_that_answers_everything_is_not_believed(session: ClientSession) -> None:
    """A version that does not know the filter answers the whole library."""

    async def handler(request: web.Request) -> web.Response:
        return web.json_response([movie(tmdbId=1), movie(tmdbId=2)])

    title = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=5))
    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        question = asked(QuestionKind.TITLE, title=title)
        (report,) = await client.answer(RADARR, question, NOW)
    assert isinstance(report, HeldReport)
    assert not report.held


async def test_the_services_own_id_serves_where_there_is_no_other(
    stack: Stack, radarr: RadarrClient, sonarr: SonarrClient
) -> None:
    film = stack.radarr.put_movie(stack.catalogue.film())
    title = TitleRef(media_type=MediaType.MOVIE, own_id=film.id)
    reports = await radarr.answer(RADARR, asked(QuestionKind.TITLE, title=title), now_of(stack))
    assert held(reports).title.ids.tmdb == film.film.tmdb_id
    gone = replace(title, own_id=999)
    reports = await radarr.answer(RADARR, asked(QuestionKind.TITLE, title=gone), now_of(stack))
    assert (held(reports).held, held(reports).title.own_id) == (False, 999)


async def test_own_ids_are_given_to_others_after_a_reinstall(
    stack: Stack, sonarr: SonarrClient
) -> None:
    old = stack.catalogue.show()
    series = await stack.sonarr.add_series(old)
    title = TitleRef(
        media_type=MediaType.SERIES, ids=ExternalIds(tmdb=old.tmdb_id), own_id=series.id
    )
    question = asked(QuestionKind.TITLE, title=title)
    assert held(await sonarr.answer(SONARR, question, now_of(stack))).held
    stack.sonarr.reinstall()
    await stack.sonarr.add_series(stack.catalogue.show())
    report = held(await sonarr.answer(SONARR, question, now_of(stack)))
    assert (report.held, report.title.own_id) == (False, None)


async def test_where_a_title_is_on_the_disk(
    stack: Stack, radarr: RadarrClient, sonarr: SonarrClient
) -> None:
    film = stack.radarr.put_movie(stack.catalogue.film("Salt Tower", 2026))
    series = await stack.sonarr.add_series(stack.catalogue.show("Tidal Anchor"))
    assert await radarr.folder(film_ref(film.film)) == "/movies/Salt Tower (2026)"
    assert await sonarr.folder(show_ref(series.show)) == "/tv/Tidal Anchor"
    own = TitleRef(media_type=MediaType.MOVIE, own_id=film.id)
    assert await radarr.folder(own) == "/movies/Salt Tower (2026)"
    assert await radarr.folder(film_ref(stack.catalogue.film())) is None
    assert await radarr.folder(TitleRef(media_type=MediaType.MOVIE)) is None
    assert isinstance(radarr, KnowsFolder)


async def test_what_cannot_be_asked_is_not_answered(
    stack: Stack, sonarr: SonarrClient, radarr: RadarrClient
) -> None:
    by_tmdb = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tmdb=5))
    for question in (
        asked(QuestionKind.TITLE, title=by_tmdb),
        asked(QuestionKind.TITLE),
        asked(QuestionKind.FACTS, title=by_tmdb),
        asked(QuestionKind.REQUEST, request_id=4, title=by_tmdb),
        asked(QuestionKind.AVAILABILITY, title=by_tmdb),
        asked(QuestionKind.DOWNLOAD),
    ):
        assert await sonarr.answer(SONARR, question, now_of(stack)) == ()
    assert stack.sonarr.calls == []


async def test_facts_of_a_title(stack: Stack, sonarr: SonarrClient, radarr: RadarrClient) -> None:
    show = stack.catalogue.show(seasons={1: 3})
    await stack.sonarr.add_series(show)
    (report,) = await sonarr.answer(
        SONARR, asked(QuestionKind.FACTS, title=show_ref(show)), now_of(stack)
    )
    title = report.title
    assert (title.name, title.year, title.overview) == (show.title, show.year, show.overview)
    assert title.poster is not None
    assert len(stack.sonarr.calls) == 1
    unknown = asked(QuestionKind.FACTS, title=film_ref(stack.catalogue.film()))
    assert await radarr.answer(RADARR, unknown, now_of(stack)) == ()


async def test_dates_are_told_by_our_clock(session: ClientSession) -> None:
    ahead = datetime.fromtimestamp(NOW + 600, UTC)

    async def handler(request: web.Request) -> web.Response:
        rows: list[Doc] = []
        if request.path.endswith("/history/since"):
            rows = [history_row(1, "grabbed", ahead.strftime("%Y-%m-%dT%H:%M:%SZ"))]
        date = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return web.json_response(rows, headers={"Date": date})

    async with serving(handler) as server:
        connection = Connection(url=str(server.make_url("")), api_key="x")
        client = RadarrClient(session, connection, clock=lambda: NOW + 0.5)
        poll = await client.poll(RADARR, {"since": NOW}, IDLE, NOW)
    assert client.clock_offset == pytest.approx(600)
    (report,) = poll.reports
    assert report.happened_at == pytest.approx(NOW)
