"""Posters over real HTTP: where they come from, to whom they are shown, and what is kept."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import posters
from custom_components.media_arrivals.const import DOMAIN, EVENT_STAGE_CHANGED
from custom_components.media_arrivals.engine.board.models import Decision, Stage
from custom_components.media_arrivals.posters import (
    MAX_BYTES,
    POSTERS_KEY,
    THETVDB,
    TMDB,
    Size,
    source_of,
)
from tests.engine.board.household import FILM, RADARR, SEERR, file, held, playable, request
from tests.entity_helpers import Home, set_up_home

PICTURE = b"\xff\xd8\xff\xe0" + b"a film in a picture" * 20
ADDRESS = f"https://{TMDB}/t/p/original/glass.jpg"
IMAGE_ID = "image.media_arrivals_latest_arrival_poster"
DRAWN = replace(FILM, poster=ADDRESS)


@dataclass
class Source:
    """A host that has pictures, and does with them what a test wants."""

    asked: list[str] = field(default_factory=list)
    body: bytes = PICTURE
    content_type: str = "image/jpeg"
    status: int = 200
    location: str | None = None
    sent: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer with a picture, or with what is no picture."""
        self.asked.append(request.path)
        if self.location is not None and request.path.endswith("glass.jpg"):
            return web.Response(status=302, headers={"Location": self.location})
        response = web.StreamResponse(
            status=self.status, headers={"Content-Type": self.content_type}
        )
        await response.prepare(request)
        for start in range(0, len(self.body), 65_536):
            await response.write(self.body[start : start + 65_536])
            self.sent = start
        return response


@pytest.fixture
async def source(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Source]:
    """Have the places of posters, both on this machine."""
    found = Source()
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    async with TestServer(app) as server:
        here = str(server.make_url("")).rstrip("/")
        monkeypatch.setattr(posters, "ORIGINS", dict.fromkeys((TMDB, THETVDB), here))
        yield found


@dataclass
class Gallery:
    """A household with a film that has a poster."""

    home: Home
    stranger: TestClient[Any, Any]
    member: TestClient[Any, Any]

    @property
    def arrival(self) -> str:
        [found] = self.home.runtime.board.arrivals()
        return found.id

    @property
    def path(self) -> str:
        """Return the path that is told of it."""
        path = posters.poster_path(self.home.hass, self.arrival, ADDRESS)
        assert path is not None
        return path

    async def get(self, path: str) -> tuple[int, bytes]:
        """Ask for something as somebody who is not logged in."""
        answer = await self.stranger.get(path)
        return answer.status, await answer.read()


