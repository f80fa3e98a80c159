"""What Plex says by webhook is understood, in every transport, and kept without what is private."""

import json
from dataclasses import replace
from typing import Any

import pytest

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    PartRef,
    PlayableReport,
    QuestionKind,
    Reason,
    Tier,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import Decoded, Delivery, Json
from custom_components.media_arrivals.engine.connectors.plex.decode import PlexDecoder
from custom_components.media_arrivals.engine.connectors.plex.ids import item_ids, legacy_ids

from .bodies import EPISODE, FILM, MACHINE, NOW, SEASON, SERVICE, SHOW, delivery, event

DECODER = PlexDecoder()


def decode(told: Any, **options: Any) -> Decoded:
    """Decode an event, and see that the journal's copy says the same."""
    sent = delivery(told, **options)
    found = DECODER.decode(SERVICE, sent)
    kept = Delivery(body=DECODER.sanitise(sent).encode(), received_at=NOW)
    assert DECODER.decode(SERVICE, kept) == found
    return found


def only_report(found: Decoded) -> WatchReport:
    (report,) = found.reports
    assert isinstance(report, WatchReport)
    return report


# --- transports -------------------------------------------------------------------------------


def test_a_form_a_lost_header_and_bare_json_say_the_same() -> None:
    told = event("media.scrobble", FILM)
    form = delivery(told)
    bare = Delivery(body=json.dumps(told).encode(), received_at=NOW, content_type="text/plain")
    found = DECODER.decode(SERVICE, form)
    assert found.reports
    assert DECODER.decode(SERVICE, replace(form, content_type="")) == found
    assert DECODER.decode(SERVICE, bare) == found


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nonsense",
        b"{}",
        b'{"event": 7}',
        b'{"event": "<script>"}',
        bytes(range(256)) * 20,
        b'--x\r\nContent-Disposition: form-data; name="payload"\r\n\r\nnot json\r\n--x--',
        b'--x\r\nContent-Disposition: form-data; name="data"\r\n\r\n{}\r\n--x--',
    ],
)
def test_what_is_no_event_is_unreadable(body: bytes) -> None:
    found = DECODER.decode(SERVICE, Delivery(body=body, received_at=NOW))
    assert found.ignored is Reason.UNREADABLE
    assert not found.reports


def test_nothing_private_is_kept() -> None:
    told = event("media.scrobble", FILM, guid="com.plexapp.agents.xbmcnfo:///srv/my films/a.mkv")
    text = DECODER.sanitise(delivery(told))
    for secret in ("Ada", "Attic", "203.0.113", "pl-77", "thumb", "avatar", "/srv", "Famous", "TV"):
        assert secret not in text
    assert MACHINE in text
    assert "The Paper Regatta" in text


def test_what_cannot_be_read_is_kept_as_a_note_of_its_size() -> None:
    text = DECODER.sanitise(Delivery(body=b"secret", received_at=NOW, content_type="text/x"))
    assert json.loads(text) == {"unreadable": {"bytes": 6, "content_type": "text/x"}}


# --- whose it is ------------------------------------------------------------------------------


def test_events_of_another_server_are_refused() -> None:
    found = decode(event("media.scrobble", FILM, server="f" * 40))
    assert found == Decoded(
        event_type="media.scrobble",
        ignored=Reason.FOREIGN_SERVER,
        detail="of another Plex server",
    )


@pytest.mark.parametrize("server", [MACHINE.upper(), None, ""])
def test_a_missing_server_on_our_own_address_is_ours(server: str | None) -> None:
    assert decode(event("media.scrobble", FILM, server=server)).reports


@pytest.mark.parametrize(
    ("agent", "item"),
    [
        ("Jellyfin-Server/10.11.8", "1501"),
        ("PlexMediaServer/1.42.2", "0123456789abcdef0123456789ABCDEF"),
        ("", "01234567-89ab-cdef-0123-456789abcdef"),
    ],
)
def test_a_jellyfin_that_writes_like_plex_is_no_plex(agent: str, item: str) -> None:
    told = event("media.scrobble", FILM, server=MACHINE, ratingKey=item)
    found = decode(told, agent=agent)
    assert found.ignored is Reason.FOREIGN_SERVER
    assert not found.reports


