"""scripts/decode: what a user attaches to a bug report."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.lib import decode as script

ROOT = Path(__file__).parents[2]

SEERR = {
    "notification_type": "MEDIA_AVAILABLE",
    "event": "Movie Request Now Available",
    "subject": "The Secret: Ashore (2024)",
    "message": "A ferry, a fog. Asked for by ben@example.com.",
    "image": "https://image.tmdb.org/t/p/w600_and_h900_bestv2/ferry.jpg",
    "media": {
        "media_type": "movie",
        "tmdbId": "880010",
        "tvdbId": "",
        "status": "AVAILABLE",
        "status4k": "UNKNOWN",
    },
    "request": {
        "request_id": "41",
        "requestedBy_email": "ben@example.com",
        "requestedBy_username": "Benedikt",
        "requestedBy_avatar": "/avatarproxy/5af1",
    },
    "extra": [],
}
RADARR: dict[str, Any] = {
    "eventType": "Grab",
    "instanceName": "Radarr",
    "movie": {
        "id": 7,
        "title": "Silver Ferry",
        "year": 2024,
        "tmdbId": 880010,
        "folderPath": "/volume1/films/Silver Ferry (2024)",
    },
    "release": {"quality": "WEBDL-1080p", "releaseTitle": "Silver.Ferry.2024.1080p-SIMUL"},
    "downloadClient": "qBittorrent",
    "downloadId": "0123456789ABCDEF0123456789ABCDEF01234567",
}
SONARR: dict[str, Any] = {
    "eventType": "Grab",
    "instanceName": "Sonarr",
    "series": {"id": 3, "title": "Tide House", "tvdbId": 470021, "path": "/volume1/tv/Tide House"},
    "episodes": [{"id": 31, "seasonNumber": 1, "episodeNumber": 2, "title": "Low Water"}],
    "release": {"quality": "WEBDL-1080p"},
    "downloadId": "SABnzbd_nzo_a1b2c3",
}
PLEX: dict[str, Any] = {
    "event": "media.scrobble",
    "Account": {"id": 30415926, "title": "Benedikt"},
    "Server": {"title": "attic", "uuid": "0d" * 20},
    "Metadata": {
        "type": "movie",
        "ratingKey": "1201",
        "title": "Silver Ferry",
        "year": 2024,
        "guid": "plex://movie/5d77687000000000000000a1",
        "Guid": [{"id": "tmdb://880010"}],
    },
}
JELLYFIN: dict[str, Any] = {
    "NotificationType": "UserDataSaved",
    "SaveReason": "TogglePlayed",
    "Played": True,
    "ServerId": "5e" * 16,
    "UserId": "6f" * 16,
    "NotificationUsername": "Benedikt",
    "ItemId": "7a" * 16,
    "ItemType": "Movie",
    "Name": "Silver Ferry",
    "Year": 2024,
    "Provider_tmdb": "880010",
}
EMBY: dict[str, Any] = {
    "Event": "item.markplayed",
    "User": {"Name": "Benedikt", "Id": "8b" * 16},
    "Server": {"Name": "attic", "Id": "9c" * 16, "Version": "4.9.1.0"},
    "Item": {
        "Id": "56",
        "Type": "Movie",
        "Name": "Silver Ferry",
        "ProductionYear": 2024,
        "ProviderIds": {"Tmdb": "880010"},
        "Path": "/volume1/films/Silver Ferry (2024)/film.mkv",
    },
}
TAUTULLI: dict[str, Any] = {
    "event": "playback.stop",
    "rating_key": "1201",
    "user": "Benedikt",
    "title": "Silver Ferry",
    "media_type": "movie",
}
BODIES = {
    "seerr": SEERR,
    "radarr": RADARR,
    "sonarr": SONARR,
    "plex": PLEX,
    "jellyfin": JELLYFIN,
    "emby": EMBY,
    "tautulli": TAUTULLI,
}


def run(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "scripts" / "decode"), *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def captured(tmp_path: Path) -> dict[str, Path]:
    """Return files with a body of each service."""
    files = {kind: tmp_path / f"{kind}.json" for kind in BODIES}
    for kind, file in files.items():
        file.write_text(json.dumps(BODIES[kind]))
    return files


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run the command in here; return what it prints."""
    assert script.main(list(arguments)) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_service_is_shown_quickly(captured: dict[str, Path], kind: str) -> None:
    run(kind, str(captured[kind]))  # whatever set-up it needs
    started = time.monotonic()
    result = run(kind, str(captured[kind]))
    took = time.monotonic() - started
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert found["service"] == kind
    assert found["reports"] or found["hint"]
    assert found["ignored"] is None
    assert took < 5, "a busy machine is given more than the second that it should take"


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_neither_home_assistant_nor_aiohttp_is_loaded(captured: dict[str, Path], kind: str) -> None:
    # The script's own interpreter, and everything that it can import.
    wrapper = (ROOT / "scripts" / "decode").read_text()
    assert '"$PYTHON" -I -S ' in wrapper
    path = str(ROOT / "scripts" / "lib" / "decode.py")
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['decode', {kind!r}, {str(captured[kind])!r}]\n"
        "try:\n"
        f"    runpy.run_path({path!r}, run_name='__main__')\n"
        "except SystemExit:\n"
        "    pass\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    # With every installed package in reach.
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in result.stderr.split()}
    assert json.loads(result.stdout)["ignored"] is None
    assert "media_arrivals_engine" in loaded
    assert not loaded & {"homeassistant", "aiohttp", "yarl", "custom_components", "sqlite3"}


