"""Checks that texts, icons, descriptions and manifest agree with the code.

Names each problem as file:line, says what to do, and ends with 1 if there is any.
"""

import sys
from pathlib import Path

from . import actions, icons, layers, links, manifest, quality_scale, selectors, translations
from .code import Code
from .facts import Facts
from .problems import Document, Problem

INTEGRATION = "custom_components/media_arrivals"


def problems_of(root: Path, folder: str = INTEGRATION) -> list[Problem]:
    """Run all checks on a repository."""
    code = Code(root, folder)
    facts = Facts(code)
    texts = Document(root, f"{folder}/translations/en.json")
    symbols = Document(root, f"{folder}/icons.json")
    found = [
        *manifest.check(root, folder, code),
        *quality_scale.check(root, folder),
        *layers.check(code),
        *links.check(root),
    ]
    if unreadable := [file for file in (texts, symbols) if file.problems and not file.data]:
        found += [problem for file in unreadable for problem in file.problems]
    else:
        found += [
            *actions.check(root, folder, facts, texts, symbols),
            *selectors.check(root, folder, facts, texts),
            *translations.check(texts, facts),
            *icons.check(symbols, facts),
        ]
    return sorted(set(found))


def main() -> None:
    """Check this repository."""
    found = problems_of(Path.cwd())
    for problem in found:
        print(problem)
    if found:
        sys.exit(f"{len(found)} things do not agree.")


if __name__ == "__main__":
    main()
