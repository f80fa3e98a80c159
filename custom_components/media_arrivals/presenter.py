"""The board's words as JSON: for actions, diagnostics and everything that answers in it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Any, Final

from .engine.board.models import (
    AnyReport,
    Arrival,
    DownloadClaim,
    ExternalIds,
    Flag,
    Hold,
    Holding,
    Part,
    Person,
    Question,
    Request,
    Title,
)
from .engine.storage.models import JournalRow, TimelineEntry
from .finder import NotFound
from .people import People, PersonId

type Document = dict[str, Any]

REDACTED: Final = "**REDACTED**"

_TIMES: Final = frozenset({"at", "happened_at", "aired_at", "file_at", "created_at", "eta"})
_PEOPLE: Final = frozenset({"viewer"})
_LEFT_OUT: Final = frozenset({"origin", "overview", "poster", "opening"})
"""Of reports and questions: what is said beside them, and what is long and says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """For whom something is presented."""

    names: bool
    """Whether all names of those who asked are for them."""
    services: Mapping[str, str]
    """Name of each service by its id."""
    servers: Collection[str] = ()
    """Ids of the services that are media servers."""
    watched: bool = False
    """Whether it is for them what was watched."""
    people: People = field(default_factory=People)
    askers: Mapping[PersonId, str] = field(default_factory=dict)
    """Persons of whom it is for them what they asked for, with their names."""
    viewers: Mapping[PersonId, str] | None = None
    """Persons of whom it is for them what they watched; ``None``: nobody, not even they."""
    user_id: str | None = None
    """Who they are themselves, as a user of Home Assistant."""


def iso_time(time: float | None) -> str | None:
    """Return a time as ISO 8601 text in UTC, to the second."""
    if time is None:
        return None
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")


def _word(word: StrEnum | None) -> str | None:
    """Return a word of the board as text."""
    return None if word is None else word.value


def present_ids(ids: ExternalIds) -> Document:
    """Present the known external ids."""
    return dict(ids.items())


def present_arrival(
    arrival: Arrival,
    title: Title,
    requests: Iterable[Request],
    audience: Audience,
    *,
    not_found: str | None = None,
    held: str | None = None,
    poster: str | None = None,
) -> Document:
    """Present an arrival as one line of a list.

    That no media server finds it is a problem, if a service says of no other; or else what
    keeps it, in the words of the house. ``poster`` is our own path: nobody is sent to where the
    service says that it is.
    """
    hold = arrival.hold
    return {
        "id": arrival.id,
        "title": title.name,
        "year": title.year,
        "type": title.media_type.value,
        "ids": present_ids(title.ids),
        "season": arrival.season,
        "tier": arrival.tier.value,
        "stage": arrival.stage.value,
        "stage_at": iso_time(arrival.stage_at),
        "opened_at": iso_time(arrival.opened_at),
        "available_at": iso_time(arrival.available_at),
        "parts": {
            "available": arrival.available,
            "wanted": arrival.wanted,
            "total": arrival.total,
        },
        "progress": None if arrival.progress is None else round(100 * arrival.progress),
        "coming": arrival.coming,
        "problem": arrival.problem or not_found or (held if hold and hold.stuck else None),
        "stuck": _present_hold(hold, held, audience) if hold and hold.stuck else None,
        "waiting": _present_hold(hold, held, audience) if hold and not hold.stuck else None,
        "dismissed": arrival.dismissed,
        "poster": poster,
        "requests": [present_request(request, audience) for request in requests],
    }


