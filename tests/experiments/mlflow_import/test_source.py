"""What is read of MLflow is plain data, the same from each of its places."""

from contextlib import closing
from typing import Any

import msgspec
import pytest

from heptad.experiments.mlflow_import.opening import open_mlflow


@pytest.mark.slow
def test_a_server_and_its_database_say_the_same(server: Any, database: Any) -> None:
    """Of experiments, runs, data sets and models; points in whatever order."""
    found = []
    for address in (server.address, database.address):
        source = open_mlflow(address)
        assert source is not None
        with closing(source):
            experiments = sorted(source.experiments(), key=lambda one: one.id)
            runs = sorted((run for one in experiments for run in source.runs(one)), key=lambda run: run.id)
            points = {run.id: {one.key: len(one.steps) for one in source.series(run)} for run in runs}
            files = {run.id: sorted((one.path, one.size) for one in source.files(run) or ()) for run in runs}
            models = [msgspec.structs.replace(one, versions=_without_place(one.versions)) for one in source.models()]
            plain = [msgspec.structs.replace(run, metrics=(), datasets=list(run.datasets)) for run in runs]
            found.append((experiments, plain, points, files, models))
    assert found[0] == found[1]


def _without_place(versions: Any) -> Any:
    return [msgspec.structs.replace(one, place="") for one in versions]
