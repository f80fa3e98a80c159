"""Finds the folder of a title among the libraries of a media server, which names it otherwise.

Radarr and Sonarr say ``/movies/Film (2026)`` where the media server has ``/data/media/movies``:
containers and machines see the same disk below other roots. What agrees is the end of the
library's folder, found again somewhere in the title's.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..board.models import MediaType
from .base import Library

_MAX_LENGTH: Final = 4096
_MAX_PARTS: Final = 64
_WINDOWS: Final = re.compile(r"[A-Za-z]:(?:[\\/]|$)|\\\\")


@dataclass(frozen=True, slots=True)
class _Path:
    """A folder in its parts."""

    text: str
    parts: tuple[str, ...]
    separator: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the parts as they are compared: neither case nor the way of accents counts."""
        return tuple(unicodedata.normalize("NFC", part).casefold() for part in self.parts)


type _Rank = tuple[int, bool, int, int, bool]


def match_folder(
    folder: str, libraries: Iterable[Library], media_type: MediaType
) -> tuple[Library, str] | None:
    """Return the library that a title's folder is in, and the folder as that server names it.

    The longest agreement counts. Where two libraries fit equally well, none is guessed.
    """
    wanted = _path(folder)
    if wanted is None:
        return None
    found: list[tuple[_Rank, Library, str]] = []
    for library in libraries:
        if library.media_type in {None, media_type}:
            found.extend(
                ((*rank, library.media_type is not None), library, named)
                for root in library.folders
                for rank, named in _matches(wanted, root)
            )
    if not found:
        return None
    best = max(rank for rank, _, _ in found)
    winners = [(library, named) for rank, library, named in found if rank == best]
    return winners[0] if len({named for _, named in winners}) == 1 else None


def _matches(wanted: _Path, root: str) -> Iterator[tuple[tuple[int, bool, int, int], str]]:
    """Yield how well a library's folder fits, and the wanted folder below it."""
    base = _path(root)
    if base is None:
        return
    keys, ends = wanted.keys, base.keys
    # Something is left for the title itself: a film may be called like a library.
    for length in range(min(len(ends), len(keys) - 1), 0, -1):
        for start in range(len(keys) - length):
            if keys[start : start + length] != ends[-length:]:
                continue
            rest = wanted.parts[start + length :]
            same = _equal(wanted.parts[start : start + length], base.parts[-length:])
            # All of it, then the one with least between it and the title, then its spelling.
            yield (length, length == len(ends), start, same), _below(base, rest)


def _equal(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the parts that are spelt alike."""
    return sum(a == b for a, b in zip(one, other, strict=True))


def _below(base: _Path, rest: Sequence[str]) -> str:
    """Return a folder below another, spelt as that one is."""
    return base.separator.join((base.text.rstrip("\\/"), *rest))


def _path(text: str) -> _Path | None:
    """Take a folder apart; one that cannot be is none."""
    if not 0 < len(text) <= _MAX_LENGTH or not text.isprintable():
        return None
    windows = _WINDOWS.match(text) is not None or ("\\" in text and "/" not in text)
    # Elsewhere a backslash may be part of a name.
    pieces = re.split(r"[\\/]", text) if windows else text.split("/")
    parts = tuple(piece for piece in pieces if piece not in {"", "."})
    if ".." in parts or not 0 < len(parts) <= _MAX_PARTS:
        return None
    return _Path(text, parts, "\\" if windows and "/" not in text else "/")
