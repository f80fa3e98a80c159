"""What the presenters say of things that no story above comes across."""

from datetime import UTC, datetime

from custom_components.media_arrivals.engine.board.models import (
    Arrival,
    Claims,
    DownloadClaim,
    DownloadState,
    MediaType,
    Part,
    PartState,
    Question,
    QuestionKind,
    Stage,
    Tier,
    Title,
)
from custom_components.media_arrivals.presenter import (
    REDACTED,
    Audience,
    iso_time,
    present_arrival_details,
    present_part,
    present_statement,
)
from tests.engine.board.household import (
    ANNA,
    FILM,
    NOON,
    SHOW,
    SONARR,
    download,
    episode,
    episodes,
    request,
    watched,
)

AUDIENCE = Audience(names=False, services={"sonarr": "Sonarr"})


def test_times_are_in_utc_and_to_the_second() -> None:
    assert iso_time(None) is None
    shown = iso_time(NOON + 0.6)
    assert shown is not None
    assert datetime.fromisoformat(shown) == datetime.fromtimestamp(NOON, UTC)


def test_a_download_is_told_with_all_that_is_known_of_it() -> None:
    claim = DownloadClaim(
        at=NOON,
        happened_at=NOON,
        state=DownloadState.BLOCKED,
        download_id="ABC",
        progress=0.987,
        eta=NOON + 60,
        problem="Not an upgrade",
    )
    part = Part(number=5, claims=(Claims("sonarr", own_id=105, download=claim), Claims("plex", 7)))
    (told,) = present_part(part, AUDIENCE)["claims"]
    assert told == {
        "service": "sonarr",
        "service_name": "Sonarr",
        "download": {
            "state": "blocked",
            "progress": 99,
            "eta": iso_time(NOON + 60),
            "problem": "Not an upgrade",
            "download_id": "ABC",
            "happened_at": iso_time(NOON),
        },
    }


def test_reports_are_told_without_people_and_without_what_is_unknown() -> None:
    told = present_statement(request(SHOW, 1, seasons=(1, 2), who="Mia"), {})
    assert told["statement"] == "RequestReport"
    assert told["requester"] == REDACTED
    assert told["seasons"] == [1, 2]
    assert told["created_at"] == iso_time(NOON)
    assert told["title"]["ids"] == {"tmdb": 4002, "tvdb": 70_002}
    assert "origin" not in told
    told = present_statement(download(SONARR, SHOW, 1, parts=(episode(1),)), {})
    assert told["parts"] == [{"season": 1, "number": 1, "own_id": 101}]
    assert "progress" not in told


def test_downloads_are_numbered() -> None:
    downloads: dict[str, int] = {}
    told = [
        present_statement(download(SONARR, SHOW, at, download_id=key), downloads)["download_id"]
        for at, key in enumerate(("0A1B", "SABnzbd_nzo_1", "0a1b"))
    ]
    assert told == ["download 1", "download 2", "download 1"]
    question = Question(service="sonarr", kind=QuestionKind.DOWNLOAD, download_id="0A1B")
    assert present_statement(question, downloads)["download_id"] == "download 1"
    none = present_statement(download(SONARR, SHOW, 1, download_id=None), downloads)
    assert "download_id" not in none


def test_parts_of_parts_are_told_too() -> None:
    told = present_statement(episodes(2, 2), {})
    lines = told["parts"]
    assert [line["ref"]["number"] for line in lines] == [1, 2]
    assert lines[0]["wanted"] is True
    assert lines[0]["aired_at"] == iso_time(NOON - 100 * 86_400 + 1)
    assert isinstance(episodes(2, 2).parts[0], PartState)


def test_a_question_is_told_without_the_report_that_waits_for_it() -> None:
    question = Question(
        service="sonarr",
        kind=QuestionKind.TITLE,
        title=SHOW,
        opening=download(SONARR, SHOW, 1),
    )
    told = present_statement(question, {})
    assert (told["statement"], told["kind"]) == ("Question", "title")
    assert told["service"] == "sonarr"
    assert "opening" not in told


def test_who_watched_is_told_neither_in_a_report_nor_in_a_question_about_it() -> None:
    told = present_statement(watched(FILM, 5), {})
    assert (told["statement"], told["viewer"], told["watched"]) == ("WatchReport", REDACTED, True)
    question = Question(
        service="plex", kind=QuestionKind.ITEM, item="77", about=watched(SHOW, 5, ANNA, 1)
    )
    told = present_statement(question, {})
    assert told["item"] == "77"
    assert told["about"]["viewer"] == REDACTED
    assert told["about"]["parts"] == [{"season": 1, "number": 1}]
    assert ANNA not in str(told)


def test_episodes_without_a_number_come_last_by_date() -> None:
    parts = (
        Part(air_date="2026-03-02"),
        Part(number=3),
        Part(air_date="2026-03-01"),
        Part(number=1),
    )
    arrival = Arrival(
        id="a",
        title_id="t",
        season=1,
        tier=Tier.HD,
        opened_at=NOON,
        stage=Stage.SENT,
        stage_at=NOON,
        known_at=NOON,
        whole=Part(),
        parts={part.key: part for part in parts},
    )
    title = Title(id="t", media_type=MediaType.SERIES, ids=SHOW.ids, own_ids={})
    told = present_arrival_details(arrival, title, (), (), AUDIENCE, overview=None)
    named = [part["number"] or part["air_date"] for part in told["episodes"]]
    assert named == [1, 3, "2026-03-01", "2026-03-02"]
    # Nothing of watching is there for who may not know of it.
    assert "watched" not in told
