"""Expectations say of any table what plain Python says row by row."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.expectations.conftest import one_of, one_of_table
from tests.data.expectations.naive import BY_VALUE, FIGURES, there

from heptad.core.errors import InputError
from heptad.data.expectations.definitions import as_stored, kind_of, range_text
from heptad.data.expectations.settings import Range

NUMBERS = st.one_of(st.none(), st.integers(-5, 5).map(float), st.sampled_from([0.5, float("nan"), float("inf")]))
WHOLE = st.one_of(st.none(), st.integers(-4, 4))
TEXTS = st.one_of(st.none(), st.text(" aBb.1\t", max_size=4))
TIMES = st.one_of(
    st.none(),
    st.datetimes(datetime(2025, 12, 25), datetime(2026, 1, 9)).map(lambda one: one.replace(tzinfo=UTC)),  # noqa: DTZ001
)
LIMITS = st.integers(-5, 5).map(float)
PIECES = st.text("aB.", min_size=1, max_size=2)
PATTERNS = st.sampled_from(["^a", "[0-9]", "b$", "^$", "."])
SPANS = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda two: {"min": min(two), "max": max(two)})
MOMENTS = st.sampled_from(["2025-12-31", "2026-01-01T12:00:00", "2026-01-05"])

OF_NUMBERS = {"min": LIMITS, "max": LIMITS, "above": LIMITS, "below": LIMITS}
CASES: dict[str, tuple[Any, Any]] = {
    **{f"{name} of numbers": (NUMBERS, limit) for name, limit in OF_NUMBERS.items()},
    **{f"{name} of integers": (WHOLE, limit) for name, limit in OF_NUMBERS.items()},
    "finite": (NUMBERS, st.just(value=True)),
    "whole": (NUMBERS.filter(lambda one: one is None or one == one), st.just(value=True)),  # noqa: PLR0124 - not NaN
    "allowed of integers": (WHOLE, st.lists(st.integers(-4, 4), min_size=1)),
    "forbidden of integers": (WHOLE, st.lists(st.integers(-4, 4), min_size=1)),
    "allowed of texts": (TEXTS, st.lists(st.text("aB", max_size=2), min_size=1)),
    "matches": (TEXTS, PATTERNS),
    "matches_any": (TEXTS, st.lists(PATTERNS, min_size=1)),
    "matches_none": (TEXTS, st.lists(PATTERNS, min_size=1)),
    "starts_with": (TEXTS, PIECES),
    "ends_with": (TEXTS, PIECES),
    "contains": (TEXTS, PIECES),
    "length": (TEXTS, SPANS),
    "trimmed": (TEXTS, st.just(value=True)),
    "letters": (TEXTS, st.sampled_from(["lower", "upper"])),
    "missing": (WHOLE, st.just(0)),
    "empty": (WHOLE, st.just(value=True)),
    "unique": (WHOLE, st.just(value=True)),
    "order": (WHOLE, st.just("increasing")),
    "not_before": (TIMES, MOMENTS),
    "not_after": (TIMES, MOMENTS),
    "weekdays": (TIMES, st.lists(st.sampled_from(["mon", "thu", "sun"]), min_size=1, unique=True)),
    "hours": (TIMES, SPANS),
}


KINDS: dict[int, pl.DataType] = {
    id(NUMBERS): pl.Float64(),
    id(WHOLE): pl.Int64(),
    id(TEXTS): pl.String(),
    id(TIMES): pl.Datetime("us", "UTC"),
}


def frame_of(values: list[Any], element: Any) -> pl.DataFrame:
    """A column of the dtype that these values are kept in; those without NaN are of numbers too."""
    return pl.DataFrame({"x": values}, schema={"x": KINDS.get(id(element), pl.Float64())})


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
def test_rows_that_break_an_expectation_are_counted_as_plain_python_counts(case: str, data: st.DataObject) -> None:
    """Nulls and NaN included, whatever the table; it holds mostly exactly where few enough break it."""
    element, argument = CASES[case]
    values, wanted = data.draw(st.lists(element, max_size=8)), data.draw(argument)
    name = case.split(maxsplit=1)[0]
    mostly = 1.0 if name == "missing" else data.draw(st.sampled_from([1.0, 0.9, 0.5, 0.25]))
    found = one_of(frame_of(values, element), **{name: wanted, "mostly": mostly})
    broken = BY_VALUE[name](wanted)(values)
    assert found.failing_rows == broken
    considered = len(values) if name in {"missing", "empty"} else max(len(there(values)) - (name == "order"), 0)
    assert found.looked_at == considered
    assert found.passed == (broken <= (1 - mostly) * considered + 1e-9)


@pytest.mark.parametrize("name", FIGURES)
@given(values=st.lists(WHOLE, max_size=8), limits=st.tuples(LIMITS, LIMITS))
def test_figures_are_those_of_plain_python(name: str, values: list[int | None], limits: tuple[float, float]) -> None:
    """Of no values there is no figure, but a sum and a number of different values."""
    wanted = {"min": min(limits), "max": max(limits)}
    found = one_of(pl.DataFrame({"x": values}, schema={"x": pl.Int64}), **{name: wanted})
    present = there(values)
    if present or name in {"total", "distinct"}:
        figure = FIGURES[name](present)
        near = min(abs(figure - wanted["min"]), abs(figure - wanted["max"])) < 1e-9
        assert near or found.passed == (wanted["min"] <= figure <= wanted["max"])
    else:
        assert found.passed


@given(
    st.lists(
        st.fixed_dictionaries({"a": WHOLE, "b": WHOLE, "c": WHOLE}),
        max_size=8,
    )
)
def test_expectations_of_rows_are_those_of_plain_python(rows: list[dict[str, int | None]]) -> None:
    """Two missing values say nothing; keys of several columns are compared where all are there."""
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64, "c": pl.Int64})
    both = [one for one in rows if one["a"] is not None and one["b"] is not None]
    count = {
        "check": (sum(not one["a"] <= one["b"] for one in both), "a <= b"),
        "ordered": (sum(not one["a"] <= one["b"] for one in both), ["a", "b"]),
        "equal": (sum(one["a"] != one["b"] for one in both), ["a", "b"]),
        "different": (sum(one["a"] == one["b"] for one in both), ["a", "b"]),
        "together": (sum((one["a"] is None) != (one["b"] is None) for one in rows), ["a", "b"]),
        "any_present": (sum(one["a"] is None and one["b"] is None for one in rows), ["a", "b"]),
        "unique": (
            sum(sum((one["a"], one["b"]) == (other["a"], other["b"]) for other in both) > 1 for one in both),
            ["a", "b"],
        ),
        "determines": (
            sum(len({other["b"] for other in both if other["a"] == one["a"]}) > 1 for one in both),
            {"by": ["a"], "of": ["b"]},
        ),
    }
    for name, (broken, wanted) in count.items():
        assert one_of_table(frame, **{name: wanted}).failing_rows == broken, name


def test_values_of_the_settings_become_those_of_the_column() -> None:
    """1.0 is a whole number, texts are texts, times are in UTC; what a column cannot hold is refused."""
    assert as_stored([1.0, 2, "3"], pl.Int64(), "x.allowed").to_list() == [1, 2, 3]
    assert as_stored([1, True], pl.String(), "x.allowed").to_list() == ["1", "true"]
    assert as_stored([True, "false"], pl.Boolean(), "x.allowed").to_list() == [True, False]
    moment = datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert as_stored(["2026-01-01T12:00:00+01:00"], pl.Datetime("us", "UTC"), "x.allowed").to_list() == [moment]
    for values, kind in (([1.5], pl.Int64()), (["x"], pl.Float64()), (["maybe"], pl.Boolean()), (["x"], pl.Date())):
        with pytest.raises(InputError, match=r"x\.allowed has"):
            as_stored(values, kind, "x.allowed")


def test_kinds_and_ranges_in_words() -> None:
    """Categories are texts; nested values are nothing that can be expected of."""
    assert [kind_of(one) for one in (pl.Int8(), pl.Categorical(), pl.Date(), pl.Boolean(), pl.List(pl.Int8))] == [
        "number",
        "text",
        "time",
        "boolean",
        None,
    ]
    assert [range_text(Range(min=one, max=other)) for one, other in ((1, None), (None, 2), (1, 2), (3, 3))] == [
        "at least 1",
        "at most 2",
        "1 to 2",
        "3",
    ]
