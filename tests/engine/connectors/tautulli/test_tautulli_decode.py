"""What Tautulli's deliveries and answers say, whoever wrote the template."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, strategies as st

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    PartRef,
    PlayableReport,
    Question,
    QuestionKind,
    Reason,
    Role,
    Service,
    Tier,
    Via,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import Decoded, Delivery, Sighting
from custom_components.media_arrivals.engine.connectors.tautulli import reading
from custom_components.media_arrivals.engine.connectors.tautulli.decode import TautulliDecoder
from custom_components.media_arrivals.engine.connectors.tautulli.template import BODY, TEST_BODY

NOW = 1_800_000_000.0
MACHINE = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
SERVICE = Service(
    id="01TAUTULLI", kind="tautulli", role=Role.WATCHING, server_id=MACHINE, owner_id="77"
)
DECODER = TautulliDecoder()

MOVIE = {
    "media_type": "movie",
    "rating_key": "500",
    "title": "Salt Tower",
    "year": "2026",
    "season_num": "0",
    "episode_num": "0",
    "imdb_id": "tt0700700",
    "thetvdb_id": "9001",
    "themoviedb_id": "700",
}
EPISODE = {
    "media_type": "episode",
    "rating_key": "603",
    "parent_rating_key": "602",
    "grandparent_rating_key": "601",
    "title": "Tidal Anchor - The Reef",
    "show_name": "Tidal Anchor",
    "year": "2025",
    "season_num": "2",
    "episode_num": "5",
    "air_date": "2026-05-01",
    "imdb_id": "tt0900900",
    "thetvdb_id": "800",
    "themoviedb_id": "900",
}
FILM_IDS = ExternalIds(tmdb=700, imdb="tt0700700")
SHOW_IDS = ExternalIds(tmdb=900, tvdb=800, imdb="tt0900900")


def ours(action: str, about: dict[str, str] | None = None, **changes: str) -> dict[str, str]:
    """Fill our own template in, as Tautulli does."""
    template: dict[str, str] = json.loads(BODY)
    values = {
        "action": action,
        "server_machine_id": MACHINE,
        "user_id": "8008135",
        "unixtime": "1799999990",
        **(about or {}),
        **changes,
    }
    filled = {}
    for key, text in template.items():
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)  # noqa: PLW2901
        filled[key] = text
    return filled


def watchstate(action: str, about: dict[str, str], **account: str) -> dict[str, Any]:
    """Fill WatchState's template in."""
    return {
        "event": f"tautulli.{action}",
        "Account": {"id": account.get("id", "8008135"), "title": "harbourmaster", "thumb": ""},
        "Server": {"title": "Harbour", "uuid": account.get("uuid", MACHINE), "version": "1.42"},
        "Player": {"title": "Castle", "uuid": "p-7", "publicAddress": "10.0.0.7", "local": "1"},
        "Metadata": {
            "type": about["media_type"],
            "ratingKey": about["rating_key"],
            "parentRatingKey": about.get("parent_rating_key", ""),
            "grandparentRatingKey": about.get("grandparent_rating_key", ""),
            "title": about["title"].rpartition(" - ")[2],
            "grandparentTitle": about.get("show_name", ""),
            "index": about["episode_num"],
            "parentIndex": about["season_num"],
            "year": "",
            "originallyAvailableAt": about.get("air_date", ""),
            "lastViewedAt": "2026-01-01",
            "file": "/data/secret/film.mkv",
            "key": None,
            "Guids": {
                "imdb": about["imdb_id"],
                "tvdb": about["thetvdb_id"],
                "tmdb": about["themoviedb_id"],
                "tvmaze": "",
            },
        },
    }


def delivery(body: Any, content_type: str = "application/json") -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(body=raw, received_at=NOW, content_type=content_type)


