"""The contract of whoever adds the noise: figures of one column, each with the epsilon that it costs."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


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

    def count(self, values: Sequence[float], epsilon: float) -> Noisy:
        """How many there are."""
        ...

    def total(self, values: Sequence[float], low: float, high: float, epsilon: float) -> Noisy:
        """Their sum."""
        ...

    def histogram(self, values: Sequence[float], edges: Sequence[float], epsilon: float) -> list[Noisy]:
        """How many lie below the first edge, between each two, and from the last on; all for one epsilon."""
        ...

    def categories(self, values: Sequence[str], named: Sequence[str], epsilon: float) -> list[Noisy]:
        """How many are each of the named, and how many are none of them; all for one epsilon."""
        ...

    def quantile(self, values: Sequence[float], candidates: Sequence[float], share: float, epsilon: float) -> Noisy:
        """The candidate that about this share of the values does not exceed."""
        ...
