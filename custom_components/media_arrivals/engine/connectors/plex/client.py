"""The API of a Plex Media Server: what is asked, when, and what follows from it."""

import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final, override

from ...board.models import AnyReport, Question, QuestionKind, Service
from .. import payload
from ..base import (
    Client,
    Connection,
    Cursor,
    Decoded,
    Identity,
    IndexPage,
    InstallsWebhook,
    Json,
    KnownUser,
    KnowsUsers,
    Library,
    LibraryIndex,
    NeedsIndex,
    NotFoundError,
    Poll,
    PollView,
    RemoteWebhook,
    ScansFolders,
    ServiceError,
    WebhookCause,
    WebhookError,
    WebhookTarget,
    WrongServiceError,
)
from ..http import JsonClient, Session
from . import decode, reading
from .account import AccountWebhooks, PlexTv, identifying
from .api import BARE, PlexApi
from .history import Place, Viewings, completed, read_history
from .library import Titles, Wanted
from .news import Known, News, read_news
from .notices import Notices

_OWNER_WAIT: Final = 5.0


class PlexClient(Client, InstallsWebhook, KnowsUsers, ScansFolders, NeedsIndex):
    """The API half of the Plex connector."""

    index: LibraryIndex | None = None
    index_complete: bool = False

    def __init__(
        self,
        session: Session,
        connection: Connection,
        *,
        client_id: str = "",
        plex_tv: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Talk to one server; ``plex_tv`` is another address in tests.

        The id that Plex knows us by follows from ``client_id``, else from the connection's.
        """
        lasting = client_id or connection.client_id or connection.url
        self._http = JsonClient(
            session,
            connection,
            headers={"X-Plex-Token": connection.api_key, **identifying(lasting)},
            clock=clock,
        )
        self._api = PlexApi(self._http)
        self._titles = Titles(self._api, self)
        self._token = connection.api_key
        self._plex_tv = PlexTv(session, client_id=lasting, base=plex_tv)
        self._webhooks = AccountWebhooks(self._plex_tv, connection.api_key)

    @property
    @override
    def clock_offset(self) -> float:
        """Seconds that the server's clock is ahead of ours."""
        return self._http.clock_offset

    @override
    async def identify(self) -> Identity:
        """Say who answers, after checking the token; and who owns the server, if plex.tv says."""
        try:
            who = payload.mapping(await self._http.get("/identity"))
        except NotFoundError as err:
            raise WrongServiceError from err
        told = payload.mapping(who.get("MediaContainer"))
        server_id = payload.text(told.get("machineIdentifier"))
        if server_id is None:
            raise WrongServiceError
        root = await self._api.container("/")
        return Identity(
            kind="plex",
            product="Plex",
            name=payload.text(root.get("friendlyName"), 64) or "Plex",
            version=payload.text(told.get("version"), 32) or "",
            server_id=server_id,
            owner_id=await self._owner(server_id),
        )

    async def _owner(self, server_id: str) -> str | None:
        """Ask plex.tv who owns the server: the server itself says only 1."""
        try:
            servers = await self._plex_tv.servers(self._token, wait=_OWNER_WAIT)
            ours = next((one for one in servers if one.server_id == server_id), None)
            if ours is None or not ours.owned:
                return None if ours is None else ours.owner_id
            return (await self._plex_tv.account(self._token)).id
        except ServiceError:
            # A home without a way out, or a token that only the server knows: it works without.
            return None

    @override
    async def known_users(self) -> tuple[KnownUser, ...]:
        """Return who has played something here; 0 is whoever was not signed in."""
        answer = await self._api.container("/accounts")
        return tuple(
            KnownUser(id=number, name=payload.text(row.get("name"), 64) or number)
            for row in payload.rows(answer.get("Account"))
            if (number := payload.opaque_id(row.get("id"))) is not None
        )

    # --- polling -----------------------------------------------------------------------------

    @override
    async def baseline(self, service: Service, now: float, *, finished_days: int) -> Poll:
        """Note where the additions and the history stand."""
        news = await read_news(self._api, Known())
        return Poll(cursor=_cursor(news, frozenset(), Place(upto=now + self.clock_offset)))

    @override
    async def poll(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Read what was added and what is played; who watched, once somebody stops."""
        return await self._poll(service, cursor, now, history=False)

    @override
    async def sync(self, service: Service, cursor: Cursor, view: PollView, now: float) -> Poll:
        """Do the light poll, look at every open title, and read who watched."""
        poll = await self._poll(service, cursor, now, history=True)
        wanted = [
            Wanted(title=title, played=view.played_seasons.get(title, ()))
            for title in view.open_titles
        ]
        found = await self._titles.look(service, wanted, now)
        return replace(
            poll,
            reports=(*poll.reports, *found),
            checked=poll.checked + len(view.open_titles),
        )

    async def _poll(self, service: Service, cursor: Cursor, now: float, *, history: bool) -> Poll:
        news = await read_news(self._api, _known(cursor))
        await self._titles.take_in(news.rows)
        body = await self._http.get("/status/sessions", BARE)
        sessions = _sessions(body)
        upto = payload.number(cursor.get("history"))
        place = Place(
            upto=now + self.clock_offset if upto is None else upto,
            seen=tuple(sorted(_texts(cursor.get("seen")))),
        )
        viewings = Viewings(place=place, waiting={})
        if history or _texts(cursor.get("playing")) - sessions:
            viewings = await read_history(self._api, service, place, now)
        known = await self._titles.ids_of(viewings.waiting)
        watched = [
            completed(about, known[item])
            for item, waiting in viewings.waiting.items()
            if item in known
            for about in waiting
        ]
        # Of a whole library, what somebody waits for is asked for once the index knows it.
        rows = () if news.beyond and self.index is not None else news.rows
        questions = (reading.item_question(service, row) for row in rows)
        return Poll(
            reports=(*viewings.reports, *watched),
            questions=tuple(dict.fromkeys(one for one in questions if one is not None)),
            sightings=viewings.sightings,
            cursor=_cursor(news, sessions, viewings.place),
            playing=decode.playing(body),
            checked=len(news.rows),
            beyond=news.beyond,
        )

    @override
    async def answer(
        self, service: Service, question: Question, now: float
    ) -> tuple[AnyReport, ...]:
        """Read what a delivery or the board left open."""
        if question.kind is QuestionKind.ITEM and question.item is not None:
            return await self._titles.item(service, question, question.item, question.seasons, now)
        if question.kind is QuestionKind.AVAILABILITY and question.title is not None:
            wanted = Wanted(title=question.title, seasons=question.seasons)
            return await self._titles.look(service, [wanted], now)
        return ()

    # --- the library -------------------------------------------------------------------------

    @override
    async def index_page(self, resume: Json) -> IndexPage:
        """Read one page of all films and series; ``None`` begins."""
        return await self._titles.index_page(resume)

    @override
    async def libraries(self) -> tuple[Library, ...]:
        """Return the libraries of films and series."""
        return await self._titles.libraries()

    @override
    async def scan(self, library: Library, folder: str | None) -> None:
        """Have a folder looked into; ``None``: the whole library."""
        path = f"/library/sections/{library.id}/refresh"
        await self._http.send("GET", path, params={"path": folder})

    # --- webhook and websocket ---------------------------------------------------------------

    @override
    async def read_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Read our webhook back from the account."""
        return await self._webhooks.read(target)

    @override
    async def install_webhook(self, target: WebhookTarget) -> RemoteWebhook:
        """Enter our webhook in the account; it needs a Plex Pass.

        Its address is its only secret: Plex sends no header of ours, and whether it sends a
        user and a password that stand in the address is not known.
        """
        return await self._webhooks.install(target)

    @override
    async def test_webhook(self, target: WebhookTarget) -> None:
        """Raise :class:`WebhookError` with ``NOT_TESTABLE``: Plex has no test.

        The webhook is proven by the first delivery that arrives at it, of whatever event: wait
        for that instead of a test delivery. Somebody plays something, or something is added.
        """
        raise WebhookError(WebhookCause.NOT_TESTABLE, "Plex has no test")

    @override
    async def remove_webhook(self, target: WebhookTarget) -> None:
        """Take our webhook out of the account."""
        await self._webhooks.remove(target)

    async def listen(self, service: Service, on_event: Callable[[Decoded], None]) -> None:
        """Tell what the server pushes, for homes without webhooks, until it closes.

        Returns when the server closes the connection, raises :class:`ServiceError` when it
        breaks or cannot be made. To connect again, after a pause, is the caller's affair; so is
        a poll then, because nothing is pushed again.
        """
        notices = Notices(service)
        async with aclosing(self._http.messages("/:/websockets/notifications")) as messages:
            async for message in messages:
                if (told := notices.read(message)) is not None:
                    on_event(told)


def _cursor(news: News, sessions: frozenset[str], place: Place) -> Cursor:
    return {
        "added": list(news.known.marks),
        "newest": news.known.newest,
        "crowded": news.known.crowded,
        "playing": sorted(sessions),
        "history": place.upto,
        "seen": list(place.seen),
    }


def _known(cursor: Cursor) -> Known:
    newest = payload.number(cursor.get("newest"))
    if newest is None:
        return Known()
    return Known(
        marks=_texts(cursor.get("added")),
        newest=newest,
        crowded=cursor.get("crowded") is True,
    )


def _texts(value: Json) -> frozenset[str]:
    return frozenset(one for one in payload.items(value) if isinstance(one, str))


def _sessions(body: Json) -> frozenset[str]:
    """Name what is being played: another film in one session is another name."""
    return frozenset(
        f"{row.get('sessionKey')}:{reading.key_of(row)}"
        for row in reading.rows(reading.container(body))
    )
