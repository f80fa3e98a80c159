"""The logbook's words for the stages of arrivals, for what was done, and what failed of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_CONTEXT_ID,
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.components.logbook.models import LazyEventPartialState
from homeassistant.core import HomeAssistant, callback

from .acting import (
    ACTION_APPROVE_REQUEST,
    ACTION_DECLINE_REQUEST,
    ACTION_DELETE_REQUEST,
    ACTION_REQUEST_MEDIA,
    ACTION_RETRY_REQUEST,
    ACTION_SCAN_LIBRARY,
    ACTION_SEARCH_RELEASE,
    ACTION_SEND_TO_SERVICE,
)
from .const import DOMAIN, EVENT_ACTION, EVENT_STAGE_CHANGED, EVENT_STUCK, EVENT_WATCHED, NAME
from .engine.board.models import Stage
from .services import (
    ACTION_DISMISS_ARRIVAL,
    ACTION_FORGET_PERSON,
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
    """Describe the stages of arrivals, and what somebody made the integration do.

    The event entity's line has the stage alone. It shares its context with the event described
    here, so that the title stands beside it as the cause.
    """

    @callback
    def describe_stage(event: LazyEventPartialState) -> dict[str, Any]:
        """Describe the stage that an arrival or an episode reached."""
        data = event.data
        return {
            LOGBOOK_ENTRY_NAME: _name(data),
            LOGBOOK_ENTRY_MESSAGE: STAGES[Stage(data["stage"])],
            LOGBOOK_ENTRY_ICON: STAGE_ICONS[Stage(data["stage"])],
            LOGBOOK_ENTRY_CONTEXT_ID: event.context_id,
        }

    @callback
    def describe_watched(event: LazyEventPartialState) -> dict[str, Any]:
        """Describe that something was watched; by whom, if the event says so."""
        data = event.data
        by = f" by {name}" if (name := data.get("watched_by")) else ""
        return {
            LOGBOOK_ENTRY_NAME: _name(data),
            LOGBOOK_ENTRY_MESSAGE: ("was watched" if data["watched"] else "was marked unwatched")
            + by,
            LOGBOOK_ENTRY_ICON: WATCHED_ICON if data["watched"] else UNWATCHED_ICON,
            LOGBOOK_ENTRY_CONTEXT_ID: event.context_id,
        }

    @callback
    def describe_stuck(event: LazyEventPartialState) -> dict[str, Any]:
        """Describe that an arrival got stuck, and why."""
        data = event.data
        why = data["text"] or data["reason"].replace("_", " ")
        return {
            LOGBOOK_ENTRY_NAME: _name(data),
            LOGBOOK_ENTRY_MESSAGE: f"got stuck: {why}",
            LOGBOOK_ENTRY_ICON: STUCK_ICON,
            LOGBOOK_ENTRY_CONTEXT_ID: event.context_id,
        }

    @callback
    def describe_action(event: LazyEventPartialState) -> dict[str, Any]:
        """Describe an action."""
        data = event.data
        return {
            LOGBOOK_ENTRY_NAME: NAME,
            LOGBOOK_ENTRY_MESSAGE: MESSAGES[data["action"]](data),
            LOGBOOK_ENTRY_ICON: ACTION_ICON,
            LOGBOOK_ENTRY_CONTEXT_ID: event.context_id,
        }

    async_describe_event(DOMAIN, EVENT_STAGE_CHANGED, describe_stage)
    async_describe_event(DOMAIN, EVENT_WATCHED, describe_watched)
    async_describe_event(DOMAIN, EVENT_ACTION, describe_action)
    async_describe_event(DOMAIN, EVENT_STUCK, describe_stuck)


def _name(data: Mapping[str, Any]) -> str:
    """Name the film, the season or the episode."""
    parts = [data["title"] or "An arrival"]
    if data["season"] is not None:
        parts.append(f"season {data['season']}")
    number = data.get("episode", {}).get("number")
    if number is not None:
        parts.append(f"episode {number}")
    return ", ".join(parts)


def _synced(data: Mapping[str, Any]) -> str:
    """Say what came of looking at services."""
    said = []
    if names := data["services"]:
        changed = data["changed"]
        changes = "nothing new" if not changed else f"{changed} change{'s'[: changed != 1]}"
        said.append(f"checked {', '.join(names)}: {changes}")
    if failed := data["failed"]:
        said.append(f"could not check {service_list(failed)}")
    return "; ".join(said) or "had no service to check"


def _dismissed(data: Mapping[str, Any]) -> str:
    """Say which arrival was dismissed."""
    return f"dismissed {_name(data)}" if data["title"] else "dismissed an arrival"


def _forgotten(data: Mapping[str, Any]) -> str:
    """Say of how much a person was forgotten, and not who it was."""
    counted = [
        f"{number} {name}{'s'[: number != 1]}"
        for name, number in (("arrival", data["arrivals"]), ("request", data["requests"]))
        if number
    ]
    return f"forgot a person in {' and '.join(counted)}" if counted else "knew nothing to forget"


def _acted(done: str, failed: str) -> Callable[[Mapping[str, Any]], str]:
    """Return what says that a service did something, or why it did not."""

    def describe(data: Mapping[str, Any]) -> str:
        if error := data.get("error"):
            return f"could not {failed} ({data['service']}: {error.replace('_', ' ')})"
        what = _name(data) if data["title"] else "a title"
        return f"{done} {what} ({data['service']})"

    return describe


def _scanned(data: Mapping[str, Any]) -> str:
    """Say where a media server was made to look."""
    if error := data.get("error"):
        return f"could not have {data['service']} scan ({error.replace('_', ' ')})"
    where = f"for {_name(data)}" if data["title"] else "all its libraries"
    return f"had {data['service']} scan {where}"


def _webhook_failed(data: Mapping[str, Any]) -> str:
    """Say why a webhook's test failed."""
    return f"could not test the webhook of {data['service']}: {data['error']}"


