"""Seerr's webhooks and API answers -> reports and questions. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, override

from ...board.models import (
    AnyReport,
    Decision,
    MediaType,
    Origin,
    Person,
    PlayableReport,
    Question,
    QuestionKind,
    Reason,
    RequestReport,
    Role,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import Decoded, Decoder, Delivery, Json, Sighting
from . import answers, slot

_TEST: Final = "TEST_NOTIFICATION"
_SAID: Final[Mapping[str, tuple[Decision, bool, str]]] = {
    # event: what it says of the request, whether only of its making, what was sighted
    "MEDIA_PENDING": (Decision.PENDING, True, "requested"),
    "MEDIA_AUTO_APPROVED": (Decision.APPROVED, True, "requested"),
    "MEDIA_APPROVED": (Decision.APPROVED, False, "approved"),
    "MEDIA_DECLINED": (Decision.DECLINED, False, "declined"),
    "MEDIA_FAILED": (Decision.FAILED, False, "failed"),
    # The request was approved some time, which is older than any other word on it.
    "MEDIA_AVAILABLE": (Decision.APPROVED, True, "available"),
}
_THERE: Final = frozenset({"AVAILABLE", "PARTIALLY_AVAILABLE"})
_SEASON_LISTS: Final = frozenset({"requested seasons", "seasons"})
_YEAR: Final = re.compile(r" \((\d{4})\)$")
_NUMBER: Final = re.compile(r"\D*(\d{1,6})\D*")
# Templates of people's own put the sentence where the title belongs.
_SENTENCE: Final = re.compile(r"(?:New )?(?:4K )?(?:Movie|Series|TV) Request(?: .+)?")
_WORD_4K: Final = re.compile(r"\b4K\b", re.IGNORECASE)

_PLAIN: Final = 64


def _plain(value: Json) -> Json:
    """Keep an id, a status or a name of a thing."""
    if isinstance(value, str):
        return answers.clean(value, _PLAIN)
    return payload.keep(value)


def _numbers(value: Json) -> Json:
    """Keep a list of seasons, in whichever way it is written."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value[:_PLAIN]]
    return answers.clean(value) if isinstance(value, str) else payload.keep(value)


_PERSON: Final = ("requestedBy_username", "requested_by_username")
_KEPT: Final[Mapping[str, payload.Shape]] = {
    "notification_type": payload.event_name,
    "event": answers.clean,
    "subject": answers.clean,
    "image": answers.poster_of,
    "username": answers.person_name,
    "notifyuser_username": answers.person_name,
    "media": dict.fromkeys(
        (
            "media_type",
            "tmdbId",
            "tmdb_id",
            "tvdbId",
            "tvdb_id",
            "imdbId",
            "imdb_id",
            "status",
            "status4k",
        ),
        _plain,
    ),
    "request": {"request_id": _plain, **dict.fromkeys(_PERSON, answers.person_name)},
    "issue": dict.fromkeys(("issue_id", "id", "issue_type", "issue_status"), _plain),
    "extra": ({"name": _plain, "value": _numbers},),
}


def _overview(value: Json) -> Json:
    return answers.clean(value, answers.MAX_OVERVIEW)


# Elsewhere the message is what somebody wrote.
_keep_of_request: Final = payload.keeper({**_KEPT, "message": _overview})
_keep_other: Final = payload.keeper(_KEPT)


