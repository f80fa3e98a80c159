"""The event entity fires once per arrival and stage."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State
from homeassistant.helpers.json import json_bytes
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.media_arrivals.const import (
    CONF_REQUESTER_NAMES,
    CONF_WATCH_DATA,
    EVENT_STAGE_CHANGED,
    EVENT_WATCHED,
)
from custom_components.media_arrivals.engine.board.models import (
    Decision,
    ExternalIds,
    Via,
)
from tests.engine.board.household import (
    ANNA,
    BEN,
    FILM,
    RADARR,
    SEERR,
    SHOW,
    SONARR,
    download,
    episode,
    episodes,
    file,
    held,
    playable,
    request,
    watched,
)
from tests.entity_helpers import Home, board_entry, set_up_home
from tests.persons import map_person

ARRIVALS = "event.media_arrivals_arrivals"


class Fired:
    """What the event entity fired."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._events: list[Event[EventStateChangedData]] = async_capture_events(
            hass, EVENT_STATE_CHANGED
        )

    @property
    def states(self) -> list[State]:
        """Return the entity's states with an event."""
        return [
            state
            for event in self._events
            if event.data["entity_id"] == ARRIVALS
            and (state := event.data["new_state"]) is not None
            and state.attributes[ATTR_EVENT_TYPE] is not None
        ]

    @property
    def types(self) -> list[str]:
        """Return the types of the events."""
        return [state.attributes[ATTR_EVENT_TYPE] for state in self.states]

    @property
    def last(self) -> Mapping[str, Any]:
        """Return the last event's attributes."""
        return self.states[-1].attributes


async def film_story(home: Home) -> None:
    """Have a film travel all the way."""
    await home.hear(
        request(FILM, 0),
        request(FILM, 1, Decision.APPROVED),
        held(RADARR, FILM, 2),
        download(RADARR, FILM, 3),
        download(RADARR, FILM, 4, progress=0.5),
        file(RADARR, FILM, 5),
        playable(SEERR, FILM, 6),
    )


async def test_each_stage_of_a_film_is_told_once_and_the_request_too(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    assert home.state(ARRIVALS) == STATE_UNKNOWN
    fired = Fired(hass)
    bus = async_capture_events(hass, EVENT_STAGE_CHANGED)
    await film_story(home)
    await film_story(home)
    assert fired.types == [
        "requested",
        "approved",
        "sent",
        "downloading",
        "downloaded",
        "available",
        "request_available",
    ]
    assert [event.data["stage"] for event in bus] == fired.types[:-1]


async def test_an_event_says_what_an_automation_needs(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    fired = Fired(hass)
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(2,)),
        held(SONARR, SHOW, 1, seasons=(2,)),
    )
    told = fired.last
    expected = {
        "title": "Lanterns",
        "year": 2023,
        "type": "series",
        "ids": {"tmdb": 4002, "tvdb": 70_002},
        "season": 2,
        "parts": {"available": 0, "wanted": 0, "total": 0},
        "tier": "hd",
        "requester": None,
        "service": "Sonarr",
        "previous_stage": "approved",
        "origin": {"context_id": None, "user_id": None},
        "via": "webhook",
        "late": True,
    }
    assert {key: told[key] for key in expected} == expected
    assert home.runtime.board.get(told["arrival_id"]) is not None


async def test_two_events_in_one_turn_are_both_written(hass: HomeAssistant) -> None:
    """Two stages in one report: the entity keeps only the last, so each is written at once."""
    home = await set_up_home(hass)
    fired = Fired(hass)
    other = replace(FILM, ids=ExternalIds(tmdb=9002), own_id=8, name="Salt and Cedar")
    await home.runtime.apply([request(FILM, 0), request(other, 0, number=2)], service=SEERR.id)
    await hass.async_block_till_done()
    assert [state.attributes["title"] for state in fired.states] == [FILM.name, other.name]
    times = [state.state for state in fired.states]
    assert len(set(times)) == 2


async def test_names_are_told_only_if_the_option_says_so(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, board=board_entry(**{CONF_REQUESTER_NAMES: True}))
    fired = Fired(hass)
    await home.hear(request(FILM, 0, who="Mia"))
    assert fired.last["requester"] == "Mia"
    hass.config_entries.async_update_entry(home.board_entry, options={CONF_REQUESTER_NAMES: False})
    await home.hear(request(FILM, 1, Decision.APPROVED, who="Mia"))
    assert fired.last["event_type"] == "approved"
    assert "Mia" not in str(fired.last)


