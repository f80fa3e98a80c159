"""Radarr's deliveries and answers: every event, every version, every odd value."""

from datetime import datetime
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    DownloadReport,
    DownloadState,
    FileReport,
    HeldReport,
    Origin,
    Premiere,
    Reason,
    Role,
    Tier,
    Via,
)
from custom_components.media_arrivals.engine.connectors.base import HealthNote, Sighting
from tests.engine.connectors.arr.bodies import (
    FERRY,
    HASH,
    MIXED_RADARR,
    NOW,
    RADARR,
    decoded,
    file,
    movie,
    polled,
    quality,
    radarr,
    release,
    without,
)

WEBHOOK = Origin(service="radarr-1", kind="radarr", role=Role.DOWNLOADS, via=Via.WEBHOOK)
POLL = Origin(service="radarr-1", kind="radarr", role=Role.DOWNLOADS, via=Via.POLL)
TOLD: dict[str, Any] = {
    "origin": WEBHOOK,
    "at": NOW,
    "happened_at": NOW,
    "title": FERRY,
    "tier": Tier.HD,
}


def test_a_grab_opens_and_downloads() -> None:
    found = decoded(radarr("Grab"))
    assert found.event_type == "Grab"
    assert found.reports == (
        DownloadReport(**TOLD, state=DownloadState.DOWNLOADING, download_id=HASH, opens=True),
    )
    assert found.sightings == (Sighting(event="grab", key=HASH.casefold(), at=NOW),)
    assert found.ignored is None


def test_an_import_opens_and_ends_the_download() -> None:
    found = decoded(radarr("Download"))
    assert found.reports == (
        FileReport(**TOLD, present=True, download_id=HASH, opens=True),
        DownloadReport(**TOLD, state=DownloadState.IMPORTED, download_id=HASH),
    )
    assert found.sightings == (Sighting(event="import", key=HASH.casefold(), at=NOW),)


@pytest.mark.parametrize(
    "changes",
    [
        {"isUpgrade": True, "deletedFiles": [file(recycleBinPath="/films/bin")]},
        {"isUpgrade": True},
        {"isUpgrade": None, "deletedFiles": [file()]},
    ],
)
def test_an_upgrade_is_an_import_that_opens_nothing(changes: dict[str, Any]) -> None:
    found = decoded(radarr("Download", **changes))
    present, imported = found.reports
    assert isinstance(present, FileReport)
    assert present.present
    assert not present.opens
    assert isinstance(imported, DownloadReport)
    assert imported.state is DownloadState.IMPORTED
    assert found.sightings[0].event == "import"


def test_an_import_without_a_download_is_known_by_the_film() -> None:
    found = decoded(without(radarr("Download"), "downloadId"))
    assert found.reports == (FileReport(**TOLD, present=True, opens=True),)
    assert found.sightings == (Sighting(event="import", key="own:41", at=NOW),)


def test_an_addition_opens() -> None:
    found = decoded(radarr("MovieAdded"))
    assert found.reports == (HeldReport(**TOLD, held=True, opens=True),)
    assert found.sightings == (Sighting(event="added", key="41", at=NOW),)


def test_an_addition_without_the_services_own_id_cannot_be_sighted() -> None:
    found = decoded(radarr("MovieAdded", movie=movie(id=0)))
    (report,) = found.reports
    assert report.title.own_id is None
    assert found.sightings == ()


@pytest.mark.parametrize(
    ("flag", "files"), [(True, True), (False, False), (None, False), ([], False)]
)
def test_a_deletion_says_whether_the_files_went(flag: Any, files: bool) -> None:
    found = decoded(radarr("MovieDelete", deletedFiles=flag))
    assert found.reports == (HeldReport(**TOLD, held=False, files_deleted=files),)


@pytest.mark.parametrize("reason", ["manual", "missingFromDisk", "noLinkedEpisodes", "", None, 7])
def test_a_deleted_file_is_a_loss_to_be_confirmed(reason: Any) -> None:
    found = decoded(radarr("MovieFileDelete", deleteReason=reason))
    assert found.reports == (FileReport(**TOLD, present=False),)
    assert not found.reports[0].confirmed


@pytest.mark.parametrize("reason", ["upgrade", "Upgrade"])
def test_a_file_deleted_for_a_better_one_is_no_loss(reason: str) -> None:
    found = decoded(radarr("MovieFileDelete", deleteReason=reason))
    assert found.reports == ()
    assert found.ignored is Reason.UPGRADE