# --- what is new ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "item", "seasons"),
    [
        (FILM, "1501", ()),
        (EPISODE, "1710", (2,)),
        (EPISODE | {"parentIndex": 0}, "1710", (0,)),
        (EPISODE | {"parentIndex": None}, "1710", ()),
        (EPISODE | {"grandparentRatingKey": None}, "1712", ()),
        (SEASON, "1710", (2,)),
        (SHOW, "1710", ()),
        (FILM | {"ratingKey": 1501}, "1501", ()),
    ],
)
def test_something_new_is_a_question_about_the_film_or_the_series(
    row: dict[str, Any], item: str, seasons: tuple[int, ...]
) -> None:
    found = decode(event("library.new", row))
    (question,) = found.questions
    assert (question.kind, question.item) == (QuestionKind.ITEM, item)
    assert question.seasons == seasons
    assert not found.reports


def test_200_episodes_of_a_season_are_one_question() -> None:
    keys = {
        decode(event("library.new", EPISODE, index=number, ratingKey=str(9000 + number)))
        .questions[0]
        .key
        for number in range(1, 201)
    }
    assert len(keys) == 1


def test_something_new_without_an_id_hints_at_a_poll() -> None:
    found = decode(event("library.new", FILM, ratingKey=None))
    assert (found.ignored, found.hint) == (Reason.NO_IDS, True)


@pytest.mark.parametrize("name", ["library.new", "media.scrobble", "media.play"])
@pytest.mark.parametrize(
    "row",
    [
        {"type": "track", "ratingKey": "5"},
        {"type": "photo", "ratingKey": "5"},
        {"type": "clip", "ratingKey": "5"},
        {"ratingKey": "5"},
        FILM | {"live": "1"},
        EPISODE | {"live": True},
    ],
)
def test_music_pictures_and_television_are_other_media(name: str, row: dict[str, Any]) -> None:
    found = decode(event(name, row))
    assert found.ignored is Reason.OTHER_MEDIA
    assert (found.reports, found.questions, found.hint) == ((), (), False)


# --- who watched ------------------------------------------------------------------------------


def test_a_film_was_watched_by_its_owner() -> None:
    found = decode(event("media.scrobble", FILM, lastViewedAt=NOW - 3, viewCount=1))
    report = only_report(found)
    assert report.viewer == "plex:2048"
    assert report.watched
    assert report.title.ids == ExternalIds(tmdb=290001, imdb="tt20290001")
    assert (report.title.name, report.title.year) == ("The Paper Regatta", 2024)
    assert (report.at, report.happened_at) == (NOW, NOW - 3)
    assert report.parts == ()
    assert found.peer == MACHINE
    assert [(one.event, one.key) for one in found.sightings] == [("watched", "1501")]


def test_the_owner_is_who_the_server_calls_1_or_by_the_real_id() -> None:
    unknown = replace(SERVICE, owner_id=None)
    sent = delivery(event("media.scrobble", FILM))
    assert only_report(DECODER.decode(unknown, sent)).viewer == "plex:1"
    assert only_report(decode(event("media.scrobble", FILM, account=2048))).viewer == "plex:2048"
    assert only_report(decode(event("media.scrobble", FILM, account="77"))).viewer == "plex:77"


@pytest.mark.parametrize("account", [0, None, "", True])
def test_watched_by_nobody_is_not_told(account: Any) -> None:
    found = decode(event("media.scrobble", FILM, account=account))
    assert (found.ignored, found.detail) == (Reason.NO_IDS, "does not say who watched")


@pytest.mark.parametrize("viewed", [NOW - 90_000, NOW + 60, "soon", None])
def test_a_date_of_watching_that_cannot_be_this_one_is_not_believed(viewed: Any) -> None:
    report = only_report(decode(event("media.scrobble", FILM, lastViewedAt=viewed)))
    assert report.happened_at == NOW


def test_an_episodes_own_ids_are_not_the_series() -> None:
    found = decode(event("media.scrobble", EPISODE, account=77))
    assert not found.reports
    (question,) = found.questions
    assert (question.item, question.seasons) == ("1710", (2,))
    about = question.about
    assert about is not None
    assert not about.title.ids
    assert about.title.media_type is MediaType.SERIES
    assert about.parts == (PartRef(season=2, number=4, air_date="2025-02-05", name="The Ledger"),)


