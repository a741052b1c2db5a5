"""`heptad data`: versions are listed, shown and compared."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import Shell


@pytest.fixture
def own(shell: Shell, tmp_path: Path) -> Shell:
    """The project, copied for tests that change it."""
    copy = shutil.copytree(shell.project, tmp_path / "copy", ignore=shutil.ignore_patterns("workers"))
    return Shell(shell._capsys, copy)


def test_versions_are_listed_newest_first(shell: Shell):
    """Each with its rows, labels and id."""
    versions = [one["body"]["version"] for one in shell("data", "log", "--json").json]
    assert versions == sorted(versions, reverse=True)
    assert len(versions) > 1
    assert "labelled" in shell("data", "log").out


def test_a_version_is_shown_with_what_was_done_to_it(shell: Shell):
    """Sources, repairs, findings and columns, on 80 columns."""
    asked = shell("data", "show", "1")
    assert asked.code == 0
    assert "rides@1" in asked.out
    for title in ("Sources", "Repairs", "Findings", "Columns"):
        assert f"{title}\n---" in asked.out
    assert all(len(line) <= 80 for line in asked.out.splitlines())
    assert shell("data", "show", "1", "--json").json["body"]["version"] == 1


def test_two_versions_are_compared(shell: Shell):
    """How many rows came, how many labels became known, how far columns moved."""
    difference = shell("data", "diff", "1", "2", "--json").json
    assert difference["rows_added"] > 0
    assert "rows added" in shell("data", "diff", "1").out


def test_a_version_that_is_not_there_is_an_error(shell: Shell):
    """Exit code 2, with the versions that there are."""
    asked = shell("data", "show", "99")
    assert asked.code == 2
    assert "99" in asked.err


def test_a_project_without_versions_says_how_to_make_one(empty: Shell):
    """The list is not just empty."""
    assert "heptad run" in empty("data", "log").out


@pytest.mark.parametrize(
    ("ending", "read"),
    [("parquet", pl.read_parquet), ("csv", pl.read_csv), ("jsonl", pl.read_ndjson), ("arrow", pl.read_ipc)],
)
def test_rows_are_written_into_a_file(shell: Shell, tmp_path: Path, ending: str, read):
    """Whole, by the name's ending, and in place of what was there."""
    path = tmp_path / f"rides.{ending}"
    path.write_text("old")
    written = shell("data", "get", "1", str(path), "--json").json
    assert read(path).height == written["rows"] > 0
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_an_ending_that_says_nothing_is_refused(shell: Shell, tmp_path: Path):
    """With those that do, and nothing written."""
    asked = shell("data", "get", "1", str(tmp_path / "rides.pickle"))
    assert asked.code == 2
    assert ".parquet" in asked.err
    assert list(tmp_path.iterdir()) == []


def test_the_lineage_names_sources_and_models(shell: Shell):
    """Where the rows came from, and every model that learnt from them, but not those of later versions."""
    first = shell("data", "lineage", "1", "--json").json
    assert first["sources"][0]["uri"] == "rides.csv"
    assert first["made_from"] == []
    kinds = {one["kind"] for one in first["made_with_it"]}
    assert {"candidate", "model_version"} <= kinds
    assert "dataset_version" not in kinds
    assert "rides@1" in shell("data", "lineage", "1").out
    assert shell("data", "lineage", "2", "--json").json["made_from"]


def test_a_version_is_tagged_and_found(own: Shell):
    """A tag is shown in the list and may be used wherever a version is named."""
    assert own("data", "tag", "1", "gold").code == 0
    assert "gold" in own("data", "log").out
    assert "gold" in own("data", "show", "gold").out
    assert own("data", "diff", "gold", "1").code == 0
    assert own("data", "tag", "2", "gold").code == 1
    assert own("data", "tag", "gold").code == 2
    assert own("data", "tag", "gold", "--remove").code == 0
    assert own("data", "show", "gold").code == 2


def test_a_rollback_needs_a_reason_and_is_shown(own: Shell):
    """The earlier version is the latest; what was left behind says why."""
    assert own("data", "rollback", "1", "--reason", "no").code == 2
    rolled = own("data", "rollback", "1", "--reason", "the second delivery was a test")
    assert rolled.code == 0
    assert "mend" in rolled.out
    assert own("data", "show", "--json").json["body"]["version"] == 1
    assert "the second delivery was a test" in own("data", "show", "2").out
    assert "rolled back" in own("data", "log").out
