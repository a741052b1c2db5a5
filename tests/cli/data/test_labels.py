"""`heptad data labels`."""

from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Shell

PIPELINE = """
import polars as pl

says_a = pl.when(pl.col("a") == 1).then(pl.lit("yes")).otherwise(pl.lit("no"))
says_b = pl.when(pl.col("b") == 1).then(pl.lit("yes")).otherwise(pl.lit("no"))
says_c = pl.when(pl.col("c") == 1).then(pl.lit("yes")).otherwise(pl.lit("no"))
"""


@pytest.fixture
def voted(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A project whose labels come from three functions."""
    from heptad.project import open_project

    monkeypatch.setenv("COLUMNS", "80")
    rows = {name: [(n * step) % 7 % 2 for n in range(60)] for name, step in (("a", 1), ("b", 2), ("c", 3))}
    pl.DataFrame({"k": range(60), **rows}).write_csv(tmp_path / "rows.csv")
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    names = ", ".join(f'"pipeline:says_{name}"' for name in "abc")
    (tmp_path / "heptad.toml").write_text(
        f'[sources.rows]\nuri = "rows.csv"\n[data]\ntarget = "y"\nkey = ["k"]\n[labelling]\nfunctions = [{names}]\n'
    )
    open_project(tmp_path).data.collect()
    return Shell(capsys, tmp_path)


def test_each_function_is_shown_with_what_it_did(voted: Shell):
    """On 80 columns, and as JSON."""
    asked = voted("data", "labels")
    assert asked.code == 0
    for word in ("coverage", "conflicts", "right", "pipeline:says_a", "rows are labelled by functions"):
        assert word in asked.out
    assert all(len(line) <= 80 for line in asked.out.splitlines())
    assert [one["coverage"] for one in voted("data", "labels", "--json").json] == [1.0, 1.0, 1.0]


def test_a_version_without_functions_says_so(shell: Shell):
    """And how to have some."""
    asked = shell("data", "labels")
    assert asked.code == 0
    assert "[labelling] functions" in asked.out
