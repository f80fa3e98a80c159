"""The twelve rules of the core, each on its own."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.board import Board
from custom_components.media_arrivals.engine.board.matching import TitleIndex
from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    ChangeKind,
    Decision,
    DecisionClaim,
    DownloadState,
    ExternalIds,
    Flag,
    MediaType,
    Outcome,
    Part,
    PartRef,
    PartState,
    Question,
    QuestionKind,
    Reason,
    Request,
    Role,
    Service,
    Stage,
    Tier,
    Title,
    TitleRef,
)

from .household import (
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
    in_one,
    origin,
    playable,
    request,
)

S = Stage
HOME = (SEERR, RADARR, RADARR_4K, SONARR)


# --- rule 1: claims, not steps -------------------------------------------------------------


def test_rule_1_an_older_word_of_the_same_service_changes_nothing() -> None:
    """Times order the words of one service."""
    house = House(HOME)
    house.hear(request(FILM, 0, Decision.APPROVED), download(RADARR, FILM, 5))
    applied = house.hear(download(RADARR, FILM, 4, DownloadState.FAILED))
    assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.STALE)
    assert house.stage() is S.DOWNLOADING


def test_rule_1_a_loss_withdraws_only_that_services_claim() -> None:
    """What Plex plays is not lost because Jellyfin lost it."""
    jellyfin = replace(PLEX, id="jellyfin", kind="jellyfin")
    house = House((SEERR, PLEX, jellyfin))
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        playable(PLEX, FILM, 1),
        playable(jellyfin, FILM, 2),
        playable(jellyfin, FILM, 3, yes=False),
    )
    assert house.stage() is S.AVAILABLE


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (held(RADARR, FILM, 9, yes=False, confirmed=False), QuestionKind.TITLE),
        (file(RADARR, FILM, 9, present=False), QuestionKind.TITLE),
        (request(FILM, 9, Decision.PENDING, confirmed=False), QuestionKind.REQUEST),
        (request(FILM, 9, Decision.REMOVED, confirmed=False), QuestionKind.REQUEST),
    ],
)
def test_rule_1_a_loss_is_read_back_first(report: object, kind: QuestionKind) -> None:
    """A webhook alone moves nothing back."""
    house = House((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.APPROVED), held(RADARR, FILM, 1), file(RADARR, FILM, 2))
    applied = house.hear(report)  # type: ignore[arg-type]
    assert applied.reason is Reason.ASKED
    assert [question.kind for question in applied.questions] == [kind]
    assert house.stage() is S.DOWNLOADED


def test_rule_1_a_loss_of_what_was_never_there_is_no_news() -> None:
    """Nothing is asked for it."""
    house = House((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.APPROVED))
    for report in (
        held(RADARR, FILM, 9, yes=False, confirmed=False),
        file(RADARR, FILM, 9, present=False),
    ):
        applied = house.hear(report)
        assert (applied.reason, applied.questions) == (Reason.STALE, ())


def test_rule_1_flags_say_the_same_in_any_order() -> None:
    """A flag joins words, whichever comes first."""
    words = [(True, 1.0), (False, 2.0), (True, 3.0)]

    def told(order: list[tuple[bool, float]]) -> Flag:
        flag = Flag()
        for yes, at in order:
            flag = flag.with_word(yes=yes, at=at, happened_at=at)
        return flag

    assert told(words) == told(words[::-1]) == told([*words, *words])
    flag = told(words)
    assert (flag.yes, flag.no, flag.lost, flag.since, flag.turned) == (True, False, False, 1.0, 2.0)
    assert told(words[:2]).lost
    assert told(words[:1]).joined(told(words[1:])) == flag
    assert told(words[1:]).joined(told(words[:1])) == flag
    assert Flag().joined(flag) == flag.joined(Flag()) == flag
    assert Flag().turned == float("-inf")


# --- rule 2: stages of a part --------------------------------------------------------------


def test_rule_2_a_server_that_lists_it_as_absent_outweighs_seerr() -> None:
    """Seerr's word counts beside a server that cannot identify the item, not against one."""
    house = House((SEERR, RADARR, PLEX))
    house.hear(request(FILM, 0, Decision.APPROVED), file(RADARR, FILM, 1), playable(SEERR, FILM, 2))
    assert house.stage() is S.AVAILABLE
    house.hear(playable(PLEX, FILM, 3, yes=False))
    assert house.stage() is S.DOWNLOADED
    house.hear(playable(PLEX, FILM, 4))
    assert house.stage() is S.AVAILABLE


def test_rule_2_stages_may_be_skipped() -> None:
    """Homes without a download client know no download."""
    house = House((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.APPROVED), playable(SEERR, FILM, 1))
    assert house.stages == [S.APPROVED, S.AVAILABLE]


def test_rule_2_waiting_is_sent() -> None:
    """A release that was chosen and not begun is not downloading."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        download(RADARR, FILM, 1, DownloadState.WAITING, problem="Delay profile"),
    )
    assert house.stage() is S.SENT
    assert house.arrival().problem == "Delay profile"


def test_rule_2_a_removed_series_takes_its_seasons_along() -> None:
    """Every season that nobody plays is removed; downloads of it are over."""
    house = House((SEERR, SONARR))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1, 2)),
        held(SONARR, SHOW, 1, seasons=(1, 2)),
        episodes(2, 2, season=1, files=frozenset({1})),
        download(SONARR, SHOW, 3, parts=(episode(2),)),
        held(SONARR, SHOW, 4, yes=False),
    )
    assert [arrival.stage for arrival in house.board.arrivals()] == [S.REMOVED, S.REMOVED]
    assert house.board.active_downloads("sonarr") == frozenset()
    assert house.hear(held(SONARR, SHOW, 4, yes=False)).reason is Reason.STALE


def test_rule_2_a_film_that_seerr_saw_removed_with_its_files() -> None:
    """Seerr's word does not outlive the title in Radarr, nor a lost file."""
    house = House((SEERR, RADARR))
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        file(RADARR, FILM, 1),
        playable(SEERR, FILM, 2),
        file(RADARR, FILM, 3, present=False, confirmed=True),
    )
    assert house.stage() is S.SENT
    house.hear(held(RADARR, FILM, 4, yes=False))
    assert house.stage() is S.REMOVED
    assert house.board.retirable(NOON + 40 * DAY, finished_days=30) == (house.arrival().id,)


# --- rule 3: seasons ------------------------------------------------------------------------


