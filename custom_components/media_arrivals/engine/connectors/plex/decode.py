"""Plex's webhooks and API answers -> reports and questions. Pure."""

import re
from collections.abc import Mapping
from typing import Final, override

from ...board.models import (
    AnyReport,
    MediaType,
    Question,
    QuestionKind,
    Reason,
    Role,
    Service,
    TitleRef,
    Via,
    WatchReport,
)
from .. import multipart, payload
from ..base import BadAnswerError, Decoded, Decoder, Delivery, Json, Sighting
from ..payload import Object
from . import ids, reading
from .notices import Notices

_PART: Final = "payload"
_JELLYFIN: Final = "jellyfin-server/"
_JELLYFIN_ITEM: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WATCHED: Final = "watched"
_SOON: Final = 6 * 3600.0
"""Seconds within which the server's own date of watching is that of this delivery."""
_PLAYING: Final = frozenset({"media.play", "media.pause", "media.resume", "media.stop"})
_OF_WATCHING: Final = ("media.", "playback.")
_UNUSED: Final[Mapping[str, str]] = {
    "playback.started": "the player's own event tells the same",
    "media.rate": "ratings are no part of a journey",
    "library.on.deck": "what is on deck is no part of a journey",
    "device.new": "devices are no part of a journey",
    "admin.database.backup": "the server's own affairs",
    "admin.database.corrupted": "the server's own affairs",
}
_FOREIGN: Final = "imitation"
"""Says in the journal what only the sender's name said in the delivery."""
_KEPT: Final[Mapping[str, payload.Shape]] = {
    "event": payload.event_name,
    _FOREIGN: payload.keep,
    "Account": {"id": payload.keep},
    "Server": {"uuid": payload.keep},
    "Metadata": {
        **dict.fromkeys(
            (
                "type",
                "live",
                "ratingKey",
                "parentRatingKey",
                "grandparentRatingKey",
                "title",
                "grandparentTitle",
                "year",
                "index",
                "parentIndex",
                "originallyAvailableAt",
                "addedAt",
                "lastViewedAt",
            ),
            payload.keep,
        ),
        **dict.fromkeys(("guid", "parentGuid", "grandparentGuid"), ids.readable_guid),
        "Guid": ({"id": ids.readable_pair},),
    },
}


class PlexDecoder(Decoder):
    """Decodes what a Plex Media Server says."""

    kind = "plex"
    role = Role.PLAYBACK
    people_at: tuple[tuple[str, ...], ...] = (("Account", "id"),)

    @override
    def decode(self, service: Service, delivery: Delivery) -> Decoded:
        """Say what a delivery tells."""
        told = _read(delivery)
        event = payload.event_name(told.get("event")) if told is not None else None
        if told is None or event is None:
            return Decoded(
                event_type="",
                ignored=Reason.UNREADABLE,
                detail="no JSON object with an event, neither alone nor in a form",
            )
        if told.get(_FOREIGN) is True:
            return Decoded(
                event_type=event,
                ignored=Reason.FOREIGN_SERVER,
                detail="a Jellyfin that writes like Plex",
            )
        server = payload.word(payload.mapping(told.get("Server")).get("uuid"))
        if server and service.server_id and server != service.server_id.casefold():
            return Decoded(
                event_type=event, ignored=Reason.FOREIGN_SERVER, detail="of another Plex server"
            )
        return _event(service, delivery, event, told)

    @property
    @override
    def poll_resources(self) -> tuple[str, ...]:
        """Return the API answers that can be read."""
        return ("sections", "items", "history", "sessions", "webhooks", "notification")

    @override
    def decode_poll(self, service: Service, resource: str, body: Json, now: float) -> Decoded:
        """Say what an API answer tells."""
        try:
            match resource:
                case "sections":
                    return _noted(resource, f"{len(sections(body))} libraries of films and series")
                case "items":
                    return _items(service, body, now)
                case "history":
                    return _history(service, body)
                case "sessions":
                    return _noted(resource, f"{playing(body)} playing")
                case "webhooks":
                    return _noted(resource, f"{len(payload.items(body))} webhooks")
                case "notification":
                    return Notices(service).read(body) or _noted(resource, "nothing new")
                case _:
                    return _noted(resource, "not a known resource")
        except BadAnswerError:
            return Decoded(
                event_type=resource, ignored=Reason.UNREADABLE, detail="no answer of a Plex server"
            )

    @override
    def sanitise(self, delivery: Delivery) -> str:
        """Return what the journal keeps: what :meth:`decode` reads, and nothing else."""
        told = _read(delivery)
        return payload.unreadable_note(delivery) if told is None else payload.dump(told)

    @override
    def viewer(self, service: Service, user: Json) -> str | None:
        """Name a user by the id at plex.tv."""
        return reading.viewer_of(service, user)

    @override
    def of_watching(self, event: str) -> bool:
        """Tell whether an event is a player's, or says that something was watched or rated."""
        return event.casefold().startswith(_OF_WATCHING)


