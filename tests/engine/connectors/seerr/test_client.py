"""The API half against every member of the family."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Decision,
    DownloadReport,
    DownloadState,
    ExternalIds,
    HeldReport,
    MediaType,
    PlayableReport,
    Question,
    QuestionKind,
    RequestReport,
    Tier,
    TitleRef,
)
from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    Client,
    Connection,
    Cursor,
    ForbiddenError,
    InstallsWebhook,
    KnownService,
    KnowsServices,
    Poll,
    PollView,
    RefusedError,
    ServerFaultError,
    ServiceError,
    TimedOutError,
    TooOldError,
    WrongServiceError,
)
from custom_components.media_arrivals.engine.connectors.seerr import client as client_module
from custom_components.media_arrivals.engine.connectors.seerr.client import SeerrClient
from simulator import Film, Stack
from simulator.flavours import FLAVOURS
from simulator.seerr_data import Decision as Status, Presence
from tests.engine.connectors.seerr.bodies import SEERR, page, request
from tests.engine.connectors.seerr.conftest import ask, movie_of, no_pause, series_of

EVERY = sorted(FLAVOURS)
COMPLETING = [name for name in EVERY if FLAVOURS[name].completes]
every_flavour = pytest.mark.parametrize("flavour", EVERY)


def now_of(stack: Stack) -> float:
    return stack.clock.now().timestamp()


def reports[T: AnyReport](poll: Poll, kind: type[T]) -> list[T]:
    return [report for report in poll.reports if isinstance(report, kind)]


def decisions(poll: Poll) -> dict[int, Decision]:
    return {report.request_id: report.decision for report in reports(poll, RequestReport)}


def sighted(poll: Poll) -> set[tuple[str, str]]:
    return {(sighting.event, sighting.key) for sighting in poll.sightings}


def old_request(
    stack: Stack,
    *,
    days: float,
    status: Status = Status.APPROVED,
    presence: Presence = Presence.PROCESSING,
    film: Film | None = None,
) -> int:
    """Enter a request of former days; return its id."""
    about = film or stack.catalogue.film()
    item = stack.seerr.put_request(
        about,
        by=stack.seerr.users[3],
        status=status,
        presence=presence,
        created=stack.clock.now() - timedelta(days=days),
        external_id=about.tmdb_id if status is Status.APPROVED else None,
    )
    return item.id


def view(known: dict[int, Decision], *titles: TitleRef) -> PollView:
    return PollView(open_requests=known, open_titles=titles)


async def begun(stack: Stack, client: SeerrClient) -> Cursor:
    """Return the cursor after a baseline."""
    found = await client.baseline(SEERR, now_of(stack), finished_days=30)
    stack.reset_counts()
    return found.cursor


# --- who it is -----------------------------------------------------------------------------


@every_flavour
async def test_products_are_told_apart(stack: Stack, client: SeerrClient, flavour: str) -> None:
    found = await client.identify()
    assert found.kind == "seerr"
    assert found.product.lower() == FLAVOURS[flavour].product
    assert found.version == FLAVOURS[flavour].version
    assert not found.own_only


def test_it_can_all_that_it_should(client: SeerrClient) -> None:
    assert isinstance(client, Client)
    assert isinstance(client, InstallsWebhook)
    assert isinstance(client, KnowsServices)
    assert client.clock_offset == 0.0


@pytest.mark.parametrize("flavour", ["overseerr-1.33", "seerr-3.1"])
@pytest.mark.parametrize("key", ["wrong", ""])
async def test_a_wrong_key_is_noticed_although_the_status_is_shown(
    stack: Stack, session: aiohttp.ClientSession, key: str
) -> None:
    client = SeerrClient(session, Connection(url=stack.seerr.url, api_key=key))
    with pytest.raises(AuthError):
        await client.identify()
    with pytest.raises(AuthError):
        await client.poll(SEERR, {}, PollView(), now_of(stack))


@pytest.mark.parametrize(("user", "own_only"), [(1, False), (2, False), (3, True), (4, True)])
async def test_a_key_that_sees_only_its_own_requests(
    stack: Stack, client: SeerrClient, user: int, own_only: bool
) -> None:
    stack.seerr.key_user = user
    assert (await client.identify()).own_only is own_only


@pytest.mark.parametrize("flavour", ["overseerr-1.34", "jellyseerr-2.7"])
@pytest.mark.parametrize(
    ("version", "fits"), [("1.27.0", False), ("1.28.0", True), ("develop-ab12", True)]
)
async def test_an_overseerr_that_is_too_old(
    stack: Stack, client: SeerrClient, flavour: str, version: str, fits: bool
) -> None:
    stack.seerr.version = version
    if fits or flavour.startswith("jelly"):
        # The first Jellyseerr was newer than that Overseerr.
        assert (await client.identify()).version == version
        return
    with pytest.raises(TooOldError) as caught:
        await client.identify()
    assert caught.value.detail == version


async def test_something_else_answers(stack: Stack, session: aiohttp.ClientSession) -> None:
    radarr = stack.radarr
    client = SeerrClient(session, Connection(url=radarr.url, api_key=radarr.api_key))
    with pytest.raises(WrongServiceError) as caught:
        await client.identify()
    assert caught.value.detail == "Radarr"
    client = SeerrClient(session, Connection(url=radarr.url, api_key="another"))
    with pytest.raises(WrongServiceError) as caught:
        await client.identify()
    assert caught.value.detail == ""


async def test_a_web_page_is_no_seerr(stack: Stack, client: SeerrClient) -> None:
    stack.seerr.misbehave("html")
    with pytest.raises(WrongServiceError):
        await client.identify()
    with pytest.raises(BadAnswerError):
        await client.poll(SEERR, {}, PollView(), now_of(stack))


async def test_another_program_with_the_same_path(session: aiohttp.ClientSession) -> None:
    runner, url = await serve({"/api/v1/settings/public": fixed({"theme": "dark"})})
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    with pytest.raises(WrongServiceError):
        await client.identify()
    await runner.cleanup()


async def test_nobody_answers(stack: Stack, client: SeerrClient) -> None:
    await stack.seerr.go_down()
    with pytest.raises(RefusedError):
        await client.identify()


async def test_a_fault_of_the_server_is_none_of_the_key(stack: Stack, client: SeerrClient) -> None:
    stack.seerr.misbehave("503")
    with pytest.raises(ServerFaultError):
        await client.identify()


async def test_it_may_live_under_a_path(session: aiohttp.ClientSession) -> None:
    stack = Stack()
    seerr = stack.add_seerr(url_base="/requests")
    async with stack:
        client = SeerrClient(session, Connection(url=seerr.url, api_key=seerr.api_key))
        assert (await client.identify()).product == "Seerr"
        assert (await client.baseline(SEERR, 0, finished_days=30)).reports == ()


# --- the first look ------------------------------------------------------------------------


@every_flavour
async def test_the_baseline_is_what_is_open_and_what_finished_lately(
    stack: Stack, client: SeerrClient
) -> None:
    long_open = old_request(stack, days=400)
    waiting = old_request(stack, days=90, status=Status.PENDING, presence=Presence.PENDING)
    done = Status.COMPLETED if stack.seerr.flavour.completes else Status.APPROVED
    old_request(stack, days=80, status=done, presence=Presence.AVAILABLE)
    old_request(stack, days=70, status=Status.DECLINED, presence=Presence.UNKNOWN)
    lately = old_request(stack, days=20, status=done, presence=Presence.AVAILABLE)
    declined = old_request(stack, days=3, status=Status.DECLINED, presence=Presence.UNKNOWN)
    failed = old_request(stack, days=2, status=Status.FAILED, presence=Presence.UNKNOWN)
    found = await client.baseline(SEERR, now_of(stack), finished_days=30)
    assert decisions(found) == {
        long_open: Decision.APPROVED,
        waiting: Decision.PENDING,
        lately: Decision.COMPLETED if stack.seerr.flavour.completes else Decision.APPROVED,
        declined: Decision.DECLINED,
        failed: Decision.FAILED,
    }
    assert [report.title.ids for report in reports(found, PlayableReport)] == [
        next(report.title.ids for report in found.reports if _is(report, lately))
    ]
    assert not found.sightings
    assert found.queue == 2
    assert not found.downloading


def _is(report: AnyReport, number: int) -> bool:
    return isinstance(report, RequestReport) and report.request_id == number


@every_flavour
async def test_a_house_of_many_years_is_read_in_a_few_calls(
    stack: Stack, client: SeerrClient
) -> None:
    for number in range(300):
        status = Status.APPROVED if number % 3 else Status.COMPLETED
        if not stack.seerr.flavour.completes:
            status = Status.APPROVED
        presence = Presence.PROCESSING if number % 3 else Presence.AVAILABLE
        old_request(stack, days=310.5 - number, status=status, presence=presence)
    found = await client.baseline(SEERR, now_of(stack), finished_days=30)
    numbers = [report.request_id for report in reports(found, RequestReport)]
    assert len(numbers) == len(set(numbers)) == 200 + 6
    assert stack.seerr.counts()["requests"] <= 6
    stack.reset_counts()
    idle = await client.poll(
        SEERR, found.cursor, view(dict.fromkeys(numbers, Decision.APPROVED)), now_of(stack) + 60
    )
    assert not idle.sightings
    assert stack.seerr.counts()["requests"] == 2
    assert stack.seerr.counts()["bytes"] < 20_000
    assert set(stack.seerr.counts()["statuses"]) == {"200"}


async def test_a_quiet_poll_is_small_even_of_long_series(stack: Stack, client: SeerrClient) -> None:
    for _ in range(20):
        show = stack.catalogue.show(seasons=dict.fromkeys(range(1, 11), 8))
        ask(stack, show, by="Carla")
    await stack.settle()
    cursor = await begun(stack, client)
    await client.poll(SEERR, cursor, PollView(), now_of(stack))
    assert stack.seerr.counts()["requests"] == 2
    assert stack.seerr.counts()["bytes"] < 20_000


# --- what changed --------------------------------------------------------------------------


@every_flavour
async def test_every_decision_is_found_by_the_next_poll(stack: Stack, client: SeerrClient) -> None:
    seerr = stack.seerr
    approved, declined, deleted, waiting = (
        ask(stack, stack.catalogue.film(), by="Ben") for _ in range(4)
    )
    cursor = await begun(stack, client)
    known = dict.fromkeys((1, 2, 3, 4), Decision.PENDING)
    stack.clock.advance(60)
    seerr.approve(approved)
    seerr.decline(declined)
    seerr.delete(deleted)
    await stack.settle()
    found = await client.poll(SEERR, cursor, view(known), now_of(stack))
    assert decisions(found) == {
        1: Decision.APPROVED,
        2: Decision.DECLINED,
        3: Decision.REMOVED,
        4: Decision.PENDING,
    }
    assert [report.held for report in reports(found, HeldReport)] == [True]
    assert sighted(found) == {("approved", "1"), ("declined", "2")}
    assert waiting.id == 4
    assert all(report.confirmed for report in found.reports)
    assert set(stack.seerr.counts()["statuses"]) <= {"200", "404"}
    # What was said once is not said again.
    known = {1: Decision.APPROVED, 4: Decision.PENDING}
    again = await client.poll(SEERR, found.cursor, view(known), now_of(stack))
    assert not again.sightings


@every_flavour
async def test_a_new_request_comes_with_its_name(stack: Stack, client: SeerrClient) -> None:
    """Lists have no names; without one an event would say that nothing was asked for."""
    cursor = await begun(stack, client)
    film = stack.catalogue.film()
    ask(stack, film, by="Ben")
    await stack.settle()
    found = await client.poll(SEERR, cursor, view({}), now_of(stack))
    assert {report.title.name for report in reports(found, RequestReport)} == {film.title}
    stack.seerr.misbehave("500", path="/api/v1/movie")
    other = stack.catalogue.film()
    ask(stack, other, by="Ben")
    await stack.settle()
    found = await client.poll(SEERR, found.cursor, view({}), now_of(stack))
    assert None in {report.title.name for report in reports(found, RequestReport)}


@every_flavour
async def test_available_is_found_by_the_next_poll(stack: Stack, client: SeerrClient) -> None:
    film = stack.catalogue.film()
    ask(stack, film, by="Carla")
    for _ in range(8):
        ask(stack, stack.catalogue.film(), by="Ben")
    await stack.settle()
    cursor = await begun(stack, client)
    known = {1: Decision.APPROVED, **dict.fromkeys(range(2, 10), Decision.PENDING)}
    stack.clock.advance(60)
    download = await stack.radarr.grab(movie_of(stack, film))
    await stack.radarr.import_file(download)
    await stack.seerr.scan()
    await stack.settle()
    found = await client.poll(SEERR, cursor, view(known), now_of(stack))
    (report,) = reports(found, PlayableReport)
    assert (report.playable, report.tier, report.title.ids.tmdb) == (True, Tier.HD, film.tmdb_id)
    assert sighted(found) == {("available", "1")}
    assert now_of(stack) - report.happened_at <= 61
    # Still open on the board, because a media server has it not yet.
    again = await client.poll(SEERR, found.cursor, view(known), now_of(stack))
    assert not again.sightings


@every_flavour
async def test_more_requests_than_the_newest_are_all_found(
    stack: Stack, client: SeerrClient
) -> None:
    old_request(stack, days=5)
    cursor = await begun(stack, client)
    stack.clock.advance(60)
    made = [ask(stack, stack.catalogue.film(), by="Ben") for _ in range(12)]
    for item in made[:3]:
        stack.seerr.decline(item)
    await stack.settle()
    found = await client.poll(SEERR, cursor, view({1: Decision.APPROVED}), now_of(stack))
    assert decisions(found).keys() == {1, *(item.id for item in made)}
    assert sighted(found) == {
        *(("requested", str(item.id)) for item in made),
        *(("declined", str(item.id)) for item in made[:3]),
    }


@pytest.mark.parametrize("flavour", ["overseerr-1.34", "seerr-3.3"])
async def test_who_approved_a_new_request_is_told_by_its_row(
    stack: Stack, client: SeerrClient
) -> None:
    old_request(stack, days=5)
    cursor = await begun(stack, client)
    by_hand = ask(stack, stack.catalogue.film(), by="Ben")
    by_itself = ask(stack, stack.catalogue.film(), by="Carla")
    stack.clock.advance(5)
    stack.seerr.approve(by_hand)
    await stack.settle()
    found = await client.poll(SEERR, cursor, view({1: Decision.APPROVED}), now_of(stack))
    assert sighted(found) == {
        ("requested", str(by_hand.id)),
        ("approved", str(by_hand.id)),
        ("requested", str(by_itself.id)),
    }


async def test_one_made_and_one_deleted_leave_the_counts_alike(
    stack: Stack, client: SeerrClient
) -> None:
    items = [ask(stack, stack.catalogue.film(), by="Ben") for _ in range(7)]
    cursor = await begun(stack, client)
    stack.seerr.delete(items[0])
    ask(stack, stack.catalogue.film(), by="Ben")
    known = {item.id: Decision.PENDING for item in items}
    found = await client.poll(SEERR, cursor, view(known), now_of(stack))
    assert decisions(found)[1] is Decision.REMOVED
    assert decisions(found)[8] is Decision.PENDING


@every_flavour
async def test_failed_is_in_no_count_but_leaves_the_open_ones(
    stack: Stack, client: SeerrClient
) -> None:
    items = [ask(stack, stack.catalogue.film(), by="Ben") for _ in range(7)]
    cursor = await begun(stack, client)
    await stack.radarr.go_down()
    stack.seerr.approve(items[0])
    await stack.settle()
    known = {item.id: Decision.PENDING for item in items}
    found = await client.poll(SEERR, cursor, view(known), now_of(stack))
    assert decisions(found)[1] is Decision.FAILED
    assert not found.sightings, "a failure has no webhook that could be missed"


async def test_all_open_ones_are_looked_at_every_hour(stack: Stack, client: SeerrClient) -> None:
    numbers = [old_request(stack, days=9 - number) for number in range(8)]
    cursor = await begun(stack, client)
    known = dict.fromkeys(numbers, Decision.APPROVED)
    found = await client.poll(SEERR, cursor, view(known), now_of(stack) + 3000)
    assert found.checked == client_module.NEWEST
    found = await client.poll(SEERR, found.cursor, view(known), now_of(stack) + 3700)
    assert found.checked == 8
    assert found.cursor["round"] is None
    found = await client.poll(SEERR, found.cursor, view(known), now_of(stack) + 3800)
    assert found.checked == client_module.NEWEST
    synced = await client.sync(SEERR, found.cursor, view(known), now_of(stack) + 3900)
    assert synced.checked == 8


class Follower:
    """Polls as a coordinator does: the cursor of one poll is that of the next."""

    def __init__(self, stack: Stack, client: SeerrClient, cursor: Cursor) -> None:
        self.stack = stack
        self.client = client
        self.cursor = cursor
        self.now = now_of(stack)

    async def poll(self, seen: PollView, pause: float = 300.0) -> Poll:
        """Poll after a while; what it costs is counted anew."""
        self.now += pause
        self.stack.reset_counts()
        found = await self.client.poll(SEERR, self.cursor, seen, self.now)
        self.cursor = found.cursor
        return found

    @property
    def cost(self) -> tuple[int, int]:
        """Return requests and bytes of the last poll."""
        counts = self.stack.seerr.counts()
        return counts["requests"], counts["bytes"]


@every_flavour
@pytest.mark.parametrize(("pause", "rows"), [(300.0, 110), (900.0, 36)])
async def test_every_hour_all_open_ones_are_read_in_small_polls(
    stack: Stack, client: SeerrClient, pause: float, rows: int
) -> None:
    failed = old_request(stack, days=900, status=Status.FAILED, presence=Presence.UNKNOWN)
    numbers = [old_request(stack, days=800 - number) for number in range(rows)]
    follower = Follower(stack, client, await begun(stack, client))
    known = dict.fromkeys([failed, *numbers], Decision.APPROVED)
    read: list[int] = []
    for _ in range(int(2 * 3600 / pause) + 1):
        found = await follower.poll(view(known), pause)
        requests, size = follower.cost
        assert requests == 2
        assert size < 20_000
        assert not found.sightings
        told = decisions(found)
        if failed in told:
            # It is in no list: that says something only once the whole list was read.
            assert set(numbers) <= set(read)
            assert told == {failed: Decision.FAILED}
        read += told
    assert read.count(failed) == 1
    middle = numbers[len(numbers) // 2]
    assert read.count(middle) in {1, 2}


async def test_a_round_is_through_in_its_hour_however_much_is_open(
    stack: Stack, client: SeerrClient
) -> None:
    numbers = [old_request(stack, days=800 - number) for number in range(150)]
    follower = Follower(stack, client, await begun(stack, client))
    known = dict.fromkeys(numbers, Decision.APPROVED)
    read: set[int] = set()
    await follower.poll(view(known), 3500)
    for _ in range(4):
        read |= decisions(await follower.poll(view(known), 900)).keys()
    assert read == set(numbers)
    assert follower.cursor["round"] is None


async def test_a_round_finds_what_no_count_tells(stack: Stack, client: SeerrClient) -> None:
    one = old_request(stack, days=300)
    other = old_request(stack, days=299, status=Status.PENDING, presence=Presence.PENDING)
    numbers = [old_request(stack, days=200 - number) for number in range(8)]
    follower = Follower(stack, client, await begun(stack, client))
    known = dict.fromkeys([one, *numbers], Decision.APPROVED) | {other: Decision.PENDING}
    stack.seerr.requests[one].status = Status.PENDING
    stack.seerr.requests[other].status = Status.APPROVED
    assert other not in decisions(await follower.poll(view(known), 3500))
    told: dict[int, Decision] = {}
    for _ in range(2):
        told |= decisions(await follower.poll(view(known)))
    assert (told[one], told[other]) == (Decision.PENDING, Decision.APPROVED)


@pytest.mark.parametrize("flavour", ["overseerr-1.33", "seerr-3.3"])
async def test_what_moves_during_a_round_has_all_open_ones_read(
    stack: Stack, client: SeerrClient
) -> None:
    numbers = [old_request(stack, days=800 - number) for number in range(30)]
    follower = Follower(stack, client, await begun(stack, client))
    known = dict.fromkeys(numbers, Decision.APPROVED)
    await follower.poll(view(known), 3500)
    await follower.poll(view(known))
    assert follower.cursor["round"] is not None
    stack.seerr.delete(stack.seerr.requests[numbers[20]])
    told = decisions(await follower.poll(view(known)))
    assert told[numbers[20]] is Decision.REMOVED
    assert set(told) == set(numbers)
    ended = follower.cursor
    assert ended["round"] is None
    # The next hour begins with it.
    assert len(decisions(await follower.poll(view(known)))) == client_module.NEWEST


async def test_a_list_that_becomes_shorter_during_a_round_is_read_at_once(
    stack: Stack, client: SeerrClient
) -> None:
    numbers = [
        old_request(stack, days=800 - number, status=Status.PENDING, presence=Presence.PENDING)
        for number in range(30)
    ]
    follower = Follower(stack, client, await begun(stack, client))
    known = dict.fromkeys(numbers, Decision.PENDING)
    await follower.poll(view(known), 3500)
    await follower.poll(view(known))
    # It leaves the list of the open ones, and no count tells.
    stack.seerr.requests[numbers[2]].copy.status = Presence.AVAILABLE
    found = await follower.poll(view(known))
    assert decisions(found).keys() == set(numbers)
    assert len(reports(found, PlayableReport)) == 1
    assert follower.cursor["round"] is None


async def test_one_made_and_one_deleted_during_a_round_are_found(
    stack: Stack, client: SeerrClient
) -> None:
    numbers = [
        old_request(stack, days=800 - number, status=Status.PENDING, presence=Presence.PENDING)
        for number in range(30)
    ]
    follower = Follower(stack, client, await begun(stack, client))
    known = dict.fromkeys(numbers, Decision.PENDING)
    await follower.poll(view(known), 3500)
    await follower.poll(view(known))
    stack.seerr.delete(stack.seerr.requests[numbers[3]])
    made = ask(stack, stack.catalogue.film(), by="Ben")
    told: dict[int, Decision] = {}
    for _ in range(4):
        told |= decisions(await follower.poll(view(known)))
    assert (told[numbers[3]], told[made.id]) == (Decision.REMOVED, Decision.PENDING)


async def test_a_list_that_hangs_does_not_end_a_round(
    stack: Stack, client: SeerrClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [old_request(stack, days=800 - number) for number in range(30)]
    follower = Follower(stack, client, await begun(stack, client))
    known = dict.fromkeys(numbers, Decision.APPROVED)
    await follower.poll(view(known), 3500)
    read = set(decisions(await follower.poll(view(known))))
    before = follower.cursor
    monkeypatch.setattr(client_module, "LIST_WAIT", 0.1)
    stack.seerr.misbehave("hang", path=r"/api/v1/request$")
    found = await follower.poll(view(known))
    assert (found.reports, found.cursor) == ((), before)
    stack.seerr.behave()
    while follower.cursor["round"] is not None:
        read |= decisions(await follower.poll(view(known))).keys()
    assert read == set(numbers)


async def test_a_round_reads_the_seasons_of_a_running_series_on_their_own(
    stack: Stack, client: SeerrClient
) -> None:
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    item = ask(stack, show, by="Carla", seasons=[1, 2])
    await stack.settle()
    item.copy.status = Presence.PARTIALLY_AVAILABLE
    follower = Follower(stack, client, await begun(stack, client))
    known = view({item.id: Decision.APPROVED})
    await follower.poll(known, 3500)
    item.copy.seasons[1] = Presence.AVAILABLE
    assert not reports(await follower.poll(known), PlayableReport)
    found = await follower.poll(known)
    assert follower.cost[0] == 2
    assert [report.seasons for report in reports(found, PlayableReport)] == [(1,)]
    assert follower.cursor["round"] is None


async def test_what_loads_ends_a_round_in_favour_of_a_look_at_everything(
    stack: Stack, client: SeerrClient
) -> None:
    numbers = [old_request(stack, days=800 - number) for number in range(30)]
    follower = Follower(stack, client, await begun(stack, client))
    known = view(dict.fromkeys(numbers, Decision.APPROVED))
    await follower.poll(known, 3500)
    assert not (await follower.poll(known)).downloading
    entry = {"downloadId": "A", "size": 10, "sizeLeft": 5, "status": "downloading"}
    stack.seerr.requests[numbers[15]].copy.downloads = [entry]
    found = await follower.poll(known)
    assert found.downloading
    assert len(decisions(found)) < 30
    assert decisions(await follower.poll(known)).keys() == set(numbers)


async def test_after_a_long_absence_everything_is_read_at_once(
    stack: Stack, client: SeerrClient
) -> None:
    numbers = [old_request(stack, days=800 - number) for number in range(30)]
    follower = Follower(stack, client, await begun(stack, client))
    known = view(dict.fromkeys(numbers, Decision.APPROVED))
    assert decisions(await follower.poll(known, 4000)).keys() == set(numbers)


async def test_titles_that_stay_imported_are_asked_for_ever_more_rarely(
    stack: Stack, client: SeerrClient
) -> None:
    films = [stack.catalogue.film() for _ in range(3)]
    follower = Follower(stack, client, await begun(stack, client))
    titles = [
        TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=film.tmdb_id)) for film in films
    ]
    asked: list[int] = []
    for _ in range(36):
        await follower.poll(view({}, *titles))
        asked.append(stack.seerr.counts()["endpoints"].get("GET /api/v1/movie/{id}", 0))
    minutes = [5 * place for place, number in enumerate(asked) if number == 3]
    assert minutes == [0, 10, 30]
    # Then the hourly round asks for one at a time.
    assert [number for number in asked if number not in {0, 3}] == [1] * 6
    assert follower.cost[0] <= 2


async def test_a_clock_that_was_set_back_stops_nothing(stack: Stack, client: SeerrClient) -> None:
    numbers = [old_request(stack, days=9 - number) for number in range(8)]
    cursor = await begun(stack, client)
    found = await client.poll(SEERR, cursor, view({}), now_of(stack) - 10_000)
    assert found.checked == len(numbers)


async def test_more_than_a_page_of_open_ones(stack: Stack, client: SeerrClient) -> None:
    numbers = [old_request(stack, days=300 - number) for number in range(230)]
    cursor = await begun(stack, client)
    known = dict.fromkeys(numbers, Decision.APPROVED)
    found = await client.sync(SEERR, cursor, view(known), now_of(stack))
    assert decisions(found).keys() == set(numbers)
    assert stack.seerr.counts()["requests"] == 2 + 3


async def test_a_poll_without_a_beginning_tells_no_old_requests_as_missed(
    stack: Stack, client: SeerrClient
) -> None:
    numbers = [old_request(stack, days=9 - number) for number in range(8)]
    found = await client.poll(SEERR, {}, PollView(), now_of(stack))
    assert decisions(found).keys() == set(numbers)
    assert not found.sightings


async def test_a_broken_cursor_is_none(stack: Stack, client: SeerrClient) -> None:
    old_request(stack, days=9)
    odd: Cursor = {"at": "x", "counts": 7, "newest": None, "loading": {"1": "x"}, "told": "no"}
    assert decisions(await client.poll(SEERR, odd, PollView(), now_of(stack))).keys() == {1}


async def test_what_happened_in_a_long_absence_is_dated_but_not_missed(
    stack: Stack, client: SeerrClient
) -> None:
    items = [ask(stack, stack.catalogue.film(), by="Ben") for _ in range(2)]
    cursor = await begun(stack, client)
    left = now_of(stack)
    stack.clock.advance(7200)
    stack.seerr.decline(items[0])
    told = now_of(stack)
    stack.clock.advance(80_000)
    known = dict.fromkeys((1, 2), Decision.PENDING)
    found = await client.poll(SEERR, cursor, view(known), now_of(stack))
    (report,) = (one for one in reports(found, RequestReport) if one.request_id == 1)
    assert report.happened_at == pytest.approx(told, abs=1)
    assert sighted(found) == {("declined", "1")}
    assert left < told


@pytest.mark.parametrize("flavour", ["seerr-3.1"])
async def test_an_undated_change_is_no_miss_after_a_long_absence(
    stack: Stack, client: SeerrClient
) -> None:
    items = [ask(stack, stack.catalogue.film(), by="Ben") for _ in range(3)]
    cursor = await begun(stack, client)
    left = now_of(stack)
    stack.clock.advance(90_000)
    stack.seerr.decline(items[0])
    items[1].status, items[1].copy.status = Status.COMPLETED, Presence.AVAILABLE
    known = dict.fromkeys((1, 2, 3), Decision.PENDING)
    found = await client.poll(SEERR, cursor, view(known), now_of(stack))
    (report,) = (one for one in reports(found, RequestReport) if one.request_id == 1)
    assert report.happened_at == pytest.approx(left, abs=1), "some time after the last look"
    assert not found.sightings


# --- rows that make trouble ----------------------------------------------------------------


@pytest.mark.parametrize("status", ["403", "500"])
async def test_one_broken_row_stops_no_other(
    stack: Stack, client: SeerrClient, status: str
) -> None:
    items = [ask(stack, stack.catalogue.film(), by="Ben") for _ in range(8)]
    cursor = await begun(stack, client)
    for item in items[:2]:
        stack.seerr.decline(item)
    stack.seerr.misbehave(status, path=r"/api/v1/request/1$")
    known = {item.id: Decision.PENDING for item in items}
    found = await client.poll(SEERR, cursor, view(known), now_of(stack))
    assert decisions(found).keys() == set(range(2, 9))
    assert decisions(found)[2] is Decision.DECLINED


async def test_a_service_that_goes_away_ends_the_poll(stack: Stack, client: SeerrClient) -> None:
    items = [ask(stack, stack.catalogue.film(), by="Ben") for _ in range(8)]
    cursor = await begun(stack, client)
    for item in items[:4]:
        stack.seerr.decline(item)
    stack.seerr.misbehave("401", path=r"/api/v1/request/\d+$")
    known = {item.id: Decision.PENDING for item in items}
    with pytest.raises(AuthError):
        await client.poll(SEERR, cursor, view(known), now_of(stack))


@pytest.mark.parametrize("path", [r"/request/count$", r"/api/v1/request$"])
@pytest.mark.parametrize("fault", ["500", "invalid_json", "html"])
async def test_half_an_answer_is_none(
    stack: Stack, client: SeerrClient, path: str, fault: str
) -> None:
    cursor = await begun(stack, client)
    stack.seerr.misbehave(fault, path=path)
    with pytest.raises(ServiceError):
        await client.poll(SEERR, cursor, PollView(), now_of(stack))


async def serve(
    routes: dict[str, Callable[[web.Request], Awaitable[web.Response]]],
) -> tuple[web.AppRunner, str]:
    """Start a server of one's own."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_get(path, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