def test_rule_3_the_least_advanced_wanted_aired_episode_is_the_season() -> None:
    """Unwanted and unaired episodes do not count."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 6, aired=4, wanted=frozenset({1, 2, 5})),
        file(SONARR, SHOW, 3, parts=(episode(1),)),
    )
    assert house.stage(SHOW, 1) is S.SENT
    house.hear(file(SONARR, SHOW, 4, parts=(episode(2),)))
    seen = house.arrival(SHOW, 1)
    assert (seen.stage, seen.available, seen.wanted, seen.total) == (S.DOWNLOADED, 0, 3, 6)


def test_rule_3_a_season_of_which_nothing_has_aired_is_sent_at_most() -> None:
    """However much is said of the title."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 6, aired=0),
        download(SEERR, SHOW, 3, seasons=(1,), tier=Tier.HD),
    )
    assert house.stage(SHOW, 1) is S.SENT
    house.hear(held(SONARR, SHOW, 5, yes=False))
    assert house.stage(SHOW, 1) is S.REMOVED


def test_rule_3_an_episode_that_is_there_before_it_airs_counts() -> None:
    """Previews are real."""
    house = House((SONARR,))
    house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True), silent=True)
    house.hear(episodes(1, 3, aired=0), file(SONARR, SHOW, 2, parts=(episode(1),)))
    assert house.stage(SHOW, 1) is S.AVAILABLE


def test_rule_3_what_becomes_wanted_later_does_not_pull_back() -> None:
    """An episode that somebody wants after the season was available is on the way."""
    house = House((SONARR,))
    house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True), silent=True)
    house.hear(
        episodes(1, 3, wanted=frozenset({1, 2})),
        file(SONARR, SHOW, 2, parts=(episode(1), episode(2))),
    )
    assert house.stage(SHOW, 1) is S.AVAILABLE
    house.hear(episodes(5, 3, files=frozenset({1, 2})))
    seen = house.arrival(SHOW, 1)
    assert (seen.stage, seen.coming, seen.available, seen.wanted) == (S.AVAILABLE, True, 2, 3)


def test_rule_3_episodes_that_left_the_list_leave_the_season() -> None:
    """The newest whole list says which episodes there are; an older one adds none."""
    house = House((SEERR, SONARR))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        episodes(2, 4),
        episodes(3, 3),
        episodes(1, 5),
    )
    assert sorted(house.arrival(SHOW, 1).parts) == ["e1", "e2", "e3"]
    house.hear(download(SONARR, SHOW, 9, parts=(episode(4),)), episodes(4, 3))
    assert sorted(house.arrival(SHOW, 1).parts) == ["e1", "e2", "e3", "e4"]
    house.hear(episodes(10, 3))
    assert sorted(house.arrival(SHOW, 1).parts) == ["e1", "e2", "e3"]


def test_rule_3_seerr_alone_says_that_a_season_is_there() -> None:
    """Without a Sonarr its word on the whole season counts."""
    house = House((SEERR,))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)), playable(SEERR, SHOW, 1, seasons=(1,))
    )
    assert house.stage(SHOW, 1) is S.AVAILABLE


# --- rule 4: requests -----------------------------------------------------------------------


def test_rule_4_an_arrival_is_declined_only_when_every_request_is() -> None:
    """Two people asked; one no is not two."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, number=1),
        request(FILM, 0, number=2),
        request(FILM, 1, Decision.DECLINED, number=1),
    )
    assert house.stage() is S.REQUESTED
    house.hear(request(FILM, 2, Decision.DECLINED, number=2))
    assert house.stage() is S.DECLINED


def test_rule_4_a_request_may_change_its_seasons() -> None:
    """What it does not cover any more is let go."""
    house = House(HOME)
    house.hear(request(SHOW, 0, seasons=(1, 2)), request(SHOW, 1, seasons=(2,)))
    assert house.arrival(SHOW, 1).requests == ()
    assert house.arrival(SHOW, 2).requests == (("seerr", 1),)


def test_rule_4_a_completed_request_without_seasons_is_available() -> None:
    """Seerr's decision stands where nothing is covered yet."""
    house = House(HOME)
    applied = house.hear(request(SHOW, 0, Decision.COMPLETED))
    assert [one.stage for one in house.board.requests()] == [S.AVAILABLE]
    assert not applied.changes
    house.hear(request(SHOW, 0, Decision.APPROVED, number=2))
    assert house.board.open_requests("seerr") == {2: Decision.APPROVED}


def test_rule_4_a_failed_hand_over_that_succeeded_after_all() -> None:
    """A time-out while Radarr did add the film ends available all the same."""
    house = House((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.FAILED), held(RADARR, FILM, 1))
    (asked,) = house.board.requests()
    assert (house.stage(), asked.stage) == (S.SENT, S.SENT)
    house.hear(file(RADARR, FILM, 2), playable(SEERR, FILM, 3))
    assert next(iter(house.board.requests())).told


def test_rule_4_what_a_later_word_adds_to_a_request() -> None:
    """Requester and tier are taken when they come; a repetition is no news."""
    house = House(HOME)
    house.hear(replace(request(FILM, 0, tier=Tier.UNKNOWN), requester=None, created_at=None))
    house.hear(request(FILM, 1, tier=Tier.UHD))
    (asked,) = house.board.requests()
    assert asked.requester is not None
    assert (asked.tier, asked.created_at) == (Tier.UHD, NOON)
    assert house.hear(request(FILM, 1, tier=Tier.UHD)).reason is Reason.STALE


# --- rule 5: matching -----------------------------------------------------------------------


def test_rule_5_film_and_series_ids_are_separate_spaces() -> None:
    """The same number names two things."""
    house = House(HOME)
    series = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tmdb=FILM.ids.tmdb))
    house.hear(request(FILM, 0, number=1), request(series, 0, number=2, seasons=(1,)))
    assert len(list(house.board.arrivals())) == 2


def test_rule_5_contradicting_ids_follow_the_leading_one() -> None:
    """TMDB leads for films: a wrong IMDb id does not lose the report."""
    house = House(HOME)
    house.hear(request(FILM, 0, Decision.APPROVED))
    odd = replace(FILM, ids=ExternalIds(tmdb=9001, imdb="tt9999999"), own_id=None)
    house.hear(held(RADARR, odd, 1))
    assert house.stage() is S.SENT
    found = house.board.find(MediaType.MOVIE, FILM.ids)
    assert found is not None
    assert found.ids.imdb == "tt0009001"


def test_rule_5_contradicting_ids_without_a_leading_match_are_a_conflict() -> None:
    """Nothing is guessed."""
    house = House(HOME)
    house.hear(request(FILM, 0, Decision.APPROVED))
    odd = replace(FILM, ids=ExternalIds(tmdb=5, imdb="tt0009001"), own_id=None)
    assert house.hear(held(RADARR, odd, 1)).reason is Reason.CONFLICT
    opening = download(RADARR, odd, 1)
    assert house.open(opening).reason is Reason.CONFLICT
    assert house.open(opening, held(RADARR, odd, 1)).reason is Reason.CONFLICT


