"""Rule 9: what a media server no longer lists is gone only at a second look."""

from dataclasses import replace

import pytest

from custom_components.media_arrivals.engine.board.absence import (
    AT_ONCE,
    MANY,
    NEVER_ANSWERED,
    SECOND_LOOK_AFTER,
    AbsenceWatch,
)
from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    Origin,
    PartRef,
    PlayableReport,
    Role,
    Tier,
    TitleRef,
    Via,
)

NOON = 1_780_000_000.0
PLEX = Origin(service="plex1", kind="plex", role=Role.PLAYBACK, via=Via.POLL)


def gone(number: int = 1, service: str = "plex1") -> PlayableReport:
    return PlayableReport(
        origin=replace(PLEX, service=service),
        at=NOON,
        happened_at=NOON,
        title=TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=number)),
        tier=Tier.HD,
        playable=False,
        complete=True,
        confirmed=True,
    )


def season(*episodes: int) -> PlayableReport:
    return replace(
        gone(),
        title=TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=5)),
        playable=bool(episodes),
        parts=tuple(PartRef(season=2, number=number) for number in episodes),
        seasons=(2,),
    )


@pytest.fixture
def watch() -> AbsenceWatch:
    return AbsenceWatch()


def test_what_was_never_there_is_absent_at_once(watch: AbsenceWatch) -> None:
    report = gone()
    assert watch.screen(report, losses=0, now=NOON) is report


def test_a_loss_counts_at_the_second_look_half_an_hour_later(watch: AbsenceWatch) -> None:
    report = gone()
    assert watch.screen(report, losses=1, now=NOON) is None
    assert watch.screen(report, losses=1, now=NOON + SECOND_LOOK_AFTER - 1) is None
    assert watch.due("plex1", NOON + SECOND_LOOK_AFTER - 1) == ()
    assert watch.due("plex1", NOON + SECOND_LOOK_AFTER) == ((report.title, ()),)
    # It is asked for once.
    assert watch.due("plex1", NOON + SECOND_LOOK_AFTER) == ()
    assert watch.screen(report, losses=1, now=NOON + SECOND_LOOK_AFTER) is report
    # The next loss begins anew.
    assert watch.screen(report, losses=1, now=NOON + SECOND_LOOK_AFTER + 1) is None


def test_a_second_look_that_tells_nothing_is_dropped_a_day_later(watch: AbsenceWatch) -> None:
    """The title may have left the board, or be known by other ids."""
    for number in range(MANY):
        watch.screen(gone(number), losses=1, now=NOON + number * AT_ONCE)
    last = NOON + (MANY - 1) * AT_ONCE + SECOND_LOOK_AFTER
    assert len(watch.due("plex1", last)) == MANY
    assert watch.due("plex1", last + NEVER_ANSWERED) == ()
    assert watch.kept("plex1") == []
    watch.screen(gone(), losses=1, now=last)
    watch.confirm("plex1")
    watch.due("plex1", last + 2 * NEVER_ANSWERED)
    assert len(watch.kept("plex1")) == 1


def test_what_came_back_was_never_gone(watch: AbsenceWatch) -> None:
    watch.screen(gone(), losses=1, now=NOON)
    there = replace(gone(), playable=True)
    assert watch.screen(there, losses=0, now=NOON + 60) is there
    assert watch.screen(gone(), losses=1, now=NOON + SECOND_LOOK_AFTER) is None


def test_of_a_season_that_lost_episodes_the_others_count(watch: AbsenceWatch) -> None:
    report = season(1, 2)
    assert watch.screen(report, losses=3, now=NOON) == replace(report, complete=False)
    assert watch.due("plex1", NOON + SECOND_LOOK_AFTER) == ((report.title, (2,)),)
    assert watch.screen(report, losses=3, now=NOON + SECOND_LOOK_AFTER) is report


