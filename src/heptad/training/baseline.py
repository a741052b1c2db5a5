"""The trivial model that others must beat: it answers every row alike."""

from dataclasses import dataclass

import numpy as np

from heptad.training.columns import Array
from heptad.training.learners import Params, Problem
from heptad.training.onnx_graph import GraphWriter
from heptad.training.preprocessing import Matrix


def fit_baseline(problem: Problem, _params: Params) -> "Baseline":
    """Learn the shares of the classes, or the mean."""
    if not problem.classes:
        return Baseline(np.array([problem.target.mean()]))
    counted = np.bincount(problem.target, problem.weights, minlength=problem.classes)
    return Baseline(counted / counted.sum())


@dataclass(frozen=True)
class Baseline:
    """The one answer: a share for each class, or a number."""

    answer: Array

    def predict(self, matrix: Matrix) -> Array:
        return np.tile(self.answer, (matrix.shape[0], 1))

    def write(self, graph: GraphWriter, matrix: str) -> str:
        rows = graph.node("Shape", matrix, start=0, end=1)
        shape = graph.node("Concat", rows, graph.constant([len(self.answer)], np.int64), axis=0)
        return graph.node("Expand", graph.constant(self.answer), shape)

    def contributions(self, matrix: Matrix) -> list[Array]:
        return [np.zeros(matrix.shape)]
