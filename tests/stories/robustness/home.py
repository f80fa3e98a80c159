"""A home of two services: one that is in trouble, and a neighbour that must not notice."""

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import pytest
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations

from custom_components.media_arrivals.const import CONF_WEBHOOK_SECRET, DOMAIN
from custom_components.media_arrivals.engine.board.models import Outcome
from custom_components.media_arrivals.engine.connectors.http import JsonClient
from custom_components.media_arrivals.runtime import ServiceRecord
from simulator import SeerrDouble
from simulator.radarr import RadarrDouble
from simulator.sonarr import SonarrDouble
from tests.stories.media_family import MediaFamily

KINDS: Final = ("seerr", "radarr", "sonarr", "plex", "jellyfin", "emby", "tautulli")
MEDIA_SERVERS: Final = ("plex", "jellyfin", "emby")
FASTER: Final = 1 / 150
"""Time-outs of a service that hangs pass so much faster."""
TOLD, UNTOLD = "Amber Ferry", "Copper Festival"
"""Of one title the service in trouble tells by webhook, of the other its webhook is lost."""
NEW_VERSION: Final = "99.1.2.3456"
ENDS: Final[Mapping[str, str]] = {
    "seerr": "requested",
    "radarr": "downloading",
    "sonarr": "downloading",
}
"""Where they stand at the end; of media servers and Tautulli: available."""


class RobustHome:
    """What happens in the home while one of its services is in trouble."""

    def __init__(
        self,
        media: MediaFamily,
        kind: str,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        certificates: Certificates,
    ) -> None:
        self.media = media
        self.kind = kind
        self.neighbour = "sonarr" if kind == "radarr" else "radarr"
        self.caplog = caplog
        self.monkeypatch = monkeypatch
        self.certificates = certificates
        services: Mapping[str, Any] = media.stack.services
        self.double = services[kind]
        self._guest = self.double.user("Mia") if kind == "seerr" else None
        caplog.set_level(logging.DEBUG, logger="custom_components.media_arrivals")
        if kind in {*MEDIA_SERVERS, "tautulli"}:
            eyes = services["plex" if kind == "tautulli" else kind]
            self.look = eyes.scan
            # It finds by itself only when the story says so.
            monkeypatch.setattr(eyes, "scan", _see_nothing)

    @property
    def entry_id(self) -> str:
        return f"{self.kind}_entry"

    @property
    def record(self) -> ServiceRecord:
        return self.media.house.runtime.records[self.entry_id]

    async def move_in(self) -> None:
        """Have both services, and on the board what the story stands on."""
        await self.media.move_in([self.neighbour, self.kind])
        if self.kind not in ENDS:
            await self.media.film(TOLD)
            await self.media.settle()
        self.caplog.clear()

    # --- what happens meanwhile -----------------------------------------------------------------

    async def story(self) -> None:
        """Have the service do something, tell it, do something else, and lose that."""
        faults = self.double.sender.faults
        await self._happens(TOLD)
        await self.media.stack.settle()
        faults.lose_if = lambda _: True
        await self._happens(UNTOLD)
        await self.media.stack.settle()
        faults.lose_if = None
        await self.media.house.settle()

    async def _happens(self, name: str) -> None:
        stack, double = self.media.stack, self.double
        match double:
            case SeerrDouble():
                double.ask(stack.catalogue.film(name), by=self._guest)
            case RadarrDouble():
                await double.grab(await double.add_movie(stack.catalogue.film(name)))
            case SonarrDouble():
                series = await double.add_series(stack.catalogue.show(name, 2020, seasons={1: 3}))
                await double.grab(series.season(1))
            case _:
                if name == UNTOLD:
                    radarr = stack.radarr
                    movie = await radarr.add_movie(stack.catalogue.film(name))
                    await radarr.import_file(await radarr.grab(movie))
                await self.look()

    async def neighbours_story(self) -> None:
        """Have the neighbour tell something, and see that it is on the board at once."""
        name = "Scarlet Corridor"
        stack = self.media.stack
        if self.neighbour == "radarr":
            await stack.radarr.grab(await stack.radarr.add_movie(stack.catalogue.film(name)))
        else:
            show = stack.catalogue.show(name, 2021, seasons={1: 2})
            await stack.sonarr.grab((await stack.sonarr.add_series(show)).season(1))
        await stack.settle()
        stages = self.media.stages
        await self.media.house.until(
            lambda: stages().get((name, "hd")) == "downloading", what="the neighbour's word"
        )

    async def poll(self, kind: str | None = None) -> None:
        """Poll a service, by default the one in trouble."""
        await self.media.house.poll(self.media.entries[kind or self.kind])

    async def answered(self) -> None:
        """Let pauses pass until nothing is asked any more."""
        questions, coordinators = (
            self.media.house.runtime.questions,
            self.media.house.runtime.coordinators,
        )

        def through() -> bool:
            self.media.clock.tick(5)
            for coordinator in coordinators.values():
                coordinator.async_wake()
            return not questions.total

        await self.media.house.until(through, what="answers to all questions")
        # The last of them may just be entered.
        await self.media.house.settle()

    # --- what is seen ---------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """Return what an administrator reads in the log, and see that it holds no secret."""
        entry = self.media.entries[self.kind]
        formatter = logging.Formatter()
        ours = [one for one in self.caplog.records if one.name.startswith("custom_components")]
        text = "\n".join(map(formatter.format, ours))
        for secret in (
            self.double.api_key,
            entry.data[CONF_WEBHOOK_ID],
            entry.data[CONF_WEBHOOK_SECRET],
        ):
            assert secret not in text
        seen = [one for one in ours if one.levelno >= logging.INFO]
        assert not any(one.exc_info for one in seen)
        return [one.getMessage() for one in seen]

    async def shown_status(self) -> str | None:
        """Return what the sensor of the last status shows, and see that it has words for it."""
        hass = self.media.house.hass
        entity_id = er.async_get(hass).async_get_entity_id(
            "sensor", DOMAIN, f"{self.entry_id}_last_status"
        )
        assert entity_id is not None
        state = hass.states.get(entity_id)
        assert state is not None
        words = await async_get_translations(hass, "en", "entity", [DOMAIN])
        assert words[f"component.{DOMAIN}.entity.sensor.last_status.state.{state.state}"]
        return state.state

    def cursor(self) -> Any:
        """Return where the last poll got to."""
        return self.media.house.runtime.cursors[self.entry_id]

    async def stored_cursor(self) -> Any:
        return (await self.media.house.storage.cursors.load())[self.entry_id]

    async def unprocessed(self) -> list[str]:
        """Return the events of deliveries that are not worked off, or could not be."""
        journal = self.media.house.storage.journal
        waiting = await journal.recent(processed=False)
        failed = await journal.recent(outcome=Outcome.FAILED)
        rows = (*waiting.rows, *failed.rows)
        # A service that is back may be sending its test just now.
        return [row.event_type for row in rows if "test" not in row.event_type.lower()]

    def reauthentications(self) -> int:
        flows = self.media.house.hass.config_entries.flow.async_progress()
        return sum(flow["context"]["source"] == "reauth" for flow in flows)


