"""A household with media servers."""

from typing import Any, override

from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Film, SeerrDouble
from simulator.arr import ArrDouble
from tests.house import Double
from tests.stories.family import Family


class MediaFamily(Family):
    """A household with media servers."""

    @override
    def add(self, name: str, **options: Any) -> MockConfigEntry:
        double = self.stack.services[name]
        if isinstance(double, ArrDouble | SeerrDouble):
            return super().add(name, **options)
        assert isinstance(double, Double.__value__)
        entry = self.entries[name] = self.house.add_service(double, options=options)
        return entry

    @override
    async def move_in(self, services: Any = (), *, polling_only: bool = False) -> None:
        assert not polling_only
        self.house.add_board()
        for name in services:
            self.add(name)
        await self.house.start()
        for name in services:
            await self.joined(name)
        await self.settle()
        self.clock.tick(2)

    async def join(self, name: str) -> MockConfigEntry:
        """Add a service to a board that runs."""
        entry = self.add(name)
        assert await self.house.hass.config_entries.async_setup(entry.entry_id)
        await self.joined(name)
        await self.settle()
        return entry

    async def joined(self, name: str) -> None:
        """Wait until a service's webhook is there and its library is known."""
        entry = self.entries[name]
        # Two have no test; the first delivery of any kind proves it.
        if name == "plex":
            owner = self.stack.plex_tv.owner
            await self.house.until(lambda: owner.webhooks, what="a webhook in Plex")
        elif name == "jellyfin":
            double: Any = self.stack.services[name]
            await self.house.until(
                lambda: len(double.settings["GenericOptions"]) > 1, what="a webhook in Jellyfin"
            )
        else:
            await self.house.proven(entry)
        if name in {"plex", "jellyfin"}:
            client: Any = self.house.runtime.coordinators[entry.entry_id].client
            await self.house.until(lambda: client.index_complete, what="an index")

    async def found(self) -> None:
        """Wait until nothing is looked for any more."""
        searches = self.house.runtime.finder._searches  # noqa: SLF001
        await self.house.until(lambda: not searches, what="the end of every search")
        await self.settle()

    async def film(self, title: str = "Amber Ferry", *, radarr: str = "radarr") -> Film:
        """Have a film added and imported."""
        film = self.stack.catalogue.film(title)
        await self.import_film(film, radarr=radarr)
        return film

    async def import_film(self, film: Film, *, radarr: str = "radarr") -> None:
        double = self.stack.radarr if radarr == "radarr" else self.stack.radarr_4k
        quality = "WEBDL-1080p" if radarr == "radarr" else "WEBDL-2160p"
        movie = double.find(film.tmdb_id) or await double.add_movie(film)
        await self.settle()
        download = await double.grab(movie, quality=quality)
        await self.settle()
        self.clock.tick(2)
        await double.import_file(download)
        await self.stack.settle()

    async def sync(self, name: str) -> None:
        """Have a service looked through."""
        await self.house.runtime.coordinators[f"{name}_entry"].async_sync()
        await self.settle()

    def stage(self, title: str = "Amber Ferry", tier: str = "hd") -> str:
        return self.stages()[title, tier]