@pytest.fixture
async def gallery(
    hass: HomeAssistant,
    source: Source,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> Gallery:
    """Have a household that people look at."""
    assert await async_setup_component(hass, "http", {})
    hass.http.app._router.freeze = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
    home = await set_up_home(hass)
    await home.hear(request(DRAWN, 0, Decision.APPROVED), held(RADARR, DRAWN, 2))
    member = await hass_client(hass_read_only_access_token)
    return Gallery(home, await hass_client_no_auth(), member)


async def available(home: Home) -> None:
    await home.hear(file(RADARR, DRAWN, 5), playable(SEERR, DRAWN, 6))


def folder(hass: HomeAssistant) -> Path:
    return Path(hass.config.cache_path(DOMAIN, "posters"))


async def test_a_poster_is_shown_to_whoever_has_its_path(gallery: Gallery, source: Source) -> None:
    answer = await gallery.stranger.get(gallery.path)
    assert (answer.status, await answer.read()) == (HTTPStatus.OK, PICTURE)
    assert answer.content_type == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert source.asked == ["/t/p/w500/glass.jpg"]
    # It is kept on the disk: neither another look nor another run asks again.
    gallery.home.hass.data[POSTERS_KEY] = again = posters.Posters(gallery.home.hass)
    await again.async_load()
    assert await gallery.get(gallery.path) == (HTTPStatus.OK, PICTURE)
    assert len(source.asked) == 1


async def test_an_ordinary_user_needs_no_signature(gallery: Gallery, source: Source) -> None:
    for size, width in (("small", 185), ("medium", 342), ("large", 500)):
        answer = await gallery.member.get(f"/api/{DOMAIN}/posters/{gallery.arrival}/{size}")
        assert answer.status == HTTPStatus.OK
        assert source.asked[-1] == f"/t/p/w{width}/glass.jpg"


async def test_a_stranger_sees_nothing(gallery: Gallery, source: Source) -> None:
    path = gallery.path
    base, _, query = path.partition("?")
    other = base.replace("large", "small")
    forged = [
        base,
        f"{other}?{query}",
        f"/api/{DOMAIN}/posters/01ARZ3NDEKTSV4RRFFQ69G5FAV/large?{query}",
        path.replace("expires=", "expires=9"),
        f"{base}?expires=x&signature=y",
        f"{base}?expires={'9' * 5000}&signature=y",
        f"{path[:-1]}g",
        f"{base}?expires=1&signature=%F0%9F%8E%AC%ED%A0%80",
        f"{base}?signature=",
    ]
    for one in forged:
        assert await gallery.get(one) == (HTTPStatus.UNAUTHORIZED, b""), one
    assert source.asked == []


async def test_a_path_works_for_a_week_and_a_restart(
    gallery: Gallery, freezer: FrozenDateTimeFactory
) -> None:
    path = gallery.path
    assert gallery.path == path
    check = posters.Posters(gallery.home.hass)
    await check.async_load()
    arrival = gallery.arrival
    query = dict(pair.split("=") for pair in path.partition("?")[2].split("&"))

    def works() -> bool:
        return check.is_signed(arrival, "large", query["expires"], query["signature"])

    now = datetime.now(UTC)
    freezer.move_to(now + timedelta(days=7))
    assert works()
    freezer.move_to(now + timedelta(days=8, seconds=1))
    assert not works()


@pytest.mark.parametrize("size", ["huge", "original", "..%2fsmall", "w500", "LARGE", "%00"])
async def test_odd_sizes_are_none(gallery: Gallery, source: Source, size: str) -> None:
    answer = await gallery.member.get(f"/api/{DOMAIN}/posters/{gallery.arrival}/{size}")
    # Home Assistant itself refuses what looks like a way out of a folder.
    assert answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}
    assert source.asked == []


@pytest.mark.parametrize("arrival", ["x", "..%2f..%2fsecrets.yaml", "a" * 500, "%00", "%ED%A0%80"])
async def test_odd_arrivals_are_none(gallery: Gallery, source: Source, arrival: str) -> None:
    answer = await gallery.member.get(f"/api/{DOMAIN}/posters/{arrival}/small")
    assert answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}
    assert source.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"content_type": "text/html"},
        {"body": b"<html><script>alert(1)</script>"},
        {"body": b"<svg onload='alert(1)'/>", "content_type": "image/svg+xml"},
        {"body": b""},
        {"status": 404},
        {"status": 500},
        {"location": "http://192.168.1.1/admin.jpg"},
        {"location": "/t/p/w500/another.jpg"},
        {"location": "http://127.0.0.1:8123/x.jpg"},
    ],
)
async def test_what_is_no_picture_is_not_shown(
    gallery: Gallery, source: Source, changes: dict[str, Any]
) -> None:
    """Nor asked for again for a while, nor kept."""
    for name, value in changes.items():
        setattr(source, name, value)
    for _ in range(3):
        assert await gallery.get(gallery.path) == (HTTPStatus.NOT_FOUND, b"")
    assert len(source.asked) == 1
    assert not list(folder(gallery.home.hass).glob("*"))


