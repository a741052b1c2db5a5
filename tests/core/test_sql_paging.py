"""Pages in any order add up to all records, and a page is read from an index."""

import random

import pytest

from heptad.core import sql_newest, sql_paging
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
WAYS = [(0, 1), (0, 10_000), (2000, 10_000)]
"""How few records a search starts from, and how many it looks at one by one."""


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    few, medium = request.param
    monkeypatch.setattr(sql_newest, "FEW", few)
    monkeypatch.setattr(sql_paging, "MEDIUM", medium)
    return few, medium


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(one.key for one in order))
@pytest.mark.usefixtures("way")
def test_pages_are_the_whole_in_parts(store: SqlStore, order: list[Order]) -> None:
    """With ties, missing keys, mixed types and long texts, no record is skipped or comes twice."""
    store.write(Change(records=RECORDS))
    query = Query(kind="run", where=Compare("name", ">", "n"), order=order, attributes=())
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
def test_no_search_reads_a_whole_table(store: SqlStore, way: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions and order come from indexes that cover what is asked, so time grows with what is found.

    Beside a comparison that leaves some records no other is collected: the records that remain are looked at.
    """
    store.write(Change(records=[record(f"r{n}", {"loss": n / 10, "name": f"n{n % 3}"}) for n in range(300)]))
    condition = All((Compare("name", "=", "n1"), Compare("loss", ">", 20.0)))
    lines = plan_of(store, Query(kind="run", where=condition, order=[Order("loss", descending=True)]), monkeypatch)
    assert any("attribute_text" in line for line in lines)
    assert not [line for line in lines if line.startswith("SCAN") and "anon" not in line and "family" not in line]
    if way == (0, 10_000):
        assert sum(line.startswith("LIST SUBQUERY") for line in lines) == 1