def decoded(body: Any, service: Service = SERVICE) -> Decoded:
    """Decode, and see that the journal tells the same."""
    came = delivery(body)
    result = DECODER.decode(service, came)
    kept = DECODER.sanitise(came)
    assert DECODER.decode(service, delivery(kept.encode())) == result
    assert DECODER.sanitise(delivery(kept.encode())) == kept
    return result


def only(result: Decoded) -> Any:
    assert result.ignored is None
    found: list[Any] = [*result.reports, *result.questions]
    assert len(found) == 1
    return found[0]


# --- watched --------------------------------------------------------------------------------


def test_a_film_that_was_watched() -> None:
    result = decoded(ours("watched", MOVIE))
    report = only(result)
    assert isinstance(report, WatchReport)
    assert (report.viewer, report.watched, report.parts) == ("plex:8008135", True, ())
    assert report.title.media_type is MediaType.MOVIE
    assert report.title.ids == FILM_IDS
    assert (report.title.name, report.title.year) == ("Salt Tower", 2026)
    assert (report.at, report.happened_at) == (1_799_999_990.0, 1_799_999_990.0)
    assert (report.origin.role, report.origin.via) == (Role.WATCHING, Via.WEBHOOK)
    assert result.sightings == (Sighting(event="watched", key="500", at=report.at),)
    assert (result.peer, result.hint) == (None, False)


def test_the_ids_of_an_episode_are_the_series() -> None:
    report = only(decoded(ours("watched", EPISODE)))
    assert report.title.media_type is MediaType.SERIES
    assert report.title.ids == SHOW_IDS
    assert (report.title.name, report.title.year) == ("Tidal Anchor", None)
    assert report.parts == (PartRef(season=2, number=5, air_date="2026-05-01"),)


@pytest.mark.parametrize("about", [MOVIE, EPISODE])
def test_watchstates_template_says_the_same(about: dict[str, str]) -> None:
    own, theirs = only(decoded(ours("watched", about))), only(decoded(watchstate("watched", about)))
    assert theirs == replace(own, at=NOW, happened_at=NOW, title=replace(own.title, year=None))


def test_an_episode_by_its_date() -> None:
    dated = {**EPISODE, "episode_num": ""}
    assert only(decoded(ours("watched", dated))).parts == (
        PartRef(season=2, air_date="2026-05-01"),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"season_num": ""},
        {"episode_num": "", "air_date": "1 May 2026"},
        {"media_type": "season"},
        {"season_num": "x"},
    ],
)
def test_what_cannot_be_placed_is_left_to_the_history(changes: dict[str, str]) -> None:
    result = decoded(ours("watched", EPISODE, **changes))
    assert (result.ignored, result.hint, result.reports) == (Reason.NO_IDS, True, ())


def test_without_ids_the_series_is_asked_about() -> None:
    bare = {**EPISODE, "imdb_id": "", "thetvdb_id": "", "themoviedb_id": ""}
    result = decoded(ours("watched", bare))
    question = only(result)
    assert isinstance(question, Question)
    assert (question.service, question.kind) == (SERVICE.id, QuestionKind.ITEM)
    assert question.item == "601"
    assert question.about is not None
    assert not question.about.title.ids
    assert question.about.parts == (PartRef(season=2, number=5, air_date="2026-05-01"),)
    assert result.sightings
    other = only(decoded(ours("watched", {**bare, "episode_num": "6"})))
    assert other.key != question.key
    film = {**MOVIE, "imdb_id": "", "themoviedb_id": "", "thetvdb_id": ""}
    assert only(decoded(ours("watched", film))).item == "500"
    keyless = {**film, "rating_key": ""}
    assert decoded(ours("watched", keyless)).ignored is Reason.NO_IDS


def test_the_owner_is_known_by_the_id_at_plex_tv() -> None:
    assert only(decoded(ours("watched", MOVIE, user_id="1"))).viewer == "plex:77"
    nameless = replace(SERVICE, owner_id=None)
    assert only(decoded(ours("watched", MOVIE, user_id="1"), nameless)).viewer == "plex:1"


