"""Who is who: persons of Home Assistant, and their users in the services."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er

from .const import CONF_NOTIFY, CONF_PERSON, CONF_USERS, SUBENTRY_PERSON
from .engine.board.models import Person, Service
from .engine.connectors.registry import decoder

_PERSON: Final = "person"
_USER_ID: Final = "user_id"

type PersonId = str
"""The person's own id: entity ids may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceUser:
    """A user of a service, as the person's form keeps it."""

    service: str
    """Entry id."""
    name: str
    id: str | None = None
    """The service's own id; ``None``: somebody typed the name while it could not be asked."""

    @classmethod
    def of(cls, service: str, document: Mapping[str, Any]) -> ServiceUser:
        """Read what is kept of one."""
        return cls(service=service, name=document["name"], id=document.get("id"))

    @property
    def document(self) -> dict[str, str]:
        """Return what is kept."""
        return {"name": self.name} if self.id is None else {"name": self.name, "id": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedPerson:
    """A person of Home Assistant whose users are known."""

    id: PersonId
    name: str
    """As it was when it was entered; see :func:`name_of`."""
    users: tuple[ServiceUser, ...] = ()
    notify: tuple[str, ...] = ()
    """Actions and entities of notify, whether they are there at the moment or not."""


class People:
    """The people map: made anew when it changes, so that every look is one in a table."""

    def __init__(
        self, persons: Iterable[MappedPerson] = (), services: Mapping[str, Service] | None = None
    ) -> None:
        """Take the persons; what they are called as viewers depends on the services."""
        self.persons: Mapping[PersonId, MappedPerson] = {one.id: one for one in persons}
        self._by_id: dict[tuple[str, str], PersonId] = {}
        self._by_name: dict[tuple[str, str], PersonId] = {}
        self._typed: dict[tuple[str, str], PersonId] = {}
        """Names of those whose id is not known: somebody else may be called the same."""
        self._viewers: dict[str, PersonId] = {}
        for person in self.persons.values():
            for user in person.users:
                self._enter(person.id, user, (services or {}).get(user.service))

    def _enter(self, person: PersonId, user: ServiceUser, service: Service | None) -> None:
        name = (user.service, user.name.casefold())
        self._by_name.setdefault(name, person)
        if user.id is None:
            self._typed.setdefault(name, person)
        else:
            self._by_id.setdefault((user.service, user.id), person)
        if service is None:
            return
        viewer = decoder(service.kind).viewer(service, user.id or user.name)
        if viewer is not None:
            self._viewers.setdefault(viewer, person)

    @classmethod
    def of(cls, entry: ConfigEntry[Any] | None, services: Mapping[str, Service]) -> People:
        """Read the map that the board's entry keeps."""
        return cls(() if entry is None else persons_of(entry), services)

    def person_of(self, service_id: str, user: Person | str) -> PersonId | None:
        """Return whose user of a service it is: a requester, or a user's id or name."""
        if isinstance(user, str):
            found = self._by_id.get((service_id, user))
            return found or self._by_name.get((service_id, user.casefold()))
        name = (service_id, user.name.casefold())
        if user.id is None:
            return self._by_name.get(name)
        return self._by_id.get((service_id, str(user.id))) or self._typed.get(name)

    def person_of_viewer(self, viewer: str) -> PersonId | None:
        """Return who a viewer is; Plex and Tautulli name the same people alike."""
        return self._viewers.get(viewer)

    def viewers_of(self, person: PersonId) -> frozenset[str]:
        """Return what a person is called as a viewer."""
        return frozenset(viewer for viewer, known in self._viewers.items() if known == person)

    @property
    def viewers(self) -> frozenset[str]:
        """Return what all are called as viewers."""
        return frozenset(self._viewers)

    def users_of(self, person: PersonId) -> tuple[ServiceUser, ...]:
        """Return a person's users in the services."""
        known = self.persons.get(person)
        return () if known is None else known.users

    def reach(self, person: PersonId) -> tuple[str, ...]:
        """Return by which actions and entities of notify a person is told something."""
        known = self.persons.get(person)
        return () if known is None else known.notify

    def person_for_user_id(self, hass: HomeAssistant, user_id: str | None) -> PersonId | None:
        """Return which of the persons signs in to Home Assistant as this user."""
        if user_id is None:
            return None
        return next((one for one in self.persons if user_id_of(hass, one) == user_id), None)

    def user_ids(self, hass: HomeAssistant, persons: Iterable[PersonId]) -> list[str]:
        """Return the users as whom persons sign in to Home Assistant."""
        return [found for one in persons if (found := user_id_of(hass, one)) is not None]

    def names(self, hass: HomeAssistant) -> dict[PersonId, str]:
        """Return what the persons are called in Home Assistant."""
        return {one.id: name_of(hass, one) for one in self.persons.values()}


def persons_of(entry: ConfigEntry[Any]) -> list[MappedPerson]:
    """Read the persons that the board's entry keeps."""
    return [
        MappedPerson(
            id=subentry.data[CONF_PERSON],
            name=subentry.title,
            users=tuple(
                ServiceUser.of(service, document)
                for service, documents in subentry.data[CONF_USERS].items()
                for document in documents
            ),
            notify=tuple(subentry.data.get(CONF_NOTIFY, ())),
        )
        for subentry in entry.get_subentries_of_type(SUBENTRY_PERSON)
    ]


def name_of(hass: HomeAssistant, person: MappedPerson) -> str:
    """Return what a person is called; one who was removed: as they were called."""
    state = _state(hass, person.id)
    return person.name if state is None else state.name


def user_id_of(hass: HomeAssistant, person: PersonId) -> str | None:
    """Return the user as whom a person signs in to Home Assistant."""
    state = _state(hass, person)
    return None if state is None else state.attributes.get(_USER_ID)


def person_id(hass: HomeAssistant, entity_id: str) -> PersonId | None:
    """Return a person's own id."""
    entry = er.async_get(hass).async_get(entity_id)
    return entry.unique_id if entry is not None and entry.platform == _PERSON else None


def _state(hass: HomeAssistant, person: PersonId) -> State | None:
    entity_id = er.async_get(hass).async_get_entity_id(_PERSON, _PERSON, person)
    return None if entity_id is None else hass.states.get(entity_id)
