"""A tracked run records by itself what is printed, how busy the machine is, and which data is read."""

import sys
import threading
import time

import pytest

from heptad.core.reads import note_read
from heptad.core.settings import ProjectSettings
from heptad.core.workspace import Workspace
from heptad.experiments import Experiments, SearchSettings, capture, capture_process


@pytest.fixture
def experiments(workspace: Workspace) -> Experiments:
    """Step 2 of an empty project."""
    return Experiments(workspace, ProjectSettings(name="test"), SearchSettings())


def test_output_load_and_data_are_recorded(experiments: Experiments, workspace: Workspace):
    """As a file, as series and as links, each once."""
    data = experiments.start("stands for data")
    with experiments.start("a") as run:
        capture_process(run)
        sys.stdout.write("hello\n")
        for _ in range(2):
            note_read(workspace, data.id)
    note_read(workspace, data.id)
    attributes = experiments.show(run.id).attributes
    assert workspace.blobs.get(str(attributes["artifacts.output.txt"])) == b"hello\n"
    assert list(experiments.metric_series(run.id, "system.memory_mb").values)
    assert [(link.role, link.target) for link in workspace.store.trace([run.id], "out")] == [("data", data.id)]


def test_while_a_run_goes_on_its_output_is_kept_now_and_then(
    experiments: Experiments, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    """So that somebody elsewhere can look at it."""
    monkeypatch.setattr(capture, "SAMPLE_SECONDS", 0.05)
    monkeypatch.setattr(capture, "OUTPUT_SECONDS", 0.1)
    run = experiments.start("a")
    capture_process(run)
    sys.stdout.write("so far\n")
    deadline = time.monotonic() + 60
    while "artifacts.output.txt" not in experiments.show(run.id).attributes:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    digest = str(experiments.show(run.id).attributes["artifacts.output.txt"])
    assert workspace.blobs.get(digest) == b"so far\n"
    run.finish()


def test_nothing_stays_behind_when_the_run_has_ended(experiments: Experiments):
    """No stream is copied and no thread watches any more."""
    before = sys.stdout, sys.stderr
    with experiments.start("a") as run:
        capture_process(run)
    assert (sys.stdout, sys.stderr) == before
    deadline = time.monotonic() + 60
    while any(thread.name == "heptad-capture" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
