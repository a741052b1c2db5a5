"""Values become arrays in one place, whether they come as JSON or in a frame."""

import math
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError, RequestError
from heptad.data import ColumnType
from heptad.training.columns import MISSING, check_rows, columns_of, encode_columns
from heptad.training.records import Input, Signature

DTYPES: dict[ColumnType, pl.DataType] = {
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "datetime": pl.Datetime("us", "UTC"),
    "category": pl.String(),
    "text": pl.String(),
}
VALUES: dict[ColumnType, st.SearchStrategy] = {
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "datetime": st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
    "category": st.sampled_from(["", "a", "b"]) | st.text(),
    "text": st.text(),
}


def signature(*inputs: Input) -> Signature:
    return Signature(inputs=list(inputs), task="regression", target="y")


@st.composite
def tables(draw: st.DrawFn) -> tuple[Signature, list[dict]]:
    types = draw(st.lists(st.sampled_from(list(DTYPES)), min_size=1, max_size=6))
    inputs = [
        Input(
            name=f"{kind} {place}",
            type=kind,
            nulls_seen=draw(st.booleans()),
            categories=draw(st.none() | st.lists(st.text(max_size=1), max_size=3)) if kind == "category" else None,
        )
        for place, kind in enumerate(types)
    ]
    row = st.fixed_dictionaries({one.name: st.none() | VALUES[one.type] for one in inputs})
    return signature(*inputs), draw(st.lists(row, min_size=1, max_size=5))


def as_json(row: dict) -> dict:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


@given(tables())
def test_json_rows_and_a_frame_give_the_same_arrays(table: tuple[Signature, list[dict]]) -> None:
    """Equal values become equal arrays, to the last bit, on either way."""
    signature_, rows = table
    schema = {column.name: DTYPES[column.type] for column in signature_.inputs}
    from_frame = columns_of(pl.DataFrame(rows, schema=schema), signature_)
    from_rows, _ = check_rows([as_json(row) for row in rows], signature_)
    assert from_frame.keys() == from_rows.keys()
    for name, array in from_frame.items():
        assert array.shape == from_rows[name].shape == (len(rows), 1)
        assert array.dtype == from_rows[name].dtype
        np.testing.assert_array_equal(array, from_rows[name])


@given(tables())
def test_a_batch_is_the_sum_of_its_rows(table: tuple[Signature, list[dict]]) -> None:
    """Reading rows together or one by one makes no difference, neither to values nor to warnings."""
    signature_, rows = table
    together, warnings = check_rows([as_json(row) for row in rows], signature_)
    for position, row in enumerate(rows):
        alone, own_warnings = check_rows([as_json(row)], signature_)
        assert own_warnings == [warnings[position]]
        for name, array in alone.items():
            np.testing.assert_array_equal(array, together[name][position : position + 1])


def test_each_type_has_its_own_array_and_its_own_gap() -> None:
    """Numbers, booleans and moments are float64 with NaN; categories and texts are strings."""
    columns, _ = check_rows(
        [
            {"n": 2, "b": True, "d": "1970-01-02T00:00:00Z", "c": 7, "t": "Hi"},
            {"n": None, "b": None, "d": None, "c": None, "t": None},
        ],
        signature(
            Input(name="n", type="number"),
            Input(name="b", type="boolean"),
            Input(name="d", type="datetime"),
            Input(name="c", type="category"),
            Input(name="t", type="text"),
        ),
    )
    assert columns["n"][0, 0] == 2.0
    assert columns["b"][0, 0] == 1.0
    assert columns["d"][0, 0] == 86_400.0
    assert all(math.isnan(columns[name][1, 0]) for name in "nbd")
    assert columns["c"].ravel().tolist() == ["7", MISSING]
    assert columns["t"].ravel().tolist() == ["Hi", ""]


@pytest.mark.parametrize(
    "text",
    ["2013-04-01T06:30:00Z", "2013-04-01T06:30:00", "2013-04-01T08:30:00+02:00", "2013-04-01 06:30"],
)
def test_a_moment_is_read_in_its_zone_and_without_one_in_utc(text: str) -> None:
    """The same moment gives the same number, however it is written."""
    columns, _ = check_rows([{"d": text}], signature(Input(name="d", type="datetime")))
    assert columns["d"][0, 0] == datetime(2013, 4, 1, 6, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "1.5"),
        ("number", True),
        ("number", math.nan),
        ("number", math.inf),
        ("number", 10**400),
        ("number", [1]),
        ("integer", 1.5),
        ("boolean", 1),
        ("boolean", "true"),
        ("datetime", "yesterday"),
        ("datetime", 1_364_796_000),
        ("category", 1.5),
        ("category", {"a": 1}),
        ("category", "\ud800"),
        ("text", ["a"]),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(kind: ColumnType, value: object) -> None:
    """The refusal carries status 422, the field, what was sent and what is allowed."""
    taken = signature(Input(name="first", type="number"), Input(name="x", type=kind))
    fine, wrong = {"first": None, "x": None}, {"first": 1, "x": value}
    for rows, where in (([wrong], ""), ([fine, wrong], " in row 1")):
        with pytest.raises(RequestError, match=f"'x'{where} cannot be") as refusal:
            check_rows(rows, taken)
        assert (refusal.value.status, refusal.value.field) == (422, "x")
        assert refusal.value.allowed


