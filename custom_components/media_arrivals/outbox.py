"""What is still to be told, kept so that a crash neither loses nor repeats it."""

import mmap
import os
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Final, Self

from .engine.board.board import Board
from .engine.board.models import Change, ChangeKind, Origin, Role, Stage, Via, Watch

_NUMBER: Final = struct.Struct("<Q")


class Watermark:
    """The number of the change that was told last.

    It lives in a mapped page, so that writing it costs no more than writing to memory and
    survives the process. A power cut may lose the newest numbers: then something is told twice.
    """

    def __init__(self, file: int, page: mmap.mmap) -> None:
        self._file = file
        self._page = page

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or make it. Blocks."""
        file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(file).st_size != _NUMBER.size:
                # Written, not only stretched: a hole cannot be filled when the disk is full.
                os.ftruncate(file, 0)
                os.pwrite(file, bytes(_NUMBER.size), 0)
            return cls(file, mmap.mmap(file, _NUMBER.size))
        except BaseException:
            os.close(file)
            raise

    @property
    def number(self) -> int:
        """Return the number of what was told last."""
        number: int = _NUMBER.unpack_from(self._page)[0]
        return number

    @number.setter
    def number(self, number: int) -> None:
        """Note that this was told."""
        _NUMBER.pack_into(self._page, 0, number)

    def close(self) -> None:
        """Write it out. Blocks."""
        self._page.flush()
        self._page.close()
        os.close(self._file)


def to_outbox(changes: Sequence[Change], first: int, named: Collection[str] = ()) -> dict[str, Any]:
    """Return what is about to be told; ``first`` is the number of the first change.

    Of viewers who are not named when it is told, this only tells them apart.
    """
    viewers = {viewer: viewer for viewer in named}
    return {"first": first, "changes": [_to_document(change, viewers) for change in changes]}


def from_outbox(
    document: Mapping[str, Any], told: int, board: Board
) -> tuple[tuple[Change, ...], int]:
    """Return what was not told before the end, and the highest number in use."""
    first, documents = document["first"], document["changes"]
    changes = [
        change
        for number, one in enumerate(documents, first)
        if number > told and (change := _from_document(one, board)) is not None
    ]
    return tuple(changes), max(told, first + len(documents) - 1)


def coalesce(changes: Iterable[Change], board: Board) -> tuple[Change, ...]:
    """Make one change of each arrival's changes, with its final stage.

    Where the arrival as a whole moved, its single episodes are not told beside it. That a
    request became available is a story of its own, told once.
    """
    moved: dict[str, Change] = {}
    began: dict[str, Stage | None] = {}
    episodes: dict[str, Change] = {}
    requests: dict[tuple[str, int], Change] = {}
    watches: dict[tuple[str, str | None, str], Change] = {}
    for change in changes:
        current = _refreshed(change, board)
        arrival_id = current.arrival.id
        if current.kind is ChangeKind.STAGE:
            began.setdefault(arrival_id, current.previous)
            moved[arrival_id] = current
        elif current.kind is ChangeKind.PART:
            episodes[arrival_id] = current
        elif current.watch is not None:
            watches[arrival_id, current.part, current.watch.viewer] = current
        elif current.request is not None:
            requests[current.request.key] = current
    final = [
        replace(change, previous=began[arrival_id])
        for arrival_id, change in moved.items()
        if change.stage is not began[arrival_id]
    ]
    final += [change for arrival_id, change in episodes.items() if arrival_id not in moved]
    final += requests.values()
    final += watches.values()
    return tuple(sorted(final, key=lambda change: change.happened_at))


def _refreshed(change: Change, board: Board) -> Change:
    """Return the change with its arrival, title and request as they are now."""
    arrival = board.get(change.arrival.id)
    if arrival is None:
        return change
    request = change.request and (board.request(change.request.key) or change.request)
    return replace(change, arrival=arrival, title=board.title(arrival.title_id), request=request)


def _to_document(change: Change, viewers: dict[str, str]) -> dict[str, Any]:
    """Return a change as it is stored until it was told."""
    origin, watch = change.origin, change.watch
    if watch is not None:
        viewer = viewers.setdefault(watch.viewer, str(len(viewers) + 1))
        watch = replace(watch, viewer=viewer)
    return {
        "kind": change.kind.value,
        "arrival": change.arrival.id,
        "stage": change.stage.value,
        "previous": change.previous.value if change.previous is not None else None,
        "service": origin.service,
        "service_kind": origin.kind,
        "role": origin.role.value,
        "via": origin.via.value,
        "context_id": origin.context_id,
        "user_id": origin.user_id,
        "happened_at": change.happened_at,
        "known_at": change.known_at,
        "part": change.part,
        "watch": None if watch is None else list(astuple(watch)),
        "request": list(change.request.key) if change.request is not None else None,
    }


def _from_document(document: Mapping[str, Any], board: Board) -> Change | None:
    """Return a change that was not told yet, or ``None`` if its arrival is gone."""
    arrival = board.get(document["arrival"])
    if arrival is None:
        return None
    service, request_id = document["request"] or (None, 0)
    watch = document.get("watch")
    return Change(
        kind=ChangeKind(document["kind"]),
        title=board.title(arrival.title_id),
        arrival=arrival,
        stage=Stage(document["stage"]),
        previous=Stage(document["previous"]) if document["previous"] is not None else None,
        origin=Origin(
            service=document["service"],
            kind=document["service_kind"],
            role=Role(document["role"]),
            via=Via(document["via"]),
            context_id=document["context_id"],
            user_id=document["user_id"],
        ),
        happened_at=document["happened_at"],
        known_at=document["known_at"],
        part=document["part"],
        watch=None if watch is None else Watch(*watch),
        request=board.request((service, request_id)) if service is not None else None,
    )
