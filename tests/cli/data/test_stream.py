"""`heptad data stream`: what lands, what does not, and why."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.adapters.brokers import kafka_cluster, send_kafka
from tests.cli.conftest import Shell

from heptad.core import graph
from heptad.core.query import Query
from heptad.data import MessagesReleased
from heptad.lifecycle.sentences import sentence_of
from heptad.project import open_project

SETTINGS = """
[sources.orders]
uri = "kafka://{servers}/orders"
[data]
target = "y"
"""


def test_a_stream_is_landed_listed_and_its_poison_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of it needs the broker but landing."""
    with kafka_cluster() as (servers, _):
        (tmp_path / "heptad.toml").write_text(SETTINGS.format(servers=servers))
        shell = Shell(capsys, tmp_path)
        assert shell("data", "stream", "land", "--until-now").code == 2
        send_kafka(servers, "orders", [b'{"number": 1}', b"{" + b"x" * 500, b'{"number": 2}'])
        done = shell("data", "stream", "land", "--until-now")
        assert "orders: 2 rows landed" in done.out
        assert "1 in quarantine: heptad data stream poison orders" in done.out
        nothing = shell("data", "stream", "land", "orders", "--seconds", "0.1", "--json").json
        assert [nothing[name] for name in ("rows", "poison", "repeated", "online")] == [0, 0, 0, []]
    (listed,) = shell("data", "stream", "list", "--json").json
    assert (listed["rows"], listed["poison"]) == (2, 1)
    assert "kafka://" in shell("data", "stream", "list").out
    assert "nobody" in shell("data", "stream", "list").out
    assert "nobody lands it" in shell("status").out
    assert "not JSON" in shell("data", "stream", "poison").out
    (shown,) = shell("data", "stream", "poison", "orders", "--json").json
    assert shown["payload"] == "{" + "x" * 500
    missing = shell("data", "stream", "poison", "order")
    assert missing.code == 2
    assert "did you mean 'orders'" in missing.err


def test_poison_is_released(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What can be read after the settings changed lands; who did it and why is a record, and no broker is asked."""
    with kafka_cluster() as (servers, _):
        settings, shell = tmp_path / "heptad.toml", Shell(capsys, tmp_path)
        refusing = '[sources.orders.on_change]\nadded = "refuse"\n'
        settings.write_text(SETTINGS.format(servers=servers) + refusing)
        send_kafka(servers, "orders", [b'{"number": 1}'], partition=0)
        shell("data", "stream", "land", "--until-now")
        send_kafka(servers, "orders", [b'{"number": 2, "new": 3}', b"{"], partition=0)
        shell("data", "stream", "land", "--until-now")
    settings.write_text(SETTINGS.format(servers=servers))
    assert shell("data", "stream", "release", "orders").code == 2
    assert shell("data", "stream", "release", "orders", "0:7", "--reason", "x").code == 2
    done = shell("data", "stream", "release", "orders", "0:1", "--reason", "new is welcome")
    assert "orders: 1 rows landed" in done.out
    assert "1 still in quarantine" in done.out
    nothing = shell("data", "stream", "release", "--reason", "once again", "--json").json
    assert nothing == {"rows": 0, "repeated": 0, "left": 1}
    (record,) = graph.find(open_project(tmp_path).workspace, MessagesReleased, Query(kind=MessagesReleased.kind))
    assert (record.body.name, record.body.reason, record.body.rows, record.body.left) == (
        "orders",
        "new is welcome",
        1,
        1,
    )
    assert "1 message of the stream orders released from quarantine, 1 left" in sentence_of(record)


def test_a_project_without_streams_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And how to name one."""
    (tmp_path / "heptad.toml").write_text('[sources.rows]\nuri = "rows.csv"\n[data]\ntarget = "y"\n')
    shell = Shell(capsys, tmp_path)
    assert "[sources.NAME] uri" in shell("data", "stream", "list").out
    assert shell("data", "stream", "land").code == 2


def test_it_lands_until_it_is_stopped(tmp_path: Path) -> None:
    """By a signal, after which what was read is on the disk, and the figures are told."""
    with kafka_cluster() as (servers, _):
        (tmp_path / "heptad.toml").write_text(SETTINGS.format(servers=servers))
        send_kafka(servers, "orders", [b'{"number": 1}'] * 20)
        command = [sys.executable, "-m", "heptad", "data", "stream", "land", "--json", "--project", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            log = next(iter(_waited_for(tmp_path / ".heptad" / "tables", process)))
            assert log.is_file()
            os.kill(process.pid, signal.SIGTERM)
            assert process.stdout is not None
            assert json.loads(process.stdout.read())["rows"] == 20
        assert process.returncode == 0


def _waited_for(tables: Path, process: subprocess.Popen[str]) -> list[Path]:
    """Files of rows, once there are some."""
    import time

    ends = time.monotonic() + 60
    while not (found := list(tables.glob("stream-*/*.parquet"))):
        assert process.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.05)
    return found