def test_rule_5_an_id_that_only_a_third_one_contradicts() -> None:
    """Two titles that share an id with a reference and not with each other do not merge."""
    index = TitleIndex()
    one = Title(id="a", media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=1, tvdb=8), own_ids={})
    two = Title(
        id="b", media_type=MediaType.MOVIE, ids=ExternalIds(imdb="tt1", tvdb=9), own_ids={"r": 4}
    )
    index.put(one)
    index.put(two)
    ref = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=1, imdb="tt1"))
    assert index.match(ref, "r").titles == (one,)
    unknown = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=2, imdb="tt1", tvdb=8))
    assert index.match(unknown, "r").conflict
    index.remove("a")
    index.remove("b")
    index.remove("b")
    assert len(index) == 0
    assert index.match(ref, "r").titles == ()
    assert index.match(replace(ref, ids=ExternalIds(), own_id=4), "r").titles == ()


def test_rule_5_a_merge_of_two_titles_without_a_twin_moves_its_arrivals() -> None:
    """Another season of the other title goes on under the elder's roof."""
    house = House(HOME)
    by_tmdb = replace(SHOW, ids=ExternalIds(tmdb=4002), own_id=None, name=None)
    by_tvdb = replace(SHOW, ids=ExternalIds(tvdb=70_002))
    house.hear(
        request(by_tmdb, 0, Decision.APPROVED, seasons=(1,)),
        held(SEERR, by_tmdb, 0, tier=Tier.HD),
        request(by_tvdb, 0, Decision.APPROVED, number=2, seasons=(2,)),
        held(SEERR, by_tvdb, 1, tier=Tier.HD),
        held(SONARR, by_tvdb, 1, seasons=(1, 2)),
    )
    moved = house.arrival(by_tvdb, 2).id
    applied = house.hear(held(SONARR, SHOW, 2, seasons=(1, 2)))
    assert len(applied.dropped_titles) == 1
    assert {one.id for one in house.board.arrivals_of(house.arrival(SHOW, 1).title_id)} == {
        house.arrival(SHOW, 1).id,
        moved,
    }
    assert house.board.title(applied.dropped_titles[0]).id == house.arrival(SHOW, 1).title_id
    assert [one.stage for one in house.board.arrivals()] == [S.SENT, S.SENT]


def test_rule_5_a_merge_joins_what_both_knew() -> None:
    """Parts, requests, downloads and lists of both arrivals are the arrival's."""
    house = House(HOME)
    by_tmdb = replace(SHOW, ids=ExternalIds(tmdb=4002), own_id=None)
    by_tvdb = replace(SHOW, ids=ExternalIds(tvdb=70_002))
    house.hear(
        request(by_tmdb, 0, Decision.APPROVED, seasons=(1,)),
        request(by_tvdb, 0, Decision.APPROVED, number=2, seasons=(1,)),
        playable(PLEX, by_tmdb, 1, parts=(episode(1), episode(3))),
        download(SONARR, by_tmdb, 2, parts=(episode(1),), download_id="OLD"),
        download(SONARR, by_tmdb, 5, parts=(episode(2),), download_id="NEW"),
        episodes(3, 2, title=by_tvdb),
        download(SONARR, by_tvdb, 4, parts=(episode(1),), download_id="NEW"),
        download(SONARR, by_tvdb, 4, parts=(episode(2),), download_id="OLD"),
    )
    house.hear(held(SONARR, SHOW, 5, seasons=(1,)))
    seen = house.arrival(SHOW, 1)
    assert sorted(seen.parts) == ["e1", "e2", "e3"]
    for key in ("e1", "e2"):
        claim = seen.parts[key].claims_of("sonarr").download
        assert claim is not None
        assert claim.download_id == "NEW"
    assert [claims.service for claims in seen.parts["e1"].claims] == ["plex", "sonarr"]
    assert seen.requests == (("seerr", 1), ("seerr", 2))
    assert {one.arrivals for one in house.board.requests()} == {(seen.id,)}
    assert house.board.active_downloads("sonarr") == {"new"}


def test_rule_5_equal_questions_have_equal_keys() -> None:
    """External ids name a title; its own id only in their absence."""
    ask = Question(service="r", kind=QuestionKind.TITLE, title=FILM)
    assert ask.key == replace(ask, title=replace(FILM, own_id=99)).key
    bare = replace(ask, title=replace(FILM, ids=ExternalIds()))
    assert bare.key == ("r", "title", "movie:own:7")
    assert replace(ask, title=None, download_id="AbC").key[2] == "abc"
    assert replace(ask, title=None, request_id=4).key[2] == "4"
    assert replace(ask, title=None).key[2] == ""


# --- rule 6: tiers --------------------------------------------------------------------------


def test_rule_6_a_mixed_radarr_decides_by_its_file() -> None:
    """Opened without a tier, the arrival takes the tier that shows."""
    mixed = Service(id="mixed", kind="radarr", role=Role.DOWNLOADS)
    house = House((mixed,))
    opening = held(mixed, FILM, 0, opens=True, confirmed=False)
    house.open(opening, held(mixed, FILM, 0))
    assert house.stage(tier=Tier.UNKNOWN) is S.SENT
    house.hear(replace(file(mixed, FILM, 1), tier=Tier.UHD))
    assert house.stage(tier=Tier.UHD) is S.AVAILABLE
    assert len(list(house.board.arrivals())) == 1


def test_rule_6_an_unknown_copy_counts_only_where_there_is_one_arrival() -> None:
    """Which of two it is, nobody can say."""
    house = House((SEERR, PLEX))
    house.hear(request(FILM, 0, Decision.APPROVED, number=1))
    house.hear(playable(PLEX, FILM, 1, tier=Tier.UNKNOWN))
    assert house.stage() is S.AVAILABLE
    house.hear(request(FILM, 2, Decision.APPROVED, number=2, tier=Tier.UHD))
    applied = house.hear(playable(PLEX, FILM, 3, tier=Tier.UNKNOWN, yes=False))
    assert applied.reason is Reason.NOT_TRACKED
    assert house.stage() is S.AVAILABLE


# --- rule 7: what opens an arrival ------------------------------------------------------------


