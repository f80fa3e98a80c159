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
from .engine.board.models import Arrival, Change, MediaType, Request, Role, Stage, Tier, Title
from .people import People
from .privacy import NAMED, Privacy, Requesters
from .runtime import BOARD_KEY, board_entry, service_entries
from .services import ATTR_REQUESTER, ATTR_SERVICE, ATTR_TIER, ATTR_TYPE

NAMES_PRIVATE: Final = (
    "the board does not show who asked; change that in the board's options, or leave out"
    f" {ATTR_REQUESTER}"
)
NO_SUCH_SERVICE: Final = "this is no service of Media Arrivals; choose one that is"


def one_of(words: type[StrEnum]) -> Any:
    """Return a validator that names the words which are allowed."""
    return probatio.All(probatio.In([word.value for word in words]), probatio.Coerce(words))


A_TYPE: Final = one_of(MediaType)
A_TIER: Final = one_of(Tier)
STAGES: Final = probatio.All(cv.ensure_list, probatio.Length(min=1), [one_of(Stage)])
A_NAME: Final = probatio.All(cv.string, probatio.Length(min=1))


@callback
def check_options(hass: HomeAssistant, options: Mapping[str, Any]) -> None:
    """Refuse a service that is not there, and to look for people whose names are private."""
    entry_id = options.get(ATTR_SERVICE)
    if entry_id is not None and all(one.entry_id != entry_id for one in service_entries(hass)):
        raise probatio.Invalid(NO_SUCH_SERVICE, path=[CONF_OPTIONS, ATTR_SERVICE])
    if ATTR_REQUESTER in options and not names_shown(hass):
        raise probatio.Invalid(NAMES_PRIVATE, path=[CONF_OPTIONS, ATTR_REQUESTER])


@callback
def names_shown(hass: HomeAssistant) -> bool:
    """Tell whether automations may know who asked; the set-up need not be through for that."""
    entry = board_entry(hass)
    return entry is not None and Privacy.of(entry.options, People()).requesters in NAMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which arrivals are meant. What is not said does not matter."""

    hass: HomeAssistant
    media_type: MediaType | None
    tier: Tier | None
    service: str | None
    requester: str | None

    @classmethod
    def of(cls, hass: HomeAssistant, options: Mapping[str, Any]) -> Self:
        """Take what the options say."""
        requester: str | None = options.get(ATTR_REQUESTER)
        return cls(
            hass=hass,
            media_type=options.get(ATTR_TYPE),
            tier=options.get(ATTR_TIER),
            service=options.get(ATTR_SERVICE),
            requester=None if requester is None else requester.casefold(),
        )

    def lets_through(self, board: Board, change: Change) -> bool:
        """Tell whether a change is about what is meant."""
        service, requests = self.service, _requests(board, change)
        return (
            self._fits(change.title, change.arrival)
            and (service is None or _concerns(board, change, requests, service))
            and self._asked_for(requests)
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
        return self.requester is None or any(
            self.requester == name.casefold() for one in requests for name in self._names(one)
        )

    def _names(self, request: Request) -> Collection[str]:
        """Return what whoever asked may be called."""
        privacy, who = self.hass.data[BOARD_KEY].privacy, request.requester
        if who is None:
            return ()
        told = privacy.asked_by(self.hass, request.service, who)
        # Where nobody may be named, the automation is told why it does not run.
        seerrs = () if privacy.requesters is Requesters.PER_PERSON else (who.name,)
        return seerrs if told is None else (told, *seerrs)


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