async def test_a_failure_passes(
    gallery: Gallery, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.status = 503
    assert (await gallery.get(gallery.path))[0] == HTTPStatus.NOT_FOUND
    source.status = 200
    monkeypatch.setattr(posters, "FAILED_FOR", 0.0)
    assert await gallery.get(gallery.path) == (HTTPStatus.OK, PICTURE)


async def test_a_picture_without_an_end_is_given_up(gallery: Gallery, source: Source) -> None:
    source.body = PICTURE + b"\0" * (50 * 1024 * 1024)
    assert (await gallery.get(gallery.path))[0] == HTTPStatus.NOT_FOUND
    assert source.sent < 3 * MAX_BYTES


async def test_many_who_look_at_once_cause_one_download(gallery: Gallery, source: Source) -> None:
    found = await asyncio.gather(*(gallery.get(gallery.path) for _ in range(8)))
    assert set(found) == {(HTTPStatus.OK, PICTURE)}
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    ("poster", "path"),
    [
        (ADDRESS, "https://image.tmdb.org/t/p/w342/glass.jpg"),
        ("/glass.jpg", "https://image.tmdb.org/t/p/w342/glass.jpg"),
        (
            "https://image.tmdb.org/t/p/w600_and_h900_bestv2/g.png",
            "https://image.tmdb.org/t/p/w342/g.png",
        ),
        (
            "https://artworks.thetvdb.com/banners/v4/series/81/posters/62d-1.jpg",
            "https://artworks.thetvdb.com/banners/v4/series/81/posters/62d-1.jpg",
        ),
        (None, None),
        ("", None),
        ("/", None),
        ("//evil.example/x.jpg", None),
        ("/../../../x.jpg", None),
        ("/a/b.jpg", "https://image.tmdb.org/t/p/w342/b.jpg"),
        ("/x.jpg?redirect=http://10.0.0.1", "https://image.tmdb.org/t/p/w342/x.jpg"),
        ("/x.svg", None),
        ("/%2e%2e/x.jpg", None),
        ("http://image.tmdb.org/t/p/original/x.jpg", None),
        ("https://image.tmdb.org:8443/t/p/original/x.jpg", None),
        ("https://image.tmdb.org@10.0.0.1/t/p/original/x.jpg", None),
        ("https://user@image.tmdb.org/t/p/original/x.jpg", None),
        ("https://image.tmdb.org.evil.example/t/p/original/x.jpg", None),
        ("https://artworks.thetvdb.com/../x.jpg", None),
        ("https://artworks.thetvdb.com/a/%2e%2e/x.jpg", None),
        ("http://192.168.1.20:7878/MediaCover/1/poster.jpg", None),
        ("https://[::1/x.jpg", None),
        ("file:///etc/passwd", None),
    ],
)
def test_only_known_places_are_asked(poster: str | None, path: str | None) -> None:
    assert source_of(poster, Size.MEDIUM) == path


async def test_a_stranger_s_address_is_no_poster(hass: HomeAssistant, gallery: Gallery) -> None:
    assert posters.poster_path(hass, gallery.arrival, "http://192.168.1.1/x.jpg") is None
    assert posters.poster_path(hass, gallery.arrival, None) is None


