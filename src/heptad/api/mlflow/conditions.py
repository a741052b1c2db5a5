"""Comparisons of the protocol's searches as conditions of ours."""

import math
from datetime import UTC, datetime
from typing import cast

from heptad.api.mlflow.errors import invalid
from heptad.api.mlflow.search_grammar import Clause, Value
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Operator

NUMERIC = frozenset({"=", "!=", "<", "<=", ">", ">="})
TEXTUAL = frozenset({"=", "!=", "LIKE", "ILIKE"})
NULLS = frozenset({"IS NULL", "IS NOT NULL"})
LISTS = frozenset({"IN", "NOT IN"})


def check_operator(clause: Clause, allowed: frozenset[str]) -> None:
    if clause.operator not in allowed:
        raise invalid(
            f"Invalid comparator {clause.operator!r} for {written(clause)!r}: not one of {', '.join(sorted(allowed))}"
        )


def written(clause: Clause) -> str:
    return f"{clause.entity}.{clause.key}" if clause.entity else clause.key


def numeric(clause: Clause, key: str, scale: float = 1.0) -> Condition:
    """A comparison with a number; a record without the key meets none, not even `!=`."""
    check_operator(clause, NUMERIC)
    if not isinstance(clause.value, float):
        raise invalid(f"Expected numeric value type for {written(clause)!r}. Found {clause.value!r}")
    value = clause.value / scale if scale != 1.0 else clause.value
    if clause.operator == "!=":
        return All((Compare(key, "exists", True), Not(Compare(key, "=", value))))
    return Compare(key, cast("Operator", clause.operator), value)


def moment(clause: Clause) -> Condition:
    """A comparison of the time of a record, given in milliseconds, which holds for all microseconds of one."""
    check_operator(clause, NUMERIC)
    if not isinstance(clause.value, float):
        raise invalid(f"Expected numeric value type for {written(clause)!r}. Found {clause.value!r}")
    try:
        start = datetime.fromtimestamp(int(clause.value) / 1000, UTC)
        end = datetime.fromtimestamp((int(clause.value) + 1) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise invalid(f"{clause.value} is no time in milliseconds since 1970.") from None
    within = All((Compare("@at", ">=", start), Compare("@at", "<", end)))
    meanings: dict[str, Condition] = {
        "=": within,
        "!=": Not(within),
        "<": Compare("@at", "<", start),
        "<=": Compare("@at", "<", end),
        ">": Compare("@at", ">=", end),
        ">=": Compare("@at", ">=", start),
    }
    return meanings[clause.operator]


def textual(clause: Clause, key: str, allowed: frozenset[str] = TEXTUAL | NULLS) -> Condition:
    """A comparison with text; a record without the key meets none but `IS NULL`."""
    check_operator(clause, allowed)
    if clause.operator in NULLS:
        return present(key) if clause.operator == "IS NOT NULL" else Not(present(key))
    found = _matching(key, clause)
    if clause.operator in {"!=", "NOT IN"}:
        return All((present(key), Not(found)))
    return found


def present(key: str) -> Condition:
    """The record has text or a number under the key: what `exists` says, but read off the indexes."""
    return AnyOf((Compare(key, ">=", ""), Compare(key, ">=", -math.inf)))


def _matching(key: str, clause: Clause) -> Condition:
    value = clause.value
    if clause.operator in LISTS:
        return Compare(key, "in", list(_texts(value)))
    if not isinstance(value, str):
        raise invalid(f"Expected a quoted string value for {written(clause)!r} (e.g. 'my-value'). Got value {value!r}")
    if clause.operator in {"LIKE", "ILIKE"}:
        return Compare(key, "ilike" if clause.operator == "ILIKE" else "like", value)
    return Compare(key, "=", value)


def _texts(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
