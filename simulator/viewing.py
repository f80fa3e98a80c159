"""What is watched in a household: the newest of what nobody has watched yet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .mediabrowser import MediaBrowserDouble, MediaItem
from .plex import Item, PlexDouble

if TYPE_CHECKING:
    from .stack import Stack

type Choice = tuple[PlexDouble, Item] | tuple[MediaBrowserDouble, MediaItem]
"""A media server, and what is to be watched on it."""


def next_to_watch(stack: Stack) -> Choice | None:
    """Choose something new, on the media server that was used least."""
    servers = [
        double
        for double in stack.services.values()
        if isinstance(double, PlexDouble | MediaBrowserDouble)
    ]
    watched = {path for server in servers for path in _watched(server)}
    for server in sorted(servers, key=_viewings):
        found: Choice | None = (
            _newest_in_plex(server, watched)
            if isinstance(server, PlexDouble)
            else _newest_in(server, watched)
        )
        if found is not None:
            return found
    return None


def _watched(server: PlexDouble | MediaBrowserDouble) -> Iterator[str]:
    """Yield the files that somebody watched."""
    if isinstance(server, PlexDouble):
        for row in server.history:
            yield from row.item.versions
    else:
        for key in {key for user in server.users for key in user.played}:
            if (item := server.items.get(key)) is not None:
                yield from item.files


def _viewings(server: PlexDouble | MediaBrowserDouble) -> int:
    if isinstance(server, PlexDouble):
        return len(server.history)
    return sum(len(user.played) for user in server.users)


def _newest_in_plex(server: PlexDouble, watched: set[str]) -> Choice | None:
    found = [
        item
        for item in server.items.values()
        if item.versions and not watched.intersection(item.versions)
    ]
    # Of a season that came as a whole, the first episode.
    best = max(found, key=lambda item: (item.added, -(item.index or 0)), default=None)
    return None if best is None else (server, best)


def _newest_in(server: MediaBrowserDouble, watched: set[str]) -> Choice | None:
    found = [
        item
        for item in server.items.values()
        if item.kind in {"Movie", "Episode"} and item.files and not watched.intersection(item.files)
    ]
    best = max(
        found, key=lambda item: (int(item.created.timestamp()), -(item.number or 0)), default=None
    )
    return None if best is None else (server, best)
