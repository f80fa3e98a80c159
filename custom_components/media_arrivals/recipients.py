"""The action that says whom to tell."""

from enum import StrEnum
from typing import Final

import probatio
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service

from .const import DOMAIN
from .engine.board.models import Decision
from .notifying import askers, concerned, recipients
from .people import PersonId
from .rights import async_administrators, async_approvers
from .runtime import BOARD_KEY
from .targets import (
    ATTR_ARRIVAL_ID,
    ATTR_REQUEST_ID,
    SERVICE,
    arrival_not_found,
    live_arrival,
    service_entry,
    the_request,
)

ACTION_GET_RECIPIENTS: Final = "get_recipients"
ATTR_USER_ID: Final = "user_id"
ATTR_WHOM: Final = "whom"


class Whom(StrEnum):
    """Who is to be told something."""

    CONCERNED = "concerned"
    """Who waits for an arrival, or made a request."""
    APPROVERS = "approvers"
    """Who may decide on requests."""
    EVERYBODY = "everybody"
    """All the people of the board."""


GET_RECIPIENTS_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(ATTR_WHOM): probatio.Coerce(Whom),
        probatio.Exclusive(ATTR_REQUEST_ID, "id"): cv.positive_int,
        probatio.Exclusive(ATTR_ARRIVAL_ID, "id"): cv.string,
        probatio.Optional(ATTR_USER_ID): cv.string,
        **SERVICE,
    }
)


@callback
def async_setup_recipients(hass: HomeAssistant) -> None:
    """Register the action: it is for automations and administrators."""
    async_register_admin_service(
        hass,
        DOMAIN,
        ACTION_GET_RECIPIENTS,
        _async_get_recipients,
        GET_RECIPIENTS_SCHEMA,
        SupportsResponse.ONLY,
    )


async def _async_get_recipients(call: ServiceCall) -> ServiceResponse:
    """Say how those who are meant are reached, and who of the users may decide."""
    if call.data[ATTR_WHOM] is not Whom.APPROVERS:
        return recipients(call.hass, _narrowed(call, _meant(call)))
    entry = service_entry(call)
    approvers = await async_approvers(call.hass, None if entry is None else entry.entry_id)
    people = call.hass.data[BOARD_KEY].people
    users = [*await async_administrators(call.hass), *people.user_ids(call.hass, approvers)]
    answer = {
        **recipients(call.hass, _narrowed(call, approvers)),
        "users": list(dict.fromkeys(users)),
    }
    if ATTR_REQUEST_ID in call.data:
        answer["waits"] = the_request(call).decision.decision is Decision.PENDING
    return answer


def _narrowed(call: ServiceCall, persons: list[PersonId]) -> list[PersonId]:
    """Return those of the persons who sign in as the user that the caller named, if any."""
    if (user_id := call.data.get(ATTR_USER_ID)) is None:
        return persons
    person = call.hass.data[BOARD_KEY].people.person_for_user_id(call.hass, user_id)
    return [one for one in persons if one == person]


def _meant(call: ServiceCall) -> list[PersonId]:
    """Return the persons who are meant."""
    if call.data[ATTR_WHOM] is Whom.EVERYBODY:
        return list(call.hass.data[BOARD_KEY].people.persons)
    if ATTR_REQUEST_ID in call.data:
        return askers(call.hass, (the_request(call),))
    if ATTR_ARRIVAL_ID not in call.data:
        raise arrival_not_found()
    arrival = live_arrival(call)
    return concerned(call.hass, arrival, arrival.stage)
