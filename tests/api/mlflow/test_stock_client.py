"""The client of MLflow as it is, against a real server on either database."""

import math
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from heptad.core.settings import ProjectSettings
from heptad.experiments import Experiments, SearchSettings
from tests.api.conftest import Web

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def mlflow(web: Web, monkeypatch: pytest.MonkeyPatch, forgetful: None) -> Iterator[Any]:
    """The fluent interface, told by one variable where to log."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", web.server.url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
    mlflow.set_tracking_uri(web.server.url)
    yield mlflow
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


@pytest.fixture
def client(mlflow: Any) -> Any:
    return mlflow.MlflowClient()


@pytest.fixture
def experiment(client: Any) -> str:
    return str(client.create_experiment(f"stock-{time.time_ns()}", tags={"team": "red"}))


def test_the_fluent_interface_logs_nested_runs(mlflow: Any, client: Any, experiment: str) -> None:
    """Parameters, metrics, tags, notes; a child; a run that is gone on with; one that fails."""
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_name="parent", tags={"phase": "one"}, description="a note") as parent:
        mlflow.log_param("depth", 3)
        mlflow.log_params({"rate": 0.5, "name": "größe ✓"})
        for step in range(3):
            mlflow.log_metric("loss", 1 / (1 + step), step=step)
        mlflow.log_metrics({"nan": math.nan, "inf": math.inf})
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("score", 2)
    with mlflow.start_run(run_id=parent.info.run_id):
        mlflow.log_metric("loss", 0.1, step=3)
        with pytest.raises(mlflow.MlflowException, match="Changing param values is not allowed"):
            mlflow.log_param("depth", 4)
    with pytest.raises(ZeroDivisionError), mlflow.start_run(run_name="failed"):
        _ = 1 / 0
    run = client.get_run(parent.info.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"depth": "3", "rate": "0.5", "name": "größe ✓"}
    assert run.data.metrics["loss"] == 0.1
    assert math.isnan(run.data.metrics["nan"])
    assert run.data.metrics["inf"] == 1.7976931348623157e308
    assert run.data.tags["mlflow.note.content"] == "a note"
    assert [point.step for point in client.get_metric_history(parent.info.run_id, "loss")] == [0, 1, 2, 3]
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert [one.info.run_id for one in children] == [child.info.run_id]
    frame = mlflow.search_runs([experiment], order_by=["attributes.start_time ASC"])
    assert frame["tags.mlflow.runName"].tolist() == ["parent", "child", "failed"]
    assert frame["status"].tolist() == ["FINISHED", "FINISHED", "FAILED"]
    assert mlflow.last_active_run().info.run_name == "failed"
    for found, number in (("LIKE 'FAIL%'", 1), ("LIKE 'fail%'", 0), ("ILIKE 'fail%'", 1), ("!= 'failed'", 3)):
        assert len(client.search_runs([experiment], f"attributes.status {found}")) == number


def test_the_client_interface_does_what_it_says(mlflow: Any, client: Any, experiment: str) -> None:
    """Each call of runs and experiments, and the codes of what is refused."""
    from mlflow.entities import Metric, Param, RunTag, ViewType

    run = client.create_run(experiment, start_time=5, run_name="a").info.run_id
    client.log_batch(run, [Metric("m", n, n, n) for n in range(1000)])
    client.log_batch(run, params=[Param("p", "1")], tags=[RunTag("t", "1")])
    client.set_tag(run, "u", "2")
    client.delete_tag(run, "t")
    client.update_run(run, name="b")
    client.set_terminated(run, "KILLED", end_time=9)
    found = client.get_run(run)
    assert (found.info.status, found.info.start_time, found.info.end_time) == ("KILLED", 5, 9)
    assert found.info.run_name == "b"
    assert found.data.tags == {"u": "2", "mlflow.runName": "b"}
    assert len(client.get_metric_history(run, "m")) == 1000
    client.delete_run(run)
    assert client.search_runs([experiment]) == []
    assert len(client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)) == 1
    client.restore_run(run)
    client.rename_experiment(experiment, f"renamed-{experiment}")
    client.set_experiment_tag(experiment, "k", "v")
    client.delete_experiment_tag(experiment, "team")
    assert client.get_experiment_by_name(f"renamed-{experiment}").tags == {"k": "v"}
    assert client.get_experiment_by_name("nobody has this name") is None
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    client.restore_experiment(experiment)
    assert [one.info.run_id for one in client.search_runs([experiment])] == [run]
    for call, code in (
        (lambda: client.create_experiment(f"renamed-{experiment}"), "RESOURCE_ALREADY_EXISTS"),
        (lambda: client.get_run("run-none"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda: client.get_experiment("123456"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda: client.search_runs([experiment], "metrics.a = 'b'"), "INVALID_PARAMETER_VALUE"),
    ):
        with pytest.raises(mlflow.MlflowException) as caught:
            call()
        assert caught.value.error_code == code


def test_a_long_value_does_not_end_a_training(mlflow: Any, client: Any, experiment: str) -> None:
    """Parameters and tags are cut to what MLflow's own server keeps."""
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_params({"rate": 0.5, "features": "x" * 7000})
        mlflow.set_tag("command", "y" * 8001)
    data = client.get_run(run.info.run_id).data
    assert data.params == {"rate": "0.5", "features": "x" * 6000}
    assert data.tags["command"] == "y" * 8000


