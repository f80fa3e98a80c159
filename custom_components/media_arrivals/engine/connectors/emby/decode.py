"""Emby's webhooks. Pure.

Up to 4.8 they are a form with JSON in the field ``data``; later they are JSON, if the user
wants. Names of ids come in any case, and texts in the server's language.
"""

from collections.abc import Mapping
from typing import Final, override

from ...board.models import MediaType, Service
from .. import multipart, payload
from ..base import Decoded, Delivery, Json
from ..mediabrowser.decode import (
    Heard,
    MediaBrowserDecoder,
    added,
    deleted,
    other_media,
    played,
    unused,
    watched,
)
from ..mediabrowser.items import (
    MEDIA_TYPES,
    SEASON,
    Numbers,
    air_date,
    date_text,
    item_id,
    kind_of,
    provider_ids,
    title_text,
)

_FIELD: Final = "data"
_TESTS: Final = frozenset({"system.webhooktest", "system.notificationtest"})
_EMPTY: Final[payload.Object] = {"Event": "system.notificationtest"}
"""What an empty body stands for: the test of versions before 4.9.0.37."""
_PROVIDERS: Final = frozenset({"tmdb", "tvdb", "imdb"})


def _event(value: Json) -> str | None:
    found = payload.event_name(value)
    return found.lower() if found is not None else None


def _ids(value: Json) -> Json:
    """Keep the ids that services share; others are named after sites and people."""
    return {
        key.casefold(): kept
        for key, one in payload.mapping(value).items()
        if key.casefold() in _PROVIDERS
        and (kept := payload.identifier(one) or payload.imdb_id(one)) is not None
    }


_ITEM: Final[Mapping[str, payload.Shape]] = {
    "Id": item_id,
    "ServerId": item_id,
    "Type": kind_of,
    "Name": title_text,
    "SeriesName": title_text,
    "SeriesId": item_id,
    "ProductionYear": payload.year,
    "ParentIndexNumber": payload.counting,
    "IndexNumber": payload.counting,
    "IndexNumberEnd": payload.counting,
    "PremiereDate": air_date,
    "ProviderIds": _ids,
}
_KEPT: Final[Mapping[str, payload.Shape]] = {
    "Event": _event,
    "Date": date_text,
    "User": {"Id": item_id},
    "Item": _ITEM,
    "Server": {"Id": item_id},
    "PlaybackInfo": {"PlayedToCompletion": payload.boolean},
}


class EmbyDecoder(MediaBrowserDecoder):
    """Decodes what Emby sends, in either form."""

    kind = "emby"
    name = "Emby"
    people_at: tuple[tuple[str, ...], ...] = (("User", "Id"),)
    watching = ("playback.", "item.", "user.", "session.")

    @override
    def read(self, delivery: Delivery) -> payload.Object | None:
        if not delivery.body.strip():
            return _EMPTY
        found = payload.load_object(delivery.body)
        if found is None:
            data = multipart.field(delivery.body, delivery.content_type, _FIELD)
            found = None if data is None else payload.load_object(data)
        return None if found is None else payload.mapping(payload.pick(found, _KEPT))

    @override
    def hear(self, told: payload.Object, delivery: Delivery) -> Heard | None:
        event = _event(told.get("Event"))
        if event is None:
            return None
        item = payload.mapping(told.get("Item"))
        kind = kind_of(item.get("Type"))
        index = payload.counting(item.get("IndexNumber"))
        season = payload.counting(item.get("ParentIndexNumber"))
        server = payload.mapping(told.get("Server")).get("Id") or item.get("ServerId")
        return Heard(
            event=event,
            at=delivery.received_at,
            moment=payload.moment(told.get("Date")),
            server=item_id(server),
            kind=kind,
            item=item_id(item.get("Id")),
            series=item_id(item.get("SeriesId")),
            ids=provider_ids(MEDIA_TYPES.get(kind, MediaType.SERIES), item.get("ProviderIds")),
            name=title_text(item.get("Name")),
            series_name=title_text(item.get("SeriesName")),
            year=payload.year(item.get("ProductionYear")),
            numbers=Numbers(
                season=index if kind == SEASON else season,
                first=None if kind == SEASON else index,
                last=payload.counting(item.get("IndexNumberEnd")),
                air_date=air_date(item.get("PremiereDate")),
            ),
            user=item_id(payload.mapping(told.get("User")).get("Id")),
        )

    @override
    def is_test(self, heard: Heard) -> bool:
        return heard.event in _TESTS

    @override
    def conclude(self, service: Service, heard: Heard, told: payload.Object) -> Decoded:
        completed = payload.mapping(told.get("PlaybackInfo")).get("PlayedToCompletion") is True
        match heard.event:
            case "library.new":
                return added(service, heard)
            case "library.deleted":
                return deleted(service, heard)
            case "library.new.music":
                return other_media(heard)
            case "item.markplayed":
                return watched(service, heard, yes=True)
            case "item.markunplayed":
                return watched(service, heard, yes=False)
            case "playback.stop" if completed:
                return watched(service, heard, yes=True, hint=True)
            case "playback.start" | "playback.pause" | "playback.unpause" | "playback.stop":
                return played(heard)
            case _:
                return unused(heard)
