"""Persons of Home Assistant and who they are in the services: the map, and its form."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigEntryDisabler, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_mock_service
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.media_arrivals import coordinator, people_flow
from custom_components.media_arrivals.const import CONF_POLLING_ONLY
from custom_components.media_arrivals.engine.board.models import Person, Role, Service
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.people import MappedPerson, People, ServiceUser
from simulator import SeerrDouble, Stack
from simulator.faults import Fault
from simulator.mediabrowser import MediaBrowserDouble
from simulator.plex import PlexDouble
from simulator.tautulli import TautulliDouble
from tests.engine.board.household import FILM, request, watched
from tests.entity_helpers import set_up_home
from tests.flow_helpers import SUBENTRIES, Flow
from tests.house import House
from tests.persons import add_person, map_person

SEERR = Service(id="seerr", kind="seerr", role=Role.REQUESTS)
PLEX = Service(id="plex", kind="plex", role=Role.PLAYBACK, server_id="p", owner_id="4711")
TAUTULLI = Service(id="tautulli", kind="tautulli", role=Role.WATCHING, server_id="p")
EMBY = Service(id="emby", kind="emby", role=Role.PLAYBACK, server_id="E-1")
SERVICES = {one.id: one for one in (SEERR, PLEX, TAUTULLI, EMBY)}


def people(**persons: tuple[tuple[str, str, str | None], ...]) -> People:
    """Make a map: person -> service, name and id of each user."""
    return People(
        (
            MappedPerson(
                id=name,
                name=name.title(),
                users=tuple(ServiceUser(service=s, name=n, id=i) for s, n, i in users),
            )
            for name, users in persons.items()
        ),
        SERVICES,
    )


# --- the map ----------------------------------------------------------------------------------


def test_users_are_known_by_id_and_else_by_name() -> None:
    found = people(
        anna=(("seerr", "Anna K", "5"), ("plex", "anna", "1")),
        ben=(("seerr", "ben", None), ("emby", "Ben", "be-N")),
    )
    assert found.person_of("seerr", Person(name="other", id=5)) == "anna"
    assert found.person_of("seerr", Person(name="anna k")) == "anna"
    # Another who is called the same is another.
    assert found.person_of("seerr", Person(name="Anna K", id=6)) is None
    # Of whom only the name was entered, the name decides.
    assert found.person_of("seerr", Person(name="BEN", id=9)) == "ben"
    assert found.person_of("seerr", "5") == found.person_of("seerr", "ANNA K") == "anna"
    assert found.person_of("plex", "5") is None
    assert found.person_of("gone", Person(name="ben")) is None


def test_viewers_are_known_on_every_service() -> None:
    found = people(
        anna=(("plex", "anna", "1"), ("emby", "a", "AA-1")),
        ben=(("tautulli", "ben", "22"), ("emby", "typed", None), ("gone", "x", "1")),
    )
    # 1 is the owner, and Plex and Tautulli have the same people.
    assert found.person_of_viewer("plex:4711") == "anna"
    assert found.person_of_viewer("plex:22") == "ben"
    assert found.person_of_viewer("e1:aa1") == "anna"
    assert found.person_of_viewer("plex:somebody") is None
    assert found.viewers_of("anna") == {"plex:4711", "e1:aa1"}
    assert found.viewers == {"plex:4711", "e1:aa1", "plex:22", "e1:typed"}
    assert [user.service for user in found.users_of("ben")] == ["tautulli", "emby", "gone"]
    assert found.users_of("nobody") == ()
    assert People().person_of_viewer("plex:22") is None


async def test_who_signs_in_is_known_also_after_a_person_went(hass: HomeAssistant) -> None:
    home = await set_up_home(hass, "seerr")
    subentry = map_person(hass, home.board_entry, "Anna", {"seerr": "5"}, user_id="user-1")
    assert home.runtime.people.person_for_user_id(hass, "user-1") == "id-of-anna"
    assert home.runtime.people.person_for_user_id(hass, "user-2") is None
    assert home.runtime.people.person_for_user_id(hass, None) is None
    # A new name is known at once.
    hass.states.async_set("person.anna", "home", {"friendly_name": "Anne", "user_id": "user-1"})
    assert home.runtime.people.names(hass) == {"id-of-anna": "Anne"}
    # Entity ids may change.
    registry = er.async_get(hass)
    registry.async_update_entity("person.anna", new_entity_id="person.first")
    hass.states.async_set("person.first", "home", {"friendly_name": "Anne"})
    assert home.runtime.people.names(hass) == {"id-of-anna": "Anne"}
    # Whoever was removed keeps the name that they had when they were entered.
    registry.async_remove("person.first")
    hass.states.async_remove("person.first")
    assert home.runtime.people.names(hass) == {"id-of-anna": "Anna"}
    assert home.runtime.people.person_for_user_id(hass, "user-1") is None
    # A service that went takes nobody with it.
    await hass.config_entries.async_remove("seerr")
    await hass.async_block_till_done()
    assert subentry.subentry_id in home.board_entry.subentries


async def test_a_change_of_the_map_counts_at_once_and_nothing_is_reloaded(
    hass: HomeAssistant,
) -> None:
    home = await set_up_home(hass, "seerr", "plex")
    await home.hear(request(FILM, 0), watched(FILM, 5))
    runtime = home.runtime
    before, rule = home.board_entry.runtime_data, runtime.privacy
    assert runtime.privacy is rule
    subentry = map_person(hass, home.board_entry, "Anna", {"plex": "11"})
    assert runtime.people.person_of_viewer("plex:11") == "id-of-anna"
    hass.config_entries.async_update_subentry(
        home.board_entry, subentry, data={**subentry.data, "users": {"plex": [{"name": "7"}]}}
    )
    assert runtime.people.person_of_viewer("plex:11") is None
    assert runtime.people.person_of_viewer("plex:7") == "id-of-anna"
    hass.config_entries.async_remove_subentry(home.board_entry, subentry.subentry_id)
    assert runtime.people.persons == {}
    await hass.async_block_till_done()
    assert home.board_entry.runtime_data is before
    assert [one.stage.value for one in runtime.board.arrivals()] == ["requested"]


# --- the form -----------------------------------------------------------------------------------


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        # What polls are spared is shown where they are tested.
        monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))
        yield running


@pytest.fixture
async def home(house: House) -> House:
    """Return a house with every service that has users."""
    house.add_board()
    for name in ("seerr", "plex", "tautulli", "jellyfin", "emby", "radarr"):
        house.add_service(double(house, name), options={CONF_POLLING_ONLY: True})
    assert await async_setup_component(house.hass, "config", {})
    await house.start()
    return house


def double(house: House, name: str) -> Any:
    """Return a simulated service."""
    return house.stack.services[name]


@pytest.fixture
async def admin(home: House, hass_client: ClientSessionGenerator) -> TestClient[Any, Any]:
    return await hass_client()


async def begin(admin: TestClient[Any, Any], home: House, entity_id: str) -> Flow:
    """Open the dialog and say who it is."""
    flow = await Flow.begin(admin, SUBENTRIES, handler=[home.board.entry_id, "person"])
    assert flow.last["step_id"] == "user"
    await flow.send({"person": entity_id})
    return flow


async def change(admin: TestClient[Any, Any], home: House, subentry: ConfigSubentry) -> Flow:
    """Open the dialog of somebody who is in the map."""
    flow = await Flow.begin(
        admin,
        SUBENTRIES,
        handler=[home.board.entry_id, "person"],
        subentry_id=subentry.subentry_id,
    )
    assert flow.last["step_id"] == "users"
    return flow


def offered(flow: Flow, field: str) -> dict[str, str]:
    """Return what a field offers: name -> id."""
    options = flow.field(field)["selector"]["select"]["options"]
    return {one["label"]: one["value"] for one in options}


def subentry_of(home: House, name: str) -> ConfigSubentry:
    """Return somebody's entry in the map."""
    (found,) = [one for one in home.board.subentries.values() if one.title == name]
    return found


