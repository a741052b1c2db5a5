"""Random forests by scikit-learn, written as float64 trees that see their values in float32, as scikit-learn does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from heptad.training.columns import Array
from heptad.training.learners import Params, Problem, spread
from heptad.training.onnx_graph import GraphWriter
from heptad.training.onnx_trees import Tree, write_trees
from heptad.training.preprocessing import Matrix

_TREES = 50
_ROWS_OF_A_TREE = 8_000
"""Each tree learns from a sample of at most this many rows: more costs in proportion, and gains little."""
_COLUMNS_OF_A_SPLIT = 32
"""At most so many columns are tried at each split: on a wide table, a share of all would take an hour a trial."""
_THREADS = 2
_BATCH = 50_000


def fit_forest(problem: Problem, params: Params) -> "Forest":
    """Train `_TREES` trees; `params` are scikit-learn's own, `max_features` a share of the columns."""
    rows, columns = problem.matrix.shape
    kind = RandomForestClassifier if problem.classes else RandomForestRegressor
    model = kind(
        n_estimators=_TREES,
        max_samples=min(rows, _ROWS_OF_A_TREE),
        random_state=problem.seed,
        n_jobs=_THREADS,
        **{**params, "max_features": max(1, min(int(params["max_features"] * columns), _COLUMNS_OF_A_SPLIT))},
    )
    model.fit(_single(problem.matrix), problem.target, sample_weight=problem.weights)
    # Threads would add up the trees in the order in which they finish.
    model.n_jobs = 1
    return Forest(model, problem.classes, problem.present)


@dataclass(frozen=True)
class Forest:
    """A trained forest; `classes` is 0 for regression, `present` are the classes that it knows."""

    model: Any
    classes: int
    present: Array

    def predict(self, matrix: Matrix) -> Array:
        parts = [_single(matrix[start : start + _BATCH]) for start in range(0, matrix.shape[0], _BATCH)]
        if not self.classes:
            return np.concatenate([self.model.predict(part) for part in parts]).reshape(-1, 1)
        shares = np.concatenate([self.model.predict_proba(part) for part in parts])
        return spread(shares, self.present, self.classes)

    def write(self, graph: GraphWriter, matrix: str) -> str:
        single = graph.as_numbers(graph.node("Cast", matrix, to=TensorProto.FLOAT))
        return self._write_sums(graph, single) if self.classes <= 2 else self._write_shares(graph, single)

    def _write_sums(self, graph: GraphWriter, matrix: str) -> str:
        """The mean of one number of each tree: the value, or the share of the second of two classes."""
        grown = [one.tree_ for one in self.model.estimators_]
        trees = [_tree(tree, _leaves(tree)[:, -1] / len(grown)) for tree in grown]
        mean = write_trees(graph, matrix, trees, [0] * len(trees))
        return graph.concat([graph.node("Sub", graph.constant(1.0), mean), mean]) if self.classes else mean

    def _write_shares(self, graph: GraphWriter, matrix: str) -> str:
        """Each tree answers the number of the leaf reached; the shares that the leaves hold are looked up."""
        leaves = [_leaves(one.tree_) for one in self.model.estimators_]
        first = np.cumsum([0, *(len(shares) for shares in leaves)])
        trees = [
            _tree(one.tree_, np.arange(start, start + len(shares), dtype=np.float64))
            for one, shares, start in zip(self.model.estimators_, leaves, first, strict=False)
        ]
        graph.reserve(len(trees) * self.classes)
        reached = graph.node("Cast", write_trees(graph, matrix, trees, range(len(trees))), to=TensorProto.INT64)
        table = graph.constant(spread(np.concatenate(leaves), self.present, self.classes))
        shares = graph.node("Gather", table, reached, axis=0)
        return graph.node("ReduceMean", shares, graph.constant([1], np.int64), keepdims=0)

    def contributions(self, matrix: Matrix) -> list[Array]:
        """How much each split on the way to a leaf moved the mean there, summed by its feature (A. Saabas, 2014)."""
        single = _single(matrix)
        total: list[Any] = [np.zeros(matrix.shape) for _ in self.present]
        for one in self.model.estimators_:
            tree = one.tree_
            path = one.decision_path(single)
            parents = np.flatnonzero(tree.children_left >= 0)
            parents, children = np.tile(parents, 2), np.r_[tree.children_left[parents], tree.children_right[parents]]
            values = _values(tree)
            for output, steps in enumerate((values[children] - values[parents]).T):
                shape = (tree.node_count, matrix.shape[1])
                moves = sparse.csr_array((steps, (children, tree.feature[parents])), shape=shape)
                total[output] += (sparse.csr_array(path) @ moves).toarray() / len(self.model.estimators_)
        return total[1:] if self.classes == 2 and len(total) == 2 else total


def _single(matrix: Matrix) -> Array:
    single = matrix.astype(np.float32)
    return np.asarray(single.toarray() if sparse.issparse(single) else single)


def _values(tree: Any) -> Array:
    """What each node holds, `(nodes, classes)` shares or `(nodes, 1)` means."""
    return np.asarray(tree.value[:, 0, :])


def _leaves(tree: Any) -> Array:
    return np.asarray(_values(tree)[tree.children_left < 0])


def _tree(tree: Any, leaves: Array) -> Tree:
    """scikit-learn numbers nodes and leaves together; here each are counted by themselves."""
    inner = tree.children_left >= 0
    number = np.where(inner, np.cumsum(inner) - 1, ~(np.cumsum(~inner) - 1))
    return Tree(
        features=tree.feature[inner],
        splits=tree.threshold[inner],
        left=number[tree.children_left[inner]],
        right=number[tree.children_right[inner]],
        missing_left=tree.missing_go_to_left[inner].astype(bool),
        leaves=leaves,
    )
