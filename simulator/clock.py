"""The simulated services' idea of time: the real one, plus what a test adds to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# What .NET shows for a date that was never set.
NEVER = datetime(1, 1, 1, tzinfo=UTC)


def _real_now() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Tells the time, and can be moved forward without waiting."""

    def __init__(self, source: Callable[[], datetime] = _real_now) -> None:
        """Start in step with the source, by default the machine's clock."""
        self._source = source
        self._offset = timedelta()

    def now(self) -> datetime:
        """Return the simulated time, in UTC."""
        return self._source() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the simulated time forward."""
        self._offset += timedelta(seconds=seconds)


def net_date(moment: datetime) -> str:
    """Write a time as .NET does: up to seven fractional digits, none if they are zero."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if moment.microsecond:
        # .NET counts in ticks of 100 ns and drops trailing zeros.
        fraction = f"{moment.microsecond:06d}{(moment.microsecond * 7) % 9 + 1}"
        text = f"{text}.{fraction}"
    return f"{text}Z"


def js_date(moment: datetime) -> str:
    """Write a time as JavaScript does: always three fractional digits."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def to_the_second(moment: datetime) -> datetime:
    """Cut what the services' databases do not keep."""
    return moment.replace(microsecond=0)


def net_span(seconds: float) -> str:
    """Write a duration as .NET does: ``[d.]hh:mm:ss``."""
    whole = int(seconds)
    days, rest = divmod(whole, 86400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days}.{clock}" if days else clock


def parse_date(text: str) -> datetime:
    """Read an ISO time with any number of fractional digits; no zone means UTC."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
