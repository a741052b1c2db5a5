"""Graphs of other programs in our form: fed by columns, answering with probabilities in the order of our classes."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tests.training.graphs import classifier, saved

from heptad.core.errors import RefusedError
from heptad.data import Column, Schema
from heptad.training.foreign import Foreign, adapted, read_foreign, wire
from heptad.training.records import Input

SCHEMA = Schema(
    columns=[
        Column(name="a", type="number", role="feature"),
        Column(name="b", type="integer", role="feature"),
        Column(name="c", type="category", role="feature"),
        Column(name="t", type="datetime", role="feature"),
        Column(name="late", type="category", role="target"),
    ],
    task="classification",
    classes=["no", "yes"],
)
INPUTS = [Input(name="a", type="number"), Input(name="b", type="integer")]


def run(graph: bytes, **columns: Any) -> Any:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feeds = {name: np.asarray(values).reshape(-1, 1) for name, values in columns.items()}
    return session.run(None, feeds)[0]


@given(rows=st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(-1000, 1000)), min_size=1, max_size=4))
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("labels", [["no", "yes"], ["yes", "no"], [0, 1]])
def test_probabilities_come_in_our_order(labels: list[Any], zipped: bool, rows: list[tuple[float, int]]) -> None:
    """Whatever order the graph has them in, with dictionaries or without."""
    theirs = classifier(labels, zipped=zipped)
    wiring = wire(Foreign(theirs, ("a", "b")), SCHEMA)
    columns = {"a": [row[0] for row in rows], "b": [float(row[1]) for row in rows]}
    ours = run(adapted(wiring, INPUTS, 2), **columns)
    plain = classifier(labels, zipped=False)
    matrix = np.array(rows, dtype=np.float32)
    expected = onnxruntime.InferenceSession(plain).run(["probabilities"], {"X": matrix})[0]
    assert ours.dtype == np.float64
    assert np.array_equal(ours, expected[:, ::-1] if labels == ["yes", "no"] else expected)
    assert bool(wiring.notes) == (labels == [0, 1])


def test_a_single_probability_is_that_of_the_second_class() -> None:
    """With an input for each column, of one or two dimensions, and the columns named like them."""
    inputs = [
        helper.make_tensor_value_info("a", TensorProto.FLOAT, [None, 1]),
        helper.make_tensor_value_info("b", TensorProto.DOUBLE, [None]),
    ]
    nodes = [
        helper.make_node("Cast", ["b"], ["flat"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["flat", "one"], ["column"]),
        helper.make_node("Add", ["a", "column"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["p"]),
    ]
    out = [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 1])]
    one = numpy_helper.from_array(np.array([1], dtype=np.int64), "one")
    wiring = wire(Foreign(saved(nodes, inputs, out, [one])), SCHEMA)
    assert wiring.columns == ["a", "b"]
    answers = run(adapted(wiring, INPUTS, 1), a=[0.0, 1.0], b=[0.0, 2.0])
    assert answers[:, 1] == pytest.approx([0.5, 1 / (1 + np.exp(-3))], abs=1e-6)
    assert answers.sum(axis=1) == pytest.approx([1, 1])


def test_numbers_of_a_regression_are_one_column() -> None:
    """Flat or not, in float64."""
    schema = Schema(columns=[*SCHEMA.columns[:2], Column(name="y", type="number", role="target")], task="regression")
    nodes = [helper.make_node("ReduceSum", ["X", "axis"], ["y"], keepdims=0)]
    given = [helper.make_tensor_value_info("X", TensorProto.DOUBLE, [None, 2])]
    out = [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None])]
    axis = numpy_helper.from_array(np.array([1], dtype=np.int64), "axis")
    wiring = wire(Foreign(saved(nodes, given, out, [axis]), ("b", "a")), schema)
    assert wiring.columns == ["b", "a"]
    assert run(adapted(wiring, INPUTS, 1), a=[1.5, 2.0], b=[1.0, 3.0]).tolist() == [[2.5], [5.0]]


@pytest.mark.parametrize(
    ("columns", "labels", "said"),
    [
        ((), ["no", "yes"], "nothing says which column is which"),
        (("a",), ["no", "yes"], "takes 2 columns, and the signature that it was logged with names 1"),
        (("a", "z"), ["no", "yes"], "takes a column 'z', which is no feature"),
        (("a", "late"), ["no", "yes"], "takes a column 'late', which is no feature"),
        (("a", "c"), ["no", "yes"], "'c' is a category, and the model takes numbers there"),
        (("a", "t"), ["no", "yes"], "'t' is a moment"),
        (("a", "b"), ["on time", "late"], "the classes of 'late' are others"),
    ],
)
def test_what_does_not_fit_is_named(columns: tuple[str, ...], labels: list[str], said: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(RefusedError, match=said):
        wire(Foreign(classifier(labels), columns), SCHEMA)


def test_labels_alone_are_not_enough() -> None:
    """Probabilities are needed for nearly every metric."""
    model = onnx.ModelProto.FromString(classifier(["no", "yes"], zipped=False))
    del model.graph.output[1]
    with pytest.raises(RefusedError, match="no output of probabilities: its outputs are label"):
        wire(Foreign(model.SerializeToString(), ("a", "b")), SCHEMA)


def test_of_several_outputs_none_is_guessed() -> None:
    """Neither of two outputs of numbers, nor classes that come twice."""
    schema = Schema(columns=[*SCHEMA.columns[:2], Column(name="y", type="number", role="target")], task="regression")
    nodes = [helper.make_node("Neg", ["X"], ["low"]), helper.make_node("Abs", ["X"], ["high"])]
    given = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])]
    out = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in ("low", "high")]
    with pytest.raises(RefusedError, match="several outputs of numbers: low, high"):
        wire(Foreign(saved(nodes, given, out, []), ("a", "b")), schema)
    with pytest.raises(RefusedError, match="answers 'no', 'yes', 'no'"):
        wire(Foreign(classifier(["no", "yes", "no"]), ("a", "b")), SCHEMA)


def test_weights_that_lie_beside_the_graph_are_read(tmp_path: Any) -> None:
    """As MLflow writes them; a graph that points elsewhere, and one that is none, are refused."""
    weight = numpy_helper.from_array(np.ones((2, 600), dtype=np.float32), "w")
    nodes = [helper.make_node("MatMul", ["X", "w"], ["y"])]
    given = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])]
    out = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 600])]
    model = onnx.ModelProto.FromString(saved(nodes, given, out, [weight]))
    onnx.save_model(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    files = {f"data/{one.name}": one.read_bytes() for one in tmp_path.iterdir()}
    whole = onnx.ModelProto.FromString(read_foreign(files, "data/m.onnx"))
    assert numpy_helper.to_array(whole.graph.initializer[0]).shape == (2, 600)
    moved = onnx.ModelProto.FromString(files["data/m.onnx"])
    moved.graph.initializer[0].external_data[0].value = "../../etc/passwd"
    for broken in ({**files, "data/m.onnx": moved.SerializeToString()}, {"data/m.onnx": files["data/m.onnx"]},
                   {"data/m.onnx": b"garbage"}):  # fmt: skip
        with pytest.raises(RefusedError, match="cannot be read as an ONNX graph"):
            read_foreign(broken, "data/m.onnx")
