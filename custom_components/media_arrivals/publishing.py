"""Publishes what changed: to entities at once, to people once Home Assistant has started."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import SIGNAL_BOARD, SIGNAL_CHANGE
from .engine.board.board import Board
from .engine.board.models import Change
from .engine.storage.codec import UNREADABLE
from .faults import log_fault
from .outbox import Watermark, coalesce, from_outbox, to_outbox

_LOGGER = logging.getLogger(__name__)

BREATH: Final = 0.005
"""Seconds of work after which others have their turn."""


class Breather:
    """Lets the event loop go on now and then during long work."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def breathe(self) -> None:
        """Let others have their turn if it has been long."""
        if time.perf_counter() - self._since > BREATH:
            await asyncio.sleep(0)
            self._since = time.perf_counter()


class Publisher:
    """Sends changes out, each of those that are told exactly once.

    What is about to be told is stored with the change itself (the outbox), and the number of
    what was told last is noted beside it: after a crash exactly the rest is told.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.holding = True
        """Home Assistant is starting: what is to be told waits, to become one story each."""
        self._held: list[Change] = []
        self._number = 0
        self._watermark: Watermark | None = None
        self._outbox_filled = False

    async def open(self, path: Path) -> None:
        """Find out what was told last. Where files cannot be mapped, go without."""
        with suppress(OSError):
            self._watermark = await asyncio.to_thread(Watermark.open, path)

    async def close(self) -> None:
        """Let go of the file."""
        if (watermark := self._watermark) is not None:
            self._watermark = None
            await asyncio.to_thread(watermark.close)

    def restore(self, outbox: Mapping[str, Any], board: Board) -> None:
        """Take up again what was not told before the end."""
        self._outbox_filled = True
        told = self._number = self._watermark.number if self._watermark is not None else 0
        try:
            untold, self._number = from_outbox(outbox, told, board)
        except UNREADABLE as err:
            # Another version's: a start without it is better than none.
            log_fault(_LOGGER, "taking up what was not told yet", err)
            return
        self._held.extend(untold)

    def outbox(
        self, changes: Sequence[Change], named: Collection[str] = ()
    ) -> dict[str, Any] | None:
        """Return what is to be stored together with these changes; ``None`` if nothing is.

        ``named`` are the viewers who may be named when it is told.
        """
        told = [change for change in changes if change.told]
        if self.holding:
            told = [*self._held, *told]
        if not told and not self._outbox_filled:
            return None
        self._outbox_filled = bool(told)
        return to_outbox(told, self._number + 1, named)

    async def publish(self, changes: Sequence[Change]) -> None:
        """Send changes out."""
        breather = Breather()
        for change in changes:
            if change.told and self.holding:
                self._held.append(change)
                async_dispatcher_send(self.hass, SIGNAL_CHANGE, replace(change, silent=True))
            else:
                async_dispatcher_send(self.hass, SIGNAL_CHANGE, change)
            if change.told and not self.holding:
                self._number += 1
                if self._watermark is not None:
                    self._watermark.number = self._number
            await breather.breathe()
        if changes:
            async_dispatcher_send(self.hass, SIGNAL_BOARD)

    def screen(self, viewer: Callable[[str], str | None]) -> None:
        """Call those otherwise of whom is still to be told that they watched, or tell nothing."""
        kept = []
        for change in self._held:
            if (watch := change.watch) is None:
                kept.append(change)
            elif (name := viewer(watch.viewer)) is not None:
                kept.append(replace(change, watch=replace(watch, viewer=name)))
        self._held = kept

    def let_go(self, board: Board) -> tuple[Change, ...]:
        """Hold nothing back any more; return what waited, one change per arrival."""
        self.holding = False
        changes = coalesce(self._held, board)
        self._held.clear()
        return changes