@pytest.mark.parametrize(
    "report",
    [
        playable(PLEX, FILM, 1),
        file(RADARR, FILM, 1, opens=False),
        file(RADARR, FILM, 1, present=False, confirmed=True),
        held(RADARR, FILM, 1),
        held(RADARR, FILM, 1, yes=False),
        episodes(1, 3),
        download(RADARR, FILM, 1, DownloadState.BLOCKED),
        playable(SEERR, SHOW, 1, seasons=(1,)),
    ],
)
def test_rule_7_nothing_else_opens_an_arrival(report: object) -> None:
    """Media servers, losses, upgrades and lists open nothing."""
    house = House((*HOME, PLEX))
    applied = house.hear(report)  # type: ignore[arg-type]
    assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.NOT_TRACKED)
    assert not list(house.board.arrivals())


def test_rule_7_a_season_that_is_not_tracked_is_not_counted() -> None:
    """A list of another season opens nothing either."""
    house = House(HOME)
    house.hear(request(SHOW, 0, seasons=(1,)))
    assert house.hear(episodes(1, 3, season=2)).reason is Reason.NOT_TRACKED


def test_rule_7_opening_by_a_first_import_of_a_season() -> None:
    """Episodes that were there stay; the imported one is the news."""
    house = House((SONARR,))
    news = file(SONARR, SHOW, 1, parts=(episode(2),))
    assert house.hear(news).questions[0].seasons == (1,)
    house.open(
        news,
        held(SONARR, SHOW, 2, seasons=(1,)),
        episodes(2, 3, files=frozenset({1, 2})),
        episodes(2, 3, season=2),
        file(SONARR, SHOW, 2, parts=(episode(1),), confirmed=True),
    )
    seen = house.arrival(SHOW, 1)
    assert (seen.stage, seen.available, seen.total) == (S.SENT, 2, 3)
    assert len(list(house.board.arrivals())) == 1


def test_rule_7_opening_without_ids_is_refused() -> None:
    """A title that has no external id is not entered."""
    house = House(HOME)
    bare = replace(FILM, ids=ExternalIds())
    assert house.open(download(RADARR, bare, 1)).reason is Reason.NO_IDS


def test_rule_7_an_addition_of_what_is_on_the_board() -> None:
    """It holds the title from now on; new seasons of a series are opened by asking."""
    house = House((SEERR, RADARR, SONARR))
    house.hear(request(FILM, 0, Decision.APPROVED))
    house.hear(held(RADARR, FILM, 1, opens=True, confirmed=False))
    assert house.stage() is S.SENT
    house.hear(request(SHOW, 0, Decision.APPROVED, number=2, seasons=(1,)))
    added = held(SONARR, SHOW, 1, opens=True, confirmed=False)
    assert house.hear(added).reason is Reason.ASKED
    more = held(SONARR, SHOW, 1, opens=True, confirmed=False, seasons=(1, 2))
    house.open(
        more, held(SONARR, SHOW, 2, seasons=(1, 2)), episodes(2, 2), episodes(2, 2, season=2)
    )
    assert house.stage(SHOW, 1) is house.stage(SHOW, 2) is S.SENT
    assert not any(
        question.opening for question in house.hear(replace(more, at=NOON + 3)).questions
    )


def test_rule_7_a_library_addition_of_a_film_opens_nothing() -> None:
    """A film that is added with its file was there before."""
    house = House((RADARR,))
    added = held(RADARR, FILM, 0, opens=True, confirmed=False)
    applied = house.open(added, file(RADARR, FILM, 1, confirmed=True))
    assert applied.reason is Reason.UPGRADE


def test_rule_7_what_the_service_does_not_hold_is_no_upgrade() -> None:
    """A grab of a film that Radarr does not have opens nothing, and says why."""
    house = House((RADARR, SONARR))
    grab = download(RADARR, FILM, 0)
    applied = house.open(grab, held(RADARR, FILM, 1, yes=False))
    assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.NOT_HELD)
    added = held(SONARR, SHOW, 0, opens=True, confirmed=False)
    assert house.open(added, held(SONARR, SHOW, 1, yes=False)).reason is Reason.NOT_HELD
    assert house.open(added, held(SONARR, SHOW, 1)).reason is Reason.UPGRADE
    assert house.open(added, episodes(2, 2, files=frozenset({1, 2}))).reason is Reason.UPGRADE
    assert not list(house.board.arrivals())


# --- rule 8: baselines ------------------------------------------------------------------------


def test_rule_8_baselines_are_silent() -> None:
    """The board is filled without a single event."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        download(RADARR, FILM, 1),
        request(SHOW, 0, Decision.COMPLETED, number=2, seasons=(1,)),
        playable(SEERR, SHOW, 1, seasons=(1,)),
        download(SONARR, replace(SHOW, ids=ExternalIds(tvdb=8)), 1, parts=(episode(1, 3),)),
        held(RADARR_4K, FILM, 1, opens=True, confirmed=False),
        silent=True,
    )
    assert not house.told
    assert [one.stage for one in house.board.arrivals()] == [
        S.DOWNLOADING,
        S.AVAILABLE,
        S.DOWNLOADING,
        S.SENT,
    ]
    assert all(change.silent for applied in house.answers for change in applied.changes)


def test_rule_8_open_seasons_of_a_baseline_are_asked_for() -> None:
    """A series that is only known to be added is read; a finished one asks for nothing."""
    house = House((SEERR, SONARR))
    applied = house.hear(request(SHOW, 0, Decision.APPROVED, seasons=(1,)), silent=True)
    assert {(q.service, q.kind) for q in applied.questions} == {("sonarr", QuestionKind.TITLE)}
    done = replace(SHOW, ids=ExternalIds(tvdb=9))
    house.hear(request(done, 0, Decision.DECLINED, number=2, seasons=(1,)), silent=True)
    assert not house.answers[-1].questions
    unknown = replace(SHOW, ids=ExternalIds(tvdb=11))
    added = held(SONARR, unknown, 0, opens=True, confirmed=False)
    assert house.hear(added, silent=True).reason is Reason.NOT_TRACKED


# --- rule 9: absence --------------------------------------------------------------------------


def test_rule_9_leaving_the_queue_says_nothing() -> None:
    """The board knows which downloads to ask the history for."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        request(SHOW, 0, Decision.APPROVED, number=2, seasons=(1,)),
        download(RADARR, FILM, 1, download_id="one"),
        download(SONARR, SHOW, 1, parts=(episode(1), episode(2)), download_id="Two"),
    )
    assert house.board.active_downloads("radarr") == {"one"}
    assert house.board.active_downloads("sonarr") == {"two"}
    bare = TitleRef(media_type=MediaType.SERIES)
    house.hear(download(SONARR, bare, 2, DownloadState.FAILED, download_id="TWO"))
    assert {part.stage for part in house.arrival(SHOW, 1).parts.values()} == {S.FAILED}
    assert (
        house.hear(download(SONARR, bare, 2, DownloadState.FAILED, download_id="other")).reason
        is Reason.NOT_TRACKED
    )
    assert (
        house.hear(download(SONARR, bare, 2, DownloadState.FAILED, download_id=None)).reason
        is Reason.NOT_TRACKED
    )


