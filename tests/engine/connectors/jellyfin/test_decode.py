"""What follows from what Jellyfin's plugin sends."""

import json
from dataclasses import replace
from typing import Any

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
    Tier,
    TitleRef,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import Decoded, Json, Sighting
from tests.engine.connectors.jellyfin.bodies import (
    DECODER,
    EPISODE,
    FILM,
    JELLYFIN,
    NOW,
    SERVER,
    SHOW,
    USER,
    WHEN_AT,
    decoded,
    delivery,
    episode,
    film,
    saved,
    stopped,
)

FILM_IDS = ExternalIds(tmdb=880010, imdb="tt9900010")
LAST_PLAYED = {"LastPlayedDate": "2026-09-21T14:00:00Z"}
LAST_PLAYED_AT = 1_789_999_200.0


def dashed(value: str) -> str:
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}".upper()


def templated(found: dict[str, Any]) -> dict[str, Any]:
    """Return what a template of the user's own makes of it."""
    known: dict[str, Any] = {
        **dict.fromkeys(("SeriesId", "SeasonNumber", "LastPlayedDate", "PlayedToCompletion"), ""),
        **found,
    }
    return {
        key: dashed(value)
        if key.endswith("Id") and len(str(value)) == 32
        else (str(value) if isinstance(value, bool | int) else value)
        for key, value in known.items()
    }


def watch(found: Decoded) -> WatchReport:
    """Return the one report of a film that was watched."""
    (report,) = found.reports
    assert isinstance(report, WatchReport)
    assert not found.questions
    return report


def asked(found: Decoded) -> Question:
    """Return the one question."""
    assert not found.reports
    (question,) = found.questions
    assert question.service == JELLYFIN.id
    return question


# --- something new, something gone -----------------------------------------------------------


def test_a_new_film_is_asked_for_by_its_own_id() -> None:
    found = decoded(film("ItemAdded"))
    assert asked(found) == Question(service="entry-jellyfin", kind=QuestionKind.ITEM, item=FILM)
    assert found.event_type == "ItemAdded"
    assert found.sightings == (Sighting(event="added", key=FILM, at=NOW),)
    assert found.ignored is None


def test_two_hundred_new_episodes_of_a_season_are_one_question() -> None:
    questions = {
        asked(decoded(episode("ItemAdded", ItemId=f"{n:032x}", EpisodeNumber=n))).key
        for n in range(1, 201)
    }
    assert questions == {("entry-jellyfin", "item", f"{SHOW}:1")}


@pytest.mark.parametrize(
    ("body", "item", "seasons"),
    [
        (episode("ItemAdded", ItemType="Season", ItemId="77" * 16), SHOW, (1,)),
        (episode("ItemAdded", ItemType="Series", ItemId=SHOW, SeasonNumber=None), SHOW, ()),
        (episode("ItemAdded", SeasonNumber=0), SHOW, (0,)),
        (episode("ItemAdded", SeasonNumber=""), SHOW, ()),
        (episode("ItemAdded", SeriesId=""), EPISODE, ()),
        (episode("ItemAdded", ItemType=""), EPISODE, ()),
    ],
)
def test_what_is_asked_for_what_is_new(
    body: dict[str, Any], item: str, seasons: tuple[int, ...]
) -> None:
    question = asked(decoded(body))
    assert (question.item, question.seasons) == (item, seasons)


def test_new_folders_are_no_sightings() -> None:
    assert decoded(episode("ItemAdded", ItemType="Season")).sightings == ()


@pytest.mark.parametrize("event", ["ItemAdded", "ItemDeleted"])
def test_nothing_can_be_asked_without_an_id(event: str) -> None:
    found = decoded(
        film(
            event, ItemId="00000000-0000-0000-0000-000000000000", Provider_tmdb="", Provider_imdb=""
        )
    )
    assert (found.ignored, found.questions) == (Reason.NO_IDS, ())


def test_a_deleted_film_is_asked_for_by_its_external_ids() -> None:
    question = asked(decoded(film("ItemDeleted")))
    assert question.kind is QuestionKind.AVAILABILITY
    assert question.title == TitleRef(
        media_type=MediaType.MOVIE, ids=FILM_IDS, name="Silver Ferry", year=2024
    )


def test_a_deleted_film_without_ids_is_asked_for_by_its_own() -> None:
    question = asked(decoded(film("ItemDeleted", Provider_tmdb="", Provider_imdb="")))
    assert (question.kind, question.item) == (QuestionKind.ITEM, FILM)


def test_of_a_deleted_episode_the_season_is_asked_for() -> None:
    question = asked(decoded(episode("ItemDeleted")))
    assert (question.item, question.seasons) == (SHOW, (1,))


