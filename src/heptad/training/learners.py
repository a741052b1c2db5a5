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
    weights: Array | None = None
    """How much each row counts `(n,)`; `None`: all alike."""
    robust: bool = False
    """Whether the values of a regression have outliers that were kept."""

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


@dataclass(frozen=True)
class Rescaled:
    """A regression learnt of a target without units, which answers in the target's own.

    LightGBM keeps a target in float32, where moments and large amounts run together, and scikit-learn's trees take a
    variance below 1e-15 for none.
    """

    model: NativeModel
    middle: float
    size: float

    def predict(self, matrix: Matrix) -> Array:
        return self.model.predict(matrix) * self.size + self.middle

    def write(self, graph: GraphWriter, matrix: str) -> str:
        scaled = graph.node("Mul", self.model.write(graph, matrix), graph.constant(self.size))
        return graph.node("Add", scaled, graph.constant(self.middle))

    def contributions(self, matrix: Matrix) -> list[Array]:
        return [each * self.size for each in self.model.contributions(matrix)]


def without_units(target: Array) -> tuple[Array, float, float]:
    """The target `(n,)` in interquartile ranges from its median, the median, and the range.

    Where the middle half is all alike, or so small that the rest would not fit into float32, the standard deviation
    stands in for the range, and 1 where nothing varies.
    """
    # In parts of the largest number, as the squares of huge ones would overflow.
    largest = float(np.abs(target).max()) or 1.0
    parts = target / largest
    low, middle, high = np.quantile(parts, [0.25, 0.5, 0.75], method="lower").tolist()
    nothing = max(np.finfo(float).eps * abs(middle), 1e-30)
    size = next((one for one in (high - low, float(parts.std())) if one > nothing), 0.0)
    if not size:
        return np.zeros(len(target)), middle * largest, 1.0
    return (parts - middle) / size, middle * largest, size * largest


Fit: TypeAlias = Callable[[Problem, Params], NativeModel]
