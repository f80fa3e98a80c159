"""Deliveries and API answers of Jellyfin and Emby -> reports and questions. Pure."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Final, override

from ...board.models import (
    ExternalIds,
    MediaType,
    PlayableReport,
    Question,
    QuestionKind,
    Reason,
    Role,
    Service,
    TitleRef,
    Via,
    WatchReport,
)
from .. import payload
from ..base import Decoded, Decoder, Delivery, Json, Sighting
from .items import (
    EPISODE,
    FILM,
    MEDIA_TYPES,
    SEASON,
    SERIES,
    Item,
    Numbers,
    Reading,
    item_id,
    origin_of,
    read_items,
)

ADDED: Final = "added"
"""What a webhook tells and a poll shows: that a film or an episode was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One event, whichever of the two programs told it."""

    event: str
    at: float
    """When it arrived."""
    moment: float | None
    """When it happened, as the server dates it."""
    server: str | None
    kind: str
    item: str | None
    series: str | None
    ids: ExternalIds
    name: str | None
    series_name: str | None
    year: int | None
    numbers: Numbers
    user: str | None

    @property
    def title(self) -> TitleRef:
        """The film or the series; only a film's own ids are those of the title."""
        media_type = MEDIA_TYPES.get(self.kind, MediaType.SERIES)
        own = self.kind in {FILM, SERIES}
        return TitleRef(
            media_type=media_type,
            ids=self.ids if own else ExternalIds(),
            name=self.name if own else self.series_name,
            year=self.year if own else None,
        )


class MediaBrowserDecoder(Decoder, ABC):
    """What the decoders of both have in common."""

    kind: str
    role = Role.PLAYBACK
    name: str
    """What the program is called."""
    watching: tuple[str, ...]
    """How the events begin that say what a user does."""

    @abstractmethod
    def read(self, delivery: Delivery) -> payload.Object | None:
        """Read of a delivery what is kept of it, so that the journal tells the same."""

    @abstractmethod
    def hear(self, told: payload.Object, delivery: Delivery) -> Heard | None:
        """Read an event; ``None``: it has no name."""

    @abstractmethod
    def is_test(self, heard: Heard) -> bool:
        """Tell whether an event is a test."""

    @abstractmethod
    def conclude(self, service: Service, heard: Heard, told: payload.Object) -> Decoded:
        """Say what follows from an event of the right server."""

    @override
    def decode(self, service: Service, delivery: Delivery) -> Decoded:
        """Say what a delivery tells."""
        told = self.read(delivery)
        heard = None if told is None else self.hear(told, delivery)
        if told is None or heard is None:
            return Decoded(
                event_type="",
                ignored=Reason.UNREADABLE,
                detail=f"nothing that {self.name} sends",
            )
        own = item_id(service.server_id)
        if heard.server is not None and own is not None and heard.server != own:
            return Decoded(event_type=heard.event, ignored=Reason.FOREIGN_SERVER)
        if self.is_test(heard):
            return Decoded(event_type=heard.event, ignored=Reason.TEST, test=True)
        return self.conclude(service, heard, told)

    @override
    def sanitise(self, delivery: Delivery) -> str:
        """Return what the journal keeps: what :meth:`decode` reads, and nothing else."""
        told = self.read(delivery)
        return payload.unreadable_note(delivery) if told is None else payload.dump(told)

    @override
    def viewer(self, service: Service, user: Json) -> str | None:
        """Name a user by the server's id and the user's own."""
        return viewer_of(item_id(service.server_id), item_id(user))

    @override
    def of_watching(self, event: str) -> bool:
        """Tell whether an event says what a user does."""
        return event.casefold().startswith(self.watching)

    @property
    @override
    def poll_resources(self) -> tuple[str, ...]:
        """Return the API answers that can be read."""
        return ("items", "sessions", "info")

    @override
    def decode_poll(self, service: Service, resource: str, body: Json, now: float) -> Decoded:
        """Say what an API answer tells; episodes lack the ids of their series."""
        match resource:
            case "items":
                return _listed(service, read_items(body), now)
            case "sessions":
                return _noted(resource, f"{playing(body)} being played")
            case "info":
                version = payload.text(payload.mapping(body).get("Version"), 32)
                return _noted(resource, version)
            case _:
                return Decoded(
                    event_type=resource, ignored=Reason.UNUSED_EVENT, detail="not a known resource"
                )


def viewer_of(server: str | None, user: str | None) -> str | None:
    """Name who watched."""
    return None if server is None or user is None else f"{server}:{user}"


# --- conclusions -----------------------------------------------------------------------------


def unused(heard: Heard, detail: str | None = None) -> Decoded:
    """Say that an event tells nothing of a journey."""
    return Decoded(event_type=heard.event, ignored=Reason.UNUSED_EVENT, detail=detail)