def test_a_long_wrong_value_is_shown_shortened() -> None:
    """A refusal does not repeat a megabyte."""
    with pytest.raises(RequestError) as refusal:
        check_rows([{"x": "a" * 1_000_000}], signature(Input(name="x", type="number")))
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("row", "field"), [({"a": 1.0}, "b"), ({"a": 1, "b": 2, "bb": 3}, "bb"), ({"a": 1, "c": 2}, "c"), ([1, 2], "rows")]
)
def test_rows_have_exactly_the_columns_of_the_signature(row: object, field: str) -> None:
    """A column too few or too many, or no object at all, is refused and named."""
    with pytest.raises(RequestError) as refusal:
        check_rows([row], signature(Input(name="a", type="number"), Input(name="b", type="number")))
    assert (refusal.value.status, refusal.value.field) == (422, field)


def test_a_required_value_may_not_be_null() -> None:
    """Null is refused where the signature requires a value, and is not offered as allowed."""
    with pytest.raises(RequestError, match="'x' cannot be null") as refusal:
        check_rows([{"x": None}], signature(Input(name="x", type="number", required=True)))
    assert "null" not in refusal.value.allowed


def test_a_closed_set_refuses_and_names_the_nearest() -> None:
    """A category outside of a closed set is refused, with the values that exist."""
    closed = signature(Input(name="x", type="category", closed=True, categories=["JFK", "LGA"]))
    assert check_rows([{"x": "JFK"}, {"x": None}], closed)[1] == [[], []]
    with pytest.raises(RequestError, match="did you mean 'JFK'") as refusal:
        check_rows([{"x": "JFX"}], closed)
    assert refusal.value.field == "x"


def test_what_training_never_saw_is_a_warning_of_its_row() -> None:
    """An unseen category, and a null where training saw none, warn in words that can be counted."""
    taken = signature(
        Input(name="c", type="category", categories=["a"], nulls_seen=False),
        Input(name="n", type="number", nulls_seen=False),
        Input(name="m", type="number"),
    )
    _, warnings = check_rows(
        [{"c": "a", "n": 1, "m": None}, {"c": "z", "n": None, "m": 1}, {"c": None, "n": 1, "m": 1}], taken
    )
    assert warnings == [
        [],
        ["n: missing, which training never saw", "c: a value that training never saw"],
        ["c: missing, which training never saw"],
    ]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series("x", [1, None], dtype=pl.UInt8),
        pl.Series("x", [1.0, math.nan]),
        pl.Series("x", [1.0, -math.inf]),
        pl.Series("x", [True, None]),
    ],
)
def test_a_frame_may_hold_numbers_in_any_type(values: pl.Series) -> None:
    """Whole numbers and booleans become float64; null, NaN and infinity are missing."""
    columns = columns_of(values.to_frame(), signature(Input(name="x", type="number")))
    np.testing.assert_array_equal(columns["x"], [[1.0], [math.nan]])


@pytest.mark.parametrize(
    "values",
    [
        pl.Series("x", [datetime(2013, 4, 1)]),  # noqa: DTZ001 - without a zone is what is tested
        pl.Series("x", [date(2013, 4, 1)]),
        pl.Series("x", [datetime(2013, 4, 1, 2, tzinfo=timezone(timedelta(hours=2)))], dtype=pl.Datetime("ns", "UTC")),
    ],
)
def test_a_frame_may_hold_moments_in_any_type(values: pl.Series) -> None:
    """Dates, and moments of any unit and zone, become seconds since 1970; without a zone they are UTC."""
    columns = columns_of(values.to_frame(), signature(Input(name="x", type="datetime")))
    assert columns["x"][0, 0] == datetime(2013, 4, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("number", ["1"]),
        ("datetime", [1]),
        ("datetime", [timedelta(1)]),
        ("category", [1.5]),
        ("text", [["a"]]),
    ],
)
def test_a_frame_of_another_type_is_refused(kind: ColumnType, values: list) -> None:
    """A column that would have to be guessed at is named with its type."""
    with pytest.raises(DataError, match="'x'"):
        columns_of(pl.DataFrame({"x": values}), signature(Input(name="x", type=kind)))


def test_a_frame_without_the_column_is_refused() -> None:
    """The refusal names the column and the nearest that is there."""
    with pytest.raises(DataError, match="did you mean 'wind'"):
        columns_of(pl.DataFrame({"wind": [1.0]}), signature(Input(name="winds", type="number")))


def test_columns_may_come_as_sequences_or_be_left_out() -> None:
    """Sequences hold JSON values, and a column left out is missing in every row."""
    taken = signature(Input(name="n", type="number"), Input(name="c", type="category"))
    encoded = encode_columns({"n": [1, None]}, taken)
    np.testing.assert_array_equal(encoded["n"], [[1.0], [math.nan]])
    assert encoded["c"].tolist() == [[MISSING], [MISSING]]


def test_reading_rows_loads_no_training_library() -> None:
    """A serve worker that checks rows and predicts stays small."""
    heavy = "{'polars', 'sklearn', 'lightgbm', 'onnx', 'scipy', 'pandas'}"
    code = f"import sys; from heptad.training import OnnxModel, check_rows, explain; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
