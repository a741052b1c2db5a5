"""`heptad data`: folders are added, compared, put in place, sent, fetched and forgotten, without any heptad.toml."""

import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Shell

from heptad import project


@pytest.fixture
def repository(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A Git repository with a folder of data, which is the present folder."""
    monkeypatch.setenv("COLUMNS", "80")
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    (tmp_path / "data" / "images").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / "data" / "images" / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys, tmp_path)


def test_a_folder_is_kept_changed_and_brought_back(repository: Shell, tmp_path: Path):
    """Each command says in words what it did; status has exit code 1 where something differs."""
    added = repository.bare("data", "add", "data/images")
    assert added.code == 0
    assert "data/images@1: 2 files, 2 bytes" in added.out
    assert repository.bare("data", "status").code == 0
    (tmp_path / "data" / "images" / "a").write_text("changed")
    status = repository.bare("data", "status")
    assert status.code == 1
    assert "changed  a" in status.out
    refused = repository.bare("data", "checkout")
    assert refused.code == 1
    assert "--force" in refused.err
    assert repository.bare("data", "checkout", "--force").code == 0
    assert (tmp_path / "data" / "images" / "a").read_text() == "a"


def test_versions_of_folders_are_listed_shown_compared_and_written(repository: Shell, tmp_path: Path):
    """By the commands that do so for the table."""
    repository.bare("data", "add", "data/images")
    (tmp_path / "data" / "images" / "a").rename(tmp_path / "data" / "images" / "c")
    assert repository.bare("data", "add", "data/images", "--json").json[0]["version"]["body"]["version"] == 2
    assert len(repository.bare("data", "log", "data/images", "--json").json) == 2
    assert "2 bytes" in repository.bare("data", "log", "data/images").out
    shown = repository.bare("data", "show", "data/images@1")
    assert "data/images@1 (folder-" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    assert "renamed  a -> c" in repository.bare("data", "diff", "data/images@1", "2").out
    assert repository.bare("data", "get", "data/images@1", "out").code == 0
    assert (tmp_path / "out" / "a").read_text() == "a"
    assert len(repository.bare("data", "log", "--json").json) == 2
    unknown = repository.bare("data", "log", "images")
    assert unknown.code == 2
    assert "data/images" in unknown.err


def test_versions_of_folders_are_tagged_as_those_of_the_table(repository: Shell):
    """Without settings; the tag is shown, names the version, and goes again."""
    repository.bare("data", "add", "data/images")
    assert "data/images@1 is gold" in repository.bare("data", "tag", "data/images@1", "gold").out
    assert "gold" in repository.bare("data", "log", "data/images").out
    assert "gold" in repository.bare("data", "show", "data/images@gold").out
    assert repository.bare("data", "tag", "data/images@gold", "--remove").code == 0
    assert repository.bare("data", "show", "data/images@gold").code == 2


def test_the_lineage_of_a_folder_needs_no_settings(repository: Shell, tmp_path: Path):
    """What a version followed, and what followed it is not what was made with it; a table is not compared with it."""
    repository.bare("data", "add", "data/images")
    (tmp_path / "data" / "images" / "a").write_text("changed")
    repository.bare("data", "add", "data/images")
    assert "version 1 of the folder data/images" in repository.bare("data", "lineage", "data/images@2").out
    first = repository.bare("data", "lineage", "data/images@1", "--json").json
    assert first == {"made_from": [], "made_with_it": []}
    mixed = repository.bare("data", "diff", "1", "data/images@2")
    assert mixed.code == 2
    assert "1 is no version of a folder" in mixed.err


def test_a_clone_is_filled_from_the_remote_of_the_settings(repository: Shell, tmp_path: Path):
    """`[remote]` alone makes a heptad.toml that is enough for folders."""
    (tmp_path / "heptad.toml").write_text(f'[remote]\nuri = "{tmp_path / "remote"}"\n')
    repository.bare("data", "add", "data/images")
    sent = repository.bare("data", "push")
    assert "2 packs sent" in sent.out
    clone = tmp_path / "clone"
    (clone / "data").mkdir(parents=True)
    for name in ("heptad.toml", "data/images.heptad"):
        (clone / name).write_text((tmp_path / name).read_text())
    fetched = repository.bare("data", "pull", "--project", str(clone), "--json").json
    assert fetched["moved"]["packs"] == 2
    assert (clone / "data" / "images" / "b").read_text() == "b"
    (tmp_path / "heptad.toml").write_text("[remote]\nurl = 3\n")
    wrong = repository.bare("data", "push")
    assert wrong.code == 2
    assert "did you mean 'uri'" in wrong.err


def test_what_is_forgotten_is_freed_by_gc(repository: Shell, tmp_path: Path):
    """A reason is asked for, and the pointer's version is not let go."""
    repository.bare("data", "add", "data/images")
    assert repository.bare("data", "forget", "data/images@1", "--reason", "a test run").code == 1
    (tmp_path / "data" / "images" / "a").write_text("changed")
    repository.bare("data", "add", "data/images")
    assert "heptad gc" in repository.bare("data", "forget", "data/images@1", "--reason", "a test run").out
    assert "freed" in repository.bare("gc", "--yes").out
    assert "forgotten" in repository.bare("data", "log", "data/images").out
    assert "forgotten" in repository.bare("data", "show", "data/images@1").out
    assert repository.bare("data", "forget", "nothing@1", "--reason", "a test run").code == 2


def test_names_that_differ_in_case_only_are_pointed_out(repository: Shell, tmp_path: Path):
    (tmp_path / "data" / "images" / "A").write_text("A")
    assert "A and a" in repository.bare("data", "add", "data/images").out


def test_a_folder_called_like_the_project_is_not_taken_for_the_table(repository: Shell, tmp_path: Path):
    """`data@1` may be either: the error tells their ids, which may not."""
    (tmp_path / "rows.csv").write_text("id,x,y\n" + "".join(f"{n},{n}.5,{n % 2}\n" for n in range(60)))
    (tmp_path / "heptad.toml").write_text(
        '[project]\nname = "data"\n[sources.rows]\nuri = "rows.csv"\n[data]\ntarget = "y"\nkey = ["id"]\n'
    )
    assert repository("data", "collect").code == 0
    assert repository.bare("data", "add", "data").code == 0
    for command in ("show", "lineage"):
        refused = repository("data", command, "data@1")
        assert refused.code == 2
        assert "a version of the table and one of the folder data" in refused.err
    folder = next(word for word in refused.err.split() if word.startswith("folder-"))
    table = next(word for word in refused.err.split() if word.startswith("data-"))
    assert "2 bytes" in repository("data", "show", folder).out
    assert "60, 60 with labels" in repository("data", "show", table).out
    assert "60, 60 with labels" in repository("data", "show", "1").out


@pytest.mark.parametrize(
    "words", [["show", "data/images@1"], ["lineage", "data/images@1"], ["get", "data/images@1", "x"]]
)
def test_a_version_of_a_folder_is_looked_at_through_one_workspace(
    repository: Shell, monkeypatch: pytest.MonkeyPatch, words: list[str]
):
    """Also where it is made sure that the table has none of this name."""
    repository.bare("data", "add", "data/images")
    opened: list[object] = []
    made = project._opened
    monkeypatch.setattr(project, "_opened", lambda *arguments: opened.append(arguments) or made(*arguments))
    assert repository.bare("data", *words).code == 0
    assert len(opened) == 1
