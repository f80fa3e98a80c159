"""The door: authenticates, bounds, writes down and answers deliveries; works nothing off."""

import asyncio
import base64
import binascii
import hmac
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from aiohttp import StreamReader, hdrs
from aiohttp.web import Request, RequestPayloadError, Response
from homeassistant.components.webhook import async_register, async_unregister
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.network import is_cloud_connection
from homeassistant.loader import async_get_loaded_integration
from homeassistant.util import network
from homeassistant.util.aiohttp import MockRequest
from homeassistant.util.hass_dict import HassKey

from .const import (
    BOARD_UNIQUE_ID,
    CONF_ALLOWED_ADDRESSES,
    CONF_GENERIC_WEBHOOK,
    CONF_KIND,
    CONF_LOCAL_ONLY,
    CONF_MANUAL_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    NAME,
    WEBHOOK_USERNAME,
)
from .deliveries import (
    GENERIC,
    LARGE_BODY,
    REFUSED,
    Delivered,
    read_hint,
    read_json,
    read_out,
    refused,
)
from .engine.board.models import Reason, Service
from .engine.connectors.base import Delivery, WebhookCause
from .engine.connectors.recognise import recognise
from .engine.storage.models import StorageError
from .engine.storage.storage import Storage
from .faults import log_fault
from .generic import SEND_NO_SECRET, Allowance, match
from .guides import learn_more_url
from .registration import async_delete_cloudhook, issue_id
from .runtime import (
    BOARD_KEY,
    BoardConfigEntry,
    ServiceConfigEntry,
    WebhookHealth,
    board_entry,
    service_entries,
    service_of,
)

_LOGGER = logging.getLogger(__name__)

MAX_BODY: Final = 1024 * 1024
MAX_DIGITS: Final = 20
"""Python reads no number of thousands of digits."""
BODY_SECONDS: Final = 10.0
REFUSALS: Final = 20
"""Refused calls from one address within the period that get an answer of their own."""
REFUSAL_PERIOD: Final = 60.0
REFUSING_ADDRESSES: Final = 1_024
"""Addresses that are remembered at most."""
UNPROVEN_AT_ONCE: Final = 120
UNPROVEN_EVERY: Final = 1.0
"""Seconds for each further row of what proves nothing: it must not drive out all the others."""

_METHODS: Final = (hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST, hdrs.METH_PUT)
_SHARED_SPACE: Final = ip_network("100.64.0.0/10")
"""Carriers and mesh networks: as local as a household's own ranges."""
_CHUNK: Final = 64 * 1024
_NOTED: Final = frozenset({Reason.UNAUTHORIZED, Reason.NOT_ALLOWED, Reason.TOO_LARGE})
"""Refusals that are in the journal, where a call was to the address for all services."""

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network


class _Refusal(Exception):  # noqa: N818 - not a fault, but an answer
    """A call that is not taken."""

    def __init__(
        self,
        status: HTTPStatus,
        reason: str,
        *,
        entry_id: str | None = None,
        sender: str | None = None,
    ) -> None:
        """Keep the answer; of a call to the address for all, also whose it seems to be."""
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.entry_id = entry_id
        self.sender = sender


