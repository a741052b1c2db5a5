"""Starting: a project from a table or a template, a run to its result, the settings in force."""

import csv
import json
import random
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from heptad.cli.app import run
from tests.cli.conftest import Shell

KEYS = {"task", "estimator", "metric", "value", "interval", "baseline", "report", "package"}


@pytest.fixture
def table(tmp_path):
    """300 rows whose answer follows from two of their columns."""
    chance = random.Random(3)
    path = tmp_path / "plants.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["height", "soil", "blooms"])
        for _ in range(300):
            height, soil = chance.gauss(10, 3), chance.choice(["sand", "clay"])
            blooms = height + (3 if soil == "clay" else 0) + chance.gauss(0, 1) > 11
            writer.writerow([round(height, 3), soil, "yes" if blooms else "no"])
    return path


@pytest.fixture
def project(table, tmp_path, capsys):
    """A project made from the table, with a search that is over soon."""
    folder = tmp_path / "plants"
    assert run(["init", str(folder), "--from", str(table), "--target", "blooms", "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert written == [str(folder / "heptad.toml")]
    settings = (folder / "heptad.toml").read_text()
    assert settings.count("[search]\n") == 1
    quick = '[search]\nestimators = ["linear"]\ntrials = 2\n'
    (folder / "heptad.toml").write_text(settings.replace("[search]\n", quick))
    return folder


def test_a_table_becomes_a_signed_package_in_two_commands(project):
    """The real program: `heptad run --json` prints one object last, and the files that it names are there."""
    called = subprocess.run(
        [sys.executable, "-c", "from heptad.cli import main; main()", "run", "--json"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(called.stdout.splitlines()[-1])
    assert result.keys() == KEYS
    assert (result["task"], result["estimator"]) == ("classification", "linear")
    assert result["interval"][0] <= result["value"] <= result["interval"][1]
    assert result["value"] > 0.9
    assert "<html" in Path(result["report"]).read_text(encoding="utf-8")
    assert result["package"].endswith("plants-1.zip")
    assert Path(result["package"]).stat().st_size > 1000


def test_a_run_tells_what_it_does_and_ends_with_the_next_command(project, capsys, monkeypatch):
    """Progress goes to standard error, the result to standard output; a second run finds everything done."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["run", "-p", str(project), "--sample", "200"]) == 0
    printed = capsys.readouterr()
    assert "trial 1 of 2" in printed.err
    assert "decision" in printed.out
    assert " ".join(printed.out.split()).endswith(f"next heptad run -p {project}")
    assert run(["run", "-p", str(project), "--sample", "200"]) == 0
    assert "of 2" not in capsys.readouterr().err


def test_a_refused_run_fails(project, capsys):
    """Whatever runs it, as CI does, sees by the exit code that there is nothing to release."""
    path = project / "heptad.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"beats baseline"', '"roc_auc > 1"'), encoding="utf-8")
    assert run(["run", "-p", str(project), "--sample", "200", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["package"] is None


def test_a_template_is_written_whole_and_only_into_an_empty_place(tmp_path, capsys):
    """The demo's project; it overwrites nothing."""
    assert run(["init", str(tmp_path / "f"), "--template", "flights"]) == 0
    assert {path.name for path in (tmp_path / "f").iterdir()} == {"heptad.toml", "pipeline.py"}
    assert run(["init", str(tmp_path / "f"), "--template", "flights"]) == 2
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing says which table to learn from"),
        (["--from", "x.csv"], "Nothing says which column to predict"),
        (["--template", "flights", "--target", "x"], "A template brings its own table"),
        (["--template", "flihgts"], "did you mean 'flights'?"),
        (["--from", "{table}", "--target", "bloms"], "did you mean 'blooms'?"),
        (["--from", "nowhere.csv", "--target", "x"], "nowhere.csv"),
    ],
)
def test_what_cannot_become_a_project_is_refused(words, said, table, tmp_path, capsys):
    """Exit code 2, the nearest right name, and nothing written."""
    folder = tmp_path / "new"
    given = [word.format(table=table) for word in words]
    assert run(["init", str(folder), *given]) == 2
    assert said in capsys.readouterr().err
    assert not folder.exists() or not list(folder.iterdir())


def test_a_table_in_the_folders_place_is_told_where_it_belongs(table, capsys):
    """The remedy is the whole command."""
    assert run(["init", str(table), "--target", "blooms"]) == 2
    assert f"heptad init --from {table} --target blooms" in capsys.readouterr().err


def test_the_settings_in_force_are_printed_as_toml(empty: Shell):
    """Defaults are marked; read back, it is the same configuration."""
    printed = empty("explain-config").out
    assert tomllib.loads(printed)["monitor"]["minimum_rows"] == 50
    assert "# default" in printed
    assert empty("explain-config", "--json").json["project"]["name"] == "rides"


def test_the_settings_of_runs_alone_are_printed_too(tmp_path, capsys):
    """Those that are read without [data], with every other section that stands in the file."""
    (tmp_path / "heptad.toml").write_text('[tracking]\nserver = "http://host:1"\n[deploy]\nport = 1\n')
    assert run(["explain-config", "--project", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    found = tomllib.loads(printed)
    assert found["tracking"]["server"] == "http://host:1"
    assert 'server = "http://host:1"\n' in printed
    assert "deploy" not in found
    assert "# [deploy] is not read: there is no [data], a table to learn from\n" in printed
    (tmp_path / "heptad.toml").unlink()
    assert run(["explain-config", "--project", str(tmp_path)]) == 2
    (tmp_path / ".heptad").mkdir()
    assert run(["explain-config", "--project", str(tmp_path), "--json"]) == 0


def test_mistakes_in_the_settings_are_all_named(empty: Shell):
    """Exit code 2; each with its line."""
    file = empty.project / "heptad.toml"
    file.write_text(file.read_text().replace("trials = 2", "trails = 2").replace("folds = 2", 'folds = "two"'))
    asked = empty("run")
    assert asked.code == 2
    assert "trails" in asked.err
    assert "folds" in asked.err or "two" in asked.err
