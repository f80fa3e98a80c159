"""Tautulli's API: one address, a command, an envelope around every answer."""

from collections.abc import Mapping
from typing import Final

from .. import payload
from ..base import (
    AuthError,
    BadAnswerError,
    Connection,
    Json,
    ServerFaultError,
    ServiceError,
    WrongServiceError,
)
from ..http import DEFAULT_TIMEOUT, Answer, JsonClient
from ..payload import Object

PATH: Final = "/api/v2"

_REFUSALS: Final = frozenset({400, 404, 500})
_KEY_WORDS: Final = ("invalid apikey", "apikey is required", "api key not generated")

type Values = Mapping[str, str | int]


class RefusedCallError(ServerFaultError):
    """Tautulli said no to a command; ``detail`` is its own word."""


class PlexAwayError(ServerFaultError):
    """Tautulli cannot reach its Plex: its answers are empty, and that is no word on Plex."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("it cannot reach Plex")


class Api:
    """Calls commands. The key travels in a form: in an address, proxies would write it down."""

    def __init__(self, http: JsonClient, connection: Connection) -> None:
        """Keep the key."""
        self._http = http
        self._key = connection.api_key

    async def call(
        self, command: str, values: Values | None = None, *, wait: float = DEFAULT_TIMEOUT
    ) -> Json:
        """Call a command; return its data."""
        form = [
            ("apikey", self._key),
            ("cmd", command),
            ("out_type", "json"),
            *((name, str(value)) for name, value in (values or {}).items()),
        ]
        answer = await self._http.send("POST", PATH, form=form, wait=wait, accept=_REFUSALS)
        response = await _response(answer)
        if answer.ok and payload.word(response.get("result")) == "success":
            return response.get("data")
        raise _refusal(answer.status, payload.prose(response.get("message")) or "")

    async def read(
        self, command: str, values: Values | None = None, *, wait: float = DEFAULT_TIMEOUT
    ) -> Object:
        """Call a command that answers an object; empty where Tautulli has nothing to say."""
        return payload.mapping(await self.call(command, values, wait=wait))


async def _response(answer: Answer) -> Object:
    """Open the envelope."""
    try:
        body = payload.mapping(await answer.json())
    except BadAnswerError:
        if answer.ok:
            raise
        body = {}
    response = payload.mapping(body.get("response"))
    if "result" in response:
        return response
    if answer.status == 404:
        raise WrongServiceError
    if not answer.ok:
        raise ServerFaultError(str(answer.status))
    raise BadAnswerError("no answer of Tautulli's")


def _refusal(status: int, message: str) -> ServiceError:
    """Tell the refusals apart, which only their words do."""
    words = message.casefold()
    if any(known in words for known in _KEY_WORDS):
        return AuthError()
    if status == 404 or "api not enabled" in words:
        return ServerFaultError("its API is switched off, under Settings, Web Interface")
    # An unknown command is answered with a list of all.
    return RefusedCallError(message.partition(". ")[0] or str(status))
