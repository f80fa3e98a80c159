"""Fixtures for whole stories."""

import time
from collections.abc import Iterator

import pytest
from freezegun import freeze_time
from freezegun.api import TickingDateTimeFactory

from custom_components.media_arrivals import worker
from custom_components.media_arrivals.engine.connectors.arr.client import ArrClient
from custom_components.media_arrivals.engine.connectors.http import JsonClient
from tests.house import House
from tests.stories.family import Family


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[TickingDateTimeFactory]:
    """Let time flow as it does, and jump when a story says so."""
    with freeze_time(tick=True) as factory:
        assert isinstance(factory, TickingDateTimeFactory)
        # What was bound before time was in our hands would not agree with the services' time.
        for client in (JsonClient, ArrClient):
            defaults = client.__init__.__kwdefaults__
            assert defaults is not None
            monkeypatch.setitem(defaults, "clock", time.time)
        step = worker._Step  # noqa: SLF001
        monkeypatch.setattr(worker, "_Step", lambda now=None: step(now=now or time.time()))
        yield factory


@pytest.fixture
def family(clock: TickingDateTimeFactory, house: House, monkeypatch: pytest.MonkeyPatch) -> Family:
    """Return a household before it moves in; services are polled only when a story says so."""
    monkeypatch.setattr("custom_components.media_arrivals.coordinator.HINT_PAUSE", 3600.0)
    # How fast a burst is worked off is shown where the worker is tested.
    monkeypatch.setattr(worker, "PACE", 100_000.0)
    return Family(house, clock)
