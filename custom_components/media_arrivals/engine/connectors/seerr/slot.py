"""Seerr's one webhook slot: our template, its two encodings, and whose it is. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .. import payload
from ..base import Json, RemoteWebhook, WebhookCause, WebhookState, WebhookTarget

MARK: Final = "media_arrivals"
"""Key in our template that holds the id of the Home Assistant that wrote it."""

_BITS: Final[Mapping[int, str]] = {
    2: "requested",
    4: "approved",
    8: "available",
    16: "failed",
    64: "declined",
    128: "requested",
}
TYPES: Final = sum(_BITS)
"""Every event of a request. Issues open nothing, so they are not asked for."""

_RAW_SINCE: Final = (3, 2)
_VERSION: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})")
_WEBHOOK_PATH: Final = re.compile(r"/api/webhook/[^/?#]+/?$|^https://hooks\.nabu\.casa/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The webhook settings as read from the service."""

    settings: payload.Object
    readable: bool = True
    """``False``: the service cannot read its own template."""

    @property
    def options(self) -> payload.Object:
        """The settings of the agent itself."""
        return payload.mapping(self.settings.get("options"))

    @property
    def url(self) -> str:
        """Where it points."""
        return payload.text(self.options.get("webhookUrl"), 2048) or ""

    @property
    def enabled(self) -> bool:
        """Tell whether it is switched on."""
        return payload.boolean(self.settings.get("enabled")) is True

    @property
    def types(self) -> int:
        """The sum of the events that it is for."""
        return payload.counting(self.settings.get("types")) or 0

    @property
    def template(self) -> payload.Object:
        """The template, parsed; empty if it is none."""
        return payload.mapping(_parsed(self.options.get("jsonPayload")))

    @property
    def text(self) -> str | None:
        """The template as the service shows it, if that is the text of an object."""
        value = self.options.get("jsonPayload")
        if not isinstance(value, str):
            return None
        try:
            return value if isinstance(json.loads(value), dict) else None
        except ValueError, RecursionError:
            return None

    @property
    def events(self) -> frozenset[str]:
        """What can be sighted through it."""
        if not self.enabled:
            return frozenset()
        told = {name for bit, name in _BITS.items() if self.types & bit}
        if self.types & 130 != 130:
            # New requests are told by one of two events; one alone does not tell them all.
            told.discard("requested")
        return frozenset(told)


def _parsed(value: Json) -> Json:
    """Read a template that may be encoded once more than it should be, or not at all."""
    for _ in range(2):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except ValueError, RecursionError:
            return None
    return value


def template(instance_id: str) -> str:
    """Return our template; it asks for nothing that every supported version does not know.

    No e-mail address, avatar or chat id is in it: what is not sent cannot leak.
    """
    return json.dumps(
        {
            MARK: instance_id,
            "notification_type": "{{notification_type}}",
            "event": "{{event}}",
            "subject": "{{subject}}",
            "message": "{{message}}",
            "image": "{{image}}",
            "{{media}}": {
                "media_type": "{{media_type}}",
                "tmdbId": "{{media_tmdbid}}",
                "tvdbId": "{{media_tvdbid}}",
                "status": "{{media_status}}",
                "status4k": "{{media_status4k}}",
            },
            "{{request}}": {
                "request_id": "{{request_id}}",
                "requestedBy_username": "{{requestedBy_username}}",
            },
            "{{extra}}": [],
        },
        indent=2,
    )


def encodings(version: str, text: str) -> tuple[str, str]:
    """Return both forms of a template for writing; first the one that fits the version.

    Since Seerr 3.2 it is the text; before, the text once more as a JSON string. The wrong
    form is taken without complaint, and then never delivers.
    """
    raw, literal = text, json.dumps(text)
    return (raw, literal) if takes_raw(version) else (literal, raw)


