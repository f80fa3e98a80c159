"""Posters: fetched from the few places that have them, kept for a while, shown under our address.

No browser and no phone is ever sent to another host, and what a service calls a poster is fetched
only where that can be one.
"""

import asyncio
import hmac
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypedDict
from urllib.parse import urlsplit

import aiohttp
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

MAX_BYTES: Final = 5 * 1024 * 1024
"""A picture that is larger is none of a poster."""
MAX_KEPT: Final = 50 * 1024 * 1024
"""Bytes of pictures that are kept on disk."""
FAILED_FOR: Final = 15 * 60.0
"""Seconds for which a picture that was not to be had is not asked for again."""
SIGNED_DAYS: Final = 7
_DAY: Final = 86_400
_WAIT: Final = 20.0
_CHUNK: Final = 64 * 1024
_AT_ONCE: Final = 3
_MOST_FAILURES: Final = 1000

TMDB: Final = "image.tmdb.org"
THETVDB: Final = "artworks.thetvdb.com"
ORIGINS: Final[Mapping[str, str]] = {host: f"https://{host}" for host in (TMDB, THETVDB)}
"""Where pictures are fetched: nowhere else, whoever says so."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,120}\.(?:jpe?g|png|webp)")
_FOLDER: Final = re.compile(r"(?:/[A-Za-z0-9_-]{1,120}){1,8}")
_SECRET: Final = re.compile(r"[0-9a-f]{64}")
_ID: Final = re.compile(r"[A-Za-z0-9]{1,64}")


class Size(StrEnum):
    """How large a picture is wanted."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


_TMDB_SIZES: Final = {Size.SMALL: "w185", Size.MEDIUM: "w342", Size.LARGE: "w500"}
"""TMDB has its pictures in these widths. TheTVDB has them in one size alone."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is served."""

    content: bytes
    content_type: str


class _Kept(TypedDict):
    """What is remembered between runs."""

    secret: str


def source_of(poster: str | None, size: Size) -> str | None:
    """Return where a picture is fetched; ``None``: nowhere.

    ``poster`` is what a service said: a path at TMDB, or a public address.
    """
    if poster is None:
        return None
    try:
        parts = urlsplit(f"https://{TMDB}/t/p/original{poster}" if poster[:1] == "/" else poster)
        plain = parts.scheme == "https" and parts.netloc == parts.hostname
    except ValueError:
        return None
    folder, _, name = parts.path.rpartition("/")
    origin = ORIGINS.get(parts.netloc)
    if origin is None or not plain or not _NAME.fullmatch(name) or not _FOLDER.fullmatch(folder):
        return None
    if parts.netloc == TMDB:
        return f"{origin}/t/p/{_TMDB_SIZES[size]}/{name}"
    return f"{origin}{parts.path}"


