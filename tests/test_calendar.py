"""The calendar: what comes out and airs, from the calendars of simulated services."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.calendar.const import DOMAIN as CALENDAR, SERVICE_GET_EVENTS
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_component import async_update_entity
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals import upcoming
from custom_components.media_arrivals.calendar import numbers
from custom_components.media_arrivals.engine.board.models import PartRef
from custom_components.media_arrivals.upcoming import KEPT, PAUSE
from simulator import Film, SonarrDouble
from simulator.arr import ArrDouble
from tests.house import House
from tests.payloads import radarr_grab

CALENDAR_ID = "calendar.media_arrivals_upcoming"
NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
MAY = "2026-05-01T00:00:00-07:00", "2026-06-01T00:00:00-07:00"
"""In the time zone of the tests' house, which is that of Los Angeles."""
FERRY = Film(
    tmdb_id=9101,
    title="The Paper Ferry",
    year=2026,
    in_cinemas=date(2026, 4, 2),
    released=date(2026, 5, 12),
    on_disc=date(2026, 5, 31),
)


@pytest.fixture(autouse=True)
def frozen(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


class Watch:
    """The time as the kept calendars see it."""

    def __init__(self) -> None:
        self.now = NOW.timestamp()

    def time(self) -> float:
        """Return the seconds of the epoch."""
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Let time pass for the kept calendars alone."""
    watch = Watch()
    monkeypatch.setattr(upcoming, "time", watch)
    return watch


@pytest.fixture
async def radarr(house: House) -> MockConfigEntry:
    """Have a Radarr in the house."""
    house.add_board()
    return house.add_service(house.stack.radarr)


async def events(hass: HomeAssistant, start: str = MAY[0], end: str = MAY[1]) -> list[Any]:
    """Ask for the events of a time as an automation does."""
    answer = await hass.services.async_call(
        CALENDAR,
        SERVICE_GET_EVENTS,
        {"entity_id": CALENDAR_ID, "start_date_time": start, "end_date_time": end},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    found: Any = answer[CALENDAR_ID]
    return list(found["events"])


def told(found: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return when events begin and what they are."""
    return [(event["start"], event["summary"]) for event in found]


def looks(double: ArrDouble) -> int:
    """Return how often a service's calendar was read."""
    return sum("calendar" in call.endpoint for call in double.calls)


def put_show(sonarr: SonarrDouble, *, count: int = 3, every: timedelta, **known: Any) -> Any:
    """Have a series of which a season airs in May."""
    show = sonarr.catalogue.show(
        "The Glass Mill",
        seasons={2: count},
        first_aired=datetime(2026, 5, 15, 3, tzinfo=UTC),
        every=every,
    )
    return sonarr.put_series(show, **known)


async def test_the_dates_of_a_film_are_days(house: House, radarr: MockConfigEntry) -> None:
    house.stack.radarr.put_movie(FERRY)
    await house.start()
    found = await events(house.hass)
    assert told(found) == [
        ("2026-05-12", "The Paper Ferry (digital release)"),
        ("2026-05-31", "The Paper Ferry (on disc)"),
    ]
    assert found[0]["end"] == "2026-05-13"
    april = await events(house.hass, "2026-04-01T00:00:00-07:00", "2026-04-30T00:00:00-07:00")
    assert told(april) == [("2026-04-02", "The Paper Ferry (in cinemas)")]


async def test_episodes_of_one_day_are_one_event_where_we_live(house: House) -> None:
    house.add_board()
    house.add_service(house.stack.sonarr)
    put_show(house.stack.sonarr, every=timedelta(minutes=50))
    await house.start()
    found = await events(house.hass)
    # Three in the morning in Greenwich is the evening before.
    assert told(found) == [("2026-05-14T20:00:00-07:00", "The Glass Mill S02E01-E03")]
    assert found[0]["end"] == "2026-05-14T22:27:00-07:00"
    assert [line[:4] for line in found[0]["description"].splitlines()] == ["E01 ", "E02 ", "E03 "]


async def test_a_weekly_season_is_an_event_a_week(house: House) -> None:
    house.add_board()
    house.add_service(house.stack.sonarr)
    put_show(house.stack.sonarr, every=timedelta(days=7))
    await house.start()
    assert [summary for _, summary in told(await events(house.hass))] == [
        "The Glass Mill S02E01",
        "The Glass Mill S02E02",
        "The Glass Mill S02E03",
    ]


async def test_what_nobody_waits_for_is_left_out(house: House) -> None:
    house.add_board()
    house.add_service(house.stack.radarr)
    house.add_service(house.stack.sonarr)
    house.stack.radarr.put_movie(FERRY).monitored = False
    series = put_show(house.stack.sonarr, every=timedelta(days=7))
    series.monitored = False
    await house.start()
    assert await events(house.hass) == []


async def test_what_is_asked_for_is_shown_with_its_stage(house: House) -> None:
    """Also if the service does not wait for it; and the stage is the board's newest."""
    house.add_board()
    radarr, seerr = house.stack.radarr, house.stack.seerr
    radarr_entry = house.add_service(radarr)
    entry = house.add_service(seerr)
    house.stack.catalogue.films[FERRY.tmdb_id] = FERRY
    await house.start()
    seerr.ask(FERRY)
    await house.until(lambda: radarr.movies, what="a film in Radarr")
    await house.poll(entry)
    next(iter(radarr.movies.values())).monitored = False
    found = await events(house.hass)
    assert told(found)[0] == ("2026-05-12", "The Paper Ferry (digital release)")
    assert found[0]["description"] == "Sent to service"
    await house.post(radarr_entry, radarr_grab(FERRY))
    await house.settle()
    found = await events(house.hass)
    assert found[0]["description"] == "Downloading"


async def test_two_radarrs_tell_a_film_once(house: House, radarr: MockConfigEntry) -> None:
    house.add_service(house.stack.radarr_4k, data={"tier": "4k"})
    house.stack.radarr.put_movie(FERRY)
    house.stack.radarr_4k.put_movie(FERRY)
    await house.start()
    assert len(await events(house.hass)) == 2


async def test_a_service_that_is_down_leaves_the_others(house: House, watch: Watch) -> None:
    house.add_board()
    house.add_service(house.stack.radarr)
    house.add_service(house.stack.sonarr)
    put_show(house.stack.sonarr, every=timedelta(days=7))
    house.stack.radarr.put_movie(FERRY)
    await house.start()
    assert len(await events(house.hass)) == 5
    radarr = house.stack.radarr
    radarr.misbehave("500")
    watch.now += KEPT + 1
    # What was read before is still the best word; the others are read anew.
    before = looks(house.stack.sonarr)
    assert len(await events(house.hass)) == 5
    assert looks(house.stack.sonarr) == before + 1
    june = "2026-08-01T00:00:00-07:00", "2026-08-20T00:00:00-07:00"
    tried = looks(radarr)
    assert await events(house.hass, *june) == []
    assert looks(radarr) == tried
    radarr.behave()
    watch.now += PAUSE + 1
    await events(house.hass)
    assert looks(radarr) == tried + 1


async def test_a_month_is_read_once_in_a_while(
    house: House, radarr: MockConfigEntry, watch: Watch
) -> None:
    house.stack.radarr.put_movie(FERRY)
    await house.start()
    await events(house.hass)
    before = looks(house.stack.radarr)
    for _ in range(5):
        await events(house.hass)
        await async_update_entity(house.hass, CALENDAR_ID)
    assert looks(house.stack.radarr) == before
    watch.now += KEPT + 1
    await events(house.hass)
    assert looks(house.stack.radarr) == before + 1


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("1900-01-01T00:00:00+00:00", "2199-12-31T00:00:00+00:00", 2),
        ("0001-01-02T00:00:00+00:00", "9999-12-30T00:00:00+00:00", 2),
        ("2026-01-01T00:00:00+00:00", "2026-12-31T00:00:00+00:00", 3),
        ("9998-01-01T00:00:00+00:00", "9999-12-30T00:00:00+00:00", 0),
        ("0001-01-02T00:00:00+00:00", "0001-02-02T00:00:00+00:00", 0),
    ],
)
async def test_a_huge_range_is_bounded(
    house: House, radarr: MockConfigEntry, start: str, end: str, count: int
) -> None:
    house.stack.radarr.put_movie(FERRY)
    await house.start()
    before = looks(house.stack.radarr)
    assert len(await events(house.hass, start, end)) == count
    assert looks(house.stack.radarr) <= before + 1


