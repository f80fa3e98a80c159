"""Whoever calls the one address for all is recognised by what it says."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, strategies as st

from custom_components.media_arrivals.engine.connectors.base import Delivery
from custom_components.media_arrivals.engine.connectors.recognise import Sender, recognise
from custom_components.media_arrivals.engine.connectors.tautulli.template import BODY, TEST_BODY

MACHINE = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
GUID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
DASHED = "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"
PYTHON = "python-requests/2.32.5"


def seen(body: Any, agent: str = "", content_type: str = "") -> Sender | None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return recognise(
        Delivery(body=raw, received_at=1.0, content_type=content_type, user_agent=agent)
    )


def parts(name: str, document: Any, *, header: bool = True) -> tuple[bytes, str]:
    """Write a form as media servers do, with a picture."""
    kind = "Content-Type: application/json\r\n" if name == "payload" else ""
    body = (
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n{kind}\r\n'
        f"{json.dumps(document)}\r\n"
        '--limit\r\nContent-Disposition: form-data; name="thumb"; filename="thumb.jpg"\r\n\r\n'
        "\xff\xd8\r\n--limit--\r\n"
    ).encode("latin-1")
    return body, "multipart/form-data; boundary=limit" if header else ""


PLEX = {
    "event": "media.scrobble",
    "Account": {"id": 1},
    "Server": {"uuid": MACHINE, "title": "Harbour"},
    "Metadata": {"type": "movie", "ratingKey": "500"},
}
DEVICE = {"event": "device.new", "Server": {"uuid": MACHINE}}
JELLYFIN = {"NotificationType": "ItemAdded", "ServerId": GUID, "ItemId": GUID}
EMBY = {"Event": "library.new", "Server": {"Id": GUID, "Version": "4.9"}, "Item": {}}
WATCHSTATE = {"event": "tautulli.watched", "Server": {"uuid": MACHINE}, "Metadata": {}}
SMARTPLEX = {"event": "playback.stop", "rating_key": "5", "user": "a", "title": "b"}
OURS = {**json.loads(BODY), "event": "watched", "server_machine_id": MACHINE}


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("document", [PLEX, DEVICE])
def test_plex_sends_a_form_with_a_document(document: dict[str, Any], header: bool) -> None:
    body, content_type = parts("payload", document, header=header)
    for agent in ("PlexMediaServer/1.42.1", "", PYTHON):
        assert seen(body, agent, content_type) == Sender("plex", MACHINE)


def test_a_proxy_may_have_unwrapped_plexs_document() -> None:
    assert seen(PLEX) == Sender("plex", MACHINE)
    assert seen(DEVICE, "PlexMediaServer/1.42.1") == Sender("plex", MACHINE)
    assert seen({"event": "device.new"}, "PlexMediaServer/1.42.1") == Sender("plex")


@pytest.mark.parametrize(
    ("agent", "key"),
    [("Jellyfin-Server/10.10.7", "500"), ("", GUID), ("", DASHED.lower()), ("", GUID.upper())],
)
def test_a_jellyfin_that_imitates_plex_is_a_jellyfin(agent: str, key: str) -> None:
    document = {**PLEX, "Server": {"uuid": DASHED}, "Metadata": {"ratingKey": key}}
    body, content_type = parts("payload", document)
    assert seen(body, agent, content_type) == Sender("jellyfin", GUID)


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/json", ""])
def test_jellyfin_whatever_it_calls_its_text(content_type: str) -> None:
    assert seen(JELLYFIN, "", content_type) == Sender("jellyfin", GUID)
    dashed = {**JELLYFIN, "ServerId": DASHED}
    assert seen(dashed, "", content_type) == Sender("jellyfin", GUID)
    template = {"NotificationType": "UserDataSaved", "Played": "True"}
    assert seen(template, "Jellyfin-Server/10.11.8", content_type) == Sender("jellyfin")


def test_emby_in_both_its_forms() -> None:
    body, content_type = parts("data", EMBY)
    assert seen(body, "", content_type) == Sender("emby", GUID)
    assert seen(EMBY) == Sender("emby", GUID)
    assert seen({"Event": "system.notificationtest", "Server": {}}) == Sender("emby")
    assert seen(b"", "Emby Server/4.8.0") == Sender("emby")


@pytest.mark.parametrize("agent", [PYTHON, "Tautulli/v2.17.2", ""])
def test_tautulli_whoever_wrote_its_template(agent: str) -> None:
    assert seen(WATCHSTATE, agent) == Sender("tautulli", MACHINE)
    assert seen(OURS, agent) == Sender("tautulli", MACHINE)
    assert seen(SMARTPLEX, agent) == Sender("tautulli")
    assert seen(json.loads(TEST_BODY), agent) == Sender("tautulli")
    assert seen(json.loads(BODY), agent) == Sender("tautulli")
    assert seen(urlencode(OURS).encode(), agent) == Sender("tautulli", MACHINE)


def test_another_template_is_tautullis_if_it_says_so_itself() -> None:
    shinkro = {"event": "media.scrobble", "Account": {"title": "a"}, "Metadata": {"type": "x"}}
    assert seen(shinkro, PYTHON) == Sender("tautulli")
    assert seen({"content": "hello"}, "Tautulli/v2") == Sender("tautulli")
    assert seen(b"", PYTHON) == Sender("tautulli")
    assert seen(shinkro) is None


@pytest.mark.parametrize(
    ("body", "agent", "kind"),
    [
        ({"eventType": "Grab", "movie": {"id": 1}}, "", "radarr"),
        ({"eventType": "Test", "movie": {}, "remoteMovie": {}}, "", "radarr"),
        ({"eventType": "Download", "series": {}, "episodes": []}, "Radarr/6.0", "sonarr"),
        ({"eventType": "Health", "message": "x"}, "Sonarr/4.0.16 (alpine 3)", "sonarr"),
        ({"eventType": "Health", "instanceName": "Radarr 4K"}, "", "radarr"),
        ({"eventType": "Health", "instanceName": "Films"}, "Radarr/6.0.3", "radarr"),
        ({"notification_type": "MEDIA_PENDING", "media": {}}, "axios/1.13.3", "seerr"),
        ({"notification_type": "TEST_NOTIFICATION", "media_arrivals": "0123"}, "", "seerr"),
    ],
)
def test_those_who_are_no_media_servers(body: Any, agent: str, kind: str) -> None:
    assert seen(body, agent) == Sender(kind)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"a=b&c=d",
        {"eventType": "Health", "instanceName": "Films"},
        {"eventType": 7, "movie": {}},
        {"event": "media.play"},
        {"event": {"a": 1}, "rating_key": "1"},
        {"Event": "library.new"},
        {"NotificationType": ["ItemAdded"]},
        {"notification_type": None},
        b"--limit\r\n\r\n--limit--",
        b'{"a":' * 5000,
    ],
)
def test_nobody_that_we_know(body: Any) -> None:
    assert seen(body) is None
    assert seen(body, "curl/8") is None


def test_ids_that_are_none() -> None:
    odds: list[Any] = ["", 0, None, [], {"a": 1}, "{server_machine_id}", "x" * 5000]
    for odd in odds:
        assert seen({**OURS, "server_machine_id": odd}) == Sender("tautulli")
        assert seen({**JELLYFIN, "ServerId": odd}) == Sender("jellyfin")
    assert seen({**JELLYFIN, "ServerId": "-"}) == Sender("jellyfin")


def test_a_form_whose_parts_are_no_documents() -> None:
    for name in ("payload", "data"):
        body, content_type = parts(name, [1, 2])
        assert seen(body, "", content_type) is None
    body, content_type = parts("payload", {"hello": 1})
    assert seen(body, "", content_type) is None


KEYS = ("event", "Event", "eventType", "NotificationType", "Server", "Metadata", "rating_key")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
        ),
        max_leaves=15,
    ),
    st.text(max_size=40),
    st.text(max_size=60),
)
def test_whatever_comes_nothing_breaks(body: Any, agent: str, content_type: str) -> None:
    sender = seen(body, agent, content_type)
    assert sender is None or sender.kind in {
        *("plex", "jellyfin", "emby", "tautulli", "radarr", "sonarr", "seerr"),
    }


@given(st.binary(max_size=300), st.text(max_size=60))
def test_whatever_bytes_come_nobody_is_seen_in_them(body: bytes, content_type: str) -> None:
    assert seen(body, "", content_type) is None
