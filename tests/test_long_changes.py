"""Services that come and go on a full board: others have their turn, and a crash is no matter."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.media_arrivals.const import DOMAIN, EVENT_STAGE_CHANGED
from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Applied,
    Decision,
    ExternalIds,
    Stage,
    TitleRef,
)
from custom_components.media_arrivals.engine.storage.models import (
    Commit,
    DatabaseUnavailableError,
)
from custom_components.media_arrivals.runtime import BOARD_KEY, BoardRuntime, service_of
from custom_components.media_arrivals.screening import DOCUMENT
from tests.engine.board import household
from tests.house import House

FILMS = 30


def film(number: int) -> TitleRef:
    return replace(household.FILM, ids=ExternalIds(tmdb=100 + number), own_id=100 + number)


async def tell(house: House, entry: MockConfigEntry, reports: Iterable[AnyReport]) -> None:
    """Have an entry's service say something, silently."""
    service = service_of(entry)
    said = [
        replace(one, origin=replace(household.origin(service), service=service.id))
        for one in reports
    ]
    await house.runtime.apply(said, service=service.id, silent=True)


async def fill(house: House, radarr: MockConfigEntry, seerr: MockConfigEntry | None) -> None:
    """Have films that were asked for, and imported."""
    if seerr is not None:
        await tell(
            house,
            seerr,
            (
                household.request(film(one), 0, Decision.APPROVED, number=one)
                for one in range(FILMS)
            ),
        )
    await tell(
        house,
        radarr,
        [
            report
            for one in range(FILMS)
            for report in (
                household.held(household.RADARR, film(one), 1, opens=True),
                household.file(household.RADARR, film(one), 2),
            )
        ],
    )


@contextmanager
def others_between_pieces(
    house: House, monkeypatch: pytest.MonkeyPatch, doing: str
) -> Iterator[None]:
    """Hold that others have their turn between every two pieces."""
    turns, seen = 0, []
    real = getattr(house.runtime.board, doing)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def watched(*args: Any, **more: Any) -> Iterator[Applied]:
        for piece in real(*args, **more):
            seen.append(turns)
            yield piece

    monkeypatch.setattr("custom_components.media_arrivals.publishing.BREATH", 0.0)
    monkeypatch.setattr(house.runtime.board, doing, watched)
    task = asyncio.create_task(others())
    try:
        yield
    finally:
        task.cancel()
    assert len(seen) == len(set(seen)) > 0
    # What may have come back to the board meanwhile is looked at once more.
    assert len(seen) % FILMS == 0


async def restart(house: House, hass: HomeAssistant) -> BoardRuntime:
    """End, and begin anew with what is stored."""
    await house.runtime.async_close()
    again = hass.data[BOARD_KEY] = BoardRuntime(hass)
    await again.async_open()
    return again


class PowerCutError(Exception):
    """Nothing goes on from here."""


def cut_after(house: House, monkeypatch: pytest.MonkeyPatch, doing: str, pieces: int) -> None:
    """Have the power cut once the board did so many pieces of something."""
    real = getattr(house.runtime.board, doing)

    def cut(*args: Any, **more: Any) -> Iterable[Applied]:
        for number, piece in enumerate(real(*args, **more)):
            if number == pieces:
                raise PowerCutError
            yield piece

    monkeypatch.setattr(house.runtime.board, doing, cut)


