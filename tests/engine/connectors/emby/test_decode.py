"""What follows from what Emby sends."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    PartRef,
    Question,
    QuestionKind,
    Reason,
    TitleRef,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import Decoded, Sighting
from tests.engine.connectors.emby.bodies import (
    DECODER,
    EPISODE,
    FILM,
    NOW,
    SEASON,
    SERVER,
    SHOW,
    USER,
    WHEN_AT,
    body,
    by_anna,
    decoded,
    delivery,
    episode,
    film,
    form,
)

BARE: dict[str, Any] = {
    "ProviderIds": {},
    "ParentIndexNumber": None,
    "IndexNumber": None,
    "ProductionYear": None,
}


def watch(found: Decoded) -> WatchReport:
    """Return the one report of a film that was watched."""
    (report,) = found.reports
    assert isinstance(report, WatchReport)
    return report


def asked(found: Decoded) -> Question:
    """Return the one question."""
    assert not found.reports
    (question,) = found.questions
    return question


# --- something new, something gone -----------------------------------------------------------


def test_a_new_film_is_asked_for_although_it_has_no_ids_yet() -> None:
    found = decoded(film("library.new", **BARE))
    assert asked(found) == Question(service="entry-emby", kind=QuestionKind.ITEM, item=FILM)
    assert found.sightings == (Sighting(event="added", key=FILM, at=NOW),)


def test_new_episodes_without_numbers_are_one_question_about_the_series() -> None:
    questions = {
        asked(decoded(episode("library.new", Id=str(number), **BARE))).key
        for number in range(1000, 1200)
    }
    assert questions == {("entry-emby", "item", f"{SHOW}:")}


@pytest.mark.parametrize(
    ("item", "seasons", "changes"),
    [
        (SHOW, (1,), {}),
        (SHOW, (4,), {"Type": "Season", "Id": SEASON, "IndexNumber": 4, "ParentIndexNumber": None}),
        (SHOW, (), {"Type": "Series", "Id": SHOW, "SeriesId": None}),
        (EPISODE, (), {"SeriesId": None}),
    ],
)
def test_what_is_asked_for_what_is_new(
    item: str, seasons: tuple[int, ...], changes: dict[str, Any]
) -> None:
    question = asked(decoded(episode("library.new", **changes)))
    assert (question.item, question.seasons) == (item, seasons)


def test_a_deleted_film_is_asked_for_by_its_external_ids() -> None:
    question = asked(decoded(film("library.deleted")))
    assert question.kind is QuestionKind.AVAILABILITY
    assert question.title == TitleRef(
        media_type=MediaType.MOVIE,
        ids=ExternalIds(tmdb=880010, imdb="tt9900010"),
        name="Silver Ferry",
        year=2024,
    )


def test_of_a_deleted_episode_the_season_is_asked_for() -> None:
    question = asked(decoded(episode("library.deleted")))
    assert (question.item, question.seasons) == (SHOW, (1,))


def test_music_has_an_event_of_its_own() -> None:
    assert decoded(body("library.new.music")).ignored is Reason.OTHER_MEDIA
    assert decoded(film("library.new", Type="Audio")).ignored is Reason.OTHER_MEDIA
    assert decoded(by_anna(film("playback.start", Type="Audio"))).ignored is Reason.OTHER_MEDIA


# --- who watched ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "yes"), [("item.markplayed", True), ("item.markunplayed", False)]
)
def test_marked_by_hand_is_watched_or_unwatched(event: str, yes: bool) -> None:
    report = watch(decoded(by_anna(film(event))))
    assert (report.watched, report.viewer) == (yes, f"{SERVER}:{USER}")
    assert (report.at, report.happened_at) == (NOW, WHEN_AT)


def test_completed_is_watched_and_its_position_zero_is_no_rewind() -> None:
    found = decoded(by_anna(film("playback.stop"), PlayedToCompletion=True))
    assert watch(found).watched
    assert found.hint


@pytest.mark.parametrize("event", ["start", "pause", "unpause", "stop"])
def test_playing_is_a_hint_and_never_watching(event: str) -> None:
    found = decoded(by_anna(film(f"playback.{event}"), PlayedToCompletion=False))
    assert found == Decoded(event_type=f"playback.{event}", hint=True)


def test_of_an_episode_the_series_is_asked_for_its_ids() -> None:
    question = asked(decoded(by_anna(episode("item.markplayed", IndexNumberEnd=4))))
    assert (question.item, question.seasons) == (SHOW, (1,))
    about = question.about
    assert about is not None
    assert about.title == TitleRef(media_type=MediaType.SERIES, name="Tide House")
    assert about.parts == (PartRef(season=1, number=3), PartRef(season=1, number=4))


@pytest.mark.parametrize(
    ("premiere", "day"),
    [
        ("2021-04-10T16:00:00.0000000Z", "2021-04-11"),  # the day began so east of Greenwich
        ("2021-04-11T00:00:00.0000000Z", "2021-04-11"),
        ("2021-04-11T07:00:00.0000000Z", "2021-04-11"),  # and so west of it
    ],
)
def test_an_episode_without_a_number_has_an_air_date(premiere: str, day: str) -> None:
    found = by_anna(episode("item.markplayed", IndexNumber=None, PremiereDate=premiere))
    about = asked(decoded(found)).about
    assert about is not None
    assert about.parts == (PartRef(season=1, air_date=day),)


def test_an_event_without_a_user_says_nothing_of_watching() -> None:
    found = decoded(film("item.markplayed"))
    assert (found.ignored, found.reports) == (Reason.NO_IDS, ())


# --- forms and names -----------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "nonsense"])
def test_json_is_read_whatever_it_is_called(content_type: str) -> None:
    found = by_anna(film("item.markplayed"))
    assert decoded(delivery(json.dumps(found).encode(), content_type)) == decoded(found)


def test_a_form_says_the_same() -> None:
    found = by_anna(film("item.markplayed", Name="Die stille Fähre"))
    assert watch(decoded(form(found))) == watch(decoded(found))


@pytest.mark.parametrize("event", ["Library.New", "LIBRARY.NEW"])
def test_case_of_events_does_not_count(event: str) -> None:
    assert decoded(film(event)) == decoded(film("library.new"))


@pytest.mark.parametrize("empty", [b"", b"  \r\n"])
def test_an_empty_body_is_the_test_of_older_versions(empty: bytes) -> None:
    found = decoded(empty)
    assert (found.test, found.ignored) == (True, Reason.TEST)


@pytest.mark.parametrize("event", ["system.webhooktest", "system.notificationtest"])
def test_the_test_events(event: str) -> None:
    assert decoded(body(event)).test


@pytest.mark.parametrize(
    "event",
    [
        "item.rate",
        "item.unrate",
        "system.serverrestartrequired",
        "external.externalnotification",
        "user.authenticated",
        "livetv.recordingcomplete",
        "playback.scrobble",
        "from.the.future",
    ],
)
def test_events_that_say_nothing(event: str) -> None:
    found = decoded(by_anna(film(event)))
    assert (found.ignored, found.hint) == (Reason.UNUSED_EVENT, False)


def test_another_servers_events_are_never_applied() -> None:
    found = decoded(film("library.new") | {"Server": {"Id": "99" * 16}})
    assert found == Decoded(event_type="library.new", ignored=Reason.FOREIGN_SERVER)


def test_the_item_may_be_all_that_names_the_server() -> None:
    found = film("library.new", ServerId="99" * 16) | {"Server": None}
    assert decoded(found).ignored is Reason.FOREIGN_SERVER
    assert decoded(film("library.new", ServerId=None) | {"Server": {}}).questions


@pytest.mark.parametrize(
    "found",
    [
        b"\x00\xff",
        b"[]",
        b'{"Event": 4}',
        b'{"NotificationType": "ItemAdded"}',
        b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\nno json\r\n--x--',
        b'--x\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{}\r\n--x--',
    ],
)
def test_what_is_none_of_embys(found: bytes) -> None:
    assert decoded(found).ignored is Reason.UNREADABLE


# --- the journal ----------------------------------------------------------------------------

EVERY = [
    film("library.new"),
    film("Library.New", **BARE),
    episode("library.new"),
    episode("library.deleted", Type="Season"),
    film("library.deleted", ProviderIds={"Imdb": "TT9900010", "TMDB": 880010}),
    by_anna(film("item.markunplayed")),
    by_anna(episode("item.markplayed")),
    by_anna(episode("playback.stop"), PlayedToCompletion=True),
    by_anna(film("playback.start")),
    body("system.notificationtest"),
    body("user.authenticated", User={"Name": "Anna"}),
    {"no": "event"},
]


@pytest.mark.parametrize("found", [*EVERY, b"", b"\x00"])
def test_the_journal_decodes_to_the_same(found: Any) -> None:
    assert decoded(DECODER.sanitise(delivery(found)).encode()) == decoded(found)


@pytest.mark.parametrize("found", EVERY)
def test_the_journal_of_a_form_decodes_to_the_same(found: dict[str, Any]) -> None:
    assert decoded(DECODER.sanitise(form(found)).encode()) == decoded(form(found))


def test_the_journal_keeps_nothing_private() -> None:
    kept = DECODER.sanitise(delivery(by_anna(episode("playback.stop"))))
    for private in ("Anna", "phone", "Web", "192.168", "e3503c2b", "Cellar", "shows", "mkv"):
        assert private not in kept
    assert json.loads(kept)["User"] == {"Id": USER}


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([FILM, "True", "2026-09-21T14:00:00Z", {"Tmdb": 1, "TMDB": "x"}, [{}]]),
)


@given(
    base=st.sampled_from([one for one in EVERY if "Item" in one]),
    outer=st.dictionaries(
        st.sampled_from(["Event", "Date", "User", "Item", "Server", "PlaybackInfo"]),
        VALUES,
        max_size=2,
    ),
    inner=st.dictionaries(
        st.sampled_from(sorted({key for one in EVERY for key in one.get("Item", {})})),
        VALUES,
        max_size=6,
    ),
)
def test_odd_values_never_raise_and_are_journalled_alike(
    base: dict[str, Any], outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    found = {**base, "Item": {**base["Item"], **inner}, **outer}
    assert decoded(DECODER.sanitise(delivery(found)).encode()) == decoded(found)


def test_titles_are_never_parsed() -> None:
    found = film("library.new") | {"Title": "item.markplayed", "Description": "S09E09"}
    assert decoded(found) == decoded(film("library.new"))
