"""Categories in a graph: codes for gradient boosting, indicators for linear models, scores for forests."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from heptad.training.columns import Array
from heptad.training.onnx_graph import ML, GraphWriter, doubles, strings

_WEIGHT_OF_ALL = 100.0
"""Rows of the whole table that are mixed into the score of each category, so that rare ones stay near the middle."""
_ROWS_AT_ONCE = 20_000
_PARTS = 5
"""Training rows are scored by the targets of all parts but their own."""


@dataclass(frozen=True)
class Categories:
    """The values of a column that are told apart, most frequent first; `other` is the code of all the rest.

    A missing value is a category like any other where training saw one. `other` is `None` where training saw no
    rest: then a value never seen has no code, which is written as NaN.
    """

    name: str
    values: list[str]
    other: int | None
    different: int
    """How many values training saw."""

    @property
    def codes(self) -> int:
        """How many codes there are, from 0."""
        return len(self.values) + (self.other is not None)


def learn_categories(name: str, column: Array, most: int) -> Categories:
    """The `most` frequent values of the training rows; ties go by the value."""
    counts = Counter(column[:, 0].tolist())
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    return Categories(name, ordered[:most], other=most if len(ordered) > most else None, different=len(ordered))


def write_codes(graph: GraphWriter, categories: Sequence[Categories]) -> str:
    """Codes `(n, c)` as float64; NaN where a value has none."""
    return graph.concat(
        [_lookup(graph, one, np.arange(one.codes), math.nan if one.other is None else one.other) for one in categories]
    )


def with_indicators(numbers: Array, codes: Array, categories: Sequence[Categories]) -> sparse.csr_array:
    """Numbers `(n, p)`, and beside them what `write_indicators` makes of codes `(n, c)`; zeros take no memory."""
    *first, width = np.cumsum([numbers.shape[1], *(one.codes for one in categories)])
    filled = np.hstack([numbers != 0, ~np.isnan(codes)])
    ends = np.concatenate([[0], np.cumsum(filled.sum(axis=1))])
    values, places = np.empty(ends[-1]), np.empty(ends[-1], dtype=np.int32)
    for start in range(0, len(filled), _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, len(filled)))
        own, part = filled[rows], slice(ends[rows.start], ends[rows.stop])
        values[part] = np.hstack([numbers[rows], np.ones(codes[rows].shape)])[own]
        places[part] = np.hstack([np.tile(np.arange(numbers.shape[1]), (len(own), 1)), codes[rows] + first])[own]
    return sparse.csr_array((values, places, ends), shape=(len(filled), width))


def write_indicators(graph: GraphWriter, codes: str, categories: Sequence[Categories]) -> str:
    """Codes `(n, c)` to a column of 0 and 1 for each code of each category; all 0 where a value has no code."""
    column_of = [position for position, one in enumerate(categories) for _ in range(one.codes)]
    code_of = [code for one in categories for code in range(one.codes)]
    graph.reserve(len(code_of))
    return graph.as_numbers(graph.node("Equal", graph.pick(codes, column_of), graph.constant(code_of)))


@dataclass(frozen=True)
class CategoryScores:
    """A number for each code, by which a single split parts the categories best, and that of values without a code."""

    table: Array
    unseen: float


def learn_scores(codes: Array, size: int, target: Array) -> tuple[CategoryScores, Array]:
    """The scores of a category, and those `(n,)` that the training rows themselves are learnt from.

    `codes` `(n,)` are those of the training rows, `size` in all, and `target` `(n, k)` holds a class each, or one
    number. The score is the mean target of the category's rows, mixed with that of all rows; of more than two classes,
    the first principal component of those means (D. Coppersmith, S. J. Hong, J. R. M. Hosking, Partitioning nominal
    attributes in decision trees, 1999). A training row's own score leaves out the fifth of the rows, drawn at random,
    that it belongs to: else a rare category would tell the targets of its rows, and a forest learn them by heart
    (F. Pargent et al., Regularized target encoding outperforms traditional methods, 2022).
    """
    part = np.random.default_rng(0).integers(0, _PARTS, len(codes))
    cells = part * size + codes
    rows = np.bincount(cells, minlength=_PARTS * size).reshape(_PARTS, size, 1)
    sums = np.stack([np.bincount(cells, each, minlength=_PARTS * size) for each in target.T], axis=1)
    sums = sums.reshape(_PARTS, size, -1)
    middle = target.mean(axis=0)

    def offsets(sums: Array, rows: Array) -> Array:
        means: Array = (sums + _WEIGHT_OF_ALL * middle) / (rows + _WEIGHT_OF_ALL) - middle
        return means

    of_all = offsets(sums.sum(axis=0), rows.sum(axis=0))
    axis, origin = _direction(of_all, rows.sum(axis=0), middle)
    of_others = offsets(sums.sum(axis=0) - sums, rows.sum(axis=0) - rows)
    return CategoryScores(of_all @ axis + origin, origin), (of_others @ axis + origin)[part, codes]


def _direction(offsets: Array, rows: Array, middle: Array) -> tuple[Array, float]:
    """What offsets from the middle `(c, k)` are multiplied with to be scores, and the score of the middle."""
    width = len(middle)
    if width <= 2:
        return np.eye(width)[-1], float(middle[-1])
    axis = np.linalg.eigh((offsets * rows).T @ offsets)[1][:, -1]
    return axis * np.sign(axis[np.argmax(np.abs(axis))]), 0.0


def write_scores(graph: GraphWriter, categories: Sequence[Categories], scores: Sequence[CategoryScores]) -> str:
    """The learned scores `(n, c)` of the categories."""
    return graph.concat(
        [
            _lookup(graph, one, own.table, own.unseen if one.other is None else float(own.table[one.other]))
            for one, own in zip(categories, scores, strict=True)
        ]
    )


def _lookup(graph: GraphWriter, categories: Categories, numbers: Array, otherwise: float) -> str:
    """The number of each value of a column."""
    return graph.node(
        "LabelEncoder",
        categories.name,
        domain=ML,
        keys_tensor=strings(categories.values),
        values_tensor=doubles(numbers[: len(categories.values)]),
        default_tensor=doubles([otherwise]),
    )
