"""LightGBM's models are read and written so that the graph agrees to the last digits."""

import numpy as np
import pytest
from scipy import sparse

from heptad.core.errors import IntegrityError
from heptad.training.boosted_trees import BoostedTrees, fit_boosted_trees, read_trees
from heptad.training.learners import Problem
from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.records import Input, Signature

PARAMS = {
    "n_estimators": 60,
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_child_samples": 5,
    "feature_fraction": 0.9,
    "lambda_l2": 1.0,
    "cat_smooth": 10.0,
}


def table(rows: int, seed: int = 0, codes: int = 60) -> np.ndarray:
    """Four numbers of very different size with gaps, and two columns of codes, NaN where there is none."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 6)) * [1, 1e-9, 1e9, 1, 1, 1]
    matrix[:, 2] += 1_364_796_000
    matrix[:, 3] = np.round(matrix[:, 3])
    matrix[:, 4] = random.integers(0, codes, rows)
    matrix[:, 5] = random.integers(0, 3, rows)
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    matrix[:, 3] = np.nan_to_num(matrix[:, 3])
    return matrix


def raw_target(matrix: np.ndarray, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    effects = random.normal(size=200) * 2
    codes = np.nan_to_num(matrix[:, 4], nan=199).astype(int)
    return np.nan_to_num(matrix[:, 0]) + effects[codes] + matrix[:, 3] + random.normal(size=len(matrix)) * 0.3


def target(matrix: np.ndarray, classes: int) -> np.ndarray:
    raw = raw_target(matrix)
    return np.digitize(raw, np.quantile(raw, np.linspace(0, 1, classes + 1)[1:-1])) if classes else raw


def session(model: BoostedTrees, width: int) -> GraphSession:
    inputs = [Input(name=f"f{n}", type="number") for n in range(6)]
    graph = GraphWriter(inputs)
    output = model.write(graph, graph.concat([one.name for one in inputs]))
    return GraphSession(graph.finish(output, width), Signature(inputs=inputs, task="regression", target="y"))


def run(model: BoostedTrees, matrix: np.ndarray, classes: int) -> np.ndarray:
    return session(model, max(1, classes)).run({f"f{n}": matrix[:, [n]] for n in range(6)})


@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("codes", [4, 12, 60, 200])
def test_the_graph_agrees_to_twelve_digits(classes: int, codes: int) -> None:
    """Numbers, codes, gaps, unseen codes and huge values, for every task and few or many categories."""
    matrix = table(3000, codes=codes)
    model = fit_boosted_trees(Problem(matrix, target(matrix, classes), classes, [4, 5], 7), PARAMS)
    asked = table(2000, seed=1, codes=codes)
    asked[:100, 4:] = np.nan
    asked[100:200, 4] = codes + 7
    asked[200:300, :4] = np.nan
    asked[300:400, :4] = 1e300
    asked[400:500, :4] = -1e300
    asked[500:600, :4] = 0.0
    native, written = model.predict(asked), run(model, asked, classes)
    assert native.std(axis=0).min() > 0.01, "the model has learnt something that could differ"
    np.testing.assert_allclose(written, native, rtol=1e-12, atol=1e-12)
    if classes:
        np.testing.assert_allclose(written.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("rows", [4, 10, 40])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_smallest_tables_can_be_learnt_from(rows: int, classes: int) -> None:
    """With a handful of rows too, and where trees have no node at all."""
    matrix = table(rows)
    labels = np.arange(rows) % classes if classes else np.arange(float(rows))
    model = fit_boosted_trees(Problem(matrix, labels, classes, [4, 5], 7), PARAMS)
    np.testing.assert_allclose(run(model, matrix, classes), model.predict(matrix), rtol=1e-12, atol=1e-12)


def test_a_class_that_no_row_shows_gets_hardly_any_probability() -> None:
    """Probabilities keep the order and number of all classes."""
    matrix = table(500)
    model = fit_boosted_trees(Problem(matrix, target(matrix, 2) * 2, 3, [4, 5], 7), PARAMS)
    probabilities = run(model, matrix, 3)
    assert probabilities.shape == (500, 3)
    assert probabilities[:, 1].max() < 1e-6
    np.testing.assert_allclose(probabilities, model.predict(matrix), rtol=1e-12, atol=1e-12)


def test_equal_seeds_give_equal_trees() -> None:
    """Training again gives the same model, and another seed another one."""
    matrix = table(1000)

    def text(seed: int) -> str:
        model = fit_boosted_trees(Problem(matrix, target(matrix, 2), 2, [4, 5], seed), PARAMS)
        return model.booster.model_to_string().split("end of trees", maxsplit=1)[0]

    assert text(7) == text(7)
    assert text(7) != text(8)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_contributions_add_up_to_the_raw_score(classes: int) -> None:
    """TreeSHAP values and the base give the sum of the trees, for each class where there are many."""
    matrix = table(300)
    model = fit_boosted_trees(Problem(matrix, target(matrix, classes), classes, [4, 5], 7), PARAMS)
    raw = model.booster.predict(matrix, raw_score=True).reshape(300, -1)
    for output, contributions in enumerate(model.contributions(matrix)):
        rest = raw[:, output] - contributions.sum(axis=1)
        assert contributions.shape == (300, 6)
        np.testing.assert_allclose(rest, rest[0], atol=1e-9)


def test_sparse_matrices_are_taken_too() -> None:
    """A matrix that is mostly zero gives the same model, whichever way it is kept; gaps and codes included."""
    matrix = table(600)
    matrix[:, 0] = np.where(np.abs(matrix[:, 0]) < 1, 0.0, matrix[:, 0])
    labels = target(matrix, 2)
    kept = fit_boosted_trees(Problem(matrix, labels, 2, [4, 5], 7), PARAMS)
    thin = fit_boosted_trees(Problem(sparse.csr_array(matrix), labels, 2, [4, 5], 7), PARAMS)
    np.testing.assert_array_equal(thin.predict(sparse.csr_array(matrix)), kept.predict(matrix))
    np.testing.assert_array_equal(thin.contributions(sparse.csr_array(matrix))[0], kept.contributions(matrix)[0])


def test_trees_that_cannot_be_written_exactly_are_refused() -> None:
    """Zeros taken as missing, and linear leaves, are not guessed at."""
    matrix = table(500)
    model = fit_boosted_trees(Problem(matrix, target(matrix, 2), 2, [], 7), PARAMS)
    text = model.booster.model_to_string()
    with pytest.raises(IntegrityError):
        read_trees(text.replace("is_linear=0", "is_linear=1"))
    zero_as_missing = text.replace("decision_type=10", "decision_type=6").replace("decision_type=8", "decision_type=4")
    with pytest.raises(IntegrityError):
        read_trees(zero_as_missing.replace("decision_type=2", "decision_type=6"))