def test_data_sets_are_logged_and_searched(mlflow: Any, client: Any, experiment: str) -> None:
    """By name, digest and what they were read for."""
    import numpy as np

    with mlflow.start_run(experiment_id=experiment, run_name="reads"):
        data = mlflow.data.from_numpy(np.ones((3, 2)), name="toy")
        mlflow.log_input(data, context="training", tags={"split": "a"})
    (found,) = client.search_runs([experiment], "datasets.name = 'toy' AND dataset.context IN ('training')")
    (read,) = found.inputs.dataset_inputs
    assert (read.dataset.name, read.dataset.digest) == ("toy", data.digest)
    assert {tag.key: tag.value for tag in read.tags} == {"split": "a", "mlflow.data.context": "training"}


def test_the_signature_of_a_model_that_a_hook_kept_is_read(mlflow: Any, client: Any, web: Web) -> None:
    """Of the run and of a version registered from it; nothing offers to load what is kept in another format."""
    with Experiments(web.workspace, ProjectSettings(), SearchSettings()).start("followed") as run:
        table = pd.DataFrame({"age": np.arange(60.0), "town": pd.Categorical(["a", "b"] * 30)})
        model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1)
        model.fit(table, [0, 1] * 30, callbacks=[run.watch("lightgbm")])
    assert client.get_run(run.id).data.tags["signature.model"] == "age number, town category -> float64[-1]"
    mlflow.register_model(f"runs:/{run.id}/model", "followed")
    for uri in (f"runs:/{run.id}/model", "models:/followed/1"):
        info = mlflow.models.get_model_info(uri)
        assert info.signature.inputs.input_types_dict()["town"] == mlflow.types.DataType.string
        assert info.signature.outputs.inputs[0].shape == (-1,)
    with pytest.raises(mlflow.MlflowException, match="python_function"):
        mlflow.pyfunc.load_model("models:/followed/1")


def test_searches_page_through_many_runs(client: Any, experiment: str) -> None:
    """Filtered and ordered, every run once."""
    for number in range(25):
        run = client.create_run(experiment, run_name=f"r{number}").info.run_id
        client.log_metric(run, "score", number % 5)
    seen: list[str] = []
    token = None
    while True:
        page = client.search_runs([experiment], "metrics.score > 0", max_results=6, order_by=["metrics.score DESC"],
                                  page_token=token)  # fmt: skip
        seen += [run.data.metrics["score"] for run in page]
        token = page.token
        if not token:
            break
    assert seen == [score for score in (4, 3, 2, 1) for _ in range(5)]


def test_several_clients_log_at_once(mlflow: Any, client: Any, experiment: str) -> None:
    """To one run and to runs of their own, from threads; also without waiting for answers."""
    shared = client.create_run(experiment, run_name="shared").info.run_id

    def work(number: int) -> None:
        own = client.create_run(experiment, run_name=f"own{number}").info.run_id
        for step in range(10):
            client.log_metric(shared, "m", number, step=10 * number + step)
            client.log_metric(own, "m", step, step=step)
        client.set_terminated(own)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(client.get_metric_history(shared, "m")) == 40
    assert client.get_run(shared).data.metrics == {"m": 3.0}
    with mlflow.start_run(experiment_id=experiment, run_name="later"):
        waiting = [mlflow.log_metric("a", step, step=step, synchronous=False) for step in range(20)]
        for one in waiting:
            one.wait()
    (found,) = client.search_runs([experiment], "attributes.run_name = 'later'")
    assert len(client.get_metric_history(found.info.run_id, "a")) == 20
    assert threading.active_count() < 100
