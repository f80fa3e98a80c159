"""What people type becomes one form, or a reason why not."""

import pytest

from custom_components.media_arrivals.addresses import (
    AddressError,
    LoginInAddressError,
    NetworkError,
    normalise_network,
    normalise_url,
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("radarr:7878", "http://radarr:7878"),
        ("  HTTP://Radarr.Home:7878/ ", "http://radarr.home:7878"),
        ("https://media.example/Radarr/", "https://media.example/Radarr"),
        ("https://media.example/radarr/api/v3/", "https://media.example/radarr"),
        ("https://media.example/API/V1", "https://media.example"),
        ("http://10.0.0.5:5055/api", "http://10.0.0.5:5055"),
        ("http://10.0.0.5:80", "http://10.0.0.5"),
        ("https://10.0.0.5:443/a/", "https://10.0.0.5/a"),
        ("https://10.0.0.5:80", "https://10.0.0.5:80"),
        ("10.0.0.5:7878/radarr?apikey=x#top", "http://10.0.0.5:7878/radarr"),
        ("[2001:DB8::1]:7878", "http://[2001:db8::1]:7878"),
        ("http://media.example/a%20b/", "http://media.example/a%20b"),
        ("http://media.example/apiary", "http://media.example/apiary"),
    ],
)
def test_spellings_of_an_address(typed: str, expected: str) -> None:
    assert normalise_url(typed) == expected
    assert normalise_url(expected) == expected


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "http://", "ftp://radarr", "radarr:99999", "radarr:0", "a b", "http://a:b:7878"],
)
def test_no_address(typed: str) -> None:
    with pytest.raises(AddressError) as error:
        normalise_url(typed)
    assert error.value.key == "invalid_url"


@pytest.mark.parametrize("typed", ["http://anna:secret@radarr:7878", "http://anna@radarr"])
def test_a_login_in_the_address_is_refused(typed: str) -> None:
    with pytest.raises(LoginInAddressError) as error:
        normalise_url(typed)
    assert error.value.key == "url_with_login"
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("192.168.1.10", "192.168.1.10/32"),
        (" 172.18.0.7/16 ", "172.18.0.0/16"),
        ("fd00::1/64", "fd00::/64"),
    ],
)
def test_networks(typed: str, expected: str) -> None:
    assert normalise_network(typed) == expected


@pytest.mark.parametrize("typed", ["", "192.168.1.300", "home", "10.0.0.0/40"])
def test_no_network(typed: str) -> None:
    with pytest.raises(NetworkError) as error:
        normalise_network(typed)
    assert error.value.key == "invalid_network"
