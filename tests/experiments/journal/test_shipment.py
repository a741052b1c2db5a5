"""A journal arrives in the store once, however often it is shipped and wherever shipping was cut off."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from heptad.core import graph
from heptad.core.errors import IntegrityError
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace
from heptad.experiments.journal import journal, shipment
from heptad.experiments.journal.entries import Update
from heptad.experiments.journal.journal import Journal, files_of
from heptad.experiments.journal.shipment import Shipment
from heptad.experiments.journal.target import WorkspaceTarget
from heptad.experiments.records import Run

END = {"status": "finished", "ended": 9.0}


@pytest.fixture
def run(workspace: Workspace) -> str:
    """A run without a journal."""
    return graph.save(workspace, Run(name="a", experiment="test"), scope="test").id


def test_points_files_and_attributes_arrive_once(run: str, workspace: Workspace, tmp_path: Path):
    """Shipped again from the start, nothing changes: not even a tag that somebody has changed since."""
    own = Journal.create(tmp_path, run)
    own.add_points({"loss": 0.5, "rate": 1.0}, None, 1.0)
    own.add(
        Update(
            at=1.0, attributes={"tags.a": "x"}, files={"f.txt": own.stage(b"hello")}, event="experiments.run_changed"
        )
    )
    own.add_points({"loss": 0.25}, 7, 2.0)
    own.add(Update(at=2.0, attributes=END, event="experiments.run_finished", ends=True))
    for _ in range(2):
        one = Shipment(own.folder, lambda: WorkspaceTarget(workspace))
        one.advance(3.0, last=True)
        assert one.ended
        graph.set_attributes(workspace, run, {"tags.a": "changed"})
    attributes = graph.load(workspace, run, Run).attributes
    assert (attributes["metrics.loss"], attributes["metrics.rate"], attributes["tags.a"]) == (0.25, 1.0, "changed")
    assert workspace.blobs.get(str(attributes["artifacts.f.txt"])) == b"hello"
    series = workspace.store.read(run, "loss")
    assert (list(series.steps), list(series.values), list(series.times)) == ([0, 7], [0.5, 0.25], [1.0, 2.0])
    assert len(workspace.store.follow(0, ["experiments.run_finished"])) == 1


def test_latest_values_follow_while_the_run_goes_on(run: str, workspace: Workspace, tmp_path: Path):
    """Every two seconds at most."""
    own = Journal.create(tmp_path, run)
    one = Shipment(own.folder, lambda: WorkspaceTarget(workspace))
    for second, value in ((10.0, 1.0), (11.0, 2.0), (12.5, 3.0)):
        own.add_points({"loss": value}, None, second)
        one.advance(second)
        shown = 1.0 if second < 12 else 3.0
        assert graph.load(workspace, run, Run).attributes["metrics.loss"] == shown


def test_files_are_let_go_of_as_they_are_shipped(
    run: str, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A long run does not fill the disk with its journal; entries longer than one reading are read."""
    monkeypatch.setattr(journal, "LARGEST", 300)
    monkeypatch.setattr(shipment, "AT_ONCE", 100)
    own = Journal.create(tmp_path, run)
    one = Shipment(own.folder, lambda: WorkspaceTarget(workspace))
    for value in range(200):
        own.add_points({"loss": float(value)}, None, 0.0)
        if value % 50 == 0:
            own.add(Update(at=0.0, attributes={"tags.long": "x" * 500}))
            one.advance(0.0)
    one.advance(0.0)
    assert list(workspace.store.read(run, "loss").values) == list(range(200))
    assert len(files_of(own.folder)) == 1


def test_what_is_appended_just_before_a_file_ends_is_not_lost(
    run: str, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Appended, and another file begun, after the shipper has read the file and before it looks for the next one."""
    own = Journal.create(tmp_path, run)
    own.add_points({"loss": 1.0}, None, 0.0)
    one = Shipment(own.folder, lambda: WorkspaceTarget(workspace))
    one.advance(0.0)
    real, raced = shipment.entries.whole, []

    def racing(data: bytes, start: int):
        found = list(real(data, start))
        if not found and not raced:
            raced.append(True)
            own.add_points({"loss": 2.0}, None, 0.0)
            own._rotate()
        return iter(found)

    monkeypatch.setattr(shipment.entries, "whole", racing)
    one.advance(0.0)
    one.advance(0.0)
    own.add_points({"loss": 3.0}, None, 0.0)
    one.advance(0.0)
    assert list(workspace.store.read(run, "loss").values) == [1.0, 2.0, 3.0]


def test_a_torn_tail_is_left_out(run: str, workspace: Workspace, tmp_path: Path):
    """Also where the next writer of the run has begun another file behind it."""
    own = Journal.create(tmp_path, run)
    own.add_points({"loss": 1.0}, None, 0.0)
    own.close()
    with files_of(own.folder)[0].open("ab") as file:
        file.write(b"\x40\0\0\0half of an entry")
    (own.folder / "000001.journal").write_bytes(b"heptad-jour")
    again = Journal.create(tmp_path, run, starts={"loss": 1})
    again.add_points({"loss": 2.0}, None, 0.0)
    Shipment(own.folder, lambda: WorkspaceTarget(workspace)).advance(0.0)
    assert list(workspace.store.read(run, "loss").values) == [1.0, 2.0]


def test_staged_bytes_that_were_damaged_are_not_taken(run: str, workspace: Workspace, tmp_path: Path):
    """The digest that was recorded names what was logged, or nothing."""
    own = Journal.create(tmp_path, run)
    digest = own.stage(b"hello")
    own.add(Update(at=0.0, files={"a": digest}))
    (own.folder / "files" / digest).write_bytes(b"damaged")
    with pytest.raises(IntegrityError):
        Shipment(own.folder, lambda: WorkspaceTarget(workspace)).advance(0.0)


SCRIPT = """
import sys
from pathlib import Path
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
from heptad.experiments.journal.shipment import Shipment
from heptad.experiments.journal.target import WorkspaceTarget
workspace = open_workspace(Path(sys.argv[1]), "test", StoreSettings())
Shipment(Path(sys.argv[2]), lambda: WorkspaceTarget(workspace)).advance(0.0, last=True)
"""


@pytest.mark.slow
def test_shipping_may_be_killed_at_any_boundary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Killed before and after every durable act, and done again: each point and each file is there once."""
    workspace = open_workspace(tmp_path, "test", StoreSettings())
    run = graph.save(workspace, Run(name="a", experiment="test"), scope="test").id
    own = Journal.create(tmp_path / "journals", run)
    for value in range(30):
        own.add_points({"loss": float(value)}, None, 0.0)
        if value % 10 == 0:
            own.add(Update(at=0.0, files={f"{value}.txt": own.stage(b"%d" % value)}, event="experiments.run_changed"))
    own.add(Update(at=2.0, attributes=END, event="experiments.run_finished", ends=True))
    own.close()
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(own.folder)]
    kills = 0
    while True:
        environment = os.environ | {"HEPTAD_FAULT_KILL": str(1 + kills % 12)}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        if done.returncode != -signal.SIGKILL or kills == 12:
            break
        kills += 1
    subprocess.run(command, check=True)
    assert kills >= 4
    assert list(workspace.store.read(run, "loss").values) == list(range(30))
    attributes = graph.load(workspace, run, Run).attributes
    assert [workspace.blobs.get(str(attributes[f"artifacts.{n}.txt"])) for n in (0, 10, 20)] == [b"0", b"10", b"20"]
    assert len(workspace.store.follow(0, ["experiments.run_changed"])) == 3
