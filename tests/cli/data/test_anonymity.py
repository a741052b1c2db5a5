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


def test_different_values_are_asked_for_of_a_column_and_with_k(shell: Shell) -> None:
    """What is not heard is refused."""
    without = shell("data", "anonymity", "--quasi", "zone", "--k", "2", "--l", "2")
    assert without.code == 2
    assert "--l 2 needs --sensitive" in without.err
    assert "--l 2 needs --k" in shell("data", "anonymity", "--quasi", "zone", "--sensitive", "late", "--l", "2").err


def test_it_is_said_whether_rows_have_to_be_left_out(shell: Shell) -> None:
    """A class that is too small may go instead of a column: then it was not so already."""
    assert "# nothing: it is so already" in shell("data", "anonymity", "--quasi", "zone", "--k", "2").out
    smallest = shell("data", "anonymity", "--quasi", "zone", "--json").json["measured"]["k"]
    left = shell("data", "anonymity", "--quasi", "zone", "--k", str(smallest + 1), "--suppress", "0.9").out
    assert "# no column: it is enough to leave rows out" in left
    assert f"left out  {smallest:,} of " in left
    assert "by --write; rules leave none out" in left