def test_parts_tell_their_season_where_none_is_named(watch: AbsenceWatch) -> None:
    report = replace(season(1), seasons=())
    watch.screen(report, losses=1, now=NOON)
    assert watch.due("plex1", NOON + SECOND_LOOK_AFTER) == ((report.title, (2,)),)


def test_if_many_vanish_at_once_none_counts_until_it_is_confirmed(watch: AbsenceWatch) -> None:
    for number in range(1, MANY):
        watch.screen(gone(number), losses=1, now=NOON + number)
    assert not watch.suspect("plex1")
    watch.screen(gone(MANY), losses=1, now=NOON + 100)
    assert watch.suspect("plex1")
    assert watch.due("plex1", NOON + 2 * SECOND_LOOK_AFTER) == ()
    late = NOON + SECOND_LOOK_AFTER + 200
    assert all(
        watch.screen(gone(number), losses=1, now=late) is None for number in range(1, MANY + 1)
    )
    assert len(watch.confirm("plex1")) == MANY
    assert not watch.suspect("plex1")
    assert all(watch.screen(gone(number), losses=1, now=late) for number in range(1, MANY + 1))


def test_many_seasons_of_one_series_are_one_loss(watch: AbsenceWatch) -> None:
    for number in range(1, MANY + 3):
        watch.screen(replace(season(), seasons=(number,)), losses=1, now=NOON)
    assert not watch.suspect("plex1")
    for number in range(1, MANY):
        watch.screen(gone(number), losses=1, now=NOON)
    assert watch.suspect("plex1")


def test_series_that_are_listed_again_season_by_season_are_missed_no_more(
    watch: AbsenceWatch,
) -> None:
    def of(number: int, report: PlayableReport) -> PlayableReport:
        return replace(report, title=replace(report.title, ids=ExternalIds(tvdb=number)))

    for number in range(1, MANY + 1):
        watch.screen(of(number, replace(season(), seasons=())), losses=2, now=NOON)
    assert watch.suspect("plex1")
    watch.screen(of(1, season(1, 2)), losses=0, now=NOON + 60)
    assert not watch.suspect("plex1")


def test_one_version_of_a_film_says_nothing_of_the_other(watch: AbsenceWatch) -> None:
    watch.screen(gone(), losses=1, now=NOON)
    watch.screen(replace(gone(), tier=Tier.UHD, playable=True), losses=0, now=NOON + 60)
    assert watch.screen(gone(), losses=1, now=NOON + SECOND_LOOK_AFTER) is not None


def test_many_over_a_long_time_are_deletions(watch: AbsenceWatch) -> None:
    for number in range(1, MANY + 1):
        watch.screen(gone(number), losses=1, now=NOON + number * AT_ONCE)
    assert not watch.suspect("plex1")


def test_each_media_server_has_its_own_losses(watch: AbsenceWatch) -> None:
    for number in range(1, MANY + 1):
        watch.screen(gone(number, "plex1"), losses=1, now=NOON)
    report = gone(1, "emby1")
    watch.screen(report, losses=1, now=NOON)
    assert not watch.suspect("emby1")
    watch.forget("plex1")
    assert not watch.suspect("plex1")
    assert watch.due("plex1", NOON + SECOND_LOOK_AFTER) == ()
    assert watch.screen(report, losses=1, now=NOON + SECOND_LOOK_AFTER) is report


def test_what_was_remembered_is_taken_up_and_what_cannot_be_read_is_left(
    watch: AbsenceWatch,
) -> None:
    watch.screen(gone(), losses=1, now=NOON)
    kept = watch.kept("plex1")
    broken: list[dict[str, object]] = [
        {},
        {**kept[0], "type": "song"},
        {**kept[0], "ids": {"isbn": 1}},
        {**kept[0], "since": None},
        {**kept[0], "seasons": ["x"]},
    ]
    other = AbsenceWatch()
    other.restore("plex1", [*broken, *kept])
    assert other.kept("plex1") == kept
    assert other.due("plex1", NOON + SECOND_LOOK_AFTER) == ((gone().title, ()),)