@pytest.mark.parametrize("told", ["", "{unixtime}", "yesterday", "17", "1900000000"])
def test_a_time_that_cannot_be_is_that_of_the_delivery(told: str) -> None:
    assert only(decoded(ours("watched", MOVIE, unixtime=told))).at == NOW


# --- created --------------------------------------------------------------------------------


def nobody(about: dict[str, str], **changes: str) -> dict[str, str]:
    return ours("created", about, user_id="", **changes)


def test_a_film_that_was_added() -> None:
    result = decoded(nobody(MOVIE))
    report = only(result)
    assert isinstance(report, PlayableReport)
    assert (report.playable, report.parts, report.seasons) == (True, (), ())
    assert (report.tier, report.complete, report.title.ids) == (Tier.UNKNOWN, False, FILM_IDS)
    assert result.peer == MACHINE


def test_several_episodes_come_as_one_season_with_ranges() -> None:
    season = {**EPISODE, "media_type": "season", "episode_num": "1-3,6"}
    result = decoded(nobody(season))
    assert only(result).parts == tuple(PartRef(season=2, number=n) for n in (1, 2, 3, 6))
    assert only(decoded(watchstate("created", season, id=""))).parts == only(result).parts


def test_an_episode_that_was_added() -> None:
    assert only(decoded(nobody(EPISODE))).parts == (
        PartRef(season=2, number=5, air_date="2026-05-01"),
    )


@pytest.mark.parametrize(
    ("changes", "item", "seasons"),
    [
        ({"media_type": "season", "episode_num": "", "rating_key": "602"}, "602", ()),
        ({"media_type": "season", "episode_num": "1-99999", "rating_key": "602"}, "602", ()),
        (
            {"media_type": "show", "season_num": "1-3", "episode_num": "", "rating_key": "601"},
            "601",
            (1, 2, 3),
        ),
        ({"media_type": "show", "season_num": "", "rating_key": "601"}, "601", ()),
        ({"imdb_id": "", "thetvdb_id": "", "themoviedb_id": ""}, "603", ()),
        ({"episode_num": "", "air_date": ""}, "603", ()),
    ],
)
def test_what_is_not_named_exactly_is_asked_about(
    changes: dict[str, str], item: str, seasons: tuple[int, ...]
) -> None:
    result = decoded(nobody(EPISODE, **changes))
    question = only(result)
    assert (question.item, question.seasons, question.about) == (item, seasons, None)
    assert result.peer == MACHINE


def test_what_was_added_without_any_key_starts_a_look_at_the_server() -> None:
    result = decoded(nobody(EPISODE, rating_key="", imdb_id="", thetvdb_id="", themoviedb_id=""))
    assert (result.ignored, result.peer) == (Reason.NO_IDS, MACHINE)
    own = nobody(MOVIE, server_machine_id="{server_machine_id}")
    assert decoded(own).peer == MACHINE


# --- playing, and events that say nothing ---------------------------------------------------


@pytest.mark.parametrize("action", ["play", "start", "stop", "pause", "resume"])
def test_playing_starts_a_poll_and_says_nothing_of_its_own(action: str) -> None:
    for body in (ours(action, MOVIE), watchstate(action, EPISODE)):
        result = decoded(body)
        assert (result.hint, result.ignored, result.reports) == (True, None, ())


def test_smartplexs_template_has_neither_ids_nor_a_user() -> None:
    body = {
        "event": "playback.stop",
        "rating_key": "603",
        "user": "Anna at home",
        "title": "Tidal Anchor - The Reef",
        "media_type": "episode",
    }
    result = decoded(body)
    assert (result.event_type, result.hint, result.ignored) == ("playback.stop", True, None)
    assert "Anna" not in DECODER.sanitise(delivery(body))
    watched = decoded({**body, "event": "watched"})
    assert (watched.hint, watched.reports, watched.questions) == (True, (), ())
    named = {**body, "event": "playback.watched", "user_id": "5", "season_num": 2, "episode_num": 5}
    assert only(decoded({**named, "themoviedb_id": 900})).viewer == "plex:5"


