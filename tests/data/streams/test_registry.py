"""Schemas of a registry are asked for once, and are there while it is away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.adapters.brokers import send_kafka, settings_of
from tests.adapters.registries import RegistryServer, framed, record_of, registry_server

from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import Landed, Place, SourceSettings, Until, follow
from heptad.data.streams.following import landed_folder
from heptad.data.streams.landed import MESSAGE, LandedTable
from heptad.data.streams.landing import POISON, poison_folder
from heptad.data.streams.registry import KEPT, Schemas, with_named

ONE = record_of(number="long", price="double")
TWO = record_of(number="long", price="double", tax="double")


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with registry_server() as made:
        made.register(1, ONE)
        made.register(2, TWO)
        yield made


def test_a_schema_is_asked_for_once(server: RegistryServer, tmp_path: Path) -> None:
    """Also by the next process, while the registry is away; not by one that asks another registry."""
    settings = settings_of("kafka://host/t", registry=server.url, retries=0)
    schemas = Schemas(tmp_path, settings)
    assert [schemas.of(1) == ONE, schemas.of(1) == ONE, schemas.of(2) == TWO] == [True] * 3
    assert server.asked == [1, 2]
    server.broken = (500, b"")
    assert Schemas(tmp_path, settings).of(2) == TWO
    other = settings_of("kafka://host/t", registry=f"{server.url}/other", retries=0)
    with pytest.raises(UnavailableError):
        Schemas(tmp_path, other).of(1)
    (tmp_path / KEPT).write_bytes(b"{half")
    with pytest.raises(UnavailableError):
        Schemas(tmp_path, settings).of(1)


def test_what_is_no_schema_of_avro_says_so(server: RegistryServer, tmp_path: Path) -> None:
    """Other kinds, no JSON, no record; an unknown one is asked for each time."""
    server.register(3, "message M {}", schemaType="PROTOBUF")
    server.register(5, "{")
    server.register(6, '"string"')
    schemas = Schemas(tmp_path, settings_of("kafka://host/t", registry=server.url))
    assert [schemas.of(number) for number in (3, 5, 6, 9)] == [
        "schema 3 is of the kind PROTOBUF, and not AVRO",
        "schema 5 cannot be read: it is no JSON",
        "schema 6 is no record",
        "the registry has no schema 9",
    ]
    server.register(9, ONE)
    assert schemas.of(9) == ONE


def settings_at(topic: str, server: RegistryServer, **more: object) -> SourceSettings:
    return settings_of(f"kafka://{topic}", format="avro", registry=server.url, **more)


def sent(topic: str, *payloads: bytes) -> None:
    servers, _, name = topic.partition("/")
    send_kafka(servers, name, list(payloads))


def test_messages_of_a_registry_land(server: RegistryServer, topic: str, tmp_path: Path) -> None:
    """Of two schemas over a broker, and one that nobody knows goes to quarantine with its reason."""
    settings, place = settings_at(topic, server), Place(root=tmp_path)
    unknown = framed(9, ONE, {"number": 3, "price": 0.5})
    sent(topic, framed(1, ONE, {"number": 1, "price": 0.5}), unknown, framed(2, TWO, {"number": 2, "tax": 0.1}))
    assert follow(settings, place, Until(now=True)) == Landed(rows=2, poison=1)
    folder = landed_folder(settings, place)
    rows = LandedTable(folder, MESSAGE).scan().select("number", "price", "tax").sort("number").collect().rows()
    assert rows == [(1, 0.5, None), (2, None, 0.1)]
    poison = LandedTable(poison_folder(folder), POISON).scan().collect()
    assert poison.select("reason", "payload").rows() == [("the registry has no schema 9", unknown)]


MONEY = {"type": "record", "name": "shop.Money", "fields": [{"name": "cents", "type": "long"}]}
TAX = {"type": "record", "name": "Tax", "namespace": "shop", "fields": [{"name": "of", "type": "Money"}]}
BILL = {
    "type": "record",
    "name": "shop.Bill",
    "fields": [{"name": name, "type": ["null", kind]} for name, kind in (("tax", "Tax"), ("sum", "Money"))],
}


def test_messages_of_a_schema_that_refers_to_others_land(server: RegistryServer, topic: str, tmp_path: Path) -> None:
    """By what they say, wherever they are mentioned; also by the next process, while the registry is away."""
    money = {"name": "shop.Money", "subject": "money", "version": 1}
    server.register(3, MONEY)
    server.register(4, TAX, references=[money])
    server.register(5, BILL, references=[{"name": "shop.Tax", "subject": "tax", "version": 1}])
    server.subjects = {"money/versions/1": 3, "tax/versions/1": 4}
    whole = with_named(BILL, [MONEY, TAX])
    message = framed(5, whole, {"tax": {"of": {"cents": 7}}, "sum": {"cents": 40}})
    settings, place = settings_at(topic, server), Place(root=tmp_path)
    sent(topic, message)
    assert follow(settings, place, Until(now=True)) == Landed(rows=1)
    server.broken = (503, b"")
    sent(topic, message)
    assert follow(settings, place, Until(now=True)) == Landed(rows=1)
    rows = LandedTable(landed_folder(settings, place), MESSAGE).scan().collect()
    assert rows.select("tax.of.cents", "sum.cents").rows() == [(7, 40)] * 2


def test_a_topic_that_begins_in_another_kind_is_an_error(server: RegistryServer, topic: str, tmp_path: Path) -> None:
    """All of it would be poison; a single message among those in Avro is."""
    server.register(3, "message M {}", schemaType="PROTOBUF")
    settings, place, other = settings_at(topic, server), Place(root=tmp_path), b"\0\0\0\0\3x"
    sent(topic, other)
    with pytest.raises(DataError, match="not in Avro: schema 3 is of the kind PROTOBUF"):
        follow(settings, place, Until(now=True))
    sent(topic, framed(1, ONE, {"number": 1, "price": 0.5}))
    assert follow(settings, place, Until(now=True)) == Landed(rows=1, poison=1)
    sent(topic, other)
    assert follow(settings, place, Until(now=True)) == Landed(poison=1)


def test_a_registry_that_is_away_loses_nothing(
    server: RegistryServer, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked again as a broker is; where it stays away nothing has landed, and later everything does, once."""
    settings, place = settings_at(topic, server, retries=1), Place(root=tmp_path)
    sent(topic, *(framed(1, ONE, {"number": number, "price": 0.5}) for number in range(20)))
    server.broken = (503, b"")
    until = Until(now=True)
    monkeypatch.setattr(until.stop, "wait", lambda _pause: False)
    with pytest.raises(UnavailableError, match="could not be read"):
        follow(settings, place, until)
    folder = landed_folder(settings, place)
    assert LandedTable(folder, MESSAGE).positions() == {}
    pauses: list[float] = []

    def mend(pause: float) -> bool:
        server.broken = None
        pauses.append(pause)
        return False

    monkeypatch.setattr(until.stop, "wait", mend)
    assert follow(settings, place, until) == Landed(rows=20)
    assert len(pauses) == 1
    assert follow(settings, place, Until(now=True)) == Landed()


def test_settings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """Before any broker is asked."""
    for wrong in ({"format": "json"}, {"format": "avro", "schema": "x.avsc"}, {"format": "avro", "schema_id": 3}):
        settings = settings_of("kafka://127.0.0.1:1/t", registry="http://127.0.0.1:1", **wrong)
        with pytest.raises(SettingsError, match="registry"):
            follow(settings, Place(root=tmp_path), Until(now=True))


def test_who_is_not_let_in_is_told_at_once(server: RegistryServer, topic: str, tmp_path: Path) -> None:
    """Nothing lands of a topic whose schemas may not be read."""
    server.user = "me:secret"
    sent(topic, framed(1, ONE, {"number": 1, "price": 0.5}))
    with pytest.raises(DataError, match="does not let this reader in"):
        follow(settings_at(topic, server), Place(root=tmp_path), Until(now=True))
