"""The one address for all services: whose a delivery is, how much is believed, what is refused."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, encode_basic_auth
from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.setup import async_setup_component
from homeassistant.util.aiohttp import MockRequest
from hypothesis import HealthCheck, given, settings, strategies as st
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import (
    coordinator,
    deliveries,
    finder,
    generic,
    webhook,
    worker,
)
from custom_components.media_arrivals.const import (
    CONF_ALLOWED_ADDRESSES,
    CONF_GENERIC_WEBHOOK,
    CONF_LOCAL_ONLY,
    CONF_MANUAL_WEBHOOK,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    EVENT_STAGE_CHANGED,
    EVENT_WATCHED,
    WEBHOOK_USERNAME,
)
from custom_components.media_arrivals.deliveries import GENERIC, REFUSED, Delivered, hinted
from custom_components.media_arrivals.diagnostics import async_get_config_entry_diagnostics
from custom_components.media_arrivals.engine.board.models import (
    Question,
    QuestionKind,
    Reason,
    Stage,
)
from custom_components.media_arrivals.engine.connectors.base import (
    Decoded,
    Poll,
    TimedOutError,
    WebhookState,
)
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from custom_components.media_arrivals.engine.connectors.tautulli.template import BODY
from custom_components.media_arrivals.engine.storage.models import JournalRow, StorageError
from custom_components.media_arrivals.engine.storage.storage import Storage
from custom_components.media_arrivals.questions import Ticket
from custom_components.media_arrivals.records import WebhookHealth
from custom_components.media_arrivals.runtime import BoardRuntime
from custom_components.media_arrivals.troubles import DATABASE_FILE
from custom_components.media_arrivals.webhook import DOORS_KEY, MAX_BODY, REFUSALS
from simulator import Film, Stack
from simulator.plex import multipart
from simulator.shelf import ShelfFile
from tests.flow_helpers import OPTIONS, Flow
from tests.house import House
from tests.payloads import radarr_grab, radarr_import, radarr_rename, radarr_test

WEBHOOK_ID = "e" * 64
PATH = f"/api/webhook/{WEBHOOK_ID}"
SOON = 0.01


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause last, and nobody look for what was imported by himself."""
    monkeypatch.setattr(finder, "GATHER_SECONDS", 3600.0)
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))
    monkeypatch.setattr(coordinator, "HINT_PAUSE", SOON)
    monkeypatch.setattr(coordinator, "UNPROVEN_PAUSE", SOON)


class Hall:
    """A house whose address for all services is open."""

    def __init__(self, house: House) -> None:
        self.house = house

    def open(self, **options: Any) -> MockConfigEntry:
        """Add the board with its address."""
        board = self.house.add_board(**{CONF_GENERIC_WEBHOOK: True, **options})
        self.house.hass.config_entries.async_update_entry(
            board, data={**board.data, CONF_WEBHOOK_ID: WEBHOOK_ID}
        )
        return board

    async def quiet(self) -> None:
        """Wait until media servers are known, and count their calls from now on."""
        for one in self.house.runtime.coordinators.values():
            client: Any = one.client
            known = lambda client=client: getattr(client, "index_complete", True)  # noqa: E731
            await self.house.until(known, what="an index")
        await self.house.until(lambda: not self.house.runtime.questions.total, what="answers")
        await asyncio.sleep(5 * SOON)
        for double in self.house.stack.services.values():
            double.reset_counts()

    async def post(self, body: Any = None, *, path: str = PATH, **more: Any) -> ClientResponse:
        """Call the address."""
        if body is not None:
            more["json"] = body
        answer = await self.house.client.request(more.pop("method", "POST"), path, **more)
        await self.house.settle()
        return answer

    async def as_service(self, entry: MockConfigEntry, body: Any, **more: Any) -> ClientResponse:
        """Call it with a service's secret."""
        return await self.post(body, headers=secret_of(entry), **more)

    async def plex(self, event: str, item: Any = None, **metadata: Any) -> ClientResponse:
        """Call it as Plex does: a form with bytes in it."""
        return await self.as_plex(self.house.stack.plex.payload(event, 1, item, **metadata))

    async def as_plex(self, payload: Any, **headers: str) -> ClientResponse:
        return await self.post(
            data=multipart(payload, "limit", thumb=True),
            headers={
                "User-Agent": "PlexMediaServer/1.42.2",
                "Content-Type": "multipart/form-data; boundary=limit",
                **headers,
            },
        )

    async def emby(self, event: str, item: Any = None, **more: Any) -> ClientResponse:
        """Call it as Emby does: a form, or plain JSON."""
        emby: Any = self.house.stack.services["emby"]
        return await self.post(emby.body(event, item) | more)

    async def rows(self) -> list[JournalRow]:
        """Return what the journal has, oldest first."""
        page = await self.house.storage.journal.recent(limit=500, with_payload=True)
        return list(page.rows)[::-1]

    async def only_row(self) -> JournalRow:
        (row,) = await self.rows()
        return row

    def stages(self) -> list[Stage]:
        return [arrival.stage for arrival in self.house.runtime.board.arrivals()]

    async def downloaded(self) -> MockConfigEntry:
        """Add a Radarr that imported the film, and start."""
        entry = self.house.add_service(self.house.stack.radarr)
        self.house.stack.radarr.put_movie(FILM, quality="WEBDL-1080p")
        await self.house.start()
        await self.house.post(entry, radarr_grab())
        await self.house.post(entry, radarr_import())
        await self.house.until(lambda: self.stages() == [Stage.DOWNLOADED], what="an import")
        return entry

    async def shelve(self, *doubles: Any) -> None:
        """Let media servers find the film."""
        await shelve(self.house.stack, *doubles)


FILM: Film = House.film


async def shelve(stack: Stack, *doubles: Any) -> None:
    stack.shelf.put(
        ShelfFile(
            path=f"/movies/{FILM.title} ({FILM.year})/film.mkv",
            media_type="movie",
            title=FILM.title,
            year=FILM.year,
            tmdb_id=FILM.tmdb_id,
            imdb_id=FILM.imdb_id,
            added_at=datetime.now(UTC),
        )
    )
    for double in doubles:
        await double.scan()


def secret_of(entry: MockConfigEntry) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(WEBHOOK_USERNAME, entry.data[CONF_WEBHOOK_SECRET])}


def told(row: JournalRow) -> tuple[str, str, Any, Any]:
    return row.service, row.source, row.outcome, row.reason


@pytest.fixture
def hall(house: House) -> Hall:
    return Hall(house)


def jellyfin_of(hall: Hall) -> Any:
    return hall.house.stack.services["jellyfin"]


# --- with a secret it is as good as at the service's own address ------------------------------


