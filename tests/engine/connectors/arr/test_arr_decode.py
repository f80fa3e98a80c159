"""What holds for Radarr and Sonarr alike: bodies that are none, journal, fuzzing."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.media_arrivals.engine.board.models import Reason, Service
from custom_components.media_arrivals.engine.connectors.base import Decoded, Delivery
from custom_components.media_arrivals.engine.connectors.registry import DECODERS, decoder
from tests.engine.connectors.arr.bodies import (
    MIXED_RADARR,
    MIXED_SONARR,
    NOW,
    RADARR,
    SECRETS,
    SONARR,
    Doc,
    api_episode,
    complete,
    decoded,
    delivery,
    episode,
    episode_row,
    file,
    history_row,
    movie,
    pack_row,
    polled,
    queue_row,
    radarr,
    series,
    sonarr,
    without,
)

PATHS = ("sourcePath", "destinationPath")
EVENTS = (
    *((RADARR, radarr(event)) for event in ("Test", "Grab", "Download", "Rename", "MovieAdded")),
    *((RADARR, radarr(event)) for event in ("MovieDelete", "MovieFileDelete", "Health")),
    *((RADARR, radarr(event)) for event in ("HealthRestored", "ManualInteractionRequired")),
    (
        MIXED_RADARR,
        radarr("Download", isUpgrade=True, deletedFiles=[file(recycleBinPath="/films")]),
    ),
    (MIXED_RADARR, radarr("MovieFileDelete", movieFile=file("Bluray-2160p"))),
    *((SONARR, sonarr(event)) for event in ("Test", "Grab", "Download", "Rename", "SeriesAdd")),
    *((SONARR, sonarr(event)) for event in ("SeriesDelete", "EpisodeFileDelete", "Health")),
    *((SONARR, sonarr(event)) for event in ("HealthRestored", "ManualInteractionRequired")),
    (MIXED_SONARR, complete()),
    *((SONARR, without(complete(), *keys)) for keys in (("episodeFiles", "fileCount"), PATHS)),
    (
        MIXED_SONARR,
        sonarr("EpisodeFileDelete", episodeFile=file({"quality": {"name": "Bluray-2160p"}})),
    ),
)
ANSWERS = (
    (RADARR, "queue", [queue_row(), queue_row(movieId=None, movie=None)]),
    (RADARR, "history", [history_row(1, "grabbed", "2026-09-20T10:00:00Z")]),
    (RADARR, "movie", [movie(hasFile=True, movieFile=file())]),
    (SONARR, "queue", [pack_row(1), pack_row(2)]),
    (SONARR, "history", [episode_row(1, "downloadFailed", "2026-09-20T10:00:00Z", 1)]),
    (SONARR, "series", [series(seasons=[{"seasonNumber": 1, "monitored": True}])]),
    (SONARR, "episodes", [api_episode(1), api_episode(2)]),
    (RADARR, "health", [{"source": "x", "type": "error", "message": "y"}]),
    (SONARR, "status", {"appName": "Sonarr", "version": "4.0.9"}),
    (
        RADARR,
        "notification",
        [{"implementation": "Webhook", "name": "x", "fields": [{"name": "url", "value": "y"}]}],
    ),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["{{x}}", "0", 10**400, "x" * 5000, "\ud800", "2026-99-99", "-1.5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def sanitised(document: Any, service: Service) -> Doc:
    kept: Doc = json.loads(decoder(service.kind).sanitise(delivery(document)))
    return kept


@pytest.mark.parametrize("kind", ["radarr", "sonarr"])
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "no JSON object"),
        (b"<html>", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'"Test"', "no JSON object"),
        (b"{}", "no event name"),
        (b'{"eventType": 7}', "no event name"),
        (b'{"eventType": " "}', "no event name"),
    ],
)
def test_what_is_no_delivery_is_unreadable(kind: str, body: bytes, detail: str) -> None:
    service = Service(id="x", kind=kind, role=DECODERS[kind].role)
    found = decoder(kind).decode(service, Delivery(body=body, received_at=NOW))
    assert (found.ignored, found.detail, found.event_type) == (Reason.UNREADABLE, detail, "")
    assert found.reports == ()


def test_a_long_name_of_an_event_is_shortened() -> None:
    assert decoded({"eventType": "Odd\n" * 99}).event_type == ("Odd " * 16).strip()


@pytest.mark.parametrize(("service", "body"), EVENTS)
def test_the_journal_keeps_what_is_concluded_and_nothing_private(
    service: Service, body: Doc
) -> None:
    kept = sanitised(body, service)
    assert decoded(kept, service) == decoded(body, service)
    text = json.dumps(kept)
    assert [secret for secret in SECRETS if secret in text] == []
    assert sanitised(kept, service) == kept


def test_the_journal_keeps_what_tells_what_happened() -> None:
    kept = sanitised(radarr("Grab"), RADARR)
    assert kept["instanceName"] == "Radarr"
    assert kept["release"]["releaseTitle"] == "Silver.Ferry.2024.1080p.WEB"
    assert kept["downloadClient"] == "qBittorrent (home)"
    assert "applicationUrl" not in kept


def test_a_record_of_many_kilobytes_shrinks() -> None:
    record = {
        "quality": {"quality": {"name": "Bluray-1080p"}},
        "series": {"value": {"actors": [{"name": "A" * 40}] * 2000}},
        "mediaInfo": {"rawStreamData": "x" * 60_000},
    }
    body = sonarr("EpisodeFileDelete", episodeFile=record)
    assert len(json.dumps(body)) > 100_000
    assert len(json.dumps(sanitised(body, SONARR))) < 2_000
    assert decoded(sanitised(body, SONARR), SONARR) == decoded(body, SONARR)


def test_what_is_no_json_leaves_a_note_in_the_journal() -> None:
    sent = Delivery(body=b"<html>secret", received_at=NOW, content_type="text/html")
    kept = decoder("radarr").sanitise(sent)
    assert json.loads(kept) == {"unreadable": {"bytes": 12, "content_type": "text/html"}}


def test_a_huge_pack_is_read() -> None:
    body = sonarr("Grab", episodes=[episode(number % 28 + 1, number) for number in range(2000)])
    (report,) = decoded(body, SONARR).reports
    assert len(report.parts) == 2000  # type: ignore[union-attr]
    assert decoded(sanitised(body, SONARR), SONARR) == decoded(body, SONARR)


# --- fuzzing -------------------------------------------------------------------------------


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List every place of a document."""
    inner = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    found = [path] if path else []
    for key, value in inner:
        found.extend(places(value, (*path, key)))
    return found


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a document with another value in one place."""
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = with_value(copy[path[0]], path[1:], value)
    return copy


@st.composite
def spoilt(draw: st.DrawFn, documents: tuple[Any, ...]) -> tuple[Any, ...]:
    """Draw one of the documents with odd values in some places."""
    *rest, document = draw(st.sampled_from(documents))
    for path in draw(st.lists(st.sampled_from(places(document)), min_size=1, max_size=3)):
        try:
            document = with_value(document, path, draw(JSON))
        except KeyError, IndexError, TypeError, AttributeError:
            continue  # an earlier value took this place away
    return (*rest, document)


@settings(max_examples=300, deadline=None)
@given(spoilt(EVENTS))
def test_no_delivery_surprises(case: tuple[Service, Doc]) -> None:
    service, document = case
    try:
        sent = delivery(document)
    except ValueError:
        return  # nothing that could be sent
    read = decoder(service.kind)
    found = read.decode(service, sent)
    assert isinstance(found, Decoded)
    assert len(found.event_type) <= 64
    again = Delivery(body=read.sanitise(sent).encode(), received_at=NOW)
    assert read.decode(service, again) == found
    if (kept := read.keep(sent)) is not None:
        assert read.decode(service, Delivery(body=b"", received_at=NOW, document=kept)) == found
        if (told := read.told(kept)) is not None:
            assert (found.event_type, found.ignored, found.test) == (told, None, False)
            assert found.reports


@pytest.mark.parametrize(
    ("service", "body", "told"),
    [
        (RADARR, radarr("Grab"), "Grab"),
        (RADARR, radarr("Download"), "Download"),
        (SONARR, sonarr("Grab"), "Grab"),
        (SONARR, sonarr("Download"), "Download"),
        (SONARR, sonarr("Grab", episodes=[]), None),
        (RADARR, radarr("Grab", movie={"title": "No id"}), None),
        (RADARR, radarr("Test"), None),
        (RADARR, radarr("Rename"), None),
        (RADARR, radarr("MovieFileDelete"), None),
        (RADARR, {"eventType": 5}, None),
    ],
)
def test_what_is_sure_to_tell_something_is_seen_without_decoding(
    service: Service, body: Doc, told: str | None
) -> None:
    read = decoder(service.kind)
    kept = read.keep(delivery(body))
    assert kept is not None
    assert read.told(kept) == told


def test_of_what_is_no_object_nothing_is_kept() -> None:
    assert decoder("radarr").keep(Delivery(body=b"[1]", received_at=NOW)) is None


@settings(max_examples=200, deadline=None)
@given(spoilt(ANSWERS))
def test_no_answer_surprises(case: tuple[Service, str, Any]) -> None:
    service, resource, body = case
    assert polled(resource, body, service).event_type == resource


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from(["queue", "history", "movie", "series", "episodes", "health"]))
def test_anything_may_be_answered(body: Any, resource: str) -> None:
    for service in (RADARR, SONARR):
        assert isinstance(polled(resource, body, service), Decoded)


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [[]], True, 1e300])
@pytest.mark.parametrize(
    "key", [key for key in radarr("Grab") if key not in {"movie", "eventType"}]
)
def test_a_wrong_type_loses_only_its_field(key: str, value: Any) -> None:
    """The film and the grab itself stand whatever the rest is."""
    (report,) = decoded(radarr("Grab", **{key: value})).reports
    (whole,) = decoded(radarr("Grab")).reports
    assert report.title == whole.title
    assert type(report) is type(whole)
    if key != "downloadId":
        assert report == whole
