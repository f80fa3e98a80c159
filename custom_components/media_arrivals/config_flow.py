"""The flows: add a service, renew its key, change its address, set its options."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, override

# Home Assistant aliases voluptuous to probatio, and its own signatures name probatio's types:
# the installed voluptuous has other ones, so only probatio passes the type check.
import probatio
from homeassistant.components.webhook import async_generate_id
from homeassistant.config_entries import (
    SOURCE_IMPORT,
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_SYSTEM,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_API_KEY, CONF_URL, CONF_VERIFY_SSL, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers import instance_id
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .addresses import AddressError, normalise_url
from .const import (
    BOARD_UNIQUE_ID,
    CONF_KIND,
    CONF_OWNER_ID,
    CONF_SEERR_SERVERS,
    CONF_SERVER_ID,
    CONF_TIER,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    KIND_BOARD,
    NAME,
    SUBENTRY_PERSON,
    TIER_MIXED,
)
from .engine.board.models import Tier
from .engine.connectors.base import (
    AuthError,
    CertificateError,
    Client,
    Connection,
    ForbiddenError,
    Identity,
    InstallsWebhook,
    KnownService,
    KnowsServices,
    ServiceError,
    TimedOutError,
    WebhookState,
    WrongServiceError,
)
from .engine.connectors.clients import make_client
from .engine.connectors.plex.account import Server
from .neighbours import addresses_nearby, async_announced, moved
from .options_flow import BoardOptionsFlow, ServiceOptionsFlow
from .people_flow import PersonFlow
from .plex_sign_in import PlexSignIn, ways_to
from .registration import async_delete_cloudhook, webhook_address, webhook_target

PRODUCTS: Final[Mapping[str, str]] = {
    "seerr": "Seerr",
    "radarr": "Radarr",
    "sonarr": "Sonarr",
    "plex": "Plex",
    "jellyfin": "Jellyfin",
    "emby": "Emby",
    "tautulli": "Tautulli",
}
_EXAMPLES: Final[Mapping[str, str]] = {
    "radarr": "http://192.168.1.10:7878",
    "sonarr": "http://192.168.1.10:8989",
    "seerr": "http://192.168.1.10:5055",
    "plex": "http://192.168.1.10:32400",
    "jellyfin": "http://192.168.1.10:8096",
    "emby": "http://192.168.1.10:8096",
    "tautulli": "http://192.168.1.10:8181",
}
_KIND_OF_PRODUCT: Final[Mapping[str, str]] = {
    "radarr": "radarr",
    "sonarr": "sonarr",
    "seerr": "seerr",
    "overseerr": "seerr",
    "jellyseerr": "seerr",
    "jellyfin": "jellyfin",
    "emby": "emby",
}
_ARRS: Final = frozenset({"radarr", "sonarr"})
_TIERS: Final = (Tier.HD.value, Tier.UHD.value, TIER_MIXED)
_TRY_SECONDS: Final = 20.0
"""A service that takes longer to say who it is cannot be told from one that is down."""

_TLS: Final = "tls"
_SERVICES: Final = "services"
_SKIP: Final = "skip"
_SERVER: Final = "server"
_ROTATE: Final = "rotate"

_URL_FIELD: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
_KEY_FIELD: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)
_TIER_FIELD: Final = SelectSelector(
    SelectSelectorConfig(options=list(_TIERS), translation_key="tier", mode=SelectSelectorMode.LIST)
)


class _Refused(Exception):  # noqa: N818 - not a fault, but an answer to the user
    """What was typed does not do: ``key`` says why, at the field ``where``."""

    def __init__(self, where: str, key: str, **placeholders: str) -> None:
        """Keep the words for the form."""
        super().__init__(key)
        self.where = where
        self.key = key
        self.placeholders = placeholders


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A service that answered as it should."""

    kind: str
    name: str
    unique_id: str | None
    """What tells it from others of its kind, if it says who it is."""
    data: Mapping[str, Any] = field(repr=False)
    client: Client = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A service that Seerr knows and we do not have yet."""

    kind: str
    name: str
    url: str
    api_key: str = field(repr=False)
    tier: str
    slots: tuple[str, ...]
    """Seerr's servers that it is: usually one, two if it is entered there twice."""

    @property
    def label(self) -> str:
        """Say what it is in one line."""
        tier = "" if self.tier == TIER_MIXED else f", {self.tier.upper()}"
        return f"{self.name} ({PRODUCTS[self.kind]}{tier}, {self.url})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """An offer that the user took and that answered."""

    offer: _Offer
    found: _Found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missed:
    """An offer that the user took and that did not answer as it should."""

    offer: _Offer
    values: Mapping[str, Any]
    refused: _Refused


def _schema(kind: str, refused: _Refused | None, *, key: bool) -> probatio.Schema:
    """Build the form of a service; ``key`` tells whether the key must be typed."""
    tls_open = refused is not None and refused.key == CertificateError.key
    marker = probatio.Required if key else probatio.Optional
    fields: dict[probatio.Marker, Any] = {
        probatio.Required(CONF_URL): _URL_FIELD,
        marker(CONF_API_KEY): _KEY_FIELD,
    }
    if kind in _ARRS:
        fields[probatio.Required(CONF_TIER, default=Tier.HD.value)] = _TIER_FIELD
    # The front end takes a section's own default for all that is in it: there must be none.
    fields[probatio.Optional(_TLS)] = section(
        probatio.Schema({probatio.Required(CONF_VERIFY_SSL, default=True): BooleanSelector()}),
        {"collapsed": not tls_open},
    )
    return probatio.Schema(fields)


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be shown again: everything but the key."""
    return {key: value for key, value in values.items() if key != CONF_API_KEY}


