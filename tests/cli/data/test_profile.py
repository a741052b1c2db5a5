"""`heptad data profile`."""

from pathlib import Path

from tests.cli.conftest import Shell


def test_a_version_is_shown_on_80_columns_and_as_a_page(shell: Shell, tmp_path: Path):
    """What is odd comes before the columns; the page is written whole."""
    page = tmp_path / "profile.html"
    asked = shell("data", "profile", "1", "--html", str(page))
    assert asked.code == 0
    assert asked.out.index("What to look at") < asked.out.index("Columns")
    assert all(len(line) <= 80 or str(page) in line for line in asked.out.splitlines())
    assert page.read_text().startswith("<!doctype html>")


def test_a_file_needs_no_project(shell: Shell, tmp_path: Path):
    """A table is looked at before there is anything else."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,x\n" * 30)
    found = shell("data", "profile", str(path), "--json").json
    assert found["profile"]["rows"] == 30
    assert {note["column"] for note in found["notes"]} == {"a", "b"}
    assert [one.name for one in tmp_path.iterdir()] == ["t.csv"]


def test_what_is_neither_is_named(shell: Shell):
    """Exit code 2, with the versions that there are."""
    asked = shell("data", "profile", "nowhere.csv")
    assert asked.code == 2
    assert "There is no file and no data version 'nowhere.csv'.\nAllowed: " in asked.err
