"""What the command line chooses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much is measured."""

    kills: int = 20
    recorder: bool = True
    """Whether Home Assistant records states and events, as it usually does."""
