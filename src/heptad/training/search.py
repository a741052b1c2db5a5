"""Searches for a good estimator: every trial is a run, and what was interrupted goes on where it was."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError, NotFoundError
from heptad.core.records import Record
from heptad.data import DatasetVersion, Fold, Schema
from heptad.experiments import (
    ActiveTrial,
    Branches,
    Choice,
    Ended,
    Experiments,
    Run,
    Search,
    SearchSettings,
    Study,
    StudyPlan,
    Told,
    TrialFailed,
    Value,
    constraint,
    run_study,
)
from heptad.training.balance import BALANCE, NONE
from heptad.training.estimators import known_estimators
from heptad.training.evaluation import labels_of, matching_threshold
from heptad.training.fitting import UNBALANCED, USE, PreparedFold
from heptad.training.metrics import Measure, Sample, measure_named, metric_names, sample_of
from heptad.training.model import DEFAULT_THRESHOLD
from heptad.training.parallel import on_all_cores
from heptad.training.records import Signature
from heptad.training.splits import thin

CHOOSER = "estimator"
"""The parameter that names the estimator; the others are the estimator's own."""


class TrialEnded(msgspec.Struct, frozen=True, kw_only=True):
    """What a watcher of the search is told after each trial. `best` is the best value so far."""

    number: int
    trials: int
    run: str
    estimator: str
    value: float | None
    best: float | None
    seconds: float
    pruned: bool = False
    reason: str = ""

    @property
    def sentence(self) -> str:
        outcome = self.reason if self.pruned else f"failed: {self.reason}"
        if self.value is not None:
            outcome = f"{self.value:.4f}"
        best = "" if self.best is None else f", best {self.best:.4f}"
        return f"trial {self.number + 1} of {self.trials}: {self.estimator} {outcome} in {self.seconds:.1f} s{best}"


class EstimatorSearch:
    """A search over the estimators of the settings; `rows` gives the labelled rows to learn from, asked for once.

    `folds` parts as many of them as the settings take.

    The first trials are each estimator's defaults. A study belongs to its data, settings and seed, but not to how many
    trials are asked for: those that ended are taken as they are, one that was cut off is run again under its number,
    more than there are go on where it ended, and fewer choose among the first of them, so that the best is the same
    whatever was asked before. A trial that raises, or whose metric is undefined on every fold, is recorded as failed
    with its reason, and the search goes on.
    """

    def __init__(
        self,
        experiments: Experiments,
        version: Record[DatasetVersion],
        rows: Callable[[], pl.DataFrame],
        folds: Callable[[pl.DataFrame], list[Fold]],
        *,
        seed: int,
        key: Sequence[Any] = (),
    ) -> None:
        self._experiments, self._version, self._seed = experiments, version, seed
        self._rows, self._folds = rows, folds
        settings, schema = experiments.settings, version.body.schema
        metric = settings.metric or metric_names(schema.task, len(schema.classes))[0]
        self._metrics = tuple(dict.fromkeys([metric, *settings.objectives, *map(_limited, settings.constraints)]))
        measures = [measure_named(name, schema.task, len(schema.classes)) for name in self._metrics]
        self._space, first = space_of(schema, settings)
        wanted = dict.fromkeys([metric, *settings.objectives])
        self._plan = StudyPlan(
            name="search",
            objectives={
                name: "maximize" if measure.better == "higher" else "minimize"
                for name, measure in zip(self._metrics, measures, strict=True)
                if name in wanted
            },
            rules=settings,
            seed=seed,
            data=[version.id],
            key=(version.id, _rules(settings), metric, seed, *key),
            first=first,
        )

    def run(self, on_trial: Callable[[TrialEnded], None] | None = None) -> Record[Run]:
        """Run the trials that are left; answers the best run. `DataError` where none has a value that counts."""
        study, search = run_study(
            self._experiments.workspace,
            self._experiments.environment,
            self._space,
            None,
            self._plan,
            naming=lambda number, params: f"trial {number + 1}: {params[CHOOSER]}",
            prepare=self._objective,
            watch=None if on_trial is None else lambda ended, search: on_trial(self._told(ended, search)),
        )
        # Ones behind those that are asked for now were run when more were.
        runs = [run for run in self._experiments.trials(study.id) if run.body.number < search.trials]
        best = search.best()
        if best is None:
            raise _none_counts(runs, search.told, self._plan.rules.constraints)
        return next(run for run in runs if run.body.number == best.number)

    def _objective(self) -> "FoldsObjective":
        settings, schema = self._experiments.settings, self._version.body.schema
        frame = thin(self._rows(), schema, settings.sample)
        prunes = settings.pruner != "none"
        return FoldsObjective(frame, self._folds(frame), schema, self._metrics, self._seed, prunes=prunes)

    def _told(self, ended: Ended, search: Search) -> TrialEnded:
        told, best = ended.told, search.best()
        return TrialEnded(
            number=told.number,
            trials=search.trials,
            run=ended.run,
            estimator=str(told.params[CHOOSER]),
            value=told.value,
            best=best.value if best else None,
            seconds=told.seconds,
            pruned=told.pruned,
            reason=ended.reason,
        )


