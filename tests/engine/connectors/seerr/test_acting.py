"""What a Seerr is made to do, and what is believed of it."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Decision,
    ExternalIds,
    MediaType,
    RequestReport,
    Tier,
    TitleRef,
    Via,
)
from custom_components.media_arrivals.engine.connectors.acting import (
    AlreadyRequestedError,
    BlockedError,
    NotDoneError,
    NothingLeftError,
    NotPermittedError,
    QuotaError,
    SearchesMedia,
    TakesRequests,
    Wish,
)
from custom_components.media_arrivals.engine.connectors.base import (
    BadAnswerError,
    ForbiddenError,
    NotFoundError,
    ServerFaultError,
    TimedOutError,
)
from custom_components.media_arrivals.engine.connectors.http import Answer, JsonClient
from custom_components.media_arrivals.engine.connectors.seerr.acting import read_account
from custom_components.media_arrivals.engine.connectors.seerr.client import SeerrClient
from simulator import Film, Show, Stack
from simulator.flavours import FLAVOURS
from simulator.seerr_data import (
    ADMIN,
    MANAGE_REQUESTS,
    REQUEST,
    Decision as Status,
    Presence,
    Request,
    User,
)
from tests.engine.connectors.seerr.bodies import SEERR
from tests.engine.connectors.seerr.conftest import ask
from tests.engine.connectors.seerr.test_client import now_of

every_flavour = pytest.mark.parametrize("flavour", sorted(FLAVOURS))


@pytest.fixture
def film(stack: Stack) -> Film:
    return stack.catalogue.film("Amber Ferry")


@pytest.fixture
def show(stack: Stack) -> Show:
    return stack.catalogue.show("Tide House", 2020, seasons={1: 3, 2: 2})


def wish_for(about: Film | Show, **options: Any) -> Wish:
    media_type = MediaType.MOVIE if isinstance(about, Film) else MediaType.SERIES
    return Wish(
        title=TitleRef(media_type=media_type, ids=ExternalIds(tmdb=about.tmdb_id)), **options
    )


def user_of(stack: Stack, *, rights: int) -> User:
    return next(user for user in stack.seerr.users.values() if user.permissions == rights)


def told(reports: tuple[AnyReport, ...]) -> RequestReport:
    """Return what is reported of the request."""
    (report,) = (report for report in reports if isinstance(report, RequestReport))
    assert report.confirmed
    assert report.origin.via is Via.ACTION
    return report


def test_it_is_known_for_what_it_can(client: SeerrClient) -> None:
    assert isinstance(client, SearchesMedia)
    assert isinstance(client, TakesRequests)


# --- search --------------------------------------------------------------------------------


@every_flavour
async def test_titles_are_found_by_several_words(
    stack: Stack, client: SeerrClient, film: Film
) -> None:
    (hit,) = await client.search("amber ferry", None)

    assert hit.title.media_type is MediaType.MOVIE
    assert (hit.title.name, hit.title.year, hit.title.ids.tmdb) == (
        film.title,
        film.year,
        film.tmdb_id,
    )
    assert not hit.requested
    assert not hit.playable
    assert await client.search("amber ferry", MediaType.SERIES) == ()
    assert await client.search("no such & title + 100%", None) == ()


@every_flavour
async def test_what_is_there_or_asked_for_is_said(
    stack: Stack, client: SeerrClient, film: Film
) -> None:
    ask(stack, film, by="Ada")
    (hit,) = await client.search("Amber Ferry", MediaType.MOVIE)
    assert (hit.requested, hit.playable) == (True, False)

    stack.seerr.media[1].hd.status = Presence.AVAILABLE
    (hit,) = await client.search("Amber Ferry", MediaType.MOVIE)
    assert (hit.requested, hit.playable) == (True, True)


async def test_an_answer_without_results_is_none(
    client: SeerrClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, "GET", lambda: Answer(status=200, body=b'{"page": 1}'))
    with pytest.raises(BadAnswerError):
        await client.search("Amber", None)


# --- users ---------------------------------------------------------------------------------


@every_flavour
async def test_users_are_listed_with_their_rights(stack: Stack, client: SeerrClient) -> None:
    for number in range(250):
        stack.seerr.user(f"Guest {number}")
    stack.seerr.reset_counts()

    accounts = {account.id: account for account in await client.accounts()}

    assert accounts.keys() == stack.seerr.users.keys()
    for user in stack.seerr.users.values():
        account = accounts[user.id]
        assert account.manages is user.may(MANAGE_REQUESTS)
        assert ((MediaType.MOVIE, Tier.HD) in account.requests) is (
            user.may(REQUEST) or account.manages
        )
        assert user.name.casefold() in account.names
    assert len(stack.seerr.calls) == 3


def test_an_account_has_no_address() -> None:
    account = read_account(
        {
            "id": 7,
            "displayName": "mia@example.org",
            "email": "mia@example.org",
            "plexUsername": "Mia Plex",
            "permissions": 1024,
        }
    )
    assert account is not None
    assert (account.name, account.names) == ("mia", frozenset({"mia", "mia plex"}))
    assert account.requests == {(MediaType.MOVIE, Tier.UHD), (MediaType.SERIES, Tier.UHD)}
    assert read_account({"displayName": "nobody"}) is None


# --- asking --------------------------------------------------------------------------------


@every_flavour
@pytest.mark.parametrize("tier", [Tier.HD, Tier.UHD])
async def test_a_film_is_asked_for(
    stack: Stack, client: SeerrClient, film: Film, tier: Tier
) -> None:
    report = told(await client.request(SEERR, wish_for(film, tier=tier), now_of(stack)))

    (item,) = stack.seerr.requests.values()
    assert report.request_id == item.id
    assert report.tier is tier
    assert item.is4k is (tier is Tier.UHD)
    assert report.title.name == film.title
    assert report.decision is Decision.APPROVED
    assert item.by.id == 1


@every_flavour
async def test_some_seasons_or_all_of_them_are_asked_for(
    stack: Stack, client: SeerrClient, show: Show
) -> None:
    report = told(await client.request(SEERR, wish_for(show, seasons=(2,)), now_of(stack)))
    assert report.seasons == (2,)
    report = told(await client.request(SEERR, wish_for(show), now_of(stack)))
    assert report.seasons == (1,)
    with pytest.raises(NothingLeftError):
        await client.request(SEERR, wish_for(show), now_of(stack))
    assert len(stack.seerr.requests) == 2


@every_flavour
async def test_somebody_asks_with_the_rights_of_their_own(
    stack: Stack, client: SeerrClient, film: Film
) -> None:
    child = stack.seerr.user("Child", REQUEST)
    report = told(await client.request(SEERR, wish_for(film), now_of(stack), account=child.id))
    assert report.decision is Decision.PENDING
    assert report.requester is not None
    assert (report.requester.id, report.requester.name) == (child.id, "Child")


def refuse_rights(stack: Stack, child: User, film: Film) -> None:
    child.permissions = 0


def refuse_quota(stack: Stack, child: User, film: Film) -> None:
    child.movie_quota = 1
    ask(stack, stack.catalogue.film("Quiet Waltz"), by="Child")


def refuse_twice(stack: Stack, child: User, film: Film) -> None:
    ask(stack, film, by="Child")


def refuse_blocked(stack: Stack, child: User, film: Film) -> None:
    item = ask(stack, film, by="Child")
    item.copy.status = Presence.BLOCKED
    stack.seerr.requests.clear()


def refuse_csrf(stack: Stack, child: User, film: Film) -> None:
    stack.seerr.csrf_protection = True


@every_flavour
@pytest.mark.parametrize(
    ("refuse", "error"),
    [
        (refuse_rights, NotPermittedError),
        (refuse_quota, QuotaError),
        (refuse_twice, AlreadyRequestedError),
        (refuse_blocked, BlockedError),
        (refuse_csrf, ForbiddenError),
    ],
)
async def test_why_it_is_refused_is_said(
    stack: Stack,
    client: SeerrClient,
    film: Film,
    refuse: Callable[[Stack, User, Film], None],
    error: type[Exception],
) -> None:
    child = stack.seerr.user("Child", REQUEST)
    refuse(stack, child, film)
    before = len(stack.seerr.requests)
    with pytest.raises(error) as refused:
        await client.request(SEERR, wish_for(film), now_of(stack), account=child.id)
    assert type(refused.value) is error
    assert len(stack.seerr.requests) == before


async def test_a_title_that_seerr_does_not_know_is_not_asked_for(
    stack: Stack, client: SeerrClient
) -> None:
    nobody = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(imdb="tt0000404"))
    with pytest.raises(NotFoundError):
        await client.request(SEERR, Wish(title=nobody), now_of(stack))
    unknown = TitleRef(media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=404_404))
    with pytest.raises(ServerFaultError):
        await client.request(SEERR, Wish(title=unknown), now_of(stack))


# --- decisions -----------------------------------------------------------------------------


def pending(stack: Stack, film: Film) -> Request:
    stack.seerr.user("Child", REQUEST)
    return ask(stack, film, by="Child")


@every_flavour
async def test_decisions_are_made_and_read_back(
    stack: Stack, client: SeerrClient, film: Film
) -> None:
    item = pending(stack, film)
    manager = stack.seerr.user("Anna", MANAGE_REQUESTS)

    report = told(await client.decline(SEERR, item.id, now_of(stack), account=manager.id))
    assert (report.request_id, report.decision) == (item.id, Decision.DECLINED)
    assert item.modified_by is manager

    report = told(await client.approve(SEERR, item.id, now_of(stack)))
    assert report.decision is Decision.APPROVED
    assert item.status == Status.APPROVED

    item.status = Status.FAILED
    report = told(await client.retry(SEERR, item.id, now_of(stack)))
    assert report.decision is Decision.APPROVED

    report = told(await client.delete(SEERR, item.id, now_of(stack)))
    assert report.decision is Decision.REMOVED
    assert not stack.seerr.requests


@every_flavour
async def test_who_may_not_decide_does_not(stack: Stack, client: SeerrClient, film: Film) -> None:
    item = pending(stack, film)
    other = stack.seerr.user("Other", REQUEST)
    for decide in (client.approve, client.decline, client.retry, client.delete):
        with pytest.raises(NotPermittedError):
            await decide(SEERR, item.id, now_of(stack), account=other.id)
    assert item.status == Status.PENDING
    assert item.id in stack.seerr.requests


async def test_a_request_that_is_gone_is_not_decided(stack: Stack, client: SeerrClient) -> None:
    for decide in (client.approve, client.decline, client.retry):
        with pytest.raises(NotFoundError):
            await decide(SEERR, 404, now_of(stack))
    report = told(await client.delete(SEERR, 404, now_of(stack)))
    assert report.decision is Decision.REMOVED


def answering(monkeypatch: pytest.MonkeyPatch, method: str, answer: Callable[[], Answer]) -> None:
    """Have calls of one kind answered otherwise than the service would."""
    send = JsonClient.send

    async def answered(self: JsonClient, verb: str, path: str, **options: Any) -> Answer:
        if verb == method:
            return answer()
        return await send(self, verb, path, **options)

    monkeypatch.setattr(JsonClient, "send", answered)


@pytest.mark.parametrize("status", [200, 202])
async def test_a_yes_that_changed_nothing_is_no_success(
    stack: Stack,
    client: SeerrClient,
    film: Film,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    item = pending(stack, film)
    answering(monkeypatch, "POST", lambda: Answer(status=status, body=b"{}"))
    answering(monkeypatch, "DELETE", lambda: Answer(status=204, body=b""))
    for decide in (client.approve, client.decline, client.delete):
        with pytest.raises(NotDoneError):
            await decide(SEERR, item.id, now_of(stack))
    other = stack.catalogue.film("Quiet Waltz")
    with pytest.raises(NotDoneError if status == 200 else NothingLeftError):
        await client.request(SEERR, wish_for(other), now_of(stack))


async def test_a_request_that_is_not_there_afterwards_was_not_made(
    stack: Stack, client: SeerrClient, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"id": 77, "type": "movie", "status": 2, "media": {"tmdbId": 9001}}'
    answering(monkeypatch, "POST", lambda: Answer(status=201, body=body))
    with pytest.raises(NotDoneError):
        await client.request(SEERR, wish_for(film), now_of(stack))


@pytest.mark.parametrize("status", [400, 405, 500])
async def test_a_refusal_without_a_reason_is_told_by_its_number(
    stack: Stack,
    client: SeerrClient,
    film: Film,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    item = pending(stack, film)
    answering(monkeypatch, "POST", lambda: Answer(status=status, body=b"<html>"))
    with pytest.raises(ServerFaultError, match=str(status)):
        await client.approve(SEERR, item.id, now_of(stack))


@pytest.mark.parametrize("done", [True, False])
async def test_who_does_not_answer_may_have_done_it(
    stack: Stack, client: SeerrClient, film: Film, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    item = pending(stack, film)
    send = JsonClient.send

    async def silent(self: JsonClient, verb: str, path: str, **options: Any) -> Answer:
        if verb == "GET":
            return await send(self, verb, path, **options)
        if done:
            await send(self, verb, path, **options)
        raise TimedOutError

    monkeypatch.setattr(JsonClient, "send", silent)
    for decide, decision in (
        (client.approve, Decision.APPROVED),
        (client.delete, Decision.REMOVED),
    ):
        if done:
            assert told(await decide(SEERR, item.id, now_of(stack))).decision is decision
        else:
            with pytest.raises(TimedOutError):
                await decide(SEERR, item.id, now_of(stack))


async def test_an_administrator_manages(stack: Stack) -> None:
    account = read_account({"id": 1, "permissions": ADMIN})
    assert account is not None
    assert account.manages
    assert len(account.requests) == 4
