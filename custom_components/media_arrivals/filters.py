"""The options that triggers and conditions share: which arrivals an automation means."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

import probatio
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv

from .engine.board.board import Board
from .engine.board.models import (
    Arrival,
    Change,
    MediaType,
    Person,
    Request,
    Role,
    Stage,
    Tier,
    Title,
)
from .people import People, PersonId, person_id, persons_of
from .privacy import NAMED, Privacy, Requesters, Watching
from .runtime import BOARD_KEY, board_entry, service_entries
from .services import ATTR_PERSON, ATTR_REQUESTER
from .targets import ATTR_SERVICE, ATTR_TIER, ATTR_TYPE

NAMES_PRIVATE: Final = (
    "the board does not show who asked; change that in the board's options, or leave out"
    f" {ATTR_REQUESTER}"
)
ASKING_PRIVATE: Final = (
    f"the board keeps nobody who asked; change that in the board's options, or leave {ATTR_PERSON}"
    " out"
)
WATCHING_PRIVATE: Final = (
    "the board does not tell who watched; choose that in the board's options, or leave"
    f" {ATTR_PERSON} out"
)
NO_SUCH_PERSON: Final = "the board does not know who this is in the services; add the person to it"
NO_SUCH_SERVICE: Final = "this is no service of Media Arrivals; choose one that is"


def one_of(words: type[StrEnum]) -> Any:
    """Return a validator that names the words which are allowed."""
    return probatio.All(probatio.In([word.value for word in words]), probatio.Coerce(words))


A_TYPE: Final = one_of(MediaType)
A_TIER: Final = one_of(Tier)
STAGES: Final = probatio.All(cv.ensure_list, probatio.Length(min=1), [one_of(Stage)])
A_NAME: Final = probatio.All(cv.string, probatio.Length(min=1))
A_PERSON: Final = cv.entity_domain(ATTR_PERSON)


@callback
def check_options(
    hass: HomeAssistant, options: Mapping[str, Any], *, watching: bool = False
) -> None:
    """Refuse a service that is not there, and to look for people in whom it is not to look."""
    entry_id = options.get(ATTR_SERVICE)
    if entry_id is not None and all(one.entry_id != entry_id for one in service_entries(hass)):
        raise probatio.Invalid(NO_SUCH_SERVICE, path=[CONF_OPTIONS, ATTR_SERVICE])
    if wrong := why_private(hass, options, watching=watching):
        raise probatio.Invalid(wrong, path=[CONF_OPTIONS, _who(options)])
    entity_id = options.get(ATTR_PERSON)
    if entity_id is not None:
        board, person = board_entry(hass), person_id(hass, entity_id)
        if board is None or all(one.id != person for one in persons_of(board)):
            raise probatio.Invalid(NO_SUCH_PERSON, path=[CONF_OPTIONS, ATTR_PERSON])


@callback
def why_private(
    hass: HomeAssistant, options: Mapping[str, Any], *, watching: bool = False
) -> str | None:
    """Say why the people who are looked for are not to be found, if so."""
    privacy = privacy_of(hass)
    if ATTR_REQUESTER in options and privacy.requesters not in NAMED:
        return NAMES_PRIVATE
    if ATTR_PERSON not in options:
        return None
    if watching:
        return None if privacy.watching is Watching.PER_PERSON else WATCHING_PRIVATE
    return ASKING_PRIVATE if privacy.requesters is Requesters.OFF else None


def _who(options: Mapping[str, Any]) -> str:
    """Return by which option people are looked for."""
    return ATTR_REQUESTER if ATTR_REQUESTER in options else ATTR_PERSON


@callback
def privacy_of(hass: HomeAssistant) -> Privacy:
    """Return the board's rule of the moment; the set-up need not be through for that."""
    if (runtime := hass.data.get(BOARD_KEY)) is not None:
        return runtime.privacy
    entry = board_entry(hass)
    return Privacy.of({} if entry is None else entry.options, People())


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which arrivals are meant. What is not said does not matter."""

    hass: HomeAssistant
    media_type: MediaType | None
    tier: Tier | None
    service: str | None
    requester: str | None
    person: PersonId | None

    @classmethod
    def of(cls, hass: HomeAssistant, options: Mapping[str, Any]) -> Self:
        """Take what the options say; what was a person and no longer is stands for nobody."""
        requester: str | None = options.get(ATTR_REQUESTER)
        entity_id: str | None = options.get(ATTR_PERSON)
        return cls(
            hass=hass,
            media_type=options.get(ATTR_TYPE),
            tier=options.get(ATTR_TIER),
            service=options.get(ATTR_SERVICE),
            requester=None if requester is None else requester.casefold(),
            person=None if entity_id is None else person_id(hass, entity_id) or "",
        )

    def lets_through(self, board: Board, change: Change) -> bool:
        """Tell whether a change is about what is meant."""
        service, requests = self.service, _requests(board, change)
        return (
            self._fits(change.title, change.arrival)
            and (service is None or _concerns(board, change, requests, service))
            and (
                self._asked_for(requests)
                if change.watch is None
                else self.person in {None, self._people.person_of_viewer(change.watch.viewer)}
            )
        )

    def covers(self, board: Board, arrival: Arrival) -> bool:
        """Tell whether an arrival is meant."""
        service, requests = self.service, board.requests_of(arrival)
        title = board.title(arrival.title_id)
        return (
            self._fits(title, arrival)
            and (service is None or _takes_part(board, title, arrival, requests, service))
            and self._asked_for(requests)
        )

    def _fits(self, title: Title, arrival: Arrival) -> bool:
        """Tell whether type and quality are right."""
        return self.media_type in (None, title.media_type) and self.tier in (None, arrival.tier)

    def _asked_for(self, requests: Collection[Request]) -> bool:
        """Tell whether the right person asked."""
        if self.requester is None and self.person is None:
            return True
        return any(
            (self.requester is None or self.requester in self._names(one.service, who))
            and self.person in {None, self._people.person_of(one.service, who)}
            for one in requests
            if (who := one.requester) is not None
        )

    @property
    def _people(self) -> People:
        """Return who is who now."""
        return privacy_of(self.hass).people

    def _names(self, service: str, who: Person) -> Collection[str]:
        """Return what whoever asked may be called."""
        privacy = privacy_of(self.hass)
        told = privacy.asked_by(self.hass, service, who)
        names = [] if told is None else [told]
        # Where nobody may be named, the automation is told why it does not run.
        if privacy.requesters is not Requesters.PER_PERSON:
            names.append(who.name)
        return [name.casefold() for name in names]


def _requests(board: Board, change: Change) -> Collection[Request]:
    """Return the requests that a change is about."""
    return board.requests_of(change.arrival) if change.request is None else (change.request,)


def _concerns(board: Board, change: Change, requests: Collection[Request], service_id: str) -> bool:
    """Tell whether a change is a service's affair."""
    if change.request is not None:
        return change.request.service == service_id
    if change.origin.service == service_id:
        return True
    if change.watch is not None:
        # Tautulli tells what was watched on its Plex.
        one, other = board.services.get(service_id), board.services.get(change.origin.service)
        return bool(one and other and one.server_id and one.server_id == other.server_id)
    return _takes_part(board, change.title, change.arrival, requests, service_id)


def _takes_part(
    board: Board,
    title: Title,
    arrival: Arrival,
    requests: Collection[Request],
    service_id: str,
) -> bool:
    """Tell whether it was asked for in a service, is in it in this quality, or plays on it."""
    if any(request.service == service_id for request in requests):
        return True
    if (service := board.services.get(service_id)) is None:
        return False
    claims = [
        one
        for part in (arrival.whole, *arrival.parts.values())
        for one in part.claims
        if one.service == service_id
    ]
    if service.role is not Role.DOWNLOADS:
        return any(one.playable.yes for one in claims)
    return bool(claims) or any(
        holding.service == service_id
        and holding.tier is arrival.tier
        and holding.flag.yes
        and (holding.seasons is None or arrival.season in holding.seasons)
        for holding in title.holdings
    )