async def _see_nothing(*_args: Any, **_options: Any) -> None:
    """Find nothing."""


# --- troubles -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Certificates:
    """What services show who they are."""

    good: ssl.SSLContext
    selfmade: ssl.SSLContext


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One way in which a service fails, what is said of it, and how it ends."""

    name: str
    says: str | None
    """Key of the last status; ``None``: it may answer yet."""
    begin: Callable[[RobustHome], Awaitable[None]]
    end: Callable[[RobustHome], Awaitable[None]]
    before: Callable[[RobustHome], Awaitable[None]] | None = None
    """What the service is like before it is added."""
    kinds: tuple[str, ...] = KINDS
    otherwise: Mapping[str, str] = field(default_factory=dict)
    """Kinds of service of which something else is said."""

    def said_of(self, kind: str) -> str | None:
        """Return the key of the last status of a service in this trouble."""
        return self.otherwise.get(kind, self.says)


def misbehaves(
    mode: str,
    says: str,
    *,
    name: str = "",
    otherwise: Mapping[str, str] = MappingProxyType({}),
    **options: Any,
) -> Trouble:
    """Return a trouble that is a fault of the simulated service."""

    async def begin(home: RobustHome) -> None:
        home.double.misbehave(mode, **options)

    return Trouble(name=name or mode, says=says, otherwise=otherwise, begin=begin, end=behaves)


async def behaves(home: RobustHome) -> None:
    home.double.behave()


async def is_overrun(home: RobustHome) -> None:
    home.double.misbehave("429", retry_after=120)


async def is_left_alone(home: RobustHome) -> None:
    """Ask for two minutes of rest, and get them."""
    calls = len(home.double.calls)
    await home.poll()
    home.media.clock.tick(100)
    await home.poll()
    assert len(home.double.calls) == calls
    home.double.behave()
    home.media.clock.tick(21)


async def goes_down(home: RobustHome) -> None:
    await home.double.go_down()


async def comes_up(home: RobustHome) -> None:
    await home.double.go_up()


async def hangs(home: RobustHome) -> None:
    hurry(home)
    home.double.misbehave("hang")


async def is_slow(home: RobustHome) -> None:
    hurry(home)
    home.double.misbehave("slow", seconds=30 * FASTER)


def hurry(home: RobustHome) -> None:
    """Have time-outs of the service in trouble pass faster, and of no other."""
    call, port = JsonClient._call, home.double.port  # noqa: SLF001

    async def faster(self: JsonClient, method: str, url: Any, *, wait: float, **more: Any) -> Any:
        slow = url.port == port and home.double.fault is not None
        return await call(self, method, url, wait=wait * FASTER if slow else wait, **more)

    home.monkeypatch.setattr(JsonClient, "_call", faster)


async def shows_a_selfmade_certificate(home: RobustHome) -> None:
    await appear(home, tls=home.certificates.selfmade)


async def shows_a_good_certificate(home: RobustHome) -> None:
    await appear(home, tls=home.certificates.good)


async def appear(home: RobustHome, **how: Any) -> None:
    """Restart the service with other settings."""
    await home.double.go_down()
    for name, value in how.items():
        setattr(home.double, name, value)
    await home.double.go_up()


async def redirects_to_tls(home: RobustHome) -> None:
    where = home.double.url.replace("http://", "https://")
    home.double.misbehave("redirect", status=301, location=where)


async def moves_below_a_path(home: RobustHome) -> None:
    """Answer every other path with a redirect to the same below the new one."""
    await appear(home, url_base=f"/{home.kind}")


async def stays_there(home: RobustHome) -> None:
    """Be nothing but where it is now."""


async def loses_plex(home: RobustHome) -> None:
    """Have Tautulli say "success" without any data."""
    await home.media.stack.plex.go_down()


async def finds_plex(home: RobustHome) -> None:
    await home.media.stack.plex.go_up()


async def is_updated(home: RobustHome) -> None:
    """Come back as another version."""
    home.double.version = NEW_VERSION
    await home.double.go_up()


TROUBLES: Final = (
    Trouble(name="down", says="connection_refused", begin=goes_down, end=comes_up),
    Trouble(
        name="down behind a path",
        says="connection_refused",
        before=moves_below_a_path,
        begin=goes_down,
        end=comes_up,
    ),
    Trouble(name="update", says="connection_refused", begin=goes_down, end=is_updated),
    Trouble(name="hang", says="timed_out", begin=hangs, end=behaves),
    # Some is given a minute, because a service may have much to do for it.
    Trouble(name="slow", says=None, begin=is_slow, end=behaves),
    Trouble(name="moved behind a path", says="ok", begin=moves_below_a_path, end=stays_there),
    misbehaves("401", "invalid_auth"),
    # Seerr has no other answer to a wrong key.
    misbehaves("403", "forbidden", otherwise={"seerr": "invalid_auth"}),
    Trouble(name="429", says="server_fault", begin=is_overrun, end=is_left_alone),
    misbehaves("500", "server_fault"),
    misbehaves("503", "server_fault"),
    misbehaves("html", "bad_answer"),
    misbehaves("truncated", "bad_answer"),
    misbehaves("cut", "cannot_connect"),
    misbehaves("body", "bad_answer", name="empty", body=""),
    misbehaves("redirect", "bad_answer", name="login page", status=302, location="/login"),
    Trouble(name="redirect to https", says="bad_answer", begin=redirects_to_tls, end=behaves),
    Trouble(
        name="self-made certificate",
        says="invalid_certificate",
        begin=shows_a_selfmade_certificate,
        end=shows_a_good_certificate,
        before=shows_a_good_certificate,
    ),
    Trouble(
        name="no Plex behind it",
        says="server_fault",
        begin=loses_plex,
        end=finds_plex,
        kinds=("tautulli",),
    ),
)
