"""What comes, and when: the calendars of services, as one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from ..board.models import PartRef, TitleRef


class ReleaseKind(StrEnum):
    """What happens on a day."""

    CINEMA = "cinema"
    DIGITAL = "digital"
    PHYSICAL = "physical"
    EPISODE = "episode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A film that comes out, or an episode that airs."""

    title: TitleRef
    kind: ReleaseKind
    day: str
    """ISO date; an episode's is that of its air time, in UTC."""
    monitored: bool
    """Whether the service waits for it."""
    at: float | None = None
    """When an episode airs; ``None``: only the day is known."""
    minutes: int | None = None
    """How long an episode takes."""
    part: PartRef | None = None
    """The episode."""


@runtime_checkable
class KnowsReleases(Protocol):
    """A client whose service has a calendar."""

    async def releases(self, start: float, end: float) -> tuple[Release, ...]:
        """Return what comes out or airs between two moments, monitored or not."""
        ...
