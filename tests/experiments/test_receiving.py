"""What others ship is applied once, to their own runs, and nothing else is touched."""

import time
from io import BytesIO

import pytest

from heptad.core import graph
from heptad.core.errors import InputError, NotFoundError, RefusedError, UnavailableError
from heptad.core.query import Query
from heptad.core.records import digest_of, new_id
from heptad.core.sql_values import pack_points
from heptad.core.workspace import Workspace
from heptad.experiments import Points, Receiver, RunBegin, RunUpdate
from heptad.experiments.records import Run

AT = 1_000_000.0


@pytest.fixture
def receiver(workspace: Workspace) -> Receiver:
    """Of a workspace whose clock stands still."""
    return Receiver(workspace)


def begin(receiver: Receiver, **fields) -> str:
    run = new_id("run")
    body = Run(name="a", experiment="elsewhere", params={"depth": 3})
    given = {"run": run, "at": AT, "actor": "user:alice", "body": body, **fields}
    receiver.begin(RunBegin(**given))
    return given["run"]


def test_everything_that_is_repeated_counts_once(receiver: Receiver, workspace: Workspace):
    """The beginning, points, updates, files; later values of others stay."""
    digest = digest_of(b"hello")
    assert receiver.lacking([digest, digest]) == [digest]
    run, message = "", RunBegin(run=new_id("run"), at=AT, body=Run(name="a", experiment="e"))
    points = Points(series={"loss": (0, pack_points([0, 1], [0.5, 0.25], [1.0, 2.0]))})
    for _ in range(2):
        receiver.begin(message)
        run = message.run
        receiver.append(run, points)
        receiver.keep(digest, BytesIO(b"hello"))
        receiver.update(
            RunUpdate(run=run, at=AT, key="a:1", attributes={"tags.x": "theirs"}, files={"d/f.txt": digest})
        )
        graph.set_attributes(workspace, run, {"tags.x": "ours"})
    record = graph.load(workspace, run, Run)
    assert (record.attributes["tags.x"], record.attributes["artifacts.d/f.txt"]) == ("ours", digest)
    assert receiver.lacking([digest]) == []
    series = workspace.store.read(run, "loss")
    assert (list(series.steps), list(series.values), list(series.times)) == ([0, 1], [0.5, 0.25], [1.0, 2.0])
    assert len(workspace.store.find(Query(kind="run")).items) == 1


def test_times_of_points_are_the_clients_and_events_are_in_the_servers_order(receiver: Receiver, workspace: Workspace):
    """Whatever a client's clock says, nothing is recorded after now; what it says is kept beside the run."""
    future = workspace.clock.now().timestamp() + 1e6
    run = begin(receiver, at=future)
    packed = pack_points([5, 4], [1.0, 2.0], [future, future - 1e6])
    receiver.append(run, Points(series={"loss": (0, packed)}))
    receiver.update(RunUpdate(run=run, at=future, key="a:1", attributes={"tags.a": 1}, event="experiments.run_changed"))
    record = graph.load(workspace, run, Run)
    assert record.at == workspace.clock.now()
    assert record.attributes["started"] == future
    series = workspace.store.read(run, "loss")
    assert (list(series.steps), list(series.times)) == ([5, 4], [future, future - 1e6])
    assert max(event.at for event in workspace.store.follow(0)) == workspace.clock.now()


def test_the_actor_is_who_takes_it_and_the_user_who_says_so(receiver: Receiver, workspace: Workspace):
    """A client cannot write in somebody else's name."""
    run = begin(receiver, actor="user:admin")
    record = graph.load(workspace, run, Run)
    assert record.attributes["user"] == "admin"
    assert record.actor != "user:admin"


def test_other_runs_are_not_touched(receiver: Receiver, workspace: Workspace):
    """Neither those of searches and of this machine, nor records of other kinds."""
    own = graph.save(workspace, Run(name="a", experiment="test"), scope="test").id
    points = Points(series={"loss": (0, pack_points([0], [0.5], [1.0]))})
    for act in (
        lambda: receiver.append(own, points),
        lambda: receiver.update(RunUpdate(run=own, at=AT, attributes={"status": "killed"})),
        lambda: receiver.state(own),
        lambda: begin(receiver, run=own),
    ):
        with pytest.raises(RefusedError):
            act()
    with pytest.raises(NotFoundError):
        receiver.append(new_id("run"), points)
    assert graph.load(workspace, own, Run).attributes == {}


def test_a_file_that_is_not_what_it_is_said_to_be_is_not_kept(receiver: Receiver, workspace: Workspace):
    """Nothing of it stays, and nothing can name it."""
    with pytest.raises(InputError, match="digest"):
        receiver.keep(digest_of(b"a"), BytesIO(b"b" * (9 << 20)))
    assert list(workspace.blobs.digests()) == []
    run = begin(receiver)
    with pytest.raises(UnavailableError, match="has not arrived"):
        receiver.update(RunUpdate(run=run, at=AT, files={"a": digest_of(b"a")}))
    with pytest.raises(UnavailableError, match="has not arrived"):
        begin(receiver, body=Run(name="a", experiment="e", environment=digest_of(b"a")))


@pytest.mark.parametrize("parent_first", [True, False])
def test_a_run_finds_its_parent_whichever_arrives_first(
    receiver: Receiver, workspace: Workspace, *, parent_first: bool
):
    """And what is not here is noted, and keeps nothing from arriving."""
    parent, child = new_id("run"), new_id("run")
    links = {parent: [("data", "dv-abcdefghijklmnop")], child: [("parent", parent)]}
    for run in (parent, child) if parent_first else (child, parent):
        begin(receiver, run=run, links=links[run])
    found = [(link.role, link.target) for link in workspace.store.trace([child], "out")]
    assert found == [("parent", parent)]
    assert [key for key in graph.load(workspace, child, Run).attributes if key.startswith("missing.")] == []
    assert graph.load(workspace, parent, Run).attributes["missing.data.dv-abcdefghijklmnop"] is True


def test_points_behind_a_gap_are_refused_and_state_says_how_far_a_run_is(receiver: Receiver):
    """So whoever goes on with it knows where its series end."""
    run = begin(receiver)
    with pytest.raises(InputError):
        receiver.append(run, Points(series={"loss": (3, pack_points([0], [0.5], [1.0]))}))
    receiver.append(run, Points(series={"loss": (0, pack_points([0, 1], [0.5] * 2, [1.0] * 2))}))
    receiver.update(RunUpdate(run=run, at=time.time(), attributes={"metrics.loss": 0.5, "status": "killed"}))
    state = receiver.state(run)
    assert (state.status, state.series) == ("killed", {"loss": 2})