@pytest.mark.parametrize(
    ("action", "detail"),
    [
        ("buffer", None),
        ("newdevice", None),
        ("concurrent", None),
        ("change", None),
        ("plexpyupdate", None),
        ("dance", "not a known event"),
    ],
)
def test_events_that_say_nothing(action: str, detail: str | None) -> None:
    result = decoded(ours(action, MOVIE))
    assert (result.ignored, result.detail, result.hint) == (Reason.UNUSED_EVENT, detail, False)


def test_a_server_trigger_leaves_the_placeholders_as_they_are() -> None:
    body = ours("intdown")
    assert body["title"] == "{title}"
    assert decoded(body).ignored is Reason.UNUSED_EVENT
    kept = DECODER.sanitise(delivery(body))
    assert "{title}" not in kept
    placeholders = ours(
        "watched", {**EPISODE, "show_name": "{show_name}", "air_date": "{air_date}"}
    )
    report = only(decoded(placeholders))
    assert (report.title.name, report.parts[0].air_date) == (None, None)


@pytest.mark.parametrize("kind", ["track", "album", "artist", "clip", "live", "photo"])
def test_other_media(kind: str) -> None:
    for action in ("play", "watched", "created"):
        result = decoded(ours(action, {**MOVIE, "media_type": kind}))
        assert (result.ignored, result.reports, result.hint) == (Reason.OTHER_MEDIA, (), False)


# --- whose it is ----------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["watched", "created", "play"])
def test_another_plexs_events_are_not_ours(action: str) -> None:
    result = decoded(ours(action, MOVIE, server_machine_id="f" * 40))
    assert result == Decoded(event_type=action, ignored=Reason.FOREIGN_SERVER)
    assert decoded(watchstate(action, MOVIE, uuid="f" * 40)).ignored is Reason.FOREIGN_SERVER


def test_without_a_server_it_is_this_services() -> None:
    assert only(decoded(ours("watched", MOVIE, server_machine_id="")))
    unpaired = replace(SERVICE, server_id=None)
    assert only(decoded(ours("watched", MOVIE, server_machine_id="f" * 40), unpaired))


# --- tests, and what is no delivery ---------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        TEST_BODY.encode(),
        BODY.encode(),
        json.dumps({"event": "tautulli.{action}", "Metadata": {"type": "{media_type}"}}).encode(),
        json.dumps({"event": "{action}", "rating_key": "{rating_key}"}).encode(),
    ],
)
def test_a_test_and_a_template_that_was_not_filled_in(body: bytes) -> None:
    result = decoded(body)
    assert (result.test, result.ignored, result.event_type) == (True, Reason.TEST, "test")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "sends no data"),
        (b"  \n", "sends no data"),
        (b"\xff\xfe\x00", "neither JSON nor a form"),
        (b"[1, 2]", "neither JSON nor a form"),
        (b"hello there", "neither JSON nor a form"),
        (b'{"content": "Anna is watching"}', "another program's"),
        (b'{"event": "media.scrobble", "Metadata": {"type": "episode"}}', "another program's"),
        (b'{"event": "tautulli.play"}', "another program's"),
        (b'{"media_arrivals": "1"}', "another program's"),
        (b'{"media_arrivals": "1", "event": 7}', "another program's"),
        (b'{"notification_type": "MEDIA_PENDING"}', "another program's"),
    ],
)
def test_what_no_conclusion_is_drawn_from_says_what_to_do(body: bytes, word: str) -> None:
    result = decoded(body)
    assert (result.ignored, result.reports, result.test) == (Reason.UNREADABLE, (), False)
    assert result.detail is not None
    assert word in result.detail
    assert "paste" in result.detail
    assert "Anna" not in DECODER.sanitise(delivery(body))


