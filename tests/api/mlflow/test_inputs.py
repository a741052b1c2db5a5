"""Data sets and models that a run has read."""

import pytest

from heptad.core import graph
from heptad.experiments import LoggedDataset
from tests.api.conftest import Calls

TOY = {"name": "toy", "digest": "abc", "source_type": "code", "source": "{}", "schema": "s", "profile": "p"}


def given(context: str, **fields: str) -> dict[str, object]:
    return {"dataset": {**TOY, **fields}, "tags": [{"key": "mlflow.data.context", "value": context}]}


def test_data_sets_are_records_that_runs_are_linked_to(calls: Calls) -> None:
    """The same data, read for the same purpose by two runs, is one record."""
    experiment = calls.experiment()
    runs = [calls.run(experiment) for _ in range(2)]
    for run in runs:
        calls.post("runs/log-inputs", run_id=run, datasets=[given("training")], models=[{"model_id": "m-1"}])
    (record,) = graph.every(calls.workspace, LoggedDataset)
    assert {link.source for link in calls.workspace.store.trace([record.id], "in", ["data"])} == set(runs)
    shown = calls.get("runs/get", f"run_id={runs[0]}")["run"]["inputs"]
    assert shown == {"dataset_inputs": [given("training")], "model_inputs": [{"model_id": "m-1"}]}
    summary = calls.post("experiments/search-datasets", experiment_ids=[experiment])["dataset_summaries"]
    assert summary == [{"experiment_id": experiment, "name": "toy", "digest": "abc", "context": "training"}]


@pytest.mark.parametrize("wrong", [{"name": ""}, {"digest": "x" * 37}, {"source": "x" * 65_536}, {"name": "x" * 501}])
def test_data_sets_have_limits(calls: Calls, wrong: dict[str, str]) -> None:
    """Nothing is written where one is over them."""
    run = calls.run()
    refused = calls.refused("runs/log-inputs", run_id=run, datasets=[given("a"), given("b", **wrong)])
    assert refused[0] == "INVALID_PARAMETER_VALUE"
    assert list(graph.every(calls.workspace, LoggedDataset)) == []
    assert calls.refused("experiments/search-datasets", experiment_ids=[])[0] == "INVALID_PARAMETER_VALUE"