def fixed(body: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(body)

    return handler


@pytest.mark.parametrize(
    ("counts", "listed"), [([], page()), ({"total": 1}, []), ({"total": 1}, {"results2": []})]
)
async def test_answers_of_another_shape(
    session: aiohttp.ClientSession, counts: Any, listed: Any
) -> None:
    runner, url = await serve(
        {"/api/v1/request/count": fixed(counts), "/api/v1/request": fixed(listed)}
    )
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    with pytest.raises(BadAnswerError):
        await client.poll(SEERR, {}, PollView(), 1.0)
    await runner.cleanup()


async def test_rows_that_say_nothing_stop_no_other(session: aiohttp.ClientSession) -> None:
    rows = page(request(3, media={"tmdbId": None}), request(2), {"id": "odd"})
    runner, url = await serve(
        {
            "/api/v1/request/count": fixed({"total": 3}),
            "/api/v1/request": fixed(rows),
            "/api/v1/request/1": fixed({"odd": True}),
        }
    )
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    cursor: Cursor = {"at": 1.0, "loading": {"3": 1.0}}
    found = await client.poll(SEERR, cursor, view({1: Decision.APPROVED}), 1000.0)
    assert decisions(found) == {2: Decision.APPROVED}
    assert found.downloading, "what cannot be read has not ended"
    with pytest.raises(BadAnswerError):
        await client.answer(SEERR, asks(QuestionKind.REQUEST, number=1), 1.0)
    await runner.cleanup()


async def test_a_list_without_an_end_ends(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MAX_PAGES", 4)
    endless = {**page(request(1)), "pageInfo": {"results": 999_999}}
    runner, url = await serve(
        {"/api/v1/request/count": fixed({"total": 1}), "/api/v1/request": fixed(endless)}
    )
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    with pytest.raises(BadAnswerError, match="too many"):
        await client.poll(SEERR, {}, PollView(), 1.0)
    await runner.cleanup()


async def test_rows_that_move_while_paging_are_not_lost(
    session: aiohttp.ClientSession,
) -> None:
    rows = [request(number) for number in range(250, 0, -1)]

    async def listed(asked: web.Request) -> web.Response:
        skip, take = int(asked.query["skip"]), int(asked.query["take"])
        if asked.query.get("filter") == "unavailable" and skip == 100 and len(rows) == 250:
            rows.insert(0, request(251))  # everything moves down by one: a double
            rows.remove(next(row for row in rows if row["id"] == 200))
            rows.remove(next(row for row in rows if row["id"] == 199))  # and up: a gap
        body = {**page(*rows[skip : skip + take]), "pageInfo": {"results": len(rows)}}
        return web.json_response(body)

    async def one(asked: web.Request) -> web.Response:
        number = int(asked.match_info["id"])
        if number in {199, 200}:
            return web.json_response({"message": "Request not found."}, status=404)
        return web.json_response(request(number))

    runner, url = await serve(
        {
            "/api/v1/request/count": fixed({"total": 250}),
            "/api/v1/request": listed,
            "/api/v1/request/{id}": one,
        }
    )
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    known = dict.fromkeys(range(1, 251), Decision.APPROVED)
    found = await client.poll(SEERR, {}, view(known), 1_790_000_000.0)
    assert set(known) <= decisions(found).keys()
    await runner.cleanup()


async def test_single_requests_are_read_two_at_a_time(session: aiohttp.ClientSession) -> None:
    running = most = 0

    async def one(asked: web.Request) -> web.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return web.json_response(request(int(asked.match_info["id"]), status=3))

    runner, url = await serve(
        {
            "/api/v1/request/count": fixed({"total": 20}),
            "/api/v1/request": fixed(page()),
            "/api/v1/request/{id}": one,
        }
    )
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    known = dict.fromkeys(range(1, 21), Decision.PENDING)
    found = await client.poll(SEERR, {}, view(known), 1_790_000_000.0)
    assert set(decisions(found).values()) == {Decision.DECLINED}
    assert len(decisions(found)) == 20
    assert most == 2
    await runner.cleanup()


# --- a Radarr behind it that hangs ---------------------------------------------------------


async def test_a_list_that_hangs_hurts_nothing_else(
    stack: Stack, client: SeerrClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = ask(stack, stack.catalogue.film(), by="Ben")
    cursor = await begun(stack, client)
    stack.seerr.misbehave("hang", path=r"/api/v1/request$")
    known = view({1: Decision.PENDING})
    polling = asyncio.create_task(client.poll(SEERR, cursor, known, now_of(stack)))
    await asyncio.sleep(0.1)
    question = Question(service=SEERR.id, kind=QuestionKind.REQUEST, request_id=item.id)
    assert await client.answer(SEERR, question, now_of(stack))
    assert not polling.done()
    polling.cancel()
    monkeypatch.setattr(client_module, "LIST_WAIT", 0.2)
    found = await client.poll(SEERR, cursor, known, now_of(stack))
    # Nothing differs in the counts: nothing was missed, and the next poll looks again.
    assert (found.reports, found.cursor, found.queue) == ((), cursor, 1)
    ask(stack, stack.catalogue.film(), by="Ben")
    with pytest.raises(TimedOutError):
        await client.poll(SEERR, cursor, view({1: Decision.PENDING}), now_of(stack))
    with pytest.raises(TimedOutError):
        await client.sync(SEERR, cursor, view({1: Decision.PENDING}), now_of(stack))


# --- series --------------------------------------------------------------------------------


@every_flavour
async def test_a_season_that_is_there_is_found_although_lists_have_no_seasons(
    stack: Stack, client: SeerrClient
) -> None:
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    ask(stack, show, by="Carla", seasons=[1, 2])
    await stack.settle()
    cursor = await begun(stack, client)
    series = series_of(stack, show)
    download = await stack.sonarr.grab(series.season(1))
    await stack.sonarr.import_files(download)
    await stack.seerr.scan()
    await stack.settle()
    found = await client.poll(SEERR, cursor, view({1: Decision.APPROVED}), now_of(stack))
    assert [report.seasons for report in reports(found, PlayableReport)] == [(1,)]
    assert decisions(found) == {1: Decision.APPROVED}
    download = await stack.sonarr.grab(series.season(2))
    await stack.sonarr.import_files(download)
    await stack.seerr.scan()
    await stack.settle()
    found = await client.poll(SEERR, found.cursor, view({1: Decision.APPROVED}), now_of(stack))
    assert [report.seasons for report in reports(found, PlayableReport)] == [(1, 2)]
    assert sighted(found) == {("available", "1")}


async def test_series_that_are_long_done_are_not_read_one_by_one(
    stack: Stack, client: SeerrClient
) -> None:
    # An Overseerr lists a request for one season as open as long as the others are missing.
    for _ in range(6):
        show = stack.catalogue.show(seasons={1: 2, 2: 2})
        item = stack.seerr.put_request(
            show,
            by=stack.seerr.users[3],
            status=Status.APPROVED,
            presence=Presence.PARTIALLY_AVAILABLE,
            created=stack.clock.now() - timedelta(days=200),
            external_id=5,
            seasons=[1],
        )
        item.copy.seasons[1] = Presence.AVAILABLE
    cursor = await begun(stack, client)
    await client.sync(SEERR, cursor, view({}), now_of(stack))
    assert stack.seerr.counts()["requests"] == 3
    found = await client.sync(SEERR, cursor, view({2: Decision.APPROVED}), now_of(stack))
    assert stack.seerr.counts()["requests"] == 3 + 4
    assert len(reports(found, PlayableReport)) == 1


# --- downloads -----------------------------------------------------------------------------


@every_flavour
async def test_a_download_is_followed_and_its_end_is_noticed(
    stack: Stack, client: SeerrClient
) -> None:
    film = stack.catalogue.film()
    ask(stack, film, by="Carla")
    await stack.settle()
    cursor = await begun(stack, client)
    known = view({1: Decision.APPROVED})
    download = await stack.radarr.grab(movie_of(stack, film))
    stack.radarr.progress(download, 0.5)
    await stack.seerr.download_sync()
    start = now_of(stack)
    found = await client.poll(SEERR, cursor, known, start)
    (report,) = reports(found, DownloadReport)
    assert report.state is DownloadState.DOWNLOADING
    assert report.progress == pytest.approx(0.5)
    assert found.downloading
    # Seerr was restarted and has forgotten its queues for a minute: that is no end.
    stack.seerr.media[1].hd.downloads = []
    found = await client.poll(SEERR, found.cursor, known, start + 30)
    assert not reports(found, DownloadReport)
    assert found.downloading
    await stack.seerr.download_sync()
    found = await client.poll(SEERR, found.cursor, known, start + 60)
    assert reports(found, DownloadReport)[0].state is DownloadState.DOWNLOADING
    # It was removed by hand.
    stack.radarr.ignore(download)
    await stack.seerr.download_sync()
    found = await client.poll(SEERR, found.cursor, known, start + 90)
    assert not reports(found, DownloadReport)
    found = await client.poll(SEERR, found.cursor, known, start + 300)
    (report,) = reports(found, DownloadReport)
    assert (report.state, report.title.ids.tmdb) == (DownloadState.GONE, film.tmdb_id)
    assert not found.downloading
    found = await client.poll(SEERR, found.cursor, known, start + 600)
    assert not reports(found, DownloadReport)


async def test_the_end_of_a_season_that_became_available_is_no_news(
    stack: Stack, client: SeerrClient
) -> None:
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    ask(stack, show, by="Carla", seasons=[1, 2])
    await stack.settle()
    cursor = await begun(stack, client)
    known = view({1: Decision.APPROVED})
    series = series_of(stack, show)
    one = await stack.sonarr.grab(series.season(1))
    two = await stack.sonarr.grab(series.season(2))
    for download in (one, two):
        stack.sonarr.progress(download, 0.3)
    await stack.seerr.download_sync()
    start = now_of(stack)
    found = await client.sync(SEERR, cursor, known, start)
    assert {report.seasons for report in reports(found, DownloadReport)} == {(1,), (2,)}
    await stack.sonarr.import_files(one)
    stack.sonarr.ignore(two)
    await stack.seerr.scan()
    await stack.seerr.download_sync()
    found = await client.sync(SEERR, found.cursor, known, start + 10)
    found = await client.sync(SEERR, found.cursor, known, start + 400)
    (report,) = reports(found, DownloadReport)
    assert (report.state, report.seasons) == (DownloadState.GONE, (2,))


async def test_while_something_downloads_all_open_ones_are_looked_at_more_often(
    stack: Stack, client: SeerrClient
) -> None:
    film = stack.catalogue.film()
    ask(stack, film, by="Carla")
    for _ in range(8):
        ask(stack, stack.catalogue.film(), by="Ben")
    await stack.settle()
    stack.radarr.progress(await stack.radarr.grab(movie_of(stack, film)), 0.5)
    await stack.seerr.download_sync()
    found = await client.baseline(SEERR, now_of(stack), finished_days=30)
    assert found.downloading
    known = view({1: Decision.APPROVED, **dict.fromkeys(range(2, 10), Decision.PENDING)})
    later = await client.poll(SEERR, found.cursor, known, now_of(stack) + 30)
    assert later.checked == client_module.NEWEST
    assert later.downloading, "of what was not looked at, the last word stands"
    later = await client.poll(SEERR, later.cursor, known, now_of(stack) + 400)
    assert later.checked == 9
    stack.seerr.delete(stack.seerr.requests[1])
    del known.open_requests[1]  # type: ignore[attr-defined]
    later = await client.poll(SEERR, later.cursor, known, now_of(stack) + 500)
    assert not later.downloading


# --- questions -----------------------------------------------------------------------------


def asks(kind: QuestionKind, title: TitleRef | None = None, number: int | None = None) -> Question:
    return Question(service=SEERR.id, kind=kind, title=title, request_id=number)


@every_flavour
async def test_a_request_is_answered_with_its_tier(stack: Stack, client: SeerrClient) -> None:
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    ask(stack, show, by="Ben", seasons=[2], is4k=True)
    (report,) = await client.answer(SEERR, asks(QuestionKind.REQUEST, number=1), now_of(stack))
    assert isinstance(report, RequestReport)
    assert (report.tier, report.seasons, report.decision) == (Tier.UHD, (2,), Decision.PENDING)
    assert report.requester is not None
    assert (report.requester.name, report.requester.id) == ("Ben", 3)
    assert report.confirmed


@pytest.mark.parametrize("flavour", ["seerr-3.1", "seerr-3.3"])
async def test_an_answer_is_dated_as_well_as_can_be(stack: Stack, client: SeerrClient) -> None:
    item = ask(stack, stack.catalogue.film(), by="Ben")
    made = now_of(stack)
    stack.clock.advance(100_000)
    stack.seerr.approve(item)
    await stack.settle()
    answered = await client.answer(SEERR, asks(QuestionKind.REQUEST, number=1), now_of(stack))
    # It was told just now; in Seerr 3.1 the row does not say when it changed.
    assert answered[0].happened_at == pytest.approx(now_of(stack), abs=1)
    fresh = ask(stack, stack.catalogue.film(), by="Carla")
    made = now_of(stack)
    stack.clock.advance(60)
    answered = await client.answer(
        SEERR, asks(QuestionKind.REQUEST, number=fresh.id), now_of(stack)
    )
    assert answered[0].happened_at == pytest.approx(made, abs=1)


async def test_a_missing_request_is_looked_at_twice(stack: Stack, client: SeerrClient) -> None:
    # A new one is told before its row is written.
    ask(stack, stack.catalogue.film(), by="Ben")
    stack.seerr.misbehave("404", path=r"/request/1$", times=1)
    (report,) = await client.answer(SEERR, asks(QuestionKind.REQUEST, number=1), now_of(stack))
    assert isinstance(report, RequestReport)
    assert report.decision is Decision.PENDING
    stack.seerr.behave()
    title = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tmdb=5))
    (report,) = await client.answer(
        SEERR, asks(QuestionKind.REQUEST, title, number=99), now_of(stack)
    )
    assert isinstance(report, RequestReport)
    assert (report.decision, report.request_id, report.title) == (Decision.REMOVED, 99, title)


async def test_a_request_of_somebody_else_is_no_deleted_one(
    stack: Stack, client: SeerrClient
) -> None:
    ask(stack, stack.catalogue.film(), by="Carla")
    stack.seerr.key_user = 3
    assert await client.answer(SEERR, asks(QuestionKind.REQUEST, number=1), now_of(stack)) == ()


@every_flavour
async def test_what_a_title_is_called_is_read_once_and_used_again(
    stack: Stack, client: SeerrClient
) -> None:
    film = stack.catalogue.film("Silver Ferry", 2024)
    item = ask(stack, film, by="Ben")
    cursor = await begun(stack, client)
    title = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=film.tmdb_id))
    (report,) = await client.answer(SEERR, asks(QuestionKind.FACTS, title), now_of(stack))
    assert isinstance(report, HeldReport)
    assert (report.title.name, report.title.year, report.held) == ("Silver Ferry", 2024, False)
    assert report.title.poster == film.poster
    assert report.title.overview == film.overview
    found = await client.poll(SEERR, cursor, view({1: Decision.PENDING}), now_of(stack))
    assert {one.title.name for one in found.reports} == {"Silver Ferry"}
    stack.seerr.approve(item)
    await stack.settle()
    (report,) = await client.answer(SEERR, asks(QuestionKind.FACTS, title), now_of(stack))
    assert isinstance(report, HeldReport)
    assert (report.held, report.opens) == (True, False)


