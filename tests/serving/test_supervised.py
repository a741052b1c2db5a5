"""Servers from the outside, and what they survive."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heptad.core.errors import InputError, UnavailableError
from heptad.serving import PredictionClient, ServerProcess, supervised
from heptad.serving.log import PredictionLog
from heptad.serving.supervised import reserve_port

PREDICT = "/api/v1/endpoints/tiny/predict"


class Traffic:
    """Clients that ask without a pause, and what they were answered."""

    def __init__(self, server: ServerProcess, row: dict[str, Any], threads: int = 3) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.errors: list[Exception] = []
        self.retries = 0
        self._stop = threading.Event()
        self._row = row
        self._url = server.url
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(threads)]

    def _ask(self, number: int) -> None:
        with PredictionClient(self._url, "tiny", "traffic", retry_seconds=30) as client:
            turn = 0
            while not self._stop.is_set():
                ids = [f"{number}-{turn}-{place}" for place in range(1 + turn % 3)]
                try:
                    for answer in client.predict([self._row] * len(ids), ids):
                        self.answers[answer["id"]] = answer
                except Exception as error:  # noqa: BLE001 - the test looks at all of them
                    self.errors.append(error)
                turn += 1
            self.retries += client.retries

    def wait_for(self, more: int) -> None:
        end, until = time.monotonic() + 30, len(self.answers) + more
        while len(self.answers) < until and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.answers) >= until, self.errors

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except FileNotFoundError:
            return
        time.sleep(0.01)


def assert_logged_once(shop: Any, traffic: Traffic) -> None:
    """Every acknowledged answer is in the log, as it was answered, and no id is there twice."""
    log = PredictionLog("tiny", shop.folder.journal, shop.folder.path / "predictions")
    log.collect()
    rows = log.scan().select("id", "score", "version").collect()
    assert rows["id"].is_unique().all()
    logged = {one["id"]: one for one in rows.iter_rows(named=True)}
    for identity, answer in traffic.answers.items():
        assert logged[identity] == {name: answer[name] for name in ("id", "score", "version")}


def test_versions_change_under_traffic_without_one_failed_request(shop: Any, row: dict[str, Any]) -> None:
    """While clients ask, five generations follow each other: no error, no retry, and each was served in turn."""
    shop.publish(shop.route(1))
    with ServerProcess(shop.options(workers=2)) as server:
        traffic = Traffic(server, row)
        with traffic.running():
            for number in range(2, 6):
                traffic.wait_for(20)
                generation = shop.publish(shop.route(number, shift=float(number)))
                began = time.monotonic()
                assert shop.folder.wait_live(generation, timeout=60) == 2
                assert time.monotonic() - began < 5
                with PredictionClient(server.url, "tiny") as client:
                    assert client.predict([row])[0]["version"] == f"tiny@{number}"
            traffic.wait_for(20)
        assert (traffic.errors, traffic.retries) == ([], 0)
    assert {one["version"] for one in traffic.answers.values()} == {f"tiny@{number}" for number in range(1, 6)}
    assert_logged_once(shop, traffic)


@pytest.mark.parametrize("victim", ["worker", "server"])
def test_killed_under_traffic_it_comes_back_and_nothing_is_lost_or_doubled(
    shop: Any, row: dict[str, Any], victim: str
) -> None:
    """SIGKILL for a worker or all of it: clients' retries are answered, what was acknowledged is logged once."""
    shop.publish(shop.route(1))
    with ServerProcess(shop.options(workers=1)) as server:
        traffic = Traffic(server, row)
        with traffic.running():
            traffic.wait_for(50)
            before = server.pids
            os.kill(before[1 if victim == "worker" else 0], signal.SIGKILL)
            wait_until_gone(before[1])
            traffic.wait_for(50)
        assert traffic.errors == []
        assert server.alive()
        assert server.pids[-1] not in before
    assert_logged_once(shop, traffic)


def test_a_generation_that_is_damaged_does_not_disturb_traffic(shop: Any, row: dict[str, Any]) -> None:
    """The old one goes on answering, readiness says why, and who waits for the new one is told at once."""
    from heptad.core.errors import IntegrityError

    shop.publish(shop.route(1))
    with ServerProcess(shop.options()) as server:
        route = shop.route(2, shift=1.0)
        shop.packages[route.package] = b"not a package"
        generation = shop.publish(route)
        with pytest.raises(IntegrityError, match="1 stays"):
            shop.folder.wait_live(generation, timeout=60)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/readyz")
        said = msgspec.json.decode(connection.getresponse().read())
        connection.close()
        assert (said["generation"], said["refused"]["generation"]) == (1, 2)
        assert "is damaged" in said["refused"]["problem"]
        with PredictionClient(server.url, "tiny") as client:
            assert client.predict([row])[0]["version"] == "tiny@1"
    assert "generation 2 is refused" in (shop.folder.path / "server.log").read_text()


