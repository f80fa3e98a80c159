"""The simulated Tautulli has the quirks of a real one."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from simulator import Stack, TautulliDouble
from simulator.plex_view import PlexList
from simulator.shelf import ShelfFile
from simulator.tautulli import AGENT, GUEST, OWNER
from tests.simulator.helpers import Client, Receiver

TEMPLATE = json.dumps(
    {"event": "{action}", "title": "{title}", "year": "{year}", "who": "{user}", "nothing": None}
)


@pytest.fixture
def plex() -> PlexList:
    return PlexList()


@pytest.fixture
async def tautulli(socket_enabled: None, plex: PlexList) -> AsyncIterator[TautulliDouble]:
    stack = Stack()
    double = stack.add_tautulli(plex)
    async with stack:
        yield double


class Caller:
    """Calls commands."""

    def __init__(self, session: ClientSession, tautulli: TautulliDouble) -> None:
        self.session = session
        self.tautulli = tautulli

    async def answer(self, cmd: str, **values: Any) -> tuple[int, dict[str, Any]]:
        given = {"apikey": self.tautulli.api_key, "cmd": cmd, **values}
        async with self.session.get(f"{self.tautulli.url}/api/v2", params=given) as answer:
            return answer.status, (await answer.json())["response"]

    async def data(self, cmd: str, **values: Any) -> Any:
        status, response = await self.answer(cmd, **values)
        assert (status, response["result"]) == (200, "success"), response
        return response["data"]

    async def agent(self, url: str, **texts: Any) -> int:
        number: int = (await self.data("add_notifier_config", agent_id=AGENT))["notifier_id"]
        values = {f"{name}_body": TEMPLATE for name in ("on_play", "on_created", "on_intdown")}
        values |= {name.removesuffix("_body"): "1" for name in values}
        named = {"friendly_name": "Home", "webhook_hook": url, "webhook_method": "POST"}
        given: dict[str, Any] = {**named, **values, **texts}
        await self.data("set_notifier_config", notifier_id=number, agent_id=AGENT, **given)
        return number


@pytest.fixture
def caller(client: Client, tautulli: TautulliDouble) -> Caller:
    return Caller(client.session, tautulli)


async def test_refusals_differ_in_their_words_only(caller: Caller) -> None:
    for changes, message in (
        ({"apikey": "wrong"}, "Invalid apikey"),
        ({"cmd": "dance"}, "Unknown command: dance"),
    ):
        given: dict[str, Any] = {"cmd": "get_users", **changes}
        status, response = await caller.answer(given.pop("cmd"), **given)
        assert (status, response["result"]) == (400, "error")
        assert response["message"].startswith(message)
    async with caller.session.get(f"{caller.tautulli.url}/api/v2?cmd=get_users") as answer:
        assert answer.status == 400
        assert (await answer.json())["response"]["message"] == "Parameter apikey is required"
    assert (await caller.answer("get_history", start="x"))[0] == 500
    caller.tautulli.api_enabled = False
    assert (await caller.answer("get_users"))[0] == 404


async def test_plex_that_is_down_is_a_success_without_data(
    caller: Caller, plex: PlexList, tautulli: TautulliDouble
) -> None:
    film = plex.put("movie", "Salt Tower", added_at=tautulli.clock.now())
    idle = await caller.data("get_activity")
    assert (idle["stream_count"], idle["sessions"]) == ("0", [])
    plex.is_up = False
    for cmd in ("get_activity", "get_recently_added", "get_metadata", "get_children_metadata"):
        assert await caller.data(cmd, count=5, rating_key=film.key) == {}
    assert (await caller.data("get_history"))["data"] == []


async def test_an_agent_keeps_its_triggers_and_loses_its_name(
    caller: Caller, tautulli: TautulliDouble
) -> None:
    number = await caller.agent("http://127.0.0.1:1/")
    await caller.data(
        "set_notifier_config", notifier_id=number, agent_id=AGENT, webhook_hook="http://x/"
    )
    config = await caller.data("get_notifier_config", notifier_id=number)
    assert config["friendly_name"] == ""
    assert config["actions"]["on_play"] == 1
    assert config["notify_text"]["on_play"] == {"subject": "", "body": TEMPLATE}
    assert config["config"] == {"hook": "http://x/", "method": "POST"}
    (row,) = await caller.data("get_notifiers")
    assert (row["agent_id"], row["active"], "config" in row) == (AGENT, 1, False)
    await caller.data("delete_notifier", notifier_id=number)
    assert await caller.data("get_notifiers") == []
    assert (await caller.answer("get_notifier_config", notifier_id=number))[0] == 400


async def test_values_are_texts_and_what_is_not_known_stays(
    caller: Caller, receiver: Receiver, tautulli: TautulliDouble, plex: PlexList
) -> None:
    await caller.agent(receiver.url())
    film = plex.put("movie", "Salt Tower", added_at=tautulli.clock.now(), year=2026)
    session = plex.play(OWNER, film, started=tautulli.clock.now())
    await tautulli.started(session)
    assert receiver.last() == {
        "event": "play",
        "title": "Salt Tower",
        "year": "2026",
        "who": "Harbourmaster",
        "nothing": None,
    }
    assert receiver.calls[-1].headers["User-Agent"].startswith("python-requests/")
    await tautulli.server("on_intdown")
    assert receiver.last()["title"] == "{title}"
    await tautulli.created(film)
    assert (receiver.last()["event"], receiver.last()["who"]) == ("created", "")
    before = len(receiver.calls)
    await tautulli.created(film)
    assert len(receiver.calls) == before


@pytest.mark.parametrize("text", ["", '{"year": {year}}'])
async def test_without_a_template_the_body_is_empty(
    caller: Caller,
    receiver: Receiver,
    tautulli: TautulliDouble,
    plex: PlexList,
    text: str,
) -> None:
    await caller.agent(receiver.url(), on_play_body=text)
    film = plex.put("movie", "Salt Tower", added_at=tautulli.clock.now())
    await tautulli.started(plex.play(OWNER, film, started=tautulli.clock.now()))
    call = receiver.calls[-1]
    assert (call.raw, call.headers["Content-Length"]) == (b"", "0")
    assert call.headers["Content-Type"] == "application/json"


async def test_headers_may_be_templates_and_make_it_a_form(
    caller: Caller, receiver: Receiver, tautulli: TautulliDouble, plex: PlexList
) -> None:
    headers = {"user-agent": "Tautulli/{tautulli_version}", "X-Secret": "s"}
    await caller.agent(receiver.url(), on_play_subject=json.dumps(headers), webhook_method="PUT")
    film = plex.put("movie", "Salt & Tower", added_at=tautulli.clock.now())
    await tautulli.started(plex.play(OWNER, film, started=tautulli.clock.now()))
    call = receiver.calls[-1]
    assert (call.method, call.headers["User-Agent"]) == ("PUT", "Tautulli/v2.17.2")
    assert call.headers["X-Secret"] == "s"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    await caller.agent(receiver.url("form"), on_play_subject=json.dumps(form))
    await tautulli.started(plex.play(GUEST, film, started=tautulli.clock.now()))
    sent = tautulli.sender.outcomes[-1].delivery
    assert sent.body == b"event=play&title=Salt+%26+Tower&year=&who=Lighthouse&nothing=None"


async def test_one_start_makes_up_to_three_webhooks(
    caller: Caller, receiver: Receiver, tautulli: TautulliDouble, plex: PlexList
) -> None:
    texts = {f"on_{one}_body": TEMPLATE for one in ("newdevice", "concurrent")}
    await caller.agent(receiver.url(), on_newdevice="1", on_concurrent="1", **texts)
    film = plex.put("movie", "Salt Tower", added_at=tautulli.clock.now())
    plex.play(OWNER, film, started=tautulli.clock.now())
    second = plex.play(OWNER, film, started=tautulli.clock.now())
    await tautulli.started(second, new_device=True)
    assert sorted(call.body["event"] for call in receiver.calls) == [
        "concurrent",
        "newdevice",
        "play",
    ]


async def test_episodes_that_come_together_come_as_one(
    caller: Caller, receiver: Receiver, tautulli: TautulliDouble, plex: PlexList
) -> None:
    template = json.dumps(
        {name: f"{{{name}}}" for name in ("media_type", "season_num", "episode_num", "imdb_id")}
    )
    await caller.agent(receiver.url(), on_created_body=template)
    now = tautulli.clock.now()
    show = plex.put("show", "Tidal Anchor", added_at=now, guids=("imdb://tt7",))
    await tautulli.created(*plex.put_season(show, 2, [1, 2, 3, 6], added_at=now))
    assert receiver.last() == {
        "media_type": "season",
        "season_num": "2",
        "episode_num": "1-3,6",
        "imdb_id": "tt7",
    }
    both = plex.put_season(show, 3, [1], added_at=now) + plex.put_season(show, 4, [1], added_at=now)
    await tautulli.created(*both)
    assert receiver.last() == {
        "media_type": "show",
        "season_num": "3-4",
        "episode_num": "",
        "imdb_id": "tt7",
    }
    (one,) = plex.put_season(show, 5, [7], added_at=now)
    await tautulli.created(one)
    assert receiver.last()["episode_num"] == "7"


async def test_a_test_is_sent_as_it_is_and_an_added_item_as_it_would_be(
    caller: Caller, receiver: Receiver, tautulli: TautulliDouble, plex: PlexList
) -> None:
    number = await caller.agent(receiver.url())
    await caller.data(
        "notify", notifier_id=number, subject='{"X-Test": "{title}"}', body='{"a": "{title}"}'
    )
    assert receiver.last() == {"a": "{title}"}
    assert receiver.calls[-1].headers["X-Test"] == "{title}"
    for body in ("no json", '{"a": 1}'):
        receiver.status = 500
        status, response = await caller.answer("notify", notifier_id=number, subject="", body=body)
        assert (status, response["message"]) == (400, "Notification failed.")
    receiver.status = 200
    film = plex.put("movie", "Salt Tower", added_at=tautulli.clock.now())
    await caller.data("notify_recently_added", rating_key=film.key, notifier_id=number)
    await tautulli.settle()
    assert receiver.last()["title"] == "Salt Tower"
    assert (await caller.answer("notify_recently_added", rating_key=1, notifier_id=number))[
        0
    ] == 400


async def test_the_history_is_written_at_the_end(
    caller: Caller, tautulli: TautulliDouble, plex: PlexList
) -> None:
    film = plex.put("movie", "Salt Tower", added_at=tautulli.clock.now())
    long = plex.play(OWNER, film, started=tautulli.clock.now())
    short = plex.play(GUEST, film, started=tautulli.clock.now())
    assert (await caller.data("get_activity"))["stream_count"] == "2"
    await tautulli.stopped(short, percent=95, seconds=60)
    tautulli.clock.advance(timedelta(minutes=30).total_seconds())
    await tautulli.stopped(long, percent=70)
    rows = (await caller.data("get_history", length=5))["data"]
    assert [(row["user_id"], row["watched_status"]) for row in rows] == [(OWNER.id, 0.75)]
    assert await caller.data("get_users") == [
        {"user_id": OWNER.id, "username": "harbourmaster", "friendly_name": "Harbourmaster"},
        {"user_id": GUEST.id, "username": "lighthouse", "friendly_name": "Lighthouse"},
    ]
    assert (await caller.data("get_history", user_id=GUEST.id))["data"] == []


async def test_pages_of_what_was_added(
    caller: Caller, tautulli: TautulliDouble, plex: PlexList
) -> None:
    for number in range(6):
        plex.put("movie", f"Film {number}", added_at=tautulli.clock.now())
        tautulli.clock.advance(10)
    first = (await caller.data("get_recently_added", count=4))["recently_added"]
    rest = (await caller.data("get_recently_added", count=4, start=4))["recently_added"]
    assert [row["title"] for row in first + rest] == [f"Film {n}" for n in (5, 4, 3, 2, 1, 0)]
    assert all(isinstance(row["added_at"], str) for row in first)


async def test_beside_a_plex_it_tells_what_happens_there(
    socket_enabled: None, client: Client, receiver: Receiver
) -> None:
    stack = Stack()
    plex = stack.add_plex()
    tautulli = stack.add_tautulli(plex)
    now = stack.clock.now()
    async with stack:
        caller = Caller(client.session, tautulli)
        await caller.agent(
            receiver.url(),
            on_play_body=json.dumps({"action": "{action}", "user": "{user_id}"}),
            on_created_body=json.dumps({"episodes": "{episode_num}", "tvdb": "{thetvdb_id}"}),
            on_watched="1",
            on_watched_body=json.dumps({"action": "{action}", "title": "{title}"}),
        )
        for number in (1, 2, 4):
            stack.shelf.put(
                ShelfFile(
                    path=f"/tv/Tidal Anchor/S02E0{number}.mkv",
                    media_type="series",
                    title="Tidal Anchor",
                    year=2026,
                    tvdb_id=800,
                    season=2,
                    episode=number,
                    added_at=now,
                )
            )
        await plex.scan()
        await tautulli.settle()
        assert receiver.last() == {"episodes": "1-2,4", "tvdb": "800"}
        (row,) = (await caller.data("get_recently_added", count=5))["recently_added"]
        assert (row["media_type"], row["parent_guids"]) == ("season", ["tvdb://800"])
        rows = await caller.data("get_children_metadata", rating_key=row["rating_key"])
        assert [one["media_index"] for one in rows["children_list"]] == ["1", "2", "4"]
        assert await caller.data("get_children_metadata", rating_key=99) == {
            "children_count": 0,
            "children_list": [],
        }

        episode = plex.find(season=2, episode=4, tvdb=800)
        session = await plex.play_session(episode)
        assert (await caller.data("get_activity"))["stream_count"] == "1"
        await plex.finish(session)
        await plex.stop_session(session)
        await plex.watch(episode, plex.add_user("guest", 77))
        await tautulli.settle()
        told = [call.body for call in receiver.calls if "action" in call.body]
        owner = str(plex.plex_tv.owner.id)
        assert [one.get("user") for one in told if one["action"] == "play"] == [owner, "77"]
        assert [one["action"] for one in told].count("watched") == 2
        rows = (await caller.data("get_history"))["data"]
        assert [(one["user_id"], one["watched_status"]) for one in rows] == [
            (77, 1),
            (int(owner), 1),
        ]
        assert {one["user_id"] for one in await caller.data("get_users")} == {int(owner), 77}
        key = int(episode.key)
        assert (await caller.data("get_metadata", rating_key=key))["media_index"] == "4"
        assert await caller.data("get_metadata", rating_key=99) == {}
        info = await caller.data("get_server_info")
        assert (info["pms_identifier"], info["pms_version"]) == (plex.machine_id, plex.version)
        await plex.go_down()
        assert await caller.data("get_activity") == {}
