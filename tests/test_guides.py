"""The guides in ``docs/`` say what the code does, and every repair leads to one of them."""

import ast
import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from custom_components.media_arrivals.const import (
    DEFAULT_INTERVAL_HOURS,
    DOMAIN,
    WEBHOOK_USERNAME,
)
from custom_components.media_arrivals.engine.board.models import Outcome, Reason, Service, Stage
from custom_components.media_arrivals.engine.connectors.base import Delivery, WebhookTarget
from custom_components.media_arrivals.engine.connectors.emby.webhook import EmbyWebhooks
from custom_components.media_arrivals.engine.connectors.http import JsonClient
from custom_components.media_arrivals.engine.connectors.jellyfin.webhook import JellyfinWebhooks
from custom_components.media_arrivals.engine.connectors.radarr.client import RadarrClient
from custom_components.media_arrivals.engine.connectors.registry import DECODERS, decoder
from custom_components.media_arrivals.engine.connectors.seerr import slot
from custom_components.media_arrivals.engine.connectors.sonarr.client import SonarrClient
from custom_components.media_arrivals.engine.connectors.tautulli import template
from custom_components.media_arrivals.engine.storage.models import (
    DatabaseDamagedError,
    DatabaseNewerError,
    StorageError,
)
from custom_components.media_arrivals.guides import (
    DOCUMENTATION,
    GUIDES,
    by_hand_url,
    learn_more_url,
)
from custom_components.media_arrivals.troubles import (
    DAMAGED,
    NEWER,
    UNAVAILABLE,
    async_report_trouble,
)
from scripts.checks.links import anchors, check

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "custom_components" / DOMAIN
TRIGGERS = {
    "onGrab": "On Grab",
    "onDownload": "On File Import",
    "onUpgrade": "On File Upgrade",
    "onMovieAdded": "On Movie Added",
    "onMovieDelete": "On Movie Delete",
    "onMovieFileDelete": "On Movie File Delete",
    "onSeriesAdd": "On Series Add",
    "onSeriesDelete": "On Series Delete",
    "onEpisodeFileDelete": "On Episode File Delete",
    "onHealthIssue": "On Health Issue",
    "onHealthRestored": "On Health Restored",
    "onManualInteractionRequired": "On Manual Interaction Required",
}
"""What Radarr and Sonarr call their flags."""


NOTIFICATIONS = {
    "Request Pending Approval": 2,
    "Request Approved": 4,
    "Request Available": 8,
    "Request Processing Failed": 16,
    "Request Declined": 64,
    "Request Automatically Approved": 128,
}
"""What Seerr calls its notification types, and their bits."""
TARGET = WebhookTarget(
    url="http://home:8123/api/webhook/1",
    webhook_id="1",
    username=WEBHOOK_USERNAME,
    secret="2",
    instance_id="1",
)


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def cell(name: str, row: str) -> str:
    """Return the second cell of a table's row."""
    found = re.search(rf"^\| {re.escape(row)} \| (.*?) \|", page(name), re.MULTILINE)
    assert found, f"{name}.md has no row {row}"
    return found[1]


def first_cells(name: str) -> set[str]:
    """Return what stands in backquotes or in italics in the first cells of tables."""
    rows = re.findall(r"^\| ([^|]*) \|", page(name), re.MULTILINE)
    return {word for row in rows for word in re.findall(r"[`*]([^`*]+)[`*]", row)}


def pasted(name: str, heading: str) -> Any:
    """Return the JSON to paste that stands under a heading."""
    text = page(name).partition(f"# {heading}\n")[2]
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert found
    return json.loads(found[1])


async def no_users() -> tuple[()]:
    return ()


def test_links_of_the_documentation_lead_somewhere() -> None:
    assert check(ROOT) == []


def test_there_is_a_guide_to_every_repair_and_to_nothing_else() -> None:
    texts = json.loads((PACKAGE / "translations" / "en.json").read_text(encoding="utf-8"))
    assert set(GUIDES) == set(texts["issues"])


@pytest.mark.parametrize("repair", sorted(GUIDES))
def test_the_link_of_a_repair_leads_to_a_heading(repair: str) -> None:
    prefix = f"{DOCUMENTATION}/blob/main/"
    url = learn_more_url(repair)
    assert url.startswith(prefix)
    path, _, anchor = url.removeprefix(prefix).partition("#")
    assert (ROOT / path).is_file(), url
    assert anchor in anchors(ROOT / path), url


