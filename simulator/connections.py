"""The webhook connections of Radarr and Sonarr: their settings, tests, and mutes."""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web
from yarl import URL

from .delivery import DeliveryError
from .faults import Delivery, Json
from .service import error_list, flag, json_answer, read_json

if TYPE_CHECKING:
    from .arr import ArrDouble

MASK = "********"
MUTES = {1: 60, 2: 300, 3: 900, 4: 1800, 5: 3600}
GRACE = timedelta(minutes=5)
STARTUP = timedelta(minutes=15)
OTHER_IMPLEMENTATIONS = ("CustomScript", "Discord", "Email", "Telegram")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFeatures:
    """What the connections of one version can do."""

    flags: tuple[str, ...]
    headers: bool
    backoff: bool
    masks_password: bool
    tests_only_changes: bool


@dataclass(slots=True, kw_only=True)
class Connection:
    """One webhook connection."""

    id: int = 0
    name: str = ""
    implementation: str = "Webhook"
    flags: dict[str, bool] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    tags: list[int] = field(default_factory=list)
    level: int = field(default=0, compare=False)
    first_failure: datetime | None = field(default=None, compare=False)
    muted_until: datetime | None = field(default=None, compare=False)

    @property
    def enabled(self) -> bool:
        """A connection is enabled as soon as one event is switched on."""
        return any(on for name, on in self.flags.items() if name.startswith("on"))


class TestFailedError(Exception):
    """A test delivery failed; carries the answer to give."""

    def __init__(self, answer: web.Response) -> None:
        """Remember the answer."""
        super().__init__()
        self.answer = answer


