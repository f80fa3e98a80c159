"""Tolerant readers for foreign JSON: an odd value is an unknown one, and nothing raises."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from ..board.models import ExternalIds
from .base import Delivery, Json

MAX_TEXT: Final = 4096
"""No reader looks further into a text, so the journal need not keep more of it."""
MAX_ITEMS: Final = 5000
"""No reader looks further into a list."""
MAX_SEASONS: Final = 500
"""Each becomes an arrival; series that count by years have a hundred."""
_MAX_INTEGER: Final = 2**53
_MAX_DIGITS: Final = 32
_MAX_ID: Final = 255
_PROSE_ROUNDS: Final = 8

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

type Object = Mapping[str, Json]
type Keep = Callable[[Json], Json]
"""Says what of a value may be kept; ``None``: nothing, as of ``None`` itself."""
type Shape = Keep | Mapping[str, Shape] | tuple[Shape]
"""What of a document is kept: named keys of an object, the items of a list, a value."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_PLACEHOLDER: Final = re.compile(r"\{\{.*\}\}", re.DOTALL)
_EVENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:[. ][A-Za-z][A-Za-z0-9_-]*)*")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+(\.0+)?")
_IMDB: Final = re.compile(r"tt[0-9]{5,12}", re.IGNORECASE)
_SPAN: Final = re.compile(r"(?:(\d{1,5})\.)?(\d{1,2}):(\d{2}):(\d{2})(\.\d{1,9})?")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_HTTP: Final = re.compile(
    r"https?://[^\s/@?#\\]+(/[^\s@?#\\]*)?(\?[^\s@#\\]*)?(#\S*)?", re.IGNORECASE
)

_PRIVATE: Final[tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...]] = (
    # Each with texts without one of which nothing can be found: to look for them takes no time.
    (
        ("://",),
        re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>)\]]+", re.IGNORECASE),
        "[address]",
    ),
    (
        ("@",),
        # A name without a dot is a host only where it is this one: `rip@team` is none.
        re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|(?i:localhost)\b)"),
        "[e-mail]",
    ),
    (
        ("=", ":"),
        re.compile(
            r"\b(api[-_ ]?key|token|password|passwd|secret|passkey|authkey|cookie)\b"
            r"(\s{0,4}[=:]\s{0,4})(?!\[)[^\s&,;]+",
            re.IGNORECASE,
        ),
        r"\1\2[secret]",
    ),
    # Folders have spaces and dots in their names: a path goes on to the last separator.
    (
        ("\\", ":/"),
        re.compile(r"(?<![\w\]])(?:[A-Za-z]:[\\/]|\\\\)(?:.*[\\/])?[^\\/\s\"'<>|]*"),
        "[path]",
    ),
    (("/",), re.compile(r"(?<![^\s\"'(\[=:,;])/[^\s/\"'](?:.*/)?[^/\s\"'<>|]*"), "[path]"),
    ((".",), re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.])"), "[address]"),
    (
        (":",),
        re.compile(r"(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])", re.IGNORECASE),
        "[address]",
    ),
)
_KEY_LENGTH: Final = 32
_KEY: Final = re.compile(r"\b(?=\w*\d)[A-Za-z0-9_-]{32,}\b")


def load_object(body: bytes) -> Object | None:
    """Read a JSON object, or nothing where there is none."""
    try:
        value = json.loads(body)
    except ValueError, RecursionError:
        return None
    return value if isinstance(value, dict) else None


def read_object(delivery: Delivery) -> Object | None:
    """Read the JSON object that a delivery is, unless that was done before."""
    document = delivery.document
    return document if isinstance(document, dict) else load_object(delivery.body)


def mapping(value: Json) -> Object:
    """Read an object; empty where there is none."""
    return value if isinstance(value, (dict, Mapping)) else {}


def items(value: Json) -> Sequence[Json]:
    """Read a list, bounded; empty where there is none."""
    # What JSON makes is named first: to ask whether something is a sequence takes ten times longer.
    if isinstance(value, (list, Sequence)) and not isinstance(value, str):
        return value[:MAX_ITEMS]
    return ()


def rows(value: Json) -> tuple[Object, ...]:
    """Read the objects of a list; other items are left out."""
    return tuple(item for item in items(value) if isinstance(item, Mapping))


def text(value: Json, limit: int = 255) -> str | None:
    """Read a text: one line without control characters, cut at ``limit``."""
    if not isinstance(value, str):
        return None
    cut = _line(value)[:limit].rstrip()
    if not cut or (cut[0] == "{" and _PLACEHOLDER.fullmatch(cut)):
        return None
    return cut


def word(value: Json) -> str:
    """Read one of a service's own words for comparing: case does not count."""
    return (text(value, 64) or "").casefold()


def opaque_id(value: Json) -> str | None:
    """Read an id that is compared as a whole: text or a number, never cut."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 < value <= _MAX_INTEGER else None
    found = text(value, _MAX_ID + 1)
    return None if found is None or found == "0" or len(found) > _MAX_ID else found


def integer(value: Json) -> int | None:
    """Read a whole number, also from a text."""
    if isinstance(value, str):
        digits = _line(value)
        if len(digits) > _MAX_DIGITS or not _INTEGER.fullmatch(digits):
            return None
        value = int(digits.partition(".")[0])
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_INTEGER:
        return value
    return None


def identifier(value: Json) -> int | None:
    """Read a numeric id; 0 stands for an unknown one."""
    number = integer(value)
    return number if number is not None and number > 0 else None


def identifiers(value: Json) -> tuple[int, ...]:
    """Read a list of numeric ids."""
    return tuple(found for item in items(value) if (found := identifier(item)) is not None)


def counting(value: Json) -> int | None:
    """Read a number that counts from 0: a season, an episode."""
    number = integer(value)
    return number if number is not None and 0 <= number <= 1_000_000 else None


def imdb_id(value: Json) -> str | None:
    """Read an IMDb id."""
    found = text(value, 32)
    return found.lower() if found is not None and _IMDB.fullmatch(found) else None


def external_ids(*, tmdb: Json = None, tvdb: Json = None, imdb: Json = None) -> ExternalIds:
    """Read the ids that services share."""
    return ExternalIds(tmdb=identifier(tmdb), tvdb=identifier(tvdb), imdb=imdb_id(imdb))


def number(value: Json) -> float | None:
    """Read a finite number, also from a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    digits = _line(value) if isinstance(value, str) else ""
    if len(digits) > _MAX_DIGITS:
        return None
    try:
        found = float(digits or value)
    except ValueError, OverflowError:
        return None
    return found if math.isfinite(found) else None


