"""Few calls in a short time."""

import asyncio

import pytest

from custom_components.media_arrivals.engine.connectors.pace import (
    Pace,
    Turn,
    turn_of,
)

sleep = asyncio.sleep


class Time:
    """A clock that a wait moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await sleep(0)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(asyncio, "sleep", time.sleep)
    return time


async def test_no_span_of_time_has_more_calls_than_it_may(time: Time) -> None:
    pace = Pace(3, 10, clock=lambda: time.now)
    begun = []
    for number in range(12):
        if number == 5:
            time.now += 4
        await pace.turn()
        begun.append(time.now)
    assert begun[:3] == [1000.0] * 3
    assert begun[3] == 1010.0
    assert all(later - earlier >= 10 for earlier, later in zip(begun, begun[3:], strict=False))
    # No call waits longer than it must.
    assert begun[-1] == 1034.0


async def test_who_calls_seldom_never_waits(time: Time) -> None:
    pace = Pace(3, 10, clock=lambda: time.now)
    for number in range(10):
        time.now = 1000.0 + number * 4
        await pace.turn()
        assert time.now == 1000.0 + number * 4


async def test_those_who_wait_have_their_turn_in_order(time: Time) -> None:
    pace = Pace(1, 10, clock=lambda: time.now)
    done: list[int] = []

    async def call(number: int) -> None:
        await pace.turn()
        done.append(number)

    await asyncio.gather(*(call(number) for number in range(4)))
    assert done == [0, 1, 2, 3]
    assert time.now == 1030.0


async def test_what_is_to_be_told_comes_before_what_can_wait(time: Time) -> None:
    pace = Pace(1, 10, clock=lambda: time.now)
    done: list[str] = []

    async def call(name: str, turn: Turn) -> None:
        with turn_of(turn):
            await pace.turn()
        done.append(name)

    calls = [("first poll", Turn.LATER), ("poll", Turn.LATER), ("question", Turn.SOON)]
    await asyncio.gather(*(call(name, turn) for name, turn in calls))
    assert done == ["first poll", "question", "poll"]


async def test_whoever_gives_up_holds_nobody_up() -> None:
    pace = Pace(1, 0.1)
    await pace.turn()
    with turn_of(Turn.SOON), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await pace.turn()
    async with asyncio.timeout(5):
        await pace.turn()


async def test_what_is_apart_neither_waits_nor_counts(time: Time) -> None:
    pace = Pace(1, 10, clock=lambda: time.now)
    with turn_of(Turn.APART):
        for _ in range(5):
            await pace.turn()
    await pace.turn()
    assert time.now == 1000.0


async def test_where_calls_need_not_wait_others_wait_because_of_them(time: Time) -> None:
    pace = Pace(3, 10, strict=False, clock=lambda: time.now)
    for _ in range(5):
        await pace.turn()
    assert time.now == 1000.0
    with turn_of(Turn.SOON):
        await pace.turn()
    assert time.now == 1010.0


async def test_of_a_strict_pace_none_goes_at_once(time: Time) -> None:
    pace = Pace(1, 10, clock=lambda: time.now)
    with turn_of(Turn.AT_ONCE):
        await pace.turn()
        await pace.turn()
    assert time.now == 1010.0
