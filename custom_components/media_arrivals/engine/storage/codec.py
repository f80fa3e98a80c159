"""How the board's words are written as JSON, and read back.

Short keys, nothing that is at its default, dates and claims as arrays. What a later
version added is passed over: further keys, further elements, claims with unknown words.
"""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from sys import intern
from typing import Any, Final

from ..board.matching import BLANK, NO_PARTS
from ..board.models import (
    SILENT,
    Arrival,
    Claims,
    Decision,
    DecisionClaim,
    DownloadClaim,
    DownloadState,
    ExternalIds,
    Flag,
    Hold,
    Holding,
    HoldReason,
    MediaType,
    Part,
    Person,
    Premiere,
    Remedy,
    Request,
    Stage,
    Tier,
    Title,
    Watch,
)

dumps: Final = json.JSONEncoder(separators=(",", ":")).encode

UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What reading a spoilt document raises."""

TITLE_COLUMNS: Final = "id, media_type, name, year, overview IS NOT NULL, document"
ARRIVAL_COLUMNS: Final = (
    "id, title_id, season, tier, stage, journey, opened_at, stage_at, known_at, available_at,"
    " document"
)
REQUEST_COLUMNS: Final = (
    "service, request_id, title_id, tier, stage, requester, created_at, arrivals, document"
)

_DOWNLOAD_STATES: Final[Mapping[str, DownloadState]] = {state: state for state in DownloadState}
_STAGES: Final[Mapping[str, Stage]] = {stage: stage for stage in Stage}
_TIERS: Final[Mapping[str, Tier]] = {tier: tier for tier in Tier}

_KINDS: Final = ("own", "wanted", "files", "playable", "downloads", "premiere")
"""What services say about a part, in the order of a service's claims."""

_MARKS: Final = ("misfit", "coming", "dismissed", "quiet")
"""What is true of few arrivals."""

type Row = tuple[Any, ...]
type _Doc = dict[str, Any]


def clean_text(text: str) -> str:
    """Return the text without half characters, which SQLite cannot store."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def clean(text: str | None) -> str | None:
    """Do the same with a text that may be missing."""
    return None if text is None else clean_text(text)


def folded(text: str | None) -> str | None:
    """Return the text as it is searched for."""
    return None if text is None else clean_text(text).casefold()


def known[E: StrEnum](words: type[E], value: str | None) -> E | None:
    """Return the word, or ``None`` if it is missing or a later version's."""
    try:
        return None if value is None else words(value)
    except ValueError:
        return None


def listed(words: Iterable[str]) -> str:
    """Return a set of ids as a text in which each can be found between bars."""
    return "".join(f"|{word}" for word in sorted(words)) + "|"


# --- titles ---------------------------------------------------------------------------


def title_document(title: Title) -> str:
    """Write what has no column of its own."""
    document: _Doc = {"ids": dict(title.ids.items())}
    if title.own_ids:
        document["own"] = dict(title.own_ids)
    if title.holdings:
        document["held"] = [
            [held.service, held.tier, _flag(held.flag), held.seasons, held.seasons_at]
            for held in title.holdings
        ]
    if title.poster is not None:
        document["poster"] = title.poster
    if title.aliases:
        document["aliases"] = title.aliases
    return dumps(document)


# --- arrivals -------------------------------------------------------------------------


def arrival_document(arrival: Arrival) -> str:
    """Write what has no column of its own."""
    document: _Doc = {"whole": _part(arrival.whole)}
    if arrival.parts:
        document["parts"] = {key: _part(part) for key, part in arrival.parts.items()}
    if arrival.listed_at is not None:
        document["listed"] = arrival.listed_at
    if arrival.requests:
        document["requests"] = arrival.requests
    if arrival.available or arrival.wanted or arrival.total:
        document["count"] = (arrival.available, arrival.wanted, arrival.total)
    if arrival.problem is not None:
        document["problem"] = arrival.problem
    if arrival.progress is not None:
        document["progress"] = arrival.progress
    if arrival.followers:
        document["followers"] = arrival.followers
    if arrival.hold is not None:
        document["hold"] = _hold(arrival.hold)
    for name in _MARKS:
        if getattr(arrival, name):
            document[name] = 1
    if arrival.aliases:
        document["aliases"] = arrival.aliases
    return dumps(document)


def services_of(arrival: Arrival) -> set[str]:
    """Return the services that said something about the arrival."""
    services = {service for service, _ in arrival.requests}
    for part in (arrival.whole, *arrival.parts.values()):
        services.update(claims.service for claims in part.claims)
        services.update(watch.service for watch in part.watches)
    return services


