"""Versions of the project's own loop through the client of MLflow as it is: loaded, and answering as Heptad does."""

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import heptad
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.errors import RefusedError
from heptad.release import open_package, trusted_keys
from heptad.training import OnnxModel, check_rows
from tests.api.conftest import Web
from tests.training.graphs import classifier

pytestmark = pytest.mark.filterwarnings("ignore")

TOML = """
[project]
name = "loans"
[sources.loans]
uri = "loans.csv"
[data]
target = "late"
key = ["id"]
[search]
estimators = ["lightgbm"]
trials = 1
[validate]
bootstrap = 20
"""


def table(rows: int = 400) -> pd.DataFrame:
    """Columns of every type that a table has, with gaps; the target follows two of them."""
    random = np.random.default_rng(7)
    income, region = random.gamma(4.0, 12.0, rows).round(1), random.choice(["north", "south"], rows)
    late = random.random(rows) < 1 / (1 + np.exp((income - 40) / 8 + (region == "south")))
    gaps = np.arange(rows) % 11 == 3
    owner = pd.Series(random.random(rows) < 0.5, dtype=object)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "income": np.where(gaps, math.nan, income),
            "region": pd.Series(region, dtype=object).where(~np.roll(gaps, 1), None),
            "children": np.where(np.roll(gaps, 2), math.nan, random.integers(0, 5, rows)),
            "owner": owner.where(~np.roll(gaps, 3), None),
            "since": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 10**6, rows), unit="s"),
            "late": np.where(late, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A project with a champion, and its API."""
    folder = tmp_path_factory.mktemp("loans")
    (folder / "heptad.toml").write_text(TOML)
    table().astype({"children": "Int64"}).to_csv(folder / "loans.csv", index=False)
    heptad.open(folder).run()
    with start_api(ApiOptions(root=str(folder), port=0), folder / "api.log") as server:
        yield Web(server, folder)


@pytest.fixture
def mlflow(served: Web, monkeypatch: pytest.MonkeyPatch, forgetful: None) -> Iterator[Any]:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", served.server.url)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
    mlflow.set_tracking_uri(served.server.url)
    yield mlflow
    mlflow.set_tracking_uri(None)


def raw_rows() -> pd.DataFrame:
    """Rows as they are in the table, with a category that training never saw."""
    rows = table().drop(columns=["id", "late"]).head(40)
    rows.loc[0, "region"] = "mars"
    return rows


def ours(served: Web, rows: pd.DataFrame) -> Any:
    """What the project's own package answers."""
    project = heptad.open(served.folder)
    model = project.release.package(project.release.version("champion")).model
    sent = json.loads(rows.to_json(orient="records", date_format="iso"))
    return model.predict(check_rows(sent, model.signature)[0])


@pytest.mark.parametrize("uri", ["models:/loans/1", "models:/loans@champion"])
def test_pyfunc_answers_as_we_do(mlflow: Any, served: Web, uri: str) -> None:
    """Raw columns with gaps and an unseen category; to the last bit."""
    rows = raw_rows()
    expected, answers = ours(served, rows), mlflow.pyfunc.load_model(uri).predict(rows)
    assert answers["score"].tolist() == expected.scores.tolist()
    assert answers["label"].tolist() == expected.labels
    assert answers[["probability.no", "probability.yes"]].to_numpy().tolist() == expected.probabilities.tolist()


def test_the_graph_is_loaded_as_such(mlflow: Any, served: Web) -> None:
    """`mlflow.onnx` gives the graph that is served, and its inputs are the columns."""
    graph = mlflow.onnx.load_model("models:/loans/1")
    assert {one.name for one in graph.graph.input} == {"income", "region", "children", "owner", "since"}


def test_what_is_known_of_a_version_is_told(mlflow: Any, served: Web) -> None:
    """Signature, example, run, requirements, files; the signed package among them is whole."""
    info = mlflow.models.get_model_info("models:/loans/1")
    assert set(info.flavors) == {"onnx", "python_function"}
    assert set(info.signature.inputs.input_names()) == set(raw_rows().columns)
    client = mlflow.MlflowClient()
    version = client.get_model_version("loans", "1")
    assert client.get_run(version.run_id).info.run_id == info.run_id
    model = mlflow.pyfunc.load_model(client.get_model_version_download_uri("loans", "1"))
    assert len(model.predict(model.input_example)) == len(model.input_example) == 5
    assert Path(mlflow.pyfunc.get_model_dependencies("models:/loans/1")).name == "requirements.txt"
    assert "MLmodel" in {one.path for one in mlflow.artifacts.list_artifacts("models:/loans/1")}
    package = Path(mlflow.artifacts.download_artifacts("models:/loans/1/loans-1.zip"))
    assert open_package(package.read_bytes(), trusted_keys(served.workspace)).manifest.name == "loans"


def test_a_model_of_a_client_is_adopted_and_then_loaded_like_ours(mlflow: Any, served: Web) -> None:
    """Registered by the stock client, measured here, accepted, deployable, and answering as its graph does."""
    import onnx

    graph = onnx.ModelProto.FromString(classifier(["no", "yes"], imputed=0.0))
    columns = ["children", "income"]
    rows = raw_rows()
    with mlflow.start_run() as run:
        signature = mlflow.models.infer_signature(rows[columns].astype(float))
        mlflow.onnx.log_model(graph, name="theirs", signature=signature, registered_model_name="theirs")
    project = heptad.open(served.folder)
    adoption = project.adopt("theirs@1")
    assert adoption.candidate.body.run == run.info.run_id
    assert adoption.decision.body.reason.startswith("Accepted" if adoption.version else "Refused")
    theirs = mlflow.pyfunc.load_model("models:/theirs/1").predict(rows[columns].astype(float))
    model = project.training.score(
        OnnxModel(served.workspace.blobs.get(adoption.candidate.body.model), adoption.candidate.body.signature),
        pl.from_pandas(rows[columns].astype({"children": "Int64"})),
    )
    assert model.labels == theirs["label"].tolist()
    assert adoption.version is not None
    ours = mlflow.pyfunc.load_model(f"models:/loans/{adoption.version.body.version}").predict(rows)
    assert ours["score"].tolist() == model.scores.tolist()
    tracked = mlflow.MlflowClient().get_model_version("loans", str(adoption.version.body.version))
    assert tracked.run_id == run.info.run_id
    with pytest.raises(RefusedError, match="theirs@1 was registered by a client"):
        project.release.promote("theirs@1", "It looks good to me.")
    assert project.lifecycle.promote(adoption.version, "It was adopted.").body.routes[0].label == "loans@2"