def test_the_links_lead_to_our_documentation() -> None:
    manifest = json.loads((PACKAGE / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["documentation"] == DOCUMENTATION


def test_every_repair_is_raised_with_its_own_link() -> None:
    """What is given as the text's key is given to the link, too."""
    raised = 0
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith(
                "create_issue"
            ):
                continue
            given = {one.arg: ast.unparse(one.value) for one in node.keywords if one.arg}
            where = f"{file.relative_to(ROOT)}:{node.lineno}"
            wanted = f"learn_more_url({given['translation_key']})"
            assert given.get("learn_more_url") == wanted, where
            raised += 1
    assert raised >= 3


@pytest.mark.parametrize(
    ("error", "repair"),
    [
        (DatabaseNewerError(found=9, known=1), NEWER),
        (DatabaseDamagedError(), DAMAGED),
        (StorageError("disk full"), UNAVAILABLE),
    ],
)
async def test_a_raised_repair_has_the_link(
    hass: HomeAssistant, error: StorageError, repair: str
) -> None:
    async_report_trouble(hass, error)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, repair)
    assert issue is not None
    assert issue.learn_more_url == f"{DOCUMENTATION}/blob/main/docs/{GUIDES[repair]}"


# --- the pages of the services ----------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(DECODERS))
def test_every_service_has_a_page_of_one_form(kind: str) -> None:
    text = page(kind)
    headings = [
        "## What you need",
        "## What happens by itself",
        "## By hand",
        "## What is listened to",
        "## Limits",
    ]
    places = [text.find(f"\n{heading}\n") for heading in headings]
    assert -1 not in places, headings[places.index(-1)]
    assert places == sorted(places)
    assert f"({kind}.md)" in page("troubleshooting")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"(docs/{kind}.md)" in readme


@pytest.mark.parametrize("kind", sorted(DECODERS))
def test_what_is_entered_by_hand_leads_to_its_steps(kind: str) -> None:
    path, _, heading = by_hand_url(kind).removeprefix(f"{DOCUMENTATION}/blob/main/").partition("#")
    assert heading in anchors(ROOT / path)


@pytest.mark.parametrize("client", [RadarrClient, SonarrClient])
def test_the_triggers_to_tick_are_those_that_are_installed(
    client: type[RadarrClient | SonarrClient],
) -> None:
    events = client.events
    wanted = {flag for flags in events.sightings.values() for flag in flags} | set(events.others)
    told = cell(client.product.lower(), "Notification Triggers")
    assert set(told.split(", ")) == {TRIGGERS[flag] for flag in wanted}
    assert cell(client.product.lower(), "Username") == f"`{WEBHOOK_USERNAME}`"


def test_the_notifications_of_seerr_are_those_that_are_installed() -> None:
    told = cell("seerr", "Notification Types").split(", ")
    assert sum(NOTIFICATIONS[name] for name in told) == slot.TYPES


async def test_what_to_enter_in_jellyfin_is_what_is_installed() -> None:
    wanted = await JellyfinWebhooks(create_autospec(JsonClient)).wanted({}, TARGET)
    told = cell("jellyfin", "Notification Type").split(", ")
    assert [name.replace(" ", "") for name in told] == wanted["NotificationTypes"]
    media = cell("jellyfin", "Item Type").split(", ")
    switches = {"Movies", "Episodes", "Series", "Seasons", "Albums", "Songs", "Videos"}
    assert {name for name in switches if wanted[f"Enable{name}"] is True} == set(media)
    assert (wanted["SendAllProperties"], wanted["UserFilter"], wanted["Template"]) == (True, [], "")
    rows = re.findall(r"Add Request Header \| `([^`]*)`", page("jellyfin"))
    headers: Any = wanted["Headers"]
    assert {row["Key"] for row in headers} == set(rows)


async def test_what_emby_tells_is_what_is_installed() -> None:
    wanted = await EmbyWebhooks(create_autospec(JsonClient), no_users).wanted({}, TARGET)
    assert set(json.loads(json.dumps(wanted["EventIds"]))) <= first_cells("emby")


def test_the_texts_to_paste_into_tautulli_are_those_that_are_installed() -> None:
    headers = pasted("tautulli", "The headers")
    assert headers.pop("Authorization") == "FROM-THE-DIALOG"
    assert {**headers, "Authorization": TARGET.authorization} == json.loads(
        template.headers(TARGET)
    )
    data = pasted("tautulli", "The data")
    assert list(data.items()) == list(json.loads(template.BODY).items())


def test_the_triggers_of_tautulli_are_those_that_are_installed() -> None:
    names = {
        "on_play": "Playback Start",
        "on_stop": "Playback Stop",
        "on_watched": "Watched",
        "on_created": "Recently Added",
    }
    told = cell("tautulli", "Triggers")
    assert told == ", ".join(names[trigger] for trigger in template.TRIGGERS)


def test_the_test_to_paste_into_tautulli_is_understood_as_a_test() -> None:
    body = json.dumps(pasted("service-test-fails", "Tautulli")).encode()
    service = Service(id="1", kind="tautulli", role=decoder("tautulli").role)
    assert decoder("tautulli").decode(service, Delivery(body=body, received_at=1.0)).test


# --- the pages of what goes wrong --------------------------------------------------------------


def test_every_outcome_and_reason_is_explained() -> None:
    told = first_cells("arriving-but-not-processed")
    assert {outcome.value for outcome in Outcome} <= told
    assert {reason.value for reason in Reason} <= told


def test_every_stage_on_the_way_is_explained() -> None:
    final = {Stage.AVAILABLE, Stage.REMOVED}
    assert {stage.value for stage in set(Stage) - final} <= first_cells("stage-does-not-move")


def test_every_answer_to_a_refused_delivery_is_explained() -> None:
    code = (PACKAGE / "webhook.py").read_text(encoding="utf-8")
    statuses = {
        "BAD_REQUEST": 400,
        "UNAUTHORIZED": 401,
        "FORBIDDEN": 403,
        "METHOD_NOT_ALLOWED": 405,
        "REQUEST_TIMEOUT": 408,
        "GONE": 410,
        "REQUEST_ENTITY_TOO_LARGE": 413,
        "TOO_MANY_REQUESTS": 429,
        "INTERNAL_SERVER_ERROR": 500,
        "SERVICE_UNAVAILABLE": 503,
    }
    for name in set(re.findall(r"HTTPStatus\.([A-Z_]+)", code)) - {"OK"}:
        assert f"\n| {statuses[name]} | " in page("webhooks-not-arriving"), name


def test_the_schedules_are_those_that_services_begin_with() -> None:
    rows = re.findall(
        r"^\| ([A-Z][A-Za-z, ]+) \| (\d+) hours \|", page("schedule-does-not-run"), re.MULTILINE
    )
    told = {name.lower(): int(hours) for services, hours in rows for name in services.split(", ")}
    assert set(DECODERS) <= set(told)
    assert told | DEFAULT_INTERVAL_HOURS == told
