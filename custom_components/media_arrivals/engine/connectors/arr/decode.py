"""Deliveries of Radarr and Sonarr: the events are the same, the titles differ."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, override

from ...board.models import (
    AnyReport,
    DownloadState,
    MediaType,
    PartRef,
    Question,
    QuestionKind,
    Reason,
    Role,
    Service,
    Tier,
    TitleRef,
    Via,
)
from .. import payload
from ..base import Decoded, Decoder, Delivery, HealthNote, Json, Sighting
from ..payload import Object, Shape
from ..releases import Release
from .about import described_connections, described_status
from .history import History, read_history
from .queue import Queue, read_queue
from .reading import (
    MAX_OVERVIEW,
    Statement,
    complaints,
    joined,
    messages,
    origin_of,
    poster,
    records,
    tier_of,
)

_QUALITY: Final[Mapping[str, Shape]] = {"name": payload.keep, "resolution": payload.keep}
_keep_wrapped: Final = payload.keeper({**_QUALITY, "quality": _QUALITY})


def _keep_quality(value: Json) -> Json:
    """Keep a quality's name; Sonarr v3 wraps it in objects when a file is deleted."""
    return payload.keep(value) if isinstance(value, str) else _keep_wrapped(value)


def _keep_presence(value: Json) -> Json:
    """Keep of a path that there is one."""
    return None if value is None else True


def _keep_deleted(value: Json) -> Json:
    """Keep whether files were deleted: a flag, or a list with an upgrade."""
    return value if isinstance(value, bool) else [0] if payload.items(value) else None


_IMAGES: Final[Shape] = ({"coverType": payload.keep, "remoteUrl": payload.web_address},)
_FILE: Final[Shape] = {"quality": _keep_quality}
ENVELOPE: Final[Mapping[str, Shape]] = {
    "eventType": payload.event_name,
    "instanceName": payload.keep,
    "release": {"quality": _keep_quality, "releaseTitle": payload.prose},
    "downloadInfo": {"quality": _keep_quality},
    "downloadClient": payload.prose,
    "downloadClientType": payload.keep,
    "downloadId": payload.opaque_id,
    "downloadStatus": payload.keep,
    "downloadStatusMessages": ({"title": payload.prose, "messages": (payload.prose,)},),
    "isUpgrade": payload.keep,
    "deletedFiles": _keep_deleted,
    "deleteReason": payload.keep,
    "addMethod": payload.keep,
    "fileCount": payload.keep,
    "sourcePath": _keep_presence,
    "destinationPath": _keep_presence,
    "movieFile": _FILE,
    "episodeFile": _FILE,
    "episodeFiles": (_FILE,),
    "level": payload.keep,
    "type": payload.keep,
    "message": payload.prose,
    "previousVersion": payload.keep,
    "newVersion": payload.keep,
}
TITLE: Final[Mapping[str, Shape]] = {
    "id": payload.keep,
    "title": payload.keep,
    "year": payload.keep,
    "tmdbId": payload.keep,
    "imdbId": payload.keep,
    "tvdbId": payload.keep,
    "overview": payload.keep,
    "images": _IMAGES,
}
_SUMMARY: Final = ("episodeFiles", "fileCount", "sourcePath", "destinationPath")
"""What only a summary says, beside the file that it does not name."""
_TELLING: Final = frozenset({"grab", "download"})
"""Events that reports follow from, unless they are about nothing that has an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an event is about, and when it was received."""

    service: Service
    event: str
    document: Object
    title: TitleRef
    parts: tuple[PartRef, ...]
    at: float

    def statement(self, quality: Json = None) -> Statement:
        """Begin a report."""
        return Statement(
            origin=origin_of(self.service, Via.WEBHOOK),
            title=self.title,
            at=self.at,
            happened_at=self.at,
            tier=tier_of(self.service, quality),
        )

    @property
    def download_id(self) -> str | None:
        """Return the id of the download, where there is one."""
        return payload.opaque_id(self.document.get("downloadId"))


