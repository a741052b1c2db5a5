"""Bayesian optimisation with a Gaussian process, over spaces of any shape."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import ndtr
from threadpoolctl import threadpool_limits

from heptad.experiments.searching.scaling import drawn, scaled, unscaled
from heptad.experiments.searching.space import Choice, Dimension, Space, Value, located, walk
from heptad.experiments.searching.told import Told

Matrix = npt.NDArray[np.float64]
Located: TypeAlias = Mapping[str, tuple[Dimension, Value]]
STARTUP = 10
"""Trials with a value, before which points are drawn at random."""
_ROWS = 200
"""Trials that are learnt from at most: the best half, and the newest."""
_DRAWN, _AROUND, _BEST = 600, 80, 5
_ELSEWHERE = 0.25
_JITTER = 1e-6


class GpSampler:
    """Expected improvement under a Gaussian process (Jones et al., 1998): Matérn 5/2, a length for each column.

    Choices are columns of 0 and 1, one a value; what a point does not have lies in the middle. The lengths maximise the
    posterior under a prior that keeps them moderate (Hvarfner et al., 2024). The point is the most promising of random
    ones and of ones near to the best trials, so that any space can be searched, also one in Python. Each constraint has
    a process of its own, and improvement counts by how probably all are met (Gardner et al., 2014). Where points have
    different parameters, one of four is the best of a branch taken by chance: a model of all branches at once is too
    sure of the ones that it has hardly seen.
    """

    def __init__(self, space: Space) -> None:
        self._space = space

    def sample(self, losses: Sequence[tuple[Told, float]], seed: int) -> dict[str, Value]:
        """A point; `losses` are the trials told so far, each with its loss, where a failed one is infinite."""
        choice = random.Random(seed)
        known = _subset([(one, loss) for one, loss in losses if math.isfinite(loss)])
        points = [walk(self._space, lambda _, __, dimension: drawn(dimension, choice)) for _ in range(_DRAWN)]
        if len(known) < STARTUP or not any(points):
            return points[0]
        best = [one.params for one, _ in sorted(known, key=_rank)[:_BEST]]
        points += [self._near(params, choice) for params in best for _ in range(_AROUND)]
        seen = [located(self._space, one.params) for one, _ in known]
        tried = [located(self._space, params) for params in points]
        columns = _columns([*seen, *tried])
        # Threads of matrices as small as these wait for each other, and another number of them rounds otherwise.
        with threadpool_limits(1):
            promise = _promise(_encoded(seen, columns), known, _encoded(tried, columns))
        branches = [tuple(sorted(one)) for one in tried]
        every = sorted(set(branches))
        if len(every) > 1 and choice.random() < _ELSEWHERE:
            chosen = choice.choice(every)
            promise = np.where([one == chosen for one in branches], promise, -np.inf)
        return points[int(np.argmax(promise))]

    def _near(self, params: Mapping[str, Value], choice: random.Random) -> dict[str, Value]:
        """A point that has most values of another; the rest are moved a little, or drawn anew."""

        def pick(_: str, name: str, dimension: Dimension) -> Value:
            keeps = name in params and dimension.holds(params[name])
            if not keeps or isinstance(dimension, Choice):
                return params[name] if keeps and choice.random() < 0.9 else drawn(dimension, choice)
            if choice.random() < 0.3 or dimension.low == dimension.high:
                return params[name]
            return unscaled(dimension, scaled(dimension, params[name]) + choice.gauss(0, 0.08))

        return walk(self._space, pick)


def _rank(pair: tuple[Told, float]) -> tuple[float, float, int]:
    """Feasible ones first, by their loss; then those that miss their constraints least."""
    one, loss = pair
    return sum(max(by, 0.0) for by in one.violations.values()), loss, one.number


def _subset(known: list[tuple[Told, float]]) -> list[tuple[Told, float]]:
    if len(known) <= _ROWS:
        return known
    ranked = sorted(known, key=_rank)[: _ROWS // 2]
    newest = [pair for pair in known if pair not in ranked][-_ROWS // 2 :]
    return sorted([*ranked, *newest], key=lambda pair: pair[0].number)


def _columns(points: Sequence[Located]) -> list[tuple[str, Any]]:
    """Name, and of choices the value, of each column; in an order that follows from what there is."""
    found: dict[tuple[str, Any], None] = {}
    for point in points:
        for name, (dimension, _) in point.items():
            for value in dimension.values if isinstance(dimension, Choice) else (None,):
                found[name, value] = None
    return sorted(found, key=repr)


def _encoded(points: Sequence[Located], columns: Sequence[tuple[str, Any]]) -> Matrix:
    rows = np.full((len(points), len(columns)), 0.5)
    for row, point in zip(rows, points, strict=True):
        for place, (name, value) in enumerate(columns):
            if name in point:
                dimension, own = point[name]
                if isinstance(dimension, Choice):
                    row[place] = float(own == value)
                elif dimension.low < dimension.high:
                    row[place] = scaled(dimension, own)
    return rows


def _standard(losses: Matrix) -> Matrix:
    """Mean 0 and deviation 1, where a few dreadful trials do not flatten all others."""
    low, middle = float(np.min(losses)), float(np.median(losses))
    clipped = np.minimum(losses, middle + 3 * (middle - low) if middle > low else losses)
    deviation = float(np.std(clipped))
    standard: Matrix = (clipped - np.mean(clipped)) / (deviation or 1.0)
    return standard


def _promise(rows: Matrix, known: Sequence[tuple[Told, float]], candidates: Matrix) -> Matrix:
    """By how much each candidate is expected to be below the least feasible loss, by how probably it is feasible."""
    feasible = np.array([one.feasible for one, _ in known])
    promise = np.ones(len(candidates))
    for name in dict.fromkeys(name for one, _ in known for name in one.violations):
        missed = np.array([one.violations.get(name, 0.0) for one, _ in known])
        deviation = float(np.std(missed)) or 1.0
        mean, spread, _ = _believed(rows, missed / deviation, candidates)
        promise *= ndtr(-mean / spread)
    if not feasible.any():
        return promise
    mean, spread, at_rows = _believed(rows, _standard(np.array([loss for _, loss in known])), candidates)
    # The least mean, not the least target: where values are noisy, the best of them was lucky.
    gain = np.min(at_rows[feasible]) - mean
    z = gain / spread
    improvement: Matrix = gain * ndtr(z) + spread * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return promise * improvement


def _believed(rows: Matrix, targets: Matrix, candidates: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Mean and deviation at each candidate, and the mean at each row."""
    theta = _lengths(rows, targets)
    scale, noise, lengths = math.exp(theta[-2]), math.exp(theta[-1]), np.exp(theta[:-2])
    own = scale * _matern(_squares(rows, rows, lengths))
    factor = cho_factor(own + (noise + _JITTER) * np.eye(len(rows)), lower=True)
    cross = scale * _matern(_squares(candidates, rows, lengths))
    weights = cho_solve(factor, targets)
    variance = scale - np.einsum("ij,ji->i", cross, cho_solve(factor, cross.T))
    return cross @ weights, np.sqrt(np.maximum(variance, 1e-12)), own @ weights


