"""`heptad data prune`: what would go is shown first, and what went is told."""

import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Shell


@pytest.fixture
def own(shell: Shell, tmp_path: Path) -> Shell:
    """The project, copied for tests that change it."""
    copy = shutil.copytree(shell.project, tmp_path / "copy", ignore=shutil.ignore_patterns("workers"))
    return Shell(shell._capsys, copy)


def test_what_would_go_is_shown_and_nothing_done(shell: Shell) -> None:
    """Every version with its reason, on 80 columns."""
    asked = shell("data", "prune", "--keep", "1", "--dry-run")
    assert asked.code == 0
    assert "the latest" in asked.out
    assert "was made from it" in asked.out
    assert "to free:" in asked.out
    assert all(len(line) <= 80 for line in asked.out.splitlines())
    assert "pruned" not in shell("data", "log").out


def test_versions_are_pruned_and_readers_told(own: Shell) -> None:
    """With --yes nobody is asked; the list of versions says it, and so does every reader."""
    done = own("data", "prune", "--keep", "1", "--yes", "--reason", "the disk is full", "--json").json
    gone = [one["version"] for one in done["versions"] if one["goes"]]
    assert gone, "models that were refused long ago need no version"
    assert done["freed"]["bytes"] > 0
    assert "pruned" in own("data", "log").out
    read = own("data", "get", str(gone[0]), str(own.project / "out.csv"))
    assert read.code == 2
    assert "the disk is full" in read.err
    assert not (own.project / "out.csv").exists()
    assert "the disk is full" in own("data", "show", str(gone[0])).out


def test_a_wish_is_asked_for(own: Shell) -> None:
    """Without a rule, and with one that is none."""
    assert "--keep N" in own("data", "prune", "--yes").err
    assert "is not a duration" in own("data", "prune", "--older-than", "soon", "--yes").err
    assert "is no reason" in own("data", "prune", "--keep", "1", "--reason", "no", "--yes").err
