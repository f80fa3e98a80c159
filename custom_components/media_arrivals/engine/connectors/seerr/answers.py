"""What Seerr's API answers say: requests, media and details in, reports out. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from ...board.models import (
    AnyReport,
    Decision,
    DownloadReport,
    DownloadState,
    ExternalIds,
    HeldReport,
    MediaType,
    Origin,
    Person,
    PlayableReport,
    RequestReport,
    Tier,
    TitleRef,
)
from .. import payload
from ..acting import Hit
from ..base import Json

MAX_OVERVIEW: Final = 1000
NAME_LENGTH: Final = 128
_MOST_BYTES: Final = 2.0**60

_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|(?i:localhost)\b)")
_LOGIN: Final = re.compile(r"([^\s@]+)@\S+")
"""What a person without a name is shown by; the host may be any in the house."""
_MEDIA_TYPES: Final[Mapping[str, MediaType]] = {
    "movie": MediaType.MOVIE,
    "tv": MediaType.SERIES,
}
_DECISIONS: Final[Mapping[int, Decision]] = {
    1: Decision.PENDING,
    2: Decision.APPROVED,
    3: Decision.DECLINED,
    4: Decision.FAILED,
    5: Decision.COMPLETED,
}


class MediaStatus(IntEnum):
    """The status of a title or a season, in one quality."""

    UNKNOWN = 1
    PENDING = 2
    PROCESSING = 3
    PARTIALLY_AVAILABLE = 4
    AVAILABLE = 5
    BLOCKED = 6
    DELETED = 7


_STATUSES: Final[Mapping[int, MediaStatus]] = {status.value: status for status in MediaStatus}
_GONE: Final = frozenset({MediaStatus.BLOCKED, MediaStatus.DELETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a title is called, by the server's language."""

    name: str | None = None
    year: int | None = None
    overview: str | None = None
    poster: str | None = None


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """A download in the queue of a Radarr or Sonarr, as Seerr shows it."""

    id: str
    season: int | None
    size: float
    left: float
    eta: float | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What Seerr knows of one quality of a title."""

    status: MediaStatus | None = None
    handed_over: bool = False
    seasons: Mapping[int, MediaStatus | None] = field(default_factory=dict)
    queue: tuple[Loading, ...] = ()

    @property
    def available(self) -> bool:
        """Tell whether all of the title is there."""
        return self.status is MediaStatus.AVAILABLE

    @property
    def gone(self) -> bool:
        """Tell whether it was deleted from the library, or is blocked."""
        return self.status in _GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A title in Seerr, in both qualities."""

    media_type: MediaType | None
    ids: ExternalIds
    copies: Mapping[Tier, Copy]
    created_at: float | None
    updated_at: float | None
    season_changed_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeerrRequest:
    """One request with the state of what it asks for."""

    id: int
    title: TitleRef | None
    """``None``: it does not say for what; nothing can follow from it."""
    tier: Tier
    decision: Decision | None
    """``None``: a status that we do not know, so the former one stays."""
    seasons: tuple[int, ...] | None
    requester: Person | None
    created_at: float | None
    updated_at: float | None
    media: Media

    @property
    def copy(self) -> Copy:
        """The copy that is asked for."""
        return self.media.copies.get(self.tier, _NOTHING)

    @property
    def dated(self) -> bool:
        """Tell whether the row says when it changed."""
        return is_dated(self.created_at, self.updated_at)

    @property
    def lost_seasons(self) -> tuple[int, ...]:
        """The requested seasons that were deleted from the library."""
        if self.copy.gone:
            return self.seasons or ()
        return tuple(
            number for number in self.seasons or () if self.copy.seasons.get(number) in _GONE
        )

    @property
    def available_seasons(self) -> tuple[int, ...]:
        """The requested seasons that can be played."""
        if self.decision is Decision.DECLINED:
            return ()
        every = self.decision is Decision.COMPLETED or self.copy.available
        return tuple(
            number
            for number in self.seasons or ()
            if number not in self.lost_seasons
            and (every or self.copy.seasons.get(number) is MediaStatus.AVAILABLE)
        )

    @property
    def available(self) -> bool:
        """Tell whether all that is asked for can be played."""
        if self.decision is Decision.DECLINED or self.copy.gone or self.lost_seasons:
            return False
        if self.decision is Decision.COMPLETED or self.copy.available:
            return True
        return bool(self.seasons) and self.available_seasons == self.seasons

    @property
    def open(self) -> bool:
        """Tell whether somebody is still waiting for it."""
        return (
            self.decision in {Decision.PENDING, Decision.APPROVED}
            and not self.available
            and not self.copy.gone
        )

    @property
    def incomplete(self) -> bool:
        """Tell whether a list, which has no seasons, leaves open which of them are there."""
        return (
            self.open
            and self.title is not None
            and self.title.media_type is MediaType.SERIES
            and self.copy.status is MediaStatus.PARTIALLY_AVAILABLE
            and not self.copy.seasons
        )

    @property
    def downloads(self) -> tuple[tuple[tuple[int, ...], tuple[Loading, ...]], ...]:
        """The distinct downloads for it, together where they are for the same seasons.

        The queue is the title's: other seasons, and what is there already, are left out.
        """
        if self.title is None or self.available or self.copy.gone:
            return ()
        film = self.title.media_type is MediaType.MOVIE
        wanted = set(self.seasons or ()).difference(self.available_seasons)
        seasons: dict[str, set[int]] = {}
        distinct: dict[str, Loading] = {}
        for entry in self.copy.queue:
            season = entry.season
            if season is None and len(self.seasons or ()) == 1:
                season = next(iter(wanted), None)
            if not film and (season is None or season not in wanted):
                continue
            distinct.setdefault(entry.id, entry)
            seasons.setdefault(entry.id, set()).update(() if film or season is None else (season,))
        together: dict[tuple[int, ...], list[Loading]] = {}
        for key, entry in distinct.items():
            together.setdefault(tuple(sorted(seasons[key])), []).append(entry)
        return tuple((numbers, tuple(entries)) for numbers, entries in together.items())