# --- rule 10: numbering -----------------------------------------------------------------------


def test_rule_10_a_season_that_does_not_fit_is_noted_once() -> None:
    """A second empty answer is no news; a list that comes later is."""
    house = House(HOME)
    house.hear(request(SHOW, 0, Decision.APPROVED, seasons=(4,)))
    none = replace(episodes(1, 1, season=4), parts=())
    house.hear(none)
    assert house.hear(none).reason is Reason.STALE
    house.hear(held(SONARR, SHOW, 2, seasons=(4,)), episodes(3, 1, season=4))
    assert not house.arrival(SHOW, 4).misfit
    assert house.stage(SHOW, 4) is S.SENT


# --- rule 11: bursts --------------------------------------------------------------------------


def test_rule_11_one_report_of_many_late_episodes_is_one_change_a_stage() -> None:
    """What comes together after the season was available is told together."""
    house = House((SONARR,))
    house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True), silent=True)
    house.hear(episodes(1, 6, aired=2), file(SONARR, SHOW, 2, parts=(episode(1), episode(2))))
    house.now = NOON + 40 * DAY
    applied = house.hear(
        file(SONARR, SHOW, 39 * DAY, parts=tuple(episode(number) for number in range(3, 7)))
    )
    (told,) = [change for change in applied.changes if change.told]
    assert (told.kind, told.stage, told.part) == (ChangeKind.PART, S.AVAILABLE, "e3")
    assert told.parts == ("e3", "e4", "e5", "e6")


# --- rule 12: end of life ---------------------------------------------------------------------


