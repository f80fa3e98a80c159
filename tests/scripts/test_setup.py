"""The set-up: what it reads, what it says, and that it does nothing twice."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from scripts.checks.coverage import shortcomings
from scripts.lib.integration_requirements import (
    always_started,
    for_logging_in,
    listed,
    needed_by,
    package_folder,
    requirements,
)

ROOT = Path(__file__).parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_does_nothing_when_nothing_is_to_be_done() -> None:
    run("scripts/setup")
    started = time.monotonic()
    result = run("scripts/setup")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "set-up: Home Assistant 2026.10.4 is ready in .venv\n"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--everything"], 'does not know "--everything"'),
        (["--home-assistant"], "--home-assistant needs a version"),
        (["--home-assistant", "newest"], '"newest" is no version of Home Assistant'),
    ],
)
def test_it_says_what_it_does_not_understand(arguments: list[str], said: str) -> None:
    result = run("scripts/setup", *arguments)
    assert result.returncode == 1
    assert said in result.stderr


def test_it_explains_itself() -> None:
    result = run("scripts/setup", "--help")
    assert result.returncode == 0
    assert "scripts/setup --home-assistant 2026.11.0" in result.stdout


def test_the_helper_tells_where_the_environment_is() -> None:
    script = 'source scripts/lib/environment.sh; use_environment ""; echo "$PYTHON"; which ruff'
    result = run("bash", "-euc", script)
    assert result.stdout == f"{ROOT}/.venv/bin/python\n{ROOT}/.venv/bin/ruff\n"


def test_requirements_follow_both_kinds_of_dependencies(tmp_path: Path) -> None:
    for domain, manifest in {
        "one": {"requirements": ["a==1"], "dependencies": ["two"]},
        "two": {"requirements": ["b==2"], "after_dependencies": ["one", "three"]},
        "three": {"requirements": ["c==3"]},
        "four": {"requirements": ["d==4"]},
    }.items():
        file = tmp_path / "components" / domain / "manifest.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(manifest))
    assert requirements(tmp_path, {"one"}) == {"a==1", "b==2", "c==3"}
    with pytest.raises(SystemExit, match="no integration five"):
        requirements(tmp_path, {"five"})


def test_lists_of_integrations(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("# why\nradio\n\nclock  # for the time\n")
    assert listed(file) == {"radio", "clock"}
    file.write_text('{"dependencies": ["http"], "after_dependencies": ["cloud"]}')
    assert needed_by(file) == {"http", "cloud"}
    assert needed_by(tmp_path / "none.json") == set()


def test_what_home_assistant_always_starts_is_read_from_it() -> None:
    assert {"frontend", "backup", "sensor", "tts"} <= always_started(package_folder())


def test_coverage_names_each_module_that_is_covered_too_little() -> None:
    def file(percent: float, *missing: int) -> dict[str, object]:
        return {"summary": {"percent_covered": percent}, "missing_lines": list(missing)}

    folder = "custom_components/media_arrivals"
    report = {
        "files": {
            f"{folder}/config_flow.py": file(99.9, 7),
            f"{folder}/engine/board/board.py": file(100),
            f"{folder}/engine/board/models.py": file(99),
            f"{folder}/sensor.py": file(95, 1, 2),
            f"{folder}/event.py": file(95.1),
        }
    }
    assert shortcomings(report) == [
        f"{folder}/config_flow.py: 99.9 % covered, all wanted; missing: 7",
        f"{folder}/engine/board/models.py: 99.0 % covered, all wanted; missing: branches only",
        f"{folder}/sensor.py: 95.0 % covered, over 95 % wanted; missing: 1, 2",
    ]


def test_what_logging_in_requires_is_installed_beforehand() -> None:
    required = for_logging_in(package_folder())
    assert {one.partition("==")[0] for one in required} == {"pyotp", "PyQRCode"}