STAGE_ICONS: Final[Mapping[Stage, str]] = {
    Stage.REQUESTED: "mdi:inbox-arrow-down-outline",
    Stage.APPROVED: "mdi:thumb-up-outline",
    Stage.SENT: "mdi:send-outline",
    Stage.DOWNLOADING: "mdi:download",
    Stage.DOWNLOADED: "mdi:download-circle-outline",
    Stage.AVAILABLE: "mdi:movie-open-check-outline",
    Stage.DECLINED: "mdi:thumb-down-outline",
    Stage.FAILED: "mdi:alert-circle-outline",
    Stage.REMOVED: "mdi:delete-outline",
}
"""Those of the triggers. What has no entity has no icon in Activity unless it is named."""

WATCHED_ICON: Final = "mdi:eye-check-outline"
UNWATCHED_ICON: Final = "mdi:eye-remove-outline"
STUCK_ICON: Final = "mdi:timer-sand-complete"
ACTION_ICON: Final = "mdi:filmstrip-box"

STAGES: Final[Mapping[Stage, str]] = {
    Stage.REQUESTED: "was requested",
    Stage.APPROVED: "was approved",
    Stage.SENT: "was sent to the service",
    Stage.DOWNLOADING: "is downloading",
    Stage.DOWNLOADED: "was downloaded",
    Stage.AVAILABLE: "is available",
    Stage.DECLINED: "was declined",
    Stage.FAILED: "failed",
    Stage.REMOVED: "was removed",
}
MESSAGES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    ACTION_SYNC: _synced,
    ACTION_DISMISS_ARRIVAL: _dismissed,
    ACTION_FORGET_PERSON: _forgotten,
    ACTION_TEST_WEBHOOK: _webhook_failed,
    ACTION_REQUEST_MEDIA: _acted("requested", "request a title"),
    ACTION_APPROVE_REQUEST: _acted("approved", "approve a request"),
    ACTION_DECLINE_REQUEST: _acted("declined", "decline a request"),
    ACTION_RETRY_REQUEST: _acted("retried", "retry a request"),
    ACTION_DELETE_REQUEST: _acted("deleted the request for", "delete a request"),
    ACTION_SEND_TO_SERVICE: _acted("sent", "send a title"),
    ACTION_SEARCH_RELEASE: _acted("had releases searched of", "search releases"),
    ACTION_SCAN_LIBRARY: _scanned,
}
