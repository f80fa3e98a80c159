"""Who watched what, as a Plex Media Server remembers it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ...board.models import ExternalIds, Question, Service, WatchReport
from .. import payload
from ..base import Sighting
from ..payload import Object
from . import decode, reading
from .api import PlexApi

WEEK: Final = 7 * 86_400.0
_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far the history was read."""

    upto: float
    """By the server's clock."""
    seen: tuple[str, ...] = ()
    """Rows of that second, which are read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewings:
    """What was watched since a place in the history."""

    place: Place
    reports: tuple[WatchReport, ...] = ()
    """Those whose title has ids."""
    waiting: Mapping[str, tuple[WatchReport, ...]]
    """Those whose title lacks them, by the film or series that has them."""
    sightings: tuple[Sighting, ...] = ()


async def read_history(api: PlexApi, service: Service, place: Place, now: float) -> Viewings:
    """Read what was watched since a place in the history, at most a week back."""
    since = int(max(place.upto, now + api.clock_offset - WEEK))
    listed = await api.all(
        "/status/sessions/history/all", {"sort": "viewedAt:desc", "viewedAt>": since}, _PAGE
    )
    found = [row for row in listed if _key(row) not in place.seen]
    reports: list[WatchReport] = []
    sightings: list[Sighting] = []
    waiting: dict[str, tuple[WatchReport, ...]] = {}
    for row in reversed(found):
        about = decode.viewing(service, row, api.clock_offset)
        if about is None:
            continue
        if (item := reading.key_of(row)) is not None:
            sightings.append(decode.watched_sighting(item, about.at))
        question = decode.asked_about(service, decode.with_keys(row), about)
        if about.title.ids:
            reports.append(about)
        elif question is not None and question.item is not None:
            waiting[question.item] = (*waiting.get(question.item, ()), about)
    upto = max((_viewed(row) for row in found), default=float(since))
    newest = [_key(row) for row in found if _viewed(row) >= upto]
    return Viewings(
        place=Place(upto=upto, seen=(*newest, *(place.seen if upto <= place.upto else ()))),
        reports=tuple(reports),
        waiting=waiting,
        sightings=tuple(sightings),
    )


def completed(about: WatchReport, known: ExternalIds) -> WatchReport:
    """Return a report with the ids that it lacked."""
    return replace(about, title=replace(about.title, ids=known))


def answered(question: Question, known: ExternalIds) -> tuple[WatchReport, ...]:
    """Return the report that a question waits with, completed."""
    return () if question.about is None else (completed(question.about, known),)


def numbered(about: WatchReport, row: Object) -> WatchReport:
    """Name the episode by its row where the delivery did not."""
    part = reading.part_of(row)
    return about if about.parts or part is None else replace(about, parts=(part,))


def _viewed(row: Object) -> float:
    return payload.number(row.get("viewedAt")) or 0.0


def _key(row: Object) -> str:
    known = payload.text(row.get("historyKey"))
    return known or f"{row.get('accountID')}:{reading.key_of(row)}:{_viewed(row)}"
