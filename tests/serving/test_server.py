"""The server process itself."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heptad.core.errors import InputError
from heptad.serving import ServerProcess
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
        assert shop.folder.wait_live(1, timeout=20) == 2
        assert len(server.pids) == 3


def test_a_broken_journal_stops_the_server_with_its_reason(shop: Any) -> None:
    """The process ends, and says why on its last line."""
    shop.publish(shop.route(1))
    shop.folder.journal.write_bytes(b"no database" * 1000)
    command = [sys.executable, "-m", "heptad.serving.server", msgspec.json.encode(shop.options()).decode()]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode not in {0, -signal.SIGKILL}
    assert "is damaged" in ran.stderr
