"""The board's numbers and what is known of each service."""

import time
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.sensor import ATTR_STATE_CLASS
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from syrupy.assertion import SnapshotAssertion

from custom_components.media_arrivals.const import CONF_FINISHED_DAYS, DOMAIN
from custom_components.media_arrivals.engine.board.models import (
    Decision,
    DownloadState,
    ExternalIds,
    PartRef,
    Stage,
)
from custom_components.media_arrivals.engine.board.register import Register
from custom_components.media_arrivals.engine.connectors.base import (
    Poll,
    ServiceError,
    TimedOutError,
)
from custom_components.media_arrivals.engine.storage.models import DatabaseUnavailableError
from custom_components.media_arrivals.engine.storage.storage import Storage
from custom_components.media_arrivals.records import Miss, WebhookHealth
from custom_components.media_arrivals.sensor import LAST_STATUSES, OTHER_STATUS
from custom_components.media_arrivals.troubles import UNAVAILABLE
from tests.engine.board.household import (
    DAY,
    FILM,
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
)
from tests.entity_helpers import NOW, Home, board_entry, moment, set_up_home

PACK = tuple(episode(number) for number in range(1, 11))
OTHER_FILM = replace(FILM, ids=ExternalIds(tmdb=9002), own_id=8, name="Salt and Cedar", year=2020)


@pytest.fixture(autouse=True)
def frozen(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(moment(NOW))


async def pass_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, to: float | timedelta
) -> None:
    """Let time pass, and what is due happen."""
    if isinstance(to, timedelta):
        freezer.tick(to)
    else:
        freezer.move_to(moment(to))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def film_arrived(home: Home) -> None:
    """Have a film become available."""
    await home.hear(
        request(FILM, 0, Decision.APPROVED),
        held(RADARR, FILM, 2),
        file(RADARR, FILM, 5),
        playable(SEERR, FILM, 6),
    )


async def test_numbers_follow_a_film_on_its_way(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    for key in (
        "waiting_for_approval",
        "on_the_way",
        "downloading",
        "arrived_today",
        "arrived_in_7_days",
        "failed",
    ):
        assert home.value(key) == "0"
    assert home.value("download_progress") == STATE_UNKNOWN
    assert home.value("latest_arrival") == STATE_UNKNOWN

    await home.hear(request(FILM, 0))
    assert (home.value("waiting_for_approval"), home.value("on_the_way")) == ("1", "0")
    await home.hear(request(FILM, 1, Decision.APPROVED))
    assert (home.value("waiting_for_approval"), home.value("on_the_way")) == ("0", "1")
    await home.hear(held(RADARR, FILM, 2), download(RADARR, FILM, 3, progress=0.253))
    assert (home.value("downloading"), home.value("on_the_way")) == ("1", "1")
    assert home.value("download_progress") == "25"
    await home.hear(file(RADARR, FILM, 5))
    assert (home.value("downloading"), home.value("on_the_way")) == ("0", "1")
    assert home.value("download_progress") == STATE_UNKNOWN
    await home.hear(playable(SEERR, FILM, 6))
    assert (home.value("on_the_way"), home.value("arrived_today")) == ("0", "1")
    assert home.value("arrived_in_7_days") == "1"
    assert home.value("latest_arrival") == "The Glass Harbour"


async def test_requests_wait_and_not_the_seasons_that_they_are_for(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    await home.hear(request(SHOW, 0, seasons=(1, 2, 3)), request(FILM, 0, number=2))
    assert home.value("waiting_for_approval") == "2"


async def test_progress_counts_each_download_once(hass: HomeAssistant) -> None:
    """A pack has ten parts and is one download; Seerr's word of it is no second one."""
    home = await set_up_home(hass)
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 10),
        download(SONARR, SHOW, 3, parts=PACK, progress=0.5, download_id="pack"),
        download(SEERR, SHOW, 4, seasons=(1,), progress=0.9, download_id="PACK"),
        download(SONARR, SHOW, 5, DownloadState.COMPLETE, parts=PACK[:1], download_id="one"),
        held(RADARR, FILM, 3, opens=True),
        download(RADARR, FILM, 3, progress=0.1, download_id="film"),
    )
    assert home.value("downloading") == "2"
    assert home.value("download_progress") == "30"


async def test_seerrs_word_counts_where_no_downloader_speaks(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "seerr")
    await home.hear(request(FILM, 0, Decision.APPROVED), download(SEERR, FILM, 4, progress=0.9))
    assert home.value("download_progress") == "90"


