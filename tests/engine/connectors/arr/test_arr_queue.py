"""Queue rows become one report per download."""

from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    DownloadReport,
    DownloadState,
    Origin,
    Role,
    Service,
    Tier,
    Via,
)
from custom_components.media_arrivals.engine.connectors.arr.queue import Queue
from custom_components.media_arrivals.engine.connectors.radarr.decode import RadarrDecoder
from custom_components.media_arrivals.engine.connectors.sonarr.decode import SonarrDecoder
from tests.engine.connectors.arr.bodies import (
    FERRY,
    HASH,
    MILL,
    MIXED_RADARR,
    NOW,
    RADARR,
    SONARR,
    episode,
    movie,
    pack_row,
    part,
    polled,
    quality,
    queue_row,
    without,
)


def read(*rows: Any, service: Service = RADARR) -> Queue:
    decoder = RadarrDecoder() if service.kind == "radarr" else SonarrDecoder()
    queue = decoder.queue(service, list(rows), NOW)
    assert queue is not None
    return queue


def report(row: Any, service: Service = RADARR) -> DownloadReport:
    (found,) = read(row, service=service).reports
    return found


def test_a_row_of_a_film() -> None:
    assert report(queue_row()) == DownloadReport(
        origin=Origin(service="radarr-1", kind="radarr", role=Role.DOWNLOADS, via=Via.POLL),
        at=NOW,
        happened_at=NOW,
        title=FERRY,
        tier=Tier.HD,
        state=DownloadState.DOWNLOADING,
        download_id=HASH,
        progress=1 - 1_250_000_000.844 / 5_000_000_000,
        eta=NOW + 1200,
        word="downloading",
    )


def test_a_page_reads_like_a_list() -> None:
    page = {"page": 1, "pageSize": 10, "totalRecords": 1, "records": [queue_row()]}
    assert polled("queue", page).reports == polled("queue", [queue_row()]).reports


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "delay", "trackedDownloadState": None}, DownloadState.WAITING),
        ({"status": "fallback"}, DownloadState.WAITING),
        ({"status": "downloadClientUnavailable"}, DownloadState.WAITING),
        ({"status": "queued"}, DownloadState.DOWNLOADING),
        ({"status": "paused"}, DownloadState.DOWNLOADING),
        ({"status": "warning"}, DownloadState.DOWNLOADING),
        ({"status": "unheardOf", "trackedDownloadState": "new"}, DownloadState.DOWNLOADING),
        ({"status": None, "trackedDownloadState": 5}, DownloadState.DOWNLOADING),
        # The client is done, which does not mean that it is imported.
        ({"status": "completed"}, DownloadState.COMPLETE),
        ({"status": "completed", "trackedDownloadState": "importPending"}, DownloadState.COMPLETE),
        ({"status": "completed", "trackedDownloadState": "importing"}, DownloadState.COMPLETE),
        ({"status": "completed", "trackedDownloadState": "importBlocked"}, DownloadState.BLOCKED),
        (
            {"trackedDownloadState": "importPending", "trackedDownloadStatus": "warning"},
            DownloadState.BLOCKED,
        ),
        ({"status": "failed", "trackedDownloadState": "downloading"}, DownloadState.FAILED),
        ({"trackedDownloadState": "failedPending"}, DownloadState.FAILED),
        ({"trackedDownloadState": "failed"}, DownloadState.FAILED),
        ({"trackedDownloadState": "imported"}, DownloadState.IMPORTED),
        ({"trackedDownloadState": "ignored"}, DownloadState.GONE),
        ({"trackedDownloadState": "ImportBlocked"}, DownloadState.BLOCKED),
    ],
)
def test_states(changes: dict[str, Any], state: DownloadState) -> None:
    assert report(queue_row(**changes)).state is state


@pytest.mark.parametrize(
    ("changes", "progress"),
    [
        ({}, 0.75),
        ({"sizeleft": 0}, 1.0),
        ({"size": 5870368312.844, "sizeleft": 5870368312.844}, 0.0),
        ({"sizeleft": 9e9}, 0.0),
        ({"sizeleft": -5}, 1.0),
        ({"size": "5000000000", "sizeleft": "2500000000"}, 0.5),
        ({"size": 0, "sizeleft": 0}, None),
        ({"size": None}, None),
        ({"sizeleft": None}, None),
        ({"status": "completed", "size": 0}, 1.0),
        ({"status": "delay"}, None),
        ({"status": "failed"}, None),
    ],
)
def test_progress(changes: dict[str, Any], progress: float | None) -> None:
    found = report(queue_row(**changes)).progress
    assert found == (None if progress is None else pytest.approx(progress))


@pytest.mark.parametrize(
    ("changes", "eta"),
    [
        ({"timeleft": "1.02:03:04"}, NOW + 93_784),
        ({"timeleft": None}, 1_790_001_200.0),
        ({"timeleft": "soon"}, 1_790_001_200.0),
        ({"timeleft": None, "estimatedCompletionTime": None}, None),
        ({"status": "completed"}, None),
        ({"status": "delay"}, None),
    ],
)
def test_when_it_will_be_done(changes: dict[str, Any], eta: float | None) -> None:
    assert report(queue_row(**changes)).eta == eta