async def test_the_front_end_may_add_persons_to_the_board_only(
    home: House, hass_ws_client: WebSocketGenerator
) -> None:
    socket = await hass_ws_client(home.hass)
    await socket.send_json_auto_id({"type": "config_entries/get", "domain": "media_arrivals"})
    answer = await socket.receive_json()
    supported = {one["entry_id"]: one["supported_subentry_types"] for one in answer["result"]}
    assert supported.pop(home.board.entry_id) == {"person": {"supports_reconfigure": True}}
    assert set(map(str, supported.values())) == {"{}"}


async def test_it_is_said_how_a_person_is_reached(
    hass: HomeAssistant, home: House, admin: TestClient[Any, Any]
) -> None:
    for name in ("mobile_app_anna", "send_message", "notify", "persistent_notification"):
        async_mock_service(hass, "notify", name)
    hass.states.async_set("notify.kitchen", "unknown", {"friendly_name": "Kitchen"})
    phone = er.async_get(hass).async_get_or_create("notify", "mobile_app", "anna")
    hass.states.async_set(phone.entity_id, "unknown")

    flow = await begin(admin, home, add_person(hass, "Anna"))
    assert offered(flow, "notify") == {
        "notify.mobile_app_anna": "notify.mobile_app_anna",
        "Kitchen (notify.kitchen)": "notify.kitchen",
    }
    await flow.send({"notify": ["notify.mobile_app_anna", "the kitchen"]})
    assert flow.last["errors"] == {"notify": "not_notify"}
    await flow.send({"notify": ["notify.mobile_app_anna", " notify.away ", "notify.away"]})
    assert flow.last["type"] == "create_entry"
    reach = ("notify.mobile_app_anna", "notify.away")
    assert home.runtime.people.reach("id-of-anna") == reach
    assert home.runtime.people.reach("nobody") == ()

    # A phone that is away stays chosen.
    hass.services.async_remove("notify", "mobile_app_anna")
    flow = await change(admin, home, subentry_of(home, "Anna"))
    assert set(offered(flow, "notify").values()) == {*reach, "notify.kitchen"}
    await flow.send({"notify": list(reach)})
    assert home.runtime.people.reach("id-of-anna") == reach
    flow = await change(admin, home, subentry_of(home, "Anna"))
    await flow.send({})
    assert home.runtime.people.reach("id-of-anna") == ()


