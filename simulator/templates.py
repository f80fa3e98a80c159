"""The template engine of the Seerr family's webhooks."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .faults import Json

OBJECTS = ("media", "request", "issue", "comment")


class TemplateError(Exception):
    """The stored template cannot be read."""


def store(posted: Any, *, literal: bool) -> str:
    """Encode a posted template as the settings keep it; nothing is checked here."""
    text = posted if isinstance(posted, str) else str(posted or "")
    return b64encode((text if literal else json.dumps(text)).encode()).decode()


def load_once(stored: str) -> Any:
    """Decode what the settings keep, as the settings page shows it."""
    try:
        return json.loads(b64decode(stored).decode("utf-8", "replace"))
    except ValueError as err:
        msg = "Unexpected end of JSON input"
        raise TemplateError(msg) from err


def load(stored: str, *, ascii_only: bool) -> Any:
    """Decode the template for sending: it is parsed twice."""
    raw = b64decode(stored)
    # Seven bits only: every byte of a letter beyond ASCII becomes another letter.
    text = bytes(byte & 0x7F for byte in raw).decode() if ascii_only else raw.decode()
    try:
        once = json.loads(text)
    except ValueError as err:
        msg = "Unexpected token in JSON"
        raise TemplateError(msg) from err
    if not isinstance(once, str):
        msg = '"[object Object]" is not valid JSON'
        raise TemplateError(msg)
    try:
        twice = json.loads(once)
    except ValueError as err:
        msg = "Unexpected token in JSON"
        raise TemplateError(msg) from err
    if not isinstance(twice, dict | list):
        msg = "Cannot use 'in' operator to search for a template in a string"
        raise TemplateError(msg)
    return twice


def render(
    template: Any, variables: Mapping[str, str], present: frozenset[str], extra: list[Json]
) -> Any:
    """Fill a template in."""
    if isinstance(template, str):
        return fill(template, variables)
    if isinstance(template, list):
        return [render(item, variables, present, extra) for item in template]
    if not isinstance(template, dict):
        return template
    result: Json = {}
    last: Json = {}
    for key, value in template.items():
        if key == "{{extra}}":
            last["extra"] = extra
        elif (name := key.removeprefix("{{").removesuffix("}}")) in OBJECTS and key != name:
            last[name] = render(value, variables, present, extra) if name in present else None
        else:
            result[key] = render(value, variables, present, extra)
    return result | last


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Replace the first occurrence of each variable; what is unknown stays."""
    for name, value in variables.items():
        mark = f"{{{{{name}}}}}"
        if mark in text:
            # The replacement is interpreted: $$ is a dollar sign, $& is what was replaced.
            plain = value.replace("$$", "\0").replace("$&", mark).replace("\0", "$")
            text = text.replace(mark, plain, 1)
    return text


def fill_url(url: str, variables: Mapping[str, str], *, testing: bool) -> str:
    """Replace every variable in an address; an empty one, or any in a test, becomes ``test``."""
    for name, value in variables.items():
        filled = "test" if testing or not value else quote(value, safe="")
        url = url.replace(f"{{{{{name}}}}}", filled)
    return url
