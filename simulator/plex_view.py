"""What a Tautulli sees of its Plex, and a Plex that is no more than that."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PlexUser:
    """Somebody who watches, by the id at plex.tv."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlexItem:
    """A film, series, season or episode in Plex's own terms."""

    key: int
    type: str
    """``movie``, ``show``, ``season`` or ``episode``; or music: ``track``."""
    title: str
    added_at: datetime
    year: int | None = None
    index: int | None = None
    guids: tuple[str, ...] = ()
    """Such as ``tmdb://603``; of this very item."""
    guid: str = ""
    air_date: str = ""
    parent: PlexItem | None = None
    section: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlexSession:
    """Somebody plays something."""

    key: int
    user: PlexUser
    item: PlexItem
    started: datetime
    player: str = "Living room"


class PlexView(Protocol):
    """A Plex, as far as Tautulli asks it."""

    @property
    def machine_id(self) -> str:
        """Return the server's id."""
        ...

    @property
    def server_name(self) -> str:
        """Return what its owner called it."""
        ...

    @property
    def server_version(self) -> str:
        """Return its version."""
        ...

    @property
    def is_up(self) -> bool:
        """Tell whether it answers."""
        ...

    def sessions(self) -> Sequence[PlexSession]:
        """Return what is being played."""
        ...

    def item(self, key: int) -> PlexItem | None:
        """Return an item by its key."""
        ...

    def children(self, key: int) -> Sequence[PlexItem]:
        """Return the seasons of a series, or the episodes of a season."""
        ...

    def recently_added(self, count: int) -> Sequence[PlexItem]:
        """Return what was added, the newest first: films, and episodes or their seasons."""
        ...

    def users(self) -> Sequence[PlexUser]:
        """Return who may watch."""
        ...


class PlexList:
    """A Plex made of lists."""

    machine_id = "54664a3d8acc39983675640ec9ce00b70af9cc36"
    server_name = "Harbour"
    server_version = "1.42.1.10060-4e8b05daf"

    def __init__(self) -> None:
        """Begin empty."""
        self.is_up = True
        self.items: dict[int, PlexItem] = {}
        self.playing: dict[int, PlexSession] = {}
        self.people: dict[int, PlexUser] = {}
        self._keys = 15_000
        self._sessions = 0

    def put(self, type_: str, title: str, *, added_at: datetime, **known: object) -> PlexItem:
        """Add an item; its ids are invented if none are given."""
        self._keys += 1
        guids = (f"imdb://tt{self._keys:07}", f"tmdb://{self._keys}", f"tvdb://{self._keys + 1}")
        values: dict[str, object] = {
            "key": self._keys,
            "type": type_,
            "title": title,
            "added_at": added_at.replace(microsecond=0),
            "guids": guids,
            "guid": f"plex://{type_}/{self._keys:024x}",
        }
        item = PlexItem(**{**values, **known})  # type: ignore[arg-type]
        self.items[item.key] = item
        return item

    def put_season(
        self, show: PlexItem, season: int, episodes: Iterable[int], *, added_at: datetime
    ) -> list[PlexItem]:
        """Add episodes of a series; their season comes along."""
        parent = next(
            (one for one in self.children(show.key) if one.index == season), None
        ) or self.put("season", f"Season {season}", added_at=added_at, index=season, parent=show)
        return [
            self.put(
                "episode",
                f"{show.title} {season}-{number}",
                added_at=added_at,
                index=number,
                parent=parent,
                air_date=f"2026-{season % 12 + 1:02}-{number % 28 + 1:02}",
            )
            for number in episodes
        ]

    def play(self, user: PlexUser, item: PlexItem, *, started: datetime) -> PlexSession:
        """Begin to play something."""
        self._sessions += 1
        self.people[user.id] = user
        session = PlexSession(key=self._sessions, user=user, item=item, started=started)
        self.playing[session.key] = session
        return session

    def stop(self, session: PlexSession) -> None:
        """End a session."""
        self.playing.pop(session.key, None)

    def sessions(self) -> Sequence[PlexSession]:
        """Return what is being played."""
        return list(self.playing.values())

    def item(self, key: int) -> PlexItem | None:
        """Return an item by its key."""
        return self.items.get(key)

    def children(self, key: int) -> Sequence[PlexItem]:
        """Return the seasons of a series, or the episodes of a season."""
        return [item for item in self.items.values() if item.parent and item.parent.key == key]

    def recently_added(self, count: int) -> Sequence[PlexItem]:
        """Return what was added, the newest first."""
        return heapq.nlargest(
            count,
            (item for item in self.items.values() if item.type in {"movie", "episode", "track"}),
            key=lambda item: (item.added_at, item.key),
        )

    def users(self) -> Sequence[PlexUser]:
        """Return who may watch."""
        return list(self.people.values())


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""When a library was filled that has existed for years."""


def fill(plex: PlexList, films: int) -> None:
    """Let a library have existed for years; nobody is told."""
    for number in range(films):
        plex.put("movie", f"Film {number}", added_at=LONG_AGO, year=1990 + number % 30)
