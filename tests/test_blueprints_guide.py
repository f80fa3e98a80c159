"""The guide has an example of each blueprint, and Home Assistant accepts it."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.media_arrivals.const import DOMAIN
from custom_components.media_arrivals.shipping import SHIPPED
from tests.entity_helpers import set_up_home

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "blueprints.md").read_text(encoding="utf-8")
EXAMPLES: list[dict[str, Any]] = [
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
]
NAMES = {path.name for path in SHIPPED.glob("*.yaml")}


def path_of(example: dict[str, Any]) -> str:
    return str(example["use_blueprint"]["path"])


@pytest.mark.parametrize("example", EXAMPLES, ids=path_of)
async def test_home_assistant_accepts_the_example(
    hass: HomeAssistant, example: dict[str, Any]
) -> None:
    await set_up_home(hass)
    assert await async_setup_component(hass, AUTOMATION_DOMAIN, {})
    config = {"id": "one", "alias": "One", **example}
    valid = await async_validate_config_item(hass, AUTOMATION_DOMAIN, config)
    assert valid is not None
    assert valid.validation_error is None
    known = yaml.safe_load(re.sub(r"!input", "", (SHIPPED.parent / path_of(example)).read_text()))
    inputs = known["blueprint"]["input"]
    assert example["use_blueprint"]["input"].keys() <= {*inputs, *inputs["texts"]["input"]}


def test_there_is_an_example_and_a_link_for_each() -> None:
    assert {path_of(one) for one in EXAMPLES} == {f"{DOMAIN}/{name}" for name in NAMES}
    readme = unquote((ROOT / "README.md").read_text(encoding="utf-8"))
    manifest = (SHIPPED.parents[2] / "manifest.json").read_text(encoding="utf-8")
    found = re.findall(r"blueprint_url=(\S+?)/blob/main/(\S+)\)", readme)
    assert {path for _, path in found} == {
        str((SHIPPED / name).relative_to(ROOT)) for name in NAMES
    }
    assert all(f'"{repository}"' in manifest for repository, _ in found)
