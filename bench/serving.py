"""Step 5 against its limit: a bare server on the same model, which checks, logs and survives nothing."""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from bench.figures import Figure
from heptad.core.records import Record, digest_of
from heptad.data import Column, FeatureView, OnlineSettings, Schema
from heptad.data.features.online import open_online
from heptad.data.features.packing import entity_key, namespace, pack
from heptad.data.features.publishing import publish
from heptad.data.features.records import TypedName
from heptad.release.package import About, Contents, build_package
from heptad.serving import Route, ServerProcess
from heptad.serving.http import Limits
from heptad.serving.snapshot import Published, ServeFolder
from heptad.serving.worker import ServerOptions
from heptad.training import Fitted, fit

NUMBERS, CATEGORIES = 24, 6
P50_MS, P99_MS = 0.8, 5.0
EIGHT_RATIO, BATCH_RATIO = 4.0, 4.0
BATCH = 500
LOOKED_UP = 20
"""Inputs of a row that come from a feature view."""
ROUNDS, REQUESTS = 6, 400
HEADERS = [("content-type", "application/json")]


def measure() -> list[Figure]:
    """Every figure of this step; our server and the bare one take turns."""
    shop = _Shop()
    with tempfile.TemporaryDirectory() as folder, _bare(shop, Path(folder)) as bare:
        serving = ServeFolder(Path(folder) / "serving" / "bench")
        shop.publish(serving, 1)
        began = time.perf_counter()
        with ServerProcess(shop.options(serving)) as server:
            started = time.perf_counter() - began
            figures = [*_one_row(server, bare, shop), _eight(server, bare, shop), _batches(server, bare, shop)]
            resident = _resident_mb(server.pids[1])
            figures.append(_looked_up(server, serving, shop))
            figures += _swap(server, serving, shop)
        figures.append(_figure("server started and ready", started, "s", 3.0, floor="3 s"))
        figures.append(_figure("resident memory of a worker", resident, "MB", 300.0, floor="300 MB"))
    return figures


def _one_row(server: ServerProcess, bare: int, shop: "_Shop") -> list[Figure]:
    """One row a request on one connection, answered and logged."""
    ours, limit = _in_turn(server.port, bare, shop.body(1), connections=1)
    name = f"one row of {NUMBERS + CATEGORIES} inputs over HTTP, logged, 1 connection"
    return [
        _figure(f"{name}, p50", _quantile(ours, 0.5), "ms", _quantile(limit, 0.5), floor=f"{P50_MS} ms", most=P50_MS),
        _figure(f"{name}, p99", _quantile(ours, 0.99), "ms", _quantile(limit, 0.99), floor=f"{P99_MS} ms", most=P99_MS),
    ]


def _eight(server: ServerProcess, bare: int, shop: "_Shop") -> Figure:
    """The same on eight connections at once: what a row costs."""
    ours, limit = _in_turn(server.port, bare, shop.body(1), connections=8)
    value, least = _quantile(ours, 0.5) / 8, _quantile(limit, 0.5) / 8
    floor = f"{EIGHT_RATIO} x a bare server"
    return _figure("a row, 8 connections at once", value, "ms", least, floor=floor, most=EIGHT_RATIO * least)


def _looked_up(server: ServerProcess, serving: ServeFolder, shop: "_Shop") -> Figure:
    """A row that gives the key of an entity, whose 20 features are in LMDB, beside one that gives all inputs."""
    workspace = serving.path.parents[1]
    features = [TypedName(f"number_{place}", "number") for place in range(LOOKED_UP)]
    body = FeatureView(
        name="usual",
        version=1,
        entities=[TypedName("customer", "text")],
        time="at",
        inputs=[],
        features=features,
        settings={"ttl": "1d"},
        behaviour="usual" * 10,
    )
    record = Record(id="view", kind="feature_view", scope="bench", at=datetime.now(UTC), actor="bench", body=body)
    publish(workspace, "bench", OnlineSettings(), [record])
    row = shop.rows[0]
    now = time.time_ns() // 1000
    store = open_online(OnlineSettings(), workspace, "bench")
    key = entity_key(namespace(body.name, body.behaviour), ["c1"])
    store.put([(key, pack(now, now, [row[one.name] for one in features]))])
    given = {name: value for name, value in row.items() if name not in {one.name for one in features}}
    asked = msgspec.json.encode({"rows": [given | {"customer": "c1"}]})
    options = shop.options(serving)
    limits = msgspec.structs.replace(options.limits, features=("usual",))
    with ServerProcess(msgspec.structs.replace(options, limits=limits)) as looking:
        bodies = {looking.port: asked, server.port: shop.body(1)}
        taken: dict[int, list[float]] = {port: [] for port in bodies}
        for _ in range(ROUNDS):
            for port, sent in bodies.items():
                taken[port] += _drive(port, sent, 1, REQUESTS)[0]
    ours, plain = _quantile(taken[looking.port], 0.5), _quantile(taken[server.port], 0.5)
    name = f"one row by its key, {LOOKED_UP} of its inputs looked up, p50"
    return _figure(name, ours, "ms", plain, floor=f"{P50_MS} ms", most=P50_MS)


