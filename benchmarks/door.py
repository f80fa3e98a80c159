"""Deliveries to a real Home Assistant: how many, how fast, and what else has to wait."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from .calls import ACCEPTED, Webhook, as_fast_as_possible, on_schedule
from .figures import Figure, Value, median, percentile
from .home_assistant import HOST, SECRET, HomeAssistant, board_entry, service_entry, webhook_id
from .household import RADARR
from .options import Options
from .progress import say
from .seed import fill_with_waiting_films
from .simulated import simulated_stack
from .traffic import LIBRARY_FILMS, Film, grab, imported

USER: Final = "media_arrivals"
CONNECTIONS: Final = 16
ROUNDS: Final = 3
ROUND_SECONDS: Final = 3.0
ROUND_FILMS: Final = 1_000
"""Two deliveries each; a round ends when they are used up."""
PER_SECOND: Final = 50
ANSWER_DELIVERIES: Final = 1_000
PAUSE_DELIVERIES: Final = 1_000
PAUSE_SECONDS: Final = 10.0
REST_SECONDS: Final = 3.0
TOGETHER: Final = 10
UNKNOWN_EVERY: Final = 20
"""One film of so many is not on the board, as far as the simulated library has such."""

RATIO: Final = 0.5
ANSWER_MS: Final = 25.0
PAUSE_MS: Final = 30.0


@dataclass(slots=True)
class Household:
    """Makes films up, as they come."""

    unknown: int = 0
    known: int = 0
    delivered: int = 0
    _turn: count[int] = field(default_factory=lambda: count(1))

    def film(self) -> Film:
        """Return the next film."""
        if next(self._turn) % UNKNOWN_EVERY == 0 and self.unknown < LIBRARY_FILMS:
            self.unknown += 1
            return Film.of_library(self.unknown - 1)
        self.known += 1
        return Film.known(self.known - 1)

    def stories(self, films: int) -> deque[tuple[bytes, bytes]]:
        """Return the deliveries that tell of films, of each that it was grabbed and imported."""
        chosen = [self.film() for _ in range(films)]
        return deque((grab(film), imported(film)) for film in chosen)


@dataclass(frozen=True, slots=True)
class _Rate:
    """What one webhook did in one round."""

    per_second: float
    computed_us: float | None
    """For each delivery, until it was worked off; it hardly depends on what else is running."""


@dataclass(frozen=True, slots=True)
class _Round:
    nothing: _Rate
    ours: _Rate


async def measure(_: Options) -> tuple[Figure, ...]:
    """Measure all of it twice: alone, and with the recorder, which writes down what we tell.

    It works in the same process, and takes longer over an event than we do over a delivery.
    """
    return (*await _measure(recorder=False), *await _measure(recorder=True))


async def _measure(*, recorder: bool) -> tuple[Figure, ...]:
    """Measure the rate with a home of its own: it needs more films than people have."""
    async with _home(ROUNDS * ROUND_FILMS, recorder=recorder) as (home, webhook, household):
        rate = await _throughput(home, webhook, household)
    films = (ANSWER_DELIVERIES + PAUSE_DELIVERIES) // 2
    async with _home(films, recorder=recorder) as (home, webhook, household):
        answers = await _answers(home, webhook, household)
        pauses = await _pauses(home, webhook, household)
    if not recorder:
        return rate, answers, pauses
    return tuple(
        replace(one, what=f"- with the recorder: {one.what}") for one in (rate, answers, pauses)
    )


@asynccontextmanager
async def _home(
    films: int, *, recorder: bool
) -> AsyncIterator[tuple[HomeAssistant, Webhook, Household]]:
    """Run a Home Assistant with films that wait; at the end all must be in its journal."""
    async with simulated_stack(library=True) as addresses:
        url, api_key = addresses["radarr"]
        entries = (board_entry(), service_entry(RADARR, url=url, api_key=api_key))
        async with HomeAssistant(entries, recorder=recorder) as home:
            say(
                f"door: a Home Assistant {'with' if recorder else 'without'} a recorder,"
                f" {films:,} films on the board"
            )
            await fill_with_waiting_films(home.database, films)
            await home.start()
            household = Household()
            yield (
                home,
                Webhook.of(HOST, home.port, webhook_id(RADARR), USER, SECRET),
                household,
            )
            total, waiting = home.deliveries()
            if (total, waiting) != (household.delivered, 0):
                raise RuntimeError(
                    f"{household.delivered} deliveries were answered, {total} are in the journal,"
                    f" {waiting} wait"
                )


async def _throughput(home: HomeAssistant, webhook: Webhook, household: Household) -> Figure:
    """Compare with a webhook that does nothing, in turns."""
    nothing = Webhook.of(HOST, home.port, "bench_idle", USER, SECRET)
    rounds: list[_Round] = []
    for number in range(ROUNDS):
        say(f"door: deliveries per second, round {number + 1} of {ROUNDS}")
        told = household.stories(ROUND_FILMS)
        rounds.append(
            _Round(
                await _deliver(home, nothing, deque(told), b"", Household()),
                await _deliver(home, webhook, told, ACCEPTED, household),
            )
        )
    ratio = median([one.ours.per_second / one.nothing.per_second for one in rounds])
    ours = median([one.ours.per_second for one in rounds])
    others = median([one.nothing.per_second for one in rounds])
    return Figure(
        what="deliveries per second, 16 connections, against a webhook that does nothing",
        reached=f"{ratio:.2f} ({ours:,.0f}/s against {others:,.0f}/s)",
        target=f"at least {RATIO}",
        met=ratio >= RATIO,
        values={
            f"{name}_{what}_{number}": value
            for number, one in enumerate(rounds, 1)
            for name, rate in (("ours", one.ours), ("nothing", one.nothing))
            for what, value in (
                ("per_second", round(rate.per_second)),
                ("computed_us", rate.computed_us and round(rate.computed_us)),
            )
        },
    )


async def _deliver(
    home: HomeAssistant,
    webhook: Webhook,
    told: deque[tuple[bytes, bytes]],
    answer: bytes,
    household: Household,
) -> _Rate:
    before, computed = len(told), home.computed()
    rate = await as_fast_as_possible(
        webhook,
        lambda: told.popleft() if told else (),
        connections=CONNECTIONS,
        seconds=ROUND_SECONDS,
        answer=answer,
    )
    delivered = 2 * (before - len(told))
    household.delivered += delivered
    await home.wait_until_worked_off(120)
    after = home.computed()
    if computed is None or after is None:
        return _Rate(rate, None)
    return _Rate(rate, (after - computed) / delivered * 1e6)


async def _answers(home: HomeAssistant, webhook: Webhook, household: Household) -> Figure:
    say(f"door: time to answer at {PER_SECOND} deliveries per second")
    told = _one_by_one(household.stories(ANSWER_DELIVERIES // 2))
    times = await on_schedule(webhook, told, per_second=PER_SECOND)
    household.delivered += len(told)
    await home.wait_until_worked_off(60)
    p99 = percentile(times, 99) * 1000
    return Figure(
        what=f"time to answer at {PER_SECOND} deliveries per second",
        reached=f"99 % within {p99:.1f} ms",
        target=f"99 % within {ANSWER_MS:.0f} ms",
        met=p99 <= ANSWER_MS,
        values={
            "median_ms": round(median(times) * 1000, 2),
            "p90_ms": round(percentile(times, 90) * 1000, 2),
            "p99_ms": round(p99, 2),
            "longest_ms": round(max(times) * 1000, 2),
        },
    )


async def _pauses(home: HomeAssistant, webhook: Webhook, household: Household) -> Figure:
    say("door: the event loop at rest")
    await home.ask("POST", "/api/bench/heart")
    await asyncio.sleep(REST_SECONDS)
    rest = longest(await home.ask("GET", "/api/bench/heart"))
    say(f"door: pauses of the event loop during {PAUSE_DELIVERIES:,} deliveries")
    told = _one_by_one(household.stories(PAUSE_DELIVERIES // 2))
    await home.ask("POST", "/api/bench/heart")
    times = await on_schedule(
        webhook, told, per_second=PAUSE_DELIVERIES / PAUSE_SECONDS, together=TOGETHER
    )
    await home.wait_until_worked_off(60)
    busy = longest(await home.ask("GET", "/api/bench/heart"))
    household.delivered += len(told)
    return Figure(
        what=f"longest pause of the event loop during {PAUSE_DELIVERIES:,} deliveries in 10 s",
        reached=f"{busy['longest_ms']} ms{_collected(busy)}",
        target=f"under {PAUSE_MS:.0f} ms",
        met=float(busy["longest_ms"] or 0) < PAUSE_MS,
        values={
            **busy,
            **{f"at_rest_{name}": value for name, value in rest.items()},
            "answer_p99_ms": round(percentile(times, 99) * 1000, 2),
        },
    )


def _collected(pauses: Mapping[str, Value]) -> str:
    """Say so if the longest pause was not ours, but a look at all of the process's objects."""
    if not pauses["longest_gc_ms"]:
        return ""
    return f" (garbage collection {pauses['longest_gc_ms']} ms; else {pauses['else_ms']} ms)"