async def test_the_next_event_is_known_without_anybody_looking(
    house: House, radarr: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    house.stack.radarr.put_movie(FERRY)
    await house.start()

    def shown() -> Any:
        return house.hass.states.get(CALENDAR_ID)

    await house.until(lambda: "message" in shown().attributes, what="a next event")
    state = shown()
    assert state.state == STATE_OFF
    assert state.attributes["message"] == "The Paper Ferry (digital release)"
    assert state.attributes["start_time"] == "2026-05-12 00:00:00"
    freezer.move_to(datetime(2026, 5, 12, 12, tzinfo=UTC))
    await async_update_entity(house.hass, CALENDAR_ID)
    assert shown().state == STATE_ON
    freezer.move_to(datetime(2026, 5, 13, 12, tzinfo=UTC))
    await async_update_entity(house.hass, CALENDAR_ID)
    assert shown().attributes["message"] == "The Paper Ferry (on disc)"


async def test_a_service_that_is_removed_takes_its_dates_along(
    house: House, radarr: MockConfigEntry
) -> None:
    house.add_service(house.stack.sonarr)
    house.stack.radarr.put_movie(FERRY)
    await house.start()
    assert len(await events(house.hass)) == 2
    assert await house.hass.config_entries.async_remove(radarr.entry_id)
    assert await events(house.hass) == []


async def test_a_service_that_comes_is_read_at_once(house: House) -> None:
    house.add_board()
    house.add_service(house.stack.sonarr)
    await house.start()
    house.stack.radarr.put_movie(FERRY)
    entry = house.add_service(house.stack.radarr)
    assert await house.hass.config_entries.async_setup(entry.entry_id)
    state = house.hass.states.get
    await house.until(lambda: "message" in state(CALENDAR_ID).attributes, what="a next event")  # type: ignore[union-attr]


def parts(*found: int | None) -> list[PartRef]:
    return [PartRef(season=1, number=number) for number in found]


@pytest.mark.parametrize(
    ("episodes", "text"),
    [
        ((), ""),
        ((None,), ""),
        ((7,), "E07"),
        ((2, 1), "E01-E02"),
        ((1, 3), "E01E03"),
        (tuple(range(1, 40, 2)), "E01E03E05E07E09E11E13E15E17E19E21E23…"),
    ],
)
def test_numbers_of_episodes(episodes: tuple[int | None, ...], text: str) -> None:
    assert numbers(parts(*episodes)) == text
