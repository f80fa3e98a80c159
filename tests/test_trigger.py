"""Each trigger fires from YAML as the automation editor writes it, and tells what it knows."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import yaml
from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.trace.const import DATA_TRACE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers.dispatcher import DATA_DISPATCHER, async_dispatcher_send
from homeassistant.helpers.trigger import (
    async_get_all_descriptions,
    async_initialize_triggers,
    async_validate_trigger_config,
)
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.media_arrivals.const import (
    CONF_REQUESTER_NAMES,
    CONF_WATCH_DATA,
    DOMAIN,
    SIGNAL_CHANGE,
    SIGNAL_RECORD,
)
from custom_components.media_arrivals.engine.board.models import (
    Decision,
    DownloadState,
    ExternalIds,
    Role,
    Service,
    Tier,
    TitleRef,
    Via,
)
from custom_components.media_arrivals.engine.connectors.base import WebhookCause
from custom_components.media_arrivals.privacy import Requesters, Watching
from custom_components.media_arrivals.records import Span, WebhookHealth
from custom_components.media_arrivals.trigger import TRIGGERS, SignalTrigger
from tests.automation_helpers import Runs, automate, hear, refusal
from tests.engine.board.household import (
    ANNA,
    BEN,
    FILM,
    NOON,
    PLEX,
    RADARR,
    RADARR_4K,
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
from tests.entity_helpers import FakeClient, Home, board_entry, service_entry, set_up_home
from tests.persons import add_person, map_person

GUESTS = Service(id="seerr-guests", kind="seerr", role=Role.REQUESTS)


def film(number: int) -> TitleRef:
    """Return a film that nobody knows yet."""
    ids = ExternalIds(tmdb=9100 + number)
    return replace(FILM, ids=ids, own_id=100 + number, name=f"Film {number}")


def show(number: int) -> TitleRef:
    """Return a series that nobody knows yet."""
    ids = ExternalIds(tmdb=4100 + number, tvdb=70_100 + number)
    return replace(SHOW, ids=ids, own_id=100 + number, name=f"Series {number}")


async def requested(home: Home, number: int) -> None:
    await hear(home, request(film(number), 0, number=number))


async def approved(home: Home, number: int) -> None:
    await requested(home, number)
    await hear(home, request(film(number), 1, Decision.APPROVED, number=number))


async def declined(home: Home, number: int) -> None:
    await requested(home, number)
    await hear(home, request(film(number), 1, Decision.DECLINED, number=number))


async def downloading(home: Home, number: int) -> None:
    await approved(home, number)
    await hear(home, held(RADARR, film(number), 2), download(RADARR, film(number), 3))


async def downloaded(home: Home, number: int) -> None:
    await downloading(home, number)
    await hear(home, file(RADARR, film(number), 5))


async def available(home: Home, number: int) -> None:
    await downloaded(home, number)
    await hear(home, playable(SEERR, film(number), 6))


async def failed(home: Home, number: int) -> None:
    await downloading(home, number)
    await hear(home, download(RADARR, film(number), 4, DownloadState.FAILED))


async def new_episode(home: Home, number: int) -> None:
    title = show(number)
    await hear(
        home,
        request(title, 0, Decision.APPROVED, number=number, seasons=(1,)),
        held(SONARR, title, 1, seasons=(1,)),
        episodes(2, 2, title=title),
        file(SONARR, title, 3, parts=(episode(1), episode(2))),
        playable(SEERR, title, 4, seasons=(1,)),
    )
    later = episodes(5, 3, files=frozenset({1, 2}), title=title)
    aired = replace(later.parts[2], aired_at=later.at)
    await hear(home, replace(later, parts=(*later.parts[:2], aired)))
    await hear(home, file(SONARR, title, 7, parts=(episode(3),)))


async def got_stuck(home: Home, number: int) -> None:
    await downloading(home, number)
    home.runtime.book.records["radarr"].reachable = (Span(NOON, time.time() + 86_400.0),)
    await home.runtime.stuck.async_look()
    await home.hass.async_block_till_done()


async def was_watched(home: Home, number: int) -> None:
    await requested(home, number)
    await hear(home, watched(film(number), 5))


async def webhook_fails(home: Home, number: int) -> None:
    await home.note("radarr", webhook=WebhookHealth.WORKING, webhook_cause=None)
    await home.note("radarr", webhook=WebhookHealth.UNPROVEN, webhook_cause=WebhookCause.TIMEOUT)
    await home.note("radarr", webhook=WebhookHealth.FAILED)


async def webhook_recovers(home: Home, number: int) -> None:
    await webhook_fails(home, number)
    await home.note("radarr", webhook=WebhookHealth.WORKING, webhook_cause=None)


async def time_passes(home: Home, seconds: float) -> None:
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await home.hass.async_block_till_done()


async def waits(home: Home, number: int) -> None:
    await requested(home, number)
    await time_passes(home, 15)


async def decided(home: Home, number: int) -> None:
    await waits(home, number)
    await hear(home, request(film(number), 1, Decision.DECLINED, number=number))


async def one_story(home: Home, number: int) -> None:
    await available(home, number)
    await time_passes(home, 125)


STORIES: dict[str, tuple[Callable[[Home, int], Awaitable[None]], str]] = {
    "arrival_requested": (requested, "Film 1 was requested"),
    "arrival_approved": (approved, "Film 1 was approved"),
    "arrival_declined": (declined, "Film 1 was declined"),
    "arrival_started_downloading": (downloading, "Film 1 started downloading"),
    "arrival_downloaded": (downloaded, "Film 1 was downloaded"),
    "arrival_became_available": (available, "Film 1 became available"),
    "arrival_failed": (failed, "Film 1 failed"),
    "request_became_available": (available, "Film 1 became available as requested"),
    "request_waits_for_decision": (waits, "the request for Film 1 waits for a decision"),
    "request_was_decided": (decided, "the request for Film 1 was decided"),
    "story_became_available": (one_story, "Film 1 became available"),
    "new_episode_became_available": (
        new_episode,
        "Series 1, season 1, episode 3 became available",
    ),
    "arrival_got_stuck": (got_stuck, "Film 1 got stuck"),
    "arrival_watched": (was_watched, "Film 1 was watched"),
    "webhook_stopped_working": (webhook_fails, "the webhook of Radarr stopped working"),
    "webhook_works_again": (webhook_recovers, "the webhook of Radarr works again"),
}


def of(key: str, **options: Any) -> str:
    """Return the YAML of a trigger as the editor writes it."""
    return yaml.safe_dump({"triggers": [{"trigger": f"{DOMAIN}.{key}", "options": options}]})


async def reload_all(home: Home) -> None:
    """Reload every entry. The set-up of a Plex that cannot be reached is tried again and again."""
    with home.answering():
        for entry in (home.board_entry, *home.entries.values()):
            loaded = await home.hass.config_entries.async_reload(entry.entry_id)
            assert loaded or entry.entry_id == "plex"
        await home.hass.async_block_till_done()


@pytest.mark.parametrize("key", TRIGGERS)
async def test_every_trigger_fires_before_and_after_a_reload(hass: HomeAssistant, key: str) -> None:
    story, description = STORIES[key]
    home = await set_up_home(hass, "radarr", "sonarr", "seerr", "plex")
    runs = await automate(hass, of(key))
    await story(home, 1)
    assert [told["description"] for told in runs.triggers] == [description]
    assert runs.last["platform"] == f"{DOMAIN}.{key}"
    await reload_all(home)
    await story(home, 2)
    assert [told["description"] for told in runs.triggers] == [
        description,
        description.replace(" 1", " 2", 1),
    ]


ALL = yaml.safe_dump({"triggers": [{"trigger": f"{DOMAIN}.{key}"} for key in TRIGGERS]})


def keys(runs: Runs) -> list[str]:
    """Return which triggers fired."""
    return [told["platform"].removeprefix(f"{DOMAIN}.") for told in runs.triggers]


def why_not(hass: HomeAssistant) -> Any:
    """Return what the automation's trace says of why it did not run."""
    (trace,) = hass.data[DATA_TRACE]["automation.told"].not_triggered.values()
    (step,) = trace.as_extended_dict()["trace"]["trigger/0"]
    return step["result"]


