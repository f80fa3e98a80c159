"""The door and what is behind it, whatever bytes and headers come: over real HTTP."""

import gzip
import json
import logging
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from homeassistant.util.aiohttp import MockRequest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.media_arrivals.const import CONF_WEBHOOK_SECRET
from custom_components.media_arrivals.webhook import DOORS_KEY
from tests.house import House

# One house for all examples: they come one after the other, as deliveries do.
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

ANSWERED = {200, 400, 401, 405, 408, 413, 429}
"""What anybody may be answered; 503 has its own test."""
EVENTS = (
    "Grab",
    "Download",
    "MovieAdded",
    "MovieDelete",
    "MovieFileDelete",
    "SeriesAdd",
    "SeriesDelete",
    "EpisodeFileDelete",
    "ManualInteractionRequired",
    "Health",
    "Rename",
    "Test",
)
NOTIFICATIONS = (
    "MEDIA_PENDING",
    "MEDIA_APPROVED",
    "MEDIA_AUTO_APPROVED",
    "MEDIA_AVAILABLE",
    "MEDIA_DECLINED",
    "MEDIA_FAILED",
    "ISSUE_CREATED",
    "TEST_NOTIFICATION",
)
KEYS = (
    "id",
    "title",
    "year",
    "tmdbId",
    "tvdbId",
    "imdbId",
    "media_type",
    "status",
    "status4k",
    "request_id",
    "requestedBy_username",
    "name",
    "value",
    "seasonNumber",
    "episodeNumber",
    "airDate",
    "quality",
    "resolution",
    "messages",
    "remoteUrl",
    "coverType",
)
PARTS = (
    "movie",
    "remoteMovie",
    "series",
    "episodes",
    "release",
    "movieFile",
    "episodeFile",
    "episodeFiles",
    "deletedFiles",
    "downloadInfo",
    "downloadId",
    "downloadStatusMessages",
    "isUpgrade",
    "media",
    "request",
    "extra",
    "subject",
    "message",
    "image",
)

numbers = st.one_of(
    st.integers(-1, 3), st.integers(), st.floats(), st.sampled_from([2**53, 2**63, 10**400])
)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            "0",
            "1",
            "movie",
            "tv",
            "AVAILABLE",
            "2160p",
            "{{media}}",
            "\ud800",
            "\0",
            "tt0000001",
        ]
    ),
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=12,
)
deliveries = st.builds(
    lambda event, notification, rest: json.dumps(
        {"eventType": event, "notification_type": notification} | rest
    ).encode(),
    st.sampled_from(EVENTS) | values,
    st.sampled_from(NOTIFICATIONS) | values,
    st.dictionaries(st.sampled_from(PARTS), values, max_size=6),
)
bodies = st.one_of(
    deliveries, st.binary(max_size=200), values.map(lambda one: json.dumps(one).encode())
)

packings: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "something": bytes,
}
printable = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30
)
"""What a client can put into a header."""


@pytest.fixture
async def doors(house: House) -> dict[str, MockConfigEntry]:
    """Open the door of each kind of service."""
    stack = house.stack
    entries = {
        double.kind: house.add_service(double)
        for double in (stack.radarr, stack.sonarr, stack.seerr)
    }
    await house.start()
    return entries


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as a fault; aiohttp's own word on a broken call is none of ours."""
    return [
        record.getMessage()
        for record in caplog.records
        if (record.levelno >= logging.ERROR or record.exc_info is not None)
        and record.name != "aiohttp.server"
    ]


@FUZZ
@example(kind="radarr", body=b'{"eventType":"Grab","movie":' + b"[" * 100_000)
@example(kind="sonarr", body=b'{"eventType":"Grab","series":{"id":' + b"9" * 5_000 + b"}}")
@example(kind="seerr", body='{"notification_type":"MEDIA_PENDING"}'.encode("utf-16"))
@given(kind=st.sampled_from(["radarr", "sonarr", "seerr"]), body=bodies)
async def test_whatever_is_delivered_is_answered_200_and_worked_off(
    house: House,
    doors: dict[str, MockConfigEntry],
    caplog: pytest.LogCaptureFixture,
    kind: str,
    body: bytes,
) -> None:
    answer = await house.post(doors[kind], data=body)

    assert answer.status == 200
    said = await answer.json()
    assert said["status"] == "accepted" or said["reason"]
    await house.runtime.async_settle()
    # Open questions wait for a service's answer; nothing else is left, and nothing went wrong.
    assert house.record(doors[kind]).failed == 0
    assert complaints(caplog) == []


@FUZZ
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]),
    query=st.sampled_from(["", "?test", "?%ff=%00&test=1", "?a&a&a"]),
    authorization=st.sampled_from(["{}", "Bearer {}", "basic {}", "Basic e30=", "Basic \xe9"])
    | printable,
    headers=st.dictionaries(
        st.sampled_from(["Content-Type", "User-Agent", "Accept", "X-Forwarded-Proto", "Cookie"]),
        printable,
    ),
    packing=st.sampled_from([None, *packings]),
    packed=st.booleans(),
    body=bodies,
)
async def test_whoever_calls_gets_an_answer_and_never_a_fault(
    house: House,
    doors: dict[str, MockConfigEntry],
    caplog: pytest.LogCaptureFixture,
    method: str,
    query: str,
    authorization: str,
    headers: dict[str, str],
    packing: str | None,
    packed: bool,
    body: bytes,
) -> None:
    entry = doors["radarr"]
    secret = entry.data[CONF_WEBHOOK_SECRET]
    sent = {**headers, "Authorization": authorization.replace("{}", secret)}
    if packing is not None:
        sent["Content-Encoding"] = packing
        body = packings[packing](body) if packed else body
    # A server may answer a broken body with words, which no client expects after a HEAD.
    content = None if method == "HEAD" else body

    answer = await house.client.request(
        method,
        house.path(entry) + query,
        data=content,
        headers=sent,
        skip_auto_headers=["User-Agent"],
    )

    assert answer.status in ANSWERED
    text = await answer.text()
    assert secret not in text
    assert house.path(entry) not in text
    await house.runtime.async_settle()
    assert complaints(caplog) == []


@FUZZ
@example(header=("Content-Length", "9" * 5_000))
@given(
    header=st.tuples(
        st.sampled_from(["Content-Length", "Content-Type", "Authorization", "User-Agent"]),
        st.text(max_size=30),
    )
)
async def test_a_call_that_no_server_let_in_is_answered_as_well(
    house: House,
    doors: dict[str, MockConfigEntry],
    caplog: pytest.LogCaptureFixture,
    header: tuple[str, str],
) -> None:
    """Cloudhooks, and whoever is logged in, hand over headers that nobody has looked at."""
    entry = doors["radarr"]
    headers = {"Authorization": entry.data[CONF_WEBHOOK_SECRET]} | dict([header])

    status = await handed_over(house, entry, headers)

    assert status in ANSWERED
    assert complaints(caplog) == []


async def handed_over(house: House, entry: Any, headers: dict[str, str]) -> int:
    """Call the door without a server before it."""
    request = MockRequest(content=b"{}", mock_source="test", method="POST", headers=headers)
    return (await house.hass.data[DOORS_KEY].async_handle(entry.entry_id, request)).status