def test_a_download_that_needs_a_person() -> None:
    found = decoded(radarr("ManualInteractionRequired"))
    assert found.reports == (
        DownloadReport(
            **TOLD,
            state=DownloadState.BLOCKED,
            download_id=HASH,
            progress=1.0,
            problem=(
                "Found matching movie via grab history, but release title doesn't match; "
                "No files found in [path]; Sample"
            ),
        ),
    )


def test_messages_without_words_leave_their_title() -> None:
    messages = [{"title": "Not imported", "messages": [None, ""]}]
    (report,) = decoded(
        radarr("ManualInteractionRequired", downloadStatusMessages=messages)
    ).reports
    assert isinstance(report, DownloadReport)
    assert report.problem == "Not imported"


def test_a_films_ids_are_no_series_ids() -> None:
    (report,) = decoded(radarr("Grab", movie=movie(tvdbId=770020))).reports
    assert report.title == FERRY


def test_the_words_of_a_problem_are_cut() -> None:
    messages = [{"title": "x", "messages": [f"wrong {n} " + "y" * 90 for n in range(9)]}]
    found = decoded(radarr("ManualInteractionRequired", downloadStatusMessages=messages))
    (report,) = found.reports
    assert isinstance(report, DownloadReport)
    assert report.problem is not None
    assert len(report.problem) == 255


def test_an_unmatched_download_is_worth_a_look() -> None:
    found = decoded(without(radarr("ManualInteractionRequired"), "movie"))
    assert (found.reports, found.ignored, found.hint) == ((), Reason.NO_IDS, True)


def test_health_that_is_well_is_no_complaint() -> None:
    (note,) = decoded(radarr("Health", level="ok")).health
    assert note.ok


@pytest.mark.parametrize(("event", "ok"), [("Health", False), ("HealthRestored", True)])
def test_health_is_a_note_and_no_report(event: str, ok: bool) -> None:
    found = decoded(radarr(event))
    assert found.reports == ()
    assert found.ignored is Reason.UNUSED_EVENT
    assert found.health == (
        HealthNote(
            check="IndexerStatusCheck",
            ok=ok,
            message="Indexers unavailable due to failures: Harbour at [address]",
        ),
    )


@pytest.mark.parametrize("event", ["Rename", "ApplicationUpdate", "SomethingNew"])
def test_other_events_say_nothing_of_a_journey(event: str) -> None:
    found = decoded(radarr(event))
    assert (found.event_type, found.reports, found.ignored) == (event, (), Reason.UNUSED_EVENT)


def test_a_test_is_a_test_and_never_a_film() -> None:
    found = decoded(
        radarr(
            "Test",
            movie=movie(id=1, title="Test Title", year=1970, tmdbId=0),
            remoteMovie={"tmdbId": 1234, "imdbId": "5678", "title": "Test title"},
            release=release(quality="Test Quality"),
        )
    )
    assert found.test
    assert (found.reports, found.questions, found.ignored) == ((), (), Reason.TEST)


@pytest.mark.parametrize("name", ["grab", "GRAB", "Grab"])
def test_the_case_of_an_events_name_does_not_count(name: str) -> None:
    found = decoded(radarr("Grab", eventType=name))
    assert found.event_type == name
    assert len(found.reports) == 1


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"tmdbId": 0}, (880010, "tt8800100")),
        ({"imdbId": None}, (880010, "tt8800100")),
        ({"imdbId": "5678"}, (880010, "tt8800100")),
        ({"tmdbId": 5}, (5, "tt8800100")),
    ],
)
def test_the_remote_film_fills_what_is_unknown(
    changes: dict[str, Any], ids: tuple[int, str]
) -> None:
    found = decoded(radarr("Grab", movie=movie(**changes)))
    title = found.reports[0].title
    assert (title.ids.tmdb, title.ids.imdb) == ids


def test_a_film_with_no_ids_but_its_own_is_still_reported() -> None:
    body = radarr("Download", movie=movie(tmdbId=0, imdbId=None), remoteMovie=None)
    title = decoded(body).reports[0].title
    assert not title.ids
    assert title.own_id == 41


@pytest.mark.parametrize("broken", [None, [], "x", {}, {"id": 0, "tmdbId": 0, "title": "x"}])
def test_a_film_without_any_id_is_never_guessed(broken: Any) -> None:
    found = decoded(radarr("Grab", movie=broken, remoteMovie=None))
    assert (found.reports, found.ignored, found.hint) == ((), Reason.NO_IDS, True)
    assert found.detail == "no title"