def _part(part: Part) -> _Doc:
    document: _Doc = {}
    if part.number is not None:
        document["n"] = part.number
    if part.air_date is not None:
        document["date"] = part.air_date
    if part.name is not None:
        document["name"] = part.name
    if part.aired_at is not None:
        document["aired"] = part.aired_at
    for claims in part.claims:
        words = (
            claims.own_id,
            _flag(claims.wanted),
            _flag(claims.file),
            _flag(claims.playable),
            None if claims.download is None else _download(claims.download),
            None if claims.premiere is None else _premiere(claims.premiere),
        )
        for kind, word in zip(_KINDS, words, strict=True):
            if word:
                document.setdefault(kind, {})[claims.service] = word
    if part.stage is not None:
        document["stage"] = part.stage
    if part.watches:
        document["watched"] = [
            [one.viewer, int(one.watched), one.at, one.service] for one in part.watches
        ]
    return document


def _flag(flag: Flag) -> list[float | None]:
    return _without_tail([flag.first_yes, flag.last_yes, flag.last_no, flag.happened_at])


def _download(claim: DownloadClaim) -> list[Any]:
    return _without_tail(
        [
            claim.at,
            claim.happened_at,
            claim.state,
            claim.download_id,
            claim.progress,
            claim.eta,
            claim.problem,
            claim.word,
            claim.moved_at,
        ]
    )


def _premiere(premiere: Premiere) -> list[Any]:
    return _without_tail([premiere.at, premiere.due_at, premiere.out, premiere.monitored])


def _hold(hold: Hold) -> list[Any]:
    return _without_tail(
        [
            hold.reason,
            hold.since,
            int(hold.told),
            hold.service,
            hold.remedy,
            hold.message,
            hold.until,
        ]
    )


def _without_tail[T](values: list[T]) -> list[T]:
    """Leave out what is missing at the end."""
    while values and values[-1] is None:
        values.pop()
    return values


# --- requests -------------------------------------------------------------------------


def request_document(request: Request) -> str:
    """Write what has no column of its own."""
    decision = request.decision
    document: _Doc = {
        "decision": [
            decision.at,
            decision.happened_at,
            decision.decision,
            int(decision.initial),
        ]
    }
    if request.seasons is not None:
        document["seasons"] = request.seasons
    if request.requester is not None and request.requester.id is not None:
        document["person"] = request.requester.id
    if request.told:
        document["told"] = 1
    return dumps(document)


# --- reading --------------------------------------------------------------------------


