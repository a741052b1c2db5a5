"""What passes between tasks comes back as it was, without executing anything."""

import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from heptad.core.errors import InputError, IntegrityError, NotFoundError
from heptad.core.flow_values import Packed, Value, pack
from heptad.core.records import Change, Record, canonical_json


def nothing(digest: str) -> bytes:
    raise NotFoundError("artifact", digest)


def back(value: Any) -> Any:
    """The value as it comes out of a store: through JSON text, and artifacts by their digests."""
    packed = pack(value)
    tree = msgspec.json.decode(canonical_json(packed.tree))
    return Value(Packed(tree, packed.digest, {}), packed.blobs.__getitem__).read()


TEXT = st.text(st.characters(codec="utf-8"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.binary(max_size=600)
    | st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=5.5)), ZoneInfo("America/New_York")]))
    | st.dates()
    | st.timedeltas()
)
HASHABLE = st.none() | st.booleans() | st.integers() | TEXT | st.dates()
VALUES = st.recursive(
    SCALARS | st.frozensets(HASHABLE) | st.sets(HASHABLE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE | st.just("$"), inner, max_size=4)
    ),
    max_leaves=12,
)


def spelled(value: Any) -> str:
    """Tells apart what == does not: types, the sign of zero, NaN, the order of keys, but not the order of sets."""
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}{sorted(map(spelled, value))}"
    if isinstance(value, dict):
        return f"dict{[(spelled(key), spelled(one)) for key, one in value.items()]}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}{[spelled(one) for one in value]}"
    return f"{type(value).__name__} {value!r} {getattr(value, 'fold', '')}"


@given(VALUES)
def test_plain_values_come_back_exactly(value: Any) -> None:
    """Types, NaN, the sign of zero and the order of keys survive, at any depth."""
    assert spelled(back(value)) == spelled(value)
    assert pack(back(value)).digest == pack(value).digest


class Point(msgspec.Struct, frozen=True):
    x: float
    tags: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "value",
    [
        Point(1.0, ("a",)),
        [Point(math.inf)],
        Path("a/b"),
        Change(key="k"),
        Record(id="a", kind="b", scope="c", at=datetime(2026, 1, 1, tzinfo=UTC), actor="d", body=Point(2.0)),
    ],
)
def test_structs_and_paths_come_back(value: Any) -> None:
    """Structs of importable modules come back as themselves, records with typed bodies too."""
    again = back(value)
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.zeros((0, 3)),
        np.array(1.5),
        np.array(["a", "béta"]),
        np.array(["2026-01-01"], dtype="datetime64[ns]"),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.arange(10)[::2],
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_come_back_read_only(array: Any) -> None:
    """An array keeps its type and shape; nobody can change it for the other tasks that read it."""
    again = back({"inside": [array]})["inside"][0]
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)
    assert not again.flags.writeable


@pytest.mark.parametrize("scalar", [np.float32(0.1), np.int64(-3), np.bool_(True), np.datetime64("2026-01-01", "D")])
def test_numpy_scalars_come_back_with_their_type(scalar: Any) -> None:
    """A numpy number is not turned into a Python number."""
    again = back(scalar)
    assert type(again) is type(scalar)
    assert again == scalar


FRAME = pl.DataFrame(
    {
        "n": [1, None, 3],
        "text": ["a", None, "c" * 50],
        "when": [datetime(2026, 1, 1, tzinfo=UTC), None, None],
        "list": [[1], [], None],
        "class": pl.Series(["x", "y", "x"], dtype=pl.Enum(["x", "y"])),
        "category": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
    }
)


@pytest.mark.parametrize("frame", [FRAME, FRAME.head(0), pl.DataFrame()], ids=["rows", "no rows", "no columns"])
def test_frames_come_back_with_their_types(frame: pl.DataFrame) -> None:
    """A Polars frame keeps rows, nulls and the type of each column."""
    assert_frame_equal(back(frame), frame)


def test_a_series_comes_back_with_its_name() -> None:
    """A Polars series is a column with a name."""
    series = pl.Series("a name", [1, 2, None])
    assert back(series).equals(series, null_equal=True)
    assert back(series).name == "a name"


