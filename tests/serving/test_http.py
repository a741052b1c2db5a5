"""A server as clients see it: real processes, real sockets."""

import contextlib
import http.client
import json
import random
import socket
import threading
import time
from pathlib import Path
from typing import Any, Self

import msgspec
import polars as pl
import pytest
from tests.data.features.test_reading import WEATHER, put

from heptad.adapters.lmdb import LmdbStore
from heptad.core.clock import SystemClock
from heptad.data import OnlineSettings
from heptad.data.features.publishing import FILE, publish
from heptad.serving import ServerProcess
from heptad.serving.http import LONG_WAITING, SMALL_BODY, App, Limits
from heptad.serving.log import PredictionLog

PREDICT = "/api/v1/endpoints/tiny/predict"
JSON = {"Content-Type": "application/json"}


class Web:
    """The server of this module, over plain HTTP."""

    def __init__(self, shop: Any, server: ServerProcess) -> None:
        self.shop = shop
        self.port = server.port

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
                connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(response.read())
        finally:
            connection.close()

    def predict(self, body: Any, **headers: str) -> tuple[int, Any]:
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        status, _, reply = self.ask("POST", PREDICT, sent, JSON | headers)
        return status, reply

    def logged(self, identity: str) -> dict[str, Any]:
        """The row of the log that has an id."""
        return self.log().scan().filter(pl.col("id") == identity).collect().row(0, named=True)

    def log(self) -> PredictionLog:
        return PredictionLog("tiny", self.shop.folder.journal, self.shop.folder.path / "predictions")


@pytest.fixture(scope="module")
def web(open_shop: tuple[Any, ServerProcess]) -> Web:
    return Web(*open_shop)


def test_a_row_is_answered_and_in_the_log(web: Web, row: dict[str, Any]) -> None:
    """The reply carries everything; the log has the same answer, with caller and inputs."""
    status, reply = web.predict({"rows": [row], "ids": ["first"]}, **{"X-Heptad-Caller": "booking"})
    assert status == 200
    assert (reply["endpoint"], reply["generation"]) == ("tiny", 1)
    (answer,) = reply["predictions"]
    logged = web.logged("first")
    assert [logged[name] for name in ("label", "score", "version")] == [answer["label"], answer["score"], "tiny@1"]
    assert (logged["caller"], logged["inputs"]["colour"]) == ("booking", "red")


def test_rows_without_ids_get_new_ones(web: Web, row: dict[str, Any]) -> None:
    """Each has its own, and its caller is the address it came from."""
    _, reply = web.predict({"rows": [row, row]})
    first, second = (one["id"] for one in reply["predictions"])
    assert first != second
    assert web.logged(second)["caller"] == "127.0.0.1"


def test_a_repeated_id_is_answered_and_logged_once(web: Web, row: dict[str, Any]) -> None:
    """The reply to a repetition is the first reply, byte for byte."""
    body = {"rows": [row, row], "ids": ["twice-1", "twice-2"]}
    assert web.predict(body) == web.predict(body)
    ids = web.log().scan().collect()["id"].to_list()
    assert ids.count("twice-1") == 1


def test_a_big_request_is_answered_in_order(web: Web, row: dict[str, Any]) -> None:
    """More rows than one part holds, in a body that is read in another thread."""
    rows = [row | {"x": number / 100} for number in range(1500)]
    body = msgspec.json.encode({"rows": rows})
    assert len(body) > SMALL_BODY
    status, reply = web.predict(body)
    scores = [one["score"] for one in reply["predictions"]]
    assert status == 200
    assert len(scores) == 1500
    assert scores == sorted(scores)


def test_many_connections_get_their_own_answers(web: Web, row: dict[str, Any]) -> None:
    """Requests that are stored together are not mixed up."""
    wrong: list[Any] = []

    def work(worker: int) -> None:
        for turn in range(30):
            identity = f"mixed-{worker}-{turn}"
            _, reply = web.predict({"rows": [row | {"x": float(worker)}], "ids": [identity]})
            if reply["predictions"][0]["id"] != identity:
                wrong.append(reply)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_endpoint_describes_itself(web: Web) -> None:
    """Which versions answer, and what they take; whether it lives and is ready, and how large it is."""
    status, _, said = web.ask("GET", "/api/v1/endpoints/tiny")
    assert status == 200
    assert said["routes"] == [{"version": "tiny@1", "role": "live", "share": 1.0}]
    assert [one["name"] for one in said["signature"]["inputs"]] == ["x", "y", "colour", "sunny", "at"]
    assert web.ask("GET", "/readyz")[2] == {"status": "ready", "generation": 1, "refused": None}
    health = web.ask("GET", "/healthz")[2]
    assert health["status"] == "alive"
    assert 20 < health["peak_resident_mb"] < 400


