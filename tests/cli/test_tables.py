"""Tables are written whole, in the format that the ending names."""

from pathlib import Path

import polars as pl
import pytest

from heptad.cli.tables import check_ending, write_table
from heptad.core.errors import InputError

ROWS = pl.DataFrame({"a": [1, 2], "b": ["x", None]})


@pytest.mark.parametrize(
    ("ending", "read"),
    [(".csv", pl.read_csv), (".parquet", pl.read_parquet), (".jsonl", pl.read_ndjson), (".arrow", pl.read_ipc)],
)
def test_what_was_written_is_read_back(tmp_path: Path, ending: str, read: object) -> None:
    """Every format holds the same rows."""
    write_table(ROWS.lazy(), tmp_path / f"t{ending}")
    assert read(tmp_path / f"t{ending}").equals(ROWS)  # type: ignore[operator]


def test_other_endings_are_refused(tmp_path: Path) -> None:
    """With those that there are."""
    with pytest.raises(InputError, match="does not end in a format"):
        check_ending(tmp_path / "t.xlsx")
