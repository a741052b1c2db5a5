"""Sources are read once, and again when something outside has changed."""

from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import Place, SourceSettings
from heptad.data.assembling.inputs import Inputs, blamed
from heptad.data.columns.column_types import Dates


def inputs_of(folder: Path, time: str = "") -> Inputs:
    settings = {"trips": SourceSettings(uri="trips.csv", time=time)}
    return Inputs(Place(root=folder), settings, Dates(), keep_text=())


def test_a_source_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    """The same digest gives the very rows that were read before; a new one what is there now."""
    file = tmp_path / "trips.csv"
    file.write_text("at,n\n2026-01-01,1\n2026-01-02,2\n")
    inputs = inputs_of(tmp_path, "at")
    first = inputs.read("trips")
    assert inputs.now() == {"trips": first}
    assert first.rows.collect()["at"].dtype == pl.Datetime("us", "UTC")
    file.write_text("at,n\n2026-01-01,1\n2026-01-02,2\n2026-01-03,3\n")
    second = inputs.read("trips")
    assert (first.read.rows, second.read.rows) == (2, 3)
    assert second.read.digest == inputs.digests()["trips"] != first.read.digest


def test_rows_before_a_moment_are_those_of_the_source_with_a_time(tmp_path: Path) -> None:
    """A source that does not say when its rows happened gives all of them."""
    (tmp_path / "trips.csv").write_text("at,n\n2026-01-01,1\n2026-01-02,2\n")
    timed, untimed = inputs_of(tmp_path, "at"), inputs_of(tmp_path)
    moment = timed.read("trips").rows.collect()["at"][1]
    assert timed.before("trips", timed.read("trips").rows, moment).collect()["n"].to_list() == [1]
    assert untimed.before("trips", untimed.read("trips").rows, moment).collect()["n"].to_list() == [1, 2]


def test_a_time_that_is_no_column_is_named(tmp_path: Path) -> None:
    """The error says which setting, and the nearest column."""
    (tmp_path / "trips.csv").write_text("at,n\n2026-01-01,1\n2026-01-02,2\n")
    with pytest.raises(DataError, match=r"'att', which \[sources.trips\] time names"):
        inputs_of(tmp_path, "att").read("trips")


def test_what_the_engine_cannot_read_is_the_sources_fault() -> None:
    """An error of Polars names the source that it was reading."""
    with pytest.raises(DataError, match="The rows of trips cannot be read"), blamed("trips"):
        pl.LazyFrame({"n": ["x"]}).select(pl.col("n").cast(pl.Int64)).collect()
