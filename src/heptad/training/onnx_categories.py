"""Categories in a graph: codes for gradient boosting, indicators for linear models, scores for forests."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heptad.training.columns import Array
from heptad.training.onnx_graph import ML, GraphWriter, doubles, strings

_WEIGHT_OF_ALL = 100.0
"""Rows of the whole table that are mixed into the score of each category, so that rare ones stay near the middle."""


@dataclass(frozen=True)
class Categories:
    """The values of a column that are told apart, most frequent first; `other` is the code of all the rest.

    A missing value is a category like any other where training saw one. `other` is `None` where training saw no
    rest: then a value never seen has no code, which is written as NaN.
    """

    name: str
    values: list[str]
    other: int | None

    @property
    def codes(self) -> int:
        """How many codes there are, from 0."""
        return len(self.values) + (self.other is not None)

    def code(self, column: Array) -> Array:
        """The codes `(n,)` of the training rows, every one of which has one."""
        table = {value: code for code, value in enumerate(self.values)}
        other = -1 if self.other is None else self.other
        return np.fromiter((table.get(value, other) for value in column[:, 0]), dtype=np.int64, count=len(column))


def learn_categories(name: str, column: Array, most: int) -> Categories:
    """The `most` frequent values of the training rows; ties go by the value."""
    counts = Counter(column[:, 0].tolist())
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    return Categories(name=name, values=ordered[:most], other=most if len(ordered) > most else None)


def write_codes(graph: GraphWriter, categories: Sequence[Categories]) -> str:
    """Codes `(n, c)` as float64; NaN where a value has none."""
    return graph.concat(
        [_lookup(graph, one, np.arange(one.codes), math.nan if one.other is None else one.other) for one in categories]
    )


def write_indicators(graph: GraphWriter, codes: str, categories: Sequence[Categories]) -> str:
    """Codes `(n, c)` to a column of 0 and 1 for each code of each category; all 0 where a value has no code."""
    column_of = [position for position, one in enumerate(categories) for _ in range(one.codes)]
    code_of = [code for one in categories for code in range(one.codes)]
    graph.reserve(len(code_of))
    return graph.as_numbers(graph.node("Equal", graph.pick(codes, column_of), graph.constant(code_of)))


def learn_scores(categories: Categories, column: Array, target: Array) -> tuple[Array, float]:
    """A number for each code, by which a single split parts the categories best, and the number of all others.

    `target` is `(n, k)`: a class each, or the one number of a regression. The score is the mean target of the
    category's rows, mixed with that of all rows; of more than two classes, the first principal component of those
    means (D. Coppersmith, S. J. Hong, J. R. M. Hosking, Partitioning nominal attributes in decision trees, 1999).
    """
    codes = categories.code(column)
    rows = np.bincount(codes, minlength=categories.codes)
    middle = target.mean(axis=0)
    sums = np.stack([np.bincount(codes, each, minlength=categories.codes) for each in target.T], axis=1)
    means = (sums + _WEIGHT_OF_ALL * middle) / (rows + _WEIGHT_OF_ALL)[:, None]
    if target.shape[1] <= 2:
        return means[:, -1], float(middle[-1])
    offsets = means - middle
    axis = np.linalg.eigh((offsets * rows[:, None]).T @ offsets)[1][:, -1]
    axis = axis * np.sign(axis[np.argmax(np.abs(axis))])
    return offsets @ axis, 0.0


def write_scores(graph: GraphWriter, categories: Sequence[Categories], scores: Sequence[tuple[Array, float]]) -> str:
    """The learned scores `(n, c)` of the categories."""
    return graph.concat(
        [
            _lookup(graph, one, table, unseen if one.other is None else float(table[one.other]))
            for one, (table, unseen) in zip(categories, scores, strict=True)
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
