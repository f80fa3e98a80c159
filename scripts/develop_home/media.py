"""The simulated media stack as a program of its own, and its remote control."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from .children import Child
from .words import Failure, tail

START_SECONDS = 30.0
PLEX_TV = "plex_tv"
LOOPBACK_TIMEOUT = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A simulated service."""

    name: str
    kind: str
    url: str
    api_key: str


class MediaStack:
    """A simulated home with every service, and a plex.tv."""

    def __init__(self, child: Child, session: aiohttp.ClientSession, said: dict[str, Any]) -> None:
        """Take what the simulator says about itself."""
        self.child = child
        self._session = session
        self.control: str = said["control"]
        everything = tuple(
            Service(name=one["name"], kind=one["kind"], url=one["url"], api_key=one["api_key"])
            for one in said["services"]
        )
        self.plex_tv = next(one for one in everything if one.kind == PLEX_TV)
        self.services = tuple(one for one in everything if one.kind != PLEX_TV)

    @classmethod
    @asynccontextmanager
    async def started(
        cls, session: aiohttp.ClientSession, folder: Path, *, library: bool
    ) -> AsyncIterator[MediaStack]:
        """Run the simulator on ports that are free."""
        command = [sys.executable, "-m", "simulator", *(["--library"] if library else [])]
        async with Child.started(
            "The simulated media stack",
            command,
            said=folder / "simulator.log",
            answers=True,
            patience=3.0,
        ) as child:
            yield cls(child, session, json.loads(await child.first_line(START_SECONDS)))

    async def keep(self) -> None:
        """Complain if it ends."""
        code = await self.child.process.wait()
        raise Failure(f"The media stack ended by itself, with {code}.\n{tail(self.child.said)}")

    def of(self, *kinds: str) -> tuple[Service, ...]:
        """Return the services of some kinds."""
        return tuple(service for service in self.services if service.kind in kinds)

    async def agree(self) -> None:
        """Agree at plex.tv that Home Assistant may sign in."""
        await self._control("POST", f"plex_tv/{self.plex_tv.name}/agree", {})

    async def begin_day(self, speed: float = 1.0) -> None:
        """Let the household's day begin."""
        await self._control("PUT", "day", {"speed": speed})

    async def play(self, story: str, **options: Any) -> None:
        """Let one more story run beside the day."""
        await self._control("POST", "plays", {"name": story, **options})

    async def _control(self, method: str, path: str, data: dict[str, Any]) -> None:
        async with self._session.request(
            method, f"{self.control}/{path}", json=data, timeout=LOOPBACK_TIMEOUT
        ) as answer:
            answer.raise_for_status()
