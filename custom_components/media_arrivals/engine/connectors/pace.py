"""Keeps calls to a service few: it may be a small machine that is playing something."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final

CALLS: Final = 3
SECONDS: Final = 10.0


class Turn(IntEnum):
    """What waits, and who comes first of those that wait."""

    APART = 0
    """Neither waits nor counts: somebody waits for it, or many titles are read."""
    AT_ONCE = 1
    """Does not wait where that is allowed; others wait because of it."""
    SOON = 2
    """Before others that wait: what it answers is to be told."""
    LATER = 3


_TURN: Final[ContextVar[Turn | None]] = ContextVar("turn", default=None)


@contextmanager
def turn_of(turn: Turn) -> Iterator[None]:
    """Have the calls inside take this turn, as far as the pace lets them."""
    token = _TURN.set(turn)
    try:
        yield
    finally:
        _TURN.reset(token)


class Pace:
    """Lets at most so many calls begin within so many seconds; the others wait their turn."""

    def __init__(
        self,
        calls: int = CALLS,
        seconds: float = SECONDS,
        *,
        strict: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a call; with a ``strict`` one, calls wait that nobody says more of."""
        self._seconds = seconds
        self._strict = strict
        self._clock = clock
        self._begun: deque[float] = deque(maxlen=calls)
        self._lock = asyncio.Lock()
        self._waiting: list[tuple[Turn, int]] = []
        self._count = count()

    async def turn(self) -> None:
        """Wait until one more call may begin."""
        turn = _TURN.get()
        if turn is None:
            turn = Turn.LATER if self._strict else Turn.AT_ONCE
        if turn is Turn.APART:
            return
        if turn is Turn.AT_ONCE and not self._strict:
            self._begun.append(self._clock())
            return
        place = (turn, next(self._count))
        heappush(self._waiting, place)
        try:
            while not await self._is_next(place):
                pass
        except BaseException:
            self._waiting.remove(place)
            heapify(self._waiting)
            raise

    async def _is_next(self, place: tuple[Turn, int]) -> bool:
        """Wait until somebody may call; tell whether that is the one here."""
        async with self._lock:
            while len(self._begun) == self._begun.maxlen:
                if (wait := self._begun[0] + self._seconds - self._clock()) <= 0:
                    break
                await asyncio.sleep(wait)
            if self._waiting[0] != place:
                return False
            self._begun.append(self._clock())
            heappop(self._waiting)
            return True


def lenient_pace() -> Pace:
    """Return a pace for services whose questions and polls alone wait, where many come."""
    return Pace(strict=False)
