"""Stories of films and series, as households live them."""

from dataclasses import replace

import pytest

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    ChangeKind,
    Decision,
    DownloadState,
    ExternalIds,
    Outcome,
    PartRef,
    PartState,
    QuestionKind,
    Reason,
    RequestReport,
    Stage,
    Tier,
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
    playable,
    request,
)

S = Stage
HOME = (SEERR, RADARR, RADARR_4K, SONARR)
PACK = tuple(episode(number) for number in range(1, 11))


def test_a_film_travels_all_the_way() -> None:
    """Each stage is told once, however often it is said."""
    house = House(HOME)
    story: list[AnyReport] = [
        request(FILM, 0),
        request(FILM, 1, Decision.APPROVED),
        held(RADARR, FILM, 2),
        download(RADARR, FILM, 3),
        download(RADARR, FILM, 4, DownloadState.DOWNLOADING, progress=0.5),
        file(RADARR, FILM, 5),
        playable(SEERR, FILM, 6),
    ]
    for report in story:
        house.hear(report, report)
    house.hear(*story)
    assert house.stages == [
        S.REQUESTED,
        S.APPROVED,
        S.SENT,
        S.DOWNLOADING,
        S.DOWNLOADED,
        S.AVAILABLE,
    ]
    assert [c.kind for c in house.told].count(ChangeKind.REQUEST) == 1
    assert house.arrival().available == house.arrival().wanted == 1


def test_progress_is_a_detail() -> None:
    """Progress is shown and never told."""
    house = House(HOME)
    house.hear(request(FILM, 0, Decision.APPROVED), download(RADARR, FILM, 1))
    told = len(house.told)
    applied = house.hear(download(RADARR, FILM, 2, progress=0.25))
    assert [c.kind for c in applied.changes] == [ChangeKind.DETAIL]
    assert house.arrival().progress == 0.25
    assert len(house.told) == told


def test_a_season_pack_is_one_story() -> None:
    """One download with ten parts makes one change a stage (rule 11)."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 10),
        download(SONARR, SHOW, 3, parts=PACK),
    )
    for number in range(1, 11):
        house.hear(file(SONARR, SHOW, 10 + number, parts=(episode(number),)))
        seen = house.arrival(SHOW, 1)
        assert seen.stage is (S.DOWNLOADED if number == 10 else S.DOWNLOADING)
    house.hear(file(SONARR, SHOW, 30, parts=PACK))
    house.hear(playable(SEERR, SHOW, 40, seasons=(1,)))
    assert house.stages == [S.APPROVED, S.SENT, S.DOWNLOADING, S.DOWNLOADED, S.AVAILABLE]
    seen = house.arrival(SHOW, 1)
    assert (seen.available, seen.wanted, seen.total) == (10, 10, 10)


def test_four_of_a_pack_import_and_six_fail_and_are_grabbed_again() -> None:
    """What failed holds the season back until its second download is in."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 10),
        download(SONARR, SHOW, 3, parts=PACK),
        file(SONARR, SHOW, 4, parts=PACK[:4]),
        download(SONARR, SHOW, 5, DownloadState.FAILED, parts=PACK[4:], problem="CRC error"),
    )
    assert house.stage(SHOW, 1) is S.FAILED
    assert house.arrival(SHOW, 1).problem == "CRC error"
    house.hear(download(SONARR, SHOW, 6, parts=PACK[4:], download_id="DEF"))
    assert house.stage(SHOW, 1) is S.DOWNLOADING
    assert house.arrival(SHOW, 1).problem is None
    house.hear(file(SONARR, SHOW, 7, parts=PACK[4:]))
    assert house.stages[-4:] == [S.DOWNLOADING, S.FAILED, S.DOWNLOADING, S.DOWNLOADED]