_NOTHING: Final = Copy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """A film or a series as its own page shows it."""

    media_type: MediaType
    facts: Facts
    media: Media
    requests: tuple[SeerrRequest, ...]

    @property
    def title(self) -> TitleRef:
        """The title with all that is known of it."""
        return titled(self.media_type, self.media.ids, self.facts)


def titled(media_type: MediaType, ids: ExternalIds, facts: Facts) -> TitleRef:
    """Return a reference to a title."""
    return TitleRef(
        media_type=media_type,
        ids=ids,
        name=facts.name,
        year=facts.year,
        overview=facts.overview,
        poster=facts.poster,
    )


# --- plain values --------------------------------------------------------------------------


def clean(value: Json, limit: int = 255) -> str | None:
    """Read a text that was written for people, without e-mail addresses."""
    found = payload.text(value, payload.MAX_TEXT)
    if found is None:
        return None
    return _EMAIL.sub("[e-mail]", found)[:limit].rstrip() or None


def person_name(value: Json) -> str | None:
    """Read a display name; where people have none, it is their e-mail address."""
    found = payload.text(value, payload.MAX_TEXT)
    if found is not None and (login := _LOGIN.fullmatch(found)) is not None:
        found = login[1]
    return clean(found, NAME_LENGTH)


def media_type_of(value: Json) -> MediaType | None:
    """Read what kind of title it is."""
    return _MEDIA_TYPES.get(payload.word(value))


def poster_of(value: Json) -> str | None:
    """Read a poster's address or path; without a poster it ends in ``null``."""
    found = payload.text(value, 512)
    if found is None or found.endswith("null"):
        return None
    if re.fullmatch(r"/[\w.-]+", found):
        return found
    return payload.web_address(found)


# --- objects ---------------------------------------------------------------------------------


def read_requests(body: Json, ahead: float = 0.0) -> tuple[SeerrRequest, ...]:
    """Read one request, a list of them, or a page of them.

    ``ahead`` is what the service's clock, by which rows are dated, is ahead of ours.
    """
    found = payload.mapping(body)
    if "results" in found:
        listed: Iterable[payload.Object] = payload.rows(found["results"])
    elif found:
        listed = (found,)
    else:
        listed = payload.rows(body)
    read = (
        read_request(row, read_media(payload.mapping(row.get("media")), ahead), ahead)
        for row in listed
    )
    return tuple(request for request in read if request is not None)


