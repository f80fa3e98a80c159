"""The history: what happened to downloads and files, one row per film or episode."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from ...board.models import (
    AnyReport,
    DownloadReport,
    DownloadState,
    FileReport,
    PartRef,
    Question,
    QuestionKind,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import Sighting
from ..payload import Object
from .queue import ReadsRows
from .reading import Statement, joined, origin_of, tier_of

_GRABBED: Final = "grabbed"
_IMPORTED: Final = "downloadfolderimported"
_FAILED: Final = "downloadfailed"
_IGNORED: Final = "downloadignored"
_DELETED: Final = frozenset({"moviefiledeleted", "episodefiledeleted"})
_OUTCOMES: Final = frozenset({_IMPORTED, _FAILED, _IGNORED})
_USED: Final = _OUTCOMES | _DELETED | {_GRABBED}
_STATES: Final = {
    _GRABBED: DownloadState.DOWNLOADING,
    _IMPORTED: DownloadState.IMPORTED,
    _FAILED: DownloadState.FAILED,
    _IGNORED: DownloadState.GONE,
}
_SEEN: Final = {_GRABBED: "grab", _IMPORTED: "import"}
"""What a webhook tells, too."""

_ONE_STORY: Final = 10.0
"""Seconds within which equal rows of one download are one statement about several parts."""
_REPLACED: Final = 120.0
"""Seconds between the deletion of a file for an upgrade and the import of the better one."""
_STEP: Final = 1e-6
"""Rows are dated to the second: this keeps their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a row says, or several rows that say the same of several parts."""

    event: str
    title: TitleRef
    parts: tuple[PartRef, ...]
    download_id: str | None
    at: float
    happened_at: float
    tier: Tier
    upgrade: bool = False
    problem: str | None = None
    keys: tuple[str, ...] = ()
    """Sighting keys: the download, or each film or episode."""
    nameless: bool = False
    """A row names an episode by an id that nothing else in it explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the history says."""

    reports: tuple[AnyReport, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    questions: tuple[Question, ...] = ()
    """What of a title has to be read, as rows about it do not name their episodes."""
    ended: frozenset[str] = frozenset()
    """Case-folded ids of downloads of which it tells how they ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a download that left the queue ended, as far as the history knows."""

    reports: tuple[AnyReport, ...] = ()
    pending: tuple[Entry, ...] = ()
    """What was grabbed with it and has no end yet."""


def row_date(row: Object) -> float | None:
    """Read when a row happened, by the service's clock."""
    return payload.moment(row.get("date"))


def read_history(
    reader: ReadsRows, service: Service, rows: Sequence[Object], offset: float
) -> History:
    """Read rows in any order; they are told in the order in which they happened."""
    entries = _entries(reader, service, rows, offset)
    return History(
        reports=tuple(
            report for entry in entries for report in _reports(entry, _statement(service, entry))
        ),
        sightings=tuple(
            Sighting(event=_SEEN[entry.event], key=key, at=entry.happened_at)
            for entry in entries
            if entry.event in _SEEN
            for key in entry.keys
        ),
        questions=tuple(
            Question(service=service.id, kind=QuestionKind.TITLE, title=title)
            for title in dict.fromkeys(entry.title for entry in entries if entry.nameless)
        ),
        ended=frozenset(
            entry.download_id.casefold()
            for entry in entries
            if entry.download_id is not None and entry.event in _OUTCOMES
        ),
    )


def read_ending(
    reader: ReadsRows, service: Service, rows: Sequence[Object], now: float, offset: float
) -> Ending:
    """Read the whole history of one download; it may have been grabbed more than once."""
    entries = [
        entry
        for entry in _entries(reader, service, rows, offset)
        if entry.event in _OUTCOMES or entry.event == _GRABBED
    ]
    newest: dict[object, int] = {}
    for place, entry in enumerate(entries):
        newest |= dict.fromkeys(map(_part_key, entry.parts or (None,)), place)
    reports: list[AnyReport] = []
    pending: list[Entry] = []
    for place in sorted(set(newest.values())):
        entry = entries[place]
        parts = tuple(part for part in entry.parts if newest[_part_key(part)] == place)
        entry = replace(entry, parts=parts)
        if entry.event == _GRABBED:
            pending.append(entry)
            continue
        # The outcome stands now; a file that came then may have gone since.
        statement = replace(_statement(service, entry), at=now, confirmed=True)
        reports.extend(
            replace(report, at=entry.at, confirmed=False)
            if isinstance(report, FileReport)
            else report
            for report in _reports(entry, statement)
        )
    return Ending(reports=tuple(reports), pending=tuple(pending))


def gone(service: Service, entry: Entry, now: float) -> AnyReport:
    """Report that a download is no more, and that nobody says why."""
    statement = replace(_statement(service, entry), at=now, happened_at=now, confirmed=True)
    return statement.download(DownloadState.GONE, parts=entry.parts, download_id=entry.download_id)


