"""The report on a study, read off its trials: nothing is kept but for what they alone decide, so it is always right."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
import numpy as np

from heptad.core.errors import WorkspaceError
from heptad.core.files import write_atomically
from heptad.core.query import equals
from heptad.core.records import Id, Record, canonical_json, digest_of
from heptad.core.workspace import Workspace
from heptad.experiments.records import Run, Study
from heptad.experiments.run_table import RunTable
from heptad.experiments.searching.finite import points_left
from heptad.experiments.searching.forecast import forecast
from heptad.experiments.searching.ledger import SECONDS
from heptad.experiments.searching.records import Forecast, Importance, StudyReport, TrialResult
from heptad.experiments.searching.told import Told, pareto_front, sign_of

LEAST: Final = 10
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
    importances, how = _importances(table.workspace, list(told.values()), body)
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
        seconds=sum(float(run.attributes.get(SECONDS) or 0.0) for run in runs),
        reasons=dict(reasons.most_common(10)),
        best=best,
        front=front,
        importances=importances,
        importance_by=how,
        more=_more(body, runs, list(told.values()), _noise(table, best, body.metric)),
        warm_start={
            link.target: float(study.attributes.get(f"similarity.{link.target}") or 0.0)
            for link in links
            if link.source == study.id
        },
        taken={
            link.target: str(study.attributes[f"taken.{link.target}"])
            for link in links
            if link.source == study.id and f"taken.{link.target}" in study.attributes
        },
    )


def _more(study: Study, runs: Sequence[Record[Run]], told: Sequence[Told], noise: float | None) -> Forecast:
    """Whether more trials would help."""
    left = points_left(study, [run.body.params for run in runs if run.attributes.get("status") != "running"])
    if left is not None and left <= 0:
        where = "the grid" if study.sampler == "grid" else "the space"
        return Forecast(verdict="no", sentence=f"More trials would not help: every point of {where} has been tried.")
    if len(study.objectives_by_name()) > 1:
        return Forecast(
            verdict="cannot say", sentence="Whether more trials would help is not estimated for several objectives."
        )
    feasible = [one.value for one in told if one.value is not None and one.feasible]
    more = max(5, len(told) // 2)
    learns = study.sampler not in ("random", "grid")
    return forecast(
        feasible, study.direction, learns=learns, more=more if left is None else min(more, left), noise=noise
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


def _importances(workspace: Workspace, told: Sequence[Told], study: Study) -> tuple[list[Importance], str]:
    """Of the first objective. What was computed of the same trials before is read, as Optuna takes a second to load."""
    if len(told) < LEAST:
        return [], f"not measured: it takes {LEAST} finished trials, and there are {len(told)}"
    varied = varying(told)
    if not varied or len({one.value for one in told}) == 1:
        return [], "not measured: nothing varied"
    said = canonical_json([_CACHED, study.direction, study.space, [(one.params, one.value) for one in told]])
    path = workspace.cache / _CACHED / f"{digest_of(said)}.json"
    if path.is_file():
        return msgspec.json.decode(path.read_bytes(), type=tuple[list[Importance], str])
    from heptad.experiments.searching import importance  # noqa: PLC0415 - see above

    found = importance.measure(told, study.direction, varied, importance.scales(study.space)), importance.HOW
    # Where nothing can be written it is computed each time, and is as right.
    with suppress(WorkspaceError):
        write_atomically(path, msgspec.json.encode(found))
    return found


_CACHED: Final = "importances-2"
"""Folder of the cache; its number changes with the way they are computed."""


def varying(told: Sequence[Told]) -> list[str]:
    """Parameters that were not the same in every trial."""
    names = dict.fromkeys(name for one in told for name in one.params)
    return [name for name in names if len({repr(one.params.get(name)) for one in told}) > 1]


def _noise(table: RunTable, best: TrialResult | None, metric: str) -> float | None:
    """The standard error of the best value over its folds, where it has some."""
    if best is None:
        return None
    folds = [one for one in table.metric_series(best.run, f"fold.{metric}").values if np.isfinite(one)]
    return float(np.std(folds, ddof=1) / np.sqrt(len(folds))) if len(folds) > 1 else None
