"""What Radarr says: deliveries and answers, to reports."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, override

from ...board.models import AnyReport, MediaType, PartRef, Premiere, Service, TitleRef
from .. import payload
from ..arr.decode import ENVELOPE, TITLE, ArrDecoder, Subject
from ..arr.reading import records, tier_of
from ..base import Decoded, Json
from ..payload import Object
from ..releases import Release, ReleaseKind

_keep_read: Final = payload.keeper({**ENVELOPE, "movie": TITLE, "remoteMovie": TITLE})
_DATES: Final = (
    ("inCinemas", ReleaseKind.CINEMA),
    ("digitalRelease", ReleaseKind.DIGITAL),
    ("physicalRelease", ReleaseKind.PHYSICAL),
)
_AFTER_CINEMAS: Final = 90 * 86_400.0
"""Seconds after which Radarr takes a film without another date for released."""
_NOT_OUT: Final = frozenset({"tba", "announced"})
_NO_PARTS: Final[tuple[PartRef, ...]] = ()


class RadarrDecoder(ArrDecoder):
    """The pure half of the Radarr connector."""

    kind = "radarr"
    product = "Radarr"
    media_type = MediaType.MOVIE
    title_key = "movie"
    has_parts = False
    poll_resources = ("queue", "history", "movie", "health", "status", "notification")

    @override
    def title_of(self, found: Object, own_id: Json = None) -> TitleRef | None:
        # Radarr knows no TheTVDB ids; a key of that name would be a series'.
        return super().title_of({**found, "tvdbId": None}, own_id)

    @override
    def delivery_title(self, document: Object) -> TitleRef | None:
        movie = payload.mapping(document.get("movie"))
        remote = payload.mapping(document.get("remoteMovie"))
        filled = dict(movie)
        for key, read in (
            ("tmdbId", payload.identifier),
            ("imdbId", payload.imdb_id),
            ("title", payload.text),
            ("year", payload.year),
        ):
            if read(movie.get(key)) is None:
                filled[key] = remote.get(key)
        return self.title_of(filled)

    @override
    def keep_read(self, document: Object) -> Json:
        return _keep_read(document)

    @override
    def delivery_parts(self, document: Object) -> tuple[PartRef, ...]:
        return _NO_PARTS

    @override
    def names_parts(self, document: Object) -> bool:
        return True

    @override
    def row_part(self, row: Object) -> tuple[PartRef, ...]:
        return _NO_PARTS

    @override
    def added(self, subject: Subject) -> Decoded:
        return Decoded(
            event_type=subject.event,
            reports=(subject.statement().held(held=True, opens=True),),
            sightings=self.seen_added(subject),
        )

    @override
    def read_resource(
        self, service: Service, resource: str, body: Json, now: float
    ) -> tuple[AnyReport, ...] | None:
        rows = (body,) if isinstance(body, Mapping) else records(body)
        if resource != "movie" or rows is None:
            return None
        return tuple(report for row in rows for report in self.read_title(service, row, now, 0.0))

    @override
    def read_title(
        self, service: Service, found: Object, now: float, offset: float
    ) -> tuple[AnyReport, ...]:
        title = self.title_of(found)
        if title is None:
            return ()
        file = payload.mapping(found.get("movieFile"))
        has_file = payload.boolean(found.get("hasFile"))
        if has_file is None and file:
            has_file = True
        tier = tier_of(service, file.get("quality"))
        held = self.title_statement(
            service, title, now, happened_at=_corrected(found.get("added"), offset), tier=tier
        ).held(held=True, premiere=_premiere(found, now, offset))
        if has_file is None:
            return (held,)
        dated = _corrected(file.get("dateAdded"), offset) if has_file else None
        present = self.title_statement(service, title, now, happened_at=dated, tier=tier)
        return (held, present.file(present=has_file, parts=_NO_PARTS))

    @override
    def read_releases(self, row: Object) -> tuple[Release, ...]:
        title = self.title_of(row)
        if title is None or title.name is None:
            return ()
        title = replace(title, overview=None)
        return tuple(
            Release(
                title=title,
                kind=kind,
                day=day,
                monitored=payload.boolean(row.get("monitored")) is not False,
            )
            for key, kind in _DATES
            if (day := payload.day(row.get(key))) is not None
        )


def _corrected(value: Json, offset: float) -> float | None:
    moment = payload.moment(value)
    return moment - offset if moment is not None else None


def _premiere(found: Object, now: float, offset: float) -> Premiere | None:
    """Read from when Radarr can find a film: its dates, and which of them it waits for."""
    cinemas = _corrected(found.get("inCinemas"), offset)
    homes = (
        _corrected(found.get("digitalRelease"), offset),
        _corrected(found.get("physicalRelease"), offset),
    )
    home = min((date for date in homes if date is not None), default=None)
    out = payload.boolean(found.get("isAvailable"))
    monitored = payload.boolean(found.get("monitored"))
    dates = [date for date in (cinemas, home) if date is not None]
    if payload.word(found.get("minimumAvailability")) != "released":
        due = min(dates, default=None)
    elif home is None and cinemas is not None:
        due = cinemas + _AFTER_CINEMAS
    else:
        due = home
    if due is None and payload.word(found.get("status")) in _NOT_OUT:
        # Announced is enough for Radarr to look, and not for anybody to have it.
        out = False
    if due is None and out is None and monitored is None:
        return None
    return Premiere(at=now, due_at=due, out=out, monitored=monitored)
