"""Calls webhooks the way the services do, and counts exactly what became of each call."""

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, override

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from .faults import Delivery, DeliveryFaults

MAX_REDIRECTS = 5
TEST_EVENTS = frozenset({"Test", "TEST_NOTIFICATION", "system.notificationtest"})


class HomeResolver(AbstractResolver):
    """A name service of one house: what it does not know does not exist.

    It keeps every call of the simulator on the loopback interface.
    """

    def __init__(self) -> None:
        """Know this machine only."""
        self.names = {"localhost": "127.0.0.1"}

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the address of a known name."""
        if (address := self.names.get(host)) is None:
            raise OSError(None, f"Name or service not known ({host})")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    @override
    async def close(self) -> None:
        """Do nothing: there is nothing open."""


def require_loopback(url: URL) -> None:
    """Refuse an address outside this machine as a network without a route would."""
    try:
        address = ip_address(url.host or "")
    except ValueError:
        return
    if not address.is_loopback:
        msg = f"No route to host ({url.host}:{url.port})"
        raise OSError(msg)


def failure_in_words(err: Exception, url: URL) -> str:
    """Say why a receiver was not reached, as .NET says it."""
    match err:
        case TimeoutError():
            return (
                "The request was canceled due to the configured HttpClient.Timeout of"
                " 100 seconds elapsing."
            )
        case aiohttp.ClientSSLError():
            return "The SSL connection could not be established, see inner exception."
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ECONNREFUSED)):
            return f"Connection refused ({url.host}:{url.port})"
        case _:
            return str(err) or type(err).__name__


class DeliveryError(Exception):
    """The receiver was not reached: refused, not found, timed out, not trusted."""


@dataclass(slots=True)
class Outcome:
    """What became of one delivery: lost, a status for each time it was sent, or an error."""

    delivery: Delivery
    lost: bool = False
    muted: bool = False
    statuses: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Sender:
    """Sends the deliveries of one service."""

    def __init__(self, service: str) -> None:
        """Send everything and lose nothing until told otherwise."""
        self.service = service
        self.faults = DeliveryFaults()
        self.outcomes: list[Outcome] = []
        self.resolver = HomeResolver()
        self.timeout = 100.0
        self._session: aiohttp.ClientSession | None = None
        self._held: list[tuple[Outcome, int]] = []
        self._late: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the connections' pool."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self.resolver, limit=0, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )

    async def stop(self) -> None:
        """Drop what is still under way."""
        for task in list(self._late):
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, delivery: Delivery) -> int:
        """Deliver, with the faults in force; return the status that the service believes in."""
        outcome = Outcome(delivery)
        self.outcomes.append(outcome)
        if delivery.event in TEST_EVENTS:
            return await self._call(outcome)
        lost, times = self.faults.next(delivery)
        if lost:
            # What a receiver swallows has been answered 200: the service learns nothing.
            outcome.lost = True
            return 200
        if self.faults.reorder > 1:
            self._held.append((outcome, times))
            if len(self._held) >= self.faults.reorder:
                await self.flush()
            return 200
        if self.faults.delay > 0:
            task = asyncio.create_task(self._call_late(outcome, times, self.faults.delay))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            return 200
        status = 0
        for _ in range(times):
            status = await self._call(outcome)
        return status

    def skip(self, delivery: Delivery) -> None:
        """Note a delivery that a mute swallowed."""
        self.outcomes.append(Outcome(delivery, muted=True))

    async def flush(self) -> None:
        """Send what is held back for reordering, last in first out."""
        held, self._held = self._held, []
        for outcome, times in reversed(held):
            await self._call_late(outcome, times, 0)

    async def drain(self) -> None:
        """Send everything held back and wait for everything late."""
        await self.flush()
        while late := [task for task in self._late if not task.done()]:
            await asyncio.gather(*late, return_exceptions=True)

    async def _call_late(self, outcome: Outcome, times: int, delay: float) -> None:
        await asyncio.sleep(delay)
        for _ in range(times):
            try:
                await self._call(outcome)
            except DeliveryError:
                continue

    async def _call(self, outcome: Outcome) -> int:
        if self._session is None:
            raise RuntimeError("The sender is not started")
        delivery = outcome.delivery
        status = 0
        url, method, body = URL(delivery.url), delivery.method, delivery.body
        headers = list(delivery.headers)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                require_loopback(url)
                async with self._session.request(
                    method,
                    url,
                    data=body or None,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=self.timeout),
                    skip_auto_headers=("User-Agent", "Content-Type"),
                ) as answer:
                    await answer.read()
                    status, target = answer.status, answer.headers.get("Location")
                if status not in {301, 302, 303, 307, 308} or target is None:
                    break
                url = url.join(URL(target))
                if (status in {301, 302, 303} and method == "POST") or status == 303:
                    method, body = "GET", b""
                    headers = [item for item in headers if item[0].lower() != "content-type"]
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            reason = failure_in_words(err, url)
            outcome.errors.append(reason)
            raise DeliveryError(reason) from err
        outcome.statuses.append(status)
        return status

    def reset(self) -> None:
        """Forget what was counted."""
        self.outcomes.clear()

    @property
    def lost(self) -> Sequence[Delivery]:
        """The deliveries that were lost on the way."""
        return [outcome.delivery for outcome in self.outcomes if outcome.lost]

    def counts(self) -> dict[str, Any]:
        """Sum up what was delivered."""
        events: Counter[str] = Counter(item.delivery.event for item in self.outcomes)
        lost: Counter[str] = Counter(item.delivery.event for item in self.outcomes if item.lost)
        statuses: Counter[str] = Counter(
            str(status) for item in self.outcomes for status in item.statuses
        )
        return {
            "attempted": len(self.outcomes),
            "lost": sum(lost.values()),
            "muted": sum(item.muted for item in self.outcomes),
            "failed": sum(len(item.errors) for item in self.outcomes),
            "held": len(self._held),
            "answered": dict(statuses),
            "events": dict(events),
            "lost_events": dict(lost),
        }
