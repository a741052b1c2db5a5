"""A server that stumbles is asked again; one that is none, or stays away, is said to be."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from heptad.core.errors import DataError, UnavailableError
from heptad.experiments.mlflow_import import server as servers
from heptad.experiments.mlflow_import.server import ServerSource, _credentials
from heptad.experiments.mlflow_import.source import SourceRun


@contextmanager
def answering(answers: list[tuple[int, bytes, int]]) -> Iterator[str]:
    """A server that gives each answer once: status, body, and bytes that it says there are more."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body, more = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + more))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PAUSE", 0.01)


def test_errors_that_pass_are_passed_over() -> None:
    """And pages follow each other."""
    first = b'{"experiments": [{"experiment_id": "1", "name": "a"}], "next_page_token": "t"}'
    second = b'{"experiments": [{"experiment_id": "2", "name": "b", "lifecycle_stage": "deleted"}]}'
    with answering([(503, b"", 0), (200, first, 0), (500, b"oops", 0), (200, second, 0)]) as url:
        source = ServerSource(url)
        assert [(one.id, one.name, one.deleted) for one in source.experiments()] == [
            ("1", "a", False),
            ("2", "b", True),
        ]
        source.close()


def test_odd_numbers_are_read_as_they_are_written() -> None:
    """NaN and infinities by name, whole numbers as text."""
    first, second = b'{"key": "a", "value": "NaN", "timestamp": "7", "step": "3"}', b'{"value": "-Infinity"}'
    points = b'{"metrics": [' + first + b", " + second + b"]}"
    with answering([(200, points, 0)]) as url:
        source = ServerSource(url)
        (series,) = source.series(SourceRun(id="r", name="", status="running", started=0, metrics=["a"]))
        assert (repr(series.values), series.steps, series.times) == ("[nan, -inf]", [3, 0], [7, 0])
        source.close()


@pytest.mark.parametrize("answer", [(200, b"<html>", 0), (200, b"[]", 0), (404, b"nothing", 0), (200, b"[" * 9999, 0)])
def test_what_is_no_server_of_mlflow_is_said_to_be(answer: tuple[int, bytes, int]) -> None:
    """With what it answers."""
    with answering([answer]) as url:
        source = ServerSource(url)
        with pytest.raises(DataError):
            list(source.experiments())
        source.close()


def test_a_file_that_is_cut_off_is_not_taken_for_whole() -> None:
    """The end of the connection is not the end of the file."""
    listed = b'{"files": [{"path": "a", "is_dir": false, "file_size": "9"}]}'
    with answering([(200, listed, 0), (200, b"half", 5)]) as url:
        source = ServerSource(url)
        files = source.files(SourceRun(id="r", name="", status="running", started=0))
        assert files is not None
        (file,) = files
        content = file.open()
        assert content.read(3) == b"hal"
        assert content.read(3) == b"f"
        with pytest.raises(UnavailableError, match="middle of a file"):
            content.read(3)
        content.close()
        source.close()


def test_a_server_that_stays_away_is_given_up() -> None:
    """After some attempts, with what to do."""
    with pytest.raises(UnavailableError, match="cannot be read"):
        list(ServerSource("http://127.0.0.1:9").experiments())


def test_credentials_are_those_of_mlflows_client() -> None:
    """A token comes before a name."""
    assert _credentials({}) == {}
    assert _credentials({"MLFLOW_TRACKING_TOKEN": "t", "MLFLOW_TRACKING_USERNAME": "u"}) == {
        "Authorization": "Bearer t"
    }
    user = {"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "pw"}
    assert _credentials(user) == {"Authorization": "Basic bWU6cHc="}
