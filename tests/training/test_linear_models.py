"""Linear models are written as products of matrices and agree with scikit-learn."""

import numpy as np
import pytest
from scipy import sparse

from heptad.training.learners import Problem
from heptad.training.linear_models import Linear, fit_linear
from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.records import Input, Signature


def table(rows: int, seed: int = 0) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(size=(rows, 4)), -20, 20)


def target(matrix: np.ndarray, classes: int) -> np.ndarray:
    raw = matrix @ [2.0, -1.0, 0.5, 0.0] + np.random.default_rng(5).normal(size=len(matrix)) * 0.1
    return np.digitize(raw, np.quantile(raw, np.linspace(0, 1, classes + 1)[1:-1])) if classes else raw


def run(model: Linear, matrix: np.ndarray, width: int) -> np.ndarray:
    inputs = [Input(name=f"f{n}", type="number") for n in range(4)]
    graph = GraphWriter(inputs)
    written = graph.finish(model.write(graph, graph.concat([one.name for one in inputs])), width)
    session = GraphSession(written, Signature(inputs=inputs, task="regression", target="y"))
    return session.run({f"f{n}": matrix[:, [n]] for n in range(4)})


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_graph_agrees_to_twelve_digits(classes: int, penalty: float) -> None:
    """Also for rows far from all that were learnt from."""
    matrix = table(400)
    model = fit_linear(Problem(matrix, target(matrix, classes), classes, [], 7), {"penalty": penalty})
    asked = np.concatenate([table(200, seed=1), np.full((1, 4), 20.0), np.full((1, 4), -20.0)])
    np.testing.assert_allclose(run(model, asked, max(1, classes)), model.predict(asked), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("present", [[0, 2], [0, 1, 3]])
def test_a_class_that_no_row_shows_has_probability_0(present: list[int]) -> None:
    """Probabilities keep the order and number of all classes, in both forms."""
    matrix = table(300)
    labels = np.array(present)[target(matrix, len(present))]
    model = fit_linear(Problem(matrix, labels, 4, [], 7), {"penalty": 1.0})
    written = run(model, matrix, 4)
    assert not written[:, [number for number in range(4) if number not in present]].any()
    np.testing.assert_allclose(written, model.predict(matrix), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_sparse_matrices_are_taken_too(classes: int) -> None:
    """A matrix that is mostly zero gives the same model, whichever way it is kept."""
    matrix = table(300)
    problem = Problem(matrix, target(matrix, classes), classes, [], 7)
    thin = Problem(sparse.csr_array(matrix), problem.target, classes, [], 7)
    one, other = (fit_linear(each, {"penalty": 1.0}) for each in (problem, thin))
    np.testing.assert_allclose(one.predict(matrix), other.predict(sparse.csr_array(matrix)), atol=1e-3)


def test_wide_matrices_are_learnt_from_too() -> None:
    """With more columns than Newton's method is used for, as texts have."""
    random = np.random.default_rng(0)
    words = sparse.random_array((400, 2000), density=0.01, rng=random, format="csr")
    labels = (words[:, [0, 1, 2, 3, 4, 5, 6, 7]].sum(axis=1) > 0).astype(int)
    model = fit_linear(Problem(words, labels, 2, [], 7), {"penalty": 0.01})
    assert ((model.predict(words)[:, 1] > 0.5) == labels).mean() > 0.95


def test_contributions_are_weights_times_distances_from_the_mean() -> None:
    """They add up to the raw score less its mean."""
    matrix = table(100)
    model = fit_linear(Problem(matrix, target(matrix, 0), 0, [], 7), {"penalty": 1.0})
    (contributions,) = model.contributions(matrix)
    answers = model.predict(matrix).ravel()
    np.testing.assert_allclose(contributions.sum(axis=1), answers - answers.mean(), atol=1e-12)
    assert np.argmax(np.abs(contributions).mean(axis=0)) == 0
