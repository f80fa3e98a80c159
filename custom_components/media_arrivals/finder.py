"""Has media servers look for what was imported, until one has it or it has taken too long."""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .engine.board.models import (
    Arrival,
    Part,
    Question,
    QuestionKind,
    Role,
    Stage,
    TitleRef,
)
from .engine.connectors.base import KnowsFolder, Library, ScansFolders, ServiceError
from .engine.connectors.folders import match_folder
from .engine.connectors.pace import Turn, turn_of
from .faults import log_fault
from .questions import Ticket

if TYPE_CHECKING:
    from .coordinator import ServiceCoordinator
    from .runtime import BoardRuntime

_LOGGER = logging.getLogger(__name__)

GATHER_SECONDS: Final = 2.0
"""A season pack is imported file by file; its folder is looked into once."""
PAUSES: Final = (10.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""Seconds between looks."""
GIVE_UP_AFTER: Final = 30 * 60.0
"""Seconds after the last import: whoever has not found it by then needs a person."""
LOOK_BACK: Final = 7 * 86_400.0
"""Seconds after an import for which media servers are asked at least once, however late it
becomes known."""
ANSWER_SECONDS: Final = 60.0
LIBRARIES_KEPT: Final = 3600.0
"""Seconds after which a folder that fits no library has the libraries read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """A media server did not find what was imported."""

    service: str
    library: str | None
    """Where it should be; ``None``: the folder is in none of the server's libraries."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Search:
    """A title that media servers are looking for."""

    title_id: str
    imported_at: float
    """Time of the newest import."""
    sources: set[str]
    """Radarrs and Sonarrs that imported and whose folder was not looked into yet."""
    told_by: set[str] = field(default_factory=set)
    """All Radarrs and Sonarrs that imported."""
    unasked: set[tuple[str, str]] = field(default_factory=set)
    """Media servers that could not be asked to look into a folder, and that folder."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    places: dict[str, str | None] = field(default_factory=dict)
    """Media server -> name of the library that the folder is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Libraries:
    """The libraries of a media server, as they were read."""

    read_at: float
    libraries: tuple[Library, ...]


class Finder:
    """Looks for imported titles in the media servers; one search for each title."""

    def __init__(self, hass: HomeAssistant, runtime: BoardRuntime) -> None:
        """Begin without a search."""
        self.hass = hass
        self._runtime = runtime
        self._searches: dict[str, _Search] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._libraries: dict[str, _Libraries] = {}
        self._missed: dict[str, dict[str, set[str]]] = {}
        """Media server -> titles that it could not be told to look for, and who imported them."""

    def not_found(self, arrival: Arrival) -> tuple[NotFound, ...]:
        """Return which media servers were asked for an imported arrival, in vain."""
        if arrival.stage is not Stage.DOWNLOADED:
            return ()
        return tuple(
            NotFound(service=service_id, library=record.not_found[arrival.id])
            for service_id, record in self._runtime.records.items()
            if arrival.id in record.not_found
        )

    @callback
    def async_imported(self, title_id: str, source: str, imported_at: float) -> None:
        """Look for a title of which a file was imported, also for an upgrade."""
        if not any(True for _ in self._servers()):
            return
        if (search := self._searches.get(title_id)) is not None:
            search.imported_at = max(search.imported_at, imported_at)
            search.sources.add(source)
            search.told_by.add(source)
            search.wake.set()
            return
        self._begin(
            _Search(title_id=title_id, imported_at=imported_at, sources={source}, told_by={source})
        )

    def _begin(self, search: _Search) -> None:
        """Begin a search."""
        self._searches[search.title_id] = search
        sought = {arrival.id for arrival in self._arrivals(search)}
        for service_id, record in self._runtime.records.items():
            if not sought.isdisjoint(record.not_found):
                left = {key: one for key, one in record.not_found.items() if key not in sought}
                self._runtime.note(service_id, not_found=left)
        task = self.hass.async_create_background_task(
            self._search_safely(search), f"{DOMAIN} search"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def async_scan(
        self, arrival: Arrival, servers: Collection[str]
    ) -> Mapping[str, str | None]:
        """Have media servers look into an arrival's folder, then look for it there.

        Answers with the library of each; ``None``: it has none for that folder, or no answer.
        """
        title = self._runtime.board.title(arrival.title_id)
        search = _Search(title_id=title.id, imported_at=time.time(), sources=set())
        for holding in title.holdings:
            folder = await self._folder(search, holding.service) if holding.flag.yes else None
            if folder is None:
                continue
            for server in self._servers():
                if server.service.id in servers:
                    await self._scan_in(search, server, folder)
        unasked = {service for service, _ in search.unasked}
        if title.id not in self._searches:
            self._begin(_Search(title_id=title.id, imported_at=time.time(), sources=set()))
        return {one: None if one in unasked else search.places.get(one) for one in servers}

    async def async_stop(self) -> None:
        """Stop looking; what is not found is looked for at the next start."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    @callback
    def async_forget(self, service_id: str) -> None:
        """Forget the libraries of a media server."""
        self._libraries.pop(service_id, None)
        self._missed.pop(service_id, None)

    @callback
    def async_is_back(self, service_id: str) -> None:
        """Look for what was imported while a media server was away for long."""
        now = time.time()
        for title_id, sources in self._missed.pop(service_id, {}).items():
            for source in sources:
                self.async_imported(title_id, source, now)

    @callback
    def async_resume(self) -> None:
        """Look for what was imported and not found when Home Assistant stopped.

        What is too old for a search is looked for once, unless that was done before.
        """
        now = time.time()
        for arrival in tuple(self._runtime.board.open_arrivals()):
            for part in _waiting(arrival):
                for claims in part.claims:
                    at = claims.file.happened_at
                    if not claims.file.yes or at is None:
                        continue
                    fresh = now - at < GIVE_UP_AFTER
                    if fresh or (now - at < LOOK_BACK and not self.not_found(arrival)):
                        self.async_imported(arrival.title_id, claims.service, at)

    # --- a search -------------------------------------------------------------------------

    async def _search_safely(self, search: _Search) -> None:
        """Search; a fault ends one search only."""
        try:
            await self._search(search)
        except Exception as err:  # noqa: BLE001 - the next search is not to blame
            log_fault(_LOGGER, "looking for an imported title", err)
        finally:
            self._searches.pop(search.title_id, None)

    async def _search(self, search: _Search) -> None:
        """Have folders looked into, and ask with growing pauses."""
        await asyncio.sleep(GATHER_SECONDS)
        tries = 0
        while True:
            await self._scan_again(search)
            if search.sources:
                await self._scan(search)
                tries = 0
            await self._ask(search)
            left = search.imported_at + GIVE_UP_AFTER - time.time()
            if not search.sources and (not self._seasons(search) or left <= 0):
                break
            pause = min(PAUSES[min(tries, len(PAUSES) - 1)], max(left, PAUSES[0]))
            tries += 1
            search.wake.clear()
            if search.sources:
                # Files follow each other; their folder is not looked into for every one.
                await asyncio.sleep(PAUSES[0])
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await search.wake.wait()
        self._conclude(search)

    def _conclude(self, search: _Search) -> None:
        """Remember where it was not found."""
        waiting: dict[str, bool] = {
            arrival.id: any(True for _ in _waiting(arrival)) for arrival in self._arrivals(search)
        }
        for server in self._servers():
            service_id = server.service.id
            known = {
                key: library
                for key, library in self._runtime.records[service_id].not_found.items()
                if waiting.get(key, True) and self._still_waits(key)
            }
            place = search.places.get(service_id)
            known |= {key: place for key, waits in waiting.items() if waits}
            self._runtime.note(service_id, not_found=known)
        if any(waiting.values()):
            for service_id, _ in search.unasked:
                self._missed.setdefault(service_id, {})[search.title_id] = search.told_by

    def _still_waits(self, arrival_id: str) -> bool:
        """Tell whether an arrival that was not found is waited for still."""
        arrival = self._runtime.board.get(arrival_id)
        return arrival is not None and arrival.stage is Stage.DOWNLOADED

    def _arrivals(self, search: _Search) -> tuple[Arrival, ...]:
        """Return the arrivals of the title, under whichever id it is known now."""
        try:
            title = self._runtime.board.title(search.title_id)
        except KeyError:
            return ()
        return self._runtime.board.arrivals_of(title.id)

    def _seasons(self, search: _Search) -> Mapping[int | None, bool]:
        """Return the seasons (a film: ``None``) of which something is imported and not found."""
        return {
            arrival.season: True
            for arrival in self._arrivals(search)
            if any(True for _ in _waiting(arrival))
        }

    def _servers(self) -> Iterator[ServiceCoordinator]:
        """Yield the media servers that are there."""
        for coordinator in tuple(self._runtime.coordinators.values()):
            if coordinator.service.role is Role.PLAYBACK:
                yield coordinator

    async def _ask(self, search: _Search) -> None:
        """Ask every media server once whether it has what is imported, and take the answers."""
        seasons = self._seasons(search)
        if not seasons:
            return
        title = self._runtime.board.title(search.title_id)
        reference = TitleRef(
            media_type=title.media_type, ids=title.ids, name=title.name, year=title.year
        )
        tickets = []
        for server in self._servers():
            question = Question(
                service=server.service.id,
                kind=QuestionKind.AVAILABILITY,
                title=reference,
                seasons=tuple(sorted(season for season in seasons if season is not None)),
            )
            ticket = Ticket(service=server.service.id)
            await self._runtime.apply(
                (), service=server.service.id, questions=(question,), ticket=ticket
            )
            tickets.append(ticket)
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                for ticket in tickets:
                    await ticket.settled.wait()

    # --- scans ----------------------------------------------------------------------------

    async def _scan(self, search: _Search) -> None:
        """Have the media servers look into the folder of what was imported."""
        sources, search.sources = search.sources, set()
        for source in sources:
            folder = await self._folder(search, source)
            if folder is None:
                continue
            for server in self._servers():
                await self._scan_in(search, server, folder)

    async def _scan_again(self, search: _Search) -> None:
        """Ask those media servers that did not answer the last time."""
        unasked, search.unasked = search.unasked, set()
        for server in self._servers():
            for service_id, folder in unasked:
                if service_id == server.service.id:
                    await self._scan_in(search, server, folder)

    async def _folder(self, search: _Search, source: str) -> str | None:
        """Ask a Radarr or Sonarr where the title is."""
        coordinator = self._runtime.coordinators.get(source)
        if coordinator is None or not isinstance(coordinator.client, KnowsFolder):
            return None
        try:
            title = self._runtime.board.title(search.title_id)
            reference = TitleRef(
                media_type=title.media_type, ids=title.ids, own_id=title.own_ids.get(source)
            )
            with turn_of(Turn.SOON):
                return await coordinator.client.folder(reference)
        except (KeyError, ServiceError) as err:
            _LOGGER.debug("The folder of an import is not known: %s", type(err).__name__)
            return None

    async def _scan_in(self, search: _Search, server: ServiceCoordinator, folder: str) -> None:
        """Have one media server look into the folder."""
        client, service_id = server.client, server.service.id
        if not isinstance(client, ScansFolders):
            return
        media_type = self._runtime.board.title(search.title_id).media_type
        try:
            match = match_folder(folder, await self._known_libraries(server, client), media_type)
            if match is None:
                known = self._libraries.get(service_id)
                if known is not None and time.time() - known.read_at >= LIBRARIES_KEPT:
                    self._libraries.pop(service_id)
                    libraries = await self._known_libraries(server, client)
                    match = match_folder(folder, libraries, media_type)
            search.places[service_id] = None if match is None else match[0].name
            if match is not None:
                with turn_of(Turn.SOON):
                    await client.scan(*match)
        except ServiceError as err:
            # It is asked for the title all the same, and may find it by itself.
            search.unasked.add((service_id, folder))
            _LOGGER.debug("Asking %s to look into a folder: %s", service_id, err.key)

    async def _known_libraries(
        self, server: ServiceCoordinator, client: ScansFolders
    ) -> Iterable[Library]:
        """Return a media server's libraries; they are read once."""
        known = self._libraries.get(server.service.id)
        if known is None:
            with turn_of(Turn.SOON):
                known = _Libraries(read_at=time.time(), libraries=await client.libraries())
            self._libraries[server.service.id] = known
        return known.libraries


def _waiting(arrival: Arrival) -> Iterator[Part]:
    """Yield the parts that are imported and that no media server has."""
    for part in (arrival.whole, *arrival.parts.values()):
        stage = arrival.stage if arrival.season is None else part.stage
        if stage is Stage.DOWNLOADED and any(claims.file.yes for claims in part.claims):
            yield part
