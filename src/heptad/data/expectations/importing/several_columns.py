"""Expectations of Great Expectations about several columns of each row, and what of a row is left out of them."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from heptad.data.expectations.importing.translation import (
    Arguments,
    NoTwinError,
    Pieces,
    column_name,
    partly,
    plain_values,
    quoted,
    range_of,
    texts_of,
)

_LOOKED_AT = {
    "both_values_are_missing": " or ",
    "all_values_are_missing": " or ",
    "either_value_is_missing": " and ",
    "any_value_is_missing": " and ",
    "neither": "",
    "never": "",
}
"""What of a row is left out, to how it is said of the values that are there."""


def _looked_at(arguments: Arguments, columns: Sequence[str]) -> str:
    """Which rows: without a word, all but those that miss all of the values."""
    ignored = arguments.get("ignore_row_if") or "all_values_are_missing"
    if ignored not in _LOOKED_AT:
        raise NoTwinError(f"its ignore_row_if is {ignored!r}, which is none of {', '.join(_LOOKED_AT)}")
    return _all_there(columns, _LOOKED_AT[ignored]) if _LOOKED_AT[ignored] else ""


def _all_there(columns: Sequence[str], join: str = " and ") -> str:
    return join.join(f"{column_name(one)} is not None" for one in columns)


def _of_values(
    arguments: Arguments, columns: Sequence[str], held: str, complete: Mapping[str, Any] | None = None
) -> Pieces:
    """Rows hold where all of the values are there and it is true of them; `complete` says it of such rows alone."""
    where, there = _looked_at(arguments, columns), _all_there(columns)
    if where == there:
        yield "", complete or {"check": held}
    else:
        yield "", {"check": f"{there} and {held}", "where": where}


def _pair(arguments: Arguments) -> list[str]:
    return texts_of([arguments["column_A"], arguments["column_B"]])


def _greater(arguments: Arguments) -> Pieces:
    sign = " >= " if arguments.get("or_equal") else " > "
    yield from _of_values(arguments, _pair(arguments), sign.join(map(column_name, _pair(arguments))))


def _pair_equal(arguments: Arguments) -> Pieces:
    columns = _pair(arguments)
    yield from _of_values(arguments, columns, " == ".join(map(column_name, columns)), {"equal": columns})


def _pair_set(arguments: Arguments) -> Pieces:
    columns, pairs = _pair(arguments), arguments["value_pairs_set"]
    if not isinstance(pairs, list) or any(not isinstance(one, list) or len(one) != 2 for one in pairs):
        raise NoTwinError("some of its pairs are no two values")
    where, there = _looked_at(arguments, columns), _all_there(columns)
    whole = [plain_values(one) for one in pairs if None not in one]
    if where != there and (partly(arguments) or len(whole) < len(pairs)):
        said = [" and ".join(map(_is, columns, pair)) for pair in pairs]
        yield "", {"check": " or ".join(f"({one})" for one in said), "where": where}
        return
    yield "", {"combinations": {"of": columns, "allowed": whole}}
    if where != there:
        yield "", {"check": there, "where": where}


def _is(column: str, value: Any) -> str:
    """That a column has a value, true or false for a missing one too."""
    name = column_name(column)
    if value is None:
        return f"{name} is None"
    (one,) = plain_values([value])
    return f"{name} is not None and {name} == {quoted(one) if isinstance(one, str) else repr(one)}"


def _unique_together(arguments: Arguments) -> Pieces:
    columns = texts_of(arguments["column_list"])
    where = _looked_at(arguments, columns)
    if where == _all_there(columns):
        yield "", {"unique": columns}
    else:
        yield "", {"unique_with_missing": columns, "where": where}


def _different(arguments: Arguments) -> Pieces:
    """Two missing values are alike, and one is unlike every value."""
    columns = texts_of(arguments["column_list"])
    where, there = _looked_at(arguments, columns), _all_there(columns)
    if where == there:
        yield "", {"different": columns, "where": there if len(columns) > 2 else ""}
        return
    pairs = combinations(map(column_name, columns), 2)
    unlike = [f"({a} is None or {b} is None or {a} != {b}) and ({a} is not None or {b} is not None)" for a, b in pairs]
    yield "", {"check": " and ".join(unlike), "where": where}


def _sum(arguments: Arguments) -> Pieces:
    columns, total = texts_of(arguments["column_list"]), arguments["sum_total"]
    yield from _of_values(
        arguments, columns, f"{' + '.join(map(column_name, columns))} == {range_of(total, total)['min']!r}"
    )


SEVERAL_COLUMNS: dict[str, Callable[[Arguments], Pieces]] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
    "expect_column_pair_values_to_be_equal": _pair_equal,
    "expect_column_pair_values_to_be_in_set": _pair_set,
    "expect_compound_columns_to_be_unique": _unique_together,
    "expect_multicolumn_sum_to_equal": _sum,
    "expect_select_column_values_to_be_unique_within_record": _different,
}