def _one_by_one(told: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Return first what tells of ten films that they were grabbed, then that they came."""
    bodies: list[bytes] = []
    for first in range(0, len(told), TOGETHER):
        some = [told[number] for number in range(first, min(first + TOGETHER, len(told)))]
        bodies += [one for one, _ in some]
        bodies += [one for _, one in some]
    return bodies


def longest(heart: dict[str, Any]) -> dict[str, Value]:
    """Return the longest pause, and what was computed in it.

    Where neither the loop's thread nor another of the process computed for that long, the
    machine was busy with something else.
    """
    pauses: list[dict[str, float]] = sorted(
        heart["pauses"], key=lambda one: one["seconds"], reverse=True
    )
    if not heart["beats"]:
        raise RuntimeError("The event loop was not watched")
    first = pauses[0] if pauses else _UNNOTICED
    others = [one for one in pauses if not one["gc"]]
    return {
        "longest_ms": round(first["seconds"] * 1000, 1),
        "longest_loop_cpu_ms": round(first["loop_cpu"] * 1000, 1),
        "longest_process_cpu_ms": round(first["process_cpu"] * 1000, 1),
        "longest_gc_ms": round(first["gc"] * 1000, 1),
        "most_computed_ms": round(max(one["process_cpu"] for one in (first, *pauses)) * 1000, 1),
        "full_collections": heart["full_collections"],
        "else_ms": round((others[0] if others else _UNNOTICED)["seconds"] * 1000, 1),
    }


_UNNOTICED: Final = {"seconds": 0.005, "loop_cpu": 0.0, "process_cpu": 0.0, "gc": 0.0}
"""Shorter pauses are not kept."""
