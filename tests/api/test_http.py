"""What the server answers whatever it is asked."""

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.conftest import Web

RUNS = "/api/2.0/mlflow/runs"


def test_it_says_that_it_is_well_and_what_it_speaks(web: Web) -> None:
    """Health, the version of the protocol, and what is offered, under every prefix."""
    assert web("GET", "/health") == (200, "OK")
    assert web("GET", "/version")[1].startswith("3.17")
    for prefix in ("/api/3.0", "/ajax-api/3.0", "/api/2.0"):
        assert web("GET", f"{prefix}/mlflow/server-info")[1]["store_type"] == "SqlStore"


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/api/3.0/mlflow/traces/tr-1", 404, "does not offer traces"),
        ("POST", "/api/3.0/mlflow/gateway/endpoints/create", 404, "AI gateway"),
        ("GET", "/api/2.0/mlflow/nonsense", 404, "nothing at"),
        ("GET", "/api/2.0/../../etc/passwd", 404, "nothing at"),
        ("GET", "/elsewhere", 404, "nothing at"),
        ("DELETE", f"{RUNS}/create", 405, "takes POST"),
        ("POST", "/health", 405, "takes GET"),
    ],
)
def test_what_is_not_offered_says_so(web: Web, method: str, path: str, status: int, words: str) -> None:
    """A body with a code and a sentence, never 5xx."""
    found, body = web(method, path, {})
    assert found == status
    assert words in body["message"]
    assert body["error_code"] in {"ENDPOINT_NOT_FOUND", "BAD_REQUEST"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"run_id": "\\ud800"}',
        b'{"run_id": 7}',
        b'{"run_id": {"a": []}}',
        b'{"run_id": "../../etc/passwd", "key": "k", "value": 1, "timestamp": 1}',
        b'{"run_id": "run-x", "key": "k", "value": "one", "timestamp": 1}',
        b'{"run_id": "run-x", "key": "k", "value": 1e999, "timestamp": 1}',
        b'{"run_id": "run-x", "key": "k", "value": 1, "timestamp": -1}',
        b'{"run_id": "run-x", "key": "k", "value": 1, "timestamp": 99999999999999999999999}',
        b'{"run_id": "run-x", "key": "\\u0000", "value": 1, "timestamp": 1}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
)
def test_garbage_is_the_clients_mistake(web: Web, body: bytes) -> None:
    """4xx with a code and a sentence."""
    for call in ("log-metric", "log-batch", "create", "search", "update", "log-inputs"):
        status, said = web("POST", f"{RUNS}/{call}", body)
        if (call, status) != ("create", 200) and (call, status) != ("search", 200):
            assert 400 <= status < 500, (call, said)
            assert said["error_code"]
            assert said["message"]


def test_a_body_that_is_too_large_is_refused(web: Web) -> None:
    """By its announced length, before it is read; a batch may have one million bytes."""
    status, said = web("POST", f"{RUNS}/log-batch", {"run_id": "x" * 1_000_001})
    assert (status, said["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    connection = http.client.HTTPConnection("127.0.0.1", web.server.port, timeout=60)
    connection.putrequest("POST", f"{RUNS}/create")
    connection.putheader("content-length", str(10**12))
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_pages_of_other_sites_are_refused(web: Web) -> None:
    """A foreign origin, and a name that was rebound to this machine."""
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        status, said = web("POST", f"{RUNS}/create", {}, headers)
        assert (status, said["error_code"]) == (403, "PERMISSION_DENIED")


def test_many_ask_at_once(web: Web) -> None:
    """A thousand requests in parallel, on connections of their own: each has its answer, and nothing is lost."""
    run = web.post("runs/create", experiment_id="0")["run"]["info"]["run_id"]

    def ask(number: int) -> int:
        point = {"run_id": run, "key": "many", "value": number, "timestamp": 1, "step": number}
        return web("POST", f"{RUNS}/log-metric", point)[0]

    with ThreadPoolExecutor(64) as pool:
        assert set(pool.map(ask, range(1000))) == {200}
    history = web("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=many")[1]["metrics"]
    assert [point["step"] for point in history] == list(range(1000))
    latest = web("GET", f"{RUNS}/get?run_id={run}")[1]["run"]["data"]["metrics"]
    assert [(one["value"], one["step"]) for one in latest] == [(999.0, 999)]


def test_a_kept_connection_is_answered_without_delay(web: Web) -> None:
    """No small packet waits for the acknowledgement of the one before it, which takes 40 ms."""
    with socket.create_connection(("127.0.0.1", web.server.port)) as connection:
        request = b"GET /api/3.0/mlflow/server-info HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
        taken = []
        for _ in range(40):
            began = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65536)
            taken.append(time.perf_counter() - began)
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["store_type"]
    assert min(taken) < 0.03