def boolean(value: Json) -> bool | None:
    """Read a yes or no, also from a text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(_line(value).lower())
    return None


def moment(value: Json) -> float | None:
    """Read an ISO date and time as POSIX seconds; without a zone it is UTC."""
    found = text(value, 40)
    if found is None:
        return None
    try:
        parsed = datetime.fromisoformat(found)
    except ValueError:
        return None
    # Year 1 and year 9999 stand for "never" in .NET.
    if not 1800 < parsed.year < 9000:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return parsed.timestamp()


def day(value: Json) -> str | None:
    """Read an ISO date, also from a date and time."""
    found = text(value, 40)
    if found is None or not _DATE.match(found) or moment(found[:10]) is None:
        return None
    return found[:10]


def year(value: Json) -> int | None:
    """Read a year; 0 stands for an unknown one."""
    found = integer(value)
    return found if found is not None and 1870 <= found <= 2200 else None


def span(value: Json) -> float | None:
    """Read .NET's ``[d.]hh:mm:ss[.fffffff]`` as seconds."""
    found = _SPAN.fullmatch(text(value, 40) or "")
    if found is None:
        return None
    days, hours, minutes, seconds, fraction = found.groups()
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return whole + float(fraction or 0)


def web_address(value: Json) -> str | None:
    """Read a public web address: http or https, no user in it, nothing after a ``?``."""
    found = text(value, 2048)
    match = _HTTP.fullmatch(found) if found is not None else None
    if found is None or match is None:
        return None
    return found[: match.start(2)] if match.group(2) else found.partition("#")[0]


def event_name(value: Json) -> str | None:
    """Read the name of an event: words. It is logged, so it may be nothing else."""
    found = text(value, 64)
    return found if found is not None and _EVENT.fullmatch(found) else None


# --- free text ---------------------------------------------------------------------------


def scrub(value: str) -> str:
    """Take paths, addresses, e-mail addresses and keys out of a service's own words."""
    for signs, pattern, replacement in _PRIVATE:
        for sign in signs:
            if sign in value:
                value = pattern.sub(replacement, value)
                break
    return _KEY.sub("[secret]", value) if len(value) >= _KEY_LENGTH else value


def prose(value: Json, limit: int = 255) -> str | None:
    """Read a service's own words as they may be shown; its own answer reads the same."""
    found = text(value, MAX_TEXT)
    if found is None:
        return None
    for _ in range(_PROSE_ROUNDS):
        before, found = found, scrub(found)[:limit].rstrip()
        if found == before:
            break
    return found or None


# --- what the journal keeps ----------------------------------------------------------------


def keep(value: Json) -> Json:
    """Keep a plain value as the readers see it."""
    if isinstance(value, str):
        plain = len(value) <= MAX_TEXT and value.isprintable()
        return value.strip() if plain else _line(value)[:MAX_TEXT]
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        # Neither infinity nor "not a number" passes this comparison.
        return value if abs(value) <= _MAX_INTEGER else None
    return None


def pick(value: Json, shape: Shape) -> Json:
    """Keep of a document only what ``shape`` names, bounded."""
    return keeper(shape)(value)


def keeper(shape: Shape) -> Keep:
    """Return what keeps of documents only what ``shape`` names.

    To look at the shape anew for each document takes longer than to keep what it names.
    """
    if isinstance(shape, Mapping):
        return _object_keeper({key: keeper(inner) for key, inner in shape.items()})
    if isinstance(shape, tuple):
        return _list_keeper(keeper(shape[0]))
    return shape


def _object_keeper(shape: Mapping[str, Keep]) -> Keep:
    inner = tuple(shape.items())

    def keep_object(value: Json) -> Json:
        if not isinstance(value, (dict, Mapping)):
            return None
        get = value.get
        kept: dict[str, Json] = {}
        for key, keep_value in inner:
            if (found := get(key)) is not None and (found := keep_value(found)) is not None:
                kept[key] = found
        return kept

    return keep_object


def _list_keeper(keep_item: Keep) -> Keep:
    def keep_list(value: Json) -> Json:
        if not isinstance(value, (list, Sequence)) or isinstance(value, str):
            return None
        return [found for item in items(value) if (found := keep_item(item)) is not None]

    return keep_list


def dump(value: Json) -> str:
    """Write JSON as the journal keeps it."""
    return _ENCODER.encode(value)


def unreadable_note(delivery: Delivery) -> str:
    """Describe for the journal a body that is no JSON object."""
    kind = text(delivery.content_type.partition(";")[0], 64)
    return dump({"unreadable": {"bytes": len(delivery.body), "content_type": kind}})


def _line(value: str) -> str:
    """Make one line of a text, without what no database or log should hold."""
    cut = value[: MAX_TEXT * 4]
    if not cut.isprintable():
        cut = _CONTROL.sub(" ", cut)
    return cut.strip()
