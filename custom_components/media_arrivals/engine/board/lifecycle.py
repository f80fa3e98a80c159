"""From standing claims to the stage of a part, an arrival, a request.

Pure functions of claims: whichever order the words came in, the same claims give the
same stage (rule 1, *claims, not steps*).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from .models import (
    Arrival,
    Decision,
    DownloadClaim,
    DownloadState,
    Flag,
    Holding,
    Part,
    Request,
    Role,
    Service,
    Stage,
    Tier,
    Title,
)

SETTLED: Final = ""
"""Pseudo service whose word keeps what was available when the services changed."""

RANK: Final[Mapping[Stage, int]] = {
    Stage.REMOVED: -2,
    Stage.DECLINED: -1,
    Stage.REQUESTED: 0,
    Stage.APPROVED: 1,
    Stage.SENT: 2,
    Stage.FAILED: 2,  # rule 3: `failed` ranks as `sent`
    Stage.DOWNLOADING: 3,
    Stage.DOWNLOADED: 4,
    Stage.AVAILABLE: 5,
}

FINISHED: Final = frozenset({Stage.AVAILABLE, Stage.DECLINED, Stage.REMOVED})
"""Stages of arrivals that nobody waits for."""

RUNNING: Final = frozenset(
    {
        DownloadState.WAITING,
        DownloadState.DOWNLOADING,
        DownloadState.COMPLETE,
        DownloadState.BLOCKED,
    }
)
"""States of a download that the service's queue still shows."""

_DOWNLOAD_STAGE: Final[Mapping[DownloadState, Stage]] = {
    DownloadState.WAITING: Stage.SENT,
    DownloadState.DOWNLOADING: Stage.DOWNLOADING,
    DownloadState.COMPLETE: Stage.DOWNLOADED,
    DownloadState.BLOCKED: Stage.DOWNLOADED,
    DownloadState.FAILED: Stage.FAILED,
}


@dataclass(frozen=True, slots=True)
class Household:
    """Which services there are, as far as the stages depend on it."""

    services: Mapping[str, Service]
    has_playback: bool
    has_requests: bool

    @classmethod
    def of(cls, services: Mapping[str, Service]) -> Household:
        """Return the household of these services."""
        roles = {service.role for service in services.values()}
        return cls(services, Role.PLAYBACK in roles, Role.REQUESTS in roles)

    def hears_as(self, other: Household) -> bool:
        """Tell whether the same kinds of services have the say in both."""
        return (self.has_playback, self.has_requests) == (other.has_playback, other.has_requests)

    def role(self, service: str) -> Role:
        """Return a service's role; what is settled counts as a request service's word."""
        known = self.services.get(service)
        return known.role if known is not None else Role.REQUESTS


@dataclass(frozen=True, slots=True)
class Presence:
    """From when until when a part was available; ``until`` is infinite while it is."""

    start: float
    until: float


@dataclass(frozen=True, slots=True)
class Ground:
    """What the title's holdings say about one arrival (rule 2)."""

    held: bool
    """It is in a Radarr or Sonarr of its tier; without a word of those, Seerr says so."""
    lost_at: float | None
    """When it left the last Radarr or Sonarr that held it."""
    spoken: bool
    """A Radarr or Sonarr of its tier has said anything about the title."""


def same_tier(one: Tier, other: Tier) -> bool:
    """Tell whether words about one tier concern an arrival of the other."""
    return one is other or Tier.UNKNOWN in {one, other}


def ground(arrival: Arrival, title: Title, house: Household) -> Ground:
    """Say whether a service holds what the arrival is about."""
    held = spoken = handed_over = False
    lost_at: float | None = None
    for holding in title.holdings:
        if not same_tier(holding.tier, arrival.tier):
            continue
        if house.role(holding.service) is not Role.DOWNLOADS:
            handed_over = handed_over or holding.flag.yes
            continue
        if arrival.misfit:
            # Rule 10: where the season does not fit, Seerr's word tells it.
            continue
        if holding.flag.yes:
            spoken = True
            held = held or _wants_season(holding, arrival)
        elif holding.flag.lost and holding.flag.last_no is not None:
            spoken = True
            lost_at = max(lost_at or -inf, holding.flag.last_no)
    return Ground(
        held=held or (handed_over and not spoken),
        lost_at=None if held else lost_at,
        spoken=spoken,
    )


