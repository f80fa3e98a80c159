"""Each condition is checked from YAML as the automation editor writes it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.condition import async_get_all_descriptions
from homeassistant.setup import async_setup_component

from custom_components.media_arrivals.condition import CONDITIONS, BoardCondition
from custom_components.media_arrivals.const import CONF_REQUESTER_NAMES, DOMAIN
from custom_components.media_arrivals.engine.board.models import (
    Decision,
    DownloadState,
    Stage,
    Tier,
)
from custom_components.media_arrivals.privacy import Requesters
from custom_components.media_arrivals.records import WebhookHealth
from tests.automation_helpers import Runs, automate, refusal
from tests.engine.board.household import (
    FILM,
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
from tests.entity_helpers import Home, board_entry, set_up_home
from tests.persons import map_person

ASK = "somebody_asks"


def when(key: str, **options: Any) -> str:
    """Return the YAML of an automation that runs if it is so when somebody asks."""
    condition: dict[str, Any] = {"condition": f"{DOMAIN}.{key}"}
    if options:
        condition["options"] = options
    return yaml.safe_dump(
        {"triggers": [{"trigger": "event", "event_type": ASK}], "conditions": [condition]}
    )


async def holds(hass: HomeAssistant, runs: Runs, **data: Any) -> bool:
    """Ask, and tell whether it is so."""
    before = len(runs)
    hass.bus.async_fire(ASK, data, context=Context())
    await hass.async_block_till_done()
    return len(runs) > before


async def reload_all(home: Home) -> None:
    """Reload every entry."""
    with home.answering():
        for entry in (home.board_entry, *home.entries.values()):
            await home.hass.config_entries.async_reload(entry.entry_id)
        await home.hass.async_block_till_done()


async def film_downloads(home: Home) -> None:
    await home.hear(
        request(FILM, 0, Decision.APPROVED), held(RADARR, FILM, 1), download(RADARR, FILM, 2)
    )


async def webhook_works(home: Home) -> None:
    await home.note("radarr", webhook=WebhookHealth.WORKING)


STORIES: dict[str, tuple[Callable[[Home], Awaitable[None]], dict[str, Any]]] = {
    "arrival_is_in_stage": (film_downloads, {"stage": ["downloading"]}),
    "something_is_downloading": (film_downloads, {}),
    "webhooks_work": (webhook_works, {"service": "radarr"}),
}


@pytest.mark.parametrize("key", CONDITIONS)
async def test_every_condition_is_checked_before_and_after_a_reload(
    hass: HomeAssistant, key: str
) -> None:
    story, options = STORIES[key]
    home = await set_up_home(hass)
    runs = await automate(hass, when(key, **options))
    assert not await holds(hass, runs)
    await story(home)
    assert await holds(hass, runs)
    # Without the services, whose webhooks are proven anew.
    assert await hass.config_entries.async_reload(home.board_entry.entry_id)
    assert await holds(hass, runs)
    await reload_all(home)
    await story(home)
    assert await holds(hass, runs)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"stage": "approved"}, True),
        ({"stage": ["requested", "sent"]}, False),
        ({"stage": ["sent", "downloading"]}, True),
        ({"stage": "downloading", "type": "movie"}, True),
        ({"stage": "downloading", "type": "series"}, False),
        ({"stage": "downloading", "tier": "4k"}, False),
        ({"stage": "downloading", "tmdb_id": 9001, "type": "movie"}, True),
        ({"stage": "downloading", "tmdb_id": 9001, "type": "series"}, False),
        ({"stage": "downloading", "imdb_id": "tt0009001", "type": "movie"}, True),
        ({"stage": "approved", "tvdb_id": 70_002, "type": "series"}, True),
        ({"stage": "approved", "tvdb_id": 70_002, "type": "series", "season": 1}, True),
        ({"stage": "approved", "tvdb_id": 70_002, "type": "series", "season": 2}, False),
        ({"stage": "approved", "tvdb_id": 99_999, "type": "series"}, False),
        ({"stage": "approved", "season": 1}, True),
        ({"stage": "approved", "requester": "BEN"}, True),
        ({"stage": "downloading", "requester": "Ben"}, False),
        ({"stage": "downloading", "service": "radarr"}, True),
        ({"stage": "downloading", "service": "radarr4k"}, False),
        ({"stage": "approved", "service": "seerr"}, True),
        ({"stage": "approved", "service": "radarr"}, False),
        ({"stage": "downloading", "arrival_id": "unknown"}, False),
    ],
)
async def test_options_say_which_arrival_is_meant(
    hass: HomeAssistant, options: dict[str, Any], *, expected: bool
) -> None:
    board = board_entry(**{CONF_REQUESTER_NAMES: Requesters.EVERYBODY})
    home = await set_up_home(hass, "radarr", "radarr4k", "sonarr", "seerr", board=board)
    runs = await automate(hass, when("arrival_is_in_stage", **options))
    await film_downloads(home)
    await home.hear(request(SHOW, 0, Decision.APPROVED, number=2, seasons=(1,), who="Ben"))
    assert await holds(hass, runs) is expected


async def test_an_arrival_is_named_by_its_id_also_in_a_template(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    runs = await automate(
        hass,
        when(
            "arrival_is_in_stage",
            stage=["downloading"],
            arrival_id="{{ trigger.event.data.arrival }}",
        ),
    )
    changes = await home.hear(request(FILM, 0), request(SHOW, 0, number=2, seasons=(1,)))
    film, show = changes[0].arrival.id, changes[-1].arrival.id
    await film_downloads(home)
    assert await holds(hass, runs, arrival=film)
    assert not await holds(hass, runs, arrival=show)
    assert not await holds(hass, runs, arrival="")


async def test_a_template_that_fails_is_an_error_and_not_a_yes(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    home = await set_up_home(hass)
    runs = await automate(
        hass,
        when("arrival_is_in_stage", stage=["downloading"], arrival_id="{{ 1 / 0 }}"),
    )
    await film_downloads(home)
    assert not await holds(hass, runs)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "options.stage"),
        ({"stage": []}, "length of value must be at least 1"),
        ({"stage": ["here"]}, "value must be one of"),
        ({"stage": ["sent"], "tmdb_id": 5}, "films and series may have the same id; add type"),
        (
            {"stage": ["sent"], "tmdb_id": 5, "imdb_id": "tt5", "type": "movie"},
            "name the arrival by one of arrival_id, tmdb_id, tvdb_id, imdb_id",
        ),
        (
            {"stage": ["sent"], "arrival_id": "x", "imdb_id": "tt5", "type": "movie"},
            "and not by several",
        ),
        ({"stage": ["sent"], "season": 1, "type": "movie"}, "a film has no season"),
        ({"stage": ["sent"], "season": -1}, "options.season"),
        ({"stage": ["sent"], "arrival_id": "{{ open"}, "options.arrival_id"),
        ({"stage": ["sent"], "requester": "Mia"}, "the board does not show who asked"),
        ({"stage": ["sent"], "service": "gone"}, "this is no service of Media Arrivals"),
        ({"stage": ["sent"], "colour": "red"}, "not a valid option"),
    ],
)
async def test_options_that_cannot_be_meant_are_refused(
    hass: HomeAssistant, options: dict[str, Any], said: str
) -> None:
    await set_up_home(hass)
    refused = await refusal(hass, when("arrival_is_in_stage", **options))
    assert refused is not None
    assert said in refused
    assert "options" in refused


async def test_a_person_is_found_by_who_that_is_in_the_service(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    for name in ("Mia", "Ben"):
        map_person(hass, home.board_entry, name, {"seerr": {"name": name}})
    await hass.async_block_till_done()
    runs = await automate(hass, when("something_is_downloading", person="person.mia"))
    await home.hear(request(FILM, 0, Decision.APPROVED, who="Ben"), download(RADARR, FILM, 1))
    assert not await holds(hass, runs)
    await home.hear(request(FILM, 2, Decision.APPROVED, number=2, who="Mia"))
    assert await holds(hass, runs)


async def test_names_that_became_private_are_not_looked_for(hass: HomeAssistant) -> None:
    home = await set_up_home(
        hass, board=board_entry(**{CONF_REQUESTER_NAMES: Requesters.EVERYBODY})
    )
    runs = await automate(hass, when("something_is_downloading", requester="Mia"))
    await film_downloads(home)
    assert await holds(hass, runs)
    hass.config_entries.async_update_entry(
        home.board_entry, options={CONF_REQUESTER_NAMES: Requesters.OFF}
    )
    assert not await holds(hass, runs)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"service": "sonarr"}, True),
        ({"service": "sonarr4k"}, False),
        ({"service": "radarr"}, False),
        ({"type": "series", "tier": "hd"}, True),
        ({"type": "movie"}, False),
    ],
)
async def test_a_new_episode_counts_as_downloading(
    hass: HomeAssistant, options: dict[str, Any], *, expected: bool
) -> None:
    home = await set_up_home(hass, "radarr", "sonarr", "sonarr4k", "seerr")
    runs = await automate(hass, when("something_is_downloading", **options))
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 2),
        file(SONARR, SHOW, 3, parts=(episode(1), episode(2))),
        playable(SEERR, SHOW, 4, seasons=(1,)),
    )
    later = episodes(5, 3, files=frozenset({1, 2}))
    later = replace(later, parts=(*later.parts[:2], replace(later.parts[2], aired_at=later.at)))
    await home.hear(later)
    assert not await holds(hass, runs)
    await home.hear(download(SONARR, SHOW, 6, parts=(episode(3),), download_id="new"))
    assert await holds(hass, runs) is expected
    await home.hear(file(SONARR, SHOW, 7, parts=(episode(3),)))
    assert not await holds(hass, runs)


async def test_a_season_of_which_only_an_episode_downloads_counts(hass: HomeAssistant) -> None:
    """It stands where its least advanced episode does."""
    home = await set_up_home(hass, "sonarr", "seerr")
    runs = await automate(hass, when("something_is_downloading"))
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 2),
    )
    assert not await holds(hass, runs)
    await home.hear(download(SONARR, SHOW, 3, parts=(episode(1),)))
    assert {arrival.stage for arrival in home.runtime.board.arrivals()} == {Stage.SENT}
    assert await holds(hass, runs)


async def test_two_downloaders_of_one_film_do_not_mix(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k")
    runs = await automate(hass, when("something_is_downloading", service="radarr4k"))
    await home.hear(
        held(RADARR, FILM, 0, opens=True),
        held(RADARR_4K, FILM, 0, opens=True),
        download(RADARR, FILM, 1),
    )
    assert not await holds(hass, runs)
    await home.hear(download(RADARR_4K, FILM, 2))
    assert await holds(hass, runs)
    await home.hear(download(RADARR_4K, FILM, 3, DownloadState.COMPLETE))
    assert not await holds(hass, runs)


@pytest.mark.parametrize(
    ("service", "expected"),
    [("sonarr", True), ("sonarr4k", False), ("sonarr-anime", False), ("plex", False)],
)
async def test_a_season_belongs_to_who_holds_it_in_its_quality(
    hass: HomeAssistant, service: str, *, expected: bool
) -> None:
    """Nothing was said of an episode yet; others hold another season, or another quality."""
    home = await set_up_home(hass, "sonarr", "sonarr4k", "sonarr-anime", "seerr", "plex")
    runs = await automate(
        hass,
        when("arrival_is_in_stage", stage=["sent"], season=1, tier="hd", service=service),
    )
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        held(replace(SONARR, id="sonarr4k", tier=Tier.UHD), SHOW, 2, seasons=(1,)),
        held(replace(SONARR, id="sonarr-anime"), SHOW, 3, seasons=(2,)),
        watched(SHOW, 4),
    )
    assert await holds(hass, runs) is expected


async def test_a_film_belongs_to_the_server_on_which_it_plays(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "plex", "plex-attic")
    runs = await automate(
        hass,
        when("arrival_is_in_stage", stage=["available"], service="plex-attic"),
    )
    await home.hear(
        held(RADARR, FILM, 0, opens=True),
        file(RADARR, FILM, 1),
        playable(PLEX, FILM, 2),
        playable(replace(PLEX, id="plex-attic"), FILM, 2, yes=False),
    )
    assert not await holds(hass, runs)
    await home.hear(playable(replace(PLEX, id="plex-attic"), FILM, 3))
    assert await holds(hass, runs)


async def test_a_service_that_was_removed_takes_part_in_nothing(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "seerr")
    runs = await automate(
        hass, when("arrival_is_in_stage", stage=["downloading", "approved"], service="radarr")
    )
    await film_downloads(home)
    assert await holds(hass, runs)
    with home.answering():
        await hass.config_entries.async_remove("radarr")
        await hass.async_block_till_done()
    assert home.runtime.board.counts
    assert not await holds(hass, runs)


async def test_webhooks_work_if_all_that_are_wanted_do(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "sonarr", "seerr")
    runs = await automate(hass, when("webhooks_work"))
    assert not await holds(hass, runs), "none is wanted"
    await home.note("radarr", webhook=WebhookHealth.WORKING)
    assert await holds(hass, runs)
    await home.note("sonarr", webhook=WebhookHealth.UNPROVEN)
    assert not await holds(hass, runs)
    await home.note("sonarr", webhook=WebhookHealth.WORKING)
    assert await holds(hass, runs)
    await home.note("sonarr", webhook=WebhookHealth.FAILED)
    assert not await holds(hass, runs)


async def test_one_webhook_works_or_does_not_whatever_others_do(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k")
    runs = await automate(hass, when("webhooks_work", service="radarr4k"))
    await home.note("radarr", webhook=WebhookHealth.WORKING)
    assert not await holds(hass, runs)
    await home.note("radarr4k", webhook=WebhookHealth.WORKING)
    await home.note("radarr", webhook=WebhookHealth.FAILED)
    assert await holds(hass, runs)


@pytest.mark.parametrize("key", CONDITIONS)
async def test_nothing_is_so_while_the_integration_is_not_set_up(
    hass: HomeAssistant, key: str
) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    options = {"stage": ["sent"]} if key == "arrival_is_in_stage" else {}
    runs = await automate(hass, when(key, **options))
    assert not await holds(hass, runs)


async def test_the_editor_shows_every_condition_with_the_options_that_it_takes(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    await set_up_home(hass)
    shown = await async_get_all_descriptions(hass)
    assert "Unable to" not in caplog.text
    for key, condition in CONDITIONS.items():
        assert issubclass(condition, BoardCondition)
        description = shown[f"{DOMAIN}.{key}"]
        assert description is not None
        assert {marker.schema for marker in condition.fields} == set(description["fields"])
        for name, field in description["fields"].items():
            assert field.get("required", False) is (name == "stage")
            for option in (field["selector"].get("select") or {}).get("options", ()):
                needed = {"stage": ["sent"]} if key == "arrival_is_in_stage" else {}
                text = when(key, **(needed | {str(name): str(option)}))
                assert await refusal(hass, text) is None
