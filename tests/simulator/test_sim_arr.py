"""The simulated Radarr and Sonarr answer and tell what the real ones do."""

import re
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from simulator import Stack
from simulator.arr import TORRENT
from tests.simulator.helpers import Client, Receiver


async def test_the_key_is_taken_by_header_query_and_bearer(
    stack: Stack, client: Client, socket_enabled: None
) -> None:
    arr = stack.radarr
    url = f"{arr.url}/api/v3/system/status"
    async with ClientSession() as session:
        for headers, query, status in (
            ({}, "", 401),
            ({"X-Api-Key": "wrong"}, "", 401),
            ({"X-Api-Key": arr.api_key}, "", 200),
            ({}, f"?apikey={arr.api_key}", 200),
            ({"Authorization": f"Bearer {arr.api_key}"}, "", 200),
        ):
            async with session.get(url + query, headers=headers) as answer:
                assert answer.status == status
                if status == 401:
                    assert await answer.read() == b""
        async with session.get(f"{arr.url}/ping") as answer:
            assert await answer.json() == {"status": "OK"}


async def test_a_url_base_left_out_is_redirected(client: Client, socket_enabled: None) -> None:
    house = Stack()
    arr = house.add_radarr(url_base="/radarr", instance_name="Cinema")
    async with house:
        assert arr.url.endswith("/radarr")
        status = await client.get(arr, "/system/status")
        assert (status["appName"], status["instanceName"]) == ("Radarr", "Cinema")
        assert status["urlBase"] == "/radarr"
        bare = f"http://127.0.0.1:{arr.port}/api/v3/system/status?x=1"
        async with client.session.get(bare, allow_redirects=False) as answer:
            assert answer.status == 307
            assert answer.headers["Location"] == "/radarr/api/v3/system/status?x=1"
    assert arr.calls[0].endpoint == "/api/v3/system/status"


async def test_a_film_on_its_way(stack: Stack, receiver: Receiver, client: Client) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    film = stack.catalogue.film("Silver Ferry", 2024)
    assert await client.get(arr, f"/movie?tmdbId={film.tmdb_id}") == []
    movie = await arr.add_movie(film)
    assert receiver.last()["addMethod"] == "manual"
    download = await arr.grab(movie)
    grab = receiver.last()
    assert list(grab)[-3:] == ["eventType", "instanceName", "applicationUrl"]
    assert grab["downloadId"] == download.download_id
    assert "releaseType" not in grab["release"]
    arr.progress(download, 0.25)
    (row,) = await client.get(arr, "/queue/details")
    assert row["sizeleft"] == download.size * 0.75
    assert re.fullmatch(r"(\d+\.)?\d\d:\d\d:\d\d", row["timeleft"])
    assert (row["status"], row["trackedDownloadState"]) == ("downloading", "downloading")
    arr.progress(download, 1)
    (row,) = (await client.get(arr, "/queue"))["records"]
    assert (row["status"], row["trackedDownloadState"]) == ("completed", "importPending")
    assert row["errorMessage"] == ""
    await arr.import_file(download)
    imported = receiver.last()
    assert imported["isUpgrade"] is False
    assert re.search(r"\.\d{7}Z$", imported["movieFile"]["dateAdded"])
    assert "deletedFiles" not in imported
    assert await client.get(arr, "/queue/details") == []
    (listed,) = await client.get(arr, f"/movie?tmdbId={film.tmdb_id}")
    assert listed["hasFile"] is True
    rows = (await client.get(arr, f"/history?downloadId={download.download_id}"))["records"]
    assert [row["eventType"] for row in rows] == ["downloadFolderImported", "grabbed"]
    assert receiver.events() == ["MovieAdded", "Grab", "Download"]