def test_a_deleted_series_has_ids_of_its_own() -> None:
    body = episode("ItemDeleted", ItemType="Series", Name="Tide House", Provider_tvdb="470021")
    title = asked(decoded(body)).title
    assert title is not None
    assert (title.media_type, title.ids) == (MediaType.SERIES, ExternalIds(tvdb=470021))


# --- who watched ---------------------------------------------------------------------------


def test_a_film_that_was_played_to_its_end() -> None:
    report = watch(
        decoded(saved(film("UserDataSaved"), "PlaybackFinished", played=True, **LAST_PLAYED))
    )
    assert report.watched
    assert report.viewer == f"{SERVER}:{USER}"
    assert report.title.ids == FILM_IDS
    assert report.parts == ()
    assert (report.at, report.happened_at) == (NOW, LAST_PLAYED_AT)


@pytest.mark.parametrize("yes", [True, False])
def test_marked_by_hand_is_watched_or_unwatched(yes: bool) -> None:
    report = watch(decoded(saved(film("UserDataSaved"), "TogglePlayed", played=yes, **LAST_PLAYED)))
    assert report.watched is yes
    assert report.happened_at == WHEN_AT  # not the date of an earlier time


def test_written_by_another_program_is_watched() -> None:
    assert watch(decoded(saved(film("UserDataSaved"), "UpdateUserData", played=True))).watched


@pytest.mark.parametrize(
    ("reason", "played"),
    [
        ("PlaybackFinished", False),
        ("PlaybackProgress", True),
        ("PlaybackProgress", False),
        ("PlaybackStart", False),
        ("PlaybackStart", True),
        ("UpdateUserData", False),
        ("UpdateUserRating", True),
        ("Import", True),
        ("SomethingNew", True),
        ("", True),
    ],
)
def test_other_reasons_say_nothing_of_watching(reason: str, played: bool) -> None:
    found = decoded(saved(film("UserDataSaved"), reason, played=played))
    assert (found.ignored, found.reports, found.questions) == (Reason.UNUSED_EVENT, (), ())


@pytest.mark.parametrize(("number", "watched"), [(4, True), ("3", True), (2, False), (99, False)])
def test_reasons_may_be_numbers(number: int | str, watched: bool) -> None:
    found = decoded(saved(film("UserDataSaved"), "", played=True, SaveReason=number))
    assert bool(found.reports) is watched


def test_completed_counts_although_the_position_is_early() -> None:
    body = stopped(film("PlaybackStop"), completed=True)
    found = decoded(body)
    assert watch(found).watched
    assert found.hint


@pytest.mark.parametrize(
    "body", [stopped(film("PlaybackStop"), completed=False), film("PlaybackStart")]
)
def test_play_and_stop_are_hints_and_never_watching(body: dict[str, Any]) -> None:
    assert decoded(body) == Decoded(event_type=body["NotificationType"], hint=True)


def test_progress_is_not_used() -> None:
    found = decoded(stopped(film("PlaybackProgress"), completed=False))
    assert (found.ignored, found.hint) == (Reason.UNUSED_EVENT, False)


def test_of_an_episode_the_series_is_asked_for_its_ids() -> None:
    question = asked(decoded(saved(episode("UserDataSaved"), "TogglePlayed", played=True)))
    assert (question.item, question.seasons) == (SHOW, (1,))
    about = question.about
    assert about is not None
    assert about.watched
    assert about.title == TitleRef(media_type=MediaType.SERIES, name="Tide House")
    assert about.parts == (PartRef(season=1, number=3),)


def test_each_episode_of_a_season_that_is_marked_is_asked_for() -> None:
    keys = {
        asked(
            decoded(saved(episode("UserDataSaved", EpisodeNumber=n), "TogglePlayed", played=True))
        ).key
        for n in range(1, 11)
    }
    assert len(keys) == 10


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"EpisodeNumberEnd": 4}, (PartRef(season=1, number=3), PartRef(season=1, number=4))),
        ({"EpisodeNumberEnd": 900}, (PartRef(season=1, number=3),)),
        ({"EpisodeNumber": None}, (PartRef(season=1, air_date="2021-04-11"),)),
        ({"SeasonNumber": 0}, (PartRef(season=0, number=3),)),
    ],
)
def test_how_episodes_are_named(changes: dict[str, Any], parts: tuple[PartRef, ...]) -> None:
    about = asked(
        decoded(saved(episode("UserDataSaved", **changes), "TogglePlayed", played=True))
    ).about
    assert about is not None
    assert about.parts == parts


def test_an_episode_without_numbers_is_asked_for_itself() -> None:
    body = saved(episode("UserDataSaved", SeasonNumber=""), "TogglePlayed", played=True)
    question = asked(decoded(body))
    assert (question.item, question.seasons) == (EPISODE, ())


