"""What a Radarr and a Sonarr are made to do, and what is believed of them."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    EpisodesReport,
    ExternalIds,
    HeldReport,
    MediaType,
    TitleRef,
    Via,
)
from custom_components.media_arrivals.engine.connectors.acting import (
    NotDoneError,
    SearchesMedia,
    TakesTitles,
    Wish,
)
from custom_components.media_arrivals.engine.connectors.base import (
    BadAnswerError,
    NotFoundError,
    ServerFaultError,
    TimedOutError,
)
from custom_components.media_arrivals.engine.connectors.http import Answer, JsonClient
from custom_components.media_arrivals.engine.connectors.radarr.client import RadarrClient
from custom_components.media_arrivals.engine.connectors.sonarr.client import SonarrClient
from simulator import Film, Show, Stack
from tests.engine.connectors.arr.bodies import RADARR, SONARR
from tests.engine.connectors.arr.test_arr_client import film_ref, now_of, show_ref


@pytest.fixture
def film(stack: Stack) -> Film:
    return stack.catalogue.film("Amber Ferry")


@pytest.fixture
def show(stack: Stack) -> Show:
    return stack.catalogue.show("Tide House", 2020, seasons={1: 3, 2: 2})


def held(reports: tuple[AnyReport, ...]) -> HeldReport:
    (found,) = (report for report in reports if isinstance(report, HeldReport))
    assert {report.origin.via for report in reports} == {Via.ACTION}
    return found


def commands(double: Any) -> list[dict[str, Any]]:
    """Return what the service was told to do, without what it adds itself."""
    return [command["body"] for command in double.commands.values()]


def answering(
    monkeypatch: pytest.MonkeyPatch, method: str, answer: Callable[[str], Answer | None]
) -> None:
    """Have calls of one kind answered otherwise than the service would."""
    send = JsonClient.send

    async def answered(self: JsonClient, verb: str, path: str, **options: Any) -> Answer:
        found = answer(path) if verb == method else None
        return found or await send(self, verb, path, **options)

    monkeypatch.setattr(JsonClient, "send", answered)


def test_they_are_known_for_what_they_can(radarr: RadarrClient, sonarr: SonarrClient) -> None:
    for client in (radarr, sonarr):
        assert isinstance(client, SearchesMedia)
        assert isinstance(client, TakesTitles)


# --- search --------------------------------------------------------------------------------


async def test_films_are_found(stack: Stack, radarr: RadarrClient, film: Film) -> None:
    (hit,) = await radarr.search("amber ferry", None)
    assert (hit.title.name, hit.title.ids.tmdb) == (film.title, film.tmdb_id)
    assert (hit.requested, hit.playable) == (False, False)

    movie = await stack.radarr.add_movie(film)
    (hit,) = await radarr.search("amber ferry", MediaType.MOVIE)
    assert (hit.requested, hit.playable, hit.title.own_id) == (True, False, None)

    await stack.radarr.import_file(await stack.radarr.grab(movie))
    (hit,) = await radarr.search("amber ferry", MediaType.MOVIE)
    assert (hit.requested, hit.playable) == (True, True)
    assert await radarr.search("amber ferry", MediaType.SERIES) == ()


async def test_series_are_found(stack: Stack, sonarr: SonarrClient, show: Show) -> None:
    (hit,) = await sonarr.search("tide", None)
    assert (hit.title.name, hit.title.ids.tvdb) == (show.title, show.tvdb_id)
    assert not hit.requested

    series = await stack.sonarr.add_series(show)
    (hit,) = await sonarr.search("tide", None)
    assert (hit.requested, hit.playable) == (True, False)
    for season in (1, 2):
        await stack.sonarr.import_files(await stack.sonarr.grab(series.season(season)))
    (hit,) = await sonarr.search("tide", None)
    assert hit.playable


async def test_no_list_is_no_answer(radarr: RadarrClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "GET", lambda _: Answer(status=200, body=b'"nothing"'))
    with pytest.raises(BadAnswerError):
        await radarr.search("amber", None)


# --- what there is to choose from ------------------------------------------------------------


async def test_profiles_and_folders_are_named(radarr: RadarrClient, stack: Stack) -> None:
    profiles = await radarr.profiles()
    assert {profile.id: profile.name for profile in profiles} == stack.radarr.profiles
    (folder,) = await radarr.root_folders()
    assert folder.path == stack.radarr.root_folder
    assert folder.accessible
    assert folder.free


# --- fetching --------------------------------------------------------------------------------


async def test_a_film_is_added_monitored_and_searched(
    stack: Stack, radarr: RadarrClient, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods: list[Any] = []
    add_movie = stack.radarr.add_movie

    async def added(*args: Any, **options: Any) -> Any:
        methods.append(options["method"])
        return await add_movie(*args, **options)

    monkeypatch.setattr(stack.radarr, "add_movie", added)
    reports = await radarr.add(
        RADARR,
        Wish(title=film_ref(film)),
        now_of(stack),
        profile=next(iter(stack.radarr.profiles)),
        folder=stack.radarr.root_folder,
    )
    movie = stack.radarr.find(film.tmdb_id)
    assert movie is not None
    assert movie.monitored
    report = held(reports)
    assert (report.held, report.opens, report.title.ids.tmdb) == (True, True, film.tmdb_id)
    # Without it no webhook could tell that the film came in.
    assert methods == ["manual"]


async def test_what_is_there_is_monitored_and_searched(
    stack: Stack, radarr: RadarrClient, film: Film
) -> None:
    movie = await stack.radarr.add_movie(film, monitored=False)
    reports = await radarr.add(
        RADARR, Wish(title=film_ref(film)), now_of(stack), profile=1, folder="/data"
    )
    assert movie.monitored
    assert held(reports).held
    (command,) = commands(stack.radarr)
    assert (command["name"], command["movieIds"]) == ("MoviesSearch", [movie.id])


async def test_some_seasons_are_added(stack: Stack, sonarr: SonarrClient, show: Show) -> None:
    reports = await sonarr.add(
        SONARR,
        Wish(title=show_ref(show), seasons=(2,)),
        now_of(stack),
        profile=next(iter(stack.sonarr.profiles)),
        folder=stack.sonarr.root_folder,
    )
    series = stack.sonarr.find(show.tvdb_id)
    assert series is not None
    assert {number for number, on in series.seasons.items() if on} == {2}
    assert held(reports).held
    (listed,) = (report for report in reports if isinstance(report, EpisodesReport))
    assert listed.season == 2

    await sonarr.add(SONARR, Wish(title=show_ref(show)), now_of(stack), profile=1, folder="/data")
    assert {number for number, on in series.seasons.items() if on} == {1, 2}
    assert commands(stack.sonarr)[-1]["name"] == "SeriesSearch"


@pytest.mark.parametrize("version", ["3.0.10.1567"])
async def test_an_old_sonarr_has_a_profile_for_languages(
    stack: Stack, sonarr: SonarrClient, show: Show, version: str
) -> None:
    answered: list[bytes] = []

    def refuse_once(path: str) -> Answer | None:
        if path.endswith("/series") and not answered:
            body = b'[{"propertyName": "LanguageProfileId", "errorMessage": "does not exist"}]'
            answered.append(body)
            return Answer(status=400, body=body)
        return None

    with pytest.MonkeyPatch.context() as patch:
        answering(patch, "POST", refuse_once)
        answering(
            patch,
            "GET",
            lambda path: (
                Answer(status=200, body=b'[{"id": 1, "name": "English"}]')
                if path.endswith("languageprofile")
                else None
            ),
        )
        await sonarr.add(
            SONARR,
            Wish(title=show_ref(show)),
            now_of(stack),
            profile=next(iter(stack.sonarr.profiles)),
            folder=stack.sonarr.root_folder,
        )
    assert stack.sonarr.find(show.tvdb_id) is not None


async def test_whoever_was_quicker_is_no_failure(
    stack: Stack, radarr: RadarrClient, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = await stack.radarr.add_movie(film, monitored=False)
    find, asked = radarr.find, []

    async def find_late(title: TitleRef) -> Any:
        asked.append(title)
        return {} if len(asked) == 1 else await find(title)

    monkeypatch.setattr(radarr, "find", find_late)
    await radarr.add(RADARR, Wish(title=film_ref(film)), now_of(stack), profile=1, folder="/data")
    assert movie.monitored


async def test_why_it_is_refused_is_said(stack: Stack, radarr: RadarrClient, film: Film) -> None:
    with pytest.raises(ServerFaultError, match="Quality Profile does not exist"):
        await radarr.add(
            RADARR, Wish(title=film_ref(film)), now_of(stack), profile=404, folder="/data"
        )
    nobody = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=404_404))
    with pytest.raises(NotFoundError):
        await radarr.add(RADARR, Wish(title=nobody), now_of(stack), profile=1, folder="/data")
    nameless = TitleRef(media_type=MediaType.MOVIE)
    with pytest.raises(NotFoundError):
        await radarr.add(RADARR, Wish(title=nameless), now_of(stack), profile=1, folder="/data")
    assert stack.radarr.movies == {}


async def test_a_yes_that_changed_nothing_is_no_success(
    stack: Stack,
    radarr: RadarrClient,
    sonarr: SonarrClient,
    film: Film,
    show: Show,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    series = await stack.sonarr.add_series(show, seasons=[1])
    answering(monkeypatch, "POST", lambda _: Answer(status=201, body=b'{"id": 1}'))
    answering(monkeypatch, "PUT", lambda _: Answer(status=202, body=b"{}"))
    with pytest.raises(NotDoneError):
        await radarr.add(
            RADARR, Wish(title=film_ref(film)), now_of(stack), profile=1, folder="/data"
        )
    with pytest.raises(NotFoundError):
        await sonarr.add(
            SONARR, Wish(title=show_ref(show)), now_of(stack), profile=1, folder="/data"
        )
    assert not series.seasons.get(2)


# --- looking again ---------------------------------------------------------------------------


async def test_releases_are_looked_for_again(
    stack: Stack, radarr: RadarrClient, sonarr: SonarrClient, film: Film, show: Show
) -> None:
    movie = await stack.radarr.add_movie(film)
    series = await stack.sonarr.add_series(show)
    await radarr.search_release(film_ref(film))
    await sonarr.search_release(show_ref(show), (1, 2))
    (command,) = commands(stack.radarr)
    assert (command["name"], command["movieIds"]) == ("MoviesSearch", [movie.id])
    assert [
        (command["name"], command["seriesId"], command["seasonNumber"])
        for command in commands(stack.sonarr)
    ] == [("SeasonSearch", series.id, 1), ("SeasonSearch", series.id, 2)]


async def test_what_is_not_there_is_not_searched(
    stack: Stack, radarr: RadarrClient, film: Film
) -> None:
    with pytest.raises(NotFoundError):
        await radarr.search_release(film_ref(film))
    assert stack.radarr.commands == {}


@pytest.mark.parametrize(
    ("posted", "state"),
    [(b"{}", b"{}"), (b'{"id": 5}', b'{"id": 5, "status": "failed", "message": "No indexer"}')],
)
async def test_a_search_that_fails_is_no_success(
    stack: Stack,
    radarr: RadarrClient,
    film: Film,
    monkeypatch: pytest.MonkeyPatch,
    posted: bytes,
    state: bytes,
) -> None:
    await stack.radarr.add_movie(film)
    answering(monkeypatch, "POST", lambda _: Answer(status=201, body=posted))
    answering(
        monkeypatch,
        "GET",
        lambda path: Answer(status=200, body=state) if "/command/" in path else None,
    )
    with pytest.raises(NotDoneError):
        await radarr.search_release(film_ref(film))


async def test_a_service_that_does_not_answer_has_done_nothing(
    stack: Stack, radarr: RadarrClient, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stack.radarr.add_movie(film)

    def silent(_: str) -> Answer:
        raise TimedOutError

    answering(monkeypatch, "POST", silent)
    with pytest.raises(TimedOutError):
        await radarr.search_release(film_ref(film))
