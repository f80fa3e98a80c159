"""What is looked at beside the journeys: webhooks, and Home Assistant's log."""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .home import Home
from .words import DOMAIN, Failure

STATUS = f"/api/{DOMAIN}/webhooks/status"
PROOF_SECONDS = 30.0
SECRETS = frozenset({"api_key", "webhook_id", "webhook_secret"})

_RECORD = re.compile(r"^\S+ \S+ (?P<level>[A-Z]+) \(")
_KNOWN = (
    # Home Assistant says so of every custom integration.
    f"We found a custom integration {DOMAIN} which has not been tested by Home Assistant",
)


async def wait_for_webhooks(home: Home, *kinds: str) -> None:
    """Wait until a delivery has arrived of every service, or of every one of some kinds."""
    deadline = time.monotonic() + PROOF_SECONDS
    while True:
        services = (await home.call("GET", STATUS))["services"]
        silent = {
            one["name"]: one["webhook_cause"]
            for one in services
            if one["webhook"] != "working" and (not kinds or one["source"] in kinds)
        }
        if services and not silent:
            return
        if time.monotonic() > deadline:
            reasons = ", ".join(f"{name}: {cause or 'not yet'}" for name, cause in silent.items())
            raise Failure(f"Not every webhook works after {PROOF_SECONDS:.0f} s ({reasons}).")
        await asyncio.sleep(0.25)


def see_that_nothing_is_said(log: Path, folder: Path) -> None:
    """See that the log has no warning or traceback of ours, and no secret. Raises Failure."""
    text = log.read_text(encoding="utf-8", errors="replace")
    found = [
        f"The log has a secret: its {name}." for name, word in _secrets(folder) if word in text
    ]
    for record in _records(text.splitlines()):
        head = _RECORD.match(record)
        bad = head is None or head["level"] in {"WARNING", "ERROR", "CRITICAL"}
        # Home Assistant's own troubles (no internet, no ffmpeg) are not ours.
        ours = DOMAIN in record and not any(known in record for known in _KNOWN)
        if ours and (bad or "Traceback (most recent" in record):
            found.append(f"The log says:\n{record}")
    if found:
        raise Failure("\n".join(found))


def _records(lines: Iterable[str]) -> Iterator[str]:
    """Put lines together to what was logged at once."""
    record: list[str] = []
    for line in lines:
        if _RECORD.match(line) and record:
            yield "\n".join(record)
            record = []
        record.append(line)
    if record:
        yield "\n".join(record)


def _secrets(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what must stay secret, with its name."""
    stored = json.loads((folder / ".storage" / "core.config_entries").read_text(encoding="utf-8"))
    for entry in stored["data"]["entries"]:
        if entry["domain"] == DOMAIN:
            for name in SECRETS & entry["data"].keys():
                yield name, entry["data"][name]
