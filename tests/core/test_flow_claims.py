"""Claims keep two processes from computing the same step, and let go of the dead."""

import subprocess
import sys
from datetime import timedelta

from heptad.core import flow_claims
from heptad.core.flow_claims import Claims
from heptad.core.records import Change
from heptad.core.workspace import Workspace


def test_a_claim_is_held_by_one(workspace: Workspace) -> None:
    """A second run gets a step only when the first has released it, even in the same process."""
    one, two = Claims(workspace.store, "flow:a"), Claims(workspace.store, "flow:a")
    assert one.take("step")
    assert "step" in one
    assert not two.take("step")
    assert "step" not in two
    workspace.store.write(Change(aliases=one.releases(["step"])))
    one.forget(["step"])
    assert two.take("step")


def test_many_are_taken_together_or_not_at_all(workspace: Workspace) -> None:
    """Where one of several steps is taken, none of them is claimed."""
    one, two = Claims(workspace.store, "flow:a"), Claims(workspace.store, "flow:a")
    assert one.take("b")
    assert not two.take_all(["a", "b", "c"])
    assert one.take("a")
    assert not two.take("a")
    assert two.take_all(["c", "d"])


def test_releasing_all_lets_everybody_in(workspace: Workspace) -> None:
    """What a run did not come to is free when it ends."""
    one, two = Claims(workspace.store, "flow:a"), Claims(workspace.store, "flow:a")
    assert one.take_all(["a", "b"])
    one.release_all()
    assert "a" not in one
    assert two.take_all(["a", "b"])
    one.release_all()
    assert not Claims(workspace.store, "flow:a").take("a")


def test_a_lost_claim_is_forgotten_when_renewed(workspace: Workspace, monkeypatch) -> None:
    """A claim that expired and was taken by another is not held on to; the others are."""
    monkeypatch.setattr(flow_claims, "LEASE", timedelta())
    one, two = Claims(workspace.store, "flow:a"), Claims(workspace.store, "flow:a")
    assert one.take_all(["a", "b"])
    monkeypatch.setattr(flow_claims, "LEASE", timedelta(seconds=30))
    assert two.take("a")
    one.renew()
    assert "a" not in one
    assert "b" in one
    assert not two.take("b")


CLAIMING = """
import sys
from pathlib import Path
from heptad.core.flow_claims import Claims
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace
workspace = open_workspace(Path(sys.argv[1]), "test", StoreSettings())
assert Claims(workspace.store, "flow:a").take("step")
"""


def test_a_dead_process_of_this_machine_is_replaced_at_once(workspace: Workspace) -> None:
    """The claim of a process that has ended is taken over without waiting for the lease to expire."""
    subprocess.run([sys.executable, "-c", CLAIMING, str(workspace.root)], check=True)
    one, two = Claims(workspace.store, "flow:a"), Claims(workspace.store, "flow:a")
    assert not one.take_all(["step"])
    assert one.take("step")
    assert not two.take("step")
    one.release_all()
    assert two.take("step")


def test_processes_of_other_machines_are_not_judged(workspace: Workspace, monkeypatch) -> None:
    """A claim from elsewhere is left alone, dead or not; so is one whose holder cannot be read."""
    monkeypatch.setattr(flow_claims, "_machine", lambda: "elsewhere")
    assert Claims(workspace.store, "flow:a").take("step")
    monkeypatch.undo()
    assert not Claims(workspace.store, "flow:a").take("step")
    assert not flow_claims.is_dead("somebody")
    assert not flow_claims.is_dead("process unknown 1 2 x")


def test_a_number_that_is_used_again_is_another_process() -> None:
    """A process is its number and the time of its start."""
    words = flow_claims.whereabouts().split()
    assert not flow_claims.is_dead(" ".join([*words, "x"]))
    words[3] = str(int(words[3]) - 1)
    assert flow_claims.is_dead(" ".join([*words, "x"]))
