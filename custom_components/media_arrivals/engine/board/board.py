"""The board: takes reports, answers with changes; the only thing that changes itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import inf
from sys import intern
from typing import Final
from uuid import uuid4

from .claims import (
    Sheet,
    distinct,
    downloads_as,
    holding_of,
    is_served,
    listed_part,
    moved,
    newer_decision,
    newer_download,
    newest_word,
    screened,
    seasons_of,
    settled,
    shows_else,
    speaks,
    watched_by,
    without_news,
    without_service,
    worded,
)
from .lifecycle import (
    FINISHED,
    RUNNING,
    Ground,
    Household,
    Seen,
    arrival_stage,
    ground,
    look,
    problem_and_progress,
    request_stage,
    same_tier,
)
from .matching import (
    BLANK,
    NO_IDS,
    NO_PARTS,
    is_known,
    merged_arrivals,
    merged_titles,
    with_claims,
    with_reference,
    with_watch,
)
from .models import (
    AnyReport,
    Applied,
    Arrival,
    Change,
    ChangeKind,
    Decision,
    DecisionClaim,
    DownloadClaim,
    DownloadReport,
    DownloadState,
    EpisodesReport,
    ExternalIds,
    FileReport,
    HeldReport,
    Hold,
    Holding,
    MediaType,
    Origin,
    Outcome,
    Part,
    PartRef,
    Person,
    PlayableReport,
    Premiere,
    Question,
    QuestionKind,
    Reason,
    Report,
    Request,
    RequestKey,
    RequestReport,
    Role,
    Service,
    Stage,
    Tier,
    Title,
    TitleRef,
    Via,
    Watch,
    WatchReport,
)
from .opening import holdings, is_held, is_news, seasons_to_open
from .register import Register

_TOLD_OF_PARTS: Final = frozenset({Stage.DOWNLOADING, Stage.DOWNLOADED, Stage.AVAILABLE})
_APPROVED: Final = frozenset({Decision.APPROVED, Decision.COMPLETED})
_REVERSALS: Final = frozenset({Decision.PENDING, Decision.DECLINED, Decision.REMOVED})
_AHEAD: Final = 86_400.0
"""Seconds that a word may be dated ahead of now. Beyond, nothing that its service says in all the
time until then would be news."""
_BOARD: Final = Origin(service="", kind="board", role=Role.REQUESTS, via=Via.ACTION)


def _new_id() -> str:
    """Return a fresh id for a title or an arrival."""
    return uuid4().hex


def _dated(report: AnyReport, now: float) -> AnyReport:
    """Return a report that is not of the future: a service's clock may be years ahead."""
    if max(report.at, report.happened_at) <= now + _AHEAD:
        return report
    return replace(report, at=min(report.at, now), happened_at=min(report.happened_at, now))


