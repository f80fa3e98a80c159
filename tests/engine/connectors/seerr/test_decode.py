"""Deliveries of the Seerr family: every event, every template."""

import json
from dataclasses import replace
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    Decision,
    ExternalIds,
    MediaType,
    Person,
    PlayableReport,
    Question,
    QuestionKind,
    Reason,
    RequestReport,
    Tier,
    TitleRef,
    Via,
)
from custom_components.media_arrivals.engine.connectors.base import Decoded, Sighting
from tests.engine.connectors.seerr.bodies import (
    DECODER,
    EVENTS,
    NOW,
    SEERR,
    body,
    decoded,
    delivery,
    snake,
    with_media,
)

FERRY = TitleRef(
    media_type=MediaType.MOVIE,
    ids=ExternalIds(tmdb=880010),
    name="Silver Ferry",
    year=2024,
    overview="A ferry, a fog, and nobody at the wheel.",
    poster="https://image.tmdb.org/t/p/w600_and_h900_bestv2/ferry.jpg",
)


def asked(found: Decoded) -> RequestReport:
    """Return the report on the request."""
    (report,) = (item for item in found.reports if isinstance(item, RequestReport))
    return report


def playable(found: Decoded) -> list[PlayableReport]:
    return [item for item in found.reports if isinstance(item, PlayableReport)]


@pytest.mark.parametrize(
    ("event", "decision", "initial", "sighted"),
    [
        ("MEDIA_PENDING", Decision.PENDING, True, "requested"),
        ("MEDIA_AUTO_APPROVED", Decision.APPROVED, True, "requested"),
        ("MEDIA_APPROVED", Decision.APPROVED, False, "approved"),
        ("MEDIA_DECLINED", Decision.DECLINED, False, "declined"),
        ("MEDIA_FAILED", Decision.FAILED, False, "failed"),
        ("MEDIA_AVAILABLE", Decision.APPROVED, True, "available"),
    ],
)
def test_each_event_of_a_request_says_its_decision(
    event: str, decision: Decision, initial: bool, sighted: str
) -> None:
    found = decoded(body(event))
    report = asked(found)
    assert (report.decision, report.initial, report.request_id) == (decision, initial, 41)
    assert report.title == FERRY
    assert report.requester == Person(name="Ben")
    assert report.seasons is None
    assert (report.at, report.happened_at, report.confirmed) == (NOW, NOW, False)
    assert (report.origin.service, report.origin.via) == ("entry-seerr", Via.WEBHOOK)
    assert found.sightings == (Sighting(event=sighted, key="41", at=NOW),)
    assert found.event_type == event
    assert found.ignored is None


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    ("sentence", "tier"),
    [
        ("4K Movie Request Something", Tier.UHD),
        ("New Series Request in 4k", Tier.UHD),
        ("Movie Request Something", Tier.UNKNOWN),
        ("Movie Request from Room 14K", Tier.UNKNOWN),
        ("", Tier.UNKNOWN),
        (None, Tier.UNKNOWN),
    ],
)
def test_the_tier_is_asked_for_and_a_sentence_with_4k_in_it_says_it_until_then(
    event: str, sentence: str | None, tier: Tier
) -> None:
    found = decoded(body(event, event=sentence))
    assert asked(found).tier is tier
    assert not playable(found)
    assert found.questions == (
        Question(service="entry-seerr", kind=QuestionKind.REQUEST, title=FERRY, request_id=41),
    )


@pytest.mark.parametrize(
    ("status", "status4k", "tier"),
    [
        ("AVAILABLE", "UNKNOWN", Tier.HD),
        ("PARTIALLY_AVAILABLE", "PENDING", Tier.HD),
        ("UNKNOWN", "AVAILABLE", Tier.UHD),
        ("PROCESSING", "partially_available", Tier.UHD),
        ("AVAILABLE", "", Tier.HD),
    ],
)
def test_available_is_believed_where_only_one_copy_can_be_meant(
    status: str, status4k: str, tier: Tier
) -> None:
    told = with_media(body("MEDIA_AVAILABLE", series=True), status=status, status4k=status4k)
    found = decoded(told)
    assert asked(found).tier is tier
    (report,) = playable(found)
    assert (report.tier, report.playable, report.seasons) == (tier, True, (1, 2))
    assert not found.hint


