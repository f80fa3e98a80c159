"""The form of a person: who somebody of the household is in the services."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import probatio  # what Home Assistant's own signatures name; see config_flow.py
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .const import CONF_KIND, CONF_NOTIFY, CONF_PERSON, CONF_USERS
from .coordinator import async_make_client
from .engine.board.models import Role
from .engine.connectors.base import KnownUser, KnowsUsers, ServiceError
from .engine.connectors.registry import decoder
from .notifying import is_notify, notify_choices
from .people import MappedPerson, People, PersonId, ServiceUser, name_of, person_id, persons_of
from .runtime import BOARD_KEY, ServiceConfigEntry, service_entries, service_of

ASK_SECONDS: Final = 10.0
"""Whoever fills in a form does not wait longer for a list of names."""
_WITH_USERS: Final = frozenset({Role.REQUESTS, Role.PLAYBACK, Role.WATCHING})


@dataclass(frozen=True, slots=True)
class _Service:
    """A service that has users, with its field of the form."""

    entry: ServiceConfigEntry
    field: str
    """What the service is called: no text of ours could say that."""
    known: tuple[KnownUser, ...]


class PersonFlow(ConfigSubentryFlow):
    """Adds a person to the people map, or changes who they are in the services."""

    def __init__(self) -> None:
        """Begin without anybody."""
        self._person: PersonId = ""
        self._name = ""
        self._services: Sequence[_Service] | None = None

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask who it is."""
        errors: dict[str, str] = {}
        mapped = People(persons_of(self._get_entry())).persons
        if user_input is not None:
            found = person_id(self.hass, user_input[CONF_PERSON])
            if found is None:
                errors[CONF_PERSON] = "person_without_id"
            elif found in mapped:
                errors[CONF_PERSON] = "person_already_added"
            else:
                self._person = found
                self._name = name_of(self.hass, MappedPerson(id=found, name=found))
                return await self.async_step_users()
        registry = er.async_get(self.hass)
        known = [
            entity_id
            for one in mapped
            if (entity_id := registry.async_get_entity_id("person", "person", one)) is not None
        ]
        return self.async_show_form(
            step_id="user",
            data_schema=probatio.Schema(
                {
                    probatio.Required(CONF_PERSON): EntitySelector(
                        EntitySelectorConfig(domain="person", exclude_entities=known)
                    )
                }
            ),
            errors=errors,
        )

    async def async_step_reconfigure(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change who a person is in the services."""
        subentry = self._get_reconfigure_subentry()
        self._person = subentry.data[CONF_PERSON]
        self._name = name_of(self.hass, MappedPerson(id=self._person, name=subentry.title))
        return await self.async_step_users()

    async def async_step_users(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask who the person is in each service."""
        if self._services is None:
            self._services = await self._with_users()
        errors: dict[str, str] = {}
        placeholders = {"person": self._name, "user": "-", "other": "-"}
        chosen, notify = self._stored(), self._stored_notify()
        if user_input is not None:
            notify = list(dict.fromkeys(one.strip() for one in user_input.get(CONF_NOTIFY, ())))
            chosen = {
                one.entry.entry_id: _read(one, user_input.get(one.field, ()), chosen)
                for one in self._services
            }
            if (taken := self._taken(chosen)) is not None:
                errors["base"] = "user_taken"
                placeholders["user"], placeholders["other"] = taken
            elif not all(map(is_notify, notify)):
                errors[CONF_NOTIFY] = "not_notify"
            else:
                return self._finish(chosen, notify)
        return self.async_show_form(
            step_id="users",
            data_schema=probatio.Schema(
                {
                    probatio.Optional(
                        one.field,
                        description={
                            "suggested_value": [
                                user.id or user.name for user in chosen.get(one.entry.entry_id, ())
                            ]
                        },
                    ): self._selector(one, chosen.get(one.entry.entry_id, ()))
                    for one in self._services
                }
                | {
                    probatio.Optional(
                        CONF_NOTIFY, description={"suggested_value": notify}
                    ): self._notify_selector(notify)
                }
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    def _finish(
        self, chosen: Mapping[str, Sequence[ServiceUser]], notify: Sequence[str]
    ) -> SubentryFlowResult:
        """Keep what was entered. Nothing is reloaded: whoever needs it looks at each time."""
        data = {
            CONF_PERSON: self._person,
            CONF_USERS: {
                service: [user.document for user in users]
                for service, users in chosen.items()
                if users
            },
            **({CONF_NOTIFY: list(notify)} if notify else {}),
        }
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), title=self._name, data=data
            )
        # Somebody else may have added the same person meanwhile.
        if self._person in People(persons_of(self._get_entry())).persons:
            return self.async_abort(reason="already_configured")
        return self.async_create_entry(title=self._name, data=data, unique_id=self._person)

    async def _with_users(self) -> list[_Service]:
        """Return the services that have users, with those that can be read."""
        entries = [
            entry
            for entry in service_entries(self.hass)
            if decoder(entry.data[CONF_KIND]).role in _WITH_USERS
        ]
        known = await asyncio.gather(*map(self._known, entries))
        # A service that is called like the field of our own gets another name.
        fields = {CONF_NOTIFY: 1}
        services = []
        for entry, users in zip(entries, known, strict=True):
            fields[entry.title] = number = fields.get(entry.title, 0) + 1
            field = entry.title if number == 1 else f"{entry.title} ({number})"
            services.append(_Service(entry, field, users))
        return services

    async def _known(self, entry: ServiceConfigEntry) -> tuple[KnownUser, ...]:
        """Read a service's users; of one that is away, those whom the board has seen asking."""
        users: dict[str, KnownUser] = {}
        client = await async_make_client(self.hass, entry, hurry=True)
        if isinstance(client, KnowsUsers) and not entry.disabled_by:
            with suppress(ServiceError, TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    users = {one.id: one for one in await client.known_users()}
        if not users:
            for request in self.hass.data[BOARD_KEY].board.requests():
                who = request.requester
                if request.service == entry.entry_id and who is not None and who.id is not None:
                    users[str(who.id)] = KnownUser(id=str(who.id), name=who.name)
        return tuple(sorted(users.values(), key=lambda one: one.name.casefold()))

    def _stored(self) -> dict[str, Sequence[ServiceUser]]:
        """Return what was entered before; what is said of services that are gone is dropped."""
        if self.source != SOURCE_RECONFIGURE:
            return {}
        users = self._get_reconfigure_subentry().data[CONF_USERS]
        return {
            service: [ServiceUser.of(service, one) for one in documents]
            for service, documents in users.items()
        }

    def _stored_notify(self) -> list[str]:
        """Return how the person was reached before."""
        if self.source != SOURCE_RECONFIGURE:
            return []
        return list(self._get_reconfigure_subentry().data.get(CONF_NOTIFY, ()))

    def _notify_selector(self, notify: Sequence[str]) -> SelectSelector:
        """Offer what there is, and what was chosen when it was: phones come and go."""
        options = notify_choices(self.hass)
        for one in notify:
            options.setdefault(one, one)
        return _any_of(options)

    def _selector(self, service: _Service, chosen: Sequence[ServiceUser]) -> SelectSelector:
        """Offer the users that are known, and those that were chosen when they were."""
        options = {one.id: one.name for one in service.known}
        for user in chosen:
            options.setdefault(user.id or user.name, user.name)
        return _any_of(options)

    def _taken(self, chosen: Mapping[str, Sequence[ServiceUser]]) -> tuple[str, str] | None:
        """Return a user who is somebody else already, and whose."""
        others = [one for one in persons_of(self._get_entry()) if one.id != self._person]
        services = {entry.entry_id: service_of(entry) for entry in service_entries(self.hass)}
        known = People(others, services)
        for service_id, users in chosen.items():
            service = services[service_id]
            for user in users:
                # Plex and Tautulli have the same users.
                viewer = decoder(service.kind).viewer(service, user.id or user.name)
                other = known.person_of(service_id, user.id or user.name)
                if other is None and viewer is not None:
                    other = known.person_of_viewer(viewer)
                if other is not None:
                    return user.name, name_of(self.hass, known.persons[other])
        return None


def _any_of(options: Mapping[str, str]) -> SelectSelector:
    """Offer several, and to type more."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=value, label=label) for value, label in options.items()
            ],
            multiple=True,
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def _read(
    service: _Service, values: Sequence[str], stored: Mapping[str, Sequence[ServiceUser]]
) -> list[ServiceUser]:
    """Return the users that were chosen; a name that was typed is looked for among the known."""
    service_id = service.entry.entry_id
    by_id = {one.id: one for one in service.known}
    by_name = {one.name.casefold(): one for one in service.known}
    before = {user.id or user.name: user for user in stored.get(service_id, ())}
    users: dict[str, ServiceUser] = {}
    for typed in values:
        value = typed.strip()
        known = by_id.get(value) or by_name.get(value.casefold())
        if known is not None:
            users[known.id] = ServiceUser(service=service_id, name=known.name, id=known.id)
        elif value:
            users[value] = before.get(value) or ServiceUser(service=service_id, name=value)
    return list(users.values())
