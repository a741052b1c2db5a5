"""The front door: deployments, servers, the log and the labels of one project."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.core import graph
from heptad.core.clock import FileClock, ManualClock
from heptad.core.errors import ConflictError, InputError, NotFoundError, RefusedError, RequestError
from heptad.core.records import AliasMove, Record
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.lifecycle import backup, restore
from heptad.release import ModelVersion, Release, ReleaseSettings
from heptad.release.keys import signing_key
from heptad.serving import Deployment, DeploySettings, PredictionClient, Serving
from heptad.serving.journal import Journal, create_journal
from heptad.training import Candidate, Evaluation, Parity, Signature, Split

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def release(workspace: Workspace) -> Release:
    return Release(workspace, ProjectSettings(), ReleaseSettings(), None, None)  # type: ignore[arg-type]


@pytest.fixture
def serving(workspace: Workspace, release: Release) -> Serving:
    return Serving(workspace, ProjectSettings(), DeploySettings(), release)


@pytest.fixture
def version(workspace: Workspace, shop: Any, signature: Signature) -> Any:
    """Makes registered versions of the tiny model: number, then how far its answers are shifted."""

    def make(number: int, shift: float = 0.0) -> Record[ModelVersion]:
        shop.key = signing_key(workspace)
        package = workspace.blobs.put(shop.packages[shop.package(shift)])
        parity = Parity(rows=1, largest_difference=0.0, tolerance=1e-6, differing_labels=0)
        candidate = Candidate(
            name="test",
            estimator="linear",
            params={},
            seed=7,
            dataset="data-1",
            run="run-1",
            window="all",
            split=Split(by="hash"),
            signature=signature,
            evaluation=Evaluation(
                metric="roc_auc",
                metrics=[],
                baseline=[],
                baseline_name="most common",
                parity=parity,
                model_latency_p50_ms=0.1,
                model_latency_p99_ms=0.1,
            ),
            model="",
            model_digest="",
            profile="",
            background="",
            environment="",
        )
        measured = graph.save(workspace, candidate, scope="test")
        return graph.save(
            workspace,
            ModelVersion(
                name="test",
                version=number,
                package=package,
                candidate=measured.id,
                decision="",
                estimator="linear",
                metric="roc_auc",
                value=0.7,
            ),
            scope="model:test",
            aliases=[AliasMove(scope="model:test", name=f"v{number}", target="@")],
        )

    return make


def test_a_deployment_is_a_record_with_its_event(serving: Serving, workspace: Workspace, version: Any) -> None:
    """It names who answers, is linked to the versions, and is the one in force."""
    first = version(1)
    assert serving.current() is None
    deployment = serving.deploy([serving.route(first, "live")], "the first")
    assert (deployment.body.generation, deployment.body.routes[0].label) == (1, "test@1")
    assert deployment.body.reason == "the first"
    assert serving.current() == deployment
    (link,) = workspace.store.trace([deployment.id], "out")
    assert (link.role, link.target) == ("live", first.id)
    assert [event.kind for event in workspace.store.follow(0)][-1] == "serving.deployed"


def test_deploying_under_a_key_is_done_once(serving: Serving, version: Any) -> None:
    """After a crash the same act finds what it did; another act is another generation."""
    routes = [serving.route(version(1), "live")]
    first = serving.deploy(routes, "plan 1", key=["plan-1"])
    assert serving.deploy(routes, "plan 1", key=["plan-1"]).id == first.id
    second = serving.deploy(routes, "plan 2", key=["plan-2"])
    assert second.body.generation == 2
    serving.deploy(routes, "plan 1", key=["plan-1"])
    current = serving.current()
    assert current is not None
    assert current.id == second.id


def test_of_two_who_deploy_at_once_one_is_told(serving: Serving, version: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody replaces routes that they have not seen."""
    routes = [serving.route(version(1), "live")]
    before = serving.deploy(routes, "first")
    serving.deploy(routes, "second")
    monkeypatch.setattr(Serving, "current", lambda _self: before)
    with pytest.raises(ConflictError):
        serving.deploy(routes, "third")


def test_routes_that_do_not_fit_are_refused_before_anything_is_written(serving: Serving, version: Any) -> None:
    """Two live versions are no deployment."""
    routes = [serving.route(version(1), "live"), serving.route(version(2), "live")]
    with pytest.raises(InputError):
        serving.deploy(routes, "both")
    assert serving.current() is None


def test_a_publication_that_was_cut_off_is_completed(serving: Serving, workspace: Workspace, version: Any) -> None:
    """Whoever deployed died before servers were told: asking what is in force tells them."""
    serving.deploy([serving.route(version(1), "live")], "first")
    generations = workspace.folder / "serving" / "test" / "generations"
    (file,) = generations.iterdir()
    file.unlink()
    serving.current()
    assert [one.name for one in generations.iterdir()] == [file.name]


