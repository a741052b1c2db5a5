"""Corrections are kept, applied to every later version, and linked to what they correct."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import Open
from tests.data.corrections.conftest import ROWS

from heptad.core.clock import ManualClock
from heptad.core.errors import HeptadError, SettingsError
from heptad.core.workspace import Workspace
from heptad.data import CleanSettings, Data, DataSettings, Subjects
from heptad.data.columns.column_types import STORED


def label(data: Data, key: str) -> object:
    return data.scan(data.version("latest")).filter(pl.col("k") == key).collect()["y"].item()


def test_a_correction_makes_a_version_that_is_linked_and_accounted_for(
    data: Data, file: Callable[..., Path], workspace: Workspace
) -> None:
    """One cell is another, one repair counts it, and the graph says which version was wrong."""
    wrong = data.version("latest")
    _, correction = data.corrections.correct(wrong, file("r01,y,cat,it meows"))
    assert correction is not None
    right = data.collect()
    assert right.body.version == wrong.body.version + 1
    before, after = data.scan(wrong).collect(), data.scan(right).collect()
    assert after.filter(pl.col("k") != "r01").equals(before.filter(pl.col("k") != "r01"))
    assert label(data, "r01") == "cat"
    (repair,) = [one for one in right.body.repairs if one.rule == "corrected"]
    assert (repair.column, repair.cells, repair.examples) == ("y", 1, ["dog"])
    links = {(one.role, one.target) for one in workspace.store.trace([right.id], "out")}
    assert ("correction", correction.id) in links
    assert [one.target for one in workspace.store.trace([correction.id], "out")] == [wrong.id]
    assert data.collect().id == right.id


def test_later_versions_are_corrected_while_the_source_is_wrong(
    data: Data, file: Callable[..., Path], write: Callable[..., Path]
) -> None:
    """New rows come, and the cell stays right; where the source was mended otherwise, its word stands."""
    data.corrections.correct(data.version("latest"), file("r01,y,cat,it meows", "r02,y,dog,it barks"))
    data.collect()
    grown = pl.concat([ROWS, ROWS.with_columns(pl.concat_str(pl.lit("s"), "k").alias("k"))])
    write(grown)
    later = data.collect()
    assert label(data, "r01") == "cat"
    assert sum(one.cells for one in later.body.repairs if one.rule == "corrected") == 2
    write(grown.with_columns(pl.when(pl.col("k") == "r01").then(pl.lit("cow")).otherwise("y").alias("y")))
    mended = data.collect()
    assert label(data, "r01") == "cow"
    assert sum(one.cells for one in mended.body.repairs if one.rule == "corrected") == 1


def test_a_schema_still_binds_after_a_correction(
    data: Data, file: Callable[..., Path], write: Callable[..., Path]
) -> None:
    """A corrected cell is no other way of making the table."""
    first = data.version("latest").body.schema
    data.corrections.correct(data.version("latest"), file("r01,x,100,measured again"))
    right = data.collect()
    assert [(one.name, one.type, one.role) for one in right.body.schema.columns] == [
        (one.name, one.type, one.role) for one in first.columns
    ]
    assert any(one.expectation == "range" and not one.passed for one in right.body.findings)


def test_what_was_corrected_wrongly_can_be_corrected_again(data: Data, file: Callable[..., Path]) -> None:
    """The last word counts; taken back, the source's value stands, and values that were wrong stay so."""
    for value, in_force in (("3.5", 1), ("4.5", 2), ("1", 2)):
        data.corrections.correct(data.version("latest"), file(f"r01,x,{value},measured again"))
        data.collect()
        cell = data.scan(data.version("latest")).filter(pl.col("k") == "r01").collect()["x"].item()
        assert cell == float(value)
        correction = data.corrections.in_force()
        assert correction is not None
        assert correction.body.in_force == in_force


