"""A connection to Home Assistant's WebSocket API."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from .words import Failure

ANSWER_SECONDS = 60.0


class Connection:
    """Asks and is answered, and hears events."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take a socket that is open and authenticated."""
        self._socket = socket
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._heard: dict[int, asyncio.Queue[dict[str, Any] | None]] = {}

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, session: aiohttp.ClientSession, url: str, token: str
    ) -> AsyncIterator[Connection]:
        """Connect, and listen until the end."""
        async with session.ws_connect(
            f"{url}/api/websocket", heartbeat=30, max_msg_size=0
        ) as socket:
            await socket.receive_json(timeout=ANSWER_SECONDS)
            await socket.send_json({"type": "auth", "access_token": token})
            answer = await socket.receive_json(timeout=ANSWER_SECONDS)
            if answer["type"] != "auth_ok":
                raise Failure(f"Home Assistant does not let us in: {answer.get('message')}")
            connection = cls(socket)
            listener = asyncio.create_task(connection._listen())
            try:
                yield connection
            finally:
                listener.cancel()
                await asyncio.wait([listener])

    async def _listen(self) -> None:
        try:
            async for message in self._socket:
                self._take(message.json())
        finally:
            for future in self._asked.values():
                future.cancel()
            for queue in self._heard.values():
                queue.put_nowait(None)

    def _take(self, message: dict[str, Any]) -> None:
        number: int = message["id"]
        if message["type"] == "event":
            if number in self._heard:
                self._heard[number].put_nowait(message["event"])
            return
        future = self._asked.pop(number, None)
        if future is None or future.done():
            return
        if message["success"]:
            future.set_result(message["result"])
        else:
            future.set_exception(Failure(f"Home Assistant refuses: {message['error']['message']}"))

    async def ask(self, kind: str, **more: Any) -> Any:
        """Send a command and return its result."""
        return await self._ask(next(self._numbers), kind, more)

    async def _ask(self, number: int, kind: str, more: dict[str, Any]) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        await self._socket.send_json({"id": number, "type": kind, **more})
        async with asyncio.timeout(ANSWER_SECONDS):
            return await future

    async def act(self, domain: str, action: str, **data: Any) -> dict[str, Any]:
        """Call an action that answers, and return the answer."""
        result = await self.ask(
            "call_service", domain=domain, service=action, service_data=data, return_response=True
        )
        answer: dict[str, Any] = result["response"]
        return answer

    async def events(self, *kinds: str) -> asyncio.Queue[dict[str, Any] | None]:
        """Return a queue of events of some kinds; ``None``: the connection is gone."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        for kind in kinds:
            number = next(self._numbers)
            self._heard[number] = queue
            await self._ask(number, "subscribe_events", {"event_type": kind})
        return queue
