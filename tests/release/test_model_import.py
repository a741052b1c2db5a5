"""Registered models of MLflow are external ones here; what cannot be taken over is said, and stops nothing."""

from contextlib import closing
from pathlib import Path

import pytest

from heptad.core.query import All
from heptad.core.workspace import Workspace
from heptad.experiments import open_mlflow
from heptad.release import Models, ModelVersion, TakenModel, Versions, import_models
from heptad.release.registry import Registry


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of MLflow with one model of two versions, the first in a stage, the second elsewhere with a password."""
    folder = tmp_path / "mlruns"
    for name, meta in {
        "0": "experiment_id: '0'\nname: Default\n",
        "0/abc": "run_id: abc\nstatus: 3\nstart_time: 1\n",
        "models/net": "name: net\ndescription: null\n",
        "models/net/version-1": "version: 1\nsource: runs:/abc/m\nrun_id: abc\ncurrent_stage: Production\n",
        "models/net/version-2": "version: 2\nsource: https://me:secret@host/m\ncurrent_stage: None\n",
    }.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "meta.yaml").write_text(meta)
    (folder / "0/abc/artifacts/m").mkdir(parents=True)
    (folder / "0/abc/artifacts/m/model.bin").write_bytes(b"model")
    (folder / "models/net/aliases").mkdir()
    (folder / "models/net/aliases/champion").write_text("1")
    (folder / "models/net/aliases/v7").write_text("2")
    return folder


def taken(workspace: Workspace, place: Path, *, count_only: bool = False) -> list[TakenModel]:
    source = open_mlflow(str(place))
    assert source is not None
    with closing(source):
        return list(import_models(workspace, source, count_only=count_only))


def test_versions_come_with_files_stages_and_aliases(place: Path, workspace: Workspace) -> None:
    """And what has no place here is named: files that cannot be read, an alias that is none. No secret is kept."""
    assert [one.versions for one in taken(workspace, place, count_only=True)] == [2]
    assert Models(workspace).search(All(), [], 10).items == []
    (model,) = taken(workspace, place)
    assert (model.new_versions, model.files) == (2, 1)
    assert len(model.left_out) == 2
    assert "version 2" in model.left_out[0]
    assert "v7" in model.left_out[1]
    versions = Versions(workspace)
    first = versions.named("net", "champion")
    assert (first.body.version, first.attributes["stage"]) == (1, "Production")
    assert workspace.blobs.get(first.body.files["model.bin"]) == b"model"
    assert versions.get("net", 2).body.source == ""
    assert [one.new_versions for one in taken(workspace, place)] == [0]


def test_the_models_of_the_project_are_left_alone(place: Path, workspace: Workspace) -> None:
    """A name that is taken by gates and signatures gets no versions from elsewhere."""
    Registry(workspace, "net").add(ModelVersion(name="net", version=0, candidate="candidate-a"), [])
    Models(workspace).adopt()
    (model,) = taken(workspace, place)
    assert (model.new_versions, model.left_out) == (0, ["net is the model of this project"])
