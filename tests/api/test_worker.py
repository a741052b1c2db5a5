"""A worker of the api process."""

from heptad.core import graph
from heptad.core.workspace import Workspace
from heptad.experiments import Run, adopt_runs
from tests.api.conftest import Calls, Web


def test_runs_of_an_older_workspace_are_there_for_clients(workspace: Workspace) -> None:
    """Scopes that had runs before there were experiments become experiments, once; the default is number 0."""
    for scope in ("first", "second", "first"):
        graph.save(workspace, Run(name="old", experiment=scope), scope=scope, attributes={"status": "finished"})
    adopt_runs(workspace)
    adopt_runs(workspace)
    calls = Calls(workspace)
    found = {one["name"]: one["experiment_id"] for one in calls.post("experiments/search")["experiments"]}
    assert found == {"first": "1", "second": "2", "Default": "0"}
    assert calls.found("1") == ["old", "old"]


def test_the_default_experiment_is_there_from_the_start(web: Web) -> None:
    """The client logs to it where it names none."""
    _, found = web("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
    assert found["experiment"]["name"] == "Default"
