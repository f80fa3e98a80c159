"""Stories that a household's services live through, step by step."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .arr import GIB, TORRENT

if TYPE_CHECKING:
    from .stack import Stack

# What a story yields: the stage that has been reached, and how long it stays there, in seconds.
type Story = AsyncGenerator[tuple[str, float]]


class Play:
    """One story being played: step by step, or by itself at a speed."""

    def __init__(self, name: str, story: Story, *, speed: float = 1.0) -> None:
        """Stand before the first step; speed 0 means without any waiting."""
        self.name = name
        self.speed = speed
        self.stage = ""
        self.ended = False
        self.error: str | None = None
        self._story = story
        self._pause = 0.0
        self._task: asyncio.Task[None] | None = None

    async def step(self) -> str | None:
        """Play to the next stage and name it; None at the end."""
        try:
            self.stage, self._pause = await anext(self._story)
        except StopAsyncIteration:
            self.ended = True
            return None
        return self.stage

    async def until(self, stage: str) -> None:
        """Play, without waiting, until this stage is reached."""
        while self.stage != stage:
            if await self.step() is None:
                msg = f"{self.name} ended without {stage}"
                raise LookupError(msg)

    async def finish(self) -> None:
        """Play to the end, at the speed of this play."""
        while await self.step() is not None:
            if self.speed > 0:
                await asyncio.sleep(self._pause / self.speed)

    def run(self) -> None:
        """Let the story run by itself."""
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self.finish()
        except Exception as err:  # noqa: BLE001 - a broken story must not take others along
            self.error, self.ended = f"{type(err).__name__}: {err}", True

    async def wait(self) -> None:
        """Wait until the running story ends."""
        if self._task is not None:
            await self._task

    async def stop(self) -> None:
        """End the story where it stands."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._story.aclose()
        self.ended = True


async def film(
    stack: Stack,
    *,
    title: str | None = None,
    by: str = "Anna",
    is4k: bool = False,
    size: int = 5 * GIB,
    pace: float = 1.0,
) -> Story:
    """A film goes the whole way: asked for, approved, sent, downloaded, imported, available."""
    about = stack.catalogue.film(title)
    seerr, radarr = stack.seerr, stack.radarr_4k if is4k else stack.radarr
    request = seerr.ask(about, by=by, is4k=is4k)
    assert request is not None
    yield "requested", 6 * pace
    if request.status == 1:
        seerr.approve(request)
        yield "approved", 1 * pace
    await seerr.settle()
    movie = radarr.find(about.tmdb_id)
    assert movie is not None
    yield "sent", 5 * pace
    quality = "WEBDL-2160p" if is4k else "WEBDL-1080p"
    download = await radarr.grab(movie, quality=quality, size=size)
    yield "downloading", 4 * pace
    for part in (0.2, 0.45, 0.7, 0.9):
        radarr.progress(download, part)
        await seerr.download_sync()
        yield "downloading", 4 * pace
    radarr.progress(download, 1)
    await seerr.download_sync()
    yield "downloaded", 4 * pace
    await radarr.import_file(download)
    yield "imported", 8 * pace
    await seerr.download_sync()
    await seerr.scan()
    await seerr.settle()
    yield "available", 2 * pace


async def season(
    stack: Stack,
    *,
    title: str | None = None,
    by: str = "Anna",
    episodes: int = 10,
    pace: float = 1.0,
) -> Story:
    """A season goes the whole way as a pack: one download, a file for each episode."""
    about = stack.catalogue.show(title, seasons={1: episodes}, every=timedelta(days=1))
    seerr, sonarr = stack.seerr, stack.sonarr
    request = seerr.ask(about, by=by, seasons=[1])
    assert request is not None
    yield "requested", 5 * pace
    if request.status == 1:
        seerr.approve(request)
        yield "approved", 1 * pace
    await seerr.settle()
    await sonarr.settle()
    series = sonarr.find(about.tvdb_id)
    assert series is not None
    yield "sent", 5 * pace
    download = await sonarr.grab(series.season(1), client=TORRENT)
    yield "downloading", 4 * pace
    for part in (0.15, 0.4, 0.65, 0.85):
        sonarr.progress(download, part)
        await seerr.download_sync()
        yield "downloading", 5 * pace
    sonarr.progress(download, 1)
    await seerr.download_sync()
    yield "downloaded", 4 * pace
    await sonarr.import_files(download)
    yield "imported", 8 * pace
    await seerr.download_sync()
    await seerr.scan()
    await seerr.settle()
    yield "available", 2 * pace


SCENARIOS: dict[str, Callable[..., Story]] = {"film": film, "season": season}
