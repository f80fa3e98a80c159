"""The documentation: its links to files of this repository, and what a merge left in it."""

import re
from pathlib import Path

from .problems import Problem

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*#*$")
FENCE = re.compile(r"^\s*(```|~~~)")
MERGE = re.compile(r"^(<{7} |>{7} |={7}$)")


def check(root: Path) -> list[Problem]:
    """Name the links that lead nowhere, and the marks of merges that were not finished."""
    problems = []
    for file in sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")]):
        name = file.relative_to(root)
        problems += [
            Problem(name, number, "is left from a merge; choose what stays")
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
            if MERGE.match(line)
        ]
        for number, line in _lines(file):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                other = (file.parent / path).resolve() if path else file
                if not other.exists():
                    problems.append(Problem(name, number, f"{target} is not there"))
                elif anchor and other.suffix == ".md" and anchor not in anchors(other):
                    problems.append(Problem(name, number, f"{target}: no such heading"))
    return problems


def _lines(file: Path) -> list[tuple[int, str]]:
    found = []
    fenced = False
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            found.append((number, line))
    return found


def anchors(file: Path) -> set[str]:
    """Return what a link into a page may name."""
    found: set[str] = set()
    for _, line in _lines(file):
        if heading := HEADING.match(line):
            plain = re.sub(r"[^\w\- ]", "", heading[1].lower())
            found.add(plain.replace(" ", "-"))
    return found
