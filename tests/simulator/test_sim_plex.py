"""The simulated Plex tells, scans and forgets as a real one does."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, FormData, web

from simulator import PlexDouble, Stack
from simulator.plex import multipart
from tests.simulator.helpers import Receiver


@pytest.fixture
async def house(socket_enabled: None) -> AsyncIterator[Stack]:
    stack = Stack()
    stack.add_radarr()
    stack.add_sonarr()
    stack.add_plex()
    async with stack:
        yield stack


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


def payloads(plex: PlexDouble) -> list[str]:
    return [outcome.delivery.event for outcome in plex.sender.outcomes]


async def test_its_webhook_is_a_form_that_a_web_server_reads(
    house: Stack, receiver: Receiver
) -> None:
    plex = house.plex
    plex.plex_tv.owner.webhooks.append(f"http://127.0.0.1:{receiver.port}/api/webhook/x")
    house.radarr.put_movie(house.catalogue.film("Amber Ferry"), quality="WEBDL-1080p")
    await plex.scan()
    (call,) = receiver.calls
    assert call.headers["User-Agent"].startswith("PlexMediaServer/")
    assert call.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="payload"\r\nContent-Type: application/json\r\n\r\n{"event": "library.new"' in (
        call.raw
    )
    assert b'filename="thumb.jpg"' in call.raw
    assert "Amber Ferry" in call.raw.decode("latin-1")


async def test_aiohttp_reads_the_json_part_as_bytes(
    session: ClientSession, socket_enabled: None
) -> None:
    found: list[type] = []

    async def take(request: web.Request) -> web.Response:
        form = await request.post()
        found.append(type(form["payload"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    body = multipart({"event": "media.play"}, "abc", thumb=True)
    headers = {"Content-Type": "multipart/form-data; boundary=abc"}
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with session.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200
    await runner.cleanup()
    assert found == [bytearray]


async def test_several_episodes_at_once_are_one_event(house: Stack, receiver: Receiver) -> None:
    plex = house.plex
    plex.plex_tv.owner.webhooks.append(f"http://127.0.0.1:{receiver.port}/x")
    series = house.sonarr.put_series(house.catalogue.show(seasons={1: 4}))
    for episode in series.episodes[:3]:
        house.sonarr.scan_file(episode)
    await plex.scan()
    house.sonarr.scan_file(series.episodes[3])
    await plex.scan()
    told = [outcome.delivery.payload["Metadata"]["type"] for outcome in plex.sender.outcomes]
    assert told == ["season", "episode"]


async def test_only_the_scanned_folder_is_looked_into(house: Stack) -> None:
    plex = house.plex
    films = [house.catalogue.film(f"Film {number}") for number in range(2)]
    for film in films:
        house.radarr.put_movie(film, quality="WEBDL-1080p")
    await plex.scan(folder=f"/data/media/movies/Film 0 ({films[0].year})")
    assert [item.title for item in plex.items.values()] == ["Film 0"]
    await plex.scan(folder="/data/elsewhere")
    assert len(plex.items) == 1


async def test_it_finds_files_by_itself_after_a_while(socket_enabled: None) -> None:
    stack = Stack()
    stack.add_radarr()
    plex = stack.add_plex(finds_after=0.05)
    async with stack:
        movie = stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
        assert not plex.items
        await plex.settle()
        assert len(plex.items) == 1
        await stack.radarr.delete_file(movie)
        await plex.settle()
        assert not plex.items


async def test_a_shared_users_play_is_told_twice(house: Stack, receiver: Receiver) -> None:
    plex = house.plex
    plex.plex_tv.owner.webhooks.append(f"http://127.0.0.1:{receiver.port}/x")
    house.radarr.put_movie(house.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    guest, heard = plex.add_user("Bo", 77), list[tuple[str, int]]()
    plex.watchers.append(lambda what, user, _: heard.append((what, user)))
    film = next(iter(plex.items.values()))
    await plex.watch(film, guest)
    told = [
        (outcome.delivery.event, outcome.delivery.payload["Account"]["id"])
        for outcome in plex.sender.outcomes[1:]
    ]
    assert told == [
        ("media.play", 77),
        ("playback.started", 1),
        ("media.scrobble", 77),
        ("media.stop", 77),
    ]
    assert heard == [("play", 77), ("watched", 77), ("stop", 77)]
    plex.knows_owner_as_one = False
    assert plex.payload("media.play", 1, film)["Account"]["id"] == plex.plex_tv.owner.id


async def test_without_a_pass_nothing_is_sent(house: Stack, receiver: Receiver) -> None:
    plex = house.plex
    plex.plex_tv.owner.webhooks.append(f"http://127.0.0.1:{receiver.port}/x")
    plex.plex_tv.owner.plex_pass = False
    house.radarr.put_movie(house.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    assert payloads(plex) == []


async def test_a_receiver_that_is_away_is_not_tried_again(house: Stack) -> None:
    plex = house.plex
    plex.plex_tv.owner.webhooks.append("http://127.0.0.1:1/x")
    house.radarr.put_movie(house.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    assert [outcome.statuses for outcome in plex.sender.outcomes] == [[]]


async def test_the_answer_is_xml_unless_json_is_asked_for(
    house: Stack, session: ClientSession
) -> None:
    plex = house.plex
    headers = {"X-Plex-Token": plex.api_key}
    async with session.get(f"{plex.url}/status/sessions", headers=headers) as answer:
        assert answer.content_type == "text/xml"
    headers["Accept"] = "application/json"
    async with session.get(f"{plex.url}/accounts", headers=headers) as answer:
        body = await answer.json()
        assert body["MediaContainer"]["Account"] == [{"id": 1, "name": "Ada"}]
    async with session.get(f"{plex.url}/library/sections") as answer:
        assert answer.status == 401
    async with session.get(f"{plex.url}/identity") as answer:
        assert answer.status == 200


async def test_marking_by_hand_leaves_no_trace(house: Stack, session: ClientSession) -> None:
    plex = house.plex
    house.radarr.put_movie(house.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    film = next(iter(plex.items.values()))
    headers = {"X-Plex-Token": plex.api_key}
    for verb, count in (("scrobble", 1), ("unscrobble", 0)):
        url = f"{plex.url}/:/{verb}?key={film.key}"
        async with session.get(url, headers=headers) as answer:
            assert answer.status == 200
        assert film.views[1] == count
    assert (plex.history, payloads(plex)) == ([], [])


async def test_a_list_of_webhooks_is_replaced_as_a_whole(
    house: Stack, session: ClientSession
) -> None:
    cloud = house.plex_tv
    cloud.owner.webhooks[:] = ["https://example.com/one"]
    headers = {"X-Plex-Token": cloud.owner.token, "X-Plex-Client-Identifier": "test"}
    url = f"{cloud.url}/api/v2/user/webhooks"
    form = FormData([("urls[]", "https://example.com/two"), ("urls[]", "https://example.com/3")])
    async with session.post(url, data=form, headers=headers) as answer:
        assert answer.status == 201
    assert cloud.owner.webhooks == ["https://example.com/two", "https://example.com/3"]
    async with session.post(url, data=FormData([("odd", "x")]), headers=headers) as answer:
        assert answer.status == 400
    async with session.post(url, data=FormData([("urls", "")]), headers=headers) as answer:
        assert answer.status == 201
    assert cloud.owner.webhooks == []
    async with session.get(url) as answer:
        assert answer.status == 400


async def test_an_update_cuts_everybody_off_and_keeps_the_library(
    house: Stack, session: ClientSession
) -> None:
    plex = house.plex
    house.radarr.put_movie(house.catalogue.film(), quality="WEBDL-1080p")
    await plex.scan()
    await plex.play_session(next(iter(plex.items.values())))
    headers = {"X-Plex-Token": plex.api_key, "Accept": "application/json"}
    url, port = f"{plex.url}/:/websockets/notifications", plex.port
    async with session.ws_connect(url, headers=headers) as socket:
        await plex.progress(plex.sessions[1], 5)
        first = json.loads((await socket.receive()).data)
        assert first["NotificationContainer"]["type"] == "playing"
        async with asyncio.timeout(5):
            updating = asyncio.create_task(plex.update_application("1.50.0.1"))
            assert (await socket.receive()).type.name in {"CLOSE", "CLOSED", "CLOSING"}
            await updating
    assert (plex.port, plex.version, len(plex.items)) == (port, "1.50.0.1", 1)
    assert not plex.sessions


async def test_a_household_has_all_services_and_one_disk(socket_enabled: None) -> None:
    stack = Stack.household()
    assert {double.kind for double in stack.services.values()} == {
        "seerr",
        "radarr",
        "sonarr",
        "plex",
        "plex_tv",
        "tautulli",
        "jellyfin",
        "emby",
    }
    async with stack:
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
        await stack.plex.scan()
        assert len(stack.plex.items) == len(stack.shelf.files) == 1