class _RefusalError(Exception):
    """A report that changes nothing, for a reason."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class _Pass:
    """One application of reports: what was before, and what must be looked at again."""

    origin: Origin
    now: float
    happened_at: float
    silent: bool
    """Rule 8: a baseline or a rebuild is entered, and nothing of it is told."""
    entering: bool = False
    """What a service holds is being entered before the report that waited for it."""
    before: dict[str, Arrival | None] = field(default_factory=dict)
    merged: dict[str, frozenset[Stage]] = field(default_factory=dict)
    """Arrival -> stages that were told before it was merged."""
    baseline: dict[str, Seen] = field(default_factory=dict)
    """Arrival -> what was there before the report that opens it."""
    touched: dict[str, None] = field(default_factory=dict)
    titles: dict[str, None] = field(default_factory=dict)
    arrivals: dict[str, None] = field(default_factory=dict)
    requests: dict[RequestKey, None] = field(default_factory=dict)
    overviews: dict[str, str] = field(default_factory=dict)
    dropped_titles: list[str] = field(default_factory=list)
    dropped_arrivals: list[str] = field(default_factory=list)
    dropped_requests: list[RequestKey] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    took: bool = False
    """Some word was news."""
    watches: dict[str, tuple[Watch, tuple[str, ...]]] = field(default_factory=dict)
    """Arrival -> who watched it, or no longer, and which of its parts."""


class Board(Register):
    """All titles, arrivals and requests that somebody may still be waiting for."""

    def __init__(self, new_id: Callable[[], str] = _new_id) -> None:
        """Start empty; ``new_id`` gives ids to titles and arrivals."""
        super().__init__()
        self._new_id = new_id

    # --- services -----------------------------------------------------------------------

    def configuring(self, service: Service, *, now: float) -> Iterator[Applied]:
        """Add a service, or change what is known of it, a piece at a time; tells nothing.

        What is available stays so, although another service may have the say from now on.
        The service is known once every piece is taken; nothing else may come in between.
        """
        services = {**self._services, service.id: service}
        house = Household.of(services)
        if self._services and not house.hears_as(self._house):
            for arrival_id in tuple(self._arrivals):
                work = self._silent_pass(now)
                self._put_arrival(settled(self._arrivals[arrival_id], now), work)
                yield self._finish_untold(work)
        self._services, self._house = services, house

    def removing(self, service_id: str, *, now: float) -> Iterator[Applied]:
        """Withdraw a service's claims and requests, a title at a time; tells nothing.

        No arrival goes, and what is available stays so. Done again it goes on where it ended;
        nothing else may come in between.
        """
        self._services = {key: one for key, one in self._services.items() if key != service_id}
        self._house = Household.of(self._services)
        self._people.clear()
        requests: dict[str, list[RequestKey]] = {title_id: [] for title_id in self._of_title}
        for request in self._requests.values():
            if request.service == service_id:
                requests[self.title(request.title_id).id].append(request.key)
        for title_id, keys in requests.items():
            yield self._without_service(title_id, keys, service_id, now)
        self._running.pop(service_id, None)

    def _without_service(
        self, title_id: str, requests: Iterable[RequestKey], service_id: str, now: float
    ) -> Applied:
        """Withdraw what a service says of a title and its arrivals, and its requests for them."""
        work = self._silent_pass(now)
        for arrival in self.arrivals_of(title_id):
            kept = settled(arrival, now)
            if speaks(kept, service_id):
                kept = without_service(kept, service_id)
            self._put_arrival(kept, work)
        for key in requests:
            self._drop_request(key, work)
        title = self.title(title_id)
        holdings = tuple(one for one in title.holdings if one.service != service_id)
        if service_id in title.own_ids or len(holdings) < len(title.holdings):
            own_ids = {key: one for key, one in title.own_ids.items() if key != service_id}
            self._titles.remove(title_id)
            self._put_title(replace(title, holdings=holdings, own_ids=own_ids), work)
            work.touched.update(dict.fromkeys(self._of_title[title_id]))
        return self._finish_untold(work)

    def _finish_untold(self, work: _Pass) -> Applied:
        """Finish a pass without news: whatever it touched is stored, moved or not."""
        work.arrivals.update(work.touched)
        return self._finish(work)

    # --- reports ------------------------------------------------------------------------

    def apply(self, report: AnyReport, *, now: float, silent: bool = False) -> Applied:
        """Take a report; answer with what it changed, and what it leaves open.

        ``silent`` is for baselines and rebuilds (rule 8): everything is entered, nothing told.
        """
        report = _dated(report, now)
        work = _Pass(
            origin=report.origin,
            now=now,
            happened_at=report.happened_at,
            silent=silent,
        )
        return self._run(report, work)

    def open(self, opening: AnyReport, answers: Sequence[AnyReport], *, now: float) -> Applied:
        """Open what a report opens, after entering silently what the service holds.

        Rule 7: an upgrade of a film from 2019 is not announced as new, and a library is
        no arrival: what was there already opens nothing.
        """
        opening, answers = _dated(opening, now), [_dated(answer, now) for answer in answers]
        work = _Pass(
            origin=opening.origin,
            now=now,
            happened_at=opening.happened_at,
            silent=False,
            entering=True,
        )
        seasons = seasons_to_open(opening, answers)
        reason = Reason.UPGRADE if is_held(answers) else Reason.NOT_HELD
        try:
            title = self._title(opening, work, create=bool(seasons))
            if title is None:
                return self._finish(work, Reason.NO_IDS if seasons else reason)
            for season in seasons:
                self._opened(title, season, opening.tier, work)
        except _RefusalError as refusal:
            return self._finish(work, refusal.reason)
        for answer in holdings(answers):
            if not is_news(answer, opening):
                self._enter(answer, work)
        if not seasons:
            # What the service holds counts for the title's other arrivals all the same.
            return self._finish(work, None if work.took else reason)
        for arrival_id in list(work.touched):
            before = without_news(self._arrivals[arrival_id], opening)
            seen, stage, _ = self._look(before, now)
            if stage is Stage.AVAILABLE:
                work.baseline[arrival_id] = seen
        return self._run(opening, work)

    def dismiss(self, arrival_id: str, *, now: float, origin: Origin) -> Applied:
        """Silence an arrival until it reaches another stage."""
        arrival = self.get(arrival_id)
        if arrival is None:
            return Applied(outcome=Outcome.IGNORED, reason=Reason.NOT_TRACKED)
        work = _Pass(origin=origin, now=now, happened_at=now, silent=False)
        if not arrival.dismissed:
            work.took = True
            self._put_arrival(replace(arrival, dismissed=True), work)
        return self._finish(work)

    def follow(
        self, arrival_id: str, person: str, *, follows: bool, now: float, origin: Origin
    ) -> Applied:
        """Note that a person wants to be told of an arrival, or no longer."""
        arrival = self.get(arrival_id)
        if arrival is None:
            return Applied(outcome=Outcome.IGNORED, reason=Reason.NOT_TRACKED)
        work = _Pass(origin=origin, now=now, happened_at=now, silent=False)
        followers = tuple(one for one in arrival.followers if one != person)
        if follows:
            followers = (*followers, person)
        if set(followers) != set(arrival.followers):
            work.took = True
            self._put_arrival(replace(arrival, followers=followers), work)
        return self._finish(work)

    def forgetting_follower(self, person: str, *, now: float, origin: Origin) -> Iterator[Applied]:
        """Forget what a person follows, an arrival at a time."""
        for arrival in tuple(self._arrivals.values()):
            if person in arrival.followers:
                yield self.follow(arrival.id, person, follows=False, now=now, origin=origin)

    def holding(self, holds: Mapping[str, Hold | None], *, now: float) -> Iterator[Applied]:
        """Enter what keeps arrivals, one after the other; no stage depends on it."""
        for arrival_id, hold in holds.items():
            arrival = self._arrivals.get(arrival_id)
            if arrival is None or arrival.hold == hold:
                continue
            work = self._silent_pass(now)
            new = replace(arrival, hold=hold)
            self._store_arrival(new)
            title = self.title(new.title_id)
            change = self._change(
                ChangeKind.DETAIL, title, new, new.stage, work, silent=new.dismissed
            )
            yield Applied(outcome=Outcome.PROCESSED, changes=(change,), arrivals=(new,))

    def questions_about(self, arrival: Arrival) -> tuple[Question, ...]:
        """Return everything that services can be asked about an arrival."""
        title = self.title(arrival.title_id)
        return (
            *(
                Question(
                    service=request.service,
                    kind=QuestionKind.REQUEST,
                    title=self._reference(title, request.service),
                    request_id=request.request_id,
                )
                for request in self.requests_of(arrival)
            ),
            *self._questions_to(Role.REQUESTS, QuestionKind.AVAILABILITY, title, arrival),
            *self._questions_to(Role.DOWNLOADS, QuestionKind.TITLE, title, arrival),
            *self._questions_to(Role.PLAYBACK, QuestionKind.AVAILABILITY, title, arrival),
        )

    def _enter(self, answer: AnyReport, work: _Pass) -> None:
        """Enter an answer; one that says nothing new is no reason to stop."""
        with suppress(_RefusalError):
            self._take(answer, work)

    def _run(self, report: AnyReport, work: _Pass) -> Applied:
        """Take a report and finish the pass."""
        try:
            self._take(report, work)
        except _RefusalError as refusal:
            return self._finish(work, refusal.reason)
        return self._finish(work, None if work.took else Reason.STALE)

    def _take(self, report: AnyReport, work: _Pass) -> None:
        """Enter a report's claims. Raises `_RefusalError`."""
        match report:
            case HeldReport():
                self._take_held(report, work)
            case EpisodesReport():
                self._take_episodes(report, work)
            case DownloadReport():
                self._take_download(report, work)
            case FileReport():
                self._take_file(report, work)
            case PlayableReport():
                self._take_playable(report, work)
            case WatchReport():
                self._take_watch(report, work)
            case _:
                self._take_request(report, work)

    def _take_held(self, report: HeldReport, work: _Pass) -> None:
        """Enter that a title is in a service, or no longer is."""
        title = self._title(report, work)
        downloads = report.origin.role is Role.DOWNLOADS
        if report.held and report.opens and downloads:
            title = self._open_held(report, title, work)
        if title is None:
            raise _RefusalError(Reason.NOT_TRACKED)
        holding = holding_of(title, report.origin.service, report.tier, downloads)
        if not report.held and not report.confirmed:
            if not holding.flag.yes:
                raise _RefusalError(Reason.STALE)
            self._confirm(QuestionKind.TITLE, report, title, work)
        self._hold(title, holding, report, work)
        if not report.held and downloads:
            self._withdraw_files(title, report, work)
        if report.premiere is not None:
            self._take_premiere(title, report, report.premiere, work)

    def _open_held(self, report: HeldReport, title: Title | None, work: _Pass) -> Title | None:
        """Open the arrivals of an addition (rule 7)."""
        series = report.title.media_type is MediaType.SERIES
        seasons: tuple[int | None, ...] = (None,)
        if series:
            seasons = report.seasons or ()
        if title is not None:
            seasons = tuple(
                season
                for season in seasons
                if self._arrival(title, season, report.tier, work) is None
            )
            if not seasons and (not series or report.seasons is not None):
                return title
        if work.entering:
            return title
        if not work.silent:
            self._ask_before_opening(report, work)
        if seasons:
            title = self._title(report, work, create=True)
        if title is not None:
            for season in seasons:
                self._opened(title, season, report.tier, work)
        return title

    def _hold(self, title: Title, holding: Holding, report: Report, work: _Pass) -> None:
        """Enter a service's word on holding a title."""
        held = report.held if isinstance(report, HeldReport) else True
        if holding.flag.yes and not isinstance(report, HeldReport):
            # A download or a file implies what was said already.
            return
        flag = holding.flag.with_word(yes=held, at=report.at, happened_at=report.happened_at)
        seasons, seasons_at = holding.seasons, holding.seasons_at
        newest = report.at >= seasons_at
        if newest and isinstance(report, HeldReport) and report.seasons is not None:
            seasons, seasons_at = report.seasons, report.at
        if flag is holding.flag and seasons == holding.seasons:
            return
        told = flag.yes != holding.flag.yes or flag.no != holding.flag.no
        work.took = work.took or told or seasons != holding.seasons
        new = replace(holding, flag=flag, seasons=seasons, seasons_at=seasons_at)
        others = tuple(
            one for one in title.holdings if (one.service, one.tier) != (new.service, new.tier)
        )
        self._put_title(replace(title, holdings=(*others, new)), work)
        if told or seasons != holding.seasons:
            work.touched.update(dict.fromkeys(self._of_title[title.id]))

    def _take_premiere(
        self, title: Title, report: HeldReport, premiere: Premiere, work: _Pass
    ) -> None:
        """Enter when a film comes out."""
        for arrival in self.arrivals_of(title.id):
            if not same_tier(arrival.tier, report.tier):
                continue
            claims = arrival.whole.claims_of(report.origin.service)
            old = claims.premiere
            if old is not None and (old.at >= premiere.at or old.same_as(premiere)):
                continue
            work.took = True
            whole = with_claims(arrival.whole, replace(claims, premiere=premiere))
            self._put_arrival(replace(arrival, whole=whole), work)

    def _withdraw_files(self, title: Title, report: HeldReport, work: _Pass) -> None:
        """Take back a service's words on files and downloads of a title that left it."""
        service = report.origin.service

        def emptied(part: Part) -> Part:
            claims = before = part.claims_of(service)
            if not claims.file.silent:
                claims = replace(claims, file=worded(claims.file, report, yes=False))
            claim = claims.download
            if claim is not None and claim.state in RUNNING and claim.at < report.at:
                gone = DownloadClaim(report.at, report.happened_at, DownloadState.GONE)
                claims = replace(claims, download=gone)
            return part if claims is before else with_claims(part, claims)

        for arrival in self.arrivals_of(title.id):
            if same_tier(arrival.tier, report.tier):
                parts = {key: emptied(part) for key, part in arrival.parts.items()}
                new = replace(arrival, whole=emptied(arrival.whole), parts=parts)
                self._put_arrival(new, work)

    def _take_episodes(self, report: EpisodesReport, work: _Pass) -> None:
        """Enter the whole episode list of a season (rules 3 and 10)."""
        title = self._title(report, work)
        if title is None:
            raise _RefusalError(Reason.NOT_TRACKED)
        arrival = self._arrival(title, report.season, report.tier, work)
        if arrival is None:
            raise _RefusalError(Reason.NOT_TRACKED)
        if not report.parts:
            if arrival.misfit or arrival.listed_at is not None:
                raise _RefusalError(Reason.STALE)
            work.took = True
            self._put_arrival(replace(arrival, misfit=True), work)
            return
        newest = arrival.listed_at is None or report.at >= arrival.listed_at
        sheet = Sheet(arrival, report.origin.service)
        listed: set[str] = set()
        for state in report.parts:
            key = sheet.find(state.ref)
            if key is None and not newest:
                continue
            old = sheet.parts[key] if key is not None else BLANK
            part = listed_part(old, state, report, newest=newest)
            sheet.put(key or part.key, part)
            listed.add(part.key)
        parts = dict(sheet.parts)
        if newest:
            for key in [key for key in parts if key not in listed]:
                if newest_word(parts[key]) <= report.at:
                    del parts[key]
        changed = parts != arrival.parts or arrival.listed_at is None
        work.took = work.took or changed
        if newest or changed:
            listed_at = report.at if newest else arrival.listed_at
            self._put_arrival(
                replace(arrival, parts=parts, listed_at=listed_at, misfit=False), work
            )

    def _take_download(self, report: DownloadReport, work: _Pass) -> None:
        """Enter what happens to a download (rule 11: one story, however many parts)."""
        targets = self._targets(report, report.parts, report.seasons, work)
        if not targets:
            targets = self._targets_of_download(report)
        if not targets:
            raise _RefusalError(Reason.NOT_TRACKED)
        service = report.origin.service
        claim = DownloadClaim(
            report.at,
            report.happened_at,
            report.state,
            report.download_id,
            report.progress,
            report.eta,
            report.problem,
            report.word,
        )
        for arrival_id, refs in targets.items():
            arrival = self._arrivals[arrival_id]
            if report.origin.role is Role.DOWNLOADS:
                title = self.title(arrival.title_id)
                holding = holding_of(title, service, report.tier, downloads=True)
                self._hold(title, holding, report, work)
            sheet = Sheet(arrival, service)
            for ref in refs:
                key, part = sheet.part_of(ref)
                claims = part.claims_of(service)
                old = claims.download
                if old is not None and not newer_download(claim, old):
                    continue
                work.took = work.took or shows_else(claim, old)
                sheet.put(key, with_claims(part, replace(claims, download=moved(claim, old))))
            self._put_arrival(sheet.arrival, work)

    def _take_file(self, report: FileReport, work: _Pass) -> None:
        """Enter that a file was imported, is there, or is gone."""
        targets = self._targets(report, report.parts, (), work)
        if not targets:
            raise _RefusalError(Reason.NOT_TRACKED)
        service = report.origin.service
        for arrival_id, refs in targets.items():
            arrival = self._arrivals[arrival_id]
            title = self.title(arrival.title_id)
            sheet = Sheet(arrival, service)
            if not report.present and not report.confirmed:
                had = (sheet.part_of(ref)[1] for ref in refs)
                if any(part.claims_of(service).file.yes for part in had):
                    self._confirm(QuestionKind.TITLE, report, title, work)
                raise _RefusalError(Reason.STALE)
            if report.present:
                holding = holding_of(title, service, report.tier, downloads=True)
                self._hold(title, holding, report, work)
            for ref in refs:
                key, part = sheet.part_of(ref)
                claims = part.claims_of(service)
                old, new = claims.file, worded(claims.file, report, yes=report.present)
                if new is old:
                    continue
                work.took = work.took or old.silent or old.yes != new.yes
                sheet.put(key, with_claims(part, replace(claims, file=new)))
            self._put_arrival(sheet.arrival, work)

    def _take_playable(self, report: PlayableReport, work: _Pass) -> None:
        """Enter that something can be played, or is listed as absent."""
        if report.complete:
            self._take_listing(report, work)
            return
        targets = self._targets(report, report.parts, report.seasons, work)
        if not targets:
            raise _RefusalError(Reason.NOT_TRACKED)
        service = report.origin.service
        for arrival_id, refs in targets.items():
            arrival = self._arrivals[arrival_id]
            sheet = Sheet(arrival, service)
            for ref in refs:
                key, part = sheet.part_of(ref)
                claims = part.claims_of(service)
                old, new = claims.playable, worded(claims.playable, report, yes=report.playable)
                if new is old:
                    continue
                work.took = work.took or old.silent or old.yes != new.yes
                sheet.put(key, with_claims(part, replace(claims, playable=new)))
            self._put_arrival(sheet.arrival, work)

    def _take_listing(self, report: PlayableReport, work: _Pass) -> None:
        """Enter all that a media server has of a title in one tier (rules 6 and 9)."""
        found = False
        title = self._title(report, work)
        for arrival in () if title is None else self._listed(title, report):
            found = True
            sheet, told = self._with_listing(arrival, report)
            work.took = work.took or told
            self._put_arrival(sheet.arrival, work)
        if not found:
            raise _RefusalError(Reason.NOT_TRACKED)

    def losses(self, report: PlayableReport) -> int:
        """Return how many parts that its service could play so far a report calls absent."""
        service, losses = report.origin.service, 0
        match = self._titles.match(report.title, service)
        if not report.complete or not match.titles:
            return 0
        for arrival in self._listed(match.titles[0], report):
            after = self._with_listing(arrival, report)[0].arrival
            losses += sum(
                part.claims_of(service).playable.yes
                and not after.parts[key].claims_of(service).playable.yes
                for key, part in arrival.parts.items()
            )
            losses += (
                arrival.whole.claims_of(service).playable.yes
                and not after.whole.claims_of(service).playable.yes
            )
        return losses

    def _listed(self, title: Title, report: PlayableReport) -> Iterator[Arrival]:
        """Yield the arrivals that a media server's whole answer is about.

        It never says which tier an arrival is of: it has what it has.
        """
        seasons: set[int | None] = {*report.seasons, *(part.season for part in report.parts)}
        if report.title.media_type is MediaType.MOVIE:
            seasons = {None}
        for arrival in self.arrivals_of(title.id):
            # Without a season it is an answer about all of them.
            if seasons and arrival.season not in seasons:
                continue
            if Tier.UNKNOWN in {arrival.tier, report.tier}:
                # A copy of any tier will do where there is only one journey; none is missed.
                if report.playable and len(self._standing(title, arrival.season)) == 1:
                    yield arrival
            elif arrival.tier is report.tier:
                yield arrival

    @staticmethod
    def _with_listing(arrival: Arrival, report: PlayableReport) -> tuple[Sheet, bool]:
        """Return an arrival's sheet with a media server's whole answer; tell if it says news."""
        service = report.origin.service
        sheet = Sheet(arrival, service)
        took = False

        def enter(key: str | None, part: Part, *, yes: bool) -> None:
            nonlocal took
            claims = part.claims_of(service)
            old, new = claims.playable, worded(claims.playable, report, yes=yes)
            if new is not old:
                took = took or old.silent or old.yes != new.yes
                sheet.put(key, with_claims(part, replace(claims, playable=new)))

        if arrival.season is None:
            enter(None, arrival.whole, yes=report.playable)
            return sheet, took
        refs = [part for part in report.parts if part.season == arrival.season]
        present: set[str] = set()
        for ref in refs:
            known = sheet.find(ref)
            if known is None and arrival.listed_at is not None:
                # The media server counts otherwise; Sonarr's numbering is the board's.
                continue
            key, part = sheet.part_of(ref)
            enter(key, part, yes=True)
            present.add(known or part.key)
        if Tier.UNKNOWN in {arrival.tier, report.tier}:
            return sheet, took
        for name, part in tuple(sheet.parts.items()):
            if name not in present:
                enter(name, part, yes=False)
        if not refs:
            enter(None, arrival.whole, yes=False)
        return sheet, took

    def _take_watch(self, report: WatchReport, work: _Pass) -> None:
        """Enter who watched what, or that it is not watched any more."""
        title = self._title(report, work)
        if title is None:
            raise _RefusalError(Reason.NOT_TRACKED)
        film = report.title.media_type is MediaType.MOVIE
        viewer = intern(report.viewer)
        watch = Watch(viewer, report.watched, report.happened_at, report.origin.service)
        found = False
        for arrival in self.arrivals_of(title.id):
            refs: list[PartRef | None] = [None] if film else []
            refs += [part for part in report.parts if part.season == arrival.season]
            sheet = Sheet(arrival, report.origin.service)
            turned: list[str] = []
            for ref in refs:
                if ref is not None and sheet.find(ref) is None:
                    continue
                found = True
                key, part = sheet.part_of(ref)
                new = with_watch(part, watch)
                differs = watched_by(part, watch.viewer) is not watched_by(new, watch.viewer)
                if differs and not is_known(part, watch):
                    turned.append(part.key)
                if new is not part:
                    sheet.put(key, new)
                    work.took = work.took or differs
            if turned:
                work.watches[arrival.id] = (watch, tuple(turned))
            self._put_arrival(sheet.arrival, work)
        if not found:
            raise _RefusalError(Reason.NOT_TRACKED)

    def screening_viewers(
        self, viewer: Callable[[str], str | None], *, now: float, origin: Origin
    ) -> Iterator[Applied]:
        """Call those otherwise who watched, or forget them, an arrival at a time; tells nothing."""
        for arrival_id in tuple(self._arrivals):
            work = _Pass(origin=origin, now=now, happened_at=now, silent=True)
            arrival = self._arrivals[arrival_id]
            cleaned = screened(arrival, viewer)
            work.took = cleaned is not arrival
            self._put_arrival(cleaned, work)
            yield self._finish(work)

    def forgetting_requesters(
        self, theirs: Callable[[str, Person], bool], *, now: float, origin: Origin
    ) -> Iterator[Applied]:
        """Forget who made requests, some people of some services, one at a time; tells nothing."""
        self._people.clear()
        shown: set[str] = set()
        for request in tuple(self._requests.values()):
            work = _Pass(origin=origin, now=now, happened_at=now, silent=True)
            who = request.requester
            if who is not None and theirs(request.service, who):
                self._put_request(replace(request, requester=None), work)
                covered = (self.get(arrival_id) for arrival_id in request.arrivals)
                for one in covered:
                    if one is None or one.id in shown:
                        continue
                    shown.add(one.id)
                    title = self.title(one.title_id)
                    work.changes.append(
                        self._change(ChangeKind.DETAIL, title, one, one.stage, work, silent=True)
                    )
            yield self._finish(work)

    def _take_request(self, report: RequestReport, work: _Pass) -> None:
        """Enter what a request service says about a request (rule 4)."""
        key = (report.origin.service, report.request_id)
        old = self._requests.get(key)
        gone = report.decision is Decision.REMOVED
        title = self._title(report, work)
        if title is None and old is not None and (gone or not report.title.ids):
            title = self.title(old.title_id)
        if title is None:
            if gone:
                raise _RefusalError(Reason.NOT_TRACKED)
            title = self._title(report, work, create=True)
        if title is None:
            raise _RefusalError(Reason.NO_IDS)
        if old is not None and self.title(old.title_id).id != title.id:
            # The id was given anew after a reinstall: this is another request.
            self._drop_request(key, work)
            old = None
        claim = DecisionClaim(report.at, report.happened_at, report.decision, report.initial)
        if old is None:
            request = Request(
                key=key,
                title_id=title.id,
                tier=report.tier,
                seasons=report.seasons,
                decision=claim,
                requester=self._people.setdefault(report.requester, report.requester),
                created_at=report.created_at,
            )
            work.took = True
        else:
            request = self._changed_request(old, claim, report, title, work)
        self._put_request(request, work)
        self._cover(request, title, work)

    def _changed_request(
        self,
        old: Request,
        claim: DecisionClaim,
        report: RequestReport,
        title: Title,
        work: _Pass,
    ) -> Request:
        """Return a known request with what a report adds to it."""
        standing = old.decision
        if not newer_decision(claim, standing):
            claim = standing
        elif (
            not report.confirmed and standing.decision in _APPROVED and claim.decision in _REVERSALS
        ):
            self._confirm(QuestionKind.REQUEST, report, title, work)
        tier = old.tier
        if report.tier is not Tier.UNKNOWN and (tier is Tier.UNKNOWN or report.confirmed):
            tier = report.tier
        seasons = old.seasons
        if report.seasons is not None and (
            seasons is None or (report.confirmed and claim is not standing)
        ):
            seasons = report.seasons
        request = replace(
            old,
            title_id=title.id,
            tier=tier,
            seasons=seasons,
            decision=claim,
            requester=old.requester
            if report.requester in {None, old.requester}
            else report.requester,
            created_at=old.created_at if report.created_at is None else report.created_at,
        )
        work.took = work.took or (
            claim.decision is not standing.decision
            or request.tier is not old.tier
            or request.seasons != old.seasons
            or request.requester != old.requester
        )
        return request

    def _cover(self, request: Request, title: Title, work: _Pass) -> None:
        """Tie a request to the arrivals it covers; none while tier or seasons are open."""
        seasons: tuple[int | None, ...] = (None,)
        if title.media_type is MediaType.SERIES:
            seasons = request.seasons or ()
        if request.tier is Tier.UNKNOWN or not seasons:
            if request.decision.decision is not Decision.REMOVED:
                work.questions.append(
                    Question(
                        service=request.service,
                        kind=QuestionKind.REQUEST,
                        request_id=request.request_id,
                        title=self._reference(title, request.service),
                    )
                )
            return
        covered: list[str] = []
        for season in seasons:
            self._correct_tier(request, title, season, work)
            arrival = self._opened(title, season, request.tier, work)
            covered.append(arrival.id)
            if request.key not in arrival.requests:
                arrival = replace(arrival, requests=(*arrival.requests, request.key))
                self._put_arrival(arrival, work)
            work.touched[arrival.id] = None
        for arrival_id in request.arrivals:
            if arrival_id not in covered:
                self._detach(arrival_id, request.key, work)
        # All that there is of a title is mostly what is asked for: that is kept once.
        siblings = self._of_title[title.id]
        arrivals = siblings if list(siblings) == covered else tuple(covered)
        self._put_request(replace(request, arrivals=arrivals), work)

    def _correct_tier(
        self, request: Request, title: Title, season: int | None, work: _Pass
    ) -> None:
        """Take back a journey in another tier that only this request's event spoke of (rule 6)."""
        for arrival_id in request.arrivals:
            arrival = self.get(arrival_id)
            if (
                arrival is None
                or arrival.season != season
                or arrival.tier is request.tier
                or arrival.requests != (request.key,)
                or is_served(arrival)
                or any(one.flag.yes and one.tier is arrival.tier for one in title.holdings)
            ):
                continue
            if request.tier not in self._standing(title, season):
                # The same journey: it is told no second time.
                corrected = replace(
                    arrival,
                    tier=request.tier,
                    whole=BLANK,
                    parts=NO_PARTS,
                    listed_at=None,
                    misfit=False,
                )
                self._put_arrival(corrected, work)
                self._ask_all(Role.DOWNLOADS, QuestionKind.TITLE, title, corrected, work)
                continue
            self._unstore_arrival(arrival)
            work.arrivals.pop(arrival.id, None)
            work.touched.pop(arrival.id, None)
            work.dropped_arrivals.append(arrival.id)

    def _detach(self, arrival_id: str, key: RequestKey, work: _Pass) -> None:
        """Untie an arrival from a request that does not cover it any more."""
        arrival = self.get(arrival_id)
        if arrival is not None and key in arrival.requests:
            kept = tuple(one for one in arrival.requests if one != key)
            self._put_arrival(replace(arrival, requests=kept), work)

    def _drop_request(self, key: RequestKey, work: _Pass) -> None:
        """Forget a request."""
        request = self._requests[key]
        self._unstore_request(request)
        work.requests.pop(key, None)
        work.dropped_requests.append(key)
        for arrival_id in request.arrivals:
            self._detach(arrival_id, key, work)

    # --- finding what a report means --------------------------------------------------------

    def _title(self, report: Report, work: _Pass, *, create: bool = False) -> Title | None:
        """Return the title that a report means, with what the report adds to it."""
        ref, service = report.title, report.origin.service
        match = self._titles.match(ref, service)
        if match.conflict:
            raise _RefusalError(Reason.CONFLICT)
        if not match.titles:
            if not create or not ref.ids:
                return None
            title = Title(
                id=self._new_id(),
                media_type=ref.media_type,
                ids=ExternalIds(),
                own_ids=NO_IDS,
            )
            return self._referred(title, ref, service, work)
        title = match.titles[0]
        for other in match.titles[1:]:
            title = self._merge(title, other, work)
        more = self._referred(title, ref, service, work)
        if (more.name, more.year, more.poster) != (title.name, title.year, title.poster):
            work.touched.update(dict.fromkeys(self._of_title[title.id]))
        return more

    def _referred(self, title: Title, ref: TitleRef, service: str, work: _Pass) -> Title:
        """Return a title with what a reference adds to it, and keep that."""
        more = with_reference(title, ref, service)
        if more is not title:
            self._put_title(more, work)
        if ref.overview and not title.described:
            work.overviews[title.id] = ref.overview
        return more

    def _arrival(self, title: Title, season: int | None, tier: Tier, work: _Pass) -> Arrival | None:
        """Return the arrival of a film or season in a tier, if it is open (rule 6)."""
        known = self._standing(title, season)
        if tier in known:
            return known[tier]
        if tier is Tier.UNKNOWN:
            return next(iter(known.values())) if len(known) == 1 else None
        untold = known.get(Tier.UNKNOWN)
        if untold is None:
            return None
        return self._put_arrival(replace(untold, tier=tier), work)

    def _standing(self, title: Title, season: int | None) -> dict[Tier, Arrival]:
        """Return the arrivals of a film or season, by tier."""
        return {
            arrival.tier: arrival
            for key in self._of_title.get(title.id, ())
            if (arrival := self._arrivals[key]).season == season
        }

    def _opened(self, title: Title, season: int | None, tier: Tier, work: _Pass) -> Arrival:
        """Return the arrival of a film or season in a tier; open it if it is not there."""
        arrival = self._arrival(title, season, tier, work)
        if arrival is not None:
            return arrival
        if tier is Tier.UNKNOWN and self._standing(title, season):
            raise _RefusalError(Reason.UNKNOWN_TIER)
        return self._put_arrival(
            Arrival(
                id=self._new_id(),
                title_id=title.id,
                season=season,
                tier=tier,
                opened_at=work.now,
                stage=Stage.REQUESTED,
                stage_at=work.happened_at,
                known_at=work.now,
                whole=BLANK,
                parts=NO_PARTS,
            ),
            work,
        )

    def _targets(
        self,
        report: DownloadReport | FileReport | PlayableReport,
        refs: tuple[PartRef, ...],
        seasons: tuple[int, ...],
        work: _Pass,
    ) -> dict[str, list[PartRef | None]]:
        """Return the arrivals that a report means, each with its parts (None: the whole)."""
        wanted: dict[int | None, list[PartRef | None]] = {}
        if report.title.media_type is MediaType.MOVIE:
            wanted[None] = [None]
        else:
            for ref in refs:
                wanted.setdefault(ref.season, []).append(ref)
            for number in seasons:
                wanted.setdefault(number, []).append(None)
        opens = not isinstance(report, PlayableReport) and report.opens
        title = self._title(report, work, create=opens and work.silent)
        targets: dict[str, list[PartRef | None]] = {}
        for season, parts in wanted.items():
            arrival = None
            if title is not None:
                find = self._opened if opens and work.silent else self._arrival
                arrival = find(title, season, report.tier, work)
            if arrival is not None:
                targets[arrival.id] = parts
            elif opens and not work.silent and not work.entering:
                self._ask_before_opening(report, work)
        return targets

    def _targets_of_download(self, report: DownloadReport) -> dict[str, list[PartRef | None]]:
        """Return the parts that a download was said to be for before."""
        if report.download_id is None:
            return {}
        service, folded = report.origin.service, report.download_id.casefold()
        targets: dict[str, list[PartRef | None]] = {}
        for arrival_id in self._running.get(service, {}).get(folded, ()):
            arrival = self._arrivals[arrival_id]
            refs: list[PartRef | None] = []
            if downloads_as(arrival.whole, service, folded):
                refs.append(None)
            refs.extend(
                PartRef(
                    season=arrival.season or 0,
                    number=part.number,
                    air_date=part.air_date,
                )
                for part in arrival.parts.values()
                if downloads_as(part, service, folded)
            )
            targets[arrival_id] = refs
        return targets

    def _ask_before_opening(self, report: AnyReport, work: _Pass) -> None:
        """Ask what the service holds before a report opens an arrival (rule 7)."""
        if not report.title.ids and report.title.own_id is None:
            raise _RefusalError(Reason.NO_IDS)
        work.questions.append(
            Question(
                service=report.origin.service,
                kind=QuestionKind.TITLE,
                title=report.title,
                seasons=seasons_of(report),
                opening=report,
            )
        )
        raise _RefusalError(Reason.ASKED)

    def _confirm(self, kind: QuestionKind, report: AnyReport, title: Title, work: _Pass) -> None:
        """Have a loss that would move something back read from the service first."""
        work.questions.append(
            Question(
                service=report.origin.service,
                kind=kind,
                title=self._reference(title, report.origin.service),
                seasons=seasons_of(report),
                request_id=report.request_id if isinstance(report, RequestReport) else None,
            )
        )
        raise _RefusalError(Reason.ASKED)

    def _merge(self, one: Title, other: Title, work: _Pass) -> Title:
        """Make two titles one; the older arrival's id survives (rule 5)."""

        def age(title: Title) -> tuple[float, str]:
            opened = [a.opened_at for a in self.arrivals_of(title.id)]
            return min(opened, default=inf), title.id

        elder, younger = sorted((one, other), key=age)
        moving = self.arrivals_of(younger.id)
        for arrival in moving:
            self._unstore_arrival(arrival)
        self._of_title.pop(younger.id, None)
        self._titles.remove(younger.id)
        merged = merged_titles(elder, younger)
        work.titles.pop(younger.id, None)
        work.dropped_titles.append(younger.id)
        self._put_title(merged, work)
        for arrival in moving:
            moved = replace(arrival, title_id=merged.id)
            for request in self.requests_of(arrival):
                self._put_request(replace(request, title_id=merged.id), work)
            twin = self._standing(merged, arrival.season).get(arrival.tier)
            if twin is None:
                work.before.setdefault(arrival.id, arrival)
                self._put_arrival(moved, work)
                continue
            told = frozenset({twin.stage, arrival.stage})
            first, second = sorted((twin, moved), key=lambda a: (a.opened_at, a.id))
            work.before.setdefault(first.id, first)
            self._unstore_arrival(twin)
            work.arrivals.pop(second.id, None)
            work.touched.pop(second.id, None)
            work.dropped_arrivals.append(second.id)
            joined = self._put_arrival(merged_arrivals(first, second), work)
            work.merged[joined.id] = told
            for request in self.requests_of(joined):
                ids = (
                    joined.id if one in {first.id, second.id} else one for one in request.arrivals
                )
                tied = replace(request, arrivals=tuple(dict.fromkeys(ids)))
                self._put_request(tied, work)
        work.took = True
        return merged

    # --- finishing a pass -----------------------------------------------------------------

    def _silent_pass(self, now: float) -> _Pass:
        """Return a pass of our own that tells nothing."""
        return _Pass(origin=_BOARD, now=now, happened_at=now, silent=True)

    def _finish(self, work: _Pass, reason: Reason | None = None) -> Applied:
        """Look again at all that was touched, and say what came of it."""
        requests = dict(work.requests)
        for arrival_id in list(work.touched):
            requests.update(dict.fromkeys(self._arrivals[arrival_id].requests))
            self._relook(arrival_id, work)
        for key in requests:
            self._relook_request(key, work)
        outcome = Outcome.PROCESSED
        if reason is not None and not work.changes:
            outcome = Outcome.IGNORED
        return Applied(
            outcome=outcome,
            reason=reason if outcome is Outcome.IGNORED else None,
            changes=tuple(work.changes),
            questions=tuple(distinct(work.questions)),
            titles=tuple(self.title(key) for key in work.titles),
            arrivals=tuple(self._arrivals[key] for key in work.arrivals),
            requests=tuple(self._requests[key] for key in work.requests),
            overviews=work.overviews,
            dropped_titles=tuple(work.dropped_titles),
            dropped_arrivals=tuple(work.dropped_arrivals),
            dropped_requests=tuple(work.dropped_requests),
        )

    def _look(self, arrival: Arrival, now: float) -> tuple[Seen, Stage | None, Ground]:
        """Work out an arrival's stage from its standing claims."""
        base = ground(arrival, self.title(arrival.title_id), self._house)
        seen = look(arrival, base, self._house, now)
        return seen, arrival_stage(seen, base, self.requests_of(arrival)), base

    def _relook(self, arrival_id: str, work: _Pass) -> None:
        """Bring an arrival's stage up to its claims, and note the change."""
        arrival = self._arrivals[arrival_id]
        before = work.before.get(arrival_id, arrival)
        seen, stage, base = self._look(arrival, work.now)
        if stage is None:
            # Nobody says anything any more: what was known stays (rule 12).
            stage = arrival.stage
        parts = arrival.parts
        restaged = {
            key: replace(parts[key], stage=part_stage)
            for key, part_stage in seen.parts.items()
            if parts[key].stage is not part_stage
        }
        if restaged:
            parts = {**parts, **restaged}
        problem, progress = problem_and_progress(arrival.whole, parts, base, self._house)
        if stage is Stage.AVAILABLE:
            problem = progress = None
        previous = before.stage if before is not None else None
        moved = previous is not stage
        journey, available_at = arrival.journey, arrival.available_at
        if moved and previous in {Stage.REMOVED, Stage.DECLINED}:
            journey += 1
        if stage is not Stage.AVAILABLE:
            available_at = None
        elif moved or available_at is None:
            available_at = work.happened_at
        new = replace(
            arrival,
            stage=stage,
            stage_at=work.happened_at if moved else arrival.stage_at,
            known_at=work.now if moved else arrival.known_at,
            parts=parts,
            journey=journey,
            available_at=available_at,
            available=seen.available,
            wanted=seen.wanted,
            total=seen.total,
            coming=seen.coming,
            problem=problem,
            progress=progress,
            dismissed=arrival.dismissed and not moved,
            hold=None if moved else arrival.hold,
            quiet=work.silent if before is None else arrival.quiet and (not moved or work.silent),
        )
        self._store_arrival(new)
        if work.took or moved:
            work.arrivals[new.id] = None
        self._note_change(before, new, work)
        self._ask_about(before, new, work)

    def _note_change(self, before: Arrival | None, new: Arrival, work: _Pass) -> None:
        """Add the changes between two states of an arrival."""
        title = self.title(new.title_id)
        previous = before.stage if before is not None else None
        # Rule 8: baselines are silent. So is what was told before a merge.
        silent = work.silent or new.stage in work.merged.get(new.id, ())
        baseline = work.baseline.get(new.id)
        if previous is not new.stage:
            known = baseline is not None and baseline.body is new.stage
            work.changes.append(
                self._change(ChangeKind.STAGE, title, new, previous, work, silent=silent or known)
            )
        elif work.took and new != before:
            work.changes.append(
                self._change(ChangeKind.DETAIL, title, new, previous, work, silent=silent)
            )
        if (watching := work.watches.get(new.id)) is not None:
            watch, keys = watching
            # Watched is watched, in whichever quality: it is told of one arrival only.
            known = silent or new.id != next(iter(work.watches))
            change = self._change(ChangeKind.WATCHED, title, new, previous, work, silent=known)
            film = new.season is None
            work.changes.append(
                replace(
                    change,
                    watch=watch,
                    part=None if film else keys[0],
                    parts=() if film else keys,
                )
            )
        if baseline is not None:
            old_stages = baseline.parts
        elif before is not None and before.stage is Stage.AVAILABLE:
            old_stages = {key: part.stage for key, part in before.parts.items()}
        else:
            return
        if new.stage is Stage.AVAILABLE:
            self._note_parts(old_stages, title, new, work, silent=silent)

    def _note_parts(
        self,
        old_stages: Mapping[str, Stage | None],
        title: Title,
        new: Arrival,
        work: _Pass,
        *,
        silent: bool,
    ) -> None:
        """Add the changes of episodes that came after their season was available."""
        moved: dict[Stage, list[str]] = {}
        for key, part in new.parts.items():
            if part.stage in _TOLD_OF_PARTS and old_stages.get(key) is not part.stage:
                moved.setdefault(part.stage, []).append(key)
        for stage, keys in moved.items():
            change = self._change(ChangeKind.PART, title, new, None, work, silent=silent)
            work.changes.append(
                replace(
                    change,
                    stage=stage,
                    previous=old_stages.get(keys[0]),
                    part=keys[0],
                    parts=tuple(keys),
                )
            )

    def _change(
        self,
        kind: ChangeKind,
        title: Title,
        arrival: Arrival,
        previous: Stage | None,
        work: _Pass,
        *,
        silent: bool,
    ) -> Change:
        """Return a change of this pass."""
        return Change(
            kind=kind,
            title=title,
            arrival=arrival,
            stage=arrival.stage,
            previous=previous,
            origin=work.origin,
            happened_at=work.happened_at,
            known_at=work.now,
            silent=silent or arrival.dismissed,
        )

    def _relook_request(self, key: RequestKey, work: _Pass) -> None:
        """Bring a request's stage up to its arrivals; tell once that all is available."""
        request = self._requests.get(key)
        if request is None:
            return
        covered = [a for one in request.arrivals if (a := self.get(one)) is not None]
        stage = request_stage(request, covered, work.now)
        told = request.told or (stage is Stage.AVAILABLE and bool(covered))
        if stage is request.stage and told == request.told:
            return
        new = replace(request, stage=stage, told=told)
        self._put_request(new, work)
        if told and not request.told:
            arrival = covered[-1]
            change = self._change(
                ChangeKind.REQUEST,
                self.title(arrival.title_id),
                arrival,
                request.stage,
                work,
                silent=work.silent,
            )
            work.changes.append(replace(change, stage=stage, request=new))

    def _ask_about(self, before: Arrival | None, new: Arrival, work: _Pass) -> None:
        """Ask what an arrival leaves open, when it is opened or moves on."""
        title = self.title(new.title_id)
        if new.stage is Stage.DOWNLOADED and not self._house.has_playback:
            moved = before is None or before.stage is not Stage.DOWNLOADED
            if moved and not any(
                request.decision.decision in _APPROVED for request in self.requests_of(new)
            ):
                self._ask_all(Role.REQUESTS, QuestionKind.AVAILABILITY, title, new, work)
        if new.stage in FINISHED or work.entering:
            return
        if before is None:
            if title.name is None:
                self._ask_all(Role.REQUESTS, QuestionKind.FACTS, title, new, work)
            if work.origin.role is not Role.DOWNLOADS:
                self._ask_all(Role.DOWNLOADS, QuestionKind.TITLE, title, new, work)
        if (
            new.season is not None
            and new.listed_at is None
            and not new.misfit
            and title.id in work.titles
            and work.origin.role is Role.DOWNLOADS
        ):
            work.questions.append(
                Question(
                    service=work.origin.service,
                    kind=QuestionKind.TITLE,
                    title=self._reference(title, work.origin.service),
                    seasons=(new.season,),
                )
            )

    def _ask_all(
        self, role: Role, kind: QuestionKind, title: Title, arrival: Arrival, work: _Pass
    ) -> None:
        """Ask every service that may know."""
        work.questions += self._questions_to(role, kind, title, arrival)

    def _questions_to(
        self, role: Role, kind: QuestionKind, title: Title, arrival: Arrival
    ) -> Iterator[Question]:
        """Yield the same question to every service that may know."""
        for service in self._services.values():
            if service.role is not role or (
                role is Role.DOWNLOADS
                and not self._may_hold(service, title.media_type, arrival.tier)
            ):
                continue
            yield Question(
                service=service.id,
                kind=kind,
                title=self._reference(title, service.id),
                seasons=() if arrival.season is None else (arrival.season,),
            )

    # --- keeping the indexes ------------------------------------------------------------------

    def _put_title(self, title: Title, work: _Pass) -> None:
        """Keep a title and note that it is to be stored."""
        self._titles.put(title)
        self._of_title.setdefault(title.id, ())
        work.titles[title.id] = None

    def _put_arrival(self, arrival: Arrival, work: _Pass) -> Arrival:
        """Keep an arrival, to be looked at again and stored at the end of the pass."""
        old = self._arrivals.get(arrival.id)
        if old is arrival:
            return arrival
        work.before.setdefault(arrival.id, old)
        work.touched[arrival.id] = None
        self._store_arrival(arrival)
        return arrival

    def _put_request(self, request: Request, work: _Pass) -> None:
        """Keep a request and note that it is to be stored."""
        work.requests[request.key] = None
        self._store_request(request)