def _none_counts(runs: Sequence[Record[Run]], told: Sequence[Told], constraints: Sequence[str]) -> DataError:
    """Why a search has no best trial: where some finished, they break constraints."""
    finished = [one for one in told if one.value is not None]
    if not finished:
        reasons = sorted({str(run.attributes["reason"]) for run in runs if "reason" in run.attributes})
        return DataError(
            f"All {len(runs)} trials of the search failed: " + "; ".join(reasons[:3]),
            remedy="See them with: heptad experiments list. Where the metric is undefined, set another "
            "[search] metric in heptad.toml.",
        )
    nearest = min(finished, key=lambda one: sum(max(by, 0.0) for by in one.violations.values()))
    missed = [f"{figure} by {by:.4g}" for figure, by in nearest.violations.items() if by > 0]
    return DataError(
        f"None of the {len(finished)} trials that finished, of {len(runs)}, keeps to {' and '.join(constraints)}. "
        f"The nearest, trial {nearest.number + 1}, misses {' and '.join(missed)}.",
        remedy="Loosen [search] constraints in heptad.toml, or ask for more trials.",
    )


def space_of(schema: Schema, settings: SearchSettings) -> tuple[Branches, list[dict[str, Value]]]:
    """The space over the estimators of the settings that can do the task, and the defaults of each."""
    known = known_estimators()
    for name in settings.estimators:
        if name not in known:
            raise NotFoundError("estimator", name, known, remedy="Change [search] estimators.")
    fitting = [name for name in settings.estimators if schema.task in known[name].tasks]
    if not fitting:
        raise DataError(
            f"None of the estimators {', '.join(settings.estimators)} can do {schema.task}.",
            allowed=", ".join(name for name, one in known.items() if schema.task in one.tasks),
        )
    shared = _shared(schema, settings)
    space = Branches(CHOOSER, {name: {**known[name].space, **shared} for name in fitting})
    first = {name: dimension.values[0] for name, dimension in shared.items()}
    return space, [{CHOOSER: name, **known[name].defaults, **first} for name in fitting]


def _shared(schema: Schema, settings: SearchSettings) -> dict[str, Choice]:
    """What is searched beside each estimator's own parameters: which features are used, how classes are balanced."""
    return _uses_of(schema, settings) | _ways_to_balance(schema, settings)


def _uses_of(schema: Schema, settings: SearchSettings) -> dict[str, Choice]:
    known = [column.name for column in schema.features()]
    for name in settings.features:
        if name not in known:
            raise NotFoundError("feature", name, known, remedy="Change [search] features.")
    if set(known) == set(settings.features):
        raise DataError(
            "[search] features names every feature, so that a model could be left with none.",
            remedy="leave one out that is always used",
        )
    return {USE + name: Choice((True, False)) for name in settings.features}


def _ways_to_balance(schema: Schema, settings: SearchSettings) -> dict[str, Choice]:
    """How classes are balanced; none where nothing is to be done."""
    if settings.balance == (NONE,):
        return {}
    if schema.task != "classification":
        raise DataError(f"Classes cannot be balanced: {schema.target!r} asks for {schema.task}.", remedy=UNBALANCED)
    return {BALANCE: Choice(settings.balance)}


def best_of_each(own: Record[Run], runs: Sequence[Record[Run]], study: Study) -> list[Record[Run]]:
    """A run, then the best finished run of each other estimator of its study, best first."""
    sign = 1 if study.direction == "maximize" else -1
    scored = [
        (sign * float(value), run)
        for run in runs
        if run.attributes.get("status") == "finished"
        and isinstance(value := run.attributes.get(f"metrics.{study.metric}"), float)
    ]
    found = {own.body.params[CHOOSER]: own}
    for _, run in sorted(scored, key=lambda one: (-one[0], one[1].body.number)):
        found.setdefault(run.body.params[CHOOSER], run)
    return list(found.values())


def estimator_of(run: Record[Run]) -> tuple[str, dict[str, Any]]:
    """What a run of a search would train; raises `DataError` for a run that names no estimator."""
    params = dict(run.body.params)
    if CHOOSER not in params:
        raise DataError(
            f"Run {run.id} ({run.body.name}) names no estimator, so nothing can be trained from it.",
            allowed=f"a run with a parameter {CHOOSER!r}, as those of a search are",
        )
    return str(params.pop(CHOOSER)), params


