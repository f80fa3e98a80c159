"""Small readers of what Radarr and Sonarr say in one way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ...board.models import (
    DownloadReport,
    DownloadState,
    FileReport,
    HeldReport,
    Origin,
    PartRef,
    Premiere,
    Role,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import HealthNote, Json
from ..payload import Object

API: Final = "/api/v3"
LONG: Final = 60.0
"""Seconds for answers that may be long."""
MAX_OVERVIEW: Final = 2000
MAX_PROBLEM: Final = 255
_COMPLAINTS: Final = frozenset({"warning", "error"})


def origin_of(service: Service, via: Via) -> Origin:
    """Say who speaks."""
    return Origin(service=service.id, kind=service.kind, role=Role.DOWNLOADS, via=via)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the reports of one statement have in common."""

    origin: Origin
    title: TitleRef
    at: float
    happened_at: float
    tier: Tier = Tier.UNKNOWN
    confirmed: bool = False

    def held(
        self,
        *,
        held: bool,
        seasons: tuple[int, ...] | None = None,
        opens: bool = False,
        files_deleted: bool = False,
        premiere: Premiere | None = None,
    ) -> HeldReport:
        """Report that the title is in the service, or no longer is."""
        return HeldReport(
            origin=self.origin,
            title=self.title,
            at=self.at,
            happened_at=self.happened_at,
            tier=self.tier,
            confirmed=self.confirmed,
            held=held,
            seasons=seasons,
            opens=opens,
            files_deleted=files_deleted,
            premiere=premiere,
        )

    def download(
        self,
        state: DownloadState,
        *,
        parts: tuple[PartRef, ...],
        download_id: str | None,
        progress: float | None = None,
        eta: float | None = None,
        problem: str | None = None,
        word: str | None = None,
        opens: bool = False,
    ) -> DownloadReport:
        """Report what happens to a download."""
        return DownloadReport(
            origin=self.origin,
            title=self.title,
            at=self.at,
            happened_at=self.happened_at,
            tier=self.tier,
            confirmed=self.confirmed,
            state=state,
            parts=parts,
            download_id=download_id,
            progress=progress,
            eta=eta,
            problem=problem,
            word=word,
            opens=opens,
        )

    def file(
        self,
        *,
        present: bool,
        parts: tuple[PartRef, ...],
        download_id: str | None = None,
        opens: bool = False,
    ) -> FileReport:
        """Report that a file is there, or gone."""
        return FileReport(
            origin=self.origin,
            title=self.title,
            at=self.at,
            happened_at=self.happened_at,
            tier=self.tier,
            confirmed=self.confirmed,
            present=present,
            parts=parts,
            download_id=download_id,
            opens=opens,
        )


def records(body: Json) -> tuple[Object, ...] | None:
    """Read the rows of a list or of a page; ``None``: neither, so not an answer at all."""
    rows = body.get("records") if isinstance(body, Mapping) else body
    if not isinstance(rows, (list, tuple)):
        return None
    return tuple(row for row in rows if isinstance(row, Mapping))


def tier_of(service: Service, quality: Json) -> Tier:
    """Say which tier a thing of this quality belongs to: a name, or an object with one.

    Old versions put the quality into one more object, with its revision.
    """
    if service.tier is not None:
        return service.tier
    found = payload.mapping(quality)
    inner = payload.mapping(found.get("quality")) or found
    resolution = payload.integer(inner.get("resolution")) or 0
    name = payload.word(inner.get("name")) or payload.word(quality)
    if resolution >= 2160 or "2160p" in name:
        return Tier.UHD
    return Tier.HD if resolution > 0 or name not in {"", "unknown"} else Tier.UNKNOWN


def poster(images: Json) -> str | None:
    """Return the public address of the poster."""
    for image in payload.rows(images):
        if payload.word(image.get("coverType")) == "poster":
            return payload.web_address(image.get("remoteUrl"))
    return None


def joined(words: Iterable[str | None]) -> str | None:
    """Join a service's own words, each once."""
    return payload.prose("; ".join(dict.fromkeys(word for word in words if word)), MAX_PROBLEM)


def messages(value: Json) -> list[str | None]:
    """Read status messages: a file's name with what is wrong, or only what is wrong."""
    found: list[str | None] = []
    for row in payload.rows(value):
        inner = [payload.prose(text) for text in payload.items(row.get("messages"))]
        found.extend(inner if any(inner) else [payload.prose(row.get("title"))])
    return found


def complaints(body: Json) -> tuple[HealthNote, ...] | None:
    """Read the standing complaints of ``/health``, where ``source`` names the check."""
    rows = records(body)
    if rows is None:
        return None
    return tuple(
        HealthNote(
            check=payload.text(row.get("source"), 64) or "unknown",
            ok=False,
            message=payload.prose(row.get("message")) or "",
        )
        for row in rows
        if payload.word(row.get("type")) in _COMPLAINTS
    )
