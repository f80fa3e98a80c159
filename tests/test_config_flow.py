"""Adding services, all over HTTP: a real flow on one side, simulated services on the other."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from homeassistant.config_entries import SOURCE_SYSTEM, ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import aiohttp_client
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import config_flow
from custom_components.media_arrivals.const import (
    CONF_ALLOW_CLOUD,
    CONF_ALLOWED_ADDRESSES,
    CONF_CALLBACK_URL,
    CONF_INTERVAL_HOURS,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MANUAL_WEBHOOK,
    CONF_POLLING_ONLY,
    CONF_SCHEDULE_ENABLED,
    CONF_SEERR_SERVERS,
    CONF_TAKE_OVER,
    CONF_TIER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    KIND_BOARD,
)
from custom_components.media_arrivals.guides import by_hand_url
from custom_components.media_arrivals.runtime import WebhookHealth
from simulator import Stack
from simulator.seerr_data import Server
from tests.entity_helpers import FakeClient
from tests.flow_helpers import FLOW, OPTIONS, Flow, HomeResolver, begin_adding, services
from tests.house import House


@pytest.fixture
async def config_api(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set up what the front end talks to. Views may come later, as in Home Assistant's server."""
    monkeypatch.setattr(aiohttp_client, "_async_make_resolver", lambda _: HomeResolver())
    assert await async_setup_component(hass, "config", {})
    hass.http.app.router.freeze = lambda: None  # type: ignore[method-assign]


@pytest.fixture
async def admin(
    hass: HomeAssistant, config_api: None, house: House, hass_client: ClientSessionGenerator
) -> AsyncIterator[TestClient[Any, Any]]:
    """Return a client of Home Assistant's API; at the end all entries are gone."""
    yield await hass_client()
    for entry in services(hass).values():
        await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


def radarr(stack: Stack, **more: Any) -> dict[str, Any]:
    """Return what a person types for the Radarr."""
    return {
        CONF_URL: stack.radarr.url,
        CONF_API_KEY: stack.radarr.api_key,
        CONF_TIER: "hd",
        **more,
    }


def seerr(stack: Stack, **more: Any) -> dict[str, Any]:
    """Return what a person types for the Seerr."""
    return {CONF_URL: stack.seerr.url, CONF_API_KEY: stack.seerr.api_key, **more}


async def add(admin: TestClient[Any, Any], kind: str, typed: dict[str, Any]) -> Flow:
    flow = await begin_adding(admin, kind)
    await flow.send(typed)
    return flow


# --- one service ----------------------------------------------------------------------------


async def test_the_first_service_brings_the_board(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(admin, "radarr", radarr(stack, url=f"{stack.radarr.url}/api/v3/"))
    assert flow.last["type"] == "create_entry"
    assert flow.forms == 2
    entry = services(hass)["Radarr"]
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data == {
        CONF_KIND: "radarr",
        CONF_URL: stack.radarr.url,
        CONF_API_KEY: stack.radarr.api_key,
        CONF_VERIFY_SSL: True,
        CONF_TIER: "hd",
        CONF_WEBHOOK_ID: entry.data[CONF_WEBHOOK_ID],
        CONF_WEBHOOK_SECRET: entry.data[CONF_WEBHOOK_SECRET],
    }
    assert len(entry.data[CONF_WEBHOOK_ID]) == 64
    assert len(entry.data[CONF_WEBHOOK_SECRET]) >= 32
    assert entry.data[CONF_WEBHOOK_SECRET].isascii()
    board = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, "board")
    assert board is not None
    assert board.source == SOURCE_SYSTEM
    assert board.title == "Media Arrivals"
    assert board.data[CONF_KIND] == KIND_BOARD
    assert hass.config_entries.async_entries(DOMAIN) == [board, entry]


