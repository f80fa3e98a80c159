"""Our webhook in Jellyfin and Emby, entered, compared, called, removed."""

import copy
import json
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web

from custom_components.media_arrivals.engine.board.models import (
    Question,
    QuestionKind,
    Reason,
    WatchReport,
)
from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    Decoded,
    RemoteWebhook,
    WebhookCause,
    WebhookError,
    WebhookState,
)
from custom_components.media_arrivals.engine.connectors.registry import decoder
from simulator.emby import EmbyDouble
from simulator.jellyfin import OTHERS, JellyfinDouble
from tests.engine.connectors.mediabrowser.house import FILM, House, Receiver, parts

only_jellyfin = pytest.mark.parametrize("kind", ["jellyfin"])
only_emby = pytest.mark.parametrize("kind", ["emby"])
WORKING = RemoteWebhook(state=WebhookState.REGISTERED, events=frozenset({"added"}))


def jellyfin(house: House) -> JellyfinDouble:
    assert isinstance(house.server, JellyfinDouble)
    return house.server


def emby(house: House) -> EmbyDouble:
    assert isinstance(house.server, EmbyDouble)
    return house.server


def entries(house: House) -> list[dict[str, Any]]:
    """Return the server's own list of what we may change."""
    if isinstance(house.server, JellyfinDouble):
        options: list[dict[str, Any]] = house.server.settings["GenericOptions"]
        return options
    return house.server.notifications[house.server.users[0].id]


def ours(house: House) -> dict[str, Any]:
    """Return our entry, which is the last one."""
    return entries(house)[-1]


def heard(house: House, receiver: Receiver) -> list[Decoded]:
    """Return what our decoder makes of all that arrived."""
    found = decoder(house.server.kind)
    return [found.decode(house.service, delivery) for _, delivery in receiver.received]


async def cause(work: Any) -> WebhookCause:
    """Return why it did not work."""
    with pytest.raises(WebhookError) as caught:
        await work
    return caught.value.cause


# --- entering ------------------------------------------------------------------------------


async def test_it_is_entered_once(house: House, receiver: Receiver) -> None:
    target = receiver.target()
    assert await house.client.read_webhook(target) == RemoteWebhook(state=WebhookState.ABSENT)
    before = len(entries(house))
    assert await house.client.install_webhook(target) == WORKING
    assert await house.client.install_webhook(target) == WORKING
    assert await house.client.read_webhook(target) == WORKING
    assert len(entries(house)) == before + 1


async def test_nothing_is_written_where_nothing_differs(house: House, receiver: Receiver) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    house.server.reset_counts()
    await house.client.install_webhook(target)
    assert {call.method for call in house.server.calls} == {"GET"}


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://192.0.2.9/api/webhook/c0ffee"},
        {"webhook_id": "other", "url": "http://192.0.2.9/api/webhook/other"},
    ],
)
async def test_it_is_made_as_wanted(
    house: House, receiver: Receiver, change: dict[str, Any]
) -> None:
    await house.client.install_webhook(receiver.target(**change))
    target = receiver.target()
    before = len(entries(house))
    assert (await house.client.read_webhook(target)).state is WebhookState.DIFFERENT
    assert await house.client.install_webhook(target) == WORKING
    assert len(entries(house)) == before


async def test_one_that_is_switched_off_is_muted(house: House, receiver: Receiver) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    ours(house)["EnableWebhook" if house.server.kind == "jellyfin" else "Enabled"] = False
    assert await house.client.read_webhook(target) == RemoteWebhook(
        state=WebhookState.DIFFERENT, muted=True
    )


async def test_another_homes_is_not_touched(house: House, receiver: Receiver) -> None:
    other = receiver.target(instance_id="fedcba9876543210", webhook_id="beef")
    await house.client.install_webhook(other)
    theirs = copy.deepcopy(ours(house))
    target = receiver.target()
    await house.client.install_webhook(target)
    await house.client.remove_webhook(target)
    assert ours(house) == theirs