def type_of(content: bytes) -> str | None:
    """Tell by its first bytes what kind of picture it is; ``None``: none that is shown."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


class Posters:
    """Fetches posters, keeps them, and signs their paths."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._store = Store[_Kept](hass, 1, f"{DOMAIN}.posters", private=True)
        self._secret: bytes | None = None
        self._folder = Path(hass.config.cache_path(DOMAIN, "posters"))
        self._fetching: dict[str, asyncio.Task[Picture | None]] = {}
        self._failed: dict[str, float] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    # --- paths --------------------------------------------------------------------------------

    async def async_load(self) -> None:
        """Read the secret; it is ours, because Home Assistant's ends with each restart."""
        kept = await self._store.async_load()
        secret = kept["secret"] if kept is not None else ""
        if not _SECRET.fullmatch(secret):
            secret = secrets.token_hex(32)
            await self._store.async_save(_Kept(secret=secret))
        self._secret = bytes.fromhex(secret)

    async def async_ensure_loaded(self) -> None:
        """Begin anew after everything was erased with the last service."""
        if self._secret is None:
            await self.async_load()

    @callback
    def path(self, arrival_id: str, poster: str | None, size: Size = Size.LARGE) -> str | None:
        """Return a path at which a poster is shown for a week, to whoever has it.

        It stays the same for a day. ``None``: there is no poster.
        """
        if self._secret is None or source_of(poster, size) is None:
            return None
        expires = (int(time.time()) // _DAY + 1 + SIGNED_DAYS) * _DAY
        signature = self._signature(self._secret, arrival_id, size, expires)
        base = f"/api/{DOMAIN}/posters/{arrival_id}/{size.value}"
        return f"{base}?expires={expires}&signature={signature}"

    def is_signed(self, arrival_id: str, size: str, expires: str, signature: str) -> bool:
        """Tell whether a path is one that we gave away less than a week ago."""
        if self._secret is None or not re.fullmatch(r"[0-9]{1,12}", expires):
            return False
        ours = self._signature(self._secret, arrival_id, size, int(expires))
        # Foreign text may be anything, and only plain text is compared.
        same = hmac.compare_digest(ours.encode(), signature.encode("utf-8", "replace"))
        return same and time.time() < int(expires)

    @staticmethod
    def _signature(secret: bytes, arrival_id: str, size: str, expires: int) -> str:
        return hmac.digest(secret, f"{arrival_id}/{size}/{expires}".encode(), "sha256").hex()

    # --- pictures -----------------------------------------------------------------------------

    async def async_picture(self, poster: str | None, size: Size) -> Picture | None:
        """Return a picture, from the disk if it is there; ``None``: it is not to be had."""
        source = source_of(poster, size)
        if source is None:
            return None
        file = self._folder / blake2b(source.encode(), digest_size=16).hexdigest()
        kept = await self._hass.async_add_executor_job(_read, file)
        if kept is not None:
            return kept
        if (failed := self._failed.get(source)) is not None:
            if 0 <= time.time() - failed < FAILED_FOR:
                return None
            del self._failed[source]
        # Whoever wants the same meanwhile waits for it.
        if (fetching := self._fetching.get(source)) is None:
            fetching = self._fetching[source] = self._hass.async_create_background_task(
                self._async_fetch(source, file), f"{DOMAIN} poster"
            )
        # Who waits may go away: the picture is for the others, too.
        return await asyncio.shield(fetching)

    async def _async_fetch(self, source: str, file: Path) -> Picture | None:
        """Fetch a picture and keep it."""
        try:
            async with self._places:
                content = await self._async_download(source)
            content_type = None if content is None else type_of(content)
            if content is None or content_type is None:
                self._note_failure(source)
                return None
            await self._hass.async_add_executor_job(_write, file, content)
            return Picture(content, content_type)
        finally:
            del self._fetching[source]

    async def _async_download(self, source: str) -> bytes | None:
        """Download a picture: no further than that host, and no more than fits."""
        session = async_get_clientsession(self._hass)
        found = bytearray()
        try:
            async with session.get(
                source,
                allow_redirects=False,
                headers={"Accept": "image/jpeg, image/png, image/webp"},
                timeout=aiohttp.ClientTimeout(total=_WAIT),
            ) as response:
                if response.status != HTTPStatus.OK or not response.content_type.startswith(
                    "image/"
                ):
                    return None
                async for chunk in response.content.iter_chunked(_CHUNK):
                    found += chunk
                    if len(found) > MAX_BYTES:
                        return None
        except aiohttp.ClientError, TimeoutError, OSError, ValueError:
            return None
        return bytes(found)

    def _note_failure(self, source: str) -> None:
        self._failed[source] = time.time()
        if len(self._failed) > _MOST_FAILURES:
            del self._failed[next(iter(self._failed))]

    async def async_erase(self) -> None:
        """Forget everything: the last service was removed. What was signed is not any more."""
        for task in tuple(self._fetching.values()):
            task.cancel()
        self._failed.clear()
        await self._hass.async_add_executor_job(_delete, self._folder)
        await self._store.async_remove()
        self._secret = None


def is_id(arrival_id: str) -> bool:
    """Tell whether a text can be an arrival's id."""
    return _ID.fullmatch(arrival_id) is not None


def _read(file: Path) -> Picture | None:
    """Read a picture that is kept, and remember that it was looked at."""
    try:
        content = file.read_bytes()
        os.utime(file)
    except OSError:
        return None
    content_type = type_of(content)
    return None if content_type is None else Picture(content, content_type)


def _write(file: Path, content: bytes) -> None:
    """Keep a picture; those that nobody looked at for longest go. A full disk keeps none."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_bytes(content)
        part.replace(file)
        found = sorted(
            ((one.stat(), one) for one in file.parent.iterdir()),
            key=lambda pair: pair[0].st_mtime_ns,
            reverse=True,
        )
        total = 0
        for stat, one in found:
            total += stat.st_size
            if total > MAX_KEPT:
                one.unlink(missing_ok=True)
    except OSError:
        return


def _delete(folder: Path) -> None:
    """Delete all pictures."""
    shutil.rmtree(folder.parent, ignore_errors=True)


POSTERS_KEY: Final[HassKey[Posters]] = HassKey(f"{DOMAIN}_posters")


@callback
def poster_path(hass: HomeAssistant, arrival_id: str, poster: str | None) -> str | None:
    """Return the path at which an arrival's poster is shown; ``None``: it has none."""
    return hass.data[POSTERS_KEY].path(arrival_id, poster)
