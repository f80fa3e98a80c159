"""Programs that a run starts, and ends again whatever happens."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import ClassVar

from .words import ROOT, Failure, tail


class Child:
    """A program in a session of its own: the terminal's Ctrl-C reaches only us."""

    running: ClassVar[set[Child]] = set()

    def __init__(self, name: str, process: Process, said: Path) -> None:
        """Remember a program that was started."""
        self.name = name
        self.process = process
        self.said = said

    @classmethod
    @asynccontextmanager
    async def started(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        said: Path,
        environment: Mapping[str, str] | None = None,
        answers: bool = False,
        patience: float = 10.0,
    ) -> AsyncIterator[Child]:
        """Run a program; what it says goes to a file, or its standard output to the caller."""
        with said.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=DEVNULL,
                stdout=PIPE if answers else file,
                stderr=file if answers else STDOUT,
                start_new_session=True,
            )
        child = cls(name, process, said)
        cls.running.add(child)
        try:
            yield child
        finally:
            await child.stop(patience)
            cls.running.discard(child)

    async def stop(self, patience: float) -> None:
        """Ask the program to end; after a while, end it and all that it started."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self.process.wait()
        self.kill()
        await self.process.wait()

    def kill(self) -> None:
        """End the program and all that it started, at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def first_line(self, seconds: float) -> str:
        """Return the first line that the program answers."""
        if self.process.stdout is None:
            raise Failure(f"{self.name} was not asked to answer.")
        line = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                line = await self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.name} did not start.\n{tail(self.said)}")
        return line.decode()