def test_there_must_be_something_to_serve_and_a_place_for_it(serving: Serving, version: Any) -> None:
    """No deployment, or a host that others can reach: refused with the remedy."""
    with pytest.raises(RefusedError, match="nothing to serve"):
        serving.start_server()
    open_to_all = Serving(serving._workspace, ProjectSettings(), DeploySettings(host="0.0.0.0"), serving._release)
    with pytest.raises(InputError, match="without a password"):
        open_to_all.start_server()


def test_the_whole_way_of_a_prediction(
    serving: Serving, workspace: Workspace, version: Any, row: dict[str, Any], tmp_path: Path
) -> None:
    """Deployed, asked at a moment of the shared clock, replaced under way, collected, labelled, read back."""
    clock = FileClock(tmp_path / "clock")
    clock.advance_to(NOON)
    serving.deploy([serving.route(version(1), "live")], "first")
    with serving.start_server(port=0, clock=clock.path) as server, PredictionClient(server.url, "test", "me") as client:
        assert serving.endpoint == "test"
        client.predict([row], ["before"])
        second = serving.deploy([serving.route(version(2, 1.0), "live"), serving.route(version(1), "shadow")], "next")
        assert serving.wait_live(second.body.generation, timeout=60) == 1
        clock.advance_to(NOON + timedelta(hours=1))
        client.predict([row], ["after"])
        assert serving.collect_log() == 2
        client.predict([row], ["later"])
    found = serving.prediction("after")
    assert (found.version, found.at, found.generation) == ("test@2", NOON + timedelta(hours=1), 2)
    assert set(found.shadows) == {"test@1"}
    assert [one.id for one in serving.newest(2)] == ["after", "later"]
    assert serving.predictions(NOON, NOON + timedelta(hours=1)).collect()["id"].to_list() == ["before"]
    with pytest.raises(NotFoundError):
        serving.prediction("never")
    labels = pl.DataFrame({"id": ["before"], "value": ["late"], "at": [NOON], "known_at": [NOON + timedelta(hours=3)]})
    assert serving.add_labels(labels) == 1
    labels.write_csv(tmp_path / "labels.csv")
    assert serving.add_labels_from(tmp_path / "labels.csv") == 0
    assert serving.labels(known_at=NOON + timedelta(hours=2)).collect().is_empty()
    assert serving.labels().collect()["value"].to_list() == ["late"]


def test_a_server_started_later_serves_what_is_in_force(serving: Serving, version: Any, row: dict[str, Any]) -> None:
    """Deployments need no server; nobody to wait for is said as 0."""
    first = serving.deploy([serving.route(version(1), "live")], "first")
    assert serving.wait_live(first.body.generation) == 0
    other = Serving(replace(serving._workspace), ProjectSettings(), DeploySettings(workers=2), serving._release)
    with other.start_server(port=0) as server, PredictionClient(server.url, "test") as client:
        assert serving.wait_live(first.body.generation, timeout=60) == 2
        assert client.predict([row])[0]["version"] == "test@1"
    assert graph.load(serving._workspace, first.id, Deployment).body.generation == 1


def test_a_backup_under_traffic_holds_every_answer(
    serving: Serving, workspace: Workspace, version: Any, part_of: Any, tmp_path: Path
) -> None:
    """What moves from the journal into the table while the backup is made is in one of the two, and in one only."""
    serving.deploy([serving.route(version(1), "live")], "the first")
    create_journal(serving._folder.journal)
    journal = Journal(serving._folder.journal)
    journal.add([part_of("a")])
    serving.collect_log()
    journal.add([part_of("b")])

    def watch(part: str, _done: int) -> None:
        if part == "files":
            serving.collect_log()

    backup(workspace, tmp_path / "kept", watch)
    restore(tmp_path / "kept", tmp_path / "elsewhere")
    restored = replace(workspace, root=tmp_path / "elsewhere")
    again = Serving(restored, ProjectSettings(), DeploySettings(), serving._release)
    for _ in range(2):
        assert sorted(again.predictions().collect()["id"]) == ["a", "b"]
        again.collect_log()


def test_answers_are_kept_for_as_long_as_the_settings_say(
    workspace: Workspace, release: Release, part_of: Any, tmp_path: Path
) -> None:
    """Collecting lets go of older ones, by the clock of the workspace; the log has them all the same."""
    settings = DeploySettings(answers_kept="7d")
    serving = Serving(replace(workspace, clock=ManualClock(NOON)), ProjectSettings(), settings, release)
    create_journal(serving._folder.journal)
    journal = Journal(serving._folder.journal)
    journal.add([part_of("old", at=micros(NOON - timedelta(days=8)))])
    journal.add([part_of("new", at=micros(NOON - timedelta(days=6)))])
    serving.collect_log()
    assert journal.add([part_of("new")])
    with pytest.raises(RequestError, match="long ago"):
        journal.add([part_of("old")])
    assert serving.prediction("old").at == NOON - timedelta(days=8)


def micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)
