"""What a report opens, given what the service holds already (rule 7)."""

from collections.abc import Sequence
from dataclasses import replace

from .claims import seasons_of
from .models import (
    AnyReport,
    DownloadReport,
    EpisodesReport,
    FileReport,
    HeldReport,
    MediaType,
    PartRef,
)

type Plan = tuple[tuple[int | None, ...], list[AnyReport]]
"""Seasons to open (None: the film), and the answers to enter before the report."""


def opening_plan(opening: AnyReport, answers: Sequence[AnyReport]) -> Plan | None:
    """Return what to open and what to enter first; `None`: it was there, nothing opens."""
    # An answer is what the service holds; only the report itself opens anything.
    told = [
        replace(answer, opens=False) if isinstance(answer, HeldReport) else answer
        for answer in answers
    ]
    if opening.title.media_type is MediaType.MOVIE:
        return _film(opening, told)
    if isinstance(opening, HeldReport):
        return _addition(opening, told)
    return _episodes(opening, told)


def _film(opening: AnyReport, answers: list[AnyReport]) -> Plan | None:
    """Open a film, unless it has a file that the report does not speak of."""
    files = [one for one in answers if isinstance(one, FileReport) and one.present]
    if files and not isinstance(opening, FileReport):
        return None
    return (None,), [answer for answer in answers if answer not in files]


def _addition(opening: HeldReport, answers: list[AnyReport]) -> Plan | None:
    """Open the seasons of an added series that the service wants and lacks."""
    seasons = set(opening.seasons or ())
    if not seasons:
        held = [one for one in answers if isinstance(one, HeldReport) and one.held]
        wanted = {season for one in held for season in one.seasons or ()}
        seasons = wanted & {
            answer.season
            for answer in answers
            if isinstance(answer, EpisodesReport)
            and any(state.wanted and not state.has_file for state in answer.parts)
        }
    return (tuple(sorted(seasons)), answers) if seasons else None


def _episodes(opening: AnyReport, answers: list[AnyReport]) -> Plan | None:
    """Open the seasons of a grab or an import, unless every episode was there before."""
    seasons = seasons_of(opening)
    refs = opening.parts if isinstance(opening, DownloadReport | FileReport) else ()
    meant = [
        state
        for answer in answers
        if isinstance(answer, EpisodesReport)
        for state in answer.parts
        if any(means(ref, answer.season, state.ref) for ref in refs)
    ]
    grabbed = not isinstance(opening, FileReport)
    if grabbed and meant and all(state.has_file for state in meant):
        return None
    return seasons, answers


def means(ref: PartRef, season: int, listed: PartRef) -> bool:
    """Tell whether a reference is this line of an episode list."""
    return ref.season == season and (
        (ref.number is not None and ref.number == listed.number)
        or (ref.own_id is not None and ref.own_id == listed.own_id)
        or (ref.air_date is not None and ref.air_date == listed.air_date)
    )
