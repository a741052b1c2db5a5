"""What every family of estimators is given, and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from heptad.training.columns import Array
from heptad.training.onnx_graph import GraphWriter
from heptad.training.preprocessing import Matrix

Params: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """A matrix `(n, w)` and what is to be learnt from it: numbers of classes `(n,)`, or the values of a regression.

    `classes` is how many there are, also where the rows at hand show fewer; 0 stands for regression.
    `code_columns` are those of the matrix whose numbers have no order.
    """

    matrix: Matrix
    target: Array
    classes: int
    code_columns: list[int]
    seed: int

    @property
    def present(self) -> Array:
        """The outputs that the rows at hand say something of: the classes seen, or the one number of a regression."""
        return np.unique(self.target) if self.classes else np.zeros(1, dtype=np.int64)


def spread(values: Array, present: Array, width: int) -> Array:
    """`(n, present)` to `(n, width)`: a class that no row showed has probability 0."""
    wide = np.zeros((len(values), width))
    wide[:, present] = values
    return wide


class NativeModel(Protocol):
    """A trained model in the library that trained it."""

    def predict(self, matrix: Matrix) -> Array:
        """Probabilities `(n, k)`, or numbers `(n, 1)`, computed by that library and not by the graph."""
        ...

    def write(self, graph: GraphWriter, matrix: str) -> str:
        """Append the model to a graph; answers the name of what equals `predict` of the matrix."""
        ...

    def contributions(self, matrix: Matrix) -> list[Array]:
        """What each column adds to the raw score of each row, `(n, w)`; one array, or one for each of many classes."""
        ...


Fit: TypeAlias = Callable[[Problem, Params], NativeModel]
