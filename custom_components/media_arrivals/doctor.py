"""The webhook doctor: how each service's webhook is, in a word, in a sentence, and what to do.

It reads what is remembered of a service and asks nobody, so that it answers also while the
service is down or its entry is set up again and again.
"""

import time
from asyncio import gather
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_KIND, CONF_MANUAL_WEBHOOK, DOMAIN
from .engine.connectors.base import WebhookCause, WebhookState
from .presenter import Document, iso_time
from .records import ServiceRecord, WebhookHealth
from .runtime import BOARD_KEY, ServiceConfigEntry


class State(StrEnum):
    """How a webhook is."""

    WORKING = "working"
    WAITING = "waiting"
    """It is in the service, and nothing proved it yet."""
    UNTOLD = "untold"
    """There is no test, and what should have proved it did not come."""
    BY_HAND = "by_hand"
    """It waits for the user's hand."""
    NOT_THERE = "not_there"
    """Entered by hand once, and no longer in the service."""
    MUTED = "muted"
    SILENT = "silent"
    """The test arrives, the news do not."""
    TAKEN = "taken"
    TAKEN_BY_HOME_ASSISTANT = "taken_by_home_assistant"
    WRONG_ADDRESS = "wrong_address"
    """The service cannot reach us where it was told."""
    FAILED = "failed"
    """Something else is in the way."""
    POLLING_ONLY = "polling_only"
    POLLING_BESIDE = "polling_beside"
    """The user does without, because Home Assistant's own integration has the place."""
    LISTENING = "listening"
    """It has no webhooks for us, and tells over a connection of ours."""
    DISABLED = "disabled"


_BY_CAUSE: Final[Mapping[WebhookCause, State]] = {
    **dict.fromkeys(
        (
            WebhookCause.NAME_NOT_FOUND,
            WebhookCause.REFUSED,
            WebhookCause.TIMEOUT,
            WebhookCause.CERTIFICATE,
            WebhookCause.REDIRECT,
            WebhookCause.UNTRUSTED_PROXY,
            WebhookCause.NOT_RECEIVED,
            WebhookCause.NO_ADDRESS,
        ),
        State.WRONG_ADDRESS,
    ),
    WebhookCause.TAKEN: State.TAKEN,
    WebhookCause.TAKEN_BY_HOME_ASSISTANT: State.TAKEN_BY_HOME_ASSISTANT,
    WebhookCause.NOT_TESTABLE: State.UNTOLD,
}
_WITHOUT: Final[Mapping[WebhookCause, State]] = {
    WebhookCause.TAKEN_BY_HOME_ASSISTANT: State.POLLING_BESIDE,
    WebhookCause.NEEDS_PLEX_PASS: State.LISTENING,
}
_SAYS_WHY: Final = frozenset({State.WRONG_ADDRESS, State.FAILED})
"""The cause has a sentence of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is the matter with a service's webhook."""

    state: State
    by_hand: bool
    missed_24h: int


def examine(entry: ServiceConfigEntry, record: ServiceRecord, now: float) -> Finding:
    """Say how a webhook is."""
    by_hand = bool(entry.options.get(CONF_MANUAL_WEBHOOK))
    return Finding(
        state=State.DISABLED if entry.disabled_by else _state(record, by_hand=by_hand),
        by_hand=by_hand,
        missed_24h=len(record.recent_misses(now)),
    )


def _state(record: ServiceRecord, *, by_hand: bool) -> State:
    cause = record.webhook_cause
    match record.webhook:
        case WebhookHealth.POLLING_ONLY:
            return State.POLLING_ONLY if cause is None else _WITHOUT.get(cause, State.POLLING_ONLY)
        case WebhookHealth.WORKING if by_hand and record.remote is WebhookState.ABSENT:
            return State.NOT_THERE
        case WebhookHealth.WORKING if by_hand and record.remote is WebhookState.TAKEN:
            return State.TAKEN
        case WebhookHealth.WORKING | WebhookHealth.UNPROVEN if record.muted:
            return State.MUTED
        case WebhookHealth.WORKING:
            return State.WORKING if record.silent_since is None else State.SILENT
        case _:
            pass
    if cause is not None:
        return _BY_CAUSE.get(cause, State.FAILED)
    if record.webhook is WebhookHealth.FAILED:
        return State.FAILED
    return State.BY_HAND if by_hand else State.WAITING


