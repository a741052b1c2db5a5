"""The trivial model answers every row alike."""

import numpy as np
import pytest

from heptad.training.baseline import Baseline, fit_baseline
from heptad.training.learners import Problem
from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.records import Input, Signature


@pytest.mark.parametrize(
    ("target", "classes", "answer"),
    [([0, 1, 1, 1], 2, [0.25, 0.75]), ([0, 0, 2, 2], 3, [0.5, 0, 0.5]), ([1.0, 2.0, 6.0], 0, [3.0])],
)
def test_it_answers_shares_or_the_mean_in_both_forms(target: list, classes: int, answer: list[float]) -> None:
    """The graph and the native form give the same row, as often as there are rows."""
    matrix = np.zeros((len(target), 2))
    model = fit_baseline(Problem(matrix, np.array(target), classes, [], 0), {})
    inputs = [Input(name="x", type="number")]
    graph = GraphWriter(inputs)
    written = graph.finish(model.write(graph, "x"), len(answer))
    session = GraphSession(written, Signature(inputs=inputs, task="regression", target="y"))
    for rows in (1, 5):
        assert session.run({"x": np.full((rows, 1), np.nan)}).tolist() == [answer] * rows
        assert model.predict(np.zeros((rows, 2))).tolist() == [answer] * rows


def test_nothing_contributes_to_it() -> None:
    """No input moves the answer."""
    assert not np.any(Baseline(np.array([0.5, 0.5])).contributions(np.ones((3, 2))))
