"""What all parts of a development run share: the repository, failures, and how it speaks."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
DOMAIN = "media_arrivals"


class Failure(Exception):  # noqa: N818 - what people read is "Failed: ..."
    """The run cannot go on, or the check found something; says why."""


def say(text: str) -> None:
    """Print a line with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Set words in columns."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def tail(file: Path, lines: int = 30) -> str:
    """Return the last lines of a file."""
    return "\n".join(file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
