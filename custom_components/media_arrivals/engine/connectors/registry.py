"""Which kinds of service there are. Pure: their API halves are in `clients`."""

from collections.abc import Mapping
from typing import Final

from .base import Decoder
from .emby.decode import EmbyDecoder
from .jellyfin.decode import JellyfinDecoder
from .plex.decode import PlexDecoder
from .radarr.decode import RadarrDecoder
from .seerr.decode import SeerrDecoder
from .sonarr.decode import SonarrDecoder
from .tautulli.decode import TautulliDecoder

DECODERS: Final[Mapping[str, Decoder]] = {
    decoder.kind: decoder
    for decoder in (
        RadarrDecoder(),
        SonarrDecoder(),
        SeerrDecoder(),
        PlexDecoder(),
        JellyfinDecoder(),
        EmbyDecoder(),
        TautulliDecoder(),
    )
}


def decoder(kind: str) -> Decoder:
    """Return the pure half of a connector."""
    return DECODERS[kind]
