"""A run that would be begun again is kept in memory, and delivered as one from a journal is."""

import pytest

from heptad.core import graph
from heptad.core.errors import InputError, UnavailableError
from heptad.core.workspace import Workspace
from heptad.experiments.journal.entries import Update
from heptad.experiments.journal.memory import MemoryJournal
from heptad.experiments.journal.target import WorkspaceTarget
from heptad.experiments.records import Run


@pytest.fixture
def run(workspace: Workspace) -> str:
    """A run that nobody logs to."""
    return graph.save(workspace, Run(name="a", experiment="test"), scope="test").id


def test_everything_arrives_once_and_no_file_is_made(run: str, workspace: Workspace):
    """Points in order, files at once, changes each."""
    one = MemoryJournal(run, lambda: WorkspaceTarget(workspace))
    one.add_points({"loss": 1.0}, None, 0.0)
    one.advance(0.0)
    one.add_points({"loss": 2.0}, None, 0.0)
    one.add(Update(at=0.0, attributes={"tags.a": 1}, files={"f": one.stage(b"x")}))
    one.add(Update(at=0.0, attributes={"tags.a": 2}))
    one.advance(0.0, last=True)
    one.advance(0.0, last=True)
    attributes = graph.load(workspace, run, Run).attributes
    assert list(workspace.store.read(run, "loss").steps) == [0, 1]
    assert (attributes["tags.a"], attributes["metrics.loss"]) == (2, 2.0)
    assert workspace.blobs.get(str(attributes["artifacts.f"])) == b"x"
    assert not (workspace.folder / "journals").exists()


def test_begun_again_its_points_take_the_place_of_the_first_ones(run: str, workspace: Workspace):
    """By their index: those that are there already are not written twice."""
    for _ in range(2):
        one = MemoryJournal(run, lambda: WorkspaceTarget(workspace))
        one.add_points({"loss": 1.0}, None, 0.0)
        one.advance(0.0)
    assert list(workspace.store.read(run, "loss").values) == [1.0]


def test_what_could_not_be_delivered_waits(run: str, workspace: Workspace):
    """The next call takes it."""
    answers = [UnavailableError("away"), None]

    def target() -> WorkspaceTarget:
        error = answers.pop(0)
        if error:
            raise error
        return WorkspaceTarget(workspace)

    one = MemoryJournal(run, target)
    one.add_points({"loss": 1.0}, 7, 0.0)
    with pytest.raises(UnavailableError):
        one.advance(0.0)
    one.advance(0.0)
    assert list(workspace.store.read(run, "loss").steps) == [7]


def test_names_are_checked_as_everywhere(run: str, workspace: Workspace):
    """Before anything is taken."""
    with pytest.raises(InputError):
        MemoryJournal(run, lambda: WorkspaceTarget(workspace)).check({"": 1.0})
