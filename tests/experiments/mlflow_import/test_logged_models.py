"""Logged models of MLflow's own server, database and folder arrive as its client says that they are."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.experiments.mlflow_import.conftest import MODELS, Filled, with_mlflow
from tests.experiments.mlflow_import.test_importing import PLACES

from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.errors import DataError
from heptad.core.workspace import Workspace
from heptad.experiments import LoggedModels, TakenLoggedModel, import_logged_models, import_mlflow, open_mlflow
from heptad.experiments.files import files_of
from heptad.project import open_root
from heptad.release import Versions, import_models

SEEN = MODELS + "print(json.dumps(models_of(MlflowClient(sys.argv[1]))))"


def taken(workspace: Workspace, address: str, **options: Any) -> list[TakenLoggedModel]:
    source = open_mlflow(address)
    assert source is not None
    with closing(source):
        list(import_mlflow(workspace, source, **options))
        return list(import_logged_models(workspace, source, **options))


@pytest.mark.slow
@PLACES
def test_the_stock_client_says_the_same_of_them_here(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Parameters, tags, metrics on data, status, times, files, and which run has made or read them; by id too."""
    given: Filled = request.getfixturevalue(place)
    taken(open_root(tmp_path), given.address)
    with start_api(ApiOptions(root=str(tmp_path), port=0), tmp_path / "api.log") as server:
        here = with_mlflow(SEEN, f"http://127.0.0.1:{server.port}")
    for model, said in given.models["models"].items():
        if place == "mlruns":
            # Of several runs that measure a model, MLflow shows but one of those in a folder.
            assert {*map(str, said["metrics"])} < {*map(str, here["models"][model]["metrics"])} or not said["metrics"]
            here["models"][model]["metrics"] = said["metrics"]
    for model, said in given.models["models"].items():
        assert here["models"][model] == said
    assert here == given.models


@PLACES
def test_they_are_counted_and_only_what_is_new_arrives_again(
    place: str, workspace: Workspace, request: pytest.FixtureRequest
) -> None:
    """Deleted ones are left; what was changed here stays; a registered version knows the model that it was."""
    given: Filled = request.getfixturevalue(place)
    assert [one.is_new for one in taken(workspace, given.address, count_only=True)] == [False] * 3
    first = taken(workspace, given.address)
    assert sorted((one.name, one.is_new, one.files, one.left_out) for one in first) == [
        ("alone", True, 0, {}),
        ("broken", True, 0, {}),
        ("net", True, 3, {}),
    ]
    models = LoggedModels(workspace)
    (net,) = [models.get(one.model) for one in first if one.name == "net"]
    assert workspace.blobs.get(files_of(net)["a.txt"]) == b"hello"
    models.set_tags(net.id, {"a/b": "changed here"})
    # The clock of tests is behind that of MLflow: the later time counts.
    taken(workspace, given.address)
    before = workspace.store.follow(0)
    again = taken(workspace, given.address)
    assert [(one.model, one.is_new, one.new_files) for one in again] == [(one.model, False, 0) for one in first]
    assert workspace.store.follow(0) == before
    assert models.get(net.id).attributes["tags.a/b"] == "changed here"
    source = open_mlflow(given.address)
    assert source is not None
    with closing(source):
        list(import_models(workspace, source))
    assert Versions(workspace).named("classifier", "best").body.logged_model == net.id


def test_an_import_that_was_cut_off_goes_on(
    mlruns: Filled, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until everything of a model is here, it is pending; what was measured since is added, what is older is not."""

    class StoppedError(Exception):
        """Instead of `kill -9`."""

    def stopping(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr(workspace.blobs, "put", stopping)
        with pytest.raises(StoppedError):
            taken(workspace, mlruns.address)
    (net,) = [one.model for one in taken(workspace, mlruns.address) if one.name == "net"]
    kept = LoggedModels(workspace).get(net).attributes
    assert (kept["status"], kept["metrics.accuracy"]) == ("ready", 0.25)


def test_later_metrics_and_the_end_of_a_pending_model_are_added(
    mlruns: Filled, tmp_path: Path, workspace: Workspace
) -> None:
    """Of a model that went on in MLflow; an older point changes nothing."""
    copy = tmp_path / "mlruns"
    shutil.copytree(mlruns.address, copy)
    (net,) = [key for key, one in mlruns.models["models"].items() if one["name"] == "net"]
    (path,) = copy.glob(f"*/models/{net}/metrics/accuracy")
    ready = path.parents[1] / "meta.yaml"
    ready.write_text(ready.read_text().replace("status: 2", "status: 1"))
    taken(workspace, str(copy))
    models = LoggedModels(workspace)
    assert models.get(net).attributes["status"] == "pending"
    run = mlruns.runs["judge"]
    path.write_text(path.read_text() + f"1900000000000 0.125 9 {run}\n1 0.9 1 {run}\n")
    ready.write_text(ready.read_text().replace("status: 1", "status: 2"))
    taken(workspace, str(copy))
    attributes = models.get(net).attributes
    assert (attributes["status"], attributes["metrics.accuracy"]) == ("ready", 0.125)
    points = [json.loads(str(value)) for key, value in attributes.items() if key.startswith("point.")]
    assert sorted(one[1] for one in points if one[0] == "accuracy") == ["0.125", "0.5", "0.75"]
    path.write_text(path.read_text() + "no metric\n")
    with pytest.raises(DataError, match="no metric of a model"):
        taken(workspace, str(copy))


def test_an_id_that_mlflow_does_not_make_is_left_out(mlruns: Filled, tmp_path: Path, workspace: Workspace) -> None:
    """A source cannot write to a model that was logged here by naming it."""
    copy = tmp_path / "mlruns"
    shutil.copytree(mlruns.address, copy)
    for path in copy.glob("*/models/*/meta.yaml"):
        path.write_text(path.read_text().replace("model_id: m-", "model_id: m-x"))
    found = taken(workspace, str(copy))
    assert {tuple(one.left_out) for one in found} == {("logged model with an id that is not MLflow's",)}


def test_a_database_of_mlflow_2_has_none(database: Filled, tmp_path: Path, workspace: Workspace) -> None:
    """Its runs arrive all the same."""
    copy = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(database.address.removeprefix("sqlite:///"))) as old:
        old.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy)) as changed:
        for table in ("logged_model_metrics", "logged_model_params", "logged_model_tags", "logged_models"):
            changed.execute(f"DROP TABLE {table}")
    assert taken(workspace, str(copy)) == []
