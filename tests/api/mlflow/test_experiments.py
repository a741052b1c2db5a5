"""Experiments of the protocol."""

from datetime import timedelta

from heptad.core import graph
from heptad.core.clock import ManualClock
from heptad.experiments import Experiment
from tests.api.conftest import Calls


def test_an_experiment_is_made_once(calls: Calls) -> None:
    """By its name, which nobody else may take, deleted or not."""
    first = calls.experiment("a", tags=[{"key": "team", "value": "red"}])
    assert first == "1"
    assert calls.refused("experiments/create", name="a")[0] == "RESOURCE_ALREADY_EXISTS"
    calls.post("experiments/delete", experiment_id=first)
    assert calls.refused("experiments/create", name="a")[0] == "RESOURCE_ALREADY_EXISTS"
    found = calls.get("experiments/get-by-name", "experiment_name=a")["experiment"]
    assert (found["lifecycle_stage"], found["tags"]) == ("deleted", [{"key": "team", "value": "red"}])
    assert found["artifact_location"] == "mlflow-artifacts:/1"


def test_a_renamed_experiment_keeps_its_runs_and_frees_its_name(calls: Calls) -> None:
    """Its number too; another may be called so then, with runs of its own."""
    first = calls.experiment("a")
    calls.run(first, run_name="one")
    calls.post("experiments/update", experiment_id=first, new_name="b")
    second = calls.experiment("a")
    calls.run(second, run_name="two")
    assert (calls.found(first), calls.found(second)) == (["one"], ["two"])
    assert calls.refused("experiments/update", experiment_id=second, new_name="b")[0] == "RESOURCE_ALREADY_EXISTS"
    assert calls.refused("experiments/update", experiment_id=second)[0] == "INVALID_PARAMETER_VALUE"


def test_runs_are_deleted_and_restored_with_it(calls: Calls, clock: ManualClock) -> None:
    """One that was deleted before stays deleted."""
    experiment = calls.experiment()
    for name in ("before", "with"):
        run = calls.run(experiment, run_name=name)
        if name == "before":
            calls.post("runs/delete", run_id=run)
    clock.advance(timedelta(seconds=1))
    calls.post("experiments/delete", experiment_id=experiment)
    assert calls.found(experiment) == []
    assert calls.refused("runs/create", experiment_id=experiment)[0] == "INVALID_PARAMETER_VALUE"
    calls.post("experiments/restore", experiment_id=experiment)
    assert calls.found(experiment) == ["with"]


def test_what_is_deleted_cannot_be_deleted_nor_what_is_there_restored(calls: Calls) -> None:
    """For the client there is no such experiment, as on MLflow's own server: who deletes again may go on."""
    experiment = calls.experiment()
    assert calls.refused("experiments/restore", experiment_id=experiment)[0] == "RESOURCE_DOES_NOT_EXIST"
    calls.post("experiments/delete", experiment_id=experiment)
    assert calls.refused("experiments/delete", experiment_id=experiment)[0] == "RESOURCE_DOES_NOT_EXIST"


def test_tags_come_and_go(calls: Calls) -> None:
    """Removing one that is not there is an error."""
    experiment = calls.experiment()
    calls.post("experiments/set-experiment-tag", experiment_id=experiment, key="k", value="v")
    calls.post("experiments/delete-experiment-tag", experiment_id=experiment, key="k")
    wrong = calls.refused("experiments/delete-experiment-tag", experiment_id=experiment, key="k")
    assert wrong[0] == "RESOURCE_DOES_NOT_EXIST"


def test_ids_and_places_that_are_none_are_refused(calls: Calls) -> None:
    """What does not exist is missing; what cannot exist is invalid; an address is stored and never opened."""
    assert calls.refused("experiments/delete", experiment_id="77")[0] == "RESOURCE_DOES_NOT_EXIST"
    assert calls.refused("experiments/delete", experiment_id="9" * 400)[0] == "RESOURCE_DOES_NOT_EXIST"
    for wrong in ("", "../1", "one", "-1"):
        assert calls.refused("experiments/delete", experiment_id=wrong)[0] == "INVALID_PARAMETER_VALUE"
    for place in ("/etc", "s3://b/../c", "s3://b#c"):
        assert calls.refused("experiments/create", name="x", artifact_location=place)[0] == "INVALID_PARAMETER_VALUE"
    for name in ("", "x" * 501):
        assert calls.refused("experiments/create", name=name)[0] == "INVALID_PARAMETER_VALUE"
    assert len(list(graph.every(calls.workspace, Experiment))) == 0
    assert calls.experiment("ü" * 500) == "1"


def test_its_place_is_where_its_runs_keep_their_artifacts(calls: Calls) -> None:
    """Where the client said so."""
    experiment = calls.experiment(artifact_location="s3://bucket/folder/")
    run = calls.post("runs/create", experiment_id=experiment)["run"]["info"]
    assert run["artifact_uri"] == f"s3://bucket/folder/{run['run_id']}/artifacts"
