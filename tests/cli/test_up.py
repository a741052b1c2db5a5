"""`heptad up` as a real process: it answers, turns the loop, and stops in order."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import pytest

from heptad.cli.up import api_lines, curl_line, example_row
from heptad.data import CleanRule
from heptad.data.streams.standing import LOG
from heptad.project import open_project
from tests.adapters.brokers import kafka_cluster, send_kafka
from tests.cli.conftest import Shell
from tests.lifecycle.rides import make_rides

UP = [sys.executable, "-c", "from heptad.cli import main; main()", "up"]


@pytest.fixture
def copy(rides, tmp_path):
    """The project, for tests that change it."""
    return shutil.copytree(rides, tmp_path / "copy", ignore=shutil.ignore_patterns("workers"))


def wait_until(what):
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_the_line_that_it_prints_and_stops_in_order(copy, number):
    """The printed curl line works as it is; Ctrl-C and SIGTERM end it with 0, and leave no server behind."""
    with subprocess.Popen(
        [*UP, "--port", "0", "--serve-port", "0", "--json", "-p", copy], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            asked = subprocess.run(["bash", "-c", started["curl"]], capture_output=True, text=True, check=True)
            (answer,) = json.loads(asked.stdout)["predictions"]
            assert answer["version"] == started["version"]
            assert answer["warnings"] == []
            with urllib.request.urlopen(f"{started['api']}/health", timeout=60) as healthy:
                assert healthy.read() == b"OK"
        finally:
            process.send_signal(number)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"Stopped" in said
    host, port = started["url"].removeprefix("http://").split(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def test_it_lands_the_streams_that_ask_for_it(copy):
    """In a process beside the server, which ends with it; what landed is seen meanwhile."""
    with kafka_cluster() as (servers, _):
        settings = copy / "heptad.toml"
        told = f'\n[sources.clicks]\nuri = "kafka://{servers}/clicks"\nland = "always"\ncommit_every = "100ms"\n'
        settings.write_text(settings.read_text().replace("[data]", '[data]\nsource = "rides"') + told)
        streams = open_project(copy).data.streams
        with subprocess.Popen(
            [*UP, "--port", "0", "--serve-port", "0", "--json", "-p", copy],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline()
                send_kafka(servers, "clicks", [b'{"number": 1}'])
                deadline = time.monotonic() + 120
                while not streams.states()[0].rows:
                    assert time.monotonic() < deadline, (streams.folder("clicks") / LOG).read_text()
                    time.sleep(0.2)
                assert streams.states()[0].landing
            finally:
                process.terminate()
                process.wait(60)
    assert process.returncode == 0
    assert not streams.states()[0].landing


def test_streams_land_before_a_model_is_released_and_it_is_served_once_one_is(tmp_path):
    """A broker's queue is bounded, so nothing waits for a model; the second line of JSON says where it answers."""
    make_rides(tmp_path, days=60)
    settings = tmp_path / "heptad.toml"
    with kafka_cluster() as (servers, _):
        told = f'\n[sources.clicks]\nuri = "kafka://{servers}/clicks"\nland = "always"\ncommit_every = "100ms"\n'
        settings.write_text(settings.read_text().replace("[data]", '[data]\nsource = "rides"') + told)
        opened = open_project(tmp_path)
        with subprocess.Popen(
            [*UP, "--port", "0", "--serve-port", "0", "--json", "-p", tmp_path],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                assert process.stdout is not None
                started = json.loads(process.stdout.readline())
                assert started == {"api": started["api"], "streams": ["clicks"]}
                send_kafka(servers, "clicks", [b'{"number": 1}'])
                wait_until(lambda: opened.data.streams.states()[0].rows)
                assert opened.run().version is not None
                serving = json.loads(process.stdout.readline())
                assert {"api": serving["api"], "streams": serving["streams"]} == started
                with urllib.request.urlopen(f"{serving['url']}/readyz", timeout=60) as ready:
                    assert ready.status == 200
            finally:
                process.terminate()
                process.wait(60)
    assert process.returncode == 0


def test_a_workspace_that_was_moved_is_not_worked_in(tmp_path, shell: Shell):
    """It refuses to start there, and one that runs ends: whatever it did would stay behind."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    with subprocess.Popen(
        [*UP, "--port", "0", "--json", "-p", old], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            assert shell.bare("move", str(new), "-p", str(old)).code == 0
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert f"was moved to {new}" in said
    again = shell.bare("up", "--port", "0", "-p", str(old))
    assert (again.code, f"was moved to {new}" in again.err) == (1, True)


def test_sources_without_a_table_are_told_not_to_land(tmp_path):
    """What a table is not named for yet is not read, so no stream of it lands."""
    (tmp_path / "heptad.toml").write_text('[sources.clicks]\nuri = "kafka://127.0.0.1:1/clicks"\nland = "always"\n')
    with subprocess.Popen([*UP, "--port", "0", "-p", tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert next(line for line in process.stdout if "No stream lands" in line)
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_server_that_is_killed_comes_back_on_its_port(copy):
    """`kill -9` of the server, and the line that was printed works again."""
    with subprocess.Popen(
        [*UP, "--port", "0", "--serve-port", "0", "-p", copy],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("curl"))
            servers = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
            for server in servers.stdout.split():
                subprocess.run(["kill", "-9", server], check=True)
            deadline = time.monotonic() + 60
            while subprocess.run(["bash", "-c", line], capture_output=True, check=False).returncode != 0:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.parametrize("ports", [["--port"], ["--port", "0", "--serve-port"]])
@pytest.mark.parametrize("released", [True, False])
def test_a_port_that_is_taken_is_a_clear_error(released, ports, copy, tmp_path, shell: Shell):
    """Exit code 2, and what to do; also where the port is for a model that is not released yet."""
    if not released:
        make_rides(tmp_path, days=30)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        asked = shell.bare("up", *ports, str(taken.getsockname()[1]), "-p", str(copy if released else tmp_path))
    assert asked.code == 2
    assert "cannot be used" in asked.err
    assert "Remedy" in asked.err


@pytest.mark.parametrize("folder", ["empty", "runs", "project"])
def test_without_a_champion_there_is_the_api(folder, tmp_path):
    """In an empty folder, where a workspace is made, and in projects of runs alone and without a release."""
    place = tmp_path / folder
    place.mkdir()
    port = ["--port", "0"]
    settings = place / "heptad.toml"
    if folder == "project":
        make_rides(place, days=30)
    if folder != "empty":
        text = settings.read_text() if settings.exists() else '[project]\nname = "runs"\n'
        settings.write_text(f'{text}\n[api]\nhost = "localhost"\nport = 0\nworkers = 2\n')
        port = []
    with subprocess.Popen(
        [*UP, *port, "--json", "-p", place], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            assert list(started) == (["api", "streams"] if folder == "project" else ["api"])
            with urllib.request.urlopen(f"{started['api']}/api/2.0/mlflow/experiments/get?experiment_id=0") as found:
                assert json.load(found)["experiment"]["name"] == "Default"
        finally:
            process.terminate()
            _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert (place / ".heptad" / "heptad.db").exists()


def test_the_lines_tell_mlflow_where_to_log():
    """They can be pasted into a shell."""
    assert "export MLFLOW_TRACKING_URI=http://h:1\n" in api_lines("http://h:1")


def test_the_example_is_the_most_complete_background_row():
    """Texts get a word, inputs that the background lacks are null, numbers are short, and quotes survive the shell."""
    kinds = {"x": "number", "it's": "text", "z": "number", "who": "category"}
    rules = SimpleNamespace(columns={"who": CleanRule(pseudonym="${KEY}"), "x": CleanRule(strip=True)})
    package = SimpleNamespace(
        background=[{"x": None, "it's": None, "who": "c0ffee"}, {"x": 1.52345, "it's": None, "who": "c0ffee"}],
        signature=SimpleNamespace(inputs=[SimpleNamespace(name=name, type=kind) for name, kind in kinds.items()]),
        cleaner=SimpleNamespace(rules=rules),
    )
    assert example_row(package) == {"x": 1.523, "it's": "example", "z": None, "who": "example"}
    echoed = subprocess.run(
        ["bash", "-c", "printf '%s' " + curl_line("http://h/p", package).split(" -d ")[1]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(echoed.stdout) == {"rows": [example_row(package)]}
