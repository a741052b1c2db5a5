"""How much of what trials came to followed from each parameter."""

import math
import random
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

from heptad.experiments.searching.records import Importance
from heptad.experiments.searching.samplers import quiet_study
from heptad.experiments.searching.told import Direction, Told

HOW = "fANOVA: shares of the variance over the space"
_COPIES, _ROWS = 4, 400
_FIRST = 20


def measure(
    told: Sequence[Told], direction: Direction, varied: Sequence[str], log: Mapping[str, bool]
) -> list[Importance]:
    """The share of each parameter of `varied`, by fANOVA (Hutter and others, 2014). The same trials give the same.

    A parameter that a trial did not have would have changed nothing, whatever it had been: such a trial is taken
    several times, with values of it that are drawn evenly. `log` says which numbers are searched by orders of
    magnitude; of others it is guessed.
    """
    columns = {
        name: _Column([one.params[name] for one in told if name in one.params], log.get(name)) for name in varied
    }
    whole = all(name in one.params for one in told for name in varied)
    copies = 1 if whole else min(_COPIES, max(1, _ROWS // len(told)))
    choice = random.Random(0)
    study = quiet_study([direction])
    distributions = {name: column.distribution for name, column in columns.items()}
    for one in told:
        for _ in range(copies):
            params = {
                name: column.place(one.params[name]) if name in one.params else column.drawn(choice)
                for name, column in columns.items()
            }
            study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=one.value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return [Importance(name, float(share)) for name, share in shares.items()]


def scales(described: Any) -> dict[str, bool]:
    """Which numbers of a space, as its study records it, are searched by orders of magnitude; none of a function."""
    found: dict[str, bool] = {}
    for name, inner in described.items() if isinstance(described, dict) else ():
        if isinstance(inner, dict):
            found |= {name: bool(inner["log"])} if isinstance(inner.get("log"), bool) else scales(inner)
    return found


class _Column:
    """A parameter as a number: of options their place, and the logarithm of what spans orders of magnitude."""

    def __init__(self, values: Sequence[Any], log: bool | None) -> None:
        numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
        self._options = sorted(set(values), key=repr) if len(numbers) < len(values) else []
        self._log = not self._options and min(numbers) > 0 and (_spans_orders(numbers) if log is None else log)
        places = [self.place(one) for one in values]
        self._low, self._high = min(places), max(places)
        self.distribution: BaseDistribution = (
            optuna.distributions.IntDistribution(0, len(self._options) - 1)
            if self._options
            else optuna.distributions.FloatDistribution(self._low, self._high)
        )

    def place(self, value: Any) -> float:
        if self._options:
            return self._options.index(value)
        return math.log(value) if self._log else float(value)

    def drawn(self, choice: random.Random) -> float:
        return choice.randrange(len(self._options)) if self._options else choice.uniform(self._low, self._high)


def _spans_orders(numbers: Sequence[float]) -> bool:
    """By the first ones, before a sampler has learnt: most lie in the lowest tenth of what they span."""
    low, high = min(numbers), max(numbers)
    first = numbers[:_FIRST]
    return high > 100 * low and sum(one < low + (high - low) / 10 for one in first) > len(first) / 2