async def test_the_names_that_are_kept_are_bounded(
    stack: Stack, client: SeerrClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "FACTS_KEPT", 2)
    films = [stack.catalogue.film() for _ in range(3)]
    for film in films:
        ask(stack, film, by="Ben")
    cursor = await begun(stack, client)
    for film in films:
        title = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=film.tmdb_id))
        await client.answer(SEERR, asks(QuestionKind.FACTS, title), now_of(stack))
    found = await client.poll(SEERR, cursor, PollView(), now_of(stack))
    assert [report.title.name for report in found.reports] == [
        None,
        films[1].title,
        films[2].title,
    ]


@every_flavour
async def test_whether_a_title_can_be_played(stack: Stack, client: SeerrClient) -> None:
    film = stack.catalogue.film()
    title = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=film.tmdb_id))
    question = asks(QuestionKind.AVAILABILITY, title)
    assert await client.answer(SEERR, question, now_of(stack)) == ()
    old_request(stack, days=3, presence=Presence.AVAILABLE, film=film)
    (report,) = await client.answer(SEERR, question, now_of(stack))
    assert isinstance(report, PlayableReport)
    assert (report.tier, report.playable, report.title.name) == (Tier.HD, True, film.title)


async def test_a_series_known_by_thetvdb_only_is_searched_for(
    session: aiohttp.ClientSession,
) -> None:
    searched: list[str] = []

    async def search(asked: web.Request) -> web.Response:
        searched.append(asked.query["query"])
        found = [{"id": 5, "mediaType": "movie"}, {"id": 880021, "mediaType": "tv"}]
        return web.json_response(
            {"results": found if asked.query["query"] == "tvdb:470021" else []}
        )

    show = {
        "id": 880021,
        "name": "Tide House",
        "externalIds": {"tvdbId": 470021},
        "mediaInfo": {"mediaType": "tv", "seasons": [{"seasonNumber": 1, "status": 5}]},
    }
    runner, url = await serve({"/api/v1/search": search, "/api/v1/tv/880021": fixed(show)})
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    title = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=470021))
    for _ in range(2):
        (report,) = await client.answer(SEERR, asks(QuestionKind.AVAILABILITY, title), 1.0)
        assert isinstance(report, PlayableReport)
        assert (report.seasons, report.title.ids) == ((1,), ExternalIds(tmdb=880021, tvdb=470021))
    unknown = TitleRef(media_type=MediaType.SERIES, ids=ExternalIds(tvdb=1))
    assert await client.answer(SEERR, asks(QuestionKind.AVAILABILITY, unknown), 1.0) == ()
    assert searched == ["tvdb:470021", "tvdb:1"]
    await runner.cleanup()


