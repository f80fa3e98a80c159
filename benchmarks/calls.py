"""Calls by connections that are kept alive, as fast as they are answered or on a schedule."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

TIMEOUT: Final = 30.0
ACCEPTED: Final = b'{"status": "accepted"}'


class Connection:
    """One connection; much less work for this machine than an HTTP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect."""
        return cls(*await asyncio.open_connection(host, port))

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return

    async def call(
        self, method: str, path: str, body: bytes, authorization: str = ""
    ) -> tuple[int, bytes]:
        """Send a call; return status and body of the answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Radarr/6.0.3\r\n"
        if authorization:
            head += f"Authorization: {authorization}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        async with asyncio.timeout(TIMEOUT):
            answer = await self._reader.readuntil(b"\r\n\r\n")
            lines = answer.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ", 2)[1])
            length = 0
            for line in lines[1:]:
                name, _, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            return status, await self._reader.readexactly(length)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook, and how to be let in."""

    host: str
    port: int
    path: str
    authorization: str

    @classmethod
    def of(cls, host: str, port: int, webhook_id: str, user: str, secret: str) -> Webhook:
        """Return a webhook that wants a user and a secret."""
        token = base64.b64encode(f"{user}:{secret}".encode()).decode()
        return cls(host, port, f"/api/webhook/{webhook_id}", f"Basic {token}")

    @asynccontextmanager
    async def connections(self, number: int) -> AsyncIterator[Sequence[Connection]]:
        """Open connections, and close them at the end."""
        opened = [await Connection.open(self.host, self.port) for _ in range(number)]
        try:
            yield opened
        finally:
            for one in opened:
                await one.close()

    async def post(self, connection: Connection, body: bytes) -> tuple[int, bytes]:
        """Deliver something."""
        return await connection.call("POST", self.path, body, self.authorization)


async def as_fast_as_possible(
    webhook: Webhook,
    bodies: Callable[[], Sequence[bytes]],
    *,
    connections: int,
    seconds: float,
    answer: bytes,
) -> float:
    """Return how many calls per second were answered 200 with this body.

    Each connection delivers what ``bodies`` returns one after the other, then asks again,
    until there is nothing more.
    """
    answered = 0
    ends = time.perf_counter() + seconds

    async def deliver(connection: Connection) -> None:
        nonlocal answered
        while time.perf_counter() < ends and (told := bodies()):
            for body in told:
                status, said = await webhook.post(connection, body)
                if status != 200 or said != answer:
                    raise RuntimeError(f"A delivery was answered {status} {said[:100]!r}")
                answered += 1

    async with webhook.connections(connections) as opened:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for one in opened:
                group.create_task(deliver(one))
        return answered / (time.perf_counter() - began)


async def on_schedule(
    webhook: Webhook, bodies: Sequence[bytes], *, per_second: float, together: int = 1
) -> list[float]:
    """Deliver on a schedule that waits for nobody; return the seconds that each took.

    They count from when a call was due: one that waits for a connection is late, too.
    """
    times: list[float] = []
    free: asyncio.Queue[Connection] = asyncio.Queue()

    async def deliver(body: bytes, due: float) -> None:
        connection = await free.get()
        status, said = await webhook.post(connection, body)
        times.append(time.perf_counter() - due)
        free.put_nowait(connection)
        if status != 200 or said != ACCEPTED:
            raise RuntimeError(f"A delivery was answered {status} {said[:100]!r}")

    async with webhook.connections(64) as opened:
        for one in opened:
            free.put_nowait(one)
        began = time.perf_counter() + 0.1
        async with asyncio.TaskGroup() as group:
            for number, body in enumerate(bodies):
                due = began + number // together * together / per_second
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                group.create_task(deliver(body, due))
    return times