async def test_each_trigger_fires_for_its_own_alone(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "sonarr", "seerr", "plex")
    runs = await automate(hass, ALL)
    await available(home, 1)
    await new_episode(home, 2)
    await hear(home, watched(film(1), 8), watched(film(1), 9, yes=False))
    assert keys(runs) == [
        "arrival_requested",
        "arrival_approved",
        "arrival_started_downloading",
        "arrival_downloaded",
        "arrival_became_available",
        "request_became_available",
        "arrival_approved",
        "arrival_downloaded",
        "arrival_became_available",
        "request_became_available",
        "new_episode_became_available",
        "arrival_watched",
    ]


async def test_what_is_silent_never_fires(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, of("arrival_approved", late=True))
    await hear(home, request(film(1), 1, Decision.APPROVED), silent=True)
    assert home.runtime.board.counts
    assert not runs


async def test_what_is_late_is_left_out_and_the_trace_says_so(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, of("arrival_requested"))
    await home.hear(request(film(1), 0))
    assert not runs
    assert why_not(hass) == {"reason": "late"}


async def test_what_is_late_is_told_if_it_is_wanted(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, of("arrival_requested", late=True))
    await home.hear(request(film(1), 0))
    assert runs.titles == ["Film 1"]
    assert runs.last["late"] is True


