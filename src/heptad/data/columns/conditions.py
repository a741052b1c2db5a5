"""The language of conditions on rows: a small part of Python's expressions, read into a polars one and never run.

landed >= departed and (fare > 0 or free)
carrier in ["UA", "AA"], 0 <= delay <= 600, col("odd name") is not None, year(at) > 2020, length(name) < 40
"""

import ast
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import reduce
from typing import Any, NoReturn

import polars as pl

from heptad.core.errors import InputError, nearest

LONGEST = 2000
"""Characters of an expression: what nests deeper than Python's parser can follow is refused."""

_COMPARE: dict[type[ast.cmpop], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Eq: pl.Expr.__eq__,
    ast.NotEq: pl.Expr.__ne__,
    ast.Lt: pl.Expr.__lt__,
    ast.LtE: pl.Expr.__le__,
    ast.Gt: pl.Expr.__gt__,
    ast.GtE: pl.Expr.__ge__,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Add: pl.Expr.__add__,
    ast.Sub: pl.Expr.__sub__,
    ast.Mult: pl.Expr.__mul__,
    ast.Div: pl.Expr.__truediv__,
    ast.FloorDiv: pl.Expr.__floordiv__,
    ast.Mod: pl.Expr.__mod__,
}
_OF_VALUES: dict[str, tuple[int, int, Callable[..., pl.Expr]]] = {
    "abs": (1, 1, lambda value: value.abs()),
    "round": (1, 1, lambda value: value.round()),
    "floor": (1, 1, lambda value: value.floor()),
    "ceil": (1, 1, lambda value: value.ceil()),
    "lower": (1, 1, lambda value: value.str.to_lowercase()),
    "upper": (1, 1, lambda value: value.str.to_uppercase()),
    "strip": (1, 1, lambda value: value.str.strip_chars()),
    "length": (1, 1, lambda value: value.str.len_chars()),
    "year": (1, 1, lambda value: value.dt.year()),
    "month": (1, 1, lambda value: value.dt.month()),
    "day": (1, 1, lambda value: value.dt.day()),
    "hour": (1, 1, lambda value: value.dt.hour()),
    "weekday": (1, 1, lambda value: value.dt.weekday()),
    "seconds": (1, 1, lambda value: value.dt.total_milliseconds() / 1000),
    "min": (2, 20, pl.min_horizontal),
    "max": (2, 20, pl.max_horizontal),
    "coalesce": (2, 20, pl.coalesce),
}
"""Functions of values: how few and how many they take, and what they are."""
_WITH_TEXT: dict[str, Callable[[pl.Expr, str], pl.Expr]] = {
    "starts_with": lambda value, text: value.str.starts_with(text),
    "ends_with": lambda value, text: value.str.ends_with(text),
    "contains": lambda value, text: value.str.contains(text, literal=True),
    "matches": lambda value, text: value.str.contains(text),
}
FUNCTIONS = ("col", "date", *_OF_VALUES, *_WITH_TEXT)


class ConditionError(InputError):
    """A text that is no condition, or does not fit the columns."""


def compile_condition(text: str, types: Mapping[str, pl.DataType], setting: str) -> pl.Expr:
    """What a text says, a truth for each row, null where a missing value leaves it open; raises `ConditionError`."""
    expression = _Reader(text, types, setting).read()
    return checked_truth(expression, types, f"{setting} = {text!r}")


def check_syntax(text: str, setting: str) -> None:
    """Raises `ConditionError` where a text is no condition, whatever columns there are."""
    _Reader(text, _AnyColumns(), setting).read()


def columns_of(text: str) -> list[str]:
    """The columns that a condition names, each once; raises `ConditionError`."""
    return list(dict.fromkeys(_Reader(text, _AnyColumns(), "condition").read().meta.root_names()))


