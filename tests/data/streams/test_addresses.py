"""Addresses of streams are taken apart, and hold no secret."""

import pytest

from heptad.core.errors import SettingsError
from heptad.data.streams.addresses import parse_address


def test_an_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several hosts, a user with a password from the environment, and a topic as it is written."""
    monkeypatch.setenv("PASSWORD", "sesame")
    found = parse_address("mqtt://me:${PASSWORD}@one:1,two,three:3/plant/+/#")
    assert found.hosts == ["one:1", "two", "three:3"]
    assert found.servers(1883) == [("one", 1), ("two", 1883), ("three", 3)]
    assert found.topic == "plant/+/#"
    assert found.user == "me"


def test_a_password_comes_from_the_environment_and_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is written out is refused; signs that an address cannot hold are written as %XX."""
    monkeypatch.setenv("PASSWORD", "p%40ss")
    found = parse_address("nats://me:${PASSWORD}@host/orders.>")
    assert (found.password, found.where) == ("p@ss", "nats://host/orders.>")
    assert "p@ss" in found.secrets
    with pytest.raises(SettingsError, match="holds a password") as told:
        parse_address("nats://me:open-sesame@host/orders")
    assert "sesame" not in str(told.value)


def test_a_token_is_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """NATS takes one in the place of a user."""
    monkeypatch.setenv("TOKEN", "t0ken")
    assert parse_address("nats://${TOKEN}@host/orders").secrets == ("t0ken",)


@pytest.mark.parametrize("uri", ["kafka:topic", "kafka://host", "kafka://host/", "kafka:///topic", "kafka://"])
def test_what_is_no_address_is_refused(uri: str) -> None:
    """Without showing it: it may hold a password."""
    with pytest.raises(SettingsError, match="cannot be read as the address of a stream"):
        parse_address(uri)


def test_a_port_is_a_number() -> None:
    """Named, where it is none."""
    with pytest.raises(SettingsError, match="'kafka' in 'host:kafka' is no port"):
        parse_address("kafka://host:kafka/topic").servers(1)
