"""What a client logged: its graph and columns are found, and nothing that would have to be run is opened."""

import json

import pytest
import yaml
from tests.training.graphs import classifier

from heptad.core.errors import RefusedError
from heptad.core.records import Record
from heptad.core.workspace import Workspace
from heptad.release import Models, ModelVersion, Versions
from heptad.release.flavours import logged_graph


def described(**changes: object) -> bytes:
    """`MLmodel` as MLflow writes it."""
    columns = [{"name": "x", "type": "double"}, {"name": "y", "type": "long"}]
    about = {
        "flavors": {"onnx": {"data": "model.onnx"}, "python_function": {"loader_module": "mlflow.onnx"}},
        "signature": {"inputs": json.dumps(columns), "outputs": None},
    }
    return yaml.safe_dump({**about, **changes}).encode()


def external(workspace: Workspace, files: dict[str, bytes]) -> Record[ModelVersion]:
    if Models(workspace).find("theirs") is None:
        Models(workspace).create("theirs", "", {})
    kept = {name: workspace.blobs.put(content) for name, content in files.items()}
    return Versions(workspace).add(
        ModelVersion(name="theirs", version=0, origin="external", source="runs:/run-1/m", files=kept), "", {}
    )


GRAPH = classifier(["no", "yes"])


def test_graph_and_columns_are_found_by_what_was_logged(workspace: Workspace) -> None:
    """With the signature of columns, without one, and without a description where there is one graph."""
    found = logged_graph(workspace, external(workspace, {"MLmodel": described(), "model.onnx": GRAPH}))
    assert found.columns == ("x", "y")
    tensors = {"inputs": json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}])}
    for about in (described(signature=tensors), described(signature=None), described(signature={"inputs": "{"})):
        assert logged_graph(workspace, external(workspace, {"MLmodel": about, "model.onnx": GRAPH})).columns == ()
    assert logged_graph(workspace, external(workspace, {"some/m.onnx": GRAPH})).columns == ()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "has no files of its own"),
        ({"model.pkl": b"x"}, "holds no ONNX graph"),
        ({"a.onnx": GRAPH, "b.onnx": GRAPH}, "or more than one"),
        ({"MLmodel": described(flavors={"sklearn": {}, "python_function": {}}), "model.pkl": b"x"}, "model of sklearn"),
        (
            {"MLmodel": described(flavors={"onnx": {"data": "../x"}}), "model.onnx": GRAPH},
            r"no ONNX graph named '\.\./x'",
        ),
        ({"MLmodel": described(flavors={"onnx": 5}), "a": b"x"}, "holds no ONNX graph"),
        ({"MLmodel": b"\xff\xfe: [", "model.onnx": GRAPH}, "is no YAML"),
        ({"MLmodel": b"!!python/object/apply:os.system ['true']", "model.onnx": GRAPH}, "is no YAML"),
        ({"MLmodel": b"x" * (1 << 20) + b"y", "model.onnx": GRAPH}, "more than 1,048,576 bytes"),
        ({"MLmodel": described(), "model.onnx": b"garbage"}, "cannot be read as an ONNX graph"),
    ],
)
def test_what_is_no_graph_is_refused_in_words(workspace: Workspace, files: dict[str, bytes], said: str) -> None:
    """With what to do instead, wherever there is something."""
    with pytest.raises(RefusedError, match=said):
        logged_graph(workspace, external(workspace, files))


def test_a_pickle_is_refused_with_the_remedy(workspace: Workspace) -> None:
    """Plain words: how to log it, or to retrain it here."""
    sklearn = described(flavors={"sklearn": {"pickled_model": "model.pkl"}, "python_function": {}})
    with pytest.raises(RefusedError) as caught:
        logged_graph(workspace, external(workspace, {"MLmodel": sklearn, "model.pkl": b"\x80\x04."}))
    assert "mlflow.onnx.log_model" in caught.value.remedy
    assert "heptad run" in caught.value.remedy
