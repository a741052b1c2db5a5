"""The contract of whoever adds the noise: figures of one column, each with the epsilon that it costs."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
"""The values of a column, shape (n,), all finite."""
Places: TypeAlias = npt.NDArray[np.int32]
"""For each value, shape (n,), which of the named ones it is, from 0."""


class Noisy(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with noise. `within`: with a chance of 95% the noise is no larger; `None` where that is not known."""

    value: float
    epsilon: float
    within: float | None = None


class NoiseMaker(Protocol):
    """Made as `NoiseMakerType(contributions)`: the most values that one person has.

    Promised: pure differential privacy for adding or removing one person's values, with noise that does not leak
    through floating point; the epsilon of a figure is at most the one that was given. Bounds and edges are what
    somebody who has not seen the values chose: values beyond are moved to them. Errors: `WorkspaceError` where the
    library is missing, `InputError` for an epsilon too small to be told apart from nothing.
    """

    def count(self, values: Floats, epsilon: float) -> Noisy:
        """How many there are."""
        ...

    def total(self, values: Floats, low: float, high: float, epsilon: float) -> Noisy:
        """Their sum."""
        ...

    def histogram(self, values: Floats, edges: Sequence[float], epsilon: float) -> list[Noisy]:
        """How many lie below the first edge, between each two, and from the last on; all for one epsilon."""
        ...

    def categories(self, places: Places, named: int, epsilon: float) -> list[Noisy]:
        """How many are each of so many named ones, by their places, and how many are none of them; for one epsilon.

        The place of what is none of them is `named` itself.
        """
        ...

    def quantile(self, values: Floats, candidates: Sequence[float], share: float, epsilon: float) -> Noisy:
        """The candidate that about this share of the values does not exceed."""
        ...
