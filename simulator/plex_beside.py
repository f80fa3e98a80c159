"""A simulated Plex as the Tautulli beside it sees it."""

import heapq
from collections.abc import Sequence
from datetime import UTC, datetime

from .plex import Item, PlexDouble
from .plex_view import PlexItem, PlexSession, PlexUser
from .tautulli import TautulliDouble


class PlexBeside:
    """Answers what a Tautulli asks, and lets it know what happens."""

    def __init__(self, plex: PlexDouble) -> None:
        """Look at a Plex."""
        self._plex = plex
        self.machine_id = plex.machine_id
        self.server_name = plex.name

    @property
    def server_version(self) -> str:
        """Return its version."""
        return self._plex.version

    @property
    def is_up(self) -> bool:
        """Tell whether it answers."""
        return self._plex.is_up

    def sessions(self) -> Sequence[PlexSession]:
        """Return what is being played."""
        return [
            PlexSession(
                key=one.key,
                user=self._user(one.user),
                item=self._shown(one.item),
                started=self._plex.clock.now(),
            )
            for one in self._plex.sessions.values()
        ]

    def item(self, key: int) -> PlexItem | None:
        """Return an item by its key."""
        found = self._plex.items.get(str(key))
        return None if found is None else self._shown(found)

    def children(self, key: int) -> Sequence[PlexItem]:
        """Return the seasons of a series, or the episodes of a season."""
        found = self._plex.items.get(str(key))
        return [] if found is None else [self._shown(child) for child in found.children]

    def recently_added(self, count: int) -> Sequence[PlexItem]:
        """Return films and seasons, the newest first."""
        newest = heapq.nlargest(
            count,
            (item for item in self._plex.items.values() if item.type in {"movie", "season"}),
            key=lambda item: (_came_at(item), int(item.key)),
        )
        return [self._shown(item) for item in newest]

    def users(self) -> Sequence[PlexUser]:
        """Return who may watch."""
        return [self._user(number) for number in self._plex.users]

    def tell(self, tautulli: TautulliDouble) -> None:
        """Let a Tautulli know what happens from now on."""

        def happened(what: str, user: int, item: Item) -> None:
            if what == "created":
                new = [leaf for leaf in item.leaves if leaf.added == _came_at(item)]
                tautulli.follow(what, None, *map(self._shown, new))
                return
            session = PlexSession(
                key=1,
                user=self._user(user),
                item=self._shown(item),
                started=self._plex.clock.now(),
            )
            tautulli.follow(what, session)

        self._plex.watchers.append(happened)

    def _user(self, number: int) -> PlexUser:
        """Name somebody by the id at plex.tv, which Plex itself calls 1 if it is the owner."""
        owner = self._plex.plex_tv.owner
        return PlexUser(id=owner.id if number == 1 else number, name=self._plex.users[number])

    def _shown(self, item: Item) -> PlexItem:
        return PlexItem(
            key=int(item.key),
            type=item.type,
            title=item.title,
            added_at=datetime.fromtimestamp(_came_at(item), UTC),
            year=item.year,
            index=item.index,
            guids=tuple(f"{space}://{value}" for space, value in item.ids.items())
            if item.matched
            else (),
            guid=item.guid,
            air_date=item.air_date or "",
            parent=None if item.parent is None else self._shown(item.parent),
            section=int(item.section.key),
        )


def _came_at(item: Item) -> int:
    """Return when the newest of it came."""
    return max(leaf.added for leaf in item.leaves)
