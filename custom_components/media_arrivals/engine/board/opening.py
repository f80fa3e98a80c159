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

type Seasons = tuple[int | None, ...]
"""Seasons to open; `None` in it is the film. Empty: all was there, nothing opens."""


def holdings(answers: Sequence[AnyReport]) -> list[AnyReport]:
    """Return the answers as what a service holds; only a report of news opens anything."""
    return [
        replace(answer, opens=False) if isinstance(answer, HeldReport) else answer
        for answer in answers
    ]


def seasons_to_open(opening: AnyReport, answers: Sequence[AnyReport]) -> Seasons:
    """Return what a report opens, given what the service holds already."""
    if any(isinstance(answer, HeldReport) and not answer.held for answer in answers):
        # It left the service again before we could ask.
        return ()
    if opening.title.media_type is MediaType.MOVIE:
        return _film(opening, answers)
    if isinstance(opening, HeldReport):
        return _addition(opening, answers)
    return _episodes(opening, answers)


def is_held(answers: Sequence[AnyReport]) -> bool:
    """Tell whether any answer says that the service holds the title, or something of it."""
    return any(
        one.held
        if isinstance(one, HeldReport)
        else isinstance(one, EpisodesReport) or (isinstance(one, FileReport) and one.present)
        for one in answers
    )


def is_news(report: AnyReport, opening: AnyReport) -> bool:
    """Tell whether an answer only repeats the import that opens a film."""
    return isinstance(report, FileReport) and report.present and isinstance(opening, FileReport)


def _film(opening: AnyReport, answers: Sequence[AnyReport]) -> Seasons:
    """Open a film, unless it has a file that the report does not speak of."""
    there = any(isinstance(one, FileReport) and one.present for one in answers)
    return () if there and not isinstance(opening, FileReport) else (None,)


def _addition(opening: HeldReport, answers: Sequence[AnyReport]) -> Seasons:
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
    return tuple(sorted(seasons))


def _episodes(opening: AnyReport, answers: Sequence[AnyReport]) -> Seasons:
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
        return ()
    return seasons


def means(ref: PartRef, season: int, listed: PartRef) -> bool:
    """Tell whether a reference is this line of an episode list."""
    return ref.season == season and (
        (ref.number is not None and ref.number == listed.number)
        or (ref.own_id is not None and ref.own_id == listed.own_id)
        or (ref.air_date is not None and ref.air_date == listed.air_date)
    )
