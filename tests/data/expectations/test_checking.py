"""Versions and files are checked on demand: rows that break something are shown, versions are recorded."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl

from heptad.core import graph
from heptad.core.workspace import Workspace
from heptad.data import ColumnExpectation, Data, DataSettings, ExpectationResult, ExpectSettings, TableExpectation
from heptad.data.expectations.checking import SHOWN, TEXT
from heptad.data.expectations.settings import Range

SETTINGS = DataSettings(target="y", key=["k"])
EXPECT = ExpectSettings(
    columns={
        "x": ColumnExpectation(max=5, severity="warning"),
        "s": ColumnExpectation(length=Range(max=5), severity="info"),
    },
    table=[TableExpectation(check="x < 6", severity="warning")],
)


def rows() -> pl.DataFrame:
    long = "z" * 200
    return pl.DataFrame(
        {"k": range(20), "x": [n % 8 for n in range(20)], "s": ["a", long] * 10, "y": ["u", "v", "u", "u"] * 5}
    )


def test_a_checked_version_is_recorded_with_an_event(
    open_data: Callable[..., Data], write: Callable[..., Path], workspace: Workspace
) -> None:
    """Figures are kept and rows are not: a copy of them in a record could not be erased."""
    write(rows())
    data = open_data(SETTINGS)
    version = data.collect()
    checked = open_data(SETTINGS, expect=EXPECT).expectations.version(version)
    assert checked.passed
    assert checked.what == "test@1"
    record = graph.load(workspace, checked.record, ExpectationResult)
    assert record.body.findings == checked.findings
    assert (record.body.rows, record.body.passed, record.body.compared_with) == (20, True, 0)
    assert "zzz" not in json.dumps(record.body.findings, default=str)
    events = workspace.store.follow(0, ["data.expectations_checked"])
    assert [(one.subject, one.body["broken"]) for one in events] == [(record.id, 3)]


def test_rows_that_break_something_are_shown_by_key(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """A few, their key and what is looked at, long texts cut."""
    path = write(rows(), "new.csv")
    write(rows())
    checked = open_data(SETTINGS, expect=EXPECT).expectations.file(path)
    shown = {checked.findings[place].expectation: sample for place, sample in checked.samples.items()}
    assert shown["max"] == [{"k": 6, "x": 6}, {"k": 7, "x": 7}, {"k": 14, "x": 6}, {"k": 15, "x": 7}]
    assert shown["check"] == shown["max"]
    assert len(shown["length"]) == SHOWN
    assert len(str(shown["length"][0]["s"])) == TEXT + 1
    assert checked.record == ""


def test_rows_without_a_key_are_shown_by_number(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Counted from 0."""
    path = write(rows().drop("k"), "new.csv")
    write(rows())
    data = open_data(DataSettings(target="y"), expect=EXPECT)
    checked = data.expectations.file(path)
    assert next(iter(checked.samples.values()))[0] == {"row": 6, "x": 6}


def test_an_error_does_not_pass(open_data: Callable[..., Data], write: Callable[..., Path]) -> None:
    """Neither where a column is gone, nor where keys come twice."""
    write(rows())
    path = write(pl.concat([rows(), rows()]).drop("s"), "new.csv")
    expect = ExpectSettings(columns={"s": ColumnExpectation(present=True)})
    checked = open_data(SETTINGS, expect=expect).expectations.file(path)
    assert not checked.passed
    assert {(one.column, one.expectation) for one in checked.findings if not one.passed} == {
        ("k", "unique"),
        ("s", "present"),
    }


def test_a_file_without_a_part_of_the_key_is_told_so(
    open_data: Callable[..., Data], write: Callable[..., Path]
) -> None:
    """And the rest of the key, which need not be unique, is not held to be."""
    write(rows())
    path = write(rows().drop("k"), "new.csv")
    checked = open_data(DataSettings(target="y", key=["k", "s"])).expectations.file(path)
    assert [(one.column, one.expectation, one.passed) for one in checked.findings] == [("k", "present", False)]
