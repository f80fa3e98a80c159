"""Diagnostics tell what a bug report needs, and no secret, host or name."""

from typing import Any
from unittest.mock import AsyncMock

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.media_arrivals.const import (
    CONF_ALLOWED_ADDRESSES,
    CONF_CALLBACK_URL,
    DOMAIN,
)
from custom_components.media_arrivals.diagnostics import async_get_config_entry_diagnostics
from custom_components.media_arrivals.engine.board.models import Decision
from custom_components.media_arrivals.engine.storage.database import Database
from custom_components.media_arrivals.engine.storage.models import DatabaseDamagedError
from custom_components.media_arrivals.records import WebhookHealth
from tests.engine.board.household import FILM, RADARR, SHOW, held, request
from tests.engine.connectors.plex import bodies as plex_bodies
from tests.entity_helpers import PLEX_ID, Home, post, set_up_home

GRAB = {
    "eventType": "Grab",
    "instanceName": "Radarr",
    "movie": {"id": 7, "title": "The Glass Harbour", "year": 2024, "tmdbId": 9001},
    "remoteMovie": {"tmdbId": 9001, "title": "The Glass Harbour", "year": 2024},
    "release": {"quality": "Bluray-1080p", "indexer": "Somewhere", "size": 1},
    "downloadClient": "Client",
    "downloadClientType": "qBittorrent",
    "downloadId": "ABC",
}
PENDING = {
    "notification_type": "MEDIA_PENDING",
    "event": "New Movie Request",
    "subject": "The Glass Harbour (2024)",
    "message": "A harbour of glass.",
    "media": {"media_type": "movie", "tmdbId": "9001", "status": "PENDING", "status4k": "UNKNOWN"},
    "request": {
        "request_id": "12",
        "requestedBy_email": "mia@home.example",
        "requestedBy_username": "Mia",
        "requestedBy_avatar": "/avatar/1.png",
    },
    "extra": [],
}


async def diagnostics(hass: HomeAssistant, home: Home, entry_id: str) -> dict[str, Any]:
    """Return an entry's diagnostics, as they are downloaded."""
    entry = hass.config_entries.async_get_entry(entry_id)
    assert entry is not None
    found = await async_get_config_entry_diagnostics(hass, entry)
    assert json_bytes(found)
    return found


async def test_a_service_tells_its_last_deliveries_and_what_follows_from_them(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, snapshot: SnapshotAssertion
) -> None:
    home = await set_up_home(hass)
    client = await hass_client_no_auth()
    await post(client, "radarr", {"eventType": "Rename", "movie": {"id": 7}})
    await post(client, "radarr", GRAB)
    await post(client, "radarr", "no object")
    await post(client, "sonarr", {"eventType": "Health", "level": "error", "message": "Bad"})
    await home.runtime.async_settle()
    found = await diagnostics(hass, home, "radarr")
    deliveries = found["deliveries"]
    assert [row["event_type"] for row in deliveries][1:] == ["Grab", "Rename"]
    for row in deliveries:
        assert row.pop("received_at")
        row.pop("processed_at")
        for statement in (*row["reports"], *row["questions"]):
            statement.pop("at", None)
            statement.pop("happened_at", None)
    assert deliveries == snapshot


