"""What was said to be written survives a kill."""

import asyncio
import random
import sys
from pathlib import Path

from custom_components.media_arrivals.engine import storage as package
from custom_components.media_arrivals.engine.storage.storage import Storage

ENGINE = Path(package.__path__[0]).parent
WRITER = Path(__file__).with_name("writer.py")


async def test_nothing_that_was_answered_is_lost_by_a_kill(path: Path) -> None:
    chance = random.Random(20)  # noqa: S311 - when to kill needs no cryptography
    answered: set[int] = set()
    for _ in range(4):
        process = await asyncio.create_subprocess_exec(
            sys.executable, WRITER, ENGINE, path, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        first = await asyncio.wait_for(process.stdout.readline(), 20)
        await asyncio.sleep(chance.uniform(0.02, 0.4))
        process.kill()
        rest = await process.stdout.read()
        await process.wait()
        lines = (first + rest).decode().split("\n")
        # What comes after the last line end was cut off in the middle.
        said = {int(line) for line in lines[:-1]}
        assert len(said) > 5
        assert not said & answered
        answered |= said

        storage = await Storage.open(path)
        assert storage.set_aside is None
        assert answered <= {row.id for row in await storage.journal.pending()}
        await storage.close()