async def async_examine_all(
    hass: HomeAssistant, entries: Iterable[ServiceConfigEntry], *, test: bool
) -> list[Document]:
    """Say of services how their webhooks are, after a test if one is wanted."""
    entries = tuple(entries)
    texts = await _async_texts(hass)
    tests: Iterable[Document | None] = [None] * len(entries)
    if test:
        tests = await gather(*(_async_test(entry, texts) for entry in entries))
    records = hass.data[BOARD_KEY].records
    return [
        _present(entry, record, texts) | ({"test": tested} if test else {})
        for entry, tested in zip(entries, tests, strict=True)
        if (record := records.get(entry.entry_id)) is not None
    ]


async def _async_test(entry: ServiceConfigEntry, texts: Mapping[str, str]) -> Document:
    """Have a service send its test, and say whether it arrived."""
    prefix = f"component.{DOMAIN}"
    if entry.state is not ConfigEntryState.LOADED:
        message = texts[f"{prefix}.common.webhook_not_loaded"].format(service=entry.title)
        return {"arrived": False, "error": "not_loaded", "message": message}
    try:
        await entry.runtime_data.registration.async_test()
    except HomeAssistantError as err:
        return {"arrived": False, "error": err.translation_key, "message": str(err)}
    if entry.runtime_data.coordinator.record.tested:
        return {"arrived": True, "error": None, "message": None}
    # It was looked at, and is as it should be: there is no more to a webhook without a test.
    message = texts[f"{prefix}.common.webhook_without_test"].format(service=entry.title)
    return {"arrived": False, "error": "webhook_not_testable", "message": message}


async def _async_texts(hass: HomeAssistant) -> Mapping[str, str]:
    """Read our sentences, in the language of the house."""
    texts: dict[str, str] = {}
    for category in ("common", "exceptions"):
        texts |= await async_get_translations(hass, hass.config.language, category, [DOMAIN])
    return texts


def _present(
    entry: ServiceConfigEntry, record: ServiceRecord, texts: Mapping[str, str]
) -> Document:
    """Present how a service's webhook is."""
    found = examine(entry, record, time.time())
    prefix = f"component.{DOMAIN}"
    words: dict[str, Any] = {
        "service": entry.title,
        "address": record.webhook_address or "-",
        "answer": record.webhook_detail or "-",
        "missed": found.missed_24h,
    }
    verdict = f"{prefix}.common.webhook_{found.state}"
    if found.state in _SAYS_WHY and record.webhook_cause is not None:
        verdict = f"{prefix}.exceptions.webhook_{record.webhook_cause}.message"
    return {
        "service": entry.entry_id,
        "service_name": entry.title,
        "kind": entry.data[CONF_KIND],
        "state": found.state.value,
        "verdict": texts[verdict].format(**words),
        "next_step": texts[f"{prefix}.common.webhook_{found.state}_next"].format(**words),
        **facts(found, record),
        "address": record.webhook_address,
        "answer": record.webhook_detail,
        "last_status": record.last_status,
    }


def facts(found: Finding, record: ServiceRecord) -> Document:
    """Return the facts behind a finding; nothing in them is private."""
    return {
        "cause": None if record.webhook_cause is None else record.webhook_cause.value,
        "by_hand": found.by_hand,
        "in_service": None if record.remote is None else record.remote.value,
        "muted": record.muted,
        "events": [*record.events],
        "last_delivery": iso_time(record.last_webhook_at),
        "proven_at": iso_time(record.proven_at),
        "silent_since": iso_time(record.silent_since),
        "missed_24h": found.missed_24h,
        "webhook_delay": record.webhook_delay,
        "poll_delay": record.poll_delay,
    }
