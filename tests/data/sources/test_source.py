"""Sources are found by the scheme of their address."""

from pathlib import Path

import pytest

from heptad.core.errors import NotFoundError, SettingsError
from heptad.data import FileSource, Place, SourceSettings, open_source


def test_a_plain_path_is_a_file(tmp_path: Path) -> None:
    """No scheme, or `file:`, means a file relative to the project."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    for uri in ("t.csv", "file:t.csv", str(tmp_path / "t.csv")):
        source = open_source(SourceSettings(uri=uri), Place(root=tmp_path))
        assert isinstance(source, FileSource)
        assert source.read().rows.collect().row(0) == (1, 2)


def test_an_unknown_scheme_names_the_known_ones(tmp_path: Path) -> None:
    """What nothing installed can read is refused."""
    with pytest.raises(NotFoundError, match="no adapter for source 'gopher'") as error:
        open_source(SourceSettings(uri="gopher://x/y"), Place(root=tmp_path))
    assert "file" in error.value.allowed


def test_secrets_are_revealed_only_when_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address may hold a value of the environment, which the settings do not."""
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    settings = SourceSettings(uri="${HEPTAD_TEST_FOLDER}/t.csv")
    with pytest.raises(SettingsError, match="HEPTAD_TEST_FOLDER"):
        open_source(settings, Place(root=tmp_path))
    monkeypatch.setenv("HEPTAD_TEST_FOLDER", str(tmp_path))
    assert len(open_source(settings, Place(root=tmp_path)).read().rows.collect()) == 1
    assert settings.uri == "${HEPTAD_TEST_FOLDER}/t.csv"
