"""The logbook says in words what was done, and what failed of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from homeassistant.components.logbook.models import (
    LazyEventPartialState,
    LogbookConfig,
    async_event_to_row,
)
from homeassistant.components.logbook.processor import EventProcessor
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.event_type import EventType
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events

from custom_components.media_arrivals.const import (
    DOMAIN,
    EVENT_ACTION,
    EVENT_STAGE_CHANGED,
    EVENT_STUCK,
    EVENT_WATCHED,
)
from custom_components.media_arrivals.engine.board.models import ExternalIds, Stage
from custom_components.media_arrivals.engine.connectors.base import Poll, TimedOutError
from custom_components.media_arrivals.logbook import STAGE_ICONS, STAGES, async_describe_events
from tests.engine.board.household import (
    ANNA,
    BEN,
    FILM,
    SHOW,
    SONARR,
    episodes,
    held,
    request,
    watched,
)
from tests.entity_helpers import Home, set_up_home
from tests.persons import map_person

NAMELESS = replace(FILM, ids=ExternalIds(tmdb=9003), own_id=9, name=None)

type Describer = Callable[[Any], dict[str, Any]]


@pytest.fixture
def described(hass: HomeAssistant) -> Callable[[], list[str]]:
    """Return what the logbook says of what was done so far."""
    done: list[Event[Any]] = async_capture_events(hass, EVENT_ACTION)
    describers: dict[tuple[str, str], Describer] = {}

    def describe(domain: str, event: str, describer: Describer) -> None:
        describers[domain, event] = describer

    async_describe_events(hass, describe)

    def messages() -> list[str]:
        describer = describers[DOMAIN, EVENT_ACTION]
        lines = [describer(LazyEventPartialState(async_event_to_row(event), {})) for event in done]
        assert [line["context_id"] for line in lines] == [event.context.id for event in done]
        assert {line["name"] for line in lines} == {"Media Arrivals"}
        return [line["message"] for line in lines]

    return messages


async def act(hass: HomeAssistant, action: str, **data: object) -> None:
    """Call an action."""
    await hass.services.async_call(DOMAIN, action, data, blocking=True)
    await hass.async_block_till_done()


async def test_a_sync_says_what_it_found(
    hass: HomeAssistant, described: Callable[[], list[str]]
) -> None:
    home = await set_up_home(hass)
    await act(hass, "sync", service="radarr")
    home.clients["seerr"].answer_poll = Poll(reports=(request(FILM, 1),))
    await act(hass, "sync")
    home.clients["seerr"].answer_poll = Poll(reports=(request(SHOW, 2, number=2, seasons=(1, 2)),))
    await act(hass, "sync", service="seerr")
    assert described() == [
        "checked Radarr: nothing new",
        "checked Radarr, Sonarr, Seerr: 1 change",
        "checked Seerr: 2 changes",
    ]


async def test_a_sync_says_what_failed(
    hass: HomeAssistant, described: Callable[[], list[str]]
) -> None:
    home = await set_up_home(hass)
    home.clients["radarr"].error = TimedOutError()
    with pytest.raises(HomeAssistantError):
        await act(hass, "sync")
    with pytest.raises(HomeAssistantError):
        await act(hass, "sync", service="radarr")
    assert described() == [
        "checked Sonarr, Seerr: nothing new; could not check Radarr (timed out)",
        "could not check Radarr (timed out)",
    ]


async def test_without_a_service_there_is_nothing_to_look_at(
    hass: HomeAssistant, described: Callable[[], list[str]]
) -> None:
    home = await set_up_home(hass, "radarr")
    await hass.config_entries.async_remove("radarr")
    await act(hass, "sync")
    assert described() == ["had no service to check"]
    assert home.entries.keys() == {"radarr"}


async def test_dismissing_says_what_was_dismissed(
    hass: HomeAssistant, described: Callable[[], list[str]]
) -> None:
    home = await set_up_home(hass)
    await home.hear(
        request(FILM, 1), request(SHOW, 1, number=2, seasons=(0,)), request(NAMELESS, 2, number=3)
    )
    for arrival in list(home.runtime.board.arrivals()):
        await act(hass, "dismiss_arrival", arrival_id=arrival.id)
    assert described() == [
        "dismissed The Glass Harbour",
        "dismissed Lanterns, season 0",
        "dismissed an arrival",
    ]


async def test_forgetting_says_of_how_much_and_not_whom(
    hass: HomeAssistant, described: Callable[[], list[str]]
) -> None:
    home = await set_up_home(hass, "seerr", "plex")
    map_person(hass, home.board_entry, "Anna", {"plex": "11"})
    map_person(hass, home.board_entry, "Ben", {"plex": "22"})
    await home.hear(
        request(FILM, 1), request(FILM, 1, number=2), watched(FILM, 2), watched(FILM, 2, BEN)
    )
    await act(hass, "forget_person", viewer=BEN)
    await act(hass, "forget_person", viewer=ANNA, name="Mia")
    await act(hass, "forget_person", viewer=ANNA)
    assert described() == [
        "forgot a person in 1 arrival",
        "forgot a person in 1 arrival and 2 requests",
        "knew nothing to forget",
    ]


async def test_a_webhook_that_cannot_be_proven_says_why(
    hass: HomeAssistant, described: Callable[[], list[str]]
) -> None:
    await set_up_home(hass, all_entities=True)
    with pytest.raises(HomeAssistantError) as failed:
        await hass.services.async_call(
            "button", "press", {"entity_id": "button.radarr_test_webhook"}, blocking=True
        )
    assert described() == [f"could not test the webhook of Radarr: {failed.value}"]


@pytest.mark.parametrize(
    ("action", "data", "line"),
    [
        ("approve_request", {"title": "Dune", "season": None}, "approved Dune (Seerr)"),
        ("decline_request", {"title": "Dune", "season": 2}, "declined Dune, season 2 (Seerr)"),
        ("delete_request", {"title": None}, "deleted the request for a title (Seerr)"),
        (
            "send_to_service",
            {"title": None, "error": "timed_out"},
            "could not send a title (Seerr: timed out)",
        ),
        ("scan_library", {"title": "Dune", "season": None}, "had Seerr scan for Dune"),
        ("scan_library", {"title": None}, "had Seerr scan all its libraries"),
        (
            "scan_library",
            {"title": None, "error": "timed_out"},
            "could not have Seerr scan (timed out)",
        ),
    ],
)
async def test_what_a_service_was_made_to_do_is_said(
    hass: HomeAssistant,
    described: Callable[[], list[str]],
    action: str,
    data: dict[str, Any],
    line: str,
) -> None:
    hass.bus.async_fire(EVENT_ACTION, {"action": action, "service": "Seerr", **data})
    await hass.async_block_till_done()
    assert described() == [line]


async def activity(hass: HomeAssistant, events: Sequence[Event[Any]]) -> list[dict[str, Any]]:
    """Return what the activity shows of events, by Home Assistant's own code."""
    described: dict[EventType[Any] | str, tuple[str, Describer]] = {}

    def describe(domain: str, event: str, describer: Describer) -> None:
        described[event] = (domain, describer)

    async_describe_events(hass, describe)
    hass.data["logbook"] = LogbookConfig(described, None, None)
    processor = EventProcessor(hass, tuple(described), for_live_stream=True)
    return processor.humanify(async_event_to_row(event) for event in events)


