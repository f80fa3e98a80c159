"""Services answer what no service should: it is bounded, harms nothing, and is said once."""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.stories.robustness.home import ENDS, KINDS, RobustHome

type Rewrite = Callable[[str, Any], Any]


def every(change: Callable[[Any], Any]) -> Rewrite:
    """Change every value of a document, from the inside."""

    def rewrite(_: str, document: Any) -> Any:
        def walk(value: Any) -> Any:
            if isinstance(value, dict):
                value = {key: walk(one) for key, one in value.items()}
            elif isinstance(value, list):
                value = [walk(one) for one in value]
            return change(value)

        return walk(document)

    return rewrite


def number(instead: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Change numbers only."""

    def change(value: Any) -> Any:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return instead(value) if plain else value

    return change


def swapped(value: Any) -> Any:
    """Make lists of objects, and of lists objects."""
    if isinstance(value, list):
        return {str(place): one for place, one in enumerate(value)}
    return [value] if isinstance(value, dict) else value


def endless(_: str, document: Any) -> Any:
    """Have every list go on and on: each page is full, and one more is promised."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(one) for key, one in value.items()}
        if isinstance(value, list):
            return [walk(one) for one in value] * 300
        return value

    def promise(value: Any) -> Any:
        if isinstance(value, dict):
            totals = {"totalSize", "TotalRecordCount", "totalRecords", "recordsFiltered", "results"}
            return {
                key: 10**6 if key in totals and isinstance(one, int) else promise(one)
                for key, one in value.items()
            }
        return value

    document = promise(document)
    if isinstance(document, list):
        return document * 300
    for holder in (document, *(one for one in document.values() if isinstance(one, dict))):
        for key, one in list(holder.items()):
            if isinstance(one, list):
                holder[key] = one * 300
    return document


REWRITES: dict[str, Rewrite] = {
    "numbers are objects": every(number(lambda value: {"value": value})),
    "numbers are negative": every(number(lambda value: -abs(value) - 1)),
    "numbers are huge": every(number(lambda _: 2**80)),
    "numbers are endless": every(number(lambda _: math.inf)),
    "numbers are none": every(number(lambda _: math.nan)),
    "texts are numbers": every(lambda value: 7 if isinstance(value, str) else value),
    "texts are broken": every(
        lambda value: "\ud800\x00\u202e" * 3000 if isinstance(value, str) else value
    ),
    "nothing is known": every(
        lambda value: value if isinstance(value, dict | list) else None,
    ),
    "lists are objects": every(swapped),
    "lists are full of rubbish": every(
        lambda value: [None, 1, "x", [], {}, *value] if isinstance(value, list) else value
    ),
    "lists have no end": endless,
}
BODIES: dict[str, str | bytes] = {
    "deep": "[" * 200_000,
    "deep and whole": "[" * 100_000 + "]" * 100_000,
    "ten megabytes": json.dumps({"of": [{"id": one, "title": "x" * 200} for one in range(45_000)]}),
    "another encoding": '{"name": "Blätter"}'.encode("latin-1"),
    "sixteen bits": '{"name": "Blätter"}'.encode("utf-16"),
    "a picture": bytes(range(256)) * 40,
    "a number": "7",
    "nothing": "null",
    "a huge number": "9" * 5000,
}


async def suffer(home: RobustHome) -> None:
    """Read everything that is ever read while the service answers so."""
    await home.poll()
    async with asyncio.timeout(20):
        await home.media.house.runtime.coordinators[home.entry_id].async_sync()
    await home.poll()
    await home.poll(home.neighbour)


async def harmless(home: RobustHome) -> None:
    """See that nothing came of it, and that all goes on."""
    lines = home.lines()
    assert len(lines) <= 1, lines
    assert not [line for line in lines if line.startswith(("Fault", "Unexpected"))]
    json.dumps(home.cursor(), allow_nan=False)
    neighbour = home.media.house.runtime.records[f"{home.neighbour}_entry"]
    assert neighbour.last_status == "ok"
    # What a service left unsaid by it is read when it is well again.
    home.double.behave()
    await home.poll()
    await home.answered()
    assert await home.shown_status() == "ok"
    assert home.reauthentications() == 0
    await home.story()
    await home.poll()
    await home.answered()
    assert await home.unprocessed() == []
    stages = home.media.stages()
    assert set(stages.values()) == {ENDS.get(home.kind, "available")}
    for told in home.media.told().values():
        assert len(told) == len(set(told))


@pytest.mark.parametrize("name", REWRITES)
@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_with_odd_values_harms_nothing(home: RobustHome, name: str) -> None:
    await home.move_in()
    before = home.media.stages()

    home.double.misbehave("rewrite", rewrite=REWRITES[name])
    await suffer(home)

    assert home.media.stages() == before
    await harmless(home)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_that_is_something_else_is_none(home: RobustHome, name: str) -> None:
    await home.move_in()
    before, cursor = home.media.stages(), home.cursor()

    home.double.misbehave("body", body=BODIES[name])
    await suffer(home)

    assert home.media.stages() == before
    assert home.cursor() == cursor
    assert await home.shown_status() == "bad_answer"
    await harmless(home)
