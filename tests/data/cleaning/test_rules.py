"""Every changed cell and every row set aside is accounted for."""

import math
from collections.abc import Collection

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import CleanRule, CleanSettings
from heptad.data.cleaning.aside import without_marks
from heptad.data.cleaning.rules import CellRepairs
from heptad.data.passes import ask
from heptad.data.records import Repair

ROWS = st.lists(
    st.tuples(st.none() | st.floats(), st.none() | st.integers(-9, 9), st.none() | st.sampled_from([" A", "a", "b"])),
    max_size=30,
)
SETTINGS = CleanSettings(
    columns={
        "f": CleanRule(min=-10, max=10),
        "i": CleanRule(max=5, outside="cap"),
        "s": CleanRule(strip=True, lower=True, replace={"b": "bee"}),
    }
)


def frame_of(rows: list) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"f": pl.Float64, "i": pl.Int64, "s": pl.String}, orient="row")


def repair_cells(
    frame: pl.DataFrame, settings: CleanSettings, protected: Collection[str] = ()
) -> tuple[pl.DataFrame, list[Repair]]:
    repairing = CellRepairs(frame.schema, settings, protected)
    marked = repairing.rows(frame.lazy())
    return without_marks(marked).collect(), repairing.repairs(frame.lazy(), ask(marked, repairing)[0])


@given(ROWS)
def test_repairs_are_counted_and_complete(rows: list) -> None:
    """No row is lost, what remains obeys the rules, and repairing again changes nothing."""
    frame, repairs = repair_cells(frame_of(rows), SETTINGS)
    assert len(frame) == len(rows)
    for repair in repairs:
        assert repair.cells > 0
        assert repair.examples
    numbers = frame["f"].drop_nulls()
    assert numbers.is_finite().all()
    assert numbers.is_between(-10, 10).all()
    assert (frame["i"].drop_nulls() <= 5).all()
    assert set(frame["s"].drop_nulls()) <= {"a", "bee"}
    assert repair_cells(frame, SETTINGS)[1] == []
    untouched = sum(repair.cells for repair in repairs if repair.column == "f")
    assert untouched == frame["f"].null_count() - frame_of(rows)["f"].null_count()


def test_numbers_that_cannot_be_are_null_in_every_column() -> None:
    """Infinite, NaN and huge numbers become null without a rule, but not in a protected column."""
    frame = pl.DataFrame({"x": [1.0, math.inf, math.nan, 1e300], "y": [math.inf, 1.0, 2.0, 3.0]})
    repaired, repairs = repair_cells(frame, CleanSettings(), protected=["y"])
    assert repaired["x"].to_list() == [1.0, None, None, None]
    assert repaired["y"][0] == math.inf
    assert [(one.rule, one.column, one.cells) for one in repairs] == [("not_finite", "x", 2), ("huge", "x", 1)]


def test_a_range_nulls_or_caps() -> None:
    """Values outside become null, or the limit, as the rule says; the original is kept as an example."""
    frame = pl.DataFrame({"wind": [5.0, 1048.36, -2.0]})
    nulled, (repair,) = repair_cells(frame, CleanSettings(columns={"wind": CleanRule(min=0, max=150)}))
    capped, _ = repair_cells(frame, CleanSettings(columns={"wind": CleanRule(min=0, max=150, outside="cap")}))
    assert nulled["wind"].to_list() == [5.0, None, None]
    assert capped["wind"].to_list() == [5.0, 150.0, 0.0]
    assert (repair.rule, repair.cells, repair.examples) == ("outside", 2, ["1048.36", "-2.0"])


@pytest.mark.parametrize(
    ("column", "rule", "problem"),
    [
        ("z", CleanRule(strip=True), "no column 'z'"),
        ("s", CleanRule(max=3), "does not fit a column of String"),
        ("f", CleanRule(lower=True), "does not fit a column of Float64"),
    ],
)
def test_rules_must_fit_their_column(column: str, rule: CleanRule, problem: str) -> None:
    """A rule of nothing, or of another kind of column, is refused."""
    with pytest.raises(DataError, match=problem):
        repair_cells(frame_of([(1.0, 1, "a")]), CleanSettings(columns={column: rule}))


@pytest.mark.parametrize(
    ("rule", "values", "repaired", "lost"),
    [
        (CleanRule(units={"kg": 1, "g": 0.1}, unit="kg"), ["5 g", "2 KG", "3 kgs", "4"], ["5 g"], ["2 KG", "3 kgs"]),
        (CleanRule(numbers="point"), ["$5", "about 5", "5"], ["$5"], ["about 5"]),
        (CleanRule(dates=["%Y-%m-%d", "%d.%m.%Y"]), ["2020-01-02", "2.3.2020", "soon"], ["2.3.2020"], ["soon"]),
        (CleanRule(regex="([0-9])-([0-9])", becomes="${2}"), ["1-2", "x", None], ["1-2"], ["x"]),
        (CleanRule(regex="[0-9]"), ["1", "x"], [], ["x"]),
        (CleanRule(canonical={"DE": ["G"]}, unlisted="null"), ["G", "x", "DE"], ["G"], ["x"]),
    ],
)  # fmt: skip
def test_cells_that_a_rule_cannot_use_are_no_repairs(
    rule: CleanRule, values: list, repaired: list[str], lost: list[str]
) -> None:
    """What became missing is counted apart, with examples of its own."""
    _, found = repair_cells(pl.DataFrame({"c": values}), CleanSettings(columns={"c": rule}))
    told = {one.rule: (one.cells, one.examples) for one in found}
    name = next(one for one in ("units", "numbers", "dates", "regex", "canonical") if getattr(rule, one))
    expected = {name: (len(repaired), repaired), f"{name}, made missing": (len(lost), lost)}
    assert told == {rule: cells for rule, cells in expected.items() if cells[0]}