def test_rule_12_finished_arrivals_leave_and_come_back() -> None:
    """What left the live board is found again when storage gives it back."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        request(SHOW, 0, Decision.APPROVED, number=2, seasons=(1,)),
        playable(SEERR, FILM, 1),
    )
    arrival = house.arrival()
    title = house.board.title(arrival.title_id)
    asked = house.board.request(("seerr", 1))
    assert asked is not None
    assert house.board.requests_of(arrival) == (asked,)
    assert house.board.retirable(NOON + 20 * DAY, finished_days=30) == ()
    ids = house.board.retirable(NOON + 31 * DAY, finished_days=30)
    assert ids == (arrival.id,)
    house.board.unload([*ids, "unknown"])
    assert house.board.get(arrival.id) is None
    assert not house.board.knows(FILM, "radarr")
    assert house.board.request(("seerr", 1)) is None
    with pytest.raises(KeyError):
        house.board.title(title.id)
    for _ in range(2):
        house.board.load([title], [arrival], [asked])
    assert house.board.knows(FILM, "radarr")
    assert house.board.counts[S.AVAILABLE] == 1


def test_rule_12_an_unloaded_season_leaves_a_request_that_covers_more() -> None:
    """The request goes with its last arrival."""
    house = House(HOME)
    house.hear(request(SHOW, 0, Decision.APPROVED, seasons=(1, 2)))
    first, second = (house.arrival(SHOW, season).id for season in (1, 2))
    house.board.unload([first])
    assert house.board.request(("seerr", 1)) is not None
    house.board.unload([second])
    assert house.board.request(("seerr", 1)) is None


def test_rule_12_removing_a_service_takes_its_words_and_no_arrival() -> None:
    """Requests and claims go; what was available stays; nothing is told."""
    house = House((SEERR, RADARR, SONARR))
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        file(RADARR, FILM, 1),
        playable(SEERR, FILM, 2),
        request(SHOW, 0, Decision.APPROVED, number=2, seasons=(1, 2)),
        held(SONARR, SHOW, 1, seasons=(1, 2)),
        episodes(1, 2),
        file(SONARR, SHOW, 2, parts=(episode(1),)),
        playable(SEERR, SHOW, 3, parts=(episode(1),)),
        playable(SEERR, SHOW, 3, seasons=(2,)),
    )
    told = len(house.told)
    applied = in_one(house.board.removing("seerr", now=house.now))
    assert set(applied.dropped_requests) == {("seerr", 1), ("seerr", 2)}
    assert not any(change.told for change in applied.changes)
    in_one(house.board.removing("radarr", now=house.now))
    in_one(house.board.removing("sonarr", now=house.now))
    assert len(house.told) == told
    assert house.stage() is S.AVAILABLE
    assert len(list(house.board.arrivals())) == 3
    assert house.arrival(SHOW, 1).parts["e1"].stage is S.AVAILABLE
    assert not house.board.services


def test_rule_12_a_new_journey_after_a_refusal() -> None:
    """Declined, then asked for and approved again: it begins anew."""
    house = House(HOME)
    house.hear(request(FILM, 0, Decision.DECLINED))
    house.hear(request(FILM, 1, Decision.APPROVED, number=2))
    assert house.arrival().journey == 2


# --- queries ----------------------------------------------------------------------------------


def test_the_board_answers_what_is_asked_of_it() -> None:
    """Counts, and what is open."""
    house = House((SEERR, RADARR, RADARR_4K, SONARR))
    board = house.board
    assert board.find(MediaType.MOVIE, FILM.ids) is None
    assert board.open_titles("nobody") == ()
    house.hear(request(FILM, 0))
    assert board.pending == 1
    assert [ref.own_id for ref in board.open_titles("radarr")] == [None]
    assert board.open_titles("radarr4k") == ()
    assert board.open_titles("sonarr") == ()
    assert board.open_titles("seerr") == ()
    house.hear(held(RADARR, FILM, 1))
    assert [ref.own_id for ref in board.open_titles("radarr")] == [7]
    house.hear(request(FILM, 2, Decision.APPROVED), request(FILM, 2, number=3, tier=Tier.UHD))
    assert len(board.open_titles("radarr")) == 1
    assert board.pending == 1
    assert not in_one(house.board.configuring(RADARR, now=0)).arrivals
    assert board.services["radarr"] == RADARR


def test_ids_are_given_by_the_board_when_nobody_else_does() -> None:
    """Two boards give different ids."""
    first, second = Board(), Board()
    for board in (first, second):
        board.know([SEERR])
        board.apply(request(FILM, 0), now=NOON)
    assert {a.id for a in first.arrivals()}.isdisjoint(a.id for a in second.arrivals())


def test_a_request_that_storage_lost_is_no_error() -> None:
    """An arrival may name a request that is gone."""
    house = House(HOME)
    house.hear(request(FILM, 0))
    arrival = house.arrival()
    title = house.board.title(arrival.title_id)
    board = Board()
    board.know([RADARR])
    board.load([title], [arrival], [])
    assert board.requests_of(arrival) == ()
    applied = board.apply(held(RADARR, FILM, 1), now=NOON)
    assert applied.outcome is Outcome.PROCESSED
    orphan = Request(
        key=("seerr", 5),
        title_id=title.id,
        tier=Tier.HD,
        seasons=None,
        decision=DecisionClaim(0, 0, Decision.PENDING),
        arrivals=("gone",),
    )
    board.load([], [], [orphan])
    assert board.apply(
        replace(request(FILM, 1, Decision.APPROVED, number=5), origin=origin(SEERR)), now=NOON
    ).changes


# --- what is kept -----------------------------------------------------------------------------


def test_an_overview_is_handed_to_storage_once_and_not_kept() -> None:
    """It is long, and nothing depends on it."""
    house = House(HOME)
    told = replace(FILM, overview="A harbour of glass, and who sweeps it.")
    house.hear(request(FILM, 0))
    title_id = house.arrival().title_id
    assert not house.board.title(title_id).described
    applied = house.hear(held(RADARR, told, 1))
    assert applied.overviews == {title_id: told.overview}
    assert [title.described for title in applied.titles] == [True]
    other = replace(told, overview="The same in other words.")
    assert not house.hear(held(RADARR, other, 2, yes=False)).overviews

    fresh = House(HOME)
    applied = fresh.hear(request(told, 0))
    assert applied.overviews == {fresh.arrival().title_id: told.overview}


def test_who_asks_often_is_kept_once() -> None:
    """Names are texts, too, and a household has few of them."""
    house = House(HOME)
    house.hear(request(FILM, 0, number=1), request(SHOW, 0, number=2, seasons=(1,)))
    house.hear(request(FILM, 1, Decision.APPROVED, number=1))
    first, second = house.board.requests()
    assert first.requester is not None
    assert first.requester is second.requester


def test_what_services_say_of_a_part_is_ordered_whoever_spoke_first() -> None:
    """Two boards that heard the same are equal."""
    words = (
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(1, 2),
        playable(PLEX, SHOW, 2, parts=(episode(1),)),
        playable(SEERR, SHOW, 3, seasons=(1,)),
    )
    asked = request(SHOW, 0, Decision.APPROVED, seasons=(1,))
    one, other = House((*HOME, PLEX)), House((*HOME, PLEX))
    one.hear(asked, *words)
    other.hear(asked, *reversed(words))
    assert one.arrival(SHOW, 1).parts == other.arrival(SHOW, 1).parts
    assert one.arrival(SHOW, 1).whole == other.arrival(SHOW, 1).whole


# --- corners ----------------------------------------------------------------------------------


def test_an_addition_of_unknown_tier_beside_two_arrivals_opens_no_third() -> None:
    """Which of the two it is, the file will tell."""
    mixed = Service(id="mixed", kind="radarr", role=Role.DOWNLOADS)
    house = House((SEERR, mixed))
    house.hear(
        request(FILM, 0, Decision.APPROVED, number=1),
        request(FILM, 0, Decision.APPROVED, number=2, tier=Tier.UHD),
    )
    opening = held(mixed, FILM, 1, opens=True, confirmed=False)
    assert house.open(opening, held(mixed, FILM, 1)).reason is Reason.UNKNOWN_TIER
    assert len(list(house.board.arrivals())) == 2


def test_a_series_in_sonarr_whose_season_is_not_wanted_is_not_sent() -> None:
    """Sonarr has the series and not this season, until it wants or has a part of it."""
    house = House((SEERR, SONARR))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(2,)), held(SONARR, SHOW, 1, seasons=(1,))
    )
    assert house.stage(SHOW, 2) is S.APPROVED
    house.hear(episodes(2, 2, season=2, wanted=frozenset()))
    assert house.stage(SHOW, 2) is S.APPROVED
    house.hear(episodes(3, 2, season=2, wanted=frozenset({1})))
    assert house.stage(SHOW, 2) is S.SENT


def test_two_servers_that_lost_it_one_after_the_other() -> None:
    """The season was there until the later loss, in whichever order the losses are told."""
    jellyfin = replace(PLEX, id="jellyfin", kind="jellyfin")
    losses = [
        playable(PLEX, SHOW, 3 * DAY, parts=(episode(1),), yes=False),
        playable(jellyfin, SHOW, 2 * DAY, parts=(episode(1),), yes=False),
    ]
    for order in (losses, losses[::-1]):
        house = House((SEERR, SONARR, PLEX, jellyfin))
        house.hear(
            request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
            held(SONARR, SHOW, 1, seasons=(1,)),
            episodes(2, 2, aired=1),
            playable(PLEX, SHOW, 3, parts=(episode(1),)),
            playable(jellyfin, SHOW, 4, parts=(episode(1),)),
            *order,
        )
        assert house.stage(SHOW, 1) is S.SENT


def test_a_request_without_a_date_is_dated_by_its_decision() -> None:
    """Only a request that is newer than the removal brings a removed film back."""
    house = House((SEERR, RADARR))
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        held(RADARR, FILM, 1),
        held(RADARR, FILM, 2, yes=False),
    )
    assert house.stage() is S.REMOVED
    house.hear(replace(request(FILM, 3, Decision.APPROVED, number=2), created_at=None))
    assert house.stage() is S.APPROVED


def test_a_title_without_a_name_takes_it_when_it_comes() -> None:
    """Seerr's lists have no names: they are asked for once, and shown when they come."""
    house = House((SEERR,))
    nameless = replace(FILM, name=None, year=None)
    applied = house.hear(request(nameless, 0))
    assert {q.kind for q in applied.questions} == {QuestionKind.FACTS}
    applied = house.hear(request(FILM, 1))
    assert applied.titles[0].name == FILM.name


def test_an_episode_is_found_by_sonarrs_own_id() -> None:
    """Queue rows name episodes by nothing else."""
    house = House((SEERR, SONARR))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        episodes(1, 2),
        download(SONARR, SHOW, 2, parts=(replace(episode(2), number=None),)),
    )
    assert house.arrival(SHOW, 1).parts["e2"].stage is S.DOWNLOADING


def test_a_download_shared_by_two_arrivals_is_resolved_in_both() -> None:
    """A pack of two seasons is one download of two arrivals."""
    house = House((SEERR, SONARR))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1, 2)),
        episodes(1, 1, season=1),
        episodes(1, 1, season=2),
        download(SONARR, SHOW, 2, parts=(episode(1, 1), episode(1, 2)), download_id="P"),
    )
    house.hear(file(SONARR, SHOW, 3, parts=(episode(1, 1),)))
    house.hear(
        download(SONARR, SHOW, 4, DownloadState.IMPORTED, parts=(episode(1, 1),), download_id="P")
    )
    assert house.board.active_downloads("sonarr") == {"p"}
    assert house.stage(SHOW, 2) is S.DOWNLOADING


