"""Two small summaries of a column that can be put together: how many different values, and its quantiles.

Registers are HyperLogLog's (Flajolet and others 2007) with Ertl's estimator (2017): those of two tables, put together,
are those of both, whatever they share. Their count has a standard error of 3.3%. Points are the values at 65 even
shares of a sample: a quantile read off them is right within two of a hundred rows, and within one more for each time
that two were put together.
"""

import math

import numpy as np
import numpy.typing as npt

_BITS = 10
REGISTERS = 1 << _BITS
_RANKS = 53
"""The bits of a hash that a register looks at: so many are exact in a float."""
POINTS = 65
_ZERO = 48
"""A register is one letter, from the digit 0 on."""


def registers_of(hashes: npt.NDArray[np.uint64]) -> str:
    """The registers of values with these hashes, as text."""
    places = (hashes & np.uint64(REGISTERS - 1)).astype(np.intp)
    rest = (hashes >> np.uint64(64 - _RANKS)).astype(np.float64)
    # The smaller the rest, the more of its leading bits are zero: frexp tells how many are left.
    ranks = (_RANKS + 1 - np.frexp(rest)[1]).astype(np.uint8)
    registers = np.zeros(REGISTERS, np.uint8)
    np.maximum.at(registers, places, ranks)
    return (registers + np.uint8(_ZERO)).tobytes().decode("ascii")


def is_full(registers: str) -> bool:
    """Whether each register has seen a value."""
    return chr(_ZERO) not in registers


def merged_registers(first: str, second: str) -> str:
    """Those of both; none where one of them has none."""
    if not first or not second:
        return ""
    larger = np.maximum(_numbers(first), _numbers(second))
    return larger.tobytes().decode("ascii")


def distinct_in(registers: str) -> int:
    """About how many different values they have seen."""
    counts = np.bincount(_numbers(registers) - np.uint8(_ZERO), minlength=_RANKS + 2)
    z = REGISTERS * _tau(1 - counts[_RANKS + 1] / REGISTERS)
    for rank in range(_RANKS, 0, -1):
        z = (z + float(counts[rank])) / 2
    z += REGISTERS * _sigma(counts[0] / REGISTERS)
    return 0 if math.isinf(z) else round(REGISTERS * REGISTERS / (2 * math.log(2) * z))


def _numbers(registers: str) -> npt.NDArray[np.uint8]:
    return np.frombuffer(registers.encode("ascii"), np.uint8)


def _sigma(share: float) -> float:
    """Ertl's correction for registers that have seen nothing."""
    if share == 1:
        return math.inf
    power, total, weight = share, share, 1.0
    while True:
        power *= power
        before, total, weight = total, total + power * weight, weight * 2
        if total == before:
            return total


def _tau(share: float) -> float:
    """Ertl's correction for registers that cannot rise any more."""
    if share in {0.0, 1.0}:
        return 0.0
    root, total, weight = share, 1 - share, 1.0
    while True:
        root, weight = math.sqrt(root), weight / 2
        before, total = total, total - (1 - root) ** 2 * weight
        if total == before:
            return total / 3


def distinct_at_least(sample: npt.NDArray[np.generic]) -> float:
    """How many different values there are at the least, by how many of a sample came once and twice (Chao 1984)."""
    _, times = np.unique(sample, return_counts=True)
    once, twice = int((times == 1).sum()), int((times == 2).sum())
    return len(times) + once * (once - 1) / (2 * (twice + 1))


def points_of(ordered: npt.NDArray[np.float64]) -> list[float]:
    """The points of a sample in ascending order; none of an empty one."""
    if not len(ordered):
        return []
    places = np.linspace(0, len(ordered) - 1, POINTS).round().astype(np.intp)
    found: list[float] = ordered[places].tolist()
    return found


def merged_points(first: list[float], weight: float, second: list[float], other: float) -> list[float]:
    """The points of both, which stand for so many values each."""
    if not weight or not other:
        return first if weight else second
    if not first or not second:
        return []
    values = np.array([*first, *second])
    # The outermost points stand for half as many values as the others.
    shares = np.ones(POINTS)
    shares[[0, -1]] = 0.5
    weights = np.concatenate([shares * weight, shares * other])
    order = np.argsort(values, kind="stable")
    values, below = values[order], np.cumsum(weights[order]) - weights[order] / 2
    wanted = np.linspace(below[0], below[-1], POINTS)
    found: list[float] = values[np.searchsorted(below, wanted - 1e-9 * below[-1])].tolist()
    return found


def quantile_in(points: list[float], share: float) -> float:
    """The value below which a share of the values lies."""
    return float(np.interp(share * (POINTS - 1), np.arange(POINTS), points))
