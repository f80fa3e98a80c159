"""Texts against code: each text that is needed exists, none is left over, all are sound."""

import re
from collections.abc import Iterable

from .facts import Facts, Flow, Form, Use
from .problems import Document, Keys, Problem

SECTIONS = {
    "common",
    "conditions",
    "config",
    "config_subentries",
    "device",
    "entity",
    "entity_component",
    "exceptions",
    "issues",
    "options",
    "selector",
    "services",
    "system_health",
    "title",
    "triggers",
}
PLACEHOLDER = re.compile(r"{([^{}]*)}")
# Not in code: Home Assistant starts a flow with them or gives them by itself.
GIVEN_PLACEHOLDERS = {"name"}


def check(texts: Document, facts: Facts) -> list[Problem]:
    """Name all that does not agree."""
    checker = Checker(texts, facts)
    checker.untold()
    checker.soundness()
    checker.entities()
    checker.keyed("exceptions", facts.exceptions, {"message"})
    checker.keyed("device", facts.devices, {"name"})
    checker.selectors()
    checker.issues()
    for section in ("config", "options"):
        checker.flow((section,), facts.flows[section])
    checker.subentries()
    checker.system_health()
    return texts.problems + checker.problems


class Checker:
    """Collects what does not agree between the texts and the code."""

    def __init__(self, texts: Document, facts: Facts) -> None:
        """Start with no problems."""
        self.texts = texts
        self.facts = facts
        self.strings = facts.code.strings
        self.problems: list[Problem] = []

    def missing(self, use: Use | Form, path: Keys, why: str) -> None:
        """Name a text that the code needs."""
        self.problems.append(
            Problem(use.module.file, use.line, f"{why}; add {'.'.join(path)} to {self.texts.name}")
        )

    def unused(self, path: Keys) -> None:
        """Name a text that nothing needs."""
        self.texts.problem(path, f"{'.'.join(path)} is used nowhere; remove it, or use it")

    def untold(self) -> None:
        """For each place that needs a text, the code says which."""
        for module, line in self.facts.untold:
            self.problems.append(
                Problem(
                    module.file,
                    line,
                    "which text this needs cannot be told; write its key, or say what may hold it"
                    " by an annotation, an except clause or a class's own key",
                )
            )

    def soundness(self) -> None:
        """Each text is one that Home Assistant accepts."""
        for section in self.texts.data:
            if section not in SECTIONS:
                self.texts.problem((section,), f'Home Assistant knows no section "{section}"')
        for path, text in self.texts.texts():
            for wrong, remedy in faults(text):
                self.texts.problem(path, f"{'.'.join(path)} {wrong}; {remedy}")

    def entities(self) -> None:
        """Each entity has a name and names for its states."""
        needed: set[Keys] = set()
        for entity in self.facts.entities:
            path = ("entity", entity.platform, entity.key)
            needed.add(path)
            use = Use(entity.module, entity.line, frozenset({entity.key}))
            has_name = isinstance(self.texts.at(*path, "name"), str)
            if not has_name and entity.named and not entity.classed:
                self.missing(use, (*path, "name"), f'the entity "{entity.key}" has no name')
            for below, wanted in (
                (("state",), entity.states),
                (("state_attributes", "event_type", "state"), entity.event_types),
            ):
                if wanted is None:
                    continue
                for state in sorted(wanted - self.texts.mapping(*path, *below).keys()):
                    where = (*path, *below, state)
                    self.missing(use, where, f'the state "{state}" has no text')
                for state in sorted(self.texts.mapping(*path, *below).keys() - wanted):
                    self.unused((*path, *below, state))
        for platform, keys in self.texts.mapping("entity").items():
            for key in keys:
                if ("entity", platform, key) not in needed:
                    self.unused(("entity", platform, key))

    def keyed(self, section: str, uses: list[Use], parts: set[str]) -> None:
        """Each key that is used has its texts, and each text is used."""
        for use in uses:
            texts: set[str] = set()
            for key in sorted(use.keys):
                for part in sorted(parts):
                    path = (section, key, part)
                    text = self.texts.at(*path)
                    if not isinstance(text, str):
                        self.missing(use, path, f'"{key}" has no text')
                    else:
                        self.not_given(use, path, {text}, use.placeholders)
                        texts.add(text)
            if texts:
                self.given_for_nothing(use, (section, *use.keys), texts)
        self.leftovers((section,), uses)

    def leftovers(self, path: Keys, uses: list[Use]) -> None:
        """Name the keys of a section that nothing needs."""
        for key in self.texts.mapping(*path).keys() - _keys(uses):
            self.unused((*path, key))

    def not_given(
        self, use: Use | Form, path: Keys, texts: Iterable[str], given: Iterable[str] | None
    ) -> None:
        """The code gives the placeholders that the texts have."""
        if given is None:
            return
        for name in sorted(_placeholders(texts) - set(given)):
            self.texts.problem(
                path,
                f"{'.'.join(path)} has {{{name}}}; {use.module.file}:{use.line} does not give it",
            )

    def given_for_nothing(self, use: Use, path: Keys, texts: Iterable[str]) -> None:
        """One of the texts has each placeholder that the code gives."""
        for name in sorted((use.placeholders or set()) - _placeholders(texts)):
            self.problems.append(
                Problem(
                    use.module.file,
                    use.line,
                    f'the placeholder "{name}" is not in {".".join(path)};'
                    " use it, or give it no more",
                )
            )

    def selectors(self) -> None:
        """The selectors of the flows have their options; those of actions are seen to there."""
        for use in self.facts.selectors:
            for key in sorted(use.keys):
                if not self.texts.mapping("selector", key, "options"):
                    self.missing(use, ("selector", key, "options"), f'"{key}" has no texts')

    def issues(self) -> None:
        """Each issue has a title and a description, or a fix flow with its steps."""
        for use in self.facts.issues:
            for key in sorted(use.keys):
                path = ("issues", key)
                if not isinstance(self.texts.at(*path, "title"), str):
                    self.missing(use, (*path, "title"), f'the issue "{key}" has no title')
                    continue
                has_flow = bool(self.texts.mapping(*path, "fix_flow"))
                has_text = isinstance(self.texts.at(*path, "description"), str)
                if use.fixable is True and not has_flow:
                    self.missing(use, (*path, "fix_flow"), f'the issue "{key}" can be fixed')
                if use.fixable is False and not has_text:
                    self.missing(use, (*path, "description"), f'the issue "{key}" is not described')
                if has_flow and has_text:
                    self.texts.problem(
                        path, f"{'.'.join(path)} has a fix_flow and a description; one must go"
                    )
                texts = {text for where, text in self.texts.texts() if where[:2] == path}
                if has_flow:
                    # The steps have the placeholders of their forms.
                    texts = {str(self.texts.at(*path, "title"))}
                else:
                    self.given_for_nothing(use, path, texts)
                self.not_given(use, path, texts, use.placeholders)
        self.leftovers(("issues",), self.facts.issues)
        self.fix_flows()

    def fix_flows(self) -> None:
        """Each issue that can be fixed has the texts of the flow that shows its steps."""
        steps = {
            key: self.texts.mapping("issues", key, "fix_flow", "step").keys()
            for key in self.texts.mapping("issues")
        }
        known = set[str]().union(*steps.values())
        for form in (form for flow in self.facts.repairs.values() for form in flow.forms):
            if form.step not in known:
                where = ("issues", "…", "fix_flow", "step", form.step)
                self.missing(form, where, f'the step "{form.step}" has no text in any issue')
        for key, names in steps.items():
            path: Keys = ("issues", key, "fix_flow")
            shown = set[str]()
            for flow in self.facts.repairs.values():
                own = {form.step for form in flow.forms}
                if not own.isdisjoint(names):
                    shown |= own
                    self.outcomes((*path, "error"), flow.errors)
                    self.outcomes((*path, "abort"), flow.aborts)
            for step in names - shown:
                self.unused((*path, "step", step))

    def subentries(self) -> None:
        """Each kind of subentry has a name, texts for its flow, and says how that begins."""
        section = "config_subentries"
        for kind, owner in self.facts.subentries.items():
            path: Keys = (section, kind)
            flow = self.facts.subentry_flows.get(owner, Flow())
            self.flow(path, flow)
            for below in (("entry_type",), ("initiate_flow", "user")):
                if flow.forms and not isinstance(self.texts.at(*path, *below), str):
                    self.missing(flow.forms[0], (*path, *below), f'"{kind}" has no text')
        for kind in self.texts.mapping(section).keys() - self.facts.subentries.keys():
            self.unused((section, kind))

    def flow(self, section: Keys, flow: Flow) -> None:
        """Each step, field, error and abort of a flow has its text, and each text is needed."""
        steps: set[str] = set()
        for form in flow.forms:
            steps.add(form.step)
            path = (*section, "step", form.step)
            if not isinstance(self.texts.at(*path), dict):
                self.missing(form, path, f'the step "{form.step}" has no text')
                continue
            self.form(form, path)
        self.forms_left_over(section, flow, steps)
        for part, uses in (("error", flow.errors), ("abort", flow.aborts)):
            self.outcomes((*section, part), uses)

    def forms_left_over(self, section: Keys, flow: Flow, steps: set[str]) -> None:
        """No step and no field has a text that nothing needs."""
        all_fields = set[str]().union(
            *(form.fields or () for form in flow.forms),
            *(self.facts.schema_fields(form.module) for form in flow.forms),
        )
        certain = all(form.fields is not None for form in flow.forms)
        for step in self.texts.mapping(*section, "step"):
            path = (*section, "step", step)
            if step not in steps:
                self.unused(path)
            for below in self.groups(path):
                self.descriptions((*path, *below))
                for name in self.texts.mapping(*path, *below, "data"):
                    if name not in all_fields and (certain or name not in self.strings):
                        self.unused((*path, *below, "data", name))

    def outcomes(self, path: Keys, uses: list[Use]) -> None:
        """Each error or reason to abort has a text, and each text is needed."""
        for use in uses:
            for key in sorted(use.keys):
                if not isinstance(self.texts.at(*path, key), str):
                    self.missing(use, (*path, key), f'"{key}" has no text')
        self.leftovers(path, uses)

    def groups(self, path: Keys) -> list[Keys]:
        """List the places below a step that hold fields: itself and its sections."""
        return [(), *(("sections", name) for name in self.texts.mapping(*path, "sections"))]

    def form(self, form: Form, path: Keys) -> None:
        """The fields and menu options of one form have texts."""
        known: set[str] = set(self.texts.mapping(*path, "sections"))
        for below in self.groups(path):
            known |= self.texts.mapping(*path, *below, "data").keys()
        for name in sorted((form.fields or set()) - known):
            self.missing(form, (*path, "data", name), f'the field "{name}" has no text')
        if form.menu is not None:
            options = self.texts.mapping(*path, "menu_options").keys()
            for name in sorted(form.menu - options):
                self.missing(form, (*path, "menu_options", name), f'"{name}" has no text')
            for name in sorted(options - form.menu):
                self.unused((*path, "menu_options", name))
        if form.placeholders is not None:
            texts = {text for where, text in self.texts.texts() if where[: len(path)] == path}
            self.not_given(form, path, texts, form.placeholders | GIVEN_PLACEHOLDERS)

    def descriptions(self, path: Keys) -> None:
        """Each field is described, and nothing else is."""
        fields = self.texts.mapping(*path, "data").keys()
        described = self.texts.mapping(*path, "data_description").keys()
        for name in sorted(fields - described):
            where = (*path, "data", name)
            self.texts.problem(where, f"{'.'.join(path)}.data_description has no {name}; add it")
        for name in sorted(described - fields):
            self.unused((*path, "data_description", name))

    def system_health(self) -> None:
        """What system health shows has a text."""
        known = self.texts.mapping("system_health", "info").keys()
        module = self.facts.code.own("system_health")
        if module is None and known:
            self.unused(("system_health",))
        for key in sorted(known - self.strings):
            self.unused(("system_health", "info", key))


def _keys(uses: list[Use]) -> set[str]:
    return {key for use in uses for key in use.keys}


def _placeholders(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in PLACEHOLDER.findall(text)}


def faults(text: str) -> list[tuple[str, str]]:
    """Say what Home Assistant does not accept in a text, with the remedy."""
    found = []
    if not text:
        found.append(("is empty", "write it or remove it"))
    if text != text.strip():
        found.append(("begins or ends with a space", "remove it"))
    if re.search(r"https?://|www\.", text):
        found.append(("has an address in it", "give it as a placeholder"))
    if re.search(r"</?[a-zA-Z][^>]*>", text):
        found.append(("has HTML in it", "use Markdown"))
    if re.search(r"'{[^{}]*}'", text):
        found.append(("has a placeholder in single quotes", "use double quotes or none"))
    if "[%key:" in text:
        found.append(
            ("refers to another text", "write it out: only the core's build resolves this")
        )
    found.extend(
        (f"has the placeholder {{{name}}}", "a placeholder must be an identifier")
        for name in PLACEHOLDER.findall(text)
        if not name.isidentifier()
    )
    return found
