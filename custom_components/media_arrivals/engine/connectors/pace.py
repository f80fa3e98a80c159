"""Keeps calls to a media server few: it may be a small machine that is playing something."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

CALLS: Final = 3
SECONDS: Final = 10.0


class Pace:
    """Lets at most so many calls begin within so many seconds; the others wait their turn."""

    def __init__(
        self,
        calls: int = CALLS,
        seconds: float = SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a call."""
        self._seconds = seconds
        self._clock = clock
        self._begun: deque[float] = deque(maxlen=calls)
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until one more call may begin."""
        async with self._lock:
            if len(self._begun) == self._begun.maxlen:
                wait = self._begun[0] + self._seconds - self._clock()
                if wait > 0:
                    await asyncio.sleep(wait)
            self._begun.append(self._clock())
