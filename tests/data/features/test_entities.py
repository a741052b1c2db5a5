"""A file of entities and times is read as a source is."""

from pathlib import Path

import polars as pl
import pytest
from tests.data.features.conftest import MOMENT

from heptad.core.errors import DataError
from heptad.data import read_entities


def test_times_are_read_in_the_project_s_zone(tmp_path: Path) -> None:
    """Those that name none; numbers and texts are typed as in a source."""
    (tmp_path / "asked.csv").write_text("customer,when,n\nc1,2024-07-01 12:00,1\nc2,2024-01-01 12:00,2\n")
    rows = read_entities(tmp_path / "asked.csv", "when", "Europe/Berlin").collect()
    assert rows.schema == pl.Schema({"customer": pl.String(), "when": MOMENT, "n": pl.Int64()})
    assert [moment.hour for moment in rows["when"]] == [10, 11]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A file that is not there, and a column that it does not have."""
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        read_entities(tmp_path / "nowhere.csv")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "asked.parquet")
    with pytest.raises(DataError, match="no column 'when'"):
        read_entities(tmp_path / "asked.parquet", "when")
