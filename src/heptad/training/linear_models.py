"""Linear models by scikit-learn: logistic regression and ridge regression, written as a product of matrices."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor, LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from heptad.training.columns import Array
from heptad.training.learners import Params, Problem, spread
from heptad.training.onnx_graph import GraphWriter
from heptad.training.preprocessing import Matrix

_ITERATIONS = 300
_NEWTON_SIZE = 600
"""Up to this many coefficients Newton's method is the faster one."""


def fit_linear(problem: Problem, params: Params) -> "Linear":
    """Train with the quadratic `penalty`: of classes, the log loss of all rows; of numbers, the sum of squares.

    Of numbers whose outliers were kept it is Huber's loss: beyond 1.35 spreads an error counts as it is, not squared.
    """
    model = _classifier(problem, params["penalty"]) if problem.classes else _regressor(problem, params["penalty"])
    with warnings.catch_warnings(), threadpool_limits(1):
        # One that was stopped early is judged as it is. More threads would add up in another order.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(problem.matrix, problem.target, sample_weight=problem.weights)
    weights = np.atleast_2d(model.coef_)
    return Linear(model, weights, np.atleast_1d(model.intercept_), problem.classes, problem.present)


def _classifier(problem: Problem, penalty: float) -> Any:
    outputs = len(problem.present) if len(problem.present) > 2 else 1
    is_small = problem.matrix.shape[1] * outputs <= _NEWTON_SIZE
    return LogisticRegression(C=1 / penalty, solver="newton-cholesky" if is_small else "lbfgs", max_iter=_ITERATIONS)


def _regressor(problem: Problem, penalty: float) -> Any:
    if problem.robust:
        return HuberRegressor(alpha=penalty, max_iter=_ITERATIONS)
    return Ridge(alpha=penalty, random_state=problem.seed)


@dataclass(frozen=True)
class Linear:
    """A trained model: `weights` `(outputs, w)`; `classes` is 0 for regression, `present` are those it knows."""

    model: Any
    weights: Array
    offsets: Array
    classes: int
    present: Array

    def predict(self, matrix: Matrix) -> Array:
        if not self.classes:
            return np.asarray(self.model.predict(matrix)).reshape(-1, 1)
        return spread(self.model.predict_proba(matrix), self.present, self.classes)

    def write(self, graph: GraphWriter, matrix: str) -> str:
        product = graph.node("MatMul", matrix, graph.constant(self.weights.T))
        raw = graph.node("Add", product, graph.constant(self.offsets))
        if not self.classes:
            return raw
        if len(self.present) == 2:
            positive = graph.node("Sigmoid", raw)
            known = graph.concat([graph.node("Sub", graph.constant(1.0), positive), positive])
        else:
            known = graph.node("Softmax", raw, axis=1)
        if len(self.present) == self.classes:
            return known
        return graph.node("MatMul", known, graph.constant(np.eye(self.classes)[self.present]))

    def contributions(self, matrix: Matrix) -> list[Array]:
        """Weight times the distance from the mean of these rows."""
        dense = matrix.toarray() if sparse.issparse(matrix) else matrix
        offsets = dense - dense.mean(axis=0)
        return [offsets * weights for weights in self.weights]
