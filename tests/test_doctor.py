"""The webhook doctor: what is said of webhooks, what is missed in a day, how long news take."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_bytes
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockUser,
    async_fire_time_changed,
    mock_integration,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import coordinator, records, registration
from custom_components.media_arrivals.const import (
    CONF_MANUAL_WEBHOOK,
    CONF_POLLING_ONLY,
    CONF_TAKE_OVER,
    DOMAIN,
)
from custom_components.media_arrivals.coordinator import POLL, POLL_TAKEN
from custom_components.media_arrivals.diagnostics import async_get_config_entry_diagnostics
from custom_components.media_arrivals.doctor import State
from custom_components.media_arrivals.engine.connectors.base import (
    Sighting,
    WebhookCause,
    WebhookState,
)
from custom_components.media_arrivals.engine.connectors.http import JsonClient
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.missed import PATIENCE
from custom_components.media_arrivals.records import MAX_MISSES, Miss, RecordBook, ServiceRecord
from custom_components.media_arrivals.registration import PAUSES
from custom_components.media_arrivals.runtime import WebhookHealth
from simulator import DeliveryFaults, Film, Stack
from simulator.arr import ArrDouble
from simulator.shelf import ShelfFile
from tests.flow_helpers import REPAIRS, Flow
from tests.house import House
from tests.payloads import radarr_grab

FILMS = tuple(
    Film(tmdb_id=9100 + number, title=f"Lighthouse {number}", year=2020, imdb_id=f"tt99001{number}")
    for number in range(8)
)
LOSING = DeliveryFaults(lose_every=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for tests that never arrive no longer than it takes one to arrive here."""
    monkeypatch.setattr(registration, "ARRIVAL_SECONDS", 0.3)
    monkeypatch.setattr(registration, "CHECK_SECONDS", 0.0)
    # A client's clock is the machine's own, and cannot be frozen; here all have the same.
    monkeypatch.setattr(JsonClient, "_note_clock", lambda *_: None)


@pytest.fixture(autouse=True)
async def unloaded(hass: HomeAssistant) -> AsyncIterator[None]:
    """Unload all entries at the end."""
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


async def check(hass: HomeAssistant, **data: Any) -> dict[str, dict[str, Any]]:
    """Return what the action says, by service."""
    response = await hass.services.async_call(
        DOMAIN, "check_webhooks", data, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    # It must get out by the websocket and into a template.
    assert json_bytes(response)
    found: Any = response["services"]
    for one in found:
        assert State(one["state"])
        assert one["service_name"] in one["verdict"]
        assert "{" not in one["verdict"] + one["next_step"]
    return {one["service"]: one for one in found}


async def state_of(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    """Return how a service's webhook is."""
    (found,) = (await check(hass, service=entry.entry_id)).values()
    state: str = found["state"]
    return state


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"webhook_silent_{entry.entry_id}")


def webhook_issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"webhook_{entry.entry_id}")


