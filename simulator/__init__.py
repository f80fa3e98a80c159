"""A simulated home media stack: HTTP doubles of Radarr, Sonarr and the Seerr family."""

from .clock import Clock
from .faults import Delivery, DeliveryFaults, Fault, FaultMode
from .library import Catalogue, Film, Show
from .radarr import RadarrDouble
from .scenarios import SCENARIOS, Play
from .seerr import SeerrDouble
from .sonarr import SonarrDouble
from .stack import Stack

__all__ = [
    "SCENARIOS",
    "Catalogue",
    "Clock",
    "Delivery",
    "DeliveryFaults",
    "Fault",
    "FaultMode",
    "Film",
    "Play",
    "RadarrDouble",
    "SeerrDouble",
    "Show",
    "SonarrDouble",
    "Stack",
]
