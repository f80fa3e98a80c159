"""Our webhook in Emby: one of a user's notifications, which other programs can enter since 4.9."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, override

from .. import payload
from ..base import (
    BadAnswerError,
    ForbiddenError,
    Json,
    NotFoundError,
    ServerFaultError,
    TimedOutError,
    WebhookCause,
    WebhookError,
    WebhookTarget,
)
from ..http import JsonClient
from ..mediabrowser.decode import ADDED
from ..mediabrowser.items import User, item_id
from ..mediabrowser.webhook import Webhooks, mark_of
from ..payload import Object

_PATH: Final = "/Notifications/Services/Configured"
_TEST: Final = "/Notifications/Services/Test"
_SINCE: Final = (4, 9)
_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})")
_KIND: Final = "webhooknotifications"
_EVENTS: Final = (
    "library.new",
    "library.deleted",
    "playback.start",
    "playback.pause",
    "playback.unpause",
    "playback.stop",
    "item.markplayed",
    "item.markunplayed",
)
_TEST_WAIT: Final = 45.0
_COMPARED: Final = (
    "FriendlyName",
    "Enabled",
    "UserIds",
    "DeviceIds",
    "LibraryIds",
    "EventIds",
    "IsSelfNotification",
    "GroupItems",
)


class EmbyWebhooks(Webhooks):
    """Our entry among the notifications of the administrators."""

    name_key = "FriendlyName"

    def __init__(self, http: JsonClient, users: Callable[[], Awaitable[Sequence[User]]]) -> None:
        """Work through this client; ``users`` reads who may sign in."""
        super().__init__(http)
        self._read_users = users
        self._users: Sequence[User] = ()
        self._owners: dict[str, str] = {}
        """Entry -> the user whose it is."""

    @override
    async def entries(self) -> tuple[Object, ...]:
        version = await self._supported()
        self._users = await self._read_users()
        found: list[Object] = []
        for user in self._administrators():
            try:
                body = await self.http.get(_PATH, {"UserId": user})
            except NotFoundError as err:
                raise WebhookError(WebhookCause.BY_HAND, version) from err
            if not isinstance(body, list):
                raise BadAnswerError("no list of notifications")
            for row in payload.rows(body):
                number = payload.text(row.get("Id"))
                if number is not None and payload.word(row.get("NotifierKey")) == _KIND:
                    self._owners[number] = user
                    found.append(row)
        return tuple(found)

    @override
    async def wanted(self, entry: Object, target: WebhookTarget) -> Object:
        # With no user named, what users do is told without the user.
        users = [user.id for user in self._users]
        return {
            **entry,
            "NotifierKey": _KIND,
            "SetupModuleUrl": "configurationpage?name=webhookeditorjs",
            "ServiceName": "Webhooks",
            "PluginId": "85a7b1d4-fbda-4e85-a0a2-ac303c9946a4",
            "FriendlyName": mark_of(target),
            "Enabled": True,
            "UserIds": users,
            "DeviceIds": [],
            "LibraryIds": [],
            "EventIds": list(_EVENTS),
            "IsSelfNotification": False,
            "GroupItems": False,
            "Options": {
                **payload.mapping(entry.get("Options")),
                "Url": target.url,
                "EnableMultipartFormData": False,
            },
        }

    @override
    async def write(self, old: Object | None, new: Object) -> None:
        # With a user it is added, without one what has its id is replaced.
        user = None if old is not None else self._administrators()[0]
        await self.http.send("POST", _PATH, params={"UserId": user}, body=new)

    @override
    async def delete(self, entry: Object) -> None:
        number = payload.text(entry.get("Id")) or ""
        try:
            await self.http.send(
                "DELETE", _PATH, params={"Id": number, "UserId": self._owners.get(number)}
            )
        except NotFoundError:
            return

    @override
    async def test(self, target: WebhookTarget) -> None:
        found = await self.find(target)
        if found is None:
            raise WebhookError(WebhookCause.OTHER, "there is no webhook")
        try:
            await self.http.send("POST", _TEST, body=found, wait=_TEST_WAIT)
        except TimedOutError as err:
            raise WebhookError(WebhookCause.TIMEOUT) from err
        except ForbiddenError as err:
            raise WebhookError(WebhookCause.NOT_ALLOWED, err.detail) from err
        except (NotFoundError, ServerFaultError) as err:
            raise WebhookError(WebhookCause.OTHER, err.detail) from err

    @override
    def url_of(self, entry: Object) -> str:
        return payload.text(payload.mapping(entry.get("Options")).get("Url"), 2048) or ""

    @override
    def is_as_wanted(self, entry: Object, wanted: Object) -> bool:
        return all(
            _plain(one.get(key)) == _plain(other.get(key))
            for one, other, keys in (
                (entry, wanted, _COMPARED),
                (
                    payload.mapping(entry.get("Options")),
                    payload.mapping(wanted.get("Options")),
                    ("Url", "EnableMultipartFormData"),
                ),
            )
            for key in keys
        )

    @override
    def events(self, entry: Object) -> frozenset[str]:
        told = payload.items(entry.get("EventIds"))
        complete = not payload.items(entry.get("LibraryIds"))
        return frozenset({ADDED}) if "library.new" in told and complete else frozenset()

    @override
    def is_on(self, entry: Object) -> bool:
        return payload.boolean(entry.get("Enabled")) is True

    async def _supported(self) -> str:
        """Return the version; older ones can only be set up by hand."""
        public = payload.mapping(await self.http.get("/System/Info/Public"))
        version = payload.text(public.get("Version"), 32) or ""
        found = _VERSION.match(version)
        if found is not None and (int(found[1]), int(found[2])) < _SINCE:
            raise WebhookError(WebhookCause.BY_HAND, version)
        return version

    def _administrators(self) -> list[str]:
        found = [user.id for user in self._users if user.administrator]
        if not found:
            raise WebhookError(WebhookCause.NOT_ALLOWED, "no administrator")
        return found


def _plain(value: Json) -> Json:
    """Make values comparable: yes and no are stored as text, lists in any order."""
    if isinstance(value, list):
        return sorted(item_id(one) or str(one) for one in value)
    found = payload.boolean(value)
    return value if found is None else found
