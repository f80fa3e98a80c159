"""A simulated plex.tv: signing in by a code, the servers of an account, and its webhooks."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, override

from aiohttp import web

from .clock import Clock, net_date
from .faults import Json
from .service import HttpDouble, json_answer

if TYPE_CHECKING:
    from .plex import PlexDouble

PIN_LIFE = timedelta(minutes=30)


@dataclass(slots=True, kw_only=True)
class Account:
    """An account at plex.tv."""

    id: int
    name: str
    token: str
    plex_pass: bool = True
    webhooks: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Pin:
    """A sign-in that waits for its user."""

    id: int
    code: str
    client: str
    expires: datetime
    token: str | None = None


def _errors(code: int, message: str, status: int) -> web.Response:
    return json_answer({"errors": [{"code": code, "message": message, "status": status}]}, status)


class PlexTvDouble(HttpDouble):
    """A simulated plex.tv with the account of the house."""

    kind = "plex_tv"
    version = "2"

    def __init__(self, name: str, clock: Clock, *, port: int = 0) -> None:
        """Begin with the owner's account, which has a Plex Pass."""
        super().__init__(name, clock, port=port)
        self.random = random.Random(name)
        self.accounts: dict[str, Account] = {}
        self.owner = self.add_account("Ada", 20_481_024)
        self.pins: dict[int, Pin] = {}
        self.servers: list[PlexDouble] = []
        self.writes: list[list[str]] = []
        """Every list of webhooks that was written."""

    def add_account(self, name: str, number: int, *, plex_pass: bool = True) -> Account:
        """Add somebody's account."""
        token = f"{self.random.getrandbits(80):020x}"
        account = Account(id=number, name=name, token=token, plex_pass=plex_pass)
        self.accounts[token] = account
        return account

    def agree(self, pin_id: int, account: Account | None = None) -> None:
        """Let the user agree to a sign-in."""
        self.pins[pin_id].token = (account or self.owner).token

    def agree_to_all(self) -> int:
        """Let the owner agree to every sign-in that waits; return how many there were."""
        waiting = [pin.id for pin in self.pins.values() if pin.token is None]
        for number in waiting:
            self.agree(number)
        return len(waiting)

    # --- HTTP ---------------------------------------------------------------------------

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        yield web.post("/api/v2/pins", self._post_pin)
        yield web.get("/api/v2/pins/{id}", self._get_pin)
        yield web.get("/api/v2/user", self._get_user)
        yield web.get("/api/v2/resources", self._get_resources)
        yield web.get("/api/v2/user/webhooks", self._get_webhooks)
        yield web.post("/api/v2/user/webhooks", self._post_webhooks)

    @override
    def refuse(self, request: web.Request) -> web.StreamResponse | None:
        """Ask who calls, and except for signing in, for a token."""
        if not request.headers.get("X-Plex-Client-Identifier"):
            return _errors(1000, "X-Plex-Client-Identifier is missing", 400)
        if request.path.startswith("/api/v2/pins") or self._account(request) is not None:
            return None
        return _errors(1001, "User could not be authenticated", 401)

    @override
    def failure(self, status: int) -> web.StreamResponse:
        return _errors(1000 + status, "Simulated failure", status)

    def _account(self, request: web.Request) -> Account | None:
        return self.accounts.get(request.headers.get("X-Plex-Token", ""))

    def _caller(self, request: web.Request) -> Account:
        account = self._account(request)
        assert account is not None, "refused before"  # noqa: S101
        return account

    async def _post_pin(self, request: web.Request) -> web.Response:
        strong = request.query.get("strong") == "true"
        number = len(self.pins) + 7001
        pin = Pin(
            id=number,
            code=f"{self.random.getrandbits(96 if strong else 16):x}",
            client=request.headers["X-Plex-Client-Identifier"],
            expires=self.clock.now() + (PIN_LIFE if strong else timedelta(minutes=15)),
        )
        self.pins[number] = pin
        return json_answer(self._pin(pin), 201)

    async def _get_pin(self, request: web.Request) -> web.Response:
        pin = self.pins.get(int(request.match_info["id"]))
        client = request.headers["X-Plex-Client-Identifier"]
        if pin is None or pin.client != client or pin.expires <= self.clock.now():
            return _errors(1020, "Code not found or expired", 404)
        return json_answer(self._pin(pin))

    def _pin(self, pin: Pin) -> Json:
        return {
            "id": pin.id,
            "code": pin.code,
            "product": "Media Arrivals",
            "trusted": False,
            "clientIdentifier": pin.client,
            "expiresIn": int((pin.expires - self.clock.now()).total_seconds()),
            "expiresAt": net_date(pin.expires),
            "authToken": pin.token,
            "newRegistration": None,
        }

    async def _get_user(self, request: web.Request) -> web.Response:
        account = self._caller(request)
        return json_answer(
            {
                "id": account.id,
                "uuid": f"{account.id:016x}",
                "username": account.name,
                "title": account.name,
                "email": f"{account.name.lower()}@example.com",
                "subscription": {
                    "active": account.plex_pass,
                    "status": "Active" if account.plex_pass else "Inactive",
                    "features": ["webhooks"] if account.plex_pass else [],
                },
            }
        )

    async def _get_resources(self, request: web.Request) -> web.Response:
        account = self._caller(request)
        found: list[Json] = [
            {
                "name": "Living room",
                "product": "Plex for Android (TV)",
                "clientIdentifier": "player-in-the-living-room",
                "provides": "client,player",
                "owned": True,
                "accessToken": None,
                "connections": [],
            }
        ]
        found += [server.resource(account) for server in self.servers if server.lets_in(account)]
        return json_answer(found)

    def _may_have_webhooks(self, request: web.Request) -> web.Response | None:
        if self._caller(request).plex_pass:
            return None
        return _errors(1043, "This action is not available for this user", 403)

    async def _get_webhooks(self, request: web.Request) -> web.Response:
        refusal = self._may_have_webhooks(request)
        listed = [{"url": url} for url in self._caller(request).webhooks]
        return refusal or json_answer(listed)

    async def _post_webhooks(self, request: web.Request) -> web.Response:
        if (refusal := self._may_have_webhooks(request)) is not None:
            return refusal
        form = await request.post()
        if "urls[]" not in form and "urls" not in form:
            return _errors(1002, "urls is missing", 400)
        # The list that is sent is the list from now on.
        wanted = [str(url) for url in form.getall("urls[]", [])]
        self._caller(request).webhooks[:] = dict.fromkeys(wanted)
        self.writes.append(wanted)
        return json_answer([{"url": url} for url in self._caller(request).webhooks], 201)