async def test_removing_a_service_lets_others_have_their_turn(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.PIECES", 10)
    house.add_board()
    radarr = house.add_service(house.stack.radarr)
    seerr = house.add_service(house.stack.seerr)
    await house.start()
    await fill(house, radarr, seerr)
    events = async_capture_events(house.hass, EVENT_STAGE_CHANGED)
    commits: list[Commit] = []
    real = house.storage.commit

    async def commit(one: Commit) -> None:
        commits.append(one)
        await real(one)

    monkeypatch.setattr(house.storage, "commit", commit)
    with others_between_pieces(house, monkeypatch, "removing"):
        await house.runtime.async_remove_service(radarr.entry_id)

    assert max(len(one.arrivals) for one in commits) <= 10
    assert sum(len(one.arrivals) for one in commits) == FILMS
    assert not events
    stages = {one.stage for one in house.runtime.board.arrivals()}
    assert stages == {Stage.APPROVED}


async def test_a_first_media_server_lets_others_have_their_turn(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    radarr = house.add_service(house.stack.radarr)
    await house.start()
    await fill(house, radarr, None)

    service = replace(household.PLEX, id="plex_entry")
    with others_between_pieces(house, monkeypatch, "configuring"):
        await house.runtime.worker.async_configure(service)
    assert {one.stage for one in house.runtime.board.arrivals()} == {Stage.AVAILABLE}


async def test_forgetting_a_person_lets_others_have_their_turn(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    radarr = house.add_service(house.stack.radarr)
    seerr = house.add_service(house.stack.seerr)
    await house.start()
    await fill(house, radarr, seerr)

    with others_between_pieces(house, monkeypatch, "forgetting_requesters"):
        answer = await house.hass.services.async_call(
            DOMAIN, "forget_person", {"name": "mia"}, blocking=True, return_response=True
        )
    assert answer is not None
    assert (answer["arrivals"], answer["requests"]) == (0, FILMS)
    with others_between_pieces(house, monkeypatch, "screening_viewers"):
        answer = await house.hass.services.async_call(
            DOMAIN, "forget_person", {"viewer": "plex:1"}, blocking=True, return_response=True
        )
    assert answer is not None
    assert (answer["arrivals"], answer["requests"]) == (0, 0)


async def test_reports_wait_until_a_service_is_removed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another service says meanwhile meets a board that has forgotten all of it."""
    monkeypatch.setattr("custom_components.media_arrivals.publishing.BREATH", 0.0)
    radarr = house.add_service(house.stack.radarr)
    seerr = house.add_service(house.stack.seerr)
    await house.start()
    await fill(house, radarr, seerr)
    board, left = house.runtime.board, []
    apply = board.apply

    def watch(report: AnyReport, **more: Any) -> Applied:
        titles = [board.title(one.title_id) for one in board.arrivals()]
        left.append(sum(len(one.holdings) for one in titles))
        return apply(report, **more)

    monkeypatch.setattr(board, "apply", watch)
    removal = asyncio.create_task(house.runtime.async_remove_service(radarr.entry_id))
    while radarr.entry_id in board.services:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    await tell(house, seerr, [household.request(film(0), 9, Decision.DECLINED, number=0)])
    await removal
    assert left == [0]
    assert board.counts[Stage.DECLINED] == 1


async def test_a_removal_that_a_crash_cut_short_goes_on(
    house: House, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.PIECES", 10)
    radarr = house.add_service(house.stack.radarr)
    seerr = house.add_service(house.stack.seerr)
    await house.start()
    await fill(house, radarr, seerr)
    await house.storage.cursors.save(radarr.entry_id, {"since": 1})
    cut_after(house, monkeypatch, "removing", 15)
    with pytest.raises(PowerCutError):
        await house.runtime.async_remove_service(radarr.entry_id)
    assert radarr.entry_id not in await house.storage.cursors.load()
    # Home Assistant has written down that the entry is gone.
    monkeypatch.setattr(
        "custom_components.media_arrivals.runtime.service_entries", lambda _: [seerr]
    )

    again = await restart(house, hass)

    assert not any(again.board.title(one.title_id).holdings for one in again.board.arrivals())
    assert {one.stage for one in again.board.arrivals()} == {Stage.APPROVED}
    assert again.storage is not None
    assert (await again.storage.records.load()).keys() - {DOCUMENT} == {seerr.entry_id}
    await again.async_close()


async def test_a_new_media_server_that_a_crash_cut_short_takes_nothing_back(
    house: House, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.media_arrivals.worker.PIECES", 10)
    radarr = house.add_service(house.stack.radarr)
    await house.start()
    await fill(house, radarr, None)
    cut_after(house, monkeypatch, "configuring", 15)
    plex = house.add_service(house.stack.add_plex())
    with pytest.raises(PowerCutError):
        await house.runtime.async_configure(plex)
    assert plex.entry_id in house.runtime.records
    assert plex.entry_id not in await house.storage.records.load()

    again = await restart(house, hass)

    assert again.storage is not None
    assert plex.entry_id in await again.storage.records.load()
    assert plex.entry_id in again.board.services
    once_more = await restart(house, hass)
    for one in range(FILMS):
        report = household.file(household.RADARR, film(one), 50)
        report = replace(report, origin=replace(report.origin, service=radarr.entry_id))
        once_more.board.apply(report, now=time.time())
    assert {one.stage for one in once_more.board.arrivals()} == {Stage.AVAILABLE}
    await once_more.async_close()


async def test_a_cursor_that_cannot_be_deleted_is_raised(
    house: House, monkeypatch: pytest.MonkeyPatch, issue_registry: ir.IssueRegistry
) -> None:
    radarr = house.add_service(house.stack.radarr)
    house.add_service(house.stack.seerr)
    await house.start()

    async def broken(_: str) -> None:
        raise DatabaseUnavailableError("disk I/O error")

    monkeypatch.setattr(house.storage.cursors, "forget", broken)
    await house.runtime.async_remove_service(radarr.entry_id)

    assert issue_registry.async_get_issue(DOMAIN, "database_unavailable") is not None
    assert radarr.entry_id not in house.runtime.board.services
