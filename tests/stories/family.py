"""A household in Home Assistant: every service is real to it, each with its own webhook."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from freezegun.api import TickingDateTimeFactory
from homeassistant.core import Event
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.media_arrivals.const import (
    CONF_POLLING_ONLY,
    CONF_SEERR_SERVERS,
    CONF_TIER,
    EVENT_STAGE_CHANGED,
)
from simulator import SeerrDouble, Stack
from simulator.arr import ArrDouble
from simulator.scenarios import Play
from tests.house import House

SERVICES = ("seerr", "radarr", "radarr_4k", "sonarr")


class Family:
    """What a household plays, and what Home Assistant makes of it."""

    def __init__(self, house: House, clock: TickingDateTimeFactory) -> None:
        self.house = house
        self.clock = clock
        self.entries: dict[str, MockConfigEntry] = {}
        self.events: list[Event[dict[str, Any]]] = async_capture_events(
            house.hass, EVENT_STAGE_CHANGED
        )

    @property
    def stack(self) -> Stack:
        return self.house.stack

    def add(self, name: str, **options: Any) -> MockConfigEntry:
        """Add a service, as the dialog does."""
        double = self.stack.services[name]
        assert isinstance(double, ArrDouble | SeerrDouble)
        data: dict[str, Any] = {}
        if isinstance(double, SeerrDouble):
            data[CONF_SEERR_SERVERS] = {
                f"{server.double.kind}:{server.id}": f"{server.double.name}_entry"
                for server in double.servers
            }
        if name.endswith("4k"):
            data[CONF_TIER] = "4k"
        entry = self.entries[name] = self.house.add_service(double, options=options, data=data)
        return entry

    async def move_in(
        self, services: Iterable[str] = SERVICES, *, polling_only: bool = False
    ) -> None:
        """Set up the board and services; with webhooks, wait until each works."""
        self.house.add_board()
        for name in services:
            self.add(name, **({CONF_POLLING_ONLY: True} if polling_only else {}))
        await self.house.start()
        if not polling_only:
            for entry in self.entries.values():
                await self.house.proven(entry)
        await self.settle()
        # What the services date to the second must lie after the proof.
        self.clock.tick(2)

    async def settle(self) -> None:
        """Wait until everything that was sent is worked off, and every question answered."""
        questions = self.house.runtime.questions
        await self.stack.settle()
        await self.house.settle()
        while total := questions.total:
            await self.house.until(partial(self._fewer_questions, total), what="an answer")
            await self.stack.settle()
            await self.house.settle()

    def _fewer_questions(self, than: int) -> bool:
        return self.house.runtime.questions.total < than

    async def step(self, play: Play, *, seconds: float = 2.0) -> str | None:
        """Play one step; time passes."""
        self.clock.tick(seconds)
        stage = await play.step()
        await self.settle()
        return stage

    async def until(self, play: Play, stage: str | None) -> None:
        """Play until a stage is reached; ``None``: to the end."""
        while await self.step(play) != stage:
            assert not play.ended, f"{play.name} has no {stage}"

    async def play(self, story: str, *, poll: bool = False, **options: Any) -> None:
        """Play a story to its end; if asked to, look at the services after each step."""
        play = self.stack.play(story, speed=0, **options)
        while await self.step(play) is not None:
            if poll:
                await self.poll()
        if poll:
            await self.poll()

    async def poll(self) -> None:
        """Look at every service."""
        for entry in self.entries.values():
            await self.house.poll(entry)
        await self.settle()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, with all timers that are due."""
        self.clock.tick(seconds)
        async_fire_time_changed(self.house.hass, dt_util.utcnow() + timedelta(seconds=1))
        await self.settle()

    def stages(self) -> dict[tuple[str, str], str]:
        """Return where each arrival stands, by title and tier."""
        board = self.house.runtime.board
        return {
            (board.title(arrival.title_id).name or "?", arrival.tier.value): arrival.stage.value
            for arrival in board.arrivals()
        }

    def told(self) -> dict[tuple[str, str], list[str]]:
        """Return what was told of each arrival, in its order."""
        board = self.house.runtime.board
        found: dict[tuple[str, str], list[str]] = {}
        for event in self.events:
            arrival = board.get(event.data["arrival_id"])
            assert arrival is not None
            key = (board.title(arrival.title_id).name or "?", arrival.tier.value)
            found.setdefault(key, []).append(event.data["stage"])
        return found

    def asked(self, path: str) -> int:
        """Return how often we asked services for something."""
        return sum(
            call.path.endswith(path)
            for double in self.stack.services.values()
            for call in double.calls
        )

    def received(self) -> int:
        """Return how many deliveries came."""
        return sum(self.house.record(entry).received for entry in self.entries.values())

    def missed(self) -> dict[str, int]:
        """Return how many deliveries each service's webhook is known to have lost."""
        return {name: self.house.record(entry).missed for name, entry in self.entries.items()}
