"""The quality scale file: every rule, honestly."""

from pathlib import Path

from .problems import Document, Problem

RULES = [
    "action-setup",
    "appropriate-polling",
    "brands",
    "common-modules",
    "config-flow",
    "config-flow-test-coverage",
    "dependency-transparency",
    "docs-actions",
    "docs-conditions",
    "docs-high-level-description",
    "docs-installation-instructions",
    "docs-removal-instructions",
    "docs-triggers",
    "entity-event-setup",
    "entity-unique-id",
    "has-entity-name",
    "runtime-data",
    "test-before-configure",
    "test-before-setup",
    "unique-config-entry",
    "action-exceptions",
    "config-entry-unloading",
    "docs-configuration-parameters",
    "docs-installation-parameters",
    "entity-unavailable",
    "integration-owner",
    "log-when-unavailable",
    "parallel-updates",
    "reauthentication-flow",
    "test-coverage",
    "devices",
    "diagnostics",
    "discovery",
    "discovery-update-info",
    "docs-data-update",
    "docs-examples",
    "docs-known-limitations",
    "docs-supported-devices",
    "docs-supported-functions",
    "docs-troubleshooting",
    "docs-use-cases",
    "dynamic-devices",
    "entity-category",
    "entity-device-class",
    "entity-disabled-by-default",
    "entity-translations",
    "exception-translations",
    "icon-translations",
    "reconfiguration-flow",
    "repair-issues",
    "stale-devices",
    "async-dependency",
    "inject-websession",
    "strict-typing",
]

DISCOVERY = ("discovery", "discovery-update-info")
DISCOVERING = ("bluetooth", "dhcp", "homekit", "mqtt", "ssdp", "usb", "zeroconf")
"""Keys of the manifest by which things in the network are found."""
DESCRIBED = {
    "docs-actions": "services.yaml",
    "docs-conditions": "conditions.yaml",
    "docs-triggers": "triggers.yaml",
}
"""Rules about what an integration has if it has the file."""


def check(root: Path, folder: str) -> list[Problem]:
    """Name the rules that are missing, unknown, or without an honest answer."""
    scale = Document(root, f"{folder}/quality_scale.yaml")
    if scale.problems and not scale.data:
        return scale.problems
    rules = scale.mapping("rules")
    manifest = Document(root, f"{folder}/manifest.json")
    ways = [way for way in DISCOVERING if manifest.at(way)]
    for rule in RULES:
        if rule not in rules:
            scale.problem(("rules",), f"{rule} is missing; say done, todo or exempt")
    for rule, answer in rules.items():
        path = ("rules", rule)
        if rule not in RULES:
            scale.problem(path, f"Home Assistant has no rule {rule}; remove it")
        status = answer.get("status") if isinstance(answer, dict) else answer
        comment = answer.get("comment") if isinstance(answer, dict) else None
        if status not in ("done", "todo", "exempt"):
            scale.problem(path, f'{rule} must be done, todo or exempt, not "{status}"')
        if status == "exempt" and not comment:
            scale.problem(path, f"{rule} is exempt; say why in a comment")
        if status == "exempt" and rule in DISCOVERY and ways:
            scale.problem(path, f"the manifest discovers by {', '.join(ways)}: no exemption")
        if status == "exempt" and (root / folder / DESCRIBED.get(rule, "-")).is_file():
            scale.problem(path, f"{DESCRIBED[rule]} is there: no exemption")
    return scale.problems
