"""Our webhook in Jellyfin and Emby: found among others, compared, written on difference."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

from .. import payload
from ..base import (
    ForbiddenError,
    RemoteWebhook,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
)
from ..http import JsonClient
from ..payload import Object

_NOTHING_THERE: Final = frozenset({WebhookCause.PLUGIN_MISSING, WebhookCause.BY_HAND})


class Webhooks(ABC):
    """Our webhook in one server."""

    name_key: str
    """Where an entry has its name."""

    def __init__(self, http: JsonClient) -> None:
        """Work through this client."""
        self.http = http

    @abstractmethod
    async def entries(self) -> tuple[Object, ...]:
        """Read all webhooks; another's are only looked at."""

    @abstractmethod
    async def wanted(self, entry: Object, target: WebhookTarget) -> Object:
        """Return an entry as it should be, with what else is in it; empty: a new one."""

    @abstractmethod
    async def write(self, old: Object | None, new: Object) -> None:
        """Add an entry, or put it in the place of the old one."""

    @abstractmethod
    async def delete(self, entry: Object) -> None:
        """Remove an entry."""

    @abstractmethod
    async def test(self, target: WebhookTarget) -> None:
        """Have the server send its test."""

    @abstractmethod
    def url_of(self, entry: Object) -> str:
        """Return where an entry points."""

    @abstractmethod
    def is_as_wanted(self, entry: Object, wanted: Object) -> bool:
        """Tell whether an entry says what it should."""

    @abstractmethod
    def events(self, entry: Object) -> frozenset[str]:
        """Return what of all that is sighted an entry tells."""

    @abstractmethod
    def is_on(self, entry: Object) -> bool:
        """Tell whether an entry is switched on."""

    async def read(self, target: WebhookTarget) -> RemoteWebhook:
        """Read our entry back."""
        return await self._described(await self.find(target), target)

    async def install(self, target: WebhookTarget) -> RemoteWebhook:
        """Add our entry, or make it as wanted."""
        found = await self.find(target)
        new = await self.wanted(found or {}, target)
        if found is None or not self.is_as_wanted(found, new):
            await self._allowed(found, new)
            found = await self.find(target)
            if found is None or not self.is_as_wanted(found, new):
                raise WebhookError(WebhookCause.OTHER, "it keeps other settings than it was given")
        return await self._described(found, target)

    async def remove(self, target: WebhookTarget) -> None:
        """Remove the entries that call this webhook."""
        try:
            entries = await self.entries()
        except WebhookError as err:
            if err.cause in _NOTHING_THERE:
                return
            raise
        for entry in entries:
            if target.webhook_id in self.url_of(entry):
                await self.delete(entry)

    async def find(self, target: WebhookTarget) -> Object | None:
        """Find our entry: by the webhook it calls, else by our mark in its name."""
        return next(self._ours(await self.entries(), target), None)

    def _ours(self, entries: tuple[Object, ...], target: WebhookTarget) -> Iterator[Object]:
        mark = mark_of(target).casefold()
        yield from (one for one in entries if target.webhook_id in self.url_of(one))
        yield from (one for one in entries if mark in payload.word(one.get(self.name_key)))

    async def _described(self, found: Object | None, target: WebhookTarget) -> RemoteWebhook:
        if found is None:
            return RemoteWebhook(state=WebhookState.ABSENT)
        same = self.is_as_wanted(found, await self.wanted(found, target))
        return RemoteWebhook(
            state=WebhookState.REGISTERED if same else WebhookState.DIFFERENT,
            events=self.events(found) if self.is_on(found) else frozenset(),
            muted=not self.is_on(found),
        )

    async def _allowed(self, old: Object | None, new: Object) -> None:
        try:
            await self.write(old, new)
        except ForbiddenError as err:
            raise WebhookError(WebhookCause.NOT_ALLOWED, err.detail) from err


def mark_of(target: WebhookTarget) -> str:
    """Return the name by which we know our own entry, and not another instance's."""
    return f"Home Assistant (Media Arrivals {target.instance_id[:8]})"
