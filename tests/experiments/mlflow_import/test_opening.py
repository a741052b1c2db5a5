"""An address says what is there: a server, a database, a folder of MLflow, or something else."""

import sqlite3
from pathlib import Path

import pytest

from heptad.core.errors import DataError, InputError
from heptad.experiments.mlflow_import.folder import FolderSource
from heptad.experiments.mlflow_import.opening import open_mlflow
from heptad.experiments.mlflow_import.server import ServerSource


def test_servers_and_folders_are_told_apart(tmp_path: Path) -> None:
    """Also a folder that has `mlruns` in it, and its address; a folder of something else is nobody's."""
    assert isinstance(open_mlflow("http://127.0.0.1:9/below"), ServerSource)
    assert open_mlflow(str(tmp_path)) is None
    (tmp_path / "mlruns" / "0").mkdir(parents=True)
    (tmp_path / "mlruns" / "0" / "meta.yaml").write_text("experiment_id: '0'\nname: Default\n")
    for address in (tmp_path, tmp_path / "mlruns", (tmp_path / "mlruns").as_uri()):
        assert isinstance(open_mlflow(str(address)), FolderSource)


def test_what_is_not_there_and_what_is_none_is_refused(tmp_path: Path) -> None:
    """With what would be allowed."""
    for address in ("nowhere", f"sqlite:///{tmp_path}/none.db", "http://me:secret@host", "http://"):
        with pytest.raises(InputError) as caught:
            open_mlflow(address)
        assert "secret" not in str(caught.value)
    (tmp_path / "text.db").write_text("hello")
    with pytest.raises(InputError, match="SQLite"):
        open_mlflow(str(tmp_path / "text.db"))
    database = sqlite3.connect(tmp_path / "other.db")
    database.execute("CREATE TABLE other (a)")
    database.close()
    with pytest.raises(DataError, match="no database of MLflow"):
        open_mlflow(f"sqlite:///{tmp_path}/other.db")
