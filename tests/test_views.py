"""The endpoints: whether we can be reached, and what became of deliveries."""

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals.engine.storage.models import DatabaseUnavailableError
from tests.house import House
from tests.payloads import FILM, radarr_grab, radarr_rename

TEST = "/api/media_arrivals/webhooks/test"
STATUS = "/api/media_arrivals/webhooks/status"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_everybody_may_see_that_we_are_there(house: House, method: str) -> None:
    await house.start()

    answer = await house.client.request(method, TEST)

    assert answer.status == 200
    body = await answer.json()
    assert set(body) == {"status", "message", "service", "timestamp"}
    assert (body["status"], body["service"]) == ("ok", "media_arrivals")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_version_is_for_those_who_are_logged_in(
    house: House, hass_client: ClientSessionGenerator, method: str
) -> None:
    await house.start()
    client = await hass_client()

    body = await (await client.request(method, TEST)).json()

    assert body["version"] == "0.1.0"


async def test_the_status_is_for_administrators(
    house: House,
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_read_only_access_token: str,
) -> None:
    await house.start()
    reader = await hass_client(hass_read_only_access_token)

    assert (await house.client.get(STATUS)).status == 401
    assert (await reader.get(STATUS)).status == 401


async def test_the_status_says_what_became_of_deliveries(
    house: House, hass_client: ClientSessionGenerator
) -> None:
    first = house.add_service(house.stack.radarr)
    second = house.add_service(house.stack.radarr_4k)
    third = house.add_service(house.stack.sonarr)
    movie = house.stack.radarr.put_movie(FILM)
    await house.start()
    await house.post(first, radarr_grab(movie_id=movie.id))
    await house.post(second, radarr_rename())
    await house.post(second, radarr_rename(), secret="wrong")
    await house.until(lambda: house.record(first).processed, what="a delivery worked off")
    client = await hass_client()

    answer = await client.get(STATUS)

    assert answer.status == 200
    body = await answer.json()
    assert body["total_webhooks"] == 2
    assert body["by_source"] == {"radarr": 2, "sonarr": 0}
    assert {name: body[name] for name in ("processed", "ignored", "failed", "missed")} == {
        "processed": 1,
        "ignored": 1,
        "failed": 0,
        "missed": 0,
    }
    assert body["refused"] == 1
    by_service = {service["service"]: service for service in body["services"]}
    assert by_service.keys() == {first.entry_id, second.entry_id, third.entry_id}
    assert by_service[second.entry_id]["ignored"] == 1
    assert by_service[first.entry_id]["name"] == "radarr"
    newest, oldest = body["recent_webhooks"]
    assert newest["received_at"] >= oldest["received_at"]
    assert (newest["source"], newest["event_type"], newest["processed"]) == (
        "radarr",
        "Rename",
        True,
    )
    assert (newest["outcome"], newest["reason"], newest["error_message"]) == (
        "ignored",
        "unused_event",
        None,
    )
    assert (oldest["event_type"], oldest["outcome"]) == ("Grab", "processed")


async def test_the_status_without_a_journal(
    house: House, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add_service(house.stack.radarr)
    await house.start()
    client = await hass_client()

    async def broken(**_: object) -> None:
        raise DatabaseUnavailableError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(house.storage.journal, "recent", broken)
        assert (await client.get(STATUS)).status == 503

    await house.runtime.async_close()
    body = await (await client.get(STATUS)).json()
    assert body["recent_webhooks"] == []
