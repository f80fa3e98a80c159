"""Deliveries: what of one is read before it is answered, and how those wait that were."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from homeassistant.helpers.json import json_bytes
from homeassistant.util.json import json_loads

from .const import KIND_BOARD
from .engine.board.models import Reason, Role, Service, WatchReport
from .engine.connectors.base import Decoded, Delivery, Json
from .engine.connectors.registry import decoder
from .engine.storage.journal import Journal
from .engine.storage.models import JournalRow
from .faults import fault, log_fault
from .privacy import NOTE, Privacy

_LOGGER = logging.getLogger(__name__)

LARGE_BODY: Final = 16 * 1024
"""Bodies above this are read in a thread, so that nothing else waits."""
MAX_KEPT: Final = 64
"""Deliveries that wait in memory. What more of them tells is read from the journal: a score of
objects each, kept over a long burst, would have Python look through them for garbage."""


GENERIC: Final = "generic"
"""The journal's source of what came to the address for all services from a sender that can
prove nothing. What else came there is as if it had come to its service's own address."""
REFUSED: Final = "refused"
"""The journal's source of what came there and was not taken: its payload is why."""
UNPROVEN: Final = frozenset({GENERIC, REFUSED})
"""Sources of what anybody may have sent who knows the address: it must not drive out the rest."""


@dataclass(slots=True, kw_only=True)
class Delivered:
    """A delivery that was let in, and what was read of it so far."""

    service: Service
    source: str
    """The service's kind, :data:`GENERIC` or :data:`REFUSED`."""
    received_at: float
    event_type: str
    payload: str
    """What the journal keeps, which says the same as the body."""
    document: Mapping[str, Json] | None = None
    """The payload once more, where nobody has to read it again."""
    decoded: Decoded | None = None
    """``None``: left to be said by :meth:`read`."""
    row: int = 0
    """Where it is in the journal; 0: not yet."""

    @classmethod
    def of_row(cls, services: Mapping[str, Service], row: JournalRow) -> Self | None:
        """Return a delivery that is only in the journal; ``None``: its service is gone."""
        service = _nobody(row.service) if row.source == REFUSED else services.get(row.service)
        if service is None:
            return None
        return cls(
            service=service,
            source=row.source,
            received_at=row.received_at,
            event_type=row.event_type,
            payload=row.payload or "",
            row=row.id,
        )

    def read(self) -> Decoded:
        """Say what it tells, from what is kept of it."""
        if self.source == REFUSED:
            return _verdict(self.payload)
        if self.payload == NOTE:
            return Decoded(event_type=self.event_type, ignored=Reason.PRIVATE)
        body = self.payload.encode()
        delivery = Delivery(
            body=body,
            received_at=self.received_at,
            id=self.row,
            document=read_json(body) if self.document is None else self.document,
        )
        decoded = decode(self.service, delivery)
        return hinted(decoded) if self.source == GENERIC else decoded


def read_out(service: Service, delivery: Delivery, privacy: Privacy) -> Delivered:
    """Read of a delivery what must be known before it is answered, and what is kept of it."""
    payload, kept, event = _kept(service, delivery)
    decoded = None
    if event is None:
        decoded = decode(service, delivery)
        event = decoded.event_type
    if privacy.screens(service):
        screened = privacy.screen(service, event, payload)
        if screened != payload:
            payload, kept = screened, None
            decoded = _told_less(delivery, decoded, service, payload, event)
    return Delivered(
        service=service,
        source=service.kind,
        received_at=delivery.received_at,
        event_type=event,
        payload=payload,
        document=kept,
        decoded=decoded,
    )


def _told_less(
    delivery: Delivery, told: Decoded | None, service: Service, payload: str, event: str
) -> Decoded:
    """Say what is told by what is left of a delivery."""
    if payload != NOTE:
        return decode(service, Delivery(body=payload.encode(), received_at=delivery.received_at))
    # That it came, and that there is something to be seen, says nothing of anybody.
    return Decoded(
        event_type=event,
        ignored=Reason.PRIVATE,
        sightings=() if told is None else told.sightings,
        hint=told is not None and told.hint,
        peer=None if told is None else told.peer,
    )


def read_hint(service: Service, delivery: Delivery, privacy: Privacy) -> Delivered:
    """Do the same with a delivery whose sender can prove nothing."""
    told = read_out(service, delivery, privacy)
    told.source, told.decoded = GENERIC, None
    told.decoded = told.read()
    return told


def refused(owner: str, at: float, reason: Reason, sender: str | None = None) -> Delivered:
    """Return what is written down of a delivery that is not taken: nothing of itself."""
    payload = json_bytes({"reason": reason, "sender": sender}).decode()
    return Delivered(
        service=_nobody(owner),
        source=REFUSED,
        received_at=at,
        event_type="",
        payload=payload,
        decoded=_verdict(payload),
    )


