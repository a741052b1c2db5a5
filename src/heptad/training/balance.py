"""Class imbalance: training rows are weighed or sampled, and the probabilities that come of it are set right again.

It works on the matrix that an estimator learns from and on nothing else, so that no judged row can be touched. A model
of balanced rows says "positive" far too often; since what was changed are the shares of the classes alone, Bayes' rule
undoes it (M. Saerens, P. Latinne and C. Decaestecker, 2002; C. Elkan, 2001): each probability is multiplied by the
share that its class really has over the share that it was given, and the row is brought to 1. That is exact for a model
that is calibrated on the balanced rows; one that learnt drawn rows by heart stays too sure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from heptad.core import catalogue
from heptad.core.errors import DataError
from heptad.training.columns import Array
from heptad.training.learners import NativeModel
from heptad.training.onnx_graph import GraphWriter
from heptad.training.preprocessing import Matrix

BALANCE = "balance"
"""The parameter of a run that names how classes are balanced."""
NONE = "none"

Resampler: TypeAlias = Callable[[Matrix, Array, list[int], int], tuple[Matrix, Array]]
"""The contract `resampler`: a matrix `(n, w)`, numbers of classes `(n,)`, which columns hold codes without an order,
and a seed; answers another matrix of the same columns with its classes. Equal arguments give equal answers."""


@dataclass(frozen=True)
class Balanced:
    """Rows to learn from. `weights` `(n,)`, or `None` for all alike; `ratios` `(k,)` sets probabilities right."""

    matrix: Matrix
    target: Array
    weights: Array | None
    ratios: Array


def balance(matrix: Matrix, target: Array, classes: int, codes: list[int], how: str, seed: int) -> Balanced:
    """The rows so that every class that is there counts alike.

    `weights` weighs each row by the inverse of how often its class comes, `oversample` draws rows of smaller classes
    again, `undersample` leaves out rows of larger ones, any other name is a `resampler` of the catalogue.
    """
    counts = np.bincount(target, minlength=classes)
    if how == "weights":
        weights = (len(target) / np.count_nonzero(counts) / np.maximum(counts, 1))[target]
        return Balanced(matrix, target, weights, _ratios(counts, np.bincount(target, weights, minlength=classes)))
    if how in _DRAWS:
        rows = _DRAWS[how](target, counts, np.random.default_rng(seed))
        made, labels = matrix[rows], target[rows]
    else:
        resampler: Resampler = catalogue.find("resampler", how)
        made, labels = resampler(matrix, target, codes, seed)
        if made.shape != (len(labels), matrix.shape[1]):
            raise DataError(
                f"The resampler {how!r} answered a matrix of shape {made.shape} with {len(labels)} classes.",
                allowed=f"{matrix.shape[1]} columns, and a class for each row",
            )
    return Balanced(made, labels, None, _ratios(counts, np.bincount(labels, minlength=classes)))


def balance_notes(params: Mapping[str, Any]) -> list[str]:
    """What a reader of a report has to know of it, in sentences."""
    how = params.get(BALANCE, NONE)
    if how == NONE:
        return []
    said = (
        f"Classes were balanced by {how} among the rows that were learnt from, and among no others; probabilities are"
    )
    return [f"{said} corrected to the shares that classes had there, and their calibration is that of the judged rows."]


def _ratios(before: Array, after: Array) -> Array:
    """A class that is not there has probability 0, whatever it is multiplied by."""
    there = (before > 0) & (after > 0)
    ratios = np.ones(len(before))
    ratios[there] = (before[there] / before.sum()) / (after[there] / after.sum())
    return ratios


def _again(target: Array, counts: Array, draws: np.random.Generator) -> Array:
    """Every row, and more of each smaller class until it has as many as the largest."""
    more = [draws.choice(np.flatnonzero(target == one), counts.max() - counts[one]) for one in np.flatnonzero(counts)]
    return np.concatenate([np.arange(len(target)), *more])


def _fewer(target: Array, counts: Array, draws: np.random.Generator) -> Array:
    """As many rows of each class as the smallest has, in their order."""
    least = counts[counts > 0].min()
    kept = [draws.choice(np.flatnonzero(target == one), least, replace=False) for one in np.flatnonzero(counts)]
    return np.sort(np.concatenate(kept))


_DRAWS: dict[str, Callable[[Array, Array, np.random.Generator], Array]] = {"oversample": _again, "undersample": _fewer}


@dataclass(frozen=True)
class PriorCorrected:
    """A classifier of balanced rows that answers for rows as they come: probabilities times `ratios` `(k,)`, to 1."""

    model: NativeModel
    ratios: Array

    def predict(self, matrix: Matrix) -> Array:
        weighed = self.model.predict(matrix) * self.ratios
        return np.asarray(weighed / weighed.sum(axis=1, keepdims=True))

    def write(self, graph: GraphWriter, matrix: str) -> str:
        weighed = graph.node("Mul", self.model.write(graph, matrix), graph.constant(self.ratios))
        total = graph.node("ReduceSum", weighed, graph.constant([1], np.int64), keepdims=1)
        return graph.node("Div", weighed, total)

    def contributions(self, matrix: Matrix) -> list[Array]:
        """The correction adds the same to the raw score of every row, and so changes no contribution."""
        return self.model.contributions(matrix)