async def test_whoever_wants_no_reasons_gets_none(hass: HomeAssistant) -> None:
    """A script that waits for a trigger does without."""
    home = await set_up_home(hass)
    ran: list[Any] = []
    config = await async_validate_trigger_config(
        hass, [{"platform": f"{DOMAIN}.arrival_requested"}]
    )
    stop = await async_initialize_triggers(
        hass, config, lambda told, _: ran.append(told["trigger"]), "script", "Wait", print
    )
    assert stop is not None
    await home.hear(request(film(1), 0))
    assert not ran
    await requested(home, 2)
    assert [told["arrival"]["title"] for told in ran] == ["Film 2"]
    stop()
    await requested(home, 3)
    assert len(ran) == 1


async def test_an_automation_that_is_off_hears_nothing(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, of("arrival_requested"))
    await hass.services.async_call(
        AUTOMATION_DOMAIN, "turn_off", {"entity_id": "automation.told"}, blocking=True
    )
    await requested(home, 1)
    assert not runs


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        ({"type": "movie"}, ["Film 1", "Film 3"]),
        ({"type": "series"}, ["Series 2"]),
        ({"tier": "4k"}, ["Film 3"]),
        ({"tier": "hd"}, ["Film 1", "Series 2"]),
        ({"requester": "mia"}, ["Film 1", "Series 2"]),
        ({"requester": "Ben", "type": "movie"}, ["Film 3"]),
        ({"requester": "Nobody"}, []),
        ({"service": "seerr"}, ["Film 1", "Series 2"]),
        ({"service": "seerr-guests"}, ["Film 3"]),
        ({"service": "radarr"}, []),
    ],
)
@pytest.mark.parametrize("key", ["arrival_requested", "arrival_approved"])
async def test_options_say_which_arrivals_are_meant(
    hass: HomeAssistant, key: str, options: dict[str, Any], titles: list[str]
) -> None:
    board = board_entry(**{CONF_REQUESTER_NAMES: Requesters.EVERYBODY})
    home = await set_up_home(hass, "radarr", "sonarr", "seerr", "seerr-guests", board=board)
    runs = await automate(hass, of(key, **options))
    for at, decision in enumerate((Decision.PENDING, Decision.APPROVED)):
        await hear(
            home,
            request(film(1), at, decision),
            request(show(2), at, decision, number=2, seasons=(1,)),
            request(film(3), at, decision, tier=Tier.UHD, who="Ben", service=GUESTS),
        )
    assert runs.titles == titles


