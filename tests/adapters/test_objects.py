"""Objects of a bucket are a source, against a real S3 API server, and against servers that misbehave."""

import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import obstore
import polars as pl
import pytest
from obstore.store import S3Store

from heptad.adapters import objects
from heptad.core.errors import DataError, SettingsError, UnavailableError
from heptad.data import Estimate, Place, Source, SourceSettings, open_source
from heptad.testing.source_contract import SourceContract

TABLE = b"number,name\n1,a\n2,b\n"


pytestmark = pytest.mark.usefixtures("credentials")


def source_of(bucket: S3Store, root: Path, key: str, **settings: object) -> Source:
    where = {"endpoint": str(bucket.config["endpoint"]), "uri": f"s3://{bucket.config['bucket']}/{key}"}
    return open_source(SourceSettings(**where, **settings), Place(root=root, cache=root / "cache"))  # type: ignore[arg-type]


class TestObjectSource(SourceContract):
    @pytest.fixture
    def source(self, bucket: S3Store, tmp_path: Path) -> Source:
        obstore.put(bucket, "t.csv", TABLE)
        return source_of(bucket, tmp_path, "t.csv")

    @pytest.fixture
    def change(self, bucket: S3Store) -> Callable[[], None]:
        def add_row() -> None:
            obstore.put(bucket, "t.csv", TABLE + b"3,c\n")

        return add_row


def test_a_glob_reads_objects_in_the_order_of_their_keys(bucket: S3Store, tmp_path: Path) -> None:
    """A star stays within a folder, two do not."""
    for place, key in enumerate(["in/2024/b.csv", "in/2024/a.csv", "in/a.csv", "in/b.txt", "other.csv"]):
        obstore.put(bucket, key, f"number,name\n{place},x\n".encode())

    def numbers(key: str) -> list[int]:
        return source_of(bucket, tmp_path, key).read().rows.collect()["number"].to_list()

    assert numbers("in/*.csv") == [2]
    assert numbers("in/*/[ab].csv") == [1, 0]
    assert numbers("in/**/*.csv") == [1, 0, 2]
    assert numbers("*.csv") == [4]
    with pytest.raises(DataError, match="No object is called like"):
        source_of(bucket, tmp_path, "in/*.parquet").digest()


def test_the_estimate_is_what_has_to_be_downloaded(bucket: S3Store, tmp_path: Path) -> None:
    """Of many objects those that came since, or are others than the cache has."""
    obstore.put(bucket, "a.csv", TABLE)
    source = source_of(bucket, tmp_path, "*.csv")
    assert source.estimate() == Estimate(len(TABLE), "bytes")
    source.read()
    assert source.estimate() == Estimate(0, "bytes")
    obstore.put(bucket, "b.csv", TABLE + b"3,c\n")
    assert source.estimate() == Estimate(len(TABLE) + 4, "bytes")


