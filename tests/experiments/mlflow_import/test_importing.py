"""Runs of MLflow's own server, database and folder arrive as they are: every point, every file, once."""

import json
import math
import shutil
import urllib.request
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from heptad.core.errors import DataError
from heptad.core.query import Query
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings, TakenRun, imported_run, open_mlflow
from heptad.experiments.files import files_of
from heptad.experiments.mlflow_import import attaching
from heptad.experiments.mlflow_import.importing import import_mlflow
from heptad.experiments.naming import experiment_named
from heptad.experiments.run_table import RunTable
from heptad.release import Models, Versions, import_models

pytestmark = pytest.mark.slow  # all of them, so that one worker has the server that they share
PLACES = pytest.mark.parametrize("place", ["server", "database", "mlruns"])


def taken(workspace: Workspace, address: str, **options: Any) -> list[TakenRun]:
    source = open_mlflow(address)
    assert source is not None
    with closing(source):
        return list(import_mlflow(workspace, source, **options))


def check(workspace: Workspace, said: dict[str, Any]) -> None:
    """That every run is what the client of MLflow says it is, point for point."""
    table = RunTable(workspace)
    for source, run in said.items():
        record = table.show(imported_run(workspace, source))
        attributes = record.attributes
        assert (attributes["name"], attributes["status"]) == (run["name"], run["status"])
        assert record.body.experiment == run["experiment"]
        assert attributes["started"] == run["started"] / 1000
        assert attributes.get("ended") == (run["ended"] / 1000 if run["ended"] else None)
        assert ("deleted" in attributes) == run["deleted"]
        for kind in ("params", "tags"):
            told = {f"{kind}.{key}": value for key, value in run[kind].items() if key != "mlflow.parentRunId"}
            assert told.items() <= attributes.items()
        parent = run["tags"].get("mlflow.parentRunId")
        links = workspace.store.trace([record.id], "out", ["parent"])
        assert [link.target for link in links] == ([imported_run(workspace, parent)] if parent else [])
        for key, history in run["history"].items():
            series = table.metric_series(record.id, key)
            found = zip(series.steps, map(repr, series.values), (round(1000 * at) for at in series.times), strict=True)
            assert Counter(found) == Counter(map(tuple, history))
            step, at, value = max((step, at, float(value)) for step, value, at in history)
            if not math.isnan(value):
                assert attributes[f"latest.{key}"] == f"{step} {at}"
                assert attributes[f"metrics.{key}"] == value


@PLACES
def test_everything_arrives_and_only_what_is_new_arrives_again(
    place: str, workspace: Workspace, request: pytest.FixtureRequest
) -> None:
    """Params, tags, points, data sets, files; counted before, and the same from each of the three places."""
    given = request.getfixturevalue(place)
    counted = taken(workspace, given.address, count_only=True)
    assert workspace.store.find(Query(kind="run")).items == []
    first = taken(workspace, given.address)
    assert [one.points for one in counted] == [one.new_points for one in first]
    assert [one.files for one in counted] == [one.new_files for one in first]
    found = {one.source: one.points for one in first}
    for source, run in given.said.items():
        assert found[source] == sum(map(len, run["history"].values()))
    check(workspace, given.said)
    outer = RunTable(workspace).show(imported_run(workspace, given.runs["outer"]))
    files = files_of(outer)
    assert sorted(files) == ["a.txt", "d e/f/big.bin", "d e/naive.txt"]
    assert workspace.blobs.get(files["a.txt"]) == b"hello"
    assert workspace.blobs.size(files["d e/f/big.bin"]) == 3 << 20
    (dataset,) = [link.target for link in workspace.store.trace([outer.id], "out", ["data"])]
    assert workspace.store.get([dataset])[0].attributes["name"] == "zeros"
    before = workspace.store.follow(0)
    again = taken(workspace, given.address)
    assert [(one.run, one.new_points, one.new_files) for one in again] == [(one.run, 0, 0) for one in first]
    assert workspace.store.follow(0) == before


@PLACES
def test_registered_models_arrive_as_external_versions(
    place: str, workspace: Workspace, request: pytest.FixtureRequest
) -> None:
    """With files, tags, descriptions, aliases and the run that made them; done again, nothing is added."""
    given = request.getfixturevalue(place)
    taken(workspace, given.address)
    for new in (2, 0):
        source = open_mlflow(given.address)
        assert source is not None
        with closing(source):
            (model,) = import_models(workspace, source)
        assert (model.name, model.versions, model.new_versions, model.left_out) == ("classifier", 2, new, [])
    versions = Versions(workspace)
    first, second = versions.get("classifier", 1), versions.named("classifier", "best")
    assert (first.body.origin, first.body.run) == ("external", imported_run(workspace, given.runs["outer"]))
    assert sorted(first.body.files) == ["f/big.bin", "naive.txt"]
    assert (first.attributes["tags.t"], second.attributes["description"]) == ("1", "second")
    assert sorted(second.body.files) == ["a.txt", "d e/f/big.bin", "d e/naive.txt"]
    assert workspace.blobs.get(second.body.files["a.txt"]) == b"hello"
    assert Models(workspace).get("classifier").attributes["description"] == "what it does"