def _wants_season(holding: Holding, arrival: Arrival) -> bool:
    """Tell whether the service that holds the title wants the arrival's season."""
    if arrival.season is None or holding.seasons is None:
        return True
    return arrival.season in holding.seasons or any(
        claims.service == holding.service and (claims.wanted.yes or claims.file.yes)
        for part in arrival.parts.values()
        for claims in part.claims
    )


def presence(part: Part, whole: Part, base: Ground, house: Household) -> Presence | None:
    """Say when the part was last available, or ``None`` if it never was (rule 2).

    A media server's word counts first, told by Tautulli, too. Seerr's counts unless a server
    lists the item as absent, its file was lost, or the title left the service; and with neither
    of them, what is imported is available.
    """
    played: list[Flag] = []
    words: list[tuple[Flag, bool]] = []
    for source in (part,) if part is whole else (part, whole):
        for claims in source.claims:
            flag = claims.playable
            if flag.silent:
                continue
            role = house.role(claims.service)
            if role is Role.PLAYBACK or (role is Role.WATCHING and _stands(flag, part)):
                played.append(flag)
            elif role is not Role.WATCHING:
                words.append((flag, source is part))
    starts = [flag.since for flag in played if flag.since is not None]
    past: Presence | None = None
    for flag in played:
        past = _later(past, flag)
    if starts or not any(flag.no for flag in played):
        for flag, direct in words:
            since, past = _by_word(flag, part, base, past, direct=direct)
            if since is not None:
                starts.append(since)
    if not house.has_playback and not house.has_requests:
        imported_at = _imported_at(part)
        if imported_at is not None and base.lost_at is None:
            starts.append(imported_at)
        past = _later_file(past, part, -inf)
    return Presence(min(starts), inf) if starts else past


def _stands(flag: Flag, part: Part) -> bool:
    """Tell whether a word of who never takes one back counts: not after the file was lost."""
    return flag.last_yes is not None and all(
        claims.file.last_no is None or claims.file.last_no < flag.last_yes for claims in part.claims
    )


def _by_word(
    flag: Flag, part: Part, base: Ground, past: Presence | None, *, direct: bool
) -> tuple[float | None, Presence | None]:
    """Return since when Seerr's word makes a part available, and the time that is over."""
    if flag.since is None:
        return None, _later(past, flag)
    if base.lost_at is not None:
        return None, _later(past, Flag(flag.since, flag.since, base.lost_at))
    imported_at = _imported_at(part)
    if imported_at is None and any(claims.file.lost for claims in part.claims):
        return None, _later_file(past, part, flag.since)
    if direct or (part.aired_at is not None and part.aired_at <= flag.since):
        return flag.since, past
    # A word on the season means a later episode only once that is there.
    return (None if imported_at is None else max(flag.since, imported_at)), past


def _imported_at(part: Part) -> float | None:
    """Return since when a Radarr or Sonarr has had the part's file."""
    times = [since for claims in part.claims if (since := claims.file.since) is not None]
    return min(times) if times else None


def _later(past: Presence | None, flag: Flag) -> Presence | None:
    """Return the later of two times that are over."""
    if flag.first_yes is None or flag.last_no is None:
        return past
    if past is not None and past.until >= flag.last_no:
        return past
    return Presence(flag.first_yes, flag.last_no)


def _later_file(past: Presence | None, part: Part, start: float) -> Presence | None:
    """Return the later of ``past`` and the time in which there was a file."""
    for claims in part.claims:
        flag = claims.file
        if flag.first_yes is not None and flag.last_no is not None and start < flag.last_no:
            candidate = Presence(max(start, flag.first_yes), flag.last_no)
            if past is None or past.until < candidate.until:
                past = candidate
    return past


def part_stage(
    part: Part, whole: Part, base: Ground, there: Presence | None, house: Household
) -> Stage | None:
    """Return the stage that the claims on a part give, or ``None`` without any (rule 2)."""
    if there is not None and there.until == inf:
        return Stage.AVAILABLE
    if base.lost_at is not None:
        return Stage.REMOVED
    if _imported_at(part) is not None:
        return Stage.DOWNLOADED
    best: Stage | None = Stage.SENT if base.held else None
    for claim in standing_downloads(part, whole, base, house):
        stage = _DOWNLOAD_STAGE.get(claim.state)
        if stage is None:
            continue
        if (
            best is None
            or RANK[stage] > RANK[best]
            or (stage is Stage.FAILED and best is Stage.SENT)
        ):
            best = stage
    return best


