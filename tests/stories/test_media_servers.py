"""Media servers beside the journey: what is imported is available when one of them has it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from freezegun.api import TickingDateTimeFactory
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.media_arrivals import coordinator, finder, indexing
from custom_components.media_arrivals.const import DOMAIN, EVENT_ACTION, EVENT_WATCHED
from custom_components.media_arrivals.engine.board.models import Stage
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.repairs import async_create_fix_flow
from simulator import Film, Stack
from simulator.sonarr import Series
from tests.house import House
from tests.stories.family import Family
from tests.stories.media_family import MediaFamily

SOON = 0.01


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause last."""
    monkeypatch.setattr(finder, "GATHER_SECONDS", SOON)
    monkeypatch.setattr(finder, "PAUSES", (SOON,))
    monkeypatch.setattr(indexing, "PAUSES", (SOON,))
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))


@pytest.fixture
def media(family: Family, house: House, clock: TickingDateTimeFactory) -> MediaFamily:
    return MediaFamily(house, clock)


# --- what is imported -------------------------------------------------------------------------


async def test_a_film_is_available_when_plex_has_it(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])

    film = await media.film()
    await media.found()

    assert media.stages() == {("Amber Ferry", "hd"): "available"}
    assert media.told()["Amber Ferry", "hd"] == ["sent", "downloading", "downloaded", "available"]
    year = film.year
    assert media.stack.plex.scans == [("1", f"/data/media/movies/Amber Ferry ({year})")]


async def test_four_k_is_available_in_four_k_only(media: MediaFamily) -> None:
    await media.move_in(["radarr", "radarr_4k", "plex", "jellyfin", "emby"])
    film = await media.film()
    await media.found()
    download = await media.stack.radarr_4k.grab(
        await media.stack.radarr_4k.add_movie(film), quality="WEBDL-2160p"
    )
    await media.settle()
    assert media.stages() == {
        ("Amber Ferry", "hd"): "available",
        ("Amber Ferry", "4k"): "downloading",
    }

    await media.stack.radarr_4k.import_file(download)
    await media.stack.settle()
    await media.found()

    assert media.stage(tier="4k") == "available"
    assert [library for library, _ in media.stack.plex.scans] == ["1", "3"]


async def test_a_version_in_4k_of_one_item_makes_the_4k_copy_available(media: MediaFamily) -> None:
    plex = media.stack.plex
    plex.sections["1"].folders += plex.sections.pop("3").folders
    await media.move_in(["radarr", "radarr_4k", "plex"])
    film = await media.film()
    await media.found()
    look = lose_scans(plex)
    await media.import_film(film, radarr="radarr_4k")
    for _ in range(5):
        media.clock.tick(1)
        await asyncio.sleep(SOON)
    await media.house.settle()
    assert media.stages() == {
        ("Amber Ferry", "hd"): "available",
        ("Amber Ferry", "4k"): "downloaded",
    }

    await look()
    await media.found()

    assert sorted(plex.find(tmdb=film.tmdb_id).versions.values()) == [1080, 2160]
    assert set(media.stages().values()) == {"available"}
    way = ["sent", "downloading", "downloaded", "available"]
    assert media.told() == {("Amber Ferry", "hd"): way, ("Amber Ferry", "4k"): way}


