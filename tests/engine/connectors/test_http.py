"""The JSON client meets real servers, and servers that are none."""

import asyncio
import errno
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, override

import pytest
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer, unused_port
from yarl import URL

from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    CertificateError,
    Connection,
    ForbiddenError,
    NameNotFoundError,
    NeedsTlsError,
    NotFoundError,
    NoTlsError,
    RefusedError,
    ServerFaultError,
    ServiceError,
    TimedOutError,
)
from custom_components.media_arrivals.engine.connectors.http import JsonClient

KEY = "k3y-that-nobody-may-see"

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Serve = Callable[[Handler], Awaitable[JsonClient]]


def client_of(session: ClientSession, url: Any, **options: Any) -> JsonClient:
    connection = Connection(url=str(url), api_key=KEY, verify_tls=options.pop("verify_tls", True))
    return JsonClient(session, connection, headers={"X-Api-Key": KEY}, **options)


@pytest.fixture
def addresses() -> list[str]:
    """List where handlers are served, in the order in which they were."""
    return []


@pytest.fixture
async def serve(session: ClientSession, addresses: list[str]) -> AsyncIterator[Serve]:
    """Serve one handler on every path; return a client of it."""
    servers: list[TestServer] = []

    async def begin(handler: Handler) -> JsonClient:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        addresses.append(str(server.make_url("")))
        return client_of(session, server.make_url("/"), max_bytes=400_000)

    yield begin
    for server in servers:
        await server.close()


def answering(status: int, text: str = "{}", **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return handler


async def raised(call: Awaitable[Any]) -> ServiceError:
    """Return the error of a call, which says nothing that is secret."""
    with pytest.raises(ServiceError) as caught:
        await call
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in f"{error!r}{error}"
        error = error.__cause__
    return caught.value


async def test_a_call_carries_the_key_and_the_query(serve: Serve) -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response([request.method, await request.text()])

    client = await serve(handler)
    query = {"a": 1, "b": True, "c": None, "d": (1, 2), "e": "x y"}
    assert await client.get("/api/queue", query) == ["GET", ""]
    assert seen[0].path == "/api/queue"
    assert seen[0].rel_url.raw_query_string == "a=1&b=true&d=1&d=2&e=x%20y"
    assert seen[0].headers["X-Api-Key"] == KEY
    assert seen[0].headers["Accept"] == "application/json"
    answer = await client.send("POST", "/api/test", body={"id": 1})
    assert await answer.json() == ["POST", '{"id": 1}']


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (400, ServerFaultError),
        (429, ServerFaultError),
        (500, ServerFaultError),
        (503, ServerFaultError),
    ],
)
async def test_a_status_is_an_error_of_its_kind(
    serve: Serve, status: int, kind: type[ServiceError]
) -> None:
    client = await serve(answering(status, "secret inside"))
    error = await raised(client.get("/api"))
    assert type(error) is kind
    assert error.detail == str(status)


@pytest.mark.parametrize(("header", "seconds"), [("30", 30.0), ("99999", 3600.0), ("soon", None)])
async def test_a_service_may_ask_for_a_pause(
    serve: Serve, header: str, seconds: float | None
) -> None:
    client = await serve(answering(503, **{"Retry-After": header}))
    error = await raised(client.get("/api"))
    assert isinstance(error, ServerFaultError)
    assert error.retry_after == seconds


async def test_a_call_can_carry_a_form(serve: Serve) -> None:
    seen: list[tuple[str, list[str]]] = []

    async def answer(request: web.Request) -> web.Response:
        fields = await request.post()
        seen.append((request.content_type, [str(one) for one in fields.getall("urls[]")]))
        return web.json_response(None)

    client = await serve(answer)
    await client.send("POST", "/hooks", form=[("urls[]", "http://a/?b=c"), ("urls[]", "ü&")])
    assert seen == [("application/x-www-form-urlencoded", ["http://a/?b=c", "ü&"])]


async def test_a_caller_may_read_what_an_error_says(serve: Serve) -> None:
    client = await serve(answering(400, '[{"errorMessage": "no"}]'))
    answer = await client.send("POST", "/api", accept={400})
    assert not answer.ok
    assert await answer.json() == [{"errorMessage": "no"}]
    assert "errorMessage" not in repr(answer)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("<!doctype html><html>", "a web page"),
        ("\n <html>", "a web page"),
        ("{", "no JSON"),
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
    ],
)
async def test_what_is_no_json_is_a_bad_answer(serve: Serve, text: str, detail: str) -> None:
    client = await serve(answering(200, text))
    error = await raised(client.get("/api"))
    assert isinstance(error, BadAnswerError)
    assert error.detail == detail


async def test_an_answer_without_end_is_cut_off(serve: Serve) -> None:
    sent = 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(4000):
                await response.write(b" " * 65_536)
                sent += 65_536
        except ConnectionError:
            pass
        return response

    client = await serve(handler)
    error = await raised(client.get("/api"))
    assert isinstance(error, BadAnswerError)
    assert error.detail == "too large"
    assert sent < 100_000_000


