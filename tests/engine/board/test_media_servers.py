"""What media servers have, by tier and episode, and who watched it (rules 2, 6, 9, 10)."""

from dataclasses import replace

import pytest

from custom_components.media_arrivals.engine.board.models import (
    SOMEBODY,
    Applied,
    Change,
    ChangeKind,
    Decision,
    ExternalIds,
    MediaType,
    Outcome,
    PartRef,
    Person,
    PlayableReport,
    Question,
    QuestionKind,
    Reason,
    Role,
    Service,
    Stage,
    Tier,
    TitleRef,
)

from .household import (
    ANNA,
    BEN,
    FILM,
    NOON,
    PLEX,
    RADARR,
    RADARR_4K,
    SEERR,
    SHOW,
    SONARR,
    House,
    episodes,
    file,
    held,
    in_one,
    origin,
    playable,
    request,
    watched,
)

JELLYFIN = Service(id="jellyfin", kind="jellyfin", role=Role.PLAYBACK)
TAUTULLI = Service(id="tautulli", kind="tautulli", role=Role.WATCHING)


def listing(
    title: TitleRef,
    at: float,
    *numbers: int,
    service: Service = PLEX,
    tier: Tier = Tier.HD,
    yes: bool = True,
    season: int = 1,
) -> PlayableReport:
    """Say all that a media server has of a title in a tier."""
    film = title.media_type is MediaType.MOVIE
    return replace(
        playable(
            service,
            replace(title, own_id=None),
            at,
            yes=yes if film else bool(numbers),
            parts=tuple(PartRef(season=season, number=number) for number in numbers),
            seasons=() if film else (season,),
            tier=tier,
        ),
        complete=True,
    )


@pytest.fixture
def house() -> House:
    return House((SEERR, RADARR, RADARR_4K, SONARR, PLEX))


@pytest.fixture
def season(house: House) -> House:
    """A season of three episodes, all of them imported."""
    house.hear(held(SONARR, SHOW, 1, seasons=(1,), opens=True), silent=True)
    house.hear(episodes(2, 3, files=frozenset({1, 2, 3})))
    assert house.stage(SHOW, 1) is Stage.DOWNLOADED
    house.told.clear()
    return house


# --- films, by tier ---------------------------------------------------------------------


def test_each_arrival_needs_a_copy_of_its_tier(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), file(RADARR_4K, FILM, 1), silent=True)
    house.hear(listing(FILM, 2), listing(FILM, 2, tier=Tier.UHD, yes=False))
    assert house.stage(FILM) is Stage.AVAILABLE
    assert house.stage(FILM, tier=Tier.UHD) is Stage.DOWNLOADED
    house.hear(listing(FILM, 3, tier=Tier.UHD))
    assert house.stage(FILM, tier=Tier.UHD) is Stage.AVAILABLE
    assert house.stages == [Stage.AVAILABLE, Stage.AVAILABLE]


def test_a_copy_of_unknown_tier_counts_where_there_is_one_journey(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), silent=True)
    house.hear(listing(FILM, 2, tier=Tier.UNKNOWN))
    assert house.stage(FILM) is Stage.AVAILABLE
    house.hear(file(RADARR_4K, FILM, 3), silent=True)
    applied = house.hear(listing(FILM, 4, tier=Tier.UNKNOWN))
    assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.NOT_TRACKED)
    assert house.stage(FILM, tier=Tier.UHD) is Stage.DOWNLOADED


def test_a_media_server_does_not_say_which_tier_was_asked_for(house: House) -> None:
    mixed = replace(RADARR, tier=None)
    in_one(house.board.configuring(mixed, now=NOON))
    house.hear(held(mixed, FILM, 1, opens=True), silent=True)
    house.hear(listing(FILM, 2), listing(FILM, 2, tier=Tier.UHD, yes=False))
    # It has one, in whichever quality; that it lacks another one says nothing.
    assert house.stage(FILM, tier=Tier.UNKNOWN) is Stage.AVAILABLE


def test_what_a_server_lists_as_absent_is_not_there_whatever_seerr_says(house: House) -> None:
    house.hear(request(FILM, 0, Decision.APPROVED), file(RADARR, FILM, 1))
    house.hear(listing(FILM, 2, yes=False), playable(SEERR, FILM, 3))
    assert house.stage(FILM) is Stage.DOWNLOADED
    house.hear(listing(FILM, 4))
    assert house.stage(FILM) is Stage.AVAILABLE


