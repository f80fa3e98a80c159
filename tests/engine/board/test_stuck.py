"""Why an arrival does not move: a table of what services say, and the time that counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import override

import pytest

from custom_components.media_arrivals.engine.board.lifecycle import Household
from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Applied,
    Arrival,
    Decision,
    DownloadReport,
    DownloadState,
    HeldReport,
    Hold,
    HoldReason,
    Premiere,
    Reason,
    Remedy,
    Service,
    Stage,
    Tier,
    TitleRef,
)
from custom_components.media_arrivals.engine.board.stuck import (
    Complaint,
    Judge,
    Limits,
    reason_of,
)
from tests.engine.board.household import (
    DAY,
    FILM,
    NOON,
    PLEX,
    RADARR,
    RADARR_4K,
    SEERR,
    SHOW,
    SONARR,
    House,
    download,
    episode,
    episodes,
    file,
    held,
    playable,
    request,
)

MINUTE = 60.0
HOUR = 3600.0
LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class State:
    """What services said, and what comes of it."""

    says: tuple[AnyReport, ...]
    reason: HoldReason | None
    after: float
    """Seconds after the last word; a minute earlier, it is not stuck."""
    message: str | None = None
    remedy: Remedy | None = Remedy.LOOK_AT_SERVICE
    complaints: Mapping[str, tuple[Complaint, ...]] | None = None
    services: tuple[Service, ...] = (SEERR, RADARR, SONARR, PLEX)
    title: TitleRef = FILM
    season: int | None = None
    about: str | None = "radarr"


def judge(
    house: House,
    now: float,
    *,
    reached: Mapping[str, float] | None = None,
    complaints: Mapping[str, tuple[Complaint, ...]] | None = None,
    limits: Limits = LIMITS,
) -> Judge:
    """Return who judges; services could always be reached, or for so long after noon."""

    def seconds(service: str, since: float) -> float:
        end = now if reached is None else NOON + reached.get(service, -inf)
        return max(0.0, min(end, now) - since)

    return Judge(
        house=Household.of(house.board.services),
        limits=limits,
        reached=seconds,
        complaints=complaints or {},
        now=now,
    )


class Told(House):
    """A board whose services were asked already what they hold of a title."""

    @override
    def hear(self, *reports: AnyReport, silent: bool = False) -> Applied:
        """Open what is not there yet; apply the rest."""
        for report in reports:
            answer = super().hear(report, silent=silent)
            if answer.reason is Reason.ASKED:
                self._keep(self.board.open(report, (), now=self.now))
        return self.answers[-1]


def hold_of(house: House, one: Judge, arrival: Arrival | None = None) -> Hold | None:
    """Return what keeps an arrival."""
    arrival = arrival or house.arrival()
    board = house.board
    return one.hold(arrival, board.title(arrival.title_id), board.requests_of(arrival))


def in_radarr(
    at: float = 0.0,
    *,
    out: bool | None = True,
    due: float | None = -30 * DAY,
    monitored: bool = True,
    service: Service = RADARR,
) -> HeldReport:
    """Say that a Radarr has the film, and when it comes out."""
    due_at = None if due is None else NOON + due
    premiere = Premiere(at=NOON + at, due_at=due_at, out=out, monitored=monitored)
    return replace(held(service, FILM, at, opens=True), premiere=premiere)


def grabbed(at: float = 1.0, progress: float | None = 0.4, **more: object) -> DownloadReport:
    """Say that the queue has it."""
    report = download(RADARR, FILM, at, progress=progress)
    return replace(report, **more)  # type: ignore[arg-type]


def done(
    state: DownloadState, problem: str | None = None, word: str = "completed"
) -> tuple[AnyReport, ...]:
    """Say that the client has all of it."""
    claim = replace(grabbed(2.0), state=state, progress=1.0, problem=problem, word=word)
    return (in_radarr(), grabbed(), claim)


def moving(problem: str | None = None, word: str | None = "downloading") -> tuple[AnyReport, ...]:
    """Say that it is downloading."""
    return (in_radarr(), grabbed(), grabbed(2.0, problem=problem, word=word))


def waiting(problem: str | None = None, word: str | None = None) -> tuple[AnyReport, ...]:
    """Say that a release was chosen, and is not with the client."""
    claim = grabbed(1.0, state=DownloadState.WAITING, progress=None, problem=problem, word=word)
    return (in_radarr(), claim)


CLIENT_AWAY = Complaint("DownloadClientStatusCheck", "Download clients unavailable: qBittorrent")
NO_SPACE = "Import failed, not enough free space on /movies"
BLOCKED, COMPLETE = DownloadState.BLOCKED, DownloadState.COMPLETE
TABLE: Mapping[str, State] = {
    "approved, and in no service": State(
        (request(FILM, 0, Decision.APPROVED),),
        HoldReason.NOT_HANDED_OVER,
        LIMITS.hand_over,
        remedy=Remedy.SEND_TO_SERVICE,
        about="seerr",
    ),
    "approved in a home without a Radarr": State(
        (request(FILM, 0, Decision.APPROVED),),
        HoldReason.NOT_HANDED_OVER,
        LIMITS.hand_over,
        about="seerr",
        services=(SEERR,),
    ),
    "a hand-over that failed": State(
        (request(FILM, 0, Decision.APPROVED), request(FILM, 1, Decision.FAILED)),
        HoldReason.HAND_OVER_FAILED,
        LIMITS.hand_over,
        remedy=Remedy.RETRY_REQUEST,
        about="seerr",
    ),
    "out, and no release": State(
        (in_radarr(),), HoldReason.NO_RELEASE_FOUND, LIMITS.grab, remedy=Remedy.SEARCH_RELEASE
    ),
    "indexers that do not answer": State(
        (in_radarr(),),
        HoldReason.INDEXERS_UNREACHABLE,
        LIMITS.grab,
        message="All indexers are unavailable due to failures",
        complaints={
            "radarr": (
                Complaint("IndexerStatusCheck", "All indexers are unavailable due to failures"),
            )
        },
    ),
    "not monitored": State((in_radarr(monitored=False),), HoldReason.NOT_MONITORED, LIMITS.grab),
    "chosen, and its client is away": State(
        waiting(word="downloadclientunavailable"),
        HoldReason.DOWNLOAD_CLIENT_UNREACHABLE,
        LIMITS.progress,
    ),
    "no progress": State(moving(), HoldReason.STALLED, LIMITS.progress),
    "stalled in the client's words": State(
        moving("The download is stalled with no connections", "warning"),
        HoldReason.STALLED,
        LIMITS.progress,
        message="The download is stalled with no connections",
    ),
    "a warning nobody has heard of": State(
        moving("The tape deck is out of ribbon", "warning"),
        HoldReason.STALLED,
        LIMITS.progress,
        message="The tape deck is out of ribbon",
    ),
    "paused": State(moving(word="paused"), HoldReason.PAUSED, LIMITS.progress),
    "rows that vanished with their client": State(
        moving(),
        HoldReason.DOWNLOAD_CLIENT_UNREACHABLE,
        LIMITS.progress,
        message=CLIENT_AWAY.message,
        complaints={"radarr": (Complaint("RootFolderCheck", "no"), CLIENT_AWAY)},
    ),
    "a client that does not answer, in a row's words": State(
        moving("Unable to communicate with SABnzbd", "warning"),
        HoldReason.DOWNLOAD_CLIENT_UNREACHABLE,
        LIMITS.progress,
        message="Unable to communicate with SABnzbd",
    ),
    "no space while downloading": State(
        moving("No space left on device", "warning"),
        HoldReason.DISK_FULL,
        LIMITS.progress,
        message="No space left on device",
    ),
    "a download that failed": State(
        (
            in_radarr(),
            grabbed(),
            grabbed(
                2.0, state=DownloadState.FAILED, progress=None, problem="Aborted, cannot be done"
            ),
        ),
        HoldReason.DOWNLOAD_FAILED,
        LIMITS.progress,
        message="Aborted, cannot be done",
        remedy=Remedy.SEARCH_RELEASE,
    ),
    "downloaded, and nobody imports": State(
        done(COMPLETE), HoldReason.NOT_IMPORTED, LIMITS.imported
    ),
    "an import that needs a person": State(
        done(BLOCKED, "Found matching movie via grab history, but release was matched by ID"),
        HoldReason.IMPORT_BLOCKED,
        LIMITS.imported,
        message="Found matching movie via grab history, but release was matched by ID",
    ),
    "an import without a word why": State(
        done(BLOCKED), HoldReason.IMPORT_BLOCKED, LIMITS.imported
    ),
    "no space for the import": State(
        done(BLOCKED, NO_SPACE), HoldReason.DISK_FULL, LIMITS.imported, message=NO_SPACE
    ),
    "a quality that is not wanted": State(
        done(BLOCKED, "Not an upgrade for existing movie file"),
        HoldReason.QUALITY_NOT_MET,
        LIMITS.imported,
        message="Not an upgrade for existing movie file",
        remedy=Remedy.SEARCH_RELEASE,
    ),
    "files out of reach": State(
        done(
            BLOCKED, "Path does not exist or is not accessible by Radarr. Check Remote Path Mapping"
        ),
        HoldReason.FILES_NOT_ACCESSIBLE,
        LIMITS.imported,
        message="Path does not exist or is not accessible by Radarr. Check Remote Path Mapping",
    ),
    "imported into a folder that is away": State(
        done(COMPLETE),
        HoldReason.FILES_NOT_ACCESSIBLE,
        LIMITS.imported,
        message="Missing root folder: /movies",
        complaints={"radarr": (Complaint("RootFolderCheck", "Missing root folder: /movies"),)},
    ),
    "imported, and not found": State(
        (in_radarr(), file(RADARR, FILM, 1)),
        HoldReason.NOT_FOUND,
        LIMITS.found,
        remedy=Remedy.SCAN_LIBRARY,
        about="plex",
    ),
    "imported, and only Seerr could say more": State(
        (in_radarr(), file(RADARR, FILM, 1)),
        HoldReason.NOT_FOUND,
        LIMITS.found,
        about="seerr",
        services=(SEERR, RADARR),
    ),
    "a season without one of its episodes": State(
        (
            held(SONARR, SHOW, -DAY, seasons=(1,), opens=True),
            episodes(0, 3, files=frozenset({1, 2})),
        ),
        HoldReason.NO_RELEASE_FOUND,
        LIMITS.grab - DAY,
        remedy=Remedy.SEARCH_RELEASE,
        title=SHOW,
        season=1,
        about="sonarr",
    ),
    "a season pack that does not move": State(
        (
            held(SONARR, SHOW, -DAY, seasons=(1,), opens=True),
            episodes(0, 2),
            download(SONARR, SHOW, 1, parts=(episode(1), episode(2)), progress=0.2),
        ),
        HoldReason.STALLED,
        LIMITS.progress,
        title=SHOW,
        season=1,
        about="sonarr",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_is_said_has_its_reason(name: str) -> None:
    state = TABLE[name]
    house = Told(state.services)
    house.hear(*state.says)
    arrival = house.arrival(state.title, state.season)
    last = max(report.at for report in state.says)

    one = judge(house, last + max(state.after, 0.0) + 1, complaints=state.complaints)
    found = hold_of(house, one, arrival)

    assert found is not None
    assert found.stuck
    assert (found.reason, found.message, found.remedy, found.service) == (
        state.reason,
        state.message,
        state.remedy,
        state.about,
    )
    assert found.since <= last
    earlier = judge(house, last + state.after - MINUTE, complaints=state.complaints)
    assert state.after < 0 or hold_of(house, earlier, arrival) is None


# --- what is as it should be ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "until"),
    [
        (in_radarr(out=False, due=20 * DAY), NOON + 20 * DAY),
        (in_radarr(out=False, due=None), None),
        (in_radarr(out=True, due=20 * DAY), NOON + 20 * DAY),
        (in_radarr(out=False, due=-DAY), None),
    ],
    ids=["dated", "without a date", "looked for early", "later than its date"],
)
def test_nothing_is_stuck_before_its_release(report: HeldReport, until: float | None) -> None:
    house = Told((SEERR, RADARR, PLEX))
    house.hear(report)

    found = hold_of(house, judge(house, NOON + 10 * DAY))

    assert found is not None
    assert not found.stuck
    assert (found.reason, found.until) == (HoldReason.WAITING_FOR_RELEASE, until)


def test_the_time_counts_from_the_release() -> None:
    house = Told((RADARR,))
    house.hear(in_radarr(out=False, due=5 * DAY))

    day = NOON + 5 * DAY
    assert hold_of(house, judge(house, day + 5 * HOUR)) is None
    found = hold_of(house, judge(house, day + 7 * HOUR))
    assert found is not None
    assert (found.reason, found.since) == (HoldReason.NO_RELEASE_FOUND, day)


def test_without_a_word_on_its_release_a_film_is_not_judged() -> None:
    house = Told((RADARR,))
    house.hear(held(RADARR, FILM, 0, opens=True))

    assert hold_of(house, judge(house, NOON + 90 * DAY)) is None


def test_a_season_waits_for_its_first_episode() -> None:
    house = Told((SONARR,))
    house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True), episodes(1, 3, aired=0))
    arrival = house.arrival(SHOW, 1)

    found = hold_of(house, judge(house, NOON + 2 * DAY), arrival)
    assert found is not None
    assert (found.reason, found.until) == (HoldReason.WAITING_FOR_RELEASE, NOON + 7 * DAY)
    # The board need not be told that an episode has aired.
    late = hold_of(house, judge(house, NOON + 7 * DAY + 7 * HOUR), arrival)
    assert late is not None
    assert (late.reason, late.since) == (HoldReason.NO_RELEASE_FOUND, NOON + 7 * DAY)


def test_a_season_of_which_nothing_is_wanted_is_not_monitored() -> None:
    house = Told((SONARR,))
    house.hear(
        held(SONARR, SHOW, 0, seasons=(1,), opens=True),
        episodes(1, 3, wanted=frozenset()),
    )

    found = hold_of(house, judge(house, NOON + DAY), house.arrival(SHOW, 1))

    assert found is not None
    assert found.reason is HoldReason.NOT_MONITORED


@pytest.mark.parametrize("word", ["delay", "fallback", None])
def test_a_release_that_is_held_back_on_purpose_is_not_stuck(word: str | None) -> None:
    house = Told((RADARR,))
    house.hear(*waiting(word=word))

    found = hold_of(house, judge(house, NOON + 5 * DAY))

    assert found is not None
    assert not found.stuck
    assert (found.reason, found.remedy) == (HoldReason.DELAYED, None)


def test_what_waits_for_its_turn_is_not_stuck() -> None:
    house = Told((RADARR,))
    house.hear(*moving(word="queued"))

    found = hold_of(house, judge(house, NOON + DAY))

    assert found is not None
    assert found.reason is HoldReason.QUEUED
    assert not found.stuck


@pytest.mark.parametrize(
    "says",
    [
        (request(FILM, 0),),
        (request(FILM, 0, Decision.DECLINED),),
        (in_radarr(), file(RADARR, FILM, 1), playable(PLEX, FILM, 2)),
        (in_radarr(), held(RADARR, FILM, 2, yes=False)),
    ],
    ids=["nobody decided", "declined", "available", "removed"],
)
def test_what_nobody_waits_for_is_not_stuck(says: tuple[AnyReport, ...]) -> None:
    house = Told((SEERR, RADARR, PLEX))
    house.hear(*says)

    assert hold_of(house, judge(house, NOON + 90 * DAY)) is None


# --- time -------------------------------------------------------------------------------------


def test_progress_begins_the_time_anew_and_words_alone_do_not() -> None:
    house = Told((RADARR,))
    house.hear(*moving(), grabbed(20 * MINUTE, 0.5), grabbed(40 * MINUTE, 0.5, eta=NOON))

    assert hold_of(house, judge(house, NOON + 49 * MINUTE)) is None
    found = hold_of(house, judge(house, NOON + 51 * MINUTE))
    assert found is not None
    assert found.since == NOON + 20 * MINUTE


def test_what_says_nothing_of_progress_is_no_progress() -> None:
    house = Told((RADARR,))
    house.hear(in_radarr(), grabbed(1.0, progress=None), grabbed(10 * MINUTE, 0.0))
    house.hear(grabbed(11 * MINUTE, progress=None))

    found = hold_of(house, judge(house, NOON + 32 * MINUTE))
    assert found is not None
    assert found.since == NOON + 1


def test_a_blocked_import_counts_from_the_end_of_the_download() -> None:
    house = Told((RADARR,))
    house.hear(*done(COMPLETE))
    house.hear(replace(done(BLOCKED, "no")[2], at=NOON + 10 * MINUTE))

    found = hold_of(house, judge(house, NOON + 16 * MINUTE))
    assert found is not None
    assert (found.reason, found.since) == (HoldReason.IMPORT_BLOCKED, NOON + 2)


def test_only_time_counts_in_which_the_service_could_be_reached() -> None:
    house = Told((RADARR,))
    house.hear(*moving())
    now = NOON + DAY

    assert hold_of(house, judge(house, now, reached={"radarr": 29 * MINUTE})) is None
    assert hold_of(house, judge(house, now, reached={"radarr": 31 * MINUTE})) is not None


def test_what_no_service_could_tell_of_yet_is_not_stuck() -> None:
    for state in TABLE.values():
        house = Told(state.services)
        house.hear(*state.says)
        found = hold_of(
            house,
            judge(house, NOON + 30 * DAY, reached={}, complaints=state.complaints),
            house.arrival(state.title, state.season),
        )
        assert found is None


def test_approved_waits_for_a_radarr_that_could_have_it() -> None:
    house = Told((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.APPROVED))
    now = NOON + DAY

    assert hold_of(house, judge(house, now, reached={"seerr": DAY})) is None
    reached = {"seerr": DAY, "radarr": 20 * MINUTE}
    assert hold_of(house, judge(house, now, reached=reached)) is not None


def test_limits_are_what_they_are_set_to() -> None:
    house = Told((RADARR,))
    house.hear(in_radarr())
    patient = Limits(grab=48 * HOUR)

    assert hold_of(house, judge(house, NOON + 40 * HOUR, limits=patient)) is None
    assert hold_of(house, judge(house, NOON + 49 * HOUR, limits=patient)) is not None


# --- several ------------------------------------------------------------------------------------


def test_two_radarrs_do_not_mix() -> None:
    house = Told((RADARR, RADARR_4K))
    house.hear(
        in_radarr(),
        in_radarr(out=False, due=None, service=RADARR_4K),
        *moving()[1:],
    )
    one = judge(house, NOON + 7 * HOUR, complaints={"radarr4k": (CLIENT_AWAY,)})

    film, four_k = (house.arrival(tier=tier) for tier in (Tier.HD, Tier.UHD))
    found, other = hold_of(house, one, film), hold_of(house, one, four_k)

    assert found is not None
    assert other is not None
    assert (found.reason, found.service, found.message) == (HoldReason.STALLED, "radarr", None)
    assert (other.reason, other.service) == (HoldReason.WAITING_FOR_RELEASE, "radarr4k")


def test_one_radarr_that_may_still_find_it_is_enough() -> None:
    second = replace(RADARR, id="radarr2")
    house = Told((RADARR, second))
    house.hear(in_radarr(), in_radarr(8 * HOUR, service=second))

    assert hold_of(house, judge(house, NOON + 9 * HOUR)) is None
    assert hold_of(house, judge(house, NOON + 15 * HOUR)) is not None


def test_downloads_that_wait_behind_one_that_moves_are_not_stuck() -> None:
    house = Told((SONARR,))
    house.hear(
        held(SONARR, SHOW, -DAY, seasons=(1,), opens=True),
        episodes(0, 2),
        download(SONARR, SHOW, 1, parts=(episode(1),), progress=0.2),
        download(SONARR, SHOW, 1, parts=(episode(2),), progress=0.0, download_id="DEF"),
        download(SONARR, SHOW, 40 * MINUTE, parts=(episode(1),), progress=0.5),
    )
    arrival = house.arrival(SHOW, 1)

    assert hold_of(house, judge(house, NOON + 60 * MINUTE), arrival) is None
    found = hold_of(house, judge(house, NOON + 71 * MINUTE), arrival)
    assert found is not None
    assert found.since == NOON + 1


def test_a_season_whose_episodes_are_not_known_is_judged_by_its_download_alone() -> None:
    house = Told((SONARR,))
    house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True))
    arrival = house.arrival(SHOW, 1)
    assert hold_of(house, judge(house, NOON + DAY), arrival) is None

    house.hear(download(SONARR, SHOW, 1, parts=(episode(1),), progress=0.2))
    found = hold_of(house, judge(house, NOON + DAY), house.arrival(SHOW, 1))
    assert found is not None
    assert found.reason is HoldReason.STALLED


def test_a_new_episode_of_an_available_season_can_be_stuck() -> None:
    house = Told((SONARR, PLEX))
    house.hear(
        held(SONARR, SHOW, -DAY, seasons=(1,), opens=True),
        episodes(0, 2, aired=1, files=frozenset({1})),
        playable(PLEX, SHOW, 1, parts=(episode(1),)),
    )
    house.now = NOON + 7 * DAY + HOUR
    house.hear(episodes(7 * DAY + HOUR, 2, aired=1, files=frozenset({1})))
    arrival = house.arrival(SHOW, 1)
    assert (arrival.stage, arrival.coming) == (Stage.AVAILABLE, True)

    assert hold_of(house, judge(house, NOON + 7 * DAY + 2 * HOUR), arrival) is None
    found = hold_of(house, judge(house, NOON + 7 * DAY + 7 * HOUR), arrival)
    assert found is not None
    assert found.reason is HoldReason.NO_RELEASE_FOUND


def test_after_a_failed_try_the_search_begins_anew() -> None:
    house = Told((RADARR,))
    house.hear(in_radarr(), grabbed(), grabbed(5 * HOUR, state=DownloadState.GONE, progress=None))

    assert hold_of(house, judge(house, NOON + 10 * HOUR)) is None
    found = hold_of(house, judge(house, NOON + 12 * HOUR))
    assert found is not None
    assert (found.reason, found.since) == (HoldReason.NO_RELEASE_FOUND, NOON + 5 * HOUR)


# --- on the board -------------------------------------------------------------------------------


HOLD = Hold(reason=HoldReason.STALLED, since=NOON, told=True)


def test_a_new_stage_ends_what_kept_the_last_one() -> None:
    house = Told((RADARR,))
    house.hear(*moving())
    (entered,) = house.board.holding({house.arrival().id: HOLD, "nobody": None}, now=NOON)
    assert entered.arrivals == (house.arrival(),)
    assert house.arrival().hold == HOLD
    assert not any(change.told for change in entered.changes)

    house.hear(grabbed(5.0, problem="still there"))
    assert house.arrival().hold == HOLD
    house.hear(file(RADARR, FILM, 10))
    assert house.arrival().hold is None


def test_the_same_is_entered_once() -> None:
    house = Told((RADARR,))
    house.hear(*moving())
    arrival = house.arrival()

    assert len(list(house.board.holding({arrival.id: HOLD}, now=NOON))) == 1
    assert list(house.board.holding({arrival.id: HOLD}, now=NOON)) == []


def test_what_was_entered_silently_is_quiet_until_it_moves() -> None:
    house = Told((RADARR,))
    house.hear(in_radarr(), silent=True)
    assert house.arrival().quiet
    house.hear(in_radarr(1.0, monitored=False))
    assert house.arrival().quiet

    house.hear(grabbed())
    assert not house.arrival().quiet


@pytest.mark.parametrize(
    ("said", "now", "begins"),
    [
        (Premiere(at=0.0, out=True), 5.0, -inf),
        (Premiere(at=0.0, due_at=3.0), 5.0, 3.0),
        (Premiere(at=0.0, due_at=3.0, out=False), 5.0, 3.0),
        (Premiere(at=4.0, due_at=3.0, out=False), 5.0, None),
        (Premiere(at=4.0, due_at=3.0, out=True), 5.0, 3.0),
        (Premiere(at=0.0, due_at=9.0, out=True), 5.0, None),
        (Premiere(at=0.0), 5.0, None),
    ],
)
def test_from_when_a_film_can_be_found(said: Premiere, now: float, begins: float | None) -> None:
    assert said.begins(now) == begins


def test_words_that_mean_nothing_have_no_reason() -> None:
    assert reason_of(None, "downloading") is None
    assert reason_of("Something else") is None
    assert reason_of("Something else", "paused") is HoldReason.PAUSED


def test_an_arrival_that_nobody_asked_for_is_in_nobodys_hands() -> None:
    """What somebody approved or failed to hand over is a request's, and there is none."""
    house = Told((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.APPROVED))
    one = judge(house, NOON + 100 * DAY)
    arrival, title = house.arrival(), house.board.title(house.arrival().title_id)
    assert one.hold(arrival, title, ()) is None
    assert one.hold(replace(arrival, stage=Stage.FAILED), title, ()) is None


