"""`heptad data correct`, `heptad data corrections`."""

from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Shell


@pytest.fixture
def pets(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A project with a key; nothing was run yet."""
    monkeypatch.setenv("COLUMNS", "80")
    rows = pl.DataFrame({"k": range(40), "x": [n % 7 for n in range(40)], "y": ["cat", "dog"] * 20})
    rows.write_csv(tmp_path / "pets.csv")
    (tmp_path / "heptad.toml").write_text('[sources.pets]\nuri = "pets.csv"\n[data]\ntarget = "y"\nkey = ["k"]\n')
    return Shell(capsys, tmp_path)


def test_a_file_of_corrections_makes_a_version(pets: Shell):
    """It says how many cells, and what was left; the list shows each with its reason."""
    from heptad.project import open_project

    open_project(pets.project).data.collect()
    file = pets.project / "right.csv"
    file.write_text("k,column,value,reason\n1,y,cat,it meows\n2,y,cat,it does\n3,y,,\n")
    asked = pets("data", "correct", str(file))
    assert asked.code == 0
    assert "cells corrected: 1;" in asked.out
    assert "@2 has them right" in asked.out
    assert "say what the version says already: 1" in asked.out
    assert "left open: 1" in asked.out
    listed = pets("data", "corrections", "--json").json
    assert [(one["row"], one["was"], one["is"], one["reason"]) for one in listed] == [("1", "dog", "cat", "it meows")]
    again = pets("data", "correct", str(file), "--json").json
    assert again["corrected"] == 0


def test_before_there_is_a_version_nothing_can_be_corrected(pets: Shell):
    """Exit code 2, and what to do."""
    file = pets.project / "right.csv"
    file.write_text("k,column,value,reason\n1,y,cat,it meows\n")
    asked = pets("data", "correct", str(file))
    assert asked.code == 2
    assert "heptad run" in asked.err
    assert "Nothing is corrected" in pets("data", "corrections").out


def test_a_file_that_cannot_be_used_is_refused(pets: Shell):
    """With its line."""
    from heptad.project import open_project

    open_project(pets.project).data.collect()
    file = pets.project / "right.csv"
    file.write_text("k,column,value,reason\n1,y,cow,it moos\n")
    asked = pets("data", "correct", str(file))
    assert asked.code == 2
    assert "line 2" in asked.err
    assert "--new-classes" in asked.err