async def test_a_delivery_with_its_services_secret_is_a_report(hall: Hall) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    hall.house.stack.radarr.put_movie(FILM)
    await hall.house.start()

    answer = await hall.as_service(entry, radarr_grab())

    assert (answer.status, await answer.json()) == (200, {"status": "accepted"})
    await hall.house.until(lambda: hall.stages() == [Stage.DOWNLOADING], what="a grab")
    row = await hall.only_row()
    assert told(row) == (entry.entry_id, "radarr", "processed", None)
    record = hall.house.record(entry)
    assert (record.received, record.processed, record.refused) == (1, 1, 0)


async def test_of_two_radarrs_the_secret_tells_which(hall: Hall) -> None:
    hall.open()
    first = hall.house.add_service(hall.house.stack.radarr)
    second = hall.house.add_service(hall.house.stack.radarr_4k, data={"tier": "4k"})
    hall.house.stack.radarr_4k.put_movie(FILM)
    await hall.house.start()

    await hall.as_service(second, radarr_grab())

    await hall.house.until(hall.stages, what="an arrival")
    (arrival,) = hall.house.runtime.board.arrivals()
    assert arrival.tier == "4k"
    assert (await hall.only_row()).service == second.entry_id
    assert hall.house.record(first).received == 0


async def test_seerr_and_sonarr_and_jellyfin_by_their_headers(hall: Hall) -> None:
    hall.open()
    seerr = hall.house.add_service(hall.house.stack.seerr)
    sonarr = hall.house.add_service(hall.house.stack.sonarr)
    jellyfin = hall.house.add_service(jellyfin_of(hall))
    await hall.house.start()
    bearer = {"Authorization": f"Bearer {seerr.data[CONF_WEBHOOK_SECRET]}"}
    event = {"NotificationType": "Generic", "ServerId": jellyfin_of(hall).server_id}

    answers = [
        await hall.post({"notification_type": "TEST_NOTIFICATION"}, headers=bearer),
        await hall.as_service(sonarr, {"eventType": "Test", "series": {}, "episodes": []}),
        await hall.post(
            data=json.dumps(event),
            headers={**secret_of(jellyfin), "Content-Type": "text/plain"},
        ),
    ]

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [told(row) for row in await hall.rows()] == [
        (seerr.entry_id, "seerr", "ignored", Reason.TEST),
        (sonarr.entry_id, "sonarr", "ignored", Reason.TEST),
        (jellyfin.entry_id, "jellyfin", "ignored", Reason.TEST),
    ]


async def test_tautulli_is_found_by_its_plex(hall: Hall) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.services["tautulli"])  # type: ignore[arg-type]
    await hall.house.start()
    values = json.loads(BODY) | {"event": "play", "media_type": "movie"}
    ours = {**values, "server_machine_id": hall.house.stack.plex.machine_id}

    assert (await hall.as_service(entry, ours, method="PUT")).status == 200
    # Another program's template need not name the server: the secret does.
    flat = {"event": "playback.stop", "rating_key": "5", "user": "a", "media_type": "movie"}
    assert (await hall.as_service(entry, flat)).status == 200
    foreign = await hall.as_service(entry, {**ours, "server_machine_id": "f" * 40})
    unsigned = await hall.post(flat)

    assert await foreign.json() == {"status": "ignored", "reason": "foreign_server"}
    assert unsigned.status == 401
    assert [(row.service, row.source, row.reason) for row in await hall.rows()] == [
        (entry.entry_id, "tautulli", None),
        (entry.entry_id, "tautulli", None),
        ("board_entry", REFUSED, Reason.FOREIGN_SERVER),
        (entry.entry_id, REFUSED, Reason.UNAUTHORIZED),
    ]


async def test_of_two_tautullis_it_must_say_which(hall: Hall) -> None:
    hall.open()
    tautulli: Any = hall.house.stack.services["tautulli"]
    entry = hall.house.add_service(tautulli)
    other = MockConfigEntry(
        domain=DOMAIN,
        entry_id="other_tautulli",
        data={
            **entry.data,
            "server_id": "f" * 40,
            CONF_WEBHOOK_ID: "d" * 64,
            CONF_WEBHOOK_SECRET: "other secret",
        },
        options={CONF_MANUAL_WEBHOOK: True},
    )
    other.add_to_hass(hall.house.hass)
    await hall.house.start()
    flat = {"event": "stop", "rating_key": "5", "media_type": "movie"}

    nobody = await hall.as_service(other, flat)
    right = await hall.as_service(other, {**flat, "server_machine_id": "F" * 40})
    wrong = await hall.as_service(entry, {**flat, "server_machine_id": "f" * 40})

    assert await nobody.json() == {"status": "ignored", "reason": "no_server_id"}
    assert (right.status, wrong.status) == (200, 401)
    assert [row.service for row in await hall.rows()] == [
        "board_entry",
        "other_tautulli",
        "other_tautulli",
    ]


async def test_jellyfin_writes_its_id_with_dashes_or_without(hall: Hall) -> None:
    hall.open()
    entry = hall.house.add_service(jellyfin_of(hall))
    await hall.house.start()
    plain = jellyfin_of(hall).server_id
    dashed = "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:])).upper()

    for server_id in (plain, dashed):
        await hall.as_service(entry, {"NotificationType": "Generic", "ServerId": server_id})

    assert [row.source for row in await hall.rows()] == ["jellyfin", "jellyfin"]


async def test_a_large_delivery_is_taken_as_well(hall: Hall) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    hall.house.stack.radarr.put_movie(FILM)
    await hall.house.start()

    answer = await hall.as_service(entry, radarr_grab() | {"padding": "x" * 100_000})

    assert await answer.json() == {"status": "accepted"}
    await hall.house.until(lambda: hall.stages() == [Stage.DOWNLOADING], what="a grab")


async def test_it_is_written_down_before_it_is_answered(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()
    put, held = hall.house.storage.journal.put, []
    monkeypatch.setattr(hall.house.storage.journal, "put", lambda *args: held.append(args))

    posting = asyncio.create_task(hall.as_service(entry, radarr_grab()))
    for _ in range(200):
        await asyncio.sleep(SOON)
        if held:
            break
    assert not posting.done()
    put(*held[0])

    assert (await posting).status == 200


@pytest.mark.parametrize("event", [{"eventType": "Health", "message": "x"}, b"\x00 nothing"])
async def test_what_says_nothing_of_its_sender_is_known_by_the_secret(
    hall: Hall, event: Any
) -> None:
    hall.open()
    hall.house.add_service(hall.house.stack.radarr)
    entry = hall.house.add_service(hall.house.stack.sonarr)
    jellyfin = hall.house.add_service(jellyfin_of(hall))
    await hall.house.start()
    data = event if isinstance(event, bytes) else json.dumps(event).encode()

    await hall.post(data=data, headers=secret_of(entry))
    # A media server has to say which it is.
    await hall.post(data=data, headers=secret_of(jellyfin))

    assert [(row.service, row.source) for row in await hall.rows()] == [
        (entry.entry_id, "sonarr"),
        ("board_entry", REFUSED),
    ]


# --- what proves that an address works --------------------------------------------------------


@pytest.mark.parametrize("by_hand", [True, False])
async def test_it_says_nothing_of_the_services_own_address(hall: Hall, by_hand: bool) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr, options={CONF_MANUAL_WEBHOOK: by_hand})
    await hall.house.start()
    if not by_hand:
        await hall.house.proven(entry)
    hall.house.runtime.note(entry.entry_id, webhook=WebhookHealth.WORKING, last_webhook_at=None)
    expected = hall.house.runtime.async_expect_test(entry.entry_id)
    received = hall.house.record(entry).received

    await hall.as_service(entry, radarr_test())

    assert not expected.done()
    assert hall.house.record(entry).received == received + 1
    assert (hall.house.record(entry).last_webhook_at is not None) is by_hand
    expected.cancel()


