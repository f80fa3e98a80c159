"""How long a start takes with a large database, and what has to wait meanwhile."""

import asyncio
import compileall
from typing import Final

from .door import REST_SECONDS, longest
from .engine import INTEGRATION
from .figures import Figure
from .home_assistant import HomeAssistant, board_entry, service_entry
from .household import RADARR, SEERR, SONARR
from .options import Options
from .progress import say
from .seed import fill_with_years
from .simulated import simulated_stack

STORED: Final = 50_000
LIVE: Final = 5_000
SECONDS: Final = 3.0
PAUSE_MS: Final = 50.0


async def measure(_: Options) -> tuple[Figure, ...]:
    """Load the integration into a Home Assistant that runs already and does nothing else.

    During its own start Home Assistant makes pauses of its own, longer than what is looked for.
    So does the first start of a version, for which Python compiles it.
    """
    say("start: compiling the integration")
    await asyncio.to_thread(compileall.compile_dir, INTEGRATION, quiet=2)
    async with simulated_stack(library=True) as addresses:
        entries = [board_entry(disabled=True)]
        for service in (RADARR, SONARR, SEERR):
            url, api_key = addresses[service.kind]
            entries.append(service_entry(service, url=url, api_key=api_key, disabled=True))
        async with HomeAssistant(entries, recorder=True) as home:
            say(f"start: a database of {STORED:,} arrivals")
            await fill_with_years(home.database, STORED, LIVE)
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
            pause = longest(await home.ask("GET", "/api/bench/heart"))
            if loaded["live"] < LIVE:
                raise RuntimeError(f"{loaded['live']} arrivals are live, not {LIVE}")
    took = loaded["seconds"]
    longest_ms = float(pause["longest_ms"] or 0)
    return (
        Figure(
            what="start with 50,000 stored arrivals, 5,000 of them live",
            reached=f"{took:.2f} s, longest pause {longest_ms:.1f} ms",
            target=f"under {SECONDS:.0f} s, no pause over {PAUSE_MS:.0f} ms",
            met=took < SECONDS and longest_ms <= PAUSE_MS,
            values={
                "seconds": round(took, 3),
                **pause,
                "looking_through_all_ms": round(tidied["seconds"] * 1000, 1),
                **{f"at_rest_{name}": value for name, value in rest.items()},
            },
        ),
    )