def standing_downloads(
    part: Part, whole: Part, base: Ground, house: Household
) -> Iterable[DownloadClaim]:
    """Yield the downloads that count: Radarr's and Sonarr's, without them Seerr's."""
    return (claim for _, claim in told_downloads(part, whole, base, house))


def told_downloads(
    part: Part, whole: Part, base: Ground, house: Household
) -> Iterator[tuple[str, DownloadClaim]]:
    """Yield the same with the service that told it."""
    for source in (part,) if part is whole else (part, whole):
        for claims in source.claims:
            claim = claims.download
            if claim is None or (base.spoken and house.role(claims.service) is not Role.DOWNLOADS):
                continue
            file_at = claims.file.last_yes
            if file_at is not None and claim.at <= file_at:
                # The import ended it, whatever became of the file.
                continue
            yield claims.service, claim


@dataclass(frozen=True, slots=True)
class Seen:
    """What the claims on an arrival come to."""

    body: Stage | None
    """Its stage by what the services hold; ``None`` if none holds anything."""
    parts: Mapping[str, Stage | None]
    available: int
    wanted: int
    total: int
    coming: bool


def is_wanted(part: Part) -> bool:
    """Tell whether any service wants the part."""
    return any(claims.wanted.yes for claims in part.claims)


def look(arrival: Arrival, base: Ground, house: Household, now: float) -> Seen:
    """Work out the stage of an arrival and its parts from their claims (rule 3)."""
    whole = arrival.whole
    there = presence(whole, whole, base, house)
    stage = part_stage(whole, whole, base, there, house)
    if arrival.season is None:
        available = int(stage is Stage.AVAILABLE)
        return Seen(stage, {}, available, 1, 1, coming=False)
    stages: dict[str, Stage | None] = {}
    times: dict[str, Presence | None] = {}
    wanted: list[str] = []
    due: dict[str, float] = {}
    for key, part in arrival.parts.items():
        times[key] = present = presence(part, whole, base, house)
        stages[key] = part_stage(part, whole, base, present, house)
        if not is_wanted(part):
            continue
        wanted.append(key)
        counted_from = _counted_from(part, present)
        if counted_from is not None and counted_from <= now:
            due[key] = counted_from
    available = sum(stages[key] is Stage.AVAILABLE for key in wanted)
    if arrival.listed_at is None:
        body = _uncounted(stage, stages.values())
    elif not due:
        body = _at_most_sent(stage, base)
    else:
        body = _least_advanced(_counted(due, times), stages)
    coming = body is Stage.AVAILABLE and any(
        stages[key] is not Stage.AVAILABLE
        and (key in due or stages[key] in {Stage.DOWNLOADING, Stage.DOWNLOADED})
        for key in wanted
    )
    return Seen(body, stages, available, len(wanted), len(stages), coming)


def _counted_from(part: Part, present: Presence | None) -> float | None:
    """Return from when a wanted part counts: aired (or there already) and wanted."""
    aired = part.aired_at
    if present is not None and (aired is None or present.start < aired):
        aired = present.start
    if aired is None:
        return None
    return max(aired, min(one.wanted.turned for one in part.claims if one.wanted.yes))


def _uncounted(whole: Stage | None, parts: Iterable[Stage | None]) -> Stage | None:
    """Return a season's stage while its episode list is unknown."""
    best = whole
    for stage in parts:
        # One part's word moves it to `downloading` at most.
        bound = Stage.DOWNLOADING if stage and RANK[stage] > RANK[Stage.SENT] else stage
        if bound is not None and (best is None or RANK[bound] > RANK[best]):
            best = bound
    return best


def _at_most_sent(whole: Stage | None, base: Ground) -> Stage | None:
    """Return the stage of a season of which nothing has aired, or nothing is wanted."""
    if whole is Stage.REMOVED or whole is Stage.AVAILABLE:
        return whole
    return Stage.SENT if base.held else whole


def _counted(due: Mapping[str, float], times: Mapping[str, Presence | None]) -> frozenset[str]:
    """Return the parts that the season's stage is made of.

    Nothing that airs, is found or becomes wanted after the season was available pulls it
    back: the counted parts are those of the last moment at which everything that counted
    was there; all of them, if there was no such moment.
    """
    breaks = {inf, *due.values()}
    breaks.update(times_of.until for key in due if (times_of := times[key]) is not None)
    for moment in sorted(breaks, reverse=True):
        # The parts that counted just before the moment.
        counted = [key for key, start in due.items() if start < moment]
        if counted and all(
            (there := times[key]) is not None and there.start < moment <= there.until
            for key in counted
        ):
            return frozenset(counted)
    return frozenset(due)


