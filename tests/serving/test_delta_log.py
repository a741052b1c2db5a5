"""A Delta table that only grows."""

from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from heptad.serving import delta_log
from heptad.serving.column_names import original_name
from heptad.serving.delta_log import DeltaLog


def rows_of(log: DeltaLog) -> pl.DataFrame:
    rows, _ = log.read()
    assert rows is not None
    return rows.collect().sort("id")


def test_rows_and_position_come_together(tmp_path: Path) -> None:
    """A commit holds the rows and how far their source had come; other sources are elsewhere."""
    log = DeltaLog(tmp_path / "my log 50%")
    assert log.read("a") == (None, 0)
    log.append(pl.DataFrame({"id": [1]}), "a", 7)
    log.append(pl.DataFrame({"id": [2]}))
    rows, reached = log.read("a")
    assert (rows.collect().height, reached) == (2, 7)  # type: ignore[union-attr]
    assert log.read("b")[1] == 0


def test_new_columns_are_null_in_older_rows(tmp_path: Path) -> None:
    """Models change what they take; the table widens."""
    log = DeltaLog(tmp_path / "log")
    log.append(pl.DataFrame({"id": [1], "input_x": [1.5]}))
    log.append(pl.DataFrame({"id": [2], "input_capital gain, (net)": ["a"]}))
    assert rows_of(log).to_dict(as_series=False) == {
        "id": [1, 2],
        "input_x": [1.5, None],
        "input_capital gain, (net)": [None, "a"],
    }


def test_a_column_of_another_type_becomes_text_and_loses_nothing(tmp_path: Path) -> None:
    """Numbers stay readable as text, whichever type came first."""
    log = DeltaLog(tmp_path / "log")
    log.append(pl.DataFrame({"id": [1], "input_x": [1.5]}), "a", 3)
    log.append(pl.DataFrame({"id": [2], "input_x": ["many"]}), "a", 4)
    log.append(pl.DataFrame({"id": [3], "input_x": [0.1]}), "a", 5)
    assert rows_of(log)["input_x"].to_list() == ["1.5", "many", "0.1"]
    assert log.read("a")[1] == 5


def test_names_that_differ_in_case_only_live_side_by_side(tmp_path: Path) -> None:
    """Delta takes `Age` and `age` for the same; the log keeps both, and knows the name of each."""
    log = DeltaLog(tmp_path / "log")
    log.append(pl.DataFrame({"id": [1], "input_age": [1.0]}))
    log.append(pl.DataFrame({"id": [2], "input_Age": [2.0]}))
    log.append(pl.DataFrame({"id": [3], "input_Age": [3.0], "input_age": [4.0]}))
    rows = rows_of(log).rename(original_name)
    assert rows["input_Age"].to_list() == [None, 2.0, 3.0]
    assert rows["input_age"].to_list() == [1.0, None, 4.0]


def test_many_small_files_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frequent small appends do not make reading slow, and compaction loses neither rows nor position."""
    monkeypatch.setattr(delta_log, "MANY_FILES", 5)
    log = DeltaLog(tmp_path / "log")
    for number in range(14):
        log.append(pl.DataFrame({"id": [number]}), "a", number)
    assert len(DeltaTable(log.folder).file_uris()) <= 6
    assert rows_of(log)["id"].to_list() == list(range(14))
    assert log.read("a")[1] == 13


def test_every_commit_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that widen a type or put files together: one that a power cut takes away hides all that follow."""
    synced: set[int] = set()
    log = DeltaLog(tmp_path / "log")
    monkeypatch.setattr(delta_log, "MANY_FILES", 3)
    monkeypatch.setattr(delta_log, "sync_commit", lambda _folder, version: synced.add(version))
    for number in range(8):
        value = number if number < 3 else "many"
        log.append(pl.DataFrame({"id": [number], "input_x": [value]}))
        last = DeltaTable(log.folder).version()
        assert synced == set(range(last + 1))
    assert last > 8


def test_what_is_tidied_up_needs_no_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of an earlier commit that is gone, since it was put together with others, stops nobody."""
    log = DeltaLog(tmp_path / "log")
    for number in range(3):
        log.append(pl.DataFrame({"id": [number]}))
    table = DeltaTable(log.folder)
    table.optimize.compact()
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    log.append(pl.DataFrame({"id": [3]}))
    assert rows_of(log)["id"].to_list() == [0, 1, 2, 3]
