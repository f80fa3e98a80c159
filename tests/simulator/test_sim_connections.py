"""The webhook connections of the simulated Radarr and Sonarr have the real ones' quirks."""

from base64 import b64encode
from typing import Any

import pytest

from simulator import Stack
from tests.simulator.helpers import Client, Receiver, connection


async def test_creating_sends_a_test_and_answers_with_the_resource(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    answer = await client.connect(stack.radarr, receiver.url(), fields={"password": "secret"})
    resource = await answer.json()
    assert answer.status == 201
    assert resource["id"] == 1
    assert resource["supportsOnGrab"] is True
    assert "somethingUnknown" not in resource
    fields = {field["name"]: field.get("value") for field in resource["fields"]}
    assert fields["password"] == "********"
    (call,) = receiver.calls
    assert call.event == "Test"
    assert call.body["movie"]["tmdbId"] == 0
    assert call.headers["User-Agent"].startswith("Radarr/6.0.3.10205 (")
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["Authorization"] == f"Basic {b64encode(b':secret').decode()}"


async def test_a_receiver_that_refuses_blocks_creation_with_a_list(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    receiver.status = 401
    answer = await client.connect(stack.sonarr, receiver.url(), path="?forceSave=true")
    assert answer.status == 400
    (problem,) = await answer.json()
    assert problem["propertyName"] == "Url"
    assert "401" in problem["errorMessage"]
    assert await client.get(stack.sonarr, "/notification") == []


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-name.invalid", "192.0.2.7:8123"])
async def test_a_receiver_that_cannot_be_reached_gives_an_object(
    stack: Stack, client: Client, host: str
) -> None:
    answer = await client.connect(stack.radarr, f"http://{host}/hook")
    assert answer.status == 500
    assert set(await answer.json()) == {"message", "description"}


async def test_create_silently_then_switch_on_with_force(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    receiver.status = 500
    arr = stack.radarr
    off: dict[str, Any] = dict.fromkeys(arr.features().flags, False)
    answer = await client.connect(arr, receiver.url(), **off)
    assert answer.status == 201
    body = connection(arr, receiver.url())
    assert (await client.call(arr, "PUT", "/notification/1", body)).status == 400
    answer = await client.call(arr, "PUT", "/notification/1?forceSave=true", body)
    assert answer.status == 202
    assert [call.event for call in receiver.calls] == ["Test"]
    resource = await client.get(arr, "/notification/1")
    assert resource["onGrab"] is True


async def test_put_replaces_everything_but_a_masked_password(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url(), fields={"username": "u", "password": "p"})
    body = connection(arr, receiver.url(), fields={"username": "u", "password": "********"})
    del body["onGrab"]
    await client.call(arr, "PUT", "/notification/1?forceSave=true", body)
    assert (await client.get(arr, "/notification/1"))["onGrab"] is False
    movie = await arr.add_movie(stack.catalogue.film())
    await arr.grab(movie)
    assert receiver.events() == ["MovieAdded"]
    assert receiver.calls[-1].headers["Authorization"] == f"Basic {b64encode(b'u:p').decode()}"


async def test_an_unchanged_put_does_not_test_but_old_versions_do(
    receiver: Receiver, client: Client, socket_enabled: None
) -> None:
    house = Stack()
    new, old = house.add_radarr(), house.add_radarr("old", version="4.7.5.7809")
    async with house:
        for arr in (new, old):
            await client.connect(arr, receiver.url(arr.name))
            body = await client.get(arr, "/notification/1")
            assert (await client.call(arr, "PUT", "/notification/1", body)).status == 202
    assert [call.path for call in receiver.calls] == ["/radarr", "/old", "/old"]


async def test_names_are_unique_and_addresses_well_formed(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    await client.connect(stack.radarr, receiver.url())
    answer = await client.connect(stack.radarr, receiver.url(), name="HOME")
    assert answer.status == 400
    assert (await answer.json())[0]["errorMessage"] == "Should be unique"
    answer = await client.connect(stack.radarr, "homeassistant/hook", name="Other")
    assert (await answer.json())[0]["propertyName"] == "Url"


@pytest.mark.parametrize(
    ("version", "headers", "complete"),
    [("3.0.10.1567", False, False), ("4.0.5.1710", False, False), ("4.0.16.2944", True, True)],
)
async def test_the_schema_tells_what_a_version_knows(
    client: Client, socket_enabled: None, version: str, *, headers: bool, complete: bool
) -> None:
    house = Stack()
    sonarr = house.add_sonarr(version=version)
    async with house:
        schema = await client.get(sonarr, "/notification/schema")
    (webhook,) = [item for item in schema if item["implementation"] == "Webhook"]
    assert ("headers" in [field["name"] for field in webhook["fields"]]) is headers
    assert ("supportsOnImportComplete" in webhook) is complete


async def test_custom_headers_and_put(stack: Stack, receiver: Receiver, client: Client) -> None:
    fields = {"method": 2, "headers": [{"key": "X-Media-Token", "value": "abc"}]}
    await client.connect(stack.sonarr, receiver.url(), fields=fields)
    assert receiver.calls[0].method == "PUT"
    assert receiver.calls[0].headers["X-Media-Token"] == "abc"


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (307, "POST")])
async def test_redirects_turn_a_post_into_a_get(
    stack: Stack, receiver: Receiver, client: Client, status: int, method: str
) -> None:
    receiver.status, receiver.location = status, receiver.url("final")
    assert (await client.connect(stack.radarr, receiver.url())).status == 201
    assert [call.method for call in receiver.calls] == ["POST", method]
    assert bool(receiver.calls[-1].raw) is (method == "POST")


async def test_failures_mute_and_a_test_with_the_id_lifts_it(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    receiver.status = 503

    async def happen() -> int:
        before = len(receiver.calls)
        await arr.add_movie(stack.catalogue.film())
        return len(receiver.calls) - before

    assert [await happen(), await happen()] == [1, 1]  # the first five minutes mute nothing
    stack.clock.advance(301)
    assert [await happen(), await happen()] == [1, 0]
    health = await client.get(arr, "/health")
    assert health[0]["source"] == "NotificationStatusCheck"
    stack.clock.advance(299)
    assert await happen() == 0
    stack.clock.advance(2)
    assert await happen() == 1  # level 3
    stack.clock.advance(899)
    assert await happen() == 0
    assert arr.sender.counts()["muted"] == 3
    receiver.status = 200
    body = connection(arr, receiver.url(), id=1)
    assert (await client.call(arr, "POST", "/notification/test", body)).status == 200
    assert await happen() == 1
    assert arr.connections.rows[1].level == 1
    assert await client.get(arr, "/health") == []


async def test_muting_is_mild_after_a_start_and_unknown_to_old_versions(
    receiver: Receiver, client: Client, socket_enabled: None
) -> None:
    house = Stack()
    arr, old = house.add_radarr(), house.add_sonarr("old", version="3.0.10.1567")
    async with house:
        await client.connect(arr, receiver.url())
        await client.connect(old, receiver.url("old"))
        receiver.status = 500
        arr.restart()
        for _ in range(3):
            await arr.add_movie(house.catalogue.film())
            series = await old.add_series(house.catalogue.show())
            await old.grab(series.season(1))
            house.clock.advance(301)
        assert arr.connections.rows[1].level == 1
        assert old.connections.rows[1].level == 0


async def test_test_all_and_the_answer_to_a_test(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    await client.connect(stack.radarr, receiver.url())
    answer = await client.call(stack.radarr, "POST", "/notification/testall")
    assert (answer.status, await answer.json()) == (
        200,
        [{"id": 1, "isValid": True, "validationFailures": []}],
    )
    await receiver.stop()
    answer = await client.call(stack.radarr, "POST", "/notification/testall")
    assert answer.status == 400
    await receiver.start()
    body = connection(stack.radarr, receiver.url(), id=1)
    answer = await client.call(
        stack.radarr, "POST", "/notification/test", body, Accept="application/json"
    )
    assert await answer.json() == "{}"
    answer = await client.call(stack.radarr, "POST", "/notification/test", body, Accept="*/*")
    assert (answer.content_type, await answer.text()) == ("text/plain", "{}")


async def test_tags_filter_titles_but_not_health(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    wanted = arr.tag("family")
    await client.connect(arr, receiver.url(), tags=[wanted])
    await arr.add_movie(stack.catalogue.film())
    await arr.add_movie(stack.catalogue.film(), tags=[wanted])
    await arr.health("error", "IndexerStatusCheck", "All indexers are unavailable")
    await arr.health("notice", "UpdateCheck", "New update is available")
    await arr.health_restored("IndexerStatusCheck")
    assert receiver.events() == ["MovieAdded", "Health", "HealthRestored"]
    assert receiver.last()["level"] == "error"
    assert "applicationUrl" not in receiver.last()


async def test_adding_without_options_counts_as_a_failure(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    await client.connect(stack.radarr, receiver.url())
    film = stack.catalogue.film()
    body: dict[str, Any] = {
        "tmdbId": film.tmdb_id,
        "qualityProfileId": 4,
        "rootFolderPath": "/media/films",
        "monitored": True,
    }
    assert (await client.call(stack.radarr, "POST", "/movie", body)).status == 201
    assert receiver.events() == []
    assert stack.radarr.connections.rows[1].level == 1
    answer = await client.call(stack.radarr, "POST", "/movie", body)
    assert (await answer.json())[0]["errorCode"] == "MovieExistsValidator"
