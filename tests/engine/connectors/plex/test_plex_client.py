"""The client asks a Plex server for little, and concludes what is there."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from aiohttp import ClientSession

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    ExternalIds,
    IndexEntry,
    MediaType,
    PlayableReport,
    Question,
    QuestionKind,
    Service,
    TitleRef,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    Client,
    Connection,
    Decoded,
    InstallsWebhook,
    Json,
    NeedsIndex,
    NotReadyError,
    Poll,
    PollView,
    RefusedError,
    ScansFolders,
    ServerFaultError,
    ServiceError,
    TimedOutError,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
    WrongServiceError,
)
from custom_components.media_arrivals.engine.connectors.clients import make_client
from custom_components.media_arrivals.engine.connectors.plex.client import PlexClient
from custom_components.media_arrivals.engine.connectors.plex.decode import PlexDecoder
from custom_components.media_arrivals.engine.connectors.plex.notices import Notices
from simulator import Film, PlexDouble, Show, Stack

from .bodies import delivery
from .conftest import MemoryIndex

VIEW = PollView()
DAY = 86_400.0
type Heard = tuple[list[Decoded], asyncio.Task[None]]
TARGET = WebhookTarget(
    url="https://home.example/api/webhook/abc123",
    webhook_id="abc123",
    username="",
    secret="",
    instance_id="instance",
)


def now(plex: PlexDouble) -> float:
    return plex.clock.now().timestamp()


def film_title(film: Film) -> TitleRef:
    return TitleRef(
        media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=film.tmdb_id, imdb=film.imdb_id)
    )


def show_title(show: Show) -> TitleRef:
    return TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=show.tvdb_id))


def availability(title: TitleRef, *seasons: int) -> Question:
    return Question(service="plex1", kind=QuestionKind.AVAILABILITY, title=title, seasons=seasons)


def item(key: str, *seasons: int, **more: Any) -> Question:
    return Question(service="plex1", kind=QuestionKind.ITEM, item=key, seasons=seasons, **more)


def said(reports: Sequence[AnyReport]) -> dict[tuple[int | None, str], list[int | None] | bool]:
    """Sum up what can be played: by season and tier, the episodes, or for a film yes and no."""
    found: dict[tuple[int | None, str], list[int | None] | bool] = {}
    for report in reports:
        if not isinstance(report, PlayableReport):
            continue
        assert report.confirmed
        season = report.seasons[0] if report.seasons else None
        parts: list[int | None] | bool = [part.number for part in report.parts]
        film = report.title.media_type is MediaType.MOVIE
        assert report.playable == bool(parts) or film
        found[season, report.tier.value] = report.playable if film else parts
    return found


@pytest.fixture
async def begun(client: PlexClient, service: Service, plex: PlexDouble) -> Poll:
    """Return the baseline."""
    return await client.baseline(service, now(plex), finished_days=30)


# --- who answers ------------------------------------------------------------------------------


def test_it_can_all_that_a_media_server_can(client: PlexClient) -> None:
    assert isinstance(client, Client)
    for capability in (InstallsWebhook, ScansFolders, NeedsIndex):
        assert isinstance(client, capability)


async def test_it_says_who_it_is_and_who_owns_it(client: PlexClient, plex: PlexDouble) -> None:
    who = await client.identify()
    assert (who.kind, who.name, who.version) == ("plex", "plex", plex.version)
    assert who.server_id == plex.machine_id
    assert who.owner_id == str(plex.plex_tv.owner.id)


async def test_a_server_whose_owner_plex_tv_does_not_tell_works_all_the_same(
    plex: PlexDouble, session: ClientSession
) -> None:
    connection = Connection(url=plex.url, api_key=plex.server_token)
    client = PlexClient(session, connection, plex_tv=plex.plex_tv.url)
    who = await client.identify()
    assert (who.server_id, who.owner_id) == (plex.machine_id, None)
    await plex.plex_tv.go_down()
    assert (await client.identify()).owner_id is None


async def test_a_guest_learns_who_the_owner_is(plex: PlexDouble, session: ClientSession) -> None:
    guest = plex.plex_tv.add_account("Bo", plex.add_user("Bo", 77))
    plex.api_key = guest.token
    connection = Connection(url=plex.url, api_key=guest.token)
    client = PlexClient(session, connection, plex_tv=plex.plex_tv.url)
    # plex.tv tells a guest whose server it is; it is not the guest's.
    assert (await client.identify()).owner_id == str(plex.plex_tv.owner.id)
    plex.users.pop(77)
    assert (await client.identify()).owner_id is None


async def test_a_wrong_token_and_something_else_are_told_apart(
    plex: PlexDouble, session: ClientSession
) -> None:
    wrong = Connection(url=plex.url, api_key="wrong")
    with pytest.raises(AuthError):
        await make_client("plex", session, wrong).identify()
    elsewhere = Connection(url=f"{plex.url}/elsewhere", api_key=plex.api_key)
    with pytest.raises(WrongServiceError):
        await make_client("plex", session, elsewhere).identify()
    plex.misbehave("498")
    with pytest.raises(AuthError):
        await make_client("plex", session, wrong).identify()


async def test_json_that_is_no_plex_is_another_service(
    client: PlexClient, plex: PlexDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plex, "machine_id", None)
    with pytest.raises(WrongServiceError):
        await client.identify()


async def test_the_same_home_is_always_the_same_client(
    plex: PlexDouble, session: ClientSession
) -> None:
    connection = Connection(url=plex.url, api_key=plex.api_key, client_id="home")
    ids = [
        PlexClient(session, connection)._http._headers["X-Plex-Client-Identifier"],  # noqa: SLF001
        PlexClient(session, connection)._http._headers["X-Plex-Client-Identifier"],  # noqa: SLF001
        PlexClient(session, connection, client_id="other")._http._headers[  # noqa: SLF001
            "X-Plex-Client-Identifier"
        ],
    ]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("html", BadAnswerError),
        ("invalid_json", BadAnswerError),
        ("500", ServerFaultError),
        ("429", ServerFaultError),
        ("401", AuthError),
    ],
)
async def test_faults_are_told_apart_and_never_raise_otherwise(
    client: PlexClient,
    plex: PlexDouble,
    service: Service,
    begun: Poll,
    fault: str,
    error: type[ServiceError],
) -> None:
    plex.misbehave(fault)
    with pytest.raises(error) as raised:
        await client.poll(service, begun.cursor, VIEW, now(plex))
    assert plex.api_key not in str(raised.value)
    plex.behave()
    assert (await client.poll(service, begun.cursor, VIEW, now(plex))).playing == 0


async def test_a_server_that_is_down_is_refused(
    client: PlexClient, plex: PlexDouble, service: Service, begun: Poll
) -> None:
    await plex.go_down()
    with pytest.raises(RefusedError):
        await client.poll(service, begun.cursor, VIEW, now(plex))
    with pytest.raises(RefusedError):
        await client.listen(service, lambda _: None)


# --- polling ----------------------------------------------------------------------------------


async def test_the_baseline_is_silent(begun: Poll, stack: Stack) -> None:
    assert (begun.reports, begun.questions) == ((), ())


async def test_what_is_new_is_asked_about_once(
    client: PlexClient,
    stack: Stack,
    plex: PlexDouble,
    service: Service,
    begun: Poll,
    index: MemoryIndex,
) -> None:
    film = stack.catalogue.film()
    series = stack.sonarr.put_series(stack.catalogue.show(seasons={1: 3}), quality="WEBDL-1080p")
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    first = await client.poll(service, begun.cursor, VIEW, now(plex))
    show = plex.find(tvdb=series.show.tvdb_id)
    assert {(one.item, one.seasons) for one in first.questions} == {
        (plex.find(tmdb=film.tmdb_id).key, ()),
        (show.key, (1,)),
    }
    # The film's row told its ids.
    assert await index.find(MediaType.MOVIE, ExternalIds(tmdb=film.tmdb_id))
    again = await client.poll(service, first.cursor, VIEW, now(plex))
    assert (again.questions, again.cursor) == ((), first.cursor)


async def test_one_more_episode_of_an_old_season_is_new(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    series = stack.sonarr.put_series(stack.catalogue.show(seasons={1: 3}))
    stack.sonarr.scan_file(series.episodes[0])
    await plex.scan()
    stack.clock.advance(30 * DAY)
    for _ in range(12):
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    begun = await client.baseline(service, now(plex), finished_days=30)
    stack.clock.advance(60)
    stack.sonarr.scan_file(series.episodes[1])
    await plex.scan()
    poll = await client.poll(service, begun.cursor, VIEW, now(plex))
    assert [(one.item, one.seasons) for one in poll.questions] == [
        (plex.find(tvdb=series.show.tvdb_id).key, (1,))
    ]


async def test_more_old_seasons_than_a_page_with_a_new_episode_each_are_all_new(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    shows = [stack.sonarr.put_series(stack.catalogue.show(seasons={1: 3})) for _ in range(20)]
    for series in shows:
        stack.sonarr.scan_file(series.episodes[0])
    await plex.scan()
    stack.clock.advance(30 * DAY)
    for _ in range(3):
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    begun = await client.baseline(service, now(plex), finished_days=30)
    stack.clock.advance(60)
    for series in shows:
        stack.sonarr.scan_file(series.episodes[1])
    stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    poll = await client.poll(service, begun.cursor, VIEW, now(plex))
    assert len(poll.questions) == 21


async def test_a_burst_within_one_second_loses_nothing(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, begun: Poll
) -> None:
    for _ in range(130):
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    first = await client.poll(service, begun.cursor, VIEW, now(plex))
    assert len(first.questions) == 130
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    second = await client.poll(service, first.cursor, VIEW, now(plex))
    assert [one.item for one in second.questions] == [plex.find(tmdb=film.tmdb_id).key]


async def test_a_library_of_one_second_costs_a_handful_of_calls(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    plex.fill(30_000, at_once=True)
    begun = await client.baseline(service, now(plex), finished_days=30)
    assert len(plex.calls) <= 3
    cursor: Any = begun.cursor
    for _ in range(2):
        plex.reset_counts()
        idle = await client.poll(service, cursor, VIEW, now(plex))
        assert (idle.questions, idle.beyond, len(plex.calls)) == ((), False, 2)
        cursor = idle.cursor
    stack.clock.advance(60)
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    poll = await client.poll(service, cursor, VIEW, now(plex))
    assert [one.item for one in poll.questions] == [plex.find(tmdb=film.tmdb_id).key]
    await stack.radarr.delete_file(next(iter(stack.radarr.movies.values())))
    await plex.scan()
    poll = await client.poll(service, poll.cursor, VIEW, now(plex))
    assert (poll.questions, poll.beyond) == ((), False)


async def test_of_a_library_that_is_added_in_one_second_a_poll_reads_a_few_pages(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, begun: Poll
) -> None:
    stack.clock.advance(60)
    plex.fill(30_000, at_once=True)
    plex.reset_counts()
    poll = await client.poll(service, begun.cursor, VIEW, now(plex))
    assert poll.beyond
    assert len(plex.calls) <= 8
    plex.reset_counts()
    again = await client.poll(service, poll.cursor, VIEW, now(plex))
    assert (again.questions, again.beyond, len(plex.calls)) == ((), False, 2)


async def test_what_moves_up_because_the_newest_went_is_not_new(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    movies = []
    for _ in range(30):
        stack.clock.advance(60)
        movies.append(stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p"))
        await plex.scan()
    begun = await client.baseline(service, now(plex), finished_days=30)
    for movie in movies[-20:]:
        await stack.radarr.delete_file(movie)
    await plex.scan()
    assert (await client.poll(service, begun.cursor, VIEW, now(plex))).questions == ()


async def test_a_new_cursor_asks_about_nothing_old(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    await plex.watch(next(iter(plex.items.values())))
    poll = await client.poll(service, {}, VIEW, now(plex))
    assert (poll.questions, poll.reports) == ((), ())


async def test_an_idle_poll_of_30000_films_is_two_small_calls(
    client: PlexClient, plex: PlexDouble, service: Service
) -> None:
    plex.fill(30_000)
    begun = await client.baseline(service, now(plex), finished_days=30)
    plex.reset_counts()
    poll = await client.poll(service, begun.cursor, VIEW, now(plex))
    assert poll.questions == ()
    counts = plex.counts()
    assert counts["requests"] == 2
    assert counts["bytes"] < 20_000


async def test_even_a_server_that_leaves_nothing_out_stays_within_20_kb(
    client: PlexClient, plex: PlexDouble, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.plex._without", lambda row, _: row)
    plex.fill(100)
    begun = await client.baseline(service, now(plex), finished_days=30)
    plex.reset_counts()
    await client.poll(service, begun.cursor, VIEW, now(plex))
    assert plex.counts()["bytes"] < 20_000


# --- what can be played -----------------------------------------------------------------------


async def test_a_film_is_there_in_hd_and_not_in_4k(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    key = plex.find(tmdb=film.tmdb_id).key
    found = await client.answer(service, item(key), now(plex))
    assert said(found) == {(None, "hd"): True, (None, "4k"): False}
    assert all(isinstance(one, PlayableReport) and one.complete for one in found)
    assert {one.title.ids.tmdb for one in found} == {film.tmdb_id}


@pytest.mark.parametrize("one_library", [True, False])
async def test_two_versions_and_two_items_of_a_film_count_together(
    session: ClientSession, index: MemoryIndex, service: Service, *, one_library: bool
) -> None:
    house = Stack()
    hd, uhd = house.add_radarr(), house.add_radarr("radarr_4k", is4k=True)
    plex = house.add_plex(one_film_library=one_library)
    film = house.catalogue.film()
    async with house:
        hd.put_movie(film, quality="WEBDL-1080p")
        uhd.put_movie(film, quality="WEBDL-2160p")
        await plex.scan()
        client = PlexClient(session, Connection(url=plex.url, api_key=plex.api_key))
        client.index, client.index_complete = index, True
        page = await client.index_page(None)
        while page.resume is not None:
            await index.put(page.entries)
            page = await client.index_page(page.resume)
        await index.put(page.entries)
        assert len(index.entries) == (1 if one_library else 2)
        asked = [item(plex.find(tmdb=film.tmdb_id).key), availability(film_title(film))]
        for question in asked:
            found = await client.answer(service, question, now(plex))
            assert said(found) == {(None, "hd"): True, (None, "4k"): True}


async def test_a_season_is_there_part_by_part(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    show = stack.catalogue.show(seasons={1: 2, 2: 4})
    series = stack.sonarr.put_series(show)
    for episode in series.episodes[:5]:
        stack.sonarr.scan_file(episode)
    stack.sonarr.scan_file(series.episodes[1], quality="WEBDL-2160p")
    await plex.scan()
    key = plex.find(tvdb=show.tvdb_id).key
    found = await client.answer(service, item(key), now(plex))
    assert said(found) == {
        (1, "hd"): [1, 2],
        (1, "4k"): [2],
        (2, "hd"): [1, 2, 3],
        (2, "4k"): [],
    }
    report = next(one for one in found if isinstance(one, PlayableReport) and one.parts)
    assert report.parts[0].name == series.episodes[0].about.title
    assert report.parts[0].air_date is not None
    # A season that was asked for and is not there is absent.
    found = await client.answer(service, availability(show_title(show), 2, 7), now(plex))
    assert said(found) == {
        (2, "hd"): [1, 2, 3],
        (2, "4k"): [],
        (7, "hd"): [],
        (7, "4k"): [],
    }


async def test_a_season_and_an_episode_lead_to_their_series(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    for key in (
        plex.find(tvdb=show.tvdb_id, season=2).key,
        plex.find(tvdb=show.tvdb_id, season=2, episode=1).key,
    ):
        found = await client.answer(service, item(key), now(plex))
        assert said(found) == {(2, "hd"): [1, 2], (2, "4k"): []}
        assert {one.title.ids.tvdb for one in found} == {show.tvdb_id}


async def test_what_is_not_there_is_absent_only_where_all_is_known(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film, show = stack.catalogue.film(), stack.catalogue.show()
    found = await client.answer(service, availability(film_title(film)), now(plex))
    assert said(found) == {(None, "hd"): False, (None, "4k"): False}
    found = await client.answer(service, availability(show_title(show), 1), now(plex))
    assert said(found) == {(1, "hd"): [], (1, "4k"): []}
    found = await client.answer(service, availability(show_title(show)), now(plex))
    assert said(found) == {(None, "hd"): [], (None, "4k"): []}
    client.index_complete = False
    assert await client.answer(service, availability(film_title(film)), now(plex)) == ()
    client.index = None
    plex.reset_counts()
    assert await client.answer(service, availability(film_title(film)), now(plex)) == ()
    assert plex.counts()["requests"] == 0


async def test_without_ids_nothing_can_be_said(
    client: PlexClient, plex: PlexDouble, service: Service
) -> None:
    nameless = TitleRef(media_type=MediaType.MOVIE, name="Something")
    assert await client.answer(service, availability(nameless), now(plex)) == ()
    other = Question(service="plex1", kind=QuestionKind.FACTS, title=nameless)
    assert await client.answer(service, other, now(plex)) == ()
    assert plex.counts()["requests"] == 0


async def test_where_the_index_is_not_complete_only_what_is_there_is_told(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film, show = stack.catalogue.film(), stack.catalogue.show(seasons={1: 2})
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    client.index_complete = False
    found = await client.answer(service, item(plex.find(tmdb=film.tmdb_id).key), now(plex))
    assert said(found) == {(None, "hd"): True}
    found = await client.answer(service, item(plex.find(tvdb=show.tvdb_id).key, 1), now(plex))
    (report,) = found
    assert isinstance(report, PlayableReport)
    # Without the word that this is all, a season would mean every episode of it.
    assert (report.seasons, report.complete, len(report.parts)) == ((), False, 2)


async def test_an_addition_that_no_poll_showed_yet_is_found(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film, show = stack.catalogue.film(), stack.catalogue.show(seasons={1: 2})
    stack.radarr.put_movie(film, quality="WEBDL-2160p")
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    found = await client.answer(service, availability(film_title(film)), now(plex))
    assert said(found) == {(None, "hd"): False, (None, "4k"): True}
    found = await client.answer(service, availability(show_title(show), 1), now(plex))
    assert said(found) == {(1, "hd"): [1, 2], (1, "4k"): []}


async def test_a_film_that_came_back_under_another_id_is_found(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, index: MemoryIndex
) -> None:
    film = stack.catalogue.film()
    movie = stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    question = availability(film_title(film))
    await client.answer(service, question, now(plex))
    old = plex.find(tmdb=film.tmdb_id).key
    await stack.radarr.delete_file(movie)
    await plex.scan()
    stack.radarr.scan_file(movie)
    await plex.scan()
    found = await client.answer(service, question, now(plex))
    assert said(found)[None, "hd"] is True
    assert set(index.entries) == {plex.find(tmdb=film.tmdb_id).key}
    assert old not in index.entries


async def test_what_is_gone_is_absent_if_its_ids_are_known(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, index: MemoryIndex
) -> None:
    film = stack.catalogue.film()
    movie = stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    key = plex.find(tmdb=film.tmdb_id).key
    await client.answer(service, item(key), now(plex))
    await stack.radarr.delete_file(movie)
    await plex.scan()
    found = await client.answer(service, item(key), now(plex))
    assert said(found) == {(None, "hd"): False, (None, "4k"): False}
    assert key not in index.entries
    assert await client.answer(service, item(key), now(plex)) == ()
    assert await client.answer(service, item("999999"), now(plex)) == ()


async def test_an_item_that_became_another_film_is_not_the_old_one(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, index: MemoryIndex
) -> None:
    film, other = stack.catalogue.film(), stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    known = plex.find(tmdb=film.tmdb_id)
    wrong = IndexEntry(item=known.key, media_type=MediaType.MOVIE, ids=film_title(other).ids)
    await index.put([wrong])
    found = await client.answer(service, availability(film_title(other)), now(plex))
    assert said(found) == {(None, "hd"): False, (None, "4k"): False}
    assert index.entries[known.key].ids.tmdb == film.tmdb_id


async def test_a_new_item_without_ids_is_asked_about_again(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film = stack.catalogue.film()
    plex.matches = False
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    key = plex.find(tmdb=film.tmdb_id).key
    with pytest.raises(NotReadyError) as raised:
        await client.answer(service, item(key), now(plex))
    assert raised.value.retry_after == 60
    assert await client.answer(service, item(key), now(plex) + 7200) == ()
    await plex.match()
    assert said(await client.answer(service, item(key), now(plex)))[None, "hd"] is True


@pytest.mark.parametrize(
    ("versions", "said_of_it"),
    [
        ([{}], {(None, "unknown"): True}),
        ([{}, {"videoResolution": "4k"}], {(None, "4k"): True, (None, "unknown"): True}),
        ([{"width": 3840, "height": 1604}], {(None, "hd"): False, (None, "4k"): True}),
        ([{"width": 2880, "height": 2160}], {(None, "hd"): False, (None, "4k"): True}),
        ([{"videoResolution": "sd"}], {(None, "hd"): True, (None, "4k"): False}),
        ([{"height": 1080, "deletedAt": 1}], {(None, "hd"): False, (None, "4k"): False}),
        ([], {(None, "hd"): False, (None, "4k"): False}),
    ],
)
async def test_the_tier_is_that_of_the_version(
    client: PlexClient,
    stack: Stack,
    plex: PlexDouble,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    versions: list[dict[str, Any]],
    said_of_it: dict[Any, Any],
) -> None:
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    plain = plex._row  # noqa: SLF001
    monkeypatch.setattr(plex, "_row", lambda *args: plain(*args) | {"Media": versions})
    key = plex.find(tmdb=film.tmdb_id).key
    assert said(await client.answer(service, item(key), now(plex))) == said_of_it


async def test_when_it_came_is_the_servers_date_and_never_later_than_now(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    at = now(plex) + 900
    key = plex.find(tmdb=film.tmdb_id).key
    report = (await client.answer(service, item(key), at))[0]
    assert report.at == at
    assert report.happened_at == plex.items[key].added
    early = (await client.answer(service, item(key), 1000.0))[0]
    assert early.happened_at == 1000.0


async def test_a_sync_looks_at_every_open_title(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, begun: Poll
) -> None:
    films = [stack.catalogue.film() for _ in range(3)]
    show = stack.catalogue.show(seasons={1: 2})
    for film in films[:2]:
        stack.radarr.put_movie(film, quality="WEBDL-1080p")
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    view = PollView(open_titles=(*map(film_title, films), show_title(show)))
    plex.reset_counts()
    poll = await client.sync(service, begun.cursor, view, now(plex))
    there = {
        one.title.ids.tmdb
        for one in poll.reports
        if isinstance(one, PlayableReport) and one.playable
    }
    assert there >= {film.tmdb_id for film in films[:2]}
    assert films[2].tmdb_id not in there
    assert any(isinstance(one, PlayableReport) and len(one.parts) == 2 for one in poll.reports)
    assert poll.checked >= 4
    # Two for the poll, the history, known items, news and their series, its row, its episodes.
    assert plex.counts()["requests"] == 8


# --- who watched ------------------------------------------------------------------------------


async def test_the_history_is_read_once_somebody_stops(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film, show = stack.catalogue.film(), stack.catalogue.show(seasons={1: 2})
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    begun = await client.baseline(service, now(plex), finished_days=30)
    guest = plex.add_user("Bo", 77)
    stack.clock.advance(60)
    mine = await plex.play_session(plex.find(tmdb=film.tmdb_id))
    theirs = await plex.play_session(plex.find(tvdb=show.tvdb_id, season=1, episode=2), guest)
    during = await client.poll(service, begun.cursor, VIEW, now(plex))
    assert (during.playing, during.reports) == (2, ())
    await plex.finish(mine)
    await plex.stop_session(mine)
    await plex.finish(theirs)
    await plex.stop_session(theirs)
    after = await client.poll(service, during.cursor, VIEW, now(plex))
    assert after.playing == 0
    watched = {one.viewer: one for one in after.reports if isinstance(one, WatchReport)}
    assert set(watched) == {f"plex:{plex.plex_tv.owner.id}", "plex:77"}
    assert watched["plex:77"].title.ids.tvdb == show.tvdb_id
    assert [(one.season, one.number) for one in watched["plex:77"].parts] == [(1, 2)]
    assert watched[f"plex:{plex.plex_tv.owner.id}"].title.ids.tmdb == film.tmdb_id
    assert all(one.watched for one in watched.values())
    plex.reset_counts()
    again = await client.poll(service, after.cursor, VIEW, now(plex))
    assert again.reports == ()
    assert plex.counts()["requests"] == 2
    assert (await client.sync(service, after.cursor, VIEW, now(plex))).reports == ()


async def test_webhook_and_history_tell_one_event_by_one_name(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    begun = await client.baseline(service, now(plex), finished_days=30)
    await plex.watch(plex.find(tmdb=film.tmdb_id))
    poll = await client.sync(service, begun.cursor, VIEW, now(plex))
    hook = delivery(plex.payload("media.scrobble", 1, plex.find(tmdb=film.tmdb_id)))
    told = PlexDecoder().decode(service, hook)
    assert [(one.event, one.key) for one in told.sightings] == [
        (one.event, one.key) for one in poll.sightings
    ]


async def test_a_long_history_is_read_in_pages_and_told_from_old_to_new(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, begun: Poll
) -> None:
    films = [stack.catalogue.film() for _ in range(130)]
    for film in films:
        stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    for film in films:
        stack.clock.advance(1)
        session = await plex.play_session(plex.find(tmdb=film.tmdb_id))
        await plex.finish(session)
    poll = await client.sync(service, begun.cursor, VIEW, now(plex))
    watched = [one.title.ids.tmdb for one in poll.reports if isinstance(one, WatchReport)]
    assert sorted(watched, key=str) == sorted([film.tmdb_id for film in films], key=str)


async def test_a_row_of_the_history_may_tell_its_ids_and_may_be_music(
    client: PlexClient,
    stack: Stack,
    plex: PlexDouble,
    service: Service,
    begun: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    await plex.watch(plex.find(tmdb=film.tmdb_id))
    plain = plex._history_row  # noqa: SLF001
    old: dict[str, Any] = {"guid": "com.plexapp.agents.themoviedb://603?lang=en"}
    rows = iter([old | {"historyKey": None}, {"type": "track"}])
    monkeypatch.setattr(plex, "_history_row", lambda row: plain(row) | next(rows))
    poll = await client.sync(service, begun.cursor, VIEW, now(plex))
    assert [one.title.ids.tmdb for one in poll.reports if isinstance(one, WatchReport)] == [603]
    poll = await client.sync(service, begun.cursor, VIEW, now(plex))
    assert (poll.reports, poll.sightings) == ((), ())


async def test_episodes_that_are_gone_between_two_calls_are_absent(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    show = stack.catalogue.show(seasons={1: 2})
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    plex.misbehave("404", path="allLeaves")
    found = await client.answer(service, availability(show_title(show), 1), now(plex))
    assert said(found) == {(1, "hd"): [], (1, "4k"): []}


async def test_an_item_that_is_neither_film_nor_series_is_nothing(
    client: PlexClient,
    stack: Stack,
    plex: PlexDouble,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show = stack.catalogue.show(seasons={1: 1})
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    episode = plex.find(tvdb=show.tvdb_id, season=1, episode=1)
    plain = plex._row  # noqa: SLF001
    for odd in ({"type": "artist"}, {"grandparentRatingKey": None}):
        monkeypatch.setattr(plex, "_row", lambda *args, odd=odd: plain(*args) | odd)
        assert await client.answer(service, item(episode.key), now(plex)) == ()


async def test_the_history_goes_back_a_week_at_most(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, begun: Poll
) -> None:
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    known = plex.find(tmdb=film.tmdb_id)
    await plex.watch(known)
    # The server's clock as its Date header tells it does not move with the simulated one.
    late = now(plex) + 8 * DAY
    assert (await client.sync(service, begun.cursor, VIEW, late)).reports == ()
    assert (await client.sync(service, begun.cursor, VIEW, late - 3 * DAY)).reports != ()


async def test_viewings_of_what_is_gone_or_unknown_are_left_out(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service, begun: Poll
) -> None:
    film = stack.catalogue.film()
    movie = stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    await plex.watch(plex.find(tmdb=film.tmdb_id))
    await stack.radarr.delete_file(movie)
    await plex.scan()
    poll = await client.sync(service, begun.cursor, VIEW, now(plex))
    assert [one for one in poll.reports if isinstance(one, WatchReport)] == []
    assert poll.cursor["seen"]


async def test_an_answer_completes_who_watched(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    show = stack.catalogue.show(seasons={1: 2})
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    episode = plex.find(tvdb=show.tvdb_id, season=1, episode=2)
    hook = delivery(plex.payload("media.scrobble", 1, episode))
    (question,) = PlexDecoder().decode(service, hook).questions
    found = await client.answer(service, question, now(plex))
    (watched,) = [one for one in found if isinstance(one, WatchReport)]
    assert question.about is not None
    assert watched == replace(
        question.about, title=replace(question.about.title, ids=watched.title.ids)
    )
    assert watched.title.ids.tvdb == show.tvdb_id
    assert (1, "hd") in said(found)
    # Only the episode is known: its number and its series are read.
    nameless = replace(question.about, parts=())
    asked = replace(question, item=episode.key, seasons=(), about=nameless)
    found = await client.answer(service, asked, now(plex))
    (watched,) = [one for one in found if isinstance(one, WatchReport)]
    assert [(one.season, one.number) for one in watched.parts] == [(1, 2)]


async def test_who_watched_what_is_gone_is_told_if_its_ids_are_known(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    film = stack.catalogue.film()
    movie = stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    known = plex.find(tmdb=film.tmdb_id)
    hook = delivery(plex.payload("media.scrobble", 1, known))
    (report,) = PlexDecoder().decode(service, hook).reports
    assert isinstance(report, WatchReport)
    about = replace(report, title=replace(report.title, ids=ExternalIds()))
    await client.answer(service, item(known.key), now(plex))
    await stack.radarr.delete_file(movie)
    await plex.scan()
    found = await client.answer(service, item(known.key, about=about), now(plex))
    (watched,) = [one for one in found if isinstance(one, WatchReport)]
    assert watched.title.ids.tmdb == film.tmdb_id


# --- index and folders ------------------------------------------------------------------------


async def test_the_index_is_read_page_by_page_and_can_be_gone_on_with(
    client: PlexClient, stack: Stack, plex: PlexDouble
) -> None:
    plex.fill(1_200)
    show = stack.catalogue.show(seasons={1: 2})
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    entries: dict[str, IndexEntry] = {}
    page = await client.index_page(None)
    done = [page.done]
    entries |= {one.item: one for one in page.entries}
    while page.resume is not None:
        page = await client.index_page(page.resume)
        entries |= {one.item: one for one in page.entries}
        done.append(page.done)
        assert page.total == 1_201
    assert done == sorted(done)
    assert done[-1] == len(entries) == 1_201
    assert {one.media_type for one in entries.values()} == set(MediaType)


async def test_a_library_that_is_deleted_meanwhile_ends_there(
    client: PlexClient, plex: PlexDouble
) -> None:
    plex.fill(600)
    page = await client.index_page(None)
    del plex.sections["1"]
    pages = 1
    while page.resume is not None:
        page = await client.index_page(page.resume)
        pages += 1
    assert pages < 6
    assert page.done == 500


@pytest.mark.parametrize("resume", [{"todo": "odd"}, [], "x", {"done": 1, "total": 2, "todo": [7]}])
async def test_a_place_that_cannot_be_read_begins_anew_or_ends(
    client: PlexClient, plex: PlexDouble, resume: Any
) -> None:
    page = await client.index_page(resume)
    assert page.entries == ()


async def test_a_home_without_libraries_has_an_empty_index(
    client: PlexClient, plex: PlexDouble
) -> None:
    plex.sections.clear()
    page = await client.index_page(None)
    assert (page.entries, page.resume, page.done, page.total) == ((), None, 0, 0)


async def test_a_folder_is_scanned_in_its_library(
    client: PlexClient, stack: Stack, plex: PlexDouble, service: Service
) -> None:
    libraries = {library.name: library for library in await client.libraries()}
    assert {name: one.media_type for name, one in libraries.items()} == {
        "Films": MediaType.MOVIE,
        "Films 4K": MediaType.MOVIE,
        "Series": MediaType.SERIES,
    }
    assert libraries["Films 4K"].folders == ("/data/media/movies-4k",)
    film, other = stack.catalogue.film(), stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    stack.radarr.put_movie(other, quality="WEBDL-1080p")
    folder = f"/data/media/movies/{film.title} ({film.year})"
    await client.scan(libraries["Films"], folder)
    await plex.settle()
    assert plex.scans == [("1", folder)]
    assert plex.find(tmdb=film.tmdb_id).versions
    with pytest.raises(LookupError):
        plex.find(tmdb=other.tmdb_id)
    await client.scan(libraries["Films"], None)
    await plex.settle()
    assert plex.find(tmdb=other.tmdb_id).versions


# --- the webhook ------------------------------------------------------------------------------


async def test_our_webhook_is_one_among_others(client: PlexClient, plex: PlexDouble) -> None:
    foreign = ["https://example.com/one", "https://example.com/two?x=1&y=2"]
    account = plex.plex_tv.owner
    account.webhooks[:] = foreign
    assert (await client.read_webhook(TARGET)).state is WebhookState.ABSENT
    installed = await client.install_webhook(TARGET)
    assert installed.state is WebhookState.REGISTERED
    assert installed.events == {"watched"}
    assert account.webhooks == [*foreign, TARGET.url]
    await client.install_webhook(TARGET)
    assert len(plex.plex_tv.writes) == 1
    moved = replace(TARGET, url="https://other.example/api/webhook/abc123")
    assert (await client.read_webhook(moved)).state is WebhookState.DIFFERENT
    await client.install_webhook(moved)
    assert account.webhooks == [*foreign, moved.url]
    await client.remove_webhook(moved)
    assert account.webhooks == foreign
    await client.remove_webhook(moved)
    assert len(plex.plex_tv.writes) == 3


async def test_the_last_webhook_can_be_removed(client: PlexClient, plex: PlexDouble) -> None:
    await client.install_webhook(TARGET)
    await client.remove_webhook(TARGET)
    assert plex.plex_tv.owner.webhooks == []


async def test_webhooks_need_a_plex_pass(client: PlexClient, plex: PlexDouble) -> None:
    plex.plex_tv.owner.plex_pass = False
    for call in (client.read_webhook, client.install_webhook, client.remove_webhook):
        with pytest.raises(WebhookError) as raised:
            await call(TARGET)
        assert raised.value.cause is WebhookCause.NEEDS_PLEX_PASS


async def test_a_token_of_the_server_alone_is_no_wrong_key(
    plex: PlexDouble, session: ClientSession
) -> None:
    connection = Connection(url=plex.url, api_key=plex.server_token)
    client = PlexClient(session, connection, plex_tv=plex.plex_tv.url)
    with pytest.raises(WebhookError) as raised:
        await client.install_webhook(TARGET)
    assert raised.value.cause is WebhookCause.NOT_ALLOWED


async def test_webhooks_that_plex_tv_drops_or_does_not_keep_are_noticed(
    client: PlexClient, plex: PlexDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = iter([["https://example.com/one"], [TARGET.url], [], []])
    monkeypatch.setattr(client._plex_tv, "webhooks", AsyncMock(side_effect=lists))  # noqa: SLF001
    with pytest.raises(WebhookError, match="dropped 1 other"):
        await client.install_webhook(TARGET)
    with pytest.raises(WebhookError, match="did not keep"):
        await client.install_webhook(TARGET)


async def test_there_is_no_test_and_it_says_so(client: PlexClient) -> None:
    with pytest.raises(WebhookError) as raised:
        await client.test_webhook(TARGET)
    assert raised.value.cause is WebhookCause.NOT_TESTABLE


# --- notifications ----------------------------------------------------------------------------


async def until(met: Callable[[], bool]) -> None:
    """Wait for something that comes over the network."""
    async with asyncio.timeout(5):
        while not met():  # noqa: ASYNC110 - nobody of the two sides has an event to wait for
            await asyncio.sleep(0.01)


@pytest.fixture
async def heard(client: PlexClient, plex: PlexDouble, service: Service) -> AsyncIterator[Heard]:
    """Listen, and return what was heard and who listens."""
    told: list[Decoded] = []
    task = asyncio.create_task(client.listen(service, told.append))
    await until(lambda: plex.listeners > 0)
    yield told, task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def asked(found: Sequence[Decoded]) -> list[str | None]:
    """Return the items that are asked about."""
    return [question.item for one in found for question in one.questions]


async def settled(told: list[Decoded], plex: PlexDouble) -> list[Decoded]:
    """Return what was heard up to now."""
    last = {"itemID": "the-end", "type": 1, "state": 9}
    await plex.notify("timeline", {"TimelineEntry": [last]})
    await until(lambda: "the-end" in asked(told))
    found = told[:-1]
    told.clear()
    return found


async def test_without_webhooks_the_websocket_tells_what_is_new_and_gone(
    heard: Heard, stack: Stack, plex: PlexDouble
) -> None:
    told, _ = heard
    show = stack.catalogue.show(seasons={1: 3})
    film = stack.catalogue.film()
    movie = stack.radarr.put_movie(film, quality="WEBDL-1080p")
    stack.sonarr.put_series(show, quality="WEBDL-1080p")
    await plex.scan()
    items = set(asked(await settled(told, plex)))
    film_key = plex.find(tmdb=film.tmdb_id).key
    assert items == {film_key, plex.find(tvdb=show.tvdb_id).key}
    # Texts that are refreshed are nothing new.
    await plex.notify("timeline", {"TimelineEntry": [{"itemID": film_key, "type": 1, "state": 5}]})
    assert await settled(told, plex) == []
    await stack.radarr.import_file(await stack.radarr.grab(movie, quality="WEBDL-2160p"))
    await plex.scan()
    assert asked(await settled(told, plex)) == [film_key]
    await stack.radarr.delete_file(movie)
    await plex.scan()
    assert asked(await settled(told, plex)) == [film_key]


async def test_playing_is_a_hint_when_it_begins_and_ends(
    heard: Heard, stack: Stack, plex: PlexDouble
) -> None:
    told, _ = heard
    film = stack.catalogue.film()
    stack.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan()
    await settled(told, plex)
    session = await plex.play_session(plex.find(tmdb=film.tmdb_id))
    for position in range(0, 60_000, 10_000):
        await plex.progress(session, position)
    await plex.pause(session)
    await plex.stop_session(session)
    found = await settled(told, plex)
    assert found == [Decoded(event_type="playing", hint=True)] * 3


async def test_what_is_odd_is_passed_over(heard: Heard, plex: PlexDouble) -> None:
    told, _ = heard
    music = {"itemID": "8", "type": 10, "state": 9}
    television = {"itemID": "9", "type": 4, "state": 9, "sectionID": "-1"}
    odd: tuple[object, ...] = (
        [],
        {"NotificationContainer": 5},
        {"NotificationContainer": {"type": "activity"}},
        {"NotificationContainer": {"type": "timeline", "TimelineEntry": [{"itemID": "x"}, 3]}},
        {"NotificationContainer": {"type": "timeline", "TimelineEntry": [music, television]}},
        {"NotificationContainer": {"type": "playing", "PlaySessionStateNotification": [{}]}},
    )
    for told_oddly in odd:
        await plex.push(json.dumps(told_oddly))
    await plex.push("nonsense")
    assert await settled(told, plex) == []


async def test_an_older_server_names_only_the_episode(heard: Heard, plex: PlexDouble) -> None:
    told, _ = heard
    entry = {"itemID": "55", "type": 4, "sectionID": "2"}
    for more in ({"state": 0, "metadataState": "created"}, {"state": 5}):
        await plex.notify("timeline", {"TimelineEntry": [entry | more]})
    assert asked(await settled(told, plex)) == ["55"]


async def test_the_end_of_the_connection_is_the_callers_to_mend(
    heard: Heard, plex: PlexDouble
) -> None:
    _, task = heard
    await plex.hang_up()
    async with asyncio.timeout(5):
        await task
    assert not task.cancelled()


async def test_a_wrong_token_cannot_listen(plex: PlexDouble, session: ClientSession) -> None:
    for token in ("wrong", "wrong\n"):
        client = PlexClient(session, Connection(url=plex.url, api_key=token))
        with pytest.raises(AuthError):
            await client.listen(Service(id="x", kind="plex", role=PlexDecoder.role), print)


async def test_a_server_that_does_not_answer_the_call_is_given_up(
    client: PlexClient, plex: PlexDouble
) -> None:
    plex.misbehave("hang")
    with pytest.raises(TimedOutError):
        async for _ in client._http.messages("/:/websockets/notifications", wait=0.2):  # noqa: SLF001
            pass
    plex.behave()


async def test_a_message_that_is_too_large_breaks_the_connection(
    client: PlexClient, plex: PlexDouble, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "custom_components.media_arrivals.engine.connectors.http"
    monkeypatch.setattr(f"{module}._MAX_MESSAGE", 1000)
    task = asyncio.create_task(client.listen(service, lambda _: None))
    await until(lambda: plex.listeners > 0)
    await plex.push(json.dumps({"NotificationContainer": "x" * 5000}))
    with pytest.raises(ServiceError):
        async with asyncio.timeout(5):
            await task


async def test_the_films_that_are_expected_are_bounded(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "custom_components.media_arrivals.engine.connectors.plex.notices"
    monkeypatch.setattr(f"{module}._MAX_EXPECTED", 2)
    notices = Notices(service)

    def timeline(number: int, **more: Any) -> Decoded | None:
        entry: Json = {"itemID": str(number), "type": 1, "sectionID": 1, **more}
        body: Json = {"type": "timeline", "TimelineEntry": [entry]}
        return notices.read({"NotificationContainer": body})

    for number in (1, 2, 3):
        assert timeline(number, state=0, metadataState="created") is None
    assert timeline(1, state=5) is None
    assert timeline(3, state=5, queueSize=4) is None
    assert timeline(3, state=5) is not None