def test_failed_shows_only_when_nothing_wanted_is_downloading() -> None:
    """Rule 3: `failed` ranks as `sent`."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 2),
        download(SONARR, SHOW, 3, parts=(episode(1),), download_id="A"),
        download(SONARR, SHOW, 3, parts=(episode(2),), download_id="B"),
        download(SONARR, SHOW, 4, DownloadState.FAILED, parts=(episode(1),), download_id="A"),
    )
    assert house.stage(SHOW, 1) is S.SENT
    house.hear(download(SONARR, SHOW, 5, DownloadState.FAILED, parts=(episode(2),)))
    assert house.stage(SHOW, 1) is S.FAILED


def test_an_upgrade_of_an_available_film_tells_nothing() -> None:
    """A grab does not push back what is there, nor does the better file."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        download(RADARR, FILM, 1),
        file(RADARR, FILM, 2),
        playable(SEERR, FILM, 3),
    )
    told = len(house.told)
    house.hear(
        download(RADARR, FILM, 10, download_id="BETTER"),
        file(RADARR, FILM, 11, opens=False),
        download(RADARR, FILM, 12, DownloadState.IMPORTED, download_id="BETTER"),
    )
    assert house.stage() is S.AVAILABLE
    assert len(house.told) == told


def test_an_upgrade_of_what_the_board_never_saw_is_silent() -> None:
    """Rule 7: the service is asked what it holds before anything is announced."""
    house = House(HOME)
    grab = download(RADARR, FILM, 1)
    applied = house.hear(grab)
    assert applied.reason is Reason.ASKED
    (question,) = applied.questions
    assert (question.kind, question.opening) == (QuestionKind.TITLE, grab)
    applied = house.open(
        grab, held(RADARR, FILM, 2), file(RADARR, FILM, 2, opens=False, confirmed=True)
    )
    assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.UPGRADE)
    house.hear(file(RADARR, FILM, 3, opens=False))
    assert not list(house.board.arrivals())
    assert not house.told


def test_a_grab_of_an_unknown_film_opens_it() -> None:
    """What the service holds is entered silently, then the grab is told."""
    house = House(HOME)
    grab = download(RADARR, FILM, 1)
    house.open(grab, held(RADARR, FILM, 2))
    assert house.stages == [S.DOWNLOADING]


def test_a_first_import_whose_grab_was_lost_is_told() -> None:
    """The file that opens the arrival is the news, not what was there."""
    house = House(HOME)
    news = file(RADARR, FILM, 1)
    assert house.hear(news).reason is Reason.ASKED
    house.open(news, held(RADARR, FILM, 2), file(RADARR, FILM, 2, confirmed=True))
    assert house.stages == [S.DOWNLOADED]


def test_an_addition_is_asked_about_and_opens_its_seasons() -> None:
    """A series that is added opens the seasons in which something is missing."""
    house = House((SONARR,))
    added = held(SONARR, SHOW, 1, opens=True, confirmed=False)
    assert house.hear(added).questions[0].opening == added
    house.open(
        added,
        held(SONARR, SHOW, 2, seasons=(1, 2)),
        episodes(2, 4, season=1, files=frozenset({1, 2, 3, 4})),
        episodes(2, 4, season=2),
    )
    assert [arrival.season for arrival in house.board.arrivals()] == [2]
    assert house.stages == [S.SENT]


def test_a_library_that_is_added_opens_nothing() -> None:
    """Libraries are not arrivals (rule 8)."""
    house = House((SONARR,))
    added = held(SONARR, SHOW, 1, opens=True, confirmed=False)
    applied = house.open(
        added,
        held(SONARR, SHOW, 2, seasons=(1,)),
        episodes(2, 4, files=frozenset({1, 2, 3, 4})),
    )
    assert applied.outcome is Outcome.IGNORED
    assert not list(house.board.arrivals())


def test_an_episode_of_an_ongoing_season_that_the_board_never_saw() -> None:
    """The season was available before; only the new episode is told."""
    house = House((SONARR,))
    grab = download(SONARR, SHOW, 1, parts=(episode(4),))
    listing = episodes(2, 10, aired=4, files=frozenset({1, 2, 3}))
    lines = tuple(
        replace(
            line,
            file_at=NOON - 50 * DAY if line.has_file else None,
            aired_at=NOON - 1 if line.ref.number == 4 else line.aired_at,
        )
        for line in listing.parts
    )
    house.open(grab, held(SONARR, SHOW, 2, seasons=(1,)), replace(listing, parts=lines))
    assert house.stage(SHOW, 1) is S.AVAILABLE
    house.hear(file(SONARR, SHOW, 5, parts=(episode(4),)))
    assert [(c.kind, c.stage, c.part) for c in house.told] == [
        (ChangeKind.PART, S.DOWNLOADING, "e4"),
        (ChangeKind.PART, S.AVAILABLE, "e4"),
    ]


