"""`kill -9` of a worker at the boundaries around the commit of an answer, again and again, under one client."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from heptad.serving import PredictionClient
from heptad.serving.log import PredictionLog
from heptad.serving.supervised import reserve_port
from heptad.serving.worker import ServerOptions
from tests.serving.conftest import ROW, ServeFolder, Shop

REQUESTS = 5


@pytest.mark.parametrize(("kill", "last"), [(5, "journal.before_commit"), (6, "journal.after_commit")])
def test_every_answer_is_logged_once_however_often_a_worker_dies(tmp_path: Path, kill: int, last: str) -> None:
    """Each worker kills itself at its n-th boundary: before an answer is stored, or before it is sent.

    The client's repetitions are answered by the workers that take its place; the log has each answer once, as sent.
    """
    shop = Shop(ServeFolder(tmp_path / "serving" / "tiny"))
    shop.publish(shop.route(1))
    reserved = reserve_port("127.0.0.1", 0)
    options = msgspec.structs.replace(shop.options(), port=reserved.getsockname()[1])
    faults = {"HEPTAD_FAULT_KILL": str(kill), "HEPTAD_FAULT_LOG": str(tmp_path / "faults")}
    answers: dict[str, Any] = {}
    with running(options, faults), PredictionClient(f"http://127.0.0.1:{options.port}", "tiny") as client:
        for number in range(REQUESTS):
            ids = [f"{number}-{place}" for place in range(1 + number % 2)]
            answers |= {one["id"]: one for one in client.predict([ROW] * len(ids), ids)}
        assert client.retries > 0
    reserved.close()
    log = PredictionLog("tiny", shop.folder.journal, tmp_path / "predictions")
    log.collect()
    rows = log.scan().select("id", "score", "label").sort("id").collect()
    assert rows["id"].to_list() == sorted(answers)
    expected = pl.DataFrame([{name: answers[one][name] for name in rows.columns} for one in rows["id"]])
    assert rows.equals(expected)
    assert deaths(tmp_path / "faults", kill) == {last}


@contextmanager
def running(options: ServerOptions, faults: dict[str, str]) -> Iterator[None]:
    """A server that is started again whenever it gives up, which it does when its workers die too quickly."""
    command = [sys.executable, "-m", "heptad.serving.server", msgspec.json.encode(options).decode()]
    stop = threading.Event()

    def supervise() -> None:
        while not stop.is_set():
            server = subprocess.Popen(command, env=os.environ | faults, stdout=quiet, stderr=quiet)
            while server.poll() is None:
                if stop.wait(0.02):
                    server.terminate()
                    server.wait()

    quiet = subprocess.DEVNULL
    thread = threading.Thread(target=supervise)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def deaths(log: Path, kill: int) -> set[str]:
    """The boundaries at which processes died: each the `kill`-th that its process passed."""
    passed: dict[str, list[str]] = {}
    for line in log.read_text().splitlines():
        pid, name = line.split()
        passed.setdefault(pid, []).append(name)
    return {names[kill - 1] for names in passed.values() if len(names) >= kill}
