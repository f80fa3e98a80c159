"""Our notification agent in a simulated Tautulli."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import BasicAuth

from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    RemoteWebhook,
    ServerFaultError,
    WebhookCause,
    WebhookError,
    WebhookState,
)
from custom_components.media_arrivals.engine.connectors.tautulli import webhook as webhooks
from custom_components.media_arrivals.engine.connectors.tautulli.client import TautulliClient
from custom_components.media_arrivals.engine.connectors.tautulli.decode import TautulliDecoder
from custom_components.media_arrivals.engine.connectors.tautulli.template import BODY, TRIGGERS
from simulator import TautulliDouble
from simulator.tautulli import AGENT, OWNER, Notifier

from .conftest import TAUTULLI, Home, Receiver

NAME = "Home Assistant (Media Arrivals 01234567)"
WANTED = RemoteWebhook(state=WebhookState.REGISTERED, events=frozenset({"watched"}))


def only(tautulli: TautulliDouble) -> Notifier:
    (found,) = tautulli.notifiers.values()
    return found


def add_foreign(tautulli: TautulliDouble, **changes: Any) -> Notifier:
    """Enter somebody else's agent."""
    number = 40 + len(tautulli.notifiers)
    config = {"hook": "http://elsewhere/api/webhook/other", "method": "PUT"}
    values: dict[str, Any] = {"friendly_name": "WatchState", "config": config, **changes}
    found = Notifier(number, AGENT, **values)
    found.actions["on_play"] = 1
    tautulli.notifiers[number] = found
    return found