async def test_those_not_looked_at_for_longest_go(
    gallery: Gallery, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = gallery.home.hass.data[POSTERS_KEY]
    monkeypatch.setattr(posters, "MAX_KEPT", 3 * len(PICTURE))
    for number in range(3):
        assert await shelf.async_picture(f"/p{number}.jpg", Size.SMALL)
    kept = sorted(folder(gallery.home.hass).iterdir(), key=lambda file: file.stat().st_mtime_ns)
    for age, file_ in zip((300, 200, 100), kept, strict=True):
        os.utime(file_, (time.time() - age,) * 2)
    # The oldest is looked at, so the second is the one to go.
    assert await shelf.async_picture("/p0.jpg", Size.SMALL)
    assert await shelf.async_picture("/p3.jpg", Size.SMALL)
    source.asked.clear()
    for number in (0, 2, 3):
        assert await shelf.async_picture(f"/p{number}.jpg", Size.SMALL)
    assert source.asked == []
    assert len(list(folder(gallery.home.hass).iterdir())) == 3


async def test_a_kept_file_that_is_damaged_is_fetched_again(
    gallery: Gallery, source: Source
) -> None:
    await gallery.get(gallery.path)
    [kept] = folder(gallery.home.hass).iterdir()
    kept.write_bytes(b"<html>")
    assert await gallery.get(gallery.path) == (HTTPStatus.OK, PICTURE)
    assert len(source.asked) == 2


async def test_without_a_place_to_keep_it_a_picture_is_shown(
    gallery: Gallery, source: Source
) -> None:
    place = folder(gallery.home.hass).parent
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("in the way")
    assert await gallery.get(gallery.path) == (HTTPStatus.OK, PICTURE)


async def test_actions_and_events_tell_our_path(gallery: Gallery, hass: HomeAssistant) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    await available(gallery.home)
    path = gallery.path
    assert {event.data["poster"] for event in events} == {path}
    told = hass.states.get("event.media_arrivals_arrivals")
    assert told is not None
    assert told.attributes["poster"] == path
    listed = await hass.services.async_call(
        DOMAIN, "get_arrivals", {}, blocking=True, return_response=True
    )
    one = await hass.services.async_call(
        DOMAIN,
        "get_arrival",
        {"arrival_id": gallery.arrival},
        blocking=True,
        return_response=True,
    )
    assert listed is not None
    assert one is not None
    arrivals: Any = listed["arrivals"]
    assert [arrival["poster"] for arrival in arrivals] == [path] == [one["poster"]]
    assert TMDB not in str([listed, one, [event.data for event in events]])


async def test_the_last_service_takes_everything_along(
    gallery: Gallery, hass: HomeAssistant
) -> None:
    path = gallery.path
    await gallery.get(path)
    with gallery.home.answering():
        for entry_id in list(gallery.home.entries):
            assert await hass.config_entries.async_remove(entry_id)
        await hass.async_block_till_done()
    assert not folder(hass).exists()
    assert (await gallery.get(path))[0] == HTTPStatus.UNAUTHORIZED


async def test_the_picture_of_the_latest_arrival(
    gallery: Gallery, source: Source, hass: HomeAssistant
) -> None:
    assert gallery.home.state(IMAGE_ID) == STATE_UNKNOWN
    await available(gallery.home)
    assert source.asked == []
    [arrival] = gallery.home.runtime.board.arrivals()
    assert arrival.stage is Stage.AVAILABLE
    before = gallery.home.state(IMAGE_ID)
    assert before.startswith("20")
    answer = await gallery.member.get(f"/api/image_proxy/{IMAGE_ID}")
    assert (answer.status, await answer.read()) == (HTTPStatus.OK, PICTURE)
    assert answer.content_type == "image/jpeg"
    # After a restart it is the same again, and nobody asked for it.
    source.asked.clear()
    assert await hass.config_entries.async_reload(gallery.home.board_entry.entry_id)
    assert gallery.home.state(IMAGE_ID) == before
    other = replace(
        DRAWN, ids=replace(DRAWN.ids, tmdb=777, imdb=None), own_id=99, name="Other", poster="/o.jpg"
    )
    await gallery.home.hear(
        request(other, 10, Decision.APPROVED, number=9),
        held(RADARR, other, 11),
        file(RADARR, other, 12),
        playable(SEERR, other, 13),
    )
    assert gallery.home.state(IMAGE_ID) > before
    assert source.asked == []
    answer = await gallery.member.get(f"/api/image_proxy/{IMAGE_ID}")
    assert answer.status == HTTPStatus.OK
    assert source.asked == ["/t/p/w500/o.jpg"]


async def test_a_latest_arrival_without_a_poster_has_no_picture(
    gallery: Gallery, source: Source
) -> None:
    await available(gallery.home)
    source.status = 404
    answer = await gallery.member.get(f"/api/image_proxy/{IMAGE_ID}")
    assert answer.status == HTTPStatus.INTERNAL_SERVER_ERROR
