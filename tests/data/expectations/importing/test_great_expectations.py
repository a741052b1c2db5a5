"""Suites of Great Expectations: every type of its gallery is translated, or named with why it is not."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from tests.data.expectations.conftest import hold, one_of

from heptad.core.errors import DataError
from heptad.data.expectations.importing.great_expectations import read_suite, regex_of

C: dict[str, Any] = {"column": "c"}
ANY_VALUE = {"count": {"min": 1.0}}
AB = {"column_A": "a", "column_B": "b c"}
EITHER = {**AB, "ignore_row_if": "either_value_is_missing"}
ANY: dict[str, Any] = {"column_list": ["a", "b"], "ignore_row_if": "any_value_is_missing"}
TRANSLATED: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("column_distinct_values_to_be_in_set", {**C, "value_set": ["x"]}, "c", {"allowed": ["x"]}),
    ("column_distinct_values_to_contain_set", {**C, "value_set": ["x"]}, "c", {"includes": ["x"]}),
    ("column_distinct_values_to_equal_set", {**C, "value_set": [1, 2]}, "c", {"values": [1, 2]}),
    (
        "column_max_to_be_between",
        {**C, "min_value": 1, "max_value": 2},
        "c",
        {"largest": {"min": 1.0, "max": 2.0}, **ANY_VALUE},
    ),
    ("column_mean_to_be_between", {**C, "min_value": 1}, "c", {"mean": {"min": 1.0}, **ANY_VALUE}),
    ("column_median_to_be_between", {**C, "max_value": 1}, "c", {"median": {"max": 1.0}, **ANY_VALUE}),
    ("column_min_to_be_between", {**C, "max_value": 1}, "c", {"smallest": {"max": 1.0}, **ANY_VALUE}),
    ("column_most_common_value_to_be_in_set", {**C, "value_set": ["x"]}, "c", {"most_common_alone": ["x"]}),
    (
        "column_most_common_value_to_be_in_set",
        {**C, "value_set": ["x"], "ties_okay": True},
        "c",
        {"most_common": ["x"]},
    ),
    ("column_pair_values_a_to_be_greater_than_b", {**EITHER, "or_equal": True}, "", {"check": 'a >= col("b c")'}),
    ("column_pair_values_to_be_equal", EITHER, "", {"equal": ["a", "b c"]}),
    (
        "column_pair_values_to_be_in_set",
        {**EITHER, "value_pairs_set": [["x", 1], [None, 2]]},
        "",
        {"combinations": {"of": ["a", "b c"], "allowed": [["x", 1]]}},
    ),
    ("column_proportion_of_non_null_values_to_be_between", {**C, "min_value": 0.9}, "c", {"missing": 0.1}),
    (
        "column_proportion_of_unique_values_to_be_between",
        {**C, "min_value": 0.9},
        "c",
        {"distinct_share": {"min": 0.9}, **ANY_VALUE},
    ),
    ("column_stdev_to_be_between", {**C, "max_value": 1}, "c", {"deviation": {"max": 1.0}, "count": {"min": 2.0}}),
    ("column_proportion_of_unique_values_to_be_between", {**C, "max_value": 1}, "c", {"distinct_share": {"max": 1.0}}),
    ("column_sum_to_be_between", {**C, "max_value": 1}, "c", {"total": {"max": 1.0}}),
    ("column_to_exist", C, "c", {"present": True}),
    ("column_unique_value_count_to_be_between", {**C, "max_value": 9}, "c", {"distinct": {"max": 9.0}}),
    (
        "column_value_lengths_to_be_between",
        {**C, "min_value": 1, "max_value": 9},
        "c",
        {"length": {"min": 1.0, "max": 9.0}},
    ),
    ("column_value_lengths_to_equal", {**C, "value": 3}, "c", {"length": {"min": 3.0, "max": 3.0}}),
    ("column_value_z_scores_to_be_less_than", {**C, "threshold": 3, "double_sided": True}, "c", {"deviations": 3.0}),
    ("column_values_to_be_between", {**C, "min_value": 0, "max_value": 1}, "c", {"min": 0.0, "max": 1.0}),
    (
        "column_values_to_be_between",
        {**C, "min_value": 0, "max_value": 1, "strict_min": True, "strict_max": True},
        "c",
        {"above": 0.0, "below": 1.0},
    ),
    ("column_values_to_be_between", {**C, "min_value": "2020-01-01"}, "c", {"not_before": "2020-01-01"}),
    ("column_values_to_be_decreasing", {**C, "strictly": True}, "c", {"order": "strictly decreasing"}),
    ("column_values_to_be_in_set", {**C, "value_set": ["x", "y"]}, "c", {"allowed": ["x", "y"]}),
    ("column_values_to_be_in_type_list", {**C, "type_list": ["int64", "FLOAT"]}, "c", {"type": "number"}),
    ("column_values_to_be_increasing", C, "c", {"order": "increasing"}),
    ("column_values_to_be_json_parseable", C, "c", {"reads_as": "json"}),
    ("column_values_to_be_null", C, "c", {"empty": True}),
    ("column_values_to_be_of_type", {**C, "type_": "VARCHAR(20)"}, "c", {"type": "text"}),
    ("column_values_to_be_unique", C, "c", {"unique": True}),
    ("column_values_to_match_like_pattern", {**C, "like_pattern": "a%_."}, "c", {"matches": r"(?s)^a.*.\.$"}),
    (
        "column_values_to_match_like_pattern_list",
        {**C, "like_pattern_list": ["a%", "b"]},
        "c",
        {"matches_any": ["(?s)^a.*$", "(?s)^b$"]},
    ),
    ("column_values_to_match_regex", {**C, "regex": "^a"}, "c", {"matches": "^a"}),
    ("column_values_to_match_regex_list", {**C, "regex_list": ["a", "b"]}, "c", {"matches_any": ["a", "b"]}),
    ("column_values_to_match_strftime_format", {**C, "strftime_format": "%Y"}, "c", {"date_format": "%Y"}),
    ("column_values_to_not_be_in_set", {**C, "value_set": ["x"]}, "c", {"forbidden": ["x"]}),
    ("column_values_to_not_be_null", {**C, "mostly": 0.95}, "c", {"missing": 0.05}),
    ("column_values_to_not_match_like_pattern", {**C, "like_pattern": "a"}, "c", {"matches_none": ["(?s)^a$"]}),
    (
        "column_values_to_not_match_like_pattern_list",
        {**C, "like_pattern_list": ["a"]},
        "c",
        {"matches_none": ["(?s)^a$"]},
    ),
    ("column_values_to_not_match_regex", {**C, "regex": "a"}, "c", {"matches_none": ["a"]}),
    ("column_values_to_not_match_regex_list", {**C, "regex_list": ["a", "b"]}, "c", {"matches_none": ["a", "b"]}),
    ("compound_columns_to_be_unique", ANY, "", {"unique": ["a", "b"]}),
    ("multicolumn_sum_to_equal", {**ANY, "sum_total": 100}, "", {"check": "a + b == 100"}),
    ("select_column_values_to_be_unique_within_record", ANY, "", {"different": ["a", "b"]}),
    ("table_column_count_to_be_between", {"max_value": 9}, "", {"column_count": {"max": 9.0}}),
    ("table_column_count_to_equal", {"value": 9}, "", {"column_count": {"min": 9.0, "max": 9.0}}),
    ("table_columns_to_match_ordered_list", {"column_list": ["a", "b"]}, "", {"columns_in_order": ["a", "b"]}),
    ("table_columns_to_match_set", {"column_set": ["b", "a"]}, "", {"columns": ["a", "b"]}),
    ("table_columns_to_match_set", {"column_set": ["b"], "exact_match": False}, "b", {"present": True}),
    ("table_row_count_to_be_between", {"min_value": 1}, "", {"rows": {"min": 1.0}}),
    ("table_row_count_to_equal", {"value": 5}, "", {"rows": {"min": 5.0, "max": 5.0}}),
]  # fmt: skip
IN_PART: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "column_quantile_values_to_be_between",
        {"quantile_ranges": {"quantiles": [0.1234567, 0.1234568], "value_ranges": [[None, 3], [1, 2]]}},
        {"quantiles": {"0.1234567": {"max": 3.0}, "0.1234568": {"min": 1.0, "max": 2.0}}, **ANY_VALUE},
        "pandas takes the nearest",
    ),
    (
        "column_values_to_be_increasing",
        {"strictly": True, "mostly": 0.9},
        {"order": "strictly increasing", "mostly": 0.9},
        "one fewer than the values",
    ),
    ("column_values_to_be_of_type", {"type_": "float64"}, {"type": "number"}, "whole numbers are too"),
    ("column_values_to_be_of_type", {"type_": "int8"}, {"type": "integer"}, "integers of every width are"),
    (
        "column_values_to_be_between",
        {"min_value": "2026-01-01", "parse_strings_as_datetimes": True},
        {"not_before": "2026-01-01"},
        "has to be one of times, which [data] types says",
    ),
    (
        "column_values_to_be_increasing",
        {"parse_strings_as_datetimes": True},
        {"order": "increasing"},
        "has to be one of times, which [data] types says",
    ),
]
LEFT_OUT = [
    (
        "expect_column_quantile_values_to_be_between",
        C | {"quantile_ranges": {"quantiles": [2], "value_ranges": [[1, 2]]}},
    ),
    (
        "expect_column_quantile_values_to_be_between",
        C | {"quantile_ranges": {"quantiles": [0.5, 0.5], "value_ranges": [[1, 2], [1, 3]]}},
    ),
    ("expect_column_values_to_be_dateutil_parseable", C),
    ("expect_column_values_to_match_json_schema", {**C, "json_schema": {}}),
    ("expect_column_kl_divergence_to_be_less_than", {**C, "partition_object": {}, "threshold": 0.1}),
    ("expect_column_chisquare_test_p_value_to_be_greater_than", {**C, "partition_object": {}}),
    ("expect_column_bootstrapped_ks_test_p_value_to_be_greater_than", {**C, "partition_object": {}}),
    ("expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than", {**C, "distribution": "norm"}),
    ("expect_column_pair_cramers_phi_value_to_be_less_than", AB),
    ("expect_table_row_count_to_equal_other_table", {"other_table_name": "t"}),
    ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT 1"}),
    ("expect_query_results_to_match_comparison", {}),
    ("expect_column_values_to_be_of_my_own", C),
    ("expect_column_values_to_be_between", {**C, "min_value": {"$PARAMETER": "low"}}),
    ("expect_column_values_to_be_between", C),
    ("expect_column_values_to_be_between", {**C, "min_value": "a", "max_value": "c"}),
    ("expect_column_values_to_be_between", {**C, "min_value": 1, "max_value": "2026-01-01"}),
    ("expect_column_mean_to_be_between", {**C, "min_value": 1, "strict_min": True}),
    ("expect_column_values_to_be_of_type", {**C, "type_": "GEOMETRY"}),
    ("expect_column_values_to_be_in_type_list", {**C, "type_list": ["int", "str"]}),
    ("expect_column_values_to_be_in_set", {**C, "value_set": []}),
    ("expect_column_values_to_be_in_set", C),
    ("expect_column_value_z_scores_to_be_less_than", {**C, "threshold": 3, "double_sided": False}),
    ("expect_column_to_exist", {**C, "column_index": 2}),
    ("expect_column_values_to_be_unique", {**C, "row_condition": "a > 1 & b < 2", "condition_parser": "pandas"}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {**C, "max_value": 0.5}),
    ("expect_column_pair_values_to_be_in_set", {**EITHER, "value_pairs_set": [["x", None]]}),
    ("expect_column_pair_values_to_be_in_set", {**AB, "value_pairs_set": [["x", 1, 2]]}),
    ("expect_column_pair_values_to_be_in_set", {**AB, "mostly": 0.5, "value_pairs_set": [["x" * 2000, 1]]}),
    ("expect_column_pair_values_to_be_equal", {**AB, "ignore_row_if": "all"}),
    ("", {}),
]


@pytest.mark.parametrize("shape", ["0.18", "1.x"])
@pytest.mark.parametrize(("kind", "arguments", "column", "settings"), TRANSLATED)
def test_a_type_with_a_twin_is_translated(
    kind: str, arguments: dict[str, Any], column: str, settings: dict[str, Any], shape: str
) -> None:
    """From what both generations write; missing arguments are null in one of them."""
    name = f"expect_{kind}"
    one = {"expectation_type": name, "kwargs": arguments, "meta": {}}
    if shape == "1.x":
        one = {"type": name, "kwargs": arguments, "meta": {}, "id": "1", "severity": "critical"}
    found = read_suite({"name": "s", "expectations": [one], "meta": {"great_expectations_version": shape}})
    assert found.left_out == []
    assert found.translated == 1
    (made,) = found.columns[column] if column else found.table
    (only,) = [{name: value} for name, value in _builtins(made).items()] if len(settings) == 1 else [_builtins(made)]
    assert only == settings


@pytest.mark.parametrize(("kind", "arguments", "settings", "why"), IN_PART)
def test_what_is_held_otherwise_is_translated_and_said(
    kind: str, arguments: dict[str, Any], settings: dict[str, Any], why: str
) -> None:
    """Where what is held here is less, or asks for more of the column."""
    found = read_suite({"expectations": [{"type": f"expect_{kind}", "kwargs": {**C, **arguments}}]})
    assert [_builtins(one) for one in found.columns["c"]] == [settings]
    (left,) = found.left_out
    assert left.name == f"a part of expect_{kind} of c"
    assert why in left.why


@pytest.mark.parametrize("figure", ["max", "mean", "median", "min", "stdev", "proportion_of_unique_values"])
def test_a_figure_of_no_values_lies_in_no_range(figure: str) -> None:
    """It fails there; and one value has no deviation."""
    arguments = {**C, "min_value": 0.1, "max_value": 9}
    found = read_suite({"expectations": [{"type": f"expect_column_{figure}_to_be_between", "kwargs": arguments}]})
    for values, passed in (([None, None], False), ([1.0, None], figure != "stdev"), ([1.0, 2.0], True)):
        rows = pl.DataFrame({"c": values}, schema={"c": pl.Float64})
        assert all(one.passed for one in hold(rows, columns=found.columns)) is passed


def _builtins(one: Any) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(one)
    return plain


@pytest.mark.parametrize(("kind", "arguments"), LEFT_OUT)
def test_what_has_no_twin_is_named_with_why(kind: str, arguments: dict[str, Any]) -> None:
    """Nothing is dropped in silence: it stands in the result and in the TOML."""
    found = read_suite({"expectations": [{"type": kind, "kwargs": arguments}]})
    assert (found.translated, found.columns, found.table) == (0, {}, [])
    (one,) = found.left_out
    assert kind in one.name
    assert len(one.why) > 10
    assert f"# not translated: {one.name}: {one.why}" in found.toml()


def test_mostly_conditions_severities_and_notes_come_along() -> None:
    """Expectations of a column that are held alike share a table; the others get one of their own."""
    found = read_suite(
        {
            "expectations": [
                {"type": "expect_column_values_to_be_unique", "kwargs": C},
                {"type": "expect_column_values_to_match_regex", "kwargs": {**C, "regex": "a"}},
                {"type": "expect_column_values_to_match_regex", "kwargs": {**C, "regex": "b"}},
                {
                    "type": "expect_column_values_to_be_in_set",
                    "kwargs": {
                        **C,
                        "value_set": ["x"],
                        "mostly": 0.9,
                        "row_condition": 'col("a").notNull()',
                        "condition_parser": "great_expectations",
                    },
                    "severity": "warning",
                    "meta": {"notes": {"format": "markdown", "content": ["as agreed"]}},
                },
            ]
        }
    )
    assert found.left_out == []
    first, second, third = found.columns["c"]
    assert (first.unique, first.matches, second.matches) == (True, "a", "b")
    assert (third.allowed, third.mostly, third.severity) == (["x"], 0.9, "warning")
    assert (third.where, third.about) == ('col("a") is not None', "as agreed")


def judged(rows: pl.DataFrame, kind: str, **arguments: Any) -> bool:
    """Whether rows hold what comes of one expectation, all of which is translated."""
    found = read_suite({"expectations": [{"type": f"expect_{kind}", "kwargs": arguments}]})
    assert found.left_out == []
    return all(one.passed for one in hold(rows, columns=found.columns, table=found.table))


BOTH_SIDES = pl.DataFrame(
    {
        "n": [1, 5, 5, 9, None],
        "at": [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 5, 5, 9)] + [None],
        "odd name": ["a", "ab", "ab", "b", None],
    }
)


@pytest.mark.parametrize("mostly", [0.5, 0.51])
@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("column_values_to_be_between", {"column": "n", "min_value": 2, "max_value": 8.5}),
        ("column_values_to_be_between", {"column": "n", "min_value": 1, "max_value": 9}
         | {"strict_min": True, "strict_max": True}),
        ("column_values_to_be_between", {"column": "at", "min_value": "2026-01-02", "max_value": "2026-01-08"}),
        ("column_values_to_be_between", {"column": "at", "min_value": "2026-01-01", "max_value": "2026-01-09"}
         | {"strict_min": True, "strict_max": True}),
        ("column_values_to_match_regex_list", {"column": "odd name", "regex_list": ["a", '[b"]'], "match_on": "all"}),
    ],
)  # fmt: skip
def test_what_breaks_one_side_and_what_breaks_the_other_is_counted_together(
    kind: str, arguments: dict[str, Any], mostly: float
) -> None:
    """A quarter of the values on each side are half of them; missing ones are not counted."""
    assert judged(BOTH_SIDES, kind, **arguments, mostly=mostly) is (mostly == 0.5)


@pytest.mark.parametrize(("parser", "looked_at"), [("pandas", 3), (None, 3), ("spark", 1), ("great_expectations", 1)])
def test_rows_of_a_condition_are_those_of_what_reads_it(parser: str | None, looked_at: int) -> None:
    """For pandas what is missing is unlike any number; for SQL it is open whether it is."""
    arguments = {"column": "v", "min_value": 0, "row_condition": "f != 1", "condition_parser": parser}
    found = read_suite({"expectations": [{"type": "expect_column_values_to_be_between", "kwargs": arguments}]})
    rows = pl.DataFrame({"v": [-1, -2, 3, 4], "f": [1.0, None, 2.0, None]})
    (told,) = hold(rows, columns=found.columns)
    assert (told.looked_at, told.passed) == (looked_at, looked_at == 1)


def test_limits_in_time_may_be_excluded() -> None:
    """On one side too."""
    later = {"column": "at", "strict_min": True}
    assert judged(BOTH_SIDES, "column_values_to_be_between", **later, min_value="2025-12-31")
    assert not judged(BOTH_SIDES, "column_values_to_be_between", **later, min_value="2026-01-01")


def test_every_regular_expression_of_a_list_may_be_wanted() -> None:
    """`match_on: all` is several expectations."""
    arguments = {**C, "regex_list": ["a", "b"], "match_on": "all"}
    found = read_suite({"expectations": [{"type": "expect_column_values_to_match_regex_list", "kwargs": arguments}]})
    assert [one.matches for one in found.columns["c"]] == ["a", "b"]


def test_patterns_of_sql_match_whole_texts() -> None:
    """`%` is anything, `_` one sign, lines included, and all else stands for itself."""
    frame = pl.DataFrame({"x": ["a.b\nc", "a.b"]})
    assert one_of(frame, matches=regex_of("a.b_c")).failing_rows == 1
    assert one_of(frame, matches=regex_of("a%")).passed
    escaped = pl.DataFrame({"x": ["a%b", "axb", "a\\b"]})
    assert one_of(escaped, matches=regex_of("a\\%b")).failing_rows == 2
    assert one_of(escaped, matches=regex_of("a\\\\b")).failing_rows == 2
    assert one_of(escaped, matches=regex_of("a_b")).passed


def test_a_file_of_something_else_is_no_suite() -> None:
    """It is told what one is."""
    with pytest.raises(DataError, match="no suite of Great Expectations"):
        read_suite({"expectations": {"a": 1}})


@pytest.mark.parametrize("kind", ["match_regex", "not_match_regex", "match_regex_list"])
def test_a_pattern_that_only_python_reads_is_named(kind: str) -> None:
    """With what it is; the other patterns of a list are not held without it."""
    written: object = "^(?!999).*$"
    arguments = {"regex_list": ["^a", written]} if kind.endswith("list") else {"regex": written}
    kind = f"expect_column_values_to_{kind}"
    found = read_suite({"expectations": [{"type": kind, "kwargs": {**C, **arguments}}]})
    assert (found.columns, found.translated) == ({}, 0)
    (told,) = found.left_out
    assert told.name == f"{kind} of c"
    assert "'^(?!999).*$' is no regular expression here" in told.why


DAMAGED: list[dict[str, Any]] = [
    {"kwargs": {**C, "min_value": 0, "mostly": "0.5"}},
    {"kwargs": {**C, "min_value": 0, "mostly": 1.5}},
    {"kwargs": [1]},
    {"kwargs": {"column": 5, "min_value": 0}},
    {"kwargs": {**C, "min_value": 5, "max_value": 1}, "type": "expect_column_mean_to_be_between"},
    {"kwargs": {**C, "strftime_format": 5}, "type": "expect_column_values_to_match_strftime_format"},
    {"kwargs": {"column_list": 5}, "type": "expect_compound_columns_to_be_unique"},
    {"kwargs": {"column_list": "ab", "sum_total": 1}, "type": "expect_multicolumn_sum_to_equal"},
    {"kwargs": {"column_list": ["a", "b"], "sum_total": "x y"}, "type": "expect_multicolumn_sum_to_equal"},
    {"kwargs": {"column_set": "ab"}, "type": "expect_table_columns_to_match_set"},
    {"kwargs": {**C, "regex_list": 5}, "type": "expect_column_values_to_match_regex_list"},
    {"kwargs": {**C, "threshold": -1}, "type": "expect_column_value_z_scores_to_be_less_than"},
    {"kwargs": {**C, "min_value": 0}, "meta": [1]},
    {"kwargs": {**C, "min_value": 0}, "meta": {"notes": {"content": [1]}}},
    {"kwargs": {**C, "min_value": 0, "row_condition": 5}},
]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_expectation_loses_no_other(damaged: dict[str, Any]) -> None:
    """It is named with why."""
    sound: dict[str, Any] = {"type": "expect_column_values_to_be_unique", "kwargs": C}
    one: dict[str, Any] = {"type": "expect_column_values_to_be_between"} | damaged
    found = read_suite({"expectations": [sound, one, 5]})
    assert (found.translated, [made.unique for made in found.columns["c"]], found.table) == (1, [True], [])
    left, number = found.left_out
    assert one["type"] in left.name
    assert len(left.why) > 10
    assert number.name == "an expectation without a type"
