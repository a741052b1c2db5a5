"""`heptad data anonymity`: measured, reached, written."""

from pathlib import Path

import polars as pl
from tests.cli.conftest import Shell


def test_measured_reached_and_written(shell: Shell, tmp_path: Path) -> None:
    """The proposal is settings for heptad.toml; the file holds the rows so."""
    measured = shell("data", "anonymity", "--quasi", "hour,zone", "--sensitive", "late")
    assert "k" in measured.out
    file = tmp_path / "rows.parquet"
    words = ["data", "anonymity", "--quasi", "distance,zone", "--k", "20", "--write", str(file), "--json"]
    told = shell(*words).json
    assert told["reached"]["k"] >= 20
    assert pl.read_parquet(file).height == told["reached"]["rows"] - told["reached"]["suppressed"]
    other = file.with_suffix(".csv")
    assert shell(*words[:-2], str(other)).code == 0
    assert pl.read_csv(other).height == pl.read_parquet(file).height
    assert "[clean.columns.distance]" in shell("data", "anonymity", "--quasi", "distance", "--k", "20").out
    assert shell("data", "anonymity").code == 2
    assert shell("data", "anonymity", "--quasi", "zone", "--write", str(file)).code == 2
    assert shell("data", "anonymity", "--quasi", "zone", "--k", "1000000").code == 1
