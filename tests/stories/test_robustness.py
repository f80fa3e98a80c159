"""Services fail in every way that services fail: who else suffers, what is said, what is lost."""

import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from freezegun.api import TickingDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.util import dt as dt_util
from homeassistant.util.ssl import (
    SSL_ALPN_HTTP11,
    SSL_ALPN_HTTP11_HTTP2,
    SSL_ALPN_NONE,
    client_context,
)
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.media_arrivals import coordinator, finder, indexing
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from simulator import Stack
from tests.house import House
from tests.stories.family import Family
from tests.stories.media_family import MediaFamily
from tests.stories.robust_home import (
    ENDS,
    KINDS,
    MEDIA_SERVERS,
    TOLD,
    TROUBLES,
    UNTOLD,
    Certificates,
    RobustHome,
    Trouble,
)


@pytest.fixture
async def stack(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    async with Stack.household() as running:
        monkeypatch.setattr(account, "PLEX_TV", running.plex_tv.url)
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "GATHER_SECONDS", 0.01)
    monkeypatch.setattr(indexing, "PAUSES", (0.01,))
    monkeypatch.setattr(coordinator, "Pace", lambda: Pace(seconds=0.0))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a certificate that Home Assistant trusts, and one that nobody signed."""
    folder = tmp_path_factory.mktemp("certificates")
    good, selfmade = make_certificate(folder / "good.pem"), make_certificate(folder / "own.pem")
    for protocols in (SSL_ALPN_NONE, SSL_ALPN_HTTP11, SSL_ALPN_HTTP11_HTTP2):
        client_context(alpn_protocols=protocols).load_verify_locations(folder / "good.pem")
    return Certificates(good=good, selfmade=selfmade)


def make_certificate(path: Path) -> ssl.SSLContext:
    """Make a key, and a certificate of this machine's own address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, path.stem)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture
def home(
    family: Family,
    house: House,
    clock: TickingDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    certificates: Certificates,
    kind: str,
) -> RobustHome:
    return RobustHome(MediaFamily(house, clock), kind, caplog, monkeypatch, certificates)


TABLE = [
    pytest.param(kind, trouble, id=f"{kind}-{trouble.name}")
    for trouble in TROUBLES
    for kind in trouble.kinds
]


@pytest.mark.parametrize(("kind", "trouble"), TABLE)
async def test_a_service_goes_and_comes_back(home: RobustHome, trouble: Trouble) -> None:
    if trouble.before is not None:
        await trouble.before(home)
    await home.move_in()
    cursor = home.cursor()
    says = trouble.said_of(home.kind)

    await trouble.begin(home)
    await home.poll()
    await home.story()
    await home.poll()
    await home.poll(home.neighbour)
    await home.neighbours_story()

    status = await home.shown_status()
    lines = int(status != "ok")
    assert status == says if says is not None else status in {"ok", "timed_out"}
    assert len(home.lines()) == lines, home.lines()
    if status != "ok":
        assert (home.cursor(), await home.stored_cursor()) == (cursor, cursor)
    record = home.media.house.runtime.records[f"{home.neighbour}_entry"]
    assert (record.last_status, record.failed) == ("ok", 0)

    await trouble.end(home)
    await home.poll()
    await home.answered()

    assert await home.shown_status() == "ok"
    assert len(home.lines()) == 2 * lines, home.lines()
    assert home.reauthentications() == 0
    assert await home.unprocessed() == []
    assert home.record.version == home.double.version.removeprefix("v")
    stages = home.media.stages()
    end = ENDS.get(home.kind, "available")
    assert {stages[TOLD, "hd"], stages[UNTOLD, "hd"]} == {end}
    for told in home.media.told().values():
        assert len(told) == len(set(told))


# --- a key that is refused ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_that_is_refused_for_long_is_asked_for_once(home: RobustHome) -> None:
    await home.move_in()
    home.double.misbehave("401")
    for _ in range(5):
        await home.poll()
    assert home.reauthentications() == 0

    home.media.clock.tick(301)
    for _ in range(3):
        await home.poll()

    assert home.reauthentications() == 1
    assert len(home.lines()) == 1, home.lines()
    home.double.behave()
    await home.poll()
    assert await home.shown_status() == "ok"