@pytest.mark.parametrize(
    ("key", "service", "titles"),
    [
        ("arrival_started_downloading", "radarr", ["Film 1"]),
        ("arrival_started_downloading", "radarr4k", ["Film 2"]),
        ("arrival_became_available", "radarr", ["Film 1"]),
        ("arrival_became_available", "radarr4k", ["Film 2"]),
        ("arrival_became_available", "seerr", ["Film 1"]),
        ("arrival_became_available", "seerr-guests", ["Film 2"]),
        ("arrival_became_available", "sonarr", []),
        ("request_became_available", "seerr", ["Film 1"]),
        ("request_became_available", "seerr-guests", ["Film 2"]),
        ("request_became_available", "radarr", []),
    ],
)
async def test_two_services_of_a_kind_do_not_mix(
    hass: HomeAssistant, key: str, service: str, titles: list[str]
) -> None:
    """The same two films are in both Radarrs and asked for in both Seerrs, once in HD, once in 4K.

    Each quality has its own arrival.
    """
    home = await set_up_home(hass, "radarr", "radarr4k", "sonarr", "seerr", "seerr-guests")
    runs = await automate(hass, of(key, service=service))
    for title, radarr, seerr in ((film(1), RADARR, SEERR), (film(2), RADARR_4K, GUESTS)):
        tier = radarr.tier or Tier.UNKNOWN
        await hear(
            home,
            request(title, 0, Decision.APPROVED, tier=tier, service=seerr),
            held(radarr, title, 1),
            download(radarr, title, 2, download_id=title.name),
            file(radarr, title, 3),
            playable(seerr, title, 4, tier=tier),
        )
    assert runs.titles == titles