def test_a_grabbed_upgrade_of_an_episode_opens_nothing() -> None:
    """All that was grabbed is there already."""
    house = House((SONARR,))
    grab = download(SONARR, SHOW, 1, parts=(episode(1),))
    applied = house.open(
        grab, held(SONARR, SHOW, 2, seasons=(1,)), episodes(2, 2, files=frozenset({1}))
    )
    assert applied.reason is Reason.UPGRADE


def test_file_deleted_lost_webhook_imported_again_told_by_a_poll_later() -> None:
    """A loss is read back from the service before it counts."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        download(RADARR, FILM, 1),
        file(RADARR, FILM, 2),
        playable(SEERR, FILM, 3),
    )
    applied = house.hear(file(RADARR, FILM, 10, present=False))
    assert applied.reason is Reason.ASKED
    assert applied.questions[0].kind is QuestionKind.TITLE
    assert house.stage() is S.AVAILABLE
    house.hear(file(RADARR, FILM, 11, present=False, confirmed=True))
    assert house.stage() is S.SENT
    house.now += 3600
    house.hear(file(RADARR, FILM, 20))
    assert house.stage() is S.AVAILABLE
    assert house.stages[-3:] == [S.AVAILABLE, S.SENT, S.AVAILABLE]
    assert house.told[-1].late


def test_an_ongoing_season_stays_available_and_tells_each_episode() -> None:
    """Three of ten, weekly: nothing that airs later pulls the season back (rule 3)."""
    house = House((SEERR, SONARR, PLEX))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 10, aired=3),
        file(SONARR, SHOW, 3, parts=PACK[:3]),
        playable(PLEX, SHOW, 4, parts=PACK[:3]),
    )
    seen = house.arrival(SHOW, 1)
    assert (seen.stage, seen.available, seen.wanted, seen.total) == (S.AVAILABLE, 3, 10, 10)
    assert not seen.coming
    house.now = NOON + 7 * DAY + 60
    house.told.clear()
    house.hear(download(SONARR, SHOW, 7 * DAY + 30, parts=(episode(4),), download_id="E4"))
    assert house.arrival(SHOW, 1).coming
    house.hear(
        file(SONARR, SHOW, 7 * DAY + 40, parts=(episode(4),)),
        playable(PLEX, SHOW, 7 * DAY + 50, parts=(episode(4),)),
    )
    assert house.stage(SHOW, 1) is S.AVAILABLE
    assert [(c.kind, c.stage) for c in house.told] == [
        (ChangeKind.PART, S.DOWNLOADING),
        (ChangeKind.PART, S.DOWNLOADED),
        (ChangeKind.PART, S.AVAILABLE),
    ]
    assert not house.arrival(SHOW, 1).coming


def test_a_lost_episode_pulls_its_season_back() -> None:
    """A loss is evidence; what aired later still does not count."""
    house = House((SONARR,))
    house.hear(
        held(SONARR, SHOW, 1, seasons=(1,), opens=True),
        silent=True,
    )
    house.hear(
        episodes(2, 10, aired=3),
        file(SONARR, SHOW, 3, parts=PACK[:3]),
    )
    assert house.stage(SHOW, 1) is S.AVAILABLE
    house.now = NOON + 8 * DAY
    house.hear(file(SONARR, SHOW, 8 * DAY, parts=(episode(2),), present=False, confirmed=True))
    assert house.stage(SHOW, 1) is S.SENT
    house.hear(file(SONARR, SHOW, 8 * DAY + 9, parts=(episode(2),)))
    assert house.stage(SHOW, 1) is S.AVAILABLE


def test_a_season_without_a_list_moves_to_downloading_at_most() -> None:
    """A season is counted only when its episode list is known (rule 3)."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        download(SONARR, SHOW, 1, parts=(episode(1),)),
        file(SONARR, SHOW, 2, parts=(episode(1),)),
    )
    assert house.stage(SHOW, 1) is S.DOWNLOADING
    assert any(
        question.kind is QuestionKind.TITLE and question.seasons == (1,)
        for applied in house.answers
        for question in applied.questions
    )
    house.hear(episodes(3, 1, files=frozenset({1})))
    assert house.stage(SHOW, 1) is S.DOWNLOADED


