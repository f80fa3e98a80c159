"""Diagnostics: what a bug report needs, and nothing that should not be in one."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from yarl import URL

from .const import (
    CONF_ALLOWED_ADDRESSES,
    CONF_CALLBACK_URL,
    CONF_CLOUDHOOKS,
    CONF_OWNER_ID,
    CONF_SERVER_ID,
    CONF_WEBHOOK_SECRET,
)
from .deliveries import Delivered
from .doctor import examine, facts
from .engine.board.board import Board
from .engine.board.models import Service
from .engine.storage.models import JournalRow, StorageError
from .engine.storage.storage import Storage
from .entity import is_board
from .people import People
from .presenter import (
    REDACTED,
    Audience,
    Document,
    iso_time,
    present_delivery,
    present_ids,
    present_statement,
)
from .privacy import Privacy, Watching
from .records import ServiceRecord
from .runtime import BOARD_KEY, BoardConfigEntry, ServiceConfigEntry

DELIVERIES: Final = 20
CONFLICTS: Final = 50

_SUMMED_UP: Final = frozenset({"misses", "webhook_delays", "poll_delays", "reachable"})
"""Of the record's lists, how the webhook is says what matters."""

TO_REDACT: Final = frozenset(
    {
        CONF_ALLOWED_ADDRESSES,
        CONF_API_KEY,
        CONF_CLOUDHOOKS,
        CONF_OWNER_ID,
        CONF_SERVER_ID,
        CONF_WEBHOOK_ID,
        CONF_WEBHOOK_SECRET,
    }
)


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: BoardConfigEntry | ServiceConfigEntry
) -> dict[str, Any]:
    """Return what is known of the board or of a service."""
    runtime = hass.data[BOARD_KEY]
    board, storage = runtime.board, runtime.storage
    if is_board(entry):
        return {
            "options": _present_settings(entry.options),
            "services": [_present_service(service) for service in board.services.values()],
            "board": _present_board(board),
            "people": _present_people(runtime.people),
            "database": await _present_database(storage, None),
        }
    service = board.services.get(entry.entry_id)
    record = runtime.records[entry.entry_id]
    found = examine(entry, record, time.time())
    return {
        "data": _present_settings(entry.data),
        "options": _present_settings(entry.options),
        "service": _present_service(service) if service else None,
        "webhook": {"state": found.state.value, **facts(found, record)},
        "record": _present_record(record, entry) | _hidden(runtime.privacy),
        "board": _present_board(board),
        "requests_without_arrival": _present_uncovered(board, entry.entry_id),
        "database": await _present_database(storage, entry.entry_id),
        "deliveries": await _present_deliveries(storage, service) if service else [],
    }


def _present_settings(settings: Any) -> Document:
    """Present an entry's data or options, without keys and hosts."""
    document: Document = async_redact_data(dict(settings), TO_REDACT)
    for key in (CONF_URL, CONF_CALLBACK_URL):
        if document.get(key):
            document[key] = _without_host(document[key])
    return document


def _present_service(service: Service) -> Document:
    """Present a service as the board knows it."""
    return {
        "id": service.id,
        "kind": service.kind,
        "role": service.role.value,
        "tier": None if service.tier is None else service.tier.value,
    }


def _hidden(privacy: Privacy) -> Document:
    """Say what is not told of watching."""
    return {"playing": None} if privacy.watching is Watching.OFF else {}


def _present_record(record: ServiceRecord, entry: ServiceConfigEntry) -> Document:
    """Present what is remembered of a service, with readable times."""
    document = {
        key: iso_time(value) if key.endswith(("_at", "_since")) else value
        for key, value in asdict(record).items()
        if key not in _SUMMED_UP
    }
    # Which titles they are is nobody's business; how many there are tells enough.
    document |= {"not_found": len(record.not_found), "absent": len(record.absent)}
    secrets = (
        *(entry.data.get(key) for key in (CONF_API_KEY, CONF_WEBHOOK_ID, CONF_WEBHOOK_SECRET)),
        *(
            URL(address).host
            for address in (entry.data[CONF_URL], record.webhook_address)
            if address
        ),
    )
    for key in ("last_error", "webhook_detail"):
        document[key] = _scrubbed(document[key], secrets)
    if record.webhook_address:
        document["webhook_address"] = _without_host(record.webhook_address)
    return document


def _present_board(board: Board) -> Document:
    """Present how full the board is."""
    return {
        "arrivals": {stage.value: count for stage, count in board.counts.items() if count},
        "requests_waiting": board.pending,
        "held": dict(Counter(one.hold.reason.value for one in board.arrivals() if one.hold)),
    }


def _present_people(people: People) -> Document:
    """Present of how many persons it is known who they are, and in which services."""
    users = Counter(user.service for one in people.persons for user in people.users_of(one))
    return {"persons": len(people.persons), "users": dict(users)}


def _present_uncovered(board: Board, service_id: str) -> list[Document]:
    """Present requests of which nobody knows what they cover: seasons that do not fit."""
    return [
        {
            "request_id": request.request_id,
            "ids": present_ids(board.title(request.title_id).ids),
            "seasons": None if request.seasons is None else list(request.seasons),
            "tier": request.tier.value,
            "decision": request.decision.decision.value,
        }
        for request in board.requests()
        if request.service == service_id and not request.arrivals
    ][:CONFLICTS]


async def _present_database(storage: Storage | None, service_id: str | None) -> Document | None:
    """Present the deliveries by what became of them."""
    if storage is None:
        return None
    try:
        counts = await storage.journal.counts()
    except StorageError as err:
        return {"error": type(err).__name__}
    outcomes: Counter[str] = Counter()
    for count in counts:
        if service_id in {None, count.service}:
            outcomes[count.outcome or "waiting"] += count.count
    return {"journal_mode": storage.journal_mode, "deliveries": dict(outcomes)}


async def _present_deliveries(storage: Storage | None, service: Service) -> list[Document]:
    """Present the newest deliveries with what is concluded from each."""
    if storage is None:
        return []
    try:
        page = await storage.journal.recent(service=service.id, limit=DELIVERIES, with_payload=True)
    except StorageError:
        return []
    audience = Audience(names=False, services={})
    downloads: dict[str, int] = {}
    return [
        {**present_delivery(row, audience), **_concluded(row, service, downloads)}
        for row in page.rows
    ]


def _concluded(row: JournalRow, service: Service, downloads: dict[str, int]) -> Document:
    """Decode a delivery again, from what is kept of it."""
    delivered = Delivered.of_row({service.id: service}, row)
    assert delivered is not None  # noqa: S101 - its service is this one
    decoded = delivered.read()
    return {
        "ignored": decoded.ignored and decoded.ignored.value,
        "detail": decoded.detail,
        "reports": [present_statement(report, downloads) for report in decoded.reports],
        "questions": [present_statement(question, downloads) for question in decoded.questions],
    }


def _without_host(address: str) -> str:
    """Return an address whose host is not told; scheme, port and path matter for help."""
    url = URL(address)
    port = "" if url.explicit_port is None else f":{url.explicit_port}"
    return f"{url.scheme}://{REDACTED}{port}{url.path}"


def _scrubbed(text: str | None, secrets: Iterable[str | None]) -> str | None:
    """Return a text without the secrets that it may name."""
    if text is None:
        return None
    for secret in filter(None, secrets):
        text = text.replace(secret, REDACTED)
    return text