async def test_it_is_removed_and_nothing_else(house: House, receiver: Receiver) -> None:
    before = copy.deepcopy(entries(house))
    target = receiver.target()
    await house.client.install_webhook(target)
    await house.client.remove_webhook(target)
    await house.client.remove_webhook(target)
    assert entries(house) == before


async def test_a_wrong_key_is_no_matter_of_the_webhook(house: House, receiver: Receiver) -> None:
    house.server.api_key = "another"
    with pytest.raises(AuthError):
        await house.client.install_webhook(receiver.target())


async def test_a_key_that_may_not_write(house: House, receiver: Receiver) -> None:
    # What reads passes, what writes is refused.
    refused = 0

    async def refuse(_request: Any) -> Any:
        nonlocal refused
        refused += 1
        return house.server.failure(403)

    await house.server.go_down()
    for name in ("_post_settings", "_post_configured", "_post_test"):
        if hasattr(house.server, name):
            setattr(house.server, name, refuse)
    await house.server.go_up()
    work = house.client.install_webhook(receiver.target())
    assert await cause(work) is WebhookCause.NOT_ALLOWED
    assert refused == 1


async def test_a_server_that_keeps_something_else(house: House, receiver: Receiver) -> None:
    async def forget(_request: Any) -> Any:
        return house.server.failure(204)

    await house.server.go_down()
    for name in ("_post_settings", "_post_configured"):
        if hasattr(house.server, name):
            setattr(house.server, name, forget)
    await house.server.go_up()
    work = house.client.install_webhook(receiver.target())
    assert await cause(work) is WebhookCause.OTHER


# --- calls ---------------------------------------------------------------------------------


async def test_what_it_tells_is_understood(house: House, receiver: Receiver, kind: str) -> None:
    await house.client.install_webhook(receiver.target())
    server = house.server
    house.put_film()
    house.put_episodes(1, 1)
    await server.scan()
    film, series = server.find("Movie"), server.find("Series")
    asked: Sequence[Question] = [one for found in heard(house, receiver) for one in found.questions]
    assert {(one.item, one.seasons) for one in asked} == {
        (film.id, ()),
        (series.id, ()),
        (series.id, (1,)),
    }
    receiver.received.clear()

    session = await server.play_session(server.user("Ben"), film)
    await server.stop_session(session)
    found = heard(house, receiver)
    assert [one.hint for one in found if not one.ignored] == [True, True]
    assert {one.ignored for one in found} <= {None, Reason.UNUSED_EVENT}
    receiver.received.clear()

    await server.watch(server.user("Ben"), film)
    await server.mark(server.user("Anna"), film, played=False)
    reports = [one for found in heard(house, receiver) for one in found.reports]
    assert {(one.viewer, one.watched) for one in reports if isinstance(one, WatchReport)} == {
        (house.viewer("Ben"), True),
        (house.viewer("Anna"), False),
    }
    assert {one.title.ids for one in reports} == {FILM.ids}
    receiver.received.clear()

    await server.watch(server.user("Ben"), server.find("Episode"))
    abouts = [one.about for found in heard(house, receiver) for one in found.questions if one.about]
    assert {(one.viewer, one.parts) for one in abouts} == {(house.viewer("Ben"), parts(1, 1))}
    receiver.received.clear()

    await server.delete(film)
    (question,) = (one for found in heard(house, receiver) for one in found.questions)
    assert question.kind is QuestionKind.AVAILABILITY
    assert question.title is not None
    assert question.title.ids == FILM.ids
    assert all(
        headers["User-Agent"].startswith("Jellyfin-Server/" if kind == "jellyfin" else "Emby")
        for headers, _ in receiver.received
    )


# --- Jellyfin ------------------------------------------------------------------------------


