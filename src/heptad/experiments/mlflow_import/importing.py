"""Runs of MLflow as runs here: parameters, tags, every point, data sets, files; done again, what is new."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from heptad.core import graph
from heptad.core.errors import InputError
from heptad.core.query import Compare, Query
from heptad.core.records import Attribute, Change, Id, Link, NewEvent, Record, Scalar
from heptad.core.sql_values import name as stored_name
from heptad.core.sql_values import to_columns
from heptad.core.store import Segment, at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.journal.journal import check_names
from heptad.experiments.mlflow_import.attaching import attach, found_files
from heptad.experiments.mlflow_import.source import (
    MlflowSource,
    Series,
    SourceDataset,
    SourceExperiment,
    SourceRun,
)
from heptad.experiments.naming import experiment_named, find_experiment, numbered_experiment
from heptad.experiments.records import Experiment, LoggedDataset, Run

IMPORTED: Final = "mlflow.run"
"""Attribute of a run that was taken over: its id in MLflow."""
_PARENT: Final = "mlflow.parentRunId"
_GOING_ON: Final = frozenset({"running", "scheduled"})
_CONTEXT: Final = "mlflow.data.context"
_POINTS: Final = 200_000


class TakenRun(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one run of MLflow."""

    run: Id
    """Empty where it was only counted."""
    source: str
    """Its id in MLflow."""
    name: str
    experiment: str
    points: int
    new_points: int
    """Those that were not here before."""
    params: int
    tags: int
    datasets: int
    files: int
    new_files: int
    left_out: dict[str, int]
    """What has no place here, or cannot be read, and how often it was met."""


def import_mlflow(
    workspace: Workspace, source: MlflowSource, experiment: str = "", *, count_only: bool = False
) -> Iterator[TakenRun]:
    """Take over every run, one after the other, into experiments of the same names, or all into `experiment`.

    A run has the same id here wherever it is read from, so that done again this adds what is new and goes on where it
    was interrupted; what was changed here since stays. With `count_only` nothing is written. Raises what the source
    raises; what was taken by then is whole.
    """
    parents: dict[Id, str] = {}
    for found in source.experiments():
        home = None if count_only else home_of(workspace, found, experiment)
        for run in source.runs(found):
            taken = _Taking(workspace, source, run)
            yield taken.all_of_it(home, experiment or found.name)
            if taken.parent:
                parents[taken.run] = taken.parent
    _join(workspace, parents)


def imported_run(workspace: Workspace, source: str) -> Id:
    """The id here of a run of MLflow; empty where it has not been taken over."""
    query = Query(kind=Run.kind, where=Compare(IMPORTED, "=", source), attributes=())
    found = workspace.store.find(query, limit=1).items if source else []
    return found[0].id if found else ""


def home_of(workspace: Workspace, found: SourceExperiment, named: str) -> Record[Experiment]:
    """The experiment that runs go to, with the tags that it has not got yet."""
    default = None if named or found.id != "0" else numbered_experiment(workspace, 0)
    is_new = default is None and find_experiment(workspace, named or found.name) is None
    home = default or experiment_named(workspace, named or found.name)
    if not named:
        new: dict[str, Scalar] = {f"tags.{key}": value for key, value in found.tags.items()}
        if found.deleted and is_new:
            # One of the same name that is in use here is somebody's, and stays.
            new["deleted"] = at_seconds(workspace.clock.now())
        new = {key: value for key, value in new.items() if key not in home.attributes and fits(key, value)}
        if new:
            graph.set_attributes(workspace, home.id, new, "experiments.experiment_changed")
    return home


def _join(workspace: Workspace, parents: Mapping[Id, str]) -> None:
    """Link runs to the runs that they are inside of, and name these by their ids here."""
    for run, source in parents.items():
        parent = imported_run(workspace, source)
        if parent:
            workspace.store.write(
                Change(
                    links=[Link(run, "parent", parent)],
                    attributes=[Attribute(run, f"tags.{_PARENT}", parent)],
                    at=workspace.clock.now(),
                )
            )