def present_arrival_details(
    arrival: Arrival,
    title: Title,
    requests: Iterable[Request],
    timeline: Iterable[TimelineEntry],
    audience: Audience,
    *,
    overview: str | None,
    not_found: Iterable[NotFound] = (),
    problem: str | None = None,
    held: str | None = None,
    poster: str | None = None,
) -> Document:
    """Present an arrival with all that was said about it."""
    return {
        **present_arrival(
            arrival, title, requests, audience, not_found=problem, held=held, poster=poster
        ),
        "overview": overview,
        "journey": arrival.journey,
        "own_ids": [
            {**_service(service, audience), "id": own_id}
            for service, own_id in title.own_ids.items()
        ],
        "held_by": [_present_holding(holding, audience) for holding in title.holdings],
        "claims": _present_claims(arrival.whole, audience),
        "playable_on": _present_servers(arrival, audience),
        "not_found": [
            {**_service(one.service, audience), "library": one.library} for one in not_found
        ],
        **_present_watched(_parts_of(arrival), audience),
        "followers": [audience.askers[one] for one in arrival.followers if one in audience.askers],
        "episodes": [
            present_part(part, audience) for part in sorted(arrival.parts.values(), key=_order)
        ],
        "timeline": [present_step(step, audience) for step in timeline],
    }


def _present_hold(hold: Hold, text: str | None, audience: Audience) -> Document:
    """Present why an arrival is stuck, or what it waits for."""
    document: Document = {
        "reason": hold.reason.value,
        "text": text,
        "since": iso_time(hold.since),
        "message": hold.message,
    }
    if hold.service is not None:
        document |= _service(hold.service, audience)
    if hold.stuck:
        return {**document, "remedy": _word(hold.remedy)}
    return {**document, "until": iso_time(hold.until)}


def present_request(request: Request, audience: Audience) -> Document:
    """Present a request; who asked is said only to those who may know."""
    document: Document = {
        **_service(request.service, audience),
        "request_id": request.request_id,
        "stage": request.stage.value,
        "decision": request.decision.decision.value,
        "seasons": None if request.seasons is None else list(request.seasons),
        "tier": request.tier.value,
        "created_at": iso_time(request.created_at),
    }
    requester = request.requester
    name = None
    if requester is not None:
        name = audience.askers.get(audience.people.person_of(request.service, requester) or "")
    if audience.names:
        document["requester"] = requester.name if requester else None
    elif name is not None:
        document["requester"] = name
    if name is not None:
        document["person"] = name
    return document


def present_part(part: Part, audience: Audience) -> Document:
    """Present an episode and what the services say about it."""
    return {
        "number": part.number,
        "air_date": part.air_date,
        "name": part.name,
        "aired_at": iso_time(part.aired_at),
        "stage": _word(part.stage),
        "own_ids": [
            {**_service(claims.service, audience), "id": claims.own_id}
            for claims in part.claims
            if claims.own_id is not None
        ],
        "claims": _present_claims(part, audience),
        "playable_on": [audience.services.get(one, one) for one in _servers(part, audience)],
        **_present_watched((part,), audience),
    }


def present_step(step: TimelineEntry, audience: Audience) -> Document:
    """Present a step of an arrival's timeline."""
    document: Document = {
        "stage": step.stage.value,
        "previous_stage": _word(step.previous),
        "happened_at": iso_time(step.happened_at),
        "known_at": iso_time(step.known_at),
        "late": step.late,
        "silent": step.silent,
        **_service(step.service, audience),
        "kind": step.kind,
        "via": step.via.value,
        "journey": step.journey,
        "parts": list(step.parts),
    }
    if audience.names or (step.user_id is not None and step.user_id == audience.user_id):
        document["user_id"] = step.user_id
    return document


def present_delivery(row: JournalRow, audience: Audience) -> Document:
    """Present a delivery without its payload."""
    return {
        "id": row.id,
        **_service(row.service, audience),
        "source": row.source,
        "event_type": row.event_type,
        "received_at": iso_time(row.received_at),
        "processed": row.processed,
        "processed_at": iso_time(row.processed_at),
        "outcome": _word(row.outcome),
        "reason": _word(row.reason),
        "error_message": row.error_message,
    }


def present_statement(statement: AnyReport | Question, downloads: dict[str, int]) -> Document:
    """Present a report or a question, without people's names.

    ``downloads`` numbers them: equal ones are equal, and none can be looked up.
    """
    told = {"statement": type(statement).__name__, **_present_fields(statement)}
    if (download := told.get("download_id")) is not None:
        number = downloads.setdefault(download.casefold(), len(downloads) + 1)
        told["download_id"] = f"download {number}"
    return told


