"""What the benchmarks need inside Home Assistant; copied into a temporary configuration."""

import asyncio
import gc
import os
import time
from dataclasses import replace
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.helpers.json import json_bytes
from homeassistant.loader import async_get_integration

if TYPE_CHECKING:
    from homeassistant.helpers.typing import ConfigType

DOMAIN: Final = "media_arrivals_bench"
MEASURED: Final = "media_arrivals"
IDLE_WEBHOOK: Final = "bench_idle"
CONF_TOLD: Final = "told"
CONF_PLEX_TV: Final = "plex_tv"
BEAT: Final = 0.001
OLDEST: Final = 2
"""Generation of which a collection looks through all objects of the process."""


class Heart:
    """Beats every millisecond, and remembers how late it was at worst."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._thread = 0.0
        self._process = 0.0
        self._collecting: float | None = None
        self._collected = 0.0
        self.full_collections = 0
        self.pauses: list[dict[str, float]] = []
        self.beats = 0
        gc.callbacks.append(self._note_collection)

    def start(self) -> None:
        """Begin anew."""
        self.stop()
        self.pauses, self.beats, self.full_collections = [], 0, 0
        self._next()

    def stop(self) -> None:
        """Beat no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _note_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = time.perf_counter()
            self.full_collections += info["generation"] == OLDEST
        elif self._collecting is not None:
            self._collected += time.perf_counter() - self._collecting
            self._collecting = None

    def _next(self) -> None:
        self._due = time.perf_counter() + BEAT
        self._thread = time.thread_time()
        self._process = time.process_time()
        self._collected = 0.0
        self._handle = self._loop.call_later(BEAT, self._beat)

    def _beat(self) -> None:
        now = time.perf_counter()
        late = now - self._due
        # Another thread's collection may be over without its having been able to say so.
        collected = self._collected + (now - self._collecting if self._collecting else 0.0)
        self.beats += 1
        if late > BEAT * 5:
            # What was computed meanwhile tells a busy machine from busy code.
            self.pauses.append(
                {
                    "seconds": late,
                    "at": time.time(),
                    "loop_cpu": time.thread_time() - self._thread,
                    "process_cpu": time.process_time() - self._process,
                    "gc": collected if collected > late / 2 else 0.0,
                }
            )
        self._next()


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Offer a webhook that does nothing, the heart, and what else is measured from inside."""
    options: dict[str, Any] = config.get(DOMAIN) or {}
    webhook.async_register(hass, DOMAIN, "Nothing", IDLE_WEBHOOK, _do_nothing)
    hass.http.register_view(StateView())
    hass.http.register_view(HeartView(Heart(hass.loop)))
    hass.http.register_view(TidyView())
    hass.http.register_view(LoadView())
    hass.http.register_view(ActView())
    if plex_tv := options.get(CONF_PLEX_TV):
        # No option of the integration leads to another one. No entry of ours is loaded yet.
        account = await hass.async_add_import_executor_job(
            import_module, f"custom_components.{MEASURED}.engine.connectors.plex.account"
        )
        vars(account)["PLEX_TV"] = plex_tv
    if options.get(CONF_TOLD):
        _write_down_what_is_told(hass)
    return True


async def _do_nothing(_: HomeAssistant, __: str, request: web.Request) -> None:
    """Be the simplest webhook that there can be."""
    await request.json()


def _write_down_what_is_told(hass: HomeAssistant) -> None:
    """Append every event to a file, at once: it survives the end of this process."""
    path = hass.config.path("told.jsonl")
    # For as long as Home Assistant runs.
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)

    @callback
    def write(event: Event[dict[str, Any]]) -> None:
        os.write(file, json_bytes(event.data) + b"\n")

    hass.bus.async_listen(f"{MEASURED}_stage_changed", write)


class StateView(HomeAssistantView):
    """Says whether Home Assistant runs."""

    url = "/api/bench/state"
    name = "api:bench:state"
    requires_auth = False

    async def get(self, request: web.Request) -> web.Response:
        """Answer."""
        hass = request.app[KEY_HASS]
        return self.json({"running": hass.is_running and hass.state.value == "RUNNING"})


class HeartView(HomeAssistantView):
    """Starts the heart, and reads it."""

    url = "/api/bench/heart"
    name = "api:bench:heart"
    requires_auth = False

    def __init__(self, heart: Heart) -> None:
        self._heart = heart

    async def post(self, _: web.Request) -> web.Response:
        """Begin to beat."""
        self._heart.start()
        return self.json({})

    async def get(self, _: web.Request) -> web.Response:
        """Stop, and tell the pauses."""
        self._heart.stop()
        return self.json(
            {
                "beats": self._heart.beats,
                "pauses": self._heart.pauses,
                "full_collections": self._heart.full_collections,
            }
        )


class TidyView(HomeAssistantView):
    """Has what Home Assistant's own start left behind looked through."""

    url = "/api/bench/tidy"
    name = "api:bench:tidy"
    requires_auth = False

    async def post(self, _: web.Request) -> web.Response:
        """Collect garbage: else whoever makes the next few objects would have to."""
        began = time.perf_counter()
        gc.collect()
        seconds = time.perf_counter() - began
        return self.json({"seconds": seconds, "objects": len(gc.get_objects())})


class LoadView(HomeAssistantView):
    """Loads the integration, as the start of Home Assistant does."""

    url = "/api/bench/load"
    name = "api:bench:load"
    requires_auth = False

    async def post(self, request: web.Request) -> web.Response:
        """Enable the entries that are named; tell how long the domain and they took together."""
        hass = request.app[KEY_HASS]
        entries: list[str] = (await request.json())["entries"]
        began = time.perf_counter()
        results = await asyncio.gather(
            *(hass.config_entries.async_set_disabled_by(entry, None) for entry in entries)
        )
        seconds = time.perf_counter() - began
        if not all(results):
            return self.json({"results": results}, HTTPStatus.INTERNAL_SERVER_ERROR)
        runtime = hass.data[MEASURED]
        return self.json(
            {
                "seconds": seconds,
                "live": sum(1 for _ in runtime.board.arrivals()),
            }
        )


class ActView(HomeAssistantView):
    """Has something done to the whole board."""

    url = "/api/bench/act"
    name = "api:bench:act"
    requires_auth = False

    async def post(self, request: web.Request) -> web.Response:
        """Do it; tell how long it took."""
        hass = request.app[KEY_HASS]
        runtime = hass.data[MEASURED]
        more: dict[str, Any] = await request.json()
        began = time.perf_counter()
        match more["act"]:
            case "call":
                await hass.services.async_call(
                    MEASURED, more["action"], more["data"], blocking=True, return_response=True
                )
            case "configure":
                other = next(iter(runtime.board.services.values()))
                role = type(other.role)("playback")
                await runtime.worker.async_configure(
                    replace(other, id="bench_plex", kind="plex", role=role)
                )
            case "remove":
                await hass.config_entries.async_remove(more["entry"])
            case "retire":
                await runtime.worker.async_retire(0)
            case _:
                integration = await async_get_integration(hass, MEASURED)
                diagnostics = await integration.async_get_platform("diagnostics")
                entry = hass.config_entries.async_get_entry(more["entry"])
                await diagnostics.async_get_config_entry_diagnostics(hass, entry)
        return self.json({"seconds": round(time.perf_counter() - began, 3)})