def test_one_of_several_servers_is_enough() -> None:
    house = House((RADARR, PLEX, JELLYFIN))
    house.hear(file(RADARR, FILM, 1), silent=True)
    house.hear(listing(FILM, 2, yes=False), listing(FILM, 3, service=JELLYFIN))
    assert house.stage(FILM) is Stage.AVAILABLE


def test_what_nobody_waits_for_opens_nothing(house: House) -> None:
    for report in (listing(FILM, 1), watched(FILM, 1), listing(SHOW, 1, 1, 2)):
        applied = house.hear(report)
        assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.NOT_TRACKED)
    assert not list(house.board.arrivals())


def test_ids_that_contradict_each_other_mean_nothing(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), listing(FILM, 2), silent=True)
    both = replace(FILM, ids=ExternalIds(tmdb=5, imdb="tt0009001"))
    assert house.board.losses(listing(both, 3, yes=False)) == 0
    applied = house.hear(listing(both, 3, yes=False))
    assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.CONFLICT)


# --- seasons ----------------------------------------------------------------------------


def test_a_season_is_there_when_all_its_episodes_are(season: House) -> None:
    season.hear(listing(SHOW, 10, 1, 2))
    arrival = season.arrival(SHOW, 1)
    assert (arrival.stage, arrival.available, arrival.wanted) == (Stage.DOWNLOADED, 2, 3)
    season.hear(listing(SHOW, 11, 1, 2, 3))
    assert season.stage(SHOW, 1) is Stage.AVAILABLE
    assert season.stages == [Stage.AVAILABLE]


def test_episodes_that_are_not_named_are_absent(season: House) -> None:
    season.hear(listing(SHOW, 10, 1, 2, 3))
    assert season.board.losses(listing(SHOW, 20, 1)) == 2
    assert season.board.losses(replace(listing(SHOW, 20, 1), complete=False)) == 0
    season.hear(listing(SHOW, 20, 1))
    arrival = season.arrival(SHOW, 1)
    assert (arrival.stage, arrival.available) == (Stage.DOWNLOADED, 1)


def test_an_empty_answer_is_absence_of_the_season(season: House) -> None:
    season.hear(
        request(SHOW, 3, Decision.APPROVED, seasons=(1,)), playable(SEERR, SHOW, 4, seasons=(1,))
    )
    assert season.stage(SHOW, 1) is Stage.AVAILABLE
    season.hear(listing(SHOW, 10))
    assert season.stage(SHOW, 1) is Stage.DOWNLOADED


def test_other_seasons_and_other_tiers_say_nothing_of_this_one(season: House) -> None:
    assert season.hear(listing(SHOW, 10, 1, 2, 3, season=2)).outcome is Outcome.IGNORED
    assert season.hear(listing(SHOW, 10, 1, 2, 3, tier=Tier.UHD)).outcome is Outcome.IGNORED
    assert season.stage(SHOW, 1) is Stage.DOWNLOADED


def test_a_server_that_counts_otherwise_adds_no_episode(season: House) -> None:
    season.hear(listing(SHOW, 10, 1, 2, 3, 4))
    assert season.arrival(SHOW, 1).total == 3
    assert season.stage(SHOW, 1) is Stage.AVAILABLE


def test_episodes_of_a_season_without_a_list_are_kept_until_it_comes(house: House) -> None:
    house.hear(request(SHOW, 0, Decision.APPROVED, seasons=(1,)))
    house.hear(listing(SHOW, 1, 1, 2))
    # Two of how many? One part's word moves it no further.
    assert house.stage(SHOW, 1) is Stage.DOWNLOADING
    house.hear(held(SONARR, SHOW, 2, seasons=(1,)), episodes(3, 2, files=frozenset({1, 2})))
    assert house.stage(SHOW, 1) is Stage.AVAILABLE


def test_a_copy_of_unknown_quality_makes_no_episode_absent(season: House) -> None:
    season.hear(listing(SHOW, 10, 1, 2, 3))
    season.hear(listing(SHOW, 11, 1, tier=Tier.UNKNOWN))
    assert season.stage(SHOW, 1) is Stage.AVAILABLE


