"""Nested cross-validation: how well the whole search does, choice of parameters included, on rows that it never saw."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import msgspec
import numpy as np
import polars as pl

from heptad.core.records import Record
from heptad.data import DatasetVersion
from heptad.experiments import Experiments
from heptad.training.evaluation import labels_of
from heptad.training.fitting import fit
from heptad.training.metrics import measure_named, metric_names, sample_of
from heptad.training.model import decide
from heptad.training.parting import Parting
from heptad.training.search import EstimatorSearch, TrialEnded, estimator_of, with_threshold


class OuterFold(msgspec.Struct, frozen=True, kw_only=True):
    """One outer fold: what its search chose, and how that did on the rows that the search never saw."""

    number: int
    learnt_rows: int
    judged_rows: int
    run: str
    estimator: str
    searched: float | None
    """The metric as the search saw it on its own folds; better than `value` as far as the choice fitted them."""
    value: float | None
    """`None`: the metric is undefined on these rows."""


class NestedResult(msgspec.Struct, frozen=True, kw_only=True):
    """The metric over all outer folds: mean and standard deviation of those where it is defined."""

    metric: str
    better: Literal["higher", "lower"]
    folds: list[OuterFold]
    mean: float | None
    deviation: float | None


def cross_validate(
    experiments: Experiments,
    parting: Parting,
    version: Record[DatasetVersion],
    *,
    seed: int,
    on_trial: Callable[[int, TrialEnded], None] | None = None,
) -> NestedResult:
    """A search in every outer fold, and its best model judged on the rest (S. Varma and R. Simon, 2006).

    Every trial is a run, so that what was interrupted goes on where it was; `on_trial` is told the outer fold, from 1,
    and what ended. All labelled rows take part, those of the holdout too: no model comes of this that a later
    evaluation could be unfair to.
    """
    schema, frame = version.body.schema, parting.labelled(version)
    metric = experiments.settings.metric or metric_names(schema.task, len(schema.classes))[0]
    measure = measure_named(metric, schema.task, len(schema.classes))
    found = []
    for number, outer in enumerate(parting.outer(version, frame), 1):
        learnt, judged = frame[outer.train], frame[outer.judge]
        best = EstimatorSearch(
            experiments,
            version,
            partial(_same, learnt),
            lambda rows: parting.inner(version, rows, experiments.settings.folds),
            seed=seed,
            key=("nested", number, parting.key()),
        ).run(partial(on_trial, number) if on_trial else None)
        estimator, params = estimator_of(best)
        fitted = fit(learnt, schema, estimator, params, seed)
        signature, _ = with_threshold(fitted.signature, best)
        scores = decide(fitted.predict_outputs(judged), signature)
        searched = best.attributes.get(f"metrics.{metric}")
        found.append(
            OuterFold(
                number=number,
                learnt_rows=len(learnt),
                judged_rows=len(judged),
                run=best.id,
                estimator=estimator,
                searched=float(searched) if isinstance(searched, float) else None,
                value=measure.value(sample_of(schema, labels_of(judged, schema), scores)),
            )
        )
    return _result(metric, measure.better, found)


def _same(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def _result(metric: str, better: Literal["higher", "lower"], found: list[OuterFold]) -> NestedResult:
    values = [one.value for one in found if one.value is not None]
    return NestedResult(
        metric=metric,
        better=better,
        folds=found,
        mean=float(np.mean(values)) if values else None,
        deviation=float(np.std(values, ddof=1)) if len(values) > 1 else None,
    )
