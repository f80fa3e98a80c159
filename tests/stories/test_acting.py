"""What services are made to do from Home Assistant, by whom, and what is said of it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from homeassistant.const import EVENT_CALL_SERVICE, MATCH_ALL
from homeassistant.core import Context, Event, State, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events

from custom_components.media_arrivals.const import CONF_REQUESTER_NAMES, DOMAIN, EVENT_ACTION
from custom_components.media_arrivals.engine.connectors.base import TimedOutError
from custom_components.media_arrivals.engine.connectors.http import Answer, JsonClient
from simulator import Film
from simulator.seerr_data import MANAGE_REQUESTS, REQUEST, Decision, Presence, Request, User
from tests.persons import map_person
from tests.stories.family import Family


@pytest.fixture
async def home(family: Family) -> Family:
    await family.move_in()
    return family


@pytest.fixture
def film(home: Family) -> Film:
    return home.stack.catalogue.film("Amber Ferry")


@pytest.fixture
def actions(home: Family) -> list[Event[dict[str, Any]]]:
    return async_capture_events(home.house.hass, EVENT_ACTION)


async def act(home: Family, action: str, context: Context | None = None, **data: Any) -> Any:
    response = await home.house.hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True, context=context
    )
    await home.settle()
    return response


async def refused(
    home: Family, action: str, context: Context | None = None, **data: Any
) -> str | None:
    """Return why an action fails."""
    with pytest.raises(HomeAssistantError) as failed:
        await act(home, action, context, **data)
    await home.settle()
    return failed.value.translation_key


def somebody(home: Family, name: str, rights: int, *, mapped: bool = True) -> tuple[User, Context]:
    """Let somebody in who is no administrator of Home Assistant."""
    hass = home.house.hass
    account = MockUser(name=name).add_to_hass(hass)
    user = home.stack.seerr.user(name, rights)
    if mapped:
        map_person(hass, home.house.board, name, {"seerr_entry": str(user.id)}, user_id=account.id)
    return user, Context(user_id=account.id)


async def pending(home: Family, film: Film) -> Request:
    """Have a child ask for a film."""
    home.stack.seerr.user("Child", REQUEST)
    item = home.stack.seerr.ask(film, by="Child")
    assert item is not None
    await home.settle()
    assert home.stages() == {("Amber Ferry", "hd"): "requested"}
    return item


def arrival_id(home: Family) -> str:
    (arrival,) = home.house.runtime.board.arrivals()
    return arrival.id


# --- search ------------------------------------------------------------------------------------


async def test_what_is_found_says_what_the_household_has(home: Family, film: Film) -> None:
    (found,) = (await act(home, "search_media", text="amber ferry"))["results"]
    assert (found["title"], found["type"], found["ids"]) == (
        "Amber Ferry",
        "movie",
        {"tmdb": film.tmdb_id},
    )
    assert (found["requested"], found["arrivals"]) == (False, [])

    await pending(home, film)

    (found,) = (await act(home, "search_media", text="amber ferry"))["results"]
    assert found["requested"]
    assert [one["stage"] for one in found["arrivals"]] == ["requested"]


async def test_without_seerr_the_others_are_searched(home: Family, film: Film) -> None:
    show = home.stack.catalogue.show("Amber Tide", 2020, seasons={1: 3})
    await home.house.hass.config_entries.async_remove("seerr_entry")

    found = (await act(home, "search_media", text="amber"))["results"]
    assert [(one["title"], one["type"]) for one in found] == [
        ("Amber Ferry", "movie"),
        (show.title, "series"),
    ]
    found = (await act(home, "search_media", text="amber", type="series"))["results"]
    assert [one["title"] for one in found] == ["Amber Tide"]
    found = (await act(home, "search_media", text="amber", service="radarr_entry"))["results"]
    assert [one["title"] for one in found] == ["Amber Ferry"]


# --- asking ------------------------------------------------------------------------------------


async def test_an_automation_asks_for_a_film(
    home: Family, film: Film, actions: list[Event[dict[str, Any]]]
) -> None:
    context = Context()
    answer = await act(home, "request_media", context, type="movie", tmdb_id=film.tmdb_id)

    (item,) = home.stack.seerr.requests.values()
    assert answer["request_id"] == item.id
    assert answer["title"] == "Amber Ferry"
    assert answer["decision"] == "approved"
    (known,) = answer["arrivals"]
    assert known["id"] == arrival_id(home)
    assert home.told()["Amber Ferry", "hd"][-1] in {"approved", "sent"}
    (event,) = actions
    assert (event.data["action"], event.data["title"]) == ("request_media", "Amber Ferry")
    assert event.context is context

    told = home.events[0]
    assert context.id in {told.context.parent_id, told.context.id}


async def test_what_exists_is_refused_politely(home: Family, film: Film) -> None:
    await pending(home, film)
    wish: dict[str, Any] = {"type": "movie", "tmdb_id": film.tmdb_id}
    assert await refused(home, "request_media", **wish) == "exists_requested"
    assert (await act(home, "request_media", **wish, tier="4k"))["decision"] == "approved"

    show = home.stack.catalogue.show("Tide House", 2020, seasons={1: 3, 2: 2})
    series: dict[str, Any] = {"type": "series", "tmdb_id": show.tmdb_id}
    answer = await act(home, "request_media", **series, seasons=[1])
    assert [one["season"] for one in answer["arrivals"]] == [1]
    assert await refused(home, "request_media", **series, seasons=[1]) in {
        "exists_approved",
        "exists_sent",
    }
    answer = await act(home, "request_media", **series)
    assert {one["season"] for one in answer["arrivals"]} == {2}
    assert await refused(home, "request_media", **series) == "nothing_left"


async def test_what_is_said_of_a_season_is_said_of_the_one_that_is_meant(home: Family) -> None:
    show = home.stack.catalogue.show("Tide House", 2020, seasons={1: 3, 2: 2})
    series: dict[str, Any] = {"type": "series", "tmdb_id": show.tmdb_id}
    await act(home, "request_media", **series, seasons=[1])
    home.stack.seerr.user("Child", REQUEST)
    home.stack.seerr.ask(show, by="Child", seasons=[2])
    await home.settle()

    assert await refused(home, "request_media", **series, seasons=[2]) == "exists_requested"
    assert await refused(home, "request_media", **series, seasons=[1, 2]) == "exists_requested"
    assert await refused(home, "request_media", **series, seasons=[1]) != "exists_requested"


async def test_somebody_asks_for_themselves_only(home: Family, film: Film) -> None:
    child, context = somebody(home, "Mia", REQUEST)
    _, stranger = somebody(home, "Stranger", REQUEST, mapped=False)
    somebody(home, "Ben", REQUEST)
    wish: dict[str, Any] = {"type": "movie", "tmdb_id": film.tmdb_id}

    assert await refused(home, "request_media", stranger, **wish) == "you_are_not_mapped"
    assert await refused(home, "request_media", context, **wish, person="person.ben") == (
        "not_allowed"
    )
    assert home.stack.seerr.requests == {}

    answer = await act(home, "request_media", context, **wish, person="person.mia")
    assert answer["decision"] == "pending"
    (item,) = home.stack.seerr.requests.values()
    assert item.by is child


@pytest.mark.parametrize(
    ("requesters", "named"),
    [("off", False), ("household", False), ("per_person", True), ("everybody", True)],
)
async def test_what_is_told_leads_to_who_asked_only_where_they_are_named(
    home: Family, film: Film, requesters: str, named: bool
) -> None:
    hass = home.house.hass
    hass.config_entries.async_update_entry(
        home.house.board, options={CONF_REQUESTER_NAMES: requesters}
    )
    _, context = somebody(home, "Mia", REQUEST)
    seen: list[Event[Any]] = []

    @callback
    def take(event: Event[Any]) -> None:
        entity_id = str(event.data.get("entity_id", ""))
        if event.event_type != EVENT_CALL_SERVICE and not entity_id.startswith("person."):
            seen.append(event)

    hass.bus.async_listen(MATCH_ALL, take)

    answer = await act(home, "request_media", context, type="movie", tmdb_id=film.tmdb_id)
    assert await refused(home, "approve_request", context, request_id=answer["request_id"])
    await act(home, "delete_request", context, request_id=answer["request_id"])

    assert [event.data["stage"] for event in home.events] == ["requested", "removed"]
    told = [event for event in seen if event.data.get("action") != "approve_request"]
    assert {"request_media", "delete_request"} <= {event.data.get("action") for event in told}
    leads = {
        event.event_type
        for event in told
        if context.user_id in {event.context.user_id, *_values(event.data)}
        or context.id in {event.context.id, event.context.parent_id}
    }
    assert bool(leads) is named, leads


def _values(data: Any) -> set[Any]:
    """Return all that is said in something."""
    if isinstance(data, State):
        return _values(data.as_dict())
    if isinstance(data, Mapping):
        return {one for value in data.values() for one in _values(value)}
    return {data} if isinstance(data, str) else set()


async def test_for_whom_something_is_asked(home: Family, film: Film) -> None:
    mia, _ = somebody(home, "Mia", REQUEST)
    _, manager = somebody(home, "Anna", MANAGE_REQUESTS | REQUEST)
    wish: dict[str, Any] = {"type": "movie", "tmdb_id": film.tmdb_id, "person": "person.mia"}
    assert await refused(home, "request_media", **{**wish, "person": "person.nobody"}) == (
        "person_not_mapped"
    )
    await act(home, "request_media", manager, **wish)
    (item,) = home.stack.seerr.requests.values()
    assert item.by is mia


async def test_a_quota_is_explained(home: Family, film: Film) -> None:
    mia, context = somebody(home, "Mia", REQUEST)
    mia.movie_quota = 1
    home.stack.seerr.ask(home.stack.catalogue.film("Quiet Waltz"), by="Mia")
    await home.settle()
    assert (
        await refused(home, "request_media", context, type="movie", tmdb_id=film.tmdb_id)
        == "quota_exceeded"
    )


async def test_without_seerr_nobody_can_be_asked(home: Family, film: Film) -> None:
    await home.house.hass.config_entries.async_unload("seerr_entry")
    wish: dict[str, Any] = {"type": "movie", "tmdb_id": film.tmdb_id}
    assert await refused(home, "request_media", **wish) == "no_service"
    assert await refused(home, "request_media", **wish, service="seerr_entry") == (
        "service_not_loaded"
    )
    assert await refused(home, "request_media", **wish, service="radarr_entry") == (
        "service_not_able"
    )


# --- decisions ---------------------------------------------------------------------------------


async def test_a_request_is_approved_in_the_name_of_who_calls(
    home: Family, film: Film, actions: list[Event[dict[str, Any]]]
) -> None:
    item = await pending(home, film)
    anna, context = somebody(home, "Anna", MANAGE_REQUESTS)

    answer = await act(home, "approve_request", context, arrival_id=arrival_id(home))

    assert (answer["decision"], answer["request_id"]) == ("approved", item.id)
    assert item.status == Decision.APPROVED
    assert item.modified_by is anna
    assert [event.data["action"] for event in actions] == ["approve_request"]
    assert actions[0].context.user_id == context.user_id
    approved = next(event for event in home.events if event.data["stage"] == "approved")
    assert approved.context.user_id == context.user_id
    assert await refused(home, "approve_request", context, arrival_id=arrival_id(home)) == (
        "no_request"
    )


@pytest.mark.parametrize(
    ("action", "stage"), [("decline_request", "declined"), ("delete_request", "removed")]
)
async def test_a_request_is_turned_down(home: Family, film: Film, action: str, stage: str) -> None:
    item = await pending(home, film)
    answer = await act(home, action, request_id=item.id)
    assert answer["decision"] == stage
    assert home.stages() == {("Amber Ferry", "hd"): stage}


async def test_a_failed_request_is_retried(home: Family, film: Film) -> None:
    item = await pending(home, film)
    await home.stack.radarr.go_down()
    # Seerr hands it over before it answers, or a little later.
    with suppress(HomeAssistantError):
        await act(home, "approve_request", arrival_id=arrival_id(home))
    await home.house.poll(home.entries["seerr"])
    assert item.status == Decision.FAILED
    assert home.stages() == {("Amber Ferry", "hd"): "failed"}

    await home.stack.radarr.go_up()
    answer = await act(home, "retry_request", arrival_id=arrival_id(home))

    assert answer["decision"] == "approved"
    assert home.stack.radarr.find(film.tmdb_id) is not None


async def test_who_may_not_decide_is_refused_by_seerr_itself(home: Family, film: Film) -> None:
    item = await pending(home, film)
    _, child = somebody(home, "Mia", REQUEST)
    _, stranger = somebody(home, "Stranger", MANAGE_REQUESTS, mapped=False)
    for action in ("approve_request", "decline_request", "delete_request"):
        assert await refused(home, action, child, request_id=item.id) == "not_permitted"
        assert await refused(home, action, stranger, request_id=item.id) == "you_are_not_mapped"
    assert item.status == Decision.PENDING
    assert home.stages() == {("Amber Ferry", "hd"): "requested"}


async def test_an_administrator_of_home_assistant_decides(
    home: Family, film: Film, hass_admin_user: MockUser
) -> None:
    item = await pending(home, film)
    await act(home, "approve_request", Context(user_id=hass_admin_user.id), request_id=item.id)
    assert item.status == Decision.APPROVED


def answering(monkeypatch: pytest.MonkeyPatch, method: str, answer: Callable[[], Answer]) -> None:
    """Have calls of one kind answered otherwise than the service would."""
    send = JsonClient.send

    async def answered(self: JsonClient, verb: str, path: str, **options: Any) -> Answer:
        return answer() if verb == method else await send(self, verb, path, **options)

    monkeypatch.setattr(JsonClient, "send", answered)


def silence() -> Answer:
    raise TimedOutError


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda: Answer(status=202, body=b"{}"), "not_done"),
        (lambda: Answer(status=405, body=b"405: Method Not Allowed"), "server_fault"),
        (silence, "timed_out"),
    ],
)
async def test_nothing_is_done_that_was_not_read_back(
    home: Family,
    film: Film,
    monkeypatch: pytest.MonkeyPatch,
    actions: list[Event[dict[str, Any]]],
    answer: Callable[[], Answer],
    reason: str,
) -> None:
    item = await pending(home, film)
    answering(monkeypatch, "POST", answer)
    for action in ("approve_request", "decline_request"):
        assert await refused(home, action, request_id=item.id) == reason
    assert [event.data["error"] for event in actions] == [reason] * 2
    assert home.stages() == {("Amber Ferry", "hd"): "requested"}


async def test_two_requests_are_told_apart(home: Family) -> None:
    show = home.stack.catalogue.show("Tide House", 2020, seasons={1: 3})
    for name in ("Mia", "Ben"):
        user = home.stack.seerr.user(name, REQUEST)
        home.stack.seerr.put_request(
            show,
            by=user,
            status=Decision.PENDING,
            presence=Presence.PENDING,
            created=home.stack.clock.now(),
            seasons=[1],
        )
    await home.poll()
    assert await refused(home, "approve_request", type="series", tmdb_id=show.tmdb_id) == (
        "several_requests"
    )
    answer = await act(home, "approve_request", request_id=2)
    assert answer["request_id"] == 2
    assert await refused(home, "approve_request", request_id=404) == "no_request"


# --- Radarr and Sonarr ---------------------------------------------------------------------------


async def test_a_title_is_sent_straight_to_a_service(home: Family, film: Film) -> None:
    wish: dict[str, Any] = {"type": "movie", "tmdb_id": film.tmdb_id}
    assert await refused(home, "send_to_service", **wish) == "several_services"
    assert await refused(home, "send_to_service", **wish, service="radarr_entry") == (
        "which_profile"
    )
    profile = next(iter(home.stack.radarr.profiles.values()))
    assert (
        await refused(
            home,
            "send_to_service",
            **wish,
            service="radarr_entry",
            quality_profile=profile,
            root_folder="/nowhere",
        )
        == "which_folder"
    )

    (device,) = dr.async_entries_for_config_entry(dr.async_get(home.house.hass), "radarr_entry")
    answer = await act(
        home, "send_to_service", **wish, service=device.id, quality_profile=profile.upper()
    )

    assert answer["title"] == "Amber Ferry"
    assert [one["stage"] for one in answer["arrivals"]] == ["sent"]
    assert home.stages() == {("Amber Ferry", "hd"): "sent"}
    assert home.told()["Amber Ferry", "hd"] == ["sent"]


async def test_an_approved_season_goes_where_it_belongs(home: Family) -> None:
    show = home.stack.catalogue.show("Tide House", 2020, seasons={1: 3, 2: 2})
    home.stack.seerr.put_request(
        show,
        by=home.stack.seerr.users[1],
        status=Decision.APPROVED,
        presence=Presence.PENDING,
        created=home.stack.clock.now(),
        seasons=[2],
    )
    await home.house.poll(home.entries["seerr"])
    await home.settle()
    assert home.stages() == {("Tide House", "hd"): "approved"}

    profile = next(iter(home.stack.sonarr.profiles.values()))
    await act(home, "send_to_service", arrival_id=arrival_id(home), quality_profile=profile)
    assert home.stages() == {("Tide House", "hd"): "sent"}

    series = home.stack.sonarr.find(show.tvdb_id)
    assert series is not None
    assert [number for number, on in series.seasons.items() if on] == [2]


async def test_sending_and_searching_need_a_manager(home: Family, film: Film) -> None:
    await home.stack.radarr.add_movie(film)
    await home.settle()
    _, child = somebody(home, "Mia", REQUEST)
    _, anna = somebody(home, "Anna", MANAGE_REQUESTS)
    wish: dict[str, Any] = {"type": "movie", "tmdb_id": film.tmdb_id}
    for action in ("send_to_service", "search_release"):
        assert await refused(home, action, child, **wish) == "not_allowed"
    assert home.stack.radarr.commands == {}
    await act(home, "search_release", anna, **wish)
    (command,) = home.stack.radarr.commands.values()
    assert command["name"] == "MoviesSearch"


async def test_only_who_holds_it_searches(home: Family, film: Film) -> None:
    await pending(home, film)
    arrival = arrival_id(home)
    assert await refused(home, "search_release", arrival_id=arrival) == "held_by_nobody"
    await home.stack.radarr.add_movie(film)
    await home.settle()
    answer = await act(home, "search_release", arrival_id=arrival)
    assert [one["service"] for one in answer["services"]] == ["radarr_entry"]
    assert home.stack.radarr_4k.commands == {}


# --- followers -----------------------------------------------------------------------------------


async def test_who_follows_is_for_those_to_know_who_may(
    home: Family, film: Film, hass_admin_user: MockUser
) -> None:
    await pending(home, film)
    arrival = arrival_id(home)
    _, mia = somebody(home, "Mia", REQUEST)
    _, ben = somebody(home, "Ben", REQUEST)
    _, stranger = somebody(home, "Stranger", REQUEST, mapped=False)
    hass, admin = home.house.hass, Context(user_id=hass_admin_user.id)

    async def follow(action: str, context: Context, **data: Any) -> None:
        data = {"arrival_id": arrival, **data}
        await hass.services.async_call(DOMAIN, action, data, blocking=True, context=context)

    async def followers(context: Context) -> list[str]:
        found = await act(home, "get_arrival", context, arrival_id=arrival)
        names: list[str] = found["followers"]
        return names

    await follow("follow", mia)
    await follow("follow", admin, person="person.ben")
    assert await followers(admin) == ["Mia", "Ben"]
    assert await followers(mia) == ["Mia"]
    assert await followers(stranger) == []
    for context, data, reason in (
        (stranger, {}, "which_person"),
        (mia, {"person": "person.ben"}, "not_allowed"),
        (admin, {"person": "person.nobody"}, "person_not_on_board"),
    ):
        with pytest.raises(ServiceValidationError) as failed:
            await follow("follow", context, **data)
        assert failed.value.translation_key == reason

    await follow("unfollow", ben)
    assert await followers(admin) == ["Mia"]
    forgotten = await act(home, "forget_person", admin, person="person.mia")
    assert forgotten["arrivals"] == 1
    assert await followers(admin) == []