def test_specials_are_season_zero() -> None:
    """Specials travel like any season, and are no part of season one."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(0,)),
        held(SONARR, SHOW, 1, seasons=(0, 1)),
        episodes(2, 2, season=0),
        file(SONARR, SHOW, 3, parts=(episode(1, 0), episode(2, 0))),
    )
    assert [arrival.season for arrival in house.board.arrivals()] == [0]
    assert house.stage(SHOW, 0) is S.DOWNLOADED


def test_a_daily_show_without_numbers_is_matched_by_air_date() -> None:
    """An air date stands in for a missing number (rule 10)."""
    house = House((SEERR, SONARR, PLEX))
    dated = PartRef(season=2026, number=None, air_date="2026-03-01")
    line = PartState(
        ref=PartRef(season=2026, number=60, air_date="2026-03-01", own_id=5),
        wanted=True,
        aired_at=NOON - DAY,
        has_file=True,
    )
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(2026,)),
        playable(PLEX, SHOW, 1, parts=(dated,)),
    )
    assert list(house.arrival(SHOW, 2026).parts) == ["d2026-03-01"]
    house.hear(
        held(SONARR, SHOW, 2, seasons=(2026,)),
        replace(episodes(3, 1, season=2026), parts=(line,)),
    )
    assert list(house.arrival(SHOW, 2026).parts) == ["e60"]
    assert house.stage(SHOW, 2026) is S.AVAILABLE


def test_hd_and_4k_of_one_film_through_one_seerr() -> None:
    """Two tiers are two arrivals (rule 6)."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED, number=1),
        request(FILM, 0, Decision.APPROVED, number=2, tier=Tier.UHD),
        download(RADARR, FILM, 1),
        file(RADARR, FILM, 2),
        playable(SEERR, FILM, 3, tier=Tier.HD),
        held(RADARR_4K, FILM, 4),
    )
    assert house.stage(tier=Tier.HD) is S.AVAILABLE
    assert house.stage(tier=Tier.UHD) is S.SENT


def test_a_request_of_unknown_tier_touches_no_arrival_until_read() -> None:
    """Rule 6: the request is kept, and read."""
    house = House(HOME)
    applied = house.hear(request(FILM, 0, tier=Tier.UNKNOWN, initial=True, confirmed=False))
    assert not list(house.board.arrivals())
    assert [q.kind for q in applied.questions] == [QuestionKind.REQUEST]
    house.hear(request(FILM, 1))
    assert house.stages == [S.REQUESTED]


def said_to_be_4k(at: float = 0) -> RequestReport:
    """Return a request that an event calls one for 4K, as nobody has read it yet."""
    return request(FILM, at, tier=Tier.UHD, initial=True, confirmed=False)


def test_a_request_that_was_called_4k_and_is_not_goes_on_as_what_it_is() -> None:
    """Rule 6: it is one journey, told once; its Radarr is asked."""
    house = House(HOME)
    house.hear(said_to_be_4k())
    (opened,) = house.board.arrivals()
    assert opened.tier is Tier.UHD
    applied = house.hear(request(FILM, 1, tier=Tier.HD))
    (corrected,) = house.board.arrivals()
    assert (corrected.id, corrected.tier, corrected.stage) == (opened.id, Tier.HD, S.REQUESTED)
    assert {(q.service, q.kind) for q in applied.questions} == {(RADARR.id, QuestionKind.TITLE)}
    assert house.stages == [S.REQUESTED]
    house.hear(request(FILM, 2, tier=Tier.UHD, initial=True, confirmed=False))
    assert [arrival.tier for arrival in house.board.arrivals()] == [Tier.HD], "read is read"


