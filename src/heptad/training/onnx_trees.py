"""Decision trees in a graph: one `TreeEnsemble` node in float64, for boosting and forests alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from heptad.training.columns import Array
from heptad.training.onnx_graph import ML, GraphWriter, bytes_tensor, doubles

_AT_MOST = 0
"""Mode of a node: its left branch is taken where the value is at most the split."""
_MEMBER = 6
"""Mode of a node: its left branch is taken where the value is one of a set."""
_SUM = 1


@dataclass(frozen=True)
class Tree:
    """A tree of `m` inner nodes, the root first, and `m + 1` leaves.

    A node goes left where its feature is at most `splits`, or, where `sets` has it, is one of those codes. `left` and
    `right` are numbers of nodes, or `~number` of leaves. A missing value (NaN) goes left where `missing_left` says so,
    and is in no set.
    """

    features: Array
    splits: Array
    left: Array
    right: Array
    missing_left: Array
    leaves: Array
    sets: Mapping[int, Sequence[int]] = field(default_factory=dict)


def write_trees(graph: GraphWriter, matrix: str, trees: Sequence[Tree], targets: Sequence[int]) -> str:
    """Sums of the leaves that each row of the matrix reaches: `(n, max(targets) + 1)`, tree `i` adding to `targets[i]`.

    Additions are made in the order of the trees, so that the result is that of a loop over them, to the last digit.
    """
    grown = [tree if len(tree.features) else _with_a_node(tree) for tree in trees]
    first_node = np.cumsum([0, *(len(tree.features) for tree in grown)])
    first_leaf = np.cumsum([0, *(len(tree.leaves) for tree in grown)])

    def children(side: str) -> tuple[list[int], list[int]]:
        """Numbers through all trees, and whether each is that of a leaf."""
        numbers, leaves = [], []
        for tree, node, leaf in zip(grown, first_node, first_leaf, strict=False):
            child = getattr(tree, side)
            numbers.append(np.where(child < 0, ~child + leaf, child + node))
            leaves.append(child < 0)
        return np.concatenate(numbers).tolist(), np.concatenate(leaves).astype(int).tolist()

    left, left_is_leaf = children("left")
    right, right_is_leaf = children("right")
    modes = np.full(first_node[-1], _AT_MOST)
    members: list[float] = []
    for tree, node in zip(grown, first_node, strict=False):
        for inner in sorted(tree.sets):
            modes[node + inner] = _MEMBER
            members += [*map(float, tree.sets[inner]), np.nan]
    return graph.node(
        "TreeEnsemble",
        matrix,
        domain=ML,
        aggregate_function=_SUM,
        n_targets=max(targets) + 1,
        tree_roots=first_node[:-1].tolist(),
        nodes_featureids=np.concatenate([tree.features for tree in grown]).tolist(),
        nodes_modes=bytes_tensor(modes),
        nodes_splits=doubles(np.concatenate([tree.splits for tree in grown])),
        nodes_truenodeids=left,
        nodes_trueleafs=left_is_leaf,
        nodes_falsenodeids=right,
        nodes_falseleafs=right_is_leaf,
        nodes_missing_value_tracks_true=np.concatenate([tree.missing_left for tree in grown]).astype(int).tolist(),
        leaf_targetids=np.repeat(targets, [len(tree.leaves) for tree in grown]).tolist(),
        leaf_weights=doubles(np.concatenate([tree.leaves for tree in grown])),
        **({"membership_values": doubles(members)} if members else {}),
    )


def _with_a_node(tree: Tree) -> Tree:
    """A tree that is one leaf, behind a node whose branches both lead to it."""
    return Tree(
        features=np.array([0]),
        splits=np.array([0.0]),
        left=np.array([~0]),
        right=np.array([~0]),
        missing_left=np.array([False]),
        leaves=tree.leaves,
    )
