"""A simulated home media stack: HTTP doubles of the services of a home."""

from .clock import Clock
from .emby import EmbyDouble
from .faults import Delivery, DeliveryFaults, Fault, FaultMode
from .jellyfin import JellyfinDouble
from .library import Catalogue, Film, Show
from .plex import PlexDouble
from .plex_tv import PlexTvDouble
from .radarr import RadarrDouble
from .scenarios import SCENARIOS, Play
from .seerr import SeerrDouble
from .shelf import Shelf, ShelfFile
from .sonarr import SonarrDouble
from .stack import Stack
from .tautulli import TautulliDouble

__all__ = [
    "SCENARIOS",
    "Catalogue",
    "Clock",
    "Delivery",
    "DeliveryFaults",
    "EmbyDouble",
    "Fault",
    "FaultMode",
    "Film",
    "JellyfinDouble",
    "Play",
    "PlexDouble",
    "PlexTvDouble",
    "RadarrDouble",
    "SeerrDouble",
    "Shelf",
    "ShelfFile",
    "Show",
    "SonarrDouble",
    "Stack",
    "TautulliDouble",
]
