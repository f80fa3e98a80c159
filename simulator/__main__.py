"""Runs the simulated stack: ``python -m simulator --port-base 7800``."""

import argparse
import asyncio
import json
import signal
import sys

from .control import Control
from .flavours import FLAVOURS
from .stack import RADARR_VERSION, SONARR_VERSION, Stack

PORTS = 11
"""The control API, and a service each."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument(
        "--port-base",
        type=int,
        default=0,
        help="the first of the ports; 0: any",
    )
    parser.add_argument(
        "--ports",
        type=lambda text: [int(port) for port in text.split(",")],
        help="one by one, separated by commas: of the control API, "
        "seerr, radarr, radarr_4k, sonarr, plex_tv, plex, tautulli, jellyfin, emby, sonarr_4k",
    )
    parser.add_argument("--seerr", choices=sorted(FLAVOURS), default="seerr-3.3")
    parser.add_argument("--radarr", default=RADARR_VERSION, help="the version to play")
    parser.add_argument("--sonarr", default=SONARR_VERSION, help="the version to play")
    parser.add_argument("--second-sonarr", action="store_true", help="a Sonarr for 4K as well")
    parser.add_argument("--library", action="store_true", help="start with a large old library")
    parser.add_argument(
        "--items", type=int, default=0, help="so many old films on each media server"
    )
    parser.add_argument("--day", type=float, metavar="SPEED", help="begin a household's day")
    parser.add_argument("--jobs", type=float, default=5.0, help="seconds between Seerr's scans")
    return parser.parse_args()


async def run(options: argparse.Namespace) -> None:
    """Serve until interrupted."""
    base = options.port_base
    ports = options.ports or [base + number if base else 0 for number in range(PORTS)]
    ports += [0] * (PORTS - len(ports))
    stack = Stack.household(
        seerr=options.seerr,
        radarr=options.radarr,
        sonarr=options.sonarr,
        ports=ports[1:10],
    )
    stack.seerr.media_server = stack.plex
    if options.second_sonarr:
        stack.add_sonarr("sonarr_4k", version=options.sonarr, port=ports[10], is4k=True)
    control = Control(stack, port=ports[0])
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        async with stack:
            if options.library:
                stack.fill_library()
                await stack.scan()
                stack.plex.date_by_files()
            if options.items:
                stack.fill_media_servers(options.items)
            await control.start()
            if options.jobs > 0:
                stack.run_jobs(every=options.jobs)
            if options.day:
                stack.start_day(speed=options.day)
            print(json.dumps({**stack.describe(), "control": control.url}), flush=True)
            await stopped.wait()
    except OSError as err:
        print(f"The simulator cannot start: {err}", file=sys.stderr)
        sys.exit(1)
    finally:
        await control.stop()


if __name__ == "__main__":
    asyncio.run(run(arguments()))
