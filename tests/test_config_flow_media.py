"""Adding media servers and Tautulli: real flows, simulated servers, and a simulated plex.tv."""

import asyncio
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import aiohttp_client
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import coordinator, plex_sign_in, registration
from custom_components.media_arrivals.const import (
    CONF_KIND,
    CONF_OWNER_ID,
    CONF_SERVER_ID,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.engine.connectors.plex.account import Address, Server
from custom_components.media_arrivals.plex_sign_in import ways_to
from custom_components.media_arrivals.runtime import service_entries
from simulator import Stack
from simulator.plex import PlexDouble
from simulator.service import HttpDouble
from tests.flow_helpers import FLOW, Flow, HomeResolver, begin_adding, services
from tests.house import House

KINDS = ["plex", "jellyfin", "emby", "tautulli"]


@pytest.fixture
async def media(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Run a Plex with its plex.tv and its Tautulli, a Jellyfin and an Emby, too."""
    stack.add_tautulli(stack.add_plex())
    stack.add_jellyfin()
    stack.add_emby()
    await stack.start()
    monkeypatch.setattr(account, "PLEX_TV", stack.plex_tv.url)
    monkeypatch.setattr(plex_sign_in, "ASK_SECONDS", 0.01)
    monkeypatch.setattr(registration, "ARRIVAL_SECONDS", 0.3)
    monkeypatch.setattr(coordinator, "Pace", lambda: None)
    return stack


@pytest.fixture
async def admin(
    hass: HomeAssistant,
    media: Stack,
    house: House,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[TestClient[Any, Any]]:
    """Return a client of Home Assistant's API; at the end all entries are gone."""
    monkeypatch.setattr(aiohttp_client, "_async_make_resolver", lambda _: HomeResolver())
    assert await async_setup_component(hass, "config", {})
    yield await hass_client()
    flows = hass.config_entries.flow
    for begun in flows.async_progress_by_handler(DOMAIN):
        flows.async_abort(begun["flow_id"])
    for entry in services(hass).values():
        await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()


def typed(double: HttpDouble, **more: Any) -> dict[str, Any]:
    """Return what a person types for a server."""
    return {CONF_URL: double.url, CONF_API_KEY: double.api_key, **more}


async def begin(admin: TestClient[Any, Any], kind: str) -> Flow:
    """Come to the form of a kind; for Plex, the one that asks for a token."""
    if kind != "plex":
        return await begin_adding(admin, kind)
    flow = await begin_plex(admin)
    await flow.send({"next_step_id": "plex_token"})
    assert flow.last["step_id"] == "plex_token"
    return flow


async def begin_plex(admin: TestClient[Any, Any]) -> Flow:
    """Come to the choice between signing in and a token."""
    flow = await Flow.begin(admin, FLOW, handler=DOMAIN)
    await flow.send({"next_step_id": "plex"})
    assert flow.last["type"] == "menu"
    assert flow.last["menu_options"] == ["plex_sign_in", "plex_token"]
    return flow


async def add(hass: HomeAssistant, admin: TestClient[Any, Any], double: HttpDouble) -> ConfigEntry:
    """Add a server by its form."""
    flow = await begin(admin, double.kind)
    await flow.send(typed(double))
    assert flow.last["type"] == "create_entry", flow.last
    entry = hass.config_entries.async_get_known_entry(flow.last["result"]["entry_id"])
    await hass.async_block_till_done()
    return entry


async def look(flow: Flow) -> Flow:
    """Look at a flow as the front end does when it hears that it went on."""
    answer = await flow.client.get(f"{FLOW}/{flow.last['flow_id']}")
    assert answer.status == 200
    flow.last = await answer.json()
    flow.count()
    return flow


async def until(true: Callable[[], Any], what: str) -> None:
    """Wait for something that happens in real time."""
    for _ in range(400):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"It did not come to this: {what}")


# --- one server, by its form ------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_is_known_by_its_own_id(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any], kind: str
) -> None:
    entry = await add(hass, admin, media.services[kind])
    assert entry.state is ConfigEntryState.LOADED
    server_id = entry.data[CONF_SERVER_ID]
    expected = {
        CONF_KIND: kind,
        CONF_URL: media.services[kind].url,
        CONF_API_KEY: media.services[kind].api_key,
        CONF_VERIFY_SSL: True,
        CONF_SERVER_ID: server_id,
        CONF_WEBHOOK_ID: entry.data[CONF_WEBHOOK_ID],
        CONF_WEBHOOK_SECRET: entry.data[CONF_WEBHOOK_SECRET],
    }
    if kind == "plex":
        expected[CONF_OWNER_ID] = str(media.plex_tv.owner.id)
    assert entry.data == expected
    if kind in {"plex", "tautulli"}:
        assert server_id == media.plex.machine_id
    assert entry.unique_id == (f"tautulli:{server_id}" if kind == "tautulli" else server_id)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_same_server_by_another_address(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any], kind: str
) -> None:
    double = media.services[kind]
    entry = await add(hass, admin, double)
    flow = await begin(admin, kind)
    alias = double.url.replace("127.0.0.1", "localhost")
    await flow.send(typed(double, url=alias))
    assert flow.last["errors"] == {CONF_URL: "already_configured"}
    assert flow.last["description_placeholders"]["title"] == entry.title


