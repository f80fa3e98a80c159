"""Adds the services as a person does: through the integration's dialogs."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .home import Home
from .media import MediaStack, Service
from .words import DOMAIN, Failure

FLOW = "/api/config/config_entries/flow"
SIGN_IN_SECONDS = 20.0


async def add_services(home: Home, media: MediaStack) -> list[str]:
    """Add Seerr with what it knows, then all others; return the names of the entries."""
    for seerr in media.of("seerr"):
        step = await _begin(home, "seerr")
        step = await _go_on(home, step, "seerr", _typed(seerr))
        offered = _offered(step)
        if len(offered) != len(media.of("radarr", "sonarr")):
            raise Failure(f"Seerr knows every Radarr and Sonarr, but the dialog offers {offered}.")
        _see_the_end(await _go_on(home, step, "known", {"services": offered}))
    # Side by side: the first look at a Tautulli takes ten seconds, of which nine are a pause.
    async with asyncio.TaskGroup() as group:
        for service in media.of("plex"):
            group.create_task(_sign_in(home, media, service))
        for service in media.of("jellyfin", "emby", "tautulli"):
            group.create_task(_add(home, service))
    entries = await home.call("GET", f"/api/config/config_entries/entry?domain={DOMAIN}")
    for entry in entries:
        if entry["state"] != "loaded":
            raise Failure(f"{entry['title']} is {entry['state']}: {entry['reason']}")
    names = sorted(entry["title"] for entry in entries if entry["source"] != "system")
    if len(names) != len(media.services):
        raise Failure(f"There are {len(media.services)} services, and entries of {names}.")
    return names


async def _add(home: Home, service: Service) -> None:
    step = await _begin(home, service.kind)
    _see_the_end(await _go_on(home, step, service.kind, _typed(service)))


async def _begin(home: Home, kind: str) -> Any:
    """Choose to add a service of a kind."""
    step = await home.call("POST", FLOW, {"handler": DOMAIN, "show_advanced_options": False})
    return await _go_on(home, step, "user", {"next_step_id": kind})


async def _sign_in(home: Home, media: MediaStack, plex: Service) -> None:
    """Add the one Plex of an account, whose owner agrees at plex.tv."""
    step = await _begin(home, "plex")
    step = await _go_on(home, step, "plex", {"next_step_id": "plex_sign_in"})
    if step["type"] != "progress":
        raise Failure(f"Nobody is asked to sign in: {_shown(step)}")
    await media.agree()
    deadline = time.monotonic() + SIGN_IN_SECONDS
    while step["type"] == "progress":
        if time.monotonic() > deadline:
            raise Failure(f"{plex.name}: the sign-in does not end.")
        await asyncio.sleep(0.25)
        step = await home.call("GET", f"{FLOW}/{step['flow_id']}")
    _see_the_end(step)


def _see_the_end(step: dict[str, Any]) -> None:
    if step["type"] != "create_entry":
        raise Failure(f"The last dialog does not end: {_shown(step)}")


async def _go_on(home: Home, step: dict[str, Any], expected: str, data: dict[str, Any]) -> Any:
    """Fill in what is shown, if it is what is expected, and return what is shown next."""
    if step.get("step_id") != expected or step.get("errors"):
        raise Failure(f"The dialog {expected} was expected: {_shown(step)}")
    if step["type"] == "form":
        data = filled(step["data_schema"], data)
    return await home.call("POST", f"{FLOW}/{step['flow_id']}", data)


def filled(fields: Sequence[Mapping[str, Any]], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Home Assistant's front end sends of a form. Raises Failure if it does not."""
    data = _beginning(fields, typed)
    if missing := ", ".join(_missing(fields, data)):
        raise Failure(f"The front end wants {missing} to be filled in.")
    return data


def _beginning(fields: Sequence[Mapping[str, Any]], typed: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for field in fields:
        name, described = field["name"], field.get("description") or {}
        if name in typed and field.get("type") != "expandable":
            data[name] = typed[name]
        elif described.get("suggested_value") is not None:
            data[name] = described["suggested_value"]
        elif "default" in field:
            # Also a section's: then the defaults of what is in it count for nothing.
            data[name] = field["default"]
        elif field.get("type") == "expandable":
            data[name] = _beginning(field["schema"], typed.get(name, {}))
    return data


def _missing(fields: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> Iterator[str]:
    for field in fields:
        value = data.get(field["name"])
        if field.get("type") == "expandable":
            yield from _missing(field["schema"], value or {})
        elif field.get("required") and value in (None, ""):
            yield field["name"]


def _typed(service: Service) -> dict[str, Any]:
    return {"url": service.url, "api_key": service.api_key}


def _offered(step: dict[str, Any]) -> list[str]:
    """Return what can be chosen in the dialog about what Seerr knows."""
    fields = step.get("data_schema") or []
    field = next((one for one in fields if one["name"] == "services"), None)
    if field is None:
        raise Failure(f"Nothing that Seerr knows is offered: {_shown(step)}")
    return [option["value"] for option in field["selector"]["select"]["options"]]


def _shown(step: dict[str, Any]) -> str:
    """Describe a dialog without what was typed into it."""
    return ", ".join(
        f"{name}: {step[name]}"
        for name in ("type", "step_id", "errors", "reason")
        if step.get(name)
    )
