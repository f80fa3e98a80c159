"""The door: who is let in, what is answered, what is written down."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.aiohttp import MockRequest

from custom_components.media_arrivals.const import (
    CONF_ALLOWED_ADDRESSES,
    CONF_LOCAL_ONLY,
    CONF_MANUAL_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
)
from custom_components.media_arrivals.deliveries import LARGE_BODY
from custom_components.media_arrivals.engine.board.models import Stage
from custom_components.media_arrivals.engine.connectors.base import WebhookCause
from custom_components.media_arrivals.engine.storage.models import StorageClosedError, StorageError
from custom_components.media_arrivals.records import WebhookHealth
from custom_components.media_arrivals.webhook import (
    DOORS_KEY,
    MAX_BODY,
    REFUSALS,
    REFUSING_ADDRESSES,
    Refusals,
)
from tests.house import House
from tests.payloads import radarr_grab, radarr_rename, radarr_test


async def test_a_delivery_is_written_down_before_it_is_answered(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    answer = await house.post(entry, radarr_grab())

    assert answer.status == 200
    assert await answer.json() == {"status": "accepted"}
    page = await house.storage.journal.recent()
    assert [(row.service, row.source, row.event_type) for row in page.rows] == [
        (entry.entry_id, "radarr", "Grab")
    ]
    await house.settle()


async def test_put_is_as_good_as_post(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    answer = await house.post(entry, radarr_grab(), method="PUT")

    assert answer.status == 200
    await house.settle()
    assert house.record(entry).received == 1


async def test_what_is_known_to_be_of_no_use_is_answered_so(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    answer = await house.post(entry, radarr_rename())

    assert answer.status == 200
    assert await answer.json() == {"status": "ignored", "reason": "unused_event"}
    await house.settle()
    assert house.record(entry).ignored == 1
    row = (await house.storage.journal.recent()).rows[0]
    assert (row.processed, row.outcome, row.reason) == (True, "ignored", "unused_event")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'"Grab"', b"null"])
async def test_odd_bodies_are_no_reason_to_punish_the_sender(house: House, body: bytes) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    answer = await house.post(entry, data=body)

    assert answer.status == 200
    assert await answer.json() == {"status": "ignored", "reason": "unreadable"}
    await house.settle()


@pytest.mark.parametrize(
    "odd",
    [
        '"size": NaN, "ratio": -Infinity',
        '"size": 1e999, "id": ' + "9" * 4_000,
        '"instanceName": "half a character: \\ud800"',
        '"deep": ' + "[" * 2_000 + "]" * 2_000,
        '"instanceName": "\\u0000 \\u2028"',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_what_a_strict_reader_refuses_is_read_all_the_same(
    house: House, odd: str, encoding: str
) -> None:
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(house.film)
    await house.start()
    body = json.dumps(radarr_grab(house.film))[:-1] + f", {odd}}}"

    answer = await house.post(entry, data=body.encode(encoding))

    assert await answer.json() == {"status": "accepted"}
    await house.until(lambda: house.record(entry).processed, what="a processed delivery")
    assert [arrival.stage for arrival in house.runtime.board.arrivals()] == [Stage.DOWNLOADING]
    row = (await house.storage.journal.recent(with_payload=True)).rows[0]
    assert json.loads(row.payload or "")["movie"]["tmdbId"] == house.film.tmdb_id


async def test_nothing_is_kept_if_it_cannot_be_said_what_is_private(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(house.film)
    await house.start()

    def faulty(*_: Any) -> None:
        raise KeyError("payload with a secret")

    connector = "custom_components.media_arrivals.engine.connectors.radarr.decode.RadarrDecoder"
    monkeypatch.setattr(f"{connector}.keep", faulty)
    answer = await house.post(entry, radarr_grab(house.film))

    assert await answer.json() == {"status": "accepted"}
    await house.until(lambda: house.record(entry).processed, what="a processed delivery")
    row = (await house.storage.journal.recent(with_payload=True)).rows[0]
    assert (row.event_type, row.payload) == ("Grab", "{}")
    assert "Fault while cleaning a delivery of radarr: KeyError at" in caplog.text
    assert "payload with a secret" not in caplog.text


async def test_a_fault_of_ours_is_no_reason_either(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    def faulty(*_: Any) -> None:
        raise KeyError("payload with a secret")

    connector = "custom_components.media_arrivals.engine.connectors.radarr.decode.RadarrDecoder"
    monkeypatch.setattr(f"{connector}.decode", faulty)
    answer = await house.post(entry, radarr_grab())

    assert answer.status == 200
    await house.settle()
    row = (await house.storage.journal.recent()).rows[0]
    assert (row.outcome, row.reason) == ("failed", "error")
    assert house.record(entry).failed == 1
    assert "Fault while reading a delivery of radarr: KeyError at" in caplog.text
    assert "payload with a secret" not in caplog.text


async def test_a_test_proves_the_webhook(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    expected = house.runtime.async_expect_test(entry.entry_id)

    answer = await house.post(entry, radarr_test())

    assert answer.status == 200
    assert await answer.json() == {"status": "accepted"}
    assert expected.done()
    await house.settle()


# --- the secret -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer {secret}", 200),
        ("{secret}", 200),
        ("Bearer wrong", 401),
        ("Basic not-base64!", 401),
        ("Basic bWVkaWFfYXJyaXZhbHM=", 401),
        ("", 401),
        (None, 401),
    ],
)
async def test_the_secret_may_come_in_several_forms(
    house: House, header: str | None, status: int
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    headers = {}
    if header is not None:
        headers["Authorization"] = header.format(secret=entry.data[CONF_WEBHOOK_SECRET])

    answer = await house.client.post(house.path(entry), json=radarr_grab(), headers=headers)

    assert answer.status == status
    if status == 401:
        assert await answer.json() == {"status": "error", "reason": "unauthorized"}
        assert house.record(entry).refused == 1
        assert (await house.storage.journal.recent()).total == 0
    await house.settle()


async def test_another_services_secret_does_not_do(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    other = house.add_service(house.stack.radarr_4k)
    await house.start()

    answer = await house.post(entry, radarr_grab(), secret=other.data[CONF_WEBHOOK_SECRET])

    assert answer.status == 401
    assert house.record(entry).refused == 1
    assert house.record(other).refused == 0


# --- the address ------------------------------------------------------------------------------


async def called_from(
    house: House, entry: Any, remote: str | None, **more: Any
) -> tuple[int, dict[str, Any]]:
    """Call the door as a cloudhook or a proxied call does."""
    request = MockRequest(
        content=json.dumps(radarr_grab()).encode(),
        mock_source="test",
        method="POST",
        headers={"Authorization": entry.data[CONF_WEBHOOK_SECRET]},
        remote=remote,
        **more,
    )
    answer = await house.hass.data[DOORS_KEY].async_handle(entry.entry_id, request)
    assert isinstance(answer.body, bytes)
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize(
    ("options", "remote", "status"),
    [
        ({}, "203.0.113.7", 200),
        ({}, None, 200),
        ({CONF_LOCAL_ONLY: True}, "127.0.0.1", 200),
        ({CONF_LOCAL_ONLY: True}, "192.168.1.9", 200),
        ({CONF_LOCAL_ONLY: True}, "172.17.0.3", 200),
        ({CONF_LOCAL_ONLY: True}, "100.101.102.103", 200),
        ({CONF_LOCAL_ONLY: True}, "fd00::5", 200),
        ({CONF_LOCAL_ONLY: True}, "::ffff:192.168.1.9", 200),
        ({CONF_LOCAL_ONLY: True}, "203.0.113.7", 403),
        ({CONF_LOCAL_ONLY: True}, "::ffff:203.0.113.7", 403),
        ({CONF_LOCAL_ONLY: True}, None, 403),
        ({CONF_LOCAL_ONLY: True}, "no address", 403),
        ({CONF_ALLOWED_ADDRESSES: ["203.0.113.7/32"]}, "203.0.113.7", 200),
        ({CONF_ALLOWED_ADDRESSES: ["203.0.113.7/32"]}, "203.0.113.8", 403),
        ({CONF_ALLOWED_ADDRESSES: ["192.168.0.0/16", "2001:db8::/32"]}, "2001:db8::1", 200),
        ({CONF_ALLOWED_ADDRESSES: ["192.168.0.0/16"]}, None, 403),
        ({CONF_LOCAL_ONLY: True, CONF_ALLOWED_ADDRESSES: ["203.0.113.7"]}, "203.0.113.7", 403),
    ],
)
async def test_addresses(
    house: House, options: dict[str, Any], remote: str | None, status: int
) -> None:
    entry = house.add_service(house.stack.radarr, options={CONF_MANUAL_WEBHOOK: True, **options})
    await house.start()

    got, body = await called_from(house, entry, remote)

    assert got == status
    if status == 403:
        assert body == {"status": "error", "reason": "address_not_allowed"}
        assert house.record(entry).refused == 1
    await house.settle()


async def test_a_call_through_the_cloud_is_not_local(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(
        house.stack.radarr, options={CONF_MANUAL_WEBHOOK: True, CONF_LOCAL_ONLY: True}
    )
    await house.start()
    monkeypatch.setattr(
        "custom_components.media_arrivals.webhook.is_cloud_connection", lambda _: True
    )

    status, _ = await called_from(house, entry, "127.0.0.1")

    assert status == 403


# --- the entry --------------------------------------------------------------------------------


async def test_a_disabled_service_is_gone(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await house.settle()

    answer = await house.post(entry, radarr_grab())

    assert answer.status == 410
    assert await answer.json() == {"status": "error", "reason": "gone"}


async def test_a_service_that_is_disabled_at_the_start_is_gone(
    house: House, hass: HomeAssistant
) -> None:
    house.add_board()
    entry = house.add_service(house.stack.radarr)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await house.start()

    assert (await house.post(entry, radarr_grab())).status == 410

    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert (await house.post(entry, radarr_grab())).status == 200
    await house.settle()


async def test_an_entry_that_vanished_is_gone(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    request = MockRequest(content=b"{}", mock_source="test", method="POST")

    answer = await house.hass.data[DOORS_KEY].async_handle("never was", request)

    assert answer.status == 410
    assert house.record(entry).refused == 0


async def test_the_door_is_open_while_the_service_is_down(
    house: House, hass: HomeAssistant
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.stack.radarr.stop()
    await house.start()
    assert entry.state.name == "SETUP_RETRY"

    answer = await house.post(entry, radarr_grab())

    assert await answer.json() == {"status": "accepted"}
    await house.settle()
    assert house.record(entry).received == 1


async def test_the_door_stays_open_over_a_reload(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    await hass.config_entries.async_unload(entry.entry_id)

    answer = await house.post(entry, radarr_grab())

    assert await answer.json() == {"status": "accepted"}
    await hass.config_entries.async_setup(entry.entry_id)
    await house.settle()
    assert house.record(entry).received == 1


async def test_a_replaced_address_is_closed(house: House, hass: HomeAssistant) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    old = house.path(entry)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_WEBHOOK_ID: "f" * 64, CONF_WEBHOOK_SECRET: "new"}
    )
    await hass.config_entries.async_reload(entry.entry_id)

    assert await (await house.client.post(old, json=radarr_grab())).read() == b""
    assert (await house.post(entry, radarr_grab())).status == 200
    await house.settle()


# --- methods ----------------------------------------------------------------------------------


async def test_a_redirect_is_noticed_and_raised(
    house: House, hass: HomeAssistant, issue_registry: ir.IssueRegistry
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.runtime.note(entry.entry_id, webhook=WebhookHealth.WORKING, proven_at=1.0)

    answer = await house.client.get(house.path(entry), headers={"User-Agent": "Radarr/6.1"})

    assert answer.status == 405
    assert await answer.json() == {"status": "error", "reason": "method_not_allowed"}
    record = house.record(entry)
    assert (record.webhook, record.webhook_cause) == (
        WebhookHealth.FAILED,
        WebhookCause.REDIRECT,
    )
    assert record.refused == 1
    issue = issue_registry.async_get_issue(DOMAIN, f"webhook_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_key == "webhook_redirect"

    await house.post(entry, radarr_grab())
    await house.settle()

    assert house.record(entry).webhook is WebhookHealth.WORKING
    assert issue_registry.async_get_issue(DOMAIN, f"webhook_{entry.entry_id}") is None


@pytest.mark.parametrize("health", [WebhookHealth.WORKING, WebhookHealth.POLLING_ONLY])
async def test_a_look_is_no_redirect(
    house: House, issue_registry: ir.IssueRegistry, health: WebhookHealth
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    house.runtime.note(entry.entry_id, webhook=health)
    agent = "Mozilla/5.0" if health is WebhookHealth.WORKING else "Radarr/6.1"

    answer = await house.client.get(house.path(entry), headers={"User-Agent": agent})

    assert answer.status == 405
    assert house.record(entry).webhook is health
    assert not issue_registry.issues


async def test_head_is_refused_and_no_redirect(
    house: House, issue_registry: ir.IssueRegistry
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    answer = await house.client.head(house.path(entry))

    assert answer.status == 405
    assert not issue_registry.issues


async def test_the_address_can_be_tried(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    answer = await house.client.get(f"{house.path(entry)}?test")

    assert answer.status == 200
    body = await answer.json()
    assert body.pop("timestamp")
    assert body.pop("message")
    assert body == {"status": "ok", "service": "radarr", "version": "0.1.0"}
    assert house.record(entry).refused == 0
    assert (await house.client.head(f"{house.path(entry)}?test")).status == 200


# --- bounds -----------------------------------------------------------------------------------


async def test_a_body_of_one_mebibyte_is_taken(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    body = json.dumps(radarr_grab() | {"padding": ""}).encode()
    body = body.replace(b'"padding": ""', b'"padding": "' + b"x" * (MAX_BODY - len(body)) + b'"')
    assert len(body) == MAX_BODY

    answer = await house.post(entry, data=body)

    assert await answer.json() == {"status": "accepted"}
    await house.settle()


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_larger_body_is_not(house: House, chunked: bool) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    async def chunks() -> Any:
        for _ in range(MAX_BODY // 4096 + 1):
            yield b"x" * 4096

    answer = await house.post(entry, data=chunks() if chunked else b"x" * (MAX_BODY + 1))

    assert answer.status == 413
    assert await answer.json() == {"status": "error", "reason": "too_large"}
    assert house.record(entry).refused == 1
    assert (await house.storage.journal.recent()).total == 0


async def test_a_slow_body_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    monkeypatch.setattr("custom_components.media_arrivals.webhook.BODY_SECONDS", 0.05)
    go = asyncio.Event()

    async def slowly() -> Any:
        yield b"{"
        await go.wait()

    answer = await house.post(entry, data=slowly())

    assert answer.status == 408
    assert await answer.json() == {"status": "error", "reason": "too_slow"}
    go.set()


async def half_a_call(house: House, entry: Any, head: str, body: bytes) -> asyncio.StreamWriter:
    """Begin a call by hand."""
    _, writer = await asyncio.open_connection("127.0.0.1", house.client.port)
    secret = entry.data[CONF_WEBHOOK_SECRET]
    writer.write(
        f"POST {house.path(entry)} HTTP/1.1\r\nHost: x\r\nAuthorization: {secret}\r\n"
        f"{head}\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    return writer


async def test_a_sender_that_hangs_up_is_no_fault(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    writer = await half_a_call(house, entry, "Content-Length: 500", b"{")
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)

    assert "Fault" not in caplog.text
    assert (await house.storage.journal.recent()).total == 0


async def test_a_sender_that_does_not_wait_has_delivered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    put = house.storage.journal.put
    held: list[tuple[Any, ...]] = []
    monkeypatch.setattr(house.storage.journal, "put", lambda *args: held.append(args))
    body = json.dumps(radarr_grab()).encode()
    writer = await half_a_call(house, entry, f"Content-Length: {len(body)}", body)
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    (args,) = held
    put(*args)

    await house.until(lambda: house.record(entry).ignored, what="a delivery worked off")
    assert await house.storage.journal.pending() == ()


async def test_a_large_delivery_of_a_sender_that_does_not_wait_comes_in_as_well(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()
    put = house.storage.journal.put
    held: list[tuple[Any, ...]] = []
    monkeypatch.setattr(house.storage.journal, "put", lambda *args: held.append(args))
    body = json.dumps(radarr_grab() | {"padding": "x" * LARGE_BODY}).encode()
    writer = await half_a_call(house, entry, f"Content-Length: {len(body)}", body)
    writer.close()
    await writer.wait_closed()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if held:
            break
    (args,) = held
    put(*args)

    await house.until(lambda: house.record(entry).ignored, what="a delivery worked off")
    assert house.record(entry).received == 1


async def test_a_garbled_body_is_refused(house: House, caplog: pytest.LogCaptureFixture) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    answer = await house.client.post(
        house.path(entry),
        data=b"no gzip at all",
        headers={
            "Authorization": entry.data[CONF_WEBHOOK_SECRET],
            "Content-Encoding": "gzip",
        },
    )

    assert answer.status == 400
    assert "Fault" not in caplog.text


async def test_too_many_refused_calls_are_refused_in_short(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    statuses = [
        (await house.post(entry, radarr_grab(), secret="wrong")).status for _ in range(REFUSALS + 2)
    ]

    assert statuses == [401] * REFUSALS + [429] * 2
    # Who knows the secret is let in, whoever else calls from there.
    assert (await house.post(entry, radarr_grab())).status == 200
    await house.settle()


def test_refusals_are_forgotten_and_bounded() -> None:
    refusals = Refusals()
    assert not any(refusals.too_many("a", 100.0 + i) for i in range(REFUSALS))
    assert refusals.too_many("a", 130.0)
    assert not refusals.too_many("b", 130.0)
    assert not refusals.too_many("a", 161.0)

    for _ in range(REFUSALS):
        refusals.too_many("c", 200.0)
    assert refusals.too_many("c", 200.0)
    for number in range(REFUSING_ADDRESSES):
        refusals.too_many(f"other {number}", 200.0)
    assert not refusals.too_many("c", 200.0)


# --- when nothing can be written down -----------------------------------------------------------


async def test_a_journal_that_cannot_be_written_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    def full(_: Any, done: Callable[[Exception], None]) -> None:
        done(StorageError("disk full"))

    monkeypatch.setattr(house.storage.journal, "put", full)
    answer = await house.post(entry, radarr_grab())

    assert answer.status == 503
    assert await answer.json() == {"status": "error", "reason": "journal_unavailable"}
    record = house.record(entry)
    assert (record.received, record.failed, record.refused) == (1, 1, 0)


async def test_a_journal_that_is_closed_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    def closed(*_: Any) -> None:
        raise StorageClosedError("closed")

    monkeypatch.setattr(house.storage.journal, "put", closed)
    answer = await house.post(entry, radarr_grab())

    assert answer.status == 503
    assert house.record(entry).failed == 1
    assert house.runtime.worker.at_door == 0


async def test_a_fault_in_the_door_does_not_show_the_id(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    def faulty(*_: Any) -> None:
        raise ValueError(entry.data[CONF_WEBHOOK_ID])

    monkeypatch.setattr(house.runtime, "deliver", faulty)
    answer = await house.post(entry, radarr_grab())

    assert answer.status == 500
    assert await answer.json() == {"status": "error"}
    assert house.record(entry).failed == 1
    ours = [one for one in caplog.messages if one.startswith("Fault")]
    assert ours
    assert not any(entry.data[CONF_WEBHOOK_ID] in one for one in ours)
    assert "Fault while answering a webhook call: ValueError" in caplog.text


async def test_a_fault_before_anything_is_written_down_is_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    def faulty(*_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(house.storage.journal, "put", faulty)

    assert (await house.post(entry, radarr_grab())).status == 500
    assert house.record(entry).failed == 1


async def test_the_log_tells_a_delivery_in_one_line_without_secrets(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    entry = house.add_service(house.stack.radarr)
    house.stack.radarr.put_movie(house.film)
    await house.start()
    caplog.clear()
    caplog.set_level(logging.DEBUG, logger="custom_components.media_arrivals")

    await house.post(entry, radarr_grab(house.film))
    await house.post(entry, radarr_grab(house.film), secret="wrong")
    await house.settle()
    await house.until(lambda: house.record(entry).processed, what="a processed delivery")

    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.media_arrivals")
    ]
    lines = [line for line in ours if line.startswith("Delivery ")]
    assert len(lines) == 1
    assert "Grab about imdb:tt9900001 tmdb:9001: processed" in lines[0]
    text = "\n".join(ours)
    assert entry.data[CONF_WEBHOOK_ID] not in text
    assert entry.data[CONF_WEBHOOK_SECRET] not in text
    assert house.film.title not in text


# --- cloudhooks ---------------------------------------------------------------------------------


async def test_a_cloudhook_can_do_all_that(house: House) -> None:
    entry = house.add_service(house.stack.radarr)
    await house.start()

    status, body = await called_from(house, entry, None)

    assert (status, body) == (200, {"status": "accepted"})
    await house.settle()
    assert house.record(entry).received == 1