@pytest.mark.parametrize(
    ("status", "status4k"),
    [("AVAILABLE", "AVAILABLE"), ("PENDING", "UNKNOWN"), ("", ""), ("DELETED", "BLOCKLISTED")],
)
def test_available_of_an_unknown_copy_is_read_from_the_service_soon(
    status: str, status4k: str
) -> None:
    # A sentence with "4K" in it says what was asked for, and not that it can be played.
    for sentence, tier in (("4K Movie Request", Tier.UHD), ("Movie Request", Tier.UNKNOWN)):
        told = body("MEDIA_AVAILABLE", event=f"{sentence} Now Available")
        found = decoded(with_media(told, status=status, status4k=status4k))
        assert asked(found).tier is tier
        assert not playable(found)
        assert found.hint


def test_what_is_there_outranks_the_sentence() -> None:
    told = body("MEDIA_AVAILABLE", event="4K Movie Request Now Available")
    found = decoded(with_media(told, status="AVAILABLE", status4k="PENDING"))
    assert asked(found).tier is Tier.HD


def test_available_of_unknown_seasons_says_nothing_of_any() -> None:
    told = with_media(body("MEDIA_AVAILABLE", series=True, extra=[]), status="AVAILABLE")
    found = decoded(told)
    assert not playable(found)
    assert asked(found).seasons is None
    assert found.hint


def test_the_copy_of_another_request_decides_nothing_before_it_is_available() -> None:
    # The 4K request of a film whose HD copy is there.
    found = decoded(with_media(body("MEDIA_APPROVED"), status="AVAILABLE", status4k="PROCESSING"))
    assert asked(found).tier is Tier.UNKNOWN
    assert not playable(found)


@pytest.mark.parametrize(
    ("extra", "seasons"),
    [
        ([{"name": "Requested Seasons", "value": "1, 2"}], (1, 2)),
        ([{"name": "Seasons", "value": "3"}], (3,)),
        ([{"name": "requested seasons", "value": " 2,1 ,1"}], (1, 2)),
        ([{"name": "Requested Seasons", "value": "0"}], (0,)),
        ([{"name": "Requested Seasons", "value": "Season 4, Season 5"}], (4, 5)),
        ([{"name": "Requested Seasons", "value": 7}], (7,)),
        ([{"name": "Requested Seasons", "value": [1, "2"]}], (1, 2)),
        ([{"name": "Something", "value": "9"}, {"name": "Seasons", "value": "1"}], (1,)),
        ([{"name": "Requested Seasons", "value": "1, two"}], None),
        ([{"name": "Requested Seasons", "value": "1-3"}], None),
        ([{"name": "Requested Seasons", "value": ""}], None),
        ([{"name": "Requested Seasons", "value": None}], None),
        ([{"name": "Affected Season", "value": "1"}], None),
        ([{"name": "Requested Seasons"}, "odd", None], None),
        ([], None),
        ("{{extra}}", None),
        (None, None),
    ],
)
def test_seasons_are_read_leniently_or_not_at_all(
    extra: Any, seasons: tuple[int, ...] | None
) -> None:
    assert asked(decoded(body("MEDIA_PENDING", series=True, extra=extra))).seasons == seasons


def test_a_film_has_no_seasons_whatever_is_said() -> None:
    told = body("MEDIA_PENDING", extra=[{"name": "Requested Seasons", "value": "1"}])
    assert asked(decoded(told)).seasons is None


