"""Where services are that Home Assistant's own integrations, or the network, know of.

Entries of other integrations are theirs: only addresses are read, never credentials, and
whatever has another shape than expected is passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from yarl import URL

from .addresses import AddressError, normalise_url
from .engine.connectors import payload
from .engine.connectors.base import Connection, ServiceError
from .engine.connectors.http import JsonClient

_DOMAINS: Final[Mapping[str, str]] = {
    "plex": "plex",
    "jellyfin": "jellyfin",
    "emby": "emby",
    "tautulli": "tautulli",
    "radarr": "radarr",
    "sonarr": "sonarr",
    "seerr": "overseerr",
}
"""Kind of service -> domain of Home Assistant's own integration."""
_PLEX_CONFIG: Final = "server_config"
"""Under which the Plex integration keeps the address."""
_ANSWER_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A Plex server that announces itself in the network."""

    server_id: str
    name: str
    url: str


def own_integration(kind: str) -> str:
    """Return the domain of Home Assistant's own integration of a kind of service."""
    return _DOMAINS[kind]


def addresses_nearby(hass: HomeAssistant, kind: str) -> tuple[str, ...]:
    """Return the addresses under which Home Assistant's own integration knows services."""
    found = []
    for entry in hass.config_entries.async_entries(_DOMAINS[kind], include_ignore=False):
        try:
            found.append(normalise_url(_address(entry.data)))
        except AddressError, TypeError, ValueError:
            continue
    return tuple(dict.fromkeys(found))


def _address(data: Mapping[str, Any]) -> str:
    """Return the address in an entry's data. Raises :class:`ValueError` if there is none."""
    nested = data.get(_PLEX_CONFIG)
    for part in (data, nested if isinstance(nested, Mapping) else {}):
        if isinstance(url := part.get(CONF_URL), str):
            return url
    host, port = data.get(CONF_HOST), data.get(CONF_PORT)
    if not isinstance(host, str):
        raise ValueError("no address")  # noqa: TRY004 - another shape, not a fault of a caller
    scheme = "https" if data.get(CONF_SSL) is True else "http"
    return str(URL.build(scheme=scheme, host=host, port=None if port is None else int(port)))


async def async_announced(hass: HomeAssistant, found: ZeroconfServiceInfo) -> Announced | None:
    """Ask a Plex server that announces itself who it is, which needs no token."""
    if found.port is None:
        return None
    url = str(URL.build(scheme="http", host=found.host, port=found.port))
    client = JsonClient(async_get_clientsession(hass), Connection(url=url, api_key=""), headers={})
    try:
        who = payload.mapping(await client.get("/identity", wait=_ANSWER_SECONDS))
    except ServiceError:
        return None
    told = payload.mapping(who.get("MediaContainer"))
    server_id = payload.text(told.get("machineIdentifier"))
    if server_id is None:
        return None
    name = found.name.removesuffix(f".{found.type}")
    return Announced(server_id=server_id, name=name or "Plex", url=url)


def moved(stored: str, announced: str) -> bool:
    """Tell whether an announced address replaces a stored one: only an IP address goes stale."""
    if URL(stored).scheme != URL(announced).scheme:
        return False
    try:
        ip_address(URL(stored).host or "")
    except ValueError:
        return False
    return stored != announced
