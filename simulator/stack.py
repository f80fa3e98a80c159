"""A whole simulated home: its services, its world, and what is played in it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from . import homes
from .arr import ArrDouble
from .clock import Clock
from .emby import EmbyDouble
from .faults import Json
from .jellyfin import JellyfinDouble
from .library import Catalogue
from .mediabrowser import MediaBrowserDouble
from .plex import PlexDouble
from .plex_beside import PlexBeside
from .plex_tv import PlexTvDouble
from .plex_view import PlexView
from .radarr import RadarrDouble
from .scenarios import SCENARIOS, Play, household_day
from .seerr import SeerrDouble
from .service import HttpDouble
from .shelf import Shelf
from .sonarr import SonarrDouble
from .tautulli import TautulliDouble

RADARR_VERSION = "6.0.3.10205"
SONARR_VERSION = "4.0.16.2944"
MEDIA_SERVER_PAUSES = 60
"""A Seerr looks at queues so many times before it looks into its media server."""


class Stack:
    """Simulated services that know one world; an async context manager."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        """Begin with an empty house."""
        self.clock = clock or Clock()
        self.catalogue = Catalogue()
        self.shelf = Shelf()
        self.services: dict[str, HttpDouble] = {}
        self.plays: list[Play] = []
        self._day: asyncio.Task[None] | None = None
        self._jobs: list[asyncio.Task[None]] = []

    @classmethod
    def default(
        cls,
        *,
        seerr: str = "seerr-3.3",
        radarr: str = RADARR_VERSION,
        sonarr: str = SONARR_VERSION,
        ports: Sequence[int] = (0, 0, 0, 0),
        clock: Clock | None = None,
    ) -> Self:
        """Build a Seerr, a Radarr, a Radarr for 4K and a Sonarr, all connected."""
        stack = cls(clock=clock)
        stack.add_seerr(flavour=seerr, port=ports[0])
        stack.add_radarr(version=radarr, port=ports[1])
        stack.add_radarr("radarr_4k", version=radarr, port=ports[2], is4k=True)
        stack.add_sonarr(version=sonarr, port=ports[3])
        return stack

    @classmethod
    def household(
        cls, *, clock: Clock | None = None, ports: Sequence[int] = (0,) * 9, **options: Any
    ) -> Self:
        """Build what a usual home has: the default stack, all media servers, and a Tautulli."""
        stack = cls.default(clock=clock, ports=ports[:4], **options)
        stack.add_plex_tv(port=ports[4])
        stack.add_tautulli(stack.add_plex(port=ports[5]), port=ports[6])
        stack.add_jellyfin(port=ports[7])
        stack.add_emby(port=ports[8])
        return stack

    def _add(self, double: HttpDouble) -> None:
        if double.name in self.services:
            msg = f"There is a service named {double.name} already"
            raise ValueError(msg)
        self.services[double.name] = double

    def add_seerr(self, name: str = "seerr", **options: Any) -> SeerrDouble:
        """Add a member of the Seerr family, which knows every Radarr and Sonarr here."""
        double = SeerrDouble(name, self.clock, self.catalogue, **options)
        self._add(double)
        for other in self.services.values():
            if isinstance(other, ArrDouble):
                double.connect(other)
        return double

    def add_radarr(
        self,
        name: str = "radarr",
        *,
        version: str = RADARR_VERSION,
        is4k: bool = False,
        **options: Any,
    ) -> RadarrDouble:
        """Add a Radarr and enter it in every Seerr."""
        options.setdefault("root_folder", "/movies-4k" if is4k else None)
        double = RadarrDouble(
            name, self.clock, self.catalogue, version=version, shelf=self.shelf, **options
        )
        self._add(double)
        self._enter(double, is4k=is4k)
        return double

    def add_sonarr(
        self,
        name: str = "sonarr",
        *,
        version: str = SONARR_VERSION,
        is4k: bool = False,
        **options: Any,
    ) -> SonarrDouble:
        """Add a Sonarr and enter it in every Seerr."""
        options.setdefault("root_folder", "/tv-4k" if is4k else None)
        double = SonarrDouble(
            name, self.clock, self.catalogue, version=version, shelf=self.shelf, **options
        )
        self._add(double)
        self._enter(double, is4k=is4k)
        return double

    def add_plex_tv(self, name: str = "plex_tv", *, port: int = 0) -> PlexTvDouble:
        """Add what stands for plex.tv."""
        double = PlexTvDouble(name, self.clock, port=port)
        self._add(double)
        return double

    def add_plex(self, name: str = "plex", **options: Any) -> PlexDouble:
        """Add a Plex Media Server that sees the disk of the house, and a plex.tv for it."""
        if "plex_tv" not in self.services:
            self.add_plex_tv()
        double = PlexDouble(name, self.clock, self.plex_tv, self.shelf, **options)
        self._add(double)
        return double

    def add_tautulli(
        self, plex: PlexView | PlexDouble, name: str = "tautulli", **options: Any
    ) -> TautulliDouble:
        """Add a Tautulli that watches a Plex."""
        view = PlexBeside(plex) if isinstance(plex, PlexDouble) else plex
        double = TautulliDouble(name, self.clock, view, **options)
        self._add(double)
        if isinstance(view, PlexBeside):
            view.tell(double)
        return double

    def add_jellyfin(self, name: str = "jellyfin", **options: Any) -> JellyfinDouble:
        """Add a Jellyfin that sees the disk of the house."""
        double = JellyfinDouble(name, self.clock, self.shelf, **options)
        self._add(double)
        return double

    def add_emby(self, name: str = "emby", **options: Any) -> EmbyDouble:
        """Add an Emby that sees the disk of the house."""
        double = EmbyDouble(name, self.clock, self.shelf, **options)
        self._add(double)
        return double

    def _enter(self, arr: ArrDouble, *, is4k: bool) -> None:
        for seerr in self.services.values():
            if isinstance(seerr, SeerrDouble):
                same = [s for s in seerr.servers if s.double.kind == arr.kind and s.is4k == is4k]
                seerr.connect(arr, is4k=is4k, default=not same)

    def _get[DoubleT: HttpDouble](self, name: str, kind: type[DoubleT]) -> DoubleT:
        double = self.services[name]
        if not isinstance(double, kind):
            raise TypeError(f"{name} is no {kind.__name__}")
        return double

    @property
    def seerr(self) -> SeerrDouble:
        """The Seerr named ``seerr``."""
        return self._get("seerr", SeerrDouble)

    @property
    def radarr(self) -> RadarrDouble:
        """The Radarr named ``radarr``."""
        return self._get("radarr", RadarrDouble)

    @property
    def radarr_4k(self) -> RadarrDouble:
        """The Radarr for 4K."""
        return self._get("radarr_4k", RadarrDouble)

    @property
    def sonarr(self) -> SonarrDouble:
        """The Sonarr named ``sonarr``."""
        return self._get("sonarr", SonarrDouble)

    @property
    def plex(self) -> PlexDouble:
        """The Plex named ``plex``."""
        return self._get("plex", PlexDouble)

    @property
    def plex_tv(self) -> PlexTvDouble:
        """What stands for plex.tv."""
        return self._get("plex_tv", PlexTvDouble)

    async def start(self) -> None:
        """Start every service that was not started yet."""
        for double in self.services.values():
            if not double.started_once:
                await double.start()

    async def stop(self) -> None:
        """End everything: plays, jobs, servers, connections."""
        await self.stop_day()
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        self._jobs.clear()
        for double in self.services.values():
            await double.stop()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def settle(self) -> None:
        """Wait until no service does or sends anything on its own any more."""
        for _ in range(3):
            for double in self.services.values():
                await double.settle()

    def run_jobs(self, *, every: float = 5.0) -> None:
        """Let every Seerr look at queues and availability by itself.

        Through a media server it looks more seldom, as real ones do.
        """

        async def repeat(work: Callable[[], Awaitable[None]], pause: float) -> None:
            while True:
                await asyncio.sleep(pause)
                await work()

        for double in self.services.values():
            if isinstance(double, SeerrDouble):
                pause = every if double.media_server is None else every * MEDIA_SERVER_PAUSES
                for job in (repeat(double.download_sync, every), repeat(double.scan, pause)):
                    self._jobs.append(asyncio.create_task(job))

    def play(self, name: str, *, speed: float = 1.0, **options: Any) -> Play:
        """Prepare a scenario; step through it, or let it run."""
        self.plays = [play for play in self.plays if not play.ended]
        play = Play(name, SCENARIOS[name](self, **options), speed=speed)
        self.plays.append(play)
        return play

    def fill_library(self, *, films: int = 3000, shows: int = 200, requests: int = 300) -> None:
        """Let the home have existed for years; nobody is told."""
        homes.fill(self, films=films, shows=shows, requests=requests)

    def fill_media_servers(self, items: int) -> None:
        """Let every media server have had so many films for years; nobody is told."""
        for double in self.services.values():
            if isinstance(double, PlexDouble | MediaBrowserDouble):
                double.fill(items)

    async def scan(self) -> None:
        """Let every media server look through all its libraries."""
        for double in self.services.values():
            if isinstance(double, PlexDouble | MediaBrowserDouble):
                await double.scan()

    def start_day(self, *, speed: float = 1.0) -> None:
        """Begin a household's day, which goes on until it is stopped."""
        if self._day is None:
            self._day = asyncio.create_task(household_day(self, speed=speed))

    async def stop_day(self) -> None:
        """End the day and every story in it."""
        day, self._day = self._day, None
        if day is not None:
            day.cancel()
            await asyncio.gather(day, return_exceptions=True)
        for play in self.plays:
            await play.stop()

    def know_name(self, name: str, address: str = "127.0.0.1") -> None:
        """Let every service find a host by this name."""
        for double in self.services.values():
            double.sender.resolver.names[name] = address

    def reset_counts(self) -> None:
        """Count from zero everywhere."""
        for double in self.services.values():
            double.reset_counts()

    def counts(self) -> Json:
        """Sum up every service."""
        return {name: double.counts() for name, double in self.services.items()}

    def describe(self) -> Json:
        """Say what there is, where, and with which key."""
        services = []
        for name, double in self.services.items():
            services.append(
                {
                    "name": name,
                    "kind": double.kind,
                    "url": double.url,
                    "api_key": double.api_key,
                    "version": double.version,
                    "up": double.is_up,
                }
            )
        return {"services": services}