@pytest.mark.parametrize(
    ("subject", "name", "year"),
    [
        ("Silver Ferry (2024)", "Silver Ferry", 2024),
        ("(500) Days of Fog (2009)", "(500) Days of Fog", 2009),
        ("Ferry (1) (2024)", "Ferry (1)", 2024),
        ("Ferry (2024) Redux", "Ferry (2024) Redux", None),
        ("Ferry", "Ferry", None),
        ("1917 (2019)", "1917", 2019),
        ("Ferry (24)", "Ferry (24)", None),
        ("Ferry: Fog & Sons (2024)", "Ferry: Fog & Sons", 2024),
        ("The Secret: Ashore (2020)", "The Secret: Ashore", 2020),
        ("Movie Request Approved", None, None),
        ("New 4K Series Request", None, None),
        ("Movie Request Something", None, None),
        ("", None, None),
        ("{{subject}}", None, None),
        (None, None, None),
        (7, None, None),
    ],
)
def test_only_a_trailing_year_is_cut_from_the_subject(
    subject: Any, name: str | None, year: int | None
) -> None:
    title = asked(decoded(body("MEDIA_PENDING", subject=subject))).title
    assert (title.name, title.year) == (name, year)


def test_a_subject_that_repeats_the_event_is_no_title() -> None:
    told = body("MEDIA_PENDING", subject="Nueva solicitud", event="Nueva solicitud")
    assert asked(decoded(told)).title.name is None


@pytest.mark.parametrize(
    ("image", "poster"),
    [
        ("https://image.tmdb.org/t/p/w600/ferry.jpg", "https://image.tmdb.org/t/p/w600/ferry.jpg"),
        ("https://image.tmdb.org/t/p/w600_and_h900_bestv2null", None),
        ("", None),
        ("{{image}}", None),
        ("/ferry.jpg", "/ferry.jpg"),
        ("https://ben:secret@example.com/a.jpg", None),
        ("https://example.com/a.jpg?token=abc", "https://example.com/a.jpg"),
        (None, None),
    ],
)
def test_a_poster_that_ends_in_null_is_none(image: Any, poster: str | None) -> None:
    assert asked(decoded(body("MEDIA_PENDING", image=image))).title.poster == poster


# --- templates -----------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS)
def test_home_assistants_own_template_says_the_same(event: str) -> None:
    told = with_media(body(event, series=True), status="AVAILABLE")
    default, other = decoded(told), decoded(snake(told))
    assert asked(other).title.ids == replace(asked(default).title.ids, imdb="tt9912345")
    assert asked(other).requester == asked(default).requester
    assert [type(report) for report in other.reports] == [type(one) for one in default.reports]


def test_an_old_overseerr_names_whom_it_tells() -> None:
    told = body("MEDIA_APPROVED", username="Ben", email="ben@example.com", avatar="/a")
    del told["event"], told["issue"], told["comment"]
    told["request"] = {"request_id": "41"}
    told["media"]["imdbId"] = "tt9912345"
    report = asked(decoded(told))
    assert report.requester == Person(name="Ben")
    assert report.title.ids == ExternalIds(tmdb=880010, imdb="tt9912345")


def test_ids_may_be_numbers() -> None:
    told = with_media(body("MEDIA_APPROVED"), tmdbId=880010, tvdbId=None)
    told["request"]["request_id"] = 41
    report = asked(decoded(told))
    assert (report.request_id, report.title.ids) == (41, ExternalIds(tmdb=880010))


@pytest.mark.parametrize("unknown", ["", "0", 0, None, "{{media_tvdbid}}", "none", [], {}, False])
def test_what_is_unknown_is_written_in_many_ways(unknown: Any) -> None:
    told = with_media(body("MEDIA_PENDING", series=True), tvdbId=unknown, imdbId=unknown)
    assert asked(decoded(told)).title.ids == ExternalIds(tmdb=880021)


