"""Imports every module, to see that the installed Home Assistant has all they ask for."""

import importlib
import logging
import sys
import traceback
from pathlib import Path

INTEGRATION = Path("custom_components/media_arrivals")


def modules(folder: Path) -> list[str]:
    """Name all modules below a folder, as they are imported from the folder's root."""
    return sorted(
        ".".join(
            (file.parent if file.name == "__init__.py" else file.with_suffix("")).parts,
        )
        for file in folder.rglob("*.py")
    )


def main() -> None:
    """Import them all, and name all that fail."""
    # What Home Assistant finds missing on this machine is not ours to mend.
    logging.disable()
    names = modules(INTEGRATION)
    failed = 0
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - whatever a module does wrong, the others are looked at
            failed += 1
            print(f"{name} cannot be imported:", file=sys.stderr)
            traceback.print_exc(limit=-1)
    if failed or not names:
        sys.exit(f"{failed} of {len(names)} modules cannot be imported")
    print(f"{len(names)} modules imported")


if __name__ == "__main__":
    main()
