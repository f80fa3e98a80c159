"""Words on parts, downloads and requests: reading, adding and comparing them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from math import inf
from typing import Final

from .lifecycle import RUNNING, SETTLED
from .matching import BLANK, with_claims, with_part_reference
from .models import (
    SILENT,
    AnyReport,
    Arrival,
    Decision,
    DecisionClaim,
    DownloadClaim,
    DownloadReport,
    DownloadState,
    EpisodesReport,
    FileReport,
    Flag,
    HeldReport,
    Holding,
    Part,
    PartRef,
    PartState,
    PlayableReport,
    Question,
    Report,
    RequestReport,
    Stage,
    Tier,
    Title,
    Watch,
    WatchReport,
)

_DOWNLOAD_ORDER: Final = tuple(DownloadState)
_HALTS: Final = {DownloadState.BLOCKED: DownloadState.COMPLETE}
"""What a blocked import was before: nothing has moved since."""
_DECISION_ORDER: Final = (
    Decision.PENDING,
    Decision.APPROVED,
    Decision.FAILED,
    Decision.DECLINED,
    Decision.COMPLETED,
    Decision.REMOVED,
)


def running(arrival: Arrival | None) -> set[tuple[str, str]]:
    """Return the downloads of an arrival that should be in a queue."""
    if arrival is None:
        return set()
    return {
        (claims.service, claim.download_id.casefold())
        for part in (arrival.whole, *arrival.parts.values())
        for claims in part.claims
        if (claim := claims.download) is not None
        and claim.download_id is not None
        and claim.state in RUNNING
    }


def downloads_as(part: Part, service: str, folded: str) -> bool:
    """Tell whether a part's newest download is this one."""
    claim = part.claims_of(service).download
    return (
        claim is not None
        and claim.download_id is not None
        and claim.download_id.casefold() == folded
    )


def holding_of(title: Title, service: str, tier: Tier, downloads: bool) -> Holding:
    """Return a service's word on a title: one for a downloader, one a tier for Seerr."""
    for holding in title.holdings:
        if holding.service == service and (downloads or holding.tier is tier):
            if downloads and holding.tier is Tier.UNKNOWN is not tier:
                return replace(holding, tier=tier)
            return holding
    return Holding(service, tier)


def worded(flag: Flag, report: Report, *, yes: bool) -> Flag:
    """Return a flag with a report's word; the same one if it is no news."""
    return flag.with_word(yes=yes, at=report.at, happened_at=report.happened_at)


class Sheet:
    """The parts of an arrival while a report is entered.

    A report may be of thousands of episodes: each is found and changed in constant time.
    """

    def __init__(self, arrival: Arrival, service: str) -> None:
        """Begin with what the arrival has; `service` is who speaks."""
        self._arrival = arrival
        self._service = service
        self._whole = arrival.whole
        self._parts = arrival.parts
        self._changed: dict[str, Part] | None = None
        self._by_name: dict[tuple[bool, int | str], dict[str, None]] | None = None

    @property
    def parts(self) -> Mapping[str, Part]:
        """Return the episodes as they are now."""
        return self._parts

    @property
    def arrival(self) -> Arrival:
        """Return the arrival with what was entered; the same one if nothing was."""
        if self._whole is self._arrival.whole and self._changed is None:
            return self._arrival
        return replace(self._arrival, whole=self._whole, parts=self._parts)

    def find(self, ref: PartRef) -> str | None:
        """Return the key of the part that a reference means (rule 10).

        By number; else by the service's own episode id; else by the air date. Where both
        have a number, nothing else makes them the same.
        """
        if ref.number is not None and (key := f"e{ref.number}") in self._parts:
            return key
        if self._by_name is None:
            self._by_name = {}
            for key, part in self._parts.items():
                self._note(key, part)
        for name in (ref.own_id, ref.air_date):
            if name is not None and (found := self._by_name.get((ref.number is None, name))):
                return next(iter(found))
        return None

    def part_of(self, ref: PartRef | None) -> tuple[str | None, Part]:
        """Return the key and the part that a reference means; a new one if none is known."""
        if ref is None or self._arrival.season is None:
            return None, self._whole
        key = self.find(ref)
        part = self._parts[key] if key is not None else BLANK
        return key or "", with_part_reference(part, ref, self._service)

    def put(self, key: str | None, part: Part) -> None:
        """Enter a part; `key` is its former key, None the whole."""
        if key is None:
            self._whole = part
            return
        if self._changed is None:
            self._parts = self._changed = dict(self._parts)
        for former in {key, part.key} & self._changed.keys():
            self._forget(former, self._changed.pop(former))
        self._changed[part.key] = part
        self._note(part.key, part)

    def _names(self, part: Part) -> Iterator[tuple[bool, int | str]]:
        """Yield what finds a part; the first says whether by a reference without number."""
        for name in (part.claims_of(self._service).own_id, part.air_date):
            if name is not None:
                yield True, name
                if part.number is None:
                    yield False, name

    def _note(self, key: str, part: Part) -> None:
        """Let a part be found, if anything was looked for."""
        if self._by_name is not None:
            for name in self._names(part):
                self._by_name.setdefault(name, {})[key] = None

    def _forget(self, key: str, part: Part) -> None:
        """Let a part be found no more."""
        if self._by_name is not None:
            for name in self._names(part):
                del self._by_name[name][key]


