"""Parameters as points of the unit cube, for samplers that learn in it."""

import math
import random
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from heptad.experiments.searching.space import Choice, Dimension, Float, Int, Value

Vector = npt.NDArray[np.float64]


class Numbers:
    """Some numbers of a point, each scaled from 0 to 1; of a logarithmic one, its logarithm."""

    def __init__(self, dimensions: Mapping[str, Float | Int]) -> None:
        self._dimensions = dimensions

    def __len__(self) -> int:
        return len(self._dimensions)

    @property
    def names(self) -> list[str]:
        return list(self._dimensions)

    def place(self, params: Mapping[str, Value]) -> Vector:
        return np.array([scaled(dimension, params[name]) for name, dimension in self._dimensions.items()])

    def values(self, place: Vector) -> dict[str, Value]:
        return {
            name: unscaled(dimension, float(share))
            for (name, dimension), share in zip(self._dimensions.items(), place, strict=True)
        }


def drawn(dimension: Dimension, choice: random.Random) -> Value:
    """A value of a dimension by chance, evenly over its range or its values."""
    if isinstance(dimension, Choice):
        return choice.choice(dimension.values)
    return dimension.low if dimension.low == dimension.high else unscaled(dimension, choice.random())


def scaled(dimension: Float | Int, value: Value) -> float:
    """Where a value lies between the ends of its range; a whole number in the middle of its own share."""
    low, high = _ends(dimension)
    number = float(value)
    return ((math.log(number) if dimension.log else number) - low) / (high - low)


def unscaled(dimension: Float | Int, share: float) -> Value:
    """The value at a share of the range, always within it."""
    low, high = _ends(dimension)
    number = low + min(max(share, 0.0), 1.0) * (high - low)
    number = math.exp(number) if dimension.log else number
    if isinstance(dimension, Int):
        return min(max(round(number), dimension.low), dimension.high)
    return min(max(number, dimension.low), dimension.high)


def _ends(dimension: Float | Int) -> tuple[float, float]:
    margin = 0.5 if isinstance(dimension, Int) else 0.0
    low, high = dimension.low - margin, dimension.high + margin
    return (math.log(low), math.log(high)) if dimension.log else (low, high)
