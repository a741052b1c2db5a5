"""A workspace takes what journals hold, as often as it is given."""

from heptad.core import graph
from heptad.core.store import Segment
from heptad.core.workspace import Workspace
from heptad.experiments.journal.messages import RunUpdate
from heptad.experiments.journal.target import WorkspaceTarget
from heptad.experiments.records import Run


def test_taking_a_thing_twice_changes_nothing(workspace: Workspace, tmp_path):
    """Files by content, points by index, changes by key."""
    run = graph.save(workspace, Run(name="a", experiment="test"), scope="test").id
    target = WorkspaceTarget(workspace)
    (tmp_path / "file").write_bytes(b"x")
    segment = Segment(record=run, key="loss", first=0, steps=[0], values=[1.0], times=[2.0])
    for value in ("a", "b"):
        (digest,) = target.put([tmp_path / "file"])
        target.append([segment])
        target.update(RunUpdate(run=run, at=1.0, attributes={"tags.x": value}, key="once"))
    assert workspace.blobs.get(digest) == b"x"
    assert list(workspace.store.read(run, "loss").values) == [1.0]
    assert graph.load(workspace, run, Run).attributes["tags.x"] == "a"