async def test_an_upgrade_deletes_before_it_imports(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    movie = arr.put_movie(stack.catalogue.film(), quality="WEBDL-720p")
    await arr.import_file(await arr.grab(movie, quality="Bluray-1080p"))
    assert receiver.events() == ["Grab", "MovieFileDelete", "Download"]
    assert receiver.calls[-2].body["deleteReason"] == "upgrade"
    assert receiver.last()["isUpgrade"] is True
    assert len(receiver.last()["deletedFiles"]) == 1
    rows = await client.get(arr, f"/history/movie?movieId={movie.id}")
    deleted = [row for row in rows if row["eventType"] == "movieFileDeleted"]
    assert deleted[0]["data"]["reason"] == "Upgrade"
    assert "downloadId" not in deleted[0]


async def test_nothing_tells_of_failures_progress_and_disk_scans(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    movie = arr.put_movie(stack.catalogue.film())
    download = await arr.grab(movie)
    arr.progress(download, 0.5)
    arr.fail(download)
    arr.scan_file(movie)
    assert receiver.events() == ["Grab"]
    rows = await client.get(arr, "/history/since?date=2020-01-01&eventType=downloadFailed")
    assert [row["downloadId"] for row in rows] == [download.download_id]
    assert (await client.get(arr, f"/movie/{movie.id}"))["hasFile"] is True


async def test_history_since_includes_its_date_and_ascends(stack: Stack, client: Client) -> None:
    arr = stack.radarr
    for _ in range(3):
        await arr.grab(arr.put_movie(stack.catalogue.film()))
        stack.clock.advance(10)
    rows = await client.get(arr, "/history/since?date=2020-01-01T00:00:00Z")
    dates = [row["date"] for row in rows]
    assert dates == sorted(dates)
    later = await client.get(arr, f"/history/since?date={dates[1]}")
    assert [row["id"] for row in later] == [2, 3]
    integers = await client.get(arr, "/history?eventType=1&eventType=3")
    assert integers["totalRecords"] == 3
    answer = await client.call(arr, "GET", "/history?eventType=grabbed")
    assert answer.status == 400
    answer = await client.call(arr, "GET", "/history/since?date=yesterday")
    assert answer.status == 400


async def test_the_queue_has_ten_rows_and_hides_what_it_does_not_know(
    stack: Stack, client: Client
) -> None:
    arr = stack.radarr
    for _ in range(12):
        await arr.grab(arr.put_movie(stack.catalogue.film()))
    arr.unmatched("Some.Thing.Nobody.Knows.1080p")
    page = await client.get(arr, "/queue")
    assert (len(page["records"]), page["totalRecords"], page["pageSize"]) == (10, 12, 10)
    page = await client.get(arr, "/queue?includeUnknownMovieItems=true&page=2&pageSize=10")
    assert (len(page["records"]), page["totalRecords"]) == (3, 13)
    details = await client.get(arr, "/queue/details")
    assert len(details) == 13
    assert "movieId" not in details[-1]
    status = await client.get(arr, "/queue/status")
    assert (status["count"], status["unknownCount"], status["totalCount"]) == (12, 1, 13)
    async with arr.client_away():
        assert await client.get(arr, "/queue/details") == []
    assert len(await client.get(arr, "/queue/details")) == 13


async def test_a_delayed_release_has_no_download_id(stack: Stack, client: Client) -> None:
    stack.radarr.delay(stack.radarr.put_movie(stack.catalogue.film()))
    (row,) = await client.get(stack.radarr, "/queue/details")
    assert row["status"] == "delay"
    assert {"downloadId", "trackedDownloadState", "trackedDownloadStatus"}.isdisjoint(row)
    assert row["size"] == row["sizeleft"]


async def test_a_blocked_import_asks_once_for_a_person(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    for arr, thing in ((stack.radarr, "movie"), (stack.sonarr, "series")):
        receiver.calls.clear()
        await client.connect(arr, receiver.url())
        if arr is stack.radarr:
            download = await stack.radarr.grab(stack.radarr.put_movie(stack.catalogue.film()))
        else:
            series = stack.sonarr.put_series(stack.catalogue.show())
            download = await stack.sonarr.grab(series.season(1)[:1])
        for _ in range(2):
            await arr.block_import(download, "Not a match")
        assert receiver.events() == ["Grab", "ManualInteractionRequired"]
        assert thing in receiver.last()
        assert receiver.last()["downloadStatus"] == "Warning"
        rows = await client.get(arr, "/queue/details")
        assert rows[0]["trackedDownloadState"] == "importBlocked"


async def test_deleting_a_film_erases_its_history_and_ids_come_again(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    movie = await arr.add_movie(stack.catalogue.film())
    await arr.import_file(await arr.grab(movie))
    answer = await client.call(arr, "DELETE", f"/movie/{movie.id}?deleteFiles=true")
    assert (answer.status, await answer.json()) == (200, {})
    assert receiver.last()["deletedFiles"] is True
    assert receiver.last()["movieFolderSize"] > 0
    assert await client.get(arr, "/history/since?date=2020-01-01") == []
    assert (await client.call(arr, "GET", f"/movie/{movie.id}")).status == 404
    arr.reinstall()
    assert (await arr.add_movie(stack.catalogue.film())).id == movie.id
    assert await client.get(arr, "/notification") == []


async def test_a_season_pack_is_one_download_with_a_row_per_episode(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.sonarr
    await client.connect(arr, receiver.url())
    show = stack.catalogue.show("Tide House", seasons={0: 2, 1: 10}, every=timedelta(days=1))
    series = await arr.add_series(show, seasons=[1])
    download = await arr.grab(series.season(1), client=TORRENT)
    assert len(receiver.last()["episodes"]) == 10
    assert "releaseType" not in receiver.last()["release"]
    rows = await client.get(arr, f"/queue/details?seriesId={series.id}&includeEpisode=true")
    assert len({row["id"] for row in rows}) == 10
    assert {(row["size"], row["downloadId"]) for row in rows} == {
        (download.size, download.download_id)
    }
    arr.progress(download, 1)
    await arr.import_files(download)
    assert receiver.events() == ["SeriesAdd", "Grab", *["Download"] * 11]
    complete = receiver.last()
    assert complete["fileCount"] == 10
    assert {"episodeFile", "isUpgrade", "customFormatInfo"}.isdisjoint(complete)
    assert complete["release"]["releaseType"] == "seasonPack"
    document = await client.get(arr, f"/series/{series.id}")
    specials, season = document["seasons"]
    assert season["statistics"]["episodeFileCount"] == 10
    assert specials["monitored"] is False
    history = await client.get(arr, f"/history/series?seriesId={series.id}&seasonNumber=1")
    assert len(history) == 20


async def test_an_older_sonarr_knows_no_complete_import_and_no_names(
    receiver: Receiver, client: Client, socket_enabled: None
) -> None:
    house = Stack()
    arr = house.add_sonarr(version="3.0.10.1567")
    async with house:
        await client.connect(arr, receiver.url())
        series = await arr.add_series(house.catalogue.show(seasons={1: 2}))
        await arr.import_files(await arr.grab(series.season(1)))
        assert receiver.events() == ["Grab", "Download", "Download"]
        last = receiver.last()
        assert {"instanceName", "applicationUrl", "release"}.isdisjoint(last)
        assert "year" not in last["series"]
        resource = await client.get(arr, "/notification/1")
        assert "headers" not in [field["name"] for field in resource["fields"]]
        status = await client.get(arr, "/system/status")
        assert status["version"] == "3.0.10.1567"


async def test_part_of_a_pack_imports_and_the_rest_fails(stack: Stack, client: Client) -> None:
    arr = stack.sonarr
    series = arr.put_series(stack.catalogue.show())
    episodes = series.season(1)
    download = await arr.grab(episodes)
    await arr.import_files(download, episodes[:4])
    rows = await client.get(arr, "/queue/details")
    assert len(rows) == 6
    arr.fail(download)
    failed = await client.get(arr, "/history/since?date=2020-01-01&eventType=downloadFailed")
    assert len(failed) == 6


async def test_an_episode_replaced_or_lost(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.sonarr
    await client.connect(arr, receiver.url())
    series = arr.put_series(stack.catalogue.show(), quality="WEBDL-720p")
    episode = series.season(1)[0]
    await arr.import_files(await arr.grab([episode], quality="WEBDL-1080p"))
    assert receiver.events()[1:] == ["EpisodeFileDelete", "Download", "Download"]
    await arr.delete_file(episode, "missingFromDisk")
    assert receiver.last()["deleteReason"] == "missingFromDisk"
    arr.scan_file(episode)
    await arr.rename_files(series)
    assert receiver.last()["eventType"] == "Rename"
    await arr.delete_series(series)
    assert receiver.last()["eventType"] == "SeriesDelete"
    assert await client.get(arr, f"/series?tvdbId={series.show.tvdb_id}") == []


async def test_episodes_need_a_parameter_and_count_what_has_aired(
    stack: Stack, client: Client
) -> None:
    arr = stack.sonarr
    first = stack.clock.now() - timedelta(days=15, hours=2)
    series = arr.put_series(stack.catalogue.show(first_aired=first))
    assert (await client.call(arr, "GET", "/episode")).status == 400
    episodes = await client.get(arr, f"/episode?seriesId={series.id}&seasonNumber=1")
    assert len(episodes) == 10
    numbers = f"/episode?episodeIds={episodes[0]['id']}&episodeIds={episodes[1]['id']}"
    assert len(await client.get(arr, numbers)) == 2
    document = await client.get(arr, f"/series/{series.id}")
    statistics = document["seasons"][0]["statistics"]
    assert (statistics["episodeCount"], statistics["totalEpisodeCount"]) == (3, 10)
    end = (stack.clock.now() + timedelta(days=8)).isoformat()
    calendar = await client.get(arr, f"/calendar?end={end.replace('+', '%2B')}&includeSeries=true")
    assert [item["episodeNumber"] for item in calendar] == [4]
    assert calendar[0]["series"]["id"] == series.id


async def test_adding_a_series_by_the_api(stack: Stack, receiver: Receiver, client: Client) -> None:
    arr = stack.sonarr
    await client.connect(arr, receiver.url())
    show = stack.catalogue.show(seasons={1: 3, 2: 3})
    (found,) = await client.get(arr, f"/series/lookup?term=tvdb:{show.tvdb_id}")
    body = {
        **found,
        "qualityProfileId": 4,
        "rootFolderPath": "/media/series",
        "seasons": [{"seasonNumber": 2, "monitored": True}],
    }
    assert (await client.call(arr, "POST", "/series", {"title": ""})).status == 400
    answer = await client.call(arr, "POST", "/series", body)
    assert answer.status == 201
    assert [s["monitored"] for s in (await answer.json())["seasons"]] == [False, True]
    await stack.settle()
    assert receiver.events() == ["SeriesAdd"]
    answer = await client.call(arr, "POST", "/series", body)
    assert (await answer.json())[0]["errorCode"] == "SeriesExistsValidator"


async def test_commands_complete_and_an_update_is_told(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    arr = stack.radarr
    await client.connect(arr, receiver.url())
    answer = await client.call(arr, "POST", "/command", {"name": "RefreshMonitoredDownloads"})
    command = await answer.json()
    assert (answer.status, command["status"]) == (201, "queued")
    stack.clock.advance(2)
    assert (await client.get(arr, f"/command/{command['id']}"))["status"] == "completed"
    await arr.update_application("6.1.0.10300")
    assert receiver.last()["newVersion"] == "6.1.0.10300"


@pytest.mark.parametrize("path", ["/diskspace", "/rootfolder", "/qualityprofile", "/health"])
async def test_small_lists(stack: Stack, client: Client, path: str) -> None:
    assert isinstance(await client.get(stack.radarr, path), list)
    assert isinstance(await client.get(stack.sonarr, path), list)


async def test_the_wrong_application_is_recognisable(stack: Stack, client: Client) -> None:
    url = f"{stack.seerr.url}/api/v3/system/status"
    async with client.session.get(url, headers={"X-Api-Key": "x"}) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
    async with client.session.get(f"{stack.radarr.url}/api/v1/status") as answer:
        assert answer.status == 404
    async with client.session.get(f"{stack.radarr.url}/login") as answer:
        assert answer.content_type == "text/html"