def test_a_4k_journey_that_was_none_goes_where_the_other_is_there_already() -> None:
    house = House(HOME)
    house.hear(held(RADARR, FILM, 0, opens=True), file(RADARR, FILM, 1), silent=True)
    (copy,) = house.board.arrivals()
    house.hear(said_to_be_4k(2))
    (ghost,) = (one for one in house.board.arrivals() if one.tier is Tier.UHD)
    applied = house.hear(request(FILM, 3, Decision.APPROVED, tier=Tier.HD))
    assert applied.dropped_arrivals == (ghost.id,)
    (left,) = house.board.arrivals()
    assert left.id == copy.id
    assert [key for _, key in left.requests] == [1]
    assert house.board.get(ghost.id) is None


@pytest.mark.parametrize("what", ["held", "download", "file", "playable", "request"])
def test_a_4k_journey_that_somebody_else_speaks_of_stays(what: str) -> None:
    house = House(HOME)
    house.hear(said_to_be_4k())
    more: dict[str, AnyReport] = {
        "held": held(RADARR_4K, FILM, 1),
        "download": download(RADARR_4K, FILM, 1),
        "file": file(RADARR_4K, FILM, 1),
        "playable": playable(SEERR, FILM, 1, tier=Tier.UHD),
        "request": request(FILM, 1, number=2, tier=Tier.UHD),
    }
    house.hear(more[what])
    house.hear(request(FILM, 2, tier=Tier.HD))
    assert {arrival.tier for arrival in house.board.arrivals()} == {Tier.HD, Tier.UHD}


def test_a_request_whose_seasons_are_not_known_yet() -> None:
    """Seasons are read, never guessed."""
    house = House(HOME)
    applied = house.hear(request(SHOW, 0, initial=True, confirmed=False))
    assert not list(house.board.arrivals())
    assert [q.kind for q in applied.questions] == [QuestionKind.REQUEST]
    house.hear(request(SHOW, 1, seasons=(1, 2)))
    assert sorted(arrival.season or 0 for arrival in house.board.arrivals()) == [1, 2]


def test_a_season_that_has_not_aired_does_not_hold_its_request_back() -> None:
    """One request for three seasons of which one has not aired."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1, 2, 3)),
        held(SONARR, SHOW, 1, seasons=(1, 2, 3)),
        episodes(2, 2, season=1),
        episodes(2, 2, season=2),
        episodes(2, 2, season=3, aired=0),
    )
    for season in (1, 2):
        parts = (episode(1, season), episode(2, season))
        house.hear(
            file(SONARR, SHOW, 3, parts=parts),
            playable(SEERR, SHOW, 4, seasons=(season,)),
        )
    assert house.stage(SHOW, 3) is S.SENT
    (told,) = [c for c in house.told if c.kind is ChangeKind.REQUEST]
    assert told.request is not None
    assert told.request.stage is S.AVAILABLE


def test_two_requests_for_different_seasons_by_two_people() -> None:
    """One ends available, the other declined."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, number=1, seasons=(1,), who="Mia"),
        request(SHOW, 0, number=2, seasons=(2,), who="Ben"),
        request(SHOW, 1, Decision.APPROVED, number=1, seasons=(1,)),
        request(SHOW, 1, Decision.DECLINED, number=2, seasons=(2,)),
        held(SONARR, SHOW, 2, seasons=(1,)),
        episodes(2, 1),
        file(SONARR, SHOW, 3, parts=(episode(1),)),
        playable(SEERR, SHOW, 4, seasons=(1,)),
    )
    assert house.stage(SHOW, 1) is S.AVAILABLE
    assert house.stage(SHOW, 2) is S.DECLINED
    requests = {one.request_id: one.stage for one in house.board.requests()}
    assert requests == {1: S.AVAILABLE, 2: S.DECLINED}


def test_declined_after_it_was_sent() -> None:
    """An arrival is declined only when no service holds it (rule 4)."""
    house = House(HOME)
    house.hear(request(FILM, 0, Decision.APPROVED), held(RADARR, FILM, 1))
    applied = house.hear(request(FILM, 2, Decision.DECLINED, confirmed=False))
    assert applied.reason is Reason.ASKED
    house.hear(request(FILM, 3, Decision.DECLINED))
    assert house.stage() is S.SENT
    assert next(iter(house.board.requests())).stage is S.DECLINED
    house.hear(held(RADARR, FILM, 4, yes=False))
    assert house.stage() is S.REMOVED


