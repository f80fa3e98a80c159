"""What Sonarr says: deliveries and answers, to reports and questions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, override

from ...board.models import (
    AnyReport,
    EpisodesReport,
    MediaType,
    PartRef,
    PartState,
    Service,
    Tier,
    TitleRef,
)
from .. import payload
from ..arr.decode import ENVELOPE, TITLE, ArrDecoder, Subject
from ..arr.reading import records, tier_of
from ..base import Decoded, Json
from ..payload import Object, Shape
from ..releases import Release, ReleaseKind

_EPISODE: Shape = {
    "id": payload.keep,
    "seasonNumber": payload.keep,
    "episodeNumber": payload.keep,
    "title": payload.keep,
    "airDate": payload.keep,
    "airDateUtc": payload.keep,
    "tvdbId": payload.keep,
}
_keep_read: Final = payload.keeper({**ENVELOPE, "series": TITLE, "episodes": (_EPISODE,)})


class SonarrDecoder(ArrDecoder):
    """The pure half of the Sonarr connector."""

    kind = "sonarr"
    product = "Sonarr"
    media_type = MediaType.SERIES
    title_key = "series"
    has_parts = True
    sums_up = True
    poll_resources = (
        "queue",
        "history",
        "series",
        "episodes",
        "health",
        "status",
        "notification",
    )

    @override
    def keep_read(self, document: Object) -> Json:
        return _keep_read(document)

    @override
    def delivery_parts(self, document: Object) -> tuple[PartRef, ...]:
        return tuple(
            part
            for row in payload.rows(document.get("episodes"))
            if (part := episode(row)) is not None
        )

    @override
    def names_parts(self, document: Object) -> bool:
        return any(
            payload.counting(row.get("seasonNumber")) is not None
            and payload.identifier(row.get("id")) is not None
            for row in payload.rows(document.get("episodes"))
        )

    @override
    def row_part(self, row: Object) -> tuple[PartRef, ...]:
        found = dict(payload.mapping(row.get("episode")))
        for key, of_row in (("id", "episodeId"), ("seasonNumber", "seasonNumber")):
            if payload.integer(found.get(key)) is None:
                found[key] = row.get(of_row)
        part = episode(found)
        return () if part is None else (part,)

    @override
    def added(self, subject: Subject) -> Decoded:
        # Which seasons are wanted is not in it.
        return self.question_of(subject, subject.statement().held(held=True, opens=True))

    @override
    def read_resource(
        self, service: Service, resource: str, body: Json, now: float
    ) -> tuple[AnyReport, ...] | None:
        rows = (body,) if isinstance(body, Mapping) else records(body)
        if rows is None:
            return None
        if resource == "series":
            return tuple(
                report for row in rows for report in self.read_title(service, row, now, 0.0)
            )
        if resource != "episodes":
            return None
        by_series: dict[int, list[Object]] = defaultdict(list)
        for row in rows:
            own_id = payload.identifier(row.get("seriesId"))
            if own_id is not None:
                by_series[own_id].append(row)
        return tuple(
            report
            for own_id, found in by_series.items()
            for report in self.episodes(
                service, TitleRef(media_type=self.media_type, own_id=own_id), found, now
            )
        )

    @override
    def read_title(
        self, service: Service, found: Object, now: float, offset: float
    ) -> tuple[AnyReport, ...]:
        title = self.title_of(found)
        if title is None:
            return ()
        seasons: tuple[int, ...] | None = None
        if isinstance(found.get("seasons"), (list, tuple)):
            seasons = tuple(
                number
                for row in payload.rows(found.get("seasons"))
                if (number := payload.counting(row.get("seasonNumber"))) is not None
                and payload.boolean(row.get("monitored"))
            )[: payload.MAX_SEASONS]
        added = payload.moment(found.get("added"))
        happened_at = None if added is None else added - offset
        statement = self.title_statement(service, title, now, happened_at=happened_at)
        return (statement.held(held=True, seasons=seasons),)

    def episodes(
        self,
        service: Service,
        title: TitleRef,
        rows: Sequence[Object],
        now: float,
        *,
        monitored: bool = True,
        absent: Iterable[int] = (),
        offset: float = 0.0,
    ) -> tuple[AnyReport, ...]:
        """Read the episode lists of the seasons in ``rows``.

        ``monitored``: whether the series is; an episode of one that is not is not wanted.
        ``absent``: seasons that were asked for and do not exist.
        """
        seasons: dict[int, list[PartState]] = defaultdict(list)
        tiers: dict[int, list[Tier]] = defaultdict(list)
        for row in rows:
            state = _state(row, offset, monitored=monitored)
            if state is None or len(seasons[state.ref.season]) >= payload.MAX_ITEMS:
                continue
            seasons[state.ref.season].append(state)
            file = payload.mapping(row.get("episodeFile"))
            if state.has_file:
                tiers[state.ref.season].append(tier_of(service, file.get("quality")))
        for season in absent:
            seasons.setdefault(season, [])
        reports = []
        for season, parts in sorted(seasons.items()):
            statement = self.title_statement(service, title, now, tier=_season_tier(tiers[season]))
            reports.append(
                EpisodesReport(
                    origin=statement.origin,
                    title=title,
                    at=now,
                    happened_at=now,
                    tier=statement.tier,
                    confirmed=True,
                    season=season,
                    parts=tuple(parts),
                )
            )
        return tuple(reports)

    @override
    def read_releases(self, row: Object) -> tuple[Release, ...]:
        series = payload.mapping(row.get("series"))
        title, part = self.row_title(row), episode(row)
        at, day = payload.moment(row.get("airDateUtc")), payload.day(row.get("airDate"))
        if at is not None:
            day = datetime.fromtimestamp(at, UTC).date().isoformat()
        if title is None or title.name is None or part is None or day is None:
            return ()
        waits = (payload.boolean(one.get("monitored")) is not False for one in (series, row))
        minutes = payload.identifier(row.get("runtime")) or payload.identifier(
            series.get("runtime")
        )
        return (
            Release(
                title=replace(title, overview=None),
                kind=ReleaseKind.EPISODE,
                day=day,
                at=at,
                minutes=minutes,
                monitored=all(waits),
                part=part,
            ),
        )


def episode(row: Object) -> PartRef | None:
    """Read an episode; ``None``: it has no season, or nothing that tells it from others."""
    season = payload.counting(row.get("seasonNumber"))
    number = payload.counting(row.get("episodeNumber"))
    own_id = payload.identifier(row.get("id"))
    air_date = payload.day(row.get("airDate"))
    if season is None or (number is None and own_id is None and air_date is None):
        return None
    name = payload.text(row.get("title"))
    return PartRef(
        season=season,
        number=number,
        air_date=air_date,
        own_id=own_id,
        tvdb=payload.identifier(row.get("tvdbId")),
        # What Sonarr calls an episode that has no name yet.
        name=None if name == "TBA" else name,
    )


def _state(row: Object, offset: float, *, monitored: bool) -> PartState | None:
    ref = episode(row)
    if ref is None:
        return None
    file = payload.mapping(row.get("episodeFile"))
    has_file = payload.boolean(row.get("hasFile"))
    if has_file is None:
        has_file = payload.identifier(row.get("episodeFileId")) is not None
    file_at = payload.moment(file.get("dateAdded"))
    return PartState(
        ref=ref,
        wanted=has_file or (monitored and payload.boolean(row.get("monitored")) is True),
        aired_at=payload.moment(row.get("airDateUtc")) or payload.moment(row.get("airDate")),
        has_file=has_file,
        file_at=None if file_at is None or not has_file else file_at - offset,
    )


def _season_tier(tiers: Sequence[Tier]) -> Tier | None:
    """Say which tier most of a season's files have."""
    return max(set(tiers), key=lambda tier: (tiers.count(tier), tier)) if tiers else None
