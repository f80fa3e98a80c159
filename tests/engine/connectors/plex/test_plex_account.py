"""Signing in at plex.tv, and the list of webhooks that all programs share there."""

from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from custom_components.media_arrivals.engine.connectors.base import (
    AuthError,
    BadAnswerError,
    Json,
    NotFoundError,
    ServerFaultError,
    WebhookTarget,
)
from custom_components.media_arrivals.engine.connectors.http import JsonClient
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.engine.connectors.plex.account import (
    AccountWebhooks,
    PlexTv,
)
from simulator import PlexDouble, PlexTvDouble


@pytest.fixture
def cloud(plex: PlexDouble) -> PlexTvDouble:
    return plex.plex_tv


@pytest.fixture
def plex_tv(cloud: PlexTvDouble, session: ClientSession) -> PlexTv:
    return PlexTv(session, client_id="home", base=cloud.url)


def answering(monkeypatch: pytest.MonkeyPatch, body: Json) -> None:
    """Let plex.tv answer anything."""

    async def get(*_args: object, **_options: object) -> Json:
        return body

    monkeypatch.setattr(JsonClient, "get", get)


async def test_a_user_signs_in_by_agreeing_to_a_code(plex_tv: PlexTv, cloud: PlexTvDouble) -> None:
    pin = await plex_tv.create_pin("https://home.example/auth?step=1")
    page = urlsplit(pin.url)
    assert (page.hostname, page.path) == ("app.plex.tv", "/auth")
    told = parse_qs(page.fragment.removeprefix("?"))
    assert told["code"] == [pin.code]
    assert told["clientID"] == [cloud.pins[pin.id].client]
    assert told["forwardUrl"] == ["https://home.example/auth?step=1"]
    assert told["context[device][product]"] == ["Media Arrivals"]
    assert await plex_tv.token(pin) is None
    cloud.agree(pin.id)
    token = await plex_tv.token(pin)
    assert token == cloud.owner.token
    assert pin.code not in repr(pin)
    who = await plex_tv.account(token)
    assert (who.id, who.plex_pass) == (str(cloud.owner.id), True)


async def test_a_code_ends_after_a_while(plex_tv: PlexTv, cloud: PlexTvDouble) -> None:
    pin = await plex_tv.create_pin()
    assert "forwardUrl" not in pin.url
    cloud.clock.advance(3600)
    with pytest.raises(NotFoundError):
        await plex_tv.token(pin)


async def test_the_servers_of_an_account_come_with_their_addresses(
    plex_tv: PlexTv, cloud: PlexTvDouble, plex: PlexDouble
) -> None:
    (server,) = await plex_tv.servers(cloud.owner.token)
    assert (server.server_id, server.name) == (plex.machine_id, "plex")
    assert (server.owned, server.owner_id) == (True, None)
    # The one over Plex's own machines comes last, although it is encrypted.
    assert [(one.url, one.local, one.relay) for one in server.addresses] == [
        (plex.url, True, False),
        ("https://198-51-100-7.relay.plex.direct:8443", False, True),
    ]
    assert cloud.owner.token not in repr(server)
    guest = cloud.add_account("Bo", plex.add_user("Bo", 77))
    (server,) = await plex_tv.servers(guest.token)
    assert (server.owned, server.owner_id) == (False, str(cloud.owner.id))
    assert server.token == plex.server_token


async def test_a_stranger_is_told_nothing(plex_tv: PlexTv, cloud: PlexTvDouble) -> None:
    stranger = cloud.add_account("Cy", 88, plex_pass=False)
    assert await plex_tv.servers(stranger.token) == ()
    assert not (await plex_tv.account(stranger.token)).plex_pass
    with pytest.raises(AuthError):
        await plex_tv.servers("wrong")


@pytest.mark.parametrize("body", [{}, [], {"id": 0}, {"id": 5}, {"code": "x"}])
async def test_an_odd_answer_is_no_code(
    plex_tv: PlexTv, cloud: PlexTvDouble, monkeypatch: pytest.MonkeyPatch, body: Json
) -> None:
    monkeypatch.setattr(cloud, "_pin", lambda _: body)
    with pytest.raises(BadAnswerError):
        await plex_tv.create_pin()


@pytest.mark.parametrize("body", [None, {}, "x", ["x"], [{"url": 5}], [{}], [{"url": ""}]])
async def test_a_list_that_cannot_be_read_is_never_written_back(
    plex_tv: PlexTv, cloud: PlexTvDouble, monkeypatch: pytest.MonkeyPatch, body: Json
) -> None:
    cloud.owner.webhooks[:] = ["https://example.com/one"]
    answering(monkeypatch, body)
    target = WebhookTarget(
        url="https://home.example/api/webhook/abc",
        webhook_id="abc",
        username="",
        secret="",
        instance_id="i",
    )
    ours = AccountWebhooks(plex_tv, cloud.owner.token)
    for change in (ours.install, ours.remove):
        with pytest.raises(BadAnswerError):
            await change(target)
    assert cloud.owner.webhooks == ["https://example.com/one"]
    assert cloud.writes == []


async def test_what_looks_like_our_webhook_is_only_ours_by_its_id(
    plex_tv: PlexTv, cloud: PlexTvDouble
) -> None:
    foreign = [
        "https://other.example/api/webhook/abcd",
        "https://other.example/?hook=abc",
        "http://[broken/abc",
    ]
    ours = ["http://10.0.0.5:8123/api/webhook/abc", "https://home.example/base/api/webhook/abc"]
    cloud.owner.webhooks[:] = [*foreign, *ours]
    target = WebhookTarget(
        url="https://home.example/api/webhook/abc",
        webhook_id="abc",
        username="",
        secret="",
        instance_id="i",
    )
    await AccountWebhooks(plex_tv, cloud.owner.token).install(target)
    assert cloud.owner.webhooks == [*foreign, target.url]


async def test_odd_answers_about_people_and_servers(
    plex_tv: PlexTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, {"id": None})
    with pytest.raises(BadAnswerError):
        await plex_tv.account("token")
    assert await plex_tv.servers("token") == ()
    connections: Json = [{"uri": "ftp://x"}, {"uri": 5}, "odd", {"uri": "http://10.0.0.5:32400/"}]
    answering(
        monkeypatch,
        [
            {"provides": "server", "clientIdentifier": None},
            {"provides": "player", "clientIdentifier": "a"},
            {"provides": "client,server", "clientIdentifier": "b", "connections": connections},
            "odd",
        ],
    )
    (server,) = await plex_tv.servers("token")
    assert (server.server_id, server.name, server.owned) == ("b", "Plex", False)
    assert [one.url for one in server.addresses] == ["http://10.0.0.5:32400"]


async def test_plex_tv_in_trouble_is_no_missing_pass(plex_tv: PlexTv, cloud: PlexTvDouble) -> None:
    cloud.misbehave("503")
    with pytest.raises(ServerFaultError):
        await plex_tv.webhooks(cloud.owner.token)
    with pytest.raises(ServerFaultError):
        await plex_tv.set_webhooks(cloud.owner.token, [])


async def test_the_address_of_plex_tv_is_the_real_one_unless_said_otherwise(
    cloud: PlexTvDouble, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert account.PLEX_TV == "https://plex.tv"
    monkeypatch.setattr(account, "PLEX_TV", cloud.url)
    assert await PlexTv(session, client_id="home").webhooks(cloud.owner.token) == ()