async def pass_time(house: House, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let time pass."""
    freezer.tick(seconds)
    async_fire_time_changed(house.hass, dt_util.utcnow())
    await house.settle()


async def begin(house: House, double: ArrDouble, **options: Any) -> MockConfigEntry:
    """Add a service whose webhook has been working for a minute."""
    entry = house.add_service(double, options=options)
    if not hasattr(house, "board"):
        house.add_board()
        await house.start()
    else:
        await house.hass.config_entries.async_setup(entry.entry_id)
    if not options.get(CONF_MANUAL_WEBHOOK):
        await house.proven(entry)
    house.runtime.started_at = min(house.runtime.started_at, dt_util.utcnow().timestamp() - 60)
    house.runtime.note(entry.entry_id, proven_since=house.runtime.started_at)
    return entry


async def miss(
    house: House, entry: MockConfigEntry, film: Film, freezer: FrozenDateTimeFactory
) -> str:
    """Have a grab lost on its way, shown by a poll, and counted; return the download."""
    radarr = double_of(house, entry)
    radarr.sender.faults = LOSING
    lost = await radarr.grab(radarr.put_movie(film))
    radarr.sender.faults = DeliveryFaults()
    record = house.record(entry)
    before, proven = record.missed, record.proven_at
    await house.poll(entry)
    await pass_time(house, freezer, PATIENCE + 5)
    await house.until(lambda: record.missed == before + 1, what="a miss")
    if not entry.options.get(CONF_MANUAL_WEBHOOK):
        # It has the webhook looked at.
        await house.until(lambda: record.proven_at != proven, what="a test")
    await pass_time(house, freezer, 5)
    return lost.download_id or ""


def double_of(house: House, entry: MockConfigEntry) -> Any:
    """Return the simulated service of an entry."""
    return next(
        one for name, one in house.stack.services.items() if f"{name}_entry" == entry.entry_id
    )


# --- what is said -------------------------------------------------------------------------------


async def test_it_says_how_each_webhook_is_and_tests_it(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin(house, house.stack.radarr)
    other = await begin(house, house.stack.radarr_4k, **{CONF_MANUAL_WEBHOOK: True})
    found = await check(hass)
    assert found[entry.entry_id] | {"events": ["grab"]} == found[entry.entry_id] | {
        "service_name": "radarr",
        "kind": "radarr",
        "state": "working",
        "in_service": "registered",
        "cause": None,
        "by_hand": False,
        "muted": False,
        "missed_24h": 0,
        "webhook_delay": None,
        "address": hass.config.internal_url,
        "last_status": "ok",
        "events": ["grab"],
    }
    assert "grab" in found[entry.entry_id]["events"]
    assert found[entry.entry_id]["last_delivery"] is not None
    assert "test" not in found[entry.entry_id]
    assert found[other.entry_id]["state"] == "by_hand"
    assert entry.data[CONF_WEBHOOK_ID] not in str(found)

    proven = house.record(entry).proven_at
    freezer.tick(10)
    found = await check(hass, test=True)
    assert found[entry.entry_id]["test"] == {"arrived": True, "error": None, "message": None}
    assert house.record(entry).proven_at != proven
    assert found[other.entry_id]["test"]["arrived"] is False
    assert found[other.entry_id]["test"]["error"] == "webhook_test_by_hand"
    assert "radarr" in found[other.entry_id]["test"]["message"]


async def test_it_is_readable_when_the_service_is_down_and_set_up_again_and_again(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin(house, house.stack.radarr)
    await miss(house, entry, FILMS[0], freezer)
    del house.runtime.cursors[entry.entry_id]
    await house.stack.radarr.go_down()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY

    found = (await check(hass, test=True))[entry.entry_id]
    assert (found["state"], found["missed_24h"]) == ("working", 1)
    assert found["last_status"] == "connection_refused"
    assert (found["test"]["arrived"], found["test"]["error"]) == (False, "not_loaded")
    assert "radarr" in found["test"]["message"]
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["webhook"]["state"] == "working"
    assert diagnostics["webhook"]["missed_24h"] == 1
    assert "misses" not in diagnostics["record"]

    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert await state_of(hass, entry) == "disabled"


async def test_it_is_for_administrators_and_automations(
    hass: HomeAssistant, house: House, hass_read_only_user: MockUser
) -> None:
    house.add_board()
    await house.start()
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "check_webhooks",
            {},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


FOUND: tuple[tuple[State, dict[str, Any], dict[str, Any]], ...] = (
    (State.WAITING, {}, {}),
    (State.BY_HAND, {}, {CONF_MANUAL_WEBHOOK: True}),
    (State.UNTOLD, {"webhook_cause": WebhookCause.NOT_TESTABLE}, {}),
    (State.WORKING, {"webhook": WebhookHealth.WORKING}, {}),
    (State.WORKING, {"webhook": WebhookHealth.WORKING}, {CONF_MANUAL_WEBHOOK: True}),
    (State.SILENT, {"webhook": WebhookHealth.WORKING, "silent_since": 1.0}, {}),
    (State.MUTED, {"webhook": WebhookHealth.WORKING, "muted": True}, {}),
    (
        State.NOT_THERE,
        {"webhook": WebhookHealth.WORKING, "remote": WebhookState.ABSENT},
        {CONF_MANUAL_WEBHOOK: True},
    ),
    (
        State.TAKEN,
        {"webhook": WebhookHealth.WORKING, "remote": WebhookState.TAKEN},
        {CONF_MANUAL_WEBHOOK: True},
    ),
    (State.FAILED, {"webhook": WebhookHealth.FAILED}, {}),
    (State.POLLING_ONLY, {"webhook": WebhookHealth.POLLING_ONLY}, {CONF_POLLING_ONLY: True}),
    (
        State.POLLING_BESIDE,
        {
            "webhook": WebhookHealth.POLLING_ONLY,
            "webhook_cause": WebhookCause.TAKEN_BY_HOME_ASSISTANT,
        },
        {},
    ),
    (
        State.LISTENING,
        {"webhook": WebhookHealth.POLLING_ONLY, "webhook_cause": WebhookCause.NEEDS_PLEX_PASS},
        {},
    ),
    *(
        (state, {"webhook": WebhookHealth.FAILED, "webhook_cause": cause}, {})
        for cause, state in {
            WebhookCause.REFUSED: State.WRONG_ADDRESS,
            WebhookCause.NOT_RECEIVED: State.WRONG_ADDRESS,
            WebhookCause.TAKEN: State.TAKEN,
            WebhookCause.TAKEN_BY_HOME_ASSISTANT: State.TAKEN_BY_HOME_ASSISTANT,
            WebhookCause.CSRF: State.FAILED,
            WebhookCause.PLUGIN_MISSING: State.FAILED,
        }.items()
    ),
)


@pytest.mark.parametrize(("state", "known", "options"), FOUND)
async def test_each_state_has_a_word_and_a_next_step(
    hass: HomeAssistant, house: House, state: State, known: dict[str, Any], options: dict[str, Any]
) -> None:
    entry = house.add_service(house.stack.radarr, options=options)
    house.add_board()
    await house.stack.radarr.go_down()
    await house.start()
    house.runtime.note(entry.entry_id, webhook=WebhookHealth.UNPROVEN, webhook_cause=None)
    house.runtime.note(entry.entry_id, **known)
    assert await state_of(hass, entry) == state


# --- a mute -------------------------------------------------------------------------------------


async def test_a_mute_is_shown_until_a_test_lifts_it(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin(house, house.stack.radarr)
    other = await begin(house, house.stack.radarr_4k)
    # From now on it is the user's: nobody else has the test sent.
    hass.config_entries.async_update_entry(entry, options={CONF_MANUAL_WEBHOOK: True})
    connections = house.stack.radarr.connections
    (row,) = connections.rows.values()
    row.level, row.muted_until = 3, house.stack.clock.now() + timedelta(hours=1)
    cursor = house.runtime.cursors[entry.entry_id]
    house.runtime.cursors[entry.entry_id] = {**cursor, "health_at": 0.0}

    await house.poll(entry)
    await house.poll(other)
    assert await state_of(hass, entry) == "muted"
    assert await state_of(hass, other) == "working"
    # A light poll does not ask for it, and takes nothing back.
    await house.poll(entry)
    assert await state_of(hass, entry) == "muted"

    body = connections.document(row)
    session = house.client.session
    answer = await session.post(
        f"{house.stack.radarr.url}/api/v3/notification/test",
        json=body,
        headers={"X-Api-Key": house.stack.radarr.api_key},
    )
    assert answer.status == 200
    await house.until(lambda: not house.record(entry).muted, what="no mute")
    assert await state_of(hass, entry) == "working"


async def test_a_mute_that_is_lifted_by_itself_is_over(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin(house, house.stack.radarr)
    (row,) = house.stack.radarr.connections.rows.values()
    row.level, row.muted_until = 3, house.stack.clock.now() + timedelta(hours=1)
    cursor = house.runtime.cursors[entry.entry_id]
    house.runtime.cursors[entry.entry_id] = {**cursor, "health_at": 0.0}
    seen: list[bool] = []
    note = house.runtime.book.note

    def watched(entry_id: str, **changes: Any) -> None:
        if "muted" in changes:
            seen.append(changes["muted"])
        note(entry_id, **changes)

    house.runtime.book.note = watched  # type: ignore[method-assign]
    await house.poll(entry)
    await house.until(lambda: seen and seen[-1] is False, what="lifted")
    assert seen[0] is True
    assert await state_of(hass, entry) == "working"


# --- missed in a day ----------------------------------------------------------------------------


async def test_what_was_missed_in_a_day_rolls_and_outlives_a_restart(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin(house, house.stack.radarr)
    other = await begin(house, house.stack.radarr_4k)
    lost = await miss(house, entry, FILMS[0], freezer)
    await pass_time(house, freezer, 12 * 3600)
    await miss(house, entry, FILMS[1], freezer)
    record = house.record(entry)

    def missed_24h(of: ServiceRecord) -> int:
        return len(of.recent_misses(dt_util.utcnow().timestamp()))

    assert (missed_24h(record), record.missed) == (2, 2)
    assert missed_24h(house.record(other)) == 0
    # What it was about is not in it: who watched what is nobody's business.
    assert lost.casefold() not in str(record.misses).casefold()

    # As after a restart: what was told and counted is known from the record alone.
    house.runtime.note(entry.entry_id, version="x")
    await house.runtime.worker._save()  # noqa: SLF001
    stored = (await house.storage.records.load())[entry.entry_id]
    house.runtime.book.load({entry.entry_id: stored})
    house.runtime.missed.forget(entry.entry_id)
    record = house.record(entry)
    assert missed_24h(record) == 2
    await house.post(entry, radarr_grab(FILMS[0], download=lost))
    await house.until(lambda: missed_24h(house.record(entry)) == 1, what="taken back")
    assert record.missed == 1

    await pass_time(house, freezer, 12 * 3600 + 600)
    assert missed_24h(record) == 1
    await pass_time(house, freezer, 12 * 3600)
    assert (missed_24h(record), record.missed) == (0, 1)


async def test_a_record_of_another_version_is_no_end(hass: HomeAssistant) -> None:
    book = RecordBook(hass, lambda: None)
    book.load({"a": {"misses": [[1, 2]], "webhook": "working", "received": 3}})
    assert book.records["a"].misses == ()
    assert book.records["a"].received == 3


async def test_the_list_of_misses_is_bounded(hass: HomeAssistant) -> None:
    book = RecordBook(hass, lambda: None)
    record = book.ensure("a")
    book.missed("a", (Miss(100.0, 99.0, str(number)) for number in range(MAX_MISSES + 50)), 100.0)
    assert len(record.misses) == MAX_MISSES
    assert record.missed == MAX_MISSES + 50
    assert not book.take_back("a", "0")
    assert book.take_back("a", str(MAX_MISSES))
    book.close()


# --- how long it takes --------------------------------------------------------------------------


async def test_delays_are_of_news_only_by_the_way_that_was_first(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    radarr = house.stack.radarr
    # What was there before is no news.
    old = await radarr.grab(radarr.put_movie(FILMS[0]))
    radarr.progress(old, 1.0)
    await radarr.import_file(old)
    entry = await begin(house, radarr)
    other = await begin(house, house.stack.radarr_4k)
    record = house.record(entry)
    await house.poll(entry)
    assert not record.webhook_delays + record.poll_delays

    # Told by the webhook at once; that it was so is known when a poll dates it.
    freezer.tick(60)
    await radarr.grab(radarr.put_movie(FILMS[1]))
    await house.settle()
    freezer.tick(120)
    await house.poll(entry)
    assert len(record.webhook_delays) == 1
    assert record.webhook_delay == pytest.approx(0, abs=1)
    assert house.record(entry).poll_delays == ()
    # Shown first by a poll, four minutes later.
    radarr.sender.faults = LOSING
    lost = await radarr.grab(radarr.put_movie(FILMS[2]))
    radarr.sender.faults = DeliveryFaults()
    freezer.tick(240)
    await house.poll(entry)
    await house.poll(entry)
    assert len(record.poll_delays) == 1
    assert record.poll_delay == pytest.approx(240, abs=1)
    # A delivery that comes after that is none by which it became known.
    await house.post(entry, radarr_grab(FILMS[2], download=lost.download_id or ""))
    await house.poll(entry)
    assert (len(record.webhook_delays), len(record.poll_delays)) == (1, 1)

    # What happened while Home Assistant was off counts for neither.
    radarr.sender.faults = LOSING
    await radarr.grab(radarr.put_movie(FILMS[3]))
    freezer.tick(3600)
    house.runtime.started_at = dt_util.utcnow().timestamp()
    await house.poll(entry)
    assert (len(record.webhook_delays), len(record.poll_delays)) == (1, 1)
    assert house.record(other).poll_delays == ()


async def test_polling_alone_has_a_delay_and_nothing_missed(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = house.add_service(house.stack.radarr, options={CONF_POLLING_ONLY: True})
    house.add_board()
    await house.start()
    freezer.tick(60)
    await house.stack.radarr.grab(house.stack.radarr.put_movie(FILMS[0]))
    freezer.tick(30)
    await house.poll(entry)
    await pass_time(house, freezer, PATIENCE + 5)
    assert house.record(entry).poll_delay == pytest.approx(30, abs=1)
    assert house.record(entry).misses == ()


# --- silence ------------------------------------------------------------------------------------


@pytest.fixture
async def admin(
    hass: HomeAssistant, house: House, hass_client: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Return a client of Home Assistant's API."""
    assert await async_setup_component(hass, "repairs", {})
    hass.http.app.router.freeze = lambda: None  # type: ignore[method-assign]
    client: TestClient[Any, Any] = await hass_client()
    return client


async def mend(admin: TestClient[Any, Any], entry: MockConfigEntry) -> Flow:
    """Begin the repair."""
    return await Flow.begin(
        admin, REPAIRS, handler=DOMAIN, issue_id=f"webhook_silent_{entry.entry_id}"
    )


async def test_a_webhook_that_tells_nothing_is_entered_anew_and_tested(
    hass: HomeAssistant,
    house: House,
    freezer: FrozenDateTimeFactory,
    admin: TestClient[Any, Any],
) -> None:
    entry = await begin(house, house.stack.radarr)
    other = await begin(house, house.stack.radarr_4k)
    await miss(house, entry, FILMS[0], freezer)
    await miss(house, entry, FILMS[1], freezer)
    assert issue(hass, entry) is None
    await miss(house, entry, FILMS[2], freezer)
    await house.until(lambda: issue(hass, entry), what="a repair")
    found = issue(hass, entry)
    assert found is not None
    assert found.translation_placeholders == {"service": "radarr", "missed": "3"}
    assert issue(hass, other) is None
    assert await state_of(hass, entry) == "silent"
    # It stays through a reload.
    await hass.config_entries.async_reload(entry.entry_id)
    await house.settle()
    assert issue(hass, entry) is not None

    (old,) = house.stack.radarr.connections.rows
    flow = await mend(admin, entry)
    assert flow.last["step_id"] == "renew"
    await flow.send({})
    assert flow.last["step_id"] == "arrived"
    (new,) = house.stack.radarr.connections.rows
    assert new != old
    await flow.send({})
    assert flow.last["type"] == "create_entry"
    assert await state_of(hass, entry) == "working"
    assert issue(hass, entry) is None
    # What was missed before is no reason any more, one more is none either.
    await pass_time(house, freezer, 5)
    await miss(house, entry, FILMS[3], freezer)
    assert issue(hass, entry) is None


async def test_a_delivery_ends_the_silence(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin(house, house.stack.radarr)
    for film in FILMS[:3]:
        await miss(house, entry, film, freezer)
    await house.until(lambda: issue(hass, entry), what="a repair")
    # A test is no news, and neither is what says nothing.
    await house.post(entry, {"eventType": "Test"})
    await house.settle()
    assert issue(hass, entry) is not None
    # Also while the entry is not loaded.
    await hass.config_entries.async_unload(entry.entry_id)
    await house.post(entry, radarr_grab(FILMS[5]))
    await house.until(lambda: issue(hass, entry) is None, what="the repair gone")
    assert house.record(entry).silent_since is None


async def test_a_mute_that_was_lifted_is_no_silence(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    """All that it swallowed is missed at once, and the test that follows ends it."""
    entry = await begin(house, house.stack.radarr)
    radarr = house.stack.radarr
    (row,) = radarr.connections.rows.values()
    row.level, row.muted_until = 3, house.stack.clock.now() + timedelta(hours=1)
    for film in FILMS[:4]:
        await radarr.grab(radarr.put_movie(film))
    await house.poll(entry)
    await pass_time(house, freezer, PATIENCE + 5)
    await house.until(lambda: house.record(entry).missed == 4, what="misses")
    await house.until(lambda: row.muted_until is None, what="no mute")
    assert issue(hass, entry) is None
    await pass_time(house, freezer, 60)
    await radarr.grab(radarr.put_movie(FILMS[5]))
    await house.settle()
    assert issue(hass, entry) is None
    assert await state_of(hass, entry) == "working"


async def test_a_repair_that_does_not_help_says_so(
    hass: HomeAssistant,
    house: House,
    freezer: FrozenDateTimeFactory,
    admin: TestClient[Any, Any],
) -> None:
    entry = await begin(house, house.stack.radarr)
    for film in FILMS[:3]:
        await miss(house, entry, film, freezer)
    await house.until(lambda: issue(hass, entry), what="a repair")
    await house.stack.radarr.go_down()
    flow = await mend(admin, entry)
    await flow.send({})
    assert flow.last["errors"] == {"base": "service_silent"}
    assert await state_of(hass, entry) == "silent"
    await house.stack.radarr.go_up()
    working, hass.config.internal_url = hass.config.internal_url, "http://127.0.0.1:9"
    await flow.send({})
    assert flow.last["errors"] == {"base": "still_failing"}
    assert flow.last["description_placeholders"]["address"] == "http://127.0.0.1:9"
    assert webhook_issue(hass, entry) is not None
    assert await state_of(hass, entry) == "wrong_address"
    hass.config.internal_url = working
    await flow.send({})
    assert flow.last["step_id"] == "arrived"
    assert webhook_issue(hass, entry) is None


async def test_a_repair_waits_for_a_service_that_is_not_set_up(
    hass: HomeAssistant,
    house: House,
    freezer: FrozenDateTimeFactory,
    admin: TestClient[Any, Any],
) -> None:
    entry = await begin(house, house.stack.radarr)
    for film in FILMS[:3]:
        await miss(house, entry, film, freezer)
    await house.until(lambda: issue(hass, entry), what="a repair")
    await hass.config_entries.async_unload(entry.entry_id)
    flow = await mend(admin, entry)
    await flow.send({})
    assert flow.last["errors"] == {"base": "service_silent"}
    await hass.config_entries.async_setup(entry.entry_id)
    await flow.send({})
    assert flow.last["step_id"] == "arrived"


async def test_a_silent_webhook_by_hand_is_tested_by_hand(
    hass: HomeAssistant,
    house: House,
    freezer: FrozenDateTimeFactory,
    admin: TestClient[Any, Any],
) -> None:
    entry = await begin(house, house.stack.radarr)
    hass.config_entries.async_update_entry(entry, options={CONF_MANUAL_WEBHOOK: True})
    assert await entry.runtime_data.registration.async_try()
    house.runtime.note(entry.entry_id, proven_since=house.runtime.started_at)
    for film in FILMS[:3]:
        await miss(house, entry, film, freezer)
    await house.until(lambda: issue(hass, entry), what="a repair")
    flow = await mend(admin, entry)
    assert flow.last["step_id"] == "by_hand"
    assert entry.data[CONF_WEBHOOK_ID] in flow.last["description_placeholders"]["values"]
    await flow.send({})
    assert flow.last["errors"] == {"base": "nothing_arrived"}
    freezer.tick(1)
    await house.post(entry, {"eventType": "Test"})
    await house.settle()
    await flow.send({})
    assert flow.last["step_id"] == "arrived"
    await flow.send({})
    assert issue(hass, entry) is None
    assert house.record(entry).silent_since is None


async def test_nothing_is_left_of_it_when_the_service_goes(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry = await begin(house, house.stack.radarr)
    for film in FILMS[:3]:
        await miss(house, entry, film, freezer)
    await house.until(lambda: issue(hass, entry), what="a repair")
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert issue(hass, entry) is None
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await house.proven(entry)
    assert issue(hass, entry) is None
    await hass.config_entries.async_remove(entry.entry_id)
    assert issue(hass, entry) is None


# --- Home Assistant's own Seerr integration -----------------------------------------------------


async def claim(house: House) -> None:
    """Do what Home Assistant's own integration does at each of its starts."""
    seerr = house.stack.seerr
    template = json.dumps({"notification_type": "{{notification_type}}", "{{media}}": _MEDIA})
    answer = await house.client.session.post(
        f"{seerr.url}/api/v1/settings/notifications/webhook",
        json={
            "enabled": True,
            "types": 4062,
            "options": {
                "webhookUrl": f"{house.hass.config.internal_url}/api/webhook/{'c' * 64}",
                "jsonPayload": json.dumps(template) if seerr.flavour.literal_template else template,
            },
        },
        headers={"X-Api-Key": seerr.api_key},
    )
    assert answer.status == 200


_MEDIA = {"media_type": "{{media_type}}", "tmdb_id": "{{media_tmdbid}}"}


def pace_of(house: House, entry: MockConfigEntry) -> timedelta:
    """Return how long it is until the next poll."""
    pace = house.runtime.coordinators[entry.entry_id].update_interval
    assert pace is not None
    return pace


async def beside(house: House, **options: Any) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Have Home Assistant's own integration claim the place first, then ours come."""
    mock_integration(house.hass, MockModule("overseerr"))
    own = MockConfigEntry(domain="overseerr", title="Seerr")
    own.add_to_hass(house.hass)
    await claim(house)
    house.add_board()
    entry = house.add_service(house.stack.seerr, options=options)
    await house.start()
    return entry, own


async def test_home_assistants_own_integration_is_explained_once_and_polled_beside(
    hass: HomeAssistant, house: House, freezer: FrozenDateTimeFactory
) -> None:
    entry, _ = await beside(house)
    record = house.record(entry)
    await house.until(lambda: record.webhook is WebhookHealth.FAILED, what="a finding")
    found = webhook_issue(hass, entry)
    assert found is not None
    assert found.translation_key == "webhook_taken_by_home_assistant"
    assert await state_of(hass, entry) == "taken_by_home_assistant"
    taken = json.dumps(house.stack.seerr.webhook)
    await house.poll(entry)
    assert pace_of(house, entry) == POLL_TAKEN

    # Once it is ignored, no start, no try and no claim brings it back.
    ir.async_get(hass).async_ignore(DOMAIN, found.issue_id, True)
    for pause in PAUSES[:2]:
        await pass_time(house, freezer, pause)
    await claim(house)
    await hass.config_entries.async_reload(entry.entry_id)
    registration_of = entry.runtime_data.registration
    assert str(await registration_of.async_try()) == "failed"
    found = webhook_issue(hass, entry)
    assert found is not None
    assert found.dismissed_version
    assert json.dumps(house.stack.seerr.webhook) == taken
    await house.poll(entry)
    assert pace_of(house, entry) == POLL_TAKEN


async def test_who_chose_polling_beside_it_is_not_asked_again(
    hass: HomeAssistant, house: House
) -> None:
    entry, own = await beside(house, **{CONF_POLLING_ONLY: True})
    record = house.record(entry)
    await house.until(lambda: record.webhook_cause, what="a look at the slot")
    for _ in range(2):
        await hass.config_entries.async_reload(entry.entry_id)
        await house.settle()
        assert webhook_issue(hass, entry) is None
        assert await state_of(hass, entry) == "polling_beside"
        await house.poll(entry)
        assert pace_of(house, entry) == POLL_TAKEN
    # It goes, and leaves nothing behind: back to normal.
    house.stack.seerr.webhook["enabled"] = False
    house.stack.seerr.webhook["options"]["webhookUrl"] = ""
    await hass.config_entries.async_remove(own.entry_id)
    await house.until(lambda: record.webhook_cause is None, what="another look")
    await house.poll(entry)
    assert pace_of(house, entry) == POLL
    assert await state_of(hass, entry) == "polling_only"


async def test_a_claim_while_it_runs_is_noticed_at_once_and_taken_over_with_consent(
    hass: HomeAssistant, house: House
) -> None:
    own = MockConfigEntry(domain="overseerr", title="Seerr")
    own.add_to_hass(hass)
    house.add_board()
    entry = house.add_service(house.stack.seerr, options={})
    await house.start()
    await house.proven(entry)
    record = house.record(entry)
    assert pace_of(house, entry) == POLL

    await claim(house)
    own.mock_state(hass, ConfigEntryState.LOADED)
    await house.until(lambda: record.webhook_cause, what="noticed")
    assert record.webhook_cause is WebhookCause.TAKEN_BY_HOME_ASSISTANT
    await house.poll(entry)
    assert pace_of(house, entry) == POLL_TAKEN

    hass.config_entries.async_update_entry(entry, options={CONF_TAKE_OVER: True})
    entry.runtime_data.registration.async_address_changed()
    await house.proven(entry)
    await house.poll(entry)
    assert pace_of(house, entry) == POLL
    # At its next start it claims it again, and so do we.
    await claim(house)
    own.mock_state(hass, ConfigEntryState.NOT_LOADED)
    hook = house.stack.seerr
    await house.until(
        lambda: entry.data[CONF_WEBHOOK_ID] in hook.webhook["options"]["webhookUrl"], what="ours"
    )
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="proven")
    assert webhook_issue(hass, entry) is None


# --- a webhook that cannot be tested ------------------------------------------------------------


@pytest.fixture
async def plex(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Run a Plex with a film."""
    stack.add_plex()
    await stack.start()
    monkeypatch.setattr(account, "PLEX_TV", stack.plex_tv.url)
    monkeypatch.setattr(coordinator, "Pace", lambda: None)
    monkeypatch.setattr(records, "COUNTER_PAUSE", 0.0)
    stack.shelf.put(
        ShelfFile(
            path="/movies/Quiet Harbour (2024)/film.mkv",
            media_type="movie",
            title="Quiet Harbour",
            year=2024,
            tmdb_id=4242,
            added_at=stack.clock.now(),
        )
    )
    await stack.plex.scan()
    return stack


async def test_playing_is_the_test_of_a_webhook_that_has_none(
    hass: HomeAssistant, house: House, plex: Stack, freezer: FrozenDateTimeFactory
) -> None:
    house.add_board()
    entry = house.add_service(plex.plex, options={})
    await house.start()
    record = house.record(entry)
    await house.until(lambda: record.webhook_address, what="a webhook at plex.tv")
    assert await state_of(hass, entry) == "waiting"
    await pass_time(house, freezer, 400)
    assert webhook_issue(hass, entry) is None

    plex.plex.sender.faults = LOSING
    await plex.plex.play_session(plex.plex.find(tmdb=4242))
    await house.poll(entry)
    assert record.playing == 1
    assert webhook_issue(hass, entry) is None
    freezer.tick(PATIENCE + 1)
    await house.poll(entry)
    found = webhook_issue(hass, entry)
    assert found is not None
    assert found.translation_key == "webhook_not_testable"
    assert await state_of(hass, entry) == "untold"
    # It stays through a restart, and is no failure of the address.
    await hass.config_entries.async_reload(entry.entry_id)
    assert str(await entry.runtime_data.registration.async_try()) == "done"
    assert await state_of(hass, entry) == "untold"
    assert webhook_issue(hass, entry) is not None
    assert record.webhook is WebhookHealth.UNPROVEN

    plex.plex.sender.faults = DeliveryFaults()
    freezer.tick(5)
    await plex.plex.play_session(plex.plex.find(tmdb=4242))
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="proven")
    assert webhook_issue(hass, entry) is None
    assert await state_of(hass, entry) == "working"
    tested = (await check(hass, test=True))[entry.entry_id]["test"]
    assert (tested["arrived"], tested["error"]) == (False, "webhook_not_testable")


async def test_a_silent_webhook_without_a_test_is_entered_anew(
    hass: HomeAssistant,
    house: House,
    plex: Stack,
    freezer: FrozenDateTimeFactory,
    admin: TestClient[Any, Any],
) -> None:
    house.add_board()
    entry = house.add_service(plex.plex, options={})
    await house.start()
    record = house.record(entry)
    await house.until(lambda: record.webhook_address, what="a webhook at plex.tv")
    freezer.tick(5)
    await plex.plex.play_session(plex.plex.find(tmdb=4242))
    await house.until(lambda: record.webhook is WebhookHealth.WORKING, what="proven")
    await house.until(lambda: record.events, what="what it tells")
    await pass_time(house, freezer, 60)

    now = dt_util.utcnow().timestamp()
    house.runtime.started_at = now - 60
    house.runtime.note(entry.entry_id, proven_since=now - 60)
    sightings = [Sighting(event=record.events[0], key=str(one), at=now) for one in range(3)]
    house.runtime.look_for_missed(entry.entry_id, sightings)
    await pass_time(house, freezer, PATIENCE + 5)
    await house.until(lambda: issue(hass, entry), what="a repair")

    flow = await mend(admin, entry)
    await flow.send({})
    assert flow.last["step_id"] == "play"
    assert len(plex.plex_tv.owner.webhooks) == 1
    await flow.send({})
    assert flow.last["type"] == "create_entry"
    assert issue(hass, entry) is None
    assert await state_of(hass, entry) == "waiting"