def listed_part(part: Part, state: PartState, report: EpisodesReport, *, newest: bool) -> Part:
    """Return a part with a line of an episode list."""
    service = report.origin.service
    part = with_part_reference(part, state.ref, service)
    if newest or part.aired_at is None:
        part = replace(part, aired_at=state.aired_at)
    claims = part.claims_of(service)
    file, file_at = claims.file, state.file_at
    if state.has_file and file_at is not None and file_at < report.at:
        file = file.with_word(yes=True, at=file_at, happened_at=file_at)
    happened_at = report.happened_at if file_at is None else file_at
    file = file.with_word(yes=state.has_file, at=report.at, happened_at=happened_at)
    wanted = worded(claims.wanted, report, yes=state.wanted)
    return with_claims(part, replace(claims, wanted=wanted, file=file))


def newest_word(part: Part) -> float:
    """Return when anything was last said about a part, its being wanted aside."""
    times: list[float | None] = []
    for claims in part.claims:
        for flag in (claims.file, claims.playable):
            times += (flag.last_yes, flag.last_no)
        if claims.download is not None:
            times.append(claims.download.at)
    return max((at for at in times if at is not None), default=-inf)


def newer_download(claim: DownloadClaim, old: DownloadClaim) -> bool:
    """Tell whether a word about a download replaces another."""
    return (claim.at, _DOWNLOAD_ORDER.index(claim.state)) > (
        old.at,
        _DOWNLOAD_ORDER.index(old.state),
    )


def moved(claim: DownloadClaim, old: DownloadClaim | None) -> DownloadClaim:
    """Return a newer word about a download, with when the download moved last."""
    at = claim.at
    if old is not None and _stands(claim, old):
        at = old.at if old.moved_at is None else old.moved_at
    return replace(claim, moved_at=at)


def _stands(claim: DownloadClaim, old: DownloadClaim) -> bool:
    """Tell whether a download is where it was; unknown progress is none."""
    ids = {one.download_id and one.download_id.casefold() for one in (claim, old)}
    if len(ids) > 1 or _HALTS.get(claim.state, claim.state) is not _HALTS.get(old.state, old.state):
        return False
    return (
        claim.state is not DownloadState.DOWNLOADING
        or None in {claim.progress, old.progress}
        or claim.progress == old.progress
    )


def shows_else(claim: DownloadClaim, old: DownloadClaim | None) -> bool:
    """Tell whether people see a difference between two words about a download."""
    return old is None or (
        claim.state,
        claim.download_id,
        claim.progress,
        claim.eta,
        claim.problem,
        claim.word,
    ) != (old.state, old.download_id, old.progress, old.eta, old.problem, old.word)


def newer_decision(claim: DecisionClaim, old: DecisionClaim) -> bool:
    """Tell whether a word about a request replaces another.

    What was said when the request was made is never newer, whenever it arrives.
    """
    return (not claim.initial, claim.at, _DECISION_ORDER.index(claim.decision)) > (
        not old.initial,
        old.at,
        _DECISION_ORDER.index(old.decision),
    )


def distinct(questions: Iterable[Question]) -> Iterator[Question]:
    """Yield questions once each; one that a report waits for comes first."""
    seen: set[tuple[str, str, str]] = set()
    for question in sorted(questions, key=lambda one: one.opening is None):
        if question.opening is not None or question.key not in seen:
            seen.add(question.key)
            yield question


