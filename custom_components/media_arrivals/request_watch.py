"""Watches which requests wait for a decision, and tells when one does and when it was made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_call_later

from .const import SIGNAL_CHANGE, SIGNAL_REQUEST
from .engine.board.models import Change, Decision, Request, RequestKey
from .runtime import BOARD_KEY

GRACE: Final = 10.0
"""Seconds in which a request may still be approved automatically."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTurn:
    """A request waits for a decision, or does no longer."""

    request: Request
    change: Change
    """What brought it about."""

    @property
    def waits(self) -> bool:
        """Tell whether it waits."""
        return self.request.decision.decision is Decision.PENDING


@callback
def async_watch_requests(hass: HomeAssistant) -> None:
    """Watch the requests that there are, and those that come."""
    watch = RequestWatch(hass)
    async_dispatcher_connect(hass, SIGNAL_CHANGE, watch.async_changed)


class RequestWatch:
    """Knows of each request whether it waits for a decision."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        requests = hass.data[BOARD_KEY].board.requests()
        self._decisions = {one.key: one.decision.decision for one in requests}
        self._about_to_ask: dict[RequestKey, CALLBACK_TYPE] = {}

    @callback
    def async_changed(self, change: Change) -> None:
        """Look at the requests for what changed."""
        runtime = self.hass.data[BOARD_KEY]
        if runtime.worker.publisher.holding:
            # Home Assistant is starting: each is told once, with how it stands then.
            return
        for request in runtime.board.requests_of(change.arrival):
            self._look_at(request, change)

    def _look_at(self, request: Request, change: Change) -> None:
        """Tell it if a request turned."""
        key, now = request.key, request.decision.decision
        before = self._decisions.get(key)
        self._decisions[key] = now
        if now is before:
            return
        if now is Decision.PENDING:
            if not change.silent:
                self._ask_soon(key, change)
            return
        if before is not Decision.PENDING:
            return
        if (cancel := self._about_to_ask.pop(key, None)) is not None:
            # Nobody was asked, so nobody has to know.
            cancel()
            return
        async_dispatcher_send(
            self.hass, SIGNAL_REQUEST, RequestTurn(request=request, change=change)
        )

    def _ask_soon(self, key: RequestKey, change: Change) -> None:
        """Tell that a request waits, if it still does in a while."""

        @callback
        def ask(_: datetime) -> None:
            del self._about_to_ask[key]
            request = self.hass.data[BOARD_KEY].board.request(key)
            if request is not None and request.decision.decision is Decision.PENDING:
                turn = RequestTurn(request=request, change=change)
                async_dispatcher_send(self.hass, SIGNAL_REQUEST, turn)

        if (cancel := self._about_to_ask.pop(key, None)) is not None:
            cancel()
        self._about_to_ask[key] = async_call_later(
            self.hass, GRACE, HassJob(ask, cancel_on_shutdown=True)
        )
