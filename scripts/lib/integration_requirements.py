"""Prints what Home Assistant's own integrations require, one requirement a line.

The integrations are those of the list named on the command line, those that the manifest
named next depends on, and those that Home Assistant always starts, with all that they
depend on themselves. What a bare machine cannot install is not printed: an empty stand-in
is installed for it.
"""

import ast
import importlib.util
import json
import sys
import sysconfig
from pathlib import Path
from typing import Any

# Packages that need a compiler, or a library that few machines have, with the name of their
# module and what Home Assistant imports from it. They clean up the sound of microphones and
# shrink the pictures of cameras: every Home Assistant loads them, ours never uses them.
STAND_INS = {
    "pymicro-vad": ("pymicro_vad", "MicroVad"),
    "pyspeex-noise": ("pyspeex_noise", "AudioProcessor"),
    "PyTurboJPEG": ("turbojpeg", "TurboJPEG"),
}


def package_folder() -> Path:
    """Find the installed Home Assistant without importing it, which takes seconds."""
    spec = importlib.util.find_spec("homeassistant")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("Home Assistant is not installed in this environment.")
    return Path(next(iter(spec.submodule_search_locations)))


def strings_in(file: Path, name: str) -> set[str]:
    """Collect the string literals in the definition of a top-level name."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)]) | ast.ClassDef(name=found) if (
                found == name
            ):
                values = [item.value for item in ast.walk(node) if isinstance(item, ast.Assign)]
                constants = [
                    item.value
                    for value in values
                    for item in ast.walk(value)
                    if isinstance(item, ast.Constant)
                ]
                return {item for item in constants if isinstance(item, str)}
    sys.exit(f"{file} defines {name} no more: {Path(__file__).name} must be brought up to date.")


def always_started(package: Path) -> set[str]:
    """Read which integrations the bootstrap sets up without being asked to."""
    platforms = strings_in(package / "generated" / "entity_platforms.py", "EntityPlatforms")
    return platforms | strings_in(package / "bootstrap.py", "DEFAULT_INTEGRATIONS")


def manifest(package: Path, domain: str) -> dict[str, Any]:
    """Read one integration's manifest."""
    file = package / "components" / domain / "manifest.json"
    if not file.is_file():
        sys.exit(f"Home Assistant has no integration {domain}.")
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def requirements(package: Path, domains: set[str]) -> set[str]:
    """Collect what the integrations and all that they depend on require.

    Home Assistant also installs for `after_dependencies`, whether they are used or not.
    """
    found: set[str] = set()
    seen: set[str] = set()
    waiting = sorted(domains)
    while waiting:
        domain = waiting.pop()
        if domain in seen:
            continue
        seen.add(domain)
        content = manifest(package, domain)
        found.update(content.get("requirements", ()))
        waiting.extend(content.get("dependencies", ()))
        waiting.extend(content.get("after_dependencies", ()))
    return found


def for_logging_in(package: Path) -> set[str]:
    """Read what the second factor that every Home Assistant offers requires."""
    return strings_in(package / "auth" / "mfa_modules" / "totp.py", "REQUIREMENTS")


def listed(file: Path) -> set[str]:
    """Read a list of integrations: one a line, comments after a hash."""
    lines = (
        line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()
    )
    return {line for line in lines if line}


def needed_by(file: Path) -> set[str]:
    """Read which integrations a manifest names, if it is there."""
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {*content.get("dependencies", ()), *content.get("after_dependencies", ())}


def make_stand_in(requirement: str) -> None:
    """Put an empty package in the place of a real one.

    It looks installed, so Home Assistant does not try to install it at every start.
    """
    name, _, version = requirement.partition("==")
    module, imported = STAND_INS[name]
    packages = Path(sysconfig.get_path("purelib"))
    content = f'"""An empty stand-in."""\n\n\nclass {imported}:\n    """Does nothing."""\n'
    (packages / f"{module}.py").write_text(content, encoding="utf-8")
    information = packages / f"{name.lower().replace('-', '_')}-{version}.dist-info"
    information.mkdir(exist_ok=True)
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "INSTALLER": "media-arrivals\n",
        "RECORD": f"{module}.py,,\n"
        + "".join(f"{information.name}/{file},,\n" for file in ("METADATA", "INSTALLER", "RECORD")),
    }
    for file, text in files.items():
        (information / file).write_text(text, encoding="utf-8")


def main() -> None:
    """Print the requirements for the list and the manifest named on the command line."""
    package = package_folder()
    domains = listed(Path(sys.argv[1])) | always_started(package) | needed_by(Path(sys.argv[2]))
    for requirement in sorted(requirements(package, domains) | for_logging_in(package)):
        if requirement.partition("==")[0] in STAND_INS:
            make_stand_in(requirement)
        else:
            print(requirement)


if __name__ == "__main__":
    main()
