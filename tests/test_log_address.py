"""What may stand in the address of a log on NATS servers."""

import pytest

from app.log.address import Address
from app.settings import Settings, SettingsError

NO_ADDRESSES = [
    "nats://",
    "nats://a,b",
    "nats://a,b,c,d",
    "nats://a,,c",
    "nats://user:secret@a",
    "nats://a:port",
    "nats://a/path",
    "nats://a?name=a.b",
    "nats://a?monitoring=x",
    "nats://a?monitoring=1,2",
    "nats://a?partitions=0",
    "nats://a?partitions=many",
    "nats://a?days=-1",
    "nats://a?days=",
    "nats://a?password=secret",
]


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_an_address_that_is_not_understood_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Address.parse(url)


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_settings_refuse_such_an_address(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^PITWALL_LOG: .* expected"):
        Settings.from_env({"PITWALL_LOG": url})


def test_an_address_names_servers_ports_and_the_installation() -> None:
    assert Address.parse("nats://a,b:4223,[::1]") == Address(
        ("a:4222", "b:4223", "[::1]:4222"), ("a:8222", "b:8222", "[::1]:8222"), "pitwall", 32
    )
    url = "nats://a,b,c?name=north&monitoring=1,2,3"
    assert Address.parse(url).monitoring == ("a:1", "b:2", "c:3")
    assert Settings.from_env({"PITWALL_LOG": url}).log == url


def test_an_address_says_how_long_events_stay_and_where_secrets_are() -> None:
    address = Address.parse("nats://a?partitions=64&days=14&credentials=/run/nats&tls=yes")

    assert (address.partitions, address.days) == (64, 14)
    assert (address.credentials, address.tls) == ("/run/nats", "yes")