def test_an_old_guid_names_the_series_and_its_numbers_are_not_believed() -> None:
    row = EPISODE | {"guid": "com.plexapp.agents.thetvdb://180001/9/9?lang=en", "Guid": None}
    report = only_report(decode(event("media.scrobble", row)))
    assert report.title.ids == ExternalIds(tvdb=180001)
    assert [(part.season, part.number) for part in report.parts] == [(2, 4)]


def test_a_daily_show_goes_by_its_date() -> None:
    row = EPISODE | {"index": None, "parentIndex": 2025}
    (question,) = decode(event("media.scrobble", row)).questions
    assert question.about is not None
    (part,) = question.about.parts
    assert (part.season, part.number, part.air_date) == (2025, None, "2025-02-05")


def test_a_film_without_ids_is_asked_about() -> None:
    row = FILM | {"Guid": None, "guid": "local://1501"}
    (question,) = decode(event("media.scrobble", row)).questions
    assert question.item == "1501"
    assert question.about is not None


@pytest.mark.parametrize(
    "row",
    [
        FILM | {"Guid": None, "ratingKey": None},
        EPISODE | {"parentIndex": None},
        EPISODE | {"ratingKey": None, "grandparentRatingKey": None},
        SHOW,
    ],
)
def test_watched_without_any_way_to_know_what_hints_at_a_poll(row: dict[str, Any]) -> None:
    found = decode(event("media.scrobble", row))
    assert (found.ignored, found.hint) == (Reason.NO_IDS, True)


# --- the rest ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["media.play", "media.pause", "media.resume", "media.stop"])
def test_playing_is_never_watched(name: str) -> None:
    found = decode(event(name, FILM, viewCount=3, lastViewedAt=NOW, viewOffset=6_000_000))
    assert found == Decoded(event_type=name, hint=True)


@pytest.mark.parametrize(
    "name",
    [
        "playback.started",
        "media.rate",
        "library.on.deck",
        "device.new",
        "admin.database.backup",
        "admin.database.corrupted",
        "media.something.new",
    ],
)
def test_other_events_say_nothing(name: str) -> None:
    found = decode(event(name, FILM))
    assert found.ignored is Reason.UNUSED_EVENT
    assert found.detail
    assert not found.hint


@pytest.mark.parametrize(
    ("guid", "media_type", "ids"),
    [
        ("com.plexapp.agents.imdb://tt0111111?lang=en", "movie", {"imdb": "tt0111111"}),
        ("com.plexapp.agents.themoviedb://603?lang=en", "movie", {"tmdb": 603}),
        ("com.plexapp.agents.tmdb://603?lang=en", "movie", {"tmdb": 603}),
        ("com.plexapp.agents.themoviedb://1396/2/4?lang=en", "series", {"tmdb": 1396}),
        ("com.plexapp.agents.thetvdb://81797/22/70?lang=en", "series", {"tvdb": 81797}),
        ("com.plexapp.agents.thetvdb://81797?lang=en", "series", {"tvdb": 81797}),
        ("com.plexapp.agents.thetvdb://81797?lang=en", "movie", {}),
        ("com.plexapp.agents.hama://tvdb-81797/1/5?lang=en", "series", {"tvdb": 81797}),
        ("com.plexapp.agents.hama://tvdb4-81797/1/5?lang=en", "series", {"tvdb": 81797}),
        ("com.plexapp.agents.hama://tmdb-603?lang=en", "movie", {"tmdb": 603}),
        ("com.plexapp.agents.hama://imdb-tt0111111?lang=en", "movie", {"imdb": "tt0111111"}),
        ("com.plexapp.agents.hama://anidb-69/1/5?lang=en", "series", {}),
        ("com.plexapp.agents.xbmcnfo://tt0111111?lang=xn", "movie", {"imdb": "tt0111111"}),
        ("com.plexapp.agents.xbmcnfo://603?lang=xn", "movie", {"tmdb": 603}),
        ("com.plexapp.agents.xbmcnfotv://81797/1/2?lang=xn", "series", {"tvdb": 81797}),
        ("tv.plex.agents.nfo.movie://movie/imdb_tt0111111", "movie", {"imdb": "tt0111111"}),
        ("tv.plex.agents.nfo.series://show/tvdb_81797", "series", {"tvdb": 81797}),
        ("tv.plex.agents.nfo.series://episode/tvdb_55", "series", {}),
        ("com.plexapp.agents.ytinforeader://a|b", "series", {}),
        ("net.fribbtastic.coding.plex.myanimelist://1", "series", {}),
        ("com.plexapp.agents.none://5", "movie", {}),
        ("plex://movie/0000000000000000000000ff", "movie", {}),
        ("local://77", "movie", {}),
        (None, "movie", {}),
        (7, "series", {}),
        ("com.plexapp.agents.imdb://tt" + "1" * 500, "movie", {}),
    ],
)
def test_old_guids(guid: Any, media_type: str, ids: dict[str, Any]) -> None:
    assert legacy_ids(guid, MediaType(media_type)) == ExternalIds(**ids)


