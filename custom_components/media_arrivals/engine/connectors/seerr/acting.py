"""What a Seerr can be made to do: search, request, approve, decline, retry, delete."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final, override

from ...board.models import (
    AnyReport,
    Decision,
    MediaType,
    Origin,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..acting import (
    Account,
    AlreadyRequestedError,
    BlockedError,
    Hit,
    NotDoneError,
    NothingLeftError,
    NotPermittedError,
    QuotaError,
    SearchesMedia,
    TakesRequests,
    Wish,
)
from ..base import (
    BadAnswerError,
    ForbiddenError,
    Json,
    NotFoundError,
    ServerFaultError,
    ServiceError,
    TimedOutError,
)
from ..http import Answer, JsonClient
from . import answers
from .answers import SeerrRequest

_REQUEST: Final = "/api/v1/request"
_HAND_OVER_WAIT: Final = 30.0
"""Seerr answers an approval when Radarr or Sonarr has taken the title, or refused it."""
_USERS_PAGE: Final = 100
_MAX_USER_PAGES: Final = 50

_ADMIN: Final = 2
_MANAGES: Final = _ADMIN | 16
_ASKS: Final[Mapping[tuple[MediaType, Tier], int]] = {
    (MediaType.MOVIE, Tier.HD): 32 | 262144,
    (MediaType.SERIES, Tier.HD): 32 | 524288,
    (MediaType.MOVIE, Tier.UHD): 1024 | 2048,
    (MediaType.SERIES, Tier.UHD): 1024 | 4096,
}
"""The rights of which one is enough to ask for something."""
_NAMES: Final = ("displayName", "username", "plexUsername", "jellyfinUsername")

_APPROVED: Final = frozenset({Decision.APPROVED, Decision.COMPLETED, Decision.FAILED})
"""A hand-over that failed was approved before."""
_RETRIED: Final = frozenset({Decision.APPROVED, Decision.COMPLETED})


class SeerrActions(SearchesMedia, TakesRequests):
    """The half of a Seerr's client that changes something."""

    _api: JsonClient

    @abstractmethod
    async def _request(self, number: int) -> SeerrRequest:
        """Read one request."""

    @abstractmethod
    async def _details(self, title: TitleRef) -> answers.Details | None:
        """Read a title's own page, and keep what it is called."""

    @abstractmethod
    def _reports(self, origin: Origin, request: SeerrRequest, now: float) -> tuple[AnyReport, ...]:
        """Say what a request that was read just now comes to."""

    # --- search ---------------------------------------------------------------------------

    @override
    async def search(self, text: str, media_type: MediaType | None) -> tuple[Hit, ...]:
        """Find titles in the server's language; people and collections are left out."""
        body = await self._api.get("/api/v1/search", {"query": text})
        found = payload.mapping(body)
        if "results" not in found:
            raise BadAnswerError("no results")
        hits = (answers.read_hit(row) for row in payload.rows(found["results"]))
        return tuple(
            hit for hit in hits if hit is not None and media_type in {None, hit.title.media_type}
        )

    # --- users ----------------------------------------------------------------------------

    @override
    async def accounts(self) -> tuple[Account, ...]:
        """Return all users; only an administrator's key may list them."""
        found: dict[int, Account] = {}
        for page in range(_MAX_USER_PAGES):
            body = await self._api.get(
                "/api/v1/user", {"take": _USERS_PAGE, "skip": page * _USERS_PAGE}
            )
            rows = payload.rows(payload.mapping(body).get("results"))
            found |= {
                account.id: account for row in rows if (account := read_account(row)) is not None
            }
            if len(rows) < _USERS_PAGE:
                break
        return tuple(found.values())

    # --- requests -------------------------------------------------------------------------

    @override
    async def request(
        self, service: Service, wish: Wish, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Ask for a title, and read back the request that was created."""
        title = wish.title
        film = title.media_type is MediaType.MOVIE
        details = await self._details(title)
        if details is None or details.title.ids.tmdb is None:
            raise NotFoundError("no TMDB id")
        seasons: list[Json] = [*(wish.seasons or ())]
        body: dict[str, Json] = {
            "mediaType": "movie" if film else "tv",
            "mediaId": details.title.ids.tmdb,
            "is4k": wish.tier is Tier.UHD,
        }
        if not film:
            body["seasons"] = seasons or "all"
            body["tvdbId"] = details.title.ids.tvdb
        answer = await self._change("POST", _REQUEST, account, body)
        if answer.status == 202:
            raise NothingLeftError
        await _refuse(answer, account)
        created = answers.read_requests(await answer.json(), self._api.clock_offset)
        if not created:
            raise NotDoneError
        try:
            read = await self._request(created[0].id)
        except NotFoundError as err:
            raise NotDoneError from err
        return self._reports(_origin(service), read, now)

    @override
    async def approve(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Approve a request."""
        return await self._decide(
            service, request_id, now, verb="approve", wanted=_APPROVED, account=account
        )

    @override
    async def decline(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Decline a request."""
        declined = frozenset({Decision.DECLINED})
        return await self._decide(
            service, request_id, now, verb="decline", wanted=declined, account=account
        )

    @override
    async def retry(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Have a failed request handed over again."""
        return await self._decide(
            service, request_id, now, verb="retry", wanted=_RETRIED, account=account
        )

    @override
    async def delete(
        self, service: Service, request_id: int, now: float, *, account: int | None = None
    ) -> tuple[AnyReport, ...]:
        """Delete a request; one that is gone already is as good."""
        failed: ServiceError | None = None
        try:
            answer = await self._change("DELETE", f"{_REQUEST}/{request_id}", account)
            if answer.status != 404:
                await _refuse(answer, account)
        except TimedOutError as err:
            failed = err
        try:
            await self._request(request_id)
        except NotFoundError:
            return (answers.removed_request(request_id, None, _origin(service), now),)
        raise failed or NotDoneError

    async def _decide(
        self,
        service: Service,
        request_id: int,
        now: float,
        *,
        verb: str,
        wanted: frozenset[Decision],
        account: int | None,
    ) -> tuple[AnyReport, ...]:
        """Make a decision, and read back whether it stands.

        Whoever did not answer in time may have done it all the same.
        """
        failed: ServiceError | None = None
        try:
            answer = await self._change("POST", f"{_REQUEST}/{request_id}/{verb}", account)
            await _refuse(answer, account)
        except TimedOutError as err:
            failed = err
        read = await self._request(request_id)
        if read.decision not in wanted:
            raise failed or NotDoneError
        return self._reports(_origin(service), read, now)

    async def _change(
        self, method: str, path: str, account: int | None, body: Json = None
    ) -> Answer:
        """Make a call that changes something, in somebody's name."""
        return await self._api.send(
            method,
            path,
            body=body,
            wait=_HAND_OVER_WAIT,
            headers={} if account is None else {"X-API-User": str(account)},
            accept={202, 400, 401, 403, 404, 405, 409, 500},
        )


def read_account(row: payload.Object) -> Account | None:
    """Read a user, without the e-mail address."""
    number = payload.identifier(row.get("id"))
    if number is None:
        return None
    names = [name for key in _NAMES if (name := answers.person_name(row.get(key))) is not None]
    rights = payload.integer(row.get("permissions")) or 0
    return Account(
        id=number,
        name=names[0] if names else str(number),
        names=frozenset(name.casefold() for name in names),
        manages=bool(rights & _MANAGES),
        requests=frozenset(what for what, needed in _ASKS.items() if rights & (needed | _MANAGES)),
    )


def _origin(service: Service) -> Origin:
    return Origin(service=service.id, kind=service.kind, role=service.role, via=Via.ACTION)


async def _refuse(answer: Answer, account: int | None) -> None:
    """Say in our words why a change was refused; CSRF protection refuses every one."""
    if answer.ok:
        return
    said = await said_by(answer)
    reason = said.casefold()
    match answer.status:
        case 409:
            raise AlreadyRequestedError(said)
        case 403 if "csrf" in reason:
            raise ForbiddenError("its CSRF protection is on")
        case 403 if "quota" in reason:
            raise QuotaError(said)
        case 403 if "blocklisted" in reason or "blacklisted" in reason:
            raise BlockedError(said)
        case 401 | 403 if account is not None:
            raise NotPermittedError(said)
        case 401 | 403:
            # A key that is wrong cannot have read the request before.
            raise ForbiddenError(said)
        case 404:
            raise NotFoundError(said)
        case _:
            raise ServerFaultError(said)


async def said_by(answer: Answer) -> str:
    """Read why the service refused; without addresses and secrets."""
    try:
        body = payload.mapping(await answer.json())
    except BadAnswerError:
        return str(answer.status)
    said = payload.prose(body.get("message")) or payload.prose(body.get("error"))
    return said or str(answer.status)