def test_a_series_known_by_tmdb_to_seerr_and_by_tvdb_to_sonarr() -> None:
    """Titles merge when a service states both ids; what was told is not told again."""
    house = House(HOME)
    by_tmdb = replace(SHOW, ids=ExternalIds(tmdb=4002), own_id=None)
    by_tvdb = replace(SHOW, ids=ExternalIds(tvdb=70_002))
    house.hear(request(by_tmdb, 0, Decision.APPROVED, seasons=(1,)))
    first = house.arrival(by_tmdb, 1).id
    house.now += 1
    house.hear(held(SONARR, by_tvdb, 1, seasons=(1,), opens=True), silent=True)
    second = house.arrival(by_tvdb, 1).id
    house.hear(download(SONARR, by_tvdb, 2, parts=(episode(1),)))
    told = list(house.stages)
    applied = house.hear(download(SONARR, SHOW, 3, parts=(episode(1),), progress=0.1))
    assert applied.dropped_arrivals == (second,)
    assert house.stages == told
    merged = house.board.get(second)
    assert merged is not None
    assert merged.id == first
    assert merged.stage is S.DOWNLOADING
    assert house.board.counts[S.DOWNLOADING] == 1
    assert sum(house.board.counts.values()) == 1


def test_a_direct_addition_that_is_requested_later() -> None:
    """The request joins the arrival that is there; nothing moves back."""
    house = House((RADARR, SEERR))
    added = held(RADARR, FILM, 0, opens=True, confirmed=False)
    house.hear(added)
    house.open(added, held(RADARR, FILM, 0))
    house.hear(download(RADARR, FILM, 1), request(FILM, 2))
    assert house.stages == [S.SENT, S.DOWNLOADING]
    assert house.arrival().requests == (("seerr", 1),)


def test_a_title_deleted_in_radarr() -> None:
    """A deletion is read back; then the arrival is removed, and can be left again."""
    house = House((RADARR, SEERR))
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        held(RADARR, FILM, 1),
        file(RADARR, FILM, 2),
        playable(SEERR, FILM, 3),
    )
    assert house.hear(held(RADARR, FILM, 4, yes=False, confirmed=False)).reason is Reason.ASKED
    house.hear(held(RADARR, FILM, 5, yes=False))
    assert house.stage() is S.REMOVED
    house.hear(
        request(FILM, 6, Decision.APPROVED, number=2),
    )
    house.hear(held(RADARR, FILM, 7))
    assert house.stage() is S.SENT
    assert house.arrival().journey == 2


def test_deleted_in_radarr_while_a_media_server_still_plays_it() -> None:
    """A media server's word outlives the title's removal (rule 2)."""
    house = House((RADARR, PLEX))
    house.hear(held(RADARR, FILM, 0, opens=True), silent=True)
    house.hear(
        file(RADARR, FILM, 1),
        playable(PLEX, FILM, 2),
        held(RADARR, FILM, 3, yes=False),
    )
    assert house.stage() is S.AVAILABLE
    house.hear(playable(PLEX, FILM, 4, yes=False))
    assert house.stage() is S.REMOVED


def test_failed_and_retried() -> None:
    """A hand-over that failed can be left again."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED, initial=True, confirmed=False),
        request(FILM, 1, Decision.FAILED, confirmed=False),
    )
    assert house.stage() is S.FAILED
    house.hear(request(FILM, 2, Decision.APPROVED, confirmed=False), held(RADARR, FILM, 3))
    assert house.stages == [S.APPROVED, S.FAILED, S.APPROVED, S.SENT]


@pytest.mark.parametrize("reverse", [False, True])
def test_failed_and_auto_approved_in_either_order(reverse: bool) -> None:
    """Auto-approval is said when the request is made, so it is never the newer word."""
    house = House(HOME)
    pair = [
        request(FILM, 0.000, Decision.APPROVED, initial=True, confirmed=False),
        request(FILM, 0.033, Decision.FAILED, confirmed=False),
    ]
    if reverse:
        pair = [replace(pair[1], at=NOON), replace(pair[0], at=NOON + 0.033)]
    house.hear(*pair)
    assert house.stage() is S.FAILED


def test_available_doubled_late_and_before_the_import() -> None:
    """Seerr's word may come before the import; it is told once."""
    house = House((SEERR, RADARR))
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        download(RADARR, FILM, 1),
        playable(SEERR, FILM, 2),
        playable(SEERR, FILM, 2.1),
        file(RADARR, FILM, 3),
        playable(SEERR, FILM, 500),
    )
    assert house.stages.count(S.AVAILABLE) == 1
    assert [c.kind for c in house.told].count(ChangeKind.REQUEST) == 1
    assert house.stages[-1] is S.AVAILABLE


