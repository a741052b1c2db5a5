"""Labelling functions of the project's file."""

from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError, SettingsError, TaskError
from heptad.data.labelling.functions import Voters

ROWS = pl.LazyFrame({"text": ["refund please", "hello"], "n": [1, 2]})
FILE = """
import polars as pl

refund = pl.when(pl.col("text").str.contains("refund")).then(pl.lit("complaint"))

def many(rows: pl.LazyFrame) -> pl.Expr:
    return pl.when(pl.col("n") > 1).then(pl.lit("other"))

def broken(rows):
    raise ValueError("no")

missing = pl.col("nowhere")
number = 7
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.py").write_text(FILE)
    return tmp_path


def test_expressions_and_functions_vote(root: Path) -> None:
    """A class, or null where they do not know."""
    votes = Voters(root, ["pipeline:refund", "pipeline:many"]).votes(ROWS)
    found = ROWS.select(a=votes[0], b=votes[1]).collect()
    assert found.rows() == [("complaint", None), (None, "other")]


@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("missing", DataError, "does not fit the table"),
        ("number", DataError, "is a int"),
        ("broken", TaskError, "ValueError: no"),
        ("refunds", SettingsError, "no function 'refunds'"),
    ],
)
def test_what_is_no_labelling_function_is_refused(root: Path, name: str, kind: type[Exception], problem: str) -> None:
    """With its name."""
    with pytest.raises(kind, match=problem):
        Voters(root, [f"pipeline:{name}"]).votes(ROWS)


def test_a_changed_file_has_another_digest(root: Path) -> None:
    """So that a version made by other functions is another."""
    voters = Voters(root, ["pipeline:refund"])
    before = voters.digests()
    (root / "pipeline.py").write_text(FILE + "\n")
    assert voters.digests() != before
