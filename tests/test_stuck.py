"""How long services could be reached, what limits say, and that looking holds nobody up."""

import asyncio
import time
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.translation import async_get_translations

from custom_components.media_arrivals import stuck
from custom_components.media_arrivals.const import DOMAIN, SIGNAL_STUCK
from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    Hold,
    HoldReason,
    Premiere,
)
from custom_components.media_arrivals.records import (
    LONGEST_REST,
    MAX_SPANS,
    RecordBook,
    ServiceRecord,
    Span,
)
from custom_components.media_arrivals.stuck import StuckTurn
from tests.automation_helpers import hear
from tests.engine.board.household import FILM, NOON, RADARR, download, held
from tests.entity_helpers import Home, board_entry, set_up_home

HOUR = 3600.0
ID = "radarr"


def book(hass: HomeAssistant) -> RecordBook:
    """Return a book with one service, that signals nothing."""
    made = RecordBook(hass, lambda: None)
    made.ensure(ID)
    made.close()
    return made


def answer(records: RecordBook, *times: float) -> ServiceRecord:
    """Have a service answer at these times."""
    for at in times:
        records.note(ID, reachable=records.answered(ID, at))
    return records.records[ID]


async def test_time_between_answers_counts(hass: HomeAssistant) -> None:
    record = answer(book(hass), 100.0, 400.0, 700.0)
    assert record.reachable == (Span(100.0, 700.0),)
    assert record.reached(0.0) == 600.0
    assert record.reached(500.0) == 200.0
    assert record.reached(900.0) == 0.0


async def test_a_silence_ends_the_time_and_does_not_reset_it(hass: HomeAssistant) -> None:
    records = book(hass)
    answer(records, 0.0, 600.0)
    records.fell_silent(ID)
    record = answer(records, 90_000.0, 90_600.0)
    assert record.reached(0.0) == 1200.0
    assert record.reached(300.0) == 900.0


async def test_nothing_counts_between_two_runs(hass: HomeAssistant) -> None:
    earlier = answer(book(hass), 0.0, 600.0)
    later = book(hass)
    later.load({ID: {"reachable": [list(span) for span in earlier.reachable]}})
    assert later.awake == set()
    assert answer(later, 900.0).reached(0.0) == 600.0
    assert later.awake == {ID}
    assert answer(later, 1000.0).reached(0.0) == 700.0


async def test_while_nobody_asked_nothing_is_known(hass: HomeAssistant) -> None:
    record = answer(book(hass), 0.0, LONGEST_REST + 1, LONGEST_REST + 11)
    assert record.reached(0.0) == 10.0


async def test_a_clock_that_was_set_back_begins_anew(hass: HomeAssistant) -> None:
    record = answer(book(hass), 1000.0, 1100.0, 500.0, 600.0)
    assert record.reached(0.0) == 200.0


async def test_what_is_remembered_is_bounded_and_loses_no_time(hass: HomeAssistant) -> None:
    records = book(hass)
    for number in range(3 * MAX_SPANS):
        answer(records, number * HOUR, number * HOUR + 60.0)
        records.fell_silent(ID)
    record = records.records[ID]
    assert len(record.reachable) == MAX_SPANS
    assert record.reached(-1.0) == pytest.approx(3 * MAX_SPANS * 60.0)
    # Of the time that was put together, never too much counts.
    assert record.reached(50 * HOUR) <= (3 * MAX_SPANS - 50) * 60.0


async def test_what_another_version_stored_is_left_out(hass: HomeAssistant) -> None:
    records = book(hass)
    records.load({ID: {"reachable": [["soon"]]}})
    assert records.records[ID].reachable == ()


# --- looking ------------------------------------------------------------------------------------


def reachable(home: Home, service: str = ID) -> None:
    """Have a service be reachable all the time."""
    home.runtime.book.records[service].reachable = (Span(NOON, time.time() + 24 * HOUR),)


