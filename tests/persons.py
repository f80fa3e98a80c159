"""Persons of Home Assistant, and who they are in the services, for tests."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals.const import (
    CONF_NOTIFY,
    CONF_PERSON,
    CONF_USERS,
    SUBENTRY_PERSON,
)


def add_person(hass: HomeAssistant, name: str, user_id: str | None = None) -> str:
    """Add a person to Home Assistant, as its own integration does; return the entity."""
    person_id = f"id-of-{name.casefold()}"
    entry = er.async_get(hass).async_get_or_create(
        "person", "person", person_id, suggested_object_id=name.casefold()
    )
    hass.states.async_set(
        entry.entity_id,
        "home",
        {"friendly_name": name, "id": person_id, **({"user_id": user_id} if user_id else {})},
    )
    return entry.entity_id


def map_person(
    hass: HomeAssistant,
    board: MockConfigEntry,
    name: str,
    users: Mapping[str, str | dict[str, Any]],
    user_id: str | None = None,
    notify: Sequence[str] = (),
) -> ConfigSubentry:
    """Add a person to Home Assistant and to the board: entry id -> id, or what is kept."""
    entity_id = add_person(hass, name, user_id)
    entry = er.async_get(hass).async_get(entity_id)
    assert entry is not None
    subentry = ConfigSubentry(
        data=MappingProxyType(
            {
                CONF_PERSON: entry.unique_id,
                CONF_USERS: {
                    service: [
                        {"name": f"user {user}", "id": user} if isinstance(user, str) else user
                    ]
                    for service, user in users.items()
                },
                CONF_NOTIFY: list(notify),
            }
        ),
        subentry_type=SUBENTRY_PERSON,
        title=name,
        unique_id=entry.unique_id,
    )
    hass.config_entries.async_add_subentry(board, subentry)
    return subentry
