"""Notices webhooks that never came: a poll shows what no delivery told."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from .engine.connectors.base import Sighting

PATIENCE: Final = 120.0
"""Seconds in which a delivery may still confirm what a poll showed."""
REMEMBERED: Final = 5_000
"""Sightings remembered of each sort, over all services."""
SAME_FOR: Final = 24 * 3600.0
"""Seconds after which an equal sighting means something new (a film grabbed again)."""

type SightingKey = tuple[str, str, str]
"""Service, event, and the sighting's own key."""


@dataclass(slots=True)
class _Suspect:
    at: float
    deadline: float


class MissedLedger:
    """What deliveries told, what polls showed, and what is missing between them."""

    def __init__(self) -> None:
        self._told: OrderedDict[SightingKey, float] = OrderedDict()
        self._suspects: OrderedDict[SightingKey, _Suspect] = OrderedDict()
        self._counted: OrderedDict[SightingKey, float] = OrderedDict()

    def told(self, service_id: str, sighting: Sighting, now: float) -> bool:
        """Take a delivery's sighting; tell whether it was counted as missed before."""
        key = (service_id, sighting.event, sighting.key)
        _remember(self._told, key, now)
        self._suspects.pop(key, None)
        return self._counted.pop(key, None) is not None

    def shown(self, service_id: str, sighting: Sighting, now: float) -> None:
        """Take a poll's sighting of something that our webhook should have told."""
        key = (service_id, sighting.event, sighting.key)
        if key in self._suspects:
            return
        for known in (self._told.get(key), self._counted.get(key)):
            if known is not None and sighting.at - known < SAME_FOR:
                return
        self._suspects[key] = _Suspect(sighting.at, now + PATIENCE)
        if len(self._suspects) > REMEMBERED:
            self._suspects.popitem(last=False)

    @property
    def deadline(self) -> float | None:
        """Return when the next suspect's time is over."""
        return next((suspect.deadline for suspect in self._suspects.values()), None)

    def missed(self, now: float) -> dict[str, int]:
        """Count those whose time is over, by service."""
        counts: dict[str, int] = {}
        while self._suspects:
            key, suspect = next(iter(self._suspects.items()))
            if suspect.deadline > now:
                break
            del self._suspects[key]
            _remember(self._counted, key, suspect.at)
            counts[key[0]] = counts.get(key[0], 0) + 1
        return counts

    def forget(self, service_id: str) -> None:
        """Drop everything of a service that was removed."""
        for table in (self._told, self._suspects, self._counted):
            for key in [key for key in table if key[0] == service_id]:
                del table[key]


def _remember(table: OrderedDict[SightingKey, float], key: SightingKey, at: float) -> None:
    """Enter the newest, and let go of the oldest."""
    table[key] = at
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