def _batches(server: ServerProcess, bare: int, shop: "_Shop") -> Figure:
    """500 rows a request: what a row costs."""
    ours, limit = _in_turn(server.port, bare, shop.body(BATCH), connections=1, requests=20)
    value, least = _quantile(ours, 0.5) / BATCH * 1e3, _quantile(limit, 0.5) / BATCH * 1e3
    floor = f"{BATCH_RATIO} x a bare server"
    return _figure(f"a row, {BATCH} a request", value, "us", least, floor=floor, most=BATCH_RATIO * least)


def _swap(server: ServerProcess, serving: ServeFolder, shop: "_Shop") -> list[Figure]:
    """Ten deployments under traffic: requests that failed, and how long until one is live."""
    stop = threading.Event()
    statuses: list[int] = []

    def ask() -> None:
        body = shop.body(1)
        while not stop.is_set():
            with contextlib.suppress(OSError):
                statuses.extend(_drive(server.port, body, 4, 40)[1])

    thread = threading.Thread(target=ask)
    thread.start()
    taken = []
    for generation in range(2, 12):
        began = time.perf_counter()
        shop.publish(serving, generation)
        serving.wait_live(generation, timeout=30)
        taken.append(time.perf_counter() - began)
    stop.set()
    thread.join()
    failed = sum(status != 200 for status in statuses)
    return [
        _figure(f"failed of {len(statuses):,} requests during 10 deployments", failed, "", 1.0, floor="0", most=0.0),
        _figure("a deployment is live after", float(np.median(taken)), "s", 1.0, floor="1 s"),
    ]


