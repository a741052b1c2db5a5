"""Logged models of MLflow 3 as logged models here, with the ids that they have there; done again, what is new."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from heptad.core import graph
from heptad.core.errors import NotFoundError
from heptad.core.identity import current_actor
from heptad.core.records import Attribute, Change, Id, Link, NewEvent, Record, Scalar
from heptad.core.workspace import Workspace
from heptad.experiments.logged_models import CHANGED, PARAM, POINT, TAG, ModelMetric, metric_values
from heptad.experiments.mlflow_import.attaching import attach, found_files
from heptad.experiments.mlflow_import.importing import fits, home_of, imported_run, is_equal
from heptad.experiments.mlflow_import.source import MlflowSource, SourceLoggedModel
from heptad.experiments.records import Experiment, LoggedModel

_ID = re.compile(r"m-[0-9a-f]{32}")
"""What MLflow makes: such an id is never that of a record made here, and the same model has it everywhere."""


class TakenLoggedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one logged model of MLflow."""

    model: Id
    """As in MLflow."""
    name: str
    experiment: str
    is_new: bool
    """That it was not here before; false where it was only counted."""
    params: int
    tags: int
    metrics: int
    files: int
    new_files: int
    left_out: dict[str, int]
    """What has no place here, or cannot be read, and how often it was met."""


def import_logged_models(
    workspace: Workspace, source: MlflowSource, experiment: str = "", *, count_only: bool = False
) -> Iterator[TakenLoggedModel]:
    """Take over every logged model that was not deleted, after its run; see `import_mlflow`.

    Of a metric the latest point is kept of each run on each data set, as of models that are logged here.
    """
    for found in source.experiments():
        home = None if count_only else home_of(workspace, found, experiment)
        for model in source.logged_models(found):
            yield _Taking(workspace, source, model).all_of_it(home, experiment or found.name)


class _Taking:
    """Takes one model over. What cannot be kept is counted in `left`."""

    def __init__(self, workspace: Workspace, source: MlflowSource, found: SourceLoggedModel) -> None:
        self._workspace, self._source, self._found = workspace, source, found
        self._left: Counter[str] = Counter()
        self._is_new = False

    def all_of_it(self, home: Record[Experiment] | None, experiment: str) -> TakenLoggedModel:
        found = self._found
        files = new_files = 0
        if not _ID.fullmatch(found.id):
            self._left["logged model with an id that is not MLflow's"] += 1
        else:
            record = None if home is None else self._begin(home, experiment)
            there = found_files(self._source.files(found), found.artifacts, self._left)
            files, new_files, attributes = attach(self._workspace, record, there, self._left)
            if record is not None:
                self._finish(record, attributes)
        return TakenLoggedModel(
            model=found.id,
            name=found.name,
            experiment=experiment,
            is_new=self._is_new,
            params=len(found.params),
            tags=len(found.tags),
            metrics=len(found.metrics),
            files=files,
            new_files=new_files,
            left_out=dict(sorted(self._left.items())),
        )

    def _begin(self, home: Record[Experiment], experiment: str) -> Record[LoggedModel]:
        """The model, wherever it is by now, or begun: pending until everything of it is here."""
        found, workspace = self._found, self._workspace
        try:
            return graph.load(workspace, found.id, LoggedModel)
        except NotFoundError:
            self._is_new = True
        run = imported_run(workspace, found.run)
        body = LoggedModel(name=found.name, experiment=experiment, run=run, type=found.type)
        now, actor = workspace.clock.now(), current_actor()
        values: dict[str, Scalar] = {"name": found.name, "status": "pending", "created": found.created}
        values |= {"updated": found.updated} | ({"type": found.type} if found.type else {})
        values |= {"run": run} if run else {}
        workspace.store.write(
            Change(
                records=[
                    Record(
                        id=found.id,
                        kind=LoggedModel.kind,
                        scope=home.body.scope,
                        at=now,
                        actor=actor,
                        body=msgspec.to_builtins(body),
                    )
                ],
                links=[Link(found.id, "run", run)] if run else [],
                attributes=[Attribute(found.id, key, value) for key, value in values.items()],
                events=[NewEvent(kind="experiments.model_logged", subject=found.id, body={"name": found.name})],
                key=f"save:{found.id}",
                at=now,
                actor=actor,
            )
        )
        return graph.load(workspace, found.id, LoggedModel)

    def _finish(self, record: Record[LoggedModel], files: Mapping[str, Scalar]) -> None:
        """What stands beside the model, in one change; of one that was complete here only what was missing."""
        found, had = self._found, record.attributes
        told: dict[str, Scalar] = {PARAM + key: value for key, value in found.params.items()}
        told |= {TAG + key: value for key, value in found.tags.items()}
        told = {key: value for key, value in told.items() if self._keeps([(key, value)], "tag or parameter")}
        going_on = had.get("status") == "pending"
        values = {key: value for key, value in told.items() if going_on or key not in had}
        values |= {**self._metrics(had), **files} | ({"status": found.status} if going_on else {})
        # Changed here later than there, it says when it was changed here.
        values["updated"] = max(found.updated, int(str(had.get("updated", 0))))
        changed = {key: value for key, value in values.items() if not is_equal(had.get(key), value)}
        if changed:
            self._workspace.store.write(
                Change(
                    attributes=[Attribute(record.id, key, value) for key, value in changed.items()],
                    events=[NewEvent(kind=CHANGED, subject=record.id, body={"changed": sorted(changed)})],
                    at=self._workspace.clock.now(),
                )
            )

    def _metrics(self, had: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """Those that are later than what is here, each with all that is known of it."""
        runs = {one.run: imported_run(self._workspace, one.run) for one in self._found.metrics}
        latest: dict[str, dict[str, Scalar]] = {}
        for one in sorted(self._found.metrics, key=lambda one: (one.step, one.timestamp)):
            values = metric_values([one._replace(run=runs[one.run])])
            if self._keeps(values.items(), "metric of a model"):
                latest[next(key for key in values if key.startswith(POINT))] = values
        found: dict[str, Scalar] = {}
        for key, values in latest.items():
            if key not in had or _place(values[key]) > _place(had[key]):
                found |= values
        return found

    def _keeps(self, values: Iterable[tuple[str, Scalar]], what: str) -> bool:
        whole = all(fits(key, value) for key, value in values)
        if not whole:
            self._left[f"{what} that cannot be stored"] += 1
        return whole


def _place(point: Scalar) -> tuple[int, int]:
    """Step and time of a metric as it is kept."""
    kept = ModelMetric(*json.loads(str(point)))
    return kept.step, kept.timestamp