def read_request(row: payload.Object, media: Media, ahead: float = 0.0) -> SeerrRequest | None:
    """Read a request; in a title's details the media is around it, not in it."""
    number = payload.identifier(row.get("id"))
    if number is None:
        return None
    media_type = media_type_of(row.get("type")) or media.media_type
    is4k = payload.boolean(row.get("is4k"))
    seasons = {
        season
        for item in payload.rows(row.get("seasons"))
        if (season := payload.counting(item.get("seasonNumber"))) is not None
    }
    by = payload.mapping(row.get("requestedBy"))
    name = person_name(by.get("displayName"))
    return SeerrRequest(
        id=number,
        title=titled(media_type, media.ids, NO_FACTS) if media_type and media.ids else None,
        tier=Tier.UNKNOWN if is4k is None else Tier.UHD if is4k else Tier.HD,
        decision=_DECISIONS.get(payload.integer(row.get("status")) or 0),
        seasons=tuple(sorted(seasons)[: payload.MAX_SEASONS])
        if seasons and media_type is MediaType.SERIES
        else None,
        requester=Person(name=name, id=payload.identifier(by.get("id"))) if name else None,
        created_at=_moment(row.get("createdAt"), ahead),
        updated_at=_moment(row.get("updatedAt"), ahead),
        media=media,
    )


def read_media(row: payload.Object, ahead: float = 0.0) -> Media:
    """Read a media object."""
    media_type = media_type_of(row.get("mediaType"))
    # TheTVDB's numbers of films are another space than those of series.
    tvdb = None if media_type is MediaType.MOVIE else row.get("tvdbId")
    return Media(
        media_type=media_type,
        ids=payload.external_ids(tmdb=row.get("tmdbId"), tvdb=tvdb, imdb=row.get("imdbId")),
        copies={Tier.HD: _copy(row, ""), Tier.UHD: _copy(row, "4k")},
        created_at=_moment(row.get("createdAt"), ahead),
        updated_at=_moment(row.get("updatedAt"), ahead),
        season_changed_at=_moment(row.get("lastSeasonChange"), ahead),
    )


def _moment(value: Json, ahead: float) -> float | None:
    found = payload.moment(value)
    return None if found is None else found - ahead


def _copy(row: payload.Object, suffix: str) -> Copy:
    return Copy(
        status=_status(row.get(f"status{suffix}")),
        handed_over=payload.identifier(row.get(f"externalServiceId{suffix}")) is not None,
        seasons={
            number: _status(item.get(f"status{suffix}"))
            for item in payload.rows(row.get("seasons"))
            if (number := payload.counting(item.get("seasonNumber"))) is not None
        },
        queue=tuple(_loading(item) for item in payload.rows(row.get(f"downloadStatus{suffix}"))),
    )


def _status(value: Json) -> MediaStatus | None:
    return _STATUSES.get(payload.integer(value) or 0)


def _loading(row: payload.Object) -> Loading:
    size = max(_bytes(row.get("size")) or 0.0, 0.0)
    left = _bytes(row.get("sizeLeft"))
    status = payload.text(row.get("status"), 64)
    return Loading(
        id=payload.opaque_id(row.get("downloadId")) or _invented_id(row.get("title"), size),
        season=payload.counting(payload.mapping(row.get("episode")).get("seasonNumber")),
        size=size,
        left=size if left is None else min(max(left, 0.0), size),
        eta=payload.moment(row.get("estimatedCompletionTime")),
        problem=status if status and status.casefold() in {"warning", "failed"} else None,
    )


def _bytes(value: Json) -> float | None:
    """Read a size; several of them must still add up to a number."""
    found = payload.number(value)
    return found if found is not None and abs(found) <= _MOST_BYTES else None


def _invented_id(title: Json, size: float) -> str:
    """Tell downloads apart where Seerr gives no id (Overseerr): by title and size."""
    known = f"{payload.text(title, payload.MAX_TEXT)}:{size:.0f}"
    return f"seerr-{hashlib.blake2s(known.encode(), digest_size=10).hexdigest()}"