def with_threshold(signature: Signature, run: Record[Run]) -> tuple[Signature, str]:
    """The signature with the threshold that the run's folds suggest, and how it was chosen in words."""
    if len(signature.classes) != 2:
        return signature, ""
    suggested = run.attributes.get("metrics.threshold")
    if suggested is None:
        return msgspec.structs.replace(
            signature, threshold=DEFAULT_THRESHOLD
        ), "one half, as nothing suggests another threshold"
    reason = (
        "so that on the folds of the search, whose rows are not judged here, it was answered as often as it was true"
    )
    return msgspec.structs.replace(signature, threshold=float(suggested)), reason


class FoldsObjective:
    """Scores parameters on folds that are prepared once, in the process that runs the trials.

    With `prunes` the folds are judged one after the other, and each is reported.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        folds: Sequence[Fold],
        schema: Schema,
        metrics: Sequence[str],
        seed: int,
        *,
        prunes: bool = False,
    ) -> None:
        self._given = frame, list(folds), schema, tuple(metrics), seed, prunes
        self._schema, self._metrics, self._seed, self._prunes = schema, tuple(metrics), seed, prunes

    def __reduce__(self) -> tuple[Any, ...]:
        # To another process goes what the folds are made from, and they are prepared there.
        return _restored, self._given

    @cached_property
    def _folds(self) -> list[tuple[PreparedFold, Sequence[Any]]]:
        frame, folds = self._given[:2]
        return [
            (PreparedFold(frame[fold.train], judged, self._schema), labels_of(judged, self._schema))
            for fold in folds
            for judged in [frame[fold.judge]]
        ]

    @cached_property
    def _measures(self) -> list[Measure]:
        return [measure_named(name, self._schema.task, len(self._schema.classes)) for name in self._metrics]

    def __call__(self, trial: ActiveTrial) -> dict[str, float]:
        """The mean over the folds of each metric; fails where one has no value on any."""
        samples = self._samples(trial)
        threshold = self._threshold(samples)
        if threshold is not None:
            samples = [replace(sample, predicted=(sample.scores >= threshold).astype(int)) for sample in samples]
            trial.log(threshold=threshold)
        measures = zip(self._metrics, self._measures, strict=True)
        return {name: self._mean(name, measure, samples, trial) for name, measure in measures}

    def _samples(self, trial: ActiveTrial) -> list[Sample]:
        own = {name: value for name, value in trial.params.items() if name != CHOOSER}

        def judged(fold: tuple[PreparedFold, Sequence[Any]]) -> Sample:
            prepared, labels = fold
            return sample_of(self._schema, labels, prepared.score(str(trial.params[CHOOSER]), own, self._seed))

        if not self._prunes:
            return on_all_cores(judged, self._folds)
        samples: list[Sample] = []
        for step, fold in enumerate(self._folds):
            samples.append(judged(fold))
            values = [value for sample in samples if (value := self._measures[0].value(sample)) is not None]
            if values:
                trial.report(float(np.mean(values)), step)
        return samples

    def _mean(self, name: str, measure: Measure, samples: Sequence[Sample], trial: ActiveTrial) -> float:
        found = [measure.value(sample) for sample in samples]
        values = [value for value in found if value is not None]
        for number, value in enumerate(found):
            if value is not None:
                trial.log(number, **{f"fold.{name}": value})
        if not values:
            raise TrialFailed(f"{name} is undefined on every fold: it needs {measure.needs}.")
        return float(np.mean(values))

    def _threshold(self, samples: list[Sample]) -> float | None:
        """Where all folds' judged rows suggest it; accuracy is searched, and so judged, at one half."""
        if len(self._schema.classes) != 2 or self._metrics[0] == "accuracy":
            return None
        return matching_threshold(joined(samples))


def _restored(
    frame: pl.DataFrame, folds: Sequence[Fold], schema: Schema, metrics: Sequence[str], seed: int, prunes: bool
) -> FoldsObjective:
    return FoldsObjective(frame, folds, schema, metrics, seed, prunes=prunes)


def joined(samples: Sequence[Sample]) -> Sample:
    """The rows of several samples as one."""
    parts = {
        name: np.concatenate([getattr(sample, name) for sample in samples])
        for name in ("truth", "scores", "predicted", "probabilities")
    }
    return Sample(**parts, classes=samples[0].classes)


def _rules(settings: SearchSettings) -> dict[str, Any]:
    """What makes a search another one: all settings but how long it goes on, and where it runs.

    Rules that came later count where they are set, so that studies begun before them go on.
    """
    rules: dict[str, Any] = msgspec.to_builtins(settings)
    for name in ("trials", "budget", "cost", "processes", "timeout", "memory"):
        del rules[name]
    later = ("features", "pruner", "objectives", "constraints", "warm_start")
    unset = msgspec.to_builtins(SearchSettings())
    return {name: value for name, value in rules.items() if name not in later or value != unset[name]}


def _limited(text: str) -> str:
    """The metric that a constraint is about."""
    return constraint(text).figure
