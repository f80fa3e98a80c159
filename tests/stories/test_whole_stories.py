"""Stories from their first word to the last, by webhooks alone, by polls alone, and by half."""

import pytest

from custom_components.media_arrivals.engine.board.models import Via
from simulator.arr import ArrDouble
from simulator.faults import Delivery
from tests.stories.family import Family

STORIES = {
    "film": "Amber Ferry",
    "season": "Tide House",
    "upgrade": "Old Regatta",
    "failed": "Copper Festival",
    "declined": "Scarlet Corridor",
    "copy_4k": "Restless Comet",
    "broken_pack": "Thirsty Harvest",
    "refused": "Hidden Bridge",
    "lost_file": "Paper Anchor",
    "blocked": "Ivory Island",
}

ENDS = {
    ("Amber Ferry", "hd"): "available",
    ("Tide House", "hd"): "available",
    ("Copper Festival", "hd"): "available",
    ("Scarlet Corridor", "hd"): "declined",
    ("Restless Comet", "hd"): "available",
    ("Restless Comet", "4k"): "available",
    ("Thirsty Harvest", "hd"): "available",
    ("Hidden Bridge", "hd"): "sent",
    ("Paper Anchor", "hd"): "sent",
    ("Ivory Island", "hd"): "available",
}
"""Where each story ends. The upgrade is of a film that has been there for long: no arrival."""

WHOLE_WAY = ["requested", "approved", "sent", "downloading", "downloaded", "available"]

LIGHT_POLLS = ("/queue/details", "/request/count")


async def play_all(family: Family) -> None:
    for story, title in STORIES.items():
        await family.play(story, title=title)


async def test_webhooks_alone_tell_every_story(family: Family) -> None:
    await family.move_in()
    polls = [family.asked(path) for path in LIGHT_POLLS]

    await play_all(family)

    assert [family.asked(path) for path in LIGHT_POLLS] == polls
    assert family.stages() == ENDS
    told = family.told()
    assert told["Amber Ferry", "hd"] == WHOLE_WAY
    assert told["Tide House", "hd"] == WHOLE_WAY
    assert told["Restless Comet", "4k"] == WHOLE_WAY
    assert ("Old Regatta", "hd") not in told
    assert set(family.missed().values()) == {0}
    # What a delivery left open and was read for it was told by it.
    assert {event.data["via"] for event in family.events} == {Via.WEBHOOK}
    assert all(event.data["title"] for event in family.events)


async def test_polls_alone_tell_every_story(family: Family) -> None:
    await family.move_in(polling_only=True)

    for story, title in STORIES.items():
        await family.play(story, title=title, poll=True)

    assert family.received() == 0
    assert {event.data["via"] for event in family.events} == {Via.POLL}
    assert all(event.data["title"] for event in family.events)
    assert family.stages() == ENDS
    told = family.told()
    assert told["Amber Ferry", "hd"] == WHOLE_WAY
    assert told["Tide House", "hd"] == WHOLE_WAY
    assert told["Restless Comet", "4k"] == WHOLE_WAY
    assert told["Copper Festival", "hd"].count("failed") == 1
    assert ("Old Regatta", "hd") not in told


@pytest.mark.parametrize(("by_webhook", "films"), [(True, 334), (False, 100)])
async def test_a_burst_is_told_film_by_film(
    family: Family, *, by_webhook: bool, films: int
) -> None:
    await family.move_in(["radarr"], polling_only=not by_webhook)

    await family.play("burst", deliveries=3 * films, poll=not by_webhook)

    assert family.received() == (3 * films + 1 if by_webhook else 0)  # and a test
    ends = family.stages()
    assert len(ends) == films
    assert set(ends.values()) == {"available"}
    told = family.told()
    assert told.keys() == ends.keys()
    for stages in told.values():
        assert stages[-1] == "available"
        assert len(stages) == len(set(stages))


# --- half of the deliveries are lost ------------------------------------------------------------


def lose_every_second(family: Family) -> None:
    for double in family.stack.services.values():
        double.sender.faults.lose_every = 2


async def test_one_poll_mends_what_lost_deliveries_broke(family: Family) -> None:
    await family.move_in()
    lose_every_second(family)
    await play_all(family)
    assert family.stages() != ENDS

    await family.poll()

    assert family.stages() == ENDS


async def test_lost_deliveries_are_counted_as_missed(family: Family) -> None:
    await family.move_in()
    lose_every_second(family)

    for story in ("film", "season", "failed", "declined", "copy_4k"):
        await family.play(story, title=STORIES[story], poll=True)
    await family.pass_time(130)

    assert family.missed() == {name: lost_for_good(family, name) for name in family.entries}
    assert sum(family.missed().values()) > 10
    await family.poll()
    await family.pass_time(130)
    assert family.missed() == {name: lost_for_good(family, name) for name in family.entries}


def lost_for_good(family: Family, name: str) -> int:
    """Count what a service told by lost deliveries only, and what can be seen in it besides.

    A pack's import is told once for each file, and one of them is enough. That a title was
    added, or a request was refused by a service, leaves no trace that a poll could see.
    """
    double = family.stack.services[name]
    arrived: dict[tuple[str, str], bool] = {}
    for outcome in double.sender.outcomes:
        key = (
            arr_word(outcome.delivery)
            if isinstance(double, ArrDouble)
            else seerr_word(outcome.delivery)
        )
        if key is not None:
            arrived[key] = arrived.get(key, False) or not outcome.lost
    return sum(not came for came in arrived.values())


def arr_word(delivery: Delivery) -> tuple[str, str] | None:
    """Return what a delivery of Radarr or Sonarr is about."""
    if delivery.event not in {"Grab", "Download"}:
        return None
    return delivery.event, str(delivery.payload["downloadId"]).casefold()


def seerr_word(delivery: Delivery) -> tuple[str, str] | None:
    """Return what a delivery of Seerr is about."""
    words = {
        "MEDIA_PENDING": "requested",
        "MEDIA_AUTO_APPROVED": "requested",
        "MEDIA_APPROVED": "approved",
        "MEDIA_DECLINED": "declined",
        "MEDIA_AVAILABLE": "available",
    }
    if delivery.event not in words:
        return None
    return words[delivery.event], str(delivery.payload["request"]["request_id"])
