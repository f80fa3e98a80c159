"""Starts a simulated media stack and a Home Assistant that shows it; see scripts/develop."""

import argparse
import asyncio
import fcntl
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

from .adding import add_services
from .check import watch_arrivals
from .children import Child
from .health import see_that_nothing_is_said, wait_for_webhooks
from .home import PASSWORD, USER, Home, any_free_port, is_free, make_configuration
from .journeys import STAGE_CHANGED, hear, sentence
from .media import MediaStack
from .words import DOMAIN, ROOT, Failure, say, tail

USUAL_PORT = 8123


def arguments() -> argparse.Namespace:
    """Read the command line; scripts/develop has read its part already."""
    parser = argparse.ArgumentParser(prog="scripts/develop", description=__doc__)
    parser.add_argument("--check", action="store_true", help="go on without a person, then end")
    parser.add_argument("--port", type=int, help=f"of Home Assistant; {USUAL_PORT}, if it is free")
    parser.add_argument("--library", action="store_true", help="begin with a large old library")
    return parser.parse_args()


def chosen_port(wanted: int | None, *, check: bool) -> int:
    """Return the port for Home Assistant."""
    if wanted is not None:
        if not is_free(wanted):
            raise Failure(f"Somebody listens on port {wanted} already.")
        return wanted
    return any_free_port() if check or not is_free(USUAL_PORT) else USUAL_PORT


@contextmanager
def configuration_folder(*, check: bool) -> Iterator[Path]:
    """Make a fresh folder: for the check a passing one, for a person .develop."""
    if check:
        with tempfile.TemporaryDirectory(
            prefix="media-arrivals-", ignore_cleanup_errors=True
        ) as name:
            yield Path(name)
        return
    base = ROOT / ".develop"
    base.mkdir(exist_ok=True)
    with (base / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            raise Failure("scripts/develop is running already.") from err
        folder = base / "home"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder


class Run:
    """One run: what is started, and who watches over it."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        """Begin with nothing started."""
        self.options = options
        self.folder = folder
        self._stack = AsyncExitStack()
        self._watchers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End everything that was started."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self._stack.aclose()

    async def start(self) -> tuple[Home, MediaStack]:
        """Start the media stack and Home Assistant."""
        port = chosen_port(self.options.port, check=self.options.check)
        enter = self._stack.enter_async_context
        session = await enter(aiohttp.ClientSession())
        media = await enter(MediaStack.started(session, self.folder, library=self.options.library))
        self._watch(media.keep())
        say("The simulated media stack runs.")
        make_configuration(self.folder, port)
        home = Home(session, self.folder, port, plex_tv=media.plex_tv.url)
        child = await enter(home.process())
        self._watch(home.keep(child, self._stack))
        say(f"Home Assistant starts, with {home.url} ...")
        return home, media

    def _watch(self, work: Coroutine[Any, Any, None]) -> None:
        self._watchers.append(asyncio.create_task(work))

    async def alongside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for as long as everything runs."""
        task = asyncio.create_task(work)
        try:
            await asyncio.wait([*self._watchers, task], return_when=asyncio.FIRST_COMPLETED)
            for ended in [*self._watchers, task]:
                if ended.done():
                    ended.result()
        except (aiohttp.ClientError, TimeoutError) as err:
            raise Failure(f"Home Assistant does not answer any more: {err!r}") from err
        finally:
            task.cancel()
            await asyncio.wait([task])


async def prepare(home: Home, media: MediaStack) -> None:
    """Bring Home Assistant to where the day can begin."""
    await home.wait_until_it_answers()
    await home.onboard()
    await home.wait_until_it_is_up()
    say("Home Assistant is up. The services are added by its dialogs ...")
    names, _ = await asyncio.gather(add_services(home, media), home.remove_what_nobody_asked_for())
    # Media servers are asked little at a time, and some have no test: theirs work in a while.
    await wait_for_webhooks(home, "seerr", "radarr", "sonarr")
    say(f"Added: {', '.join(names)}.")


async def accompany(home: Home, media: MediaStack) -> None:
    """Let the day go on and say what happens, until somebody interrupts."""
    print(introduction(home, media), flush=True)
    await media.begin_day()
    while True:
        # It is gone for a while when a person restarts it.
        with suppress(aiohttp.ClientError, TimeoutError):
            async with home.connection() as connection:
                async for told in await hear(connection):
                    say(sentence(told))
        await asyncio.sleep(1)


def introduction(home: Home, media: MediaStack) -> str:
    """Say what there is to be seen, and where."""
    return f"""
  Home Assistant    {home.url}    user {USER}, password {PASSWORD}
  The integration   {home.url}/config/integrations/integration/{DOMAIN}
  Its actions       {home.url}/developer-tools/action    ({DOMAIN}.get_arrivals)
  What is told      {home.url}/developer-tools/event     ({STAGE_CHANGED})
  Play more         curl {media.control}/plays -d '{{"name": "film"}}'    (see simulator/README.md)
  The log           {home.log}

  A household's day plays. Ctrl-C ends it all.
"""


async def run(options: argparse.Namespace) -> None:
    """Do everything, in a folder that is there for this run."""
    with configuration_folder(check=options.check) as folder:
        log = folder / "home-assistant.out"
        try:
            async with Run(options, folder) as one:
                home, media = await one.start()
                await one.alongside(prepare(home, media))
                await one.alongside((watch_arrivals if options.check else accompany)(home, media))
                say("Home Assistant and the media stack end ...")
            if options.check:
                see_that_nothing_is_said(log, folder)
        except Failure:
            if log.exists():
                print(f"\nThe end of Home Assistant's log:\n{tail(log)}\n", file=sys.stderr)
            raise


async def main(options: argparse.Namespace) -> int:
    """Run until the end, or until interrupted; a second interruption waits for nothing."""
    task = asyncio.create_task(run(options))
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if interrupted:
            for child in Child.running:
                child.kill()
        else:
            interrupted = True
            say("Everything ends ...")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    try:
        await task
    except asyncio.CancelledError:
        if options.check:
            print("Failed: interrupted.", file=sys.stderr)
        return int(options.check)
    except Failure as err:
        print(f"Failed: {err}", file=sys.stderr)
        return 1
    if options.check:
        say("Everything is as it should be.")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(arguments())))
