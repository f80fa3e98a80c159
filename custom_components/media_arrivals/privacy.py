"""What is kept, and who is told, of those who watch and of those who ask.

The rule of watching: with *off* nothing is kept. Otherwise what a mapped person watches is kept
under their user's id. What others watch counts as watched by somebody with *household*, and is
not kept with *per person*.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from homeassistant.core import HomeAssistant

from .const import CONF_REQUESTER_NAMES, CONF_WATCH_DATA
from .engine.board.models import SOMEBODY, Person, Role, Service
from .engine.connectors.base import Decoder
from .engine.connectors.payload import dump
from .engine.connectors.registry import decoder
from .people import People, PersonId, name_of

NOTE: Final = '{"private":true}'
"""What is kept of a delivery that is nobody's business, beside the name of its event."""
OF_WATCHING: Final = frozenset({Role.PLAYBACK, Role.WATCHING})
"""Roles of services that say who watches."""

type Path = tuple[str, ...]


class Watching(StrEnum):
    """What is kept and shown of who watches."""

    OFF = "off"
    HOUSEHOLD = "household"
    """That it was watched. Who it was is in the details: one's own, for administrators all."""
    PER_PERSON = "per_person"
    """Mapped persons are named wherever it is told."""


class Requesters(StrEnum):
    """What is kept and shown of who asks."""

    OFF = "off"
    HOUSEHOLD = "household"
    """Who it was is in the details: one's own, for administrators all."""
    PER_PERSON = "per_person"
    """Mapped persons are named wherever it is told."""
    EVERYBODY = "everybody"
    """All are named wherever it is told, as the service names them."""


NAMED: Final = frozenset({Requesters.PER_PERSON, Requesters.EVERYBODY})
"""With these, mapped persons are named to everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """The board's rule of the moment. Whoever works in another thread takes it along."""

    watching: Watching = Watching.HOUSEHOLD
    requesters: Requesters = Requesters.HOUSEHOLD
    people: People = field(default_factory=People)

    @classmethod
    def of(cls, options: Mapping[str, Any], people: People) -> Privacy:
        """Read the options; those of earlier versions knew only yes and no of requesters."""
        names = options.get(CONF_REQUESTER_NAMES)
        if isinstance(names, bool):
            names = Requesters.EVERYBODY if names else Requesters.HOUSEHOLD
        return cls(
            watching=_known(Watching, options.get(CONF_WATCH_DATA)) or Watching.HOUSEHOLD,
            requesters=_known(Requesters, names) or Requesters.HOUSEHOLD,
            people=people,
        )

    @property
    def named(self) -> frozenset[str]:
        """Return the viewers who are named wherever it is told."""
        named = self.watching is Watching.PER_PERSON
        return self.people.viewers if named else frozenset()

    @property
    def mark(self) -> str:
        """Name all on which it depends what may be kept."""
        off = self.requesters is Requesters.OFF
        words = [self.watching, str(off)]
        if self.watching is not Watching.OFF:
            words += sorted(self.people.viewers)
        return blake2b("\n".join(words).encode(), digest_size=16).hexdigest()

    def viewer(self, viewer: str) -> str | None:
        """Return as whom a viewer is kept; ``None``: not at all."""
        if self.watching is Watching.OFF:
            return None
        if self.people.person_of_viewer(viewer) is not None:
            return viewer
        if self.watching is Watching.PER_PERSON:
            return None
        return f"{viewer.rpartition(':')[0]}:{SOMEBODY}"

    def watched_by(self, hass: HomeAssistant, viewer: str) -> str | None:
        """Return who is named where it is told that something was watched."""
        if self.watching is not Watching.PER_PERSON:
            return None
        return self._name(hass, self.people.person_of_viewer(viewer))

    def asked_by(self, hass: HomeAssistant, service_id: str, requester: Person) -> str | None:
        """Return who is named where it is told that something was asked for."""
        if self.requesters not in NAMED:
            return None
        name = self._name(hass, self.people.person_of(service_id, requester))
        everybody = self.requesters is Requesters.EVERYBODY
        return requester.name if name is None and everybody else name

    def _name(self, hass: HomeAssistant, person: PersonId | None) -> str | None:
        return None if person is None else name_of(hass, self.people.persons[person])

    def screens(self, service: Service) -> bool:
        """Tell whether a service's deliveries have to be looked at."""
        if service.role in OF_WATCHING:
            return True
        return self.requesters is Requesters.OFF and service.role is Role.REQUESTS

    def screen(self, service: Service, event: str, payload: str) -> str:
        """Return what may be kept of a delivery; :data:`NOTE` if that is nothing."""
        if not self.screens(service):
            return payload
        reader = decoder(service.kind)
        if (document := _read(payload)) is None:
            return NOTE
        if service.role not in OF_WATCHING or not reader.of_watching(event):
            return without_people(reader, document, payload)
        if self.watching is Watching.OFF:
            return NOTE
        (path,) = reader.people_at
        told = _at(document, path)
        viewer = reader.viewer(service, told)
        if viewer is None:
            return NOTE if self.watching is Watching.PER_PERSON else payload
        kept = self.viewer(viewer)
        if kept is None:
            return NOTE
        return payload if kept == viewer else dump(_changed(document, path, SOMEBODY))


def without_people(reader: Decoder, document: Mapping[str, Any], payload: str) -> str:
    """Return what is kept of a delivery without the people whom it names."""
    kept = document
    for path in reader.people_at:
        if _at(kept, path) is not None:
            kept = _changed(kept, path, None)
    return payload if kept is document else dump(kept)


def named_in(reader: Decoder, payload: str) -> tuple[Mapping[str, Any] | None, list[Any]]:
    """Return what is kept of a delivery as a document, and the people whom it names."""
    document = _read(payload)
    if document is None:
        return None, []
    found = (_at(document, path) for path in reader.people_at)
    return document, [one for one in found if one is not None]


def _read(payload: str) -> Mapping[str, Any] | None:
    """Read what is kept; what was too long is cut, and cannot be read."""
    try:
        document = json.loads(payload)
    except ValueError, RecursionError:
        return None
    return document if isinstance(document, dict) else None


def _at(document: Mapping[str, Any], path: Path) -> Any:
    """Return what is at a place."""
    found: Any = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _changed(document: Mapping[str, Any], path: Path, value: str | None) -> dict[str, Any]:
    """Return a document with something else, or nothing, at a place that it has."""
    key, *below = path
    if below:
        return {**document, key: _changed(document[key], tuple(below), value)}
    rest = {name: one for name, one in document.items() if name != key}
    return rest if value is None else {**document, key: value}


def _known[T: StrEnum](words: type[T], value: Any) -> T | None:
    """Return a word, if it is one that this version knows."""
    return next((word for word in words if word == value), None)
