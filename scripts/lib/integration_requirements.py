"""Prints what Home Assistant's own integrations require, one requirement a line."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any


def components_folder() -> Path:
    """Find the installed integrations without importing Home Assistant."""
    spec = importlib.util.find_spec("homeassistant")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("Home Assistant is not installed in this environment")
    return Path(next(iter(spec.submodule_search_locations))) / "components"


def manifest(components: Path, domain: str) -> dict[str, Any]:
    """Read one integration's manifest."""
    file = components / domain / "manifest.json"
    if not file.is_file():
        sys.exit(f"Home Assistant has no integration {domain}")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def requirements(components: Path, domains: set[str]) -> set[str]:
    """Follow the dependencies of the integrations and collect what all require."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = sorted(domains)
    while waiting:
        domain = waiting.pop()
        if domain in seen:
            continue
        seen.add(domain)
        content = manifest(components, domain)
        found.update(content.get("requirements", ()))
        waiting.extend(content.get("dependencies", ()))
    return found


def main() -> None:
    """Read the list of integrations that is named on the command line."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    domains = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    print("\n".join(sorted(requirements(components_folder(), domains))))


if __name__ == "__main__":
    main()
