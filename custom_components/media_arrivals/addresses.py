"""Web addresses as people type them, in one form."""

from ipaddress import ip_network
from typing import Final

from yarl import URL

_API_PATHS: Final = ("/api/v3", "/api/v1", "/api")


class AddressError(ValueError):
    """What was typed is no address; ``key`` names the translated text."""

    key = "invalid_url"


class LoginInAddressError(AddressError):
    """An address with a user name or a password in it."""

    key = "url_with_login"


class NetworkError(ValueError):
    """What was typed is neither an IP address nor a network."""

    key = "invalid_network"


def normalise_url(text: str) -> str:
    """Return scheme, host, port and base path: two spellings of one address are equal.

    Raises :class:`AddressError`.
    """
    typed = text.strip()
    if "://" not in typed:
        typed = f"http://{typed}"
    try:
        url = URL(typed)
        port = url.explicit_port
    except ValueError as err:
        raise AddressError from err
    if url.scheme not in {"http", "https"} or not url.host or " " in url.host or port == 0:
        raise AddressError
    if url.user is not None or url.password is not None:
        raise LoginInAddressError
    path = url.path.rstrip("/")
    for api in _API_PATHS:
        if path.lower().endswith(api):
            path = path[: -len(api)].rstrip("/")
            break
    return str(
        URL.build(
            scheme=url.scheme,
            host=url.host.lower(),
            port=None if url.is_default_port() else port,
            path=path,
        )
    ).rstrip("/")


def normalise_network(text: str) -> str:
    """Return an address or a network in one form. Raises :class:`NetworkError`."""
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError as err:
        raise NetworkError from err
