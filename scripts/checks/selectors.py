"""The texts of selectors against the forms and actions that show them."""

from pathlib import Path
from typing import Any

from .facts import Facts
from .problems import Document, Problem


def check(root: Path, folder: str, facts: Facts, texts: Document) -> list[Problem]:
    """Name the texts of selectors that nothing shows."""
    if any(use.keys is None for use in facts.selectors):
        return []
    used = {key for use in facts.selectors for key in use.keys or ()}
    for name in ("services", "triggers", "conditions"):
        if (root / folder / f"{name}.yaml").is_file():
            used |= _translation_keys(Document(root, f"{folder}/{name}.yaml").data)
    return [
        Problem(
            texts.name,
            texts.line(("selector", key)),
            f"selector.{key} is used nowhere; remove it, or use it",
        )
        for key in texts.mapping("selector")
        if key not in used
    ]


def _translation_keys(data: Any) -> set[str]:
    found: set[str] = set()
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "translation_key" and isinstance(value, str):
                found.add(value)
            else:
                found |= _translation_keys(value)
    elif isinstance(data, list):
        for value in data:
            found |= _translation_keys(value)
    return found