async def test_days_begin_at_midnight(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    home = await set_up_home(hass)
    await film_arrived(home)
    assert (home.value("arrived_today"), home.value("arrived_in_7_days")) == ("1", "1")

    midnight = dt_util.start_of_local_day().timestamp() + DAY
    await pass_time(hass, freezer, midnight - 2)
    assert home.value("arrived_today") == "1"
    await pass_time(hass, freezer, midnight + 1)
    assert (home.value("arrived_today"), home.value("arrived_in_7_days")) == ("0", "1")
    await pass_time(hass, freezer, midnight + 6 * DAY - 2)
    assert home.value("arrived_in_7_days") == "1"
    await pass_time(hass, freezer, midnight + 6 * DAY + 1)
    assert home.value("arrived_in_7_days") == "0"
    assert home.value("latest_arrival") == "The Glass Harbour"


async def test_what_arrived_is_let_go_but_for_the_latest(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    home = await set_up_home(hass)
    await film_arrived(home)
    await home.hear(
        request(OTHER_FILM, 0, Decision.APPROVED, number=2), playable(SEERR, OTHER_FILM, 60)
    )
    assert home.value("arrived_in_7_days") == "2"
    midnight = dt_util.start_of_local_day().timestamp() + DAY
    await pass_time(hass, freezer, midnight + 8 * DAY + 1)
    assert home.value("latest_arrival") == "Salt and Cedar"
    # What is let go comes back when something is said about it.
    await home.hear(playable(SEERR, FILM, 10 * DAY, yes=False), held(RADARR, FILM, 10 * DAY))
    assert home.value("arrived_in_7_days") == "0"


async def test_what_arrived_lately_is_counted_after_it_left_the_board(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finished arrivals may be kept for fewer days than are counted."""
    home = await set_up_home(hass, board=board_entry(**{CONF_FINISHED_DAYS: 2}))
    await film_arrived(home)
    freezer.tick(timedelta(days=3))
    await home.runtime.async_tidy()
    await home.hear(
        request(OTHER_FILM, 3 * DAY, Decision.APPROVED, number=2),
        playable(SEERR, OTHER_FILM, 3 * DAY),
    )
    assert len(tuple(home.runtime.board.arrivals())) == 1
    assert home.value("arrived_in_7_days") == "2"

    # Read from the database, as after a restart.
    await hass.config_entries.async_reload(home.board_entry.entry_id)
    assert home.value("arrived_in_7_days") == "2"
    assert home.value("arrived_today") == "1"

    async def fail(*_: object) -> None:
        raise DatabaseUnavailableError("out of reach")

    monkeypatch.setattr(Storage, "retired_since", fail)
    await hass.config_entries.async_reload(home.board_entry.entry_id)
    assert home.value("arrived_in_7_days") == "1"
    with patch.object(home.runtime, "storage", None):
        await hass.config_entries.async_reload(home.board_entry.entry_id)
    assert home.value("arrived_in_7_days") == "1"
    assert ir.async_get(hass).async_get_issue(DOMAIN, UNAVAILABLE) is not None
    await pass_time(hass, freezer, timedelta(minutes=6))


async def test_the_latest_arrival_is_unknown_once_it_left_the_board(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    home = await set_up_home(hass)
    await film_arrived(home)
    freezer.tick(timedelta(days=40))
    await home.runtime.async_tidy()
    await home.hear(request(SHOW, 40 * DAY, seasons=(1,)))
    assert home.value("latest_arrival") == STATE_UNKNOWN


async def test_the_latest_arrival_says_which_season_and_tier(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(2,)), playable(SEERR, SHOW, 6, seasons=(2,))
    )
    state = hass.states.get("sensor.media_arrivals_latest_arrival")
    assert state is not None
    assert state.state == "Lanterns"
    shown = {key: state.attributes[key] for key in ("year", "type", "season", "tier", "arrived_at")}
    assert shown == {
        "year": 2023,
        "type": "series",
        "season": 2,
        "tier": "hd",
        "arrived_at": moment(NOW - 994).isoformat(),
    }
    assert not any(isinstance(value, list) for value in state.attributes.values())


async def test_a_long_title_is_cut(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    long = replace(FILM, name="A" * 300)
    await home.hear(request(long, 0, Decision.APPROVED), playable(SEERR, long, 6))
    assert home.value("latest_arrival") == "A" * 254 + "…"


async def test_a_title_without_a_name_is_unknown(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    nameless = replace(FILM, name=None)
    await home.hear(request(nameless, 0, Decision.APPROVED), playable(SEERR, nameless, 6))
    assert home.value("arrived_today") == "1"
    assert home.value("latest_arrival") == STATE_UNKNOWN


async def test_a_dismissed_failure_is_not_counted_until_something_new_comes(
    hass: HomeAssistant,
) -> None:
    home = await set_up_home(hass)
    await home.hear(
        request(FILM, 0, Decision.APPROVED),
        held(RADARR, FILM, 1),
        download(RADARR, FILM, 3),
        download(RADARR, FILM, 4, DownloadState.FAILED),
    )
    assert home.value("failed") == "1"
    (arrival,) = home.runtime.board.arrivals()
    assert arrival.stage is Stage.FAILED
    await hass.services.async_call(
        "media_arrivals", "dismiss_arrival", {"arrival_id": arrival.id}, blocking=True
    )
    await hass.async_block_till_done()
    assert home.value("failed") == "0"
    await home.hear(download(RADARR, FILM, 5, download_id="again"))
    assert (home.value("failed"), home.value("downloading")) == ("0", "1")
    await home.hear(download(RADARR, FILM, 6, DownloadState.FAILED, download_id="again"))
    assert home.value("failed") == "1"


async def test_merged_titles_are_one_arrival(hass: HomeAssistant) -> None:
    """Seerr knows the series by one id, Sonarr by another, until Sonarr says both."""
    home = await set_up_home(hass)
    by_tmdb = replace(SHOW, ids=ExternalIds(tmdb=4002), own_id=None)
    by_tvdb = replace(SHOW, ids=ExternalIds(tvdb=70_002))
    await home.hear(
        request(by_tmdb, 0, Decision.APPROVED, seasons=(1,)),
        playable(SEERR, by_tmdb, 5, seasons=(1,)),
        held(SONARR, by_tvdb, 1, seasons=(1,), opens=True),
        download(SONARR, by_tvdb, 3, parts=(episode(1),), progress=0.5),
    )
    assert (home.value("arrived_today"), home.value("downloading")) == ("1", "1")
    await home.hear(held(SONARR, SHOW, 6, seasons=(1,)))
    assert len(tuple(home.runtime.board.arrivals())) == 1
    assert (home.value("arrived_today"), home.value("downloading")) == ("1", "0")
    assert home.value("download_progress") == STATE_UNKNOWN


async def test_numbers_are_right_from_the_start(hass: HomeAssistant) -> None:
    """What is on the board when the entities are made is counted, and only once."""
    home = await set_up_home(hass)
    await film_arrived(home)
    await home.hear(request(SHOW, 0, seasons=(1,), number=2))
    with home.answering():
        assert await hass.config_entries.async_reload(home.board_entry.entry_id)
        await hass.async_block_till_done()
    assert (home.value("arrived_today"), home.value("waiting_for_approval")) == ("1", "1")
    assert home.value("latest_arrival") == "The Glass Harbour"


async def test_a_change_does_not_look_at_the_whole_board(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await set_up_home(hass)
    monkeypatch.delattr(Register, "arrivals")
    await film_arrived(home)
    assert home.value("arrived_today") == "1"


async def test_a_sensor_of_the_board_is_written_only_when_it_differs(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    home = await set_up_home(hass)
    await film_arrived(home)
    before = hass.states.get("sensor.media_arrivals_arrived_today")
    assert before is not None
    reported = before.last_reported
    freezer.tick(1)
    await home.hear(request(SHOW, 0, seasons=(1,), number=2))
    assert home.value("waiting_for_approval") == "1"
    after = hass.states.get("sensor.media_arrivals_arrived_today")
    assert after is not None
    assert after.last_reported == reported


async def test_two_tiers_are_two_arrivals(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k", "seerr")
    await film_arrived(home)
    await home.hear(held(RADARR_4K, FILM, 7, opens=True))
    assert (home.value("arrived_today"), home.value("on_the_way")) == ("1", "1")


async def test_the_queue_is_unavailable_when_polling_fails_and_health_is_not(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    home = await set_up_home(hass)
    radarr = home.clients["radarr"]
    radarr.answer_poll = Poll(queue=3)
    await pass_time(hass, freezer, timedelta(minutes=6))
    assert home.state("sensor.radarr_queue") == "3"
    assert home.state("sensor.radarr_last_status") == "ok"

    radarr.error = TimedOutError()
    await pass_time(hass, freezer, timedelta(minutes=6))
    assert home.state("sensor.radarr_queue") == STATE_UNAVAILABLE
    assert home.state("sensor.radarr_last_status") == "timed_out"
    assert home.state("sensor.sonarr_queue") == "0"

    radarr.error = None
    await pass_time(hass, freezer, timedelta(minutes=6))
    assert home.state("sensor.radarr_queue") == "3"


def test_each_error_of_a_service_is_a_status() -> None:
    errors = [ServiceError]
    for error in errors:
        errors += error.__subclasses__()
    assert {error.key for error in errors} == set(LAST_STATUSES) - {"ok", OTHER_STATUS}


async def test_a_status_that_is_not_known_is_an_error(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    await home.note("radarr", last_status="something new")
    assert home.state("sensor.radarr_last_status") == "error"


async def test_two_services_of_a_kind_have_their_own_records(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k", all_entities=True)
    await home.note("radarr4k", received=5, last_webhook_at=NOW, queue=1)
    assert home.state("sensor.radarr_4k_webhooks_received") == "5"
    assert home.state("sensor.radarr_webhooks_received") == "0"
    assert home.state("sensor.radarr_4k_last_webhook") == moment(NOW).isoformat()
    assert home.state("sensor.radarr_last_webhook") == STATE_UNKNOWN


async def test_misses_of_a_day_and_delays_can_be_plotted(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only our own clock: with a day that passes at once, Home Assistant's timers outlive the test.
    monkeypatch.setattr(time, "time", lambda: NOW)
    home = await set_up_home(hass, "radarr", "radarr4k", all_entities=True)
    shown = ("webhooks_missed_in_24_hours", "webhook_delay", "polling_delay")

    def states(name: str) -> list[str]:
        return [home.state(f"sensor.{name}_{one}") for one in shown]

    assert states("radarr") == ["0", "unknown", "unknown"]
    await home.note(
        "radarr",
        misses=(Miss(NOW - 90_000, NOW - 90_000, "a"), Miss(NOW - 10, NOW - 20, "b")),
        webhook_delays=(0.5, 1.5, 60.0),
        poll_delays=(100.0, 200.0),
        version="x",
    )
    assert states("radarr") == ["1", "1.5", "150.0"]
    assert states("radarr_4k") == ["0", "unknown", "unknown"]
    monkeypatch.setattr(time, "time", lambda: NOW + 86_400)
    await home.note("radarr", version="y")
    assert states("radarr")[0] == "0"


async def test_numbers_have_a_state_class_and_a_unit(hass: HomeAssistant) -> None:
    await set_up_home(hass)
    for state in hass.states.async_all(Platform.SENSOR):
        if state.entity_id.endswith(("latest_arrival", "last_status")):
            continue
        assert state.attributes[ATTR_STATE_CLASS] == "measurement", state.entity_id
        assert state.attributes[ATTR_UNIT_OF_MEASUREMENT], state.entity_id


async def test_every_entity_and_its_state(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion
) -> None:
    home = await set_up_home(hass, all_entities=True)
    await film_arrived(home)
    await home.hear(
        held(SONARR, SHOW, 1, seasons=(1,), opens=True),
        episodes(2, 10),
        download(SONARR, SHOW, 3, parts=PACK, progress=0.5),
        request(OTHER_FILM, 9, number=2),
    )
    for entry_id in home.entries:
        await home.note(entry_id, webhook=WebhookHealth.WORKING)
    await home.note("radarr", received=7, failed=1, missed=2, last_webhook_at=NOW - 60, queue=1)
    seen = {}
    for entry in sorted(entity_registry.entities.values(), key=lambda entry: entry.entity_id):
        state = hass.states.get(entry.entity_id)
        assert state is not None, entry.entity_id
        # What is random or says only when the test ran is left out.
        attributes = {str(key): value for key, value in state.attributes.items()}
        for key in ("arrival_id", "known_at", "access_token", "entity_picture"):
            attributes.pop(key, None)
        seen[entry.entity_id] = {
            "unique_id": entry.unique_id,
            "category": entry.entity_category,
            "state": state.state,
            "attributes": attributes,
        }
    assert len(seen) > 40
    assert seen == snapshot


async def test_seven_services_stay_few(
    hass: HomeAssistant, entity_registry: er.EntityRegistry
) -> None:
    home = await set_up_home(
        hass, "radarr", "radarr4k", "radarr-kids", "sonarr", "sonarr4k", "sonarr-anime", "seerr"
    )
    await film_arrived(home)
    enabled = [entry for entry in entity_registry.entities.values() if not entry.disabled_by]
    assert len(enabled) <= 35
    shown = hass.states.async_all(
        ["binary_sensor", "button", "calendar", "event", "image", "sensor"]
    )
    assert len(enabled) == len(shown)
    for state in hass.states.async_all():
        lists = {
            key for key, value in state.attributes.items() if isinstance(value, (list, tuple, dict))
        }
        # Home Assistant itself lists an entity's options and event types.
        assert lists <= {"options", "event_types", "ids", "parts", "origin"}, state.entity_id


async def test_a_daily_show_shares_a_download_without_an_id(hass: HomeAssistant) -> None:
    """Without a download id, an arrival's parts are taken for one download."""
    home = await set_up_home(hass)
    parts = (PartRef(season=1, air_date="2026-05-01"), PartRef(season=1, air_date="2026-05-02"))
    await home.hear(
        held(SONARR, SHOW, 1, seasons=(1,), opens=True),
        download(SONARR, SHOW, 3, parts=parts, progress=0.4, download_id=None),
    )
    assert home.value("download_progress") == "40"