async def test_what_cannot_be_answered(stack: Stack, client: SeerrClient) -> None:
    nameless = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(imdb="tt9912345"))
    for question in (
        asks(QuestionKind.TITLE, nameless),
        asks(QuestionKind.DOWNLOAD),
        asks(QuestionKind.REQUEST),
        asks(QuestionKind.FACTS),
        asks(QuestionKind.FACTS, nameless),
    ):
        assert await client.answer(SEERR, question, now_of(stack)) == ()
    assert stack.seerr.counts()["requests"] == 0
    unknown = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=1))
    with pytest.raises(ServerFaultError):
        # What TMDB does not know is a fault of the server there; so is a TMDB that is down.
        await client.answer(SEERR, asks(QuestionKind.FACTS, unknown), now_of(stack))
    stack.seerr.misbehave("404", path="/movie/")
    assert await client.answer(SEERR, asks(QuestionKind.FACTS, unknown), now_of(stack)) == ()


async def test_a_page_of_another_kind_of_title_is_no_answer(
    session: aiohttp.ClientSession,
) -> None:
    runner, url = await serve({"/api/v1/movie/7": fixed({"id": 7, "name": "A series"})})
    client = SeerrClient(session, Connection(url=url, api_key="k"), pause=no_pause)
    title = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=7))
    assert await client.answer(SEERR, asks(QuestionKind.FACTS, title), 1.0) == ()
    await runner.cleanup()


