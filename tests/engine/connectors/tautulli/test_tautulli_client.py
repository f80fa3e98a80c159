"""What the client asks a simulated Tautulli, and what it concludes."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    PartRef,
    PlayableReport,
    Question,
    QuestionKind,
    TitleRef,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    Client,
    Connection,
    Identity,
    InstallsWebhook,
    Poll,
    PollView,
    ServerFaultError,
    ServiceError,
    TimedOutError,
    WrongServiceError,
)
from custom_components.media_arrivals.engine.connectors.clients import make_client
from custom_components.media_arrivals.engine.connectors.tautulli import client as clients
from custom_components.media_arrivals.engine.connectors.tautulli.api import PlexAwayError
from custom_components.media_arrivals.engine.connectors.tautulli.client import TautulliClient
from simulator import TautulliDouble
from simulator.plex_view import PlexItem, PlexList, PlexSession, fill
from simulator.tautulli import GUEST, OWNER

from .conftest import MACHINE, TAUTULLI, Home


def commands(tautulli: TautulliDouble) -> int:
    return len(tautulli.calls)


async def watch(home: Home, item: PlexItem, *, percent: int = 95, user: Any = OWNER) -> PlexSession:
    """Play something, unseen by us, until it is over."""
    session = home.plex.play(user, item, started=home.tautulli.clock.now())
    home.later(minutes=40)
    home.plex.stop(session)
    await home.tautulli.stopped(session, percent=percent)
    return session


def asked(item: PlexItem | int, **more: Any) -> Question:
    key = item if isinstance(item, int) else item.key
    return Question(service=TAUTULLI.id, kind=QuestionKind.ITEM, item=str(key), **more)


def ids_of(item: PlexItem) -> ExternalIds:
    found = dict(guid.split("://") for guid in item.guids)
    tvdb = int(found["tvdb"]) if item.type == "show" else None
    return ExternalIds(tmdb=int(found["tmdb"]), tvdb=tvdb, imdb=found["imdb"])


async def answers(home: Home, poll: Poll) -> list[Any]:
    """Have every question of a poll answered."""
    return [
        report
        for question in poll.questions
        for report in await home.client.answer(TAUTULLI, question, home.now)
    ]


# --- who answers ----------------------------------------------------------------------------


async def test_who_answers(client: TautulliClient, tautulli: TautulliDouble) -> None:
    assert await client.identify() == Identity(
        kind="tautulli",
        product="Tautulli",
        name="Tautulli",
        version="2.17.2",
        server_id=MACHINE,
    )
    assert isinstance(client, Client)
    assert isinstance(client, InstallsWebhook)


async def test_the_key_is_in_no_address(client: TautulliClient, tautulli: TautulliDouble) -> None:
    await client.identify()
    assert {call.path for call in tautulli.calls} == {"/api/v2"}
    assert {call.method for call in tautulli.calls} == {"POST"}


async def test_a_wrong_key_and_none(tautulli: TautulliDouble, session: ClientSession) -> None:
    for key in ("wrong", ""):
        client = make_client("tautulli", session, Connection(url=tautulli.url, api_key=key))
        with pytest.raises(AuthError) as caught:
            await client.identify()
        assert key == "" or key not in str(caught.value)


async def test_an_api_that_is_switched_off(
    client: TautulliClient, tautulli: TautulliDouble
) -> None:
    tautulli.api_enabled = False
    with pytest.raises(ServerFaultError) as caught:
        await client.identify()
    assert "switched off" in caught.value.detail


async def test_a_tautulli_without_a_plex(client: TautulliClient, plex: PlexList) -> None:
    plex.machine_id = ""
    with pytest.raises(BadAnswerError):
        await client.identify()


async def test_something_else_answers(socket_enabled: None, session: ClientSession) -> None:
    async def other(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", other)
    server = TestServer(app)
    await server.start_server()
    client = TautulliClient(session, Connection(url=str(server.make_url("")), api_key="k"))
    expected: list[tuple[web.Response, type[ServiceError]]] = [
        (web.Response(status=404, text="<html>"), WrongServiceError),
        (web.json_response({"error": "no"}, status=404), WrongServiceError),
        (web.Response(text="<html>"), BadAnswerError),
        (web.json_response({"MediaContainer": {}}), BadAnswerError),
        (web.json_response([1]), BadAnswerError),
        (web.Response(status=500, text="oops"), ServerFaultError),
        (web.Response(status=502), ServerFaultError),
    ]
    for answer, kind in expected:  # noqa: B007 - the server gives it
        with pytest.raises(kind):
            await client.identify()
    await server.close()


async def test_a_command_that_it_does_not_know(client: TautulliClient) -> None:
    with pytest.raises(ServerFaultError) as caught:
        await client._api.call("dance")  # noqa: SLF001 - no command of ours is unknown
    assert caught.value.detail == "Unknown command: dance"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("401", ServerFaultError),
        ("403", ServerFaultError),
        ("429", ServerFaultError),
        ("500", ServerFaultError),
        ("html", BadAnswerError),
        ("invalid_json", BadAnswerError),
    ],
)
async def test_misbehaviour_is_an_error_and_never_nothing(
    home: Home, fault: str, kind: type[ServiceError]
) -> None:
    await home.begin()
    kept = home.cursor
    home.tautulli.misbehave(fault)
    with pytest.raises(ServiceError) as caught:
        await home.poll()
    assert isinstance(caught.value, kind) or fault in {"401", "403"}
    home.tautulli.behave()
    assert home.cursor == kept
    assert (await home.poll()).playing == 0


# --- polling --------------------------------------------------------------------------------


async def test_an_idle_poll_costs_two_small_calls_whatever_the_library(home: Home) -> None:
    fill(home.plex, 30_000)
    for number in range(100):
        item = home.film(f"Film of the week {number}")
        home.tautulli.enter(
            home.plex.play(OWNER, item, started=home.tautulli.clock.now()), percent=95
        )
    home.plex.playing.clear()
    await home.begin()
    home.tautulli.reset_counts()
    for _ in range(4):
        poll = await home.poll()
        assert (poll.reports, poll.questions, poll.sightings) == ((), (), ())
        assert len(home.tautulli.calls) == 2
        assert sum(call.bytes for call in home.tautulli.calls) < 20_000
        home.tautulli.reset_counts()


async def test_the_first_look_tells_nothing(home: Home) -> None:
    film = home.film()
    await watch(home, film)
    poll = await home.begin()
    assert (poll.reports, poll.questions, poll.playing, poll.queue) == ((), (), 0, 0)
    for _ in range(2):
        poll = await home.poll()
        assert (poll.reports, poll.questions) == ((), ())


async def test_without_a_cursor_a_poll_is_a_first_look(home: Home) -> None:
    await watch(home, home.film())
    for read in (home.poll, home.sync):
        home.cursor = {"row": "x"}
        assert (await read()).questions == ()


async def test_who_watched_is_told_when_the_session_has_gone(home: Home) -> None:
    film = home.film()
    await home.begin()
    await home.poll()
    session = home.plex.play(GUEST, film, started=home.tautulli.clock.now())
    assert (await home.poll()).playing == 1
    home.later(hours=2)
    home.plex.stop(session)
    await home.tautulli.stopped(session, percent=97)
    poll = await home.poll()
    assert poll.playing == 0
    (report,) = await answers(home, poll)
    assert isinstance(report, WatchReport)
    assert (report.viewer, report.watched) == (f"plex:{GUEST.id}", True)
    assert report.title.ids == ids_of(film)
    assert abs(report.at - home.now) < 5
    assert [one.key for one in poll.sightings] == [str(film.key)]
    for _ in range(3):
        assert (await home.poll()).questions == ()


async def test_a_row_that_is_written_a_little_late_is_found_at_the_next_poll(home: Home) -> None:
    film = home.film()
    await home.begin()
    session = home.plex.play(OWNER, film, started=home.tautulli.clock.now())
    await home.poll()
    home.plex.stop(session)
    assert (await home.poll()).questions == ()
    home.tautulli.enter(session, percent=95)
    assert len((await home.poll()).questions) == 1


async def test_what_was_not_seen_playing_is_found_in_turn(home: Home) -> None:
    await home.begin()
    await watch(home, home.film())
    found = [len((await home.poll()).questions) for _ in range(3)]
    assert sum(found) == 1


async def test_a_night_of_episodes_is_one_call_for_the_series(home: Home) -> None:
    show = home.show()
    episodes = home.episodes(show, 2, *range(1, 9))
    await home.begin()
    for episode in episodes:
        await watch(home, episode)
    home.cursor = {**home.cursor, "history_next": True}
    poll = await home.poll()
    assert len({question.key for question in poll.questions}) == 8
    before = commands(home.tautulli)
    reports = await answers(home, poll)
    assert commands(home.tautulli) - before == 1
    assert {report.title.ids for report in reports} == {ids_of(show)}
    assert [report.parts[0].number for report in reports] == list(range(1, 9))
    assert {report.title.media_type for report in reports} == {MediaType.SERIES}


async def test_half_watched_music_and_old_rows_say_nothing(home: Home) -> None:
    await home.begin()
    await watch(home, home.film(), percent=60)
    await watch(home, home.plex.put("track", "Song", added_at=home.tautulli.clock.now()))
    assert (await home.sync()).questions == ()
    await watch(home, home.film("Old"))
    home.later(days=8)
    assert (await home.sync()).questions == ()


async def test_many_rows_are_read_page_by_page(home: Home) -> None:
    await home.begin()
    films = [home.film(f"Film {number}") for number in range(130)]
    for film in films:
        home.tautulli.enter(
            home.plex.play(OWNER, film, started=home.tautulli.clock.now()), percent=95
        )
    home.plex.playing.clear()
    poll = await home.sync()
    assert {question.item for question in poll.questions} == {str(film.key) for film in films}
    assert len(poll.questions) == 130
    assert (await home.sync()).questions == ()


async def test_numbers_that_begin_anew_are_told_by_their_time(home: Home) -> None:
    await watch(home, home.film())
    await home.begin()
    home.tautulli.reinstall()
    assert (await home.sync()).questions == ()
    await watch(home, home.film("Pale Kite"))
    assert len((await home.sync()).questions) == 1
    assert (await home.sync()).questions == ()
    await watch(home, home.film("Iron Mill"))
    assert len((await home.sync()).questions) == 1


async def test_what_was_added_is_told_once(home: Home) -> None:
    await home.begin()
    film, show = home.film(), home.show()
    (episode,) = home.episodes(show, 1, 3)
    poll = await home.sync()
    by_type = {report.title.media_type: report for report in poll.reports}
    assert by_type[MediaType.MOVIE].title.ids == ids_of(film)
    series = by_type[MediaType.SERIES]
    assert isinstance(series, PlayableReport)
    assert series.title.ids == ids_of(show)
    assert series.parts == (
        PartRef(season=1, number=3, air_date=episode.air_date, name=episode.title),
    )
    assert (series.playable, series.confirmed, series.complete) == (True, False, False)
    assert poll.checked == 2
    # One more of the same second.
    other = home.film("Pale Kite")
    again = await home.sync()
    assert [report.title.ids for report in again.reports] == [ids_of(other)]
    assert (await home.sync()).reports == ()


async def test_a_burst_is_read_page_by_page(home: Home) -> None:
    await home.begin()
    home.later(seconds=5)
    home.episodes(home.show(), 1, *range(1, 121))
    poll = await home.sync()
    assert {
        report.parts[0].number for report in poll.reports if isinstance(report, PlayableReport)
    } == set(range(1, 121))
    assert (await home.sync()).reports == ()


async def test_what_was_added_and_is_gone_again_hides_nothing(home: Home) -> None:
    home.film("Old")
    home.later(seconds=5)
    gone = home.film("Gone")
    await home.begin()
    del home.plex.items[gone.key]
    assert (await home.sync()).reports == ()
    home.later(seconds=5)
    home.film("New")
    assert len((await home.sync()).reports) == 1


async def test_additions_are_found_by_the_light_poll_too(home: Home) -> None:
    await home.begin()
    home.later(seconds=5)
    home.film()
    assert sum([len((await home.poll()).reports) for _ in range(2)]) == 1


async def test_plex_that_is_down_is_no_empty_house(home: Home) -> None:
    await home.begin()
    home.plex.is_up = False
    for read in (home.begin, home.poll, home.sync):
        with pytest.raises(PlexAwayError) as caught:
            await read()
        assert caught.value.detail == "it cannot reach Plex"
    home.plex.is_up = True
    assert (await home.poll()).playing == 0


async def test_plex_that_hangs_is_waited_for_and_no_longer(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.begin()
    monkeypatch.setattr(clients, "PLEX_TIMEOUT", 0.05)
    home.tautulli.plex_delay = 0.5
    with pytest.raises(TimedOutError):
        await home.poll()
    # Tautulli does not notice that nobody waits for it any more.
    await asyncio.sleep(0.6)
    monkeypatch.setattr(clients, "PLEX_TIMEOUT", 5.0)
    home.tautulli.plex_delay = 0.01
    with pytest.raises(PlexAwayError):
        await home.poll()


@pytest.mark.parametrize("name", ["get_activity", "get_history", "get_recently_added"])
async def test_an_answer_of_another_shape_is_none(
    home: Home, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.begin()
    all_commands = home.tautulli._commands()  # noqa: SLF001 - one of them is odd

    async def odd(_: object) -> Any:
        return {"something": "else"}

    monkeypatch.setattr(home.tautulli, "_commands", lambda: {**all_commands, name: odd})
    with pytest.raises(BadAnswerError):
        await home.sync()


async def test_plex_that_goes_down_in_between(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    await home.begin()
    all_commands = home.tautulli._commands()  # noqa: SLF001 - Plex goes between two of them

    async def nothing(_: object) -> Any:
        return {}

    changed = {**all_commands, "get_recently_added": nothing}
    monkeypatch.setattr(home.tautulli, "_commands", lambda: changed)
    with pytest.raises(PlexAwayError):
        await home.sync()


# --- questions ------------------------------------------------------------------------------


async def test_a_film_can_be_played(home: Home) -> None:
    film = home.film()
    now = home.now
    (report,) = await home.client.answer(TAUTULLI, asked(film), now)
    assert isinstance(report, PlayableReport)
    assert (report.title.ids, report.title.name) == (ids_of(film), "Salt Tower")
    assert (report.playable, report.parts, report.at) == (True, (), now)
    assert report.happened_at == film.added_at.timestamp()


async def test_of_a_season_its_episodes_can_be_played(home: Home) -> None:
    show = home.show()
    first = home.episodes(show, 1, 1, 2, 3)
    home.episodes(show, 2, 1, 2)
    home.episodes(show, 0, 1)
    season = first[0].parent
    assert season is not None
    (report,) = await home.client.answer(TAUTULLI, asked(season), home.now)
    assert isinstance(report, PlayableReport)
    assert report.title.ids == ids_of(show)
    assert [(part.season, part.number) for part in report.parts] == [(1, 1), (1, 2), (1, 3)]
    reports = await home.client.answer(TAUTULLI, asked(show, seasons=(2,)), home.now)
    assert [len(one.parts) for one in reports if isinstance(one, PlayableReport)] == [2]
    assert len(await home.client.answer(TAUTULLI, asked(show), home.now)) == 3
    (one,) = await home.client.answer(TAUTULLI, asked(first[1]), home.now)
    assert isinstance(one, PlayableReport)
    assert [part.number for part in one.parts] == [2]


async def test_an_episode_without_a_number_says_nothing(home: Home) -> None:
    (episode,) = home.episodes(home.show(), 1, 1)
    odd = home.plex.put("episode", "Odd", added_at=home.tautulli.clock.now(), parent=episode.parent)
    assert await home.client.answer(TAUTULLI, asked(odd), home.now) == ()


async def test_ids_that_the_row_lacks_are_read_from_the_series(home: Home) -> None:
    show = home.show()
    bare = home.plex.put(
        "show", "Bare", added_at=home.tautulli.clock.now(), guids=(), guid="local://7"
    )
    (episode,) = home.episodes(bare, 1, 1)
    assert await home.client.answer(TAUTULLI, asked(episode), home.now) == ()
    (known,) = home.episodes(show, 1, 1)
    about = WatchReport(
        origin=(await watched_question(home, known)).origin,
        at=1.0,
        happened_at=1.0,
        title=TitleRef(media_type=MediaType.SERIES),
        viewer="plex:5",
        watched=True,
        parts=(PartRef(season=1, number=1),),
    )
    # The episode's own row has no ids of the series in former versions.
    stripped = home.plex.put(
        "episode",
        "Bare",
        added_at=home.tautulli.clock.now(),
        index=2,
        parent=replace(known.parent, parent=replace(show, guids=())) if known.parent else None,
    )
    for _ in range(2):
        (playable,) = await home.client.answer(TAUTULLI, asked(stripped), home.now)
        assert playable.title.ids == ids_of(show)
    (report,) = await home.client.answer(TAUTULLI, asked(show, about=about), home.now)
    assert isinstance(report, WatchReport)
    assert (report.title.ids, report.title.name) == (ids_of(show), "Tidal Anchor")
    assert (report.viewer, report.parts) == ("plex:5", about.parts)
    assert await home.client.answer(TAUTULLI, asked(bare, about=about), home.now) == ()


async def watched_question(home: Home, item: PlexItem) -> WatchReport:
    """Return the report that a row of the history leaves open."""
    await home.begin()
    await watch(home, item)
    (question,) = (await home.sync()).questions
    assert question.about is not None
    return question.about


async def test_what_is_gone_is_no_answer_but_plex_that_is_down_is_an_error(home: Home) -> None:
    film = home.film()
    assert await home.client.answer(TAUTULLI, asked(99), home.now) == ()
    home.plex.is_up = False
    with pytest.raises(PlexAwayError):
        await home.client.answer(TAUTULLI, asked(film), home.now)


async def test_what_cannot_be_asked_is_not_answered(home: Home) -> None:
    title = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=7))
    for kind in (QuestionKind.AVAILABILITY, QuestionKind.FACTS, QuestionKind.TITLE):
        question = Question(service=TAUTULLI.id, kind=kind, title=title)
        assert await home.client.answer(TAUTULLI, question, home.now) == ()
    song = home.plex.put("track", "Song", added_at=home.tautulli.clock.now())
    assert await home.client.answer(TAUTULLI, asked(song), home.now) == ()
    assert commands(home.tautulli) == 1


async def test_only_some_titles_are_remembered(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_KEPT", 2)
    for number in range(4):
        await home.client.answer(TAUTULLI, asked(home.film(f"Film {number}")), home.now)
    assert len(home.client._titles) == 2  # noqa: SLF001 - memory is not seen from outside


async def test_times_are_told_by_our_clock(home: Home) -> None:
    await home.begin()
    assert home.client.clock_offset == 0.0
    skewed = TautulliClient(
        home.client._http._session,  # noqa: SLF001 - the session of the test
        Connection(url=home.tautulli.url, api_key=home.tautulli.api_key),
        clock=lambda: home.now - 3600,
    )
    film = home.film()
    await watch(home, film)
    poll = await skewed.sync(TAUTULLI, home.cursor, PollView(), home.now)
    assert skewed.clock_offset > 1000
    (question,) = poll.questions
    assert question.about is not None
    assert question.about.at == pytest.approx(
        home.tautulli.history[-1]["stopped"] - skewed.clock_offset
    )


async def test_two_polls_at_a_time_do_no_harm(home: Home) -> None:
    await home.begin()
    await watch(home, home.film())
    polls = await asyncio.gather(home.sync(), home.sync())
    assert [len(poll.questions) for poll in polls] == [1, 1]
