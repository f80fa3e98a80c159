"""The bodies that Tautulli sends, whoever wrote their template, in our template's words. Pure."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from .. import payload
from ..base import Delivery, Json
from ..payload import Object, Shape
from .template import MARK, TEST, VALUES, VERSION

EMPTY: Final = "empty"
UNREADABLE: Final = "unreadable"
FOREIGN: Final = "foreign"
PREFIX: Final = "tautulli."
_PROBLEM: Final = "problem"
_MAX_FIELDS: Final = 200
_NO_VALUE: Final = re.compile(r"\{[^{}]{0,100}\}")
# An event that was not filled in: somebody sent the template itself, to try the webhook.
_UNFILLED: Final = frozenset({"{action}", f"{PREFIX}{{action}}"})
_WATCHSTATE: Final[Mapping[str, tuple[str, str]]] = {
    "server_machine_id": ("Server", "uuid"),
    "user_id": ("Account", "id"),
    "media_type": ("Metadata", "type"),
    "rating_key": ("Metadata", "ratingKey"),
    "parent_rating_key": ("Metadata", "parentRatingKey"),
    "grandparent_rating_key": ("Metadata", "grandparentRatingKey"),
    "title": ("Metadata", "title"),
    "show_name": ("Metadata", "grandparentTitle"),
    "year": ("Metadata", "year"),
    "season_num": ("Metadata", "parentIndex"),
    "episode_num": ("Metadata", "index"),
    "air_date": ("Metadata", "originallyAvailableAt"),
}
_GUIDS: Final = {"imdb_id": "imdb", "thetvdb_id": "tvdb", "themoviedb_id": "tmdb"}


def known(value: Json) -> Json:
    """Keep a value; a text that was not filled in is none."""
    if isinstance(value, str):
        line = payload.keep(value)
        return line if isinstance(line, str) and line and not _NO_VALUE.fullmatch(line) else None
    return payload.keep(value)


_SHAPE: Final[Mapping[str, Shape]] = {
    _PROBLEM: payload.event_name,
    "event": payload.event_name,
    **dict.fromkeys(VALUES, known),
}


def document(delivery: Delivery) -> Object | None:
    """Read JSON or a form, whatever the header calls it; ``None``: it is neither."""
    found = payload.load_object(delivery.body)
    if found is not None:
        return found
    try:
        text = delivery.body.decode()
        fields = parse_qsl(text, strict_parsing=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None
    return dict(fields) or None


def told(delivery: Delivery) -> Object:
    """Return what a delivery says in our template's words; all that the journal keeps."""
    if not delivery.body.strip():
        return _trouble(EMPTY)
    found = document(delivery)
    return _trouble(UNREADABLE) if found is None else told_of(found)


def told_of(found: Object) -> Object:
    """Say the same of a body that was read."""
    event = found.get("event")
    if _is_watchstate(found):
        flat = _flattened(found)
    elif is_flat(found):
        flat = found
    else:
        named = payload.mapping(payload.pick(found, {"event": payload.event_name}))
        return {**_trouble(FOREIGN), **named}
    if isinstance(event, str) and event.strip() in _UNFILLED:
        flat = {"event": TEST}
    return {MARK: VERSION, **payload.mapping(payload.pick(flat, _SHAPE))}


def is_ours(found: Object) -> bool:
    """Tell whether a body is made from a template that we can read."""
    return is_flat(found) or _is_watchstate(found)


def is_flat(found: Object) -> bool:
    """Tell whether it is made from our template, or from one with the same names."""
    plain = isinstance(found.get("event"), str) and "rating_key" in found
    return MARK in found or (plain and "Metadata" not in found)


def problem(found: Object) -> str | None:
    """Say what is wrong with a delivery, if anything is."""
    return payload.text(found.get(_PROBLEM), 64)


def _is_watchstate(found: Object) -> bool:
    event = found.get("event")
    return (
        isinstance(event, str)
        and event.startswith(PREFIX)
        and isinstance(found.get("Metadata"), Mapping)
    )


def _flattened(found: Object) -> Object:
    """Say WatchState's template in our words."""
    guids = payload.mapping(payload.mapping(found.get("Metadata")).get("Guids"))
    return {
        "event": found.get("event"),
        **{
            name: payload.mapping(found.get(group)).get(key)
            for name, (group, key) in _WATCHSTATE.items()
        },
        **{name: guids.get(space) for name, space in _GUIDS.items()},
    }


def _trouble(what: str) -> dict[str, Json]:
    return {MARK: VERSION, _PROBLEM: what}
