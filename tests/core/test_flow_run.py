"""Runs that are killed, and runs of several processes at once."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from heptad.core.errors import TaskError, WorkspaceError
from heptad.core.flow import Flow, FlowEvent
from heptad.core.flow_cache import TaskResult
from heptad.core.query import Query
from heptad.core.settings import StoreSettings
from heptad.core.workspace import Workspace, open_workspace

PROGRAM = '''
import os, sys, time
from pathlib import Path
from heptad.core.flow import Flow
from heptad.core.settings import StoreSettings
from heptad.core.workspace import open_workspace

root = Path(sys.argv[1])

def note(name):
    with (root / "ran").open("a") as file:
        file.write(f"{name} {os.getpid()}\\n")

def pause(name):
    """Wait where the test asks for it, until the test lets go."""
    note(name)
    while (root / f"hold-{name}").exists():
        time.sleep(0.01)

def first():
    pause("first")
    return list(range(9000))

def second(first):
    pause("second")
    return sum(first)

def third(second):
    pause("third")
    return second + 1

if __name__ == "__main__":
    def tell(event):
        note(f"{event.kind}:{event.task}")
    workspace = open_workspace(root, "test", StoreSettings())
    print(Flow("test", [first, second, third]).run(workspace, on_event=tell)["third"])
'''


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def start(program: Path, root: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(program), str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def answer(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def lines(root: Path) -> list[str]:
    path = root / "ran"
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(root: Path, line: str, count: int = 1) -> None:
    until = time.monotonic() + 60
    while lines(root).count(line) < count:
        assert time.monotonic() < until, f"{line} did not come: {lines(root)}"
        time.sleep(0.01)


def stored(workspace: Workspace) -> set[str]:
    return {one.body["task"] for one in workspace.store.find(Query(kind=TaskResult.kind)).items}


def test_a_killed_run_goes_on_behind_its_last_finished_task(
    workspace: Workspace, tmp_path: Path, program: Path
) -> None:
    """After `kill -9`, what was finished is read; what was running runs again, at once: its claim is taken over."""
    hold = tmp_path / "hold-second"
    hold.touch()
    killed = start(program, tmp_path)
    wait_for(tmp_path, "second")
    until = time.monotonic() + 30
    while stored(workspace) != {"first"} and time.monotonic() < until:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    hold.unlink()
    (tmp_path / "ran").unlink()
    began = time.monotonic()
    assert answer(start(program, tmp_path)) == str(sum(range(9000)) + 1)
    assert time.monotonic() - began < 20, "it waited for the lease of the dead process"
    assert [line for line in lines(tmp_path) if ":" not in line] == ["second", "third"]
    assert "cached:first" in lines(tmp_path)


def test_of_two_processes_one_computes(workspace: Workspace, tmp_path: Path, program: Path) -> None:
    """The other waits and reads; both have the answer, and each task ran once."""
    hold = tmp_path / "hold-first"
    hold.touch()
    one = start(program, tmp_path)
    wait_for(tmp_path, "first")
    two = start(program, tmp_path)
    wait_for(tmp_path, "waiting:first")
    hold.unlink()
    assert answer(one) == answer(two)
    ran = [line for line in lines(tmp_path) if ":" not in line]
    assert sorted(ran) == ["first", "second", "third"]
    assert stored(workspace) == {"first", "second", "third"}


def test_whoever_waits_takes_over_from_the_dead(tmp_path: Path, program: Path) -> None:
    """When the process that computes is killed, the one that waits for it computes."""
    hold = tmp_path / "hold-first"
    hold.touch()
    one = start(program, tmp_path)
    wait_for(tmp_path, "first")
    two = start(program, tmp_path)
    wait_for(tmp_path, "waiting:first")
    one.send_signal(signal.SIGKILL)
    one.communicate()
    wait_for(tmp_path, "first", count=2)
    hold.unlink()
    assert answer(two) == str(sum(range(9000)) + 1)


@pytest.mark.slow
def test_killed_at_every_boundary_it_ends_the_same(workspace: Workspace, tmp_path: Path, program: Path) -> None:
    """`kill -9` between any two durable acts loses and doubles nothing: the next run completes the flow."""

    def copy(name: str) -> Path:
        shutil.copytree(workspace.folder, tmp_path / name / ".heptad")
        return tmp_path / name

    log = tmp_path / "boundaries"
    undisturbed = answer(start(program, copy("undisturbed"), HEPTAD_FAULT_LOG=str(log)))
    count = len(log.read_text().splitlines())
    assert count > 3
    for number in range(1, count + 1):
        root = copy(f"killed-at-{number}")
        killed = start(program, root, HEPTAD_FAULT_KILL=str(number))
        killed.communicate(timeout=60)
        assert killed.returncode in {-signal.SIGKILL, 0}
        assert answer(start(program, root)) == undisturbed
        assert stored(open_workspace(root, "test", StoreSettings())) == {"first", "second", "third"}


def test_a_store_that_cannot_be_written_ends_the_run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where results cannot be kept the run says so, instead of going on as if they were."""

    def full(data: Any) -> str:
        raise WorkspaceError("the disk is full")

    monkeypatch.setattr(workspace.blobs, "put", full)
    with pytest.raises(WorkspaceError, match="full"):
        Flow("test", {"large": lambda: b"x" * 10_000}).run(workspace)
    assert stored(workspace) == set()


def test_an_interrupt_keeps_what_was_finished(workspace: Workspace) -> None:
    """Ctrl-C ends the run; what was finished before is there the next time."""

    def first():
        return 1

    def interrupted(first):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Flow("test", [first, interrupted]).run(workspace)
    assert stored(workspace) == {"first"}


def test_nothing_is_kept_in_memory_that_nobody_needs(workspace: Workspace) -> None:
    """A result whose readers are done is dropped and read from the store when it is asked for."""
    results = Flow(
        "test",
        {"large": lambda: b"x" * 10_000, "length": lambda large: len(large) + 0, "last": lambda length: length},
    ).run(workspace)
    assert all(not value.blobs for value in results._values.values())
    assert results["large"] == b"x" * 10_000


def test_events_tell_errors(workspace: Workspace) -> None:
    """A failed task's event says what went wrong."""
    events: list[FlowEvent] = []

    def fails():
        raise ValueError("no")

    with pytest.raises(TaskError):
        Flow("test", [fails]).run(workspace, on_event=events.append)
    assert [(event.kind, event.detail) for event in events] == [("started", ""), ("failed", "ValueError: no")]
