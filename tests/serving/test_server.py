"""The server process itself."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heptad.core.errors import InputError
from heptad.serving import PredictionClient, ServerProcess
from heptad.serving.server import serve


def test_a_server_that_others_could_reach_does_not_start(shop: Any) -> None:
    """Before anything else, the host is checked."""
    with pytest.raises(InputError, match="without a password"):
        serve(shop.options(host="0.0.0.0"))
    assert not shop.folder.journal.exists()


def test_it_ends_in_order_when_it_is_told_to(shop: Any) -> None:
    """After SIGTERM the process ends with code 0, its workers with it, and the journal needs no recovery."""
    shop.publish(shop.route(1))
    with ServerProcess(shop.options()) as server:
        pids = server.pids
        assert len(pids) == 2
    assert server.pids == []
    assert shop.folder.workers() == []
    assert not shop.folder.journal.with_name("journal.db-wal").exists()
    assert all(not Path(f"/proc/{pid}").exists() for pid in pids)


def test_two_workers_share_one_port(shop: Any) -> None:
    """Both are ready when the server is."""
    shop.publish(shop.route(1))
    with ServerProcess(shop.options(workers=2)) as server:
        assert shop.folder.wait_live(1, timeout=60) == 2
        assert len(server.pids) == 3


def test_a_broken_journal_stops_the_server_with_its_reason(shop: Any) -> None:
    """The process ends, and says why on its last line."""
    shop.publish(shop.route(1))
    shop.folder.journal.write_bytes(b"no database" * 1000)
    command = [sys.executable, "-m", "heptad.serving.server", msgspec.json.encode(shop.options()).decode()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode not in {0, -signal.SIGKILL}
    assert "is damaged" in ran.stderr


FLOODED = """
import resource, sys, msgspec
from heptad.serving.process import ServerProcess
from heptad.serving.worker import ServerOptions
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
with ServerProcess(msgspec.json.decode(sys.argv[1], type=ServerOptions)) as server:
    print(server.port, *server.pids, flush=True)
    sys.stdin.read()
"""


def test_a_flood_of_idle_connections_leaves_no_damage(shop: Any, row: dict[str, Any]) -> None:
    """With few descriptors and more connections than that, the server waits; a version can be deployed meanwhile.

    It does not spin, logs no error, and answers as soon as there is room again.
    """
    shop.publish(shop.route(1))
    command = [sys.executable, "-c", FLOODED, msgspec.json.encode(shop.options()).decode()]
    starter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    port, _, worker = (int(word) for word in starter.stdout.readline().split())
    with contextlib.ExitStack() as flood:
        for _ in range(130):
            flood.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        assert shop.folder.wait_live(shop.publish(shop.route(2, shift=1.0)), timeout=60) == 1
        before = ticks(worker)
        time.sleep(1)
        assert ticks(worker) - before < 30
    with PredictionClient(f"http://127.0.0.1:{port}", "tiny") as client:
        assert client.predict([row])[0]["version"] == "tiny@2"
    starter.communicate()
    assert "ERROR" not in (shop.folder.path / "server.log").read_text()


def ticks(pid: int) -> int:
    """Hundredths of a second that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
