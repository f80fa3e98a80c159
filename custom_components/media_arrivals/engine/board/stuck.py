"""Why an arrival does not move, and whether it should have by now. Pure, and without a clock.

Only time counts in which the service that is to do something could be reached: whoever asks
says how much of it there was.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Final, NamedTuple

from .lifecycle import (
    FINISHED,
    Ground,
    Household,
    ground,
    is_wanted,
    same_tier,
    told_downloads,
)
from .models import (
    Arrival,
    Claims,
    Decision,
    DownloadClaim,
    DownloadState,
    Hold,
    Holding,
    HoldReason,
    Part,
    Remedy,
    Request,
    Role,
    Service,
    Stage,
    Title,
)

type Reached = Callable[[str, float], float]
"""For how many seconds a service could be reached since a moment."""


class Complaint(NamedTuple):
    """A service's standing word about its own health."""

    check: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds after which an arrival that does not move is stuck."""

    hand_over: float = 15 * 60.0
    """Approved, and in no service."""
    grab: float = 6 * 3600.0
    """In a service and out, and nothing was grabbed."""
    progress: float = 30 * 60.0
    """Downloading without progress, or failed without another try."""
    imported: float = 15 * 60.0
    """Downloaded by the client, and not imported."""
    found: float = 30 * 60.0
    """Imported, and found by no media server."""


REMEDIES: Final[Mapping[HoldReason, Remedy]] = {
    HoldReason.HAND_OVER_FAILED: Remedy.RETRY_REQUEST,
    HoldReason.NO_RELEASE_FOUND: Remedy.SEARCH_RELEASE,
    HoldReason.DOWNLOAD_FAILED: Remedy.SEARCH_RELEASE,
    HoldReason.QUALITY_NOT_MET: Remedy.SEARCH_RELEASE,
    HoldReason.NOT_FOUND: Remedy.SCAN_LIBRARY,
}
"""What to do; about all other reasons somebody has to look at the service."""

_WORDS: Final[Mapping[str, HoldReason]] = {
    "paused": HoldReason.PAUSED,
    "queued": HoldReason.QUEUED,
    "delay": HoldReason.DELAYED,
    "fallback": HoldReason.DELAYED,
    "downloadclientunavailable": HoldReason.DOWNLOAD_CLIENT_UNREACHABLE,
}
"""A service's own words for the state of a download."""

_FRAGMENTS: Final[tuple[tuple[HoldReason, tuple[str, ...]], ...]] = (
    (
        HoldReason.DISK_FULL,
        (
            "not enough free space",
            "not enough space",
            "no space left",
            "disk full",
            "disk is full",
            "disk space",
        ),
    ),
    (
        HoldReason.DOWNLOAD_CLIENT_UNREACHABLE,
        (
            "unable to communicate with",
            "unable to connect to",
            "download client is unavailable",
            "download clients are unavailable",
        ),
    ),
    (
        HoldReason.QUALITY_NOT_MET,
        (
            "not an upgrade",
            "not a quality revision upgrade",
            "not a custom format upgrade",
            "custom format score",
            "not wanted in profile",
            "quality cutoff",
        ),
    ),
    (
        HoldReason.FILES_NOT_ACCESSIBLE,
        (
            "does not exist or is not accessible",
            "is not a valid local path",
            "remote path mapping",
            "access to the path",
            "permission",
            "no files found are eligible",
        ),
    ),
    (HoldReason.STALLED, ("stalled", "no connections")),
)
"""Pieces of what services say of a download; the first that fits counts."""

_CHECKS: Final[Mapping[Stage, tuple[tuple[str, HoldReason], ...]]] = {
    Stage.SENT: (
        ("indexer", HoldReason.INDEXERS_UNREACHABLE),
        ("downloadclient", HoldReason.DOWNLOAD_CLIENT_UNREACHABLE),
    ),
    Stage.DOWNLOADING: (("downloadclient", HoldReason.DOWNLOAD_CLIENT_UNREACHABLE),),
    Stage.DOWNLOADED: (
        ("rootfolder", HoldReason.FILES_NOT_ACCESSIBLE),
        ("remotepathmapping", HoldReason.FILES_NOT_ACCESSIBLE),
    ),
}
"""How the names of the health checks begin that explain why nothing happens at a stage."""

