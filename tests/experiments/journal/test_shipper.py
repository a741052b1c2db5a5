"""Journals of the living are shipped in the background, those of the dead by whoever comes next."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from heptad.core.errors import UnavailableError
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.experiments import Experiments, SearchSettings
from heptad.experiments.journal import shipper as shippers
from heptad.experiments.journal.shipper import DIED, journals_of, ship_leftovers
from heptad.experiments.journal.target import WorkspaceTarget

SCRIPT = """
import sys, time
from pathlib import Path
from heptad.core.settings import ProjectSettings, StoreSettings
from heptad.core.workspace import open_workspace
from heptad.experiments import Experiments, SearchSettings
from heptad.experiments.journal import shipper
shipper.SHIP_SECONDS = float(sys.argv[2])
workspace = open_workspace(Path(sys.argv[1]), "test", StoreSettings())
experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
run = experiments.start("victim", key=sys.argv[3:])
print(run.id, flush=True)
number = 0
while True:
    run.log(loss=float(number))
    number += 1
    print(number, flush=True)
    if number == 2000:
        time.sleep(600)
"""


def victim(root: Path, pause: float, *key: str) -> tuple[str, int]:
    """A process that logs and is killed in the middle of it: its run, and how many calls have returned."""
    command = [sys.executable, "-c", SCRIPT, str(root), str(pause), *key]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run, returned = process.stdout.readline().strip(), 0
    while returned < 1500:
        returned = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    rest = process.communicate()[0].split()
    return run, int(rest[-1]) if rest and rest[-1].isdigit() else returned


def experiments_in(root: Path) -> Experiments:
    return Experiments(open_workspace(root, "test", StoreSettings()), ProjectSettings(), SearchSettings())


@pytest.mark.parametrize("pause", [0.01, 600.0], ids=["while shipping", "before shipping"])
def test_what_was_logged_survives_the_process(tmp_path: Path, pause: float):
    """Every call that returned before `kill -9` left its point, once, and the run is known as killed."""
    run, returned = victim(tmp_path, pause)
    experiments = experiments_in(tmp_path)
    assert experiments.show(run).attributes["status"] == "running"
    (shipped,) = experiments.ship()
    assert (shipped.run, shipped.problem) == (run, "")
    values = list(experiments.metric_series(run, "loss").values)
    assert values == list(map(float, range(len(values))))
    assert len(values) >= returned
    record = experiments.show(run)
    assert (record.attributes["status"], record.attributes["reason"]) == ("killed", DIED)
    assert record.attributes["metrics.loss"] == values[-1]
    assert experiments.ship() == []
    assert experiments.show(run).attributes["ended"] == record.attributes["ended"]


def test_a_run_that_can_be_begun_again_is_not_called_killed(tmp_path: Path):
    """A trial of a search that was cut off stays open, and is begun again under its id."""
    run, _ = victim(tmp_path, 600.0, "study", "1")
    experiments = experiments_in(tmp_path)
    experiments.ship()
    assert experiments.show(run).attributes["status"] == "running"
    with experiments.start("victim", key=("study", "1")) as again:
        assert again.id == run


def test_the_next_run_ships_what_was_left(tmp_path: Path):
    """In the background, without being asked."""
    run, returned = victim(tmp_path, 600.0)
    experiments = experiments_in(tmp_path)
    with experiments.start("next"):
        deadline = time.monotonic() + 60
        while len(experiments.metric_series(run, "loss").values) < returned:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_the_living_are_left_alone(workspace: Workspace):
    """A journal that is written to is not shipped by somebody else, and its run not called killed."""
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    run = experiments.start("lives")
    assert experiments.ship() == []
    assert experiments.show(run.id).attributes["status"] == "running"
    run.finish()


def test_what_cannot_be_shipped_stays(tmp_path: Path):
    """With the reason; the next try takes it."""
    run, _ = victim(tmp_path, 600.0)
    experiments = experiments_in(tmp_path)
    root = journals_of(experiments.workspace.folder)

    def away() -> WorkspaceTarget:
        raise UnavailableError("The store is away.")

    (tried,) = ship_leftovers(root, away)
    assert "away" in tried.problem
    assert len(list(root.iterdir())) == 1
    (shipped,) = experiments.ship()
    assert (shipped.run, shipped.problem) == (run, "")
    assert not list(root.iterdir())


def test_a_store_that_hangs_delays_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog):
    """Logging and the end of the run go on; when the store answers, everything arrives by itself."""
    monkeypatch.setattr(shippers, "STILL_SECONDS", 0.5)
    experiments = Experiments(workspace, ProjectSettings(), SearchSettings())
    answering = threading.Event()
    append = workspace.store.append

    def slow(segments) -> None:
        answering.wait(60)
        append(segments)

    monkeypatch.setattr(workspace.store, "append", slow)
    run = experiments.start("patient")
    for value in range(5000):
        run.log(loss=float(value))
    run.finish()
    assert "has not reached the store yet" in caplog.text
    assert experiments.show(run.id).attributes["status"] == "running"
    answering.set()
    deadline = time.monotonic() + 60
    while experiments.show(run.id).attributes["status"] != "finished":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert list(experiments.metric_series(run.id, "loss").values) == list(range(5000))
