"""Whom to tell, and how: the actions and entities of notify that reach people."""

from collections.abc import Iterable
from typing import Final

from homeassistant.core import HomeAssistant, split_entity_id, valid_entity_id
from homeassistant.helpers import entity_registry as er

from .engine.board.models import Arrival, Change, Request, Stage
from .people import PersonId
from .presenter import Document
from .runtime import BOARD_KEY

_NOTIFY: Final = "notify"
_FOR_NOBODY: Final = frozenset({"send_message", "notify", "persistent_notification"})
"""Actions that reach everybody, or whoever they are told to."""
_MOBILE_APP: Final = "mobile_app"
"""Its entities take neither pictures nor buttons, its actions do."""
_OVER: Final = frozenset({Stage.DECLINED, Stage.REMOVED})


def is_notify(target: str) -> bool:
    """Tell whether this may be an action or an entity of notify."""
    return valid_entity_id(target) and split_entity_id(target)[0] == _NOTIFY


def notify_choices(hass: HomeAssistant) -> dict[str, str]:
    """Return what there is to reach somebody, with names."""
    names = hass.services.async_services_for_domain(_NOTIFY).keys() - _FOR_NOBODY
    choices = {f"{_NOTIFY}.{name}": f"{_NOTIFY}.{name}" for name in sorted(names)}
    registry = er.async_get(hass)
    for state in hass.states.async_all(_NOTIFY):
        entry = registry.async_get(state.entity_id)
        if entry is None or entry.platform != _MOBILE_APP:
            choices.setdefault(state.entity_id, f"{state.name} ({state.entity_id})")
    return choices


def recipients(hass: HomeAssistant, persons: Iterable[PersonId]) -> Document:
    """Say how persons are reached now. What is not there at the moment is left out.

    An automation cannot go on after an action that does not exist.
    """
    people = hass.data[BOARD_KEY].people
    targets = dict.fromkeys(target for one in persons for target in people.reach(one))
    actions = [
        one for one in targets if hass.services.has_service(_NOTIFY, split_entity_id(one)[1])
    ]
    entities = [one for one in targets if one not in actions and hass.states.get(one) is not None]
    return {"recipients": actions, "recipient_entities": entities}


def askers(hass: HomeAssistant, requests: Iterable[Request]) -> list[PersonId]:
    """Return the persons who made requests."""
    people = hass.data[BOARD_KEY].people
    return [
        person
        for one in requests
        if one.requester is not None
        and (person := people.person_of(one.service, one.requester)) is not None
    ]


def concerned(hass: HomeAssistant, arrival: Arrival, stage: Stage) -> list[PersonId]:
    """Return who waits for an arrival: who asked for it, and who follows it.

    Who was refused is not told how it went on for others.
    """
    requests = hass.data[BOARD_KEY].board.requests_of(arrival)
    asked = askers(hass, (one for one in requests if stage in _OVER or one.stage not in _OVER))
    return [*asked, *arrival.followers]


def concerned_by(hass: HomeAssistant, change: Change) -> list[PersonId]:
    """Return whom a change concerns."""
    if change.request is not None:
        board = hass.data[BOARD_KEY].board
        covered = [found for one in change.request.arrivals if (found := board.get(one))]
        followers = [person for one in covered for person in one.followers]
        return [*askers(hass, (change.request,)), *followers]
    return concerned(hass, change.arrival, change.stage)
