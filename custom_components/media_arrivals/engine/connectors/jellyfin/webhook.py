"""Our webhook in Jellyfin: one destination among others in the settings of the plugin Webhook."""

from typing import Final, override

from .. import payload
from ..base import (
    BadAnswerError,
    Json,
    NotFoundError,
    WebhookCause,
    WebhookError,
    WebhookTarget,
)
from ..mediabrowser.decode import ADDED
from ..mediabrowser.items import item_id
from ..mediabrowser.webhook import Webhooks, mark_of
from ..payload import Object

_NAME: Final = "webhook"
_DESTINATIONS: Final = "GenericOptions"
_EVENTS: Final = (
    "ItemAdded",
    "ItemDeleted",
    "PlaybackStart",
    "PlaybackStop",
    "UserDataSaved",
)
"""Not the progress of playing, which is told every few seconds."""
_MEDIA: Final = ("EnableMovies", "EnableEpisodes", "EnableSeries", "EnableSeasons")
_OTHER_MEDIA: Final = ("EnableAlbums", "EnableSongs", "EnableVideos")


class JellyfinWebhooks(Webhooks):
    """Our destination in the plugin's settings; all else in them stays as it is."""

    name_key = "WebhookName"

    @override
    async def entries(self) -> tuple[Object, ...]:
        _, settings = await self._settings()
        return payload.rows(settings.get(_DESTINATIONS))

    @override
    async def wanted(self, entry: Object, target: WebhookTarget) -> Object:
        return {
            **entry,
            "WebhookName": mark_of(target),
            "WebhookUri": target.url,
            "NotificationTypes": list(_EVENTS),
            "EnableWebhook": True,
            **dict.fromkeys(_MEDIA, True),
            **dict.fromkeys(_OTHER_MEDIA, False),
            "SendAllProperties": True,
            "TrimWhitespace": False,
            "SkipEmptyMessageBody": False,
            "Template": "",
            "UserFilter": [],
            "Headers": [
                {"Key": "Content-Type", "Value": "application/json"},
                {"Key": "Authorization", "Value": target.authorization},
            ],
            "Fields": [],
        }

    @override
    async def write(self, old: Object | None, new: Object) -> None:
        await self._change(old, new)

    @override
    async def delete(self, entry: Object) -> None:
        await self._change(entry, None)

    @override
    async def test(self, target: WebhookTarget) -> None:
        """Say that there is none: the plugin has no test that could be asked for."""
        if await self.find(target) is None:
            raise WebhookError(WebhookCause.OTHER, "there is no webhook")
        raise WebhookError(WebhookCause.NOT_TESTABLE)

    @override
    def url_of(self, entry: Object) -> str:
        return payload.text(entry.get("WebhookUri"), 2048) or ""

    @override
    def is_as_wanted(self, entry: Object, wanted: Object) -> bool:
        return all(_plain(entry.get(key)) == _plain(value) for key, value in wanted.items())

    @override
    def events(self, entry: Object) -> frozenset[str]:
        told = payload.items(entry.get("NotificationTypes"))
        complete = entry.get("EnableMovies") is True and entry.get("EnableEpisodes") is True
        return frozenset({ADDED}) if "ItemAdded" in told and complete else frozenset()

    @override
    def is_on(self, entry: Object) -> bool:
        return entry.get("EnableWebhook") is True

    def _name(self, entry: Object) -> tuple[Json, str]:
        """Tell destinations apart."""
        return entry.get(self.name_key), self.url_of(entry)

    async def _settings(self) -> tuple[str, Object]:
        """Read the plugin's settings, and where they are."""
        plugin = next(
            (
                row
                for row in payload.rows(await self.http.get("/Plugins"))
                if payload.word(row.get("Name")) == _NAME
            ),
            None,
        )
        number = None if plugin is None else item_id(plugin.get("Id"))
        if plugin is None or number is None:
            raise WebhookError(WebhookCause.PLUGIN_MISSING, "not installed")
        if payload.word(plugin.get("Status")) != "active":
            status = payload.prose(plugin.get("Status"), 32)
            raise WebhookError(WebhookCause.PLUGIN_MISSING, status or "not running")
        path = f"/Plugins/{number}/Configuration"
        try:
            settings = payload.mapping(await self.http.get(path))
        except NotFoundError as err:
            raise WebhookError(WebhookCause.PLUGIN_MISSING, "no settings") from err
        if not isinstance(settings.get(_DESTINATIONS, []), list):
            raise BadAnswerError("no list of webhooks")
        return path, settings

    async def _change(self, old: Object | None, new: Object | None) -> None:
        """Write all settings back, with one destination changed: they can only be written whole."""
        path, settings = await self._settings()
        kept: list[Json] = []
        for entry in payload.items(settings.get(_DESTINATIONS)):
            row = payload.mapping(entry)
            if old is None or self._name(row) != self._name(old):
                kept.append(entry)
            elif new is not None:
                kept.append(new)
                new = None
        if new is not None:
            kept.append(new)
        await self.http.send("POST", path, body={**settings, _DESTINATIONS: kept})


def _plain(value: Json) -> Json:
    """Make values comparable: the server orders events and keys as it likes."""
    rows = payload.rows(value)
    if rows:
        return sorted(f"{row.get('Key')}: {row.get('Value')}" for row in rows)
    if isinstance(value, list):
        return sorted(str(one) for one in value)
    return value