async def test_imported_titles_are_asked_for_in_the_poll(stack: Stack, client: SeerrClient) -> None:
    films = [stack.catalogue.film() for _ in range(12)]
    for film in films[:11]:
        old_request(stack, days=90, presence=Presence.AVAILABLE, film=film)
    cursor = await begun(stack, client)
    titles = [
        TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=film.tmdb_id)) for film in films
    ]
    start = now_of(stack)

    def read() -> int:
        calls: int = stack.seerr.counts()["endpoints"].get("GET /api/v1/movie/{id}", 0)
        stack.reset_counts()
        return calls

    found = await client.poll(SEERR, cursor, view({}, *titles), start)
    assert read() == client_module.FEW_TITLES
    playable = {report.title.ids.tmdb for report in reports(found, PlayableReport)}
    assert playable >= {film.tmdb_id for film in films[:10]}
    found = await client.poll(SEERR, found.cursor, view({}, *titles), start + 300)
    assert read() == 0, "the same ones are asked for less often"
    found = await client.poll(SEERR, found.cursor, view({}, *titles[:2]), start + 330)
    assert read() == 2
    found = await client.poll(SEERR, found.cursor, view({}, *titles[:2]), start + 1000)
    assert read() == 2
    unknown = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=1))
    nameless = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(imdb="tt9912345"))
    known = view({}, unknown, nameless, *titles)
    found = await client.sync(SEERR, found.cursor, known, start + 1010)
    assert read() == 13
    playable = {report.title.ids.tmdb for report in reports(found, PlayableReport)}
    assert playable == {film.tmdb_id for film in films[:11]}


