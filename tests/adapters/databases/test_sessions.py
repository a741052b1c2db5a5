"""Sessions only read, and end in time."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.adapters.databases.conftest import Run

from heptad.adapters.databases.addresses import find_database
from heptad.adapters.databases.sessions import snapshot
from heptad.core.errors import DataError, UnavailableError
from heptad.data import Place, SourceSettings


def test_nothing_can_be_written(url: str, tmp_path: Path, run: Run) -> None:
    """Whatever is asked of the session."""
    run(url, "CREATE TABLE t (id INTEGER)")
    address = find_database(SourceSettings(uri=url), Place(root=tmp_path))
    for statement in ("INSERT INTO t VALUES (1)", "DROP TABLE t"):
        with pytest.raises(DataError, match=r"only read|cannot do"), snapshot(address, 10) as session:
            session.connection.execute(sa.text(statement))
    with snapshot(address, 10) as session:
        assert session.connection.execute(sa.text("SELECT count(*) FROM t")).scalar() == 0


def test_not_even_after_a_commit(postgresql_url: str, tmp_path: Path, run: Run) -> None:
    """The whole session is read only, not its first transaction."""
    run(postgresql_url, "CREATE TABLE t (id INTEGER)")
    address = find_database(SourceSettings(uri=postgresql_url), Place(root=tmp_path))
    with pytest.raises(DataError, match="only read"), snapshot(address, 10) as session:
        _ = [session.connection.execute(sa.text(one)) for one in ("COMMIT", "INSERT INTO t VALUES (1)")]


def test_the_time_for_all_of_it_ends(sqlite_url: str, tmp_path: Path) -> None:
    """Also between statements that are short themselves."""
    address = find_database(SourceSettings(uri=sqlite_url), Place(root=tmp_path))
    with pytest.raises(UnavailableError, match="took longer"), snapshot(address, 0.0) as session:
        session.check_time()
