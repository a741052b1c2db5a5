"""The SQL store keeps the contract on SQLite and PostgreSQL, and says what is wrong with a place that it cannot use."""

from pathlib import Path

import pytest

from heptad.core.errors import InputError
from heptad.core.sql_store import SqlStore, open_store
from heptad.testing.store_contract import (
    StoreAliasesContract,
    StoreEventsContract,
    StoreRecordsContract,
)
from heptad.testing.store_search_contract import StoreSearchContract


class OnBoth:
    """Runs a part of the contract on both databases."""

    @pytest.fixture
    def store(self, store: SqlStore) -> SqlStore:
        return store


class TestRecords(OnBoth, StoreRecordsContract):
    pass


class TestAliases(OnBoth, StoreAliasesContract):
    pass


class TestSearch(OnBoth, StoreSearchContract):
    pass


class TestEvents(OnBoth, StoreEventsContract):
    pass


@pytest.mark.parametrize("url", ["", "heptad.db", "sqlite://", "mysql://root@localhost/heptad", "sqlite:///:memory:"])
def test_a_url_of_no_known_store_is_refused(url: str) -> None:
    """The error shows what a URL looks like, and no password."""
    with pytest.raises(InputError) as caught:
        open_store(url)
    assert "sqlite:///" in caught.value.allowed


def test_a_password_is_never_shown() -> None:
    """Neither by a URL that is refused."""
    with pytest.raises(InputError) as caught:
        open_store("mysql://root:secret@localhost/heptad")
    assert "secret" not in str(caught.value)


def test_a_store_is_made_where_there_is_none(tmp_path: Path) -> None:
    """Folders that are missing are made too, and the second time it is the same store."""
    url = f"sqlite:///{tmp_path / 'a' / 'b' / 'heptad.db'}"
    assert open_store(url).follow(0) == open_store(url).follow(0) == []
