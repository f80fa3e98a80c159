"""A real Home Assistant: a fresh configuration, its process, its HTTP API."""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from .children import Child
from .connection import Connection
from .words import DOMAIN, HOST, ROOT, Failure

USER = PASSWORD = "dev"  # noqa: S105 - it listens on this machine only
LAUNCHER = Path(__file__).with_name("hass.py")
START_SECONDS = 120.0
RESTART_CODE = 100
CONFIGURATION = f"""\
# Made by scripts/develop, anew each time.
automation:
config:
diagnostics:
frontend:
history:
logbook:
recorder:
repairs:
system_health:
webhook:

logger:
  default: warning
  logs:
    custom_components.{DOMAIN}: debug
"""


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def any_free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def make_configuration(folder: Path, port: int) -> None:
    """Write what Home Assistant reads at its first start."""
    (folder / "configuration.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (folder / "custom_components").mkdir()
    (folder / "custom_components" / DOMAIN).symlink_to(ROOT / "custom_components" / DOMAIN)
    # Where it listens. Given in YAML, Home Assistant would ask whether we are sure, complain
    # about YAML, and take it back; its store of old takes it as it is.
    http = {"version": 1, "key": "http", "data": {"server_host": [HOST], "server_port": port}}
    (folder / ".storage").mkdir()
    (folder / ".storage" / "http").write_text(json.dumps(http), encoding="utf-8")


class Home:
    """A Home Assistant that runs."""

    def __init__(
        self, session: aiohttp.ClientSession, folder: Path, port: int, *, plex_tv: str
    ) -> None:
        """Know where it is, or will be, and where it finds plex.tv."""
        self.folder = folder
        self.plex_tv = plex_tv
        self.url = f"http://{HOST}:{port}"
        self.log = folder / "home-assistant.out"
        self.up_at = 0.0
        self._session = session
        self._refresh_token = ""
        self._token = ""
        self._token_until = 0.0

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Child]:
        """Run it until the end of the context."""
        python = Path(sys.executable)
        async with Child.started(
            "Home Assistant",
            [python, "-P", LAUNCHER, self.plex_tv, self.folder, "--log-no-color"],
            said=self.log,
            environment={"PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]])},
        ) as child:
            yield child

    async def keep(self, child: Child, stack: AsyncExitStack) -> None:
        """Start it again whenever a person restarts it; complain if it ends otherwise."""
        while True:
            code = await child.process.wait()
            if code != RESTART_CODE:
                raise Failure(f"Home Assistant ended by itself, with {code}.")
            child = await stack.enter_async_context(self.process())

    # --- HTTP --------------------------------------------------------------------------------

    async def call(
        self, method: str, path: str, data: Any = None, *, login: bool = True, **more: Any
    ) -> Any:
        """Call Home Assistant's HTTP API and return its answer."""
        headers = {"Authorization": f"Bearer {await self._fresh_token()}"} if login else {}
        async with self._session.request(
            method, f"{self.url}{path}", json=data, headers=headers, **more
        ) as answer:
            if answer.status >= 400:
                raise Failure(
                    f"{method} {path} was answered {answer.status}: {await answer.text()}"
                )
            return await answer.json()

    async def _get_tokens(self, **grant: str) -> None:
        """Get a token that is good for half an hour."""
        async with self._session.post(
            f"{self.url}/auth/token", data={"client_id": f"{self.url}/", **grant}
        ) as answer:
            answer.raise_for_status()
            tokens = await answer.json()
        self._token = tokens["access_token"]
        self._token_until = time.monotonic() + tokens["expires_in"] - 60
        self._refresh_token = tokens.get("refresh_token", self._refresh_token)

    async def _fresh_token(self) -> str:
        if time.monotonic() > self._token_until:
            await self._get_tokens(grant_type="refresh_token", refresh_token=self._refresh_token)
        return self._token

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Connect to the WebSocket API."""
        async with Connection.opened(
            self._session, self.url, await self._fresh_token()
        ) as connection:
            yield connection

    # --- the first start ------------------------------------------------------------------------

    async def wait_until_it_answers(self) -> None:
        """Wait until the HTTP API is there."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                await self.call("GET", "/api/onboarding", login=False)
            except aiohttp.ClientError, Failure:
                if time.monotonic() > deadline:
                    raise Failure(
                        f"Home Assistant did not answer in {START_SECONDS:.0f} s."
                    ) from None
                await asyncio.sleep(0.2)
            else:
                return

    async def onboard(self) -> None:
        """Go through the dialogs of the first start."""
        person = {
            "name": "Developer",
            "username": USER,
            "password": PASSWORD,
            "client_id": f"{self.url}/",
            "language": "en",
        }
        made = await self.call("POST", "/api/onboarding/users", person, login=False)
        await self._get_tokens(grant_type="authorization_code", code=made["auth_code"])
        async with self.connection() as connection:
            await connection.ask(
                "config/core/update",
                location_name="A simulated home",
                country="GB",
                currency="GBP",
                language="en",
                internal_url=self.url,
            )
        await self.call("POST", "/api/onboarding/core_config", {})
        await self.call("POST", "/api/onboarding/analytics", {})
        client = {"client_id": f"{self.url}/", "redirect_uri": f"{self.url}/?auth_callback=1"}
        await self.call("POST", "/api/onboarding/integration", client)

    async def wait_until_it_is_up(self) -> None:
        """Wait until everything that starts with Home Assistant has started."""
        async with self.connection() as connection:
            deadline = time.monotonic() + START_SECONDS
            while (await connection.ask("get_config"))["state"] != "RUNNING":
                if time.monotonic() > deadline:
                    raise Failure(f"Home Assistant did not start in {START_SECONDS:.0f} s.")
                await asyncio.sleep(0.2)
        self.up_at = time.monotonic()

    async def remove_what_nobody_asked_for(self) -> None:
        """Remove what the onboarding adds: it asks the internet for the weather and for radios."""
        for entry in await self.call("GET", "/api/config/config_entries/entry"):
            if entry["source"] == "onboarding":
                await self.call("DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}")