def test_a_season_without_a_list_is_judged_by_its_download() -> None:
    """Of episodes that nobody named, none can be late."""
    house = Told((SEERR, SONARR))
    house.hear(
        held(SONARR, SHOW, 0, seasons=(1,), opens=True),
        download(SONARR, SHOW, 1, seasons=(1,), progress=0.2),
    )
    arrival = house.arrival(SHOW, 1)
    assert arrival.listed_at is None
    one = judge(house, NOON + LIMITS.progress + HOUR)
    found = hold_of(house, one, arrival)
    assert found is not None
    assert found.reason is HoldReason.STALLED
    assert hold_of(house, one, replace(arrival, stage=Stage.SENT)) is None


def test_only_what_fits_the_stage_is_judged() -> None:
    """A claim of another step of the way keeps nothing; nor does what has left the way."""
    for says, stage in (
        (done(COMPLETE), Stage.DOWNLOADING),
        (moving(), Stage.DOWNLOADED),
    ):
        house = Told((SEERR, RADARR))
        house.hear(*says)
        one = judge(house, NOON + DAY)
        assert hold_of(house, one, replace(house.arrival(), stage=stage)) is None
    alone = Told((RADARR,))
    alone.hear(in_radarr(), file(RADARR, FILM, 1))
    imported = replace(alone.arrival(), stage=Stage.DOWNLOADED)
    assert hold_of(alone, judge(alone, NOON + DAY), imported) is None

    series = Told((SEERR, SONARR))
    series.hear(held(SONARR, SHOW, -DAY, seasons=(1,), opens=True), episodes(0, 2))
    season = series.arrival(SHOW, 1)
    gone = {key: replace(part, stage=Stage.REMOVED) for key, part in season.parts.items()}
    found = hold_of(series, judge(series, NOON + DAY), replace(season, parts=gone))
    assert found is None
