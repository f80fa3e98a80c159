"""What pauses everything else while a full board is worked on as a whole."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .door import REST_SECONDS, longest
from .figures import Figure
from .home_assistant import DATABASE, HomeAssistant, board_entry, service_entry
from .household import RADARR, SERVICES
from .options import Options
from .progress import say
from .seed import fill_with_years
from .simulated import Addresses, simulated_stack

STORED: Final = 50_000
LIVE: Final = 5_000
RUNS: Final = 2
PAUSE_MS: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Work:
    """Something that concerns the whole board."""

    what: str
    act: str
    more: Mapping[str, Any] = field(default_factory=dict)


def _call(what: str, action: str, **data: object) -> _Work:
    return _Work(what, "call", {"action": action, "data": data})


_WORKS: Final = (
    _call("a page of 200 arrivals", "get_arrivals", limit=200),
    _call("a page far behind", "get_arrivals", limit=200, offset=40_000),
    _call("a search by name and person", "get_arrivals", text="amber", requester="Guest 3"),
    _Work("diagnostics", "diagnose", {"entry": RADARR.id}),
    _call("forget a person", "forget_person", name="Guest 3"),
    _Work("add the first media server", "configure"),
    _Work("remove a service", "remove", {"entry": RADARR.id}),
    _Work("finished arrivals leave the board", "retire"),
)


async def measure(_: Options) -> tuple[Figure, ...]:
    """Do all of it some times, and count the worst pause of each."""
    with tempfile.TemporaryDirectory(prefix="media-arrivals-bench-") as folder:
        database = Path(folder) / DATABASE
        say(f"full: a database of {STORED:,} arrivals")
        await fill_with_years(database, STORED, LIVE)
        async with simulated_stack(library=True) as addresses:
            runs = [await _run(addresses, database) for _ in range(RUNS)]
    return tuple(_figure(work, [run[work.what] for run in runs]) for work in _WORKS)


def _figure(work: _Work, seen: list[dict[str, Any]]) -> Figure:
    slowest = max(seen, key=lambda one: float(one["longest_ms"]))
    worst = float(slowest["longest_ms"])
    computed = max(float(one["most_computed_ms"]) for one in seen)
    took = max(one["seconds"] for one in seen)
    return Figure(
        what=f"{work.what}, {LIVE:,} live: longest pause",
        reached=f"{worst:.0f} ms, at most {computed:.0f} ms of it computing; took {took:.2f} s",
        target=f"under {PAUSE_MS:.0f} ms",
        met=worst < PAUSE_MS,
        values=slowest,
    )


async def _run(addresses: Addresses, database: Path) -> dict[str, dict[str, Any]]:
    """Load a full board, and do everything to it in turn."""
    entries = [board_entry()]
    for service in SERVICES:
        url, api_key = addresses[service.kind]
        entries.append(service_entry(service, url=url, api_key=api_key))
    seen: dict[str, dict[str, Any]] = {}
    async with HomeAssistant(entries, recorder=True) as home:
        await asyncio.to_thread(shutil.copyfile, database, home.database)
        await home.start()
        await asyncio.sleep(REST_SECONDS)
        say("full: working on all of it")
        for work in _WORKS:
            await home.ask("POST", "/api/bench/tidy")
            await home.ask("POST", "/api/bench/heart")
            done = await home.ask("POST", "/api/bench/act", {"act": work.act, **work.more})
            seen[work.what] = longest(await home.ask("GET", "/api/bench/heart")) | done
    return seen