async def test_what_the_user_entered_by_hand_may_be_this_address(
    hall: Hall, hass: HomeAssistant
) -> None:
    board = hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr, options={})
    await hall.house.start()
    await hall.house.proven(entry)
    (row,) = hall.house.stack.radarr.connections.rows.values()
    row.name = "Home"
    row.values["url"] = str(hall.house.client.make_url(PATH))
    hass.config_entries.async_update_entry(entry, options={CONF_MANUAL_WEBHOOK: True})
    await hass.config_entries.async_reload(entry.entry_id)
    await hall.as_service(entry, radarr_test())

    record = hall.house.record(entry)
    await hall.house.until(lambda: record.remote is WebhookState.DIFFERENT, what="a look there")
    assert "grab" in record.events
    assert record.webhook is WebhookHealth.WORKING

    # Closed, it is none of ours.
    hass.config_entries.async_update_entry(board, options={})
    await entry.runtime_data.registration.async_try()
    assert (record.remote, record.events) == (WebhookState.ABSENT, ())


# --- without one it is a hint -----------------------------------------------------------------


async def test_what_plex_says_is_new_is_read_from_plex(hall: Hall) -> None:
    hall.open()
    plex = hall.house.add_service(hall.house.stack.plex)
    events = async_capture_events(hall.house.hass, EVENT_STAGE_CHANGED)
    await hall.downloaded()
    await hall.quiet()
    await hall.shelve(hall.house.stack.plex)

    answer = await hall.plex("library.new", hall.house.stack.plex.find(tmdb=FILM.tmdb_id))

    assert (answer.status, await answer.json()) == (200, {"status": "accepted"})
    await hall.house.until(lambda: hall.stages() == [Stage.AVAILABLE], what="the film in Plex")
    row = (await hall.rows())[-1]
    assert told(row) == (plex.entry_id, GENERIC, "processed", None)
    assert row.event_type == "library.new"
    # Plex's own answer told it, not the delivery.
    assert events[-1].data["stage"] == "available"
    timeline = await hall.house.storage.timeline(events[-1].data["arrival_id"])
    assert timeline[-1].via == "poll"
    # It proves nothing of Plex's own webhook, either.
    record = hall.house.record(plex)
    assert (record.received, record.last_webhook_at) == (1, None)


async def test_what_is_said_of_a_film_that_is_not_there_is_not_believed(hall: Hall) -> None:
    hall.open()
    hall.house.add_service(hall.house.stack.plex)
    hall.house.add_service(hall.house.stack.services["emby"])  # type: ignore[arg-type]
    await hall.downloaded()
    made_up = {
        "type": "movie",
        "ratingKey": "4711",
        "title": FILM.title,
        "Guid": [{"id": f"tmdb://{FILM.tmdb_id}"}],
    }
    server_id = hall.house.stack.plex.machine_id
    emby: Any = hall.house.stack.services["emby"]
    item = {"Id": "4711", "Type": "Movie", "ProviderIds": {"Tmdb": str(FILM.tmdb_id)}}
    user = {"Id": "ab" * 16, "Name": "Ada"}
    watched = async_capture_events(hall.house.hass, EVENT_WATCHED)

    for event in ("library.new", "media.scrobble", "media.stop"):
        await hall.as_plex(
            {
                "event": event,
                "Account": {"id": 1},
                "Server": {"uuid": server_id},
                "Metadata": made_up,
            }
        )
    for event in ("library.new", "item.markplayed", "playback.stop", "item.markunplayed"):
        await hall.post(
            emby.body(event)
            | {"Item": item, "User": user, "PlaybackInfo": {"PlayedToCompletion": True}}
        )

    await hall.house.until(lambda: not hall.house.runtime.questions.total, what="answers")
    assert hall.stages() == [Stage.DOWNLOADED]
    (arrival,) = hall.house.runtime.board.arrivals()
    assert arrival.whole.watches == ()
    assert watched == []
    rows = [row for row in await hall.rows() if row.source == GENERIC]
    assert [(row.outcome, row.reason) for row in rows] == [("ignored", Reason.HINT)] * 7


async def test_who_watched_is_read_from_plexs_history(hall: Hall) -> None:
    hall.open()
    double = hall.house.stack.plex
    hall.house.add_service(double)
    await hall.downloaded()
    await hall.quiet()
    await hall.shelve(double)
    watched = async_capture_events(hall.house.hass, EVENT_WATCHED)
    item = double.find(tmdb=FILM.tmdb_id)
    # The history is dated to the second, and begins where the first poll was.
    await asyncio.sleep(1.1)
    # Nobody saw it playing: what the history says is all there is.
    await double.watch(item)

    await hall.plex("media.scrobble", item, viewCount=1)

    await hall.house.until(lambda: watched, what="a viewing")
    (arrival,) = hall.house.runtime.board.arrivals()
    # Nobody has said who that is.
    assert [watch.viewer for watch in arrival.whole.watches] == ["plex:somebody"]
    assert (await hall.rows())[-1].reason is Reason.HINT


async def test_who_watched_is_asked_again_where_plex_was_down(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.plex)
    await hall.house.start()
    await hall.quiet()
    known = hall.house.runtime.coordinators[entry.entry_id]
    how: list[str] = []
    poll, sync = known.client.poll, known.client.sync

    async def light(*args: Any) -> Poll:
        how.append("poll")
        return await poll(*args)

    async def with_history(*args: Any) -> Poll:
        how.append("sync")
        if how == ["sync"]:
            raise TimedOutError
        assert args[2].open_titles == ()
        return await sync(*args)

    monkeypatch.setattr(known.client, "poll", light)
    monkeypatch.setattr(known.client, "sync", with_history)
    known.async_hint_unproven(history=True)
    await hall.house.until(lambda: how == ["sync"], what="a poll that fails")
    for _ in range(2):
        await hall.house.poll(entry)

    assert how == ["sync", "sync", "poll"]


async def test_what_emby_says_without_a_user_has_its_history_read(hall: Hall) -> None:
    hall.open()
    emby: Any = hall.house.stack.services["emby"]
    hall.house.add_service(emby)
    await hall.downloaded()
    await hall.shelve(emby)
    watched = async_capture_events(hall.house.hass, EVENT_WATCHED)
    await hall.quiet()
    item = emby.find("Movie", FILM.title)
    await emby.mark(emby.users[0], item, played=True)

    await hall.emby("item.markplayed", item)

    await hall.house.until(lambda: watched, what="a viewing")
    assert (await hall.rows())[-1].reason is Reason.HINT