START = """
import sys, time, msgspec
from heptad.serving.process import ServerProcess
from heptad.serving.worker import ServerOptions
server = ServerProcess(msgspec.json.decode(sys.argv[1], type=ServerOptions))
print(*server.pids, flush=True)
time.sleep(60)
"""


def test_a_killed_parent_leaves_no_server_behind(shop: Any) -> None:
    """Whoever started a server and is killed takes server and workers along."""
    shop.publish(shop.route(1))
    command = [sys.executable, "-c", START, msgspec.json.encode(shop.options()).decode()]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 60
    while shop.folder.workers() and time.monotonic() < end:
        time.sleep(0.02)
    assert shop.folder.workers() == []


def test_a_port_that_is_taken_is_refused(shop: Any) -> None:
    """By a stranger, or by another server of ours, which would otherwise share the port and half of the requests."""
    shop.publish(shop.route(1))
    with socket.create_server(("127.0.0.1", 0)) as stranger, pytest.raises(InputError, match="cannot be used"):
        ServerProcess(shop.options(port=stranger.getsockname()[1]))
    with ServerProcess(shop.options()) as server, pytest.raises(InputError, match="cannot be used"):
        ServerProcess(shop.options(port=server.port))
    reserve_port("127.0.0.1", server.port).close()


def test_a_server_with_nothing_to_serve_says_so(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not become ready, and the error names its log."""
    monkeypatch.setattr(supervised, "START_SECONDS", 2.0)
    with pytest.raises(UnavailableError, match="did not become ready") as caught:
        ServerProcess(shop.options())
    assert "server.log" in caught.value.remedy
    assert shop.folder.workers() == []


def test_a_server_that_cannot_start_is_not_tried_for_ever(shop: Any) -> None:
    """A damaged journal ends it each time; the error carries the reason."""
    shop.publish(shop.route(1))
    shop.folder.journal.write_bytes(b"no database" * 1000)
    with pytest.raises(UnavailableError, match="is damaged"):
        ServerProcess(shop.options())


def test_faults_that_are_meant_for_the_parent_do_not_reach_the_server(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that kills this process at its first boundary must find a server that lives."""
    monkeypatch.setenv("HEPTAD_FAULT_KILL", "1")
    shop.publish(shop.route(1))
    with ServerProcess(shop.options()) as server:
        assert server.alive()


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_any_name_of_this_machine_will_do(shop: Any, row: dict[str, Any], host: str) -> None:
    """What is allowed as a host can also be listened at and asked."""
    if host == "::1" and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    shop.publish(shop.route(1))
    with ServerProcess(shop.options(host=host)) as server, PredictionClient(server.url, "tiny") as client:
        assert client.predict([row])[0]["version"] == "tiny@1"


def test_stopping_finishes_what_was_begun(shop: Any, row: dict[str, Any]) -> None:
    """Told to stop under traffic, it answers what it has begun: 200, or the connection is closed; never an error.

    Whatever was answered is in the log, once.
    """
    shop.publish(shop.route(1))
    replies: dict[str, int] = {}

    def ask(port: int, thread: int) -> None:
        for turn in range(10_000):
            identity = f"{thread}-{turn}"
            rows = 1 if thread else 400
            body = msgspec.json.encode({"rows": [row] * rows, "ids": [f"{identity}-{place}" for place in range(rows)]})
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request("POST", PREDICT, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                response.read()
                replies[f"{identity}-{rows - 1}"] = response.status
            except (OSError, http.client.HTTPException):
                return
            finally:
                connection.close()

    with ServerProcess(shop.options()) as server:
        threads = [threading.Thread(target=ask, args=(server.port, number)) for number in range(6)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 60
        while len(replies) < 60 and time.monotonic() < end:
            time.sleep(0.01)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 8
        for thread in threads:
            thread.join()
    assert set(replies.values()) == {200}
    assert not shop.folder.journal.with_name("journal.db-wal").exists()
    log = PredictionLog("tiny", shop.folder.journal, shop.folder.path / "predictions")
    logged = log.scan().select("id").collect()["id"]
    assert logged.is_unique().all()
    assert set(replies) <= set(logged)


def test_a_long_log_is_put_aside(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own log does not grow for ever: a start puts a long one aside, and keeps it."""
    monkeypatch.setattr(supervised, "_LONGEST_LOG", 100)
    shop.publish(shop.route(1))
    log = shop.folder.path / "server.log"
    log.write_text("an old line\n" * 100)
    with ServerProcess(shop.options()):
        pass
    assert "an old line" not in log.read_text()
    assert log.with_suffix(".log.1").read_text().count("an old line") == 100


def test_the_reason_of_a_failed_start_is_of_this_start(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier server wrote last is no reason why this one does not become ready."""
    monkeypatch.setattr(supervised, "START_SECONDS", 0.01)
    shop.publish(shop.route(1))
    (shop.folder.path / "server.log").write_text("ERROR of yesterday\n")
    with pytest.raises(UnavailableError) as caught:
        ServerProcess(shop.options())
    assert "yesterday" not in caught.value.problem