@only_jellyfin
async def test_all_else_in_the_settings_stays(house: House, receiver: Receiver) -> None:
    server = jellyfin(house)
    before = json.dumps(server.settings)
    target = receiver.target()
    await house.client.install_webhook(target)
    mine = server.settings["GenericOptions"].pop()
    assert json.dumps(server.settings) == before
    server.settings["GenericOptions"].insert(0, mine)
    server.settings["GenericOptions"][0]["Note"] = "kept"
    await house.client.install_webhook(receiver.target(secret="new"))
    assert server.settings["GenericOptions"][0]["Note"] == "kept"
    assert server.settings["GenericOptions"][1] == OTHERS
    await house.client.remove_webhook(target)
    assert json.dumps(server.settings) == before


@only_jellyfin
async def test_what_is_entered_in_jellyfin(house: House, receiver: Receiver) -> None:
    await house.client.install_webhook(receiver.target())
    mine = ours(house)
    assert mine["SendAllProperties"] is True
    assert "PlaybackProgress" not in mine["NotificationTypes"]
    assert set(mine["NotificationTypes"]) == {
        "ItemAdded",
        "ItemDeleted",
        "PlaybackStart",
        "PlaybackStop",
        "UserDataSaved",
    }
    assert {one["Key"]: one["Value"] for one in mine["Headers"]} == {
        "Content-Type": "application/json",
        "Authorization": "Basic bWVkaWFfYXJyaXZhbHM6czNjcmV0",
    }
    assert "01234567" in mine["WebhookName"]


@only_jellyfin
async def test_jellyfin_sends_the_secret(house: House, receiver: Receiver) -> None:
    await house.client.install_webhook(receiver.target())
    house.put_film()
    await house.server.scan()
    ((headers, delivery),) = receiver.received
    assert headers["Authorization"] == receiver.target().authorization
    assert delivery.content_type == "application/json"


@only_jellyfin
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("NotificationTypes", ["ItemAdded"]),
        ("NotificationTypes", ["ItemAdded", "PlaybackProgress"]),
        ("SendAllProperties", False),
        ("EnableEpisodes", False),
        ("UserFilter", ["5b2a1c5c4350a2aeebe451a301735c5c"]),
        ("Headers", []),
        ("Headers", [{"Key": "Authorization", "Value": "Basic old"}]),
    ],
)
async def test_what_differs_in_jellyfin_is_mended(
    house: House, receiver: Receiver, key: str, value: Any
) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    ours(house)[key] = value
    assert (await house.client.read_webhook(target)).state is WebhookState.DIFFERENT
    assert await house.client.install_webhook(target) == WORKING


@only_jellyfin
async def test_one_without_episodes_does_not_tell_all_that_is_added(
    house: House, receiver: Receiver
) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    ours(house)["EnableEpisodes"] = False
    assert (await house.client.read_webhook(target)).events == frozenset()


@only_jellyfin
async def test_the_order_of_events_does_not_count(house: House, receiver: Receiver) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    ours(house)["NotificationTypes"].reverse()
    ours(house)["Headers"].reverse()
    assert await house.client.read_webhook(target) == WORKING


@only_jellyfin
async def test_jellyfin_has_no_test(house: House, receiver: Receiver) -> None:
    target = receiver.target()
    assert await cause(house.client.test_webhook(target)) is WebhookCause.OTHER
    await house.client.install_webhook(target)
    assert await cause(house.client.test_webhook(target)) is WebhookCause.NOT_TESTABLE


@only_jellyfin
@pytest.mark.parametrize("lacking", ["absent", "Malfunctioned", "Restart", "settings"])
async def test_jellyfin_without_the_plugin(house: House, receiver: Receiver, lacking: str) -> None:
    server = jellyfin(house)
    if lacking == "absent":
        del server.plugins[1]
    elif lacking == "settings":
        server.misbehave("404", path="/Configuration")
    else:
        server.plugins[1]["Status"] = lacking
    target = receiver.target()
    for work in (house.client.install_webhook, house.client.read_webhook):
        assert await cause(work(target)) is WebhookCause.PLUGIN_MISSING
    await house.client.remove_webhook(target)  # there is nothing to remove


