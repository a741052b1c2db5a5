"""Runs of the protocol, and of ours."""

import json
from concurrent.futures import ThreadPoolExecutor

from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings
from tests.api.conftest import Calls, Web


def get(calls: Calls, run: str) -> dict[str, dict]:
    return calls.get("runs/get", f"run_id={run}")["run"]


def test_a_run_begins_with_what_the_client_says(calls: Calls) -> None:
    """Name, start, user and tags; the name is a tag too; without one it gets one."""
    tags = [{"key": "phase", "value": "one"}]
    made = calls.post(
        "runs/create", experiment_id="0", run_name="a", start_time=1795496503565, user_id="eva", tags=tags
    )["run"]
    assert made == get(calls, made["info"]["run_id"])
    info = made["info"]
    assert (info["status"], info["start_time"], info["user_id"]) == ("RUNNING", 1795496503565, "eva")
    assert info["artifact_uri"] == f"mlflow-artifacts:/0/{info['run_id']}/artifacts"
    assert {tag["key"]: tag["value"] for tag in made["data"]["tags"]} == {"phase": "one", "mlflow.runName": "a"}
    assert get(calls, calls.run())["info"]["run_name"]
    both = [{"key": "mlflow.runName", "value": "b"}]
    assert "different values" in calls.refused("runs/create", experiment_id="0", run_name="a", tags=both)[1]


def test_a_run_begins_in_the_experiment_as_it_is_now(workspace: Workspace) -> None:
    """Whatever another server did to it since this one looked: renamed, deleted, restored."""
    one, other = Calls(workspace), Calls(workspace)
    experiment = one.experiment("before")
    one.run(experiment)
    other.post("experiments/update", experiment_id=experiment, new_name="after")
    assert workspace.store.get([one.run(experiment)])[0].body["experiment"] == "after"
    other.post("experiments/delete", experiment_id=experiment)
    assert "Current state is deleted" in one.refused("runs/create", experiment_id=experiment)[1]
    other.post("experiments/restore", experiment_id=experiment)
    assert one.run(experiment)


def test_a_nested_run_is_linked_to_its_parent(calls: Calls) -> None:
    """A parent that does not exist is only a tag."""
    parent = calls.run()
    child = calls.run(tags=[{"key": "mlflow.parentRunId", "value": parent}])
    calls.run(tags=[{"key": "mlflow.parentRunId", "value": "run-none"}])
    (link,) = calls.workspace.store.trace([child], "out")
    assert (link.role, link.target) == ("parent", parent)


def test_of_two_who_end_a_run_the_last_has_the_word(calls: Calls) -> None:
    """And one event says that it has ended."""
    run = calls.run()

    def end(status: str) -> None:
        calls.post("runs/update", run_id=run, status=status, end_time=1795496503565)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(end, ["FINISHED", "FAILED"] * 5))
    info = get(calls, run)["info"]
    assert info["status"] in {"FINISHED", "FAILED"}
    assert info["end_time"] == 1795496503565
    ended = calls.workspace.store.follow(0, ["experiments.run_finished"])
    assert [event.subject for event in ended] == [run]


def test_a_run_is_renamed(calls: Calls) -> None:
    """By the update or by the tag: both are one thing."""
    run = calls.run(run_name="a")
    calls.post("runs/update", run_id=run, run_name="b")
    assert calls.found("0", filter="tags.mlflow.runName = 'b'") == ["b"]
    calls.post("runs/set-tag", run_id=run, key="mlflow.runName", value="c")
    assert get(calls, run)["info"]["run_name"] == "c"
    assert calls.refused("runs/update", run_id=run, status="DONE")[0] == "INVALID_PARAMETER_VALUE"


def test_tags_models_and_outputs_are_kept(calls: Calls) -> None:
    """The list of 2.x models is added to, a tag that is not there cannot be removed."""
    run = calls.run()
    model = {"artifact_path": "m", "flavors": {}, "utc_time_created": "now", "run_id": run}
    for _ in range(2):
        calls.post("runs/log-model", run_id=run, model_json=json.dumps(model))
    calls.post("runs/outputs", run_id=run, models=[{"model_id": "m-1", "step": 3}])
    found = get(calls, run)
    tags = {tag["key"]: tag["value"] for tag in found["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == [model, model]
    assert found["outputs"] == {"model_outputs": [{"model_id": "m-1", "step": 3}]}
    calls.post("runs/delete-tag", run_id=run, key="mlflow.log-model.history")
    wrong = calls.refused("runs/delete-tag", run_id=run, key="mlflow.log-model.history")
    assert wrong[0] == "RESOURCE_DOES_NOT_EXIST"
    assert calls.refused("runs/log-model", run_id=run, model_json="{}")[0] == "INVALID_PARAMETER_VALUE"


def test_runs_of_ours_and_of_clients_are_the_same_runs(workspace: Workspace) -> None:
    """Ours are found by the protocol, theirs by ours."""
    calls = Calls(workspace)
    experiments = Experiments(workspace, ProjectSettings(name="test"), SearchSettings())
    with experiments.start("ours", experiment="shared", params={"depth": 3, "fast": True, "name": "x"}) as run:
        run.log(loss=0.5)
        run.log(loss=0.25)
    (number,) = [
        one["experiment_id"] for one in calls.post("experiments/search", filter="name = 'shared'")["experiments"]
    ]
    theirs = calls.run(number, run_name="theirs")
    calls.post("runs/log-batch", run_id=theirs, params=[{"key": "depth", "value": "3"}],
               metrics=[{"key": "loss", "value": 0.125, "timestamp": 5, "step": 1}])  # fmt: skip
    calls.post("runs/update", run_id=theirs, status="FINISHED")
    assert calls.found(number, filter="params.depth = '3'", order_by=["metrics.loss"]) == ["theirs", "ours"]
    assert calls.found(number, filter="params.depth != '4' AND params.fast = 'True'") == ["ours"]
    assert calls.found(number, filter="params.depth != '3'") == []
    shown = get(calls, run.id)
    assert shown["info"]["status"] == "FINISHED"
    assert {one["key"]: one["value"] for one in shown["data"]["params"]} == {"depth": "3", "fast": "True", "name": "x"}
    assert [one["value"] for one in shown["data"]["metrics"]] == [0.25]
    assert [one.id for one in experiments.list(experiment="shared")] == [theirs, run.id]
    assert experiments.show(theirs).attributes["metrics.loss"] == 0.125
    assert list(experiments.metric_series(theirs, "loss").values) == [0.125]


def test_a_run_with_ten_thousand_keys(web: Web) -> None:
    """Logged in batches, read whole."""
    run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    for start in range(0, 10_000, 1000):
        metrics = [{"key": f"ключ/{n}", "value": n, "timestamp": 1, "step": 0} for n in range(start, start + 1000)]
        web.post("runs/log-batch", run_id=run, metrics=metrics)
    found = web("GET", f"/api/2.0/mlflow/runs/get?run_id={run}")[1]["run"]["data"]["metrics"]
    assert {one["key"]: one["value"] for one in found} == {f"ключ/{n}": float(n) for n in range(10_000)}
