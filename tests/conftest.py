"""Fixtures for tests that need Home Assistant."""

import asyncio
import functools
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from hypothesis import HealthCheck, settings
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.media_arrivals import coordinator
from simulator import Stack
from tests.house import House

# How long one example takes depends on what else the machine does: that is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant, if there is one, see what is in custom_components."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what many deliveries ask wait for nothing."""
    monkeypatch.setattr(coordinator, "lenient_pace", lambda: None)


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Refuse calls from other threads, as the debug mode of asyncio does.

    What else that does, a stack trace for every future, takes two thirds of all tests' time.
    PYTHONASYNCIODEBUG=1 switches it on.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, asyncio.BaseEventLoop)
    for name in ("call_soon", "call_at"):
        setattr(loop, name, in_its_own_thread(getattr(loop, name)))


def in_its_own_thread[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """Return a call that works in the thread that is the event loop's now, and in no other."""
    thread = threading.get_ident()

    @functools.wraps(call)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if threading.get_ident() != thread:
            raise RuntimeError("Not from this thread: use call_soon_threadsafe")
        return call(*args, **kwargs)

    return guarded


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give each test a database of its own."""
    return hass_tmp_config_dir


@pytest.fixture
async def stack(socket_enabled: None) -> AsyncIterator[Stack]:
    """Run a Seerr, a Radarr, a Radarr for 4K and a Sonarr."""
    async with Stack.default() as running:
        yield running


@pytest.fixture
async def house(
    hass: HomeAssistant, stack: Stack, hass_client_no_auth: ClientSessionGenerator
) -> House:
    """Return a Home Assistant with HTTP, beside a media stack."""
    assert await async_setup_component(hass, "http", {})
    # As Home Assistant's own server does: endpoints may be registered while it runs.
    hass.http.app._router.freeze = lambda: None  # type: ignore[method-assign]  # noqa: SLF001
    client: TestClient[Any, Any] = await hass_client_no_auth()
    hass.config.internal_url = str(client.make_url("")).rstrip("/")
    return House(hass, stack, client)


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """Return a server's TLS with a certificate that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "radarr.invalid")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