def test_what_was_logged_meanwhile_is_added_and_what_was_changed_here_stays(server: Any, workspace: Workspace) -> None:
    """Of a run that goes on: points before, between and after those that are here, and its end; of others nothing."""

    def post(path: str, **fields: Any) -> Any:
        url = f"{server.address}/api/2.0/mlflow/{path}"
        request = urllib.request.Request(url, json.dumps(fields).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def late(value: float | str, seconds: int, step: int) -> None:
        post("runs/log-metric", run_id=run, key="late", value=value, timestamp=1000 * seconds, step=step)

    experiment = post("experiments/create", name="going on")["experiment_id"]
    run = post("runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
    late(1.0, 1_700_000_000, 5)
    taken(workspace, server.address)
    ours, table = imported_run(workspace, run), RunTable(workspace)
    outer = imported_run(workspace, server.runs["outer"])
    table.tag([outer], {"k": "changed here"})
    late(2.0, 1_600_000_000, 4)
    late("NaN", 1_800_000_000, 6)
    post("runs/set-tag", run_id=run, key="state", value="done")
    post("runs/update", run_id=run, status="FINISHED", end_time=1_800_000_000_001)
    again = {one.run: one.new_points for one in taken(workspace, server.address)}
    assert {run: count for run, count in again.items() if count} == {ours: 2}
    assert sorted(table.metric_series(ours, "late").steps) == [4, 5, 6]
    record = table.show(ours)
    assert (record.attributes["status"], record.attributes["ended"]) == ("finished", 1_800_000_000.001)
    assert (record.attributes["tags.state"], record.attributes["latest.late"]) == ("done", "6 1800000000000")
    assert table.show(outer).attributes["tags.k"] == "changed here"


def test_an_import_that_is_interrupted_anywhere_goes_on(
    mlruns: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each act on the store and the artifacts in turn: in the end everything is there, once."""
    store, blobs = workspace.store, workspace.blobs

    class StoppedError(Exception):
        """Instead of `kill -9`."""

    def stopping(act: Any, left: list[int]) -> Any:
        def acted(*given: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise StoppedError
            return act(*given)

        return acted

    monkeypatch.setattr(attaching, "_FILES", 1)
    write, append, put = store.write, store.append, blobs.put
    for allowed in range(1, 40):
        left = [allowed]
        monkeypatch.setattr(store, "write", stopping(write, left))
        monkeypatch.setattr(store, "append", stopping(append, left))
        monkeypatch.setattr(blobs, "put", stopping(put, left))
        try:
            taken(workspace, mlruns.address)
        except StoppedError:
            continue
        break
    else:
        raise AssertionError("it did not come to an end")
    assert allowed > 5
    check(workspace, mlruns.said)


def test_runs_can_go_into_one_experiment(mlruns: Any, tmp_path: Path, workspace: Workspace) -> None:
    """Named by whoever imports, from Python too; a folder that was moved still has its files."""
    moved = tmp_path / "moved"
    moved.symlink_to(mlruns.address)
    experiments = Experiments(workspace, ProjectSettings(name="test"), SearchSettings())
    found = list(experiments.import_mlflow(str(moved), "all of it"))
    assert {one.experiment for one in found} == {"all of it"}
    assert len(experiments.list(experiment="all of it")) == 5
    assert sum(one.files for one in found) == 3


def test_damage_is_named_and_what_was_taken_stays(mlruns: Any, tmp_path: Path, workspace: Workspace) -> None:
    """The file and the line."""
    copy = tmp_path / "mlruns"
    shutil.copytree(mlruns.address, copy)
    (path,) = copy.glob("*/*/metrics/loss")
    path.write_text(path.read_text() + "no point\n")
    with pytest.raises(DataError, match="line 901"):
        taken(workspace, str(copy))
    path.write_text(path.read_text().removesuffix("no point\n"))
    taken(workspace, str(copy))
    check(workspace, mlruns.said)


@pytest.mark.parametrize("in_use", [True, False])
def test_an_experiment_that_is_in_use_here_is_not_deleted_by_an_import(
    tmp_path: Path, workspace: Workspace, *, in_use: bool
) -> None:
    """Although one of the same name was deleted in MLflow; where it is new, it comes as it was."""
    folder = tmp_path / "mlruns" / "1"
    (folder / "abc").mkdir(parents=True)
    (folder / "meta.yaml").write_text("experiment_id: '1'\nname: e\nlifecycle_stage: deleted\n")
    (folder / "abc" / "meta.yaml").write_text("run_id: abc\nstatus: 3\nstart_time: 1\n")
    if in_use:
        experiment_named(workspace, "e")
    taken(workspace, str(folder.parent))
    assert ("deleted" in experiment_named(workspace, "e").attributes) is not in_use