def test_a_film_without_ids_is_asked_for() -> None:
    body = film("UserDataSaved", Provider_tmdb="", Provider_imdb="")
    question = asked(decoded(saved(body, "TogglePlayed", played=False)))
    assert question.item == FILM
    assert question.about is not None
    assert not question.about.watched


@pytest.mark.parametrize("kind", ["Season", "Series"])
def test_whole_seasons_are_told_episode_by_episode(kind: str) -> None:
    found = decoded(saved(episode("UserDataSaved", ItemType=kind), "TogglePlayed", played=True))
    assert found.ignored is Reason.UNUSED_EVENT


def test_who_watched_must_be_said() -> None:
    found = decoded(saved(film("UserDataSaved"), "TogglePlayed", played=True, UserId=""))
    assert (found.ignored, found.reports) == (Reason.NO_IDS, ())


def test_what_was_watched_must_be_said() -> None:
    body = saved(film("UserDataSaved", ItemId="", ItemType=""), "TogglePlayed", played=True)
    assert decoded(body).ignored is Reason.NO_IDS


def test_nothing_is_dated_ahead() -> None:
    body = saved(
        film("UserDataSaved"),
        "PlaybackFinished",
        played=True,
        LastPlayedDate="2031-01-01T00:00:00Z",
    )
    assert watch(decoded(body)).happened_at == NOW


def test_without_any_date_it_happened_when_it_was_told() -> None:
    body = saved(
        film("UserDataSaved", UtcTimestamp="0001-01-01T00:00:00.0000000Z"),
        "TogglePlayed",
        played=True,
    )
    assert watch(decoded(body)).happened_at == NOW


# --- whose it is, and what it is about -----------------------------------------------------


def test_another_servers_events_are_never_applied() -> None:
    found = decoded(film("ItemAdded", ServerId="99" * 16))
    assert found == Decoded(event_type="ItemAdded", ignored=Reason.FOREIGN_SERVER)


@pytest.mark.parametrize("server", [SERVER, dashed(SERVER), SERVER.upper(), "", None])
def test_server_ids_are_compared_without_dashes_and_case(server: str | None) -> None:
    assert decoded(film("ItemAdded", ServerId=server)).questions


def test_the_service_may_hold_its_id_in_either_form() -> None:
    service = replace(JELLYFIN, server_id=dashed(SERVER))
    body = saved(film("UserDataSaved", ServerId=""), "TogglePlayed", played=True)
    assert watch(decoded(body, service)).viewer == f"{SERVER}:{USER}"
    nameless = replace(JELLYFIN, server_id=None)
    assert decoded(film("ItemAdded", ServerId="99" * 16), nameless).questions


@pytest.mark.parametrize(
    "body",
    [
        film("ItemAdded", ItemType="Audio"),
        film("ItemDeleted", ItemType="MusicAlbum"),
        film("PlaybackStart", ItemType="TvChannel"),
        saved(film("UserDataSaved", ItemType="Audio"), "TogglePlayed", played=True),
    ],
)
def test_music_and_the_like_are_other_media(body: dict[str, Any]) -> None:
    assert decoded(body).ignored is Reason.OTHER_MEDIA


@pytest.mark.parametrize(
    "event",
    [
        "SessionStart",
        "AuthenticationSuccess",
        "AuthenticationFailure",
        "UserCreated",
        "UserUpdated",
        "PendingRestart",
        "TaskCompleted",
        "SubtitleDownloadFailure",
        "PluginUpdated",
        "None",
        "FromTheFuture",
    ],
)
def test_events_that_say_nothing(event: str) -> None:
    found = decoded({"NotificationType": event, "ServerId": SERVER, "UserId": USER})
    assert (found.ignored, found.hint) == (Reason.UNUSED_EVENT, False)


def test_the_test_event() -> None:
    found = decoded({"NotificationType": "Generic", "ServerId": SERVER})
    assert (found.test, found.ignored) == (True, Reason.TEST)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b'{"NotificationType": 4}',
        b'{"event": "media.play"}',
        b"<html></html>",
        b'--x\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{}\r\n',
    ],
)
def test_what_is_none_of_jellyfins(body: bytes) -> None:
    assert decoded(body).ignored is Reason.UNREADABLE


def test_a_template_says_the_same() -> None:
    for body in (
        film("ItemAdded"),
        saved(film("UserDataSaved"), "TogglePlayed", played=False),
        saved(episode("UserDataSaved"), "PlaybackFinished", played=True, **LAST_PLAYED),
        stopped(film("PlaybackStop"), completed=True),
        stopped(episode("PlaybackStop"), completed=False),
    ):
        assert decoded(templated(body)) == decoded(body)