class _Taking:
    """Takes one run over. What cannot be kept is counted in `left`."""

    def __init__(self, workspace: Workspace, source: MlflowSource, found: SourceRun) -> None:
        self._workspace, self._source, self._found = workspace, source, found
        self._left: Counter[str] = Counter()
        self._latest: dict[str, Scalar] = {}
        self._points = self._new_points = self._files = self._new_files = 0
        self.run: Id = ""
        self.parent = ""
        """Id in MLflow of the run that it is inside of, where that is not linked here yet."""

    def all_of_it(self, home: Record[Experiment] | None, experiment: str) -> TakenRun:
        record = None if home is None else self._begin(home, experiment)
        self._series(record)
        files = self._attach(record)
        if record is not None:
            self._finish(record, files)
        found = self._found
        return TakenRun(
            run=self.run,
            source=found.id,
            name=found.name,
            experiment=experiment,
            points=self._points,
            new_points=self._new_points,
            params=len(found.params),
            tags=len(found.tags),
            datasets=len(found.datasets),
            files=self._files,
            new_files=self._new_files,
            left_out=dict(sorted(self._left.items())),
        )

    def _begin(self, home: Record[Experiment], experiment: str) -> Record[Run]:
        """The run, found by its id in MLflow wherever it is by now, or begun."""
        found = self._found
        known = imported_run(self._workspace, found.id)
        if known:
            record = graph.load(self._workspace, known, Run)
        else:
            started = found.started / 1000 or at_seconds(self._workspace.clock.now())
            record = graph.save(
                self._workspace,
                Run(name=found.name, experiment=experiment),
                scope=home.body.scope,
                key=("mlflow", found.id),
                # Not ended before everything of it is here.
                attributes={"status": "running", "name": found.name, "started": started, IMPORTED: found.id},
                event="experiments.run_started",
                event_body={"name": found.name},
            )
        self.run = record.id
        return record

    def _series(self, record: Record[Run] | None) -> None:
        for series in self._source.series(self._found):
            try:
                check_names([series.key])
            except InputError:
                self._left["metric without a usable name"] += 1
                continue
            self._points += len(series.steps)
            if series.steps:
                value, at = _newest(series)
                self._latest |= {f"metrics.{series.key}": value, f"latest.{series.key}": at}
            if record is not None:
                self._append(record.id, series)

    def _append(self, run: Id, series: Series) -> None:
        """Add the points that are not here, behind those that are."""
        known = self._workspace.store.read(run, series.key)
        points = [(step, value, at / 1000) for step, value, at in zip(*series[1:], strict=True)]
        new = points
        if known.steps:
            there = Counter(map(_same, zip(known.steps, known.values, known.times, strict=True)))
            new = [one for one in points if not _taken(there, _same(one))]
        self._new_points += len(new)
        for start in range(0, len(new), _POINTS):
            steps, values, times = zip(*new[start : start + _POINTS], strict=True)
            first = len(known.steps) + start
            segment = Segment(record=run, key=series.key, first=first, steps=steps, values=values, times=times)
            self._workspace.store.append([segment])

    def _attach(self, record: Record[Run] | None) -> dict[str, Scalar]:
        """Files that are not here, or have another length here, as attributes."""
        there = found_files(self._source.files(self._found), self._found.artifacts, self._left)
        self._files, self._new_files, attributes = attach(self._workspace, record, there, self._left)
        return attributes

    def _finish(self, record: Record[Run], files: Mapping[str, Scalar]) -> None:
        """What stands beside the run, in one change; of a run that had ended here only what was missing."""
        found, had = self._found, record.attributes
        told: dict[str, Scalar] = {f"params.{key}": value for key, value in found.params.items()}
        told |= {f"tags.{key}": value for key, value in found.tags.items() if key != _PARENT}
        told |= {"user": found.user} if found.user else {}
        told |= {f"outputs.{model}": step for model, step in found.model_outputs.items()}
        told = {key: value for key, value in told.items() if self._keeps(key, value)}
        inputs = [(one, self._dataset(record, one)) for one in found.datasets]
        told |= {f"inputs.{dataset.id}": _tags_of(one) for one, dataset in inputs}
        ended: dict[str, Scalar] = {"status": found.status}
        ended |= {"ended": found.ended / 1000} if found.ended is not None else {}
        ended |= {"deleted": at_seconds(self._workspace.clock.now())} if found.deleted else {}
        going_on = had.get("status") in _GOING_ON
        latest = {key: value for key, value in self._latest.items() if self._new_points or key not in had}
        values = {key: value for key, value in told.items() if going_on or key not in had}
        values |= latest | dict(files) | (ended if going_on else {})
        changed = {key: value for key, value in values.items() if not is_equal(had.get(key), value)}
        parent = found.tags.get(_PARENT, "")
        self.parent = parent if f"tags.{_PARENT}" not in had else ""
        if not changed:
            return
        ends = going_on and found.status not in _GOING_ON
        event = "experiments.run_finished" if ends else "experiments.run_changed"
        self._workspace.store.write(
            Change(
                attributes=[Attribute(record.id, key, value) for key, value in changed.items()],
                links=[Link(record.id, "data", dataset.id) for _, dataset in inputs],
                events=[NewEvent(kind=event, subject=record.id, body={"status": found.status})],
                at=self._workspace.clock.now(),
            )
        )

    def _keeps(self, key: str, value: Scalar) -> bool:
        whole = fits(key, value)
        if not whole:
            self._left["tag or parameter that cannot be stored"] += 1
        return whole

    def _dataset(self, record: Record[Run], one: SourceDataset) -> Record[LoggedDataset]:
        context = one.tags.get(_CONTEXT, "")
        body = LoggedDataset(
            name=one.name,
            digest=one.digest,
            source_type=one.source_type,
            source=one.source,
            profile=one.profile,
            columns=one.columns,
            context=context,
        )
        return graph.save(
            self._workspace,
            body,
            scope=record.scope,
            key=(one.name, one.digest, context),
            attributes={"name": one.name, "digest": one.digest, "context": context},
        )


def _tags_of(dataset: SourceDataset) -> str:
    return json.dumps([{"key": key, "value": value} for key, value in dataset.tags.items()])


def fits(key: str, value: Scalar) -> bool:
    """That an attribute can be stored."""
    try:
        to_columns(stored_name(key, "attribute key"), value)
    except InputError:
        return False
    return True


def _newest(series: Series) -> tuple[float, str]:
    """The value of the highest step, then of the latest time, then the greatest; and its step and time."""
    step, at, _, value = max(
        (step, at, -math.inf if math.isnan(value) else value, value)
        for step, value, at in zip(*series[1:], strict=True)
    )
    return value, f"{step} {at}"


def _same(point: Sequence[Any]) -> tuple[Any, ...]:
    """A point as it can be looked up: NaN is not itself, and times are counted in milliseconds."""
    step, value, at = point
    return step, "nan" if math.isnan(value) else value, round(at * 1000)


def _taken(there: Counter[Any], point: tuple[Any, ...]) -> bool:
    if there[point] <= 0:
        return False
    there[point] -= 1
    return True


def is_equal(was: Scalar, now: Scalar) -> bool:
    """That an attribute does not change; NaN is itself here."""
    both_nan = was != was and now != now  # noqa: PLR0124 - NaN is not itself
    return both_nan or (was == now and type(was) is type(now))
