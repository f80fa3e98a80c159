"""A real Home Assistant of its own process, with a configuration of its own."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from custom_components.media_arrivals.engine.board.models import Service

from .calls import Connection
from .engine import INTEGRATION

HOST: Final = "127.0.0.1"
COMPANION: Final = Path(__file__).parent / "companion"
DATABASE: Final = "media_arrivals.db"
SECRET: Final = "bench-secret"  # noqa: S105 - of a Home Assistant that lives for minutes
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A config entry of ours."""

    id: str
    data: Mapping[str, object]
    options: Mapping[str, object] = field(default_factory=dict)
    source: str = "user"
    unique_id: str | None = None
    disabled: bool = False

    def document(self) -> dict[str, object]:
        """Return it as Home Assistant stores it."""
        return {
            "created_at": "2026-01-01T00:00:00+00:00",
            "data": dict(self.data),
            "disabled_by": "user" if self.disabled else None,
            "discovery_keys": {},
            "domain": "media_arrivals",
            "entry_id": self.id,
            "minor_version": 1,
            "modified_at": "2026-01-01T00:00:00+00:00",
            "options": dict(self.options),
            "pref_disable_new_entities": False,
            "pref_disable_polling": False,
            "source": self.source,
            "subentries": [],
            "title": self.id,
            "unique_id": self.unique_id,
            "version": 1,
        }


def board_entry(*, disabled: bool = False) -> Entry:
    """Return the board's own entry."""
    return Entry(
        id="bench_board",
        data={"kind": "board"},
        source="system",
        unique_id="board",
        disabled=disabled,
    )


def service_entry(
    service: Service, *, url: str, api_key: str, disabled: bool = False, by_hand: bool = True
) -> Entry:
    """Return a service's entry, whose webhook is entered by hand or by the integration."""
    data = {
        "kind": service.kind,
        "url": url,
        "api_key": api_key,
        "verify_ssl": True,
        "webhook_id": webhook_id(service),
        "webhook_secret": SECRET,
    }
    if service.tier is not None:
        data["tier"] = service.tier.value
    options = {"manual_webhook": True} if by_hand else {}
    return Entry(id=service.id, data=data, options=options, disabled=disabled)


def webhook_id(service: Service) -> str:
    """Return the id of a service's webhook."""
    return f"bench_webhook_of_{service.id}"


