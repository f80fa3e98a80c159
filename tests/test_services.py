"""Actions answer from the board and the journal, and say it when they cannot."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock

import probatio
import pytest
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers.json import json_bytes
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.media_arrivals import coordinator
from custom_components.media_arrivals.const import (
    CONF_REQUESTER_NAMES,
    CONF_WATCH_DATA,
    DOMAIN,
    EVENT_ACTION,
)
from custom_components.media_arrivals.engine.board.models import (
    Decision,
    DownloadState,
    ExternalIds,
    PartRef,
    Stage,
    TitleRef,
)
from custom_components.media_arrivals.engine.connectors.base import Poll, TimedOutError
from custom_components.media_arrivals.engine.storage.database import Database
from custom_components.media_arrivals.engine.storage.models import DatabaseDamagedError
from custom_components.media_arrivals.finder import NotFound
from tests.engine.board.household import (
    ANNA,
    BEN,
    FILM,
    PLEX,
    RADARR,
    RADARR_4K,
    SEERR,
    SHOW,
    SONARR,
    download,
    episode,
    episodes,
    file,
    held,
    playable,
    request,
    watched,
)
from tests.entity_helpers import Home, board_entry, post, set_up_home
from tests.persons import map_person

TITLES = ("The Glass Harbour", "Salt and Cedar", "Under a Paper Moon", "Nine Keys", "The Ferryman")


async def act(
    hass: HomeAssistant, action: str, *, context: Context | None = None, **data: Any
) -> dict[str, Any]:
    """Call an action and return its response."""
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True, context=context
    )
    assert isinstance(response, dict)
    # It must get out by the websocket and into a template.
    assert json_bytes(response)
    return response


def film(number: int) -> TitleRef:
    """Return one of several films."""
    return replace(
        FILM, ids=ExternalIds(tmdb=9000 + number), own_id=number, name=TITLES[number - 1]
    )


async def full_board(home: Home) -> None:
    """Have films and a season stand in different stages."""
    await home.hear(
        request(film(1), 1, number=1, who="Mia"),
        request(film(2), 2, Decision.APPROVED, number=2, who="Ben"),
        request(film(3), 3, Decision.APPROVED, number=3, who="Mia"),
        held(RADARR, film(3), 4),
        download(RADARR, film(3), 5, progress=0.5),
        request(film(4), 6, Decision.DECLINED, number=4, who="Ben"),
        request(SHOW, 7, Decision.APPROVED, number=5, seasons=(1,), who="Zoe"),
        held(SONARR, SHOW, 8, seasons=(1,)),
        episodes(9, 3),
        file(SONARR, SHOW, 10, parts=(episode(1), episode(2), episode(3))),
        playable(SEERR, SHOW, 11, seasons=(1,)),
    )


@pytest.fixture
async def home(hass: HomeAssistant) -> Home:
    """Return a household with a full board."""
    household = await set_up_home(hass)
    await full_board(household)
    return household


def titles(response: dict[str, Any]) -> list[str]:
    """Return the titles in an answer."""
    return sorted(arrival["title"] for arrival in response["arrivals"])


# --- get_arrivals -------------------------------------------------------------------------


SEARCHES: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, ["Lanterns", *sorted(TITLES[:4])]),
    ({"stage": "downloading"}, ["Under a Paper Moon"]),
    ({"stage": ["requested", "available"]}, ["Lanterns", "The Glass Harbour"]),
    ({"type": "series"}, ["Lanterns"]),
    ({"requester": "mia"}, ["The Glass Harbour", "Under a Paper Moon"]),
    ({"service": "radarr"}, ["Under a Paper Moon"]),
    ({"service": "sonarr", "type": "movie"}, []),
    ({"text": "PAPER"}, ["Under a Paper Moon"]),
    ({"text": "%"}, []),
    ({"stage": "declined", "requester": "Ben"}, ["Nine Keys"]),
)


@contextmanager
def without_database(home: Home) -> Iterator[None]:
    """Let there be only the live board."""
    storage, home.runtime.storage = home.runtime.storage, None
    try:
        yield
    finally:
        home.runtime.storage = storage


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "live"])
async def test_arrivals_are_found_by_what_is_said_of_them(
    hass: HomeAssistant, home: Home, stored: bool
) -> None:
    """Also without a database, on the live board."""
    with nullcontext() if stored else without_database(home):
        for wanted, found in SEARCHES:
            response = await act(hass, "get_arrivals", **wanted)
            assert titles(response) == found, wanted
            assert response["total"] == len(found)
        pages = [await act(hass, "get_arrivals", limit=2, offset=2 * page) for page in range(4)]
    assert [len(page["arrivals"]) for page in pages] == [2, 2, 1, 0]
    assert {page["total"] for page in pages} == {5}
    assert (pages[1]["limit"], pages[1]["offset"]) == (2, 2)
    seen = [arrival["id"] for page in pages for arrival in page["arrivals"]]
    assert len(set(seen)) == 5


async def test_an_arrival_is_a_line_of_the_list(
    hass: HomeAssistant, home: Home, snapshot: SnapshotAssertion
) -> None:
    response = await act(hass, "get_arrivals", stage=["downloading", "available"])
    for arrival in response["arrivals"]:
        assert home.runtime.board.get(arrival.pop("id")) is not None
        assert arrival.pop("opened_at")
    assert sorted(response["arrivals"], key=lambda arrival: arrival["title"]) == snapshot


async def test_finished_arrivals_are_found_after_they_left_the_board(
    hass: HomeAssistant, home: Home
) -> None:
    (arrival,) = home.runtime.board.arrivals_of(
        home.runtime.board.find(SHOW.media_type, SHOW.ids).id  # type: ignore[union-attr]
    )
    assert home.runtime.storage is not None
    await home.runtime.storage.retire([arrival.id])
    home.runtime.board.unload([arrival.id])
    response = await act(hass, "get_arrivals", type="series")
    assert titles(response) == ["Lanterns"]
    details = await act(hass, "get_arrival", type="series", tvdb_id=70_002)
    assert details["stage"] == "available"
    # It was only looked at: it is not live again.
    assert home.runtime.board.get(arrival.id) is None


async def test_a_service_that_does_not_exist_is_the_callers_mistake(
    hass: HomeAssistant, home: Home
) -> None:
    for action in ("get_arrivals", "get_webhook_log", "sync"):
        with pytest.raises(ServiceValidationError) as failed:
            await act(hass, action, service="nobody")
        assert failed.value.translation_key == "service_not_found"
    # The board is no service. Only in the log it stands for what is of none.
    for action in ("get_arrivals", "sync"):
        with pytest.raises(ServiceValidationError):
            await act(hass, action, service="the-board")
    assert (await act(hass, "get_webhook_log", service="the-board"))["total"] == 0


async def test_what_makes_no_sense_is_refused(hass: HomeAssistant) -> None:
    await set_up_home(hass, "radarr")
    for action, data in (
        ("get_arrivals", {"stage": "arriving"}),
        ("get_arrivals", {"type": "game"}),
        ("get_arrivals", {"limit": 0}),
        ("get_arrivals", {"limit": 201}),
        ("get_arrivals", {"offset": -1}),
        ("get_arrivals", {"offset": 2**63}),
        ("get_arrivals", {"text": "x" * 60_000}),
        ("get_webhook_log", {"offset": 2**63}),
        ("get_arrivals", {"unknown": 1}),
        ("get_arrival", {}),
        ("get_arrival", {"tmdb_id": 1, "tvdb_id": 2}),
        ("get_webhook_log", {"outcome": "lost"}),
        ("dismiss_arrival", {}),
        ("forget_person", {}),
        ("forget_person", {"viewer": ""}),
        ("forget_person", {"name": "x" * 300}),
    ):
        with pytest.raises(probatio.Invalid):
            await hass.services.async_call(
                DOMAIN, action, data, blocking=True, return_response=action != "dismiss_arrival"
            )


# --- names ----------------------------------------------------------------------------------


async def test_names_are_for_administrators_and_automations(
    hass: HomeAssistant, home: Home, hass_admin_user: MockUser, hass_read_only_user: MockUser
) -> None:
    for context in (None, Context(user_id=hass_admin_user.id)):
        response = await act(hass, "get_arrivals", text="harbour", context=context)
        (asked,) = response["arrivals"][0]["requests"]
        assert asked["requester"] == "Mia"
    ordinary = Context(user_id=hass_read_only_user.id)
    everything = await act(hass, "get_arrivals", context=ordinary)
    details = await act(hass, "get_arrival", tmdb_id=9001, context=ordinary)
    for name in ("Mia", "Ben", "Zoe", "requester", "user_id"):
        assert name not in str(everything)
        assert name not in str(details)
    # Nor can they be guessed one by one.
    with pytest.raises(ServiceValidationError) as failed:
        await act(hass, "get_arrivals", requester="Mia", context=ordinary)
    assert failed.value.translation_key == "requester_names_private"


async def test_names_are_for_everybody_if_the_option_says_so(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    home = await set_up_home(hass, board=board_entry(**{CONF_REQUESTER_NAMES: True}))
    await full_board(home)
    ordinary = Context(user_id=hass_read_only_user.id)
    response = await act(hass, "get_arrivals", requester="Mia", context=ordinary)
    assert titles(response) == ["The Glass Harbour", "Under a Paper Moon"]


async def test_a_user_that_is_gone_is_no_administrator(hass: HomeAssistant, home: Home) -> None:
    response = await act(hass, "get_arrivals", context=Context(user_id="gone"))
    assert "Mia" not in str(response)


# --- get_arrival ------------------------------------------------------------------------------


async def test_an_arrival_is_told_with_all_that_is_known(
    hass: HomeAssistant, home: Home, snapshot: SnapshotAssertion
) -> None:
    (line,) = (await act(hass, "get_arrivals", type="series"))["arrivals"]
    details = await act(hass, "get_arrival", arrival_id=line["id"])
    assert details["id"] == line["id"]
    assert [step["stage"] for step in details["timeline"]][-2:] == ["downloaded", "available"]
    assert {"service": "sonarr", "service_name": "Sonarr", "id": 3} in details["own_ids"]
    assert [part["number"] for part in details["episodes"]] == [1, 2, 3]
    del details["id"], details["opened_at"]
    for step in details["timeline"]:
        assert step.pop("known_at")
    assert details == snapshot


async def test_what_a_title_is_about_is_told_from_the_database(
    hass: HomeAssistant, home: Home
) -> None:
    """The board does not keep it."""
    told = replace(FILM, overview="A harbour of glass, and who sweeps it.")
    await home.hear(held(RADARR, told, 100))
    details = await act(hass, "get_arrival", tmdb_id=9001)
    assert details["overview"] == told.overview


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "live"])
async def test_an_arrival_is_found_by_an_external_id(hass: HomeAssistant, stored: bool) -> None:
    home = await set_up_home(hass, "radarr", "seerr")
    await home.hear(request(FILM, 1))
    with nullcontext() if stored else without_database(home):
        for named in (
            {"tmdb_id": 9001},
            {"imdb_id": "tt0009001"},
            {"tmdb_id": 9001, "tier": "hd"},
            {"type": "movie", "tmdb_id": 9001},
        ):
            details = await act(hass, "get_arrival", **named)
            assert details["title"] == "The Glass Harbour"
            assert len(details["timeline"]) == (1 if stored else 0)
            assert details == await act(hass, "get_arrival", arrival_id=details["id"])
        for other in (
            {"arrival_id": "nothing"},
            {"type": "series", "tmdb_id": 9001},
            {"tmdb_id": 9002},
            {"tmdb_id": 9001, "tier": "4k"},
        ):
            with pytest.raises(ServiceValidationError) as failed:
                await act(hass, "get_arrival", **other)
            assert failed.value.translation_key == "arrival_not_found"


async def test_one_of_several_arrivals_is_told_by_season_and_tier(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "radarr", "radarr4k", "sonarr", "seerr")
    await home.hear(
        request(SHOW, 0, Decision.APPROVED, seasons=(0, 1, 2)),
        request(FILM, 1, number=2),
        request(FILM, 1, number=3, tier=RADARR_4K.tier),  # type: ignore[arg-type]
    )
    with pytest.raises(ServiceValidationError) as failed:
        await act(hass, "get_arrival", type="series", tvdb_id=70_002)
    assert failed.value.translation_key == "several_arrivals"
    assert failed.value.translation_placeholders == {"number": "3"}
    for season in (0, 1, 2):
        details = await act(hass, "get_arrival", type="series", tvdb_id=70_002, season=season)
        assert details["season"] == season
    with pytest.raises(ServiceValidationError):
        await act(hass, "get_arrival", tmdb_id=9001)
    details = await act(hass, "get_arrival", tmdb_id=9001, tier="4k")
    assert details["tier"] == "4k"


async def test_a_removed_service_is_named_by_its_id_alone(hass: HomeAssistant, home: Home) -> None:
    with home.answering():
        await hass.config_entries.async_remove("radarr")
    details = await act(hass, "get_arrival", tmdb_id=9003)
    steps = [step for step in details["timeline"] if step["service"] == "radarr"]
    assert steps
    assert {step["service_name"] for step in steps} == {None}


# --- get_webhook_log ---------------------------------------------------------------------------

GRAB = {
    "eventType": "Grab",
    "instanceName": "Radarr",
    "movie": {"id": 7, "title": "The Glass Harbour", "year": 2024, "tmdbId": 9001},
    "release": {"quality": "Bluray-1080p", "size": 1},
    "downloadClient": "Client",
    "downloadId": "ABC",
}


async def test_the_webhook_log_tells_what_became_of_each_delivery(
    hass: HomeAssistant, home: Home, hass_client_no_auth: ClientSessionGenerator
) -> None:
    client = await hass_client_no_auth()
    await post(client, "radarr", {"eventType": "Rename", "movie": {"id": 7}})
    await post(client, "radarr", GRAB)
    await post(client, "sonarr", {"eventType": "Health", "message": "Bad"})
    await home.runtime.async_settle()

    response = await act(hass, "get_webhook_log")
    assert response["total"] == 3
    newest = response["deliveries"][0]
    assert newest["service"] == "sonarr"
    assert newest["service_name"] == "Sonarr"
    assert newest["event_type"] == "Health"
    assert "payload" not in newest
    response = await act(hass, "get_webhook_log", service="radarr", limit=1, offset=1)
    assert response["total"] == 2
    (rename,) = response["deliveries"]
    assert (rename["event_type"], rename["outcome"], rename["reason"]) == (
        "Rename",
        "ignored",
        "unused_event",
    )
    response = await act(hass, "get_webhook_log", event_type="Grab")
    assert [row["service"] for row in response["deliveries"]] == ["radarr"]
    response = await act(hass, "get_webhook_log", outcome="failed")
    assert response["deliveries"] == []


async def test_the_webhook_log_is_not_for_ordinary_users(
    hass: HomeAssistant, home: Home, hass_admin_user: MockUser, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await act(hass, "get_webhook_log", context=Context(user_id=hass_read_only_user.id))
    response = await act(hass, "get_webhook_log", context=Context(user_id=hass_admin_user.id))
    assert response["total"] == 0


# --- storage that cannot be read -----------------------------------------------------------------


async def test_a_database_that_cannot_be_read_is_said(
    hass: HomeAssistant, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as damaged:
        damaged.setattr(Database, "read", AsyncMock(side_effect=DatabaseDamagedError))
        everything: dict[str, dict[str, Any]] = {
            "get_arrivals": {},
            "get_arrival": {"tmdb_id": 9001},
            "get_webhook_log": {},
        }
        for action, data in everything.items():
            with pytest.raises(HomeAssistantError) as failed:
                await act(hass, action, **data)
            assert failed.value.translation_key == "storage_unavailable"


async def test_without_a_database_there_is_no_log(hass: HomeAssistant, home: Home) -> None:
    with without_database(home), pytest.raises(HomeAssistantError) as failed:
        await act(hass, "get_webhook_log")
    assert failed.value.translation_key == "storage_unavailable"


# --- sync ---------------------------------------------------------------------------------------


async def test_sync_answers_for_each_service(
    hass: HomeAssistant, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Seerr leaves open for the Radarr stays open while that is not loaded.
    monkeypatch.setattr(coordinator, "ANSWERS_SECONDS", 0.01)
    home.clients["sonarr"].error = TimedOutError()
    home.clients["seerr"].answer_poll = Poll(checked=12, reports=(request(film(5), 60, number=6),))
    with home.answering():
        await hass.config_entries.async_unload("radarr")
    response = await act(hass, "sync")
    answers = {answer["service"]: answer for answer in response["services"]}
    assert answers["radarr"] == {
        "service": "radarr",
        "service_name": "Radarr",
        "kind": "radarr",
        "reachable": False,
        "checked": 0,
        "changed": 0,
        "error": "not_loaded",
    }
    assert answers["sonarr"]["reachable"] is False
    assert answers["sonarr"]["error"] == "timed_out"
    assert answers["seerr"] == {
        "service": "seerr",
        "service_name": "Seerr",
        "kind": "seerr",
        "reachable": True,
        "checked": 12,
        "changed": 1,
        "error": None,
    }


async def test_sync_of_one_service_leaves_the_others_alone(hass: HomeAssistant, home: Home) -> None:
    response = await act(hass, "sync", service="radarr")
    assert [answer["service"] for answer in response["services"]] == ["radarr"]
    assert home.runtime.records["sonarr"].sync_count == 0


async def test_an_arrival_that_is_not_there_is_not_synced(hass: HomeAssistant, home: Home) -> None:
    with pytest.raises(ServiceValidationError) as failed:
        await act(hass, "sync", arrival_id="nobody")
    assert failed.value.translation_key == "arrival_not_found"
    assert home.runtime.records["radarr"].sync_count == 0


async def test_sync_fails_where_nobody_reads_the_answer(hass: HomeAssistant, home: Home) -> None:
    home.clients["sonarr"].error = TimedOutError()
    with pytest.raises(HomeAssistantError, match=r"Sonarr \(timed out\)"):
        await hass.services.async_call(DOMAIN, "sync", {}, blocking=True)
    home.clients["sonarr"].error = None
    await hass.services.async_call(DOMAIN, "sync", {}, blocking=True)
    assert home.runtime.records["sonarr"].last_status == "ok"


async def test_a_disabled_service_is_not_synced(hass: HomeAssistant, home: Home) -> None:
    await hass.config_entries.async_set_disabled_by("sonarr", ConfigEntryDisabler.USER)
    response = await act(hass, "sync")
    assert {answer["service"] for answer in response["services"]} == {"radarr", "seerr"}


# --- dismiss_arrival ------------------------------------------------------------------------------


async def test_a_dismissed_arrival_is_silent_until_something_new_comes(
    hass: HomeAssistant, home: Home, hass_admin_user: MockUser
) -> None:
    await home.hear(download(RADARR, film(3), 20, DownloadState.FAILED))
    (line,) = (await act(hass, "get_arrivals", stage="failed"))["arrivals"]
    assert line["dismissed"] is False
    told = async_capture_events(hass, EVENT_ACTION)
    context = Context(user_id=hass_admin_user.id)
    await hass.services.async_call(
        DOMAIN, "dismiss_arrival", {"arrival_id": line["id"]}, blocking=True, context=context
    )
    (again,) = (await act(hass, "get_arrivals", stage="failed"))["arrivals"]
    assert again["dismissed"] is True
    (event,) = told
    assert event.context.user_id == hass_admin_user.id
    assert event.data == {
        "action": "dismiss_arrival",
        "arrival_id": line["id"],
        "title": "Under a Paper Moon",
        "season": None,
    }
    changes = await home.hear(download(RADARR, film(3), 30, download_id="again"))
    assert [change.told for change in changes if change.stage is Stage.DOWNLOADING] == [True]


async def test_what_is_not_there_cannot_be_dismissed(hass: HomeAssistant, home: Home) -> None:
    with pytest.raises(ServiceValidationError) as failed:
        await hass.services.async_call(
            DOMAIN, "dismiss_arrival", {"arrival_id": "nothing"}, blocking=True
        )
    assert failed.value.translation_key == "arrival_not_found"


# --- what plays, and who watched ------------------------------------------------------------------


@pytest.fixture
async def theatre(hass: HomeAssistant) -> Home:
    """Return a household in which a film and a season can be played, and were watched."""
    household = await set_up_home(hass, "radarr", "sonarr", "seerr", "plex", "tautulli")
    map_person(hass, household.board_entry, "Anna", {"plex": ANNA.removeprefix("plex:")})
    map_person(hass, household.board_entry, "Ben", {"tautulli": BEN.removeprefix("plex:")})
    await household.hear(
        request(FILM, 0, Decision.APPROVED, number=1, who="Mia"),
        held(RADARR, FILM, 1),
        file(RADARR, FILM, 2),
        playable(PLEX, replace(FILM, own_id=None), 3),
        watched(FILM, 4),
        watched(FILM, 5, BEN),
        watched(FILM, 6, BEN, yes=False),
        request(SHOW, 0, Decision.APPROVED, number=2, seasons=(1,), who="Ben"),
        held(SONARR, SHOW, 1, seasons=(1,)),
        episodes(2, 3),
        file(SONARR, SHOW, 3, parts=(episode(1), episode(2), episode(3))),
        playable(
            PLEX,
            replace(SHOW, own_id=None),
            4,
            parts=(PartRef(season=1, number=1), PartRef(season=1, number=2)),
        ),
        watched(SHOW, 5, ANNA, 1, 2),
        watched(SHOW, 6, BEN, 1),
    )
    return household


async def details_of_both(
    hass: HomeAssistant, context: Context | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the details of the film and the season."""
    return (
        await act(hass, "get_arrival", tmdb_id=9001, context=context),
        await act(hass, "get_arrival", type="series", tvdb_id=70_002, context=context),
    )