async def test_a_person_is_added_with_the_users_of_every_service(
    hass: HomeAssistant, home: House, admin: TestClient[Any, Any]
) -> None:
    plex, jellyfin = double(home, "plex"), double(home, "jellyfin")
    seerr, emby = double(home, "seerr"), double(home, "emby")
    assert isinstance(plex, PlexDouble)
    assert isinstance(jellyfin, MediaBrowserDouble)
    assert isinstance(emby, MediaBrowserDouble)
    assert isinstance(seerr, SeerrDouble)
    assert isinstance(double(home, "tautulli"), TautulliDouble)
    anna = add_person(hass, "Anna")

    flow = await begin(admin, home, anna)

    assert flow.last["description_placeholders"]["person"] == "Anna"
    # Radarr has no users.
    assert [one["name"] for one in flow.last["data_schema"]] == [
        "seerr",
        "plex",
        "tautulli",
        "jellyfin",
        "emby",
        "notify",
    ]
    assert offered(flow, "plex") == {name: str(one) for one, name in plex.users.items()}
    assert offered(flow, "jellyfin") == {one.name: one.id for one in jellyfin.users}
    assert offered(flow, "seerr") == {one.name: str(one.id) for one in seerr.users.values()}
    assert offered(flow, "tautulli")
    jelly, asker = jellyfin.users[0], next(iter(seerr.users.values()))
    await flow.send(
        {"plex": ["1"], "jellyfin": [jelly.name.upper()], "seerr": [str(asker.id), "Typed"]}
    )
    assert flow.last["type"] == "create_entry"
    assert flow.last["title"] == "Anna"
    found = subentry_of(home, "Anna")
    assert found.unique_id == "id-of-anna"
    assert found.data == {
        "person": "id-of-anna",
        "users": {
            "seerr_entry": [{"name": asker.name, "id": str(asker.id)}, {"name": "Typed"}],
            "plex_entry": [{"name": plex.users[1], "id": "1"}],
            # A name that was typed is found among those that are known.
            "jellyfin_entry": [{"name": jelly.name, "id": jelly.id}],
        },
    }
    people = home.runtime.people
    assert people.person_of_viewer(f"plex:{plex.plex_tv.owner.id}") == "id-of-anna"
    assert people.person_of_viewer(f"{jellyfin.server_id}:{jelly.id}") == "id-of-anna"
    assert people.person_of("seerr_entry", Person(name="?", id=asker.id)) == "id-of-anna"
    assert people.person_of("seerr_entry", Person(name="typed", id=77)) == "id-of-anna"