def test_a_form_says_the_same_as_json() -> None:
    for body in (ours("watched", EPISODE), nobody(MOVIE)):
        form = urlencode(body).encode()
        assert decoded(form) == decoded(body)
    flat = urlencode({"event": "playback.stop", "rating_key": "1", "title": "A & B"}).encode()
    assert decoded(flat).hint


def test_names_players_addresses_and_paths_are_not_kept() -> None:
    kept = DECODER.sanitise(delivery(watchstate("watched", EPISODE)))
    for private in ("harbourmaster", "Castle", "p-7", "10.0.0.7", "/data", "Harbour"):
        assert private not in kept
    assert '"user_id":"8008135"' in kept


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*json.loads(BODY), "Metadata", "Server", "Account", "x"]),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_comes_is_decoded(body: Any) -> None:
    decoded(body)
    if isinstance(body, dict):
        decoded({**body, "media_arrivals": "1", "event": "watched"})
        decoded({**body, "media_arrivals": "1", "event": "created"})


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_decoded(body: bytes) -> None:
    assert decoded(body).reports == ()


# --- numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "numbers"),
    [
        ("1-4,6", (1, 2, 3, 4, 6)),
        ("06", (6,)),
        (7, (7,)),
        ("0", (0,)),
        ("1, 3", (1, 3)),
        ("4-1", ()),
        ("1-5000", ()),
        ("1-999,2000-2900", ()),
        ("1-", ()),
        ("-1", ()),
        ("", ()),
        (None, ()),
        (True, ()),
        ("1;2", ()),
        ("{episode_num}", ()),
    ],
)
def test_ranges(told: Any, numbers: tuple[int, ...]) -> None:
    assert reading.numbers(told) == numbers


# --- API answers ----------------------------------------------------------------------------


def envelope(data: Any, result: str = "success") -> dict[str, Any]:
    return {"response": {"result": result, "message": None, "data": data}}


HISTORY_ROW = {
    "row_id": 9,
    "media_type": "episode",
    "rating_key": 603,
    "grandparent_rating_key": 601,
    "media_index": 5,
    "parent_media_index": 2,
    "originally_available_at": "2026-05-01",
    "title": "The Reef",
    "user_id": 8008135,
    "user": "harbourmaster",
    "stopped": 1_799_990_000,
    "date": 1_799_987_000,
    "live": 0,
    "watched_status": 1,
}


def history(*rows: dict[str, Any]) -> Decoded:
    return DECODER.decode_poll(SERVICE, "history", envelope({"data": list(rows)}), NOW)


def test_a_row_of_the_history_asks_for_the_ids() -> None:
    result = history(HISTORY_ROW)
    question = only(result)
    assert (question.item, question.kind) == ("601", QuestionKind.ITEM)
    assert question.about.viewer == "plex:8008135"
    assert question.about.at == 1_799_990_000.0
    assert question.about.origin.via is Via.POLL
    assert question.about.parts == (
        PartRef(season=2, number=5, air_date="2026-05-01", name="The Reef"),
    )
    assert result.sightings == (Sighting(event="watched", key="603", at=1_799_990_000.0),)
    film = only(history({**HISTORY_ROW, "media_type": "movie"}))
    assert (film.item, film.about.parts) == ("603", ())
    undated = {key: value for key, value in HISTORY_ROW.items() if key != "stopped"}
    assert only(history(undated)).about.at == 1_799_987_000.0


@pytest.mark.parametrize(
    "changes",
    [
        {"watched_status": 0.75},
        {"watched_status": 0},
        {"live": 1},
        {"media_type": "track"},
        {"user_id": 0},
        {"parent_media_index": ""},
        {"grandparent_rating_key": ""},
        {"stopped": None, "date": None},
    ],
)
def test_rows_that_tell_of_no_watching(changes: dict[str, Any]) -> None:
    result = history({**HISTORY_ROW, **changes})
    assert (result.ignored, result.questions, result.sightings) == (Reason.UNUSED_EVENT, (), ())


