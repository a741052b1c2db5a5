"""A run takes what is logged without waiting, and has all of it when it is finished."""

import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from heptad.core import graph
from heptad.core.errors import InputError, UnavailableError
from heptad.core.settings import ProjectSettings
from heptad.core.store import Segment
from heptad.core.workspace import Workspace
from heptad.experiments import ActiveRun, Experiments, Run, SearchSettings


@pytest.fixture
def run(workspace: Workspace) -> ActiveRun:
    """A run that has just begun."""
    return Experiments(workspace, ProjectSettings(), SearchSettings()).start("first")


def test_every_point_is_there_in_order_when_the_run_is_finished(run: ActiveRun, workspace: Workspace) -> None:
    """25,000 points of two series, written in bulk, come back as they were logged, with the latest as attribute."""
    for step in range(12_500):
        run.log(step, loss=1 / (step + 1), rate=step / 2)
    run.finish()
    loss, rate = workspace.store.read(run.id, "loss"), workspace.store.read(run.id, "rate")
    assert list(loss.steps) == list(range(12_500))
    assert list(loss.values) == [1 / (step + 1) for step in range(12_500)]
    assert rate.values[-1] == 6249.5
    attributes = graph.load(workspace, run.id, Run).attributes
    assert attributes["metrics.rate"] == 6249.5
    assert attributes["status"] == "finished"


def test_points_are_readable_while_the_run_goes_on(run: ActiveRun, workspace: Workspace) -> None:
    """Logged points reach the store by themselves, before anybody finishes the run."""
    run.log(loss=0.5)
    deadline = time.monotonic() + 60
    while not workspace.store.read(run.id, "loss").values:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_logging_waits_for_nothing(run: ActiveRun, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store does not answer, logging goes on; the points arrive when it does, each once."""
    answering = threading.Event()
    append = workspace.store.append

    def slow(segments: list[Segment]) -> None:
        if not answering.is_set():
            raise UnavailableError("The store is away.")
        append(segments)

    monkeypatch.setattr(workspace.store, "append", slow)
    for step in range(3_000):
        run.log(step, loss=step)
    time.sleep(0.7)
    answering.set()
    run.finish()
    assert list(workspace.store.read(run.id, "loss").values) == list(range(3_000))


def test_a_broken_store_is_reported_at_the_end(
    run: ActiveRun, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What kept points from being written is raised when the run is finished, and not swallowed."""

    def broken(_segments: list[Segment]) -> None:
        raise InputError("No such record.")

    monkeypatch.setattr(workspace.store, "append", broken)
    run.log(loss=1)
    with pytest.raises(InputError, match="No such record"):
        run.finish()


def test_without_a_step_each_series_counts_its_own(run: ActiveRun, workspace: Workspace) -> None:
    """Steps are counted per series, from 0."""
    run.log(loss=3)
    run.log(loss=2, rate=1)
    run.finish()
    assert list(workspace.store.read(run.id, "loss").steps) == [0, 1]
    assert list(workspace.store.read(run.id, "rate").steps) == [0]


def test_threads_may_log_to_one_run(run: ActiveRun, workspace: Workspace) -> None:
    """Four threads lose no point."""

    def work() -> None:
        for _ in range(500):
            run.log(hits=1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()
    assert list(workspace.store.read(run.id, "hits").steps) == list(range(2_000))


def test_nan_and_infinity_are_kept(run: ActiveRun, workspace: Workspace) -> None:
    """A loss that explodes is recorded as it was."""
    for value in (1.0, math.inf, math.nan):
        run.log(loss=value)
    run.finish()
    values = workspace.store.read(run.id, "loss").values
    assert values[1] == math.inf
    assert math.isnan(values[2])


def test_what_is_no_number_is_refused_and_nothing_of_it_logged(run: ActiveRun, workspace: Workspace) -> None:
    """Text is no metric; the message says where it belongs."""
    with pytest.raises(InputError, match="loss is 'low'"):
        run.log(rate=1, loss="low")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="1 is no name for a metric"):
        run.log({"rate": 1, 1: 2})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="content of 'notes' is a str"):
        run.attach("notes", "notes.txt")  # type: ignore[arg-type]
    run.attach("plots/loss.svg", b"1")
    with pytest.raises(InputError, match="'plots' is a folder of this run"):
        run.attach("plots", b"2")
    run.finish()
    assert not workspace.store.read(run.id, "rate").values