class Refusals:
    """Counts refused calls by address, in bounded memory."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def too_many(self, source: str, now: float) -> bool:
        """Count one; tell whether there were too many within the period."""
        since, count = self._windows.pop(source, (now, 0))
        if now - since >= REFUSAL_PERIOD:
            since, count = now, 0
        self._windows[source] = (since, count + 1)
        if len(self._windows) > REFUSING_ADDRESSES:
            self._windows.popitem(last=False)
        return count >= REFUSALS


class Doors:
    """The webhooks of all services: open from the set-up of the domain on, over every reload."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self._open: dict[str, str] = {}
        self._refusals = Refusals()
        self._unproven = Allowance(UNPROVEN_AT_ONCE, UNPROVEN_EVERY)

    @callback
    def async_open(self, entry: ServiceConfigEntry) -> None:
        """Open a service's webhook if it is not; an id that was replaced is closed."""
        webhook_id: str = entry.data[CONF_WEBHOOK_ID]
        entry_id = entry.entry_id
        if self._open.get(entry_id) == webhook_id:
            return
        self.async_close(entry_id)

        async def handle(hass: HomeAssistant, _: str, request: Request) -> Response:
            return await self.async_handle(entry_id, request)

        name = f"{NAME}: {entry.title}"
        async_register(self.hass, DOMAIN, name, webhook_id, handle, allowed_methods=_METHODS)
        self._open[entry_id] = webhook_id

    @callback
    def async_open_for_all(self) -> None:
        """Open the address for all services where there is one, and follow its entry."""
        self._open_for_all()

        @callback
        def entry_changed(_: ConfigEntryChange, entry: ConfigEntry) -> None:
            if entry.domain == DOMAIN and entry.unique_id == BOARD_UNIQUE_ID:
                self._open_for_all()

        async_dispatcher_connect(self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)

    @callback
    def _open_for_all(self) -> None:
        """Open the address of now; one that is switched off, too, so that callers are told."""
        board = board_entry(self.hass)
        webhook_id = None if board is None else board.data.get(CONF_WEBHOOK_ID)
        old_id = self._open.get(BOARD_UNIQUE_ID)
        if old_id == webhook_id:
            return
        self.async_close(BOARD_UNIQUE_ID)
        if old_id is not None:
            forgetting = async_delete_cloudhook(self.hass, old_id)
            _ = self.hass.async_create_task(forgetting, f"{DOMAIN} cloudhook")
        if webhook_id is None:
            return

        async def handle(hass: HomeAssistant, _: str, request: Request) -> Response:
            return await self.async_handle_any(request)

        async_register(self.hass, DOMAIN, NAME, webhook_id, handle, allowed_methods=_METHODS)
        self._open[BOARD_UNIQUE_ID] = webhook_id

    @callback
    def async_close(self, entry_id: str) -> None:
        """Close a service's webhook."""
        if (webhook_id := self._open.pop(entry_id, None)) is not None:
            async_unregister(self.hass, webhook_id)

    async def async_handle(self, entry_id: str, request: Request | MockRequest) -> Response:
        """Answer a call, whatever comes."""
        try:
            return await self._answer(entry_id, request)
        except _Refusal as refusal:
            return self._refuse(entry_id, request, refusal)
        except Exception as err:  # noqa: BLE001 - Home Assistant would log the id and answer 200
            return self._fault(entry_id, err)

    async def _answer(self, entry_id: str, request: Request | MockRequest) -> Response:
        """Let a call in, or raise why not."""
        entry: ServiceConfigEntry | None = self.hass.config_entries.async_get_entry(entry_id)
        if entry is None or entry.disabled_by is not None:
            raise _Refusal(HTTPStatus.GONE, "gone")
        if not _may_call(self.hass, entry.options, request.remote):
            raise _Refusal(HTTPStatus.FORBIDDEN, "address_not_allowed")
        if request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
            if "test" in request.query:
                return test_answer(self.hass, entry.data[CONF_KIND], with_version=True)
            if request.method == hdrs.METH_GET:
                self._note_redirect(entry, request)
            raise _Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        given = request.headers.get(hdrs.AUTHORIZATION)
        silent = given is None and entry.data[CONF_KIND] in SEND_NO_SECRET
        if not silent and not _authorized(given, entry.data[CONF_WEBHOOK_SECRET]):
            raise _Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized")
        delivery, small = await _delivery(request)
        storage = self.hass.data[BOARD_KEY].storage
        if small and storage is not None:
            told = read_out(self._service(entry), delivery, self.hass.data[BOARD_KEY].privacy)
            return await self._write_down(storage, told, partial(self._deliver, entry))
        # A sender that does not wait for the answer has delivered all the same.
        taking = self.hass.async_create_task(self._take(entry, delivery), f"{DOMAIN} delivery")
        return await asyncio.shield(taking)

    async def _take(self, entry: ServiceConfigEntry, delivery: Delivery) -> Response:
        """Take a delivery that is large, or comes before there is a place to write it down."""
        if (storage := await self.hass.data[BOARD_KEY].opened_storage()) is None:
            return self._unavailable(entry.entry_id)
        told = await self.hass.async_add_executor_job(
            read_out, self._service(entry), delivery, self.hass.data[BOARD_KEY].privacy
        )
        return await self._write_down(storage, told, partial(self._deliver, entry))

    def _service(self, entry: ServiceConfigEntry) -> Service:
        """Return the service as the board knows it."""
        return self.hass.data[BOARD_KEY].board.services.get(entry.entry_id) or service_of(entry)

    def _write_down(
        self, storage: Storage, told: Delivered, deliver: Callable[[Delivered], Response]
    ) -> asyncio.Future[Response]:
        """Write a delivery down; return what will be the answer.

        Once it is written down it is worked off, even if nobody waits for the answer any more.
        """
        answer: asyncio.Future[Response] = self.hass.loop.create_future()
        worker = self.hass.data[BOARD_KEY].worker
        worker.at_door += 1
        service = told.service

        def written(row: int | Exception) -> None:
            worker.at_door -= 1
            try:
                if isinstance(row, StorageError):
                    taken = told.source != REFUSED
                    response = self._unavailable(service.id if taken else BOARD_UNIQUE_ID)
                elif isinstance(row, Exception):
                    raise row  # noqa: TRY301 - a fault as any other
                else:
                    told.row = row
                    response = deliver(told)
            except Exception as err:  # noqa: BLE001 - as in async_handle, which may be gone
                response = self._fault(service.id, err)
            if not answer.done():
                answer.set_result(response)

        new = (service.id, told.source, told.event_type, told.received_at, told.payload)
        try:
            storage.journal.put(new, written)
        except StorageError as err:
            written(err)
        return answer

    def _deliver(self, entry: ServiceConfigEntry, told: Delivered) -> Response:
        """Put a delivery that is written down on the queue, and answer."""
        self._note_arrival(entry)
        self.hass.data[BOARD_KEY].deliver(told)
        return _answer_to(told)

    # --- the address for all services -----------------------------------------------------------

    async def async_handle_any(self, request: Request | MockRequest) -> Response:
        """Answer a call to the address for all services, whatever comes."""
        return await self._safely(request, self._answer_any(request))

    async def _safely(
        self, request: Request | MockRequest, answering: Coroutine[Any, Any, Response]
    ) -> Response:
        """Answer, also where a call is not taken or something goes wrong."""
        try:
            try:
                return await answering
            except _Refusal as refusal:
                return await self._turn_away(request, refusal)
        except Exception as err:  # noqa: BLE001 - as in async_handle
            return self._fault(BOARD_UNIQUE_ID, err)

    async def _answer_any(self, request: Request | MockRequest) -> Response:
        """Let a call in, or raise why not; whose it is, its body tells."""
        board = board_entry(self.hass)
        if board is None or not board.options.get(CONF_GENERIC_WEBHOOK):
            raise _Refusal(HTTPStatus.GONE, "gone")
        if not _may_call(self.hass, board.options, request.remote):
            raise _Refusal(HTTPStatus.FORBIDDEN, Reason.NOT_ALLOWED)
        if request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
            if "test" in request.query:
                return test_answer(self.hass, GENERIC, with_version=True)
            raise _Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")
        delivery, small = await _delivery(request)
        if small and self.hass.data[BOARD_KEY].storage is not None:
            return await self._take_any(board, request, delivery)
        taking = self._safely(request, self._take_any(board, request, delivery))
        return await asyncio.shield(self.hass.async_create_task(taking, f"{DOMAIN} delivery"))

    async def _take_any(
        self, board: BoardConfigEntry, request: Request | MockRequest, delivery: Delivery
    ) -> Response:
        """Take a delivery if it is of one of the services, or write down why not."""
        if (storage := await self.hass.data[BOARD_KEY].opened_storage()) is None:
            return self._unavailable(BOARD_UNIQUE_ID)
        sender = await self._work_out(delivery, partial(recognise, delivery))
        given = request.headers.get(hdrs.AUTHORIZATION)
        found = match(
            sender,
            service_entries(self.hass),
            silent=given is None,
            knows=partial(_authorized, given),
        )
        entry, kind = found.entry, None if sender is None else sender.kind
        if found.reason is Reason.UNAUTHORIZED:
            claimed = None if entry is None else entry.entry_id
            raise _Refusal(
                HTTPStatus.UNAUTHORIZED, Reason.UNAUTHORIZED, entry_id=claimed, sender=kind
            )
        if entry is None:
            reason = found.reason or Reason.UNKNOWN_SENDER
            told = refused(board.entry_id, delivery.received_at, reason, kind)
            return await self._write_down_unproven(storage, told)
        if not _may_call(self.hass, entry.options, request.remote):
            raise _Refusal(
                HTTPStatus.FORBIDDEN, Reason.NOT_ALLOWED, entry_id=entry.entry_id, sender=kind
            )
        read = read_out if found.proven else read_hint
        privacy = self.hass.data[BOARD_KEY].privacy
        told = await self._work_out(
            delivery, partial(read, self._service(entry), delivery, privacy)
        )
        if found.proven:
            return await self._write_down(storage, told, partial(self._deliver_proven, entry))
        return await self._write_down_unproven(storage, told)

    async def _work_out[T](self, delivery: Delivery, work: Callable[[], T]) -> T:
        """Work something out of a delivery, in a thread if it is large."""
        if len(delivery.body) <= LARGE_BODY:
            return work()
        return await self.hass.async_add_executor_job(work)

    async def _write_down_unproven(self, storage: Storage, told: Delivered) -> Response:
        """Write down what proves nothing, unless that was done too often just now."""
        if self._unproven.take(told.service.id):
            return await self._write_down(storage, told, self._deliver_unproven)
        if told.decoded is not None:
            self.hass.data[BOARD_KEY].worker.async_hint(told.service.id, told.decoded)
        return _answer_to(told)

    def _deliver_proven(self, entry: ServiceConfigEntry, told: Delivered) -> Response:
        """Take a delivery as if it had come to the service's own address.

        It says nothing of whether that one works, unless the user enters addresses by hand.
        """
        runtime = self.hass.data[BOARD_KEY]
        if entry.options.get(CONF_MANUAL_WEBHOOK):
            runtime.book.arrived(entry.entry_id, time.time())
        else:
            runtime.count(entry.entry_id, received=1)
        runtime.worker.async_deliver(told)
        return _answer_to(told)

    def _deliver_unproven(self, told: Delivered) -> Response:
        """Have it worked off as far as that goes."""
        runtime = self.hass.data[BOARD_KEY]
        if told.source != REFUSED:
            runtime.count(told.service.id, received=1)
        runtime.worker.async_deliver(told)
        return _answer_to(told)

    async def _turn_away(self, request: Request | MockRequest, refusal: _Refusal) -> Response:
        """Answer a call that is not taken, and write that down."""
        answer = self._refuse(refusal.entry_id or BOARD_UNIQUE_ID, request, refusal)
        board, storage = board_entry(self.hass), self.hass.data[BOARD_KEY].storage
        noted = refusal.reason in _NOTED and answer.status == refusal.status
        if noted and board is not None and storage is not None:
            owner = refusal.entry_id or board.entry_id
            told = refused(owner, time.time(), Reason(refusal.reason), refusal.sender)
            await self._write_down_unproven(storage, told)
        return answer

    # --- answers --------------------------------------------------------------------------------

    def _fault(self, entry_id: str, err: Exception) -> Response:
        """Answer that something went wrong here."""
        log_fault(_LOGGER, "answering a webhook call", err)
        self.hass.data[BOARD_KEY].count(entry_id, failed=1)
        return _json({"status": "error"}, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _unavailable(self, entry_id: str) -> Response:
        """Say that nothing can be written down at the moment: the delivery is lost."""
        status, reason = HTTPStatus.SERVICE_UNAVAILABLE, "journal_unavailable"
        self.hass.data[BOARD_KEY].count(entry_id, received=1, failed=1)
        _LOGGER.debug("Delivery to %s failed: %s %s", entry_id, status.value, reason)
        return _json({"status": "error", "reason": reason}, status)

    def _refuse(self, entry_id: str, request: Request | MockRequest, refusal: _Refusal) -> Response:
        """Answer a call that is not taken."""
        status, reason = refusal.status, refusal.reason
        if self._refusals.too_many(request.remote or "", time.monotonic()):
            status, reason = HTTPStatus.TOO_MANY_REQUESTS, "too_many_refused_calls"
        self.hass.data[BOARD_KEY].count(entry_id, refused=1)
        _LOGGER.debug("Call for %s refused: %s %s", entry_id, status.value, reason)
        return _json({"status": "error", "reason": reason}, status)

    def _note_redirect(self, entry: ServiceConfigEntry, request: Request | MockRequest) -> None:
        """Raise it if a redirect turned a service's POST into a GET; a person's look is none."""
        if request.headers.get(hdrs.USER_AGENT, "").startswith("Mozilla/"):
            return
        runtime = self.hass.data[BOARD_KEY]
        record = runtime.records.get(entry.entry_id)
        if record is None or record.webhook is WebhookHealth.POLLING_ONLY:
            return
        runtime.note(
            entry.entry_id, webhook=WebhookHealth.FAILED, webhook_cause=WebhookCause.REDIRECT
        )
        # The same repair that the registration raises for this cause, with the same remedy.
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            issue_id(entry.entry_id),
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key=f"webhook_{WebhookCause.REDIRECT}",
            learn_more_url=learn_more_url(f"webhook_{WebhookCause.REDIRECT}"),
            translation_placeholders={
                "service": entry.title,
                "address": record.webhook_address or "-",
                "answer": "-",
                "tried": f"- `{record.webhook_address or '-'}`",
            },
            data={"entry_id": entry.entry_id, "cause": WebhookCause.REDIRECT.value},
        )

    def _note_arrival(self, entry: ServiceConfigEntry) -> None:
        """Take a redirect back: deliveries get through."""
        runtime = self.hass.data[BOARD_KEY]
        record = runtime.records.get(entry.entry_id)
        if (
            record is not None
            and record.webhook is WebhookHealth.FAILED
            and record.webhook_cause is WebhookCause.REDIRECT
            and record.proven_at is not None
        ):
            runtime.note(entry.entry_id, webhook=WebhookHealth.WORKING, webhook_cause=None)
            ir.async_delete_issue(self.hass, DOMAIN, issue_id(entry.entry_id))