def hinted(decoded: Decoded) -> Decoded:
    """Return what is left of a delivery if nothing of it is believed: reasons to ask.

    Who watched what cannot be asked for one by one: that is read with the next poll.
    """
    questions = decoded.questions
    watched = any(isinstance(one, WatchReport) for one in decoded.reports)
    if not decoded.hint and not watched and not questions:
        return replace(decoded, reports=(), test=False, sightings=(), health=(), peer=None)
    return Decoded(
        event_type=decoded.event_type,
        questions=tuple(one for one in questions if one.about is None and _is_plain(one.item)),
        ignored=Reason.HINT,
        hint=True,
        history=decoded.history or watched or any(one.about is not None for one in questions),
    )


def _is_plain(item: str | None) -> bool:
    """Tell whether an item's id can be nothing but that in an address that is called."""
    return item is None or (item.isascii() and item.isalnum())


def _nobody(owner: str) -> Service:
    """Stand in for the service that something seemed to come from."""
    return Service(id=owner, kind=KIND_BOARD, role=Role.REQUESTS)


def _verdict(payload: str) -> Decoded:
    """Read why a delivery was not taken."""
    found = read_json(payload.encode())
    said = found if isinstance(found, Mapping) else {}
    try:
        reason = Reason(str(said.get("reason")))
    except ValueError:
        # Of another version.
        reason = Reason.UNREADABLE
    sender = said.get("sender")
    return Decoded(
        event_type="",
        ignored=reason,
        detail=f"looks like {sender}" if isinstance(sender, str) else None,
    )


def decode(service: Service, delivery: Delivery) -> Decoded:
    """Say what a delivery tells; a fault of ours is no refusal."""
    try:
        return decoder(service.kind).decode(service, delivery)
    except Exception as err:  # noqa: BLE001 - whatever it is, the delivery came
        log_fault(_LOGGER, f"reading a delivery of {service.kind}", err)
        return Decoded(event_type="unknown", ignored=Reason.ERROR, detail=fault(err))


def read_json(body: bytes) -> Json:
    """Read JSON the fast way; connectors read themselves what it is too strict for."""
    try:
        return json_loads(body)
    except ValueError:
        return None


def _kept(
    service: Service, delivery: Delivery
) -> tuple[str, Mapping[str, Json] | None, str | None]:
    """Return what of a delivery is kept, as text and as a document, and the event if it is clear.

    Nothing is kept if we cannot say what is private in it.
    """
    reader = decoder(service.kind)
    try:
        if (kept := reader.keep(delivery)) is None:
            return reader.sanitise(delivery), None, None
        return json_bytes(kept).decode(), kept, reader.told(kept)
    except Exception as err:  # noqa: BLE001 - whatever it is, the delivery came
        log_fault(_LOGGER, f"cleaning a delivery of {service.kind}", err)
        return "{}", None, None


class Backlog:
    """Deliveries that wait, in their order: a few in memory, the others in the journal."""

    def __init__(self) -> None:
        self._kept: deque[Delivered] = deque()
        self._after = 0
        """Up to this row they are in memory or were taken."""
        self._upto = 0
        """Beyond that, up to this row, they are only in the journal."""
        self._filled = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def empty(self) -> bool:
        """Tell whether none waits."""
        return not self._kept and self._upto <= self._after

    def resume(self, upto: int) -> None:
        """Begin with what the last run left in the journal."""
        self._upto = upto
        self._wake()

    def behind(self, row: int) -> bool:
        """Tell whether rows up to this one were not taken yet."""
        return self._after < row

    def put(self, delivered: Delivered) -> None:
        """Have a delivery wait; rows come in their order."""
        if (
            self._upto > self._after
            or len(self._kept) >= MAX_KEPT
            or len(delivered.payload) > LARGE_BODY
        ):
            self._upto = delivered.row
        else:
            self._kept.append(delivered)
            self._after = delivered.row
        self._wake()

    def _wake(self) -> None:
        if not self.empty:
            self._idle.clear()
            self._filled.set()

    async def wait(self) -> None:
        """Wait until one waits."""
        while self.empty:
            self._filled.clear()
            await self._filled.wait()

    def take(self, limit: int) -> list[Delivered]:
        """Take those that are in memory, in their order."""
        return [self._kept.popleft() for _ in range(min(limit, len(self._kept)))]

    async def read(self, journal: Journal, limit: int) -> Sequence[JournalRow]:
        """Take those that are only in the journal, once there is none in memory."""
        upto = self._upto
        rows = await journal.pending(after=self._after, upto=upto, limit=limit)
        self._after = rows[-1].id if len(rows) == limit else upto
        return rows

    def taken(self) -> None:
        """Note that what was taken is worked off."""
        if self.empty:
            self._idle.set()

    async def join(self) -> None:
        """Wait until all are worked off."""
        await self._idle.wait()