async def test_hd_and_4k_of_one_film_are_two_arrivals(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k")
    runs = await automate(hass, of("arrival_downloaded", service="radarr4k"))
    await hear(home, held(RADARR, film(1), 0, opens=True), held(RADARR_4K, film(1), 0, opens=True))
    await hear(home, download(RADARR, film(1), 1, DownloadState.COMPLETE, opens=True))
    assert not runs
    await hear(home, download(RADARR_4K, film(1), 2, DownloadState.COMPLETE, opens=True))
    assert [told["arrival"]["tier"] for told in runs.triggers] == ["4k"]


@pytest.mark.parametrize(
    ("service", "fired"),
    [("plex", True), ("tautulli", True), ("plex-attic", False), ("seerr", False)],
)
async def test_watched_counts_for_the_server_on_which_it_was(
    hass: HomeAssistant, service: str, *, fired: bool
) -> None:
    """Tautulli tells what was watched on its Plex."""
    home = await set_up_home(hass, "seerr", "plex", "plex-attic", "tautulli")
    runs = await automate(hass, of("arrival_watched", service=service))
    await requested(home, 1)
    report = watched(film(1), 5)
    by_tautulli = replace(
        report,
        origin=replace(report.origin, service="tautulli", kind="tautulli", role=Role.WATCHING),
    )
    attic = replace(PLEX, id="plex-attic")
    await hear(home, playable(PLEX, film(1), 4), playable(attic, film(1), 4), by_tautulli)
    assert bool(runs) is fired


async def test_a_server_whose_own_id_is_not_known_is_heard_too(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "seerr", "jellyfin", "plex")
    runs = await automate(hass, of("arrival_watched", service="jellyfin"))
    await requested(home, 1)
    report = watched(film(1), 5, "jellyfin:1")
    origin = replace(report.origin, service="jellyfin", kind="jellyfin")
    await hear(home, watched(film(1), 4), replace(report, origin=origin))
    assert [told["service_name"] for told in runs.triggers] == ["Jellyfin"]


async def test_an_automation_knows_what_it_needs(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, of("arrival_became_available"))
    await available(home, 1)
    told = dict(runs.last)
    arrival = told.pop("arrival")
    assert {name: arrival[name] for name in ("title", "type", "season", "tier", "stage")} == {
        "title": "Film 1",
        "type": "movie",
        "season": None,
        "tier": "hd",
        "stage": "available",
    }
    assert home.runtime.board.get(arrival["id"]) is not None
    assert told.pop("happened_at").startswith("20")
    assert told == {
        "id": "0",
        "idx": "0",
        "alias": None,
        "platform": "media_arrivals.arrival_became_available",
        "description": "Film 1 became available",
        "stage": "available",
        "previous_stage": "downloaded",
        "parts": "1 of 1",
        "service": "seerr",
        "service_name": "Seerr",
        "service_kind": "seerr",
        "via": "webhook",
        "user_id": None,
        "user_name": None,
        "late": False,
        "recipients": [],
        "recipient_entities": [],
    }


async def test_nobody_is_named_if_the_board_does_not_show_who_asked(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, ALL)
    await available(home, 1)
    assert len(runs) == 6
    assert "Mia" not in str(runs.triggers)
    assert "requester" not in str(runs.triggers)


async def test_who_asked_is_named_if_the_board_shows_it(hass: HomeAssistant) -> None:
    home = await set_up_home(
        hass, board=board_entry(**{CONF_REQUESTER_NAMES: Requesters.EVERYBODY})
    )
    runs = await automate(hass, of("arrival_became_available"))
    await hear(home, request(film(1), 0, number=8, who="Ben"))
    await available(home, 1)
    assert runs.last["requester"] == "Ben, Mia"
    assert [one["requester"] for one in runs.last["arrival"]["requests"]] == ["Ben", "Mia"]


async def test_a_request_is_told_with_its_own_requester(hass: HomeAssistant) -> None:
    home = await set_up_home(
        hass, board=board_entry(**{CONF_REQUESTER_NAMES: Requesters.EVERYBODY})
    )
    runs = await automate(hass, of("request_became_available", requester="Ben"))
    await hear(home, request(film(1), 0, Decision.APPROVED, number=8, who="Ben"))
    await available(home, 1)
    assert runs.last["requester"] == "Ben"
    assert runs.last["request"]["request_id"] == 8
    assert len(runs) == 1


async def test_episodes_are_named(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, of("new_episode_became_available"))
    await new_episode(home, 1)
    assert runs.last["episodes"] == [{"number": 3, "air_date": None, "name": None}]
    assert runs.last["parts"] == "3 of 3"


async def test_nobody_is_told_who_watched(hass: HomeAssistant) -> None:
    home = await set_up_home(
        hass,
        "sonarr",
        "seerr",
        "plex",
        board=board_entry(**{CONF_REQUESTER_NAMES: Requesters.EVERYBODY}),
    )
    runs = await automate(hass, of("arrival_watched"))
    await hear(
        home,
        request(show(1), 0, seasons=(1,)),
        held(SONARR, show(1), 1, seasons=(1,)),
        episodes(2, 3, title=show(1)),
        watched(show(1), 8, ANNA, 1, 2),
    )
    assert runs.last["description"] == "Series 1, season 1, episodes 1, 2 was watched"
    assert [part["number"] for part in runs.last["episodes"]] == [1, 2]
    assert ANNA not in str(runs.triggers)
    assert "viewer" not in str(runs.triggers)
    assert "plex:" not in str(runs.triggers)


MIA: dict[str, str | dict[str, Any]] = {"seerr": {"name": "Mia", "id": "31"}, "plex": "11"}
"""Anna of the household's watchers, and Mia of its requesters, are one person here."""


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (Requesters.HOUSEHOLD, None),
        (Requesters.PER_PERSON, "Mia Sommer"),
        (Requesters.EVERYBODY, "Mia Sommer, Ben"),
    ],
)
async def test_a_person_is_found_by_who_that_is_in_the_service(
    hass: HomeAssistant, names: Requesters, told: str | None
) -> None:
    board = board_entry(**{CONF_REQUESTER_NAMES: names})
    home = await set_up_home(hass, "radarr", "sonarr", "seerr", "seerr-guests", board=board)
    map_person(hass, home.board_entry, "Mia Sommer", MIA)
    await hass.async_block_till_done()
    runs = await automate(hass, of("arrival_approved", person="person.mia_sommer"))
    await hear(
        home,
        request(film(1), 0, Decision.APPROVED, number=1, who="Ben"),
        request(film(2), 0, Decision.APPROVED, number=2, who="Mia", service=GUESTS),
        request(film(3), 0, number=3, who="Mia"),
        request(film(3), 0, number=4, who="Ben"),
        request(film(3), 1, Decision.APPROVED, number=3, who="Mia"),
    )
    assert runs.titles == ["Film 3"]
    assert runs.last.get("requester") == told
    asked = [one.get("requester") for one in runs.last["arrival"]["requests"]]
    assert ("Ben" in asked) is (names is Requesters.EVERYBODY)


