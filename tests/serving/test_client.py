"""The client that keeps asking."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from heptad.core.errors import InputError, RequestError, UnavailableError
from heptad.serving import PredictionClient, ServerProcess
from heptad.serving.log import PredictionLog

REPLY = b'{"endpoint":"tiny","generation":1,"predictions":[{"id":"a"}]}'
ERROR = b'{"error":{"problem":"No.","field":"x","allowed":"yes","remedy":"mend"}}'


@contextmanager
def server(*answers: tuple[int, bytes] | None) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that gives these answers in turn (`None`: hangs up), the last for ever; and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(msgspec.json.decode(body) | {"caller": self.headers["X-Heptad-Caller"], "path": self.path})
            answer = answers[min(len(asked), len(answers)) - 1]
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", asked
        finally:
            http.shutdown()
            thread.join()


def test_cut_off_requests_are_sent_again_under_the_same_ids() -> None:
    """After a hang-up and a 503, the third attempt is answered; all three carried the same ids."""
    with server(None, (503, ERROR), (200, REPLY)) as (url, asked), PredictionClient(url, "tiny", "me", 10) as client:
        assert client.predict([{"x": 1}]) == [{"id": "a"}]
        assert client.retries == 2
    assert len({one["ids"][0] for one in asked}) == 1
    assert {(one["caller"], one["path"]) for one in asked} == {("me", "/api/v1/endpoints/tiny/predict")}


def test_a_refusal_is_not_tried_again() -> None:
    """What is wrong with a request stays wrong: the error carries what the server said."""
    with server((422, ERROR)) as (url, asked), PredictionClient(url, "tiny") as client:
        with pytest.raises(RequestError) as caught:
            client.predict([{"x": 1}], ["a"])
        assert len(asked) == 1
    error = caught.value
    assert (error.status, error.field, error.problem, error.allowed, error.remedy) == (422, "x", "No.", "yes", "mend")


@pytest.mark.parametrize("answer", [(500, ERROR), (502, b"<html>")])
def test_a_failing_server_is_no_mistake_of_the_caller(answer: tuple[int, bytes]) -> None:
    """A 5xx is a retryable error, whatever body it has."""
    with server(answer) as (url, _), PredictionClient(url, "tiny") as client, pytest.raises(UnavailableError):
        client.predict([{"x": 1}])


def test_nobody_answers() -> None:
    """After `retry_seconds` the error says which server did not answer, and how one is started."""
    with server((200, REPLY)) as (url, _):
        pass
    with PredictionClient(url, "tiny", retry_seconds=0.3) as client:
        with pytest.raises(UnavailableError, match="did not answer: Connection refused") as caught:
            client.predict([{"x": 1}])
        assert caught.value.remedy == "start it: heptad up"
        assert client.retries >= 2


def test_rows_may_hold_what_python_has() -> None:
    """Numbers of NumPy, moments, and NaN for a missing value; anything else is an error before it is sent."""
    with server((200, REPLY)) as (url, asked), PredictionClient(url, "tiny") as client:
        client.predict(
            [{"x": np.float64(1.5), "y": np.int64(2), "z": float("nan"), "t": datetime(2013, 4, 1, tzinfo=UTC)}]
        )
        assert asked[0]["rows"] == [{"x": 1.5, "y": 2, "z": None, "t": "2013-04-01T00:00:00Z"}]
        with pytest.raises(InputError, match="JSON cannot carry"):
            client.predict([{"x": object()}])
    assert len(asked) == 1


@pytest.mark.parametrize("url", ["https://localhost:1", "localhost:8321", "ftp://x"])
def test_an_address_that_cannot_be_a_server_is_refused(url: str) -> None:
    """Only plain HTTP is spoken, on loopback."""
    with pytest.raises(InputError):
        PredictionClient(url, "tiny")


def test_a_real_server_answers_it(open_shop: tuple[Any, ServerProcess], row: dict[str, Any]) -> None:
    """The client and the server agree on the protocol."""
    with PredictionClient(open_shop[1].url, "tiny", "me") as client:
        (answer,) = client.predict([row], ["from-the-client"])
        assert (answer["id"], answer["version"]) == ("from-the-client", "tiny@1")
        with pytest.raises(RequestError) as caught:
            client.predict([{}])
    assert caught.value.status == 422


def test_a_server_that_is_not_ours_is_told_apart() -> None:
    """Another program on that port may say 200 to anything; that is no answer."""
    with server((200, b"<html>hello</html>")) as (url, _), PredictionClient(url, "tiny") as client:
        with pytest.raises(UnavailableError, match="is no server of ours") as caught:
            client.predict([{"x": 1}])
        assert "port" in caught.value.remedy


def test_what_a_busy_server_advises_is_passed_on() -> None:
    """A 503 carries its own remedy; only where nobody answers is there something to start."""
    with server((503, ERROR)) as (url, _), PredictionClient(url, "tiny", retry_seconds=0.1) as client:
        with pytest.raises(UnavailableError, match="No") as caught:
            client.predict([{"x": 1}])
        assert caught.value.remedy == "mend"


def test_a_body_that_is_too_long_is_said_to_be(open_shop: tuple[Any, ServerProcess], row: dict[str, Any]) -> None:
    """The server refuses before it has read all; the client hears why, and does not try again for ever."""
    with PredictionClient(open_shop[1].url, "tiny", retry_seconds=5) as client:
        for _ in range(3):
            with pytest.raises(RequestError, match="longer than") as caught:
                client.predict([row | {"colour": "x" * 30_000_000}])
            assert caught.value.status == 413
        assert client.retries <= 2  # a connection that was closed by the refusal before
        assert client.predict([row])[0]["version"] == "tiny@1"


@pytest.mark.parametrize("caller", ["Jörg", "東京", "a b", "100%", "CORP\\bob", "50%41", "line\nbreak"])
def test_a_caller_may_have_any_letters(open_shop: tuple[Any, ServerProcess], row: dict[str, Any], caller: str) -> None:
    """Headers carry ASCII only; all the same a caller is logged by his own name, and never by another's."""
    shop, running = open_shop
    with PredictionClient(running.url, "tiny", caller) as client:
        (answer,) = client.predict([row])
    log = PredictionLog("tiny", shop.folder.journal, shop.folder.path / "predictions")
    (logged,) = log.scan().filter(pl.col("id") == answer["id"]).collect()["caller"]
    assert logged == caller if caller.isprintable() else logged.isprintable()
