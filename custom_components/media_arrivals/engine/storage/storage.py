"""The storage as everybody else sees it. All SQL runs in its one thread.

Use::

    storage = await Storage.open(path)          # DatabaseNewerError, DatabaseUnavailableError
    storage.set_aside                           # where a damaged file went, or None
    storage.journal_mode                        # "wal", or what the file system allows

    row = await storage.journal.append(service, source, event_type, payload, received_at)
    storage.journal.put(delivery, done)         # the same; done(row or the error) is called
    await storage.journal.pending()             # tuple[JournalRow], oldest first, with payload
    await storage.journal.last_pending()        # newest of them, 0 if there is none
    await storage.journal.recent(limit=, offset=, service=, source=, outcome=, ...)
    await storage.journal.counts()              # tuple[JournalCount]
    await storage.journal.mark(JournalMark(...))
    await storage.journal.trim(now, days=, rows=)  # or only .trim_by_number(rows)

    await storage.commit(Commit.of([applied, ...], marks=[...], cursors={...}, records={...}))

    board = await storage.load_live()           # LoadedBoard, before the first commit
    await storage.recall(media_type, ids, own)  # LoadedBoard | None; live again from then on
    await storage.arrival(arrival_id)           # LoadedBoard | None, only looked at
    await storage.title(media_type, ids)        # the same for a title with all its arrivals
    await storage.search(stages=, media_type=, requester=, service=, text=, limit=, offset=)
    await storage.retired_since(start)          # ((arrival id, available at), ...)
    await storage.overview(title_id)            # str | None
    await storage.timeline(arrival_id)          # tuple[TimelineEntry], oldest first
    await storage.retire(ids)                   # no longer live: arrivals that left the board
    await storage.purge(now, timeline_days)
    await storage.forget_service(service_id)
    await storage.screen_viewers(viewer)        # of what is not live; how many arrivals
    await storage.forget_requesters(theirs)     # the same; how many requests
    await storage.forget_follower(person)       # of what is not live; how many arrivals
    await storage.forget_user(user_id)          # in timelines; how many steps
    await storage.journal.screen(services, payload)  # what is kept of deliveries; how many
    await storage.wipe()                        # leave nothing of what was deleted

    await storage.records.load()                # {service: document}; .save(service, document)
    await storage.cursors.load()                # the same, for the cursors
    await storage.schedule.load()               # {service: ScheduleRow}; .save(ScheduleRow)

    library = storage.library(service_id)       # the LibraryIndex of a media server
    await library.take_page(entries, LibraryState(...)); await library.state(); .clear()

    await storage.prepare_backup()              # bool, never raises
    await storage.finish_backup()
    await storage.close()

What is written is on the disk when the call returns. Calls that wait together share a
transaction, in the order in which they were made; one that fails does not harm the others.
Errors are :class:`~.models.StorageError` and its kinds, :class:`~.models.StorageClosedError`
after :meth:`Storage.close`.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Self

from ..board.models import ExternalIds, MediaType, Person, Stage
from .board_store import BoardStore
from .database import Database
from .journal import Journal
from .library import StoredLibrary
from .models import Commit, Found, LoadedBoard, TimelineEntry
from .records import Documents, Schedule


class Storage:
    """Everything that outlives Home Assistant, in one SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._board = BoardStore(database)
        self.journal = Journal(database)
        self.records = Documents(database, "record")
        self.cursors = Documents(database, "cursor")
        self.schedule = Schedule(database)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, or make it. A damaged one is set aside and a fresh one made."""
        return cls(await Database.open(path))

    async def close(self) -> None:
        """Write what waits, bring it into the main file, close, and end the thread."""
        await self._database.close()

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self._database.path

    @property
    def set_aside(self) -> Path | None:
        """Return where the damaged file was moved when this one was opened."""
        return self._database.set_aside

    @property
    def journal_mode(self) -> str:
        """Return how SQLite keeps changes safe; ``wal`` unless the file system refuses."""
        return self._database.journal_mode

    async def commit(self, commit: Commit) -> None:
        """Write everything of it in one transaction."""
        await self._board.commit(commit)

    async def load_live(self) -> LoadedBoard:
        """Read the live board; to be done before the first commit."""
        return await self._board.load_live()

    async def recall(
        self, media_type: MediaType, ids: ExternalIds, own: tuple[str, int] | None = None
    ) -> LoadedBoard | None:
        """Bring back what is stored of a title and not live; ``None`` if there is nothing.

        ``own`` is a service and the title's id inside it.
        """
        return await self._board.recall(media_type, ids, own)

    async def title(self, media_type: MediaType, ids: ExternalIds) -> LoadedBoard | None:
        """Read a title, live or not, with all its arrivals and requests, only to look at it."""
        return await self._board.title(media_type, ids)

    async def arrival(self, arrival_id: str) -> LoadedBoard | None:
        """Read one arrival, live or not, with its title and requests; aliases are known."""
        return await self._board.arrival(arrival_id)

    async def search(
        self,
        *,
        stages: Collection[Stage] | None = None,
        media_type: MediaType | None = None,
        requester: str | None = None,
        service: str | None = None,
        text: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Found:
        """Find arrivals, live or not, the one that moved last first."""
        return await self._board.search(
            stages=stages,
            media_type=media_type,
            requester=requester,
            service=service,
            text=text,
            limit=limit,
            offset=offset,
        )

    async def retired_since(self, start: float) -> tuple[tuple[str, float], ...]:
        """Read which arrivals became available since then, and when, that are not live."""
        return await self._board.retired_since(start)

    async def overview(self, title_id: str) -> str | None:
        """Read what a title is about; only here it is kept."""
        return await self._board.overview(title_id)

    async def timeline(self, arrival_id: str) -> tuple[TimelineEntry, ...]:
        """Read the steps of an arrival, oldest first; aliases are known."""
        return await self._board.timeline(arrival_id)

    async def retire(self, ids: Iterable[str]) -> None:
        """Note that arrivals left the live board."""
        await self._board.retire(ids)

    async def purge(self, now: float, timeline_days: float) -> int:
        """Delete the timelines of arrivals that ended longer ago; return how many steps."""
        return await self._board.purge(now, timeline_days)

    def library(self, service_id: str) -> StoredLibrary:
        """Return the index of a media server's films and series by external ids."""
        return StoredLibrary(self._database, service_id)

    async def forget_service(self, service_id: str) -> None:
        """Delete a removed service's journal, cursor, schedule, index and record; no arrival.

        The record goes last: as long as there is one, the service is not forgotten.
        """
        await self.journal.forget(service_id)
        await self.cursors.forget(service_id)
        await self.schedule.forget(service_id)
        await self.library(service_id).clear()
        await self.records.forget(service_id)

    async def size(self) -> int:
        """Count the arrivals, requests and deliveries."""
        return sum(await self._board.sizes()) + await self.journal.size()

    async def screen_viewers(
        self,
        viewer: Callable[[str], str | None],
        done: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Call those otherwise who watched arrivals that are not live, or forget them.

        Returns how many arrivals that changed; ``done`` is told how many were looked at.
        """
        return await self._board.screen_viewers(viewer, done)

    async def forget_requesters(
        self,
        theirs: Callable[[str, Person], bool],
        done: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Forget who made requests that are not live; return how many."""
        return await self._board.forget_requesters(theirs, done)

    async def forget_follower(self, person: str) -> int:
        """Forget what a person follows of what is not live; return of how many arrivals."""
        return await self._board.forget_follower(person)

    async def forget_user(self, user_id: str) -> int:
        """Forget which steps of timelines a user of Home Assistant caused; return how many."""
        return await self._board.forget_user(user_id)

    async def wipe(self) -> None:
        """Leave nothing on the disk of what was deleted: neither in the file nor in copies."""
        await self._database.wipe()

    async def prepare_backup(self) -> bool:
        """Keep the main file still while it is copied; writing goes on beside it.

        Never raises; says whether the main file is still.
        """
        return await self._database.prepare_backup()

    async def finish_backup(self) -> bool:
        """Bring what was written meanwhile into the main file. Never raises."""
        return await self._database.finish_backup()