def test_the_standard_library_is_not_hidden() -> None:
    program = (
        "import runpy, sys\n"
        f"runpy.run_path({str(ROOT / 'scripts' / 'lib' / 'decode.py')!r})\n"
        "import calendar\n"
        "print(calendar.isleap(2028))\n"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "True\n"


def test_what_is_shown_says_nothing_of_anybody(
    captured: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps([shown(capsys, kind, str(file)) for kind, file in sorted(captured.items())])
    for private in (
        "@",
        "example.com",
        "Benedikt",
        "avatar",
        "volume1",
        "0123456789ABCDEF",
        "nzo_a1b2c3",
        "attic",
        "30415926",
        *(pair * 16 for pair in ("5e", "6f", "7a", "8b", "9c")),
    ):
        assert private not in text
    assert "The Secret: Ashore" in text
    assert "/ferry.jpg" in text


def test_a_requester_is_not_named_by_a_template_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "body.json"
    told = {
        "subject": "Silver Ferry (2024) for benedikt",
        "message": "Benedikt's request. Benediktiner. BENEDIKT, it is there!",
    }
    file.write_text(json.dumps(SEERR | told))
    found = shown(capsys, "seerr", str(file))
    title = found["reports"][0]["title"]
    assert title["name"] == "Silver Ferry (2024) for [name]"
    assert title["overview"] == "[name]'s request. Benediktiner. [name], it is there!"
    assert found["questions"][0]["title"] == title


def test_a_delivery_of_seerr(captured: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(capsys, "overseerr", str(captured["seerr"]))
    request, playable = found.pop("reports")
    assert found == {
        "service": "seerr",
        "event": "MEDIA_AVAILABLE",
        "test": False,
        "hint": False,
        "ignored": None,
        "questions": [
            {"service": "seerr", "kind": "request", "title": request["title"], "request_id": 41}
        ],
        "sightings": [{"event": "available", "key": "41", "at": "now", "dated": True}],
        "health": [],
    }
    assert request["report"] == "request"
    assert request["origin"] == {"via": "webhook"}
    assert request["requester"] == {"name": "[name]"}
    assert request["title"]["ids"] == {"tmdb": 880010}
    assert (playable["report"], playable["tier"], playable["at"]) == ("playable", "hd", "now")


def test_downloads_are_numbered(
    captured: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown(capsys, "radarr", str(captured["radarr"]))
    downloads = {report.get("download_id") for report in found["reports"]}
    assert downloads == {"download 1"}
    assert {sighting["key"] for sighting in found["sightings"]} == {"download 1"}


def test_viewers_are_numbered(
    captured: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown(capsys, "plex", str(captured["plex"]))
    (report,) = found["reports"]
    assert (report["report"], report["viewer"]) == ("watch", "person 1")
    (sighting,) = found["sightings"]
    assert (sighting["event"], sighting["key"]) == ("watched", "1201")
    found = shown(capsys, "jellyfin", str(captured["jellyfin"]))
    assert found["reports"][0]["viewer"] == "person 1"


@pytest.mark.parametrize("header", [None, "multipart/form-data; boundary=----simulated"])
def test_a_body_in_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str | None
) -> None:
    line = b"------simulated"
    head = b'Content-Disposition: form-data; name="payload"\r\nContent-Type: application/json'
    file = tmp_path / "body"
    text = json.dumps(PLEX).encode()
    file.write_bytes(line + b"\r\n" + head + b"\r\n\r\n" + text + b"\r\n" + line + b"--\r\n")
    more = [] if header is None else ["--content-type", header]
    (report,) = shown(capsys, "plex", str(file), *more)["reports"]
    assert report["title"]["ids"] == {"tmdb": 880010}


def test_standard_input(captured: dict[str, Path]) -> None:
    result = run("seerr", "-", given=captured["seerr"].read_text())
    assert json.loads(result.stdout)["event"] == "MEDIA_AVAILABLE"


def test_an_answer_of_the_api(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {
        "id": 41,
        "status": 2,
        "type": "movie",
        "is4k": True,
        "createdAt": "2026-09-20T10:00:00.000Z",
        "media": {"tmdbId": 880010, "mediaType": "movie", "status4k": 3},
        "requestedBy": {"id": 4, "displayName": "Benedikt", "email": "ben@example.com"},
    }
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(answer))
    (report,) = shown(capsys, "seerr", str(file), "--poll", "request")["reports"]
    assert (report["decision"], report["tier"], report["confirmed"]) == ("approved", "4k", True)
    assert report["created_at"] == "2026-09-20T10:00:00+00:00"
    assert report["requester"] == {"name": "[name]"}


@pytest.mark.parametrize(
    ("kind", "name", "resource"),
    [
        ("radarr", "queue", "queue"),
        ("radarr", "queue/details", "queue"),
        ("radarr", "/api/v3/system/status", "status"),
        ("radarr", "api/v3/notification/3", "notification"),
        ("radarr", "history/since?date=2026-09-20", "history"),
        ("radarr", "movie/41", "movie"),
        ("sonarr", "episode", "episodes"),
        ("sonarr", "history/series", "history"),
        ("seerr", "request/41", "request"),
        ("overseerr", "request/count", "count"),
        ("seerr", "/api/v1/settings/notifications/webhook", "webhook"),
        ("seerr", "tv/880010", "media"),
        ("plex", "/library/sections/1/all", "items"),
        ("plex", "status/sessions/history/all", "history"),
        ("plex", "/api/v2/user/webhooks", "webhooks"),
        ("plex", ":/websockets/notifications", "notification"),
        ("jellyfin", "Users/0123456789abcdef0123456789abcdef/Items", "items"),
        ("emby", "emby/System/Info", "info"),
        ("tautulli", "get_recently_added", "recently_added"),
    ],
)
def test_an_answer_by_the_name_that_the_api_gives_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, name: str, resource: str
) -> None:
    file = tmp_path / "answer.json"
    file.write_text("{}")
    assert shown(capsys, kind, str(file), "--poll", name)["event"] == resource


def test_every_name_of_an_api_stands_for_something_that_is_read() -> None:
    decoders = script.engine("connectors.registry").DECODERS
    for kind, names in script.API_NAMES.items():
        assert set(names.values()) <= set(decoders[kind].poll_resources)
        assert not set(names) & set(decoders[kind].poll_resources)


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000])
@pytest.mark.parametrize("poll", [[], ["--poll", "request"]])
def test_what_is_no_json_is_said_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str, poll: list[str]
) -> None:
    file = tmp_path / "body"
    file.write_text(body)
    found = shown(capsys, "seerr", str(file), "--content-type", "text/plain", *poll)
    assert found["ignored"]["reason"] == "unreadable"
    assert found["reports"] == []


