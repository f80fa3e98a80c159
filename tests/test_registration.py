"""The remote webhook against simulated services that call Home Assistant for real."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from homeassistant.components import cloud as cloud_component
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import instance_id, issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.dispatcher import async_dispatcher_send
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals import registration
from custom_components.media_arrivals.const import (
    CONF_ALLOW_CLOUD,
    CONF_ALLOWED_ADDRESSES,
    CONF_CALLBACK_URL,
    CONF_MANUAL_WEBHOOK,
    CONF_POLLING_ONLY,
    CONF_TAKE_OVER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    SIGNAL_RECORD,
)
from custom_components.media_arrivals.engine.connectors.base import (
    Connection,
    WebhookCause,
    WebhookError,
)
from custom_components.media_arrivals.engine.connectors.clients import make_client
from custom_components.media_arrivals.registration import (
    Outcome,
    Registration,
    addresses,
    guessed_address,
)
from custom_components.media_arrivals.runtime import ServiceRecord, WebhookHealth
from simulator import Stack
from tests.entity_helpers import FakeClient
from tests.house import House
from tests.simulator.helpers import Receiver

NOWHERE = "http://nowhere.example:8123"
CLOSED = "http://127.0.0.1:9"
CLOUDHOOK = "https://hooks.nabu.casa/the-secret-part"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for tests that never arrive no longer than it takes one to arrive here."""
    monkeypatch.setattr(registration, "ARRIVAL_SECONDS", 0.3)


@pytest.fixture
async def receiver(socket_enabled: None) -> AsyncIterator[Receiver]:
    """Run somebody else's web server."""
    server = Receiver()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(autouse=True)
async def unloaded(hass: HomeAssistant) -> AsyncIterator[None]:
    """Unload all entries at the end."""
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


async def until(true: Callable[[], Any], what: str) -> None:
    """Wait for something that happens in real time."""
    for _ in range(400):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"It did not come to this: {what}")


async def begin(
    house: House,
    kind: str = "radarr",
    health: WebhookHealth | None = None,
    options: dict[str, Any] | None = None,
) -> tuple[MockConfigEntry, ServiceRecord]:
    """Set up a service and wait for what becomes of its webhook."""
    house.add_board()
    entry = house.add_service(getattr(house.stack, kind), options=options or {})
    await house.start()
    record = house.record(entry)
    if health is not None:
        await until(lambda: record.webhook is health, health)
    return entry, record


def health_of(record: ServiceRecord) -> WebhookHealth:
    """Return what is known now; it changes meanwhile."""
    return record.webhook


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"webhook_{entry.entry_id}")


def urls(stack: Stack, name: str = "radarr") -> list[str]:
    """Return what a Radarr calls."""
    return [str(row.values["url"]) for row in getattr(stack, name).connections.rows.values()]


def tests_sent(stack: Stack) -> int:
    """Return how many tests the Radarr sent."""
    return sum(one.delivery.event == "Test" for one in stack.radarr.sender.outcomes)


def webhook_of(entry: MockConfigEntry) -> Registration:
    found: Registration = entry.runtime_data.registration
    return found


# --- it goes ------------------------------------------------------------------------------------


async def test_a_service_that_is_removed_during_a_test_keeps_no_webhook(
    hass: HomeAssistant, house: House
) -> None:
    entry, _ = await begin(house, health=WebhookHealth.WORKING)
    found = webhook_of(entry)
    client = entry.runtime_data.client
    send = client.test_webhook

    async def removed_meanwhile(target: Any) -> None:
        await house.runtime.async_remove_service(entry.entry_id)
        await send(target)

    with (
        patch.object(client, "test_webhook", removed_meanwhile),
        patch.object(house.runtime, "async_expect_test", lambda _: hass.loop.create_future()),
        pytest.raises(HomeAssistantError) as failed,
    ):
        await found.async_test()

    assert failed.value.translation_key == "webhook_service_silent"
    assert urls(house.stack) == []
    assert issue(hass, entry) is None


# --- it works -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["radarr", "sonarr", "seerr"])
async def test_a_webhook_is_installed_and_proven(
    hass: HomeAssistant, house: House, kind: str
) -> None:
    entry, record = await begin(house, kind, WebhookHealth.WORKING)
    assert record.webhook_address == hass.config.internal_url
    assert record.webhook_cause is None
    assert record.proven_at is not None
    assert issue(hass, entry) is None
    assert record.events
    if kind == "seerr":
        assert house.stack.seerr.webhook["enabled"] is True
    else:
        assert urls(house.stack, kind) == [
            f"{hass.config.internal_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
        ]


