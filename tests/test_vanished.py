"""Losses of a media server that wait for a second look."""

from custom_components.media_arrivals.engine.board.absence import (
    MANY,
    SECOND_LOOK_AFTER,
    AbsenceWatch,
)
from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    Origin,
    PlayableReport,
    Role,
    Tier,
    TitleRef,
    Via,
)


def absent(number: int, now: float) -> PlayableReport:
    """Have a media server list a film as absent."""
    return PlayableReport(
        origin=Origin(service="plex", kind="plex", role=Role.PLAYBACK, via=Via.POLL),
        at=now,
        happened_at=now,
        title=TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=number)),
        tier=Tier.HD,
        confirmed=True,
        playable=False,
        complete=True,
    )


def test_what_does_not_come_back_with_the_others_is_looked_at_again() -> None:
    watch = AbsenceWatch()
    for number in range(1, MANY + 1):
        assert watch.screen(absent(number, 0.0), losses=1, now=0.0) is None
    later = SECOND_LOOK_AFTER + 1
    assert watch.suspect("plex")
    assert watch.due("plex", later) == ()

    # One is there again: the others are no mass of losses any more.
    watch.screen(absent(1, later), losses=0, now=later)

    assert len(watch.due("plex", later)) == MANY - 1
    assert watch.due("plex", later) == ()
    assert watch.screen(absent(2, later), losses=1, now=later) is not None