async def test_what_emby_says_in_a_form_has_it_asked(hall: Hall) -> None:
    hall.open()
    emby: Any = hall.house.stack.services["emby"]
    entry = hall.house.add_service(emby)
    await hall.downloaded()
    await hall.shelve(emby)
    text = json.dumps(emby.body("library.new", emby.find("Movie", FILM.title)))
    form = (
        "--0f1d\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Disposition: form-data; name=data\r\n\r\n{text}\r\n--0f1d--\r\n"
    )

    answer = await hall.post(
        data=form.encode(), headers={"Content-Type": 'multipart/form-data; boundary="0f1d"'}
    )

    assert await answer.json() == {"status": "accepted"}
    await hall.house.until(lambda: hall.stages() == [Stage.AVAILABLE], what="the film in Emby")
    assert told((await hall.rows())[-1])[:2] == (entry.entry_id, GENERIC)


async def test_what_emby_says_is_gone_is_asked_for_by_our_own_ids(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.open()
    emby: Any = hall.house.stack.services["emby"]
    entry = hall.house.add_service(emby)
    await hall.downloaded()
    ask = hall.house.runtime.questions.add
    asked: list[Question] = []

    def add(question: Question, tickets: Iterable[Ticket]) -> None:
        asked.append(question)
        ask(question, tickets)

    monkeypatch.setattr(hall.house.runtime.questions, "add", add)

    def gone(**ids: str) -> dict[str, Any]:
        body: dict[str, Any] = emby.body("library.deleted")
        return body | {"Item": {"Id": "77", "Type": "Movie", "Name": "Forged", "ProviderIds": ids}}

    await hall.post(gone(Tmdb=str(FILM.tmdb_id), Imdb="tt0000666"))
    await hall.post(gone(Tmdb="31337", Imdb="tt0000666"))

    (mine,) = [one for one in asked if one.service == entry.entry_id]
    assert mine.kind is QuestionKind.AVAILABILITY
    assert mine.title is not None
    assert (mine.title.ids.imdb, mine.title.name) == (FILM.imdb_id, FILM.title)
    (title,) = {one.title_id for one in hall.house.runtime.board.arrivals()}
    assert hall.house.runtime.board.title(title).ids.imdb == FILM.imdb_id


async def test_plex_behind_something_that_adds_the_secret_is_believed(hall: Hall) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.plex)
    await hall.house.start()
    payload = hall.house.stack.plex.payload("media.play", 1, None)

    right = await hall.as_plex(payload, **secret_of(entry))
    wrong = await hall.as_plex(payload, Authorization="Bearer guessed")

    assert (right.status, wrong.status) == (200, 401)
    assert [row.source for row in await hall.rows()] == ["plex", REFUSED]
    assert hall.house.record(entry).refused == 1


async def test_a_service_that_is_not_loaded_is_asked_when_it_is(
    hall: Hall, hass: HomeAssistant
) -> None:
    hall.open()
    plex = hall.house.add_service(hall.house.stack.plex)
    await hall.downloaded()
    await hall.quiet()
    await hall.shelve(hall.house.stack.plex)
    await hass.config_entries.async_unload(plex.entry_id)

    await hall.plex("library.new", hall.house.stack.plex.find(tmdb=FILM.tmdb_id))
    assert hall.stages() == [Stage.DOWNLOADED]
    await hass.config_entries.async_setup(plex.entry_id)

    await hall.house.until(lambda: hall.stages() == [Stage.AVAILABLE], what="the film in Plex")


def test_an_id_that_is_more_than_an_id_is_not_asked_for() -> None:
    def question(item: str) -> Question:
        return Question(service="plex", kind=QuestionKind.ITEM, item=item)

    odd = ("1/../../:/unscrobble", "1?x=2", "1,2", "", "..", "%2e", "\u0661")
    told = Decoded(event_type="x", questions=tuple(map(question, ("42", *odd))))

    assert [one.item for one in hinted(told).questions] == ["42"]


# --- floods -----------------------------------------------------------------------------------


async def test_a_flood_of_hints_is_no_flood_of_polls(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "UNPROVEN_PAUSE", 3600.0)
    hall.open()
    plex = hall.house.add_service(hall.house.stack.plex)
    await hall.house.start()
    await hall.quiet()
    server = {"uuid": hall.house.stack.plex.machine_id}

    for number in range(200):
        row = {"type": "movie", "ratingKey": str(70_000 + number)}
        event = "library.new" if number % 2 else "media.scrobble"
        body = {"event": event, "Account": {"id": 1}, "Server": server, "Metadata": row}
        answer = await hall.house.client.post(
            PATH, json=body, headers={"User-Agent": "PlexMediaServer/1.42.2"}
        )
        assert answer.status == 200
    await hall.house.settle()
    await hall.house.until(lambda: not hall.house.runtime.questions.total, what="answers")
    await asyncio.sleep(5 * SOON)
    await hall.house.settle()

    # One poll that reads who watched, too, and ten questions; not two hundred.
    assert 3 <= len(hall.house.stack.plex.calls) <= 15
    rows = await hall.rows()
    assert webhook.UNPROVEN_AT_ONCE <= len(rows) <= webhook.UNPROVEN_AT_ONCE + 20
    assert {row.service for row in rows} == {plex.entry_id}


async def test_a_flood_of_strangers_does_not_fill_the_journal(hall: Hall) -> None:
    board = hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    for _ in range(webhook.UNPROVEN_AT_ONCE + 40):
        answer = await hall.house.client.post(PATH, data=b"\x00\xff")
        assert await answer.json() == {"status": "ignored", "reason": "unknown_sender"}
    await hall.as_service(entry, radarr_rename())

    rows = await hall.rows()
    assert sum(row.service == board.entry_id for row in rows) < webhook.UNPROVEN_AT_ONCE + 30
    assert rows[-1].service == entry.entry_id


async def test_strangers_do_not_drive_what_is_known_out_of_the_journal(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "UNPROVEN_EVERY", 0.0001)
    monkeypatch.setattr(worker, "TRIM_EVERY", 50)
    monkeypatch.setattr(BoardRuntime, "journal_rows", 60)
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()
    for _ in range(20):
        await hall.as_service(entry, radarr_rename())

    for _ in range(200):
        await hall.house.client.post(PATH, data=b"\x00\xff")
    await hall.house.settle()
    await hall.house.storage.journal.trim_by_number(60, deliveries.UNPROVEN)

    assert sum(row.source == "radarr" for row in await hall.rows()) >= 20