def test_the_same_answer_again_says_nothing_new(season: House) -> None:
    season.hear(listing(SHOW, 10, 1, 2, 3))
    applied = season.hear(listing(SHOW, 11, 1, 2, 3))
    assert (applied.outcome, applied.reason) == (Outcome.IGNORED, Reason.STALE)
    assert season.board.losses(listing(FILM, 12, yes=False)) == 0


def test_a_word_of_the_same_moment_changes_nothing(season: House) -> None:
    season.hear(listing(SHOW, 10, 1, 2, 3))
    before = season.arrival(SHOW, 1)
    season.hear(listing(SHOW, 10, 1, 2, 3))
    assert season.arrival(SHOW, 1).parts == before.parts


def test_the_loss_of_a_film_is_one(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), listing(FILM, 2), silent=True)
    assert house.board.losses(listing(FILM, 3, yes=False)) == 1
    assert house.board.losses(listing(FILM, 3)) == 0


# --- what a media server is asked about -----------------------------------------------------


def test_a_media_server_is_asked_about_what_is_imported_or_was_there(house: House) -> None:
    house.hear(request(FILM, 0, Decision.APPROVED))
    assert house.board.open_titles("plex") == ()
    house.hear(file(RADARR, FILM, 1))
    assert [one.ids for one in house.board.open_titles("plex")] == [FILM.ids]
    assert [one.ids for one in house.board.imported_titles()] == [FILM.ids]
    house.hear(listing(FILM, 2))
    assert house.board.imported_titles() == ()
    assert [one.ids for one in house.board.open_titles("plex")] == [FILM.ids]


def test_tautulli_is_asked_about_nothing(house: House) -> None:
    in_one(house.board.configuring(TAUTULLI, now=NOON))
    house.hear(file(RADARR, FILM, 1), silent=True)
    assert house.board.open_titles("tautulli") == ()


def test_what_tautulli_tells_of_its_plex_counts_like_a_media_servers_word() -> None:
    house = House((RADARR, PLEX, TAUTULLI))
    house.hear(file(RADARR, FILM, 1), silent=True)
    house.hear(playable(TAUTULLI, FILM, 2, tier=Tier.UNKNOWN))
    assert house.stage(FILM) is Stage.AVAILABLE
    # That another media server does not have it says nothing about Tautulli's.
    house.hear(listing(FILM, 3, yes=False))
    assert house.stage(FILM) is Stage.AVAILABLE


def test_what_tautulli_told_of_a_file_that_was_lost_says_nothing_of_the_next_one() -> None:
    house = House((RADARR, PLEX, TAUTULLI))
    house.hear(file(RADARR, FILM, 1), silent=True)
    house.hear(playable(TAUTULLI, FILM, 2, tier=Tier.UNKNOWN))
    house.hear(file(RADARR, FILM, 3, present=False, confirmed=True))
    assert house.stage(FILM) is Stage.SENT
    house.hear(file(RADARR, FILM, 4))
    assert house.stage(FILM) is Stage.DOWNLOADED
    house.hear(playable(TAUTULLI, FILM, 5, tier=Tier.UNKNOWN))
    assert house.stage(FILM) is Stage.AVAILABLE


def test_an_answer_without_a_season_is_about_all_of_them(season: House) -> None:
    season.hear(listing(SHOW, 10, 1, 2, 3))
    nothing = replace(listing(SHOW, 11), seasons=())
    assert season.board.losses(nothing) == 3
    season.hear(nothing)
    assert season.stage(SHOW, 1) is Stage.DOWNLOADED


# --- who watched ------------------------------------------------------------------------------


def told_watches(house: House) -> list[tuple[str, bool, str | None, tuple[str, ...]]]:
    changes = [change for change in house.told if change.kind is ChangeKind.WATCHED]
    return [
        (change.watch.viewer, change.watch.watched, change.part, change.parts)
        for change in changes
        if change.watch is not None
    ]


def test_a_film_is_watched_once_by_each(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), silent=True)
    house.hear(watched(FILM, 5), watched(FILM, 5), watched(FILM, 9), watched(FILM, 6, BEN))
    assert told_watches(house) == [(ANNA, True, None, ()), (BEN, True, None, ())]
    assert {one.viewer: one.watched for one in house.arrival().whole.watches} == {
        ANNA: True,
        BEN: True,
    }
    # It is no stage.
    assert house.stage() is Stage.DOWNLOADED


