"""The API halves of the connectors, by kind."""

from collections.abc import Callable, Mapping
from typing import Final

from .base import Client, Connection
from .emby.client import EmbyClient
from .http import Session
from .jellyfin.client import JellyfinClient
from .plex.client import PlexClient
from .radarr.client import RadarrClient
from .seerr.client import SeerrClient
from .sonarr.client import SonarrClient
from .tautulli.client import TautulliClient

_CLIENTS: Final[Mapping[str, Callable[[Session, Connection], Client]]] = {
    "radarr": RadarrClient,
    "sonarr": SonarrClient,
    "seerr": SeerrClient,
    "plex": PlexClient,
    "jellyfin": JellyfinClient,
    "emby": EmbyClient,
    "tautulli": TautulliClient,
}


def make_client(kind: str, session: Session, connection: Connection) -> Client:
    """Return a client for a service."""
    return _CLIENTS[kind](session, connection)