async def test_too_many_refused_calls_are_refused_in_short(hall: Hall) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    statuses = [(await hall.post(radarr_grab())).status for _ in range(REFUSALS + 2)]

    assert statuses == [401] * REFUSALS + [429] * 2
    assert len(await hall.rows()) == REFUSALS
    assert (await hall.as_service(entry, radarr_rename())).status == 200


def test_an_allowance_grows_again_and_is_kept_for_each() -> None:
    now = 100.0
    allowance = generic.Allowance(2, 10.0, clock=lambda: now)

    assert [allowance.take("a") for _ in range(3)] == [True, True, False]
    assert allowance.take("b")
    now += 9.0
    assert not allowance.take("a")
    now += 1.5
    assert [allowance.take("a") for _ in range(2)] == [True, False]
    now += 3600.0
    assert [allowance.take("a") for _ in range(3)] == [True, True, False]


# --- refusals ---------------------------------------------------------------------------------


def plex_of(server: Any) -> dict[str, Any]:
    return {
        "event": "library.new",
        "Server": server,
        "Metadata": {"type": "movie", "ratingKey": "1"},
    }


@pytest.mark.parametrize(
    ("body", "agent", "reason", "sender"),
    [
        (plex_of({"uuid": "f" * 40}), "", Reason.FOREIGN_SERVER, "plex"),
        (plex_of({}), "PlexMediaServer/1", Reason.NO_SERVER_ID, "plex"),
        (plex_of({"uuid": {"a": 1}}), "PlexMediaServer/1", Reason.NO_SERVER_ID, "plex"),
        ({"Event": "library.new", "Server": {"Id": "f" * 32}}, "", Reason.FOREIGN_SERVER, "emby"),
        ({"Event": "library.new", "Server": {}}, "", Reason.NO_SERVER_ID, "emby"),
        ({"NotificationType": "ItemAdded"}, "", Reason.NO_SERVER_ID, "jellyfin"),
        (
            {"NotificationType": "ItemAdded", "ServerId": "f" * 32},
            "",
            Reason.FOREIGN_SERVER,
            "jellyfin",
        ),
        ({"eventType": "Grab", "series": {}, "episodes": []}, "", Reason.NOT_SET_UP, "sonarr"),
        ({"notification_type": "MEDIA_PENDING"}, "", Reason.NOT_SET_UP, "seerr"),
        ({"hello": "world"}, "", Reason.UNKNOWN_SENDER, None),
        ([1, 2], "", Reason.UNKNOWN_SENDER, None),
        (b"\x00\xff\xfe random", "", Reason.UNKNOWN_SENDER, None),
        (b"", "", Reason.UNKNOWN_SENDER, None),
        (b"", "Emby Server/4.8", Reason.NO_SERVER_ID, "emby"),
    ],
)
async def test_what_matches_no_service_changes_nothing_and_says_why(
    hall: Hall, body: Any, agent: str, reason: Reason, sender: str | None
) -> None:
    board = hall.open()
    for name in ("radarr", "plex", "jellyfin", "emby"):
        hall.house.add_service(hall.house.stack.services[name])  # type: ignore[arg-type]
    await hall.house.start()
    await hall.quiet()
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    answer = await hall.post(data=data, headers={"User-Agent": agent} if agent else {})

    assert (answer.status, await answer.json()) == (200, {"status": "ignored", "reason": reason})
    row = await hall.only_row()
    assert told(row) == (board.entry_id, REFUSED, "ignored", reason)
    assert row.processed
    assert row.error_message == (None if sender is None else f"looks like {sender}")
    # Nothing of what a stranger wrote is kept.
    assert json.loads(row.payload or "") == {"reason": reason, "sender": sender}
    assert hall.stages() == []
    await asyncio.sleep(5 * SOON)
    assert not any(double.calls for double in hall.house.stack.services.values())
    assert all(record.received == 0 for record in hall.house.runtime.records.values())


async def test_a_foreign_plex_with_everything_else_right_is_never_applied(hall: Hall) -> None:
    hall.open()
    hall.house.add_service(hall.house.stack.plex)
    await hall.downloaded()
    await hall.quiet()
    await hall.shelve(hall.house.stack.plex)
    payload = hall.house.stack.plex.payload(
        "library.new", 1, hall.house.stack.plex.find(tmdb=FILM.tmdb_id)
    )

    answer = await hall.as_plex(payload | {"Server": {"title": "Friend", "uuid": "f" * 40}})

    assert await answer.json() == {"status": "ignored", "reason": "foreign_server"}
    await asyncio.sleep(5 * SOON)
    assert hall.house.stack.plex.calls == []
    assert hall.stages() == [Stage.DOWNLOADED]


@pytest.mark.parametrize("header", [None, "", "Bearer wrong", "Basic %%%", "secret-of-another"])
async def test_a_wrong_secret_is_refused_as_at_the_services_own_door(
    hall: Hall, header: str | None
) -> None:
    hall.open()
    radarr = hall.house.add_service(hall.house.stack.radarr)
    jellyfin = hall.house.add_service(jellyfin_of(hall))
    await hall.house.start()
    headers = {} if header is None else {"Authorization": header}
    item = {"NotificationType": "ItemAdded", "ServerId": jellyfin_of(hall).server_id}

    for entry, body in ((radarr, radarr_grab()), (jellyfin, item)):
        answer = await hall.post(body, headers=headers)

        assert (answer.status, await answer.json()) == (
            401,
            {"status": "error", "reason": "unauthorized"},
        )
        row = (await hall.rows())[-1]
        assert told(row) == (entry.entry_id, REFUSED, "ignored", Reason.UNAUTHORIZED)
        record = hall.house.record(entry)
        assert (record.refused, record.received, record.ignored) == (1, 0, 0)
    assert hall.stages() == []


async def test_of_two_radarrs_a_wrong_secret_is_nobodys(hall: Hall) -> None:
    board = hall.open()
    entries = [
        hall.house.add_service(hall.house.stack.radarr),
        hall.house.add_service(hall.house.stack.radarr_4k),
        hall.house.add_service(hall.house.stack.sonarr),
    ]
    await hall.house.start()

    # A Sonarr's secret is none of a Radarr's.
    assert (await hall.as_service(entries[2], radarr_grab())).status == 401

    assert told(await hall.only_row()) == (
        board.entry_id,
        REFUSED,
        "ignored",
        Reason.UNAUTHORIZED,
    )
    assert [hall.house.record(entry).refused for entry in entries] == [0, 0, 0]


async def test_a_service_that_is_disabled_is_not_set_up(hall: Hall, hass: HomeAssistant) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    hall.house.add_service(hall.house.stack.sonarr)
    await hall.house.start()
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)

    answer = await hall.as_service(entry, radarr_grab())

    assert await answer.json() == {"status": "ignored", "reason": "not_set_up"}


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_refused_and_noted(hall: Hall, chunked: bool) -> None:
    board = hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 4096 + 1):
            yield b"x" * 4096

    answer = await hall.post(
        data=chunks() if chunked else b"x" * (MAX_BODY + 1), headers=secret_of(entry)
    )

    assert answer.status == 413
    assert await answer.json() == {"status": "error", "reason": "too_large"}
    assert told(await hall.only_row()) == (board.entry_id, REFUSED, "ignored", Reason.TOO_LARGE)


