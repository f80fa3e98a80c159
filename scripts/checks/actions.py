"""Actions, triggers and conditions: their YAML files against code, texts and icons."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .code import Code, Module, argument, called
from .facts import Facts
from .problems import Document, Keys, Problem


@dataclass(frozen=True)
class Kind:
    """What of the three is looked at, and what its parts are called."""

    name: str
    icon: str
    texts: tuple[str, ...]
    one: str
    frame: frozenset[str] = frozenset()
    """Keys that its schemas have around the fields."""


ACTIONS = Kind("services", "service", ("name", "description"), "action")
AROUND = frozenset({"options", "target"})
TRIGGERS = Kind("triggers", "trigger", ("name", "description"), "trigger", AROUND)
CONDITIONS = Kind("conditions", "condition", ("name", "description"), "condition", AROUND)

REGISTER = {
    "async_register": 1,
    "async_register_admin_service": 2,
    "async_register_platform_entity_service": 2,
}


def check(root: Path, folder: str, facts: Facts, texts: Document, icons: Document) -> list[Problem]:
    """Name all that does not agree."""
    problems: list[Problem] = []
    code = facts.code
    for kind, module, registered in (
        (ACTIONS, code.own("services"), registered_actions(code)),
        (TRIGGERS, code.own("trigger"), provided(code, "trigger", "async_get_triggers")),
        (CONDITIONS, code.own("condition"), provided(code, "condition", "async_get_conditions")),
    ):
        file = f"{folder}/{kind.name}.yaml"
        if module is None and not (root / file).exists() and not registered:
            for document in (texts, icons):
                if kind.name in document.data:
                    text = f"there are no {kind.name}; remove this"
                    line = document.line((kind.name,))
                    problems.append(Problem(document.name, line, text))
            continue
        described = Document(root, file)
        problems += described.problems
        if described.problems and not described.data:
            continue
        checker = Checker(kind, described, texts, icons)
        checker.against_code(registered, module, facts)
        checker.against_texts()
        checker.against_icons()
        problems += checker.problems
    return problems


def registered_actions(code: Code) -> dict[str, tuple[Module, int]] | None:
    """Find the names of the actions that the code registers, None if one cannot be told."""
    found: dict[str, tuple[Module, int]] = {}
    certain = True
    for module in code.home_assistant_layer:
        for call in module.calls():
            name = called(call)
            if name not in REGISTER or "hass" not in ast.unparse(call):
                continue
            if name == "async_register" and "services" not in ast.unparse(call.func):
                continue
            position = REGISTER[name]
            given = argument(call, "service_name") or argument(call, "service", position)
            names = code.strings_of(module, given)
            if names is None:
                certain = False
            for item in names or ():
                found[item] = (module, call.lineno)
    return found if certain else None


def provided(code: Code, name: str, function: str) -> dict[str, tuple[Module, int]] | None:
    """Find the keys of the mapping that a function returns, None if they cannot be told."""
    module = code.own(name)
    if module is None or function not in module.functions:
        return {}
    found: dict[str, tuple[Module, int]] = {}
    for node in ast.walk(module.functions[function]):
        if isinstance(node, ast.Return) and node.value is not None:
            keys = code.items_of(module, node.value)
            if keys is None:
                return None
            found |= dict.fromkeys(keys, (module, node.lineno))
    return found


class Checker:
    """Collects what does not agree about one kind."""

    def __init__(self, kind: Kind, described: Document, texts: Document, icons: Document) -> None:
        """Start with no problems."""
        self.kind = kind
        self.described = described
        self.texts = texts
        self.icons = icons
        self.problems: list[Problem] = []
        # Names that begin with a dot only hold what others refer to.
        self.names = [name for name in described.data if not name.startswith(".")]

    def add(self, document: Document, path: Keys, text: str) -> None:
        """Name a problem in a file."""
        self.problems.append(Problem(document.name, document.line(path), text))

    def against_code(
        self,
        registered: dict[str, tuple[Module, int]] | None,
        module: Module | None,
        facts: Facts,
    ) -> None:
        """What is described is what the code has."""
        if registered is None:
            for name in self.names:
                if name not in facts.code.strings:
                    self.add(self.described, (name,), f'the code has no "{name}"; remove it')
        else:
            for name, (where, line) in sorted(registered.items()):
                if name not in self.described.data:
                    text = f'"{name}" is not described; add it to {self.described.name}'
                    self.problems.append(Problem(where.file, line, text))
            for name in self.names:
                if name not in registered:
                    self.add(self.described, (name,), f'the code has no "{name}"; remove it')
        if module is not None:
            self.fields_against_code(module, facts)

    def fields_against_code(self, module: Module, facts: Facts) -> None:
        """The fields that are described are those that the code takes."""
        known = facts.schema_fields(module) - self.kind.frame
        shown = {field for name in self.names for field in self.fields(name)}
        for name in self.names:
            for field, path in self.fields(name).items():
                if field not in known and field not in facts.code.strings:
                    text = f'no {self.kind.one} takes "{field}"; remove it'
                    self.add(self.described, path, text)
        for field in sorted(known - shown):
            text = f'the field "{field}" is not described; add it to {self.described.name}'
            self.problems.append(Problem(module.file, 1, text))

    def fields(self, name: str) -> dict[str, Keys]:
        """Find the fields of an action, those in its sections too."""
        found: dict[str, Keys] = {}
        for field in self.described.mapping(name, "fields"):
            path = (name, "fields", field)
            inner = self.described.mapping(*path, "fields")
            if inner:
                found |= {key: (*path, "fields", key) for key in inner}
            else:
                found[field] = path
        return found

    def against_texts(self) -> None:
        """Each has its texts, its fields too, and there are no other texts."""
        kind = self.kind.name
        for name in self.names:
            for part in self.kind.texts:
                self.need((name,), (kind, name, part))
            for field, path in self.fields(name).items():
                for part in ("name", "description"):
                    self.need(path, (kind, name, "fields", field, part))
                self.selector(path)
            known = self.fields(name)
            for field in self.texts.mapping(kind, name, "fields"):
                if field not in known:
                    where = (kind, name, "fields", field)
                    self.add(self.texts, where, f"{'.'.join(where)} is used nowhere; remove it")
            for field in self.described.mapping(name, "fields"):
                if self.described.mapping(name, "fields", field, "fields"):
                    self.need((name, "fields", field), (kind, name, "sections", field, "name"))
        for name in self.texts.mapping(kind):
            if name not in self.described.data:
                self.add(self.texts, (kind, name), f"{kind}.{name} is used nowhere; remove it")

    def need(self, described: Keys, path: Keys) -> None:
        """Name a text that is missing."""
        if not isinstance(self.texts.at(*path), str):
            text = f'"{described[-1]}" has no text; add {".".join(path)} to {self.texts.name}'
            self.add(self.described, described, text)

    def selector(self, path: Keys) -> None:
        """The options of a selector with a translation key have texts."""
        select: Any = self.described.mapping(*path, "selector", "select")
        key = select.get("translation_key")
        if key is None:
            return
        options = {str(option) for option in select.get("options", [])}
        known = self.texts.mapping("selector", key, "options").keys()
        for option in sorted(options - known):
            self.need((*path, option), ("selector", key, "options", option))

    def against_icons(self) -> None:
        """Each has an icon, and there are no other icons."""
        kind = self.kind.name
        for name in self.names:
            if not isinstance(self.icons.at(kind, name, self.kind.icon), str):
                path = f"{kind}.{name}.{self.kind.icon}"
                text = f'"{name}" has no icon; add {path} to {self.icons.name}'
                self.add(self.described, (name,), text)
        for name in self.icons.mapping(kind):
            if name not in self.described.data:
                self.add(self.icons, (kind, name), f"{kind}.{name} is used nowhere; remove it")
