"""Whatever arrives, nothing raises, and one odd field costs only itself."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from custom_components.media_arrivals.engine.board.models import RequestReport
from custom_components.media_arrivals.engine.connectors.base import Delivery, Json
from tests.engine.connectors.seerr.bodies import (
    DECODER,
    EVENTS,
    NOW,
    SEERR,
    body,
    decoded,
    delivery,
    entry,
    request,
    snake,
    with_media,
)

# The first draw of a busy machine is slow, and says nothing.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(
        [
            "",
            "0",
            "{{media_tmdbid}}",
            "null",
            "ben@example.com",
            "x@y.z@a.b.c",
            "1" + " " * 60,
            "AVAILABLE",
            "movie",
            "tv",
            "\ud800",
            "9" * 400,
            *EVENTS,
        ]
    )
)
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "value", "media", "request", "tmdbId", "status", "seasonNumber"]
            )
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
KNOWN = {
    "default": body("MEDIA_AVAILABLE", series=True),
    "film": with_media(body("MEDIA_PENDING"), imdbId="tt9912345"),
    "snake": snake(with_media(body("MEDIA_AVAILABLE", series=True), status="AVAILABLE")),
}


def paths(value: Json, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the ways to every value in a document."""
    found = [at] if at else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths(item, (*at, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            found += paths(item, (*at, place))
    return found


def replaced(value: Any, path: tuple[str | int, ...], new: Json) -> Any:
    """Return a document with one value replaced."""
    known = json.loads(json.dumps(value))
    inner = known
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return known


@patient
@given(
    st.dictionaries(st.sampled_from(sorted(KNOWN["default"])), ANYTHING),
    st.sampled_from([*EVENTS, "ISSUE_CREATED", "TEST_NOTIFICATION"]) | ANYTHING,
)
def test_any_object_is_decoded_and_kept_the_same(found: dict[str, Json], event: Json) -> None:
    first = delivery(found | {"notification_type": event})
    kept = DECODER.sanitise(first)
    assert "ben@example.com" not in kept
    assert DECODER.decode(SEERR, delivery(kept.encode())) == DECODER.decode(SEERR, first)
    assert DECODER.sanitise(delivery(kept.encode())) == kept
    hold_to_what_was_seen(first)


def hold_to_what_was_seen(first: Delivery) -> None:
    """Hold what is seen without decoding to what decoding tells."""
    kept = DECODER.keep(first)
    if kept is not None and (told := DECODER.told(kept)) is not None:
        found = DECODER.decode(SEERR, first)
        assert (found.event_type, found.ignored, found.test) == (told, None, False)
        assert found.questions


@patient
@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_and_noted(found: bytes) -> None:
    first = delivery(found)
    kept = DECODER.sanitise(first)
    assert DECODER.decode(SEERR, delivery(kept.encode())) == DECODER.decode(SEERR, first)


@given(st.data(), st.sampled_from(sorted(KNOWN)), st.sampled_from(EVENTS), ANYTHING)
@settings(patient, max_examples=300)
def test_one_odd_field_of_a_delivery_costs_only_itself(
    data: st.DataObject, name: str, event: str, odd: Json
) -> None:
    known = KNOWN[name] | {"notification_type": event}
    harmless = [
        path
        for path in paths(known)
        if path[0] in {"event", "subject", "message", "image", "extra", "issue", "comment"}
        or path[-1] in {"status", "status4k", "requestedBy_username", "requestedBy_email"}
    ]
    told = replaced(known, data.draw(st.sampled_from(harmless)), odd)
    report = next(one for one in decoded(told).reports if isinstance(one, RequestReport))
    assert (report.request_id, report.title.ids.tmdb) == (41, int(_tmdb(known)))
    first = delivery(told)
    seen = DECODER.keep(first)
    assert seen is not None
    assert DECODER.told(seen) == event
    hold_to_what_was_seen(first)
    kept = DECODER.sanitise(first)
    assert decoded(json.loads(kept)) == decoded(told)
    assert "example.com" not in kept


def _tmdb(known: dict[str, Any]) -> str:
    media = known["media"]
    return str(media.get("tmdbId") or media.get("tmdb_id"))


@patient
@given(ANYTHING, st.sampled_from(DECODER.poll_resources))
def test_any_answer_is_decoded(found: Json, resource: str) -> None:
    answer = DECODER.decode_poll(SEERR, resource, found, NOW)
    assert answer.event_type == resource
    assert answer.reports or answer.ignored


ROW = request(seasons=(1, 2), media={"downloadStatus": [entry(episode=(1, 1))], "status": 4})
ROW["media"]["seasons"] = [{"seasonNumber": 1, "status": 5, "status4k": 1}]
HARMLESS = [
    path
    for path in paths(ROW)
    if path not in {("id",), ("type",), ("is4k",), ("status",), ("media",)}
    and path not in {("media", "tmdbId"), ("media", "mediaType")}
]


@given(st.sampled_from(HARMLESS), ANYTHING)
@settings(patient, max_examples=300)
def test_one_odd_field_of_a_request_costs_only_itself(
    path: tuple[str | int, ...], odd: Json
) -> None:
    found = DECODER.decode_poll(SEERR, "request", replaced(ROW, path, odd), NOW)
    report = next(one for one in found.reports if isinstance(one, RequestReport))
    assert (report.request_id, report.title.ids.tmdb, report.tier.value) == (41, 880021, "hd")


@pytest.mark.parametrize("path", [("media",), ("type",), ("id",), ("media", "tmdbId")])
def test_what_a_request_cannot_do_without(path: tuple[str, ...]) -> None:
    row = replaced(ROW, path, None)
    if path == ("type",):
        # The media says it, too.
        assert DECODER.decode_poll(SEERR, "request", row, NOW).reports
    elif path == ("media", "tmdbId"):
        # A series has another id.
        assert DECODER.decode_poll(SEERR, "request", row, NOW).reports
    else:
        assert DECODER.decode_poll(SEERR, "request", row, NOW).ignored
