"""Trees are written so that every row reaches the leaf that the description says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heptad.training.model import GraphSession
from heptad.training.onnx_graph import GraphWriter
from heptad.training.onnx_trees import Tree, write_trees
from heptad.training.records import Input, Signature

INPUTS = [Input(name=name, type="number") for name in "abc"]


def session(trees: list[Tree], targets: list[int]) -> GraphSession:
    graph = GraphWriter(INPUTS)
    output = write_trees(graph, graph.concat(list("abc")), trees, targets)
    signature = Signature(inputs=INPUTS, task="regression", target="y")
    return GraphSession(graph.finish(output, max(targets) + 1), signature)


def run(trees: list[Tree], targets: list[int], rows: np.ndarray) -> np.ndarray:
    return session(trees, targets).run({name: rows[:, [n]] for n, name in enumerate("abc")})


def walked(tree: Tree, row: np.ndarray) -> float:
    """The leaf that a row reaches, as the docstring of `Tree` puts it."""
    node = 0 if len(tree.features) else ~0
    while node >= 0:
        value = row[tree.features[node]]
        if node in tree.sets:
            left = value in tree.sets[node]
        else:
            left = bool(tree.missing_left[node]) if np.isnan(value) else value <= tree.splits[node]
        node = tree.left[node] if left else tree.right[node]
    return float(tree.leaves[~node])


@st.composite
def grown(draw: st.DrawFn) -> Tree:
    """A tree of up to 12 nodes: each node hangs under an earlier one, on a side that is still free."""
    size = draw(st.integers(0, 12))
    left, right = [None] * size, [None] * size
    for node in range(1, size):
        free = [(side, n) for n in range(node) for side in (left, right) if side[n] is None]
        side, parent = draw(st.sampled_from(free))
        side[parent] = node
    leaves = 0
    for side in (left, right):
        for node in range(size):
            if side[node] is None:
                side[node] = ~leaves
                leaves += 1
    codes = st.lists(st.integers(0, 70), min_size=1, max_size=40, unique=True)
    sets = {node: sorted(draw(codes)) for node in range(size) if draw(st.booleans())}
    return Tree(
        features=np.array([draw(st.integers(0, 2)) for _ in range(size)], dtype=int),
        splits=np.array([draw(st.floats(-1, 71)) for _ in range(size)], dtype=float),
        left=np.array(left, dtype=int),
        right=np.array(right, dtype=int),
        missing_left=np.array([draw(st.booleans()) and node not in sets for node in range(size)], dtype=bool),
        leaves=np.array([draw(st.floats(-1e3, 1e3)) for _ in range(max(1, leaves))]),
        sets=sets,
    )


VALUES = st.sampled_from([*map(float, range(-1, 75)), np.nan, 1e300, -1e300, 70.5])


@given(
    st.lists(st.tuples(grown(), st.integers(0, 2)), min_size=1, max_size=6),
    st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=8),
)
def test_the_graph_walks_trees_as_they_are_described(
    trees: list[tuple[Tree, int]], rows: list[tuple[float, float, float]]
) -> None:
    """Splits, sets, missing values, bare leaves and several targets, against a walk by hand."""
    table = np.array(rows)
    whole = table.copy()
    # Codes are whole numbers; only numeric splits may meet fractions.
    whole[~np.isnan(whole)] = np.floor(whole[~np.isnan(whole)])
    got = run([tree for tree, _ in trees], [target for _, target in trees], whole)
    expected = np.zeros_like(got)
    for tree, target in trees:
        expected[:, target] += [walked(tree, row) for row in whole]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_splits_are_compared_in_float64() -> None:
    """Two neighbouring float64 numbers fall on different sides of a split."""
    large = 1_364_796_000.123
    tree = Tree(
        features=np.array([0]),
        splits=np.array([large]),
        left=np.array([~0]),
        right=np.array([~1]),
        missing_left=np.array([False]),
        leaves=np.array([1.0, 2.0]),
    )
    rows = np.array([[large, 0, 0], [np.nextafter(large, np.inf), 0, 0]])
    assert run([tree], [0], rows).ravel().tolist() == [1.0, 2.0]


def test_many_rows_come_out_like_single_rows() -> None:
    """A batch is computed like its rows one by one, to the last digit."""
    random = np.random.default_rng(3)
    trees = [
        Tree(
            features=np.array([0, 1]),
            splits=random.normal(size=2),
            left=np.array([1, ~0]),
            right=np.array([~2, ~1]),
            missing_left=np.array([True, False]),
            leaves=random.normal(size=3),
        )
        for _ in range(50)
    ]
    rows = random.normal(size=(200, 3))
    together = run(trees, [0] * 50, rows)
    alone = np.concatenate([run(trees, [0] * 50, rows[n : n + 1]) for n in range(0, 200, 20)])
    np.testing.assert_array_equal(together[::20], alone)