def played(heard: Heard) -> Decoded:
    """Say that what is being played changed: to be counted."""
    if not _is_media(heard):
        return other_media(heard)
    return Decoded(event_type=heard.event, hint=True)


def added(service: Service, heard: Heard) -> Decoded:
    """Ask for what was added: an event lacks the version's tier, and mostly the ids."""
    if not _is_media(heard):
        return other_media(heard)
    question = _question(service, heard)
    if question is None:
        return _no_item(heard)
    sightings: tuple[Sighting, ...] = ()
    if heard.kind in {FILM, EPISODE} and heard.item is not None:
        sightings = (Sighting(event=ADDED, key=heard.item, at=heard.at),)
    return Decoded(event_type=heard.event, questions=(question,), sightings=sightings)


def deleted(service: Service, heard: Heard) -> Decoded:
    """Ask for what is there now; what is gone cannot be asked for by its own id."""
    if not _is_media(heard):
        return other_media(heard)
    if heard.kind in {FILM, SERIES} and heard.ids:
        question = Question(service=service.id, kind=QuestionKind.AVAILABILITY, title=heard.title)
        return Decoded(event_type=heard.event, questions=(question,))
    found = _question(service, heard)
    if found is None:
        return _no_item(heard)
    return Decoded(event_type=heard.event, questions=(found,))


def watched(
    service: Service,
    heard: Heard,
    *,
    yes: bool,
    happened_at: float | None = None,
    hint: bool = False,
) -> Decoded:
    """Say that somebody watched it, or took that back."""
    if not _is_media(heard):
        return other_media(heard)
    if heard.kind in {SEASON, SERIES}:
        return unused(heard, "whole seasons are told episode by episode")
    server = heard.server or item_id(service.server_id)
    if (viewer := viewer_of(server, heard.user)) is None:
        return Decoded(
            event_type=heard.event,
            ignored=Reason.NO_IDS,
            detail="does not say who",
            hint=hint or yes,
            history=yes,
        )
    title = heard.title
    when = happened_at or heard.moment or heard.at
    report = WatchReport(
        origin=origin_of(service, Via.WEBHOOK),
        at=heard.at,
        happened_at=min(when, heard.at),
        title=title,
        viewer=viewer,
        watched=yes,
        parts=heard.numbers.parts if title.media_type is MediaType.SERIES else (),
    )
    if heard.kind == FILM and title.ids:
        return Decoded(event_type=heard.event, reports=(report,), hint=hint)
    question = _question(service, heard, own=not report.parts)
    if question is None:
        return replace(_no_item(heard), hint=hint)
    return Decoded(event_type=heard.event, questions=(replace(question, about=report),), hint=hint)


def _question(service: Service, heard: Heard, *, own: bool = False) -> Question | None:
    """Ask for a film or, so that many episodes are one question, for the season of a series."""
    if heard.kind in {EPISODE, SEASON} and heard.series is not None and not own:
        season = heard.numbers.season
        return Question(
            service=service.id,
            kind=QuestionKind.ITEM,
            item=heard.series,
            seasons=() if season is None else (season,),
        )
    if heard.item is None:
        return None
    return Question(service=service.id, kind=QuestionKind.ITEM, item=heard.item)


def _is_media(heard: Heard) -> bool:
    """Tell whether an event is about a film or a series, or does not say about what."""
    return not heard.kind or heard.kind in MEDIA_TYPES


def other_media(heard: Heard) -> Decoded:
    """Say that it is neither about a film nor about a series."""
    return Decoded(event_type=heard.event, ignored=Reason.OTHER_MEDIA)


def _no_item(heard: Heard) -> Decoded:
    return Decoded(event_type=heard.event, ignored=Reason.NO_IDS, detail="does not say of what")


# --- API answers -------------------------------------------------------------------------------


def playing(body: Json) -> int:
    """Count what is being played, apart from music."""
    return sum(
        payload.word(item.get("MediaType")) != "audio"
        for row in payload.rows(body)
        if (item := payload.mapping(row.get("NowPlayingItem")))
    )


def _listed(service: Service, items: tuple[Item, ...], now: float) -> Decoded:
    """Report the films of a list: it is no whole answer, so nothing is absent by it."""
    reports: list[PlayableReport] = []
    for item in items:
        if item.kind != FILM or not item.ids:
            continue
        reading = Reading(origin=origin_of(service, Via.POLL), title=item.title, now=now, ahead=0.0)
        reports += [
            replace(report, complete=False, confirmed=False)
            for report in reading.film((item,))
            if report.playable
        ]
    if reports:
        return Decoded(event_type="items", reports=tuple(reports))
    return _noted("items", f"{len(items)} items, no film with ids" if items else None)


def _noted(resource: str, detail: str | None) -> Decoded:
    return Decoded(
        event_type=resource,
        ignored=Reason.UNREADABLE if detail is None else Reason.UNUSED_EVENT,
        detail=detail,
    )
