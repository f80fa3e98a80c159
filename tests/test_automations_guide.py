"""The examples for automations are what Home Assistant accepts, and there is one of each."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals.condition import CONDITIONS
from custom_components.media_arrivals.const import CONF_REQUESTER_NAMES, CONF_WATCH_DATA, DOMAIN
from custom_components.media_arrivals.engine.board.models import Decision
from custom_components.media_arrivals.privacy import Requesters, Watching
from custom_components.media_arrivals.trigger import TRIGGERS
from tests.automation_helpers import automate, hear, refusal
from tests.engine.board.household import FILM, request
from tests.entity_helpers import board_entry, set_up_home
from tests.persons import map_person

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "automations.md"
GUIDES = (
    GUIDE,
    *sorted(path for path in ROOT.glob("docs/*.md") if path != GUIDE),
    ROOT / "README.md",
)
FOLDER = f"custom_components/{DOMAIN}"
SERVICE = "01JZ0000000000000000000000"
"""The service of the examples."""


def told_everything() -> MockConfigEntry:
    """Make a board that names everybody."""
    return board_entry(
        **{CONF_REQUESTER_NAMES: Requesters.EVERYBODY, CONF_WATCH_DATA: Watching.PER_PERSON}
    )


OF_STUCK = ("reason", "text", "message", "remedy", "since")


def examples() -> Iterator[Any]:
    """Yield the automations of all guides."""
    for guide in GUIDES:
        text = guide.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL), 1):
            if re.search(r"^triggers:", block, re.MULTILINE):
                yield pytest.param(block, id=f"{guide.stem}-{number}")


def used(data: Any, key: str) -> Iterator[str]:
    """Yield what stands anywhere under a key."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name == key and isinstance(value, str):
                yield value
            yield from used(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from used(value, key)


@pytest.mark.parametrize("example", examples())
async def test_home_assistant_accepts_the_example(hass: HomeAssistant, example: str) -> None:
    home = await set_up_home(hass, board=told_everything())
    map_person(hass, home.board_entry, "Mia", {"seerr": "1"})
    example = example.replace(SERVICE, "seerr")
    assert await refusal(hass, example) is None


def test_there_is_an_example_of_each() -> None:
    blocks = [
        yaml.safe_load(block)
        for block in re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert {f"{DOMAIN}.{key}" for key in TRIGGERS} <= set(used(blocks, "trigger"))
    assert {f"{DOMAIN}.{key}" for key in CONDITIONS} <= set(used(blocks, "condition"))


async def test_the_guide_names_every_variable_and_every_option(hass: HomeAssistant) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    home = await set_up_home(hass, board=told_everything())
    runs = await automate(hass, f"triggers: [{{trigger: {DOMAIN}.arrival_approved}}]")
    await hear(home, request(FILM, 0, Decision.APPROVED))
    own = {"id", "idx", "alias", "platform", "description"}
    for name in {
        *runs.last,
        "episodes",
        "request",
        "watched_by",
        "state",
        "cause",
        *OF_STUCK,
    } - own:
        assert f"`trigger.{name}`" in text, name
    for description in ("triggers", "conditions"):
        shown = yaml.safe_load((ROOT / FOLDER / f"{description}.yaml").read_text(encoding="utf-8"))
        for key, one in shown.items():
            for option in () if key.startswith(".") else one["fields"]:
                assert f"`{option}`" in text, option
