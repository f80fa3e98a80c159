"""Mending a webhook from the repairs, over Home Assistant's HTTP API."""

import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.components import cloud
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import registration
from custom_components.media_arrivals.const import (
    CONF_ALLOW_CLOUD,
    CONF_CALLBACK_URL,
    CONF_LOCAL_ONLY,
    CONF_MANUAL_WEBHOOK,
    CONF_POLLING_ONLY,
    CONF_TAKE_OVER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from custom_components.media_arrivals.guides import by_hand_url
from custom_components.media_arrivals.runtime import ServiceRecord, WebhookHealth
from tests.flow_helpers import REPAIRS, Flow
from tests.house import House

CLOSED = "http://127.0.0.1:9"


@pytest.fixture
async def repairs_api(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set up repairs. Views may come later, as in Home Assistant's own server."""
    monkeypatch.setattr(registration, "ARRIVAL_SECONDS", 0.3)
    assert await async_setup_component(hass, "repairs", {})
    hass.http.app.router.freeze = lambda: None  # type: ignore[method-assign]


@pytest.fixture
async def admin(
    hass: HomeAssistant, repairs_api: None, house: House, hass_client: ClientSessionGenerator
) -> AsyncIterator[TestClient[Any, Any]]:
    """Return a client of Home Assistant's API; at the end all entries are unloaded."""
    yield await hass_client()
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


async def broken(
    house: House, kind: str = "radarr", *, options: dict[str, Any] | None = None
) -> tuple[MockConfigEntry, ServiceRecord, str]:
    """Set up a service whose webhook does not work, and return a working address."""
    working = str(house.hass.config.internal_url)
    house.hass.config.internal_url = CLOSED
    house.add_board()
    entry = house.add_service(getattr(house.stack, kind), options=options or {})
    await house.start()
    record = house.record(entry)
    await house.until(lambda: record.webhook is WebhookHealth.FAILED, what="a broken webhook")
    return entry, record, working


async def begin(admin: TestClient[Any, Any], entry: MockConfigEntry) -> Flow:
    flow = await Flow.begin(admin, REPAIRS, handler=DOMAIN, issue_id=f"webhook_{entry.entry_id}")
    assert flow.last["step_id"] == "remedy"
    return flow


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"webhook_{entry.entry_id}")


def remedies(flow: Flow) -> list[str]:
    options: list[str] = flow.field("remedy")["selector"]["select"]["options"]
    return options


async def test_another_address(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any]
) -> None:
    entry, record, working = await broken(house)
    flow = await begin(admin, entry)
    assert remedies(flow) == ["retry", "address", "manual", "polling_only"]
    assert flow.last["description_placeholders"]["address"] == CLOSED
    await flow.send({"remedy": "address"})
    assert flow.last["errors"] == {CONF_CALLBACK_URL: "invalid_url"}
    await flow.send({"remedy": "address", CONF_CALLBACK_URL: "http://nowhere.example:1"})
    assert flow.last["errors"] == {"base": "still_failing"}
    # It is the typed address now that is tried first, and fails in another way.
    assert flow.last["description_placeholders"]["address"] == "http://nowhere.example:1"
    assert flow.suggested(CONF_CALLBACK_URL) == "http://nowhere.example:1"
    found = issue(hass, entry)
    assert found is not None
    assert found.translation_key == "webhook_name_not_found"
    await flow.send({"remedy": "address", CONF_CALLBACK_URL: f"{working}/"})
    assert flow.last["type"] == "create_entry"
    assert entry.options[CONF_CALLBACK_URL] == working
    assert record.webhook is WebhookHealth.WORKING
    assert issue(hass, entry) is None


async def test_a_guessed_address_is_offered(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any]
) -> None:
    entry, _, _ = await broken(house)
    with patch.object(
        registration, "get_supervisor_network_url", return_value="http://homeassistant:8123"
    ):
        flow = await begin(admin, entry)
    assert flow.suggested(CONF_CALLBACK_URL) == "http://homeassistant:8123"


async def test_trying_again(hass: HomeAssistant, house: House, admin: TestClient[Any, Any]) -> None:
    entry, record, working = await broken(house)
    flow = await begin(admin, entry)
    await flow.send({"remedy": "retry"})
    assert flow.last["errors"] == {"base": "still_failing"}
    hass.config.internal_url = working
    await flow.send({"remedy": "retry"})
    assert flow.last["type"] == "create_entry"
    assert record.webhook is WebhookHealth.WORKING
    assert issue(hass, entry) is None


async def test_a_service_that_is_down_now(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any]
) -> None:
    entry, record, working = await broken(house)
    await house.stack.radarr.go_down()
    flow = await begin(admin, entry)
    await flow.send({"remedy": "address", CONF_CALLBACK_URL: working})
    assert flow.last["errors"] == {"base": "service_silent"}
    assert entry.options[CONF_CALLBACK_URL] == working
    assert record.webhook is WebhookHealth.FAILED


