"""The simulated stack breaks, loses, counts, tells stories, and leaves nothing behind."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientError, ClientTimeout

from simulator import SCENARIOS, EmbyDouble, JellyfinDouble, Stack
from simulator.control import Control
from simulator.viewing import next_to_watch
from tests.simulator.helpers import Client, Receiver

ROOT = Path(__file__).parents[2]


async def test_down_and_up_again_on_the_same_port(stack: Stack, client: Client) -> None:
    arr, port = stack.radarr, stack.radarr.port
    await client.get(arr, "/health")
    await arr.go_down()
    with pytest.raises(ClientConnectionError):
        await client.get(arr, "/health")
    await arr.go_up()
    assert arr.port == port
    await client.get(arr, "/health")


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_wrong_statuses(stack: Stack, client: Client, status: int) -> None:
    for service in (stack.radarr, stack.sonarr, stack.seerr):
        service.misbehave(str(status), times=1)
        path = "/request/count" if service is stack.seerr else "/queue/status"
        assert (await client.call(service, "GET", path)).status == status
        await client.get(service, path)


async def test_nonsense_and_slowness(stack: Stack, client: Client) -> None:
    arr = stack.sonarr
    arr.misbehave("invalid_json", path="/queue")
    answer = await client.call(arr, "GET", "/queue/status")
    with pytest.raises(ValueError, match="Expecting"):
        await answer.json()
    await client.get(arr, "/health")
    arr.misbehave("html")
    assert (await client.call(arr, "GET", "/health")).content_type == "text/html"
    arr.misbehave("slow", seconds=0.15)
    begun = time.perf_counter()
    await client.get(arr, "/health")
    assert time.perf_counter() - begun >= 0.14
    arr.misbehave("hang")
    with pytest.raises(TimeoutError):
        async with client.session.get(f"{arr.url}/ping", timeout=ClientTimeout(total=0.1)):
            pass
    waiting = asyncio.create_task(client.get(arr, "/health"))
    await asyncio.sleep(0.05)
    arr.behave()
    assert await waiting == []


async def test_stopping_lets_go_of_who_hangs(client: Client, socket_enabled: None) -> None:
    house = Stack()
    arr = house.add_radarr()
    await house.start()
    arr.misbehave("hang")
    waiting = asyncio.create_task(client.get(arr, "/health"))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(2):
        await house.stop()
    with suppress(ClientError):
        await waiting


async def test_lost_deliveries_are_counted_exactly(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    arr.sender.faults.lose_every = 2
    play = stack.play("burst", deliveries=61)
    await play.finish()
    counts = arr.counts()["deliveries"]
    assert counts["attempted"] == 62
    assert counts["lost"] == 30 == len(arr.sender.lost)
    assert len(receiver.events()) == 31
    assert counts["answered"] == {"200": 32}
    arr.sender.faults.lose_every = 0
    arr.sender.faults.lose_if = lambda delivery: delivery.payload["movie"]["title"] == "Lost"
    await arr.add_movie(stack.catalogue.film("Lost"))
    await arr.add_movie(stack.catalogue.film("Found"))
    assert receiver.last()["movie"]["title"] == "Found"
    assert arr.connections.rows[1].level == 0


async def test_doubled_delayed_reordered(stack: Stack, receiver: Receiver, client: Client) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    movie = await arr.add_movie(stack.catalogue.film())
    arr.sender.faults.reorder = 3
    await arr.import_file(await arr.grab(movie))
    assert receiver.events() == ["MovieAdded"]
    await arr.sender.drain()
    assert receiver.events() == ["MovieAdded", "Download", "Grab"]
    arr.sender.faults.reorder = 0
    arr.sender.faults.double_every = 1
    await arr.delete_file(movie)
    assert receiver.events()[3:] == ["MovieFileDelete"] * 2
    arr.sender.faults.double_every = 0
    arr.sender.faults.delay = 0.1
    await arr.rename_file(movie)
    await arr.delete_movie(movie)
    assert len(receiver.events()) == 5
    await stack.settle()
    assert receiver.events()[5:] == ["MovieDelete"]


async def test_requests_and_bytes_are_counted_without_seerrs_own(
    stack: Stack, client: Client
) -> None:
    stack.seerr.ask(stack.catalogue.film())
    await stack.settle()
    assert stack.radarr.counts()["requests"] == 0
    assert stack.radarr.counts()["internal_requests"] > 0
    await client.get(stack.radarr, "/queue/status")
    await client.get(stack.radarr, "/movie/1")
    counts = stack.radarr.counts()
    assert counts["endpoints"] == {
        "GET /api/v3/queue/status": 1,
        "GET /api/v3/movie/{id}": 1,
    }
    assert counts["bytes"] > 1000
    stack.reset_counts()
    assert stack.counts()["radarr"]["requests"] == 0


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"burst", "next_episode", "viewing"}))
async def test_every_story_can_be_told(stack: Stack, name: str) -> None:
    play = stack.play(name, speed=0)
    stages = []
    while (stage := await play.step()) is not None:
        stages.append(stage)
    assert stages
    assert play.ended
    if name in {"film", "season", "failed", "broken_pack", "weekly", "blocked", "copy_4k"}:
        assert stages[-1] == "available"


async def test_a_season_goes_on_weekly(stack: Stack) -> None:
    await stack.play("weekly", speed=0).finish()
    (series,) = stack.sonarr.series.values()
    assert sum(episode.file is not None for episode in series.episodes) == 3
    await stack.play("next_episode", series=series, speed=0).finish()
    assert sum(episode.file is not None for episode in series.episodes) == 4


async def test_a_large_home_is_filled_fast_and_silently(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    await client.connect(stack.radarr, receiver.url())
    await client.slot(stack.seerr, receiver.url())
    begun = time.perf_counter()
    stack.fill_library()
    assert time.perf_counter() - begun < 5
    await stack.settle()
    assert receiver.events() == []
    assert len(stack.radarr.movies) == 3000
    assert len(stack.sonarr.series) == 200
    count = await client.get(stack.seerr, "/request/count")
    assert count["total"] == 300
    assert count["completed"] > 200
    assert len(await client.get(stack.radarr, "/queue/details")) == 3
    since = await client.get(stack.radarr, "/history/since?date=2000-01-01")
    assert len(since) > 5000
    (one,) = await client.get(stack.radarr, "/movie?tmdbId=100001")
    assert one["hasFile"] is True


async def test_a_day_fills_every_stage(stack: Stack) -> None:
    stack.start_day(speed=60)
    await asyncio.sleep(0.4)
    plays = list(stack.plays)
    assert len({play.stage for play in plays}) >= 4
    for name in ("film", "season"):
        play = next(play for play in plays if play.name == name)
        await play.wait()
        assert play.stage == "available"
    assert not [play.error for play in stack.plays if play.error]
    await stack.stop_day()


async def test_what_is_new_is_watched_on_each_server_in_turn(socket_enabled: None) -> None:
    async with Stack.household() as house:
        jellyfin, emby = house.services["jellyfin"], house.services["emby"]
        assert isinstance(jellyfin, JellyfinDouble)
        assert isinstance(emby, EmbyDouble)
        with pytest.raises(LookupError, match="nothing new"):
            await house.play("viewing", speed=0).finish()
        for _ in range(3):
            await house.radarr.add_movie(house.catalogue.film())
        for movie in house.radarr.movies.values():
            house.radarr.scan_file(movie)
        await house.scan()

        for _ in range(3):
            play = house.play("viewing", speed=0)
            await play.until("playing")
            assert len(house.plex.sessions) + len(jellyfin.playing) + len(emby.playing) == 1
            await play.finish()

        assert len(house.plex.history) == 1
        assert [len(user.played) for user in (*jellyfin.users, *emby.users)] == [1, 0, 1, 0]
        assert next_to_watch(house) is None


async def test_a_day_has_its_viewers(socket_enabled: None) -> None:
    async with Stack.household() as house:
        house.seerr.media_server = house.plex
        house.plex.finds_after = 0.0
        house.start_day(speed=60)
        for _ in range(200):
            if house.plex.history:
                break
            await asyncio.sleep(0.05)
        assert house.plex.history
        await house.stop_day()


async def test_seerr_asks_its_media_server(socket_enabled: None) -> None:
    async with Stack.household() as house:
        house.seerr.media_server = house.plex
        film, show = house.catalogue.film(), house.catalogue.show(seasons={1: 2})
        requests = [house.seerr.ask(film), house.seerr.ask(show, seasons=[1])]
        await house.settle()
        (movie,) = house.radarr.movies.values()
        (series,) = house.sonarr.series.values()
        house.radarr.scan_file(movie)
        house.sonarr.scan_file(series.episodes[0])
        house.sonarr.scan_file(series.episodes[1])

        await house.seerr.scan()
        assert [one.status for one in requests if one] == [2, 2]
        await house.plex.scan()
        await house.seerr.scan()
        assert [one.status for one in requests if one] == [5, 5]


async def test_seerr_works_by_itself(stack: Stack) -> None:
    request = stack.seerr.ask(stack.catalogue.film())
    assert request is not None
    stack.run_jobs(every=0.02)
    await stack.settle()
    (movie,) = stack.radarr.movies.values()
    stack.radarr.scan_file(movie)
    await asyncio.sleep(0.3)
    assert request.status == 5


async def test_several_services_of_a_kind(client: Client, socket_enabled: None) -> None:
    house = Stack.default()
    second = house.add_sonarr("sonarr_4k", is4k=True)
    other = house.add_seerr("overseerr", flavour="overseerr-1.34")
    async with house:
        servers = await client.get(other, "/settings/sonarr")
        assert [(s["name"], s["is4k"]) for s in servers] == [
            ("sonarr", False),
            ("sonarr_4k", False),
        ]
        show = house.catalogue.show()
        house.seerr.ask(show, is4k=True, seasons=[1])
        await house.settle()
        assert second.find(show.tvdb_id) is not None
        assert house.sonarr.find(show.tvdb_id) is None


async def test_the_control_api(stack: Stack, receiver: Receiver, client: Client) -> None:
    control = Control(stack)
    await control.start()

    async def ask(method: str, path: str = "", body: Any = None, status: int = 200) -> Any:
        async with client.session.request(method, control.url + path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    try:
        described = await ask("GET")
        assert {item["name"] for item in described["services"]} == set(stack.services)
        await client.connect(stack.radarr, receiver.url())
        await ask("PUT", "/deliveries/radarr", {"lose_every": 3, "lose_events": ["Grab"]})
        play = await ask(
            "POST", "/plays", {"name": "direct", "by_step": True, "title": "Tin Boat"}, 201
        )
        while not play["ended"]:
            play = await ask("POST", f"/plays/{play['id']}/step")
        assert (await ask("GET", "/plays"))[0]["stage"] == "imported"
        lost = await ask("GET", "/deliveries/radarr?lost=1")
        assert [item["event"] for item in lost] == ["Grab", "Download"]
        counts = await ask("GET", "/counts")
        assert counts["radarr"]["deliveries"]["lost"] == 2
        await ask("DELETE", "/counts")
        await ask("PUT", "/faults/sonarr", {"mode": "503", "path": "/health"})
        assert (await client.call(stack.sonarr, "GET", "/health")).status == 503
        await ask("PUT", "/faults/sonarr", {"mode": "down"})
        assert not stack.sonarr.is_up
        await ask("DELETE", "/faults/sonarr")
        await client.get(stack.sonarr, "/health")
        before = stack.clock.now()
        await ask("POST", "/clock", {"seconds": 600})
        assert (stack.clock.now() - before).total_seconds() >= 600
        await ask("PUT", "/names", {"home.example": "127.0.0.1"})
        url = receiver.url().replace("127.0.0.1", "home.example")
        assert (await client.connect(stack.radarr, url, name="By name")).status == 201
        await ask("POST", "/library", {"films": 20, "shows": 2, "requests": 10})
        await ask("POST", "/seerr/seerr/scan")
        await ask("POST", "/plex_tv/seerr/agree", status=400)
        await ask("POST", "/seerr/seerr/download_sync")
        await ask("POST", "/seerr/radarr/scan", status=400)
        await ask("POST", "/arr/radarr/restart")
        await ask("POST", "/arr/radarr/reinstall")
        await ask("POST", "/arr/seerr/reinstall", status=400)
        await ask("POST", "/plays", {"name": "nothing"}, 400)
        await ask("POST", "/deliveries/radarr/drain")
        await ask("PUT", "/jobs", {"every": 60})
        await ask("PUT", "/day", {"speed": 50})
        begun = await ask("POST", "/plays", {"name": "waiting"}, 201)
        await ask("DELETE", f"/plays/{begun['id']}")
        await ask("DELETE", "/day")
        await ask("POST", "/settle")
    finally:
        await control.stop()


async def test_somebody_agrees_to_a_sign_in(client: Client, socket_enabled: None) -> None:
    async with Stack.household() as house:
        control = Control(house)
        await control.start()
        try:
            pins, headers = f"{house.plex_tv.url}/api/v2/pins", {"X-Plex-Client-Identifier": "we"}
            async with client.session.post(f"{pins}?strong=true", headers=headers) as answer:
                pin = await answer.json()
            async with client.session.post(f"{control.url}/plex_tv/plex_tv/agree") as answer:
                assert await answer.json() == {"agreed": 1}
            async with client.session.get(f"{pins}/{pin['id']}", headers=headers) as answer:
                assert (await answer.json())["authToken"] == house.plex_tv.owner.token
        finally:
            await control.stop()


async def test_the_program_prints_where_it_is_and_ends_when_told(socket_enabled: None) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--second-sonarr"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        described = json.loads(await process.stdout.readline())
        process.terminate()
        assert await process.wait() == 0
    assert [item["name"] for item in described["services"]] == [
        "seerr",
        "radarr",
        "radarr_4k",
        "sonarr",
        "plex_tv",
        "plex",
        "tautulli",
        "jellyfin",
        "emby",
        "sonarr_4k",
    ]
    assert described["control"].endswith("/control")
