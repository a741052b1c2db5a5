"""Streams that are landed all the time, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from tests.adapters.brokers import PATIENCE, send_kafka

from heptad.data.streams import standing
from heptad.data.streams.standing import LOG, LandingProcesses, Standing, last_problem
from heptad.data.streams.streams import Streams
from heptad.project import open_project

SETTINGS = """
[sources.orders]
uri = "kafka://{topic}"
land = "always"
commit_every = "100ms"
[sources.clicks]
uri = "kafka://{topic}-clicks"
[data]
source = "orders"
target = "y"
"""
PARENT = """
import sys, time
from heptad.project import open_project
with open_project(sys.argv[1]).data.streams.standing() as running:
    while not running.pids:
        time.sleep(0.05)
    print(running.pids["orders"], flush=True)
    time.sleep(600)
"""


def wait_for(what: Callable[[], object]) -> None:
    ends = time.monotonic() + 2 * PATIENCE
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)


def is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def folder(topic: str, tmp_path: Path) -> Path:
    (tmp_path / "heptad.toml").write_text(SETTINGS.format(topic=topic), encoding="utf-8")
    return tmp_path


def said(streams: Streams) -> datetime:
    """When the process said something of itself last."""
    state = streams.states()[1].last
    assert state is not None
    assert state.at is not None
    return state.at


def send(topic: str, number: int) -> None:
    servers, _, name = topic.partition("/")
    send_kafka(servers, name, [b'{"number": %d}' % number])


def test_a_stream_is_landed_again_when_its_process_is_killed(folder: Path, topic: str) -> None:
    """Those alone that ask for it; when the block ends so do they, in order."""
    streams = open_project(folder).data.streams
    with streams.standing() as running:
        send(topic, 1)
        wait_for(lambda: streams.states()[1].rows == 1)
        assert list(running.pids) == ["orders"]
        state = streams.states()[1]
        assert (state.always, state.landing) == (True, True)
        first = running.pids["orders"]
        os.kill(first, signal.SIGKILL)
        send(topic, 2)
        wait_for(lambda: streams.states()[1].rows == 2)
        second = running.pids["orders"]
        assert second != first
    assert not is_there(second)
    assert not streams.states()[1].landing
    assert "repeated" in (folder / streams.states()[1].table / "_landing.log").read_text()


def test_a_process_that_hangs_is_ended_and_started_again(
    folder: Path, topic: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is known by its silence: one that lives says something of itself, also where nothing comes."""
    streams = open_project(folder).data.streams
    with streams.standing() as running:
        send(topic, 1)
        wait_for(lambda: streams.states()[1].rows == 1)
        first = running.pids["orders"]
        before = said(streams)
        wait_for(lambda: said(streams) > before)
        os.kill(first, signal.SIGSTOP)
        monkeypatch.setattr(standing, "SILENT_SECONDS", 2.0)
        wait_for(lambda: not is_there(first))
        monkeypatch.undo()
        send(topic, 2)
        wait_for(lambda: streams.states()[1].rows == 2)
    assert "the process that lands orders has said nothing for 3 s: it is ended" in caplog.text


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="it is seen there who lives")
def test_it_ends_with_a_parent_that_is_killed(folder: Path) -> None:
    """Nothing lands behind a person's back."""
    command = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(2.0)
        parent.kill()
    wait_for(lambda: not is_there(child))


def test_one_that_cannot_land_is_tried_again_with_growing_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it says is told, and is in its log, which does not grow without an end."""
    monkeypatch.setattr(standing, "SHORTEST_PAUSE", 0.01)
    log = tmp_path / "orders" / LOG
    log.parent.mkdir()
    log.write_bytes(b"x" * (2 << 20))
    with LandingProcesses(tmp_path / "nowhere", {"orders": Standing(log.parent)}) as running:
        wait_for(lambda: "nowhere is not a Heptad project" in caplog.text and not running.pids)
    assert log.stat().st_size < 1 << 20
    assert "Remedy: go to a project's folder" in last_problem(log.parent)
    assert last_problem(log.parent) in caplog.text


def test_a_process_that_ended_in_order_has_no_problem(tmp_path: Path) -> None:
    """Nor has one that never was, or was killed before it said anything."""
    assert not last_problem(tmp_path)
    (tmp_path / LOG).write_text('{"problem":"gone"}\n{"rows":3}\n')
    assert not last_problem(tmp_path)
    (tmp_path / LOG).write_text("Traceback\n")
    assert not last_problem(tmp_path)