def read_details(body: Json, ahead: float = 0.0) -> Details | None:
    """Read the answer of ``/movie/{tmdb}`` or ``/tv/{tmdb}``."""
    row = payload.mapping(body)
    tmdb = payload.identifier(row.get("id"))
    info = payload.mapping(row.get("mediaInfo"))
    media_type = media_type_of(info.get("mediaType"))
    if media_type is None and not {"title", "name"}.isdisjoint(row):
        media_type = MediaType.MOVIE if "title" in row else MediaType.SERIES
    if tmdb is None or media_type is None:
        return None
    film = media_type is MediaType.MOVIE
    outside = payload.mapping(row.get("externalIds"))
    media = read_media(
        {
            **info,
            "mediaType": "movie" if film else "tv",
            "tmdbId": tmdb,
            "tvdbId": info.get("tvdbId") or outside.get("tvdbId"),
            "imdbId": info.get("imdbId") or outside.get("imdbId") or row.get("imdbId"),
        },
        ahead,
    )
    day = payload.day(row.get("releaseDate" if film else "firstAirDate"))
    facts = Facts(
        name=clean(row.get("title" if film else "name")),
        year=payload.year(day[:4]) if day else None,
        overview=clean(row.get("overview"), MAX_OVERVIEW),
        poster=poster_of(row.get("posterPath")),
    )
    requests = (
        read_request({"type": info.get("mediaType"), **item}, media, ahead)
        for item in payload.rows(info.get("requests"))
    )
    return Details(
        media_type=media_type,
        facts=facts,
        media=media,
        requests=tuple(request for request in requests if request is not None),
    )


def read_hit(row: payload.Object) -> Hit | None:
    """Read what a search found; ``None``: a person, a collection, or nothing with an id."""
    media_type, tmdb = media_type_of(row.get("mediaType")), payload.identifier(row.get("id"))
    if media_type is None or tmdb is None:
        return None
    details = read_details(
        {
            **row,
            "mediaInfo": {
                **payload.mapping(row.get("mediaInfo")),
                "mediaType": row.get("mediaType"),
            },
        }
    )
    if details is None:
        return None
    copies = [copy for copy in details.media.copies.values() if not copy.gone]
    return Hit(
        title=details.title,
        requested=any(copy.status not in {None, MediaStatus.UNKNOWN} for copy in copies),
        playable=any(copy.available for copy in copies),
    )


# --- reports -----------------------------------------------------------------------------------


def changed_at(request: SeerrRequest, now: float, since: float | None) -> float:
    """Say when a request got to where it is, as well as can be told.

    Rows do not tell their change in most versions; then it was since we last looked.
    """
    if request.decision is Decision.PENDING:
        return _past(request.created_at, now)
    return _moved_at(request.created_at, request.updated_at, now, since)


def available_at(request: SeerrRequest, now: float, since: float | None) -> float:
    """Say when what is asked for became available, as well as can be told."""
    media = request.media
    start = request.created_at
    if media.created_at is not None:
        start = max(media.created_at, start or media.created_at)
    return _moved_at(start, media.updated_at, now, since)


def is_dated(created_at: float | None, updated_at: float | None) -> bool:
    """Tell whether a row's time of change says anything."""
    return created_at is not None and updated_at is not None and updated_at > created_at


def _moved_at(
    created_at: float | None, updated_at: float | None, now: float, since: float | None
) -> float:
    best = updated_at if is_dated(created_at, updated_at) else created_at
    if since is not None:
        best = max(since, best or since)
    return _past(best, now)


def _past(moment: float | None, now: float) -> float:
    return now if moment is None else min(moment, now)


def request_reports(
    request: SeerrRequest,
    origin: Origin,
    now: float,
    *,
    since: float | None = None,
    facts: Facts = NO_FACTS,
) -> tuple[AnyReport, ...]:
    """Say what a request read from Seerr comes to; ``since``: when it was known otherwise."""
    if request.title is None:
        return ()
    title = titled(request.title.media_type, request.title.ids, facts)
    film = title.media_type is MediaType.MOVIE
    copy = request.copy
    reports: list[AnyReport] = []
    decision = request.decision
    if decision is not None:
        if copy.gone and decision in _STANDING:
            decision = Decision.REMOVED
        reports.append(
            RequestReport(
                origin=origin,
                at=now,
                happened_at=changed_at(request, now, since),
                title=title,
                tier=request.tier,
                confirmed=True,
                request_id=request.id,
                decision=decision,
                seasons=request.seasons,
                requester=request.requester,
                created_at=request.created_at,
            )
        )
    if request.tier is Tier.UNKNOWN or request.decision is Decision.DECLINED:
        # What else is known of the title is not about this request.
        return tuple(reports)
    standing = request.decision in {Decision.APPROVED, Decision.COMPLETED}
    # A pending request says nothing: the title may have been handed over for another one.
    if copy.gone is not copy.handed_over and (standing or copy.gone):
        reports.append(
            HeldReport(
                origin=origin,
                at=now,
                happened_at=now if copy.gone else changed_at(request, now, since),
                title=title,
                tier=request.tier,
                confirmed=True,
                held=copy.handed_over,
                seasons=request.seasons,
            )
        )
    reports.extend(
        _download_report(request, title, origin, now, loading) for loading in request.downloads
    )
    for playable, seasons, told in (
        (True, request.available_seasons, film and request.available),
        (False, request.lost_seasons, film and copy.gone),
    ):
        if told or seasons:
            reports.append(
                PlayableReport(
                    origin=origin,
                    at=now,
                    happened_at=available_at(request, now, since) if playable else now,
                    title=title,
                    tier=request.tier,
                    confirmed=True,
                    playable=playable,
                    seasons=seasons,
                )
            )
    return tuple(reports)


