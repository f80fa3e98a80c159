"""The simulated media stack, in a process of its own."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from .engine import ROOT

START_SECONDS = 30.0
STOP_SECONDS = 10.0

CONTROL: Final = "control"

type Addresses = Mapping[str, tuple[str, str]]
"""Name of a service -> address and key."""


@asynccontextmanager
async def simulated_stack(*, library: bool, items: int = 0) -> AsyncIterator[Addresses]:
    """Run every service of a home, and end them; ``items``: films on each media server."""
    options = [*(["--library"] if library else []), "--items", str(items)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--jobs", "0", *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("The simulator has no output")
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError("The simulator does not start")
        said = json.loads(line)
        yield {CONTROL: (said["control"], "")} | {
            one["name"]: (one["url"], one["api_key"]) for one in said["services"]
        }
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
