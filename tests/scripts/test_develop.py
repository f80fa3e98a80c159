"""The parts of scripts/develop; .ci/run runs the whole, with a real Home Assistant."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.develop_home.children import Child
from scripts.develop_home.health import see_that_nothing_is_said
from scripts.develop_home.home import make_configuration
from scripts.develop_home.journeys import WHOLE_WAY, Journeys, Told, sentence
from scripts.develop_home.words import Failure

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "develop", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_explains_itself() -> None:
    result = run("--help")
    assert result.returncode == 0
    assert "scripts/develop --check" in result.stdout


def test_it_says_which_port_is_taken(socket_enabled: None) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("--check", "--port", str(port))
    assert result.returncode == 1
    assert result.stderr == f"Failed: Somebody listens on port {port} already.\n"


# --- programs that it starts --------------------------------------------------------------------

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(grandchild.pid, flush=True)
time.sleep(60)
"""


def lives(process: int) -> bool:
    """Tell whether a process runs; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


async def test_a_program_that_does_not_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    started = time.monotonic()
    async with Child.started(
        "It",
        [sys.executable, "-c", STUBBORN],
        said=tmp_path / "said",
        answers=True,
        patience=0.3,
    ) as child:
        grandchild = int(await child.first_line(20))
        assert lives(child.process.pid)
        assert lives(grandchild)

    assert time.monotonic() - started < 20
    assert not lives(child.process.pid)
    for _ in range(100):
        if not lives(grandchild):
            break
        await asyncio.sleep(0.02)
    assert not lives(grandchild)
    assert child not in Child.running


async def test_a_program_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"It did not start\.\nthere is no stage"):
        async with Child.started(
            "It",
            [sys.executable, "-c", "exit('there is no stage')"],
            said=tmp_path / "said",
            answers=True,
        ) as child:
            await child.first_line(20)


async def test_an_interruption_ends_everything(tmp_path: Path) -> None:
    """Before Home Assistant is up, which would take long, it is the same."""
    with (tmp_path / "said").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            "scripts/develop", "--check", cwd=ROOT, stdout=said, stderr=said
        )
    for _ in range(400):
        if "Home Assistant starts" in (tmp_path / "said").read_text(encoding="utf-8"):
            break
        await asyncio.sleep(0.05)
    children = [int(number) for number in children_of(process.pid)]
    assert len(children) == 2

    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        code = await process.wait()

    assert code == 1
    assert "Failed: interrupted." in (tmp_path / "said").read_text(encoding="utf-8")
    assert [child for child in children if lives(child)] == []


def children_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()


# --- what the log may not say --------------------------------------------------------------------

CUSTOM = (
    "2026-11-22 15:20:08.432 WARNING (SyncWorker_0) [homeassistant.loader] We found a custom "
    "integration media_arrivals which has not been tested by Home Assistant. Beware"
)
OTHERS = (
    "2026-11-22 15:20:09.043 ERROR (MainThread) [haffmpeg.core] FFmpeg fails\n"
    "Traceback (most recent call last):\n  File ffmpeg.py\nFileNotFoundError: ffmpeg"
)
DEBUG = "2026-11-22 15:20:10.000 DEBUG (MainThread) [custom_components.media_arrivals] Delivery 1"


def look_at(folder: Path, *records: str) -> None:
    """Look at a log of a Home Assistant with one entry."""
    entry = {
        "domain": "media_arrivals",
        "data": {
            "kind": "radarr",
            "api_key": "key-1",
            "webhook_id": "id-1",
            "webhook_secret": "s-1",
        },
    }
    (folder / ".storage").mkdir(exist_ok=True)
    (folder / ".storage" / "core.config_entries").write_text(
        json.dumps({"data": {"entries": [entry]}}), encoding="utf-8"
    )
    log = folder / "log"
    log.write_text("\n".join(records), encoding="utf-8")
    see_that_nothing_is_said(log, folder)


def test_what_others_say_is_not_ours(tmp_path: Path) -> None:
    look_at(tmp_path, CUSTOM, OTHERS, DEBUG)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (DEBUG.replace("DEBUG", "WARNING"), "The log says:\n2026"),
        (DEBUG + "\nTraceback (most recent call last):\n  File x", "The log says:\n2026"),
        (
            OTHERS.replace("ffmpeg.py", "custom_components/media_arrivals/worker.py"),
            "The log says:\n2026",
        ),
        (DEBUG + " key-1", "The log has a secret: its api_key."),
        (DEBUG + " id-1", "The log has a secret: its webhook_id."),
        (DEBUG + " s-1", "The log has a secret: its webhook_secret."),
    ],
)
def test_what_is_ours_is_found(tmp_path: Path, record: str, said: str) -> None:
    with pytest.raises(Failure) as failure:
        look_at(tmp_path, CUSTOM, record, OTHERS)
    assert str(failure.value).startswith(said)
    assert "FFmpeg" not in str(failure.value).replace(record, "")


# --- journeys -------------------------------------------------------------------------------------


def told(stage: str, previous: str | None = None, **more: object) -> Told:
    return {
        "kind": "stage",
        "arrival_id": "1",
        "title": "Silver Ferry",
        "year": 2024,
        "type": "movie",
        "season": None,
        "tier": "hd",
        "stage": stage,
        "previous_stage": previous,
        "service": "Radarr",
        "service_kind": "radarr",
        "via": "webhook",
        "happened_at": "2026-11-22T15:00:00+00:00",
        **more,
    }


def test_a_journey_is_whole_only_with_every_stage_in_its_order() -> None:
    way = ["requested", "approved", "sent", "downloading", "downloaded", "available"]
    journeys = Journeys()
    for stage in way:
        assert journeys.whole("movie") is None
        journeys.take(told(stage, service_kind="plex" if stage == "available" else "radarr"))
        journeys.take(
            told(stage, arrival_id="2") if stage != "sent" else told("failed", arrival_id="2")
        )
        journeys.take(told(stage, kind="part"))
    journey = journeys.whole("movie")
    assert journey is not None
    assert (journey.arrival_id, journey.name) == ("1", "Silver Ferry (2024)")
    assert journeys.whole("series") is None
    assert [line.split()[0] for line in journey.timeline.splitlines()[2:]] == way


def test_a_journey_ends_in_a_media_server() -> None:
    journeys = Journeys()
    for stage in WHOLE_WAY[:-1]:
        journeys.take(told(stage))
    journeys.take(told("available", service_kind="seerr"))
    assert journeys.whole("movie") is None


def test_what_is_watched_is_no_stage() -> None:
    journeys = Journeys()
    for watched in (False, True):
        journeys.take(told("available", watched=watched))
    assert journeys.by_arrival == {}
    assert journeys.watched == told("available", watched=True)
    assert sentence(journeys.watched) == "Silver Ferry (2024): watched (Radarr, webhook)"


def test_a_stage_is_told_in_a_line() -> None:
    assert (
        sentence(told("sent", "approved", season=2, tier="4k"))
        == "Silver Ferry (2024), season 2, 4K: approved -> sent (Radarr, webhook)"
    )
    episode = {"number": 4, "air_date": None, "name": None}
    assert (
        sentence(told("available", season=2, episode=episode, kind="part"))
        == "Silver Ferry (2024), season 2, episode 4: available (Radarr, webhook)"
    )


# --- the configuration ----------------------------------------------------------------------------


def test_home_assistant_listens_on_this_machine_only(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    make_configuration(folder, 8130)
    stored = json.loads((folder / ".storage" / "http").read_text(encoding="utf-8"))
    assert stored["data"] == {"server_host": ["127.0.0.1"], "server_port": 8130}
    assert "server_host" not in (folder / "configuration.yaml").read_text(encoding="utf-8")
    linked = folder / "custom_components" / "media_arrivals" / "manifest.json"
    assert linked.is_file()
    assert os.path.realpath(linked).startswith(str(ROOT))