async def test_two_services_of_a_kind_prove_their_own(hass: HomeAssistant, house: House) -> None:
    house.add_board()
    entries = [
        house.add_service(double, options={})
        for double in (house.stack.radarr, house.stack.radarr_4k)
    ]
    await house.stack.radarr_4k.go_down()
    await house.start()
    first, second = (house.runtime.records.get(entry.entry_id) for entry in entries)
    assert first is not None
    await until(lambda: first.webhook is WebhookHealth.WORKING, "the first works")
    assert second is None or second.webhook is WebhookHealth.UNPROVEN
    assert urls(house.stack, "radarr_4k") == []


async def test_after_a_reload_it_is_verified_and_not_made_again(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    before = tests_sent(house.stack)
    proven = record.proven_at
    assert await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: record.proven_at != proven, "proven again")
    assert health_of(record) is WebhookHealth.WORKING
    assert list(house.stack.radarr.connections.rows) == [1]
    assert tests_sent(house.stack) == before + 1


async def test_a_mute_is_lifted_by_the_test(
    hass: HomeAssistant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    (row,) = house.stack.radarr.connections.rows.values()
    row.level, row.muted_until = 3, house.stack.clock.now() + timedelta(hours=1)
    house.runtime.count(entry.entry_id, missed=1)
    async_dispatcher_send(hass, SIGNAL_RECORD.format(entry.entry_id))
    await asyncio.sleep(0.05)
    # Missed events are looked into, but no more often than every quarter of an hour.
    assert house.stack.radarr.connections.is_muted(row)
    monkeypatch.setattr(registration, "CHECK_SECONDS", 0)
    house.runtime.note(entry.entry_id, missed=record.missed + 1, version="x")
    await until(lambda: row.muted_until is None, "the mute is lifted")


async def test_a_mute_is_noticed_by_a_poll_and_lifted(hass: HomeAssistant, house: House) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    (row,) = house.stack.radarr.connections.rows.values()
    row.level, row.muted_until = 3, house.stack.clock.now() + timedelta(hours=1)
    healthy, proven = record.healthy_since, record.proven_at
    cursor = house.runtime.cursors[entry.entry_id]
    house.runtime.cursors[entry.entry_id] = {**cursor, "health_at": 0.0}

    await house.poll(entry)
    await until(lambda: row.muted_until is None, "the mute is lifted")

    await until(lambda: record.proven_at != proven, "proven again")
    assert health_of(record) is WebhookHealth.WORKING
    assert record.missed == 0
    assert record.healthy_since != healthy


async def test_what_the_user_changed_in_the_service_is_put_right(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    (row,) = house.stack.radarr.connections.rows.values()
    right = dict(row.values)
    row.values["url"], row.flags["onGrab"] = "http://elsewhere.example/x", False
    proven = record.proven_at
    webhook_of(entry).async_address_changed()
    await until(lambda: record.proven_at != proven, "proven again")
    (row,) = house.stack.radarr.connections.rows.values()
    assert row.values["url"] == right["url"]
    assert row.flags["onGrab"] is True


# --- why it does not work ---------------------------------------------------------------------


async def nothing(*_: Any) -> None:
    return


async def other_server(hass: HomeAssistant, receiver: Receiver, _: MockConfigEntry) -> None:
    hass.config.internal_url = receiver.url("").rstrip("/")


async def proxy(hass: HomeAssistant, receiver: Receiver, _: MockConfigEntry) -> None:
    hass.config.internal_url = receiver.url("").rstrip("/")
    receiver.status = 400


async def redirect(hass: HomeAssistant, receiver: Receiver, entry: MockConfigEntry) -> None:
    receiver.status = 301
    receiver.location = f"{hass.config.internal_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    hass.config.internal_url = receiver.url("").rstrip("/")


async def tls(hass: HomeAssistant, _: Receiver, __: MockConfigEntry) -> None:
    hass.config.internal_url = str(hass.config.internal_url).replace("http:", "https:")


def at(address: str | None) -> Callable[..., Awaitable[None]]:
    async def move(hass: HomeAssistant, _: Receiver, __: MockConfigEntry) -> None:
        hass.config.internal_url = address
        # Without an address of its own that it could find out.
        hass.config.api = None

    return move


async def keep_out(hass: HomeAssistant, _: Receiver, entry: MockConfigEntry) -> None:
    hass.config_entries.async_update_entry(entry, options={CONF_ALLOWED_ADDRESSES: ["10.9.8.7/32"]})


FAILURES = {
    WebhookCause.NAME_NOT_FOUND: at(NOWHERE),
    WebhookCause.REFUSED: at(CLOSED),
    WebhookCause.TIMEOUT: at("http://10.255.255.1:8123"),
    WebhookCause.CERTIFICATE: tls,
    WebhookCause.REDIRECT: redirect,
    WebhookCause.UNTRUSTED_PROXY: proxy,
    WebhookCause.NOT_ALLOWED: keep_out,
    WebhookCause.NOT_RECEIVED: other_server,
    WebhookCause.NO_ADDRESS: at(None),
}


@pytest.mark.parametrize(("cause", "spoil"), FAILURES.items(), ids=[str(one) for one in FAILURES])
async def test_each_cause_has_a_repair_that_goes_when_it_is_mended(
    hass: HomeAssistant,
    house: House,
    receiver: Receiver,
    cause: WebhookCause,
    spoil: Callable[..., Awaitable[None]],
) -> None:
    working = hass.config.internal_url
    house.add_board()
    entry = house.add_service(house.stack.radarr, options={})
    await spoil(hass, receiver, entry)
    await house.start()
    record = house.record(entry)
    # A redirect is seen at the door already; the registration then says where.
    where = None if cause is WebhookCause.NO_ADDRESS else hass.config.internal_url
    await until(lambda: issue(hass, entry) and record.webhook_address == where, "failed")
    assert health_of(record) is WebhookHealth.FAILED
    assert record.webhook_cause is cause
    assert record.proven_at is None
    assert record.events == ()
    found = issue(hass, entry)
    assert found is not None
    assert found.is_fixable
    assert found.translation_key == f"webhook_{cause}"
    said = found.translation_placeholders or {}
    assert said["service"] == "radarr"
    assert said["address"] == (hass.config.internal_url or "-")
    for secret in (entry.data[CONF_WEBHOOK_ID], entry.data[CONF_WEBHOOK_SECRET]):
        assert secret not in json.dumps(said)
        assert secret not in str(record)
    # No address that never worked is left in the service.
    assert urls(house.stack) == []
    # The service itself is fine, and polled.
    assert entry.state is ConfigEntryState.LOADED
    hass.config_entries.async_update_entry(entry, options={})
    await hass.config.async_update(internal_url=working)
    webhook_of(entry).async_address_changed()
    await until(lambda: record.webhook is WebhookHealth.WORKING, "mended")
    assert issue(hass, entry) is None
    assert not record.webhook_cause
    assert not record.webhook_detail


@pytest.fixture
def taken(house: House) -> dict[str, Any]:
    """Have somebody else's webhook in Seerr's only slot."""
    slot = house.stack.seerr.webhook
    slot["enabled"] = True
    slot["options"]["webhookUrl"] = "http://bot.home/hook"
    return {**slot, "options": {**slot["options"]}}


async def test_somebody_elses_slot_is_left_alone_until_the_user_says_so(
    hass: HomeAssistant, house: House, taken: dict[str, Any]
) -> None:
    hass.config.external_url = "http://127.0.0.1:1"
    entry, record = await begin(house, "seerr", WebhookHealth.FAILED)
    assert record.webhook_cause is WebhookCause.TAKEN
    found = issue(hass, entry)
    assert found is not None
    assert found.translation_key == "webhook_taken"
    assert house.stack.seerr.webhook == taken
    # A test pressed by the user takes nothing, either, and says why.
    with pytest.raises(HomeAssistantError) as error:
        await webhook_of(entry).async_test()
    assert error.value.translation_key == "webhook_taken"
    assert house.stack.seerr.webhook == taken
    hass.config_entries.async_update_entry(entry, options={CONF_TAKE_OVER: True})
    webhook_of(entry).async_address_changed()
    await until(lambda: record.webhook is WebhookHealth.WORKING, "taken over")
    assert entry.data[CONF_WEBHOOK_ID] in house.stack.seerr.webhook["options"]["webhookUrl"]


async def test_csrf_protection_is_named(hass: HomeAssistant, house: House) -> None:
    house.stack.seerr.csrf_protection = True
    entry, record = await begin(house, "seerr", WebhookHealth.FAILED)
    assert record.webhook_cause is WebhookCause.CSRF
    house.stack.seerr.csrf_protection = False
    webhook_of(entry).async_address_changed()
    await until(lambda: record.webhook is WebhookHealth.WORKING, "switched off")


async def test_seerr_does_not_say_why(hass: HomeAssistant, house: House) -> None:
    hass.config.internal_url = CLOSED
    entry, record = await begin(house, "seerr", WebhookHealth.FAILED)
    assert record.webhook_cause is WebhookCause.OTHER
    assert record.webhook_detail
    assert house.stack.seerr.webhook["options"]["webhookUrl"] == ""
    assert issue(hass, entry) is not None


async def test_a_test_that_swallows_itself_is_a_time_out(
    hass: HomeAssistant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "CALL_SECONDS", 0.2)
    house.stack.radarr.misbehave("hang", path="/api/v3/notification/test")
    _, record = await begin(house, health=WebhookHealth.FAILED)
    assert record.webhook_cause is WebhookCause.TIMEOUT
    house.stack.radarr.behave()


async def test_what_a_sender_repeats_is_not_told_on(hass: HomeAssistant, house: House) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    webhook_id, secret = entry.data[CONF_WEBHOOK_ID], entry.data[CONF_WEBHOOK_SECRET]
    words = f"POST at http://ha.home/api/webhook/{webhook_id} with {secret} failed " + "x" * 999
    refusal = WebhookError(WebhookCause.OTHER, words)
    with patch.object(entry.runtime_data.client, "install_webhook", side_effect=refusal):
        with pytest.raises(HomeAssistantError) as error:
            await webhook_of(entry).async_test()
        await until(lambda: record.webhook is WebhookHealth.FAILED, "failed")
    found = issue(hass, entry)
    assert found is not None
    for told in (error.value.translation_placeholders, found.translation_placeholders, record):
        assert "failed" in str(told)
        assert webhook_id not in str(told)
        assert secret not in str(told)
        assert len(str(told)) < 1500


# --- which address --------------------------------------------------------------------------------


async def test_the_first_address_that_works_wins_and_is_remembered(
    hass: HomeAssistant, house: House
) -> None:
    working = str(hass.config.internal_url)
    hass.config.internal_url, hass.config.external_url = CLOSED, working
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    assert record.webhook_address == working
    assert addresses(hass, entry) == (CLOSED, working)
    # From then on, what worked is tried first: Radarr would be blamed for the other.
    before = len(house.stack.radarr.sender.outcomes)
    proven = record.proven_at
    webhook_of(entry).async_address_changed()
    await until(lambda: record.proven_at != proven, "proven again")
    assert len(house.stack.radarr.sender.outcomes) == before + 1


async def test_what_the_user_typed_comes_first(hass: HomeAssistant, house: House) -> None:
    typed = str(hass.config.internal_url).replace("127.0.0.1", "localhost")
    entry, record = await begin(
        house, health=WebhookHealth.WORKING, options={CONF_CALLBACK_URL: typed}
    )
    assert record.webhook_address == typed
    assert addresses(hass, entry) == (typed, hass.config.internal_url)


async def test_all_addresses_fail_and_the_best_one_is_left(
    hass: HomeAssistant, house: House
) -> None:
    working = str(hass.config.internal_url)
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    hass.config.internal_url, hass.config.external_url = CLOSED, NOWHERE
    for health in (WebhookHealth.UNPROVEN, WebhookHealth.FAILED):
        # What worked until now gets a second chance before a repair is raised.
        assert issue(hass, entry) is None
        assert await webhook_of(entry).async_try() is Outcome.FAILED
        assert health_of(record) is health
    assert record.webhook_cause is WebhookCause.REFUSED
    found = issue(hass, entry)
    assert found is not None
    tried = (found.translation_placeholders or {})["tried"]
    assert CLOSED in tried
    assert NOWHERE in tried
    assert urls(house.stack) == [f"{CLOSED}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"]
    await hass.config.async_update(internal_url=working)
    await until(lambda: record.webhook is WebhookHealth.WORKING, "found again by itself")


async def test_only_a_change_of_address_counts(hass: HomeAssistant, house: House) -> None:
    _, record = await begin(house, health=WebhookHealth.WORKING)
    before = tests_sent(house.stack)
    await hass.config.async_update(time_zone="Europe/Berlin")
    await asyncio.sleep(0.05)
    assert tests_sent(house.stack) == before
    moved = str(hass.config.internal_url).replace("127.0.0.1", "localhost")
    await hass.config.async_update(internal_url=moved)
    await until(lambda: record.webhook_address == moved, "moved")
    assert urls(house.stack)[0].startswith(moved)


async def test_a_containers_own_address_is_offered_and_not_used(
    hass: HomeAssistant, house: House
) -> None:
    hass.config.internal_url = None
    entry = house.add_service(house.stack.radarr, options={})
    with (
        patch.object(registration, "get_url") as get_url,
        patch.object(registration, "is_docker_env", return_value=True) as docker,
    ):
        get_url.side_effect = lambda *_, **options: (
            "http://172.17.0.4:8123"
            if options.get("allow_external") is False
            else "https://home.example"
        )
        assert addresses(hass, entry) == ("https://home.example",)
        assert guessed_address(hass) == "http://172.17.0.4:8123"
        docker.return_value = False
        assert addresses(hass, entry) == ("http://172.17.0.4:8123", "https://home.example")
        assert guessed_address(hass) is None
    with patch.object(
        registration, "get_supervisor_network_url", return_value="http://homeassistant:8123"
    ):
        assert guessed_address(hass) == "http://homeassistant:8123"


@pytest.fixture
def cloud(house: House) -> Iterator[AsyncMock]:
    """Subscribe to the cloud, whose deliveries come out at Home Assistant's own door."""
    house.stack.radarr.sender.resolver.names["hooks.nabu.casa"] = "127.0.0.1"
    with (
        patch.object(cloud_component, "async_active_subscription", return_value=True),
        patch.object(cloud_component, "async_get_or_create_cloudhook") as create,
        patch.object(cloud_component, "async_delete_cloudhook") as delete,
    ):
        create.delete = delete
        yield create


async def test_the_cloud_is_used_last_and_only_with_consent(
    hass: HomeAssistant, house: House, cloud: AsyncMock
) -> None:
    real = str(hass.config.internal_url)
    hass.config.internal_url = CLOSED
    entry, record = await begin(house, health=WebhookHealth.FAILED)
    cloud.assert_not_awaited()
    cloud.return_value = f"{real}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
    hass.config_entries.async_update_entry(entry, options={CONF_ALLOW_CLOUD: True})
    async_dispatcher_send(
        hass,
        cloud_component.SIGNAL_CLOUD_CONNECTION_STATE,
        cloud_component.CloudConnectionState.CLOUD_CONNECTED,
    )
    await until(lambda: record.webhook is WebhookHealth.WORKING, "works by the cloud")
    # Of its address, the part that is no secret is remembered.
    assert record.webhook_address == real
    before = tests_sent(house.stack)
    async_dispatcher_send(
        hass,
        cloud_component.SIGNAL_CLOUD_CONNECTION_STATE,
        cloud_component.CloudConnectionState.CLOUD_DISCONNECTED,
    )
    await asyncio.sleep(0.05)
    assert tests_sent(house.stack) == before
    await hass.config_entries.async_remove(entry.entry_id)
    cloud.delete.assert_awaited_once_with(hass, entry.data[CONF_WEBHOOK_ID])


async def test_the_cloud_may_be_away(hass: HomeAssistant, house: House, cloud: AsyncMock) -> None:
    cloud.side_effect = cloud_component.CloudNotConnected
    hass.config.internal_url = CLOSED
    _, record = await begin(house, health=WebhookHealth.FAILED, options={CONF_ALLOW_CLOUD: True})
    assert record.webhook_cause is WebhookCause.REFUSED


# --- by hand, and without ----------------------------------------------------------------------


async def test_without_a_webhook_ours_is_removed(hass: HomeAssistant, house: House) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    hass.config_entries.async_update_entry(entry, options={CONF_POLLING_ONLY: True})
    webhook_of(entry).async_address_changed()
    await until(lambda: record.webhook is WebhookHealth.POLLING_ONLY, "polling only")
    await until(lambda: urls(house.stack) == [], "removed")
    with pytest.raises(HomeAssistantError) as error:
        await webhook_of(entry).async_test()
    assert error.value.translation_key == "webhook_polling_only"


async def test_a_removal_is_tried_again_when_the_service_is_back(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    await house.stack.radarr.go_down()
    hass.config_entries.async_update_entry(entry, options={CONF_POLLING_ONLY: True})
    assert await webhook_of(entry).async_try() is Outcome.SILENT
    assert health_of(record) is WebhookHealth.POLLING_ONLY
    await house.stack.radarr.go_up()
    house.runtime.note(entry.entry_id, last_status="connection_refused")
    house.runtime.note(entry.entry_id, last_status="ok")
    await until(lambda: urls(house.stack) == [], "removed")


async def test_a_webhook_by_hand_is_proven_by_its_first_delivery(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, options={CONF_MANUAL_WEBHOOK: True})
    assert health_of(record) is WebhookHealth.UNPROVEN
    assert urls(house.stack) == []
    with pytest.raises(HomeAssistantError) as error:
        await webhook_of(entry).async_test()
    assert error.value.translation_key == "webhook_test_by_hand"
    # A call without the secret proves nothing.
    assert (await house.post(entry, {"eventType": "Test"}, secret="wrong")).status == 401
    assert health_of(record) is WebhookHealth.UNPROVEN
    assert (await house.post(entry, {"eventType": "Test"})).status == 200
    await until(lambda: record.webhook is WebhookHealth.WORKING, "proven")
    assert record.proven_at is not None
    assert await hass.config_entries.async_reload(entry.entry_id)
    await house.settle()
    assert health_of(record) is WebhookHealth.WORKING


async def test_of_a_webhook_by_hand_it_is_known_what_it_tells(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    # The same one as ours, but entered by hand, without grabs.
    (row,) = house.stack.radarr.connections.rows.values()
    row.flags["onGrab"] = False
    house.runtime.note(entry.entry_id, webhook=WebhookHealth.UNPROVEN)
    hass.config_entries.async_update_entry(entry, options={CONF_MANUAL_WEBHOOK: True})
    assert await webhook_of(entry).async_try() is Outcome.DONE
    assert record.events == ()
    assert (await house.post(entry, {"eventType": "Test"})).status == 200
    await until(lambda: record.events, "read back")
    assert "import" in record.events
    assert "grab" not in record.events
    assert health_of(record) is WebhookHealth.WORKING
    assert row.flags["onGrab"] is False


async def test_a_service_that_takes_no_webhook_waits_for_one_by_hand(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, options={CONF_POLLING_ONLY: True})
    plain = Registration(hass, entry, FakeClient("radarr"))
    assert await plain.async_try() is Outcome.DONE
    hass.config_entries.async_update_entry(entry, options={})
    assert await plain.async_try() is Outcome.DONE
    assert health_of(record) is WebhookHealth.UNPROVEN
    house.runtime.note(entry.entry_id, webhook=WebhookHealth.WORKING)
    assert await plain.async_try() is Outcome.DONE
    assert record.events == ()
    await plain.async_remove()


# --- not wanted for a while ---------------------------------------------------------------------


async def test_a_service_that_is_disabled_has_no_repair_until_it_is_enabled(
    hass: HomeAssistant, house: House
) -> None:
    hass.config.internal_url = CLOSED
    entry, _ = await begin(house, health=WebhookHealth.FAILED)
    assert issue(hass, entry) is not None

    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert issue(hass, entry) is None

    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await until(lambda: issue(hass, entry), "a repair")


async def test_a_reload_keeps_the_repair(hass: HomeAssistant, house: House) -> None:
    hass.config.internal_url = CLOSED
    entry, _ = await begin(house, health=WebhookHealth.FAILED)

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert issue(hass, entry) is not None


# --- trying again -------------------------------------------------------------------------------


def test_pauses_grow() -> None:
    assert registration.PAUSES == (60, 300, 900, 3600)


async def test_it_is_tried_again_after_a_pause(
    hass: HomeAssistant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "PAUSES", (0.05, 0.1))
    working = hass.config.internal_url
    hass.config.internal_url = CLOSED
    _, record = await begin(house, health=WebhookHealth.FAILED)
    sent = tests_sent(house.stack)
    await until(lambda: tests_sent(house.stack) >= sent + 3, "tried again, and again")
    hass.config.internal_url = working
    await until(lambda: record.webhook is WebhookHealth.WORKING, "works")
    sent = tests_sent(house.stack)
    await asyncio.sleep(0.3)
    assert tests_sent(house.stack) == sent


async def test_a_service_that_is_down_is_no_fault_of_the_webhook(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    await house.stack.radarr.go_down()
    assert await webhook_of(entry).async_try() is Outcome.SILENT
    assert health_of(record) is WebhookHealth.WORKING
    assert issue(hass, entry) is None
    with pytest.raises(HomeAssistantError) as error:
        await webhook_of(entry).async_test()
    assert error.value.translation_key == "webhook_service_silent"


async def test_when_the_service_is_back_it_is_tried_again(
    hass: HomeAssistant, house: House
) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    proven = record.proven_at
    house.runtime.note(entry.entry_id, last_status="timed_out")
    await asyncio.sleep(0.05)
    assert record.proven_at == proven
    house.runtime.note(entry.entry_id, last_status="ok")
    await until(lambda: record.proven_at != proven, "proven again")


# --- the button ---------------------------------------------------------------------------------


async def test_the_button_proves_it(hass: HomeAssistant, house: House) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    proven = record.proven_at
    await webhook_of(entry).async_test()
    assert record.proven_at != proven


async def test_the_button_says_why_not(hass: HomeAssistant, house: House) -> None:
    entry, record = await begin(house, health=WebhookHealth.WORKING)
    hass.config.internal_url = CLOSED
    with pytest.raises(HomeAssistantError) as error:
        await webhook_of(entry).async_test()
    assert error.value.translation_key == "webhook_refused"
    said = error.value.translation_placeholders or {}
    assert said["address"] == CLOSED
    assert entry.data[CONF_WEBHOOK_ID] not in said["answer"]
    await until(lambda: record.webhook is WebhookHealth.FAILED, "looked into at once")
    assert issue(hass, entry) is not None


# --- leaving --------------------------------------------------------------------------------------


async def test_removing_the_service_removes_the_webhook_and_the_repair(
    hass: HomeAssistant, house: House
) -> None:
    entry, _ = await begin(house, health=WebhookHealth.WORKING)
    hass.config.internal_url = CLOSED
    for _ in range(2):
        await webhook_of(entry).async_try()
    assert issue(hass, entry) is not None
    assert len(urls(house.stack)) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    assert urls(house.stack) == []
    assert issue(hass, entry) is None


async def test_a_webhook_by_hand_is_left_to_the_hand(hass: HomeAssistant, house: House) -> None:
    entry, _ = await begin(house, health=WebhookHealth.WORKING)
    hass.config_entries.async_update_entry(entry, options={CONF_MANUAL_WEBHOOK: True})
    await hass.config_entries.async_remove(entry.entry_id)
    assert len(urls(house.stack)) == 1


async def test_removing_is_bounded(
    hass: HomeAssistant, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "REMOVAL_SECONDS", 0.2)
    entry, _ = await begin(house, health=WebhookHealth.WORKING)
    house.stack.radarr.misbehave("hang", path="/api/v3/notification")
    async with asyncio.timeout(3):
        await hass.config_entries.async_remove(entry.entry_id)
    house.stack.radarr.behave()
    assert hass.config_entries.async_get_entry(entry.entry_id) is None


async def test_another_home_assistants_webhook_is_never_touched(
    hass: HomeAssistant, house: House
) -> None:
    entry, _ = await begin(house, "seerr", WebhookHealth.WORKING)
    await hass.config_entries.async_unload(entry.entry_id)
    theirs = json.loads(json.dumps(house.stack.seerr.webhook))
    # The same Seerr, seen from another Home Assistant.
    other = MockConfigEntry(
        domain=DOMAIN,
        data={**entry.data, CONF_WEBHOOK_ID: "f" * 64, CONF_WEBHOOK_SECRET: "another"},
    )
    other.add_to_hass(hass)
    with patch.object(instance_id, "async_get", return_value="another-instance"):
        seerr = house.stack.seerr
        connection = Connection(url=seerr.url, api_key=seerr.api_key)
        client = make_client("seerr", async_get_clientsession(hass), connection)
        registration_there = Registration(hass, other, client)
        house.runtime.book.ensure(other.entry_id)
        assert await registration_there.async_try() is Outcome.FAILED
        assert house.record(other).webhook_cause is WebhookCause.TAKEN
        assert house.stack.seerr.webhook == theirs
        await registration_there.async_remove()
    assert house.stack.seerr.webhook == theirs
