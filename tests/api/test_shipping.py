"""Runs shipped to a real server: whatever is killed, full, slow or repeated, every point is there once."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

import heptad
from heptad.api.process import start_api
from heptad.api.settings import ApiOptions
from heptad.core.errors import InputError, RequestError, UnavailableError
from heptad.core.records import digest_of, new_id
from heptad.core.sql_values import pack_points
from heptad.core.store import Segment
from heptad.experiments import Points, RunBegin, RunUpdate
from heptad.experiments.journal.http_target import HttpTarget
from heptad.experiments.records import Run
from heptad.experiments.run_table import RunTable
from heptad.project import ship_runs
from tests.api.conftest import Web

SCRIPT = """
import sys, time
import heptad
from heptad.experiments.journal import shipper
shipper.SHIP_SECONDS = 0.05
run = heptad.track("worker", server=sys.argv[1], experiment=sys.argv[2], capture=False).start()
print(run.id, flush=True)
for step in range(int(sys.argv[3])):
    run.log({"loss": step / 7, "val/loss": -float(step)}, step=2 * step, time=1000.0 + step)
    if step % 10 == 9:
        print(step + 1, flush=True)
        time.sleep(0.01)
run.attach("f.txt", run.id.encode())
run.finish()
"""
STEPS = 2500


def worker(web: Web, folder: Path, experiment: str, steps: int = STEPS) -> subprocess.Popen[str]:
    folder.mkdir()
    command = [sys.executable, "-c", SCRIPT, web.server.url, experiment, str(steps)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


def check_points(web: Web, run: str, least: int, most: int) -> dict[str, Any]:
    """That every point which was logged is there, once, with its step, value and time; answers the attributes."""
    table = RunTable(web.workspace)
    for key, value in (("loss", lambda step: step / 7), ("val/loss", lambda step: -float(step))):
        series = table.metric_series(run, key)
        count = len(series.steps)
        assert least <= count <= most
        assert list(series.steps) == [2 * step for step in range(count)]
        assert list(series.values) == [value(step) for step in range(count)]
        assert list(series.times) == [1000.0 + step for step in range(count)]
    return dict(table.show(run).attributes)


@pytest.mark.slow
def test_a_server_that_is_killed_under_eight_processes_loses_nothing(own_web: Web, tmp_path: Path) -> None:
    """Killed twice while they log and one of them is killed too, with a torn tail: point for point what was logged."""
    # The one that is killed would be at its end by then, were it not given more to do.
    most = [100 * STEPS, *[STEPS] * 7]
    workers = [worker(own_web, tmp_path / str(number), "eight", steps) for number, steps in enumerate(most)]
    runs = [one.stdout.readline().strip() for one in workers if one.stdout]
    victim, logged = workers[0], 0
    for _ in range(2):
        time.sleep(1.0)
        os.kill(own_web.server.pid or 0, signal.SIGKILL)
    while logged < 100:
        assert victim.stdout is not None
        logged = int(victim.stdout.readline())
    victim.send_signal(signal.SIGKILL)
    for one in workers:
        rest = one.communicate(timeout=120)[0].split()
        if one is victim and rest:
            logged = int(rest[-1])
    (folder,) = (tmp_path / "0" / ".heptad").iterdir()
    for journal in folder.glob("run-*/*.journal"):
        with journal.open("ab") as file:
            file.write(b"\x40\0\0\0half of an entry")
    deadline = time.monotonic() + 60
    while any(one.problem for number in range(8) for one in ship_runs(tmp_path / str(number))):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    killed = check_points(own_web, runs[0], logged, most[0])
    assert (killed["status"], killed["remote"]) == ("killed", True)
    for run in runs[1:]:
        attributes = check_points(own_web, run, STEPS, STEPS)
        assert attributes["status"] == "finished"
        assert own_web.workspace.blobs.get(attributes["artifacts.f.txt"]) == run.encode()
    finished = own_web.workspace.store.follow(0, ["experiments.run_finished"])
    assert sorted(event.subject for event in finished) == sorted(runs)
    assert len(RunTable(own_web.workspace).list(experiment="eight")) == 8


def test_a_run_is_gone_on_with(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its series end; one that is finished stays as it is, and one that goes on is logged to under a mark."""
    monkeypatch.chdir(tmp_path)
    run = heptad.track("first", server=web.server.url, capture=False).start()
    run.log(loss=1.0)
    run.finish("failed", "for the test")
    with heptad.track("again", server=web.server.url, resume=run.id, capture=False) as again:
        again.log(loss=2.0)
        deadline = time.monotonic() + 60
        while RunTable(web.workspace).show(run.id).attributes["status"] != "running":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        beside = heptad.track("beside", server=web.server.url, resume=run.id, capture=False).start()
        beside.log(loss=3.0)
        beside.finish("killed")
    table = RunTable(web.workspace)
    assert list(table.metric_series(run.id, "loss").values) == [1.0, 2.0]
    attributes = table.show(run.id).attributes
    (other,) = [key.removeprefix("metrics.") for key in attributes if "process=" in key]
    assert list(table.metric_series(run.id, other).values) == [3.0]
    with pytest.raises(InputError, match="finished"):
        heptad.track("never", server=web.server.url, resume=run.id).start()


