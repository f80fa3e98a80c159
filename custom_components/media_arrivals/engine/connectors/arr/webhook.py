"""Our webhook in Radarr and Sonarr: a connection that is created, compared, tested.

Creating one that is switched on has the service call it at once, and fails if that fails.
So it is created switched off, and switched on by an update that skips the test.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .. import payload
from ..base import (
    BadAnswerError,
    HealthNote,
    Json,
    NotFoundError,
    RemoteWebhook,
    TimedOutError,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
)
from ..http import Answer, JsonClient
from ..payload import Object
from .about import MARK, values
from .reading import API, complaints, records

_PATH: Final = f"{API}/notification"
_MASK: Final = re.compile(r"\*+")
_POST: Final = 1
_TEST_TIMEOUT: Final = 45.0
_REFUSALS: Final = frozenset({400, 409, 500})
_MUTED: Final = "notificationstatuscheck"

_STATUS: Final = re.compile(r"\[(\d{3})[\]:]|\bstatus code\D{0,40}(\d{3})\b", re.IGNORECASE)
_BY_STATUS: Final = {
    301: WebhookCause.REDIRECT,
    302: WebhookCause.REDIRECT,
    303: WebhookCause.REDIRECT,
    307: WebhookCause.REDIRECT,
    308: WebhookCause.REDIRECT,
    # Home Assistant answers 400 to a reverse proxy that it was not told to trust.
    400: WebhookCause.UNTRUSTED_PROXY,
    401: WebhookCause.NOT_ALLOWED,
    403: WebhookCause.NOT_ALLOWED,
    # A redirect turned the POST into a GET.
    405: WebhookCause.REDIRECT,
    408: WebhookCause.TIMEOUT,
    504: WebhookCause.TIMEOUT,
}
_BY_WORDS: Final = tuple(
    (cause, re.compile(words, re.IGNORECASE))
    for cause, words in (
        (WebhookCause.CERTIFICATE, r"ssl connection|certificate|authenticationexception|\btls\b"),
        (
            WebhookCause.NAME_NOT_FOUND,
            # Each with glibc, musl, macOS and Windows underneath.
            (
                r"name or service not known|no such host|nodename nor servname"
                r"|does not resolve|name resolution|no address associated"
                r"|resource temporarily unavailable|\btry again\b"
            ),
        ),
        (WebhookCause.REFUSED, r"refused"),
        (
            WebhookCause.TIMEOUT,
            (
                r"timed out|timeout|was cancell?ed|no route to host"
                r"|(?:host|network) is unreachable|unreachable (?:host|network)"
            ),
        ),
        (WebhookCause.REDIRECT, r"redirect"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Which events of a service we want."""

    sightings: Mapping[str, tuple[str, ...]]
    """Sighting event -> the flags that must all be on for it to be complete."""
    others: tuple[str, ...]
    unwanted: tuple[str, ...]
    """Flags that a new connection leaves off, by name, so that it says so."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return all flags that have to be on."""
        return (*(flag for flags in self.sightings.values() for flag in flags), *self.others)


