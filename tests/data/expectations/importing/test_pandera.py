"""Schemas of Pandera, as its own writer wrote them (0.35), and as it wrote them before."""

from pathlib import Path
from typing import Any

import pytest

from heptad.core.errors import DataError
from heptad.data import import_expectations
from heptad.data.expectations.importing.pandera import read_schema

WRITTEN = Path(__file__).parent


@pytest.mark.parametrize("name", ["payments.yaml", "payments.json"])
def test_what_pandera_writes_is_translated(name: str) -> None:
    """Types, missing values, checks, warnings, uniqueness; the rest is named."""
    found = import_expectations(WRITTEN / name)
    columns = {column: parts[0] for column, parts in found.columns.items()}
    assert (columns["id"].type, columns["id"].unique, columns["id"].missing) == ("integer", True, 0)
    amount = columns["amount"]
    assert (amount.missing, amount.min, amount.max, amount.above) == (None, 0, 100, -1)
    assert amount.about == "what was paid"
    code, again = found.columns["code"]
    assert (code.matches, code.starts_with, again.matches) == ("^(?:^[A-Z]{2})", "A", "b")
    assert code.length is not None
    assert (code.length.min, code.length.max) == (2, 5)
    assert (columns["kind"].allowed, columns["kind"].forbidden) == (["a", "b"], ["z"])
    assert columns["at"].not_before == "2020-01-01"
    bound, warned = found.columns["n"]
    assert (bound.min, bound.below, bound.values) == (0, 10, [1, 2])
    assert (warned.allowed, warned.severity) == ([3], "warning")
    assert [one.unique for one in found.table] == [["id", "code"]]
    assert {one.name for one in found.left_out} == {
        "required = false of kind",
        "the type of amount",
        "the columns x_.*",
        "strict",
        "ordered",
        "coerce",
        "the index row",
    }


@pytest.mark.parametrize(
    "checks",
    [
        {"in_range": {"min_value": 0, "max_value": 9, "include_min": False}, "str_endswith": "x"},
        [
            {"min_value": 0, "max_value": 9, "include_min": False, "options": {"check_name": "in_range"}},
            {"value": "x", "options": {"check_name": "str_endswith"}},
        ],
        {
            "in_range": {"min_value": 0, "max_value": 9, "include_min": False, "options": {"ignore_na": True}},
            "str_endswith": {"string": "x", "options": {"raise_warning": False}},
        },
    ],
)
def test_older_ways_of_writing_checks_are_read(checks: Any) -> None:
    """In a table or a list of their own, with options beside."""
    found = read_schema({"columns": {"c": {"dtype": "int64", "nullable": True, "checks": checks}}})
    (one,) = found.columns["c"]
    assert (one.above, one.max, one.ends_with, one.type) == (0, 9, "x", "integer")
    assert found.left_out == []


@pytest.mark.parametrize(
    "column",
    [
        {
            "greater_than": {"min_value": 0, "raise_warning": True},
            "less_than_or_equal_to": {"max_value": 9, "raise_warning": True, "error": "too large"},
        },
        {
            "checks": [
                {"min_value": 0, "options": {"check_name": "greater_than", "raise_warning": True}},
                {"max_value": 9, "options": {"check_name": "less_than_or_equal_to", "raise_warning": True}},
            ]
        },
    ],
)
def test_limits_with_options_are_read(column: dict[str, Any]) -> None:
    """Beside an option, or where a check comes twice, Pandera names the limit otherwise."""
    found = read_schema({"columns": {"c": {"nullable": True} | column}})
    assert found.left_out == []
    _, warned = found.columns["c"]
    assert (warned.above, warned.max, warned.severity) == (0, 9, "warning")


def test_types_that_take_more_here_are_named_once() -> None:
    """With all of their columns."""
    types = {"a": "float64", "b": "int64", "c": "float64", "d": "category", "e": "str"}
    found = read_schema({"columns": {name: {"dtype": dtype} for name, dtype in types.items()}})
    assert [one[0].type for one in found.columns.values()] == ["number", "integer", "number", "text", "text"]
    assert [(one.name, one.why) for one in found.left_out] == [
        ("the type of a, c", "float64 is held as number, which whole numbers are too"),
        ("the type of d", "category is held as text, which other types are too"),
    ]


def test_what_cannot_be_said_is_named() -> None:
    """Checks of one's own, types that are not known, arguments of other kinds, checks of the whole frame."""
    found = read_schema(
        {
            "columns": {"c": {"dtype": "geometry", "my_check": 1, "isin": [], "greater_than": "2020-01-01"}, "d": None},
            "checks": {"wide_to_long": {}},
            "strict": "filter",
            "ordered": True,
        }
    )
    assert {one.name for one in found.left_out} == {
        "the type of c",
        "my_check of c",
        "isin of c",
        "greater_than of c",
        "strict = filter",
        "ordered",
        "wide_to_long of the whole frame",
    }
    assert found.columns["d"][0].missing == 0


@pytest.mark.parametrize("strict", [True, False, "filter"])
def test_an_order_that_cannot_be_said_is_named(strict: object) -> None:
    """However strict the schema is beside it."""
    found = read_schema({"columns": {"a": {}, "b_.*": {"regex": True}}, "strict": strict, "ordered": True})
    assert {"ordered", "the columns b_.*"} <= {one.name for one in found.left_out}


def test_a_pattern_that_only_python_reads_is_named() -> None:
    """What would stop every later collection is not written; texts that are no patterns are."""
    checks = {"str_matches": "(?!999).*", "str_contains": r"(a)\1", "str_startswith": "(?!"}
    found = read_schema({"columns": {"a": {"checks": checks}}})
    assert [one.name for one in found.left_out] == ["str_matches of a", "str_contains of a"]
    (one,) = found.columns["a"]
    assert (one.matches, one.starts_with) == ("", "(?!")


def test_columns_that_are_all_named_are_all_there() -> None:
    """A strict schema, in order or not."""
    columns: dict[str, Any] = {"a": {}, "b": {"nullable": True}}
    assert read_schema({"columns": columns, "strict": True}).table[0].columns == ["a", "b"]
    ordered = read_schema({"columns": columns, "strict": True, "ordered": True, "unique": [["a"], ["b"]]})
    assert ordered.table[0].columns_in_order == ["a", "b"]
    assert [(one.unique, one.unique_with_missing) for one in ordered.table[1:]] == [(["a"], []), ([], ["b"])]
    assert ordered.columns["b"][0].present
    with pytest.raises(DataError, match="no schema of Pandera"):
        read_schema({"columns": ["a"]})


def test_a_damaged_part_of_a_schema_loses_no_other() -> None:
    """Whatever its parts are instead of what they should be."""
    columns = {
        "a": {"checks": 5},
        "b": {"checks": [5, {"value": 0, "options": {"check_name": "greater_than"}}], "isin": {"options": 5}},
    }
    found = read_schema({"columns": columns, "unique": [["b"], 5], "index": 5, "checks": 5, "ordered": 1})
    assert (found.columns["b"][0].above, [one.unique for one in found.table]) == (0, [["b"]])
    assert [one.name for one in found.left_out] == [
        "a check without a name of a",
        "a check without a name of b",
        "isin of b",
        "ordered",
        "unique",
        "the index 0",
        "a check without a name of the whole frame",
    ]