def test_unwatched_takes_it_back_whatever_comes_late(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), silent=True)
    house.hear(watched(FILM, 5), watched(FILM, 9), watched(FILM, 7, yes=False))
    assert told_watches(house) == [(ANNA, True, None, ())]
    house.hear(watched(FILM, 10, yes=False), watched(FILM, 8))
    assert told_watches(house)[1:] == [(ANNA, False, None, ())]
    house.hear(watched(FILM, 11))
    assert told_watches(house)[2:] == [(ANNA, True, None, ())]


def test_what_nobody_watched_cannot_be_unwatched(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), silent=True)
    assert house.hear(watched(FILM, 5, yes=False)).outcome is Outcome.IGNORED
    assert told_watches(house) == []
    # What was said before does not count any more.
    house.hear(watched(FILM, 4))
    assert told_watches(house) == []


def test_both_qualities_of_a_film_are_watched_and_it_is_told_once(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), file(RADARR_4K, FILM, 1), silent=True)
    house.hear(watched(FILM, 5))
    assert told_watches(house) == [(ANNA, True, None, ())]
    for tier in (Tier.HD, Tier.UHD):
        assert house.arrival(tier=tier).whole.watches[0].viewer == ANNA


def test_several_episodes_in_one_word_are_told_together(season: House) -> None:
    season.hear(watched(SHOW, 5, ANNA, 1, 2, 9))
    assert told_watches(season) == [(ANNA, True, "e1", ("e1", "e2"))]
    applied = season.hear(watched(SHOW, 6, ANNA, 9))
    assert applied.reason is Reason.NOT_TRACKED


def test_a_baseline_tells_no_watching(season: House) -> None:
    season.hear(watched(SHOW, 5, ANNA, 1), silent=True)
    assert told_watches(season) == []
    assert season.arrival(SHOW, 1).parts["e1"].watches


def forget(house: House, viewer: str) -> Applied:
    """Have the board forget what somebody watched."""
    return in_one(
        house.board.screening_viewers(
            lambda one: None if one == viewer else one, now=NOON + 1000, origin=origin(PLEX)
        )
    )


def test_of_whom_nothing_is_kept_somebody_watched_it(season: House) -> None:
    season.hear(watched(SHOW, 5, ANNA, 1), watched(SHOW, 6, BEN, 1), watched(SHOW, 7, BEN, 2))
    season.hear(watched(SHOW, 8, BEN, 1, yes=False))
    season.told.clear()
    applied = in_one(
        season.board.screening_viewers(
            lambda _: f"plex:{SOMEBODY}", now=NOON + 1000, origin=origin(PLEX)
        )
    )
    assert not any(change.told for change in applied.changes)
    parts = season.arrival(SHOW, 1).parts
    # Whoever took it back does not take back what another watched.
    assert [(one.viewer, one.watched) for one in parts["e1"].watches] == [("plex:somebody", True)]
    assert [(one.viewer, one.watched) for one in parts["e2"].watches] == [("plex:somebody", True)]


def test_a_viewing_of_somebodys_is_not_told_again_when_it_is_known_whose_it_was(
    season: House,
) -> None:
    season.hear(watched(SHOW, 5, f"plex:{SOMEBODY}", 1))
    season.told.clear()
    applied = season.board.apply(watched(SHOW, 5.5, ANNA, 1), now=NOON + 1000)
    assert applied.outcome is Outcome.PROCESSED
    assert not any(change.told for change in applied.changes)
    assert [one.viewer for one in season.arrival(SHOW, 1).parts["e1"].watches] == [ANNA]
    # Another time is another viewing.
    season.hear(watched(SHOW, 500, f"plex:{SOMEBODY}", 2), watched(SHOW, 900, ANNA, 2))
    assert len(told_watches(season)) == 2


def test_who_is_forgotten_watched_nothing(season: House) -> None:
    season.hear(file(RADARR, FILM, 1), silent=True)
    season.hear(watched(SHOW, 5, ANNA, 1), watched(SHOW, 6, BEN, 1), watched(FILM, 7))
    season.told.clear()
    applied = forget(season, ANNA)
    assert {one.season for one in applied.arrivals} == {1, None}
    assert [one.viewer for one in season.arrival(SHOW, 1).parts["e1"].watches] == [BEN]
    assert not season.arrival(FILM).whole.watches
    assert not any(change.told for change in applied.changes)
    again = forget(season, ANNA)
    assert again.arrivals == ()


