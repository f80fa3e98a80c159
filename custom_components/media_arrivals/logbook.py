"""The logbook's words for what was done, and what failed of it.

The stages of arrivals are in the logbook already, by the event entity.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_CONTEXT_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.components.logbook.models import LazyEventPartialState
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN, EVENT_ACTION, NAME
from .services import (
    ACTION_DISMISS_ARRIVAL,
    ACTION_SYNC,
    ACTION_TEST_WEBHOOK,
    service_list,
)


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[
        [str, str, Callable[[LazyEventPartialState], dict[str, Any]]], None
    ],
) -> None:
    """Describe what somebody made the integration do."""

    @callback
    def describe(event: LazyEventPartialState) -> dict[str, Any]:
        """Describe an action."""
        data = event.data
        return {
            LOGBOOK_ENTRY_NAME: NAME,
            LOGBOOK_ENTRY_MESSAGE: MESSAGES[data["action"]](data),
            LOGBOOK_ENTRY_CONTEXT_ID: event.context_id,
        }

    async_describe_event(DOMAIN, EVENT_ACTION, describe)


def _synced(data: Mapping[str, Any]) -> str:
    """Say what came of looking at services."""
    said = []
    if names := data["services"]:
        changed = data["changed"]
        changes = "nothing new" if not changed else f"{changed} change{'s'[: changed != 1]}"
        said.append(f"looked at {', '.join(names)}: {changes}")
    if failed := data["failed"]:
        said.append(f"could not look at {service_list(failed)}")
    return "; ".join(said) or "had no service to look at"


def _dismissed(data: Mapping[str, Any]) -> str:
    """Say which arrival was dismissed."""
    season = data["season"]
    return f"dismissed {data['title'] or 'an arrival'}" + (
        f", season {season}" if season is not None else ""
    )


def _webhook_failed(data: Mapping[str, Any]) -> str:
    """Say why a webhook's test failed."""
    return f"could not prove the webhook of {data['service']}: {data['error']}"


MESSAGES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    ACTION_SYNC: _synced,
    ACTION_DISMISS_ARRIVAL: _dismissed,
    ACTION_TEST_WEBHOOK: _webhook_failed,
}