def test_clients_of_mlflow_see_what_was_shipped(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run like all others, nested ones and what is read in this project too."""
    monkeypatch.chdir(tmp_path)
    with heptad.track("outer", experiment="shipped", params={"a": {"b": 1}}, server=web.server.url) as run:
        run.log(3, loss=float("nan"))
        with run.child("inner", experiment="shipped") as inner:
            inner.log(loss=0.5)
    info = web("GET", f"/api/2.0/mlflow/runs/get?run_id={inner.id}")[1]["run"]["info"]
    assert (info["status"], info["run_name"]) == ("FINISHED", "inner")
    links = web.workspace.store.trace([inner.id], "out", ["parent"])
    assert [link.target for link in links] == [run.id]
    assert "output.txt" not in RunTable(web.workspace).show(inner.id).attributes


@pytest.fixture
def shipped(web: Web) -> str:
    """A run that began by way of the server."""
    target, run = HttpTarget(web.server.url), new_id("run")
    target.begin(RunBegin(run=run, at=1.0, body=Run(name="a", experiment="garbage")))
    target.close()
    return run


def test_garbage_is_refused_and_nothing_of_it_is_kept(web: Web, shipped: str) -> None:
    """4xx with a sentence, for any bytes, other types, ids of others, names that lead elsewhere; never 5xx."""
    own = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]
    encode = msgspec.msgpack.encode
    update = {"run": shipped, "at": 1.0}
    bodies = [b"", b"garbage", b"\xff" * 100, b"\x91" * 100_000, b"\xdf\xff\xff\xff\xff", b'{"run": 1}', encode([])]
    bodies += [encode(update | one) for one in ({"run": own}, {"records": []}, {"files": {"../a": "0" * 64}})]
    bodies += [encode(update | {"attributes": one}) for one in ({"deleted": 1}, {"a": 1}, {"tags.\0": 1}, {"": 1})]
    for path in ("", f"/{shipped}/points", f"/{shipped}/updates", f"/{own}/updates", "/run-x/points", "/%00/updates"):
        for body in bodies:
            status, said = web("POST", f"/api/v1/runs{path}", body)
            assert 400 <= status < 500, (path, body[:40], said)
            assert said["error"]["problem"]
    digest = digest_of(b"x")
    for method, path, body in (
        ("PUT", f"files/{digest}", b"y"),
        ("PUT", "files/..", b"y"),
        ("PUT", f"files/{digest.upper()}", b"x"),
        ("POST", "files/lacking", encode({"digests": ["../../etc/passwd"]})),
        ("DELETE", f"runs/{shipped}", b""),
        ("GET", f"runs/{own}", b""),
        ("GET", f"runs/{new_id('run')}", b""),
        ("GET", "runs/../../etc/passwd", b""),
    ):
        status, said = web(method, f"/api/v1/{path}", body)
        assert 400 <= status < 500, (method, path, said)
        assert said["error"]["problem"]
    assert web("GET", f"/api/v1/runs/{shipped}") == (200, {"status": "running", "series": {}})
    assert [key for key in RunTable(web.workspace).show(own).attributes if key.startswith(("a", "d"))] == []


def test_what_is_too_long_or_cut_off_is_refused(web: Web, shipped: str) -> None:
    """A message by its announced length; a file whose connection ends before it does is not kept."""
    connection = http.client.HTTPConnection("127.0.0.1", web.server.port, timeout=60)
    connection.putrequest("POST", f"/api/v1/runs/{shipped}/points")
    connection.putheader("content-length", str(10**12))
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()
    content = os.urandom(1 << 20)
    connection = http.client.HTTPConnection("127.0.0.1", web.server.port, timeout=60)
    connection.putrequest("PUT", f"/api/v1/files/{digest_of(content)}")
    connection.putheader("content-length", str(len(content)))
    connection.endheaders(content[:1000])
    connection.close()
    target = HttpTarget(web.server.url)
    assert target.put([content]) == [digest_of(content)]
    assert target.put([content]) == [digest_of(content)]
    target.close()
    assert web.workspace.blobs.get(digest_of(content)) == content


def test_a_message_is_about_the_run_of_its_address(web: Web, shipped: str) -> None:
    """One run cannot be written to through another."""
    body = msgspec.msgpack.encode(RunUpdate(run=shipped, at=1.0))
    status, said = web("POST", f"/api/v1/runs/{new_id('run')}/updates", body)
    assert (status, "another run" in said["error"]["problem"]) == (400, True)
    points = msgspec.msgpack.encode(Points(series={"a": (1, pack_points([0], [0.0], [0.0]))}))
    assert web("POST", f"/api/v1/runs/{shipped}/points", points)[0] == 400


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk can only be made by root")
def test_a_server_whose_disk_is_full_says_so_and_takes_it_later(tmp_path: Path) -> None:
    """An error that may pass, for files and points; with more room the same calls succeed, and nothing is lost."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be made here: {mounted.stderr.decode().strip()}")
    try:
        with start_api(ApiOptions(root=str(disk), port=0), tmp_path / "api.log") as server:
            target, run = HttpTarget(server.url), new_id("run")
            target.begin(RunBegin(run=run, at=1.0, body=Run(name="a", experiment="e")))
            content = os.urandom(6 << 20)
            with pytest.raises(UnavailableError, match="full"):
                target.put([content])
            taken = fill(target, run)
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            target.append([segment(run, taken)])
            target.put([content])
            target.close()
            web = Web(server, disk)
            assert list(RunTable(web.workspace).metric_series(run, "loss").steps) == list(range(taken + 20_000))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(target: HttpTarget, run: str) -> int:
    """Append points until that is refused; answers how many were taken."""
    taken = 0
    with pytest.raises(UnavailableError, match="full"):  # noqa: PT012 - each of many calls may be the one
        while taken < 10_000_000:
            target.append([segment(run, taken)])
            taken += 20_000
    return taken


def segment(run: str, first: int) -> Segment:
    steps = list(range(first, first + 20_000))
    return Segment(record=run, key="loss", first=first, steps=steps, values=[0.1 * one for one in steps], times=steps)


def test_refusals_come_back_as_they_were_said(web: Web) -> None:
    """To whoever ships, with the status."""
    target = HttpTarget(web.server.url)
    with pytest.raises(RequestError, match="no record") as caught:
        target.state(new_id("run"))
    assert caught.value.status == 404
    target.close()
