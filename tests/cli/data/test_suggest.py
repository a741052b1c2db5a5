"""`heptad data suggest`: cells that are likely wrong, and the rules that put them right."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from heptad.cli.data.suggest import app
from heptad.config import read_config
from heptad.core.errors import InputError

CITIES = ["Birmingham", "Springfield", "Georgetown"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one file: three cities, two of them misspelt once, and marks for missing numbers."""
    rows = [[f"id{n}", CITIES[n % 3], str(20 + n * 7 % 50)] for n in range(150)]
    rows[30][1], rows[70][1] = "Birminghxm", "Sprngfield"
    rows[11][2] = rows[99][2] = "N/A"
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["key", "city", "size"], *rows])
    (tmp_path / "heptad.toml").write_text(
        '[sources.rows]\nuri = "rows.csv"\n\n[data]\ntarget = "size"\n', encoding="utf-8"
    )
    return tmp_path


def suggest(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_flagged_cells_are_listed_with_what_they_should_say(folder: Path) -> None:
    """Row from 0, column, value, proposal and rule of each, as one JSON list."""
    cells = json.loads(suggest(folder / "rows.csv", "--json").stdout)
    found = {(cell["row"], cell["column"]): (cell["value"], cell["proposal"]) for cell in cells}
    assert found[30, "city"] == ("Birminghxm", "Birmingham")
    assert found[70, "city"] == ("Sprngfield", "Springfield")
    assert found[11, "size"] == ("N/A", "")
    assert len(found) == 4
    assert all(cell["rule"] and 0 < cell["precision"] <= 1 for cell in cells)


def test_rules_are_told_with_evidence_and_the_lines_to_accept(folder: Path) -> None:
    """By column: why, how many, how sure, an example, and the lines of heptad.toml."""
    text = suggest("--project", folder).stdout
    assert "150 rows, 4 cells are likely wrong" in text
    assert "'Birminghxm' -> 'Birmingham'" in text
    assert "of them wrong" in text
    assert "[clean.columns.city]" in text
    assert "the mark is missing by that already: 2 cells" in " ".join(text.split())
    assert "[clean.columns.size]" not in text


def test_rows_are_asked_about_and_read_back(folder: Path) -> None:
    """The form of the rows that tell most, filled in as it is, says that all of them are right."""
    table = folder / "rows.csv"
    form = suggest(table, "--ask", "3").stdout
    asked = list(csv.DictReader(io.StringIO(form)))
    assert len({line["row"] for line in asked}) == 3
    assert len(asked) == 9
    assert all(line["value"] == line["correct"] for line in asked)
    assert suggest(table, "--ask", "3").stdout == form
    (folder / "labels.csv").write_text(form, encoding="utf-8")
    cells = json.loads(suggest(table, "--labels", folder / "labels.csv", "--json").stdout)
    assert not {str(cell["row"]) for cell in cells} & {line["row"] for line in asked}


def test_a_correction_is_proposed_for_cells_like_it(folder: Path) -> None:
    """What one row says of a mark holds for the other one."""
    (folder / "labels.csv").write_text("row,column,correct value\n11,size,0\n", encoding="utf-8")
    cells = json.loads(suggest(folder / "rows.csv", "--labels", folder / "labels.csv", "--json").stdout)
    assert {cell["proposal"] for cell in cells if cell["value"] == "N/A"} == {"0"}


def test_accepted_rules_are_settings_that_the_project_reads(folder: Path) -> None:
    """The rest of the file is as it was."""
    before = (folder / "heptad.toml").read_text(encoding="utf-8")
    done = suggest("--project", folder, "--accept")
    assert done.exit_code == 0
    assert "Accepted" in done.stdout
    assert (folder / "heptad.toml").read_text(encoding="utf-8").startswith(before.rstrip("\n"))
    replaced = read_config(folder).clean.columns["city"].replace
    assert replaced == {"Birminghxm": "Birmingham", "Sprngfield": "Springfield"}


def test_rules_that_would_break_the_project_are_left_out(folder: Path) -> None:
    """In numbers nothing is replaced as text; texts that `units` reads are not written otherwise. Why is said."""
    rows = [[n, f"{20 + n * 7 % 11}.5", f"{5 + n * 7 % 40} kg", n % 2] for n in range(300)]
    for n in range(7, 300, 30):
        rows[n][1], rows[n][2] = f"{rows[n][1]}?", f"{n}000 g"
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["n", "temp", "weight", "size"], *rows])
    said = suggest("--project", folder, "--accept", "--least", "30").stdout
    columns = read_config(folder).clean.columns
    assert "temp" not in columns
    assert columns["weight"].units == {"kg": 1, "g": 0.001}
    assert columns["weight"].replace == {}
    assert "does not fit a column of Float64" in said


def test_rules_are_accepted_in_a_project_only(folder: Path) -> None:
    """A file elsewhere has no heptad.toml to write them into."""
    (folder / "heptad.toml").unlink()
    done = suggest(folder / "rows.csv", "--project", folder, "--accept")
    assert isinstance(done.exception, InputError)
    assert "is not a Heptad project" in done.exception.problem


def test_a_project_without_one_table_says_what_to_type(folder: Path) -> None:
    """Several sources, or one that is not there."""
    path = folder / "heptad.toml"
    path.write_text('[sources.a]\nuri = "a*.csv"\n[data]\ntarget = "size"\n', encoding="utf-8")
    done = suggest("--project", folder)
    assert isinstance(done.exception, InputError)
    assert "There is no file" in done.exception.problem