async def test_each_stage_is_told_with_its_title(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    events: list[Event[Any]] = []

    @callback
    def happened(event: Event[Any]) -> None:
        events.append(event)

    for event_type in (EVENT_STAGE_CHANGED, EVENT_STATE_CHANGED):
        hass.bus.async_listen(event_type, happened)
    await home.hear(request(FILM, 1), request(SHOW, 1, number=2, seasons=(2,)))
    await home.hear(request(NAMELESS, 2, number=3))

    told = [event for event in events if event.event_type == EVENT_STAGE_CHANGED]
    lines = await activity(hass, told)
    assert [(line["name"], line["message"]) for line in lines] == [
        ("The Glass Harbour", "was requested"),
        ("Lanterns, season 2", "was requested"),
        ("An arrival", "was requested"),
    ]
    assert {line["domain"] for line in lines} == {DOMAIN}
    # The event entity's own lines have the title as their cause.
    lines = [
        line
        for line in await activity(hass, events)
        if line.get("entity_id") == "event.media_arrivals_arrivals"
    ]
    assert [(line["attributes"]["event_type"], line["context_name"]) for line in lines] == [
        ("requested", "The Glass Harbour"),
        ("requested", "Lanterns, season 2"),
        ("requested", "An arrival"),
    ]


async def test_that_something_was_watched_is_told_with_its_title(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "seerr", "sonarr", "plex")
    await home.hear(
        request(FILM, 1),
        request(SHOW, 1, number=2, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 3),
    )
    events: list[Event[Any]] = []

    @callback
    def happened(event: Event[Any]) -> None:
        events.append(event)

    for event_type in (EVENT_WATCHED, EVENT_STATE_CHANGED):
        hass.bus.async_listen(event_type, happened)
    await home.hear(watched(FILM, 3), watched(FILM, 4, yes=False), watched(SHOW, 5, ANNA, 2))

    lines = await activity(hass, events)
    assert [(line["name"], line["message"]) for line in lines if "message" in line] == [
        ("The Glass Harbour", "was watched"),
        ("The Glass Harbour", "was marked unwatched"),
        ("Lanterns, season 1, episode 2", "was watched"),
    ]
    assert [line["icon"] for line in lines if "message" in line] == [
        "mdi:eye-check-outline",
        "mdi:eye-remove-outline",
        "mdi:eye-check-outline",
    ]
    entity = [line for line in lines if line.get("entity_id") == "event.media_arrivals_arrivals"]
    assert [(line["attributes"]["event_type"], line["context_name"]) for line in entity] == [
        ("watched", "The Glass Harbour"),
        ("unwatched", "The Glass Harbour"),
        ("watched", "Lanterns, season 1, episode 2"),
    ]
    assert ANNA not in str(lines)


async def test_what_got_stuck_is_told_with_its_reason(hass: HomeAssistant) -> None:
    data = {"title": "Lanterns", "season": 2, "text": "No luck.", "reason": "not_imported"}
    events = [
        Event[Any](EVENT_STUCK, told, context=Context()) for told in (data, {**data, "text": None})
    ]
    lines = await activity(hass, events)
    assert [(line["name"], line["message"]) for line in lines] == [
        ("Lanterns, season 2", "got stuck: No luck."),
        ("Lanterns, season 2", "got stuck: not imported"),
    ]
    assert {line["icon"] for line in lines} == {"mdi:timer-sand-complete"}


def test_every_stage_has_words_and_an_icon() -> None:
    assert set(STAGES) == set(STAGE_ICONS) == set(Stage)


async def test_an_episode_is_told_by_its_number(hass: HomeAssistant) -> None:
    data = {"title": "Lanterns", "season": 2, "episode": {"number": 4}, "stage": "available"}
    event = Event[Any](EVENT_STAGE_CHANGED, data, context=Context())
    (line,) = await activity(hass, [event])
    assert (line["name"], line["message"]) == ("Lanterns, season 2, episode 4", "is available")


async def test_who_did_it_is_told(hass: HomeAssistant, hass_admin_user: MockUser) -> None:
    """The logbook follows the context to the user, as it does for its own events."""
    home: Home = await set_up_home(hass)
    done = async_capture_events(hass, EVENT_ACTION)
    context = Context(user_id=hass_admin_user.id)
    await hass.services.async_call(DOMAIN, "sync", {}, blocking=True, context=context)
    (event,) = done
    assert event.context is context
    assert home.runtime.records["radarr"].sync_count == 1
