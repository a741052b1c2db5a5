"""The report on a study, read off its trials: nothing of it is kept, so that it is right at any time."""

import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
import optuna
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances

from heptad.core.query import equals
from heptad.core.records import Id, Record
from heptad.experiments.records import Run, Study
from heptad.experiments.run_table import RunTable
from heptad.experiments.searching.forecast import forecast
from heptad.experiments.searching.records import Importance, StudyReport, TrialResult
from heptad.experiments.searching.samplers import quiet_study
from heptad.experiments.searching.told import Direction, Told, pareto_front, sign_of

_LEAST = 10
"""Finished trials, before which nothing is said of importance."""


def report_on(table: RunTable, study: Record[Study]) -> StudyReport:
    """What came of a study by now."""
    body, objectives = study.body, study.body.objectives_by_name()
    runs = sorted(table.every(equals(study=study.id), None), key=lambda run: run.body.number)
    told = {run.id: one for run in runs if (one := _finished(run, list(objectives))) is not None}
    numbers = {run.body.number: run for run in runs}
    beaten_by_none = pareto_front(list(told.values()), list(objectives.values()))
    front = [_result(numbers[one.number].id, one, list(objectives)) for one in beaten_by_none]
    first = next(iter(objectives))
    best = min(front, key=lambda one: (sign_of(body.direction) * one.values[first], one.number), default=None)
    values = [one.value for one in told.values() if one.value is not None]
    importances, how = _importances(list(told.values()), body.direction)
    statuses = Counter(str(run.attributes.get("status")) for run in runs)
    reasons = Counter(str(run.attributes.get("reason")) for run in runs if run.attributes.get("status") == "failed")
    links = table.workspace.store.trace([study.id], "out", ("warm_start",))
    return StudyReport(
        study=study.id,
        name=body.name,
        objectives=objectives,
        sampler=body.sampler,
        pruner=body.pruner,
        constraints=body.constraints,
        finished=statuses["finished"],
        failed=statuses["failed"],
        pruned=sum("pruned" in run.attributes for run in runs),
        running=statuses["running"],
        infeasible=sum(not one.feasible for one in told.values()),
        seconds=sum(float(run.attributes.get("metrics.seconds") or 0.0) for run in runs),
        reasons=dict(reasons.most_common(10)),
        best=best,
        front=front,
        importances=importances,
        importance_by=how,
        more=forecast(values, body.direction, _noise(table, best, body.metric)),
        warm_start={
            link.target: float(study.attributes.get(f"similarity.{link.target}") or 0.0)
            for link in links
            if link.source == study.id
        },
    )


def _finished(run: Record[Run], names: Sequence[str]) -> Told | None:
    found = [run.attributes.get(f"metrics.{name}") for name in names]
    values = tuple(float(one) for one in found if isinstance(one, int | float))
    if run.attributes.get("status") != "finished" or len(values) != len(names):
        return None
    violations = {
        key: float(value)
        for key, value in run.attributes.items()
        if key.startswith("violation.") and isinstance(value, int | float)
    }
    return Told(run.body.number, run.body.params, values[0], values if len(values) > 1 else (), violations)


def _result(run: Id, told: Told, names: Sequence[str]) -> TrialResult:
    values = dict(zip(names, told.all_values, strict=True))
    return TrialResult(run=run, number=told.number, params=told.params, values=values)


def _importances(told: Sequence[Told], direction: Direction) -> tuple[list[Importance], str]:
    """Of the first objective: fANOVA where every trial has every parameter, PED-ANOVA where some are conditional."""
    varied = [name for name in _names(told) if len({repr(one.params.get(name)) for one in told}) > 1]
    if len(told) < _LEAST:
        return [], f"not measured: it takes {_LEAST} finished trials, and there are {len(told)}"
    if not varied or len({one.value for one in told}) == 1:
        return [], "not measured: nothing varied"
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


def _names(told: Sequence[Told]) -> list[str]:
    return list(dict.fromkeys(name for one in told for name in one.params))


def _seen(values: Sequence[object]) -> "optuna.distributions.BaseDistribution":
    """The range of the values that were tried, on a logarithmic scale where they span orders of magnitude."""
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < len(values) or len(set(numbers)) == 1:
        return optuna.distributions.CategoricalDistribution(sorted(set(values), key=repr))  # type: ignore[arg-type]
    low, high = min(numbers), max(numbers)
    if all(isinstance(one, int) for one in numbers):
        return optuna.distributions.IntDistribution(int(low), int(high), log=low > 0 and high > 100 * low)
    return optuna.distributions.FloatDistribution(low, high, log=low > 0 and high > 100 * low)


def _noise(table: RunTable, best: TrialResult | None, metric: str) -> float | None:
    """The standard error of the best value over its folds, where it has some."""
    if best is None:
        return None
    folds = [one for one in table.metric_series(best.run, f"fold.{metric}").values if np.isfinite(one)]
    return float(np.std(folds, ddof=1) / np.sqrt(len(folds))) if len(folds) > 1 else None
