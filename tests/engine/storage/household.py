"""A film, a series, their arrivals and requests, to be stored."""

# ruff: noqa: SLF001 - only the storage's own thread can be kept busy

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from custom_components.media_arrivals.engine.board.models import (
    Arrival,
    Claims,
    Decision,
    DecisionClaim,
    DownloadClaim,
    DownloadState,
    ExternalIds,
    Flag,
    Holding,
    MediaType,
    Part,
    Person,
    Request,
    Stage,
    Tier,
    Title,
    Via,
)
from custom_components.media_arrivals.engine.storage.models import TimelineEntry
from custom_components.media_arrivals.engine.storage.storage import Storage

RADARR = "01RADARR"
SONARR = "01SONARR"
SEERR = "01SEERR"
NOON = 1_790_000_000.25
DAY = 86_400.0


def title(
    number: int, name: str | None = None, media_type: MediaType = MediaType.MOVIE, **changes: object
) -> Title:
    """Return a title whose ids all hang on its number."""
    downloader = RADARR if media_type is MediaType.MOVIE else SONARR
    fields: dict[str, object] = {
        "id": f"title-{number}",
        "media_type": media_type,
        "ids": ExternalIds(tmdb=number, imdb=f"tt{number:07}"),
        "own_ids": {downloader: number},
        "holdings": (Holding(downloader, Tier.HD, Flag(NOON, NOON, None, NOON)),),
        "name": name or f"The Lighthouse {number}",
        "year": 2026,
        "poster": "/lighthouse.jpg",
    }
    return Title(**(fields | changes))  # type: ignore[arg-type]


def claims(service: str = RADARR, **changes: object) -> Claims:
    """Return what a service says of what it downloaded and imported."""
    flag = Flag(NOON, NOON, None, NOON)
    fields: dict[str, object] = {
        "service": service,
        "own_id": 7,
        "wanted": flag,
        "file": flag,
        "download": DownloadClaim(NOON, NOON, DownloadState.IMPORTED, "ABC"),
    }
    return Claims(**(fields | changes))  # type: ignore[arg-type]


def part(number: int | None = None, **changes: object) -> Part:
    """Return a part that was downloaded and imported."""
    fields: dict[str, object] = {
        "number": number,
        "claims": (claims(),),
        "stage": Stage.DOWNLOADED,
    }
    return Part(**(fields | changes))  # type: ignore[arg-type]


def arrival(number: int, title_id: str | None = None, **changes: object) -> Arrival:
    """Return an arrival of a film."""
    fields: dict[str, object] = {
        "id": f"arrival-{number}",
        "title_id": title_id or f"title-{number}",
        "season": None,
        "tier": Tier.HD,
        "opened_at": NOON,
        "stage": Stage.DOWNLOADED,
        "stage_at": NOON,
        "known_at": NOON + number,
        "whole": part(),
        "parts": {},
    }
    return Arrival(**(fields | changes))  # type: ignore[arg-type]


def request(number: int, title_id: str | None = None, **changes: object) -> Request:
    """Return a request that covers the arrival with its number."""
    fields: dict[str, object] = {
        "key": (SEERR, number),
        "title_id": title_id or f"title-{number}",
        "tier": Tier.HD,
        "seasons": None,
        "decision": DecisionClaim(NOON, NOON, Decision.APPROVED),
        "requester": Person(name="Anna", id=3),
        "created_at": NOON,
        "arrivals": (f"arrival-{number}",),
        "stage": Stage.DOWNLOADED,
    }
    return Request(**(fields | changes))  # type: ignore[arg-type]


def step(number: int, stage: Stage = Stage.SENT, **changes: object) -> TimelineEntry:
    """Return a step of the arrival with that number."""
    fields: dict[str, object] = {
        "arrival_id": f"arrival-{number}",
        "journey": 1,
        "stage": stage,
        "previous": Stage.REQUESTED,
        "happened_at": NOON,
        "known_at": NOON,
        "late": False,
        "silent": False,
        "service": RADARR,
        "kind": "radarr",
        "via": Via.WEBHOOK,
    }
    return TimelineEntry(**(fields | changes))  # type: ignore[arg-type]


@asynccontextmanager
async def busy(storage: Storage) -> AsyncIterator[None]:
    """Keep the storage's thread busy, so that what is asked meanwhile waits together."""
    begun, done = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        begun.set()
        done.wait(10)

    waiting = asyncio.create_task(storage._database.read(wait))
    assert await asyncio.to_thread(begun.wait, 10)
    try:
        yield
        await asyncio.sleep(0)
    finally:
        done.set()
    await waiting
