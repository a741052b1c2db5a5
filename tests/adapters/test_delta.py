"""Delta tables of other programs are sources: the newest version, one of them, or the one of a moment."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from heptad.adapters.delta import DeltaSource
from heptad.core.errors import DataError, SettingsError
from heptad.data import Place, Source, SourceSettings, open_source
from heptad.testing.source_contract import SourceContract


def delta(root: Path, uri: str = "rows", as_of: int | str = "") -> Source:
    return open_source(SourceSettings(uri=uri, as_of=as_of), Place(root=root))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = pl.DataFrame({"number": [1, 2], "word": ["a", None], "tags": [["x", "y"], None]})
    rows.write_delta(tmp_path / "rows")
    return tmp_path


def add_row(folder: Path) -> None:
    pl.DataFrame({"number": [3], "word": ["c"], "tags": [["z"]]}).write_delta(folder / "rows", mode="append")


class TestDeltaSource(SourceContract):
    @pytest.fixture
    def source(self, folder: Path) -> Source:
        return delta(folder)

    @pytest.fixture
    def change(self, folder: Path) -> Callable[[], None]:
        return lambda: add_row(folder)


def test_a_folder_and_an_address_lead_to_the_same(folder: Path) -> None:
    """A folder that holds a log is a table."""
    for uri in ("rows", "delta+file:rows", f"delta+file://{folder}/rows"):
        source = delta(folder, uri)
        assert isinstance(source, DeltaSource)
        assert source.read().rows.collect()["tags"].to_list() == ["x y", None]


def test_a_version_or_a_moment_is_read_as_it_was(folder: Path) -> None:
    """Whatever is written later; its watermark does not change."""
    first = delta(folder, as_of=0)
    digest = first.digest()
    between = datetime.now(UTC)
    add_row(folder)
    assert len(delta(folder).read().rows.collect()) == 3
    assert (len(first.read().rows.collect()), first.digest()) == (2, digest)
    assert len(delta(folder, as_of=between.isoformat()).read().rows.collect()) == 2


def test_what_is_not_there_is_told(folder: Path) -> None:
    """Versions, moments, tables."""
    with pytest.raises(DataError, match="has no version 7") as error:
        delta(folder, as_of=7).digest()
    assert error.value.allowed == "0 to 0"
    with pytest.raises(SettingsError, match="neither a version nor a moment"):
        delta(folder, as_of="yesterday").digest()
    with pytest.raises(DataError, match="was not there"):
        delta(folder, as_of=(datetime.now(UTC) - timedelta(days=1)).isoformat()).digest()
    with pytest.raises(DataError, match="no folder"):
        delta(folder, "delta+file:other").digest()
    (folder / "plain").mkdir()
    with pytest.raises(DataError, match="plain is not a Delta table"):
        delta(folder, "delta+file:plain").digest()
