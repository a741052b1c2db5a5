"""Conditions on one row of plain values: the commonest part of the language, answered without Polars.

What it cannot say (functions, divisions) is answered by Polars, which is loaded for it.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

Row: TypeAlias = Mapping[str, Any]
Term: TypeAlias = Callable[[Row], Any]
"""A part of a condition: the row's value of it, `None` where a missing value leaves it open."""

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


class NotPlainError(Exception):
    """The condition says what only Polars answers."""


def named_in(condition: str) -> list[str]:
    """The columns that a condition names, which was read before."""
    found = []
    functions = set()
    for node in ast.walk(ast.parse(condition.strip(), mode="eval")):
        match node:
            case ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str() as name)]):
                found.append(name)
                functions.add(node.func)
            case ast.Call():
                functions.add(node.func)
            case ast.Name(id=name) if node not in functions:
                found.append(name)
            case _:
                continue
    return list(dict.fromkeys(found))


def plain_truth(condition: str) -> Term:
    """What a condition, which was checked before, says of a row; raises `NotPlainError`."""
    return _term(ast.parse(condition.strip(), mode="eval").body)


def as_moment(value: object) -> datetime | None:
    """A moment as JSON has it, in UTC; `None` for what is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def _term(node: ast.expr) -> Term:
    match node:
        case ast.BoolOp(op=op, values=parts):
            made = _joined([_term(one) for one in parts], decides=isinstance(op, ast.Or))
        case ast.UnaryOp(op=ast.Not(), operand=one):
            made = _of_one(_term(one), operator.not_)
        case ast.UnaryOp(op=ast.USub(), operand=one):
            made = _of_one(_term(one), operator.neg)
        case ast.Compare():
            made = _comparison(node)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            made = _of_two(_term(left), _term(right), _ARITHMETIC[type(op)])
        case ast.Name(id=name) | ast.Call(func=ast.Name(id="col"), args=[ast.Constant(value=str() as name)]):
            made = _cell(name)
        case ast.Constant(value=bool() | int() | float() | str() as constant):
            made = _constant(constant)
        case ast.Call(func=ast.Name(id="date"), args=[ast.Constant(value=str() as text)]):
            made = _constant(as_moment(text))
        case _:
            raise NotPlainError(ast.unparse(node))
    return made


def _cell(name: str) -> Term:
    return lambda row: row.get(name)


def _constant(value: object) -> Term:
    return lambda _: value


def _joined(parts: list[Term], *, decides: bool) -> Term:
    """`and` and `or` of three values: one part that decides is enough, and an open one leaves the rest open."""

    def held(row: Row) -> Any:
        answer: bool | None = not decides
        for part in parts:
            value = part(row)
            if value is decides:
                return decides
            if value is None:
                answer = None
        return answer

    return held


def _of_one(term: Term, act: Callable[[Any], Any]) -> Term:
    def value_of(row: Row) -> Any:
        value = term(row)
        return None if value is None else act(value)

    return value_of


def _of_two(left: Term, right: Term, act: Callable[[Any, Any], Any]) -> Term:
    def value_of(row: Row) -> Any:
        low, high = left(row), right(row)
        if low is None or high is None:
            return None
        if isinstance(low, datetime) or isinstance(high, datetime):
            low, high = as_moment(low), as_moment(high)
            if low is None or high is None:
                return None
        try:
            return act(low, high)
        except TypeError:
            # A value of another type than the column has; the model's signature says so to the caller.
            return None

    return value_of


def _comparison(node: ast.Compare) -> Term:
    held, left = [], node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        held.append(_compared(left, op, right))
        left = right
    return held[0] if len(held) == 1 else _joined(held, decides=False)


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr) -> Term:
    value = _term(left)
    if isinstance(right, ast.Constant) and right.value is None:
        wanted = isinstance(op, ast.Is | ast.Eq)
        return lambda row: (value(row) is None) is wanted
    if isinstance(op, ast.In | ast.NotIn):
        among, inside = ast.literal_eval(right), isinstance(op, ast.In)
        return _of_one(value, lambda one: (one in among) is inside)
    if type(op) not in _COMPARE:
        raise NotPlainError(ast.unparse(right))
    return _of_two(value, _term(right), _COMPARE[type(op)])
