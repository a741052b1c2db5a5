"""The small language of conditions on a row: one column against one value, nothing that runs."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from heptad.core.errors import nearest
from heptad.data.cleaning.settings import RowRule

_OPERATORS: dict[str, Callable[[pl.Expr, Any], pl.Expr]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARED = re.compile(r"\s*(?P<column>.+?)\s*(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>.+?)\s*")
_PRESENCE = re.compile(r"\s*(?P<column>.+?)\s+is\s+(?P<what>missing|present)\s*")
_FORM = "COLUMN == VALUE (or !=, <, <=, >, >=), COLUMN is missing, COLUMN is present; text in quotes"
_TRUTH = {"true": True, "false": False}


def condition_mistakes(condition: str, types: Mapping[str, pl.DataType]) -> Iterator[str]:
    """What is wrong with a condition on rows of these dtypes."""
    column, sign, value = _parts(condition)
    if not column:
        yield f"{condition!r} is no condition. Allowed: {_FORM}"
    elif column not in types:
        yield f"{condition!r} names {column!r}. Allowed: {nearest(column, list(types))}"
    elif sign and _value(value, types[column]) is None:
        yield f"{condition!r} compares {types[column]} with {value}. Allowed: {_wanted(types[column])}"


def rows_where(rule: RowRule, types: Mapping[str, pl.DataType]) -> pl.Expr:
    """Which rows a rule is about; a condition on a missing value does not hold."""
    all_of = pl.all_horizontal(_condition(one, types) for one in rule.where)
    if not rule.unless:
        return all_of
    return all_of & ~pl.any_horizontal(_condition(one, types) for one in rule.unless)


def columns_of(rule: RowRule) -> Sequence[str]:
    """The columns that a rule looks at."""
    return [_parts(one)[0] for one in (*rule.where, *rule.unless)]


def _condition(condition: str, types: Mapping[str, pl.DataType]) -> pl.Expr:
    column, sign, value = _parts(condition)
    if not sign:
        return pl.col(column).is_null() if value == "missing" else pl.col(column).is_not_null()
    return _OPERATORS[sign](pl.col(column), pl.lit(_value(value, types[column]))).fill_null(value=False)


def _parts(condition: str) -> tuple[str, str, str]:
    """Column, sign (empty: presence) and value as written; an empty column where it is no condition."""
    if found := _PRESENCE.fullmatch(condition):
        return _bare(found["column"]), "", found["what"]
    if found := _COMPARED.fullmatch(condition):
        return _bare(found["column"]), found["sign"], found["value"]
    return "", "", ""


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _value(text: str, kind: pl.DataType) -> str | float | bool | datetime | None:
    """The value as the column holds it; `None` where it cannot."""
    try:
        if kind == pl.String:
            return _bare(text) if _bare(text) != text else None
        if kind == pl.Boolean:
            return _TRUTH.get(text)
        if kind.is_temporal():
            moment = datetime.fromisoformat(_bare(text))
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return float(text)
    except ValueError:
        return None


def _wanted(kind: pl.DataType) -> str:
    if kind == pl.String:
        return "a text in quotes, 'like this'"
    if kind == pl.Boolean:
        return "true or false"
    return "a time in ISO 8601" if kind.is_temporal() else "a number"
