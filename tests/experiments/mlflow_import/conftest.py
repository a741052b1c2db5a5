"""MLflow's own client fills its own server and a folder of its own; what it says is in them is what has to arrive."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

MODELS = """
import json, os, sys, tempfile, warnings
warnings.simplefilter("ignore")
from mlflow import MlflowClient
from mlflow.entities import ViewType
def told(model, runs, names):
    metrics = [
        [m.key, repr(m.value), m.step, m.timestamp, runs[m.run_id], m.dataset_name, m.dataset_digest, m.model_id]
        for m in model.metrics or ()
    ]
    return {
        "name": model.name, "experiment": names[model.experiment_id], "status": str(model.status),
        "type": model.model_type or "", "run": runs.get(model.source_run_id), "params": model.params or {},
        "tags": model.tags or {},
        "created": model.creation_timestamp, "updated": model.last_updated_timestamp, "metrics": sorted(metrics),
    }
def models_of(client):
    names = {one.experiment_id: one.name for one in client.search_experiments(view_type=ViewType.ALL)}
    found = {one.info.run_id: one for one in client.search_runs(list(names), run_view_type=ViewType.ALL)}
    runs = {key: one.info.run_name for key, one in found.items()}
    models = {one.model_id: one for one in client.search_logged_models(list(names))}
    said = {key: told(one, runs, names) for key, one in models.items()}
    assert said == {key: told(client.get_logged_model(key), runs, names) for key in models}
    good = client.search_logged_models(list(names), "params.depth = '3' and metrics.accuracy > 0.1")
    return {
        "models": said, "good": [one.name for one in good],
        "files": {
            key: sorted(file.path for file in client.list_logged_model_artifacts(key)) for key in models
        },
        "made": {
            runs[key]: [[made.model_id, made.step] for made in one.outputs.model_outputs]
            for key, one in found.items() if one.outputs and one.outputs.model_outputs
        },
    }
"""
FILL = (
    MODELS
    + """
import math
import mlflow, numpy as np
from mlflow.entities import LoggedModelOutput, Metric
mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
first = client.create_experiment("first", tags={"team": "x"})
second = client.create_experiment("second/slashed")
mlflow.set_experiment("first")
folder = tempfile.mkdtemp()
os.makedirs(folder + "/d e/f")
for name, content in (("a.txt", b"hello"), ("d e/f/big.bin", os.urandom(3 << 20)), ("d e/naive.txt", b"")):
    open(folder + "/" + name, "wb").write(content)
with mlflow.start_run(run_name="outer") as outer:
    mlflow.log_params({"depth": 3, "nested.name": "x", "empty": ""})
    mlflow.set_tags({"k": "v", "mlflow.note.content": "a note"})
    points = [Metric("loss", math.sin(n) / 3, 1_700_000_000_000 + 7 * n % 500, (n * 37) % 1000 - 5) for n in range(900)]
    client.log_batch(outer.info.run_id, metrics=points)
    for value, step in ((math.nan, 1), (math.inf, 2), (-math.inf, 3), (1e-300, 4), (math.nan, 5)):
        client.log_metric(outer.info.run_id, "odd/values", value, timestamp=1_700_000_000_001, step=step)
    mlflow.log_artifacts(folder)
    mlflow.log_input(mlflow.data.from_numpy(np.zeros((3, 2)), name="zeros"), context="training")
    with mlflow.start_run(run_name="inner", nested=True):
        mlflow.log_metric("a", 1.5)
failed = client.create_run(second, run_name="failed")
client.log_metric(failed.info.run_id, "b", 2)
client.set_terminated(failed.info.run_id, "FAILED")
going = client.create_run(second, run_name="going on").info.run_id
gone = client.create_run(second, run_name="gone").info.run_id
client.delete_run(gone)
made = {"params": {"depth": "3", "empty": ""}, "tags": {"a/b": "c"}, "model_type": "tree"}
model = client.create_logged_model(first, "net", source_run_id=outer.info.run_id, **made)
client.log_model_artifacts(model.model_id, folder)
client.finalize_logged_model(model.model_id, "READY")
zeros = mlflow.data.from_numpy(np.zeros((3, 2)), name="zeros")
with mlflow.start_run(run_id=outer.info.run_id):
    mlflow.log_metric("accuracy", 0.75, model_id=model.model_id)
    mlflow.log_metric("accuracy", 0.5, model_id=model.model_id, dataset=zeros)
    mlflow.log_metric("held-out loss", 1e-300, step=7, model_id=model.model_id)
judge = client.create_run(first, run_name="judge").info.run_id
client.log_metric(judge, "accuracy", 0.25, step=2, model_id=model.model_id)
client.set_terminated(judge)
client.log_outputs(going, [LoggedModelOutput(model.model_id, 3)])
client.create_logged_model(second, "alone")
client.finalize_logged_model(client.create_logged_model(second, "broken").model_id, "FAILED")
client.delete_logged_model(client.create_logged_model(second, "thrown away").model_id)
client.create_registered_model("classifier", tags={"a": "b"}, description="what it does")
client.create_model_version("classifier", f"runs:/{outer.info.run_id}/d e", outer.info.run_id, tags={"t": "1"})
client.create_model_version("classifier", f"models:/{model.model_id}", description="second", model_id=model.model_id)
client.set_registered_model_alias("classifier", "best", 2)
said = {}
for experiment in client.search_experiments(view_type=ViewType.ALL):
    for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
        history = {
            key: [[one.step, repr(one.value), one.timestamp] for one in client.get_metric_history(run.info.run_id, key)]
            for key in run.data.metrics
        }
        said[run.info.run_id] = {
            "name": run.info.run_name, "experiment": experiment.name, "status": run.info.status.lower(),
            "started": run.info.start_time, "ended": run.info.end_time, "params": run.data.params,
            "tags": run.data.tags, "deleted": run.info.lifecycle_stage == "deleted", "history": history,
        }
print(json.dumps([{"outer": outer.info.run_id, "judge": judge}, said, models_of(client)]))
"""
)


class Filled(NamedTuple):
    """A place of MLflow's, the runs that a test needs by name, and everything that its client says of it."""

    address: str
    runs: dict[str, str]
    said: dict[str, Any]
    models: dict[str, Any]
    """What `models_of` says of the logged models."""


def with_mlflow(script: str, *arguments: str) -> Any:
    """What a script prints last, as JSON."""
    given = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "GIT_PYTHON_REFRESH": "quiet"}
    given |= {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | given,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def filled(address: str) -> Filled:
    return Filled(address, *with_mlflow(FILL, address))


@pytest.fixture(scope="session")
def mlruns(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A folder that the client keeps runs in."""
    folder = tmp_path_factory.mktemp("files") / "mlruns"
    found = filled(folder.as_uri())
    return found._replace(address=str(folder))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """MLflow's own server; its database is `mlflow.db` in the working folder that `database` knows."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "mlartifacts")]
    with (folder / "log").open("wb") as log:
        given = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True, env=given)
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
        while not _answers(url):
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield filled(url)
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


@pytest.fixture(scope="session")
def database(server: Filled, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """The same runs, in the database of that server."""
    (path,) = {path.resolve() for path in tmp_path_factory.getbasetemp().glob("server*/mlflow.db")}
    return server._replace(address=f"sqlite:///{path}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
