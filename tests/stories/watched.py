"""A household in which somebody looks for what is stuck."""

import time
from typing import Any

from freezegun.api import TickingDateTimeFactory
from homeassistant.core import Event
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.media_arrivals.const import DOMAIN, EVENT_STUCK, SIGNAL_STUCK
from custom_components.media_arrivals.stuck import StuckTurn
from tests.house import House
from tests.stories.media_family import MediaFamily

POLL_EVERY = 1500.0


class Watched(MediaFamily):
    """A household in which somebody looks for what is stuck."""

    def __init__(self, house: House, clock: TickingDateTimeFactory) -> None:
        super().__init__(house, clock)
        self.turns: list[tuple[str, bool]] = []
        self.stuck_events: list[Event[dict[str, Any]]] = async_capture_events(
            house.hass, EVENT_STUCK
        )

        def turned(turn: StuckTurn) -> None:
            self.turns.append((turn.hold.reason.value, turn.stuck))

        async_dispatcher_connect(house.hass, SIGNAL_STUCK, turned)

    async def wait(self, seconds: float, *, poll: bool = True) -> None:
        """Let time pass, in which services are polled, and look at its end."""
        end = time.time() + seconds
        while (left := end - time.time()) > 1:
            self.clock.tick(min(left, POLL_EVERY))
            if poll:
                await self.poll()
        await self.look()

    async def look(self) -> None:
        """Look at all arrivals now, as each minute."""
        await self.house.runtime.stuck.async_look()
        await self.settle()

    async def arrival(self, title: str = "Amber Ferry") -> dict[str, Any]:
        """Return what the action tells of an arrival."""
        answer = await self.house.hass.services.async_call(
            DOMAIN, "get_arrivals", {"text": title}, blocking=True, return_response=True
        )
        assert isinstance(answer, dict)
        arrivals: Any = answer["arrivals"]
        (arrival,) = arrivals
        return arrival  # type: ignore[no-any-return]

    def counted(self) -> str:
        """Return the state of the sensor."""
        state = self.house.hass.states.get("sensor.media_arrivals_stuck")
        assert state is not None
        return state.state
