"""The simulated Seerr family has the differences of the real one."""

import json
from typing import Any

import pytest

from simulator import Stack
from simulator.flavours import FLAVOURS
from simulator.seerr_data import Presence
from tests.simulator.helpers import Client, Receiver

HOOK = "/settings/notifications/webhook"


async def test_only_some_paths_prove_a_key(stack: Stack, client: Client) -> None:
    seerr = stack.seerr
    assert (await client.get(seerr, "/status", **{"X-Api-Key": "wrong"}))["version"] == "3.3.0"
    assert "mediaServerType" in await client.get(seerr, "/settings/public")
    answer = await client.call(seerr, "GET", "/auth/me", **{"X-Api-Key": "wrong"})
    assert answer.status == 403
    assert "error" in await answer.json()
    async with client.session.get(f"{seerr.url}/api/v1/request/count") as answer:
        assert answer.status == 401
    answer = await client.call(seerr, "GET", "/auth/me", **{"X-API-User": "99"})
    assert answer.status == 403
    assert (await client.get(seerr, "/auth/me", **{"X-API-User": "3"}))["displayName"] == "Ben"


async def test_a_request_goes_the_whole_way(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    seerr = stack.seerr
    await client.slot(seerr, receiver.url())
    film = stack.catalogue.film("Silver Ferry", 2024)
    body = {"mediaType": "movie", "mediaId": film.tmdb_id}
    answer = await client.call(seerr, "POST", "/request", body, **{"X-API-User": "3"})
    assert answer.status == 201
    number = (await answer.json())["id"]
    assert (await client.call(seerr, "POST", "/request", body)).status == 409
    answer = await client.call(seerr, "POST", f"/request/{number}/approve")
    assert (await answer.json())["status"] == 2
    await stack.settle()
    movie = stack.radarr.find(film.tmdb_id)
    assert movie is not None
    document = await client.get(seerr, f"/request/{number}")
    assert document["media"]["externalServiceId"] == movie.id
    assert document["media"]["status"] == 3
    download = await stack.radarr.grab(movie)
    stack.radarr.progress(download, 0.5)
    await seerr.download_sync()
    document = await client.get(seerr, f"/request/{number}")
    (entry,) = document["media"]["downloadStatus"]
    assert (entry["sizeLeft"], entry["downloadId"]) == (download.size / 2, download.download_id)
    await stack.radarr.import_file(download)
    await seerr.scan()
    await stack.settle()
    assert receiver.events() == ["MEDIA_PENDING", "MEDIA_APPROVED", "MEDIA_AVAILABLE"]
    assert (await client.get(seerr, f"/request/{number}"))["status"] == 5
    assert receiver.calls[0].body["subject"] == "Silver Ferry (2024)"
    assert receiver.calls[1].body["media"]["status"] == "PENDING"
    assert receiver.calls[2].body["extra"] == []
    assert receiver.calls[2].body["request"]["request_id"] == str(number)
    details = await client.get(seerr, f"/movie/{film.tmdb_id}")
    assert details["mediaInfo"]["status"] == 5


@pytest.mark.parametrize("flavour", sorted(FLAVOURS))
async def test_every_flavour_delivers_and_counts(
    receiver: Receiver, client: Client, socket_enabled: None, flavour: str
) -> None:
    async with Stack.default(seerr=flavour) as house:
        seerr, about = house.seerr, FLAVOURS[flavour]
        await client.slot(seerr, receiver.url())
        play = house.play("season", speed=0, episodes=3)
        await play.until("requested")
        created = (await client.get(seerr, "/request"))["results"][0]["updatedAt"]
        house.clock.advance(60)
        await play.finish()
        await house.settle()
        assert receiver.events() == ["MEDIA_PENDING", "MEDIA_APPROVED", "MEDIA_AVAILABLE"]
        assert receiver.last()["extra"] == [{"name": "Requested Seasons", "value": "1"}]
        assert receiver.calls[0].headers.get("User-Agent") == about.user_agent
        count = await client.get(seerr, "/request/count")
        if about.completes:
            assert count["available"] == 0
        else:
            assert count["available"] == 1
        assert ("completed" in count) is about.counts_completed
        listed = await client.get(seerr, "/request")
        assert ("serviceErrors" in listed) is about.asks_services
        updated = listed["results"][0]["updatedAt"]
        assert (updated == created) is (about.updated_at == "never")
        for name in ("sortDirection=asc", "filter=completed", "mediaType=tv"):
            status = (await client.call(seerr, "GET", f"/request?{name}")).status
            allowed = about.sorts if name.startswith("sort") else about.completes
            assert status == (200 if allowed else 400), name


@pytest.mark.parametrize("flavour", ["overseerr-1.34", "jellyseerr-2.7", "seerr-3.1", "seerr-3.3"])
@pytest.mark.parametrize("right", [True, False])
async def test_the_wrong_encoding_is_stored_and_never_delivers(
    receiver: Receiver, client: Client, socket_enabled: None, flavour: str, *, right: bool
) -> None:
    async with Stack.default(seerr=flavour) as house:
        seerr = house.seerr
        template = json.dumps({"notification_type": "{{notification_type}}", "{{media}}": {}})
        literal = FLAVOURS[flavour].literal_template is right
        body = {
            "enabled": True,
            "types": 222,
            "options": {
                "webhookUrl": receiver.url(),
                "jsonPayload": json.dumps(template) if literal else template,
                "authHeader": "Bearer abc",
            },
        }
        test = await client.call(seerr, "POST", f"{HOOK}/test", body)
        stored = await client.call(seerr, "POST", HOOK, body)
        assert (test.status, stored.status) == (204 if right else 500, 200)
        seerr.ask(house.catalogue.film())
        await house.settle()
        if not right:
            assert receiver.calls == []
            return
        assert receiver.calls[0].event == "TEST_NOTIFICATION"
        assert receiver.calls[0].body["media"] is None
        assert receiver.calls[0].headers["Authorization"] == "Bearer abc"
        assert "MEDIA_AUTO_APPROVED" in [call.event for call in receiver.calls]
        settings = await client.get(seerr, HOOK)
        assert settings["options"]["jsonPayload"] == template
        assert "embedPoster" not in settings


async def test_a_test_fails_visibly(stack: Stack, receiver: Receiver, client: Client) -> None:
    settings = await client.get(stack.seerr, HOOK)
    settings["options"]["webhookUrl"] = receiver.url()
    receiver.status = 401
    answer = await client.call(stack.seerr, "POST", f"{HOOK}/test", settings)
    assert answer.status == 500
    assert await answer.json() == {"message": "Failed to send webhook notification."}
    await receiver.stop()
    assert (await client.call(stack.seerr, "POST", f"{HOOK}/test", settings)).status == 500


async def test_the_template_engine(stack: Stack, receiver: Receiver, client: Client) -> None:
    seerr = stack.seerr
    template = {
        "twice": "{{request_id}}{{request_id}}",
        "unknown": "{{media_imdb}}",
        "kept": "{{extra}}",
        "{{extra}}": "whatever",
        "{{issue}}": {"id": "{{issue_id}}"},
        "fixed": {"media": {"status": "{{media_status}}"}},
        "text": "{{message}}",
    }
    body = {
        "enabled": True,
        "types": 222,
        "options": {
            "webhookUrl": receiver.url("{{media_type}}/{{media_tvdbid}}"),
            "jsonPayload": json.dumps(template),
            "supportVariables": True,
            "customHeaders": [{"key": "X-Token", "value": "t"}],
        },
    }
    await client.call(seerr, "POST", HOOK, body)
    seerr.ask(stack.catalogue.film(overview="It costs $$5"))
    await stack.settle()
    call = receiver.calls[0]
    assert call.path == "/movie/test"
    assert call.headers["X-Token"] == "t"
    assert call.body == {
        "twice": "1{{request_id}}",
        "unknown": "{{media_imdb}}",
        "kept": "{{extra}}",
        "fixed": {"media": {"status": "PENDING"}},
        "text": "It costs $5",
        "extra": [],
        "issue": None,
    }
    assert list(call.body)[-2:] == ["extra", "issue"]


async def test_a_broken_template_breaks_reading(stack: Stack, client: Client) -> None:
    await client.call(stack.seerr, "POST", HOOK, {"enabled": True, "types": 2, "options": {}})
    settings = await client.get(stack.seerr, HOOK)
    assert settings["options"]["jsonPayload"] == ""
    stack.seerr.webhook["options"]["jsonPayload"] = ""
    assert (await client.call(stack.seerr, "GET", HOOK)).status == 500


async def test_csrf_protection_refuses_writing_only(stack: Stack, client: Client) -> None:
    stack.seerr.csrf_protection = True
    await client.get(stack.seerr, HOOK)
    assert (await client.call(stack.seerr, "POST", HOOK, {})).status == 403


async def test_seasons_nothing_left_and_bad_requests(stack: Stack, client: Client) -> None:
    seerr = stack.seerr
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    body: dict[str, Any] = {"mediaType": "tv", "mediaId": show.tmdb_id, "seasons": [1]}
    assert (await client.call(seerr, "POST", "/request", body)).status == 201
    assert (await client.call(seerr, "POST", "/request", body)).status == 202
    answer = await client.call(seerr, "POST", "/request", body | {"seasons": "all"})
    assert [s["seasonNumber"] for s in (await answer.json())["seasons"]] == [2]
    del body["seasons"]
    assert (await client.call(seerr, "POST", "/request", body)).status == 500
    assert (await client.call(seerr, "POST", "/request", {"mediaType": "book"})).status == 400
    answer = await client.call(seerr, "POST", "/request", {"mediaType": "movie", "mediaId": 5})
    assert answer.status == 500
    blocked = stack.catalogue.film()
    seerr.block(blocked)
    body = {"mediaType": "movie", "mediaId": blocked.tmdb_id}
    assert (await client.call(seerr, "POST", "/request", body)).status == 403
    seerr.users[3].movie_quota = 1
    seerr.ask(stack.catalogue.film(), by="Ben")
    body["mediaId"] = stack.catalogue.film().tmdb_id
    answer = await client.call(seerr, "POST", "/request", body, **{"X-API-User": "3"})
    assert (answer.status, await answer.json()) == (403, {"message": "Movie Quota exceeded."})
    quota = await client.get(seerr, "/user/3/quota")
    assert quota["movie"] == {
        "limit": 1,
        "days": 7,
        "used": 1,
        "remaining": 0,
        "restricted": True,
    }


async def test_a_small_key_sees_its_own_requests_only(stack: Stack, client: Client) -> None:
    seerr = stack.seerr
    for name in ("Anna", "Ben", "Ben"):
        seerr.ask(stack.catalogue.film(), by=name)
    assert (await client.get(seerr, "/request"))["pageInfo"]["results"] == 3
    seerr.key_user = 3
    assert (await client.get(seerr, "/request"))["pageInfo"]["results"] == 2
    assert (await client.call(seerr, "GET", "/request/1")).status == 403
    assert (await client.call(seerr, "GET", HOOK)).status == 403
    assert (await client.call(seerr, "POST", "/request/2/approve")).status == 403


async def test_paging_and_filters(stack: Stack, client: Client) -> None:
    seerr = stack.seerr
    requests = [seerr.ask(stack.catalogue.film(), by="Ben") for _ in range(13)]
    page = await client.get(seerr, "/request")
    assert page["pageInfo"] == {"pages": 2, "pageSize": 10, "results": 13, "page": 1}
    assert page["results"][0]["id"] == 13
    page = await client.get(seerr, "/request?take=5&skip=10&sort=added")
    assert [item["id"] for item in page["results"]] == [3, 2, 1]
    assert "title" not in page["results"][0]["media"]
    assert "seasons" not in page["results"][0]["media"]
    assert requests[0] is not None
    seerr.decline(requests[0])
    for name, number in (("pending", 12), ("unavailable", 12), ("failed", 0), ("all", 13)):
        page = await client.get(seerr, f"/request?filter={name}")
        assert page["pageInfo"]["results"] == number, name
    for bad in ("filter=declined", "order=id", "take=many"):
        assert (await client.call(seerr, "GET", f"/request?{bad}")).status == 400
    assert (await client.call(seerr, "GET", "/request/99")).status == 404
    media = await client.get(seerr, "/media?filter=pending")
    assert media["pageInfo"]["results"] == 12


async def test_services_that_hang_slow_the_list_down(stack: Stack, client: Client) -> None:
    seerr = stack.seerr
    seerr.arr_timeout = 0.1
    stack.radarr.misbehave("hang")
    await stack.sonarr.go_down()
    page = await client.get(seerr, "/request")
    assert page["serviceErrors"] == {
        "radarr": [{"id": 0, "name": "radarr"}],
        "sonarr": [{"id": 0, "name": "sonarr"}],
    }


async def test_a_failed_hand_over_can_be_left_again(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    seerr = stack.seerr
    await client.slot(seerr, receiver.url())
    play = stack.play("refused", speed=0)
    await play.until("failed")
    await stack.settle()
    assert sorted(receiver.events()) == ["MEDIA_AUTO_APPROVED", "MEDIA_FAILED"]
    page = await client.get(seerr, "/request?filter=failed")
    assert page["results"][0]["status"] == 4
    await play.finish()
    assert receiver.events()[-1] == "MEDIA_APPROVED"
    assert (await client.get(seerr, "/request/1"))["media"]["status"] == 3


async def test_a_film_that_was_added_in_spite_of_a_time_out_arrives(stack: Stack) -> None:
    seerr, film = stack.seerr, stack.catalogue.film()
    stack.radarr.misbehave("500", path="/lookup", times=1)
    request = seerr.ask(film)
    await stack.settle()
    assert request is not None
    assert request.status == 4
    movie = await stack.radarr.add_movie(film)
    stack.radarr.scan_file(movie)
    await seerr.scan()
    assert request.status == 5


async def test_4k_beside_hd(stack: Stack, receiver: Receiver, client: Client) -> None:
    await client.slot(stack.seerr, receiver.url())
    play = stack.play("copy_4k", speed=0)
    await play.finish()
    assert len(stack.radarr.movies) == len(stack.radarr_4k.movies) == 1
    last = receiver.last()
    assert last["event"] == "4K Movie Request Now Available"
    assert (last["media"]["status"], last["media"]["status4k"]) == ("AVAILABLE", "AVAILABLE")
    requests = (await client.get(stack.seerr, "/request"))["results"]
    assert [item["is4k"] for item in requests] == [True, False]


async def test_titles_that_vanish_are_deleted_without_a_word(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    seerr = stack.seerr
    play = stack.play("film", speed=0, by="Carla")
    await play.finish()
    await client.slot(seerr, receiver.url())
    (movie,) = stack.radarr.movies.values()
    await stack.radarr.delete_movie(movie)
    await seerr.scan(everything=True)
    assert (await client.get(seerr, "/request/1"))["media"]["status"] == Presence.DELETED
    assert (await client.get(seerr, "/request?filter=deleted"))["pageInfo"]["results"] == 1
    assert (await client.call(seerr, "DELETE", "/request/1")).status == 204
    assert (await client.call(seerr, "GET", "/request/1")).status == 404
    await stack.settle()
    assert receiver.calls == []


async def test_servers_people_and_jobs(stack: Stack, client: Client) -> None:
    seerr = stack.seerr
    servers = await client.get(seerr, "/settings/radarr")
    assert [(s["name"], s["is4k"], s["isDefault"]) for s in servers] == [
        ("radarr", False, True),
        ("radarr_4k", True, True),
    ]
    assert servers[0]["apiKey"] == stack.radarr.api_key
    assert "apiKey" not in (await client.get(seerr, "/service/sonarr"))[0]
    assert (await client.get(seerr, "/service/sonarr/0"))["profiles"][0]["id"] == 1
    assert (await client.get(seerr, "/user?take=2"))["pageInfo"]["results"] == 4
    answer = await client.call(seerr, "POST", "/settings/jobs/download-sync/run")
    assert answer.status == 200
    assert (await client.call(seerr, "POST", "/settings/jobs/nothing/run")).status == 404
    found = await client.get(seerr, "/search?query=silver%20f")
    assert found["totalResults"] == 0
    assert (await client.call(seerr, "GET", "/tv/1")).status == 500


async def test_editing_an_approved_request_tells_of_it_again(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    seerr = stack.seerr
    show = stack.catalogue.show(seasons={1: 2, 2: 2})
    request = seerr.ask(show, seasons=[1])
    await stack.settle()
    await client.slot(seerr, receiver.url())
    assert request is not None
    body = {"mediaType": "tv", "seasons": [1, 2]}
    assert (await client.call(seerr, "PUT", f"/request/{request.id}", body)).status == 200
    await stack.settle()
    assert receiver.events() == ["MEDIA_APPROVED"]
    series = stack.sonarr.find(show.tvdb_id)
    assert series is not None
    assert series.seasons == {1: True, 2: True}