def added(*rows: dict[str, Any], resource: str = "recently_added") -> Decoded:
    data = {"recently_added": list(rows)} if resource == "recently_added" else rows[0]
    return DECODER.decode_poll(SERVICE, resource, envelope(data), NOW)


ADDED_ROW = {
    "media_type": "episode",
    "rating_key": "603",
    "grandparent_rating_key": "601",
    "grandparent_title": "Tidal Anchor",
    "grandparent_guids": ["imdb://tt0900900", "tmdb://900", "tvdb://800"],
    "guids": ["tvdb://123456"],
    "media_index": "5",
    "parent_media_index": "2",
    "title": "The Reef",
    "added_at": "1799990000",
    "year": "2025",
    "live": "0",
}


def test_rows_of_what_was_added() -> None:
    report = only(added(ADDED_ROW))
    assert (report.title.ids, report.title.name) == (SHOW_IDS, "Tidal Anchor")
    assert report.parts == (PartRef(season=2, number=5, name="The Reef"),)
    assert (report.at, report.happened_at, report.tier) == (NOW, 1_799_990_000.0, Tier.UNKNOWN)
    film = {
        "media_type": "movie",
        "rating_key": "500",
        "title": "Salt Tower",
        "year": "2026",
        "guids": ["tmdb://700", "imdb://tt0700700"],
    }
    report = only(added(film, resource="metadata"))
    assert (report.title.ids, report.title.year, report.happened_at) == (FILM_IDS, 2026, NOW)
    legacy = {**ADDED_ROW, "grandparent_guids": [], "guid": "com.plexapp.agents.thetvdb://800/2/5"}
    assert only(added(legacy)).title.ids == ExternalIds(tvdb=800)


@pytest.mark.parametrize(
    "changes",
    [
        {"media_type": "season", "rating_key": "602"},
        {"media_type": "show", "rating_key": "601"},
        {"grandparent_guids": []},
        {"parent_media_index": ""},
    ],
)
def test_rows_that_leave_something_open(changes: dict[str, Any]) -> None:
    row = {**ADDED_ROW, **changes}
    question = only(added(row))
    assert (question.item, question.about) == (row["rating_key"], None)


def test_other_answers() -> None:
    assert added({"media_type": "track", "rating_key": "1"}).ignored is Reason.OTHER_MEDIA
    assert added({**ADDED_ROW, "live": "1"}).ignored is Reason.OTHER_MEDIA
    refused = DECODER.decode_poll(SERVICE, "history", envelope({}, "error"), NOW)
    assert refused.ignored is Reason.UNREADABLE
    details = {
        "activity": DECODER.decode_poll(SERVICE, "activity", envelope({"stream_count": "2"}), NOW),
        "server_info": DECODER.decode_poll(
            SERVICE, "server_info", envelope({"pms_version": "1.42"}), NOW
        ),
        "notifiers": DECODER.decode_poll(
            SERVICE, "notifiers", envelope([{"agent_id": 25}, {"agent_id": 13}]), NOW
        ),
        "none": DECODER.decode_poll(SERVICE, "notifiers", envelope({}), NOW),
        "libraries": DECODER.decode_poll(SERVICE, "libraries", envelope([]), NOW),
    }
    assert {name: one.detail for name, one in details.items()} == {
        "activity": "2 being played",
        "server_info": "1.42",
        "notifiers": "notification agents: 2, webhooks: 1",
        "none": "notification agents: 0, webhooks: 0",
        "libraries": "not a known resource",
    }
    away = DECODER.decode_poll(SERVICE, "activity", envelope({}), NOW)
    assert (away.ignored, away.detail) == (Reason.UNREADABLE, "no answer of that kind")
    assert set(DECODER.poll_resources) >= {"history", "recently_added", "metadata", "activity"}
