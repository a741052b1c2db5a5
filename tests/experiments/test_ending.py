"""A run whose process is gone is told from one that goes on, and a person can say that it is over."""

import pytest
from tests.experiments.journal.test_shipper import experiments_in, victim

from heptad.core.errors import InputError, RefusedError
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings, end_runs, is_logged_to
from heptad.experiments.journal.journal import hold, journals_below, release
from heptad.experiments.journal.shipper import journals_of


def test_a_run_that_is_logged_to_cannot_be_ended_by_others(workspace: Workspace) -> None:
    """Whoever looks does not disturb it; when it has ended nothing is left to end."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    run = experiments.start("lives")
    assert is_logged_to(workspace, run.id)
    with pytest.raises(RefusedError, match="logs to run"):
        end_runs(workspace, [run.id], "it is old")
    run.log(loss=1.0)
    run.finish()
    assert is_logged_to(workspace, run.id) is None
    with pytest.raises(InputError, match="has ended: finished"):
        end_runs(workspace, [run.id], "it is old")


def test_what_a_dead_process_logged_is_kept_when_its_run_is_ended(tmp_path) -> None:
    """The journal is there, nobody holds it; a reason that says nothing is refused before anything happens."""
    run, returned = victim(tmp_path, 600.0)
    experiments = experiments_in(tmp_path)
    assert is_logged_to(experiments.workspace, run) is False
    with pytest.raises(InputError, match="no reason"):
        end_runs(experiments.workspace, [run], "x")
    assert experiments.show(run).attributes["status"] == "running"
    end_runs(experiments.workspace, [run], "the machine was given back")
    shown = experiments.show(run).attributes
    assert (shown["status"], shown["reason"]) == ("killed", "the machine was given back")
    assert shown["ended"] is not None
    assert len(experiments.workspace.store.read(run, "loss").steps) >= returned
    assert is_logged_to(experiments.workspace, run) is None


def test_a_run_that_keeps_no_journal_is_ended_by_a_person(workspace: Workspace) -> None:
    """One that was begun with a key, or from elsewhere: nothing here tells whether it goes on."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    run = experiments.start("again", key=["one"])
    assert is_logged_to(workspace, run.id) is None
    end_runs(workspace, [run.id], "it was cut off for good")
    assert experiments.show(run.id).attributes["status"] == "killed"
    events = [event for event in workspace.store.follow(0) if event.kind == "experiments.run_finished"]
    assert [event.body["status"] for event in events] == ["killed"]


def test_looking_lets_go_of_the_journal(tmp_path) -> None:
    """Else nobody could ship it afterwards."""
    run, _ = victim(tmp_path, 600.0)
    workspace = experiments_in(tmp_path).workspace
    is_logged_to(workspace, run)
    (folder,) = journals_below(journals_of(workspace.folder), run)
    lock = hold(folder)
    assert lock is not None
    release(lock)
