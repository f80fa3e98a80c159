"""Sonarr's deliveries and answers: packs, summaries, numbers that are missing."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    DownloadReport,
    DownloadState,
    EpisodesReport,
    FileReport,
    HeldReport,
    Origin,
    PartRef,
    PartState,
    QuestionKind,
    Reason,
    Role,
    Tier,
    Via,
)
from custom_components.media_arrivals.engine.connectors.base import Sighting
from custom_components.media_arrivals.engine.connectors.sonarr.decode import SonarrDecoder
from tests.engine.connectors.arr.bodies import (
    HASH,
    MILL,
    MIXED_SONARR,
    NOW,
    SONARR,
    STATUS,
    Doc,
    api_episode,
    complete,
    decoded,
    episode,
    file,
    part,
    polled,
    quality,
    series,
    sonarr,
    without,
)

WEBHOOK = Origin(service="sonarr-1", kind="sonarr", role=Role.DOWNLOADS, via=Via.WEBHOOK)
POLL = Origin(service="sonarr-1", kind="sonarr", role=Role.DOWNLOADS, via=Via.POLL)
TOLD: dict[str, Any] = {
    "origin": WEBHOOK,
    "at": NOW,
    "happened_at": NOW,
    "title": MILL,
    "tier": Tier.HD,
}
PACK = (part(1), part(2), part(3))


def test_a_grabbed_pack_is_one_download_with_its_episodes() -> None:
    found = decoded(sonarr("Grab"), SONARR)
    assert found.reports == (
        DownloadReport(
            **TOLD, state=DownloadState.DOWNLOADING, parts=PACK, download_id=HASH, opens=True
        ),
    )
    assert found.sightings == (Sighting(event="grab", key=HASH.casefold(), at=NOW),)


def test_one_file_of_a_pack_is_one_episode() -> None:
    found = decoded(sonarr("Download"), SONARR)
    assert found.reports == (
        FileReport(**TOLD, present=True, parts=(part(1),), download_id=HASH, opens=True),
        DownloadReport(**TOLD, state=DownloadState.IMPORTED, parts=(part(1),), download_id=HASH),
    )


def test_an_upgrade_opens_nothing() -> None:
    present, _ = decoded(sonarr("Download", isUpgrade=True, deletedFiles=[file()]), SONARR).reports
    assert isinstance(present, FileReport)
    assert (present.present, present.opens) == (True, False)


def test_a_summary_says_again_what_every_file_said() -> None:
    found = decoded(complete(), SONARR)
    assert found.reports == (
        FileReport(**TOLD, present=True, parts=PACK, download_id=HASH),
        DownloadReport(**TOLD, state=DownloadState.IMPORTED, parts=PACK, download_id=HASH),
    )
    assert found.sightings == (Sighting(event="import", key=HASH.casefold(), at=NOW),)


def test_a_summary_of_a_manual_import_has_no_download() -> None:
    body = without(complete(), "downloadId", "downloadClient", "downloadClientType")
    found = decoded(body, SONARR)
    (report,) = found.reports
    assert isinstance(report, FileReport)
    assert report.download_id is None
    assert [sighting.key for sighting in found.sightings] == ["own:201", "own:202", "own:203"]


def test_the_tier_of_a_summary_is_that_of_its_files() -> None:
    body = complete(episodeFiles=[file("WEBDL-2160p")])
    assert decoded(body, MIXED_SONARR).reports[0].tier is Tier.UHD


@pytest.mark.parametrize("files", [None, [], [file("WEBDL-2160p"), file("WEBDL-1080p")]])
def test_a_summary_of_files_of_several_tiers_says_none(files: Any) -> None:
    reports = decoded(complete(episodeFiles=files), MIXED_SONARR).reports
    assert {report.tier for report in reports} == {Tier.UNKNOWN}
    assert decoded(complete(episodeFiles=files), SONARR).reports[0].tier is Tier.HD


SUMMARY = ("episodeFiles", "fileCount", "sourcePath", "destinationPath")


@pytest.mark.parametrize("kept", [*SUMMARY, None])
@pytest.mark.parametrize("nothing", [{}, {"episodeFile": None, "isUpgrade": None}])
def test_a_summary_is_known_by_any_of_its_marks(kept: str | None, nothing: dict[str, Any]) -> None:
    body = {**without(complete(), *(key for key in SUMMARY if key != kept)), **nothing}
    report = decoded(body, SONARR).reports[0]
    assert isinstance(report, FileReport)
    assert not report.opens


def test_a_file_that_is_named_is_no_summary() -> None:
    report = decoded(sonarr("Download", fileCount=1), SONARR).reports[0]
    assert isinstance(report, FileReport)
    assert report.opens


def test_an_addition_does_not_say_which_seasons() -> None:
    found = decoded(sonarr("SeriesAdd"), SONARR)
    assert found.reports == ()
    (question,) = found.questions
    assert question.kind is QuestionKind.TITLE
    assert question.service == SONARR.id
    assert question.title == MILL
    assert question.opening == HeldReport(**TOLD, held=True, opens=True)
    assert found.sightings == (Sighting(event="added", key="17", at=NOW),)
    assert found.ignored is None


def test_a_deleted_series() -> None:
    found = decoded(sonarr("SeriesDelete", deletedFiles=True), SONARR)
    assert found.reports == (HeldReport(**TOLD, held=False, files_deleted=True),)


def test_a_deleted_file_of_two_episodes() -> None:
    found = decoded(sonarr("EpisodeFileDelete"), SONARR)
    assert found.reports == (FileReport(**TOLD, present=False, parts=(part(1), part(2))),)


def test_a_file_deleted_for_a_better_one_is_no_loss() -> None:
    found = decoded(sonarr("EpisodeFileDelete", deleteReason="upgrade"), SONARR)
    assert (found.reports, found.ignored) == ((), Reason.UPGRADE)


def test_the_internal_record_of_a_v3_is_read_and_not_kept() -> None:
    record = {
        "quality": {"quality": {"id": 19, "name": "Bluray-2160p"}, "revision": {"version": 1}},
        "series": {"value": {"path": "/series/x", "actors": [{"name": "y" * 50}] * 500}},
        "path": "/series/x/y.mkv",
    }
    body = without(sonarr("EpisodeFileDelete", episodeFile=record), "instanceName")
    (report,) = decoded(body, MIXED_SONARR).reports
    assert report.tier is Tier.UHD


@pytest.mark.parametrize("kept", [{"episodes": []}, {"episodes": None}])
def test_a_blocked_download_without_episodes_is_known_by_its_id(kept: Doc) -> None:
    found = decoded(sonarr("ManualInteractionRequired", **kept), SONARR)
    (report,) = found.reports
    assert isinstance(report, DownloadReport)
    assert (report.state, report.parts, report.download_id) == (DownloadState.BLOCKED, (), HASH)
    assert found.hint


def test_a_blocked_download_with_episodes() -> None:
    found = decoded(sonarr("ManualInteractionRequired"), SONARR)
    (report,) = found.reports
    assert isinstance(report, DownloadReport)
    assert report.parts == (part(1),)
    assert not found.hint


@pytest.mark.parametrize(
    "body",
    [
        {"eventType": "ManualInteractionRequired", "downloadId": HASH, **STATUS},
        without(sonarr("ManualInteractionRequired", episodes=[]), "downloadId"),
        sonarr("Grab", episodes=[]),
        sonarr("Grab", episodes=[{"title": "Part 1"}, {"episodeNumber": 4}, 7]),
        sonarr("Download", episodes="all"),
        sonarr("Grab", series={"title": "The Paper Mill"}),
    ],
)
def test_what_names_no_series_or_episode_is_worth_a_look(body: Doc) -> None:
    found = decoded(body, SONARR)
    assert (found.reports, found.ignored, found.hint) == ((), Reason.NO_IDS, True)


def test_one_bad_episode_does_not_lose_the_others() -> None:
    bad = [episode(2, seasonNumber=None), episode(3, seasonNumber="two"), "x", None]
    (report,) = decoded(sonarr("Grab", episodes=[episode(1), *bad]), SONARR).reports
    assert isinstance(report, DownloadReport)
    assert report.parts == (part(1),)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seasonNumber": 0}, {"season": 0}),
        ({"episodeNumber": None}, {"number": None}),
        ({"episodeNumber": 0}, {"number": 0}),
        ({"id": 0}, {"own_id": None}),
        ({"tvdbId": 0}, {"tvdb": None}),
        ({"title": "TBA"}, {"name": None}),
        ({"title": 5}, {"name": None}),
        ({"airDate": None}, {"air_date": None}),
        ({"airDate": "0001-01-01"}, {"air_date": None}),
        ({"seasonNumber": "2"}, {}),
    ],
)
def test_what_is_known_of_an_episode(changes: Doc, expected: Doc) -> None:
    (report,) = decoded(sonarr("Grab", episodes=[{**episode(1), **changes}]), SONARR).reports
    assert isinstance(report, DownloadReport)
    assert report.parts == (replace(part(1), **expected),)


def test_series_and_films_are_separate_spaces() -> None:
    (report,) = decoded(sonarr("Grab", movie={"id": 1, "tmdbId": 5}), SONARR).reports
    assert report.title == MILL


@pytest.mark.parametrize("tvdb", [0, None, "x"])
def test_a_series_known_by_another_id(tvdb: Any) -> None:
    (report,) = decoded(sonarr("Grab", series=series(tvdbId=tvdb)), SONARR).reports
    assert report.title.ids == replace(MILL.ids, tvdb=None)


# --- answers -------------------------------------------------------------------------------


def test_a_series_says_which_seasons_it_wants() -> None:
    body = series(
        added="2026-09-20T10:00:00Z",
        monitored=True,
        seasons=[
            {"seasonNumber": 0, "monitored": False},
            {"seasonNumber": 1, "monitored": True},
            {"seasonNumber": 2, "monitored": "true"},
            {"seasonNumber": 3},
            {"monitored": True},
        ],
    )
    (report,) = polled("series", [body], SONARR).reports
    assert isinstance(report, HeldReport)
    assert (report.held, report.seasons, report.confirmed) == (True, (1, 2), True)
    assert (report.at, report.happened_at) == (NOW, 1_789_898_400.0)


def test_a_series_has_no_more_seasons_and_episodes_than_there_can_be() -> None:
    seasons = [{"seasonNumber": number, "monitored": True} for number in range(2000)]
    (report,) = polled("series", series(seasons=seasons), SONARR).reports
    assert isinstance(report, HeldReport)
    assert report.seasons == tuple(range(500))
    lines = [api_episode(number, seriesId=17) for number in range(1, 6001)]
    (season,) = polled("episodes", lines, SONARR).reports
    assert isinstance(season, EpisodesReport)
    assert len(season.parts) == 5000


@pytest.mark.parametrize("seasons", [None, "all", 3])
def test_which_seasons_it_wants_may_be_unknown(seasons: Any) -> None:
    (report,) = polled("series", series(seasons=seasons), SONARR).reports
    assert isinstance(report, HeldReport)
    assert report.seasons is None


def test_an_episode_list_makes_a_report_per_season() -> None:
    rows = [
        api_episode(1, hasFile=True, episodeFileId=5, monitored=False, episodeFile=file()),
        api_episode(2),
        api_episode(3, monitored=False, airDateUtc=None, airDate=None),
        {**api_episode(1), **episode(1, season=0), "monitored": False},
        {"seriesId": 17},
        "odd",
    ]
    specials, second = polled("episodes", rows, SONARR).reports
    assert isinstance(specials, EpisodesReport)
    assert isinstance(second, EpisodesReport)
    assert specials.season == 0
    assert [state.wanted for state in specials.parts] == [False]
    assert second.confirmed
    assert second.title.own_id == 17
    first = 1_772_395_200.0
    assert second.parts == (
        PartState(
            ref=part(1),
            wanted=True,
            aired_at=first,
            has_file=True,
            file_at=1_789_898_400.123456,
        ),
        PartState(ref=part(2), wanted=True, aired_at=first + 86_400, has_file=False),
        PartState(ref=replace(part(3), air_date=None), wanted=False, aired_at=None, has_file=False),
    )


@pytest.mark.parametrize(("file_id", "there"), [(5, True), (0, False), (None, False)])
def test_an_episode_has_a_file_if_only_its_id_says_so(file_id: Any, there: bool) -> None:
    row = without(api_episode(1, episodeFileId=file_id), "hasFile")
    (report,) = polled("episodes", [row], SONARR).reports
    assert isinstance(report, EpisodesReport)
    assert report.parts[0].has_file is there


def test_nothing_of_an_unmonitored_series_is_wanted_but_what_is_there() -> None:
    rows = [api_episode(1, hasFile=True), api_episode(2)]
    (report,) = SonarrDecoder().episodes(SONARR, MILL, rows, NOW, monitored=False)
    assert isinstance(report, EpisodesReport)
    assert [state.wanted for state in report.parts] == [True, False]


def test_a_season_that_does_not_exist_is_answered_empty() -> None:
    reports = SonarrDecoder().episodes(SONARR, MILL, [api_episode(1)], NOW, absent=(7,))
    lists = [report for report in reports if isinstance(report, EpisodesReport)]
    assert [(report.season, len(report.parts)) for report in lists] == [(2, 1), (7, 0)]


def test_a_daily_show_goes_by_date() -> None:
    row = api_episode(1, episodeNumber=None, seasonNumber=2026, airDateUtc=None)
    (report,) = polled("episodes", [row], SONARR).reports
    assert isinstance(report, EpisodesReport)
    (state,) = report.parts
    assert state.ref.air_date == "2026-03-01"
    assert state.aired_at == 1_772_323_200.0


def test_the_tier_of_a_season_is_that_of_most_of_its_files() -> None:
    def listed(number: int, resolution: int) -> Doc:
        owned = {"quality": quality(resolution)}
        return api_episode(number, hasFile=True, episodeFile=owned)

    rows = [listed(1, 2160), listed(2, 1080), listed(3, 2160), api_episode(4)]
    (report,) = polled("episodes", rows, MIXED_SONARR).reports
    assert report.tier is Tier.UHD
    (report,) = polled("episodes", [api_episode(4)], MIXED_SONARR).reports
    assert report.tier is Tier.UNKNOWN


def test_a_part_needs_a_season_and_something_that_tells_it_from_others() -> None:
    decoder = SonarrDecoder()
    assert decoder.row_part({"seasonNumber": 2}) == ()
    assert decoder.row_part({"episodeId": 201}) == ()
    assert decoder.row_part({"seasonNumber": 2, "episodeId": 201}) == (
        PartRef(season=2, own_id=201),
    )
    assert decoder.row_part({"episode": episode(1), "episodeId": 201}) == (part(1),)