# --- deliveries ------------------------------------------------------------------------------


def _read(delivery: Delivery) -> Object | None:
    """Read of a delivery what is kept of it, so that the journal tells the same."""
    body: bytes | None = delivery.body
    if not delivery.body[:64].lstrip().startswith(b"{"):
        body = multipart.field(delivery.body, delivery.content_type, _PART)
    told = payload.load_object(body) if body is not None else None
    if told is None:
        return None
    kept = dict(payload.mapping(payload.pick(told, _KEPT)))
    item = payload.mapping(kept.get("Metadata")).get("ratingKey")
    imitation = delivery.user_agent.casefold().startswith(_JELLYFIN) or (
        isinstance(item, str) and _JELLYFIN_ITEM.fullmatch(item.casefold()) is not None
    )
    return kept | {_FOREIGN: True} if imitation else kept


def _event(service: Service, delivery: Delivery, event: str, told: Object) -> Decoded:
    """Say what an event of this server tells."""
    name, row = event.casefold(), payload.mapping(told.get("Metadata"))
    if name in _UNUSED:
        return Decoded(event_type=event, ignored=Reason.UNUSED_EVENT, detail=_UNUSED[name])
    if name not in _PLAYING | {"library.new", "media.scrobble"}:
        return Decoded(event_type=event, ignored=Reason.UNUSED_EVENT, detail="not a known event")
    if payload.word(row.get("type")) not in reading.MEDIA_TYPES or reading.is_live(row):
        return Decoded(event_type=event, ignored=Reason.OTHER_MEDIA)
    if name in _PLAYING:
        return Decoded(event_type=event, hint=True)
    if name == "media.scrobble":
        return _scrobble(service, delivery, event, told)
    question = reading.item_question(service, row)
    if question is None:
        return Decoded(event_type=event, ignored=Reason.NO_IDS, hint=True)
    return Decoded(event_type=event, questions=(question,))


def _scrobble(service: Service, delivery: Delivery, event: str, told: Object) -> Decoded:
    """Read that somebody watched something to the end."""
    row = payload.mapping(told.get("Metadata"))
    viewer = reading.viewer_of(service, payload.mapping(told.get("Account")).get("id"))
    if viewer is None:
        return Decoded(event_type=event, ignored=Reason.NO_IDS, detail="does not say who watched")
    viewed = payload.number(row.get("lastViewedAt"))
    at = delivery.received_at
    happened = viewed if viewed is not None and 0.0 <= at - viewed < _SOON else at
    about = watched(service, row, viewer, at=at, happened_at=happened, via=Via.WEBHOOK)
    key, question = reading.key_of(row), None
    if about is not None and not about.title.ids:
        question = asked_about(service, row, about)
    if about is None or (not about.title.ids and question is None):
        return Decoded(event_type=event, ignored=Reason.NO_IDS, hint=True)
    return Decoded(
        event_type=event,
        reports=() if question else (about,),
        questions=(question,) if question else (),
        sightings=(watched_sighting(key, happened),) if key else (),
        peer=service.server_id or payload.text(payload.mapping(told.get("Server")).get("uuid")),
    )


# --- who watched -------------------------------------------------------------------------------


