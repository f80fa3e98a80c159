"""Appends deliveries and prints each id once it is said to be durable, until it is killed."""

import asyncio
import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = Path(sys.argv[1])


async def main(path: Path) -> None:
    """Write from eight handlers at once."""
    spec = importlib.util.spec_from_file_location(
        "engine", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec is not None
    assert spec.loader is not None
    engine = importlib.util.module_from_spec(spec)
    sys.modules["engine"] = engine
    spec.loader.exec_module(engine)
    storage_module = importlib.import_module("engine.storage.storage")
    storage = await storage_module.Storage.open(path)

    async def handler(name: str) -> None:
        while True:
            row_id = await storage.journal.append(name, "radarr", "Grab", "x" * 2000, 1.0)
            sys.stdout.write(f"{row_id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(handler(f"handler-{number}") for number in range(8)))


asyncio.run(main(Path(sys.argv[2])))
