"""The disk of the house: what Radarr and Sonarr put there and media servers find there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

MOUNT = "/data/media"
"""Where media servers see what Radarr and Sonarr see at the root of their own disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfFile:
    """One video file, and what metadata services say about it."""

    path: str
    """As Radarr and Sonarr name it."""
    media_type: str
    """``movie`` or ``series``."""
    title: str
    """Of the film or the series; so are the ids."""
    year: int
    tmdb_id: int | None = None
    tvdb_id: int | None = None
    imdb_id: str | None = None
    season: int | None = None
    episode: int | None = None
    episode_title: str | None = None
    air_date: str | None = None
    """ISO date."""
    height: int = 1080
    added_at: datetime


type Listener = Callable[[str, ShelfFile | None], None]
"""Is told the path and what is there now, or that nothing is."""


class Shelf:
    """The files of one house, by path."""

    def __init__(self) -> None:
        """Begin with an empty disk."""
        self.files: dict[str, ShelfFile] = {}
        self.listeners: list[Listener] = []

    def put(self, file: ShelfFile) -> None:
        """Write a file; one of the same path is replaced."""
        self.files[file.path] = file
        self._tell(file.path, file)

    def remove(self, path: str) -> None:
        """Delete a file; one that is not there is none to miss."""
        if self.files.pop(path, None) is not None:
            self._tell(path, None)

    def under(self, folder: str) -> list[ShelfFile]:
        """Return the files in a folder and in all below it."""
        inside = folder.rstrip("/") + "/"
        return [file for path, file in self.files.items() if path.startswith(inside)]

    def _tell(self, path: str, file: ShelfFile | None) -> None:
        for listener in tuple(self.listeners):
            listener(path, file)


def mounted(path: str) -> str:
    """Return a path of the shelf as a media server sees it."""
    return MOUNT + path


def unmounted(path: str) -> str | None:
    """Return a path of a media server as the shelf has it; ``None``: it is elsewhere."""
    return path.removeprefix(MOUNT) if path == MOUNT or path.startswith(f"{MOUNT}/") else None
