"""scikit-learn's forests are written so that the graph agrees with them."""

import numpy as np
import pytest
from scipy import sparse

from heptad.training.forests import Forest, fit_forest
from heptad.training.learners import Problem
from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.records import Input, Signature

PARAMS = {"max_depth": 8, "min_samples_leaf": 2, "max_features": 0.7}


def table(rows: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 4)) * [1, 1e-6, 1e9, 1]
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    matrix[:, 3] = np.round(np.nan_to_num(matrix[:, 3]), 1)
    return matrix


def target(matrix: np.ndarray, classes: int) -> np.ndarray:
    raw = np.nan_to_num(matrix[:, 0]) + matrix[:, 3] + (np.nan_to_num(matrix[:, 2]) > 0)
    return np.digitize(raw, np.quantile(raw, np.linspace(0, 1, classes + 1)[1:-1])) if classes else raw


def run(model: Forest, matrix: np.ndarray, width: int) -> np.ndarray:
    names = [f"f{n}" for n in range(matrix.shape[1])]
    inputs = [Input(name=name, type="number") for name in names]
    graph = GraphWriter(inputs)
    written = graph.finish(model.write(graph, graph.concat(names)), width)
    session = GraphSession(written, Signature(inputs=inputs, task="regression", target="y"))
    return session.run({name: matrix[:, [n]] for n, name in enumerate(names)})


@pytest.mark.parametrize("classes", [0, 2, 3, 5])
def test_the_graph_agrees_to_twelve_digits(classes: int) -> None:
    """Gaps, values on a split, and values as large as they are let through."""
    matrix = table(1500)
    model = fit_forest(Problem(matrix, target(matrix, classes), classes, [], 7), PARAMS)
    asked = table(1500, seed=1)
    asked[:100] = np.nan
    asked[100:150] = 1e30
    asked[150:200] = -1e30
    asked[200:300] = np.float64(np.float32(model.model.estimators_[0].tree_.threshold[0]))
    native = model.predict(asked)
    assert native.std(axis=0).min() > 0.01
    np.testing.assert_allclose(run(model, asked, max(1, classes)), native, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("columns", "tried"), [(4, 2), (100, 32), (1, 1)])
def test_a_split_tries_a_share_of_the_columns_but_never_very_many(columns: int, tried: int) -> None:
    """So that a forest on a wide table takes seconds and not an hour."""
    matrix = np.random.default_rng(1).normal(size=(50, columns))
    model = fit_forest(Problem(matrix, np.arange(50) % 2, 2, [], 7), PARAMS)
    assert model.model.estimators_[0].max_features_ == tried


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_smallest_tables_can_be_learnt_from(classes: int) -> None:
    """Six rows give a model that agrees with its graph."""
    matrix = table(6)
    labels = np.arange(6) % classes if classes else np.arange(6.0)
    model = fit_forest(Problem(matrix, labels, classes, [], 7), PARAMS)
    np.testing.assert_allclose(run(model, matrix, max(1, classes)), model.predict(matrix), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("classes", [3, 5])
def test_a_class_that_no_row_shows_has_probability_0(classes: int) -> None:
    """Probabilities keep the order and number of all classes, in both forms."""
    matrix = table(300)
    model = fit_forest(Problem(matrix, target(matrix, 2) * 2, classes, [], 7), PARAMS)
    written = run(model, matrix, classes)
    assert not written[:, [1, *range(3, classes)]].any()
    np.testing.assert_allclose(written, model.predict(matrix), rtol=1e-12, atol=1e-12)


def test_equal_seeds_give_equal_forests() -> None:
    """Threads change nothing: training again gives the same answers, another seed others."""
    matrix = table(500)

    def answers(seed: int) -> list:
        return fit_forest(Problem(matrix, target(matrix, 2), 2, [], seed), PARAMS).predict(matrix).tolist()

    assert answers(7) == answers(7)
    assert answers(7) != answers(8)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_contributions_add_up_to_the_answer(classes: int) -> None:
    """Along the path of each tree the mean moves from that of all rows to that of the leaf."""
    matrix = table(200)
    model = fit_forest(Problem(matrix, target(matrix, classes), classes, [], 7), PARAMS)
    answers = model.predict(matrix)
    answers = answers[:, 1:] if classes == 2 else answers
    contributions = model.contributions(matrix)
    assert len(contributions) == answers.shape[1]
    for output, each in enumerate(contributions):
        rest = answers[:, output] - each.sum(axis=1)
        np.testing.assert_allclose(rest, rest[0], atol=1e-9)


def test_sparse_matrices_are_taken_too() -> None:
    """A matrix that is mostly zero gives the same forest, whichever way it is kept."""
    matrix = np.nan_to_num(table(300))
    problem = Problem(matrix, target(matrix, 2), 2, [], 7)
    thin = Problem(sparse.csr_array(matrix), problem.target, 2, [], 7)
    np.testing.assert_array_equal(
        fit_forest(problem, PARAMS).predict(matrix), fit_forest(thin, PARAMS).predict(sparse.csr_array(matrix))
    )
