"""How much memory a film takes that is on the board."""

import gc
import tempfile
import tracemalloc
from pathlib import Path
from typing import Final

from custom_components.media_arrivals.engine.board.board import Board
from custom_components.media_arrivals.engine.storage.models import Commit
from custom_components.media_arrivals.engine.storage.storage import Storage

from .figures import Figure
from .household import FilmStory
from .options import Options
from .progress import say
from .seed import empty_board

FILMS: Final = 10_000
BEGAN: Final = 1_780_000_000.0
LIMIT: Final = 3_000


async def measure(_: Options) -> tuple[Figure, ...]:
    """Count what Python allocates for films, waiting ones and such that have come."""
    say(f"memory: a board of {FILMS:,} films")
    tracemalloc.start()
    try:
        before = _allocated()
        board = empty_board()
        for number in range(FILMS):
            for report in FilmStory.of(number, BEGAN).asked():
                board.apply(report, now=report.at + 1, silent=True)
        waiting = (_allocated() - before) / FILMS
        for number in range(FILMS):
            for report in FilmStory.of(number, BEGAN).come():
                board.apply(report, now=report.at + 1, silent=True)
        come = (_allocated() - before) / FILMS
    finally:
        tracemalloc.stop()
    restarted = await _after_restart(board)
    worst = max(waiting, come, restarted)
    return (
        Figure(
            what="memory per live film",
            reached=f"{worst / 1000:.1f} kB",
            target=f"under {LIMIT / 1000:.0f} kB",
            met=worst < LIMIT,
            values={
                "films": FILMS,
                "waiting_bytes": round(waiting),
                "come_bytes": round(come),
                "come_after_restart_bytes": round(restarted),
            },
        ),
    )


async def _after_restart(board: Board) -> float:
    """Return the bytes of each film when the same board is read from the database."""
    say("memory: the same board after a restart")
    arrivals = tuple(board.arrivals())
    commit = Commit(
        titles=tuple(board.title(arrival.title_id) for arrival in arrivals),
        arrivals=arrivals,
        requests=tuple(one for arrival in arrivals for one in board.requests_of(arrival)),
    )
    with tempfile.TemporaryDirectory(prefix="media-arrivals-bench-") as folder:
        storage = await Storage.open(Path(folder) / "board.db")
        try:
            await storage.commit(commit)
            tracemalloc.start()
            try:
                before = _allocated()
                live = await storage.load_live()
                again = empty_board()
                again.load(live.titles, live.arrivals, live.requests)
                del live
                return (_allocated() - before) / FILMS
            finally:
                tracemalloc.stop()
        finally:
            await storage.close()


def _allocated() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