class SeerrDecoder(Decoder):
    """Decodes what Overseerr, Jellyseerr and Seerr say, whatever the template."""

    kind = "seerr"
    role = Role.REQUESTS
    people_at: tuple[tuple[str, ...], ...] = (
        ("username",),
        ("notifyuser_username",),
        *(("request", name) for name in _PERSON),
    )

    @override
    def decode(self, service: Service, delivery: Delivery) -> Decoded:
        """Say what a delivery tells."""
        told = self.keep(delivery)
        event = payload.event_name(told.get("notification_type")) if told is not None else None
        if told is None or event is None:
            return Decoded(
                event_type="",
                ignored=Reason.UNREADABLE,
                detail="no JSON object with a notification_type",
            )
        name = event.upper()
        if name == _TEST:
            return Decoded(event_type=event, ignored=Reason.TEST, test=True)
        if name not in _SAID:
            issue = name.startswith("ISSUE_")
            return Decoded(
                event_type=event,
                ignored=Reason.UNUSED_EVENT,
                detail="issues are no part of a journey" if issue else "not a known event",
            )
        return _request_event(service, delivery, event, told)

    @property
    @override
    def poll_resources(self) -> tuple[str, ...]:
        """Return the API answers that can be read."""
        return ("request", "media", "count", "status", "webhook")

    @override
    def decode_poll(self, service: Service, resource: str, body: Json, now: float) -> Decoded:
        """Say what an API answer tells."""
        origin = _origin(service, Via.POLL)
        refused = payload.mapping(body)
        if "error" in refused or ("message" in refused and "id" not in refused):
            status = payload.integer(refused.get("status"))
            return Decoded(
                event_type=resource,
                ignored=Reason.UNREADABLE,
                detail="an error, no answer" + (f" ({status})" if status else ""),
            )
        match resource:
            case "request":
                return _requests(origin, body, now)
            case "media":
                return _media(origin, body, now)
            case "count":
                return _noted(resource, _counts(body))
            case "status":
                return _noted(resource, payload.text(refused.get("version"), _PLAIN))
            case "webhook":
                return _noted(resource, slot.described(refused))
            case _:
                return Decoded(
                    event_type=resource, ignored=Reason.UNUSED_EVENT, detail="not a known resource"
                )

    @override
    def sanitise(self, delivery: Delivery) -> str:
        """Write as JSON what is kept of a delivery."""
        kept = self.keep(delivery)
        return payload.unreadable_note(delivery) if kept is None else payload.dump(kept)

    @override
    def keep(self, delivery: Delivery) -> payload.Object | None:
        """Keep of a delivery what :meth:`decode` reads, and nothing else."""
        told = payload.read_object(delivery)
        if told is None:
            return None
        name = payload.event_name(told.get("notification_type"))
        of_request = name is not None and name.upper() in _SAID
        return payload.mapping((_keep_of_request if of_request else _keep_other)(told))

    @override
    def told(self, kept: payload.Object) -> str | None:
        """Return the event's name if reports or questions are sure to follow from it."""
        event = kept.get("notification_type")
        if not isinstance(event, str) or event.upper() not in _SAID:
            return None
        request = payload.mapping(kept.get("request"))
        return event if payload.identifier(request.get("request_id")) is not None else None


def _origin(service: Service, via: Via) -> Origin:
    return Origin(service=service.id, kind=service.kind, role=service.role, via=via)


# --- deliveries ------------------------------------------------------------------------------


def _request_event(
    service: Service, delivery: Delivery, event: str, told: payload.Object
) -> Decoded:
    decision, initial, sighted = _SAID[event.upper()]
    available = event.upper() == "MEDIA_AVAILABLE"
    media = payload.mapping(told.get("media"))
    request = payload.mapping(told.get("request"))
    number = payload.identifier(request.get("request_id"))
    title = _title(told, media)
    seasons = _seasons(told.get("extra")) if _is_series(title) else None
    there = _available_tier(media) if available else Tier.UNKNOWN
    tier = _worded_tier(told.get("event")) if there is Tier.UNKNOWN else there
    name = next(
        (
            found
            for value in (
                *(request.get(key) for key in _PERSON),
                # Overseerr before 1.23 names only whom it tells, who is the one who asked.
                told.get("username"),
                told.get("notifyuser_username"),
            )
            if (found := answers.person_name(value)) is not None
        ),
        None,
    )
    at = delivery.received_at
    origin = _origin(service, Via.WEBHOOK)
    reports: list[AnyReport] = []
    if title is not None and number is not None:
        reports.append(
            RequestReport(
                origin=origin,
                at=at,
                happened_at=at,
                title=title,
                tier=tier,
                request_id=number,
                decision=decision,
                seasons=seasons,
                initial=initial,
                requester=Person(name=name) if name else None,
            )
        )
    playable = (
        title is not None
        and there is not Tier.UNKNOWN
        and (seasons is not None or not _is_series(title))
    )
    if title is not None and playable:
        reports.append(
            PlayableReport(
                origin=origin,
                at=at,
                happened_at=at,
                title=title,
                tier=there,
                playable=True,
                seasons=seasons or (),
            )
        )
    if number is None and not reports:
        return Decoded(event_type=event, ignored=Reason.NO_IDS, hint=True)
    if number is None:
        return Decoded(event_type=event, reports=tuple(reports), hint=True)
    return Decoded(
        event_type=event,
        reports=tuple(reports),
        questions=(
            Question(service=service.id, kind=QuestionKind.REQUEST, title=title, request_id=number),
        ),
        sightings=(Sighting(event=sighted, key=str(number), at=at),),
        # The request as read may still be the old one, or lack what was left open.
        hint=available and not playable,
    )


