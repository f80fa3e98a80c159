"""Home Assistant is down for a day: what happened is told once, as it ended, and as late."""

from datetime import timedelta
from typing import Any

from aiohttp.test_utils import TestClient
from freezegun.api import TickingDateTimeFactory
from homeassistant import loader
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_test_home_assistant
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from simulator import Stack
from tests.house import House
from tests.stories.family import Family

BEFORE = {
    ("Amber Ferry", "hd"): "requested",
    ("Tide House", "hd"): "downloading",
    ("Scarlet Corridor", "hd"): "requested",
    ("Paper Lantern", "hd"): "available",
    ("Quiet Waltz", "hd"): "requested",
}
AFTER = BEFORE | {
    ("Amber Ferry", "hd"): "available",
    ("Tide House", "hd"): "available",
    ("Scarlet Corridor", "hd"): "declined",
    ("Restless Comet", "hd"): "available",
    ("Restless Comet", "4k"): "available",
}


async def test_a_day_without_home_assistant_is_told_at_its_end(
    house: House,
    hass: HomeAssistant,
    stack: Stack,
    clock: TickingDateTimeFactory,
    aiohttp_client: ClientSessionGenerator,
) -> None:
    plays = {
        name: stack.play(name.partition(" ")[0], speed=0, title=title)
        for name, title in {
            "film": "Amber Ferry",
            "season": "Tide House",
            "declined": "Scarlet Corridor",
            "film that arrives": "Paper Lantern",
            "waiting": "Quiet Waltz",
        }.items()
    }
    async with async_test_home_assistant(config_dir=hass.config.config_dir) as earlier:
        earlier.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        assert await async_setup_component(earlier, "http", {})
        # As Home Assistant's own server does: endpoints may be registered while it runs.
        earlier.http.app._router.freeze = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
        client: TestClient[Any, Any] = await aiohttp_client(earlier.http.app)
        earlier.config.internal_url = str(client.make_url("")).rstrip("/")
        yesterday = Family(House(earlier, stack, client), clock)
        await yesterday.move_in()
        for name in ("film", "declined", "waiting"):
            await yesterday.step(plays[name])
        await yesterday.until(plays["season"], "downloading")
        await yesterday.until(plays["film that arrives"], None)
        assert yesterday.stages() == BEFORE
        for entry in earlier.config_entries.async_entries():
            await earlier.config_entries.async_unload(entry.entry_id)
        await earlier.async_stop(force=True)
        await client.close()

    clock.tick(timedelta(hours=2))
    for name in ("film", "season", "declined"):
        await plays[name].finish()
        await stack.settle()
        clock.tick(timedelta(hours=4))
    await stack.play("copy_4k", speed=0, title="Restless Comet").finish()
    await stack.settle()
    clock.tick(timedelta(hours=10))

    today = Family(house, clock)
    hass.set_state(CoreState.not_running)
    house.add_board()
    for name in yesterday.entries:
        today.add(name)
    await house.start()
    await today.settle()
    assert today.events == []

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await today.settle()

    assert today.stages() == AFTER
    assert today.told() == {
        key: [stage] for key, stage in AFTER.items() if BEFORE.get(key) != stage
    }
    assert all(event.data["late"] for event in today.events)
    for entry in today.entries.values():
        await house.proven(entry)
    told = len(today.events)
    await today.poll()
    assert len(today.events) == told