# --- the services that it knows ------------------------------------------------------------


@every_flavour
async def test_the_radarrs_and_sonarrs_that_it_knows(stack: Stack, client: SeerrClient) -> None:
    known = await client.known_services()
    assert {(one.kind, one.name, one.url, one.api_key, one.tier, one.number) for one in known} == {
        ("radarr", "radarr", stack.radarr.url, stack.radarr.api_key, Tier.HD, 0),
        ("radarr", "radarr_4k", stack.radarr_4k.url, stack.radarr_4k.api_key, Tier.UHD, 1),
        ("sonarr", "sonarr", stack.sonarr.url, stack.sonarr.api_key, Tier.HD, 0),
    }
    assert stack.radarr.api_key not in repr(known)


async def test_only_an_administrator_sees_them(stack: Stack, client: SeerrClient) -> None:
    stack.seerr.key_user = 2
    with pytest.raises(ForbiddenError):
        await client.known_services()


async def test_addresses_of_every_form(session: aiohttp.ClientSession) -> None:
    rows: list[Any] = [
        {
            "id": 0,
            "name": "Main",
            "hostname": "radarr.home",
            "port": 443,
            "useSsl": True,
            "baseUrl": "/radarr/",
            "apiKey": "a",
            "is4k": True,
        },
        {"id": 1, "hostname": "fd00::7", "port": 7878, "apiKey": "b", "baseUrl": None},
        {"id": 2, "hostname": "10.0.0.7", "port": None, "apiKey": "c", "name": ""},
        {"id": 3, "hostname": "", "apiKey": "d"},
        {"id": 4, "hostname": "radarr"},
        {"id": None, "hostname": "radarr", "apiKey": "e"},
        None,
    ]
    runner, url = await serve(
        {"/api/v1/settings/radarr": fixed(rows), "/api/v1/settings/sonarr": fixed({"odd": 1})}
    )
    client = SeerrClient(session, Connection(url=url, api_key="k"))
    assert await client.known_services() == tuple(
        KnownService(kind="radarr", name=name, url=address, api_key=key, tier=tier, number=number)
        for number, (name, address, key, tier) in enumerate(
            [
                ("Main", "https://radarr.home:443/radarr", "a", Tier.UHD),
                ("Radarr", "http://[fd00::7]:7878", "b", Tier.HD),
                ("Radarr", "http://10.0.0.7", "c", Tier.HD),
            ]
        )
    )
    await runner.cleanup()
