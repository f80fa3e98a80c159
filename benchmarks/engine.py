"""Lets the engine be imported without Home Assistant, which its package would bring along."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).parents[1]
INTEGRATION: Final = ROOT / "custom_components" / "media_arrivals"
_PACKAGE: Final = "custom_components.media_arrivals"


def do_without_home_assistant() -> None:
    """Put an empty module in the package's place; what is inside is still found by its path."""
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(INTEGRATION)]
        sys.modules[_PACKAGE] = package
