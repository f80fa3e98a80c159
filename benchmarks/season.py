"""200 episodes are imported at once: what is told, and what it costs the services."""

import asyncio
import json
import time
from collections import Counter
from typing import Any, Final

import aiohttp

from .figures import Figure
from .home_assistant import HomeAssistant, board_entry, service_entry
from .household import EMBY, JELLYFIN, PLEX, RADARR, SONARR, TAUTULLI
from .options import Options
from .progress import say
from .simulated import CONTROL, Addresses, simulated_stack

EPISODES: Final = 200
IMPORT_SECONDS: Final = 10.0
CALLS: Final = 3
WAY: Final = ("sent", "downloading", "downloaded", "available")
BOUND: Final = 300.0
READY_SECONDS: Final = 90.0
"""Until webhooks are entered and proven, and libraries are read: nothing else is to count."""
SETTLE_SECONDS: Final = 30.0
"""After the end, in which something might be told twice."""
_SERVICES: Final = (RADARR, SONARR, PLEX, JELLYFIN, EMBY, TAUTULLI)


async def measure(_: Options) -> tuple[Figure, ...]:
    """Let a season go its way in a home with every media server."""
    async with simulated_stack(library=False) as addresses, aiohttp.ClientSession() as session:
        return (await _measure(addresses, session),)


async def _measure(addresses: Addresses, session: aiohttp.ClientSession) -> Figure:
    control, _ = addresses[CONTROL]

    async def ask(method: str, path: str, body: object = None) -> Any:
        async with session.request(method, f"{control}/{path}", json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    entries = [board_entry(disabled=True)]
    for service in _SERVICES:
        url, api_key = addresses[service.kind]
        entries.append(
            service_entry(service, url=url, api_key=api_key, disabled=True, by_hand=False)
        )
    plex_tv, _ = addresses["plex_tv"]
    async with HomeAssistant(
        entries, recorder=False, write_down_what_is_told=True, plex_tv=plex_tv
    ) as home:
        await home.start()
        names = ["bench_board", *(one.id for one in _SERVICES)]
        await home.ask("POST", "/api/bench/load", {"entries": names})
        say(f"season: {READY_SECONDS:.0f} s in which a film comes and proves all webhooks")
        await asyncio.sleep(READY_SECONDS / 3)
        await ask("POST", "plays", {"name": "direct", "speed": 4})
        await asyncio.sleep(READY_SECONDS * 2 / 3)
        play = await ask("POST", "plays", {"name": "season", "episodes": EPISODES, "by_step": True})
        await ask("DELETE", "counts")
        step = f"plays/{play['id']}/step"
        while (play := await ask("POST", step))["stage"] != "downloaded":
            pass
        say(f"season: {EPISODES} episodes are imported")
        began = time.perf_counter()
        await ask("POST", step)
        imported = time.perf_counter() - began
        async with asyncio.timeout(BOUND):
            while WAY[-1] not in _told(home):
                home.require_life()
                await asyncio.sleep(0.2)
        took = time.perf_counter() - began
        say("season: available; is anything told twice?")
        await asyncio.sleep(SETTLE_SECONDS)
        told = _told(home)
        counts = await ask("GET", "counts")
    calls = {one.kind: int(counts[one.kind]["most_in_10_s"]) for one in _SERVICES}
    said = ", ".join(f"{kind.capitalize()} {number}" for kind, number in calls.items())
    return Figure(
        what=f"{EPISODES} episodes imported at once: events, and calls in any 10 s",
        reached=f"{len(told)} events ({', '.join(told)}); {said}; available after {took:.0f} s",
        target=f"one event for each stage; at most {CALLS} calls to each service",
        met=tuple(told) == WAY and max(calls.values()) <= CALLS and imported <= IMPORT_SECONDS,
        values={
            "import_seconds": round(imported, 2),
            "available_seconds": round(took, 1),
            "events": len(told),
            "told_twice": sum(number - 1 for number in Counter(told).values()),
            **{f"{kind}_calls_in_10_s": number for kind, number in calls.items()},
            **{f"{one.kind}_calls": int(counts[one.kind]["requests"]) for one in _SERVICES},
        },
    )


def _told(home: HomeAssistant) -> list[str]:
    """Return the season's stages that were told, in their order; a whole line ends."""
    lines = home.told.read_text().splitlines(keepends=True) if home.told.exists() else []
    told = [json.loads(line) for line in lines if line.endswith("\n")]
    return [one["stage"] for one in told if one["type"] == "series"]
