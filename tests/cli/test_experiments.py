"""`heptad experiments`: runs are found by what they measured, and compared."""

from datetime import UTC, datetime

import msgspec
import polars as pl

from heptad.experiments import Float
from heptad.project import open_project
from tests.cli.conftest import Shell


def test_runs_are_found_by_a_metric(shell: Shell):
    """The condition is the one that Python takes."""
    every = shell("experiments", "list", "--json").json
    best = max(run["attributes"]["metrics.roc_auc"] for run in every)
    found = shell("experiments", "list", "--where", f"metrics.roc_auc >= {best}", "--json").json
    assert [run["attributes"]["metrics.roc_auc"] for run in found] == [best]
    assert "roc_auc" in shell("experiments", "list").out


def test_trials_of_the_loop_are_found_by_their_data(shell: Shell):
    """Those of the first run read the first version."""
    every = shell("experiments", "list", "--json").json
    found = shell("experiments", "list", "--where", 'data.name = "rides" and data.version = 1', "--json").json
    assert every == found != []
    assert shell("experiments", "list", "--where", "data.name = rides and data.version = 99", "--json").json == []


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


def test_many_runs_are_compared_line_by_line(empty: Shell):
    """Where columns of them would be wider than any screen."""
    experiments = open_project(empty.project).experiments
    for depth in range(9):
        with experiments.start("tree", params={"depth": depth}) as run:
            run.log(auc=0.5 + depth / 100)
    lines = empty("experiments", "compare", "--where", "params.depth >= 0").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert ["[9]", "0.5"] in [line.split() for line in lines]
    assert ["depth"] in [line.split() for line in lines]


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


def test_curves_are_drawn(empty: Shell, tmp_path):
    """As blocks in the terminal, and as pictures; what has no curve is told."""
    experiments = open_project(empty.project).experiments
    with experiments.start("net") as run:
        for step in range(50):
            run.log(step, loss=1 / (1 + step))
    text = empty("experiments", "plot", "loss", "--out", str(tmp_path / "loss.png")).out
    assert "█" in text
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    empty("experiments", "plot", "loss", run.id, "--out", str(tmp_path / "loss.svg"))
    assert b"<svg" in (tmp_path / "loss.svg").read_bytes()
    assert len(empty("experiments", "plot", "loss", "--json").json) == 50
    asked = empty("experiments", "plot", "los")
    assert asked.code == 2
    assert "did you mean 'loss'" in asked.err
    assert empty("experiments", "plot", "loss", "--out", "loss.gif").code == 2


def test_the_figures_of_a_curve_are_of_every_point(empty: Shell):
    """However long it is; a program gets no more points than a drawing has, with the extremes among them."""
    with open_project(empty.project).experiments.start("long") as run:
        for step in range(2000):
            run.log(step, loss={777: 1e6, 1234: -500.0}.get(step, 1.0))
    said = empty("experiments", "plot", "loss").out.split()
    assert {"2,000", "-500", "1e+06"} <= set(said)
    # All but two points are 1.0, which is just above the least.
    assert len(said[-1]) <= 24
    assert said[-1].count("█") == 1
    values = [one["value"] for one in empty("experiments", "plot", "loss", "--json").json]
    assert len(values) <= 400
    assert {-500, 1e6} <= set(values)


def test_a_comparison_becomes_a_page(empty: Shell, tmp_path):
    """Of the runs that a question chooses."""
    experiments = open_project(empty.project).experiments
    for depth in range(6):
        with experiments.start("tree", params={"depth": depth}) as run:
            run.log(auc=0.5 + depth / 100)
    asked = empty("experiments", "compare", "--where", "params.depth > 0", "--html", str(tmp_path / "x.html"))
    assert "[5]" in asked.out
    assert "5 runs beside each other" in (tmp_path / "x.html").read_text()
    assert empty("experiments", "compare", "--where", "params.depth > 99").code == 2


def test_runs_are_shown_tagged_deleted_and_exported(empty: Shell, tmp_path):
    experiments = open_project(empty.project).experiments
    with experiments.start("tree", params={"depth": 3}) as run:
        run.log(auc=0.75)
    empty("experiments", "tag", run.id, "--set", "team=red", "--set", "old=1", "--set", "old=")
    shown = empty("experiments", "show", run.id)
    assert {"depth", "0.75", "team"} <= set(shown.out.split())
    ended = datetime.fromtimestamp(experiments.show(run.id).attributes["ended"], UTC)
    assert f"ended       {ended:%Y-%m-%d %H:%M}" in shown.out
    assert "old" not in shown.out
    assert empty("experiments", "tag", run.id, "--set", "team").code == 2
    for name in ("runs.parquet", "runs.csv", "runs.json"):
        assert empty("experiments", "export", str(tmp_path / name), "--json").json["runs"] == 1
    assert pl.read_parquet(tmp_path / "runs.parquet")["metrics.auc"].to_list() == [0.75]
    assert empty("experiments", "export", str(tmp_path / "runs.xls")).code == 2
    assert empty("experiments", "end", run.id, "--reason", "it is over").code == 2
    cut_off = experiments.start("cut off", key=["again"]).id
    assert empty("experiments", "end", cut_off, "--reason", "it is over", "--json").json["ended"] == [cut_off]
    assert "killed" in empty("experiments", "show", cut_off).out
    assert empty("experiments", "delete", cut_off, "--reason", "a trial").code == 0
    assert empty("experiments", "delete", run.id, "--reason", "a trial").code == 0
    assert empty("experiments", "list", "--json").json == []
    empty("experiments", "restore", run.id)
    assert len(empty("experiments", "list", "--order", "metrics.auc desc", "--json").json) == 1
    assert empty("experiments", "list", "--order", "metrics.auc upwards").code == 2


