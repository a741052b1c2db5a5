"""Searches for a good estimator: every trial is a run, and what was interrupted goes on where it was."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError, NotFoundError
from heptad.core.records import Record
from heptad.data import DatasetVersion, Fold, Schema
from heptad.experiments import (
    Branches,
    Choice,
    Experiments,
    Run,
    Search,
    SearchSettings,
    Study,
    Told,
    Trial,
    Value,
    describe_space,
)
from heptad.training.balance import BALANCE, NONE
from heptad.training.estimators import known_estimators
from heptad.training.evaluation import labels_of, matching_threshold
from heptad.training.fitting import UNBALANCED, PreparedFold
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
    reason: str = ""

    @property
    def sentence(self) -> str:
        outcome = f"failed: {self.reason}" if self.value is None else f"{self.value:.4f}"
        best = "" if self.best is None else f", best {self.best:.4f}"
        return f"trial {self.number + 1} of {self.trials}: {self.estimator} {outcome} in {self.seconds:.1f} s{best}"


class _Outcome(msgspec.Struct, frozen=True):
    """A trial's value, the decision threshold that its folds suggest, and the reason where it has no value."""

    value: float | None
    threshold: float | None = None
    reason: str = ""


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
        self._metric = settings.metric or metric_names(schema.task, len(schema.classes))[0]
        self._measure = measure_named(self._metric, schema.task, len(schema.classes))
        space, first = space_of(schema, settings)
        self._study = experiments.start_study(
            _study(settings, self._metric, self._measure, space, seed),
            key=(version.id, _rules(settings), self._metric, seed, *key),
            made_from=[("data", version.id)],
        )
        self._search = Search(
            space,
            sampler=settings.sampler,
            trials=settings.trials,
            seed=seed,
            direction=self._study.body.direction,
            first=first,
            told=[
                _told(run, self._metric)
                for run in experiments.trials(self._study.id)
                if run.body.number < settings.trials
            ],
        )

    def run(self, on_trial: Callable[[TrialEnded], None] | None = None) -> Record[Run]:
        """Run the trials that are left; answers the best run. `DataError` where every trial failed."""
        objective: _Objective | None = None
        while trial := self._search.ask():
            if objective is None:
                settings, schema = self._experiments.settings, self._version.body.schema
                frame = thin(self._rows(), schema, settings.sample)
                objective = _Objective(frame, self._folds(frame), schema, self._metric, self._measure, self._seed)
            ended = self._try(trial, objective)
            if on_trial is not None:
                on_trial(ended)
        return self._best()

    def _try(self, trial: Trial, objective: "_Objective") -> TrialEnded:
        run = self._experiments.start(
            f"trial {trial.number + 1}: {trial.params[CHOOSER]}",
            experiment=self._study.body.name,
            params=trial.params,
            study=self._study.id,
            number=trial.number,
            seed=self._seed,
            made_from=[("data", self._version.id)],
            key=(self._study.id, trial.number),
        )
        started = time.perf_counter()
        outcome = objective(trial.params, run.log)
        seconds = time.perf_counter() - started
        if outcome.value is not None:
            figures = {self._metric: outcome.value, "seconds": seconds}
            if outcome.threshold is not None:
                figures["threshold"] = outcome.threshold
            run.log(figures)
        run.finish("finished" if outcome.value is not None else "failed", outcome.reason, must_arrive=True)
        self._search.tell(trial.number, outcome.value)
        best = self._search.best()
        return TrialEnded(
            number=trial.number,
            trials=self._search.trials,
            run=run.id,
            estimator=str(trial.params[CHOOSER]),
            value=outcome.value,
            best=best.value if best else None,
            seconds=seconds,
            reason=outcome.reason,
        )

    def _best(self) -> Record[Run]:
        runs = self._experiments.trials(self._study.id)
        best = self._search.best()
        if best is None:
            reasons = sorted({str(run.attributes.get("reason", "")) for run in runs})
            raise DataError(
                f"All {len(runs)} trials of the search failed: " + "; ".join(reasons[:3]),
                remedy="See them with: heptad experiments list. Where the metric is undefined, set another "
                "[search] metric in heptad.toml.",
            )
        return next(run for run in runs if run.body.number == best.number)


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
    shared = _balance_of(schema, settings)
    space = Branches(CHOOSER, {name: {**known[name].space, **shared} for name in fitting})
    first = {name: dimension.values[0] for name, dimension in shared.items()}
    return space, [{CHOOSER: name, **known[name].defaults, **first} for name in fitting]


