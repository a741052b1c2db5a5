"""A cursor comes back from a client: what no search gave is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import InputError
from heptad.core.query import Compare, Order, Query
from heptad.core.records import Change
from heptad.core.sql_cursor import from_cursor, to_cursor
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import record

NEWEST = Query(kind="run")
SORTED = Query(kind="run", order=[Order("loss")])

values = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text())


@given(phase=st.integers(0, 5), values=values)
def test_a_cursor_says_what_it_was_given(phase: int, values: list[object]) -> None:
    """Any values that a row may have."""
    assert from_cursor(SORTED, to_cursor(SORTED, phase, values)) == (phase, values)


@pytest.mark.parametrize("after", ["", "nonsense", "aGVsbG8=", to_cursor(NEWEST, 0, [1])])
def test_anything_else_is_none(after: str) -> None:
    """Also a cursor of another search."""
    with pytest.raises(InputError, match="cursor"):
        from_cursor(SORTED, after)


@pytest.mark.parametrize("query", [NEWEST, SORTED, Query(kind="run", where=Compare("loss", "=", 1.0))])
@pytest.mark.parametrize(
    "place", [(0, []), (0, [1, 2, 3]), (0, ["x"]), (0, [{"a": 1}]), (0, [None]), (1, ["x", 1]), (9, [1]), (-1, [1])]
)
def test_a_cursor_that_somebody_made_up_is_refused(
    store: SqlStore, query: Query, place: tuple[int, list[object]]
) -> None:
    """No page of these searches can have ended there."""
    store.write(Change(records=[record(f"r{number}", {"loss": 1.0 * number}) for number in range(9)]))
    with pytest.raises(InputError, match="cursor"):
        store.find(query, to_cursor(query, *place), 7)
