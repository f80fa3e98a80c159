"""Shows what the integration concludes from a captured body; see scripts/decode.

The engine is loaded by its path, under a name of its own: through the integration's package
Home Assistant would come along, and with the folder on the import path our platforms would
hide modules of the standard library.
"""

import argparse
import importlib
import importlib.util
import json
import re
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from custom_components.media_arrivals.engine.connectors.base import Decoded, Decoder

ENGINE = Path(__file__).parents[2] / "custom_components" / "media_arrivals" / "engine"
PACKAGE = "media_arrivals_engine"
OTHER_NAMES = {"overseerr": "seerr", "jellyseerr": "seerr"}
DEFAULT_TYPE = "application/json"
MOMENTS = frozenset({"at", "happened_at", "created_at", "aired_at", "file_at", "eta"})
# Public, and cleaned by the connector: a film may be called "Secret: ...".
KEPT_AS_IT_IS = frozenset({"name", "poster", "imdb", "event", "event_type", "service", "key"})


SAID_BY_TEMPLATES = frozenset({"name", "overview", "message", "problem", "detail"})
# What the services' own APIs call the answers, without version and ids.
API_NAMES: Mapping[str, Mapping[str, str]] = {
    "radarr": {
        "queue/details": "queue",
        "history/since": "history",
        "history/movie": "history",
        "system/status": "status",
    },
    "sonarr": {
        "queue/details": "queue",
        "history/since": "history",
        "history/series": "history",
        "system/status": "status",
        "episode": "episodes",
    },
    "seerr": {
        "movie": "media",
        "tv": "media",
        "request/count": "count",
        "settings/notifications/webhook": "webhook",
    },
    "plex": {
        "library/sections": "sections",
        "library/sections/all": "items",
        "library/metadata": "items",
        "library/metadata/children": "items",
        "library/metadata/allleaves": "items",
        "library/recentlyadded": "items",
        "status/sessions": "sessions",
        "status/sessions/history/all": "history",
        "user/webhooks": "webhooks",
        "websockets/notifications": "notification",
    },
    "jellyfin": {
        "users/items": "items",
        "shows/episodes": "items",
        "system/info": "info",
        "system/info/public": "info",
    },
}
BASES = re.compile(r"^(?:emby/|:/)?(?:api/)?(?:v\d+/)?")
ID = re.compile(r"/(?:\d+|[0-9a-f]{32}|[0-9a-f-]{36})(?=/|$)")


def resource_of(kind: str, name: str) -> str:
    """Return our name of an answer: ours is taken as it is, the API's own is looked up."""
    path = name.partition("?")[0].strip("/").casefold()
    path = ID.sub("", BASES.sub("", path, count=1))
    names = API_NAMES.get("jellyfin" if kind == "emby" else kind, {})
    if kind == "tautulli":
        path = path.removeprefix("get_")
    return names.get(path, path)


