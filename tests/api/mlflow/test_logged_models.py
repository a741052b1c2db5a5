"""Logged models: made, finished, searched, tagged and deleted; with the stock client and its autologging."""

import pytest

from heptad.core.workspace import Workspace
from tests.api.conftest import Web
from tests.api.mlflow.asking import Asker, with_client


@pytest.fixture
def ask(workspace: Workspace) -> Asker:
    return Asker(workspace)


def found(ask: Asker, text: str = "", **fields: object) -> list[str]:
    """Names of the models that a search finds."""
    models = ask("POST", "logged-models/search", experiment_ids=["0"], filter=text, **fields)["models"]
    return [one["info"]["name"] for one in models]


def named(ask: Asker, name: str, **fields: object) -> str:
    made = ask("POST", "logged-models", experiment_id="0", name=name, **fields)
    return str(made["model"]["info"]["model_id"])


def test_a_model_is_pending_until_its_files_are_there(ask: Asker) -> None:
    """Its place is its own; what it was made with comes back."""
    run = ask.run()
    made = ask(
        "POST", "logged-models", experiment_id="0", name="net", source_run_id=run, params=[{"key": "a", "value": "1"}]
    )["model"]
    model = made["info"]["model_id"]
    assert (made["info"]["status"], made["info"]["source_run_id"]) == ("LOGGED_MODEL_PENDING", run)
    assert made["info"]["artifact_uri"] == f"mlflow-artifacts:/0/models/{model}/artifacts"
    assert made["data"]["params"] == [{"key": "a", "value": "1"}]
    done = ask("PATCH", f"logged-models/{model}", status="LOGGED_MODEL_READY")["model"]
    assert done["info"]["status"] == "LOGGED_MODEL_READY"
    ask.keep(model, "d/model.bin", b"bytes")
    listed = ask("GET", f"logged-models/{model}/artifacts/directories", "artifact_directory_path=d")
    assert listed["files"] == [{"path": "d/model.bin", "is_dir": False, "file_size": 5}]


def test_tags_and_parameters_are_added_and_parameters_stay(ask: Asker) -> None:
    """A tag can be taken away, also one with a slash in its key; a parameter has one value."""
    model = named(ask, "net")
    ask("PATCH", f"logged-models/{model}/tags", tags=[{"key": "a/b", "value": "1"}, {"key": "c", "value": "2"}])
    ask("DELETE", f"logged-models/{model}/tags/a/b")
    assert "no tag" in ask.refused("DELETE", f"logged-models/{model}/tags/a/b")
    ask("POST", f"logged-models/{model}/params", params=[{"key": "p", "value": "1"}])
    assert "is '1'" in ask.refused("POST", f"logged-models/{model}/params", params=[{"key": "p", "value": "2"}])
    shown = ask("GET", f"logged-models/{model}")["model"]
    assert shown["info"]["tags"] == [{"key": "c", "value": "2"}]


def test_values_of_models_are_kept_whole_however_long(ask: Asker) -> None:
    """Parameters and tags: only those of runs are cut."""
    long = [{"key": "long", "value": "x" * 9000}]
    model = named(ask, "net", params=long, tags=long)
    ask("PATCH", f"logged-models/{model}/tags", tags=[{"key": "longer", "value": "x" * 10_000}])
    found = ask("GET", f"logged-models/{model}")["model"]
    assert found["data"]["params"] == long
    assert [len(one["value"]) for one in found["info"]["tags"]] == [9000, 10_000]


def test_a_deleted_model_is_hidden(ask: Asker) -> None:
    """From reading and from searches, but for who asks for deleted ones."""
    model = named(ask, "net")
    ask("DELETE", f"logged-models/{model}")
    assert "NotFoundError" in ask.refused("GET", f"logged-models/{model}")
    assert found(ask) == []
    assert ask("GET", f"logged-models/{model}", "allow_deleted=true")["model"]["info"]["model_id"] == model


def test_metrics_of_a_run_that_name_a_model_are_the_models_too(ask: Asker) -> None:
    """With the data they were measured on; the latest of each; NaN and infinities come back as MLflow has them."""
    run, model = ask.run(), named(ask, "net")
    for value in (0.25, 0.5):
        ask(
            "POST",
            "runs/log-metric",
            run_id=run,
            key="auc",
            value=value,
            timestamp=1,
            step=3,
            model_id=model,
            dataset_name="d",
            dataset_digest="e",
        )
    batch = [{"key": "odd", "value": "NaN", "timestamp": 1, "step": 0, "model_id": model}]
    ask("POST", "runs/log-batch", run_id=run, metrics=batch)
    metrics = {one["key"]: one for one in ask("GET", f"logged-models/{model}")["model"]["data"]["metrics"]}
    assert (metrics["auc"]["value"], metrics["auc"]["step"], metrics["auc"]["dataset_name"]) == (0.5, 3, "d")
    assert (metrics["odd"]["value"], metrics["odd"]["run_id"]) == ("NaN", run)


