"""Names faults of ours in the log without repeating what people or services wrote."""

import logging
from pathlib import Path


def fault(err: Exception) -> str:
    """Name a fault and its place; its text may hold payload."""
    place = err.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
    return f"{type(err).__name__} at {where}"


def log_fault(logger: logging.Logger, doing: str, err: Exception) -> None:
    """Log a fault in one line; a traceback would show the text."""
    logger.error("Fault while %s: %s", doing, fault(err))