async def test_two_of_a_kind_have_webhooks_and_names_of_their_own(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    stack.radarr_4k.instance_name = stack.radarr.instance_name
    third = stack.add_radarr("third", instance_name=stack.radarr.instance_name)
    await stack.start()
    await add(admin, "radarr", radarr(stack))
    for double, tier in ((stack.radarr_4k, "4k"), (third, "mixed")):
        typed = radarr(stack, url=double.url, api_key=double.api_key, tier=tier)
        assert (await add(admin, "radarr", typed)).last["type"] == "create_entry"
    found = services(hass)
    name = stack.radarr.instance_name
    assert set(found) == {name, f"{name} 4K", f"{name} 2"}
    assert len({entry.data[CONF_WEBHOOK_ID] for entry in found.values()}) == 3
    assert len({entry.data[CONF_WEBHOOK_SECRET] for entry in found.values()}) == 3
    boards = [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.data[CONF_KIND] == KIND_BOARD
    ]
    assert len(boards) == 1


async def test_a_base_path_is_kept(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    double = stack.add_sonarr("behind", url_base="/tv", instance_name="Behind")
    await stack.start()
    typed = {CONF_URL: double.url, CONF_API_KEY: double.api_key, CONF_TIER: "mixed"}
    flow = await add(admin, "sonarr", typed)
    assert flow.last["type"] == "create_entry"
    assert services(hass)["Behind"].data[CONF_URL].endswith("/tv")


async def test_certificates_need_not_be_checked(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await begin_adding(admin, "radarr")
    assert flow.field("tls")["expanded"] is False
    await flow.send(radarr(stack, tls={CONF_VERIFY_SSL: False}))
    assert services(hass)["Radarr"].data[CONF_VERIFY_SSL] is False


# --- what may be wrong ------------------------------------------------------------------------


async def down(stack: Stack) -> None:
    await stack.radarr.go_down()


async def hangs(stack: Stack) -> None:
    stack.radarr.misbehave("hang")


def answers(name: str) -> Callable[[Stack], Any]:
    async def misbehave(stack: Stack) -> None:
        stack.radarr.misbehave(name)

    return misbehave


async def all_is_well(_: Stack) -> None:
    return


WRONG = {
    "refused": (down, {}, {CONF_URL: "connection_refused"}),
    "hanging": (hangs, {}, {CONF_URL: "timed_out"}),
    "no such name": (
        all_is_well,
        {CONF_URL: "http://radarr.invalid:7878"},
        {CONF_URL: "name_not_found"},
    ),
    "no address": (all_is_well, {CONF_URL: "http://:7878"}, {CONF_URL: "invalid_url"}),
    "a login": (all_is_well, {CONF_URL: "http://a:b@radarr"}, {CONF_URL: "url_with_login"}),
    "another key": (all_is_well, {CONF_API_KEY: "wrong"}, {CONF_API_KEY: "invalid_auth"}),
    "not allowed": (answers("403"), {}, {CONF_API_KEY: "forbidden"}),
    "a fault": (answers("500"), {}, {CONF_URL: "server_fault"}),
    "a web page": (answers("html"), {}, {CONF_URL: "bad_answer"}),
    "broken JSON": (answers("invalid_json"), {}, {CONF_URL: "bad_answer"}),
}


@pytest.mark.parametrize(("spoil", "typed", "errors"), WRONG.values(), ids=WRONG)
async def test_each_fault_has_its_own_word_and_can_be_mended(
    hass: HomeAssistant,
    admin: TestClient[Any, Any],
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Stack], Any],
    typed: dict[str, Any],
    errors: dict[str, str],
) -> None:
    monkeypatch.setattr(config_flow, "_TRY_SECONDS", 0.5 if spoil is hangs else 10)
    await spoil(stack)
    flow = await add(admin, "radarr", radarr(stack, tier="4k", **typed))
    assert flow.last["type"] == "form"
    assert flow.last["errors"] == errors
    assert services(hass) == {}
    # What was typed stays, but for the key, which is not even shown again.
    assert flow.suggested(CONF_URL) == typed.get(CONF_URL, stack.radarr.url)
    assert flow.suggested(CONF_TIER) == "4k"
    assert flow.suggested(CONF_API_KEY) is None
    assert stack.radarr.api_key not in str(flow.last)
    stack.radarr.behave()
    await stack.radarr.go_up()
    await flow.send(radarr(stack))
    assert flow.last["type"] == "create_entry"


async def test_a_key_once_typed_is_kept_over_another_mistake(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(admin, "radarr", radarr(stack, url="http://:7878"))
    assert flow.field(CONF_API_KEY).get("required") is not True
    await flow.send({CONF_URL: stack.radarr.url, CONF_TIER: "hd"})
    assert flow.last["type"] == "create_entry"
    assert services(hass)["Radarr"].data[CONF_API_KEY] == stack.radarr.api_key


async def test_a_wrong_key_has_to_be_typed_again(admin: TestClient[Any, Any], stack: Stack) -> None:
    flow = await add(admin, "radarr", radarr(stack, api_key="wrong"))
    assert flow.field(CONF_API_KEY)["required"] is True


async def test_a_certificate_that_is_not_trusted(
    admin: TestClient[Any, Any], stack: Stack, certificate: ssl.SSLContext
) -> None:
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=certificate)
    flow = await add(admin, "radarr", radarr(stack, url=str(server.make_url("/"))))
    await server.close()
    assert flow.last["errors"] == {CONF_URL: "invalid_certificate"}
    assert flow.field("tls")["expanded"] is True
    await flow.send(radarr(stack))
    assert flow.last["type"] == "create_entry"


async def test_a_sonarr_behind_the_form_of_a_radarr(
    admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(
        admin, "radarr", radarr(stack, url=stack.sonarr.url, api_key=stack.sonarr.api_key)
    )
    assert flow.last["errors"] == {CONF_URL: "wrong_kind"}
    assert flow.last["description_placeholders"]["found"] == "Sonarr"
    assert flow.last["description_placeholders"]["right"] == "Sonarr"
    await flow.send(radarr(stack))
    assert flow.last["type"] == "create_entry"


async def test_something_else_behind_the_form_of_a_radarr(
    admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(
        admin, "radarr", radarr(stack, url=stack.seerr.url, api_key=stack.seerr.api_key)
    )
    assert flow.last["errors"] == {CONF_URL: "wrong_kind"}
    assert flow.last["description_placeholders"]["right"] == "Seerr"
    await flow.send(radarr(stack))
    assert flow.last["type"] == "create_entry"


@pytest.mark.parametrize("kind", ["radarr", "sonarr", "seerr"])
async def test_what_has_no_name_is_not_called_by_one(
    admin: TestClient[Any, Any], stack: Stack, kind: str
) -> None:
    """Home Assistant's own address, in any form."""
    url = str(admin.make_url("/"))
    values = radarr(stack, url=url) if kind != "seerr" else {CONF_URL: url, CONF_API_KEY: "x"}
    flow = await add(admin, kind, values)
    assert flow.last["errors"] == {CONF_URL: "not_found"}


async def test_what_has_no_form_here_is_called_by_its_name(
    admin: TestClient[Any, Any], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack.radarr, "app_name", "Lidarr")
    flow = await add(admin, "radarr", radarr(stack))
    assert flow.last["errors"] == {CONF_URL: "wrong_service"}
    assert flow.last["description_placeholders"]["found"] == "Lidarr"


async def test_https_where_there_is_none(admin: TestClient[Any, Any], stack: Stack) -> None:
    url = stack.radarr.url.replace("http:", "https:")
    flow = await add(admin, "radarr", radarr(stack, url=url))
    assert flow.last["errors"] == {CONF_URL: "no_tls"}


async def test_a_radarr_behind_the_form_of_a_seerr(
    admin: TestClient[Any, Any], stack: Stack
) -> None:
    typed = seerr(stack, url=stack.radarr.url, api_key=stack.radarr.api_key)
    flow = await add(admin, "seerr", typed)
    assert flow.last["errors"] == {CONF_URL: "wrong_kind"}
    assert flow.last["description_placeholders"]["right"] == "Radarr"


async def test_a_version_that_is_too_old(admin: TestClient[Any, Any], stack: Stack) -> None:
    double = stack.add_radarr("ancient", version="0.2.0.1504")
    await stack.start()
    typed = radarr(stack, url=double.url, api_key=double.api_key)
    flow = await add(admin, "radarr", typed)
    assert flow.last["errors"] == {CONF_URL: "too_old"}
    assert flow.last["description_placeholders"]["detail"] == "0.2.0.1504"
    await flow.send(radarr(stack))
    assert flow.last["type"] == "create_entry"


async def test_seerrs_wrong_key_is_noticed(admin: TestClient[Any, Any], stack: Stack) -> None:
    flow = await add(admin, "seerr", seerr(stack, api_key="wrong"))
    assert flow.last["errors"] == {CONF_API_KEY: "invalid_auth"}
    await flow.send(seerr(stack))
    assert flow.last["step_id"] == "known"


async def test_a_key_that_sees_only_its_own_requests(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    stack.seerr.key_user = 3
    flow = await add(admin, "seerr", seerr(stack))
    assert flow.last["errors"] == {CONF_API_KEY: "own_requests_only"}
    assert services(hass) == {}
    stack.seerr.key_user = 1
    await flow.send(seerr(stack))
    assert flow.last["step_id"] == "known"


async def test_the_same_address_twice(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    # Known by its address alone, even if it does not tell its webhooks.
    stack.radarr.misbehave("500", path="/api/v3/notification")
    flow = await add(admin, "radarr", radarr(stack, url=f"{stack.radarr.url}/"))
    assert flow.last["errors"] == {CONF_URL: "already_configured"}
    assert flow.last["description_placeholders"]["title"] == "Radarr"
    typed = radarr(stack, url=stack.radarr_4k.url, api_key=stack.radarr_4k.api_key)
    await flow.send(typed)
    assert flow.last["type"] == "create_entry"


async def proven(hass: HomeAssistant, house: House, url: str) -> ConfigEntry:
    """Wait until the webhook of a service works."""
    entry = next(one for one in services(hass).values() if one.data[CONF_URL] == url)
    record = house.runtime.records[entry.entry_id]
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="a proven webhook")
    return entry


async def test_the_same_service_by_another_address(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any], stack: Stack
) -> None:
    uhd = radarr(stack, url=stack.radarr_4k.url, api_key=stack.radarr_4k.api_key)
    await add(admin, "radarr", radarr(stack))
    await add(admin, "radarr", uhd)
    await proven(hass, house, stack.radarr.url)
    twin = await proven(hass, house, stack.radarr_4k.url)
    alias = stack.radarr_4k.url.replace("127.0.0.1", "localhost")
    flow = await add(admin, "radarr", uhd | {CONF_URL: alias})
    assert flow.last["errors"] == {CONF_URL: "already_configured"}
    assert flow.last["description_placeholders"]["title"] == twin.title


async def test_a_webhook_left_behind_is_no_obstacle(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any], stack: Stack
) -> None:
    uhd = radarr(stack, url=stack.radarr_4k.url, api_key=stack.radarr_4k.api_key)
    await add(admin, "radarr", radarr(stack))
    await add(admin, "radarr", uhd)
    entry = await proven(hass, house, stack.radarr_4k.url)
    await stack.radarr_4k.go_down()
    await hass.config_entries.async_remove(entry.entry_id)
    await stack.radarr_4k.go_up()
    assert len(stack.radarr_4k.connections.rows) == 1
    flow = await add(admin, "radarr", uhd)
    assert flow.last["type"] == "create_entry"


def call_servers(monkeypatch: pytest.MonkeyPatch, name: Callable[[Server], str]) -> None:
    """Have Seerr reach its Radarrs and Sonarrs by other names."""
    settings = Server.settings
    monkeypatch.setattr(
        Server, "settings", lambda server: settings(server) | {"hostname": name(server)}
    )


async def test_a_service_that_does_not_say_what_it_calls(
    admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    stack.radarr_4k.misbehave("500", path="/api/v3/notification")
    uhd = radarr(stack, url=stack.radarr_4k.url, api_key=stack.radarr_4k.api_key)
    flow = await add(admin, "radarr", uhd)
    assert flow.last["type"] == "create_entry"


@pytest.mark.parametrize("kind", ["radarr", "seerr"])
async def test_a_service_that_takes_no_webhook_and_knows_no_others(
    hass: HomeAssistant,
    admin: TestClient[Any, Any],
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    await add(admin, "radarr", radarr(stack))
    monkeypatch.setattr(config_flow, "make_client", lambda *_: FakeClient(kind))
    typed = {CONF_URL: "http://plain:1", CONF_API_KEY: "key"}
    flow = await add(admin, kind, typed | ({CONF_TIER: "hd"} if kind == "radarr" else {}))
    assert flow.last["type"] == "create_entry"
    assert len(services(hass)) == 2


# --- what Seerr knows -----------------------------------------------------------------------


async def test_a_whole_house_in_three_forms(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(admin, "seerr", seerr(stack))
    assert flow.last["step_id"] == "known"
    offered = flow.field("services")
    assert offered["default"] == ["radarr:0", "radarr:1", "sonarr:0"]
    assert stack.radarr.api_key not in str(flow.last)
    await flow.send({"services": offered["default"]})
    assert flow.last["type"] == "create_entry"
    assert flow.forms == 3
    found = services(hass)
    by_url = {entry.data[CONF_URL]: entry for entry in found.values()}
    assert len(by_url) == 4
    assert by_url[stack.radarr.url].data[CONF_TIER] == "hd"
    assert by_url[stack.radarr_4k.url].data[CONF_TIER] == "4k"
    assert by_url[stack.sonarr.url].data[CONF_KIND] == "sonarr"
    assert by_url[stack.seerr.url].data[CONF_SEERR_SERVERS] == {
        "radarr:0": by_url[stack.radarr.url].entry_id,
        "radarr:1": by_url[stack.radarr_4k.url].entry_id,
        "sonarr:0": by_url[stack.sonarr.url].entry_id,
    }
    assert all(entry.state is ConfigEntryState.LOADED for entry in found.values())


async def test_none_of_what_seerr_knows(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(admin, "seerr", seerr(stack))
    await flow.send({"services": []})
    assert flow.last["type"] == "create_entry"
    (entry,) = services(hass).values()
    assert entry.data[CONF_SEERR_SERVERS] == {}


async def test_what_exists_already_is_recognised(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    # One by the address that Seerr uses, one by another: the key tells.
    await add(admin, "radarr", radarr(stack))
    alias = stack.sonarr.url.replace("127.0.0.1", "localhost")
    typed = {CONF_URL: alias, CONF_API_KEY: stack.sonarr.api_key, CONF_TIER: "hd"}
    await add(admin, "sonarr", typed)
    flow = await add(admin, "seerr", seerr(stack))
    assert flow.field("services")["default"] == ["radarr:1"]
    await flow.send({"services": []})
    by_url = {entry.data[CONF_URL]: entry for entry in services(hass).values()}
    assert by_url[stack.seerr.url].data[CONF_SEERR_SERVERS] == {
        "radarr:0": by_url[stack.radarr.url].entry_id,
        "sonarr:0": by_url[alias].entry_id,
    }


async def test_when_all_is_there_already_nothing_is_offered(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    for double in (stack.radarr, stack.radarr_4k, stack.sonarr):
        typed = {CONF_URL: double.url, CONF_API_KEY: double.api_key, CONF_TIER: "hd"}
        await add(admin, double.kind, typed)
    flow = await add(admin, "seerr", seerr(stack))
    assert flow.last["type"] == "create_entry"
    assert len(services(hass)["Seerr"].data[CONF_SEERR_SERVERS]) == 3


async def test_one_service_entered_twice_in_seerr_is_offered_once(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    stack.seerr.connect(stack.radarr, is4k=True)
    flow = await add(admin, "seerr", seerr(stack))
    assert flow.field("services")["default"] == ["radarr:0", "radarr:1", "sonarr:0"]
    await flow.send({"services": ["radarr:0"]})
    found = {entry.data[CONF_URL]: entry for entry in services(hass).values()}
    entry = found[stack.radarr.url]
    assert entry.data[CONF_TIER] == "mixed"
    assert found[stack.seerr.url].data[CONF_SEERR_SERVERS] == {
        "radarr:0": entry.entry_id,
        "radarr:2": entry.entry_id,
    }


async def test_seven_services_of_which_six_are_elsewhere_take_nine_forms(
    hass: HomeAssistant,
    admin: TestClient[Any, Any],
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack.add_radarr("anime", instance_name="Films 3")
    stack.add_sonarr("uhd", instance_name="Series 2", is4k=True)
    stack.add_sonarr("kids", instance_name="Series 3")
    await stack.start()
    # Containers know each other by names that Home Assistant does not know.
    call_servers(monkeypatch, lambda server: f"{server.double.name.replace('_', '-')}.invalid")
    real = {
        f"{server.double.kind}:{server.id}": server.double.url for server in stack.seerr.servers
    }
    flow = await add(admin, "seerr", seerr(stack))
    slots = flow.field("services")["default"]
    assert set(slots) == set(real)
    await flow.send({"services": slots})
    for slot in slots:
        assert flow.last["step_id"] == "known_service"
        assert flow.last["errors"] == {CONF_URL: "name_not_found"}
        assert ".invalid" in flow.suggested(CONF_URL)
        typed = {CONF_URL: real[slot], "skip": False}
        await flow.send(typed | {CONF_TIER: flow.suggested(CONF_TIER)})
    assert flow.last["type"] == "create_entry"
    assert flow.forms == 9
    assert len(services(hass)) == 7
    entries = {entry.data[CONF_URL]: entry.entry_id for entry in services(hass).values()}
    assert services(hass)["Seerr"].data[CONF_SEERR_SERVERS] == {
        slot: entries[url] for slot, url in real.items()
    }


async def test_a_known_service_may_fail_again_or_be_left_out(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await stack.radarr.go_down()
    await stack.sonarr.go_down()
    flow = await add(admin, "seerr", seerr(stack))
    await flow.send({"services": ["radarr:0", "radarr:1", "sonarr:0"]})
    assert flow.last["description_placeholders"]["address"] == stack.radarr.url
    assert flow.last["errors"] == {CONF_URL: "connection_refused"}
    await stack.radarr.go_up()
    again = {CONF_URL: stack.radarr.url, CONF_API_KEY: "wrong", CONF_TIER: "mixed", "skip": False}
    await flow.send(again)
    assert flow.last["errors"] == {CONF_API_KEY: "invalid_auth"}
    assert flow.suggested(CONF_TIER) == "mixed"
    await flow.send(again | {CONF_API_KEY: stack.radarr.api_key})
    assert flow.last["description_placeholders"]["address"] == stack.sonarr.url
    await flow.send({CONF_URL: stack.sonarr.url, CONF_TIER: "hd", "skip": True})
    assert flow.last["type"] == "create_entry"
    urls = {entry.data[CONF_URL] for entry in services(hass).values()}
    assert urls == {stack.seerr.url, stack.radarr.url, stack.radarr_4k.url}


@pytest.mark.parametrize("fault", ["500", "hang"])
async def test_seerr_may_keep_what_it_knows_to_itself(
    hass: HomeAssistant,
    admin: TestClient[Any, Any],
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setattr(config_flow, "_TRY_SECONDS", 1)
    stack.seerr.misbehave(fault, path="/api/v1/settings/(radarr|sonarr)")
    flow = await add(admin, "seerr", seerr(stack))
    assert flow.last["type"] == "create_entry"
    stack.seerr.behave()


async def test_an_address_in_seerr_that_is_none(
    admin: TestClient[Any, Any], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_servers(monkeypatch, lambda _: "no host")
    flow = await add(admin, "seerr", seerr(stack))
    await flow.send({"services": ["radarr:0"]})
    assert flow.last["errors"] == {CONF_URL: "invalid_url"}
    await flow.send({CONF_URL: stack.radarr.url, CONF_TIER: "hd", "skip": False})
    assert flow.last["type"] == "create_entry"


async def test_a_service_that_was_added_meanwhile_is_not_added_twice(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(admin, "seerr", seerr(stack))
    await stack.sonarr.go_down()
    await flow.send({"services": ["radarr:0", "sonarr:0"]})
    assert flow.last["step_id"] == "known_service"
    await add(admin, "radarr", radarr(stack))
    await flow.send({CONF_URL: stack.sonarr.url, CONF_TIER: "hd", "skip": True})
    assert flow.last["type"] == "create_entry"
    assert [entry.data[CONF_KIND] for entry in services(hass).values()].count("radarr") == 1
    assert services(hass)["Seerr"].data[CONF_SEERR_SERVERS] == {}


@pytest.mark.parametrize("kind", ["radarr", "seerr"])
async def test_of_two_flows_for_one_address_only_the_faster_adds_it(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack, kind: str
) -> None:
    typed = radarr(stack) if kind == "radarr" else seerr(stack)
    flows = [await begin_adding(admin, kind) for _ in range(3)]
    # Each asks the service who it is while the others do, and finds no entry yet.
    await asyncio.gather(*(flow.send(typed) for flow in flows))
    if kind == "seerr":
        await asyncio.gather(*(flow.send({"services": ["radarr:0"]}) for flow in flows))
    ends = sorted((flow.last["type"], flow.last.get("reason")) for flow in flows)
    assert ends == [*[("abort", "already_configured")] * 2, ("create_entry", None)]
    urls = [entry.data[CONF_URL] for entry in services(hass).values()]
    assert urls.count(stack.radarr.url) == 1
    assert urls.count(stack.seerr.url) == (kind == "seerr")
    await hass.async_block_till_done()


async def test_a_form_that_is_sent_twice_adds_one_service(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await begin_adding(admin, "radarr")
    path = f"{FLOW}/{flow.last['flow_id']}"
    answers = await asyncio.gather(*(admin.post(path, json=radarr(stack)) for _ in range(2)))
    assert 200 in {answer.status for answer in answers}
    assert len(services(hass)) == 1
    await hass.async_block_till_done()


# --- what exists already --------------------------------------------------------------------


async def test_a_new_key(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    entry = services(hass)["Radarr"]
    stack.radarr.api_key = "a-new-key"
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (begun,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    answer = await admin.get(f"{FLOW}/{begun['flow_id']}")
    flow = Flow(admin, FLOW, await answer.json())
    assert flow.last["step_id"] == "reauth_confirm"
    assert flow.last["description_placeholders"]["name"] == "Radarr"
    await flow.send({CONF_API_KEY: "still wrong"})
    assert flow.last["errors"] == {CONF_API_KEY: "invalid_auth"}
    stack.radarr.misbehave("500")
    await flow.send({CONF_API_KEY: "a-new-key"})
    assert flow.last["errors"] == {"base": "server_fault"}
    stack.radarr.behave()
    await flow.send({CONF_API_KEY: " a-new-key "})
    assert flow.last["type"] == "abort"
    assert flow.last["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.data[CONF_API_KEY] == "a-new-key"
    assert entry.data[CONF_URL] == stack.radarr.url
    assert entry.state is ConfigEntryState.LOADED


async def reconfigure(admin: TestClient[Any, Any], entry_id: str) -> Flow:
    return await Flow.begin(admin, FLOW, handler=DOMAIN, entry_id=entry_id)


async def test_a_new_address(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    entry = services(hass)["Radarr"]
    before = dict(entry.data)
    flow = await reconfigure(admin, entry.entry_id)
    assert flow.suggested(CONF_URL) == stack.radarr.url
    assert flow.suggested(CONF_TIER) == "hd"
    assert flow.suggested(CONF_VERIFY_SSL, section="tls") is True
    assert flow.suggested(CONF_API_KEY) is None
    shown = flow.last["description_placeholders"]["webhook_address"]
    assert shown == (f"{hass.config.internal_url}/api/webhook/{entry.data[CONF_WEBHOOK_ID]}")
    alias = stack.radarr.url.replace("127.0.0.1", "localhost")
    await flow.send({CONF_URL: "http://radarr.invalid", CONF_TIER: "mixed", "rotate": False})
    assert flow.last["errors"] == {CONF_URL: "name_not_found"}
    await flow.send({CONF_URL: alias, CONF_TIER: "mixed", "rotate": False})
    assert flow.last["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.data == before | {CONF_URL: alias, CONF_TIER: "mixed"}
    assert entry.state is ConfigEntryState.LOADED


async def test_an_address_that_another_service_took_meanwhile(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    (entry,) = services(hass).values()
    moving = await reconfigure(admin, entry.entry_id)
    uhd = {CONF_URL: stack.radarr_4k.url, CONF_API_KEY: stack.radarr_4k.api_key, CONF_TIER: "4k"}
    adding = await begin_adding(admin, "radarr")
    await asyncio.gather(moving.send(uhd | {"rotate": False}), adding.send(uhd))
    reasons = {moving.last.get("reason"), adding.last.get("reason")}
    assert "already_configured" in reasons
    urls = [entry.data[CONF_URL] for entry in services(hass).values()]
    assert urls.count(stack.radarr_4k.url) == 1
    await hass.async_block_till_done()


async def test_a_new_webhook_address_and_secret(
    hass: HomeAssistant, house: House, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    entry = services(hass)["Radarr"]
    record = house.runtime.records[entry.entry_id]
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="a webhook")
    old = dict(entry.data)
    flow = await reconfigure(admin, entry.entry_id)
    await flow.send({CONF_URL: stack.radarr.url, CONF_TIER: "hd", "rotate": True})
    assert flow.last["reason"] == "reconfigure_successful"
    assert entry.data[CONF_WEBHOOK_ID] != old[CONF_WEBHOOK_ID]
    assert entry.data[CONF_WEBHOOK_SECRET] != old[CONF_WEBHOOK_SECRET]
    await house.until(
        lambda: any(
            str(row.values["url"]).endswith(entry.data[CONF_WEBHOOK_ID])
            for row in stack.radarr.connections.rows.values()
        ),
        what="the new id in Radarr",
    )
    assert len(stack.radarr.connections.rows) == 1
    (row,) = stack.radarr.connections.rows.values()
    assert row.values["password"] == entry.data[CONF_WEBHOOK_SECRET]


async def test_changing_a_seerr_looks_again_at_what_it_knows(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    flow = await add(admin, "seerr", seerr(stack))
    await flow.send({"services": []})
    await add(admin, "radarr", radarr(stack))
    found = services(hass)
    await hass.async_block_till_done()
    # Already when the Radarr was added, its Seerr was asked.
    assert found["Seerr"].data[CONF_SEERR_SERVERS] == {"radarr:0": found["Radarr"].entry_id}
    hass.config_entries.async_update_entry(
        found["Seerr"], data={**found["Seerr"].data, CONF_SEERR_SERVERS: {"sonarr:0": "kept"}}
    )
    flow = await reconfigure(admin, found["Seerr"].entry_id)
    await flow.send({CONF_URL: stack.seerr.url, "rotate": False})
    assert flow.last["reason"] == "reconfigure_successful"
    assert found["Seerr"].data[CONF_SEERR_SERVERS] == {
        "radarr:0": found["Radarr"].entry_id,
        "sonarr:0": "kept",
    }
    await hass.async_block_till_done()


async def test_the_board_has_no_address(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    board = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, "board")
    assert board is not None
    flow = await reconfigure(admin, board.entry_id)
    assert flow.last["type"] == "abort"
    assert flow.last["reason"] == "board_has_no_address"


async def test_there_is_one_board(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_SYSTEM})
    assert result["reason"] == "already_configured"


# --- options ------------------------------------------------------------------------------------


async def test_options_of_a_service(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    entry = services(hass)["Radarr"]
    flow = await Flow.begin(admin, OPTIONS, handler=entry.entry_id)
    assert flow.last["step_id"] == "service"
    assert hass.config.internal_url in flow.last["description_placeholders"]["addresses"]
    assert flow.suggested("webhook_mode") == "automatic"
    assert flow.field(CONF_INTERVAL_HOURS, section="schedule")["default"] == 24
    typed = {
        "webhook_mode": "automatic",
        CONF_CALLBACK_URL: " HA.home:8123/ ",
        CONF_ALLOW_CLOUD: False,
        "access": {CONF_LOCAL_ONLY: True, CONF_ALLOWED_ADDRESSES: ["127.0.0.1", "", "10.1.2.3/8"]},
        "schedule": {CONF_SCHEDULE_ENABLED: True, CONF_INTERVAL_HOURS: 6},
    }
    await flow.send(typed)
    assert flow.last["type"] == "create_entry"
    await hass.async_block_till_done()
    assert entry.options == {
        CONF_CALLBACK_URL: "http://ha.home:8123",
        CONF_ALLOW_CLOUD: False,
        CONF_MANUAL_WEBHOOK: False,
        CONF_POLLING_ONLY: False,
        CONF_TAKE_OVER: False,
        CONF_LOCAL_ONLY: True,
        CONF_ALLOWED_ADDRESSES: ["127.0.0.1/32", "10.0.0.0/8"],
        CONF_SCHEDULE_ENABLED: True,
        CONF_INTERVAL_HOURS: 6,
    }
    flow = await Flow.begin(admin, OPTIONS, handler=entry.entry_id)
    assert flow.suggested(CONF_CALLBACK_URL) == "http://ha.home:8123"
    assert flow.suggested(CONF_LOCAL_ONLY, section="access") is True
    assert flow.suggested(CONF_INTERVAL_HOURS, section="schedule") == 6


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({CONF_CALLBACK_URL: "http://"}, {CONF_CALLBACK_URL: "invalid_url"}),
        ({CONF_CALLBACK_URL: "http://a:b@c"}, {CONF_CALLBACK_URL: "url_with_login"}),
        ({"access": {CONF_ALLOWED_ADDRESSES: ["nowhere"]}}, {"base": "invalid_network"}),
        (
            {CONF_ALLOW_CLOUD: True, "access": {CONF_LOCAL_ONLY: True}},
            {"base": "cloud_is_not_local"},
        ),
    ],
)
async def test_options_that_cannot_be(
    hass: HomeAssistant,
    admin: TestClient[Any, Any],
    stack: Stack,
    changes: dict[str, Any],
    errors: dict[str, str],
) -> None:
    await add(admin, "radarr", radarr(stack))
    entry = services(hass)["Radarr"]
    flow = await Flow.begin(admin, OPTIONS, handler=entry.entry_id)
    typed = {"webhook_mode": "automatic", CONF_ALLOW_CLOUD: False}
    await flow.send(typed | changes)
    assert flow.last["errors"] == errors
    assert entry.options == {}
    await flow.send(typed)
    assert flow.last["type"] == "create_entry"
    await hass.async_block_till_done()


@pytest.mark.parametrize("kind", ["radarr", "seerr"])
async def test_a_webhook_by_hand_shows_what_to_enter(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack, kind: str
) -> None:
    if kind == "radarr":
        await add(admin, "radarr", radarr(stack))
    else:
        await (await add(admin, "seerr", seerr(stack))).send({"services": []})
    (entry,) = services(hass).values()
    flow = await Flow.begin(admin, OPTIONS, handler=entry.entry_id)
    await flow.send(
        {
            "webhook_mode": "manual",
            CONF_ALLOW_CLOUD: False,
            CONF_CALLBACK_URL: "http://ha.home:8123",
        }
    )
    assert flow.last["step_id"] == "manual"
    assert flow.last["description_placeholders"]["guide"] == by_hand_url(kind)
    values = flow.last["description_placeholders"]["values"]
    assert f"`http://ha.home:8123/api/webhook/{entry.data[CONF_WEBHOOK_ID]}`" in values
    assert entry.data[CONF_WEBHOOK_SECRET] in values
    assert ("Authorization Header" in values) is (kind == "seerr")
    assert ("Username: `media_arrivals`" in values) is (kind == "radarr")
    await flow.send({})
    assert flow.last["type"] == "create_entry"
    await hass.async_block_till_done()
    assert entry.options[CONF_MANUAL_WEBHOOK]
    flow = await Flow.begin(admin, OPTIONS, handler=entry.entry_id)
    assert flow.suggested("webhook_mode") == "manual"
    await flow.send({"webhook_mode": "polling_only", CONF_ALLOW_CLOUD: False})
    await hass.async_block_till_done()
    assert not entry.options[CONF_MANUAL_WEBHOOK]
    assert entry.options[CONF_POLLING_ONLY]
    flow = await Flow.begin(admin, OPTIONS, handler=entry.entry_id)
    assert flow.suggested("webhook_mode") == "polling_only"


async def test_options_of_the_board(
    hass: HomeAssistant, admin: TestClient[Any, Any], stack: Stack
) -> None:
    await add(admin, "radarr", radarr(stack))
    board = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, "board")
    assert board is not None
    flow = await Flow.begin(admin, OPTIONS, handler=board.entry_id)
    assert flow.last["step_id"] == "board"
    fields = {one["name"]: one for one in flow.last["data_schema"]}
    stuck = {one["name"]: one["default"] for one in fields.pop("stuck")["schema"]}
    assert stuck == {
        "stuck_hand_over": 15,
        "stuck_grab": 6,
        "stuck_progress": 30,
        "stuck_import": 15,
        "stuck_found": 30,
    }
    defaults = {name: one["default"] for name, one in fields.items()}
    assert defaults == {
        "requester_names": "household",
        "watch_data": "household",
        "finished_days": 30,
        "timeline_days": 365,
        "journal_days": 14,
        "journal_rows": 10_000,
        "generic_webhook": False,
        "assist": "read",
        "blueprints": True,
    }
    changed = {"requester_names": "per_person", "watch_data": "off", "finished_days": 10}
    longer = {**stuck, "stuck_grab": 48.0}
    await flow.send({**defaults, **changed, "stuck": longer})
    assert flow.last["type"] == "create_entry"
    await hass.async_block_till_done()
    assert board.options == {**defaults, **changed, **longer}
    assert repr(board.options["stuck_grab"]) == "48"
    assert repr(board.options["finished_days"]) == "10"
