"""Reads the integration's code without running it: which strings reach which calls."""

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from pathlib import Path

type Function = ast.FunctionDef | ast.AsyncFunctionDef
type Known = tuple[Module, ast.ClassDef]

# Deeper than any chain of names that a person would write.
DEPTH = 12


@dataclass
class Module:
    """One parsed file."""

    code: Code
    name: str
    file: Path
    tree: ast.Module
    package: bool = False
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything in it."""
        nodes = list(ast.walk(self.tree))
        for node in nodes:
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
        return nodes

    @cached_property
    def definitions(self) -> list[ast.AST]:
        """What may define or import something: of Home Assistant's modules, only the top."""
        ours = self.name.startswith(self.code.package)
        return self.nodes if ours else [*self.tree.body]

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        """What is assigned at the top."""
        return dict(_assigned(self.tree.body))

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """Its classes."""
        return {node.name: node for node in self.definitions if isinstance(node, ast.ClassDef)}

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Its functions and methods, by name."""
        return {
            node.name: node
            for node in self.nodes
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }

    @cached_property
    def imports(self) -> dict[str, tuple[str, str | None]]:
        """What a name is imported from: a module, and the name in it unless it is the module."""
        found: dict[str, tuple[str, str | None]] = {}
        for node in self.definitions:
            if isinstance(node, ast.ImportFrom):
                source = self.absolute(node)
                for alias in node.names:
                    found[alias.asname or alias.name] = (source, alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.asname:
                        found[alias.asname] = (alias.name, None)
        return found

    def absolute(self, node: ast.ImportFrom) -> str:
        """Say from where an import takes its names."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        keep = len(parts) - node.level + (1 if self.package else 0)
        return ".".join([*parts[:keep], *([node.module] if node.module else [])])

    def calls(self) -> Iterator[ast.Call]:
        """Walk over all calls."""
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Walk from a node upwards."""
        if not self.parents:
            _ = self.nodes
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function_of(self, node: ast.AST) -> Function | None:
        """Find the function around a node."""
        for parent in self.above(node):
            if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return parent
        return None

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """Find the class around a node."""
        for parent in self.above(node):
            if isinstance(parent, ast.ClassDef):
                return parent
        return None


class Code:
    """All of the integration's modules, and Home Assistant's where they are needed."""

    def __init__(self, root: Path, integration: str) -> None:
        """Parse the integration's files."""
        self.package = integration.replace("/", ".")
        self.modules: dict[str, Module] = {}
        for file in sorted((root / integration).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if package else parts)
            tree = ast.parse(file.read_text(encoding="utf-8"))
            self.modules[name] = Module(self, name, file.relative_to(root), tree, package)

    def module(self, name: str) -> Module | None:
        """Find a module of ours, or one of Home Assistant's."""
        if name in self.modules:
            return self.modules[name]
        if name.partition(".")[0] != "homeassistant" or (tree := _foreign(name)) is None:
            return None
        return self.modules.setdefault(name, Module(self, name, Path(name), tree))

    @cached_property
    def ours(self) -> list[Module]:
        """Our modules."""
        return [module for name, module in self.modules.items() if name.startswith(self.package)]

    @cached_property
    def home_assistant_layer(self) -> list[Module]:
        """Our modules that know Home Assistant."""
        return [m for m in self.ours if not m.name.startswith(f"{self.package}.engine")]

    def own(self, name: str) -> Module | None:
        """Find a module by its name inside the integration."""
        return self.modules.get(f"{self.package}.{name}")

    @cached_property
    def strings(self) -> set[str]:
        """Every string in our code that is no docstring."""
        return {
            node.value
            for module in self.ours
            for node in module.nodes
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and not isinstance(module.parents.get(node), ast.Expr)
        }

    @cached_property
    def callers(self) -> dict[str, list[tuple[Module, ast.Call]]]:
        """All calls, by the name that is called."""
        found: dict[str, list[tuple[Module, ast.Call]]] = {}
        for module in self.ours:
            for call in module.calls():
                found.setdefault(called(call), []).append((module, call))
        return found

    def find_class(self, module: Module, name: str) -> Known | None:
        """Find a class that a module defines or imports."""
        if name in module.classes:
            return module, module.classes[name]
        if name in module.imports:
            source, original = module.imports[name]
            other = self.module(source)
            if other is not None and original and other is not module:
                return self.find_class(other, original)
        return None

    def bases(self, module: Module, node: ast.ClassDef) -> set[str]:
        """Name all classes that a class inherits from, as far as they are ours."""
        found: set[str] = set()
        for base in node.bases:
            expression = base.value if isinstance(base, ast.Subscript) else base
            name = expression.attr if isinstance(expression, ast.Attribute) else ""
            name = expression.id if isinstance(expression, ast.Name) else name
            found.add(name)
            known = self.find_class(module, name)
            if known and known[0] in self.ours and known[1] is not node:
                found |= self.bases(*known)
        return found

    def strings_of(self, module: Module, node: ast.AST | None, depth: int = 0) -> set[str] | None:
        """Say which strings an expression can be, or None if that cannot be said."""
        if node is None or depth > DEPTH:
            return None
        match node:
            case ast.Constant(value=str() as value):
                return {value}
            case ast.Constant(value=None):
                return set()
            case ast.Name():
                return self._of_name(module, node, depth + 1)
            case ast.Attribute(value=value):
                found = self._of_attribute(module, node, depth + 1)
                if found is None and node.attr in ("value", "key", "name"):
                    found = self.strings_of(module, value, depth + 1)
                return self._of_instance(module, node, depth + 1) if found is None else found
            case ast.IfExp(body=body, orelse=other):
                return self._union(module, [body, other], depth + 1)
            case ast.BoolOp(values=values):
                return self._union(module, values, depth + 1)
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.strings_of(module, value, depth + 1)
            case ast.JoinedStr(values=values):
                return self._of_f_string(module, values, depth + 1)
            case ast.FormattedValue(value=value):
                return self.strings_of(module, value, depth + 1)
            case ast.Subscript(value=value):
                return self._values(module, value, depth + 1)
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[_, *default]):
                usual = self._values(module, value, depth + 1)
                others = self._union(module, default, depth + 1)
                return None if usual is None or others is None else usual | others
            case ast.Call(func=ast.Name(id=name)) if name in module.functions:
                returned = [
                    item.value
                    for item in ast.walk(module.functions[name])
                    if isinstance(item, ast.Return) and item.value is not None
                ]
                return self._union(module, returned, depth + 1)
        return None

    def items_of(self, module: Module, node: ast.AST | None, depth: int = 0) -> set[str] | None:
        """Say which strings an expression goes over: a list, a mapping's keys, an enum."""
        if node is None or depth > DEPTH:
            return None
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                found: set[str] = set()
                for item in items:
                    inner = item.value if isinstance(item, ast.Starred) else item
                    get = self.items_of if isinstance(item, ast.Starred) else self.strings_of
                    strings = get(module, inner, depth + 1)
                    if strings is None:
                        return None
                    found |= strings
                return found
            case ast.Dict(keys=keys) if all(keys):
                return self._union(module, list(keys), depth + 1)
            case ast.ListComp(elt=item) | ast.SetComp(elt=item) | ast.GeneratorExp(elt=item):
                return self.strings_of(module, item, depth + 1)
            case ast.Call(
                func=ast.Name(id="list" | "tuple" | "set" | "frozenset" | "sorted"), args=[item, *_]
            ):
                return self.items_of(module, item, depth + 1)
            case ast.Call(func=ast.Attribute(value=value, attr="items" | "keys"), args=[]):
                return self.items_of(module, value, depth + 1)
            case ast.Name(id=name):
                if (enum := self._enum(module, name)) is not None:
                    return enum
                sources = self.sources(module, node)
                if not sources:
                    return None
                result: set[str] = set()
                for other, source in sources:
                    strings = self.items_of(other, source, depth + 1)
                    if strings is None:
                        return None
                    result |= strings
                return result
        return None

    def _union(
        self, module: Module, nodes: list[ast.expr | None] | list[ast.expr], depth: int
    ) -> set[str] | None:
        found: set[str] = set()
        for node in nodes:
            strings = self.strings_of(module, node, depth)
            if strings is None:
                return None
            found |= strings
        return found

    def _of_f_string(self, module: Module, values: list[ast.expr], depth: int) -> set[str] | None:
        parts = []
        for value in values:
            strings = self.strings_of(module, value, depth)
            if strings is None:
                return None
            parts.append(sorted(strings))
        return {"".join(combination) for combination in product(*parts)}

    def _values(self, module: Module, node: ast.AST, depth: int) -> set[str] | None:
        """Say which strings are the values of a mapping."""
        match node:
            case ast.Dict(values=values):
                return self._union(module, values, depth)
            case ast.Name():
                found: set[str] = set()
                sources = self.sources(module, node)
                for other, source in sources:
                    strings = self._values(other, source, depth + 1) if depth < DEPTH else None
                    if strings is None:
                        return None
                    found |= strings
                return found if sources else None
        return None

    def _enum(self, module: Module, name: str) -> set[str] | None:
        known = self.find_class(module, name)
        if known is None or not any("Enum" in base for base in self.bases(*known)):
            return None
        return self._union(known[0], [value for _, value in _assigned(known[1].body)], 0)

    def _of_attribute(self, module: Module, node: ast.Attribute, depth: int) -> set[str] | None:
        if not isinstance(node.value, ast.Name):
            return None
        name = node.value.id
        if name in ("self", "cls"):
            owner = module.class_of(node)
            values = dict(_assigned(owner.body)) if owner else {}
            return self.strings_of(module, values.get(node.attr), depth)
        if known := self.find_class(module, name):
            values = dict(_assigned(known[1].body))
            return self.strings_of(known[0], values.get(node.attr), depth)
        if name in module.imports:
            source, original = module.imports[name]
            other = self.module(f"{source}.{original}" if original else source)
            if other is not None:
                return self.strings_of(other, other.constants.get(node.attr), depth)
        return None

    def _of_instance(self, module: Module, node: ast.Attribute, depth: int) -> set[str] | None:
        """Say which strings an attribute has in all classes that its owner can be of."""
        found: set[str] = set()
        owners = self.classes_of(module, node.value, depth)
        for owner in owners:
            strings = self._field_of(owner, node.attr, depth)
            if strings is None:
                return None
            found |= strings
        return found if owners else None

    def _field_of(self, known: Known, name: str, depth: int) -> set[str] | None:
        """Say which strings an attribute of a class has: its own, else the one it inherits."""
        module, owner = known
        if value := dict(_assigned(owner.body)).get(name):
            return self.strings_of(module, value, depth)
        for method in owner.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                for item in ast.walk(method):
                    match item:
                        case ast.Assign(
                            targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)],
                            value=value,
                        ) if attr == name:
                            return self.strings_of(module, value, depth)
        if isinstance(annotation := _annotations(owner.body).get(name), ast.Name):
            return self._enum(module, annotation.id)
        for base in owner.bases:
            if isinstance(base, ast.Name) and (above := self.find_class(module, base.id)):
                return self._field_of(above, name, depth) if above[0] in self.ours else None
        return None

    def classes_of(self, module: Module, node: ast.AST | None, depth: int = 0) -> list[Known]:
        """Say of which classes an expression can be; empty if that cannot be said."""
        if node is None or depth > DEPTH:
            return []
        match node:
            case ast.Name(id="self") if owner := module.class_of(node):
                return self._family(module, owner)
            case ast.Name(id=name):
                if handler := self._handler(module, node):
                    return self._caught(module, handler)
                function = module.function_of(node)
                if function and (annotation := _annotated(function).get(name)):
                    return self._classes_named(module, annotation)
                return [
                    known
                    for other, source in self.sources(module, node)
                    for known in self.classes_of(other, source, depth + 1)
                ]
            case ast.Attribute(value=value, attr=attr):
                return [
                    known
                    for other, owner in self.classes_of(module, value, depth + 1)
                    if (annotation := _annotations(owner.body).get(attr))
                    for known in self._classes_named(other, annotation)
                ]
            case ast.Await(value=value):
                return self.classes_of(module, value, depth + 1)
            case ast.Call() if function := module.functions.get(called(node)):
                return self._classes_named(module, function.returns)
        return []

    def _classes_named(self, module: Module, node: ast.expr | None) -> list[Known]:
        """Find the classes that an annotation or an except clause names, and those below them."""
        match node:
            case ast.Name(id=name) if known := self.find_class(module, name):
                return self._family(*known)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return [*self._classes_named(module, left), *self._classes_named(module, right)]
            case ast.Tuple(elts=items):
                return [known for item in items for known in self._classes_named(module, item)]
        return []

    def _family(self, module: Module, node: ast.ClassDef) -> list[Known]:
        """Find all of our classes that are a class: it and what inherits from it."""
        return [
            (module, node),
            *(
                (other, below)
                for other in self.ours
                for below in other.classes.values()
                if below is not node and node.name in self.bases(other, below)
            ),
        ]

    def _handler(self, module: Module, node: ast.Name) -> ast.ExceptHandler | None:
        """Find the except clause that a name comes from."""
        for parent in module.above(node):
            if isinstance(parent, ast.ExceptHandler) and parent.name == node.id:
                return parent
        return None

    def _caught(self, module: Module, handler: ast.ExceptHandler) -> list[Known]:
        """Find what arrives at an except clause: what no clause before it has caught."""
        parent = module.parents[handler]
        clauses = parent.handlers if isinstance(parent, ast.Try) else []
        before = [
            known
            for clause in clauses[: clauses.index(handler)]
            for known in self._classes_named(module, clause.type)
        ]
        return [known for known in self._classes_named(module, handler.type) if known not in before]

    def _of_name(self, module: Module, node: ast.Name, depth: int) -> set[str] | None:
        if bound := self._iterated(module, node):
            return self.items_of(module, bound, depth)
        if sources := self.sources(module, node):
            found: set[str] = set()
            for other, source in sources:
                strings = self.strings_of(other, source, depth)
                if strings is None:
                    return None
                found |= strings
            return found
        return None

    def _iterated(self, module: Module, node: ast.Name) -> ast.expr | None:
        """Find what a loop or comprehension around a name takes it from."""
        for parent in module.above(node):
            if isinstance(parent, (ast.For, ast.AsyncFor)):
                if _binds(parent.target, node.id):
                    return parent.iter
            elif isinstance(parent, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
                for generator in parent.generators:
                    if _binds(generator.target, node.id):
                        return generator.iter
        return None

    def sources(
        self, module: Module, node: ast.Name, *, called_with: bool = True
    ) -> list[tuple[Module, ast.expr]]:
        """Find the expressions that a name can stand for; empty if one of them is unknown."""
        function = module.function_of(node)
        if function is not None:
            local = [
                (module, value) for name, value in _assigned_within(function) if name == node.id
            ]
            if local:
                return local
            arguments = _parameters(function)
            if node.id in ("self", "cls"):
                return []
            if node.id in arguments:
                return self._arguments(module, function, node.id) if called_with else []
        if node.id in module.constants:
            return [(module, module.constants[node.id])]
        if node.id in module.imports:
            source, original = module.imports[node.id]
            other = self.module(source)
            if other is not None and original in other.constants:
                return [(other, other.constants[original])]
        return []

    def _arguments(
        self, module: Module, function: Function, name: str
    ) -> list[tuple[Module, ast.expr]]:
        """Find what a function is called with; an exception's class may be raised uncalled."""
        parameters = [p for p in _parameters(function) if p not in ("self", "cls")]
        position = parameters.index(name)
        default = dict(_defaults(function)).get(name)
        names = {function.name}
        uncalled = False
        if function.name == "__init__" and (owner := module.class_of(function)):
            names = {known.name for _, known in self._family(module, owner)}
            uncalled = not names.isdisjoint(self._raised)
        found: list[tuple[Module, ast.expr]] = []
        if uncalled and default is not None:
            found.append((module, default))
        for other, call in (pair for called in names for pair in self.callers.get(called, ())):
            given = argument(call, name, position) or default
            if given is None:
                return []
            found.append((other, given))
        return found

    @cached_property
    def _raised(self) -> set[str]:
        """The classes that are raised without being called."""
        return {
            node.exc.id
            for module in self.ours
            for node in module.nodes
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name)
        }