def refusal(web: Web, row: dict[str, Any]) -> list[tuple[str, Any, dict[str, str], int, str]]:
    """Name, body, headers, status, and the field that must be named."""
    good = {"rows": [row]}
    return [
        ("no JSON", b"{", {}, 400, ""),
        ("NaN", b'{"rows": [{"x": NaN}]}', {}, 400, ""),
        ("deep JSON", b"[" * 300_000, {}, 422, ""),
        ("deep cell", b'{"rows": [{"x": ' + b"[" * 300_000, {}, 422, "rows[0]"),
        ("another type", msgspec.json.encode(good), {"Content-Type": "text/csv"}, 415, "content-type"),
        ("another charset", msgspec.json.encode(good), {"Content-Type": "application/json; charset=latin-1"}, 415, ""),
        ("packed", msgspec.json.encode(good), {"Content-Encoding": "gzip"}, 415, "content-encoding"),
        ("no rows", {"rows": []}, {}, 422, "rows"),
        ("too many rows", {"rows": [{}] * 2001}, {}, 422, "rows"),
        ("unknown part", {"rows": [row], "colour": 1}, {}, 422, "colour"),
        ("missing column", {"rows": [{k: v for k, v in row.items() if k != "y"}]}, {}, 422, "y"),
        ("unknown column", {"rows": [row | {"z": 1}]}, {}, 422, "z"),
        ("wrong type", {"rows": [row | {"x": "1"}]}, {}, 422, "x"),
        ("no whole number", {"rows": [row | {"y": 1.5}]}, {}, 422, "y"),
        ("no time", {"rows": [row | {"at": "yesterday"}]}, {}, 422, "at"),
        ("a list", {"rows": [row | {"x": [1]}]}, {}, 422, "x"),
        ("a huge number", {"rows": [row | {"x": 10**400}]}, {}, 422, "x"),
        ("too many ids", {"rows": [row], "ids": ["a", "b"]}, {}, 422, "ids"),
        ("an id twice", {"rows": [row, row], "ids": ["a", "a"]}, {}, 422, "ids"),
        ("another host", good, {"Host": "evil.example"}, 403, "host"),
        ("another site", good, {"Origin": "https://evil.example"}, 403, "origin"),
    ]


def test_every_mistake_is_a_4xx_that_names_the_field(web: Web, row: dict[str, Any]) -> None:
    """One body for all errors, with what is wrong and where; nothing of it is logged."""
    before = web.log().scan().collect().height
    for name, body, headers, status, field in refusal(web, row):
        got, reply = web.predict(body, **headers)
        assert got == status, (name, reply)
        error = reply["error"]
        assert set(error) == {"problem", "field", "allowed", "remedy"}, name
        assert error["problem"], name
        assert not field or error["field"] == field, (name, error)
    assert web.log().scan().collect().height == before


def test_paths_and_methods_that_do_not_exist(web: Web) -> None:
    """An unknown endpoint and path are 404, the wrong method is 405 with the right one."""
    status, _, reply = web.ask("POST", "/api/v1/endpoints/other/predict", b"{}", JSON)
    assert (status, reply["error"]["field"]) == (404, "endpoint")
    assert "tiny" in reply["error"]["allowed"]
    assert web.ask("GET", "/")[0] == 404
    assert web.ask("GET", "/api/v1/endpoints/tiny/predict/more")[0] == 404
    status, headers, _ = web.ask("GET", PREDICT)
    assert (status, headers["allow"]) == (405, "POST")
    assert web.ask("DELETE", "/healthz")[0] == 405