@pytest.mark.parametrize(
    ("key", "value", "attribute"),
    [
        ("title", 7, "name"),
        ("year", 0, "year"),
        ("year", "soon", "year"),
        ("overview", [], "overview"),
        ("images", "none", "poster"),
        ("images", [{"coverType": "poster", "url": "/MediaCover/1/poster.jpg"}], "poster"),
    ],
)
def test_a_wrong_value_loses_only_itself(key: str, value: Any, attribute: str) -> None:
    found = decoded(radarr("MovieAdded", movie=movie(**{key: value})))
    (report,) = found.reports
    expected = {"name": FERRY.name, "year": FERRY.year, "overview": FERRY.overview}
    assert getattr(report.title, attribute) is None
    for other in expected.keys() - {attribute}:
        assert getattr(report.title, other) == expected[other]
    assert report.title.ids == FERRY.ids


def test_an_early_v3_with_little_in_it() -> None:
    found = decoded(
        {
            "movie": {
                "id": 41,
                "title": "Silver Ferry",
                "releaseDate": "2024-08-01",
                "folderPath": "/films/x",
                "tmdbId": 880010,
            },
            "deleteReason": "missingFromDisk",
            "eventType": "MovieFileDelete",
        }
    )
    (report,) = found.reports
    assert isinstance(report, FileReport)
    assert report.title.ids.tmdb == 880010
    assert report.title.year is None


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("Bluray-2160p", Tier.UHD),
        ("Remux-2160P", Tier.UHD),
        ("WEBDL-1080p", Tier.HD),
        ("DVD", Tier.HD),
        ("Unknown", Tier.UNKNOWN),
        ("", Tier.UNKNOWN),
        (None, Tier.UNKNOWN),
        ({"quality": {"name": "WEBDL-2160p", "resolution": 2160}}, Tier.UHD),
        ({"name": "HDTV-720p", "resolution": 720}, Tier.HD),
        ({"quality": {"id": 0, "name": "Unknown", "resolution": 0}}, Tier.UNKNOWN),
    ],
)
def test_in_a_mixed_service_the_file_decides_the_tier(name: Any, tier: Tier) -> None:
    body = radarr("Download", movieFile=file(quality=name))
    assert [report.tier for report in decoded(body, MIXED_RADARR).reports] == [tier, tier]
    assert decoded(body, RADARR).reports[0].tier is Tier.HD


def test_in_a_mixed_service_the_release_decides_before_there_is_a_file() -> None:
    body = radarr("Grab", release=release(quality="WEBDL-2160p"))
    assert decoded(body, MIXED_RADARR).reports[0].tier is Tier.UHD


# --- answers -------------------------------------------------------------------------------


STATE = {**TOLD, "origin": POLL, "confirmed": True}
ADDED = 1_789_898_400.0


def api_movie(**changes: Any) -> dict[str, Any]:
    return movie(
        **{
            "added": "2026-09-20T10:00:00Z",
            "monitored": True,
            "hasFile": False,
            "status": "released",
            **changes,
        }
    )


def test_a_film_that_is_held_and_has_no_file() -> None:
    found = polled("movie", [api_movie()])
    held = {**STATE, "happened_at": ADDED}
    assert found.reports == (
        HeldReport(**held, held=True, premiere=Premiere(at=NOW, monitored=True)),
        FileReport(**STATE, present=False),
    )


CINEMAS, DIGITAL, PHYSICAL = "2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z"
IN_CINEMAS, ON_DISC = (datetime.fromisoformat(date).timestamp() for date in (CINEMAS, PHYSICAL))


@pytest.mark.parametrize(
    ("said", "due_at", "out"),
    [
        (
            {"inCinemas": CINEMAS, "digitalRelease": DIGITAL, "physicalRelease": PHYSICAL},
            ON_DISC,
            None,
        ),
        ({"inCinemas": CINEMAS, "isAvailable": False}, IN_CINEMAS + 90 * 86_400.0, False),
        (
            {"inCinemas": CINEMAS, "physicalRelease": PHYSICAL, "minimumAvailability": "inCinemas"},
            IN_CINEMAS,
            None,
        ),
        (
            {"physicalRelease": PHYSICAL, "minimumAvailability": "announced", "isAvailable": True},
            ON_DISC,
            True,
        ),
        (
            {"minimumAvailability": "announced", "isAvailable": True, "status": "announced"},
            None,
            False,
        ),
        ({"isAvailable": True}, None, True),
        ({"inCinemas": "0001-01-01T00:00:00Z", "isAvailable": "perhaps"}, None, None),
    ],
)
def test_when_a_film_comes_out(
    said: dict[str, Any], due_at: float | None, out: bool | None
) -> None:
    document = api_movie(**{"minimumAvailability": "released", **said})
    held, _ = polled("movie", document).reports

    assert isinstance(held, HeldReport)
    assert held.premiere == Premiere(at=NOW, due_at=due_at, out=out, monitored=True)


