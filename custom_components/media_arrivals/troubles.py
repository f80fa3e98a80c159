"""Repairs about what is kept and what vanished: what is wrong, and what goes on without it."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .engine.storage.models import DatabaseDamagedError, DatabaseNewerError, StorageError
from .guides import learn_more_url

UNAVAILABLE: Final = "database_unavailable"
DAMAGED: Final = "database_damaged"
NEWER: Final = "database_newer"
VANISHED: Final = "vanished"
SILENT: Final = "webhook_silent"

DATABASE_FILE: Final = f"{DOMAIN}.db"


@callback
def async_report_trouble(hass: HomeAssistant, err: StorageError) -> None:
    """Raise a repair that says why nothing is kept."""
    if isinstance(err, DatabaseNewerError):
        _raise(hass, NEWER, found=str(err.found), known=str(err.known))
    elif isinstance(err, DatabaseDamagedError):
        _raise(hass, DAMAGED, file=DATABASE_FILE)
    else:
        _raise(hass, UNAVAILABLE, file=DATABASE_FILE, error=str(err))


@callback
def async_report_set_aside(hass: HomeAssistant, name: str) -> None:
    """Raise a repair that says where the damaged file went."""
    _raise(hass, DAMAGED, file=name)


@callback
def async_report_vanished(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Raise a repair: so much vanished from a media server at once that none of it counts."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{VANISHED}_{entry.entry_id}",
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=VANISHED,
        learn_more_url=learn_more_url(VANISHED),
        translation_placeholders={"service": entry.title},
        data={"entry_id": entry.entry_id, "vanished": True},
    )


@callback
def async_vanished_is_over(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take the repair back: it is there again, or it was confirmed."""
    ir.async_delete_issue(hass, DOMAIN, f"{VANISHED}_{entry.entry_id}")


@callback
def async_report_silence(hass: HomeAssistant, entry: ConfigEntry, missed: int) -> None:
    """Raise a repair: a webhook that should work tells nothing, and polls find what it should."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        silence_issue_id(entry.entry_id),
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=SILENT,
        learn_more_url=learn_more_url(SILENT),
        translation_placeholders={"service": entry.title, "missed": str(missed)},
        data={"entry_id": entry.entry_id, SILENT: True},
    )


@callback
def async_silence_is_over(hass: HomeAssistant, entry_id: str) -> None:
    """Take the repair back: a delivery came, or something else is known to be wrong."""
    ir.async_delete_issue(hass, DOMAIN, silence_issue_id(entry_id))


def silence_issue_id(entry_id: str) -> str:
    """Return the id of the issue about a webhook that tells nothing."""
    return f"{SILENT}_{entry_id}"


@callback
def async_trouble_is_over(hass: HomeAssistant, *troubles: str) -> None:
    """Take repairs back."""
    for trouble in troubles:
        ir.async_delete_issue(hass, DOMAIN, trouble)


def _raise(hass: HomeAssistant, trouble: str, **placeholders: str) -> None:
    """Raise a repair; nothing is lost for good with a damaged file, so it only warns."""
    severity = ir.IssueSeverity.WARNING if trouble == DAMAGED else ir.IssueSeverity.ERROR
    ir.async_create_issue(
        hass,
        DOMAIN,
        trouble,
        is_fixable=False,
        severity=severity,
        translation_key=trouble,
        learn_more_url=learn_more_url(trouble),
        translation_placeholders=placeholders,
    )
