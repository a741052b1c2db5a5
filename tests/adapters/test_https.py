"""A file of a web server is a source: sent once, asked about with its ETag, and got whole or not at all."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from blake3 import blake3

from heptad.adapters import http_attempts, https
from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import Estimate, Place, Source, SourceSettings, open_source
from heptad.testing.source_contract import SourceContract

TABLE = b"number,name\n1,a\n2,b\n"


class Site:
    """A real HTTP server on loopback. `trouble` may answer a request in the place of the file."""

    def __init__(self) -> None:
        self.body = TABLE
        self.tagged = True
        self.trouble: Callable[[Any, int], bool] = lambda _handler, _count: False
        self.requests: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.sent = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append(dict(self.headers))
                if not site.trouble(self, len(site.requests)):
                    site.serve(self)

            def log_message(self, *args: object) -> None:
                pass

            def log_request(self, code: Any = "-", size: Any = "-") -> None:
                site.answers.append(int(code))

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def etag(self) -> str:
        return f'"{blake3(self.body).hexdigest()[:8]}"'

    def serve(self, handler: Any, *, most: int | None = None) -> None:
        start = 0
        if self.tagged and handler.headers.get("If-None-Match") == self.etag():
            handler.send_response(304)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if self.tagged and "Range" in handler.headers and handler.headers["If-Range"] == self.etag():
            start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(self.body) - start))
        if self.tagged:
            handler.send_header("ETag", self.etag())
            handler.send_header("Accept-Ranges", "bytes")
        handler.end_headers()
        sent = self.body[start:][:most]
        self.sent += len(sent)
        handler.wfile.write(sent)

    def cut(self, handler: Any, most: int) -> bool:
        """Break off after so many bytes."""
        self.serve(handler, most=most)
        handler.wfile.flush()
        handler.close_connection = True
        return True


def answer(handler: Any, status: int, **headers: str) -> bool:
    handler.send_response(status)
    for name, value in ({"Content-Length": "0"} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    return True


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def source_of(site: Site, root: Path, path: str = "/t.csv", **settings: object) -> Source:
    made = SourceSettings(uri=site.url + path, **{"timeout": "5s", **settings})  # type: ignore[arg-type]
    return open_source(made, Place(root=root, cache=root / "cache"))


class TestHttpSource(SourceContract):
    @pytest.fixture
    def source(self, site: Site, tmp_path: Path) -> Source:
        return source_of(site, tmp_path)

    @pytest.fixture
    def change(self, site: Site) -> Callable[[], None]:
        def add_row() -> None:
            site.body += b"3,c\n"

        return add_row


def numbers(source: Source) -> list[int]:
    return source.read().rows.collect()["number"].to_list()


def test_what_has_not_changed_is_not_sent_again(site: Site, tmp_path: Path) -> None:
    """Not even to another process: the note about the ETag lies beside the file."""
    first = source_of(site, tmp_path).digest()
    assert source_of(site, tmp_path).digest() == first
    assert numbers(source_of(site, tmp_path)) == [1, 2]
    assert site.answers == [200, 304, 304]
    assert site.sent == len(TABLE)


def test_an_emptied_cache_costs_a_download_and_changes_no_digest(site: Site, tmp_path: Path) -> None:
    """The digest is that of the content."""
    first = source_of(site, tmp_path / "a").digest()
    assert source_of(site, tmp_path / "b").digest() == first
    site.tagged = False
    assert source_of(site, tmp_path / "a").digest() == first


def test_a_server_without_etags_is_read_each_time(site: Site, tmp_path: Path) -> None:
    """One file of each content is kept."""
    site.tagged = False
    source = source_of(site, tmp_path)
    assert source.digest() == source.digest()
    assert site.answers == [200, 200]
    assert sum(one.is_file() for one in (tmp_path / "cache").rglob("*")) == 2  # the file and the note


def test_a_server_that_fails_and_then_recovers_is_asked_again(site: Site, tmp_path: Path, pauses: list[float]) -> None:
    """With growing pauses, and no sooner than it says."""
    answers = {1: {}, 2: {}, 3: {"Retry-After": "7"}}
    site.trouble = lambda handler, count: count in answers and answer(handler, 503, **answers[count])
    assert numbers(source_of(site, tmp_path)) == [1, 2]
    assert pauses == [http_attempts.PAUSE, 2 * http_attempts.PAUSE, 7.0]


def test_a_server_that_keeps_failing_is_told_with_the_attempts(site: Site, tmp_path: Path) -> None:
    """And it is an error after which trying again may help."""
    site.trouble = lambda handler, _: answer(handler, 500)
    with pytest.raises(UnavailableError, match=r"attempts: 3; the server answered 500"):
        source_of(site, tmp_path, retries=2).digest()
    assert len(site.requests) == 3


def test_a_server_that_does_not_answer_is_left_after_its_time(site: Site, tmp_path: Path) -> None:
    """The timeout is a setting, and told."""
    release = threading.Event()
    site.trouble = lambda _handler, _count: release.wait(20)
    try:
        with pytest.raises(UnavailableError, match=r"attempts: 2; no bytes came for 100ms"):
            source_of(site, tmp_path, timeout="100ms", retries=1).digest()
    finally:
        release.set()


def test_a_slow_server_is_waited_for(site: Site, tmp_path: Path) -> None:
    """The timeout counts between bytes, not for the whole."""

    def slowly(handler: Any, _count: int) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(TABLE)))
        handler.end_headers()
        for byte in TABLE:
            threading.Event().wait(0.02)
            handler.wfile.write(bytes([byte]))
        return True

    site.trouble = slowly
    assert numbers(source_of(site, tmp_path, timeout="300ms")) == [1, 2]


def test_nobody_listens(tmp_path: Path) -> None:
    """A port without a server."""
    uri = "http://127.0.0.1:9/t.csv"
    with pytest.raises(UnavailableError, match="attempts: 1; "):
        open_source(SourceSettings(uri=uri, retries=0), Place(root=tmp_path)).digest()


def test_a_download_that_breaks_off_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    """With the ETag it began with; nothing is sent twice."""
    site.body = TABLE + b"3,c\n" * 100_000
    site.trouble = lambda handler, count: count == 1 and site.cut(handler, 200_000)
    assert len(numbers(source_of(site, tmp_path))) > 100_000 - 1
    assert site.answers[:2] == [200, 206]
    assert site.sent == len(site.body)


def test_a_file_that_changes_in_the_middle_is_read_anew(site: Site, tmp_path: Path) -> None:
    """Two halves of different files are never put together."""

    def cut_and_change(handler: Any, count: int) -> bool:
        if count > 1:
            return False
        site.cut(handler, 10)
        site.body = TABLE.replace(b"2,b", b"7,z")
        return True

    site.trouble = cut_and_change
    assert numbers(source_of(site, tmp_path)) == [1, 7]


def test_a_token_that_expires_in_the_middle_is_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token stays out of the message, and half of a file out of the cache."""
    monkeypatch.setenv("SITE_TOKEN", "sesame-open")
    site.body = TABLE * 100_000
    site.trouble = lambda handler, count: site.cut(handler, 1_000) if count == 1 else answer(handler, 401)
    source = source_of(site, tmp_path, headers={"Authorization": "Bearer ${SITE_TOKEN}"})
    with pytest.raises(DataError, match=r"\(401\); they may have expired") as error:
        source.digest()
    assert site.requests[0]["Authorization"] == "Bearer sesame-open"
    assert "sesame" not in str(error.value)
    assert [one for one in (tmp_path / "cache").rglob("*") if one.is_file()] == []