def test_a_study_says_what_came_of_it(shell: Shell):
    """The best, what mattered and whether more would help; without an id, of the newest search."""
    report = shell("experiments", "study", "--json").json
    assert report["best"]["values"]
    assert shell("experiments", "study", report["study"], "--json").json == report
    text = shell("experiments", "study").out
    assert report["best"]["run"] in text
    assert "What mattered" in text
    assert "Would more trials help?" in text


def test_a_study_says_why_trials_failed(empty: Shell):
    """Each reason once, with how often; also as JSON."""

    def often_wrong(trial):
        match trial.number:
            case 1 | 2:
                raise ValueError("the learning rate is too high")
            case 3:
                return float("nan")
        return float(trial["x"])

    open_project(empty.project).experiments.search({"x": Float(0, 1)}, often_wrong, trials=5)
    text = empty("experiments", "study").out
    assert "2 finished, 3 failed" in text
    reasons = {"ValueError: the learning rate is too high": 2, "The objective gave nan for value.": 1}
    for reason, times in reasons.items():
        (line,) = [line for line in text.splitlines() if reason in line]
        assert str(times) in line
    assert empty("experiments", "study", "--json").json["reasons"] == reasons


def test_a_study_that_is_not_there_is_an_error(empty: Shell):
    """With what to do: search first, or another id."""
    asked = empty("experiments", "study")
    assert asked.code == 2
    assert "heptad run" in asked.err
    assert empty("experiments", "study", "study-unknown").code == 2


def test_event_files_go_out_and_come_back(tmp_path, empty: Shell):
    """What is exported for TensorBoard is imported again with every point; a dry run writes nothing."""
    experiments = open_project(empty.project).experiments
    with experiments.start("curve", params={"depth": 4}) as run:
        for step in range(5):
            run.log(step, loss=step / 3)
    out = empty("experiments", "export", str(tmp_path / "tb"), "--format", "tensorboard", "--json").json
    assert len(out["files"]) == 1
    counted = empty("experiments", "import", str(tmp_path / "tb"), "--dry-run", "--json").json
    assert [(one["run"], one["points"], one["params"]) for one in counted] == [("", 5, 1)]
    (came,) = empty("experiments", "import", str(tmp_path / "tb"), "--experiment", "back", "--json").json
    assert experiments.metric_series(came["run"], "loss") == msgspec.structs.replace(
        experiments.metric_series(run.id, "loss"), record=came["run"]
    )
    assert "5    0" in empty("experiments", "import", str(tmp_path / "tb"), "--experiment", "back").out


def test_a_folder_without_event_files_is_an_error(tmp_path, empty: Shell):
    """Exit code 2, and what would be one."""
    asked = empty("experiments", "import", str(tmp_path))
    assert asked.code == 2
    assert "There are no event files in" in asked.err


def test_what_waits_for_a_server_is_named(tmp_path, shell: Shell, monkeypatch):
    """With the server and the reason, and exit code 1; no workspace is made for it."""
    import subprocess
    import sys

    monkeypatch.chdir(tmp_path)
    script = (
        "import heptad, os\nrun = heptad.track('a', server='http://127.0.0.1:9').start()\nrun.log(loss=1)\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    asked = shell.bare("experiments", "ship")
    assert asked.code == 1
    assert "http://127.0.0.1:9" in asked.out
    assert "refused" in asked.out
    assert "Not everything could be shipped" in asked.err
    assert not (tmp_path / ".heptad" / "heptad.db").exists()


def test_runs_of_mlflow_are_taken_over(tmp_path, empty: Shell):
    """Counted first, then taken, then nothing new; what is not there is said to be."""
    folder = tmp_path / "mlruns" / "1"
    (folder / "abc" / "metrics").mkdir(parents=True)
    (folder / "meta.yaml").write_text("experiment_id: '1'\nname: theirs\n")
    (folder / "abc" / "meta.yaml").write_text("run_id: abc\nstatus: 3\nrun_name: first\nstart_time: 1\n")
    (folder / "abc" / "metrics" / "loss").write_text("1 0.5 0\n2 0.25 1\n")
    source = str(tmp_path / "mlruns")
    assert empty("experiments", "import", source, "--dry-run", "--json").json["runs"][0]["points"] == 2
    assert empty("experiments", "list", "--json").json == []
    assert "theirs" in empty("experiments", "import", source).out
    (run,) = empty("experiments", "list", "--experiment", "theirs", "--json").json
    assert (run["attributes"]["name"], run["attributes"]["metrics.loss"]) == ("first", 0.25)
    assert empty("experiments", "import", source, "--json").json["runs"][0]["new_points"] == 0
    missing = empty("experiments", "import", "sqlite:///nowhere.db")
    assert missing.code == 2
    assert "There is nothing at" in missing.err
