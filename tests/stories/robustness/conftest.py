"""A home of two services, for each kind of service."""

import ssl
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
from homeassistant.util.ssl import (
    SSL_ALPN_HTTP11,
    SSL_ALPN_HTTP11_HTTP2,
    SSL_ALPN_NONE,
    client_context,
)

from custom_components.media_arrivals import coordinator, finder, indexing
from custom_components.media_arrivals.engine.connectors.pace import Pace
from custom_components.media_arrivals.engine.connectors.plex import account
from simulator import Stack
from tests.house import House
from tests.stories.family import Family
from tests.stories.media_family import MediaFamily
from tests.stories.robustness.home import (
    Certificates,
    RobustHome,
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