def _service(service_id: str, audience: Audience) -> Document:
    """Name a service; one that was removed has only its id left."""
    return {"service": service_id, "service_name": audience.services.get(service_id)}


def _present_holding(holding: Holding, audience: Audience) -> Document:
    """Present a service's word that it holds the title."""
    return {
        **_service(holding.service, audience),
        "tier": holding.tier.value,
        "held": holding.flag.yes,
        "since": iso_time(holding.flag.since),
        "seasons": None if holding.seasons is None else list(holding.seasons),
    }


def _present_claims(part: Part, audience: Audience) -> list[Document]:
    """Present the newest word of each service about a part."""
    told: list[Document] = []
    for claims in part.claims:
        flags = {"wanted": claims.wanted, "file": claims.file, "playable": claims.playable}
        words = {name: _present_flag(flag) for name, flag in flags.items() if not flag.silent}
        if claims.download is not None:
            words["download"] = _present_download(claims.download)
        if words:
            told.append({**_service(claims.service, audience), **words})
    return told


def _order(part: Part) -> tuple[bool, int, str]:
    """Return where an episode stands in its season: those without a number come last, by date."""
    return part.number is None, part.number or 0, part.air_date or ""


def _parts_of(arrival: Arrival) -> tuple[Part, ...]:
    """Return the parts that can be played: the film itself, or the season's episodes."""
    return (arrival.whole,) if arrival.season is None else tuple(arrival.parts.values())


def _servers(part: Part, audience: Audience) -> list[str]:
    """Return the media servers that have a part."""
    return [
        claims.service
        for claims in part.claims
        if claims.playable.yes and claims.service in audience.servers
    ]


def _present_servers(arrival: Arrival, audience: Audience) -> list[Document]:
    """Present which media servers have how much of an arrival."""
    having = Counter(one for part in _parts_of(arrival) for one in _servers(part, audience))
    return [{**_service(service, audience), "parts": number} for service, number in having.items()]


def _present_watched(parts: Iterable[Part], audience: Audience) -> Document:
    """Present whether somebody watched all of the parts; who did only to those who may know."""
    if not audience.watched:
        return {}
    person_of = audience.people.person_of_viewer
    of_parts = [
        {person_of(one.viewer) or one.viewer for one in part.watches if one.watched}
        for part in parts
    ]
    viewers = set.intersection(*of_parts) if of_parts else set()
    document: Document = {"watched": bool(viewers)}
    if (names := audience.viewers) is not None:
        document["watched_by"] = sorted(names[one] for one in viewers if one in names)
    return document


def _present_flag(flag: Flag) -> Document:
    """Present a yes or no."""
    return {
        "value": flag.yes,
        "since": iso_time(flag.since),
        "happened_at": iso_time(flag.happened_at),
    }


def _present_download(claim: DownloadClaim) -> Document:
    """Present the word about a download."""
    return {
        "state": claim.state.value,
        "progress": None if claim.progress is None else round(100 * claim.progress),
        "eta": iso_time(claim.eta),
        "problem": claim.problem,
        "download_id": claim.download_id,
        "happened_at": iso_time(claim.happened_at),
    }


def _present_fields(value: Any) -> Document:
    """Present what is known of a dataclass's fields."""
    return {
        field.name: _present_field(field.name, known)
        for field in fields(value)
        if field.name not in _LEFT_OUT and (known := getattr(value, field.name)) not in (None, ())
    }


def _present_field(name: str, value: Any) -> Any:
    """Present a time as text, nobody who watches, and anything else as it is."""
    if name in _PEOPLE:
        return REDACTED
    return iso_time(value) if name in _TIMES else _present_value(value)


def _present_value(value: Any) -> Any:
    """Present a field's value."""
    if isinstance(value, Person):
        return REDACTED
    if is_dataclass(value):
        return _present_fields(value)
    if isinstance(value, tuple):
        return [_present_value(item) for item in value]
    return value.value if isinstance(value, Enum) else value