class HomeAssistant:
    """Starts, asks, kills and ends a Home Assistant; an async context manager."""

    def __init__(
        self,
        entries: Sequence[Entry],
        *,
        recorder: bool,
        write_down_what_is_told: bool = False,
        plex_tv: str = "",
    ) -> None:
        self._entries = entries
        self._plex_tv = plex_tv
        self._recorder = recorder
        self._told = write_down_what_is_told
        self._process: asyncio.subprocess.Process | None = None
        self._folder = Path()
        self.port = 0

    async def __aenter__(self) -> Self:
        """Make the configuration; start nothing yet."""
        self._folder = Path(tempfile.mkdtemp(prefix="media-arrivals-bench-"))
        self.port = _free_port()
        self._write_configuration()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, and leave nothing."""
        try:
            await self.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def database(self) -> Path:
        """Return where the integration's database is."""
        return self._folder / DATABASE

    @property
    def told(self) -> Path:
        """Return where it is written down what was told."""
        return self._folder / "told.jsonl"

    @property
    def set_aside(self) -> list[str]:
        """Return the names of databases that were found damaged."""
        return [path.name for path in self._folder.glob(f"{DATABASE}.damaged-*")]

    def _write_configuration(self) -> None:
        yaml = ["logger:", "  default: warning", "media_arrivals_bench:"]
        yaml.append(f"  told: {str(self._told).lower()}")
        if self._plex_tv:
            yaml += [f"  plex_tv: {self._plex_tv}", "homeassistant:"]
            yaml.append(f"  internal_url: http://{HOST}:{self.port}")
        if self._recorder:
            yaml.append("recorder:")
        (self._folder / "configuration.yaml").write_text("\n".join(yaml) + "\n")
        components = self._folder / "custom_components"
        components.mkdir()
        (components / "media_arrivals").symlink_to(INTEGRATION, target_is_directory=True)
        shutil.copytree(
            COMPANION,
            components / "media_arrivals_bench",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        # By `http:` in YAML it would be a trial that has to be confirmed.
        http = {
            "server_host": [HOST],
            "server_port": self.port,
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": True,
            "ssl_profile": "modern",
            "use_x_frame_options": True,
            "created_at": "2026-01-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        self._store("http", 2, 2, {"stable": http, "pending": None, "yaml_migration_done": True})
        self._store(
            "core.config_entries", 1, 5, {"entries": [one.document() for one in self._entries]}
        )

    def _store(self, key: str, version: int, minor: int, data: object) -> None:
        storage = self._folder / ".storage"
        storage.mkdir(exist_ok=True)
        document = {"version": version, "minor_version": minor, "key": key, "data": data}
        (storage / key).write_text(json.dumps(document))

    # --- life ---------------------------------------------------------------------------------

    async def launch(self) -> None:
        """Start the process, and do not wait for it."""
        # Without compiled modules, as in a container that is built anew, every start compiles them.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        log = (self._folder / "bench.log").open("ab")
        with log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "homeassistant", "--config", str(self._folder), "--skip-pip"),
                cwd=self._folder,
                stdout=log,
                stderr=log,
                env=environment,
            )

    async def start(self) -> None:
        """Start, and wait until Home Assistant has started."""
        await self.launch()
        await self.wait_until_started()

    async def wait_until_started(self) -> None:
        """Wait until Home Assistant says that it runs."""
        began = time.monotonic()
        while time.monotonic() - began < START_SECONDS:
            self.require_life()
            try:
                if (await self.ask("GET", "/api/bench/state"))["running"]:
                    return
            except OSError, ValueError:
                pass
            await asyncio.sleep(0.05)
        raise TimeoutError("Home Assistant does not start\n" + self._last_words())

    def require_life(self) -> None:
        """Raise if the process has ended."""
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError("Home Assistant has ended\n" + self._last_words())

    def _last_words(self) -> str:
        text = (self._folder / "bench.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-20:])

    async def stop(self) -> None:
        """End as usual; if that takes too long, end it by force."""
        if (process := self._process) is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End without a warning, as a power cut would."""
        if (process := self._process) is not None and process.returncode is None:
            process.kill()
            await process.wait()

    # --- asking -------------------------------------------------------------------------------

    async def connect(self) -> Connection:
        """Open a connection that is kept alive."""
        return await Connection.open(HOST, self.port)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Call one of the companion's endpoints."""
        connection = await self.connect()
        try:
            status, answer = await connection.call(
                method, path, json.dumps(body).encode() if body is not None else b""
            )
        finally:
            await connection.close()
        if status != 200:
            raise ValueError(f"{path} answered {status}: {answer[:500]!r}")
        return json.loads(answer)

    def deliveries(self) -> tuple[int, int]:
        """Return how many deliveries are in the journal, and how many of them wait."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as database:
            total, waiting = database.execute(
                "SELECT count(*), coalesce(sum(processed = 0), 0) FROM webhook_log"
            ).fetchone()
        return total, waiting

    async def wait_until_worked_off(self, seconds: float) -> None:
        """Wait until no delivery waits any more."""
        async with asyncio.timeout(seconds):
            while self.deliveries()[1]:
                self.require_life()
                await asyncio.sleep(0.05)

    def copy_database(self, folder: Path) -> Path:
        """Copy the database as the process left it, so that looking at it changes nothing."""
        for file in self._folder.glob(f"{DATABASE}*"):
            if file.name.removeprefix(DATABASE) in {"", "-wal", "-shm", "-journal"}:
                shutil.copy(file, folder / file.name)
        return folder / DATABASE

    def memory(self) -> Mapping[str, int]:
        """Return the bytes that the process has in memory, and had at most, if that is told."""
        if self._process is None:
            return {}
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return {}
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        wanted = {"now": "VmRSS", "at_most": "VmHWM"}
        return {key: int(fields[name].split()[0]) * 1024 for key, name in wanted.items()}

    def count(self, query: str) -> int:
        """Return a number from the integration's database."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as database:
            number: int = database.execute(query).fetchone()[0]
        return number

    def computed(self) -> float | None:
        """Return the seconds that the process has computed, where the system tells."""
        if self._process is None:
            return None
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return None
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        port: int = one.getsockname()[1]
        return port
