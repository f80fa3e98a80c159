"""Foreign JSON is read without surprise: an odd value is an unknown one."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.media_arrivals.engine.board.models import ExternalIds
from custom_components.media_arrivals.engine.connectors import payload
from custom_components.media_arrivals.engine.connectors.base import Delivery

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["{{movie_tmdbid}}", "0", "-1", "1e400", "NaN", "tt0000000", "2026-02-31"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)

UNKNOWN = [0, "0", "", "  ", None, "{{media_tmdbid}}", True, False, [], {}, [7], {"a": 7}, -3, 1.5]


@pytest.mark.parametrize("value", [*UNKNOWN, float("nan"), 10**40, "9" * 60, "0x10", "1_000"])
def test_an_unknown_id_is_unknown_however_it_is_written(value: Any) -> None:
    assert payload.identifier(value) is None


@pytest.mark.parametrize("value", [27205, "27205", " 27205 ", 27205.0, "27205.0", "+27205"])
def test_an_id_is_read_however_it_is_written(value: Any) -> None:
    assert payload.identifier(value) == 27205


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Silver Ferry", "Silver Ferry"),
        ("  a\nb\tc\x00d  ", "a b c d"),
        ("\ud83d lone", "lone"),
        ("x" * 300, "x" * 255),
        ("{{subject}}", None),
        ("The {{Band}} Story", "The {{Band}} Story"),
        ("", None),
        (1917, None),
        (None, None),
        (["a"], None),
    ],
)
def test_texts(value: Any, read: str | None) -> None:
    assert payload.text(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("ABC:dbid_7", "ABC:dbid_7"),
        (4711, "4711"),
        ("", None),
        ("0", None),
        (0, None),
        (True, None),
        ("{{id}}", None),
        ("x" * 255, "x" * 255),
        ("x" * 256, None),
    ],
)
def test_opaque_ids_are_whole_or_unknown(value: Any, read: str | None) -> None:
    assert payload.opaque_id(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-02-13T11:40:00.0875003Z", 1770982800.0875),
        ("2026-02-13T11:40:00Z", 1770982800.0),
        ("2026-02-13T13:40:00+02:00", 1770982800.0),
        ("2026-02-13T11:40:00", 1770982800.0),
        ("2026-02-13", 1770940800.0),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31", None),
        ("2026-02-31", None),
        ("soon", None),
        (1770982800, None),
        (None, None),
    ],
)
def test_moments(value: Any, read: float | None) -> None:
    assert payload.moment(value) == (None if read is None else pytest.approx(read))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("00:25:53", 1553.0),
        ("1.02:03:04", 93784.0),
        ("1.02:03:04.5000000", 93784.5),
        ("25:53", None),
        ("", None),
        (90, None),
        ("99999999.00:00:00", None),
    ],
)
def test_spans(value: Any, read: float | None) -> None:
    assert payload.span(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (5870368312.844, 5870368312.844),
        ("12.5", 12.5),
        (7, 7.0),
        ("x", None),
        (True, None),
        (float("inf"), None),
        ("nan", None),
        ("1e999", None),
        (10**400, None),
        (None, None),
        ([], None),
        ("1" * 40, None),
    ],
)
def test_numbers(value: Any, read: float | None) -> None:
    assert payload.number(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), ("True", True), ("false", False), (1, None), ("yes", None), (None, None)],
)
def test_booleans(value: Any, read: bool | None) -> None:
    assert payload.boolean(value) is read


def test_small_readers() -> None:
    assert payload.year(2012) == 2012
    assert [payload.year(value) for value in (0, 9999, "x", None)] == [None] * 4
    assert payload.day("2026-02-13T20:00:00Z") == "2026-02-13"
    assert [payload.day(value) for value in ("2026-02-31", "13.02.2026", 20260213)] == [None] * 3
    assert [payload.counting(value) for value in (0, "3", -1, 10**9)] == [0, 3, None, None]
    assert payload.imdb_id("TT0245429") == "tt0245429"
    assert [payload.imdb_id(value) for value in ("5678", "tt", "nm0000001", 245429)] == [None] * 4
    assert payload.identifiers([1, "2", 0, None, "x"]) == (1, 2)
    assert payload.mapping([1]) == {}
    assert payload.rows([{"a": 1}, 2, None]) == ({"a": 1},)
    assert payload.rows("text") == ()
    assert len(payload.items([1] * 9999)) == payload.MAX_ITEMS
    assert payload.word(" SeriesADD ") == "seriesadd"
    assert payload.word(5) == ""
    assert payload.event_name("x" * 99) == "x" * 64
    for name in ("MEDIA_AVAILABLE", "ManualInteractionRequired", "media.requested", "A b"):
        assert payload.event_name(name) == name
    for odd in ("mia@home.example", "at 192.0.2.7", "/config/x", "key=abc", "", "1", 5):
        assert payload.event_name(odd) is None
    assert payload.external_ids(tmdb="0", tvdb=7, imdb="tt1234567") == ExternalIds(
        tvdb=7, imdb="tt1234567"
    )


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("https://image.tmdb.org/t/p/original/a.jpg", "https://image.tmdb.org/t/p/original/a.jpg"),
        ("http://example.org/a.jpg?apikey=1#x", "http://example.org/a.jpg"),
        ("https://example.org/a.jpg#x", "https://example.org/a.jpg"),
        ("https://user:word@example.org/a.jpg", None),
        ("/MediaCover/1/poster.jpg", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        (5, None),
    ],
)
def test_web_addresses_carry_no_secret(value: Any, read: str | None) -> None:
    assert payload.web_address(value) == read


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "No files found are eligible for import in /downloads/My Films/Ferry (2024)/f.mkv",
            "No files found are eligible for import in [path]",
        ),
        (
            "not found: /data/Dr. Reef/S01/a.mkv. Ensure that Radarr may read it",
            "not found: [path] Ensure that Radarr may read it",
        ),
        (r"Access denied to C:\Films\Silver Ferry\a.mkv", "Access denied to [path]"),
        (r"Cannot reach \\nas\films\a", "Cannot reach [path]"),
        ("[405] at [http://ha.example:8123/api/webhook/abc]", "[405] at [[address]]"),
        ("Connection refused (192.168.1.5:8123)", "Connection refused ([address])"),
        ("from fe80::1ff:fe23:4567:890a failed", "from [address] failed"),
        ("mail to anna.b@example.org failed", "mail to [e-mail] failed"),
        ("mail to anna.b@localhost failed", "mail to [e-mail] failed"),
        ("Silver.Ferry.1080p-rip@team", "Silver.Ferry.1080p-rip@team"),
        ("apikey=abcdef&x=1", "apikey=[secret]&x=1"),
        ("hash 0123456789abcdef0123456789abcdef01234567", "hash [secret]"),
        ("Episode 3/7 and/or AC/DC, 720p 1:02", "Episode 3/7 and/or AC/DC, 720p 1:02"),
        ("Radarr updated to 6.0.3.10205", "Radarr updated to 6.0.3.10205"),
    ],
)
def test_a_services_own_words_are_shown_without_what_is_private(said: str, shown: str) -> None:
    assert payload.prose(said) == shown


@given(st.text(max_size=300) | st.from_regex(r"[a-z/\\:@.\[\] 0-9=]{0,200}"))
def test_own_words_read_the_same_after_they_were_cleaned(said: str) -> None:
    once = payload.prose(said)
    assert payload.prose(once) == once


@pytest.mark.parametrize(
    "hostile",
    [
        " /a" * 1300,
        "/a b" * 1000,
        "C:\\a b" * 700,
        "a@" * 2000,
        "a." * 2000 + "@",
        ":" * 4000,
        "1." * 2000,
        "token=" * 700,
        " /" + "x " * 2000 + ". ",
        "http://" * 500,
    ],
)
def test_cleaning_takes_no_time(hostile: str) -> None:
    begun = time.perf_counter()
    payload.prose(hostile, payload.MAX_TEXT)
    assert time.perf_counter() - begun < 0.25


@given(ANY_JSON)
def test_no_reader_raises(value: Any) -> None:
    for read in (
        payload.mapping,
        payload.items,
        payload.rows,
        payload.text,
        payload.word,
        payload.opaque_id,
        payload.integer,
        payload.identifier,
        payload.identifiers,
        payload.counting,
        payload.imdb_id,
        payload.number,
        payload.boolean,
        payload.moment,
        payload.day,
        payload.year,
        payload.span,
        payload.web_address,
        payload.event_name,
        payload.prose,
        payload.keep,
    ):
        read(value)
    payload.external_ids(tmdb=value, tvdb=value, imdb=value)


@given(st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_a_body_is_an_object_or_nothing(body: bytes) -> None:
    found = payload.load_object(body)
    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"<html>", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_object_is_unreadable(body: bytes) -> None:
    assert payload.load_object(body) is None


def test_a_byte_order_mark_does_no_harm() -> None:
    assert payload.load_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_picking_keeps_what_is_named_and_nothing_else() -> None:
    document: Any = {
        "title": " Silver\nFerry ",
        "size": 5,
        "ok": True,
        "none": None,
        "huge": 10**30,
        "bad": float("nan"),
        "path": "/data/films",
        "movie": {"id": 7, "path": "/data"},
        "list": [{"id": 1, "path": "/x"}, 5, None, {"id": 2}],
        "not a list": "text",
        "not an object": [1],
    }
    shape: payload.Shape = {
        "title": payload.keep,
        "size": payload.keep,
        "ok": payload.keep,
        "none": payload.keep,
        "huge": payload.keep,
        "bad": payload.keep,
        "missing": payload.keep,
        "movie": {"id": payload.keep},
        "list": ({"id": payload.keep},),
        "not a list": (payload.keep,),
        "not an object": {"id": payload.keep},
    }
    assert payload.pick(document, shape) == {
        "title": "Silver Ferry",
        "size": 5,
        "ok": True,
        "movie": {"id": 7},
        "list": [{"id": 1}, {"id": 2}],
    }


def test_what_is_no_json_leaves_a_note() -> None:
    delivery = Delivery(body=b"x" * 40, received_at=0.0, content_type="text/html; charset=utf-8")
    assert json.loads(payload.unreadable_note(delivery)) == {
        "unreadable": {"bytes": 40, "content_type": "text/html"}
    }


def test_a_document_that_was_read_before_is_not_read_again() -> None:
    read: payload.Object = {"a": 1}
    assert payload.read_object(Delivery(body=b"{", received_at=0.0, document=read)) is read
    # What the first reader was too strict for, or took for something else.
    for document in (None, [1], "text"):
        delivery = Delivery(body=b'{"a": NaN}', received_at=0.0, document=document)
        assert payload.read_object(delivery) is not None


@pytest.mark.parametrize(
    "value",
    [
        "token=geheim7",
        "Password : geheim7",
        "C:/media/films",
        r"D:\media\films",
        r"\\nas\films",
        "/media/films",
        "a@home.example",
        "at 192.168.1.20:8080",
        "fe80::1:2:3",
        "ftp://home/films",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_what_is_private_is_found_by_a_sign_of_it(value: str) -> None:
    for text in (value, f"Cannot import {value}"):
        assert value not in payload.scrub(text)
        assert "geheim" not in payload.scrub(text)
