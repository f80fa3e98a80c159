"""Tautulli's webhooks and API answers -> reports and questions. Pure."""

from collections.abc import Mapping
from typing import Final, override

from ...board.models import (
    MediaType,
    PartRef,
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
from ..payload import Object
from . import body as bodies, reading
from .template import AGENT, TEST

_PASTE: Final = "paste the texts for headers and data from the instructions into each trigger"
_PROBLEMS: Final = {
    bodies.EMPTY: f"the notification agent sends no data: {_PASTE}",
    bodies.UNREADABLE: f"neither JSON nor a form: {_PASTE}",
    bodies.FOREIGN: f"made from another program's template: {_PASTE}",
}
_PLAYING: Final = frozenset({"play", "start", "stop", "pause", "resume"})
_UNUSED: Final = frozenset(
    {
        *("error", "change", "intro", "commercial", "credits", "buffer", "concurrent"),
        *("newdevice", "intdown", "intup", "extdown", "extup", "pmsupdate", "plexpyupdate"),
        *("plexpydbcorrupt", "tokenexpired"),
    }
)
_OF_THE_SERVER: Final = frozenset(
    {
        *("created", TEST, "intdown", "intup", "extdown", "extup", "pmsupdate"),
        *("plexpyupdate", "plexpydbcorrupt", "tokenexpired"),
    }
)
_DAY: Final = 86_400.0


class TautulliDecoder(Decoder):
    """Decodes what Tautulli sends, in our template or in one that can be read like it."""

    kind = "tautulli"
    role = Role.WATCHING
    people_at: tuple[tuple[str, ...], ...] = (("user_id",),)

    @override
    def decode(self, service: Service, delivery: Delivery) -> Decoded:
        """Say what a delivery tells."""
        told = bodies.told(delivery)
        event = payload.event_name(told.get("event")) or ""
        if (trouble := bodies.problem(told)) is not None or not event:
            advice = _PROBLEMS.get(trouble or bodies.FOREIGN, _PROBLEMS[bodies.FOREIGN])
            return Decoded(event_type=event, ignored=Reason.UNREADABLE, detail=advice)
        action = event.rpartition(".")[2].casefold()
        if action == TEST:
            return Decoded(event_type=event, ignored=Reason.TEST, test=True)
        server = payload.opaque_id(told.get("server_machine_id"))
        if server is not None and service.server_id not in {None, server}:
            return Decoded(event_type=event, ignored=Reason.FOREIGN_SERVER)
        if action not in {*_PLAYING, "watched", "created"}:
            detail = None if action in _UNUSED else "not a known event"
            return Decoded(event_type=event, ignored=Reason.UNUSED_EVENT, detail=detail)
        kind = payload.word(told.get("media_type"))
        if kind and kind not in reading.MEDIA_TYPES:
            return Decoded(event_type=event, ignored=Reason.OTHER_MEDIA)
        if action in _PLAYING:
            return Decoded(event_type=event, hint=True)
        subject = _Subject(service, event, told, kind, delivery.received_at)
        return subject.watched() if action == "watched" else subject.created(server)

    @property
    @override
    def poll_resources(self) -> tuple[str, ...]:
        """Return the API answers that can be read."""
        return ("history", "recently_added", "metadata", "activity", "server_info", "notifiers")

    @override
    def decode_poll(self, service: Service, resource: str, body: Json, now: float) -> Decoded:
        """Say what an API answer tells."""
        data = reading.data_of(body)
        if data is None:
            return Decoded(
                event_type=resource, ignored=Reason.UNREADABLE, detail="an error, no answer"
            )
        found = payload.mapping(data)
        match resource:
            case "history":
                return _history(service, payload.rows(found.get("data")))
            case "recently_added":
                return _added(service, resource, payload.rows(found.get("recently_added")), now)
            case "metadata":
                return _added(service, resource, (found,), now)
            case "activity":
                count = payload.counting(found.get("stream_count"))
                return _noted(resource, None if count is None else f"{count} being played")
            case "server_info":
                return _noted(resource, payload.text(found.get("pms_version"), 64))
            case "notifiers":
                # Without any, the answer is an empty object.
                rows = payload.rows(data)
                agents = sum(payload.integer(row.get("agent_id")) == AGENT for row in rows)
                return _noted(resource, f"notification agents: {len(rows)}, webhooks: {agents}")
            case _:
                return Decoded(
                    event_type=resource, ignored=Reason.UNUSED_EVENT, detail="not a known resource"
                )

    @override
    def sanitise(self, delivery: Delivery) -> str:
        """Return what the journal keeps: what :meth:`decode` reads, and nothing else."""
        return payload.dump(bodies.told(delivery))

    @override
    def viewer(self, service: Service, user: Json) -> str | None:
        """Name a user by the id at plex.tv."""
        return reading.viewer_of(service, user)

    @override
    def of_watching(self, event: str) -> bool:
        """Tell whether an event is about a user; few are about the server or the library."""
        return event.rpartition(".")[2].casefold() not in _OF_THE_SERVER


class _Subject:
    """What a delivery is about."""

    def __init__(
        self, service: Service, event: str, told: Object, kind: str, received_at: float
    ) -> None:
        """Read the title and its parts."""
        self.service = service
        self.event = event
        self.told = told
        self.kind = kind
        self.item = payload.opaque_id(told.get("rating_key"))
        media_type = reading.MEDIA_TYPES.get(kind, MediaType.MOVIE)
        series = media_type is MediaType.SERIES
        name = told.get("show_name") or (told.get("title") if kind == "show" else None)
        self.title = TitleRef(
            media_type=media_type,
            ids=reading.ids_told(told, media_type),
            name=payload.text(name if series else told.get("title")),
            # An episode has a year of its own.
            year=None if series else payload.year(told.get("year")),
        )
        self.parts = _parts(told, kind)
        self.at = _moment(told.get("unixtime"), received_at)

    def watched(self) -> Decoded:
        """Say who watched it; a template without a user leaves that to the history."""
        viewer = reading.viewer_of(self.service, self.told.get("user_id"))
        if viewer is None:
            return Decoded(event_type=self.event, hint=True)
        if self.kind not in {"movie", "episode"} or (self.kind == "episode" and not self.parts):
            return self._unmatched()
        report = WatchReport(
            origin=reading.origin_of(self.service, Via.WEBHOOK),
            at=self.at,
            happened_at=self.at,
            title=self.title,
            viewer=viewer,
            watched=True,
            parts=self.parts,
        )
        key = self.item
        sightings = () if key is None else (Sighting(event="watched", key=key, at=self.at),)
        if self.title.ids:
            return Decoded(event_type=self.event, reports=(report,), sightings=sightings)
        item = self.item
        if self.kind == "episode":
            # Every episode of a series is asked about by the series: that is read once.
            item = payload.opaque_id(self.told.get("grandparent_rating_key")) or item
        if item is None:
            return self._unmatched()
        question = Question(
            service=self.service.id, kind=QuestionKind.ITEM, item=item, about=report
        )
        return Decoded(event_type=self.event, questions=(question,), sightings=sightings)

    def created(self, server: str | None) -> Decoded:
        """Say what can be played now; the media server itself is worth a look, too."""
        peer = server or self.service.server_id
        if self.title.ids and (self.kind == "movie" or self.parts):
            report = PlayableReport(
                origin=reading.origin_of(self.service, Via.WEBHOOK),
                at=self.at,
                happened_at=self.at,
                title=self.title,
                playable=True,
                parts=self.parts,
            )
            return Decoded(event_type=self.event, reports=(report,), peer=peer)
        if self.item is None:
            return Decoded(event_type=self.event, ignored=Reason.NO_IDS, peer=peer)
        question = Question(
            service=self.service.id,
            kind=QuestionKind.ITEM,
            item=self.item,
            seasons=reading.numbers(self.told.get("season_num")) if self.kind == "show" else (),
        )
        return Decoded(event_type=self.event, questions=(question,), peer=peer)

    def _unmatched(self) -> Decoded:
        return Decoded(event_type=self.event, ignored=Reason.NO_IDS, hint=True)


def _parts(told: Object, kind: str) -> tuple[PartRef, ...]:
    """Read the episodes: several come as one event of their season, with ranges."""
    seasons = reading.numbers(told.get("season_num"))
    if kind not in {"season", "episode"} or len(seasons) != 1:
        return ()
    found = [number for number in reading.numbers(told.get("episode_num")) if number > 0]
    air_date = payload.day(told.get("air_date")) if kind == "episode" else None
    if len(found) == 1 or (not found and air_date is not None):
        number = found[0] if found else None
        return (PartRef(season=seasons[0], number=number, air_date=air_date),)
    return tuple(PartRef(season=seasons[0], number=number) for number in found)


def _moment(value: Json, received_at: float) -> float:
    """Read when it happened, as far as that can be."""
    told = payload.number(value)
    if told is None or not 0 <= received_at - told < _DAY:
        return received_at
    return told


# --- API answers ------------------------------------------------------------------------------


def history_sightings(rows: tuple[Object, ...], offset: float) -> tuple[Sighting, ...]:
    """Return what the webhook should have told of rows of the history that were watched."""
    return tuple(
        Sighting(event="watched", key=key, at=stopped - offset)
        for row in rows
        if (key := payload.opaque_id(row.get("rating_key"))) is not None
        and (stopped := payload.number(row.get("stopped"))) is not None
    )


def _history(service: Service, rows: tuple[Object, ...]) -> Decoded:
    asked = {row_id: reading.watch_of(service, row, 0.0) for row_id, row in enumerate(rows)}
    questions = tuple(one for one in asked.values() if one is not None)
    watched = tuple(rows[row_id] for row_id, one in asked.items() if one is not None)
    return Decoded(
        event_type="history",
        questions=questions,
        sightings=history_sightings(watched, 0.0),
        ignored=None if questions else Reason.UNUSED_EVENT,
        detail=None if questions else "nothing in it was watched to the end",
    )


def _added(
    service: Service, resource: str, rows: tuple[Mapping[str, Json], ...], now: float
) -> Decoded:
    found = [reading.playable_of(service, row, now, 0.0) for row in rows]
    reports = tuple(one for one in found if isinstance(one, PlayableReport))
    questions = tuple(one for one in found if isinstance(one, Question))
    nothing = not reports and not questions
    return Decoded(
        event_type=resource,
        reports=reports,
        questions=questions,
        ignored=Reason.OTHER_MEDIA if nothing else None,
        detail="no film or series in it" if nothing else None,
    )


def _noted(resource: str, detail: str | None) -> Decoded:
    return Decoded(
        event_type=resource,
        ignored=Reason.UNREADABLE if detail is None else Reason.UNUSED_EVENT,
        detail=detail or "no answer of that kind",
    )