@pytest.mark.parametrize("name", ["plex", "jellyfin", "emby"])
async def test_a_film_is_available_no_moment_before_a_server_has_it(
    media: MediaFamily, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await media.move_in(["radarr", name])
    double: Any = media.stack.services[name]
    look = double.scan

    async def scan_nothing(*_args: Any, **_options: Any) -> None:
        return

    monkeypatch.setattr(double, "scan", scan_nothing)
    film = media.stack.catalogue.film("Amber Ferry")
    await media.import_film(film)
    for _ in range(20):
        media.clock.tick(1)
        await asyncio.sleep(SOON)
    await media.house.settle()
    assert media.stage() == "downloaded"
    assert media.told()["Amber Ferry", "hd"][-1] == "downloaded"

    await look()
    await media.found()

    assert media.stage() == "available"
    assert media.told()["Amber Ferry", "hd"] == ["sent", "downloading", "downloaded", "available"]


async def test_one_of_several_servers_is_enough(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex", "jellyfin", "emby"])
    for name in ("plex", "emby"):
        await media.stack.services[name].go_down()

    await media.film()
    await media.house.until(lambda: media.stage() == "available", what="the film in Jellyfin")

    (arrival,) = media.house.runtime.board.arrivals()
    assert [claims.service for claims in arrival.whole.claims if claims.playable.yes] == [
        "jellyfin_entry"
    ]


async def test_one_arrival_is_looked_at_where_somebody_may_know_it(
    media: MediaFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    await media.move_in(["radarr", "sonarr", "plex", "jellyfin", "emby"])
    emby, jellyfin = media.stack.services["emby"], media.stack.services["jellyfin"]
    looks = [lose_scans(media.stack.services[name]) for name in ("plex", "jellyfin", "emby")]
    monkeypatch.setattr(finder, "GIVE_UP_AFTER", 0.0)
    for title in ("Amber Ferry", "Quiet Waltz"):
        await media.film(title)
    await media.found()
    for name in ("plex", "jellyfin", "emby"):
        media.stack.services[name].sender.faults.lose_every = 1
    for look in looks:
        await look()
    await emby.go_down()
    runtime = media.house.runtime
    (arrival_id,) = (
        arrival.id
        for arrival in runtime.board.arrivals()
        if runtime.board.title(arrival.title_id).name == "Amber Ferry"
    )
    media.stack.reset_counts()

    response: Any = await media.house.hass.services.async_call(
        DOMAIN, "sync", {"arrival_id": arrival_id}, blocking=True, return_response=True
    )

    answers = {one["kind"]: (one["checked"], one["error"]) for one in response["services"]}
    assert answers == {
        "radarr": (1, None),
        "plex": (1, None),
        "jellyfin": (1, None),
        "emby": (0, "connection_refused"),
    }
    assert media.stages() == {
        ("Amber Ferry", "hd"): "available",
        ("Quiet Waltz", "hd"): "downloaded",
    }
    assert not media.stack.sonarr.calls
    assert len(jellyfin.calls) <= 2


async def test_media_servers_are_made_to_look(
    media: MediaFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    await media.move_in(["radarr", "plex", "jellyfin"])
    plex, hass = media.stack.plex, media.house.hass
    look = lose_scans(plex)
    lose_scans(media.stack.services["jellyfin"])
    with monkeypatch.context() as hurry:
        hurry.setattr(finder, "GIVE_UP_AFTER", 0.0)
        film = await media.film()
        await media.found()
    plex.scans.clear()
    (arrival,) = media.house.runtime.board.arrivals()
    monkeypatch.setattr(plex, "scan", look)

    async def scan(**data: Any) -> Any:
        response: Any = await hass.services.async_call(
            DOMAIN, "scan_library", data, blocking=True, return_response=True
        )
        return {one["service"]: one["libraries"] for one in response["services"]}

    assert await scan(arrival_id=arrival.id, service="plex_entry") == {"plex_entry": ["Films"]}
    await media.found()
    assert media.stage() == "available"
    assert plex.scans == [("1", f"/data/media/movies/Amber Ferry ({film.year})")]

    everywhere = await scan()
    assert set(everywhere) == {"plex_entry", "jellyfin_entry"}
    assert "Films" in everywhere["plex_entry"]
    assert len(plex.scans) == 1 + len(everywhere["plex_entry"])

    await media.stack.services["jellyfin"].go_down()
    with pytest.raises(HomeAssistantError) as failed:
        await scan(service="jellyfin_entry")
    assert failed.value.translation_key == "connection_refused"
    told = async_capture_events(hass, EVENT_ACTION)
    with pytest.raises(ServiceValidationError) as refused:
        await scan(arrival_id=arrival.id, service="jellyfin_entry")
    assert refused.value.translation_key == "folder_not_found"
    assert told == []
    with pytest.raises(ServiceValidationError) as refused:
        await scan(service="radarr_entry")
    assert refused.value.translation_key == "no_media_server"


async def test_an_upgrade_is_scanned_and_tells_nothing(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])
    film = await media.film()
    await media.found()
    told = media.told()
    scans = len(media.stack.plex.scans)

    await media.import_film(film)
    await media.found()

    assert media.told()["Amber Ferry", "hd"][:4] == told["Amber Ferry", "hd"]
    assert media.stage() == "available"
    assert media.told()["Amber Ferry", "hd"].count("available") == 1
    assert len(media.stack.plex.scans) == scans + 1


async def test_two_hundred_episodes_are_one_story(
    media: MediaFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "PAUSES", (0.1,))
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.1))
    await media.move_in(["sonarr", "plex", "jellyfin"])
    stack = media.stack
    show = stack.catalogue.show("Tide House", 2020, seasons={1: 200})
    series: Series = await stack.sonarr.add_series(show)
    await media.settle()
    stack.reset_counts()
    began = asyncio.get_running_loop().time()

    download = await stack.sonarr.grab(series.season(1))
    media.clock.tick(2)
    await stack.sonarr.import_files(download)
    await stack.settle()
    await media.found()

    assert media.stages() == {("Tide House", "hd"): "available"}
    assert media.told()["Tide House", "hd"] == ["sent", "downloading", "downloaded", "available"]
    (arrival,) = media.house.runtime.board.arrivals()
    assert (arrival.available, arrival.wanted) == (200, 200)
    # Time runs a hundred times as fast here.
    spans = (asyncio.get_running_loop().time() - began) * 100 / 10 + 1
    for name in ("sonarr", "plex", "jellyfin"):
        assert len(stack.services[name].calls) <= 3 * spans


SPAN = 1.0
"""Seconds in place of ten."""


@pytest.fixture
def span(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep to the pace, ten times as fast."""
    monkeypatch.setattr(coordinator, "HINT_PAUSE", SPAN / 2)
    monkeypatch.setattr(coordinator, "lenient_pace", lambda: Pace(seconds=SPAN, strict=False))


def most_at_once(double: Any) -> int:
    """Return how many calls a service got in any span, less a fifth for the way."""
    times = sorted(call.at for call in double.calls)
    return max(
        (sum(begin <= at < begin + 0.8 * SPAN for at in times) for begin in times), default=0
    )


@pytest.mark.usefixtures("span")
async def test_a_season_that_is_imported_at_once_is_asked_about_in_peace(
    media: MediaFamily,
) -> None:
    await media.move_in(["sonarr", "jellyfin"])
    sonarr = media.stack.sonarr
    show = media.stack.catalogue.show("Tide House", 2020, seasons={1: 50})
    series: Series = await sonarr.add_series(show)
    await media.settle()
    await asyncio.sleep(SPAN)
    media.stack.reset_counts()

    download = await sonarr.grab(series.season(1))
    media.clock.tick(2)
    await sonarr.import_files(download)
    await media.stack.settle()
    await media.found()
    await asyncio.sleep(2 * SPAN)
    await media.settle()

    assert media.stages() == {("Tide House", "hd"): "available"}
    assert most_at_once(sonarr) <= 3
    # Its folder was told with each file.
    assert [call.endpoint for call in sonarr.calls].count("/api/v3/series") <= 1


@pytest.mark.usefixtures("span")
async def test_films_that_come_at_once_are_asked_about_in_peace(media: MediaFamily) -> None:
    await media.move_in(["radarr", "jellyfin"])
    radarr = media.stack.radarr
    movies = [await radarr.add_movie(media.stack.catalogue.film()) for _ in range(20)]
    await media.settle()
    await asyncio.sleep(SPAN)
    media.stack.reset_counts()

    downloads = [await radarr.grab(movie) for movie in movies]
    media.clock.tick(2)
    await asyncio.gather(*(radarr.import_file(download) for download in downloads))
    await media.stack.settle()
    await media.found()
    await asyncio.sleep(2 * SPAN)
    await media.settle()

    assert set(media.stages().values()) == {"available"}
    assert most_at_once(radarr) <= 3


@pytest.mark.usefixtures("span")
async def test_requests_that_come_at_once_are_asked_about_in_peace(media: MediaFamily) -> None:
    await media.move_in(["seerr"])
    seerr = media.stack.seerr
    await asyncio.sleep(SPAN)
    media.stack.reset_counts()

    for _ in range(5):
        assert seerr.ask(media.stack.catalogue.film(), by="Anna") is not None
    await media.stack.settle()
    await media.house.until(lambda: len(media.stages()) == 5, what="all requests")
    await asyncio.sleep(2 * SPAN)
    await media.settle()

    assert set(media.stages().values()) <= {"requested", "approved", "sent"}
    assert most_at_once(seerr) <= 3


async def test_what_came_with_a_whole_library_is_found_by_the_index(
    media: MediaFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    await media.move_in(["radarr", "plex"])
    plex = media.stack.plex
    plex.sender.faults.lose_every = 1
    look = lose_scans(plex)
    monkeypatch.setattr(finder, "GIVE_UP_AFTER", 0.0)
    await media.film()
    await media.found()
    assert media.stage() == "downloaded"
    plex_coordinator = media.house.runtime.coordinators["plex_entry"]

    await look()
    plex.fill(400, at_once=True)
    plex.reset_counts()
    await plex_coordinator.async_refresh()
    await media.house.until(lambda: media.stage() == "available", what="the film in the index")

    assert media.told()["Amber Ferry", "hd"] == ["sent", "downloading", "downloaded", "available"]
    assert await media.house.storage.library("plex_entry").count() == 401
    assert len([call for call in plex.calls if "recentlyAdded" in call.path]) <= 6
    await media.settle()
    plex.reset_counts()
    await plex_coordinator.async_refresh()
    await media.settle()
    assert len(plex.calls) <= 2


# --- what takes longer ------------------------------------------------------------------------


async def test_who_looked_in_vain_is_named(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex", "jellyfin"])
    stack = media.stack
    for name in ("plex", "jellyfin"):
        lose_scans(stack.services[name])
    await media.film()
    (arrival,) = media.house.runtime.board.arrivals()
    assert media.house.runtime.finder.not_found(arrival) == ()

    media.clock.tick(finder.GIVE_UP_AFTER + 1)
    await media.found()

    (arrival,) = media.house.runtime.board.arrivals()
    assert arrival.stage is Stage.DOWNLOADED
    assert set(media.house.runtime.finder.not_found(arrival)) == {
        finder.NotFound(service="plex_entry", library="Films"),
        finder.NotFound(service="jellyfin_entry", library="Films"),
    }


def lose_scans(double: Any) -> Callable[[], Any]:
    """Have a media server find nothing; return what makes it look."""
    look: Callable[[], Any] = double.scan

    async def scan(*_args: Any, **_options: Any) -> None:
        return

    double.scan = scan
    return look


async def test_a_server_that_was_down_is_asked_to_look_when_it_is_back(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])
    plex = media.stack.plex
    await plex.go_down()
    await media.film()
    assert plex.scans == []

    await plex.go_up()
    await media.house.until(lambda: plex.scans, what="a scan")
    media.clock.tick(10)
    media.house.runtime.coordinators["plex_entry"].async_wake()
    await media.found()

    assert media.stage() == "available"
    assert len(plex.scans) == 1


async def test_a_reload_of_the_board_goes_on_looking(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])
    runtime = media.house.runtime
    look = lose_scans(media.stack.plex)
    await media.film()
    await runtime.finder.async_stop()
    await look()
    assert media.stage() == "downloaded"

    runtime.finder.async_resume()
    await media.found()

    assert media.stage() == "available"


# --- a media server comes to a board that runs ----------------------------------------------------


@pytest.mark.parametrize("name", ["plex", "jellyfin", "emby"])
async def test_a_new_media_server_tells_nothing(media: MediaFamily, name: str) -> None:
    await media.move_in(["radarr", "seerr"])
    await media.film()
    await media.film("Copper Festival")
    stack = media.stack
    await stack.services[name].scan()  # type: ignore[attr-defined]
    stack.services[name].fill(1200)  # type: ignore[attr-defined]
    await media.settle()
    told = len(media.events)

    entry = await media.join(name)

    await media.house.until(
        lambda: set(media.stages().values()) == {"available"}, what="both films there"
    )
    assert len(media.events) == told
    record = media.house.record(entry)
    if name != "emby":
        assert record.indexed == record.to_index >= 1202


@pytest.mark.parametrize("name", ["plex", "jellyfin", "emby"])
async def test_what_a_new_media_server_has_is_known_silently(media: MediaFamily, name: str) -> None:
    other = "emby" if name == "plex" else "plex"
    await media.move_in(["radarr", other])
    lose_scans(media.stack.services[other])
    await media.film()
    media.clock.tick(finder.GIVE_UP_AFTER + 1)
    await media.found()
    assert media.stage() == "downloaded"
    told = len(media.events)
    await media.stack.services[name].scan()  # type: ignore[attr-defined]

    await media.join(name)

    await media.house.until(lambda: media.stage() == "available", what="the film")
    assert len(media.events) == told


# --- who watched ----------------------------------------------------------------------------------


async def test_a_viewing_is_told_once(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex", "tautulli"])
    film = await media.film()
    await media.found()
    watched = async_capture_events(media.house.hass, EVENT_WATCHED)
    plex = media.stack.plex

    await plex.watch(plex.find(tmdb=film.tmdb_id))
    await media.settle()
    await media.poll()

    assert len(watched) == 1


# --- losses ---------------------------------------------------------------------------------------


async def lose(media: MediaFamily, *films: Film) -> None:
    """Have films vanish from Plex, where Radarr still has them."""
    for film in films:
        for path, file in list(media.stack.shelf.files.items()):
            if file.tmdb_id == film.tmdb_id:
                media.stack.shelf.remove(path)
    await media.stack.plex.scan()
    await media.sync("plex")


async def test_a_loss_counts_at_the_second_look(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])
    film = await media.film()
    await media.found()

    await lose(media, film)
    assert media.stage() == "available"
    media.clock.tick(29 * 60)
    await media.poll()
    assert media.stage() == "available"
    media.clock.tick(2 * 60)
    await media.poll()

    assert media.stage() == "downloaded"


async def test_what_comes_back_is_no_loss(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])
    film = await media.film()
    await media.found()
    files = dict(media.stack.shelf.files)
    await lose(media, film)

    for file in files.values():
        media.stack.shelf.put(file)
    await media.stack.plex.scan()
    await media.settle()
    media.clock.tick(31 * 60)
    await media.poll()

    assert media.stage() == "available"
    assert media.told()["Amber Ferry", "hd"].count("available") == 1


async def test_many_losses_at_once_wait_for_a_person(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])
    films = [await media.film(f"Film {number}") for number in range(10)]
    await media.found()
    issues = ir.async_get(media.house.hass)

    await lose(media, *films)
    await media.poll()
    assert issues.async_get_issue(DOMAIN, "vanished_plex_entry") is not None
    media.clock.tick(31 * 60)
    await media.poll()
    await media.poll()
    assert set(media.stages().values()) == {"available"}

    flow: Any = await async_create_fix_flow(
        media.house.hass, "vanished_plex_entry", {"entry_id": "plex_entry", "vanished": True}
    )
    flow.hass = media.house.hass
    await flow.async_step_init()
    await flow.async_step_confirm({})
    await media.settle()

    assert set(media.stages().values()) == {"downloaded"}
    await media.poll()
    assert issues.async_get_issue(DOMAIN, "vanished_plex_entry") is None


async def test_a_series_of_many_seasons_is_one_loss(media: MediaFamily) -> None:
    await media.move_in(["sonarr", "plex"])
    stack = media.stack
    show = stack.catalogue.show("Tide House", 2000, seasons=dict.fromkeys(range(1, 13), 1))
    series = await stack.sonarr.add_series(show)
    await media.settle()
    for season in range(1, 13):
        download = await stack.sonarr.grab(series.season(season))
        await media.settle()
        media.clock.tick(2)
        await stack.sonarr.import_files(download)
        await media.settle()
    await media.found()
    runtime = media.house.runtime
    assert {one.stage for one in runtime.board.arrivals()} == {Stage.AVAILABLE}

    for path in list(stack.shelf.files):
        stack.shelf.remove(path)
    await stack.plex.scan()
    await media.sync("plex")

    assert not runtime.absences.suspect("plex_entry")


async def test_a_foreign_server_changes_nothing(media: MediaFamily) -> None:
    await media.move_in(["radarr", "plex"])
    film = await media.film()
    await media.found()
    watched = async_capture_events(media.house.hass, EVENT_WATCHED)
    plex = media.stack.plex
    payload = plex.payload("media.scrobble", 1, plex.find(tmdb=film.tmdb_id))
    payload["Server"]["uuid"] = "0" * 40
    record = media.house.record(media.entries["plex"])
    ignored, calls = record.ignored, len(plex.calls)

    await plex.send(payload)
    await media.settle()

    assert (record.ignored, len(plex.calls)) == (ignored + 1, calls)
    assert watched == []


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby"])
async def test_a_series_that_has_gone_completely_is_lost(
    media: MediaFamily, *, kind: str, told: bool
) -> None:
    await media.move_in(["sonarr", kind])
    stack = media.stack
    double: Any = stack.services[kind]
    show = stack.catalogue.show("Tide House", 2000, seasons={1: 3, 2: 2})
    series = await stack.sonarr.add_series(show)
    await media.settle()
    for season in (1, 2):
        download = await stack.sonarr.grab(series.season(season))
        await media.settle()
        media.clock.tick(2)
        await stack.sonarr.import_files(download)
        await media.settle()
    await media.found()
    assert {one.stage for one in media.house.runtime.board.arrivals()} == {Stage.AVAILABLE}

    if not told:
        double.sender.faults.lose_if = lambda _: True
    for path in list(stack.shelf.files):
        stack.shelf.remove(path)
    await double.scan()
    await stack.settle()
    await media.sync(kind)
    assert {one.stage for one in media.house.runtime.board.arrivals()} == {Stage.AVAILABLE}
    media.clock.tick(31 * 60)
    await media.poll()
    await media.settle()

    arrivals = media.house.runtime.board.arrivals()
    assert {one.season: one.stage for one in arrivals} == {
        1: Stage.DOWNLOADED,
        2: Stage.DOWNLOADED,
    }


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby"])
async def test_a_season_that_has_gone_while_others_stay_is_lost(
    media: MediaFamily, kind: str
) -> None:
    await media.move_in(["sonarr", kind])
    stack = media.stack
    double: Any = stack.services[kind]
    show = stack.catalogue.show("Tide House", 2000, seasons={1: 3, 2: 2})
    series = await stack.sonarr.add_series(show)
    await media.settle()
    for season in (1, 2):
        download = await stack.sonarr.grab(series.season(season))
        await media.settle()
        media.clock.tick(2)
        await stack.sonarr.import_files(download)
        await media.settle()
    await media.found()
    board = media.house.runtime.board
    assert {one.stage for one in board.arrivals()} == {Stage.AVAILABLE}

    double.sender.faults.lose_if = lambda _: True
    for path, file in list(stack.shelf.files.items()):
        if file.season == 2:
            stack.shelf.remove(path)
    await double.scan()
    await media.sync(kind)
    assert {one.stage for one in board.arrivals()} == {Stage.AVAILABLE}
    media.clock.tick(31 * 60)
    await media.poll()
    await media.settle()

    assert {one.season: one.stage for one in board.arrivals()} == {
        1: Stage.AVAILABLE,
        2: Stage.DOWNLOADED,
    }
