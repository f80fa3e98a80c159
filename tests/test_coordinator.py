"""The fallback: polls, baselines, questions, syncs, missed webhooks."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler
from homeassistant.core import Context, Event, HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.media_arrivals import coordinator as coordinator_module
from custom_components.media_arrivals.const import (
    CONF_INTERVAL_HOURS,
    CONF_MANUAL_WEBHOOK,
    CONF_SCHEDULE_ENABLED,
    EVENT_STAGE_CHANGED,
)
from custom_components.media_arrivals.coordinator import (
    POLL,
    POLL_DOWNLOADING,
    POLL_HEALTHY,
    ServiceCoordinator,
)
from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    Question,
    QuestionKind,
    TitleRef,
)
from custom_components.media_arrivals.engine.connectors.base import NotReadyError
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.questions import GIVE_UP_AFTER, Pending, Ticket
from custom_components.media_arrivals.records import WebhookHealth
from simulator import DeliveryFaults, Film, Stack
from simulator.service import HttpDouble
from tests.house import House
from tests.payloads import FILM, radarr_grab

OTHER = Film(tmdb_id=9002, title="Paper Lighthouse", year=2023, imdb_id="tt9900002")
MANUAL = {CONF_MANUAL_WEBHOOK: True}


def coordinator_of(house: House, entry: MockConfigEntry) -> ServiceCoordinator:
    return house.runtime.coordinators[entry.entry_id]


def pending(house: House, entry: MockConfigEntry) -> Pending:
    """Return the question that waits."""
    found = house.runtime.questions.next(entry.entry_id)
    assert found is not None
    return found


def succeeded(coordinator: ServiceCoordinator) -> bool:
    """Tell how the last poll went."""
    return coordinator.last_update_success


def stages(events: Sequence[Event[Any]]) -> list[tuple[str, str]]:
    return [(event.data["title"], event.data["stage"]) for event in events]


async def pass_time(house: House, seconds: float) -> None:
    """Have Home Assistant believe that time has passed."""
    async_fire_time_changed(house.hass, dt_util.utcnow() + timedelta(seconds=seconds))
    await house.settle()


# --- polls ------------------------------------------------------------------------------------


async def test_what_was_there_before_is_entered_silently(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    radarr = house.stack.radarr
    radarr.put_movie(OTHER, quality="WEBDL-1080p")
    download = await radarr.grab(radarr.put_movie(FILM))
    radarr.progress(download, 0.3)

    await house.start()
    await house.poll(entry)

    (arrival,) = house.runtime.board.arrivals()
    assert house.runtime.board.title(arrival.title_id).name == FILM.title
    assert arrival.progress == pytest.approx(0.3)
    assert events == []
    assert (house.record(entry).queue, house.record(entry).downloading) == (1, True)


async def test_a_poll_tells_what_no_webhook_told(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()

    await house.stack.radarr.grab(movie)
    await house.poll(entry)
    await house.until(lambda: events, what="an event")

    assert stages(events) == [(FILM.title, "downloading")]
    assert events[0].data["via"] == "poll"
    stored = (await house.storage.cursors.load())[entry.entry_id]
    assert stored == house.runtime.cursors[entry.entry_id]


async def test_without_a_working_webhook_open_arrivals_are_looked_at_every_hour(
    house: House, freezer: FrozenDateTimeFactory
) -> None:
    """No history tells that a title was deleted."""
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    await house.stack.radarr.grab(movie)
    await house.poll(entry)
    await house.until(lambda: list(house.runtime.board.arrivals()), what="an arrival")
    await house.stack.radarr.delete_movie(movie)
    for webhook, stage in (
        (WebhookHealth.WORKING, "downloading"),
        (WebhookHealth.POLLING_ONLY, "removed"),
    ):
        house.runtime.note(entry.entry_id, webhook=webhook)
        freezer.tick(3700)
        await house.poll(entry)
        (arrival,) = house.runtime.board.arrivals()
        assert arrival.stage == stage


async def test_the_pace_follows_what_happens(house: House, freezer: FrozenDateTimeFactory) -> None:
    entry = house.add_service(house.stack.radarr)
    radarr = house.stack.radarr
    movie = radarr.put_movie(FILM)
    await house.start()
    coordinator = coordinator_of(house, entry)
    assert coordinator.update_interval == POLL

    download = await radarr.grab(movie)
    await house.poll(entry)
    assert coordinator.update_interval == POLL_DOWNLOADING

    radarr.progress(download, 1.0)
    await radarr.import_file(download)
    freezer.tick(60)
    await house.poll(entry)
    assert coordinator.update_interval == POLL

    house.runtime.note(entry.entry_id, webhook=WebhookHealth.WORKING)
    freezer.tick(timedelta(hours=23))
    await house.poll(entry)
    assert coordinator.update_interval == POLL
    freezer.tick(timedelta(hours=2))
    await house.poll(entry)
    assert coordinator.update_interval == POLL_HEALTHY

    house.runtime.note(entry.entry_id, webhook=WebhookHealth.FAILED)
    await house.poll(entry)
    assert coordinator.update_interval == POLL


async def test_it_polls_without_any_entity(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.stack.radarr.reset_counts()

    await pass_time(house, 301)
    await house.until(lambda: house.stack.radarr.calls, what="a poll")

    assert coordinator_of(house, entry).last_update_success


async def test_an_error_has_a_name_and_passes(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.stack.radarr.misbehave("500")

    await house.poll(entry)
    await house.poll(entry)

    coordinator = coordinator_of(house, entry)
    assert not succeeded(coordinator)
    assert house.record(entry).last_status == "server_fault"
    assert caplog.text.count("Error fetching radarr data") == 1

    house.stack.radarr.behave()
    await house.poll(entry)
    assert succeeded(coordinator)
    assert house.record(entry).last_status == "ok"
    assert house.record(entry).last_error is None


async def test_only_a_lasting_refusal_of_the_key_asks_for_a_new_one(
    house: House, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = house.add_service(house.stack.radarr)
    other = house.add_service(house.stack.radarr_4k)
    await house.start()
    house.stack.radarr.misbehave("401")

    for _ in range(4):
        await house.poll(entry)
    freezer.tick(299)
    await house.poll(entry)
    assert not hass.config_entries.flow.async_progress()
    house.stack.radarr.behave()
    await house.poll(entry)
    house.stack.radarr.misbehave("401")
    freezer.tick(10)
    await house.poll(entry)
    await house.poll(entry)
    assert not hass.config_entries.flow.async_progress()

    freezer.tick(301)
    await house.poll(entry)
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["context"]["entry_id"]) == (
        SOURCE_REAUTH,
        entry.entry_id,
    )
    assert house.record(entry).last_status == "invalid_auth"
    assert house.record(other).last_status == "ok"


async def test_a_service_that_hangs_hurts_no_other(hass: HomeAssistant, house: House) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    hanging = house.add_service(house.stack.radarr_4k)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    house.stack.radarr_4k.misbehave("hang")
    polling = asyncio.create_task(coordinator_of(house, hanging).async_refresh())

    await house.stack.radarr.grab(movie)
    await house.poll(entry)
    await house.until(lambda: events, what="an event")

    assert not polling.done()
    house.stack.radarr_4k.behave()
    await polling


async def test_a_hint_brings_an_early_poll(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    await house.stack.radarr.grab(movie)
    assert house.record(entry).downloading is False

    await house.post(entry, radarr_grab(movie_id=movie.id))
    await house.settle()
    await pass_time(house, 6)
    await house.until(lambda: house.record(entry).downloading, what="an early poll")


def wants_rest(double: HttpDouble, monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    """Have a service answer 429 and say for how long it wants to be left alone."""
    answer = web.Response(status=429, headers={"Retry-After": seconds})
    monkeypatch.setattr(double, "failure", lambda _: answer_like(answer))
    double.misbehave("429")


def answer_like(answer: web.Response) -> web.Response:
    """Return a fresh answer: one can be sent only once."""
    return web.Response(status=answer.status, headers=answer.headers)


async def test_a_service_that_wants_to_be_left_alone_is(
    house: House, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    other = house.add_service(house.stack.radarr_4k)
    await house.start()
    radarr = house.stack.radarr
    wants_rest(radarr, monkeypatch, "900")
    await house.poll(entry)
    assert house.record(entry).last_status == "server_fault"
    radarr.behave()
    radarr.reset_counts()

    # Neither a hint nor a question may disturb it, and it is no new failure.
    freezer.tick(890)
    await house.poll(entry)
    await house.post(entry, radarr_grab(movie_id=radarr.put_movie(FILM).id))
    await house.settle()
    await house.poll(other)
    # Only where the delivery comes from is looked at.
    assert {call.endpoint for call in radarr.calls} <= {"/api/v3/notification"}
    assert house.runtime.questions.count(entry.entry_id) == 1
    assert not succeeded(coordinator_of(house, entry))
    assert house.record(other).last_status == "ok"

    freezer.tick(20)
    coordinator_of(house, entry).async_wake()
    await house.until(lambda: not house.runtime.questions.total, what="an answer")
    await house.poll(entry)
    assert succeeded(coordinator_of(house, entry))


async def test_a_service_is_left_alone_for_an_hour_at_most(
    house: House, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    wants_rest(house.stack.radarr, monkeypatch, "86400")
    await house.poll(entry)
    house.stack.radarr.behave()
    freezer.tick(3601)
    await house.poll(entry)
    assert house.record(entry).last_status == "ok"


async def test_a_question_that_is_put_off_holds_up_all_calls_and_is_not_given_up(
    house: House, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    radarr = house.stack.radarr
    movie = radarr.put_movie(FILM)
    await house.start()
    wants_rest(radarr, monkeypatch, "3000")
    await house.post(entry, radarr_grab(movie_id=movie.id))
    await house.until(lambda: pending(house, entry).tries, what="a try")
    assert pending(house, entry).due_at == pytest.approx(dt_util.utcnow().timestamp() + 3000)
    asked = len(radarr.calls)
    freezer.tick(2900)
    await house.poll(entry)
    assert len(radarr.calls) == asked
    assert house.record(entry).last_status == "ok"
    freezer.tick(101)
    coordinator_of(house, entry).async_wake()
    await house.until(lambda: pending(house, entry).tries == 2, what="another try")
    radarr.behave()
    freezer.tick(3001)
    coordinator_of(house, entry).async_wake()
    await house.until(lambda: not house.runtime.questions.total, what="an answer")
    (row,) = (await house.storage.journal.recent()).rows
    assert row.outcome == "processed"


async def test_a_sync_that_finds_it_gone_or_back_says_so_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    caplog.clear()
    house.stack.radarr.misbehave("500")
    await coordinator_of(house, entry).async_sync()
    await house.poll(entry)
    await house.post(entry, radarr_grab(movie_id=house.stack.radarr.put_movie(FILM).id))
    await house.until(lambda: pending(house, entry).tries, what="a question without an answer")
    await coordinator_of(house, entry).async_sync()
    house.stack.radarr.behave()
    await coordinator_of(house, entry).async_sync()
    await house.poll(entry)
    await coordinator_of(house, entry).async_sync()
    told = [one for one in caplog.records if one.name.endswith(".coordinator") and one.levelno > 10]
    assert [one.levelname for one in told] == ["ERROR", "INFO"]
    assert "recovered" in told[1].getMessage()


# --- questions --------------------------------------------------------------------------------


async def test_a_thing_that_is_not_ready_is_asked_for_when_its_service_says(
    house: House, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    radarr = house.stack.radarr
    await house.start()
    coordinator = coordinator_of(house, entry)

    async def not_ready(*_: Any) -> Any:
        raise NotReadyError("no ids", retry_after=60.0)

    with monkeypatch.context() as young:
        young.setattr(coordinator.client, "answer", not_ready)
        await house.post(entry, radarr_grab(movie_id=radarr.put_movie(FILM).id))
        await house.until(lambda: pending(house, entry).tries, what="a try")
    assert pending(house, entry).due_at == pytest.approx(dt_util.utcnow().timestamp() + 60)
    # The service itself is well.
    radarr.reset_counts()
    await house.poll(entry)
    assert radarr.calls
    freezer.tick(61)
    coordinator.async_wake()
    await house.until(lambda: not house.runtime.questions.total, what="an answer")


async def test_a_question_is_asked_once_however_many_wait(
    hass: HomeAssistant, house: House
) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    house.stack.radarr.misbehave("hang")
    for download in ("A", "B", "C"):
        await house.post(entry, radarr_grab(movie_id=movie.id, download=download))
    await house.settle()
    assert house.runtime.questions.count(entry.entry_id) == 1
    assert len(await house.storage.journal.pending()) == 3

    house.stack.radarr.behave()
    await house.until(lambda: events, what="an event")

    assert stages(events) == [(FILM.title, "downloading")]
    await house.settle()
    assert await house.storage.journal.pending() == ()
    assert house.runtime.questions.total == 0


async def test_a_question_waits_while_the_service_is_down_and_is_asked_again(
    hass: HomeAssistant, house: House
) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    house.stack.radarr.misbehave("503")
    await house.post(entry, radarr_grab(movie_id=movie.id))
    await house.settle()
    await house.until(lambda: pending(house, entry).tries, what="a try")
    assert len(await house.storage.journal.pending()) == 1

    house.stack.radarr.behave()
    pending(house, entry).due_at = 0
    coordinator_of(house, entry).async_wake()
    await house.until(lambda: events, what="an event")

    assert stages(events) == [(FILM.title, "downloading")]
    assert await house.storage.journal.pending() == ()


async def test_a_question_is_given_up_with_a_reason(
    house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    house.stack.radarr.misbehave("503")
    await house.post(entry, radarr_grab(movie_id=movie.id))
    await house.until(lambda: pending(house, entry).tries, what="a try")

    freezer.tick(GIVE_UP_AFTER + 1)
    coordinator_of(house, entry).async_wake()
    await house.until(lambda: not house.runtime.questions.total, what="giving up")

    (row,) = (await house.storage.journal.recent()).rows
    assert (row.outcome, row.reason, row.error_message) == ("failed", "given_up", "server_fault")
    assert house.record(entry).failed == 1


async def test_a_question_waits_until_its_service_is_set_up(
    hass: HomeAssistant, house: House
) -> None:
    events = async_capture_events(hass, EVENT_STAGE_CHANGED)
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    await hass.config_entries.async_unload(entry.entry_id)
    await house.post(entry, radarr_grab(movie_id=movie.id))
    await house.settle()
    assert house.runtime.questions.count(entry.entry_id) == 1

    await hass.config_entries.async_setup(entry.entry_id)
    await house.until(lambda: events, what="an event")

    assert stages(events) == [(FILM.title, "downloading")]


async def test_a_fault_in_a_client_is_no_end_of_asking(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    coordinator = coordinator_of(house, entry)

    async def faulty(*_: Any) -> None:
        raise KeyError("movieFile")

    with monkeypatch.context() as broken:
        broken.setattr(coordinator.client, "answer", faulty)
        await house.post(entry, radarr_grab(movie_id=movie.id))
        await house.until(lambda: pending(house, entry).tries, what="a try")
    assert "Fault while asking radarr for title: KeyError" in caplog.text

    pending(house, entry).due_at = 0
    coordinator.async_wake()
    await house.until(lambda: house.record(entry).processed, what="an answer")


async def test_a_fault_in_taking_an_answer_is_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()

    def faulty(*_: Any, **__: Any) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr(house.runtime.board, "open", faulty)
    await house.post(entry, radarr_grab(movie_id=movie.id))
    await house.until(lambda: house.record(entry).failed, what="a failed delivery")

    (row,) = (await house.storage.journal.recent()).rows
    assert (row.outcome, row.reason) == ("failed", "error")


async def test_the_cursor_waits_for_what_its_poll_left_open(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    before = dict((await house.storage.cursors.load())[entry.entry_id])
    question = Question(
        service=entry.entry_id,
        kind=QuestionKind.TITLE,
        title=TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=FILM.tmdb_id)),
    )
    house.stack.radarr.misbehave("503")

    service = entry.entry_id
    for name, questions in (("first", [question]), ("second", [])):
        ticket = Ticket(service=service, cursor={"at": name})
        await house.runtime.apply((), service=service, questions=questions, ticket=ticket)
    assert house.runtime.cursors[entry.entry_id] == {"at": "second"}
    assert (await house.storage.cursors.load())[entry.entry_id] == before

    await house.until(lambda: pending(house, entry).tries, what="a try")
    house.stack.radarr.behave()
    pending(house, entry).due_at = 0
    coordinator_of(house, entry).async_wake()
    await house.until(lambda: not house.runtime.questions.total, what="an answer")
    assert (await house.storage.cursors.load())[entry.entry_id] == {"at": "second"}


# --- sync -------------------------------------------------------------------------------------


async def test_a_sync_answers_what_came_of_it(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    await house.stack.radarr.grab(movie)
    events = async_capture_events(house.hass, EVENT_STAGE_CHANGED)

    result = await coordinator_of(house, entry).async_sync(Context(user_id="anna"))

    assert (result.reachable, result.error) == (True, None)
    await house.until(lambda: events, what="an event")
    assert house.record(entry).sync_count == 1
    assert house.record(entry).last_sync_at is not None
    row = (await house.storage.schedule.load())[entry.entry_id]
    assert (row.run_count, row.last_status, row.last_error) == (1, "ok", None)
    assert (row.enabled, row.interval_hours, row.next_run_at) == (False, 24, None)


async def test_a_sync_of_a_service_that_goes_meanwhile_comes_to_its_end(
    house: House, hass: HomeAssistant
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    other = house.add_service(house.stack.radarr_4k)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    await house.stack.radarr.grab(movie)
    house.stack.radarr.misbehave("slow", seconds=0.3)

    syncing = hass.async_create_task(coordinator_of(house, entry).async_sync())
    await asyncio.sleep(0.1)
    await hass.config_entries.async_remove(entry.entry_id)
    result = await syncing
    await house.settle()

    assert (result.reachable, result.changed, result.error) == (True, 0, None)
    assert tuple(house.runtime.board.arrivals()) == ()
    assert house.runtime.cursors.keys() == {other.entry_id}
    assert house.runtime.schedules.keys() == {other.entry_id}


async def test_what_a_sync_finds_is_told_in_the_name_of_who_asked(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    radarr = house.stack.radarr
    movie = radarr.put_movie(FILM)
    await house.start()
    download = await radarr.grab(movie)
    await house.post(entry, radarr_grab(movie_id=movie.id, download=download.download_id or ""))
    await house.until(lambda: tuple(house.runtime.board.arrivals()), what="an arrival")
    events = async_capture_events(house.hass, EVENT_STAGE_CHANGED)
    await asyncio.sleep(1.1)  # history is dated to the second
    radarr.fail(download)

    result = await coordinator_of(house, entry).async_sync(Context(id="c" * 26, user_id="anna"))
    await house.until(lambda: events, what="an event")

    assert stages(events) == [(FILM.title, "failed")]
    assert (events[0].context.id, events[0].context.user_id) == ("c" * 26, "anna")
    assert result.changed == 1


async def test_a_sync_that_fails_says_why(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.stack.radarr.misbehave("500")

    result = await coordinator_of(house, entry).async_sync()

    assert (result.reachable, result.error, result.checked) == (False, "server_fault", 0)
    row = (await house.storage.schedule.load())[entry.entry_id]
    assert (row.run_count, row.last_status, row.last_error) == (1, "error", "server_fault")
    assert row.last_run_at is not None
    assert house.record(entry).last_sync_at is None
    assert not coordinator_of(house, entry).last_update_success


async def test_the_last_sync_is_the_last_that_came_to_its_end(
    house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = house.add_service(
        house.stack.radarr, options=MANUAL | {CONF_SCHEDULE_ENABLED: True, CONF_INTERVAL_HOURS: 2}
    )
    await house.start()
    coordinator = coordinator_of(house, entry)
    await coordinator.async_sync()
    done_at = house.record(entry).last_sync_at
    assert done_at is not None

    freezer.tick(600)
    house.stack.radarr.misbehave("500")
    await coordinator.async_sync()

    record = house.record(entry)
    assert record.last_sync_at == done_at
    assert record.last_status == "server_fault"
    # The schedule counts runs, whatever came of them.
    assert record.next_sync_at == pytest.approx(done_at + 600 + 7200, abs=5)
    coordinator.async_reschedule()
    await house.settle()
    row = (await house.storage.schedule.load())[entry.entry_id]
    assert row.last_run_at == pytest.approx(done_at + 600, abs=5)


async def test_a_sync_may_be_what_finds_the_key_refused_for_good(
    house: House, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.stack.radarr.misbehave("401")
    coordinator = coordinator_of(house, entry)
    await coordinator.async_sync()
    await coordinator.async_sync()
    freezer.tick(301)

    result = await coordinator.async_sync()

    assert result.error == "invalid_auth"
    await hass.async_block_till_done()
    assert len(hass.config_entries.flow.async_progress()) == 1


async def test_syncs_are_scheduled_as_the_options_say(
    house: House, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = house.add_service(
        house.stack.radarr,
        options=MANUAL | {CONF_SCHEDULE_ENABLED: True, CONF_INTERVAL_HOURS: 2},
    )
    await house.start()
    now = dt_util.utcnow().timestamp()
    assert house.record(entry).next_sync_at == pytest.approx(now + 7200, abs=5)

    freezer.tick(timedelta(hours=2, seconds=1))
    async_fire_time_changed(hass)
    await house.until(lambda: house.record(entry).sync_count == 1, what="a sync")
    now = dt_util.utcnow().timestamp()
    assert house.record(entry).next_sync_at == pytest.approx(now + 7200, abs=5)

    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_SCHEDULE_ENABLED: False}
    )
    coordinator_of(house, entry).async_reschedule()
    await house.settle()
    assert house.record(entry).next_sync_at is None
    await house.until(
        lambda: not house.runtime.schedules[entry.entry_id].enabled, what="a stored schedule"
    )
    assert (await house.storage.schedule.load())[entry.entry_id].enabled is False

    freezer.tick(timedelta(hours=3))
    async_fire_time_changed(hass)
    await house.settle()
    assert house.record(entry).sync_count == 1


async def test_media_servers_are_synced_without_being_told_to(
    house: House, stack: Stack, freezer: FrozenDateTimeFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator_module, "Pace", lambda: None)
    stack.add_tautulli(stack.add_plex())
    stack.add_jellyfin()
    stack.add_emby()
    await stack.start()
    monkeypatch.setattr(account, "PLEX_TV", stack.plex_tv.url)
    hours = {"plex": 12, "jellyfin": 12, "emby": 12, "tautulli": 6, "radarr": None, "seerr": None}
    house.add_board()
    doubles: dict[str, Any] = dict(stack.services)
    entries = {name: house.add_service(doubles[name]) for name in hours}
    await house.start()
    now = dt_util.utcnow().timestamp()
    for name, interval in hours.items():
        expected = None if interval is None else pytest.approx(now + interval * 3600, abs=5)
        assert house.record(entries[name]).next_sync_at == expected, name

    freezer.tick(12 * 3600 + 5)
    await pass_time(house, 0)
    counts = {name: int(interval is not None) for name, interval in hours.items()}
    await house.until(
        lambda: {name: house.record(entries[name]).sync_count for name in hours} == counts,
        what="a sync of each media server",
    )


async def test_an_overdue_sync_comes_soon_after_the_start(
    house: House, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = house.add_service(house.stack.radarr, options=MANUAL | {CONF_SCHEDULE_ENABLED: True})
    await house.start()
    await coordinator_of(house, entry).async_sync()
    freezer.tick(timedelta(hours=30))

    await hass.config_entries.async_reload(entry.entry_id)

    now = dt_util.utcnow().timestamp()
    assert house.record(entry).next_sync_at == pytest.approx(now + 60, abs=5)


# --- missed webhooks --------------------------------------------------------------------------


async def test_what_no_webhook_told_is_counted_once_and_taken_back(
    house: House, freezer: FrozenDateTimeFactory
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={})
    radarr = house.stack.radarr
    movie, other = radarr.put_movie(FILM), radarr.put_movie(OTHER)
    await house.start()
    await house.proven(entry)
    # History is dated to the second, and the service's clock is not to jump.
    house.runtime.started_at -= 60
    house.runtime.note(entry.entry_id, proven_since=house.runtime.started_at)

    radarr.sender.faults = DeliveryFaults(lose_every=1)
    lost = await radarr.grab(movie)
    radarr.sender.faults = DeliveryFaults()
    await radarr.grab(other)
    await house.poll(entry)
    await house.poll(entry)
    assert house.record(entry).missed == 0

    freezer.tick(125)
    await pass_time(house, 0)
    await house.until(lambda: house.record(entry).missed == 1, what="a missed webhook")
    await house.poll(entry)
    freezer.tick(125)
    await pass_time(house, 0)
    assert house.record(entry).missed == 1
    assert house.record(entry).healthy_since is not None

    await house.post(entry, radarr_grab(movie_id=movie.id, download=lost.download_id or ""))
    await house.until(lambda: house.record(entry).missed == 0, what="the miss taken back")


async def begin_proven(house: House) -> MockConfigEntry:
    """Set up a Radarr whose webhook has been working for a minute."""
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={})
    await house.start()
    await house.proven(entry)
    # History is dated to the second, and the service's clock is not to jump.
    house.runtime.started_at -= 60
    house.runtime.note(entry.entry_id, proven_since=house.runtime.started_at)
    return entry


async def missed_of(house: House, entry: MockConfigEntry, freezer: FrozenDateTimeFactory) -> int:
    """Return what was missed once the patience with all that a poll shows is over."""
    await house.poll(entry)
    freezer.tick(125)
    await pass_time(house, 0)
    await house.until(lambda: house.runtime.missed.deadline is None, what="no more suspects")
    return house.record(entry).missed


async def test_what_happened_while_home_assistant_was_off_is_not_missed(
    house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin_proven(house)
    radarr = house.stack.radarr
    radarr.sender.faults = DeliveryFaults(lose_every=1)
    await radarr.grab(radarr.put_movie(FILM))
    # The webhook was proven in the run before, and this one has just begun.
    house.runtime.started_at += 120

    assert await missed_of(house, entry, freezer) == 0


async def test_what_was_lost_while_the_entry_was_reloaded_is_missed(
    house: House, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Its door was open."""
    entry = await begin_proven(house)
    radarr = house.stack.radarr
    movie, other = radarr.put_movie(FILM), radarr.put_movie(OTHER)

    await hass.config_entries.async_unload(entry.entry_id)
    await radarr.grab(movie)
    radarr.sender.faults = DeliveryFaults(lose_every=1)
    await radarr.grab(other)
    radarr.sender.faults = DeliveryFaults()
    await hass.config_entries.async_setup(entry.entry_id)

    assert await missed_of(house, entry, freezer) == 1


async def test_what_was_refused_while_the_entry_was_disabled_is_not_missed(
    house: House, hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """Its door was closed."""
    entry = await begin_proven(house)
    radarr = house.stack.radarr
    movie = radarr.put_movie(FILM)

    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await radarr.grab(movie)
    assert radarr.sender.outcomes[-1].statuses == [410]
    freezer.tick(2)  # history is dated to the second
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await house.proven(entry)

    assert await missed_of(house, entry, freezer) == 0
    assert [arrival.stage for arrival in house.runtime.board.arrivals()] == ["downloading"]


async def test_nothing_is_missed_by_a_webhook_that_was_never_proven(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()

    await house.stack.radarr.grab(movie)
    await house.poll(entry)
    await pass_time(house, 125)

    assert house.record(entry).missed == 0
