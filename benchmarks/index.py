"""A media server with a large library is added to a board that runs: what that costs."""

import asyncio
import time
from contextlib import suppress
from typing import Final

from .door import longest
from .figures import Figure
from .home_assistant import HomeAssistant, board_entry, service_entry
from .household import JELLYFIN, RADARR, SEERR, SONARR
from .options import Options
from .progress import say
from .simulated import Addresses, simulated_stack

ITEMS: Final = 30_000
PAUSE_MS: Final = 50.0
BOUND: Final = 400.0
"""Seconds; a page of 500 every three seconds and a third makes 200."""
LOOK_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 5.0
_RUNNING: Final = (RADARR, SONARR, SEERR)
_NEW: Final = (JELLYFIN,)
_COMPLETE: Final = "SELECT count(*) FROM library_index_state WHERE complete"
_ENTERED: Final = "SELECT count(*) FROM library_index"


async def measure(_: Options) -> tuple[Figure, ...]:
    """Add a Jellyfin; the library of a Plex is read in the same way, page by page."""
    async with simulated_stack(library=True, items=ITEMS) as addresses:
        return (await _measure(addresses),)


async def _measure(addresses: Addresses) -> Figure:
    entries = [board_entry(disabled=True)]
    for service in (*_RUNNING, *_NEW):
        url, api_key = addresses[service.kind]
        entries.append(service_entry(service, url=url, api_key=api_key, disabled=True))
    plex_tv, _ = addresses["plex_tv"]
    async with HomeAssistant(
        entries, recorder=False, write_down_what_is_told=True, plex_tv=plex_tv
    ) as home:
        await home.start()
        say("index: a board that runs")
        names = ["bench_board", *(one.id for one in _RUNNING)]
        await home.ask("POST", "/api/bench/load", {"entries": names})
        await asyncio.sleep(SETTLE_SECONDS)
        await home.ask("POST", "/api/bench/tidy")
        before = home.memory()
        say(f"index: a Jellyfin with {ITEMS:,} items; about four minutes")
        await home.ask("POST", "/api/bench/heart")
        began = time.perf_counter()
        # The first look at a server waits for its turn, too; what counts is in the database.
        with suppress(TimeoutError):
            await home.ask("POST", "/api/bench/load", {"entries": [one.id for one in _NEW]})
        async with asyncio.timeout(BOUND):
            while home.count(_COMPLETE) < len(_NEW):
                home.require_life()
                await asyncio.sleep(LOOK_SECONDS)
        took = time.perf_counter() - began
        await asyncio.sleep(SETTLE_SECONDS)
        pauses = longest(await home.ask("GET", "/api/bench/heart"))
        after = home.memory()
        entered = home.count(_ENTERED)
        told = len(home.told.read_bytes().splitlines())
    more = after.get("now", 0) - before.get("now", 0)
    worst = float(pauses["longest_ms"] or 0)
    return Figure(
        what="a Jellyfin with 30,000 items is added to a board that runs",
        reached=(
            f"{entered:,} items in {took:.0f} s, {told} events, longest pause {worst:.0f} ms,"
            f" ({float(pauses['most_computed_ms'] or 0):.0f} ms of it computed),"
            f" {more / 1e6:.0f} MB more memory"
        ),
        target=f"no event, no pause over {PAUSE_MS:.0f} ms",
        met=told == 0 and worst <= PAUSE_MS and entered >= ITEMS * len(_NEW),
        values={
            "seconds": round(took, 1),
            "entered": entered,
            "events": told,
            **pauses,
            **{f"memory_before_{name}": value for name, value in before.items()},
            **{f"memory_after_{name}": value for name, value in after.items()},
        },
    )
