"""What is stuck, and why: whole stories with the simulated stack and real time between."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from freezegun.api import TickingDateTimeFactory

from custom_components.media_arrivals import coordinator, finder
from custom_components.media_arrivals.const import (
    DOMAIN,
)
from custom_components.media_arrivals.engine.board.models import HoldReason
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from simulator import Stack
from tests.automation_helpers import automate
from tests.house import House
from tests.stories.family import Family
from tests.stories.watched import Watched

HOUR = 3600.0
POLL_EVERY = 1500.0


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause last."""
    monkeypatch.setattr(finder, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(finder, "PAUSES", (0.01,))
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))


@pytest.fixture
def home(family: Family, house: House, clock: TickingDateTimeFactory) -> Watched:
    return Watched(house, clock)


async def test_a_stalled_download_is_told_once_and_freed(home: Watched) -> None:
    runs = await automate(
        home.house.hass, "triggers:\n  - trigger: media_arrivals.arrival_got_stuck"
    )
    await home.move_in(["radarr"])
    radarr = home.stack.radarr
    download = await radarr.grab(await radarr.add_movie(home.stack.catalogue.film("Amber Ferry")))
    radarr.progress(download, 0.3)
    await home.poll()

    await home.wait(20 * 60)
    assert home.turns == []
    assert (await home.arrival())["stuck"] is None
    download.status, download.error = "warning", "The download is stalled with no connections"
    await home.wait(15 * 60)

    assert home.turns == [("stalled", True)]
    assert home.counted() == "1"
    arrival = await home.arrival()
    stuck = arrival["stuck"]
    assert stuck["reason"] == "stalled"
    assert stuck["message"] == "The download is stalled with no connections"
    assert stuck["remedy"] == "look_at_service"
    assert stuck["text"] == "The download makes no progress."
    assert arrival["problem"] == stuck["message"]
    assert runs.titles == ["Amber Ferry"]
    assert runs.last["reason"] == "stalled"
    assert runs.last["text"] == stuck["text"]
    assert runs.last["arrival"]["stuck"]["since"] == stuck["since"]
    (event,) = home.stuck_events
    assert event.data["text"] == stuck["text"]

    await home.wait(HOUR)
    assert len(home.turns) == len(runs) == 1
    radarr.progress(download, 0.5)
    download.error = None
    await home.poll()
    await home.look()
    assert home.turns == [("stalled", True), ("stalled", False)]
    assert home.counted() == "0"
    assert len(home.stuck_events) == 1


async def test_a_blocked_import_has_the_words_of_radarr(home: Watched) -> None:
    await home.move_in(["radarr"])
    radarr = home.stack.radarr
    download = await radarr.grab(await radarr.add_movie(home.stack.catalogue.film("Amber Ferry")))
    await radarr.block_import(download, "Not an upgrade for existing movie file(s)")
    await home.settle()
    await home.poll()

    await home.wait(16 * 60)

    stuck = (await home.arrival())["stuck"]
    assert stuck["reason"] == "quality_not_met"
    assert stuck["message"] == "Not an upgrade for existing movie file(s)"
    assert stuck["remedy"] == "search_release"
    assert stuck["service_name"] == "radarr"
    await radarr.import_file(download)
    await home.settle()
    assert home.turns == [("quality_not_met", True), ("quality_not_met", False)]


async def test_while_radarr_is_down_no_time_counts(home: Watched) -> None:
    await home.move_in(["radarr"])
    radarr = home.stack.radarr
    download = await radarr.grab(await radarr.add_movie(home.stack.catalogue.film("Amber Ferry")))
    radarr.progress(download, 0.3)
    await home.poll()
    await home.wait(20 * 60)

    await radarr.go_down()
    await home.wait(24 * HOUR)
    assert home.turns == []
    await radarr.go_up()
    await home.poll()
    await home.look()
    assert home.turns == []
    await home.wait(5 * 60)
    assert home.turns == []
    # Twenty minutes before, and eleven after.
    await home.wait(6 * 60)
    assert home.turns == [("stalled", True)]

    await radarr.go_down()
    await home.wait(HOUR)
    assert home.counted() == "1"


async def test_what_plex_does_not_find_is_scanned_again(home: Watched) -> None:
    await home.move_in(["radarr", "plex"])
    plex = home.stack.plex

    async def scan_nothing(*_args: Any, **_options: Any) -> None:
        return

    plex.scan = scan_nothing  # type: ignore[method-assign]
    await home.film()
    home.clock.tick(31 * 60)
    await home.found()
    await home.poll()
    await home.wait(31 * 60)

    arrival = await home.arrival()
    assert arrival["stuck"]["reason"] == "not_found_by_media_server"
    assert arrival["stuck"]["remedy"] == "scan_library"
    assert "library Films" in arrival["problem"]


async def test_a_film_waits_for_its_release_and_is_then_looked_for(home: Watched) -> None:
    await home.move_in(["radarr"])
    radarr = home.stack.radarr
    film = home.stack.catalogue.film("Amber Ferry")
    movie = await radarr.add_movie(film)
    await home.settle()
    # The webhook says nothing of release dates: they are asked for.
    await home.look()
    await home.settle()
    premiere = next(iter(home.house.runtime.board.arrivals())).whole.claims[0].premiere
    assert premiere is not None
    assert premiere.monitored is movie.monitored

    await home.wait(5 * HOUR)
    assert home.turns == []
    await home.wait(2 * HOUR)
    assert home.turns == [("no_release_found", True)]


async def test_nothing_is_told_of_what_was_entered_silently_or_is_dismissed(
    home: Watched,
) -> None:
    radarr = home.stack.radarr
    film, other = (home.stack.catalogue.film(one) for one in ("Amber Ferry", "Paper Lighthouse"))
    radarr.progress(await radarr.grab(await radarr.add_movie(film)), 0.3)
    await home.move_in(["radarr"])
    radarr.progress(await radarr.grab(await radarr.add_movie(other)), 0.4)
    await home.settle()
    arrival = await home.arrival(other.title)
    await home.house.hass.services.async_call(
        DOMAIN, "dismiss_arrival", {"arrival_id": arrival["id"]}, blocking=True
    )
    await home.poll()

    await home.wait(HOUR)

    assert home.turns == []
    assert (await home.arrival(film.title))["stuck"]["reason"] == "stalled"
    assert (await home.arrival(other.title))["stuck"]["reason"] == "stalled"
    # It is shown; what was dismissed is not counted.
    assert home.counted() == "1"


async def test_two_radarrs_do_not_mix(home: Watched) -> None:
    await home.move_in(["radarr", "radarr_4k"])
    film = home.stack.catalogue.film("Amber Ferry")
    for double in (home.stack.radarr, home.stack.radarr_4k):
        quality = "WEBDL-1080p" if double is home.stack.radarr else "WEBDL-2160p"
        double.progress(await double.grab(await double.add_movie(film), quality=quality), 0.3)
        await home.settle()
    await home.poll()
    await home.stack.radarr_4k.go_down()
    await home.wait(HOUR)

    board = home.house.runtime.board
    holds = {one.tier.value: one.hold for one in board.arrivals()}
    assert holds["hd"] is not None
    assert holds["hd"].reason is HoldReason.STALLED
    assert holds["hd"].service == "radarr_entry"
    assert holds["4k"] is None