def test_a_film_of_which_nothing_is_said_has_no_release() -> None:
    held, _ = polled("movie", api_movie(monitored=None)).reports

    assert isinstance(held, HeldReport)
    assert held.premiere is None


def test_a_film_with_a_file() -> None:
    owned = api_movie(
        hasFile=True, movieFile={**file(), "quality": quality(2160), "path": "/films/x.mkv"}
    )
    found = polled("movie", owned, MIXED_RADARR)
    held, present = found.reports
    assert isinstance(present, FileReport)
    assert present.present
    assert present.happened_at == pytest.approx(ADDED + 0.1234567)
    assert present.at == NOW
    assert (held.tier, present.tier) == (Tier.UHD, Tier.UHD)


def test_a_file_is_there_even_if_only_it_says_so() -> None:
    _, present = polled("movie", api_movie(hasFile=None, movieFile=file())).reports
    assert isinstance(present, FileReport)
    assert present.present


def test_whether_there_is_a_file_may_be_unknown() -> None:
    (held,) = polled("movie", api_movie(hasFile="?")).reports
    assert isinstance(held, HeldReport)


@pytest.mark.parametrize("body", [None, 7, "text", {}, [{}], [{"id": 0}]])
def test_an_answer_without_a_film_says_nothing(body: Any) -> None:
    assert polled("movie", body).reports == ()


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"appName": "Radarr", "version": "6.1.0.1"}, "Radarr 6.1.0.1"),
        ({"appName": "Radarr"}, "Radarr"),
        (
            {"appName": "Radarr", "version": "0.2.0.1480"},
            "Radarr 0.2.0.1480, which is too old: 3 is the oldest",
        ),
        ({"appName": "Sonarr", "version": "4.0.9"}, "Sonarr 4.0.9, which is no Radarr"),
    ],
)
def test_the_status_says_who_answers(body: Any, detail: str) -> None:
    private = {"startupPath": "/opt/Radarr/bin", "instanceName": "Anna's films"}
    found = polled("status", {**body, **private})
    assert (found.ignored, found.detail, found.reports) == (Reason.UNUSED_EVENT, detail, ())


def connection(name: str, url: str, **more: Any) -> dict[str, Any]:
    fields = [{"name": "url", "value": url}, {"name": "password", "value": "open-sesame"}]
    return {"id": 7, "implementation": "Webhook", "name": name, "fields": fields, **more}


def test_connections_are_described_without_saying_where_they_lead() -> None:
    ours = "Home Assistant (Media Arrivals 0123abcd)"
    url = "http://ha.example:8123/api/webhook/0a1b2c3d4e5f"
    rows = [
        connection(ours, url, onGrab=True, onDownload=True, onRename=False, supportsOnGrab=True),
        connection("by hand", url, onGrab=True, tags=[3]),
        connection("Harbour", "https://harbour.example/hook"),
        {"implementation": "Discord", "fields": []},
    ]
    found = polled("notification", rows)
    assert (found.ignored, found.reports) == (Reason.UNUSED_EVENT, ())
    assert found.detail == (
        "connections: 4, webhooks: 3; ours: switched on for onDownload, onGrab; "
        "calls a Home Assistant: switched on for onGrab, only for some tags; another: switched off"
    )
    assert polled("notification", rows[0]).detail == (
        "connections: 1, webhooks: 1; ours: switched on for onDownload, onGrab"
    )


@pytest.mark.parametrize(
    ("resource", "body", "detail"),
    [
        ("status", {"version": "2.7.3"}, "another shape"),
        ("status", [], "another shape"),
        ("notification", {"error": "Unauthorized"}, "another shape"),
        ("movie", None, "another shape"),
        ("queue", {"error": 1}, "another shape"),
        ("history", "x", "another shape"),
        ("health", {}, "another shape"),
        ("series", [], "unknown resource"),
        ("calendar", [], "unknown resource"),
    ],
)
def test_what_cannot_be_read_is_said(resource: str, body: Any, detail: str) -> None:
    found = polled(resource, body)
    assert (found.ignored, found.detail) == (Reason.UNREADABLE, detail)


def test_health_answers_name_the_check_source() -> None:
    found = polled(
        "health",
        [
            {"source": "IndexerRssCheck", "type": "error", "message": "No indexers"},
            {"source": "UpdateCheck", "type": "notice", "message": "New version"},
            {"source": "ProxyCheck", "type": "warning", "message": "at 192.168.1.1"},
            "odd",
        ],
    )
    assert found.health == (
        HealthNote(check="IndexerRssCheck", ok=False, message="No indexers"),
        HealthNote(check="ProxyCheck", ok=False, message="at [address]"),
    )
