"""What the checks share: the problems they name, and files whose lines can be named."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, override

import yaml

type Keys = tuple[str, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """Something that does not agree, where it stands, and what to do about it."""

    file: Path
    line: int
    text: str

    @override
    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class Document:
    """A JSON or YAML file, with the line of each of its keys."""

    def __init__(self, root: Path, name: str) -> None:
        """Read the file, which may be missing or broken."""
        self.name = Path(name)
        self.data: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._lines: dict[Keys, int] = {}
        file = root / name
        if not file.is_file():
            self.problems.append(Problem(self.name, 1, "is missing; make it"))
            return
        text = file.read_text(encoding="utf-8")
        try:
            data = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except json.JSONDecodeError as err:
            self.problems.append(Problem(self.name, err.lineno, f"is no JSON: {err.msg}"))
            return
        except yaml.MarkedYAMLError as err:
            line = err.problem_mark.line + 1 if err.problem_mark else 1
            self.problems.append(Problem(self.name, line, f"is no YAML: {err.problem}"))
            return
        if data is None:
            return
        if not isinstance(data, dict):
            self.problems.append(Problem(self.name, 1, "must hold one mapping"))
            return
        self.data = data
        if isinstance(node, yaml.MappingNode):
            self._index(node, ())

    def _index(self, node: yaml.MappingNode, above: Keys) -> None:
        for key, value in node.value:
            path = (*above, str(key.value))
            line = key.start_mark.line + 1
            if path in self._lines:
                self.problem(path, f'"{path[-1]}" is here twice; remove one')
            self._lines[path] = line
            if isinstance(value, yaml.MappingNode):
                self._index(value, path)

    def line(self, path: Keys) -> int:
        """Find the line of a key, or of the nearest one above it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def problem(self, path: Keys, text: str) -> None:
        """Name a problem at a key."""
        self.problems.append(Problem(self.name, self.line(path), text))

    def at(self, *path: str) -> Any:
        """Return what is at a path, or nothing."""
        found: Any = self.data
        for key in path:
            if not isinstance(found, dict) or key not in found:
                return None
            found = found[key]
        return found

    def mapping(self, *path: str) -> dict[str, Any]:
        """Return the mapping at a path, empty if there is none."""
        found = self.at(*path)
        return found if isinstance(found, dict) else {}

    def texts(self) -> Iterator[tuple[Keys, str]]:
        """Walk over all strings with their paths."""
        return _texts(self.data, ())


def _texts(data: Any, above: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(data, str):
        yield above, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*above, str(key)))
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, above)
