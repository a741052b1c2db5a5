"""Searches find what a plain reading of the condition finds, whichever way the database goes about it."""

import math
import operator
import random
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heptad.core import sql_newest, sql_paging
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Order, Query
from heptad.core.records import Change, Scalar
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import record

LONG = "long " * 40
"""Longer than the part of a text that is indexed."""
NUMBERS: list[Scalar] = [-1, 0, 0.5, 1, 2**53 + 1, True, False, math.inf, math.nan]
TEXTS: list[Scalar] = ["", "a", "A", "ab", "é", "%", "_", "[a]", "*", "\\", LONG, f"{LONG}1", f"{LONG}2", "x" * 128]
KEYS = ["k", "m", "%"]
CHOICE = random.Random(7)
RECORDS = {
    f"r{number:02}": {key: CHOICE.choice([*NUMBERS, *TEXTS]) for key in KEYS if CHOICE.random() < 0.7}
    for number in range(60)
}
COMPARISONS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def holds(condition: Condition, attributes: Mapping[str, Scalar]) -> bool:  # noqa: PLR0911 - one for each form
    """What the condition says, in Python."""
    match condition:
        case All(parts):
            return all(holds(part, attributes) for part in parts)
        case AnyOf(parts):
            return any(holds(part, attributes) for part in parts)
        case Not(part):
            return not holds(part, attributes)
        case Compare(key, "exists", value):
            return (key in attributes) is value
        case Compare(key, "!=", value):
            return not holds(Compare(key, "=", value), attributes)
        case Compare(key, "=", None):
            return key not in attributes
        case Compare(key, "in", value):
            return any(holds(Compare(key, "=", one), attributes) for one in value)
        case Compare(key, sign, value):
            found = attributes.get(key)
            comparable = found is not None and isinstance(found, str) == isinstance(value, str)
            # The database compares whole numbers as floats.
            return comparable and COMPARISONS[sign](
                *(one if isinstance(one, str) else float(one) for one in (found, value))
            )


values = st.sampled_from([*NUMBERS, *TEXTS])
comparisons = st.one_of(
    st.builds(Compare, st.sampled_from(KEYS), st.sampled_from([*COMPARISONS, "!="]), values),
    st.builds(Compare, st.sampled_from(KEYS), st.just("in"), st.lists(values, max_size=3)),
    st.builds(Compare, st.sampled_from(KEYS), st.just("exists"), st.booleans()),
    st.builds(Compare, st.sampled_from(KEYS), st.sampled_from(["=", "!="]), st.none()),
)
WAYS = [(0, 1), (0, 5), (0, 10_000), (5, 10_000), (2000, 10_000)]
"""How few records a search starts from, and how many it looks at one by one."""
conditions = st.recursive(
    comparisons,
    lambda part: st.one_of(
        st.builds(All, st.lists(part, max_size=3)), st.builds(AnyOf, st.lists(part, max_size=3)), st.builds(Not, part)
    ),
    max_leaves=5,
)


@pytest.fixture
def filled(store: SqlStore) -> SqlStore:
    store.write(Change(records=[record(identity, attributes) for identity, attributes in RECORDS.items()]))
    return store


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=conditions, way=st.sampled_from(WAYS), order=st.sampled_from([*KEYS, "@id", ""]))
def test_a_search_finds_what_the_condition_says(
    filled: SqlStore, condition: Condition, way: tuple[int, int], order: str
) -> None:
    """Exactly the records for which it holds, each once, in any order, with a narrow comparison or without."""
    expected = sorted(identity for identity, attributes in RECORDS.items() if holds(condition, attributes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_newest, "FEW", way[0])
        patch.setattr(sql_paging, "MEDIUM", way[1])
        query = Query(kind="run", where=condition, order=[Order(order)] if order else [], attributes=())
        found = [one.id for one in filled.find(query).items]
    assert sorted(found) == expected


@pytest.mark.parametrize(
    ("sign", "pattern", "expected"),
    [
        ("like", "a%", {"a", "ab"}),
        ("ilike", "a", {"a", "A"}),
        ("like", "_", {"a", "A", "é", "%", "_", "*", "\\"}),
        ("like", "[a]", {"[a]"}),
        ("like", "*", {"*"}),
        ("like", "\\", {"\\"}),
        ("like", "%1", {f"{LONG}1"}),
        ("ilike", "LONG%2", {f"{LONG}2"}),
        ("like", "LONG%", set()),
    ],
)
def test_patterns_mean_the_same_on_both_databases(store: SqlStore, sign: str, pattern: str, expected: set[str]) -> None:
    """Only `%` and `_` are special, and only `ilike` takes letters of either case as equal."""
    store.write(Change(records=[record(f"r{place}", {"k": text}) for place, text in enumerate(TEXTS)]))
    found = store.find(Query(kind="run", where=Compare("k", sign, pattern))).items
    assert {one.attributes["k"] for one in found} == expected