def test_the_services_clock_is_corrected() -> None:
    queue = RadarrDecoder().queue(RADARR, [queue_row(timeleft=None)], NOW, 600.0)
    assert queue is not None
    assert queue.reports[0].eta == 1_790_000_600.0


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"errorMessage": ""}, None),
        ({"errorMessage": "The download is stalled"}, "The download is stalled"),
        (
            {
                "errorMessage": "Not enough space in /downloads/x/y",
                "statusMessages": [
                    {"title": "ferry.mkv", "messages": ["Sample", "Sample"]},
                    {"title": "Nothing was imported", "messages": []},
                    "odd",
                    {"title": "z", "messages": "odd"},
                ],
            },
            "Not enough space in [path]; Sample; Nothing was imported; z",
        ),
    ],
)
def test_problems_in_the_services_own_words(changes: dict[str, Any], problem: str | None) -> None:
    assert report(queue_row(**changes)).problem == problem


def test_a_pack_is_one_download_and_its_sizes_are_not_summed() -> None:
    queue = read(*(pack_row(number) for number in (1, 2, 3)), service=SONARR)
    (found,) = queue.reports
    assert found.title == MILL
    assert found.parts == (part(1), part(2), part(3))
    assert found.progress == pytest.approx(0.75)
    assert queue.count == 1


def test_the_case_of_an_id_does_not_tell_downloads_apart() -> None:
    queue = read(pack_row(1), pack_row(2, downloadId=HASH.lower()), pack_row(2), service=SONARR)
    (found,) = queue.reports
    assert found.download_id == HASH
    assert found.parts == (part(1), part(2))
    assert queue.downloads == {HASH.casefold()}


def test_ids_are_compared_as_a_whole() -> None:
    queue = read(
        queue_row(downloadId=f"{HASH}:dbid_1"),
        queue_row(downloadId=f"{HASH}:dbid_2", movieId=42, movie=movie(id=42, tmdbId=7)),
    )
    assert len(queue.reports) == 2
    assert queue.count == 2


def test_releases_that_wait_have_no_id_yet() -> None:
    waiting = {"status": "delay", "downloadId": None, "trackedDownloadState": None}
    queue = read(
        pack_row(1, **waiting),
        pack_row(2, **waiting),
        pack_row(3, **waiting, title="Another.Release"),
        service=SONARR,
    )
    first, second = queue.reports
    assert (first.parts, second.parts) == ((part(1), part(2)), (part(3),))
    assert first.download_id is None
    assert queue.downloads == frozenset()
    assert queue.count == 2


def test_a_download_of_two_series_is_told_of_each() -> None:
    other = {"id": 18, "title": "Other", "tvdbId": 5}
    queue = read(pack_row(1), pack_row(1, seriesId=18, series=other), service=SONARR)
    assert [found.title.own_id for found in queue.reports] == [17, 18]
    assert queue.count == 1


def test_rows_that_match_nothing_are_counted_and_not_reported() -> None:
    unmatched = without(queue_row(), "movieId", "movie")
    queue = read(unmatched)
    assert queue.reports == ()
    assert queue.downloads == {HASH.casefold()}
    assert queue.count == 1


def test_a_row_without_its_film_is_known_by_the_services_own_id() -> None:
    found = report(without(queue_row(), "movie"))
    assert found.title.own_id == 41
    assert not found.title.ids


def test_a_row_without_its_episode_is_known_by_the_services_own_id() -> None:
    found = report(without(pack_row(1), "episode"), SONARR)
    (ref,) = found.parts
    assert (ref.season, ref.number, ref.own_id) == (2, None, 201)


def test_a_row_that_names_no_episode_is_known_by_its_download() -> None:
    row = without(pack_row(1), "episode", "episodeId", "seasonNumber")
    found = report(row, SONARR)
    assert (found.parts, found.download_id) == ((), HASH)


def test_the_own_id_of_an_episode_stands_when_only_its_number_is_there() -> None:
    found = report(pack_row(1, episode=without(episode(1), "id")), SONARR)
    assert found.parts == (part(1),)


@pytest.mark.parametrize(("resolution", "tier"), [(2160, Tier.UHD), (720, Tier.HD)])
def test_the_tier_in_a_mixed_service(resolution: int, tier: Tier) -> None:
    assert report(queue_row(quality=quality(resolution)), MIXED_RADARR).tier is tier


@pytest.mark.parametrize(
    ("changes", "moving"),
    [
        ({}, True),
        ({"status": "queued"}, True),
        ({"status": "completed", "trackedDownloadState": "importing"}, True),
        ({"status": "paused"}, False),
        ({"status": "warning"}, False),
        ({"status": "delay"}, False),
        ({"status": "completed", "trackedDownloadState": "importBlocked"}, False),
    ],
)
def test_only_what_moves_is_worth_a_frequent_look(changes: dict[str, Any], moving: bool) -> None:
    assert read(queue_row(**changes)).downloading is moving


def test_an_empty_queue() -> None:
    assert read() == Queue(reports=(), downloads=frozenset(), count=0, downloading=False)
