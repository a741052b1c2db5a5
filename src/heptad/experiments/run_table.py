"""Runs that were made: find them, look at them side by side, write notes beside them, leave them out."""

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from heptad.core import graph
from heptad.core.errors import InputError
from heptad.core.markup import Markup
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Order, Query
from heptad.core.records import Attribute, Change, Id, NewEvent, Record, Scalar
from heptad.core.store import Segment, at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.comparison import RunComparison, attribute_table, compare_runs, labelled, started_at
from heptad.experiments.conditions import parse_conditions
from heptad.experiments.data_conditions import with_links
from heptad.experiments.naming import find_experiment
from heptad.experiments.reading import curve_of, curves_of, surroundings_of
from heptad.experiments.records import Run

_PAGE = 1000


class RunTable:
    """The runs of a workspace."""

    def __init__(self, workspace: Workspace, metric: str = "") -> None:
        """`metric` is the one that pages explain, where another is not asked for."""
        self.workspace = workspace
        self._metric = metric

    def show(self, ref: Id) -> Record[Run]:
        return graph.load(self.workspace, ref, Run)

    def list(
        self, limit: int = 100, where: Condition | str = "", experiment: str = "", order: Sequence[Order] = ()
    ) -> builtins.list[Record[Run]]:
        """Runs that meet `where` (see `parse_conditions`), of one experiment or of all, the newest or first in order.

        Deleted ones are left out, unless `where` is about that. Raises `InputError` for an order that is none.
        """
        given: Any = order
        if isinstance(given, str) or not all(isinstance(one, Order) for one in given):
            raise InputError(
                f"Runs cannot be put in the order {given!r}.",
                allowed="a list of Order, of heptad.core.query",
                remedy='order=[Order("metrics.loss", descending=True)]',
            )
        query = Query(kind=Run.kind, scopes=self._scopes(experiment), where=self._asked(where), order=order)
        return graph.find(self.workspace, Run, query, limit)

    def frame(self, where: Condition | str = "", experiment: str = "") -> pl.DataFrame:
        """Every run that meets `where` as a row: id, name, times, status, parameters, metrics; newest first."""
        runs = self.matching(where, experiment)
        fixed: dict[str, Any] = {
            "id": [run.id for run in runs],
            "name": [run.body.name for run in runs],
            "experiment": [run.body.experiment for run in runs],
            "started": [started_at(run) for run in runs],
            "status": [run.attributes.get("status") for run in runs],
        }
        more = {
            prefix + name: values
            for prefix in ("params.", "metrics.", "tags.")
            for name, values in attribute_table(runs, prefix).items()
        }
        return pl.DataFrame(fixed | more, strict=False, infer_schema_length=None)

    def matching(self, where: Condition | str = "", experiment: str = "") -> builtins.list[Record[Run]]:
        """Every run that meets `where`, however many; newest first, without deleted ones as in `list`."""
        return self.every(self._asked(where), self._scopes(experiment))

    def compare(self, ids: Sequence[Id]) -> RunComparison:
        """The runs side by side, with what surrounded them."""
        runs = [self.show(one) for one in ids]
        return compare_runs(runs, surroundings_of(self.workspace, runs))

    def page(self, ids: Sequence[Id], metric: str = "") -> str:
        """The runs side by side as an HTML page that loads nothing; `metric` is the one that is explained.

        Raises `InputError` where no run has it; by default it is that of the search, else the first that all have.
        """
        from heptad.experiments.page import metric_of, render_comparison  # noqa: PLC0415 - only who draws needs Altair

        compared = self.compare(ids)
        curves = curves_of(self.workspace, labelled([self.show(one) for one in ids]))
        return render_comparison(compared, metric_of(compared, metric, self._metric), curves)

    def plot(self, metric: str, ids: Sequence[Id]) -> Markup:
        """How a metric went in each run, as a drawing that a notebook shows.

        Raises `InputError` where no run has more than one point of it.
        """
        from heptad.experiments.charts import metric_curves  # noqa: PLC0415 - only who draws needs Altair
        from heptad.experiments.drawing import render_chart  # noqa: PLC0415

        points = curve_of(self.workspace, labelled([self.show(one) for one in ids]), metric)
        return render_chart(metric_curves(points, metric))

    def metric_series(self, run: Id, key: str, points: int = 0) -> Segment:
        """The points of a metric, thinned evenly to `points` where that is not 0."""
        return self.workspace.store.read(run, key, points=points)

    def tag(self, ids: Sequence[Id], tags: Mapping[str, Scalar]) -> None:
        """Notes beside runs; the latest value of a tag wins, and `None` takes it away."""
        self._change(ids, {f"tags.{name}": value for name, value in tags.items()})

    def delete(self, ids: Sequence[Id], reason: str) -> None:
        """Leave runs out of lists from now on; they stay in the graph, and `restore` brings them back.

        Raises `InputError` without a reason.
        """
        if not reason.strip():
            raise InputError("Why the runs are deleted is not said.", allowed="a sentence", remedy="give a reason")
        self._change(ids, {"deleted": at_seconds(self.workspace.clock.now()), "deleted_reason": reason})

    def restore(self, ids: Sequence[Id]) -> None:
        """Bring deleted runs back."""
        self._change(ids, {"deleted": None, "deleted_reason": None})

    def _change(self, ids: Sequence[Id], values: Mapping[str, Scalar]) -> None:
        """Set attributes of several runs, of all or of none."""
        found = [self.show(one).id for one in dict.fromkeys(ids)]
        self.workspace.store.write(
            Change(
                attributes=[Attribute(run, key, value) for run in found for key, value in values.items()],
                events=[NewEvent(kind="experiments.run_changed", subject=run, body=dict(values)) for run in found],
                at=self.workspace.clock.now(),
            )
        )

    def _asked(self, where: Condition | str) -> Condition:
        """What is asked for, and not deleted where that is not asked for."""
        condition = parse_conditions(where) if isinstance(where, str) else where
        asked = with_links(self.workspace, condition)
        if _is_about("deleted", condition):
            return asked
        return All((asked, Not(Compare("deleted", ">=", 0.0))))

    def _scopes(self, experiment: str) -> builtins.list[str] | None:
        """Where the runs of an experiment are, whatever it was called first; `None`: everywhere."""
        if not experiment:
            return None
        found = find_experiment(self.workspace, experiment)
        return [found.body.scope if found else experiment]

    def every(self, where: Condition, scopes: Sequence[str] | None) -> builtins.list[Record[Run]]:
        """All runs that meet a condition, in some scopes or in all."""
        query = Query(kind=Run.kind, scopes=scopes, where=where)
        runs: builtins.list[Record[Run]] = []
        page = self.workspace.store.find(query, limit=_PAGE)
        while True:
            runs += [graph.typed(record, Run) for record in page.items]
            if page.after is None:
                return runs
            page = self.workspace.store.find(query, page.after, limit=_PAGE)


def _is_about(key: str, condition: Condition) -> bool:
    match condition:
        case Compare(found):
            return found == key
        case Not(part):
            return _is_about(key, part)
        case All(parts) | AnyOf(parts):
            return any(_is_about(key, part) for part in parts)
