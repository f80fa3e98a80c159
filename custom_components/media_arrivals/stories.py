"""Stories: what belongs together and is told once, when it has become quiet about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .engine.board.models import Arrival, Change, ChangeKind, Decision, Stage
from .presenter import Document
from .runtime import BOARD_KEY

QUIET: Final = timedelta(minutes=2)
LONGEST: Final = timedelta(minutes=30)

_SETTLED: Final = frozenset({Stage.AVAILABLE, Stage.DECLINED, Stage.FAILED, Stage.REMOVED})


class Each(StrEnum):
    """What a story is at least."""

    SEASON = "season"
    """A film, or a season: seasons that come together are one story."""
    REQUEST = "request"
    """All that somebody asked for."""


@dataclass(slots=True)
class _Story:
    """What came of a title since the last story."""

    since: datetime
    changes: list[Change] = field(default_factory=list)
    cancel: CALLBACK_TYPE | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story as it is told."""

    last: Change
    arrivals: tuple[Arrival, ...]
    episodes: tuple[tuple[Arrival, str], ...]
    """New episodes of seasons that were told before, with their keys."""


class Stories:
    """Gathers what comes of each title until nothing more comes for a while."""

    def __init__(
        self,
        hass: HomeAssistant,
        tell: Callable[[Told], None],
        *,
        quiet: timedelta = QUIET,
        longest: timedelta = LONGEST,
        each: Each = Each.SEASON,
        episodes: bool = False,
    ) -> None:
        self.hass = hass
        self._tell = tell
        self._quiet, self._longest = quiet, longest
        self._each, self._episodes = each, episodes
        self._open: dict[str, _Story] = {}

    def is_part(self, change: Change) -> bool:
        """Tell whether a change is a part of a story."""
        if not change.told or change.stage is not Stage.AVAILABLE:
            return False
        if change.kind is ChangeKind.PART:
            return self._episodes
        if change.kind is ChangeKind.REQUEST:
            return self._each is Each.REQUEST
        return change.kind is ChangeKind.STAGE and not (
            self._each is Each.REQUEST and self._is_waited_for(change.arrival)
        )

    def _is_waited_for(self, arrival: Arrival) -> bool:
        """Tell whether a request for it wants more."""
        requests = self.hass.data[BOARD_KEY].board.requests_of(arrival)
        return any(
            one.stage not in _SETTLED and one.decision.decision is not Decision.PENDING
            for one in requests
        )

    @callback
    def add(self, change: Change) -> None:
        """Take a part of a story, and wait for more."""
        title = change.title.id
        story = self._open.setdefault(title, _Story(dt_util.utcnow()))
        story.changes.append(change)
        if story.cancel is not None:
            story.cancel()
        left = story.since + self._longest - dt_util.utcnow()

        @callback
        def tell(_: datetime) -> None:
            self._end(title)

        story.cancel = async_call_later(
            self.hass,
            max(min(self._quiet, left), timedelta()),
            HassJob(tell, cancel_on_shutdown=True),
        )

    @callback
    def stop(self) -> None:
        """Tell nothing more."""
        for story in self._open.values():
            if story.cancel is not None:
                story.cancel()
        self._open.clear()

    def _end(self, title: str) -> None:
        """Tell a story with what is still so."""
        changes = self._open.pop(title).changes
        board = self.hass.data[BOARD_KEY].board
        arrivals: dict[str, Arrival] = {}
        episodes: dict[tuple[str, str], Arrival] = {}
        for change in changes:
            if change.kind is ChangeKind.PART:
                now = board.get(change.arrival.id) or change.arrival
                for key in change.parts or filter(None, (change.part,)):
                    episodes[now.id, key] = now
            else:
                for arrival in self._covered(change):
                    if arrival.stage is Stage.AVAILABLE:
                        arrivals[arrival.id] = arrival
        told = tuple(
            (arrival, key) for (_, key), arrival in episodes.items() if arrival.id not in arrivals
        )
        if not arrivals and not told:
            return
        last = changes[-1]
        last = replace(last, arrival=board.get(last.arrival.id) or last.arrival)
        self._tell(
            Told(
                last=last,
                arrivals=tuple(sorted(arrivals.values(), key=lambda one: one.season or 0)),
                episodes=told,
            )
        )

    def _covered(self, change: Change) -> Iterable[Arrival]:
        """Return what a change is about, as it is now."""
        board = self.hass.data[BOARD_KEY].board
        ids = (change.arrival.id,) if change.request is None else change.request.arrivals
        return [now for one in ids if (now := board.get(one)) is not None]


def present_story(told: Told) -> Document:
    """Say what a story is about."""
    title, arrivals = told.last.title, told.arrivals
    # Of a season in several qualities, its episodes count once.
    seasons = {one.season: one for one in sorted(arrivals, key=lambda one: one.available)}
    available = sum(one.available for one in seasons.values())
    wanted = sum(one.wanted for one in seasons.values())
    return {
        "title": title.name,
        "year": title.year,
        "type": title.media_type.value,
        "seasons": sorted({one.season for one in arrivals if one.season is not None}),
        "tiers": sorted({one.tier.value for one in arrivals}),
        "available": available,
        "wanted": wanted,
        "parts": f"{available} of {wanted}" if wanted else None,
        "new_episodes": [
            {"season": arrival.season, "number": part.number, "name": part.name}
            for arrival, key in told.episodes
            if (part := arrival.parts.get(key)) is not None
        ],
    }
