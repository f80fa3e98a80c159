"""Checks a coverage report: how far each module of the integration must be covered."""

import json
import sys
from pathlib import Path
from typing import Any

INTEGRATION = "custom_components/media_arrivals/"
COMPLETE = ("engine/board/", "config_flow.py")
COMPLETE_PERCENT = 100.0
OTHERS_PERCENT = 95.0


def wanted(module: str) -> float:
    """Say how many percent of a module must be covered."""
    inner = module.removeprefix(INTEGRATION)
    return COMPLETE_PERCENT if inner.startswith(COMPLETE) else OTHERS_PERCENT


def words(module: str) -> str:
    """Say what is wanted in words."""
    percent = wanted(module)
    return "all" if percent == COMPLETE_PERCENT else f"over {percent:.0f} %"


def shortcomings(report: dict[str, Any]) -> list[str]:
    """Name each module that is covered too little, with the lines that are missing."""
    found = []
    for module, result in sorted(report["files"].items()):
        reached = result["summary"]["percent_covered"]
        if reached < COMPLETE_PERCENT and reached <= wanted(module):
            lines = ", ".join(str(line) for line in result["missing_lines"]) or "branches only"
            found.append(
                f"{module}: {reached:.1f} % covered, {words(module)} wanted; missing: {lines}"
            )
    return found


def main() -> None:
    """Read the report that is named on the command line."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = shortcomings(report)
    if found:
        sys.exit("\n".join(found))
    total = report["totals"]["percent_covered"]
    print(f"Coverage: {total:.1f} % of {len(report['files'])} modules, each as far as wanted.")


if __name__ == "__main__":
    main()
