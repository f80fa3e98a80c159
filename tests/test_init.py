"""Set-up, reload, removal; and what happens when the database does not do."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.media_arrivals.const import (
    BOARD_UNIQUE_ID,
    CONF_POLLING_ONLY,
    CONF_TIER,
    DOMAIN,
    EVENT_STAGE_CHANGED,
)
from custom_components.media_arrivals.coordinator import POLL
from custom_components.media_arrivals.engine.board.claims import speaks
from custom_components.media_arrivals.engine.connectors.base import ServiceError, WebhookError
from custom_components.media_arrivals.engine.storage.models import DatabaseUnavailableError
from custom_components.media_arrivals.engine.storage.schema import SCHEMA_VERSION
from custom_components.media_arrivals.engine.storage.storage import Storage
from custom_components.media_arrivals.records import WebhookHealth
from custom_components.media_arrivals.runtime import board_entry
from custom_components.media_arrivals.screening import DOCUMENT
from custom_components.media_arrivals.troubles import DATABASE_FILE
from tests.house import House
from tests.payloads import radarr_grab, radarr_import


def ours(folder: str) -> list[str]:
    """Return the names of the files that we made."""
    return sorted(file.name for file in Path(folder).glob("media_arrivals*"))


def set_version(path: Path, version: int) -> bytes:
    """Pretend that another version wrote the file; return what is in it then."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return contents(path)


def contents(path: Path) -> bytes:
    """Return what is in a file."""
    return path.read_bytes()


def damage(path: Path) -> None:
    """Leave something else where the database was."""
    path.write_bytes(b"this was a database once " * 200)


def obstruct(path: Path) -> None:
    """Leave a folder where the database should be."""
    path.mkdir()


def state(entry: MockConfigEntry | ConfigEntry) -> ConfigEntryState:
    """Return an entry's state at this moment."""
    return entry.state


def registered(hass: HomeAssistant, entry: MockConfigEntry) -> bool:
    """Tell whether Home Assistant knows an entry's webhook."""
    return entry.data[CONF_WEBHOOK_ID] in hass.data["webhook"]