def test_a_merged_arrival_and_its_alias_leave_together() -> None:
    """Nothing leads to what is gone."""
    house = House(HOME)
    by_tmdb = replace(SHOW, ids=ExternalIds(tmdb=4002), own_id=None)
    by_tvdb = replace(SHOW, ids=ExternalIds(tvdb=70_002))
    house.hear(
        request(by_tmdb, 0, Decision.APPROVED, seasons=(1,)),
        request(by_tvdb, 0, Decision.APPROVED, number=2, seasons=(1,)),
    )
    (alias,) = house.hear(held(SONARR, SHOW, 1, seasons=(1,))).dropped_arrivals
    assert house.board.get(alias) is not None
    house.board.unload([house.arrival(SHOW, 1).id])
    assert house.board.get(alias) is None
    assert not house.board.knows(SHOW, "sonarr")


def test_services_that_change_while_some_of_it_is_available() -> None:
    """Only what is available is kept as settled."""
    house = House((SONARR, RADARR))
    house.hear(
        held(SONARR, SHOW, 0, seasons=(1, 2, 3), opens=True),
        held(RADARR, FILM, 0, opens=True),
        silent=True,
    )
    house.hear(
        episodes(1, 2),
        file(SONARR, SHOW, 2, parts=(episode(1),)),
        episodes(1, 1, season=2),
        file(SONARR, SHOW, 2, parts=(episode(1, 2),)),
        episodes(1, 1, season=3),
    )
    applied = in_one(house.board.configuring(SEERR, now=house.now))
    assert not any(change.told for change in applied.changes)
    assert house.arrival(SHOW, 1).parts["e1"].stage is S.AVAILABLE
    assert house.arrival(SHOW, 1).parts["e2"].stage is S.SENT
    assert (house.stage(SHOW, 2), house.stage()) == (S.AVAILABLE, S.SENT)


def test_a_reference_without_the_leading_id_that_contradicts() -> None:
    """An IMDb and a TVDB id of two films say nothing."""
    house = House((SEERR, RADARR))
    ids = ExternalIds(imdb="tt1", tvdb=5)
    house.hear(request(replace(FILM, ids=ids, own_id=None), 0))
    odd = replace(FILM, ids=ExternalIds(imdb="tt1", tvdb=6), own_id=None)
    house.hear(held(RADARR, odd, 1))
    assert house.stage(replace(FILM, ids=ids)) is S.SENT
    odd = replace(FILM, ids=ExternalIds(imdb="tt2", tvdb=5), own_id=None)
    assert house.hear(held(RADARR, odd, 1)).reason is Reason.CONFLICT


def test_an_episode_without_an_air_date_does_not_count() -> None:
    """Nobody knows when it airs."""
    house = House((SEERR, SONARR))
    listing = episodes(1, 2)
    undated = replace(listing.parts[1], aired_at=None)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        replace(listing, parts=(listing.parts[0], undated)),
        file(SONARR, SHOW, 2, parts=(episode(1),)),
    )
    assert house.stage(SHOW, 1) is S.DOWNLOADED


def test_dismissing_is_stored_and_shown_once() -> None:
    """A second time changes nothing."""
    house = House(HOME)
    house.hear(request(FILM, 0))
    who = house.told[0].origin
    first = house.board.dismiss(house.arrival().id, now=house.now, origin=who)
    assert [change.kind for change in first.changes] == [ChangeKind.DETAIL]
    assert first.arrivals[0].dismissed
    again = house.board.dismiss(house.arrival().id, now=house.now, origin=who)
    assert not again.changes


def test_who_follows_is_stored_once_and_told_to_nobody() -> None:
    """Following is no stage."""
    house = House(HOME)
    house.hear(request(FILM, 0))
    key, who = house.arrival().id, house.told[0].origin
    told = len(house.told)
    for person in ("anna", "ben", "anna"):
        house.board.follow(key, person, follows=True, now=house.now, origin=who)
    assert set(house.arrival().followers) == {"anna", "ben"}
    applied = house.board.follow(key, "anna", follows=False, now=house.now, origin=who)
    assert [change.kind for change in applied.changes] == [ChangeKind.DETAIL]
    assert applied.arrivals[0].followers == ("ben",)
    assert not house.board.follow(key, "anna", follows=False, now=house.now, origin=who).changes
    assert len(house.told) == told
    lost = house.board.follow("nothing", "anna", follows=True, now=house.now, origin=who)
    assert lost.outcome is Outcome.IGNORED


def test_a_film_that_leaves_one_radarr_stays_in_the_other_tier() -> None:
    """HD gone is not 4K gone."""
    house = House((SEERR, RADARR, RADARR_4K))
    house.hear(
        request(FILM, 0, Decision.APPROVED, number=1),
        request(FILM, 0, Decision.APPROVED, number=2, tier=Tier.UHD),
        held(RADARR, FILM, 1),
        held(RADARR_4K, FILM, 1),
        held(RADARR, FILM, 2, yes=False),
    )
    assert house.stage() is S.REMOVED
    assert house.stage(tier=Tier.UHD) is S.SENT


def test_a_request_that_was_deleted_before_it_was_read_is_not_read() -> None:
    """There is nothing to read any more."""
    house = House(HOME)
    house.hear(request(FILM, 0, tier=Tier.UNKNOWN))
    assert not house.hear(request(FILM, 1, Decision.REMOVED, tier=Tier.UNKNOWN)).questions


def test_ids_that_another_title_took_stay_with_it() -> None:
    """Forgetting a title does not forget who has its ids now."""
    index = TitleIndex()
    old = Title(
        id="a", media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=1, imdb="tt1"), own_ids={"r": 4}
    )
    new = replace(old, id="b", ids=ExternalIds(tmdb=2, imdb="tt1"))
    index.put(old)
    index.put(new)
    index.remove("a")
    for ids in (ExternalIds(imdb="tt1"), ExternalIds(tmdb=2)):
        assert index.match(TitleRef(media_type=MediaType.MOVIE, ids=ids), "r").titles == (new,)
    bare = TitleRef(media_type=MediaType.MOVIE, own_id=4)
    assert index.match(bare, "r").titles == (new,)