class _AnyColumns(dict[str, pl.DataType]):
    """Columns of which each name is one."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> pl.DataType:
        return pl.Null()


def checked_truth(expression: pl.Expr, types: Mapping[str, pl.DataType], what: str) -> pl.Expr:
    """The expression, once it was tried on no rows; raises `ConditionError` where it is not a truth for each row."""
    try:
        made = pl.DataFrame(schema=dict(types)).select(expression.alias("held"))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise ConditionError(
            f"{what} does not fit the columns: {str(error).splitlines()[0]}.",
            allowed="numbers with numbers, texts with texts, times with date(...)",
        ) from error
    if made["held"].dtype != pl.Boolean:
        raise ConditionError(
            f"{what} is {made['held'].dtype} and no truth.", allowed="a comparison, joined by and, or, not"
        )
    if made.height:
        raise ConditionError(
            f"{what} is one value and not one for each row.", allowed="an expression of each row by itself"
        )
    return expression


class _Reader:
    """Walks one syntax tree; whatever is not in the tables above is refused."""

    def __init__(self, text: str, types: Mapping[str, pl.DataType], setting: str) -> None:
        self._text = text
        self._types = types
        self._setting = setting

    def read(self) -> pl.Expr:
        if len(self._text) > LONGEST:
            raise ConditionError(f"{self._setting} has {len(self._text):,} characters.", allowed=f"at most {LONGEST:,}")
        try:
            tree = ast.parse(self._text.strip(), mode="eval").body
            return self._value(tree)
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            why = error.msg if isinstance(error, SyntaxError) else "it nests too deeply"
            self._refuse(f"it cannot be read: {why}", 'for example landed >= departed and carrier in ["UA", "AA"]')

    def _refuse(self, why: str, allowed: str) -> NoReturn:
        raise ConditionError(f"{self._setting} = {self._text!r}: {why}.", allowed=allowed)

    def _value(self, node: ast.expr) -> pl.Expr:
        match node:
            case ast.BoolOp(op=op, values=parts):
                join = pl.Expr.__and__ if isinstance(op, ast.And) else pl.Expr.__or__
                made = reduce(join, [self._value(one) for one in parts])
            case ast.UnaryOp(op=ast.Not(), operand=one):
                made = ~self._value(one)
            case ast.UnaryOp(op=ast.USub(), operand=one):
                made = -self._value(one)
            case ast.Compare():
                made = self._comparison(node)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                made = _ARITHMETIC[type(op)](self._value(left), self._value(right))
            case ast.Name(id=name):
                made = self._column(name)
            case ast.Constant(value=bool() | int() | float() | str() as constant):
                made = pl.lit(constant)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                made = self._call(name, arguments)
            case _:
                self._refuse(
                    f"{ast.unparse(node)!r} is not part of the language",
                    "columns, numbers, texts, comparisons, in, and, or, not, is None, + - * / // %, "
                    f"and functions: {', '.join(FUNCTIONS)}",
                )
        return made

    def _comparison(self, node: ast.Compare) -> pl.Expr:
        held, left = [], node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            held.append(self._compared(left, op, right))
            left = right
        return reduce(pl.Expr.__and__, held)

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pl.Expr:
        nothing = isinstance(right, ast.Constant) and right.value is None
        if nothing and isinstance(op, ast.Is | ast.Eq):
            return self._value(left).is_null()
        if nothing and isinstance(op, ast.IsNot | ast.NotEq):
            return self._value(left).is_not_null()
        if isinstance(op, ast.In | ast.NotIn):
            # A list is held in one type, which need not be the column's; single values compare as numbers do.
            value = self._value(left)
            among: pl.Expr = reduce(pl.Expr.__or__, [value == one for one in self._constants(right)])
            return among if isinstance(op, ast.In) else ~among
        if type(op) not in _COMPARE:
            self._refuse(f"{ast.unparse(right)!r} cannot be compared so", "== != < <= > >=, in [...], is None")
        return _COMPARE[type(op)](self._value(left), self._value(right))

    def _constants(self, node: ast.expr) -> list[Any]:
        try:
            values = ast.literal_eval(node) if isinstance(node, ast.List | ast.Tuple) else None
        except ValueError:
            values = None
        kinds = {float if type(one) is int else type(one) for one in values or ()}
        if not values or len(kinds) != 1 or not kinds <= {str, float, bool}:
            self._refuse(f"{ast.unparse(node)!r} is no list of values of one kind", 'in ["UA", "AA"]')
        return list(values)

    def _column(self, name: str) -> pl.Expr:
        if name not in self._types:
            self._refuse(f"there is no column {name!r}", nearest(name, list(self._types), most=30))
        kind = self._types[name]
        return as_utc(pl.col(name), kind) if isinstance(kind, pl.Date | pl.Datetime) else pl.col(name)

    def _call(self, name: str, arguments: list[ast.expr]) -> pl.Expr:
        if name in {"col", "date"}:
            text = self._text_of(name, arguments, 0, 1)
            return self._column(text) if name == "col" else pl.lit(moment(text, self._setting))
        if name in _WITH_TEXT:
            text = self._text_of(name, arguments, 1, 2)
            if name == "matches":
                check_pattern(text, self._setting)
            return _WITH_TEXT[name](self._value(arguments[0]), text)
        if name not in _OF_VALUES:
            self._refuse(f"there is no function {name!r}", nearest(name, FUNCTIONS, most=len(FUNCTIONS)))
        least, most, function = _OF_VALUES[name]
        if not least <= len(arguments) <= most:
            self._refuse(
                f"{name} was given {len(arguments)} values", f"{least}" if least == most else f"{least} or more"
            )
        return function(*(self._value(one) for one in arguments))

    def _text_of(self, name: str, arguments: list[ast.expr], place: int, count: int) -> str:
        given = arguments[place] if len(arguments) == count else None
        if not isinstance(given, ast.Constant) or not isinstance(given.value, str):
            self._refuse(f"{name} needs a text in quotes", {1: f'{name}("...")', 2: f'{name}(column, "...")'}[count])
        return given.value


def check_pattern(pattern: str, setting: str) -> str:
    """The pattern, where polars can read it as a regular expression; raises `ConditionError`."""
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError as error:
        raise ConditionError(
            f"{setting} has {pattern!r}, which is no regular expression here.",
            allowed="the syntax of Rust's regex, which has no look-around and no back-references",
        ) from error
    return pattern


def moment(text: str, setting: str) -> datetime:
    """A date or time in ISO 8601, in UTC; raises `ConditionError`."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConditionError(
            f"{setting} has {text!r}, which is no date or time.", allowed="ISO 8601: 2026-01-31, 2026-01-31T12:00:00Z"
        ) from error
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def as_utc(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Dates and times as moments in UTC; those without a zone are taken to be in UTC."""
    if kind == pl.Datetime("us", "UTC"):
        return value
    moments = value.cast(pl.Datetime("us", None if is_naive(kind) else "UTC"))
    return moments.dt.replace_time_zone("UTC") if is_naive(kind) else moments.dt.convert_time_zone("UTC")


def is_naive(kind: pl.DataType) -> bool:
    """Whether a dtype is of times that name no zone."""
    return not (isinstance(kind, pl.Datetime) and kind.time_zone)
