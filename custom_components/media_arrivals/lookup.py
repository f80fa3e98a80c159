"""Finds arrivals: in the database, or on the live board while that cannot be opened."""

from collections.abc import Collection
from dataclasses import dataclass

from .engine.board.board import Board
from .engine.board.models import Arrival, ExternalIds, MediaType, Stage
from .engine.storage.models import Found, LoadedBoard, TimelineEntry
from .engine.storage.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What arrivals are looked for. What is not said does not matter."""

    stages: Collection[Stage] | None = None
    media_type: MediaType | None = None
    requester: str | None = None
    service: str | None = None
    text: str | None = None


async def find_arrivals(
    storage: Storage | None, board: Board, search: Search, *, limit: int, offset: int
) -> Found:
    """Return a page of arrivals, the one that moved last first."""
    if storage is None:
        return _find_live(board, search, limit, offset)
    return await storage.search(
        stages=search.stages,
        media_type=search.media_type,
        requester=search.requester,
        service=search.service,
        text=search.text,
        limit=limit,
        offset=offset,
    )


async def read_arrival(storage: Storage | None, board: Board, arrival_id: str) -> LoadedBoard:
    """Return an arrival with its title and requests, or nothing."""
    if storage is not None:
        return await storage.arrival(arrival_id) or LoadedBoard()
    arrival = board.get(arrival_id)
    return _live(board, (arrival,) if arrival else ())


async def read_title(
    storage: Storage | None, board: Board, media_type: MediaType, ids: ExternalIds
) -> LoadedBoard:
    """Return a title with all its arrivals, or nothing."""
    if storage is not None:
        return await storage.title(media_type, ids) or LoadedBoard()
    title = board.find(media_type, ids)
    return _live(board, board.arrivals_of(title.id) if title else ())


async def read_overview(storage: Storage | None, title_id: str) -> str | None:
    """Return what a title is about; that is only in the database."""
    return await storage.overview(title_id) if storage is not None else None


async def read_timeline(storage: Storage | None, arrival_id: str) -> tuple[TimelineEntry, ...]:
    """Return the steps of an arrival, oldest first; they are only in the database."""
    return await storage.timeline(arrival_id) if storage is not None else ()


def _find_live(board: Board, search: Search, limit: int, offset: int) -> Found:
    """Return a page of what is on the live board."""
    matching = [arrival for arrival in board.arrivals() if _matches(board, arrival, search)]
    matching.sort(key=lambda arrival: arrival.known_at, reverse=True)
    page = _live(board, tuple(matching[offset : offset + limit]))
    return Found(
        total=len(matching),
        arrivals=page.arrivals,
        titles={title.id: title for title in page.titles},
        requests={request.key: request for request in page.requests},
    )


def _live(board: Board, arrivals: tuple[Arrival, ...]) -> LoadedBoard:
    """Return live arrivals with their titles and requests."""
    return LoadedBoard(
        titles=tuple(board.title(key) for key in dict.fromkeys(a.title_id for a in arrivals)),
        arrivals=arrivals,
        requests=tuple(
            {
                request.key: request
                for arrival in arrivals
                for request in board.requests_of(arrival)
            }.values()
        ),
    )


def _matches(board: Board, arrival: Arrival, search: Search) -> bool:
    """Tell whether an arrival is looked for."""
    title, requests = board.title(arrival.title_id), board.requests_of(arrival)
    services = {
        *title.own_ids,
        *(holding.service for holding in title.holdings),
        *(request.service for request in requests),
    }
    names = {request.requester.name.casefold() for request in requests if request.requester}
    return (
        (search.stages is None or arrival.stage in search.stages)
        and (search.media_type is None or title.media_type is search.media_type)
        and (search.requester is None or search.requester.casefold() in names)
        and (search.service is None or search.service in services)
        and (not search.text or search.text.casefold() in (title.name or "").casefold())
    )
