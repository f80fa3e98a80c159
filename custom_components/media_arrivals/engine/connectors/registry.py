"""Which kinds of service there are. Pure: their API halves are in `clients`."""

from collections.abc import Mapping
from typing import Final

from .base import Decoder
from .plex.decode import PlexDecoder
from .radarr.decode import RadarrDecoder
from .seerr.decode import SeerrDecoder
from .sonarr.decode import SonarrDecoder

DECODERS: Final[Mapping[str, Decoder]] = {
    decoder.kind: decoder
    for decoder in (RadarrDecoder(), SonarrDecoder(), SeerrDecoder(), PlexDecoder())
}


def decoder(kind: str) -> Decoder:
    """Return the pure half of a connector."""
    return DECODERS[kind]
