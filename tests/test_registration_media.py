"""The webhooks of media servers, which cannot all be tested, against simulated ones."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, override
from unittest.mock import patch

import pytest
from homeassistant.components import cloud as cloud_component
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals import coordinator, listening, records, registration
from custom_components.media_arrivals.const import (
    CONF_ALLOW_CLOUD,
    CONF_SERVER_ID,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from custom_components.media_arrivals.diagnostics import async_get_config_entry_diagnostics
from custom_components.media_arrivals.engine.connectors.base import WebhookCause
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.engine.connectors.plex.client import PlexClient
from custom_components.media_arrivals.registration import Outcome, manual_values
from custom_components.media_arrivals.repairs import async_create_fix_flow
from custom_components.media_arrivals.runtime import ServiceRecord, WebhookHealth
from simulator import Stack
from simulator.plex import PlexDouble
from simulator.shelf import ShelfFile
from tests.house import House


@pytest.fixture
async def media(
    hass: HomeAssistant, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stack]:
    """Run media servers with a film; at the end all entries are unloaded."""
    stack.add_tautulli(stack.add_plex())
    stack.add_jellyfin()
    stack.add_emby()
    await stack.start()
    monkeypatch.setattr(account, "PLEX_TV", stack.plex_tv.url)
    monkeypatch.setattr(registration, "ARRIVAL_SECONDS", 0.3)
    monkeypatch.setattr(coordinator, "Pace", lambda: None)
    monkeypatch.setattr(coordinator, "HINT_PAUSE", 0.05)
    monkeypatch.setattr(records, "COUNTER_PAUSE", 0.0)
    monkeypatch.setattr(listening, "PAUSES", (0.05,))
    stack.shelf.put(
        ShelfFile(
            path="/movies/Quiet Harbour (2024)/film.mkv",
            media_type="movie",
            title="Quiet Harbour",
            year=2024,
            tmdb_id=4242,
            added_at=stack.clock.now(),
        )
    )
    await stack.plex.scan()
    yield stack
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


async def begin(house: House, kind: str) -> tuple[MockConfigEntry, ServiceRecord]:
    """Set up a media server whose webhook is ours to enter."""
    house.add_board()
    double: Any = house.stack.services[kind]
    server_id = house.stack.plex.machine_id if kind in {"plex", "tautulli"} else double.server_id
    entry = house.add_service(double, options={}, data={CONF_SERVER_ID: server_id})
    await house.start()
    return entry, house.record(entry)


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"webhook_{entry.entry_id}")


def health_of(record: ServiceRecord) -> WebhookHealth:
    """Return what is known now; it changes meanwhile."""
    return record.webhook


def assert_state(hass: HomeAssistant, entity_id: str, value: str) -> None:
    """See what an entity shows."""
    state = hass.states.get(entity_id)
    assert state is not None
    assert state.state == value


async def play(plex: PlexDouble) -> None:
    """Have somebody play the film."""
    _ = await plex.play_session(plex.find(tmdb=4242))


class Queue(Pace):
    """Turns that come for nobody once there is a crowd."""

    crowd = False

    @override
    async def turn(self) -> None:
        if self.crowd:
            await asyncio.Event().wait()


@pytest.mark.parametrize("kind", ["jellyfin", "emby", "tautulli"])
async def test_a_webhook_is_entered_past_a_crowd_of_questions(
    house: House, media: Stack, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    queue = Queue()
    monkeypatch.setattr(coordinator, "Pace", lambda: queue)
    entry, record = await begin(house, kind)
    queue.crowd = True
    house.runtime.note(entry.entry_id, webhook=WebhookHealth.FAILED)

    async with asyncio.timeout(5):
        assert await entry.runtime_data.registration.async_try() is Outcome.DONE

    assert health_of(record) is not WebhookHealth.FAILED


async def test_plex_is_proven_by_its_first_delivery(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    entry, record = await begin(house, "plex")
    hooks = media.plex_tv.owner.webhooks
    await until(lambda: hooks and record.webhook_address, "a webhook at plex.tv")
    assert hooks == [f"{hass.config.internal_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"]
    assert health_of(record) is WebhookHealth.UNPROVEN
    assert issue(hass, entry) is None
    with pytest.raises(HomeAssistantError) as told:
        await entry.runtime_data.registration.async_test()
    assert told.value.translation_key == "webhook_not_testable"
    await play(media.plex)
    await until(lambda: record.webhook is WebhookHealth.WORKING, "a proven webhook")
    await until(lambda: record.events, "what it tells")
    assert record.proven_at is not None
    assert record.refused == 0
    # It stays proven, and can be looked at without a new delivery.
    assert await entry.runtime_data.registration.async_try() is Outcome.DONE
    await entry.runtime_data.registration.async_test()
    assert health_of(record) is WebhookHealth.WORKING


async def test_a_delivery_before_it_was_entered_proves_nothing(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    media.plex_tv.misbehave("500")
    entry, record = await begin(house, "plex")
    assert (await house.client.post(house.path(entry), json={"event": "media.play"})).status == 200
    await house.settle()
    media.plex_tv.behave()
    assert await entry.runtime_data.registration.async_try() is Outcome.DONE
    await asyncio.sleep(0.05)
    assert health_of(record) is WebhookHealth.UNPROVEN


async def test_a_secret_that_is_wrong_is_refused_even_where_none_is_needed(
    house: House, media: Stack
) -> None:
    entry, record = await begin(house, "plex")
    answer = await house.post(entry, {"event": "media.play"}, secret="wrong")
    assert answer.status == 401
    assert record.refused == 1


@pytest.mark.parametrize(("kind", "status"), [("emby", 200), ("jellyfin", 401), ("tautulli", 401)])
async def test_who_can_send_a_secret_must(
    house: House, media: Stack, kind: str, status: int
) -> None:
    entry, _ = await begin(house, kind)
    assert (await house.client.post(house.path(entry), json={})).status == status


@pytest.mark.parametrize("kind", ["tautulli", "emby"])
async def test_what_has_a_test_is_proven_by_it(
    hass: HomeAssistant, house: House, media: Stack, kind: str
) -> None:
    entry, record = await begin(house, kind)
    await until(lambda: record.webhook is WebhookHealth.WORKING, "a proven webhook")
    assert issue(hass, entry) is None


async def test_jellyfin_is_proven_by_its_first_delivery(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    entry, record = await begin(house, "jellyfin")
    await until(lambda: record.webhook_address, "a webhook in the plugin")
    assert health_of(record) is WebhookHealth.UNPROVEN
    assert issue(hass, entry) is None
    assert (await house.post(entry, {"NotificationType": "PlaybackStart"})).status == 200
    await until(lambda: record.webhook is WebhookHealth.WORKING, "a proven webhook")


async def test_jellyfin_without_the_plugin(hass: HomeAssistant, house: House, media: Stack) -> None:
    media.services["jellyfin"].plugins.clear()  # type: ignore[attr-defined]
    entry, record = await begin(house, "jellyfin")
    await until(lambda: record.webhook is WebhookHealth.FAILED, "a repair")
    found = issue(hass, entry)
    assert found is not None
    assert found.translation_key == "webhook_plugin_missing"
    flow: Any = await async_create_fix_flow(hass, found.issue_id, dict(found.data or {}))
    flow.hass = hass
    form = await flow.async_step_init()
    (remedy,) = form["data_schema"].schema.values()
    assert remedy.config["options"] == ["retry", "manual", "polling_only"]


async def test_an_emby_that_takes_it_only_by_hand(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    media.services["emby"].version = "4.8.11.0"
    entry, record = await begin(house, "emby")
    await until(lambda: record.webhook is WebhookHealth.FAILED, "a repair")
    found = issue(hass, entry)
    assert found is not None
    assert found.translation_key == "webhook_by_hand"
    flow: Any = await async_create_fix_flow(hass, found.issue_id, dict(found.data or {}))
    flow.hass = hass
    form = await flow.async_step_init()
    (remedy,) = form["data_schema"].schema.values()
    assert remedy.config["options"] == ["manual", "retry", "polling_only"]


# --- without a Plex Pass ------------------------------------------------------------------------


async def test_without_a_plex_pass_the_notifications_are_listened_to(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    media.plex_tv.owner.plex_pass = False
    entry, record = await begin(house, "plex")
    await until(lambda: media.plex.listeners == 1, "somebody listens")
    assert record.webhook is WebhookHealth.POLLING_ONLY
    assert record.webhook_cause is WebhookCause.NEEDS_PLEX_PASS
    assert issue(hass, entry) is None
    (shown,) = [
        one for one in hass.states.async_entity_ids("sensor") if one.endswith("_now_playing")
    ]
    assert shown == "sensor.plex_now_playing"
    assert_state(hass, shown, "0")
    assert hass.states.get("sensor.plex_queue") is None
    await play(media.plex)
    await until(lambda: record.playing == 1, "what is played is counted")
    await hass.async_block_till_done()
    assert_state(hass, shown, "1")
    asked = len(media.plex.calls)
    media.shelf.put(
        ShelfFile(
            path="/movies/Loud Harbour (2025)/film.mkv",
            media_type="movie",
            title="Loud Harbour",
            year=2025,
            tmdb_id=4343,
            added_at=media.clock.now(),
        )
    )
    await media.plex.scan()
    item = media.plex.find(tmdb=4343)
    await until(
        lambda: any(item.key in call.path for call in media.plex.calls[asked:]),
        "what is new is asked for",
    )
    # The connection breaks, and is made again.
    await media.plex.hang_up()
    await until(lambda: media.plex.listeners == 1, "it listens again")
    await media.plex.go_down()
    await asyncio.sleep(0.2)
    await media.plex.go_up()
    await until(lambda: media.plex.listeners == 1, "it listens after a fall")
    # With a Plex Pass, the webhook takes over.
    media.plex_tv.owner.plex_pass = True
    assert await entry.runtime_data.registration.async_try() is Outcome.DONE
    await until(lambda: media.plex.listeners == 0, "nobody listens any more")
    assert health_of(record) is WebhookHealth.UNPROVEN


async def test_a_fault_of_ours_does_not_end_the_listening(
    house: House, media: Stack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    media.plex_tv.owner.plex_pass = False
    times = 0

    async def breaks(*_: Any) -> None:
        nonlocal times
        times += 1
        raise KeyError("ours")

    monkeypatch.setattr(PlexClient, "listen", breaks)
    await begin(house, "plex")
    await until(lambda: times > 1, "another attempt")
    assert "listening to plex" in caplog.text


# --- by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "names", "secret"),
    [
        ("plex", ["URL"], False),
        ("emby", ["Url", "Request content type", "Events", "Limit user events to"], False),
        (
            "jellyfin",
            [
                "Webhook Url",
                "Notification Type",
                "Item Type",
                "Send All Properties",
                "Add Request Header",
                "Add Request Header",
            ],
            True,
        ),
        (
            "tautulli",
            ["Webhook URL", "Webhook Method", "Triggers", "JSON Headers", "JSON Data"],
            True,
        ),
    ],
)
async def test_what_is_entered_by_hand(
    hass: HomeAssistant, house: House, media: Stack, kind: str, names: list[str], secret: bool
) -> None:
    entry, _ = await begin(house, kind)
    values = manual_values(hass, entry)
    assert [line.partition(":")[0].removeprefix("- ") for line in values.splitlines()] == names
    assert house.path(entry) in values
    assert ("Authorization" in values) is secret
    assert entry.data[CONF_WEBHOOK_SECRET] not in values


async def test_plex_keeps_one_webhook_of_ours_however_its_address_changes(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    foreign = ["https://other.example/hook", "https://hooks.nabu.casa/somebody-elses"]
    hooks = media.plex_tv.owner.webhooks
    hooks[:] = foreign
    here = str(hass.config.internal_url)
    local: list[str] = []
    with (
        patch.object(registration, "addresses", lambda *_: tuple(local)),
        patch.object(cloud_component, "async_active_subscription", return_value=True),
        patch.object(cloud_component, "async_get_or_create_cloudhook") as create,
        patch.object(cloud_component, "async_delete_cloudhook"),
    ):
        create.return_value = "https://hooks.nabu.casa/first"
        house.add_board()
        entry = house.add_service(media.plex, options={CONF_ALLOW_CLOUD: True})
        await house.start()
        await until(lambda: hooks == [*foreign, "https://hooks.nabu.casa/first"], "the first")

        # The cloud gives another address, then Home Assistant has one of its own.
        create.return_value = "https://hooks.nabu.casa/second"
        entry.runtime_data.registration.async_address_changed()
        await until(lambda: hooks == [*foreign, "https://hooks.nabu.casa/second"], "the second")
        local[:] = [here]
        entry.runtime_data.registration.async_address_changed()
        ours = f"{here}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"
        await until(lambda: hooks == [*foreign, ours], "the last")

        local[:] = ["http://10.9.8.7:8123"]
        entry.runtime_data.registration.async_address_changed()
        await until(lambda: len(hooks) == 3 and "10.9.8.7" in hooks[-1], "a new address")
        told = await async_get_config_entry_diagnostics(hass, entry)
        assert "nabu" not in str(told)

        # Also one of the cloud's is taken along at the end.
        hooks[:] = [*foreign, "https://hooks.nabu.casa/second", hooks[-1]]
        await hass.config_entries.async_remove(entry.entry_id)
        assert hooks == foreign
        assert all(set(foreign) <= set(written) for written in media.plex_tv.writes)


async def test_what_a_home_user_behind_a_pin_plays_is_theirs(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    """A user of the home, with or without a PIN, is told by the owner's webhook alone."""
    _, record = await begin(house, "plex")
    await until(lambda: media.plex_tv.owner.webhooks, "a webhook at plex.tv")
    child = media.plex.add_user("Child", 5001)
    film = media.plex.find(tmdb=4242)

    await media.plex.watch(film, child)
    await house.settle()

    assert record.received > 0
    assert record.failed == 0


async def test_a_token_of_a_home_user_may_enter_no_webhook(
    hass: HomeAssistant, house: House, media: Stack
) -> None:
    house.add_board()
    entry = house.add_service(media.plex, options={}, data={CONF_API_KEY: media.plex.server_token})
    await house.start()
    record = house.record(entry)
    await until(lambda: record.webhook_cause is WebhookCause.NOT_ALLOWED, "a refusal")

    await house.poll(entry)
    assert record.last_status == "ok"
    assert media.plex_tv.writes == []
