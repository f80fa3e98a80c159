"""Services fail in every way that services fail: who else suffers, what is said, what is lost."""

import time
from datetime import timedelta

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.media_arrivals import finder
from tests.stories.robustness.home import (
    ENDS,
    KINDS,
    MEDIA_SERVERS,
    TOLD,
    TROUBLES,
    UNTOLD,
    RobustHome,
    Trouble,
)

TABLE = [
    pytest.param(kind, trouble, id=f"{kind}-{trouble.name}")
    for trouble in TROUBLES
    for kind in trouble.kinds
]


@pytest.mark.parametrize(("kind", "trouble"), TABLE)
async def test_a_service_goes_and_comes_back(home: RobustHome, trouble: Trouble) -> None:
    if trouble.before is not None:
        await trouble.before(home)
    await home.move_in()
    cursor = home.cursor()
    says = trouble.said_of(home.kind)

    await trouble.begin(home)
    await home.poll()
    await home.story()
    await home.poll()
    await home.poll(home.neighbour)
    await home.neighbours_story()

    status = await home.shown_status()
    lines = int(status != "ok")
    assert status == says if says is not None else status in {"ok", "timed_out"}
    assert len(home.lines()) == lines, home.lines()
    if status != "ok":
        assert (home.cursor(), await home.stored_cursor()) == (cursor, cursor)
    record = home.media.house.runtime.records[f"{home.neighbour}_entry"]
    assert (record.last_status, record.failed) == ("ok", 0)

    await trouble.end(home)
    await home.poll()
    await home.answered()

    assert await home.shown_status() == "ok"
    assert len(home.lines()) == 2 * lines, home.lines()
    assert home.reauthentications() == 0
    assert await home.unprocessed() == []
    assert home.record.version == home.double.version.removeprefix("v")
    stages = home.media.stages()
    end = ENDS.get(home.kind, "available")
    assert {stages[TOLD, "hd"], stages[UNTOLD, "hd"]} == {end}
    for told in home.media.told().values():
        assert len(told) == len(set(told))


# --- a key that is refused ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_that_is_refused_for_long_is_asked_for_once(home: RobustHome) -> None:
    await home.move_in()
    home.double.misbehave("401")
    for _ in range(5):
        await home.poll()
    assert home.reauthentications() == 0

    home.media.clock.tick(301)
    for _ in range(3):
        await home.poll()

    assert home.reauthentications() == 1
    assert len(home.lines()) == 1, home.lines()
    home.double.behave()
    await home.poll()
    assert await home.shown_status() == "ok"


@pytest.mark.parametrize("kind", KINDS)
async def test_refusals_that_others_interrupt_do_not_add_up(home: RobustHome) -> None:
    await home.move_in()
    for _ in range(4):
        home.double.misbehave("401")
        await home.poll()
        home.double.behave()
        home.media.clock.tick(200)
        await home.poll()

    assert home.reauthentications() == 0


# --- a service that is down when Home Assistant starts ------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_that_is_down_at_its_first_start_comes_later(home: RobustHome) -> None:
    media, hass = home.media, home.media.house.hass
    await home.double.go_down()
    media.house.add_board()
    neighbour, entry = media.add(home.neighbour), media.add(home.kind)
    await media.house.start()
    await media.joined(home.neighbour)

    assert (entry.state, neighbour.state) == (
        ConfigEntryState.SETUP_RETRY,
        ConfigEntryState.LOADED,
    )
    assert entry.error_reason_translation_key == "connection_refused"
    await home.neighbours_story()
    assert [line for line in home.lines() if home.kind in line] == []

    await home.double.go_up()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=10))
    await media.joined(home.kind)

    assert [entry.state] == [ConfigEntryState.LOADED]
    assert await home.shown_status() == "ok"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_known_service_that_is_down_at_a_start_is_shown(home: RobustHome) -> None:
    await home.move_in()
    hass, entry = home.media.house.hass, home.media.entries[home.kind]
    await home.double.go_down()
    await hass.config_entries.async_reload(entry.entry_id)

    assert entry.state is ConfigEntryState.LOADED
    assert await home.shown_status() == "connection_refused"
    await home.story()
    await home.neighbours_story()
    assert len(home.lines()) == 1, home.lines()

    await home.double.go_up()
    await home.poll()
    await home.answered()

    assert len(home.lines()) == 2, home.lines()
    assert await home.unprocessed() == []
    stages = home.media.stages()
    end = ENDS.get(home.kind, "available")
    assert {stages[TOLD, "hd"], stages[UNTOLD, "hd"]} == {end}


# --- a service that is away for long --------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_left_open_is_asked_for_after_a_long_time(home: RobustHome) -> None:
    await home.move_in()
    home.double.misbehave("500")
    await home.poll()
    await home.story()
    for _ in range(8):
        home.media.clock.tick(600)
        for one in home.media.house.runtime.coordinators.values():
            one.async_wake()
        await home.media.house.settle()

    home.double.behave()
    await home.poll()
    back = time.time()
    await home.answered()

    # However long the pauses between two attempts were by then.
    assert time.time() - back < 120
    assert await home.unprocessed() == []
    stages = home.media.stages()
    end = ENDS.get(home.kind, "available")
    assert {stages[TOLD, "hd"], stages[UNTOLD, "hd"]} == {end}


@pytest.mark.parametrize("kind", MEDIA_SERVERS)
async def test_a_media_server_that_was_away_for_long_is_told_where_to_look(
    home: RobustHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "PAUSES", (0.01,))
    await home.media.move_in(["radarr", home.kind])
    await home.double.go_down()
    await home.poll()
    film = home.media.stack.catalogue.film(TOLD)
    radarr = home.media.stack.radarr
    await radarr.import_file(await radarr.grab(await radarr.add_movie(film)))
    await home.media.house.until(
        lambda: home.media.stages().get((TOLD, "hd")) == "downloaded", what="the import"
    )
    searches = home.media.house.runtime.finder._searches  # noqa: SLF001
    monkeypatch.setattr(finder, "ANSWER_SECONDS", 0.01)
    home.media.clock.tick(finder.GIVE_UP_AFTER + 60)
    await home.media.house.until(lambda: not searches, what="the end of the search")
    (arrival,) = home.media.house.runtime.board.arrivals()
    assert home.media.house.runtime.finder.not_found(arrival)
    # It does not look by itself: it must be told.
    monkeypatch.setattr(home.double, "scan", home.look)

    await home.double.go_up()
    await home.poll()
    await home.answered()
    await home.media.found()

    assert home.media.stages()[TOLD, "hd"] == "available"
    assert home.media.house.runtime.finder.not_found(arrival) == ()


# --- a large library ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MEDIA_SERVERS)
async def test_a_library_of_thirty_thousand_films_harms_nothing(home: RobustHome) -> None:
    many = 30_000
    home.double.fill(many)
    # It fails now and then while it is read.
    home.double.misbehave("500", path="/library/sections/1/all|^/Items$", times=2)

    await home.move_in()

    if home.kind != "emby":
        assert home.record.indexed == home.record.to_index >= many
    told = len(home.media.events)
    calls = len(home.double.calls)
    await home.poll()
    # Whether the webhook is looked at, too, is chance.
    assert sum(call.bytes for call in home.double.calls[calls:]) < 40_000
    assert len(home.media.events) == told
    await home.story()
    await home.poll()
    await home.answered()
    assert await home.unprocessed() == []
    assert set(home.media.stages().values()) == {"available"}
