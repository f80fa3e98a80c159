"""What the board's device shows, kept in step at a cost that does not grow with the board."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from .engine.board.board import Board
from .engine.board.models import (
    Arrival,
    Change,
    DownloadState,
    Role,
    Stage,
    Title,
)
from .stuck import is_counted

ON_THE_WAY: Final = (Stage.APPROVED, Stage.SENT, Stage.DOWNLOADING, Stage.DOWNLOADED)

type DownloadKey = tuple[str, str]
"""Service id and download id; without one, the arrival's id."""


class Latest(NamedTuple):
    """An arrival and its title."""

    title: Title
    arrival: Arrival


class Figures:
    """Numbers of the board, taken once as a whole and then change by change."""

    def __init__(self, board: Board, retired: Iterable[tuple[str, float]] = ()) -> None:
        """Take the numbers of what is on the board, and of what arrived lately and left it."""
        self._board = board
        self._stale: set[str] = set()
        self._downloads: dict[str, dict[DownloadKey, float]] = {}
        self._dismissed: set[str] = set()
        """Arrivals that failed and were dismissed."""
        self._stuck: set[str] = set()
        self._arrived_at = dict(retired)
        for arrival in board.arrivals():
            self._enter(arrival)
        self._arrived = sorted((at, arrival_id) for arrival_id, at in self._arrived_at.items())

    def note(self, change: Change) -> None:
        """Look at the change's arrival again before the next answer."""
        self._stale.add(change.arrival.id)
        self._stale.update(change.arrival.aliases)

    @property
    def waiting(self) -> int:
        """Return how many requests wait for a decision."""
        return self._board.pending

    @property
    def on_the_way(self) -> int:
        """Return how many arrivals are between the approval and the household."""
        return sum(self._board.counts.get(stage, 0) for stage in ON_THE_WAY)

    @property
    def downloading(self) -> int:
        """Return how many arrivals are downloading."""
        return self._board.counts.get(Stage.DOWNLOADING, 0)

    @property
    def failed(self) -> int:
        """Return how many arrivals failed, without those that were dismissed."""
        self._refresh()
        # Those that left the board meanwhile are not among those that it counts.
        dismissed = sum(self._board.get(key) is not None for key in self._dismissed)
        return self._board.counts.get(Stage.FAILED, 0) - dismissed

    @property
    def stuck(self) -> int:
        """Return how many arrivals are stuck, without those that were dismissed."""
        self._refresh()
        return len(self._stuck)

    @property
    def progress(self) -> int | None:
        """Return how far the distinct downloads are, in per cent."""
        self._refresh()
        distinct = {
            key: progress
            for downloads in self._downloads.values()
            for key, progress in downloads.items()
        }
        return round(100 * sum(distinct.values()) / len(distinct)) if distinct else None

    def arrived_since(self, start: float) -> int:
        """Return how many arrivals became available since then."""
        self._refresh()
        return len(self._arrived) - bisect_left(self._arrived, (start, ""))

    @property
    def latest(self) -> Latest | None:
        """Return the arrival that became available last, while it is on the board."""
        self._refresh()
        arrival = self._board.get(self._arrived[-1][1]) if self._arrived else None
        return Latest(self._board.title(arrival.title_id), arrival) if arrival else None

    def drop_arrived_before(self, start: float) -> None:
        """Let go of what arrived earlier, but for the latest."""
        count = min(bisect_left(self._arrived, (start, "")), len(self._arrived) - 1)
        for _, arrival_id in self._arrived[: max(count, 0)]:
            self._forget_arrived(arrival_id)

    def _refresh(self) -> None:
        """Look at the arrivals that changed."""
        for arrival_id in self._stale:
            self._forget(arrival_id)
            arrival = self._board.get(arrival_id)
            # The board answers for the id of a merged arrival with the one that is left.
            if arrival is not None and arrival.id == arrival_id:
                self._enter(arrival)
                if arrival.available_at is not None:
                    insort(self._arrived, (arrival.available_at, arrival_id))
        self._stale.clear()

    def _enter(self, arrival: Arrival) -> None:
        """Count an arrival in."""
        if arrival.progress is not None:
            self._downloads[arrival.id] = dict(self._running_downloads(arrival))
        if arrival.dismissed and arrival.stage is Stage.FAILED:
            self._dismissed.add(arrival.id)
        if is_counted(arrival):
            self._stuck.add(arrival.id)
        if arrival.available_at is not None:
            self._arrived_at[arrival.id] = arrival.available_at

    def _forget(self, arrival_id: str) -> None:
        """Count an arrival out."""
        self._downloads.pop(arrival_id, None)
        self._dismissed.discard(arrival_id)
        self._stuck.discard(arrival_id)
        self._forget_arrived(arrival_id)

    def _forget_arrived(self, arrival_id: str) -> None:
        """Take an arrival out of those that arrived."""
        if (arrived_at := self._arrived_at.pop(arrival_id, None)) is not None:
            del self._arrived[bisect_left(self._arrived, (arrived_at, arrival_id))]

    def _running_downloads(self, arrival: Arrival) -> Iterator[tuple[DownloadKey, float]]:
        """Yield the arrival's downloads; Seerr's word counts where no downloader speaks."""
        words: dict[bool, dict[DownloadKey, float]] = {True: {}, False: {}}
        for part in (arrival.whole, *arrival.parts.values()):
            for claims in part.claims:
                claim = claims.download
                if (
                    claim is not None
                    and claim.state is DownloadState.DOWNLOADING
                    and claim.progress is not None
                ):
                    service = self._board.services.get(claims.service)
                    first_hand = service is not None and service.role is Role.DOWNLOADS
                    key = (claims.service, (claim.download_id or arrival.id).casefold())
                    words[first_hand][key] = claim.progress
        yield from (words[True] or words[False]).items()
