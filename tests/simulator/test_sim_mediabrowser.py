"""The simulated Jellyfin and Emby tell, scan and forget as real ones do."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from simulator import EmbyDouble, JellyfinDouble, Stack
from tests.simulator.helpers import Receiver


@pytest.fixture(params=["jellyfin", "emby"])
async def house(socket_enabled: None, request: pytest.FixtureRequest) -> AsyncIterator[Stack]:
    stack = Stack()
    stack.add_radarr()
    stack.add_radarr("radarr_4k", is4k=True)
    stack.add_sonarr()
    add = stack.add_jellyfin if request.param == "jellyfin" else stack.add_emby
    add("server")
    async with stack:
        yield stack


def server_of(house: Stack) -> JellyfinDouble | EmbyDouble:
    server = house.services["server"]
    assert isinstance(server, JellyfinDouble | EmbyDouble)
    return server


def listen(server: JellyfinDouble | EmbyDouble, receiver: Receiver) -> None:
    """Enter a webhook for everything."""
    if isinstance(server, JellyfinDouble):
        events = ["ItemAdded", "ItemDeleted", "PlaybackStart", "PlaybackStop", "UserDataSaved"]
        kinds = ("EnableMovies", "EnableSeries", "EnableSeasons", "EnableEpisodes")
        server.settings["GenericOptions"].append(
            {
                "NotificationTypes": events,
                "WebhookUri": receiver.url(),
                "EnableWebhook": True,
                "SendAllProperties": True,
                "Headers": [],
                **dict.fromkeys(kinds, True),
            }
        )
        return
    server.notifications[server.users[0].id].append(
        {
            "Id": "1",
            "Enabled": True,
            "EventIds": ["library.new", "library.deleted", "item.markplayed", "playback.stop"],
            "UserIds": [user.id for user in server.users],
            "Options": {"Url": receiver.url()},
        }
    )


def told(receiver: Receiver) -> list[Any]:
    return [call.body.get("NotificationType") or call.body.get("Event") for call in receiver.calls]


async def get(house: Stack, path: str, **headers: str) -> tuple[int, Any]:
    """Ask the server, with its key unless told otherwise."""
    server = server_of(house)
    shown = headers or {
        "Authorization": f'MediaBrowser Token="{server.api_key}"',
        "X-Emby-Token": server.api_key,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}{path}", headers=shown) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text[:1] in {"{", "["} else text


async def test_it_finds_what_is_on_the_disk_and_tells_once(
    house: Stack, receiver: Receiver
) -> None:
    server = server_of(house)
    listen(server, receiver)
    house.radarr.put_movie(house.catalogue.film("Amber Ferry"), quality="WEBDL-1080p")
    series = house.sonarr.put_series(house.catalogue.show(seasons={1: 3}))
    for episode in series.episodes[:2]:
        house.sonarr.scan_file(episode)
    assert not server.items
    await server.scan()
    await server.scan()
    kinds = sorted(item.kind for item in server.items.values())
    assert kinds == ["Episode", "Episode", "Movie", "Season", "Series"]
    assert len(receiver.calls) == 5
    house.sonarr.scan_file(series.episodes[2])
    await server.scan("/data/media/tv")
    assert len(receiver.calls) == 6


async def test_what_is_gone_is_told_with_what_became_empty(
    house: Stack, receiver: Receiver
) -> None:
    server = server_of(house)
    series = house.sonarr.put_series(house.catalogue.show(seasons={1: 1}))
    house.sonarr.scan_file(series.episodes[0])
    movie = house.radarr.put_movie(house.catalogue.film(), quality="WEBDL-1080p")
    await server.scan()
    listen(server, receiver)
    await house.radarr.delete_file(movie)
    await server.scan()
    assert told(receiver) in (["ItemDeleted"], ["library.deleted"])
    await house.sonarr.delete_file(series.episodes[0])
    await server.scan()
    assert len(receiver.calls) == 4
    assert not server.items


async def test_versions_lie_in_one_folder(house: Stack) -> None:
    server = server_of(house)
    film = house.catalogue.film("Amber Ferry")
    house.radarr.put_movie(film, quality="WEBDL-1080p")
    house.radarr_4k.put_movie(film, quality="WEBDL-2160p")
    await server.scan()
    assert len(server.items) == 2  # two libraries
    first = next(iter(house.shelf.files.values()))
    house.shelf.put(type(first)(**{**_values(first), "path": f"{first.path}.2160p.mkv"}))
    await server.scan()
    assert sorted(len(item.files) for item in server.items.values()) == [1, 2]


def _values(file: Any) -> dict[str, Any]:
    return {name: getattr(file, name) for name in file.__slots__}


async def test_it_finds_files_by_itself_after_a_while(socket_enabled: None) -> None:
    stack = Stack()
    stack.add_radarr()
    server = stack.add_jellyfin(finds_after=0.05)
    async with stack:
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
        assert not server.items
        await server.settle()
        assert len(server.items) == 1


async def test_jellyfin_waits_for_ids_before_it_tells(
    socket_enabled: None, receiver: Receiver
) -> None:
    stack = Stack()
    stack.add_radarr()
    server = stack.add_jellyfin(ids_after=0.05)
    async with stack:
        listen(server, receiver)
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
        await server.scan()
        assert not receiver.calls
        await server.settle()
        assert receiver.last()["Provider_tmdb"]


async def test_emby_tells_before_it_knows_the_ids(socket_enabled: None, receiver: Receiver) -> None:
    stack = Stack()
    stack.add_radarr()
    server = stack.add_emby(ids_after=60)
    async with stack:
        listen(server, receiver)
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
        await server.scan()
        assert receiver.last()["Item"]["ProviderIds"] == {}
        assert "User" not in receiver.last()


async def test_only_those_with_the_key_are_answered(house: Stack) -> None:
    assert (await get(house, "/System/Info/Public", X="1"))[0] == 200
    assert (await get(house, "/Users", X="1"))[0] == 401
    if isinstance(server_of(house), JellyfinDouble):
        # Ways of showing the key that version 12 does not take.
        key = server_of(house).api_key
        assert (await get(house, "/Users", **{"X-Emby-Token": key}))[0] == 401
        assert (await get(house, f"/Users?api_key={key}", X="1"))[0] == 401


async def test_jellyfin_ignores_what_it_does_not_know(house: Stack) -> None:
    server = server_of(house)
    server.fill(30)
    user = server.users[0].id
    path = f"/Users/{user}/Items?AnyProviderIdEquals=tmdb.2000003&IncludeItemTypes=Movie"
    _, found = await get(house, path)
    # Jellyfin gives the whole library back.
    assert found["TotalRecordCount"] == (30 if isinstance(server, JellyfinDouble) else 1)


async def test_what_was_filled_in_is_not_missed_by_a_scan(house: Stack, receiver: Receiver) -> None:
    server = server_of(house)
    listen(server, receiver)
    server.fill(100)
    await server.scan()
    assert len(server.items) == 100
    assert not receiver.calls


async def test_emby_needs_to_be_told_whose_notifications_are_wanted(house: Stack) -> None:
    server = server_of(house)
    path = "/Notifications/Services/Configured"
    status, _ = await get(house, path)
    assert status == (404 if isinstance(server, JellyfinDouble) else 500)
    status, _ = await get(house, f"{path}?UserId={server.users[0].id}")
    assert status == (404 if isinstance(server, JellyfinDouble) else 200)


async def test_progress_is_told_by_jellyfin_only_if_wanted(
    socket_enabled: None, receiver: Receiver
) -> None:
    stack = Stack()
    stack.add_radarr()
    server = stack.add_jellyfin()
    async with stack:
        stack.radarr.put_movie(stack.catalogue.film(), quality="WEBDL-1080p")
        await server.scan()
        listen(server, receiver)
        session = await server.play_session(server.user("Ben"), server.find("Movie"))
        await server.progress(session, played=True)
        assert told(receiver) == ["PlaybackStart", "UserDataSaved"]
        assert receiver.last()["SaveReason"] == "PlaybackProgress"
        assert receiver.last()["Played"] is True
