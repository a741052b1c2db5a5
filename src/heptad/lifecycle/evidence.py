"""Evidence that may be looked at after every row: an e-process against "not worse by more than the allowed harm".

Idea: bet against the claim. Let `d_t` in [-1, 1] say how much better the challenger was in step `t`, and claim
`E[d_t | past] >= -harm`. With `x_t = -harm - d_t`, the capital of a gambler who stakes the share `b` each time,
`prod(1 + b * x_t)`, is a supermartingale under the claim as long as `0 <= b < 1 / (1 + harm)`: he cannot expect to
win. A mixture of such gamblers is one too, and finds by itself the stake that suits the unknown spread. By Ville's
inequality the capital ever reaches 20 with a chance of at most 1/20 where the claim is true, whenever one looks and
however one decides to stop. I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
JRSS B 86 (2024), arXiv:2010.09686; J. Ville, "Étude critique de la notion de collectif" (1939).

The promise needs rows in an order that never changes afterwards, and steps whose expectation does not hang on the
moment: a bad day is no bad model. Rows are therefore drawn from a pool that mixes days, see `drawn`.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from heptad.core.settings import Task
from heptad.monitoring import TrialRows

Floats: TypeAlias = NDArray[np.float64]

ENOUGH = 20.0
"""An e-value from which a trial stops: at most one in twenty harmless challengers ever reaches it."""

STAKES = np.array([0.9, 0.5, 0.25, 0.12, 0.06, 0.03])
"""Shares of the capital that the mixed gamblers stake, in units of the largest that cannot ruin them."""

_LARGEST_LOG_LOSS = float(-np.log(0.01))
_LARGEST_ERROR = 4.0
"""Errors of a regression count up to this many times the scale (squared: its square)."""


def capital(differences: Floats, harm: float) -> Floats:
    """The e-process `(n,)` after each of the `(n,)` differences in [-1, 1]; positive is better for the challenger."""
    if len(differences) == 0:
        return np.empty(0)
    wins = -harm - differences
    each = np.log1p((STAKES / (1 + harm))[:, None] * wins[None, :]).cumsum(axis=1)
    largest = each.max(axis=0)
    # Capital beyond e^500 says nothing more and would overflow.
    return np.asarray(np.exp(np.minimum(largest, 500.0)) * np.exp(each - largest).mean(axis=0), dtype=np.float64)


def drawn(periods: NDArray[np.int64], over: int, seed: int, *, last: bool) -> list[NDArray[np.int64]]:
    """The rows that are looked at after each period: half of all that wait, at random, so that periods mix.

    `periods` `(n,)` says in which period, counted from 0, each row's label became known; periods below `over` are
    over. The answer has the positions of rows for each of them; with `last` one more entry, all other rows. What was
    drawn after a period never changes: it depends on the rows up to then and on the seed, never on scores.
    Neighbours in time share weather, crowds and faults. Of 38 weeks of flights and three challengers each, in order of
    time 7 of 60 trials of a harmless one were stopped by log loss, mixed 3; in order of time 13 of 27 that lost more
    than 0.03 of ROC AUC were stopped, mixed 21.
    """
    waiting = np.empty(0, dtype=np.int64)
    draws = []
    for period in range(over):
        waiting = np.concatenate([waiting, np.flatnonzero(periods == period)])
        waiting = np.random.default_rng([seed, period]).permutation(waiting)
        half = len(waiting) // 2
        draws.append(waiting[:half])
        waiting = waiting[half:]
    return [*draws, np.concatenate([waiting, np.flatnonzero(periods >= over)])] if last else draws


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """Differences between challenger and champion in [-1, 1], and after how many rows each was complete."""

    differences: Floats
    rows: NDArray[np.int64]
    unit: float
    """One of these is this much of the metric: the harm is divided by it before it is compared."""


Losses: TypeAlias = Callable[[Floats, Floats], Floats]
"""Outcomes and scores `(n,)` to losses `(n,)` between 0 and 1."""


class Scale(msgspec.Struct, frozen=True):
    """A loss of single rows that stands for a metric; `unit` of the metric is a loss of 1."""

    losses: Losses
    unit: float


def _brier(outcomes: Floats, scores: Floats) -> Floats:
    return np.asarray((outcomes - scores) ** 2, dtype=np.float64)


def _log_loss(outcomes: Floats, scores: Floats) -> Floats:
    """Cross entropy over its largest value, with probabilities kept between 0.01 and 0.99."""
    given = np.clip(np.where(outcomes == 1, scores, 1 - scores), 0.01, 0.99)
    return np.asarray(-np.log(given) / _LARGEST_LOG_LOSS, dtype=np.float64)


def steps(metric: str, task: Task, rows: TrialRows, scale: float) -> Steps:
    """What each step of a trial adds, judged by a bounded stand-in of the metric.

    ROC AUC and average precision: the smallest runs of rows in which both sides have both outcomes, and in each the
    difference of the share of pairs in right order; its mean is the difference in ROC AUC. Log loss: itself, with
    probabilities kept between 0.01 and 0.99. Every other metric of classes: the Brier score. Regression: the squared
    error for RMSE, else the absolute error, relative to `scale` (the champion's RMSE or mean absolute
    error at release) and cut off at four times that; the harm is then a share of it.
    Where both sides scored the same rows, each row is a step; where a row went to one of them, a step ends as soon
    as both have had one, and their means are compared.
    """
    if task == "classification" and metric in {"roc_auc", "average_precision"}:
        return _by_pairs(rows)
    chosen = _scale(metric, task, scale)
    sides = [
        np.where(np.isnan(side), np.nan, chosen.losses(rows.outcomes, side))
        for side in (rows.champion, rows.challenger)
    ]
    paired = ~np.isnan(sides[0]) & ~np.isnan(sides[1])
    if paired.all():
        return Steps(differences=sides[0] - sides[1], rows=np.arange(1, len(rows) + 1), unit=chosen.unit)
    return _by_turns(sides[0], sides[1], chosen.unit)


def _scale(metric: str, task: Task, scale: float) -> Scale:
    if task == "classification":
        return Scale(_log_loss, _LARGEST_LOG_LOSS) if metric == "log_loss" else Scale(_brier, 1.0)
    if metric == "rmse":
        # A relative growth h of the root is one of about 2 h of the square.
        largest = _LARGEST_ERROR**2
        return Scale(
            lambda outcomes, scores: np.minimum(((outcomes - scores) / scale) ** 2, largest) / largest, largest / 2
        )
    return Scale(
        lambda outcomes, scores: np.minimum(np.abs(outcomes - scores) / scale, _LARGEST_ERROR) / _LARGEST_ERROR,
        _LARGEST_ERROR,
    )


def _by_turns(champion: Floats, challenger: Floats, unit: float) -> Steps:
    """Differences of the mean losses of the shortest runs in which both sides have a row."""
    differences, ends, start = [], [], 0
    had = [False, False]
    for row in range(len(champion)):
        had[0] |= not np.isnan(champion[row])
        had[1] |= not np.isnan(challenger[row])
        if all(had):
            run = slice(start, row + 1)
            differences.append(float(np.nanmean(champion[run]) - np.nanmean(challenger[run])))
            ends.append(row + 1)
            start, had = row + 1, [False, False]
    return Steps(differences=np.array(differences), rows=np.array(ends, dtype=np.int64), unit=unit)


def _by_pairs(rows: TrialRows) -> Steps:
    """Differences in ROC AUC within the shortest runs in which both sides have both outcomes."""
    scored = [~np.isnan(side) for side in (rows.champion, rows.challenger)]
    positive = rows.outcomes == 1
    differences, ends, start = [], [], 0
    missing = {(side, outcome) for side in (0, 1) for outcome in (False, True)}
    wanted = set(missing)
    for row in range(len(positive)):
        wanted -= {(side, bool(positive[row])) for side in (0, 1) if scored[side][row]}
        if not wanted:
            run = slice(start, row + 1)
            areas = [_area(positive[run], side[run]) for side in (rows.champion, rows.challenger)]
            differences.append(areas[1] - areas[0])
            ends.append(row + 1)
            start, wanted = row + 1, set(missing)
    return Steps(differences=np.array(differences), rows=np.array(ends, dtype=np.int64), unit=1.0)


def _area(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Share of pairs of a positive and a negative row in right order, ties half; rows without score left out."""
    scored = ~np.isnan(scores)
    above = scores[positive & scored][:, None] - scores[~positive & scored][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())