def _is_series(title: TitleRef | None) -> bool:
    return title is not None and title.media_type is MediaType.SERIES


def _title(told: payload.Object, media: payload.Object) -> TitleRef | None:
    media_type = answers.media_type_of(media.get("media_type"))
    tvdb = _first(media, "tvdbId", "tvdb_id") if media_type is MediaType.SERIES else None
    ids = payload.external_ids(
        tmdb=_first(media, "tmdbId", "tmdb_id"), tvdb=tvdb, imdb=_first(media, "imdbId", "imdb_id")
    )
    if media_type is None or not ids:
        return None
    name = answers.clean(told.get("subject"))
    year = None
    if name is not None and (name == told.get("event") or _SENTENCE.fullmatch(name)):
        name = None
    if name is not None and (found := _YEAR.search(name)) is not None:
        name, year = name[: found.start()], payload.year(found.group(1))
    return answers.titled(
        media_type,
        ids,
        answers.Facts(
            name=name,
            year=year,
            overview=answers.clean(told.get("message"), answers.MAX_OVERVIEW),
            poster=answers.poster_of(told.get("image")),
        ),
    )


def _first(row: payload.Object, *names: str) -> Json:
    """Return the first value that says something, under any of its names."""
    return next((row[name] for name in names if name in row), None)


def _seasons(extra: Json) -> tuple[int, ...] | None:
    """Read the seasons that were asked for; if one of them is unclear, none is known."""
    for item in payload.rows(extra):
        if payload.word(item.get("name")) not in _SEASON_LISTS:
            continue
        value = item.get("value")
        listed: Sequence[Json]
        if isinstance(value, str):
            listed = [part for part in value.split(",") if part.strip()]
        else:
            listed = payload.items(value) or (value,)
        numbers = [_season(part) for part in listed]
        known = {number for number in numbers if number is not None}
        if known and None not in numbers:
            return tuple(sorted(known))
    return None


def _season(value: Json) -> int | None:
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value)) is not None:
        value = found.group(1)
    return payload.counting(value)


def _available_tier(media: payload.Object) -> Tier:
    """Say which copy became available, if only one of them can have."""
    there = [
        (payload.text(media.get(key)) or "").upper() in _THERE for key in ("status", "status4k")
    ]
    match there:
        case [True, False]:
            return Tier.HD
        case [False, True]:
            return Tier.UHD
        case _:
            return Tier.UNKNOWN


def _worded_tier(event: Json) -> Tier:
    """Say which tier the sentence for people names: English ones do so for 4K alone.

    Its absence says nothing: sentences are translated, and written anew by versions.
    """
    return Tier.UHD if _WORD_4K.search(answers.clean(event) or "") else Tier.UNKNOWN


# --- API answers ------------------------------------------------------------------------------


def _requests(origin: Origin, body: Json, now: float) -> Decoded:
    if payload.mapping(body).get("results") == []:
        # A page without requests is an answer, too.
        return Decoded(event_type="request")
    requests = answers.read_requests(body)
    reports = [
        report for request in requests for report in answers.request_reports(request, origin, now)
    ]
    sightings = tuple(
        Sighting(event="requested", key=str(request.id), at=request.created_at)
        for request in requests
        if request.created_at is not None
    )
    return Decoded(
        event_type="request",
        reports=tuple(reports),
        ignored=None if reports else Reason.NO_IDS if requests else Reason.UNREADABLE,
        detail=None if requests else "no request in it",
        sightings=sightings,
    )


def _media(origin: Origin, body: Json, now: float) -> Decoded:
    details = answers.read_details(body)
    if details is None:
        return Decoded(
            event_type="media", ignored=Reason.UNREADABLE, detail="no film or series in it"
        )
    reports = [
        report
        for request in details.requests
        for report in answers.request_reports(request, origin, now, facts=details.facts)
        if not isinstance(report, PlayableReport) or not report.playable
    ]
    reports += answers.details_reports(details, origin, now)
    return Decoded(
        event_type="media",
        reports=tuple(reports),
        ignored=None if reports else Reason.UNUSED_EVENT,
        detail=None if reports else "known to Seerr, neither requested nor there",
    )


def _counts(body: Json) -> str | None:
    counts = answers.read_counts(body)
    return ", ".join(f"{name} {number}" for name, number in counts.items()) or None


def _noted(resource: str, detail: str | None) -> Decoded:
    return Decoded(
        event_type=resource,
        ignored=Reason.UNREADABLE if detail is None else Reason.UNUSED_EVENT,
        detail=detail,
    )
