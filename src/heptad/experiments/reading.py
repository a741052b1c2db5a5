"""What is known of runs besides their attributes: surroundings, folds, and how metrics went."""

from collections.abc import Sequence

import msgspec
import polars as pl

from heptad.core.errors import InputError, nearest
from heptad.core.records import Id, Record
from heptad.core.workspace import Workspace
from heptad.data import DatasetVersion
from heptad.experiments.comparison import FOLD, Surroundings
from heptad.experiments.records import Environment, Run

POINTS = 400
"""Points of a run that a curve is drawn through; a longer series is thinned."""


def surroundings_of(workspace: Workspace, runs: Sequence[Record[Run]]) -> list[Surroundings]:
    """Where each run happened, what it read, and its metrics by fold."""
    environments = {run.body.environment for run in runs if run.body.environment}
    known = {one: msgspec.json.decode(workspace.blobs.get(one), type=Environment) for one in environments}
    links = workspace.store.trace([run.id for run in runs], "out", ["data"])
    labels = _labels(workspace, sorted({link.target for link in links}))
    return [
        Surroundings(
            environment=known.get(run.body.environment),
            data=[labels[link.target] for link in links if link.source == run.id],
            folds={
                key.removeprefix(FOLD): list(workspace.store.read(run.id, key).values)
                for key in _series_of(run)
                if key.startswith(FOLD)
            },
        )
        for run in runs
    ]


def curves_of(
    workspace: Workspace, runs: Sequence[tuple[str, Record[Run]]], metrics: Sequence[str] = ()
) -> dict[str, pl.DataFrame]:
    """By metric that has several points in some run: the columns run (as it is called here), step, value, time.

    They are thinned, see `thinned`: what is drawn of many runs fits into memory, however long they were.
    """
    wanted = metrics or sorted({key for _, run in runs for key in _series_of(run) if not key.startswith(FOLD)})
    read = {metric: [thinned(_points(workspace, label, run, metric)) for label, run in runs] for metric in wanted}
    return {metric: pl.concat(series) for metric, series in read.items() if any(one.height > 1 for one in series)}


def curve_of(workspace: Workspace, runs: Sequence[tuple[str, Record[Run]]], metric: str) -> pl.DataFrame:
    """Every point of one metric, in the columns of `curves_of`; raises `InputError` where no run has several."""
    series = [_points(workspace, label, run, metric) for label, run in runs]
    if all(one.height < 2 for one in series):
        raise InputError(
            f"No run that is looked at has more than one point of {metric!r}.",
            allowed=nearest(metric, list(curves_of(workspace, runs))),
            remedy="heptad experiments show RUN",
        )
    return pl.concat(series)


def thinned(curve: pl.DataFrame, points: int = POINTS) -> pl.DataFrame:
    """At most `points` points of each run (4 or more): the first, the last, the least and the greatest of equal parts.

    `curve` has the columns run, step, value and maybe more; what is no number is neither the least nor the greatest.
    A run of no more than `points` stays as it is, so that what is thin already is not thinned again.
    """
    place, count = pl.int_range(pl.len()).over("run"), pl.len().over("run")
    parts = ["run", "part"]
    inside, value = pl.int_range(pl.len()).over(parts), pl.col("value").fill_nan(None)
    extreme = (inside == value.arg_min().over(parts)) | (inside == value.arg_max().over(parts))
    kept = (count <= points) | (place == 0) | (place == count - 1) | extreme
    # Two points of each part are kept, beside the first and the last.
    parts_of_a_run = points // 2 - 1
    return curve.with_columns(part=place * parts_of_a_run // count).filter(kept).drop("part")


def _points(workspace: Workspace, label: str, run: Record[Run], metric: str) -> pl.DataFrame:
    one = workspace.store.read(run.id, metric)
    return pl.DataFrame(
        {"run": label, "step": one.steps, "value": one.values, "time": one.times},
        schema={"run": pl.String, "step": pl.Int64, "value": pl.Float64, "time": pl.Float64},
    )


def _series_of(run: Record[Run]) -> list[str]:
    return [key.removeprefix("metrics.") for key in run.attributes if key.startswith("metrics.")]


def _labels(workspace: Workspace, ids: Sequence[Id]) -> dict[Id, str]:
    """`NAME@VERSION` of versions of data; of anything else that was read, its id."""
    found = {}
    for record in workspace.store.get(ids) if ids else ():
        is_version = record.kind == DatasetVersion.kind
        found[record.id] = f"{record.body['name']}@{record.body['version']}" if is_version else record.id
    return found