def takes_raw(version: str) -> bool:
    """Tell whether a version takes a template as it is; a development build does."""
    numbers = version_of(version)
    return numbers is None or numbers >= _RAW_SINCE


def version_of(version: str) -> tuple[int, int] | None:
    """Read the first two numbers of a version; ``None``: a development build."""
    found = _VERSION.match(version)
    return (int(found.group(1)), int(found.group(2))) if found else None


def wanted(slot: Slot, target: WebhookTarget, encoded: str) -> dict[str, Json]:
    """Return the settings to write: what is there, with what we want in it."""
    return {
        **slot.settings,
        "enabled": True,
        "types": TYPES,
        "options": {
            **slot.options,
            "webhookUrl": target.url,
            "jsonPayload": encoded,
            "authHeader": target.authorization,
        },
    }


def with_template(slot: Slot, encoded: str) -> dict[str, Json]:
    """Return what is there, with the template encoded for writing."""
    return {**slot.settings, "options": {**slot.options, "jsonPayload": encoded}}


def blanked(slot: Slot, encoded: str) -> dict[str, Json]:
    """Return the settings to write when we leave: a free slot, without our secret."""
    return {
        **slot.settings,
        "enabled": False,
        "types": 0,
        "options": {
            **slot.options,
            "webhookUrl": "",
            "jsonPayload": encoded,
            "authHeader": "",
        },
    }


def as_wanted(slot: Slot, target: WebhookTarget) -> bool:
    """Tell whether the slot holds exactly what we want; the template's text may differ.

    A template that was written in the wrong form is no text when it is read back.
    """
    return (
        slot.text is not None
        and slot.enabled
        and slot.types == TYPES
        and slot.url == target.url
        and slot.options.get("authHeader") == target.authorization
        and slot.template == json.loads(template(target.instance_id))
    )


def is_ours(slot: Slot, target: WebhookTarget) -> bool:
    """Tell whether the slot points to this webhook, or to an earlier one of this home."""
    if not slot.url:
        return False
    if (
        slot.url == target.url
        or target.webhook_id in slot.url
        or slot.options.get("authHeader") == target.authorization
    ):
        return True
    return (
        slot.template.get(MARK) == target.instance_id and _WEBHOOK_PATH.search(slot.url) is not None
    )


def read(slot: Slot, target: WebhookTarget) -> RemoteWebhook:
    """Say what the slot means to us."""
    if not slot.readable:
        # It may be somebody's: unknown is not ours.
        return RemoteWebhook(state=WebhookState.TAKEN, taken_by=WebhookCause.TAKEN)
    if not slot.url:
        return RemoteWebhook(state=WebhookState.ABSENT)
    if not is_ours(slot, target):
        return RemoteWebhook(state=WebhookState.TAKEN, taken_by=_taken_by(slot))
    return RemoteWebhook(
        state=WebhookState.REGISTERED if as_wanted(slot, target) else WebhookState.DIFFERENT,
        events=slot.events,
        muted=not slot.enabled,
    )


def _taken_by(slot: Slot) -> WebhookCause:
    """Tell Home Assistant's own Seerr integration from everybody else."""
    if _is_home_assistants(slot) and _WEBHOOK_PATH.search(slot.url) is not None:
        return WebhookCause.TAKEN_BY_HOME_ASSISTANT
    return WebhookCause.TAKEN


def _is_home_assistants(slot: Slot) -> bool:
    return "tmdb_id" in payload.mapping(slot.template.get("{{media}}"))


def described(settings: payload.Object) -> str | None:
    """Say in a few words what is in a slot: no address, no secret."""
    if "options" not in settings:
        return None
    slot = Slot(settings=settings)
    if not slot.template:
        kind = "unreadable"
    elif MARK in slot.template:
        kind = "ours"
    else:
        kind = "Home Assistant's" if _is_home_assistants(slot) else "another"
    state = "on" if slot.enabled else "off"
    return f"switched {state}, types {slot.types}, template: {kind}"
