"""What was measured, as a table and as a document; and what many samples come to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

type Value = float | int | str | bool | None

_HEADINGS = ("What", "Reached", "To reach", "Met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that is to be reached, and what was."""

    what: str
    reached: str
    target: str
    met: bool
    values: Mapping[str, Value] = field(default_factory=dict)
    """What else was seen on the way, for the document."""

    def document(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "what": self.what,
            "reached": self.reached,
            "target": self.target,
            "met": self.met,
            "values": dict(self.values),
        }


def table(figures: Sequence[Figure]) -> str:
    """Return a table that can be read as it is, and put into a README."""
    rows = [
        _HEADINGS,
        *((one.what, one.reached, one.target, "yes" if one.met else "NO") for one in figures),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def median(samples: Sequence[float]) -> float:
    """Return what half of the samples do not exceed."""
    return percentile(samples, 50)


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that so many percent of the samples do not exceed."""
    if not samples:
        raise ValueError("There are no samples")
    ordered = sorted(samples)
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]