@pytest.mark.parametrize(
    ("date", "text"),
    [(1_789_898_400.0, "2026-09-20T10:00:00+00:00"), (1e300, "1e+300"), (float("inf"), "inf")],
)
def test_dates_are_readable_whatever_they_are(date: float, text: str) -> None:
    assert script.Redaction(7.0).plain({"at": date, "progress": date}) == {
        "at": text,
        "progress": date,
    }


def test_a_services_own_words_are_redacted() -> None:
    plain = script.Redaction(7.0).plain
    assert plain({"problem": "No space left on /volume1/films for 10.0.0.7"}) == {
        "problem": "No space left on [path] for [address]"
    }
    hidden = [{"download_id": "ab12"}, {"viewer": "plex:1"}, {"item": "7a7b"}, {"item": "56"}]
    assert plain(hidden) == [
        {"download_id": "download 1"},
        {"viewer": "person 1"},
        {"item": "item 1"},
        {"item": "56"},
    ]


@pytest.mark.parametrize(
    ("event", "key", "shown_key"),
    [
        ("grab", "own:7", "own:7"),
        ("grab", "AB12", "download 1"),
        ("added", "7", "7"),
        ("added", "7a7b", "item 1"),
        ("watched", "a1b2c3", "item 1"),
    ],
)
def test_keys_of_sightings_are_redacted(event: str, key: str, shown_key: str) -> None:
    assert script.Redaction(7.0).key(event, key) == shown_key


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: SERVICE, FILE"),
        (["plexamp", "-"], "invalid choice: 'plexamp'"),
        (["seerr"], "the following arguments are required: FILE"),
        (["seerr", "-", "--poll", "queue"], 'seerr has no answer called "queue"; there are: '),
        (["radarr", "-", "--poll", "request"], 'radarr has no answer called "request"'),
        (["seerr", "-", "--all"], "unrecognized arguments: --all"),
    ],
)
def test_a_command_that_is_not_understood(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        script.main(arguments)
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for file, reason in (
        (tmp_path / "nowhere.json", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        result = run("seerr", str(file))
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == f"scripts/decode: cannot read {file}: {reason}\n"


def test_the_command_passes_exit_codes_on() -> None:
    assert run("seerr").returncode == 2
    assert run("--help").returncode == 0