def watched(
    service: Service, row: Object, viewer: str, *, at: float, happened_at: float, via: Via
) -> WatchReport | None:
    """Say that a film or an episode was watched; its title has ids if the row tells them."""
    film = payload.word(row.get("type")) == "movie"
    part = None if film else reading.part_of(row)
    if film:
        title = reading.title_of(row, MediaType.MOVIE, ids.item_ids(row, MediaType.MOVIE))
    elif part is not None:
        guids = (row.get(name) for name in ("grandparentGuid", "parentGuid", "guid"))
        known = (ids.legacy_ids(guid, MediaType.SERIES) for guid in guids)
        title = TitleRef(
            media_type=MediaType.SERIES,
            ids=next((one for one in known if one), TitleRef(media_type=MediaType.SERIES).ids),
            name=payload.text(row.get("grandparentTitle")),
        )
    else:
        return None
    return WatchReport(
        origin=reading.origin_of(service, via),
        at=at,
        happened_at=happened_at,
        title=title,
        viewer=viewer,
        watched=True,
        parts=() if part is None else (part,),
    )


def asked_about(service: Service, row: Object, about: WatchReport) -> Question | None:
    """Ask for the ids that a report lacks: of the film, or of the series."""
    film = about.title.media_type is MediaType.MOVIE
    own = reading.key_of(row)
    item = own if film else reading.key_of(row, "grandparentRatingKey") or own
    if item is None:
        return None
    return Question(
        service=service.id,
        kind=QuestionKind.ITEM,
        item=item,
        seasons=tuple(part.season for part in about.parts),
        about=about,
    )


def watched_sighting(item: str, at: float) -> Sighting:
    """Name the event that webhook and history tell both. Of whom may be nobody's business."""
    return Sighting(event=_WATCHED, key=item, at=at)


# --- API answers ---------------------------------------------------------------------------------


def sections(body: Json) -> tuple[Object, ...]:
    """Return the libraries of films and of series."""
    found = payload.rows(reading.container(body).get("Directory"))
    return tuple(row for row in found if payload.word(row.get("type")) in {"movie", "show"})


def playing(body: Json) -> int:
    """Count the films and episodes that are being played."""
    found = reading.rows(reading.container(body))
    return sum(payload.word(row.get("type")) in reading.MEDIA_TYPES for row in found)


def _items(service: Service, body: Json, now: float) -> Decoded:
    found = reading.rows(reading.container(body))
    reports: list[AnyReport] = []
    for row in found:
        media_type = reading.MEDIA_TYPES.get(payload.word(row.get("type")))
        if media_type is MediaType.MOVIE and (known := ids.item_ids(row, media_type)):
            title = reading.title_of(row, media_type, known)
            stock = reading.Stock(service, title, now, 0.0, complete=False)
            reports.extend(stock.film((row,)))
    return Decoded(
        event_type="items",
        reports=tuple(reports),
        ignored=None if reports else Reason.UNUSED_EVENT,
        detail=None if reports else f"{len(found)} rows, none of which can be played as it is",
    )


def _history(service: Service, body: Json) -> Decoded:
    reports: list[AnyReport] = []
    questions: list[Question] = []
    for row in reading.rows(reading.container(body)):
        about = viewing(service, row, 0.0)
        if about is None:
            continue
        if about.title.ids:
            reports.append(about)
        elif (question := asked_about(service, with_keys(row), about)) is not None:
            questions.append(question)
    return Decoded(
        event_type="history",
        reports=tuple(reports),
        questions=tuple(questions),
        ignored=None if reports or questions else Reason.UNUSED_EVENT,
    )


def viewing(service: Service, row: Object, offset: float) -> WatchReport | None:
    """Read a row of the history; ``offset``: seconds that the server's clock is ahead."""
    at = payload.number(row.get("viewedAt"))
    viewer = reading.viewer_of(service, row.get("accountID"))
    media = payload.word(row.get("type")) in {"movie", "episode"}
    if at is None or viewer is None or not media or reading.is_live(row):
        return None
    at -= offset
    return watched(service, row, viewer, at=at, happened_at=at, via=Via.POLL)


def with_keys(row: Object) -> Object:
    """Return a row of the history as other rows are: it names the series by a path."""
    path = payload.text(row.get("grandparentKey")) or ""
    item = path.removesuffix("/children").rpartition("/")[2]
    return {**row, "grandparentRatingKey": row.get("grandparentRatingKey") or item}


def _noted(resource: str, detail: str) -> Decoded:
    return Decoded(event_type=resource, ignored=Reason.UNUSED_EVENT, detail=detail)