def _lengths(rows: Matrix, targets: Matrix) -> Matrix:
    """Logarithms of the lengths, the scale and the noise that maximise the posterior."""
    count = rows.shape[1]
    start = np.array([*[math.log(0.5 * math.sqrt(count))] * count, 0.0, math.log(1e-2)])
    widths = np.array([*[1.0] * count, 1.0, 2.0])
    differences = (rows[:, None, :] - rows[None, :, :]) ** 2

    def loss(theta: Matrix) -> tuple[float, Matrix]:
        lengths, scale, noise = np.exp(theta[:-2]), math.exp(theta[-2]), math.exp(theta[-1])
        parts = differences / lengths**2
        distance = np.sqrt(5 * parts.sum(axis=2))
        decay = np.exp(-distance)
        body = scale * (1 + distance + distance**2 / 3) * decay
        kernel = body + (noise + _JITTER) * np.eye(len(rows))
        factor = cho_factor(kernel, lower=True)
        weights = cho_solve(factor, targets)
        inner = cho_solve(factor, np.eye(len(rows))) - np.outer(weights, weights)
        away = (theta - start) / widths
        value = 0.5 * targets @ weights + np.log(np.diag(factor[0])).sum() + 0.5 * away @ away
        slope = 0.5 * np.einsum("ij,ijk->k", inner * (scale * 5 / 3 * (1 + distance) * decay), parts)
        gradient = np.array([*slope, 0.5 * np.sum(inner * body), 0.5 * noise * np.trace(inner)]) + away / widths
        return float(value), gradient

    bounds = [(-4.0, 4.0)] * count + [(-3.0, 3.0), (-12.0, 0.0)]
    found: Matrix = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40}).x
    return found


def _squares(left: Matrix, right: Matrix, lengths: Matrix) -> Matrix:
    a, b = left / lengths, right / lengths
    squares: Matrix = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T, 0.0)
    return squares


def _matern(squares: Matrix) -> Matrix:
    distance = np.sqrt(5 * squares)
    kernel: Matrix = (1 + distance + distance**2 / 3) * np.exp(-distance)
    return kernel
