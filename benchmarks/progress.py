"""Says what is being done, so that nobody waits without knowing for what."""

import sys
import time

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Write a line to standard error: standard output is for the figures."""
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)