async def test_taking_over_the_slot(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any]
) -> None:
    house.stack.seerr.webhook["enabled"] = True
    house.stack.seerr.webhook["options"]["webhookUrl"] = "http://bot.home/hook"
    entry, record, working = await broken(house, "seerr")
    hass.config.internal_url = working
    flow = await begin(admin, entry)
    # Another address would not help: the slot is taken.
    assert remedies(flow) == ["retry", "take_over", "manual", "polling_only"]
    assert [one["name"] for one in flow.last["data_schema"]] == ["remedy"]
    await flow.send({"remedy": "take_over"})
    assert flow.last["type"] == "create_entry"
    assert entry.options[CONF_TAKE_OVER]
    assert record.webhook is WebhookHealth.WORKING
    url = house.stack.seerr.webhook["options"]["webhookUrl"]
    assert url.endswith(entry.data[CONF_WEBHOOK_ID])


async def test_the_remedies_follow_the_cause(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any]
) -> None:
    house.stack.seerr.csrf_protection = True
    entry, _, _ = await broken(house, "seerr")
    flow = await begin(admin, entry)
    assert remedies(flow) == ["retry", "manual", "polling_only"]
    house.stack.seerr.csrf_protection = False
    await flow.send({"remedy": "retry"})
    assert flow.last["errors"] == {"base": "still_failing"}
    assert remedies(flow) == ["retry", "address", "manual", "polling_only"]


@pytest.mark.parametrize(
    ("subscribed", "options", "offered"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {CONF_ALLOW_CLOUD: True}, False),
        (True, {CONF_LOCAL_ONLY: True}, False),
    ],
)
async def test_the_cloud(
    hass: HomeAssistant,
    house: House,
    admin: TestClient[Any, Any],
    subscribed: bool,
    options: dict[str, Any],
    offered: bool,
) -> None:
    with (
        patch.object(cloud, "async_active_subscription", return_value=subscribed),
        patch.object(
            cloud, "async_get_or_create_cloudhook", side_effect=cloud.CloudNotConnected
        ) as create,
    ):
        entry, record, working = await broken(house, options=options)
        flow = await begin(admin, entry)
        assert ("cloud" in remedies(flow)) is offered
        if not offered:
            return
        create.side_effect = None
        create.return_value = f"{working}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
        await flow.send({"remedy": "cloud"})
        assert flow.last["type"] == "create_entry"
    assert entry.options[CONF_ALLOW_CLOUD]
    assert record.webhook is WebhookHealth.WORKING


async def test_by_hand(hass: HomeAssistant, house: House, admin: TestClient[Any, Any]) -> None:
    entry, record, _ = await broken(house)
    flow = await begin(admin, entry)
    await flow.send({"remedy": "manual"})
    assert flow.last["step_id"] == "manual"
    values = flow.last["description_placeholders"]["values"]
    assert f"{CLOSED}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}" in values
    assert entry.data[CONF_WEBHOOK_SECRET] in values
    assert flow.last["description_placeholders"]["guide"] == by_hand_url("radarr")
    assert not entry.options.get(CONF_MANUAL_WEBHOOK)
    await flow.send({})
    assert flow.last["type"] == "create_entry"
    assert entry.options[CONF_MANUAL_WEBHOOK]
    assert issue(hass, entry) is None
    assert record.webhook is WebhookHealth.UNPROVEN
    assert (await house.post(entry, {"eventType": "Test"})).status == 200
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="proven by hand")


@pytest.mark.parametrize("down", [False, True])
async def test_without_a_webhook(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any], down: bool
) -> None:
    entry, record, _ = await broken(house)
    if down:
        await house.stack.radarr.go_down()
    flow = await begin(admin, entry)
    await flow.send({"remedy": "polling_only"})
    assert flow.last["type"] == "create_entry"
    assert entry.options[CONF_POLLING_ONLY]
    assert record.webhook is WebhookHealth.POLLING_ONLY
    assert issue(hass, entry) is None


async def test_an_entry_that_is_not_loaded_keeps_the_choice_for_later(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any]
) -> None:
    entry, _, working = await broken(house)
    await hass.config_entries.async_unload(entry.entry_id)
    flow = await begin(admin, entry)
    await flow.send({"remedy": "address", CONF_CALLBACK_URL: working})
    assert flow.last["type"] == "create_entry"
    assert entry.options[CONF_CALLBACK_URL] == working
    assert await hass.config_entries.async_setup(entry.entry_id)
    record = house.record(entry)
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="works")


async def test_an_ignored_issue_of_another_kind_has_no_flow(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any]
) -> None:
    await broken(house)
    answer = await admin.post(REPAIRS, json={"handler": DOMAIN, "issue_id": "webhook_gone"})
    assert answer.status >= 400
    assert "webhook_gone" in json.dumps(await answer.json())