def test_of_two_ids_of_one_kind_the_lower_counts() -> None:
    listed: list[Json] = [{"id": "tmdb://9"}, {"id": "tmdb://5"}, {"id": "imdb://tt0000123"}]
    wanted = ExternalIds(tmdb=5, imdb="tt0000123")
    for guids in (listed, listed[::-1], [*listed, {"id": 3}, "odd"]):
        row: dict[str, Json] = {"Guid": guids, "guid": "com.plexapp.agents.tmdb://1"}
        assert item_ids(row, MediaType.MOVIE) == wanted


# --- API answers ------------------------------------------------------------------------------


def poll(resource: str, body: Any) -> Decoded:
    return DECODER.decode_poll(SERVICE, resource, body, NOW)


def wrapped(**content: Any) -> dict[str, Any]:
    return {"MediaContainer": {"size": 1, **content}}


def test_answers_are_read_by_their_names() -> None:
    sections = [{"key": "1", "type": "movie"}, {"key": "2", "type": "artist"}, "odd"]
    assert poll("sections", wrapped(Directory=sections)).detail == (
        "1 libraries of films and series"
    )
    assert poll("history", wrapped(Metadata=[{"type": "movie", "viewedAt": 1}])).reports == ()
    assert poll("sessions", wrapped(Metadata=[FILM, {"type": "track"}])).detail == "1 playing"
    assert poll("webhooks", [{"url": "https://example.com"}]).detail == "1 webhooks"
    assert poll("notification", {}).detail == "nothing new"
    assert poll("weather", {}).ignored is Reason.UNUSED_EVENT
    for name in ("sections", "items", "history", "sessions"):
        assert poll(name, ["odd"]).ignored is Reason.UNREADABLE


def test_films_of_an_answer_can_be_played() -> None:
    row = FILM | {"Media": [{"videoResolution": "4k"}, {"videoResolution": "1080"}]}
    found = poll("items", wrapped(Metadata=[row, SHOW, {"type": "movie", "ratingKey": "8"}]))
    tiers = [report.tier for report in found.reports if isinstance(report, PlayableReport)]
    assert tiers == [Tier.HD, Tier.UHD]
    assert poll("items", wrapped(Metadata=[SHOW])).ignored is Reason.UNUSED_EVENT


def test_a_history_names_who_watched() -> None:
    row = {"viewedAt": 1_759_000_000, "accountID": 1, "historyKey": "/x/1"}
    episode = {
        "type": "episode",
        "ratingKey": "1712",
        "grandparentKey": "/library/metadata/1710",
        "index": 4,
        "parentIndex": 2,
    }
    found = poll(
        "history",
        wrapped(Metadata=[row | FILM, row | episode, row | {"type": "track"}, {"type": "movie"}]),
    )
    assert only_report(found).viewer == "plex:2048"
    assert [question.item for question in found.questions] == ["1710"]
    assert poll("history", wrapped()).ignored is Reason.UNUSED_EVENT


@pytest.mark.parametrize("odd", ["1/../../:/unscrobble", "1?x=2", "1,2", "..", "%2e", "\u0661"])
def test_an_id_that_is_more_than_an_id_is_not_asked_for(odd: str) -> None:
    found = decode(event("library.new", {**FILM, "ratingKey": odd}))
    assert (found.questions, found.ignored) == ((), Reason.NO_IDS)
