"""The storage's words: what is written in one go, what is read back, what can go wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from ..board.models import (
    Applied,
    Arrival,
    Change,
    ChangeKind,
    Outcome,
    Reason,
    Request,
    RequestKey,
    Stage,
    Title,
    Via,
)

type Json = str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None
"""What a service's documents are made of."""

type Document = Mapping[str, Json]


class StorageError(Exception):
    """Something could not be read or written; no payload and no secret inside."""


class StorageClosedError(StorageError):
    """The storage was closed."""


class DatabaseUnavailableError(StorageError):
    """The file cannot be opened, read or written (permissions, full disk, locked)."""


class DatabaseDamagedError(StorageError):
    """The file turned out to be damaged while in use; the next start sets it aside."""


class DatabaseNewerError(StorageError):
    """The file was written by a newer version; it was left as it is."""

    def __init__(self, found: int, known: int) -> None:
        """Keep both schema versions."""
        super().__init__(f"The database has schema {found}, this version knows {known}")
        self.found = found
        self.known = known


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One step of an arrival, or of a single part of it, as it was told."""

    arrival_id: str
    journey: int
    stage: Stage
    previous: Stage | None
    happened_at: float
    known_at: float
    late: bool
    silent: bool
    service: str
    kind: str
    """Kind of the service that said so."""
    via: Via
    part: str | None = None
    parts: tuple[str, ...] = ()
    """Keys of all the parts that took the step together; ``part`` is the first."""
    context_id: str | None = None
    user_id: str | None = None

    @classmethod
    def of(cls, change: Change) -> Self:
        """Make the entry of a change."""
        origin = change.origin
        return cls(
            arrival_id=change.arrival.id,
            journey=change.arrival.journey,
            stage=change.stage,
            previous=change.previous,
            happened_at=change.happened_at,
            known_at=change.known_at,
            late=change.late,
            silent=change.silent,
            service=origin.service,
            kind=origin.kind,
            via=origin.via,
            part=change.part,
            parts=change.parts,
            context_id=origin.context_id,
            user_id=origin.user_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalMark:
    """What became of a delivery."""

    id: int
    outcome: Outcome
    at: float
    reason: Reason | None = None
    error_message: str | None = None
    """Shown to the user; no payload, no secret."""
    service: str | None = None
    """Set where the service was known only after decoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """A delivery in the journal."""

    id: int
    service: str
    source: str
    event_type: str
    received_at: float
    processed: bool = False
    processed_at: float | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    error_message: str | None = None
    payload_length: int = 0
    """Characters that came; what is kept of a processed delivery is bounded."""
    payload: str | None = None
    """``None`` if it was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    """A page of the journal, newest first."""

    total: int
    rows: tuple[JournalRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCount:
    """How many deliveries of a service had an outcome (``None``: still waiting)."""

    service: str
    source: str
    outcome: Outcome | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """The run record of a service's sync; enabled and interval mirror the options."""

    service: str
    enabled: bool
    interval_hours: int
    last_run_at: float | None = None
    next_run_at: float | None = None
    run_count: int = 0
    last_status: str | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is written in one transaction, or not at all."""

    titles: Sequence[Title] = ()
    arrivals: Sequence[Arrival] = ()
    requests: Sequence[Request] = ()
    overviews: Mapping[str, str] = field(default_factory=dict)
    """Title id -> what it is about, for titles of which that was not known."""
    dropped_titles: Sequence[str] = ()
    dropped_arrivals: Sequence[str] = ()
    dropped_requests: Sequence[RequestKey] = ()
    """Dropped before ``requests`` are saved: a key may come back as a new request."""
    timeline: Sequence[TimelineEntry] = ()
    marks: Sequence[JournalMark] = ()
    cursors: Mapping[str, Document] = field(default_factory=dict)
    """Service id -> cursor of its poll."""
    records: Mapping[str, Document] = field(default_factory=dict)
    """Service id -> what is remembered of it."""

    @classmethod
    def of(
        cls,
        applied: Iterable[Applied],
        *,
        marks: Sequence[JournalMark] = (),
        cursors: Mapping[str, Document] | None = None,
        records: Mapping[str, Document] | None = None,
    ) -> Self:
        """Join the board's answers, in their order: the last word on each thing counts."""
        titles: dict[str, Title | None] = {}
        arrivals: dict[str, Arrival | None] = {}
        requests: dict[RequestKey, Request | None] = {}
        overviews: dict[str, str] = {}
        timeline: list[TimelineEntry] = []
        for answer in applied:
            titles |= {title.id: title for title in answer.titles}
            titles |= dict.fromkeys(answer.dropped_titles)
            arrivals |= {arrival.id: arrival for arrival in answer.arrivals}
            arrivals |= dict.fromkeys(answer.dropped_arrivals)
            requests |= dict.fromkeys(answer.dropped_requests)
            requests |= {request.key: request for request in answer.requests}
            overviews |= answer.overviews
            timeline += [
                TimelineEntry.of(change)
                for change in answer.changes
                if change.kind in {ChangeKind.STAGE, ChangeKind.PART}
            ]
        return cls(
            titles=_kept(titles),
            arrivals=_kept(arrivals),
            requests=_kept(requests),
            overviews=overviews,
            dropped_titles=_dropped(titles),
            dropped_arrivals=_dropped(arrivals),
            dropped_requests=_dropped(requests),
            timeline=tuple(timeline),
            marks=marks,
            cursors=cursors or {},
            records=records or {},
        )


def _kept[K, V](things: Mapping[K, V | None]) -> tuple[V, ...]:
    """Return what was said last to be there."""
    return tuple(thing for thing in things.values() if thing is not None)


def _dropped[K, V](things: Mapping[K, V | None]) -> tuple[K, ...]:
    """Return the keys of what was said last to be gone."""
    return tuple(key for key, thing in things.items() if thing is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBoard:
    """Titles, arrivals and requests as they were stored."""

    titles: tuple[Title, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    requests: tuple[Request, ...] = ()
    unreadable: int = 0
    """Stored things that could not be understood and were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of arrivals, the one that moved last first, with their titles and requests."""

    total: int
    arrivals: tuple[Arrival, ...] = ()
    titles: Mapping[str, Title] = field(default_factory=dict)
    """By title id."""
    requests: Mapping[RequestKey, Request] = field(default_factory=dict)
