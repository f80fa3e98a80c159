"""Bursts, ends and odd states of what changes the board."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.media_arrivals.const import (
    CONF_JOURNAL_ROWS,
    DOMAIN,
    EVENT_STAGE_CHANGED,
)
from custom_components.media_arrivals.engine.connectors.base import NotFoundError, Sighting
from custom_components.media_arrivals.engine.storage.journal import Journal
from custom_components.media_arrivals.engine.storage.models import (
    Commit,
    DatabaseDamagedError,
    DatabaseUnavailableError,
)
from custom_components.media_arrivals.engine.storage.storage import Storage
from custom_components.media_arrivals.records import WebhookHealth
from custom_components.media_arrivals.runtime import BOARD_KEY, BoardRuntime
from custom_components.media_arrivals.troubles import DATABASE_FILE
from custom_components.media_arrivals.worker import CROWD, MAX_BATCH, Worker
from simulator import Film
from tests.engine.board import household
from tests.house import House
from tests.payloads import radarr_grab, radarr_rename, radarr_test


async def leave(folder: str, count: int, service: str = "radarr_entry") -> None:
    """Have the last run written deliveries down and not worked them off."""
    storage = await Storage.open(Path(folder, DATABASE_FILE))
    body = json.dumps(radarr_rename())
    for _ in range(count):
        await storage.journal.append(service, "radarr", "Rename", body, 1.0)
    await storage.close()


async def test_a_burst_is_worked_off_in_order_and_whole(
    house: House, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.PACE", 10_000.0)
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    entry = house.add_service(house.stack.radarr)
    films = [
        Film(tmdb_id=20_000 + number, title=f"Film {number}", year=2024, imdb_id=f"tt{number:07}")
        for number in range(MAX_BATCH + 40)
    ]
    for film in films:
        house.stack.radarr.put_movie(film)
    await house.start()

    answers = await asyncio.gather(
        *(
            house.post(entry, radarr_grab(film, movie_id=number, download=f"D{number}"))
            for number, film in enumerate(films, 1)
        )
    )
    await house.until(
        lambda: house.record(entry).processed == len(films), what="everything worked off"
    )

    assert {answer.status for answer in answers} == {200}
    assert house.record(entry).received == len(films)
    await house.until(lambda: len(events) == len(films), what="every event")
    assert {event.data["title"] for event in events} == {film.title for film in films}
    assert await house.storage.journal.pending() == ()


async def test_a_long_burst_does_not_take_all_of_home_assistant(
    house: House, hass_config_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.PACE", 100.0)
    entry = house.add_service(house.stack.radarr)
    await house.start()
    began = asyncio.get_running_loop().time()

    await asyncio.gather(*(house.post(entry, radarr_rename()) for _ in range(2 * MAX_BATCH)))
    await house.until(
        lambda: house.record(entry).ignored == 2 * MAX_BATCH, what="everything worked off"
    )

    # The first batch is free; what comes after it has to keep to the pace.
    assert asyncio.get_running_loop().time() - began > 0.2


def is_busy(worker: Worker) -> bool:
    """Ask anew each time: a type checker believes that an answer lasts."""
    return worker.busy


async def test_a_crowd_at_the_door_goes_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.PATIENCE", 0.2)
    entry = house.add_service(house.stack.radarr)
    await house.start()
    worker = house.runtime.worker
    worker.at_door = CROWD

    await house.post(entry, radarr_rename())
    await asyncio.sleep(0.05)
    assert is_busy(worker)
    assert len(await house.storage.journal.pending()) == 1
    worker.at_door -= 1
    await asyncio.sleep(0.05)
    assert not is_busy(worker)

    # Where the disk is slow there is always a crowd: it is not let go first for ever.
    worker.at_door = CROWD
    await house.post(entry, radarr_rename())
    await house.settle()
    assert house.record(entry).ignored == 2


async def test_a_journal_that_cannot_be_read_is_read_again(
    house: House,
    hass_config_dir: str,
    monkeypatch: pytest.MonkeyPatch,
    issue_registry: ir.IssueRegistry,
) -> None:
    await leave(hass_config_dir, 3)
    entry = house.add_service(house.stack.radarr)
    calls = 0
    pending = Journal.pending

    async def twice_broken(journal: Journal, **bounds: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls <= 2:
            raise DatabaseUnavailableError("disk I/O error")
        return await pending(journal, **bounds)

    monkeypatch.setattr(Journal, "pending", twice_broken)
    monkeypatch.setattr("custom_components.media_arrivals.worker.RETRY_SECONDS", 0.01)
    await house.start()
    await house.until(lambda: house.record(entry).ignored == 3, what="everything worked off")

    assert calls == 3
    # Polls did not wait for it, and told the user.
    assert house.record(entry).last_status == "ok"


async def test_a_journal_that_cannot_be_read_at_the_end_is_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    monkeypatch.setattr("custom_components.media_arrivals.deliveries.MAX_KEPT", 0)
    monkeypatch.setattr("custom_components.media_arrivals.worker.PATIENCE", 60.0)
    house.runtime.worker.at_door = CROWD
    await house.post(entry, radarr_rename())

    async def broken(**_: Any) -> Any:
        raise DatabaseUnavailableError("disk I/O error")

    monkeypatch.setattr(house.storage.journal, "pending", broken)
    path = house.storage.path
    await house.runtime.async_close()
    # Again does nothing, although something is left.
    await house.runtime.async_close()

    storage = await Storage.open(path)
    assert await storage.journal.last_pending() == 1
    await storage.close()


async def test_a_flood_does_not_fill_the_journal_before_the_night(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.TRIM_EVERY", 10)
    house.add_board(**{CONF_JOURNAL_ROWS: 5})
    entry = house.add_service(house.stack.radarr)
    await house.start()

    for _ in range(30):
        await house.post(entry, radarr_rename())
    await house.until(lambda: house.record(entry).ignored == 30, what="everything worked off")
    await house.settle()

    assert (await house.storage.journal.recent()).total <= 15

    async def broken(*_: object) -> int:
        raise DatabaseUnavailableError("disk I/O error")

    monkeypatch.setattr(house.storage.journal, "trim_by_number", broken)
    house.storage.journal.grown = 10
    await house.post(entry, radarr_rename())
    await house.until(
        lambda: issue_registry.async_get_issue(DOMAIN, "database_unavailable"), what="a repair"
    )
    assert house.record(entry).ignored == 31


async def test_nothing_counts_as_missed_while_deliveries_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.PATIENCE", 60.0)
    monkeypatch.setattr("custom_components.media_arrivals.runtime.BUSY_SECONDS", 0.01)
    monkeypatch.setattr("custom_components.media_arrivals.missed.PATIENCE", 0.0)
    entry = house.add_service(house.stack.radarr)
    await house.start()
    runtime, now = house.runtime, time.time()
    runtime.started_at = now - 10
    runtime.note(entry.entry_id, webhook=WebhookHealth.WORKING, proven_since=1.0, events=("grab",))
    told = Sighting(event="grab", key="d1", at=now)
    runtime.worker.at_door = CROWD
    await house.post(entry, radarr_grab(house.film, download="D1"))

    runtime.look_for_missed(entry.entry_id, [told])
    await asyncio.sleep(1.2)
    assert runtime.worker.busy
    assert house.record(entry).missed == 0

    runtime.worker.at_door = 0
    await house.settle()
    await asyncio.sleep(0.05)
    assert house.record(entry).missed == 0
    runtime.look_for_missed(entry.entry_id, [replace(told, key="d2")])
    await asyncio.sleep(1.2)
    assert house.record(entry).missed == 1


async def test_many_rows_of_the_last_run(house: House, hass_config_dir: str) -> None:
    await leave(hass_config_dir, MAX_BATCH + 6)
    entry = house.add_service(house.stack.radarr)

    await house.start()
    await house.until(
        lambda: house.record(entry).ignored == MAX_BATCH + 6, what="everything worked off"
    )

    assert await house.storage.journal.pending() == ()


async def test_rows_of_a_service_that_is_gone_are_no_obstacle(
    house: House, hass_config_dir: str
) -> None:
    await leave(hass_config_dir, 1, service="gone")
    await leave(hass_config_dir, 1)
    entry = house.add_service(house.stack.radarr)

    await house.start()
    await house.until(lambda: house.record(entry).ignored == 1, what="ours worked off")


async def test_what_cannot_be_worked_off_in_time_waits_for_the_next_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.DRAIN_SECONDS", 0.05)
    entry = house.add_service(house.stack.radarr)
    await house.start()
    commit = house.storage.commit
    go = asyncio.Event()

    async def slow(what: Commit) -> None:
        await go.wait()
        await commit(what)

    monkeypatch.setattr(house.storage, "commit", slow)
    await house.post(entry, radarr_rename())
    await asyncio.sleep(0.05)
    await house.post(entry, radarr_rename())
    path = house.storage.path
    closing = asyncio.create_task(house.runtime.async_close())
    await asyncio.sleep(0.2)
    go.set()
    await closing

    storage = await Storage.open(path)
    page = await storage.journal.recent()
    await storage.close()
    assert page.total == 2
    assert sum(row.processed for row in page.rows) >= 1


async def test_a_service_knows_nothing_of_what_it_is_asked(house: House) -> None:
    """It answers 404: the delivery is worked off, and opens what it says."""
    entry = house.add_service(house.stack.radarr)
    await house.start()
    coordinator = house.runtime.coordinators[entry.entry_id]

    async def nothing(*_: Any) -> None:
        raise NotFoundError("404")

    coordinator.client.answer = nothing  # type: ignore[method-assign,assignment]
    await house.post(entry, radarr_grab())
    await house.until(lambda: not house.runtime.questions.total, what="an answer")

    assert await house.storage.journal.pending() == ()


async def test_a_database_that_gets_damaged_is_raised(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    async def damaged(_: Commit) -> None:
        raise DatabaseDamagedError("database disk image is malformed")

    monkeypatch.setattr(house.storage, "commit", damaged)
    await house.post(entry, radarr_rename())
    await house.until(
        lambda: issue_registry.async_get_issue(DOMAIN, "database_damaged"), what="a repair"
    )


async def test_a_schedule_or_a_farewell_that_cannot_be_stored_is_raised(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    house.add_service(house.stack.radarr_4k)
    await house.start()

    async def broken(*_: Any) -> None:
        raise DatabaseUnavailableError("disk I/O error")

    monkeypatch.setattr(house.storage.schedule, "save", broken)
    await house.runtime.coordinators[entry.entry_id].async_sync()
    assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is not None

    ir.async_delete_issue(house.hass, DOMAIN, "database_unavailable")
    monkeypatch.setattr(house.storage, "forget_service", broken)
    monkeypatch.setattr(house.storage, "commit", broken)
    await house.hass.config_entries.async_remove(entry.entry_id)
    assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is not None
    assert entry.entry_id not in house.runtime.records


async def test_a_board_that_cannot_be_read_is_raised(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    async def broken(_: Any) -> None:
        raise DatabaseUnavailableError("disk I/O error")

    monkeypatch.setattr(
        "custom_components.media_arrivals.engine.storage.storage.Storage.load_live", broken
    )
    entry = house.add_service(house.stack.radarr)

    await house.start()

    assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is not None
    # Without what is in it, the board would enter everything anew.
    assert house.runtime.storage is None
    assert (await house.post(entry, radarr_grab())).status == 503


async def test_the_board_outlives_a_restart(house: House, hass: HomeAssistant) -> None:
    house.add_board()
    house.add_service(house.stack.seerr)
    await house.start()
    seerr = house.runtime.board.services["seerr_entry"]
    asked = household.request(household.FILM, 0)
    asked = replace(asked, origin=replace(asked.origin, service=seerr.id))
    await house.runtime.apply([asked], service=seerr.id)
    (arrival,) = house.runtime.board.arrivals()
    (request,) = house.runtime.board.requests()
    await house.runtime.async_close()

    again = hass.data[BOARD_KEY] = BoardRuntime(hass)
    await again.async_open()

    assert tuple(again.board.arrivals()) == (arrival,)
    assert tuple(again.board.requests()) == (request,)
    assert again.board.counts == house.runtime.board.counts
    await again.async_close()


async def test_an_end_before_everybody_is_up(hass: HomeAssistant, house: House) -> None:
    house.add_service(house.stack.radarr)
    runtime = hass.data[BOARD_KEY] = BoardRuntime(hass)
    await runtime.async_open()
    runtime.async_follow_home_assistant()

    await runtime.async_close()

    # Nothing is left that would come later: the test's own guard looks for timers.
    assert runtime.storage is None


# --- tests that nobody waits for -----------------------------------------------------------------


async def test_a_test_that_nobody_waits_for_has_the_webhook_looked_at(house: House) -> None:
    entry = house.add_service(house.stack.radarr, options={})
    await house.start()
    await house.proven(entry)
    house.runtime.note(entry.entry_id, webhook=WebhookHealth.FAILED)

    assert (await house.post(entry, radarr_test())).status == 200

    await house.proven(entry)


async def test_a_test_of_a_webhook_that_works_is_no_reason_to_look(house: House) -> None:
    entry = house.add_service(house.stack.radarr, options={})
    await house.start()
    await house.proven(entry)
    before = house.record(entry).proven_at

    assert (await house.post(entry, radarr_test())).status == 200
    await house.settle()

    assert house.record(entry).proven_at == before


async def test_a_test_for_a_service_that_is_being_removed(house: House) -> None:
    house.add_service(house.stack.radarr)
    await house.start()

    house.runtime.async_tested("gone")

    assert "gone" not in house.runtime.records


# --- records that another version stored ------------------------------------------------------


async def test_a_record_of_another_version_is_read_as_far_as_it_is_known(
    house: House, hass_config_dir: str
) -> None:
    storage = await Storage.open(Path(hass_config_dir, DATABASE_FILE))
    await storage.records.save(
        "radarr_entry", {"received": 5, "webhook": "enchanted", "unheard_of": True}
    )
    await storage.close()
    entry = house.add_service(house.stack.radarr)

    await house.start()

    assert house.record(entry).received == 5
    assert house.record(entry).webhook is WebhookHealth.UNPROVEN


async def test_the_last_service_of_a_newer_database_leaves_it_alone(
    house: House, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr)

    async def refuse(_: Path) -> None:
        raise DatabaseUnavailableError("not here")

    monkeypatch.setattr(
        "custom_components.media_arrivals.engine.storage.storage.Database.open", refuse
    )
    await house.start()
    assert house.runtime.storage is None

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    assert hass.config_entries.async_entries(DOMAIN) == []
