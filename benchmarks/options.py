"""What the command line chooses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much is measured."""

    kills: int = 20
