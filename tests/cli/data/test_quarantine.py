"""`heptad data quarantine`: which rows are gone, and why."""

from pathlib import Path

import polars as pl
from tests.cli.conftest import Shell

import heptad

SETTINGS = """
[sources.rows]
uri = "rows.csv"
[data]
target = "y"
key = ["id"]
[clean.columns.size]
units = { kg = 1, g = 0.001 }
unit = "kg"
unread = "drop"
"""


def test_rows_are_listed_and_shown_as_they_came(tmp_path: Path, capsys) -> None:
    """By rule; a rule without rows is an error that names those with."""
    sizes = [f"{n} g" for n in range(39)]
    pl.DataFrame({"id": range(40), "size": [*sizes, "heavy"], "y": ["a", "b"] * 20}).write_csv(tmp_path / "rows.csv")
    (tmp_path / "heptad.toml").write_text(SETTINGS)
    shell = Shell(capsys, tmp_path)
    assert "No row is set aside." in shell("data", "quarantine", "list").out
    heptad.open(tmp_path).data.collect()
    assert shell("data", "quarantine", "list", "--json").json == [{"rule": "units size", "rows": 1}]
    assert "heavy" in shell("data", "quarantine", "show", "units size").out
    asked = shell("data", "quarantine", "show", "unit size")
    assert asked.code == 2
    assert "units size" in asked.err


def test_a_row_is_released_with_a_reason(tmp_path: Path, capsys) -> None:
    """By the id that is shown; a second time says that it is done."""
    sizes = [f"{n} g" for n in range(39)]
    pl.DataFrame({"id": range(40), "size": [*sizes, "heavy"], "y": ["a", "b"] * 20}).write_csv(tmp_path / "rows.csv")
    (tmp_path / "heptad.toml").write_text(SETTINGS)
    shell = Shell(capsys, tmp_path)
    heptad.open(tmp_path).data.collect()
    assert "No row is released." in shell("data", "quarantine", "released").out
    (row,) = shell("data", "quarantine", "show", "units size", "--json").json
    said = shell("data", "quarantine", "release", row["quarantine_id"], "--reason", "weighed by hand")
    assert "1 row comes back in the next version" in said.out
    assert (
        "released already"
        in shell("data", "quarantine", "release", row["quarantine_id"], "--reason", "weighed by hand").out
    )
    (listed,) = shell("data", "quarantine", "released", "--json").json
    assert (listed["id"], listed["rule"], listed["reason"]) == (row["quarantine_id"], "units size", "weighed by hand")
    assert heptad.open(tmp_path).data.collect().body.rows == 40
    assert "No row is set aside." in shell("data", "quarantine", "list").out
    assert shell("data", "quarantine", "release", "nothing", "--reason", "for no reason").code == 2
