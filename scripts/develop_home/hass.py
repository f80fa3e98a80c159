"""Runs Home Assistant in a home whose plex.tv is simulated, too: run by its path, with python -P.

The integration asks plex.tv at its own address, which no option changes.
"""

import sys
from importlib import import_module


def main() -> int:
    """Run: the address of plex.tv, the folder of the configuration, and hass's own options."""
    plex_tv, folder, *options = sys.argv[1:]
    # As Home Assistant itself does later.
    sys.path.insert(0, folder)
    account = import_module("custom_components.media_arrivals.engine.connectors.plex.account")
    vars(account)["PLEX_TV"] = plex_tv
    sys.argv[1:] = ["--config", folder, *options]
    code: int = import_module("homeassistant.__main__").main()
    return code


if __name__ == "__main__":
    sys.exit(main())
