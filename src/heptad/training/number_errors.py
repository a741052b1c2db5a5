"""How far off numbers usually are from what models say of them, so that what is further off stands out.

H. Zhou, J. Mueller and others, "Detecting Errors in Numerical Data via any Regression Model" (2023): a residual counts
as much as it exceeds what is uncertain about such a row. Here that is the middle error of rows with like predictions.
"""

import math

import numpy as np

from heptad.training.columns import Array

_ROWS = 100
"""Of a group of rows with like predictions, at least."""
_GROUPS = 20
_NORMAL = 1.4826
"""Standard deviations in the median of absolute errors, where errors are normal."""


def usual_errors(values: Array, predicted: Array) -> Array:
    """The standard deviation `(n,)` that errors have where such things are predicted, in units of the values.

    Medians over groups of like predictions, in between by a straight line: wrong values do not stretch it.
    """
    order = np.argsort(predicted, kind="stable")
    groups = np.array_split(order, min(_GROUPS, max(1, len(order) // _ROWS)))
    middles = [float(np.median(predicted[one])) for one in groups]
    spreads = [_NORMAL * float(np.median(np.abs(values[one] - predicted[one]))) for one in groups]
    least = 1e-6 * float(np.ptp(values)) or 1.0
    return np.asarray(np.maximum(np.interp(predicted, middles, spreads), least))


def rounded(value: float, error: float) -> str:
    """A number with two digits of its error.

    >>> rounded(152.31, 54.2), rounded(0.41234, 0.03)
    ('152', '0.412')
    """
    return f"{value:.{max(0, 1 - math.floor(math.log10(error)))}f}" if error > 0 else f"{value:.6g}"
