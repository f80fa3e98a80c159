"""Notices webhooks that never came: a poll shows what no delivery told.

Both together also say how long it takes until we know: deliveries mostly bear no time of the
service's own, what a poll shows of the same event does.
"""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple

from .engine.connectors.base import Sighting
from .records import Miss, ServiceRecord, WebhookHealth

PATIENCE: Final = 120.0
"""Seconds in which a delivery may still confirm what a poll showed."""
REMEMBERED: Final = 5_000
"""Sightings remembered of each sort, over all services."""
SAME_FOR: Final = 24 * 3600.0
"""Seconds after which an equal sighting means something new (a film grabbed again)."""
SILENT_AFTER: Final = 3
"""Missed events in a day, none of them followed by a delivery: one may be lost on its way, and
some services leave out one now and then, but three in a row are no chance."""
BY_WEBHOOK: Final = "webhook_delays"
BY_POLL: Final = "poll_delays"

type SightingKey = tuple[str, str, str]
"""Service, event, and the sighting's own key."""


class Delay(NamedTuple):
    """How long it took until an event was known."""

    way: str
    """By which it became known first: a field of the record."""
    seconds: float


@dataclass(slots=True)
class _Suspect:
    at: float
    deadline: float


def mark_of(sighting: Sighting) -> str:
    """Name an event in a way that says nothing about it."""
    return blake2b(f"{sighting.event}:{sighting.key}".encode(), digest_size=8).hexdigest()


def stays_silent(record: ServiceRecord, now: float) -> bool:
    """Tell whether a webhook that is believed to work says nothing, although there is news.

    The first miss has the service's test sent, if it has one: that lifts a mute, and tells
    what is wrong with the address. Only what happens after that test came through counts.
    """
    if record.webhook is not WebhookHealth.WORKING:
        return False
    heard = record.heard_at or 0.0
    misses = [miss for miss in record.recent_misses(now) if miss.at > heard]
    if len(misses) < SILENT_AFTER:
        return False
    if not record.tested:
        return True
    return misses[0].counted_at <= (record.proven_at or 0.0) < max(miss.at for miss in misses)


class MissedLedger:
    """What deliveries told, what polls showed, and what is missing between them."""

    def __init__(self) -> None:
        self._told: OrderedDict[SightingKey, float] = OrderedDict()
        self._suspects: OrderedDict[SightingKey, _Suspect] = OrderedDict()
        self._counted: OrderedDict[SightingKey, float] = OrderedDict()
        self._shown: OrderedDict[SightingKey, float] = OrderedDict()

    def told(self, service_id: str, sighting: Sighting, now: float) -> bool:
        """Take a delivery's sighting; tell whether it was counted as missed before."""
        key = (service_id, sighting.event, sighting.key)
        _remember(self._told, key, now)
        self._suspects.pop(key, None)
        return self._counted.pop(key, None) is not None

    def shown(
        self, service_id: str, sighting: Sighting, now: float, *, expected: bool = True
    ) -> Delay | None:
        """Take a poll's sighting; ``expected``: our webhook should have told it.

        Return how long it took until it was known, the first time that it is shown.
        """
        key = (service_id, sighting.event, sighting.key)
        told = self._told.get(key)
        if told is not None and sighting.at - told >= SAME_FOR:
            told = None
        if expected and told is None:
            self._suspect(key, sighting.at, now)
        before = self._shown.get(key)
        if before is not None and sighting.at <= before:
            return None
        _remember(self._shown, key, sighting.at)
        known_at = now if told is None else told
        return Delay(BY_POLL if told is None else BY_WEBHOOK, max(0.0, known_at - sighting.at))

    def _suspect(self, key: SightingKey, at: float, now: float) -> None:
        """Wait for the delivery a little longer."""
        counted = self._counted.get(key)
        if key in self._suspects or (counted is not None and at - counted < SAME_FOR):
            return
        self._suspects[key] = _Suspect(at, now + PATIENCE)
        if len(self._suspects) > REMEMBERED:
            self._suspects.popitem(last=False)

    @property
    def deadline(self) -> float | None:
        """Return when the next suspect's time is over."""
        return next((suspect.deadline for suspect in self._suspects.values()), None)

    def missed(self, now: float) -> dict[str, list[Miss]]:
        """Return those whose time is over, by service."""
        misses: dict[str, list[Miss]] = {}
        while self._suspects:
            key, suspect = next(iter(self._suspects.items()))
            if suspect.deadline > now:
                break
            del self._suspects[key]
            _remember(self._counted, key, suspect.at)
            service_id, event, name = key
            mark = mark_of(Sighting(event=event, key=name, at=suspect.at))
            misses.setdefault(service_id, []).append(Miss(now, suspect.at, mark))
        return misses

    def forget(self, service_id: str) -> None:
        """Drop everything of a service that was removed."""
        for table in (self._told, self._suspects, self._counted, self._shown):
            for key in [key for key in table if key[0] == service_id]:
                del table[key]


def _remember(table: OrderedDict[SightingKey, float], key: SightingKey, at: float) -> None:
    """Enter the newest, and let go of the oldest."""
    table[key] = at
    table.move_to_end(key)
    if len(table) > REMEMBERED:
        table.popitem(last=False)