async def test_what_is_silent_and_what_is_a_detail_is_not_told(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    fired = Fired(hass)
    await home.hear(request(FILM, 0, Decision.APPROVED), held(RADARR, FILM, 1), silent=True)
    await home.hear(download(RADARR, FILM, 3))
    await home.hear(download(RADARR, FILM, 4, progress=0.5))
    assert fired.types == ["downloading"]


async def test_a_new_episode_of_a_finished_season_has_its_own_events(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 2),
        file(SONARR, SHOW, 3, parts=(episode(1), episode(2))),
        playable(SEERR, SHOW, 4, seasons=(1,)),
    )
    fired = Fired(hass)
    later = episodes(5, 3, files=frozenset({1, 2}))
    later = replace(later, parts=(*later.parts[:2], replace(later.parts[2], aired_at=later.at)))
    await home.hear(later)
    await home.hear(download(SONARR, SHOW, 6, parts=(episode(3),), download_id="new"))
    await home.hear(file(SONARR, SHOW, 7, parts=(episode(3),)))
    assert fired.types == ["episode_downloading", "episode_available"]
    assert fired.last["episode"]["number"] == 3
    assert fired.last["season"] == 1


async def test_who_acted_is_in_the_context_and_does_not_colour_the_next_event(
    hass: HomeAssistant,
) -> None:
    home = await set_up_home(hass)
    fired = Fired(hass)
    approved = request(FILM, 1, Decision.APPROVED)
    by_anna = replace(
        approved,
        origin=replace(approved.origin, via=Via.ACTION, context_id="the-context", user_id="anna"),
    )
    await home.hear(request(FILM, 0), by_anna, held(RADARR, FILM, 2))
    assert fired.types == ["requested", "approved", "sent"]
    assert [state.context.user_id for state in fired.states] == [None, "anna", None]
    assert fired.states[1].context.id == "the-context"
    assert len({state.context.id for state in fired.states}) == 3


async def test_an_event_is_smaller_than_two_kilobytes(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, board=board_entry(**{CONF_REQUESTER_NAMES: True}))
    fired = Fired(hass)
    long = replace(FILM, name="Ä" * 1000, overview="Ö" * 5000)
    for number in range(30):
        await home.hear(request(long, number, number=number, who="Ü" * 300))
    assert fired.types == ["requested"]
    await home.hear(request(long, 40, Decision.APPROVED, number=3, who="Ü" * 300))
    attributes = {
        key: value
        for key, value in fired.last.items()
        if key not in {"event_types", "friendly_name"}
    }
    assert len(json_bytes(attributes)) < 2000


async def test_what_is_unloaded_fires_nothing(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    assert await hass.config_entries.async_unload(home.board_entry.entry_id)
    fired = Fired(hass)
    await home.hear(request(FILM, 0))
    assert fired.types == []


async def test_watching_is_told_and_nobody_named(hass: HomeAssistant) -> None:
    """Not even where the board shows who asked: states are kept, and read by everybody."""
    home = await set_up_home(
        hass, "seerr", "sonarr", "plex", board=board_entry(**{CONF_REQUESTER_NAMES: True})
    )
    await home.hear(
        request(FILM, 0),
        request(SHOW, 0, number=2, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 3),
    )
    map_person(hass, home.board_entry, "Anna", {"plex": "11"})
    map_person(hass, home.board_entry, "Ben", {"plex": "22"})
    fired = Fired(hass)
    stages = async_capture_events(hass, EVENT_STAGE_CHANGED)
    bus = async_capture_events(hass, EVENT_WATCHED)
    await home.hear(
        watched(FILM, 5),
        watched(FILM, 5),
        watched(FILM, 6, BEN),
        watched(FILM, 7, yes=False),
        watched(SHOW, 8, ANNA, 1, 2),
    )

    assert all(event.data["watched_by"] is None for event in bus)
    assert fired.types == ["watched", "watched", "unwatched", "watched"]
    assert [event.data["watched"] for event in bus] == [True, True, False, True]
    assert not stages
    assert fired.last["episode"]["number"] == 1
    told = json_bytes([*(state.attributes for state in fired.states), *(e.data for e in bus)])
    for viewer in (ANNA, BEN, "viewer", "plex:"):
        assert viewer.encode() not in told


async def test_watching_is_not_told_if_the_board_keeps_none(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "seerr", "plex", board=board_entry(**{CONF_WATCH_DATA: "off"}))
    await home.hear(request(FILM, 0))
    fired = Fired(hass)
    bus = async_capture_events(hass, EVENT_WATCHED)
    await home.hear(watched(FILM, 5))
    assert fired.types == []
    assert not bus
    (arrival,) = home.runtime.board.arrivals()
    assert arrival.whole.watches == ()
