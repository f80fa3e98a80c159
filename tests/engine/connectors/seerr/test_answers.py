"""API answers of the Seerr family: the stage of a request in every condition."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    Decision,
    DownloadReport,
    DownloadState,
    ExternalIds,
    HeldReport,
    MediaType,
    Person,
    PlayableReport,
    Reason,
    RequestReport,
    Tier,
    Via,
)
from custom_components.media_arrivals.engine.connectors.base import Decoded, Json, Sighting
from tests.engine.connectors.seerr.bodies import (
    CREATED_AT,
    DECODER,
    NOW,
    SEERR,
    entry,
    page,
    request,
)


def poll(body: Json, resource: str = "request") -> Decoded:
    return DECODER.decode_poll(SEERR, resource, body, NOW)


def reports[T: AnyReport](found: Decoded, kind: type[T]) -> list[T]:
    return [report for report in found.reports if isinstance(report, kind)]


def asked(body: Json) -> RequestReport:
    (report,) = reports(poll(body), RequestReport)
    return report


def kinds(found: Decoded) -> list[str]:
    return [type(report).__name__.removesuffix("Report") for report in found.reports]


def test_a_request_is_a_confirmed_report_with_all_that_is_known() -> None:
    report = asked(request(seasons=(2, 1), is4k=True))
    assert (report.at, report.confirmed, report.origin.via) == (NOW, True, Via.POLL)
    assert (report.request_id, report.tier, report.seasons) == (41, Tier.UHD, (1, 2))
    assert report.requester == Person(name="Ben", id=4)
    assert report.created_at == CREATED_AT
    assert report.title.media_type is MediaType.SERIES
    assert report.title.ids == ExternalIds(tmdb=880021, tvdb=470021)
    assert not report.initial


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (1, Decision.PENDING),
        (2, Decision.APPROVED),
        (3, Decision.DECLINED),
        (4, Decision.FAILED),
        (5, Decision.COMPLETED),
    ],
)
def test_the_status_of_a_request_is_its_decision(status: int, decision: Decision) -> None:
    assert asked(request(status=status)).decision is decision


@pytest.mark.parametrize("status", [0, 6, 99, None, "new", True, 2.5])
def test_an_unknown_status_keeps_the_former_one(status: Any) -> None:
    found = poll(request(status=status, media={"downloadStatus": [entry()]}))
    assert kinds(found) == ["Download"]


@pytest.mark.parametrize("status", [0, 8, None, "5x", []])
def test_an_unknown_media_status_says_nothing_of_playing(status: Any) -> None:
    assert kinds(poll(request(media={"status": status}))) == ["Request"]


# --- held ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "held"), [(1, False), (2, True), (3, False), (4, False)])
def test_handed_over_counts_only_for_an_approved_request(status: int, held: bool) -> None:
    # A pending one may be for another season of a series that is long there.
    found = poll(request(status=status, seasons=(2,), media={"externalServiceId": 144}))
    assert [report.held for report in reports(found, HeldReport)] == ([True] if held else [])


def test_each_copy_has_its_own_place() -> None:
    media: dict[str, Any] = {
        "externalServiceId": 144,
        "status": 5,
        "downloadStatus": [entry()],
        "status4k": 3,
    }
    assert kinds(poll(request(is4k=True, media=media))) == ["Request"]
    media |= {"externalServiceId4k": 9, "downloadStatus4k": [entry(key="4K4K")]}
    found = poll(request(is4k=True, media=media))
    assert kinds(found) == ["Request", "Held", "Download"]
    assert {report.tier for report in found.reports} == {Tier.UHD}
    assert reports(found, DownloadReport)[0].download_id == "4K4K"


def test_a_request_that_does_not_tell_its_tier_tells_no_more() -> None:
    found = poll(request(is4k=None, media={"externalServiceId": 4, "status": 5}))
    assert kinds(found) == ["Request"]
    assert found.reports[0].tier is Tier.UNKNOWN


# --- downloads -----------------------------------------------------------------------------


def test_a_download_in_the_queue_is_downloading() -> None:
    (report,) = reports(poll(request(media={"downloadStatus": [entry()]})), DownloadReport)
    assert report.state is DownloadState.DOWNLOADING
    assert (report.progress, report.download_id, report.seasons) == (0.25, "AB12CD", ())
    assert report.eta == 1_789_992_000.0
    assert report.problem is None


def test_all_there_and_not_imported_is_complete() -> None:
    (report,) = reports(poll(request(media={"downloadStatus": [entry(left=0)]})), DownloadReport)
    assert (report.state, report.progress) == (DownloadState.COMPLETE, 1.0)


@pytest.mark.parametrize("size", [0, None, -1, "big", 1.7e308])
def test_without_a_size_there_is_no_progress(size: Any) -> None:
    queue = [entry(left=0) | {"size": size}]
    (report,) = reports(poll(request(media={"downloadStatus": queue})), DownloadReport)
    assert (report.state, report.progress) == (DownloadState.DOWNLOADING, None)


def test_no_request_is_for_more_seasons_than_there_can_be() -> None:
    assert asked(request(seasons=tuple(range(2000)))).seasons == tuple(range(500))


def test_a_season_pack_is_one_download() -> None:
    queue = [entry(episode=(1, number)) for number in range(1, 11)]
    found = poll(request(seasons=(1,), media={"downloadStatus": queue}))
    (report,) = reports(found, DownloadReport)
    assert (report.seasons, report.progress, report.parts) == ((1,), 0.25, ())


def test_a_pack_without_an_id_is_known_by_title_and_size() -> None:
    # Overseerr tells no download id.
    queue = [entry(key=None, episode=(1, number)) for number in range(1, 4)]
    found = poll(request(seasons=(1,), media={"downloadStatus": queue}))
    (report,) = reports(found, DownloadReport)
    assert report.progress == 0.25
    again = reports(
        poll(request(seasons=(1,), media={"downloadStatus": queue[:1]})), DownloadReport
    )
    assert again[0].download_id == report.download_id
    other = [entry(key=None, episode=(1, 1), title="Another.Release")]
    found = poll(request(seasons=(1,), media={"downloadStatus": other}))
    assert reports(found, DownloadReport)[0].download_id != report.download_id


def test_episodes_of_one_season_are_summed_up() -> None:
    queue = [
        entry(key="ONE", size=1000, left=0, episode=(1, 1)),
        entry(key="TWO", size=3000, left=1000, episode=(1, 2), status="warning"),
    ]
    found = poll(request(seasons=(1,), media={"downloadStatus": queue}))
    (report,) = reports(found, DownloadReport)
    assert (report.progress, report.state) == (0.75, DownloadState.DOWNLOADING)
    assert (report.download_id, report.problem) == ("TWO", "warning")


def test_a_pack_of_two_seasons_and_an_episode_are_two() -> None:
    queue = [
        entry(key="PACK", episode=(1, 1)),
        entry(key="PACK", episode=(2, 1)),
        entry(key="ONE", left=0, episode=(2, 2)),
    ]
    found = poll(request(seasons=(1, 2), media={"downloadStatus": queue}))
    assert {report.seasons: report.download_id for report in reports(found, DownloadReport)} == {
        (1, 2): "PACK",
        (2,): "ONE",
    }


def test_the_queue_is_the_titles_so_other_seasons_are_left_out() -> None:
    queue = [entry(key="OTHER", episode=(3, 1)), entry(key="MINE", episode=(1, 1))]
    found = poll(request(seasons=(1,), media={"downloadStatus": queue}))
    assert [report.download_id for report in reports(found, DownloadReport)] == ["MINE"]


def test_an_entry_without_an_episode_belongs_to_the_only_season() -> None:
    queue = [entry(mediaType="tv")]
    (report,) = reports(
        poll(request(seasons=(4,), media={"downloadStatus": queue})), DownloadReport
    )
    assert report.seasons == (4,)
    found = poll(request(seasons=(4, 5), media={"downloadStatus": queue}))
    assert not reports(found, DownloadReport)


@pytest.mark.parametrize("media", [{"status": 5}, {"status": 7}, {"status": 6}])
def test_an_entry_may_outlive_the_import(media: dict[str, Any]) -> None:
    found = poll(request(media={"downloadStatus": [entry()], **media}))
    assert not reports(found, DownloadReport)


def test_what_is_there_of_a_series_is_not_downloading() -> None:
    media = {
        "status": 4,
        "seasons": [{"seasonNumber": 1, "status": 5, "status4k": 1}],
        "downloadStatus": [entry(episode=(1, 1)), entry(key="TWO", episode=(2, 1))],
    }
    found = poll(request(seasons=(1, 2), media=media))
    assert [report.seasons for report in reports(found, DownloadReport)] == [(2,)]
    assert [report.seasons for report in reports(found, PlayableReport)] == [(1,)]


# --- playable ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "media", "playable"),
    [
        (2, {"status": 5}, True),
        (5, {"status": 5}, True),
        (5, {"status": 3}, True),
        (4, {"status": 5}, True),  # failed, and Radarr had it all the same
        (1, {"status": 5}, True),
        (2, {"status": 3}, None),
        (2, {"status": 4}, None),
        (3, {"status": 5}, None),  # declined: that is about other requests
        (5, {"status": 7}, False),
        (2, {"status": 6}, False),
    ],
)
def test_what_can_be_played(status: int, media: dict[str, Any], playable: bool | None) -> None:
    found = poll(request(status=status, media=media))
    told = [report.playable for report in reports(found, PlayableReport)]
    assert told == ([] if playable is None else [playable])


def test_a_season_is_available_when_it_is() -> None:
    media: dict[str, Any] = {"status": 4}
    assert not reports(poll(request(seasons=(1, 2), media=media)), PlayableReport)
    media["seasons"] = [
        {"seasonNumber": 1, "status": 5, "status4k": 1},
        {"seasonNumber": 2, "status": 4, "status4k": 5},
        {"seasonNumber": 3, "status": 5, "status4k": 1},
    ]
    (report,) = reports(poll(request(seasons=(1, 2), media=media)), PlayableReport)
    assert report.seasons == (1,)
    (report,) = reports(
        poll(request(seasons=(1, 2), is4k=True, media={**media, "status4k": 4})), PlayableReport
    )
    assert (report.seasons, report.tier) == ((2,), Tier.UHD)


def test_a_season_that_was_deleted_is_lost_and_the_others_are_not() -> None:
    media = {
        "status": 4,
        "seasons": [
            {"seasonNumber": 1, "status": 7, "status4k": 1},
            {"seasonNumber": 2, "status": 5, "status4k": 1},
        ],
    }
    found = poll(request(status=5, seasons=(1, 2), media=media))
    assert {report.playable: report.seasons for report in reports(found, PlayableReport)} == {
        True: (2,),
        False: (1,),
    }


def test_a_completed_request_has_all_its_seasons() -> None:
    found = poll(request(status=5, seasons=(1, 2), media={"status": 4}))
    assert [report.seasons for report in reports(found, PlayableReport)] == [(1, 2)]


@pytest.mark.parametrize("status", [6, 7])
@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (1, Decision.REMOVED),
        (2, Decision.REMOVED),
        (5, Decision.REMOVED),
        (3, Decision.DECLINED),
        (4, Decision.FAILED),
    ],
)
def test_deleted_from_the_library_or_blocked(status: int, decision: int, told: Decision) -> None:
    assert asked(request(status=decision, media={"status": status})).decision is told


def test_deleted_takes_back_that_it_was_handed_over() -> None:
    found = poll(request(status=5, media={"status": 7}))
    assert [report.held for report in reports(found, HeldReport)] == [False]
    # Blocked while it is in a Radarr says nothing of that.
    found = poll(request(status=2, media={"status": 6, "externalServiceId": 4}))
    assert not reports(found, HeldReport)


# --- dates ---------------------------------------------------------------------------------


def test_a_pending_request_happened_when_it_was_made() -> None:
    assert asked(request(status=1)).happened_at == CREATED_AT


def test_a_decision_happened_when_the_row_changed() -> None:
    later = "2026-09-20T12:00:00.000Z"
    assert asked(request(updatedAt=later)).happened_at == CREATED_AT + 7200
    # Most versions never write it after creation.
    assert asked(request()).happened_at == CREATED_AT
    assert asked(request(createdAt=None, updatedAt=None)).happened_at == NOW
    assert asked(request(status=1, createdAt="2099-01-01T00:00:00Z")).happened_at == NOW


def test_available_is_dated_by_the_media_and_never_by_its_file() -> None:
    media = {
        "status": 5,
        "updatedAt": "2026-09-20T11:00:00.000Z",
        "mediaAddedAt": "2011-01-01T00:00:00.000Z",
    }
    (report,) = reports(poll(request(media=media)), PlayableReport)
    assert report.happened_at == CREATED_AT + 3600


# --- the shapes of answers -----------------------------------------------------------------


def test_lists_and_single_requests_are_read_alike() -> None:
    one, other = request(41), request(42, seasons=(1,))
    assert [report.request_id for report in reports(poll(page(one, other)), RequestReport)] == [
        41,
        42,
    ]
    assert poll([one, other]) == poll(page(one, other))
    assert poll(one).reports == poll([one]).reports
    assert poll(one).sightings == (Sighting(event="requested", key="41", at=CREATED_AT),)


def test_one_odd_request_costs_no_other() -> None:
    odd: list[Any] = [None, 7, "text", {}, {"id": "x"}, {"id": 0}, request(9, type=None, media={})]
    odd[-1]["media"] = None
    found = poll([*odd, request(41)])
    assert [report.request_id for report in reports(found, RequestReport)] == [41]


@pytest.mark.parametrize(
    "body", [None, [], {}, "text", 5, {"results": "odd"}, {"results": None}, [7]]
)
def test_an_answer_without_requests_is_unreadable(body: Json) -> None:
    assert poll(body).ignored is Reason.UNREADABLE


def test_a_request_for_nothing_is_named_as_such() -> None:
    found = poll(request(media={"tmdbId": 0, "tvdbId": None}))
    assert (found.ignored, found.reports) == (Reason.NO_IDS, ())


@pytest.mark.parametrize("resource", DECODER.poll_resources)
@pytest.mark.parametrize(
    "body",
    [
        {"status": 403, "error": "You do not have permission to access this endpoint"},
        {"message": "Request not found."},
    ],
)
def test_an_error_is_no_answer(resource: str, body: Json) -> None:
    found = poll(body, resource)
    assert found.ignored is Reason.UNREADABLE
    assert "permission" not in (found.detail or "")


def test_counts_the_version_and_the_slot_are_described() -> None:
    counts: dict[str, Json] = {
        "total": 4,
        "movie": 3,
        "pending": 1,
        "processing": 2,
        "available": "x",
    }
    assert poll(counts, "count").detail == "total 4, pending 1, processing 2"
    assert poll({"version": "develop-local"}, "status").detail == "develop-local"
    settings: dict[str, Any] = {
        "enabled": True,
        "types": 222,
        "options": {
            "webhookUrl": "http://ha.example:8123/api/webhook/5ecre7",
            "authHeader": "Basic abc",
            "jsonPayload": '{"{{media}}": {"tmdb_id": "{{media_tmdbid}}"}}',
        },
    }
    detail = poll(settings, "webhook").detail
    assert detail == "switched on, types 222, template: Home Assistant's"
    settings["options"] = {"jsonPayload": '{"media_arrivals": "x"}'}
    assert poll(settings, "webhook").detail == "switched on, types 222, template: ours"
    settings["options"] = {"jsonPayload": "{"}
    assert poll(settings, "webhook").detail == "switched on, types 222, template: unreadable"
    settings["options"] = {"jsonPayload": '{"a": 1}'}
    assert poll(settings | {"enabled": False}, "webhook").detail == (
        "switched off, types 222, template: another"
    )
    for resource in ("count", "status", "webhook"):
        assert poll({"odd": 1}, resource).ignored is Reason.UNREADABLE
    assert poll({}, "weather").ignored is Reason.UNUSED_EVENT


# --- a title's own page --------------------------------------------------------------------


def movie(**changes: Any) -> dict[str, Any]:
    inner = request()
    return {
        "id": 880010,
        "title": "Silver Ferry",
        "releaseDate": "2024-05-01",
        "overview": "A ferry, a fog.",
        "posterPath": "/ferry.jpg",
        "imdbId": "tt9912345",
        "externalIds": {"imdbId": "tt9912345"},
        "mediaInfo": {**inner["media"], "requests": [{**inner, "media": None}]},
        **changes,
    }


def series(**changes: Any) -> dict[str, Any]:
    inner = request(seasons=(1, 2))
    inner["media"]["seasons"] = [
        {"seasonNumber": 1, "status": 5, "status4k": 1},
        {"seasonNumber": 2, "status": 3, "status4k": 5},
    ]
    return {
        "id": 880021,
        "name": "Tide House",
        "firstAirDate": "2021-09-03",
        "posterPath": None,
        "externalIds": {"tvdbId": 470021, "imdbId": "tt9912346"},
        "mediaInfo": {**inner["media"], "requests": [inner]},
        **changes,
    }


def test_a_films_page_tells_its_requests_with_its_name() -> None:
    found = poll(movie(), "media")
    (report,) = reports(found, RequestReport)
    assert (report.title.name, report.title.year) == ("Silver Ferry", 2024)
    assert (report.title.overview, report.title.poster) == ("A ferry, a fog.", "/ferry.jpg")
    assert report.title.ids == ExternalIds(tmdb=880010, imdb="tt9912345")
    assert report.request_id == 41


def test_a_film_has_no_id_of_thetvdb() -> None:
    assert asked(request(media={"tvdbId": 470021})).title.ids == ExternalIds(tmdb=880010)
    (report,) = reports(poll(movie(externalIds={"tvdbId": 470021}), "media"), RequestReport)
    assert report.title.ids.tvdb is None


def test_a_series_page_tells_which_seasons_are_there_in_which_tier() -> None:
    found = poll(series(), "media")
    assert {report.tier: report.seasons for report in reports(found, PlayableReport)} == {
        Tier.HD: (1,),
        Tier.UHD: (2,),
    }
    assert found.reports[0].title.ids == ExternalIds(tmdb=880021, tvdb=470021, imdb="tt9912346")


def test_a_page_of_a_title_that_nobody_asked_for() -> None:
    page_ = movie()
    page_["mediaInfo"] = {"mediaType": "movie", "tmdbId": 880010, "status": 5, "status4k": 1}
    (report,) = poll(page_, "media").reports
    assert isinstance(report, PlayableReport)
    assert (report.tier, report.playable) == (Tier.HD, True)
    del page_["mediaInfo"]
    assert poll(page_, "media").ignored is Reason.UNUSED_EVENT


@pytest.mark.parametrize("empty", ["", None, "0000", "soon"])
def test_a_title_without_a_date_has_no_year(empty: Any) -> None:
    (report,) = reports(poll(movie(releaseDate=empty), "media"), RequestReport)
    assert report.title.year is None


@pytest.mark.parametrize("body", [None, {}, [], {"id": 1}, {"title": "No id"}])
def test_a_page_of_nothing(body: Json) -> None:
    assert poll(body, "media").ignored is Reason.UNREADABLE


def test_a_deleted_title_is_told_by_its_requests() -> None:
    page_ = movie()
    page_["mediaInfo"]["status"] = 7
    found = poll(page_, "media")
    assert [report.playable for report in reports(found, PlayableReport)] == [False]
    assert replace(reports(found, RequestReport)[0]).decision is Decision.REMOVED


def test_a_page_without_requests_is_an_answer() -> None:
    found = poll({"pageInfo": {"results": 0}, "results": []})
    assert (found.ignored, found.detail, found.reports) == (None, None, ())