def _part_key(part: PartRef | None) -> object:
    return part.own_id or (part.season, part.number) if part is not None else None


def _statement(service: Service, entry: Entry) -> Statement:
    return Statement(
        origin=origin_of(service, Via.POLL),
        title=entry.title,
        at=entry.at,
        happened_at=entry.happened_at,
        tier=entry.tier,
    )


def _reports(entry: Entry, statement: Statement) -> tuple[AnyReport, ...]:
    parts, download_id = entry.parts, entry.download_id
    if entry.nameless and not parts:
        # Never of the whole series: only the download may tell which episode it is about.
        return (
            () if download_id is None or entry.event in _DELETED else (_download(entry, statement),)
        )
    if entry.event in _DELETED:
        return (statement.file(present=False, parts=parts),)
    if entry.event == _IMPORTED:
        present = statement.file(
            present=True, parts=parts, download_id=download_id, opens=not entry.upgrade
        )
        return (present,) if download_id is None else (present, _download(entry, statement))
    return (_download(entry, statement),)


def _download(entry: Entry, statement: Statement) -> DownloadReport:
    return statement.download(
        _STATES[entry.event],
        parts=entry.parts,
        download_id=entry.download_id,
        problem=entry.problem,
        opens=entry.event == _GRABBED and not entry.nameless,
    )


def _entries(
    reader: ReadsRows, service: Service, rows: Sequence[Object], offset: float
) -> list[Entry]:
    """Join what belongs together, in the order in which it happened."""
    dated = [(date, row) for row in rows if (date := row_date(row)) is not None]
    dated.sort(key=lambda item: (item[0], payload.integer(item[1].get("id")) or 0))
    stories: list[list[Entry]] = []
    standing: dict[tuple[str | None, object], int] = {}
    replaced: dict[str, float] = {}
    last = -inf
    for date, row in dated:
        event = payload.word(row.get("eventType"))
        subject = _subject(row)
        if event in _DELETED and payload.word(_data(row).get("reason")) == "upgrade":
            replaced[subject] = date
            continue
        upgrade = event == _IMPORTED and date - replaced.pop(subject, -inf) <= _REPLACED
        last = max(date - offset, last + _STEP)
        entry = _entry(reader, service, row, date - offset, last, upgrade=upgrade)
        if entry is None:
            continue
        folded = entry.download_id.casefold() if entry.download_id is not None else None
        key = (folded, entry.title.own_id or entry.title.ids)
        place = standing.get(key)
        if place is not None and _same_story(stories[place][0], entry):
            stories[place].append(entry)
        else:
            standing[key] = len(stories)
            stories.append([entry])
    return [_story(entries) for entries in stories]


def _entry(
    reader: ReadsRows,
    service: Service,
    row: Object,
    happened_at: float,
    at: float,
    *,
    upgrade: bool,
) -> Entry | None:
    event = payload.word(row.get("eventType"))
    if event not in _USED:
        return None
    title = reader.row_title(row)
    if title is None:
        return None
    data = _data(row)
    download_id = payload.opaque_id(row.get("downloadId"))
    # The history guesses the download of an import that came without one, and the webhook
    # does not: only a client's name says that there was one.
    client = data.get("downloadClientName") or data.get("downloadClient")
    told = download_id if event == _GRABBED or payload.text(client) else None
    parts = reader.row_part(row)
    return Entry(
        event=event,
        title=title,
        parts=parts,
        download_id=download_id,
        at=at,
        happened_at=happened_at,
        tier=tier_of(service, row.get("quality")),
        upgrade=upgrade,
        problem=joined([payload.prose(data.get("message"))]) if event == _FAILED else None,
        keys=(told.casefold() if told is not None else _subject(row),),
        nameless=reader.has_parts and not parts,
    )


def _same_story(one: Entry, other: Entry) -> bool:
    """Tell whether two rows are one statement about several parts."""
    return (
        one.event == other.event
        and one.upgrade == other.upgrade
        and one.tier == other.tier
        and other.happened_at - one.happened_at <= _ONE_STORY
    )


def _story(entries: Sequence[Entry]) -> Entry:
    """Make one statement of several parts."""
    if len(entries) == 1:
        return entries[0]
    return replace(
        entries[0],
        parts=tuple(dict.fromkeys(part for entry in entries for part in entry.parts)),
        at=entries[-1].at,
        keys=tuple(dict.fromkeys(key for entry in entries for key in entry.keys)),
        nameless=any(entry.nameless for entry in entries),
    )


def _subject(row: Object) -> str:
    """Name the film or episode by the service's own id."""
    found = payload.identifier(row.get("episodeId")) or payload.identifier(row.get("movieId"))
    return f"own:{found}"


def _data(row: Object) -> Object:
    return payload.mapping(row.get("data"))