async def test_a_large_answer_is_parsed_beside_the_loop(serve: Serve) -> None:
    document = [{"id": number} for number in range(20_000)]
    client = await serve(answering(200, json.dumps(document)))
    assert await client.get("/api") == document


async def test_no_answer_in_time(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    client = await serve(handler)
    begun = time.monotonic()
    error = await raised(client.get("/api", wait=0.1))
    assert type(error) is TimedOutError
    assert time.monotonic() - begun < 2


async def test_nothing_listens(session: ClientSession) -> None:
    client = client_of(session, f"http://127.0.0.1:{unused_port()}")
    assert type(await raised(client.get("/api"))) is RefusedError


async def test_a_name_without_an_address(socket_enabled: None) -> None:
    class Nowhere(AbstractResolver):
        @override
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> Any:
            raise OSError(None, "Name or service not known")

        @override
        async def close(self) -> None:
            """Nothing is open."""

    async with ClientSession(connector=TCPConnector(resolver=Nowhere())) as session:
        client = client_of(session, "http://radarr.invalid:7878")
        assert type(await raised(client.get("/api"))) is NameNotFoundError


async def test_a_host_that_cannot_be_reached(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.EHOSTUNREACH, "Connect call failed ('192.168.1.5', 7878)")

    monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", unreachable)
    error = await raised(client_of(session, "http://127.0.0.1:7878").get("/api"))
    assert type(error) is ServiceError
    assert error.detail == "No route to host"


@pytest.mark.parametrize(
    "url", ["http://", "http:///x", "http://127.0.0.1:99999", "ftp://127.0.0.1", "x"]
)
async def test_an_address_that_is_none(session: ClientSession, url: str) -> None:
    error = await raised(client_of(session, url).get("/api"))
    assert type(error) is ServiceError


async def test_a_connection_that_breaks(socket_enabled: None, session: ClientSession) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    error = await raised(client_of(session, f"http://127.0.0.1:{port}").get("/api"))
    assert type(error) is ServiceError
    assert error.detail == "the connection broke"
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("key", ["two\nlines", "two\r\nX-Evil: 1"])
async def test_a_key_that_cannot_be_one(session: ClientSession, key: str) -> None:
    connection = Connection(url="http://127.0.0.1:1", api_key=key)
    client = JsonClient(session, connection, headers={"X-Api-Key": key})
    with pytest.raises(AuthError) as caught:
        await client.get("/api")
    assert "lines" not in str(caught.value)


# --- certificates ------------------------------------------------------------------------


async def test_a_certificate_that_nobody_signed(
    session: ClientSession, certificate: ssl.SSLContext
) -> None:
    app = web.Application()
    app.router.add_get("/api", answering(200, "[1]"))
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=certificate)
    error = await raised(client_of(session, server.make_url("/")).get("/api"))
    assert type(error) is CertificateError
    assert "self-signed" in error.detail
    trusting = client_of(session, server.make_url("/"), verify_tls=False)
    assert await trusting.get("/api") == [1]
    await server.close()


async def test_tls_where_there_is_none(
    serve: Serve, session: ClientSession, addresses: list[str]
) -> None:
    await serve(answering(200))
    url = addresses[0].replace("http:", "https:")
    assert type(await raised(client_of(session, url).get("/api"))) is NoTlsError


