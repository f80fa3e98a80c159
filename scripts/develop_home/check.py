"""The check: a film and a season travel the whole way, and something is watched."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from .connection import Connection
from .health import wait_for_webhooks
from .home import Home
from .journeys import Journey, Journeys, Step, Told, clock, hear, sentence
from .media import MediaStack
from .words import DOMAIN, Failure, say, table

JOURNEY_SECONDS = 150.0
STAGES_SECONDS = 60.0
STAGES = 4
# Media servers are asked three things in ten seconds at most, so the day goes slowly beside these
# two. Seerr may tell of a decision after Radarr has told what came of it: then a stage is skipped,
# and after a while two others are looked at.
DAY_SPEED = 0.5
ALSO_PLAYED = ("season", "film")
PACE = 0.4
APART = 10.0
AGAIN_AFTER = 45.0
BY_WEBHOOK = 3
"""Of the steps of a journey; the rest may be found by a poll that came first."""


async def watch_arrivals(home: Home, media: MediaStack) -> None:
    """Let the day begin, and go on until a film and a season are there. Raises Failure."""
    async with home.connection() as connection:
        told = await hear(connection)
        await media.begin_day(DAY_SPEED)
        playing = asyncio.create_task(_play(media))
        try:
            stages, seen = await asyncio.gather(
                _wait_for_stages(connection, home.up_at), _wait_for_journeys(told)
            )
        finally:
            playing.cancel()
            await asyncio.wait([playing])
        print(flush=True)
        for journey in seen.journeys:
            await _compare(connection, journey)
            print(f"{journey.timeline}\n", flush=True)
        print(f"{sentence(seen.watched)} at {clock(seen.watched['happened_at'])}\n", flush=True)
        await wait_for_webhooks(home)
        say(f"Arrivals stood in {len(stages)} stages at once. Every service delivered something.")


async def _play(media: MediaStack) -> None:
    """Play the film and the season that are waited for, and again if need be."""
    while True:
        for story in ALSO_PLAYED:
            await media.play(story, pace=PACE)
            await asyncio.sleep(APART)
        await asyncio.sleep(AGAIN_AFTER)


async def _wait_for_stages(connection: Connection, up_at: float) -> dict[str, int]:
    """Wait until arrivals stand in several stages; return how many stand in which."""
    while True:
        answer = await connection.act(DOMAIN, "get_arrivals", limit=200)
        counts: dict[str, int] = {}
        for arrival in answer["arrivals"]:
            counts[arrival["stage"]] = counts.get(arrival["stage"], 0) + 1
        passed = time.monotonic() - up_at
        if passed > STAGES_SECONDS:
            raise Failure(
                f"After {passed:.0f} s arrivals stand in {list(counts) or 'no stage'} only."
            )
        if len(counts) >= STAGES:
            return counts
        await asyncio.sleep(1)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was waited for."""

    journeys: tuple[Journey, Journey]
    watched: Told


async def _wait_for_journeys(told: AsyncIterator[Told]) -> _Seen:
    """Wait for a film and a season that travelled the whole way, and for something watched."""
    journeys = Journeys()
    try:
        async with asyncio.timeout(JOURNEY_SECONDS):
            async for one in told:
                say(sentence(one))
                journeys.take(one)
                film, season = journeys.whole("movie"), journeys.whole("series")
                if film and season and journeys.watched:
                    return _Seen((film, season), journeys.watched)
    except TimeoutError:
        rows = [
            (
                journey.name,
                " ".join(step.stage for step in journey.steps),
                journey.ended_by or "-",
            )
            for journey in journeys.by_arrival.values()
        ]
        missing = [
            what
            for what, there in (
                ("no film travelled the whole way into a media server", journeys.whole("movie")),
                ("no season travelled the whole way into a media server", journeys.whole("series")),
                ("nothing was watched", journeys.watched),
            )
            if not there
        ]
        raise Failure(
            f"In {JOURNEY_SECONDS:.0f} s {', '.join(missing)}:\n"
            + table(("arrival", "stages", "last told by"), rows)
        ) from None
    raise Failure("Home Assistant closed the connection.")


async def _compare(connection: Connection, journey: Journey) -> None:
    """See that the board remembers what it told, and was told most of it by webhooks."""
    answer = await connection.act(DOMAIN, "get_arrival", arrival_id=journey.arrival_id)
    stored = replace(
        journey, steps=[Step.stored(one) for one in answer["timeline"] if not one["parts"]]
    )
    if stored != journey:
        raise Failure(f"Told:\n{journey.timeline}\nOn the board:\n{stored.timeline}")
    if answer["stage"] != journey.steps[-1].stage:
        raise Failure(f"{journey.name} is {answer['stage']} on the board.")
    webhooks = sum(step.via == "webhook" for step in journey.steps)
    if webhooks < BY_WEBHOOK:
        raise Failure(f"{journey.name}: webhooks told only {webhooks} steps of\n{journey.timeline}")
