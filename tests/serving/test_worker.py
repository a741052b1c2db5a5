"""One worker of a server."""

import io
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.data.cleaning.singles.conftest import version_of
from tests.serving.conftest import SIGNATURE

from heptad.core.clock import FileClock
from heptad.data import CleanRule
from heptad.release.cleaning import packed_cleaning
from heptad.serving.log import PredictionLog
from heptad.serving.worker import THREADS, Worker

FORBIDDEN = {"sklearn", "lightgbm", "polars", "sqlalchemy", "optuna", "onnx", "pandas", "scipy", "deltalake"}

ANSWER = """
import sys, msgspec
from heptad.serving.server import serve
from heptad.serving.worker import ServerOptions, Worker
options = msgspec.json.decode(sys.argv[1], type=ServerOptions)
from pathlib import Path
from heptad.serving.journal import create_journal
from heptad.serving.snapshot import ServeFolder
create_journal(ServeFolder(Path(options.folder)).journal)
worker = Worker(options)
from heptad.serving.dataplane import Asked, answer
rows = msgspec.json.decode(sys.argv[2])
(part,) = answer(worker._runtime.snapshot(), Asked(rows=rows, ids=["a"], caller="", at=0, began=0.0), log_inputs=True)
worker._journal.add([part])
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_a_worker_loads_nothing_that_it_does_not_need(shop: Any, row: dict[str, Any]) -> None:
    """A process that opened a package, cleaned a row, answered and logged it has no training library and no store."""
    types = {one.name: one.type for one in SIGNATURE.inputs}
    spelled = CleanRule(trim=True, case="lower", canonical={"red": []}, unlisted="drop")
    rules = {"x": CleanRule(numbers="point", max=9), "colour": spelled}
    shop.cleaning = packed_cleaning(version_of(types, rules), list(types), row)
    shop.publish(shop.route(1))
    options = msgspec.json.encode(shop.options()).decode()
    ran = subprocess.run(
        [sys.executable, "-c", ANSWER, options, msgspec.json.encode([row]).decode()],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stdout.split())
    assert {"onnxruntime", "numpy", "msgspec", "granian"} <= loaded
    assert loaded & FORBIDDEN == set()


def test_a_worker_answers_from_its_first_to_its_last_moment(shop: Any, row: dict[str, Any], tmp_path: Path) -> None:
    """Begun and ended as Granian does it; times come from the shared clock, and the log is whole afterwards."""
    noon = datetime(2013, 4, 1, 12, tzinfo=UTC)
    clock = FileClock(tmp_path / "clock")
    clock.advance_to(noon)
    shop.publish(shop.route(1))
    shop.journal().close()
    worker = Worker(shop.options(clock=str(clock.path)))
    worker.begin()
    body = msgspec.json.encode({"rows": [row], "ids": ["a"]})
    started: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/endpoints/tiny/predict",
        "HTTP_HOST": "localhost:8321",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
    }
    worker.app(environ, lambda status, _: started.append(status))
    worker.end()
    assert started == ["200 OK"]
    (found,) = PredictionLog("tiny", shop.folder.journal, tmp_path / "predictions").scan().collect().to_dicts()
    assert (found["id"], found["at"], found["caller"]) == ("a", noon, "127.0.0.1")


def test_clients_who_never_send_what_they_announced_do_not_keep_out_the_others(
    shop: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where they hold half of the threads the worker ends itself, and not while they are fewer."""
    shop.publish(shop.route(1))
    shop.journal().close()
    worker = Worker(shop.options())
    killed = threading.Event()
    stuck = [THREADS // 2 - 1, THREADS // 2]
    monkeypatch.setattr(worker.app, "read_for", lambda _: stuck.pop(0))
    monkeypatch.setattr(worker._stop, "wait", lambda _: killed.is_set())
    monkeypatch.setattr(os, "kill", lambda _pid, number: killed.set() if number == signal.SIGKILL else None)
    worker._watch_clients()
    assert stuck == []
    assert f"{THREADS // 2} clients" in caplog.text
