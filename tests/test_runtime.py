"""From the door to the bus: what is told, when, how often; restarts; faults."""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import Context, CoreState, Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.media_arrivals.const import (
    BOARD_UNIQUE_ID,
    CONF_FINISHED_DAYS,
    CONF_JOURNAL_DAYS,
    CONF_TIER,
    DOMAIN,
    EVENT_STAGE_CHANGED,
    SIGNAL_RECORD,
)
from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Applied,
    Arrival,
    Change,
    ChangeKind,
    Origin,
    Role,
    Stage,
    Via,
)
from custom_components.media_arrivals.engine.connectors.base import WebhookCause
from custom_components.media_arrivals.engine.storage.models import (
    Commit,
    DatabaseUnavailableError,
)
from custom_components.media_arrivals.engine.storage.storage import Storage
from custom_components.media_arrivals.outbox import Watermark, to_outbox
from custom_components.media_arrivals.records import WebhookHealth
from custom_components.media_arrivals.runtime import (
    BOARD_KEY,
    START_BOUND,
    TOLD_FILE,
    BoardRuntime,
)
from custom_components.media_arrivals.troubles import DATABASE_FILE
from custom_components.media_arrivals.worker import SAVE_AFTER
from simulator import Film
from tests.house import House
from tests.payloads import FILM, radarr_grab, radarr_import

OTHER = Film(tmdb_id=9002, title="Paper Lighthouse", year=2023, imdb_id="tt9900002")


def stages(events: Sequence[Event[Any]]) -> list[tuple[str, str]]:
    """Return title and stage of events."""
    return [(event.data["title"], event.data["stage"]) for event in events]


async def leave_in_journal(folder: str, *bodies: dict[str, Any], age: float = 5.0) -> None:
    """Have the last run written deliveries down and not worked them off."""
    storage = await Storage.open(Path(folder, DATABASE_FILE))
    for body in bodies:
        await storage.journal.append(
            "radarr_entry", "radarr", body["eventType"], json.dumps(body), time.time() - age
        )
    # There was a baseline before, so that the first poll is none.
    await storage.cursors.save("radarr_entry", {})
    await storage.close()


# --- telling ----------------------------------------------------------------------------------


