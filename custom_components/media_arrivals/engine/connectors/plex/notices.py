"""What a Plex server pushes -> questions and hints. Pure."""

from collections.abc import Sequence
from typing import Final

from ...board.models import Question, QuestionKind, Service
from .. import payload
from ..base import Decoded, Json
from ..payload import Object

_MAX_EXPECTED: Final = 5000
_CREATED: Final = 0
_ANALYSING: Final = frozenset({1, 5})
_DONE: Final = 5
_DELETED: Final = 9
_SEASON: Final = 3
_EPISODE: Final = 4
_TYPES: Final = frozenset({1, 2, _SEASON, _EPISODE})
"""Films, series, seasons and episodes, as the timeline numbers them."""


class Notices:
    """Reads what a server pushes over its websocket, for homes without webhooks.

    It repeats itself: a film that is being played every ten seconds, and every item whose
    texts are refreshed. So only what is new, changed or gone is told, and only once.
    """

    def __init__(self, service: Service) -> None:
        """Begin without having heard anything."""
        self._service = service
        self._expected: dict[str, str] = {}
        """Items whose file was found, and the film or series that they belong to."""
        self._states: dict[str, str] = {}
        """What the players do."""

    def read(self, message: Json) -> Decoded | None:
        """Say what a message tells; ``None``: nothing."""
        told = payload.mapping(payload.mapping(message).get("NotificationContainer"))
        match payload.word(told.get("type")):
            case "playing":
                return self._playing(payload.rows(told.get("PlaySessionStateNotification")))
            case "timeline":
                return self._timeline(payload.rows(told.get("TimelineEntry")))
            case _:
                return None

    def _playing(self, players: Sequence[Object]) -> Decoded | None:
        changed = False
        for player in players:
            key = payload.opaque_id(player.get("sessionKey"))
            state = payload.word(player.get("state"))
            if key is None or self._states.get(key) == state:
                continue
            changed = True
            if state == "stopped":
                self._states.pop(key, None)
            else:
                self._states[key] = state
        return Decoded(event_type="playing", hint=True) if changed else None

    def _timeline(self, entries: Sequence[Object]) -> Decoded | None:
        items = [found for entry in entries if (found := self._entry(entry)) is not None]
        if not items:
            return None
        return Decoded(
            event_type="timeline",
            questions=tuple(
                Question(service=self._service.id, kind=QuestionKind.ITEM, item=item)
                for item in dict.fromkeys(items)
            ),
        )

    def _entry(self, entry: Object) -> str | None:
        """Return the film or series to ask about, once the server is done with it."""
        item = payload.opaque_id(entry.get("itemID"))
        number = payload.integer(entry.get("type"))
        section = payload.integer(entry.get("sectionID"))
        if item is None or number not in _TYPES or (section is not None and section < 0):
            return None
        # Older servers name neither series nor season: then the item itself is asked about.
        above = {_SEASON: "parentItemID", _EPISODE: "rootItemID"}.get(number or 0)
        root = (payload.opaque_id(entry.get(above)) if above else None) or item
        state = payload.integer(entry.get("state"))
        metadata = payload.word(entry.get("metadataState"))
        if state == _DELETED or metadata == "deleted":
            self._expected.pop(item, None)
            return root
        created = state == _CREATED and metadata == "created"
        if created or (
            state in _ANALYSING and payload.word(entry.get("mediaState")) == "analyzing"
        ):
            self._expected[item] = root
            if len(self._expected) > _MAX_EXPECTED:
                del self._expected[next(iter(self._expected))]
            return None
        done = state == _DONE and not metadata and entry.get("queueSize") is None
        return self._expected.pop(item, None) if done else None