class Webhooks:
    """Our connection in one service."""

    def __init__(self, http: JsonClient, events: Events) -> None:
        """Work through this client."""
        self._http = http
        self._events = events
        self._written: WebhookTarget | None = None
        self._name = ""

    async def read(self, target: WebhookTarget) -> RemoteWebhook:
        """Read our connection back."""
        found = await self._find(target)
        if found is None:
            return RemoteWebhook(state=WebhookState.ABSENT)
        same = self._is_as_wanted(found, target)
        return RemoteWebhook(
            state=WebhookState.REGISTERED if same else WebhookState.DIFFERENT,
            events=self._subscribed(found),
            muted=not self._is_on(found) or await self._is_muted(),
        )

    async def install(self, target: WebhookTarget) -> RemoteWebhook:
        """Create our connection, or make it as wanted.

        The password comes back masked: it is written once by each client, to be sure.
        """
        found = await self._find(target)
        if found is None:
            found = await self._create(target)
        if self._written != target or not self._is_as_wanted(found, target):
            await self._update(found, target)
            self._written = target
        return await self.read(target)

    async def test(self, target: WebhookTarget) -> None:
        """Have the service call us; with its id in it, success lifts a mute."""
        found = await self._find(target)
        if found is None:
            raise WebhookError(WebhookCause.OTHER, "the connection is not there")
        try:
            answer = await self._http.send(
                "POST",
                f"{_PATH}/test",
                body=self._resource(found, target),
                wait=_TEST_TIMEOUT,
                accept=_REFUSALS,
            )
        except TimedOutError as err:
            raise WebhookError(WebhookCause.TIMEOUT) from err
        if not answer.ok:
            raise await refusal(answer)

    async def remove(self, target: WebhookTarget) -> None:
        """Delete the connections that call this webhook."""
        for row in await self._all():
            own_id = payload.identifier(row.get("id"))
            if own_id is not None and target.webhook_id in _url(row):
                try:
                    await self._http.send("DELETE", f"{_PATH}/{own_id}")
                except NotFoundError:
                    continue

    # --- reading --------------------------------------------------------------------------

    async def _all(self) -> tuple[Object, ...]:
        rows = records(await self._http.get(_PATH))
        if rows is None:
            raise BadAnswerError("no connections")
        return tuple(row for row in rows if payload.word(row.get("implementation")) == "webhook")

    async def _find(self, target: WebhookTarget) -> Object | None:
        """Find our connection: by the webhook it calls, else by our mark in its name."""
        rows = await self._all()
        mark = _mark(target).casefold()
        by_url = (row for row in rows if target.webhook_id in _url(row))
        by_name = (row for row in rows if mark in payload.word(row.get("name")))
        found = next(by_url, None) or next(by_name, None)
        self._name = payload.text((found or {}).get("name")) or ""
        return found

    def _is_as_wanted(self, row: Object, target: WebhookTarget) -> bool:
        known = values(row)
        password = payload.text(known.get("password")) or ""
        return (
            _url(row) == target.url
            and payload.integer(known.get("method")) == _POST
            and payload.text(known.get("username")) == target.username
            and bool(_MASK.fullmatch(password) or password == target.secret)
            and all(row.get(flag) is True for flag in self._supported(row))
        )

    def _supported(self, row: Object) -> tuple[str, ...]:
        """Return the flags that we want and this version knows."""
        return tuple(
            flag
            for flag in self._events.wanted
            if flag in row and row.get(f"supports{flag[0].upper()}{flag[1:]}") is not False
        )

    def _subscribed(self, row: Object) -> frozenset[str]:
        """Return what it tells of every title; with tags, it is silent about others."""
        if payload.items(row.get("tags")):
            return frozenset()
        return frozenset(
            event
            for event, flags in self._events.sightings.items()
            if all(row.get(flag) is True for flag in flags)
        )

    @staticmethod
    def _is_on(row: Object) -> bool:
        return any(value is True for key, value in row.items() if key.startswith("on"))

    async def _is_muted(self) -> bool:
        return self.is_muted_by(complaints(await self._http.get(f"{API}/health")) or ())

    def is_muted_by(self, notes: Iterable[HealthNote]) -> bool:
        """Tell whether the service says that it skips it after failures, or skips all of them.

        It is known by the name that it had when it was seen last.
        """
        return bool(self._name) and any(
            note.check.casefold() == _MUTED
            and (self._name in note.message or note.message.casefold().startswith("all"))
            for note in notes
        )

    # --- writing --------------------------------------------------------------------------

    async def _create(self, target: WebhookTarget) -> Object:
        """Create it switched off, which is not tested."""
        blank: dict[str, Json] = {
            "name": _mark(target),
            "implementation": "Webhook",
            "implementationName": "Webhook",
            "configContract": "WebhookSettings",
            "tags": [],
        }
        flags = dict.fromkeys((*self._events.wanted, *self._events.unwanted), False)
        body = {**blank, **flags, "fields": _fields({}, target)}
        answer = await self._http.send("POST", _PATH, body=body, accept=_REFUSALS)
        if not answer.ok:
            raise await refusal(answer)
        return payload.mapping(await answer.json())

    async def _update(self, row: Object, target: WebhookTarget) -> None:
        """Write it as wanted, without a test."""
        own_id = payload.identifier(row.get("id"))
        if own_id is None:
            raise BadAnswerError("a connection without an id")
        answer = await self._http.send(
            "PUT",
            f"{_PATH}/{own_id}",
            params={"forceSave": True},
            body=self._resource(row, target),
            accept=_REFUSALS,
        )
        if not answer.ok:
            raise await refusal(answer)

    def _resource(self, row: Object, target: WebhookTarget) -> Json:
        """Return the whole resource as wanted: what is left out would be lost."""
        return {
            **row,
            **dict.fromkeys(self._supported(row), True),
            "fields": _fields(values(row), target),
        }


def _mark(target: WebhookTarget) -> str:
    """Return the name by which we know our own connection, and not another instance's."""
    return f"{MARK} {target.instance_id[:8]})"


def _url(row: Object) -> str:
    return payload.text(values(row).get("url"), 2048) or ""


def _fields(known: Object, target: WebhookTarget) -> Sequence[Json]:
    """Return the settings as wanted; one that is null breaks the sending."""
    wanted: dict[str, Json] = {
        **known,
        "url": target.url,
        "method": _POST,
        "username": target.username,
        "password": target.secret,
    }
    return [{"name": name, "value": value} for name, value in wanted.items() if value is not None]


async def refusal(answer: Answer) -> WebhookError:
    """Say why a call was refused: a list of what is wrong (400), or one message (500)."""
    try:
        body = await answer.json()
    except BadAnswerError:
        return WebhookError(WebhookCause.OTHER, str(answer.status))
    found = records(body)
    if found is None:
        one = payload.mapping(body)
        words = [one.get("message"), one.get("description")]
    else:
        words = [row.get("errorMessage") for row in found]
    texts = [text for word in words if (text := payload.text(word, 4000)) is not None]
    cause = next((cause for text in texts if (cause := cause_of(text))), WebhookCause.OTHER)
    detail = payload.prose(texts[0]) if texts else None
    return WebhookError(cause, detail or str(answer.status))


def cause_of(text: str) -> WebhookCause | None:
    """Tell the causes apart by what .NET and the service call them."""
    status = _STATUS.search(text)
    if status is not None:
        return _BY_STATUS.get(int(status[1] or status[2]), WebhookCause.OTHER)
    return next((cause for cause, words in _BY_WORDS if words.search(text)), None)