def test_searches_compare_what_models_are_and_were_measured_at(ask: Asker) -> None:
    """Attributes, parameters, tags and metrics, the last also on some data only; in order, and page by page."""
    run = ask.run()
    for number, name in enumerate(("a", "b", "c")):
        model = named(
            ask, name, params=[{"key": "depth", "value": str(number)}], model_type="tree" if number else "net"
        )
        metric = {"run_id": run, "key": "auc", "value": number / 4, "timestamp": 1, "step": 0, "model_id": model}
        ask("POST", "runs/log-metric", **metric, dataset_name="d" if number else "e", dataset_digest="1")
    assert found(ask) == ["c", "b", "a"]
    assert found(ask, "name = 'b'") == ["b"]
    assert found(ask, "params.depth = '2'") == ["c"]
    assert found(ask, "model_type = 'tree' AND metrics.auc < 0.4") == ["b"]
    assert found(ask, "status = 'LOGGED_MODEL_PENDING' AND name IN ('a', 'c')") == ["c", "a"]
    assert found(ask, "metrics.auc >= 0", datasets=[{"dataset_name": "e"}]) == ["a"]
    assert found(ask, "metrics.auc >= 0", datasets=[{"dataset_name": "d", "dataset_digest": "1"}]) == ["c", "b"]
    order = [{"field_name": "metrics.auc", "ascending": True}]
    first = ask("POST", "logged-models/search", experiment_ids=["0"], max_results=2, order_by=order)
    assert [one["info"]["name"] for one in first["models"]] == ["a", "b"]
    assert found(ask, max_results=2, order_by=order, page_token=first["next_page_token"]) == ["c"]


def test_a_model_is_found_by_what_it_was_measured_at_on_any_data(ask: Asker) -> None:
    """By any run too: a later value on other data, or of another run, hides no earlier one. Ordered by the last."""
    train = {"dataset_name": "train", "dataset_digest": "1"}
    test = {"dataset_name": "test", "dataset_digest": "2"}
    for name, values in {"a": ((0.99, train), (0.7, test)), "b": ((0.8, train), (0.75, train))}.items():
        model = named(ask, name)
        for value, data in values:
            point = {"key": "accuracy", "value": value, "timestamp": 1, "step": 0, "model_id": model}
            ask("POST", "runs/log-metric", run_id=ask.run(), **point, **data)
    assert found(ask, "metrics.accuracy > 0.9") == ["a"]
    assert found(ask, "metrics.accuracy < 0.72") == ["a"]
    assert found(ask, "metrics.accuracy = 0.8") == ["b"]
    assert found(ask, "metrics.accuracy != 0.75") == ["b", "a"]
    assert found(ask, "metrics.accuracy > 0.9 AND name = 'b'") == []
    assert found(ask, "metrics.accuracy > 0.9 AND metrics.accuracy < 0.72") == ["a"]
    assert found(ask, "metrics.accuracy > 0.78", datasets=[train]) == ["b", "a"]
    assert found(ask, "metrics.accuracy > 0.78", datasets=[test]) == []
    assert found(ask, "metrics.accuracy > 0.9", datasets=[test, {"dataset_name": "train"}]) == ["a"]
    assert found(ask, "metrics.accuracy > 0.9", datasets=[{"dataset_name": "train", "dataset_digest": "9"}]) == []
    assert found(ask, order_by=[{"field_name": "metrics.accuracy", "ascending": True}]) == ["a", "b"]
    named(ask, "not measured")
    assert found(ask, datasets=[test]) == ["a"]
    assert found(ask, "name != 'a'", datasets=[train, test]) == ["b"]


