"""The check: a film and a season travel the whole way, and nothing else is to be said."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from .connection import Connection
from .home import Home
from .journeys import Journey, Journeys, Step, Told, hear, sentence
from .media import MediaStack
from .words import DOMAIN, Failure, say, table

JOURNEY_SECONDS = 150.0
STAGES_SECONDS = 60.0
STAGES = 4
# Seerr may tell of a decision after Radarr has told what came of it: then a stage is skipped,
# and another film or season must be looked at.
ALSO_PLAYED = ("film", "season", "season")
BY_WEBHOOK = 3
"""Of the steps of a journey; the rest may be found by a poll that came first."""


async def watch_arrivals(home: Home, media: MediaStack) -> None:
    """Let the day begin, and go on until a film and a season are there. Raises Failure."""
    async with home.connection() as connection:
        told = await hear(connection)
        await media.begin_day()
        for story in ALSO_PLAYED:
            await media.play(story)
        stages, journeys = await asyncio.gather(
            _wait_for_stages(connection, home.up_at), _wait_for_journeys(told)
        )
        print(flush=True)
        for journey in journeys:
            await _compare(connection, journey)
            print(f"{journey.timeline}\n", flush=True)
        say(f"Arrivals stood in {len(stages)} stages at once.")


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


async def _wait_for_journeys(told: AsyncIterator[Told]) -> list[Journey]:
    """Wait for a film and a season that travelled the whole way."""
    journeys = Journeys()
    try:
        async with asyncio.timeout(JOURNEY_SECONDS):
            async for one in told:
                say(sentence(one))
                journeys.take(one)
                film, season = journeys.whole("movie"), journeys.whole("series")
                if film and season:
                    return [film, season]
    except TimeoutError:
        rows = [
            (journey.name, " ".join(step.stage for step in journey.steps))
            for journey in journeys.by_arrival.values()
        ]
        raise Failure(
            f"No film and season travelled the whole way in {JOURNEY_SECONDS:.0f} s:\n"
            + table(("arrival", "stages"), rows)
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