_NOT_STARTED: Final = frozenset({None, Stage.SENT, Stage.FAILED})
_FINISHED_BY_CLIENT: Final = frozenset({DownloadState.COMPLETE, DownloadState.BLOCKED})
_ENDED: Final = frozenset({DownloadState.FAILED, DownloadState.GONE})
_APPROVING: Final = frozenset({Decision.APPROVED, Decision.COMPLETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What may keep a part, and whether it has done so for too long."""

    hold: Hold
    over: bool


def reason_of(words: str | None, word: str | None = None) -> HoldReason | None:
    """Return what a service's words about a download mean; ``None``: nothing that is known."""
    if words is not None:
        folded = words.casefold()
        for reason, fragments in _FRAGMENTS:
            if any(fragment in folded for fragment in fragments):
                return reason
    return _WORDS.get(word or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Says of arrivals what keeps them."""

    house: Household
    limits: Limits
    reached: Reached
    complaints: Mapping[str, Iterable[Complaint]]
    """Service -> what it complains about."""
    now: float

    def hold(self, arrival: Arrival, title: Title, requests: Iterable[Request]) -> Hold | None:
        """Say what keeps an arrival: what it waits for, or why it is stuck; ``None``: nothing."""
        if arrival.stage is Stage.REQUESTED or (arrival.stage in FINISHED and not arrival.coming):
            return None
        base = ground(arrival, title, self.house)
        if arrival.stage is Stage.APPROVED:
            finding = self._not_handed_over(arrival, title, requests)
            return finding.hold if finding is not None and finding.over else None
        if arrival.stage is Stage.FAILED and not base.held:
            finding = self._hand_over_failed(arrival, requests)
            if finding is not None:
                return finding.hold if finding.over else None
        return self._chosen(arrival, tuple(self._findings(arrival, title, base)))

    # --- requests -------------------------------------------------------------------------

    def _not_handed_over(
        self, arrival: Arrival, title: Title, requests: Iterable[Request]
    ) -> Finding | None:
        """Look at what is approved, and in no service."""
        asked = {one.service for one in requests if one.decision.decision in _APPROVING}
        takers = [
            service.id
            for service in self.house.services.values()
            if service.role is Role.DOWNLOADS and _takes(service, arrival, title)
        ]
        if not asked:
            return None
        since = arrival.stage_at
        service, seconds = self._most(asked, since)
        if takers:
            # Whether it is there, at least one of those that could have it must have said.
            seconds = min(seconds, self._most(takers, since)[1])
        finding = self._finding(
            HoldReason.NOT_HANDED_OVER, since, service, over=seconds >= self.limits.hand_over
        )
        if not takers:
            return finding
        return replace(finding, hold=replace(finding.hold, remedy=Remedy.SEND_TO_SERVICE))

    def _hand_over_failed(self, arrival: Arrival, requests: Iterable[Request]) -> Finding | None:
        """Look at a request that Seerr could not hand over."""
        failed = [one.service for one in requests if one.decision.decision is Decision.FAILED]
        if not failed:
            return None
        service, seconds = self._most(failed, arrival.stage_at)
        return self._finding(
            HoldReason.HAND_OVER_FAILED,
            arrival.stage_at,
            service,
            over=seconds >= self.limits.hand_over,
        )

    # --- parts ----------------------------------------------------------------------------

    def _findings(self, arrival: Arrival, title: Title, base: Ground) -> Iterator[Finding]:
        """Yield what may keep each part that somebody waits for."""
        whole = arrival.whole
        if arrival.season is None:
            yield from self._of_part(arrival, title, whole, arrival.stage, base)
            return
        downloads = told_downloads(whole, whole, base, self.house)
        if arrival.listed_at is None and any(True for _ in downloads):
            # Which episodes there are is not known: only a running download can be judged.
            yield from self._of_part(arrival, title, whole, arrival.stage, base)
        due = False
        for part in arrival.parts.values():
            running = part.stage in {Stage.DOWNLOADING, Stage.DOWNLOADED}
            aired = part.aired_at is not None and part.aired_at <= self.now
            if part.stage is Stage.AVAILABLE or not (running or (aired and is_wanted(part))):
                due = due or (aired and is_wanted(part))
                continue
            due = True
            yield from self._of_part(arrival, title, part, part.stage, base)
        if not due and arrival.listed_at is not None and base.held:
            yield from self._before_release(arrival, title)

    def _before_release(self, arrival: Arrival, title: Title) -> Iterator[Finding]:
        """Look at a season of which nothing that is wanted has aired."""
        wanted = [part for part in arrival.parts.values() if is_wanted(part)]
        holders = tuple(self._holders(arrival, title))[:1]
        if wanted or not arrival.parts:
            dates = [
                part.aired_at
                for part in wanted
                if part.aired_at is not None and part.aired_at > self.now
            ]
            service = next((holder.service for holder in holders), None)
            yield self._waiting(arrival, service, min(dates, default=None))
        else:
            yield from (
                self._timed(
                    HoldReason.NOT_MONITORED,
                    _said_at(holder),
                    holder.service,
                    limit=self.limits.grab,
                )
                for holder in holders
            )

    def _of_part(
        self, arrival: Arrival, title: Title, part: Part, stage: Stage | None, base: Ground
    ) -> Iterator[Finding]:
        """Look at a part by its stage."""
        if stage in _NOT_STARTED:
            yield from self._not_grabbed(arrival, title, part, base)
        elif stage is Stage.DOWNLOADING:
            yield from self._downloading(arrival, part, base)
        elif stage is Stage.DOWNLOADED:
            imported = [claims for claims in part.claims if claims.file.yes]
            if imported:
                yield from self._imported(imported)
            else:
                yield from self._not_imported(arrival, part, base)

    def _not_grabbed(
        self, arrival: Arrival, title: Title, part: Part, base: Ground
    ) -> Iterator[Finding]:
        """Look at a part that a service should look for."""
        words = tuple(told_downloads(part, arrival.whole, base, self.house))
        for service, claim in words:
            if claim.state is DownloadState.WAITING:
                yield self._of_download(
                    Stage.SENT, service, claim, HoldReason.DELAYED, self.limits.progress
                )
                return
        for service, claim in words:
            if claim.state is DownloadState.FAILED:
                yield self._of_download(
                    Stage.FAILED, service, claim, HoldReason.DOWNLOAD_FAILED, self.limits.progress
                )
                return
        found = [self._sought(arrival, part, holder) for holder in self._holders(arrival, title)]
        known = [one for one in found if one is not None]
        if known and len(known) == len(found):
            # If one of several services may still find it, it is not stuck.
            yield min(known, key=lambda one: (one.over, -one.hold.since))

    def _sought(self, arrival: Arrival, part: Part, holder: Holding) -> Finding | None:
        """Say what keeps a service from finding a part; ``None``: too little is known."""
        service = holder.service
        claims = part.claims_of(service)
        reason = HoldReason.NO_RELEASE_FOUND
        if arrival.season is None:
            premiere = claims.premiere
            if premiere is None:
                return None
            begins = premiere.begins(self.now)
            if begins is None:
                return self._waiting(arrival, service, premiere.due_at)
            if premiere.monitored is False:
                reason = HoldReason.NOT_MONITORED
        elif part.aired_at is None:
            return None
        else:
            begins = max(part.aired_at, claims.wanted.turned)
        since = max(begins, _said_at(holder), _ended_at(claims))
        return self._timed(reason, since, service, limit=self.limits.grab, stage=Stage.SENT)

    def _downloading(self, arrival: Arrival, part: Part, base: Ground) -> Iterator[Finding]:
        """Look at a part that is being downloaded."""
        for service, claim in told_downloads(part, arrival.whole, base, self.house):
            if claim.state is DownloadState.DOWNLOADING:
                yield self._of_download(
                    Stage.DOWNLOADING, service, claim, HoldReason.STALLED, self.limits.progress
                )

    def _not_imported(self, arrival: Arrival, part: Part, base: Ground) -> Iterator[Finding]:
        """Look at a part that the download client has, and no service imported."""
        for service, claim in told_downloads(part, arrival.whole, base, self.house):
            if claim.state in _FINISHED_BY_CLIENT:
                usual = (
                    HoldReason.IMPORT_BLOCKED
                    if claim.state is DownloadState.BLOCKED or claim.problem
                    else HoldReason.NOT_IMPORTED
                )
                yield self._of_download(
                    Stage.DOWNLOADED, service, claim, usual, self.limits.imported
                )

    def _imported(self, imported: Iterable[Claims]) -> Iterator[Finding]:
        """Look at a part that is imported, and that nothing plays."""
        since = max(claims.file.happened_at or claims.file.since or -inf for claims in imported)
        for role in (Role.PLAYBACK, Role.REQUESTS):
            services = [one.id for one in self.house.services.values() if one.role is role]
            if services:
                service, seconds = self._most(services, since)
                finding = self._finding(
                    HoldReason.NOT_FOUND, since, service, over=seconds >= self.limits.found
                )
                if role is not Role.PLAYBACK:
                    look = replace(finding.hold, remedy=Remedy.LOOK_AT_SERVICE)
                    finding = replace(finding, hold=look)
                yield finding
                return

    # --- findings ---------------------------------------------------------------------------

    def _chosen(self, arrival: Arrival, findings: tuple[Finding, ...]) -> Hold | None:
        """Return the oldest of what keeps an arrival for too long, else what it waits for."""
        moving = any(not one.over and one.hold.reason is HoldReason.STALLED for one in findings)
        over = [
            one.hold
            for one in findings
            if one.over and one.hold.stuck and not (moving and _is_running(one.hold))
        ]
        if over:
            return min(over, key=lambda hold: hold.since)
        if arrival.season is not None and len(findings) != 1:
            # Some of it waits and some of it moves: that is how seasons arrive.
            return None
        return next((one.hold for one in findings if not one.hold.stuck), None)

    def _of_download(
        self, stage: Stage, service: str, claim: DownloadClaim, usual: HoldReason, limit: float
    ) -> Finding:
        """Say what a service's words about a download come to."""
        since = claim.at if claim.moved_at is None else claim.moved_at
        reason = reason_of(claim.problem, claim.word)
        if reason is None and claim.state is not DownloadState.WAITING:
            return self._timed(
                usual, since, service, limit=limit, stage=stage, message=claim.problem
            )
        return self._timed(reason or usual, since, service, limit=limit, message=claim.problem)

    def _timed(
        self,
        reason: HoldReason,
        since: float,
        service: str,
        *,
        limit: float,
        stage: Stage | None = None,
        message: str | None = None,
    ) -> Finding:
        """Say what keeps a part; without words of its own, the service's complaints tell why."""
        if message is None and stage is not None and reason is not HoldReason.NOT_MONITORED:
            for name, why in _CHECKS.get(stage, ()):
                for complaint in self.complaints.get(service, ()):
                    if message is None and complaint.check.casefold().startswith(name):
                        reason, message = why, complaint.message or None
        return self._finding(
            reason, since, service, message, over=self.reached(service, since) >= limit
        )

    def _finding(
        self,
        reason: HoldReason,
        since: float,
        service: str | None,
        message: str | None = None,
        *,
        over: bool,
    ) -> Finding:
        remedy = REMEDIES.get(reason, Remedy.LOOK_AT_SERVICE)
        hold = Hold(reason=reason, since=since, service=service, message=message, remedy=remedy)
        return Finding(hold=hold if hold.stuck else replace(hold, remedy=None), over=over)

    def _waiting(self, arrival: Arrival, service: str | None, until: float | None) -> Finding:
        """Say that a part is not out yet."""
        if until is not None and until <= self.now:
            until = None
        return Finding(
            hold=Hold(
                reason=HoldReason.WAITING_FOR_RELEASE,
                since=arrival.opened_at,
                service=service,
                until=until,
            ),
            over=False,
        )

    def _holders(self, arrival: Arrival, title: Title) -> Iterator[Holding]:
        """Yield the words of Radarrs and Sonarrs that hold it in its tier."""
        for holding in title.holdings:
            if (
                holding.flag.yes
                and self.house.role(holding.service) is Role.DOWNLOADS
                and same_tier(holding.tier, arrival.tier)
            ):
                yield holding

    def _most(self, services: Iterable[str], since: float) -> tuple[str, float]:
        """Return which of some services could be reached longest, and for how long."""
        seconds, service = max((self.reached(one, since), one) for one in services)
        return service, seconds


def _takes(service: Service, arrival: Arrival, title: Title) -> bool:
    """Tell whether a service could be given an arrival."""
    return service.media_type in {None, title.media_type} and (
        service.tier is None or same_tier(service.tier, arrival.tier)
    )


def _said_at(holding: Holding) -> float:
    """Return since when a service holds a title."""
    return holding.flag.since or -inf


def _ended_at(claims: Claims) -> float:
    """Return when the last try ended, or the file was lost: the search began anew."""
    claim = claims.download
    ended = -inf
    if claim is not None and claim.state in _ENDED:
        ended = claim.at if claim.moved_at is None else claim.moved_at
    return max(ended, claims.file.last_yes or -inf)


def _is_running(hold: Hold) -> bool:
    """Tell whether it is a download that another one may be in front of."""
    return hold.reason in {HoldReason.STALLED, HoldReason.PAUSED}