def test_nothing_is_downloaded_where_nothing_changed(
    bucket: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is made of a listing, and what the cache holds under an ETag is not asked for again."""
    pl.DataFrame({"number": range(10), "name": "x"}).write_parquet(tmp_path / "t.parquet")
    obstore.put(bucket, "t.parquet", (tmp_path / "t.parquet").read_bytes())
    first = source_of(bucket, tmp_path, "t.parquet")
    digest, rows = first.digest(), first.read().rows.collect()
    monkeypatch.setattr(objects.obstore, "get", lambda *_args, **_options: pytest.fail("it was downloaded again"))
    second = source_of(bucket, tmp_path, "t.parquet")
    assert second.digest() == digest
    assert second.read().rows.collect().equals(rows)


def test_large_objects_come_in_pieces(bucket: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, in order, and never more than one in memory."""
    monkeypatch.setattr(objects, "PIECE", 1_000)
    obstore.put(bucket, "t.csv", TABLE + b"".join(b"%d,c\n" % n for n in range(3, 5_000)))
    rows = source_of(bucket, tmp_path, "t.csv").read().rows.collect()
    assert rows["number"].to_list() == list(range(1, 5_000))


def test_an_object_that_is_replaced_in_the_middle_is_told(
    bucket: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two halves of different objects are never put together."""
    monkeypatch.setattr(objects, "PIECE", 10)
    obstore.put(bucket, "t.csv", TABLE)
    get, asked = obstore.get, []

    def get_and_replace(*args: Any, **options: Any) -> Any:
        asked.append(1)
        if len(asked) == 2:
            obstore.put(bucket, "t.csv", TABLE.replace(b"1", b"7"))
        return get(*args, **options)

    monkeypatch.setattr(objects.obstore, "get", get_and_replace)
    with pytest.raises(UnavailableError, match="was replaced while it was being read"):
        source_of(bucket, tmp_path, "t.csv").read()


def test_what_is_not_there_is_told(bucket: S3Store, tmp_path: Path) -> None:
    """An object, and the whole bucket."""
    with pytest.raises(DataError, match=r"There is no object s3://.*/gone\.csv"):
        source_of(bucket, tmp_path, "gone.csv").digest()
    for key in ("*.csv", "t.csv"):
        settings = SourceSettings(uri=f"s3://no-such-bucket-here/{key}", endpoint=str(bucket.config["endpoint"]))
        with pytest.raises(DataError, match="There is no bucket s3://no-such-bucket-here,"):
            open_source(settings, Place(root=tmp_path)).digest()
    with pytest.raises(DataError, match="names no object"):
        open_source(SourceSettings(uri="s3://bucket"), Place(root=tmp_path))


def test_secrets_are_named_and_never_written_out(bucket: S3Store, tmp_path: Path) -> None:
    """Options are recorded; so a key must be a name of the environment."""
    with pytest.raises(SettingsError, match=r"options\.secret_access_key is written out") as error:
        source_of(bucket, tmp_path, "t.csv", options={"secret_access_key": "sesame"})
    assert "sesame" not in str(error.value)
    with pytest.raises(SettingsError, match="options holds a name that s3:// has not"):
        source_of(bucket, tmp_path, "t.csv", options={"colour": "red"})
    obstore.put(bucket, "t.csv", TABLE)
    named = source_of(bucket, tmp_path, "t.csv", options={"secret_access_key": "${AWS_SECRET_ACCESS_KEY}"})
    assert named.digest() == source_of(bucket, tmp_path, "t.csv").digest()


def test_without_credentials_it_says_where_they_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the client asks the cloud that the machine may stand in, which answers nothing here."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    cloud = {"metadata_endpoint": "http://127.0.0.1:9"}
    settings = SourceSettings(uri="s3://bucket/t.csv", options=cloud, retries=0, timeout="500ms")
    with pytest.raises(DataError, match="there may be none") as error:
        open_source(settings, Place(root=tmp_path)).digest()
    assert "AWS_ACCESS_KEY_ID" in error.value.allowed


class Bad:
    """A server on loopback that answers as it is told to."""

    def __init__(self, answer: Callable[[Any, int], None]) -> None:
        requests: list[str] = []
        self.requests = requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                requests.append(self.path)
                answer(self, len(requests))

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def source(self, root: Path, **settings: object) -> Source:
        endpoint = f"http://127.0.0.1:{self.server.server_port}"
        made = SourceSettings(uri="s3://bucket/t.csv", endpoint=endpoint, **settings)  # type: ignore[arg-type]
        return open_source(made, Place(root=root, cache=root / "cache"))


def reply(handler: Any, status: int, body: bytes = b"") -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(TABLE) if handler.command == "HEAD" and status == 200 else len(body)))
    handler.send_header("ETag", '"one"')
    handler.send_header("Last-Modified", "Wed, 01 May 2024 10:00:00 GMT")
    if status == 206:
        handler.send_header("Content-Range", f"bytes 0-{len(TABLE) - 1}/{len(TABLE)}")
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def well(handler: Any) -> None:
    reply(handler, 200 if handler.command == "HEAD" else 206, TABLE)


def well_once(handler: Any, count: int, status: int, body: bytes) -> None:
    well(handler) if count == 1 else reply(handler, status, body)


def test_a_store_that_fails_and_then_recovers_is_asked_again(tmp_path: Path) -> None:
    """Errors of the server at the listing and at the object."""
    with Bad(lambda handler, count: reply(handler, 500) if count in {1, 3} else well(handler)) as bad:
        assert bad.source(tmp_path).read().rows.collect()["number"].to_list() == [1, 2]
        assert len(bad.requests) == 4


def test_a_store_that_keeps_failing_is_told_with_the_attempts(tmp_path: Path) -> None:
    """And it is an error after which trying again may help."""
    with Bad(lambda handler, _: reply(handler, 500)) as bad:
        with pytest.raises(UnavailableError, match=r"s3://bucket/t\.csv could not be read, attempts: 3; ") as error:
            bad.source(tmp_path, retries=2).digest()
        assert len(bad.requests) == 3
    assert "sesame" not in str(error.value)


def test_a_slow_store_is_waited_for(tmp_path: Path) -> None:
    """As long as the timeout allows."""

    def slowly(handler: Any, _count: int) -> None:
        time.sleep(0.2)
        well(handler)

    with Bad(slowly) as bad:
        assert bad.source(tmp_path, timeout="20s").read().rows.collect().height == 2


def test_a_store_that_does_not_answer_is_left_after_its_time(tmp_path: Path) -> None:
    """The timeout and the retries are settings."""
    release = threading.Event()
    with Bad(lambda _handler, _count: release.wait(20) and None) as bad:
        try:
            with pytest.raises(UnavailableError, match="could not be read, attempts: ") as error:
                bad.source(tmp_path, timeout="200ms", retries=1).digest()
        finally:
            release.set()
    assert "127.0.0.1" not in str(error.value)


def test_a_token_that_expires_in_the_middle_is_told(tmp_path: Path) -> None:
    """The listing was allowed, and the object is not; half of it does not stay."""
    expired = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>expired</Message></Error>"
    for status, body in ((403, b""), (401, b""), (400, expired)):
        answer = partial(well_once, status=status, body=body)
        with Bad(answer) as bad, pytest.raises(DataError, match="they may have expired"):
            bad.source(tmp_path).read()
        assert [one for one in (tmp_path / "cache").rglob("*") if one.is_file()] == []


@pytest.mark.parametrize("scheme", ["gs", "az"])
def test_the_other_stores_open_alike(scheme: str, tmp_path: Path) -> None:
    """Google's and Azure's stores are the same code over another client; no server of theirs is asked here."""
    options = {"skip_signature": "true"} | ({"account_name": "someone"} if scheme == "az" else {})
    settings = SourceSettings(
        uri=f"{scheme}://bucket/t.csv", endpoint="http://127.0.0.1:9", options=options, retries=0, timeout="1s"
    )
    with pytest.raises(UnavailableError, match=f"{scheme}://bucket/t.csv could not be read"):
        open_source(settings, Place(root=tmp_path)).digest()
