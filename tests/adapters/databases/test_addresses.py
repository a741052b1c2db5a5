"""URLs of databases: what they lead to, and that no password gets out."""

import sqlite3
import sys
from pathlib import Path

import pytest

from heptad.adapters.databases.addresses import find_database, identity
from heptad.core.errors import DataError, NotFoundError, SettingsError, WorkspaceError
from heptad.data import Place, SourceSettings, open_source


def found(uri: str, root: Path) -> str:
    return identity(find_database(SourceSettings(uri=uri, table="t"), Place(root=root)))


def test_a_password_in_the_settings_is_refused(tmp_path: Path) -> None:
    """As the user's, and as a parameter; a name of the environment is what belongs there."""
    for uri in ("postgresql://me:sesame@h/d", "mysql://h/d?password=sesame", "postgresql://h/d?sslpassword=sesame"):
        with pytest.raises(SettingsError, match="password stands in") as error:
            found(uri, tmp_path)
        assert "sesame" not in str(error.value)
        assert "${PASSWORD}" in error.value.remedy


def test_what_identifies_a_database_holds_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another password it is the same database; a whole URL may be secret."""
    monkeypatch.setenv("PASSWORD", "one")
    first = found("postgresql://me:${PASSWORD}@h/d", tmp_path)
    monkeypatch.setenv("PASSWORD", "two")
    assert found("postgresql://me:${PASSWORD}@h/d", tmp_path) == first
    monkeypatch.setenv("WHOLE", "postgresql://me:three@h/d")
    assert found("${WHOLE}", tmp_path) == first
    assert found("postgresql://me:${PASSWORD}@h/other", tmp_path) != first


def test_a_url_that_cannot_be_read_is_not_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold a password."""
    monkeypatch.setenv("WHOLE", "postgresql://me:sesame@h:port/d")
    with pytest.raises(SettingsError, match="cannot be read") as error:
        found("${WHOLE}", tmp_path)
    assert "sesame" not in str(error.value)


def test_files_are_relative_to_the_project(tmp_path: Path) -> None:
    """And one that is not there names its neighbours."""
    sqlite3.connect(tmp_path / "rows.db").close()
    assert found("sqlite:///rows.db", tmp_path) == found(f"sqlite:///{tmp_path / 'rows.db'}", tmp_path)
    with pytest.raises(DataError, match="no database file") as error:
        found("sqlite:///row.db", tmp_path)
    assert "did you mean 'rows.db'" in error.value.allowed
    with pytest.raises(SettingsError, match="in memory holds no rows"):
        found("sqlite://", tmp_path)


def test_a_missing_driver_is_named_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours by the extra, others by their package; dialects that nothing knows by what to look for."""
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(WorkspaceError, match="'pymysql', which is not installed") as error:
        found("mysql://h/d", tmp_path)
    assert error.value.remedy == "pip install 'heptad[mysql]'"
    with pytest.raises(WorkspaceError, match="oracledb") as error:
        open_source(SourceSettings(uri="oracle+oracledb://h/d", table="t"), Place(root=tmp_path))
    assert error.value.remedy == "pip install oracledb"
    with pytest.raises(WorkspaceError, match=r"Nothing installed reads no\+such://"):
        open_source(SourceSettings(uri="no+such://h/d", table="t"), Place(root=tmp_path))
    with pytest.raises(NotFoundError, match="no adapter for source 'gopher'"):
        open_source(SourceSettings(uri="gopher://h/d"), Place(root=tmp_path))