def _new_webhook() -> dict[str, str]:
    """Make an id and a secret that nobody can guess."""
    return {
        CONF_WEBHOOK_ID: async_generate_id(),
        CONF_WEBHOOK_SECRET: secrets.token_urlsafe(32),
    }


class MediaArrivalsConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds a service to the board."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Begin without anything known."""
        self._api_key = ""
        self._seerr: _Found | None = None
        self._servers: dict[str, str] = {}
        self._offers: list[_Offer] = []
        self._taken: list[_Taken] = []
        self._missed: list[_Missed] = []
        self._address: str | None = None
        """Where a Plex server was found."""
        self._sign_in: PlexSignIn | None = None
        self._sign_in_url = ""
        self._signing_in: asyncio.Task[None] | None = None

    # --- adding a service -----------------------------------------------------------------

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which kind of service it is."""
        return self.async_show_menu(step_id="user", menu_options=list(PRODUCTS))

    async def async_step_radarr(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a Radarr."""
        return await self._async_step_service("radarr", user_input)

    async def async_step_sonarr(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a Sonarr."""
        return await self._async_step_service("sonarr", user_input)

    async def async_step_seerr(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a Seerr, Jellyseerr or Overseerr."""
        return await self._async_step_service("seerr", user_input)

    async def async_step_jellyfin(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a Jellyfin."""
        return await self._async_step_service("jellyfin", user_input)

    async def async_step_emby(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for an Emby."""
        return await self._async_step_service("emby", user_input)

    async def async_step_tautulli(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a Tautulli."""
        return await self._async_step_service("tautulli", user_input)

    async def async_step_plex_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a Plex server and its token, or for a new token of one."""
        if self.source == SOURCE_REAUTH:
            return await self.async_step_reauth_token()
        return await self._async_step_service("plex", user_input)

    async def _async_step_service(
        self, kind: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        refused: _Refused | None = None
        if user_input is not None:
            # A key that was typed once is kept over an error elsewhere, but never shown.
            key = user_input.get(CONF_API_KEY, "").strip() or self._api_key
            try:
                found = await self._async_try(kind, user_input, key)
            except _Refused as err:
                refused = err
                self._api_key = "" if err.where == CONF_API_KEY else key
            else:
                if kind != "seerr":
                    return await self._async_finish(found)
                self._seerr = found
                await self._async_look_around(found)
                return await (
                    self.async_step_known() if self._offers else self._async_finish(found)
                )
        return self._async_show_adding(kind, user_input or self._offered(kind), refused)

    def _async_show_adding(
        self, kind: str, values: Mapping[str, Any], refused: _Refused | None
    ) -> ConfigFlowResult:
        """Show the form that adds a service."""
        return self._async_show_service(
            "plex_token" if kind == "plex" else kind,
            kind,
            _schema(kind, refused, key=not self._api_key),
            values=values,
            refused=refused,
        )

    def _offered(self, kind: str) -> dict[str, Any]:
        """Return what a form is filled with: an address that is known and not ours yet."""
        ours = {
            entry.data[CONF_URL]
            for entry in self._async_current_entries(include_ignore=False)
            if entry.data[CONF_KIND] == kind
        }
        nearby = [self._address] if self._address else addresses_nearby(self.hass, kind)
        url = next((one for one in nearby if one not in ours), None)
        return {} if url is None else {CONF_URL: url}

    def _async_show_service(
        self,
        step_id: str,
        kind: str,
        schema: probatio.Schema,
        *,
        values: Mapping[str, Any] | None,
        refused: _Refused | None,
        placeholders: Mapping[str, str] | None = None,
    ) -> ConfigFlowResult:
        """Show the form of a service with what was typed, and what is wrong with it."""
        errors: dict[str, str] = {}
        if refused:
            errors[refused.where] = refused.key
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, _typed(values or {})),
            errors=errors,
            description_placeholders={
                "product": PRODUCTS[kind],
                "example": _EXAMPLES[kind],
                **(placeholders or {}),
                **(refused.placeholders if refused else {}),
            },
        )

    async def _async_try(
        self,
        kind: str,
        values: Mapping[str, Any],
        api_key: str,
        *,
        known_as: str | None = None,
    ) -> _Found:
        """Ask a service who it is. Raises :class:`_Refused` if it is not what we want.

        ``known_as`` is the id of the entry that the service is, if it is one already.
        """
        try:
            url = normalise_url(values[CONF_URL])
        except AddressError as err:
            raise _Refused(CONF_URL, err.key) from err
        others = [
            entry
            for entry in self._async_current_entries(include_ignore=False)
            if entry.data[CONF_KIND] == kind and entry.entry_id != known_as
        ]
        for entry in others:
            if entry.data[CONF_URL] == url:
                raise _Refused(CONF_URL, "already_configured", title=entry.title)
        verify = values.get(_TLS, {}).get(CONF_VERIFY_SSL, True)
        client = make_client(
            kind,
            async_get_clientsession(self.hass, verify_ssl=verify),
            Connection(
                url=url,
                api_key=api_key,
                verify_tls=verify,
                client_id=await instance_id.async_get(self.hass),
            ),
        )
        identity = await _async_identify(kind, client)
        if identity.own_only:
            # Saved, such a key would show an incomplete board and say nothing: Seerr answers
            # 200 with fewer requests. No use of it is worth that, so it is an error.
            raise _Refused(CONF_API_KEY, "own_requests_only")
        unique_id = _unique_id(kind, identity)
        if known_as is not None and unique_id != self._known_id(known_as):
            raise _Refused(CONF_URL, "wrong_server", name=identity.name)
        if twin := await self._async_twin(client, unique_id, others):
            raise _Refused(CONF_URL, "already_configured", title=twin.title)
        data = {
            CONF_KIND: kind,
            CONF_URL: url,
            CONF_API_KEY: api_key,
            CONF_VERIFY_SSL: verify,
        }
        if kind in _ARRS:
            data[CONF_TIER] = values[CONF_TIER]
        if identity.server_id is not None:
            data[CONF_SERVER_ID] = identity.server_id
        if identity.owner_id is not None:
            data[CONF_OWNER_ID] = identity.owner_id
        return _Found(
            kind=kind,
            name=identity.name or identity.product,
            unique_id=unique_id,
            data=data,
            client=client,
        )

    def _known_id(self, entry_id: str) -> str | None:
        """Return the unique id of an entry of ours."""
        return self.hass.config_entries.async_get_known_entry(entry_id).unique_id

    async def _async_twin(
        self, client: Client, unique_id: str | None, others: list[ConfigEntry]
    ) -> ConfigEntry | None:
        """Return the entry that the service is: of the same id, or whose webhook it holds."""
        if unique_id is not None:
            return next((entry for entry in others if entry.unique_id == unique_id), None)
        if not isinstance(client, InstallsWebhook):
            return None
        for entry in others:
            # Asked with another instance's mark, so that only this entry's own id is found: one
            # that was left behind by an entry of ours that is gone must not stand in the way.
            target = replace(await webhook_target(self.hass, entry), instance_id="-")
            try:
                remote = await client.read_webhook(target)
            except ServiceError:
                return None
            if remote.state in {WebhookState.REGISTERED, WebhookState.DIFFERENT}:
                return entry
        return None

    # --- Plex ------------------------------------------------------------------------------

    async def async_step_plex(self, _: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to get at the token of a Plex server."""
        return self.async_show_menu(step_id="plex", menu_options=["plex_sign_in", "plex_token"])

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take a Plex server that announces itself."""
        found = await async_announced(self.hass, discovery_info)
        if found is None:
            return self.async_abort(reason="cannot_connect")
        entry = await self.async_set_unique_id(found.server_id)
        if entry is not None:
            # It may announce itself by several addresses: one that works is not replaced.
            if entry.state is ConfigEntryState.SETUP_RETRY and moved(
                entry.data[CONF_URL], found.url
            ):
                self._abort_if_unique_id_configured(updates={CONF_URL: found.url})
            self._abort_if_unique_id_configured()
        self._address = found.url
        self.context["title_placeholders"] = {"name": found.name}
        return await self.async_step_discovered()

    async def async_step_discovered(self, _: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to get at the token of the Plex server that was found."""
        return self.async_show_menu(
            step_id="discovered",
            menu_options=["plex_sign_in", "plex_token"],
            description_placeholders={
                **self.context["title_placeholders"],
                "address": self._address or "-",
            },
        )

    async def async_step_plex_sign_in(self, _: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Have the user sign in at Plex, and wait for it."""
        if self._signing_in is None:
            self._sign_in = PlexSignIn(
                async_get_clientsession(self.hass), await instance_id.async_get(self.hass)
            )
            try:
                self._sign_in_url = await self._sign_in.begin()
            except ServiceError:
                return await self.async_step_plex_failed()
            self._signing_in = self.hass.async_create_task(
                self._sign_in.wait(), f"{DOMAIN} sign-in", eager_start=False
            )
        if not self._signing_in.done():
            return self.async_show_progress(
                step_id="plex_sign_in",
                progress_action="plex_sign_in",
                description_placeholders={"url": self._sign_in_url},
                progress_task=self._signing_in,
            )
        failed, self._signing_in = self._signing_in.exception(), None
        return self.async_show_progress_done(
            next_step_id="plex_failed" if failed else "plex_server"
        )

    async def async_step_plex_failed(self, _: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say that nobody signed in, and ask what to do then."""
        return self.async_show_menu(
            step_id="plex_failed", menu_options=["plex_sign_in", "plex_token"]
        )

    async def async_step_plex_no_server(self, _: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say that the account has no server that could be taken, and ask what to do then."""
        return self.async_show_menu(
            step_id="plex_no_server", menu_options=["plex_sign_in", "plex_token"]
        )

    async def async_step_plex_server(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which server of the account it is to be, if there are several."""
        servers = self._servers_to_take()
        if not servers:
            return await self.async_step_plex_no_server()
        if user_input is not None:
            return await self._async_take_server(servers[user_input[_SERVER]])
        if len(servers) == 1:
            return await self._async_take_server(*servers.values())
        return self.async_show_form(
            step_id="plex_server",
            data_schema=probatio.Schema(
                {
                    probatio.Required(_SERVER): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                SelectOptionDict(value=one.server_id, label=one.name)
                                for one in servers.values()
                            ],
                            mode=SelectSelectorMode.LIST,
                        )
                    )
                }
            ),
        )

    def _servers_to_take(self) -> dict[str, Server]:
        """Return the servers of the account that this flow may be about, by id."""
        assert self._sign_in is not None  # noqa: S101 - it is what brought the servers
        found = {server.server_id: server for server in self._sign_in.servers}
        if self.source == SOURCE_REAUTH or self._address is not None:
            return {key: one for key, one in found.items() if key == self.unique_id}
        ours = {entry.unique_id for entry in self._async_current_entries(include_ignore=False)}
        return {key: one for key, one in found.items() if key not in ours}

    async def _async_take_server(self, server: Server) -> ConfigFlowResult:
        """Go on with a server by the best of its addresses that answers."""
        assert self._sign_in is not None  # noqa: S101 - see above
        token = self._sign_in.token_for(server)
        if self.source == SOURCE_REAUTH:
            return await self.async_step_reauth_token({CONF_API_KEY: token})
        ways = list(ways_to(server))
        if self._address is not None:
            ways.insert(0, self._address)
        tries = [
            self.hass.async_create_task(self._async_try_way(server, url, token), f"{DOMAIN} {url}")
            for url in ways
        ]
        try:
            results = []
            for trying in tries:
                result = await trying
                if isinstance(result, _Found):
                    return await self._async_finish(result)
                results.append(result)
        finally:
            for trying in tries:
                trying.cancel()
        # The user may know a better address; the token stays.
        self._api_key = token
        return self._async_show_adding(
            "plex", {CONF_URL: ways[0]} if ways else {}, results[0] if results else None
        )

    async def _async_try_way(self, server: Server, url: str, token: str) -> _Found | _Refused:
        """Ask at an address whether the server is there."""
        try:
            found = await self._async_try("plex", {CONF_URL: url}, token)
        except _Refused as err:
            return err
        if found.unique_id != server.server_id:
            return _Refused(CONF_URL, "wrong_server", name=found.name)
        return found

    # --- what Seerr knows ------------------------------------------------------------------

    async def _async_look_around(self, seerr: _Found) -> None:
        """Sort what Seerr knows into what we have already and what can be offered."""
        entries = self._async_current_entries(include_ignore=False)
        offers: dict[tuple[str, str], _Offer] = {}
        for slot, service, url in await _async_known(seerr.client):
            if entry := _entry_of(service, url, entries):
                self._servers[slot] = entry.entry_id
                continue
            tier = service.tier.value if service.tier in {Tier.HD, Tier.UHD} else TIER_MIXED
            same = offers.get((service.kind, url))
            offers[service.kind, url] = _Offer(
                kind=service.kind,
                name=service.name or PRODUCTS[service.kind],
                url=url,
                api_key=service.api_key,
                tier=tier if same is None or same.tier == tier else TIER_MIXED,
                slots=(slot,) if same is None else (*same.slots, slot),
            )
        self._offers = list(offers.values())

    async def async_step_known(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Offer what Seerr knows, all in one form."""
        if user_input is not None:
            chosen = [offer for offer in self._offers if offer.slots[0] in user_input[_SERVICES]]
            results = await asyncio.gather(
                *(
                    self._async_take(offer, {CONF_URL: offer.url, CONF_TIER: offer.tier})
                    for offer in chosen
                )
            )
            self._taken = [result for result in results if isinstance(result, _Taken)]
            self._missed = [result for result in results if isinstance(result, _Missed)]
            return await self._async_next()
        return self.async_show_form(
            step_id="known",
            data_schema=probatio.Schema(
                {
                    probatio.Optional(
                        _SERVICES, default=[offer.slots[0] for offer in self._offers]
                    ): SelectSelector(
                        SelectSelectorConfig(
                            options=[
                                SelectOptionDict(value=offer.slots[0], label=offer.label)
                                for offer in self._offers
                            ],
                            multiple=True,
                            mode=SelectSelectorMode.LIST,
                        )
                    )
                }
            ),
        )

    async def _async_take(self, offer: _Offer, values: Mapping[str, Any]) -> _Taken | _Missed:
        """Try a service that Seerr knows, as Seerr reaches it or as the user typed."""
        key = values.get(CONF_API_KEY, "").strip() or offer.api_key
        try:
            found = await self._async_try(offer.kind, values, key)
        except _Refused as err:
            return _Missed(offer=offer, values=_typed(values), refused=err)
        return _Taken(offer=offer, found=found)

    async def async_step_known_service(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how to reach a service that did not answer at the address that Seerr uses."""
        missed = self._missed[0]
        if user_input is not None:
            if not user_input[_SKIP]:
                result = await self._async_take(missed.offer, user_input)
                if isinstance(result, _Missed):
                    self._missed[0] = result
                    return await self.async_step_known_service()
                self._taken.append(result)
            del self._missed[0]
            return await self._async_next()
        return self._async_show_service(
            "known_service",
            missed.offer.kind,
            _schema(missed.offer.kind, missed.refused, key=False).extend(
                {probatio.Required(_SKIP, default=False): BooleanSelector()}
            ),
            values=missed.values,
            refused=missed.refused,
            placeholders={"name": missed.offer.name, "address": missed.offer.url},
        )

    async def _async_next(self) -> ConfigFlowResult:
        """Go on with the next one that failed, or end."""
        if self._missed:
            return await self.async_step_known_service()
        assert self._seerr is not None  # noqa: S101 - offers come from it
        return await self._async_finish(self._seerr)

    # --- making entries ----------------------------------------------------------------------

    async def _async_finish(self, found: _Found) -> ConfigFlowResult:
        """Make the board's entry if it is missing, those that Seerr knows, and this one."""
        flows = self.hass.config_entries.flow
        await flows.async_init(DOMAIN, context={"source": SOURCE_SYSTEM})
        for taken in self._taken:
            result = await flows.async_init(
                DOMAIN, context={"source": SOURCE_IMPORT}, data=taken.found
            )
            if result["type"] is FlowResultType.CREATE_ENTRY:
                self._servers |= dict.fromkeys(taken.offer.slots, result["result"].entry_id)
        if found.unique_id is not None:
            await self.async_set_unique_id(found.unique_id, raise_on_progress=False)
        return self._async_create(found)

    async def async_step_import(self, found: _Found) -> ConfigFlowResult:
        """Make the entry of a service that Seerr knows; it was tried a moment ago."""
        return self._async_create(found)

    @callback
    def _async_create(self, found: _Found) -> ConfigFlowResult:
        self._async_abort_if_added_meanwhile(found)
        data = {**found.data, **_new_webhook()}
        if found.kind == "seerr":
            data[CONF_SEERR_SERVERS] = self._servers
        return self.async_create_entry(title=self._title(found), data=data)

    @callback
    def _async_abort_if_added_meanwhile(self, found: _Found) -> None:
        """End here if another flow was faster. Between this and the entry, nothing may wait."""
        self._async_abort_entries_match({CONF_KIND: found.kind, CONF_URL: found.data[CONF_URL]})
        if found.unique_id is not None and self.source != SOURCE_RECONFIGURE:
            self._abort_if_unique_id_configured()

    def _title(self, found: _Found) -> str:
        """Name the entry as the user named the instance; two of a name are told apart."""
        taken = {entry.title for entry in self._async_current_entries(include_ignore=False)}
        name = found.name
        if name in taken and found.data.get(CONF_TIER) == Tier.UHD.value:
            name = f"{name} 4K"
        title, number = name, 1
        while title in taken:
            number += 1
            title = f"{name} {number}"
        return title

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Have each Seerr that is there already look whether it knows the new service."""
        entry = result["result"]
        # An entry of a server that is to be ignored says nothing of it.
        if entry.data.get(CONF_KIND) in _ARRS:
            telling = _async_tell_seerrs(self.hass, entry)
            _ = self.hass.async_create_task(telling, f"{DOMAIN} acquaintances")
        return result

    async def async_step_system(self, _: None = None) -> ConfigFlowResult:
        """Make the board's own entry."""
        await self.async_set_unique_id(BOARD_UNIQUE_ID)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=NAME, data={CONF_KIND: KIND_BOARD})

    # --- what exists already -------------------------------------------------------------------

    async def async_step_reauth(self, _: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to ask for a new key: the service has refused the old one for a while."""
        if self._get_reauth_entry().data[CONF_KIND] == "plex":
            return await self.async_step_reauth_plex()
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_plex(self, _: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how to get at a new token."""
        return self.async_show_menu(
            step_id="reauth_plex",
            menu_options=["plex_sign_in", "plex_token"],
            description_placeholders={"address": self._get_reauth_entry().data[CONF_URL]},
        )

    async def async_step_reauth_token(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new token."""
        return await self._async_step_renew("reauth_token", user_input)

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new key."""
        return await self._async_step_renew("reauth_confirm", user_input)

    async def _async_step_renew(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        placeholders: Mapping[str, str] = {}
        if user_input is not None:
            try:
                found = await self._async_try(
                    entry.data[CONF_KIND],
                    _form_values(entry),
                    user_input[CONF_API_KEY].strip(),
                    known_as=entry.entry_id,
                )
            except _Refused as err:
                # The form has the key alone: what is wrong with the address stands above it.
                errors[CONF_API_KEY if err.where == CONF_API_KEY else "base"] = err.key
                placeholders = err.placeholders
            else:
                return self.async_update_reload_and_abort(
                    entry,
                    data_updates={
                        key: found.data[key]
                        for key in (CONF_API_KEY, CONF_OWNER_ID)
                        if key in found.data
                    },
                )
        return self.async_show_form(
            step_id=step_id,
            data_schema=probatio.Schema({probatio.Required(CONF_API_KEY): _KEY_FIELD}),
            errors=errors,
            description_placeholders={
                "product": PRODUCTS[entry.data[CONF_KIND]],
                "address": entry.data[CONF_URL],
                **placeholders,
            },
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for what changed: address, key, tier; or make a new webhook address."""
        entry = self._get_reconfigure_entry()
        kind = entry.data[CONF_KIND]
        if kind == KIND_BOARD:
            return self.async_abort(reason="board_has_no_address")
        refused: _Refused | None = None
        if user_input is not None:
            key = user_input.get(CONF_API_KEY, "").strip() or entry.data[CONF_API_KEY]
            try:
                found = await self._async_try(kind, user_input, key, known_as=entry.entry_id)
            except _Refused as err:
                refused = err
            else:
                data = dict(found.data)
                if kind == "seerr":
                    await self._async_look_around(found)
                    data[CONF_SEERR_SERVERS] = {
                        **entry.data.get(CONF_SEERR_SERVERS, {}),
                        **self._servers,
                    }
                self._async_abort_if_added_meanwhile(found)
                old_id = entry.data[CONF_WEBHOOK_ID]
                if user_input[_ROTATE]:
                    data |= _new_webhook()
                result = self.async_update_reload_and_abort(entry, data_updates=data)
                if user_input[_ROTATE]:
                    await async_delete_cloudhook(self.hass, old_id)
                return result
        return self._async_show_service(
            "reconfigure",
            kind,
            _schema(kind, refused, key=False).extend(
                {probatio.Required(_ROTATE, default=False): BooleanSelector()}
            ),
            values=user_input or _form_values(entry),
            refused=refused,
            placeholders={
                "name": entry.title,
                "webhook_address": webhook_address(self.hass, entry),
            },
        )

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options of the board, or of a service."""
        if config_entry.data[CONF_KIND] == KIND_BOARD:
            return BoardOptionsFlow()
        return ServiceOptionsFlow()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return what can be added to an entry: the board has persons."""
        if config_entry.data[CONF_KIND] == KIND_BOARD:
            return {SUBENTRY_PERSON: PersonFlow}
        return {}


async def _async_identify(kind: str, client: Client) -> Identity:
    """Ask a service who it is. Raises :class:`_Refused` if it does not say."""
    try:
        async with asyncio.timeout(_TRY_SECONDS):
            return await client.identify()
    except TimeoutError as err:
        raise _Refused(CONF_URL, TimedOutError.key) from err
    except WrongServiceError as err:
        raise _wrong(kind, err.detail) from err
    except (AuthError, ForbiddenError) as err:
        key = "invalid_token" if kind == "plex" else err.key
        raise _Refused(CONF_API_KEY, key) from err
    except ServiceError as err:
        raise _Refused(CONF_URL, err.key, detail=err.detail or "-") from err


def _unique_id(kind: str, identity: Identity) -> str | None:
    """Return what tells a media server from others; a Tautulli is known by its Plex."""
    if identity.server_id is None:
        return None
    return f"{kind}:{identity.server_id}" if kind == "tautulli" else identity.server_id


def _form_values(entry: ConfigEntry) -> dict[str, Any]:
    """Return what is stored of a service as its form has it, without the key."""
    values = {
        CONF_URL: entry.data[CONF_URL],
        _TLS: {CONF_VERIFY_SSL: entry.data[CONF_VERIFY_SSL]},
    }
    if CONF_TIER in entry.data:
        values[CONF_TIER] = entry.data[CONF_TIER]
    return values


async def _async_tell_seerrs(hass: HomeAssistant, new: ConfigEntry) -> None:
    """Remember in each Seerr's entry which of its servers a new entry is."""
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        if entry.data[CONF_KIND] != "seerr":
            continue
        slots = {
            slot: new.entry_id
            for slot, service, url in await _async_known(entry.runtime_data.client)
            if _entry_of(service, url, [new])
        }
        servers = {**entry.data.get(CONF_SEERR_SERVERS, {}), **slots}
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_SEERR_SERVERS: servers}
        )


async def _async_known(client: Client) -> list[tuple[str, KnownService, str]]:
    """Return what a service knows of others, each with its slot there and its address."""
    if not isinstance(client, KnowsServices):
        return []
    try:
        async with asyncio.timeout(_TRY_SECONDS):
            known = await client.known_services()
    except ServiceError, TimeoutError:
        return []
    found = []
    for service in known:
        try:
            url = normalise_url(service.url)
        except AddressError:
            # The user is asked for a better one.
            url = service.url
        found.append((f"{service.kind}:{service.number}", service, url))
    return found


def _wrong(kind: str, found: str) -> _Refused:
    """Say what answers instead, and where it belongs if we know it."""
    if not found:
        return _Refused(CONF_URL, "not_found")
    belongs = _KIND_OF_PRODUCT.get(found.lower())
    if belongs is None or belongs == kind:
        return _Refused(CONF_URL, "wrong_service", found=found)
    return _Refused(CONF_URL, "wrong_kind", found=found, right=PRODUCTS[belongs])


def _entry_of(service: KnownService, url: str, entries: list[ConfigEntry]) -> ConfigEntry | None:
    """Return the entry that a service is: the same address, or the same key.

    Seerr may reach it by another address than Home Assistant. A key is random, so one that
    a single entry of this kind holds tells it; copied settings give two the same.
    """
    same_kind = [entry for entry in entries if entry.data[CONF_KIND] == service.kind]
    for entry in same_kind:
        if entry.data[CONF_URL] == url:
            return entry
    same_key = [entry for entry in same_kind if entry.data[CONF_API_KEY] == service.api_key]
    return same_key[0] if service.api_key and len(same_key) == 1 else None