@pytest.mark.parametrize("value", ["7", "1"])
def test_a_correction_that_no_version_has_can_be_taken_back(
    data: Data, file: Callable[..., Path], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that none can have: earlier programs kept infinite numbers, over which every collection fails."""
    version = data.version("latest")
    with monkeypatch.context() as patch:
        patch.setattr(
            "heptad.data.corrections.reading.as_stored", lambda texts, column: texts.cast(STORED[column.type])
        )
        data.corrections.correct(version, file("r01,x,inf,measured"))
    with pytest.raises(HeptadError, match="JSON does not have"):
        data.collect()
    data.corrections.correct(version, file(f"r01,x,{value},measured again"))
    cell = data.scan(data.collect()).filter(pl.col("k") == "r01").collect()["x"].item()
    assert cell == float(value)
    assert data.corrections.cells()["value"].to_list() == ([] if value == "1" else ["7.0"])


def test_nothing_to_correct_keeps_nothing(data: Data, file: Callable[..., Path], workspace: Workspace) -> None:
    """No record, no event, no version."""
    before = data.version("latest")
    read, correction = data.corrections.correct(before, file("r00,y,cat,same as it is", "r01,y,,"))
    assert correction is None
    assert (read.unchanged, read.left_open) == (1, 1)
    assert data.collect().id == before.id
    assert not [one for one in workspace.store.follow(0) if one.kind == "data.cells_corrected"]


def test_many_who_correct_at_once_lose_nothing(data: Data, workspace: Workspace) -> None:
    """Each finds what the others wrote."""
    version = data.version("latest")

    def correct(number: int) -> None:
        path = workspace.root / f"own-{number}.csv"
        path.write_text(f"k,column,value,reason\nr{number:02},x,{number + 100},measured again\n")
        data.corrections.correct(version, path)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(correct, range(4)))
    assert sorted(data.corrections.cells()["id"]) == ["r00", "r01", "r02", "r03"]


def test_without_the_key_that_they_name_rows_by_nothing_is_made(
    data: Data, file: Callable[..., Path], open_data: Open
) -> None:
    """Rather than a version in which the cells are wrong again."""
    data.corrections.correct(data.version("latest"), file("r01,y,cat,it meows"))
    keyless = open_data(DataSettings(target="y"))
    with pytest.raises(SettingsError, match="no key"):
        keyless.collect()


def test_a_row_without_a_label_gets_one(open_data: Open, write: Callable[..., Path], file: Callable[..., Path]) -> None:
    """A file of labels is a file of corrections of what was missing."""
    write(ROWS.with_columns(pl.when(pl.col("n") < 5).then(None).otherwise("y").alias("y")))
    data = open_data(DataSettings(target="y", key=["k"]), clean=CleanSettings(missing_target="keep"))
    first = data.collect()
    assert first.body.labelled == 25
    data.corrections.correct(first, file("r01,y,cat,", "r02,y,dog,"), reason="labelled by hand")
    assert data.collect().body.labelled == 27


def test_a_label_that_is_given_today_was_not_known_yesterday(
    open_data: Open, write: Callable[..., Path], file: Callable[..., Path], clock: ManualClock
) -> None:
    """With a column that says when labels became known, a person's label has the moment at which it was given."""
    day = pl.datetime(2025, 12, 1, time_zone="UTC") + pl.duration(days=pl.col("n"))
    known = pl.when(pl.col("n") > 2).then(day + pl.duration(hours=1))
    timed = ROWS.with_columns(day.alias("t"), known.alias("known"))
    write(timed.with_columns(pl.when(pl.col("n") > 2).then("y").alias("y")))
    settings = DataSettings(target="y", key=["k"], time="t", label_time="known")
    data = open_data(settings, clean=CleanSettings(missing_target="keep"))
    first = data.collect(clock.now())
    assert first.body.labelled == 27
    data.corrections.correct(first, file("r01,y,cat,it meows"))
    given = clock.now()
    clock.advance(timedelta(days=1))
    later = data.collect(clock.now())
    assert later.body.labelled == 28
    before = data.scan(later, known_at=given - timedelta(hours=1), labelled=True).collect()
    assert "r01" not in before["k"].to_list()
    row = data.scan(later).filter(pl.col("k") == "r01").collect()
    assert row["known"].item() == given


def test_times_are_corrected_too(open_data: Open, write: Callable[..., Path], file: Callable[..., Path]) -> None:
    """Written in ISO 8601."""
    born = pl.datetime(2000, 1, 1, time_zone="UTC") + pl.duration(days=pl.col("n"))
    write(ROWS.with_columns(born.alias("born")))
    data = open_data(DataSettings(target="y", key=["k"]))
    data.corrections.correct(data.collect(), file("r01,born,1999-05-06T07:08:09Z,the passport says so"))
    row = data.scan(data.collect()).filter(pl.col("k") == "r01").collect()
    assert row["born"].item() == datetime(1999, 5, 6, 7, 8, 9, tzinfo=UTC)


def test_corrections_of_an_erased_person_are_gone(data: Data, file: Callable[..., Path], workspace: Workspace) -> None:
    """From the table, from its past and from the records; those of others stay in force."""
    data.corrections.correct(data.version("latest"), file("r01,x,1234567.5,what Ann told us", "r02,x,5,measured again"))
    data.collect()
    subjects = Subjects(columns=["k"], keys=[["r01"]])
    found = data.erasing.find(subjects)
    data.erasing.forget(subjects, found, "erasure-1", datetime(2026, 1, 1, tzinfo=UTC))
    assert data.corrections.cells()["id"].to_list() == ["r02"]
    folder = workspace.tables / "test-corrections"
    assert not [path for path in folder.rglob("*") if path.is_file() and b"what Ann told us" in path.read_bytes()]
    after = data.scan(data.collect()).filter(pl.col("k") == "r02").collect()
    assert after["x"].item() == 5.0
    data.corrections.correct(data.version("latest"), file("r03,x,7,measured again"))
    assert sorted(data.corrections.cells()["id"]) == ["r02", "r03"]


KILLED = """
import os, signal, sys
from pathlib import Path
from heptad.core import graph
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import open_workspace
from heptad.data import *

root = Path(sys.argv[1])
data = Data(open_workspace(root, "test", StoreSettings()), ProjectSettings(name="test"),
            {"rows": SourceSettings(uri="rows.csv")}, DataSettings(target="y", key=["k"]),
            CleanSettings(), ExpectSettings(), {})
save = graph.save
graph.save = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
data.corrections.correct(data.version("latest"), root / "corrections.csv")
"""


def test_a_process_that_dies_between_table_and_record_has_corrected_nothing(
    data: Data, file: Callable[..., Path], workspace: Workspace
) -> None:
    """And whoever corrects next is not disturbed by the rows that nobody names."""
    before = data.version("latest")
    path = file("r01,y,cat,it meows")
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(workspace.root)], env=os.environ, capture_output=True, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert data.corrections.in_force() is None
    assert data.collect().id == before.id
    data.corrections.correct(before, path)
    data.collect()
    assert label(data, "r01") == "cat"
    assert len(data.corrections.cells()) == 1