def _least_advanced(counted: Iterable[str], stages: Mapping[str, Stage | None]) -> Stage | None:
    """Return the stage of the least advanced part; `failed` only if none downloads."""
    known: list[Stage] = []
    for key in counted:
        stage = stages[key]
        if stage is None:
            # Nobody holds it: the season has not got as far as any service.
            return None
        known.append(stage)
    least = min(known, key=RANK.__getitem__)
    if RANK[least] != RANK[Stage.SENT]:
        return least
    if Stage.DOWNLOADING in stages.values() or Stage.FAILED not in known:
        return Stage.SENT
    return Stage.FAILED


def arrival_stage(seen: Seen, base: Ground, requests: Iterable[Request]) -> Stage | None:
    """Return an arrival's stage, or ``None`` if nobody says anything (rules 2 and 4)."""
    body = seen.body
    decisions: set[Decision] = set()
    for request in requests:
        decision = request.decision
        asked_at = request.created_at
        if asked_at is None:
            asked_at = decision.happened_at
        if base.lost_at is None or asked_at > base.lost_at:
            decisions.add(decision.decision)
    approved = bool(decisions & {Decision.APPROVED, Decision.COMPLETED})
    if body is Stage.SENT and not base.spoken and not approved:
        # Seerr hands over titles, not seasons: it means the arrival only if approved.
        body = None
    if body is not None and body is not Stage.REMOVED:
        return body
    if approved:
        return Stage.APPROVED
    if Decision.FAILED in decisions:
        return Stage.FAILED
    if Decision.PENDING in decisions:
        return Stage.REQUESTED
    if body is Stage.REMOVED:
        return body
    if Decision.DECLINED in decisions:
        return Stage.DECLINED
    return Stage.REMOVED if decisions else None


def nothing_aired(arrival: Arrival, now: float) -> bool:
    """Tell whether a season's list is known and none of it has aired."""
    return (
        arrival.season is not None
        and arrival.listed_at is not None
        and RANK[arrival.stage] <= RANK[Stage.SENT]
        and all(part.aired_at is None or part.aired_at > now for part in arrival.parts.values())
    )


def request_stage(request: Request, arrivals: Iterable[Arrival], now: float) -> Stage:
    """Return a request's stage: its decision first, then its arrivals (rule 4)."""
    decision = request.decision.decision
    if decision is Decision.PENDING:
        return Stage.REQUESTED
    if decision is Decision.DECLINED:
        return Stage.DECLINED
    if decision is Decision.REMOVED:
        return Stage.REMOVED
    covered = list(arrivals)
    aired = [arrival for arrival in covered if not nothing_aired(arrival, now)]
    stages = [arrival.stage for arrival in aired or covered]
    least = min(stages, key=RANK.__getitem__, default=None)
    if decision is Decision.FAILED and (least is None or RANK[least] < RANK[Stage.SENT]):
        # A hand-over that failed may have succeeded after all: then a service holds it.
        return Stage.FAILED
    if least is not None:
        return least
    return Stage.AVAILABLE if decision is Decision.COMPLETED else Stage.APPROVED


def problem_and_progress(
    whole: Part, parts: Mapping[str, Part], base: Ground, house: Household
) -> tuple[str | None, float | None]:
    """Return what a person has to look at, and how far the distinct downloads are."""
    problem: str | None = None
    progress: dict[str, float] = {}
    for part in (whole, *parts.values()):
        if part is not whole and part.stage is Stage.AVAILABLE:
            continue
        for claim in standing_downloads(part, part, base, house):
            if claim.problem is not None and claim.state in {
                DownloadState.BLOCKED,
                DownloadState.FAILED,
                DownloadState.WAITING,
                DownloadState.DOWNLOADING,
                DownloadState.COMPLETE,
            }:
                problem = problem or claim.problem
            if claim.state is DownloadState.DOWNLOADING and claim.progress is not None:
                # A season pack is one download with many parts: each counts once.
                progress[claim.download_id or part.key] = claim.progress
    mean = sum(progress.values()) / len(progress) if progress else None
    return problem, mean
