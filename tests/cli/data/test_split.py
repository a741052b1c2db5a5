"""`heptad data split`."""

from pathlib import Path

import polars as pl
from tests.cli.conftest import Shell


def test_parts_and_folds_are_shown_and_written(shell: Shell, tmp_path: Path):
    """Counts and class shares on the terminal, each row's part in the file."""
    file = tmp_path / "split.csv"
    asked = shell("data", "split", "--out", str(file))
    assert asked.code == 0
    assert "split by time" in asked.out
    for part in ("train", "judged", "fold 1", "outer 1"):
        assert part in asked.out
    assert all(len(line) <= 80 or str(file) in line for line in asked.out.splitlines())
    written = pl.read_csv(file)
    assert {"part", "fold", "outer"} < set(written.columns)
    found = shell("data", "split", "--json").json
    counts = {one["part"]: one["rows"] for one in found["parts"]}
    assert (written["part"] == "judged").sum() == counts["judged"]


def test_an_ending_that_says_nothing_is_refused(shell: Shell, tmp_path: Path):
    """Before rows are read."""
    asked = shell("data", "split", "--out", str(tmp_path / "split.txt"))
    assert asked.code == 2
    assert ".parquet" in asked.err
