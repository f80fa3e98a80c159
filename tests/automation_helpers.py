"""Automations as the editor writes them, and what they do."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import probatio
import yaml
from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.media_arrivals.engine.board.models import AnyReport
from tests.engine.board.household import NOON
from tests.entity_helpers import Home

RAN = "automation_ran"

ACTIONS: list[dict[str, Any]] = [
    {"event": RAN, "event_data": {"trigger": "{{ trigger }}"}},
]


class Runs:
    """What an automation did."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    @property
    def triggers(self) -> list[Mapping[str, Any]]:
        """Return what it got to know, each time."""
        return [event.data["trigger"] for event in self.events]

    @property
    def last(self) -> Mapping[str, Any]:
        """Return what it got to know the last time."""
        return self.triggers[-1]

    @property
    def titles(self) -> list[str]:
        """Return the titles that it ran for."""
        return [trigger["arrival"]["title"] for trigger in self.triggers]


async def automate(hass: HomeAssistant, text: str, name: str = "Told") -> Runs:
    """Set up an automation from the YAML of its triggers and conditions."""
    config = {"id": name.lower(), "alias": name, "actions": ACTIONS, **yaml.safe_load(text)}
    runs = Runs(async_capture_events(hass, RAN))
    assert await async_setup_component(hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: [config]})
    await hass.async_block_till_done()
    state = hass.states.get(f"automation.{name.lower()}")
    assert state is not None
    assert state.state == "on"
    return runs


async def refusal(hass: HomeAssistant, text: str) -> str | None:
    """Return why the editor does not save an automation; ``None`` if it does."""
    config = {"id": "told", "alias": "Told", "actions": ACTIONS, **yaml.safe_load(text)}
    try:
        await async_validate_config_item(hass, AUTOMATION_DOMAIN, config)
    except (probatio.Invalid, HomeAssistantError) as err:
        return str(err)
    return None


async def hear(home: Home, *reports: AnyReport, silent: bool = False) -> None:
    """Have services report what happened just now. The household's own noon is long ago."""
    shift = time.time() - NOON - 60
    await home.hear(
        *(
            replace(report, at=report.at + shift, happened_at=report.happened_at + shift)
            for report in reports
        ),
        silent=silent,
    )
