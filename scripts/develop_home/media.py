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
LOOPBACK_TIMEOUT = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A simulated service."""

    name: str
    kind: str
    url: str
    api_key: str


class MediaStack:
    """A Seerr, a Radarr, a Radarr for 4K and a Sonarr."""

    def __init__(self, child: Child, session: aiohttp.ClientSession, said: dict[str, Any]) -> None:
        """Take what the simulator says about itself."""
        self.child = child
        self._session = session
        self.control: str = said["control"]
        self.services = tuple(
            Service(name=one["name"], kind=one["kind"], url=one["url"], api_key=one["api_key"])
            for one in said["services"]
        )

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

    @property
    def seerr(self) -> Service:
        """The one that people ask for films in."""
        return next(service for service in self.services if service.kind == "seerr")

    async def begin_day(self) -> None:
        """Let the household's day begin."""
        await self._control("PUT", "day", {"speed": 1})

    async def play(self, story: str) -> None:
        """Let one more story run beside the day."""
        await self._control("POST", "plays", {"name": story})

    async def _control(self, method: str, path: str, data: dict[str, Any]) -> None:
        async with self._session.request(
            method, f"{self.control}/{path}", json=data, timeout=LOOPBACK_TIMEOUT
        ) as answer:
            answer.raise_for_status()