@pytest.mark.parametrize("kind", KINDS)
async def test_refusals_that_others_interrupt_do_not_add_up(home: RobustHome) -> None:
    await home.move_in()
    for _ in range(4):
        home.double.misbehave("401")
        await home.poll()
        home.double.behave()
        home.media.clock.tick(200)
        await home.poll()

    assert home.reauthentications() == 0


# --- a service that is down when Home Assistant starts ------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_that_is_down_at_its_first_start_comes_later(home: RobustHome) -> None:
    media, hass = home.media, home.media.house.hass
    await home.double.go_down()
    media.house.add_board()
    neighbour, entry = media.add(home.neighbour), media.add(home.kind)
    await media.house.start()
    await media.joined(home.neighbour)

    assert (entry.state, neighbour.state) == (
        ConfigEntryState.SETUP_RETRY,
        ConfigEntryState.LOADED,
    )
    assert entry.error_reason_translation_key == "connection_refused"
    await home.neighbours_story()
    assert [line for line in home.lines() if home.kind in line] == []

    await home.double.go_up()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=10))
    await media.joined(home.kind)

    assert [entry.state] == [ConfigEntryState.LOADED]
    assert await home.shown_status() == "ok"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_known_service_that_is_down_at_a_start_is_shown(home: RobustHome) -> None:
    await home.move_in()
    hass, entry = home.media.house.hass, home.media.entries[home.kind]
    await home.double.go_down()
    await hass.config_entries.async_reload(entry.entry_id)

    assert entry.state is ConfigEntryState.LOADED
    assert await home.shown_status() == "connection_refused"
    await home.story()
    await home.neighbours_story()
    assert len(home.lines()) == 1, home.lines()

    await home.double.go_up()
    await home.poll()
    await home.answered()

    assert len(home.lines()) == 2, home.lines()
    assert await home.unprocessed() == []
    stages = home.media.stages()
    end = ENDS.get(home.kind, "available")
    assert {stages[TOLD, "hd"], stages[UNTOLD, "hd"]} == {end}


# --- a service that is away for long --------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_left_open_is_asked_for_after_a_long_time(home: RobustHome) -> None:
    await home.move_in()
    home.double.misbehave("500")
    await home.poll()
    await home.story()
    for _ in range(8):
        home.media.clock.tick(600)
        for one in home.media.house.runtime.coordinators.values():
            one.async_wake()
        await home.media.house.settle()

    home.double.behave()
    await home.poll()
    back = time.time()
    await home.answered()

    # However long the pauses between two attempts were by then.
    assert time.time() - back < 120
    assert await home.unprocessed() == []
    stages = home.media.stages()
    end = ENDS.get(home.kind, "available")
    assert {stages[TOLD, "hd"], stages[UNTOLD, "hd"]} == {end}


@pytest.mark.parametrize("kind", MEDIA_SERVERS)
async def test_a_media_server_that_was_away_for_long_is_told_where_to_look(
    home: RobustHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder, "PAUSES", (0.01,))
    await home.media.move_in(["radarr", home.kind])
    await home.double.go_down()
    await home.poll()
    film = home.media.stack.catalogue.film(TOLD)
    radarr = home.media.stack.radarr
    await radarr.import_file(await radarr.grab(await radarr.add_movie(film)))
    await home.media.house.until(
        lambda: home.media.stages().get((TOLD, "hd")) == "downloaded", what="the import"
    )
    searches = home.media.house.runtime.finder._searches  # noqa: SLF001
    monkeypatch.setattr(finder, "ANSWER_SECONDS", 0.01)
    home.media.clock.tick(finder.GIVE_UP_AFTER + 60)
    await home.media.house.until(lambda: not searches, what="the end of the search")
    (arrival,) = home.media.house.runtime.board.arrivals()
    assert home.media.house.runtime.finder.not_found(arrival)
    # It does not look by itself: it must be told.
    monkeypatch.setattr(home.double, "scan", home.look)

    await home.double.go_up()
    await home.poll()
    await home.answered()
    await home.media.found()

    assert home.media.stages()[TOLD, "hd"] == "available"
    assert home.media.house.runtime.finder.not_found(arrival) == ()