def test_two_radarrs_with_one_name_keep_their_own_words() -> None:
    """A loss withdraws only that service's claim (rule 1)."""
    second = replace(RADARR, id="radarr-two")
    house = House((RADARR, second))
    house.hear(held(RADARR, FILM, 0, opens=True), silent=True)
    house.hear(
        file(RADARR, FILM, 1),
        file(second, replace(FILM, own_id=99), 2),
        file(RADARR, FILM, 3, present=False, confirmed=True),
    )
    assert house.stage() is S.AVAILABLE
    house.hear(file(second, replace(FILM, own_id=99), 4, present=False, confirmed=True))
    assert house.stage() is S.SENT


def test_a_service_removed_and_added_again_with_reused_ids() -> None:
    """External ids overrule a service's own (rule 5); removal takes no arrival (rule 12)."""
    house = House((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.APPROVED), download(RADARR, FILM, 1))
    told = len(house.told)
    in_one(house.board.removing("radarr", now=house.now))
    assert house.stage() is S.APPROVED
    assert len(house.told) == told
    in_one(house.board.configuring(RADARR, now=house.now))
    other = TitleRef(
        media_type=FILM.media_type, ids=ExternalIds(tmdb=5), own_id=FILM.own_id, name="Other"
    )
    house.open(download(RADARR, other, 10), held(RADARR, other, 10))
    assert house.stage(other) is S.DOWNLOADING
    assert house.stage() is S.APPROVED


def test_reused_ids_without_removal() -> None:
    """A reinstalled Radarr gives an old id to another film."""
    house = House((SEERR, RADARR))
    house.hear(request(FILM, 0, Decision.APPROVED), download(RADARR, FILM, 1))
    other = replace(FILM, ids=ExternalIds(tmdb=5), name="Other")
    assert house.hear(held(RADARR, other, 2)).reason is Reason.NOT_TRACKED
    house.open(download(RADARR, other, 3, download_id="X"), held(RADARR, other, 3))
    bare = replace(FILM, ids=ExternalIds(), name=None)
    house.hear(file(RADARR, bare, 4))
    assert house.stage(other) is S.DOWNLOADED
    assert house.stage() is S.DOWNLOADING


def test_no_ids_are_no_title() -> None:
    """Nothing is matched by name, and nothing is guessed."""
    house = House(HOME)
    bare = TitleRef(media_type=FILM.media_type, name=FILM.name, year=FILM.year)
    house.hear(request(FILM, 0))
    assert house.hear(request(bare, 1, number=2)).reason is Reason.NO_IDS
    assert house.hear(download(RADARR, bare, 1)).reason is Reason.NO_IDS
    assert house.hear(file(RADARR, bare, 1, opens=False)).reason is Reason.NOT_TRACKED
    assert len(list(house.board.arrivals())) == 1


def test_the_same_request_number_for_another_title_is_a_new_request() -> None:
    """Rule 4: after a reinstall Seerr counts from one again."""
    house = House(HOME)
    house.hear(request(FILM, 0))
    applied = house.hear(request(SHOW, 1, seasons=(1,)))
    assert applied.dropped_requests == (("seerr", 1),)
    assert house.arrival().requests == ()
    assert house.arrival(SHOW, 1).requests == (("seerr", 1),)


def test_a_request_deleted_in_seerr() -> None:
    """Without a request and out of every service the arrival is removed."""
    house = House(HOME)
    house.hear(request(FILM, 0))
    gone = replace(request(FILM, 1, Decision.REMOVED), title=TitleRef(media_type=FILM.media_type))
    house.hear(gone)
    assert house.stage() is S.REMOVED
    assert house.hear(replace(gone, request_id=77)).reason is Reason.NOT_TRACKED


