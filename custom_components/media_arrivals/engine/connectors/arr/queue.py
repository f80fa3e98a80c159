"""The queue: one row per film or per episode, several rows for one download."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from ...board.models import DownloadReport, DownloadState, PartRef, Service, TitleRef, Via
from .. import payload
from ..payload import Object
from .reading import Statement, joined, messages, origin_of, tier_of

_NOT_SENT: Final = frozenset({"delay", "fallback", "downloadclientunavailable"})
_WORKING: Final = frozenset({"downloading", "queued", "completed"})
_TRACKED: Final = {
    "importing": DownloadState.COMPLETE,
    "importblocked": DownloadState.BLOCKED,
    "imported": DownloadState.IMPORTED,
    "failed": DownloadState.FAILED,
    "failedpending": DownloadState.FAILED,
    "ignored": DownloadState.GONE,
}
_TOLD_ELSEWHERE: Final = frozenset({DownloadState.WAITING, DownloadState.FAILED})

_MAX_WORD: Final = 32


class ReadsRows(Protocol):
    """How a connector names what a row of the queue or the history is about."""

    has_parts: ClassVar[bool]

    def row_title(self, row: Object) -> TitleRef | None:
        """Read the title; ``None``: the row names none."""
        ...

    def row_part(self, row: Object) -> tuple[PartRef, ...]:
        """Read the part; none for a film, or if the row names none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What the queue says."""

    reports: tuple[DownloadReport, ...]
    downloads: frozenset[str]
    """All download ids in it, case-folded, also of what could not be matched."""
    count: int
    downloading: bool


def state_of(row: Object) -> DownloadState:
    """Say what is happening to a row."""
    status = payload.word(row.get("status"))
    tracked = payload.word(row.get("trackedDownloadState"))
    if status in _NOT_SENT:
        return DownloadState.WAITING
    if tracked in _TRACKED:
        return _TRACKED[tracked]
    if tracked == "importpending":
        # Before `importBlocked` existed, a warning said that a person is needed.
        health = payload.word(row.get("trackedDownloadStatus"))
        blocked = health in {"warning", "error"}
        return DownloadState.BLOCKED if blocked else DownloadState.COMPLETE
    if status == "failed":
        return DownloadState.FAILED
    return DownloadState.COMPLETE if status == "completed" else DownloadState.DOWNLOADING


def read_queue(
    reader: ReadsRows, service: Service, rows: Sequence[Object], now: float, offset: float
) -> Queue:
    """Read the whole queue: one report per download and title."""
    groups: dict[tuple[str, object], list[Object]] = {}
    downloads: set[str] = set()
    for place, row in enumerate(rows):
        found = payload.opaque_id(row.get("downloadId"))
        if found is not None:
            downloads.add(found.casefold())
        # A delayed release has no id yet: Sonarr still gives a row per episode of it.
        key = found.casefold() if found else f"row:{payload.text(row.get('title')) or place}"
        groups.setdefault((key, _owner(row)), []).append(row)
    reports = [_report(reader, service, group, now, offset) for group in groups.values()]
    return Queue(
        reports=tuple(report for report in reports if report is not None),
        downloads=frozenset(downloads),
        count=len({key for key, _ in groups}),
        downloading=any(_is_moving(group[0]) for group in groups.values()),
    )


def _owner(row: Object) -> int | None:
    return payload.identifier(row.get("movieId")) or payload.identifier(row.get("seriesId"))


def _is_moving(row: Object) -> bool:
    """Tell whether looking again soon may show something new; a stalled one does not."""
    return (
        state_of(row) in {DownloadState.DOWNLOADING, DownloadState.COMPLETE}
        and payload.word(row.get("status")) in _WORKING
    )


def _report(
    reader: ReadsRows, service: Service, group: list[Object], now: float, offset: float
) -> DownloadReport | None:
    first = group[0]
    title = reader.row_title(first)
    if title is None:
        return None
    state = state_of(first)
    statement = Statement(
        origin=origin_of(service, Via.POLL),
        title=title,
        at=now,
        happened_at=now,
        tier=tier_of(service, first.get("quality")),
    )
    return statement.download(
        state,
        parts=tuple(dict.fromkeys(part for row in group for part in reader.row_part(row))),
        download_id=payload.opaque_id(first.get("downloadId")),
        progress=_progress(first, state),
        eta=_eta(first, state, now, offset),
        problem=_problem(group),
        word=payload.word(first.get("status"))[:_MAX_WORD] or None,
    )


def _progress(row: Object, state: DownloadState) -> float | None:
    """Return how much of it there is; every row of a pack has the whole pack's sizes."""
    if state in _TOLD_ELSEWHERE:
        return None
    if state is not DownloadState.DOWNLOADING:
        return 1.0
    size = payload.number(row.get("size"))
    left = payload.number(row.get("sizeleft"))
    if size is None or left is None or size <= 0:
        return None
    return min(max(1 - left / size, 0.0), 1.0)


def _eta(row: Object, state: DownloadState, now: float, offset: float) -> float | None:
    if state is not DownloadState.DOWNLOADING:
        return None
    left = payload.span(row.get("timeleft"))
    if left is not None:
        return now + left
    moment = payload.moment(row.get("estimatedCompletionTime"))
    return moment - offset if moment is not None else None


def _problem(group: list[Object]) -> str | None:
    words: list[str | None] = []
    for row in group:
        words.append(payload.prose(row.get("errorMessage")))
        words.extend(messages(row.get("statusMessages")))
    return joined(words)
