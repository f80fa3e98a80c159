"""What is on the board, how it is found, and how many there are of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from .claims import running
from .lifecycle import FINISHED, Household, same_tier
from .matching import TitleIndex
from .models import (
    Arrival,
    Decision,
    ExternalIds,
    MediaType,
    Person,
    Request,
    RequestKey,
    Role,
    Service,
    Stage,
    Tier,
    Title,
    TitleRef,
)

DAY: Final = 86_400.0

_PLAYABLE: Final = frozenset({Stage.DOWNLOADED, Stage.AVAILABLE})


class Register:
    """Titles, arrivals and requests with their indexes; a look-up costs the same always."""

    def __init__(self) -> None:
        """Start empty."""
        self._services: dict[str, Service] = {}
        self._house = Household.of({})
        self._titles = TitleIndex()
        self._arrivals: dict[str, Arrival] = {}
        self._of_title: dict[str, tuple[str, ...]] = {}
        self._aliases: dict[str, str] = {}
        self._requests: dict[RequestKey, Request] = {}
        self._people: dict[Person | None, Person | None] = {}
        """Whoever asks often is kept once."""
        self._open_requests: dict[str, dict[int, None]] = {}
        self._running: dict[str, dict[str, tuple[str, ...]]] = {}
        self._open: dict[str, None] = {}
        self._finished: dict[str, float] = {}
        self._counts: Counter[Stage] = Counter()
        self._pending = 0

    # --- queries ------------------------------------------------------------------------

    @property
    def services(self) -> Mapping[str, Service]:
        """Return the services, by id."""
        return self._services

    @property
    def counts(self) -> Mapping[Stage, int]:
        """Return how many live arrivals are in each stage."""
        return self._counts

    @property
    def pending(self) -> int:
        """Return how many requests wait for approval."""
        return self._pending

    def arrivals(self) -> Iterable[Arrival]:
        """Return all live arrivals."""
        return self._arrivals.values()

    def open_arrivals(self) -> Iterator[Arrival]:
        """Yield the live arrivals that are not finished."""
        return (self._arrivals[arrival_id] for arrival_id in self._open)

    def get(self, arrival_id: str) -> Arrival | None:
        """Return a live arrival by its id, or by that of one merged into it."""
        return self._arrivals.get(self._aliases.get(arrival_id, arrival_id))

    def title(self, title_id: str) -> Title:
        """Return a title by its id. Raises `KeyError` if it is not live."""
        title = self._titles.get(title_id)
        if title is None:
            raise KeyError(title_id)
        return title

    def request(self, key: RequestKey) -> Request | None:
        """Return a request."""
        return self._requests.get(key)

    def requests(self) -> Iterable[Request]:
        """Return all live requests."""
        return self._requests.values()

    def requests_of(self, arrival: Arrival) -> tuple[Request, ...]:
        """Return the requests for an arrival."""
        return tuple(
            request for key in arrival.requests if (request := self._requests.get(key)) is not None
        )

    def arrivals_of(self, title_id: str) -> tuple[Arrival, ...]:
        """Return the live arrivals of a title."""
        return tuple(self._arrivals[key] for key in self._of_title.get(title_id, ()))

    def find(self, media_type: MediaType, ids: ExternalIds) -> Title | None:
        """Return the title with these external ids, if it is live."""
        titles = self._titles.match(TitleRef(media_type=media_type, ids=ids), "").titles
        return titles[0] if titles else None

    def title_of(self, ref: TitleRef, service: str) -> Title | None:
        """Return the live title that a service means; ``None``: none, or several."""
        match = self._titles.match(ref, service)
        return match.titles[0] if len(match.titles) == 1 and not match.conflict else None

    def knows(self, ref: TitleRef, service: str) -> bool:
        """Tell whether the title that a service means is live."""
        match = self._titles.match(ref, service)
        return match.conflict or bool(match.titles)

    def active_downloads(self, service: str) -> frozenset[str]:
        """Return the downloads, case-folded, that should be in a service's queue."""
        return frozenset(self._running.get(service, ()))

    def open_requests(self, service: str) -> dict[int, Decision]:
        """Return the unfinished requests of a service with their decisions."""
        return {
            number: self._requests[service, number].decision.decision
            for number in self._open_requests.get(service, ())
        }

    def open_titles(self, service: str) -> tuple[TitleRef, ...]:
        """Return the titles that a service should be asked about in a sync.

        For a Radarr or Sonarr: whatever is unfinished and could be in it. For a Seerr:
        what is imported and only it can say whether that can be played. For a media server:
        what is imported, and what could be played so far.
        """
        known = self._services.get(service)
        if known is None:
            return ()
        found: dict[str, TitleRef] = {}
        if known.role is Role.WATCHING:
            return ()
        playback = known.role is Role.PLAYBACK
        for arrival in self.arrivals() if playback else self.open_arrivals():
            if arrival.title_id in found:
                continue
            title = self.title(arrival.title_id)
            if playback:
                wanted = arrival.stage in _PLAYABLE or arrival.available > 0
            elif known.role is Role.REQUESTS:
                wanted = arrival.stage is Stage.DOWNLOADED
            else:
                wanted = self._may_hold(known, title.media_type, arrival.tier)
            if wanted:
                found[title.id] = self._reference(title, service)
        return tuple(found.values())

    def played_seasons(self, service: str) -> dict[TitleRef, tuple[int, ...]]:
        """Return of which seasons a media server could play something so far, by title."""
        known = self._services.get(service)
        if known is None or known.role is not Role.PLAYBACK:
            return {}
        found: dict[str, set[int]] = {}
        for arrival in self.arrivals():
            parts = (arrival.whole, *arrival.parts.values())
            if arrival.season is not None and any(
                part.claims_of(service).playable.yes for part in parts
            ):
                found.setdefault(arrival.title_id, set()).add(arrival.season)
        return {
            self._reference(self.title(key), service): tuple(sorted(seasons))
            for key, seasons in found.items()
        }

    def imported_titles(self) -> tuple[TitleRef, ...]:
        """Return the titles of which something is imported that cannot be played yet."""
        titles = {
            arrival.title_id: None
            for arrival in self.open_arrivals()
            if arrival.stage is Stage.DOWNLOADED
        }
        return tuple(self._reference(self.title(key), "") for key in titles)

    def retirable(self, now: float, *, finished_days: float) -> tuple[str, ...]:
        """Return the arrivals that have been finished for longer than some days.

        A title's arrivals leave together: what is left of a title would hide the rest.
        """
        bound = now - finished_days * DAY
        return tuple(
            key
            for key, at in self._finished.items()
            if at < bound
            and all(
                self._finished.get(sibling, now) < bound
                for sibling in self._of_title[self._arrivals[key].title_id]
            )
        )

    @staticmethod
    def _reference(title: Title, service: str) -> TitleRef:
        """Return how to name a title to a service."""
        return TitleRef(
            media_type=title.media_type,
            ids=title.ids,
            own_id=title.own_ids.get(service),
            name=title.name,
            year=title.year,
        )

    @staticmethod
    def _may_hold(service: Service, media_type: MediaType, tier: Tier) -> bool:
        """Tell whether a title in a tier could be in a Radarr or Sonarr."""
        return (
            service.role is Role.DOWNLOADS
            and service.media_type in {None, media_type}
            and (service.tier is None or same_tier(service.tier, tier))
        )

    # --- start and end of life -----------------------------------------------------------

    def know(self, services: Iterable[Service]) -> None:
        """Take the services for which the board was stored, before it is loaded."""
        self._services = {service.id: service for service in services}
        self._house = Household.of(self._services)

    def load(
        self,
        titles: Iterable[Title],
        arrivals: Iterable[Arrival],
        requests: Iterable[Request],
    ) -> None:
        """Take what storage kept; tells nothing and works nothing out anew."""
        for title in titles:
            self._titles.put(title)
            self._of_title.setdefault(title.id, ())
        for arrival in arrivals:
            if arrival.id not in self._arrivals:
                self._store_arrival(arrival)
        for request in requests:
            if request.key not in self._requests:
                self._store_request(request)

    def unload(self, arrival_ids: Iterable[str]) -> None:
        """Take arrivals off the live board, with what only they need."""
        uncovered = {
            self.title(request.title_id).id
            for request in self._requests.values()
            if not request.arrivals
        }
        for arrival_id in arrival_ids:
            arrival = self._arrivals.get(arrival_id)
            if arrival is None:
                continue
            self._unstore_arrival(arrival)
            for key in arrival.requests:
                request = self._requests.get(key)
                if request is not None and not any(
                    other in self._arrivals for other in request.arrivals
                ):
                    self._unstore_request(request)
            if not self._of_title.get(arrival.title_id) and arrival.title_id not in uncovered:
                self._of_title.pop(arrival.title_id, None)
                self._titles.remove(arrival.title_id)

    # --- keeping the indexes ------------------------------------------------------------

    def _store_arrival(self, arrival: Arrival) -> None:
        """Keep an arrival with everything that is counted and found by it."""
        old = self._arrivals.get(arrival.id)
        if old is not None:
            self._counts[old.stage] -= 1
        else:
            siblings = self._of_title.get(arrival.title_id, ())
            self._of_title[arrival.title_id] = (*siblings, arrival.id)
        self._arrivals[arrival.id] = arrival
        self._counts[arrival.stage] += 1
        for alias in arrival.aliases:
            self._aliases[alias] = arrival.id
        if old is None or old.whole is not arrival.whole or old.parts is not arrival.parts:
            self._index_downloads(old, arrival)
        if arrival.stage in FINISHED:
            self._open.pop(arrival.id, None)
            self._finished[arrival.id] = arrival.stage_at
        else:
            self._open[arrival.id] = None
            self._finished.pop(arrival.id, None)

    def _unstore_arrival(self, arrival: Arrival) -> None:
        """Forget an arrival and what leads to it."""
        current = self._arrivals.pop(arrival.id)
        self._counts[current.stage] -= 1
        kept = self._of_title.get(current.title_id, ())
        self._of_title[current.title_id] = tuple(one for one in kept if one != current.id)
        self._index_downloads(current, None)
        self._open.pop(current.id, None)
        self._finished.pop(current.id, None)
        for alias in current.aliases:
            self._aliases.pop(alias, None)

    def _index_downloads(self, old: Arrival | None, new: Arrival | None) -> None:
        """Keep the index of running downloads."""
        before_or_after = old or new
        before, after = running(old), running(new)
        if before == after or before_or_after is None:
            return
        arrival_id = before_or_after.id
        for service, folded in before - after:
            of_service = self._running[service]
            holders = tuple(one for one in of_service[folded] if one != arrival_id)
            if holders:
                of_service[folded] = holders
            else:
                del of_service[folded]
        for service, folded in after - before:
            of_service = self._running.setdefault(service, {})
            of_service[folded] = (*of_service.get(folded, ()), arrival_id)

    def _store_request(self, request: Request) -> None:
        """Keep a request with everything that is counted by it."""
        old = self._requests.get(request.key)
        if old is not None and old.decision.decision is Decision.PENDING:
            self._pending -= 1
        self._requests[request.key] = request
        if request.decision.decision is Decision.PENDING:
            self._pending += 1
        numbers = self._open_requests.setdefault(request.service, {})
        if request.stage in FINISHED:
            numbers.pop(request.request_id, None)
        else:
            numbers[request.request_id] = None

    def _unstore_request(self, request: Request) -> None:
        """Forget a request."""
        current = self._requests.pop(request.key)
        if current.decision.decision is Decision.PENDING:
            self._pending -= 1
        self._open_requests.get(request.service, {}).pop(request.request_id, None)
