"""External ids in Plex's words: lists of today's agents, and the texts of former ones."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ...board.models import ExternalIds, MediaType
from .. import payload
from ..base import Json
from ..payload import Object

MAX_GUID: Final = 160
_GUID: Final = re.compile(r"([a-z0-9.]{2,64})://([A-Za-z0-9_./-]{1,96})(?:\?.*)?")
_HAMA: Final = re.compile(r"(tvdb|tmdb|imdb)\d?-(.+)")
_NFO: Final = re.compile(r"(?:movie|show)/(tvdb|tmdb|imdb)_(.+)")
_SPACES: Final = frozenset({"imdb", "tmdb", "tvdb"})
# What the number is that follows the name of an agent; in series it is the series', whatever
# season and episode come after it.
_AGENTS: Final[Mapping[tuple[str, MediaType], str]] = {
    ("com.plexapp.agents.imdb", MediaType.MOVIE): "imdb",
    ("com.plexapp.agents.themoviedb", MediaType.MOVIE): "tmdb",
    ("com.plexapp.agents.themoviedb", MediaType.SERIES): "tmdb",
    ("com.plexapp.agents.tmdb", MediaType.MOVIE): "tmdb",
    ("com.plexapp.agents.tmdb", MediaType.SERIES): "tmdb",
    ("com.plexapp.agents.thetvdb", MediaType.SERIES): "tvdb",
    ("com.plexapp.agents.xbmcnfo", MediaType.MOVIE): "tmdb",
    ("com.plexapp.agents.xbmcnfotv", MediaType.SERIES): "tvdb",
}
_NFO_AGENTS: Final[Mapping[str, MediaType]] = {
    "tv.plex.agents.nfo.movie": MediaType.MOVIE,
    "tv.plex.agents.nfo.series": MediaType.SERIES,
}


def item_ids(row: Object, media_type: MediaType) -> ExternalIds:
    """Read the ids of a film or a series from its own row."""
    listed = (payload.text(guid.get("id"), MAX_GUID) for guid in payload.rows(row.get("Guid")))
    found = _joined(media_type, (_pair(guid) for guid in listed))
    return found or legacy_ids(row.get("guid"), media_type)


def legacy_ids(guid: Json, media_type: MediaType) -> ExternalIds:
    """Read the ids of a film, or of the series that something belongs to, from an old guid."""
    match = _GUID.fullmatch(payload.text(guid, MAX_GUID) or "")
    if match is None:
        return ExternalIds()
    agent, rest = match[1], match[2]
    if _NFO_AGENTS.get(agent) is media_type:
        named = _NFO.fullmatch(rest)
        return _joined(media_type, [None if named is None else (named[1], named[2])])
    value = rest.partition("/")[0]
    if agent == "com.plexapp.agents.hama":
        named = _HAMA.fullmatch(value)
        return _joined(media_type, [None if named is None else (named[1], named[2])])
    space = _AGENTS.get((agent, media_type))
    if space == "tmdb" and value.startswith("tt"):
        space = "imdb"
    return _joined(media_type, [None if space is None else (space, value)])


def readable_guid(value: Json) -> Json:
    """Keep a guid for the journal if ids can be read from it: others may be paths."""
    guid = payload.text(value, MAX_GUID)
    told = guid is not None and any(legacy_ids(guid, media_type) for media_type in MediaType)
    return guid if told else None


def readable_pair(value: Json) -> Json:
    """Keep an entry of a `Guid` list for the journal if it is an id that services share."""
    guid = payload.text(value, MAX_GUID)
    return guid if guid is not None and _pair(guid) is not None else None


def _pair(guid: str | None) -> tuple[str, str] | None:
    space, _, value = (guid or "").partition("://")
    return (space, value) if space in _SPACES and value else None


def _joined(media_type: MediaType, pairs: Iterable[tuple[str, str] | None]) -> ExternalIds:
    """Collect ids; of two in one space the lower counts, whatever their order."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        if pair is not None:
            found.setdefault(pair[0], []).append(pair[1])
    tmdb = [one for value in found.get("tmdb", ()) if (one := payload.identifier(value))]
    tvdb = [one for value in found.get("tvdb", ()) if (one := payload.identifier(value))]
    imdb = [text for value in found.get("imdb", ()) if (text := payload.imdb_id(value))]
    # No other service speaks of films by TVDB's numbers.
    of_series = media_type is MediaType.SERIES
    return ExternalIds(
        tmdb=min(tmdb, default=None),
        tvdb=min(tvdb, default=None) if of_series else None,
        imdb=min(imdb, key=lambda text: int(text[2:]), default=None),
    )
