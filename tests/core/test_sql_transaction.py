"""Statements are written once, and mean the same on both databases."""

import sqlalchemy as sa

from heptad.core.sql_store import SqlStore
from heptad.core.sql_tables import cursor, selected


def test_values_and_lists_of_values_are_bound(store: SqlStore) -> None:
    """Quotes and other signs are data, and a list may have any length, also none."""
    names = ["it's", "a ? b", "50%", 'say "so"', "IN"]
    with store.database.writing() as transaction:
        transaction.run_many("INSERT INTO cursor (name, position) VALUES (?, ?)", [(one, 1) for one in names])
        transaction.run_many("INSERT INTO cursor (name, position) VALUES (?, ?)", [])
        found = transaction.rows("SELECT name FROM cursor WHERE name IN ?? AND position = ?", names[:3], 1)
        assert {name for (name,) in found} == set(names[:3])
        assert transaction.rows("SELECT name FROM cursor WHERE name IN ??", []) == []
        many = [f"n{n}" for n in range(40_000)]
        assert len(transaction.rows("SELECT name FROM cursor WHERE name IN ??", [*many, *names])) == len(names)


def test_numbers_in_lists_are_numbers(store: SqlStore) -> None:
    """They match columns of numbers, large ones too."""
    with store.database.writing() as transaction:
        transaction.run_many("INSERT INTO cursor (name, position) VALUES (?, ?)", [("a", 1), ("b", 2**40), ("c", 3)])
        found = transaction.rows("SELECT name FROM cursor WHERE position IN ?? ORDER BY name", [1, 2**40])
    assert found == [("a",), ("b",)]


def test_the_only_value_of_a_query(store: SqlStore) -> None:
    """`None` where there is no row."""
    with store.database.reading() as transaction:
        assert transaction.value("SELECT position FROM cursor WHERE name = ?", "absent") is None
        assert transaction.value("SELECT 1 + 1") == 2


def test_a_query_that_was_built_answers_plain_tuples(store: SqlStore) -> None:
    """With its values bound, also in lists."""
    with store.database.writing() as transaction:
        transaction.run_many("INSERT INTO cursor (name, position) VALUES (?, ?)", [("a%s", 1), ("b?", 2), ("c", 3)])
        statement = sa.select(cursor.c.name).where(cursor.c.name.in_(["a%s", "b?"]), cursor.c.position > 0)
        assert sorted(selected(transaction, statement)) == [("a%s",), ("b?",)]
