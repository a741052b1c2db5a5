"""A graph is written from nodes and says how much memory a row takes."""

import numpy as np
import onnx
import pytest

from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter, digest_of_numbers
from heptad.training.records import Input, Signature


def doubled(name: str, factor: float = 2.0) -> bytes:
    graph = GraphWriter([Input(name=name, type="number")])
    return graph.finish(graph.node("Mul", name, graph.constant(factor)), 1)


def run(graph: bytes, inputs: list[Input], columns: dict[str, np.ndarray]) -> np.ndarray:
    return GraphSession(graph, Signature(inputs=inputs, task="regression", target="y")).run(columns)


@pytest.mark.parametrize("name", ["x", "a b", "é", "heptad:0", "heptad::1", "0", "x/y"])
def test_a_column_may_have_any_name(name: str) -> None:
    """Inputs are called like the columns, and nothing inside is called so."""
    result = run(doubled(name), [Input(name=name, type="number")], {name: np.array([[1.5]])})
    assert result.tolist() == [[3.0]]


def test_the_graph_is_valid_onnx() -> None:
    """The checker of the ONNX project accepts what is written."""
    model = onnx.ModelProto.FromString(doubled("x"))
    onnx.checker.check_model(model)
    assert [(one.name, one.type.tensor_type.elem_type) for one in model.graph.input] == [("x", onnx.TensorProto.DOUBLE)]


def test_matrices_can_be_joined_and_picked() -> None:
    """Columns stand side by side in the order asked."""
    inputs = [Input(name="a", type="number"), Input(name="b", type="number")]
    graph = GraphWriter(inputs)
    output = graph.pick(graph.concat(["a", "b"]), [1, 0, 1])
    result = run(graph.finish(output, 3), inputs, {"a": np.array([[1.0]]), "b": np.array([[2.0]])})
    assert result.tolist() == [[2.0, 1.0, 2.0]]


def test_equal_numbers_have_equal_digests_and_others_do_not() -> None:
    """The digest sees every number of the graph."""
    assert digest_of_numbers(doubled("x")) == digest_of_numbers(doubled("x"))
    assert digest_of_numbers(doubled("x")) != digest_of_numbers(doubled("x", np.nextafter(2.0, 3.0)))


def test_wide_graphs_run_in_small_batches() -> None:
    """What a row takes inside bounds how many rows are computed at once; the result is the same."""
    inputs = [Input(name="x", type="number")]
    graph = GraphWriter(inputs)
    graph.reserve(125_000)
    session = GraphSession(
        graph.finish(graph.node("Neg", "x"), 1), Signature(inputs=inputs, task="regression", target="y")
    )
    columns = {"x": np.arange(10.0).reshape(-1, 1)}
    assert [len(batch) for batch in session.batches(columns)] == [4, 4, 2]
    np.testing.assert_array_equal(session.run(columns), -columns["x"])
