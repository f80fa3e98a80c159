"""What samples come to, and how figures are shown."""

import json
from collections import deque

import pytest

from benchmarks.figures import Figure, median, percentile, table

GOOD = Figure(what="a poll", reached="2 requests", target="at most 2", met=True)
BAD = Figure(
    what="memory per live film",
    reached="4.7 kB",
    target="under 3 kB",
    met=False,
    values={"films": 10_000},
)


def test_percentile_is_a_sample_that_so_many_do_not_exceed() -> None:
    samples = [float(number) for number in range(1, 101)]

    assert percentile(samples, 99) == 99.0
    assert percentile(samples, 100) == 100.0
    assert percentile(samples, 0) == 1.0
    assert percentile(deque([7.0]), 99) == 7.0


def test_percentile_does_not_depend_on_the_order() -> None:
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], 80) == 4.0
    assert median([5.0, 1.0, 4.0, 2.0, 3.0]) == 3.0


def test_no_samples_are_an_error() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_table_says_what_was_missed() -> None:
    lines = table([GOOD, BAD]).splitlines()

    assert lines[0].split() == ["|", "What", "|", "Reached", "|", "To", "reach", "|", "Met", "|"]
    assert set(lines[1]) == {"|", "-"}
    assert lines[2].endswith("| at most 2  | yes |")
    assert lines[3].endswith("| 4.7 kB     | under 3 kB | NO  |")
    assert len({len(line) for line in lines}) == 1


def test_document_is_json() -> None:
    assert json.loads(json.dumps(BAD.document())) == {
        "what": "memory per live film",
        "reached": "4.7 kB",
        "target": "under 3 kB",
        "met": False,
        "values": {"films": 10_000},
    }
