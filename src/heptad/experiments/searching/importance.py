"""How much of what trials came to followed from each parameter."""

import warnings
from collections.abc import Sequence

import optuna
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances

from heptad.experiments.searching.records import Importance
from heptad.experiments.searching.samplers import quiet_study
from heptad.experiments.searching.told import Direction, Told


def measure(told: Sequence[Told], direction: Direction, varied: list[str]) -> tuple[list[Importance], str]:
    """The share of each parameter of `varied`, and how it was measured.

    fANOVA (Hutter and others, 2014) where every trial has every parameter, PED-ANOVA (Watanabe and others, 2023) where
    some are conditional. The same trials give the same shares.
    """
    whole = all(name in one.params for one in told for name in varied)
    study = quiet_study([direction])
    distributions = {name: _seen([one.params[name] for one in told if name in one.params]) for name in varied}
    for one in told:
        params = {name: one.params[name] for name in varied if name in one.params}
        study.add_trial(
            optuna.trial.create_trial(
                params=params, distributions={name: distributions[name] for name in params}, value=one.value
            )
        )
    # Fewer than five trials on the good side would be a single one by chance.
    part = min(0.5, max(0.1, 5 / len(told)))
    evaluator = FanovaImportanceEvaluator(seed=0) if whole else PedAnovaImportanceEvaluator(target_quantile=part)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = get_param_importances(study, evaluator=evaluator, params=None if whole else varied)
    how = (
        "fANOVA: shares of the variance over the space"
        if whole
        else f"PED-ANOVA: shares of what set the best {part:.0%} apart"
    )
    return [Importance(name, float(share)) for name, share in shares.items()], how


def _seen(values: Sequence[object]) -> "optuna.distributions.BaseDistribution":
    """The range of the values that were tried, on a logarithmic scale where they span orders of magnitude."""
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < len(values) or len(set(numbers)) == 1:
        return optuna.distributions.CategoricalDistribution(sorted(set(values), key=repr))  # type: ignore[arg-type]
    low, high = min(numbers), max(numbers)
    if all(isinstance(one, int) for one in numbers):
        return optuna.distributions.IntDistribution(int(low), int(high), log=low > 0 and high > 100 * low)
    return optuna.distributions.FloatDistribution(low, high, log=low > 0 and high > 100 * low)
