"""CMA-ES over some numbers, rebuilt from what was told: nothing of its state is kept anywhere else."""

import math
from collections.abc import Sequence

import cmaes
import numpy as np
import numpy.typing as npt

from heptad.experiments.searching.scaling import Numbers
from heptad.experiments.searching.space import Value
from heptad.experiments.searching.told import Told

Vector = npt.NDArray[np.float64]
_SPREAD = 0.25
"""Of the unit cube, at the start: one standard deviation."""


class CmaSampler:
    """Covariance matrix adaptation (Hansen, 2016) with growing populations after each restart (IPOP, Auger 2005).

    Trials are taken in generations, in the order of their numbers; the points of a generation are drawn from what the
    generations before it taught. `given` trials come before all others and teach only where to begin: at the best of
    them. Failed and pruned trials count as worse than all others. Asked again after the same trials, it draws the same.
    """

    def __init__(self, numbers: Numbers, seed: int, given: int) -> None:
        self._numbers, self._seed, self._given = numbers, seed, given
        self._learnt: list[tuple[int, float]] = []
        self._optimizer: cmaes.CMA | None = None
        self._restarts = 0

    def sample(self, losses: Sequence[tuple[Told, float]], seed: int) -> dict[str, Value]:
        """A point; `losses` are the trials told so far by number, each with its loss (infinite: it failed)."""
        own = [(one, loss) for one, loss in losses if one.number >= self._given]
        known = [(one.number, loss) for one, loss in own]
        optimizer = self._optimizer
        if optimizer is None or known[: len(self._learnt)] != self._learnt:
            self._restarts, self._learnt = 0, []
            optimizer = self._begun([pair for pair in losses if pair[0].number < self._given])
        while len(own) - len(self._learnt) >= optimizer.population_size:
            batch = own[len(self._learnt) : len(self._learnt) + optimizer.population_size]
            self._learnt = known[: len(self._learnt) + len(batch)]
            worst = max((loss for _, loss in batch if math.isfinite(loss)), default=0.0)
            optimizer.tell(
                [
                    (self._numbers.place(one.params), loss if math.isfinite(loss) else worst + abs(worst) + 1.0)
                    for one, loss in batch
                ]
            )
            if optimizer.should_stop():
                self._restarts += 1
                optimizer = self._begun([])
        self._optimizer = optimizer
        optimizer.reseed_rng(seed)
        return self._numbers.values(optimizer.ask())

    def _begun(self, given: Sequence[tuple[Told, float]]) -> "cmaes.CMA":
        count = len(self._numbers)
        finite = [pair for pair in given if math.isfinite(pair[1])]
        mean = np.full(count, 0.5)
        if finite:
            mean = self._numbers.place(min(finite, key=lambda pair: pair[1])[0].params)
        elif self._restarts:
            mean = np.random.default_rng([self._seed, self._restarts]).uniform(0.1, 0.9, count)
        return cmaes.CMA(
            mean=mean,
            sigma=_SPREAD,
            bounds=np.tile([0.0, 1.0], (count, 1)),
            population_size=(4 + int(3 * math.log(count))) * 2**self._restarts,
            seed=self._seed,
        )
