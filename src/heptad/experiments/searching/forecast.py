"""Whether more trials would help: how often they did in searches whose trials lay like these."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from heptad.experiments.searching.records import Forecast
from heptad.experiments.searching.told import Direction, sign_of

Losses: TypeAlias = npt.NDArray[np.float64]
LEAST = 12
"""Finished trials, before which nothing is said."""
_WORTH = 0.02
"""Of the way from the median of the first third of the trials to the best: a smaller gain is not worth a trial."""
_LEARNT = ((0.04, 0.25, 6.3), (0.08, 0.37, 3.3), (np.inf, 0.52, 2.3))
"""How near the best tenth lies to the best, on that way: up to where; how often half as many more trials of `tpe` or
`cmaes` gained more than that is worth; and how many times as far as the best tenth lies 19 of 20 gained at most.
Counted in 600 searches of six functions, after 16 to 60 trials. Of three other functions, more trials gained noticeably
in 62%, 44% and 18% where this says yes, perhaps and no, and 92% gained no more than it says."""
_BY_CHANCE = ((0.04, 0.22, 5.7), (0.08, 0.28, 3.4), (np.inf, 0.27, 1.1))
"""The same of 1,800 searches by chance: from how their trials lie it does not follow whether more would help."""


def forecast(
    values: Sequence[float],
    direction: Direction,
    *,
    learns: bool,
    more: int = 0,
    noise: float | None = None,
) -> Forecast:
    """What `more` trials (0: half as many) would gain, from the feasible values of the finished ones in order.

    In a search by chance the next trials beat the best as often whatever the trials before came to, so nothing is said
    of it but how often that is. Where the sampler learns, it gains less often once its best trials lie close together.
    `noise` is the standard error of the best value, where that is known: differences below it cannot be seen.
    """
    losses = sign_of(direction) * np.asarray(values, dtype=np.float64)
    if len(losses) < LEAST:
        return Forecast(
            verdict="cannot say",
            sentence=f"Whether more trials would help cannot be said after {len(losses)}: it takes {LEAST}.",
        )
    more = more or max(5, len(losses) // 2)
    near = _near(losses)
    evidence = [_since(losses)]
    if noise is not None and near < noise:
        sentence = (
            f"{more} more trials would hardly help: the best tenth of the trials differs by {near:.2g}, less than "
            f"the noise of measuring ({noise:.2g})."
        )
        return Forecast(verdict="no", trials=more, high=near, sentence=sentence, evidence=evidence)
    chance, high = _expected(losses, learns=learns)
    if len(losses) * 2 // 3 >= LEAST:
        evidence.append(_checked(losses, learns=learns))
    verdict: Literal["yes", "perhaps", "no", "cannot say"]
    if not learns:
        verdict, words = "cannot say", "Whether more trials help cannot be told of a search by chance"
    elif chance > 0.5:
        verdict, words = "yes", "More trials are worth a try"
    elif chance > 0.3:
        verdict, words = "perhaps", "More trials may help"
    else:
        verdict, words = "no", "More trials would hardly help"
    sentence = (
        f"{words}: {more} more gained noticeably in {chance:.0%} of the searches that lay like this one, "
        f"and at most {high:.2g} in nine of ten."
    )
    return Forecast(verdict=verdict, chance=chance, trials=more, high=high, sentence=sentence, evidence=evidence)


def _near(losses: Losses) -> float:
    """How far the best tenth of the trials, of at least three, lies from the best."""
    place = max(2, len(losses) // 10)
    return float(np.partition(losses, place)[place] - losses.min())


def _expected(losses: Losses, *, learns: bool) -> tuple[float, float]:
    """How often more trials gained noticeably, and at most how much, where the best tenth lay as near."""
    way = _way(losses)
    near = _near(losses)
    share = near / way if way > 0 else 0.0
    chance, times = next((chance, times) for upto, chance, times in (_LEARNT if learns else _BY_CHANCE) if share < upto)
    return chance, times * max(near, way / 1000)


def _way(losses: Losses) -> float:
    """From the median of the first third of the trials, of at least ten, to the best."""
    return float(np.median(losses[: max(10, len(losses) // 3)]) - losses.min())


def _since(losses: Losses) -> str:
    best = np.minimum.accumulate(losses)
    last = int(np.argmin(losses))
    half = len(losses) // 2
    return (
        f"The best came with the {last + 1}. of {len(losses)} trials that count; "
        f"the second half of them gained {best[half - 1] - best[-1]:.2g}."
    )


def _checked(losses: Losses, *, learns: bool) -> str:
    """The same estimate at two thirds, and what followed."""
    known = 2 * len(losses) // 3
    _, high = _expected(losses[:known], learns=learns)
    gained = float(losses[:known].min() - losses.min())
    return f"After {known} trials it would have said at most {high:.2g} for the rest; they gained {gained:.2g}."