class Connections:
    """All connections of one application."""

    def __init__(self, app: ArrDouble, features: ConnectionFeatures) -> None:
        """Begin without any connection."""
        self.app = app
        self.features = features
        self.rows: dict[int, Connection] = {}
        self._last = 0

    def clear(self) -> None:
        """Lose everything, as a reinstallation does."""
        self.rows.clear()
        self._last = 0

    # --- documents ----------------------------------------------------------------------

    def document(self, row: Connection) -> Json:
        """Describe a connection as the API shows it."""
        document: Json = {}
        for name in self.features.flags:
            document[name] = row.flags.get(name, False)
        for name in self.features.flags:
            if name.startswith("on"):
                document[f"supports{name[0].upper()}{name[1:]}"] = True
        document |= {
            "includeHealthWarnings": row.flags.get("includeHealthWarnings", False),
            "name": row.name,
            "fields": self._fields(row),
            "implementationName": row.implementation,
            "implementation": row.implementation,
            "configContract": f"{row.implementation}Settings",
            "infoLink": f"https://wiki.servarr.com/{self.app.app_name.lower()}/supported#webhook",
            "tags": row.tags,
        }
        if row.id:
            document["id"] = row.id
        else:
            document["presets"] = []
        return document

    def _fields(self, row: Connection) -> list[Json]:
        if row.implementation != "Webhook":
            return []
        specs: list[tuple[str, str, str, str]] = [
            ("url", "URL", "url", "normal"),
            ("method", "Method", "select", "normal"),
            ("username", "Username", "textbox", "userName"),
            ("password", "Password", "password", "password"),
        ]
        if self.features.headers:
            specs.append(("headers", "Headers", "keyValueList", "normal"))
        fields = []
        for order, (name, label, type_, privacy) in enumerate(specs):
            entry: Json = {"order": order, "name": name, "label": label}
            value = row.values.get(name)
            if name == "password" and value and self.features.masks_password:
                value = MASK
            if value is not None:
                entry["value"] = value
            entry |= {
                "type": type_,
                "advanced": name == "headers",
                "privacy": privacy,
                "isFloat": False,
            }
            if name == "method":
                entry["selectOptions"] = [
                    {"value": 1, "name": "POST", "order": 1, "dividerAfter": False},
                    {"value": 2, "name": "PUT", "order": 2, "dividerAfter": False},
                ]
            fields.append(entry)
        return fields

    def _read(self, body: Any) -> Connection:
        """Read a resource; what is left out is off, what is unknown is ignored."""
        data = body if isinstance(body, dict) else {}
        names = {"url", "method", "username", "password"}
        if self.features.headers:
            names.add("headers")
        values: dict[str, Any] = {"method": 1}
        for item in data.get("fields") or []:
            if isinstance(item, dict) and item.get("name") in names and "value" in item:
                values[item["name"]] = item["value"]
        number = data.get("id") or 0
        if number in self.rows and values.get("password") == MASK and self.features.masks_password:
            values["password"] = self.rows[number].values.get("password")
        return Connection(
            id=number,
            name=str(data.get("name") or ""),
            implementation=str(data.get("implementation") or ""),
            flags={
                name: bool(data.get(name, False))
                for name in (*self.features.flags, "includeHealthWarnings")
            },
            values=values,
            tags=list(data.get("tags") or []),
        )

    def _invalid(self, row: Connection) -> web.Response | None:
        errors = []
        if not row.name:
            errors.append(error_list("Name", "'Name' must not be empty.", row.name))
        others = (item for item in self.rows.values() if item.id != row.id)
        if any(item.name.lower() == row.name.lower() for item in others):
            errors.append(error_list("Name", "Should be unique", row.name))
        if row.implementation == "Webhook":
            try:
                url = URL(str(row.values.get("url") or ""))
                valid = url.absolute and url.scheme in {"http", "https"} and bool(url.host)
            except ValueError:
                valid = False
            if not valid:
                errors.append(
                    error_list("Url", "Invalid Url: '" + str(row.values.get("url")) + "'")
                )
        return json_answer(errors, 400) if errors else None

    # --- HTTP ---------------------------------------------------------------------------

    def _find(self, request: web.Request) -> Connection | None:
        text = request.match_info["id"]
        return self.rows.get(int(text)) if text.isdigit() else None

    async def get_all(self, _request: web.Request) -> web.Response:
        """List every connection."""
        return json_answer([self.document(row) for row in self.rows.values()])

    async def get_one(self, request: web.Request) -> web.Response:
        """Show one connection."""
        row = self._find(request)
        return _missing() if row is None else json_answer(self.document(row))

    async def get_schema(self, _request: web.Request) -> web.Response:
        """List what can be connected."""
        names = (*OTHER_IMPLEMENTATIONS, "Webhook")
        return json_answer(
            [
                self.document(
                    Connection(
                        implementation=name,
                        values={"method": 1, "headers": []} if name == "Webhook" else {},
                    )
                )
                for name in names
            ]
        )

    async def post(self, request: web.Request) -> web.Response:
        """Create a connection, testing it first if it is enabled, whatever forceSave says."""
        row = self._read(await read_json(request))
        row.id = 0
        if (refusal := self._invalid(row)) is not None:
            return refusal
        if row.enabled:
            try:
                await self._test(row)
            except TestFailedError as err:
                return err.answer
        self._last += 1
        row.id = self._last
        self.rows[row.id] = row
        return json_answer(self.document(row), 201)

    async def put(self, request: web.Request) -> web.Response:
        """Replace a connection; forceSave skips the test."""
        old = self._find(request)
        if old is None:
            return _missing()
        body = await read_json(request)
        row = self._read({**body, "id": old.id} if isinstance(body, dict) else body)
        if (refusal := self._invalid(row)) is not None:
            return refusal
        changed = row != old or not self.features.tests_only_changes
        if row.enabled and changed and not flag(request, "forceSave"):
            try:
                await self._test(row)
            except TestFailedError as err:
                return err.answer
        current = self.rows.get(old.id, old)
        row.level, row.first_failure = current.level, current.first_failure
        row.muted_until = current.muted_until
        self.rows[old.id] = row
        return json_answer(self.document(row), 202)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a connection."""
        row = self._find(request)
        if row is not None:
            del self.rows[row.id]
        return json_answer({})

    async def post_test(self, request: web.Request) -> web.Response:
        """Test the connection in the body; with an id it counts for the stored one."""
        row = self._read(await read_json(request))
        if (refusal := self._invalid(row)) is not None:
            return refusal
        try:
            await self._test(row)
        except TestFailedError as err:
            return err.answer
        if "application/json" in request.headers.get("Accept", ""):
            return json_answer("{}")
        return web.Response(text="{}", content_type="text/plain")

    async def post_test_all(self, _request: web.Request) -> web.Response:
        """Test every enabled connection."""
        results = [
            {"id": row.id, "isValid": not problems, "validationFailures": problems}
            for row in list(self.rows.values())
            if row.enabled
            for problems in [await self._problems(row)]
        ]
        valid = all(item["isValid"] for item in results)
        return json_answer(results, 200 if valid else 400)

    async def _problems(self, row: Connection) -> list[Any]:
        try:
            await self._test(row)
        except TestFailedError as err:
            found = json.loads(err.answer.text or "[]")
            return found if isinstance(found, list) else [found]
        return []

    # --- delivering ---------------------------------------------------------------------

    async def _test(self, row: Connection) -> None:
        if row.implementation != "Webhook":
            return
        stored = self.rows.get(row.id)
        try:
            status = await self._send(row, "Test", self.app.test_payload())
        except DeliveryError as err:
            if stored is not None:
                self._failed(stored)
            answer = json_answer(
                {
                    "message": str(err),
                    "description": f"System.Net.Http.HttpRequestException: {err}",
                },
                500,
            )
            raise TestFailedError(answer) from err
        if status >= 400:
            if stored is not None:
                self._failed(stored)
            method = "PUT" if row.values.get("method") == 2 else "POST"
            reason = (
                "Unable to send test message: HTTP request failed: "
                f"[{status}] [{method}] at [{row.values.get('url')}]"
            )
            raise TestFailedError(json_answer([error_list("Url", reason, None, "")], 400))
        if stored is not None:
            self._succeeded(stored)

    def _delivery(self, row: Connection, event: str, payload: Json) -> Delivery:
        headers = [
            ("User-Agent", self.app.user_agent),
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        ]
        user, password = row.values.get("username") or "", row.values.get("password") or ""
        if user.strip() or password.strip():
            # The applications encode as ISO-8859-1 and lose what it does not know.
            token = b64encode(f"{user}:{password}".encode("latin-1", "replace")).decode()
            headers.append(("Authorization", f"Basic {token}"))
        custom = row.values.get("headers") or []
        headers += [(str(item.get("key")), str(item.get("value"))) for item in custom]
        return Delivery(
            service=self.app.name,
            event=event,
            url=str(row.values.get("url")),
            method="PUT" if row.values.get("method") == 2 else "POST",
            headers=tuple(headers),
            body=json.dumps(payload, ensure_ascii=False, indent=2).encode(),
            payload=payload,
        )

    async def _send(self, row: Connection, event: str, payload: Json) -> int:
        if "headers" in row.values and row.values["headers"] is None:
            msg = "Object reference not set to an instance of an object."
            raise DeliveryError(msg)
        return await self.app.sender.send(self._delivery(row, event, payload))

    async def publish(
        self, event: str, flags: tuple[str, ...], payload: Json, tags: Iterable[int] | None
    ) -> None:
        """Send an event to every connection that wants it and is not muted."""
        labels = None if tags is None else set(tags)
        for row in list(self.rows.values()):
            if row.implementation != "Webhook" or not all(row.flags.get(name) for name in flags):
                continue
            if labels is not None and row.tags and labels.isdisjoint(row.tags):
                continue
            if self.is_muted(row):
                self.app.sender.skip(self._delivery(row, event, payload))
                continue
            try:
                status = await self._send(row, event, payload)
            except DeliveryError:
                status = 599
            stored = self.rows.get(row.id, row)
            if status >= 400:
                self._failed(stored)
            else:
                self._succeeded(stored)

    def break_event(self, flags: tuple[str, ...]) -> None:
        """Fail to build an event: nothing is sent, and the connection is blamed."""
        for row in self.rows.values():
            if all(row.flags.get(name) for name in flags) and not self.is_muted(row):
                self._failed(row)

    # --- failures -----------------------------------------------------------------------

    def is_muted(self, row: Connection) -> bool:
        """Say whether failures keep this connection silent."""
        return row.muted_until is not None and row.muted_until > self.app.clock.now()

    def muted_names(self) -> list[str]:
        """Name the connections that are silent."""
        return [row.name for row in self.rows.values() if self.is_muted(row)]

    def _failed(self, row: Connection) -> None:
        if not self.features.backoff:
            return
        now = self.app.clock.now()
        if row.level == 0 or row.first_failure is None:
            row.level, row.first_failure = 1, now
            return
        if now < row.first_failure + GRACE:
            return
        if now < self.app.started + STARTUP:
            seconds = min(MUTES[row.level], 300)
        else:
            row.level = min(row.level + 1, max(MUTES))
            seconds = MUTES[row.level]
        row.muted_until = now + timedelta(seconds=seconds)

    def _succeeded(self, row: Connection) -> None:
        row.level = max(row.level - 1, 0)
        row.muted_until = None


def _missing() -> web.Response:
    return json_answer({"message": "NotFound"}, 404)
