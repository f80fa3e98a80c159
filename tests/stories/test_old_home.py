"""A home that has existed for years: it is taken over without a word, and without a flood."""

from collections import Counter
from itertools import permutations

import pytest
from homeassistant.components.persistent_notification import _async_get_or_create_notifications
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from tests.stories.family import SERVICES, Family

FILMS, SHOWS, REQUESTS = 3000, 200, 300

ORDERS = sorted(permutations(SERVICES))[::8]

BOARD = {"requested": 15, "sent": 27, "downloading": 4, "available": 7, "declined": 1}
"""Open requests, open downloads, and what was finished in the last 30 days."""

MORE_CALLS = 20
"""Allowed for each service, beside one for each arrival on the board."""

WHOLE_LIBRARY = {"/api/v3/movie", "/api/v3/series"}
"""Without a title's id in the query, these answer everything that there is."""


@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
async def test_an_old_home_is_taken_over_silently(
    family: Family, hass: HomeAssistant, order: tuple[str, ...]
) -> None:
    family.stack.fill_library(films=FILMS, shows=SHOWS, requests=REQUESTS)
    family.house.add_board()
    await family.house.start()

    for name in order:
        entry = family.add(name)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await family.house.proven(entry)
        await family.settle()
    await family.poll()

    assert family.events == []
    assert _async_get_or_create_notifications(hass) == {}
    assert not ir.async_get(hass).issues
    assert Counter(arrival.stage for arrival in family.house.runtime.board.arrivals()) == BOARD

    for name, double in family.stack.services.items():
        assert len(double.calls) <= sum(BOARD.values()) + MORE_CALLS, name
        assert WHOLE_LIBRARY.isdisjoint(call.path for call in double.calls)

    waiting = hass.states.get("sensor.media_arrivals_waiting_for_approval")
    progress = hass.states.get("sensor.media_arrivals_download_progress")
    assert waiting is not None
    assert int(waiting.state) == BOARD["requested"]
    assert progress is not None
    assert 10 < float(progress.state) < 85  # three films at 10, 50 and 85 %, a pack at 30 %
    last = hass.states.get("event.media_arrivals_arrivals")
    assert last is not None
    assert last.state == "unknown"
