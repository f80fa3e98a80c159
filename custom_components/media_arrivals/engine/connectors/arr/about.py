"""What Radarr and Sonarr say of themselves: who they are, and their connections. Pure."""

from dataclasses import dataclass
from typing import Final

from .. import payload
from ..base import Json
from ..payload import Object
from .reading import records

OLDEST: Final = 3
"""The first major version that is supported."""
MARK: Final = "Home Assistant (Media Arrivals"
"""How the names of our own connections begin."""
_NAMELESS: Final = {"0": "Radarr", "2": "Sonarr"}
"""Versions that did not name themselves yet: the major number tells them apart."""
_HOOK: Final = "/api/webhook/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Who answered."""

    product: str
    version: str
    name: str

    @property
    def too_old(self) -> bool:
        """Tell whether its version is older than what is supported."""
        major = payload.integer(self.version.partition(".")[0])
        return major is not None and major < OLDEST

    def is_a(self, product: str) -> bool:
        """Tell whether it is what is wanted."""
        return self.product.casefold() == product.casefold()


def read_status(body: Json) -> Status:
    """Read ``system/status``; what is no such answer has no product."""
    found = payload.mapping(body)
    version = payload.text(found.get("version"), 32) or ""
    product = payload.text(found.get("appName"), 64)
    if product is None:
        product = _NAMELESS.get(version.partition(".")[0], "") if "startupPath" in found else ""
    return Status(
        product=product,
        version=version,
        name=payload.text(found.get("instanceName"), 64) or product,
    )


def seerr_name(body: Json) -> str:
    """Say what a Seerr calls itself in its public settings; empty: it is none."""
    public = payload.mapping(body)
    if "initialized" not in public and "applicationTitle" not in public:
        return ""
    return payload.text(public.get("applicationTitle"), 64) or "Seerr"


def described_status(body: Json, product: str) -> str | None:
    """Say who answered, and whether that is of any use; ``None``: it does not say."""
    status = read_status(body)
    if not status.product:
        return None
    said = f"{status.product} {status.version}".rstrip()
    if not status.is_a(product):
        return f"{said}, which is no {product}"
    return f"{said}, which is too old: {OLDEST} is the oldest" if status.too_old else said


def described_connections(body: Json) -> str | None:
    """Say which webhooks are there: no address, no name and no id; ``None``: another shape."""
    one = payload.mapping(body)
    rows = (one,) if "fields" in one else records(body)
    if rows is None:
        return None
    hooks = [row for row in rows if payload.word(row.get("implementation")) == "webhook"]
    said = [_described(row) for row in hooks]
    return "; ".join([f"connections: {len(rows)}, webhooks: {len(hooks)}", *said])


def _described(row: Object) -> str:
    """Say whose a webhook seems to be, and what it tells."""
    events = sorted(key for key, value in row.items() if key.startswith("on") and value is True)
    state = f"switched on for {', '.join(events)}" if events else "switched off"
    tags = ", only for some tags" if payload.items(row.get("tags")) else ""
    return f"{_owner(row)}: {state}{tags}"


def _owner(row: Object) -> str:
    if MARK.casefold() in payload.word(row.get("name")):
        return "ours"
    url = payload.text(values(row).get("url"), 2048) or ""
    return "calls a Home Assistant" if _HOOK in url else "another"


def values(row: Object) -> Object:
    """Return the settings of a connection by name."""
    return {
        name: field.get("value")
        for field in payload.rows(row.get("fields"))
        if (name := payload.text(field.get("name"), 64)) is not None
    }
