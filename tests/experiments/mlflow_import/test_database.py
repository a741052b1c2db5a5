"""A database is read while others write, and never written."""

import sqlite3
from pathlib import Path

import pytest

from heptad.core.errors import DataError
from heptad.experiments.mlflow_import.database import DatabaseSource
from heptad.experiments.mlflow_import.places import Places


def test_a_database_of_another_age_is_named_with_the_remedy(tmp_path: Path) -> None:
    """What is missing in it, and the command that brings it up to date."""
    path = tmp_path / "mlflow.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE runs (run_uuid)")
    database.execute("CREATE TABLE metrics (key)")
    database.close()
    before = path.read_bytes()
    source = DatabaseSource(path, Places([tmp_path]))
    with pytest.raises(DataError, match="no such table: experiments") as caught:
        list(source.experiments())
    assert "mlflow db upgrade" in caught.value.remedy
    source.close()
    assert path.read_bytes() == before


def test_a_database_that_is_damaged_is_said_to_be(tmp_path: Path) -> None:
    """Not taken for an empty one."""
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(DataError):
        DatabaseSource(path, Places([tmp_path]))