async def test_a_person_is_there_once_and_a_user_is_one_person(
    hass: HomeAssistant, home: House, admin: TestClient[Any, Any]
) -> None:
    anna, ben = add_person(hass, "Anna"), add_person(hass, "Ben")
    flow = await begin(admin, home, anna)
    late = await begin(admin, home, anna)
    later = await Flow.begin(admin, SUBENTRIES, handler=[home.board.entry_id, "person"])
    await flow.send({"plex": ["1"], "emby": ["typed"]})

    again = await Flow.begin(admin, SUBENTRIES, handler=[home.board.entry_id, "person"])
    assert again.field("person")["selector"]["entity"]["exclude_entities"] == [anna]
    await later.send({"person": anna})
    assert later.last["errors"] == {"person": "person_already_added"}
    await again.send({"person": "person.without_entry"})
    assert again.last["errors"] == {"person": "person_without_id"}
    await late.send({})
    assert (late.last["type"], late.last["reason"]) == ("abort", "already_configured")

    await again.send({"person": ben})
    await again.send({"emby": ["TYPED"], "plex": ["22"]})
    assert again.last["errors"] == {"base": "user_taken"}
    assert again.last["description_placeholders"] == {
        "person": "Ben",
        "user": "TYPED",
        "other": "Anna",
    }
    # What was entered is not lost.
    assert again.suggested("plex") == ["22"]
    # Tautulli's users are Plex's.
    owner = str(double(home, "plex").plex_tv.owner.id)
    await again.send({"tautulli": [owner]})
    assert again.last["errors"] == {"base": "user_taken"}
    await again.send({"tautulli": ["22"]})
    assert again.last["type"] == "create_entry"
    assert {one.title for one in home.board.subentries.values()} == {"Anna", "Ben"}


async def test_what_was_entered_survives_services_that_are_away(
    hass: HomeAssistant,
    home: House,
    admin: TestClient[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(people_flow, "ASK_SECONDS", 0.5)
    jellyfin, seerr = double(home, "jellyfin"), double(home, "seerr")
    user = jellyfin.users[0]
    flow = await begin(admin, home, add_person(hass, "Anna"))
    await flow.send({"jellyfin": [user.id], "emby": ["Someone"], "plex": ["1"]})
    before = subentry_of(home, "Anna").data

    await home.hass.config_entries.async_set_disabled_by("jellyfin_entry", ConfigEntryDisabler.USER)
    double(home, "emby").fault = Fault.named("500")
    seerr.fault = Fault.named("403")
    title = request(FILM, 0).title
    asker = request(title, 0, who="Mia")
    await home.runtime.apply([_by(asker, 31)], service="seerr_entry")
    flow = await change(admin, home, subentry_of(home, "Anna"))

    assert flow.suggested("jellyfin") == [user.id]
    assert offered(flow, "jellyfin") == {user.name: user.id}
    assert flow.suggested("emby") == ["Someone"]
    # Of a service that does not say it, the board knows who has asked.
    assert offered(flow, "seerr") == {"Mia": "31"}
    await flow.send({name: flow.suggested(name) for name in ("jellyfin", "emby", "plex")})
    assert flow.last["reason"] == "reconfigure_successful"
    assert subentry_of(home, "Anna").data == before

    # A service that is removed for good leaves the map with the next change.
    await hass.config_entries.async_remove("jellyfin_entry")
    await home.settle()
    flow = await change(admin, home, subentry_of(home, "Anna"))
    await flow.send({"emby": ["Someone"]})
    assert subentry_of(home, "Anna").data["users"] == {"emby_entry": [{"name": "Someone"}]}


async def test_services_of_one_name_are_told_apart(
    hass: HomeAssistant, home: House, admin: TestClient[Any, Any]
) -> None:
    entry = hass.config_entries.async_get_entry("emby_entry")
    assert entry is not None
    hass.config_entries.async_update_entry(entry, title="jellyfin")
    flow = await begin(admin, home, add_person(hass, "Anna"))
    await flow.send({"jellyfin (2)": ["Someone"]})
    assert subentry_of(home, "Anna").data["users"] == {"emby_entry": [{"name": "Someone"}]}


def _by(report: Any, number: int) -> Any:
    """Return a request with the id of who asks."""
    origin = replace(report.origin, service="seerr_entry")
    return replace(report, origin=origin, requester=replace(report.requester, id=number))
