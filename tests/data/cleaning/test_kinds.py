"""Each rule of a column, on a table of its own; and all of them against the same rows one by one."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.data import CleanRule, CleanSettings
from heptad.data.cleaning.aside import ASIDE, SettingAside, without_marks
from heptad.data.cleaning.kinds import KINDS, read_as
from heptad.data.cleaning.rules import fit_repairs
from heptad.data.passes import ask


def cleaned(values: list, rule: CleanRule, **others: list) -> tuple[list, int, int]:
    """The column afterwards, how many cells were counted as repaired, and how many rows were set aside."""
    rows = pl.LazyFrame({"c": values, **others})
    repairing = fit_repairs(rows, CleanSettings(columns={"c": rule}))
    aside = SettingAside(repairing.unfit())
    marked = aside.rows(repairing.rows(rows))
    counts, gone = ask(marked, repairing, aside)
    kept = without_marks(marked.filter(pl.col(ASIDE).is_null())).collect()
    cells = sum(one.cells for one in repairing.repairs(rows, counts))
    return kept["c"].to_list(), cells, sum(one.rows for one in gone)


CASES = [
    (CleanRule(strip=True), [" a  b ", None], ["a  b", None], 1, 0),
    (CleanRule(trim=True), [" a \t b ", "a b"], ["a b", "a b"], 1, 0),
    (CleanRule(missing=["N/A", 999]), ["N/A", "999", "a"], [None, None, "a"], 2, 0),
    (CleanRule(missing=["N/A", 999]), [999, 1, None], [None, 1, None], 1, 0),
    (CleanRule(lower=True), ["A", "a"], ["a", "a"], 1, 0),
    (CleanRule(case="title"), ["ann lee", "Bo"], ["Ann Lee", "Bo"], 1, 0),
    (CleanRule(case="upper"), ["a", "B"], ["A", "B"], 1, 0),
    (CleanRule(replace={"a": "b"}), ["a", "c"], ["b", "c"], 1, 0),
    (CleanRule(canonical={"DE": ["Germany"]}), ["Germany", "DE", "x"], ["DE", "DE", "x"], 1, 0),
    (CleanRule(canonical={"DE": ["G"]}, unlisted="null"), ["G", "DE", "x", None], ["DE", "DE", None, None], 2, 0),
    (CleanRule(canonical={"DE": ["G"]}, unlisted="drop"), ["G", "DE", "x", None], ["DE", "DE", None], 1, 1),
    (CleanRule(regex=r"\d{3}"), ["123", "12", None], ["123", None, None], 1, 0),
    (CleanRule(regex=r"(\d)-(\d)", becomes="${2}/${1}", unmatched="keep"), ["1-2", "x"], ["2/1", "x"], 1, 0),
    (CleanRule(regex=r"\d", unmatched="drop"), ["1", "x"], ["1"], 0, 1),
    (
        CleanRule(numbers="point"),
        ["1,200.50 EUR", "$5", "-12 %", "(3.00)", "7", "1e3", "x", None],
        [1200.5, 5.0, -0.12, -3.0, 7.0, 1000.0, None, None],
        5,
        0,
    ),
    (CleanRule(numbers="comma"), ["1.200,50 €", "3,5", "12"], [1200.5, 3.5, 12.0], 2, 0),
    (CleanRule(numbers="point", unread="drop"), ["1", "x", None], [1.0, None], 0, 1),
    (
        CleanRule(units={"kg": 1, "g": 0.001}, unit="kg"),
        ["500 g", "0.5kg", "2", "1 lb", None],
        [0.5, 0.5, 2.0, None, None],
        3,
        0,
    ),
    (
        CleanRule(dates=["%Y-%m-%d", "%d.%m.%Y"]),
        ["2020-02-01", "01.02.2020", "soon", None],
        [datetime(2020, 2, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC), None, None],
        2,
        0,
    ),
    (CleanRule(min=0, max=9), [-1, 5, 10, None], [None, 5, None, None], 2, 0),
    (CleanRule(min=0, max=9, outside="cap"), [-1, 5, 10, None], [0, 5, 9, None], 2, 0),
    (CleanRule(min=0, outside="drop"), [-1, 5, None], [5, None], 0, 1),
    (CleanRule(outliers="iqr", outlying="null"), [*range(20), 500], [*range(20), None], 1, 0),
    (CleanRule(outliers="mad", outlying="drop"), [*range(20), 500], [*range(20)], 0, 1),
    (CleanRule(outliers="mad", outlying="cap"), [1, 2, 3, 2, 2, 1, 3, 90], [1, 2, 3, 2, 2, 1, 3, 9], 1, 0),
    (CleanRule(outliers="iqr"), [*range(20), 500], [*range(20), 500], 0, 0),
    (CleanRule(outliers="iqr", outlying="null"), [1, 1, 1, 1, 1, 2], [1, 1, 1, 1, 1, 2], 0, 0),
    (CleanRule(outliers="iqr", outlying="log"), [0.0, 1.0], [0.0, pytest.approx(0.693147)], 1, 0),
    (CleanRule(fill="none"), ["a", None], ["a", "none"], 1, 0),
    (CleanRule(fill=0), [1.5, None], [1.5, 0.0], 1, 0),
    (CleanRule(band=10), [37, 40, None], [30, 40, None], 1, 0),
    (CleanRule(prefix=2), ["53111", "5", None], ["53", "5", None], 1, 0),
    (CleanRule(mask=2), ["53111", "5", None], ["****11", "****", None], 2, 0),
    (CleanRule(period="year"), [datetime(2020, 2, 1, tzinfo=UTC)], [datetime(2020, 1, 1, tzinfo=UTC)], 1, 0),
]


@pytest.mark.parametrize(("rule", "values", "expected", "cells", "rows"), CASES)
def test_a_rule_does_what_it_says_and_counts_it(
    rule: CleanRule, values: list, expected: list, cells: int, rows: int
) -> None:
    """The column afterwards, the cells that were repaired, and the rows that were set aside."""
    assert cleaned(values, rule) == (expected, cells, rows)


def test_every_kind_of_rule_has_a_case() -> None:
    """A rule that is added to the table is tested here, with the groups below, or with the disguises."""
    tested = {kind.setting for rule, *_ in CASES for kind in KINDS if kind.wanted(rule)}
    assert tested | {"told_by", "fill_from", "pseudonym"} == {kind.setting for kind in KINDS}


def test_a_group_votes() -> None:
    """The value of most rows of a group wins, also over a missing one; a tie is left and counted."""
    codes, states = ["a"] * 4 + ["b"] * 2 + [None], ["AL", "AL", "XX", None, "OR", "WI", "TX"]
    rows = pl.LazyFrame({"c": states, "code": codes})
    repairing = fit_repairs(rows, CleanSettings(columns={"c": CleanRule(told_by=["code"])}))
    marked = repairing.rows(rows)
    (counts,) = ask(marked, repairing)
    assert marked.collect()["c"].to_list() == ["AL"] * 4 + ["OR", "WI", "TX"]
    assert [one.cells for one in repairing.repairs(rows, counts)] == [2]
    (finding,) = repairing.findings(counts)
    assert "1 groups of rows disagree" in finding.sentence


def test_another_column_stands_in() -> None:
    """As it is after its own repairs."""
    assert cleaned([None, "b"], CleanRule(fill_from="d"), d=["x", "y"])[:2] == (["x", "b"], 1)


def test_outliers_can_be_marked() -> None:
    """In a column of their own that a model may learn from; the values stay."""
    rows = pl.LazyFrame({"c": [*range(20), 500]})
    repairing = fit_repairs(rows, CleanSettings(columns={"c": CleanRule(outliers="iqr", outlying="mark")}))
    assert without_marks(repairing.rows(rows)).collect()["c_outlier"].to_list() == [False] * 20 + [True]


def test_outliers_that_are_kept_are_a_finding() -> None:
    """So that whoever trains knows of them."""
    rows = pl.LazyFrame({"c": [*range(20), 500]})
    repairing = fit_repairs(rows, CleanSettings(columns={"c": CleanRule(outliers="iqr")}))
    (finding,) = repairing.findings(ask(repairing.rows(rows), repairing)[0])
    assert (finding.expectation, finding.failing_rows, finding.severity) == ("robust", 1, "warning")


TEXT = st.none() | st.sampled_from([" A ", "b  c", "12 oz", "1,000", "$3", "N/A", "2020-01-02", "3.4.2021", "zz", ""])
RULES = st.sampled_from(
    [rule for rule, values, *_ in CASES if any(isinstance(value, str) for value in values) and rule != CASES[-1][0]]
)


@given(st.lists(TEXT, min_size=1, max_size=20), RULES)
def test_rows_kept_and_set_aside_are_the_rows_that_came(values: list, rule: CleanRule) -> None:
    """Whatever the rule; and repairing again changes nothing the second time, in the type that came out."""
    frame = pl.Series(values, dtype=pl.String)
    kept, _, gone = cleaned(frame, rule)  # type: ignore[arg-type] # a series has its type even where all is null
    assert len(kept) + gone == len(values)
    if not rule.becomes and read_as(rule) is None:
        again = cleaned(pl.Series(kept, dtype=pl.String), rule)  # type: ignore[arg-type] # as above
        assert again == (kept, 0, 0)


@given(st.lists(TEXT, min_size=1, max_size=20), RULES)
def test_a_table_is_cleaned_as_its_rows_are_one_by_one(values: list, rule: CleanRule) -> None:
    """For rules that do not look at other rows."""
    at_once = cleaned(pl.Series(values, dtype=pl.String), rule)  # type: ignore[arg-type] # as above
    single = [cleaned(pl.Series([value], dtype=pl.String), rule) for value in values]  # type: ignore[arg-type] # as above
    assert at_once == (
        [cell for kept, _, _ in single for cell in kept],
        sum(cells for _, cells, _ in single),
        sum(gone for _, _, gone in single),
    )