def _in_turn(
    ours: int, bare: int, body: bytes, *, connections: int, requests: int = REQUESTS
) -> tuple[list[float], list[float]]:
    """Milliseconds of each request to either server, which take turns so that both see the same machine."""
    for port in (ours, bare):
        _drive(port, body, connections, requests // 4)
    taken: dict[int, list[float]] = {ours: [], bare: []}
    for _ in range(ROUNDS):
        for port in taken:
            taken[port] += _drive(port, body, connections, requests)[0]
    return taken[ours], taken[bare]


def _drive(port: int, body: bytes, connections: int, requests: int) -> tuple[list[float], list[int]]:
    """Send requests on kept-alive connections, each as soon as the last one there was answered."""
    head = (
        f"POST /api/v1/endpoints/bench/predict HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    latencies: list[float] = []
    statuses: list[int] = []
    with contextlib.ExitStack() as stack:
        ready = stack.enter_context(selectors.DefaultSelector())
        for _ in range(connections):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(request)
            ready.register(line, selectors.EVENT_READ, [line, time.perf_counter()])
        while len(statuses) < requests:
            for key, _ in ready.select():
                line, began = key.data
                statuses.append(_read_reply(line))
                key.data[1] = time.perf_counter()
                latencies.append((key.data[1] - began) * 1e3)
                line.sendall(request)
    return latencies, statuses


def _read_reply(line: Any) -> int:
    """Read one whole reply; answers its status."""
    reply = line.recv(1 << 20)
    while b"\r\n\r\n" not in reply:
        reply += line.recv(1 << 20)
    head, _, rest = reply.partition(b"\r\n\r\n")
    left = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) - len(rest)
    while left > 0:
        left -= len(line.recv(1 << 20))
    return int(head[9:12])


class _Shop:
    """One real model with its packages, of which each generation has another one."""

    def __init__(self) -> None:
        random = np.random.default_rng(7)
        rows = 5_000
        columns: dict[str, Any] = {f"number_{place}": random.normal(size=rows) for place in range(NUMBERS)}
        for place in range(CATEGORIES):
            columns[f"category_{place}"] = random.choice([f"value {one}" for one in range(20 * 2**place)], rows)
        raw = columns["number_0"] + columns["number_1"] * columns["number_2"] + random.normal(size=rows)
        frame = pl.DataFrame(columns).with_columns(late=pl.Series(np.where(raw > 1, "on time", "late")))
        features = [Column(name=name, type="number" if name[0] == "n" else "category") for name in columns]
        target = Column(name="late", type="category", role="target")
        schema = Schema(columns=[*features, target], task="classification", classes=["late", "on time"])
        self.fitted: Fitted = fit(frame, schema, "lightgbm", {}, 7)
        self.rows = frame.drop("late").head(BATCH).to_dicts()
        self._key = Ed25519PrivateKey.generate()

    def body(self, rows: int) -> bytes:
        return msgspec.json.encode({"rows": self.rows[:rows]})

    def publish(self, folder: ServeFolder, generation: int) -> None:
        about = About(
            name="bench",
            candidate="candidate",
            decision="decision",
            estimator="lightgbm",
            metric="roc_auc",
            value=0.5,
            model_digest="",
        )
        contents = Contents(
            graph=self.fitted.onnx,
            signature=self.fitted.signature,
            background=self.rows[:100],
            profile=b"{}",
            environment=b"{}",
            lineage={"generation": generation},
            card="bench",
        )
        package = build_package(about, contents, self._key)
        version = f"bench@{generation}"
        route = Route(version=version, label=version, package=digest_of(package), role="live")
        keys = [self._key.public_key().public_bytes_raw().hex()]
        published = Published(endpoint="bench", generation=generation, routes=[route], trusted=keys)
        folder.publish(published, lambda _: package)

    def options(self, folder: ServeFolder) -> ServerOptions:
        limits = Limits(max_body=16 << 20, max_rows=10_000, log_inputs=True)
        return ServerOptions(
            workspace=str(folder.path.parents[1]),
            folder=str(folder.path),
            endpoint="bench",
            host="127.0.0.1",
            port=0,
            workers=1,
            limits=limits,
        )


@contextlib.contextmanager
def _bare(shop: _Shop, folder: Path) -> Iterator[int]:
    """The limit: Granian, msgspec and ONNX Runtime, nothing else; answers its port."""
    (folder / "model.onnx").write_bytes(shop.fitted.onnx)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "bench.serving", str(folder / "model.onnx"), str(port)]
    process = subprocess.Popen(command, cwd=Path(__file__).parent.parent, start_new_session=True)
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


class _BareApp:
    """Rows in, columns through the session, answers out."""

    def __init__(self, graph: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        strings = {one.name for one in self._session.get_inputs() if one.type == "tensor(string)"}
        self._inputs = [(one.name, object if one.name in strings else float) for one in self._session.get_inputs()]
        self._decode = msgspec.json.Decoder(dict[str, list[dict[str, float | str | None]]]).decode

    async def __rsgi__(self, _scope: Any, exchange: Any) -> None:
        rows = self._decode(await exchange())["rows"]
        feed = {name: np.array([[row[name]] for row in rows], dtype=kind) for name, kind in self._inputs}
        scores = self._session.run(None, feed)[0].tolist()
        answers = [{"score": positive, "label": "on time" if positive >= 0.5 else "late"} for _, positive in scores]
        exchange.response_bytes(200, HEADERS, msgspec.json.encode({"predictions": answers}))


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _quantile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share))


def _figure(name: str, value: float, unit: str, limit: float, *, floor: str, most: float | None = None) -> Figure:
    holds = value <= (limit if most is None else most)
    return Figure(name=name, value=value, unit=unit, limit=limit, ratio=value / limit, floor=floor, holds=holds)


def _bare_app(graph: Path) -> Any:
    return _BareApp(graph)


def serve_bare(graph: Path, port: int) -> None:
    """Run the bare server until it is told to stop."""
    server = Server(
        "bench.serving",
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=partial(_bare_app, graph), wrap_loader=False)


if __name__ == "__main__":
    serve_bare(Path(sys.argv[1]), int(sys.argv[2]))
