"""History rows become reports, in the order in which things happened."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, override

import pytest

from custom_components.media_arrivals.engine.board.models import (
    AnyReport,
    DownloadReport,
    DownloadState,
    FileReport,
    Question,
    QuestionKind,
    Service,
    Tier,
)
from custom_components.media_arrivals.engine.connectors.arr.history import (
    History,
    gone,
    read_ending,
)
from custom_components.media_arrivals.engine.connectors.base import Sighting
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
    Doc,
    decoded,
    episode_row,
    history_row,
    part,
    quality,
    radarr,
    sonarr,
    without,
)

GRABBED, IMPORTED, FAILED, IGNORED = (
    "grabbed",
    "downloadFolderImported",
    "downloadFailed",
    "downloadIgnored",
)
T0 = datetime(2026, 9, 20, 10, 0, tzinfo=UTC).timestamp()


def at(seconds: float) -> str:
    return datetime.fromtimestamp(T0 + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(*rows: Any, service: Service = RADARR, offset: float = 0.0) -> History:
    decoder = RadarrDecoder() if service.kind == "radarr" else SonarrDecoder()
    history = decoder.history(service, list(rows), offset)
    assert history is not None
    return history


def short(reports: tuple[AnyReport, ...]) -> list[tuple[Any, ...]]:
    """Say what reports are about: what, when, how many parts, whether they open."""
    found: list[tuple[Any, ...]] = []
    for report in reports:
        assert isinstance(report, (DownloadReport, FileReport))
        word = report.state if isinstance(report, DownloadReport) else report.present
        when = round(report.happened_at - T0, 3)
        found.append((word, when, len(report.parts), report.opens))
    return found


def deleted(row_id: int, seconds: float, reason: str, **changes: Any) -> Doc:
    row = history_row(row_id, "movieFileDeleted", at(seconds), data={"reason": reason}, **changes)
    return without(row, "downloadId")


def test_a_film_from_grab_to_import() -> None:
    history = read(history_row(2, IMPORTED, at(600)), history_row(1, GRABBED, at(0)))
    assert short(history.reports) == [
        (DownloadState.DOWNLOADING, 0.0, 0, True),
        (True, 600.0, 0, True),
        (DownloadState.IMPORTED, 600.0, 0, False),
    ]
    assert {report.title for report in history.reports} == {FERRY}
    assert all(report.at == report.happened_at for report in history.reports)
    assert not any(report.confirmed for report in history.reports)
    assert history.ended == {HASH.casefold()}


def test_an_import_without_a_download_ends_none() -> None:
    history = read(without(history_row(1, IMPORTED, at(0)), "downloadId"))
    assert short(history.reports) == [(True, 0.0, 0, True)]
    assert history.ended == frozenset()


def test_the_services_clock_is_corrected() -> None:
    (report,) = read(history_row(1, GRABBED, at(0)), offset=90.0).reports
    assert (report.at, report.happened_at) == (T0 - 90, T0 - 90)


def test_the_history_and_the_webhook_see_the_same() -> None:
    history = read(history_row(1, GRABBED, at(0)), history_row(2, IMPORTED, at(5)))
    seen = [decoded(radarr(event)).sightings[0] for event in ("Grab", "Download")]
    assert [(one.event, one.key) for one in history.sightings] == [
        (one.event, one.key) for one in seen
    ]
    assert [one.at for one in history.sightings] == [T0, T0 + 5]


def test_an_import_whose_download_is_only_guessed_is_seen_as_the_webhook_sees_it() -> None:
    guessed = history_row(1, IMPORTED, at(0), data={"importedPath": "/films/x.mkv"})
    (sighting,) = read(guessed).sightings
    told = decoded(without(radarr("Download"), "downloadId"))
    assert (sighting.event, sighting.key) == (told.sightings[0].event, told.sightings[0].key)
    episodes = [
        episode_row(number, IMPORTED, at(0), number, data={"downloadClient": None})
        for number in (1, 2)
    ]
    keys = [sighting.key for sighting in read(*episodes, service=SONARR).sightings]
    assert keys == ["own:201", "own:202"]


def test_a_file_deleted_for_a_better_one_is_no_loss_and_makes_the_import_an_upgrade() -> None:
    history = read(deleted(1, 0, "Upgrade"), history_row(2, IMPORTED, at(1)))
    assert short(history.reports) == [
        (True, 1.0, 0, False),
        (DownloadState.IMPORTED, 1.0, 0, False),
    ]


def test_an_import_long_after_a_deletion_is_no_upgrade() -> None:
    history = read(deleted(1, 0, "Upgrade"), history_row(2, IMPORTED, at(3600)))
    assert short(history.reports)[0] == (True, 3600.0, 0, True)


def test_an_upgrade_of_one_film_makes_no_upgrade_of_another() -> None:
    other = history_row(2, IMPORTED, at(1), movieId=42, movie={"id": 42, "tmdbId": 5})
    assert short(read(deleted(1, 0, "Upgrade"), other).reports)[0] == (True, 1.0, 0, True)


@pytest.mark.parametrize("reason", ["Manual", "MissingFromDisk", None, 5])
def test_other_deletions_are_losses(reason: Any) -> None:
    assert short(read(deleted(1, 0, reason)).reports) == [(False, 0.0, 0, False)]


def test_a_failed_download_says_why() -> None:
    row = history_row(1, FAILED, at(0), data={"message": "Aborted in /downloads/x/y"})
    (report,) = read(row).reports
    assert isinstance(report, DownloadReport)
    assert report.state is DownloadState.FAILED
    assert report.problem == "Aborted in [path]"
    assert read(row).sightings == ()


def test_an_ignored_download_is_gone_and_did_not_fail() -> None:
    (report,) = read(history_row(1, IGNORED, at(0), data={"message": "Ignored"})).reports
    assert isinstance(report, DownloadReport)
    assert (report.state, report.problem) == (DownloadState.GONE, None)


def test_rows_of_one_second_keep_their_order() -> None:
    history = read(
        history_row(3, GRABBED, at(0), downloadId="B"),
        history_row(1, GRABBED, at(0)),
        history_row(2, FAILED, at(0)),
    )
    times = [report.at for report in history.reports]
    assert times == sorted(set(times))
    assert [word for word, *_ in short(history.reports)] == [
        DownloadState.DOWNLOADING,
        DownloadState.FAILED,
        DownloadState.DOWNLOADING,
    ]
    assert {report.happened_at for report in history.reports} == {T0}


def test_a_pack_is_one_story() -> None:
    history = read(
        *(episode_row(number, GRABBED, at(0), number) for number in (1, 2, 3)),
        *(episode_row(10 + number, FAILED, at(60), number) for number in (1, 2, 3)),
        service=SONARR,
    )
    grabbed, failed = history.reports
    assert grabbed.title == MILL
    assert isinstance(grabbed, DownloadReport)
    assert isinstance(failed, DownloadReport)
    assert grabbed.parts == failed.parts == (part(1), part(2), part(3))
    assert history.sightings == (Sighting(event="grab", key=HASH.casefold(), at=T0),)


def test_imports_minutes_apart_keep_their_dates() -> None:
    history = read(
        *(episode_row(number, IMPORTED, at(number * 60), number) for number in (1, 2)),
        service=SONARR,
    )
    assert [when for _, when, *_ in short(history.reports)] == [60.0, 60.0, 120.0, 120.0]


def test_a_pack_grabbed_again_is_another_story() -> None:
    history = read(
        episode_row(1, GRABBED, at(0), 1),
        episode_row(2, FAILED, at(1), 1),
        episode_row(3, GRABBED, at(2), 1),
        service=SONARR,
    )
    assert [word for word, *_ in short(history.reports)] == [
        DownloadState.DOWNLOADING,
        DownloadState.FAILED,
        DownloadState.DOWNLOADING,
    ]


def test_the_webhook_of_a_pack_sees_what_the_history_sees() -> None:
    history = read(
        *(episode_row(number, GRABBED, at(0), number) for number in (1, 2, 3)), service=SONARR
    )
    told = decoded(sonarr("Grab"), SONARR).sightings
    assert [one.key for one in history.sightings] == [one.key for one in told]


def test_the_tier_in_a_mixed_service() -> None:
    row = history_row(1, GRABBED, at(0), quality=quality(2160))
    assert read(row, service=MIXED_RADARR).reports[0].tier is Tier.UHD


def nameless(row_id: int, event: str, seconds: float, **changes: Any) -> Doc:
    """Return a row that names its episode by Sonarr's own id alone."""
    return without(episode_row(row_id, event, at(seconds), row_id, **changes), "episode")