async def test_methods(hall: Hall) -> None:
    hall.open()
    hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    tried = await hall.house.client.get(f"{PATH}?test")
    looked = await hall.house.client.get(PATH)

    assert (tried.status, (await tried.json())["service"]) == (200, "generic")
    assert (looked.status, await looked.json()) == (
        405,
        {"status": "error", "reason": "method_not_allowed"},
    )
    assert (await hall.house.client.head(f"{PATH}?test")).status == 200
    assert await hall.rows() == []


# --- who may call -----------------------------------------------------------------------------


async def from_far(hall: Hall, entry: MockConfigEntry, remote: str | None) -> tuple[int, str]:
    """Call the address as a cloudhook or a proxy does."""
    request = MockRequest(
        content=json.dumps(radarr_rename()).encode(),
        mock_source="test",
        method="POST",
        headers=secret_of(entry),
        remote=remote,
    )
    answer = await hall.house.hass.data[DOORS_KEY].async_handle_any(request)
    await hall.house.settle()
    assert isinstance(answer.body, bytes)
    return answer.status, json.loads(answer.body).get("reason")


@pytest.mark.parametrize(
    ("board", "service", "remote", "status", "owner"),
    [
        ({}, {}, None, 200, None),
        ({}, {}, "203.0.113.7", 200, None),
        ({CONF_LOCAL_ONLY: True}, {}, "192.168.1.9", 200, None),
        ({CONF_LOCAL_ONLY: True}, {}, "203.0.113.7", 403, "board_entry"),
        ({CONF_LOCAL_ONLY: True}, {}, None, 403, "board_entry"),
        ({CONF_ALLOWED_ADDRESSES: ["10.0.0.0/8"]}, {}, "192.168.1.9", 403, "board_entry"),
        ({}, {CONF_LOCAL_ONLY: True}, "203.0.113.7", 403, "radarr_entry"),
        ({}, {CONF_ALLOWED_ADDRESSES: ["192.168.1.10"]}, "192.168.1.9", 403, "radarr_entry"),
        ({}, {CONF_ALLOWED_ADDRESSES: ["192.168.1.9"]}, "192.168.1.9", 200, None),
    ],
)
async def test_the_board_and_the_service_say_who_may_deliver(
    hall: Hall,
    board: dict[str, Any],
    service: dict[str, Any],
    remote: str | None,
    status: int,
    owner: str | None,
) -> None:
    hall.open(**board)
    entry = hall.house.add_service(
        hall.house.stack.radarr, options={CONF_MANUAL_WEBHOOK: True, **service}
    )
    await hall.house.start()

    got, reason = await from_far(hall, entry, remote)

    assert got == status
    row = await hall.only_row()
    if owner is None:
        assert told(row) == (entry.entry_id, "radarr", "ignored", Reason.UNUSED_EVENT)
    else:
        assert reason == "address_not_allowed"
        assert told(row) == (owner, REFUSED, "ignored", Reason.NOT_ALLOWED)
    assert hall.house.record(entry).refused == (owner == entry.entry_id)


# --- when the door is open --------------------------------------------------------------------


async def test_it_is_off_until_it_is_switched_on(hall: Hall, hass: HomeAssistant) -> None:
    board = hall.open(**{CONF_GENERIC_WEBHOOK: False})
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    # Home Assistant would answer 200 to an address that nobody has.
    refused = await hall.as_service(entry, radarr_grab())
    assert (refused.status, await refused.json()) == (410, {"status": "error", "reason": "gone"})
    assert (await hall.house.client.get(f"{PATH}?test")).status == 410
    assert await hall.rows() == []

    hass.config_entries.async_update_entry(board, options={CONF_GENERIC_WEBHOOK: True})
    assert (await hall.as_service(entry, radarr_rename())).status == 200
    hass.config_entries.async_update_entry(board, options={CONF_GENERIC_WEBHOOK: False})
    assert (await hall.as_service(entry, radarr_rename())).status == 410