@only_jellyfin
async def test_the_plugins_name_and_id_come_in_any_form(house: House, receiver: Receiver) -> None:
    server = jellyfin(house)
    server.plugins[1] |= {"Name": "webhook"}
    assert await house.client.install_webhook(receiver.target()) == WORKING


@only_jellyfin
async def test_settings_of_another_shape_are_not_written(house: House, receiver: Receiver) -> None:
    server = jellyfin(house)
    server.settings = {"GenericOptions": "broken"}
    with pytest.raises(BadAnswerError):
        await house.client.install_webhook(receiver.target())
    with pytest.raises(BadAnswerError):
        await house.client.remove_webhook(receiver.target())
    assert server.settings == {"GenericOptions": "broken"}


# --- Emby ----------------------------------------------------------------------------------


@only_emby
async def test_what_is_entered_in_emby(house: House, receiver: Receiver) -> None:
    server = emby(house)
    server.add_user("Locked", disabled=True)
    await house.client.install_webhook(receiver.target())
    mine = ours(house)
    assert mine["UserIds"] == [server.user("Anna").id, server.user("Ben").id]
    assert mine["NotifierKey"] == "webhooknotifications"
    assert mine["GroupItems"] is False
    assert mine["LibraryIds"] == mine["DeviceIds"] == []
    assert mine["Options"] == {
        "Url": receiver.target().url,
        "EnableMultipartFormData": "false",
    }
    assert {"library.new", "library.deleted", "item.markunplayed"} <= set(mine["EventIds"])


@only_emby
async def test_somebody_who_comes_to_live_here_is_told_of_as_well(
    house: House, receiver: Receiver
) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    carla = house.server.add_user("Carla")
    assert (await house.client.read_webhook(target)).state is WebhookState.DIFFERENT
    assert await house.client.install_webhook(target) == WORKING
    assert carla.id in ours(house)["UserIds"]
    assert len(entries(house)) == 1


@only_emby
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("UserIds", []),
        ("GroupItems", True),
        ("EventIds", ["library.new"]),
        ("LibraryIds", ["1"]),
        ("Options", {"EnableMultipartFormData": "True", "Url": "http://x/api/webhook/c0ffee"}),
    ],
)
async def test_what_differs_in_emby_is_mended(
    house: House, receiver: Receiver, key: str, value: Any
) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    ours(house)[key] = value
    found = await house.client.read_webhook(target)
    assert found.state is WebhookState.DIFFERENT
    assert found.events == (frozenset() if key == "LibraryIds" else WORKING.events)
    assert await house.client.install_webhook(target) == WORKING


@only_emby
async def test_an_entry_of_another_administrator_is_found(house: House, receiver: Receiver) -> None:
    server = emby(house)
    target = receiver.target()
    await house.client.install_webhook(target)
    carla = server.add_user("Carla", administrator=True)
    server.notifications[carla.id] = server.notifications.pop(server.users[0].id)
    await house.client.install_webhook(target)
    assert len(server.notifications[carla.id]) == 1
    await house.client.remove_webhook(target)
    assert server.notifications[carla.id] == []


@only_emby
async def test_other_notifications_are_not_looked_at(house: House, receiver: Receiver) -> None:
    other = {
        "Id": "1",
        "NotifierKey": "email",
        "FriendlyName": "c0ffee",
        "Enabled": True,
        "EventIds": [],
        "UserIds": [],
        "Options": {"Url": receiver.target().url},
    }
    entries(house).append(copy.deepcopy(other))
    await house.client.install_webhook(receiver.target())
    await house.client.remove_webhook(receiver.target())
    assert entries(house) == [other]


