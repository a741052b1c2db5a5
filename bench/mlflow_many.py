"""The same 50,000 runs for both servers, and the search over them: filter, order, the first 100."""

import sqlite3
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from heptad.core.records import Change, Record, new_id
from heptad.core.workspace import Workspace
from heptad.experiments import Run, create_experiment

RUNS, GROUP = 50_000, 1_000
FILTER, ORDER, MOST = "params.p1 = '3' and metrics.m2 > 0.5", ["metrics.m1 DESC"], 100
"""A parameter, a metric, the order of another metric."""


class Values(NamedTuple):
    """What a run has: ten parameters, the latest values of ten metrics."""

    name: str
    params: dict[str, str]
    metrics: dict[str, float]


def _groups() -> Iterator[list[Values]]:
    random = Random(1)
    for start in range(0, RUNS, GROUP):
        yield [
            Values(
                f"run {number}",
                {f"p{k}": str(random.randint(0, 9)) for k in range(10)},
                {f"m{k}": random.random() for k in range(10)},
            )
            for number in range(start, start + GROUP)
        ]


def fill_ours(workspace: Workspace) -> str:
    """As clients would have logged them; answers the id of their experiment."""
    now = datetime.now(UTC)
    experiment = create_experiment(workspace, "many")
    for group in _groups():
        records = [
            Record(
                id=new_id(Run.prefix),
                kind=Run.kind,
                scope=experiment.body.scope,
                at=now,
                actor="user:bench",
                body={"name": one.name, "experiment": "many"},
                attributes=_attributes(one, now),
            )
            for one in group
        ]
        workspace.store.write(Change(records=records, durable=False))
    return str(experiment.body.number)


def _attributes(run: Values, now: datetime) -> dict[str, Any]:
    return {
        "status": "finished",
        "name": run.name,
        "tags.mlflow.runName": run.name,
        "started": now.timestamp(),
        **{f"params.{key}": value for key, value in run.params.items()},
        **{f"metrics.{key}": value for key, value in run.metrics.items()},
        **{f"latest.{key}": "0 1700000000000" for key in run.metrics},
    }


def fill_peer(database: Path, experiment: str) -> None:
    """Into the tables of MLflow's server: by its calls this would take an hour."""
    connection = sqlite3.connect(database, timeout=60)
    run = "INSERT INTO runs VALUES (?, ?, 'UNKNOWN', '', '', 'bench', 'FINISHED', ?, ?, '', 'active', ?, ?, NULL)"
    at, place = 1_700_000_000_000, f"mlflow-artifacts:/{experiment}"
    for group in _groups():
        runs = [(uuid.uuid4().hex, one) for one in group]
        rows = [(key, one.name, at, at, f"{place}/{key}/artifacts", experiment) for key, one in runs]
        connection.executemany(run, rows)
        tags = [(one.name, key) for key, one in runs]
        connection.executemany("INSERT INTO tags VALUES ('mlflow.runName', ?, ?)", tags)
        params = [(name, value, key) for key, one in runs for name, value in one.params.items()]
        connection.executemany("INSERT INTO params VALUES (?, ?, ?)", params)
        points = [(name, value, at, key) for key, one in runs for name, value in one.metrics.items()]
        connection.executemany("INSERT INTO latest_metrics VALUES (?, ?, ?, 0, 0, ?)", points)
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, 0, 0)", points)
        connection.commit()
    # Without statistics SQLite joins its tables in an order that takes many times as long.
    connection.execute("ANALYZE")
    connection.close()
