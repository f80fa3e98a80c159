"""plex.tv: signing in by a code, the servers of an account, and its webhooks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit
from uuid import NAMESPACE_URL, uuid5

from .. import payload
from ..base import (
    AuthError,
    BadAnswerError,
    Connection,
    ForbiddenError,
    Json,
    RemoteWebhook,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
)
from ..http import JsonClient, Session
from ..payload import Object

PLEX_TV: Final = "https://plex.tv"
SIGN_IN: Final = "https://app.plex.tv/auth"
PRODUCT: Final = "Media Arrivals"
WEBHOOK_EVENTS: Final = frozenset({"watched"})
"""What a poll shows and an account's webhook tells; additions it tells only in part."""
_WEBHOOKS: Final = "/api/v2/user/webhooks"


def identifying(client_id: str) -> dict[str, str]:
    """Return the headers that tell Plex who we are, always the same for one ``client_id``."""
    return {
        "X-Plex-Product": PRODUCT,
        "X-Plex-Client-Identifier": str(uuid5(NAMESPACE_URL, f"media_arrivals:{client_id}")),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A sign-in that was begun: the user opens ``url`` and agrees there."""

    id: int
    code: str = field(repr=False)
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose token it is."""

    id: str
    plex_pass: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server can be reached, as plex.tv knows it."""

    url: str
    local: bool
    relay: bool
    """Over Plex's own machines: slow, and the last thing to try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A media server that an account may use."""

    server_id: str
    name: str
    owned: bool
    owner_id: str | None
    """``None`` where it is the account's own server."""
    token: str = field(repr=False)
    addresses: tuple[Address, ...]
    """Best first."""


class PlexTv:
    """Talks with plex.tv. Raises :class:`ServiceError` and nothing else.

    Signing in: :meth:`create_pin`, send the user to its address, ask :meth:`token` once a
    second until there is one, choose one of :meth:`servers`.
    """

    def __init__(self, session: Session, *, client_id: str, base: str | None = None) -> None:
        """Talk in the name of one installation; ``base`` is another address in tests."""
        self._session = session
        self._base = base or PLEX_TV
        self._headers = identifying(client_id)

    def _http(self, token: str = "") -> JsonClient:
        headers = self._headers | ({"X-Plex-Token": token} if token else {})
        connection = Connection(url=self._base, api_key=token)
        return JsonClient(self._session, connection, headers=headers)

    # --- signing in -------------------------------------------------------------------------

    async def create_pin(self, forward_url: str = "") -> Pin:
        """Begin a sign-in; afterwards the user's browser is sent to ``forward_url``."""
        answer = await self._http().send("POST", "/api/v2/pins", params={"strong": True})
        found = payload.mapping(await answer.json())
        number, code = payload.identifier(found.get("id")), payload.text(found.get("code"))
        if number is None or code is None:
            raise BadAnswerError("no code")
        told = {
            "clientID": self._headers["X-Plex-Client-Identifier"],
            "code": code,
            "context[device][product]": PRODUCT,
            **({"forwardUrl": forward_url} if forward_url else {}),
        }
        query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in told.items())
        return Pin(id=number, code=code, url=f"{SIGN_IN}#?{query}")

    async def token(self, pin: Pin) -> str | None:
        """Return the token if the user agreed by now; an expired pin raises `NotFoundError`."""
        found = payload.mapping(await self._http().get(f"/api/v2/pins/{pin.id}"))
        return payload.text(found.get("authToken"))

    async def account(self, token: str) -> Account:
        """Say whose token it is."""
        found = payload.mapping(await self._http(token).get("/api/v2/user"))
        number = payload.opaque_id(found.get("id"))
        if number is None:
            raise BadAnswerError("no account")
        subscription = payload.mapping(found.get("subscription"))
        return Account(id=number, plex_pass=payload.boolean(subscription.get("active")) is True)

    async def servers(self, token: str, *, wait: float = 15.0) -> tuple[Server, ...]:
        """Return the media servers that the account may use, its own ones first."""
        found = await self._http(token).get(
            "/api/v2/resources", {"includeHttps": 1, "includeRelay": 1}, wait=wait
        )
        servers = [server for row in payload.rows(found) if (server := _server(row)) is not None]
        return tuple(sorted(servers, key=lambda server: (not server.owned, server.name)))

    # --- the account's webhooks -----------------------------------------------------------------

    async def webhooks(self, token: str) -> tuple[str, ...]:
        """Return the addresses of all webhooks of the account."""
        try:
            return _addresses(await self._http(token).get(_WEBHOOKS))
        except (AuthError, ForbiddenError) as err:
            raise _refused(err) from err

    async def set_webhooks(self, token: str, addresses: Sequence[str]) -> None:
        """Replace the whole list: plex.tv knows no other way."""
        form = [("urls[]", address) for address in addresses] or [("urls", "")]
        try:
            await self._http(token).send("POST", _WEBHOOKS, form=form)
        except (AuthError, ForbiddenError) as err:
            raise _refused(err) from err


