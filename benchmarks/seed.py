"""Fills a database through the storage, as years of use would."""

import time
from collections.abc import Iterable
from itertools import batched, count
from pathlib import Path

from custom_components.media_arrivals.engine.board.board import Board
from custom_components.media_arrivals.engine.board.models import AnyReport, Applied
from custom_components.media_arrivals.engine.storage.models import Commit
from custom_components.media_arrivals.engine.storage.storage import Storage

from .household import DAY, SERVICES, FilmStory, story

_BATCH = 1_000


def empty_board() -> Board:
    """Return a board that knows the services."""
    numbers = count(1)
    board = Board(lambda: f"{next(numbers):026d}")
    board.know(SERVICES)
    return board


async def fill_with_waiting_films(path: Path, films: int) -> None:
    """Store films that were added to Radarr a day ago, and wait to be downloaded."""
    began = time.time() - DAY
    board = empty_board()
    storage = await Storage.open(path)
    try:
        for numbers in batched(range(films), _BATCH, strict=False):
            reports = (FilmStory.of(number, began).held() for number in numbers)
            await storage.commit(Commit.of(_apply(board, reports)))
    finally:
        await storage.close()


async def fill_with_years(path: Path, arrivals: int, live: int) -> None:
    """Store arrivals of which only the last ones are live; a fifth of those still waits."""
    now = time.time()
    board = empty_board()
    storage = await Storage.open(path)
    try:
        for numbers in batched(range(arrivals), _BATCH, strict=False):
            answers: list[Applied] = []
            gone: set[str] = set()
            for number in numbers:
                left = arrivals - number
                told = story(number, now - _days_ago(left, live) * DAY)
                waits = left <= live // 5
                answered = _apply(board, told.asked() if waits else (*told.asked(), *told.come()))
                answers += answered
                if left > live:
                    gone |= {arrival.id for one in answered for arrival in one.arrivals}
            await storage.commit(Commit.of(answers))
            await storage.retire(gone)
            board.unload(gone)
        for service in SERVICES:
            # Else a start would take them as new.
            await storage.records.save(service.id, {})
    finally:
        await storage.close()


def _days_ago(left: int, live: int) -> float:
    """Return when an arrival was asked for; finished ones are live for thirty days."""
    return 25.0 * left / live if left <= live else 31.0 + left / 200


def _apply(board: Board, reports: Iterable[AnyReport]) -> list[Applied]:
    return [board.apply(report, now=report.at + 1, silent=True) for report in reports]
