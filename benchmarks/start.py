"""How long a start takes with a large database, and what has to wait meanwhile."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .door import REST_SECONDS, longest
from .figures import Figure, Value
from .home_assistant import DATABASE, HomeAssistant, board_entry, service_entry
from .household import RADARR, SEERR, SONARR
from .options import Options
from .progress import say
from .seed import fill_with_years
from .simulated import Addresses, simulated_stack

STORED: Final = 50_000
LIVE: Final = 5_000
STARTS: Final = 3
SECONDS: Final = 3.0
PAUSE_MS: Final = 50.0


@dataclass(frozen=True, slots=True)
class _Start:
    """How one start went."""

    seconds: float
    pauses: Mapping[str, Value]
    at_rest: Mapping[str, Value]
    looking_through_all: float
    """Seconds that a full garbage collection takes; it pauses everything."""

    @property
    def longest_ms(self) -> float:
        """Return the longest pause."""
        return float(self.pauses["longest_ms"] or 0)


async def measure(_: Options) -> tuple[Figure, ...]:
    """Start some times, and count the worst pause. The first start of a version compiles it."""
    with tempfile.TemporaryDirectory(prefix="media-arrivals-bench-") as folder:
        database = Path(folder) / DATABASE
        say(f"start: a database of {STORED:,} arrivals")
        await fill_with_years(database, STORED, LIVE)
        async with simulated_stack(library=True) as addresses:
            say("start: for the first time, which is not counted")
            await _start(addresses, database)
            starts = [await _start(addresses, database) for _ in range(STARTS)]
    took = max(one.seconds for one in starts)
    worst = max(starts, key=lambda one: one.longest_ms)
    pauses = ", ".join(f"{one.longest_ms:.0f}" for one in starts)
    computed = max(float(one.pauses["most_computed_ms"] or 0) for one in starts)
    return (
        Figure(
            what="start with 50,000 stored arrivals, 5,000 of them live",
            reached=(
                f"{took:.2f} s, longest pause {pauses} ms in {STARTS} starts,"
                f" at most {computed:.0f} ms of it computing"
            ),
            target=f"under {SECONDS:.0f} s, no pause over {PAUSE_MS:.0f} ms",
            met=took < SECONDS and worst.longest_ms <= PAUSE_MS,
            values={
                "seconds": round(took, 3),
                **worst.pauses,
                "looking_through_all_ms": round(worst.looking_through_all * 1000, 1),
                **{f"at_rest_{name}": value for name, value in worst.at_rest.items()},
            },
        ),
    )


async def _start(addresses: Addresses, database: Path) -> _Start:
    """Load the integration into a Home Assistant that runs already and does nothing else.

    During its own start Home Assistant makes pauses of its own, longer than what is looked for.
    """
    entries = [board_entry(disabled=True)]
    for service in (RADARR, SONARR, SEERR):
        url, api_key = addresses[service.kind]
        entries.append(service_entry(service, url=url, api_key=api_key, disabled=True))
    async with HomeAssistant(entries, recorder=True) as home:
        await asyncio.to_thread(shutil.copyfile, database, home.database)
        await home.start()
        say("start: the event loop at rest")
        await home.ask("POST", "/api/bench/heart")
        await asyncio.sleep(REST_SECONDS)
        rest = longest(await home.ask("GET", "/api/bench/heart"))
        # What its own start made would have Home Assistant look through everything soon.
        tidied = await home.ask("POST", "/api/bench/tidy")
        say("start: loading the integration")
        await home.ask("POST", "/api/bench/heart")
        # Seerr stays away: the simulated one knows none of these requests. The time counts
        # until the others are polled and shown, too.
        loaded = await home.ask(
            "POST",
            "/api/bench/load",
            {"entries": ["bench_board", RADARR.id, SONARR.id]},
        )
        pauses = longest(await home.ask("GET", "/api/bench/heart"))
    if loaded["live"] < LIVE:
        raise RuntimeError(f"{loaded['live']} arrivals are live, not {LIVE}")
    return _Start(loaded["seconds"], pauses, rest, tidied["seconds"])