def test_the_later_of_two_lost_files_says_until_when_it_was_there() -> None:
    """Two Radarrs had it, one after the other lost it."""
    second = replace(SONARR, id="sonarr-two")
    for first, other in ((SONARR, second), (second, SONARR)):
        house = House((SONARR, second))
        house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True), silent=True)
        house.now = NOON + 9 * DAY
        house.hear(
            episodes(1, 2, aired=1),
            file(first, SHOW, 2, parts=(episode(1),)),
            file(other, SHOW, 2, parts=(episode(1),)),
            file(first, SHOW, 8 * DAY, parts=(episode(1),), present=False, confirmed=True),
            file(other, SHOW, 6 * DAY, parts=(episode(1),), present=False, confirmed=True),
        )
        assert house.stage(SHOW, 1) is S.SENT
        house.hear(file(other, SHOW, 9 * DAY, parts=(episode(1),)))
        assert house.stage(SHOW, 1) is S.AVAILABLE


def test_flags_join_their_refusals() -> None:
    """The later no counts, whichever flag has it."""
    no, later = Flag(last_no=1.0), Flag(last_no=2.0)
    assert no.joined(later) == later.joined(no) == later
    assert no.joined(Flag()) == no


def test_an_addition_that_opens_nothing_still_says_what_is_held() -> None:
    """A series that was asked for and is added with all its files is sent, and more."""
    house = House((SEERR, SONARR))
    house.hear(request(SHOW, 0, Decision.APPROVED, seasons=(1,)))
    added = held(SONARR, SHOW, 1, opens=True, confirmed=False)
    applied = house.open(
        added,
        held(SONARR, SHOW, 2, seasons=(1, 2)),
        episodes(2, 2, files=frozenset({1, 2})),
        episodes(2, 2, season=2, files=frozenset({1, 2})),
    )
    assert applied.outcome is Outcome.PROCESSED
    assert house.stage(SHOW, 1) is S.DOWNLOADED
    assert len(list(house.board.arrivals())) == 1


def test_what_left_the_service_before_it_was_asked_opens_nothing() -> None:
    """Grabbed and deleted at once: there is nobody to wait for."""
    house = House((RADARR,))
    applied = house.open(download(RADARR, FILM, 1), held(RADARR, FILM, 2, yes=False))
    assert applied.outcome is Outcome.IGNORED
    assert not list(house.board.arrivals())


def test_rule_12_a_titles_arrivals_leave_together() -> None:
    """A season that is still awaited keeps the finished ones beside it."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1, 2)),
        playable(SEERR, SHOW, 1, seasons=(1,)),
    )
    assert house.board.retirable(NOON + 99 * DAY, finished_days=30) == ()
    house.hear(playable(SEERR, SHOW, 2, seasons=(2,)))
    assert len(house.board.retirable(NOON + 99 * DAY, finished_days=30)) == 2


def test_rule_1_a_clock_that_is_years_ahead_does_not_silence_its_service() -> None:
    """What a service says next is news, although it is dated before what it said first."""
    house = House((RADARR,))
    house.open(download(RADARR, FILM, 400 * DAY), held(RADARR, FILM, 400 * DAY))
    arrival = house.arrival()
    assert arrival.stage is S.DOWNLOADING
    assert arrival.stage_at == house.now
    assert house.told[-1].happened_at == house.now
    house.now += 60
    house.hear(file(RADARR, FILM, 1030))
    assert house.stage() is S.AVAILABLE


# --- long seasons ---------------------------------------------------------------------------


def lines_run(work: Callable[[], object]) -> int:
    """Count the lines of Python that something runs: the same on every machine."""
    lines = 0

    def count(_: FrameType, event: str, __: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("what", ["listed", "grabbed", "imported", "playable"])
def test_a_long_season_costs_what_it_is_long(what: str, numbered: bool) -> None:
    """A soap opera has thousands of episodes: four times as many cost four times as much."""

    def cost(number: int) -> int:
        refs = tuple(
            PartRef(season=1, number=one if numbered else None, own_id=one, air_date=f"day {one}")
            for one in range(1, number + 1)
        )
        states = tuple(
            PartState(ref=ref, wanted=True, aired_at=NOON - DAY, has_file=False) for ref in refs
        )
        house = House((SONARR,))
        house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True), silent=True)
        reports: dict[str, AnyReport] = {
            "listed": replace(episodes(1, 1), parts=states),
            "grabbed": download(SONARR, SHOW, 1, parts=refs),
            "imported": file(SONARR, SHOW, 1, parts=refs),
            "playable": playable(PLEX, SHOW, 1, parts=refs),
        }
        lines = lines_run(lambda: house.hear(reports[what]))
        assert len(house.arrival(SHOW, 1).parts) == number
        return lines

    assert cost(200) < 5 * cost(50)


def test_rule_10_an_episode_is_found_by_what_the_reference_has() -> None:
    """The number decides; without one the service's own id, and then the air date."""
    house = House((SONARR,))
    house.hear(held(SONARR, SHOW, 0, seasons=(1,), opens=True), silent=True)

    def downloaded_at(part: Part) -> float | None:
        claim = part.claims_of("sonarr").download
        return None if claim is None else claim.at

    def grabbed(at: float, *refs: PartRef) -> set[str]:
        house.hear(download(SONARR, SHOW, at, parts=refs))
        parts = house.arrival(SHOW, 1).parts
        return {key for key, part in parts.items() if downloaded_at(part) == NOON + at}

    first = PartRef(season=1, air_date="2026-05-01", own_id=11)
    second = PartRef(season=1, air_date="2026-05-02", own_id=12)
    assert grabbed(1, first, second) == {"d2026-05-01", "d2026-05-02"}
    assert grabbed(2, PartRef(season=1, own_id=12)) == {"d2026-05-02"}
    assert grabbed(3, PartRef(season=1, air_date="2026-05-01")) == {"d2026-05-01"}
    # The number becomes known: it is the same episode, now under another key ...
    assert grabbed(4, replace(first, number=1)) == {"e1"}
    assert house.arrival(SHOW, 1).parts.keys() == {"e1", "d2026-05-02"}
    # ... and in one report, what was renamed is found under its new name.
    assert grabbed(5, replace(second, number=2), second) == {"e2"}
    # Another number on the same day is another episode.
    assert grabbed(6, replace(second, number=3)) == {"e3"}


def test_every_rule_is_named_where_it_is_kept() -> None:
    """Who looks for a rule of the core finds it by its number."""
    sources = Path(str(sys.modules[Board.__module__].__file__)).parent.glob("*.py")
    text = "\n".join(source.read_text(encoding="utf-8") for source in sources)
    named = re.findall(r"\brules? (\d+)(?: and (\d+))?", text, re.IGNORECASE)
    assert {int(number) for pair in named for number in pair if number} == set(range(1, 13))
