"""Pages are read where the server's robots.txt lets programs in, and not elsewhere."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from heptad.core.errors import DataError, UnavailableError
from heptad.data import Place, Source, SourceSettings, open_source

PAGE = b"<html><table><tr><th>n</th></tr><tr><td>1</td></tr></table></html>"
Serve = Callable[[int, bytes], tuple[str, list[str]]]


@pytest.fixture
def serve(pauses: list[float]) -> Iterator[Serve]:
    """A server with a robots.txt of this status and content; answers its address and the paths that are asked."""
    del pauses
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def served(status: int, robots: bytes) -> tuple[str, list[str]]:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(f"{self.path} by {self.headers['User-Agent']}")
                is_robots = self.path == "/robots.txt"
                body = robots if is_robots else PAGE
                self.send_response(status if is_robots else 200)
                if status == 302 and is_robots:
                    self.send_header("Location", "/robots.txt")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}", asked

    yield served
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def source(root: Path, uri: str, **settings: Any) -> Source:
    return open_source(SourceSettings(uri=uri, **settings), Place(root=root, cache=root / "cache"))


def test_what_is_not_forbidden_is_read(serve: Serve, tmp_path: Path) -> None:
    """robots.txt is asked once, and first, under our name."""
    url, asked = serve(200, b"User-agent: *\nDisallow: /private\n")
    page = source(tmp_path, f"{url}/p?x=1#table=1")
    page.digest()
    assert page.read().rows.collect()["n"].to_list() == [1]
    assert asked[:2] == ["/robots.txt by heptad", "/p?x=1 by heptad"]
    assert len([one for one in asked if "robots" in one]) == 1


@pytest.mark.parametrize(
    "robots", [b"User-agent: *\nDisallow: /\n", b"User-agent: heptad\nDisallow: /p\n\nUser-agent: *\nAllow: /\n"]
)
def test_what_is_forbidden_is_not_asked_for(serve: Serve, tmp_path: Path, robots: bytes) -> None:
    """To everybody, or to us."""
    url, asked = serve(200, robots)
    with pytest.raises(DataError, match=r"robots\.txt of 127\.0\.0\.1 forbids"):
        source(tmp_path, f"{url}/p#table=1").digest()
    assert asked == ["/robots.txt by heptad"]


@pytest.mark.parametrize("status", [404, 403, 302])
def test_a_server_without_one_forbids_nothing(serve: Serve, tmp_path: Path, status: int) -> None:
    """As RFC 9309 has it; one that leads in circles is none."""
    url, _ = serve(status, b"")
    assert source(tmp_path, f"{url}/p#table=1").read().rows.collect().height == 1


def test_a_server_that_cannot_say_is_asked_later(serve: Serve, tmp_path: Path) -> None:
    """It may have meant no."""
    url, asked = serve(503, b"")
    with pytest.raises(UnavailableError, match="503"):
        source(tmp_path, f"{url}/p#table=1", retries=1).digest()
    assert len(asked) == 2


def test_a_page_in_the_place_of_a_file_is_told(serve: Serve, tmp_path: Path) -> None:
    """It may be a login; whoever wants its table says so."""
    url, _ = serve(404, b"")
    with pytest.raises(DataError, match="answers with a web page, not with a file"):
        source(tmp_path, f"{url}/data.csv").read()
    assert source(tmp_path, f"{url}/data.csv", format="html").read().rows.collect().height == 1
