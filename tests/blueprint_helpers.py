"""Automations from the blueprints that ship, and the phones that they notify."""

from collections.abc import Iterator, Mapping
from typing import Any

from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component

from custom_components.media_arrivals.const import DOMAIN


class Phone:
    """A phone with the app, as far as a household sees it."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        self.name = name
        self.got: list[Mapping[str, Any]] = []
        hass.services.async_register(NOTIFY_DOMAIN, name, self._notified)

    async def _notified(self, call: ServiceCall) -> None:
        self.got.append(dict(call.data))

    @property
    def messages(self) -> list[str]:
        """Return what it was told, in order, questions that were cleared included."""
        return [one["message"] for one in self.got if one["message"] != "clear_notification"]

    @property
    def shown(self) -> dict[str, Mapping[str, Any]]:
        """Return what it shows now, by tag."""
        shown: dict[str, Mapping[str, Any]] = {}
        for one in self.got:
            tag = one["data"]["tag"]
            if one["message"] == "clear_notification":
                shown.pop(tag, None)
            else:
                shown[tag] = one
        return shown

    def buttons(self) -> Iterator[str]:
        """Yield the buttons of what is shown."""
        for one in self.shown.values():
            for button in one["data"].get("actions", ()):
                yield button["action"]


async def use(hass: HomeAssistant, blueprint: str, **inputs: Any) -> None:
    """Set an automation up from a blueprint, by Home Assistant's own machinery."""
    config = {
        "id": blueprint,
        "alias": blueprint,
        "use_blueprint": {"path": f"{DOMAIN}/{blueprint}.yaml", "input": inputs},
    }
    assert await async_setup_component(hass, AUTOMATION_DOMAIN, {AUTOMATION_DOMAIN: [config]})
    await hass.async_block_till_done()
    state = hass.states.get(f"automation.{blueprint}")
    assert state is not None
    assert state.state == "on"
