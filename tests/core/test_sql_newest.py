"""The most common searches answer what any search answers, without what that needs."""

import subprocess
import sys

import pytest

from heptad.core import sql_newest
from heptad.core.query import All, AnyOf, Compare, Condition, Order, Query, equals
from heptad.core.records import Change, Id
from heptad.core.sql_newest import newest_of
from heptad.core.sql_paging import page_of
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import record

RECORDS = [
    record(
        f"r{number:02}", {"n": number % 5, "even": number % 2 == 0, "name": f"n{number % 3}"}, scope=f"s{number % 4}"
    )
    for number in range(60)
]
QUERIES = [
    Query(kind="run"),
    Query(kind=""),
    Query(kind="run", scopes=["s1"]),
    Query(kind="run", scopes=["s1", "s3", "none"]),
    Query(kind="run", scopes=[]),
    Query(kind="nothing"),
    Query(kind="run", where=equals(n=3)),
    Query(kind="run", where=Compare("name", "=", "n1"), scopes=["s2", "s3"]),
    Query(kind="run", where=equals(n=3, even=True, name="n0")),
    Query(kind="run", where=equals(n=3, name="other")),
]


def pages(store: SqlStore, query: Query, limit: int) -> list[list[Id]]:
    found, after = [], None
    while not found or after is not None:
        page = store.find(query, after, limit)
        found.append([one.id for one in page.items])
        after = page.after
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_pages_are_those_of_any_search(store: SqlStore, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page the same records and cursors, whichever of the two ways answers, also in turns."""
    store.write(Change(records=[*RECORDS, record("other", {"n": 3}, kind="study")]))
    for limit in (1, 7, 60):
        quick = pages(store, query, limit)
        monkeypatch.setattr("heptad.core.sql_store.newest_of", lambda *_: None)
        assert pages(store, query, limit) == quick
        monkeypatch.undo()
        with store.database.reading() as transaction:
            first = newest_of(transaction, query, None, limit)
            assert first == page_of(transaction, query, None, limit)
            if first is not None and first[1] is not None:
                assert newest_of(transaction, query, first[1], 9) == page_of(transaction, query, first[1], 9)


@pytest.mark.parametrize(
    ("where", "order"),
    [
        (All(), [Order("n")]),
        (Compare("n", ">", 1), []),
        (Compare("n", "=", None), []),
        (Compare("n", "=", float("nan")), []),
        (Compare("name", "=", "x" * 200), []),
        (Compare("@actor", "=", "user:test"), []),
        (AnyOf((Compare("n", "=", 1),)), []),
    ],
)
def test_other_searches_are_left_to_the_other_way(store: SqlStore, where: Condition, order: list[Order]) -> None:
    """Which answers them all."""
    store.write(Change(records=RECORDS))
    with store.database.reading() as transaction:
        assert newest_of(transaction, Query(kind="run", where=where, order=order), None, 5) is None


def test_where_many_have_each_value_the_other_way_is_better(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """But one value that few have is enough."""
    monkeypatch.setattr(sql_newest, "FEW", 15)
    store.write(Change(records=RECORDS))
    with store.database.reading() as transaction:
        assert newest_of(transaction, Query(kind="run", where=equals(even=True, name="n1")), None, 5) is None
        rare = Query(kind="run", where=equals(even=True, n=2))
        assert newest_of(transaction, rare, None, 5) == page_of(transaction, rare, None, 5)


def test_they_need_no_sqlalchemy(store: SqlStore) -> None:
    """Opening a store, writing, reading, lineage, events and these searches import neither it nor NumPy or Polars."""
    store.write(Change(records=RECORDS))
    code = """
import sys
from heptad.core.query import Query, equals
from heptad.core.records import AliasMove, Change, NewEvent
from heptad.core.sql_store import open_store
from heptad.core.store import Segment
store = open_store(sys.argv[1])
alias, event = AliasMove(scope="s", name="a", target="r01"), NewEvent(kind="t.x", subject="r01")
store.write(Change(aliases=[alias], events=[event]))
store.append([Segment(record="r01", key="loss", first=0, steps=[0], values=[1.0], times=[0.0])])
assert len(store.get(["r01"])) == len(store.read("r01", "loss").steps) == len(store.follow(0))
assert store.trace(["r01"], "ancestors") == []
assert store.find(Query(kind="run", where=equals(n=3))).items
print(*({"sqlalchemy", "numpy", "polars"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, store.url], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", [Query(kind="run", scopes=["s1"]), Query(kind="")])
def test_the_newest_are_read_from_an_index(store: SqlStore, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its order: nothing is sorted, however many there are."""
    store.write(Change(records=RECORDS))
    plans: list[str] = []
    with store.database.reading() as transaction:
        rows = transaction.rows

        def explained(sql: str, *values: object) -> list[tuple[object, ...]]:
            plans.extend(str(row[-1]) for row in rows(f"EXPLAIN QUERY PLAN {sql}", *values))
            return rows(sql, *values)

        monkeypatch.setattr(transaction, "rows", explained)
        newest_of(transaction, query, None, 5)
    assert not [line for line in plans if "B-TREE" in line], plans
