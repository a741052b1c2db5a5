"""`heptad experiments`: runs are found by what they measured, and compared."""

from heptad.project import open_project
from tests.cli.conftest import Shell


def test_runs_are_found_by_a_metric(shell: Shell):
    """The condition is the one that Python takes."""
    every = shell("experiments", "list", "--json").json
    best = max(run["attributes"]["metrics.roc_auc"] for run in every)
    found = shell("experiments", "list", "--where", f"metrics.roc_auc >= {best}", "--json").json
    assert [run["attributes"]["metrics.roc_auc"] for run in found] == [best]
    assert "roc_auc" in shell("experiments", "list").out


def test_a_condition_that_cannot_be_read_is_an_error(shell: Shell):
    """Exit code 2; nothing is listed."""
    asked = shell("experiments", "list", "--where", "metrics.roc_auc is good")
    assert asked.code == 2
    assert asked.out == ""


def test_runs_are_compared_side_by_side(shell: Shell):
    """Parameters that differ and all metrics, under short headings that fit many runs."""
    runs = [run["id"] for run in shell("experiments", "list", "--json").json][:2]
    text = shell("experiments", "compare", *runs).out
    assert "[1]" in text
    assert "[2]" in text
    assert "roc_auc" in text
    assert shell("experiments", "compare", *runs, "--json").json["runs"] == runs


def test_runs_of_a_script_are_listed_where_there_is_no_project(tmp_path, shell: Shell, monkeypatch):
    """`heptad.track` needs no project, and neither does looking at what it wrote."""
    import heptad

    monkeypatch.chdir(tmp_path)
    with heptad.track("tuning") as run:
        run.log(loss=0.25)
    listed = shell.bare("experiments", "list", "--json").json
    assert [(one["body"]["name"], one["attributes"]["metrics.loss"]) for one in listed] == [("tuning", 0.25)]


def test_an_experiment_narrows_the_list(empty: Shell):
    """Only its own runs."""
    experiments = open_project(empty.project).experiments
    experiments.start("a", experiment="one").finish()
    experiments.start("b", experiment="two").finish()
    listed = empty("experiments", "list", "--experiment", "two", "--json").json
    assert [run["body"]["name"] for run in listed] == ["b"]


def test_what_a_killed_script_left_is_shipped(tmp_path, shell: Shell, monkeypatch):
    """The command says how much of which run; the next time there is nothing left."""
    import subprocess
    import sys

    monkeypatch.chdir(tmp_path)
    script = "import heptad, os\nrun = heptad.track('a').start()\nrun.log(loss=1)\nos.kill(os.getpid(), 9)\n"
    subprocess.run([sys.executable, "-c", script], check=False)
    (shipped,) = shell.bare("experiments", "ship", "--json").json
    listed = shell.bare("experiments", "list", "--json").json
    assert [(one["id"], one["attributes"]["status"]) for one in listed] == [(shipped["run"], "killed")]
    assert "Nothing was left behind" in shell.bare("experiments", "ship").out