class ArrDecoder(Decoder, ABC):
    """What Radarr and Sonarr say, at a webhook and in answers."""

    kind: str
    product: ClassVar[str]
    role: Role = Role.DOWNLOADS
    media_type: ClassVar[MediaType]
    title_key: ClassVar[str]
    """Name of the object that describes the title."""
    sums_up: ClassVar[bool] = False
    """After the last file of a release it sends a summary, by the name of an import."""
    has_parts: ClassVar[bool]
    """A download is of parts that have to be named."""
    poll_resources: tuple[str, ...]

    @abstractmethod
    def keep_read(self, document: Object) -> Json:
        """Keep of a delivery what is read."""

    @abstractmethod
    def delivery_parts(self, document: Object) -> tuple[PartRef, ...]:
        """Read the parts that a delivery names."""

    @abstractmethod
    def names_parts(self, document: Object) -> bool:
        """Tell whether a delivery is sure to name what it is about."""

    @abstractmethod
    def row_part(self, row: Object) -> tuple[PartRef, ...]:
        """Read the part that a row names; none for a film, or if it names none."""

    @abstractmethod
    def added(self, subject: Subject) -> Decoded:
        """Say that a title was added."""

    @abstractmethod
    def read_title(
        self, service: Service, found: Object, now: float, offset: float
    ) -> tuple[AnyReport, ...]:
        """Read a title as the service holds it."""

    @abstractmethod
    def read_resource(
        self, service: Service, resource: str, body: Json, now: float
    ) -> tuple[AnyReport, ...] | None:
        """Read an answer that only this service gives; ``None``: it is another shape."""

    @abstractmethod
    def read_releases(self, row: Object) -> tuple[Release, ...]:
        """Read a row of the calendar; a film may have several dates."""

    # --- titles -------------------------------------------------------------------------

    def title_of(self, found: Object, own_id: Json = None) -> TitleRef | None:
        """Read a title; ``None``: it has no id at all."""
        ids = payload.external_ids(
            tmdb=found.get("tmdbId"), tvdb=found.get("tvdbId"), imdb=found.get("imdbId")
        )
        own = payload.identifier(found.get("id")) or payload.identifier(own_id)
        if own is None and not ids:
            return None
        return TitleRef(
            media_type=self.media_type,
            ids=ids,
            own_id=own,
            name=payload.text(found.get("title")),
            year=payload.year(found.get("year")),
            overview=payload.text(found.get("overview"), MAX_OVERVIEW),
            poster=poster(found.get("images")),
        )

    def row_title(self, row: Object) -> TitleRef | None:
        """Read the title of a row of the queue or the history."""
        found = payload.mapping(row.get(self.title_key))
        return self.title_of(found, row.get(f"{self.title_key}Id"))

    # --- deliveries -----------------------------------------------------------------------

    @override
    def decode(self, service: Service, delivery: Delivery) -> Decoded:
        """Say what a delivery tells."""
        document = payload.read_object(delivery)
        event = payload.event_name((document or {}).get("eventType"))
        if document is None or event is None:
            why = "no JSON object" if document is None else "no event name"
            return Decoded(event_type="", ignored=Reason.UNREADABLE, detail=why)
        name = event.casefold()
        if name == "test":
            return Decoded(event_type=event, ignored=Reason.TEST, test=True)
        if name in {"health", "healthrestored"}:
            return self._health(event, document, ok=name == "healthrestored")
        read, needs_parts = self._events().get(name, (None, False))
        if read is None:
            return Decoded(event_type=event, ignored=Reason.UNUSED_EVENT)
        title = self.delivery_title(document)
        if title is None:
            return _unmatched(event, "no title")
        subject = Subject(
            service=service,
            event=event,
            document=document,
            title=title,
            parts=self.delivery_parts(document),
            at=delivery.received_at,
        )
        if needs_parts and self.has_parts and not subject.parts:
            return _unmatched(event, "no episodes")
        return read(subject)

    def delivery_title(self, document: Object) -> TitleRef | None:
        """Read the title that a delivery names."""
        return self.title_of(payload.mapping(document.get(self.title_key)))

    def _events(self) -> Mapping[str, tuple[Callable[[Subject], Decoded], bool]]:
        """Name the events that say something of a journey, and which are about parts."""
        return {
            "grab": (self._grabbed, True),
            "download": (self._imported, True),
            "moviefiledelete": (self._file_deleted, True),
            "episodefiledelete": (self._file_deleted, True),
            "manualinteractionrequired": (self._blocked, False),
            "movieadded": (self.added, False),
            "seriesadd": (self.added, False),
            "moviedelete": (self._deleted, False),
            "seriesdelete": (self._deleted, False),
        }

    def _grabbed(self, subject: Subject) -> Decoded:
        release = payload.mapping(subject.document.get("release"))
        report = subject.statement(release.get("quality")).download(
            DownloadState.DOWNLOADING,
            parts=subject.parts,
            download_id=subject.download_id,
            opens=True,
        )
        return Decoded(
            event_type=subject.event, reports=(report,), sightings=self._seen(subject, "grab")
        )

    def _imported(self, subject: Subject) -> Decoded:
        """Read an import, an upgrade, or the summary after the last file of a release."""
        document = subject.document
        file = payload.mapping(document.get("movieFile") or document.get("episodeFile"))
        upgrade = payload.boolean(document.get("isUpgrade"))
        summary = (
            self.sums_up
            and not file
            and (upgrade is None or any(document.get(key) is not None for key in _SUMMARY))
        )
        if upgrade is None:
            upgrade = bool(payload.items(document.get("deletedFiles")))
        statement = subject.statement(file.get("quality"))
        if summary:
            files = payload.rows(document.get("episodeFiles"))
            tiers = {tier_of(subject.service, one.get("quality")) for one in files}
            # Files of several tiers: each has said which episodes it holds.
            tier = tiers.pop() if len(tiers) == 1 else subject.service.tier or Tier.UNKNOWN
            statement = replace(statement, tier=tier)
        download_id = subject.download_id
        reports: list[AnyReport] = [
            statement.file(
                present=True,
                parts=subject.parts,
                download_id=download_id,
                # A summary does not say whether it was an upgrade; each file has said it.
                opens=not upgrade and not summary,
            )
        ]
        if download_id is not None:
            reports.append(
                statement.download(
                    DownloadState.IMPORTED, parts=subject.parts, download_id=download_id
                )
            )
        return Decoded(
            event_type=subject.event,
            reports=tuple(reports),
            sightings=self._seen(subject, "import"),
        )

    def _file_deleted(self, subject: Subject) -> Decoded:
        document = subject.document
        if payload.word(document.get("deleteReason")) == "upgrade":
            return Decoded(event_type=subject.event, ignored=Reason.UPGRADE)
        file = payload.mapping(document.get("movieFile") or document.get("episodeFile"))
        report = subject.statement(file.get("quality")).file(present=False, parts=subject.parts)
        return Decoded(event_type=subject.event, reports=(report,))

    def _blocked(self, subject: Subject) -> Decoded:
        document = subject.document
        # Without episodes, only the download's id can tell what it is about.
        hint = self.has_parts and not subject.parts
        if hint and subject.download_id is None:
            return _unmatched(subject.event, "no episodes")
        info = payload.mapping(document.get("downloadInfo"))
        report = subject.statement(info.get("quality")).download(
            DownloadState.BLOCKED,
            parts=subject.parts,
            download_id=subject.download_id,
            progress=1.0,
            problem=joined(messages(document.get("downloadStatusMessages"))),
        )
        return Decoded(event_type=subject.event, reports=(report,), hint=hint)

    def _deleted(self, subject: Subject) -> Decoded:
        files = payload.boolean(subject.document.get("deletedFiles"))
        report = subject.statement().held(held=False, files_deleted=files is True)
        return Decoded(event_type=subject.event, reports=(report,))

    def _health(self, event: str, document: Object, *, ok: bool) -> Decoded:
        note = HealthNote(
            check=payload.text(document.get("type"), 64) or "unknown",
            ok=ok or payload.word(document.get("level")) == "ok",
            message=payload.prose(document.get("message")) or "",
        )
        return Decoded(event_type=event, ignored=Reason.UNUSED_EVENT, health=(note,))

    def _seen(self, subject: Subject, event: str) -> tuple[Sighting, ...]:
        """Name what happened as the history will."""
        if subject.download_id is not None:
            return (Sighting(event=event, key=subject.download_id.casefold(), at=subject.at),)
        parts = subject.parts if self.has_parts else (subject.title,)
        return tuple(
            Sighting(event=event, key=f"own:{one.own_id}", at=subject.at)
            for one in parts
            if one.own_id is not None
        )

    def question_of(self, subject: Subject, opening: AnyReport) -> Decoded:
        """Ask what the service holds before an addition counts."""
        question = Question(
            service=subject.service.id,
            kind=QuestionKind.TITLE,
            title=subject.title,
            opening=opening,
        )
        return Decoded(
            event_type=subject.event,
            questions=(question,),
            sightings=self.seen_added(subject),
        )

    def seen_added(self, subject: Subject) -> tuple[Sighting, ...]:
        """Name an addition."""
        own_id = subject.title.own_id
        if own_id is None:
            return ()
        return (Sighting(event="added", key=str(own_id), at=subject.at),)

    @override
    def sanitise(self, delivery: Delivery) -> str:
        """Write as JSON what is kept of a delivery."""
        kept = self.keep(delivery)
        return payload.unreadable_note(delivery) if kept is None else payload.dump(kept)

    @override
    def keep(self, delivery: Delivery) -> Object | None:
        """Keep of a delivery what is read, which is no path, no address and no key."""
        document = payload.read_object(delivery)
        return None if document is None else payload.mapping(self.keep_read(document))

    @override
    def told(self, kept: Object) -> str | None:
        """Return the event's name if reports or questions are sure to follow from it."""
        event = kept.get("eventType")
        if not isinstance(event, str) or event.casefold() not in _TELLING:
            return None
        title = payload.mapping(kept.get(self.title_key))
        sure = payload.identifier(title.get("id")) is not None and self.names_parts(kept)
        return event if sure else None

    # --- answers --------------------------------------------------------------------------

    def queue(self, service: Service, body: Json, now: float, offset: float = 0.0) -> Queue | None:
        """Read the queue; ``None``: it is another shape."""
        rows = records(body)
        return None if rows is None else read_queue(self, service, rows, now, offset)

    def history(self, service: Service, body: Json, offset: float = 0.0) -> History | None:
        """Read rows of the history; ``None``: it is another shape."""
        rows = records(body)
        return None if rows is None else read_history(self, service, rows, offset)

    @override
    def decode_poll(self, service: Service, resource: str, body: Json, now: float) -> Decoded:
        """Say what an API answer tells."""
        if resource == "queue" and (queue := self.queue(service, body, now)) is not None:
            return Decoded(event_type=resource, reports=queue.reports)
        if resource == "history" and (history := self.history(service, body)) is not None:
            return Decoded(
                event_type=resource,
                reports=history.reports,
                questions=history.questions,
                sightings=history.sightings,
            )
        if resource == "health" and (health := complaints(body)) is not None:
            return Decoded(event_type=resource, health=health)
        said = {
            "status": described_status(body, self.product),
            "notification": described_connections(body),
        }.get(resource)
        if said is not None:
            return Decoded(event_type=resource, ignored=Reason.UNUSED_EVENT, detail=said)
        reports = self.read_resource(service, resource, body, now)
        if reports is not None:
            return Decoded(event_type=resource, reports=reports)
        known = resource in self.poll_resources
        detail = "another shape" if known else "unknown resource"
        return Decoded(event_type=resource, ignored=Reason.UNREADABLE, detail=detail)

    def title_statement(
        self,
        service: Service,
        title: TitleRef,
        now: float,
        *,
        happened_at: float | None = None,
        tier: Tier | None = None,
    ) -> Statement:
        """Begin a report on the state that was read."""
        return Statement(
            origin=origin_of(service, Via.POLL),
            title=title,
            at=now,
            happened_at=now if happened_at is None else min(happened_at, now),
            tier=tier or service.tier or Tier.UNKNOWN,
            confirmed=True,
        )


def _unmatched(event: str, why: str) -> Decoded:
    """Say that an event carries too little, and that a poll may tell more."""
    return Decoded(event_type=event, ignored=Reason.NO_IDS, detail=why, hint=True)