def called(call: ast.Call) -> str:
    """Name what is called, without what it is called on."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(value=ast.Name(id=name)):
            return name
    return ""


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """Find an argument of a call."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is not None and position < len(call.args):
        return call.args[position]
    return None


def literal_keys(node: ast.expr | None) -> set[str] | None:
    """Name the keys of a mapping that is written out."""
    if not isinstance(node, ast.Dict):
        return None
    keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    return {str(key) for key in keys} if len(keys) == len(node.keys) else None


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _assigned_within(function: Function) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield name, value


def _annotations(body: list[ast.stmt]) -> dict[str, ast.expr]:
    return {
        node.target.id: node.annotation
        for node in body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _annotated(function: Function) -> dict[str, ast.expr]:
    arguments = function.args
    given = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    local = [node for node in ast.walk(function) if isinstance(node, ast.AnnAssign)]
    return {one.arg: one.annotation for one in given if one.annotation} | _annotations([*local])


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _defaults(function: Function) -> Iterator[tuple[str, ast.expr]]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        for item, value in zip(
            positional[-len(arguments.defaults) :], arguments.defaults, strict=True
        ):
            yield item.arg, value
    for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield item.arg, default


def _binds(target: ast.expr, name: str) -> bool:
    match target:
        case ast.Name(id=found):
            return found == name
        # Of pairs, the first is the mapping's key.
        case ast.Tuple(elts=[ast.Name(id=found), *_]):
            return found == name
    return False


@cache
def _foreign(name: str) -> ast.Module | None:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
