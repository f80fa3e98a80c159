"""What the blueprints make of a household's day. Only the phones are not real."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.media_arrivals.engine.board.models import Decision, Role, Service
from tests.automation_helpers import hear
from tests.blueprint_helpers import Phone, use
from tests.engine.board.household import (
    FILM,
    RADARR,
    SHOW,
    SONARR,
    download,
    episode,
    episodes,
    file,
    held,
    playable,
    request,
)
from tests.entity_helpers import Home, set_up_home
from tests.persons import map_person

JELLYFIN = Service(id="jellyfin", kind="jellyfin", role=Role.PLAYBACK)
MINUTE = 60.0


class Household:
    """Mia and Ben, who have phones, and guests, whom nobody knows."""

    def __init__(self, home: Home, clock: FrozenDateTimeFactory) -> None:
        self.home = home
        self.hass = home.hass
        self.clock = clock
        self.phones = {name: Phone(home.hass, f"mobile_app_{name}") for name in ("mia", "ben")}
        for number, name in enumerate(self.phones, 1):
            map_person(
                home.hass,
                home.board_entry,
                name.title(),
                {"seerr": str(number)},
                notify=[f"notify.mobile_app_{name}"],
            )

    async def wait(self, seconds: float) -> None:
        """Let time pass, with all timers that are due on the way."""
        for _ in range(int(seconds // 30)):
            self.clock.tick(30)
            async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(seconds=1))
            await self.hass.async_block_till_done()

    async def asked(self, number: int = 1, *seasons: int, who: int = 1, **more: Any) -> None:
        """Have somebody ask for seasons, or for the film."""
        title = SHOW if seasons else FILM
        await hear(
            self.home,
            request(
                title,
                0,
                Decision.APPROVED,
                number=number,
                seasons=seasons or None,
                who=f"user {who}",
                **more,
            ),
        )

    async def pack(self, season: int, count: int) -> None:
        """Have Sonarr find a season, all of which has aired."""
        parts = tuple(episode(one, season) for one in range(1, count + 1))
        await hear(
            self.home,
            held(SONARR, SHOW, 1, seasons=(season,)),
            episodes(2, count, season=season),
            download(SONARR, SHOW, 3, parts=parts),
        )

    async def arrive(self, season: int, *numbers: int) -> None:
        """Have Sonarr import episodes, one by one, and Plex find each."""
        for number in numbers:
            await hear(
                self.home,
                file(SONARR, SHOW, 4, parts=(episode(number, season),)),
                playable(JELLYFIN, SHOW, 5, parts=(episode(number, season),)),
            )


@pytest.fixture
async def household(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> AsyncIterator[Household]:
    home = await set_up_home(hass, "radarr", "sonarr", "seerr", "jellyfin")
    yield Household(home, freezer)
    # An automation that waits for a time of day lets go of it.
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_a_pack_of_24_episodes_is_one_message(household: Household) -> None:
    await use(household.hass, "tell_available")
    await household.asked(1, 1)
    await household.pack(1, 24)
    await household.arrive(1, *range(1, 25))
    await household.wait(10 * MINUTE)

    (told,) = household.phones["mia"].got
    assert told["title"] == "Lanterns"
    (arrival,) = household.home.runtime.board.arrivals()
    tag = f"media_arrivals_{arrival.id}"
    assert told["data"] == {"group": "media_arrivals", "tag": tag}
    assert told["message"] == "Season 1: 24 of 24 episodes can be watched."
    assert household.phones["ben"].got == []


async def test_the_last_file_twenty_minutes_later_makes_no_second_message(
    household: Household,
) -> None:
    await use(household.hass, "tell_available")
    await household.asked(1, 1)
    await household.pack(1, 10)
    await household.arrive(1, *range(1, 10))
    await household.wait(20 * MINUTE)
    assert household.phones["mia"].got == []

    await household.arrive(1, 10)
    await household.wait(60 * MINUTE)

    assert household.phones["mia"].messages == ["Season 1: 10 of 10 episodes can be watched."]


async def test_seasons_that_come_together_are_one_message(household: Household) -> None:
    await use(household.hass, "tell_available", quiet={"minutes": 5})
    await household.asked(1, 1, 2)
    for season in (1, 2):
        await household.pack(season, 2)
        await household.arrive(season, 1, 2)
        await household.wait(4 * MINUTE)
    assert household.phones["mia"].got == []
    await household.wait(2 * MINUTE)
    assert household.phones["mia"].messages == ["Seasons 1, 2: 4 of 4 episodes can be watched."]


async def test_it_waits_no_longer_than_the_longest_wait(household: Household) -> None:
    await use(household.hass, "tell_available", quiet={"minutes": 5}, longest={"minutes": 8})
    seasons = (1, 2, 3)
    await household.asked(1, *seasons)
    for season in seasons:
        await household.pack(season, 1)
        await household.arrive(season, 1)
        await household.wait(4 * MINUTE)
    # The first two: eight minutes after the first, the third was not quite there.
    assert household.phones["mia"].messages == ["Seasons 1, 2: 2 of 2 episodes can be watched."]
    await household.wait(10 * MINUTE)
    assert household.phones["mia"].messages[1:] == ["Season 3: 1 of 1 episodes can be watched."]


async def test_one_message_when_all_that_was_asked_for_is_there(household: Household) -> None:
    await use(household.hass, "tell_available", each="request")
    await household.asked(1, 1, 2)
    for season in (1, 2):
        await household.pack(season, 2)
        await household.arrive(season, 1, 2)
        await household.wait(60 * MINUTE)
    assert household.phones["mia"].messages == ["Seasons 1, 2: 4 of 4 episodes can be watched."]


async def test_the_message_has_the_poster(household: Household) -> None:
    await use(household.hass, "tell_available")
    poster = "https://image.tmdb.org/t/p/original/glass.jpg"
    asked = request(FILM, 0, Decision.APPROVED, who="user 1")
    await hear(household.home, replace(asked, title=replace(FILM, poster=poster)))
    await hear(household.home, held(RADARR, FILM, 1), playable(JELLYFIN, FILM, 2))
    await household.wait(3 * MINUTE)
    (told,) = household.phones["mia"].got
    (arrival,) = household.home.runtime.board.arrivals()
    path = f"/api/media_arrivals/posters/{arrival.id}/"
    assert told["data"]["image"].startswith(path)


async def test_what_is_gone_again_is_not_told(household: Household) -> None:
    await use(household.hass, "tell_available")
    await household.asked(1)
    await hear(household.home, held(RADARR, FILM, 1), playable(JELLYFIN, FILM, 2))
    await hear(household.home, playable(JELLYFIN, FILM, 3, yes=False))
    await household.wait(10 * MINUTE)
    assert household.phones["mia"].got == []


async def test_who_asked_and_who_follows_is_told_and_nobody_else(household: Household) -> None:
    Phone(household.hass, "family")
    cat = Phone(household.hass, "mobile_app_cat")
    map_person(
        household.hass,
        household.home.board_entry,
        "Cat",
        {},
        notify=["notify.mobile_app_cat", "notify.mobile_app_sold"],
    )
    await use(household.hass, "tell_available", film_text="{{ story.title }} ist da.")
    await household.asked(1)
    (arrival,) = household.home.runtime.board.arrivals()
    await household.hass.services.async_call(
        "media_arrivals",
        "follow",
        {"arrival_id": arrival.id, "person": "person.cat"},
        blocking=True,
    )
    await hear(household.home, held(RADARR, FILM, 1), playable(JELLYFIN, FILM, 2))
    await household.wait(3 * MINUTE)
    for phone in (household.phones["mia"], cat):
        assert phone.messages == ["The Glass Harbour ist da."]
    assert household.phones["ben"].got == []


async def test_new_episodes_are_told_if_that_is_wanted(household: Household) -> None:
    await use(household.hass, "tell_available", new_episodes=True)
    await household.asked(1, 1)
    await household.pack(1, 2)
    await household.arrive(1, 1, 2)
    await household.wait(3 * MINUTE)
    later = episodes(6, 3, files=frozenset({1, 2}))
    aired = replace(later.parts[2], aired_at=time.time())
    await hear(household.home, replace(later, parts=(*later.parts[:2], aired)))
    await household.arrive(1, 3)
    await household.wait(3 * MINUTE)
    assert household.phones["mia"].messages == [
        "Season 1: 2 of 2 episodes can be watched.",
        "Season 1: new episode 3.",
    ]


async def test_a_notify_entity_is_told_the_same(household: Household) -> None:
    sent = async_mock_service(household.hass, "notify", "send_message")
    household.hass.states.async_set("notify.kitchen", "unknown")
    map_person(
        household.hass, household.home.board_entry, "Dad", {"seerr": "3"}, notify=["notify.kitchen"]
    )
    await use(household.hass, "tell_available")
    await household.asked(1, who=3)
    await hear(household.home, held(RADARR, FILM, 1), playable(JELLYFIN, FILM, 2))
    await household.wait(3 * MINUTE)
    (call,) = sent
    assert call.data == {
        "entity_id": ["notify.kitchen"],
        "title": "The Glass Harbour",
        "message": "You can watch it now.",
    }


async def test_what_arrived_and_what_comes_is_told_once_a_week(household: Household) -> None:
    hass, clock = household.hass, household.clock
    await hass.config.async_set_time_zone("UTC")
    agenda = async_mock_service(
        hass,
        "calendar",
        "get_events",
        response={"calendar.films": {"events": [{"start": "2026-12-01", "summary": "Moonrise"}]}},
        supports_response=SupportsResponse.ONLY,
    )
    await household.asked(1)
    await hear(household.home, held(RADARR, FILM, 1), playable(JELLYFIN, FILM, 2))
    await household.asked(2, 2)
    await household.pack(2, 4)
    friday = dt_util.utcnow().replace(hour=17, minute=59, second=50)
    friday += timedelta(days=(4 - friday.weekday()) % 7 or 7)
    clock.move_to(friday - timedelta(days=1))
    await use(hass, "weekly_digest", calendars=["calendar.films"])
    await household.wait(MINUTE)
    assert household.phones["mia"].got == []

    clock.move_to(friday)
    async_fire_time_changed(hass, friday)
    await hass.async_block_till_done()
    await household.wait(MINUTE)
    for phone in household.phones.values():
        (told,) = phone.got
        assert told["title"] == "This week"
        assert told["message"].splitlines() == [
            "You can watch:",
            "- The Glass Harbour",
            "",
            "On its way:",
            "- Lanterns, season 2",
            "",
            "Next week:",
            "- Moonrise",
        ]
    (asked,) = agenda
    assert asked.data["entity_id"] == ["calendar.films"]


async def test_a_week_without_anything_is_no_message(household: Household) -> None:
    await use(
        household.hass, "weekly_digest", weekday=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    )
    await household.hass.services.async_call(
        "automation", "trigger", {"entity_id": "automation.weekly_digest"}, blocking=True
    )
    await household.hass.async_block_till_done()
    assert household.phones["mia"].got == []
