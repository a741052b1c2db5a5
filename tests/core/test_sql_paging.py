"""Pages in any order add up to all records, and a page is read from an index."""

import random

import pytest

from heptad.core import sql_newest
from heptad.core.query import All, Compare, Order, Query
from heptad.core.records import Change
from heptad.core.sql_store import SqlStore
from heptad.core.sql_transaction import Transaction
from heptad.testing.store_contract import record

CHOICE = random.Random(7)
RECORDS = [
    record(
        f"r{number:03}",
        {
            key: value
            for key, value in {
                "loss": CHOICE.choice([0.1, 0.2, 0.3, "diverged", None]),
                "seed": CHOICE.choice([1, 2, None]),
                "name": "n" * 200 + str(number % 7),
            }.items()
            if value is not None
        },
    )
    for number in range(120)
]
ORDERS = [
    [Order("loss"), Order("seed", descending=True)],
    [Order("loss", descending=True), Order("@id")],
    [Order("name", descending=True), Order("loss")],
    [Order("seed"), Order("name"), Order("@id", descending=True)],
    [Order("@at"), Order("loss")],
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(one.key for one in order))
@pytest.mark.parametrize("few", [0, 2000])
def test_pages_are_the_whole_in_parts(
    store: SqlStore, order: list[Order], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ties, missing keys, mixed types and long texts, no record is skipped or comes twice."""
    monkeypatch.setattr(sql_newest, "FEW", few)
    store.write(Change(records=RECORDS))
    query = Query(kind="run", where=Compare("name", "exists", True), order=order, attributes=())
    whole = [one.id for one in store.find(query, limit=200).items]
    assert sorted(whole) == [one.id for one in RECORDS]
    parts, after = [], None
    while len(parts) < len(whole):
        page = store.find(query, after, 7)
        parts += [one.id for one in page.items]
        after = page.after
    assert parts == whole
    assert after is None


def plan_of(store: SqlStore, query: Query, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How SQLite reads the first page: one line for each table that it looks at."""
    lines: list[str] = []
    fetch = Transaction.fetch

    def explained(self: Transaction, sql: str, values: object) -> list[tuple[object, ...]]:
        lines.extend(row[-1] for row in fetch(self, f"EXPLAIN QUERY PLAN {sql}", values))
        return fetch(self, sql, values)

    monkeypatch.setattr(Transaction, "fetch", explained)
    store.find(query, limit=10)
    return lines


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("few", [0, 2000])
def test_no_search_reads_a_whole_table(store: SqlStore, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions and order come from indexes that cover what is asked, so time grows with what is found."""
    monkeypatch.setattr(sql_newest, "FEW", few)
    store.write(Change(records=[record(f"r{n}", {"loss": n / 10, "name": f"n{n % 3}"}) for n in range(300)]))
    condition = All((Compare("name", "=", "n1"), Compare("loss", ">", 1.0)))
    lines = plan_of(store, Query(kind="run", where=condition, order=[Order("loss", descending=True)]), monkeypatch)
    assert any("attribute_text" in line for line in lines)
    assert not [line for line in lines if line.startswith("SCAN") and "anon" not in line and "family" not in line]