_STANDING: Final = frozenset({Decision.PENDING, Decision.APPROVED, Decision.COMPLETED})


def _download_report(
    request: SeerrRequest,
    title: TitleRef,
    origin: Origin,
    now: float,
    loading: tuple[tuple[int, ...], tuple[Loading, ...]],
) -> DownloadReport:
    """Report what is loading for the same seasons as one: the board has one word for them."""
    seasons, queue = loading
    sized = [entry for entry in queue if entry.size > 0]
    size = sum(entry.size for entry in sized)
    left = sum(entry.left for entry in sized)
    complete = len(sized) == len(queue) and left == 0
    least = max(queue, key=lambda entry: (entry.left > 0 or entry.size == 0, entry.left, entry.id))
    return DownloadReport(
        origin=origin,
        at=now,
        happened_at=now,
        title=title,
        tier=request.tier,
        confirmed=True,
        state=DownloadState.COMPLETE if complete else DownloadState.DOWNLOADING,
        seasons=seasons,
        download_id=least.id,
        progress=1 - left / size if size else None,
        eta=max((entry.eta for entry in queue if entry.eta is not None), default=None),
        problem=next((entry.problem for entry in queue if entry.problem), None),
    )


def ended_download(
    title: TitleRef, tier: Tier, season: int | None, origin: Origin, now: float
) -> DownloadReport:
    """Report that nothing is loading any more; Seerr never says how it ended."""
    return DownloadReport(
        origin=origin,
        at=now,
        happened_at=now,
        title=title,
        tier=tier,
        confirmed=True,
        state=DownloadState.GONE,
        seasons=() if season is None else (season,),
    )


def removed_request(
    number: int, title: TitleRef | None, origin: Origin, now: float
) -> RequestReport:
    """Report that a request is no longer there; the board knows what it was for."""
    return RequestReport(
        origin=origin,
        at=now,
        happened_at=now,
        title=title or TitleRef(media_type=MediaType.MOVIE),
        confirmed=True,
        request_id=number,
        decision=Decision.REMOVED,
    )


def facts_reports(details: Details, origin: Origin, now: float) -> tuple[AnyReport, ...]:
    """Say what a title is called, by the word that opens and moves least: who holds it."""
    handed_over = [tier for tier, copy in details.media.copies.items() if copy.handed_over]
    return tuple(
        HeldReport(
            origin=origin,
            at=now,
            happened_at=now,
            title=details.title,
            tier=tier,
            confirmed=True,
            held=bool(handed_over),
        )
        for tier in handed_over or [Tier.HD]
    )


def details_reports(details: Details, origin: Origin, now: float) -> tuple[AnyReport, ...]:
    """Say which copies of a title can be played, or are gone."""
    film = details.media_type is MediaType.MOVIE
    reports: list[AnyReport] = []
    for tier, copy in details.media.copies.items():
        seasons = tuple(
            sorted(
                number for number, status in copy.seasons.items() if status is MediaStatus.AVAILABLE
            )
        )
        if (copy.available if film else seasons) and not copy.gone:
            reports.append(
                PlayableReport(
                    origin=origin,
                    at=now,
                    happened_at=_past(details.media.updated_at, now),
                    title=details.title,
                    tier=tier,
                    confirmed=True,
                    playable=True,
                    seasons=() if film else seasons,
                )
            )
    return tuple(reports)


_COUNTS: Final = (
    "total",
    "pending",
    "approved",
    "declined",
    "processing",
    "available",
    "completed",
)


def read_counts(body: Json) -> Mapping[str, int]:
    """Read the numbers of requests; ``completed`` only newer versions have."""
    row = payload.mapping(body)
    return {
        name: number for name in _COUNTS if (number := payload.counting(row.get(name))) is not None
    }
