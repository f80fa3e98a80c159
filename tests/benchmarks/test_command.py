"""What the command understands, and that the engine is measured alone."""

import subprocess
import sys

import pytest

from benchmarks.__main__ import MEASUREMENTS, arguments
from benchmarks.door import longest
from benchmarks.engine import ROOT


def test_all_is_measured_unless_something_is_chosen() -> None:
    assert arguments([]).names == []
    assert arguments(["door", "start", "--json"]).names == ["door", "start"]


@pytest.mark.parametrize("given", [["windows"], ["--kills", "0"], ["--kills", "many"]])
def test_what_is_not_known_is_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(given)
    assert ended.value.code == 2


def test_every_measurement_can_be_loaded_without_home_assistant() -> None:
    code = (
        "import importlib, sys\n"
        "from benchmarks.__main__ import MEASUREMENTS\n"
        "from benchmarks.engine import do_without_home_assistant\n"
        "do_without_home_assistant()\n"
        "for name in MEASUREMENTS:\n"
        "    assert importlib.import_module(f'benchmarks.{name}').measure\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'homeassistant'])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
    assert len(MEASUREMENTS) == 9


def test_longest_pause_comes_with_what_was_computed_in_it() -> None:
    pauses = [
        {"seconds": 0.007, "at": 1.0, "loop_cpu": 0.006, "process_cpu": 0.006, "gc": 0.0},
        {"seconds": 0.025, "at": 1.5, "loop_cpu": 0.02, "process_cpu": 0.042, "gc": 0.02},
        {"seconds": 0.0312, "at": 2.0, "loop_cpu": 0.03, "process_cpu": 0.031, "gc": 0.029},
    ]

    assert longest({"beats": 900, "pauses": pauses, "full_collections": 1}) == {
        "longest_ms": 31.2,
        "longest_loop_cpu_ms": 30.0,
        "longest_process_cpu_ms": 31.0,
        "longest_gc_ms": 29.0,
        "most_computed_ms": 42.0,
        "full_collections": 1,
        "else_ms": 7.0,
    }


def test_a_heart_that_did_not_beat_measured_nothing() -> None:
    with pytest.raises(RuntimeError, match="not watched"):
        longest({"beats": 0, "pauses": [], "full_collections": 0})