def test_who_asked_is_forgotten_and_the_request_stays(house: House) -> None:
    house.hear(request(FILM, 1, number=1, who="Mia"), request(SHOW, 2, number=2, who="Ben"))
    house.hear(request(FILM, 3, number=3, who="MIA"))
    house.told.clear()

    def mia(service: str, who: Person) -> bool:
        return service == "seerr" and who.name.casefold() == "mia"

    by = origin(SEERR)
    applied = in_one(house.board.forgetting_requesters(mia, now=NOON + 1000, origin=by))
    assert sorted(one.request_id for one in applied.requests) == [1, 3]
    assert [change.arrival.id for change in applied.changes] == [house.arrival().id]
    assert not any(change.told for change in applied.changes)
    assert {one.request_id: one.requester and one.requester.name for one in applied.requests} == {
        1: None,
        3: None,
    }
    kept = house.board.request(("seerr", 2))
    assert kept is not None
    assert kept.requester is not None
    again = in_one(house.board.forgetting_requesters(mia, now=NOON + 1000, origin=by))
    assert (again.requests, again.changes) == ((), ())


def test_words_of_a_removed_media_server_go_with_it(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), watched(FILM, 5), silent=True)
    applied = in_one(house.board.removing("plex", now=NOON + 1000))
    assert not house.arrival().whole.watches
    assert not any(change.told for change in applied.changes)


def test_titles_that_become_one_keep_what_was_watched() -> None:
    house = House((SEERR, SONARR, PLEX))
    by_tmdb = replace(SHOW, ids=ExternalIds(tmdb=4002), own_id=None)
    by_tvdb = replace(SHOW, ids=ExternalIds(tvdb=70_002))
    house.hear(request(by_tmdb, 0, Decision.APPROVED, seasons=(1,)), listing(by_tmdb, 1, 1))
    house.hear(watched(by_tmdb, 2, ANNA, 1))
    house.hear(held(SONARR, by_tvdb, 3, seasons=(1,), opens=True), silent=True)
    house.hear(episodes(4, 2, title=by_tvdb), watched(by_tvdb, 5, BEN, 1))
    house.hear(held(SONARR, SHOW, 6, seasons=(1,)))
    assert {one.viewer for one in house.arrival(SHOW, 1).parts["e1"].watches} == {ANNA, BEN}


def test_a_series_that_was_watched_without_naming_episodes_is_nothing_known(season: House) -> None:
    assert season.hear(watched(SHOW, 5)).reason is Reason.NOT_TRACKED


def test_questions_about_an_item_are_told_apart_by_what_they_are_about() -> None:
    item = Question(service="plex", kind=QuestionKind.ITEM, item="77", seasons=(1,))
    about = replace(item, about=watched(SHOW, 1, ANNA, 1))
    keys = {
        one.key
        for one in (
            item,
            replace(item, seasons=(2,)),
            about,
            replace(item, about=watched(SHOW, 1, BEN, 1)),
            replace(item, about=watched(SHOW, 1, ANNA, 1, yes=False)),
        )
    }
    assert len(keys) == 5
    assert replace(item).key in keys


def test_a_title_is_found_by_what_a_service_calls_it(house: House) -> None:
    assert house.board.title_of(FILM, "radarr") is None
    house.hear(file(RADARR, FILM, 1), silent=True)
    title = house.board.title_of(FILM, "radarr")
    assert title is not None
    assert title.ids == FILM.ids
    both = replace(FILM, ids=ExternalIds(tmdb=5, imdb="tt0009001"), own_id=None)
    assert house.board.title_of(both, "radarr") is None


def test_a_watch_has_a_change_of_its_own(house: House) -> None:
    house.hear(file(RADARR, FILM, 1), silent=True)
    applied = house.hear(watched(FILM, 5))
    kinds: list[Change] = [one for one in applied.changes if one.kind is ChangeKind.WATCHED]
    assert len(kinds) == 1
    assert kinds[0].happened_at == NOON + 5
