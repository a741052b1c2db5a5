"""Gradient boosting by LightGBM: trained there, read out of its model, written as float64 trees."""

from collections.abc import Mapping
from dataclasses import dataclass

import lightgbm
import numpy as np
from scipy import sparse

from heptad.core.errors import IntegrityError
from heptad.training.columns import Array
from heptad.training.learners import Params, Problem
from heptad.training.onnx_graph import GraphWriter
from heptad.training.onnx_trees import Tree, write_trees
from heptad.training.preprocessing import Matrix

_THREADS = 1
"""Models are trained beside each other and beside a server: threads that wait for a busy core cost more than they save
(measured on two busy cores: 1 s with one thread, 14 s with two). The order of sums is fixed with it."""

_CODES_PENALTY = 50.0
"""LightGBM's own 10 lets columns with thousands of categories (tail numbers of planes) be learnt by heart."""

# Bits of `decision_type` in LightGBM's model format (include/LightGBM/tree.h).
_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_MISSING_SHIFT = 2
_MISSING_NONE, _MISSING_ZERO, _MISSING_NAN = 0, 1, 2


def fit_boosted_trees(problem: Problem, params: Params) -> "BoostedTrees":
    """Train `n_estimators` rounds of trees; `params` are LightGBM's own, and small tables get smaller leaves."""
    rows = problem.matrix.shape[0]
    settings = {
        **params,
        # Absolute errors where outliers of the target were kept: Huber's loss starts at the mean that they moved.
        "objective": "regression_l1"
        if problem.robust and not problem.classes
        else _OBJECTIVES[min(problem.classes, 3)],
        "min_child_samples": max(1, min(params["min_child_samples"], rows // 10)),
        "cat_l2": _CODES_PENALTY,
        "seed": problem.seed,
        "num_threads": _THREADS,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    rounds = settings.pop("n_estimators")
    if problem.classes > 2:
        settings["num_class"] = problem.classes
    data = lightgbm.Dataset(
        _as_lightgbm_takes(problem.matrix),
        problem.target,
        weight=problem.weights,
        categorical_feature=problem.code_columns,
        params={"verbosity": -1, "min_data_in_bin": min(3, max(1, rows // 50))},
    )
    return BoostedTrees(lightgbm.train(settings, data, num_boost_round=rounds), problem.classes)


def _objective(problem: Problem) -> str:
    # Absolute errors bear outliers of the target that were kept; Huber's loss would start at the mean that they moved.
    return "regression_l1" if problem.robust and not problem.classes else _OBJECTIVES[min(problem.classes, 3)]


_OBJECTIVES = {0: "regression", 2: "binary", 3: "multiclass"}


@dataclass(frozen=True)
class BoostedTrees:
    """A trained booster; `classes` is 0 for regression."""

    booster: lightgbm.Booster
    classes: int

    def predict(self, matrix: Matrix) -> Array:
        scores = np.asarray(self.booster.predict(_as_lightgbm_takes(matrix), num_threads=_THREADS))
        if self.classes == 2:
            return np.stack([1.0 - scores, scores], axis=1)
        return scores if self.classes else scores.reshape(-1, 1)

    def write(self, graph: GraphWriter, matrix: str) -> str:
        trees = read_trees(self.booster.model_to_string())
        sums = self.booster.num_model_per_iteration()
        raw = write_trees(graph, matrix, trees, [number % sums for number in range(len(trees))])
        if self.classes == 2:
            positive = graph.node("Sigmoid", raw)
            return graph.concat([graph.node("Sub", graph.constant(1.0), positive), positive])
        return graph.node("Softmax", raw, axis=1) if self.classes else raw

    def contributions(self, matrix: Matrix) -> list[Array]:
        """TreeSHAP, by LightGBM: they add up to the raw score (the last column, its base, is left out)."""
        dense = matrix.toarray() if sparse.issparse(matrix) else matrix
        values = np.asarray(self.booster.predict(dense, pred_contrib=True, num_threads=_THREADS))
        width = dense.shape[1] + 1
        return [values[:, start : start + width - 1] for start in range(0, values.shape[1], width)]


def _as_lightgbm_takes(matrix: Matrix) -> Matrix:
    """SciPy's older class of sparse matrices is the only one that LightGBM takes without a warning."""
    return sparse.csr_matrix(matrix) if sparse.issparse(matrix) else matrix


def read_trees(model: str) -> list[Tree]:
    """The trees in LightGBM's text format, version 4; raises `IntegrityError` for what cannot be written exactly."""
    blocks = model.split("end of trees", maxsplit=1)[0].split("\nTree=")[1:]
    return [_tree(dict(line.partition("=")[::2] for line in block.splitlines())) for block in blocks]


def _tree(block: Mapping[str, str]) -> Tree:
    def numbers(key: str, dtype: type = np.int64) -> Array:
        return np.array(block.get(key, "").split(), dtype=dtype)

    kinds, splits = numbers("decision_type"), numbers("threshold", np.float64)
    missing = kinds >> _MISSING_SHIFT
    if block.get("is_linear") != "0" or (missing == _MISSING_ZERO).any():
        raise IntegrityError("LightGBM made trees with linear leaves, or that take zeros as missing.")
    # Without a kind of its own, a missing value is compared as if it were 0.
    missing_left = np.where(missing == _MISSING_NAN, (kinds & _DEFAULT_LEFT) > 0, splits >= 0.0)
    sets = _sets(np.flatnonzero(kinds & _CATEGORICAL), splits, numbers("cat_boundaries"), numbers("cat_threshold"))
    return Tree(
        features=numbers("split_feature"),
        splits=splits,
        left=numbers("left_child"),
        right=numbers("right_child"),
        missing_left=missing_left & ((kinds & _CATEGORICAL) == 0),
        leaves=numbers("leaf_value", np.float64),
        sets=sets,
    )


def _sets(nodes: Array, splits: Array, boundaries: Array, words: Array) -> dict[int, list[int]]:
    """Codes that go left at each categorical node: its split is the number of a bit set in 32-bit words."""
    sets = {}
    for node in nodes.tolist():
        number = int(splits[node])
        own = words[boundaries[number] : boundaries[number + 1]]
        bits = (own[:, None] >> np.arange(32)) & 1
        sets[node] = np.flatnonzero(bits).tolist()
    return sets
