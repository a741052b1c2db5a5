"""Classes are counted as they are defined, and columns that are none are named."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.data.privacy.anonymity import measure_anonymity

ROWS = pl.LazyFrame(
    {
        "age": [30, 30, 30, 40, 40, None],
        "zip": ["53", "53", "53", "54", "54", None],
        "illness": ["flu", "flu", "cold", "flu", "flu", "cold"],
    }
)


def test_the_weakest_class_counts() -> None:
    """A missing value is a value; a class of one is known at once."""
    found = measure_anonymity(ROWS, ["age", "zip"], "illness")
    assert (found.rows, found.classes, found.k, found.l, found.alone) == (6, 3, 1, 1, 1)
    assert found.risk == 0.5
    two = measure_anonymity(ROWS.drop_nulls(), ["zip"], "illness")
    assert (two.k, two.l) == (2, 1)
    assert measure_anonymity(ROWS, ["age"]).l is None
    assert measure_anonymity(ROWS.clear(), ["age"]).k == 0


@pytest.mark.parametrize(("values", "least"), [(["x", None, "x"], 1), ([None, None], 0), (["x", None, "y"], 2)])
def test_a_missing_sensitive_value_is_no_other_value(values: list[str | None], least: int) -> None:
    """It hides nobody: of the others in the class it is known what they have."""
    table = pl.LazyFrame({"zip": ["53"] * len(values), "illness": pl.Series(values, dtype=pl.String)})
    assert measure_anonymity(table, ["zip"], "illness").l == least


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from(["x", "y", None])), min_size=1))
def test_any_table_is_counted_as_by_hand(rows: list[tuple[int, str, str | None]]) -> None:
    """Against a dictionary of classes."""
    classes: dict[tuple[int, str], list[str | None]] = {}
    for age, zone, illness in rows:
        classes.setdefault((age, zone), []).append(illness)
    types = {"age": pl.Int64, "zone": pl.String, "illness": pl.String}
    found = measure_anonymity(pl.LazyFrame(rows, schema=types, orient="row"), ["age", "zone"], "illness")
    assert found.k == min(map(len, classes.values()))
    assert found.l == min(len(set(one) - {None}) for one in classes.values())
    assert found.alone == sum(len(one) == 1 for one in classes.values())


@pytest.mark.parametrize(
    ("quasi", "sensitive", "problem"),
    [
        ([], "", "No column is named"),
        (["aeg"], "", "There is no column 'aeg'"),
        (["age"], "ilness", "There is no column 'ilness'"),
        (["age"], "age", "age is named on both sides"),
        (["age", "zip", "age"], "", "The column 'age' is named twice"),
    ],
)
def test_columns_that_cannot_be_meant_are_named(quasi: list[str], sensitive: str, problem: str) -> None:
    """With the nearest that there is."""
    with pytest.raises(InputError, match=problem):
        measure_anonymity(ROWS, quasi, sensitive)
