"""Conditions on rows as pandas reads them (`DataFrame.query`), in the language of conditions here.

A comparison with a missing value is false there, and `!=` and `not in` are true, so that `not` turns it into the other.
Here it is left open, and a row of which a condition is open is not looked at.
"""

import ast
import re

from heptad.data.columns.conditions import LONGEST
from heptad.data.expectations.importing.translation import NoTwinError, column_name

_OPPOSITES: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_MISSING = {"isna": True, "isnull": True, "notna": False, "notnull": False}


def from_pandas(text: str) -> str:
    """The condition with what pandas makes of missing values; raises `NoTwinError` where it cannot be said."""
    if len(text) > LONGEST:
        raise NoTwinError(f"its row_condition has {len(text):,} characters, and {LONGEST:,} can be said")
    quoted = re.sub(r"`([^`]*)`", lambda found: column_name(found[1]), text)
    try:
        return _said(ast.parse(quoted.strip(), mode="eval").body, denied=False)
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        raise NoTwinError(f"its row_condition {text!r} cannot be read") from error


def _said(node: ast.expr, *, denied: bool) -> str:
    """The condition, or its opposite with the `not` taken down to the comparisons."""
    match node:
        case ast.BoolOp(op=op, values=parts):
            return _joined(parts, isinstance(op, ast.And), denied=denied)
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as op, right=right):
            return _joined([left, right], isinstance(op, ast.BitAnd), denied=denied)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=one):
            return _said(one, denied=not denied)
        case ast.Compare(left=left, ops=ops, comparators=others):
            ends = [left, *others]
            steps = [
                ast.Compare(left=one, ops=[op], comparators=[other])
                for one, op, other in zip(ends, ops, others, strict=False)
            ]
            return _joined(list(steps), every=True, denied=denied) if len(steps) > 1 else _compared(node, denied=denied)
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=[], keywords=[]) if name in _MISSING:
            return f"{ast.unparse(value)} is {'' if _MISSING[name] != denied else 'not '}None"
        case _:
            return f"not ({ast.unparse(node)})" if denied else ast.unparse(node)


def _joined(parts: list[ast.expr], every: bool, *, denied: bool) -> str:
    join = " and " if every != denied else " or "
    return f"({join.join(_said(one, denied=denied) for one in parts)})"


def _compared(node: ast.Compare, *, denied: bool) -> str:
    left, op, right = node.left, node.ops[0], node.comparators[0]
    if type(op) not in _OPPOSITES or any(isinstance(one, ast.Constant) and one.value is None for one in (left, right)):
        raise NoTwinError(f"{ast.unparse(node)!r} of its row_condition asks for nothing in pandas; isna() does")
    said = f"{ast.unparse(left)} {_OPPOSITES[type(op)][denied]} {ast.unparse(right)}"
    if isinstance(op, ast.NotEq | ast.NotIn) == denied:
        return said
    return f"({' or '.join([said, *(f'{one} is None' for one in _columns(node))])})"


def _columns(node: ast.Compare) -> list[str]:
    called = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
    named = [
        ast.unparse(one)
        for one in ast.walk(node)
        if (isinstance(one, ast.Name) and all(one is not call.func for call in called))
        or (isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "col")
    ]
    return list(dict.fromkeys(named))
