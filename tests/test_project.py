"""A project as Python sees it: opened, made, run, asked, and tracked from a script."""

import importlib.util

import msgspec
import pytest

import heptad
from heptad import project as project_module
from heptad.config import default_name
from heptad.core.clock import FileClock
from heptad.core.errors import DataError, InputError, NotFoundError, UnavailableError, WorkspaceError
from heptad.core.workspace import open_workspace
from heptad.experiments import Int
from heptad.project import (
    create_from_table,
    create_from_template,
    find_workspace,
    open_experiments,
    open_folders,
    open_project,
    open_rehearsal,
    open_root,
    write_result,
)
from tests.lifecycle.rides import START, make_rides


@pytest.fixture
def rides(tmp_path):
    return make_rides(tmp_path / "rides", days=40, a_day=24)


def test_opening_makes_a_workspace_and_no_step(rides):
    """A step is made when it is first asked for, and is the same afterwards."""
    project = heptad.open(rides)
    assert (rides / ".heptad").is_dir()
    assert "data" not in vars(project)
    assert project.data is project.data
    assert project.lifecycle is project.lifecycle


def test_a_store_that_starts_again_is_waited_for_but_not_by_who_logs_runs(tmp_path, monkeypatch, caplog):
    """For 30 s in all, each pause told; then the error is the store's own."""
    (tmp_path / "heptad.toml").write_text('[store]\nurl = "postgresql://me@127.0.0.1:1/x"\n')
    pauses = []
    monkeypatch.setattr(project_module.time, "sleep", pauses.append)
    with pytest.raises(UnavailableError, match="did not answer"):
        open_experiments(tmp_path)
    assert not pauses
    with pytest.raises(UnavailableError, match="did not answer"):
        open_root(tmp_path)
    assert pauses == [2.0, 4.0, 8.0, 16.0]
    assert "It is asked again in 16 s." in caplog.text
    (tmp_path / "heptad.toml").unlink()
    outcomes = [UnavailableError("starting up"), open_workspace]
    monkeypatch.setattr(project_module, "open_workspace", lambda *given: given_or_raised(outcomes.pop(0), given))
    assert open_root(tmp_path).root == tmp_path


def given_or_raised(outcome, given):
    if isinstance(outcome, Exception):
        raise outcome
    return outcome(*given)


def test_a_folder_without_settings_is_no_project(tmp_path):
    """Nothing is made in it."""
    with pytest.raises(InputError, match="not a Heptad project"):
        heptad.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_ends_with_files_that_say_what_it_came_to(rides):
    """Report and package lie in the project's folder; the figures are the candidate's."""
    project = open_project(rides)
    outcome = project.run()
    result = write_result(project, outcome)
    evaluation = outcome.candidate.body.evaluation
    main = evaluation.value(evaluation.metric)
    assert main is not None
    assert (result.metric, result.value, result.interval) == (evaluation.metric, main.value, (main.low, main.high))
    assert result.baseline == 0.5
    assert (rides / "evaluation.html").read_text().lower().startswith("<!doctype html>")
    assert outcome.version is not None
    assert (rides / "rides-1.zip").read_bytes() == project.workspace.blobs.get(outcome.version.body.package)


def test_a_refused_run_has_a_report_and_no_package(rides):
    """The decision was no, and that is a result too."""
    settings = (rides / "heptad.toml").read_text()
    (rides / "heptad.toml").write_text(settings.replace("roc_auc >= 0.5", "roc_auc >= 0.999"))
    project = open_project(rides)
    result = write_result(project, project.run())
    assert result.package is None
    assert not list(rides.glob("*.zip"))
    assert msgspec.json.decode(msgspec.json.encode(result))["package"] is None
    with pytest.raises(NotFoundError, match="champion"):
        project.why("champion")


def test_a_rehearsal_keeps_its_own_clock(rides):
    """Opened again, without naming it, the project still lives in the time that was played."""
    open_rehearsal(rides, "", START)
    clock = open_project(rides).workspace.clock
    assert isinstance(clock, FileClock)
    assert clock.now() == START


def test_a_project_is_made_from_a_template_or_a_table_and_overwrites_nothing(tmp_path, rides):
    """Unknown templates are answered with the known ones."""
    assert [path.name for path in create_from_template("flights", tmp_path / "f")] == ["pipeline.py", "heptad.toml"]
    with pytest.raises(NotFoundError, match="flihgts"):
        create_from_template("flihgts", tmp_path / "g")
    (made,) = create_from_table(tmp_path / "t", rides / "rides.csv", "late", "at")
    assert open_project(made.parent).config.data.target == "late"
    with pytest.raises(InputError, match="already"):
        create_from_table(tmp_path / "t", rides / "rides.csv", "late")


