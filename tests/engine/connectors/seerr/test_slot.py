"""Seerr's one webhook slot: installing, proving, keeping off, leaving."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    RequestReport,
)
from custom_components.media_arrivals.engine.connectors.base import (
    Delivery,
    RefusedError,
    RemoteWebhook,
    WebhookCause,
    WebhookError,
    WebhookState,
    WebhookTarget,
)
from custom_components.media_arrivals.engine.connectors.seerr import (
    client as client_module,
    slot,
)
from custom_components.media_arrivals.engine.connectors.seerr.client import SeerrClient
from simulator import Stack, templates
from simulator.flavours import FLAVOURS
from tests.engine.connectors.seerr.bodies import DECODER, NOW, SEERR
from tests.engine.connectors.seerr.conftest import ask

EVERY = sorted(FLAVOURS)
every_flavour = pytest.mark.parametrize("flavour", EVERY)
EVENTS = frozenset({"requested", "approved", "declined", "failed", "available"})
CORE_TEMPLATE = """{
    "notification_type": "{{notification_type}}",
    "{{media}}": {
        "media_type": "{{media_type}}",
        "tmdb_id": "{{media_tmdbid}}"
    }
}"""


class Door:
    """What our webhook receives."""

    def __init__(self) -> None:
        """Answer well."""
        self.status = 200
        self.received: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.received.append((dict(request.headers), json.loads(await request.read())))
        return web.json_response({"status": "accepted"}, status=self.status)

    @property
    def events(self) -> list[str]:
        return [body["notification_type"] for _, body in self.received]


@pytest.fixture
async def door(loopback: None) -> AsyncIterator[Door]:
    found = Door()
    app = web.Application()
    app.router.add_post("/{tail:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
def target(door: Door) -> WebhookTarget:
    return WebhookTarget(
        url=f"{door.url}/api/webhook/0123456789abcdef",
        webhook_id="0123456789abcdef",
        username="media_arrivals",
        secret="s3cret",
        instance_id="this-home",
    )


def put(stack: Stack, url: str, template: str = '{"a": 1}', **options: Any) -> None:
    """Let somebody have the slot."""
    literal = stack.seerr.flavour.literal_template
    posted = json.dumps(template) if literal else template
    stack.seerr.webhook = {
        "enabled": True,
        "types": 4062,
        "options": {
            "webhookUrl": url,
            "jsonPayload": templates.store(posted, literal=literal),
            **options,
        },
    }


def writes(stack: Stack) -> list[str]:
    """Return what was written to the slot."""
    return [call.endpoint.rpartition("/")[2] for call in stack.seerr.calls if call.method == "POST"]


# --- installing ---------------------------------------------------------------------------------


@every_flavour
async def test_it_is_installed_in_the_form_that_the_version_understands(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door
) -> None:
    assert await client.read_webhook(target) == RemoteWebhook(state=WebhookState.ABSENT)
    installed = await client.install_webhook(target)
    assert installed == RemoteWebhook(state=WebhookState.REGISTERED, events=EVENTS)
    assert door.events == ["TEST_NOTIFICATION"]
    film = stack.catalogue.film("Silver Ferry", 2024)
    item = ask(stack, film, by="Ben")
    stack.seerr.approve(item)
    await stack.settle()
    assert sorted(door.events) == ["MEDIA_APPROVED", "MEDIA_PENDING", "TEST_NOTIFICATION"]
    headers, body = next(one for one in door.received if "PENDING" in one[1]["notification_type"])
    sent = {name.lower(): value for name, value in headers.items()}["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"media_arrivals:s3cret"
    text = json.dumps(body)
    assert not [word for word in ("@", "avatar", "iscord", "elegram", "{{") if word in text]
    assert len(text) < 1_000
    found = DECODER.decode(SEERR, Delivery(body=text.encode(), received_at=NOW))
    (report,) = found.reports
    assert isinstance(report, RequestReport)
    assert (report.title.name, report.title.year) == ("Silver Ferry", 2024)
    assert report.title.ids == ExternalIds(tmdb=film.tmdb_id)
    assert report.requester is not None
    assert report.requester.name == "Ben"


@every_flavour
async def test_seasons_arrive_through_our_template(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door
) -> None:
    await client.install_webhook(target)
    ask(stack, stack.catalogue.show(seasons={1: 2, 2: 2}), by="Ben", seasons=[1, 2])
    await stack.settle()
    body = json.dumps(door.received[-1][1]).encode()
    (report,) = DECODER.decode(SEERR, Delivery(body=body, received_at=NOW)).reports
    assert isinstance(report, RequestReport)
    assert report.seasons == (1, 2)


@pytest.mark.parametrize(
    ("flavour", "version"), [("seerr-3.1", "develop-ab12cd"), ("seerr-3.3", "3.1.0")]
)
async def test_a_version_that_misleads_costs_one_more_try(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door, version: str
) -> None:
    stack.seerr.version = version
    installed = await client.install_webhook(target)
    assert installed.state is WebhookState.REGISTERED
    assert writes(stack) == ["test", "test", "webhook"]
    assert door.events == ["TEST_NOTIFICATION"], "the wrong form is never sent"


async def test_what_is_as_it_should_be_is_left_alone(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door
) -> None:
    await client.install_webhook(target)
    door.received.clear()
    stack.reset_counts()
    await client.install_webhook(target)
    assert writes(stack) == []
    assert not door.received


async def test_a_template_is_compared_by_what_it_means(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    await client.install_webhook(target)
    text = json.dumps(json.loads(slot.template("this-home")), sort_keys=True)
    stack.seerr.webhook["options"]["jsonPayload"] = templates.store(text, literal=False)
    assert (await client.read_webhook(target)).state is WebhookState.REGISTERED


async def test_what_others_have_set_stays(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    stack.seerr.webhook["embedPoster"] = False
    stack.seerr.webhook["options"] |= {
        "supportVariables": False,
        "customHeaders": [{"key": "X-House", "value": "7"}],
    }
    await client.install_webhook(target)
    await client.remove_webhook(target)
    assert stack.seerr.webhook["embedPoster"] is False
    assert stack.seerr.webhook["options"]["supportVariables"] is False
    assert stack.seerr.webhook["options"]["customHeaders"] == [{"key": "X-House", "value": "7"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://127.0.0.1:1/api/webhook/0123456789abcdef"},
        {"secret": "another"},
        {"url": "https://hooks.nabu.casa/gAAAAA"},
    ],
)
async def test_another_address_or_secret_is_ours_and_different(
    client: SeerrClient, target: WebhookTarget, changes: dict[str, Any]
) -> None:
    await client.install_webhook(target)
    found = await client.read_webhook(replace(target, **changes))
    assert (found.state, found.events) == (WebhookState.DIFFERENT, EVENTS)


async def test_a_new_secret_is_written(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    await client.install_webhook(target)
    other = replace(target, secret="another")
    assert (await client.install_webhook(other)).state is WebhookState.REGISTERED
    header = stack.seerr.webhook["options"]["authHeader"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"media_arrivals:another"


@pytest.mark.parametrize(
    ("change", "events"),
    [
        ({"enabled": False}, frozenset[str]()),
        ({"types": 12}, frozenset({"approved", "available"})),
        ({"types": 2}, frozenset[str]()),
        ({"types": 130}, frozenset({"requested"})),
        ({"types": 4062}, EVENTS),
        ({"types": "odd"}, frozenset[str]()),
        ({"types": 4}, frozenset({"approved"})),
    ],
)
async def test_what_can_be_missed_is_what_it_is_switched_on_for(
    stack: Stack,
    client: SeerrClient,
    target: WebhookTarget,
    change: dict[str, Any],
    events: frozenset[str],
) -> None:
    await client.install_webhook(target)
    stack.seerr.webhook |= change
    found = await client.read_webhook(target)
    assert (found.state, found.events) == (WebhookState.DIFFERENT, events)
    assert found.muted is (change == {"enabled": False})


# --- whose slot it is -----------------------------------------------------------------------------


def others(door: Door) -> dict[str, tuple[str, str, WebhookCause]]:
    core = WebhookCause.TAKEN_BY_HOME_ASSISTANT
    elsewhere = slot.template("another-home")
    return {
        "core": (f"{door.url}/api/webhook/ffff", CORE_TEMPLATE, core),
        "core in the cloud": ("https://hooks.nabu.casa/gAAAB", CORE_TEMPLATE, core),
        "an automation": (f"{door.url}/api/webhook/ffff", '{"a": 1}', WebhookCause.TAKEN),
        "another program": ("https://example.com/hook", CORE_TEMPLATE, WebhookCause.TAKEN),
        "another home": (f"{door.url}/api/webhook/ffff", elsewhere, WebhookCause.TAKEN),
    }


@pytest.mark.parametrize("flavour", ["overseerr-1.34", "seerr-3.3"])
@pytest.mark.parametrize("name", sorted(others(Door())))
async def test_a_slot_of_somebody_else_is_never_touched_without_consent(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door, name: str
) -> None:
    url, template, cause = others(door)[name]
    put(stack, url, template, authHeader="Bearer theirs")
    before = json.dumps(stack.seerr.webhook)
    found = await client.read_webhook(target)
    assert (found.state, found.taken_by) == (WebhookState.TAKEN, cause)
    for attempt in (client.install_webhook, client.test_webhook):
        with pytest.raises(WebhookError) as caught:
            await attempt(target)
        assert caught.value.cause is cause
    await client.remove_webhook(target)
    assert json.dumps(stack.seerr.webhook) == before
    assert writes(stack) == []
    taken = await client.install_webhook(replace(target, take_over=True))
    assert taken.state is WebhookState.REGISTERED
    assert stack.seerr.webhook["options"]["webhookUrl"] == target.url


async def test_an_earlier_webhook_of_this_home_may_be_replaced(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door
) -> None:
    put(stack, f"{door.url}/api/webhook/of-a-removed-entry", slot.template("this-home"))
    assert (await client.read_webhook(target)).state is WebhookState.DIFFERENT
    assert (await client.install_webhook(target)).state is WebhookState.REGISTERED


async def test_our_template_at_an_address_of_ones_own_is_not_ours(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    put(stack, "https://example.com/hook", slot.template("this-home"))
    assert (await client.read_webhook(target)).state is WebhookState.TAKEN


@every_flavour
@pytest.mark.parametrize("stored", ["", "bm90IGpzb24="])
async def test_a_slot_that_the_service_cannot_read_is_not_ours(
    stack: Stack, client: SeerrClient, target: WebhookTarget, stored: str
) -> None:
    put(stack, target.url)
    stack.seerr.webhook["options"]["jsonPayload"] = stored
    found = await client.read_webhook(target)
    assert (found.state, found.taken_by) == (WebhookState.TAKEN, WebhookCause.TAKEN)
    with pytest.raises(WebhookError):
        await client.install_webhook(target)
    await client.remove_webhook(target)
    assert writes(stack) == []
    taken = await client.install_webhook(replace(target, take_over=True))
    assert taken.state is WebhookState.REGISTERED


@pytest.mark.parametrize("flavour", ["overseerr-1.34", "seerr-3.1"])
async def test_a_template_in_the_wrong_form_is_seen(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    # Stored with 200, and never delivered: it is shown as an object, not as a text.
    put(stack, target.url, authHeader=target.authorization)
    raw = slot.template("this-home")
    stack.seerr.webhook["types"] = slot.TYPES
    stack.seerr.webhook["options"]["jsonPayload"] = templates.store(raw, literal=True)
    assert (await client.read_webhook(target)).state is WebhookState.DIFFERENT
    assert (await client.install_webhook(target)).state is WebhookState.REGISTERED
    await client.test_webhook(target)


# --- proving --------------------------------------------------------------------------------------


@every_flavour
async def test_the_test_is_sent_with_what_is_in_the_slot(
    client: SeerrClient, target: WebhookTarget, door: Door
) -> None:
    await client.install_webhook(target)
    door.received.clear()
    await client.test_webhook(target)
    assert door.events == ["TEST_NOTIFICATION"]
    assert door.received[0][1]["media_arrivals"] == "this-home"


@every_flavour
async def test_a_webhook_that_was_entered_by_hand_is_tested_as_it_is(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door
) -> None:
    put(stack, target.url, '{"notification_type": "{{notification_type}}", "mine": "yes"}')
    await client.test_webhook(target)
    assert door.received[0][1] == {"notification_type": "TEST_NOTIFICATION", "mine": "yes"}


async def test_an_empty_slot_cannot_be_tested(client: SeerrClient, target: WebhookTarget) -> None:
    with pytest.raises(WebhookError) as caught:
        await client.test_webhook(target)
    assert caught.value.cause is WebhookCause.OTHER


@every_flavour
@pytest.mark.parametrize("status", [401, 405, 500])
async def test_a_refused_test_installs_nothing(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door, status: int
) -> None:
    door.status = status
    before = json.dumps(stack.seerr.webhook)
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(target)
    assert (caught.value.cause, caught.value.detail) == (
        WebhookCause.OTHER,
        "Failed to send webhook notification",
    )
    assert json.dumps(stack.seerr.webhook) == before


async def test_an_address_that_cannot_be_reached(
    client: SeerrClient, target: WebhookTarget
) -> None:
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(replace(target, url="http://homeassistant.invalid:8123/x"))
    assert caught.value.cause is WebhookCause.OTHER


async def test_an_address_that_swallows_everything(
    stack: Stack,
    client: SeerrClient,
    target: WebhookTarget,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Seerr waits for ever; we do not, and try no other form after it.
    monkeypatch.setattr(client_module, "TEST_WAIT", 0.1)
    stack.seerr.misbehave("hang", path="/webhook/test$")
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(target)
    assert caught.value.cause is WebhookCause.TIMEOUT
    stack.seerr.behave()


@every_flavour
async def test_csrf_protection_is_told_by_name(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    stack.seerr.csrf_protection = True
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(target)
    assert caught.value.cause is WebhookCause.CSRF


async def test_a_key_without_the_right(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    stack.seerr.key_user = 2
    with pytest.raises(WebhookError) as caught:
        await client.read_webhook(target)
    assert caught.value.cause is WebhookCause.NOT_ALLOWED


async def test_a_service_that_is_down(
    stack: Stack, client: SeerrClient, target: WebhookTarget
) -> None:
    await stack.seerr.go_down()
    with pytest.raises(RefusedError):
        await client.install_webhook(target)


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        ({"message": "Unexpected token in JSON"}, "Unexpected token in JSON"),
        ({"message": "cannot reach http://10.0.0.7:8123/api/webhook/x"}, "cannot reach [address]"),
        ({"error": "request.body should have property"}, "request.body should have property"),
        ({}, "400"),
        (None, "400"),
    ],
)
async def test_the_services_own_words_are_passed_on_without_addresses(
    stack: Stack,
    client: SeerrClient,
    target: WebhookTarget,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, str] | None,
    detail: str,
) -> None:
    def failure(_status: int) -> web.Response:
        if answer is None:
            return web.Response(status=400, text="<html>")
        return web.json_response(answer, status=400)

    monkeypatch.setattr(stack.seerr, "failure", failure)
    stack.seerr.misbehave("400", path="/webhook/test$")
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(target)
    assert (caught.value.cause, caught.value.detail) == (WebhookCause.OTHER, detail)
    stack.seerr.misbehave("400", path="/notifications/webhook$", times=0)


async def test_settings_that_are_refused(
    stack: Stack, client: SeerrClient, target: WebhookTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack.seerr, "refuse", _refuse_writing(stack.seerr.refuse, 500))
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(target)
    assert (caught.value.cause, caught.value.detail) == (WebhookCause.OTHER, "not now")


async def test_settings_that_are_taken_and_not_kept(
    stack: Stack, client: SeerrClient, target: WebhookTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack.seerr, "refuse", _refuse_writing(stack.seerr.refuse, 200))
    with pytest.raises(WebhookError) as caught:
        await client.install_webhook(target)
    assert caught.value.detail == "it keeps other settings than it was given"
    put(stack, target.url)
    with pytest.raises(WebhookError) as caught:
        await client.remove_webhook(target)
    assert caught.value.detail == "it keeps other settings than it was given"


def _refuse_writing(refuse: Any, status: int) -> Any:
    def answer(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST" and request.path.endswith("/webhook"):
            return web.json_response({"message": "not now"}, status=status)
        found: web.StreamResponse | None = refuse(request)
        return found

    return answer


# --- leaving --------------------------------------------------------------------------------------


@every_flavour
async def test_leaving_frees_the_slot_and_takes_the_secret_along(
    stack: Stack, client: SeerrClient, target: WebhookTarget, door: Door
) -> None:
    await client.install_webhook(target)
    await client.remove_webhook(target)
    assert stack.seerr.webhook["enabled"] is False
    assert stack.seerr.webhook["options"]["webhookUrl"] == ""
    assert "Basic" not in json.dumps(stack.seerr.webhook)
    assert (await client.read_webhook(target)).state is WebhookState.ABSENT
    door.received.clear()
    ask(stack, stack.catalogue.film(), by="Ben")
    await stack.settle()
    assert not door.received
    assert (await client.install_webhook(target)).state is WebhookState.REGISTERED


@pytest.mark.parametrize(
    ("flavour", "version"), [("seerr-3.1", "develop-ab12cd"), ("seerr-3.3", "3.1.0")]
)
async def test_leaving_leaves_a_template_that_can_be_read(
    stack: Stack, client: SeerrClient, target: WebhookTarget, version: str
) -> None:
    stack.seerr.version = version
    await client.install_webhook(target)
    await client.remove_webhook(target)
    found = await client.read_webhook(target)
    assert found.state is WebhookState.ABSENT
    stored = stack.seerr.webhook["options"]["jsonPayload"]
    assert templates.load(stored, ascii_only=True)["media_arrivals"] == "this-home"


@pytest.mark.parametrize("template", ["[1, 2]", "no json", json.dumps(json.dumps('"deep"'))])
async def test_leaving_a_slot_whose_template_is_odd(
    stack: Stack, client: SeerrClient, target: WebhookTarget, template: str
) -> None:
    put(stack, target.url, template)
    assert (await client.read_webhook(target)).state is WebhookState.DIFFERENT
    await client.remove_webhook(target)
    assert (await client.read_webhook(target)).state is WebhookState.ABSENT


# --- the template ---------------------------------------------------------------------------------


def test_our_template_asks_for_what_every_version_knows() -> None:
    text = slot.template("this-home")
    assert text.isascii()
    wanted = {part.partition("}}")[0] for part in text.split("{{")[1:]}
    assert wanted == {
        "notification_type",
        "event",
        "subject",
        "message",
        "image",
        "media",
        "media_type",
        "media_tmdbid",
        "media_tvdbid",
        "media_status",
        "media_status4k",
        "request",
        "request_id",
        "requestedBy_username",
        "extra",
    }


@pytest.mark.parametrize(
    ("version", "raw"),
    [
        ("1.33.2", False),
        ("2.7.3", False),
        ("3.1.0", False),
        ("3.2.0", True),
        ("3.10.1", True),
        ("4.0.0", True),
        ("v3.1.0", False),
        ("develop-ab12", True),
        ("", True),
    ],
)
def test_which_form_is_tried_first(version: str, raw: bool) -> None:
    text = slot.template("x")
    forms = slot.encodings(version, text)
    assert forms[0] == (text if raw else json.dumps(text))
    assert set(forms) == {text, json.dumps(text)}


def test_the_sum_of_the_events() -> None:
    assert slot.TYPES == 222
