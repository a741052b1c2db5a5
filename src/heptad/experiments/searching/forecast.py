"""Whether more trials would help: what the newest trials let expect, and whether that was right before."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from heptad.experiments.searching.records import Forecast
from heptad.experiments.searching.told import Direction, sign_of

Missed: TypeAlias = Literal["", "below", "above"]
LEAST = 12
"""Finished trials, before which nothing is said."""
_DRAWS = 2000
_WORTH = 0.02
"""Of the way from the median trial to the best: a gain below it is none that anybody would notice."""


def forecast(values: Sequence[float], direction: Direction, noise: float | None = None) -> Forecast:
    """What half as many more trials would gain, from the values of the finished ones in order.

    The idea: from `n` trials to one and a half times as many is the same step as from two thirds of `n` to `n`, and
    that one can be seen. It is drawn many times, by how much the best of all is missed without a third of the newest
    half of the trials, taken at random; and it happened once, which counts for a third. Where a search still learns,
    gains are larger than the estimate, and near an optimum they are smaller. It knows nothing of a region
    that no trial has seen. So the same is done with the first two thirds of the trials, and held against what the last
    third gained. `noise` is the standard error of the best value, where that is known.
    """
    losses = sign_of(direction) * np.asarray(values, dtype=np.float64)
    if len(losses) < LEAST:
        return Forecast(
            verdict="cannot say",
            sentence=f"Whether more trials would help cannot be said after {len(losses)}: it takes {LEAST}.",
        )
    more = max(5, len(losses) // 2)
    gains = _gains(losses)
    low, high = (float(one) for one in np.quantile(gains, [0.05, 0.95]))
    gain, worth = float(gains.mean()), _worth(losses)
    chance = float((gains > worth).mean())
    evidence = [_since(losses)]
    checked = _checked(losses)
    verdict: Literal["yes", "perhaps", "no"]
    verdict, why = ("yes", "") if chance >= 0.3 else ("perhaps", "") if chance >= 0.1 else ("no", "")
    if checked is not None:
        missed, sentence = checked
        evidence.append(sentence)
        if (verdict, missed) in {("yes", "below"), ("no", "above")}:
            verdict, why = "perhaps", f"; before, the gain was {missed} what the same estimate said"
    if noise is not None and verdict != "no" and gain < noise:
        verdict, why = "no", f", less than the noise of measuring ({noise:.2g})"
    words = {"yes": "would probably help", "perhaps": "might help", "no": "would hardly help"}[verdict]
    sentence = f"{more} more trials {words}: about {gain:.2g} better (90%: {low:.2g} to {high:.2g}){why}."
    return Forecast(
        verdict=verdict,
        trials=more,
        gain=gain,
        low=low,
        high=high,
        sentence=sentence,
        evidence=evidence,
    )


def _gains(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Draws of what half as many more trials would gain over the least loss."""
    before, newest = np.split(losses, [len(losses) // 2])
    choice = np.random.default_rng(len(losses))
    shuffled = choice.permuted(np.tile(newest, (_DRAWS, 1)), axis=1)
    kept = shuffled[:, : 2 * len(newest) // 3].min(axis=1)
    drawn = np.minimum(kept, before.min()) - losses.min()
    happened = losses[: 2 * len(losses) // 3].min() - losses.min()
    gains: npt.NDArray[np.float64] = np.append(drawn, np.full(_DRAWS // 2, happened))
    return gains


def _worth(losses: npt.NDArray[np.float64]) -> float:
    return _WORTH * float(np.median(losses) - losses.min())


def _since(losses: npt.NDArray[np.float64]) -> str:
    best = np.minimum.accumulate(losses)
    last = int(np.argmin(losses))
    half = len(losses) // 2
    return (
        f"The best came with the {last + 1}. of {len(losses)} finished trials; "
        f"the second half of them gained {best[half - 1] - best[-1]:.2g}."
    )


def _checked(losses: npt.NDArray[np.float64]) -> tuple[Missed, str] | None:
    """The same estimate at two thirds, and on which side of it lay what followed; empty: within."""
    known = 2 * len(losses) // 3
    if known < LEAST:
        return None
    gains = _gains(losses[:known])
    low, high = (float(one) for one in np.quantile(gains, [0.05, 0.95]))
    gained = float(losses[:known].min() - losses.min())
    missed: Missed = "below" if gained < low - 1e-12 else "above" if gained > high + 1e-12 else ""
    said = f"After {known} trials it would have said {low:.2g} to {high:.2g} for the rest"
    return missed, f"{said}; they gained {gained:.2g}."