@pytest.mark.parametrize(("name", "titles"), [("mia sommer", ["Film 1"]), ("Mia", []), ("Ben", [])])
async def test_a_name_is_that_which_the_board_shows(
    hass: HomeAssistant, name: str, titles: list[str]
) -> None:
    board = board_entry(**{CONF_REQUESTER_NAMES: Requesters.PER_PERSON})
    home = await set_up_home(hass, board=board)
    map_person(hass, home.board_entry, "Mia Sommer", MIA)
    await hass.async_block_till_done()
    runs = await automate(hass, of("arrival_requested", requester=name))
    await hear(home, request(film(1), 0), request(film(2), 0, number=2, who="Ben"))
    assert runs.titles == titles


async def test_a_person_is_looked_for_in_vain_if_the_board_keeps_nobody(
    hass: HomeAssistant,
) -> None:
    home = await set_up_home(hass, board=board_entry(**{CONF_REQUESTER_NAMES: Requesters.OFF}))
    map_person(hass, home.board_entry, "Mia", MIA)
    refused = await refusal(hass, of("arrival_approved", person="person.mia"))
    assert refused is not None
    assert "the board keeps nobody who asked" in refused


async def test_a_person_who_is_not_one_of_the_board_is_refused(hass: HomeAssistant) -> None:
    await set_up_home(hass)
    refused = await refusal(hass, of("arrival_approved", person=add_person(hass, "Ben")))
    assert refused is not None
    assert "the board does not know who this is in the services" in refused


async def test_who_watched_is_looked_for_and_told_per_person(hass: HomeAssistant) -> None:
    board = board_entry(**{CONF_WATCH_DATA: Watching.PER_PERSON})
    home = await set_up_home(hass, "seerr", "plex", board=board)
    for name, viewer in (("Mia", "11"), ("Ben", "22")):
        map_person(hass, home.board_entry, name, {"plex": viewer})
    await hass.async_block_till_done()
    runs = await automate(hass, of("arrival_watched", person="person.mia"))
    await requested(home, 1)
    await hear(home, watched(film(1), 5, BEN))
    assert not runs
    await hear(home, watched(film(1), 6, ANNA))
    assert runs.last["watched_by"] == "Mia"
    assert "plex:" not in str(runs.triggers)

    hass.config_entries.async_update_entry(
        home.board_entry, options={CONF_WATCH_DATA: Watching.HOUSEHOLD}
    )
    await hass.async_block_till_done()
    await requested(home, 2)
    await hear(home, watched(film(2), 6, ANNA))
    assert len(runs) == 1
    assert why_not(hass) == {"reason": "private"}
    refused = await refusal(hass, of("arrival_watched", person="person.mia"))
    assert refused is not None
    assert "the board does not tell who watched" in refused


async def test_nothing_is_watched_if_the_board_keeps_none(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "seerr", "plex", board=board_entry(**{CONF_WATCH_DATA: "off"}))
    runs = await automate(hass, of("arrival_watched", late=True))
    await was_watched(home, 1)
    assert not runs