@only_emby
async def test_emby_sends_its_test(house: House, receiver: Receiver) -> None:
    target = receiver.target()
    assert await cause(house.client.test_webhook(target)) is WebhookCause.OTHER
    await house.client.install_webhook(target)
    await house.client.test_webhook(target)
    (found,) = heard(house, receiver)
    assert found.test


@only_emby
@pytest.mark.parametrize(
    ("fault", "why"),
    [("500", WebhookCause.OTHER), ("403", WebhookCause.NOT_ALLOWED), ("404", WebhookCause.OTHER)],
)
async def test_a_test_that_fails(
    house: House, receiver: Receiver, fault: str, why: WebhookCause
) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    house.server.misbehave(fault, path="/Test")
    assert await cause(house.client.test_webhook(target)) is why


@only_emby
async def test_a_test_that_hangs(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "custom_components.media_arrivals.engine.connectors.emby.webhook._TEST_WAIT", 0.05
    )
    target = receiver.target()
    await house.client.install_webhook(target)
    house.server.misbehave("hang", path="/Test")
    assert await cause(house.client.test_webhook(target)) is WebhookCause.TIMEOUT
    house.server.behave()


@only_emby
async def test_a_form_of_emby_is_understood(house: House, receiver: Receiver) -> None:
    await house.client.install_webhook(receiver.target())
    ours(house)["Options"]["EnableMultipartFormData"] = "true"
    house.put_film(title="Die stille Fähre")
    await house.server.scan()
    (found,) = heard(house, receiver)
    assert found.questions


@only_emby
async def test_without_users_named_nobody_watched(house: House, receiver: Receiver) -> None:
    await house.client.install_webhook(receiver.target())
    ours(house)["UserIds"] = []
    house.put_film()
    await house.server.scan()
    await house.server.mark(house.server.user("Ben"), house.server.find("Movie"), played=True)
    assert heard(house, receiver)[-1].ignored is Reason.NO_IDS


@only_emby
@pytest.mark.parametrize(("options", "fault"), [({"version": "4.8.11.0"}, None), ({}, "404")])
async def test_an_emby_that_is_set_up_by_hand(
    house: House, receiver: Receiver, fault: str | None
) -> None:
    if fault:
        house.server.misbehave(fault, path="/Configured")
    target = receiver.target()
    for work in (house.client.install_webhook, house.client.read_webhook):
        assert await cause(work(target)) is WebhookCause.BY_HAND
    await house.client.remove_webhook(target)


@only_emby
async def test_an_entry_that_is_gone_is_removed_already(house: House, receiver: Receiver) -> None:
    target = receiver.target()
    await house.client.install_webhook(target)
    await house.server.go_down()
    emby(house)._delete_configured = _gone  # type: ignore[assignment,method-assign]  # noqa: SLF001
    await house.server.go_up()
    await house.client.remove_webhook(target)


async def _gone(_request: Any) -> Any:

    return web.Response(status=404)


@only_emby
async def test_nobody_who_may_enter_it(house: House, receiver: Receiver) -> None:
    house.server.users[0].administrator = False
    work = house.client.install_webhook(receiver.target())
    assert await cause(work) is WebhookCause.NOT_ALLOWED


@only_emby
async def test_a_list_of_another_shape(house: House, receiver: Receiver) -> None:
    emby(house).notifications[house.server.users[0].id] = {"Items": []}  # type: ignore[assignment]
    with pytest.raises(BadAnswerError):
        await house.client.install_webhook(receiver.target())


@only_emby
async def test_newer_versions_describe_libraries_elsewhere(house: House) -> None:
    before = await house.client.libraries()
    emby(house).lists_folders = False
    assert await house.client.libraries() == before


@only_emby
async def test_nobody_who_may_remove_it(house: House, receiver: Receiver) -> None:
    house.server.users[0].administrator = False
    work = house.client.remove_webhook(receiver.target())
    assert await cause(work) is WebhookCause.NOT_ALLOWED
