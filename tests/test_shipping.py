"""Blueprints get to where Home Assistant offers them, and what people did with them is theirs."""

from pathlib import Path
from typing import Any

import pytest
from homeassistant.components.automation import EVENT_AUTOMATION_RELOADED
from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.media_arrivals import shipping
from custom_components.media_arrivals.const import CONF_BLUEPRINTS, CONF_BLUEPRINTS_WRITTEN, DOMAIN
from custom_components.media_arrivals.shipping import SHIPPED
from tests.blueprint_helpers import use
from tests.entity_helpers import Home, board_entry, set_up_home

NAMES = {path.name for path in SHIPPED.glob("*.yaml")}
ONE = "tell_available.yaml"


def folder(hass: HomeAssistant) -> Path:
    return Path(hass.config.path("blueprints", "automation", DOMAIN))


def there(hass: HomeAssistant) -> set[str]:
    return {path.name for path in folder(hass).glob("*")}


async def switch(home: Home, *, on: bool) -> None:
    """Change the board's option."""
    hass, entry = home.hass, home.board_entry
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    with home.answering():
        await hass.config_entries.options.async_configure(flow["flow_id"], {CONF_BLUEPRINTS: on})
        await hass.async_block_till_done()


async def again(home: Home) -> None:
    """Set the board up again, as at the next start."""
    with home.answering():
        await home.hass.config_entries.async_reload(home.board_entry.entry_id)
        await home.hass.async_block_till_done()


@pytest.fixture
async def home(hass: HomeAssistant) -> Home:
    return await set_up_home(hass)


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let there be a next version, which has one other blueprint and one less."""
    for name in NAMES - {"weekly_digest.yaml"}:
        text = (SHIPPED / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text + "\n# next\n" if name == ONE else text, encoding="utf-8")
    monkeypatch.setattr(shipping, "SHIPPED", tmp_path)
    return tmp_path


async def test_home_assistant_offers_all_of_them(home: Home) -> None:
    assert await async_setup_component(home.hass, AUTOMATION_DOMAIN, {})
    offered: dict[str, Any] = await async_get_blueprints(home.hass).async_get_blueprints()
    ours = {path: one for path, one in offered.items() if path.startswith(f"{DOMAIN}/")}
    assert ours.keys() == {f"{DOMAIN}/{name}" for name in NAMES}
    assert NAMES
    for one in ours.values():
        assert isinstance(one, Blueprint)
        assert one.validate() is None
    # Home Assistant's own examples come only where there is no folder yet.
    assert any(path.startswith("homeassistant/") for path in offered)


async def test_a_changed_copy_is_never_touched(home: Home, newer: Path) -> None:
    mine = "# mine\n"
    (folder(home.hass) / ONE).write_text(mine, encoding="utf-8")
    await again(home)
    assert (folder(home.hass) / ONE).read_text(encoding="utf-8") == mine
    await switch(home, on=False)
    assert there(home.hass) == {ONE}
    await switch(home, on=True)
    assert (folder(home.hass) / ONE).read_text(encoding="utf-8") == mine


async def test_an_unchanged_copy_is_updated_and_one_that_is_no_more_goes(
    home: Home, newer: Path
) -> None:
    await again(home)
    assert (folder(home.hass) / ONE).read_text(encoding="utf-8").endswith("# next\n")
    assert there(home.hass) == NAMES - {"weekly_digest.yaml"}
    assert home.board_entry.data[CONF_BLUEPRINTS_WRITTEN].keys() == there(home.hass)


async def test_automations_go_on_with_the_new_version(home: Home, newer: Path) -> None:
    await use(home.hass, "tell_available")
    text = (newer / ONE).read_text(encoding="utf-8")
    (newer / ONE).write_text(text.replace("max: 50", "max: 51"), encoding="utf-8")
    (folder(home.hass).parents[2] / "configuration.yaml").write_text("", encoding="utf-8")
    reloads = async_capture_events(home.hass, EVENT_AUTOMATION_RELOADED)
    await again(home)
    assert len(reloads) == 1
    blueprint = await async_get_blueprints(home.hass).async_get_blueprint(f"{DOMAIN}/{ONE}")
    assert blueprint.data["max"] == 51


async def test_a_removed_copy_stays_removed_until_it_is_asked_for_again(
    home: Home, newer: Path
) -> None:
    (folder(home.hass) / ONE).unlink()
    await again(home)
    assert ONE not in there(home.hass)
    await switch(home, on=False)
    await switch(home, on=True)
    assert ONE in there(home.hass)


async def test_what_somebody_else_put_there_is_theirs(hass: HomeAssistant) -> None:
    folder(hass).mkdir(parents=True)
    (folder(hass) / ONE).write_text("# theirs\n", encoding="utf-8")
    home = await set_up_home(hass)
    assert there(hass) == NAMES
    await switch(home, on=False)
    assert there(hass) == {ONE}


async def test_one_that_an_automation_uses_stays(home: Home) -> None:
    await use(home.hass, "tell_available")
    await switch(home, on=False)
    assert there(home.hass) == {ONE}
    await switch(home, on=True)
    assert there(home.hass) == NAMES


async def test_they_go_with_the_last_service(home: Home) -> None:
    for entry in home.entries.values():
        assert there(home.hass) == NAMES
        with home.answering():
            await home.hass.config_entries.async_remove(entry.entry_id)
            await home.hass.async_block_till_done()
    assert not folder(home.hass).exists()


async def test_switched_off_nothing_is_written(hass: HomeAssistant) -> None:
    await set_up_home(hass, board=board_entry(**{CONF_BLUEPRINTS: False}))
    assert not folder(hass).exists()


async def test_a_folder_that_cannot_be_written_is_said_and_no_more(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    folder(hass).parent.mkdir(parents=True)
    folder(hass).write_text("a file, where a folder should be", encoding="utf-8")
    home = await set_up_home(hass)
    assert "The blueprints could not be put in their place" in caplog.text
    assert home.board_entry.state is ConfigEntryState.LOADED