async def test_who_did_it_is_known_and_is_the_cause_of_the_run(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    hass.states.async_set("person.ben", "home", {"user_id": "ben"})
    hass.states.async_set("person.anna", "home", {"user_id": "anna", "friendly_name": "Anna"})
    runs = await automate(hass, of("arrival_approved"))
    report = request(film(1), 1, Decision.APPROVED)
    origin = replace(report.origin, via=Via.ACTION, context_id="the-context", user_id="anna")
    await hear(home, request(film(1), 0), replace(report, origin=origin))
    assert (runs.last["user_id"], runs.last["user_name"]) == ("anna", "Anna")
    assert runs.last["via"] == "action"
    (event,) = runs.events
    assert event.context.parent_id == "the-context"

    origin = replace(origin, user_id="a-stranger")
    await hear(home, replace(request(film(2), 1, Decision.APPROVED, number=2), origin=origin))
    assert (runs.last["user_id"], runs.last["user_name"]) == ("a-stranger", None)


async def test_a_service_that_was_removed_meanwhile_has_its_id_left(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(hass, of("arrival_requested"))
    report = request(film(1), 0)
    gone = replace(report, origin=replace(report.origin, service="gone"))
    change = replace(
        (await home.runtime.apply([report], service="seerr", silent=True))[0],
        origin=gone.origin,
        silent=False,
        happened_at=time.time(),
    )
    async_dispatcher_send(hass, SIGNAL_CHANGE, change)
    await hass.async_block_till_done()
    assert (runs.last["service"], runs.last["service_name"]) == ("gone", None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"type": "film"}, "value must be one of ['movie', 'series'] at 'options.type'"),
        ({"tier": "uhd"}, "value must be one of ['4k', 'hd', 'unknown']"),
        ({"late": "perhaps"}, "invalid boolean value perhaps at 'options.late'"),
        ({"requester": ""}, "length of value must be at least 1 at 'options.requester'"),
        ({"requester": "Mia"}, "the board does not show who asked; change that"),
        ({"person": "mia"}, "'options.person'"),
        ({"person": "light.mia"}, "'options.person'"),
        ({"person": "person.stranger"}, "the board does not know who this is in the services"),
        ({"service": "gone"}, "this is no service of Media Arrivals"),
        ({"service": "the-board"}, "this is no service of Media Arrivals"),
        ({"colour": "red"}, "not a valid option at 'options.colour'"),
    ],
)
async def test_options_that_cannot_be_meant_are_refused(
    hass: HomeAssistant, options: dict[str, Any], said: str
) -> None:
    await set_up_home(hass)
    refused = await refusal(hass, of("arrival_requested", **options))
    assert refused is not None
    assert said in refused
    assert "options." in refused


async def test_names_that_became_private_fire_nothing_more(hass: HomeAssistant) -> None:
    home = await set_up_home(
        hass, board=board_entry(**{CONF_REQUESTER_NAMES: Requesters.EVERYBODY})
    )
    runs = await automate(hass, of("arrival_requested", requester="Mia"))
    await requested(home, 1)
    assert len(runs) == 1
    hass.config_entries.async_update_entry(
        home.board_entry, options={CONF_REQUESTER_NAMES: Requesters.HOUSEHOLD}
    )
    await requested(home, 2)
    assert len(runs) == 1
    assert why_not(hass) == {"reason": "private"}