def test_a_template_that_was_cut_off_is_copied_to_its_end(tmp_path):
    """A file of it that is there already is no obstacle; one that somebody wrote is."""
    pipeline, settings = create_from_template("flights", tmp_path / "f")
    settings.unlink()
    assert create_from_template("flights", tmp_path / "f") == [pipeline, settings]
    settings.unlink()
    pipeline.write_text("mine")
    with pytest.raises(InputError, match=r"has pipeline\.py already"):
        create_from_template("flights", tmp_path / "f")
    assert not settings.exists()


def test_a_folder_that_cannot_be_made_is_said_in_plain_words(tmp_path, rides):
    """Nothing of ours is a traceback; here a file stands in the way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        create_from_table(tmp_path / "file" / "t", rides / "rides.csv", "late", "at")


def test_a_template_whose_data_is_not_there_leaves_no_folder(tmp_path, monkeypatch):
    """What to install is said before anything is written."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(DataError, match="not installed"):
        open_rehearsal(tmp_path / "f", "flights", START)
    assert not (tmp_path / "f").exists()


def test_folders_need_no_more_than_a_repository(tmp_path, monkeypatch):
    """The workspace is at its top, from wherever one asks; outside of any it is told, and nothing is made."""
    with pytest.raises(InputError, match="in no Heptad project and in no Git repository"):
        open_folders(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "inner").mkdir()
    assert open_folders(tmp_path / "inner").names() == []
    assert (tmp_path / ".heptad").is_dir()
    assert not (tmp_path / "inner" / ".heptad").exists()


def test_a_run_names_the_version_of_a_folder_that_it_used(tmp_path, monkeypatch):
    """And the version leads to the run."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a").write_text("x")
    monkeypatch.chdir(tmp_path)
    (added,) = open_folders().add([tmp_path / "images"])
    with heptad.track("train", made_from=[("data", added.version.id)]) as run:
        run.log(loss=0.5)
    store = find_workspace()[0].store
    assert [link.target for link in store.trace([run.id], "out", ["data"])] == [added.version.id]
    assert [link.source for link in store.trace([added.version.id], "in", ["data"])] == [run.id]


def test_track_finds_the_project_above(rides, monkeypatch):
    """A script anywhere below a project logs into it."""
    below = rides / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    with heptad.track("tuning", params={"depth": 3}) as run:
        for step in range(5):
            run.log(loss=1.0 / (step + 1))
    (found,) = open_project(rides).experiments.list()
    assert (found.id, found.body.name, found.body.params) == (run.id, "tuning", {"depth": 3})
    assert found.attributes["status"] == "finished"
    assert found.attributes["metrics.loss"] == pytest.approx(0.2)


def test_track_without_a_project_opens_a_workspace_here(tmp_path, monkeypatch):
    """Two scripts in one folder share it, in an experiment named like the folder or as they say."""
    monkeypatch.chdir(tmp_path)
    with heptad.track("a") as first, heptad.track("b", experiment="other") as second:
        first.log(loss=0.1)
        second.log(loss=0.2)
    runs = open_experiments(tmp_path).list()
    assert {run.body.name: run.body.experiment for run in runs} == {"a": default_name(tmp_path), "b": "other"}


def test_runs_and_searches_need_no_table(tmp_path, monkeypatch):
    """A file that says where the store is and how to search will do, whatever else is in it."""
    monkeypatch.chdir(tmp_path)
    wrong = "[sources]\nrows = 3\n[expect]\nwrong = 1\n"
    (tmp_path / "heptad.toml").write_text(f'[project]\nname = "runs"\n[search]\ntrials = 2\n{wrong}')
    with heptad.track("a") as run:
        run.log(loss=0.1)
    experiments = heptad.open_experiments()
    experiments.search({"n": Int(0, 9)}, double_n, objectives={"value": "minimize"})
    assert len(experiments.list()) == 3
    assert experiments.list(where='name = "a"')[0].body.experiment == "runs"


def double_n(trial) -> float:
    return 2.0 * trial.params["n"]


def test_a_block_that_raises_leaves_a_run_that_failed(tmp_path, monkeypatch):
    """With the reason, and the error goes on."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZeroDivisionError), heptad.track("broken") as run:
        run.log(loss=1 / 0)
    (found,) = open_experiments(tmp_path).list()
    assert found.attributes["status"] == "failed"
    assert "ZeroDivisionError" in str(found.attributes["reason"])


def double(number: int) -> int:
    return 2 * number


def test_functions_of_ones_own_run_as_a_flow_and_say_why_they_ran(rides):
    """Wired by names, cached, and explained by `why`."""
    project = open_project(rides)
    assert project.flow("mine", [double], {"number": 21})["double"] == 42
    project.flow("mine", [double], {"number": 4})
    told = project.why("mine/double")
    assert "the input number changed" in told.sentence
    assert told.chain[0].id.startswith("task-")


def test_why_of_an_unknown_id_says_what_it_could_have_been(rides):
    """Also where nothing was ever predicted."""
    with pytest.raises(NotFoundError, match="record, alert, task or prediction 'nothing'"):
        open_project(rides).why("nothing")
