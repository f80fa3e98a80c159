"""Copies the blueprints to where Home Assistant looks for them, and takes them away again.

What was written is remembered by its hash: a copy that somebody changed is never touched, and
one that somebody removed does not come back until it is asked for again.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components.automation import automations_with_blueprint
from homeassistant.components.automation.const import DOMAIN as AUTOMATION_DOMAIN
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.const import SERVICE_RELOAD
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.util.file import WriteError, write_utf8_file_atomic

from .const import CONF_BLUEPRINTS, CONF_BLUEPRINTS_WRITTEN, DOMAIN
from .runtime import BoardConfigEntry

_LOGGER = logging.getLogger(__name__)

SHIPPED: Final = Path(__file__).parent / "blueprints" / AUTOMATION_DOMAIN / DOMAIN


@dataclass(slots=True)
class _Done:
    """What became of the copies."""

    written: dict[str, str]
    """Name of each copy that is ours -> hash of what was written."""
    touched: set[str] = field(default_factory=set)


@callback
def async_ship(hass: HomeAssistant, entry: BoardConfigEntry) -> None:
    """Have the copies as the board's option says, once it is known which of them are in use."""

    async def ship(hass: HomeAssistant) -> None:
        await _async_put(hass, entry, wanted=entry.options.get(CONF_BLUEPRINTS, True))

    entry.async_on_unload(async_at_started(hass, ship))


async def async_take_away(hass: HomeAssistant, entry: BoardConfigEntry) -> None:
    """Take the copies away: the board goes."""
    await _async_put(hass, entry, wanted=False, leaves=True)


async def _async_put(
    hass: HomeAssistant, entry: BoardConfigEntry, *, wanted: bool, leaves: bool = False
) -> None:
    """Write, update, or remove the copies, and remember which are ours."""
    before: Mapping[str, str] = entry.data.get(CONF_BLUEPRINTS_WRITTEN, {})
    if not wanted and not before:
        return
    blueprints = async_get_blueprints(hass)
    # Home Assistant adds its own examples only where there is no folder yet.
    await blueprints.async_populate()
    folder = blueprints.blueprint_folder / DOMAIN
    used = {name for name in before if automations_with_blueprint(hass, f"{DOMAIN}/{name}")}
    work = _write if wanted else _remove
    try:
        done = await hass.async_add_executor_job(work, folder, before, used)
    except (OSError, WriteError) as err:
        _LOGGER.warning("The blueprints could not be put in their place: %s", err)
        return
    if not leaves and done.written != before:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_BLUEPRINTS_WRITTEN: done.written}
        )
    if done.touched:
        await blueprints.async_reset_cache()
    if used & done.touched:
        await hass.services.async_call(AUTOMATION_DOMAIN, SERVICE_RELOAD)


def _write(folder: Path, before: Mapping[str, str], used: Collection[str]) -> _Done:
    """Write the copies that are missing, and those of an earlier version. Blocks."""
    shipped = {path.name: path.read_text(encoding="utf-8") for path in SHIPPED.glob("*.yaml")}
    gone = {name: known for name, known in before.items() if name not in shipped}
    done = _remove(folder, gone, used)
    for name, text in shipped.items():
        path, ours = folder / name, _hash(text.encode())
        there, known = _hash_of(path), before.get(name)
        if there == known and there != ours:
            # It is neither there nor was it ever, or it is as an earlier version wrote it.
            folder.mkdir(parents=True, exist_ok=True)
            write_utf8_file_atomic(str(path), text)
            done.touched.add(name)
        if there in {known, ours}:
            done.written[name] = ours
        elif known is not None:
            # Somebody changed or removed it.
            done.written[name] = known
    return done


def _remove(folder: Path, before: Mapping[str, str], used: Collection[str]) -> _Done:
    """Remove the copies that nobody changed and nothing uses. Blocks."""
    done = _Done({})
    for name, known in before.items():
        if _hash_of(folder / name) != known:
            continue
        if name in used:
            done.written[name] = known
        else:
            (folder / name).unlink()
            done.touched.add(name)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return done


def _hash_of(path: Path) -> str | None:
    """Return the hash of a file, if it is there."""
    return _hash(path.read_bytes()) if path.is_file() else None


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
