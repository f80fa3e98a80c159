"""The manifest, and what must agree with it: code, versions, hacs.json."""

import ast
import re
import tomllib
from pathlib import Path

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy

from .code import Code
from .problems import Document, Problem

REQUIRED = {
    "codeowners",
    "config_flow",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "name",
    "version",
}
# Those that Home Assistant 2026.10 knows; its checks refuse others.
KNOWN = REQUIRED | {
    "after_dependencies",
    "bluetooth",
    "dependencies",
    "dhcp",
    "disabled",
    "homekit",
    "import_executor",
    "loggers",
    "mqtt",
    "preview_features",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "ssdp",
    "usb",
    "zeroconf",
}
INTEGRATION_TYPES = {"device", "entity", "hardware", "helper", "hub", "service", "system"}
IOT_CLASSES = {
    "assumed_state",
    "calculated",
    "cloud_polling",
    "cloud_push",
    "local_polling",
    "local_push",
}
VERSIONS = [
    AwesomeVersionStrategy.CALVER,
    AwesomeVersionStrategy.SEMVER,
    AwesomeVersionStrategy.SIMPLEVER,
    AwesomeVersionStrategy.BUILDVER,
    AwesomeVersionStrategy.PEP440,
]
# These may be imported without being named as dependencies.
FREE_IMPORTS = {
    "automation",
    "conversation",
    "frontend",
    "persistent_notification",
    "system_health",
    "webhook",
    "websocket_api",
}


def check(root: Path, folder: str, code: Code) -> list[Problem]:
    """Name all that is wrong with it."""
    manifest = Document(root, f"{folder}/manifest.json")
    if manifest.problems and not manifest.data:
        return manifest.problems
    _keys(manifest)
    _values(manifest, Path(folder).name)
    return [*manifest.problems, *_code(manifest, code), *_others(root, manifest)]


def _keys(manifest: Document) -> None:
    keys = list(manifest.data)
    wanted = ["domain", "name", *sorted(key for key in keys if key not in ("domain", "name"))]
    for found, expected in zip(keys, wanted, strict=False):
        if found != expected:
            text = f'"{expected}" should stand here: domain, name, then by alphabet'
            manifest.problem((found,), text)
            break
    for key in sorted(REQUIRED - set(keys)):
        manifest.problem((), f'"{key}" is missing; add it')
    for key in keys:
        if key not in KNOWN:
            manifest.problem((key,), f'Home Assistant knows no key "{key}"; remove it')


def _values(manifest: Document, domain: str) -> None:
    data = manifest.data
    if data.get("domain") != domain:
        manifest.problem(("domain",), f'the domain must be "{domain}", as the folder')
    if data.get("requirements"):
        manifest.problem(("requirements",), "we need nothing that Home Assistant has not")
    if data.get("integration_type") not in INTEGRATION_TYPES:
        manifest.problem(("integration_type",), f"must be one of {sorted(INTEGRATION_TYPES)}")
    if data.get("iot_class") not in IOT_CLASSES:
        manifest.problem(("iot_class",), f"must be one of {sorted(IOT_CLASSES)}")
    for key in ("documentation", "issue_tracker"):
        address = str(data.get(key, ""))
        if not address.startswith("https://") or "home-assistant.io" in address:
            manifest.problem((key,), "must be an https address of ours")
    owners = data.get("codeowners")
    if not owners or not all(str(owner).startswith("@") for owner in owners):
        manifest.problem(("codeowners",), "must name a code owner with an @")
    try:
        AwesomeVersion(str(data.get("version", "")), ensure_strategy=VERSIONS)
    except Exception:  # noqa: BLE001 - whatever it does not like about it
        manifest.problem(("version",), f'"{data.get("version")}" is no version')


def _code(manifest: Document, code: Code) -> list[Problem]:
    problems = []
    setup = code.own("__init__") or code.modules.get(code.package)
    if (
        setup is not None
        and "async_setup" in setup.functions
        and "CONFIG_SCHEMA" not in setup.constants
    ):
        line = setup.functions["async_setup"].lineno
        text = "async_setup needs a CONFIG_SCHEMA: cv.config_entry_only_config_schema(DOMAIN)"
        problems.append(Problem(setup.file, line, text))
    if manifest.data.get("config_flow") and code.own("config_flow") is None:
        manifest.problem(("config_flow",), "there is no config_flow.py")
    named = {
        *manifest.data.get("dependencies", ()),
        *manifest.data.get("after_dependencies", ()),
        *FREE_IMPORTS,
    }
    for module in code.home_assistant_layer:
        for node in module.nodes:
            for component in _components(node):
                if (
                    component in named
                    or _is_entity_platform(component)
                    or code.own(component)
                    or _type_checking(module.above(node))
                ):
                    continue
                text = f'"{component}" is imported; add it to (after_)dependencies of the manifest'
                problems.append(Problem(module.file, getattr(node, "lineno", 1), text))
    return problems


def _components(node: ast.AST) -> list[str]:
    prefix = "homeassistant.components"
    match node:
        case ast.ImportFrom(module=str() as module, level=0) if module == prefix:
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str() as module, level=0) if module.startswith(f"{prefix}."):
            return [module.split(".")[2]]
        case ast.Import(names=names):
            return [a.name.split(".")[2] for a in names if a.name.startswith(f"{prefix}.")]
    return []


def _is_entity_platform(component: str) -> bool:
    from homeassistant.const import Platform  # noqa: PLC0415 - takes time, rarely needed

    return component in set(Platform)


def _type_checking(above: object) -> bool:
    return any(
        isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for node in above  # type: ignore[attr-defined]
    )


def _others(root: Path, manifest: Document) -> list[Problem]:
    problems: list[Problem] = []
    version = manifest.data.get("version")
    project = root / "pyproject.toml"
    if project.is_file():
        text = project.read_text(encoding="utf-8")
        if tomllib.loads(text).get("project", {}).get("version") != version:
            line = _line(text, "version = ")
            problems.append(Problem(Path("pyproject.toml"), line, f"the manifest says {version}"))
    hacs = Document(root, "hacs.json")
    problems += hacs.problems
    if hacs.data:
        if hacs.data.get("name") != manifest.data.get("name"):
            problems.append(
                Problem(hacs.name, hacs.line(("name",)), "the manifest has another name")
            )
        pins = root / "scripts/lib/environment.sh"
        found = (
            re.search(r"TESTED_HOME_ASSISTANT=(\S+)", pins.read_text()) if pins.is_file() else None
        )
        if found and hacs.data.get("homeassistant") != found[1]:
            text = f"the tests run on {found[1]}: that is the oldest that can be promised"
            problems.append(Problem(hacs.name, hacs.line(("homeassistant",)), text))
    return problems


def _line(text: str, wanted: str) -> int:
    lines = text.splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.startswith(wanted)), 1)
