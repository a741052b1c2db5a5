"""Features are read with how fresh they are, by keys of the right kind."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.data.features.conftest import at

from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import ManualClock
from heptad.core.errors import InputError, NotFoundError
from heptad.core.records import Record
from heptad.data.features.packing import NEVER, entity_key, micros, namespace, pack
from heptad.data.features.reading import FeatureReader, split_reference
from heptad.data.features.records import FeatureView, TypedName

HOUR = 3_600_000_000


def view_of(name: str, keys: list[TypedName], features: list[str], ttl: str = "") -> Record[FeatureView]:
    body = FeatureView(
        name=name,
        version=1,
        entities=keys,
        time="t",
        inputs=[],
        features=[TypedName(one, "number") for one in features],
        settings={"ttl": ttl},
        behaviour=name * 16,
    )
    return Record(id=name, kind="feature_view", scope="test", at=at(0), actor="me", body=body)


WEATHER = view_of("weather", [TypedName("origin", "text")], ["temp", "wind"], ttl="2h")
PLANE = view_of("plane", [TypedName("tail", "integer")], ["seats", "temp"])


@pytest.fixture
def store(tmp_path: Path) -> LmdbStore:
    return LmdbStore(f"lmdb://{tmp_path}", "test")


@pytest.fixture
def moment() -> ManualClock:
    return ManualClock(at(3))


def put(store: LmdbStore, view: Record[FeatureView], key: list[Any], event: int, values: list[Any]) -> None:
    space = namespace(view.body.name, view.body.behaviour)
    store.put([(entity_key(space, key), pack(event, event + HOUR, values))])


def test_one_entity_of_one_view(store: LmdbStore, moment: ManualClock) -> None:
    """Values, a dict of them, and how old they are."""
    put(store, WEATHER, ["JFK"], micros(at(2)), [20.5, None])
    row = FeatureReader(store, moment, [(WEATHER, [])]).read({"origin": "JFK", "unused": 1})
    assert row.as_dict() == {"temp": 20.5, "wind": None}
    (fresh,) = row.freshness
    assert (fresh.view, fresh.state, fresh.age) == ("weather", "fresh", 3600.0)
    assert fresh.event_time == at(2)
    assert fresh.known == micros(at(3))


def test_what_is_older_than_its_ttl_counts_as_missing(store: LmdbStore, moment: ManualClock) -> None:
    """To the microsecond as in training, and it is said that it is stale; what was never stored is missing."""
    put(store, WEATHER, ["JFK"], micros(at(1)), [20.5, 3.0])
    reader = FeatureReader(store, moment, [(WEATHER, [])])
    assert reader.read({"origin": "JFK"}).as_dict()["temp"] == 20.5
    moment.advance(timedelta(microseconds=1))
    row = reader.read({"origin": "JFK"})
    assert row.as_dict() == {"temp": None, "wind": None}
    assert row.freshness[0].state == "stale"
    assert row.freshness[0].age == pytest.approx(7200)
    nobody = reader.read({"origin": "LAX"})
    assert nobody.as_dict() == {"temp": None, "wind": None}
    assert (nobody.freshness[0].state, nobody.freshness[0].age, nobody.freshness[0].event_time) == (
        "missing",
        None,
        None,
    )


def test_a_lookup_has_no_event(store: LmdbStore, moment: ManualClock) -> None:
    """Its age is the time since it was stored."""
    space = namespace("plane", PLANE.body.behaviour)
    store.put([(entity_key(space, [7]), pack(NEVER, micros(at(1)), [100.0, 1.0]))])
    (fresh,) = FeatureReader(store, moment, [(PLANE, [])]).read({"tail": 7}).freshness
    assert (fresh.state, fresh.event, fresh.age) == ("fresh", None, 7200.0)


def test_features_of_several_views_are_one_row(store: LmdbStore, moment: ManualClock) -> None:
    """Names that two views share get their view's name before them; each view tells how fresh it is."""
    put(store, WEATHER, ["JFK"], micros(at(2)), [20.5, 3.0])
    put(store, PLANE, [7], micros(at(2)), [100.0, 1.0])
    reader = FeatureReader(store, moment, [(WEATHER, []), (PLANE, ["temp", "seats"])])
    assert reader.entities == ["origin", "tail"]
    rows = reader.read_many([{"origin": "JFK", "tail": 8}, {"origin": "JFK", "tail": 7}])
    assert rows[1].as_dict() == {"weather_temp": 20.5, "wind": 3.0, "plane_temp": 1.0, "seats": 100.0}
    assert [one.state for one in rows[0].freshness] == ["fresh", "missing"]
    assert reader.read({"origin": "JFK", "tail": 7}).as_dict() == rows[1].as_dict()
    assert reader.read_many([]) == []


