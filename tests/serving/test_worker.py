"""One worker of a server."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec

from heptad.core.clock import FileClock
from heptad.serving.log import PredictionLog
from heptad.serving.worker import Worker

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


class Exchange:
    """The other side of one request."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.replied: tuple[int, bytes] | None = None

    async def __call__(self) -> bytes:
        return self.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.replied = (status, body)


def test_a_worker_loads_nothing_that_it_does_not_need(shop: Any, row: dict[str, Any]) -> None:
    """A process that opened a package, answered a row and logged it has no training library and no store in it."""
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


def test_a_worker_answers_from_its_first_to_its_last_moment(shop: Any, row: dict[str, Any], tmp_path: Any) -> None:
    """Begun and ended as Granian does it; times come from the shared clock, and the log is whole afterwards."""
    from datetime import UTC, datetime

    noon = datetime(2013, 4, 1, 12, tzinfo=UTC)
    clock = FileClock(tmp_path / "clock")
    clock.advance_to(noon)
    shop.publish(shop.route(1))
    shop.journal().close()
    worker = Worker(shop.options(clock=str(clock.path)))
    headers = {"content-type": "application/json", "content-length": "10"}
    scope = SimpleNamespace(
        client="127.0.0.1:5",
        method="POST",
        path="/api/v1/endpoints/tiny/predict",
        authority="localhost:8321",
        headers=headers,
    )
    exchange = Exchange(msgspec.json.encode({"rows": [row], "ids": ["a"]}))

    async def live() -> None:
        loop = asyncio.get_running_loop()
        worker.__rsgi_init__(loop)
        await worker.__rsgi__(scope, exchange)  # type: ignore[arg-type]
        worker.__rsgi_del__(loop)

    asyncio.run(live())
    assert exchange.replied is not None
    assert exchange.replied[0] == 200
    found = PredictionLog("tiny", shop.folder.journal, tmp_path / "predictions").find("a")
    assert (found.at, found.caller) == (noon, "127.0.0.1")