def test_an_episode_without_a_name_is_never_the_whole_series() -> None:
    history = read(
        nameless(1, GRABBED, 0),
        nameless(2, IMPORTED, 60),
        nameless(3, "episodeFileDeleted", 90),
        without(nameless(4, IMPORTED, 120), "downloadId"),
        service=SONARR,
    )
    assert short(history.reports) == [
        (DownloadState.DOWNLOADING, 0.0, 0, False),
        (DownloadState.IMPORTED, 60.0, 0, False),
    ]
    assert history.questions == (Question(service=SONARR.id, kind=QuestionKind.TITLE, title=MILL),)
    assert history.ended == {HASH.casefold()}
    shown = SonarrDecoder().decode_poll(SONARR, "history", [nameless(2, IMPORTED, 60)], NOW)
    assert shown.questions == history.questions


def test_an_episode_without_a_name_takes_none_from_the_others() -> None:
    history = read(episode_row(1, IMPORTED, at(0), 1), nameless(2, IMPORTED, 1), service=SONARR)
    assert short(history.reports) == [(True, 0.0, 1, True), (DownloadState.IMPORTED, 0.0, 1, False)]
    assert len(history.questions) == 1
    assert read(episode_row(1, IMPORTED, at(0), 1), service=SONARR).questions == ()
    assert read(history_row(1, IMPORTED, at(0))).questions == ()


