"""The words in which a change is told."""

import json
from dataclasses import replace

import pytest
from homeassistant.core import HomeAssistant

from custom_components.media_arrivals.const import CONF_REQUESTER_NAMES
from custom_components.media_arrivals.engine.board.models import (
    Change,
    ChangeKind,
    ExternalIds,
    Person,
    Stage,
)
from custom_components.media_arrivals.telling import change_data, context_of, describe
from tests.engine.board.household import (
    ANNA,
    FILM,
    NOON,
    SHOW,
    SONARR,
    episodes,
    held,
    request,
    watched,
)
from tests.house import House
from tests.test_outbox import board, told


def test_everything_that_is_wanted_is_said() -> None:
    (change,) = told(board(), request(FILM, 0))

    data = describe(change, service_name="Seerr", requesters=["Anna"])

    assert data == {
        "kind": "stage",
        "arrival_id": change.arrival.id,
        "stage": "requested",
        "previous_stage": None,
        "title": "The Glass Harbour",
        "year": 2024,
        "type": "movie",
        "ids": {"tmdb": 9001, "imdb": "tt0009001"},
        "season": None,
        "parts": {"available": 0, "wanted": 1, "total": 1},
        "tier": "hd",
        "poster": None,
        "requester": "Anna",
        "service": "Seerr",
        "service_kind": "seerr",
        "via": "webhook",
        "origin": {"context_id": None, "user_id": None},
        "late": False,
        "happened_at": "2026-05-28T20:26:40+00:00",
        "known_at": "2026-05-28T20:28:20+00:00",
    }


def test_whatever_is_in_it_it_stays_small() -> None:
    found = board()
    (change,) = told(found, request(SHOW, 0, number=2, seasons=(1,)))
    request_of = found.requests_of(change.arrival)[0]
    change = replace(
        change,
        kind=ChangeKind.REQUEST,
        part="e5",
        title=replace(
            change.title,
            name="ß" * 5000,
            ids=ExternalIds(tmdb=2**31, tvdb=2**31, imdb="tt" + "9" * 20),
        ),
        request=replace(request_of, seasons=tuple(range(500))),
    )

    data = describe(change, service_name="S" * 500, requesters=["N" * 500] * 50)

    assert len(json.dumps(data, ensure_ascii=False).encode()) < 2048
    assert data["title"].endswith("…")
    assert data["request_id"] == 2
    assert len(data["seasons"]) == 50


def test_an_episode_is_named() -> None:
    found = board()
    (change,) = told(found, request(SHOW, 0, number=2, seasons=(1,)))
    unknown = describe(replace(change, part="e99"), service_name=None)

    assert unknown["episode"] == {"number": None, "air_date": None, "name": None}
    assert unknown["service"] is None


def test_what_was_watched_is_said_and_not_by_whom() -> None:
    found = board()
    told(
        found,
        request(FILM, 0),
        request(SHOW, 0, number=2, seasons=(1,)),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 3),
    )
    changes = told(
        found, watched(FILM, 5), watched(FILM, 6, yes=False), watched(SHOW, 7, ANNA, 2, 3)
    )

    film, unwatched, part = (describe(one, service_name="Plex") for one in changes)

    assert (film["kind"], film["watched"], film["title"]) == (
        "watched",
        True,
        "The Glass Harbour",
    )
    assert "episode" not in film
    assert (unwatched["watched"], unwatched["service"]) == (False, "Plex")
    assert (part["watched"], part["season"], part["episode"]["number"]) == (True, 1, 2)
    assert ANNA not in json.dumps([film, unwatched, part])
    assert "viewer" not in json.dumps([film, unwatched, part])


def test_whoever_caused_it_is_the_context() -> None:
    (change,) = told(board(), request(FILM, 0))
    assert context_of(change).user_id is None

    asked = replace(change, origin=replace(change.origin, context_id="c" * 26, user_id="anna"))

    assert (context_of(asked).id, context_of(asked).user_id) == ("c" * 26, "anna")


@pytest.mark.parametrize(
    ("options", "requester"), [({}, None), ({CONF_REQUESTER_NAMES: True}, "Anna")]
)
async def test_people_are_named_only_if_the_board_says_so(
    hass: HomeAssistant, house: House, options: dict[str, bool], requester: str | None
) -> None:
    house.add_board(**options)
    house.add_service(house.stack.seerr)
    await house.start()
    seen = house.runtime.board
    seerr = seen.services["seerr_entry"]
    asked = request(FILM, 0)
    asked = replace(
        asked,
        origin=replace(asked.origin, service=seerr.id),
        requester=Person(name="Anna"),
    )
    changes = await house.runtime.apply([asked], service=seerr.id)

    (told_change,) = [change for change in changes if change.told]
    data = change_data(hass, told_change)

    assert (data["requester"], data["service"]) == (requester, "seerr")
    by_request = Change(
        kind=ChangeKind.REQUEST,
        title=told_change.title,
        arrival=told_change.arrival,
        stage=Stage.AVAILABLE,
        previous=None,
        origin=told_change.origin,
        happened_at=NOON,
        known_at=NOON,
        request=seen.requests_of(told_change.arrival)[0],
    )
    assert change_data(hass, by_request)["requester"] == requester
