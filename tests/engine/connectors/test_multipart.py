"""Forms are read as far as media servers send them, and from nobody more than that."""

import random
import time

import pytest

from custom_components.media_arrivals.engine.connectors.multipart import MAX_PARTS, field

BOUNDARY = "------------------------0011aabb"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
JSON = b'{"event": "media.play"}'
PAYLOAD = b'Content-Disposition: form-data; name="payload"\r\nContent-Type: application/json'
THUMB = b'Content-Disposition: form-data; name="thumb"; filename="thumb.jpg"'


def form(*parts: tuple[bytes, bytes], line: bytes = b"\r\n", boundary: str = BOUNDARY) -> bytes:
    mark = b"--" + boundary.encode()
    text = b"".join(
        mark + line + head.replace(b"\r\n", line) + line * 2 + value + line for head, value in parts
    )
    return text + mark + b"--" + line


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    "content_type",
    [
        TYPE,
        f'multipart/form-data; boundary="{BOUNDARY}"',
        f"Multipart/Form-Data; charset=utf-8; BOUNDARY={BOUNDARY}",
        "multipart/form-data",
        "application/octet-stream",
        "",
    ],
)
def test_a_field_is_found_whatever_is_left_of_the_header(content_type: str, line: bytes) -> None:
    body = form((PAYLOAD, JSON), (THUMB, b"\xff\xd8\xff"), line=line)
    assert field(body, content_type, "payload") == JSON


def test_the_picture_may_come_first_and_is_never_read() -> None:
    body = form((THUMB, b"\xff\xd8\r\n\r\n\x00--\r\n"), (PAYLOAD, JSON))
    assert field(body, TYPE, "payload") == JSON
    assert field(body, TYPE, "thumb") is None


def test_a_part_with_a_file_name_is_no_field_of_that_name() -> None:
    named = b'Content-Disposition: form-data; name="payload"; filename="payload.json"'
    encoded = b"Content-Disposition: form-data; name=\"payload\"; filename*=UTF-8''payload.json"
    assert field(form((named, JSON)), TYPE, "payload") is None
    assert field(form((encoded, JSON)), TYPE, "payload") is None


@pytest.mark.parametrize(
    "head",
    [
        b"content-disposition: FORM-DATA; name=payload",
        b'Content-Type: application/json\r\nContent-Disposition: form-data; name="payload"',
        b'Content-Length: 23\r\nContent-Disposition:form-data;name="payload"',
    ],
)
def test_headers_are_read_in_any_writing_and_order(head: bytes) -> None:
    assert field(form((head, JSON)), TYPE, "payload") == JSON


def test_only_the_line_end_before_the_boundary_is_taken_off() -> None:
    assert field(form((PAYLOAD, b"{}\n\n")), TYPE, "payload") == b"{}\n\n"
    assert field(form((PAYLOAD, b"")), TYPE, "payload") == b""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"{}",
        b"\r\n" * 400,
        b"--x",
        b"--x\r\nno header ends here",
        b"--x\r\nX: y\r\n\r\n1\r\n--x--\r\nContent-Disposition: form-data; name=payload\r\n\r\n2",
        form((b"Content-Disposition: form-data; name=other", JSON)),
        form((b"Content-Type: application/json", JSON)),
        form((b"Content-Disposition: attachment; name=payload", JSON)),
    ],
)
def test_what_is_no_form_or_has_no_such_field_gives_nothing(body: bytes) -> None:
    assert field(body, "", "payload") is None


def test_a_boundary_that_is_not_in_the_body_finds_nothing() -> None:
    assert (
        field(form((PAYLOAD, JSON)), "multipart/form-data; boundary=elsewhere", "payload") is None
    )


def test_parts_behind_too_many_others_are_not_looked_for() -> None:
    other = (b"Content-Disposition: form-data; name=x", b"1")
    few, many = [other] * (MAX_PARTS - 1), [other] * 50_000
    assert field(form(*few, (PAYLOAD, JSON)), TYPE, "payload") == JSON
    started = time.perf_counter()
    assert field(form(*many, (PAYLOAD, JSON)), TYPE, "payload") is None
    assert time.perf_counter() - started < 1


def test_headers_without_end_are_not_searched() -> None:
    long = b"X: " + b"a" * 10_000 + b'\r\nContent-Disposition: form-data; name="payload"'
    assert field(form((long, JSON)), TYPE, "payload") is None


def test_random_bytes_never_raise() -> None:
    rng = random.Random(7)  # noqa: S311 - the same bytes each time
    good = form((PAYLOAD, JSON), (THUMB, b"\xff\xd8"))
    for _ in range(2_000):
        broken = bytearray(good)
        for _ in range(rng.randint(1, 8)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        found = field(
            bytes(broken[: rng.randrange(len(broken))]), rng.choice([TYPE, ""]), "payload"
        )
        assert found is None or isinstance(found, bytes)