@pytest.mark.parametrize(
    "row",
    [
        history_row(1, "movieFileRenamed", at(0)),
        history_row(1, "seriesFolderImported", at(0)),
        history_row(1, GRABBED, "soon"),
        history_row(1, GRABBED, at(0), movieId=0, movie=None),
        {},
    ],
)
def test_rows_that_say_nothing(row: Doc) -> None:
    assert read(row) == History()


def test_the_indexers_ids_are_no_ids_of_the_title() -> None:
    row = history_row(1, GRABBED, at(0), movie=None, data={"tmdbId": "99", "imdbId": "tt9999999"})
    title = read(row).reports[0].title
    assert (bool(title.ids), title.own_id) == (False, 41)


# --- how a download ended ---------------------------------------------------------------


def test_an_ending_stands_now_and_happened_then() -> None:
    rows = [history_row(1, GRABBED, at(0)), history_row(2, FAILED, at(60))]
    ending = read_ending(RadarrDecoder(), RADARR, rows, NOW, 0.0)
    (report,) = ending.reports
    assert isinstance(report, DownloadReport)
    assert (report.state, report.at, report.happened_at) == (DownloadState.FAILED, NOW, T0 + 60)
    assert report.confirmed
    assert ending.pending == ()


def test_a_file_that_came_then_may_have_gone_since() -> None:
    ending = read_ending(RadarrDecoder(), RADARR, [history_row(2, IMPORTED, at(60))], NOW, 0.0)
    present, imported = ending.reports
    assert isinstance(present, FileReport)
    assert (present.at, present.confirmed) == (T0 + 60, False)
    assert (imported.at, imported.confirmed) == (NOW, True)


def test_parts_of_a_pack_may_end_differently() -> None:
    rows = [
        *(episode_row(number, GRABBED, at(0), number) for number in (1, 2, 3)),
        episode_row(11, IMPORTED, at(60), 1),
        episode_row(12, FAILED, at(61), 2),
    ]
    ending = read_ending(SonarrDecoder(), SONARR, rows, NOW, 0.0)
    assert short(ending.reports) == [
        (True, 60.0, 1, True),
        (DownloadState.IMPORTED, 60.0, 1, False),
        (DownloadState.FAILED, 61.0, 1, False),
    ]
    (entry,) = ending.pending
    assert entry.parts == (part(3),)
    lost = gone(SONARR, entry, NOW)
    assert isinstance(lost, DownloadReport)
    assert (lost.state, lost.parts, lost.at) == (DownloadState.GONE, (part(3),), NOW)
    assert lost.confirmed


def test_what_was_grabbed_again_has_no_end_yet() -> None:
    rows = [
        history_row(1, GRABBED, at(0)),
        history_row(2, FAILED, at(60)),
        history_row(3, GRABBED, at(90)),
    ]
    ending = read_ending(RadarrDecoder(), RADARR, rows, NOW, 0.0)
    assert ending.reports == ()
    assert [entry.happened_at for entry in ending.pending] == [T0 + 90]


def test_a_pack_of_thousands_is_read_as_quickly_as_its_rows() -> None:
    """Every row once: joined one by one, ten thousand took eight seconds."""
    joined = 0

    class Counted(str):
        __slots__ = ()

        @override
        def __hash__(self) -> int:
            nonlocal joined
            joined += 1
            return super().__hash__()

    decoder = SonarrDecoder()
    plain = decoder.row_part
    decoder.row_part = lambda row: tuple(  # type: ignore[method-assign]
        replace(part, name=Counted(part.name)) for part in plain(row)
    )
    rows = [episode_row(number, GRABBED, at(0), number) for number in range(1, 301)]
    history = decoder.history(SONARR, rows)
    assert history is not None
    (report,) = history.reports
    assert isinstance(report, DownloadReport)
    assert len(report.parts) == 300
    assert joined < 5 * 300
