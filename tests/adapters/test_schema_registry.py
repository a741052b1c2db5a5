"""A registry is asked over HTTP as Confluent's is: what it knows, what it does not, and when it is away."""

from collections.abc import Iterator

import pytest
from tests.adapters.brokers import settings_of
from tests.adapters.registries import RegistryServer, record_of, registry_server

from heptad.core.errors import DataError, HeptadError, UnavailableError
from heptad.data import Registered, SchemaRegistry
from heptad.data.streams.registry import open_registry


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with registry_server() as made:
        yield made


def registry(address: str, **settings: object) -> SchemaRegistry:
    return open_registry(settings_of("kafka://host/topic", registry=address, **settings))


def test_schemas_are_answered_by_number(server: RegistryServer) -> None:
    """Of any kind, with whether they refer to others; a path of the address stays."""
    server.register(7, record_of(number="long"))
    server.register(
        8, "syntax = 'proto3';", schemaType="PROTOBUF", references=[{"name": "x", "subject": "x", "version": 1}]
    )
    asked = registry(f"{server.url}/")
    found = asked.schema(7)
    assert found is not None
    assert (found.kind, found.named) == ("AVRO", [])
    assert asked.schema(8) == Registered("PROTOBUF", "syntax = 'proto3';")
    assert asked.schema(9) is None
    with pytest.raises(DataError, match=r"/other is no schema registry: it answered 404"):
        registry(f"{server.url}/other").schema(7)


def test_schemas_that_others_refer_to_come_with_them(server: RegistryServer) -> None:
    """Each once, behind those that it refers to itself; one that is not there is told."""
    money = {"name": "Money", "subject": "shop/money", "version": 1}
    price = {"name": "Price", "subject": "price", "version": 3}
    server.register(1, "money")
    server.register(2, "price", references=[money])
    server.register(3, "order", references=[price, money])
    server.subjects = {"shop/money/versions/1": 1, "price/versions/3": 2}
    assert registry(server.url).schema(3) == Registered("AVRO", "order", ["money", "price"])
    del server.subjects["shop/money/versions/1"]
    with pytest.raises(DataError, match="no version 1 of shop/money"):
        registry(server.url).schema(3)


def test_a_user_comes_from_the_environment(server: RegistryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By parts or as a whole, and whatever signs are in the password; it is in no message."""
    server.register(7, record_of(number="long"))
    server.user = "reader:p@ss/w#rd"
    monkeypatch.setenv("REGISTRY_PASSWORD", "p@ss/w#rd")
    address = server.url.replace("http://", "http://reader:${REGISTRY_PASSWORD}@")
    assert registry(address).schema(7) is not None
    monkeypatch.setenv("WHOLE", server.url.replace("http://", "http://reader:p%40ss%2Fw%23rd@"))
    assert registry("${WHOLE}").schema(7) is not None
    monkeypatch.setenv("REGISTRY_PASSWORD", "wrong-password")
    with pytest.raises(DataError, match="does not let this reader in: 401") as refused:
        registry(address).schema(7)
    server.broken = (500, b"")
    with pytest.raises(UnavailableError) as away:
        registry(address).schema(7)
    assert not any("wrong-password" in str(one.value) for one in (refused, away))


@pytest.mark.parametrize("address", ["host:8081", "ftp://host", "http://", "${NONE_SUCH}", "http://a:written@host"])
def test_addresses_that_cannot_be_used(address: str) -> None:
    """Nor is a password written out, which is not shown either."""
    with pytest.raises(HeptadError) as refused:
        registry(address)
    assert "written" not in str(refused.value).replace("written out", "")


def test_a_registry_that_is_away_is_asked_again(server: RegistryServer, pauses: list[float]) -> None:
    """As often as the settings say; what is told names the registry and not the broker."""
    server.broken = (503, b"busy")
    with pytest.raises(UnavailableError, match=rf"{server.url} could not be read, attempts: 3; .* 503"):
        registry(server.url, retries=2).schema(7)
    assert pauses == [0.2, 0.4]
    server.broken = (200, b"<html>a proxy</html>")
    with pytest.raises(UnavailableError, match="is no schema"):
        registry(server.url, retries=0).schema(7)
    with pytest.raises(UnavailableError, match=r"http://127\.0\.0\.1:1 could not be read"):
        registry("http://127.0.0.1:1", retries=0).schema(7)