class Reader:
    """Reads rows. What is equal becomes one object, as it mostly was before it was written."""

    def __init__(self) -> None:
        self._decode = json.JSONDecoder(parse_float=self._number).decode
        self._lasting: dict[Any, Any] = {}
        self._passing: dict[Any, Any] = {}

    def begin(self) -> None:
        """Forget the times that were read: further rows will hardly have the same ones."""
        self._passing.clear()

    def title(self, row: Row) -> Title:
        """Read a row of :data:`TITLE_COLUMNS`."""
        title_id, media_type, name, year, described, text = row
        document: _Doc = self._decode(text)
        ids: _Doc = document["ids"]
        return Title(
            id=self._known(title_id),
            media_type=MediaType(media_type),
            ids=ExternalIds(tmdb=ids.get("tmdb"), tvdb=ids.get("tvdb"), imdb=ids.get("imdb")),
            own_ids={intern(service): one for service, one in document.get("own", {}).items()},
            holdings=tuple(
                self._holding(*held[:5]) for held in document.get("held", ()) if held[1] in _TIERS
            ),
            name=name,
            year=year,
            poster=document.get("poster"),
            described=bool(described),
            aliases=tuple(document.get("aliases", ())),
        )

    def arrival(self, row: Row) -> Arrival:
        """Read a row of :data:`ARRIVAL_COLUMNS`."""
        document: _Doc = self._decode(row[10])
        available, wanted, total, *_ = document.get("count", (0, 0, 0))
        return Arrival(
            id=self._known(row[0]),
            title_id=self._known(row[1]),
            season=row[2],
            tier=_TIERS[row[3]],
            stage=_STAGES[row[4]],
            journey=row[5],
            opened_at=self._same(row[6]),
            stage_at=self._same(row[7]),
            known_at=self._same(row[8]),
            available_at=None if row[9] is None else self._same(row[9]),
            whole=self._part(document["whole"]),
            parts={intern(key): self._part(part) for key, part in document["parts"].items()}
            if "parts" in document
            else NO_PARTS,
            listed_at=document.get("listed"),
            misfit="misfit" in document,
            requests=tuple(
                self._known((intern(service), request_id))
                for service, request_id, *_ in document.get("requests", ())
            ),
            available=available,
            wanted=wanted,
            total=total,
            coming="coming" in document,
            problem=document.get("problem"),
            progress=document.get("progress"),
            dismissed="dismissed" in document,
            followers=tuple(document.get("followers", ())),
            hold=_read_hold(*document["hold"]) if "hold" in document else None,
            quiet="quiet" in document,
            aliases=tuple(document.get("aliases", ())),
        )

    def request(self, row: Row) -> Request:
        """Read a row of :data:`REQUEST_COLUMNS`."""
        document: _Doc = self._decode(row[8])
        at, happened_at, decision, initial, *_ = document["decision"]
        seasons = document.get("seasons")
        return Request(
            key=self._known((intern(row[0]), row[1])),
            title_id=self._known(row[2]),
            tier=_TIERS[row[3]],
            stage=_STAGES[row[4]],
            seasons=None if seasons is None else tuple(seasons),
            decision=DecisionClaim(at, happened_at, Decision(decision), bool(initial)),
            requester=None
            if row[5] is None
            else self._known(Person(name=row[5], id=document.get("person"))),
            created_at=None if row[6] is None else self._same(row[6]),
            arrivals=tuple(self._known(one) for one in json.loads(row[7])),
            told="told" in document,
        )

    def _known[T](self, thing: T) -> T:
        """Return the equal id, key or person that was read before, or else this one."""
        known: T = self._lasting.setdefault(thing, thing)
        return known

    def _same[T](self, thing: T) -> T:
        """Return the equal time or claim of these rows, or else this one."""
        same: T = self._passing.setdefault(thing, thing)
        return same

    def _number(self, text: str) -> float:
        return self._same(float(text))

    def _holding(
        self, service: str, tier: str, flag: list[Any], seasons: list[int] | None, seasons_at: float
    ) -> Holding:
        return Holding(
            service=intern(service),
            tier=_TIERS[tier],
            flag=self._flag(flag),
            seasons=None if seasons is None else tuple(seasons),
            seasons_at=seasons_at,
        )

    def _part(self, document: _Doc) -> Part:
        if not document:
            return BLANK
        get = document.get
        own, wanted, files, playable, downloads, premieres = [get(kind) or {} for kind in _KINDS]
        stage = get("stage")
        return Part(
            number=get("n"),
            air_date=get("date"),
            name=get("name"),
            aired_at=get("aired"),
            claims=tuple(
                Claims(
                    intern(service),
                    own.get(service),
                    self._flag(wanted.get(service)),
                    self._flag(files.get(service)),
                    self._flag(playable.get(service)),
                    self._download(downloads.get(service)),
                    _read_premiere(premieres.get(service)),
                )
                for service in sorted({*own, *wanted, *files, *playable, *downloads, *premieres})
            ),
            stage=None if stage is None else _STAGES.get(stage),
            watches=tuple(
                Watch(intern(viewer), bool(watched), at, intern(service))
                for viewer, watched, at, service, *_ in get("watched", ())
            ),
        )

    def _flag(self, flag: list[Any] | None) -> Flag:
        if not flag:
            return SILENT
        return self._same(Flag(*flag[:4]))

    def _download(self, claim: list[Any] | None) -> DownloadClaim | None:
        if claim is None or claim[2] not in _DOWNLOAD_STATES:
            return None
        return self._same(
            DownloadClaim(claim[0], claim[1], _DOWNLOAD_STATES[claim[2]], *claim[3:9])
        )


def _read_premiere(premiere: list[Any] | None) -> Premiere | None:
    if premiere is None:
        return None
    at, due_at, out, monitored, *_ = (*premiere, None, None, None)
    return Premiere(at=at, due_at=due_at, out=out, monitored=monitored)


def _read_hold(reason: str, since: float, told: int, *more: Any) -> Hold | None:
    """Read what keeps an arrival; a later version's reason is found out anew."""
    word = known(HoldReason, reason)
    service, remedy, message, until, *_ = (*more, None, None, None, None)
    if word is None:
        return None
    return Hold(
        reason=word,
        since=since,
        told=bool(told),
        service=service,
        remedy=known(Remedy, remedy),
        message=message,
        until=until,
    )
