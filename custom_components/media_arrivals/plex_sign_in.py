"""Signing in at Plex: the user agrees in a browser, and a server of the account is found."""

import asyncio
import re
import time
from collections.abc import Iterable
from typing import Final

from .engine.connectors.base import NotFoundError, ServiceError
from .engine.connectors.http import Session
from .engine.connectors.plex.account import Pin, PlexTv, Server

ASK_SECONDS: Final = 1.0
"""Between two questions whether the user agreed."""
PATIENCE: Final = 600.0
"""Seconds after which nobody will agree any more."""
_DIRECT: Final = re.compile(r"https://(\d+)-(\d+)-(\d+)-(\d+)\.[0-9a-f]+\.plex\.direct:(\d+)")


class PlexSignIn:
    """One attempt to sign in."""

    def __init__(self, session: Session, client_id: str) -> None:
        """Sign in as one installation."""
        self._plex_tv = PlexTv(session, client_id=client_id)
        self._pin: Pin | None = None
        self._token = ""
        self.servers: tuple[Server, ...] = ()

    async def begin(self) -> str:
        """Return the address that the user opens to agree. Raises :class:`ServiceError`."""
        self._pin = await self._plex_tv.create_pin()
        return self._pin.url

    async def wait(self) -> None:
        """Wait until the user agreed, then read the servers. Raises :class:`ServiceError`."""
        assert self._pin is not None  # noqa: S101 - begun before
        until = time.monotonic() + PATIENCE
        while not self._token:
            if time.monotonic() > until:
                raise NotFoundError
            await asyncio.sleep(ASK_SECONDS)
            try:
                self._token = await self._plex_tv.token(self._pin) or ""
            except NotFoundError:
                raise
            except ServiceError:
                # The way out may be down for a moment; the code is still good.
                continue
        self.servers = await self._plex_tv.servers(self._token)

    def token_for(self, server: Server) -> str:
        """Return the token for a server: the account's own one opens its webhooks, too."""
        return self._token if server.owned else server.token


def ways_to(server: Server) -> tuple[str, ...]:
    """Return the addresses to try, best first.

    The names that Plex gives are often not found inside containers: then the address in them is.
    """
    return tuple(dict.fromkeys([*_local(server), *(one.url for one in server.addresses)]))


def _local(server: Server) -> Iterable[str]:
    for one in server.addresses:
        if one.local:
            yield one.url
            if found := _DIRECT.fullmatch(one.url):
                *parts, port = found.groups()
                yield f"http://{'.'.join(parts)}:{port}"
