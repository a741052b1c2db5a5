"""Files, globs and members of archives are sources."""

import gzip
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import Estimate, FileSource, Place, Source, SourceSettings, open_source
from heptad.data.sources import files
from heptad.testing.source_contract import SourceContract


def source_at(root: Path, address: str) -> FileSource:
    return FileSource(address, SourceSettings(uri=address), Place(root=root))


class TestFileSource(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        (tmp_path / "t.csv").write_text("number,name\n1,a\n2,b\n")
        return source_at(tmp_path, "t.csv")

    @pytest.fixture
    def change(self, tmp_path: Path) -> Callable[[], None]:
        def add_row() -> None:
            with (tmp_path / "t.csv").open("a") as file:
                file.write("3,c\n")

        return add_row


class TestZippedSource(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
            archive.writestr("__MACOSX/._t.csv", b"\x00")
            archive.writestr("t.csv", "number,name\n1,a\n2,b\n")
        return source_at(tmp_path, "t.zip")

    @pytest.fixture
    def change(self, tmp_path: Path) -> Callable[[], None]:
        def write_again() -> None:
            with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
                archive.writestr("t.csv", "number,name\n1,a\n2,b\n3,c\n")

        return write_again


def test_a_glob_reads_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Columns are matched by name, whatever order each file has them in."""
    (tmp_path / "b.csv").write_text("y,x\nq,3\n")
    (tmp_path / "a.csv").write_text("x,y\n1,p\n2,p\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.csv").write_text("x,y\n9,z\n")
    table = source_at(tmp_path, "*.csv").read()
    assert table.rows.collect().to_dict(as_series=False) == {"x": [1, 2, 3], "y": ["p", "p", "q"]}
    assert table.understood["files"] == "2"
    assert len(source_at(tmp_path, "**/*.csv").read().rows.collect()) == 4
    assert len(source_at(tmp_path, str(tmp_path / "*.csv")).read().rows.collect()) == 3


def test_types_are_those_of_all_files(tmp_path: Path) -> None:
    """A column of whole numbers in one file and fractions in another is one of numbers."""
    (tmp_path / "a.csv").write_text("x,y\n1,p\n")
    (tmp_path / "b.csv").write_text("x,y\n1.5,p\n")
    assert source_at(tmp_path, "*.csv").read().rows.collect()["x"].to_list() == [1.0, 1.5]


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    """Other columns or another format under one glob."""
    (tmp_path / "a.csv").write_text("x,y\n1,p\n")
    (tmp_path / "b.csv").write_text("x,z\n1,p\n")
    with pytest.raises(DataError, match=r"b\.csv has other columns than a\.csv: y is missing in b\.csv, z"):
        source_at(tmp_path, "*.csv").read()
    (tmp_path / "b.csv").unlink()
    (tmp_path / "c.jsonl").write_text('{"x": 1, "y": "p"}\n')
    with pytest.raises(DataError, match="different formats: csv, jsonl"):
        source_at(tmp_path, "*.*").read()


def test_members_of_archives_are_named(tmp_path: Path) -> None:
    """One of several members is read by its path; which it is must be said."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("in/a.csv", "x,y\n1,p\n")
        archive.writestr("in/b.csv", "x,y\n2,q\n")
    assert source_at(tmp_path, "all.zip/in/b.csv").read().rows.collect()["x"].to_list() == [2]
    with pytest.raises(DataError, match=r"all\.zip holds 2 files") as error:
        source_at(tmp_path, "all.zip").read()
    assert "in/a.csv" in error.value.allowed
    with pytest.raises(DataError, match=r"no member 'in/c\.csv'"):
        source_at(tmp_path, "all.zip/in/c.csv").read()


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    """Something else under the name of an archive."""
    (tmp_path / "all.zip").write_text("no archive")
    with pytest.raises(DataError, match="not a ZIP archive"):
        source_at(tmp_path, "all.zip").read()


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    """The nearest name in the folder is proposed."""
    (tmp_path / "flights.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match="no file") as error:
        source_at(tmp_path, "flihgts.csv").digest()
    assert "did you mean 'flights.csv'?" in error.value.allowed
    with pytest.raises(DataError, match="no file"):
        source_at(tmp_path, "nowhere/*.csv").digest()


def test_a_replaced_file_of_the_same_size_is_noticed(tmp_path: Path) -> None:
    """The digest follows the content, though it is kept while the file stays untouched."""
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,p\n")
    source = source_at(tmp_path, "t.csv")
    first = source.digest()
    other = tmp_path / "other"
    other.write_text("x,y\n2,p\n")
    other.replace(path)
    assert source.digest() != first


def test_a_file_that_nobody_touched_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for another process, which finds the digest in the workspace's cache."""
    (tmp_path / "t.csv").write_text("x\n1\n")
    old = time.time() - 60
    os.utime(tmp_path / "t.csv", (old, old))
    time.sleep(0.2)  # the time of the last change cannot be set
    place = Place(root=tmp_path, cache=tmp_path / "cache")
    settings = SourceSettings(uri="*.csv")
    digest = open_source(settings, place).digest()
    monkeypatch.setattr(files, "content_digest", lambda _path: pytest.fail("it was hashed again"))
    assert open_source(settings, place).digest() == digest
    (tmp_path / "t.csv").touch()
    with pytest.raises(pytest.fail.Exception, match="hashed again"):
        open_source(settings, place).digest()


def test_files_are_estimated_without_reading_them(tmp_path: Path) -> None:
    """Rows exactly by the footer of Parquet, about by the first lines of texts, else the bytes."""
    rows = pl.DataFrame({"n": range(20_000), "word": ["w" * (n % 9) for n in range(20_000)]})
    rows.write_parquet(tmp_path / "t.parquet")
    rows.write_csv(tmp_path / "t.csv")
    rows.write_ndjson(tmp_path / "t.jsonl")
    rows.head(10).write_csv(tmp_path / "small.csv")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    (tmp_path / "old.csv").write_bytes(b"n\r1\r2\r")
    found = {path.name: source_at(tmp_path, path.name).estimate() for path in tmp_path.iterdir()}
    assert found["old.csv"] == Estimate(2, "rows")
    assert found["t.parquet"] == Estimate(20_000, "rows")
    assert found["small.csv"] == Estimate(10, "rows")
    assert found["t.csv.gz"] == Estimate((tmp_path / "t.csv.gz").stat().st_size, "bytes")
    for name in ("t.csv", "t.jsonl"):
        assert found[name].unit == "rows"
        assert found[name].amount == pytest.approx(20_000, rel=0.15)
