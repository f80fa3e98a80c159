"""Kills Home Assistant in the middle of deliveries, and looks what is left of them."""

import asyncio
import json
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .calls import ACCEPTED, Connection, Webhook
from .door import CONNECTIONS, USER, Household
from .figures import Figure
from .home_assistant import HOST, SECRET, HomeAssistant, board_entry, service_entry, webhook_id
from .household import RADARR
from .options import Options
from .progress import say
from .seed import fill_with_waiting_films
from .simulated import simulated_stack
from .traffic import Film, grab, imported

BURST: Final = 300
"""Films of which each burst would tell, one delivery each."""
OPENS_WITHIN: Final = 60.0
TOLD_WITHIN: Final = 120.0
SEED: Final = 20_261_122


@dataclass(slots=True)
class _Ledger:
    """What was delivered, and what came of it."""

    accepted: set[int] = field(default_factory=set)
    """TMDB ids of films whose delivery was answered 200 with our body."""
    unanswered: set[int] = field(default_factory=set)
    """Those that were under way when Home Assistant was killed: either is right."""
    corrupt: int = 0


@dataclass(frozen=True, slots=True)
class _Verdict:
    lost: int
    untold: int
    told_again: int

    @property
    def good(self) -> bool:
        """Tell whether all went well."""
        return not (self.lost or self.untold or self.told_again)


async def measure(options: Options) -> tuple[Figure, ...]:
    """Kill, start again, and at the end compare what was accepted with what is there."""
    ledger, rng, household = _Ledger(), random.Random(SEED), Household()
    async with simulated_stack(library=True) as addresses:
        url, api_key = addresses["radarr"]
        entries = (board_entry(), service_entry(RADARR, url=url, api_key=api_key))
        async with HomeAssistant(entries, recorder=False, write_down_what_is_told=True) as home:
            await fill_with_waiting_films(home.database, options.kills * BURST)
            webhook = Webhook.of(HOST, home.port, webhook_id(RADARR), USER, SECRET)
            for number in range(options.kills):
                await home.launch()
                # Every second time the burst begins while Home Assistant still starts.
                if number % 2:
                    await home.wait_until_started()
                await _burst(home, webhook, household, ledger, rng)
                ledger.corrupt += _is_corrupt(home)
                say(
                    f"kills: {number + 1} of {options.kills},"
                    f" {len(ledger.accepted):,} deliveries accepted"
                )
            await home.start()
            await home.wait_until_worked_off(TOLD_WITHIN)
            verdict = await _verdict(home, ledger)
            await home.stop()
            corrupt = ledger.corrupt + _is_corrupt(home) + len(home.set_aside)
    return (
        Figure(
            what=f"SIGKILL during a burst, {options.kills} times",
            reached=f"of {len(ledger.accepted):,} deliveries {verdict.lost} lost,"
            f" {verdict.untold} not told, {verdict.told_again} told again,"
            f" {corrupt} corrupt files",
            target="every delivery answered 200 processed, its change told once, no corrupt file",
            met=verdict.good and not corrupt,
            values={
                "kills": options.kills,
                "accepted": len(ledger.accepted),
                "unanswered": len(ledger.unanswered),
                "lost": verdict.lost,
                "untold": verdict.untold,
                "told_again": verdict.told_again,
                "corrupt": corrupt,
            },
        ),
    )


async def _burst(
    home: HomeAssistant,
    webhook: Webhook,
    household: Household,
    ledger: _Ledger,
    rng: random.Random,
) -> None:
    """Deliver until a random number of deliveries is answered; then kill at once."""
    enough = len(ledger.accepted) + rng.randint(1, BURST - CONNECTIONS)
    films = iter([household.film() for _ in range(BURST)])
    reached = asyncio.Event()

    async def deliver() -> None:
        connection: Connection | None = None
        try:
            for film in films:
                connection = await _deliver(webhook, connection, film, ledger)
                if len(ledger.accepted) >= enough:
                    reached.set()
                await asyncio.sleep(rng.uniform(0, 0.02))
        except OSError, asyncio.IncompleteReadError:
            return
        finally:
            if connection is not None:
                await connection.close()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(deliver()) for _ in range(CONNECTIONS)]
        async with asyncio.timeout(OPENS_WITHIN):
            await reached.wait()
        await home.kill()
        for task in tasks:
            task.cancel()


async def _deliver(
    webhook: Webhook, connection: Connection | None, film: Film, ledger: _Ledger
) -> Connection:
    """Deliver one thing about a film, as Radarr's own state has it. Until the door is open, again.

    A film that is new to the board has no file in the simulated Radarr, so it is grabbed.
    """
    body = imported(film) if film.is_known else grab(film)
    while True:
        if connection is None:
            with suppress(OSError):
                connection = await Connection.open(webhook.host, webhook.port)
        if connection is not None:
            ledger.unanswered.add(film.tmdb_id)
            status, said = await webhook.post(connection, body)
            ledger.unanswered.discard(film.tmdb_id)
            if (status, said) == (200, ACCEPTED):
                ledger.accepted.add(film.tmdb_id)
                return connection
            if status != 200 or said:
                raise RuntimeError(f"A delivery was answered {status} {said[:100]!r}")
        await asyncio.sleep(0.02)


def _is_corrupt(home: HomeAssistant) -> bool:
    """Tell whether SQLite finds fault with the file as the killed process left it."""
    with tempfile.TemporaryDirectory(prefix="media-arrivals-bench-") as folder:
        copy = home.copy_database(Path(folder))
        with closing(sqlite3.connect(copy)) as database:
            try:
                (said,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            except sqlite3.DatabaseError:
                return True
            return bool(said != "ok")


async def _verdict(home: HomeAssistant, ledger: _Ledger) -> _Verdict:
    """Compare, as soon as everything is told or the time for it is over."""
    patience = time.monotonic() + TOLD_WITHIN
    while not ledger.accepted <= set(_told(home)) and time.monotonic() < patience:
        home.require_life()
        await asyncio.sleep(0.2)
    # What is told again would come at once, but may come.
    await asyncio.sleep(2)
    told = Counter(_told(home))
    processed = set(_processed(home))
    return _Verdict(
        lost=len(ledger.accepted - processed),
        untold=len(ledger.accepted - told.keys()),
        told_again=sum(1 for times in told.values() if times > 1),
    )


def _told(home: HomeAssistant) -> Iterator[int]:
    """Yield the TMDB id of each event."""
    if not home.told.exists():
        return
    for line in home.told.read_bytes().splitlines():
        event = json.loads(line)
        yield event["ids"]["tmdb"]


def _processed(home: HomeAssistant) -> Iterator[int]:
    """Yield the TMDB id of each delivery that the journal calls processed."""
    with closing(sqlite3.connect(f"{home.database.as_uri()}?mode=ro", uri=True)) as database:
        for (payload,) in database.execute(
            "SELECT payload FROM webhook_log WHERE processed = 1 AND outcome = 'processed'"
        ):
            yield json.loads(payload)["movie"]["tmdbId"]