async def test_the_details_say_which_media_server_has_it(
    hass: HomeAssistant, theatre: Home
) -> None:
    seen, season = await details_of_both(hass)
    assert seen["stage"] == "available"
    plex = {"service": "plex", "service_name": "Plex"}
    # Seerr's word is no media server's.
    await theatre.hear(playable(SEERR, SHOW, 9, seasons=(1,)))
    assert seen["playable_on"] == [{**plex, "parts": 1}]
    assert season["playable_on"] == [{**plex, "parts": 2}]
    assert [part["playable_on"] for part in season["episodes"]] == [["Plex"], ["Plex"], []]


async def test_who_watched_is_for_administrators_and_automations(
    hass: HomeAssistant,
    theatre: Home,
    hass_admin_user: MockUser,
    hass_read_only_user: MockUser,
) -> None:
    for context in (None, Context(user_id=hass_admin_user.id)):
        seen, season = await details_of_both(hass, context)
        # Whoever took it back did not watch it.
        assert (seen["watched"], seen["watched_by"]) == (True, ["Anna"])
        parts = [(part["watched"], part["watched_by"]) for part in season["episodes"]]
        assert parts == [(True, ["Anna", "Ben"]), (True, ["Anna"]), (False, [])]
        # Nobody watched all of the season.
        assert (season["watched"], season["watched_by"]) == (False, [])
    seen, season = await details_of_both(hass, Context(user_id=hass_read_only_user.id))
    assert seen["watched"] is True
    assert [part["watched"] for part in season["episodes"]] == [True, True, False]
    lists = await act(hass, "get_arrivals")
    log = await act(hass, "get_webhook_log")
    for answer in (seen, season):
        assert "watched_by" not in str(answer)
    for answer in (seen, season, lists, log):
        assert "plex:" not in str(answer)
    await theatre.hear(watched(SHOW, 8, ANNA, 3))
    _, season = await details_of_both(hass)
    assert (season["watched"], season["watched_by"]) == (True, ["Anna"])


