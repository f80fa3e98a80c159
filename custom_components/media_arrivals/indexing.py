"""Builds the index of a media server that cannot be asked by the ids that services share."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from .engine.board.models import Question, QuestionKind
from .engine.connectors.base import NeedsIndex, ServiceError
from .engine.storage.library import LibraryState, StoredLibrary
from .engine.storage.models import StorageError
from .questions import Ticket

if TYPE_CHECKING:
    from .coordinator import ServiceCoordinator

_LOGGER = logging.getLogger(__name__)

MAX_ITEMS: Final = 1_000_000
"""Rows after which a library has no end."""
PAUSES: Final = (30.0, 120.0, 600.0)
"""Seconds until a media server that failed is asked for the same page again."""


async def async_read_anew(coordinator: ServiceCoordinator, client: NeedsIndex) -> None:
    """Have the index begin anew, beside what it has: more was added than a poll can take in."""
    storage = await coordinator.runtime.opened_storage()
    if storage is None:
        return
    client.index_complete = False
    try:
        await storage.library(coordinator.service.id).take_page((), LibraryState())
    except StorageError as err:
        _LOGGER.debug("Keeping the library of %s: %s", coordinator.service.id, type(err).__name__)


async def async_keep_index(
    coordinator: ServiceCoordinator, client: NeedsIndex, *, silent: bool = True
) -> None:
    """Have the index complete: page by page, from where the last run got to.

    Afterwards the media server is asked for all that may be in it; of a new one, nothing of
    that is told.
    """
    runtime, service = coordinator.runtime, coordinator.service
    storage = await runtime.opened_storage()
    if storage is None:
        return
    library = storage.library(service.id)
    client.index = library
    failures = 0
    built = False
    begun_with: set[str] = set()
    while True:
        try:
            state = await library.state()
            if state.complete:
                runtime.note(service.id, indexed=state.done, to_index=state.total)
                client.index_complete = True
                break
            first = await _take_page(coordinator, client, library, state)
            if state.done > MAX_ITEMS or first in begun_with:
                # What it has is found; of what it has not, nothing is said to be absent.
                _LOGGER.warning(
                    "%s lists its library without an end: reading it was given up",
                    coordinator.config_entry.title,
                )
                return
            if first is not None:
                begun_with.add(first)
            built = True
        except ServiceError as err:
            # Its polls tell that already.
            _LOGGER.debug("Reading the library of %s: %s", service.id, err.key)
        except StorageError as err:
            _LOGGER.debug("Keeping the library of %s: %s", service.id, type(err).__name__)
        else:
            failures = 0
            continue
        await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
        failures += 1
    if built:
        await async_ask_for_all(coordinator, silent=silent)


async def _take_page(
    coordinator: ServiceCoordinator,
    client: NeedsIndex,
    library: StoredLibrary,
    state: LibraryState,
) -> str | None:
    """Read one page and enter it; return with which item it begins."""
    page = await client.index_page(state.resume)
    complete = page.resume is None
    await library.take_page(
        page.entries,
        LibraryState(
            resume=page.resume,
            done=page.done,
            total=page.total,
            complete=complete,
            built_at=time.time(),
        ),
    )
    coordinator.runtime.note(coordinator.service.id, indexed=page.done, to_index=page.total)
    return page.entries[0].item if page.entries else None


async def async_ask_for_all(coordinator: ServiceCoordinator, *, silent: bool = True) -> None:
    """Ask for everything that is imported: silently, a new media server is no news."""
    runtime, service = coordinator.runtime, coordinator.service
    questions = [
        Question(service=service.id, kind=QuestionKind.AVAILABILITY, title=title)
        for title in runtime.board.imported_titles()
    ]
    ticket = Ticket(service=service.id, silent=silent)
    await runtime.apply((), service=service.id, questions=questions, ticket=ticket)
