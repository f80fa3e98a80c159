"""What polling services costs while nothing happens in them, in a small and a large home."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from custom_components.media_arrivals.engine.board.models import Role, Service
from custom_components.media_arrivals.engine.connectors.base import Connection, Identity, PollView
from custom_components.media_arrivals.engine.connectors.clients import make_client
from custom_components.media_arrivals.engine.connectors.plex import account
from simulator import Stack
from simulator.service import HttpDouble

from .figures import Figure
from .household import SERVICES
from .options import Options
from .progress import say
from .seed import empty_board

SMALL: Final = {"films": 30, "shows": 5, "requests": 20}
ITEMS_PER_FILM: Final = 10
"""On each media server, so many for each film in Radarr."""
LARGE: Final = {"films": 3_000, "shows": 200, "requests": 300}
POLLS: Final = 27
"""Every five minutes for more than two hours: what is done once an hour is among them."""
MINUTES: Final = 5
REQUESTS: Final = 2
BYTES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What one poll took."""

    requests: int
    bytes: int


async def measure(_: Options) -> tuple[Figure, ...]:
    """Poll a small and a large home for more than two hours of simulated time."""
    costs: dict[str, dict[str, list[Cost]]] = {}
    for size, library in (("small", SMALL), ("large", LARGE)):
        say(f"polls: a home with {library['films']:,} films")
        costs[size] = await _poll_home(library)
    return (
        Figure(
            what="requests and size of a poll of an idle service, 3,000 films and 200 series,"
            " 30,000 items on media servers",
            reached=", ".join(_said(kind, polls) for kind, polls in costs["large"].items()),
            target=f"at most {REQUESTS} requests and {BYTES / 1000:.0f} kB",
            met=all(
                one.requests <= REQUESTS and one.bytes <= BYTES
                for polls in costs["large"].values()
                for one in polls
            ),
            values={
                f"{kind}_{size}_{what}": value
                for size, of_size in costs.items()
                for kind, polls in of_size.items()
                for what, value in _summary(polls).items()
            },
        ),
    )


async def _poll_home(library: Mapping[str, int]) -> dict[str, list[Cost]]:
    """Return what the polls of each service cost, less its first ones."""
    async with Stack.household() as stack:
        vars(account)["PLEX_TV"] = stack.plex_tv.url
        items = library["films"] * ITEMS_PER_FILM
        stack.fill_library(**library)
        stack.fill_media_servers(items)
        # What is still being downloaded would not be idle.
        stack.radarr.downloads.clear()
        stack.sonarr.downloads.clear()
        kinds = ("radarr", "sonarr", "seerr", "plex", "jellyfin", "emby", "tautulli")
        doubles: dict[str, HttpDouble] = {kind: stack.services[kind] for kind in kinds}
        async with aiohttp.ClientSession() as session:
            return {kind: await _poll(session, double) for kind, double in doubles.items()}


async def _poll(session: aiohttp.ClientSession, double: HttpDouble) -> list[Cost]:
    """Poll one service, with a board that takes what it says."""
    now = time.time()
    board = empty_board()
    client = make_client(
        double.kind,
        session,
        Connection(url=double.url, api_key=double.api_key, client_id="bench"),
    )
    identity = await client.identify()
    service = _service(double.kind, identity)
    poll = await client.baseline(service, now, finished_days=30)
    costs = []
    for number in range(POLLS + 1):
        for report in poll.reports:
            board.apply(report, now=now, silent=True)
        for question in poll.questions:
            for report in await client.answer(service, question, now):
                board.apply(report, now=now, silent=True)
        now += MINUTES * 60
        view = PollView(
            active_downloads=board.active_downloads(service.id),
            open_requests=board.open_requests(service.id),
            open_titles=board.open_titles(service.id),
        )
        double.reset_counts()
        poll = await client.poll(service, poll.cursor, view, now)
        # The first poll after a start may look further back.
        if number:
            costs.append(Cost(len(double.calls), sum(call.bytes for call in double.calls)))
    return costs


def _service(kind: str, identity: Identity) -> Service:
    for service in SERVICES:
        if service.kind == kind:
            return service
    role = Role.WATCHING if kind == "tautulli" else Role.PLAYBACK
    return Service(
        id=f"bench_{kind}",
        kind=kind,
        role=role,
        server_id=identity.server_id,
        owner_id=identity.owner_id,
    )


def _usual(polls: Sequence[Cost]) -> Cost:
    """Return what a poll costs, but for those that look at a piece of all that is open."""
    return sorted(polls, key=lambda one: (one.requests, one.bytes))[len(polls) // 2]


def _most(polls: Sequence[Cost]) -> Cost:
    return Cost(max(one.requests for one in polls), max(one.bytes for one in polls))


def _said(kind: str, polls: Sequence[Cost]) -> str:
    usual, most = _usual(polls), _most(polls)
    said = f"{kind.capitalize()} {usual.requests} and {usual.bytes / 1000:.1f} kB"
    if most != usual:
        said += f" (at most {most.requests} and {most.bytes / 1000:.1f} kB)"
    return said


def _summary(polls: Sequence[Cost]) -> dict[str, int]:
    usual, most = _usual(polls), _most(polls)
    return {
        "usual_requests": usual.requests,
        "usual_bytes": usual.bytes,
        "most_requests": most.requests,
        "most_bytes": most.bytes,
    }