def test_a_film_has_no_id_of_thetvdb() -> None:
    # The numbers of TheTVDB's films and series are two spaces.
    told = with_media(body("MEDIA_PENDING"), tvdbId="470021")
    assert asked(decoded(told)).title.ids == ExternalIds(tmdb=880010)


def test_a_template_with_fixed_keys_is_full_of_empty_texts() -> None:
    told = body(
        "TEST_NOTIFICATION",
        event="",
        media=dict.fromkeys(("media_type", "tmdbId", "tvdbId", "status", "status4k"), ""),
        request=dict.fromkeys(("request_id", "requestedBy_username"), ""),
        extra=[],
    )
    assert decoded(told).test
    told["notification_type"] = "MEDIA_PENDING"
    found = decoded(told)
    assert (found.ignored, found.hint, found.reports) == (Reason.NO_IDS, True, ())


def test_without_ids_of_the_title_the_request_is_still_read() -> None:
    for media in (None, {}, {"media_type": "movie"}, {"tmdbId": "880010"}, "{{media}}"):
        found = decoded(body("MEDIA_APPROVED", media=media))
        assert found.reports == ()
        assert [question.request_id for question in found.questions] == [41]
        assert found.questions[0].title is None
        assert found.ignored is None


def test_without_a_request_id_only_what_can_be_played_is_told() -> None:
    told = with_media(body("MEDIA_AVAILABLE", request=None), status="AVAILABLE")
    found = decoded(told)
    assert [type(report) for report in found.reports] == [PlayableReport]
    assert found.hint
    assert not found.sightings
    found = decoded(body("MEDIA_APPROVED", request=None))
    assert (found.ignored, found.hint) == (Reason.NO_IDS, True)


def test_the_example_of_another_product_is_understood() -> None:
    found = decoded(
        {
            "notification_type": "MEDIA_APPROVED",
            "subject": "Movie Request Approved",
            "message": "Silver Ferry has been approved",
            "media": {
                "media_type": "movie",
                "tmdbId": 880010,
                "tvdbId": None,
                "status": "APPROVED",
            },
            "request": {
                "request_id": 123,
                "requestedBy_username": "ben_h",
                "requestedBy_email": "ben@example.com",
            },
            "extra": [],
        }
    )
    report = asked(found)
    assert (report.request_id, report.decision) == (123, Decision.APPROVED)
    assert (report.title.ids, report.title.name) == (ExternalIds(tmdb=880010), None)
    assert report.requester == Person(name="ben_h")


# --- what opens nothing --------------------------------------------------------------------


def test_a_test_is_a_test() -> None:
    found = decoded(
        {
            "notification_type": "TEST_NOTIFICATION",
            "event": "",
            "subject": "Test Notification",
            "message": "Check check, 1, 2, 3. Are we coming in clear?",
            "image": "",
            "media": None,
            "request": None,
            "issue": None,
            "comment": None,
            "extra": [],
        }
    )
    assert (found.test, found.ignored, found.reports, found.questions) == (
        True,
        Reason.TEST,
        (),
        (),
    )


@pytest.mark.parametrize(
    "event", ["ISSUE_CREATED", "ISSUE_COMMENT", "ISSUE_RESOLVED", "ISSUE_REOPENED"]
)
def test_issues_open_nothing(event: str) -> None:
    found = decoded(
        body(event, request=None, issue={"issue_id": "9", "reportedBy_username": "Ben"})
    )
    assert (found.ignored, found.reports, found.questions, found.hint) == (
        Reason.UNUSED_EVENT,
        (),
        (),
        False,
    )


@pytest.mark.parametrize(
    "event", ["ISSUE_REPORTED", "media.requested", "MEDIA_AUTO_REQUESTED", "MEDIA_LATER", "x" * 99]
)
def test_an_unknown_event_is_named_and_unused(event: str) -> None:
    found = decoded(body(event))
    assert found.ignored is Reason.UNUSED_EVENT
    assert found.event_type == event[:64]


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"text"',
        b"\xff\xfe",
        b"{}",
        b'{"notification_type": ""}',
        b'{"notification_type": "{{notification_type}}"}',
        b'{"notification_type": 8}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_notification_is_unreadable(told: bytes) -> None:
    found = decoded(told)
    assert found.ignored is Reason.UNREADABLE
    assert DECODER.decode(SEERR, delivery(DECODER.sanitise(delivery(told)).encode())) == found


