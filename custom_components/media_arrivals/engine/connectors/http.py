"""One small JSON client: timeouts, bounded answers, and errors mapped once."""

import asyncio
import errno
import json
import os
import re
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from .base import (
    AuthError,
    BadAnswerError,
    CertificateError,
    Connection,
    ForbiddenError,
    Json,
    NameNotFoundError,
    NeedsTlsError,
    NotFoundError,
    NoTlsError,
    RefusedError,
    ServerFaultError,
    ServiceError,
    TimedOutError,
)

DEFAULT_TIMEOUT: Final = 15.0
MAX_BYTES: Final = 32 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_HEARTBEAT: Final = 30.0
"""Seconds between two questions whether the other end of a websocket is still there."""
_MAX_MESSAGE: Final = 1024 * 1024
_PARSE_INLINE: Final = 128 * 1024
"""Larger answers are parsed in a thread: they would hold up the event loop."""
_STEADY: Final = 2.0
"""Seconds of clock difference that a Date header cannot tell from none."""
_PROMPT: Final = 5.0
"""Seconds for an answer; of a slower one nobody knows when within that time it was dated."""
_NO_CLOCK: Final = 100 * 365.25 * 86_400
"""Seconds of difference beyond which a Date header is not believed: a clock that was never
set begins in 1970, and what is corrected by thousands of years is no date any more."""
_BAD_REQUEST: Final = 400
_BEGINNING: Final = 2048
_NO_TLS: Final = frozenset(
    {
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)
"""What OpenSSL calls an answer that is no TLS at all."""
_TLS_ALERT: Final = r"\x15\x03"
"""How an answer in plain text begins where only TLS is spoken, as the parser complains of it."""
_PLAIN: Final = re.compile(
    rb"plain HTTP request|HTTP request to an HTTPS|requires TLS", re.IGNORECASE
)
"""What web servers answer to a call in plain text on a port for TLS."""
_KEEPS_METHOD: Final = frozenset({307, 308})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ERRORS: Final[Mapping[int, type[ServiceError]]] = {
    401: AuthError,
    403: ForbiddenError,
    404: NotFoundError,
    498: AuthError,
}

type Session = aiohttp.ClientSession
type Form = Sequence[tuple[str, str]]
"""Fields of a form, in their order: a name may come several times."""
type Value = str | float | bool
type Params = Mapping[str, Value | tuple[Value, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service answered."""

    status: int
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Tell whether the service did what it was asked."""
        return 200 <= self.status < 300

    async def json(self) -> Json:
        """Read the body."""
        if len(self.body) <= _PARSE_INLINE:
            return self._parse()
        return await asyncio.get_running_loop().run_in_executor(None, self._parse)

    def _parse(self) -> Json:
        try:
            value: Json = json.loads(self.body)
        except (ValueError, RecursionError) as err:
            page = self.body.lstrip()[:1] == b"<"
            raise BadAnswerError("a web page" if page else "no JSON") from err
        return value


class JsonClient:
    """Talks JSON with one service. Raises :class:`ServiceError` and nothing else."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        connection: Connection,
        *,
        headers: Mapping[str, str],
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep what every call needs; ``headers`` carry the key."""
        self._session = session
        self._base = connection.url.rstrip("/")
        self._verify_tls = connection.verify_tls
        self._pace = connection.pace
        self._headers = {"Accept": "application/json", **headers}
        self._max_bytes = max_bytes
        self._clock = clock
        self._offset = 0.0

    @property
    def clock_offset(self) -> float:
        """Seconds that the service's clock is ahead of ours; 0 where none can be told."""
        return self._offset

    async def get(
        self, path: str, params: Params | None = None, *, wait: float = DEFAULT_TIMEOUT
    ) -> Json:
        """Read a document."""
        answer = await self.send("GET", path, params=params, wait=wait)
        return await answer.json()

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Json = None,
        form: Form | None = None,
        wait: float = DEFAULT_TIMEOUT,
        accept: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a call; statuses in ``accept`` are returned for the caller to read.

        It carries JSON or a form, not both.
        """
        if not all(value.isprintable() for value in self._headers.values()):
            raise AuthError
        try:
            url = _with_query(URL(self._base + path), urlencode(_query(params), quote_via=quote))
            answer, location = await self._call(
                method, url, body=body, form=form, wait=wait, headers=headers
            )
            if location is not None:
                moved = self._moved(method, answer.status, url, location)
                self._base = str(moved.with_query(None)).removesuffix(path)
                answer, location = await self._call(
                    method, moved, body=body, form=form, wait=wait, headers=headers
                )
        except aiohttp.ClientResponseError as err:
            # With it go the headers of the call, in which the key is.
            raise _translated(err) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            raise _translated(err) from err
        if location is not None:
            raise BadAnswerError(_redirect(URL(self._base), location))
        if answer.status == _BAD_REQUEST and _PLAIN.search(answer.body[:_BEGINNING]):
            raise NeedsTlsError
        if not answer.ok and answer.status not in accept:
            raise _ERRORS.get(answer.status, ServerFaultError)(str(answer.status))
        return answer

    async def messages(self, path: str, *, wait: float = DEFAULT_TIMEOUT) -> AsyncGenerator[Json]:
        """Yield what the service says over a websocket, until it closes it.

        What is no JSON is left out; a connection that died silently is noticed.
        """
        if not all(value.isprintable() for value in self._headers.values()):
            raise AuthError
        # A session of its own, since aiohttp has no other way to follow no redirect here: the
        # key would go with it, to whatever host is named.
        session = aiohttp.ClientSession(
            connector=self._session.connector,
            connector_owner=False,
            headers=self._session.headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_stay,),
        )
        try:
            async with asyncio.timeout(wait):
                socket = await session.ws_connect(
                    URL(self._base + path),
                    headers=self._headers,
                    ssl=self._verify_tls,
                    heartbeat=_HEARTBEAT,
                    max_msg_size=_MAX_MESSAGE,
                )
            async with socket:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.ERROR:
                        raise _translated(message.data)
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    try:
                        value: Json = json.loads(message.data)
                    except ValueError, RecursionError:
                        continue
                    yield value
        except aiohttp.WSServerHandshakeError as err:
            raise _ERRORS.get(err.status, ServerFaultError)(str(err.status)) from err
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            raise _translated(err) from err
        finally:
            await session.close()

    async def _call(
        self,
        method: str,
        url: URL,
        *,
        body: Json,
        form: Form | None,
        wait: float,
        headers: Mapping[str, str] | None,
    ) -> tuple[Answer, str | None]:
        """Make one HTTP call; the second value is where a redirect points."""
        if self._pace is not None:
            await self._pace.turn()
        started = self._clock()
        async with self._session.request(
            method,
            url,
            json=body,
            data=None if form is None else aiohttp.FormData(form),
            headers={**self._headers, **(headers or {})},
            allow_redirects=False,
            ssl=self._verify_tls,
            timeout=aiohttp.ClientTimeout(total=wait),
        ) as response:
            self._note_clock(response.headers.get("Date"), started)
            answer = Answer(
                status=response.status,
                body=await self._read(response),
            )
            if response.status in _REDIRECTS:
                return answer, response.headers.get("Location", "")
            if response.status in {429, 503} and (pause := _seconds(response.headers)):
                raise ServerFaultError(str(response.status), retry_after=pause)
            return answer, None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        found = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            found += chunk
            if len(found) > self._max_bytes:
                raise BadAnswerError("too large")
        return bytes(found)

    def _moved(self, method: str, status: int, url: URL, location: str) -> URL:
        """Return where to ask again: the same service, under its base path."""
        try:
            target = url.join(URL(location))
            inside = target.origin() == url.origin()
        except ValueError as err:
            raise BadAnswerError(_redirect(url, location)) from err
        keeps = status in _KEEPS_METHOD or method == "GET"
        below = target.path != url.path and target.path.endswith(url.path)
        if not (keeps and inside and below):
            raise BadAnswerError(_redirect(url, location))
        # A login or a fragment in it would stay in every address from now on.
        clean = target.with_user(None).with_fragment(None).with_query(None)
        return _with_query(clean, url.raw_query_string)

    def _note_clock(self, date: str | None, started: float) -> None:
        now = self._clock()
        if not 0 <= now - started <= _PROMPT:
            return
        try:
            told = parsedate_to_datetime(date or "").timestamp() + 0.5
        except ValueError:
            return
        offset = told - (started + now) / 2
        self._offset = offset if _STEADY < abs(offset) < _NO_CLOCK else 0.0


async def _stay(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Refuse to be sent elsewhere."""
    response = await handler(request)
    if response.status in _REDIRECTS:
        response.close()
        raise BadAnswerError(_redirect(request.url, response.headers.get("Location", "")))
    return response


def _query(params: Params | None) -> list[tuple[str, str]]:
    """Write the query as .NET and Express read it; ``None`` is left out."""
    return [
        (key, str(one).lower() if isinstance(one, bool) else str(one))
        for key, value in (params or {}).items()
        if value is not None
        for one in (value if isinstance(value, tuple) else (value,))
    ]


def _with_query(url: URL, query: str) -> URL:
    """Append a query as it is: Seerr refuses the plus sign that yarl writes for a space."""
    return URL(f"{url}?{query}", encoded=True) if query else url


def _redirect(url: URL, location: str) -> str:
    """Say where a redirect points, without anything that could be a secret."""
    try:
        target = url.join(URL(location))
        inside = target.origin() == url.origin()
    except ValueError:
        return "a broken redirect"
    return f"redirects to {target.path if inside else target.origin()}"


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Read how long a service wants to be left alone."""
    wait = headers.get("Retry-After", "").strip()
    return min(float(wait), 3600.0) if wait.isdecimal() else None


def _translated(err: Exception) -> ServiceError:
    """Say in our own words why no answer came; foreign texts may hold addresses."""
    match err:
        case TimeoutError():
            return TimedOutError()
        case aiohttp.ClientConnectorDNSError():
            return NameNotFoundError()
        case aiohttp.ClientSSLError() | aiohttp.ClientConnectorCertificateError():
            return _without_trust(err)
        case aiohttp.ClientResponseError(message=str() as message) if _TLS_ALERT in message:
            return NeedsTlsError()
        case aiohttp.ClientConnectorError(os_error=OSError(errno=errno.ECONNREFUSED)):
            return RefusedError()
        case aiohttp.InvalidURL() | ValueError():
            return ServiceError("not a web address")
        case OSError(errno=int() as number):
            return ServiceError(os.strerror(number))
        case _:
            return ServiceError("the connection broke")


def _without_trust(err: Exception) -> ServiceError:
    """Say why there is no TLS to speak with."""
    match err:
        case aiohttp.ClientConnectorCertificateError(certificate_error=cause):
            return CertificateError(getattr(cause, "verify_message", ""))
        case aiohttp.ClientConnectorSSLError(os_error=ssl.SSLError(reason=str() as reason)) if (
            reason in _NO_TLS
        ):
            return NoTlsError()
        case _:
            return CertificateError("no agreement on TLS")
