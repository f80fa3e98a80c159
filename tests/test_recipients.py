"""Automations are told whom to tell, and nobody else is."""

from typing import Any

import pytest
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from pytest_homeassistant_custom_component.common import MockUser, async_mock_service

from custom_components.media_arrivals.const import CONF_REQUESTER_NAMES, DOMAIN
from custom_components.media_arrivals.engine.board.models import Decision
from custom_components.media_arrivals.privacy import Requesters
from tests.automation_helpers import automate, hear
from tests.engine.board.household import FILM, request
from tests.entity_helpers import Home, board_entry, set_up_home
from tests.persons import map_person


@pytest.fixture
async def home(hass: HomeAssistant) -> Home:
    home = await set_up_home(hass)
    for number, name in enumerate(("mia", "ben"), 1):
        async_mock_service(hass, "notify", f"mobile_app_{name}")
        user = MockUser(name=name).add_to_hass(hass)
        map_person(
            hass,
            home.board_entry,
            name.title(),
            {"seerr": str(number)},
            user_id=user.id,
            notify=[f"notify.mobile_app_{name}", "notify.sold"],
        )
    await hear(home, request(FILM, 0, who="user 1"))
    return home


async def told(home: Home, context: Context | None = None, **data: Any) -> Any:
    return await home.hass.services.async_call(
        DOMAIN, "get_recipients", data, blocking=True, return_response=True, context=context
    )


def reaching(*names: str) -> dict[str, list[str]]:
    return {
        "recipients": [f"notify.mobile_app_{name}" for name in names],
        "recipient_entities": [],
    }


def the_arrival(home: Home) -> str:
    (arrival,) = home.runtime.board.arrivals()
    return arrival.id


async def test_who_waits_for_an_arrival_is_found(home: Home) -> None:
    arrival_id = the_arrival(home)
    assert await told(home, whom="concerned", arrival_id=arrival_id) == reaching("mia")
    assert await told(home, whom="concerned", request_id=1, service="seerr") == reaching("mia")
    await home.hass.services.async_call(
        DOMAIN, "follow", {"arrival_id": arrival_id, "person": "person.ben"}, blocking=True
    )
    assert await told(home, whom="concerned", arrival_id=arrival_id) == reaching("mia", "ben")


async def test_who_was_refused_is_not_told_how_it_went_on(home: Home) -> None:
    await hear(home, request(FILM, 1, number=2, who="user 2"))
    await hear(home, request(FILM, 2, Decision.DECLINED, who="user 1"))
    assert await told(home, whom="concerned", arrival_id=the_arrival(home)) == reaching("ben")


async def test_the_refusal_itself_is_told_to_whom_it_concerns(home: Home) -> None:
    runs = await automate(home.hass, f"triggers: [{{trigger: {DOMAIN}.arrival_declined}}]")
    await hear(home, request(FILM, 2, Decision.DECLINED, who="user 1"))
    assert runs.last["recipients"] == ["notify.mobile_app_mia"]


async def test_everybody_and_one_of_them(home: Home) -> None:
    assert await told(home, whom="everybody") == reaching("mia", "ben")
    people = home.runtime.people
    (ben,) = people.user_ids(home.hass, ["id-of-ben"])
    assert await told(home, whom="everybody", user_id=ben) == reaching("ben")
    assert await told(home, whom="everybody", user_id="nobody") == reaching()


async def test_without_an_arrival_nobody_waits_for_it(home: Home) -> None:
    with pytest.raises(ServiceValidationError) as refused:
        await told(home, whom="concerned")
    assert refused.value.translation_key == "arrival_not_found"


async def test_approvers_of_a_seerr_that_cannot_be_asked_are_administrators(home: Home) -> None:
    owner = MockUser(name="Owner", is_owner=True).add_to_hass(home.hass)
    map_person(
        home.hass,
        home.board_entry,
        "Owner",
        {},
        user_id=owner.id,
        notify=["notify.mobile_app_ben"],
    )
    found = await told(home, whom="approvers", request_id=1)
    assert found == {**reaching("ben"), "users": [owner.id], "waits": True}
    await hear(home, request(FILM, 2, Decision.APPROVED, who="user 1"))
    assert (await told(home, whom="approvers", request_id=1))["waits"] is False
    assert "waits" not in await told(home, whom="approvers")


async def test_ordinary_users_are_told_nothing(home: Home) -> None:
    user = MockUser(name="Guest").add_to_hass(home.hass)
    with pytest.raises(Unauthorized):
        await told(home, Context(user_id=user.id), whom="everybody")


async def test_where_nobody_who_asked_is_kept_nobody_is_told(hass: HomeAssistant) -> None:
    home = await set_up_home(
        hass, board=board_entry(**{CONF_REQUESTER_NAMES: Requesters.OFF.value})
    )
    async_mock_service(hass, "notify", "mobile_app_mia")
    map_person(hass, home.board_entry, "Mia", {"seerr": "1"}, notify=["notify.mobile_app_mia"])
    await hear(home, request(FILM, 0, who="user 1"))
    assert await told(home, whom="concerned", arrival_id=the_arrival(home)) == reaching()