def _balance_of(schema: Schema, settings: SearchSettings) -> dict[str, Choice]:
    """How classes are balanced, as a dimension beside those of each estimator; none where nothing is to be done."""
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


class _Objective:
    """Scores parameters on folds that are prepared once."""

    def __init__(
        self, frame: pl.DataFrame, folds: Sequence[Fold], schema: Schema, metric: str, measure: Measure, seed: int
    ) -> None:
        self._schema, self._metric, self._measure, self._seed = schema, metric, measure, seed
        self._folds = []
        for fold in folds:
            train, judged = frame[fold.train], frame[fold.judge]
            self._folds.append((PreparedFold(train, judged, schema), labels_of(judged, schema)))

    def __call__(self, params: dict[str, Value], log: Callable[..., None]) -> _Outcome:
        own = {name: value for name, value in params.items() if name != CHOOSER}

        def judged(fold: tuple[PreparedFold, Sequence[Any]]) -> Sample:
            prepared, labels = fold
            return sample_of(self._schema, labels, prepared.score(str(params[CHOOSER]), own, self._seed))

        try:
            samples = on_all_cores(judged, self._folds)
        except Exception as error:  # noqa: BLE001 - whatever a model raises is a trial that failed, and the search goes on
            return _Outcome(None, reason=f"{type(error).__name__}: {error}")
        threshold = self._threshold(samples)
        if threshold is not None:
            samples = [replace(sample, predicted=(sample.scores >= threshold).astype(int)) for sample in samples]
        found = [self._measure.value(sample) for sample in samples]
        values = [value for value in found if value is not None]
        for number, value in enumerate(found):
            if value is not None:
                log({f"fold.{self._metric}": value}, step=number)
        if not values:
            return _Outcome(None, reason=f"{self._metric} is undefined on every fold: it needs {self._measure.needs}.")
        return _Outcome(float(np.mean(values)), threshold)

    def _threshold(self, samples: list[Sample]) -> float | None:
        """Where all folds' judged rows suggest it; accuracy is searched, and so judged, at one half."""
        if len(self._schema.classes) != 2 or self._metric == "accuracy":
            return None
        return matching_threshold(joined(samples))


def joined(samples: Sequence[Sample]) -> Sample:
    """The rows of several samples as one."""
    parts = {
        name: np.concatenate([getattr(sample, name) for sample in samples])
        for name in ("truth", "scores", "predicted", "probabilities")
    }
    return Sample(**parts, classes=samples[0].classes)


def _rules(settings: SearchSettings) -> dict[str, Any]:
    """What makes a search another one: all settings but how long it goes on."""
    rules: dict[str, Any] = msgspec.to_builtins(settings)
    del rules["trials"]
    return rules


def _study(settings: SearchSettings, metric: str, measure: Measure, space: Branches, seed: int) -> Study:
    direction: Literal["maximize", "minimize"] = "maximize" if measure.better == "higher" else "minimize"
    return Study(
        name="search",
        metric=metric,
        direction=direction,
        sampler=settings.sampler,
        seed=seed,
        space=describe_space(space),
    )


def _told(run: Record[Run], metric: str) -> Told:
    value = run.attributes.get(f"metrics.{metric}") if run.attributes.get("status") == "finished" else None
    return Told(run.body.number, run.body.params, None if value is None else float(value))
