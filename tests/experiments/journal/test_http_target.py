"""A server that is away, slow, broken or another program: each is an error that may pass, and nothing counts twice."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import pytest

from heptad.core.errors import InputError, RequestError, UnavailableError
from heptad.core.store import Segment
from heptad.experiments.journal import http_target
from heptad.experiments.journal.http_target import HttpTarget, server_address
from heptad.experiments.journal.messages import RunUpdate

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]
UPDATE = RunUpdate(run="run-abcdefghijklmnop", at=1.0)


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server that answers everything alike: its address, and what was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        do_PUT = do_POST  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def says(status: int, body: bytes, **headers: str) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def silent(_: http.server.BaseHTTPRequestHandler) -> None:
    time.sleep(1.0)


def raw(data: bytes) -> Answer:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(500, b"<html>oops</html>"), "answers 500"),
        (says(502, b""), "answers 502"),
        (says(302, b"", Location="http://elsewhere/"), "answers 302"),
        (says(404, b'{"error_code": "X", "message": "nothing here"}'), "answers 404: nothing here"),
        (says(503, b'{"error": {"problem": "The disk is full.", "remedy": "Free some."}}'), "disk is full"),
        (says(200, b"garbage"), "no reply of Heptad"),
        (says(200, b"[" * 100_000), "no reply of Heptad"),
        (says(200, b"\xff\xfe"), "no reply of Heptad"),
        (raw(b"garbage\r\n\r\n"), "cannot be reached"),
        (raw(b""), "cannot be reached"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"), "cannot be reached"),
        (silent, "in time"),
    ],
)
def test_a_server_that_is_not_well_is_tried_again_later(
    answer: Answer, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Errors, another program, garbage, silence."""
    monkeypatch.setattr(http_target, "CALL_SECONDS", 0.3)
    with answering(answer) as (url, _):
        target = HttpTarget(url)
        with pytest.raises(UnavailableError, match=words) as caught:
            target.update(UPDATE)
        assert caught.value.remedy
        target.close()


def test_what_is_refused_is_told_in_the_words_of_the_server() -> None:
    """Problem, what is allowed, and the status."""
    with answering(says(400, b'{"error": {"problem": "The key is odd.", "allowed": "letters"}}')) as (url, _):
        target = HttpTarget(url)
        with pytest.raises(RequestError, match="The key is odd") as caught:
            target.update(UPDATE)
        assert (caught.value.status, caught.value.allowed) == (400, "letters")
        target.close()


def test_nobody_there_is_said_at_once() -> None:
    """With what to do."""
    with answering(says(200, b"{}")) as (url, _):
        pass
    with pytest.raises(UnavailableError, match="refused") as caught:
        HttpTarget(url).update(UPDATE)
    assert "heptad up" in caught.value.remedy


def test_a_connection_is_kept_and_opened_anew_where_the_server_closed_it() -> None:
    """Between two calls, as servers do after a while: the call is sent again, once."""
    closing = [False, True, False]

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        says(200, b"{}")(handler)
        # Closed without saying so.
        handler.close_connection = closing.pop(0)

    with answering(answer) as (url, asked):
        target = HttpTarget(url)
        target.update(UPDATE)
        first = target._connection
        target.update(UPDATE)
        assert target._connection is first
        time.sleep(0.1)
        target.update(UPDATE)
        assert len(asked) == 3
        target.close()


def test_only_files_that_are_lacking_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes and streams alike; equal ones once."""
    monkeypatch.setattr(http_target, "_PIECE", 3)
    digests = [http_target._digest_of(BytesIO(one)) for one in (b"first", b"second")]

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        lacking = f'{{"digests": ["{digests[1]}"]}}'.encode()
        says(200, lacking if handler.path.endswith("lacking") else b"{}")(handler)

    with answering(answer) as (url, asked):
        target = HttpTarget(url)
        assert target.put([b"first", BytesIO(b"second"), b"second"]) == [*digests, digests[1]]
        assert asked == ["/api/v1/files/lacking", f"/api/v1/files/{digests[1]}"]
        target.close()


def test_many_points_go_in_several_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of bounded length, with series in part where they are long."""
    monkeypatch.setattr(http_target, "POINTS_AT_ONCE", 4)
    long = Segment(record="run-a", key="a", first=7, steps=list(range(9)), values=[0.5] * 9, times=[1.0] * 9)
    short = Segment(record="run-a", key="b", first=0, steps=[0, 1], values=[0.5] * 2, times=[1.0] * 2)
    found = [points.series for _, points in http_target._batches([long, short])]
    assert [{key: (first, len(data) // 24) for key, (first, data) in one.items()} for one in found] == [
        {"a": (7, 4)},
        {"a": (11, 4)},
        {"a": (15, 1), "b": (0, 2)},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:8320",
        "ftp://host",
        "http://",
        "http://me:secret@host",
        "http://host/path",
        "http://host?a=1",
        "http://host:99999",
        "http://[::1",
        "http://" + "x" * 300,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """A password is not repeated in the message."""
    with pytest.raises(InputError) as caught:
        server_address(text)
    assert "secret" not in str(caught.value)
    assert "http://HOST:PORT" in caught.value.allowed


def test_addresses_are_written_one_way() -> None:
    """So that two spellings have one folder of journals."""
    assert server_address("http://LocalHost:8320/").url == "http://localhost:8320"
    assert server_address("https://[::1]").url == "https://[::1]:443"
