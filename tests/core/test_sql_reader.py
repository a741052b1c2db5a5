"""What is read is what was written, or an error that names it."""

import pytest

from heptad.core.errors import IntegrityError, NotFoundError
from heptad.core.records import AliasMove, AliasRef, Change
from heptad.core.sql_store import SqlStore
from heptad.testing.store_contract import record


def test_a_damaged_body_is_named(store: SqlStore) -> None:
    """The record that cannot be read is named, and others are read."""
    store.write(Change(records=[record("r1", body={"a": 1}), record("r2")]))
    with store.database.writing() as transaction:
        transaction.run("""UPDATE record SET body = '{"a":' WHERE id = 'r1'""")
    with pytest.raises(IntegrityError, match="r1") as caught:
        store.get(["r1"])
    assert "restore" in caught.value.remedy
    assert store.get(["r2"])


def test_an_unknown_alias_shows_those_that_exist(store: SqlStore) -> None:
    """The nearest first, and no lease among them."""
    store.write(
        Change(
            records=[record("m1")],
            aliases=[AliasMove(scope="m", name=name, target="m1") for name in ("champion", "challenger")],
        )
    )
    with pytest.raises(NotFoundError) as caught:
        store.get([AliasRef("m", "champoin")])
    assert caught.value.allowed == "did you mean 'champion'? challenger, champion"


def test_only_the_aliases_of_a_record_are_shown(store: SqlStore) -> None:
    """Of several scopes the name counts; what was moved away is gone."""
    store.write(
        Change(
            records=[record("m1"), record("m2")],
            aliases=[
                AliasMove(scope="m", name="best", target="m1"),
                AliasMove(scope="n", name="first", target="m1"),
                AliasMove(scope="m", name="best", target="m2"),
            ],
        )
    )
    assert [one.aliases for one in store.get(["m1", "m2"])] == [{"first": 1}, {"best": 2}]