def test_equal_frames_have_equal_digests_however_they_came_about() -> None:
    """A slice of a large frame is the same content as the same rows built anew."""
    long = pl.DataFrame({"n": range(1000), "text": [f"a rather long text number {n}" for n in range(1000)]})
    pieces = pl.concat([long[10:15], long[15:20]], rechunk=False)
    anew = pl.DataFrame({"n": range(10, 20), "text": [f"a rather long text number {n}" for n in range(10, 20)]})
    assert pack(pieces).digest == pack(anew).digest
    assert pack(pieces).digest != pack(anew.reverse()).digest


def test_each_reader_has_its_own_copy() -> None:
    """What one task does to a value, another that reads the same value does not see."""
    value = Value(pack({"list": [1], "frame": FRAME.select("n")}), nothing)
    first, second = value.read(), value.read()
    first["list"].append(2)
    first["frame"][0, "n"] = 99
    assert second["list"] == [1]
    assert second["frame"]["n"].to_list() == [1, None, 3]
    assert value.read()["frame"]["n"].to_list() == [1, None, 3]


def test_a_value_that_was_forgotten_is_fetched() -> None:
    """Memory may be freed once the artifacts are stored; reading gets them from there."""
    packed = pack([b"x" * 1000])
    stored = dict(packed.blobs)
    value = Value(packed, stored.__getitem__)
    value.forget()
    assert value.blobs == {}
    assert value.read() == [b"x" * 1000]


def test_a_long_value_becomes_an_artifact() -> None:
    """What is long as JSON is stored beside the record, and comes back with all that is inside."""
    value = {"rows": [{"n": n, "array": np.arange(3)} for n in range(1000)]}
    packed = pack(value)
    assert len(canonical_json(packed.tree)) < 200
    assert len(packed.blobs) == 2
    rows = back(value)["rows"]
    assert [row["n"] for row in rows] == list(range(1000))
    assert rows[999]["array"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("value", "shown"), [([1, "a"], '[1,"a"]'), ("x" * 100, pack("x" * 100).digest[:16])])
def test_a_value_is_shown_in_a_few_characters(value: Any, shown: str) -> None:
    """Messages show short values as they are and long ones by their digest."""
    assert str(Value(pack(value), nothing)) == shown


def local_struct() -> msgspec.Struct:
    class Hidden(msgspec.Struct):
        x: int

    return Hidden(1)


ITSELF: list[Any] = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, object()]}, r"value\['a'\]\[1\] is a builtins.object"),
        (FRAME.lazy(), r"LazyFrame(.|\n)*collect"),
        (np.array([object()]), "array of Python objects"),
        (np.ma.masked_array([1], [True]), "MaskedArray"),
        (pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}), "Python objects in the column 'o'"),
        (local_struct(), "cannot be imported"),
        (lambda: 1, "function"),
        (ITSELF, "contains itself"),
        ("\ud800", "no Unicode"),
    ],
    ids=["object", "lazy", "objects", "masked", "object column", "local struct", "function", "itself", "surrogate"],
)
def test_what_cannot_be_stored_is_named_with_its_place(value: Any, message: str) -> None:
    """The error says where in the value something is, what it is, and what would do."""
    with pytest.raises(InputError, match=message):
        pack(value)


@pytest.mark.parametrize("name", ["os:system", "heptad.core.errors:InputError", "no_such_module:Thing", "msgspec:Nope"])
def test_only_structs_are_made_of_stored_names(name: str) -> None:
    """A stored value cannot make anything but a msgspec Struct, whatever name it carries."""
    tree = {"$": "struct", "type": name, "v": {}}
    with pytest.raises(IntegrityError, match=name):
        Value(Packed(tree, "", {}), nothing).read()


def test_plain_values_load_neither_numpy_nor_polars() -> None:
    """Packing what needs no heavy library does not load one."""
    code = (
        "import sys; from heptad.core.flow_values import Value, pack; "
        "Value(pack({'a': [1, (2.5, b'x')]}), dict().get).read(); "
        "print('numpy' in sys.modules, 'polars' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]