def _refused(err: AuthError | ForbiddenError) -> WebhookError:
    """Say why an account's webhooks cannot be had."""
    if isinstance(err, ForbiddenError):
        return WebhookError(WebhookCause.NEEDS_PLEX_PASS, "plex.tv: not for this account")
    # A server's token works at the server, and not at plex.tv: that is no wrong key.
    return WebhookError(WebhookCause.NOT_ALLOWED, "plex.tv does not accept the token")


def _addresses(body: Json) -> tuple[str, ...]:
    if not isinstance(body, Sequence) or isinstance(body, str):
        raise BadAnswerError("no list of webhooks")
    found = [row.get("url") for row in payload.rows(body)]
    addresses = tuple(url for url in found if isinstance(url, str) and url)
    # What cannot be read could not be written back, and would be lost.
    if len(addresses) != len(body):
        raise BadAnswerError("no list of webhooks")
    return addresses


def _server(row: Object) -> Server | None:
    provides = (payload.text(row.get("provides")) or "").split(",")
    server_id = payload.text(row.get("clientIdentifier"))
    if "server" not in provides or server_id is None:
        return None
    owned = payload.boolean(row.get("owned")) is True
    return Server(
        server_id=server_id,
        name=payload.text(row.get("name"), 64) or "Plex",
        owned=owned,
        owner_id=None if owned else payload.opaque_id(row.get("ownerId")),
        token=payload.text(row.get("accessToken")) or "",
        addresses=_reachable(payload.rows(row.get("connections"))),
    )


def _reachable(connections: Sequence[Object]) -> tuple[Address, ...]:
    """Return the addresses, nearest first; of one place the encrypted one comes first."""
    found = [
        Address(
            url=url.rstrip("/"),
            local=payload.boolean(row.get("local")) is True,
            relay=payload.boolean(row.get("relay")) is True,
        )
        for row in connections
        if (url := payload.web_address(row.get("uri"))) is not None
    ]
    ranked = sorted(
        found, key=lambda one: (one.relay, not one.local, not one.url.startswith("https:"))
    )
    return tuple(dict.fromkeys(ranked))


class AccountWebhooks:
    """Our webhook among those of an account, all of which are one list at plex.tv."""

    def __init__(self, plex_tv: PlexTv, token: str) -> None:
        """Work on the list of the token's account."""
        self._plex_tv = plex_tv
        self._token = token

    async def read(self, target: WebhookTarget) -> RemoteWebhook:
        """Look for ours."""
        return _remote(await self._plex_tv.webhooks(self._token), target)

    async def install(self, target: WebhookTarget) -> RemoteWebhook:
        """Enter ours behind those of others, and see that none of them got lost."""
        before = await self._plex_tv.webhooks(self._token)
        remote = _remote(before, target)
        if remote.state is WebhookState.REGISTERED:
            return remote
        foreign = [address for address in before if not _is_ours(address, target)]
        await self._plex_tv.set_webhooks(self._token, [*foreign, target.url])
        after = await self._plex_tv.webhooks(self._token)
        if missing := [address for address in foreign if address not in after]:
            raise WebhookError(WebhookCause.OTHER, f"plex.tv dropped {len(missing)} other webhooks")
        if target.url not in after:
            raise WebhookError(WebhookCause.OTHER, "plex.tv did not keep the webhook")
        return _remote(after, target)

    async def remove(self, target: WebhookTarget) -> None:
        """Take ours out; the others stay."""
        before = await self._plex_tv.webhooks(self._token)
        foreign = [address for address in before if not _is_ours(address, target)]
        if len(foreign) < len(before):
            await self._plex_tv.set_webhooks(self._token, foreign)


def _is_ours(address: str, target: WebhookTarget) -> bool:
    """Tell whether it is our webhook, also at a former address of Home Assistant."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return False
    known = {target.url, *target.former}
    return address in known or target.webhook_id in path.split("/")


def _remote(addresses: Sequence[str], target: WebhookTarget) -> RemoteWebhook:
    ours = [address for address in addresses if _is_ours(address, target)]
    if ours == [target.url]:
        state = WebhookState.REGISTERED
    else:
        state = WebhookState.DIFFERENT if ours else WebhookState.ABSENT
    return RemoteWebhook(state=state, events=WEBHOOK_EVENTS if ours else frozenset())
