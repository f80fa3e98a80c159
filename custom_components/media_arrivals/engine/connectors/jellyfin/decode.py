"""Jellyfin's webhooks, which its plugin Webhook sends. Pure.

The plugin sends all that it knows, or what a template of the user's own makes of that: then
everything is text, yes and no are ``True`` and ``False``, and ids have dashes.
"""

from collections.abc import Mapping
from typing import Final, override

from ...board.models import MediaType, Service
from .. import payload
from ..base import Decoded, Delivery, Json
from ..mediabrowser.decode import (
    Heard,
    MediaBrowserDecoder,
    added,
    deleted,
    played,
    unused,
    watched,
)
from ..mediabrowser.items import (
    MEDIA_TYPES,
    Numbers,
    air_date,
    date_text,
    item_id,
    kind_of,
    provider_ids,
    title_text,
)

_TEST: Final = "generic"
_REASONS: Final = (
    "",
    "playbackstart",
    "playbackprogress",
    "playbackfinished",
    "toggleplayed",
    "updateuserrating",
    "import",
    "updateuserdata",
)
"""Why user data were saved; templates may write the number."""


def _reason(value: Json) -> str:
    number = payload.counting(value)
    if number is None:
        return payload.word(value)
    return _REASONS[number] if number < len(_REASONS) else ""


_KEPT: Final[Mapping[str, payload.Shape]] = {
    "NotificationType": payload.event_name,
    "ServerId": item_id,
    "ItemId": item_id,
    "ItemType": kind_of,
    "SeriesId": item_id,
    "UserId": item_id,
    "Name": title_text,
    "SeriesName": title_text,
    "Year": payload.year,
    "SeasonNumber": payload.counting,
    "EpisodeNumber": payload.counting,
    "EpisodeNumberEnd": payload.counting,
    "PremiereDate": air_date,
    "Provider_tmdb": payload.identifier,
    "Provider_tvdb": payload.identifier,
    "Provider_imdb": payload.imdb_id,
    "UtcTimestamp": date_text,
    "LastPlayedDate": date_text,
    "Played": payload.boolean,
    "PlayedToCompletion": payload.boolean,
    "SaveReason": _reason,
}


class JellyfinDecoder(MediaBrowserDecoder):
    """Decodes what the plugin sends, with or without a template."""

    kind = "jellyfin"
    name = "Jellyfin"
    people_at: tuple[tuple[str, ...], ...] = (("UserId",),)
    watching = ("playback", "userdata", "user", "session", "authentication")

    @override
    def read(self, delivery: Delivery) -> payload.Object | None:
        found = payload.load_object(delivery.body)
        return None if found is None else payload.mapping(payload.pick(found, _KEPT))

    @override
    def hear(self, told: payload.Object, delivery: Delivery) -> Heard | None:
        event = payload.event_name(told.get("NotificationType"))
        if event is None:
            return None
        kind = kind_of(told.get("ItemType"))
        media_type = MEDIA_TYPES.get(kind, MediaType.SERIES)
        ids = {name: told.get(f"Provider_{name}") for name in ("tmdb", "tvdb", "imdb")}
        return Heard(
            event=event,
            at=delivery.received_at,
            moment=payload.moment(told.get("UtcTimestamp")),
            server=item_id(told.get("ServerId")),
            kind=kind,
            item=item_id(told.get("ItemId")),
            series=item_id(told.get("SeriesId")),
            ids=provider_ids(media_type, ids),
            name=title_text(told.get("Name")),
            series_name=title_text(told.get("SeriesName")),
            year=payload.year(told.get("Year")),
            numbers=Numbers(
                season=payload.counting(told.get("SeasonNumber")),
                first=payload.counting(told.get("EpisodeNumber")),
                last=payload.counting(told.get("EpisodeNumberEnd")),
                air_date=air_date(told.get("PremiereDate")),
            ),
            user=item_id(told.get("UserId")),
        )

    @override
    def is_test(self, heard: Heard) -> bool:
        return heard.event.casefold() == _TEST

    @override
    def conclude(self, service: Service, heard: Heard, told: payload.Object) -> Decoded:
        match heard.event.casefold():
            case "itemadded":
                return added(service, heard)
            case "itemdeleted":
                return deleted(service, heard)
            case "playbackstart":
                return played(heard)
            case "playbackstop" if payload.boolean(told.get("PlayedToCompletion")):
                # How far it was played says nothing: credits are long.
                return watched(service, heard, yes=True, hint=True)
            case "playbackstop":
                return played(heard)
            case "userdatasaved":
                return _saved(service, heard, told)
            case _:
                return unused(heard)


def _saved(service: Service, heard: Heard, told: payload.Object) -> Decoded:
    """Read what was saved of a user; the flag counts only with the reason for saving.

    To start a watched film again clears the flag up to version 10.11, and to play on says it
    every few seconds.
    """
    reason = payload.word(told.get("SaveReason"))
    flag = payload.boolean(told.get("Played"))
    happened_at = payload.moment(told.get("LastPlayedDate"))
    match reason, flag:
        case "toggleplayed", bool():
            # The date is that of an earlier time, or none: it was marked just now.
            return watched(service, heard, yes=flag)
        case (("playbackfinished" | "updateuserdata"), True):
            return watched(service, heard, yes=True, happened_at=happened_at)
        case _:
            return unused(heard, f"saved for {reason}" if reason in _REASONS[1:] else None)
