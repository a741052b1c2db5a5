"""A copy of a store holds the same, on whichever databases; anything else is an error."""

import math

import pytest

from heptad.core import sql_copy
from heptad.core.errors import InputError, IntegrityError, WorkspaceError
from heptad.core.events import verify
from heptad.core.query import Query
from heptad.core.records import AliasMove, Attribute, Change, Link, NewEvent
from heptad.core.sql_copy import copy_store, sql_store, sums_of
from heptad.core.sql_store import SqlStore, open_store
from heptad.core.sql_transaction import Transaction
from heptad.testing.store_contract import VALUES, points, record


def fill(store: SqlStore) -> None:
    """Something in every table, and more rows than a batch."""
    names = [f"r{n}" for n in range(25)]
    store.write(
        Change(
            records=[record(one, {**VALUES, "odd": math.nan}, scope=f"s{len(one)}") for one in names],
            links=[Link(one, "from", "r0") for one in names[1:]],
            attributes=[Attribute("r1", "text", "changed")],
            aliases=[AliasMove(scope="m", name="best", target="r3"), AliasMove(scope="m", name="old", target=None)],
            events=[NewEvent(kind="t.x", subject=one, body={"é": 0.1}) for one in names],
            cursors={"reader": 7},
            key="filled",
        )
    )
    store.append([points(0, 100), points(100, 5), points(0, 3, key="accuracy")])


def test_a_copy_holds_the_same(store: SqlStore, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between all kinds of databases: rows, types, chain, cursors and keys; and it can be written to."""
    monkeypatch.setattr(sql_copy, "BATCH", 10)
    fill(store)
    told: dict[str, int] = {}
    target = open_store(store_url)
    sums = copy_store(store, target, lambda part, done: told.update({part: told.get(part, 0) + done}))
    assert sums == sums_of(store) == sums_of(target)
    assert (told["record"], told["event"], sums["segment"].rows) == (25, 25, 3)
    query = Query(kind="run", scopes=["s2"])
    assert str(target.find(query)) == str(store.find(query))
    assert verify(target) == 25
    assert target.write(Change(key="filled")) == 25
    assert target.follow("reader")[0].position == 8
    target.write(Change(records=[record("new")], events=[NewEvent(kind="t.x", subject="new")]))
    assert verify(target) == 26
    target.database.close()


def test_nothing_is_overwritten(store: SqlStore, store_url: str) -> None:
    """A target that holds anything is refused."""
    fill(store)
    target = open_store(store_url)
    target.write(Change(records=[record("mine")]))
    with pytest.raises(InputError, match="not empty"):
        copy_store(store, target, lambda part, done: None)
    assert [one.id for one in target.find(Query(kind="run")).items] == ["mine"]
    target.database.close()


def test_what_changes_on_the_way_is_found(store: SqlStore, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The target stays empty then."""
    fill(store)
    target = open_store(store_url)
    really = Transaction.run_many

    def lossy(self: Transaction, sql: str, rows: list[tuple[object, ...]]) -> None:
        really(self, sql, rows[:-1] if "INTO link" in sql else rows)

    monkeypatch.setattr(Transaction, "run_many", lossy)
    with pytest.raises(IntegrityError, match="table link was sent with 24 rows and arrived with 23"):
        copy_store(store, target, lambda part, done: None)
    assert target.find(Query(kind="")).items == []
    assert target.write(Change()) == 0
    target.database.close()


def test_a_store_of_another_kind_has_its_own_tools() -> None:
    """Only SQL stores are copied row by row."""
    with pytest.raises(WorkspaceError, match="cannot be copied"):
        sql_store(object())  # type: ignore[arg-type]
