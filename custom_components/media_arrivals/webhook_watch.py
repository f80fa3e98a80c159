"""Watches whether the webhooks of services work, and tells when that turns."""

import time
from dataclasses import dataclass

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send

from .const import CONF_KIND, DOMAIN, KIND_BOARD, SIGNAL_RECORD, SIGNAL_WEBHOOK
from .doctor import State, examine
from .engine.connectors.base import WebhookCause
from .records import WebhookHealth
from .runtime import BOARD_KEY, service_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTurn:
    """A service's webhook stopped working, or works again."""

    entry_id: str
    works: bool
    state: State
    cause: WebhookCause | None


@callback
def webhook_works(hass: HomeAssistant, entry_id: str) -> bool | None:
    """Tell whether a service's webhook works; ``None``: not proven yet, or not wanted."""
    return None if (turn := _look_at(hass, entry_id)) is None else turn.works


def _look_at(hass: HomeAssistant, entry_id: str) -> WebhookTurn | None:
    """Say how a service's webhook is, if that is certain.

    One that was proven and is muted or silent does not work, either.
    """
    record = hass.data[BOARD_KEY].records.get(entry_id)
    entry = hass.config_entries.async_get_entry(entry_id)
    if (
        entry is None
        or record is None
        or record.webhook not in {WebhookHealth.WORKING, WebhookHealth.FAILED}
    ):
        return None
    state = examine(entry, record, time.time()).state
    return WebhookTurn(
        entry_id=entry_id,
        works=state is State.WORKING,
        state=state,
        cause=record.webhook_cause,
    )


@callback
def async_watch_webhooks(hass: HomeAssistant) -> None:
    """Watch the services that there are, and those that come."""
    watch = WebhookWatch(hass)
    for entry in service_entries(hass):
        watch.async_follow(entry.entry_id)
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, watch.async_entry_changed)


class WebhookWatch:
    """Knows of each service what was last certain of its webhook.

    Between working and not there is a while in which neither is known: a webhook that is proven
    anew, or gets a second chance. That is nothing to tell.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self._worked: dict[str, bool | None] = {}
        self._unfollow: dict[str, CALLBACK_TYPE] = {}

    @callback
    def async_follow(self, entry_id: str) -> None:
        """Watch a service."""

        @callback
        def look() -> None:
            self._async_look(entry_id)

        self._worked[entry_id] = webhook_works(self.hass, entry_id)
        self._unfollow[entry_id] = async_dispatcher_connect(
            self.hass, SIGNAL_RECORD.format(entry_id), look
        )

    @callback
    def async_entry_changed(self, change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Follow a service that was added, and let go of one that was removed."""
        if entry.domain != DOMAIN or entry.data.get(CONF_KIND) in (None, KIND_BOARD):
            return
        if change is ConfigEntryChange.ADDED and entry.entry_id not in self._unfollow:
            self.async_follow(entry.entry_id)
        elif change is ConfigEntryChange.REMOVED and entry.entry_id in self._unfollow:
            self._unfollow.pop(entry.entry_id)()
            del self._worked[entry.entry_id]

    @callback
    def _async_look(self, entry_id: str) -> None:
        """Tell it if what is certain turned."""
        turn, worked = _look_at(self.hass, entry_id), self._worked[entry_id]
        if turn is None or turn.works is worked:
            return
        self._worked[entry_id] = turn.works
        if worked is not None:
            async_dispatcher_send(self.hass, SIGNAL_WEBHOOK, turn)
