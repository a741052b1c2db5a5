"""A model answers rows as its signature says, alone or in batches."""

import numpy as np
import pytest

from heptad.training.model import OnnxModel, decide
from heptad.training.onnx_graph import GraphWriter
from heptad.training.records import Input, Signature

INPUTS = [Input(name="a", type="number"), Input(name="c", type="category")]


def regression() -> OnnxModel:
    """Answers the number `a`, or -1 where it is missing."""
    graph = GraphWriter(INPUTS)
    output = graph.node("Where", graph.node("IsNaN", "a"), graph.constant(-1.0), "a")
    return OnnxModel(graph.finish(output, 1), Signature(inputs=INPUTS, task="regression", target="y"))


def test_a_regression_answers_numbers() -> None:
    """Labels and scores are the numbers; there are no probabilities."""
    scores = regression().predict({"a": np.array([[1.5], [2.5]]), "c": np.array([["x"], ["y"]], dtype=object)})
    assert scores.labels == [1.5, 2.5]
    assert scores.scores.tolist() == [1.5, 2.5]
    assert scores.probabilities is None


def test_a_column_left_out_is_missing_in_every_row() -> None:
    """Other columns say how many rows there are; plain sequences are read as JSON values are."""
    model = regression()
    assert model.predict({"c": ["x", "y", None]}).labels == [-1.0, -1.0, -1.0]
    assert model.predict({"a": [3, None]}).labels == [3.0, -1.0]


def test_no_rows_give_no_answers() -> None:
    """An empty batch is answered by an empty batch."""
    scores = regression().predict({"a": np.empty((0, 1)), "c": np.empty((0, 1), dtype=object)})
    assert scores.labels == []
    assert scores.scores.shape == (0,)


@pytest.mark.parametrize(
    ("threshold", "labels"), [(None, ["no", "yes", "yes"]), (0.5, ["no", "yes", "yes"]), (0.9, ["no", "no", "yes"])]
)
def test_the_threshold_of_the_signature_decides_between_two_classes(threshold: float | None, labels: list[str]) -> None:
    """The score is the probability of the second class, which is answered from the threshold on; else one half."""
    signature = Signature(inputs=[], task="classification", target="y", classes=["no", "yes"], threshold=threshold)
    output = np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]])
    scores = decide(output, signature)
    assert scores.labels == labels
    assert scores.scores.tolist() == [0.1, 0.5, 0.9]
    assert scores.probabilities is output


def test_the_likeliest_of_many_classes_is_answered() -> None:
    """The score is the probability of the class answered."""
    signature = Signature(inputs=[], task="classification", target="y", classes=["a", "b", "c"])
    scores = decide(np.array([[0.2, 0.5, 0.3], [0.6, 0.2, 0.2]]), signature)
    assert scores.labels == ["b", "a"]
    assert scores.scores.tolist() == [0.5, 0.6]