async def test_the_editor_shows_every_trigger_with_the_options_that_it_takes(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    await set_up_home(hass)
    shown = await async_get_all_descriptions(hass)
    assert "Unable to" not in caplog.text
    for key, told in TRIGGERS.items():
        assert issubclass(told, SignalTrigger)
        description = shown[f"{DOMAIN}.{key}"]
        assert description is not None
        assert {marker.schema for marker in told.options} == set(description["fields"])
        for name, field in description["fields"].items():
            for option in (field["selector"].get("select") or {}).get("options", ()):
                config = {"options": {name: option}}
                assert (await told.async_validate_config(hass, config))["options"][name] == option


async def test_an_automation_that_is_set_up_first_hears_what_was_held_back(
    hass: HomeAssistant,
) -> None:
    """What happens while Home Assistant starts is told once it has started."""
    hass.set_state(CoreState.not_running)
    runs = await automate(hass, of("arrival_approved", late=True))
    home = await set_up_home(hass)
    await home.hear(request(film(1), 0), request(film(1), 1, Decision.APPROVED))
    await hass.async_start()
    await hass.async_block_till_done()
    assert [(told["previous_stage"], told["stage"]) for told in runs.triggers] == [
        (None, "approved")
    ]


async def test_a_webhook_is_told_when_it_turns_and_not_while_nothing_is_certain(
    hass: HomeAssistant,
) -> None:
    home = await set_up_home(hass, "radarr", "sonarr")
    runs = await automate(hass, ALL)
    await home.note("radarr", webhook=WebhookHealth.FAILED, webhook_cause=WebhookCause.TIMEOUT)
    await home.note("radarr", webhook=WebhookHealth.UNPROVEN)
    await home.note("radarr", webhook=WebhookHealth.FAILED)
    assert not runs, "it never worked: the form and a repair said so"
    await home.note("radarr", webhook=WebhookHealth.WORKING, webhook_cause=None)
    await home.note("radarr", received=5)
    await home.note("radarr", webhook=WebhookHealth.POLLING_ONLY)
    await home.note("radarr", webhook=WebhookHealth.WORKING)
    assert keys(runs) == ["webhook_works_again"]
    await home.note("radarr", webhook=WebhookHealth.FAILED, webhook_cause=WebhookCause.REFUSED)
    assert keys(runs) == ["webhook_works_again", "webhook_stopped_working"]
    own = ("id", "idx", "alias", "platform", "description")
    assert {name: value for name, value in runs.last.items() if name not in own} == {
        "service": "radarr",
        "service_name": "Radarr",
        "service_kind": "radarr",
        "state": "wrong_address",
        "cause": "refused",
    }


async def test_a_webhook_that_falls_silent_works_no_more(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "sonarr")
    runs = await automate(hass, ALL)
    await home.note("radarr", webhook=WebhookHealth.WORKING)
    await home.note("radarr", missed=2)
    await home.note("radarr", silent_since=time.time())
    await home.note("radarr", missed=3)
    assert keys(runs) == ["webhook_stopped_working"]
    assert (runs.last["state"], runs.last["cause"]) == ("silent", None)
    await home.note("radarr", silent_since=None)
    assert keys(runs) == ["webhook_stopped_working", "webhook_works_again"]
    await home.note("radarr", muted=True)
    assert runs.last["state"] == "muted"


async def test_only_the_webhook_that_is_chosen_is_told(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k")
    runs = await automate(hass, of("webhook_stopped_working", service="radarr4k"))
    for service in ("radarr", "radarr4k"):
        await home.note(service, webhook=WebhookHealth.WORKING)
    await home.note("radarr", webhook=WebhookHealth.FAILED)
    assert not runs
    await home.note("radarr4k", webhook=WebhookHealth.FAILED)
    assert [told["service_name"] for told in runs.triggers] == ["Radarr 4K"]


async def test_services_that_come_are_watched_and_those_that_go_are_not(
    hass: HomeAssistant,
) -> None:
    home = await set_up_home(hass, "radarr", "seerr")
    runs = await automate(hass, of("webhook_stopped_working"))
    home.entries["sonarr"] = service_entry("sonarr")
    home.clients["sonarr"] = FakeClient("sonarr")
    MockConfigEntry(domain="elsewhere").add_to_hass(hass)
    with home.answering():
        await hass.config_entries.async_add(home.entries["sonarr"])
        await hass.async_block_till_done()
    await home.note("sonarr", webhook=WebhookHealth.WORKING)
    await home.note("sonarr", webhook=WebhookHealth.FAILED)
    assert [told["service"] for told in runs.triggers] == ["sonarr"]
    with home.answering():
        await hass.config_entries.async_remove("sonarr")
        await hass.async_block_till_done()
    assert len(runs) == 1
    assert SIGNAL_RECORD.format("sonarr") not in hass.data[DATA_DISPATCHER]
    assert SIGNAL_RECORD.format("radarr") in hass.data[DATA_DISPATCHER]


async def test_stuck_tells_why_and_what_to_do(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "seerr")
    runs = await automate(hass, of("arrival_got_stuck", type="movie", service="radarr"))
    await got_stuck(home, 1)

    told = runs.last
    assert told["reason"] == told["arrival"]["stuck"]["reason"] == "stalled"
    assert told["text"] == told["arrival"]["problem"] == "The download makes no progress."
    assert (told["remedy"], told["message"]) == ("look_at_service", None)
    assert (told["service"], told["service_name"]) == ("radarr", "Radarr")
    assert "requester" not in told


async def test_who_asked_for_what_is_stuck_is_private_unless_it_is_told(
    hass: HomeAssistant,
) -> None:
    board = board_entry(requester_names="everybody")
    home = await set_up_home(hass, "radarr", "seerr", board=board)
    runs = await automate(hass, of("arrival_got_stuck", requester="Mia"))
    await got_stuck(home, 1)
    assert runs.last["requester"] == "Mia"

    hass.config_entries.async_update_entry(board, options={})
    await hass.async_block_till_done()
    await got_stuck(home, 2)
    assert len(runs) == 1
    assert why_not(hass)["reason"] == "private"


async def test_what_gets_stuck_is_chosen_by_type(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "seerr")
    runs = await automate(hass, of("arrival_got_stuck", type="series"))
    await got_stuck(home, 1)
    assert len(runs) == 0