async def test_names_of_requesters_for_everybody_are_no_viewers(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    home = await set_up_home(
        hass, "radarr", "seerr", "plex", board=board_entry(**{CONF_REQUESTER_NAMES: True})
    )
    await home.hear(request(FILM, 0), watched(FILM, 5))
    told = await act(
        hass, "get_arrival", tmdb_id=9001, context=Context(user_id=hass_read_only_user.id)
    )
    assert told["requests"][0]["requester"] == "Mia"
    assert "watched_by" not in told


async def test_watch_data_that_is_off_is_neither_kept_nor_shown(
    hass: HomeAssistant, theatre: Home
) -> None:
    off = {CONF_WATCH_DATA: "off"}
    hass.config_entries.async_update_entry(theatre.board_entry, options=off)
    await theatre.runtime.screening.async_settle()
    await theatre.hear(watched(SHOW, 8, ANNA, 3))
    seen, season = await details_of_both(hass)
    for shown in (seen, season, *season["episodes"]):
        assert "watched" not in shown
        assert "watched_by" not in shown
    hass.config_entries.async_update_entry(theatre.board_entry, options={})
    _, season = await details_of_both(hass)
    assert [part["watched"] for part in season["episodes"]] == [False, False, False]


@pytest.mark.parametrize("language", ["en", "de"])
async def test_where_an_import_was_not_found_is_a_problem_in_words(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Where there is no translation, it is told in English."""
    hass.config.language = language
    home = await set_up_home(hass, "radarr", "seerr", "plex")
    await home.hear(
        request(FILM, 0, Decision.APPROVED), held(RADARR, FILM, 1), file(RADARR, FILM, 2)
    )
    assert (await act(hass, "get_arrival", tmdb_id=9001))["problem"] is None
    places = (
        NotFound(service="plex", library="Films {4K}"),
        NotFound(service="gone", library=None),
    )
    monkeypatch.setattr(home.runtime.finder, "not_found", lambda _: places)
    told = await act(hass, "get_arrival", tmdb_id=9001)
    assert told["not_found"] == [
        {"service": "plex", "service_name": "Plex", "library": "Films {4K}"},
        {"service": "gone", "service_name": None, "library": None},
    ]
    assert told["problem"] == (
        "Imported, but not found by Plex in library Films {4K}."
        " Imported, but gone has no library with its folder."
    )
    (line,) = (await act(hass, "get_arrivals"))["arrivals"]
    assert line["problem"] == told["problem"]


# --- forget_person --------------------------------------------------------------------------------


async def forget(hass: HomeAssistant, **whom: Any) -> tuple[int, int]:
    """Forget somebody; return of how many arrivals and requests."""
    answer = await act(hass, "forget_person", **whom)
    assert answer["still_in_people"] is False
    return answer["arrivals"], answer["requests"]


async def test_a_person_is_forgotten_on_the_board_and_in_what_left_it(
    hass: HomeAssistant, theatre: Home
) -> None:
    (season,) = [one for one in theatre.runtime.board.arrivals() if one.season == 1]
    assert theatre.runtime.storage is not None
    await theatre.runtime.storage.retire([season.id])
    theatre.runtime.board.unload([season.id])
    told = async_capture_events(hass, EVENT_ACTION)

    assert await forget(hass, viewer=ANNA) == (2, 0)

    seen, season_details = await details_of_both(hass)
    assert (seen["watched"], seen["watched_by"]) == (False, [])
    assert [part["watched_by"] for part in season_details["episodes"]] == [["Ben"], [], []]
    assert seen["requests"][0]["requester"] == "Mia"

    assert await forget(hass, name="BEN") == (0, 1)
    assert await forget(hass, name="mia", viewer=BEN) == (2, 1)
    assert await forget(hass, name="mia", viewer=BEN) == (0, 0)
    for details in await details_of_both(hass):
        assert details["requests"][0]["requester"] is None
    assert (await act(hass, "get_arrivals", requester="mia"))["total"] == 0
    # Whom, the logbook does not keep.
    assert told[0].data == {"action": "forget_person", "arrivals": 2, "requests": 0}
    assert not {ANNA, BEN, "mia", "BEN"} & {str(value) for e in told for value in e.data.values()}


async def test_what_is_forgotten_stays_so_after_a_restart(
    hass: HomeAssistant, theatre: Home
) -> None:
    await act(hass, "forget_person", viewer=ANNA, name="Mia")
    assert theatre.runtime.storage is not None
    live = await theatre.runtime.storage.load_live()
    assert {request.requester and request.requester.name for request in live.requests} == {
        None,
        "Ben",
    }
    assert ANNA not in str(live.arrivals)
    assert BEN in str(live.arrivals)


async def test_a_person_is_forgotten_without_a_database(hass: HomeAssistant, theatre: Home) -> None:
    with without_database(theatre):
        assert await forget(hass, viewer=ANNA, name="Mia") == (2, 1)


async def test_only_administrators_have_people_forgotten(
    hass: HomeAssistant, theatre: Home, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await act(
            hass, "forget_person", viewer=ANNA, context=Context(user_id=hass_read_only_user.id)
        )
    seen, _ = await details_of_both(hass)
    assert seen["watched_by"] == ["Anna"]


async def test_it_is_said_if_a_person_could_not_be_forgotten(
    hass: HomeAssistant, theatre: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as damaged:
        damaged.setattr(Database, "read", AsyncMock(side_effect=DatabaseDamagedError))
        with pytest.raises(HomeAssistantError) as failed:
            await act(hass, "forget_person", viewer=ANNA)
    assert failed.value.translation_key == "storage_unavailable"


async def test_actions_are_there_without_any_service(hass: HomeAssistant) -> None:
    """Automations are checked also while no entry is loaded."""
    home = await set_up_home(hass, "radarr")
    await hass.config_entries.async_unload("radarr")
    await hass.config_entries.async_unload(home.board_entry.entry_id)
    for action in (
        "get_arrivals",
        "get_arrival",
        "get_webhook_log",
        "sync",
        "dismiss_arrival",
        "forget_person",
    ):
        assert hass.services.has_service(DOMAIN, action)
    assert (await act(hass, "get_arrivals"))["total"] == 0
