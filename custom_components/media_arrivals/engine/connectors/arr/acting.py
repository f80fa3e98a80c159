"""What Radarr and Sonarr can be made to do: find, fetch, and look for releases again."""

from abc import abstractmethod
from dataclasses import replace
from typing import Final, override

from ...board.models import AnyReport, HeldReport, MediaType, Service, TitleRef, Via
from .. import payload
from ..acting import (
    Hit,
    NotDoneError,
    Profile,
    RootFolder,
    SearchesMedia,
    TakesTitles,
    Wish,
)
from ..base import BadAnswerError, Json, NotFoundError, ServerFaultError
from ..http import Answer, JsonClient
from ..payload import Object
from .decode import ArrDecoder
from .reading import API, LONG, joined, records

_EXISTS: Final = "already been added"
_LANGUAGE: Final = "languageprofileid"
_ENDED_BADLY: Final = frozenset({"failed", "aborted", "cancelled", "orphaned"})
_HITS: Final = 20


class ArrActions(SearchesMedia, TakesTitles):
    """The half of a client that changes something in a Radarr or Sonarr."""

    decoder: ArrDecoder
    media_type: MediaType
    _http: JsonClient

    @abstractmethod
    async def find(self, title: TitleRef) -> Object | None:
        """Return the title as the service holds it, empty if it does not."""

    @abstractmethod
    async def _read_title(
        self, service: Service, now: float, title: TitleRef, seasons: tuple[int, ...] = ()
    ) -> tuple[AnyReport, ...]:
        """Read what the service holds of a title."""

    @abstractmethod
    def term(self, title: TitleRef) -> str | None:
        """Return what finds exactly this title in the service's own search."""

    @abstractmethod
    def new(self, found: Object, wish: Wish) -> dict[str, Json]:
        """Return what adds a title that was found, beside its profile and folder."""

    @abstractmethod
    def wanted(self, held: Object, wish: Wish) -> dict[str, Json]:
        """Return a title as the service holds it, with what is wanted monitored."""

    @abstractmethod
    def commands(self, own_id: int, seasons: tuple[int, ...]) -> tuple[dict[str, Json], ...]:
        """Return what has releases looked for."""

    # --- search ---------------------------------------------------------------------------

    @override
    async def search(self, text: str, media_type: MediaType | None) -> tuple[Hit, ...]:
        """Find titles in the metadata that the service uses."""
        if media_type not in {None, self.media_type}:
            return ()
        rows = await self._look_up(text)
        hits = []
        for row in rows[:_HITS]:
            title = self.decoder.title_of(row)
            if title is not None:
                there = payload.identifier(row.get("id")) is not None
                full = there and (
                    payload.boolean(row.get("hasFile")) is True
                    or payload.number(
                        payload.mapping(row.get("statistics")).get("percentOfEpisodes")
                    )
                    == 100
                )
                hits.append(Hit(title=replace(title, own_id=None), requested=there, playable=full))
        return tuple(hits)

    async def _look_up(self, term: str) -> tuple[Object, ...]:
        body = await self._http.get(
            f"{API}/{self.decoder.title_key}/lookup", {"term": term}, wait=LONG
        )
        rows = records(body)
        if rows is None:
            raise BadAnswerError("no search results")
        return rows

    # --- what there is to choose from -------------------------------------------------------

    @override
    async def profiles(self) -> tuple[Profile, ...]:
        """Return the quality profiles."""
        rows = records(await self._http.get(f"{API}/qualityprofile"))
        return tuple(
            Profile(id=number, name=payload.text(row.get("name"), 64) or str(number))
            for row in rows or ()
            if (number := payload.identifier(row.get("id"))) is not None
        )

    @override
    async def root_folders(self) -> tuple[RootFolder, ...]:
        """Return the root folders."""
        rows = records(await self._http.get(f"{API}/rootfolder"))
        return tuple(
            RootFolder(
                path=path,
                accessible=payload.boolean(row.get("accessible")) is not False,
                free=payload.number(row.get("freeSpace")),
            )
            for row in rows or ()
            if (path := payload.text(row.get("path"), 4096)) is not None
        )

    # --- fetching ---------------------------------------------------------------------------

    @override
    async def add(
        self, service: Service, wish: Wish, now: float, *, profile: int, folder: str
    ) -> tuple[AnyReport, ...]:
        """Have a title monitored and searched, and read back that it is."""
        held = await self.find(wish.title)
        if held is None:
            raise NotFoundError("no id to find it by")
        if not held:
            held = await self._added(wish, profile, folder)
        if held:
            await self._want(held, wish)
        held = await self.find(wish.title)
        if not held or self.wanted(held, wish) != held:
            raise NotDoneError
        reports = await self._read_title(service, now, wish.title, wish.seasons or ())
        return tuple(_done(report) for report in reports)

    async def _added(self, wish: Wish, profile: int, folder: str) -> Object:
        """Add a title; return it if it was there already, by whoever was quicker."""
        term = self.term(wish.title)
        rows = () if term is None else await self._look_up(term)
        if not rows:
            raise NotFoundError("its metadata are not found")
        body: dict[str, Json] = {
            **self.new(rows[0], wish),
            "qualityProfileId": profile,
            "rootFolderPath": folder,
            "monitored": True,
            "tags": [],
        }
        path = f"{API}/{self.decoder.title_key}"
        answer = await self._http.send("POST", path, body=body, wait=LONG, accept={400})
        if not answer.ok and _LANGUAGE in (await _reasons(answer)).casefold():
            # Sonarr 3 has profiles for languages, too.
            languages = records(await self._http.get(f"{API}/languageprofile")) or ()
            body["languageProfileId"] = next((row.get("id") for row in languages), None)
            answer = await self._http.send("POST", path, body=body, wait=LONG, accept={400})
        if answer.ok:
            return {}
        reasons = await _reasons(answer)
        if _EXISTS in reasons:
            return await self.find(wish.title) or {}
        raise ServerFaultError(reasons or str(answer.status))

    async def _want(self, held: Object, wish: Wish) -> None:
        """Have what is there already monitored, and looked for."""
        own_id = payload.identifier(held.get("id"))
        if own_id is None:
            raise BadAnswerError(f"a {self.decoder.title_key} without an id")
        wanted = self.wanted(held, wish)
        if wanted != held:
            path = f"{API}/{self.decoder.title_key}/{own_id}"
            answer = await self._http.send("PUT", path, body=wanted, wait=LONG, accept={400})
            if not answer.ok:
                raise ServerFaultError(await _reasons(answer) or str(answer.status))
        await self._command(own_id, wish.seasons or ())

    @override
    async def search_release(self, title: TitleRef, seasons: tuple[int, ...] = ()) -> None:
        """Have the service look for releases again."""
        held = await self.find(title)
        own_id = payload.identifier((held or {}).get("id"))
        if own_id is None:
            raise NotFoundError("it is not in this service")
        await self._command(own_id, seasons)

    async def _command(self, own_id: int, seasons: tuple[int, ...]) -> None:
        """Have something done, and read back that it is not refused."""
        for command in self.commands(own_id, seasons):
            answer = await self._http.send("POST", f"{API}/command", body=command)
            number = payload.identifier(payload.mapping(await answer.json()).get("id"))
            if number is None:
                raise NotDoneError
            state = payload.mapping(await self._http.get(f"{API}/command/{number}"))
            if payload.word(state.get("status")) in _ENDED_BADLY:
                raise NotDoneError(payload.prose(state.get("message")) or "")


def _done(report: AnyReport) -> AnyReport:
    """Return a report as of an action.

    What is added by hand opens an arrival, also where the service tells nobody.
    """
    origin = replace(report.origin, via=Via.ACTION)
    if isinstance(report, HeldReport):
        return replace(report, origin=origin, opens=report.held)
    return replace(report, origin=origin)


async def _reasons(answer: Answer) -> str:
    """Read why something is refused: a list of faults, or one message."""
    try:
        body = await answer.json()
    except BadAnswerError:
        return ""
    rows = records(body) or ()
    said = [
        f"{payload.text(row.get('propertyName'), 64)}: {payload.prose(row.get('errorMessage'))}"
        for row in rows
    ]
    return joined(said) or payload.prose(payload.mapping(body).get("message")) or ""
