"""Of people, only that is kept and told which the board's options allow: on every way out."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.const import EVENT_STATE_CHANGED, MATCH_ALL
from homeassistant.core import Context, Event, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.json import json_bytes
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import screening
from custom_components.media_arrivals.const import (
    CONF_REQUESTER_NAMES,
    CONF_WATCH_DATA,
    DOMAIN,
)
from custom_components.media_arrivals.diagnostics import async_get_config_entry_diagnostics
from custom_components.media_arrivals.engine.board.models import (
    ExternalIds,
    MediaType,
    Outcome,
    Person,
    Question,
    QuestionKind,
    Reason,
    Role,
    Service,
    TitleRef,
)
from custom_components.media_arrivals.engine.connectors.base import Poll
from custom_components.media_arrivals.engine.connectors.registry import DECODERS
from custom_components.media_arrivals.engine.storage import board_store
from custom_components.media_arrivals.logbook import async_describe_events
from custom_components.media_arrivals.people import MappedPerson, People, ServiceUser
from custom_components.media_arrivals.privacy import NOTE, Privacy, Requesters, Watching
from custom_components.media_arrivals.screening import DELETING
from tests.engine.board.household import FILM, request, watched
from tests.entity_helpers import PLEX_ID, Home, post, set_up_home
from tests.persons import map_person
from tests.test_services import act

SERVICES = ("seerr", "plex", "tautulli", "jellyfin", "emby")
ANNA = "Annabelle Quillfeather"
"""What the mapped person is called in Home Assistant."""


@dataclass(frozen=True)
class Somebody:
    """All by which somebody may be known in the services, each unlike anything else."""

    seerr: str
    seerr_id: int
    plex: str
    plex_name: str
    jellyfin: str
    emby: str

    @property
    def ids(self) -> tuple[str, ...]:
        return (self.plex, self.jellyfin, self.emby)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.seerr, self.plex_name)


MAPPED = Somebody("seerrquill", 4711, "810001", "plexquill", "a1" * 16, "c3" * 16)
STRANGER = Somebody("seerrzebulon", 4712, "820002", "plexzebulon", "b2" * 16, "d4" * 16)
EVERYTHING = (*MAPPED.ids, *MAPPED.names, *STRANGER.ids, *STRANGER.names, ANNA)
NEVER_KEPT = (MAPPED.plex_name, STRANGER.plex_name)


def asked(who: Somebody, number: int) -> dict[str, Any]:
    """Return what Seerr sends when somebody asks for a film."""
    return {
        "notification_type": "MEDIA_PENDING",
        "subject": f"Film {number} (2024)",
        "message": "A film.",
        "media": {
            "media_type": "movie",
            "tmdbId": str(number),
            "status": "PENDING",
            "status4k": "UNKNOWN",
        },
        "request": {
            "request_id": str(number),
            "requestedBy_email": f"{who.seerr}@home.example",
            "requestedBy_username": who.seerr,
        },
        "extra": [],
    }


def by_plex(who: Somebody, number: int, event: str = "media.scrobble") -> dict[str, Any]:
    """Return what Plex sends of somebody who watches."""
    return {
        "event": event,
        "Account": {"id": int(who.plex), "title": who.plex_name},
        "Server": {"uuid": PLEX_ID, "title": "Plex"},
        "Player": {"title": f"{who.plex_name}'s phone"},
        "Metadata": {
            "type": "movie",
            "ratingKey": str(number),
            "title": f"Film {number}",
            "year": 2024,
            "Guid": [{"id": f"tmdb://{number}"}],
        },
    }


def by_tautulli(who: Somebody, number: int) -> dict[str, Any]:
    return {
        "media_arrivals": 1,
        "event": "watched",
        "server_machine_id": PLEX_ID,
        "media_type": "movie",
        "rating_key": str(number),
        "title": f"Film {number}",
        "themoviedb_id": str(number),
        "user_id": who.plex,
        "user": who.plex_name,
    }


def by_jellyfin(who: Somebody, number: int) -> dict[str, Any]:
    return {
        "NotificationType": "PlaybackStop",
        "ServerId": "jellyfin0server",
        "ItemId": f"{number:032x}",
        "ItemType": "Movie",
        "Name": f"Film {number}",
        "Provider_tmdb": str(number),
        "PlayedToCompletion": True,
        "UserId": who.jellyfin,
        "NotificationUsername": who.plex_name,
    }


def by_emby(who: Somebody, number: int) -> dict[str, Any]:
    return {
        "Event": "item.markplayed",
        "User": {"Id": who.emby, "Name": who.plex_name},
        "Server": {"Id": "emby0server"},
        "Item": {
            "Id": str(number),
            "Type": "Movie",
            "Name": f"Film {number}",
            "ProviderIds": {"Tmdb": str(number)},
        },
    }


@dataclass
class Witness:
    """Sees whatever gets out, and what is on the disk."""

    hass: HomeAssistant
    home: Home
    caplog: pytest.LogCaptureFixture
    users: dict[str, MockUser]
    events: list[Event[Any]] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)

    @callback
    def watch(self) -> None:
        """Listen to everything that is fired, and to every state."""

        @callback
        def take(event: Event[Any]) -> None:
            entity_id = event.data.get("entity_id", "")
            if not str(entity_id).startswith("person.") and event.event_type != "call_service":
                self.events.append(event)
                if event.event_type == EVENT_STATE_CHANGED and event.data["new_state"] is not None:
                    self.seen.append(event.data["new_state"].as_dict())
                else:
                    self.seen.append({"event": event.event_type, **event.data})

        self.hass.bus.async_listen(MATCH_ALL, take)

    def told(self) -> str:
        """Return all that was fired, every state, the logs and the logbook."""
        states = [one.as_dict() for one in self.hass.states.async_all() if one.domain != "person"]
        lines = [
            record.getMessage()
            for record in self.caplog.records
            # The tests' own logs show what they set up.
            if record.name.startswith("custom_components.media_arrivals")
        ]
        return "\n".join([repr(self.seen), repr(states), *lines, *self.logbook()])

    def logbook(self) -> list[str]:
        """Return what the logbook says of what was fired."""
        described: list[str] = []
        fired = {one.event_type for one in self.events}

        def describe(_: str, event: str, describer: Callable[[Any], dict[str, Any]]) -> None:
            described.extend(
                str(describer(_Lazy(one))) for one in self.events if one.event_type == event
            )

        assert fired
        async_describe_events(self.hass, describe)
        return described

    async def diagnostics(self) -> str:
        """Return the diagnostics of all entries."""
        found = [
            await async_get_config_entry_diagnostics(self.hass, entry)
            for entry in self.hass.config_entries.async_entries(DOMAIN)
        ]
        return json_bytes(found).decode()

    async def answers(self, who: str | None) -> str:
        """Return what the actions answer somebody of all films."""
        context = None if who is None else Context(user_id=self.users[who].id)
        found = [await act(self.hass, "get_arrivals", context=context)]
        found += [
            await act(self.hass, "get_arrival", arrival_id=one["id"], context=context)
            for one in found[0]["arrivals"]
        ]
        return json_bytes(found).decode()

    async def details(self, number: int, who: str | None) -> dict[str, Any]:
        """Return what the actions answer somebody of one film."""
        context = None if who is None else Context(user_id=self.users[who].id)
        return await act(self.hass, "get_arrival", tmdb_id=number, context=context)

    async def on_disk(self) -> bytes:
        """Return every byte of the database and of what is beside it."""
        await self.settle()
        storage = self.home.runtime.storage
        assert storage is not None
        files = sorted(storage.path.parent.glob(f"{storage.path.name}*"))
        return b"\n".join([file.read_bytes() for file in files])

    async def settle(self) -> None:
        """Wait until everything is worked off and brought in line."""
        runtime = self.home.runtime
        await self.hass.async_block_till_done()
        await runtime.async_settle()
        await runtime.screening.async_settle()
        await self.hass.async_block_till_done()

    async def choose(self, watching: str, requesters: object) -> None:
        """Choose other options of the board."""
        entry = self.home.board_entry
        options = {CONF_WATCH_DATA: watching, CONF_REQUESTER_NAMES: requesters}
        self.hass.config_entries.async_update_entry(entry, options=options)
        await self.settle()


class _Lazy:
    """An event as the logbook has it."""

    def __init__(self, event: Event[Any]) -> None:
        self.data = event.data
        self.context_id = event.context.id


@pytest.fixture
async def witness(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    hass_admin_user: MockUser,
    hass_read_only_user: MockUser,
) -> Witness:
    """Return a household with a person who is mapped and one who is not."""
    caplog.set_level(logging.DEBUG)
    await async_setup_component(hass, "http", {})
    home = await set_up_home(hass, *SERVICES, all_entities=True, reachable=True)
    other = MockUser(name="Other", groups=hass_read_only_user.groups).add_to_hass(hass)
    map_person(
        hass,
        home.board_entry,
        ANNA,
        {
            "seerr": {"name": MAPPED.seerr, "id": str(MAPPED.seerr_id)},
            "plex": {"name": MAPPED.plex_name, "id": MAPPED.plex},
            "jellyfin": {"name": MAPPED.plex_name, "id": MAPPED.jellyfin},
            "emby": {"name": MAPPED.plex_name, "id": MAPPED.emby},
        },
        user_id=hass_read_only_user.id,
    )
    users = {"admin": hass_admin_user, "anna": hass_read_only_user, "other": other}
    found = Witness(hass, home, caplog, users)
    found.watch()
    return found


@pytest.fixture
async def client(
    witness: Witness, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[Any, Any]:
    return await hass_client_no_auth()


async def play(client: TestClient[Any, Any], witness: Witness, first: int = 9100) -> None:
    """Have both ask for films and watch them, on every media server; then watch what is theirs.

    Film +1 was asked for and watched by the one, +2 by the other.
    """
    for number, who in ((first + 1, MAPPED), (first + 2, STRANGER)):
        await post(client, "seerr", asked(who, number))
        # What Seerr answers when it is asked for the rest.
        title = TitleRef(
            media_type=MediaType.MOVIE, ids=ExternalIds(tmdb=number), name=f"Film {number}"
        )
        person = Person(name=who.seerr, id=who.seerr_id)
        await witness.home.hear(replace(request(title, 0, number=number), requester=person))
    await witness.settle()
    for number, who in ((first + 1, MAPPED), (first + 2, STRANGER)):
        await post(client, "plex", by_plex(who, number, "media.play"))
        await post(client, "plex", by_plex(who, number))
        await post(client, "plex", by_plex(who, number, "media.rate"))
        await post(client, "plex", by_plex(who, number, "library.new"))
        await post(client, "tautulli", by_tautulli(who, number))
        await post(client, "jellyfin", by_jellyfin(who, number))
        await post(client, "emby", by_emby(who, number))
    await witness.settle()


def named(text: str | bytes, words: tuple[str, ...] = EVERYTHING) -> set[str]:
    """Return who is named."""
    found = text.encode() if isinstance(text, str) else text
    return {word for word in words if word.encode() in found}


# --- every way out --------------------------------------------------------------------------------


async def test_household_names_nobody_outside_the_details(
    hass: HomeAssistant, witness: Witness, client: TestClient[Any, Any]
) -> None:
    await witness.choose("household", "household")
    await play(client, witness)

    assert named(witness.told()) == set()
    assert named(await witness.diagnostics()) == set()
    # That it was watched is told: once for the mapped person on each server, once for the others.
    watched = [one for one in witness.events if one.event_type == "media_arrivals_watched"]
    assert len(watched) == 6
    assert {one.data["watched_by"] for one in watched} == {None}

    for who in (None, "admin"):
        own, others = await witness.details(9101, who), await witness.details(9102, who)
        assert (own["watched"], own["watched_by"]) == (True, [ANNA])
        assert (others["watched"], others["watched_by"]) == (True, [])
        assert (own["requests"][0]["requester"], own["requests"][0]["person"]) == (
            MAPPED.seerr,
            ANNA,
        )
        assert others["requests"][0]["requester"] == STRANGER.seerr
        assert "person" not in others["requests"][0]
    # An ordinary user sees what is theirs.
    own, others = await witness.details(9101, "anna"), await witness.details(9102, "anna")
    assert (own["watched"], own["watched_by"]) == (True, [ANNA])
    assert (others["watched"], others["watched_by"]) == (True, [])
    assert own["requests"][0]["requester"] == ANNA
    assert "requester" not in others["requests"][0]
    assert named(await witness.answers("anna")) == {ANNA}
    # Who is nobody in the map, sees nobody.
    assert "watched_by" not in await witness.details(9101, "other")
    assert named(await witness.answers("other")) == set()

    disk = await witness.on_disk()
    assert named(disk, (*STRANGER.ids, *NEVER_KEPT)) == set()
    assert named(disk, MAPPED.ids) == set(MAPPED.ids)
    assert b"somebody" in disk


async def test_per_person_names_those_of_the_map_and_nobody_else(
    hass: HomeAssistant, witness: Witness, client: TestClient[Any, Any]
) -> None:
    await witness.choose("per_person", "per_person")
    await play(client, witness)

    assert named(witness.told()) == {ANNA}
    assert named(await witness.diagnostics()) == set()
    watched = [one for one in witness.events if one.event_type == "media_arrivals_watched"]
    assert [one.data["watched_by"] for one in watched] == [ANNA] * 3
    stages = [one for one in witness.events if one.event_type == "media_arrivals_stage_changed"]
    assert {one.data["title"]: one.data["requester"] for one in stages} == {
        "Film 9101": ANNA,
        "Film 9102": None,
    }
    state = hass.states.get("event.media_arrivals_arrivals")
    assert state is not None
    assert state.attributes["watched_by"] == ANNA
    assert any(f"was watched by {ANNA}" in line for line in witness.logbook())

    for who in ("anna", "other"):
        own, others = await witness.details(9101, who), await witness.details(9102, who)
        assert own["watched_by"] == [ANNA]
        # What others watch does not count: it was dropped at the door.
        assert (others["watched"], others["watched_by"]) == (False, [])
        assert own["requests"][0]["requester"] == ANNA
        assert "requester" not in others["requests"][0]
        assert named(await witness.answers(who)) == {ANNA}
    assert named(await witness.answers("admin")) == {ANNA, MAPPED.seerr, STRANGER.seerr}

    disk = await witness.on_disk()
    assert named(disk, (*STRANGER.ids, *NEVER_KEPT)) == set()
    assert b"somebody" not in disk
    assert named(disk, MAPPED.ids) == set(MAPPED.ids)


async def test_off_keeps_nobody_anywhere(
    hass: HomeAssistant, witness: Witness, client: TestClient[Any, Any]
) -> None:
    await witness.choose("off", "off")
    await play(client, witness)

    assert named(witness.told()) == set()
    assert named(await witness.diagnostics()) == set()
    assert not [one for one in witness.events if one.event_type == "media_arrivals_watched"]
    for who in (None, "admin", "anna", "other"):
        assert named(await witness.answers(who)) == set()
        details = await witness.details(9101, who)
        assert "watched" not in details
        assert details["requests"][0].get("requester") is None
    assert named(await witness.on_disk()) == set()

    # The log says that something came, and why nothing is made of it.
    storage = witness.home.runtime.storage
    assert storage is not None
    page = await storage.journal.recent(service="plex", with_payload=True, limit=100)
    rows = {row.event_type: row for row in page.rows}
    for event in ("media.play", "media.scrobble", "media.rate"):
        assert rows[event].payload == NOTE
        assert (rows[event].outcome, rows[event].reason) == (Outcome.IGNORED, Reason.PRIVATE)
    assert '"tmdb://9101"' in (rows["library.new"].payload or "")
    for entity in ("plex", "jellyfin", "emby", "tautulli"):
        playing = hass.states.get(f"sensor.{entity}_now_playing")
        assert playing is not None, entity
        assert playing.state == "unknown"

    # Also what is read from the server is not shown, until that is wanted again.
    witness.home.clients["plex"].answer_poll = Poll(playing=2)
    coordinator = witness.home.runtime.coordinators["plex"]
    for option, shown in (("off", "unknown"), ("household", "2")):
        await witness.choose(option, "off")
        await coordinator.async_refresh()
        await witness.settle()
        playing = hass.states.get("sensor.plex_now_playing")
        assert playing is not None
        assert playing.state == shown


async def test_everybody_is_named_where_the_board_was_told_so_before(
    witness: Witness, client: TestClient[Any, Any]
) -> None:
    """Earlier versions kept yes and no."""
    await witness.choose("household", True)
    await play(client, witness)
    assert named(witness.told()) == {ANNA, STRANGER.seerr}
    assert named(await witness.answers("other")) == {ANNA, MAPPED.seerr, STRANGER.seerr} - {
        ANNA
    } | {ANNA}
    await witness.choose("household", False)
    witness.seen.clear()
    await play(client, witness, 9200)
    assert named(repr(witness.seen)) == set()


async def test_what_cannot_be_understood_is_the_careful_choice() -> None:
    for options in ({}, {CONF_WATCH_DATA: "?", CONF_REQUESTER_NAMES: 7}):
        found = Privacy.of(options, People())
        assert (found.watching, found.requesters) == (Watching.HOUSEHOLD, Requesters.HOUSEHOLD)


# --- the rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("watching", "mapped", "other"),
    [
        (Watching.OFF, None, None),
        (Watching.HOUSEHOLD, "plex:1", "plex:somebody"),
        (Watching.PER_PERSON, "plex:1", None),
    ],
)
def test_as_whom_a_viewer_is_kept(
    watching: Watching, mapped: str | None, other: str | None
) -> None:
    plex = Service(id="plex", kind="plex", role=Role.PLAYBACK, server_id=PLEX_ID)
    person = MappedPerson(id="a", name="A", users=(ServiceUser(service="plex", name="a", id="1"),))
    rule = Privacy(watching=watching, people=People([person], {"plex": plex}))
    assert rule.viewer("plex:1") == mapped
    assert rule.viewer("plex:2") == other
    # What is kept stays what it is.
    for kept in (mapped, other):
        assert kept is None or rule.viewer(kept) == kept


@pytest.mark.parametrize("kind", sorted(DECODERS))
@pytest.mark.parametrize("watching", Watching)
def test_what_is_screened_is_screened(kind: str, watching: Watching) -> None:
    """A second time changes nothing, and what was cut and cannot be read is not kept."""
    service = Service(id="s", kind=kind, role=DECODERS[kind].role, server_id="srv")
    rule = Privacy(watching=watching, requesters=Requesters.OFF)
    for event, payload in (
        ("media.scrobble", '{"event":"media.scrobble","Account":{"id":5},"Metadata":{}}'),
        ("watched", '{"event":"watched","user_id":"5"}'),
        ("PlaybackStop", '{"NotificationType":"PlaybackStop","UserId":"aa5"}'),
        ("item.rate", '{"Event":"item.rate","User":{"Id":"aa5"}}'),
        ("MEDIA_PENDING", '{"request":{"requestedBy_username":"five"},"username":"five"}'),
        ("library.new", '{"event":"library.new","Account":{"id":5}}'),
    ):
        once = rule.screen(service, event, payload)
        assert rule.screen(service, event, once) in {once, NOTE}
        assert json.loads(once) is not None
    cut = '{"event":"media.scrobble","Account":{"id":5'
    assert rule.screen(service, "media.scrobble", cut) == (NOTE if rule.screens(service) else cut)


@pytest.mark.parametrize(
    ("watching", "kept"),
    [
        ("off", []),
        ("household", [f"plex:{MAPPED.plex}", "plex:somebody"]),
        ("per_person", [f"plex:{MAPPED.plex}"]),
    ],
)
async def test_what_is_read_from_services_is_held_to_the_same_rule(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, watching: str, kept: list[str]
) -> None:
    home = witness.home
    await witness.choose(watching, "household")
    await home.hear(request(FILM, 0))
    seen = [watched(FILM, at, f"plex:{who.plex}") for at, who in ((5, STRANGER), (500, MAPPED))]
    await home.hear(*seen)
    (arrival,) = home.runtime.board.arrivals()
    assert sorted(one.viewer for one in arrival.whole.watches) == kept
    # Nobody is asked about what would be dropped.
    questions = [
        Question(service="plex", kind=QuestionKind.ITEM, item=str(number), about=about)
        for number, about in enumerate(seen, 1)
    ]
    asked_about: list[str] = []
    add = home.runtime.questions.add

    def noted(question: Question, tickets: Any) -> None:
        assert question.about is not None
        asked_about.append(question.about.viewer)
        add(question, tickets)

    monkeypatch.setattr(home.runtime.questions, "add", noted)
    await home.runtime.apply((), service="plex", questions=questions)
    assert sorted(asked_about) == kept


# --- after a change -------------------------------------------------------------------------------


async def test_switching_off_deletes_what_was_kept(
    hass: HomeAssistant,
    witness: Witness,
    client: TestClient[Any, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board_store, "_BATCH", 2)
    shown: list[str] = []
    note = screening.Progress.note

    def noted(progress: screening.Progress, rows: int) -> None:
        note(progress, rows)
        issue = ir.async_get(hass).async_get_issue(DOMAIN, DELETING)
        assert issue is not None
        shown.append((issue.translation_placeholders or {})["percent"])

    monkeypatch.setattr(screening.Progress, "note", noted)
    await witness.choose("household", "everybody")
    await play(client, witness)
    runtime, storage = witness.home.runtime, witness.home.runtime.storage
    assert storage is not None
    # One of them has left the board.
    (old,) = [one for one in runtime.board.arrivals() if one.requests[0][1] == 9101]
    await storage.retire([old.id])
    runtime.board.unload([old.id])
    assert named(await witness.on_disk(), (*MAPPED.ids, MAPPED.seerr, STRANGER.seerr)) == {
        *MAPPED.ids,
        MAPPED.seerr,
        STRANGER.seerr,
    }

    await witness.choose("off", "off")

    assert named(await witness.on_disk()) == set()
    assert b"somebody" not in await witness.on_disk()
    assert shown
    assert [int(one) for one in shown] == sorted(int(one) for one in shown)
    assert ir.async_get(hass).async_get_issue(DOMAIN, DELETING) is None
    # It is done once.
    shown.clear()
    runtime.screening.async_look()
    await witness.settle()
    assert not shown


async def test_whoever_leaves_the_map_is_somebody_from_then_on(
    hass: HomeAssistant, witness: Witness, client: TestClient[Any, Any]
) -> None:
    await witness.choose("household", "household")
    await play(client, witness)
    (subentry,) = witness.home.board_entry.subentries
    hass.config_entries.async_remove_subentry(witness.home.board_entry, subentry)
    await witness.settle()
    assert named(await witness.on_disk(), (*MAPPED.ids, *STRANGER.ids)) == set()
    details = await witness.details(9101, "admin")
    assert (details["watched"], details["watched_by"]) == (True, [])
    # Of those who asked, the name in Seerr is kept.
    assert details["requests"][0]["requester"] == MAPPED.seerr


async def test_what_a_restart_interrupts_is_done_by_the_next_start(
    hass: HomeAssistant, witness: Witness, client: TestClient[Any, Any]
) -> None:
    await witness.choose("household", "household")
    await play(client, witness)
    runtime, storage = witness.home.runtime, witness.home.runtime.storage
    assert storage is not None
    entry = witness.home.board_entry
    hass.config_entries.async_update_entry(entry, options={CONF_WATCH_DATA: "off"})
    await runtime.screening.async_stop()
    assert named(await witness.on_disk(), MAPPED.ids)
    # As at a start.
    runtime.screening.restore((await storage.records.load())[screening.DOCUMENT])
    runtime.screening.async_look()
    assert named(await witness.on_disk(), MAPPED.ids) == set()
    runtime.screening.restore((await storage.records.load())[screening.DOCUMENT])
    runtime.screening.async_look()
    assert runtime.screening._task is not None  # noqa: SLF001
    assert runtime.screening._task.done()  # noqa: SLF001


# --- forgetting a person --------------------------------------------------------------------------


async def test_a_person_is_forgotten_to_the_last_byte(
    hass: HomeAssistant, witness: Witness, client: TestClient[Any, Any]
) -> None:
    await witness.choose("per_person", "per_person")
    await play(client, witness)
    runtime, storage = witness.home.runtime, witness.home.runtime.storage
    assert storage is not None
    anna = witness.users["anna"].id
    (own,) = [one for one in runtime.board.arrivals() if one.requests[0][1] == 9101]
    (other,) = [one for one in runtime.board.arrivals() if one.requests[0][1] == 9102]
    # What they caused is in a timeline, and what left the board is forgotten, too.
    await post(client, "seerr", asked(MAPPED, 9103))
    await witness.settle()
    context = Context(user_id=anna)
    await act_as(hass, context, own.id)
    await storage.retire([own.id])
    runtime.board.unload([own.id])
    before = storage.path.with_name(f"{storage.path.name}.before-v3")
    before.write_bytes(MAPPED.seerr.encode())

    answer = await act(hass, "forget_person", person=entity_of(hass))

    assert (answer["arrivals"], answer["requests"]) == (1, 2)
    # Two requests and one film on four servers; ratings tell nothing but who.
    assert answer["deliveries"] == 8
    # Who is in the map stays there until somebody takes them out.
    assert answer["still_in_people"] is True
    disk = await witness.on_disk()
    assert named(disk, (*MAPPED.ids, *MAPPED.names, ANNA, anna)) == set()
    assert not before.exists()
    assert STRANGER.seerr.encode() in disk
    assert (await witness.details(9101, None))["watched"] is False
    assert runtime.board.get(other.id) is not None
    again = await act(hass, "forget_person", person=entity_of(hass))
    assert [again[key] for key in ("arrivals", "requests", "deliveries", "timeline_steps")] == [
        0,
        0,
        0,
        0,
    ]


async def test_who_is_in_what_was_cut_is_forgotten_too(
    hass: HomeAssistant, witness: Witness, client: TestClient[Any, Any]
) -> None:
    await witness.choose("per_person", "per_person")
    await play(client, witness)
    long = by_plex(MAPPED, 9101)
    # Of a delivery that is worked off, only the beginning is kept.
    long["Metadata"]["Guid"] += [{"id": f"tvdb://{number}"} for number in range(1, 5000)]
    await post(client, "plex", long)
    await witness.settle()
    storage = witness.home.runtime.storage
    assert storage is not None
    (row,) = (await storage.journal.recent(limit=1, with_payload=True)).rows
    assert row.payload is not None
    assert MAPPED.plex in row.payload
    assert len(row.payload) < row.payload_length

    assert (await act(hass, "forget_person", person=entity_of(hass)))["deliveries"] == 8

    assert named(await witness.on_disk(), (*MAPPED.ids, *MAPPED.names)) == set()


async def test_only_persons_can_be_forgotten_as_such(hass: HomeAssistant, witness: Witness) -> None:
    with pytest.raises(ServiceValidationError) as failed:
        await act(hass, "forget_person", person="person.nobody")
    assert failed.value.translation_key == "person_not_found"


def entity_of(hass: HomeAssistant) -> str:
    """Return the person's entity."""
    (state,) = hass.states.async_all("person")
    return state.entity_id


async def act_as(hass: HomeAssistant, context: Context, arrival_id: str) -> None:
    """Dismiss an arrival as somebody."""
    await hass.services.async_call(
        DOMAIN, "dismiss_arrival", {"arrival_id": arrival_id}, blocking=True, context=context
    )
