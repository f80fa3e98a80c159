"""The remote control: everything that tests do by Python, by JSON over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .arr import ArrDouble
from .delivery import Outcome
from .faults import DeliveryFaults, Json
from .plex_tv import PlexTvDouble
from .scenarios import SCENARIOS, Play
from .seerr import SeerrDouble
from .service import HOST, HttpDouble, json_answer
from .stack import Stack

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Serves the control API of one stack on its own port."""

    def __init__(self, stack: Stack, *, port: int = 0) -> None:
        """Prepare the server; ``start`` opens the port."""
        self.stack = stack
        self.port = port
        self._plays: dict[int, Play] = {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address of the control API."""
        return f"http://{HOST}:{self.port}/control"

    async def start(self) -> None:
        """Open the port."""
        app = web.Application(middlewares=[self._errors])
        app.router.add_routes(
            [
                web.get("/control", self._describe),
                web.get("/control/counts", self._counts),
                web.delete("/control/counts", self._reset_counts),
                web.get("/control/deliveries/{service}", self._list_deliveries),
                web.put("/control/deliveries/{service}", self._set_deliveries),
                web.post("/control/deliveries/{service}/drain", self._drain),
                web.put("/control/faults/{service}", self._set_fault),
                web.delete("/control/faults/{service}", self._clear_fault),
                web.post("/control/plays", self._begin_play),
                web.get("/control/plays", self._list_plays),
                web.post("/control/plays/{id}/step", self._step_play),
                web.delete("/control/plays/{id}", self._stop_play),
                web.put("/control/day", self._start_day),
                web.delete("/control/day", self._stop_day),
                web.post("/control/library", self._fill_library),
                web.post("/control/clock", self._advance),
                web.put("/control/names", self._know_names),
                web.post("/control/settle", self._settle),
                web.put("/control/jobs", self._run_jobs),
                web.post("/control/seerr/{service}/{job:scan|download_sync}", self._seerr_job),
                web.post("/control/arr/{service}/{verb:restart|reinstall}", self._arr_verb),
                web.post("/control/plex_tv/{service}/agree", self._agree),
            ]
        )
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, HOST, self.port, reuse_address=True).start()
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (LookupError, TypeError, ValueError) as err:
            return json_answer({"error": f"{type(err).__name__}: {err}"}, 400)

    def _service(self, request: web.Request) -> HttpDouble:
        return self.stack.services[request.match_info["service"]]

    async def _describe(self, _request: web.Request) -> web.Response:
        return json_answer(
            {**self.stack.describe(), "control": self.url, "scenarios": sorted(SCENARIOS)}
        )

    # --- counts and deliveries -----------------------------------------------------------

    async def _counts(self, _request: web.Request) -> web.Response:
        return json_answer(self.stack.counts())

    async def _reset_counts(self, _request: web.Request) -> web.Response:
        self.stack.reset_counts()
        return json_answer({})

    async def _list_deliveries(self, request: web.Request) -> web.Response:
        outcomes = self._service(request).sender.outcomes
        wanted = request.query.get("lost")
        return json_answer(
            [_outcome(item) for item in outcomes if wanted is None or item.lost == (wanted == "1")]
        )

    async def _set_deliveries(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "lose_events" in body:
            body["lose_events"] = frozenset(body["lose_events"])
        self._service(request).sender.faults = DeliveryFaults(**body)
        return json_answer({})

    async def _drain(self, request: web.Request) -> web.Response:
        await self._service(request).sender.drain()
        return json_answer({})

    # --- faults --------------------------------------------------------------------------

    async def _set_fault(self, request: web.Request) -> web.Response:
        body = await request.json()
        service, mode = self._service(request), str(body.pop("mode"))
        if mode == "down":
            await service.go_down()
        else:
            service.misbehave(mode, **body)
        return json_answer({})

    async def _clear_fault(self, request: web.Request) -> web.Response:
        service = self._service(request)
        service.behave()
        await service.go_up()
        return json_answer({})

    # --- stories -------------------------------------------------------------------------

    async def _begin_play(self, request: web.Request) -> web.Response:
        body = await request.json()
        name, speed = str(body.pop("name")), float(body.pop("speed", 1.0))
        by_step = bool(body.pop("by_step", False))
        play = self.stack.play(name, speed=speed, **body)
        number = len(self._plays) + 1
        self._plays[number] = play
        if not by_step:
            play.run()
        return json_answer(_play(number, play), 201)

    async def _list_plays(self, _request: web.Request) -> web.Response:
        return json_answer([_play(number, play) for number, play in self._plays.items()])

    async def _step_play(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        await self._plays[number].step()
        return json_answer(_play(number, self._plays[number]))

    async def _stop_play(self, request: web.Request) -> web.Response:
        await self._plays.pop(int(request.match_info["id"])).stop()
        return json_answer({})

    async def _start_day(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        self.stack.start_day(speed=float(body.get("speed", 1.0)))
        return json_answer({})

    async def _stop_day(self, _request: web.Request) -> web.Response:
        await self.stack.stop_day()
        return json_answer({})

    # --- the home ------------------------------------------------------------------------

    async def _fill_library(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        self.stack.fill_library(**body)
        return json_answer({})

    async def _advance(self, request: web.Request) -> web.Response:
        self.stack.clock.advance(float((await request.json())["seconds"]))
        return json_answer({"now": self.stack.clock.now().isoformat()})

    async def _know_names(self, request: web.Request) -> web.Response:
        for name, address in (await request.json()).items():
            self.stack.know_name(name, address)
        return json_answer({})

    async def _settle(self, _request: web.Request) -> web.Response:
        await self.stack.settle()
        return json_answer({})

    async def _run_jobs(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        self.stack.run_jobs(every=float(body.get("every", 5.0)))
        return json_answer({})

    async def _seerr_job(self, request: web.Request) -> web.Response:
        seerr = self._service(request)
        if not isinstance(seerr, SeerrDouble):
            raise TypeError("not a Seerr")
        if request.match_info["job"] == "scan":
            await seerr.scan(everything=request.query.get("everything") == "1")
        else:
            await seerr.download_sync()
        return json_answer({})

    async def _agree(self, request: web.Request) -> web.Response:
        plex_tv = self._service(request)
        if not isinstance(plex_tv, PlexTvDouble):
            raise TypeError("not a plex.tv")
        return json_answer({"agreed": plex_tv.agree_to_all()})

    async def _arr_verb(self, request: web.Request) -> web.Response:
        arr = self._service(request)
        if not isinstance(arr, ArrDouble):
            raise TypeError("neither a Radarr nor a Sonarr")
        if request.match_info["verb"] == "restart":
            arr.restart()
        else:
            arr.reinstall()
        return json_answer({})


def _play(number: int, play: Play) -> Json:
    return {
        "id": number,
        "name": play.name,
        "stage": play.stage,
        "ended": play.ended,
        "error": play.error,
    }


def _outcome(item: Outcome) -> dict[str, Any]:
    return {
        "event": item.delivery.event,
        "lost": item.lost,
        "muted": item.muted,
        "statuses": item.statuses,
        "errors": item.errors,
        "payload": item.delivery.payload,
    }