def test_a_body_over_the_limit_is_not_read(web: Web) -> None:
    """100 MB are announced: the refusal comes before they are sent. So it does when no length is announced."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as line:
        line.sendall(
            f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 100000000\r\n\r\n".encode()
        )
        assert line.recv(20).startswith(b"HTTP/1.1 413")
    with socket.create_connection(("127.0.0.1", web.port), timeout=60) as line:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        sent = 0
        try:
            while sent < 100_000_000:
                line.sendall(chunk)
                sent += 0x10000
        except OSError:
            pass  # the server has hung up
        assert sent < 20_000_000
    assert web.ask("GET", "/readyz")[0] == 200


def test_a_client_that_hangs_up_harms_nobody(web: Web, row: dict[str, Any]) -> None:
    """Half a body, then silence: the server goes on, and its log stays clean."""
    before = (web.shop.folder.path / "server.log").read_text()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", web.port), timeout=60) as line:
            line.sendall(
                f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                "Content-Length: 1000\r\n\r\n{".encode()
            )
    assert web.predict({"rows": [row]})[0] == 200
    assert (web.shop.folder.path / "server.log").read_text() == before


def test_nothing_that_is_sent_makes_the_server_fail(web: Web, row: dict[str, Any]) -> None:
    """Mutated requests, cut, doubled and with bytes changed, are answered with 200 or 4xx, never with 5xx."""
    good = msgspec.json.encode({"rows": [row, row], "ids": ["f1", "f2"]})
    pieces = [
        b"NaN",
        b"null",
        b"[]",
        b"{}",
        b'"\\udc00"',
        b"1e999",
        b"-0",
        b"\x00",
        b"\xff",
        b'"x"',
        b"true",
        b"9" * 30,
    ]
    draw = random.Random(7)
    for _ in range(600):
        body = bytearray(good)
        for _ in range(draw.randint(1, 4)):
            place = draw.randrange(len(body) + 1)
            width = draw.choice([0, 0, 1, 2, 8])
            body[place : place + width] = draw.choice([*pieces, bytes(body[place : place + 9])])
        status, reply = web.predict(bytes(body))
        assert status == 200 or 400 <= status < 500, (status, bytes(body), reply)
    assert web.predict({"rows": [row]})[0] == 200


def test_what_is_wrong_with_a_row_is_not_in_the_servers_log(web: Web, row: dict[str, Any]) -> None:
    """Inputs may be personal: errors say where, and the log file of the server holds none of them."""
    web.predict({"rows": [row | {"x": "Mrs-Dalloway-1923"}]})
    web.predict(b'{"rows": [{"x": Mrs-Dalloway-1923}]}')
    assert "Dalloway" not in (web.shop.folder.path / "server.log").read_text()


def test_short_requests_pass_between_long_ones(web: Web, row: dict[str, Any]) -> None:
    """While requests of thousands of rows are answered, single rows do not wait for them to end."""
    big = msgspec.json.encode({"rows": [row] * 2000})
    stop = threading.Event()
    done: list[float] = []

    def load() -> None:
        while not stop.is_set():
            began = time.perf_counter()
            web.predict(big)
            done.append(time.perf_counter() - began)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        time.sleep(0.1)
        waits = []
        for _ in range(40):
            began = time.perf_counter()
            assert web.predict({"rows": [row]})[0] == 200
            waits.append(time.perf_counter() - began)
    finally:
        stop.set()
        thread.join()
    assert sorted(waits)[20] < min(done)


class Raw:
    """One connection, on which bytes are sent as they are."""

    def __init__(self, web: Web) -> None:
        self._line = socket.create_connection(("127.0.0.1", web.port), timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def send(self, *headers: str, body: bytes = b"") -> "Raw":
        head = "\r\n".join([f"POST {PREDICT} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers])
        self._line.sendall(head.encode() + b"\r\n\r\n" + body)
        return self

    def status(self) -> int:
        reply = self._line.recv(1 << 16)
        return int(reply.split()[1]) if reply else 0


def test_a_length_that_is_not_the_bodys_is_refused(web: Web, row: dict[str, Any]) -> None:
    """No number, or less than nothing: 4xx, and nothing is logged. A body in chunks needs no length."""
    body = msgspec.json.encode({"rows": [row], "ids": ["another length"]})
    chunked = f"{len(body):x}".encode() + b"\r\n" + body + b"\r\n0\r\n\r\n"
    for length in ("many", "-1"):
        with Raw(web) as raw:
            assert 400 <= raw.send(f"Content-Length: {length}", body=body).status() < 500, length
    assert web.log().scan().filter(id="another length").collect().is_empty()
    with Raw(web) as raw:
        assert raw.send("Transfer-Encoding: chunked", body=chunked).status() == 200


def test_a_client_that_asks_whether_to_go_on_is_told(web: Web, row: dict[str, Any]) -> None:
    """`Expect: 100-continue` is answered before the body comes; a body that is too long is refused instead."""
    body = msgspec.json.encode({"rows": [row]})
    with Raw(web) as raw:
        assert raw.send("Expect: 100-continue", f"Content-Length: {len(body)}").status() == 100
        raw._line.sendall(body)
        assert raw.status() == 200
    with Raw(web) as raw:
        assert raw.send("Expect: 100-continue", "Content-Length: 100000000").status() == 413


def test_few_long_requests_are_under_way_at_once(web: Web, row: dict[str, Any]) -> None:
    """One more is told to come again in a moment, before its body is read; short requests do not notice."""
    with contextlib.ExitStack() as stack:
        begun = 0
        end = time.monotonic() + 60
        status = 200
        while status == 200 and time.monotonic() < end:
            # On a busy machine the server may have ended one for want of its body before the last has come.
            for _ in range(1 if begun else LONG_WAITING):
                stack.enter_context(Raw(web)).send(f"Content-Length: {SMALL_BODY + 1}", body=b"{")
                begun += 1
            status, headers, reply = web.ask("POST", PREDICT, b" " * (SMALL_BODY + 1) + b"{}", JSON)
            status = 200 if status == 422 else status
        assert begun < 2 * LONG_WAITING
        assert (status, headers["retry-after"]) == (503, "1")
        assert "long requests" in reply["error"]["problem"]
        assert web.predict({"rows": [row]})[0] == 200
    end = time.monotonic() + 60
    while (got := web.predict({"rows": [row] * 500})[0]) != 200 and time.monotonic() < end:
        time.sleep(0.02)
    assert got == 200


def test_slow_clients_do_not_hold_up_others(web: Web, row: dict[str, Any]) -> None:
    """A hundred that have announced a body and send nothing of it: everybody else is answered as quickly as before."""
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(Raw(web)).send("Content-Length: 100", body=b"{")
        began = time.perf_counter()
        for _ in range(20):
            assert web.predict({"rows": [row]})[0] == 200
        assert time.perf_counter() - began < 5


def test_memory_does_not_grow_with_traffic(web: Web, row: dict[str, Any]) -> None:
    """Once the journal's cache of 16 MB is full, tens of thousands of further rows leave the worker as it was."""
    body = msgspec.json.encode({"rows": [row] * 500})

    def resident() -> float:
        pages = Path(f"/proc/{web.ask('GET', '/healthz')[2]['pid']}/statm").read_text().split()[1]
        return int(pages) * 4096 / 1e6

    for _ in range(150):
        web.predict(body)
    before = resident()
    for _ in range(150):
        web.predict(body)
    # A leak of 300 bytes a row is found; what the allocator keeps for threads of earlier tests is not taken for one.
    assert resident() - before < 25


