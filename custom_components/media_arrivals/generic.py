"""The one address for all services: whose delivery it is, and how much of it is proven."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from .const import CONF_KIND, CONF_SERVER_ID, CONF_WEBHOOK_SECRET
from .engine.board.models import Reason
from .engine.connectors.recognise import Sender

SEND_NO_SECRET: Final = frozenset({"plex", "emby"})
"""Kinds of service that can send neither a header nor a password: the id is the secret."""
_BY_SECRET: Final = frozenset({"radarr", "sonarr", "seerr"})
"""Kinds of service that are known by nothing but their secret."""
_MEDIA_SERVERS: Final = frozenset({"plex", "jellyfin", "emby"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Whose delivery it is."""

    entry: ConfigEntry[Any] | None = None
    """The service; with a reason, the one that it claims to be, if that is clear."""
    proven: bool = False
    """It carries the service's secret. If not, it is a hint at most."""
    reason: Reason | None = None
    """Why it is not taken."""


def match(
    sender: Sender | None,
    entries: Iterable[ConfigEntry[Any]],
    *,
    silent: bool,
    knows: Callable[[str], bool],
) -> Match:
    """Find the service that a delivery is of.

    ``silent``: it carries no secret at all. ``knows``: tells whether it carries this one.
    """
    enabled = [entry for entry in entries if entry.disabled_by is None]
    if sender is None:
        for entry in enabled:
            # Some events of theirs name neither a film nor a series, and a proxy hides the sender.
            if entry.data[CONF_KIND] in _BY_SECRET and knows(entry.data[CONF_WEBHOOK_SECRET]):
                return Match(entry=entry, proven=True)
        return Match(reason=Reason.UNKNOWN_SENDER)
    same = [entry for entry in enabled if entry.data[CONF_KIND] == sender.kind]
    if not same:
        return Match(reason=Reason.NOT_SET_UP)
    if sender.kind in _MEDIA_SERVERS or sender.kind == "tautulli":
        found = _by_server(sender, same)
        if isinstance(found, Reason):
            return Match(reason=found)
        same = [found]
    if silent and sender.kind in SEND_NO_SECRET:
        return Match(entry=same[0])
    for entry in same:
        if knows(entry.data[CONF_WEBHOOK_SECRET]):
            return Match(entry=entry, proven=True)
    return Match(entry=same[0] if len(same) == 1 else None, reason=Reason.UNAUTHORIZED)


def _by_server(sender: Sender, same: list[ConfigEntry[Any]]) -> ConfigEntry[Any] | Reason:
    """Find a media server by its id, a Tautulli by that of its Plex."""
    if sender.server_id is None:
        # What a Tautulli sends need not name it; the secret says whose it is.
        only = sender.kind == "tautulli" and len(same) == 1
        return same[0] if only else Reason.NO_SERVER_ID
    told = _plain(sender.server_id)
    for entry in same:
        if _plain(entry.data.get(CONF_SERVER_ID) or "") == told:
            return entry
    return Reason.FOREIGN_SERVER


def _plain(server_id: str) -> str:
    """Return an id as it is compared: services write theirs with dashes, or without."""
    return server_id.replace("-", "").casefold()


class Allowance:
    """Lets some things through at once, and then one now and then, by what they concern."""

    def __init__(
        self, at_once: int, every: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with all that is let through at once."""
        self._at_once = float(at_once)
        self._every = every
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> bool:
        """Let one more through, or not."""
        now = self._clock()
        left, since = self._left.get(key, (self._at_once, now))
        left = min(self._at_once, left + (now - since) / self._every)
        passes = left >= 1.0
        self._left[key] = (left - passes, now)
        return passes