async def test_board_and_services_are_set_up(
    house: House, hass: HomeAssistant, device_registry: dr.DeviceRegistry
) -> None:
    board = house.add_board()
    services = [
        house.add_service(house.stack.radarr),
        house.add_service(house.stack.radarr_4k, data={CONF_TIER: "4k"}),
        house.add_service(house.stack.sonarr),
        house.add_service(house.stack.seerr),
    ]

    await house.start()

    assert state(board) is ConfigEntryState.LOADED
    for entry in services:
        assert state(entry) is ConfigEntryState.LOADED
        assert registered(hass, entry)
        assert house.record(entry).last_status == "ok"
    assert house.record(services[0]).version == house.stack.radarr.version
    (device,) = dr.async_entries_for_config_entry(device_registry, board.entry_id)
    for entry in services:
        (own,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        assert own.via_device_id == device.id


async def test_unloading_leaves_only_the_door(house: House, hass: HomeAssistant) -> None:
    board = house.add_board()
    entry = house.add_service(house.stack.radarr)
    await house.start()

    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await hass.config_entries.async_unload(board.entry_id)

    assert state(entry) is ConfigEntryState.NOT_LOADED
    assert registered(hass, entry)
    assert house.runtime.coordinators == {}
    assert {state.state for state in hass.states.async_all()} <= {"unavailable"}

    assert await hass.config_entries.async_setup(entry.entry_id)
    assert house.runtime.coordinators.keys() == {entry.entry_id}
    await house.settle()


async def test_a_service_that_is_down_is_tried_again(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    other = house.add_service(house.stack.radarr_4k)
    await house.stack.radarr.stop()

    await house.start()

    assert state(entry) is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "connection_refused"
    assert entry.reason is not None
    assert entry.reason.startswith("The host of radarr responds, but nothing listens")
    assert house.record(entry).last_status == "connection_refused"
    assert state(other) is ConfigEntryState.LOADED

    await house.stack.radarr.start()
    await hass.config_entries.async_reload(entry.entry_id)
    assert state(entry) is ConfigEntryState.LOADED
    assert house.record(entry).last_status == "ok"
    await house.settle()


async def test_of_a_service_that_is_known_health_is_shown_when_it_is_down(
    house: House, hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr, options={})
    await house.start()
    await house.proven(entry)
    await hass.config_entries.async_unload(entry.entry_id)
    house.stack.radarr.misbehave("503")
    caplog.clear()

    assert await hass.config_entries.async_setup(entry.entry_id)

    assert state(entry) is ConfigEntryState.LOADED
    coordinator = house.runtime.coordinators[entry.entry_id]
    shown = {
        name: hass.states.get(f"{name}").state  # type: ignore[union-attr]
        for name in ("binary_sensor.radarr_webhook", "sensor.radarr_last_status")
    }
    assert shown == {
        "binary_sensor.radarr_webhook": "on",
        "sensor.radarr_last_status": "server_fault",
    }
    assert hass.states.get("sensor.radarr_queue").state == "unavailable"  # type: ignore[union-attr]
    for pause in (20, 40, 80, 160, 300, 300):
        await house.poll(entry)
        assert coordinator.update_interval == timedelta(seconds=pause)
    assert caplog.text.count("Error fetching radarr data") == 1

    house.stack.radarr.version = "6.1.0.1"
    house.stack.radarr.behave()
    await house.poll(entry)
    assert hass.states.get("sensor.radarr_last_status").state == "ok"  # type: ignore[union-attr]
    assert hass.states.get("sensor.radarr_queue").state == "0"  # type: ignore[union-attr]
    assert house.record(entry).version == "6.1.0.1"
    assert coordinator.update_interval == POLL


async def test_a_known_service_that_refuses_the_key_for_good_asks_for_a_new_one(
    house: House, hass: HomeAssistant, freezer: Any
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.stack.radarr.misbehave("401")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_reload(entry.entry_id)
    assert state(entry) is ConfigEntryState.LOADED

    freezer.tick(301)
    await hass.config_entries.async_reload(entry.entry_id)

    assert state(entry) is ConfigEntryState.SETUP_ERROR
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    await house.settle()


async def test_whatever_is_wrong_with_a_service_has_words(hass: HomeAssistant) -> None:
    """The key of an error is known only when it happens, so no check of the code sees it."""
    texts = await async_get_translations(hass, "en", "exceptions", [DOMAIN])

    errors: list[type[ServiceError]] = [ServiceError, *ServiceError.__subclasses__()]
    for error in errors:
        if error is not WebhookError:
            text = texts[f"component.{DOMAIN}.exceptions.{error.key}.message"]
            assert "a Radarr" in text.format(service="a Radarr", detail="why")


async def test_a_passing_refusal_of_the_key_is_no_reauthentication(
    house: House, hass: HomeAssistant, freezer: Any
) -> None:
    entry = house.add_service(house.stack.radarr, data={CONF_API_KEY: "wrong"})
    await house.start()
    assert state(entry) is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "invalid_auth"

    freezer.tick(100)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_reload(entry.entry_id)
    assert state(entry) is ConfigEntryState.SETUP_RETRY
    assert not hass.config_entries.flow.async_progress()

    freezer.tick(201)
    await hass.config_entries.async_reload(entry.entry_id)
    assert state(entry) is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    await house.settle()


async def test_removing_a_service_leaves_no_trace_of_it(house: House, hass: HomeAssistant) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    other = house.add_service(house.stack.radarr_4k)
    house.stack.radarr.put_movie(house.film)
    await house.start()
    await house.post(entry, radarr_grab())
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")

    await hass.config_entries.async_remove(entry.entry_id)
    await house.settle()

    assert not registered(hass, entry)
    assert registered(hass, other)
    runtime = house.runtime
    assert entry.entry_id not in runtime.records
    assert entry.entry_id not in runtime.cursors
    assert runtime.board.services.keys() == {other.entry_id}
    assert len(tuple(runtime.board.arrivals())) == 1
    assert (await house.storage.journal.recent()).total == 0
    assert (await house.storage.records.load()).keys() <= {
        other.entry_id,
        BOARD_UNIQUE_ID,
        DOCUMENT,
    }
    assert board_entry(hass) is not None


async def test_the_remote_webhook_is_removed_with_the_service(
    house: House, hass: HomeAssistant
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={})
    await house.start()
    await house.until(
        lambda: house.record(entry).webhook is WebhookHealth.WORKING, what="a proven webhook"
    )
    assert len(house.stack.radarr.connections.rows) == 1

    await hass.config_entries.async_remove(entry.entry_id)

    assert len(house.stack.radarr.connections.rows) == 0
    await hass.async_block_till_done()


async def test_a_service_that_is_down_can_be_removed(house: House, hass: HomeAssistant) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={CONF_POLLING_ONLY: True})
    house.add_service(house.stack.radarr_4k)
    await house.start()
    await house.stack.radarr.stop()

    await hass.config_entries.async_remove(entry.entry_id)

    assert hass.config_entries.async_get_entry(entry.entry_id) is None
    await house.settle()


async def test_with_the_last_service_the_board_goes_and_comes_again(
    house: House, hass: HomeAssistant, hass_config_dir: str
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(house.film)
    await house.start()
    await house.post(entry, radarr_grab())
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
    assert ours(hass_config_dir)

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    assert board_entry(hass) is None
    assert ours(hass_config_dir) == []
    assert tuple(house.runtime.board.arrivals()) == ()

    house.add_board()
    again = house.add_service(house.stack.radarr)
    assert await hass.config_entries.async_setup(again.entry_id)
    assert await hass.config_entries.async_setup(house.board.entry_id)
    assert (await house.post(again, radarr_grab(download="BB22"))).status == 200
    await house.settle()
    assert (await house.storage.journal.recent()).total == 1


async def test_the_board_stays_for_a_service_that_comes_while_another_goes(
    house: House, hass: HomeAssistant
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={})
    await house.start()
    await house.proven(entry)
    house.stack.radarr.misbehave("slow", seconds=0.5)

    removal = hass.async_create_task(hass.config_entries.async_remove(entry.entry_id))
    await asyncio.sleep(0.1)
    assert not removal.done()
    other = house.add_service(house.stack.radarr_4k)
    assert await hass.config_entries.async_setup(other.entry_id)
    await removal
    await house.settle()

    assert board_entry(hass) is not None
    assert house.runtime.storage is not None


async def test_the_board_goes_with_services_that_go_together(
    house: House, hass: HomeAssistant, hass_config_dir: str, caplog: pytest.LogCaptureFixture
) -> None:
    house.add_board()
    entries = [house.add_service(one) for one in (house.stack.radarr, house.stack.radarr_4k)]
    await house.start()

    await asyncio.gather(*(hass.config_entries.async_remove(entry.entry_id) for entry in entries))
    await hass.async_block_till_done()

    assert board_entry(hass) is None
    assert ours(hass_config_dir) == []
    assert "ERROR" not in {record.levelname for record in caplog.records}


async def test_what_waits_of_a_service_that_goes_is_not_taken(
    house: House, hass: HomeAssistant
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    house.add_service(house.stack.radarr_4k)
    house.stack.radarr.put_movie(house.film)
    await house.start()
    await house.post(entry, radarr_grab())
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
    told = async_capture_events(hass, EVENT_STAGE_CHANGED)
    # The worker is at the first of these while the second waits in the queue.
    async with house.runtime.worker._lock:  # noqa: SLF001 - nothing else holds it up so well
        await house.post(entry, radarr_grab())
        await asyncio.sleep(0.05)
        await house.post(entry, radarr_import())
        removal = hass.async_create_task(hass.config_entries.async_remove(entry.entry_id))
        await asyncio.sleep(0.2)
        assert not removal.done()
    await removal
    await house.settle()

    (arrival,) = house.runtime.board.arrivals()
    assert not speaks(arrival, entry.entry_id)
    assert told == []


async def test_a_missing_board_entry_comes_back(house: House, hass: HomeAssistant) -> None:
    house.add_service(house.stack.radarr)

    await house.start()

    entry = board_entry(hass)
    assert entry is not None
    assert state(entry) is ConfigEntryState.LOADED


async def test_without_services_there_is_no_board_entry(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()

    assert hass.config_entries.async_entries(DOMAIN) == []


# --- the database -----------------------------------------------------------------------------


async def test_a_newer_database_is_left_alone(
    house: House, hass_config_dir: str, issue_registry: ir.IssueRegistry
) -> None:
    path = Path(hass_config_dir, DATABASE_FILE)
    storage = await Storage.open(path)
    await storage.close()
    before = set_version(path, SCHEMA_VERSION + 1)
    entry = house.add_service(house.stack.radarr)

    await house.start()

    assert state(entry) is ConfigEntryState.LOADED
    answer = await house.post(entry, radarr_grab())
    assert (answer.status, await answer.json()) == (
        503,
        {"status": "error", "reason": "journal_unavailable"},
    )
    issue = issue_registry.async_get_issue(DOMAIN, "database_newer")
    assert issue is not None
    assert issue.translation_placeholders == {
        "found": str(SCHEMA_VERSION + 1),
        "known": str(SCHEMA_VERSION),
    }
    # Removing the last service deletes what was opened, and no more.
    await house.runtime.async_erase()
    assert contents(path) == before


async def test_a_database_that_cannot_be_opened_does_not_stop_anything(
    house: House, hass_config_dir: str, issue_registry: ir.IssueRegistry
) -> None:
    obstruct(Path(hass_config_dir, DATABASE_FILE))
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(house.film)

    await house.start()

    assert state(entry) is ConfigEntryState.LOADED
    assert (await house.post(entry, radarr_grab())).status == 503
    issue = issue_registry.async_get_issue(DOMAIN, "database_unavailable")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["file"] == DATABASE_FILE
    # The board lives in memory, and polls feed it.
    await house.stack.radarr.grab(movie)
    await house.poll(entry)
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")


async def test_a_damaged_database_is_set_aside(
    house: House, hass_config_dir: str, issue_registry: ir.IssueRegistry
) -> None:
    damage(Path(hass_config_dir, DATABASE_FILE))
    entry = house.add_service(house.stack.radarr)

    await house.start()

    assert (await house.post(entry, radarr_grab())).status == 200
    issue = issue_registry.async_get_issue(DOMAIN, "database_damaged")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["file"] in ours(hass_config_dir)
    await house.settle()


async def test_a_database_that_cannot_be_read_is_done_without(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    async def unreadable(_: Any) -> None:
        raise DatabaseUnavailableError("disk I/O error")

    monkeypatch.setattr(
        "custom_components.media_arrivals.engine.storage.records.Documents.load", unreadable
    )
    entry = house.add_service(house.stack.radarr)

    await house.start()

    assert state(entry) is ConfigEntryState.LOADED
    assert house.runtime.storage is None
    assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is not None


async def test_what_another_version_left_to_tell_does_not_stop_the_start(
    house: House, hass_config_dir: str
) -> None:
    storage = await Storage.open(Path(hass_config_dir, DATABASE_FILE))
    await storage.records.save(BOARD_UNIQUE_ID, {"first": 1, "changes": [{"kind": "news"}]})
    await storage.close()
    entry = house.add_service(house.stack.radarr)

    await house.start()

    assert state(entry) is ConfigEntryState.LOADED
    assert (await house.post(entry, radarr_grab())).status == 200
    await house.settle()


async def test_what_is_left_of_services_that_are_gone_is_forgotten(
    house: House, hass_config_dir: str
) -> None:
    storage = await Storage.open(Path(hass_config_dir, DATABASE_FILE))
    await storage.records.save("gone", {"received": 3})
    await storage.journal.append("gone", "radarr", "Grab", "{}", 1.0)
    await storage.close()
    entry = house.add_service(house.stack.radarr)

    await house.start()

    assert house.runtime.records.keys() == {entry.entry_id}
    assert (await house.storage.journal.recent()).total == 0