async def test_a_delivery_becomes_an_event(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()

    answer = await house.post(entry, radarr_grab(movie_id=movie.id))

    assert answer.status == 200
    await house.until(lambda: events, what="an event")
    assert stages(events) == [(FILM.title, "downloading")]
    data = events[0].data
    assert (data["via"], data["service"], data["late"]) == ("webhook", "radarr", False)
    assert hass.states.get("event.media_arrivals_arrivals") is not None
    assert house.record(entry).received == 1
    assert house.record(entry).processed == 1


async def test_a_journey_is_told_once_whoever_says_it(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={})
    radarr = house.stack.radarr
    movie = radarr.put_movie(FILM)
    await house.start()
    await house.proven(entry)

    download = await radarr.grab(movie)
    await house.until(lambda: events, what="the grab")
    await house.poll(entry)
    radarr.progress(download, 0.5)
    await house.poll(entry)
    radarr.progress(download, 1.0)
    await radarr.import_file(download)
    await house.until(lambda: stages(events)[-1][1] == "available", what="the end")
    await house.poll(entry)

    told = [stage for _, stage in stages(events)]
    assert told == sorted(set(told), key=told.index)
    assert told[0] == "downloading"
    assert house.record(entry).missed == 0
    (arrival,) = house.runtime.board.arrivals()
    assert arrival.stage is Stage.AVAILABLE
    timeline = await house.storage.timeline(arrival.id)
    assert [step.stage for step in timeline] == told


async def test_two_radarrs_do_not_mix(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    first = house.add_service(house.stack.radarr)
    second = house.add_service(house.stack.radarr_4k, data={CONF_TIER: "4k"})
    house.stack.radarr.put_movie(FILM)
    house.stack.radarr_4k.put_movie(OTHER)
    await house.start()

    # The same ids inside both, and the same instance name.
    await house.post(first, radarr_grab(FILM))
    await house.post(second, radarr_grab(OTHER))
    await house.until(lambda: len(events) == 2, what="two events")

    assert {(e.data["title"], e.data["tier"], e.data["service"]) for e in events} == {
        (FILM.title, "hd", "radarr"),
        (OTHER.title, "4k", "radarr_4k"),
    }
    assert house.record(first).received == house.record(second).received == 1
    assert len(tuple(house.runtime.board.arrivals())) == 2


async def test_dismissing_carries_the_context(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(FILM)
    await house.start()
    await house.post(entry, radarr_grab())
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
    (arrival,) = house.runtime.board.arrivals()

    dismissed = await house.runtime.dismiss(arrival.id, Context(user_id="somebody"))

    assert dismissed is not None
    assert dismissed.dismissed
    assert await house.runtime.dismiss("unknown", Context()) is None
    stored = await house.storage.arrival(arrival.id)
    assert stored is not None
    assert stored.arrivals[0].dismissed


# --- the start --------------------------------------------------------------------------------


async def test_what_the_last_run_left_is_worked_off_and_told_once(
    hass: HomeAssistant, house: House, hass_config_dir: str
) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    await leave_in_journal(hass_config_dir, radarr_grab(), radarr_import())
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(FILM, quality="WEBDL-1080p")
    hass.set_state(CoreState.not_running)
    await house.start()
    record = house.record(entry)
    await house.until(lambda: record.processed + record.ignored == 2, what="both worked off")
    assert events == []

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await house.settle()

    assert stages(events) == [(FILM.title, "available")]
    assert await house.storage.journal.pending() == ()


async def test_what_happened_long_ago_is_told_late(
    hass: HomeAssistant, house: House, hass_config_dir: str
) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    await leave_in_journal(hass_config_dir, radarr_grab(), age=3600)
    house.add_board()
    house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(FILM)

    await house.start()
    await house.until(lambda: events, what="an event")

    assert events[0].data["late"] is True


@pytest.mark.parametrize("bound", [START_BOUND, 0.05])
async def test_telling_waits_for_the_first_polls_but_not_for_ever(
    hass: HomeAssistant,
    house: House,
    hass_config_dir: str,
    monkeypatch: pytest.MonkeyPatch,
    bound: float,
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.runtime.START_BOUND", bound)
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    await leave_in_journal(hass_config_dir, radarr_grab())
    house.add_board()
    house.add_service(house.stack.radarr)
    house.add_service(house.stack.radarr_4k)
    house.stack.radarr.put_movie(FILM)
    house.stack.radarr_4k.misbehave("hang")

    starting = asyncio.create_task(house.start())
    for _ in range(100):
        await asyncio.sleep(0.02)
        if bound != START_BOUND and events:
            break

    assert stages(events) == ([] if bound == START_BOUND else [(FILM.title, "downloading")])
    house.stack.radarr_4k.behave()
    await starting
    await house.until(lambda: events, what="an event")
    assert stages(events) == [(FILM.title, "downloading")]


async def test_what_was_not_told_before_a_crash_is_told_after_it(
    hass: HomeAssistant, house: House, hass_config_dir: str
) -> None:
    """The last run stored two changes and told the first of them."""
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    radarr = house.stack.radarr
    movies = [radarr.put_movie(FILM), radarr.put_movie(OTHER)]
    await house.start()
    await house.post(entry, radarr_grab(FILM, movie_id=movies[0].id, download="A"))
    await house.post(entry, radarr_grab(OTHER, movie_id=movies[1].id, download="B"))
    await house.until(lambda: house.record(entry).processed == 2, what="both")
    changes = [
        change
        for arrival in house.runtime.board.arrivals()
        for change in [change_of(house, arrival)]
    ]
    runtime = house.runtime
    await runtime.async_close()
    storage = await Storage.open(Path(hass_config_dir, DATABASE_FILE))
    await storage.records.save(BOARD_UNIQUE_ID, to_outbox(changes, 41))
    await storage.close()
    watermark = Watermark.open(Path(hass_config_dir, TOLD_FILE))
    watermark.number = 41
    watermark.close()

    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    again = BoardRuntime(hass)
    hass.data[BOARD_KEY] = again
    again.async_is_up(entry.entry_id)
    again.async_is_up(house.board.entry_id)
    await again.async_open()
    again.async_follow_home_assistant()
    await house.settle()

    assert stages(events) == [(changes[1].title.name, "downloading")]
    await again.async_close()
    await again.async_open()
    await house.settle()
    assert len(events) == 1


def change_of(house: House, arrival: Arrival) -> Change:
    """Return the change that brought an arrival where it is."""
    return Change(
        kind=ChangeKind.STAGE,
        title=house.runtime.board.title(arrival.title_id),
        arrival=arrival,
        stage=arrival.stage,
        previous=None,
        origin=Origin(service="radarr_entry", kind="radarr", role=Role.DOWNLOADS, via=Via.WEBHOOK),
        happened_at=arrival.stage_at,
        known_at=arrival.known_at,
    )


# --- the end ----------------------------------------------------------------------------------


async def test_the_end_works_off_what_waits(hass: HomeAssistant, house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    await house.post(entry, radarr_grab())

    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()

    assert house.runtime.storage is None
    assert (await house.post(entry, radarr_grab())).status == 503
    storage = await Storage.open(Path(hass.config.config_dir, DATABASE_FILE))
    documents = await storage.records.load()
    assert documents[entry.entry_id]["received"] == 1
    (row,) = (await storage.journal.recent()).rows
    await storage.close()
    assert row.event_type == "Grab"


async def test_records_outlive_a_restart(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.runtime.note(
        entry.entry_id,
        webhook=WebhookHealth.FAILED,
        webhook_cause=WebhookCause.REFUSED,
        missed=7,
    )
    await house.runtime.async_close()

    again = BoardRuntime(hass)
    await again.async_open()

    record = again.records[entry.entry_id]
    assert (record.webhook, record.webhook_cause, record.missed) == (
        WebhookHealth.FAILED,
        WebhookCause.REFUSED,
        7,
    )
    assert again.cursors.keys() == {entry.entry_id}
    await again.async_close()


# --- faults -----------------------------------------------------------------------------------


async def test_a_fault_in_one_delivery_is_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(OTHER)
    await house.start()
    apply = house.runtime.board.apply

    def faulty(report: AnyReport, **more: Any) -> Applied:
        if report.title.ids.tmdb == FILM.tmdb_id:
            raise RuntimeError(f"about {report.title.name}")
        return apply(report, **more)

    monkeypatch.setattr(house.runtime.board, "apply", faulty)
    await house.post(entry, radarr_grab(FILM))
    await house.post(entry, radarr_grab(OTHER))
    await house.until(lambda: house.record(entry).processed, what="the other one")

    assert house.record(entry).failed == 1
    rows = (await house.storage.journal.recent()).rows
    assert [(row.outcome, row.reason) for row in reversed(rows)] == [
        ("failed", "error"),
        ("processed", None),
    ]
    assert rows[1].error_message is not None
    assert rows[1].error_message.startswith("RuntimeError at test_runtime.py")
    assert FILM.title not in caplog.text


async def test_a_fault_of_the_worker_does_not_end_it(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(FILM)
    await house.start()
    worker = house.runtime.worker

    with monkeypatch.context() as broken:
        broken.setattr(worker, "_finish", None)
        await house.post(entry, radarr_grab())
        await house.settle()
    assert "Fault while working off 1 deliveries: TypeError" in caplog.text

    await house.post(entry, radarr_grab(download="BB22"))
    await house.until(lambda: house.record(entry).processed, what="the next one")


async def test_what_waited_for_an_answer_lets_others_have_their_turn(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    await house.stack.radarr.stop()
    for number in range(10):
        await house.post(entry, radarr_grab(download=f"AA{number}"))
    await house.settle()
    pending = house.runtime.questions.next(entry.entry_id)
    assert pending is not None
    assert len(pending.openings) == 10
    board_open, turns, at_turns = house.runtime.board.open, 0, []

    def slowly(*args: Any, **kwargs: Any) -> Applied:
        at_turns.append(turns)
        time.sleep(0.01)
        return board_open(*args, **kwargs)

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    monkeypatch.setattr(house.runtime.board, "open", slowly)
    counting = asyncio.create_task(count_turns())
    await house.runtime.worker.async_answered(pending, ())
    counting.cancel()

    assert len(at_turns) == 10
    assert len(set(at_turns)) >= 9


async def test_a_poll_survives_a_fault_in_one_report(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    radarr = house.stack.radarr
    film, other = radarr.put_movie(FILM), radarr.put_movie(OTHER)
    await house.start()
    apply = house.runtime.board.apply

    def faulty(report: AnyReport, **more: Any) -> Applied:
        if report.title.ids.tmdb == FILM.tmdb_id:
            raise RuntimeError("odd")
        return apply(report, **more)

    monkeypatch.setattr(house.runtime.board, "apply", faulty)
    await radarr.grab(film)
    await radarr.grab(other)
    await house.poll(entry)

    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
    assert "Fault while applying a report of radarr: RuntimeError" in caplog.text


async def test_what_cannot_be_stored_is_stored_later(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(FILM)
    house.stack.radarr.put_movie(OTHER)
    await house.start()

    async def full(_: Commit) -> None:
        raise DatabaseUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.storage, "commit", full)
        await house.post(entry, radarr_grab(FILM, movie_id=1, download="A"))
        await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
        assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is not None
        assert (await house.storage.load_live()).arrivals == ()

    await house.post(entry, radarr_grab(OTHER, movie_id=2, download="B"))
    await house.until(lambda: house.record(entry).processed == 2, what="both worked off")
    assert len((await house.storage.load_live()).arrivals) == 2
    assert await house.storage.journal.pending() == ()
    assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is None


# --- records ----------------------------------------------------------------------------------


async def test_counters_are_shown_now_and_then_and_health_at_once(
    house: House, hass: HomeAssistant
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    signals: list[int] = []
    async_dispatcher_connect(
        hass, SIGNAL_RECORD.format(entry.entry_id), callback(lambda: signals.append(1))
    )
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    await hass.async_block_till_done()
    signals.clear()

    for _ in range(5):
        house.runtime.count(entry.entry_id, received=1)
    house.runtime.note(entry.entry_id, missed=0)
    shown = len(signals)
    assert shown <= 1

    house.runtime.note(entry.entry_id, webhook=WebhookHealth.FAILED)
    assert len(signals) == shown + 1

    house.runtime.count(entry.entry_id, received=1)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    await hass.async_block_till_done()
    assert len(signals) == shown + 2
    house.runtime.note("removed", webhook=WebhookHealth.FAILED)


async def test_records_are_stored_after_a_while(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.runtime.count(entry.entry_id, refused=3)

    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=SAVE_AFTER + 1))
    await house.settle()

    assert (await house.storage.records.load())[entry.entry_id]["refused"] == 3


# --- housekeeping -----------------------------------------------------------------------------


async def test_housekeeping(
    house: House, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    house.add_board(**{CONF_FINISHED_DAYS: 3, CONF_JOURNAL_DAYS: 2})
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    await house.post(entry, radarr_grab(movie_id=movie.id))
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
    freezer.tick(60)
    await house.post(entry, radarr_import(movie_id=movie.id))
    await house.until(
        lambda: house.runtime.board.counts[Stage.AVAILABLE] == 1, what="an arrival that arrived"
    )
    (arrival,) = house.runtime.board.arrivals()

    await house.runtime.async_tidy()
    assert len(tuple(house.runtime.board.arrivals())) == 1

    freezer.tick(timedelta(days=4))
    async_fire_time_changed(hass)
    await house.settle()
    await house.until(lambda: not tuple(house.runtime.board.arrivals()), what="an empty board")

    assert (await house.storage.journal.recent()).total == 0
    assert await house.storage.arrival(arrival.id) is not None

    # It comes back when a report names it.
    await house.post(entry, radarr_grab(movie_id=movie.id, download="BB22"))
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="it again")
    assert house.runtime.board.get(arrival.id) is not None


async def test_housekeeping_reports_a_database_that_fails(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    house.add_service(house.stack.radarr)
    await house.start()

    async def broken(*_: Any, **__: Any) -> int:
        raise DatabaseUnavailableError("disk I/O error")

    monkeypatch.setattr(house.storage.journal, "trim", broken)
    await house.runtime.async_tidy()

    assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is not None