def test_false_of_a_template_is_not_true() -> None:
    body = templated(saved(film("UserDataSaved"), "TogglePlayed", played=False))
    assert body["Played"] == "False"
    assert not watch(decoded(body)).watched


def test_quotes_that_were_escaped_twice_are_quotes() -> None:
    body = film("ItemDeleted", Name='The \\"Quiet\\" Ferry')
    title = asked(decoded(body)).title
    assert title is not None
    assert title.name == 'The "Quiet" Ferry'


# --- the journal ----------------------------------------------------------------------------

EVERY = [
    film("ItemAdded"),
    film("ItemDeleted", Name='The \\\\\\"Quiet\\" Ferry'),
    episode("ItemAdded"),
    episode("ItemDeleted"),
    saved(film("UserDataSaved"), "TogglePlayed", played=False),
    saved(film("UserDataSaved"), "", played=True, SaveReason=4),
    saved(episode("UserDataSaved"), "PlaybackFinished", played=True, **LAST_PLAYED),
    stopped(episode("PlaybackStop"), completed=True),
    stopped(film("PlaybackStart"), completed=False),
    {"NotificationType": "SessionStart", "RemoteEndPoint": "192.168.1.34"},
    {"NotificationType": "Generic"},
    {"no": "event"},
]


@pytest.mark.parametrize("body", [*EVERY, *(templated(body) for body in EVERY)])
def test_the_journal_decodes_to_the_same(body: dict[str, Any]) -> None:
    kept = DECODER.sanitise(delivery(body))
    assert decoded(kept.encode()) == decoded(body)


def test_the_journal_keeps_nothing_private() -> None:
    body = stopped(episode("PlaybackStop"), completed=True) | {"Token": "s3cret"}
    kept = DECODER.sanitise(delivery(body))
    for private in ("Anna", "phone", "Web", "192.168", "ZGV2aWNl", "attic", "Attic", "s3cret"):
        assert private not in kept
    assert json.loads(kept)["UserId"] == USER


def test_the_journal_notes_what_is_no_json() -> None:
    assert json.loads(DECODER.sanitise(delivery(b"\x00\xff"))) == {
        "unreadable": {"bytes": 2, "content_type": "text/plain"}
    }


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([FILM, dashed(SHOW), "True", "False", "0", "2026-09-21T14:00:00Z", '\\"']),
    st.lists(st.integers(), max_size=2),
)


@given(
    base=st.sampled_from(EVERY),
    changes=st.dictionaries(st.sampled_from(sorted(set().union(*EVERY))), VALUES, max_size=6),
)
def test_odd_values_never_raise_and_are_journalled_alike(
    base: dict[str, Any], changes: dict[str, Any]
) -> None:
    body = {**base, **changes}
    assert decoded(DECODER.sanitise(delivery(body)).encode()) == decoded(body)


# --- API answers ------------------------------------------------------------------------------


def test_films_of_a_list_are_reported_and_make_nothing_absent() -> None:
    body: Json = {
        "Items": [
            {
                "Id": FILM,
                "Type": "Movie",
                "Name": "Silver Ferry",
                "ProviderIds": {"Tmdb": "880010"},
                "MediaSources": [{"MediaStreams": [{"Type": "Video", "Width": 3840}]}],
            },
            {"Id": EPISODE, "Type": "Episode"},
            {"Id": "1" * 32, "Type": "Audio"},
        ]
    }
    found = DECODER.decode_poll(JELLYFIN, "items", body, NOW)
    (report,) = found.reports
    assert isinstance(report, PlayableReport)
    assert (report.tier, report.playable, report.complete) == (Tier.UHD, True, False)


@pytest.mark.parametrize(
    ("resource", "body", "detail", "reason"),
    [
        (
            "items",
            {"Items": [{"Id": "1", "Type": "Episode"}]},
            "1 items, no film with ids",
            Reason.UNUSED_EVENT,
        ),
        ("items", {}, None, Reason.UNREADABLE),
        (
            "sessions",
            [
                {"NowPlayingItem": {"MediaType": "Video"}},
                {"Id": "x"},
                {"NowPlayingItem": {"MediaType": "Audio"}},
            ],
            "1 being played",
            Reason.UNUSED_EVENT,
        ),
        ("info", {"Version": "10.11.8"}, "10.11.8", Reason.UNUSED_EVENT),
        ("info", [], None, Reason.UNREADABLE),
        ("other", {}, "not a known resource", Reason.UNUSED_EVENT),
    ],
)
def test_other_answers_are_described(
    resource: str, body: Any, detail: str | None, reason: Reason
) -> None:
    found = DECODER.decode_poll(JELLYFIN, resource, body, NOW)
    assert (found.detail, found.ignored) == (detail, reason)
    assert set(DECODER.poll_resources) == {"items", "sessions", "info"}