async def test_limits_are_the_options_of_the_board(hass: HomeAssistant) -> None:
    board = board_entry(stuck_progress=7 * 24 * 60)
    home = await set_up_home(hass, ID, board=board)
    await hear(home, held(RADARR, FILM, 0, opens=True), download(RADARR, FILM, 1))
    records = home.runtime.book.records[ID]
    records.reachable = (Span(NOON, time.time() + HOUR),)
    await home.runtime.stuck.async_look()
    (arrival,) = home.runtime.board.arrivals()
    assert arrival.hold is None

    hass.config_entries.async_update_entry(board, options={"stuck_progress": 30})
    await home.runtime.stuck.async_look()
    (arrival,) = home.runtime.board.arrivals()
    assert arrival.hold is not None
    assert arrival.hold.reason is HoldReason.STALLED


async def test_nothing_is_new_before_the_first_poll_of_a_run(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, ID)
    await hear(home, held(RADARR, FILM, 0, opens=True), download(RADARR, FILM, 1))
    reachable(home)
    home.runtime.book.awake.clear()

    await home.runtime.stuck.async_look()
    (arrival,) = home.runtime.board.arrivals()
    assert arrival.hold is None

    home.runtime.book.awake.add(ID)
    await home.runtime.stuck.async_look()
    (arrival,) = home.runtime.board.arrivals()
    assert arrival.hold is not None


async def test_every_reason_has_words(hass: HomeAssistant) -> None:
    await set_up_home(hass)
    await async_get_translations(hass, "en", "common", [DOMAIN])
    for reason in HoldReason:
        text = stuck.hold_text(hass, Hold(reason=reason, since=NOON), "Radarr")
        assert text
        assert "{" not in text


async def test_a_release_date_is_asked_for_once_a_day(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, ID)
    await hear(home, held(RADARR, FILM, 0, opens=True))
    asked: list[Any] = []

    async def apply(*_args: Any, **options: Any) -> None:
        asked.extend(options["questions"])

    with patch.object(home.runtime, "apply", apply):
        await home.runtime.stuck.async_look()
        await home.runtime.stuck.async_look()
    assert [(one.service, one.title.own_id) for one in asked] == [(ID, FILM.own_id)]

    known = Premiere(at=time.time(), out=True)
    await hear(home, replace(held(RADARR, FILM, 1), premiere=known))
    later = time.time() + 3 * 24 * HOUR
    with (
        patch.object(home.runtime, "apply", apply),
        patch("time.time", lambda: later),
    ):
        await home.runtime.stuck.async_look()
    assert len(asked) == 1


async def test_a_fault_ends_one_look_only(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    home = await set_up_home(hass, ID)
    watch = home.runtime.stuck
    with patch.object(watch, "async_look", side_effect=ValueError("no")) as look:
        await watch._look_at_all(None)  # type: ignore[arg-type]  # noqa: SLF001
        await watch._look_at_all(None)  # type: ignore[arg-type]  # noqa: SLF001
    assert look.await_count == 2
    assert "looking for what is stuck" in caplog.text
    caplog.clear()


async def test_five_thousand_open_arrivals_hold_nobody_up(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, ID)
    board = home.runtime.board
    for number in range(5000):
        title = replace(
            FILM, ids=ExternalIds(tmdb=10_000 + number), own_id=10_000 + number, name=f"F {number}"
        )
        board.apply(held(RADARR, title, 0, opens=True), now=NOON, silent=True)
        board.apply(download(RADARR, title, 1, download_id=f"d{number}"), now=NOON)
    reachable(home)
    turns: list[StuckTurn] = []
    async_dispatcher_connect(hass, SIGNAL_STUCK, turns.append)
    longest, done = 0.0, False

    async def others() -> None:
        nonlocal longest
        while not done:
            began = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - began)

    # The first look enters every one of them; the next ones find nothing new.
    await home.runtime.stuck.async_look()
    waiting = asyncio.create_task(others())
    await asyncio.sleep(0)
    began = time.perf_counter()
    await home.runtime.stuck.async_look()
    took = time.perf_counter() - began
    done = True
    await waiting

    assert sum(one.hold is not None for one in board.arrivals()) == 5000
    assert len(turns) == 5000
    assert took < 10
    assert longest < 0.1
