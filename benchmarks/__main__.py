"""Runs the measurements: ``python -m benchmarks [NAME ...] [--json]``."""

import argparse
import asyncio
import importlib
import json
import os
import platform
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, Protocol, cast

from .engine import do_without_home_assistant
from .figures import Figure, table
from .options import Options
from .progress import say

if TYPE_CHECKING:
    from types import ModuleType

MEASUREMENTS: Final = {
    "door": "deliveries: rate, time to answer, pauses; without and with the recorder",
    "board": "board.apply with few and many arrivals",
    "memory": "memory per live film",
    "start": "start with 50,000 stored arrivals",
    "full": "pauses while a full board is worked on as a whole",
    "polls": "what a poll of an idle service costs",
    "index": "a media server with 30,000 items is added to a board that runs; four minutes",
    "season": "200 episodes are imported at once, with every media server beside; a minute or more",
    "kills": "nothing is lost or told twice when Home Assistant is killed",
}
BOUND: Final = 600.0
"""Seconds after which a measurement is given up; killing often may take longer."""
KILL_BOUND: Final = 60.0


class Measurement(Protocol):
    """What each module of a measurement offers."""

    async def measure(self, options: Options) -> tuple[Figure, ...]:
        """Measure."""
        ...


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures the numbers that the integration is meant to reach. Numbers that"
        " are missed are no failure: the exit code tells whether they could be measured.",
        epilog="Measurements:\n" + "\n".join(f"  {n:8}{text}" for n, text in MEASUREMENTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these measurements")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--kills", type=int, default=20, help="how often to kill (20)")
    chosen = parser.parse_args(given)
    if unknown := set(chosen.names) - MEASUREMENTS.keys():
        parser.error(f"there is no measurement named {', '.join(sorted(unknown))}")
    if chosen.kills < 1:
        parser.error("--kills needs a number above 0")
    return chosen


async def run(names: Sequence[str], options: Options) -> tuple[list[Figure], list[str]]:
    """Measure; return the figures, and which measurements failed."""
    figures: list[Figure] = []
    failed: list[str] = []
    for name in names:
        measurement = cast("Measurement", _module(name))
        try:
            async with asyncio.timeout(BOUND + KILL_BOUND * options.kills):
                figures += await measurement.measure(options)
        except Exception as err:  # noqa: BLE001 - the others can still be measured
            say(f"{name}: could not be measured: {type(err).__name__}: {err}")
            failed.append(name)
    return figures, failed


def _module(name: str) -> ModuleType:
    return importlib.import_module(f".{name}", __package__)


async def main() -> int:
    """Measure what was chosen, print it, and end."""
    chosen = arguments()
    loop = asyncio.get_running_loop()
    if (task := asyncio.current_task()) is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    do_without_home_assistant()
    names = [name for name in MEASUREMENTS if not chosen.names or name in chosen.names]
    options = Options(kills=chosen.kills)
    before = os.getloadavg()[0]
    figures, failed = await run(names, options)
    machine = {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "home_assistant": os.environ.get("HOME_ASSISTANT", ""),
        "load_before": round(before, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }
    if chosen.json:
        document = {
            "machine": machine,
            "options": asdict(options),
            "figures": [figure.document() for figure in figures],
            "failed": failed,
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print(table(figures))
        print("\n" + ", ".join(f"{name} {value}" for name, value in machine.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except KeyboardInterrupt, asyncio.CancelledError:
        sys.exit(130)