def test_params_tags_and_artifacts_stand_beside_the_run(run: ActiveRun, workspace: Workspace, tmp_path: Path) -> None:
    """What is learnt on the way becomes attributes; files and bytes become artifacts."""
    (tmp_path / "notes.txt").write_text("hello")
    run.set_params(model={"depth": 3}, sizes=[8, 4])
    run.tag(reviewed=True)
    digest = run.attach("notes", tmp_path / "notes.txt")
    run.finish()
    attributes = graph.load(workspace, run.id, Run).attributes
    assert attributes["params.model.depth"] == 3
    assert attributes["params.sizes"] == "[8, 4]"
    assert attributes["tags.reviewed"]
    assert attributes["artifacts.notes"] == digest
    assert workspace.blobs.get(digest) == b"hello"


def test_leaving_by_an_exception_is_recorded_and_not_swallowed(workspace: Workspace) -> None:
    """A run that raises or exits with a code has failed, with the reason; one that is interrupted was killed."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    ended = []
    for error in (ValueError("no data"), KeyboardInterrupt(), SystemExit("no rows"), SystemExit(3), SystemExit(0)):
        with pytest.raises(type(error)), experiments.start("raises") as run:
            raise error
        told = experiments.show(run.id).attributes
        ended.append((told["status"], told.get("reason")))
    assert ended == [
        ("failed", "ValueError: no data"),
        ("killed", "KeyboardInterrupt"),
        ("failed", "SystemExit: no rows"),
        ("failed", "SystemExit: 3"),
        ("finished", None),
    ]


def test_a_finished_run_stays_as_it_is(run: ActiveRun, workspace: Workspace) -> None:
    """Nothing can be logged afterwards; finishing twice is harmless."""
    run.finish()
    run.finish("failed")
    assert graph.load(workspace, run.id, Run).attributes["status"] == "finished"
    for act in (
        lambda: run.log(loss=1),
        lambda: run.tag(a=1),
        lambda: run.set_params(a=1),
        lambda: run.attach("a", b""),
    ):
        with pytest.raises(InputError, match="finished"):
            act()


@pytest.mark.parametrize("status", ["weird", "", None, ["failed"]])
def test_a_run_ends_with_a_status(run: ActiveRun, workspace: Workspace, status: Any) -> None:
    """Anything else is refused with those that there are, and the run goes on."""
    with pytest.raises(InputError, match="killed"):
        run.finish(status)
    run.log(loss=1)
    run.finish("failed")
    assert graph.load(workspace, run.id, Run).attributes["status"] == "failed"


def test_a_run_whose_end_could_not_be_written_can_be_finished_again(
    run: ActiveRun, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is away for a moment costs a second call, and no point."""

    def away(*_arguments: object) -> None:
        raise UnavailableError("The store does not answer.")

    run.log(loss=0.5)
    for method in ("append", "write"):
        with monkeypatch.context() as patched:
            patched.setattr(workspace.store, method, away)
            with pytest.raises(UnavailableError):
                run.finish(must_arrive=True)
    run.finish()
    assert graph.load(workspace, run.id, Run).attributes["status"] == "finished"
    assert list(workspace.store.read(run.id, "loss").values) == [0.5]


def test_the_end_of_a_run_is_an_event(run: ActiveRun, workspace: Workspace) -> None:
    """Whoever follows the log learns that a run has ended."""
    run.finish()
    (event,) = workspace.store.follow(0, ["experiments.run_finished"])
    assert (event.subject, event.body["status"]) == (run.id, "finished")