# --- what is kept --------------------------------------------------------------------------

PRIVATE = ("example.com", "avatar", "998877665544332211", "123456", "77aa77aa", "@")


@pytest.mark.parametrize("event", [*EVENTS, "TEST_NOTIFICATION"])
@pytest.mark.parametrize("other", [False, True])
def test_the_journal_keeps_what_was_read_and_nothing_else(event: str, other: bool) -> None:
    told = with_media(body(event, series=True), status="AVAILABLE", jellyfinMediaId="77aa77aa")
    told |= {"email": "ben@example.com", "notifyuser_email": "ben@example.com"}
    if other:
        told = snake(told)
    kept = DECODER.sanitise(delivery(told))
    assert decoded(json.loads(kept)) == decoded(told)
    assert not [word for word in PRIVATE if word in kept]
    assert "Ben" in kept


def test_what_people_write_in_issues_is_not_kept() -> None:
    told = body(
        "ISSUE_COMMENT",
        message="Call me: +49 170 1234567",
        request=None,
        issue={
            "issue_id": "9",
            "issue_type": "VIDEO",
            "issue_status": "OPEN",
            "reportedBy_username": "Ben",
            "reportedBy_email": "ben@example.com",
        },
        comment={"comment_message": "At /home/ben/films", "commentedBy_username": "Ben"},
    )
    kept = json.loads(DECODER.sanitise(delivery(told)))
    assert kept["issue"] == {"issue_id": "9", "issue_type": "VIDEO", "issue_status": "OPEN"}
    assert "message" not in kept
    assert "comment" not in kept


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("ben.h@example.com", "ben.h"),
        # A mail server of one's own needs no dot, and not every mailbox is of plain letters.
        ("ben.h@localhost", "ben.h"),
        ("ben.h@nas", "ben.h"),
        ("ben'h@example.com", "ben'h"),
        ("ben.h@[192.168.1.5]", "ben.h"),
        ("Ben <ben.h@LocalHost>", "Ben <[e-mail]>"),
        ("Ben @ home", "Ben @ home"),
    ],
)
def test_a_display_name_that_is_an_address_is_shortened(shown: str, name: str) -> None:
    # People without a name are shown by their e-mail address.
    told = body("MEDIA_PENDING")
    told["request"]["requestedBy_username"] = shown
    assert asked(decoded(told)).requester == Person(name=name)
    kept = DECODER.sanitise(delivery(told))
    assert shown == name or shown not in kept
    assert decoded(json.loads(kept)) == decoded(told)


def test_an_address_in_a_template_of_ones_own_is_taken_out() -> None:
    told = body(
        "MEDIA_PENDING",
        subject="Silver Ferry for ben@example.com (2024)",
        message="Asked for by ben@example.com.",
    )
    title = asked(decoded(told)).title
    assert (title.name, title.year) == ("Silver Ferry for [e-mail]", 2024)
    assert title.overview == "Asked for by [e-mail]."
    assert "@" not in DECODER.sanitise(delivery(told))


def test_what_is_kept_is_bounded() -> None:
    told = body("MEDIA_PENDING", message="fog " * 50_000, subject="Ferry " * 5_000)
    told["request"]["requestedBy_username"] = "Ben" * 1_000
    told["extra"] = [{"name": "Requested Seasons", "value": "1," * 20_000}]
    kept = DECODER.sanitise(delivery(told))
    assert len(kept) < 3_000
    report = asked(decoded(told))
    assert len(report.title.overview or "") <= 1_000
    assert decoded(json.loads(kept)) == decoded(told)