def test_only_the_features_asked_for_are_read(store: LmdbStore, moment: ManualClock) -> None:
    """In the order asked; one that the view does not have is named."""
    put(store, WEATHER, ["JFK"], micros(at(2)), [20.5, 3.0])
    assert FeatureReader(store, moment, [(WEATHER, ["wind"])]).read({"origin": "JFK"}).as_dict() == {"wind": 3.0}
    rows = FeatureReader(store, moment, [(WEATHER, ["wind", "temp"])]).read_many([{"origin": "JFK"}])
    assert rows[0].names == ("wind", "temp")
    with pytest.raises(NotFoundError, match="wind"):
        FeatureReader(store, moment, [(WEATHER, ["wnd"])])


NINE = datetime(2024, 5, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "stored", "given"),
    [
        ("text", "7", 7),
        ("category", "x", "x"),
        ("integer", 7, "7"),
        ("integer", 7, 7.0),
        ("number", 7.0, 7),
        ("number", 7.5, "7.5"),
        ("boolean", True, True),
        ("datetime", NINE, NINE.astimezone(timezone(timedelta(hours=5)))),
        ("datetime", NINE, "2024-05-01T11:00:00+02:00"),
    ],
)
def test_keys_are_understood_as_a_request_may_hold_them(
    store: LmdbStore, moment: ManualClock, kind: Any, stored: Any, given: Any
) -> None:
    """Numbers as text, text as numbers, times in any zone: the entity is the same."""
    view = view_of("one", [TypedName("key", kind)], ["value"])
    pair = view_of("two", [TypedName("key", kind), TypedName("other", "text")], ["value"])
    put(store, view, [stored], 0, [1.0])
    put(store, pair, [stored, "x"], 0, [2.0])
    for key in (stored, given):
        assert FeatureReader(store, moment, [(view, [])]).read({"key": key}).values == [1.0]
        assert FeatureReader(store, moment, [(pair, [])]).read({"key": key, "other": "x"}).values == [2.0]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("integer", "seven"),
        ("integer", 7.5),
        ("integer", True),
        ("number", "x"),
        ("boolean", 1),
        ("text", True),
        ("text", ["a"]),
        ("datetime", "yesterday"),
        ("datetime", datetime(2024, 5, 1)),  # noqa: DTZ001 - that is the mistake
        ("datetime", 5),
    ],
)
def test_a_key_that_names_no_entity_is_refused(store: LmdbStore, moment: ManualClock, kind: Any, given: Any) -> None:
    """With the type that it should have; a time has to say its zone."""
    reader = FeatureReader(store, moment, [(view_of("one", [TypedName("key", kind)], ["value"]), [])])
    with pytest.raises(InputError, match=f"a value of the type {kind}"):
        reader.read({"key": given})


def test_an_entity_without_a_key_is_refused_and_null_is_nobody(store: LmdbStore, moment: ManualClock) -> None:
    """The column that is missing is named; null is a key that nothing has."""
    reader = FeatureReader(store, moment, [(WEATHER, []), (PLANE, [])])
    with pytest.raises(InputError, match="has no 'tail', by which the view plane is read"):
        reader.read({"origin": "JFK"})
    assert [one.state for one in reader.read({"origin": None, "tail": None}).freshness] == ["missing", "missing"]


LOADED = """
import sys
from heptad.adapters.lmdb import LmdbStore
from heptad.data import PublishedFeatures
print(*(name for name in ("polars", "numpy", "sqlalchemy", "deltalake") if name in sys.modules))
"""


def test_reading_loads_no_table_library() -> None:
    """So that a server may read features without holding Polars."""
    done = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_references_name_a_view_or_one_of_its_features() -> None:
    """With a colon between them; an unknown view is named with those that are known."""
    assert split_reference("weather", ["weather"]) == ("weather", [])
    assert split_reference("weather:temp", ["weather"]) == ("weather", ["temp"])
    with pytest.raises(NotFoundError, match="weather"):
        split_reference("wether:temp", ["weather"])
