"""Everything that is wrong with the rules is said, all at once."""

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import CleanRule, CleanSettings
from heptad.data.cleaning.checking import check_rules
from heptad.data.cleaning.settings import RowRule, SimilarRows

TYPES = {"s": pl.String(), "f": pl.Float64(), "i": pl.Int64(), "b": pl.Boolean(), "s_outlier": pl.String()}


@pytest.mark.parametrize(
    ("column", "rule", "problem"),
    [
        ("ss", CleanRule(trim=True), "no column 'ss'.*did you mean 's'"),
        ("f", CleanRule(trim=True), "trim does not fit a column of Float64"),
        ("s", CleanRule(max=1), "min does not fit a column of String"),
        ("i", CleanRule(min=2, max=1), "min = 2 is above max = 1"),
        ("s", CleanRule(lower=True, case="upper"), "lower and case are both given"),
        ("s", CleanRule(numbers="point", dates=["%Y"]), "numbers and dates are both given"),
        ("s", CleanRule(canonical={"A": ["a", "b"], "B": ["b"]}), "lists 'b' 2 times"),
        ("s", CleanRule(units={"kg": 1}, unit="kgg"), "unit = 'kgg' is not in units. Allowed: did you mean 'kg'"),
        ("s", CleanRule(regex="("), "cannot be read"),
        ("s", CleanRule(becomes="x"), "needs regex"),
        (
            "s",
            CleanRule(regex="([A-Z])([A-Z])", becomes="${1}-${3}"),
            r"the group '3'.*Allowed: \$\{0\}, \$\{1\}, \$\{2\}",
        ),
        ("s", CleanRule(regex="(a)(?P<b>b)", becomes="$1x"), r"the group '1x'.*\$\{1\}, \$\{2\}, \$\{b\}"),
        ("s", CleanRule(regex="a", becomes="${b}"), r"the group 'b'.*Allowed: \$\{0\}"),
        ("s", CleanRule(dates=["d.m.y"]), "Allowed: a format"),
        ("s", CleanRule(told_by=["ff"]), "told_by names 'ff'"),
        ("s", CleanRule(fill_from="s"), "fill_from names 's'"),
        ("f", CleanRule(fill="mean"), "training learns"),
        ("f", CleanRule(fill="x"), "does not fit a column of Float64"),
        ("i", CleanRule(fill=1.5), "does not fit a column of Int64"),
        ("b", CleanRule(fill=1.0), "does not fit a column of Boolean"),
        ("s", CleanRule(fill="x", fill_from="b"), "fill and fill_from are both given"),
    ],
)
def test_a_wrong_rule_is_named_with_what_is_allowed(column: str, rule: CleanRule, problem: str) -> None:
    """Setting, value, and what would be right."""
    with pytest.raises(DataError, match=problem):
        check_rules(TYPES, CleanSettings(columns={column: rule}))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (CleanSettings(rows={"r": RowRule(where="f > 'x'")}), "does not fit the columns"),
        (CleanSettings(rows={"r": RowRule(where="g is None")}), "no column 'g'"),
        (CleanSettings(rows={"r": RowRule(where="f + 1")}), "no truth"),
        (CleanSettings(duplicate_by=["x"]), "duplicate_by names 'x'"),
        (CleanSettings(similar=SimilarRows(columns=["x"])), "columns names 'x'"),
        (CleanSettings(similar=SimilarRows(block=["s"])), "block needs columns"),
    ],
)
def test_a_wrong_rule_of_rows_is_named(settings: CleanSettings, problem: str) -> None:
    """Conditions, keys and blocks."""
    with pytest.raises(DataError, match=problem):
        check_rules(TYPES, settings)


def test_all_mistakes_are_told_at_once() -> None:
    """Not one after the other."""
    rules = {"x": CleanRule(trim=True), "i": CleanRule(min=2, max=1, fill="median")}
    with pytest.raises(DataError, match=r"(?s)no column 'x'.*min = 2.*fill = 'median'"):
        check_rules(TYPES, CleanSettings(columns=rules))


def test_groups_that_are_there_may_be_named() -> None:
    """By number or name, all of it as 0; two dollar signs are one."""
    rule = CleanRule(regex="(a)(?P<b>b)", becomes="$$9 $0 ${1}x$2-${b}")
    check_rules(TYPES, CleanSettings(columns={"s": rule}))
    made = pl.Series(["ab"]).str.replace(rule.regex, rule.becomes)
    assert made.to_list() == ["$9 ab axb-b"]


def test_right_rules_pass() -> None:
    """A column that is read as numbers may have a range."""
    rules = {"s": CleanRule(trim=True, units={"kg": 1}, unit="kg", max=3), "b": CleanRule(fill=True)}
    check_rules(TYPES, CleanSettings(columns=rules, rows={"r": RowRule(where="s > 2.5 and not b")}))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (CleanSettings(columns={"f": CleanRule(told_by=["i", "b"])}), r"columns.f\] told_by names 'b', which is known"),
        (
            CleanSettings(columns={"i": CleanRule(fill_from="b")}),
            "fill_from names 'b', which is known only with the label",
        ),
        (
            CleanSettings(columns={"i": CleanRule(told_by=["s"])}),
            "told_by names 's', which is known only with the label",
        ),
        (CleanSettings(columns={"b": CleanRule(told_by=["i"])}), "told_by would tell labels from what a model sees"),
        (CleanSettings(columns={"b": CleanRule(fill_from="i")}), "fill_from would tell labels from what a model sees"),
        (CleanSettings(rows={"r": RowRule(where="b and i > f")}), "by the label 'b' together with i, f"),
    ],
)
def test_no_rule_reads_the_label(settings: CleanSettings, problem: str) -> None:
    """No request has it; a model would be judged on what its own label has told."""
    with pytest.raises(DataError, match=problem):
        check_rules(TYPES, settings, target="b", label_time="s")
    check_rules(TYPES, settings)


def test_the_label_itself_may_be_repaired_and_rows_chosen_by_it_alone() -> None:
    """Labels that cannot be are no business of a model; a column that marks those that are far would tell them."""
    columns = {"f": CleanRule(min=0, outliers="iqr", outlying="drop")}
    check_rules(TYPES, CleanSettings(columns=columns, rows={"r": RowRule(where="f > 9")}), target="f")
    with pytest.raises(DataError, match="outlying = 'mark' adds f_outlier, which is known only with the label"):
        check_rules(TYPES, CleanSettings(columns={"f": CleanRule(outliers="iqr", outlying="mark")}), target="f")
