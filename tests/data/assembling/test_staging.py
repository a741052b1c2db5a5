"""A table is kept in memory or on disk, reads the same, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import WorkspaceError
from heptad.data.assembling import staging
from heptad.data.assembling.staging import is_small, stage
from heptad.data.versions import tables

ROWS = pl.LazyFrame({"a": range(1000), "s": [f"text {x}" for x in range(1000)]})


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "FILE_BYTES", 100 * 24)
    monkeypatch.setattr(tables, "AT_ONCE", 30)


@pytest.mark.parametrize("small", [True, False])
def test_rows_are_read_as_they_were_made(tmp_path: Path, small: bool) -> None:
    """In the same order, as often as wanted; what is made of them too."""
    with stage(ROWS.sort("a", descending=True), tmp_path / "staging", small=small) as staged:
        assert (staged.height, staged.in_memory) == (1000, small)
        assert (tmp_path / "staging").exists() is not small
        for _ in range(2):
            assert staged.rows.collect()["a"].to_list() == list(range(999, -1, -1))
        made = staged.settled(staged.rows.filter(pl.col("a") < 5))
        assert [len(one) for one in pl.collect_all([made, made.select("s")], engine="streaming")] == [5, 5]
    assert not (tmp_path / "staging").exists()


def test_no_rows_are_rows_too(tmp_path: Path) -> None:
    """An empty table keeps its columns."""
    for small in (True, False):
        with stage(ROWS.head(0), tmp_path / "staging", small=small) as staged:
            assert (staged.height, staged.rows.collect_schema()) == (0, ROWS.collect_schema())


def test_files_go_with_what_refers_to_them(tmp_path: Path) -> None:
    """Forgetting is as good as closing, and closing twice as good as once."""
    staged = stage(ROWS, tmp_path / "staging", small=False)
    other = stage(ROWS, tmp_path / "staging", small=False)
    staged.close()
    staged.close()
    assert len(other.rows.collect()) == 1000
    del other
    assert not (tmp_path / "staging").exists()


def test_rows_that_cannot_be_made_leave_nothing(tmp_path: Path) -> None:
    """A query that fails half-way."""
    broken = ROWS.with_columns(pl.when(pl.col("a") < 900).then(pl.lit("1")).otherwise("s").cast(pl.Int64))
    with pytest.raises(pl.exceptions.PolarsError):
        stage(broken, tmp_path / "staging", small=False)
    assert not (tmp_path / "staging").exists()


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """But not what a living one is working with."""
    code = (
        "import sys, time, polars as pl; from pathlib import Path; from heptad.data.assembling.staging import stage\n"
        "staged = stage(pl.LazyFrame({'a': range(10)}), Path(sys.argv[1]), small=False)\n"
        "print('staged', flush=True); time.sleep(60)"
    )
    folder = tmp_path / "staging"
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "staged\n"
    with stage(ROWS, folder, small=False):
        assert len(list(folder.iterdir())) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(list(folder.iterdir())) == 1
    with stage(ROWS, folder, small=False):
        (own,) = folder.iterdir()
        assert own.name.startswith(f"{os.getpid()}-")
        assert own.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_a_disk_that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file system refuses is told with its remedy, and nothing stays."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", refused)
    with pytest.raises(WorkspaceError, match="is full"):
        stage(ROWS, tmp_path / "staging", small=False)
    assert not (tmp_path / "staging").exists()


def test_small_is_a_share_of_what_may_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all tables together."""
    monkeypatch.setattr(staging, "budget", lambda: 4000)
    assert is_small(1000)
    assert not is_small(1001)
    assert not is_small(500, 501)