def test_a_blocked_import_is_downloaded_with_a_problem() -> None:
    """Rule 2."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        download(RADARR, FILM, 1),
        download(RADARR, FILM, 2, DownloadState.BLOCKED, problem="No files found"),
    )
    assert house.stage() is S.DOWNLOADED
    assert house.arrival().problem == "No files found"


def test_a_download_that_is_ignored_goes_back_to_sent() -> None:
    """A row that a person removed is no failure."""
    house = House(HOME)
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        download(RADARR, FILM, 1),
    )
    assert house.board.active_downloads("radarr") == {"abc"}
    bare = TitleRef(media_type=FILM.media_type)
    house.hear(download(RADARR, bare, 2, DownloadState.GONE))
    assert house.stage() is S.SENT
    assert house.board.active_downloads("radarr") == frozenset()


def test_only_seerr_tells_the_whole_way() -> None:
    """Without Radarr, hand-over and downloads are Seerr's to tell."""
    house = House((SEERR,))
    house.hear(
        request(FILM, 0, Decision.APPROVED),
        held(SEERR, FILM, 1, tier=Tier.HD),
        download(SEERR, FILM, 2, tier=Tier.HD),
        download(SEERR, FILM, 3, DownloadState.COMPLETE, tier=Tier.HD),
        playable(SEERR, FILM, 4),
    )
    assert house.stages == [S.APPROVED, S.SENT, S.DOWNLOADING, S.DOWNLOADED, S.AVAILABLE]


def test_seerr_hands_over_titles_not_seasons() -> None:
    """A season whose request is pending is not sent because another season was."""
    house = House((SEERR,))
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(1,)),
        request(SHOW, 0, number=2, seasons=(2,)),
        held(SEERR, SHOW, 1, tier=Tier.HD),
    )
    assert house.stage(SHOW, 1) is S.SENT
    assert house.stage(SHOW, 2) is S.REQUESTED


def test_a_season_that_sonarr_does_not_have_is_told_by_seerr() -> None:
    """Rule 10: where the numbering differs no season is guessed."""
    house = House(HOME)
    house.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(4,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        replace(episodes(2, 1, season=4), parts=()),
        held(SEERR, SHOW, 3, tier=Tier.HD),
    )
    assert house.arrival(SHOW, 4).misfit
    assert house.stage(SHOW, 4) is S.SENT
    house.hear(playable(SEERR, SHOW, 4, seasons=(4,)))
    assert house.stage(SHOW, 4) is S.AVAILABLE


def test_imported_ends_the_journey_without_seerr_and_media_server() -> None:
    """Rule 2; adding a service later takes nothing back."""
    house = House((RADARR,))
    house.hear(held(RADARR, FILM, 0, opens=True), silent=True)
    house.hear(download(RADARR, FILM, 1), file(RADARR, FILM, 2))
    assert house.stage() is S.AVAILABLE
    in_one(house.board.configuring(SEERR, now=house.now))
    assert house.stage() is S.AVAILABLE
    house.hear(file(RADARR, FILM, 3, present=False, confirmed=True))
    assert house.stage() is S.SENT


def test_unrequested_and_imported_asks_seerr_whether_it_can_be_played() -> None:
    """Seerr tells nothing by itself about what nobody requested."""
    house = House((SEERR, RADARR))
    house.hear(held(RADARR, FILM, 0, opens=True), silent=True)
    applied = house.hear(file(RADARR, FILM, 2))
    assert house.stage() is S.DOWNLOADED
    assert QuestionKind.AVAILABILITY in {q.kind for q in applied.questions}
    assert [ref.ids.tmdb for ref in house.board.open_titles("seerr")] == [9001]


def test_a_dismissed_arrival_is_silent_until_new_evidence() -> None:
    """Dismissing hides what is, not what comes."""
    house = House(HOME)
    house.hear(request(FILM, 0))
    key = house.arrival().id
    house.board.dismiss(key, now=house.now, origin=house.told[0].origin)
    assert house.arrival().dismissed
    house.hear(request(FILM, 1, Decision.APPROVED))
    assert not house.arrival().dismissed
    assert house.stages == [S.REQUESTED, S.APPROVED]
    assert (
        house.board.dismiss("nothing", now=1, origin=house.told[0].origin).outcome
        is Outcome.IGNORED
    )
