"""Models that clients log while they train: files, parameters, metrics and tags, found by search."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from heptad.core import graph
from heptad.core.clock import Clock
from heptad.core.errors import InputError, NotFoundError
from heptad.core.query import All, Compare, Condition, Cursor, Order, Page, Query
from heptad.core.records import Attribute, Change, Id, NewEvent, Record, Scalar, canonical_json, digest_of
from heptad.core.workspace import Workspace
from heptad.experiments.records import LoggedModel

CHANGED = "experiments.model_changed"
PARAM, METRIC, TAG = "params.", "metrics.", "tags."
POINT = "point."
"""In front of a digest, in the key of the attribute that holds a metric with all that is known of it."""
ON = "on."
"""In front of `DATASET@DIGEST.METRIC` and `DATASET.METRIC`: the metric as it was measured on that data."""
_AT_ONCE: Final = 1000
STATUSES = ("pending", "ready", "failed")


class ModelMetric(NamedTuple):
    """A figure of a model, and what it was measured on and by; times are milliseconds since 1970."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    run: str = ""
    dataset: str = ""
    dataset_digest: str = ""


def on_data(dataset: str, digest: str, metric: str) -> str:
    """The key of a metric on one data set; without a digest, on any of that name."""
    return f"{ON}{dataset}{f'@{digest}' if digest else ''}.{metric}"


def metric_values(metrics: Iterable[ModelMetric]) -> dict[str, Scalar]:
    """What is kept of metrics, as attributes of their model; of two of the same run and data set the later one."""
    values: dict[str, Scalar] = {}
    for one in metrics:
        what = (one.run, one.key, one.dataset, one.dataset_digest)
        # A number that JSON cannot say is kept as its name, which reads back as the number.
        point = [one.key, repr(float(one.value)), *one[2:]]
        values[POINT + digest_of(canonical_json(what))[:20]] = canonical_json(point).decode()
        values[METRIC + one.key] = one.value
        if one.dataset:
            values[on_data(one.dataset, "", one.key)] = one.value
            values[on_data(one.dataset, one.dataset_digest, one.key)] = one.value
    return values


def points_of(model: Record[Any]) -> list[ModelMetric]:
    """The metrics of a model: the latest of each run on each data set."""
    kept = (json.loads(str(value)) for key, value in model.attributes.items() if key.startswith(POINT))
    return [ModelMetric(*point)._replace(value=float(point[1])) for point in kept]


class LoggedModels:
    """The logged models of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def create(
        self, body: LoggedModel, scope: str, params: Mapping[str, str], tags: Mapping[str, str]
    ) -> Record[LoggedModel]:
        """A model whose files are still to come; `scope` is that of the experiment's runs."""
        now = milliseconds(self._workspace.clock)
        attributes: dict[str, Scalar] = {"name": body.name, "status": "pending", "created": now, "updated": now}
        if body.type:
            attributes["type"] = body.type
        if body.run:
            attributes["run"] = body.run
        attributes |= {PARAM + key: value for key, value in params.items()}
        attributes |= {TAG + key: value for key, value in tags.items()}
        made_from = [("run", body.run)] if body.run else []
        return graph.save(
            self._workspace,
            body,
            scope=scope,
            made_from=made_from,
            attributes=attributes,
            event="experiments.model_logged",
            event_body={"name": body.name},
        )

    def get(self, model: Id, *, deleted: bool = False) -> Record[LoggedModel]:
        """Raises `NotFoundError`, also for a deleted one where `deleted` does not allow it."""
        try:
            record = graph.load(self._workspace, model, LoggedModel)
        except NotFoundError:
            raise NotFoundError("logged model", model) from None
        if record.attributes.get("deleted") and not deleted:
            raise NotFoundError("logged model", model, remedy="it was deleted")
        return record

    def finish(self, model: Id, status: str) -> Record[LoggedModel]:
        """Say that the files of a model are there, or that they will not come."""
        if status not in STATUSES:
            raise InputError(f"{status!r} is no status of a logged model.", allowed=", ".join(STATUSES))
        return self._set(model, {"status": status})

    def set_params(self, model: Id, params: Mapping[str, str]) -> None:
        """Parameters beside those that the model has; one that it has stays as it is."""
        known = self.get(model).attributes
        for key, value in params.items():
            if known.get(PARAM + key, value) != value:
                raise InputError(
                    f"The parameter {key!r} of {model} is {known[PARAM + key]!r}.", remedy="log another model"
                )
        self._set(model, {PARAM + key: value for key, value in params.items()})

    def set_tags(self, model: Id, tags: Mapping[str, str]) -> None:
        self._set(model, {TAG + key: value for key, value in tags.items()})

    def remove_tag(self, model: Id, key: str) -> None:
        """Raises `NotFoundError` where the model has no such tag."""
        if TAG + key not in self.get(model).attributes:
            raise NotFoundError("tag", key, remedy=f"the tags of {model} are listed with it")
        self._set(model, {TAG + key: None})

    def log_metrics(self, model: Id, metrics: Sequence[ModelMetric]) -> None:
        """Keep the latest of each metric of each run on each data set."""
        self._set(model, metric_values(metrics))

    def delete(self, model: Id) -> None:
        """Hide a model: searches do not find it. Its files stay until its record goes."""
        self._set(model, {"deleted": True})

    def search(
        self,
        scopes: Sequence[str],
        where: Condition,
        order: Sequence[Order],
        limit: int,
        after: Cursor | None = None,
        holds: Callable[[Record[LoggedModel]], bool] | None = None,
    ) -> Page[Record[LoggedModel]]:
        """Those of some experiments that meet a condition; newest first where no order says otherwise.

        `holds` is asked too, of each that meets it: for what the store cannot compare.
        """
        there = All((Compare("deleted", "exists", False), where))
        query = Query(kind=LoggedModel.kind, scopes=scopes, where=there, order=order)
        if holds is None:
            return self._page(query, after, limit)
        found: list[Record[LoggedModel]] = []
        while True:
            page = self._page(query, after, _AT_ONCE)
            places = [place for place, one in enumerate(page.items) if holds(one)]
            full = len(found) + len(places) >= limit
            if full:
                # Read again up to the last that there is room for: the cursor has to stand right behind it.
                page = self._page(query, after, places[limit - len(found) - 1] + 1)
            found += filter(holds, page.items)
            after = page.after
            if full or after is None:
                return Page(found, after)

    def _page(self, query: Query, after: Cursor | None, limit: int) -> Page[Record[LoggedModel]]:
        page = self._workspace.store.find(query, after, limit)
        return Page([graph.typed(one, LoggedModel) for one in page.items], page.after)

    def _set(self, model: Id, values: Mapping[str, Scalar]) -> Record[LoggedModel]:
        self.get(model)
        changed = {**values, "updated": milliseconds(self._workspace.clock)}
        self._workspace.store.write(
            Change(
                attributes=[Attribute(model, key, value) for key, value in changed.items()],
                events=[NewEvent(kind=CHANGED, subject=model, body={"changed": sorted(values)})],
                at=self._workspace.clock.now(),
            )
        )
        return self.get(model, deleted=True)


def milliseconds(clock: Clock) -> int:
    """Milliseconds since 1970, now."""
    return int(clock.now().timestamp() * 1000)