def test_pages_of_what_was_measured_hold_each_model_once(ask: Asker) -> None:
    """Whatever their size, and whatever is logged in between."""
    run = ask.run()

    def log(model: str, value: float) -> None:
        point = {"key": "auc", "value": value, "timestamp": 1, "step": 0, "model_id": model}
        ask("POST", "runs/log-metric", run_id=run, dataset_name=f"d{value}", dataset_digest="1", **point)

    models = [named(ask, f"m{number}") for number in range(7)]
    for number, model in enumerate(models):
        log(model, float(number % 2))
    for size in (1, 2, 3, 7):
        names: list[str] = []
        token = ""
        while True:
            page = ask(
                "POST", "logged-models/search", experiment_ids=["0"], filter="metrics.auc = 1", max_results=size,
                page_token=token,
            )  # fmt: skip
            assert len(page["models"]) <= size
            names += [one["info"]["name"] for one in page["models"]]
            token = page.get("next_page_token", "")
            log(models[-1], 0.5)
            if not token:
                break
        assert names == ["m5", "m3", "m1"]


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("POST", "logged-models", {"experiment_id": "99"}),
        ("POST", "logged-models", {"experiment_id": "0", "name": "a/b"}),
        ("POST", "logged-models", {"experiment_id": "0", "source_run_id": "run-none"}),
        ("POST", "logged-models", {"experiment_id": "0", "params": "x"}),
        ("PATCH", "logged-models/m-none", {"status": "LOGGED_MODEL_READY"}),
        ("PATCH", "logged-models/m-none", {"status": 99}),
        ("PATCH", "logged-models/m-none", {}),
        ("DELETE", "logged-models/m-none", {}),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "filter": "nonsense ="}),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "filter": "other.x = 'a'"}),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "order_by": [{"field_name": "params.x"}]}),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "datasets": [{}]}),
        ("POST", "logged-models/search", {"experiment_ids": ["0"], "page_token": "none"}),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(ask: Asker, method: str, path: str, fields: dict) -> None:
    """It is the client's mistake, and said so."""
    assert ask.refused(method, path, **fields)


AUTOLOG = """
import warnings; warnings.simplefilter("ignore")
import mlflow, numpy as np
from sklearn.linear_model import LogisticRegression
rows = np.random.default_rng(1).random((60, 3)); labels = (rows[:, 0] > 0.5).astype(int)
# Which packages a model needs, the client asks a new process that loads it; the server has no part in that.
mlflow.models.infer_pip_requirements = lambda uri, flavor, fallback=None, **_: fallback or []
mlflow.set_experiment("auto SUFFIX")
mlflow.sklearn.autolog()
with mlflow.start_run() as run:
    model = LogisticRegression().fit(rows, labels)
    model.score(rows, labels)
run = mlflow.get_run(run.info.run_id)
assert run.data.params["C"] == "1.0" and run.data.metrics["training_roc_auc"] == 1.0
(output,) = run.outputs.model_outputs
(logged,) = mlflow.search_logged_models(output_format="list")
assert logged.model_id == output.model_id and logged.params["C"] == "1.0" and str(logged.status) == "READY"
assert {one.key for one in logged.metrics} >= {"training_roc_auc", "training_log_loss"}
loaded = mlflow.sklearn.load_model(f"models:/{logged.model_id}")
assert (loaded.predict(rows) == model.predict(rows)).all()
with mlflow.start_run() as run:
    info = mlflow.sklearn.log_model(model, name="mine", input_example=rows[:2], step=2)
    mlflow.log_metric("auc", 0.75, model_id=info.model_id)
assert (mlflow.pyfunc.load_model(info.model_uri).predict(rows) == model.predict(rows)).all()
assert mlflow.get_logged_model(info.model_id).metrics[0].value == 0.75
mlflow.set_logged_model_tags(info.model_id, {"a": "b"})
assert mlflow.get_logged_model(info.model_id).tags["a"] == "b"
mlflow.delete_logged_model_tag(info.model_id, "a")
import lightgbm
mlflow.lightgbm.autolog()
with mlflow.start_run() as run:
    booster = lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(rows, labels), 3)
(output,) = mlflow.get_run(run.info.run_id).outputs.model_outputs
assert np.allclose(mlflow.lightgbm.load_model(f"models:/{output.model_id}").predict(rows), booster.predict(rows))
with mlflow.start_run():
    import pandas as pd
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(y=labels)
    told = mlflow.models.evaluate(info.model_uri, frame, targets="y", model_type="classifier",
                                  evaluator_config={"log_explainer": False})
assert told.metrics["accuracy_score"] > 0.5
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("web", ["postgresql"], indirect=True)
def test_the_stock_client_logs_and_loads_models(web: Web, request: pytest.FixtureRequest) -> None:
    """Autologging of scikit-learn and LightGBM, `log_model`, `load_model` by id, metrics and evaluation of models."""
    script = AUTOLOG.replace("SUFFIX", request.node.name[-8:-1])
    assert with_client(web.server.port, script).endswith("done\n")
