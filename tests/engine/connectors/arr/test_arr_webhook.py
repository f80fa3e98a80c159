"""Our webhook in Radarr and Sonarr: installed, compared, tested, told apart, removed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from custom_components.media_arrivals.engine.connectors.arr.client import ArrClient
from custom_components.media_arrivals.engine.connectors.arr.webhook import cause_of
from custom_components.media_arrivals.engine.connectors.base import (
    BadAnswerError,
    Connection,
    PollView,
    RefusedError,
    RemoteWebhook,
    ServerFaultError,
    WebhookCause,
    WebhookError,
    WebhookState,
)
from custom_components.media_arrivals.engine.connectors.clients import make_client
from custom_components.media_arrivals.engine.connectors.radarr.client import RadarrClient
from simulator import RadarrDouble, SonarrDouble, Stack
from tests.engine.connectors.arr.bodies import NOW, RADARR, SONARR, Doc
from tests.engine.connectors.arr.conftest import Receiver

ALL = frozenset({"grab", "import", "added"})
MARK = "Home Assistant (Media Arrivals 01234567)"

type Double = RadarrDouble | SonarrDouble


@pytest.fixture(params=["radarr", "sonarr"])
def double(request: pytest.FixtureRequest, stack: Stack) -> Double:
    return stack.radarr if request.param == "radarr" else stack.sonarr


@pytest.fixture
def client(double: Double, session: ClientSession) -> ArrClient:
    found = make_client(double.kind, session, connection(double))
    assert isinstance(found, ArrClient)
    return found


def connection(double: Double) -> Connection:
    return Connection(url=double.url, api_key=double.api_key)


def ours(double: Double) -> Any:
    """Return the one connection that the service has."""
    (row,) = double.connections.rows.values()
    return row


def writes(double: Double) -> list[str]:
    found = [call.method for call in double.calls if call.method != "GET"]
    double.calls.clear()
    return found


async def test_it_is_installed_without_a_test_and_switched_on(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    assert await client.read_webhook(target) == RemoteWebhook(state=WebhookState.ABSENT)
    found = await client.install_webhook(target)
    assert found == RemoteWebhook(state=WebhookState.REGISTERED, events=ALL)
    assert receiver.received == []
    assert writes(double) == ["POST", "PUT"]
    row = ours(double)
    assert row.name == MARK
    assert row.values["url"] == target.url
    assert (row.values["username"], row.values["password"]) == ("media_arrivals", "s3cret")
    assert row.tags == []
    on = {flag for flag, value in row.flags.items() if value}
    common = {
        "onGrab",
        "onDownload",
        "onUpgrade",
        "onHealthIssue",
        "onHealthRestored",
        "onManualInteractionRequired",
    }
    own = (
        {"onMovieAdded", "onMovieDelete", "onMovieFileDelete"}
        if double.kind == "radarr"
        else {"onSeriesAdd", "onSeriesDelete", "onEpisodeFileDelete"}
    )
    assert on == common | own


async def test_it_is_written_only_if_something_differs(
    double: Double, client: ArrClient, receiver: Receiver, session: ClientSession
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    writes(double)
    assert (await client.install_webhook(target)).state is WebhookState.REGISTERED
    assert writes(double) == []
    # A new client cannot see the password, so it writes it once to be sure.
    again = make_client(double.kind, session, connection(double))
    assert isinstance(again, ArrClient)
    await again.install_webhook(target)
    await again.install_webhook(target)
    assert writes(double) == ["PUT"]
    rotated = receiver.target(secret="an0ther")
    await again.install_webhook(rotated)
    assert writes(double) == ["PUT"]
    assert ours(double).values["password"] == "an0ther"


async def test_the_secret_arrives_with_every_delivery(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    await client.test_webhook(target)
    ((path, method, authorization),) = receiver.received
    assert (path, method) == ("/api/webhook/c0ffee", "POST")
    assert authorization == "Basic bWVkaWFfYXJyaXZhbHM6czNjcmV0"


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.values.update(url="http://127.0.0.1:1/api/webhook/c0ffee"),
        lambda row: row.values.update(username="somebody"),
        lambda row: row.values.update(method=2),
        lambda row: row.values.update(password=""),
        lambda row: row.flags.update(onGrab=False),
        lambda row: row.flags.update(onManualInteractionRequired=False),
    ],
)
async def test_what_differs_is_noticed_and_mended(
    double: Double, client: ArrClient, receiver: Receiver, change: Callable[[Any], None]
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    change(ours(double))
    assert (await client.read_webhook(target)).state is WebhookState.DIFFERENT
    writes(double)
    assert (await client.install_webhook(target)).state is WebhookState.REGISTERED
    assert writes(double) == ["PUT"]
    assert ours(double).values["password"] == "s3cret"


async def test_what_the_user_changed_beside_it_stays(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    row = ours(double)
    row.name = "My arrivals"
    row.flags |= {"onRename": True, "onGrab": False}
    row.tags = [1]
    row.values["headers"] = [{"key": "X-Proxy", "value": "1"}]
    await client.install_webhook(target)
    row = ours(double)
    assert row.name == "My arrivals"
    assert row.flags["onRename"]
    assert row.flags["onGrab"]
    assert row.tags == [1]
    assert row.values["headers"] == [{"key": "X-Proxy", "value": "1"}]


async def test_events_are_read_back_from_what_it_subscribes_to(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    row = ours(double)
    row.flags["onGrab"] = False
    assert (await client.read_webhook(target)).events == {"import", "added"}
    row.flags["onUpgrade"] = False
    assert (await client.read_webhook(target)).events == {"added"}
    # With a tag it is silent about most titles: none of them can be called missed.
    row.flags |= {"onGrab": True, "onUpgrade": True}
    row.tags = [3]
    assert (await client.read_webhook(target)).events == frozenset()


@pytest.mark.parametrize("version", ["3.0.10.1567", "4.0.0.741", "4.0.5.1710"])
async def test_older_versions_know_fewer_events(
    session: ClientSession, receiver: Receiver, version: str
) -> None:
    stack = Stack()
    double = stack.add_sonarr(version=version)
    async with stack:
        client = make_client("sonarr", session, connection(double))
        assert isinstance(client, ArrClient)
        target = receiver.target()
        found = await client.install_webhook(target)
        assert found.state is WebhookState.REGISTERED
        assert found.events == (ALL if version > "4" else {"grab", "import"})
        await client.test_webhook(target)
        assert len(receiver.received) == 1


async def test_an_unsupported_event_is_not_switched_on(session: ClientSession) -> None:
    written: list[Doc] = []
    resource: Doc = {
        "id": 5,
        "implementation": "Webhook",
        "name": MARK,
        "onGrab": False,
        "onDownload": False,
        "onUpgrade": False,
        "onMovieAdded": False,
        "supportsOnGrab": True,
        "supportsOnMovieAdded": False,
        "fields": [{"name": "headers", "value": None}, {"label": "odd"}, "odd"],
    }

    async def handler(request: web.Request) -> web.Response:
        if request.method == "PUT":
            assert request.query["forceSave"] == "true"
            written.append(await request.json())
            resource.update(written[-1])
            return web.json_response(resource, status=202)
        return web.json_response([resource] if "notification" in request.path else [])

    receiver = Receiver(base="http://ha.example")
    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        found = await client.install_webhook(receiver.target())
    assert found.state is WebhookState.REGISTERED
    assert found.events == {"grab", "import"}
    (body,) = written
    assert (body["onGrab"], body["onMovieAdded"]) == (True, False)
    # A list of headers that is null breaks every delivery.
    assert {field["name"] for field in body["fields"]} == {"url", "method", "username", "password"}


def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> TestServer:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    return TestServer(app)


async def test_it_is_known_by_our_mark_when_its_address_changed(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    await client.install_webhook(receiver.target(webhook_id="0ld"))
    target = receiver.target(webhook_id="n3w")
    assert (await client.read_webhook(target)).state is WebhookState.DIFFERENT
    await client.install_webhook(target)
    assert ours(double).values["url"] == target.url


async def test_another_home_assistants_is_never_touched(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    theirs = receiver.target(webhook_id="th31rs", instance_id="ffffffff0000")
    await client.install_webhook(theirs)
    target = receiver.target()
    assert (await client.read_webhook(target)).state is WebhookState.ABSENT
    await client.install_webhook(target)
    await client.remove_webhook(target)
    row = ours(double)
    assert row.values["url"] == theirs.url


async def test_a_webhook_made_by_hand_is_ours_by_its_address(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    ours(double).name = "by hand"
    found = await client.read_webhook(target)
    assert found.state is WebhookState.REGISTERED


async def test_other_kinds_of_connections_are_not_looked_at(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    ours(double).implementation = "Discord"
    assert (await client.read_webhook(target)).state is WebhookState.ABSENT


async def test_removing_it_leaves_the_others(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.remove_webhook(target)
    assert writes(double) == []
    await client.install_webhook(target)
    await client.install_webhook(receiver.target(webhook_id="0ther", instance_id="f" * 32))
    await client.remove_webhook(target)
    assert ours(double).values["url"].endswith("0ther")
    await client.remove_webhook(target)


async def test_one_that_vanished_meanwhile_is_removed_already(session: ClientSession) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.method == "DELETE":
            return web.Response(status=404)
        fields = [{"name": "url", "value": "http://ha.example/api/webhook/c0ffee"}]
        rows = [{"id": number, "implementation": "Webhook", "fields": fields} for number in (0, 4)]
        return web.json_response(rows)

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        await client.remove_webhook(Receiver().target())


# --- mute ---------------------------------------------------------------------------------


async def test_a_mute_is_read_and_lifted_by_a_test(
    double: Double, client: ArrClient, receiver: Receiver, stack: Stack
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    receiver.status = 500
    for _ in range(3):
        stack.clock.advance(400)
        await double.health("error", "IndexerStatusCheck", "away")
    assert (await client.read_webhook(target)).muted
    receiver.status = 200
    await client.test_webhook(target)
    assert not (await client.read_webhook(target)).muted


@pytest.mark.parametrize(
    ("message", "muted"),
    [
        (f"Notifications unavailable due to failures: {MARK}", True),
        ("Notifications unavailable due to failures: Discord", False),
        ("All notifications are unavailable due to failures", True),
    ],
)
async def test_a_mute_is_ours_if_it_names_us_or_all(
    double: Double, client: ArrClient, receiver: Receiver, message: str, muted: bool
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    await double.health("warning", "NotificationStatusCheck", message)
    assert (await client.read_webhook(target)).muted is muted
    service = RADARR if client.product == "Radarr" else SONARR
    poll = await client.poll(service, {}, PollView(), NOW)
    assert poll.muted is muted


async def test_without_a_webhook_no_mute_is_ours(double: Double, client: ArrClient) -> None:
    await double.health("warning", "NotificationStatusCheck", "All notifications are unavailable")
    service = RADARR if client.product == "Radarr" else SONARR
    poll = await client.poll(service, {}, PollView(), NOW)
    assert poll.health
    assert not poll.muted


async def test_one_that_is_switched_off_is_silent(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    ours(double).flags.clear()
    found = await client.read_webhook(target)
    assert (found.state, found.events, found.muted) == (WebhookState.DIFFERENT, frozenset(), True)


# --- why it does not work ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, WebhookCause.UNTRUSTED_PROXY),
        (401, WebhookCause.NOT_ALLOWED),
        (403, WebhookCause.NOT_ALLOWED),
        (404, WebhookCause.OTHER),
        (405, WebhookCause.REDIRECT),
        (410, WebhookCause.OTHER),
        (504, WebhookCause.TIMEOUT),
    ],
)
async def test_what_our_side_answers_is_told_apart(
    double: Double, client: ArrClient, receiver: Receiver, status: int, cause: WebhookCause
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    receiver.status = status
    with pytest.raises(WebhookError) as caught:
        await client.test_webhook(target)
    assert caught.value.cause is cause
    assert str(status) in caught.value.detail
    assert "c0ffee" not in caught.value.detail


TEXTS = [
    # What .NET says on Debian, Alpine, macOS and Windows.
    ("Name or service not known (ha.example:8123)", WebhookCause.NAME_NOT_FOUND),
    ("Name does not resolve (ha.example:8123)", WebhookCause.NAME_NOT_FOUND),
    ("nodename nor servname provided, or not known (ha:8123)", WebhookCause.NAME_NOT_FOUND),
    ("No such host is known. (ha.example:8123)", WebhookCause.NAME_NOT_FOUND),
    ("Temporary failure in name resolution (ha.example:8123)", WebhookCause.NAME_NOT_FOUND),
    ("Resource temporarily unavailable (homeassistant.local:8123)", WebhookCause.NAME_NOT_FOUND),
    ("Try again (homeassistant.local:8123)", WebhookCause.NAME_NOT_FOUND),
    ("Connection refused (192.168.1.5:8123)", WebhookCause.REFUSED),
    (
        "No connection could be made because the target machine actively refused it.",
        WebhookCause.REFUSED,
    ),
    (
        "The SSL connection could not be established, see inner exception.",
        WebhookCause.CERTIFICATE,
    ),
    (
        "The remote certificate is invalid because of errors in the certificate chain",
        WebhookCause.CERTIFICATE,
    ),
    ("The operation has timed out.", WebhookCause.TIMEOUT),
    ("Http request timed out", WebhookCause.TIMEOUT),
    ("The operation was canceled.", WebhookCause.TIMEOUT),
    ("A task was canceled.", WebhookCause.TIMEOUT),
    ("No route to host (192.168.1.5:8123)", WebhookCause.TIMEOUT),
    ("Network is unreachable (192.168.1.5:8123)", WebhookCause.TIMEOUT),
    ("HTTP request failed: [400:BadRequest] [POST] at [https://x]", WebhookCause.UNTRUSTED_PROXY),
    ("HTTP request failed: [401:Unauthorized] [POST] at [https://x]", WebhookCause.NOT_ALLOWED),
    ("HTTP request failed: [403:Forbidden] [POST] at [https://x]", WebhookCause.NOT_ALLOWED),
    ("HTTP request failed: [404:NotFound] [POST] at [https://x]", WebhookCause.OTHER),
    ("HTTP request failed: [405:MethodNotAllowed] [GET] at [https://x]", WebhookCause.REDIRECT),
    ("HTTP request failed: [301:Moved] [POST] at [https://x]", WebhookCause.REDIRECT),
    ("Response status code does not indicate success: 403 (Forbidden).", WebhookCause.NOT_ALLOWED),
    ("Too many automatic redirections were attempted", WebhookCause.REDIRECT),
    ("Object reference not set to an instance of an object.", None),
]


@pytest.mark.parametrize(("text", "cause"), TEXTS)
def test_foreign_words_are_understood(text: str, cause: WebhookCause | None) -> None:
    assert cause_of(text) is cause


@pytest.mark.parametrize(
    ("status", "body", "cause", "detail"),
    [
        (
            400,
            [{"propertyName": "Url", "errorMessage": "Unable to send test message: [401:x]"}],
            WebhookCause.NOT_ALLOWED,
            "Unable to send test message: [401:x]",
        ),
        (
            500,
            {"message": "Connection refused (192.168.1.5:8123)", "description": "at System"},
            WebhookCause.REFUSED,
            "Connection refused ([address])",
        ),
        (
            500,
            {"message": "The request failed", "description": "---> Name does not resolve"},
            WebhookCause.NAME_NOT_FOUND,
            "The request failed",
        ),
        (400, [{"errorMessage": "Should be unique"}], WebhookCause.OTHER, "Should be unique"),
        (400, [7, {"errorMessage": 7}], WebhookCause.OTHER, "400"),
        (500, "text", WebhookCause.OTHER, "500"),
        (500, None, WebhookCause.OTHER, "500"),
    ],
)
async def test_both_shapes_of_an_error_are_read(
    session: ClientSession, status: int, body: Any, cause: WebhookCause, detail: str
) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.method == "GET":
            rows = [{"id": 4, "implementation": "Webhook", "name": MARK}]
            return web.json_response(rows if request.query_string == "" else [])
        if body is None:
            return web.Response(status=status, text="<html>")
        return web.json_response(body, status=status)

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        target = Receiver(base="http://ha.example").target()
        for call in (client.test_webhook(target), client.install_webhook(target)):
            with pytest.raises(WebhookError) as caught:
                await call
            assert (caught.value.cause, caught.value.detail) == (cause, detail)


async def test_a_refused_creation_says_why(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = replace(receiver.target(), url="no address")
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(target)
    assert caught.value.cause is WebhookCause.OTHER
    assert double.connections.rows == {}


async def test_an_address_that_nobody_serves(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = replace(receiver.target(), url="http://127.0.0.1:1/api/webhook/c0ffee")
    assert (await client.install_webhook(target)).state is WebhookState.REGISTERED
    with pytest.raises(WebhookError):
        await client.test_webhook(target)


async def test_a_redirect_makes_a_get_that_home_assistant_refuses(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    receiver.status, receiver.location = 301, "/api/webhook/c0ffee"
    with pytest.raises(WebhookError) as caught:
        await client.test_webhook(target)
    assert caught.value.cause is WebhookCause.REDIRECT


async def test_a_test_that_takes_too_long(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "custom_components.media_arrivals.engine.connectors.arr.webhook"
    monkeypatch.setattr(f"{module}._TEST_TIMEOUT", 0.05)

    async def handler(request: web.Request) -> web.Response:
        if request.method == "POST":
            # The service waits for us, and we for it.
            await asyncio.sleep(1)
        return web.json_response([{"id": 4, "implementation": "Webhook", "name": MARK}])

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        with pytest.raises(WebhookError) as caught:
            await client.test_webhook(Receiver().target())
    assert caught.value.cause is WebhookCause.TIMEOUT


async def test_there_is_nothing_to_test(client: ArrClient, receiver: Receiver) -> None:
    with pytest.raises(WebhookError) as caught:
        await client.test_webhook(receiver.target())
    assert caught.value.cause is WebhookCause.OTHER


async def test_a_service_that_is_down_is_no_webhook_error(
    double: Double, client: ArrClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await double.go_down()
    for call in (
        client.install_webhook(target),
        client.test_webhook(target),
        client.remove_webhook(target),
        client.read_webhook(target),
    ):
        with pytest.raises(RefusedError):
            await call
    await double.go_up()
    double.misbehave("503")
    with pytest.raises(ServerFaultError):
        await client.install_webhook(target)


async def test_a_connection_without_an_id_cannot_be_written(session: ClientSession) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response([{"implementation": "Webhook", "name": MARK}])

    async with serving(handler) as server:
        client = RadarrClient(session, Connection(url=str(server.make_url("")), api_key="x"))
        with pytest.raises(BadAnswerError):
            await client.install_webhook(Receiver().target())