def test_reading_is_watched() -> None:
    """How many clients are waited for, and since when, is known while they are, and forgotten afterwards."""
    limits = Limits(max_body=100, max_rows=1, log_inputs=True)
    app = App("tiny", None, None, SystemClock(), limits, None)  # type: ignore[arg-type]
    seen: list[int] = []

    class Body:
        def read(self, _most: int) -> bytes:
            time.sleep(0.02)
            seen.extend((app.read_for(0.01), app.read_for(10)))
            return b"{}"

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PREDICT,
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "3",
        "wsgi.input": Body(),
    }
    (reply,) = app(environ, lambda status, _: seen.append(int(status[:3])))
    assert seen == [1, 0, 400]
    assert b"closed before" in reply
    assert app.read_for(0) == 0


FEATURES = "/api/v1/features"


def test_features_are_read_over_http(web: Web) -> None:
    """From the moment they are published; by whatever is in force then, without starting the server again."""
    folder, wanted = web.shop.folder.path.parents[1], msgspec.json.encode(ASKED)
    status, _, reply = web.ask("POST", FEATURES, wanted, JSON)
    assert (status, reply["error"]["problem"]) == (404, "No features are in force.")
    publish(folder, "tiny", OnlineSettings(), [WEATHER])
    put(LmdbStore(f"lmdb://{folder / 'online'}", "tiny"), WEATHER, ["JFK"], 1, [20.5, None])
    status, _, reply = web.ask("POST", FEATURES, wanted, JSON)
    assert (status, reply["names"]) == (200, ["temp", "wind"])
    assert [row["freshness"][0]["state"] for row in reply["rows"]] == ["stale", "missing"]
    renamed = msgspec.structs.replace(WEATHER, body=msgspec.structs.replace(WEATHER.body, name="climate"))
    publish(folder, "tiny", OnlineSettings(), [renamed])
    assert web.ask("POST", FEATURES, wanted, JSON)[0] == 404
    (folder / FILE).unlink()


ASKED = {"features": ["weather"], "entities": [{"origin": "JFK"}, {"origin": "LAX"}]}


@pytest.mark.parametrize(
    ("method", "body", "headers", "status"),
    [
        ("GET", b"", {}, 405),
        ("POST", b"{", JSON, 400),
        ("POST", b"[]", JSON, 422),
        ("POST", b'{"features": [], "entities": []}', JSON, 422),
        ("POST", b'{"features": ["weather"], "entities": [{}]}', JSON, 422),
        ("POST", b'{"features": ["nothing"], "entities": [{}]}', JSON, 404),
        ("POST", msgspec.json.encode(ASKED), {"Content-Type": "text/plain"}, 415),
        ("POST", b" " * (2 << 20), JSON, 413),
    ],
)
def test_what_cannot_be_answered_about_features_is_refused(
    web: Web, method: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    """With a 4xx that names the field, never a 5xx."""
    folder = web.shop.folder.path.parents[1]
    publish(folder, "tiny", OnlineSettings(), [WEATHER])
    found, _, reply = web.ask(method, FEATURES, body or None, headers)
    assert found == status
    assert reply["error"]["problem"]
    (folder / FILE).unlink()