async def test_it_is_open_before_the_storage_is(
    hall: Hall, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    real, go = Storage.open, asyncio.Event()

    async def slowly(path: Path) -> Storage:
        await go.wait()
        return await real(path)

    monkeypatch.setattr(Storage, "open", slowly)
    starting = hass.async_create_task(async_setup_component(hass, DOMAIN, {}))
    for _ in range(200):
        await asyncio.sleep(SOON)
        if DOORS_KEY in hass.data:
            break
    posting = asyncio.create_task(
        hall.house.client.post(PATH, json=radarr_rename(), headers=secret_of(entry))
    )
    await asyncio.sleep(5 * SOON)
    assert not posting.done()
    go.set()
    await starting

    assert (await posting).status == 200
    await hall.house.settle()
    assert (await hall.only_row()).service == entry.entry_id


async def test_it_is_open_while_the_board_is_not_loaded(hall: Hall, hass: HomeAssistant) -> None:
    board = hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    await hass.config_entries.async_unload(board.entry_id)
    assert (await hall.as_service(entry, radarr_rename())).status == 200
    await hass.config_entries.async_set_disabled_by(board.entry_id, ConfigEntryDisabler.USER)
    assert (await hall.as_service(entry, radarr_rename())).status == 200
    await hass.config_entries.async_set_disabled_by(board.entry_id, None)
    assert (await hall.as_service(entry, radarr_rename())).status == 200
    assert hall.house.record(entry).received == 3


async def test_it_closes_when_the_last_service_goes(hall: Hall, hass: HomeAssistant) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    # Home Assistant's own answer.
    assert await (await hall.house.client.post(PATH, json=radarr_grab())).read() == b""


# --- when something is wrong ------------------------------------------------------------------


async def test_a_journal_that_cannot_be_written_is_said(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    def full(_: Any, done: Callable[[Exception], None]) -> None:
        done(StorageError("disk full"))

    monkeypatch.setattr(hall.house.storage.journal, "put", full)

    known = await hall.as_service(entry, radarr_rename())
    unknown = await hall.post({"hello": "world"})
    wrong = await hall.post(radarr_rename())

    assert [answer.status for answer in (known, unknown, wrong)] == [503, 503, 401]
    record = hall.house.record(entry)
    assert (record.received, record.failed, record.refused) == (1, 1, 1)


async def test_without_a_database_it_is_said(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Path) -> Storage:
        raise StorageError("disk full")

    monkeypatch.setattr(Storage, "open", broken)
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    answer = await hall.as_service(entry, radarr_rename())

    assert (answer.status, await answer.json()) == (
        503,
        {"status": "error", "reason": "journal_unavailable"},
    )
    # What is refused is refused all the same.
    assert (await hall.post(data=b"x" * (MAX_BODY + 1))).status == 413


async def test_a_fault_does_not_show_the_id(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()

    def faulty(*_: Any, **__: Any) -> None:
        raise ValueError(WEBHOOK_ID)

    for name in ("recognise", "refused"):
        with monkeypatch.context() as patch:
            patch.setattr(webhook, name, faulty)
            answer = await hall.post(radarr_grab())
            assert (answer.status, await answer.json()) == (500, {"status": "error"})
    monkeypatch.setattr(hall.house.runtime.worker, "async_deliver", faulty)
    assert (await hall.as_service(entry, radarr_grab())).status == 500
    ours = [one for one in caplog.messages if one.startswith("Fault")]
    assert len(ours) == 3
    assert not any(WEBHOOK_ID in one for one in ours)


async def test_no_log_and_no_diagnostics_hold_a_secret(
    hall: Hall, hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    board = hall.open(**{CONF_ALLOWED_ADDRESSES: ["127.0.0.1"]})
    entry = hall.house.add_service(hall.house.stack.radarr)
    plex = hall.house.add_service(hall.house.stack.plex)
    await hall.house.start()
    caplog.clear()
    caplog.set_level(logging.DEBUG, logger="custom_components.media_arrivals")

    await hall.as_service(entry, radarr_rename())
    await hall.post(radarr_grab())
    await hall.post({"hello": "world"})
    await hall.plex("media.play")
    await hall.as_plex(
        {"event": "media.scrobble", "Account": {"id": 1}, "Metadata": {"type": "movie"}}
        | {"Server": {"uuid": hall.house.stack.plex.machine_id}}
    )

    documents = [
        await async_get_config_entry_diagnostics(hass, one) for one in (board, entry, plex)
    ]
    text = json.dumps(documents) + "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.media_arrivals")
    )
    for secret in (WEBHOOK_ID, entry.data[CONF_WEBHOOK_SECRET], "127.0.0.1/32"):
        assert secret not in text
    assert documents[0]["options"][CONF_ALLOWED_ADDRESSES] == "**REDACTED**"
    # What a row concludes is what was concluded then.
    said = {(one["source"], one["ignored"]) for one in documents[1]["deliveries"]}
    assert said == {("radarr", "unused_event"), (REFUSED, "unauthorized")}
    assert all(not one["reports"] for one in documents[2]["deliveries"])


# --- after a kill -----------------------------------------------------------------------------


async def test_what_was_left_is_worked_off_as_it_would_have_been(
    hall: Hall, hass_config_dir: str
) -> None:
    board = hall.open()
    plex = hall.house.add_service(hall.house.stack.plex)
    radarr = hall.house.add_service(hall.house.stack.radarr)
    double = hall.house.stack.plex
    await hall.shelve(double)
    item = double.find(tmdb=FILM.tmdb_id)
    scrobble = json.dumps(double.payload("media.scrobble", 1, item))
    verdict = json.dumps({"reason": "foreign_server", "sender": "plex"})
    storage = await Storage.open(Path(hass_config_dir, DATABASE_FILE))
    at = time.time() - 5
    for service, source, payload in (
        (radarr.entry_id, "radarr", json.dumps(radarr_rename())),
        (plex.entry_id, GENERIC, scrobble),
        (board.entry_id, REFUSED, verdict),
        (radarr.entry_id, REFUSED, json.dumps({"reason": "unauthorized", "sender": "radarr"})),
        ("a board that is gone", REFUSED, json.dumps({"reason": "of the future"})),
        (board.entry_id, REFUSED, "garbage"),
    ):
        await storage.journal.append(service, source, "", payload, at)
    await storage.close()
    watched = async_capture_events(hall.house.hass, EVENT_WATCHED)

    await hall.house.start()

    await hall.house.until(lambda: not hall.house.runtime.worker.busy, what="a replay")
    assert await hall.house.storage.journal.pending() == ()
    assert [told(row)[1:] for row in await hall.rows()] == [
        ("radarr", "ignored", Reason.UNUSED_EVENT),
        (GENERIC, "ignored", Reason.HINT),
        (REFUSED, "ignored", Reason.FOREIGN_SERVER),
        (REFUSED, "ignored", Reason.UNAUTHORIZED),
        (REFUSED, "ignored", Reason.UNREADABLE),
        (REFUSED, "ignored", Reason.UNREADABLE),
    ]
    assert watched == []
    assert hall.house.record(radarr).ignored == 1


async def test_what_the_door_writes_down_says_the_same_when_it_is_read_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.open()
    hall.house.add_service(hall.house.stack.plex)
    emby: Any = hall.house.stack.services["emby"]
    hall.house.add_service(emby)
    await hall.house.start()
    await hall.shelve(hall.house.stack.plex, emby)
    taken: list[Delivered] = []
    deliver = hall.house.runtime.worker.async_deliver

    def take(delivered: Delivered) -> None:
        taken.append(delivered)
        deliver(delivered)

    monkeypatch.setattr(hall.house.runtime.worker, "async_deliver", take)
    item = hall.house.stack.plex.find(tmdb=FILM.tmdb_id)

    for event in ("library.new", "media.play", "media.scrobble", "media.rate", "device.new"):
        await hall.plex(event, None if event == "device.new" else item)
    for event in ("library.new", "library.deleted", "item.markplayed", "system.notificationtest"):
        await hall.emby(event, emby.find("Movie", FILM.title), User={"Id": "ab" * 16})
    await hall.post({"hello": "world"})

    assert len(taken) == 10
    for delivered in taken:
        live = delivered.decoded
        assert live is not None
        assert live == delivered.read()
        assert (live.reports, live.sightings, live.test, live.peer) == ((), (), False, None)
        assert all(question.about is None for question in live.questions)


# --- the log ----------------------------------------------------------------------------------


async def test_the_log_names_the_board_where_it_is_of_nobody(
    hall: Hall, hass: HomeAssistant
) -> None:
    board = hall.open()
    entry = hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()
    await hall.post({"hello": "world"})
    await hall.as_service(entry, radarr_rename())

    answer = await hass.services.async_call(
        DOMAIN,
        "get_webhook_log",
        {"service": board.entry_id},
        blocking=True,
        return_response=True,
    )

    assert answer is not None
    deliveries: Any = answer["deliveries"]
    (row,) = deliveries
    assert (row["service_name"], row["source"], row["reason"]) == (
        "Media Arrivals",
        "refused",
        "unknown_sender",
    )


# --- the options ------------------------------------------------------------------------------


@pytest.fixture
async def admin(
    hass: HomeAssistant, house: House, hass_client: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Return a client of Home Assistant's API."""
    assert await async_setup_component(hass, "config", {})
    return await hass_client()


BOARD = {
    "requester_names": "household",
    "watch_data": "household",
    "assist": "read",
    "blueprints": True,
    "finished_days": 30,
    "timeline_days": 365,
    "journal_days": 14,
    "journal_rows": 10_000,
}


async def options(admin: TestClient[Any, Any], board: MockConfigEntry, *, on: bool) -> Flow:
    """Send the first form."""
    flow = await Flow.begin(admin, OPTIONS, handler=board.entry_id)
    await flow.send(BOARD | {CONF_GENERIC_WEBHOOK: on})
    return flow


async def test_switching_on_rotating_and_switching_off(
    hall: Hall, hass: HomeAssistant, admin: TestClient[Any, Any]
) -> None:
    board = hall.house.add_board()
    entry = hall.house.add_service(hall.house.stack.radarr)
    hall.house.add_service(hall.house.stack.plex)
    await hall.house.start()
    hass.config.external_url = "https://home.example"

    # On: the address is shown, and opens when the form is sent.
    flow = await options(admin, board, on=True)
    assert flow.last["step_id"] == "generic"
    shown = flow.last["description_placeholders"]
    internal, external = shown["addresses"].split("\n")
    path = internal.strip("-` ").removeprefix(str(hass.config.internal_url))
    assert path.startswith("/api/webhook/")
    assert external == f"- `https://home.example{path}`"
    assert f"Password: `{entry.data[CONF_WEBHOOK_SECRET]}`" in shown["values"]
    assert "**plex**" in shown["values"]
    assert path in shown["values"]
    assert CONF_WEBHOOK_ID not in board.data
    await flow.send({"access": {"local_only": True, "allowed_addresses": ["127.0.0.1"]}})
    assert flow.last["type"] == "create_entry"
    await hass.async_block_till_done()
    assert board.options == BOARD | {
        CONF_GENERIC_WEBHOOK: True,
        CONF_LOCAL_ONLY: True,
        CONF_ALLOWED_ADDRESSES: ["127.0.0.1/32"],
    }
    assert path.endswith(board.data[CONF_WEBHOOK_ID])
    assert WEBHOOK_ID not in json.dumps(dict(board.options))
    assert (await hall.as_service(entry, radarr_rename(), path=path)).status == 200

    # A new address: the old one stops before the dialog is done.
    flow = await options(admin, board, on=True)
    assert flow.suggested("local_only", section="access") is True
    await flow.send({"new_address": True, "access": {"local_only": False}})
    assert flow.last["step_id"] == "generic"
    first_line = flow.last["description_placeholders"]["addresses"].split("\n")[0]
    new_path = first_line.strip("-` ").removeprefix(str(hass.config.internal_url))
    assert new_path != path
    rows = len(await hall.rows())
    assert await (await hall.as_service(entry, radarr_rename(), path=path)).read() == b""
    assert len(await hall.rows()) == rows
    assert (await hall.as_service(entry, radarr_rename(), path=new_path)).status == 200
    await flow.send({"new_address": False})
    assert flow.last["type"] == "create_entry"
    await hass.async_block_till_done()
    assert board.options[CONF_LOCAL_ONLY] is False
    assert (await hall.as_service(entry, radarr_rename(), path=new_path)).status == 200

    # Off: closed at once; who may deliver is kept, and so is the address.
    flow = await options(admin, board, on=False)
    assert flow.last["type"] == "create_entry"
    await hass.async_block_till_done()
    assert (await hall.as_service(entry, radarr_rename(), path=new_path)).status == 410
    assert board.options[CONF_LOCAL_ONLY] is False
    flow = await options(admin, board, on=True)
    assert new_path in flow.last["description_placeholders"]["addresses"]


async def test_a_network_that_is_none_is_said(hall: Hall, admin: TestClient[Any, Any]) -> None:
    board = hall.house.add_board()
    hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()
    flow = await options(admin, board, on=True)
    first = flow.last["description_placeholders"]["addresses"]

    await flow.send({"access": {"local_only": False, "allowed_addresses": ["home"]}})

    assert flow.last["errors"] == {"base": "invalid_network"}
    assert flow.last["description_placeholders"]["addresses"] == first
    assert CONF_WEBHOOK_ID not in board.data


async def test_the_cloud_and_no_address_at_all(
    hall: Hall, hass: HomeAssistant, admin: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = hall.open()
    hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()
    registration = "custom_components.media_arrivals.registration"

    def cloud_only(_: Any, **how: Any) -> str:
        if how.get("require_cloud"):
            return "https://abc.ui.nabu.casa"
        raise NoURLAvailableError

    with monkeypatch.context() as patch:
        patch.setattr(f"{registration}.get_url", cloud_only)
        flow = await options(admin, board, on=True)
        assert flow.last["description_placeholders"]["addresses"] == (
            f"- `https://abc.ui.nabu.casa{PATH}`"
        )

    def nothing(_: Any, **__: Any) -> str:
        raise NoURLAvailableError

    monkeypatch.setattr(f"{registration}.get_url", nothing)
    flow = await options(admin, board, on=True)
    assert flow.last["description_placeholders"]["addresses"] == (
        f"- `http://HOME-ASSISTANT:8123{PATH}`"
    )


async def test_a_cloudhook_of_an_old_address_goes_with_it(
    hall: Hall, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = hall.open()
    hall.house.add_service(hall.house.stack.radarr)
    await hall.house.start()
    deleted: list[str] = []

    async def delete(_: HomeAssistant, webhook_id: str) -> None:
        deleted.append(webhook_id)

    monkeypatch.setattr(webhook, "async_delete_cloudhook", delete)
    hass.config_entries.async_update_entry(board, data={**board.data, CONF_WEBHOOK_ID: "d" * 64})
    await hass.async_block_till_done()

    assert deleted == [WEBHOOK_ID]


# --- whatever comes ---------------------------------------------------------------------------


KEYS = ("event", "Event", "eventType", "NotificationType", "notification_type", "Server", "uuid")
bodies = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from((*KEYS, "Metadata", "movie", "Item")), inner, max_size=5)
    ),
    max_leaves=12,
).map(lambda body: json.dumps(body).encode())


async def test_whatever_comes_without_a_secret_nothing_changes(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "REFUSALS", 1_000_000)
    hall.open()
    for name in ("seerr", "radarr", "sonarr", "plex", "jellyfin", "emby", "tautulli"):
        hall.house.add_service(hall.house.stack.services[name])  # type: ignore[arg-type]
    await hall.house.start()
    hand = hall.house.client
    agents = st.sampled_from(["", "PlexMediaServer/1", "Tautulli/2", "Radarr/6", "Emby Server/4"])
    cases: list[tuple[bytes, str]] = []

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies, agents)
    def collect(body: bytes, agent: str) -> None:
        cases.append((body, agent))

    await hall.house.hass.async_add_executor_job(collect)
    for body, agent in cases:
        answer = await hand.post(PATH, data=body, headers={"User-Agent": agent})
        assert answer.status in {200, 401}
        said = await answer.json()
        assert said["status"] == "accepted" or said["reason"]
    await hall.house.settle()

    assert hall.stages() == []
    assert all(record.processed == 0 for record in hall.house.runtime.records.values())
    assert all(row.processed for row in await hall.rows())