async def test_of_two_flows_for_one_server_only_the_faster_adds_it(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    flows = [await begin(admin, "jellyfin") for _ in range(2)]
    jellyfin = media.services["jellyfin"]
    alias = jellyfin.url.replace("127.0.0.1", "localhost")
    await asyncio.gather(flows[0].send(typed(jellyfin)), flows[1].send(typed(jellyfin, url=alias)))
    ends = sorted((flow.last["type"], flow.last.get("reason")) for flow in flows)
    assert ends == [("abort", "already_configured"), ("create_entry", None)]
    await hass.async_block_till_done()


@pytest.mark.parametrize("kind", KINDS)
async def test_each_mistake_has_its_own_word_and_can_be_mended(
    media: Stack, admin: TestClient[Any, Any], kind: str
) -> None:
    double = media.services[kind]
    flow = await begin(admin, kind)
    await flow.send(typed(double, api_key="wrong"))
    word = "invalid_token" if kind == "plex" else "invalid_auth"
    assert flow.last["errors"] == {CONF_API_KEY: word}
    await flow.send(typed(media.radarr))
    other = "bad_answer" if kind == "plex" else "not_found"
    assert flow.last["errors"] == {CONF_URL: other}
    await double.go_down()
    await flow.send(typed(double))
    assert flow.last["errors"] == {CONF_URL: "connection_refused"}
    assert flow.suggested(CONF_URL) == double.url
    await double.go_up()
    double.misbehave("500")
    await flow.send({CONF_URL: double.url})
    assert flow.last["errors"] == {CONF_URL: "server_fault"}
    double.behave()
    # The key that was typed is still known.
    await flow.send({CONF_URL: double.url})
    assert flow.last["type"] == "create_entry"


async def test_a_jellyfin_behind_the_form_of_an_emby(
    media: Stack, admin: TestClient[Any, Any]
) -> None:
    flow = await begin(admin, "emby")
    await flow.send(typed(media.services["jellyfin"]))
    assert flow.last["errors"] == {CONF_URL: "wrong_kind"}
    assert flow.last["description_placeholders"]["right"] == "Jellyfin"


async def test_a_plex_without_a_way_out_can_be_added(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    await media.plex_tv.go_down()
    entry = await add(hass, admin, media.plex)
    assert CONF_OWNER_ID not in entry.data
    assert entry.unique_id == media.plex.machine_id


# --- what is offered --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "domain", "data", "address"),
    [
        (
            "plex",
            "plex",
            {"server": "Home", "server_config": {"url": "https://plex.home:32400", "token": "x"}},
            "https://plex.home:32400",
        ),
        ("jellyfin", "jellyfin", {"url": "http://jelly.home:8096/"}, "http://jelly.home:8096"),
        ("tautulli", "tautulli", {"url": "http://t.home:8181"}, "http://t.home:8181"),
        ("radarr", "radarr", {"url": "http://r.home:7878", "api_key": "x"}, "http://r.home:7878"),
        ("sonarr", "sonarr", {"url": "http://s.home:8989/base"}, "http://s.home:8989/base"),
        (
            "seerr",
            "overseerr",
            {"host": "o.home", "port": 5055, "ssl": True},
            "https://o.home:5055",
        ),
        ("emby", "emby", {"host": "e.home"}, "http://e.home"),
        ("plex", "plex", {"server_config": "what is this"}, None),
        ("emby", "emby", {"host": "e.home", "port": "many"}, None),
        ("emby", "emby", {"url": 17}, None),
        ("emby", "emby", {"url": "http://a:b@e.home"}, None),
    ],
)
async def test_the_address_that_another_integration_knows_is_offered(
    hass: HomeAssistant,
    admin: TestClient[Any, Any],
    kind: str,
    domain: str,
    data: dict[str, Any],
    address: str | None,
) -> None:
    MockConfigEntry(domain=domain, data=data).add_to_hass(hass)
    flow = await begin(admin, kind)
    assert flow.suggested(CONF_URL) == address
    assert flow.suggested(CONF_API_KEY) is None


async def test_what_is_added_already_is_not_offered(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    double = media.services["jellyfin"]
    for url in (double.url, "http://second.home:8096"):
        MockConfigEntry(domain="jellyfin", data={"url": url}).add_to_hass(hass)
    flow = await begin(admin, "jellyfin")
    assert flow.suggested(CONF_URL) == double.url
    await flow.send(typed(double))
    flow = await begin(admin, "jellyfin")
    assert flow.suggested(CONF_URL) == "http://second.home:8096"


# --- signing in at Plex -------------------------------------------------------------------------


async def sign_in(admin: TestClient[Any, Any], media: Stack) -> Flow:
    """Begin to sign in; nobody has agreed yet."""
    flow = await begin_plex(admin)
    await flow.send({"next_step_id": "plex_sign_in"})
    return waiting(flow, media)


def waiting(flow: Flow, media: Stack) -> Flow:
    """See that a flow waits for somebody to agree."""
    assert flow.last["type"] == "progress"
    assert flow.last["progress_action"] == "plex_sign_in"
    pin = media.plex_tv.pins[max(media.plex_tv.pins)]
    assert pin.code in flow.last["description_placeholders"]["url"]
    return flow


def steps(hass: HomeAssistant) -> list[Any]:
    """Return where the flows are that go on."""
    return [flow.get("step_id") for flow in hass.config_entries.flow.async_progress()]


async def agree(hass: HomeAssistant, media: Stack, flow: Flow, **more: Any) -> None:
    """Agree to the latest sign-in, and go on as the front end does when it hears of it."""
    media.plex_tv.agree(max(media.plex_tv.pins), **more)
    await until(lambda: "plex_server" in steps(hass), "the flow goes on")
    await look(flow)
    await hass.async_block_till_done()


async def test_signing_in_finds_token_and_address(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    flow = await sign_in(admin, media)
    assert media.plex_tv.owner.token not in str(flow.last)
    # The way out is down for a moment.
    media.plex_tv.misbehave("500")
    await until(lambda: media.plex_tv.calls[-1].status == 500, "a question that fails")
    media.plex_tv.behave()
    await agree(hass, media, flow)
    (entry,) = services(hass).values()
    assert entry.data[CONF_URL] == media.plex.url
    assert entry.data[CONF_API_KEY] == media.plex_tv.owner.token
    assert entry.unique_id == media.plex.machine_id
    assert entry.title == "plex"


async def test_one_of_several_servers_is_chosen(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    second = media.add_plex("second")
    await media.start()
    flow = await sign_in(admin, media)
    await agree(hass, media, flow)
    assert flow.last["step_id"] == "plex_server"
    offered = flow.field("server")["selector"]["select"]["options"]
    assert {one["value"] for one in offered} == {media.plex.machine_id, second.machine_id}
    await flow.send({"server": second.machine_id})
    assert flow.last["type"] == "create_entry"
    (entry,) = services(hass).values()
    assert entry.data[CONF_URL] == second.url
    # Now there is one left, and none after that.
    flow = await sign_in(admin, media)
    await agree(hass, media, flow)
    assert len(services(hass)) == 2
    flow = await sign_in(admin, media)
    await agree(hass, media, flow)
    assert flow.last["step_id"] == "plex_no_server"
    await flow.send({"next_step_id": "plex_sign_in"})
    waiting(flow, media)


async def test_a_guest_gets_the_token_that_works_at_the_server(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    guest = media.plex_tv.add_account("Guest", 4711)
    media.plex.users[guest.id] = guest.name
    flow = await sign_in(admin, media)
    await agree(hass, media, flow, account=guest)
    (entry,) = services(hass).values()
    assert entry.data[CONF_API_KEY] == media.plex.server_token


async def test_a_server_that_is_not_reached_is_asked_for(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    await media.plex.go_down()
    flow = await sign_in(admin, media)
    await agree(hass, media, flow)
    assert flow.last["step_id"] == "plex_token"
    assert flow.last["errors"] == {CONF_URL: "connection_refused"}
    assert flow.suggested(CONF_URL) == media.plex.url
    assert media.plex_tv.owner.token not in str(flow.last)
    await media.plex.go_up()
    await flow.send({CONF_URL: media.plex.url})
    assert flow.last["type"] == "create_entry"
    (entry,) = services(hass).values()
    assert entry.data[CONF_API_KEY] == media.plex_tv.owner.token


async def test_another_server_at_its_address_is_not_taken_for_it(
    hass: HomeAssistant,
    media: Stack,
    admin: TestClient[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = PlexDouble.resource

    def moved_away(server: PlexDouble, account: Any) -> Any:
        found = listed(server, account)
        assert isinstance(found, dict)
        return found | {"clientIdentifier": "somebody-else"}

    monkeypatch.setattr(PlexDouble, "resource", moved_away)
    flow = await sign_in(admin, media)
    await agree(hass, media, flow)
    assert flow.last["errors"] == {CONF_URL: "wrong_server"}
    assert services(hass) == {}


async def test_a_server_without_an_address(
    hass: HomeAssistant,
    media: Stack,
    admin: TestClient[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = PlexDouble.resource
    monkeypatch.setattr(
        PlexDouble,
        "resource",
        lambda server, account: {**listed(server, account), "connections": []},
    )
    flow = await sign_in(admin, media)
    await agree(hass, media, flow)
    assert flow.last["step_id"] == "plex_token"
    assert flow.last["errors"] == {}
    assert flow.field(CONF_API_KEY).get("required") is not True


async def test_nobody_agrees(
    hass: HomeAssistant,
    media: Stack,
    admin: TestClient[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plex_sign_in, "PATIENCE", 0.1)
    flow = await begin_plex(admin)
    await flow.send({"next_step_id": "plex_sign_in"})
    await until(lambda: "plex_failed" in steps(hass), "the end of all patience")
    await look(flow)
    assert flow.last["step_id"] == "plex_failed"
    assert flow.last["menu_options"] == ["plex_sign_in", "plex_token"]
    await flow.send({"next_step_id": "plex_token"})
    await flow.send(typed(media.plex))
    assert flow.last["type"] == "create_entry"


async def test_a_code_that_is_not_good_any_more(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    flow = await sign_in(admin, media)
    media.plex_tv.pins.clear()
    await until(lambda: "plex_failed" in steps(hass), "the end of the code")
    await look(flow)
    assert flow.last["step_id"] == "plex_failed"


async def test_plex_tv_cannot_be_reached(media: Stack, admin: TestClient[Any, Any]) -> None:
    await media.plex_tv.go_down()
    flow = await begin_plex(admin)
    await flow.send({"next_step_id": "plex_sign_in"})
    assert flow.last["step_id"] == "plex_failed"
    await media.plex_tv.go_up()
    await flow.send({"next_step_id": "plex_sign_in"})
    waiting(flow, media)


def test_the_address_within_a_name_of_plex_is_tried_after_the_name() -> None:
    near = "https://192-168-1-10.0123456789abcdef.plex.direct:32400"
    far = "https://203-0-113-5.0123456789abcdef.plex.direct:32400"
    server = Server(
        server_id="1",
        name="Home",
        owned=True,
        owner_id=None,
        token="token",
        addresses=(
            Address(url=near, local=True, relay=False),
            Address(url="http://10.0.0.2:32400", local=True, relay=False),
            Address(url=far, local=False, relay=False),
        ),
    )
    assert ways_to(server) == (near, "http://192.168.1.10:32400", "http://10.0.0.2:32400", far)


# --- a Plex that announces itself ----------------------------------------------------------------


def announcement(double: PlexDouble, **more: Any) -> ZeroconfServiceInfo:
    """Return what the network says of a Plex server."""
    address = ip_address("127.0.0.1")
    told: dict[str, Any] = {
        "ip_address": address,
        "ip_addresses": [address],
        "port": double.port,
        "hostname": "nas.local.",
        "type": "_plexmediasvr._tcp.local.",
        "name": "Attic._plexmediasvr._tcp.local.",
        "properties": {},
    }
    return ZeroconfServiceInfo(**told | more)


async def announce(hass: HomeAssistant, info: ZeroconfServiceInfo) -> dict[str, Any]:
    """Have Home Assistant find a server."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info
    )
    return dict(result)


async def found(hass: HomeAssistant, admin: TestClient[Any, Any], double: PlexDouble) -> Flow:
    """Open the dialog about a server that was found."""
    result = await announce(hass, announcement(double))
    assert result["step_id"] == "discovered"
    assert result["description_placeholders"] == {"name": "Attic", "address": double.url}
    flow = Flow(admin, FLOW, {"flow_id": result["flow_id"]})
    return await look(flow)


async def test_a_plex_that_announces_itself_only_wants_a_token(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    flow = await found(hass, admin, media.plex)
    (begun,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert begun["context"]["title_placeholders"] == {"name": "Attic"}
    await flow.send({"next_step_id": "plex_token"})
    assert flow.suggested(CONF_URL) == media.plex.url
    await flow.send(typed(media.plex))
    assert flow.last["type"] == "create_entry"
    (entry,) = services(hass).values()
    assert entry.unique_id == media.plex.machine_id
    await hass.async_block_till_done()


async def test_signing_in_takes_the_server_that_was_found(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    second = media.add_plex("second")
    await media.start()
    flow = await found(hass, admin, second)
    await flow.send({"next_step_id": "plex_sign_in"})
    waiting(flow, media)
    await agree(hass, media, flow)
    (entry,) = services(hass).values()
    assert entry.unique_id == second.machine_id
    assert entry.data[CONF_URL] == second.url


async def test_a_plex_that_is_known_is_not_found_again(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    entry = await add(hass, admin, media.plex)
    alias = media.plex.url.replace("127.0.0.1", "localhost")
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_URL: alias})
    before = dict(entry.data)
    result = await announce(hass, announcement(media.plex))
    assert (result["type"], result["reason"]) == ("abort", "already_configured")
    # It works where it is.
    assert entry.data == before


async def test_a_plex_that_moved_is_followed(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    entry = await add(hass, admin, media.plex)
    closed = "http://127.0.0.1:9"
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_URL: closed})
    entry.runtime_data.coordinator.runtime.cursors.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    result = await announce(hass, announcement(media.plex))
    assert result["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert entry.data[CONF_URL] == media.plex.url
    await until(lambda: entry.state is ConfigEntryState.LOADED, "the server is back")


@pytest.mark.parametrize("stored", ["http://plex.home:9", "https://127.0.0.1:9"])
async def test_an_address_that_was_chosen_is_kept(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any], stored: str
) -> None:
    entry = await add(hass, admin, media.plex)
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_URL: stored})
    entry.runtime_data.coordinator.runtime.cursors.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    await announce(hass, announcement(media.plex))
    assert entry.data[CONF_URL] == stored


@pytest.mark.parametrize("fault", ["500", "html", None])
async def test_what_announces_itself_and_is_no_plex(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any], fault: str | None
) -> None:
    if fault is not None:
        media.plex.misbehave(fault)
    result = await announce(
        hass, announcement(media.plex, port=media.radarr.port if fault is None else media.plex.port)
    )
    assert (result["type"], result["reason"]) == ("abort", "cannot_connect")
    result = await announce(hass, announcement(media.plex, port=None))
    assert result["reason"] == "cannot_connect"


async def test_a_server_that_is_ignored_is_in_nobodys_way(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    flow = await found(hass, admin, media.plex)
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_IGNORE},
        data={"unique_id": media.plex.machine_id, "title": "Attic"},
    )
    assert result["type"] == "create_entry"
    answer = await admin.get(f"{FLOW}/{flow.last['flow_id']}")
    assert answer.status == 404
    assert (await announce(hass, announcement(media.plex)))["reason"] == "already_configured"
    assert service_entries(hass) == []
    # Whoever wants it after all can add it.
    await add(hass, admin, media.plex)
    assert [entry.data[CONF_KIND] for entry in service_entries(hass)] == ["plex"]


# --- what exists already --------------------------------------------------------------------------


async def renew(hass: HomeAssistant, admin: TestClient[Any, Any], entry: ConfigEntry) -> Flow:
    """Open the dialog that asks for a new key."""
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (begun,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return await look(Flow(admin, FLOW, {"flow_id": begun["flow_id"]}))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_key(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any], kind: str
) -> None:
    double = media.services[kind]
    entry = await add(hass, admin, double)
    before = dict(entry.data)
    hass.config_entries.async_update_entry(entry, data={**before, CONF_API_KEY: "old"})
    flow = await renew(hass, admin, entry)
    if kind == "plex":
        assert flow.last["step_id"] == "reauth_plex"
        await flow.send({"next_step_id": "plex_token"})
        assert flow.last["step_id"] == "reauth_token"
    await flow.send({CONF_API_KEY: "wrong"})
    word = "invalid_token" if kind == "plex" else "invalid_auth"
    assert flow.last["errors"] == {CONF_API_KEY: word}
    await flow.send({CONF_API_KEY: double.api_key})
    assert flow.last["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    assert entry.data == before


async def test_a_new_token_by_signing_in(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    media.add_plex("second")
    await media.start()
    entry = await add(hass, admin, media.plex)
    before = dict(entry.data)
    hass.config_entries.async_update_entry(entry, data={**before, CONF_API_KEY: "old"})
    flow = await renew(hass, admin, entry)
    await flow.send({"next_step_id": "plex_sign_in"})
    waiting(flow, media)
    await agree(hass, media, flow)
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN) == []
    assert entry.data == before


async def test_signing_in_with_the_wrong_account(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any]
) -> None:
    stranger = media.plex_tv.add_account("Stranger", 4712)
    entry = await add(hass, admin, media.plex)
    before = dict(entry.data)
    flow = await renew(hass, admin, entry)
    await flow.send({"next_step_id": "plex_sign_in"})
    waiting(flow, media)
    await agree(hass, media, flow, account=stranger)
    assert flow.last["step_id"] == "plex_no_server"
    assert entry.data == before


@pytest.mark.parametrize("kind", ["plex", "jellyfin", "emby", "tautulli"])
async def test_another_server_cannot_take_the_place_of_one(
    hass: HomeAssistant, media: Stack, admin: TestClient[Any, Any], kind: str
) -> None:
    other: HttpDouble
    if kind == "tautulli":
        other = media.add_tautulli(media.add_plex("second"), "other")
    else:
        other = getattr(media, f"add_{kind}")("other")
    await media.start()
    double = media.services[kind]
    entry = await add(hass, admin, double)
    before = dict(entry.data)
    flow = await Flow.begin(admin, FLOW, handler=DOMAIN, entry_id=entry.entry_id)
    assert flow.last["step_id"] == "reconfigure"
    await flow.send(typed(other, rotate=False))
    assert flow.last["errors"] == {CONF_URL: "wrong_server"}
    assert entry.data == before
    alias = double.url.replace("127.0.0.1", "localhost")
    await flow.send({CONF_URL: alias, "rotate": False})
    assert flow.last["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.data == before | {CONF_URL: alias}