def engine(module: str) -> Any:
    """Import a module of the engine."""
    if PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            PACKAGE, ENGINE / "__init__.py", submodule_search_locations=[str(ENGINE)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(PACKAGE)
        package = importlib.util.module_from_spec(spec)
        sys.modules[PACKAGE] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{PACKAGE}.{module}")


class Redaction:
    """Writes conclusions as JSON, without what says who, where and with which key."""

    def __init__(self, now: float) -> None:
        """Begin without a known download."""
        self._now = now
        self._scrub = engine("connectors.payload").scrub
        self._numbers: dict[tuple[str, str], int] = {}
        self._people: set[str] = set()

    def know(self, value: Any) -> None:
        """Take note of the people in a conclusion: texts of people's own templates name them."""
        if type(value).__name__ == "Person":
            self._people.add(value.name)
        elif is_dataclass(value):
            for one in fields(value):
                self.know(getattr(value, one.name))
        elif isinstance(value, tuple | list | set | frozenset):
            for item in value:
                self.know(item)

    def plain(self, value: Any, name: str = "") -> Any:
        """Return a value as JSON knows it; what is not said is left out of objects."""
        if is_dataclass(value):
            return self._object(value)
        if isinstance(value, Mapping):
            return {str(key): self.plain(item, str(key)) for key, item in value.items()}
        if isinstance(value, tuple | list | set | frozenset):
            return [self.plain(item, name) for item in value]
        if isinstance(value, str):
            return self._text(str(value), name)
        return self._moment(value) if name in MOMENTS else value

    def _text(self, value: str, name: str) -> str:
        match name:
            case "download_id":
                return self.number("download", value)
            case "viewer":
                return self.number("person", value)
            case "item":
                return self.item(value)
            case _ if name in KEPT_AS_IT_IS:
                return self._unnamed(value, name)
            case _:
                return self._unnamed(str(self._scrub(value)), name)

    def _unnamed(self, value: str, name: str) -> str:
        """Take the names of known people out of a text that somebody's template may have made."""
        if name in SAID_BY_TEMPLATES:
            # The longest first: "Ben" may be in it alone, and in "Ben Adams".
            for person in sorted(self._people, key=len, reverse=True):
                value = re.sub(
                    rf"(?<!\w){re.escape(person)}(?!\w)", "[name]", value, flags=re.IGNORECASE
                )
        return value

    def number(self, what: str, key: str) -> str:
        """Number things and people: equal ones are equal, and none can be looked up."""
        known = sum(kind == what for kind, _ in self._numbers)
        number = self._numbers.setdefault((what, key.casefold()), known + 1)
        return f"{what} {number}"

    def item(self, key: str) -> str:
        """Return a media server's own id: of some it is a mere number."""
        return key if key.isdecimal() else self.number("item", key)

    def key(self, event: str, key: str) -> str:
        """Return the key of a sighting: an own id, an item, or a download."""
        if key.removeprefix("own:").isdecimal():
            return key
        of_item = event in {"added", "watched"}
        return self.item(key) if of_item else self.number("download", key)

    def _object(self, value: Any) -> dict[str, Any]:
        kind = type(value).__name__
        if kind == "Person":
            return {"name": "[name]"}
        if kind == "Origin":
            return {"via": value.via.value}
        said = {
            one.name: getattr(value, one.name)
            for one in fields(value)
            if getattr(value, one.name) not in (None, (), "")
        }
        if kind.endswith("Report"):
            said = {"report": kind.removesuffix("Report").lower(), **said}
        if kind == "Sighting":
            said["key"] = self.key(value.event, value.key)
        return {name: self.plain(item, name) for name, item in said.items()}

    def _moment(self, value: float) -> str:
        if value == self._now:
            return "now"
        try:
            return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
        except ValueError, OverflowError, OSError:
            return str(value)


def conclusions(decoded: Decoded, kind: str, now: float) -> dict[str, Any]:
    """Return the document that is shown."""
    redaction = Redaction(now)
    redaction.know((decoded.reports, decoded.questions))
    ignored = None
    if decoded.ignored is not None:
        ignored = {"reason": decoded.ignored.value, "detail": decoded.detail}
    return {
        "service": kind,
        "event": decoded.event_type,
        "test": decoded.test,
        "hint": decoded.hint,
        "ignored": redaction.plain(ignored),
        "reports": redaction.plain(decoded.reports),
        "questions": redaction.plain(decoded.questions),
        "sightings": redaction.plain(decoded.sightings),
        "health": redaction.plain(decoded.health),
    }


def decode(decoder: Decoder, body: bytes, content_type: str, now: float) -> Decoded:
    """Decode a delivery."""
    delivery = engine("connectors.base").Delivery(
        body=body, received_at=now, content_type=content_type
    )
    decoded: Decoded = decoder.decode(_service(decoder), delivery)
    return decoded


def decode_poll(decoder: Decoder, body: bytes, resource: str, now: float) -> Decoded:
    """Decode an API answer."""
    try:
        answer = json.loads(body)
    except ValueError, RecursionError:
        unread: Decoded = engine("connectors.base").Decoded(
            event_type=resource,
            ignored=engine("board.models").Reason.UNREADABLE,
            detail="no JSON",
        )
        return unread
    return decoder.decode_poll(_service(decoder), resource, answer, now)


def _service(decoder: Decoder) -> Any:
    return engine("board.models").Service(id=decoder.kind, kind=decoder.kind, role=decoder.role)


def read(path: str) -> bytes:
    """Read a file, or standard input."""
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def arguments(kinds: Iterable[str]) -> argparse.ArgumentParser:
    """Say how the command is used."""
    parser = argparse.ArgumentParser(
        prog="scripts/decode",
        description="Shows what the integration concludes from what a service sent.",
    )
    parser.add_argument("service", metavar="SERVICE", choices=[*kinds, *OTHER_NAMES])
    parser.add_argument("file", metavar="FILE", help="a captured webhook body; - is standard input")
    parser.add_argument("--content-type", default=DEFAULT_TYPE, help="of the body, if not JSON")
    parser.add_argument(
        "--poll",
        metavar="RESOURCE",
        help="the file is an API answer: queue, history, request, or as the API calls it",
    )
    return parser


def main(given: list[str] | None = None) -> int:
    """Do what the command line says."""
    decoders: Mapping[str, Decoder] = engine("connectors.registry").DECODERS
    parser = arguments(decoders)
    chosen = parser.parse_args(given)
    kind = OTHER_NAMES.get(chosen.service, chosen.service)
    decoder = decoders[kind]
    resource = None if chosen.poll is None else resource_of(kind, chosen.poll)
    if resource is not None and resource not in decoder.poll_resources:
        known = ", ".join(decoder.poll_resources)
        parser.error(f'{kind} has no answer called "{chosen.poll}"; there are: {known}')
    try:
        body = read(chosen.file)
    except OSError as err:
        print(f"scripts/decode: cannot read {chosen.file}: {err.strerror}", file=sys.stderr)
        return 1
    now = time.time()
    if resource is None:
        decoded = decode(decoder, body, chosen.content_type, now)
    else:
        decoded = decode_poll(decoder, body, resource, now)
    json.dump(conclusions(decoded, kind, now), sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
