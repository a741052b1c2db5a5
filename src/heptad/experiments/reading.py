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
"""Points of a curve that are read; a longer series is thinned."""


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
    """By metric that has several points in some run: the columns run (as it is called here), step, value, time."""
    found: dict[str, pl.DataFrame] = {}
    for metric in metrics or sorted({key for _, run in runs for key in _series_of(run) if not key.startswith(FOLD)}):
        series = [(label, workspace.store.read(run.id, metric, points=POINTS)) for label, run in runs]
        if any(len(one.steps) > 1 for _, one in series):
            found[metric] = pl.concat(
                pl.DataFrame(
                    {"run": label, "step": one.steps, "value": one.values, "time": one.times},
                    schema={"run": pl.String, "step": pl.Int64, "value": pl.Float64, "time": pl.Float64},
                )
                for label, one in series
            )
    return found


def curve_of(workspace: Workspace, runs: Sequence[tuple[str, Record[Run]]], metric: str) -> pl.DataFrame:
    """The points of one metric, as `curves_of` has them; raises `InputError` where no run has several."""
    found = curves_of(workspace, runs, [metric])
    if metric not in found:
        raise InputError(
            f"No run that is looked at has more than one point of {metric!r}.",
            allowed=nearest(metric, list(curves_of(workspace, runs))),
            remedy="heptad experiments show RUN",
        )
    return found[metric]


def _series_of(run: Record[Run]) -> list[str]:
    return [key.removeprefix("metrics.") for key in run.attributes if key.startswith("metrics.")]


def _labels(workspace: Workspace, ids: Sequence[Id]) -> dict[Id, str]:
    """`NAME@VERSION` of versions of data; of anything else that was read, its id."""
    found = {}
    for record in workspace.store.get(ids) if ids else ():
        is_version = record.kind == DatasetVersion.kind
        found[record.id] = f"{record.body['name']}@{record.body['version']}" if is_version else record.id
    return found
