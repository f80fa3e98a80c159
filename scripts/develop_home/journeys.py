"""What Home Assistant tells about arrivals, put together to journeys."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .connection import Connection
from .words import DOMAIN, table

STAGE_CHANGED = f"{DOMAIN}_stage_changed"
WATCHED = f"{DOMAIN}_watched"
MEDIA_SERVERS = frozenset({"plex", "jellyfin", "emby"})
WHOLE_WAY = ("requested", "approved", "sent", "downloading", "downloaded", "available")

type Told = dict[str, Any]
"""The data of an event."""


@dataclass(frozen=True, slots=True)
class Step:
    """An arrival reached a stage."""

    stage: str
    at: str
    service: str
    via: str

    @classmethod
    def told(cls, told: Told) -> Step:
        """Read what an event says."""
        return cls(told["stage"], told["happened_at"], told["service"] or "-", told["via"])

    @classmethod
    def stored(cls, stored: Told) -> Step:
        """Read a line of the timeline that an action answers."""
        service = stored["service_name"] or "-"
        return cls(stored["stage"], stored["happened_at"], service, stored["via"])


@dataclass(slots=True)
class Journey:
    """What was told about one arrival, in its order."""

    arrival_id: str
    name: str
    kind: str
    steps: list[Step] = field(default_factory=list)
    ended_by: str | None = field(default=None, compare=False)
    """The kind of the service that told the last step."""

    @property
    def is_whole(self) -> bool:
        """Tell whether it went the whole way, stage by stage, and into a media server."""
        way = tuple(step.stage for step in self.steps)
        return way == WHOLE_WAY and self.ended_by in MEDIA_SERVERS

    @property
    def timeline(self) -> str:
        """Show the journey as a table."""
        rows = [(step.stage, clock(step.at), step.service, step.via) for step in self.steps]
        return f"{self.name}\n{table(('stage', 'time', 'service', 'told by'), rows)}"


def clock(at: str) -> str:
    """Return the time of day where the reader is."""
    return f"{datetime.fromisoformat(at).astimezone():%H:%M:%S}"


def name_of(told: Told) -> str:
    """Name an arrival as people do."""
    name = f"{told['title']} ({told['year']})" if told["year"] else str(told["title"])
    if told["season"] is not None:
        name += f", season {told['season']}"
    return f"{name}, 4K" if told["tier"] == "4k" else name


def sentence(told: Told) -> str:
    """Say what happened in a line."""
    before = f"{told['previous_stage']} -> " if told["previous_stage"] else ""
    what = before + told["stage"]
    if "watched" in told:
        what = "watched" if told["watched"] else "not watched any more"
    episode = told.get("episode")
    which = f", episode {episode['number']}" if episode else ""
    return f"{name_of(told)}{which}: {what} ({told['service']}, {told['via']})"


class Journeys:
    """All that was told since the beginning."""

    def __init__(self) -> None:
        """Begin with an empty board."""
        self.by_arrival: dict[str, Journey] = {}
        self.watched: Told | None = None

    def take(self, told: Told) -> None:
        """Take an event; what single episodes do is no journey."""
        if "watched" in told:
            if told["watched"]:
                self.watched = self.watched or told
        elif told["kind"] == "stage":
            journey = self.by_arrival.setdefault(
                told["arrival_id"], Journey(told["arrival_id"], name_of(told), told["type"])
            )
            journey.steps.append(Step.told(told))
            journey.ended_by = told["service_kind"]

    def whole(self, kind: str) -> Journey | None:
        """Return a film, or a season, that travelled the whole way."""
        journeys = self.by_arrival.values()
        return next((one for one in journeys if one.kind == kind and one.is_whole), None)


async def hear(connection: Connection) -> AsyncIterator[Told]:
    """Begin to listen; return what Home Assistant tells, for as long as it is there."""
    queue: asyncio.Queue[dict[str, Any] | None] = await connection.events(STAGE_CHANGED, WATCHED)

    async def told() -> AsyncIterator[Told]:
        while (event := await queue.get()) is not None:
            yield event["data"]

    return told()
