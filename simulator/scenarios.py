"""Stories that a household's services live through, step by step."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from .arr import GIB, TORRENT, USENET, Client
from .library import Film, Show
from .plex import PlexDouble
from .radarr import Movie, RadarrDouble
from .seerr_data import Decision, Request
from .sonarr import Episode, Series
from .viewing import next_to_watch

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


async def _asked(stack: Stack, about: Film | Show, *, by: str, is4k: bool = False) -> Request:
    seasons = [number for number in about.seasons if number] if isinstance(about, Show) else None
    request = stack.seerr.ask(about, by=by, is4k=is4k, seasons=seasons)
    if request is None:
        msg = f"{about.title} has been asked for already"
        raise LookupError(msg)
    await stack.settle()
    return request


async def _decided(stack: Stack, request: Request) -> None:
    if request.status == Decision.PENDING:
        stack.seerr.approve(request)


async def _film_sent(stack: Stack, radarr: RadarrDouble, film: Film) -> Movie:
    await stack.settle()
    movie = radarr.find(film.tmdb_id)
    if movie is None:
        msg = f"{film.title} did not reach {radarr.name}"
        raise LookupError(msg)
    return movie


async def _series_sent(stack: Stack, show: Show) -> Series:
    await stack.settle()
    series = stack.sonarr.find(show.tvdb_id)
    if series is None:
        msg = f"{show.title} did not reach {stack.sonarr.name}"
        raise LookupError(msg)
    return series


async def _looked(stack: Stack) -> None:
    """Let Seerr notice what changed in the services; what can be played, its jobs look for."""
    await stack.seerr.download_sync()
    if stack.seerr.media_server is None:
        await stack.seerr.scan()
    await stack.settle()


async def _film_downloads(
    stack: Stack,
    radarr: RadarrDouble,
    movie: Movie,
    *,
    quality: str,
    size: int,
    pace: float,
    client: Client = TORRENT,
) -> Story:
    download = await radarr.grab(movie, quality=quality, size=size, client=client)
    yield "downloading", 4 * pace
    for part in (0.2, 0.45, 0.7, 0.9):
        radarr.progress(download, part)
        await stack.seerr.download_sync()
        yield "downloading", 4 * pace
    radarr.progress(download, 1)
    await stack.seerr.download_sync()
    yield "downloaded", 3 * pace
    await radarr.import_file(download)
    yield "imported", 8 * pace
    await _looked(stack)
    yield "available", 2 * pace


async def _pack_downloads(stack: Stack, episodes: list[Episode], *, pace: float) -> Story:
    sonarr = stack.sonarr
    download = await sonarr.grab(episodes, client=TORRENT)
    yield "downloading", 4 * pace
    for part in (0.15, 0.4, 0.65, 0.85):
        sonarr.progress(download, part)
        await stack.seerr.download_sync()
        yield "downloading", 4 * pace
    sonarr.progress(download, 1)
    await stack.seerr.download_sync()
    yield "downloaded", 3 * pace
    await sonarr.import_files(download)
    yield "imported", 8 * pace
    await _looked(stack)
    yield "available", 2 * pace


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
    radarr = stack.radarr_4k if is4k else stack.radarr
    request = await _asked(stack, about, by=by, is4k=is4k)
    yield "requested", 5 * pace
    await _decided(stack, request)
    yield "approved", 1 * pace
    movie = await _film_sent(stack, radarr, about)
    yield "sent", 4 * pace
    quality = "WEBDL-2160p" if is4k else "WEBDL-1080p"
    async for step in _film_downloads(stack, radarr, movie, quality=quality, size=size, pace=pace):
        yield step


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
    request = await _asked(stack, about, by=by)
    yield "requested", 5 * pace
    await _decided(stack, request)
    yield "approved", 1 * pace
    series = await _series_sent(stack, about)
    yield "sent", 4 * pace
    async for step in _pack_downloads(stack, series.season(1), pace=pace):
        yield step


async def weekly(
    stack: Stack,
    *,
    title: str | None = None,
    by: str = "Carla",
    episodes: int = 10,
    aired: int = 3,
    pace: float = 1.0,
) -> Story:
    """A season that is still on the air: three of ten episodes, one more every week."""
    first = stack.clock.now() - timedelta(days=7 * (aired - 1), hours=5)
    about = stack.catalogue.show(title, seasons={1: episodes}, first_aired=first)
    request = await _asked(stack, about, by=by)
    yield "requested", 2 * pace
    await _decided(stack, request)
    series = await _series_sent(stack, about)
    yield "sent", 4 * pace
    sonarr = stack.sonarr
    for episode in series.season(1)[:aired]:
        download = await sonarr.grab([episode], client=USENET)
        sonarr.progress(download, 0.5)
        await stack.seerr.download_sync()
        yield "downloading", 4 * pace
        sonarr.progress(download, 1)
        yield "downloaded", 1 * pace
        await sonarr.import_files(download)
        yield "imported", 1 * pace
    await _looked(stack)
    yield "available", 6 * pace


async def next_episode(stack: Stack, *, series: Series, pace: float = 1.0) -> Story:
    """The next episode of a running season airs, is grabbed and imported."""
    episode = next(item for item in series.season(1) if item.file is None)
    aired = episode.about.aired
    if aired is not None and aired > stack.clock.now():
        stack.clock.advance((aired - stack.clock.now()).total_seconds() + 3600)
    yield "aired", 2 * pace
    download = await stack.sonarr.grab([episode])
    yield "downloading", 4 * pace
    stack.sonarr.progress(download, 1)
    await stack.sonarr.import_files(download)
    yield "imported", 2 * pace
    await _looked(stack)
    yield "available", 2 * pace


async def upgrade(stack: Stack, *, title: str | None = None, pace: float = 1.0) -> Story:
    """A film that has been there for long gets a better file."""
    about = stack.catalogue.film(title)
    added = stack.clock.now() - timedelta(days=400)
    movie = stack.radarr.put_movie(about, added=added, quality="WEBDL-720p")
    yield "available", 3 * pace
    download = await stack.radarr.grab(movie, quality="Bluray-1080p", size=11 * GIB)
    yield "downloading", 5 * pace
    stack.radarr.progress(download, 0.5)
    yield "downloading", 5 * pace
    stack.radarr.progress(download, 1)
    yield "downloaded", 2 * pace
    await stack.radarr.import_file(download)
    yield "imported", 2 * pace


async def failed(
    stack: Stack, *, title: str | None = None, by: str = "Anna", pace: float = 1.0
) -> Story:
    """A download fails; another release is found and goes the whole way."""
    about = stack.catalogue.film(title)
    request = await _asked(stack, about, by=by)
    yield "requested", 3 * pace
    await _decided(stack, request)
    movie = await _film_sent(stack, stack.radarr, about)
    yield "sent", 3 * pace
    download = await stack.radarr.grab(movie, client=USENET)
    stack.radarr.progress(download, 0.35)
    await stack.seerr.download_sync()
    yield "downloading", 8 * pace
    stack.radarr.fail(download)
    await stack.seerr.download_sync()
    yield "failed", 12 * pace
    async for step in _film_downloads(
        stack,
        stack.radarr,
        movie,
        quality="WEBDL-720p",
        size=3 * GIB,
        pace=pace,
        client=USENET,
    ):
        yield step


async def refused(stack: Stack, *, title: str | None = None, by: str = "Carla") -> Story:
    """Radarr refuses a request that was approved by itself; trying again helps."""
    about = stack.catalogue.film(title)
    stack.radarr.misbehave("503", path="/api/v3/movie", times=1)
    request = await _asked(stack, about, by=by)
    await stack.settle()
    yield "failed", 10
    stack.radarr.behave()
    stack.seerr.retry(request)
    await _film_sent(stack, stack.radarr, about)
    yield "sent", 10


async def declined(
    stack: Stack, *, title: str | None = None, by: str = "Ben", pace: float = 1.0
) -> Story:
    """Somebody asks for a film, and the answer is no."""
    about = stack.catalogue.film(title)
    request = await _asked(stack, about, by=by)
    yield "requested", 4 * pace
    stack.seerr.decline(request)
    await stack.settle()
    yield "declined", 30 * pace


async def waiting(
    stack: Stack, *, title: str | None = None, by: str = "Ben", pace: float = 1.0
) -> Story:
    """A request that nobody decides on for long."""
    about = stack.catalogue.film(title)
    await _asked(stack, about, by=by)
    yield "requested", 150 * pace


async def unreleased(
    stack: Stack, *, title: str | None = None, by: str = "Carla", pace: float = 1.0
) -> Story:
    """A film that is wanted and does not exist yet."""
    released = (stack.clock.now() + timedelta(days=120)).date()
    about = stack.catalogue.film(title, released.year, released=released)
    request = await _asked(stack, about, by=by)
    await _decided(stack, request)
    await _film_sent(stack, stack.radarr, about)
    yield "sent", 150 * pace


async def copy_4k(
    stack: Stack, *, title: str | None = None, by: str = "Anna", pace: float = 1.0
) -> Story:
    """One film in two qualities: HD first, then 4K by the second Radarr of the same Seerr."""
    about = stack.catalogue.film(title)
    for is4k in (False, True):
        radarr = stack.radarr_4k if is4k else stack.radarr
        request = await _asked(stack, about, by=by, is4k=is4k)
        yield "requested", 2 * pace
        await _decided(stack, request)
        movie = await _film_sent(stack, radarr, about)
        yield "sent", 2 * pace
        quality, size = ("WEBDL-2160p", 19 * GIB) if is4k else ("WEBDL-1080p", 5 * GIB)
        async for step in _film_downloads(
            stack, radarr, movie, quality=quality, size=size, pace=pace / 2
        ):
            yield step


async def blocked(
    stack: Stack, *, title: str | None = None, by: str = "Anna", pace: float = 1.0
) -> Story:
    """A finished download cannot be imported until somebody looks at it."""
    about = stack.catalogue.film(title)
    request = await _asked(stack, about, by=by)
    await _decided(stack, request)
    movie = await _film_sent(stack, stack.radarr, about)
    yield "sent", 3 * pace
    download = await stack.radarr.grab(movie)
    stack.radarr.progress(download, 0.6)
    yield "downloading", 5 * pace
    await stack.radarr.block_import(
        download, "Movie title mismatch, automatic import is not possible"
    )
    await stack.seerr.download_sync()
    yield "blocked", 25 * pace
    await stack.radarr.import_file(download)
    yield "imported", 6 * pace
    await _looked(stack)
    yield "available", 2 * pace


async def direct(stack: Stack, *, title: str | None = None, pace: float = 1.0) -> Story:
    """A film is added in Radarr itself; Seerr knows nothing of it."""
    about = stack.catalogue.film(title)
    movie = await stack.radarr.add_movie(about)
    yield "sent", 4 * pace
    async for step in _film_downloads(
        stack, stack.radarr, movie, quality="WEBDL-1080p", size=4 * GIB, pace=pace / 2
    ):
        if step[0] != "available":
            yield step


async def removal(
    stack: Stack, *, title: str | None = None, by: str = "Carla", pace: float = 1.0
) -> Story:
    """A film is asked for, sent, and removed again before anything was found."""
    about = stack.catalogue.film(title)
    request = await _asked(stack, about, by=by)
    await _decided(stack, request)
    movie = await _film_sent(stack, stack.radarr, about)
    yield "sent", 12 * pace
    await stack.radarr.delete_movie(movie)
    stack.seerr.delete(request)
    yield "removed", 5 * pace


async def lost_file(stack: Stack, *, title: str | None = None, pace: float = 1.0) -> Story:
    """The file of a film that arrived is deleted, and the film is fetched again."""
    about = stack.catalogue.film(title)
    movie = await stack.radarr.add_movie(about)
    for _ in range(2):
        yield "sent", 3 * pace
        async for step in _film_downloads(
            stack, stack.radarr, movie, quality="WEBDL-1080p", size=4 * GIB, pace=pace / 2
        ):
            yield step
        await stack.radarr.delete_file(movie, "missingFromDisk")
    yield "sent", 3 * pace


async def broken_pack(
    stack: Stack, *, title: str | None = None, by: str = "Anna", good: int = 4, pace: float = 1.0
) -> Story:
    """Of a pack of ten, four episodes import and six fail; the six are grabbed again."""
    about = stack.catalogue.show(title, seasons={1: 10}, every=timedelta(days=1))
    request = await _asked(stack, about, by=by)
    await _decided(stack, request)
    series = await _series_sent(stack, about)
    yield "sent", 3 * pace
    episodes = series.season(1)
    download = await stack.sonarr.grab(episodes)
    yield "downloading", 4 * pace
    stack.sonarr.progress(download, 1)
    await stack.sonarr.import_files(download, episodes[:good])
    yield "partly imported", 4 * pace
    stack.sonarr.fail(download, "6 files are damaged")
    yield "failed", 6 * pace
    async for step in _pack_downloads(stack, episodes[good:], pace=pace):
        yield step


async def viewing(stack: Stack, *, pace: float = 1.0) -> Story:
    """Somebody plays the newest thing in the house that nobody has watched, to its end."""
    choice = next_to_watch(stack)
    if choice is None:
        msg = "there is nothing new to watch"
        raise LookupError(msg)
    if isinstance(choice[0], PlexDouble):
        plex, item = choice
        session = await plex.play_session(item)
        yield "playing", 6 * pace
        await plex.finish(session)
        yield "watched", 3 * pace
        await plex.stop_session(session)
    else:
        server, thing = choice
        playing = await server.play_session(server.users[0], thing)
        yield "playing", 6 * pace
        await server.stop_session(playing, completed=True)
        yield "watched", 3 * pace
    yield "stopped", 0


async def burst(stack: Stack, *, deliveries: int = 1000, seconds: float = 0.0) -> Story:
    """Many deliveries at once: films are added, grabbed and imported, each with three events."""
    films = -(-deliveries // 3)
    gap = seconds / films

    async def one(events: int) -> None:
        movie = await stack.radarr.add_movie(stack.catalogue.film())
        if events > 1:
            download = await stack.radarr.grab(movie, client=USENET)
            stack.radarr.progress(download, 1)
            if events > 2:
                await stack.radarr.import_file(download)

    async with asyncio.TaskGroup() as group:
        lanes = asyncio.Semaphore(16)

        async def lane(events: int) -> None:
            async with lanes:
                await one(events)

        for number in range(films):
            group.create_task(lane(min(3, deliveries - number * 3)))
            await asyncio.sleep(gap)
    yield "imported", 0


SCENARIOS: dict[str, Callable[..., Story]] = {
    "film": film,
    "season": season,
    "weekly": weekly,
    "next_episode": next_episode,
    "upgrade": upgrade,
    "failed": failed,
    "refused": refused,
    "declined": declined,
    "waiting": waiting,
    "unreleased": unreleased,
    "copy_4k": copy_4k,
    "blocked": blocked,
    "direct": direct,
    "removal": removal,
    "lost_file": lost_file,
    "broken_pack": broken_pack,
    "viewing": viewing,
    "burst": burst,
}

# What a household's day begins with, so that every stage is soon to be seen, and goes on with.
MORNING = ["film", "season", "waiting", "unreleased", "declined", "failed", "blocked", "weekly"]
MORNING_GAP = 4.0
# Whoever listens to media servers asks them little at a time: what comes all at once would wait.
PACES = {"weekly": 4.0, "broken_pack": 2.0, "copy_4k": 1.5}
REST_OF_THE_DAY = (
    "copy_4k",
    "direct",
    "upgrade",
    "removal",
    "film",
    "season",
    "broken_pack",
    "declined",
    "failed",
    "waiting",
    "weekly",
)


async def household_day(stack: Stack, *, speed: float = 1.0, gap: float = 30.0) -> None:
    """Play everything, for as long as nobody stops it."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_arrivals(stack, speed=speed, gap=gap))
        group.create_task(_evenings(stack, speed=speed))


def _begin(stack: Stack, name: str, speed: float) -> Play:
    play = stack.play(name, speed=speed / PACES.get(name, 1.0))
    play.run()
    return play


async def _arrivals(stack: Stack, *, speed: float, gap: float) -> None:
    for name in MORNING:
        _begin(stack, name, speed)
        await asyncio.sleep(MORNING_GAP / speed)
    turn = 0
    while True:
        await asyncio.sleep(gap / speed)
        if sum(not play.ended for play in stack.plays) < 12:
            _begin(stack, REST_OF_THE_DAY[turn % len(REST_OF_THE_DAY)], speed)
            turn += 1


async def _evenings(stack: Stack, *, speed: float) -> None:
    """Let somebody watch something new, one thing after the other."""
    while True:
        await asyncio.sleep(1.0 / speed)
        if next_to_watch(stack) is not None:
            await _begin(stack, "viewing", speed).wait()
            await asyncio.sleep(20.0 / speed)