async def alert(session: ClientSession, scheme: str, sent: str) -> ServiceError:
    """Return the error where whatever is said is answered by an alert of TLS."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(bytes.fromhex(sent))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    error = await raised(client_of(session, url).get("/api"))
    server.close()
    await server.wait_closed()
    return error


async def test_other_trouble_with_tls_is_no_missing_tls(session: ClientSession) -> None:
    error = await alert(session, "https", "15030300020228")
    assert type(error) is CertificateError
    assert error.detail == "no agreement on TLS"


async def test_plain_text_where_only_tls_is_spoken(session: ClientSession) -> None:
    assert type(await alert(session, "http", "15030100020246")) is NeedsTlsError


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("<title>400 The plain HTTP request was sent to HTTPS port</title>", NeedsTlsError),
        ("Client sent an HTTP request to an HTTPS server.", NeedsTlsError),
        ("name is required", ServerFaultError),
    ],
)
async def test_a_web_server_that_says_that_only_tls_is_spoken(
    serve: Serve, body: str, error: type[ServiceError]
) -> None:
    client = await serve(answering(400, body))
    assert type(await raised(client.get("/api"))) is error


# --- redirects ---------------------------------------------------------------------------


def moving(status: int, location: str) -> Handler:
    """Point somewhere else, once, and until asked below /radarr."""
    pointed = False

    async def handler(request: web.Request) -> web.Response:
        nonlocal pointed
        if request.path.startswith("/radarr/"):
            assert "Authorization" not in request.headers
            return web.json_response([request.method, request.query_string])
        assert not pointed, "the base path was forgotten"
        pointed = True
        return web.Response(status=status, headers={"Location": location.format(r=request)})

    return handler


@pytest.mark.parametrize(
    "location",
    [
        "/radarr{r.path}",
        "http://{r.host}/radarr{r.path}?x=1",
        "/radarr{r.path}#x",
        "http://somebody:login@{r.host}/radarr{r.path}",
    ],
)
async def test_a_service_may_point_to_its_base_path(serve: Serve, location: str) -> None:
    client = await serve(moving(307, location))
    assert await client.get("/api/v3/queue", {"a": 1}) == ["GET", "a=1"]
    answer = await client.send("POST", "/api/v3/test", body={})
    assert await answer.json() == ["POST", ""]


async def test_a_post_is_not_turned_into_a_get(serve: Serve) -> None:
    client = await serve(moving(302, "/radarr{r.path}"))
    error = await raised(client.send("POST", "/api/v3/test", body={}))
    assert isinstance(error, BadAnswerError)


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        ("https://other.example/api/v3/queue?token=1", "redirects to https://other.example"),
        # The key must not follow it, however much it looks like a base path.
        ("http://other.invalid/radarr/api/v3/queue", "redirects to http://other.invalid"),
        ("https://{r.host}{r.path}", "redirects to https://{host}"),
        ("/login?returnUrl=x", "redirects to /login"),
        ("{r.path}", "redirects to /api/v3/queue"),
        ("http://[", "a broken redirect"),
        ("", "redirects to /api/v3/queue"),
    ],
)
async def test_other_redirects_are_reported_and_not_followed(
    serve: Serve, addresses: list[str], location: str, detail: str
) -> None:
    calls = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(status=302, headers={"Location": location.format(r=request)})

    client = await serve(handler)
    error = await raised(client.get("/api/v3/queue"))
    assert type(error) is BadAnswerError
    assert error.detail == detail.format(host=URL(addresses[0]).authority)
    assert calls == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_websocket_is_not_followed_elsewhere_either(
    serve: Serve, addresses: list[str], status: int
) -> None:
    keys: list[str | None] = []

    async def stranger(request: web.Request) -> web.Response:
        keys.append(request.headers.get("X-Api-Key"))
        return web.Response()

    await serve(stranger)
    location = addresses[0]
    client = await serve(answering(status, Location=location))
    with pytest.raises(BadAnswerError) as failed:
        async for _ in client.messages("/notifications"):
            pass
    assert failed.value.detail == f"redirects to {URL(location).origin()}"
    assert keys == []


@pytest.mark.parametrize(
    ("second", "detail"),
    [("/x/x/api", "redirects to /x/x/api"), ("http://[", "a broken redirect")],
)
async def test_a_circle_of_redirects_ends(serve: Serve, second: str, detail: str) -> None:
    locations = ["/x/api", second]

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": locations.pop(0)})

    client = await serve(handler)
    error = await raised(client.get("/api"))
    assert type(error) is BadAnswerError
    assert error.detail == detail
    assert locations == []


# --- clocks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "told"), [(0.0, 0.0), (1.4, 0.0), (-1.4, 0.0), (90.0, 90.0), (-7200.0, -7200.0)]
)
async def test_the_services_clock_is_read_from_its_answers(
    serve: Serve, session: ClientSession, addresses: list[str], ahead: float, told: float
) -> None:
    date = format_datetime(datetime.fromtimestamp(1_800_000_000, UTC), usegmt=True)
    await serve(answering(200, Date=date))
    client = client_of(session, addresses[0], clock=lambda: 1_800_000_000.5 - ahead)
    assert client.clock_offset == 0.0
    await client.get("/api")
    assert client.clock_offset == pytest.approx(told)


async def test_a_clock_that_cannot_be_read_is_taken_as_right(serve: Serve) -> None:
    client = await serve(answering(200, Date="yesterday"))
    await client.get("/api")
    assert client.clock_offset == 0.0


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 1301 00:00:00 GMT"])
async def test_a_clock_that_is_centuries_off_is_no_clock(serve: Serve, date: str) -> None:
    client = await serve(answering(200, Date=date))
    await client.get("/api")
    assert client.clock_offset == 0.0


async def test_a_slow_answer_says_nothing_of_the_clock(
    serve: Serve, session: ClientSession, addresses: list[str]
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    await serve(answering(200, Date=date))
    begun = time.time()
    moments = iter((begun, begun + 50.0, begun, begun + 1.0))
    client = client_of(session, addresses[0], clock=lambda: next(moments))

    await client.get("/api")
    assert client.clock_offset == 0.0
    await client.get("/api")
    assert client.clock_offset == pytest.approx(60.0, abs=3.0)
