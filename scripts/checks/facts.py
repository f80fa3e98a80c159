"""What the code says that texts and icons must answer: entities, exceptions, issues, forms."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from .code import Code, Module, argument, called, literal_keys

PLATFORMS = {
    "binary_sensor": "BinarySensor",
    "button": "Button",
    "calendar": "Calendar",
    "event": "Event",
    "image": "Image",
    "number": "Number",
    "select": "Select",
    "sensor": "Sensor",
    "switch": "Switch",
    "text": "Text",
    "todo": "Todo",
    "update": "Update",
}

FORMS = {"async_show_form", "async_show_menu", "async_show_progress", "async_external_step"}
# A description's own keys are read where it stands.
OWN_KEYS = {
    "description.key",
    "description.translation_key",
    "entity_description.key",
    "entity_description.translation_key",
    "self.entity_description.key",
    "self.entity_description.translation_key",
}
# What these helpers abort with when they are not told.
DEFAULT_REASONS = {
    "_abort_if_unique_id_configured": ("error", "already_configured"),
    "_abort_if_unique_id_mismatch": ("reason", "unique_id_mismatch"),
    "_async_abort_entries_match": ("", "already_configured"),
}


@dataclass(frozen=True)
class Use:
    """A place in the code that needs a text: by one key, or by one of several."""

    module: Module
    line: int
    keys: frozenset[str]
    placeholders: frozenset[str] | None = None
    fixable: bool | None = None


@dataclass
class Entity:
    """What an entity needs of texts and icons."""

    module: Module
    line: int
    platform: str
    key: str
    named: bool
    classed: bool
    states: frozenset[str] | None
    event_types: frozenset[str] | None


@dataclass
class Form:
    """A step of a flow."""

    module: Module
    line: int
    step: str
    fields: set[str] | None
    menu: set[str] | None
    placeholders: set[str] | None


@dataclass
class Flow:
    """A flow: of the configuration, of options, or of a repair."""

    forms: list[Form] = field(default_factory=list)
    errors: list[Use] = field(default_factory=list)
    aborts: list[Use] = field(default_factory=list)


class Facts:
    """All of it, read once."""

    def __init__(self, code: Code) -> None:
        """Read the code."""
        self.code = code
        self.entities: list[Entity] = []
        # Places that need a text of which the code does not say the key.
        self.untold: list[tuple[Module, int]] = []
        self.exceptions: list[Use] = []
        self.issues: list[Use] = []
        self.selectors: list[Use] = []
        self.devices: list[Use] = []
        self.flows: dict[str, Flow] = {"config": Flow(), "options": Flow()}
        # By the name of their class, and which kind of subentry each class adds.
        self.subentry_flows: dict[str, Flow] = {}
        self.subentries: dict[str, str] = {}
        # By the name of their class: each mends other issues.
        self.repairs: dict[str, Flow] = {}
        self._keys_are_translation_keys = any(
            isinstance(node, ast.Assign)
            and "_attr_translation_key" in {_target(t) for t in node.targets}
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "key"
            for module in code.home_assistant_layer
            for node in module.nodes
        )
        for module in code.home_assistant_layer:
            for call in module.calls():
                self._read_call(module, call)
            for node in module.classes.values():
                self._read_class(module, node)
        for name in ("config_flow", "repairs", "flow", "options_flow", "people_flow"):
            if (flow := code.own(name)) is not None:
                self._read_flow(flow)
                self._read_subentries(flow)

    def _keys(self, module: Module, line: int, key: ast.expr | None) -> frozenset[str]:
        """Say which keys a text can have."""
        keys = self.code.strings_of(module, key)
        if keys is None:
            self.untold.append((module, line))
        return frozenset(keys or ())

    def _use(
        self, module: Module, call: ast.Call, key: ast.expr | None, fixable: bool | None = None
    ) -> Use:
        placeholders = self._placeholders(module, argument(call, "translation_placeholders"))
        if any(keyword.arg is None for keyword in call.keywords):
            placeholders = None
        return Use(
            module,
            call.lineno,
            self._keys(module, call.lineno, key),
            None if placeholders is None else frozenset(placeholders),
            fixable,
        )

    def _placeholders(self, module: Module, given: ast.expr | None) -> set[str] | None:
        """Name the placeholders that a call gives, or a function that it asks for them."""
        if given is None:
            return set()
        if isinstance(given, ast.Call) and (function := module.functions.get(called(given))):
            returned = [one.value for one in ast.walk(function) if isinstance(one, ast.Return)]
            return literal_keys(returned[0]) if len(returned) == 1 else None
        return literal_keys(given)

    def _read_call(self, module: Module, call: ast.Call) -> None:
        name = called(call)
        if self._is_description(module, name):
            self._read_description(module, call, name)
            return
        key = argument(call, "translation_key")
        if name in ("async_create_issue", "create_issue"):
            fixable = argument(call, "is_fixable")
            value = fixable.value if isinstance(fixable, ast.Constant) else None
            use = self._use(module, call, key, value if isinstance(value, bool) else None)
            self.issues.append(use)
        elif key is None:
            return
        elif name == "SelectSelectorConfig":
            self.selectors.append(self._use(module, call, key))
        elif name in ("DeviceInfo", "ChildDeviceInfo", "async_get_or_create"):
            self.devices.append(self._use(module, call, key))
        elif argument(call, "translation_domain") is not None:
            self.exceptions.append(self._use(module, call, key))

    def _is_description(self, module: Module, name: str) -> bool:
        if name.endswith("EntityDescription"):
            return True
        known = self.code.find_class(module, name)
        return known is not None and any(
            base.endswith("EntityDescription") for base in self.code.bases(*known)
        )

    def _platform(self, module: Module, node: ast.ClassDef | None, name: str) -> str:
        if module.stem in PLATFORMS:
            return module.stem
        names = {name} | (self.code.bases(module, node) if node else set())
        if known := self.code.find_class(module, name):
            names |= self.code.bases(*known)
        for platform, prefix in PLATFORMS.items():
            if names & {f"{prefix}EntityDescription", f"{prefix}Entity"}:
                return platform
        return ""

    def _read_description(self, module: Module, call: ast.Call, name: str) -> None:
        key = argument(call, "translation_key")
        if key is None and self._keys_are_translation_keys:
            key = argument(call, "key")
        platform = self._platform(module, None, name)
        if key is None or not platform:
            return
        label = argument(call, "name")
        for text in sorted(self._keys(module, call.lineno, key)):
            self.entities.append(
                Entity(
                    module,
                    call.lineno,
                    platform,
                    text,
                    named=not (isinstance(label, ast.Constant) and label.value is None),
                    classed=argument(call, "device_class") is not None,
                    states=_frozen(self.code.items_of(module, argument(call, "options"))),
                    event_types=_frozen(self.code.items_of(module, argument(call, "event_types"))),
                )
            )

    def _read_class(self, module: Module, node: ast.ClassDef) -> None:
        values = {
            _target(target): statement.value
            for statement in ast.walk(node)
            if isinstance(statement, ast.Assign)
            for target in statement.targets
        }
        key = values.get("_attr_translation_key")
        platform = self._platform(module, node, node.name)
        if key is None or not platform or ast.unparse(key) in OWN_KEYS:
            return
        label = values.get("_attr_name", ast.Constant("named"))
        for text in sorted(self._keys(module, key.lineno, key)):
            self.entities.append(
                Entity(
                    module,
                    key.lineno,
                    platform,
                    text,
                    named=not (isinstance(label, ast.Constant) and label.value is None),
                    classed="_attr_device_class" in values,
                    states=_frozen(self.code.items_of(module, values.get("_attr_options"))),
                    event_types=_frozen(
                        self.code.items_of(module, values.get("_attr_event_types"))
                    ),
                )
            )

    def _flow_of(self, module: Module, node: ast.AST) -> Flow:
        owner = module.class_of(node)
        bases = self.code.bases(module, owner) | {owner.name} if owner else set()
        if owner and any("Repair" in base for base in bases):
            return self.repairs.setdefault(owner.name, Flow())
        if owner and any("Subentry" in base for base in bases):
            return self.subentry_flows.setdefault(owner.name, Flow())
        if any("Option" in base for base in bases):
            return self.flows["options"]
        return self.flows["config"]

    def _read_subentries(self, module: Module) -> None:
        supported = module.functions.get("async_get_supported_subentry_types")
        for node in ast.walk(supported) if supported is not None else ():
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict):
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    for kind in self._keys(module, node.lineno, key):
                        self.subentries[kind] = _target(value)

    def _read_flow(self, module: Module) -> None:
        for call in module.calls():
            flow = self._flow_of(module, call)
            name = called(call)
            if name in FORMS:
                self._read_form(module, call, flow)
                self._read_errors(module, argument(call, "errors"), flow)
            elif name in ("async_abort", "AbortFlow"):
                reason = argument(call, "reason", 0)
                flow.aborts.append(self._reason(module, call, reason))
            elif name in DEFAULT_REASONS:
                keyword, default = DEFAULT_REASONS[name]
                reason = argument(call, keyword) or ast.Constant(default)
                flow.aborts.append(self._reason(module, call, reason))
            elif name in ("async_update_reload_and_abort", "async_update_and_abort"):
                given = argument(call, "reason")
                if given is not None:
                    flow.aborts.append(self._reason(module, call, given))
        for node in module.nodes:
            match node:
                case (
                    ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))], value=value)
                    | ast.Assign(targets=[ast.Name(id="errors")], value=ast.Dict() as value)
                ):
                    flow = self._flow_of(module, node)
                    if isinstance(value, ast.Dict):
                        self._read_errors(module, value, flow)
                    else:
                        keys = self._keys(module, node.lineno, value)
                        flow.errors.append(Use(module, node.lineno, keys))
                case ast.Dict(keys=[ast.Constant(value="base")]):
                    self._read_errors(module, node, self._flow_of(module, node))

    def _read_errors(self, module: Module, node: ast.expr | None, flow: Flow) -> None:
        if isinstance(node, ast.Dict):
            for value in node.values:
                keys = self._keys(module, value.lineno, value)
                flow.errors.append(Use(module, value.lineno, keys))

    def _reason(self, module: Module, call: ast.Call, node: ast.expr | None) -> Use:
        return Use(module, call.lineno, self._keys(module, call.lineno, node))

    def _read_form(self, module: Module, call: ast.Call, flow: Flow) -> None:
        steps = self._keys(module, call.lineno, argument(call, "step_id"))
        given = argument(call, "description_placeholders")
        placeholders = literal_keys(given) if given is not None else set()
        for step in sorted(steps):
            flow.forms.append(
                Form(
                    module,
                    call.lineno,
                    step,
                    self.fields(module, argument(call, "data_schema")),
                    self.code.items_of(module, argument(call, "menu_options")),
                    placeholders,
                )
            )

    def fields(self, module: Module, node: ast.expr | None, depth: int = 0) -> set[str] | None:
        """Name the fields of a form as far as its schema can be followed."""
        if node is None:
            return set()
        found: set[str] = set()
        known = False
        for other, item in self._reached(module, node, depth):
            if isinstance(item, ast.Call) and called(item) in ("Required", "Optional"):
                keys = self._field(other, item)
                if keys is None:
                    return None
                found |= keys
                known = True
        return found if known else None

    def _reached(
        self, module: Module, node: ast.AST, depth: int
    ) -> Iterator[tuple[Module, ast.AST]]:
        for item in ast.walk(node):
            yield module, item
            if depth > 5:
                continue
            if isinstance(item, ast.Name) and item.id in module.functions:
                yield from self._reached(module, module.functions[item.id], depth + 1)
            elif isinstance(item, ast.Attribute) and item.attr in module.functions:
                yield from self._reached(module, module.functions[item.attr], depth + 1)
            elif isinstance(item, ast.Name) and isinstance(item.ctx, ast.Load):
                for other, source in self.code.sources(module, item, called_with=False):
                    yield from self._reached(other, source, depth + 1)

    def _field(self, module: Module, call: ast.Call) -> set[str] | None:
        name = argument(call, "schema", 0)
        if isinstance(name, ast.Call) and called(name) == "Secret":
            name = argument(name, "schema", 0)
        return self.code.strings_of(module, name)

    def schema_fields(self, module: Module | None) -> set[str]:
        """Name all fields that any schema of a module has."""
        if module is None:
            return set()
        return {
            key
            for call in module.calls()
            if called(call) in ("Required", "Optional")
            for key in self._field(module, call) or ()
        }


def _target(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _frozen(strings: set[str] | None) -> frozenset[str] | None:
    return None if strings is None else frozenset(strings)