DOORS_KEY: Final[HassKey[Doors]] = HassKey(f"{DOMAIN}_doors")


def test_answer(hass: HomeAssistant, service: str, *, with_version: bool) -> Response:
    """Say that Media Arrivals can be reached; the version is not for everybody."""
    answer: dict[str, Any] = {
        "status": "ok",
        "message": "Media Arrivals can be reached at this address.",
        "service": service,
    }
    if with_version:
        answer["version"] = str(async_get_loaded_integration(hass, DOMAIN).version)
    answer["timestamp"] = datetime.now(UTC).isoformat(timespec="seconds")
    return _json(answer)


@lru_cache
def _said(ignored: Reason | None) -> bytes:
    """Return what a delivery is answered."""
    if ignored is None:
        return json.dumps({"status": "accepted"}).encode()
    return json.dumps({"status": "ignored", "reason": ignored.value}).encode()


def _answer_to(told: Delivered) -> Response:
    """Answer a delivery that is written down; tests and hints are of use, in their way."""
    decoded = told.decoded
    ignored = None if decoded is None else decoded.ignored
    said = _said(None if ignored in {Reason.HINT, Reason.TEST} else ignored)
    return Response(body=said, content_type="application/json")


def _json(answer: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a short answer in JSON."""
    return Response(
        body=json.dumps(answer).encode(), status=status, content_type="application/json"
    )


async def _delivery(request: Request | MockRequest) -> tuple[Delivery, bool]:
    """Read a delivery; the second value tells whether it is small."""
    if (body := _buffered(request)) is None:
        body = await _read(request)
    small = len(body) <= LARGE_BODY
    return Delivery(
        body=body,
        received_at=time.time(),
        content_type=request.headers.get(hdrs.CONTENT_TYPE, "application/json"),
        document=read_json(body) if small else None,
        user_agent=request.headers.get(hdrs.USER_AGENT, ""),
    ), small


def _buffered(request: Request | MockRequest) -> bytes | None:
    """Return the body if it is here as a whole; ``None``: it is to be read."""
    stream = request.content
    if not isinstance(stream, StreamReader) or not stream.is_eof():
        return None
    if stream.total_bytes > MAX_BODY or stream.exception() is not None:
        return None
    return stream.read_nowait()


async def _read(request: Request | MockRequest) -> bytes:
    """Read the body, as far as it is not too large and does not take too long."""
    # A cloudhook's request has no content_length, and gives a new stream at each access.
    # Whoever is logged in can make such a request with headers that no server would let in.
    length = request.headers.get(hdrs.CONTENT_LENGTH, "")
    if length.isdecimal() and (len(length) > MAX_DIGITS or int(length) > MAX_BODY):
        raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    stream = request.content
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while chunk := await stream.read(_CHUNK):
                body += chunk
                if len(body) > MAX_BODY:
                    raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    except TimeoutError as err:
        raise _Refusal(HTTPStatus.REQUEST_TIMEOUT, "too_slow") from err
    except (RequestPayloadError, OSError) as err:
        raise _Refusal(HTTPStatus.BAD_REQUEST, "incomplete") from err
    return bytes(body)


def _authorized(header: str | None, secret: str) -> bool:
    """Tell whether the secret is in the header: alone, as bearer, or as a password."""
    if header is None:
        return False
    if hmac.compare_digest(header.encode("utf-8", "surrogateescape"), _expected(secret)):
        return True
    scheme, _, value = header.strip().partition(" ")
    given = header.strip()
    if scheme.lower() == "bearer":
        given = value.strip()
    elif scheme.lower() == "basic":
        try:
            given = base64.b64decode(value.strip(), validate=True).decode("latin-1")
        except binascii.Error, ValueError:
            return False
        given = given.partition(":")[2]
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())


@lru_cache
def _expected(secret: str) -> bytes:
    """Return what services send of which the webhook was installed by us, all but Seerr."""
    return b"Basic " + base64.b64encode(f"{WEBHOOK_USERNAME}:{secret}".encode())


def _may_call(hass: HomeAssistant, options: Mapping[str, Any], remote: str | None) -> bool:
    """Tell whether the options let this address in."""
    addresses = options.get(CONF_ALLOWED_ADDRESSES)
    local_only = bool(options.get(CONF_LOCAL_ONLY, False))
    if not addresses and not local_only:
        return True
    allowed = _networks(tuple(addresses or ()))
    if remote is None or is_cloud_connection(hass):
        return False
    try:
        address = _plain(ip_address(remote))
    except ValueError:
        return False
    if local_only and not (network.is_local(address) or address in _SHARED_SPACE):
        return False
    return not allowed or any(address in one for one in allowed)


def _plain(address: Address) -> Address:
    """Return an IPv4 address that came in an IPv6 one as what it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=64)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Return networks from the options; the form took only what can be read."""
    return tuple(ip_network(text, strict=False) for text in texts)


@callback
def async_open_doors(hass: HomeAssistant) -> None:
    """Open the doors of all services, and the one for all of them."""
    doors = hass.data[DOORS_KEY] = Doors(hass)
    for entry in service_entries(hass):
        # Those that are disabled, too: Home Assistant would answer 200 to their services.
        doors.async_open(entry)
    doors.async_open_for_all()