def seasons_of(report: AnyReport) -> tuple[int, ...]:
    """Return the seasons that a report is about."""
    seasons: set[int] = set()
    if isinstance(report, HeldReport | DownloadReport | PlayableReport | RequestReport):
        seasons.update(report.seasons or ())
    if isinstance(report, DownloadReport | FileReport | PlayableReport | WatchReport):
        seasons.update(ref.season for ref in report.parts)
    return tuple(sorted(seasons))


def speaks(arrival: Arrival, service: str) -> bool:
    """Tell whether a service has said anything about an arrival's parts."""
    return any(
        any(claims.service == service for claims in part.claims)
        or any(watch.service == service for watch in part.watches)
        for part in (arrival.whole, *arrival.parts.values())
    )


def is_served(arrival: Arrival) -> bool:
    """Tell whether any service has, loads or plays something of an arrival, or somebody watched."""
    return any(
        part.watches
        or any(
            claims.file.yes or claims.playable.yes or claims.download is not None
            for claims in part.claims
        )
        for part in (arrival.whole, *arrival.parts.values())
    )


def without_news(arrival: Arrival, news: AnyReport) -> Arrival:
    """Return an arrival without the files whose import is the news itself."""
    if not isinstance(news, FileReport):
        return arrival
    sheet = Sheet(arrival, news.origin.service)
    keys = {sheet.find(ref) for ref in news.parts}

    def without_files(part: Part) -> Part:
        return replace(part, claims=tuple(replace(one, file=SILENT) for one in part.claims))

    parts = {
        key: without_files(part) if key in keys else part for key, part in arrival.parts.items()
    }
    return replace(arrival, parts=parts)


def without_service(arrival: Arrival, service: str) -> Arrival:
    """Return an arrival without a service's words."""

    def cleaned(part: Part) -> Part:
        return replace(
            part,
            claims=tuple(one for one in part.claims if one.service != service),
            watches=tuple(one for one in part.watches if one.service != service),
        )

    return replace(
        arrival,
        whole=cleaned(arrival.whole),
        parts={key: cleaned(part) for key, part in arrival.parts.items()},
    )


def watched_by(part: Part, viewer: str) -> bool:
    """Tell whether somebody watched a part to its end."""
    return any(one.viewer == viewer and one.watched for one in part.watches)


def screened(arrival: Arrival, viewer: Callable[[str], str | None]) -> Arrival:
    """Return an arrival whose viewers are called otherwise, or forgotten (``None``).

    The same one if that changes nothing.
    """

    def cleaned(part: Part) -> Part:
        if all(viewer(one.viewer) == one.viewer for one in part.watches):
            return part
        kept: dict[str, Watch] = {}
        # Of those who become one, whoever watched it counts.
        for one in sorted(part.watches, key=lambda one: (one.watched, one.at)):
            if (name := viewer(one.viewer)) is not None:
                kept[name] = replace(one, viewer=name)
        return replace(part, watches=tuple(kept.values()))

    whole = cleaned(arrival.whole)
    parts = {key: cleaned(part) for key, part in arrival.parts.items()}
    if whole is arrival.whole and all(parts[key] is arrival.parts[key] for key in parts):
        return arrival
    return replace(arrival, whole=whole, parts=parts)


def settled(arrival: Arrival, now: float) -> Arrival:
    """Return an arrival whose available parts stay so, whoever has the say next."""

    def settled(part: Part, stage: Stage | None) -> Part:
        if stage is not Stage.AVAILABLE:
            return part
        claims = part.claims_of(SETTLED)
        if claims.playable.yes:
            return part
        flag = claims.playable.with_word(yes=True, at=now, happened_at=now)
        return with_claims(part, replace(claims, playable=flag))

    if arrival.season is None:
        whole = settled(arrival.whole, arrival.stage)
        return arrival if whole is arrival.whole else replace(arrival, whole=whole)
    parts = {key: settled(part, part.stage) for key, part in arrival.parts.items()}
    whole = arrival.whole
    if not parts:
        whole = settled(whole, arrival.stage)
    if whole is arrival.whole and all(parts[key] is arrival.parts[key] for key in parts):
        return arrival
    return replace(arrival, whole=whole, parts=parts)