async def test_only_the_last_twenty_deliveries_are_told(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    home = await set_up_home(hass, "radarr")
    client = await hass_client_no_auth()
    for number in range(25):
        await post(client, "radarr", {"eventType": "Rename", "movie": {"id": number}})
    await home.runtime.async_settle()
    found = await diagnostics(hass, home, "radarr")
    assert len(found["deliveries"]) == 20
    assert found["database"]["deliveries"] == {"ignored": 25}


async def test_nothing_secret_and_nobody_is_in_them(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    home = await set_up_home(hass)
    client = await hass_client_no_auth()
    answer = await client.post(
        "/api/webhook/webhook-of-seerr",
        json=PENDING,
        headers={"Authorization": "secret-of-seerr"},
    )
    assert answer.status == 200
    await home.runtime.async_settle()
    entry = home.entries["seerr"]
    hass.config_entries.async_update_entry(
        entry,
        options={
            **entry.options,
            CONF_CALLBACK_URL: "https://secret.home.example:8443/ha",
            CONF_ALLOWED_ADDRESSES: ["192.0.2.77"],
        },
    )
    await home.hear(request(FILM, 1, Decision.APPROVED, who="Mia"))
    record = home.runtime.records["seerr"]
    record.webhook = WebhookHealth.FAILED
    record.webhook_address = "https://secret.home.example:8443/ha"
    record.webhook_detail = "POST https://secret.home.example/api/webhook/webhook-of-seerr said no"
    record.last_error = "seerr.home.example does not know key-of-seerr"
    found = await diagnostics(hass, home, "seerr")
    text = str(found)
    for secret in (
        "key-of-seerr",
        "webhook-of-seerr",
        "secret-of-seerr",
        "home.example",
        "192.0.2.77",
        "Mia",
        "mia@",
        "avatar",
    ):
        assert secret not in text, secret
    # What helps is still there.
    assert found["data"]["url"] == "http://**REDACTED**:7878/base"
    assert found["options"]["callback_url"] == "https://**REDACTED**:8443/ha"
    assert found["record"]["webhook_detail"].startswith("POST https://**REDACTED**/api/webhook/")
    assert found["record"]["webhook"] == "failed"
    (delivery,) = found["deliveries"]
    assert delivery["event_type"] == "MEDIA_PENDING"
    assert any(report.get("request_id") == 12 for report in delivery["reports"]) or any(
        question.get("request_id") == 12 for question in delivery["questions"]
    )


async def test_nobody_who_watches_is_in_them(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    home = await set_up_home(hass, "seerr", "plex", "tautulli")
    entry = home.entries["plex"]
    hass.config_entries.async_update_entry(entry, data={**entry.data, "owner_id": "20482048"})
    client = await hass_client_no_auth()
    for row in (plex_bodies.FILM, plex_bodies.EPISODE):
        told = plex_bodies.event("media.scrobble", row, account=7654321)
        answer = await client.post(
            "/api/webhook/webhook-of-plex",
            data=plex_bodies.delivery(told).body,
            headers={"Content-Type": f"multipart/form-data; boundary={plex_bodies.BOUNDARY}"},
        )
        assert answer.status == 200
    await home.runtime.async_settle()
    found = await diagnostics(hass, home, "plex")
    statements = [
        statement
        for row in found["deliveries"]
        for statement in (*row["reports"], *row["questions"])
    ]
    assert {one["statement"] for one in statements} == {"WatchReport", "Question"}
    log = await hass.services.async_call(
        DOMAIN, "get_webhook_log", {}, blocking=True, return_response=True
    )
    everything = [
        found,
        await diagnostics(hass, home, "tautulli"),
        await diagnostics(hass, home, "the-board"),
        log,
    ]
    assert log is not None
    assert log["total"] == 2
    for secret in ("7654321", "20482048", "Ada", "203.0.113.4", "plex:", PLEX_ID):
        assert secret not in str(everything), secret


async def test_a_request_whose_seasons_do_not_fit_is_a_line(hass: HomeAssistant) -> None:
    home = await set_up_home(hass)
    await home.hear(request(SHOW, 1, Decision.APPROVED, seasons=None, number=4))
    found = await diagnostics(hass, home, "seerr")
    assert found["requests_without_arrival"] == [
        {
            "request_id": 4,
            "ids": {"tmdb": 4002, "tvdb": 70_002},
            "seasons": None,
            "tier": "hd",
            "decision": "approved",
        }
    ]
    assert (await diagnostics(hass, home, "radarr"))["requests_without_arrival"] == []


async def test_the_board_tells_how_full_it_is(
    hass: HomeAssistant, snapshot: SnapshotAssertion
) -> None:
    home = await set_up_home(hass)
    await home.hear(
        request(FILM, 1), held(RADARR, FILM, 2), request(SHOW, 1, number=2, seasons=(1,))
    )
    assert await diagnostics(hass, home, "the-board") == snapshot


async def test_they_come_also_without_a_database(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await set_up_home(hass)
    with monkeypatch.context() as damaged:
        damaged.setattr(Database, "read", AsyncMock(side_effect=DatabaseDamagedError))
        found = await diagnostics(hass, home, "radarr")
    assert found["database"] == {"error": "DatabaseDamagedError"}
    assert found["deliveries"] == []
    storage, home.runtime.storage = home.runtime.storage, None
    found = await diagnostics(hass, home, "radarr")
    home.runtime.storage = storage
    assert found["database"] is None
    assert found["deliveries"] == []
    assert found["record"]["last_status"] == "ok"
