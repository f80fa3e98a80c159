"""How long the board takes to apply a report, with few and with many arrivals."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from custom_components.media_arrivals.engine.board.board import Board
from custom_components.media_arrivals.engine.board.models import Outcome

from .figures import Figure, median, percentile
from .household import FilmStory, Story, story
from .options import Options
from .progress import say
from .seed import empty_board

SIZES: Final = (1_000, 10_000, 50_000)
ROUNDS: Final = 50
PER_ROUND: Final = 10
"""Arrivals that go their way in a round, on each board in turn."""
BEGAN: Final = 1_780_000_000.0
MEDIAN_US: Final = 50.0
RATIO: Final = 1.3


@dataclass(slots=True)
class _Trial:
    board: Board
    waiting: list[Story]
    """What was asked for and has not come yet, spread over the whole board."""
    films: list[float] = field(default_factory=list)
    seasons: list[float] = field(default_factory=list)

    @property
    def times(self) -> list[float]:
        """Return all times in microseconds."""
        return self.films + self.seasons


def filled_board(arrivals: int) -> tuple[Board, list[Story]]:
    """Return a board on which so many arrivals wait to be downloaded."""
    board = empty_board()
    told = [story(number, BEGAN) for number in range(arrivals)]
    for one in told:
        for report in one.asked():
            board.apply(report, now=BEGAN + 100, silent=True)
    return board, told


async def measure(_: Options) -> tuple[Figure, ...]:
    """Let arrivals go their way on three boards in turn, so that all see the same machine."""
    trials = []
    for size in SIZES:
        say(f"board: a board of {size:,} arrivals")
        board, told = filled_board(size)
        step = size // (ROUNDS * PER_ROUND)
        # Steps of a multiple of five would meet films only, or seasons only.
        picked = told[:: step - 1 if step > 1 and step % 5 == 0 else step]
        trials.append(_Trial(board, picked[: ROUNDS * PER_ROUND]))
    say("board: applying reports")
    for number in range(ROUNDS):
        for trial in trials:
            _apply(trial, trial.waiting[number * PER_ROUND : (number + 1) * PER_ROUND])
    medians = [median(trial.times) for trial in trials]
    ratio = medians[-1] / medians[0]
    reached = ", ".join(f"{one:.0f}" for one in medians)
    return (
        Figure(
            what="`board.apply` with 1,000, 10,000 and 50,000 arrivals",
            reached=f"{reached} µs median, {ratio:.2f} times",
            target=f"under {MEDIAN_US:.0f} µs median, at most {RATIO} times",
            met=max(medians) < MEDIAN_US and ratio <= RATIO,
            values={
                f"{name}_us_{size}": value
                for size, trial in zip(SIZES, trials, strict=True)
                for name, value in _summary(trial).items()
            },
        ),
    )


def _apply(trial: _Trial, told: Sequence[Story]) -> None:
    for one in told:
        times = trial.films if isinstance(one, FilmStory) else trial.seasons
        for report in one.come():
            began = time.perf_counter_ns()
            applied = trial.board.apply(report, now=report.at + 1)
            times.append((time.perf_counter_ns() - began) / 1000)
            if applied.outcome is not Outcome.PROCESSED:
                raise RuntimeError(f"The board ignored a report: {applied.reason}")


def _summary(trial: _Trial) -> dict[str, float]:
    return {
        "median": round(median(trial.times), 1),
        "films_median": round(median(trial.films), 1),
        "seasons_median": round(median(trial.seasons), 1),
        "p99": round(percentile(trial.times, 99), 1),
    }