@pytest.mark.parametrize(
    ("status", "problem"), [(404, r"is not there \(404\)"), (403, "credentials"), (418, "answered with 418")]
)
def test_refusals_are_not_tried_again(site: Site, tmp_path: Path, status: int, problem: str) -> None:
    """Each says what to do."""
    site.trouble = lambda handler, _: answer(handler, status)
    with pytest.raises(DataError, match=problem):
        source_of(site, tmp_path).digest()
    assert len(site.requests) == 1


def test_redirects_are_followed_without_our_headers(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token for one server is not shown to another."""
    monkeypatch.setenv("SITE_TOKEN", "sesame-open")
    other = site.url.replace("127.0.0.1", "localhost")
    site.trouble = lambda handler, count: count == 1 and answer(handler, 302, Location=f"{other}/real.csv")
    source = source_of(site, tmp_path, headers={"X-Api-Key": "${SITE_TOKEN}"})
    assert numbers(source) == [1, 2]
    assert [one.get("X-Api-Key") for one in site.requests] == ["sesame-open", None]


def test_redirects_to_other_schemes_and_in_circles_are_refused(site: Site, tmp_path: Path) -> None:
    """A server cannot make us read local files, or go round for ever."""
    site.trouble = lambda handler, _: answer(handler, 302, Location="file:///etc/passwd")
    with pytest.raises(DataError, match="redirected from http:// to file://"):
        source_of(site, tmp_path).digest()
    site.trouble = lambda handler, _: answer(handler, 302, Location="/again")
    with pytest.raises(DataError, match="more than 5 times"):
        source_of(site, tmp_path).digest()


def test_from_https_it_does_not_go_to_http(tmp_path: Path) -> None:
    """What was asked for privately is not got in the open."""
    source = https.HttpSource(
        "https", "//example.org/t.csv", SourceSettings(uri="https://example.org/t.csv"), Place(root=tmp_path)
    )
    answered = httpx.Response(302, headers={"Location": "http://example.org/t.csv"})
    with pytest.raises(DataError, match="from https:// to http://"):
        source._redirected(httpx.URL("https://example.org/t.csv"), answered, {})


def test_a_body_without_end_is_refused(site: Site, tmp_path: Path) -> None:
    """At the limit of what may be unpacked."""
    site.body = bytes(3 << 20)
    with pytest.raises(DataError, match=r"more than 0\.001 GB"):
        source_of(site, tmp_path, unpacked_gb=0.001).digest()


def test_secrets_that_are_written_out_are_refused(tmp_path: Path) -> None:
    """Settings are recorded; so a password, a token and a header of one must be names."""
    for settings in (
        SourceSettings(uri="https://me:sesame@example.org/t.csv"),
        SourceSettings(uri="https://example.org/t.csv?token=sesame"),
        SourceSettings(uri="https://example.org/t.csv", headers={"Authorization": "Bearer sesame"}),
    ):
        with pytest.raises(SettingsError, match="settings are recorded") as error:
            open_source(settings, Place(root=tmp_path))
        assert "sesame" not in str(error.value)


def test_members_of_archives_are_read(site: Site, tmp_path: Path) -> None:
    """Packed files are unpacked as local ones are."""
    import gzip
    import io
    import zipfile

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("in/a.csv.gz", gzip.compress(TABLE))
        archive.writestr("b.txt", "")
    site.body = held.getvalue()
    assert numbers(source_of(site, tmp_path, "/all.zip/in/a.csv.gz")) == [1, 2]


def test_the_server_says_how_much_there_is(site: Site, tmp_path: Path) -> None:
    """Nothing once the cache has got it."""
    source = source_of(site, tmp_path)
    assert source.estimate() == Estimate(len(TABLE), "bytes")
    source.digest()
    assert source.estimate() == Estimate(0, "bytes")


def test_an_estimate_asks_once(site: Site, tmp_path: Path) -> None:
    """It is for a bar alone: who collects tries again, and waits no longer for it."""
    site.trouble = lambda handler, _count: answer(handler, 503)
    with pytest.raises(UnavailableError):
        source_of(site, tmp_path).estimate()
    assert site.answers == [503]