async def test_the_webhook_is_created_and_read_back(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    target = receiver.target()
    assert await client.read_webhook(target) == RemoteWebhook(state=WebhookState.ABSENT)
    assert await client.install_webhook(target) == WANTED
    assert await client.read_webhook(target) == WANTED
    found = only(tautulli)
    assert (found.agent_id, found.friendly_name) == (AGENT, NAME)
    assert found.config == {"hook": target.url, "method": "POST"}
    assert {name for name, on in found.actions.items() if on} == set(TRIGGERS)
    assert set(TRIGGERS) == {"on_play", "on_stop", "on_watched", "on_created"}
    assert not receiver.deliveries


async def test_what_is_as_wanted_is_not_written_again(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    await client.install_webhook(receiver.target())
    found = only(tautulli)
    for name in TRIGGERS:
        # Somebody opened and saved it: the same, laid out otherwise.
        found.texts[f"{name}_body"] = json.dumps(json.loads(BODY), indent=4)
    found.config["method"] = "PUT"
    written = dict(found.texts)
    assert await client.install_webhook(receiver.target()) == WANTED
    assert (found.texts, found.config["method"]) == (written, "PUT")


async def test_a_delivery_carries_the_secret_and_decodes(
    home: Home, client: TautulliClient, receiver: Receiver
) -> None:
    await client.install_webhook(receiver.target())
    (episode,) = home.episodes(home.show(), 2, 5)
    session = home.plex.play(OWNER, episode, started=home.tautulli.clock.now())
    await home.tautulli.started(session, new_device=True)
    await home.tautulli.watched(session)
    home.plex.stop(session)
    await home.tautulli.stopped(session, percent=95)
    await home.tautulli.created(episode)
    assert [one["event"] for one in receiver.bodies()] == ["play", "watched", "stop", "created"]
    for headers in receiver.headers:
        login = BasicAuth.decode(headers["Authorization"], encoding="utf-8")
        assert (login.login, login.password) == ("media_arrivals", "s3cret")
        assert headers["User-Agent"] == "Tautulli/v2.17.2"
        assert headers["Content-Type"] == "application/json"
    assert set(receiver.methods) == {"POST"}
    decoded = [TautulliDecoder().decode(TAUTULLI, one) for one in receiver.deliveries]
    assert [one.hint for one in decoded] == [True, False, True, False]
    assert [len(one.reports) for one in decoded] == [0, 1, 0, 1]
    assert "Anna" not in str(decoded)


async def test_the_test_is_sent_through_our_agent(
    home: Home, client: TautulliClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    await client.test_webhook(target)
    (delivery,) = receiver.deliveries
    assert TautulliDecoder().decode(TAUTULLI, delivery).test
    assert receiver.headers[0]["Authorization"] == target.authorization
    assert delivery.user_agent == "Tautulli"


async def test_a_test_that_fails_says_where_to_look(
    client: TautulliClient, receiver: Receiver
) -> None:
    target = receiver.target()
    with pytest.raises(WebhookError) as caught:
        await client.test_webhook(target)
    assert "not there" in caught.value.detail
    await client.install_webhook(target)
    receiver.status = 401
    with pytest.raises(WebhookError) as caught:
        await client.test_webhook(target)
    assert caught.value.cause is WebhookCause.OTHER
    assert caught.value.detail == "Notification failed. Its log says why"


async def test_a_receiver_that_swallows_the_test(
    tautulli: TautulliDouble,
    client: TautulliClient,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    monkeypatch.setattr(webhooks, "_TEST_TIMEOUT", 0.05)
    released = asyncio.Event()

    async def swallow(*_: object) -> bool:
        return await released.wait()

    # Tautulli waits for a receiver as long as that takes.
    monkeypatch.setattr(tautulli, "_call", swallow)
    with pytest.raises(WebhookError) as caught:
        await client.test_webhook(target)
    released.set()
    assert caught.value.cause is WebhookCause.TIMEOUT


async def test_what_somebody_changed_is_made_as_wanted(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    found = only(tautulli)
    found.friendly_name = "My own name"
    found.conditions = [{"parameter": "media_type", "operator": "is", "value": ["movie"]}]
    found.logic = "{1}"
    found.actions |= {"on_watched": 0, "on_buffer": 1}
    found.texts["on_buffer_body"] = "mine"
    read = await client.read_webhook(target)
    assert (read.state, read.events) == (WebhookState.DIFFERENT, frozenset())
    installed = await client.install_webhook(target)
    # With a condition it is silent about some: nothing of that is missed.
    assert (installed.state, installed.events) == (WebhookState.REGISTERED, frozenset())
    assert found.actions["on_watched"] == 1
    assert (found.actions["on_buffer"], found.texts["on_buffer_body"]) == (1, "mine")
    assert (found.friendly_name, found.logic) == ("My own name", "{1}")
    assert found.conditions[0]["parameter"] == "media_type"
    found.conditions = []
    assert await client.read_webhook(target) == WANTED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("on_play_body", ""),
        ("on_stop_body", "{broken"),
        ("on_watched_body", '{"event": "watched"}'),
        ("on_created_subject", ""),
        ("on_created_subject", '{"User-Agent": "x"}'),
    ],
)
async def test_another_text_is_a_difference(
    tautulli: TautulliDouble,
    client: TautulliClient,
    receiver: Receiver,
    name: str,
    text: str,
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    only(tautulli).texts[name] = text
    assert (await client.read_webhook(target)).state is WebhookState.DIFFERENT
    assert await client.install_webhook(target) == WANTED


async def test_a_new_secret_and_a_new_address_are_written(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    await client.install_webhook(receiver.target())
    rotated = receiver.target(webhook_id="decaf", secret="other")
    assert (await client.read_webhook(rotated)).state is WebhookState.DIFFERENT
    assert await client.install_webhook(rotated) == WANTED
    assert only(tautulli).config["hook"] == rotated.url
    assert (await client.read_webhook(receiver.target())).state is WebhookState.DIFFERENT


async def test_an_agent_that_is_switched_off_is_muted(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    only(tautulli).actions = {"on_buffer": 1}
    read = await client.read_webhook(target)
    assert (read.muted, read.state) == (True, WebhookState.DIFFERENT)


async def test_an_agent_that_somebody_named_is_found_by_its_address(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    target = receiver.target()
    add_foreign(tautulli)
    found = add_foreign(tautulli, config={"hook": target.url, "method": "GET"})
    assert (await client.read_webhook(target)).state is WebhookState.DIFFERENT
    assert await client.install_webhook(target) == WANTED
    assert len(tautulli.notifiers) == 2
    assert (found.friendly_name, found.config["method"]) == ("WatchState", "POST")


async def test_others_agents_are_left_alone(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    foreign = add_foreign(tautulli)
    telegram = Notifier(77, 13, friendly_name=NAME)
    tautulli.notifiers[77] = telegram
    # It bears our mark, and calls something else by now.
    taken = add_foreign(
        tautulli, friendly_name=NAME, config={"hook": "http://other/thing", "method": "POST"}
    )
    before = [replace(one) for one in (foreign, telegram, taken)]
    target = receiver.target()
    assert (await client.read_webhook(target)).state is WebhookState.ABSENT
    await client.install_webhook(target)
    assert len(tautulli.notifiers) == 4
    await client.remove_webhook(target)
    assert [foreign, telegram, taken] == before
    assert list(tautulli.notifiers.values()) == [foreign, telegram, taken]
    await client.remove_webhook(target)


async def test_two_instances_have_an_agent_each(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    one = receiver.target()
    other = receiver.target(webhook_id="decaf", instance_id="fedcba9876543210")
    await client.install_webhook(one)
    await client.install_webhook(other)
    assert len(tautulli.notifiers) == 2
    await client.remove_webhook(other)
    assert only(tautulli).config["hook"] == one.url


async def test_an_agent_that_cannot_be_written_is_not_left_behind(
    tautulli: TautulliDouble,
    client: TautulliClient,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = tautulli._commands()  # noqa: SLF001 - one of them breaks

    async def broken(_: object) -> Any:
        raise ValueError

    changed = {**commands, "set_notifier_config": broken}
    monkeypatch.setattr(tautulli, "_commands", lambda: changed)
    with pytest.raises(ServerFaultError):
        await client.install_webhook(receiver.target())
    assert tautulli.notifiers == {}

    async def odd(_: object) -> Any:
        return {}

    monkeypatch.setattr(tautulli, "_commands", lambda: {**commands, "add_notifier_config": odd})
    with pytest.raises(BadAnswerError):
        await client.install_webhook(receiver.target())
    monkeypatch.setattr(tautulli, "_commands", lambda: {**commands, "get_notifiers": odd})
    assert (await client.read_webhook(receiver.target())).state is WebhookState.ABSENT

    async def odder(_: object) -> Any:
        return {"something": "else"}

    monkeypatch.setattr(tautulli, "_commands", lambda: {**commands, "get_notifiers": odder})
    with pytest.raises(BadAnswerError):
        await client.read_webhook(receiver.target())


async def test_without_a_number_nothing_is_written(
    tautulli: TautulliDouble,
    client: TautulliClient,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = receiver.target()
    await client.install_webhook(target)
    commands = tautulli._commands()  # noqa: SLF001 - one of them breaks

    async def numberless(_: object) -> Any:
        return {"config": {"hook": target.url}}

    monkeypatch.setattr(
        tautulli, "_commands", lambda: {**commands, "get_notifier_config": numberless}
    )
    with pytest.raises(BadAnswerError):
        await client.install_webhook(target)


async def test_a_wrong_key_is_no_webhooks_fault(
    tautulli: TautulliDouble, client: TautulliClient, receiver: Receiver
) -> None:
    tautulli.api_key = "another"
    with pytest.raises(AuthError):
        await client.install_webhook(receiver.target())
