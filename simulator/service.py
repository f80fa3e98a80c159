"""What every simulated service is: an HTTP server on loopback that can misbehave and counts."""

import asyncio
import json
import logging
import re
import ssl
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .clock import Clock
from .delivery import Sender
from .faults import Fault, FaultMode, Json

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOGGER = logging.getLogger(__name__)

HOST = "127.0.0.1"
# Calls between simulated services carry this header, so that they are not counted as a client's.
INTERNAL_HEADER = "X-Simulated-Caller"
PAGE = "<!doctype html><html><head><title>{}</title></head><body></body></html>"


@dataclass(frozen=True, slots=True)
class Call:
    """One answered request of a client."""

    method: str
    endpoint: str
    status: int
    bytes: int
    path: str
    at: float
    """Seconds of a clock of its own."""


def json_answer(data: Any, status: int = 200, **headers: str) -> web.Response:
    """Answer compact JSON."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return web.Response(
        text=body, status=status, content_type="application/json", headers=headers or None
    )


class HttpDouble:
    """One simulated service with its own port."""

    kind = "service"
    version = ""
    api_key = ""

    def __init__(self, name: str, clock: Clock, *, port: int = 0, url_base: str = "") -> None:
        """Prepare the service; ``start`` opens the port."""
        self.name = name
        self.clock = clock
        self.port = port
        self.url_base = "/" + url_base.strip("/") if url_base.strip("/") else ""
        self.sender = Sender(name)
        self.calls: list[Call] = []
        self.internal_calls = 0
        self.fault: Fault | None = None
        self.started_once = False
        self.tls: ssl.SSLContext | None = None
        """Speaks TLS when it goes up the next time."""
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        """The address to type into a client, url base included."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{HOST}:{self.port}{self.url_base}"

    def routes(self) -> Iterable[web.RouteDef]:
        """Return what the service answers, without its url base."""
        raise NotImplementedError

    def refuse(self, request: web.Request) -> web.StreamResponse | None:
        """Return the answer to a caller who may not see this, or None."""
        raise NotImplementedError

    def misrouted(self, request: web.Request) -> web.StreamResponse:
        """Answer a path that the service does not know."""
        if request.path.startswith(f"{self.url_base}/api"):
            return web.Response(status=404)
        return web.Response(text=PAGE.format(self.name), content_type="text/html")

    def failure(self, status: int) -> web.StreamResponse:
        """Answer as this service does when it is told to fail with a status."""
        return json_answer({"message": f"Simulated failure {status}"}, status)

    async def start(self) -> None:
        """Open the port and the sender."""
        self.started_once = True
        await self.sender.start()
        await self.go_up()

    async def stop(self) -> None:
        """Close everything that this service opened."""
        await self.go_down()
        await self.settle(cancel=True)
        await self.sender.stop()
        self.started_once = False

    async def go_up(self) -> None:
        """Listen; the port stays the same for the life of the service."""
        if self._runner is not None:
            return
        app = web.Application(middlewares=[self._front], client_max_size=4 * 1024 * 1024)
        for route in self.routes():
            app.router.add_route(route.method, self.url_base + route.path, route.handler)
        app.router.add_route("*", "/{tail:.*}", self._unrouted)
        runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=0.2, keepalive_timeout=30
        )
        await runner.setup()
        site = web.TCPSite(runner, HOST, self.port, reuse_address=True, ssl_context=self.tls)
        await site.start()
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def go_down(self) -> None:
        """Stop listening and drop every connection: callers are refused."""
        runner, self._runner = self._runner, None
        self._released.set()
        if runner is not None:
            await runner.cleanup()
        self._released.clear()

    @property
    def is_up(self) -> bool:
        """Whether the service listens."""
        return self._runner is not None

    def misbehave(self, name: str, **options: Any) -> None:
        """Answer wrongly from now on: ``hang``, ``slow``, ``html``, ``invalid_json``, ``401``..."""
        self.behave()
        self.fault = Fault.named(name, **options)

    def behave(self) -> None:
        """Answer correctly again, and let go of who hangs."""
        self.fault = None
        self._released.set()
        self._released = asyncio.Event()

    def spawn(self, work: Awaitable[Any]) -> None:
        """Do something beside the answer, as the service's own threads do."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.error("%s failed at its own work", self.name, exc_info=error)

    async def settle(self, *, cancel: bool = False) -> None:
        """Wait until everything that the service does on its own is done."""
        while running := [task for task in self._tasks if not task.done()]:
            if cancel:
                for task in running:
                    task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if not cancel:
            await self.sender.drain()

    async def _unrouted(self, request: web.Request) -> web.StreamResponse:
        base = self.url_base
        if base and not (request.path == base or request.path.startswith(f"{base}/")):
            return web.Response(status=307, headers={"Location": f"{base}{request.path_qs}"})
        return self.misrouted(request)

    @web.middleware
    async def _front(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        endpoint = resource.canonical if resource is not None else request.path
        if endpoint == "/{tail}":
            endpoint = request.path
        came = asyncio.get_running_loop().time()
        answer = await self._answer(request, handler)
        if request.headers.get(INTERNAL_HEADER):
            self.internal_calls += 1
        else:
            body = answer.body if isinstance(answer, web.Response) else None
            size = len(body) if isinstance(body, bytes | bytearray) else 0
            endpoint = endpoint.removeprefix(self.url_base)
            self.calls.append(
                Call(
                    request.method,
                    endpoint,
                    answer.status,
                    size,
                    request.path_qs,
                    came,
                )
            )
        return answer

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self.fault
        if fault is None or not fault.takes(request.path):
            return await self._served(request, handler)
        match fault.mode:
            case FaultMode.HANG:
                await self._released.wait()
            case FaultMode.SLOW:
                await self._wait_or_release(fault.seconds)
            case FaultMode.STATUS:
                answer = self.failure(fault.status)
                if fault.retry_after is not None:
                    answer.headers["Retry-After"] = str(fault.retry_after)
                return answer
            case FaultMode.HTML:
                return web.Response(text=PAGE.format("Proxy"), content_type="text/html")
            case FaultMode.INVALID_JSON:
                return web.Response(text='{"broken": [1, 2', content_type="application/json")
            case FaultMode.REDIRECT:
                return web.Response(status=fault.status, headers={"Location": fault.location})
            case FaultMode.BODY:
                body = fault.body.encode() if isinstance(fault.body, str) else fault.body
                return web.Response(body=body, content_type=fault.content_type)
            case FaultMode.TRUNCATED | FaultMode.CUT | FaultMode.REWRITE:
                return await spoilt(fault, request, await self._served(request, handler))
        return await self._served(request, handler)

    async def _served(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as a service does that is well."""
        resource = request.match_info.route.resource
        if resource is not None and resource.canonical != "/{tail}":
            refusal = self.refuse(request)
            if refusal is not None:
                return refusal
        return await handler(request)

    async def _wait_or_release(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._released.wait()
        except TimeoutError:
            return

    def reset_counts(self) -> None:
        """Count from zero."""
        self.calls.clear()
        self.internal_calls = 0
        self.sender.reset()

    def _most_within(self, seconds: float) -> int:
        """Return how many calls came within so many seconds, when there were most."""
        times = sorted(call.at for call in self.calls)
        return max(
            (bisect_left(times, begin + seconds) - n for n, begin in enumerate(times)), default=0
        )

    def counts(self) -> Json:
        """Sum up what clients asked and what was delivered."""
        endpoints: Counter[str] = Counter(f"{call.method} {call.endpoint}" for call in self.calls)
        return {
            "requests": len(self.calls),
            # Less a little: a caller counts when it begins, and this when the call has come.
            "most_in_10_s": self._most_within(9.9),
            "bytes": sum(call.bytes for call in self.calls),
            "endpoints": dict(endpoints),
            "statuses": dict(Counter(str(call.status) for call in self.calls)),
            "internal_requests": self.internal_calls,
            "deliveries": self.sender.counts(),
        }


async def spoilt(
    fault: Fault, request: web.Request, answer: web.StreamResponse
) -> web.StreamResponse:
    """Spoil a true answer; what is no document stays as it is."""
    if not isinstance(answer, web.Response) or not answer.text:
        return answer
    if fault.mode is FaultMode.REWRITE and fault.rewrite is not None:
        changed = fault.rewrite(request.path, json.loads(answer.text))
        return web.Response(text=json.dumps(changed), content_type="application/json")
    whole = answer.text.encode()
    half = whole[: len(whole) // 2]
    if fault.mode is FaultMode.TRUNCATED:
        return web.Response(body=half, content_type=answer.content_type)
    cut = web.StreamResponse(headers={"Content-Type": answer.content_type})
    cut.content_length = len(whole)
    await cut.prepare(request)
    await cut.write(half)
    if request.transport is not None:
        request.transport.close()
    return cut


def error_list(
    name: str, message: str, value: Any = None, code: str = "PredicateValidator"
) -> Json:
    """Describe one failed validation."""
    return {
        "propertyName": name,
        "errorMessage": message,
        "attemptedValue": value,
        "severity": "error",
        "errorCode": code,
        "formattedMessageArguments": [],
        "formattedMessagePlaceholderValues": {"propertyName": name, "propertyValue": value},
    }


async def read_json(request: web.Request) -> Any:
    """Read a JSON body; a body that is none is answered 400."""
    try:
        return json.loads(await request.read() or b"null")
    except ValueError as err:
        raise web.HTTPBadRequest(
            text=json.dumps({"message": "The JSON value could not be converted"}),
            content_type="application/json",
        ) from err


def flag(request: web.Request, name: str, *, default: bool = False) -> bool:
    """Read a boolean query parameter."""
    text = query(request, name)
    return default if text is None else text.lower() in {"true", "1"}


def query(request: web.Request, name: str) -> str | None:
    """Read a query parameter whatever its case, as ASP.NET does."""
    for key, value in request.query.items():
        if key.lower() == name.lower():
            return value
    return None


def query_all(request: web.Request, name: str) -> list[str]:
    """Read every value of a repeated query parameter; ``name[]`` is the same."""
    wanted = {name.lower(), f"{name.lower()}[]"}
    return [value for key, value in request.query.items() if key.lower() in wanted]


def slug(title: str) -> str:
    """Write a title as the services do in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
